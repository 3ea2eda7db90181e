// Runs of whole projects on a real lake: every kind through first run, no change, insert, update,
// delete, duplicate and NULL; what is committed and what is not.
#include "run/edits.h"

#include <sys/wait.h>

static void table_follows_its_source(void **state) {
    static const struct edit EDITS[] = {
        {"first run", "(1, 'a'), (2, 'b'), (2, 'b')", "1|a\n2|b\n2|b\n",
         "[ok] mart.t backfill 3 first run", true},
        {"unchanged", "(1, 'a'), (2, 'b'), (2, 'b')", "1|a\n2|b\n2|b\n",
         "[skip] mart.t skip 0 deps unchanged", false},
        {"insert", "(1, 'a'), (2, 'b'), (2, 'b'), (3, NULL)", "1|a\n2|b\n2|b\n3|NULL\n",
         "[ok] mart.t full 1 dep changed: raw.source", true},
        {"update", "(1, 'x'), (2, 'b'), (2, 'b'), (3, NULL)", "1|x\n2|b\n2|b\n3|NULL\n",
         "[ok] mart.t full 1 dep changed: raw.source", true},
        {"delete one of two equal rows", "(1, 'x'), (2, 'b'), (3, NULL)", "1|x\n2|b\n3|NULL\n",
         "[ok] mart.t full 1 dep changed: raw.source", true},
        {"duplicate", "(1, 'x'), (2, 'b'), (3, NULL), (3, NULL), (3, NULL)",
         "1|x\n2|b\n3|NULL\n3|NULL\n3|NULL\n", "[ok] mart.t full 2 dep changed: raw.source", true},
    };
    run_edits(*state, "SELECT * FROM raw.source\n", EDITS, ARRAY_COUNT(EDITS));
}

static void append_keeps_old_rows_and_counts_copies(void **state) {
    static const struct edit EDITS[] = {
        {"first run", "(1, 'a'), (1, 'a')", "1|a\n1|a\n", "[ok] mart.t backfill 2 first run", true},
        {"unchanged", "(1, 'a'), (1, 'a')", "1|a\n1|a\n", "[skip] mart.t skip 0 deps unchanged",
         false},
        {"insert", "(1, 'a'), (1, 'a'), (2, 'b'), (2, 'b')", "1|a\n1|a\n2|b\n2|b\n",
         "[ok] mart.t incremental 2 dep changed: raw.source", true},
        {"update is a new row", "(1, 'a'), (1, 'a'), (2, 'b'), (2, 'x')",
         "1|a\n1|a\n2|b\n2|b\n2|x\n", "[ok] mart.t incremental 1 dep changed: raw.source", true},
        {"delete is ignored", "(2, 'x')", "1|a\n1|a\n2|b\n2|b\n2|x\n",
         "[ok] mart.t incremental 0 dep changed: raw.source", true},
        {"copy", "(2, 'x'), (2, 'x')", "1|a\n1|a\n2|b\n2|b\n2|x\n2|x\n",
         "[ok] mart.t incremental 1 dep changed: raw.source", true},
    };
    run_edits(*state, "-- @kind: append\nSELECT * FROM raw.source\n", EDITS, ARRAY_COUNT(EDITS));
}

static void merge_keeps_one_row_a_key(void **state) {
    static const struct edit EDITS[] = {
        {"first run", "(1, 'a'), (2, 'b')", "1|a\n2|b\n", "[ok] mart.t backfill 2 first run", true},
        {"unchanged", "(1, 'a'), (2, 'b')", "1|a\n2|b\n", "[skip] mart.t skip 0 deps unchanged",
         false},
        {"insert and update", "(1, 'x'), (2, 'b'), (3, 'c')", "1|x\n2|b\n3|c\n",
         "[ok] mart.t incremental 2 dep changed: raw.source", true},
        {"to NULL", "(1, NULL), (2, 'b'), (3, 'c')", "1|NULL\n2|b\n3|c\n",
         "[ok] mart.t incremental 1 dep changed: raw.source", true},
        {"gone from the source", "(2, 'b')", "1|NULL\n2|b\n3|c\n",
         "[ok] mart.t incremental 0 dep changed: raw.source", true},
    };
    run_edits(*state,
              "-- @kind: merge\n-- @unique_key: id\nSELECT name, id FROM raw.source\n"
              "-- the key is not the first column\n",
              NULL, 0);
    run_edits(*state, "-- @kind: merge\n-- @unique_key: id\nSELECT * FROM raw.source\n", EDITS,
              ARRAY_COUNT(EDITS));
}

