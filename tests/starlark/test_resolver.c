// The static checks of all dialects, and where the resolver says that names lie.
#include "base/arena.h"
#include "base/text.h"
#include "starlark/parser.h"
#include "starlark/resolver.h"
#include "support/unit.h"

#include <string.h>

static const char *const universe[] = {"None", "True", "False", "len", "print", "range", "sorted"};
static const char *const predeclared[] = {"json", "http"};

static struct ast_file *resolve(struct arena *arena, const char *source, enum star_dialect dialect,
                                struct star_report *report) {
    star_report_init(report, arena);
    struct ast_file *file = star_parse(arena, STR("t.star"), str_from(source), report);
    const struct star_resolve_options options = {
        dialect, {predeclared, ARRAY_COUNT(predeclared)}, {universe, ARRAY_COUNT(universe)}};
    star_resolve(arena, file, &options, report);
    star_report_sort(report);
    return file;
}

static void check(enum star_dialect dialect, const char *source, const char *expected) {
    SCRATCH(arena);
    struct star_report report;
    (void)resolve(&arena, source, dialect, &report);
    struct text out;
    text_init(&out, &arena);
    for (size_t i = 0; i < report.count; i++) {
        text_format(&out, "%u:%u: %s\n", report.items[i].span.start.line,
                    report.items[i].span.start.column, report.items[i].message);
    }
    if (strcmp(text_cstring(&out), expected) != 0) {
        fail_msg("dialect %d, source:\n%s\nexpected:\n%sgot:\n%s", (int)dialect, source, expected,
                 text_cstring(&out));
    }
}

