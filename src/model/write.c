// Three ways to a difference:
//
//   empty table  the query is inserted as it is, streaming; keys are checked on what arrived
//   multiset     table, and every kind's backfill without key: rows counted +1 in the new contents
//                and -1 in the old; what is left is deleted or inserted that often
//   keyed        merge: new rows joined to the table by key; only those that differ go on
//
// All read the table as of the transaction's snapshot, before anything of it is changed.
#include "model/write.h"

#include "base/text.h"
#include "lake/result.h"
#include "model/columns.h"

// Names that no column can have: the prefix is reserved.
#define NEW_TABLE "temp.__ondatra_new"
#define DIFF_TABLE "temp.__ondatra_diff"
#define COUNT_COLUMN "__ondatra_n"

void write_error_place(const struct model *model, struct error *err) {
    if (err->pos.line < 2) {
        error_at(err, model->file, 0, 0);
        return;
    }
    int line = 1;
    int column = 1;
    source_position(model->text, model->source.body_offset, &line, &column);
    const int error_column = err->pos.line == 2 ? err->pos.column + column - 1 : err->pos.column;
    error_at(err, model->file, line + err->pos.line - 2, error_column);
    error_source(err, model->text);
}

static str list_of(const struct write *write, str prefix) {
    return columns_list(write->arena, write->columns, write->column_count, prefix);
}

static str cast_list(const struct write *write) {
    return columns_cast_list(write->arena, write->columns, write->column_count);
}

// Runs "<head>(\n<body>\n)<tail>"; the head is one line, so that positions can be mapped back.
static enum error_code execute_body(struct write *write, str head, str tail, int64_t *changed,
                                    struct error *err) {
    const str sql = str_format(write->arena, STR_FORMAT "(\n" STR_FORMAT "\n)" STR_FORMAT,
                               STR_ARGS(head), STR_ARGS(write->body), STR_ARGS(tail));
    const enum error_code code = lake_execute_patient(write->connection, sql, changed, err);
    if (code != ERROR_NONE && err->pos.file[0] == '\0') {
        if (write->body_is_own) {
            write_error_place(write->model, err);
        } else {
            error_at(err, write->model->file, 0, 0);
        }
    }
    return code;
}

static enum error_code execute(struct write *write, int64_t *changed, struct error *err,
                               const char *format, ...) PRINTF_LIKE(4, 5);
static enum error_code execute(struct write *write, int64_t *changed, struct error *err,
                               const char *format, ...) {
    struct text text;
    text_init(&text, write->arena);
    va_list args;
    va_start(args, format);
    text_format_list(&text, format, args);
    va_end(args);
    return lake_execute_patient(write->connection, text_str(&text), changed, err);
}

// ── Keys ──

static enum error_code key_error(struct write *write, struct error *err) {
    const struct directive *key = &write->model->source.directives.unique_key;
    error_at(err, write->model->file, key->line, key->column);
    error_source(err, write->model->text);
    return err->code;
}

// No NULL and no value twice in the key column of `table`.
static enum error_code check_keys(struct write *write, str table, struct error *err) {
    const str name = write->model->source.directives.unique_key.value;
    const str key = lake_quote_name(write->arena, name);
    const str sql = str_format(
        write->arena,
        "SELECT count(*) FILTER (WHERE k IS NULL), count(*) FILTER (WHERE n > 1 AND k IS NOT NULL),"
        " array_to_string(list(k::VARCHAR ORDER BY k) FILTER (WHERE n > 1 AND k IS NOT NULL)[1:3],"
        " ', '), coalesce(sum(n) FILTER (WHERE k IS NULL), 0)::BIGINT"
        " FROM (SELECT " STR_FORMAT " AS k, count(*) AS n FROM " STR_FORMAT
        " GROUP BY 1 HAVING count(*) > 1 OR " STR_FORMAT " IS NULL)",
        STR_ARGS(key), STR_ARGS(table), STR_ARGS(key));
    LAKE_RESULT result = NULL;
    TRY(lake_query(write->connection, sql, LAKE_NO_VALUES, &result, err));
    if (!lake_result_next(result)) {
        return error_set(err, ERROR_INTERNAL, "the key check gave no row");
    }
    const int64_t nulls = lake_result_int64(result, 3);
    const int64_t duplicates = lake_result_int64(result, 1);
    if (nulls > 0) {
        error_set(err, ERROR_INVALID, "key column \"" STR_FORMAT "\" is NULL in %lld row%s",
                  STR_ARGS(name), (long long)nulls, nulls == 1 ? "" : "s");
        error_hint(err, "leave them out with WHERE " STR_FORMAT " IS NOT NULL", STR_ARGS(key));
        return key_error(write, err);
    }
    if (duplicates > 0) {
        error_set(err, ERROR_INVALID,
                  "key column \"" STR_FORMAT
                  "\" is not unique: %lld value%s more than once, such as " STR_FORMAT,
                  STR_ARGS(name), (long long)duplicates, duplicates == 1 ? " occurs" : "s occur",
                  STR_ARGS(lake_result_text(result, 2)));
        error_hint(err,
                   "keep one row a key with QUALIFY row_number() OVER (PARTITION BY " STR_FORMAT
                   " ORDER BY …) = 1",
                   STR_ARGS(key));
        return key_error(write, err);
    }
    return ERROR_NONE;
}

