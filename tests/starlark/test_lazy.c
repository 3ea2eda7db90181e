// Lazy JSON and row views must be told from plain values by nothing but speed: every operation
// below, and every pair of them one after the other on the same value, gives the same on both,
// errors and what is left of the value included.
#include "base/attributes.h"
#include "base/str.h"
#include "starlark/standard.h"
#include "starlark/starlark.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

enum { RESULT_MAX = 4000 };

// Each gets the value as `v`, and `w`, a plain value with the same contents.
static const char *const operations[] = {
    // reading
    "repr(v)",
    "str(v)",
    "\"%s|%r\" % (v, v)",
    "\"{}\".format(v)",
    "type(v)",
    "bool(v)",
    "len(v)",
    "json.encode(v)",
    "json.encode_indent(v)",
    "[x for x in v]",
    "[(i, x) for i, x in enumerate(v)]",
    "{k: v[k] for k in v}",
    "[(k, x) for k, x in v.items()]",
    "v.keys()",
    "v.values()",
    "v.items()",
    "list(v)",
    "tuple(v)",
    "dict(v)",
    "set(v)",
    "sorted(v)",
    "reversed(v)",
    "zip(v, v)",
    "max(v)",
    "any(v)",
    "all(v)",
    "v[0]",
    "v[-1]",
    "v[99]",
    "v['a']",
    "v['absent']",
    "v[None]",
    "v[1:]",
    "v[::-1]",
    "v[-2:]",
    "v.get('a')",
    "v.get('absent', 5)",
    "v.get([])",
    "v.index(1)",
    "'a' in v",
    "1 in v",
    "[] in v",
    "{} in v",
    "[r['id'] for r in v]",
    "[r.get('n') for r in v]",
    "[len(x) for x in v]",
    "dir(v)",
    "hasattr(v, 'append')",
    "v.nothing",
    "{v: 1}",
    "(lambda *a: a)(*v)",
    "(lambda **k: k)(**v)",
    "freeze(v)",
    // comparing
    "v == w",
    "w == v",
    "v != w",
    "v == v",
    "v < w",
    "[v] == [w]",
    "v == v[:]",
    "v == dict(v)",
    "v == json.decode(json.encode(v))",
    "v in [w]",
    "[w].index(v)",
    // making something of it
    "v + v",
    "v + [1]",
    "v * 2",
    "v | {'q': 1}",
    "{'q': 1} | v",
    "[v, v]",
    "{'k': v}",
    "json.encode([v, {'k': v}])",
    // changing it
    "v.append(1)",
    "v.append(v)",
    "v.extend(v)",
    "v.extend([1, 2])",
    "v.insert(0, 'x')",
    "v.insert(-1, v[:1])",
    "v.pop()",
    "v.pop(0)",
    "v.pop(99)",
    "v.remove(1)",
    "v.clear()",
    "v.pop('a')",
    "v.pop('absent', 1)",
    "v.popitem()",
    "v.setdefault('a', 9)",
    "v.setdefault('new', 9)",
    "v.setdefault('new')",
    "v.update({'a': 0, 'z': 1})",
    "v.update(v)",
    "v.update(a = 5, new = v)",
    "v.update([('p', 1), ('q', 2)])",
};
// As above, with statements.
static const char *const programs[] = {
    "v[0] = 'first'",
    "v[-1] = v",
    "v['a'] = 'changed'",
    "v['new'] = [1]",
    "v[5.0] = 1",
    "v[[]] = 1",
    "v += [1]\n    return v",
    "v += v\n    return v",
    "v |= {'a': 7}\n    return v",
    "v *= 2\n    return v",
    "a, b = v\n    return [b, a]",
    "v[0], v[1] = v[1], v[0]",
    "for x in v:\n        v.append(x)",
    "for x in v:\n        v.clear()",
    "for k in v:\n        v[k] = 1",
    "for k, x in v.items():\n        v[k] = [x]",
    "for k in v:\n        v.pop(k)",
    "[v.pop() for x in v]",
    "for x in v:\n        for y in v:\n            v.insert(0, y)",
    "for x in v:\n        return x\n    v.append('after')",
    "for r in v:\n        r['id'] += 1\n    return v",
    "for r in v:\n        r['more'] = r\n    return len(v)",
    "for r in v:\n        r.pop('n')\n    return v",
    "v['b'][5]['c'].append(9)",
    "v['b'].pop(0)",
    "b = v['b']\n    b.append('x')\n    return [b, v['b']]",
    "b = v[0]\n    b['x'] = v[0]\n    return v",
    "w2 = v[:]\n    v.append('only v')\n    return w2",
    "w2 = dict(v)\n    v['a'] = 'only v'\n    return w2",
    "freeze(v)\n    v.append(1)",
    "freeze(v)\n    v['a'] = 1",
    "freeze(v)\n    v['b'].append(1)",
    "freeze(v)\n    v[0]['id'] = 1",
    "s = []\n    for x in v:\n        s.append(lambda: x)\n    return [f() for f in s]",
    "return sorted(v, key = lambda x: v.append(x))",
    "return [x for x in v if v.append(x)]",
    "return [x for x in v for y in x]",
    "return v.sort()",
};

