// Which queries can be evaluated from changes, by which rewritten queries, and why others cannot.
#include "lake/fixture.h"

#include <string.h>

#include "base/text.h"
#include "lake/ast.h"
#include "sql/delta.h"

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

static enum sql_function_class classify(void *self, str name) {
    (void)self;
    static const str AGGREGATES[] = {STR_INIT("sum"), STR_INIT("count_star"), STR_INIT("max")};
    for (size_t i = 0; i < ARRAY_COUNT(AGGREGATES); i++) {
        if (str_equal(AGGREGATES[i], name)) {
            return SQL_FUNCTION_AGGREGATE;
        }
    }
    return str_equal(name, STR("random")) ? SQL_FUNCTION_OTHER : SQL_FUNCTION_PLAIN;
}

// The terms and the restricted query, a line each; or why there are none.  Tables a, b and c have
// the columns id, k and v; those in `changed` changed.
static const char *plan(const char *sql, const char *key, const char *changed) {
    static const char *const NAMES[] = {"main.a", "main.b", "main.c"};
    struct arena *arena = &fixture.arena;
    struct delta_source *sources = ARENA_ARRAY(arena, struct delta_source, 3);
    for (size_t i = 0; i < 3; i++) {
        sources[i].name = str_from(NAMES[i]);
        sources[i].changed = strchr(changed, NAMES[i][5]) != NULL;
        str_list_push(arena, &sources[i].columns, STR("id"));
        str_list_push(arena, &sources[i].columns, STR("k"));
        str_list_push(arena, &sources[i].columns, STR("v"));
    }
    struct delta_input input = {
        .catalog = STR("lake"),
        .key = str_from(key),
        .sources = sources,
        .source_count = 3,
        .classify = classify,
        .base = 7,
    };
    struct delta_plan plan;
    struct text out;
    text_init(&out, arena);
    ASSERT_OK(&fixture,
              lake_ast_read(fixture.connection, arena, str_from(sql), &input.ast, &fixture.err));
    ASSERT_OK(&fixture, sql_delta_plan(arena, &input, &plan, &fixture.err));
    if (plan.shape == DELTA_REFUSED) {
        text_format(&out, "no: " STR_FORMAT "\n", STR_ARGS(plan.reason));
    }
    str text;
    for (size_t i = 0; i < plan.terms.count && plan.shape != DELTA_REFUSED; i++) {
        ASSERT_OK(&fixture, lake_ast_write(fixture.connection, arena, plan.terms.items[i].ast,
                                           &text, &fixture.err));
        text_format(&out, "%c " STR_FORMAT "\n", plan.terms.items[i].is_removed ? '-' : '+',
                    STR_ARGS(text));
    }
    if (plan.restricted.size > 0) {
        ASSERT_OK(&fixture,
                  lake_ast_write(fixture.connection, arena, plan.restricted, &text, &fixture.err));
        text_format(&out, "= " STR_FORMAT "\n", STR_ARGS(text));
    }
    return text_cstring(&out);
}

struct plan_case {
    const char *sql;
    const char *key;
    const char *changed;
    const char *expected;
};

#define ADDED_A "\"temp\".main.__ondatra_added_0 AS a"
#define REMOVED_A "\"temp\".main.__ondatra_removed_0 AS a"
#define KEYS "(SELECT k FROM \"temp\".main.__ondatra_keys)"

static const struct plan_case REWRITTEN[] = {
    {"SELECT id, v FROM a", "", "a",
     "+ SELECT id, v FROM " ADDED_A "\n- SELECT id, v FROM " REMOVED_A "\n"},
    {"SELECT id, v FROM a", "id", "a",
     "+ SELECT id AS k FROM " ADDED_A "\n- SELECT id AS k FROM " REMOVED_A
     "\n= SELECT id, v FROM a WHERE (id = ANY" KEYS ")\n"},
    {"SELECT k AS key, sum(v) AS s FROM a GROUP BY 1 HAVING sum(v) > 2", "key", "a",
     "+ SELECT k AS k FROM " ADDED_A "\n- SELECT k AS k FROM " REMOVED_A
     "\n= SELECT k AS \"key\", sum(v) AS s FROM a WHERE (k = ANY" KEYS
     ") GROUP BY 1 HAVING (sum(v) > 2)\n"},
    {"SELECT a.id, b.v FROM a LEFT JOIN b ON a.k = b.id WHERE b.v > 1", "id", "b",
     "+ SELECT a.id AS k FROM a INNER JOIN \"temp\".main.__ondatra_added_1 AS b ON ((a.k = "
     "b.id))\n"
     "- SELECT a.id AS k FROM a INNER JOIN \"temp\".main.__ondatra_removed_1 AS b ON ((a.k = "
     "b.id))\n"
     "= SELECT a.id, b.v FROM a LEFT JOIN b ON ((a.k = b.id)) WHERE ((b.v > 1) AND (a.id = "
     "ANY" KEYS "))\n"},
    {"SELECT a.id, b.v FROM a JOIN b ON a.k = b.id", "", "ab",
     "+ SELECT a.id, b.v FROM " ADDED_A " INNER JOIN b AT (VERSION => 7) ON ((a.k = b.id))\n"
     "- SELECT a.id, b.v FROM " REMOVED_A " INNER JOIN b AT (VERSION => 7) ON ((a.k = b.id))\n"
     "+ SELECT a.id, b.v FROM a INNER JOIN \"temp\".main.__ondatra_added_1 AS b ON ((a.k = "
     "b.id))\n"
     "- SELECT a.id, b.v FROM a INNER JOIN \"temp\".main.__ondatra_removed_1 AS b ON ((a.k = "
     "b.id))\n"},
    {"WITH t AS (SELECT id, v FROM a) SELECT * FROM t", "", "a",
     "+ SELECT * FROM (SELECT id, v FROM " ADDED_A ") AS t\n"
     "- SELECT * FROM (SELECT id, v FROM " REMOVED_A ") AS t\n"},
    {"WITH t AS (SELECT k, sum(v) AS s FROM a GROUP BY k) SELECT * FROM t WHERE s > 3", "k", "a",
     "+ SELECT k AS k FROM " ADDED_A "\n- SELECT k AS k FROM " REMOVED_A
     "\n= SELECT * FROM (SELECT k, sum(v) AS s FROM a WHERE (k = ANY" KEYS
     ") GROUP BY k) AS t WHERE ((s > 3) AND (t.k = ANY" KEYS "))\n"},
    {"SELECT k, count(*) FROM a GROUP BY k", "", "a",
     "+ SELECT k, count_star() FROM " ADDED_A " GROUP BY k\n"},
};

