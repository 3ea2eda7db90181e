// Every allocation of compiling and running may fail: the test's own malloc stands in front of the
// system's (linker option --wrap, CMakeLists.txt), lets N allocations through and refuses the next
// one, or all that follow, for N = 0, 1, 2 … until the program gets what it needs.  Whatever fails,
// the error says so, nothing leaks, and the thread runs the next program.
#include "base/arena.h"
#include "base/file.h"
#include "base/text.h"
#include "starlark/standard.h"
#include "starlark/starlark.h"
#include "starlark/syntax.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The one place where a test cannot do without: malloc has no context to hang this on.
static struct {
    long let_through;
    bool once; // only one allocation fails
    bool failed;
    bool armed;
    long live; // blocks
} faults;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);

static bool is_refused(void) {
    if (!faults.armed || (faults.failed && faults.once)) {
        return false;
    }
    faults.failed = faults.failed || faults.let_through-- == 0;
    return faults.failed;
}

void *__wrap_malloc(size_t size) {
    if (is_refused()) {
        return NULL;
    }
    faults.live++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    if (is_refused()) {
        return NULL;
    }
    faults.live++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size) {
    if (is_refused()) {
        return NULL;
    }
    faults.live += memory == NULL;
    return __real_realloc(memory, size);
}

void __wrap_free(void *memory) {
    faults.live -= memory != NULL;
    __real_free(memory);
}

static void faults_arm(long let_through, bool once) {
    faults.let_through = let_through;
    faults.once = once;
    faults.failed = false;
    faults.armed = true;
}

// ---- one program --------------------------------------------------------------------------------

static void drop_print(void *user, const char *text, size_t size) {
    (void)user, (void)text, (void)size;
}

static struct star_program *compile(str text, size_t memory_bytes,
                                    struct star_diagnostics *diagnostics) {
    const struct star_source source = {.file = "t.star",
                                       .text = text.data,
                                       .size = text.size,
                                       .dialect = STAR_DIALECT_SCRIPT,
                                       .predeclared = star_standard_names,
                                       .memory_bytes = memory_bytes};
    return star_compile(&source, diagnostics);
}

// Runs the program; it ends well or with an error that can be read.
static void run_module(struct star_thread *thread, struct star_program *program) {
    struct star_binding standard[STAR_STANDARD_COUNT];
    const struct star_environment environment = {.predeclared = standard,
                                                 .predeclared_count = STAR_STANDARD_COUNT};
    struct star_module *module = star_standard_bindings(thread, standard)
                                     ? star_module_init(thread, program, &environment)
                                     : NULL;
    if (module == NULL) {
        assert_int_not_equal(star_thread_error(thread)->status, STAR_OK);
        assert_non_null(star_thread_error_text(thread));
    }
    star_module_free(module);
}

// The thread that ran out of memory runs something else, now that there is memory again.
static void assert_usable(struct star_thread *thread, struct star_program *program) {
    const struct star_limits limits = STAR_LIMITS_DEFAULT;
    star_thread_reset(thread);
    star_thread_set_limits(thread, &limits);
    struct star_module *module = star_module_init(thread, program, NULL);
    if (module == NULL) {
        fail_msg("not usable again: %s", star_thread_error_text(thread));
    }
    assert_int_equal(star_length(star_module_global(module, "r")), 2);
    star_module_free(module);
}

// Compiles and runs `text` with the allocation after `let_through` refused.  Whether there was
// none.
static bool run_with_fault(str text, long let_through, bool once, struct star_program *other) {
    const long live = faults.live;
    struct star_diagnostics diagnostics;
    faults_arm(let_through, once);
    struct star_program *program = compile(text, 0, &diagnostics);
    if (program == NULL && faults.failed) {
        assert_string_equal(diagnostics.failure, "out of memory");
        assert_int_equal(diagnostics.count, 0);
    }
    struct star_thread *thread = NULL;
    if (program != NULL) {
        const struct star_thread_options options = {
            .limits = {.steps = 60000, .depth = 100, .memory_bytes = 2 * 1024 * 1024},
            .print = drop_print,
            .collect_after_bytes = 64 * 1024};
        thread = star_thread_new(&options);
        if (thread != NULL) {
            run_module(thread, program);
        }
    }
    faults.armed = false;
    star_diagnostics_free(&diagnostics);
    if (thread != NULL) {
        assert_usable(thread, other);
        star_thread_free(thread);
    }
    star_program_free(program);
    if (faults.live != live) {
        fail_msg("%ld blocks leaked after allocation %ld failed in:\n" STR_FORMAT,
                 faults.live - live, let_through, STR_ARGS(text));
    }
    return !faults.failed;
}

