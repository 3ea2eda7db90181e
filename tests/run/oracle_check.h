#ifndef TESTS_RUN_ORACLE_CHECK_H
#define TESTS_RUN_ORACLE_CHECK_H

// What a table must hold after a run, said in SQL over the full query and the table as it was.

#include "run/oracle_copy.h"

struct oracle_check {
    struct oracle_world *world;
    int index;
    struct oracle_model *model;
    struct arena *arena;
    int sources; // the copy with what the model read
    int now;     // the copy with the table as it is
    int was;     // as it was before the run; 0: there is none
    bool existed;
    bool altered; // its columns are not what they were
    bool grows;   // an append that has more columns than it had
    bool has_full;
    str columns; // of the table, quoted, without those that coypu adds
    str added;   // "_content_hash" and the like, each with a comma before it; empty: none
    str values;  // as columns, without the key, by name
    str old;     // SELECT list for all columns of the table as it was
};

// ── SQL with words in braces ──

static inline str check_sql(struct oracle_check *check, str pattern) {
    struct arena *arena = check->arena;
    const str now = str_format(arena, "c%d.was.m%d", check->now, check->index);
    const str old = check->existed
                        ? str_format(arena, "(SELECT " STR_FORMAT ", __written FROM c%d.was.m%d)",
                                     STR_ARGS(check->old), check->was, check->index)
                        : str_format(arena, "(FROM " STR_FORMAT " LIMIT 0)", STR_ARGS(now));
    const struct {
        str word;
        str text;
    } WORDS[] = {
        {STR_INIT("{now}"), now},
        {STR_INIT("{old}"), old},
        {STR_INIT("{full}"), str_format(arena, "c%d.\"full\".m%d", check->sources, check->index)},
        {STR_INIT("{columns}"), check->columns},
        {STR_INIT("{all}"), str_format(arena, STR_FORMAT STR_FORMAT, STR_ARGS(check->columns),
                                       STR_ARGS(check->added))},
        {STR_INIT("{values}"), check->values},
        {STR_INIT("{run}"), str_format(arena, "%lld", (long long)check->world->before)},
    };
    for (size_t i = 0; i < ARRAY_COUNT(WORDS); i++) {
        pattern = str_replace_all(arena, pattern, WORDS[i].word, WORDS[i].text);
    }
    return pattern;
}

// The integers of the first row; false after an error, which fails the world.
static inline bool check_numbers(struct oracle_check *check, str sql, int64_t *numbers,
                                 size_t count) {
    struct error err;
    LAKE_RESULT result = NULL;
    if (lake_query(check->world->checker, sql, LAKE_NO_VALUES, &result, &err) != ERROR_NONE ||
        !lake_result_next(result)) {
        world_fail(check->world, check->index, "the check itself: %s\n" STR_FORMAT, err.message,
                   STR_ARGS(sql));
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        numbers[i] = lake_result_int64(result, i);
    }
    return true;
}

// ── Columns ──

static inline bool is_added(str name) {
    return str_equal(name, STR("_content_hash")) || str_equal(name, STR("valid_from_snapshot")) ||
           str_equal(name, STR("valid_to_snapshot")) || str_equal(name, STR("is_current"));
}

struct oracle_columns {
    struct lake_column *items;
    size_t count;
};

// Those of a table of a copy; false: there is none.
static inline bool columns_read(struct oracle_check *check, const char *schema, int copy,
                                struct oracle_columns *columns) {
    struct error err;
    const str sql = str_format(check->arena, "FROM c%d.\"%s\".m%d", copy, schema, check->index);
    *columns = (struct oracle_columns){0};
    return lake_describe(check->world->checker, check->arena, sql, &columns->items, &columns->count,
                         &err) == ERROR_NONE;
}

static inline const struct lake_column *columns_find(const struct oracle_columns *columns,
                                                     str name) {
    for (size_t i = 0; i < columns->count; i++) {
        if (str_equal_nocase(columns->items[i].name, name)) {
            return &columns->items[i];
        }
    }
    return NULL;
}

static inline int column_order(const void *a, const void *b) {
    return str_compare(((const struct lake_column *)a)->name,
                       ((const struct lake_column *)b)->name);
}

