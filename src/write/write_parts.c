#include "write/write_parts.h"

#include <string.h>

#include "base/text.h"
#include "lake/result.h"
#include "model/mask.h"
#include "write/columns.h"

// ── SQL ──

static str word_text(const struct write *write, struct write_words words, str name) {
    for (size_t i = 0; i < words.count; i++) {
        if (str_equal(name, str_from(words.items[i].name))) {
            return words.items[i].text;
        }
    }
    if (str_equal(name, STR("table"))) {
        return model_table_name(write->arena, write->model);
    }
    const size_t dot = str_find_char(name, '.');
    const str prefix = dot < name.size ? str_slice(name, 0, dot + 1) : (str){0};
    return columns_list(write->arena, write->columns, write->column_count, prefix);
}

str write_sql(const struct write *write, const char *template, struct write_words words) {
    struct text text;
    text_init(&text, write->arena);
    str rest = str_from(template);
    while (rest.size > 0) {
        const size_t open = str_find_char(rest, '{');
        text_add(&text, str_slice(rest, 0, open));
        if (open >= rest.size) {
            break;
        }
        rest = str_from_offset(rest, open + 1);
        const size_t close = str_find_char(rest, '}');
        text_add(&text, word_text(write, words, str_slice(rest, 0, close)));
        rest = str_from_offset(rest, close + 1);
    }
    return text_str(&text);
}

enum error_code write_execute(struct write *write, const char *template, struct write_words words,
                              int64_t *changed, struct error *err) {
    return lake_execute_patient(write->connection, write_sql(write, template, words), changed, err);
}

enum error_code write_count(struct write *write, const char *template, struct write_words words,
                            int64_t *count, struct error *err) {
    return lake_query_int64(write->connection, write_sql(write, template, words), LAKE_NO_VALUES,
                            count, NULL, err);
}

// ── The query ──

// A cast of ours failed, from a type that no table of the lake has: at the column that it is of.
static void place_own_cast(const struct model *model, struct error *err) {
    static const str sign = STR_INIT(" when casting from source column ");
    const struct sql_query *query = &model->query;
    const str message = str_from(err->message);
    const size_t at = str_find(message, sign);
    error_at(err, model->file, 0, 0);
    if (at == SIZE_MAX) {
        return;
    }
    const str name = str_from_offset(message, at + sign.size);
    for (size_t i = 0; i < query->outputs.count && i < query->projection_count; i++) {
        if (str_equal_nocase(query->outputs.items[i], name) && query->projections[i] != SIZE_MAX) {
            error_at_offset(err, model->file, model->text,
                            model->source.body_offset + query->projections[i]);
        }
    }
    if (str_find(message, STR("to DECIMAL(38,0)")) != SIZE_MAX) {
        error_hint(err, "the lake keeps integers of 128 bits with 38 digits: cast it to VARCHAR, "
                        "or to DOUBLE");
    }
}

void write_error_place(const struct model *model, struct error *err) {
    if (err->pos.line < 2) {
        place_own_cast(model, err);
        return;
    }
    int line = 1;
    int column = 1;
    source_position(model->text, model->source.body_offset, &line, &column);
    const int error_column = err->pos.line == 2 ? err->pos.column + column - 1 : err->pos.column;
    error_at(err, model->file, line + err->pos.line - 2, error_column);
    error_source(err, model->text);
}

enum error_code write_run_query(struct write *write, str head, str tail, int64_t *changed,
                                struct error *err) {
    struct mask mask = {0};
    if (!write->body_is_masked) {
        mask_make(write->arena, write->model, &mask);
    }
    const str sql =
        str_format(write->arena, STR_FORMAT STR_FORMAT "(\n" STR_FORMAT "\n)" STR_FORMAT STR_FORMAT,
                   STR_ARGS(head), STR_ARGS(mask.head), STR_ARGS(write->body), STR_ARGS(mask.tail),
                   STR_ARGS(tail));
    const enum error_code code = lake_execute_patient(write->connection, sql, changed, err);
    if (code != ERROR_NONE && err->pos.file[0] == '\0') {
        mask_withhold(write->model, err);
        if (write->body_is_own) {
            write_error_place(write->model, err);
        } else {
            error_at(err, write->model->file, 0, 0);
        }
    }
    return write->was_read == NULL ? code : write->was_read(write->was_read_self, code, err);
}

