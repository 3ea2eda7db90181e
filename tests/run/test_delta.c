// How increments are evaluated (models.md §6): from changes where that is right, and in full with a
// reason where it is not.
#include "run/edits.h"

#define MERGE "-- @kind: merge\n-- @unique_key: id\n"

static void write_orders(struct project_fixture *f, const char *values) {
    const str sql = str_format(&f->arena, "SELECT * FROM (VALUES %s) AS v(id, k, v)\n", values);
    project_write(f, "models/raw/orders.sql", str_to_cstring(&f->arena, sql));
}

// A temporary relation that one model leaves behind is no obstacle for the next.
static void every_model_of_a_run_is_evaluated_from_changes(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/mart/a.sql", MERGE "SELECT id, v FROM raw.orders\n");
    project_write(f, "models/mart/b.sql", "-- @kind: append\nSELECT id, v FROM raw.orders\n");
    project_write(f, "models/mart/c.sql",
                  MERGE "SELECT k AS id, sum(v) AS s FROM raw.orders GROUP BY k\n");
    project_write(f, "models/mart/d.sql",
                  "-- @kind: append\nSELECT k, count(*) AS n FROM raw.orders GROUP BY k\n");
    project_write(f, "models/mart/e.sql", MERGE "SELECT id, k FROM raw.orders\n");
    static const char SHAPES[] = "mart.a: affected keys\nmart.b: added rows\nmart.c: affected "
                                 "keys\nmart.d: aggregate of the delta\nmart.e: affected keys\n";
    write_orders(f, "(1, 1, 10), (2, 1, 20)");
    project_run(f);
    write_orders(f, "(1, 1, 10), (2, 1, 20), (3, 2, 30)");
    project_run(f);
    ASSERT_SHAPES(f, SHAPES);
    write_orders(f, "(1, 1, 11), (2, 1, 20), (3, 2, 30), (4, 2, 40)");
    project_run(f);
    ASSERT_SHAPES(f, SHAPES);
    assert_string_equal(project_query(f, "SELECT id, s::INT FROM mart.c ORDER BY id"),
                        "1|31\n2|70\n");
}

static void a_changed_row_without_a_key_is_no_reason_to_read_everything(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/mart/t.sql",
                  MERGE "SELECT k AS id, sum(v) AS s FROM raw.orders GROUP BY k HAVING k > 0\n");
    write_orders(f, "(1, 1, 10), (2, NULL, 20)");
    project_run(f);
    write_orders(f, "(1, 1, 10), (2, NULL, 21), (3, NULL, 30), (4, 4, 40)");
    project_run(f);
    ASSERT_SHAPES(f, "mart.t: affected keys\n");
    ASSERT_MESSAGES(f, "");
    assert_string_equal(project_query(f, "SELECT id, s::INT FROM mart.t ORDER BY id"),
                        "1|10\n4|40\n");
}

static void a_result_without_a_key_is_still_an_error(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/mart/t.sql",
                  MERGE "SELECT k AS id, sum(v) AS s FROM raw.orders GROUP BY k\n");
    write_orders(f, "(1, 1, 10)");
    project_run(f);
    write_orders(f, "(1, 1, 10), (2, NULL, 20)");
    project_run(f);
    assert_non_null(strstr(text_cstring(&f->messages), "key column \"id\" is NULL in 1 row\n"));
    assert_null(strstr(text_cstring(&f->messages), "in full")); // the error says it
}

// A group whatever the rows: without a matching change it must stay as it is.
static void the_only_group_of_an_aggregate_is_computed_from_all_rows(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/mart/t.sql",
                  MERGE "SELECT 1 AS id, count(*) AS n FROM raw.orders WHERE v > 15\n");
    write_orders(f, "(1, 1, 10), (2, 1, 20)");
    project_run(f);
    write_orders(f, "(1, 1, 11), (2, 1, 20)");
    project_run(f);
    assert_string_equal(project_query(f, "SELECT id, n FROM mart.t"), "1|1\n");
}

static void constants_less_rows_of_a_table_are_restricted_on_both_sides(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/mart/t.sql",
                  MERGE "(SELECT 0 AS id UNION ALL VALUES (1), (2)) EXCEPT SELECT id FROM "
                        "raw.orders\n");
    write_orders(f, "(1, 1, 10)");
    project_run(f);
    assert_string_equal(project_query(f, "SELECT id FROM mart.t ORDER BY id"), "0\n2\n");
    write_orders(f, "(1, 1, 10), (3, 1, 20)");
    project_run(f);
    assert_string_equal(project_query(f, "SELECT id FROM mart.t ORDER BY id"), "0\n2\n");
}

// Whose match moved to another group of a subquery that is read by its groups.
static void a_row_that_lost_its_match_is_found(void **state) {
    struct project_fixture *f = *state;
    static const char *const MAKE[] = {"CREATE SCHEMA lake.src",
                                       "CREATE TABLE lake.src.a AS SELECT 9 AS id, 4 AS k",
                                       "CREATE TABLE lake.src.b AS SELECT 1 AS id, 4 AS k"};
    static const char *const MOVE[] = {"INSERT INTO lake.src.b VALUES (1, 0)"};
    project_write(f, "models/mart/t.sql",
                  MERGE "SELECT a.id, count(*) AS n FROM src.a AS a FULL JOIN (SELECT * FROM src.b "
                        "QUALIFY row_number() OVER (PARTITION BY id ORDER BY k) = 1) AS b ON a.k = "
                        "b.k WHERE a.id IS NOT NULL AND b.id IS NULL GROUP BY a.id\n");
    write_orders(f, "(1, 1, 10)");
    (void)project_run_with(f, (struct run_options){.target = STR("raw.orders")});
    execute_on_lake(f, MAKE, ARRAY_COUNT(MAKE));
    project_run(f);
    assert_string_equal(project_query(f, "FROM mart.t"), "");
    execute_on_lake(f, MOVE, ARRAY_COUNT(MOVE));
    project_run(f);
    ASSERT_MESSAGES(f, "");
    ASSERT_SHAPES(f, "mart.t: affected keys\n");
    assert_string_equal(project_query(f, "FROM mart.t"), "9|1\n");
}

