#ifndef RUN_RUN_PROGRESS_H
#define RUN_RUN_PROGRESS_H

// Tells run_events.progress how far a fetch is, while the thread of the run waits inside DuckDB.
//
// Threads: started and stopped by one; the event comes on the ticker's own, never after
// run_ticker_stop.

#include <pthread.h>

#include "lib/fetch.h"
#include "run/run.h"

struct run_ticker {
    const struct run_events *events;
    const struct model *model;
    struct fetch_progress counts; // what the fetch counts in
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; // guards stopping
    pthread_cond_t wake;
    bool stopping;
};

// Does nothing when nobody listens, or when there can be no further thread: it is only for show.
void run_ticker_start(struct run_ticker *ticker, const struct run_events *events,
                      const struct model *model);
void run_ticker_stop(struct run_ticker *ticker);

#endif