static void merge_refuses_duplicate_and_null_keys(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/mart/t.sql",
                  "-- @kind: merge\n-- @unique_key: id\nSELECT * FROM raw.source\n");
    write_source(f, "(1, 'a'), (1, 'a'), (2, 'b'), (2, 'c'), (3, 'd')");
    project_run(f);
    ASSERT_MESSAGES(
        f,
        "models/mart/t.sql:2:17: error: key column \"id\" is not unique: 2 values occur more "
        "than once, such as 1, 2\n"
        "  -- @unique_key: id\n"
        "                  ^\n"
        "  hint: keep one row a key with QUALIFY row_number() OVER (PARTITION BY \"id\" ORDER BY "
        "…) = 1; `-- @constraint: unique(id)` where they come from finds them earlier\n");
    assert_int_equal(f->summary.failed, 1);
    assert_string_equal(project_query(f, "SELECT count(*) FROM mart.t"), "0\n");
    write_source(f, "(1, 'a'), (NULL, 'b')");
    project_run(f);
    ASSERT_MESSAGES(f, "models/mart/t.sql:2:17: error: key column \"id\" is NULL in 1 row\n"
                       "  -- @unique_key: id\n"
                       "                  ^\n"
                       "  hint: leave them out with WHERE \"id\" IS NOT NULL; `-- @constraint: "
                       "not_null(id)` where they come from finds them earlier\n");
    write_source(f, "(1, 'a')");
    project_run(f);
    ASSERT_LINES(f, "[ok] raw.source backfill 1 sql changed\n[ok] mart.t backfill 1 first run\n");
    // A duplicate whose copies both equal the table's row is one, too.
    write_source(f, "(1, 'a'), (1, 'a')");
    project_run(f);
    assert_non_null(strstr(text_cstring(&f->messages), "is not unique: 1 value occurs"));
}

static void backfill_makes_the_table_equal_the_query(void **state) {
    struct project_fixture *f = *state;
    static const char *const HEADERS[] = {"", "-- @kind: append\n",
                                          "-- @kind: merge\n-- @unique_key: id\n"};
    for (size_t i = 0; i < ARRAY_COUNT(HEADERS); i++) {
        const char *path = "models/mart/t.sql";
        write_source(f, "(1, 'a'), (2, 'b'), (3, 'c')");
        project_write(f, path,
                      str_to_cstring(&f->arena, str_format(&f->arena, "%sSELECT * FROM raw.source",
                                                           HEADERS[i])));
        project_run(f);
        project_write(
            f, path,
            str_to_cstring(&f->arena,
                           str_format(&f->arena,
                                      "%sSELECT id, name, id * 2 AS twice FROM raw.source WHERE id "
                                      "> 1",
                                      HEADERS[i])));
        project_run(f);
        assert_string_equal(project_query(f, "SELECT * FROM mart.t ORDER BY ALL"),
                            "2|b|4\n3|c|6\n");
        assert_non_null(strstr(text_cstring(&f->messages), "columns changed: + twice (INTEGER)"));
        assert_true((strstr(text_cstring(&f->messages), "the backfill removes 1 row that the query "
                                                        "does not give any more") != NULL) ==
                    (i >= 1));
    }
}

static void equal_contents_write_no_snapshot(void **state) {
    struct project_fixture *f = *state;
    write_source(f, "(1, 'a'), (2, 'b')");
    project_write(f, "models/mart/t.sql", "SELECT count(*) AS n FROM raw.source\n");
    project_write(f, "models/mart/u.sql", "SELECT n FROM mart.t\n");
    project_run(f);
    write_source(f, "(1, 'a'), (2, 'c')");
    project_run(f);
    ASSERT_LINES(f, "[ok] raw.source backfill 1 sql changed\n"
                    "[ok] mart.t full 0 dep changed: raw.source\n"
                    "[skip] mart.u skip 0 deps unchanged\n");
}

