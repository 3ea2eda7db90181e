// When checks run, what their failure undoes, and what is said of it (models.md §9).
#include "run/fixture.h"

static int setup(void **state) {
    struct project_fixture *f = malloc(sizeof(*f));
    assert_non_null(f);
    project_init_fixture(f);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    project_done_fixture(*state);
    free(*state);
    return 0;
}

static void write_source(struct project_fixture *f, const char *values) {
    const str sql = str_format(&f->arena, "SELECT * FROM (VALUES %s) AS v(id, name)\n", values);
    project_write(f, "models/raw/source.sql", str_to_cstring(&f->arena, sql));
}

static const char *checks_of(struct project_fixture *f, const char *target) {
    const str sql = str_format(
        &f->arena,
        "SELECT c->>'stage', c->>'name', c->>'outcome' FROM (SELECT unnest(from_json("
        "commit_extra_info->'checks', '[\"JSON\"]')) AS c FROM lake.snapshots() WHERE "
        "commit_extra_info->>'model' = '%s' AND snapshot_id = (SELECT max(snapshot_id) FROM "
        "lake.snapshots() WHERE commit_extra_info->>'model' = '%s'))",
        target, target);
    return project_query(f, str_to_cstring(&f->arena, sql));
}

static void a_failed_constraint_leaves_nothing(void **state) {
    struct project_fixture *f = *state;
    write_source(f, "(1, 'a'), (2, NULL), (3, NULL), (3, 'c')");
    project_write(f, "models/mart/t.sql",
                  "-- @constraint: not_null(name)\n"
                  "-- @constraint: unique(id)\n"
                  "-- @constraint: compare(id, >, 0)\n"
                  "SELECT * FROM raw.source\n");
    project_write(f, "models/mart/u.sql", "SELECT * FROM mart.t\n");
    project_run(f);
    ASSERT_LINES(f, "[ok] raw.source backfill 4 first run\n"
                    "[error] mart.t backfill 0 first run\n"
                    "[skip] mart.u backfill 0 because mart.t\n");
    ASSERT_MESSAGES(
        f,
        "models/mart/t.sql:1:17: error: @constraint: not_null(name) failed: name is NULL in 2 of 4 "
        "rows\n"
        "  -- @constraint: not_null(name)\n"
        "                  ^\n"
        "models/mart/t.sql:2:17: error: @constraint: unique(id) failed: id is not unique: 1 value "
        "occurs more than once, in 2 rows (id: 3)\n"
        "  -- @constraint: unique(id)\n"
        "                  ^\n");
    assert_string_equal(project_query(f, "SELECT count(*) FROM mart.t"), "0\n");
    assert_string_equal(checks_of(f, "mart.t"), "");
    write_source(f, "(1, 'a')");
    project_run(f);
    assert_int_equal(f->summary.failed, 0);
    assert_string_equal(checks_of(f, "mart.t"), "constraint|not_null(name)|pass\n"
                                                "constraint|unique(id)|pass\n"
                                                "constraint|compare(id, >, 0)|pass\n");
}

static void a_failed_audit_rolls_back_rows_and_columns(void **state) {
    struct project_fixture *f = *state;
    write_source(f, "(1, 'a'), (2, 'b')");
    project_write(f, "models/mart/t.sql",
                  "-- @audit: row_count(>=, 2)\n-- @audit: max(id, <, 10)\n"
                  "SELECT * FROM raw.source\n");
    project_run(f);
    const int64_t before = project_snapshots(f);
    write_source(f, "(11, 'a')");
    project_write(f, "models/mart/t.sql",
                  "-- @description: new words\n"
                  "-- @audit: row_count(>=, 2)\n-- @audit: max(id, <, 10)\n"
                  "SELECT *, 1 AS more FROM raw.source\n");
    project_run(f);
    assert_string_equal(
        text_cstring(&f->messages),
        "models/mart/t.sql:2:12: error: @audit: row_count(>=, 2) failed: the number of rows is 1, "
        "not >= 2\n"
        "  -- @audit: row_count(>=, 2)\n"
        "             ^\n"
        "models/mart/t.sql:3:12: error: @audit: max(id, <, 10) failed: max(id) is 11, not < 10\n"
        "  -- @audit: max(id, <, 10)\n"
        "             ^\n");
    // One snapshot more: that of raw.source.
    assert_int_equal(project_snapshots(f), before + 1);
    assert_string_equal(project_query(f, "SELECT * FROM mart.t ORDER BY id"), "1|a\n2|b\n");
}

