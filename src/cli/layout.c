#include "cli/layout.h"

#include "base/clock.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ELLIPSIS "…"

// ── Cells ──

// The text in at most `width` code points, on one line.
static str fitted(struct arena *arena, str text, size_t width) {
    str flat = str_replace_all(arena, text, STR("\n"), STR(" "));
    flat = str_replace_all(arena, flat, STR("\t"), STR("    "));
    if (str_code_points(flat) <= width) {
        return flat;
    }
    size_t size = 0;
    for (size_t points = 0; points < width - 1; points++) {
        size++;
        while (size < flat.size && ((unsigned char)flat.data[size] & 0xC0) == 0x80) {
            size++;
        }
    }
    return str_format(arena, STR_FORMAT ELLIPSIS, STR_ARGS(str_slice(flat, 0, size)));
}

static void add_padded(struct text *out, str cell, size_t width, bool right) {
    const size_t points = str_code_points(cell);
    const size_t space = points < width ? width - points : 0;
    if (right) {
        text_add_repeat(out, ' ', space);
    }
    text_add(out, cell);
    if (!right) {
        text_add_repeat(out, ' ', space);
    }
}

// ── Columns ──

enum { CELL_WIDTH_MAX = 60 };

void grid_row(struct grid *grid, const str *cells) {
    for (size_t i = 0; i < grid->columns; i++) {
        str_list_push(grid->arena, &grid->cells, fitted(grid->arena, cells[i], CELL_WIDTH_MAX));
    }
}

static size_t column_width(const struct grid *grid, size_t column) {
    size_t width = 0;
    for (size_t i = column; i < grid->cells.count; i += grid->columns) {
        const size_t points = str_code_points(grid->cells.items[i]);
        width = points > width ? points : width;
    }
    return width;
}

void grid_write(const struct grid *grid, struct text *out) {
    if (grid->columns == 0) {
        return;
    }
    size_t *widths = ARENA_ARRAY(grid->arena, size_t, grid->columns);
    for (size_t i = 0; i < grid->columns; i++) {
        widths[i] = column_width(grid, i);
    }
    for (size_t i = 0; i < grid->cells.count; i++) {
        const size_t column = i % grid->columns;
        const bool right = grid->right != NULL && grid->right[column];
        const bool last = column + 1 == grid->columns;
        add_padded(out, grid->cells.items[i], last && !right ? 0 : widths[column], right);
        if (!last) {
            text_add(out, STR("  "));
            continue;
        }
        while (out->size > 0 && out->data[out->size - 1] == ' ') { // of empty last cells
            out->size--;
        }
        text_add_char(out, '\n');
    }
}

// ── Box ──

static void add_rule(struct box *box, const char *left, str title, const char *right) {
    text_add(box->out, str_from(left));
    size_t used = 0;
    if (title.size > 0) {
        SCRATCH(scratch);
        const str shown = fitted(&scratch, title, box->width - 4);
        text_format(box->out, "─ " STR_FORMAT " ", STR_ARGS(shown));
        used = str_code_points(shown) + 3;
    }
    for (; used < box->width; used++) {
        text_add(box->out, STR("─"));
    }
    text_format(box->out, "%s\n", right);
}

enum { WIDTH_MIN = 38, WIDTH_MAX = 158 };

size_t box_terminal_width(void) {
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 ||
        size.ws_col == 0) {
        return BOX_WIDTH;
    }
    const size_t width = size.ws_col > 2 ? (size_t)size.ws_col - 2 : 0;
    return width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
}

void box_begin_width(struct box *box, struct text *out, str title, size_t width) {
    box->out = out;
    box->width = width;
    add_rule(box, "┌", title, "┐");
}

void box_begin(struct box *box, struct text *out, str title) {
    box_begin_width(box, out, title, BOX_WIDTH);
}

void box_section(struct box *box, str title) {
    add_rule(box, "├", title, "┤");
}

void box_line(struct box *box, str line) {
    SCRATCH(scratch);
    text_add(box->out, STR("│ "));
    add_padded(box->out, fitted(&scratch, line, box->width - 2), box->width - 2, false);
    text_add(box->out, STR(" │\n"));
}

void box_lines(struct box *box, str text) {
    struct str_splitter lines = {.rest = text};
    str line;
    while (str_split_next(&lines, '\n', &line)) {
        if (line.size > 0 || lines.rest.size > 0) {
            box_line(box, line);
        }
    }
}

enum {
    LABEL_WIDTH = 16,
    VALUE_WIDTH = (BOX_WIDTH - 2) / 2 - LABEL_WIDTH - 1,
};

void box_pair(struct box *box, const char *label, str value, const char *label2, str value2) {
    SCRATCH(scratch);
    struct text line;
    text_init(&line, &scratch);
    add_padded(&line, str_from(label), LABEL_WIDTH, false);
    add_padded(&line, fitted(&scratch, value, VALUE_WIDTH), VALUE_WIDTH + 1, false);
    add_padded(&line, str_from(label2), LABEL_WIDTH, false);
    text_add(&line, value2);
    box_line(box, text_str(&line));
}

// The longest part of the text, up to a ", ", that fits; the whole when it has none.
static str first_part(str text, size_t width) {
    size_t end = 0;
    size_t at = 0;
    while (at < text.size) {
        const size_t comma = str_find(str_from_offset(text, at), STR(", "));
        const size_t next = comma == SIZE_MAX ? text.size : at + comma + 2;
        if (str_code_points(str_slice(text, 0, next)) > width && end > 0) {
            break;
        }
        end = next;
        at = next;
    }
    return str_slice(text, 0, end);
}

void box_fact(struct box *box, const char *label, str value) {
    SCRATCH(scratch);
    const char *head = label;
    do {
        const str part = first_part(value, box->width - 2 - LABEL_WIDTH);
        struct text line;
        text_init(&line, &scratch);
        add_padded(&line, str_from(head), LABEL_WIDTH, false);
        text_add(&line, str_trim(part));
        box_line(box, text_str(&line));
        value = str_from_offset(value, part.size);
        head = "";
    } while (value.size > 0);
}

void box_end(struct box *box) {
    add_rule(box, "└", (str){0}, "┘");
}

// ── Values ──

str time_shown(struct arena *arena, int64_t wall_us) {
    if (wall_us == 0) {
        return STR("-");
    }
    const str text = time_format_utc(arena, wall_us / 1000000 * 1000000);
    return str_format(arena, STR_FORMAT " " STR_FORMAT, STR_ARGS(str_slice(text, 0, 10)),
                      STR_ARGS(str_slice(text, 11, 19)));
}

str count_shown(struct arena *arena, int64_t value) {
    const str digits = str_format(arena, "%" PRId64, value);
    struct text out;
    text_init(&out, arena);
    for (size_t i = 0; i < digits.size; i++) {
        if (i > 0 && (digits.size - i) % 3 == 0 && digits.data[i - 1] != '-') {
            text_add_char(&out, ',');
        }
        text_add_char(&out, digits.data[i]);
    }
    return text_str(&out);
}

str size_shown(struct arena *arena, int64_t bytes) {
    static const char *const UNITS[] = {"KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024) {
        return str_format(arena, "%" PRId64 " B", bytes);
    }
    double value = (double)bytes / 1024;
    size_t unit = 0;
    while (value >= 1024 && unit < 3) {
        value /= 1024;
        unit++;
    }
    return str_format(arena, "%.1f %s", value, UNITS[unit]);
}
