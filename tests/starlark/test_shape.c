// Which dicts share a layout, when a dict gives it up, and that nobody can tell from its contents.
#include "starlark/dict.h"
#include "starlark/sequence.h"
#include "starlark/shape.h"
#include "starlark/thread.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

static star_value name(struct star_thread *thread, const char *prefix, int number) {
    char text[32];
    (void)snprintf(text, sizeof(text), "%s%d", prefix, number);
    return star_string_intern(thread, text, strlen(text));
}

// A dict with the keys PREFIX0 … PREFIXn-1, inserted one by one.
static struct star_dict *dict_of(struct star_thread *thread, const char *prefix, int count) {
    struct star_dict *dict = star_dict_new(thread, 0);
    assert_non_null(dict);
    for (int i = 0; i < count; i++) {
        assert_true(star_dict_insert(thread, dict, name(thread, prefix, i), star_int(thread, i)));
    }
    return dict;
}

static void assert_content(struct star_thread *thread, struct star_dict *dict, const char *want) {
    const char *text = NULL;
    size_t size = 0;
    assert_true(star_get_text(star_repr(thread, star_from_object(dict)), &text, &size));
    if (size != strlen(want) || memcmp(text, want, size) != 0) {
        fail_msg("want %s, got %.*s", want, (int)size, text);
    }
}

static void dicts_with_the_same_keys_in_order_share_a_shape(void **state) {
    (void)state;
    struct star_thread *thread = star_thread_new(NULL);
    const struct star_dict *first = dict_of(thread, "k", 5);
    const struct star_dict *second = dict_of(thread, "k", 5);
    const struct star_dict *other = dict_of(thread, "l", 5);
    assert_non_null(first->shape);
    assert_ptr_equal(first->shape, second->shape);
    assert_ptr_not_equal(first->shape, other->shape);
    // Another order is another shape.
    struct star_dict *turned = star_dict_new(thread, 0);
    for (int i = 4; i >= 0; i--) {
        assert_true(star_dict_insert(thread, turned, name(thread, "k", i), STAR_NONE));
    }
    assert_non_null(turned->shape);
    assert_ptr_not_equal(turned->shape, first->shape);
    bool equal = true;
    assert_true(star_equal(thread, star_from_object(turned),
                           star_from_object(dict_of(thread, "k", 5)), &equal));
    assert_false(equal); // the values differ
    // Overwriting changes nothing of it.
    struct star_dict *third = dict_of(thread, "k", 5);
    assert_true(star_dict_insert(thread, third, name(thread, "k", 2), STAR_NONE));
    assert_ptr_equal(third->shape, first->shape);
    star_thread_free(thread);
}

static void keys_given_at_once_are_found_again(void **state) {
    (void)state;
    struct star_thread *thread = star_thread_new(NULL);
    enum { KEYS = 200 };
    star_value keys[KEYS];
    for (int i = 0; i < KEYS; i++) {
        keys[i] = name(thread, "column", i);
    }
    const struct star_shape *shape = star_shape_of(thread, keys, KEYS);
    assert_non_null(shape);
    assert_ptr_equal(shape, star_shape_of(thread, keys, KEYS));
    assert_ptr_not_equal(shape, star_shape_of(thread, keys, KEYS - 1));
    for (int i = 0; i < KEYS; i++) {
        const uint32_t hash = star_string_hash(thread, star_as_string(keys[i]));
        assert_int_equal(star_shape_find(shape, keys[i], hash), i);
    }
    const star_value absent = name(thread, "absent", 0);
    assert_int_equal(
        star_shape_find(shape, absent, star_string_hash(thread, star_as_string(absent))), -1);
    star_thread_free(thread);
}

static void a_dict_becomes_a_table_where_a_shape_does_not_fit(void **state) {
    (void)state;
    struct star_thread *thread = star_thread_new(NULL);
    struct star_dict *dict = dict_of(thread, "k", 3);
    assert_non_null(dict->shape);
    assert_true(star_dict_insert(thread, dict, star_int(thread, 7), STAR_TRUE));
    assert_null(dict->shape); // a key that is no string
    assert_content(thread, dict, "{\"k0\": 0, \"k1\": 1, \"k2\": 2, 7: True}");

    dict = dict_of(thread, "k", 3);
    star_value removed;
    assert_true(star_dict_remove(thread, dict, name(thread, "k", 1), &removed));
    assert_null(dict->shape); // a key taken out
    assert_true(star_dict_insert(thread, dict, name(thread, "k", 1), STAR_NONE));
    assert_content(thread, dict, "{\"k0\": 0, \"k2\": 2, \"k1\": None}");

    dict = dict_of(thread, "k", STAR_SHAPE_GROW_MAX);
    assert_non_null(dict->shape);
    assert_true(star_dict_insert(thread, dict, name(thread, "more", 0), STAR_NONE));
    assert_null(dict->shape); // too many insertions
    assert_int_equal(dict->count, STAR_SHAPE_GROW_MAX + 1);
    for (int i = 0; i < STAR_SHAPE_GROW_MAX; i++) {
        int64_t number = -1;
        assert_true(star_get_int64(star_dict_find(thread, dict, name(thread, "k", i)), &number));
        assert_int_equal(number, i);
    }
    star_thread_free(thread);
}

// Keys made from data, each dict with one of its own: shapes stop, dicts do not.
static void shapes_are_bounded_whatever_the_keys(void **state) {
    (void)state;
    struct star_thread *thread = star_thread_new(NULL);
    size_t shaped = 0;
    for (int i = 0; i < 3 * STAR_SHAPES_MAX; i++) {
        struct star_dict *dict = star_dict_new(thread, 0);
        for (int k = 0; k < 3; k++) {
            assert_true(star_dict_insert(thread, dict, name(thread, "id", i * 3 + k), STAR_TRUE));
        }
        assert_int_equal(dict->count, 3);
        shaped += dict->shape != NULL;
    }
    assert_true(thread->shape_count <= STAR_SHAPES_MAX);
    assert_true(shaped < 3 * STAR_SHAPES_MAX);
    star_thread_free(thread);
}

static void an_unhashed_or_foreign_string_finds_its_slot(void **state) {
    (void)state;
    struct star_thread *thread = star_thread_new(NULL);
    struct star_dict *dict = dict_of(thread, "k", 20);
    for (int i = 0; i < 20; i++) {
        char text[8];
        (void)snprintf(text, sizeof(text), "k%d", i);
        int64_t number = -1;
        // Not interned, no hash yet.
        const star_value key = star_string_from(thread, text);
        assert_true(star_get_int64(star_dict_find(thread, dict, key), &number));
        assert_int_equal(number, i);
        assert_true(
            star_get_int64(star_dict_find_str(thread, dict, (str){text, strlen(text)}), &number));
    }
    star_thread_free(thread);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dicts_with_the_same_keys_in_order_share_a_shape),
        cmocka_unit_test(keys_given_at_once_are_found_again),
        cmocka_unit_test(a_dict_becomes_a_table_where_a_shape_does_not_fit),
        cmocka_unit_test(shapes_are_bounded_whatever_the_keys),
        cmocka_unit_test(an_unhashed_or_foreign_string_finds_its_slot),
    };
    return cmocka_run_group_tests_name("shapes", tests, NULL, NULL);
}