// A column of the table as it was: NULL when it had none of the name, or one of another type that
// does not widen (models.md §7).
static inline void add_old_column(struct text *out, const struct lake_column *column,
                                  const struct lake_column *was, str quoted) {
    const bool widens = was != NULL && str_equal(was->type, STR("INTEGER")) &&
                        str_equal(column->type, STR("BIGINT"));
    if (was != NULL && str_equal(was->type, column->type)) {
        text_add(out, quoted);
    } else {
        text_format(out, STR_FORMAT "::" STR_FORMAT " AS " STR_FORMAT,
                    STR_ARGS(widens ? quoted : STR("NULL")), STR_ARGS(column->type),
                    STR_ARGS(quoted));
    }
}

// What is known of the columns of the table and of what it was; false: there is no table.
static inline bool check_columns(struct oracle_check *check) {
    struct oracle_columns now, was;
    struct text columns, added, values, old;
    if (!columns_read(check, "was", check->now, &now)) {
        return false;
    }
    check->existed = check->was > 0 && columns_read(check, "was", check->was, &was);
    text_init(&columns, check->arena);
    text_init(&added, check->arena);
    text_init(&values, check->arena);
    text_init(&old, check->arena);
    qsort(now.items, now.count, sizeof(*now.items), column_order);
    check->altered = check->existed && now.count != was.count;
    // Whether an append has produced a row before is told by the columns that it had then.
    const bool only_known =
        check->model->kind == MODEL_APPEND && check->model->type != RUN_BACKFILL;
    for (size_t i = 0; i < now.count; i++) {
        const struct lake_column *column = &now.items[i];
        if (str_equal(column->name, STR("__written"))) {
            continue;
        }
        const struct lake_column *before = check->existed ? columns_find(&was, column->name) : NULL;
        check->altered =
            check->altered ||
            (check->existed && (before == NULL || !str_equal(before->type, column->type)));
        if (before == NULL && check->existed && only_known) {
            check->grows = true;
            continue;
        }
        const str quoted = lake_quote_name(check->arena, column->name);
        if (is_added(column->name)) {
            text_format(&added, ", " STR_FORMAT, STR_ARGS(quoted));
        } else {
            text_format(&columns, "%s" STR_FORMAT, columns.size > 0 ? ", " : "", STR_ARGS(quoted));
            if (!str_equal_nocase(column->name, STR("key"))) {
                text_format(&values, "%s" STR_FORMAT, values.size > 0 ? ", " : "",
                            STR_ARGS(quoted));
            }
        }
        if (check->existed) {
            text_add(&old, old.size > 0 ? STR(", ") : STR(""));
            add_old_column(&old, column, before, quoted);
        }
    }
    check->columns = text_str(&columns);
    check->added = text_str(&added);
    check->values = text_str(&values);
    check->old = text_str(&old);
    return true;
}

// Whether the table has the columns of the query, with their types, and those of its kind.
static inline bool columns_are_right(struct oracle_check *check) {
    static const int ADDED[] = {[MODEL_TABLE] = 0,
                                [MODEL_APPEND] = 0,
                                [MODEL_MERGE] = 0,
                                [MODEL_TRACKED] = 1,
                                [MODEL_SCD2] = 3};
    struct oracle_columns now, full;
    if (!columns_read(check, "was", check->now, &now) ||
        !columns_read(check, "full", check->sources, &full)) {
        return false;
    }
    for (size_t i = 0; i < full.count; i++) {
        const struct lake_column *column = columns_find(&now, full.items[i].name);
        if (column == NULL || !str_equal(column->type, full.items[i].type)) {
            return false;
        }
    }
    const size_t added = (size_t)ADDED[check->model->kind] + 1; // __written
    return now.count == full.count + added;
}

// ── What the rows must be ──

// An append that aggregates gives the aggregate of what is new in its only changed source.
static inline str expected_aggregate(struct oracle_check *check) {
    static const char *const TABLES[] = {"raw.a", "raw.b", "raw.c", "stg.m0"};
    if (str_find(check->model->body, STR("raw.v")) != SIZE_MAX ||
        str_find(check->model->body, STR("raw.a.")) != SIZE_MAX) {
        return STR("FROM found"); // the text does not tell where the table is read
    }
    for (size_t i = 0; i < ARRAY_COUNT(TABLES); i++) {
        const str table = str_from(TABLES[i]);
        if (str_find(check->model->body, table) == SIZE_MAX) {
            continue;
        }
        const str now = str_format(check->arena, "c%d.%s", check->sources, TABLES[i]);
        const str was = str_format(check->arena, "c%d.%s", check->model->base, TABLES[i]);
        const str delta =
            str_format(check->arena, "(FROM " STR_FORMAT " EXCEPT ALL FROM " STR_FORMAT ")",
                       STR_ARGS(now), STR_ARGS(was));
        int64_t changed = 0;
        if (!check_numbers(check,
                           str_format(check->arena,
                                      "SELECT ((SELECT count(*) FROM " STR_FORMAT
                                      ") <> (SELECT count(*) FROM " STR_FORMAT
                                      ") OR EXISTS (FROM " STR_FORMAT "))::INTEGER",
                                      STR_ARGS(now), STR_ARGS(was), STR_ARGS(delta)),
                           &changed, 1) ||
            changed != 1) {
            continue;
        }
        if (str_find(check->model->body, STR("UNION")) != SIZE_MAX) {
            return STR("FROM found"); // not said by putting the delta into the text
        }
        const str body = str_replace_all(check->arena, check->model->body, table, delta);
        return str_format(check->arena,
                          "SELECT {all} FROM {old} UNION ALL SELECT {columns} FROM (" STR_FORMAT
                          ") AS f WHERE EXISTS (FROM " STR_FORMAT ")",
                          STR_ARGS(body), STR_ARGS(delta));
    }
    return STR("SELECT {all} FROM {old}");
}