static void comments_and_layout_change_nothing(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/t.sql", "SELECT 'A' AS a\n");
    project_run(f);
    ASSERT_LINES(f, "[ok] main.t backfill 1 first run\n");
    project_write(f, "models/t.sql", "-- @description: x\nselect   'A'   as a -- why\n");
    project_run(f);
    ASSERT_LINES(f, "[skip] main.t skip 0 no dependencies\n");
    project_write(f, "models/t.sql", "SELECT 'a' AS a\n");
    project_run(f);
    ASSERT_LINES(f, "[ok] main.t backfill 1 sql changed\n");
    project_write(f, "models/t.sql", "-- @kind: append\nSELECT 'a' AS a\n");
    project_run(f);
    ASSERT_LINES(f, "[ok] main.t backfill 0 directive changed: kind\n");
    project_run(f);
    ASSERT_LINES(f, "[skip] main.t skip 0 no dependencies\n");
}

static void macro_rebuilds_its_users_only(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "config/macros/m.sql",
                  "CREATE OR REPLACE MACRO inner_one(x) AS x + 1;\n"
                  "CREATE OR REPLACE MACRO outer_one(x) AS inner_one(x) * 2;\n");
    project_write(f, "models/a.sql", "SELECT outer_one(1) AS a\n");
    project_write(f, "models/b.sql", "SELECT 1 AS b\n");
    project_run(f);
    project_write(f, "config/macros/m.sql",
                  "-- another comment\nCREATE OR REPLACE MACRO inner_one(x) AS x + 2;\n"
                  "CREATE OR REPLACE MACRO outer_one(x) AS inner_one(x) * 2;\n");
    project_run(f);
    ASSERT_LINES(f, "[ok] main.a backfill 1 macro changed: inner_one\n"
                    "[skip] main.b skip 0 no dependencies\n");
}

static void failure_skips_descendants_and_nothing_else(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/a.sql", "SELECT 1 AS a\n");
    project_write(f, "models/b.sql", "SELECT (a || 'x')::INTEGER AS b FROM a\n");
    project_write(f, "models/c.sql", "SELECT b FROM main.b\n");
    project_write(f, "models/d.sql", "SELECT b FROM c\n");
    project_write(f, "models/e.sql", "SELECT a FROM lake.main.a\n");
    project_run(f);
    ASSERT_LINES(f, "[ok] main.a backfill 1 first run\n"
                    "[error] main.b backfill 0 first run\n"
                    "[skip] main.c backfill 0 because main.b\n"
                    "[skip] main.d backfill 0 because main.b\n"
                    "[ok] main.e backfill 1 first run\n");
    assert_string_equal(project_query(f, "SELECT count(*) FROM main.b"), "0\n");
    project_write(f, "models/b.sql", "SELECT a AS b FROM a\n");
    project_run(f);
    ASSERT_LINES(f, "[skip] main.a skip 0 no dependencies\n"
                    "[ok] main.b backfill 1 first run\n"
                    "[ok] main.c backfill 1 first run\n"
                    "[ok] main.d backfill 1 first run\n"
                    "[skip] main.e skip 0 deps unchanged\n");
}

