#ifndef LIB_PUSH_H
#define LIB_PUSH_H

// Delivers the changes of one model's table to its sink: push() of a lib file (libs.md §6, §7).
//
// Called after the model's commit, and also when the model was skipped: whatever is behind the
// sink's watermark, failed in an earlier run, or was in flight when a process died is delivered.
// The lake is the queue: nothing is copied there, and the state store holds only how far the sink
// is and the exceptions (state/delivery.h).
//
// What a newcomer gets wrong: a row that the sink refuses is no error of push_deliver.  It is in
// the summary, and the row waits for the next run.  An error means that delivery itself could not
// go on (state, lake, wrong key); what was claimed is sent again by the next run.
//
// Ownership: everything in the request is borrowed; the summary lives in the arena given.
// Errors: ERROR_IO and ERROR_CONFLICT of the state store, those of reading the lake,
// ERROR_CANCELLED.  The summary is filled in either way.
// Threads: one call, one thread; push() itself runs on threads of its own, at most
// api.push.max_concurrent of them.  `connection` is used by the calling thread alone; it holds
// temporary tables while the call lasts and must not be inside a transaction.

#include "base/context.h"
#include "lib/lib.h"

struct lake_connection;
struct push_caller;
struct state;

enum {
    PUSH_FAILED_BATCHES_MAX = 5, // whole batches failing in a row end a run's delivery
    PUSH_MESSAGES_MAX = 3,       // row messages that are shown
    PUSH_MESSAGE_SIZE = 200,     // bytes of each
};

struct push_request {
    const struct context *context;
    struct lake_connection *connection;
    struct state *state;
    const struct lib_set *libs;
    const struct lib *lib;    // the sink; its module is run only when there is something to send
    struct str_list args;     // of the directive, `${VAR}` expanded; the i-th is api.push.args[i]
    struct modules_data data; // what query() and lookup() of the lib reach
    bool is_concurrent;       // other models run at the same time: printed lines name this one
    str target;               // "sync.hubspot"
    str schema;               // its two parts
    str table;                //
    str kind;                 // "table", "append", "merge", "tracked"
    struct str_list keys;     // merge: the unique key; tracked: the group key; else empty
    bool typed_columns;       // `columns` with types (@push) instead of names (@sink)
    str run_id;               // for the sync log
    bool empty_backfill;      // a backfill left the table empty: finalize(0, 0) is due
    const struct push_caller *caller; // instead of the lib's push(); NULL: that one
    // Events that have an outcome, of all that are to be sent; called on the calling thread after
    // each batch; NULL: not at all.
    void (*progress)(void *self, int64_t sent, int64_t total);
    void *progress_self;
};

// One event that was not simply delivered, for messages, JSON and the sync log.
struct push_note {
    int64_t rowid;
    str change_type;
    int64_t snapshot;
    str keys;    // JSON object of the key columns
    str status;  // "warn", "error", "reject", "gone"
    str message; // redacted
};
struct push_note_list {
    struct push_note *items;
    size_t count;
    size_t capacity;
};

// Lines for _sync_log (libs.md §7.2), one an event sent.
struct push_log_line {
    str sync_key; // "42:insert"
    str status;   // "ok", "warn", "error", "reject"
    str error_message;
    str operation; // what the sink says it did, else the change type
    int64_t synced_us;
};
struct push_log {
    struct push_log_line *items;
    size_t count;
    size_t capacity;
};

struct push_summary {
    int64_t ok; // delivered, without a word
    int64_t warned;
    int64_t failed;   // of this run's attempts
    int64_t rejected; // dead letters made by this run
    int64_t gone;     // pending rows that are not there any more
    int64_t pending;  // undelivered when the call ended, of any run
    int64_t batches;
    int64_t duration_us;
    bool stopped; // after PUSH_FAILED_BATCHES_MAX
    bool busy;    // another process delivers to this sink: nothing was done here
    bool finalize_failed;
    struct push_note_list notes; // errors first come, first kept; see note_count for the rest
    int64_t note_count;
    struct str_list warnings; // of the run: renamed sink, lost state, finalize, …
    struct push_log log;
    int64_t watermark; // after the call; -1: none
    int64_t busy_pid;  // who delivers, when busy
};