static inline str expected_append(struct oracle_check *check) {
    // Old rows have no values in columns that came later, so they are not those of the query.
    if (check->model->has_grown) {
        return STR("SELECT {all} FROM {old} UNION ALL (SELECT {all} FROM {now} WHERE __written > "
                   "{run} INTERSECT ALL SELECT {all} FROM {full})");
    }
    if (check->model->aggregates && (check->model->status == RUN_SKIPPED ||
                                     str_equal(check->model->shape, STR("nothing changed")))) {
        return STR("SELECT {all} FROM {old}");
    }
    if (str_equal(check->model->shape, STR("aggregate of the delta"))) {
        return expected_aggregate(check);
    }
    return STR("SELECT {all} FROM {old} UNION ALL (SELECT {all} FROM {full} EXCEPT ALL SELECT "
               "{all} FROM {old})");
}

// The rows by models.md §5, with the columns {all}.
static inline str expected_rows(struct oracle_check *check) {
    const bool rebuilt = check->model->type == RUN_BACKFILL || !check->existed;
    switch (check->model->kind) {
    case MODEL_TABLE:
        return STR("SELECT {all} FROM {full}");
    case MODEL_APPEND:
        return rebuilt ? STR("SELECT {all} FROM {full}") : expected_append(check);
    case MODEL_MERGE:
        return rebuilt ? STR("SELECT {all} FROM {full}")
                       : STR("SELECT {all} FROM {full} UNION ALL SELECT {all} FROM {old} WHERE key "
                             "NOT IN (SELECT key FROM {full})");
    case MODEL_TRACKED:
        return STR("SELECT {columns}, (sum(hash(row({values}))) OVER (PARTITION BY key))::VARCHAR "
                   "FROM {full}");
    case MODEL_SCD2: // every version; but for --full-refresh, a backfill keeps the closed ones, too
        if (check->world->refreshes) {
            return STR("SELECT {columns}, true, {run}, NULL FROM {full}");
        }
        return STR(
            "SELECT {all} FROM {old} WHERE NOT is_current UNION ALL "
            "SELECT {columns}, is_current, valid_from_snapshot, valid_to_snapshot FROM {old} "
            "WHERE is_current AND key IN (SELECT key FROM same) UNION ALL "
            "SELECT {columns}, false, valid_from_snapshot, {run} - 1 FROM {old} "
            "WHERE is_current AND key NOT IN (SELECT key FROM same) UNION ALL "
            "SELECT {columns}, true, {run}, NULL FROM {full} "
            "WHERE key NOT IN (SELECT key FROM same)");
    }
    return (str){0};
}

// ── Comparing ──

// Evaluates the query over the copy of its sources, once for all comparisons.
static inline void check_evaluate(struct oracle_check *check) {
    struct error err;
    if (check->world->used != check->sources) {
        (void)copy_execute(check->world, check->world->checker,
                           str_format(check->arena, "USE c%d", check->sources));
        check->world->used = check->sources;
    }
    check->has_full =
        lake_execute(check->world->checker,
                     str_format(check->arena,
                                "CREATE TABLE IF NOT EXISTS \"full\".m%d AS " STR_FORMAT,
                                check->index, STR_ARGS(check->model->body)),
                     LAKE_NO_VALUES, NULL, &err) == ERROR_NONE;
}

