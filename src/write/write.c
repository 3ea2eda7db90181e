// Three ways to a difference:
//
//   empty table  the query is inserted as it is, streaming; keys are checked on what arrived
//   multiset     table, and every kind's backfill without key: rows counted +1 in the new contents
//                and -1 in the old; what is left is deleted or inserted that often
//   keyed        merge, tracked, scd2 (write_merge.c, write_tracked.c, write_scd2.c): new rows
//                joined to the table by key; only those that differ go on
//
// All read the table as of the transaction's snapshot, before anything of it is changed.
#include "write/write.h"

#include "base/context.h"
#include "base/text.h"
#include "write/columns.h"
#include "write/write_parts.h"

enum error_code write_insert_evaluated(struct write *write, struct error *err) {
    return write_execute(write,
                         "INSERT INTO {table} ({columns}) SELECT {columns} FROM " WRITE_RESULT,
                         WRITE_NO_WORDS, &write->rows, err);
}

// Streams, unless the rows are to be looked at first.
static enum error_code insert_query(struct write *write, struct error *err) {
    if (write->inspect != NULL) {
        TRY(write_evaluate(write, err));
        TRY(write_insert_evaluated(write, err));
    } else {
        const str casts = columns_cast_list(write->arena, write->columns, write->column_count);
        const str head = write_sql(write, "INSERT INTO {table} ({columns}) SELECT {casts} FROM ",
                                   WRITE_WORDS({"casts", casts}));
        TRY(write_run_query(write, head, STR(""), &write->rows, err));
    }
    write->changed = write->rows > 0;
    return ERROR_NONE;
}

static enum error_code fill_empty(struct write *write, struct error *err) {
    switch (write->model->source.directives.kind) {
    case MODEL_TABLE:
    case MODEL_APPEND:
        return insert_query(write, err);
    case MODEL_MERGE:
        TRY(insert_query(write, err));
        return write_refuse_bad_keys(write, model_table_name(write->arena, write->model), err);
    case MODEL_TRACKED:
        return write_tracked(write, err);
    case MODEL_SCD2:
        break;
    }
    return write_scd2(write, err);
}

// ── Multiset ──

enum error_code write_multiset_difference(struct write *write, int64_t *count, struct error *err) {
    TRY(write_execute(write,
                      "CREATE OR REPLACE TEMP TABLE __ondatra_diff AS"
                      " SELECT {columns}, sum(" WRITE_COUNT ")::BIGINT AS " WRITE_COUNT
                      " FROM (SELECT {columns}, 1 AS " WRITE_COUNT " FROM " WRITE_RESULT
                      " UNION ALL SELECT {columns}, -1 FROM {table})"
                      " GROUP BY {columns} HAVING sum(" WRITE_COUNT ") <> 0",
                      WRITE_NO_WORDS, NULL, err));
    return write_count(write, "SELECT count(*) FROM " WRITE_DIFF, WRITE_NO_WORDS, count, err);
}

// Of each row that is there too often, as many copies go as there are too many.
static enum error_code delete_surplus(struct write *write, int64_t *deleted, struct error *err) {
    const struct str_list names = write_columns(write);
    return write_execute(write,
                         "DELETE FROM {table} WHERE rowid IN (SELECT r FROM (SELECT t.rowid AS r,"
                         " row_number() OVER (PARTITION BY {t.columns}) AS i, s." WRITE_COUNT
                         " AS n FROM {table} t JOIN " WRITE_DIFF " s ON s." WRITE_COUNT
                         " < 0 AND {same}) WHERE i <= -n)",
                         WRITE_WORDS({"same", write_same(write, &names)}), deleted, err);
}

static enum error_code insert_missing(struct write *write, int64_t *inserted, struct error *err) {
    return write_execute(write,
                         "INSERT INTO {table} ({columns}) SELECT {columns} FROM " WRITE_DIFF
                         " WHERE " WRITE_COUNT " = 1 UNION ALL SELECT {columns} FROM"
                         " (SELECT {columns}, unnest(range(" WRITE_COUNT ")) FROM " WRITE_DIFF
                         " WHERE " WRITE_COUNT " > 1)",
                         WRITE_NO_WORDS, inserted, err);
}

// A sink of a table model expects every row whenever anything differs (seed 000).
static enum error_code replace_whole(struct write *write, struct error *err) {
    int64_t deleted = 0;
    TRY(write_execute(write, "DELETE FROM {table}", WRITE_NO_WORDS, &deleted, err));
    TRY(write_insert_evaluated(write, err));
    write->rows = write->rows > deleted ? write->rows : deleted;
    return ERROR_NONE;
}

enum error_code write_multiset(struct write *write, struct error *err) {
    const struct directives *directives = &write->model->source.directives;
    int64_t differences = 0;
    TRY(write_evaluate(write, err));
    TRY(write_multiset_difference(write, &differences, err));
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
    const bool is_inspected = write->inspect != NULL;
    const str tail =
        write_sql(write,
                  bug_is_planted("PB_EXCEPT") ? " EXCEPT SELECT {columns} FROM {table}"
                                              : " EXCEPT ALL SELECT {columns} FROM {table}",
                  WRITE_NO_WORDS);
    const str head = write_sql(
        write,
        is_inspected ? "CREATE OR REPLACE TEMP TABLE __ondatra_new AS SELECT {columns} FROM "
                     : "INSERT INTO {table} ({columns}) SELECT {columns} FROM ",
        WRITE_NO_WORDS);
    TRY(write_run_query(write, head, tail, is_inspected ? NULL : &write->rows, err));
    if (is_inspected) {
        TRY(write_inspect(write, err));
        TRY(write_insert_evaluated(write, err));
    }
    write->changed = write->rows > 0;
    return ERROR_NONE;
}

static enum error_code write_append(struct write *write, struct error *err) {
    if (write->run_type == RUN_BACKFILL) {
        return write_multiset(write, err);
    }
    if (write->source == WRITE_NEW) {
        return insert_query(write, err);
    }
    return write->growths != NULL && write->growths->count > 0 ? write_surplus_of_grown(write, err)
                                                               : insert_surplus(write, err);
}

static enum error_code write_difference(struct write *write, struct error *err) {
    switch (write->model->source.directives.kind) {
    case MODEL_TABLE:
        return write_multiset(write, err);
    case MODEL_APPEND:
        return write_append(write, err);
    case MODEL_MERGE:
        return write_merge(write, err);
    case MODEL_TRACKED:
        return write_tracked(write, err);
    case MODEL_SCD2:
        break;
    }
    return write_scd2(write, err);
}

enum error_code write_rows(struct write *write, struct error *err) {
    write->rows = 0;
    write->changed = false;
    write->rows_lost = 0;
    return write->table_is_empty ? fill_empty(write, err) : write_difference(write, err);
}
