#ifndef LIB_FETCH_H
#define LIB_FETCH_H

// The fetch contract (libs.md §5): the lib calls of one model, from SQL to rows that SQL can read.
//
//     TRY(fetch_sources_new(connection, &set, &sources, err));  // once a lake
//
//     TRY(fetch_new(sources, connection, &model, calls, count, &fetch, err));
//     TRY(fetch_spool(fetch, &aborted, err));       // what cannot be streamed is fetched now
//     fetch_select(sources, connection, fetch);
//     code = lake_execute(connection, "INSERT … SELECT … FROM my_api('x')", …, err);
//     code = fetch_end(fetch, code, &outcome, err); // the lib's own error wins over DuckDB's
//     fetch_select(sources, connection, NULL);
//     fetch_free(fetch);
//
// Nothing is requested before fetch_spool or the statement, so lake_describe works on the statement
// when every column has a cast.
//
// A call whose columns all have casts, and which is read once, is streamed: a thread of its own
// runs the interpreter page by page, one page ahead of the statement, and the table function fills
// DuckDB's vectors from the pages.  Every other call is spooled first: to an unlinked file, page by
// page, so that memory stays bounded; the types of its columns come from all rows.
//
// Ownership: a fetch lives on its own memory until fetch_free; calls are copied.
// Errors: ERROR_INVALID with the position of the call in the model; message `lib my_api: fetch page
// 3: …` and the backtrace in err->trace; ERROR_CANCELLED.  A failed fetch leaves nothing behind.
// Threads: all functions from the thread of the model run; sources lock for themselves;
// fetch_progress from any.

#include "lake/lake.h"
#include "lib/lib.h"

#include <stdatomic.h>

struct fetch;
struct fetch_sources;

struct fetch_argument {
    str name;         // of `name := value`; empty when positional
    str sql;          // the expression as SQL text
    bool is_constant; // no column, no subquery
};

// One use of a column of the call.
struct fetch_column {
    str name;  // source column, as the query writes it
    str alias; // the projection's name; empty when it has none or is not projected
    str cast;  // DuckDB's name of the type around it ("DECIMAL(10,2)"); empty: none
    bool try_cast;
    bool is_projected; // in the call's own SELECT list
};

// One lib call in the model's SQL.
struct fetch_call {
    str lib;
    struct fetch_argument *arguments;
    size_t argument_count;
    struct fetch_column *columns; // SELECT order, then the others
    size_t column_count;
    bool takes_all; // SELECT *, or columns that cannot be traced
    int line;       // of the call in the model's file
    int column;
};

struct fetch_progress {
    atomic_int_fast64_t pages;
    atomic_int_fast64_t rows;
};

// The facts of the model that its calls see.
struct fetch_model {
    str target;          // "raw.orders"
    str file;            // "models/raw/orders.sql"
    str kind;            // "append"
    bool is_strict;      // @fetch: `columns` in the newer form
    bool read_twice;     // the rows are needed more than once: tracked, scd2, a CTE read twice
    bool is_incremental; // has @incremental
    bool is_backfill;
    str last_value;
    str initial_value;
    str last_run;
    str cursor;
    bool is_concurrent; // other models run at the same time: printed lines name this one
    struct modules_data data;
    struct interrupt *interrupt;     // NULL: the context's
    struct fetch_progress *progress; // NULL: nobody looks
    // A warning about the model, told within fetch_end; may be NULL.
    void (*warn)(void *self, const struct error *warning);
    void *warn_self;
};

// Registers the table function of the lake and, on this connection, one macro a lib with fetch.
MUST_USE enum error_code fetch_sources_new(struct lake_connection *connection,
                                           const struct lib_set *set,
                                           struct fetch_sources **sources, struct error *err);
// After the lake is closed.  Takes NULL.
void fetch_sources_free(struct fetch_sources *sources);
// The macros on one more connection.
MUST_USE enum error_code fetch_sources_connect(struct fetch_sources *sources,
                                               struct lake_connection *connection,
                                               struct error *err);
// Whose calls the statements of this connection mean from now on; NULL: nobody's, every call is an
// error.
void fetch_select(struct fetch_sources *sources, const struct lake_connection *connection,
                  struct fetch *fetch);

// What can be said without a database or a request: the lib exists and has fetch, its kinds and
// columns, number and names of arguments.  Adds one error a finding (rules cross_ast.unknown_lib,
// cross_ast.args_mismatch, blueprint.other), positions in the model's file.
void fetch_check(const struct lib_set *set, str file, str kind, const struct fetch_call *calls,
                 size_t count, struct error_list *errors);

// Evaluates the arguments and makes the module instances.  No request is sent.
MUST_USE enum error_code fetch_new(struct fetch_sources *sources,
                                   struct lake_connection *connection,
                                   const struct fetch_model *model, const struct fetch_call *calls,
                                   size_t count, struct fetch **fetch, struct error *err);
void fetch_free(struct fetch *fetch); // stops what still runs; takes NULL
// Fetches the calls that cannot be streamed.  *aborted: a call ended by abort(), the model is done
// and nothing is to be written.
MUST_USE enum error_code fetch_spool(struct fetch *fetch, bool *aborted, struct error *err);

// What fetch_spool knows of columns when a call gave no row (libs.md §5.7).
enum fetch_columns {
    FETCH_COLUMNS_KNOWN,
    FETCH_COLUMNS_GUESSED, // one without a cast is taken for VARCHAR
    FETCH_COLUMNS_MISSING, // SELECT * stands for those that SQL names elsewhere, perhaps none
};
// After fetch_spool.
enum fetch_columns fetch_columns(const struct fetch *fetch);
// The columns of the table that the rows would go to stand in for what no row told.
void fetch_columns_take(struct fetch *fetch, const struct lake_column *columns, size_t count);
// The call whose rows are missed, for messages: ERROR_INVALID at its place in the model.
enum error_code fetch_columns_error(const struct fetch *fetch, struct error *err);

// After a statement: which rows of the fetch, counted from 1, SQL was given last, so that an error
// in it can say where to look.  False when it read none, or several calls side by side.
bool fetch_rows_given(const struct fetch *fetch, int64_t *first, int64_t *last);

struct fetch_outcome {
    bool aborted; // abort(): the statement failed on purpose; treat as success without change
    bool delete_missing; // empty_result = "delete_missing" on the last page
    int64_t rows;        // of all calls
    int64_t pages;
};
// After the statement (or instead of it): waits for the thread.  `code` and `err` are how the
// statement ended; the result is ERROR_NONE after an abort(), else the first error.
MUST_USE enum error_code fetch_end(struct fetch *fetch, enum error_code code,
                                   struct fetch_outcome *outcome, struct error *err);

#endif
