#ifndef RUN_TURN_H
#define RUN_TURN_H

// What one attempt to run one model works with, shared by the files that make it up: run_model.c
// (the transaction), run_cursor.c (variables), run_fetch.c (lib calls), run_table.c (the table and
// its columns), run_apart.c (what needs no write lock), run_rows.c (which rows to read),
// run_checks.c (constraints, audits, warnings).  For use inside run/ only.

#include "model/check.h"
#include "run/decorate.h"
#include "run/run_progress.h"
#include "run/runner.h"

// Results that need no other attempt: one of them, at least, has ended the transaction.
struct settled_checks {
    enum check_stage moment; // before the write or after it
    struct check_result_list results;
};

struct turn {
    struct runner *runner;
    struct plan_step *step;
    struct arena *arena; // of the attempt
    struct run_result *result;
    struct incremental_state incremental;
    struct fetch *fetch;   // NULL: pure SQL
    struct lib_data *data; // of its libs; NULL: none
    struct run_ticker ticker;
    struct fetch_outcome fetched;
    bool fetch_is_over;
    struct write write;
    bool is_fetched;               // turn_fetch is done
    bool fetch_aborted;            // by a lib's abort()
    bool is_evaluated;             // the query's rows are in a temporary table
    bool check_failed;             // a constraint or audit ends the turn
    bool checks_alone;             // each in a statement of its own
    bool wants_checks_alone;       // set when a statement of checks has ended the transaction early
    struct settled_checks settled; // by the attempts before; then, by this one, for the next
    bool altered;
    bool schema_moved; // created tables: since they were made, so their columns may not be right
    bool rewrites;     // the query was rewritten: an error may be of our making
    str rewrite_error; // an attempt with a rewritten query failed; empty: none did
    struct growth_list growths; // append: of the table, with this run's
    bool is_exact;              // append: the table now holds the rows of the full query, no more
    bool decorated;             // comments, partitioning or sorting changed
    struct storage_turn storage;
    int64_t read_snapshot;
    int64_t started_us;
    struct error_list changes; // warnings of what the transaction changes: told once it committed
    struct commit_step steps[5];
    size_t step_count;
    int64_t step_started_us;
};

// Ends the phase that began with the last call; its time goes into the commit.
void turn_step_done(struct turn *turn, const char *name);

// Adds a warning at the model's file.
void turn_warn(struct turn *turn, const char *rule, const char *format, ...) PRINTF_LIKE(3, 4);

// As turn_warn, for what is only so when the transaction commits: a dropped column, a lost row.
void turn_warn_change(struct turn *turn, const char *format, ...) PRINTF_LIKE(2, 3);

// Takes the write lock, and before it, when others wait for that, does what needs none: the fetch,
// the evaluation of a query whose every row is needed.  The lock is held only after ERROR_NONE.
MUST_USE enum error_code turn_enter_write(struct turn *turn, struct error *err);
void turn_leave_write(struct turn *turn);
// What the query is read from: its own text, or the rows that are there already.
str turn_body(const struct turn *turn);
// Fetches the calls that cannot be streamed; with `all` none is, so that nothing is left to wait
// for.
MUST_USE enum error_code turn_fetch(struct turn *turn, bool all, struct error *err);

// Stops and frees what the fetch has; also when there was none.
void turn_end_fetch(struct turn *turn);

// Evaluates the query and writes its rows, inside the transaction; turn->write has the outcome.
MUST_USE enum error_code turn_write(struct turn *turn, struct error *err);
// The same for a model that calls libs: fetches first.  turn->fetched.aborted: nothing is written.
MUST_USE enum error_code turn_write_fetched(struct turn *turn, struct error *err);

// The columns of the query at the transaction's snapshot, which is the turn's read_snapshot.
MUST_USE enum error_code turn_describe(struct turn *turn, struct error *err);
// Brings the table into the shape of the query: made, or its columns evolved (models.md §7).
MUST_USE enum error_code turn_prepare_table(struct turn *turn, struct error *err);

// The part of it for columns that only changed their name: renames them in the lake and in `table`;
// *summary: "renamed a → b", or empty.
struct lake_table;
struct column_renames;
MUST_USE enum error_code turn_rename_columns(struct turn *turn, struct lake_table *table,
                                             struct column_renames *renames, str *summary,
                                             struct error *err);

// Which rows an incremental run reads (models.md §6): sets body and source of turn->write.
MUST_USE enum error_code turn_choose_rows(struct turn *turn, struct error *err);

// Has the constraints look at what turn->write is about to write.
void turn_watch_rows(struct turn *turn);
// Evaluates the audits, after the write; an error rolls everything back.
MUST_USE enum error_code turn_audit(struct turn *turn, struct error *err);
// The results for the commit; empty for a model without checks.
str turn_checks_json(struct turn *turn);

// Says what to do when the query cannot cast the default start of the cursor, a time, to its type.
void turn_explain_cursor(const struct turn *turn, struct error *err);

// As write_rows, with a warning of new rows whose cursor is NULL: it never moves past them
// (models.md §4.4).
MUST_USE enum error_code turn_write_rows(struct turn *turn, struct error *err);

#endif
