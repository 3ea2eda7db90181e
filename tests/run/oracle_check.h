#ifndef TESTS_RUN_ORACLE_CHECK_H
#define TESTS_RUN_ORACLE_CHECK_H

// What a table must hold after a run, said in SQL over the full query and the table as it was.

#include "run/oracle_world.h"

struct oracle_check {
    struct oracle_world *world;
    int index;
    const struct oracle_model *model;
    int64_t before; // snapshots
    int64_t after;
    struct arena *arena;
    bool existed;
    str columns; // of the table, quoted
    str old;     // SELECT with the columns of the table as it was; empty table when it was not
    str query;   // SELECT with the same columns of the full query
};

static inline int64_t check_number(struct oracle_check *check, str sql) {
    struct error err;
    int64_t value = -1;
    if (lake_query_int64(check->world->other, sql, LAKE_NO_VALUES, &value, NULL, &err) !=
        ERROR_NONE) {
        world_fail(check->world, check->index, "the check itself: %s\n" STR_FORMAT, err.message,
                   STR_ARGS(sql));
        return -1;
    }
    return value;
}

static inline bool check_describe(struct oracle_check *check, str sql, struct lake_column **columns,
                                  size_t *count) {
    struct error err;
    *count = 0;
    return lake_describe(check->world->other, check->arena, sql, columns, count, &err) ==
           ERROR_NONE;
}

static inline bool is_helper(str name) {
    return str_equal(name, STR("_content_hash")) || str_equal(name, STR("valid_from_snapshot")) ||
           str_equal(name, STR("valid_to_snapshot")) || str_equal(name, STR("is_current"));
}

// The columns of the table, and the same of what it was: those that it had not are NULL.
static inline bool check_columns(struct oracle_check *check) {
    struct lake_column *now, *was;
    size_t now_count, was_count;
    struct text columns;
    struct text old;
    const str target = check->model->target;
    text_init(&columns, check->arena);
    text_init(&old, check->arena);
    const str before = str_format(check->arena, "FROM " STR_FORMAT " AT (VERSION => %lld)",
                                  STR_ARGS(target), (long long)check->before);
    if (!check_describe(check, str_format(check->arena, "FROM " STR_FORMAT, STR_ARGS(target)), &now,
                        &now_count)) {
        return false;
    }
    check->existed = check_describe(check, before, &was, &was_count);
    for (size_t i = 0; i < now_count; i++) {
        if (is_helper(now[i].name)) {
            continue;
        }
        bool found = false;
        for (size_t j = 0; j < was_count && check->existed; j++) {
            found = found || (str_equal_nocase(was[j].name, now[i].name) &&
                              str_equal(was[j].type, now[i].type));
        }
        const str name = lake_quote_name(check->arena, now[i].name);
        const char *comma = columns.size > 0 ? ", " : "";
        text_format(&columns, "%s" STR_FORMAT, comma, STR_ARGS(name));
        if (found) {
            text_format(&old, "%s" STR_FORMAT, comma, STR_ARGS(name));
        } else {
            text_format(&old, "%sNULL::" STR_FORMAT " AS " STR_FORMAT, comma, STR_ARGS(now[i].type),
                        STR_ARGS(name));
        }
    }
    check->columns = text_str(&columns);
    check->old = check->existed
                     ? str_format(check->arena, "SELECT " STR_FORMAT " " STR_FORMAT,
                                  STR_ARGS(text_str(&old)), STR_ARGS(before))
                     : str_format(check->arena, "SELECT " STR_FORMAT " FROM " STR_FORMAT " LIMIT 0",
                                  STR_ARGS(check->columns), STR_ARGS(target));
    check->query = str_format(check->arena, "SELECT " STR_FORMAT " FROM (" STR_FORMAT "\n) AS f",
                              STR_ARGS(check->columns), STR_ARGS(check->model->body));
    return true;
}

// An append that aggregates gives the aggregate of what is new in its only changed source.
static inline str expected_aggregate(struct oracle_check *check) {
    static const char *const TABLES[] = {"raw.a", "raw.b", "raw.c", "stg.m0"};
    for (size_t i = 0; i < sizeof(TABLES) / sizeof(*TABLES); i++) {
        const str table = str_from(TABLES[i]);
        if (str_find(check->model->body, table) == SIZE_MAX) {
            continue;
        }
        struct lake_column *columns;
        size_t count;
        if (!check_describe(check, str_format(check->arena, "FROM %s", TABLES[i]), &columns,
                            &count)) {
            continue;
        }
        const str delta =
            str_format(check->arena, "(FROM %s EXCEPT ALL FROM %s AT (VERSION => %lld))", TABLES[i],
                       TABLES[i], (long long)check->model->base);
        const str changed = str_format(
            check->arena,
            "SELECT (SELECT count(*) FROM %s) <> (SELECT count(*) FROM %s AT (VERSION => %lld)) OR "
            "EXISTS (FROM " STR_FORMAT ")",
            TABLES[i], TABLES[i], (long long)check->model->base, STR_ARGS(delta));
        if (check_number(check, str_format(check->arena, "SELECT (" STR_FORMAT ")::INTEGER",
                                           STR_ARGS(changed))) != 1) {
            continue;
        }
        if (str_find(check->model->body, STR("UNION")) != SIZE_MAX) {
            return STR("FROM found"); // not said by putting the delta into the text
        }
        const str body = str_replace_all(check->arena, check->model->body, table, delta);
        return str_format(check->arena,
                          STR_FORMAT " UNION ALL SELECT " STR_FORMAT " FROM (" STR_FORMAT
                                     ") AS f WHERE EXISTS (FROM " STR_FORMAT ")",
                          STR_ARGS(check->old), STR_ARGS(check->columns), STR_ARGS(body),
                          STR_ARGS(delta));
    }
    return check->old;
}

