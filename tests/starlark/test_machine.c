// The machine through its public interface: calls, errors with positions, limits, collection under
// pressure, freezing and threads, loading, failed allocations.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "starlark/starlark.h"

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct star_program *compile(const char *text, enum star_dialect dialect) {
    const struct star_source source = {
        .file = "t.star", .text = text, .size = strlen(text), .dialect = dialect};
    struct star_diagnostics diagnostics;
    struct star_program *program = star_compile(&source, &diagnostics);
    if (program == NULL && diagnostics.count > 0) {
        print_error("%d:%d: %s\n", diagnostics.items[0].line, diagnostics.items[0].column,
                    diagnostics.items[0].message);
    }
    star_diagnostics_free(&diagnostics);
    return program;
}

// Runs `text` and gives str(result) of its global `r`, or the error text.
static void run(const char *text, const struct star_thread_options *options, char *out,
                size_t size) {
    struct star_program *program = compile(text, STAR_DIALECT_SCRIPT);
    assert_non_null(program);
    struct star_thread *thread = star_thread_new(options);
    assert_non_null(thread);
    struct star_module *module = star_module_init(thread, program, NULL);
    if (module == NULL) {
        const struct star_error *error = star_thread_error(thread);
        const struct star_frame *last = NULL;
        for (size_t i = 0; i < error->frame_count; i++) {
            last = error->frames[i].file != NULL ? &error->frames[i] : last;
        }
        snprintf(out, size, "%d:%d: %s", last ? last->line : 0, last ? last->column : 0,
                 error->message);
    } else {
        const char *data = "";
        size_t length = 0;
        star_get_text(star_str(thread, star_module_global(module, "r")), &data, &length);
        snprintf(out, size, "%.*s", (int)length, data);
    }
    star_module_free(module);
    star_thread_free(thread);
    star_program_free(program);
}

static void runs_programs(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *want; // str(r), or line:column: message
    } cases[] = {
        {"def f(a, b=2, *c, d, e=5, **g):\n  return (a, b, c, d, e, g)\nr = f(1, d=4)",
         "(1, 2, (), 4, 5, {})"},
        {"def f(a, b=2, *c, d, **g):\n  return (a, b, c, d, g)\nr = f(*[1, 2, 3], **{'d': 4, 'z': "
         "5})",
         "(1, 2, (3,), 4, {\"z\": 5})"},
        {"def f(a, b=2, *c, **d):\n  return (a, b, c, d)\nr = f(1, k=4, *[5, 6, 7])",
         "(1, 5, (6, 7), {\"k\": 4})"},
        {"def f(a, b):\n  pass\nf(1)", "3:2: function f missing 1 argument (b)"},
        {"def f(a):\n  pass\nf(1, 2)", "3:2: function f accepts 1 positional argument (2 given)"},
        {"def f(alpha):\n  pass\nf(alpah=1)",
         "3:2: function f got an unexpected keyword argument \"alpah\" (did you mean alpha?)"},
        {"def f(a):\n  pass\nf(1, a=2)", "3:2: function f got multiple values for parameter \"a\""},
        {"x = 1\nx()", "2:2: invalid call of non-function (int)"},
        {"def f():\n  g = lambda: x\n  x = 1\n  a = g()\n  x = 2\n  return a, g()\nr = f()",
         "(1, 2)"},
        {"def f(c):\n  if c:\n    x = 1\n  return x\nf(False)",
         "4:10: local variable x referenced before assignment"},
        {"l = [1]\nfor x in l:\n  l.append(2)", "3:11: cannot append to list during iteration"},
        {"d = {'a': 1}\nfor k in d:\n  d[k] = 2",
         "3:4: cannot insert into hash table during iteration"},
        {"d = {'a': 1, 'b': 2}\nfor k, v in d.items():\n  d[k + 'x'] = v\nr = d",
         "{\"a\": 1, \"b\": 2, \"ax\": 1, \"bx\": 2}"},
        {"d = {'a': 1, 'b': 2}\ns = 0\nfor k, v in d.items():\n  d['b'] = 9\n  s += v\nr = s", "3"},
        {"d = {'a': 1}\nd.pop('a')\nd['b'] = 2\nd[1] = 3\nr = (d, d == {1: 3.0, 'b': 2}, 1.0 in d)",
         "({\"b\": 2, 1: 3}, True, True)"},
        {"a, (b, c) = 1, [2, 3]\na, b = b, a\nr = [a, b, c]", "[2, 1, 3]"},
        {"a, b = [1, 2, 3]", "1:1: too many values to unpack (got 3, want 2)"},
        {"x = 1 + 'a'", "1:7: unknown binary op: int + string"},
        {"x = [1][3]", "1:8: list index 3 out of range [-1:0]"},
        {"x = {}['a']", "1:7: key \"a\" not in dict"},
        {"x = ''.uper()", "1:7: string has no .uper field or method (did you mean .upper?)"},
        {"r = [x * y for x in range(3) if x for y in (1, 2)]", "[1, 2, 2, 4]"},
        {"r = [1, 2, 3, 4, 5][::-2]", "[5, 3, 1]"},
        {"i = 0\nwhile True:\n  i += 1\n  if i > 5:\n    break\nr = i", "6"},
        {"s = ''\nk = []\nfor i in range(3000):\n  s += str(i % 10)\n  if i % 500 == 0:\n    "
         "k.append(s)\nt = s + 'x'\nu = s + 'y'\nr = (len(s), [len(x) for x in k], t[-2:], u[-2:], "
         "s[-1], "
         "s == '0123456789' * 300)",
         "(3000, [1, 501, 1001, 1501, 2001, 2501], \"9x\", \"9y\", \"9\", True)"},
        {"def f(n):\n  return f(n + 1)\nf(0)",
         "2:11: stack overflow: more than 10000 nested calls"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        // Once at ease, once with a collection at nearly every chance.
        for (size_t threshold = 0; threshold < 2; threshold++) {
            const struct star_thread_options options = {.limits = STAR_LIMITS_DEFAULT,
                                                        .collect_after_bytes = threshold};
            char got[512];
            run(cases[i].text, &options, got, sizeof(got));
            if (strcmp(got, cases[i].want) != 0) {
                print_error("%s\nwant: %s\ngot:  %s\n", cases[i].text, cases[i].want, got);
                fail();
            }
        }
    }
}

