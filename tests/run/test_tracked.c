// tracked (models.md §5.4): groups of rows, replaced whole when they differ.
#include "run/edits.h"

#define MODEL "-- @kind: tracked\n-- @group_key: id\nSELECT * FROM raw.source\n"

static void tracked_follows_its_source(void **state) {
    static const struct edit EDITS[] = {
        {"first run", "(1, 'a'), (1, 'b'), (2, 'c')", "1|a\n1|b\n2|c\n",
         "[ok] mart.t backfill 3 first run", true},
        {"unchanged", "(1, 'a'), (1, 'b'), (2, 'c')", "1|a\n1|b\n2|c\n",
         "[skip] mart.t skip 0 deps unchanged", false},
        {"a new group", "(1, 'a'), (1, 'b'), (2, 'c'), (3, NULL)", "1|a\n1|b\n2|c\n3|NULL\n",
         "[ok] mart.t incremental 1 dep changed: raw.source", true},
        {"a row changed", "(1, 'a'), (1, 'x'), (2, 'c'), (3, NULL)", "1|a\n1|x\n2|c\n3|NULL\n",
         "[ok] mart.t incremental 2 dep changed: raw.source", true},
        {"a row of a group gone", "(1, 'x'), (2, 'c'), (3, NULL)", "1|x\n2|c\n3|NULL\n",
         "[ok] mart.t incremental 1 dep changed: raw.source", true},
        {"a duplicate", "(1, 'x'), (1, 'x'), (2, 'c'), (3, NULL)", "1|x\n1|x\n2|c\n3|NULL\n",
         "[ok] mart.t incremental 2 dep changed: raw.source", true},
        {"NULL is a value", "(1, 'x'), (1, NULL), (2, 'c'), (3, NULL)",
         "1|x\n1|NULL\n2|c\n3|NULL\n", "[ok] mart.t incremental 2 dep changed: raw.source", true},
        {"groups gone and one changed", "(2, 'd')", "2|d\n",
         "[ok] mart.t incremental 4 dep changed: raw.source", true},
        {"everything gone",
         "(NULL, NULL)) AS v(id, name) WHERE false UNION ALL SELECT * FROM "
         "(VALUES (9, 'z')",
         "9|z\n", "[ok] mart.t incremental 2 dep changed: raw.source", true},
    };
    run_edits(*state, MODEL, EDITS, ARRAY_COUNT(EDITS));
}

static void a_changed_group_is_deleted_and_inserted(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/mart/t.sql",
                  "-- @kind: tracked\n-- @group_key: id\nSELECT name, id FROM raw.source\n");
    write_source(f, "(1, 'a'), (1, 'b'), (2, 'c'), (3, 'd')");
    project_run(f);
    write_source(f, "(1, 'a'), (1, 'x'), (2, 'c')");
    project_run(f);
    assert_string_equal(last_changes(f),
                        "delete|a|1\ndelete|b|1\ndelete|d|3\ninsert|a|1\ninsert|x|1\n");
}

static void the_hash_is_that_of_older_lakes(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/raw/source.sql",
                  "SELECT * FROM (VALUES (1, 'b', 2.5, DATE '2024-01-01'), (1, 'b', 2.5, DATE "
                  "'2024-01-01'), (2, NULL, NULL, NULL)) v(id, name, amount, day)\n");
    project_write(f, "models/mart/t.sql",
                  "-- @kind: tracked\n-- @group_key: id\nSELECT name, id, day, amount, 'x' AS "
                  "_content_hash FROM raw.source\n");
    project_run(f);
    assert_string_equal(
        project_query(f, "SELECT id, count(*), count(DISTINCT _content_hash), "
                         "any_value(_content_hash) = sum(hash(row(amount, day, name)))::VARCHAR "
                         "FROM mart.t GROUP BY id ORDER BY id"),
        "1|2|1|true\n2|1|1|true\n");
    const int64_t before = project_snapshots(f);
    project_write(f, "models/mart/t.sql",
                  "-- @kind: tracked\n-- @group_key: id\nSELECT id, amount, name, day FROM "
                  "raw.source\n");
    project_run(f);
    ASSERT_LINES(f, "[skip] raw.source skip 0 no dependencies\n"
                    "[ok] mart.t backfill 0 sql changed\n");
    assert_int_equal(project_snapshots(f), before + 1); // the definition is recorded
    assert_string_equal(last_changes(f), "");
}

