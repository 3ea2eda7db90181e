#include "lib/push_worker.h"

#include "base/environment.h"
#include "base/text.h"
#include "lib/cell.h"
#include "lib/push_status.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum {
    INTERNAL_FIELDS = 3, // behind the table's columns of a row
    KWARGS_OWN = 7,      // beside push.args
};
static const str internal_names[INTERNAL_FIELDS] = {
    STR_INIT("__ondatra_rowid"), STR_INIT("__ondatra_change_type"), STR_INIT("__ondatra_snapshot")};

struct push_pool {
    struct arena arena;
    const struct push_request *request; // any thread: never changes after start
    const struct push_table *table;
    struct lib_instance *instance;
    const char **names; // of a row: the table's columns, then the internal ones
    size_t *name_sizes;
    size_t name_count;
    struct str_list sorted_columns;
    struct cell_style style;
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
        bool stopping;
    } shared;
    size_t capacity; // of the two lists: as many batches as there are workers are inside
};

// ── Arguments of push() ──

struct row_view {
    const struct push_pool *pool;
    const struct push_batch *batch;
};

static star_value internal_field(struct star_thread *thread, const struct push_event *event,
                                 size_t field) {
    switch (field) {
    case 0:
        return star_int(thread, event->rowid);
    case 1: {
        const str change = state_change_name(event->change);
        return star_string_intern(thread, change.data, change.size);
    }
    case 2:
        return star_int(thread, event->snapshot);
    default:
        return STAR_NONE;
    }
}

// One field of one row, when the script first touches it.
static star_value row_get(struct star_thread *thread, void *user, size_t row, size_t column) {
    const struct row_view *view = user;
    const struct push_event *event = &view->batch->events[row];
    const size_t columns = view->pool->table->columns.count;
    if (column >= columns) {
        return internal_field(thread, event, column - columns);
    }
    return cell_value(thread, &event->page->chunk.columns[PUSH_COLUMN_FIRST + column], event->row,
                      &view->pool->style);
}

static star_value text_value(struct star_thread *thread, str text) {
    return star_string(thread, text.data, text.size);
}

static star_value texts_value(struct star_thread *thread, const struct str_list *texts) {
    const star_value list = star_list(thread, NULL, 0);
    for (size_t i = 0; i < texts->count && !star_is_error(list); i++) {
        const star_value text = text_value(thread, texts->items[i]);
        if (star_is_error(text) || !star_list_append(thread, list, text)) {
            return STAR_ERROR;
        }
    }
    return list;
}

static star_value typed_column(struct star_thread *thread, str name, const struct lake_type *type) {
    const star_value column = star_dict(thread);
    const star_value name_value = text_value(thread, name);
    const star_value type_value = cell_type_value(thread, type);
    if (star_is_error(column) || star_is_error(name_value) || star_is_error(type_value) ||
        !star_dict_set_name(thread, column, "name", name_value) ||
        !star_dict_set_name(thread, column, "type", type_value)) {
        return STAR_ERROR;
    }
    return column;
}

static star_value columns_value(struct star_thread *thread, const struct push_pool *pool,
                                const struct push_batch *batch) {
    if (!pool->request->typed_columns) {
        return texts_value(thread, &pool->sorted_columns);
    }
    const struct lake_vector *vectors = batch->events[0].page->chunk.columns + PUSH_COLUMN_FIRST;
    const star_value list = star_list(thread, NULL, 0);
    for (size_t i = 0; i < pool->table->columns.count && !star_is_error(list); i++) {
        const star_value column =
            typed_column(thread, pool->table->columns.items[i], vectors[i].type);
        if (star_is_error(column) || !star_list_append(thread, list, column)) {
            return STAR_ERROR;
        }
    }
    return list;
}

static size_t add_argument_values(struct star_thread *thread, const struct push_pool *pool,
                                  struct arena *arena, struct star_binding *bindings) {
    const struct str_list *names = &pool->request->lib->api.push.args;
    const struct str_list *values = &pool->request->args;
    size_t count = 0;
    for (; count < names->count && count < values->count; count++) {
        bindings[count] = (struct star_binding){str_to_cstring(arena, names->items[count]),
                                                text_value(thread, values->items[count])};
    }
    return count;
}

// All that push() may ask for; what it does not declare is dropped by the call.
static struct star_binding *push_arguments(struct star_thread *thread, const struct push_pool *pool,
                                           struct push_batch *batch, struct row_view *view,
                                           size_t *count) {
    const struct push_request *request = pool->request;
    const struct star_columns rows = {.names = pool->names,
                                      .name_sizes = pool->name_sizes,
                                      .column_count = pool->name_count,
                                      .row_count = batch->count,
                                      .get = row_get,
                                      .user = view};
    struct star_binding *bindings =
        ARENA_ARRAY(&batch->arena, struct star_binding, KWARGS_OWN + request->args.count);
    const struct star_binding own[KWARGS_OWN] = {
        {"rows", star_rows_new(thread, &rows)},
        {"batch_number", star_int(thread, batch->number)},
        {"kind", text_value(thread, request->kind)},
        {"key_columns", texts_value(thread, &request->keys)},
        {"columns", columns_value(thread, pool, batch)},
        {"target", text_value(thread, request->target)},
        {"batch_id", text_value(thread, batch->batch_id)},
    };
    for (size_t i = 0; i < KWARGS_OWN; i++) {
        bindings[i] = own[i];
    }
    *count = KWARGS_OWN + add_argument_values(thread, pool, &batch->arena, bindings + KWARGS_OWN);
    return bindings;
}