// ── Empty table ──

// ── The new rows ──

static enum error_code inspect(struct write *write, struct error *err) {
    return write->inspect == NULL ? ERROR_NONE
                                  : write->inspect(write->inspect_self, STR(NEW_TABLE), err);
}

static enum error_code evaluate(struct write *write, struct error *err) {
    const str head = str_format(
        write->arena, "CREATE OR REPLACE TEMP TABLE __ondatra_new AS SELECT " STR_FORMAT " FROM ",
        STR_ARGS(cast_list(write)));
    TRY(execute_body(write, head, STR(""), NULL, err));
    return inspect(write, err);
}

static enum error_code insert_evaluated(struct write *write, struct error *err) {
    const str columns = list_of(write, STR(""));
    return execute(write, &write->rows, err,
                   "INSERT INTO " STR_FORMAT " (" STR_FORMAT ") SELECT " STR_FORMAT
                   " FROM " NEW_TABLE,
                   STR_ARGS(model_table_name(write->arena, write->model)), STR_ARGS(columns),
                   STR_ARGS(columns));
}

// Streams, unless the rows are to be looked at first.
static enum error_code insert_query(struct write *write, struct error *err) {
    if (write->inspect != NULL) {
        TRY(evaluate(write, err));
        TRY(insert_evaluated(write, err));
    } else {
        const str head = str_format(
            write->arena, "INSERT INTO " STR_FORMAT " (" STR_FORMAT ") SELECT " STR_FORMAT " FROM ",
            STR_ARGS(model_table_name(write->arena, write->model)),
            STR_ARGS(list_of(write, STR(""))), STR_ARGS(cast_list(write)));
        TRY(execute_body(write, head, STR(""), &write->rows, err));
    }
    write->changed = write->rows > 0;
    return ERROR_NONE;
}

// ── Multiset ──

static enum error_code multiset_difference(struct write *write, int64_t *count, struct error *err) {
    const str columns = list_of(write, STR(""));
    TRY(execute(write, NULL, err,
                "CREATE OR REPLACE TEMP TABLE __ondatra_diff AS SELECT " STR_FORMAT
                ", sum(" COUNT_COLUMN ")::BIGINT AS " COUNT_COLUMN " FROM (SELECT " STR_FORMAT
                ", 1 AS " COUNT_COLUMN " FROM " NEW_TABLE " UNION ALL SELECT " STR_FORMAT
                ", -1 FROM " STR_FORMAT ") GROUP BY " STR_FORMAT " HAVING sum(" COUNT_COLUMN
                ") <> 0",
                STR_ARGS(columns), STR_ARGS(columns), STR_ARGS(columns),
                STR_ARGS(model_table_name(write->arena, write->model)), STR_ARGS(columns)));
    return lake_query_int64(write->connection, STR("SELECT count(*) FROM " DIFF_TABLE),
                            LAKE_NO_VALUES, count, NULL, err);
}

// Of each row that is there too often, as many copies go as there are too many.
static enum error_code delete_surplus(struct write *write, int64_t *deleted, struct error *err) {
    struct text match;
    text_init(&match, write->arena);
    for (size_t i = 0; i < write->column_count; i++) {
        const str name = lake_quote_name(write->arena, write->columns[i].name);
        text_format(&match, " AND t." STR_FORMAT " IS NOT DISTINCT FROM d." STR_FORMAT,
                    STR_ARGS(name), STR_ARGS(name));
    }
    return execute(
        write, deleted, err,
        "DELETE FROM " STR_FORMAT " WHERE rowid IN (SELECT r FROM (SELECT t.rowid AS r,"
        " row_number() OVER (PARTITION BY " STR_FORMAT ") AS i, d." COUNT_COLUMN
        " AS n FROM " STR_FORMAT " t JOIN " DIFF_TABLE " d ON d." COUNT_COLUMN " < 0" STR_FORMAT
        ") WHERE i <= -n)",
        STR_ARGS(model_table_name(write->arena, write->model)), STR_ARGS(list_of(write, STR("t."))),
        STR_ARGS(model_table_name(write->arena, write->model)), STR_ARGS(text_str(&match)));
}

