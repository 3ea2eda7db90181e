// Lineage in the lake: what a commit says of its columns, and columns that were only renamed.
#include "run/fixture.h"

static int set_up(void **state) {
    static struct project_fixture fixture;
    project_init_fixture(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state) {
    project_done_fixture(*state);
    return 0;
}

#define COMMIT(target)                                                                             \
    "SELECT commit_extra_info->>'column_lineage' FROM lake.snapshots() WHERE "                     \
    "commit_extra_info->>'model' = '" target "' ORDER BY snapshot_id DESC LIMIT 1"

static void commits_say_where_their_columns_come_from(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "config/macros/m.sql", "CREATE MACRO twice(x) AS x * 2;\n");
    project_write(f, "models/raw/s.sql", "SELECT 1 AS id, 10 AS v, 'a' AS w\n");
    project_write(
        f, "models/mart/t.sql",
        "SELECT id, sum(v)::BIGINT AS total, twice(max(v)) AS m, 'x' AS k, count(*) AS n,\n"
        "  row_number() OVER (ORDER BY id) AS rn, id + 1\n"
        "FROM raw.s WHERE w = 'a' GROUP BY id\n");
    project_run(f);
    assert_string_equal(
        project_query(f, COMMIT("mart.t")),
        "[{\"column\":\"id\",\"sources\":[{\"table\":\"raw.s\",\"column\":\"id\","
        "\"transformation\":\"IDENTITY\"}]},"
        "{\"column\":\"total\",\"sources\":[{\"table\":\"raw.s\",\"column\":\"v\","
        "\"transformation\":\"AGGREGATION\",\"function\":\"sum\"}]},"
        "{\"column\":\"m\",\"sources\":[{\"table\":\"raw.s\",\"column\":\"v\","
        "\"transformation\":\"AGGREGATION\",\"function\":\"max\"}]},"
        "{\"column\":\"k\",\"sources\":[]},"
        "{\"column\":\"n\",\"sources\":[{\"table\":\"raw.s\",\"column\":\"*\","
        "\"transformation\":\"AGGREGATION\",\"function\":\"count\"}]},"
        "{\"column\":\"rn\",\"sources\":[],\"indirect\":[{\"table\":\"raw.s\",\"column\":\"id\","
        "\"use\":\"window\"}]},"
        "{\"column\":\"(id + 1)\",\"sources\":[{\"table\":\"raw.s\",\"column\":\"id\","
        "\"transformation\":\"ARITHMETIC\"}]}]\n");
}

// ── Renames ──

struct rename_case {
    const char *name;
    const char *before;
    const char *after;
    const char *warning; // part of it
    const char *rows;    // of the table, afterwards
};

static const struct rename_case RENAMES[] = {
    {"a copy under another name", "SELECT id, v FROM raw.s", "SELECT id, v AS value FROM raw.s",
     "columns changed: renamed v → value\n", "1|10 2|20"},
    {"through a CTE", "SELECT id, v FROM raw.s",
     "WITH q AS (SELECT id, v AS inside FROM raw.s) SELECT id, inside AS value FROM q",
     "columns changed: renamed v → value\n", "1|10 2|20"},
    {"two at once", "SELECT id, v, w FROM raw.s", "SELECT id, v AS value, w AS word FROM raw.s",
     "columns changed: renamed v → value; renamed w → word\n", "1|10|a 2|20|b"},
    {"a rename and an addition", "SELECT id, v FROM raw.s", "SELECT id, v AS value, w FROM raw.s",
     "columns changed: renamed v → value; + w (VARCHAR)\n", "1|10|a 2|20|b"},
    {"another source is no rename", "SELECT id, v FROM raw.s", "SELECT id, w FROM raw.s",
     "columns changed: + w (VARCHAR); - v\n", "1|a 2|b"},
    {"a computed column is no rename", "SELECT id, v FROM raw.s",
     "SELECT id, v + 0 AS value FROM raw.s", "columns changed: + value (INTEGER); - v\n",
     "1|10 2|20"},
    {"a column that stays keeps its name", "SELECT id, v FROM raw.s",
     "SELECT id, v, v AS again FROM raw.s", "columns changed: + again (INTEGER)\n",
     "1|10|10 2|20|20"},
    {"two new copies of one source are no rename", "SELECT id, v FROM raw.s",
     "SELECT id, v AS one, v AS two FROM raw.s",
     "columns changed: + one (INTEGER); + two (INTEGER); - v\n", "1|10|10 2|20|20"},
    {"two old copies of one source are no rename", "SELECT id, v AS one, v AS two FROM raw.s",
     "SELECT id, v AS three FROM raw.s", "columns changed: + three (INTEGER); - one; - two\n",
     "1|10 2|20"},
    {"copies from two readings of a table are no rename",
     "SELECT x.id, y.v AS left_v FROM raw.s AS x JOIN raw.s AS y ON x.id = y.id",
     "SELECT x.id, x.v AS right_v FROM raw.s AS x JOIN raw.s AS y ON x.id <> y.id",
     "columns changed: + right_v (INTEGER); - left_v\n", "1|10 2|20"},
    {"a union with a constant is no copy", "SELECT id, v FROM raw.s",
     "SELECT id, v AS value FROM raw.s UNION ALL SELECT 3, 30",
     "columns changed: + value (INTEGER); - v\n", "1|10 2|20 3|30"},
    {"a scalar subquery is no copy", "SELECT id, (SELECT min(v) FROM raw.s) AS v FROM raw.s",
     "SELECT id, v AS value FROM raw.s", "columns changed: + value (INTEGER); - v\n", "1|10 2|20"},
};

