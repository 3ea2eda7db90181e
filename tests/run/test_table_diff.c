// What became of a table since a snapshot: columns, rows, samples.
#include "lake/fixture.h"
#include "run/table_diff.h"

#include <string.h>

static struct fixture fix;

static int setup(void **unused) {
    (void)unused;
    fixture_init(&fix);
    fixture_attach(&fix, "sqlite:");
    return 0;
}

static int teardown(void **unused) {
    (void)unused;
    fixture_done(&fix);
    return 0;
}

static int64_t current_snapshot(void) {
    int64_t id = 0;
    ASSERT_OK(&fix, lake_query_int64(fix.connection, STR("FROM lake.current_snapshot()"),
                                     LAKE_NO_VALUES, &id, NULL, &fix.err));
    return id;
}

// "[+ c (INTEGER)] 2 → 3 +1 {…} -0"
static const char *shown(const struct table_diff *diff) {
    struct text text;
    text_init(&text, &fix.arena);
    for (size_t i = 0; i < diff->schema.count; i++) {
        text_format(&text, "[" STR_FORMAT "] ", STR_ARGS(diff->schema.items[i]));
    }
    text_format(&text, "%lld → %lld +%lld", (long long)diff->rows_before,
                (long long)diff->rows_after, (long long)diff->added);
    for (size_t i = 0; i < diff->sample_added_count; i++) {
        text_format(&text, " " STR_FORMAT, STR_ARGS(diff->sample_added[i]));
    }
    text_format(&text, " -%lld", (long long)diff->removed);
    for (size_t i = 0; i < diff->sample_removed_count; i++) {
        text_format(&text, " " STR_FORMAT, STR_ARGS(diff->sample_removed[i]));
    }
    return text_cstring(&text);
}

static void execute_each(const char *statements) {
    struct str_splitter splitter = {.rest = str_from(statements)};
    str statement;
    while (str_split_next(&splitter, ';', &statement)) {
        fixture_execute(&fix, str_to_cstring(&fix.arena, statement));
    }
}