static void warnings_are_told_after_the_commit(void **state) {
    struct project_fixture *f = *state;
    write_source(f, "(1, 'a'), (2, NULL)");
    project_write(f, "models/mart/t.sql",
                  "-- @kind: merge\n-- @unique_key: id\n-- @warning: not_null(name)\n"
                  "-- @warning: row_count(>, 0)\nSELECT * FROM raw.source\n");
    project_run(f);
    ASSERT_LINES(f, "[ok] raw.source backfill 2 first run\n[ok] mart.t backfill 2 first run\n");
    ASSERT_MESSAGES(f, "models/mart/t.sql:3:14: warning: @warning: not_null(name) failed: name is "
                       "NULL in 1 of 2 rows (id: 2)\n"
                       "  -- @warning: not_null(name)\n"
                       "               ^\n");
    assert_int_equal(f->summary.failed, 0);
    assert_string_equal(checks_of(f, "mart.t"), "warning|not_null(name)|pending\n"
                                                "warning|row_count(>, 0)|pending\n");
    project_run(f);
    ASSERT_MESSAGES(f, "");
}

static void a_check_added_meets_the_table_though_nothing_runs(void **state) {
    struct project_fixture *f = *state;
    write_source(f, "(1, 'a'), (2, NULL)");
    project_write(f, "models/mart/t.sql", "SELECT * FROM raw.source\n");
    project_run(f);
    const int64_t before = project_snapshots(f);
    // One that passes is evaluated once, one that fails until it passes.
    project_write(f, "models/mart/t.sql",
                  "-- @constraint: unique(id)\n-- @constraint: not_null(name)\n"
                  "-- @warning: row_count(>, 5)\nSELECT * FROM raw.source\n");
    for (int i = 0; i < 2; i++) {
        project_run(f);
        ASSERT_LINES(f, "[skip] raw.source skip 0 no dependencies\n"
                        "[error] mart.t skip 0 deps unchanged\n");
        ASSERT_MESSAGES(f, "models/mart/t.sql:2:17: error: @constraint: not_null(name) failed: "
                           "name is NULL in 1 of 2 rows\n"
                           "  -- @constraint: not_null(name)\n"
                           "                  ^\n");
    }
    project_write(f, "models/mart/t.sql",
                  "-- @constraint: unique(id)\n-- @audit: row_count(=, 2)\n"
                  "-- @warning: row_count(>, 5)\nSELECT * FROM raw.source\n");
    project_run(f);
    ASSERT_LINES(f, "[skip] raw.source skip 0 no dependencies\n"
                    "[skip] mart.t skip 0 deps unchanged\n");
    ASSERT_MESSAGES(f, "models/mart/t.sql:3:14: warning: @warning: row_count(>, 5) failed: the "
                       "number of rows is 2, not > 5\n"
                       "  -- @warning: row_count(>, 5)\n"
                       "               ^\n");
    for (int i = 0; i < 6; i++) { // longer than what is read of the run log
        project_run(f);
        ASSERT_MESSAGES(f, "");
    }
    assert_int_equal(project_snapshots(f), before);
}

static void a_constraint_added_meets_the_rows_of_earlier_runs(void **state) {
    struct project_fixture *f = *state;
    write_source(f, "(1, 'a'), (2, NULL)");
    project_write(f, "models/mart/t.sql",
                  "-- @kind: merge\n-- @unique_key: id\nSELECT * FROM raw.source\n");
    project_run(f);
    write_source(f, "(3, 'c')");
    project_write(f, "models/mart/t.sql",
                  "-- @kind: merge\n-- @unique_key: id\n-- @constraint: not_null(name)\n"
                  "SELECT * FROM raw.source\n");
    project_run(f);
    assert_non_null(strstr(text_cstring(&f->messages), "name is NULL in 1 of 3 rows (id: 2)"));
    assert_string_equal(project_query(f, "SELECT count(*) FROM mart.t"), "2\n");
}

