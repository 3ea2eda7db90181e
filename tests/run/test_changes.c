// What makes a model run (models.md §4): its definition, its inputs, and nothing else.
#include "run/edits.h"

#include <fcntl.h>

#include "base/log.h"

// The line of a model in the last run.
static void assert_line(struct project_fixture *f, const char *line) {
    if (strstr(text_cstring(&f->lines), line) == NULL) {
        fail_msg("expected %s in\n%s%s", line, text_cstring(&f->lines), text_cstring(&f->messages));
    }
}

static void views_stand_for_what_they_read(void **state) {
    struct project_fixture *f = *state;
    static const char *const VIEW[] = {
        "CREATE OR REPLACE VIEW lake.raw.latest AS SELECT * FROM lake.raw.source WHERE id > 1",
        "CREATE OR REPLACE VIEW lake.main.outer_view (a, b) AS SELECT id, name FROM raw.latest",
    };
    static const char *const OTHER[] = {
        "CREATE OR REPLACE VIEW lake.raw.latest AS SELECT * FROM lake.raw.source WHERE id > 2"};
    write_source(f, "(1, 'a'), (2, 'b'), (3, 'c')");
    project_run(f);
    execute_on_lake(f, VIEW, ARRAY_COUNT(VIEW));
    // By name it comes before its source in the alphabet; the view makes it run after it.
    project_write(f, "models/aaa.sql", "SELECT * FROM outer_view\n");
    project_write(f, "models/raw/merge.sql",
                  "-- @kind: merge\n-- @unique_key: id\nSELECT * FROM raw.latest\n");
    project_write(f, "models/raw/copy.sql", "-- @kind: append\nSELECT * FROM raw.latest\n");
    project_run(f);
    project_run(f);
    ASSERT_LINES(f, "[skip] raw.source skip 0 no dependencies\n[skip] main.aaa skip 0 deps "
                    "unchanged\n[skip] raw.copy skip 0 deps unchanged\n[skip] raw.merge skip 0 "
                    "deps unchanged\n");
    write_source(f, "(1, 'a'), (2, 'x'), (3, 'c')");
    project_run(f);
    ASSERT_LINES(f, "[ok] raw.source backfill 1 sql changed\n"
                    "[ok] main.aaa full 1 dep changed: raw.source\n"
                    "[ok] raw.copy incremental 1 dep changed: raw.source\n"
                    "[ok] raw.merge incremental 1 dep changed: raw.source\n");
    execute_on_lake(f, OTHER, ARRAY_COUNT(OTHER));
    project_run(f);
    ASSERT_LINES(f, "[skip] raw.source skip 0 no dependencies\n"
                    "[ok] main.aaa full 1 dep changed: raw.latest\n"
                    "[ok] raw.copy incremental 0 dep changed: raw.latest\n"
                    "[ok] raw.merge incremental 0 dep changed: raw.latest\n");
}

static void views_of_sources_are_loaded_when_somebody_needs_them(void **state) {
    struct project_fixture *f = *state;
    write_source(f, "(1, 'a')");
    project_run(f); // a view is bound when it is made: its table must be there
    project_write(f, "models/t.sql", "SELECT * FROM recent\n");
    project_write(f, "config/sources.sql",
                  "-- what is new\nCREATE OR REPLACE VIEW memory.recent AS SELECT * FROM "
                  "{{catalog}}.raw.source;\n");
    project_run(f);
    assert_line(f, "[ok] main.t backfill 1 first run");
    project_run(f);
    assert_line(f, "[skip] main.t skip 0 deps unchanged");
    write_source(f, "(1, 'b')");
    project_run(f);
    assert_line(f, "[ok] main.t full 1 dep changed: raw.source");
    // A source that is down does not stop what has nothing to do.
    project_write(f, "config/sources.sql",
                  "CREATE OR REPLACE VIEW memory.recent AS SELECT * FROM {{catalog}}.raw.source;\n"
                  "ATTACH '/nowhere/at/all.db' AS erp (READ_ONLY);\n");
    project_run(f);
    assert_line(f, "[skip] main.t skip 0 deps unchanged");
}

