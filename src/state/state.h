#ifndef STATE_STATE_H
#define STATE_STATE_H

// The state store: what a project must remember between runs and the lake does not hold (design
// D7).
//
// Today's backend is one SQLite file; the functions say nothing of it, so that another database can
// stand behind them.  Delivery state is in state/delivery.h, secrets in state/secret.h, the run log
// here.
//
// The store opens itself at the first call that needs it; making the handle touches nothing.  A
// read-only store whose file does not exist answers every question with "nothing".
// Ownership: the store copies its options; results live in the arena given.
// Errors: ERROR_IO when the file cannot be read or written, ERROR_INVALID for a wrong key, a state
// of a newer version or an unreadable config/state.sql, ERROR_CONFLICT when another process kept
// the file busy for STATE_BUSY_TIMEOUT_MS. Threads: any; a lock inside lets one operation run at a
// time.  Every operation is one transaction.

#include "base/context.h"
#include "base/error.h"
#include "base/str.h"

struct arena;
struct state;

enum {
    STATE_SCHEMA_VERSION = 5,
    STATE_BUSY_TIMEOUT_MS = 10000,
};

struct state_options {
    const struct context *context;
    str project;    // root folder, absolute
    bool read_only; // never creates or changes anything
};

struct state *state_new(const struct state_options *options);
void state_free(struct state *state); // NULL is fine

// Opens the store now, to learn early whether it can be used and whether the key is right.
MUST_USE enum error_code state_open(struct state *state, struct error *err);
// Where the store lies or will lie, for messages: a path.  Opens nothing.
MUST_USE enum error_code state_location(struct state *state, struct arena *arena, str *location,
                                        struct error *err);

// One entry of the run log (models.md §10.2): also runs that wrote nothing, and failed ones.  A
// target is found in any letter case, as it is in the lake (models.md §1.1).
struct state_run {
    int64_t id;       // set by the store; grows with time
    str run_id;       // one per command, "20240102-030405-a1b2c3"
    str target;       // "mart.customers"
    str kind;         // "table", "merge", …
    str run_type;     // "backfill", "incremental", "full", "skip", …
    str reason;       // why this type
    str status;       // "ok", "skip", "failed", "blocked"; "ok" and "skip" count as success
    str rule;         // public error code of a failed run
    str message;      // error text of a failed run, redacted by the caller; of a blocked one the
                      // ancestor that failed
    str metadata;     // JSON object, or empty
    int64_t rows;     // rows written
    int64_t snapshot; // of the commit; 0 when there was none
    int64_t started_us;
    int64_t ended_us;
};
struct state_run_list {
    struct state_run *items;
    size_t count;
    size_t capacity;
};

// Of one target the log keeps its newest entries, at least so many, and its newest success.
enum { STATE_RUNS_KEPT = 1000 };

// Adds `count` entries in one transaction.
MUST_USE enum error_code state_run_add(struct state *state, const struct state_run *runs,
                                       size_t count, struct error *err);
// Newest first; all targets when `target` is empty; `limit` 0 is no limit.
MUST_USE enum error_code state_run_history(struct state *state, struct arena *arena, str target,
                                           int64_t limit, struct state_run_list *runs,
                                           struct error *err);
// Start of the newest successful run of `target`, written anything or not; false: none.
MUST_USE enum error_code state_run_last_success(struct state *state, str target, bool *found,
                                                int64_t *started_us, struct error *err);
// What all runs of a target come to, also those whose entries the log no longer keeps.  What stood
// behind a failure (status "blocked") did not run and does not count.
struct state_run_total {
    str target;
    int64_t runs;
    int64_t rows;
    int64_t succeeded;
    int64_t timed;    // those that did not skip, and
    int64_t timed_us; // how long they took
    int64_t first_us; // start of the first one
    int64_t last_us;
};
struct state_run_total_list {
    struct state_run_total *items;
    size_t count;
    size_t capacity;
};
// By target; of all when `target` is empty.
MUST_USE enum error_code state_run_totals(struct state *state, struct arena *arena, str target,
                                          struct state_run_total_list *totals, struct error *err);
// The newest run of the target that was not blocked, and the newest that made a snapshot; an id of
// 0: none is in the log.
MUST_USE enum error_code state_run_last(struct state *state, struct arena *arena, str target,
                                        struct state_run *run, struct error *err);
MUST_USE enum error_code state_run_last_commit(struct state *state, struct arena *arena, str target,
                                               struct state_run *run, struct error *err);

// ── Copies of commits ──
// The metadata of a model's last commit, kept before its snapshot is expired: the run log's word
// for what the lake has forgotten (models.md §14).
struct state_kept_commit {
    str target;
    int64_t table_id;      // identity of the lake table it wrote
    int64_t snapshot;      // of the commit
    int64_t read_snapshot; // how far its inputs were known to be seen; at least the commit's own
    str extra_info;        // JSON object, as it stood in the commit
};
struct state_kept_list {
    struct state_kept_commit *items;
    size_t count;
    size_t capacity;
};
// Replaces what was kept of these targets, in one transaction.
MUST_USE enum error_code state_kept_write(struct state *state,
                                          const struct state_kept_commit *commits, size_t count,
                                          struct error *err);
MUST_USE enum error_code state_kept_read(struct state *state, struct arena *arena,
                                         struct state_kept_list *commits, struct error *err);

#endif
