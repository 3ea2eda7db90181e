#ifndef LIB_PUSH_STATUS_H
#define LIB_PUSH_STATUS_H

// What push() said, made into one reply an event (libs.md §6.5).  Internal to the push engine.
// Threads: that of the star_thread; the batch belongs to it meanwhile.

#include "lib/push_batch.h"
#include "starlark/starlark.h"

// The class of a status text and, behind its prefix, the message.  `change` matters for not_found.
struct push_reply push_status_parse(struct arena *arena, str status, enum state_change change);
// Fills batch->replies from the value that push() returned in sync mode.
void push_status_read(struct star_thread *thread, struct push_batch *batch, star_value returned);
// Every row failed with the same message.
void push_status_fail(struct push_batch *batch, str message);
// Every row arrived.
void push_status_deliver(struct push_batch *batch);

#endif