static void macros_stand_for_what_they_read(void **state) {
    struct project_fixture *f = *state;
    write_source(f, "(1, 'a'), (2, 'b')");
    project_run(f);
    project_write(
        f, "config/macros/m.sql",
        "CREATE OR REPLACE MACRO named(least := 1) AS TABLE\n"
        "  SELECT * FROM lake.raw.source WHERE id >= least;\n"
        "CREATE OR REPLACE MACRO how_many() AS (SELECT count(*) FROM lake.raw.source);\n");
    project_write(f, "models/t.sql", "SELECT * FROM named()\n");
    project_write(f, "models/u.sql", "SELECT how_many() AS n\n");
    project_run(f);
    project_run(f);
    ASSERT_LINES(f, "[skip] raw.source skip 0 no dependencies\n[skip] main.t skip 0 deps "
                    "unchanged\n[skip] main.u skip 0 deps unchanged\n");
    write_source(f, "(1, 'a'), (2, 'b'), (3, 'c')");
    project_run(f);
    ASSERT_LINES(f, "[ok] raw.source backfill 1 sql changed\n"
                    "[ok] main.t full 1 dep changed: raw.source\n"
                    "[ok] main.u full 1 dep changed: raw.source\n");
    // Increments see what changed behind a macro, though the query does not name it.
    project_write(f, "models/other.sql", "SELECT * FROM (VALUES (1), (2)) v(id)\n");
    project_write(f, "models/v.sql",
                  "-- @kind: merge\n-- @unique_key: id\nSELECT id, how_many() AS n FROM other\n");
    project_run(f);
    write_source(f, "(1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')");
    project_run(f);
    assert_string_equal(project_query(f, "SELECT * FROM main.v ORDER BY id"), "1|4\n2|4\n");
    project_remove(f, "models/v.sql");
    project_remove(f, "models/other.sql");
    // The default of a parameter is part of the macro; layout and comments are not.
    project_write(
        f, "config/macros/m.sql",
        "CREATE OR REPLACE MACRO named(least := /* not */ 2) AS TABLE SELECT * FROM "
        "lake.raw.source WHERE id >= least; -- two\n"
        "CREATE OR REPLACE MACRO how_many() AS (SELECT count(*)\nFROM lake.raw.source);\n");
    project_run(f);
    ASSERT_LINES(f, "[skip] raw.source skip 0 no dependencies\n"
                    "[ok] main.t backfill 1 macro changed: named\n"
                    "[skip] main.u skip 0 deps unchanged\n");
}

static void constants_are_part_of_what_uses_them(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "config/macros/m.sql",
                  "CREATE OR REPLACE MACRO limited(x) AS least(x, getvariable('most')::INT);\n");
    project_write(f, "config/variables/constants.sql",
                  "SET VARIABLE most = 5;\nSET VARIABLE other = 1;\n");
    project_write(f, "models/a.sql", "SELECT limited(9) AS x\n");
    project_write(f, "models/b.sql", "SELECT getvariable('other') AS x\n");
    project_run(f);
    project_write(f, "config/variables/constants.sql",
                  "-- more\nSET VARIABLE most = 6;\nSET VARIABLE other = 1;\n");
    project_write(f, "config/settings.sql", "SET threads = 1;\n");
    project_run(f);
    ASSERT_LINES(f, "[ok] main.a backfill 1 macro changed: most\n"
                    "[skip] main.b skip 0 no dependencies\n");
}

static const struct {
    const char *name;
    const char *body;
    bool same;
} BODIES[] = {
    {"keywords, layout and comments",
     "select  id,upper(name)  as name, 'It''s  a' AS \"Two  words\" -- x\nFROM /* y */ raw.source",
     true},
    {"a space in a literal",
     "SELECT id, upper(name) AS name, 'It''s a' AS \"Two  words\" FROM "
     "raw.source",
     false},
    {"case of a literal",
     "SELECT id, upper(name) AS name, 'it''s a' AS \"Two  words\" FROM "
     "raw.source",
     false},
    {"case of a quoted name",
     "SELECT id, upper(name) AS name, 'it''s a' AS \"two  words\" FROM "
     "raw.source",
     false},
    {"a comment sign in a literal",
     "SELECT id, upper(name) AS name, 'it''s -- a' AS \"two  "
     "words\" FROM raw.source",
     false},
};