enum error_code write_inspect(struct write *write, struct error *err) {
    return write->inspect == NULL || write->keeps_rows
               ? ERROR_NONE
               : write->inspect(write->inspect_self, STR(WRITE_RESULT), err);
}

enum error_code write_read_query(struct write *write, struct error *err) {
    const str casts = columns_cast_list(write->arena, write->columns, write->column_count);
    const str head =
        write_sql(write, "CREATE OR REPLACE TEMP TABLE __ondatra_new AS SELECT {casts} FROM ",
                  WRITE_WORDS({"casts", casts}));
    return write_run_query(write, head, STR(""), NULL, err);
}

// Copies are counted: of two equal rows one may be lost.
static enum error_code count_lost(struct write *write, struct error *err) {
    if (write->run_type != RUN_BACKFILL || write->table_is_empty || write->keeps_rows ||
        write->kept_by.count == 0) {
        return ERROR_NONE;
    }
    return write_count(write,
                       "SELECT coalesce(sum(n), 0)::BIGINT FROM (SELECT sum(" WRITE_COUNT
                       ") AS n FROM (SELECT {known}, 1 AS " WRITE_COUNT
                       " FROM {table} UNION ALL SELECT {known}, -1 FROM " WRITE_RESULT
                       ") GROUP BY {known} HAVING sum(" WRITE_COUNT ") > 0)",
                       WRITE_WORDS({"known", write_names(write->arena, &write->kept_by, "")}),
                       &write->rows_lost, err);
}

enum error_code write_evaluate(struct write *write, struct error *err) {
    TRY(write_read_query(write, err));
    TRY(write_inspect(write, err));
    return count_lost(write, err);
}

// ── Keys ──

struct str_list write_key(const struct write *write) {
    const struct directives *directives = &write->model->source.directives;
    struct str_list keys = {0};
    if (directives->kind == MODEL_TRACKED) {
        return directives->group_columns;
    }
    str_list_push(write->arena, &keys, directives->unique_key.value);
    return keys;
}

str write_names(struct arena *arena, const struct str_list *names, const char *prefix) {
    struct text text;
    text_init(&text, arena);
    for (size_t i = 0; i < names->count; i++) {
        text_format(&text, "%s%s" STR_FORMAT, i > 0 ? ", " : "", prefix,
                    STR_ARGS(lake_quote_name(arena, names->items[i])));
    }
    return text_str(&text);
}

str write_matches(const struct write *write, const struct str_list *keys) {
    struct text text;
    text_init(&text, write->arena);
    for (size_t i = 0; i < keys->count; i++) {
        const str name = lake_quote_name(write->arena, keys->items[i]);
        text_format(&text, "%ss." STR_FORMAT " = t." STR_FORMAT, i > 0 ? " AND " : "",
                    STR_ARGS(name), STR_ARGS(name));
    }
    return text_str(&text);
}

struct str_list write_columns(const struct write *write) {
    struct str_list names = {0};
    for (size_t i = 0; i < write->column_count; i++) {
        str_list_push(write->arena, &names, write->columns[i].name);
    }
    return names;
}

str write_same(const struct write *write, const struct str_list *names) {
    struct text text;
    text_init(&text, write->arena);
    for (size_t i = 0; i < names->count; i++) {
        const str name = lake_quote_name(write->arena, names->items[i]);
        text_format(&text, "%ss." STR_FORMAT " IS NOT DISTINCT FROM t." STR_FORMAT,
                    i > 0 ? " AND " : "", STR_ARGS(name), STR_ARGS(name));
    }
    return text_str(&text);
}

str write_differs(const struct write *write, const struct str_list *keys) {
    struct text text;
    text_init(&text, write->arena);
    for (size_t i = 0; i < write->column_count; i++) {
        if (!str_list_has_nocase(keys, write->columns[i].name)) {
            const str name = lake_quote_name(write->arena, write->columns[i].name);
            text_format(&text, "%ss." STR_FORMAT " IS DISTINCT FROM t." STR_FORMAT,
                        text.size > 0 ? " OR " : "", STR_ARGS(name), STR_ARGS(name));
        }
    }
    return text.size > 0 ? text_str(&text) : STR("false");
}

