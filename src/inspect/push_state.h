#ifndef INSPECT_PUSH_STATE_H
#define INSPECT_PUSH_STATE_H

// Where the sinks of a project stand: for `coypu push status`, and mending by hand (libs.md §7.6).
//
// Ownership: everything lives in the inspection's arena.  Threads: one.

#include "inspect/facts.h"
#include "lib/push.h"

struct push_state {
    str target;
    str sink;
    str args;                  // JSON array
    const struct model *model; // NULL: no model has this sink any more
    struct fact_sink stored;
    bool has_preview; // false: no model, no lib, or no lake to count in
    struct push_preview preview;
};

struct push_state_list {
    struct push_state *items;
    size_t count;
    size_t capacity;
    int64_t current_snapshot;
};

// Of one target, or of all when it is empty; by target.
MUST_USE enum error_code push_state_read(struct inspection *inspection, str target,
                                         struct push_state_list *list, struct error *err);

// The request for the model's sink; ERROR_INVALID "x has no sink".
MUST_USE enum error_code push_state_request(struct inspection *inspection,
                                            const struct model *model, struct push_request *request,
                                            struct error *err);

#endif
