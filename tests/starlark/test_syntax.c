// The view of the tree that hosts read declarations from.
#include "starlark/syntax.h"
#include "support/unit.h"

#include <string.h>

static struct star_syntax *parse(const char *text) {
    const struct star_source source = {
        .file = "t.star", .text = text, .size = strlen(text), .dialect = STAR_DIALECT_SCRIPT};
    return star_syntax_parse(&source, NULL);
}

static void test_reads_literals(void **state) {
    (void)state;
    struct star_syntax *syntax =
        parse("API = {\n"
              "    \"base_url\": \"https://x\",\n"
              "    \"retry\": -3, \"rate\": 1.5, 'none': None, 'on': True,\n"
              "    \"list\": [1, (2,)], b'b': b'x',\n"
              "    \"big\": 99999999999999999999, \"n\": -2.5,\n"
              "}\n");
    const struct star_node *api = star_syntax_value(syntax, "API");
    assert_non_null(api);
    assert_int_equal(star_node_kind(api), STAR_NODE_DICT);
    assert_int_equal(star_node_count(api), 9);
    assert_true(star_node_text_is(star_node_key(api, 0), "base_url"));
    assert_true(star_node_text_is(star_node_get(api, "base_url"), "https://x"));
    int64_t integer = 0;
    double number = 0;
    assert_true(star_node_int(star_node_get(api, "retry"), &integer));
    assert_int_equal(integer, -3);
    assert_true(star_node_double(star_node_get(api, "n"), &number));
    assert_true(number == -2.5);
    assert_int_equal(star_node_kind(star_node_get(api, "rate")), STAR_NODE_FLOAT);
    assert_int_equal(star_node_kind(star_node_get(api, "none")), STAR_NODE_NONE);
    assert_true(star_node_bool(star_node_get(api, "on")));
    assert_int_equal(star_node_kind(star_node_get(api, "big")), STAR_NODE_INT);
    assert_false(star_node_int(star_node_get(api, "big"), &integer));
    const struct star_node *list = star_node_get(api, "list");
    assert_int_equal(star_node_count(list), 2);
    assert_int_equal(star_node_kind(star_node_item(list, 1)), STAR_NODE_TUPLE);
    assert_null(star_node_get(api, "nothing"));
    const struct star_span span = star_node_span(star_node_get(api, "retry"));
    assert_int_equal(span.line, 3);
    assert_int_equal(span.column, 14);
    const struct star_node *culprit = NULL;
    assert_true(star_node_is_literal(api, &culprit));
    star_syntax_free(syntax);
}

static void test_finds_what_is_no_literal(void **state) {
    (void)state;
    static const struct {
        const char *source;
        const char *description;
        int column;
    } cases[] = {
        {"A = {\"a\": [1, BASE]}\n", "a name", 15},
        {"A = dict(a=1)\n", "a function call", 5},
        {"A = {\"a\": 1 + 2}\n", "an operator expression", 11},
        {"A = {x.y: 1}\n", "an attribute", 6},
        {"A = [x for x in y]\n", "a comprehension", 5},
        {"A = -\"a\"\n", "an operator expression", 5},
        {"A = (1 if x else 2)\n", "a conditional expression", 6},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct star_syntax *syntax = parse(cases[i].source);
        const struct star_node *culprit = NULL;
        assert_false(star_node_is_literal(star_syntax_value(syntax, "A"), &culprit));
        assert_string_equal(star_node_describe(culprit), cases[i].description);
        assert_int_equal(star_node_span(culprit).column, cases[i].column);
        star_syntax_free(syntax);
    }
}

static void test_lists_functions_and_loads(void **state) {
    (void)state;
    struct star_syntax *syntax = parse("load(\"lib/a.star\", \"x\", y=\"z\")\n"
                                       "def fetch(page, *, cursor=None, **kw):\n"
                                       "    def inner(): pass\n"
                                       "B = 1\n"
                                       "B += 2\n");
    assert_int_equal(star_syntax_function_count(syntax), 1);
    const struct star_function_view *fetch = star_syntax_find_function(syntax, "fetch");
    assert_int_equal(fetch->span.line, 2);
    assert_int_equal(fetch->span.column, 5);
    assert_int_equal(fetch->parameter_count, 3);
    assert_string_equal(fetch->parameters[0].name, "page");
    assert_int_equal(fetch->parameters[0].kind, STAR_PARAMETER_POSITIONAL);
    assert_null(fetch->parameters[0].default_value);
    assert_int_equal(fetch->parameters[1].kind, STAR_PARAMETER_KEYWORD_ONLY);
    assert_int_equal(star_node_kind(fetch->parameters[1].default_value), STAR_NODE_NONE);
    assert_int_equal(fetch->parameters[2].kind, STAR_PARAMETER_KWARGS);
    assert_int_equal(star_syntax_load_count(syntax), 1);
    const struct star_load_view *load = star_syntax_load(syntax, 0);
    assert_string_equal(load->module, "lib/a.star");
    assert_string_equal(load->from[1], "z");
    assert_string_equal(load->to[1], "y");
    assert_int_equal(star_syntax_assignment_count(syntax), 2);
    assert_true(star_syntax_assignment(syntax, 1)->is_augmented);
    star_syntax_free(syntax);
}

static void test_lists_calls(void **state) {
    (void)state;
    struct star_syntax *syntax = parse("def fetch(page):\n"
                                       "    for x in page:\n"
                                       "        r = http.get(\"/v1/users\", params={\"a\": f(1)})\n"
                                       "    return [g(y) for y in (lambda: h())()]\n"
                                       "k()\n");
    static const struct {
        const char *callee;
        const char *function;
        bool in_loop;
    } expected[] = {
        {"f", "fetch", true}, {"http.get", "fetch", true}, {"h", "fetch", false},
        {"", "fetch", false}, {"g", "fetch", true},        {"k", "", false},
    };
    assert_int_equal(star_syntax_call_count(syntax), sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < star_syntax_call_count(syntax); i++) {
        const struct star_call_view *call = star_syntax_call(syntax, i);
        assert_string_equal(call->callee, expected[i].callee);
        assert_string_equal(call->function, expected[i].function);
        assert_int_equal(call->in_loop, expected[i].in_loop);
    }
    const struct star_node *get = star_syntax_call(syntax, 1)->call;
    size_t size = 0;
    assert_int_equal(star_node_count(get), 2);
    assert_true(star_node_text_is(star_node_item(get, 0), "/v1/users"));
    assert_null(star_node_argument_name(get, 0, &size));
    assert_memory_equal(star_node_argument_name(get, 1, &size), "params", 6);
    star_syntax_free(syntax);
}

static void test_views_a_file_with_errors(void **state) {
    (void)state;
    struct star_syntax *syntax = parse("A = 1\nB = = 2\ndef f(a b):\n    g()\n");
    assert_non_null(star_syntax_value(syntax, "A"));
    assert_null(star_syntax_value(syntax, "B"));
    assert_int_equal(star_syntax_call_count(syntax), 1);
    star_syntax_free(syntax);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_literals),
        cmocka_unit_test(test_finds_what_is_no_literal),
        cmocka_unit_test(test_lists_functions_and_loads),
        cmocka_unit_test(test_lists_calls),
        cmocka_unit_test(test_views_a_file_with_errors),
    };
    return cmocka_run_group_tests_name("starlark syntax view", tests, NULL, NULL);
}