static void a_query_for_changes_that_fails_is_told(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/raw/other.sql", "SELECT * FROM raw.orders\n");
    project_write(f, "models/mart/t.sql",
                  MERGE
                  "SELECT t.x AS id, count(y.id) AS n FROM raw.orders AS o, LATERAL (SELECT o.k "
                  "AS x) AS t LEFT JOIN raw.other AS y ON y.k = t.x GROUP BY t.x\n");
    write_orders(f, "(1, 1, 10)");
    project_run(f);
    write_orders(f, "(1, 1, 10), (2, 1, 10)");
    project_run(f);
    ASSERT_SHAPES(f, "mart.t: full query\n");
    assert_non_null(strstr(text_cstring(&f->messages),
                           "mart.t is evaluated in full: the query for its changes failed: "));
    assert_string_equal(project_query(f, "SELECT id, n FROM mart.t"), "1|4\n");
}

// ── Views ──

static void views_are_read_by_their_changes(void **state) {
    struct project_fixture *f = *state;
    static const char *const VIEWS[] = {
        "CREATE VIEW lake.raw.sums (k, s) AS SELECT k, sum(v)::INT FROM raw.orders GROUP BY k",
        // The name means raw.orders, though nothing says so.
        "CREATE VIEW lake.raw.large AS SELECT * FROM orders WHERE v > 15"};
    static const char *const OTHER[] = {"CREATE OR REPLACE VIEW lake.raw.sums (s, k) AS SELECT k, "
                                        "sum(v)::INT FROM raw.orders GROUP "
                                        "BY k"};
    write_orders(f, "(1, 1, 10), (2, 1, 20)");
    project_run(f);
    execute_on_lake(f, VIEWS, ARRAY_COUNT(VIEWS));
    project_write(f, "models/mart/copy.sql", "-- @kind: append\nSELECT id, v FROM raw.large\n");
    project_write(f, "models/mart/sums.sql", MERGE "SELECT k AS id, s FROM raw.sums\n");
    project_write(f, "models/mart/t.sql",
                  MERGE "SELECT l.id, s.s FROM raw.large AS l JOIN raw.sums AS s ON l.k = s.k\n");
    project_run(f);
    write_orders(f, "(1, 1, 10), (2, 1, 20), (3, 1, 30), (4, 2, 40)");
    project_run(f);
    ASSERT_MESSAGES(f, "");
    ASSERT_SHAPES(f, "mart.copy: added rows\nmart.sums: affected keys\nmart.t: affected keys\n");
    assert_string_equal(project_query(f, "SELECT id, s FROM mart.t ORDER BY id"),
                        "2|60\n3|60\n4|40\n");
    execute_on_lake(f, OTHER, 1);
    write_orders(f, "(1, 1, 10), (2, 1, 20), (3, 1, 30), (4, 2, 50)");
    project_run(f);
    assert_string_equal(project_query(f, "SELECT id, s FROM mart.sums ORDER BY id"),
                        "1|60\n2|40\n50|2\n60|1\n");
    assert_non_null(strstr(text_cstring(&f->messages), "mart.sums is evaluated in full: the view "
                                                       "raw.sums is not what it was"));
}

// ── Names ──

static void tables_that_trade_names_are_other_tables(void **state) {
    struct project_fixture *f = *state;
    static const char *const MAKE[] = {"CREATE SCHEMA lake.src",
                                       "CREATE TABLE lake.src.a AS SELECT 1 AS id, 10 AS v",
                                       "CREATE TABLE lake.src.b AS SELECT 1 AS id, 20 AS v"};
    static const char *const TRADE[] = {"ALTER TABLE lake.src.a RENAME TO c",
                                        "ALTER TABLE lake.src.b RENAME TO a",
                                        "ALTER TABLE lake.src.c RENAME TO b"};
    static const char *const EXPECTED[] = {"1|20\n", "1|10\n", "1|20\n"};
    project_write(f, "models/mart/copy.sql", "SELECT * FROM src.a\n");
    project_write(f, "models/mart/t.sql", MERGE "SELECT * FROM src.a\n");
    write_orders(f, "(1, 1, 10)");
    (void)project_run_with(f, (struct run_options){.target = STR("raw.orders")});
    execute_on_lake(f, MAKE, ARRAY_COUNT(MAKE));
    project_run(f);
    for (size_t i = 0; i < ARRAY_COUNT(EXPECTED); i++) {
        execute_on_lake(f, TRADE, ARRAY_COUNT(TRADE));
        project_run(f);
        assert_string_equal(project_query(f, "FROM mart.t"), EXPECTED[i]);
        assert_string_equal(project_query(f, "FROM mart.copy"), EXPECTED[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_model_of_a_run_is_evaluated_from_changes),
        TEST(a_changed_row_without_a_key_is_no_reason_to_read_everything),
        TEST(a_result_without_a_key_is_still_an_error),
        TEST(the_only_group_of_an_aggregate_is_computed_from_all_rows),
        TEST(constants_less_rows_of_a_table_are_restricted_on_both_sides),
        TEST(a_row_that_lost_its_match_is_found),
        TEST(a_query_for_changes_that_fails_is_told),
        TEST(views_are_read_by_their_changes),
        TEST(tables_that_trade_names_are_other_tables),
    };
    return cmocka_run_group_tests_name("run_delta", tests, NULL, NULL);
}