static void test_checks_by_dialect(void **state) {
    (void)state;
    static const struct {
        const char *source;
        const char *core;
        const char *lib;
        const char *script;
    } cases[] = {
        {"while 1: pass\n", "1:1: this dialect does not support while loops\n",
         "1:1: while loop not within a function\n", ""},
        {"def f():\n    while 1: pass\n", "2:5: this dialect does not support while loops\n", "",
         ""},
        {"if 1: pass\n", "1:1: if statement not within a function\n",
         "1:1: if statement not within a function\n", ""},
        {"for x in []:\n    pass\n", "1:1: for loop not within a function\n",
         "1:1: for loop not within a function\n", ""},
        {"x = 1\nx = 2\n", "2:1: cannot reassign global x declared at t.star:1:1\n",
         "2:1: cannot reassign global x declared at t.star:1:1\n", ""},
        {"x = 1\nx += 2\n", "2:1: cannot reassign global x declared at t.star:1:1\n",
         "2:1: cannot reassign global x declared at t.star:1:1\n", ""},
        {"load(\"m\", \"x\")\nload(\"n\", \"x\")\n",
         "2:11: cannot reassign global x declared at t.star:1:11\n",
         "2:11: cannot reassign global x declared at t.star:1:11\n", ""},
        {"load(\"m\", \"x\")\nx = 1\n", "2:1: cannot reassign global x declared at t.star:1:11\n",
         "2:1: cannot reassign global x declared at t.star:1:11\n", ""},
        {"def f(): pass\ndef f(): pass\n", "2:5: cannot reassign global f declared at t.star:1:5\n",
         "2:5: cannot reassign global f declared at t.star:1:5\n", ""},
        {"print(x)\nx = 1\n", "", "", "1:7: undefined: x\n"},
        {"y = len\nlen = 1\n", "", "", ""},
        {"y = [x for _ in []]\nx = 1\n", "", "", "1:6: undefined: x\n"},
        {"def f(): return x\nx = 1\n", "", "", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        check(STAR_DIALECT_CORE, cases[i].source, cases[i].core);
        check(STAR_DIALECT_LIB, cases[i].source, cases[i].lib);
        check(STAR_DIALECT_SCRIPT, cases[i].source, cases[i].script);
    }
}

static void test_checks_of_all_dialects(void **state) {
    (void)state;
    static const struct {
        const char *source;
        const char *findings;
    } cases[] = {
        // Names.
        {"x = lenn(None)\n", "1:5: undefined: lenn (did you mean len?)\n"},
        {"def f(alpha): return Alpah\n", "1:22: undefined: Alpah (did you mean alpha?)\n"},
        {"x = quite_other\n", "1:5: undefined: quite_other\n"},
        {"x = json.decode\n", ""},
        {"x = [y for y in []]\nz = y\n", "2:5: undefined: y\n"},
        {"x = [a for a in a]\n", "1:17: undefined: a\n"},
        {"x = [b for a in [] for b in a if b]\n", ""},
        {"x = lambda a: a + b1\n", "1:19: undefined: b1\n"},
        // Statements out of place.
        {"return 1\n", "1:1: return statement not within a function\n"},
        {"break\n", "1:1: break not in a loop\n"},
        {"continue\n", "1:1: continue not in a loop\n"},
        {"def f():\n    for x in []:\n        def g():\n            break\n",
         "4:13: break not in a loop\n"},
        {"def f():\n    load(\"m\", \"a\")\n", "2:5: load statement within a function\n"},
        {"load(\"m\", \"\")\n", "1:11: load: empty name\n"},
        {"load(\"m\", \"_a\")\n",
         "1:11: load: names with a leading underscore are not exported: _a\n"},
        {"load(\"m\", a=\"_b\")\n",
         "1:13: load: names with a leading underscore are not exported: _b\n"},
        // Parameters.
        {"def f(a, a): pass\n", "1:10: duplicate parameter: a\n"},
        {"def f(*a, a): pass\n", "1:11: duplicate parameter: a\n"},
        {"f = lambda a, **a: 1\n", "1:17: duplicate parameter: a\n"},
        {"def f(a=1, b): pass\n", "1:12: required parameter may not follow optional\n"},
        {"def f(a=1, *, b): pass\n", ""},
        {"def f(**k, a): pass\n", "1:12: required parameter may not follow **kwargs\n"},
        {"def f(**k, a=1): pass\n", "1:12: optional parameter may not follow **kwargs\n"},
        {"def f(**k, *a): pass\n", "1:13: * parameter may not follow **kwargs\n"},
        {"def f(**k, **l): pass\n", "1:14: multiple ** parameters are not allowed\n"},
        {"def f(*a, *b): pass\n", "1:12: multiple * parameters are not allowed\n"},
        {"def f(*, *a): pass\n", "1:7: bare * must be followed by keyword-only parameters\n"
                                 "1:11: multiple * parameters are not allowed\n"},
        {"def f(a, *): pass\n", "1:10: bare * must be followed by keyword-only parameters\n"},
        {"def f(*, **k): pass\n", "1:7: bare * must be followed by keyword-only parameters\n"},
        // Arguments.
        {"print(a=1, 2)\n", "1:12: positional argument may not follow named\n"},
        {"print(*[], 2)\n", "1:12: positional argument may not follow *args\n"},
        {"print(*[], a=2)\n", "1:12: keyword argument may not follow *args\n"},
        {"print(**{}, a=2)\n", "1:13: keyword argument may not follow **kwargs\n"},
        {"print(**{}, 2)\n", "1:13: positional argument may not follow **kwargs\n"},
        {"print(**{}, *[])\n", "1:13: *args may not follow **kwargs\n"},
        {"print(*[], *[])\n", "1:12: multiple *args are not allowed\n"},
        {"print(**{}, **{})\n", "1:13: multiple **kwargs are not allowed\n"},
        {"print(a=1, a=2)\n", "1:12: keyword argument a is repeated\n"},
        {"print(1, a=1, *[], **{})\n", ""},
        // Targets.
        {"1 = 2\n", "1:1: cannot assign to a literal\n"},
        {"len() = 2\n", "1:1: cannot assign to a function call\n"},
        {"(a, 1) = 2\n", "1:5: cannot assign to a literal\n"},
        {"a = [1]\na[:] = 2\n", "2:1: cannot assign to a slice\n"},
        {"-len = 2\n", "1:1: cannot assign to an operator expression\n"},
        {"(a, b) += 2\n", "1:1: cannot use a tuple as the target of an augmented assignment\n"},
        {"[a] += 2\n", "1:1: cannot use a list as the target of an augmented assignment\n"},
        {"x = [1 for 2 in []]\n", "1:12: cannot assign to a literal\n"},
        {"def f():\n    for g() in []: pass\ndef g(): pass\n",
         "2:9: cannot assign to a function call\n"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        for (int dialect = STAR_DIALECT_CORE; dialect <= STAR_DIALECT_SCRIPT; dialect++) {
            check((enum star_dialect)dialect, cases[i].source, cases[i].findings);
        }
    }
}

static void test_load_within_blocks(void **state) {
    (void)state;
    check(STAR_DIALECT_SCRIPT,
          "if 1:\n    load(\"m\", \"a\")\nfor x in []:\n    load(\"m\", \"b\")\n",
          "2:5: load statement within a conditional\n4:5: load statement within a loop\n");
}

static void test_reports_resolver_errors_beside_syntax_errors(void **state) {
    (void)state;
    check(STAR_DIALECT_SCRIPT, "a = = 1\nb = a + other\nimport os\nos.path\nbreak\n",
          "1:5: expected expression, got '='\n2:9: undefined: other\n3:1: 'import' is a reserved "
          "word\n"
          "5:1: break not in a loop\n");
}

static void test_counts_beyond_what_is_kept(void **state) {
    (void)state;
    SCRATCH(arena);
    struct text text;
    text_init(&text, &arena);
    for (int i = 0; i < 3000; i++) {
        text_add(&text, STR("undefined_name\n"));
    }
    struct star_report report;
    (void)resolve(&arena, text_cstring(&text), STAR_DIALECT_SCRIPT, &report);
    assert_int_equal(report.total, 3000);
    assert_int_equal(report.count, REPORT_KEPT_MAX);
}

// The name of the last statement `return NAME` of a body.
static const struct ast_name *returned_name(const struct ast_stmt *body) {
    while (body->next != NULL) {
        body = body->next;
    }
    assert_int_equal(body->kind, STMT_RETURN);
    assert_int_equal(body->as.expr->kind, EXPR_NAME);
    return &body->as.expr->as.name;
}

static void test_captures_by_copy_or_by_cell(void **state) {
    (void)state;
    static const struct {
        const char *what;
        const char *source; // defines f, in whose body x is a local and g a nested function
        bool needs_cell;
    } cases[] = {
        {"a parameter", "def f(x):\n    def g(): return x\n    return x\n", false},
        {"bound before", "def f():\n    x = 1\n    def g(): return x\n    return x\n", false},
        {"bound behind", "def f():\n    def g(): return x\n    x = 1\n    return x\n", true},
        {"bound again", "def f(x):\n    def g(): return x\n    x = 1\n    return x\n", true},
        {"bound in the loop of the capture",
         "def f():\n    for x in []:\n        g = lambda: x\n    return x\n", true},
        {"bound before the loop of the capture",
         "def f():\n    x = 1\n    for y in []:\n        g = lambda: x\n    return x\n", false},
        {"captured two functions down",
         "def f(x):\n    def g():\n        return lambda: x\n    x = 2\n    return x\n", true},
        {"captured before the loop that binds",
         "def f():\n    g = lambda: x\n    for x in []: pass\n    return x\n", true},
        {"recursive", "def f():\n    def x(): return x()\n    return x\n", true},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        SCRATCH(arena);
        struct star_report report;
        const struct ast_file *file =
            resolve(&arena, cases[i].source, STAR_DIALECT_SCRIPT, &report);
        assert_int_equal(report.total, 0);
        const struct ast_function *f = file->top->body->as.def.function;
        const struct ast_name *x = returned_name(f->body);
        const bool is_cell = x->scope == SCOPE_CELL;
        if (!x->binding->is_captured || is_cell != cases[i].needs_cell ||
            (f->cell_count == 1) != is_cell) {
            fail_msg("%s: captured %d, cell %d", cases[i].what, x->binding->is_captured, is_cell);
        }
    }
}

static void test_gives_slots_and_captures(void **state) {
    (void)state;
    SCRATCH(arena);
    struct star_report report;
    const struct ast_file *file = resolve(&arena,
                                          "load(\"m\", \"l\")\n"
                                          "y = 1\n"
                                          "def f(a, *args, k=2, **kw):\n"
                                          "    z = 3\n"
                                          "    def g():\n"
                                          "        def h(): return a\n"
                                          "        return z\n"
                                          "    return k\n",
                                          STAR_DIALECT_LIB, &report);
    assert_int_equal(report.total, 0);
    assert_int_equal(file->global_count, 3);
    assert_true(file->globals[0]->is_loaded);
    assert_false(file->globals[1]->is_loaded);
    const struct ast_function *f = file->top->body->next->next->as.def.function;
    assert_int_equal(f->local_count, 6); // a k args kw z g
    assert_true(str_equal(f->locals[1]->name, STR("k")));
    assert_true(str_equal(f->locals[2]->name, STR("args")));
    assert_true(str_equal(f->locals[3]->name, STR("kw")));
    assert_int_equal(f->positional_count, 1);
    assert_int_equal(f->keyword_only_count, 1);
    assert_int_equal(f->default_count, 1);
    assert_true(f->has_args && f->has_kwargs && f->has_function);
    const struct ast_name *k = returned_name(f->body);
    assert_int_equal(k->scope, SCOPE_LOCAL);
    assert_int_equal(k->index, 1);
    assert_true(k->is_surely_set);
    const struct ast_function *g = f->body->next->as.def.function;
    assert_int_equal(g->capture_count, 2); // a for h, z
    assert_false(g->captures[0].from_free);
    const struct ast_name *z = returned_name(g->body);
    assert_int_equal(z->scope, SCOPE_FREE);
    const struct ast_function *h = g->body->as.def.function;
    assert_int_equal(h->capture_count, 1);
    assert_true(h->captures[0].from_free);
}

static void test_knows_what_is_surely_set(void **state) {
    (void)state;
    static const struct {
        const char *source;
        bool is_set;
    } cases[] = {
        {"def f(x):\n    return x\n", true},
        {"def f():\n    x = 1\n    return x\n", true},
        {"def f():\n    if 1: x = 1\n    return x\n", false},
        {"def f():\n    for x in []: pass\n    return x\n", false},
        {"def f():\n    x = 1\n    if 1: x = 2\n    return x\n", true},
        {"def f():\n    if 1: x = 1\n    x = 2\n    return x\n", true},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        SCRATCH(arena);
        struct star_report report;
        const struct ast_file *file =
            resolve(&arena, cases[i].source, STAR_DIALECT_SCRIPT, &report);
        const struct ast_name *x = returned_name(file->top->body->as.def.function->body);
        if (x->is_surely_set != cases[i].is_set) {
            fail_msg("surely set: %d for\n%s", x->is_surely_set, cases[i].source);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checks_by_dialect),
        cmocka_unit_test(test_checks_of_all_dialects),
        cmocka_unit_test(test_load_within_blocks),
        cmocka_unit_test(test_reports_resolver_errors_beside_syntax_errors),
        cmocka_unit_test(test_counts_beyond_what_is_kept),
        cmocka_unit_test(test_captures_by_copy_or_by_cell),
        cmocka_unit_test(test_gives_slots_and_captures),
        cmocka_unit_test(test_knows_what_is_surely_set),
    };
    return cmocka_run_group_tests_name("starlark resolver", tests, NULL, NULL);
}
