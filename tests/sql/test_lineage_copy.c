// Copies of columns, where tables are read, what cannot be traced, and lineage as JSON.
#include "lake/fixture.h"

#include "base/json.h"
#include "base/list.h"
#include "lake/ast.h"
#include "sql/lineage.h"
#include "sql/lineage_database.h"

static struct fixture fixture;

static int open_lake(void **state) {
    (void)state;
    fixture_init(&fixture);
    fixture_open(&fixture);
    return 0;
}

static int close_lake(void **state) {
    (void)state;
    fixture_done(&fixture);
    return 0;
}

// raw.o (id, c, v), raw.c (id, name) and raw.p (id, c) are known; everything else is not.
static struct lineage read_lineage(const char *sql) {
    static struct lineage_database database;
    struct str_list orders = {0}, customers = {0}, payments = {0};
    str ast;
    struct lineage lineage;
    str_list_push(&fixture.arena, &orders, STR("id"));
    str_list_push(&fixture.arena, &orders, STR("c"));
    str_list_push(&fixture.arena, &orders, STR("v"));
    str_list_push(&fixture.arena, &customers, STR("id"));
    str_list_push(&fixture.arena, &customers, STR("name"));
    str_list_push(&fixture.arena, &payments, STR("id"));
    str_list_push(&fixture.arena, &payments, STR("c"));
    lineage_database_init(&database, &fixture.arena, fixture.connection);
    lineage_database_add(&database, STR("raw.o"), &orders, true, NULL);
    lineage_database_add(&database, STR("raw.c"), &customers, true, NULL);
    lineage_database_add(&database, STR("raw.p"), &payments, true, NULL);
    ASSERT_OK(&fixture,
              lake_ast_read(fixture.connection, &fixture.arena, str_from(sql), &ast, &fixture.err));
    ASSERT_OK(&fixture,
              lineage_read(&fixture.arena, ast, &database.catalog, &lineage, &fixture.err));
    return lineage;
}

// ── Copies ──

static const struct {
    const char *sql;
    bool is_copy; // its first column
} COPIES[] = {
    {"SELECT id, v FROM raw.o", true},
    {"SELECT c AS k, sum(v) AS s FROM raw.o GROUP BY c", true},
    {"SELECT c + 1 AS c FROM raw.o", false},
    {"SELECT max(c) AS c FROM raw.o GROUP BY v", false},
    {"WITH q AS (SELECT c, sum(v) AS s FROM raw.o GROUP BY c) SELECT c AS k, s FROM q", true},
    {"SELECT k FROM (SELECT c, v FROM raw.o) AS q (k, w)", true},
    {"SELECT o.id, c.name FROM raw.o AS o JOIN raw.c AS c ON o.c = c.id", true},
    {"SELECT id FROM raw.o LEFT JOIN raw.p USING (id)", false},
    {"SELECT id FROM raw.o FULL JOIN raw.p USING (id)", false},
    {"SELECT id FROM raw.o UNION ALL SELECT id FROM raw.p", false},
    {"SELECT id FROM raw.o UNION ALL SELECT 1", false},
    {"SELECT x.c AS k, count(*) AS n FROM raw.o AS x JOIN raw.o AS y ON x.c = y.id GROUP BY x.c",
     false},
    {"WITH RECURSIVE r AS (SELECT id FROM raw.o UNION SELECT id + 1 FROM r WHERE id < 3) "
     "SELECT id FROM r",
     false},
    {"SELECT id FROM (VALUES (1)) AS q (id)", false},
};

static void a_copy_has_the_values_of_one_column_that_is_read_once(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(COPIES); i++) {
        const struct lineage lineage = read_lineage(COPIES[i].sql);
        if (lineage.columns.items[0].is_copy != COPIES[i].is_copy) {
            fail_msg("%s", COPIES[i].sql);
        }
    }
}