static const struct plan_case REFUSED[] = {
    {"SELECT id, v FROM a LIMIT 3", "id", "a", "no: it has a LIMIT\n"},
    {"SELECT id, v + random() FROM a", "id", "a", "no: it calls random()\n"},
    {"SELECT id, row_number() OVER (ORDER BY v) AS n FROM a", "id", "a",
     "no: it has a window that is not partitioned by the key\n"},
    {"SELECT row_number() OVER (PARTITION BY k ORDER BY v) AS n FROM a", "n", "a",
     "no: the key is not made from columns of one row\n"},
    {"SELECT sum(v) AS s FROM a GROUP BY k", "s", "a",
     "no: the key is computed from several rows\n"},
    {"SELECT a.id, b.v FROM a FULL JOIN b ON a.k = b.id", "id", "b", "no: it is in a FULL JOIN\n"},
    {"SELECT b.id, a.v FROM a LEFT JOIN b ON a.k = b.id", "id", "b",
     "no: it is on the side of an outer join that the key does not come from\n"},
    {"SELECT id FROM a WHERE k IN (SELECT k FROM b)", "id", "b",
     "no: it is read by a subquery in an expression\n"},
    {"SELECT a.id, t.s FROM a JOIN (SELECT k, sum(v) AS s FROM b GROUP BY k) t ON a.k = t.k", "id",
     "b", "no: it is grouped, or made distinct, in a subquery by something else than the key\n"},
    {"SELECT DISTINCT ON (k) id, v FROM a ORDER BY v", "id", "a",
     "no: its DISTINCT ON does not have the key\n"},
    {"SELECT k, sum(v) FROM a GROUP BY ROLLUP (k)", "k", "a",
     "no: it has GROUPING SETS, ROLLUP or CUBE\n"},
    {"SELECT v AS id, id * 2 AS n FROM a", "x", "a", "no: the key column cannot be traced\n"},
    {"SELECT DISTINCT id FROM a", "", "a", "no: it has a DISTINCT\n"},
    {"SELECT id FROM a UNION SELECT id FROM b", "", "a",
     "no: it has a UNION, INTERSECT or EXCEPT\n"},
    {"SELECT a.id FROM b LEFT JOIN a ON a.k = b.id", "", "a",
     "no: it is in a subquery that is grouped, or on a side of a join that may lose rows\n"},
    {"WITH RECURSIVE r AS (SELECT id FROM a UNION ALL SELECT id + 1 FROM r WHERE id < 5) FROM r",
     "id", "a", "no: it has a recursive CTE\n"},
    {"SELECT a.id FROM a CROSS JOIN b RIGHT JOIN c ON b.id = c.id", "id", "a",
     "no: it joins the result of a CROSS JOIN\n"},
    {"SELECT id FROM a TABLESAMPLE 10%", "id", "a", "no: it takes a sample\n"},
    {"SELECT id FROM somewhere", "id", "a", "no: it reads somewhere, which is no table\n"},
};

static void check(const struct plan_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *found = plan(cases[i].sql, cases[i].key, cases[i].changed);
        if (strcmp(found, cases[i].expected) != 0) {
            fail_msg("%s\nexpected\n%sgot\n%s", cases[i].sql, cases[i].expected, found);
        }
    }
}

static void one_occurrence_at_a_time_is_replaced(void **state) {
    (void)state;
    check(REWRITTEN, ARRAY_COUNT(REWRITTEN));
}

static void what_is_not_known_to_be_right_is_refused(void **state) {
    (void)state;
    check(REFUSED, ARRAY_COUNT(REFUSED));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_occurrence_at_a_time_is_replaced),
        cmocka_unit_test(what_is_not_known_to_be_right_is_refused),
    };
    return cmocka_run_group_tests_name("sql_delta", tests, open_lake, close_lake);
}
