// The grammar of @constraint, @audit and @warning (models.md §9.1).
#include "sql/check_call.h"

#include "support/unit.h"

static void calls_become_sql(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *sql;
    } CASES[] = {
        {"not_null(id)", "memory.p_not_null('t', 'id')"},
        {"fresh", "memory.p_fresh('t')"},
        {"fresh()", "memory.p_fresh('t')"},
        {"  fresh ( ) ", "memory.p_fresh('t')"},
        {"compare(price, >=, 0)", "memory.p_compare('t', 'price', '>=', 0)"},
        {"compare(price, !=, -1.5e3)", "memory.p_compare('t', 'price', '!=', -1.5e3)"},
        {"f(<, >, <=, =)", "memory.p_f('t', '<', '>', '<=', '=')"},
        {"f(.5, 5., +7, 1e, -, .)", "memory.p_f('t', .5, 5., +7, '1e', '-', '.')"},
        {"freshness(at, 24h)", "memory.p_freshness('t', 'at', '24 HOUR')"},
        {"freshness(at, 7d)", "memory.p_freshness('t', 'at', '7 DAY')"},
        {"f(7days, d, 1.5h)", "memory.p_f('t', '7days', 'd', '1.5h')"},
        {"in_list(s, 'a, b')", "memory.p_in_list('t', 's', 'a, b')"},
        {"f(\"a, b\")", "memory.p_f('t', 'a, b')"},
        {"f('it''s')", "memory.p_f('t', 'it''s')"},
        {"f(it\"'\"s)", "memory.p_f('t', 'it\"''\"s')"},
        {"f('a' = 'b')", "memory.p_f('t', '''a'' = ''b''')"},
        {"f('24h', '5')", "memory.p_f('t', '24h', '5')"},
        {"check(total, total = round(a * b, 2))",
         "memory.p_check('t', 'total', 'total = round(a * b, 2)')"},
        {"matches(code, [A-Z]{2,3}-(x|y))", "memory.p_matches('t', 'code', '[A-Z]{2,3}-(x|y)')"},
        {"valid_type(amount, DECIMAL(10, 2))",
         "memory.p_valid_type('t', 'amount', 'DECIMAL(10, 2)')"},
        {"f(')', '(')", "memory.p_f('t', ')', '(')"},
        {"references(id, raw.orders, order_id)",
         "memory.p_references('t', 'id', 'raw.orders', 'order_id')"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(CASES); i++) {
        SCRATCH(arena);
        struct check_call call;
        struct error err;
        if (check_call_parse(&arena, str_from(CASES[i].text), &call, &err) != ERROR_NONE) {
            fail_msg("%s: %s", CASES[i].text, err.message);
        }
        const str sql = check_call_sql(&arena, &call, STR("p_"), STR("t"));
        if (!str_equal(sql, str_from(CASES[i].sql))) {
            fail_msg("%s: got " STR_FORMAT, CASES[i].text, STR_ARGS(sql));
        }
    }
}

static void broken_calls_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } CASES[] = {
        {"", "\"\" does not begin with the name of a macro"},
        {"(id)", "\"(id)\" does not begin with the name of a macro"},
        {"not null(id)", "\"not null(id)\" does not begin with the name of a macro"},
        {"1st(id)", "\"1st(id)\" does not begin with the name of a macro"},
        {"not_null(id", "\"not_null(id\" has a parenthesis that is not closed"},
        {"f((a)", "\"f((a)\" has a parenthesis that is not closed"},
        {"f({a)", "\"f({a)\" has a parenthesis that is not closed"},
        {"f('a)", "\"f('a)\" has a quote that is not closed"},
        {"f(it's)", "\"f(it's)\" has a quote that is not closed"},
        {"not_null(id) please", "\"not_null(id) please\" goes on behind the closing parenthesis"},
        {"f(a))", "\"f(a))\" goes on behind the closing parenthesis"},
        {"f(a, )", "\"f(a, )\" has an empty argument"},
        {"f(, a)", "\"f(, a)\" has an empty argument"},
        {"f(a,,b)", "\"f(a,,b)\" has an empty argument"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(CASES); i++) {
        SCRATCH(arena);
        struct check_call call;
        struct error err;
        if (check_call_parse(&arena, str_from(CASES[i].text), &call, &err) == ERROR_NONE) {
            fail_msg("%s is accepted", CASES[i].text);
        }
        assert_string_equal(err.message, CASES[i].message);
        assert_string_equal(err.rule, "check.bad_arguments");
    }
}

static void forms_are_told(void **state) {
    (void)state;
    SCRATCH(arena);
    struct check_call call;
    struct error err;
    assert_int_equal(check_call_parse(&arena, STR("f(a, 1, 2h, '3')"), &call, &err), ERROR_NONE);
    static const enum check_form FORMS[] = {CHECK_TEXT, CHECK_NUMBER, CHECK_SPAN, CHECK_TEXT};
    assert_int_equal(call.arguments.count, ARRAY_COUNT(FORMS));
    for (size_t i = 0; i < ARRAY_COUNT(FORMS); i++) {
        assert_int_equal(call.arguments.items[i].form, FORMS[i]);
    }
    assert_true(str_equal(call.arguments.items[2].value, STR("2 HOUR")));
    assert_true(str_equal(call.arguments.items[3].value, STR("3")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_become_sql),
        cmocka_unit_test(broken_calls_are_refused),
        cmocka_unit_test(forms_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