static inline str expected_rows(struct oracle_check *check) {
    const bool rebuilt = check->model->type == RUN_BACKFILL || !check->existed;
    switch (check->model->kind) {
    case MODEL_TABLE:
    case MODEL_TRACKED:
        return check->query;
    case MODEL_APPEND:
        if (rebuilt) {
            return check->query;
        }
        if (check->model->aggregates && (check->model->status == RUN_SKIPPED ||
                                         str_equal(check->model->shape, STR("nothing changed")))) {
            return check->old;
        }
        if (str_equal(check->model->shape, STR("aggregate of the delta"))) {
            return expected_aggregate(check);
        }
        return str_format(check->arena,
                          STR_FORMAT " UNION ALL (" STR_FORMAT " EXCEPT ALL " STR_FORMAT ")",
                          STR_ARGS(check->old), STR_ARGS(check->query), STR_ARGS(check->old));
    case MODEL_MERGE:
        if (rebuilt) {
            return check->query;
        }
        return str_format(check->arena,
                          STR_FORMAT " UNION ALL SELECT * FROM (" STR_FORMAT
                                     ") AS o WHERE key NOT IN (SELECT key FROM (" STR_FORMAT
                                     ") AS q WHERE key IS NOT NULL)",
                          STR_ARGS(check->query), STR_ARGS(check->old), STR_ARGS(check->query));
    case MODEL_SCD2:
        return check->query;
    }
    return (str){0};
}

// Rows that are too many or too few.
static inline int64_t check_difference(struct oracle_check *check, str expected) {
    const char *where = check->model->kind == MODEL_SCD2 ? " WHERE is_current" : "";
    const str table = str_format(check->arena, "SELECT " STR_FORMAT " FROM " STR_FORMAT "%s",
                                 STR_ARGS(check->columns), STR_ARGS(check->model->target), where);
    return check_number(
        check,
        str_format(check->arena,
                   "WITH found AS MATERIALIZED (" STR_FORMAT
                   "), expected AS MATERIALIZED (" STR_FORMAT
                   ") SELECT count(*) FROM ((FROM expected EXCEPT ALL FROM found) UNION ALL (FROM "
                   "found EXCEPT ALL FROM expected))",
                   STR_ARGS(table), STR_ARGS(expected)));
}

static inline bool has_key_trouble(struct oracle_check *check) {
    if (check->model->kind != MODEL_MERGE && check->model->kind != MODEL_SCD2 &&
        check->model->kind != MODEL_TRACKED) {
        return false;
    }
    const char *having = check->model->kind == MODEL_TRACKED ? "" : "count(*) > 1 OR ";
    return check_number(check, str_format(check->arena,
                                          "SELECT count(*) FROM (SELECT key FROM (" STR_FORMAT
                                          "\n) AS f GROUP BY key HAVING %skey IS NULL)",
                                          STR_ARGS(check->model->body), having)) > 0;
}

static inline void check_failed_run(struct oracle_check *check) {
    struct lake_column *columns;
    size_t count;
    const bool evaluates = check_describe(check, check->model->body, &columns, &count);
    if (evaluates && !check->model->blocked && !has_key_trouble(check)) {
        world_fail(check->world, check->index, "failed without cause: " STR_FORMAT,
                   STR_ARGS(check->model->message));
        return;
    }
    if (check_columns(check) && check->existed && check_difference(check, check->old) != 0) {
        world_fail(check->world, check->index, "a failed run changed the table");
    }
}

static inline void check_model(struct oracle_check *check) {
    const struct oracle_model *model = check->model;
    if (!model->ran) {
        world_fail(check->world, check->index, "did not run");
        return;
    }
    if (model->status == RUN_ERROR || model->blocked) {
        check_failed_run(check);
        return;
    }
    if (has_key_trouble(check)) {
        world_fail(check->world, check->index, "took duplicate or NULL keys (" STR_FORMAT ")",
                   STR_ARGS(model->message));
        return;
    }
    if (!check_columns(check)) {
        world_fail(check->world, check->index, "no table");
        return;
    }
    const int64_t differences = check_difference(check, expected_rows(check));
    if (differences != 0) {
        world_fail(check->world, check->index, "%lld rows differ (" STR_FORMAT ")",
                   (long long)differences, STR_ARGS(model->message));
    }
}

// All models, in one transaction, since outside of one every statement reads the catalog anew.
static inline void world_check(struct oracle_world *w, int64_t before) {
    SCRATCH(scratch);
    struct error err;
    int64_t after = 0;
    if (w->failed || lake_begin(w->other, &err) != ERROR_NONE) {
        return;
    }
    if (lake_current_snapshot(w->other, &after, &err) != ERROR_NONE) {
        world_fail(w, -1, "%s", err.message);
    }
    for (int i = 0; i < ORACLE_MODELS && !w->failed; i++) {
        if (!w->models[i].on) {
            continue;
        }
        struct oracle_check check = {
            .world = w,
            .index = i,
            .model = &w->models[i],
            .before = before,
            .after = after,
            .arena = &scratch,
        };
        check_model(&check);
        if (w->models[i].status != RUN_ERROR && !w->models[i].blocked) {
            w->models[i].base = after;
        }
    }
    lake_rollback(w->other);
}

#endif