static inline bool has_key_trouble(struct oracle_check *check) {
    const enum model_kind kind = check->model->kind;
    if (!check->has_full || (kind != MODEL_MERGE && kind != MODEL_SCD2 && kind != MODEL_TRACKED)) {
        return false;
    }
    int64_t bad = 0;
    return check_numbers(check,
                         check_sql(check, kind == MODEL_TRACKED
                                              ? STR("SELECT count(*) FROM {full} WHERE key IS NULL")
                                              : STR("SELECT count(*) - count(DISTINCT key) FROM "
                                                    "{full}")),
                         &bad, 1) &&
           bad > 0;
}

struct oracle_difference {
    int64_t rows;    // too many or too few
    int64_t changed; // rows that the table has and had not; of tracked: with all of their group
    int64_t gone;    // that it had and has not
    int64_t written; // rows that this run wrote
};

static inline bool check_difference(struct oracle_check *check, str expected,
                                    struct oracle_difference *difference) {
    // Of tracked, a group is written whole.
    const bool in_groups = check->model->kind == MODEL_TRACKED;
    const str sql = str_format(
        check->arena,
        "WITH found AS (SELECT {all} FROM {now}), same AS (" STR_FORMAT
        "), expected AS (" STR_FORMAT "), net AS (SELECT {all}, sum(__n) AS __n FROM (SELECT "
        "{all}, 1 AS __n FROM found UNION ALL "
        "SELECT {all}, -1 FROM {old}) GROUP BY {all}) SELECT "
        "(SELECT coalesce(sum(abs(__n)), 0) FROM (SELECT sum(__n) AS __n FROM (SELECT *, 1 AS __n "
        "FROM "
        "found UNION ALL SELECT *, -1 FROM expected) GROUP BY {all})),"
        "(%s),"
        "(SELECT coalesce(-sum(__n), 0) FROM net WHERE __n < 0),"
        "(SELECT count(*) FROM {now} WHERE __written > {run})",
        STR_ARGS(
            check->model->kind == MODEL_SCD2
                ? STR("SELECT key FROM (SELECT {columns} FROM {old} WHERE is_current INTERSECT "
                      "SELECT {columns} FROM {full})")
                : STR("SELECT 1")),
        STR_ARGS(expected),
        in_groups ? "SELECT count(*) FROM found WHERE key IN (SELECT key FROM net WHERE __n <> 0)"
                  : "SELECT coalesce(sum(__n), 0) FROM net WHERE __n > 0");
    int64_t numbers[4] = {0};
    if (!check_numbers(check, check_sql(check, sql), numbers, ARRAY_COUNT(numbers))) {
        return false;
    }
    *difference = (struct oracle_difference){numbers[0], numbers[1], numbers[2], numbers[3]};
    return true;
}

static inline void check_failed_run(struct oracle_check *check) {
    struct oracle_difference difference;
    if (check->has_full && !check->model->blocked && !has_key_trouble(check)) {
        world_fail(check->world, check->index, "failed without cause: " STR_FORMAT,
                   STR_ARGS(check->model->message));
        return;
    }
    if (!check_columns(check)) {
        if (check->existed) {
            world_fail(check->world, check->index, "a failed run dropped the table");
        }
        return;
    }
    if (check->altered) {
        world_fail(check->world, check->index, "a failed run changed the columns");
    } else if (check_difference(check, STR("SELECT {all} FROM {old}"), &difference) &&
               (difference.rows != 0 || difference.written != 0 || check->model->snapshot != 0)) {
        world_fail(check->world, check->index, "a failed run changed the table");
    }
}

// What did not change is not written, and without a change there is no snapshot, but to record what
// an expired commit has told.
static inline void check_writes(struct oracle_check *check,
                                const struct oracle_difference *difference) {
    const struct oracle_model *model = check->model;
    const bool rebuilt = model->type == RUN_BACKFILL &&
                         (check->altered || (check->world->refreshes && model->kind == MODEL_SCD2));
    if (difference->written != difference->changed && !rebuilt) {
        world_fail(check->world, check->index,
                   "wrote %lld rows where %lld are new (" STR_FORMAT ")",
                   (long long)difference->written, (long long)difference->changed,
                   STR_ARGS(model->message));
    }
    const bool changes = difference->changed > 0 || difference->gone > 0 || check->altered ||
                         model->type == RUN_BACKFILL ||
                         str_starts_with(model->message, STR("missing/invalid depends metadata"));
    if (changes != (model->snapshot > 0)) {
        world_fail(check->world, check->index, "%s a change (" STR_FORMAT ")",
                   changes ? "made no snapshot of" : "made a snapshot without",
                   STR_ARGS(model->message));
    }
}

