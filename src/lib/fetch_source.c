// Lib calls inside SQL: the table function over the tasks of a fetch, and whose fetch it means.
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "lib/fetch_private.h"

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

void fetch_deselect(struct fetch *fetch) {
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

// ── The table function ──

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
    struct fetch_task *task = fetch_find_task(fetch, lib, keys, count);
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

static int compare_names(const void *a, const void *b) {
    return str_compare(*(const str *)a, *(const str *)b);
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
