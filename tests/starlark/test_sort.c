// The stable sort, against insertion sort.
#include "starlark/sort.h"
#include "starlark/starlark.h"
#include "support/unit.h"

#include <string.h>

enum { ITEMS_MAX = 700 };

// Pseudo-random numbers that are the same in every run.
static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

struct pair {
    int64_t key;
    int64_t place;
};

static bool comes_before(int64_t a, int64_t b, bool reverse) {
    return reverse ? b < a : a < b;
}

static void sort_by_insertion(struct pair *pairs, size_t count, bool reverse) {
    for (size_t i = 1; i < count; i++) {
        const struct pair pair = pairs[i];
        size_t at = i;
        while (at > 0 && comes_before(pair.key, pairs[at - 1].key, reverse)) {
            pairs[at] = pairs[at - 1];
            at--;
        }
        pairs[at] = pair;
    }
}

// Keys of different shapes: random with many equals, rising, falling, rising in pieces.
static int64_t key_at(uint32_t pattern, size_t i, uint32_t *state) {
    switch (pattern) {
    case 0:
        return next_random(state) % 10;
    case 1:
        return (int64_t)i / 3;
    case 2:
        return -(int64_t)i / 2;
    case 3:
        return (int64_t)(i % 97);
    default:
        return (int64_t)next_random(state) - (1 << 23);
    }
}

static void check_order(struct star_thread *thread, uint32_t pattern, size_t count, bool reverse) {
    struct pair pairs[ITEMS_MAX];
    star_value items[ITEMS_MAX] = {0};
    star_value keys[ITEMS_MAX] = {0};
    uint32_t state = (uint32_t)count + pattern;
    for (size_t i = 0; i < count; i++) {
        pairs[i] = (struct pair){key_at(pattern, i, &state), (int64_t)i};
        items[i] = star_int(thread, (int64_t)i);
        keys[i] = star_int(thread, pairs[i].key);
    }
    sort_by_insertion(pairs, count, reverse);
    assert_true(sort_values(thread, items, keys, count, reverse));
    for (size_t i = 0; i < count; i++) {
        int64_t place = -1;
        assert_true(star_get_int64(items[i], &place));
        if (place != pairs[i].place) {
            fail_msg("pattern %u, %zu items: item %zu differs", pattern, count, i);
        }
    }
}

static struct star_thread *thread_new(void) {
    struct star_thread *thread = star_thread_new(NULL);
    assert_non_null(thread);
    return thread;
}

static void equal_items_keep_their_order_both_ways(void **state) {
    (void)state;
    struct star_thread *thread = thread_new();
    static const size_t counts[] = {0, 1, 2, 3, 7, 16, 31, 32, 33, 63, 64, 65, 100, 255, 512, 700};
    for (uint32_t pattern = 0; pattern < 5; pattern++) {
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
            check_order(thread, pattern, counts[i], false);
            check_order(thread, pattern, counts[i], true);
        }
    }
    star_thread_free(thread);
}

static void ints_and_floats_mix_and_nan_comes_last(void **state) {
    (void)state;
    struct star_thread *thread = thread_new();
    star_value items[] = {star_float(__builtin_nan("")), star_int(thread, 2),  star_float(1.5),
                          star_float(__builtin_inf()),   star_int(thread, -1), star_float(-0.5)};
    assert_true(sort_values(thread, items, items, 6, false));
    const star_value repr = star_repr(thread, star_list(thread, items, 6));
    const char *text = NULL;
    size_t size = 0;
    assert_true(star_get_text(repr, &text, &size));
    assert_int_equal(size, strlen("[-1, -0.5, 1.5, 2, +inf, nan]"));
    assert_memory_equal(text, "[-1, -0.5, 1.5, 2, +inf, nan]", size);
    star_thread_free(thread);
}

static void keys_of_two_types_are_an_error(void **state) {
    (void)state;
    struct star_thread *thread = thread_new();
    star_value items[] = {star_int(thread, 1), star_string_from(thread, "a")};
    assert_false(sort_values(thread, items, items, 2, false));
    assert_string_equal(star_thread_error(thread)->message, "string < int not implemented");
    star_thread_free(thread);
}

static void a_cancelled_sort_stops(void **state) {
    (void)state;
    struct star_thread *thread = thread_new();
    enum { MANY = 200000 };
    star_value *items = test_malloc(MANY * sizeof(*items));
    uint32_t random = 1;
    for (size_t i = 0; i < MANY; i++) {
        items[i] = star_int(thread, next_random(&random));
    }
    star_thread_cancel(thread);
    assert_false(sort_values(thread, items, items, MANY, false));
    assert_int_equal(star_thread_error(thread)->status, STAR_CANCELLED);
    test_free(items);
    star_thread_free(thread);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_items_keep_their_order_both_ways),
        cmocka_unit_test(ints_and_floats_mix_and_nan_comes_last),
        cmocka_unit_test(keys_of_two_types_are_an_error),
        cmocka_unit_test(a_cancelled_sort_stops),
    };
    return cmocka_run_group_tests_name("sort", tests, NULL, NULL);
}
