#ifndef LIB_PUSH_RUN_H
#define LIB_PUSH_RUN_H

// Sending a source of batches: claim, call, outcome (libs.md §7.5).  Internal to the push engine.
//
// The coordinator's loop, for one source:
//
//     claim batches for the workers and a few ahead, unless one touches a row or a key that is in
//     flight; one transaction holds these claims and the outcomes of the answers since the last one
//     → give them to the workers → wait for an answer → work out what became of each row → again
//
// A worker goes on with a batch claimed ahead while the outcome before it is being stored, so that
// neither claim nor fsync stands between two calls.  The price: a kill may repeat up to
// 1 + PUSH_AHEAD batches a worker, each under its own batch_id.  What was claimed ahead and is kept
// from being sent by the stop rule or an interrupt stays in flight in the state, for the next run.
//
// An event whose row or key has an undelivered earlier change is not sent: it becomes a failed row
// that waits ("held"), so that nothing overtakes it.
//
// Killed at any point: what was claimed and has no outcome is sent again by the next run, with the
// same rows and the same batch_id; the rest was never claimed.
//
// Threads: the coordinator's.

#include "lib/push.h"
#include "lib/push_batch.h"
#include "lib/push_call.h"
#include "lib/push_feed.h"
#include "lib/push_worker.h"

#include "state/delivery.h"

enum {
    PUSH_NOTES_MAX = 1000, // kept for messages and JSON
    PUSH_AHEAD = 1,        // batches a worker that are claimed before one is free
};

struct push_run {
    const struct push_request *request;
    struct arena *arena; // the caller's, for the summary
    struct arena memory; // lives as long as the run
    struct arena turn;   // lives until the next state transaction
    struct push_summary *summary;
    struct state_sink sink;
    struct push_table table;
    struct push_cut_rules rules;
    struct push_call *call;    // NULL before the first batch, and with a caller of the request
    struct push_caller caller; // set when there is a pool
    struct push_pool *pool;    // NULL before the first batch, and after the schema changed
    size_t workers;
    size_t in_flight;             // batches in the pool
    struct push_tags flying;      // rows and keys in flight
    struct push_tags blocked;     // rows and keys that must not be overtaken
    struct state_row_list failed; // the failed rows being retried, by id
    int64_t failed_in_a_row;      // whole batches
    int64_t renewed_us;           // when the lease was last renewed, monotonic
    int64_t announced;            // events of all sources so far
    int64_t left;                 // events of the open range that were never claimed
    bool cancelled;
    struct { // since the last transaction; in `turn`
        struct state_outcome *items;
        size_t count;
        size_t capacity;
    } outcomes;
};

struct push_source {
    struct push_batch *single;  // one batch made already; or
    struct push_stream *stream; // batches are cut from it
    bool retry;                 // of failed rows
    int64_t since;
    int64_t until;
};
// Returns when every batch of the source has its outcome stored, or after the stop rule or a cancel
// (see run->summary->stopped, run->cancelled) when nothing is in flight any more.
MUST_USE enum error_code push_run_source(struct push_run *run, struct push_source *source,
                                         struct error *err);
// The columns of `snapshot` are sent from here on.
MUST_USE enum error_code push_run_schema(struct push_run *run, int64_t snapshot, struct error *err);
// finalize() of the lib, when it has one.
MUST_USE enum error_code push_run_finalize(struct push_run *run, struct error *err);
void push_run_done(struct push_run *run);

#endif
