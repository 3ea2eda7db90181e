#ifndef CLI_LAYOUT_H
#define CLI_LAYOUT_H

// How tables and boxes look on a terminal: aligned columns, and facts inside a frame.
//
// Widths are counted in code points.  What does not fit is cut with an ellipsis.
// Ownership: all text goes into the text given.

#include "base/list.h"

struct text;

// ── Columns ──  Cells of one row after another; each column is as wide as its widest cell.
struct grid {
    struct arena *arena;
    size_t columns;
    const bool *right; // columns aligned to the right; NULL: none
    struct str_list cells;
};
// Adds the cells of one row; the first row is the heading.
void grid_row(struct grid *grid, const str *cells);
#define GRID_ROW(grid, ...) grid_row((grid), (const str[]){__VA_ARGS__})
void grid_write(const struct grid *grid, struct text *out);

// ── Box ──
enum { BOX_WIDTH = 78 }; // inside the frame
struct box {
    struct text *out;
    size_t width; // inside the frame
};
// The width that a box may have on standard output: that of the terminal within limits, BOX_WIDTH
// elsewhere.
size_t box_terminal_width(void);
void box_begin_width(struct box *box, struct text *out, str title, size_t width);
void box_begin(struct box *box, struct text *out, str title);
void box_section(struct box *box, str title);
void box_line(struct box *box, str line);
// Each line of the text.
void box_lines(struct box *box, str text);
// Two facts side by side; an empty second label leaves its half blank.
void box_pair(struct box *box, const char *label, str value, const char *label2, str value2);
// A label and a text over the whole width, wrapped at ", " when it is long.
void box_fact(struct box *box, const char *label, str value);
void box_end(struct box *box);

// "2026-01-02 03:04:05" (UTC); "-" for 0.
str time_shown(struct arena *arena, int64_t wall_us);
// 1234567 as "1,234,567".
str count_shown(struct arena *arena, int64_t value);
// 1536 as "1.5 KiB".
str size_shown(struct arena *arena, int64_t bytes);

#endif