static const char churn[] =
    "def churn(n):\n"
    "  keep = []\n"
    "  d = {}\n"
    "  for i in range(n):\n"
    "    row = {'id': i, 'name': 'row' + str(i), 'tags': [i, (str(i), i * 1.5)]}\n"
    "    d[i % 50] = [row]\n"
    "    f = lambda x, y=row: (x, y['id'])\n"
    "    if f(i) != (i, i):\n"
    "      fail('lost')\n"
    "    if i % 10 == 0:\n"
    "      keep.append(row)\n"
    "  for i, row in enumerate(keep):\n"
    "    if row != {'id': i * 10, 'name': 'row' + str(i * 10), 'tags': "
    "[i * 10, (str(i * 10), i * 15.0)]}:\n"
    "      fail('broken', row)\n"
    "  return len(keep), len(d)\n"
    "r = churn(2000)\n";

static void collects_without_losing_anything(void **state) {
    (void)state;
    const struct star_thread_options options = {.limits = STAR_LIMITS_DEFAULT,
                                                .collect_after_bytes = 4096};
    char got[512];
    run(churn, &options, got, sizeof(got));
    assert_string_equal(got, "(200, 50)");
}

static void stops_at_limits_and_stays_usable(void **state) {
    (void)state;
    static const struct {
        const char *text;
        struct star_limits limits;
        const char *want;
    } cases[] = {
        {"while True:\n  pass",
         {.steps = 10000, .depth = 100},
         "1:1: step limit of 10000 exceeded"},
        {"l = []\nwhile True:\n  l.append('x' * 1000)",
         {.memory_bytes = 4000000, .depth = 100},
         "3:20: memory limit of 4000000 bytes exceeded"},
        {"while True:\n  pass",
         {.time_us = 1000, .depth = 100},
         "1:1: time limit of 0.001 seconds exceeded"},
        {"def f():\n  f()\nf()", {.depth = 50}, "2:4: stack overflow: more than 50 nested calls"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct star_thread_options options = {.limits = cases[i].limits};
        char got[512];
        run(cases[i].text, &options, got, sizeof(got));
        // The position of a memory error depends on which allocation was the last straw.
        assert_string_equal(strchr(got, ' '), strchr(cases[i].want, ' '));
    }
}

struct allocator {
    long left;
};

static void *allocate_some(void *user, void *memory, size_t old_size, size_t size) {
    struct allocator *allocator = user;
    (void)old_size;
    if (size == 0) {
        free(memory);
        return NULL;
    }
    return allocator->left-- > 0 ? realloc(memory, size) : NULL;
}

static void survives_the_failure_of_any_allocation(void **state) {
    (void)state;
    struct star_program *program = compile(churn, STAR_DIALECT_SCRIPT);
    bool is_done = false;
    for (long n = 0; n < 2000 && !is_done; n++) {
        struct allocator allocator = {n};
        const struct star_thread_options options = {.limits = STAR_LIMITS_DEFAULT,
                                                    .allocate = allocate_some,
                                                    .allocate_user = &allocator,
                                                    .collect_after_bytes = 100000};
        struct star_thread *thread = star_thread_new(&options);
        if (thread == NULL) {
            continue;
        }
        struct star_module *module = star_module_init(thread, program, NULL);
        if (module == NULL) {
            assert_string_equal(star_thread_error(thread)->message, "out of memory");
        }
        is_done = module != NULL;
        star_module_free(module);
        star_thread_free(thread);
    }
    assert_true(is_done);
    star_program_free(program);
}

struct worker {
    struct star_module *module;
    int64_t sum;
};

static void *work(void *argument) {
    struct worker *worker = argument;
    const struct star_thread_options options = {.limits = STAR_LIMITS_DEFAULT,
                                                .collect_after_bytes = 50000};
    struct star_thread *thread = star_thread_new(&options);
    for (int i = 0; i < 20; i++) {
        star_value argument_value = star_int(thread, i);
        const struct star_arguments arguments = {.positional = &argument_value,
                                                 .positional_count = 1};
        int64_t number = -1;
        star_get_int64(star_call(thread, worker->module, "go", &arguments), &number);
        worker->sum += number;
        star_thread_reset(thread);
    }
    star_thread_free(thread);
    return NULL;
}

static void shares_a_frozen_module_between_threads(void **state) {
    (void)state;
    struct star_program *program =
        // Constants, shapes, closures, sets, big ints and cached methods of one frozen module.
        compile("T = {'a': [1, 2], 'b': {'c': 'x' * 10}}\n"
                "S = set(['p', 'q', 1 << 90])\n"
                "BIG = 1 << 200\n"
                "ADD = (lambda base: lambda x: base + x)(1)\n"
                "def go(n):\n"
                "  s = 0\n"
                "  for i in range(200):\n"
                "    row = {'n': n, 'k': T['a'][1], 'name': T['b']['c'] + str(i)}\n"
                "    s += row['n'] * row['k'] + len([k for k in T])\n"
                "    s += ADD(-1) + len(S & set(['p'])) - 1 + (BIG >> 200) - 1\n"
                "    t = ('%s-%s' % (row['name'], BIG)).upper()\n"
                "    if T != {'a': [1, 2], 'b': {'c': 'xxxxxxxxxx'}} or t != t.upper():\n"
                "      fail('changed')\n"
                "    if sorted(T.keys(), key = lambda k: T['b'].get(k, k)) != ['a', 'b']:\n"
                "      fail('unsorted')\n"
                "  return s\n",
                STAR_DIALECT_LIB);
    struct star_thread *thread = star_thread_new(NULL);
    struct star_module *module = star_module_init(thread, program, NULL);
    assert_non_null(module);
    star_thread_free(thread); // the module stands on its own
    enum { THREADS = 8 };
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.module = module};
        pthread_create(&threads[i], NULL, work, &workers[i]);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].sum, 200 * (190 * 2 + 20 * 2));
    }
    star_module_free(module);
    star_program_free(program);
}

