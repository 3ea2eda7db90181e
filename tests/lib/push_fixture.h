#ifndef TESTS_LIB_PUSH_FIXTURE_H
#define TESTS_LIB_PUSH_FIXTURE_H

// A lake, a state store and a sink in C that writes down what it gets and answers as it is told.

#include "lake/fixture.h"
#include "lib/push.h"
#include "lib/push_batch.h"
#include "lib/push_status.h"
#include "lib/push_worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

struct delivery {
    int64_t rowid;
    enum state_change change;
    int64_t k;
    int64_t v;
    char batch_id[40];
    int64_t number;
};

enum { DELIVERIES_MAX = 200000 };

struct fake_sink {
    pthread_mutex_t lock;
    struct delivery *deliveries; // DELIVERIES_MAX
    size_t count;
    // The status of one event; NULL result: the whole call fails.
    const char *(*answer)(const struct delivery *delivery);
    int64_t call_us;    // how long a call takes
    const char *record; // a file that gets a line an event; NULL: none
    atomic_int running;
    atomic_int most_running;
    bool keys_overlapped;       // two calls had the same key at once
    int64_t running_keys[1024]; // how many calls have the key
    int64_t finalized;          // what finalize was told; -1: not called
};

struct push_fixture {
    struct fixture lake;
    struct state *state;
    struct lib lib;
    struct fake_sink sink;
    struct push_caller caller;
    struct push_request request;
    struct push_summary summary;
};

static inline void sink_note(struct fake_sink *sink, const struct push_batch *batch, int add) {
    pthread_mutex_lock(&sink->lock);
    for (size_t i = 0; i < batch->count; i++) {
        const struct push_event *event = &batch->events[i];
        const struct lake_vector *columns = &event->page->chunk.columns[PUSH_COLUMN_FIRST];
        const int64_t k = lake_bigint(&columns[0], event->row);
        if (event->tag != 0) {
            int64_t *running = &sink->running_keys[(uint64_t)k % 1024];
            sink->keys_overlapped = sink->keys_overlapped || (add > 0 && *running > 0 && i == 0);
            *running += add;
        }
        if (add > 0 && sink->count < DELIVERIES_MAX) {
            struct delivery *delivery = &sink->deliveries[sink->count++];
            *delivery = (struct delivery){.rowid = event->rowid,
                                          .change = event->change,
                                          .k = k,
                                          .v = lake_bigint(&columns[1], event->row),
                                          .number = batch->number};
            snprintf(delivery->batch_id, sizeof(delivery->batch_id), STR_FORMAT,
                     STR_ARGS(batch->batch_id));
        }
    }
    pthread_mutex_unlock(&sink->lock);
}

static inline void sink_record(const struct fake_sink *sink, const struct push_batch *batch) {
    FILE *file = fopen(sink->record, "a");
    for (size_t i = 0; i < batch->count; i++) {
        const struct push_event *event = &batch->events[i];
        const struct lake_vector *columns = &event->page->chunk.columns[PUSH_COLUMN_FIRST];
        fprintf(file, "%.*s %lld:%d %lld\n", STR_ARGS(batch->batch_id), (long long)event->rowid,
                (int)event->change, (long long)lake_bigint(&columns[1], event->row));
    }
    fclose(file);
}

static inline void sink_answer(struct fake_sink *sink, struct push_batch *batch) {
    push_status_deliver(batch);
    for (size_t i = 0; i < batch->count && sink->answer != NULL; i++) {
        const struct push_event *event = &batch->events[i];
        const struct lake_vector *columns = &event->page->chunk.columns[PUSH_COLUMN_FIRST];
        const struct delivery delivery = {.rowid = event->rowid,
                                          .change = event->change,
                                          .k = lake_bigint(&columns[0], event->row),
                                          .v = lake_bigint(&columns[1], event->row)};
        const char *status = sink->answer(&delivery);
        if (status == NULL) {
            push_status_fail(batch, STR("server is down"));
            return;
        }
        batch->replies[i] = push_status_parse(&batch->arena, str_from(status), event->change);
    }
}