static const char *const documents[] = {
    "{\"a\": 1, \"b\": [1, 2.5, \"x\", null, true, {\"c\": [], \"d\": {}}], \"e\": \"\\u00e9\\n\"}",
    "[]",
    "{}",
    "[1, 2, 3]",
    "[\"b\", \"a\"]",
    "[[], {}, [[1]], {\"a\": {\"a\": {\"a\": 1}}}]",
    "{\"k\": 1, \"l\": 2, \"k\": 3}",
    "[{\"id\": 1, \"n\": \"a\"}, {\"id\": 2, \"n\": \"b\"}, {\"n\": \"c\", \"id\": 3}]",
    "[123456789012345678901234567890, -9223372036854775808, 1e300, 0.1, 1e6]",
    "{\"\": 0, \"a b\": [\"\", \" \"], \"a\": null}",
};

enum {
    OPERATIONS = ARRAY_COUNT(operations) + ARRAY_COUNT(programs),
    DOCUMENTS = ARRAY_COUNT(documents),
    ROWS = 3,
};

struct world {
    struct star_thread *thread;
    struct star_program *program;
    struct star_module *module;
    char source[32 * 1024];
};

// One function per operation; each gives what came out and what is left of the value.
static void write_source(struct world *world) {
    char *out = world->source;
    size_t room = sizeof(world->source);
    for (size_t i = 0; i < OPERATIONS; i++) {
        const bool is_expression = i < ARRAY_COUNT(operations);
        const int size =
            snprintf(out, room, "def op%zu(v, w):\n    %s%s\n", i, is_expression ? "return " : "",
                     is_expression ? operations[i] : programs[i - ARRAY_COUNT(operations)]);
        assert_true(size > 0 && (size_t)size < room);
        out += size;
        room -= (size_t)size;
    }
    const int size = snprintf(out, room, "def decode(s):\n    return json.decode(s)\n");
    assert_true(size > 0 && (size_t)size < room);
}

static void world_init(struct world *world) {
    write_source(world);
    const struct star_source source = {.file = "ops.star",
                                       .text = world->source,
                                       .size = strlen(world->source),
                                       .dialect = STAR_DIALECT_SCRIPT,
                                       .predeclared = star_standard_names};
    struct star_diagnostics diagnostics;
    world->program = star_compile(&source, &diagnostics);
    if (world->program == NULL) {
        fail_msg("%d: %s", diagnostics.items[0].line, diagnostics.items[0].message);
    }
    star_diagnostics_free(&diagnostics);
    world->thread = star_thread_new(
        &(struct star_thread_options){.limits = {.depth = 200, .memory_bytes = 64 * 1024 * 1024}});
    struct star_binding standard[STAR_STANDARD_COUNT];
    assert_true(star_standard_bindings(world->thread, standard));
    const struct star_environment environment = {.predeclared = standard,
                                                 .predeclared_count = STAR_STANDARD_COUNT};
    world->module = star_module_init(world->thread, world->program, &environment);
    assert_non_null(world->module);
}

static void world_done(struct world *world) {
    star_module_free(world->module);
    star_program_free(world->program);
    star_thread_free(world->thread);
}

static star_value decode(struct world *world, const char *json) {
    const star_value text = star_string_from(world->thread, json);
    return star_call(world->thread, world->module, "decode",
                     &(struct star_arguments){.positional = &text, .positional_count = 1});
}

static size_t text_of(struct world *world, star_value value, char *out, size_t size) {
    const char *data = NULL;
    size_t length = 0;
    if (star_is_error(value) || !star_get_text(star_repr(world->thread, value), &data, &length)) {
        return (size_t)snprintf(out, size, "error: %s\n",
                                star_thread_error(world->thread)->message);
    }
    return (size_t)snprintf(out, size, "%.*s\n", (int)length, data);
}

// Does both operations on `value` and writes what each gave and what is left of the value.
static void perform(struct world *world, star_value value, const char *json, const size_t *pair,
                    char *out) {
    struct star_handle *kept = star_handle_new(world->thread, value);
    size_t used = 0;
    for (int i = 0; i < 2; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "op%zu", pair[i]);
        const star_value plain = decode(world, json);
        const star_value both[] = {star_handle_value(kept), plain};
        const star_value result =
            star_call(world->thread, world->module, name,
                      &(struct star_arguments){.positional = both, .positional_count = 2});
        used += text_of(world, result, out + used, RESULT_MAX - used);
        assert_true(used < RESULT_MAX);
    }
    used += text_of(world, star_handle_value(kept), out + used, RESULT_MAX - used);
    assert_true(used < RESULT_MAX);
    star_handle_free(kept);
}

static const char *text_of_operation(size_t i) {
    return i < ARRAY_COUNT(operations) ? operations[i] : programs[i - ARRAY_COUNT(operations)];
}

