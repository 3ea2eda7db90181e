#include "run/decorate.h"

#include "base/text.h"
#include "lake/attach.h"
#include "lake/result.h"
#include "lake/snapshot.h"

static enum error_code execute(struct runner *runner, str sql, struct error *err) {
    return lake_execute(runner->session.connection, sql, LAKE_NO_VALUES, NULL, err);
}

// ── Storage ──

static str quoted_list(struct arena *arena, const struct str_list *columns) {
    struct str_list quoted = {0};
    for (size_t i = 0; i < columns->count; i++) {
        str_list_push(arena, &quoted, lake_quote_name(arena, columns->items[i]));
    }
    return str_list_join(arena, &quoted, STR(", "));
}

// ALTER TABLE … SET or RESET; `list` empty resets.
static enum error_code set_storage(struct runner *runner, const struct model *model,
                                   const char *what, str list, struct error *err) {
    struct arena *arena = runner->arena;
    const str target = model_table_name(arena, model);
    if (list.size == 0) {
        return execute(
            runner,
            str_format(arena, "ALTER TABLE " STR_FORMAT " RESET %s BY", STR_ARGS(target), what),
            err);
    }
    return execute(runner,
                   str_format(arena, "ALTER TABLE " STR_FORMAT " SET %s BY (" STR_FORMAT ")",
                              STR_ARGS(target), what, STR_ARGS(list)),
                   err);
}

// Two lists of columns are the same but for layout, quotes and case.
static bool is_same_list(struct arena *arena, str a, str b) {
    const str lists[] = {a, b};
    str plain[2];
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        struct text text;
        text_init(&text, arena);
        for (size_t j = 0; j < lists[i].size; j++) {
            const char c = lists[i].data[j];
            if (c != ' ' && c != '"') {
                text_add_char(&text, c);
            }
        }
        plain[i] = text_str(&text);
    }
    return str_equal_nocase(plain[0], plain[1]);
}

// DuckLake takes any expression and fails when rows are written: so it is bound first.
static bool storage_fits(struct runner *runner, struct plan_step *step) {
    static const str TRANSFORMS[] = {STR_INIT("year("), STR_INIT("month("), STR_INIT("day("),
                                     STR_INIT("hour(")};
    struct arena *arena = runner->arena;
    const struct directives *directives = &step->model->source.directives;
    for (size_t i = 0; i < directives->partition_parts.count; i++) {
        const str part = directives->partition_parts.items[i];
        bool is_function = false;
        for (size_t j = 0; j < ARRAY_COUNT(TRANSFORMS); j++) {
            is_function = is_function || str_starts_with(str_to_lower(arena, part), TRANSFORMS[j]);
        }
        struct error why;
        if (!is_function ||
            lake_can_bind(runner->session.connection,
                          str_format(arena, "SELECT " STR_FORMAT " FROM " STR_FORMAT,
                                     STR_ARGS(part),
                                     STR_ARGS(model_table_name(arena, step->model))),
                          &why)) {
            continue;
        }
        struct error *warning = ARENA_NEW(arena, struct error);
        error_set(warning, ERROR_INVALID, "the table is not partitioned by " STR_FORMAT ": %s",
                  STR_ARGS(part), why.message);
        error_at(warning, step->model->file, directives->partitioned_by.line,
                 directives->partitioned_by.column);
        step->storage_warning = warning;
        return false;
    }
    return true;
}

