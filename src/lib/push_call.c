#include "lib/push_call.h"

#include "base/environment.h"
#include "base/text.h"
#include "lib/cell.h"
#include "lib/push_status.h"

#include <stdlib.h>

enum {
    INTERNAL_FIELDS = 3, // behind the table's columns of a row
    KWARGS_OWN = 7,      // beside push.args
};
static const str internal_names[INTERNAL_FIELDS] = {
    STR_INIT("__ondatra_rowid"), STR_INIT("__ondatra_change_type"), STR_INIT("__ondatra_snapshot")};

struct push_call {
    struct arena arena;
    const struct push_request *request;
    const struct push_table *table;
    struct lib_instance *instance; // made at the first use, kept over schemas
    const char **names;            // of a row: the table's columns, then the internal ones
    size_t *name_sizes;
    size_t name_count;
    struct str_list sorted_columns;
    struct cell_style style;
};

// ── Arguments of push() ──

struct row_view {
    const struct push_call *call;
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
    const size_t columns = view->call->table->columns.count;
    if (column >= columns) {
        return internal_field(thread, event, column - columns);
    }
    return cell_value(thread, &event->page->chunk.columns[PUSH_COLUMN_FIRST + column], event->row,
                      &view->call->style);
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

static star_value columns_value(struct star_thread *thread, const struct push_call *call,
                                const struct push_batch *batch) {
    if (!call->request->typed_columns) {
        return texts_value(thread, &call->sorted_columns);
    }
    const struct lake_vector *vectors = batch->events[0].page->chunk.columns + PUSH_COLUMN_FIRST;
    const star_value list = star_list(thread, NULL, 0);
    for (size_t i = 0; i < call->table->columns.count && !star_is_error(list); i++) {
        const star_value column =
            typed_column(thread, call->table->columns.items[i], vectors[i].type);
        if (star_is_error(column) || !star_list_append(thread, list, column)) {
            return STAR_ERROR;
        }
    }
    return list;
}

static size_t add_argument_values(struct star_thread *thread, const struct push_call *call,
                                  struct arena *arena, struct star_binding *bindings) {
    const struct str_list *names = &call->request->lib->api.push.args;
    const struct str_list *values = &call->request->args;
    size_t count = 0;
    for (; count < names->count && count < values->count; count++) {
        bindings[count] = (struct star_binding){str_to_cstring(arena, names->items[count]),
                                                text_value(thread, values->items[count])};
    }
    return count;
}

// All that push() may ask for; what it does not declare is dropped by the call.
static struct star_binding *push_arguments(struct star_thread *thread, const struct push_call *call,
                                           struct push_batch *batch, struct row_view *view,
                                           size_t *count) {
    const struct push_request *request = call->request;
    const struct star_columns rows = {.names = call->names,
                                      .name_sizes = call->name_sizes,
                                      .column_count = call->name_count,
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
        {"columns", columns_value(thread, call, batch)},
        {"target", text_value(thread, request->target)},
        {"batch_id", text_value(thread, batch->batch_id)},
    };
    for (size_t i = 0; i < KWARGS_OWN; i++) {
        bindings[i] = own[i];
    }
    *count = KWARGS_OWN + add_argument_values(thread, call, &batch->arena, bindings + KWARGS_OWN);
    return bindings;
}

// ── One call ──

static void read_answer(struct lib_worker *worker, const struct push_call *call,
                        struct push_batch *batch, star_value returned) {
    if (call->request->lib->api.push.batch_mode == LIB_BATCH_SYNC) {
        push_status_read(lib_worker_thread(worker), batch, returned);
        return;
    }
    push_status_deliver(batch);
    if (!star_is_none(returned)) {
        batch->warning = STR("atomic push returned a value");
    }
}

// What a worker thread has.
struct call_worker {
    const struct push_call *call;
    struct lib_worker *worker;
};

static enum error_code worker_open(void *self, void **out, struct error *err) {
    struct call_worker *opened = memory_alloc(sizeof(*opened));
    *opened = (struct call_worker){.call = self};
    const enum error_code code = lib_worker_new(opened->call->instance, &opened->worker, err);
    if (code != ERROR_NONE) {
        free(opened);
        return code;
    }
    *out = opened;
    return ERROR_NONE;
}

static void worker_close(void *opaque) {
    struct call_worker *opened = opaque;
    lib_worker_free(opened->worker);
    free(opened);
}

static void worker_call(void *opaque, struct push_batch *batch) {
    const struct call_worker *opened = opaque;
    struct lib_worker *worker = opened->worker;
    struct row_view view = {.call = opened->call, .batch = batch};
    size_t count = 0;
    const struct star_binding *arguments =
        push_arguments(lib_worker_thread(worker), opened->call, batch, &view, &count);
    struct error err = {0};
    star_value returned = STAR_NONE;
    const enum error_code code = lib_worker_call(worker,
                                                 &(struct lib_call){.function = "push",
                                                                    .arguments = arguments,
                                                                    .argument_count = count,
                                                                    .batch_number = batch->number},
                                                 &returned, NULL, &err);
    if (code == ERROR_NONE) {
        read_answer(worker, opened->call, batch, returned);
    } else {
        push_status_fail(batch, str_from(err.message));
    }
    lib_worker_reset(worker); // before the pages may go: values borrow from them
}

static enum error_code call_finalize(void *self, int64_t succeeded, int64_t failed,
                                     struct error *err) {
    const struct push_call *call = self;
    struct lib_worker *worker = NULL;
    TRY(lib_worker_new(call->instance, &worker, err));
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

static void fill_names(struct push_call *call) {
    const struct str_list *columns = &call->table->columns;
    call->name_count = columns->count + INTERNAL_FIELDS;
    call->names = ARENA_ARRAY(&call->arena, const char *, call->name_count);
    call->name_sizes = ARENA_ARRAY(&call->arena, size_t, call->name_count);
    for (size_t i = 0; i < call->name_count; i++) {
        const str name =
            i < columns->count ? columns->items[i] : internal_names[i - columns->count];
        call->names[i] = str_to_cstring(&call->arena, name);
        call->name_sizes[i] = name.size;
    }
    for (size_t i = 0; i < columns->count; i++) {
        str_list_push(&call->arena, &call->sorted_columns, columns->items[i]);
    }
    str_list_sort(&call->sorted_columns);
}

static bool decodes_json(const struct context *context) {
    str value = {0};
    return environment_get(context->environment, STR("COYPU_PUSH_JSON"), &value) &&
           str_equal(value, STR("decoded"));
}

enum error_code push_call_new(const struct push_request *request, struct push_call **out,
                              struct error *err) {
    struct lib_instance *instance = NULL;
    const struct lib_instance_options options = {
        .direction = LIB_PUSH,
        .prints_as = request->is_concurrent ? request->target : (str){0},
        .data = request->data};
    TRY(lib_instance_new(request->libs, request->lib, &options, &instance, err));
    struct push_call *call = memory_alloc(sizeof(*call));
    *call = (struct push_call){.request = request, .instance = instance};
    arena_init(&call->arena);
    call->style.json_as_value = decodes_json(request->context);
    *out = call;
    return ERROR_NONE;
}

void push_call_free(struct push_call *call) {
    if (call == NULL) {
        return;
    }
    lib_instance_free(call->instance);
    arena_done(&call->arena);
    free(call);
}

void push_call_table(struct push_call *call, const struct push_table *table) {
    call->table = table;
    call->sorted_columns = (struct str_list){0};
    fill_names(call);
}

struct push_caller push_caller_of_lib(struct push_call *call) {
    return (struct push_caller){.open = worker_open,
                                .close = worker_close,
                                .call = worker_call,
                                .finalize = call_finalize,
                                .self = call};
}
