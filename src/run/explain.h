#ifndef RUN_EXPLAIN_H
#define RUN_EXPLAIN_H

// What a run would read of a model's sources, and by which SQL: for `run --explain`.
//
// The same decision that a run makes (delta.h), on the lake as it is now; nothing is executed but
// the counting of changed rows.
// Ownership: everything lives in the arena given.  Threads: that of the connection.

#include "run/delta.h"
#include "run/run.h"

struct run_explained_source {
    str name;
    bool has_changes; // since the base
    int64_t added;    // rows; -1: not counted
    int64_t removed;
    bool would_run; // a model that this run would write first
};

struct run_explanation {
    int64_t base; // snapshot; 0: none
    int64_t now;
    struct run_explained_source *sources;
    size_t source_count;
    str shape;
    str reason;            // why it is read in full; empty
    struct str_list files; // local files it reads
    struct str_list statements;
};

// Explains the step, whose type is decided.
MUST_USE enum error_code run_explain(struct runner *runner, struct plan_step *step,
                                     struct arena *arena, struct run_explanation **explanation,
                                     struct error *err);

#endif
