// A call that the statement reads while it is fetched.
//
//   fetch thread:   take a free worker → call fetch() on it → ready queue
//   DuckDB thread:  ready queue → read the rows out of the worker's heap → worker is free again
//
// There are FETCH_WORKERS workers and no more pages: that is the bound on memory and the
// backpressure.  Whoever stops first closes both queues; the fetch thread then ends behind the call
// it is in, whose script is cancelled.

#include "lib/fetch_task.h"

#include "base/queue.h"

#include <pthread.h>
#include <stdlib.h>

// A worker and the page in its heap.
struct slot {
    struct lib_worker *worker;
    struct fetch_page page;
};

struct fetch_stream {
    struct fetch_task *task;
    struct queue *free_slots;
    struct queue *ready_slots;
    struct slot slots[FETCH_WORKERS];
    size_t slot_count;
    pthread_t thread;
    bool has_thread;
    struct { // only the fetch thread; read after the ready queue is closed
        struct fetch_pages pages;
        enum error_code code;
        struct error error;
    } fetch;
    struct {               // only the scan
        struct slot *slot; // whose page is being read; NULL: none
        struct fetch_row_reader reader;
        struct arena scratch;
        bool *wanted;
        bool is_open;
    } scan;
};

static void *fetch_main(void *user) {
    struct fetch_stream *stream = user;
    bool found = true;
    while (found) {
        struct slot *slot = queue_pop(stream->free_slots);
        if (slot == NULL) {
            break;
        }
        stream->fetch.code = fetch_pages_next(&stream->fetch.pages, slot->worker, &slot->page,
                                              &found, &stream->fetch.error);
        if (stream->fetch.code != ERROR_NONE || !found || !queue_push(stream->ready_slots, slot)) {
            break;
        }
    }
    queue_close(stream->ready_slots);
    return NULL;
}

static enum error_code stream_start(struct fetch_stream *stream, struct error *err) {
    struct lib_instance *instance = stream->task->instance;
    TRY(lib_worker_new(instance, &stream->slots[0].worker, err));
    stream->slot_count = 1;
    for (; stream->slot_count < FETCH_WORKERS; stream->slot_count++) {
        TRY(lib_worker_share(stream->slots[0].worker, &stream->slots[stream->slot_count].worker,
                             err));
    }
    for (size_t i = 0; i < FETCH_WORKERS; i++) {
        (void)queue_push(stream->free_slots, &stream->slots[i]);
    }
    TRY(fetch_pages_begin(&stream->fetch.pages, stream->slots[0].worker, err));
    if (pthread_create(&stream->thread, NULL, fetch_main, stream) != 0) {
        return error_set(err, ERROR_LIMIT, "no thread can be started to fetch");
    }
    stream->has_thread = true;
    return ERROR_NONE;
}

enum error_code fetch_stream_new(struct fetch_task *task, const struct fetch_model *model,
                                 const struct context *context, struct fetch_facts *facts,
                                 struct fetch_stream **result, struct error *err) {
    struct fetch_stream *stream = memory_alloc(sizeof(*stream));
    *stream = (struct fetch_stream){.task = task};
    stream->fetch.pages =
        (struct fetch_pages){.task = task, .model = model, .context = context, .facts = facts};
    stream->free_slots = queue_new(FETCH_WORKERS);
    stream->ready_slots = queue_new(FETCH_WORKERS);
    arena_init(&stream->scan.scratch);
    enum error_code code = stream_start(stream, err);
    if (code != ERROR_NONE) {
        fetch_stream_free(stream);
        return code;
    }
    *result = stream;
    return ERROR_NONE;
}

enum error_code fetch_stream_end(struct fetch_stream *stream, struct error *err) {
    queue_close(stream->free_slots);
    queue_close(stream->ready_slots);
    if (stream->has_thread) {
        for (size_t i = 0; i < stream->slot_count; i++) {
            star_thread_cancel(lib_worker_thread(stream->slots[i].worker));
        }
        pthread_join(stream->thread, NULL);
        stream->has_thread = false;
    }
    if (stream->fetch.code != ERROR_NONE) {
        *err = stream->fetch.error;
    }
    return stream->fetch.code;
}

static void drain(struct queue *queue) {
    while (queue_try_pop(queue) != NULL) {
    }
}