static void only_what_decides_the_data_is_the_definition(void **state) {
    struct project_fixture *f = *state;
    write_source(f, "(1, 'a')");
    project_write(f, "models/t.sql",
                  "SELECT id, upper(name) AS name, 'It''s  a' AS \"Two  words\" FROM raw.source\n");
    project_run(f);
    for (size_t i = 0; i < ARRAY_COUNT(BODIES); i++) {
        project_write(f, "models/t.sql", BODIES[i].body);
        project_run(f);
        if ((strstr(text_cstring(&f->lines), "main.t skip") != NULL) != BODIES[i].same) {
            fail_msg("%s: %s", BODIES[i].name, text_cstring(&f->lines));
        }
    }
}

// A tree written by another DuckDB may differ though nothing changed: then the text decides.
static void another_duckdb_version_compares_the_text(void **state) {
    struct project_fixture *f = *state;
    static const char *const OTHER[] = {
        "UPDATE __ducklake_metadata_lake.ducklake_snapshot_changes SET commit_extra_info = "
        "regexp_replace(replace(commit_extra_info, '\"duckdb_version\":\"v', "
        "'\"duckdb_version\":\"v0.'), '\"coypu_hash\":\"[0-9a-f]*\"', '\"coypu_hash\":\"00\"')"};
    write_source(f, "(1, 'a')");
    project_write(f, "models/t.sql", "SELECT id FROM raw.source\n");
    project_run(f);
    execute_on_lake(f, OTHER, 1);
    project_run(f);
    assert_line(f, "[skip] main.t skip 0 deps unchanged");
    project_write(f, "models/t.sql", "SELECT  id FROM raw.source\n");
    project_run(f);
    assert_line(f, "[ok] main.t backfill 0 sql changed");
}

static void files_are_inputs_of_every_kind(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "in/a.csv", "id,v\n1,a\n");
    project_write(f, "models/t.sql", "SELECT * FROM read_csv('in/*.csv')\n");
    project_write(f, "models/m.sql",
                  "-- @kind: merge\n-- @unique_key: id\nSELECT * FROM 'in/*.csv'\n");
    project_write(f, "models/g.sql",
                  "-- @kind: tracked\n-- @group_key: id\nSELECT * FROM read_csv('in/*.csv')\n");
    project_write(f, "models/h.sql",
                  "-- @kind: scd2\n-- @unique_key: id\nSELECT * FROM read_csv('in/*.csv')\n");
    project_run(f);
    project_run(f);
    assert_int_equal(f->summary.skipped, 4);
    project_write(f, "in/b.csv", "id,v\n2,b\n");
    project_run(f);
    ASSERT_LINES(f, "[ok] main.g incremental 1 file changed: in/b.csv\n"
                    "[ok] main.h incremental 1 file changed: in/b.csv\n"
                    "[ok] main.m incremental 1 file changed: in/b.csv\n"
                    "[ok] main.t full 1 file changed: in/b.csv\n");
    project_remove(f, "in/a.csv");
    project_run(f);
    ASSERT_LINES(f, "[ok] main.g incremental 1 file changed: in/a.csv\n"
                    "[ok] main.h incremental 1 file changed: in/a.csv\n"
                    "[ok] main.m incremental 0 file changed: in/a.csv\n"
                    "[ok] main.t full 1 file changed: in/a.csv\n");
    project_run(f);
    assert_int_equal(f->summary.skipped, 4);
}

static void an_append_loads_each_file_once(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "in/a.csv", "id,v\n1,a\n");
    project_write(f, "models/t.sql",
                  "-- @kind: append\nSELECT id, upper(v) AS v, x.filename AS f FROM "
                  "read_csv('in/*.csv', header := true, filename := true) AS x WHERE id < 9\n");
    project_run(f);
    project_write(f, "in/b.csv", "id,v\n2,b\n2,b\n9,z\n");
    project_write(f, "in/it's.csv", "id,v\n3,c\n");
    project_run(f);
    ASSERT_LINES(f, "[ok] main.t incremental 3 file changed: in/b.csv\n");
    project_write(f, "in/a.csv", "id,v\n1,a\n4,d\n");
    project_remove(f, "in/b.csv");
    project_run(f);
    ASSERT_LINES(f, "[ok] main.t incremental 2 file changed: in/a.csv\n");
    assert_string_equal(project_query(f, "SELECT * FROM main.t ORDER BY ALL"),
                        "1|A|in/a.csv\n1|A|in/a.csv\n2|B|in/b.csv\n2|B|in/b.csv\n"
                        "3|C|in/it's.csv\n4|D|in/a.csv\n");
    project_remove(f, "in/a.csv"); // nothing is taken back from an append
    project_run(f);
    ASSERT_LINES(f, "[skip] main.t skip 0 deps unchanged\n");
}