static void a_table_of_keys_counts_its_rows(void **state) {
    static const struct edit EDITS[] = {
        {"first run", "(1, 'a'), (1, 'a'), (2, 'b')", "1|a\n1|a\n2|b\n",
         "[ok] mart.t backfill 3 first run", true},
        {"a copy less", "(1, 'a'), (2, 'b')", "1|a\n2|b\n",
         "[ok] mart.t incremental 1 dep changed: raw.source", true},
        {"a group less", "(2, 'b')", "2|b\n", "[ok] mart.t incremental 1 dep changed: raw.source",
         true},
    };
    run_edits(*state, "-- @kind: tracked\n-- @group_key: id, name\nSELECT * FROM raw.source\n",
              EDITS, ARRAY_COUNT(EDITS));
}

// hash(row(0)) is 0, and so is any sum of it.
static void rows_of_zeros_are_counted(void **state) {
    static const struct edit EDITS[] = {
        {"first run", "(1, 0), (2, 1)", "1|0\n2|1\n", "[ok] mart.t backfill 2 first run", true},
        {"a copy more", "(1, 0), (1, 0), (2, 1)", "1|0\n1|0\n2|1\n",
         "[ok] mart.t incremental 2 dep changed: raw.source", true},
        {"a copy less", "(1, 0), (2, 1)", "1|0\n2|1\n",
         "[ok] mart.t incremental 1 dep changed: raw.source", true},
    };
    run_edits(*state, MODEL, EDITS, ARRAY_COUNT(EDITS));
}

// hash([0]) is hash([0, 0]), hash([]) is hash(NULL).
static void lists_that_hash_alike_are_told_apart(void **state) {
    static const struct edit EDITS[] = {
        {"first run", "(1, [0]), (2, [5]), (3, [NULL]), (4, [7])",
         "1|[0]\n2|[5]\n3|[null]\n4|[7]\n", "[ok] mart.t backfill 4 first run", true},
        {"longer", "(1, [0, 0]), (2, [0, 5]), (3, [NULL]), (4, [7])",
         "1|[0,0]\n2|[0,5]\n3|[null]\n4|[7]\n", "[ok] mart.t incremental 2 dep changed: raw.source",
         true},
        {"empty", "(1, [0, 0]), (2, [0, 5]), (3, []), (4, [7])", "1|[0,0]\n2|[0,5]\n3|[]\n4|[7]\n",
         "[ok] mart.t incremental 1 dep changed: raw.source", true},
        {"none", "(1, [0, 0]), (2, [0, 5]), (3, NULL), (4, [7])",
         "1|[0,0]\n2|[0,5]\n3|NULL\n4|[7]\n", "[ok] mart.t incremental 1 dep changed: raw.source",
         true},
        {"another order of rows", "(2, [0, 5]), (1, [0, 0]), (4, [7]), (3, NULL)",
         "1|[0,0]\n2|[0,5]\n3|NULL\n4|[7]\n", "mart.t skip 0 deps unchanged", true},
    };
    run_edits(*state, MODEL, EDITS, ARRAY_COUNT(EDITS));
}

static void structs_and_maps_that_hash_alike_are_told_apart(void **state) {
    static const struct edit EDITS[] = {
        {"first run", "(1, {'a': NULL::INTEGER, 'm': MAP {0: 0}}), (2, NULL)",
         "1|{\"a\":null,\"m\":[{\"key\":0,\"value\":0}]}\n2|NULL\n",
         "[ok] mart.t backfill 2 first run", true},
        {"a map grew", "(1, {'a': NULL::INTEGER, 'm': MAP {0: 0, 1: 0}}), (2, NULL)",
         "1|{\"a\":null,\"m\":[{\"key\":0,\"value\":0},{\"key\":1,\"value\":0}]}\n2|NULL\n",
         "[ok] mart.t incremental 1 dep changed: raw.source", true},
        {"no map", "(1, {'a': NULL::INTEGER, 'm': MAP {}}), (2, NULL)",
         "1|{\"a\":null,\"m\":[]}\n2|NULL\n", "[ok] mart.t incremental 1 dep changed: raw.source",
         true},
    };
    run_edits(*state, MODEL, EDITS, ARRAY_COUNT(EDITS));
}

static void a_null_in_any_part_of_the_key_is_refused(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/mart/t.sql",
                  "-- @kind: tracked\n-- @group_key: id, name\nSELECT *, 1 AS n FROM raw.source\n");
    write_source(f, "(1, 'a'), (2, NULL), (3, NULL)");
    project_run(f);
    ASSERT_MESSAGES(f, "models/mart/t.sql:2:16: error: key column \"name\" is NULL in 2 rows\n"
                       "  -- @group_key: id, name\n"
                       "                 ^\n"
                       "  hint: leave them out with WHERE \"name\" IS NOT NULL; `-- @constraint: "
                       "not_null(name)` where they come from finds them earlier\n");
    assert_string_equal(project_query(f, "SELECT count(*) FROM mart.t"), "0\n");
    write_source(f, "(1, 'a'), (2, 'b')");
    project_run(f);
    ASSERT_LINES(f, "[ok] raw.source backfill 2 sql changed\n[ok] mart.t backfill 2 first run\n");
}