static void fail_each_allocation(str text, bool once, struct star_program *other) {
    enum { ALLOCATIONS_MAX = 20000 };
    long n = 0;
    while (!run_with_fault(text, n, once, other)) {
        assert_true(++n < ALLOCATIONS_MAX);
    }
    assert_true(n > 3);
}

// ---- programs -----------------------------------------------------------------------------------

static const char small[] = "r = [1, 2]";

static const char *const programs[] = {
    "pass",
    "x = ",
    "def f(:\n  pass\nx = undefined_name + lenn\ny = 'a\nreturn\n",
    "x = "
    "[[[[[[[[[[(((((((((({'a': [lambda x, y=1, *z, **k: x or y and not z]}))))))))))]]]]]]]]]]",
    "x = 123456789012345678901234567890 << 60\ny = str(x * x * x * x) + '%s %r' % (x, [x])\n"
    "z = int(y[:40]) // 7 % (1 << 65)\n",
    "def f(a, b=1, *args, c, **kwargs):\n  def g():\n    return (a, b, args, c, kwargs)\n  return "
    "g\n"
    "r = f(1, c=2, d=3)()\nf(1, e=5)\n",
    "f(1)\nf = len\ndef g(alpha):\n  pass\ng(alpah=1)\n",
    "def g(alpha):\n  pass\ng(alpah=1)\n",
    "''.uper()",
    "r = dir('')\nload('m', 'x')\n",
    "l = [x for x in range(3000)]\nl.extend([str(x) for x in l])\nd = {x: [x] for x in l}\n"
    "s = set(l) | set(['a'])\nm = sorted(l, key=lambda x: str(x))\n"
    "d.pop(1)\nd.update(a=1, b=2)\nk = [(k, v) for k, v in d.items()]\n",
    "s = ''\nfor i in range(4000):\n  s += str(i)\nt = s.split('1')\nu = "
    "'-'.join(t).upper().title()\n"
    "v = u.replace('A', 'BB') * 4\nw = [c for c in s.codepoints()]\nb = bytes(s) + b'x' * 9000\n",
    "rows = [{'id': i, 'name': 'n' + str(i), 'f': i / 3} for i in range(900)]\n"
    "t = json.encode(rows)\nu = json.decode(t)\nv = json.encode_indent(u)\nw = json.indent(v)\n"
    "x = json.decode('{\"a\": [1, 2.5, \"\\\\ud800\", 123456789012345678901234567890]}')\n",
    "t = time.parse_time('2024-03-31T01:02:03Z').in_location('Europe/Berlin')\n"
    "x = t.format('Mon Jan 2 15:04:05 MST 2006') + str(time.parse_duration('1h') * 3)\n",
    "def f(n):\n  return [n] + f(n + 1)\nf(0)\n",
    "l = []\nwhile True:\n  l.append(l[-100:] + ['x' * len(l)])\n",
    "x = freeze([1, {'a': (1, 2)}])\nx.append(1)\n",
    "r = 'a{}b{!r}{name}'.format(1, [2], name=3) + repr({'a': (1, None, 2.5, b'x')})\nhash([])\n",
};

static void survives_the_failure_of_any_allocation(void **state) {
    (void)state;
    struct star_program *other = compile(str_from(small), 0, NULL);
    for (size_t i = 0; i < ARRAY_COUNT(programs); i++) {
        fail_each_allocation(str_from(programs[i]), false, other);
        fail_each_allocation(str_from(programs[i]), true, other);
    }
    star_program_free(other);
}

// Every chunk of the conformance cases (cases/README.md), and the fuzzer's seeds.
static void survives_it_in_every_case(void **state) {
    (void)state;
    struct star_program *other = compile(str_from(small), 0, NULL);
    static const char *const folders[] = {"tests/starlark/cases", "tests/fuzz/corpus/starlark_run",
                                          "tests/fuzz/corpus/starlark_front"};
    for (size_t f = 0; f < ARRAY_COUNT(folders); f++) {
        SCRATCH(arena);
        const str folder = str_format(&arena, "%s/%s", COYPU_SOURCE_DIR, folders[f]);
        struct str_list files = {0};
        struct error err;
        assert_int_equal(directory_files(&arena, folder, &files, &err), ERROR_NONE);
        for (size_t i = 0; i < files.count; i++) {
            str text;
            const str path = path_join(&arena, folder, files.items[i]);
            assert_int_equal(file_read(&arena, path, &text, &err), ERROR_NONE);
            bool once = true;
            while (text.size > 0) {
                const size_t end = str_find(text, STR("\n---\n"));
                fail_each_allocation(str_slice(text, 0, end == SIZE_MAX ? text.size : end), once,
                                     other);
                text = str_from_offset(text, end == SIZE_MAX ? text.size : end + 5);
                once = !once;
            }
        }
    }
    star_program_free(other);
}