static void refuses_to_change_what_a_module_froze(void **state) {
    (void)state;
    struct star_program *program =
        compile("L = [1]\nD = {'a': 1}\ndef f():\n  L.append(2)\ndef g():\n  D['b'] = 1\n",
                STAR_DIALECT_LIB);
    struct star_thread *thread = star_thread_new(NULL);
    struct star_module *module = star_module_init(thread, program, NULL);
    assert_true(star_module_has_function(module, "f"));
    assert_false(star_module_has_function(module, "L"));
    assert_true(star_is_error(star_call(thread, module, "f", NULL)));
    assert_string_equal(star_thread_error(thread)->message, "cannot append to frozen list");
    assert_true(star_is_error(star_call(thread, module, "g", NULL)));
    assert_string_equal(star_thread_error(thread)->message, "cannot insert into frozen hash table");
    star_module_free(module);
    star_thread_free(thread);
    star_program_free(program);
}

static void *cancel_later(void *argument) {
    star_thread_cancel(argument);
    return NULL;
}

static void stops_when_another_thread_cancels(void **state) {
    (void)state;
    struct star_program *program = compile("def f():\n  while True:\n    pass\n", STAR_DIALECT_LIB);
    struct star_thread *thread = star_thread_new(NULL);
    struct star_module *module = star_module_init(thread, program, NULL);
    pthread_t other;
    pthread_create(&other, NULL, cancel_later, thread);
    assert_true(star_is_error(star_call(thread, module, "f", NULL)));
    assert_int_equal(star_thread_error(thread)->status, STAR_CANCELLED);
    pthread_join(other, NULL);
    star_module_free(module);
    star_thread_free(thread);
    star_program_free(program);
}