static inline void check_model(struct oracle_check *check) {
    const struct oracle_model *model = check->model;
    struct oracle_difference difference;
    if (!model->ran) {
        world_fail(check->world, check->index, "did not run");
        return;
    }
    check_evaluate(check);
    if (model->status == RUN_ERROR || model->blocked) {
        check_failed_run(check);
        return;
    }
    if (!check->has_full) {
        world_fail(check->world, check->index, "ran without a query that runs");
        return;
    }
    if (has_key_trouble(check)) {
        world_fail(check->world, check->index, "took duplicate or NULL keys (" STR_FORMAT ")",
                   STR_ARGS(model->message));
        return;
    }
    if (!check_columns(check) || !columns_are_right(check)) {
        world_fail(check->world, check->index, "has not the columns of its query (" STR_FORMAT ")",
                   STR_ARGS(model->message));
        return;
    }
    if (!check_difference(check, expected_rows(check), &difference)) {
        return;
    }
    if (difference.rows != 0) {
        world_fail(check->world, check->index, "%lld rows differ (" STR_FORMAT ")",
                   (long long)difference.rows, STR_ARGS(model->message));
        return;
    }
    check_writes(check, &difference);
}

// The view by which bodies over the copy read stg.m0.
static inline void check_see_staging(struct oracle_world *w, int sources, int now) {
    SCRATCH(scratch);
    struct error ignored; // when m0 could not be made
    (void)!lake_execute(w->checker,
                        str_format(&scratch,
                                   "CREATE VIEW c%d.stg.m0 AS SELECT * EXCLUDE (__written) FROM "
                                   "c%d.was.m0",
                                   sources, now),
                        LAKE_NO_VALUES, NULL, &ignored);
}

// Compares the model over the copy; false when it is not as it should be.
static inline bool check_over(struct oracle_world *w, int index, int sources, int now, int was) {
    SCRATCH(scratch);
    struct oracle_check check = {
        .world = w,
        .index = index,
        .model = &w->models[index],
        .sources = sources,
        .now = now,
        .was = was,
        .arena = &scratch,
    };
    check_model(&check);
    check.model->existed = check.existed;
    w->count->checks++;
    if (!w->failed && check.model->status != RUN_ERROR && !check.model->blocked) {
        check.model->base = sources;
        check.model->has_grown =
            check.model->type != RUN_BACKFILL && (check.model->has_grown || check.grows);
    }
    return !w->failed;
}

// What the model read: the sources before or after an edit that came while the run was under way.
// Of a model that read nothing it is not known which it looked at: one of them must do.
static inline void check_over_right(struct oracle_world *w, int index, int now, int was) {
    const struct oracle_intrusion *intrusion = &w->intrusion;
    const int64_t read = w->models[index].read_snapshot;
    if (intrusion->snapshot == 0 || read >= intrusion->snapshot) {
        (void)check_over(w, index, now, now, was);
    } else if (!check_over(w, index, intrusion->sources, now, was) && read == 0) {
        w->failed = false;
        (void)check_over(w, index, now, now, was);
    }
}

// A run makes a snapshot for every model that says so, and one for all tables that were missing.
static inline void check_snapshots(struct oracle_world *w, int was) {
    int64_t commits = 0;
    bool all_existed = was > 0;
    for (int i = 0; i < ORACLE_MODELS; i++) {
        commits += w->models[i].on && w->models[i].snapshot > 0 ? 1 : 0;
        all_existed = all_existed && (!w->models[i].on || w->models[i].existed);
    }
    const int64_t made = w->copied - w->before;
    if (w->intrusion.edit.size == 0 && (made < commits || made > commits + (all_existed ? 0 : 1))) {
        world_fail(w, -1, "the run made %lld snapshots, its models %lld", (long long)made,
                   (long long)commits);
    }
}

// Compares every model; `was` is the copy after the last run, 0: there was none.
static inline int world_check(struct oracle_world *w, int was) {
    int64_t since_us = clock_monotonic_us(&w->context.clock);
    const int now = w->failed ? 0 : copy_make(w, false);
    world_phase(w, PHASE_COPY, &since_us);
    if (now == 0) {
        return 0;
    }
    check_see_staging(w, now, now);
    if (w->intrusion.snapshot > 0) {
        check_see_staging(w, w->intrusion.sources, now);
    }
    for (int i = 0; i < ORACLE_MODELS && !w->failed; i++) {
        if (w->models[i].on) {
            check_over_right(w, i, now, was);
        }
    }
    if (!w->failed) {
        check_snapshots(w, was);
    }
    world_phase(w, PHASE_CHECK, &since_us);
    return now;
}

#endif
