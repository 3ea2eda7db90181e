// arena.h, text.h, list.h, map.h: the containers everything else stands on.
#include "base/arena.h"
#include "base/list.h"
#include "base/map.h"
#include "base/text.h"
#include "support/cmocka.h"

#include <string.h>

static void arena_gives_zeroed_aligned_memory(void **state) {
    (void)state;
    SCRATCH(arena);
    for (size_t size = 0; size < 5000; size += 37) {
        unsigned char *memory = arena_alloc(&arena, size);
        assert_int_equal((uintptr_t)memory % 16, 0);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(memory[i], 0);
            memory[i] = 0xAA;
        }
    }
}

static void arena_rewinds_to_a_mark(void **state) {
    (void)state;
    SCRATCH(arena);
    char *kept = arena_alloc_bytes(&arena, 100);
    memset(kept, 'k', 100);
    const struct arena_mark mark = arena_mark(&arena);
    const size_t before = arena_size(&arena);
    for (int i = 0; i < 100; i++) {
        memset(arena_alloc_bytes(&arena, 10000), 'x', 10000);
    }
    arena_rewind(&arena, mark);
    assert_int_equal(arena_size(&arena), before);
    assert_int_equal(kept[99], 'k');
}

static void arena_reset_keeps_memory_bounded(void **state) {
    (void)state;
    SCRATCH(arena);
    size_t largest = 0;
    for (int turn = 0; turn < 1000; turn++) {
        for (int i = 0; i < 50; i++) {
            (void)arena_alloc(&arena, 1000);
        }
        largest = arena_size(&arena) > largest ? arena_size(&arena) : largest;
        arena_reset(&arena);
    }
    assert_true(largest < 4 << 20);
}

static void text_grows_and_formats(void **state) {
    (void)state;
    SCRATCH(arena);
    struct text text;
    text_init(&text, &arena);
    for (int i = 0; i < 1000; i++) {
        text_format(&text, "%d,", i);
        (void)arena_alloc(&arena, 1); // another allocation between: the text must move
    }
    assert_int_equal(text.size, 10 * 2 + 90 * 3 + 900 * 4);
    assert_true(str_ends_with(text_str(&text), STR("998,999,")));
    char long_word[500];
    memset(long_word, 'w', sizeof(long_word) - 1);
    long_word[sizeof(long_word) - 1] = '\0';
    assert_int_equal(str_format(&arena, "<%s>", long_word).size, 501);
}

static void map_finds_what_was_set_in_insertion_order(void **state) {
    (void)state;
    SCRATCH(arena);
    struct map map;
    map_init(&map, &arena);
    int values[2000];
    for (int i = 0; i < 2000; i++) {
        assert_null(map_set(&map, str_format(&arena, "key%d", i), &values[i]));
    }
    for (int i = 0; i < 2000; i++) {
        const str key = str_format(&arena, "key%d", i);
        assert_ptr_equal(map_get(&map, key), &values[i]);
        assert_true(str_equal(map.entries[i].key, key));
    }
    assert_null(map_get(&map, STR("key2000")));
    assert_ptr_equal(map_set(&map, STR("key7"), &values[0]), &values[7]);
    assert_int_equal(map.count, 2000);
}

static void map_without_case_finds_any_spelling(void **state) {
    (void)state;
    SCRATCH(arena);
    struct map map;
    map_init_nocase(&map, &arena);
    int value = 0;
    (void)map_set(&map, STR("Mart.Orders"), &value);
    assert_ptr_equal(map_get(&map, STR("mart.ORDERS")), &value);
    assert_false(map_has(&map, STR("mart.order")));
}

static void lists_sort_and_join(void **state) {
    (void)state;
    SCRATCH(arena);
    struct str_list list = {0};
    str_list_push(&arena, &list, STR("b"));
    str_list_push(&arena, &list, STR("a"));
    str_list_push(&arena, &list, STR("ab"));
    str_list_sort(&list);
    assert_true(str_equal(str_list_join(&arena, &list, STR(", ")), STR("a, ab, b")));
    assert_true(str_list_has_nocase(&list, STR("AB")));
    assert_false(str_list_has(&list, STR("AB")));
}

static void supply_ends_without_ending_the_process(void **state) {
    (void)state;
    struct arena_supply supply;
    arena_supply_init(&supply, NULL, NULL, 100 * 1000, 1000);
    struct arena arena;
    struct arena other;
    arena_init_supplied(&arena, &supply);
    arena_init_supplied(&other, &supply);
    struct str_list list = {0};
    struct text text;
    struct map map;
    text_init(&text, &other);
    map_init(&map, &arena);
    while (!arena_is_exhausted(&arena)) {
        str_list_push(&arena, &list, STR("item"));
        text_add(&text, STR("some text"));
        map_set(&map, str_format(&other, "%zu", list.count), &map);
    }
    assert_true(supply.is_limited);
    assert_true(arena_is_exhausted(&other));
    // What was taken stays good, what is new is dropped or comes from the reserve.
    const size_t count = map.count;
    assert_null(arena_try_array(&other, 1000, 16));
    assert_null(arena_try_array(&other, SIZE_MAX / 2, 16));
    map_set(&map, STR("new"), &map);
    assert_int_equal(map.count, count);
    for (size_t i = 0; i < list.count; i++) {
        assert_true(str_equal(list.items[i], STR("item")));
    }
    assert_int_equal(text.size % strlen("some text"), 0);
    for (int i = 0; i < 10; i++) {
        memset(arena_alloc(&arena, 64), 1, 64);
    }
    arena_done(&arena);
    arena_done(&other);
    assert_int_equal(supply.used_bytes, 0);
    arena_supply_done(&supply);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(arena_rewinds_to_a_mark),
        cmocka_unit_test(arena_reset_keeps_memory_bounded),
        cmocka_unit_test(text_grows_and_formats),
        cmocka_unit_test(map_finds_what_was_set_in_insertion_order),
        cmocka_unit_test(map_without_case_finds_any_spelling),
        cmocka_unit_test(lists_sort_and_join),
        cmocka_unit_test(supply_ends_without_ending_the_process),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