static enum error_code key_error(struct write *write, struct error *err) {
    const struct directives *directives = &write->model->source.directives;
    const struct directive *key =
        directives->kind == MODEL_TRACKED ? &directives->group_key : &directives->unique_key;
    error_at(err, write->model->file, key->line, key->column);
    error_source(err, write->model->text);
    return err->code;
}

static enum error_code null_error(struct write *write, str name, int64_t count, struct error *err) {
    error_set(err, ERROR_INVALID, "key column \"" STR_FORMAT "\" is NULL in %lld row%s",
              STR_ARGS(name), (long long)count, count == 1 ? "" : "s");
    error_hint(err,
               "leave them out with WHERE " STR_FORMAT " IS NOT NULL; `-- @constraint: "
               "not_null(" STR_FORMAT ")` where they come from finds them earlier",
               STR_ARGS(lake_quote_name(write->arena, name)), STR_ARGS(name));
    return key_error(write, err);
}

enum error_code write_refuse_null_keys(struct write *write, str table, struct error *err) {
    const struct str_list keys = write_key(write);
    struct text counts;
    text_init(&counts, write->arena);
    for (size_t i = 0; i < keys.count; i++) {
        text_format(&counts, "%scount(*) - count(" STR_FORMAT ")", i > 0 ? ", " : "",
                    STR_ARGS(lake_quote_name(write->arena, keys.items[i])));
    }
    LAKE_RESULT result = NULL;
    TRY(lake_query(write->connection,
                   write_sql(write, "SELECT {counts} FROM {rows}",
                             WRITE_WORDS({"counts", text_str(&counts)}, {"rows", table})),
                   LAKE_NO_VALUES, &result, err));
    const bool has_row = lake_result_next(result);
    for (size_t i = 0; i < keys.count && has_row; i++) {
        if (lake_result_int64(result, i) > 0) {
            return null_error(write, keys.items[i], lake_result_int64(result, i), err);
        }
    }
    return ERROR_NONE;
}

enum error_code write_refuse_bad_keys(struct write *write, str table, struct error *err) {
    const str name = write->model->source.directives.unique_key.value;
    const str key = lake_quote_name(write->arena, name);
    const str sql = write_sql(
        write,
        "SELECT coalesce(sum(n) FILTER (WHERE k IS NULL), 0)::BIGINT,"
        " count(*) FILTER (WHERE n > 1 AND k IS NOT NULL),"
        " array_to_string(list(k::VARCHAR ORDER BY k) FILTER (WHERE n > 1 AND k IS NOT NULL)[1:3],"
        " ', ') FROM (SELECT {key} AS k, count(*) AS n FROM {rows} GROUP BY 1"
        " HAVING count(*) > 1 OR {key} IS NULL)",
        WRITE_WORDS({"key", key}, {"rows", table}));
    LAKE_RESULT result = NULL;
    TRY(lake_query(write->connection, sql, LAKE_NO_VALUES, &result, err));
    if (!lake_result_next(result)) {
        return error_set(err, ERROR_INTERNAL, "the key check gave no row");
    }
    const int64_t nulls = lake_result_int64(result, 0);
    const int64_t duplicates = lake_result_int64(result, 1);
    if (nulls > 0) {
        return null_error(write, name, nulls, err);
    }
    if (duplicates > 0) {
        error_set(err, ERROR_INVALID,
                  "key column \"" STR_FORMAT
                  "\" is not unique: %lld value%s more than once, such as " STR_FORMAT,
                  STR_ARGS(name), (long long)duplicates, duplicates == 1 ? " occurs" : "s occur",
                  STR_ARGS(lake_result_text(result, 2)));
        error_hint(err,
                   "keep one row a key with QUALIFY row_number() OVER (PARTITION BY " STR_FORMAT
                   " ORDER BY …) = 1; `-- @constraint: unique(" STR_FORMAT
                   ")` where they come from finds them earlier",
                   STR_ARGS(key), STR_ARGS(name));
        return key_error(write, err);
    }
    return ERROR_NONE;
}
