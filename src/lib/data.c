#include "lib/data.h"

#include "base/text.h"
#include "lake/lake.h"
#include "lake/read_only.h"
#include "lake/result.h"
#include "lib/cell.h"

#include <pthread.h>
#include <stdlib.h>

enum { LOOKUP_BATCH = 10000 }; // keys in one statement

struct lib_data {
    pthread_mutex_t lock; // guards the connection
    struct lake_connection *connection;
};

struct lib_data *lib_data_new(struct lake_connection *connection) {
    struct lib_data *data = memory_alloc(sizeof(*data));
    *data = (struct lib_data){.lock = PTHREAD_MUTEX_INITIALIZER, .connection = connection};
    return data;
}

void lib_data_free(struct lib_data *data) {
    if (data == NULL) {
        return;
    }
    lake_disconnect(data->connection);
    (void)pthread_mutex_destroy(&data->lock);
    free(data);
}

bool lib_data_is_used(const struct lib_set *set) {
    static const str words[] = {STR_INIT("query"), STR_INIT("lookup"), STR_INIT("getvariable")};
    for (size_t i = 0; i < set->sources.count; i++) {
        const str *text = set->sources.entries[i].value;
        for (size_t j = 0; j < ARRAY_COUNT(words); j++) {
            if (str_find(*text, words[j]) != SIZE_MAX) {
                return true;
            }
        }
    }
    return false;
}

// ── Errors ──

static star_value fail(struct star_thread *thread, const char *name, struct error *err) {
    error_context(err, "%s", name);
    return modules_fail(thread, err);
}

// Rows become copies: the chunk is gone before the script sees them.
static const struct cell_style COPIED = {.copy_text = true};

// ── query ──

static bool bind_param(struct star_thread *thread, struct arena *arena, size_t index,
                       star_value param, struct lake_value *value) {
    const enum star_kind kind = star_kind(param);
    str text = {0};
    int64_t number = 0;
    double real = 0;
    if (kind == STAR_KIND_NONE) {
        *value = lake_value_null();
    } else if (kind == STAR_KIND_BOOL) {
        *value = lake_value_bool(star_truth(param));
    } else if (star_get_int64(param, &number)) {
        *value = lake_value_int64(number);
    } else if (kind == STAR_KIND_FLOAT && star_get_double(param, &real)) {
        *value = lake_value_double(real);
    } else {
        // Beyond 64 bits SQL reads the digits.
        const star_value source =
            kind == STAR_KIND_INT ? star_int_to_decimal(thread, param) : param;
        if (star_is_error(source)) {
            return false;
        }
        if (!star_get_text(source, &text.data, &text.size)) {
            (void)star_fail(thread,
                            "query: params[%zu]: got %s, want None, bool, int, float, string or "
                            "bytes",
                            index, star_type_name(param));
            return false;
        }
        text = str_copy(arena, text);
        *value = kind == STAR_KIND_BYTES ? lake_value_blob(text) : lake_value_text(text);
    }
    return true;
}

// Adds the chunk's rows to the list, as dicts in the order of the columns.
static bool add_rows(struct star_thread *thread, const star_value *names,
                     const struct lake_chunk *chunk, star_value rows) {
    for (size_t row = 0; row < chunk->row_count; row++) {
        const star_value dict = star_dict(thread);
        bool ok = !star_is_error(dict);
        for (size_t column = 0; ok && column < chunk->column_count; column++) {
            const star_value value = cell_value(thread, &chunk->columns[column], row, &COPIED);
            ok = !star_is_error(value) && star_dict_set(thread, dict, names[column], value);
        }
        if (!ok || !star_list_append(thread, rows, dict)) {
            return false;
        }
    }
    return true;
}

static star_value read_rows(struct star_thread *thread, struct lake_result *result) {
    SCRATCH(scratch);
    const size_t count = lake_result_column_count(result);
    star_value *names = ARENA_ARRAY(&scratch, star_value, count);
    for (size_t i = 0; i < count; i++) {
        const str name = lake_result_name(result, i);
        names[i] = star_string_intern(thread, name.data, name.size);
        if (star_is_error(names[i])) {
            return STAR_ERROR;
        }
    }
    const star_value rows = star_list(thread, NULL, 0);
    size_t total = 0;
    struct lake_chunk chunk = {.row_count = 1};
    while (!star_is_error(rows) && chunk.row_count > 0) {
        struct error err;
        if (lake_result_chunk(result, &chunk, &err) != ERROR_NONE) {
            return fail(thread, "query", &err);
        }
        total += chunk.row_count;
        if (total > LIB_QUERY_ROWS_MAX) {
            (void)star_fail(thread, "query: more than %d rows", LIB_QUERY_ROWS_MAX);
            star_fail_hint(thread, "aggregate in SQL, or read in parts with LIMIT");
            return STAR_ERROR;
        }
        if (!add_rows(thread, names, &chunk, rows)) {
            return STAR_ERROR;
        }
    }
    return rows;
}

