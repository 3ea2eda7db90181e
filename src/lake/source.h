#ifndef LAKE_SOURCE_H
#define LAKE_SOURCE_H

// Rows of ours inside SQL: the one table function, __coypu_fetch(VARCHAR[]), and the macros over
// it.
//
// DuckDB can neither replace nor remove a registered function, so there is one, and its first
// argument (by convention the lib's name) tells what is meant.  The layer above supplies the
// callbacks.
// Bind runs at every EXPLAIN, PREPARE and macro check: it must be cheap and without side effects.
// Start makes the scan; the first fill does I/O.
// Threads: bind, start and fill run on DuckDB's threads, one at a time for one scan.  fill may
// block; it must watch the interrupt itself, since DuckDB sees its own only after fill returns.

#include "base/error.h"
#include "lake/result.h"

struct lake;
struct lake_connection;
struct lake_source_bind; // given to bind
struct lake_writer;
struct duckdb_api;

struct lake_argument {
    bool is_null;
    str text;
};

struct lake_source {
    // Declares the columns (lake_source_column) for these arguments.  *plan is given to start and
    // to unbind.
    enum error_code (*bind)(void *self, const struct lake_argument *arguments, size_t count,
                            struct lake_source_bind *bind, void **plan, struct error *err);
    // `columns` are the indexes (in the order of declaration) that the statement reads; a writer's
    // column i is columns[i].  `count(*)` asks for one column.
    enum error_code (*start)(void *self, void *plan, const size_t *columns, size_t count,
                             void **scan, struct error *err);
    // Writes up to LAKE_CHUNK_ROWS_MAX rows and tells how many (lake_writer_finish); none ends the
    // scan.
    enum error_code (*fill)(void *scan, struct lake_writer *writer, struct error *err);
    void (*finish)(void *scan); // always called for a started scan; may be NULL
    void (*unbind)(
        void *plan); // always called for a bound plan, perhaps on another thread; may be NULL
    void *self;
};

// Registers the table function of this database; once.  `source` is copied.
MUST_USE enum error_code lake_source_register(struct lake_connection *connection,
                                              const struct lake_source *source, struct error *err);

// The connection whose statement is bound (lake_connection_id).
uint64_t lake_source_connection(const struct lake_source_bind *bind);
// Declares a column.  `kind` is one of BOOLEAN … TIMESTAMP_TZ, INTERVAL, UUID, JSON, BLOB; width
// and scale are of DECIMAL.
void lake_source_column(struct lake_source_bind *bind, str name, enum lake_kind kind, uint8_t width,
                        uint8_t scale);
// What DuckDB's planner may expect; exact when it is a bound.
void lake_source_row_count(struct lake_source_bind *bind, uint64_t rows, bool is_exact);

// CREATE OR REPLACE TEMP MACRO name(a := NULL, …) AS TABLE FROM __coypu_fetch([name, a, …]).
MUST_USE enum error_code lake_source_macro(struct lake_connection *connection, str name,
                                           const str *arguments, size_t count, struct error *err);

// ── Writing a chunk ──
// One column of the chunk being filled: write into `data` at the row, typed by the declared kind.
struct lake_writer_column {
    void *data;         // bool, int32_t, int64_t, double, struct lake_hugeint, struct lake_string …
    uint64_t *validity; // NULL until the first lake_put_null
    void *handle;       // DuckDB's vector
    const struct duckdb_api *api;
    enum lake_kind kind;
};
struct lake_writer {
    struct lake_writer_column *columns; // of the scan, in the order given to start
    size_t column_count;
    size_t row_count; // set by lake_writer_finish
};
void lake_writer_finish(struct lake_writer *writer, size_t row_count);

void lake_put_null(struct lake_writer_column *column, size_t row);
// VARCHAR, JSON, BLOB.  Copies.  VARCHAR and JSON must be valid UTF-8.
void lake_put_text(struct lake_writer_column *column, size_t row, str text);
static inline void lake_put_bool(struct lake_writer_column *column, size_t row, bool value) {
    ((bool *)column->data)[row] = value;
}
// INTEGER, DATE (days since the epoch)
static inline void lake_put_integer(struct lake_writer_column *column, size_t row, int32_t value) {
    ((int32_t *)column->data)[row] = value;
}
// BIGINT, TIMESTAMP, TIMESTAMP_TZ, TIME (microseconds)
static inline void lake_put_bigint(struct lake_writer_column *column, size_t row, int64_t value) {
    ((int64_t *)column->data)[row] = value;
}
static inline void lake_put_double(struct lake_writer_column *column, size_t row, double value) {
    ((double *)column->data)[row] = value;
}
static inline void lake_put_hugeint(struct lake_writer_column *column, size_t row,
                                    struct lake_hugeint value) {
    ((struct lake_hugeint *)column->data)[row] = value;
}
static inline void lake_put_interval(struct lake_writer_column *column, size_t row,
                                     struct lake_interval value) {
    ((struct lake_interval *)column->data)[row] = value;
}

#endif
