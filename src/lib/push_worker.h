#ifndef LIB_PUSH_WORKER_H
#define LIB_PUSH_WORKER_H

// The threads that call a sink, and what they call.  Internal to the push engine.
//
// Ownership: a batch given to pool_start belongs to a worker until pool_wait hands it back with its
// replies.
// Threads: the functions are called by the coordinator alone.

#include "base/error.h"
#include "lib/push_batch.h"

// A sink as the engine sees it.  push() of a lib is one (push_call.h).
struct push_caller {
    // On the worker's own thread; *worker is what `call` and `close` get.
    enum error_code (*open)(void *self, void **worker, struct error *err);
    void (*close)(void *worker);
    // Sends the batch and fills its replies; never fails (push_status_fail).
    void (*call)(void *worker, struct push_batch *batch);
    // After the last batch, on the coordinator's thread.
    enum error_code (*finalize)(void *self, int64_t succeeded, int64_t failed, struct error *err);
    void *self;
};

struct push_pool;
struct interrupt;

struct push_pool_options {
    size_t workers;
    size_t capacity; // batches that may be inside at once: waiting, running, answered
    // No waiting batch is begun any more after so many failed ones in a row, or once interrupted:
    // the rule holds even while the coordinator is busy storing outcomes.
    int64_t failed_max;
    int64_t failed_before;             // in a row, by an earlier pool
    const struct interrupt *interrupt; // NULL: never
};

// `workers` threads, each with a worker of the caller.
MUST_USE enum error_code pool_new(const struct push_caller *caller,
                                  const struct push_pool_options *options, struct push_pool **pool,
                                  struct error *err);
// Waits for the running calls; batches still inside are freed.
void pool_free(struct push_pool *pool); // takes NULL
void pool_start(struct push_pool *pool, struct push_batch *batch);
// An answered batch, or NULL when none came within `timeout_us`.
struct push_batch *pool_wait(struct push_pool *pool, int64_t timeout_us);
// An answered batch that is there already; else NULL.
struct push_batch *pool_poll(struct push_pool *pool);
// Frees the batches that no worker has begun; how many there were.
size_t pool_recall(struct push_pool *pool);

#endif