static void an_occurrence_is_a_place_in_the_text(void **state) {
    (void)state;
    const char *sql = "WITH q AS (SELECT * FROM raw.o) SELECT x.id FROM q AS x, q AS y, raw.o AS z";
    const struct lineage lineage = read_lineage(sql);
    assert_int_equal(lineage.occurrences.count, 2);
    assert_int_equal(lineage.occurrences.items[0].offset, str_find(str_from(sql), STR("raw.o)")));
    assert_int_equal(lineage.occurrences.items[1].offset, str_find(str_from(sql), STR("raw.o AS")));
    assert_false(lineage.columns.items[0].is_copy);
}

static void outer_joins_say_which_side_may_be_null(void **state) {
    (void)state;
    static const struct {
        const char *join;
        bool left, right;
    } JOINS[] = {{"JOIN", false, false},
                 {"LEFT JOIN", false, true},
                 {"RIGHT JOIN", true, false},
                 {"FULL JOIN", true, true}};
    for (size_t i = 0; i < ARRAY_COUNT(JOINS); i++) {
        const str sql = str_format(&fixture.arena,
                                   "SELECT o.id FROM raw.o AS o %s raw.c AS c "
                                   "ON o.c = c.id",
                                   JOINS[i].join);
        const struct lineage lineage = read_lineage(str_to_cstring(&fixture.arena, sql));
        const struct lineage_relation_list *relations = &lineage.query->relations;
        assert_int_equal(relations->items[0].is_null_supplied, JOINS[i].left);
        assert_int_equal(relations->items[1].is_null_supplied, JOINS[i].right);
    }
    const struct lineage lineage =
        read_lineage("SELECT o.id FROM raw.o AS o ANTI JOIN raw.c AS c ON o.c = c.id");
    assert_true(lineage.query->relations.items[1].only_filters);
}

// ── Not known ──

static const struct {
    const char *sql;
    const char *expected; // "name: table.column, …" a column; (untraced) behind the name; "! note"
} UNKNOWN[] = {
    {"SELECT a FROM ext.t", "a: ext.t.a"},
    {"SELECT * FROM ext.t", "* (untraced): ext.t.*; ! the columns of ext.t are not known"},
    {"SELECT a, v FROM ext.t, raw.o", "a: ext.t.a; v: raw.o.v"},
    {"SELECT a FROM ext.t, ext.u",
     "a (untraced):; ! the column a may be one of t or u, whose columns are not known"},
    {"SELECT t.a, u.b FROM ext.t JOIN ext.u USING (id)", "a: ext.t.a; b: ext.u.b"},
    {"SELECT id FROM ext.t JOIN ext.u USING (id)", "id: ext.t.id, ext.u.id"},
    {"SELECT a FROM (SELECT * FROM ext.t) AS q",
     "a: ext.t.a; ! the columns of ext.t are not known"},
    {"SELECT nope FROM raw.o", "nope (untraced):; ! the column nope is in none of the tables"},
    {"SELECT (SELECT max(x) FROM ext.t WHERE v = 1) AS m FROM raw.o",
     "m: ext.t.x; ! the column v may be one of a table whose columns are not known, or "
     "of "
     "the query around it"},
    {"SELECT * FROM raw.o NATURAL JOIN ext.t",
     "id: raw.o.id; c: raw.o.c; v: raw.o.v; * (untraced): ext.t.*; ! the columns of a NATURAL JOIN "
     "with t are not known; ! the columns of ext.t are not known"},
    {"SELECT a FROM pg.public.items", "a: pg.public.items.a"},
    {"SELECT a FROM 'data/x.csv'", "a: data/x.csv.a"},
    {"SELECT a FROM nofunction(1) AS f", "a: nofunction().a"},
    {"SELECT column_name FROM (DESCRIBE raw.o)", "column_name (untraced):; ! what SHOW_REF returns "
                                                 "cannot be traced; ! the column column_name of  "
                                                 "cannot be traced"},
};