static enum error_code insert_missing(struct write *write, int64_t *inserted, struct error *err) {
    const str columns = list_of(write, STR(""));
    return execute(write, inserted, err,
                   "INSERT INTO " STR_FORMAT " (" STR_FORMAT ") SELECT " STR_FORMAT
                   " FROM " DIFF_TABLE " WHERE " COUNT_COLUMN " = 1 UNION ALL SELECT " STR_FORMAT
                   " FROM (SELECT " STR_FORMAT ", unnest(range(" COUNT_COLUMN ")) FROM " DIFF_TABLE
                   " WHERE " COUNT_COLUMN " > 1)",
                   STR_ARGS(model_table_name(write->arena, write->model)), STR_ARGS(columns),
                   STR_ARGS(columns), STR_ARGS(columns), STR_ARGS(columns));
}

// A sink of a table model expects every row whenever anything differs (seed 000).
static enum error_code replace_whole(struct write *write, struct error *err) {
    int64_t deleted = 0;
    TRY(execute(write, &deleted, err, "DELETE FROM " STR_FORMAT,
                STR_ARGS(model_table_name(write->arena, write->model))));
    TRY(insert_evaluated(write, err));
    write->rows = write->rows > deleted ? write->rows : deleted;
    return ERROR_NONE;
}

static enum error_code write_multiset(struct write *write, struct error *err) {
    const struct directives *directives = &write->model->source.directives;
    int64_t differences = 0;
    TRY(evaluate(write, err));
    TRY(multiset_difference(write, &differences, err));
    if (differences == 0) {
        return ERROR_NONE;
    }
    write->changed = true;
    if (directives->kind == MODEL_TABLE && directives->sink.at.is_set) {
        return replace_whole(write, err);
    }
    int64_t deleted = 0;
    int64_t inserted = 0;
    TRY(delete_surplus(write, &deleted, err));
    TRY(insert_missing(write, &inserted, err));
    write->rows = inserted > deleted ? inserted : deleted;
    return ERROR_NONE;
}

// ── Append ──

// What the query gives beyond what the table holds, copies counted.
static enum error_code insert_surplus(struct write *write, struct error *err) {
    const str columns = list_of(write, STR(""));
    const str tail =
        str_format(write->arena, " EXCEPT ALL SELECT " STR_FORMAT " FROM " STR_FORMAT,
                   STR_ARGS(columns), STR_ARGS(model_table_name(write->arena, write->model)));
    if (write->inspect != NULL) {
        const str head =
            str_format(write->arena,
                       "CREATE OR REPLACE TEMP TABLE __ondatra_new AS SELECT " STR_FORMAT " FROM ",
                       STR_ARGS(columns));
        TRY(execute_body(write, head, tail, NULL, err));
        TRY(inspect(write, err));
        TRY(insert_evaluated(write, err));
    } else {
        const str head = str_format(
            write->arena, "INSERT INTO " STR_FORMAT " (" STR_FORMAT ") SELECT " STR_FORMAT " FROM ",
            STR_ARGS(model_table_name(write->arena, write->model)), STR_ARGS(columns),
            STR_ARGS(columns));
        TRY(execute_body(write, head, tail, &write->rows, err));
    }
    write->changed = write->rows > 0;
    return ERROR_NONE;
}

static enum error_code write_append(struct write *write, struct error *err) {
    if (write->run_type == RUN_BACKFILL) {
        return write_multiset(write, err);
    }
    return write->source == WRITE_SURPLUS ? insert_surplus(write, err) : insert_query(write, err);
}

// ── Merge ──

static str changed_condition(const struct write *write, str key) {
    struct text text;
    text_init(&text, write->arena);
    for (size_t i = 0; i < write->column_count; i++) {
        if (!str_equal_nocase(write->columns[i].name, key)) {
            const str name = lake_quote_name(write->arena, write->columns[i].name);
            text_format(&text, " OR s." STR_FORMAT " IS DISTINCT FROM t." STR_FORMAT,
                        STR_ARGS(name), STR_ARGS(name));
        }
    }
    return text_str(&text);
}