static void a_table_is_compared_with_what_it_was(void **unused) {
    (void)unused;
    static const struct {
        const char *name;
        enum model_kind kind;
        const char *before; // statements, `;` between them; NULL: there was no table
        const char *after;
        const char *expected;
    } CASES[] = {
        {"nothing changed", MODEL_TABLE, "CREATE TABLE t AS SELECT 1 AS a",
         "CREATE TABLE other(x INTEGER)", "1 → 1 +0 -0"},
        {"it is new", MODEL_TABLE, NULL, "CREATE TABLE t AS SELECT 1 AS a",
         "0 → 1 +1 {\"a\":1} -0"},
        {"a copy of a row is a row", MODEL_TABLE, "CREATE TABLE t AS SELECT 1 AS a",
         "INSERT INTO t VALUES (1), (1)", "1 → 3 +2 {\"a\":1} {\"a\":1} -0"},
        {"two samples of many", MODEL_TABLE, "CREATE TABLE t AS SELECT 9 AS a",
         "INSERT INTO t SELECT range FROM range(5)", "1 → 6 +5 {\"a\":0} {\"a\":1} -0"},
        {"an update is one of each", MODEL_MERGE, "CREATE TABLE t AS SELECT 1 AS a, 'x' AS b",
         "UPDATE t SET b = NULL", "1 → 1 +1 {\"a\":1,\"b\":null} -1 {\"a\":1,\"b\":\"x\"}"},
        {"a column more is no other row", MODEL_TABLE, "CREATE TABLE t AS SELECT 1 AS a",
         "ALTER TABLE t ADD COLUMN b VARCHAR", "[+ b (VARCHAR)] 1 → 1 +0 -0"},
        {"a column less", MODEL_TABLE, "CREATE TABLE t AS SELECT 1 AS a, 2 AS b",
         "ALTER TABLE t DROP COLUMN b", "[- b] 1 → 1 +0 -0"},
        {"a wider type", MODEL_TABLE, "CREATE TABLE t AS SELECT 1::INTEGER AS a",
         "ALTER TABLE t ALTER COLUMN a SET DATA TYPE BIGINT", "[a: INTEGER → BIGINT] 1 → 1 +0 -0"},
        {"a name more", MODEL_MERGE, "CREATE TABLE t AS SELECT 1 AS a, 10 AS v, 3 AS w",
         "ALTER TABLE t RENAME COLUMN v TO vv", "[renamed v → vv] 1 → 1 +0 -0"},
        {"a column that was renamed is compared with what it was", MODEL_MERGE,
         "CREATE TABLE t AS SELECT 1 AS a, 10 AS v; INSERT INTO t VALUES (2, 20)",
         "ALTER TABLE t RENAME COLUMN v TO vv; ALTER TABLE t ADD COLUMN n INTEGER; "
         "UPDATE t SET vv = 11, n = 1 WHERE a = 1",
         "[renamed v → vv] [+ n (INTEGER)] 2 → 2 +1 {\"a\":1,\"vv\":11} -1 "
         "{\"a\":1,\"vv\":10}"},
        {"names that changed places", MODEL_MERGE, "CREATE TABLE t AS SELECT 1 AS a, 2 AS b",
         "ALTER TABLE t RENAME COLUMN a TO x; ALTER TABLE t RENAME COLUMN b TO a; "
         "ALTER TABLE t RENAME COLUMN x TO b",
         "[renamed a → b] [renamed b → a] 1 → 1 +0 -0"},
        {"another column of the name", MODEL_TABLE, "CREATE TABLE t AS SELECT 1 AS a, 2 AS b",
         "ALTER TABLE t DROP COLUMN b; ALTER TABLE t ADD COLUMN b INTEGER",
         "1 → 1 +1 {\"a\":1,\"b\":null} -1 {\"a\":1,\"b\":2}"},
        {"the history of scd2 is its own", MODEL_SCD2,
         "CREATE TABLE t AS SELECT 1 AS a, 3::BIGINT AS valid_from_snapshot, NULL::BIGINT AS "
         "valid_to_snapshot, true AS is_current",
         "UPDATE t SET valid_to_snapshot = 4, is_current = false", "1 → 1 +0 -0"},
        {"of another kind it is data", MODEL_TABLE,
         "CREATE TABLE t AS SELECT 1 AS a, true AS is_current", "UPDATE t SET is_current = false",
         "1 → 1 +1 {\"a\":1,\"is_current\":false} -1 {\"a\":1,\"is_current\":true}"},
        {"the hash of tracked is its own", MODEL_TRACKED,
         "CREATE TABLE t AS SELECT 1 AS a, 'h1' AS _content_hash",
         "UPDATE t SET _content_hash = 'h2'", "1 → 1 +0 -0"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(CASES); i++) {
        struct model model = {.target = STR("main.t"), .schema = STR("main"), .name = STR("t")};
        model.source.directives.kind = CASES[i].kind;
        fixture_execute(&fix, "DROP TABLE IF EXISTS t");
        fixture_execute(&fix, "DROP TABLE IF EXISTS other");
        if (CASES[i].before != NULL) {
            execute_each(CASES[i].before);
        }
        const int64_t snapshot = current_snapshot();
        execute_each(CASES[i].after);
        struct table_diff diff;
        ASSERT_OK(&fix,
                  table_diff_read(fix.connection, &fix.arena, &model, snapshot, &diff, &fix.err));
        if (strcmp(shown(&diff), CASES[i].expected) != 0) {
            fail_msg("%s: got %s, expected %s", CASES[i].name, shown(&diff), CASES[i].expected);
        }
        assert_int_equal(table_diff_is_empty(&diff),
                         strstr(CASES[i].expected, "+0 -0") != NULL && diff.schema.count == 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_table_is_compared_with_what_it_was, setup, teardown),
    };
    return cmocka_run_group_tests_name("table_diff", tests, NULL, NULL);
}
