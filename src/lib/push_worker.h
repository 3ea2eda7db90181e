#ifndef LIB_PUSH_WORKER_H
#define LIB_PUSH_WORKER_H

// The threads that call push(): each has its own interpreter and HTTP connections over one frozen
// module.  Internal to the push engine.
//
// Ownership: a batch given to pool_start belongs to a worker until pool_wait hands it back with its
// replies.
// Threads: the functions are called by the coordinator alone; context->interrupt ends the waiting.

#include "lib/push.h"
#include "lib/push_batch.h"
#include "lib/push_feed.h"

struct push_pool;

struct push_pool_options {
    const struct push_request *request;
    const struct push_table *table; // columns of the rows
    struct lib_instance *instance;  // borrowed
    size_t workers;
};
MUST_USE enum error_code pool_new(const struct push_pool_options *options, struct push_pool **pool,
                                  struct error *err);
// Waits for the running calls; batches still inside are freed.
void pool_free(struct push_pool *pool); // takes NULL
void pool_start(struct push_pool *pool, struct push_batch *batch);
// An answered batch, or NULL when none came within `timeout_us`.
struct push_batch *pool_wait(struct push_pool *pool, int64_t timeout_us);
// An answered batch that is there already; else NULL.
struct push_batch *pool_poll(struct push_pool *pool);
// Calls finalize(succeeded, failed) on the calling thread.
MUST_USE enum error_code pool_finalize(struct push_pool *pool, int64_t succeeded, int64_t failed,
                                       struct error *err);

#endif
