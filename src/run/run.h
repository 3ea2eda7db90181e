#ifndef RUN_RUN_H
#define RUN_RUN_H

// Runs a project: reads the models, plans, writes what changed into the lake, delivers, records.
//
// Events tell the caller what happens while it happens; the summary at the end says how it went.  A
// failing model is not an error of run_project: it is in the results.
//
// Errors of run_project itself: ERROR_INVALID (no such target, a cycle, a broken lib file or
// config), ERROR_CONFLICT (another run holds .coypu/run.lock), ERROR_IO.  After Ctrl-C there is
// none: the summary says `interrupted`.
// Threads: one run, one thread calls in; events come one at a time, from any thread of the run.

#include "model/model.h"
#include "plan/run_type.h"
#include "run/sandbox.h"

enum run_status { RUN_OK, RUN_SKIPPED, RUN_ERROR };
str run_status_name(enum run_status status); // "ok", "skip", "error"

// What the push step of a model did (libs.md §6.8).
struct run_push {
    bool present;
    str sink;
    int64_t ok, warned, failed, rejected, pending;
    int64_t duration_ms;
    struct str_list messages; // at most three, ready to show
    str json;                 // the object for --json
    bool incomplete;          // rows were left undelivered
};

struct run_explanation; // run/explain.h

// What became of one model.  Lives until the callback returns.
struct run_result {
    const struct model *model;
    enum run_status status;
    enum run_type run_type;
    str reason;          // of the closed set of models.md §4
    bool aborted;        // a lib's abort(): the target was left as it was
    bool no_columns;     // SELECT * over no rows: skipped, see the warnings
    str skipped_because; // the failed ancestor; empty otherwise
    str skipped_error;   // its first error
    bool waits;          // that ancestor did not fail, it has no rows and so no table yet
    str shape; // how the rows were found (models.md §6.4): "full query", "affected keys", …
    int64_t rows;
    int64_t duration_us;
    int64_t snapshot;      // of the commit; 0: none
    int64_t read_snapshot; // what it was evaluated at; 0: it was not
    bool is_exact;         // append: the table now holds the rows of the full query, no more
    struct error_list errors;
    struct error_list warnings;
    struct check_result_list checks; // of constraints, audits and warnings, as they were evaluated
    struct run_push push;
    const struct run_explanation *explanation; // with the option explain; NULL otherwise
    str run_id;
};

struct run_summary {
    str run_id;
    int64_t ran;
    int64_t skipped; // nothing to do
    int64_t blocked; // not run: an ancestor failed
    int64_t failed;
    int64_t rows;
    int64_t duration_us;
    bool interrupted;
    bool push_failed; // rows were left undelivered: exit status 1
};

struct impact;
struct table_diff;

struct run_events {
    void (*started)(void *self, const struct model *model, size_t number, size_t total);
    void (*finished)(void *self, const struct run_result *result);
    // Fetched so far, for a progress line: now and then, between started and finished, from a
    // thread of its own.
    void (*progress)(void *self, const struct model *model, int64_t pages, int64_t rows);
    // Rows delivered so far, of all that are to go out.
    void (*pushing)(void *self, const struct model *model, int64_t sent, int64_t total);
    // A sandbox run: what it runs against, before anything else; then, at its end, what became of
    // each table.
    void (*forked)(void *self, str source, int64_t snapshot);
    void (*compared)(void *self, const struct table_diff *diff);
    // Of a single target: whom its change reaches.
    void (*impacted)(void *self, const struct model *model, const struct impact *impact);
    // Trouble that is no model's own; `source` names the part ("state", "_gc").
    void (*warning)(void *self, str source, const struct error *err);
    // A file that gives no model and fails the run; NULL: told as a warning.
    void (*failed)(void *self, const struct error *err);
    void *self;
};

enum { RUN_JOBS_MAX = 64 };

struct run_options {
    const struct context *context;
    str project;
    str target; // "", "mart.x", "+mart.x", "mart.x+"
    bool full_refresh;
    bool dry_run;    // plan only: results say what would run
    bool explain;    // with dry_run: and what would be read, by which SQL
    bool keep_going; // run what is outside a cycle
    bool no_destructive;
    bool sandbox; // against a fork of the catalog: nothing is pushed, logged or kept
    struct sandbox_options sandbox_options;
    bool deliver_only; // nothing is materialised or logged: what waits for the sinks goes out
    int64_t lock_timeout_ms;
    int jobs; // models at a time, 1 to RUN_JOBS_MAX
    struct run_events events;
};

MUST_USE enum error_code run_project(const struct run_options *options, struct run_summary *summary,
                                     struct error_list *errors);

#endif
