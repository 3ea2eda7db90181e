#ifndef WRITE_WRITE_H
#define WRITE_WRITE_H

// Writes the rows of one model into its table: the difference between what the query gives and what
// is there, and nothing when there is none (design D9, models.md §5).
//
// Called inside a transaction of the writing connection, with the table existing and its columns
// those of the query.  Temporary tables are left behind and replaced by the next model.
//
// Errors: ERROR_INVALID for NULL and duplicate keys, at the line of the key's directive; those of
// DuckDB, with the position in the model's file.
// Threads: that of the connection.

#include "lake/lake.h"
#include "model/model.h"
#include "plan/commit.h"
#include "plan/run_type.h"

// Which rows the query gives.
enum write_source {
    WRITE_ALL,     // the full query
    WRITE_NEW,     // only rows not produced before: a fetch, a delta
    WRITE_SURPLUS, // the full query; those beyond what the table holds are new
};

struct write {
    struct lake_connection *connection;
    struct arena *arena;
    const struct model *model;
    enum run_type run_type;
    enum write_source source;
    str body; // the SQL of the query; the model's own, or its rewritten form
    const struct lake_column *columns;
    size_t column_count;
    bool body_is_masked; // its rows were masked when they were read
    bool body_is_own;    // positions of errors are those of the model's file
    // Called once with the table of the rows about to be written, before any of them is; an error
    // ends the write.  NULL: nobody asks, and what can be streamed is.
    enum error_code (*inspect)(void *self, str table, struct error *err);
    void *inspect_self;
    const struct growth_list *growths; // append: with this run's; NULL: none
    // A backfill over rows that stayed when their source lost them: what they are known by.
    struct str_list kept_by;
    bool table_is_empty; // made by this run: no difference to compute
    bool altered;        // its columns were changed by this run
    // What is there was written by another kind or by another key, or is not to be kept: nothing in
    // it can be relied on.
    bool rebuilds;
    bool hashes_are_old;  // tracked: the hashes in the table are another DuckDB version's
    int64_t run_snapshot; // scd2: the lake's snapshot when the run began
    // tracked, scd2: told how reading the query ended, before its rows are looked at; the answer
    // counts, and keeps_rows set by it leaves the table as it is.  NULL: nobody.
    enum error_code (*was_read)(void *self, enum error_code code, struct error *err);
    void *was_read_self;
    bool keeps_rows;

    // Results:
    int64_t rows;          // written; an updated or replaced row counts once
    bool changed;          // there is something to commit
    bool keeps_old_hashes; // tracked: some are still another DuckDB version's
    int64_t rows_lost; // of those known by kept_by, copies counted: that the query does not give
};

MUST_USE enum error_code write_rows(struct write *write, struct error *err);

// Puts the position of an error in "…(\n<body>" into the model's file; the statement's first line
// is ours.
void write_error_place(const struct model *model, struct error *err);

#endif
