#ifndef LIB_FETCH_PRIVATE_H
#define LIB_FETCH_PRIVATE_H

// The whole fetch of one model, and whose calls the statements of a connection mean: shared by the
// files that make up fetch.h.

#include <pthread.h>
#include <stdatomic.h>

#include "lib/fetch.h"
#include "lib/fetch_task.h"

// Whose calls the statements of one connection mean.
struct selection {
    uint64_t connection;
    struct fetch *fetch; // NULL: nobody's
};

struct fetch_sources {
    const struct lib_set *set;
    pthread_mutex_t lock; // guards what follows
    struct selection *selections;
    size_t count;
};

struct fetch {
    struct fetch_sources *sources;
    struct fetch_model model; // its texts are copies
    struct arena arena;
    struct fetch_task **tasks;
    size_t task_count;
    size_t task_capacity;
    struct fetch_facts facts;
    struct fetch_stream *stream; // of the one task that is streamed, once it is read
    bool is_spooled;
    bool is_over;
    struct { // written by DuckDB's threads while a statement runs
        atomic_int scans;
        atomic_int_fast64_t first;
        atomic_int_fast64_t last;
    } given;
};

// The task of these arguments; NULL: none.
struct fetch_task *fetch_find_task(struct fetch *fetch, const struct lib *lib,
                                   const struct lake_argument *keys, size_t count);

// One check each of fetch_check.
MUST_USE enum error_code fetch_find_lib(const struct lib_set *set, const struct fetch_call *call,
                                        const struct lib **lib, struct error *err);
MUST_USE enum error_code fetch_check_kind(const struct lib *lib, str kind, struct error *err);
MUST_USE enum error_code fetch_check_columns(const struct lib *lib, const struct fetch_call *call,
                                             struct error *err);

// No connection means its calls any more.
void fetch_deselect(struct fetch *fetch);

#endif
