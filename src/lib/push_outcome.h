#ifndef LIB_PUSH_OUTCOME_H
#define LIB_PUSH_OUTCOME_H

// What becomes of each row of an answered batch (libs.md §6.5).  Internal to the push engine.

#include "lib/push_run.h"

// The failed row that an event retries; NULL for an event of a range.
const struct state_row *push_failed_row(const struct push_run *run, int64_t failed_id);
// An event that was never sent, as a failed row that waits.
struct state_row push_held_row(struct push_run *run, const struct push_batch *batch,
                               const struct push_event *event);
// Counts and notes a failed row that is given up, as its values are in no snapshot any more.
void push_outcome_expired(struct push_run *run, const struct state_row *row);
// Adds the outcome of the batch to run->outcomes, and its rows to summary and log.
void push_outcome_add(struct push_run *run, const struct push_batch *batch);

#endif
