// JSON through the host's interface: order, laziness, errors, limits.  That lazy values act as
// plain ones is test_lazy.c's.
#include "base/attributes.h"
#include "base/str.h"
#include "starlark/builtins.h"
#include "starlark/starlark.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char rows[] =
    "[{\"id\": 1, \"n\": \"a\"}, {\"id\": 2, \"n\": \"b\"}, {\"n\": \"c\", \"id\": 3}]";

struct world {
    struct star_thread *thread;
};

static void world_init(struct world *world) {
    world->thread = star_thread_new(&(struct star_thread_options){.limits = {.depth = 1000}});
    assert_non_null(world->thread);
}

static void world_done(struct world *world) {
    star_thread_free(world->thread);
}

static star_value decode(struct world *world, bool lazy, const char *json) {
    if (lazy) {
        return star_json_lazy(world->thread, json, strlen(json));
    }
    const star_value module = star_module_json(world->thread);
    const star_value text = star_string_from(world->thread, json);
    return star_call_value(world->thread, star_attribute(world->thread, module, "decode"), &text,
                           1);
}

static void collect(void *user, const char *data, size_t size) {
    snprintf(user, 2000, "%.*s", (int)size, data);
}

static void host_encoder_keeps_the_order_of_keys(void **state) {
    (void)state;
    struct world world;
    world_init(&world);
    char out[2000];
    const char *json = "{\"b\":[1.0,1e6,123456789012345678901234567890],\"a\":\"\\u0001é\"}";
    for (int lazy = 0; lazy < 2; lazy++) {
        const star_value value = decode(&world, lazy == 1, json);
        assert_true(star_json_encode(world.thread, value, "http.post", collect, out));
        assert_string_equal(
            out, "{\"b\":[1.0,1e+06,123456789012345678901234567890],\"a\":\"\\u0001é\"}");
        assert_true((star_json_raw(value) != NULL) == (lazy == 1));
    }
    world_done(&world);
}

static void a_changed_part_has_no_document_behind_it(void **state) {
    (void)state;
    struct world world;
    world_init(&world);
    const star_value list = decode(&world, true, rows);
    assert_non_null(star_json_raw(list));
    const star_value row = star_item(world.thread, list, 1);
    assert_non_null(star_json_raw(row));
    assert_non_null(star_json_raw(list));
    assert_true(star_dict_set_name(world.thread, row, "id", star_int(world.thread, 9)));
    assert_null(star_json_raw(row));
    assert_null(star_json_raw(list));
    assert_non_null(star_json_raw(star_item(world.thread, list, 0)));
    world_done(&world);
}

static const struct {
    const char *json;
    const char *message;
} refused[] = {
    {"", "json: at offset 0, unexpected end of file"},
    {"[1,]", "json: at offset 2, trailing comma is not allowed"},
    {"1 2", "json: at offset 2, unexpected content after document"},
    {"[NaN]", "json: at offset 1, unexpected character, expected a valid JSON value"},
};

static void syntax_errors_give_the_byte_offset(void **state) {
    (void)state;
    struct world world;
    world_init(&world);
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        assert_true(star_is_error(decode(&world, true, refused[i].json)));
        const char *got = star_thread_error(world.thread)->message;
        if (strcmp(got, refused[i].message) != 0) {
            fail_msg("%s: got %s, want %s", refused[i].json, got, refused[i].message);
        }
    }
    world_done(&world);
}

static void nesting_is_limited_and_deep_data_never_crashes(void **state) {
    (void)state;
    struct world world;
    world_init(&world);
    enum { DEEP = 10000 };
    char *json = malloc(2 * DEEP + 3);
    memset(json, '[', DEEP);
    memset(json + DEEP, ']', DEEP);
    json[2 * DEEP] = '\0';
    for (int lazy = 0; lazy < 2; lazy++) {
        const star_value value = decode(&world, lazy == 1, json);
        assert_false(star_is_error(value));
        // As deep as it was read; only a sanitizer's frames may be too large for it.
        const star_value repr = star_repr(world.thread, value);
        const char *text = NULL;
        size_t size = 0;
        if (star_get_text(repr, &text, &size)) {
            assert_int_equal(size, 2 * DEEP);
        } else {
            assert_string_equal(star_thread_error(world.thread)->message,
                                "stack overflow: maximum recursion depth exceeded in repr");
        }
    }
    memset(json, '[', DEEP + 1);
    assert_true(star_is_error(decode(&world, false, json)));
    assert_string_equal(star_thread_error(world.thread)->message,
                        "json.decode: at offset 10000, nesting deeper than 10000");
    free(json);
    world_done(&world);
}

static void a_document_counts_against_the_memory_limit(void **state) {
    (void)state;
    struct world world;
    world_init(&world);
    char *json = malloc(200003);
    assert_non_null(json);
    json[0] = '[';
    for (size_t i = 0; i < 100000; i++) {
        memcpy(json + 1 + 2 * i, "1,", 2);
    }
    memcpy(json + 200000, "]", 2);
    for (int lazy = 0; lazy < 2; lazy++) {
        // The parser alone needs 16 bytes for every number.
        star_thread_set_limits(world.thread, &(struct star_limits){.memory_bytes = 1000000});
        assert_true(star_is_error(decode(&world, lazy == 1, json)));
        assert_int_equal(star_thread_error(world.thread)->status, STAR_LIMIT);
        assert_string_equal(star_thread_error(world.thread)->message,
                            "memory limit of 1000000 bytes exceeded");
        star_thread_set_limits(world.thread, &(struct star_limits){.memory_bytes = 10000000});
        const size_t before = star_thread_memory(world.thread);
        assert_false(star_is_error(decode(&world, lazy == 1, json)));
        assert_true(star_thread_memory(world.thread) - before > 800000);
        star_thread_reset(world.thread);
        assert_int_equal(star_thread_memory(world.thread), 0);
    }
    free(json);
    world_done(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_encoder_keeps_the_order_of_keys),
        cmocka_unit_test(a_changed_part_has_no_document_behind_it),
        cmocka_unit_test(syntax_errors_give_the_byte_offset),
        cmocka_unit_test(nesting_is_limited_and_deep_data_never_crashes),
        cmocka_unit_test(a_document_counts_against_the_memory_limit),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
