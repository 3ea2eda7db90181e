// Every request takes a place: place i may start one period after the server surely saw place i-N.
// The places are kept in a ring with room for the N that count and for all who may wait:
//
//   reserved   `time_us` is when its owner may start, reckoned from the start of place i-N
//   done       `time_us` is when the server had surely seen the request; owners of the places
//              i+N, i+2N, … who still sleep move on accordingly and sleep once more
//
// A request that hangs longer than a period does not hold up the others: it is taken as seen at its
// start, which is when almost all are.
#include "http/rate_limit.h"

#include "base/arena.h"
#include "base/context.h"

#include <pthread.h>
#include <stdlib.h>

enum { WAITERS_MAX = 4096 }; // threads that may wait at one time; a place is not reused before

struct place {
    int64_t time_us;
};

struct rate_limit {
    int64_t requests; // never changes
    int64_t period_us;
    int64_t capacity; // places in the ring
    pthread_mutex_t lock;
    struct { // any thread, under `lock`
        struct place *places;
        int64_t next_ticket;
        int64_t last_start_us;
    } shared;
};

struct rate_limit *rate_limit_new(int64_t requests, int64_t period_us) {
    // More places than this are no limit anyone could measure, but memory that a typing error
    // takes.
    enum { PLACES_MAX = 1 << 20 };
    struct rate_limit *limit = memory_alloc(sizeof(*limit));
    *limit = (struct rate_limit){.requests = requests > PLACES_MAX ? PLACES_MAX : requests,
                                 .period_us = period_us};
    limit->capacity = limit->requests + WAITERS_MAX;
    limit->shared.places = memory_alloc((size_t)limit->capacity * sizeof(struct place));
    (void)pthread_mutex_init(&limit->lock, NULL);
    return limit;
}

void rate_limit_free(struct rate_limit *limit) {
    if (limit == NULL) {
        return;
    }
    (void)pthread_mutex_destroy(&limit->lock);
    free(limit->shared.places);
    free(limit);
}

static struct place *place_of(struct rate_limit *limit, int64_t ticket) {
    return &limit->shared.places[ticket % limit->capacity];
}

// First come, first served: nobody's start is before that of who asked earlier.
static int64_t reserve(struct rate_limit *limit, int64_t now_us) {
    (void)pthread_mutex_lock(&limit->lock);
    const int64_t ticket = limit->shared.next_ticket++;
    int64_t start_us = now_us;
    if (ticket >= limit->requests) {
        const int64_t free_us = place_of(limit, ticket - limit->requests)->time_us;
        start_us = free_us + limit->period_us > start_us ? free_us + limit->period_us : start_us;
    }
    if (start_us < limit->shared.last_start_us) {
        start_us = limit->shared.last_start_us;
    }
    limit->shared.last_start_us = start_us;
    place_of(limit, ticket)->time_us = start_us;
    (void)pthread_mutex_unlock(&limit->lock);
    return ticket;
}

// How long the owner of `ticket` must still wait.
static int64_t wait_left_us(struct rate_limit *limit, int64_t ticket, int64_t now_us) {
    (void)pthread_mutex_lock(&limit->lock);
    const int64_t left_us = place_of(limit, ticket)->time_us - now_us;
    (void)pthread_mutex_unlock(&limit->lock);
    return left_us > 0 ? left_us : 0;
}

enum error_code rate_limit_wait(struct rate_limit *limit, const struct context *context,
                                int64_t *ticket, struct error *err) {
    *ticket = -1;
    if (limit == NULL) {
        return ERROR_NONE;
    }
    *ticket = reserve(limit, clock_monotonic_us(&context->clock));
    for (;;) {
        const int64_t left_us = wait_left_us(limit, *ticket, clock_monotonic_us(&context->clock));
        if (left_us == 0) {
            return ERROR_NONE;
        }
        TRY(clock_sleep_us(&context->clock, left_us, context->interrupt, err));
    }
}

void rate_limit_done(struct rate_limit *limit, const struct context *context, int64_t ticket) {
    if (limit == NULL || ticket < 0) {
        return;
    }
    const int64_t now_us = clock_monotonic_us(&context->clock);
    (void)pthread_mutex_lock(&limit->lock);
    place_of(limit, ticket)->time_us = now_us;
    int64_t free_us = now_us + limit->period_us;
    for (int64_t next = ticket + limit->requests; next < limit->shared.next_ticket;
         next += limit->requests) {
        struct place *place = place_of(limit, next);
        if (place->time_us <= now_us || place->time_us >= free_us) {
            break; // under way already, or late enough
        }
        place->time_us = free_us;
        limit->shared.last_start_us =
            free_us > limit->shared.last_start_us ? free_us : limit->shared.last_start_us;
        free_us += limit->period_us;
    }
    (void)pthread_mutex_unlock(&limit->lock);
}
