#include "lib/push_worker.h"

#include "base/context.h"
#include "base/interrupt.h"
#include "lib/push_status.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct push_pool {
    struct arena arena;
    struct push_caller caller;        // any thread: these two never change after start
    struct push_pool_options options; //
    pthread_t *threads;
    size_t thread_count;
    pthread_mutex_t lock;
    pthread_cond_t work;   // there is a batch to call, or the end
    pthread_cond_t answer; // there is an answered batch
    struct {               // any thread, under `lock`
        struct push_batch **waiting;
        size_t waiting_count;
        struct push_batch **answered;
        size_t answered_count;
        int64_t failed_in_a_row; // whole batches
        bool stopping;
    } shared;
};

// ── Threads ──

// The lock is held.
static bool may_begin(const struct push_pool *pool) {
    return pool->shared.waiting_count > 0 &&
           pool->shared.failed_in_a_row < pool->options.failed_max &&
           !interrupt_is_raised(pool->options.interrupt);
}

static struct push_batch *next_batch(struct push_pool *pool) {
    struct push_batch *batch = NULL;
    pthread_mutex_lock(&pool->lock);
    while (!may_begin(pool) && !pool->shared.stopping) {
        pthread_cond_wait(&pool->work, &pool->lock);
    }
    if (!pool->shared.stopping) { // in the order of pool_start
        batch = pool->shared.waiting[0];
        pool->shared.waiting_count--;
        for (size_t i = 0; i < pool->shared.waiting_count; i++) {
            pool->shared.waiting[i] = pool->shared.waiting[i + 1];
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return batch;
}

static void answer_batch(struct push_pool *pool, struct push_batch *batch) {
    pthread_mutex_lock(&pool->lock);
    pool->shared.failed_in_a_row = batch->failed_whole ? pool->shared.failed_in_a_row + 1 : 0;
    pool->shared.answered[pool->shared.answered_count++] = batch;
    pthread_cond_signal(&pool->answer);
    pthread_mutex_unlock(&pool->lock);
}

static void *worker_main(void *argument) {
    struct push_pool *pool = argument;
    const struct push_caller *caller = &pool->caller;
    struct error err = {0};
    void *worker = NULL;
    const enum error_code code = caller->open(caller->self, &worker, &err);
    for (struct push_batch *batch = next_batch(pool); batch != NULL; batch = next_batch(pool)) {
        if (code == ERROR_NONE) {
            caller->call(worker, batch);
        } else {
            push_status_fail(batch, str_from(err.message));
        }
        crash_point("CP_PUSH_CALLED");
        answer_batch(pool, batch);
    }
    if (code == ERROR_NONE) {
        caller->close(worker);
    }
    return NULL;
}

static void init_condition(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

enum error_code pool_new(const struct push_caller *caller, const struct push_pool_options *options,
                         struct push_pool **out, struct error *err) {
    struct push_pool *pool = memory_alloc(sizeof(*pool));
    *pool = (struct push_pool){.caller = *caller, .options = *options};
    arena_init(&pool->arena);
    pool->threads = ARENA_ARRAY(&pool->arena, pthread_t, options->workers);
    pool->shared.waiting = ARENA_ARRAY(&pool->arena, struct push_batch *, options->capacity);
    pool->shared.answered = ARENA_ARRAY(&pool->arena, struct push_batch *, options->capacity);
    pool->shared.failed_in_a_row = options->failed_before;
    pthread_mutex_init(&pool->lock, NULL);
    init_condition(&pool->work);
    init_condition(&pool->answer);
    for (; pool->thread_count < options->workers; pool->thread_count++) {
        if (pthread_create(&pool->threads[pool->thread_count], NULL, worker_main, pool) != 0) {
            break;
        }
    }
    if (pool->thread_count == 0) {
        pool_free(pool);
        return error_set(err, ERROR_LIMIT, "no thread could be started");
    }
    *out = pool;
    return ERROR_NONE;
}

void pool_free(struct push_pool *pool) {
    if (pool == NULL) {
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->shared.stopping = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->thread_count; i++) {
        pthread_join(pool->threads[i], NULL);
    }
    (void)pool_recall(pool);
    for (size_t i = 0; i < pool->shared.answered_count; i++) {
        push_batch_free(pool->shared.answered[i]);
    }
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->answer);
    pthread_mutex_destroy(&pool->lock);
    arena_done(&pool->arena);
    free(pool);
}

void pool_start(struct push_pool *pool, struct push_batch *batch) {
    pthread_mutex_lock(&pool->lock);
    pool->shared.waiting[pool->shared.waiting_count++] = batch;
    pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);
}

static struct push_batch *take_answer(struct push_pool *pool) {
    if (pool->shared.answered_count == 0) {
        return NULL;
    }
    struct push_batch *batch = pool->shared.answered[0];
    pool->shared.answered_count--;
    for (size_t i = 0; i < pool->shared.answered_count; i++) {
        pool->shared.answered[i] = pool->shared.answered[i + 1];
    }
    return batch;
}

struct push_batch *pool_wait(struct push_pool *pool, int64_t timeout_us) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    const int64_t ns = until.tv_nsec + timeout_us * 1000;
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    pthread_mutex_lock(&pool->lock);
    int status = 0;
    while (pool->shared.answered_count == 0 && status != ETIMEDOUT) {
        status = pthread_cond_timedwait(&pool->answer, &pool->lock, &until);
    }
    struct push_batch *batch = take_answer(pool);
    pthread_mutex_unlock(&pool->lock);
    return batch;
}

struct push_batch *pool_poll(struct push_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    struct push_batch *batch = take_answer(pool);
    pthread_mutex_unlock(&pool->lock);
    return batch;
}

size_t pool_recall(struct push_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    const size_t count = pool->shared.waiting_count;
    for (size_t i = 0; i < count; i++) {
        push_batch_free(pool->shared.waiting[i]);
    }
    pool->shared.waiting_count = 0;
    pthread_mutex_unlock(&pool->lock);
    return count;
}
