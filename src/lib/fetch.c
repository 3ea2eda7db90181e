// The calls of one model as tasks: made from call sites, spooled or streamed, and found again by
// the table function.

#include "lib/fetch.h"

#include "base/interrupt.h"
#include "base/text.h"
#include "lib/column_type.h"
#include "lib/fetch_task.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

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

// ---- checks without a request
// --------------------------------------------------------------------

static enum error_code find_lib(const struct lib_set *set, const struct fetch_call *call,
                                const struct lib **lib, struct error *err) {
    SCRATCH(scratch);
    *lib = lib_find(set, call->lib);
    if (*lib == NULL || !(*lib)->api.fetch.present) {
        return error_rule(err, ERROR_INVALID, "cross_ast.unknown_lib",
                          "\"" STR_FORMAT "\" is no lib with fetch (there are: " STR_FORMAT ")",
                          STR_ARGS(call->lib), STR_ARGS(lib_names_with_fetch(set, &scratch)));
    }
    return ERROR_NONE;
}

static enum error_code check_kind(const struct lib *lib, str kind, struct error *err) {
    SCRATCH(scratch);
    const struct lib_fetch *fetch = &lib->api.fetch;
    if (!fetch->limits_kinds || str_list_has(&fetch->supported_kinds, kind)) {
        return ERROR_NONE;
    }
    return error_rule(err, ERROR_INVALID, "blueprint.other",
                      "lib " STR_FORMAT " does not support kind " STR_FORMAT
                      " (supported: " STR_FORMAT ")",
                      STR_ARGS(lib->name), STR_ARGS(kind),
                      STR_ARGS(str_list_join(&scratch, &fetch->supported_kinds, STR(", "))));
}

static enum error_code check_columns(const struct lib *lib, const struct fetch_call *call,
                                     struct error *err) {
    SCRATCH(scratch);
    const struct lib_fetch *fetch = &lib->api.fetch;
    for (size_t i = 0; fetch->limits_columns && i < call->column_count; i++) {
        if (!str_list_has_nocase(&fetch->supported_columns, call->columns[i].name)) {
            return error_rule(
                err, ERROR_INVALID, "blueprint.other",
                "lib " STR_FORMAT " has no column \"" STR_FORMAT "\" (supported: " STR_FORMAT ")",
                STR_ARGS(lib->name), STR_ARGS(call->columns[i].name),
                STR_ARGS(str_list_join(&scratch, &fetch->supported_columns, STR(", "))));
        }
    }
    return ERROR_NONE;
}

void fetch_check(const struct lib_set *set, str file, str kind, const struct fetch_call *calls,
                 size_t count, struct error_list *errors) {
    for (size_t i = 0; i < count; i++) {
        const struct lib *lib = NULL;
        struct error found[4] = {0};
        size_t n = 0;
        if (find_lib(set, &calls[i], &lib, &found[0]) != ERROR_NONE) {
            n = 1;
        } else {
            n += check_kind(lib, kind, &found[n]) != ERROR_NONE;
            n += check_columns(lib, &calls[i], &found[n]) != ERROR_NONE;
            n += fetch_args_check(lib, &calls[i], &found[n]) != ERROR_NONE;
        }
        for (size_t j = 0; j < n; j++) {
            error_at(&found[j], file, calls[i].line, calls[i].column);
            error_list_add(errors, &found[j]);
        }
    }
}

// ---- tasks
// ---------------------------------------------------------------------------------------

static bool keys_equal(const struct lake_argument *a, const struct lake_argument *b, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (a[i].is_null != b[i].is_null || !str_equal(a[i].text, b[i].text)) {
            return false;
        }
    }
    return true;
}

static struct fetch_task *find_task(struct fetch *fetch, const struct lib *lib,
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
    TRY(find_lib(fetch->sources->set, call, &lib, err));
    TRY(check_kind(lib, fetch->model.kind, err));
    TRY(check_columns(lib, call, err));
    struct fetch_args args = {0};
    TRY(fetch_args_evaluate(&fetch->arena, fetch->sources->set->context, connection, lib, call,
                            &args, err));
    struct fetch_task *task = find_task(fetch, lib, args.keys, args.count);
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
        .print_prefix = model->print_prefix,
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
                    &fetch->model.cursor,     &fetch->model.print_prefix};
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

// ---- whose calls are meant ----------------------------------------------------------------------

static struct fetch *selected(struct fetch_sources *sources, uint64_t connection) {
    struct fetch *fetch = NULL;
    (void)pthread_mutex_lock(&sources->lock);
    for (size_t i = 0; i < sources->count; i++) {
        if (sources->selections[i].connection == connection) {
            fetch = sources->selections[i].fetch;
        }
    }
    (void)pthread_mutex_unlock(&sources->lock);
    return fetch;
}

