#ifndef LIB_FETCH_TASK_H
#define LIB_FETCH_TASK_H

// One distinct lib call of a model, and its pages: internal to fetch.
//
// Call sites with the same lib and equal arguments are one task; SQL cannot tell them apart.

#include "lib/fetch_args.h"
#include "lib/fetch_row.h"
#include "lib/fetch_spool.h"

enum {
    FETCH_PAGES_MAX = 1000000, // of one call
    FETCH_IDLE_PAGES_MAX = 3,  // empty pages in a row that ask for themselves again
    FETCH_POLL_INTERVAL_MAX_S = 30,
    FETCH_WARNINGS_MAX = 8, // of one model; further ones are left out
};

struct fetch_task {
    struct fetch *fetch;
    const struct lib *lib;
    int line; // of the first call site
    int column;
    struct fetch_args args;
    const char **arg_names;    // as many as args.count
    struct fetch_column *uses; // of all call sites
    size_t use_count;
    size_t use_capacity;
    bool takes_all; // SELECT *, or columns that cannot be traced
    size_t site_count;
    struct fetch_column_set columns;
    enum lake_kind *kinds; // by column, once is_typed
    bool *is_cast;         // by column: `kinds` comes from the casts
    size_t cast_count;     // of kinds and is_cast before the rows came
    bool is_typed;         // every column's kind is known
    struct lib_instance *instance;
    struct fetch_spool *spool; // NULL: streamed
};

// What the calls of a fetch tell about it; written by the thread that fetches.
struct fetch_facts {
    bool aborted;
    bool delete_missing;
    bool warned_key;
    int64_t rows;
    int64_t pages;
    struct error warnings[FETCH_WARNINGS_MAX]; // told at the end, on the caller's thread
    size_t warning_count;
};
void fetch_warning_add(struct fetch_facts *facts, const struct error *warning);

// The pages of one task, one after another.
struct fetch_pages {
    struct fetch_task *task;
    const struct fetch_model *model;
    const struct context *context;
    struct fetch_facts *facts;
    struct lib_worker *keep; // holds the cursor between two pages
    struct lib_worker *job;  // holds the references of an async fetch
    star_value cursor;
    star_value result_ref;
    bool started;
    bool done;
    int64_t number;
    int64_t idle_pages;
};

MUST_USE enum error_code fetch_pages_begin(struct fetch_pages *pages, struct lib_worker *sibling,
                                           struct error *err);
void fetch_pages_end(struct fetch_pages *pages);
// Fetches one page on the worker, whose heap holds its rows until the worker is reset.  *found is
// false behind the last page and after abort() (facts->aborted).
MUST_USE enum error_code fetch_pages_next(struct fetch_pages *pages, struct lib_worker *worker,
                                          struct fetch_page *page, bool *found, struct error *err);
// Puts "lib NAME: " before the message and the call's place into the error.
void fetch_task_error(const struct fetch_task *task, const struct fetch_model *model,
                      struct error *err);

// ── The way of a streamed call ──
struct fetch_stream;

// Starts the thread that fetches.
MUST_USE enum error_code fetch_stream_new(struct fetch_task *task, const struct fetch_model *model,
                                          const struct context *context, struct fetch_facts *facts,
                                          struct fetch_stream **stream, struct error *err);
// Waits for the thread, which ends after its current call when it is not done yet.  *code and err
// (untouched without an error) tell how the fetch itself ended.
enum error_code fetch_stream_end(struct fetch_stream *stream, struct error *err);
void fetch_stream_free(struct fetch_stream *stream); // after fetch_stream_end
// Writes rows of the columns that the scan asks for.
MUST_USE enum error_code fetch_stream_fill(struct fetch_stream *stream, const size_t *columns,
                                           struct lake_writer *writer, struct error *err);
// The cells of one row into row `row` of the chunk.
MUST_USE enum error_code fetch_row_put(const struct fetch_task *task, struct arena *scratch,
                                       const struct fetch_cell *cells, const size_t *columns,
                                       struct lake_writer *writer, size_t row, struct error *err);
enum { FETCH_WORKERS = 3 }; // pages alive: one being fetched, one waiting, one being stored

#endif
