#include "base/text.h"
#include "lib/push_join.h"
#include "support/cmocka.h"

#include <string.h>

// Failed rows and changes of row 1, as letters (i insert, I one that may have arrived, < pre-image,
// > post-image, d delete), and what is failed afterwards.
static const struct {
    const char *name;
    const char *failed;
    const char *changes;
    const char *after;
    bool joined;
    int64_t gone;
} joins[] = {
    {"an insert takes the last values", "i", "<>", "i", true, 0},
    {"an insert that is gone is nothing", "i", "d", "", true, 1},
    {"a post-image becomes a whole pair", ">", "<>", "><", true, 0},
    {"a pre-image becomes a whole pair", "<", "<>", "<>", true, 0},
    {"a pair stays a pair", "<>", "<>", "<>", true, 0},
    {"an update that is gone is a delete", "<>", "d", "d", true, 0},
    {"a lone post-image that is gone is a delete", ">", "d", "d", true, 0},
    {"an insert that may have arrived takes the last values", "I", "<>", "i", true, 0},
    {"an insert that may have arrived and is gone is a delete", "I", "d", "d", true, 0},
    {"a delete joins nothing", "d", "i", "d", false, 0},
};

static const char letters[] = "d<>i";

static enum state_change change_of(char letter) {
    letter = letter == 'I' ? 'i' : letter;
    return (enum state_change)(strchr(letters, letter) - letters);
}

static str after_text(struct arena *arena, const struct push_join *join,
                      const struct state_row *failed, size_t count) {
    struct text out;
    text_init(&out, arena);
    for (size_t i = 0; i < count; i++) {
        enum state_change change = failed[i].change;
        bool is_there = true;
        for (size_t j = 0; j < join->removed_count; j++) {
            is_there = is_there && join->removed[j] != failed[i].id;
        }
        for (size_t j = 0; j < join->changed_count; j++) {
            if (join->changed[j].id == failed[i].id) {
                change = join->changed[j].change;
                assert_int_equal(join->changed[j].snapshot, 9);
                // A delete of a row born in the old range is in the new one only.
                const bool is_new =
                    failed[i].change == STATE_CHANGE_INSERT && change == STATE_CHANGE_DELETE;
                assert_int_equal(join->changed[j].since, is_new ? 7 : 2);
            }
        }
        if (is_there) {
            text_add_char(&out, letters[change]);
        }
    }
    for (size_t j = 0; j < join->changed_count; j++) {
        if (join->changed[j].id == 0) {
            assert_int_equal(join->changed[j].since, 2); // as far back as its fellow
            text_add_char(&out, letters[join->changed[j].change]);
        }
    }
    return text_str(&out);
}

static void failed_rows_and_newer_changes_become_one(void **unused) {
    (void)unused;
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < ARRAY_COUNT(joins); i++) {
        struct state_row failed[4] = {0};
        struct feed_change changes[4] = {0};
        const size_t count = strlen(joins[i].failed);
        const size_t change_count = strlen(joins[i].changes);
        for (size_t j = 0; j < count; j++) {
            failed[j] = (struct state_row){.id = 10 + (int64_t)j,
                                           .rowid = 1,
                                           .change = change_of(joins[i].failed[j]),
                                           .snapshot = 5,
                                           .since = 2,
                                           .may_have_arrived = joins[i].failed[j] == 'I'};
        }
        for (size_t j = 0; j < change_count; j++) {
            changes[j] = (struct feed_change){
                .rowid = 1, .snapshot = 9, .change = change_of(joins[i].changes[j])};
        }
        const struct push_join join =
            push_join_rows(&arena, failed, count, changes, change_count, 7);
        const char *after = str_to_cstring(&arena, after_text(&arena, &join, failed, count));
        if (strcmp(after, joins[i].after) != 0) {
            fail_msg("%s: expected \"%s\", got \"%s\"", joins[i].name, joins[i].after, after);
        }
        assert_int_equal(join.joined_count, joins[i].joined ? 1 : 0);
        assert_int_equal(join.gone, joins[i].gone);
    }
    arena_done(&arena);
}

// A tracked group with a failure takes the group's newer events with it.
static void the_rest_of_a_group_joins_it(void **unused) {
    (void)unused;
    struct arena arena;
    arena_init(&arena);
    const struct state_row failed[] = {
        {.id = 1, .rowid = 1, .change = STATE_CHANGE_DELETE, .snapshot = 5, .since = 2},
        {.id = 2, .rowid = 2, .change = STATE_CHANGE_INSERT, .snapshot = 5, .since = 2}};
    const struct feed_change changes[] = {
        {.rowid = 2, .snapshot = 9, .change = STATE_CHANGE_DELETE},
        {.rowid = 3, .snapshot = 9, .change = STATE_CHANGE_INSERT}};
    const struct push_join join = push_join_rows(&arena, failed, 2, changes, 2, 7);
    assert_int_equal(join.removed_count, 1);
    assert_int_equal(join.removed[0], 2);
    assert_int_equal(join.changed_count, 1);
    assert_int_equal(join.changed[0].id, 0);
    assert_int_equal(join.changed[0].rowid, 3);
    assert_int_equal(join.changed[0].since, 7);
    assert_int_equal(join.joined_count, 2);
    arena_done(&arena);
}

static void a_full_sync_stands_for_the_failed_rows_that_are_in_it(void **unused) {
    (void)unused;
    struct arena arena;
    arena_init(&arena);
    const struct state_row failed[] = {
        {.id = 1, .rowid = 1, .change = STATE_CHANGE_UPDATE_PREIMAGE},
        {.id = 2, .rowid = 1, .change = STATE_CHANGE_UPDATE_POSTIMAGE},
        {.id = 3, .rowid = 2, .change = STATE_CHANGE_INSERT},
        {.id = 4, .rowid = 3, .change = STATE_CHANGE_UPDATE_PREIMAGE},
        {.id = 5, .rowid = 3, .change = STATE_CHANGE_UPDATE_POSTIMAGE},
        {.id = 6, .rowid = 4, .change = STATE_CHANGE_DELETE},
        {.id = 7, .rowid = 5, .change = STATE_CHANGE_INSERT, .may_have_arrived = true}};
    const struct feed_change changes[] = {{.rowid = 1, .change = STATE_CHANGE_INSERT},
                                          {.rowid = 2, .change = STATE_CHANGE_INSERT}};
    const struct push_join join =
        push_join_rows(&arena, failed, ARRAY_COUNT(failed), changes, 2, STATE_NO_SNAPSHOT);
    assert_int_equal(join.joined_count, 0);
    assert_int_equal(join.changed_count, 2);
    assert_int_equal(join.changed[0].id, 5);
    assert_int_equal(join.changed[0].change, STATE_CHANGE_DELETE);
    assert_int_equal(join.changed[1].id, 7);
    assert_int_equal(join.changed[1].change, STATE_CHANGE_DELETE);
    const int64_t removed[] = {4, 3, 1, 2}; // the pre-image of row 3; then what is in the table
    assert_int_equal(join.removed_count, ARRAY_COUNT(removed));
    assert_int_equal(join.removed[0], removed[0]);
    assert_int_equal(join.removed[1] + join.removed[2] + join.removed[3], 6);
    arena_done(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_sync_stands_for_the_failed_rows_that_are_in_it),
        cmocka_unit_test(failed_rows_and_newer_changes_become_one),
        cmocka_unit_test(the_rest_of_a_group_joins_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
