// What the parser accepts, and how it says no: every message with its place.
#include "base/arena.h"
#include "base/text.h"
#include "starlark/parser.h"
#include "support/unit.h"

#include <string.h>

// "LINE:COLUMN: MESSAGE" of every finding, one a line.
static const char *parse_findings(struct arena *arena, str source) {
    struct star_report report;
    star_report_init(&report, arena);
    (void)star_parse(arena, STR("t.star"), source, &report);
    star_report_sort(&report);
    struct text out;
    text_init(&out, arena);
    for (size_t i = 0; i < report.count; i++) {
        text_format(&out, "%u:%u: %s\n", report.items[i].span.start.line,
                    report.items[i].span.start.column, report.items[i].message);
    }
    return text_cstring(&out);
}

static void check(const char *source, const char *expected) {
    SCRATCH(arena);
    const char *got = parse_findings(&arena, str_from(source));
    if (strcmp(got, expected) != 0) {
        fail_msg("source:\n%s\nexpected:\n%sgot:\n%s", source, expected, got);
    }
}

static void test_accepts_the_grammar(void **state) {
    (void)state;
    static const char *const sources[] = {
        "",
        "\n\n# only a comment",
        "x = 1",
        "\xEF\xBB\xBFx = 1\r\ny = 2\r\n",
        "x, y = 1, 2\n",
        "(x, [y, z]) = (1, [2, 3])\n",
        "(x) = 1\n",
        "x.f[0].g = y[1:2:3]\n",
        "x[:] ; x[1:] ; x[:1] ; x[::] ; x[1::2] ; x[a, b];\n",
        "f(1, *a, **k,)\n",
        "f(1, b=2, *a)\n",
        "[1, 2, 3,]\n{1: 2, 3: 4,}\n()\n(1,)\n(1, 2,)\n[]\n{}\n",
        "[x for x in y if x if not x for z in x]\n",
        "{k: v for k, v in d.items()}\n",
        "[x for x in (a if b else c)]\n",
        "x = a if b else c if d else e\n",
        "f = lambda: 1\ng = lambda x, y=1, *a, z, **k: x\n",
        "def f(a, b=1, *, c, d=2, **k,):\n    return\n",
        "def f(): pass\n",
        "def f():\n\tif a:\n\t        pass\n\telif b: pass\n\telse:\n\t\treturn 1, 2\n",
        "for x in 1, 2: pass\n",
        "for x, (y, z) in w:\n    break\n",
        "while x: continue\n",
        "load(\"m\", \"a\", b=\"c\",)\n",
        "a < b and c < d or not a == b\n",
        "a not in b\n",
        "-1 - -1 + ~+x\n",
        "(a < b) < c\n",
        "x = [\n  1,\n# comment\n  2\n]\n",
        "x = 1 + \\\n  2\n",
        "assert = 1\n",
        "if x:\n    pass\n\n  # a comment never dedents\n    pass\n",
        "a = 1; b = 2; c = 3;\n",
        "x = \"\"\"a\nb\"\"\"\n",
        "x |= 1; x //= 2; x <<= 3; x >>= 3; x ^= 1; x &= 1; x %= 1\n",
        "1if x else 2\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(sources); i++) {
        check(sources[i], "");
    }
}