static star_value query_locked(struct lib_data *data, struct star_thread *thread, str sql,
                               struct lake_values values) {
    static const struct read_only_rule rule = {.refuse_file_functions = true, .only_select = true};
    struct error err;
    LAKE_RESULT result = NULL;
    if (lake_check_read_only(data->connection, sql, &rule, &err) != ERROR_NONE ||
        lake_stream(data->connection, sql, values, &result, &err) != ERROR_NONE) {
        return fail(thread, "query", &err);
    }
    return read_rows(thread, result);
}

static star_value query(void *self, struct star_thread *thread, str sql, const star_value *params,
                        size_t count) {
    struct lib_data *data = self;
    SCRATCH(scratch);
    struct lake_value *values = ARENA_ARRAY(&scratch, struct lake_value, count);
    for (size_t i = 0; i < count; i++) {
        if (!bind_param(thread, &scratch, i, params[i], &values[i])) {
            return STAR_ERROR;
        }
    }
    (void)pthread_mutex_lock(&data->lock);
    const star_value rows = query_locked(data, thread, sql, (struct lake_values){values, count});
    (void)pthread_mutex_unlock(&data->lock);
    return rows;
}

// ── lookup ──

struct lookup {
    struct lib_data *data;
    struct star_thread *thread;
    struct arena *arena;
    str table;
    str key;      // quoted
    str value;    // quoted
    str key_type; // "BIGINT"
    bool has_rowid;
    bool found; // the table is there
    str *wanted;
    size_t wanted_count;
};

static const struct lake_column *column_find(const struct lake_column *columns, size_t count,
                                             str name) {
    for (size_t i = 0; i < count; i++) {
        if (str_equal_nocase(columns[i].name, name)) {
            return &columns[i];
        }
    }
    return NULL;
}

// A missing table is no error: the first run of a pipeline looks up before anything was written.
static enum error_code lookup_describe(struct lookup *lookup, str key, str value,
                                       struct error *err) {
    struct arena *arena = lookup->arena;
    const str target = lake_quote_target(arena, lookup->table);
    struct lake_column *columns = NULL;
    size_t count = 0;
    str sql = str_format(arena, "SELECT rowid, * FROM " STR_FORMAT, STR_ARGS(target));
    lookup->has_rowid = true;
    enum error_code code =
        lake_describe(lookup->data->connection, arena, sql, &columns, &count, err);
    if (code != ERROR_NONE) { // a view, or nothing
        lookup->has_rowid = false;
        sql = str_format(arena, "SELECT * FROM " STR_FORMAT, STR_ARGS(target));
        code = lake_describe(lookup->data->connection, arena, sql, &columns, &count, err);
    }
    if (code == ERROR_NOT_FOUND) {
        return ERROR_NONE;
    }
    TRY(code);
    lookup->found = true;
    const struct lake_column *key_column = column_find(columns, count, key);
    if (key_column == NULL || column_find(columns, count, value) == NULL) {
        return error_set(err, ERROR_INVALID, STR_FORMAT " has no column \"" STR_FORMAT "\"",
                         STR_ARGS(lookup->table), STR_ARGS(key_column == NULL ? key : value));
    }
    lookup->key = lake_quote_name(arena, key);
    lookup->value = lake_quote_name(arena, value);
    lookup->key_type = key_column->type;
    return ERROR_NONE;
}

static bool is_integer_type(str type) {
    return str_ends_with(type, STR("INT")) || str_equal(type, STR("INTEGER")) ||
           str_equal(type, STR("UINTEGER"));
}

// 2.0 is 2 among integers, where 1.5 cannot match.
static bool float_text(struct lookup *lookup, double number, str *text) {
    if (!is_integer_type(lookup->key_type)) {
        *text = str_format(lookup->arena, "%.17g", number);
        return true;
    }
    if (number < -9223372036854775808.0 || number >= 9223372036854775808.0 ||
        (double)(int64_t)number < number || (double)(int64_t)number > number) {
        return false;
    }
    *text = str_format(lookup->arena, "%lld", (long long)number);
    return true;
}

// The text of a scalar as SQL casts it to the type of the key; false: it cannot match, or *failed
// after star_fail.
static bool key_text(struct lookup *lookup, star_value item, str *text, bool *failed) {
    const enum star_kind kind = star_kind(item);
    double number = 0;
    if (kind == STAR_KIND_NONE) {
        return false;
    }
    if (kind == STAR_KIND_BOOL) {
        *text = star_truth(item) ? STR("true") : STR("false");
        return true;
    }
    if (kind == STAR_KIND_FLOAT && star_get_double(item, &number)) {
        return float_text(lookup, number, text);
    }
    const star_value source =
        kind == STAR_KIND_INT ? star_int_to_decimal(lookup->thread, item) : item;
    str borrowed = {0};
    if (star_is_error(source)) {
        *failed = true;
    } else if (kind == STAR_KIND_BYTES || !star_get_text(source, &borrowed.data, &borrowed.size)) {
        (void)star_fail(lookup->thread, "lookup: where: got %s, want scalars",
                        star_type_name(item));
        *failed = true;
    }
    *text = str_copy(lookup->arena, borrowed);
    return !*failed;
}