static void deselect(struct fetch *fetch) {
    struct fetch_sources *sources = fetch->sources;
    (void)pthread_mutex_lock(&sources->lock);
    for (size_t i = 0; i < sources->count; i++) {
        if (sources->selections[i].fetch == fetch) {
            sources->selections[i].fetch = NULL;
        }
    }
    (void)pthread_mutex_unlock(&sources->lock);
}

void fetch_select(struct fetch_sources *sources, const struct lake_connection *connection,
                  struct fetch *fetch) {
    const uint64_t id = lake_connection_id(connection);
    (void)pthread_mutex_lock(&sources->lock);
    size_t i = 0;
    while (i < sources->count && sources->selections[i].connection != id) {
        i++;
    }
    if (i == sources->count) { // one a thread of the run, never more
        sources->selections = memory_realloc(sources->selections,
                                             (sources->count + 1) * sizeof(sources->selections[0]));
        sources->count++;
    }
    sources->selections[i] = (struct selection){id, fetch};
    (void)pthread_mutex_unlock(&sources->lock);
}

void fetch_free(struct fetch *fetch) {
    if (fetch == NULL) {
        return;
    }
    stop_stream(fetch);
    deselect(fetch);
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

bool fetch_columns_known(const struct fetch *fetch) {
    for (size_t i = 0; i < fetch->task_count; i++) {
        if (!fetch->tasks[i]->is_typed) {
            return false;
        }
    }
    return true;
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

static int compare_names(const void *a, const void *b) {
    return str_compare(*(const str *)a, *(const str *)b);
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

// ---- columns without rows
// ------------------------------------------------------------------------

static enum fetch_columns task_columns(const struct fetch_task *task) {
    if (task->spool == NULL || fetch_spool_rows(task->spool) > 0) {
        return FETCH_COLUMNS_KNOWN;
    }
    if (task->takes_all) {
        return FETCH_COLUMNS_MISSING;
    }
    for (size_t i = 0; i < task->cast_count; i++) {
        if (!task->is_cast[i]) {
            return FETCH_COLUMNS_GUESSED;
        }
    }
    return FETCH_COLUMNS_KNOWN;
}

enum fetch_columns fetch_columns(const struct fetch *fetch) {
    enum fetch_columns least = FETCH_COLUMNS_KNOWN;
    for (size_t i = 0; i < fetch->task_count; i++) {
        const enum fetch_columns columns = task_columns(fetch->tasks[i]);
        least = columns > least ? columns : least;
    }
    return least;
}

// The kind that fetched values had, told by the type of the column they went to.
static enum lake_kind kind_of_table(str type) {
    static const struct {
        str type;
        enum lake_kind kind;
    } KINDS[] = {
        {STR_INIT("BIGINT"), LAKE_BIGINT},
        {STR_INIT("DECIMAL(38,0)"), LAKE_HUGEINT},
        {STR_INIT("DOUBLE"), LAKE_DOUBLE},
        {STR_INIT("BOOLEAN"), LAKE_BOOLEAN},
        {STR_INIT("BLOB"), LAKE_BLOB},
        {STR_INIT("TIMESTAMP WITH TIME ZONE"), LAKE_TIMESTAMP_TZ},
        {STR_INIT("INTERVAL"), LAKE_INTERVAL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(KINDS); i++) {
        if (str_equal(KINDS[i].type, type)) {
            return KINDS[i].kind;
        }
    }
    return LAKE_VARCHAR;
}

// The name under which the query gives the column on.
static str output_name(const struct fetch_task *task, str column) {
    for (size_t i = 0; i < task->use_count; i++) {
        if (str_equal_nocase(task->uses[i].name, column) && !str_is_empty(task->uses[i].alias)) {
            return task->uses[i].alias;
        }
    }
    return column;
}

void fetch_columns_take(struct fetch *fetch, const struct lake_column *columns, size_t count) {
    for (size_t i = 0; i < fetch->task_count; i++) {
        struct fetch_task *task = fetch->tasks[i];
        if (task_columns(task) == FETCH_COLUMNS_KNOWN) {
            continue;
        }
        for (size_t j = 0; j < count && task->takes_all; j++) {
            (void)fetch_column_set_add(&task->columns, columns[j].name);
        }
        const size_t known = task->columns.names.count;
        enum lake_kind *kinds = ARENA_ARRAY(&fetch->arena, enum lake_kind, known);
        for (size_t k = 0; k < known; k++) {
            const bool is_cast = k < task->cast_count && task->is_cast[k];
            const str name = output_name(task, task->columns.names.items[k]);
            kinds[k] = is_cast ? task->kinds[k] : LAKE_VARCHAR;
            for (size_t j = 0; j < count && !is_cast; j++) {
                if (str_equal_nocase(columns[j].name, name)) {
                    kinds[k] = kind_of_table(columns[j].type);
                }
            }
        }
        task->kinds = kinds;
    }
}

enum error_code fetch_columns_error(const struct fetch *fetch, struct error *err) {
    for (size_t i = 0; i < fetch->task_count; i++) {
        if (task_columns(fetch->tasks[i]) == FETCH_COLUMNS_MISSING) {
            error_set(err, ERROR_INVALID,
                      "no row came, so SELECT * has no columns: nothing is written");
            error_hint(
                err, "name the columns, with casts, for a table that exists before its first row");
            fetch_task_error(fetch->tasks[i], &fetch->model, err);
        }
    }
    return err->code;
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

// ---- the table function
// --------------------------------------------------------------------------

// One scan of a task.
struct scan {
    struct fetch *fetch;
    struct fetch_task *task;
    size_t *columns;
    size_t column_count;
    struct fetch_spool_reader *reader; // NULL: the stream
    int64_t rows;                      // given so far
    struct fetch_cell *cells;
    struct arena arena;
    struct arena scratch; // one fill
};

// The task that a call in SQL means.  An argument that changes from evaluation to evaluation, such
// as now(), matches when the lib is called in one way only.
static struct fetch_task *match_task(struct fetch *fetch, const struct lib *lib,
                                     const struct lake_argument *keys, size_t count) {
    struct fetch_task *task = find_task(fetch, lib, keys, count);
    for (size_t i = 0; task == NULL && i < fetch->task_count; i++) {
        if (fetch->tasks[i]->lib != lib) {
            continue;
        }
        bool is_only = true;
        for (size_t j = 0; j < fetch->task_count; j++) {
            is_only = is_only && (j == i || fetch->tasks[j]->lib != lib);
        }
        task = is_only ? fetch->tasks[i] : NULL;
        break;
    }
    return task;
}

static const size_t *column_order(struct arena *arena, const struct fetch_task *task) {
    // SELECT * gives the columns in the order of their names, whatever order the rows had.
    size_t count = task->columns.names.count;
    str *names = ARENA_ARRAY(arena, str, count);
    size_t *order = ARENA_ARRAY(arena, size_t, count);
    for (size_t i = 0; i < count; i++) {
        names[i] = task->columns.names.items[i];
    }
    if (task->takes_all) {
        qsort(names, count, sizeof(names[0]), compare_names);
    }
    for (size_t i = 0; i < count; i++) {
        order[i] = (size_t)(uintptr_t)map_get(&task->columns.by_name, names[i]) - 1;
    }
    return order;
}

static enum error_code source_bind(void *self, const struct lake_argument *arguments, size_t count,
                                   struct lake_source_bind *bind, void **plan, struct error *err) {
    SCRATCH(scratch);
    struct fetch_sources *sources = self;
    struct fetch *fetch = selected(sources, lake_source_connection(bind));
    str name = count > 0 ? arguments[0].text : (str){0};
    const struct lib *lib = lib_find(sources->set, name);
    if (fetch == NULL) {
        // DuckDB binds a macro's body when the macro is made; source_start refuses to read it.
        lake_source_column(bind, STR("column"), LAKE_VARCHAR, 0, 0);
        return ERROR_NONE;
    }
    if (lib == NULL) {
        return error_set(err, ERROR_NOT_FOUND, "there is no lib \"" STR_FORMAT "\"",
                         STR_ARGS(name));
    }
    struct fetch_task *task = match_task(fetch, lib, arguments + 1, count - 1);
    if (task == NULL) {
        return error_set(err, ERROR_INVALID,
                         "the arguments of " STR_FORMAT "() changed while the model ran",
                         STR_ARGS(name));
    }
    if (!task->is_typed) {
        return error_set(err, ERROR_INVALID,
                         "the columns of " STR_FORMAT "() are not known before it was fetched",
                         STR_ARGS(name));
    }
    const size_t *order = column_order(&scratch, task);
    for (size_t i = 0; i < task->columns.names.count; i++) {
        lake_source_column(bind, task->columns.names.items[order[i]], task->kinds[order[i]], 0, 0);
    }
    if (task->spool != NULL) {
        lake_source_row_count(bind, (uint64_t)fetch_spool_rows(task->spool), true);
    }
    *plan = task;
    return ERROR_NONE;
}

static enum error_code start_stream(struct fetch *fetch, struct fetch_task *task,
                                    struct error *err) {
    if (fetch->stream != NULL || fetch->is_over) {
        return error_set(err, ERROR_INVALID,
                         "the statement reads " STR_FORMAT "() twice, which is fetched once",
                         STR_ARGS(task->lib->name));
    }
    return fetch_stream_new(task, &fetch->model, fetch->sources->set->context, &fetch->facts,
                            &fetch->stream, err);
}

static enum error_code source_start(void *self, void *plan, const size_t *columns, size_t count,
                                    void **result, struct error *err) {
    (void)self;
    struct fetch_task *task = plan;
    if (task == NULL) {
        return error_set(err, ERROR_INVALID, "lib functions can be read by models only");
    }
    struct fetch *fetch = task->fetch;
    if (task->spool == NULL) {
        TRY(start_stream(fetch, task, err));
    }
    struct scan *scan = memory_alloc(sizeof(*scan));
    *scan = (struct scan){.fetch = fetch, .task = task, .column_count = count};
    atomic_fetch_add(&fetch->given.scans, 1);
    arena_init(&scan->arena);
    arena_init(&scan->scratch);
    const size_t *order = column_order(&scan->arena, task);
    scan->columns = ARENA_ARRAY(&scan->arena, size_t, count);
    for (size_t i = 0; i < count; i++) {
        scan->columns[i] = order[columns[i]];
    }
    if (task->spool != NULL) {
        scan->reader = fetch_spool_open(task->spool);
        scan->cells = ARENA_ARRAY(&scan->arena, struct fetch_cell, task->columns.names.count);
    }
    *result = scan;
    return ERROR_NONE;
}

static enum error_code fill_from_spool(struct scan *scan, struct lake_writer *writer,
                                       struct error *err) {
    size_t row = 0;
    for (; row < LAKE_CHUNK_ROWS_MAX; row++) {
        bool found = false;
        TRY(fetch_spool_read(scan->reader, scan->cells, scan->task->columns.names.count, &found,
                             err));
        if (!found) {
            break;
        }
        enum error_code code =
            fetch_row_put(scan->task, &scan->scratch, scan->cells, scan->columns, writer, row, err);
        if (code != ERROR_NONE) {
            fetch_task_error(scan->task, &scan->fetch->model, err);
            return code;
        }
    }
    lake_writer_finish(writer, row);
    return ERROR_NONE;
}

static enum error_code source_fill(void *self, struct lake_writer *writer, struct error *err) {
    struct scan *scan = self;
    struct fetch *fetch = scan->fetch;
    arena_reset(&scan->scratch);
    if (scan->reader != NULL) {
        TRY(fill_from_spool(scan, writer, err));
    } else {
        TRY(fetch_stream_fill(fetch->stream, scan->columns, writer, err));
    }
    if (writer->row_count > 0) {
        atomic_store(&fetch->given.first, scan->rows + 1);
        scan->rows += (int64_t)writer->row_count;
        atomic_store(&fetch->given.last, scan->rows);
    }
    return ERROR_NONE;
}

static void source_finish(void *self) {
    struct scan *scan = self;
    fetch_spool_close(scan->reader);
    arena_done(&scan->scratch);
    arena_done(&scan->arena);
    free(scan);
}

enum error_code fetch_sources_new(struct lake_connection *connection, const struct lib_set *set,
                                  struct fetch_sources **result, struct error *err) {
    struct fetch_sources *sources = memory_alloc(sizeof(*sources));
    *sources = (struct fetch_sources){.set = set, .lock = PTHREAD_MUTEX_INITIALIZER};
    const struct lake_source source = {.bind = source_bind,
                                       .start = source_start,
                                       .fill = source_fill,
                                       .finish = source_finish,
                                       .self = sources};
    enum error_code code = lake_source_register(connection, &source, err);
    if (code == ERROR_NONE) {
        code = fetch_sources_connect(sources, connection, err);
    }
    if (code != ERROR_NONE) {
        fetch_sources_free(sources);
        return code;
    }
    *result = sources;
    return ERROR_NONE;
}

void fetch_sources_free(struct fetch_sources *sources) {
    if (sources == NULL) {
        return;
    }
    free(sources->selections);
    (void)pthread_mutex_destroy(&sources->lock);
    free(sources);
}

enum error_code fetch_sources_connect(struct fetch_sources *sources,
                                      struct lake_connection *connection, struct error *err) {
    for (size_t i = 0; i < sources->set->count; i++) {
        const struct lib *lib = sources->set->items[i];
        if (lib->api.fetch.present && !lib->broken) {
            TRY(lake_source_macro(connection, lib->name, lib->api.fetch.args.items,
                                  lib->api.fetch.args.count, err));
        }
    }
    return ERROR_NONE;
}

bool fetch_rows_given(const struct fetch *fetch, int64_t *first, int64_t *last) {
    *first = atomic_load(&fetch->given.first);
    *last = atomic_load(&fetch->given.last);
    return *last > 0 && atomic_load(&fetch->given.scans) == 1;
}