static inline void sink_call(void *worker, struct push_batch *batch) {
    struct fake_sink *sink = worker;
    const int running = atomic_fetch_add(&sink->running, 1) + 1;
    int most = atomic_load(&sink->most_running);
    while (running > most && !atomic_compare_exchange_weak(&sink->most_running, &most, running)) {
    }
    sink_note(sink, batch, 1);
    if (sink->record != NULL) {
        sink_record(sink, batch);
    }
    if (sink->call_us > 0) {
        usleep((useconds_t)sink->call_us);
    }
    sink_answer(sink, batch);
    pthread_mutex_lock(&sink->lock);
    for (size_t i = 0; i < batch->count; i++) {
        const struct push_event *event = &batch->events[i];
        if (event->tag != 0) {
            const int64_t k =
                lake_bigint(&event->page->chunk.columns[PUSH_COLUMN_FIRST], event->row);
            sink->running_keys[(uint64_t)k % 1024]--;
        }
    }
    pthread_mutex_unlock(&sink->lock);
    atomic_fetch_sub(&sink->running, 1);
}

static inline enum error_code sink_open(void *self, void **worker, struct error *err) {
    (void)err;
    *worker = self;
    return ERROR_NONE;
}

static inline void sink_close(void *worker) {
    (void)worker;
}

static inline enum error_code sink_finalize(void *self, int64_t succeeded, int64_t failed,
                                            struct error *err) {
    (void)failed;
    (void)err;
    ((struct fake_sink *)self)->finalized = succeeded;
    return ERROR_NONE;
}

// The lake is in `folder` when it is given (and stays there), else in a new one.
static inline void push_fixture_open(struct push_fixture *f, const char *folder) {
    memset(f, 0, sizeof(*f));
    fixture_init(&f->lake);
    if (folder != NULL) {
        rmdir(f->lake.folder);
        snprintf(f->lake.folder, sizeof(f->lake.folder), "%s", folder);
    }
    fixture_attach(&f->lake, "sqlite:");
    f->state = state_new(
        &(struct state_options){.context = &f->lake.context, .project = str_from(f->lake.folder)});
    pthread_mutex_init(&f->sink.lock, NULL);
    f->sink.deliveries = calloc(DELIVERIES_MAX, sizeof(struct delivery));
    f->sink.finalized = -1;
    f->caller = (struct push_caller){.open = sink_open,
                                     .close = sink_close,
                                     .call = sink_call,
                                     .finalize = sink_finalize,
                                     .self = &f->sink};
    f->lib = (struct lib){.name = STR("crm"), .file = STR("lib/crm.star")};
    f->lib.api.push = (struct lib_push){.present = true, .batch_size = 4, .max_concurrent = 1};
    f->request = (struct push_request){.context = &f->lake.context,
                                       .connection = f->lake.connection,
                                       .state = f->state,
                                       .lib = &f->lib,
                                       .target = STR("main.t"),
                                       .schema = STR("main"),
                                       .table = STR("t"),
                                       .kind = STR("merge"),
                                       .caller = &f->caller};
    str_list_push(&f->lake.arena, &f->request.keys, STR("k"));
}

static inline void push_fixture_close(struct push_fixture *f, bool keep_folder) {
    state_free(f->state);
    free(f->sink.deliveries);
    pthread_mutex_destroy(&f->sink.lock);
    if (keep_folder) {
        fixture_close(&f->lake);
        environment_done(&f->lake.environment);
        arena_done(&f->lake.arena);
    } else {
        fixture_done(&f->lake);
    }
}

// One run's delivery; what was noted before is forgotten.
static inline void push_once(struct push_fixture *f) {
    f->sink.count = 0;
    f->sink.finalized = -1;
    ASSERT_OK(&f->lake, push_deliver(&f->request, &f->lake.arena, &f->summary, &f->lake.err));
}

// "1:insert=10 2:delete=20": row key, change and value of every delivery, in order.
static inline const char *deliveries_text(struct push_fixture *f) {
    struct text text;
    text_init(&text, &f->lake.arena);
    for (size_t i = 0; i < f->sink.count; i++) {
        const struct delivery *delivery = &f->sink.deliveries[i];
        text_format(&text, "%s%lld:" STR_FORMAT "=%lld", i > 0 ? " " : "", (long long)delivery->k,
                    STR_ARGS(state_change_name(delivery->change)), (long long)delivery->v);
    }
    return text_cstring(&text);
}

#endif