MUST_USE enum error_code push_deliver(const struct push_request *request, struct arena *arena,
                                      struct push_summary *summary, struct error *err);

// Whether the process must end with status 1 (libs.md §6.8).
bool push_failed(const struct push_summary *summary);
// "push hubspot: 14 ok, 1 warning, 2 failed (pending), 1 rejected"
str push_summary_line(struct arena *arena, str sink, const struct push_summary *summary);
// At most PUSH_MESSAGES_MAX lines for people, and "+N more".
struct str_list push_messages(struct arena *arena, str sink, const struct push_summary *summary);
// {sink, ok, warned, failed, rejected, pending, duration_ms, errors:[…]}
str push_summary_json(struct arena *arena, str sink, const struct push_summary *summary);

// Copies of all watermarks of `target` (of every target when it is empty) for a commit's extra
// info: a JSON array [{"target","sink","args","delivered"}].
MUST_USE enum error_code push_watermarks_json(struct state *state, struct arena *arena, str target,
                                              str *json, struct error *err);
// Writes the lines into the lake's `_sync_log` (made when it is missing), one insert for all.  Call
// it inside a transaction of the writing connection.
MUST_USE enum error_code push_log_write(struct lake_connection *connection, str target,
                                        str batch_mode, str run_id, const struct push_log *log,
                                        struct error *err);
// What would go out now: what a sandbox run says instead of delivering, and what `push status`
// shows.  Changes nothing; the state may be read-only.
struct push_preview {
    int64_t inserts; // of the open range's rest and of what is behind the watermark
    int64_t updates;
    int64_t deletes;
    int64_t in_flight; // rows claimed by a process that has not answered for them
    int64_t retries;   // failed rows
};
MUST_USE enum error_code push_preview(const struct push_request *request,
                                      struct push_preview *preview, struct error *err);
int64_t push_preview_total(const struct push_preview *preview);
// "would push 12 rows (9 inserts, 2 updates, 1 deletes) to hubspot"
str push_preview_line(struct arena *arena, str sink, const struct push_preview *preview);
// {sink, would_push, inserts, updates, deletes, waiting}
str push_preview_json(struct arena *arena, str sink, const struct push_preview *preview);

// ── Mending (libs.md §7.6) ── by a process that holds the run lock.  ERROR_CONFLICT: the sink is
// in delivery.  ERROR_NOT_FOUND: the model has no table yet.

// The next delivery sends the changes since snapshot `from` again, or every current row as insert
// when it is STATE_NO_SNAPSHOT.  What was never delivered goes with it, also when it is older than
// `from`.  ERROR_INVALID for a snapshot that is not in the lake or too old.
MUST_USE enum error_code push_rewind(const struct push_request *request, int64_t from,
                                     struct error *err);
// Forgets failed rows, batches and jobs: everything up to now counts as delivered.  *dropped: how
// many rows were pending.  Dead letters stay.
MUST_USE enum error_code push_reset(const struct push_request *request, int64_t *dropped,
                                    struct error *err);
// Before snapshots are expired: what the sink was not sent yet is moved from the lake's history
// into the state, with the values that the current table does not have.  ERROR_CONFLICT: the sink
// is in delivery, or has a job open.
MUST_USE enum error_code push_keep(const struct push_request *request, struct error *err);
// Sinks of the target that its model does not name any more are deleted, each with a warning that
// tells how many rows were pending for it.
MUST_USE enum error_code push_forget_others(struct state *state, struct arena *arena, str target,
                                            str sink, const struct str_list *args,
                                            struct str_list *warnings, struct error *err);

#endif