static str set_list(const struct write *write, str key) {
    struct text text;
    text_init(&text, write->arena);
    for (size_t i = 0; i < write->column_count; i++) {
        if (!str_equal_nocase(write->columns[i].name, key)) {
            const str name = lake_quote_name(write->arena, write->columns[i].name);
            text_format(&text, "%s" STR_FORMAT " = s." STR_FORMAT, text.size > 0 ? ", " : "",
                        STR_ARGS(name), STR_ARGS(name));
        }
    }
    return text_str(&text);
}

static enum error_code merge_difference(struct write *write, str key, int64_t *count,
                                        struct error *err) {
    const str name = lake_quote_name(write->arena, key);
    TRY(execute(write, NULL, err,
                "CREATE OR REPLACE TEMP TABLE __ondatra_diff AS SELECT " STR_FORMAT
                " FROM " NEW_TABLE " s LEFT JOIN " STR_FORMAT " t ON s." STR_FORMAT
                " = t." STR_FORMAT " WHERE t." STR_FORMAT " IS NULL" STR_FORMAT,
                STR_ARGS(list_of(write, STR("s."))),
                STR_ARGS(model_table_name(write->arena, write->model)), STR_ARGS(name),
                STR_ARGS(name), STR_ARGS(name), STR_ARGS(changed_condition(write, key))));
    return lake_query_int64(write->connection, STR("SELECT count(*) FROM " DIFF_TABLE),
                            LAKE_NO_VALUES, count, NULL, err);
}

static enum error_code merge_apply(struct write *write, str key, struct error *err) {
    const str name = lake_quote_name(write->arena, key);
    const str sets = set_list(write, key);
    const str update =
        sets.size == 0
            ? (str){0}
            : str_format(write->arena, " WHEN MATCHED THEN UPDATE SET " STR_FORMAT, STR_ARGS(sets));
    return execute(write, &write->rows, err,
                   "MERGE INTO " STR_FORMAT " AS t USING " DIFF_TABLE " AS s ON t." STR_FORMAT
                   " = s." STR_FORMAT STR_FORMAT " WHEN NOT MATCHED THEN INSERT (" STR_FORMAT
                   ") VALUES (" STR_FORMAT ")",
                   STR_ARGS(model_table_name(write->arena, write->model)), STR_ARGS(name),
                   STR_ARGS(name), STR_ARGS(update), STR_ARGS(list_of(write, STR(""))),
                   STR_ARGS(list_of(write, STR("s."))));
}

static enum error_code write_merge(struct write *write, struct error *err) {
    const str key = write->model->source.directives.unique_key.value;
    const str name = lake_quote_name(write->arena, key);
    int64_t differences = 0;
    TRY(evaluate(write, err));
    TRY(check_keys(write, STR(NEW_TABLE), err));
    TRY(merge_difference(write, key, &differences, err));
    if (differences > 0) {
        TRY(merge_apply(write, key, err));
    }
    int64_t deleted = 0;
    if (write->run_type == RUN_BACKFILL) { // the table is to equal the query: keys that are gone go
        TRY(execute(write, &deleted, err,
                    "DELETE FROM " STR_FORMAT " WHERE " STR_FORMAT " NOT IN (SELECT " STR_FORMAT
                    " FROM " NEW_TABLE ") OR " STR_FORMAT " IS NULL",
                    STR_ARGS(model_table_name(write->arena, write->model)), STR_ARGS(name),
                    STR_ARGS(name), STR_ARGS(name)));
    }
    write->rows += deleted;
    write->changed = write->rows > 0;
    return ERROR_NONE;
}

enum error_code write_rows(struct write *write, struct error *err) {
    const enum model_kind kind = write->model->source.directives.kind;
    write->rows = 0;
    write->changed = false;
    if (write->table_is_empty) {
        TRY(insert_query(write, err));
        return kind == MODEL_MERGE
                   ? check_keys(write, model_table_name(write->arena, write->model), err)
                   : ERROR_NONE;
    }
    switch (kind) {
    case MODEL_TABLE:
        return write_multiset(write, err);
    case MODEL_APPEND:
        return write_append(write, err);
    case MODEL_MERGE:
        return write_merge(write, err);
    case MODEL_TRACKED:
    case MODEL_SCD2:
        break;
    }
    return error_set(err, ERROR_INVALID, "@kind: " STR_FORMAT " is not built yet",
                     STR_ARGS(model_kind_name(kind)));
}