static const struct {
    const char *name;
    const char *files[4]; // path, content pairs
    const char *messages;
} BROKEN[] = {
    {"missing table",
     {"models/raw/customers.sql", "SELECT 1 AS a", "models/mart/c.sql",
      "SELECT a\nFROM raw.customer\n"},
     "models/mart/c.sql:2:6: error: mart.c reads raw.customer, which no model makes\n"
     "  FROM raw.customer\n"
     "       ^\n"
     "  hint: did you mean raw.customers?\n"},
    {"unknown schema",
     {"models/a.sql", "SELECT 1 AS a FROM erp.invoices"},
     "models/a.sql:1:20: error: main.a reads erp.invoices, which no model makes\n"
     "  SELECT 1 AS a FROM erp.invoices\n"
     "                     ^\n"
     "  hint: no model and no table is in a schema erp\n"},
    {"syntax",
     {"models/a.sql", "-- @kind: table\nSELECT 1 FROM\n  WHERE x\n"},
     "models/a.sql:3:3: error: syntax error at or near \"WHERE\"\n"
     "    WHERE x\n"
     "    ^\n"},
    {"no query",
     {"models/a.sql", "DROP TABLE x"},
     "models/a.sql:1:1: error: the body of a model is one SELECT, not DROP\n"
     "  DROP TABLE x\n"
     "  ^\n"
     "  hint: write the SELECT alone: @kind says how its rows get into the table\n"},
    {"column of a directive",
     {"models/a.sql", "-- @kind: merge\n-- @unique_key: idd\nSELECT * FROM range(3) t(id)\n"},
     "models/a.sql:2:17: error: @unique_key names \"idd\", which the query does not produce\n"
     "  -- @unique_key: idd\n"
     "                  ^\n"
     "  hint: it produces: id\n"},
    {"same name twice",
     {"models/a.sql", "SELECT 1 AS a, 2 AS A\n"},
     "models/a.sql:1:16: error: the query produces two columns named \"A\"\n"
     "  SELECT 1 AS a, 2 AS A\n"
     "                 ^\n"
     "  hint: give one of them another name with AS\n"},
    {"two files, one target",
     {"models/Mart/A.sql", "SELECT 1 AS a", "models/mart/a.sql", "SELECT 1 AS a"},
     "models/mart/a.sql:1:1: error: models/Mart/A.sql and models/mart/a.sql both make Mart.A\n"
     "  hint: targets are compared without case; rename one file\n"},
    {"run-time error",
     {"models/a.sql", "SELECT i::INTEGER AS i FROM (VALUES ('1'), ('x')) t(i)\n"},
     "models/a.sql:1:9: error: could not convert string 'x' to INT32 when casting from source "
     "column i\n"
     "  SELECT i::INTEGER AS i FROM (VALUES ('1'), ('x')) t(i)\n"
     "          ^\n"},
};

static void broken_models_say_where_and_why(void **state) {
    struct project_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(BROKEN); i++) {
        for (size_t j = 0; j < 4 && BROKEN[i].files[j] != NULL; j += 2) {
            project_write(f, BROKEN[i].files[j], BROKEN[i].files[j + 1]);
        }
        project_run(f);
        if (strcmp(text_cstring(&f->messages), BROKEN[i].messages) != 0) {
            fail_msg("%s:\n%s", BROKEN[i].name, text_cstring(&f->messages));
        }
        for (size_t j = 0; j < 4 && BROKEN[i].files[j] != NULL; j += 2) {
            project_remove(f, BROKEN[i].files[j]);
        }
    }
}

static void cycle_refuses_the_run_and_shows_the_loop(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/a.sql", "SELECT x FROM c\n");
    project_write(f, "models/b.sql", "SELECT x FROM a\n");
    project_write(f, "models/c.sql", "SELECT x FROM b\n");
    project_write(f, "models/d.sql", "SELECT 1 AS d\n");
    assert_int_equal(project_run_with(f, (struct run_options){0}), ERROR_INVALID);
    assert_string_equal(f->errors.items[0].message,
                        "the models read each other: main.a (models/a.sql) → main.c "
                        "(models/c.sql) → main.b (models/b.sql) → main.a");
    // A run of one model has nothing to do with a cycle that it is not behind.
    assert_int_equal(project_run_with(f, (struct run_options){.target = STR("main.d")}),
                     ERROR_NONE);
    ASSERT_LINES(f, "[ok] main.d backfill 1 first run\n");
    assert_int_equal(project_run_with(f, (struct run_options){.target = STR("main.b")}),
                     ERROR_INVALID);
    assert_int_equal(project_run_with(f, (struct run_options){.keep_going = true}), ERROR_NONE);
    assert_non_null(strstr(text_cstring(&f->lines), "[skip] main.d skip 0 no dependencies\n"));
    assert_int_equal(f->summary.failed, 3);
}

