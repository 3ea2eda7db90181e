// The calls of one model as tasks: made from call sites, typed, spooled, ended.

#include "lib/fetch.h"

#include "base/interrupt.h"
#include "base/text.h"
#include "lib/column_type.h"
#include "lib/fetch_private.h"

#include <stdlib.h>
#include <string.h>

// ── Tasks ──

static bool keys_equal(const struct lake_argument *a, const struct lake_argument *b, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (a[i].is_null != b[i].is_null || !str_equal(a[i].text, b[i].text)) {
            return false;
        }
    }
    return true;
}

struct fetch_task *fetch_find_task(struct fetch *fetch, const struct lib *lib,
                                   const struct lake_argument *keys, size_t count) {
    for (size_t i = 0; i < fetch->task_count; i++) {
        struct fetch_task *task = fetch->tasks[i];
        if (task->lib == lib && task->args.count == count &&
            keys_equal(task->args.keys, keys, count)) {
            return task;
        }
    }
    return NULL;
}

static void add_task(struct fetch *fetch, struct fetch_task *task) {
    struct {
        struct fetch_task **items;
        size_t count;
        size_t capacity;
    } list = {fetch->tasks, fetch->task_count, fetch->task_capacity};
    LIST_PUSH(&fetch->arena, &list, task);
    fetch->tasks = list.items;
    fetch->task_count = list.count;
    fetch->task_capacity = list.capacity;
}

static void add_uses(struct fetch *fetch, struct fetch_task *task, const struct fetch_call *call) {
    struct {
        struct fetch_column *items;
        size_t count;
        size_t capacity;
    } list = {task->uses, task->use_count, task->use_capacity};
    for (size_t i = 0; i < call->column_count; i++) {
        struct fetch_column use = call->columns[i];
        use.name = str_copy(&fetch->arena, use.name);
        use.alias = str_copy(&fetch->arena, use.alias);
        use.cast = str_copy(&fetch->arena, use.cast);
        LIST_PUSH(&fetch->arena, &list, use);
    }
    task->uses = list.items;
    task->use_count = list.count;
    task->use_capacity = list.capacity;
    task->takes_all = task->takes_all || call->takes_all;
    task->site_count++;
}

static enum error_code add_call(struct fetch *fetch, struct lake_connection *connection,
                                const struct fetch_call *call, struct error *err) {
    const struct lib *lib = NULL;
    TRY(fetch_find_lib(fetch->sources->set, call, &lib, err));
    TRY(fetch_check_kind(lib, fetch->model.kind, err));
    TRY(fetch_check_columns(lib, call, err));
    struct fetch_args args = {0};
    TRY(fetch_args_evaluate(&fetch->arena, fetch->sources->set->context, connection, lib, call,
                            &args, err));
    struct fetch_task *task = fetch_find_task(fetch, lib, args.keys, args.count);
    if (task == NULL) {
        task = ARENA_NEW(&fetch->arena, struct fetch_task);
        *task = (struct fetch_task){
            .fetch = fetch, .lib = lib, .line = call->line, .column = call->column, .args = args};
        task->arg_names = ARENA_ARRAY(&fetch->arena, const char *, args.count);
        for (size_t i = 0; i < args.count; i++) {
            task->arg_names[i] = str_to_cstring(&fetch->arena, lib->api.fetch.args.items[i]);
        }
        add_task(fetch, task);
    }
    add_uses(fetch, task, call);
    return ERROR_NONE;
}

// How one use stages its column; false when only the rows can tell.
static bool use_kind(const struct fetch_column *use, enum lake_kind *kind) {
    if (str_is_empty(use->cast)) {
        return false;
    }
    *kind = column_type_staging(use->cast);
    if (use->try_cast && *kind != LAKE_JSON) {
        *kind = LAKE_VARCHAR; // what does not fit must reach SQL, to become NULL there
    }
    return true;
}

// count(*) names no column, but a table function must have one.
static void add_only_column(struct fetch *fetch, struct fetch_task *task) {
    (void)fetch_column_set_add(&task->columns, STR("column"));
    task->cast_count = 1;
    task->kinds = ARENA_ARRAY(&fetch->arena, enum lake_kind, 1);
    task->is_cast = ARENA_ARRAY(&fetch->arena, bool, 1);
    task->kinds[0] = LAKE_VARCHAR;
    task->is_cast[0] = true;
}

