// merge: one row a key; keys that the query no longer gives stay, but for a backfill.
#include "base/text.h"
#include "write/write_parts.h"

static str set_list(const struct write *write, const struct str_list *keys) {
    struct text text;
    text_init(&text, write->arena);
    for (size_t i = 0; i < write->column_count; i++) {
        if (!str_list_has_nocase(keys, write->columns[i].name)) {
            const str name = lake_quote_name(write->arena, write->columns[i].name);
            text_format(&text, "%s" STR_FORMAT " = s." STR_FORMAT, text.size > 0 ? ", " : "",
                        STR_ARGS(name), STR_ARGS(name));
        }
    }
    return text_str(&text);
}

static enum error_code apply(struct write *write, const struct str_list *keys, struct error *err) {
    const str sets = set_list(write, keys);
    const str update =
        sets.size == 0
            ? (str){0}
            : str_format(write->arena, " WHEN MATCHED THEN UPDATE SET " STR_FORMAT, STR_ARGS(sets));
    return write_execute(write,
                         "MERGE INTO {table} AS t USING " WRITE_DIFF " AS s ON {match}{update}"
                         " WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({s.columns})",
                         WRITE_WORDS({"match", write_matches(write, keys)}, {"update", update}),
                         &write->rows, err);
}

enum error_code write_merge(struct write *write, struct error *err) {
    const struct str_list keys = write_key(write);
    const struct write_word key = {"key", write_names(write->arena, &keys, "")};
    if (write->rebuilds) { // rows of another kind or key: one key may stand in several of them
        TRY(write_multiset(write, err));
        return write_refuse_bad_keys(write, STR(WRITE_RESULT), err);
    }
    int64_t differences = 0;
    int64_t deleted = 0;
    TRY(write_evaluate(write, err));
    TRY(write_refuse_bad_keys(write, STR(WRITE_RESULT), err));
    TRY(write_execute(write,
                      "CREATE OR REPLACE TEMP TABLE __ondatra_diff AS SELECT {s.columns}"
                      " FROM " WRITE_RESULT " s LEFT JOIN {table} t ON {match}"
                      " WHERE t.{key} IS NULL OR {differs}",
                      WRITE_WORDS(key, {"match", write_matches(write, &keys)},
                                  {"differs", write_differs(write, &keys)}),
                      NULL, err));
    TRY(write_count(write, "SELECT count(*) FROM " WRITE_DIFF, WRITE_NO_WORDS, &differences, err));
    if (differences > 0) {
        TRY(apply(write, &keys, err));
    }
    if (write->run_type == RUN_BACKFILL) { // the table is to equal the query: keys that are gone go
        TRY(write_execute(write,
                          "DELETE FROM {table} WHERE {key} NOT IN (SELECT {key} FROM " WRITE_RESULT
                          ") OR {key} IS NULL",
                          WRITE_WORDS(key), &deleted, err));
    }
    write->rows += deleted;
    write->changed = write->rows > 0;
    return ERROR_NONE;
}
