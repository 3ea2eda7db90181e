// scd2 (models.md §5.5): versions of rows, closed and opened, never lost by accident.
#include "run/edits.h"

#define HEADER "-- @kind: scd2\n-- @unique_key: id\n"
#define MODEL HEADER "SELECT * FROM raw.source\n"

// "id|name|open" of every version, in the order of their beginning.
#define VERSIONS "SELECT id, name, is_current FROM mart.t ORDER BY id, valid_from_snapshot"

struct version_edit {
    const char *name;
    const char *values;
    const char *versions;
    const char *line;
};

static void scd2_follows_its_source(void **state) {
    static const struct version_edit EDITS[] = {
        {"first run", "(1, 'a'), (2, 'b')", "1|a|true\n2|b|true\n",
         "[ok] mart.t backfill 2 first run"},
        {"unchanged", "(1, 'a'), (2, 'b')", "1|a|true\n2|b|true\n",
         "[skip] mart.t skip 0 deps unchanged"},
        {"insert", "(1, 'a'), (2, 'b'), (3, NULL)", "1|a|true\n2|b|true\n3|NULL|true\n",
         "[ok] mart.t incremental 1 dep changed: raw.source"},
        {"update and from NULL", "(1, 'x'), (2, 'b'), (3, 'c')",
         "1|a|false\n1|x|true\n2|b|true\n3|NULL|false\n3|c|true\n",
         "[ok] mart.t incremental 2 dep changed: raw.source"},
        {"gone", "(1, 'x'), (3, 'c')", "1|a|false\n1|x|true\n2|b|false\n3|NULL|false\n3|c|true\n",
         "[ok] mart.t incremental 1 dep changed: raw.source"},
        {"back with the same values", "(1, 'x'), (2, 'b'), (3, 'c')",
         "1|a|false\n1|x|true\n2|b|false\n2|b|true\n3|NULL|false\n3|c|true\n",
         "[ok] mart.t incremental 1 dep changed: raw.source"},
    };
    struct project_fixture *f = *state;
    project_write(f, "models/mart/t.sql", MODEL);
    for (size_t i = 0; i < ARRAY_COUNT(EDITS); i++) {
        write_source(f, EDITS[i].values);
        project_run(f);
        const char *versions = project_query(f, VERSIONS);
        if (strcmp(versions, EDITS[i].versions) != 0 ||
            strstr(text_cstring(&f->lines), EDITS[i].line) == NULL) {
            fail_msg("%s: %s%s", EDITS[i].name, text_cstring(&f->lines), versions);
        }
    }
    // The intervals of a key follow one another, and only the open ones have no end.
    assert_string_equal(
        project_query(f, "SELECT count(*) FILTER (WHERE is_current <> (valid_to_snapshot IS NULL)),"
                         " count(*) FILTER (WHERE valid_to_snapshot < valid_from_snapshot),"
                         " count(*) FILTER (WHERE valid_to_snapshot >= next) FROM (SELECT *,"
                         " lead(valid_from_snapshot) OVER (PARTITION BY id ORDER BY"
                         " valid_from_snapshot) AS next FROM mart.t)"),
        "0|0|0\n");
}

static void versions_carry_the_snapshot_at_which_the_run_began(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/mart/t.sql", MODEL);
    write_source(f, "(1, 'a')");
    project_run(f);
    const int64_t before = project_snapshots(f);
    write_source(f, "(1, 'b')");
    project_run(f);
    const str expected =
        str_format(&f->arena, "a|0|%lld\nb|%lld|NULL\n", (long long)before - 1, (long long)before);
    assert_string_equal(
        project_query(f, "SELECT name, valid_from_snapshot, valid_to_snapshot FROM mart.t ORDER BY "
                         "valid_from_snapshot"),
        str_to_cstring(&f->arena, expected));
}

static void history_survives_a_change_of_the_definition(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/mart/t.sql", MODEL);
    write_source(f, "(1, 'a'), (2, 'b')");
    project_run(f);
    write_source(f, "(1, 'x'), (2, 'b')");
    project_run(f);
    project_write(f, "models/mart/t.sql",
                  HEADER "SELECT id, name, length(name) AS n FROM raw.source WHERE true\n");
    project_run(f);
    ASSERT_LINES(f, "[skip] raw.source skip 0 no dependencies\n"
                    "[ok] mart.t backfill 2 sql changed\n");
    ASSERT_MESSAGES(f, "models/mart/t.sql: warning: columns changed: + n (BIGINT)\n");
    assert_string_equal(project_query(f, "SELECT id, name, n, is_current FROM mart.t ORDER BY ALL"),
                        "1|a|NULL|false\n1|x|1|true\n1|x|NULL|false\n2|b|1|true\n2|b|NULL|false\n");
    // A definition that gives the same rows writes none.
    project_write(f, "models/mart/t.sql",
                  HEADER "SELECT id, name, length(name) AS n FROM raw.source WHERE 1 = 1\n");
    project_run(f);
    assert_non_null(strstr(text_cstring(&f->lines), "[ok] mart.t backfill 0 sql changed"));
}