static void what_is_not_known_is_said_and_never_guessed(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(UNKNOWN); i++) {
        const struct lineage lineage = read_lineage(UNKNOWN[i].sql);
        struct str_list parts = {0};
        for (size_t j = 0; j < lineage.columns.count; j++) {
            const struct lineage_column *column = &lineage.columns.items[j];
            struct str_list sources = {0};
            for (size_t k = 0; k < column->sources.count; k++) {
                str_list_push(&fixture.arena, &sources,
                              str_format(&fixture.arena, STR_FORMAT "." STR_FORMAT,
                                         STR_ARGS(column->sources.items[k].table),
                                         STR_ARGS(column->sources.items[k].column)));
            }
            str_list_push(&fixture.arena, &parts,
                          str_format(&fixture.arena, STR_FORMAT "%s:%s" STR_FORMAT,
                                     STR_ARGS(column->name), column->untraced ? " (untraced)" : "",
                                     sources.count > 0 ? " " : "",
                                     STR_ARGS(str_list_join(&fixture.arena, &sources, STR(", ")))));
        }
        for (size_t j = 0; j < lineage.notes.count; j++) {
            str_list_push(
                &fixture.arena, &parts,
                str_format(&fixture.arena, "! " STR_FORMAT, STR_ARGS(lineage.notes.items[j])));
        }
        const str found = str_list_join(&fixture.arena, &parts, STR("; "));
        if (!str_equal(found, str_from(UNKNOWN[i].expected))) {
            print_error("%s\n  expected %s\n  got      " STR_FORMAT "\n", UNKNOWN[i].sql,
                        UNKNOWN[i].expected, STR_ARGS(found));
            fail();
        }
    }
}

static void views_are_expanded(void **state) {
    (void)state;
    struct lineage_database database;
    struct lineage lineage;
    str ast;
    lineage_database_init(&database, &fixture.arena, fixture.connection);
    static const char *const SCRIPT[] = {
        "CREATE OR REPLACE TEMP VIEW \"odd view\" (x, \"y z\") AS SELECT a, b + 1 FROM "
        "pg.public.t WHERE c",
        "/* one more */ create view if not exists ext.w as from \"odd view\""};
    for (size_t i = 0; i < ARRAY_COUNT(SCRIPT); i++) {
        struct sql_view view;
        assert_true(sql_view_read(&fixture.arena, str_from(SCRIPT[i]), &view));
        ASSERT_OK(&fixture,
                  lake_ast_read(fixture.connection, &fixture.arena, view.body, &ast, &fixture.err));
        lineage_database_add_view(&database, &view, ast);
    }
    ASSERT_OK(&fixture,
              lake_ast_read(fixture.connection, &fixture.arena,
                            STR("SELECT \"y z\" AS v, x FROM ext.w"), &ast, &fixture.err));
    ASSERT_OK(&fixture,
              lineage_read(&fixture.arena, ast, &database.catalog, &lineage, &fixture.err));
    ASSERT_STR(lineage.columns.items[0].sources.items[0].table, "pg.public.t");
    ASSERT_STR(lineage.columns.items[0].sources.items[0].column, "b");
    ASSERT_STR(lineage.columns.items[1].sources.items[0].column, "a");
    ASSERT_STR(lineage.indirect.items[0].column, "c");
    assert_int_equal(lineage.occurrences.items[0].offset, SIZE_MAX);
    assert_true(lineage.occurrences.items[0].is_inside);
}

// ── JSON ──