static star_value cell(struct star_thread *thread, void *user, size_t row, size_t column) {
    (*(int *)user)++;
    return star_int(thread, (int64_t)(row * 10 + column));
}

static void views_columns_as_rows_and_reads_them_back(void **state) {
    (void)state;
    struct star_program *program =
        compile("def f(rows):\n  return [{'b': r['b'], 'c': 7} for r in rows if r['b'] > 10]\n",
                STAR_DIALECT_LIB);
    struct star_thread *thread = star_thread_new(NULL);
    struct star_module *module = star_module_init(thread, program, NULL);
    int made = 0;
    const char *const names[] = {"a", "b"};
    const size_t sizes[] = {1, 1};
    const struct star_columns columns = {names, sizes, 2, 3, cell, &made};
    star_value rows = star_rows_new(thread, &columns);
    const struct star_arguments arguments = {.positional = &rows, .positional_count = 1};
    const star_value result = star_call(thread, module, "f", &arguments);
    assert_int_equal(made, 3); // only column b was touched
    assert_int_equal(star_length(result), 2);
    const char *const wanted[] = {"c", "b", "x"};
    const size_t wanted_sizes[] = {1, 1, 1};
    struct star_row_reader *reader = star_row_reader_new(thread, wanted, wanted_sizes, 3);
    star_value values[3];
    assert_true(star_row_read(reader, star_item(thread, result, 1), values));
    int64_t b = 0;
    assert_true(star_get_int64(values[1], &b));
    assert_int_equal(b, 21);
    assert_true(star_is_unset(values[2]));
    assert_int_equal(star_row_extra_keys(reader, star_item(thread, result, 1)), 0);
    // A copy in another heap outlives this one.
    struct star_thread *next = star_thread_new(NULL);
    const star_value copy = star_value_copy(thread, result, next);
    star_row_reader_free(reader);
    star_module_free(module);
    star_thread_free(thread);
    const char *text;
    size_t size;
    assert_true(star_get_text(star_str(next, copy), &text, &size));
    assert_memory_equal(text, "[{\"b\": 11, \"c\": 7}, {\"b\": 21, \"c\": 7}]", size);
    star_thread_free(next);
    star_program_free(program);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_programs),
        cmocka_unit_test(collects_without_losing_anything),
        cmocka_unit_test(stops_at_limits_and_stays_usable),
        cmocka_unit_test(survives_the_failure_of_any_allocation),
        cmocka_unit_test(shares_a_frozen_module_between_threads),
        cmocka_unit_test(refuses_to_change_what_a_module_froze),
        cmocka_unit_test(stops_when_another_thread_cancels),
        cmocka_unit_test(views_columns_as_rows_and_reads_them_back),
    };
    return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
