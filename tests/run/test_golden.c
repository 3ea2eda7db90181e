// Golden pairs (models.md §19.1): every kind through the same edits of its source; what its table
// holds and what its change feed carries after each of them.
#include "run/edits.h"

enum { KINDS = 6 };

static const struct {
    const char *name;
    const char *header;
} MODELS[KINDS] = {
    {"table", ""},
    {"append", "-- @kind: append\n"},
    {"merge", "-- @kind: merge\n-- @unique_key: id\n"},
    {"tracked", "-- @kind: tracked\n-- @group_key: id\n"},
    {"scd2", "-- @kind: scd2\n-- @unique_key: id\n"},
    {"cursor", "-- @kind: append\n-- @incremental: id\n-- @incremental_initial: 0\n"},
};

struct golden {
    const char *edit;
    const char *values;
    struct {
        const char *rows; // of (id, name), scd2 with a `!` behind closed versions
        const char *feed; // `+` insert, `-` delete, `<` and `>` update; empty: no change
    } kinds[KINDS];
};

static const struct golden GOLDEN[] = {
    {"first run",
     "(1, 'a'), (2, 'b')",
     {{"1a 2b", "+1a +2b"},
      {"1a 2b", "+1a +2b"},
      {"1a 2b", "+1a +2b"},
      {"1a 2b", "+1a +2b"},
      {"1a 2b", "+1a +2b"},
      {"1a 2b", "+1a +2b"}}},
    {"unchanged",
     "(2, 'b'), (1, 'a')",
     {{"1a 2b", ""}, {"1a 2b", ""}, {"1a 2b", ""}, {"1a 2b", ""}, {"1a 2b", ""}, {"1a 2b", ""}}},
    {"insert",
     "(1, 'a'), (2, 'b'), (3, 'c')",
     {{"1a 2b 3c", "+3c"},
      {"1a 2b 3c", "+3c"},
      {"1a 2b 3c", "+3c"},
      {"1a 2b 3c", "+3c"},
      {"1a 2b 3c", "+3c"},
      {"1a 2b 3c", "+3c"}}},
    {"update",
     "(1, 'a'), (2, 'x'), (3, 'c')",
     {{"1a 2x 3c", "+2x -2b"},
      {"1a 2b 2x 3c", "+2x"},
      {"1a 2x 3c", "<2b >2x"},
      {"1a 2x 3c", "+2x -2b"},
      {"1a 2b! 2x 3c", "+2x <2b >2b"},
      {"1a 2b 3c", ""}}},
    {"NULL",
     "(1, NULL), (2, 'x'), (3, 'c')",
     {{"1∅ 2x 3c", "+1∅ -1a"},
      {"1a 1∅ 2b 2x 3c", "+1∅"},
      {"1∅ 2x 3c", "<1a >1∅"},
      {"1∅ 2x 3c", "+1∅ -1a"},
      {"1a! 1∅ 2b! 2x 3c", "+1∅ <1a >1a"},
      {"1a 2b 3c", ""}}},
    {"delete",
     "(1, NULL), (3, 'c')",
     {{"1∅ 3c", "-2x"},
      {"1a 1∅ 2b 2x 3c", ""},
      {"1∅ 2x 3c", ""},
      {"1∅ 3c", "-2x"},
      {"1a! 1∅ 2b! 2x! 3c", "<2x >2x"},
      {"1a 2b 3c", ""}}},
    // Two equal rows: not a key, so merge and scd2 fail and keep what they have.
    {"duplicate",
     "(1, NULL), (3, 'c'), (3, 'c')",
     {{"1∅ 3c 3c", "+3c"},
      {"1a 1∅ 2b 2x 3c 3c", "+3c"},
      {"1∅ 2x 3c", ""},
      {"1∅ 3c 3c", "+3c +3c -3c"},
      {"1a! 1∅ 2b! 2x! 3c", ""},
      {"1a 2b 3c", ""}}},
    {"and back",
     "(1, NULL), (3, 'c'), (4, 'd')",
     {{"1∅ 3c 4d", "+4d -3c"},
      {"1a 1∅ 2b 2x 3c 3c 4d", "+4d"},
      {"1∅ 2x 3c 4d", "+4d"},
      {"1∅ 3c 4d", "+3c +4d -3c -3c"},
      {"1a! 1∅ 2b! 2x! 3c 4d", "+4d"},
      {"1a 2b 3c 4d", "+4d"}}},
};

// One query for all tables and feeds: "name|rows|feed".
static const char *look(struct project_fixture *f, int64_t from, int64_t to) {
    struct text sql;
    text_init(&sql, &f->arena);
    for (size_t i = 0; i < KINDS; i++) {
        const char *name = MODELS[i].name;
        const bool scd2 = strcmp(name, "scd2") == 0;
        text_format(&sql,
                    "%sSELECT '%s', (SELECT string_agg(r, ' ' ORDER BY r) FROM (SELECT id || "
                    "coalesce(name, '∅') %s AS r FROM mart.%s)), ",
                    i > 0 ? " UNION ALL " : "", name,
                    scd2 ? "|| CASE WHEN is_current THEN '' ELSE '!' END" : "", name);
        if (from > to) {
            text_add(&sql, STR("''"));
            continue;
        }
        text_format(&sql,
                    "(SELECT coalesce(string_agg(r, ' ' ORDER BY r), '') FROM (SELECT CASE "
                    "change_type WHEN 'insert' THEN '+' WHEN 'delete' THEN '-' WHEN "
                    "'update_preimage' THEN '<' ELSE '>' END || id || coalesce(name, '∅') AS r "
                    "FROM ducklake_table_changes('lake', 'mart', '%s', %lld, %lld)))",
                    name, (long long)from, (long long)to);
    }
    return project_query(f, text_cstring(&sql));
}

static void every_kind_through_every_edit(void **state) {
    struct project_fixture *f = *state;
    for (size_t i = 0; i < KINDS; i++) {
        const str path = str_format(&f->arena, "models/mart/%s.sql", MODELS[i].name);
        const str sql =
            str_format(&f->arena, "%sSELECT id, name FROM raw.source%s\n", MODELS[i].header,
                       strcmp(MODELS[i].name, "cursor") == 0
                           ? " WHERE id > getvariable('incr_last_value')::INTEGER"
                           : "");
        project_write(f, str_to_cstring(&f->arena, path), str_to_cstring(&f->arena, sql));
    }
    int64_t before = 1; // the snapshot of the empty tables
    for (size_t i = 0; i < ARRAY_COUNT(GOLDEN); i++) {
        write_source(f, GOLDEN[i].values);
        project_run(f);
        const int64_t after = project_snapshots(f);
        struct text expected;
        text_init(&expected, &f->arena);
        for (size_t j = 0; j < KINDS; j++) {
            text_format(&expected, "%s|%s|%s\n", MODELS[j].name, GOLDEN[i].kinds[j].rows,
                        GOLDEN[i].kinds[j].feed);
        }
        const char *found = look(f, before + 1, after);
        if (strcmp(found, text_cstring(&expected)) != 0) {
            fail_msg("%s: expected\n%sgot\n%s%s%s", GOLDEN[i].edit, text_cstring(&expected), found,
                     text_cstring(&f->lines), text_cstring(&f->messages));
        }
        before = after;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_kind_through_every_edit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
