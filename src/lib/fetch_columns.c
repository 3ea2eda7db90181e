// The columns of calls that gave no row: from the casts, the API dict or the table (libs.md §5.7).
#include "base/text.h"
#include "lib/fetch_private.h"

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