static enum error_code change_storage(struct runner *runner, struct plan_step *step, bool *changed,
                                      struct error *err) {
    const struct model *model = step->model;
    struct arena *arena = runner->arena;
    struct lake_connection *connection = runner->session.connection;
    const struct directives *directives = &model->source.directives;
    struct lake_table table;
    bool found = false;
    TRY(lake_table_find(connection, arena, model->schema, model->name, &table, &found, err));
    const str prefix = lake_metadata_prefix(runner->session.lake);
    const str partitions = str_format(
        arena,
        "SELECT string_agg(CASE WHEN transform = 'identity' THEN column_name"
        " WHEN ends_with(transform, ')') THEN replace(transform, ')', ', ' || column_name || ')')"
        " ELSE transform || '(' || column_name || ')' END, ', ' ORDER BY partition_key_index)"
        " FROM " STR_FORMAT ".ducklake_partition_info i JOIN " STR_FORMAT
        ".ducklake_partition_column p USING (partition_id) JOIN " STR_FORMAT
        ".ducklake_column c ON c.table_id = i.table_id AND c.column_id = p.column_id"
        " AND c.end_snapshot IS NULL WHERE i.table_id = ? AND i.end_snapshot IS NULL",
        STR_ARGS(prefix), STR_ARGS(prefix), STR_ARGS(prefix));
    const str sorts =
        str_format(arena,
                   "SELECT string_agg(expression, ', ' ORDER BY sort_key_index) FROM " STR_FORMAT
                   ".ducklake_sort_info i JOIN " STR_FORMAT
                   ".ducklake_sort_expression e USING (sort_id) WHERE i.table_id = ? AND"
                   " i.end_snapshot IS NULL",
                   STR_ARGS(prefix), STR_ARGS(prefix));
    const struct {
        const char *what;
        str current_sql;
        str wanted;
        bool (*fits)(struct runner *runner, struct plan_step *step); // NULL: always
    } SETTINGS[] = {
        {"PARTITIONED", partitions, str_list_join(arena, &directives->partition_parts, STR(", ")),
         storage_fits},
        {"SORTED", sorts, quoted_list(arena, &directives->sort_columns), NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(SETTINGS) && found; i++) {
        str current = {0};
        TRY(lake_query_text(connection, arena, SETTINGS[i].current_sql,
                            LAKE_VALUES(lake_value_int64(table.id)), &current, NULL, err));
        if (!is_same_list(arena, current, SETTINGS[i].wanted) &&
            (SETTINGS[i].fits == NULL || SETTINGS[i].fits(runner, step))) {
            TRY(set_storage(runner, model, SETTINGS[i].what, SETTINGS[i].wanted, err));
            *changed = true;
        }
    }
    return ERROR_NONE;
}

// ── Comments ──

// `column` empty: the table's own.
static enum error_code set_comment(struct runner *runner, const struct model *model, str column,
                                   str comment, struct error *err) {
    struct arena *arena = runner->arena;
    str name = model_table_name(arena, model);
    if (column.size > 0) {
        name = str_format(arena, STR_FORMAT "." STR_FORMAT, STR_ARGS(name),
                          STR_ARGS(lake_quote_name(arena, column)));
    }
    return execute(
        runner,
        str_format(arena, "COMMENT ON %s " STR_FORMAT " IS " STR_FORMAT,
                   column.size > 0 ? "COLUMN" : "TABLE", STR_ARGS(name),
                   STR_ARGS(comment.size > 0 ? lake_quote_text(arena, comment) : STR("NULL"))),
        err);
}

// What the directives say of a column, or of the table when `column` is empty.
static str wanted_comment(const struct model *model, str column) {
    const struct directives *directives = &model->source.directives;
    if (column.size == 0) {
        return directives->description.value;
    }
    for (size_t i = 0; i < directives->columns.count; i++) {
        if (str_equal_nocase(directives->columns.items[i].name, column)) {
            return directives->columns.items[i].description;
        }
    }
    return (str){0};
}

static enum error_code change_comments(struct runner *runner, const struct model *model,
                                       bool *changed, struct error *err) {
    LAKE_RESULT result = NULL;
    TRY(lake_query(
        runner->session.connection,
        STR("SELECT '', comment FROM duckdb_tables() WHERE database_name = ? AND"
            " schema_name ILIKE ? AND table_name ILIKE ? UNION ALL SELECT column_name, comment"
            " FROM duckdb_columns() WHERE database_name = ? AND schema_name ILIKE ? AND"
            " table_name ILIKE ?"),
        LAKE_VALUES(lake_value_text(lake_alias(runner->session.lake)),
                    lake_value_text(model->schema), lake_value_text(model->name),
                    lake_value_text(lake_alias(runner->session.lake)),
                    lake_value_text(model->schema), lake_value_text(model->name)),
        &result, err));
    while (lake_result_next(result)) {
        const str column = lake_result_text(result, 0);
        const str wanted = wanted_comment(model, column);
        if (!str_equal(lake_result_text(result, 1), wanted)) {
            TRY(set_comment(runner, model, column, wanted, err));
            *changed = true;
        }
    }
    return ERROR_NONE;
}

// ── Both ──

enum error_code decorate_new(struct runner *runner, struct plan_step *step, struct error *err) {
    const struct model *model = step->model;
    const struct directives *directives = &model->source.directives;
    if (directives->partition_parts.count > 0 && storage_fits(runner, step)) {
        TRY(set_storage(runner, model, "PARTITIONED",
                        str_list_join(runner->arena, &directives->partition_parts, STR(", ")),
                        err));
    }
    if (directives->sort_columns.count > 0) {
        TRY(set_storage(runner, model, "SORTED",
                        quoted_list(runner->arena, &directives->sort_columns), err));
    }
    if (directives->description.value.size > 0) {
        TRY(set_comment(runner, model, (str){0}, directives->description.value, err));
    }
    for (size_t i = 0; i < directives->columns.count; i++) {
        const struct column_directive *column = &directives->columns.items[i];
        if (column->description.size > 0) {
            TRY(set_comment(runner, model, column->name, column->description, err));
        }
    }
    return ERROR_NONE;
}

enum error_code decorate_changed(struct runner *runner, struct plan_step *step, bool edited,
                                 bool *changed, struct error *err) {
    const struct directives *directives = &step->model->source.directives;
    *changed = false;
    if (edited) {
        TRY(change_storage(runner, step, changed, err));
    }
    // Without descriptions there is something to look for only where they may have been removed.
    if (edited || directives->description.value.size > 0 || directives->columns.count > 0) {
        TRY(change_comments(runner, step->model, changed, err));
    }
    return ERROR_NONE;
}