static void json_is_read_back(void **state) {
    (void)state;
    const struct lineage lineage = read_lineage(
        "SELECT o.id, sum(p.id) AS s, p.c AS second, 1 AS one FROM raw.o AS o, raw.p AS p, "
        "raw.p AS again GROUP BY ALL");
    struct text text;
    struct json json;
    struct lineage_column_list back;
    text_init(&text, &fixture.arena);
    json_init(&json, &text);
    lineage_columns_write(&json, &lineage.columns);
    ASSERT_STR(
        text_str(&text),
        "[{\"column\":\"id\",\"sources\":[{\"table\":\"raw.o\",\"column\":\"id\","
        "\"transformation\":\"IDENTITY\"}]},{\"column\":\"s\",\"sources\":[{\"table\":\"raw.p\","
        "\"column\":\"id\",\"transformation\":\"AGGREGATION\",\"function\":\"sum\"}]},"
        "{\"column\":\"second\",\"sources\":[{\"table\":\"raw.p\",\"column\":\"c\","
        "\"transformation\":\"IDENTITY\"}],\"copy\":false},"
        "{\"column\":\"one\",\"sources\":[]}]");
    assert_true(lineage_columns_read(&fixture.arena, text_str(&text), &back));
    assert_int_equal(back.count, 4);
    assert_true(back.items[0].is_copy);
    assert_false(back.items[2].is_copy);
    ASSERT_STR(back.items[1].sources.items[0].function, "sum");
    assert_int_equal(back.items[1].sources.items[0].transformation, LINEAGE_AGGREGATION);
    // What another program wrote, and what is none.
    assert_true(lineage_columns_read(
        &fixture.arena,
        STR("{\"column_lineage\":[{\"column\":\"a\",\"sources\":[{\"table\":\"t\",\"column\":\"b\","
            "\"transformation\":\"MAGIC\"}],\"more\":1},{\"column\":\"n\",\"sources\":null}]}"),
        &back));
    assert_int_equal(back.items[0].sources.items[0].transformation, LINEAGE_AGGREGATION);
    assert_int_equal(back.items[1].sources.count, 0);
    static const char *const NONE[] = {"", "{}", "null", "{\"column_lineage\":3}", "[", "\"x\""};
    for (size_t i = 0; i < ARRAY_COUNT(NONE); i++) {
        assert_false(lineage_columns_read(&fixture.arena, str_from(NONE[i]), &back));
    }
}

static void only_a_query_has_lineage(void **state) {
    (void)state;
    static const struct lineage_catalog NOTHING = {0};
    struct lineage lineage;
    static const char *const NONE[] = {"", "{}", "nonsense", "{\"error\":true}"};
    for (size_t i = 0; i < ARRAY_COUNT(NONE); i++) {
        assert_int_equal(
            lineage_read(&fixture.arena, str_from(NONE[i]), &NOTHING, &lineage, &fixture.err),
            ERROR_INVALID);
    }
}

static void aggregates_are_those_that_duckdb_has(void **state) {
    (void)state;
    // Window functions are listed as aggregates, too; histogram and the json_group macros hold one.
    LAKE_RESULT result = NULL;
    ASSERT_OK(&fixture,
              lake_query(fixture.connection,
                         STR("SELECT DISTINCT function_name FROM duckdb_functions() WHERE "
                             "function_type = 'aggregate' AND function_name NOT IN ('row_number', "
                             "'rank', 'rank_dense', 'dense_rank', 'percent_rank', 'cume_dist', "
                             "'ntile', 'lag', 'lead', 'first_value', 'last_value', 'nth_value', "
                             "'fill') ORDER BY 1"),
                         LAKE_NO_VALUES, &result, &fixture.err));
    while (lake_result_next(result)) {
        const str name = lake_result_text(result, 0);
        const str sql =
            str_format(&fixture.arena, "SELECT " STR_FORMAT "(v) AS x FROM raw.o", STR_ARGS(name));
        const struct lineage lineage = read_lineage(str_to_cstring(&fixture.arena, sql));
        const struct lineage_source_list *sources = &lineage.columns.items[0].sources;
        if (sources->count != 1 || sources->items[0].transformation != LINEAGE_AGGREGATION) {
            fail_msg(STR_FORMAT " is an aggregate", STR_ARGS(name));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_has_the_values_of_one_column_that_is_read_once),
        cmocka_unit_test(an_occurrence_is_a_place_in_the_text),
        cmocka_unit_test(outer_joins_say_which_side_may_be_null),
        cmocka_unit_test(what_is_not_known_is_said_and_never_guessed),
        cmocka_unit_test(views_are_expanded),
        cmocka_unit_test(json_is_read_back),
        cmocka_unit_test(only_a_query_has_lineage),
        cmocka_unit_test(aggregates_are_those_that_duckdb_has),
    };
    return cmocka_run_group_tests(tests, open_lake, close_lake);
}
