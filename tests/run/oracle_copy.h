#ifndef TESTS_RUN_ORACLE_COPY_H
#define TESTS_RUN_ORACLE_COPY_H

// Copies of the lake in memory, a database each, so that a comparison costs no catalog queries of
// DuckLake and every earlier state is at hand.
//
// Copy number N is the database cN:
//
//     raw.*, stg.m0   what models read, under the names in their bodies
//     was.mI          the table of model I, when it has one, with `__written`: the snapshot that
//                     wrote the row
//     full.mI         the rows of its query over this copy (oracle_check.h)

#include "run/oracle_world.h"

static inline bool copy_execute(struct oracle_world *w, struct lake_connection *connection,
                                str sql) {
    struct error err;
    if (lake_execute(connection, sql, LAKE_NO_VALUES, NULL, &err) == ERROR_NONE) {
        return true;
    }
    world_fail(w, -1, "the copy: %s\n" STR_FORMAT, err.message, STR_ARGS(sql));
    return false;
}

static inline void copy_sources(struct oracle_world *w, int copy) {
    static const char *const NAMES[] = {"a", "b", "c"};
    SCRATCH(scratch);
    for (size_t i = 0; i < ARRAY_COUNT(NAMES); i++) {
        (void)copy_execute(w, w->other,
                           str_format(&scratch, "CREATE TABLE c%d.raw.%s AS FROM lake.raw.%s", copy,
                                      NAMES[i], NAMES[i]));
    }
}

static inline void copy_tables(struct oracle_world *w, int copy) {
    SCRATCH(scratch);
    struct error err;
    struct lake_table *tables;
    size_t count = 0;
    if (lake_table_list(w->other, &scratch, &tables, &count, &err) != ERROR_NONE) {
        world_fail(w, -1, "%s", err.message);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const str target = str_format(&scratch, STR_FORMAT "." STR_FORMAT,
                                      STR_ARGS(tables[i].schema), STR_ARGS(tables[i].name));
        const struct oracle_model *model = model_of(w, target);
        if (model != NULL) {
            (void)copy_execute(w, w->other,
                               str_format(&scratch,
                                          "CREATE TABLE c%d.was." STR_FORMAT
                                          " AS SELECT *, snapshot_id AS __written FROM "
                                          "lake." STR_FORMAT,
                                          copy, STR_ARGS(tables[i].name), STR_ARGS(target)));
        }
    }
}

// Makes a database and what `fill` puts into it, in one transaction: outside of one every statement
// reads the catalog of the lake anew.  The number of the copy; 0 after an error.
static inline int copy_make(struct oracle_world *w,
                            void (*fill)(struct oracle_world *w, int copy)) {
    SCRATCH(scratch);
    struct error err;
    const int copy = ++w->copies;
    if (!copy_execute(w, w->checker, str_format(&scratch, "ATTACH ':memory:' AS c%d", copy))) {
        return 0;
    }
    if (lake_begin(w->other, &err) != ERROR_NONE) {
        world_fail(w, -1, "%s", err.message);
        return 0;
    }
    static const char *const SCHEMAS[] = {"raw", "stg", "was", "full"};
    for (size_t i = 0; i < ARRAY_COUNT(SCHEMAS); i++) {
        (void)copy_execute(w, w->other,
                           str_format(&scratch, "CREATE SCHEMA c%d.\"%s\"", copy, SCHEMAS[i]));
    }
    fill(w, copy);
    if (!w->failed && lake_commit(w->other, NULL, &err) != ERROR_NONE) {
        world_fail(w, -1, "%s", err.message);
    }
    lake_rollback(w->other);
    return w->failed ? 0 : copy;
}

static inline void copy_everything(struct oracle_world *w, int copy) {
    copy_sources(w, copy);
    copy_tables(w, copy);
}

#endif