// Memory that ends deep within nesting: the way out must fit the parser's reserve.
static void survives_it_at_every_depth(void **state) {
    (void)state;
    SCRATCH(arena);
    struct text text;
    text_init(&text, &arena);
    for (int i = 0; i < 20; i++) {
        text_format(&text, "%*sif x%d:\n", i, "", i);
    }
    text_format(&text, "%20sy = ", "");
    for (int i = 0; i < 200; i++) {
        text_add(&text, STR("a or b and c < d | e ^ f & g << h + i * -f(x, y = ["));
    }
    text_add(&text, STR("1"));
    text_add(&text, STR("\n"));
    struct star_diagnostics diagnostics;
    for (size_t limit = 1000; limit < 600 * 1000; limit += limit / 16) {
        const long live = faults.live;
        assert_null(compile(text_str(&text), limit, &diagnostics));
        if (diagnostics.total == 0) {
            char wanted[64];
            (void)snprintf(wanted, sizeof(wanted), "memory limit of %zu bytes exceeded", limit);
            assert_string_equal(diagnostics.failure, wanted);
        }
        star_diagnostics_free(&diagnostics);
        assert_int_equal(faults.live, live);
    }
    assert_null(compile(text_str(&text), 0, &diagnostics));
    assert_int_not_equal(diagnostics.total, 0);
    star_diagnostics_free(&diagnostics);
}

static void compiles_within_a_memory_limit(void **state) {
    (void)state;
    SCRATCH(arena);
    struct text text;
    text_init(&text, &arena);
    text_add(&text, STR("def f(a):\n    return [\n"));
    for (int i = 0; i < 2000; i++) {
        text_format(&text, "        {'id': %d, 'name': \"n\\t%d\", 'x': a + %d},\n", i, i, i);
    }
    text_add(&text, STR("    ]\n"));
    bool was_enough = false;
    for (size_t limit = 4096; limit < 64 * 1024 * 1024; limit += limit / 3) {
        const long live = faults.live;
        struct star_diagnostics diagnostics;
        struct star_program *program = compile(text_str(&text), limit, &diagnostics);
        assert_true(program != NULL || !was_enough);
        was_enough = program != NULL;
        char wanted[64] = "";
        if (program == NULL) {
            (void)snprintf(wanted, sizeof(wanted), "memory limit of %zu bytes exceeded", limit);
        }
        assert_string_equal(diagnostics.failure, wanted);
        star_diagnostics_free(&diagnostics);
        star_program_free(program);
        assert_int_equal(faults.live, live);
    }
    assert_true(was_enough);
}

static void reads_syntax_or_says_that_it_cannot(void **state) {
    (void)state;
    static const char text[] = "API = {'a': [1, 2], 'b': f(x.y.z)}\nload('m', 'a', b='c')\n"
                               "def g(a, b=1, *c, **d):\n  for x in y:\n    a.b(x)\n1 +\n";
    const struct star_source source = {
        .file = "t.star", .text = text, .size = sizeof(text) - 1, .dialect = STAR_DIALECT_SCRIPT};
    bool is_done = false;
    for (long n = 0; !is_done; n++) {
        const long live = faults.live;
        struct star_diagnostics diagnostics;
        faults_arm(n, true);
        struct star_syntax *syntax = star_syntax_parse(&source, &diagnostics);
        is_done = !faults.failed;
        faults.armed = false;
        assert_int_equal(syntax != NULL, is_done);
        assert_int_equal(diagnostics.count, is_done ? 1 : 0);
        star_diagnostics_free(&diagnostics);
        star_syntax_free(syntax);
        assert_int_equal(faults.live, live);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_the_failure_of_any_allocation),
        cmocka_unit_test(survives_it_in_every_case),
        cmocka_unit_test(survives_it_at_every_depth),
        cmocka_unit_test(compiles_within_a_memory_limit),
        cmocka_unit_test(reads_syntax_or_says_that_it_cannot),
    };
    return cmocka_run_group_tests_name("starlark out of memory", tests, NULL, NULL);
}
