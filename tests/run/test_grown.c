// append over a source that gets columns (models.md §5.2, §7): what the table has already is not
// inserted again because it has no values there, also in later runs that read everything.
#include "run/edits.h"

// DISTINCT is evaluated in full.
#define MODEL "-- @kind: append\nSELECT DISTINCT * FROM src.t\n"
#define ROWS "SELECT * FROM mart.t ORDER BY ALL"

static void source_of(struct project_fixture *f, const char *rows) {
    const char *const make[] = {
        "CREATE SCHEMA lake.src",
        str_to_cstring(&f->arena, str_format(&f->arena, "CREATE TABLE lake.src.t AS %s", rows))};
    project_write(f, "models/raw/first.sql", "SELECT 1 AS one\n");
    project_run(f);
    execute_on_lake(f, make, ARRAY_COUNT(make));
    project_write(f, "models/mart/t.sql", MODEL);
    project_run(f);
}

static void edit(struct project_fixture *f, const char *sql) {
    execute_on_lake(f, &sql, 1);
    project_run(f);
    assert_int_equal(f->summary.failed, 0);
}

static void rows_from_before_a_column_are_not_inserted_again(void **state) {
    struct project_fixture *f = *state;
    source_of(f, "SELECT 1 AS id UNION ALL SELECT 2");
    edit(f, "ALTER TABLE lake.src.t ADD COLUMN v INTEGER DEFAULT 7");
    assert_string_equal(project_query(f, ROWS), "1|NULL\n2|NULL\n");
    edit(f, "INSERT INTO lake.src.t VALUES (3, 8)");
    assert_string_equal(project_query(f, ROWS), "1|NULL\n2|NULL\n3|8\n");
    // One more row with a key that is there: one of the two is new.
    edit(f, "INSERT INTO lake.src.t VALUES (1, 9), (3, 9)");
    assert_string_equal(project_query(f, "SELECT id, count(*) FROM mart.t GROUP BY id ORDER BY id"),
                        "1|2\n2|1\n3|2\n");
}

static void each_row_is_told_by_the_columns_of_its_time(void **state) {
    struct project_fixture *f = *state;
    source_of(f, "SELECT 1 AS id");
    edit(f, "ALTER TABLE lake.src.t ADD COLUMN v INTEGER DEFAULT 7");
    edit(f, "INSERT INTO lake.src.t VALUES (1, 8)");
    edit(f, "ALTER TABLE lake.src.t ADD COLUMN w INTEGER DEFAULT 5");
    static const char EXPECTED[] = "1|8|NULL\n1|NULL|NULL\n";
    assert_string_equal(project_query(f, ROWS), EXPECTED);
    edit(f, "INSERT INTO lake.src.t VALUES (2, 8, 5)");
    assert_string_equal(project_query(f, ROWS), "1|8|NULL\n1|NULL|NULL\n2|8|5\n");
    edit(f, "DELETE FROM lake.src.t WHERE id = 1 AND v = 8");
    assert_string_equal(project_query(f, ROWS), "1|8|NULL\n1|NULL|NULL\n2|8|5\n");
    edit(f, "INSERT INTO lake.src.t VALUES (1, 9, 5)"); // neither 1|8 nor, as it is there, 1|7
    assert_string_equal(project_query(f, ROWS), "1|8|NULL\n1|9|5\n1|NULL|NULL\n2|8|5\n");
}

static void a_value_that_changes_in_a_row_with_all_columns_is_a_new_row(void **state) {
    struct project_fixture *f = *state;
    source_of(f, "SELECT 1 AS id");
    edit(f, "ALTER TABLE lake.src.t ADD COLUMN v INTEGER");
    edit(f, "INSERT INTO lake.src.t VALUES (2, NULL)");
    edit(f, "UPDATE lake.src.t SET v = 9 WHERE id = 2");
    assert_string_equal(project_query(f, ROWS), "1|NULL\n2|9\n2|NULL\n");
}

// A rebuilt table has all values.
static void a_backfill_ends_it(void **state) {
    struct project_fixture *f = *state;
    source_of(f, "SELECT 1 AS id UNION ALL SELECT 2");
    edit(f, "ALTER TABLE lake.src.t ADD COLUMN v INTEGER DEFAULT 7");
    project_write(f, "models/mart/t.sql", MODEL "WHERE id > 0\n");
    edit(f, "UPDATE lake.src.t SET v = NULL WHERE id = 2");
    assert_string_equal(project_query(f, ROWS), "1|7\n2|NULL\n");
    edit(f, "UPDATE lake.src.t SET v = 9");
    assert_string_equal(project_query(f, ROWS), "1|7\n1|9\n2|9\n2|NULL\n");
}

static void it_outlives_other_commits_of_the_model(void **state) {
    struct project_fixture *f = *state;
    source_of(f, "SELECT 1 AS id");
    edit(f, "ALTER TABLE lake.src.t ADD COLUMN v INTEGER DEFAULT 7");
    project_write(f, "models/mart/t.sql", "-- @description: all of them\n" MODEL);
    project_run(f); // a commit of the description alone
    edit(f, "INSERT INTO lake.src.t VALUES (2, 8)");
    edit(f, "INSERT INTO lake.src.t VALUES (3, 8)");
    assert_string_equal(project_query(f, ROWS), "1|NULL\n2|8\n3|8\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(rows_from_before_a_column_are_not_inserted_again),
        TEST(each_row_is_told_by_the_columns_of_its_time),
        TEST(a_value_that_changes_in_a_row_with_all_columns_is_a_new_row),
        TEST(a_backfill_ends_it),
        TEST(it_outlives_other_commits_of_the_model),
    };
    return cmocka_run_group_tests_name("run_grown", tests, NULL, NULL);
}
