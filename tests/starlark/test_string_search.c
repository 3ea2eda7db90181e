// Finding text, against trying every place.
#include "starlark/starlark.h"
#include "starlark/string_search.h"
#include "support/unit.h"

#include <string.h>

enum { TEXT_MAX = 300 };

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static bool is_at(str text, str needle, size_t at) {
    return needle.size <= text.size - at && memcmp(text.data + at, needle.data, needle.size) == 0;
}

static size_t find_slowly(str text, str needle, size_t from) {
    for (size_t i = from; i <= text.size; i++) {
        if (is_at(text, needle, i)) {
            return i;
        }
    }
    return SIZE_MAX;
}

static size_t find_last_slowly(str text, str needle) {
    for (size_t i = text.size + 1; i > 0; i--) {
        if (is_at(text, needle, i - 1)) {
            return i - 1;
        }
    }
    return SIZE_MAX;
}

static size_t count_slowly(str text, str needle) {
    size_t count = 0;
    for (size_t at = find_slowly(text, needle, 0); at != SIZE_MAX;
         at = find_slowly(text, needle, at + needle.size)) {
        count++;
    }
    return count;
}

static void check(struct star_thread *thread, str text, str needle) {
    assert_int_equal(string_find(text, needle), find_slowly(text, needle, 0));
    size_t last = 0;
    assert_true(string_find_last(thread, text, needle, &last));
    assert_int_equal(last, find_last_slowly(text, needle));
    if (needle.size > 0) {
        assert_int_equal(string_count(text, needle), count_slowly(text, needle));
    }
}

// Two letters make many half matches.
static void finds_what_trying_every_place_finds(void **state) {
    (void)state;
    struct star_thread *thread = star_thread_new(NULL);
    assert_non_null(thread);
    uint32_t random = 7;
    for (int round = 0; round < 3000; round++) {
        char text[TEXT_MAX];
        char needle[TEXT_MAX];
        const size_t text_size = next_random(&random) % TEXT_MAX;
        const size_t needle_size = next_random(&random) % (round % 2 == 0 ? 6 : 40);
        for (size_t i = 0; i < text_size; i++) {
            text[i] = (char)('a' + next_random(&random) % 2);
        }
        for (size_t i = 0; i < needle_size; i++) {
            needle[i] = (char)('a' + next_random(&random) % 2);
        }
        const str haystack = {text, text_size};
        check(thread, haystack, (str){needle, needle_size});
        if (text_size > needle_size) {
            // One that is there.
            const size_t at = next_random(&random) % (text_size - needle_size);
            check(thread, haystack, (str){text + at, needle_size});
        }
    }
    star_thread_free(thread);
}

static void an_empty_needle_is_found_at_either_end(void **state) {
    (void)state;
    struct star_thread *thread = star_thread_new(NULL);
    assert_non_null(thread);
    size_t last = 0;
    assert_int_equal(string_find(STR("abc"), STR("")), 0);
    assert_true(string_find_last(thread, STR("abc"), STR(""), &last));
    assert_int_equal(last, 3);
    assert_int_equal(string_count(STR("a\xc3\xa9"), STR("")), 3); // code points and one
    assert_int_equal(string_find(STR(""), STR("a")), SIZE_MAX);
    star_thread_free(thread);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_trying_every_place_finds),
        cmocka_unit_test(an_empty_needle_is_found_at_either_end),
    };
    return cmocka_run_group_tests_name("string_search", tests, NULL, NULL);
}