// The columns that SQL names, with the kinds that its casts tell.  Two casts of one column that
// want different kinds both read its text.
static void type_columns(struct fetch *fetch, struct fetch_task *task) {
    fetch_column_set_init(&task->columns, &fetch->arena, task->takes_all);
    task->kinds = ARENA_ARRAY(&fetch->arena, enum lake_kind, task->use_count);
    task->is_cast = ARENA_ARRAY(&fetch->arena, bool, task->use_count);
    task->is_typed = !task->takes_all;
    if (task->is_typed && task->use_count == 0) {
        add_only_column(fetch, task);
        return;
    }
    for (size_t i = 0; i < task->use_count; i++) {
        size_t before = task->columns.names.count;
        size_t index = fetch_column_set_add(&task->columns, task->uses[i].name);
        enum lake_kind kind = LAKE_VARCHAR;
        bool is_cast = use_kind(&task->uses[i], &kind);
        bool is_new = task->columns.names.count > before;
        task->is_cast[index] = is_cast && (is_new || task->is_cast[index]);
        task->kinds[index] = is_new || task->kinds[index] == kind ? kind : LAKE_VARCHAR;
    }
    task->cast_count = task->columns.names.count;
    for (size_t i = 0; i < task->cast_count; i++) {
        task->is_typed = task->is_typed && task->is_cast[i];
    }
}

static void keep_warning(void *self, const struct error *warning) {
    struct fetch *fetch = self;
    fetch_warning_add(&fetch->facts, warning);
}

// One instance a lib, for all of its tasks.
static enum error_code make_instance(struct fetch *fetch, size_t index, struct error *err) {
    struct fetch_task *task = fetch->tasks[index];
    for (size_t i = 0; i < index; i++) {
        if (fetch->tasks[i]->lib == task->lib) {
            task->instance = fetch->tasks[i]->instance;
            return ERROR_NONE;
        }
    }
    const struct fetch_model *model = &fetch->model;
    const struct lib_instance_options options = {
        .direction = LIB_FETCH,
        .prints_as = model->is_concurrent ? model->target : (str){0},
        .data = model->data,
        // Without @incremental the struct says "no state" (libs.md §5.9).
        .incremental = {.is_backfill = model->is_incremental ? model->is_backfill : true,
                        .last_value = model->last_value,
                        .initial_value = model->initial_value,
                        .last_run = model->is_incremental ? model->last_run : (str){0},
                        .cursor = model->cursor},
        .interrupt = model->interrupt,
        .warn = keep_warning,
        .warn_self = fetch,
    };
    return lib_instance_new(fetch->sources->set, task->lib, &options, &task->instance, err);
}

static void copy_model(struct fetch *fetch, const struct fetch_model *model) {
    fetch->model = *model;
    str *texts[] = {&fetch->model.target,     &fetch->model.file,          &fetch->model.kind,
                    &fetch->model.last_value, &fetch->model.initial_value, &fetch->model.last_run,
                    &fetch->model.cursor};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        *texts[i] = str_copy(&fetch->arena, *texts[i]);
    }
}

enum error_code fetch_new(struct fetch_sources *sources, struct lake_connection *connection,
                          const struct fetch_model *model, const struct fetch_call *calls,
                          size_t count, struct fetch **result, struct error *err) {
    struct fetch *fetch = memory_alloc(sizeof(*fetch));
    *fetch = (struct fetch){.sources = sources};
    arena_init(&fetch->arena);
    copy_model(fetch, model);
    enum error_code code = ERROR_NONE;
    for (size_t i = 0; i < count && code == ERROR_NONE; i++) {
        code = add_call(fetch, connection, &calls[i], err);
        if (code != ERROR_NONE) {
            error_at(err, model->file, calls[i].line, calls[i].column);
            err->source_line[0] = '\0';
        }
    }
    for (size_t i = 0; i < fetch->task_count && code == ERROR_NONE; i++) {
        type_columns(fetch, fetch->tasks[i]);
        code = make_instance(fetch, i, err);
    }
    if (code != ERROR_NONE) {
        fetch_free(fetch);
        return code;
    }
    *result = fetch;
    return ERROR_NONE;
}

static void stop_stream(struct fetch *fetch) {
    if (fetch->stream != NULL) {
        struct error ignored;
        (void)fetch_stream_end(fetch->stream, &ignored);
        fetch_stream_free(fetch->stream);
        fetch->stream = NULL;
    }
}

void fetch_free(struct fetch *fetch) {
    if (fetch == NULL) {
        return;
    }
    stop_stream(fetch);
    fetch_deselect(fetch);
    for (size_t i = 0; i < fetch->task_count; i++) {
        struct fetch_task *task = fetch->tasks[i];
        bool is_first = true;
        for (size_t j = 0; j < i; j++) {
            is_first = is_first && fetch->tasks[j]->lib != task->lib;
        }
        if (is_first) {
            lib_instance_free(task->instance);
        }
        fetch_spool_free(task->spool);
    }
    arena_done(&fetch->arena);
    free(fetch);
}

// ---- spooling -----------------------------------------------------------------------------------

static bool is_streamed(const struct fetch *fetch) {
    return fetch->task_count == 1 && fetch->tasks[0]->site_count == 1 &&
           fetch->tasks[0]->is_typed && !fetch->model.read_twice;
}