static void an_incremental_run_without_rows_has_nothing_to_refuse(void **state) {
    struct project_fixture *f = *state;
    write_source(f, "(1, 'a'), (2, 'b')");
    project_write(f, "models/mart/t.sql",
                  "-- @kind: append\n-- @constraint: at_least_one(name)\n"
                  "-- @constraint: not_constant(id)\n"
                  "SELECT * FROM raw.source WHERE id < 10\n");
    project_run(f);
    assert_int_equal(f->summary.failed, 0);
    write_source(f, "(1, 'a'), (2, 'b'), (30, 'c')");
    project_run(f);
    ASSERT_LINES(f, "[ok] raw.source backfill 1 sql changed\n"
                    "[ok] mart.t incremental 0 dep changed: raw.source\n");
    write_source(f, "(1, 'a'), (2, 'b'), (4, 'c')");
    project_run(f);
    assert_non_null(
        strstr(text_cstring(&f->messages), "the number of distinct values of id is 1, not >= 2"));
}

static void constraints_of_an_increment_see_its_rows_alone(void **state) {
    struct project_fixture *f = *state;
    static const char *const HEADERS[] = {"-- @kind: append\n",
                                          "-- @kind: merge\n-- @unique_key: id\n"};
    for (size_t i = 0; i < ARRAY_COUNT(HEADERS); i++) {
        write_source(f, "(1, 'a'), (2, 'b')");
        const str model = str_format(&f->arena,
                                     "%s-- @constraint: compare(id, <, 10)\n"
                                     "-- @constraint: not_null(name)\n-- @audit: row_count(>, 0)\n"
                                     "SELECT id, name FROM raw.source\n",
                                     HEADERS[i]);
        project_write(f, "models/mart/t.sql", str_to_cstring(&f->arena, model));
        project_run(f);
        assert_int_equal(f->summary.failed, 0);
        write_source(f, "(1, 'a'), (2, 'b'), (30, NULL)");
        project_run(f);
        const char *messages = text_cstring(&f->messages);
        const char *first = strstr(messages, "id is not < 10 in 1 of 1 row ");
        const char *second = strstr(messages, "name is NULL in 1 of 1 row");
        assert_non_null(first);
        assert_non_null(second);
        assert_null(strstr(first + 1, "id is not <")); // told once
        assert_string_equal(project_query(f, "SELECT count(*) FROM mart.t"), "2\n");
        write_source(f, "(1, 'a'), (2, 'b'), (3, 'c')");
        project_run(f);
        assert_int_equal(f->summary.failed, 0);
        assert_string_equal(project_query(f, "SELECT count(*) FROM mart.t"), "3\n");
    }
}

static void a_project_replaces_and_adds_macros(void **state) {
    struct project_fixture *f = *state;
    write_source(f, "(1, NULL), (2, 'x')");
    project_write(f, "config/macros/checks.sql",
                  "-- replaces ours\n"
                  "CREATE MACRO ondatra_constraint_not_null(t, col) AS TABLE\n"
                  "    SELECT 'own: ' || t FROM query('FROM ' || t) LIMIT 1;\n"
                  "-- more columns than the message, and rows without one\n"
                  "CREATE MACRO ondatra_constraint_odd(t) AS TABLE\n"
                  "    SELECT CASE WHEN id = 1 THEN 'odd id ' || id END, id FROM query_table(t);\n"
                  "-- builds on ours\n"
                  "CREATE MACRO ondatra_audit_full(t, col) AS TABLE\n"
                  "    FROM ondatra_audit_row_count(t, '>', 5);\n");
    project_write(f, "models/mart/t.sql",
                  "-- @constraint: not_null(name)\n"
                  "-- @constraint: odd\n"
                  "SELECT * FROM raw.source\n");
    project_write(f, "models/mart/u.sql", "-- @audit: full(id)\nSELECT * FROM raw.source\n");
    project_run(f);
    ASSERT_MESSAGES(f,
                    "models/mart/t.sql:1:17: error: @constraint: not_null(name) failed: own: "
                    "temp.__ondatra_new\n"
                    "  -- @constraint: not_null(name)\n"
                    "                  ^\n"
                    "models/mart/t.sql:2:17: error: @constraint: odd failed: odd id 1\n"
                    "  -- @constraint: odd\n"
                    "                  ^\n"
                    "models/mart/u.sql:1:12: error: @audit: full(id) failed: the number of rows is "
                    "2, not > 5\n"
                    "  -- @audit: full(id)\n"
                    "             ^\n");
}