static void target_limits_the_run(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/a.sql", "SELECT 1 AS a\n");
    project_write(f, "models/b.sql", "SELECT a FROM a\n");
    project_write(f, "models/c.sql", "SELECT a FROM b\n");
    assert_int_equal(project_run_with(f, (struct run_options){.target = STR("MAIN.A")}),
                     ERROR_NONE);
    ASSERT_LINES(f, "[ok] main.a backfill 1 first run\n");
    (void)project_run_with(f, (struct run_options){.target = STR("main.c")});
    assert_non_null(
        strstr(text_cstring(&f->messages), "main.c reads main.b, which has not run yet"));
    (void)project_run_with(f, (struct run_options){.target = STR("+main.b+")});
    ASSERT_LINES(f, "[skip] main.a skip 0 no dependencies\n[ok] main.b backfill 1 first run\n"
                    "[ok] main.c backfill 1 first run\n");
    assert_int_equal(project_run_with(f, (struct run_options){.target = STR("main.x")}),
                     ERROR_NOT_FOUND);
    assert_string_equal(f->errors.items[0].message, "no model makes main.x");
    assert_int_equal(
        project_run_with(f, (struct run_options){.target = STR("main.a"), .full_refresh = true}),
        ERROR_NONE);
    ASSERT_LINES(f, "[ok] main.a backfill 0 full refresh requested\n");
}

static void other_models_do_not_matter_to_a_run_of_one(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/a.sql", "SELECT 1 AS a\n");
    project_write(f, "models/b.sql", "SELECT a FROM a\n");
    project_write(f, "models/raw/broken.sql", "-- @kind: nonsense\nSELEC 1\n");
    project_write(f, "models/raw/no name.sql", "SELECT 1 AS a\n");
    project_write(f, "models/raw/one.sql", "SELECT a FROM raw.two\n");
    project_write(f, "models/raw/two.sql", "SELECT a FROM raw.one, b\n");
    project_write(f, "models/raw/sent.sql", "-- @sink: nobody\nSELECT a FROM b\n");
    static const char *const TARGETS[] = {"+main.b", "main.b", "b", "main.a"};
    for (size_t i = 0; i < ARRAY_COUNT(TARGETS); i++) {
        assert_int_equal(project_run_with(f, (struct run_options){.target = str_from(TARGETS[i])}),
                         ERROR_NONE);
        assert_int_equal(f->summary.failed, 0);
        ASSERT_MESSAGES(f, "");
    }
    // What one of them reads does.
    assert_int_equal(project_run_with(f, (struct run_options){.target = STR("raw.two")}),
                     ERROR_INVALID);
}

// The commits of a model tell nothing of a table that was dropped, nor of one that was made since:
// also when a run was killed after it had made the missing tables.
static void a_table_dropped_by_hand_is_made_again(void **state) {
    static const char *const HEADERS[] = {
        "", "-- @kind: append\n", "-- @kind: merge\n-- @unique_key: id\n",
        "-- @kind: tracked\n-- @group_key: id\n", "-- @kind: scd2\n-- @unique_key: id\n"};
    struct project_fixture *f = *state;
    project_write(f, "models/raw/s.sql", "SELECT 1 AS id, 'a' AS v UNION ALL SELECT 2, 'b'\n");
    for (size_t i = 0; i < ARRAY_COUNT(HEADERS); i++) {
        const str path = str_format(&f->arena, "models/mart/t%zu.sql", i);
        const str text = str_format(&f->arena, "%sSELECT id, v FROM raw.s\n", HEADERS[i]);
        project_write(f, str_to_cstring(&f->arena, path), str_to_cstring(&f->arena, text));
    }
    for (size_t round = 0; round < 3; round++) {
        project_run(f);
        for (size_t i = 0; i < ARRAY_COUNT(HEADERS); i++) {
            const str line = str_format(&f->arena, "[ok] mart.t%zu backfill 2 first run\n", i);
            if (str_find(text_str(&f->lines), line) == SIZE_MAX) {
                fail_msg("round %zu: no " STR_FORMAT "%s", round, STR_ARGS(line),
                         text_cstring(&f->lines));
            }
            const str count = str_format(&f->arena, "SELECT count(*) FROM mart.t%zu", i);
            assert_string_equal(project_query(f, str_to_cstring(&f->arena, count)), "2\n");
            const str drop = str_format(&f->arena, "DROP TABLE mart.t%zu", i);
            const str make =
                str_format(&f->arena, "CREATE TABLE mart.t%zu(id INTEGER, v VARCHAR%s)", i,
                           i == 3   ? ", _content_hash VARCHAR"
                           : i == 4 ? ", valid_from_snapshot BIGINT, "
                                      "valid_to_snapshot BIGINT, is_current BOOLEAN"
                                    : "");
            (void)project_query(f, str_to_cstring(&f->arena, drop));
            if (round == 1) {
                (void)project_query(f, str_to_cstring(&f->arena, make));
            }
        }
    }
}

