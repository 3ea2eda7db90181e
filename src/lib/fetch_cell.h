#ifndef LIB_FETCH_CELL_H
#define LIB_FETCH_CELL_H

// One fetched value, whether it came from a JSON document or from a script, and its way into a
// column (libs.md §4.1).

#include "base/error.h"
#include "lake/source.h"
#include "starlark/starlark.h"

struct arena;
struct yyjson_val;

// The numbers are stored in spools.
enum fetch_cell_kind {
    CELL_NULL,
    CELL_BOOL,
    CELL_INT,
    CELL_BIG_INT, // decimal digits in `text`
    CELL_DOUBLE,
    CELL_TEXT,
    CELL_BYTES,
    CELL_JSON,     // a list or dict, compact
    CELL_TIME,     // microseconds since the epoch, in `integer`
    CELL_DURATION, // microseconds, in `integer`
};

struct fetch_cell {
    enum fetch_cell_kind kind;
    int64_t integer; // INT, BOOL, TIME, DURATION
    double number;   // DOUBLE
    str text;        // BIG_INT, TEXT, BYTES, JSON
};

// The JSON behind a value that no script has changed; else NULL.
struct yyjson_val *fetch_json_of(star_value value);

// Text may borrow from the document; JSON is written into the arena.
MUST_USE enum error_code fetch_cell_from_json(struct arena *arena, struct yyjson_val *value,
                                              struct fetch_cell *cell, struct error *err);
// Text borrows from the value's heap or lives in the arena.  ERROR_INVALID for what is no data (a
// function, a set, a module, text that is no UTF-8): "a function cannot be stored".
MUST_USE enum error_code fetch_cell_from_value(struct star_thread *thread, struct arena *arena,
                                               star_value value, struct fetch_cell *cell,
                                               struct error *err);

// Writes a cell into a column of the kind: BOOLEAN, BIGINT, HUGEINT, DOUBLE, VARCHAR, JSON, BLOB,
// TIMESTAMP_TZ or INTERVAL, by DuckDB's own rules of casting.  ERROR_INVALID when it does not fit:
// `cannot cast "abc" to BIGINT`.
MUST_USE enum error_code fetch_cell_put(struct arena *scratch, const struct fetch_cell *cell,
                                        struct lake_writer_column *column, size_t row,
                                        struct error *err);
// The value as a VARCHAR column shows it.
str fetch_cell_text(struct arena *arena, const struct fetch_cell *cell);

// What a column without a cast has seen so far; its type depends on all rows, not on their order.
struct fetch_seen {
    unsigned kinds;   // bits 1 << enum fetch_cell_kind
    bool has_huge;    // an int beyond 64 bits
    bool has_giant;   // an int beyond 128 bits
    bool has_inexact; // an int that no double is equal to
};
void fetch_seen_add(struct fetch_seen *seen, const struct fetch_cell *cell);
enum lake_kind fetch_seen_type(const struct fetch_seen *seen);

#endif