// ── One call ──

static void read_answer(struct lib_worker *worker, const struct push_pool *pool,
                        struct push_batch *batch, star_value returned) {
    if (pool->request->lib->api.push.batch_mode == LIB_BATCH_SYNC) {
        push_status_read(lib_worker_thread(worker), batch, returned);
        return;
    }
    push_status_deliver(batch);
    if (!star_is_none(returned)) {
        batch->warning = STR("atomic push returned a value");
    }
}

static void call_push(struct lib_worker *worker, const struct push_pool *pool,
                      struct push_batch *batch) {
    struct row_view view = {.pool = pool, .batch = batch};
    size_t count = 0;
    const struct star_binding *arguments =
        push_arguments(lib_worker_thread(worker), pool, batch, &view, &count);
    struct error err = {0};
    star_value returned = STAR_NONE;
    const enum error_code code = lib_worker_call(worker,
                                                 &(struct lib_call){.function = "push",
                                                                    .arguments = arguments,
                                                                    .argument_count = count,
                                                                    .batch_number = batch->number},
                                                 &returned, NULL, &err);
    crash_point("CP_PUSH_CALLED");
    if (code == ERROR_NONE) {
        read_answer(worker, pool, batch, returned);
    } else {
        push_status_fail(batch, str_from(err.message));
    }
    lib_worker_reset(worker); // before the pages may go: values borrow from them
}

// ── Threads ──

static struct push_batch *next_batch(struct push_pool *pool) {
    struct push_batch *batch = NULL;
    pthread_mutex_lock(&pool->lock);
    while (pool->shared.waiting_count == 0 && !pool->shared.stopping) {
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
    pool->shared.answered[pool->shared.answered_count++] = batch;
    pthread_cond_signal(&pool->answer);
    pthread_mutex_unlock(&pool->lock);
}

static void *worker_main(void *argument) {
    struct push_pool *pool = argument;
    struct error err = {0};
    struct lib_worker *worker = NULL;
    const enum error_code code = lib_worker_new(pool->instance, &worker, &err);
    for (struct push_batch *batch = next_batch(pool); batch != NULL; batch = next_batch(pool)) {
        if (code == ERROR_NONE) {
            call_push(worker, pool, batch);
        } else {
            push_status_fail(batch, str_from(err.message));
        }
        answer_batch(pool, batch);
    }
    lib_worker_free(worker);
    return NULL;
}

static void fill_names(struct push_pool *pool) {
    const struct str_list *columns = &pool->table->columns;
    pool->name_count = columns->count + INTERNAL_FIELDS;
    pool->names = ARENA_ARRAY(&pool->arena, const char *, pool->name_count);
    pool->name_sizes = ARENA_ARRAY(&pool->arena, size_t, pool->name_count);
    for (size_t i = 0; i < pool->name_count; i++) {
        const str name =
            i < columns->count ? columns->items[i] : internal_names[i - columns->count];
        pool->names[i] = str_to_cstring(&pool->arena, name);
        pool->name_sizes[i] = name.size;
    }
    for (size_t i = 0; i < columns->count; i++) {
        str_list_push(&pool->arena, &pool->sorted_columns, columns->items[i]);
    }
    str_list_sort(&pool->sorted_columns);
}

static void init_condition(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

static bool decodes_json(const struct context *context) {
    str value = {0};
    return environment_get(context->environment, STR("COYPU_PUSH_JSON"), &value) &&
           str_equal(value, STR("decoded"));
}

enum error_code pool_new(const struct push_pool_options *options, struct push_pool **out,
                         struct error *err) {
    struct push_pool *pool = memory_alloc(sizeof(*pool));
    *pool = (struct push_pool){.request = options->request,
                               .table = options->table,
                               .instance = options->instance,
                               .capacity = options->workers};
    arena_init(&pool->arena);
    pool->style.json_as_value = decodes_json(options->request->context);
    fill_names(pool);
    pool->threads = ARENA_ARRAY(&pool->arena, pthread_t, options->workers);
    pool->shared.waiting = ARENA_ARRAY(&pool->arena, struct push_batch *, options->workers);
    pool->shared.answered = ARENA_ARRAY(&pool->arena, struct push_batch *, options->workers);
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
    for (size_t i = 0; i < pool->shared.waiting_count; i++) {
        push_batch_free(pool->shared.waiting[i]);
    }
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

enum error_code pool_finalize(struct push_pool *pool, int64_t succeeded, int64_t failed,
                              struct error *err) {
    struct lib_worker *worker = NULL;
    TRY(lib_worker_new(pool->instance, &worker, err));
    struct star_thread *thread = lib_worker_thread(worker);
    const struct star_binding arguments[] = {{"succeeded", star_int(thread, succeeded)},
                                             {"failed", star_int(thread, failed)}};
    star_value returned = STAR_NONE;
    const enum error_code code =
        lib_worker_call(worker,
                        &(struct lib_call){.function = "finalize",
                                           .arguments = arguments,
                                           .argument_count = ARRAY_COUNT(arguments)},
                        &returned, NULL, err);
    lib_worker_free(worker);
    return code;
}
