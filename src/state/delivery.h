#ifndef STATE_DELIVERY_H
#define STATE_DELIVERY_H

// Delivery state of sinks: how far each one is, and the exceptions (design D6, libs.md §7).
//
// A sink is (target, lib, arguments).  What it holds:
//   watermark   every change of the lake up to this snapshot is decided
//   open range  (from, to] is being delivered; `position` events of its ordered stream are claimed
//   batches     claimed but undecided; with exact bounds, so that they can be sent again unchanged
//   failed rows undelivered events of decided ranges, to be sent in a later run
//   dead rows   given up: rejected, attempts used up, or history lost
//   joined rows row ids of the open range whose events were folded into failed rows
//
// Invariants: a range is closed only when its position is at the end and no batch is in flight; a
// failed row never stands for an event of an undecided batch; an event is in exactly one of:
// behind the watermark, ahead of the position, in a batch, failed, dead.
// One process at a time delivers to a sink: it holds the sink's lease.  Each change names the epoch
// it was made under; ERROR_CONFLICT means that somebody else took the sink over: send nothing more.
//
// Ownership, errors, threads: as state.h.

#include "state/state.h"

enum {
    STATE_LEASE_MS = 60000,       // void after this long without renewal
    STATE_LEASE_RENEW_MS = 10000, // how often the owner renews
};
#define STATE_NO_SNAPSHOT (-1)

enum state_change {
    STATE_CHANGE_DELETE, // in the order of delivery within one snapshot
    STATE_CHANGE_UPDATE_PREIMAGE,
    STATE_CHANGE_UPDATE_POSTIMAGE,
    STATE_CHANGE_INSERT,
};
// "delete", "update_preimage", …: DuckLake's own names.
str state_change_name(enum state_change change);

// Which process: a pid alone may be used again, so its start time is kept with it.
struct state_owner {
    str host;
    int64_t pid;        // 0: nobody
    int64_t start_time; // clock ticks after boot, from /proc
};
// This process.
struct state_owner state_owner_self(struct arena *arena);

struct state_sink_key {
    str target; // "sync.hubspot", found in any letter case (models.md §1.1)
    str sink;   // lib name
    str args;   // JSON array of the directive's arguments, "[]" when there are none
};

struct state_sink {
    int64_t id;
    struct state_sink_key key;
    int64_t table_id;  // identity of the lake table the state speaks of; STATE_NO_SNAPSHOT when not
                       // known
    int64_t watermark; // STATE_NO_SNAPSHOT: nothing was ever delivered
    bool range_open;
    int64_t range_from; // STATE_NO_SNAPSHOT: every row of range_to is an insert
    int64_t range_to;
    int64_t position; // events of the range's stream that are claimed or decided
    struct state_owner owner;
    int64_t lease_until_us; // wall clock
    int64_t epoch;          // grows with each change of owner
    int64_t in_flight;      // batches
    int64_t failed;         // rows
    int64_t dead;           // rows
};
struct state_sink_list {
    struct state_sink *items;
    size_t count;
    size_t capacity;
};

// All sinks of `target`, or of every target when it is empty; by target and lib.
MUST_USE enum error_code state_sink_list(struct state *state, struct arena *arena, str target,
                                         struct state_sink_list *sinks, struct error *err);
MUST_USE enum error_code state_sink_find(struct state *state, struct arena *arena,
                                         const struct state_sink_key *key, bool *found,
                                         struct state_sink *sink, struct error *err);

// Takes the sink for delivery and makes it when it is new (watermark STATE_NO_SNAPSHOT).  A sink of
// a live owner is not taken: *taken is false and sink->owner says whose it is.  An owner is dead
// when it ran on this host and its process is gone, or when its lease ran out.
MUST_USE enum error_code state_sink_take(struct state *state, struct arena *arena,
                                         const struct state_sink_key *key,
                                         const struct state_owner *owner, bool *taken,
                                         struct state_sink *sink, struct error *err);
// Extends the lease.  ERROR_CONFLICT: taken over.
MUST_USE enum error_code state_sink_renew(struct state *state, const struct state_sink *sink,
                                          struct error *err);
// Gives the lease back; the next run need not wait for anything.
MUST_USE enum error_code state_sink_release(struct state *state, const struct state_sink *sink,
                                            struct error *err);

// Sets watermark and table id of a sink that starts from elsewhere: the copy in a commit, an
// import. Updates *sink.
MUST_USE enum error_code state_sink_start(struct state *state, struct state_sink *sink,
                                          int64_t watermark, int64_t table_id, struct error *err);
// Forgets range, batches and failed rows (dead rows stay), then as state_sink_start.  *dropped: how
// many failed rows and rows of batches were pending.
MUST_USE enum error_code state_sink_reset(struct state *state, struct state_sink *sink,
                                          int64_t watermark, int64_t table_id, int64_t *dropped,
                                          struct error *err);
// Begins again with every row as an insert, as the history the range needs is gone: forgets range
// and batches and keeps the failed rows.  *dropped: how many rows of batches were in flight.
MUST_USE enum error_code state_sink_restart(struct state *state, struct state_sink *sink,
                                            int64_t *dropped, struct error *err);
// Deletes a sink that no model has any more, with all its rows.
MUST_USE enum error_code state_sink_delete(struct state *state, int64_t sink_id, struct error *err);