static void incremental_variables_follow_the_target(void **state) {
    struct project_fixture *f = *state;
    write_source(f, "(1, 'a'), (2, 'b')");
    project_write(f, "models/mart/t.sql",
                  "-- @kind: append\n-- @incremental: id\n-- @incremental_initial: 0\n"
                  "SELECT id, name, getvariable('incr_last_value') AS last,"
                  " getvariable('incr_is_backfill') AS first FROM raw.source"
                  " WHERE id > getvariable('incr_last_value')::INTEGER\n");
    project_run(f);
    write_source(f, "(1, 'x'), (2, 'b'), (3, 'c')");
    project_run(f);
    assert_string_equal(project_query(f, "SELECT * FROM mart.t ORDER BY id"),
                        "1|a|0|true\n2|b|0|true\n3|c|2|false\n");
}

static void commit_carries_its_metadata(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/raw/a.sql", "SELECT 1 AS id, 'x' AS name\n");
    project_write(f, "models/b.sql", "-- @kind: append\nSELECT id FROM raw.a\n");
    project_run(f);
    assert_string_equal(
        project_query(f, "SELECT e->>'model', e->>'kind', e->>'source_file', e->>'run_type',"
                         " e->>'run_reason', e->>'rows_affected', e->>'depends', e->>'columns',"
                         " length(e->>'sql_hash'), length(e->>'schema_hash'),"
                         " length(e->>'coypu_hash'), length(e->>'text_hash'),"
                         " (e->>'read_snapshot')::INT < snapshot_id, e->>'inputs', author"
                         " FROM (SELECT commit_extra_info::JSON AS e, * FROM lake.snapshots())"
                         " WHERE e->>'model' = 'main.b'"),
        "main.b|append|models/b.sql|backfill|first run|1|[\"raw.a\"]|"
        "[{\"name\":\"id\",\"type\":\"INTEGER\"}]|64|32|64|64|true|[]|coypu\n");
    assert_string_equal(
        project_query(f, "SELECT commit_extra_info::JSON->>'created' FROM lake.snapshots() WHERE "
                         "commit_extra_info::JSON->>'model' IS NULL AND commit_extra_info IS NOT "
                         "NULL"),
        "[\"raw.a\",\"main.b\"]\n");
}

static void files_are_compared_by_size_and_time(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "data.csv", "a,b\n1,2\n");
    project_write(f, "models/t.sql", "SELECT * FROM read_csv('data.csv')\n");
    project_run(f);
    project_run(f);
    ASSERT_LINES(f, "[skip] main.t skip 0 deps unchanged\n");
    project_write(f, "data.csv", "a,b\n1,2\n3,4\n");
    project_run(f);
    ASSERT_LINES(f, "[ok] main.t full 1 file changed: data.csv\n");
}

static void columns_evolve(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/t.sql", "SELECT 1::INTEGER AS a, 'x' AS b, 2 AS c\n");
    project_run(f);
    project_write(f, "models/t.sql", "SELECT 1::BIGINT AS a, 7 AS b, 3.5 AS d\n");
    project_run(f);
    assert_string_equal(project_query(f, "SELECT a, b, d FROM t"), "1|7|3.5\n");
    assert_string_equal(
        project_query(f, "SELECT string_agg(column_name || ' ' || data_type, ', ' ORDER BY "
                         "column_name) FROM duckdb_columns() WHERE table_name = 't'"),
        "a BIGINT, b INTEGER, d DECIMAL(2,1)\n");
    project_write(f, "models/t.sql", "SELECT 1::BIGINT AS a\n");
    (void)project_run_with(f, (struct run_options){.no_destructive = true});
    assert_non_null(
        strstr(text_cstring(&f->messages), "the columns would change destructively: - d; - b"));
}

