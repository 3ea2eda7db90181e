// What a query reads, takes from a lib call, and looks like: on trees of the real parser.
#include "lake/fixture.h"

#include <string.h>

#include "base/list.h"
#include "lake/ast.h"
#include "sql/ast.h"

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

static struct sql_query read_query(const char *sql) {
    str ast;
    struct sql_query query;
    size_t offset;
    ASSERT_OK(&fixture,
              lake_ast_read(fixture.connection, &fixture.arena, str_from(sql), &ast, &fixture.err));
    ASSERT_OK(&fixture, sql_query_read(&fixture.arena, ast, &query, &offset, &fixture.err));
    return query;
}

static const struct {
    const char *sql;
    const char *tables;
} TABLES[] = {
    {"SELECT 1", ""},
    {"FROM raw.a JOIN b USING (id), lake.mart.c", "raw.a .b lake.mart.c"},
    {"WITH a AS (SELECT * FROM raw.a) SELECT * FROM a, b", "raw.a .b"},
    {"SELECT * FROM a, (WITH a AS (SELECT 1) SELECT * FROM a)", ".a"},
    {"WITH a AS (SELECT * FROM a) SELECT * FROM a", ".a"},
    {"WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r) SELECT * FROM r", ""},
    {"WITH a AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM b, raw.a", "raw.a"},
    {"SELECT (SELECT max(x) FROM u) FROM t WHERE EXISTS (SELECT 1 FROM v WHERE v.a = t.a)",
     ".t .u .v"},
    {"SELECT a FROM t UNION ALL SELECT a FROM u EXCEPT SELECT a FROM v", ".t .u .v"},
    {"SELECT * FROM t, LATERAL (SELECT * FROM u WHERE u.a = t.a)", ".t .u"},
    {"SELECT * FROM (PIVOT t ON a IN ('x') USING sum(b))", ".t"},
    {"SELECT * FROM t LEFT JOIN u ON t.a IN (SELECT a FROM w)", ".t .u .w"},
    {"SELECT 'FROM x' AS a, \"b\" FROM \"odd name\" -- FROM y", ".odd name"},
    {"SELECT * FROM f('x') JOIN t ON true", ".t"},
};

static void tables_are_found_everywhere_but_ctes(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(TABLES); i++) {
        const struct sql_query query = read_query(TABLES[i].sql);
        struct str_list names = {0};
        for (size_t j = 0; j < query.tables.count; j++) {
            const struct sql_table *table = &query.tables.items[j];
            str_list_push(&fixture.arena, &names,
                          str_format(&fixture.arena, STR_FORMAT "%s" STR_FORMAT "." STR_FORMAT,
                                     STR_ARGS(table->catalog), table->catalog.size > 0 ? "." : "",
                                     STR_ARGS(table->schema), STR_ARGS(table->name)));
        }
        const str found = str_list_join(&fixture.arena, &names, STR(" "));
        if (!str_equal(found, str_from(TABLES[i].tables))) {
            fail_msg("%s\n  expected %s\n  got      " STR_FORMAT, TABLES[i].sql, TABLES[i].tables,
                     STR_ARGS(found));
        }
    }
}

// "name:cast:output" of every column of the first call; "*" when it takes all.
static str columns_of(const struct sql_query *query) {
    struct str_list parts = {0};
    const struct sql_call *call = &query->calls.items[0];
    for (size_t i = 0; i < call->columns.count; i++) {
        const struct sql_column_use *use = &call->columns.items[i];
        str_list_push(&fixture.arena, &parts,
                      str_format(&fixture.arena, STR_FORMAT ":" STR_FORMAT ":" STR_FORMAT "%s",
                                 STR_ARGS(use->name), STR_ARGS(use->cast), STR_ARGS(use->output),
                                 use->is_projected ? "" : "?"));
    }
    if (call->takes_all) {
        str_list_push(&fixture.arena, &parts, STR("*"));
    }
    return str_list_join(&fixture.arena, &parts, STR(" "));
}