static void test_reports_each_error_at_its_token(void **state) {
    (void)state;
    static const struct {
        const char *source;
        const char *findings;
    } cases[] = {
        {"x = \n", "1:5: expected expression, got newline\n"},
        {"x = 1 2\n", "1:7: expected newline, got int literal\n"},
        {"x = y z\n", "1:7: expected newline, got 'z'\n"},
        {"a = b = c\n", "1:7: chained assignment is not supported\n"},
        {"a < b < c\n", "1:7: '<' does not associate with '<': use parentheses\n"},
        {"a == b not in c\n", "1:8: '==' does not associate with 'not in': use parentheses\n"},
        {"a not b\n", "1:7: expected 'in', got 'b'\n"},
        {"x = \"a\" \"b\"\n", "1:9: adjacent string literals are not joined: use +\n"},
        {"x = f\"a\"\n", "1:5: f-strings are not supported\n"},
        {"x = u\"a\"\n", "1:6: expected newline, got string literal\n"},
        {"x: int = 1\n", "1:2: type annotations are not supported\n"},
        {"def f(x: int):\n    pass\n", "1:8: type annotations are not supported\n"},
        {"def f() -> int:\n    pass\n", "1:9: type annotations are not supported\n"},
        {"if (x := 1): pass\n", "1:7: ':=' is not supported\n"},
        {"@d\ndef f(): pass\n", "1:1: unexpected character '@'\n"},
        {"import os\n", "1:1: 'import' is a reserved word\n"},
        {"from a import b\n", "1:1: 'from' is a reserved word\n"},
        {"try:\n    f()\nexcept:\n    g()\n",
         "1:1: 'try' is a reserved word\n3:1: 'except' is a reserved word\n"},
        {"class A:\n    def f(self):\n        return 1\n", "1:1: 'class' is a reserved word\n"},
        {"def f():\n    yield 1\n", "2:5: 'yield' is a reserved word\n"},
        {"a is b\n", "1:3: 'is' is a reserved word\n"},
        {"[*a]\n", "1:2: expected expression, got '*'\n"},
        {"{**a}\n", "1:2: expected expression, got '**'\n"},
        {"{1, 2}\n", "1:3: expected ':', got ','\n"},
        {"f(x for x in y)\n", "1:5: expected ',' or ')', got 'for'\n"},
        {"(x for x in y)\n", "1:4: expected ')', got 'for'\n"},
        {"[x for x in a, b]\n", "1:14: expected ']', got ','\n"},
        {"[x for x in lambda: 1]\n", "1:13: expected expression, got 'lambda'\n"},
        {"[x for x in y if a if b else c]\n", "1:25: expected ']', got 'else'\n"},
        {"x = 1,\n", "1:6: unparenthesised tuple with a trailing comma\n"},
        {"for x, in y: pass\n", "1:6: unparenthesised tuple with a trailing comma\n"},
        {"f(a b)\n", "1:5: expected ',' or ')', got 'b'\n"},
        {"f(1=2)\n", "1:3: keyword argument must have the form name=value\n"},
        {"f((x)=2)\n", "1:4: keyword argument must have the form name=value\n"},
        {"x.1\n", "1:2: expected newline, got float literal\n"},
        {"x.if\n", "1:3: expected name, got 'if'\n"},
        {"load()\n", "1:6: expected string literal (the module), got ')'\n"},
        {"load(\"m\")\n", "1:9: load must name at least one thing to load\n"},
        {"load(\"m\", a)\n", "1:12: expected '=', got ')'\n"},
        {"load(\"m\", a=b)\n", "1:13: expected string literal, got 'b'\n"},
        {"load(\"m\", 1)\n", "1:11: expected \"name\" or local=\"name\", got int literal\n"},
        {"load(\"m\" \"a\")\n", "1:10: expected ',' or ')', got string literal\n"},
        {"x = load(\"m\", \"a\")\n", "1:5: expected expression, got 'load'\n"},
        {"  x = 1\n", "1:3: unexpected indent\n"},
        {"x = 1\n  y = 2\n", "2:3: unexpected indent\n"},
        {"if x:\ny\n", "2:1: expected an indented block, got identifier\n"},
        {"if x:\n    y\n  z\n", "3:3: unindent matches no outer indentation level\n"},
        {"if x\n    y\n", "1:5: expected ':', got newline\n"},
        {"else:\n    y\n", "1:1: expected expression, got 'else'\n"},
        {"x = (1,\ny = 2\n", "2:3: expected ')', got '='\n"},
        {"x = [1, 2\n", "1:5: '[' was never closed\n"},
        {"x = f(1,\n\ndef g():\n    return 1\n", "1:6: '(' was never closed\n"},
        {"x = )\n", "1:5: expected expression, got ')'\n"},
        {"x = (1]\n", "1:7: expected ')', got ']'\n"},
        {"def f(1): pass\n", "1:7: expected parameter, got int literal\n"},
        {"def f(a b): pass\n", "1:9: expected ',', got 'b'\n"},
        {"def (a): pass\n", "1:5: expected identifier, got '('\n"},
        {"if x: if y: pass\n", "1:7: expected expression, got 'if'\n"},
        {"if a, b: pass\n", "1:5: expected ':', got ','\n"},
        {"return\n\xC3\xA4 = ?\n", "2:5: unexpected character '?'\n"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        check(cases[i].source, cases[i].findings);
    }
}

static void test_goes_on_behind_an_error(void **state) {
    (void)state;
    check("x = = 1\n"
          "y = 2\n"
          "def f(a, a b):\n"
          "    z = (1 2)\n"
          "    return z +\n"
          "\n"
          "if x y:\n"
          "    w = ]\n"
          "else:\n"
          "    w = 0b2\n",
          "1:5: expected expression, got '='\n"
          "3:12: expected ',', got 'b'\n"
          "4:12: expected ')', got int literal\n"
          "5:15: expected expression, got newline\n"
          "7:6: expected ':', got 'y'\n"
          "8:9: expected expression, got ']'\n"
          "10:9: invalid binary literal\n");
}

static const char *repeated(struct arena *arena, const char *head, const char *part, size_t count,
                            const char *tail) {
    struct text text;
    text_init(&text, arena);
    text_add(&text, str_from(head));
    for (size_t i = 0; i < count; i++) {
        text_add(&text, str_from(part));
    }
    text_add(&text, str_from(tail));
    return text_cstring(&text);
}

static void test_refuses_deep_nesting_without_recursion(void **state) {
    (void)state;
    static const struct {
        const char *head;
        const char *part;
        size_t count;
        const char *tail;
        const char *findings;
    } cases[] = {
        {"x = ", "[", 1000000, "\n", "1:255: expression is nested too deeply\n"},
        {"x = ", "(", 1000000, "\n", "1:255: expression is nested too deeply\n"},
        {"x = ", "{1:", 1000000, "\n", "1:753: expression is nested too deeply\n"},
        {"x = ", "-", 1000000, "1\n", "1:254: expression is nested too deeply\n"},
        {"x = ", "not ", 1000000, "1\n", "1:1001: expression is nested too deeply\n"},
        {"x = ", "lambda: ", 100000, "1\n", "1:2005: expression is nested too deeply\n"},
        {"x = ", "a if b else ", 100000, "1\n", "1:3005: expression is nested too deeply\n"},
        {"x = f", "()", 100000, "\n", "1:2004: expression is nested too deeply\n"},
        {"x = 1", "+1", 100000, "\n", "1:2006: expression is nested too deeply\n"},
        {"x = a", ".b", 999, "\n", ""},
        {"x = [", "0,", 1000000, "]\n", ""},
        {"", "if x: pass\nelif y:\n    pass\nel", 1, "se: pass\n", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        SCRATCH(arena);
        const char *source =
            repeated(&arena, cases[i].head, cases[i].part, cases[i].count, cases[i].tail);
        const char *got = parse_findings(&arena, str_from(source));
        if (strcmp(got, cases[i].findings) != 0) {
            fail_msg("%s%s…: expected:\n%sgot:\n%s", cases[i].head, cases[i].part,
                     cases[i].findings, got);
        }
    }
}

static void test_refuses_deep_suites(void **state) {
    (void)state;
    SCRATCH(arena);
    struct text text;
    text_init(&text, &arena);
    for (size_t i = 0; i < 2000; i++) {
        text_add_repeat(&text, ' ', i);
        text_add(&text, STR("if x:\n"));
    }
    text_add_repeat(&text, ' ', 2000);
    text_add(&text, STR("pass\ny = = 1\n"));
    assert_string_equal(parse_findings(&arena, text_str(&text)),
                        "102:102: suites are nested too deeply\n"
                        "2002:5: expected expression, got '='\n");
}

static void test_keeps_positions_of_operators_and_brackets(void **state) {
    (void)state;
    SCRATCH(arena);
    struct star_report report;
    star_report_init(&report, &arena);
    const struct ast_file *file =
        star_parse(&arena, STR("t.star"), STR("\xC3\xA4 = a.b(1)[2] + (c)\n"), &report);
    const struct ast_stmt *stmt = file->top->body;
    assert_int_equal(stmt->kind, STMT_ASSIGN);
    assert_int_equal(stmt->pos.column, 3);
    const struct ast_expr *sum = stmt->as.assign.value;
    assert_int_equal(sum->kind, EXPR_BINARY);
    assert_int_equal(sum->op, OP_ADD);
    assert_int_equal(sum->pos.column, 15);
    const struct ast_expr *index = sum->as.operands.left;
    assert_int_equal(index->kind, EXPR_INDEX);
    assert_int_equal(index->pos.column, 11);
    const struct ast_expr *call = index->as.index.object;
    assert_int_equal(call->kind, EXPR_CALL);
    assert_int_equal(call->pos.column, 8);
    assert_int_equal(call->span.start.column, 5);
    assert_int_equal(call->span.end.column, 11);
    const struct ast_expr *dot = call->as.call->function;
    assert_int_equal(dot->kind, EXPR_DOT);
    assert_int_equal(dot->pos.column, 6);
    assert_int_equal(sum->as.operands.right->span.start.column, 18);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts_the_grammar),
        cmocka_unit_test(test_reports_each_error_at_its_token),
        cmocka_unit_test(test_goes_on_behind_an_error),
        cmocka_unit_test(test_refuses_deep_nesting_without_recursion),
        cmocka_unit_test(test_refuses_deep_suites),
        cmocka_unit_test(test_keeps_positions_of_operators_and_brackets),
    };
    return cmocka_run_group_tests_name("starlark parser", tests, NULL, NULL);
}
