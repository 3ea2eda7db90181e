// scd2: versions of rows by @unique_key (models.md §5.5).
//
// A version is valid from the snapshot at which the run found it up to the one before it was
// closed. At most one version of a key is open.  A run compares the query with the open versions: a
// key whose values differ is closed and opened again, one that is gone is closed, a new one is
// opened. Closed versions are never touched: history survives every change of the definition but
// that of the key, of the kind, and --full-refresh.
#include "base/context.h"
#include "base/text.h"
#include "write/columns.h"
#include "write/write_parts.h"

static struct write_word from_word(struct write *write) {
    return (struct write_word){"from",
                               str_format(write->arena, "%lld", (long long)write->run_snapshot)};
}

static enum error_code open_all(struct write *write, str head_source, struct error *err) {
    return write_execute(write,
                         "INSERT INTO {table} ({columns}, " COLUMN_VALID_FROM ", " COLUMN_VALID_TO
                         ", " COLUMN_IS_CURRENT
                         ") SELECT {columns}, {from}, NULL, true FROM {rows}",
                         WRITE_WORDS(from_word(write), {"rows", head_source}), &write->rows, err);
}

static enum error_code rebuild(struct write *write, struct error *err) {
    int64_t deleted = 0;
    TRY(write_execute(write, "DELETE FROM {table}", WRITE_NO_WORDS, &deleted, err));
    TRY(open_all(write, STR(WRITE_RESULT), err));
    write->changed = deleted > 0 || write->rows > 0;
    return ERROR_NONE;
}

// Keys that are new, differ or are gone: the row of the query, NULL when gone, and the rowid of the
// open version, NULL when new.
static enum error_code find_difference(struct write *write, int64_t *count, struct error *err) {
    const struct str_list keys = write_key(write);
    const struct write_word key = {"key", write_names(write->arena, &keys, "")};
    TRY(write_execute(write,
                      "CREATE OR REPLACE TEMP TABLE __ondatra_diff AS"
                      " SELECT {s.columns}, t." WRITE_ROW " FROM " WRITE_RESULT
                      " s FULL JOIN (SELECT {columns}, rowid AS " WRITE_ROW
                      " FROM {table} WHERE " COLUMN_IS_CURRENT ") t ON {match}"
                      " WHERE s.{key} IS NULL OR t.{key} IS NULL OR {differs}",
                      WRITE_WORDS(key, {"match", write_matches(write, &keys)},
                                  {"differs", write_differs(write, &keys)}),
                      NULL, err));
    return write_count(write, "SELECT count(*) FROM " WRITE_DIFF, WRITE_NO_WORDS, count, err);
}

static enum error_code close_and_open(struct write *write, struct error *err) {
    const struct str_list keys = write_key(write);
    const struct write_word key = {"key", write_names(write->arena, &keys, "")};
    const int64_t last = write->run_snapshot - (bug_is_planted("PB_LATE_CLOSE") ? 0 : 1);
    const struct write_word until = {"until", str_format(write->arena, "%lld", (long long)last)};
    TRY(write_execute(write,
                      "UPDATE {table} SET " COLUMN_VALID_TO " = {until}, " COLUMN_IS_CURRENT
                      " = false WHERE rowid IN (SELECT " WRITE_ROW " FROM " WRITE_DIFF
                      " WHERE " WRITE_ROW " IS NOT NULL)",
                      WRITE_WORDS(until), NULL, err));
    return open_all(write,
                    write_sql(write,
                              "(SELECT {columns} FROM " WRITE_DIFF " WHERE {key} IS NOT NULL)",
                              WRITE_WORDS(key)),
                    err);
}

enum error_code write_scd2(struct write *write, struct error *err) {
    int64_t differences = 0;
    TRY(write_evaluate(write, err));
    if (write->keeps_rows) {
        return ERROR_NONE;
    }
    TRY(write_refuse_bad_keys(write, STR(WRITE_RESULT), err));
    if (write->table_is_empty) {
        TRY(open_all(write, STR(WRITE_RESULT), err));
        write->changed = write->rows > 0;
        return ERROR_NONE;
    }
    if (write->rebuilds) {
        return rebuild(write, err);
    }
    TRY(find_difference(write, &differences, err));
    if (differences > 0) {
        TRY(close_and_open(write, err));
        write->rows = differences;
        write->changed = true;
    }
    return ERROR_NONE;
}