static const struct {
    const char *sql;
    const char *columns;
} COLUMNS[] = {
    {"SELECT a::INTEGER AS x, b, CAST(c AS DECIMAL(10, 2)) FROM f()",
     "a:INTEGER:x b::b c:DECIMAL(10,2):c"},
    {"SELECT t.a::JSON, TRY_CAST(t.b AS VARCHAR[]) AS l FROM f() AS t", "a:JSON:a b:VARCHAR[]:l"},
    {"SELECT upper(a::VARCHAR) AS u FROM f() WHERE b > 3 ORDER BY c::DATE",
     "a:VARCHAR: c:DATE:? b::?"},
    {"SELECT * FROM f()", "*"},
    {"SELECT count(*) FROM f()", ""},
    {"SELECT t.* FROM f() t JOIN raw.u ON t.id = u.id", "id::? *"},
    {"SELECT t.a::INT AS a, u.b FROM f() t JOIN raw.u USING (id)", "a:INTEGER:a id::?"},
    {"SELECT a FROM f() JOIN raw.u ON true", "*"},
    {"SELECT a::INT AS x FROM f() WHERE x > 1 ORDER BY x", "a:INTEGER:x"},
    {"SELECT a::INT AS a FROM f() WHERE a > 1", "a:INTEGER:a"},
    {"SELECT s.name.x::INT AS n FROM f() s", "name::n"},
    {"SELECT (SELECT max(u.v) FROM raw.u WHERE u.k = t.k::INT) AS m FROM f() t", "k:INTEGER:?"},
    {"SELECT a::STRUCT(x INT, \"y z\" VARCHAR) AS a, b::MAP(VARCHAR, INT) AS b FROM f()",
     "a:STRUCT(x INTEGER, \"y z\" VARCHAR):a b:MAP(VARCHAR, INTEGER):b"},
    {"SELECT a FROM f() AS t(a, b)", "a::a *"},
};

static void columns_of_a_call_come_with_their_casts(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(COLUMNS); i++) {
        const struct sql_query query = read_query(COLUMNS[i].sql);
        const str found = columns_of(&query);
        if (!str_equal(found, str_from(COLUMNS[i].columns))) {
            fail_msg("%s\n  expected %s\n  got      " STR_FORMAT, COLUMNS[i].sql,
                     COLUMNS[i].columns, STR_ARGS(found));
        }
    }
}

static void calls_keep_their_arguments(void **state) {
    (void)state;
    const struct sql_query query =
        read_query("SELECT * FROM f('it''s', 1 + 1, r := x) JOIN s.g() ON true, range(3)");
    assert_int_equal(query.calls.count, 3);
    const struct sql_call *call = &query.calls.items[0];
    assert_int_equal(call->arguments.count, 3);
    assert_true(call->arguments.items[0].is_text);
    ASSERT_STR(call->arguments.items[0].constant, "it's");
    assert_true(call->arguments.items[1].is_constant);
    assert_false(call->arguments.items[2].is_constant);
    ASSERT_STR(call->arguments.items[2].name, "r");
    ASSERT_STR(query.calls.items[1].schema, "s");
    str sql;
    ASSERT_OK(&fixture,
              lake_ast_write(fixture.connection, &fixture.arena,
                             sql_ast_select(&fixture.arena, &call->arguments.items[1].ast, 1), &sql,
                             &fixture.err));
    ASSERT_STR(sql, "SELECT (1 + 1)");
}

static void a_cte_read_twice_or_recursively_repeats(void **state) {
    (void)state;
    static const struct {
        const char *sql;
        bool repeats;
    } QUERIES[] = {
        {"SELECT a FROM t JOIN t AS u USING (a)", false},
        {"WITH c AS (SELECT 1 AS a) SELECT a FROM c", false},
        {"WITH c AS (SELECT 1 AS a) SELECT a FROM c JOIN C AS d USING (a)", true},
        {"WITH c AS (SELECT 1 AS a) SELECT a FROM c WHERE a IN (SELECT a FROM c)", true},
        {"WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r) SELECT i FROM r", true},
    };
    for (size_t i = 0; i < ARRAY_COUNT(QUERIES); i++) {
        if (read_query(QUERIES[i].sql).repeats_cte != QUERIES[i].repeats) {
            fail_msg("%s", QUERIES[i].sql);
        }
    }
}

static void canonical_form_ignores_layout_and_keeps_literals(void **state) {
    (void)state;
    const str base = read_query("SELECT a, 'X y' AS b FROM t").canonical;
    assert_true(str_equal(base, read_query("select  a,\n 'X y' as b -- c\nfrom t").canonical));
    assert_false(str_equal(base, read_query("SELECT a, 'x y' AS b FROM t").canonical));
    assert_false(str_equal(base, read_query("SELECT a, 'X  y' AS b FROM t").canonical));
    assert_false(str_equal(base, read_query("SELECT a, 'X y' AS \"B\" FROM t").canonical));
}

