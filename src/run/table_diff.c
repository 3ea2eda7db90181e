#include "run/table_diff.h"

#include "base/json.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/lake.h"
#include "lake/result.h"
#include "lake/snapshot.h"
#include "lake/table_format.h"

#include <assert.h>

bool table_diff_is_empty(const struct table_diff *diff) {
    return diff->schema.count == 0 && diff->added == 0 && diff->removed == 0;
}

// One side: the table, and what it is called in SQL.
struct side {
    str from;
    struct lake_column *columns;
    str *names; // what the columns are called now; before a rename they had another name
    size_t count;
    str compared; // the columns to compare, as SQL
};

static void name_columns(struct arena *arena, struct side *side) {
    side->names = ARENA_ARRAY(arena, str, side->count);
    for (size_t i = 0; i < side->count; i++) {
        side->names[i] = side->columns[i].name;
    }
}

// ── Columns ──

static bool is_own_column(const struct model *model, str name) {
    static const str HISTORY[] = {STR_INIT("valid_from_snapshot"), STR_INIT("valid_to_snapshot"),
                                  STR_INIT("is_current")};
    const enum model_kind kind = model->source.directives.kind;
    for (size_t i = 0; i < ARRAY_COUNT(HISTORY) && kind == MODEL_SCD2; i++) {
        if (str_equal_nocase(name, HISTORY[i])) {
            return true;
        }
    }
    return kind == MODEL_TRACKED && str_equal_nocase(name, STR("_content_hash"));
}

static const struct lake_column *find_column(const struct side *side, str name) {
    for (size_t i = 0; i < side->count; i++) {
        if (str_equal_nocase(side->names[i], name)) {
            return &side->columns[i];
        }
    }
    return NULL;
}

static void compare_columns(struct arena *arena, const struct side *before,
                            const struct side *after, struct table_diff *diff) {
    assert(before->columns != NULL);
    for (size_t i = 0; i < after->count; i++) {
        const struct lake_column *now = &after->columns[i];
        const struct lake_column *then = find_column(before, now->name);
        if (then == NULL) {
            str_list_push(arena, &diff->schema,
                          str_format(arena, "+ " STR_FORMAT " (" STR_FORMAT ")",
                                     STR_ARGS(now->name), STR_ARGS(now->type)));
            continue;
        }
        if (!str_equal_nocase(then->name, now->name)) {
            str_list_push(arena, &diff->schema,
                          str_format(arena, "renamed " STR_FORMAT " → " STR_FORMAT,
                                     STR_ARGS(then->name), STR_ARGS(now->name)));
        }
        if (!str_equal(then->type, now->type)) {
            str_list_push(arena, &diff->schema,
                          str_format(arena, STR_FORMAT ": " STR_FORMAT " → " STR_FORMAT,
                                     STR_ARGS(now->name), STR_ARGS(then->type),
                                     STR_ARGS(now->type)));
        }
    }
    for (size_t i = 0; i < before->count; i++) {
        if (find_column(after, before->names[i]) == NULL) {
            str_list_push(arena, &diff->schema,
                          str_format(arena, "- " STR_FORMAT, STR_ARGS(before->columns[i].name)));
        }
    }
}

// "a", "b": of this side, those that both have, without the kind's own, in the order of `after`.
static str common_columns(struct arena *arena, const struct model *model, const struct side *side,
                          const struct side *before, const struct side *after) {
    struct str_list names = {0};
    for (size_t i = 0; i < after->count; i++) {
        const str name = after->columns[i].name;
        const struct lake_column *own = find_column(side, name);
        if (!is_own_column(model, name) && own != NULL &&
            (before->count == 0 || find_column(before, name) != NULL)) {
            str_list_push(arena, &names,
                          str_format(arena, STR_FORMAT " AS " STR_FORMAT,
                                     STR_ARGS(lake_quote_name(arena, own->name)),
                                     STR_ARGS(lake_quote_name(arena, name))));
        }
    }
    return str_list_join(arena, &names, STR(", "));
}

// ── Rows ──

static enum error_code count_rows(struct lake_connection *connection, struct arena *arena,
                                  const struct side *side, int64_t *count, struct error *err) {
    *count = 0;
    return side->count == 0 ? ERROR_NONE
                            : lake_query_int64(connection,
                                               str_format(arena, "SELECT count(*) FROM " STR_FORMAT,
                                                          STR_ARGS(side->from)),
                                               LAKE_NO_VALUES, count, NULL, err);
}

// The row of that number as a JSON object, with every digit of its decimals.
static enum error_code read_sample(struct lake_connection *connection, struct arena *arena,
                                   str table, size_t number, str *sample, struct error *err) {
    LAKE_RESULT result = NULL;
    TRY(lake_query(connection,
                   str_format(arena, "FROM " STR_FORMAT " ORDER BY ALL LIMIT 1 OFFSET %zu",
                              STR_ARGS(table), number),
                   LAKE_NO_VALUES, &result, err));
    struct text text;
    struct json json;
    text_init(&text, arena);
    json_init(&json, &text);
    TRY(table_format_json_rows(&json, result, 0, NULL, err));
    const str rows = text_str(&text);
    *sample = str_slice(rows, 1, rows.size - 1); // of the array
    return ERROR_NONE;
}