static const struct {
    const char *name;
    const char *header;
} KINDS[] = {
    {"table", ""},
    {"append", "-- @kind: append\n"},
    {"merge", "-- @kind: merge\n-- @unique_key: id\n"},
};

// Every case in every kind is a model of one project: few runs.
static void write_models(struct project_fixture *f, bool after) {
    for (size_t i = 0; i < ARRAY_COUNT(RENAMES); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(KINDS); j++) {
            const str path = str_format(&f->arena, "models/mart/%s_%zu.sql", KINDS[j].name, i);
            const str text = str_format(&f->arena, "%s%s\n", KINDS[j].header,
                                        after ? RENAMES[i].after : RENAMES[i].before);
            project_write(f, str_to_cstring(&f->arena, path), str_to_cstring(&f->arena, text));
        }
    }
}

// The rows of all models, "name: rows" a line.
static const char *all_rows(struct project_fixture *f) {
    struct text sql;
    text_init(&sql, &f->arena);
    for (size_t i = 0; i < ARRAY_COUNT(RENAMES); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(KINDS); j++) {
            text_format(&sql,
                        "%sSELECT '%s_%zu: ' || string_agg(r, ' ' ORDER BY r) FROM "
                        "(SELECT concat_ws('|', *COLUMNS(*)) AS r FROM mart.%s_%zu)",
                        sql.size > 0 ? " UNION ALL " : "", KINDS[j].name, i, KINDS[j].name, i);
        }
    }
    return project_query(f, text_cstring(&sql));
}

static void plain_copies_of_one_source_are_renamed(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/raw/s.sql",
                  "SELECT * FROM (VALUES (1, 10, 'a'), (2, 20, 'b')) AS q (id, v, w)\n");
    write_models(f, false);
    project_run(f);
    write_models(f, true);
    project_run(f);
    const char *rows = all_rows(f);
    for (size_t i = 0; i < ARRAY_COUNT(RENAMES); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(KINDS); j++) {
            const str warning = str_format(&f->arena, "models/mart/%s_%zu.sql: warning: %s",
                                           KINDS[j].name, i, RENAMES[i].warning);
            const str row =
                str_format(&f->arena, "%s_%zu: %s\n", KINDS[j].name, i, RENAMES[i].rows);
            if (str_find(text_str(&f->messages), warning) == SIZE_MAX ||
                str_find(str_from(rows), row) == SIZE_MAX) {
                fail_msg("%s\n  expected " STR_FORMAT STR_FORMAT "  got\n%s%s", RENAMES[i].name,
                         STR_ARGS(warning), STR_ARGS(row), text_cstring(&f->messages), rows);
            }
        }
    }
}

static void a_rename_keeps_the_rows_as_they_are(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/raw/s.sql", "SELECT 1 AS id, 10 AS v\n");
    project_write(f, "models/mart/a.sql", "-- @kind: append\nSELECT id, v FROM raw.s\n");
    project_write(f, "models/mart/m.sql",
                  "-- @kind: merge\n-- @unique_key: id\nSELECT id, v FROM raw.s\n");
    project_run(f);
    project_write(f, "models/mart/a.sql", "-- @kind: append\nSELECT id, v AS value FROM raw.s\n");
    project_write(f, "models/mart/m.sql",
                  "-- @kind: merge\n-- @unique_key: id\nSELECT id, v AS value FROM raw.s\n");
    project_run(f);
    ASSERT_LINES(f, "[skip] raw.s skip 0 no dependencies\n"
                    "[ok] mart.a backfill 0 sql changed\n"
                    "[ok] mart.m backfill 0 sql changed\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(commits_say_where_their_columns_come_from, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(plain_copies_of_one_source_are_renamed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rename_keeps_the_rows_as_they_are, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