static bool lookup_keys(struct lookup *lookup, star_value where) {
    const size_t count = star_length(where);
    lookup->wanted = ARENA_ARRAY(lookup->arena, str, count);
    for (size_t i = 0; i < count; i++) {
        const star_value item = star_item(lookup->thread, where, i);
        bool failed = star_is_error(item);
        str text;
        if (!failed && key_text(lookup, item, &text, &failed)) {
            lookup->wanted[lookup->wanted_count++] = text;
        }
        if (failed) {
            return false;
        }
    }
    return true;
}

static bool lookup_read(struct lookup *lookup, struct lake_result *result, star_value dict) {
    struct error err;
    struct lake_chunk chunk = {.row_count = 1};
    while (chunk.row_count > 0) {
        if (lake_result_chunk(result, &chunk, &err) != ERROR_NONE) {
            (void)fail(lookup->thread, "lookup", &err);
            return false;
        }
        for (size_t row = 0; row < chunk.row_count; row++) {
            const star_value key = cell_value(lookup->thread, &chunk.columns[0], row, &COPIED);
            const star_value value = cell_value(lookup->thread, &chunk.columns[1], row, &COPIED);
            if (star_is_error(key) || star_is_error(value) ||
                !star_dict_set(lookup->thread, dict, key, value)) {
                return false;
            }
        }
    }
    return true;
}

// The keys are compared in their column's type; of duplicates the last row wins.
static bool lookup_batch(struct lookup *lookup, size_t from, size_t count, star_value dict) {
    const str sql = str_format(
        lookup->arena,
        "SELECT " STR_FORMAT ", " STR_FORMAT " FROM " STR_FORMAT " WHERE " STR_FORMAT
        " IN (SELECT TRY_CAST(x AS " STR_FORMAT ") FROM unnest(?::VARCHAR[]) AS wanted(x))%s",
        STR_ARGS(lookup->key), STR_ARGS(lookup->value),
        STR_ARGS(lake_quote_target(lookup->arena, lookup->table)), STR_ARGS(lookup->key),
        STR_ARGS(lookup->key_type), lookup->has_rowid ? " ORDER BY rowid" : "");
    LAKE_RESULT result = NULL;
    struct error err;
    if (lake_query(lookup->data->connection, sql,
                   LAKE_VALUES(lake_value_texts(lookup->wanted + from, count)), &result,
                   &err) != ERROR_NONE) {
        (void)fail(lookup->thread, "lookup", &err);
        return false;
    }
    return lookup_read(lookup, result, dict);
}

static star_value lookup_locked(struct lookup *lookup, str key, str value, star_value where) {
    struct error err;
    if (lookup_describe(lookup, key, value, &err) != ERROR_NONE) {
        return fail(lookup->thread, "lookup", &err);
    }
    const star_value dict = star_dict(lookup->thread);
    if (star_is_error(dict) || !lookup->found) {
        return dict;
    }
    if (!lookup_keys(lookup, where)) {
        return STAR_ERROR;
    }
    for (size_t from = 0; from < lookup->wanted_count; from += LOOKUP_BATCH) {
        const size_t left = lookup->wanted_count - from;
        if (!lookup_batch(lookup, from, left < LOOKUP_BATCH ? left : LOOKUP_BATCH, dict)) {
            return STAR_ERROR;
        }
    }
    return dict;
}

static star_value lookup(void *self, struct star_thread *thread, str table, str key, str value,
                         star_value where) {
    struct lib_data *data = self;
    SCRATCH(scratch);
    struct lookup state = {.data = data, .thread = thread, .arena = &scratch, .table = table};
    (void)pthread_mutex_lock(&data->lock);
    const star_value dict = lookup_locked(&state, key, value, where);
    (void)pthread_mutex_unlock(&data->lock);
    return dict;
}

// ── getvariable ──

static star_value getvariable(void *self, struct star_thread *thread, str name) {
    struct lib_data *data = self;
    SCRATCH(scratch);
    const str sql = str_format(&scratch, "SELECT getvariable(" STR_FORMAT ")",
                               STR_ARGS(lake_quote_text(&scratch, name)));
    struct error err;
    str value = {0};
    (void)pthread_mutex_lock(&data->lock);
    const enum error_code code =
        lake_query_text(data->connection, &scratch, sql, LAKE_NO_VALUES, &value, NULL, &err);
    (void)pthread_mutex_unlock(&data->lock);
    return code == ERROR_NONE ? star_string(thread, value.data, value.size)
                              : fail(thread, "getvariable", &err);
}

struct modules_data lib_data_hooks(struct lib_data *data) {
    return (struct modules_data){
        .query = query, .lookup = lookup, .getvariable = getvariable, .self = data};
}
