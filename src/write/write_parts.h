#ifndef WRITE_WRITE_PARTS_H
#define WRITE_WRITE_PARTS_H

// What the kinds share when they write: the temporary tables, SQL from templates, keys.  For use by
// write.c and write_*.c only.

#include "write/write.h"

// Names that no column can have: the prefix is reserved.
#define WRITE_RESULT "temp.__ondatra_new"  // the rows of the query
#define WRITE_DIFF "temp.__ondatra_diff"   // what differs from the table
#define WRITE_GROUPS "temp.__ondatra_keys" // tracked: the groups of the query
#define WRITE_COUNT "__ondatra_n"          // a column: how often
#define WRITE_ROW "__ondatra_r"            // a column: the table's rowid

// What a template's {name} stands for.
struct write_word {
    const char *name;
    str text;
};

struct write_words {
    const struct write_word *items;
    size_t count;
};
#define WRITE_WORDS(...)                                                                           \
    ((struct write_words){(const struct write_word[]){__VA_ARGS__},                                \
                          sizeof((const struct write_word[]){__VA_ARGS__}) /                       \
                              sizeof(struct write_word)})
#define WRITE_NO_WORDS ((struct write_words){0})

// The template with its words put in; besides those given: {table}, {columns}, {s.columns} and
// {t.columns}.
str write_sql(const struct write *write, const char *template, struct write_words words);
// Runs it; *changed (may be NULL) is the number of rows it wrote.
MUST_USE enum error_code write_execute(struct write *write, const char *template,
                                       struct write_words words, int64_t *changed,
                                       struct error *err);
// The first column of the first row.
MUST_USE enum error_code write_count(struct write *write, const char *template,
                                     struct write_words words, int64_t *count, struct error *err);

// Runs "<head>(\n<query>\n)<tail>", the query masked, so that errors have the position in the
// model's file; then tells write->was_read.  The head is one line.
MUST_USE enum error_code write_run_query(struct write *write, str head, str tail, int64_t *changed,
                                         struct error *err);
// Lets those who want to look at WRITE_RESULT before it is written.
MUST_USE enum error_code write_inspect(struct write *write, struct error *err);
// The rows of the query into WRITE_RESULT.
MUST_USE enum error_code write_read_query(struct write *write, struct error *err);
// The same, looked at, and what a backfill loses counted.
MUST_USE enum error_code write_evaluate(struct write *write, struct error *err);
// WRITE_RESULT into the table.
MUST_USE enum error_code write_insert_evaluated(struct write *write, struct error *err);
// Into WRITE_DIFF: rows with WRITE_COUNT, how many more of them WRITE_RESULT has than the table;
// *count: how many rows that are.
MUST_USE enum error_code write_multiset_difference(struct write *write, int64_t *count,
                                                   struct error *err);
// "… s.a IS DISTINCT FROM t.a OR …" over all columns but the keys; "false" when there are none.
str write_differs(const struct write *write, const struct str_list *keys);
// "s.a = t.a AND …" over the keys.
str write_matches(const struct write *write, const struct str_list *keys);
// "s.a IS NOT DISTINCT FROM t.a AND …" over the names.
str write_same(const struct write *write, const struct str_list *names);
// The names of all columns.
struct str_list write_columns(const struct write *write);
// "x.a, x.b" over the names, quoted.
str write_names(struct arena *arena, const struct str_list *names, const char *prefix);
// @unique_key, or the columns of @group_key.
struct str_list write_key(const struct write *write);

// No NULL in any key column of `table`.
MUST_USE enum error_code write_refuse_null_keys(struct write *write, str table, struct error *err);
// No NULL and no value twice in the one key column of `table`.
MUST_USE enum error_code write_refuse_bad_keys(struct write *write, str table, struct error *err);

// The kinds; the table is not empty, except where said.
MUST_USE enum error_code write_merge(struct write *write, struct error *err);
// Also into an empty table.
MUST_USE enum error_code write_tracked(struct write *write, struct error *err);
MUST_USE enum error_code write_scd2(struct write *write, struct error *err);
// append, when the table got columns after some of its rows (write_grown.c).
MUST_USE enum error_code write_surplus_of_grown(struct write *write, struct error *err);
// By the difference as multisets: what is there afterwards is the query's result, copies counted.
MUST_USE enum error_code write_multiset(struct write *write, struct error *err);

#endif