static void compare(const char *json, const size_t *pair, const char *plain, const char *lazy) {
    if (strcmp(plain, lazy) != 0) {
        fail_msg("%s\nfirst: %s\nthen: %s\nplain:\n%slazy:\n%s", json, text_of_operation(pair[0]),
                 text_of_operation(pair[1]), plain, lazy);
    }
}

static void lazy_json_equals_plain_values(void **state) {
    (void)state;
    struct world world;
    world_init(&world);
    for (size_t d = 0; d < DOCUMENTS; d++) {
        const char *json = documents[d];
        for (size_t n = 0; n < (size_t)OPERATIONS * OPERATIONS; n++) {
            const size_t pair[2] = {n / OPERATIONS, n % OPERATIONS};
            char plain[RESULT_MAX];
            char lazy[RESULT_MAX];
            perform(&world, decode(&world, json), json, pair, plain);
            perform(&world, star_json_lazy(world.thread, json, strlen(json)), json, pair, lazy);
            compare(json, pair, plain, lazy);
            star_thread_reset(world.thread);
        }
    }
    world_done(&world);
}

// ---- row views ----------------------------------------------------------------------------------

static const char rows_json[] = "[{\"id\": 0, \"n\": \"r0\", \"a\": null}, "
                                "{\"id\": 1, \"n\": \"r1\", \"a\": [1]}, "
                                "{\"id\": 2, \"n\": \"r2\", \"a\": [2]}]";

static star_value row_cell(struct star_thread *thread, void *user, size_t row, size_t column) {
    (void)user;
    const star_value number = star_int(thread, (int64_t)row);
    char name[8];
    switch (column) {
    case 0:
        return number;
    case 1:
        (void)snprintf(name, sizeof(name), "r%zu", row);
        return star_string_from(thread, name);
    default:
        return row == 0 ? STAR_NONE : star_list(thread, &number, 1);
    }
}

static star_value rows_new(struct world *world) {
    static const char *const names[] = {"id", "n", "a"};
    static const size_t sizes[] = {2, 1, 1};
    const struct star_columns columns = {
        .names = names, .name_sizes = sizes, .column_count = 3, .row_count = ROWS, .get = row_cell};
    return star_rows_new(world->thread, &columns);
}

static void row_views_equal_plain_values(void **state) {
    (void)state;
    struct world world;
    world_init(&world);
    for (size_t n = 0; n < (size_t)OPERATIONS * OPERATIONS; n++) {
        const size_t pair[2] = {n / OPERATIONS, n % OPERATIONS};
        char plain[RESULT_MAX];
        char view[RESULT_MAX];
        perform(&world, decode(&world, rows_json), rows_json, pair, plain);
        perform(&world, rows_new(&world), rows_json, pair, view);
        compare(rows_json, pair, plain, view);
        // One row alone, too.
        static const char one[] = "{\"id\": 1, \"n\": \"r1\", \"a\": [1]}";
        perform(&world, decode(&world, one), one, pair, plain);
        perform(&world, star_item(world.thread, rows_new(&world), 1), one, pair, view);
        compare(one, pair, plain, view);
        star_thread_reset(world.thread);
    }
    world_done(&world);
}

// ---- what stays lazy ----------------------------------------------------------------------------

static void drop(void *user, const char *data, size_t size) {
    (void)user, (void)data, (void)size;
}

// Encoding, asking for the length and handing parts on make no values of a document.
static void reading_does_not_convert(void **state) {
    (void)state;
    struct world world;
    world_init(&world);
    struct star_thread *thread = world.thread;
    const char *json = documents[7];
    const star_value value = star_json_lazy(thread, json, strlen(json));
    assert_true(star_json_encode(thread, value, "x", drop, NULL));
    assert_int_equal(star_length(value), 3);
    assert_true(star_truth(value));
    assert_non_null(star_json_raw(value));
    const star_value row = star_item(thread, value, 2);
    assert_non_null(star_json_raw(row));
    assert_non_null(star_json_raw(value));
    world_done(&world);
}

// A deep copy in another thread, and freezing, keep the contents.
static void copies_equal_the_original(void **state) {
    (void)state;
    struct world world;
    world_init(&world);
    struct star_thread *other = star_thread_new(NULL);
    for (size_t d = 0; d < DOCUMENTS; d++) {
        char original[RESULT_MAX];
        char copied[RESULT_MAX];
        const star_value value = star_json_lazy(world.thread, documents[d], strlen(documents[d]));
        const star_value copy = star_value_copy(world.thread, value, other);
        struct world there = {.thread = other};
        (void)text_of(&there, copy, copied, sizeof(copied));
        (void)text_of(&world, value, original, sizeof(original));
        assert_string_equal(original, copied);
    }
    star_thread_free(other);
    world_done(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lazy_json_equals_plain_values),
        cmocka_unit_test(row_views_equal_plain_values),
        cmocka_unit_test(reading_does_not_convert),
        cmocka_unit_test(copies_equal_the_original),
    };
    return cmocka_run_group_tests_name("lazy values", tests, NULL, NULL);
}