static void a_check_that_cannot_be_evaluated_is_named(void **state) {
    struct project_fixture *f = *state;
    write_source(f, "(1, 'a'), (-2, 'b')");
    // Only found when it is bound: the column stands in an expression.
    project_write(f, "models/mart/t.sql",
                  "-- @constraint: check(id, nme = 'a')\n"
                  "-- @constraint: compare(id, >, 0)\n"
                  "SELECT * FROM raw.source\n");
    // Only found when it runs, among others that could be it.
    project_write(f, "models/mart/u.sql",
                  "-- @audit: row_count(>, 0)\n"
                  "-- @audit: sum(name::INTEGER, >, 0)\n"
                  "-- @audit: row_count(>, 9)\n"
                  "SELECT * FROM raw.source\n");
    project_write(f, "models/mart/v.sql",
                  "-- @warning: min(name::INTEGER, >, 0)\n"
                  "-- @warning: row_count(>, 9)\n"
                  "SELECT * FROM raw.source\n");
    project_run(f);
    ASSERT_MESSAGES(
        f,
        "models/mart/t.sql:1:17: error: @constraint: check(id, nme = 'a') cannot be evaluated: "
        "referenced column \"nme\" not found in FROM clause\n"
        "  -- @constraint: check(id, nme = 'a')\n"
        "                  ^\n"
        "  hint: candidate bindings: \"name\"\n"
        "models/mart/t.sql:2:17: error: @constraint: compare(id, >, 0) failed: id is not > 0 in "
        "1 of 2 rows (id: -2)\n"
        "  -- @constraint: compare(id, >, 0)\n"
        "                  ^\n"
        "models/mart/u.sql:2:12: error: @audit: sum(name::INTEGER, >, 0) cannot be evaluated: "
        "could not convert string 'a' to INT32 when casting from source column name\n"
        "  -- @audit: sum(name::INTEGER, >, 0)\n"
        "             ^\n"
        "models/mart/u.sql:3:12: error: @audit: row_count(>, 9) failed: the number of rows is 2, "
        "not > 9\n"
        "  -- @audit: row_count(>, 9)\n"
        "             ^\n"
        "models/mart/v.sql:1:14: warning: @warning: min(name::INTEGER, >, 0) cannot be "
        "evaluated: could not convert string 'a' to INT32 when casting from source column name\n"
        "  -- @warning: min(name::INTEGER, >, 0)\n"
        "               ^\n"
        "models/mart/v.sql:2:14: warning: @warning: row_count(>, 9) failed: the number of rows "
        "is 2, not > 9\n"
        "  -- @warning: row_count(>, 9)\n"
        "               ^\n");
    assert_int_equal(f->summary.failed, 2);
}

static void each_check_of_a_stage_has_its_result_whatever_fails(void **state) {
    struct project_fixture *f = *state;
    write_source(f, "(1, 'a'), (-2, NULL)");
    project_write(f, "models/mart/t.sql",
                  "-- @constraint: unique(id)\n"
                  "-- @constraint: min_name(name)\n"
                  "-- @constraint: compare(day, >, 'abc')\n"
                  "-- @constraint: not_null(name)\n"
                  "-- @constraint: compare(day, <, 'xyz')\n"
                  "-- @constraint: compare(id, >, 0)\n"
                  "-- @audit: row_count(>, 9)\n"
                  "SELECT *, TIMESTAMP '2024-01-01' AS day FROM raw.source\n");
    project_write(f, "config/macros/checks.sql",
                  "CREATE MACRO ondatra_constraint_min_name(t, col) AS TABLE FROM query(format("
                  "'SELECT min({})::INTEGER FROM {}', col, t));\n");
    project_run(f);
    ASSERT_LINES(f, "[ok] raw.source backfill 2 first run\n[error] mart.t backfill 0 first run\n");
    ASSERT_MESSAGES(
        f, "models/mart/t.sql:2:17: error: @constraint: min_name(name) cannot be evaluated: could "
           "not convert string 'a' to INT32 when casting from source column min(name)\n"
           "  -- @constraint: min_name(name)\n"
           "                  ^\n"
           "models/mart/t.sql:3:17: error: @constraint: compare(day, >, 'abc') cannot be "
           "evaluated: invalid timestamp field format: \"abc\", expected format is (YYYY-MM-DD "
           "HH:MM:SS[.US][±HH[:MM[:SS]]| ZONE])\n"
           "  -- @constraint: compare(day, >, 'abc')\n"
           "                  ^\n"
           "models/mart/t.sql:4:17: error: @constraint: not_null(name) failed: name is NULL in 1 "
           "of 2 rows\n"
           "  -- @constraint: not_null(name)\n"
           "                  ^\n"
           "models/mart/t.sql:5:17: error: @constraint: compare(day, <, 'xyz') cannot be "
           "evaluated: invalid timestamp field format: \"xyz\", expected format is (YYYY-MM-DD "
           "HH:MM:SS[.US][±HH[:MM[:SS]]| ZONE])\n"
           "  -- @constraint: compare(day, <, 'xyz')\n"
           "                  ^\n"
           "models/mart/t.sql:6:17: error: @constraint: compare(id, >, 0) failed: id is not > 0 in "
           "1 of 2 rows (id: -2)\n"
           "  -- @constraint: compare(id, >, 0)\n"
           "                  ^\n");
    assert_int_equal(f->summary.failed, 1);
}