static void external_tables_cannot_be_verified(void **state) {
    struct project_fixture *f = *state;
    const str path = str_format(&f->arena, "ATTACH '%s/erp.duckdb' AS erp", f->folder);
    const char *const statements[] = {str_to_cstring(&f->arena, path),
                                      "CREATE TABLE erp.main.t AS SELECT 1 AS id"};
    write_source(f, "(1, 'a')");
    project_run(f);
    execute_on_lake(f, statements, ARRAY_COUNT(statements));
    project_write(f, "config/sources.sql", "ATTACH 'erp.duckdb' AS erp (READ_ONLY);\n");
    project_write(f, "models/t.sql", "SELECT * FROM erp.main.t\n");
    project_write(f, "models/u.sql", "SELECT * FROM t\n");
    project_run(f);
    const int64_t before = project_snapshots(f);
    project_run(f);
    ASSERT_LINES(f, "[ok] main.t full 0 unverifiable dep: erp.main.t\n"
                    "[skip] main.u skip 0 deps unchanged\n"
                    "[skip] raw.source skip 0 no dependencies\n");
    assert_int_equal(project_snapshots(f), before);
}

// What an expired snapshot changed is nowhere written down any more.
static void a_change_whose_snapshot_was_expired_is_not_lost(void **state) {
    static const char *const TABLES[] = {"CREATE SCHEMA lake.shop",
                                         "CREATE TABLE lake.shop.orders AS SELECT 1 AS id",
                                         "CREATE TABLE lake.shop.notes AS SELECT 1 AS id"};
    static const char *const ORDER[] = {"INSERT INTO lake.shop.orders VALUES (2)"};
    static const char *const NOTE[] = {"INSERT INTO lake.shop.notes VALUES (2)"};
    struct project_fixture *f = *state;
    write_source(f, "(1, 'a')");
    project_run(f); // makes the lake
    execute_on_lake(f, TABLES, ARRAY_COUNT(TABLES));
    project_write(f, "models/t.sql", "-- @kind: merge\n-- @unique_key: id\nFROM shop.orders\n");
    project_run(f);
    execute_on_lake(f, ORDER, 1);
    const str expire =
        str_format(&f->arena, "CALL ducklake_expire_snapshots('lake', versions => [%lld])",
                   (long long)project_snapshots(f));
    const char *const statements[] = {str_to_cstring(&f->arena, expire)};
    execute_on_lake(f, NOTE, 1);
    execute_on_lake(f, statements, 1);
    project_run(f);
    ASSERT_LINES(f, "[ok] main.t incremental 1 unverifiable dep: shop.orders\n"
                    "[skip] raw.source skip 0 no dependencies\n");
    assert_string_equal(project_query(f, "SELECT id FROM main.t ORDER BY id"), "1\n2\n");
}

// The feed then has the row twice, and the log of changes speaks of an insert alone.
static void rows_updated_in_the_transaction_of_their_insert_come_once(void **state) {
    static const char *const TABLES[] = {"CREATE SCHEMA lake.shop",
                                         "CREATE TABLE lake.shop.orders (id INTEGER, n INTEGER)",
                                         "INSERT INTO lake.shop.orders VALUES (0, 0)"};
    static const char *const ORDERS[] = {
        "BEGIN", "INSERT INTO lake.shop.orders SELECT 1 + range, 0 FROM range(30)",
        "UPDATE lake.shop.orders SET n = 1 WHERE id = 7", "COMMIT"};
    struct project_fixture *f = *state;
    write_source(f, "(1, 'a')");
    project_run(f); // makes the lake
    execute_on_lake(f, TABLES, ARRAY_COUNT(TABLES));
    project_write(f, "models/t.sql", "-- @kind: append\nSELECT id FROM shop.orders\n");
    project_run(f);
    execute_on_lake(f, ORDERS, ARRAY_COUNT(ORDERS));
    project_run(f);
    assert_string_equal(project_query(f, "SELECT count(*), count(DISTINCT id) FROM main.t"),
                        "31|31\n");
}