static void volatile_functions_and_limits_have_places(void **state) {
    (void)state;
    const struct sql_query query =
        read_query("SELECT now() AS n, getvariable('v') FROM t LIMIT 3 OFFSET 4");
    ASSERT_STR(query.volatile_function, "now");
    assert_int_equal(query.volatile_offset, 7);
    assert_int_equal(query.limit_offset, 49);
    assert_int_equal(query.offset_offset, 58);
    ASSERT_STR(query.variables.items[0], "v");
}

static bool is_lib(void *self, str name) {
    (void)self;
    return str_equal(name, STR("api"));
}

static const struct {
    const char *sql;
    bool push;
    const char *rules;
} STRICT[] = {
    {"SELECT a::INT AS a, t.b::VARCHAR AS c FROM api('x') t", false, ""},
    {"SELECT a, b::INT FROM api() WHERE a > 1", false,
     "strict_fetch.where_clause_disallowed strict_fetch.cast_required strict_fetch.alias_required "
     "strict_fetch.alias_required"},
    {"SELECT * FROM api()", false, "strict_fetch.cast_required"},
    {"SELECT a::INT AS a FROM raw.t", false, "strict_fetch.no_lib_call"},
    {"SELECT t.a::INT AS a FROM api() t, api() u", false, "strict_fetch.multiple_lib_calls"},
    {"SELECT t.a::INT AS a FROM api() t, raw.u", false, "strict_fetch.other"},
    {"SELECT DISTINCT a::INT AS a FROM api() ORDER BY 1", false,
     "strict_fetch.distinct_disallowed strict_fetch.order_by_disallowed"},
    {"SELECT a::INT AS a FROM api() GROUP BY a", false, "strict_fetch.group_by_disallowed"},
    {"SELECT a::INT AS a FROM api() UNION ALL SELECT 1", false, "strict_fetch.union_disallowed"},
    {"SELECT (a + 1)::INT AS a, b::INT AS A FROM api()", false,
     "strict_fetch.cast_required strict_fetch.other"},
    {"SELECT (a + 1)::INT AS a FROM raw.t WHERE a > 1", true, ""},
    {"SELECT a, b::INT FROM raw.t", true,
     "strict_push.cast_required strict_push.alias_required strict_push.alias_required"},
    {"SELECT * FROM raw.t", true, "strict_push.select_star_disallowed"},
    {"SELECT a::INT AS a FROM api()", true, "strict_push.lib_call_disallowed"},
};

static void strict_forms_report_every_breach(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(STRICT); i++) {
        str ast;
        struct sql_finding_list findings = {0};
        ASSERT_OK(&fixture, lake_ast_read(fixture.connection, &fixture.arena,
                                          str_from(STRICT[i].sql), &ast, &fixture.err));
        if (STRICT[i].push) {
            sql_check_push(&fixture.arena, ast, is_lib, NULL, &findings);
        } else {
            sql_check_fetch(&fixture.arena, ast, is_lib, NULL, &findings);
        }
        struct str_list rules = {0};
        for (size_t j = 0; j < findings.count; j++) {
            str_list_push(&fixture.arena, &rules, str_from(findings.items[j].rule));
        }
        const str found = str_list_join(&fixture.arena, &rules, STR(" "));
        if (!str_equal(found, str_from(STRICT[i].rules))) {
            fail_msg("%s\n  expected %s\n  got      " STR_FORMAT, STRICT[i].sql, STRICT[i].rules,
                     STR_ARGS(found));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_found_everywhere_but_ctes),
        cmocka_unit_test(columns_of_a_call_come_with_their_casts),
        cmocka_unit_test(calls_keep_their_arguments),
        cmocka_unit_test(a_cte_read_twice_or_recursively_repeats),
        cmocka_unit_test(canonical_form_ignores_layout_and_keeps_literals),
        cmocka_unit_test(volatile_functions_and_limits_have_places),
        cmocka_unit_test(strict_forms_report_every_breach),
    };
    return cmocka_run_group_tests(tests, open_lake, close_lake);
}
