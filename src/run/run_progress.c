#include "run/run_progress.h"

#include <time.h>

enum { TICK_MS = 100 };

static struct timespec next_tick(void) {
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_nsec += TICK_MS * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

static void *tick(void *argument) {
    struct run_ticker *ticker = argument;
    (void)pthread_mutex_lock(&ticker->lock);
    while (!ticker->stopping) {
        const struct timespec at = next_tick();
        (void)pthread_cond_timedwait(&ticker->wake, &ticker->lock, &at);
        const int64_t pages = atomic_load(&ticker->counts.pages);
        if (!ticker->stopping && pages > 0) {
            ticker->events->progress(ticker->events->self, ticker->model, pages,
                                     atomic_load(&ticker->counts.rows));
        }
    }
    (void)pthread_mutex_unlock(&ticker->lock);
    return NULL;
}

void run_ticker_start(struct run_ticker *ticker, const struct run_events *events,
                      const struct model *model) {
    *ticker = (struct run_ticker){.events = events, .model = model};
    if (events->progress == NULL) {
        return;
    }
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&ticker->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&ticker->lock, NULL);
    ticker->started = pthread_create(&ticker->thread, NULL, tick, ticker) == 0;
}

void run_ticker_stop(struct run_ticker *ticker) {
    if (!ticker->started) {
        return;
    }
    (void)pthread_mutex_lock(&ticker->lock);
    ticker->stopping = true;
    (void)pthread_cond_signal(&ticker->wake);
    (void)pthread_mutex_unlock(&ticker->lock);
    (void)pthread_join(ticker->thread, NULL);
    (void)pthread_cond_destroy(&ticker->wake);
    (void)pthread_mutex_destroy(&ticker->lock);
    ticker->started = false;
}
