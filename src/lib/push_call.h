#ifndef LIB_PUSH_CALL_H
#define LIB_PUSH_CALL_H

// Calling push() of a lib: rows and other arguments in, statuses out.  Internal to the push engine.
//
// Threads: made, given its table and freed by the coordinator while no worker runs; its caller's
// functions come from the workers.

#include "lib/push.h"
#include "lib/push_feed.h"
#include "lib/push_worker.h"

struct push_call;

// Runs the lib's top level.
MUST_USE enum error_code push_call_new(const struct push_request *request, struct push_call **call,
                                       struct error *err);
void push_call_free(struct push_call *call); // takes NULL
// The rows are of this table from now on.  Borrows it.
void push_call_table(struct push_call *call, const struct push_table *table);
struct push_caller push_caller_of_lib(struct push_call *call);

#endif