static enum error_code spool_page(struct fetch *fetch, struct fetch_task *task,
                                  struct fetch_row_reader *reader, struct fetch_page *page,
                                  struct error *err) {
    SCRATCH(scratch);
    for (;;) {
        bool found = false;
        arena_reset(&scratch);
        enum error_code code = fetch_row_read(reader, page, &scratch, &found, err);
        if (code != ERROR_NONE) {
            fetch_task_error(task, &fetch->model, err);
            return code;
        }
        if (!found) {
            return ERROR_NONE;
        }
        TRY(fetch_spool_add(task->spool, reader->cells, task->columns.names.count, err));
    }
}

static enum error_code spool_pages(struct fetch *fetch, struct fetch_task *task,
                                   struct lib_worker *worker, struct fetch_pages *pages,
                                   struct error *err) {
    struct fetch_row_reader reader;
    fetch_row_reader_init(&reader, &task->columns, NULL);
    enum error_code code = ERROR_NONE;
    bool found = true;
    while (code == ERROR_NONE && found) {
        struct fetch_page page;
        code = fetch_pages_next(pages, worker, &page, &found, err);
        if (code == ERROR_NONE && found) {
            code = spool_page(fetch, task, &reader, &page, err);
        }
    }
    fetch_row_reader_done(&reader);
    if (code == ERROR_NONE) {
        code = fetch_spool_finish(task->spool, err);
    }
    return code;
}

// Columns that no cast types get theirs from the rows.
static void type_from_rows(struct fetch *fetch, struct fetch_task *task) {
    size_t count = task->columns.names.count;
    enum lake_kind *kinds = ARENA_ARRAY(&fetch->arena, enum lake_kind, count);
    for (size_t i = 0; i < count; i++) {
        if (i < task->cast_count && task->is_cast[i]) {
            kinds[i] = task->kinds[i];
        } else {
            struct fetch_seen seen = fetch_spool_seen(task->spool, i);
            kinds[i] = fetch_seen_type(&seen);
        }
    }
    task->kinds = kinds;
    task->is_typed = true;
}

static enum error_code spool_task(struct fetch *fetch, struct fetch_task *task, struct error *err) {
    TRY(fetch_spool_new((str){0}, &task->spool, err));
    struct lib_worker *worker = NULL;
    TRY(lib_worker_new(task->instance, &worker, err));
    struct context context = *fetch->sources->set->context;
    if (fetch->model.interrupt != NULL) {
        context.interrupt = fetch->model.interrupt;
    }
    struct fetch_pages pages = {
        .task = task, .model = &fetch->model, .context = &context, .facts = &fetch->facts};
    enum error_code code = fetch_pages_begin(&pages, worker, err);
    if (code == ERROR_NONE) {
        code = spool_pages(fetch, task, worker, &pages, err);
    }
    fetch_pages_end(&pages);
    lib_worker_free(worker);
    if (code == ERROR_NONE) {
        type_from_rows(fetch, task);
    }
    return code;
}

enum error_code fetch_spool(struct fetch *fetch, bool *aborted, struct error *err) {
    *aborted = false;
    if (is_streamed(fetch)) {
        return ERROR_NONE;
    }
    for (size_t i = 0; i < fetch->task_count && !fetch->facts.aborted; i++) {
        TRY(spool_task(fetch, fetch->tasks[i], err));
    }
    fetch->is_spooled = true;
    *aborted = fetch->facts.aborted;
    return ERROR_NONE;
}

// ---- the end ------------------------------------------------------------------------------------

static bool is_interrupted(const struct fetch *fetch) {
    const struct interrupt *interrupt = fetch->model.interrupt != NULL
                                            ? fetch->model.interrupt
                                            : fetch->sources->set->context->interrupt;
    return interrupt_is_raised(interrupt);
}

enum error_code fetch_end(struct fetch *fetch, enum error_code code, struct fetch_outcome *outcome,
                          struct error *err) {
    if (fetch->stream != NULL) {
        struct error own = {0};
        enum error_code own_code = fetch_stream_end(fetch->stream, &own);
        // A fetch that was cut off because the statement was done with it says nothing new.
        bool is_cut = own_code == ERROR_CANCELLED && !is_interrupted(fetch);
        if (own_code != ERROR_NONE && !is_cut) {
            code = own_code;
            *err = own;
        }
        fetch_stream_free(fetch->stream);
        fetch->stream = NULL;
    }
    fetch->is_over = true;
    *outcome = (struct fetch_outcome){.aborted = fetch->facts.aborted,
                                      .delete_missing = fetch->facts.delete_missing,
                                      .rows = fetch->facts.rows,
                                      .pages = fetch->facts.pages};
    for (size_t i = 0; i < fetch->facts.warning_count && fetch->model.warn != NULL; i++) {
        fetch->model.warn(fetch->model.warn_self, &fetch->facts.warnings[i]);
    }
    fetch->facts.warning_count = 0;
    return fetch->facts.aborted ? ERROR_NONE : code;
}

bool fetch_rows_given(const struct fetch *fetch, int64_t *first, int64_t *last) {
    *first = atomic_load(&fetch->given.first);
    *last = atomic_load(&fetch->given.last);
    return *last > 0 && atomic_load(&fetch->given.scans) == 1;
}