void fetch_stream_free(struct fetch_stream *stream) {
    fetch_pages_end(&stream->fetch.pages);
    for (size_t i = stream->slot_count; i > 0; i--) {
        lib_worker_free(stream->slots[i - 1].worker);
    }
    drain(stream->free_slots);
    drain(stream->ready_slots);
    queue_free(stream->free_slots);
    queue_free(stream->ready_slots);
    if (stream->scan.is_open) {
        fetch_row_reader_done(&stream->scan.reader);
    }
    free(stream->scan.wanted);
    arena_done(&stream->scan.scratch);
    free(stream);
}

// ---- reading ------------------------------------------------------------------------------------

enum error_code fetch_row_put(const struct fetch_task *task, struct arena *scratch,
                              const struct fetch_cell *cells, const size_t *columns,
                              struct lake_writer *writer, size_t row, struct error *err) {
    for (size_t i = 0; i < writer->column_count; i++) {
        enum error_code code =
            fetch_cell_put(scratch, &cells[columns[i]], &writer->columns[i], row, err);
        if (code != ERROR_NONE) {
            error_context(err, "column \"" STR_FORMAT "\"",
                          STR_ARGS(task->columns.names.items[columns[i]]));
            return code;
        }
    }
    return ERROR_NONE;
}

static void scan_open(struct fetch_stream *stream, const size_t *columns, size_t count) {
    size_t all = stream->task->columns.names.count;
    stream->scan.wanted = memory_alloc(all * sizeof(bool) + 1);
    for (size_t i = 0; i < all; i++) {
        stream->scan.wanted[i] = false;
    }
    for (size_t i = 0; i < count; i++) {
        stream->scan.wanted[columns[i]] = true;
    }
    fetch_row_reader_init(&stream->scan.reader, &stream->task->columns, stream->scan.wanted);
    stream->scan.is_open = true;
}

// The next page, or NULL in scan.slot at the end of the fetch, however that came.
static enum error_code next_page(struct fetch_stream *stream, struct error *err) {
    stream->scan.slot = queue_pop(stream->ready_slots);
    if (stream->scan.slot != NULL) {
        return ERROR_NONE;
    }
    if (stream->fetch.code != ERROR_NONE) {
        *err = stream->fetch.error;
        return stream->fetch.code;
    }
    if (stream->fetch.pages.facts->aborted) {
        // The statement must not commit what earlier pages gave; fetch_end knows that it is no
        // failure.
        return error_set(err, ERROR_CANCELLED, "aborted by the lib function");
    }
    return ERROR_NONE;
}

static enum error_code conversion_error(const struct fetch_stream *stream, enum error_code code,
                                        bool is_place_known, struct error *err) {
    const struct fetch_page *page = &stream->scan.slot->page;
    if (!is_place_known) {
        error_context(err, "row %lld of page %lld", (long long)page->row, (long long)page->number);
    }
    fetch_task_error(stream->task, stream->fetch.pages.model, err);
    return code;
}

enum error_code fetch_stream_fill(struct fetch_stream *stream, const size_t *columns,
                                  struct lake_writer *writer, struct error *err) {
    if (!stream->scan.is_open) {
        scan_open(stream, columns, writer->column_count);
    }
    arena_reset(&stream->scan.scratch);
    size_t row = 0;
    while (row < LAKE_CHUNK_ROWS_MAX) {
        if (stream->scan.slot == NULL) {
            TRY(next_page(stream, err));
        }
        if (stream->scan.slot == NULL) {
            break;
        }
        bool found = false;
        enum error_code code = fetch_row_read(&stream->scan.reader, &stream->scan.slot->page,
                                              &stream->scan.scratch, &found, err);
        if (code != ERROR_NONE) {
            return conversion_error(stream, code, true, err);
        }
        if (!found) {
            (void)queue_push(stream->free_slots, stream->scan.slot);
            stream->scan.slot = NULL;
            continue;
        }
        code = fetch_row_put(stream->task, &stream->scan.scratch, stream->scan.reader.cells,
                             columns, writer, row, err);
        if (code != ERROR_NONE) {
            return conversion_error(stream, code, false, err);
        }
        row++;
    }
    lake_writer_finish(writer, row);
    return ERROR_NONE;
}
