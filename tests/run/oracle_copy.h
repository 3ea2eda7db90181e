#ifndef TESTS_RUN_ORACLE_COPY_H
#define TESTS_RUN_ORACLE_COPY_H

// Copies of the lake in memory, a database each, so that a comparison costs no catalog queries of
// DuckLake and every earlier state is at hand.
//
// Copy number N is the database cN:
//
//     raw.*, stg.m0   what models read, under the names in their bodies; views, too
//     was.mI          the table of model I, when it has one, with `__written`: the snapshot that
//                     wrote the row
//     full.mI         the rows of its query over this copy (oracle_check.h)
//
// A table that no snapshot since the last copy speaks of is a view of that one.

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

// Whether the text of changes has the table's number, as in "inserted_into_table:3,…".
static inline bool changes_name(str changes, int64_t table_id) {
    SCRATCH(scratch);
    const str number = str_format(&scratch, ":%lld", (long long)table_id);
    for (size_t at = 0;;) {
        const size_t found = str_find(str_from_offset(changes, at), number);
        if (found == SIZE_MAX) {
            return false;
        }
        at += found + number.size;
        if (at == changes.size || changes.data[at] == ',') {
            return true;
        }
    }
}

// What changed since the last copy; all of it when some snapshot since is gone.
static inline void copy_notice_changes(struct oracle_world *w) {
    SCRATCH(scratch);
    struct error err;
    LAKE_RESULT result = NULL;
    const str sql =
        str_replace_all(&scratch,
                        str_format(&scratch,
                                   "SELECT max(snapshot_id), count(*) FILTER (WHERE snapshot_id > "
                                   "%lld), string_agg(changes_made, ',') FILTER (WHERE snapshot_id "
                                   "> %lld) FROM {m}.ducklake_snapshot_changes",
                                   (long long)w->copied, (long long)w->copied),
                        STR("{m}"), lake_metadata_prefix(lake_of(w->other)));
    if (lake_query(w->other, sql, LAKE_NO_VALUES, &result, &err) != ERROR_NONE ||
        !lake_result_next(result)) {
        world_fail(w, -1, "the copy: %s", err.message);
        return;
    }
    const int64_t newest = lake_result_int64(result, 0);
    const bool all = lake_result_int64(result, 1) != newest - w->copied;
    const str changes = lake_result_text(result, 2);
    for (size_t i = 0; i < ARRAY_COUNT(w->kept); i++) {
        struct oracle_kept *kept = &w->kept[i];
        kept->changed = kept->changed || all || changes_name(changes, kept->table_id);
    }
    w->copied = newest;
}

static inline struct oracle_kept *copy_kept(struct oracle_world *w,
                                            const struct lake_table *table) {
    SCRATCH(scratch);
    if (str_equal(table->schema, STR("raw"))) {
        // raw.a, raw.b and raw.c; the others are views, which are made for each copy.
        return table->name.size == 1 ? &w->kept[table->name.data[0] - 'a'] : NULL;
    }
    const str target = str_format(&scratch, STR_FORMAT "." STR_FORMAT, STR_ARGS(table->schema),
                                  STR_ARGS(table->name));
    const struct oracle_model *model = model_of(w, target);
    return model == NULL ? NULL : &w->kept[ORACLE_SOURCES + (model - w->models)];
}

static inline void copy_table(struct oracle_world *w, const struct lake_table *table, int copy,
                              struct oracle_kept *kept) {
    SCRATCH(scratch);
    const bool is_source = kept < w->kept + ORACLE_SOURCES;
    const str name =
        str_format(&scratch, "%s." STR_FORMAT, is_source ? "raw" : "was", STR_ARGS(table->name));
    if (kept->copy > 0 && !kept->changed && kept->table_id == table->id) {
        (void)copy_execute(w, w->other,
                           str_format(&scratch,
                                      "CREATE VIEW c%d." STR_FORMAT " AS FROM c%d." STR_FORMAT,
                                      copy, STR_ARGS(name), kept->copy, STR_ARGS(name)));
        return;
    }
    (void)copy_execute(w, w->other,
                       str_format(&scratch,
                                  "CREATE TABLE c%d." STR_FORMAT " AS SELECT *%s FROM "
                                  "lake." STR_FORMAT "." STR_FORMAT,
                                  copy, STR_ARGS(name),
                                  is_source ? "" : ", snapshot_id AS __written",
                                  STR_ARGS(table->schema), STR_ARGS(table->name)));
    *kept = (struct oracle_kept){.copy = copy, .table_id = table->id};
}

static inline void copy_fill(struct oracle_world *w, int copy, bool only_sources) {
    SCRATCH(scratch);
    struct error err;
    struct lake_table *tables;
    size_t count = 0;
    copy_notice_changes(w);
    if (lake_table_list(w->other, &scratch, &tables, &count, &err) != ERROR_NONE) {
        world_fail(w, -1, "%s", err.message);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct oracle_kept *kept = copy_kept(w, &tables[i]);
        if (kept != NULL && (!only_sources || kept < w->kept + ORACLE_SOURCES)) {
            copy_table(w, &tables[i], copy, kept);
        }
    }
    for (size_t i = 0; i < ARRAY_COUNT(HARD_VIEWS); i++) {
        (void)copy_execute(w, w->other,
                           str_replace_all(&scratch, str_from(HARD_VIEWS[i]), STR("raw."),
                                           str_format(&scratch, "c%d.raw.", copy)));
    }
}

// In one transaction: outside of one every statement reads the catalog of the lake anew.  The
// number of the copy; 0 after an error.
static inline int copy_make(struct oracle_world *w, bool only_sources) {
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
    copy_fill(w, copy, only_sources);
    if (!w->failed && lake_commit(w->other, NULL, &err) != ERROR_NONE) {
        world_fail(w, -1, "%s", err.message);
    }
    lake_rollback(w->other);
    return w->failed ? 0 : copy;
}

#endif
