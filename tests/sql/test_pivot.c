// Which text a PIVOT without values becomes, and what its types are made of.
#include "sql/pivot.h"

#include "base/text.h"
#include "lake/fixture.h"
#include "support/unit.h"

// Types as `type: query`, joined by lines.
static const struct {
    const char *sql;
    const char *named;
    const char *types;
} CASES[] = {
    {"PIVOT t ON c USING sum(x)", "PIVOT t ON c IN p1 USING sum(x)",
     "p1: SELECT DISTINCT CAST(c AS VARCHAR) FROM t WHERE (c) IS NOT NULL ORDER BY 1"},
    {"pivot t on a || b, c USING sum(x) GROUP BY g",
     "pivot t on a || b IN p1, c IN p2 USING sum(x) GROUP BY g",
     "p1: SELECT DISTINCT CAST(a || b AS VARCHAR) FROM t WHERE (a || b) IS NOT NULL ORDER BY 1\n"
     "p2: SELECT DISTINCT CAST(c AS VARCHAR) FROM t WHERE (c) IS NOT NULL ORDER BY 1"},
    {"PIVOT t ON c IN ('x'), f(a, b) -- end", "PIVOT t ON c IN ('x'), f(a, b) IN p1 -- end",
     "p1: SELECT DISTINCT CAST(f(a, b) AS VARCHAR) FROM t WHERE (f(a, b)) IS NOT NULL ORDER BY 1"},
    {"SELECT * FROM (PIVOT t JOIN u ON t.a = u.a ON c) JOIN v ON 1",
     "SELECT * FROM (PIVOT t JOIN u ON t.a = u.a ON c IN p1) JOIN v ON 1",
     "p1: SELECT DISTINCT CAST(c AS VARCHAR) FROM t JOIN u ON t.a = u.a WHERE (c) IS NOT NULL "
     "ORDER BY 1"},
    {"WITH a AS (SELECT 1), b AS NOT MATERIALIZED (PIVOT a ON c) FROM b",
     "WITH a AS (SELECT 1), b AS NOT MATERIALIZED (PIVOT a ON c IN p1) FROM b",
     "p1: WITH a AS (SELECT 1) SELECT DISTINCT CAST(c AS VARCHAR) FROM a WHERE (c) IS NOT NULL "
     "ORDER BY 1"},
    // Nothing to name.
    {"PIVOT t ON c IN ('x') USING sum(x)", "PIVOT t ON c IN ('x') USING sum(x)", ""},
    {"FROM t PIVOT (sum(x) FOR c IN ('a')) JOIN u ON 1",
     "FROM t PIVOT (sum(x) FOR c IN ('a')) JOIN u ON 1", ""},
    {"PIVOT t USING sum(x)", "PIVOT t USING sum(x)", ""},
    {"SELECT 'PIVOT t ON c'", "SELECT 'PIVOT t ON c'", ""},
    {"WITH", "WITH", ""},
    {"WITH a AS PIVOT t ON c", "WITH a AS PIVOT t ON c IN p1",
     "p1: SELECT DISTINCT CAST(c AS VARCHAR) FROM t WHERE (c) IS NOT NULL ORDER BY 1"},
    {"PIVOT", "PIVOT", ""},
    {"PIVOT t ON", "PIVOT t ON", ""},
    {"PIVOT (", "PIVOT (", ""},
    {"PIVOT t ON ) ON c", "PIVOT t ON ) ON c", ""},
};

static str types_text(struct arena *arena, const struct sql_pivot_list *pivots) {
    struct text text;
    text_init(&text, arena);
    for (size_t i = 0; i < pivots->count; i++) {
        const str values =
            str_trim(str_replace_all(arena, pivots->items[i].values, STR("\n"), STR(" ")));
        text_format(&text, "%s" STR_FORMAT ": " STR_FORMAT, i > 0 ? "\n" : "",
                    STR_ARGS(pivots->items[i].type), STR_ARGS(values));
    }
    return text_str(&text);
}

static void values_that_are_not_listed_become_types(void **state) {
    (void)state;
    SCRATCH(arena);
    for (size_t i = 0; i < ARRAY_COUNT(CASES); i++) {
        struct sql_pivot_list pivots = {0};
        const str named = sql_pivot_name_types(&arena, str_from(CASES[i].sql), STR("p"), &pivots);
        ASSERT_STR(named, CASES[i].named);
        ASSERT_STR(types_text(&arena, &pivots), CASES[i].types);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_that_are_not_listed_become_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
