// A partitioning that is to go waits for the rows: DuckLake ends the whole database when it writes
// a file into a table whose partitioning was reset in the same transaction, and lets none be reset
// once it keeps new rows of the transaction in its catalog.  So meanwhile the table is partitioned
// as it was, or by a stand-in that makes one partition of everything, and new rows go into files.
#include "run/decorate.h"

#include "base/context.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/result.h"
#include "lake/snapshot.h"

static enum error_code execute(struct runner *runner, str sql, struct error *err) {
    return lake_execute(runner->session.connection, sql, LAKE_NO_VALUES, NULL, err);
}

static void warn_storage(struct runner *runner, struct plan_step *step,
                         const struct directive *directive, const char *message, str list,
                         const char *why) {
    struct error_list *warnings = &step->storage_warnings;
    struct error warning;
    error_set(&warning, ERROR_INVALID, "%s" STR_FORMAT ": %s", message, STR_ARGS(list), why);
    error_at(&warning, step->model->file, directive->line, directive->column);
    error_source(&warning, step->model->text);
    if (warnings->arena == NULL) {
        error_list_init(warnings, runner->arena);
    }
    for (size_t i = 0; i < warnings->count; i++) {
        if (str_equal(str_from(warnings->items[i].message), str_from(warning.message))) {
            return; // of an earlier attempt
        }
    }
    error_list_add(warnings, &warning);
}

// ── Storage ──

static str quoted_list(struct arena *arena, const struct str_list *columns) {
    struct str_list quoted = {0};
    for (size_t i = 0; i < columns->count; i++) {
        str_list_push(arena, &quoted, lake_quote_name(arena, columns->items[i]));
    }
    return str_list_join(arena, &quoted, STR(", "));
}

// `year("order")`: the part with its column, which it ends with, as SQL needs it.
static str quoted_part(struct arena *arena, str part, str column) {
    const bool is_call = str_ends_with(part, STR(")"));
    const size_t start = part.size - column.size - (is_call ? 1 : 0);
    return str_format(arena, STR_FORMAT STR_FORMAT "%s", STR_ARGS(str_slice(part, 0, start)),
                      STR_ARGS(lake_quote_name(arena, column)), is_call ? ")" : "");
}

static str quoted_parts(struct arena *arena, const struct directives *directives) {
    struct str_list quoted = {0};
    for (size_t i = 0; i < directives->partition_parts.count; i++) {
        str_list_push(arena, &quoted,
                      quoted_part(arena, directives->partition_parts.items[i],
                                  directives->partition_columns.items[i]));
    }
    return str_list_join(arena, &quoted, STR(", "));
}

// PARTITIONED or SORTED, as a table is to have it.
struct storage {
    const char *what;
    const char *refused; // how the warning begins
    const struct directive *directive;
    str list; // empty: none
    str shown;
};

static void storage_wanted(struct arena *arena, const struct model *model,
                           struct storage settings[2]) {
    const struct directives *directives = &model->source.directives;
    settings[0] = (struct storage){"PARTITIONED", "the table is not partitioned by ",
                                   &directives->partitioned_by, quoted_parts(arena, directives),
                                   str_list_join(arena, &directives->partition_parts, STR(", "))};
    settings[1] = (struct storage){"SORTED", "the table is not sorted by ", &directives->sorted_by,
                                   quoted_list(arena, &directives->sort_columns),
                                   str_list_join(arena, &directives->sort_columns, STR(", "))};
}

static str storage_sql(struct arena *arena, const struct model *model,
                       const struct storage *storage) {
    const str target = model_table_name(arena, model);
    if (storage->list.size == 0) {
        return str_format(arena, "ALTER TABLE " STR_FORMAT " RESET %s BY", STR_ARGS(target),
                          storage->what);
    }
    const str list = bug_is_planted("PB_STORAGE") ? STR("no_such_column") : storage->list;
    return str_format(arena, "ALTER TABLE " STR_FORMAT " SET %s BY (" STR_FORMAT ")",
                      STR_ARGS(target), storage->what, STR_ARGS(list));
}

