#include "support/unit.h"

#include "base/arena.h"
#include "lake/change_log.h"

static void parts_with_a_table_are_kept_and_names_are_not(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t count;
        int64_t table; // of the last
        enum lake_change_kind kind;
    } CASES[] = {
        {"", 0, 0, LAKE_CHANGE_OTHER},
        {"inserted_into_table:3", 1, 3, LAKE_CHANGE_INSERT},
        {"created_table:\"raw\".\"x\",inlined_insert:17", 1, 17, LAKE_CHANGE_INSERT},
        {"inserted_into_table:3,deleted_from_table:4", 2, 4, LAKE_CHANGE_DELETE},
        {"deleted_inlined_data:5", 1, 5, LAKE_CHANGE_DELETE},
        {"compacted_table:6", 1, 6, LAKE_CHANGE_LAYOUT},
        {"flushed_inlined_data:6", 1, 6, LAKE_CHANGE_LAYOUT},
        {"altered_table:7", 1, 7, LAKE_CHANGE_OTHER},
        {"some_later_word:8", 1, 8, LAKE_CHANGE_OTHER},
        {"created_table:\"a,inserted_into_table:9,\".\"b\"\"c,dropped_table:1\"", 0, 0,
         LAKE_CHANGE_OTHER},
        {"created_schema:\"s\"", 0, 0, LAKE_CHANGE_OTHER},
        {"inserted_into_table:,:,,x,inserted_into_table:99999999999999999999", 0, 0,
         LAKE_CHANGE_OTHER},
        {"created_table:\"never closed", 0, 0, LAKE_CHANGE_OTHER},
    };
    for (size_t i = 0; i < ARRAY_COUNT(CASES); i++) {
        SCRATCH(arena);
        struct lake_change_log log = {0};
        lake_change_log_add(&arena, &log, 2, str_from(CASES[i].text));
        assert_int_equal(log.count, CASES[i].count);
        if (log.count > 0) {
            const struct lake_change *last = &log.items[log.count - 1];
            assert_int_equal(last->table_id, CASES[i].table);
            assert_int_equal(last->kind, CASES[i].kind);
            assert_int_equal(last->snapshot, 2);
        }
    }
}

static void the_changes_of_one_table_are_found(void **state) {
    (void)state;
    SCRATCH(arena);
    struct lake_change items[] = {{1, 5, LAKE_CHANGE_INSERT},
                                  {3, 4, LAKE_CHANGE_INSERT},
                                  {3, 6, LAKE_CHANGE_DELETE},
                                  {9, 2, LAKE_CHANGE_OTHER}};
    const struct lake_change_log log = {.items = items, .count = ARRAY_COUNT(items)};
    const struct lake_change_log none = {0};
    assert_int_equal(lake_change_log_of(&log, 0).count, 0);
    assert_int_equal(lake_change_log_of(&log, 1).count, 1);
    assert_int_equal(lake_change_log_of(&log, 2).count, 0);
    assert_int_equal(lake_change_log_of(&log, 3).count, 2);
    assert_int_equal(lake_change_log_of(&log, 3).items[1].snapshot, 6);
    assert_int_equal(lake_change_log_of(&log, 9).count, 1);
    assert_int_equal(lake_change_log_of(&log, 10).count, 0);
    assert_int_equal(lake_change_log_of(&none, 1).count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_with_a_table_are_kept_and_names_are_not),
        cmocka_unit_test(the_changes_of_one_table_are_found),
    };
    return cmocka_run_group_tests_name("lake_change_log", tests, NULL, NULL);
}
