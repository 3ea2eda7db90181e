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

static void add_terms(struct text *out, const char *label, const struct delta_term_list *terms) {
    for (size_t i = 0; i < terms->count; i++) {
        str sql;
        ASSERT_OK(&fixture, lake_ast_write(fixture.connection, &fixture.arena, terms->items[i].ast,
                                           &sql, &fixture.err));
        text_format(out, "%s%c " STR_FORMAT "\n", label, terms->items[i].is_removed ? '-' : '+',
                    STR_ARGS(sql));
    }
}

// The terms and the restricted query, a line each; or why there are none.  Tables a, b and c have
// the columns id, k and v; those in `changed` changed, and those in capitals only got rows.  The
// view w is the sums of b.
static const char *plan(const char *sql, const char *key, const char *changed) {
    static const char *const NAMES[] = {"main.a", "main.b", "main.c"};
    struct arena *arena = &fixture.arena;
    struct delta_source *sources = ARENA_ARRAY(arena, struct delta_source, 3);
    for (size_t i = 0; i < 3; i++) {
        sources[i].name = str_from(NAMES[i]);
        sources[i].only_added = strchr(changed, NAMES[i][5] - 'a' + 'A') != NULL;
        sources[i].changed = sources[i].only_added || strchr(changed, NAMES[i][5]) != NULL;
        str_list_push(arena, &sources[i].columns, STR("id"));
        str_list_push(arena, &sources[i].columns, STR("k"));
        str_list_push(arena, &sources[i].columns, STR("v"));
    }
    struct delta_view view = {.name = STR("main.w"), .columns = {0}};
    str_list_push(arena, &view.columns, STR("grp"));
    str_list_push(arena, &view.columns, STR("total"));
    ASSERT_OK(&fixture,
              lake_ast_read(fixture.connection, arena, STR("SELECT k, sum(v) FROM b GROUP BY k"),
                            &view.ast, &fixture.err));
    struct delta_input input = {
        .catalog = STR("lake"),
        .key = str_from(key),
        .sources = sources,
        .source_count = 3,
        .views = &view,
        .view_count = 1,
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
    for (size_t i = 0; i < plan.groups.count; i++) {
        add_terms(&out, "g", &plan.groups.items[i].terms);
    }
    if (plan.shape != DELTA_REFUSED) {
        add_terms(&out, "", &plan.terms);
    }
    str text;
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
#define ADDED_B "\"temp\".main.__ondatra_added_1 AS b"
#define GROUPS "(SELECT __ondatra_key FROM \"temp\".main.__ondatra_groups_0)"
#define KEYS "(SELECT __ondatra_key FROM \"temp\".main.__ondatra_keys)"

static const struct plan_case REWRITTEN[] = {
    {"SELECT id, v FROM a", "", "a",
     "+ SELECT id, v FROM " ADDED_A "\n- SELECT id, v FROM " REMOVED_A "\n"},
    {"SELECT id, v FROM a", "id", "a",
     "+ SELECT id AS __ondatra_key FROM " ADDED_A "\n- SELECT id AS __ondatra_key FROM " REMOVED_A
     "\n= SELECT id, v FROM a WHERE (id = ANY" KEYS ")\n"},
    {"SELECT k AS key, sum(v) AS s FROM a GROUP BY 1 HAVING sum(v) > 2", "key", "a",
     "+ SELECT k AS __ondatra_key FROM " ADDED_A "\n- SELECT k AS __ondatra_key FROM " REMOVED_A
     "\n= SELECT k AS \"key\", sum(v) AS s FROM a WHERE (k = ANY" KEYS
     ") GROUP BY 1 HAVING (sum(v) > 2)\n"},
    {"SELECT a.id, b.v FROM a LEFT JOIN b ON a.k = b.id WHERE b.v > 1", "id", "b",
     "+ SELECT a.id AS __ondatra_key FROM a INNER JOIN \"temp\".main.__ondatra_added_1 AS b ON "
     "((a.k = "
     "b.id))\n"
     "- SELECT a.id AS __ondatra_key FROM a INNER JOIN \"temp\".main.__ondatra_removed_1 AS b ON "
     "((a.k = "
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
     "+ SELECT k AS __ondatra_key FROM " ADDED_A "\n- SELECT k AS __ondatra_key FROM " REMOVED_A
     "\n= SELECT * FROM (SELECT k, sum(v) AS s FROM a WHERE (k = ANY" KEYS
     ") GROUP BY k) AS t WHERE ((s > 3) AND (t.k = ANY" KEYS "))\n"},
    {"SELECT a.id, b.v FROM a FULL JOIN b ON a.k = b.id", "id", "B",
     "+ SELECT a.id AS __ondatra_key FROM a RIGHT JOIN " ADDED_B " ON ((a.k = b.id))\n"
     "+ SELECT a.id AS __ondatra_key FROM a SEMI JOIN " ADDED_B
     " ON ((a.k = b.id)) LEFT JOIN (SELECT * FROM " ADDED_B
     " WHERE CAST('f' AS BOOLEAN)) AS b ON ((a.k = b.id))\n"
     "= SELECT a.id, b.v FROM a FULL JOIN b ON ((a.k = b.id)) WHERE (a.id = ANY" KEYS ")\n"},
    {"SELECT id, a.v, b.v AS w FROM a FULL JOIN b USING (id)", "id", "A",
     "+ SELECT id AS __ondatra_key FROM " ADDED_A " LEFT JOIN b USING (id)\n"
     "+ SELECT id AS __ondatra_key FROM (SELECT * FROM " ADDED_A
     " WHERE CAST('f' AS BOOLEAN)) AS a RIGHT JOIN b SEMI JOIN " ADDED_A " USING (id) USING (id)\n"
     "= SELECT id, a.v, b.v AS w FROM (SELECT * FROM a WHERE (id = ANY" KEYS
     ")) AS a FULL JOIN (SELECT * FROM b WHERE (id = ANY" KEYS
     ")) AS b USING (id) WHERE (id = ANY" KEYS ")\n"},
    {"SELECT coalesce(a.id, b.id) AS key, a.v FROM a FULL JOIN b ON a.v = b.v AND b.id = a.id",
     "key", "B",
     "+ SELECT COALESCE(a.id, b.id) AS __ondatra_key FROM a RIGHT JOIN " ADDED_B
     " ON (((a.v = b.v) AND (b.id = a.id)))\n"
     "+ SELECT COALESCE(a.id, b.id) AS __ondatra_key FROM a SEMI JOIN " ADDED_B
     " ON (((a.v = b.v) AND (b.id = a.id))) LEFT JOIN (SELECT * FROM " ADDED_B
     " WHERE CAST('f' AS BOOLEAN)) AS b ON (((a.v = b.v) AND (b.id = a.id)))\n"
     "= SELECT COALESCE(a.id, b.id) AS \"key\", a.v FROM (SELECT * FROM a WHERE (id = ANY" KEYS
     ")) AS a FULL JOIN (SELECT * FROM b WHERE (id = ANY" KEYS
     ")) AS b ON (((a.v = b.v) AND (b.id = a.id))) WHERE (COALESCE(a.id, b.id) = ANY" KEYS ")\n"},
    {"SELECT b.v AS key FROM a LEFT JOIN b ON a.k = b.id", "key", "B",
     "+ SELECT b.v AS __ondatra_key FROM a INNER JOIN " ADDED_B " ON ((a.k = b.id))\n"
     "+ SELECT b.v AS __ondatra_key FROM a SEMI JOIN " ADDED_B
     " ON ((a.k = b.id)) LEFT JOIN (SELECT * FROM " ADDED_B
     " WHERE CAST('f' AS BOOLEAN)) AS b ON ((a.k = b.id))\n"
     "= SELECT b.v AS \"key\" FROM a LEFT JOIN b ON ((a.k = b.id)) WHERE (b.v = ANY" KEYS ")\n"},
    {"SELECT id, b.v FROM a LEFT JOIN b USING (id)", "id", "B",
     "+ SELECT id AS __ondatra_key FROM a INNER JOIN " ADDED_B " USING (id)\n"
     "= SELECT id, b.v FROM a LEFT JOIN b USING (id) WHERE (id = ANY" KEYS ")\n"},
    {"SELECT c.id FROM a SEMI JOIN b ON a.k = b.k JOIN c ON c.k = a.k", "id", "B",
     "+ SELECT c.id AS __ondatra_key FROM a SEMI JOIN " ADDED_B
     " ON ((a.k = b.k)) INNER JOIN c ON ((c.k = a.k))\n"
     "= SELECT c.id FROM a SEMI JOIN b ON ((a.k = b.k)) INNER JOIN c ON ((c.k = a.k)) WHERE (c.id "
     "= ANY" KEYS ")\n"},
    {"SELECT a.id, t.s FROM a JOIN (SELECT k, sum(v) AS s FROM b GROUP BY k) t ON a.k = t.k", "id",
     "B",
     "g+ SELECT k AS __ondatra_key FROM " ADDED_B "\n"
     "+ SELECT a.id AS __ondatra_key FROM a INNER JOIN (SELECT k, sum(v) AS s FROM b WHERE ((k = "
     "ANY" GROUPS ") OR (k IS NULL)) GROUP BY k) AS t ON ((a.k = t.k))\n"
     "- SELECT a.id AS __ondatra_key FROM a INNER JOIN (SELECT k, sum(v) AS s FROM b AT (VERSION "
     "=> 7) WHERE "
     "((k = ANY" GROUPS ") OR (k IS NULL)) GROUP BY k) AS t ON ((a.k = t.k))\n"
     "= SELECT a.id, t.s FROM a INNER JOIN (SELECT k, sum(v) AS s FROM b GROUP BY k) AS t ON ((a.k "
     "= t.k)) WHERE (a.id = ANY" KEYS ")\n"},
    {"SELECT a.id, t.s FROM a JOIN (SELECT k, max(v) AS s FROM b GROUP BY k) t ON a.k = t.k", "",
     "B",
     "g+ SELECT k AS __ondatra_key FROM " ADDED_B "\n"
     "+ SELECT a.id, t.s FROM a INNER JOIN (SELECT k, max(v) AS s FROM b WHERE ((k = ANY" GROUPS
     ") OR (k IS NULL)) GROUP BY k) AS t ON ((a.k = t.k))\n"
     "- SELECT a.id, t.s FROM a INNER JOIN (SELECT k, max(v) AS s FROM b AT (VERSION => 7) WHERE "
     "((k = ANY" GROUPS ") OR (k IS NULL)) GROUP BY k) AS t ON ((a.k = t.k))\n"},
    {"SELECT x.k AS key FROM (SELECT k, count(*) AS n FROM (SELECT DISTINCT k, v FROM a) GROUP BY "
     "k) AS x JOIN b ON b.id = x.n GROUP BY 1",
     "key", "A",
     "+ SELECT k AS __ondatra_key FROM " ADDED_A "\n"
     "= SELECT x.k AS \"key\" FROM (SELECT k, count_star() AS n FROM (SELECT DISTINCT k, v FROM a "
     "WHERE (k = ANY" KEYS ")) WHERE (k = ANY" KEYS
     ") GROUP BY k) AS x INNER JOIN b ON ((b.id = x.n)) WHERE (x.k = ANY" KEYS ") GROUP BY 1\n"},
    {"SELECT grp AS key, total FROM w", "key", "B",
     "+ SELECT k AS __ondatra_key FROM " ADDED_B "\n"
     "= SELECT grp AS \"key\", total FROM (SELECT k, sum(v) FROM b WHERE (k = ANY" KEYS
     ") GROUP BY k) AS w(grp, total) WHERE (grp = ANY" KEYS ")\n"},
    {"SELECT a.id, w.total FROM a LEFT JOIN w ON a.k = w.grp", "id", "B",
     "g+ SELECT k AS __ondatra_key FROM " ADDED_B "\n"
     "+ SELECT a.id AS __ondatra_key FROM a INNER JOIN (SELECT k, sum(v) FROM b WHERE ((k = "
     "ANY" GROUPS ") OR (k IS NULL)) GROUP BY k) AS w(grp, total) ON ((a.k = w.grp))\n"
     "- SELECT a.id AS __ondatra_key FROM a INNER JOIN (SELECT k, sum(v) FROM b AT (VERSION => 7) "
     "WHERE ((k = "
     "ANY" GROUPS ") OR (k IS NULL)) GROUP BY k) AS w(grp, total) ON ((a.k = w.grp))\n"
     "= SELECT a.id, w.total FROM a LEFT JOIN (SELECT k, sum(v) FROM b GROUP BY k) AS w(grp, "
     "total) ON ((a.k = w.grp)) WHERE (a.id = ANY" KEYS ")\n"},
    {"SELECT 1 AS key, count(*) AS n FROM a WHERE v > 2", "key", "A",
     "+ SELECT 1 AS __ondatra_key FROM " ADDED_A " WHERE (v > 2)\n"
     "= SELECT * FROM (SELECT 1 AS \"key\", count_star() AS n FROM a WHERE (v > 2)) AS all_rows "
     "WHERE (\"key\" = ANY" KEYS ")\n"},
    {"SELECT id, v * 2 AS w2 FROM a WHERE w2 > 3", "id", "A",
     "+ SELECT id AS __ondatra_key FROM " ADDED_A "\n"
     "= SELECT id, (v * 2) AS w2 FROM a WHERE ((w2 > 3) AND (id = ANY" KEYS "))\n"},
    {"(SELECT 3 AS id, 4 AS v UNION ALL VALUES (1, 2)) EXCEPT SELECT id, v FROM a", "id", "A",
     "+ SELECT id AS __ondatra_key FROM " ADDED_A "\n"
     "= SELECT * FROM (((SELECT 3 AS id, 4 AS v WHERE (3 = ANY" KEYS
     ")) UNION ALL (SELECT * FROM (VALUES (1, 2)) AS valueslist)) EXCEPT (SELECT id, v FROM a "
     "WHERE (id = ANY" KEYS "))) AS all_rows WHERE (id = ANY" KEYS ")\n"},
    {"SELECT main.a.id FROM main.a", "id", "A",
     "+ SELECT a.id AS __ondatra_key FROM " ADDED_A "\n"
     "= SELECT a.id FROM main.a WHERE (a.id = ANY" KEYS ")\n"},
    {"WITH w (p, v) AS (SELECT k, id FROM a) SELECT x AS key, v FROM w AS t (x)", "key", "A",
     "+ SELECT x AS __ondatra_key FROM (SELECT k, id FROM " ADDED_A ") AS t(x, v)\n"
     "= SELECT x AS \"key\", v FROM (SELECT k, id FROM a WHERE (k = ANY" KEYS
     ")) AS t(x, v) WHERE (x = ANY" KEYS ")\n"},
    {"SELECT k, count(*) FROM a GROUP BY k", "", "a",
     "+ SELECT k, count_star() FROM " ADDED_A " GROUP BY k\n"},
};

static const struct plan_case REFUSED[] = {
    {"SELECT id, v FROM a LIMIT 3", "id", "a", "no: it has a LIMIT\n"},
    {"SELECT id, v + random() FROM a", "id", "a", "no: it calls random()\n"},
    {"SELECT id, row_number() OVER (ORDER BY v) AS n FROM a", "id", "a",
     "no: it has a window that is not partitioned by the key\n"},
    {"SELECT id, rank() OVER (ORDER BY v) AS n, rank() OVER (PARTITION BY id ORDER BY v) AS m FROM "
     "a",
     "id", "a", "no: it has a window that is not partitioned by the key\n"},
    {"SELECT row_number() OVER (PARTITION BY k ORDER BY v) AS n FROM a", "n", "a",
     "no: the key is not made from columns of one row\n"},
    {"SELECT sum(v) AS s FROM a GROUP BY k", "s", "a",
     "no: the key is computed from several rows\n"},
    {"SELECT coalesce(a.id, b.id, c.id) AS key FROM a FULL JOIN b ON a.id = b.id FULL JOIN c ON "
     "b.k = "
     "c.k",
     "key", "a", "no: several outer joins, one in the other, can lose it\n"},
    {"SELECT b.v + c.v AS key FROM a LEFT JOIN b ON a.k = b.id LEFT JOIN c ON a.k = c.id", "key",
     "bc", "no: the key comes from several outer joins\n"},
    {"SELECT coalesce(b.id, 0) + coalesce(d.id, 0) AS key FROM (a LEFT JOIN b ON a.k = b.k) JOIN "
     "(c "
     "LEFT JOIN b AS d ON c.k = d.k) ON a.v = c.v",
     "key", "b", "no: the key comes from several outer joins\n"},
    {"SELECT b.v AS key FROM a LEFT JOIN (b CROSS JOIN unnest([1, 2]) AS u) ON a.k = b.id", "key",
     "b", "no: it joins the result of a CROSS JOIN\n"},
    {"SELECT id, current_date AS d FROM a", "id", "a", "no: it reads current_date\n"},
    {"SELECT rowid AS id FROM a", "id", "a", "no: it reads rowid\n"},
    {"SELECT id FROM a WHERE k IN (SELECT k FROM b)", "id", "b",
     "no: it is read by a subquery in an expression\n"},
    {"SELECT a.id, t.s FROM a JOIN (SELECT sum(v) AS s FROM b) t ON a.k = t.s", "id", "b",
     "no: it is in a subquery that no column divides into groups\n"},
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
    {"SELECT (SELECT max(a.v)) AS m FROM a", "", "a", "no: it has an aggregate in a subquery\n"},
    {"SELECT DISTINCT ON (k) k AS key, * REPLACE (v AS k) FROM a", "key", "a",
     "no: the key is made from another output column\n"},
    {"SELECT s.*, k AS key FROM (SELECT {'x': id} AS s, k FROM a) EXCEPT SELECT id, k FROM b",
     "key", "a", "no: the key column cannot be traced\n"},
    {"SELECT max(COLUMNS('v')), k AS key FROM a GROUP BY k UNION SELECT id, k FROM b", "key", "a",
     "no: the key column cannot be traced\n"},
    {"SELECT id, age(v) AS n FROM a", "id", "a",
     "no: it calls age() of one time, which is up to today\n"},
    {"SELECT main.a.id FROM main.a JOIN (SELECT k FROM main.b AS a WHERE a.v = 1) ON true", "id",
     "a", "no: more than one of its tables is called a\n"},
    {"SELECT a.id FROM a, LATERAL (SELECT b.k, sum(b.v) FROM b WHERE b.id = a.v GROUP BY b.k) AS t",
     "id", "b", "no: it is in a subquery that no column divides into groups\n"},
    {"SELECT t.k FROM a, LATERAL (SELECT b.k, sum(b.v) FROM b WHERE b.id = a.v GROUP BY b.k) AS t",
     "k", "b", "no: it is in a subquery that no column divides into groups\n"},
    {"SELECT t.v AS key FROM a LEFT JOIN LATERAL (SELECT b.v FROM b WHERE b.k = a.k) AS t ON true",
     "key", "b", "no: the key comes from a LATERAL subquery that may be empty\n"},
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