static void a_warning_without_its_column_has_a_result(void **state) {
    struct project_fixture *f = *state;
    write_source(f, "(1, 'a')");
    project_write(f, "models/mart/t.sql",
                  "-- @warning: not_null(name)\nSELECT id, name FROM raw.source\n");
    project_run(f);
    ASSERT_MESSAGES(f, "");
    project_write(f, "models/mart/t.sql",
                  "-- @warning: not_null(name)\nSELECT id, name AS w FROM raw.source\n");
    project_run(f);
    assert_string_equal(checks_of(f, "mart.t"), "warning|not_null(name)|error\n");
    // It has met nothing: once there is such a column, it looks also when nothing runs.
    project_write(f, "models/mart/t.sql",
                  "-- @warning: not_null(w)\nSELECT id, name AS w FROM raw.source\n");
    project_run(f);
    ASSERT_MESSAGES(f, "");
}

static void changes_are_compared_with_the_commit_before(void **state) {
    struct project_fixture *f = *state;
    write_source(f, "(1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')");
    project_write(f, "models/mart/t.sql",
                  "-- @kind: merge\n-- @unique_key: id\n-- @warning: sum_delta(id, 20)\n"
                  "-- @warning: mean_delta(id, 20)\n-- @warning: row_count_delta(40)\n"
                  "SELECT * FROM raw.source\n");
    project_write(f, "models/mart/u.sql",
                  "-- @warning: row_count_delta(40)\n"
                  "SELECT * FROM raw.source\n");
    project_run(f);
    ASSERT_MESSAGES(f, "");
    write_source(f, "(1, 'a'), (2, 'b'), (3, 'c'), (4, 'x')");
    project_run(f);
    ASSERT_MESSAGES(f, "models/mart/u.sql:1:14: warning: @warning: row_count_delta(40) failed: 2 "
                       "of 4 rows changed, more than 40 %\n"
                       "  -- @warning: row_count_delta(40)\n"
                       "               ^\n");
    write_source(f, "(1, 'a'), (2, 'q'), (3, 'q'), (5, 'x')");
    project_run(f);
    ASSERT_MESSAGES(f, "models/mart/t.sql:3:14: warning: @warning: sum_delta(id, 20) failed: "
                       "sum(id) changed from 10.0 to 15.0, by more than 20 %\n"
                       "  -- @warning: sum_delta(id, 20)\n"
                       "               ^\n"
                       "models/mart/t.sql:5:14: warning: @warning: row_count_delta(40) failed: 3 "
                       "of 5 rows changed, more than 40 %\n"
                       "  -- @warning: row_count_delta(40)\n"
                       "               ^\n"
                       "models/mart/u.sql:1:14: warning: @warning: row_count_delta(40) failed: 6 "
                       "of 4 rows changed, more than 40 %\n"
                       "  -- @warning: row_count_delta(40)\n"
                       "               ^\n");
    // Another definition that gives the same rows changes none.
    project_write(f, "models/mart/u.sql",
                  "-- @warning: row_count_delta(40)\n"
                  "SELECT id, name FROM raw.source\n");
    project_run(f);
    ASSERT_MESSAGES(f, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_failed_constraint_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_audit_rolls_back_rows_and_columns, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(warnings_are_told_after_the_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(a_check_added_meets_the_table_though_nothing_runs, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_constraint_added_meets_the_rows_of_earlier_runs, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_incremental_run_without_rows_has_nothing_to_refuse,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(constraints_of_an_increment_see_its_rows_alone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_project_replaces_and_adds_macros, setup, teardown),
        cmocka_unit_test_setup_teardown(a_check_that_cannot_be_evaluated_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(each_check_of_a_stage_has_its_result_whatever_fails, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_warning_without_its_column_has_a_result, setup, teardown),
        cmocka_unit_test_setup_teardown(changes_are_compared_with_the_commit_before, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
