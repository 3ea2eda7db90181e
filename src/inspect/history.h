#ifndef INSPECT_HISTORY_H
#define INSPECT_HISTORY_H

// What ran, when and how it went: the commits of the lake and the run log, as one list.
//
// Neither is enough alone.  A commit tells what wrote data and outlives a lost state store; only
// the run log knows skips, failures, and runs whose snapshots were expired.  A run that is in both
// is one entry.
//
// Ownership: results live in the arena given.  Threads: values.

#include "lake/lake.h"
#include "state/state.h"

struct history_step {
    str name;
    int64_t duration_ms;
    str status;
};

struct history_step_list {
    struct history_step *items;
    size_t count;
    size_t capacity;
};

struct history_run {
    int64_t snapshot; // of the commit; 0: it wrote none
    int64_t started_us;
    str model;
    str kind;
    str run_type;
    str reason;
    str status;  // "ok", "skip", "error"
    str blocked; // the failed ancestor that kept it from running; empty otherwise
    str message; // of a failed run
    int64_t rows;
    int64_t duration_ms;
    str run_id;
    // Only of a commit that is still in the lake:
    struct history_step_list steps;
    str duckdb_version;
    str git_commit;
    str source_file;
};

struct history {
    struct history_run *items; // newest first
    size_t count;
    size_t capacity;
};

// Of one target (in the spelling of its path), or of all when it is empty; `limit` 0: all of them.
// With a limit the commits are looked at only as far back as the entries of the log go.
MUST_USE enum error_code history_read(struct lake_connection *connection, struct state *state,
                                      struct arena *arena, str target, int64_t limit,
                                      struct history *history, struct error *err);

// The newest run of the target in the log, of those that were not blocked; *found is false when
// there is none.
MUST_USE enum error_code history_last_run(struct state *state, struct arena *arena, str target,
                                          bool *found, struct history_run *run, struct error *err);
// Its newest commit that is still in the lake, and the metadata of it.
MUST_USE enum error_code history_last_commit(struct lake_connection *connection,
                                             struct state *state, struct arena *arena, str target,
                                             bool *found, struct history_run *run, str *extra_info,
                                             struct error *err);
// A commit as a run; false when the text is no model's.
bool history_commit_run(struct arena *arena, int64_t snapshot, str extra_info,
                        struct history_run *run);

// What all runs come to, those included that neither the log nor the lake still lists.
struct history_totals {
    int64_t runs;                // skips count, what stood behind a failure does not
    int64_t rows;                // written by all of them
    int64_t succeeded;           // of runs
    int64_t duration_ms_average; // of those that did not skip
    int64_t first_us;            // 0: never
    int64_t last_us;
};
// Of one target, or of all when it is empty.
MUST_USE enum error_code history_totals_read(struct lake_connection *connection,
                                             struct state *state, struct arena *arena, str target,
                                             struct history_totals *totals, struct error *err);

#endif
