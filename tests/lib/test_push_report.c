#include "lib/push.h"
#include "support/cmocka.h"

static struct arena arena;

static void the_summary_names_what_there_is(void **unused) {
    (void)unused;
    static const struct {
        struct push_summary summary;
        const char *expected;
    } cases[] = {
        {{.ok = 3}, "push hubspot: 3 ok"},
        {{.ok = 14, .warned = 1, .failed = 2, .rejected = 1, .pending = 2},
         "push hubspot: 14 ok, 1 warning, 2 failed (pending), 1 rejected"},
        {{.ok = 0, .failed = 1, .pending = 11},
         "push hubspot: 0 ok, 1 failed (pending), 10 waiting"},
        {{.busy = true, .busy_pid = 123, .pending = 4},
         "push hubspot: in delivery by pid 123, 4 rows waiting"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const str line = push_summary_line(&arena, STR("hubspot"), &cases[i].summary);
        assert_string_equal(str_to_cstring(&arena, line), cases[i].expected);
    }
}

static void messages_name_row_and_key_and_are_three(void **unused) {
    (void)unused;
    struct push_summary summary = {.note_count = 5};
    const struct push_note note = {.rowid = 42,
                                   .change_type = STR("update_postimage"),
                                   .snapshot = 7,
                                   .keys = STR("{\"customer_id\":7,\"region\":\"e:u\"}"),
                                   .status = STR("error"),
                                   .message = STR("429 slow down")};
    for (int i = 0; i < 5; i++) {
        LIST_PUSH(&arena, &summary.notes, note);
    }
    const struct str_list lines = push_messages(&arena, STR("hubspot"), &summary);
    assert_int_equal(lines.count, 4);
    assert_string_equal(str_to_cstring(&arena, lines.items[0]),
                        "push hubspot: row 42 (update_postimage) customer_id=7 region=e:u: error: "
                        "429 slow down");
    assert_string_equal(str_to_cstring(&arena, lines.items[3]), "+2 more");
}

int main(void) {
    arena_init(&arena);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_summary_names_what_there_is),
        cmocka_unit_test(messages_name_row_and_key_and_are_three),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed;
}