static void an_unknown_group_column_is_refused(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/mart/t.sql",
                  "-- @kind: tracked\n-- @group_key: id, region\nSELECT * FROM raw.source\n");
    write_source(f, "(1, 'a')");
    project_run(f);
    ASSERT_MESSAGES(f, "models/mart/t.sql:2:16: error: @group_key names \"region\", which the "
                       "query does not produce\n"
                       "  -- @group_key: id, region\n"
                       "                 ^\n"
                       "  hint: it produces: id, name\n");
}

// Makes the last commit of mart.t one of another DuckDB, with hashes that no present one gives.
static void pretend_another_version(struct project_fixture *f) {
    static const char *const STATEMENTS[] = {
        "UPDATE lake.mart.t SET _content_hash = 'old ' || _content_hash",
        "UPDATE __ducklake_metadata_lake.ducklake_snapshot_changes SET commit_extra_info = "
        "replace(commit_extra_info, '\"duckdb_version\":\"v', '\"duckdb_version\":\"v0.')",
    };
    execute_on_lake(f, STATEMENTS, ARRAY_COUNT(STATEMENTS));
}

static void hashes_of_another_duckdb_do_not_rewrite_groups(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/mart/t.sql", MODEL);
    write_source(f, "(1, 'a'), (2, 'b'), (3, 'c')");
    project_run(f);
    pretend_another_version(f);
    write_source(f, "(1, 'a'), (2, 'x'), (3, 'c')");
    project_run(f);
    assert_non_null(strstr(text_cstring(&f->lines), "[ok] mart.t incremental 1 dep changed"));
    assert_string_equal(
        project_query(f, "SELECT id, name, starts_with(_content_hash, 'old') FROM mart.t ORDER BY "
                         "id"),
        "1|a|true\n2|x|false\n3|c|true\n");
    // The next run still knows that some hashes are old, though its commit is of this version.
    write_source(f, "(1, 'a'), (2, 'y'), (3, 'c')");
    project_run(f);
    assert_non_null(strstr(text_cstring(&f->lines), "[ok] mart.t incremental 1 dep changed"));
    // A full refresh brings them up to date.
    (void)project_run_with(f, (struct run_options){.full_refresh = true});
    assert_string_equal(
        project_query(f, "SELECT count(*) FROM mart.t WHERE starts_with(_content_hash, 'old')"),
        "0\n");
}

static void a_swapped_column_is_seen_though_hashes_agree(void **state) {
    struct project_fixture *f = *state;
    write_source(f, "(1, 'a'), (2, 'b')");
    project_write(f, "models/mart/t.sql",
                  "-- @kind: tracked\n-- @group_key: id\n"
                  "SELECT id, name AS a, upper(name) AS b FROM raw.source\n");
    project_run(f);
    project_write(f, "models/mart/t.sql",
                  "-- @kind: tracked\n-- @group_key: id\n"
                  "SELECT id, name AS b, upper(name) AS c FROM raw.source\n");
    project_run(f);
    assert_string_equal(project_query(f, "SELECT id, b, c FROM mart.t ORDER BY id"),
                        "1|a|A\n2|b|B\n");
}

// What is written is the text, so that is what is hashed.
static void a_type_that_the_lake_does_not_have_is_hashed_as_it_is_stored(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/mart/t.sql",
                  "-- @kind: tracked\n-- @group_key: id\n"
                  "SELECT 1 AS id, 'b'::ENUM('a', 'b') AS e, 12::HUGEINT AS h, NULL AS n\n");
    project_run(f);
    (void)project_run_with(f, (struct run_options){.full_refresh = true});
    ASSERT_LINES(f, "[ok] mart.t backfill 0 full refresh requested\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(tracked_follows_its_source),
        TEST(a_changed_group_is_deleted_and_inserted),
        TEST(the_hash_is_that_of_older_lakes),
        TEST(a_table_of_keys_counts_its_rows),
        TEST(rows_of_zeros_are_counted),
        TEST(lists_that_hash_alike_are_told_apart),
        TEST(structs_and_maps_that_hash_alike_are_told_apart),
        TEST(a_null_in_any_part_of_the_key_is_refused),
        TEST(an_unknown_group_column_is_refused),
        TEST(hashes_of_another_duckdb_do_not_rewrite_groups),
        TEST(a_swapped_column_is_seen_though_hashes_agree),
        TEST(a_type_that_the_lake_does_not_have_is_hashed_as_it_is_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