// Its table is made, empty, before the source gets its column.
static void a_new_table_has_the_columns_that_its_source_gets_in_the_same_run(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/raw/source.sql", "SELECT 1 AS id, 'a' AS gone\n");
    project_run(f);
    project_write(f, "models/raw/source.sql", "SELECT 1 AS id, 2.5 AS extra, 'b' AS last\n");
    project_write(f, "models/mart/new.sql",
                  "-- @kind: tracked\n-- @group_key: id\n"
                  "SELECT * FROM raw.source\n");
    project_write(f, "models/mart/newer.sql", "SELECT * FROM mart.new\n");
    project_run(f);
    assert_string_equal(project_query(f, "SELECT * EXCLUDE (_content_hash) FROM mart.new"),
                        "1|2.5|b\n");
    assert_string_equal(project_query(f, "SELECT * EXCLUDE (_content_hash) FROM mart.newer"),
                        "1|2.5|b\n");
    ASSERT_LINES(f, "[ok] raw.source backfill 1 sql changed\n"
                    "[ok] mart.new backfill 1 first run\n"
                    "[ok] mart.newer backfill 1 first run\n");
    project_run(f);
    ASSERT_LINES(f, "[skip] raw.source skip 0 no dependencies\n"
                    "[skip] mart.new skip 0 deps unchanged\n"
                    "[skip] mart.newer skip 0 deps unchanged\n");
}

static void second_run_is_refused_while_one_holds_the_lock(void **state) {
    struct project_fixture *f = *state;
    struct error err;
    struct file_lock lock;
    str holder;
    project_write(f, "models/t.sql", "SELECT 1 AS a\n");
    const str folder = str_format(&f->arena, "%s/.coypu", f->folder);
    assert_int_equal(directory_create(folder, 0700, &err), ERROR_NONE);
    // A lock of another process: flock belongs to the open file, so a child has its own.
    assert_int_equal(file_lock(&f->arena, path_join(&f->arena, folder, STR("run.lock")),
                               STR("pid 7, coypu run, since 2024-01-01T00:00:00Z"), 0, &lock,
                               &holder, &err),
                     ERROR_NONE);
    assert_int_equal(project_run_with(f, (struct run_options){0}), ERROR_CONFLICT);
    assert_non_null(strstr(f->errors.items[0].message,
                           "another run holds this project: pid 7, coypu run, for "));
    assert_non_null(strstr(f->errors.items[0].message, " (since 2024-01-01T00:00:00Z)"));
    file_unlock(&lock);
    project_run(f);
}

static void dry_run_writes_nothing(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/t.sql", "SELECT 1 AS a\n");
    assert_int_equal(project_run_with(f, (struct run_options){.dry_run = true}), ERROR_NONE);
    ASSERT_LINES(f, "[ok] main.t backfill 0 first run\n");
    assert_string_equal(
        project_query(f, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 't'"), "0\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(table_follows_its_source),
        TEST(append_keeps_old_rows_and_counts_copies),
        TEST(merge_keeps_one_row_a_key),
        TEST(merge_refuses_duplicate_and_null_keys),
        TEST(backfill_makes_the_table_equal_the_query),
        TEST(equal_contents_write_no_snapshot),
        TEST(comments_and_layout_change_nothing),
        TEST(macro_rebuilds_its_users_only),
        TEST(failure_skips_descendants_and_nothing_else),
        TEST(broken_models_say_where_and_why),
        TEST(cycle_refuses_the_run_and_shows_the_loop),
        TEST(target_limits_the_run),
        TEST(other_models_do_not_matter_to_a_run_of_one),
        TEST(a_table_dropped_by_hand_is_made_again),
        TEST(incremental_variables_follow_the_target),
        TEST(commit_carries_its_metadata),
        TEST(files_are_compared_by_size_and_time),
        TEST(columns_evolve),
        TEST(a_new_table_has_the_columns_that_its_source_gets_in_the_same_run),
        TEST(second_run_is_refused_while_one_holds_the_lock),
        TEST(dry_run_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