// An event that could not be delivered, or was given up.
struct state_row {
    int64_t id; // of the store; 0: new
    int64_t rowid;
    enum state_change change;
    int64_t snapshot; // the last snapshot the event stands for
    int64_t since;    // the range it came from began after this one; STATE_NO_SNAPSHOT: full sync
    str keys;         // JSON object of the key columns, "{}" when there are none
    int64_t attempts; // failed deliveries, one a run
    int64_t first_us; // first failure
    int64_t last_us;
    str message;
    str image;    // the row as JSON (decrypted); empty: read it from the lake
    str batch_id; // the retry batch it is in; empty: none
    // The sink may hold the row although its delivery failed: nothing was heard of it.  Once set it
    // stays.
    bool may_have_arrived;
};
struct state_row_list {
    struct state_row *items;
    size_t count;
    size_t capacity;
};

// Failed rows in delivery order (snapshot, change, rowid).
MUST_USE enum error_code state_failed_list(struct state *state, struct arena *arena,
                                           int64_t sink_id, struct state_row_list *rows,
                                           struct error *err);
MUST_USE enum error_code state_dead_list(struct state *state, struct arena *arena, int64_t sink_id,
                                         struct state_row_list *rows, struct error *err);
// Stores images of failed rows (by id), for rows whose history is about to expire.
MUST_USE enum error_code state_failed_keep_images(struct state *state, const struct state_row *rows,
                                                  size_t count, struct error *err);
// Dead rows back to failed rows with 0 attempts, or away.  *count: how many.
MUST_USE enum error_code state_dead_requeue(struct state *state, int64_t sink_id, int64_t *count,
                                            struct error *err);
MUST_USE enum error_code state_dead_drop(struct state *state, int64_t sink_id, int64_t *count,
                                         struct error *err);

// Opens (from, to] at position 0.  In the same transaction the failed rows `changed` (id set) are
// updated in change, snapshot and since or (id 0) added, `removed` are deleted, and `joined` are
// noted: their events in the range are not to be sent, as failed rows stand for them now.
struct state_range_open {
    int64_t from;
    int64_t to;
    int64_t table_id;
    const struct state_row *changed;
    size_t changed_count;
    const int64_t *removed; // ids
    size_t removed_count;
    const int64_t *joined; // row ids
    size_t joined_count;
};
MUST_USE enum error_code state_range_open(struct state *state, struct state_sink *sink,
                                          const struct state_range_open *range, struct error *err);
MUST_USE enum error_code state_joined_list(struct state *state, struct arena *arena,
                                           int64_t sink_id, int64_t **rowids, size_t *count,
                                           struct error *err);
// The watermark becomes range_to.  A batch in flight is a bug of the caller (ERROR_INTERNAL).
MUST_USE enum error_code state_range_close(struct state *state, struct state_sink *sink,
                                           struct error *err);

// A batch between claim and outcome.
struct state_batch {
    str batch_id;
    bool retry;       // made of failed rows (those with this batch_id), read as of `until`
    int64_t first;    // events [first, last) of the open range's stream …
    int64_t last;     //
    str skipped;      // … without these, "3,17": indexes in the stream, ascending
    int64_t since;    // range_from, or STATE_NO_SNAPSHOT for a retry
    int64_t until;    // range_to, or the snapshot a retry was read at
    int64_t rows;     // how many are sent
    int64_t epoch;    // of the owner who claimed it
    str job_ref;      // JSON (decrypted) of an asynchronous job; empty: none
    int64_t job_us;   // when it was submitted
    int64_t job_runs; // runs that ended without it being done
};
struct state_batch_list {
    struct state_batch *items;
    size_t count;
    size_t capacity;
};
// In the order they were claimed.
MUST_USE enum error_code state_batch_list(struct state *state, struct arena *arena, int64_t sink_id,
                                          struct state_batch_list *batches, struct error *err);
// A job was submitted for the batch.
MUST_USE enum error_code state_batch_job(struct state *state, const struct state_sink *sink,
                                         str batch_id, str job_ref, int64_t submitted_us,
                                         int64_t job_runs, struct error *err);

// What became of one batch.
struct state_outcome {
    str batch_id;             // empty: of no batch (rows that are gone)
    const int64_t *delivered; // ids of failed rows that have arrived, or are gone
    size_t delivered_count;
    const struct state_row *failed; // id set: again; 0: for the first time
    size_t failed_count;
    const struct state_row *dead; // with image; id set: was a failed row
    size_t dead_count;
};
// What is claimed next.  With batch.rows 0 all its events are held: there is no batch, only the
// position moves.
struct state_claim {
    struct state_batch batch;
    const int64_t *retried; // ids of the failed rows in a retry batch
    size_t retried_count;
    const struct state_row *held; // events in the bounds that wait for an earlier one: now failed
    size_t held_count;
};
// One transaction for any number of batches: outcomes first, then claims.  The sink's position
// moves to the greatest `last` claimed.  ERROR_CONFLICT when the epoch is not the sink's any more;
// nothing is changed then.
MUST_USE enum error_code state_delivery_commit(struct state *state, struct state_sink *sink,
                                               const struct state_outcome *outcomes,
                                               size_t outcome_count,
                                               const struct state_claim *claims, size_t claim_count,
                                               struct error *err);

#endif
