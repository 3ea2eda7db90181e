#ifndef LIB_FETCH_ROW_H
#define LIB_FETCH_ROW_H

// From the rows of a page to cells by column.
//
// Rows of one page nearly always have the same keys in the same order.  The reader remembers that
// layout: a row that has it costs one comparison a key and no look-up.
//
// Ownership: the reader owns its layout; cells borrow from the page and from the arena given.
// Threads: one at a time.

#include "base/list.h"
#include "base/map.h"
#include "lib/fetch_cell.h"

// The columns of one call: fixed when SQL names them all, else growing with the rows.
struct fetch_column_set {
    struct arena *arena;
    struct map by_name;    // index + 1, without case
    struct str_list names; // as first written
    bool is_open;          // SELECT *: an unknown key becomes a column
};
void fetch_column_set_init(struct fetch_column_set *set, struct arena *arena, bool is_open);
// The index; adds the column when it is new.
size_t fetch_column_set_add(struct fetch_column_set *set, str name);

// The rows of one page: what was saved, then what was returned.
struct fetch_page {
    struct star_thread *thread; // whose heap the rows are in
    int64_t number;             // from 1
    star_value lists[2];
    size_t list_count;
    int64_t row_count;
    // The position of reading.
    size_t list;
    size_t index;
    int64_t row;              // from 1, of the row read last
    struct yyjson_val *array; // the list being read while it is still JSON; asked once a list,
                              // since telling that nothing in it was changed is a walk
    struct yyjson_val *json;  // its element read last
};
void fetch_page_add(struct fetch_page *page, star_value list);

struct fetch_layout_key {
    str key;
    size_t column; // SIZE_MAX: not wanted
};

struct fetch_row_reader {
    struct fetch_column_set *columns;
    const bool *wanted; // by column; NULL: all
    struct arena arena; // the layout
    struct fetch_layout_key *keys;
    size_t key_count;
    bool exact; // only rows with exactly these keys have the layout (a key stands there twice)
    struct fetch_cell *cells; // by column, of the row read last
    size_t cell_capacity;
};
void fetch_row_reader_init(struct fetch_row_reader *reader, struct fetch_column_set *columns,
                           const bool *wanted);
void fetch_row_reader_done(struct fetch_row_reader *reader);
// The next row of the page into reader->cells; *found is false behind the last one.
MUST_USE enum error_code fetch_row_read(struct fetch_row_reader *reader, struct fetch_page *page,
                                        struct arena *arena, bool *found, struct error *err);

#endif