// Comments and sorting are no data: who reads the table has nothing to do.
static void what_says_nothing_about_rows_wakes_nobody(void **state) {
    struct project_fixture *f = *state;
    static const char *const OTHERS[] = {
        "CALL ducklake_flush_inlined_data('lake')",
        "ALTER TABLE lake.raw.source SET SORTED BY (id)",
    };
    static const char *const ROWS[] = {"INSERT INTO lake.raw.source VALUES (7, 'z')"};
    write_source(f, "(1, 'a'), (2, 'b')");
    project_write(f, "models/t.sql", "SELECT * FROM raw.source\n");
    project_run(f);
    project_write(f, "models/raw/source.sql",
                  "-- @description: what we have\n-- @sorted_by: id\n-- @column: id = the key\n"
                  "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v(id, name)\n");
    project_run(f);
    assert_line(f, "[skip] main.t skip 0 deps unchanged");
    project_run(f);
    assert_line(f, "[skip] main.t skip 0 deps unchanged");
    execute_on_lake(f, OTHERS, ARRAY_COUNT(OTHERS));
    project_run(f);
    assert_line(f, "[skip] main.t skip 0 deps unchanged");
    execute_on_lake(f, ROWS, ARRAY_COUNT(ROWS));
    project_run(f);
    assert_line(f, "[ok] main.t full 1 dep changed: raw.source");
}

// Statements that the last run sent to the database.
static int64_t count_statements(struct project_fixture *f) {
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/statements.log", f->folder);
    const int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    f->context.log = log_new(fd, LOG_DEBUG, NULL);
    project_run(f);
    log_free(f->context.log);
    f->context.log = NULL;
    (void)close(fd);
    str text;
    struct error err;
    assert_int_equal(file_read(&f->arena, str_from(path), &text, &err), ERROR_NONE);
    int64_t count = 0;
    struct str_splitter lines = {.rest = text};
    str line;
    while (str_split_next(&lines, '\n', &line)) {
        count += str_starts_with(line, STR("debug lake.statement")) ? 1 : 0;
    }
    return count;
}

static void
a_run_without_changes_asks_the_same_number_of_questions_for_any_number_of_models(void **state) {
    struct project_fixture *f = *state;
    static const char *const HEADERS[] = {
        "", "-- @kind: append\n", "-- @kind: merge\n-- @unique_key: id\n",
        "-- @kind: tracked\n-- @group_key: id\n", "-- @kind: scd2\n-- @unique_key: id\n"};
    int64_t counts[2] = {0};
    write_source(f, "(1, 'a')");
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < (round == 0 ? 5 : 15); i++) {
            const str path = str_format(&f->arena, "models/m%02d.sql", i);
            const str sql =
                str_format(&f->arena, "%sSELECT id, name FROM raw.source\n", HEADERS[i % 5]);
            project_write(f, str_to_cstring(&f->arena, path), str_to_cstring(&f->arena, sql));
        }
        project_run(f);
        counts[round] = count_statements(f);
        assert_int_equal(f->summary.ran, 0);
    }
    assert_true(counts[0] > 0);
    assert_int_equal(counts[0], counts[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(views_stand_for_what_they_read),
        TEST(views_of_sources_are_loaded_when_somebody_needs_them),
        TEST(macros_stand_for_what_they_read),
        TEST(constants_are_part_of_what_uses_them),
        TEST(only_what_decides_the_data_is_the_definition),
        TEST(another_duckdb_version_compares_the_text),
        TEST(files_are_inputs_of_every_kind),
        TEST(an_append_loads_each_file_once),
        TEST(external_tables_cannot_be_verified),
        TEST(a_change_whose_snapshot_was_expired_is_not_lost),
        TEST(rows_updated_in_the_transaction_of_their_insert_come_once),
        TEST(what_says_nothing_about_rows_wakes_nobody),
        TEST(a_run_without_changes_asks_the_same_number_of_questions_for_any_number_of_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