// The rows of `one` that `other` does not have, by number and a few of them.
static enum error_code surplus(struct lake_connection *connection, struct arena *arena,
                               const struct side *one, const struct side *other, int64_t *count,
                               str *samples, size_t *sample_count, struct error *err) {
    if (one->count == 0 || one->compared.size == 0) {
        return ERROR_NONE;
    }
    str rows = str_format(arena, "SELECT " STR_FORMAT " FROM " STR_FORMAT, STR_ARGS(one->compared),
                          STR_ARGS(one->from));
    if (other->count > 0) {
        rows = str_format(arena, STR_FORMAT " EXCEPT ALL SELECT " STR_FORMAT " FROM " STR_FORMAT,
                          STR_ARGS(rows), STR_ARGS(other->compared), STR_ARGS(other->from));
    }
    const str table = STR("temp.main.__coypu_surplus");
    TRY(lake_execute(connection,
                     str_format(arena,
                                "CREATE OR REPLACE TEMP TABLE __coypu_surplus AS " STR_FORMAT,
                                STR_ARGS(rows)),
                     LAKE_NO_VALUES, NULL, err));
    TRY(lake_query_int64(connection,
                         str_format(arena, "SELECT count(*) FROM " STR_FORMAT, STR_ARGS(table)),
                         LAKE_NO_VALUES, count, NULL, err));
    while (*sample_count < DIFF_SAMPLES_MAX && (int64_t)*sample_count < *count) {
        TRY(read_sample(connection, arena, table, *sample_count, &samples[*sample_count], err));
        (*sample_count)++;
    }
    return lake_execute(connection, STR("DROP TABLE temp.main.__coypu_surplus"), LAKE_NO_VALUES,
                        NULL, err);
}

// ── Both sides ──

static void read_before(struct lake_connection *connection, struct arena *arena, str table,
                        int64_t snapshot, struct side *before) {
    struct error ignored;
    before->from =
        str_format(arena, STR_FORMAT " AT (VERSION => %lld)", STR_ARGS(table), (long long)snapshot);
    const str sql = str_format(arena, "FROM " STR_FORMAT, STR_ARGS(before->from));
    // It did not exist then: no columns, no rows.
    if (lake_describe(connection, arena, sql, &before->columns, &before->count, &ignored) !=
        ERROR_NONE) {
        before->count = 0;
    }
    name_columns(arena, before);
}

// DuckLake knows a renamed column by its id.
static enum error_code follow_renames(struct lake_connection *connection, struct arena *arena,
                                      const struct model *model, int64_t snapshot,
                                      struct side *before, struct error *err) {
    struct lake_table table;
    bool found = false;
    TRY(lake_table_find(connection, arena, model->schema, model->name, &table, &found, err));
    if (!found) {
        return ERROR_NONE;
    }
    const str sql = str_replace_all(
        arena,
        STR("SELECT past.column_name, now.column_name FROM {m}.ducklake_column past "
            "JOIN {m}.ducklake_column now USING (table_id, column_id) WHERE table_id = ?1 "
            "AND past.begin_snapshot <= ?2 AND coalesce(past.end_snapshot > ?2, true) "
            "AND now.end_snapshot IS NULL AND past.parent_column IS NULL "
            "AND lower(past.column_name) <> lower(now.column_name)"),
        STR("{m}"), lake_metadata_prefix(lake_of(connection)));
    LAKE_RESULT result = NULL;
    TRY(lake_query(connection, sql,
                   LAKE_VALUES(lake_value_int64(table.id), lake_value_int64(snapshot)), &result,
                   err));
    while (lake_result_next(result)) {
        for (size_t i = 0; i < before->count; i++) {
            if (str_equal(before->columns[i].name, lake_result_text(result, 0))) {
                before->names[i] = str_copy(arena, lake_result_text(result, 1));
            }
        }
    }
    return ERROR_NONE;
}

enum error_code table_diff_read(struct lake_connection *connection, struct arena *arena,
                                const struct model *model, int64_t snapshot,
                                struct table_diff *diff, struct error *err) {
    const str table = lake_quote_target(arena, model->target);
    struct side before = {0};
    struct side after = {.from = table};
    *diff = (struct table_diff){.model = model};
    read_before(connection, arena, table, snapshot, &before);
    TRY(lake_describe(connection, arena, str_format(arena, "FROM " STR_FORMAT, STR_ARGS(table)),
                      &after.columns, &after.count, err));
    name_columns(arena, &after);
    if (before.count > 0) {
        TRY(follow_renames(connection, arena, model, snapshot, &before, err));
        compare_columns(arena, &before, &after, diff);
    }
    before.compared = common_columns(arena, model, &before, &before, &after);
    after.compared = common_columns(arena, model, &after, &before, &after);
    TRY(count_rows(connection, arena, &before, &diff->rows_before, err));
    TRY(count_rows(connection, arena, &after, &diff->rows_after, err));
    TRY(surplus(connection, arena, &after, &before, &diff->added, diff->sample_added,
                &diff->sample_added_count, err));
    return surplus(connection, arena, &before, &after, &diff->removed, diff->sample_removed,
                   &diff->sample_removed_count, err);
}