// A refusal is a warning.  It spoils the transaction, though: DuckLake keeps a part of what it
// refused, and fails when other changes of the schema follow.
static enum error_code set_storage(struct runner *runner, struct plan_step *step,
                                   const struct storage *storage, bool *changed,
                                   struct error *err) {
    const enum error_code code =
        execute(runner, storage_sql(runner->arena, step->model, storage), err);
    if (code == ERROR_NONE) {
        *changed = true;
    } else if (code != ERROR_CANCELLED && code != ERROR_CONFLICT) {
        step->storage_is_refused = true;
        warn_storage(runner, step, storage->directive,
                     storage->list.size > 0 ? storage->refused
                                            : "the table keeps its partitioning or sorting",
                     storage->shown, err->message);
    }
    return code;
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
static bool partitioning_fits(struct runner *runner, struct plan_step *step) {
    static const str TRANSFORMS[] = {STR_INIT("year("), STR_INIT("month("), STR_INIT("day("),
                                     STR_INIT("hour(")};
    struct arena *arena = runner->arena;
    const struct directives *directives = &step->model->source.directives;
    for (size_t i = 0; i < directives->partition_parts.count; i++) {
        const str part = directives->partition_parts.items[i];
        const str column = directives->partition_columns.items[i];
        bool is_function = false;
        for (size_t j = 0; j < ARRAY_COUNT(TRANSFORMS); j++) {
            is_function = is_function || str_starts_with(str_to_lower(arena, part), TRANSFORMS[j]);
        }
        struct error why;
        if (is_function &&
            !lake_can_bind(runner->session.connection,
                           str_format(arena, "SELECT " STR_FORMAT " FROM " STR_FORMAT,
                                      STR_ARGS(quoted_part(arena, part, column)),
                                      STR_ARGS(model_table_name(arena, step->model))),
                           &why)) {
            warn_storage(runner, step, &directives->partitioned_by,
                         "the table is not partitioned by ", part, why.message);
            return false;
        }
    }
    return true;
}

static str current_partitions_sql(struct arena *arena, str prefix) {
    return str_format(
        arena,
        "SELECT string_agg(CASE WHEN transform = 'identity' THEN column_name"
        " WHEN ends_with(transform, ')') THEN replace(transform, ')', ', ' || column_name || ')')"
        " ELSE transform || '(' || column_name || ')' END, ', ' ORDER BY partition_key_index)"
        " FROM " STR_FORMAT ".ducklake_partition_info i JOIN " STR_FORMAT
        ".ducklake_partition_column p USING (partition_id) JOIN " STR_FORMAT
        ".ducklake_column c ON c.table_id = i.table_id AND c.column_id = p.column_id"
        " AND c.end_snapshot IS NULL WHERE i.table_id = ? AND i.end_snapshot IS NULL",
        STR_ARGS(prefix), STR_ARGS(prefix), STR_ARGS(prefix));
}

static str current_sorts_sql(struct arena *arena, str prefix) {
    return str_format(arena,
                      "SELECT string_agg(expression, ', ' ORDER BY sort_key_index) FROM " STR_FORMAT
                      ".ducklake_sort_info i JOIN " STR_FORMAT
                      ".ducklake_sort_expression e USING (sort_id) WHERE i.table_id = ? AND"
                      " i.end_snapshot IS NULL",
                      STR_ARGS(prefix), STR_ARGS(prefix));
}

// PARTITIONED and SORTED, as the table has them.
static enum error_code storage_now(struct runner *runner, const struct model *model, str now[2],
                                   struct error *err) {
    struct arena *arena = runner->arena;
    struct lake_connection *connection = runner->session.connection;
    struct lake_table table;
    bool found = false;
    TRY(lake_table_find(connection, arena, model->schema, model->name, &table, &found, err));
    const str prefix = lake_metadata_prefix(runner->session.lake);
    const str sql[] = {current_partitions_sql(arena, prefix), current_sorts_sql(arena, prefix)};
    for (size_t i = 0; i < ARRAY_COUNT(sql); i++) {
        now[i] = (str){0};
        if (found) {
            TRY(lake_query_text(connection, arena, sql[i], LAKE_VALUES(lake_value_int64(table.id)),
                                &now[i], NULL, err));
        }
    }
    return ERROR_NONE;
}

static bool have_common_name(const struct str_list *a, const struct str_list *b) {
    bool have = false;
    for (size_t i = 0; i < a->count; i++) {
        have = have || str_list_has_nocase(b, a->items[i]);
    }
    return have;
}

// What is to stay as it is names the columns of its directive; all else is reset in any case.
enum error_code decorate_release(struct runner *runner, const struct plan_step *step,
                                 const struct str_list *dropped, struct storage_turn *storage,
                                 struct error *err) {
    const struct directives *directives = &step->model->source.directives;
    const struct str_list *named[] = {&directives->partition_columns, &directives->sort_columns};
    struct storage settings[ARRAY_COUNT(named)];
    str now[ARRAY_COUNT(named)];
    TRY(storage_now(runner, step->model, now, err));
    storage_wanted(runner->arena, step->model, settings);
    for (size_t i = 0; i < ARRAY_COUNT(settings); i++) {
        const bool stays = is_same_list(runner->arena, now[i], settings[i].list) &&
                           !have_common_name(named[i], dropped);
        if (now[i].size > 0 && !stays) {
            settings[i].list = (str){0};
            TRY(execute(runner, storage_sql(runner->arena, step->model, &settings[i]), err));
            storage->is_reset[i] = true;
        }
    }
    return ERROR_NONE;
}

static enum error_code set_stand_in(struct runner *runner, const struct plan_step *step,
                                    struct error *err) {
    struct arena *arena = runner->arena;
    return execute(runner,
                   str_format(arena,
                              "ALTER TABLE " STR_FORMAT " SET PARTITIONED BY (bucket(1, " STR_FORMAT
                              "))",
                              STR_ARGS(model_table_name(arena, step->model)),
                              STR_ARGS(lake_quote_name(arena, step->columns[0].name))),
                   err);
}

static enum error_code change_partitioning(struct runner *runner, struct plan_step *step, str now,
                                           const struct storage *wanted,
                                           struct storage_turn *storage, bool *changed,
                                           struct error *err) {
    const bool is_reset = storage->is_reset[0];
    const bool fits = !step->storage_is_refused && partitioning_fits(runner, step);
    if (fits && wanted->list.size > 0) {
        return is_reset || !is_same_list(runner->arena, now, wanted->list)
                   ? set_storage(runner, step, wanted, changed, err)
                   : ERROR_NONE;
    }
    if (is_reset) {
        TRY(set_stand_in(runner, step, err));
    }
    // Where it was refused the stand-in stays; what does not fit leaves the table as it is.
    storage->unpartitions = !step->storage_is_refused && (is_reset || (fits && now.size > 0));
    return ERROR_NONE;
}

static enum error_code change_storage(struct runner *runner, struct plan_step *step,
                                      struct storage_turn *storage, bool *changed,
                                      struct error *err) {
    struct storage settings[2];
    str now[ARRAY_COUNT(settings)];
    TRY(storage_now(runner, step->model, now, err));
    storage_wanted(runner->arena, step->model, settings);
    TRY(change_partitioning(runner, step, now[0], &settings[0], storage, changed, err));
    if (storage->is_reset[1]) {
        now[1] = (str){0};
    }
    return step->storage_is_refused || is_same_list(runner->arena, now[1], settings[1].list)
               ? ERROR_NONE
               : set_storage(runner, step, &settings[1], changed, err);
}

static enum error_code set_new_storage(struct runner *runner, struct plan_step *step,
                                       struct error *err) {
    struct storage settings[2];
    bool changed = false;
    storage_wanted(runner->arena, step->model, settings);
    for (size_t i = 0; i < ARRAY_COUNT(settings); i++) {
        if (settings[i].list.size > 0 && (i > 0 || partitioning_fits(runner, step))) {
            TRY(set_storage(runner, step, &settings[i], &changed, err));
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

// The table's own comment is read from the metadata, since duckdb_tables() would look up the size
// of every table of the lake; no statement before this one changes it.
static enum error_code change_comments(struct runner *runner, const struct model *model,
                                       bool *changed, struct error *err) {
    LAKE_RESULT result = NULL;
    const str sql = str_format(
        runner->arena,
        "SELECT '', (SELECT g.value FROM " STR_FORMAT ".ducklake_tag g JOIN " STR_FORMAT
        ".ducklake_table t ON g.object_id = t.table_id JOIN " STR_FORMAT
        ".ducklake_schema s USING (schema_id) WHERE g.key = 'comment' AND g.end_snapshot IS NULL "
        "AND t.end_snapshot IS NULL AND s.end_snapshot IS NULL AND lower(s.schema_name) = "
        "lower(?2) AND lower(t.table_name) = lower(?3)) UNION ALL SELECT column_name, comment FROM "
        "duckdb_columns() WHERE database_name = ?1 AND lower(schema_name) = lower(?2) AND "
        "lower(table_name) = lower(?3)",
        STR_ARGS(lake_metadata_prefix(runner->session.lake)),
        STR_ARGS(lake_metadata_prefix(runner->session.lake)),
        STR_ARGS(lake_metadata_prefix(runner->session.lake)));
    TRY(lake_query(runner->session.connection, sql,
                   LAKE_VALUES(lake_value_text(lake_alias(runner->session.lake)),
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
    if (!step->storage_is_refused) {
        TRY(set_new_storage(runner, step, err));
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
                                 struct storage_turn *storage, bool *changed, struct error *err) {
    const struct directives *directives = &step->model->source.directives;
    const bool is_released = storage->is_reset[0] || storage->is_reset[1];
    *changed = false;
    if (is_released || (edited && !step->storage_is_refused)) {
        TRY(change_storage(runner, step, storage, changed, err));
    }
    // Without descriptions there is something to look for only where they may have been removed.
    if (edited || directives->description.value.size > 0 || directives->columns.count > 0) {
        TRY(change_comments(runner, step->model, changed, err));
    }
    return ERROR_NONE;
}

enum error_code decorate_written(struct runner *runner, struct plan_step *step,
                                 const struct storage_turn *storage, bool *changed,
                                 struct error *err) {
    struct storage settings[2];
    if (!storage->unpartitions) {
        return ERROR_NONE;
    }
    storage_wanted(runner->arena, step->model, settings);
    settings[0].list = (str){0};
    settings[0].shown = (str){0};
    return set_storage(runner, step, &settings[0], changed, err);
}