static void a_rebuild_says_how_many_versions_it_drops(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/mart/t.sql", MODEL);
    write_source(f, "(1, 'a'), (2, 'b')");
    project_run(f);
    write_source(f, "(1, 'x')");
    project_run(f);
    (void)project_run_with(f, (struct run_options){.full_refresh = true, .no_destructive = true});
    ASSERT_MESSAGES(f, "models/mart/t.sql:3:1: error: 2 historical versions would be dropped\n"
                       "  SELECT * FROM raw.source\n"
                       "  ^\n"
                       "  hint: run without --no-destructive to accept it\n");
    (void)project_run_with(f, (struct run_options){.full_refresh = true});
    ASSERT_MESSAGES(f, "models/mart/t.sql: warning: this run drops 2 historical versions\n");
    assert_string_equal(project_query(f, VERSIONS), "1|x|true\n");
    // Another key is another history.
    write_source(f, "(1, 'y')");
    project_run(f);
    project_write(f, "models/mart/t.sql",
                  "-- @kind: scd2\n-- @unique_key: name\nSELECT * FROM raw.source\n");
    project_run(f);
    ASSERT_MESSAGES(f, "models/mart/t.sql: warning: this run drops 1 historical version\n");
    assert_string_equal(project_query(f, VERSIONS), "1|y|true\n");
}

// Another program expires the commit that told what the table is.
static void history_survives_a_commit_that_was_expired(void **state) {
    static const char *const EXPIRE[] = {
        "CALL ducklake_expire_snapshots('lake', older_than => now()::TIMESTAMP)"};
    struct project_fixture *f = *state;
    project_write(f, "models/mart/t.sql", MODEL);
    write_source(f, "(1, 'a'), (2, 'b')");
    project_run(f);
    write_source(f, "(1, 'x'), (2, 'b')");
    project_run(f);
    project_write(f, "models/mart/z.sql", "SELECT 1 AS one\n");
    project_run(f); // the newest snapshot stays, and this one is of another model
    execute_on_lake(f, EXPIRE, ARRAY_COUNT(EXPIRE));
    project_run(f);
    ASSERT_LINES(f, "[skip] mart.z skip 0 no dependencies\n"
                    "[ok] raw.source full 0 missing/invalid depends metadata\n"
                    "[ok] mart.t incremental 0 missing/invalid depends metadata\n");
    assert_string_equal(project_query(f, VERSIONS), "1|a|false\n1|x|true\n2|b|true\n");
}

static void scd2_refuses_bad_keys_on_every_run(void **state) {
    struct project_fixture *f = *state;
    static const char *const VALUES[] = {"(1, 'a'), (1, 'a')", "(1, 'a')", "(1, 'b'), (1, 'a')",
                                         "(1, 'a'), (NULL, 'b')"};
    static const char *const MESSAGES[] = {
        "is not unique: 1 value occurs more than once, such as 1", "",
        "is not unique: 1 value occurs", "key column \"id\" is NULL in 1 row"};
    project_write(f, "models/mart/t.sql", MODEL);
    for (size_t i = 0; i < ARRAY_COUNT(VALUES); i++) {
        write_source(f, VALUES[i]);
        project_run(f);
        assert_int_equal(f->summary.failed, MESSAGES[i][0] == '\0' ? 0 : 1);
        assert_non_null(strstr(text_cstring(&f->messages), MESSAGES[i]));
    }
    assert_string_equal(project_query(f, VERSIONS), "1|a|true\n");
}

static void columns_named_like_the_history_are_not_taken_from_the_query(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/mart/t.sql",
                  HEADER "SELECT *, false AS IS_CURRENT, 'x' AS valid_to_snapshot FROM "
                         "raw.source\n");
    write_source(f, "(1, 'a')");
    project_run(f);
    assert_string_equal(project_query(f, "SELECT * EXCLUDE (valid_from_snapshot) FROM mart.t"),
                        "1|a|NULL|true\n");
    project_write(f, "models/mart/u.sql",
                  "-- @kind: scd2\n-- @unique_key: is_current\nSELECT 1 AS id, true AS "
                  "is_current\n");
    project_run(f);
    assert_non_null(strstr(text_cstring(&f->messages),
                           "@unique_key names \"is_current\", which the query does not produce"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(scd2_follows_its_source),
        TEST(versions_carry_the_snapshot_at_which_the_run_began),
        TEST(history_survives_a_change_of_the_definition),
        TEST(a_rebuild_says_how_many_versions_it_drops),
        TEST(history_survives_a_commit_that_was_expired),
        TEST(scd2_refuses_bad_keys_on_every_run),
        TEST(columns_named_like_the_history_are_not_taken_from_the_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
