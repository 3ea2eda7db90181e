#include "lib/push_batch.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

enum { EVENTS_MAX = 16 };

// Events as text: the change (d, <, >, i: delete, pre-image, post-image, insert), the row id, and
// behind a slash the key.
static size_t read_events(const char *text, struct push_event *events) {
    size_t count = 0;
    for (const char *at = text; *at != '\0';) {
        char change = 0;
        long long rowid = 0;
        char key = 0;
        int used = 0;
        assert_true(sscanf(at, " %c%lld%n", &change, &rowid, &used) >= 2);
        at += used;
        if (*at == '/') {
            key = at[1];
            at += 2;
        }
        const char *codes = "d<>i";
        static const str keys[] = {STR_INIT("{\"k\":\"a\"}"), STR_INIT("{\"k\":\"b\"}"),
                                   STR_INIT("{\"k\":\"c\"}")};
        events[count] = (struct push_event){
            .index = (int64_t)count,
            .rowid = rowid,
            .change = (enum state_change)(strchr(codes, change) - codes),
            .keys = key != 0 ? keys[key - 'a'] : STR("{}"),
        };
        events[count].tag = push_keys_tag(events[count].keys);
        count++;
    }
    return count;
}

static const struct {
    const char *name;
    const char *events;
    size_t batch_size;
    bool grouped;
    bool at_end;
    size_t expected;
} cuts[] = {
    {"nothing at the end", "", 2, false, true, 0},
    {"a full batch", "i1 i2 i3", 2, false, false, 2},
    {"the rest at the end", "i1", 2, false, true, 1},
    {"more may come", "i1", 2, false, false, 0},
    {"a pair stays together", "d1 <2 >2 i3", 2, false, false, 1},
    {"a pair fills a batch", "<2 >2 <3 >3", 2, false, false, 2},
    {"a pair is closed one row early", "i1 i2 <3 >3", 3, false, false, 2},
    {"half a pair waits for the other", "i1 <3", 4, false, false, 0},
    {"a pre-image alone at the end", "i1 <3", 4, false, true, 2},
    {"batch size 1 splits a pair", "<3 >3", 1, false, false, 1},
    {"the same event twice opens the next batch", "i7 i7", 5, false, true, 1},
    {"another change of the row does not", "d7 i7", 5, false, true, 2},
    {"a group in one batch", "d1/a d2/a i3/a i4/b", 3, true, false, 3},
    {"a group is not begun when it does not fit", "d1/a d2/a i3/b i4/b i5/c", 3, true, false, 2},
    {"a group larger than a batch is one", "d1/a d2/a i3/a i4/a i5/b", 2, true, false, 4},
    {"the end of a group must be seen", "d1/a d2/a", 2, true, false, 0},
    {"the end of the stream ends a group", "d1/a d2/a", 2, true, true, 2},
    {"small groups share a batch", "i1/a i2/b d3/c", 3, true, true, 3},
};

static void batches_are_cut_by_the_rules(void **unused) {
    (void)unused;
    for (size_t i = 0; i < ARRAY_COUNT(cuts); i++) {
        struct push_event events[EVENTS_MAX];
        const size_t count = read_events(cuts[i].events, events);
        const struct push_cut_rules rules = {.batch_size = cuts[i].batch_size,
                                             .grouped = cuts[i].grouped};
        const size_t got = push_cut(&rules, events, count, cuts[i].at_end);
        if (got != cuts[i].expected) {
            fail_msg("%s: \"%s\": expected %zu, got %zu", cuts[i].name, cuts[i].events,
                     cuts[i].expected, got);
        }
    }
}

// Whatever is read ahead, the cut is the same: what makes a batch the same after a crash.
static void reading_further_does_not_change_a_cut(void **unused) {
    (void)unused;
    static const char *const streams[] = {"d1 d2 <3 >3 <4 >4 i5 i6 i6 i7",
                                          "d1/a i2/a d3/b d4/b i5/b d6/c i7/c i8/c"};
    for (size_t s = 0; s < ARRAY_COUNT(streams); s++) {
        struct push_event events[EVENTS_MAX];
        const size_t count = read_events(streams[s], events);
        for (size_t size = 1; size < 6; size++) {
            const struct push_cut_rules rules = {.batch_size = size, .grouped = s == 1};
            const size_t whole = push_cut(&rules, events, count, true);
            for (size_t seen = 0; seen < count; seen++) {
                const size_t part = push_cut(&rules, events, seen, false);
                assert_true(part == 0 || part == whole);
            }
        }
    }
}

static void tags_count_and_forget(void **unused) {
    (void)unused;
    struct push_tags tags = {0};
    assert_false(push_tags_has(&tags, 1));
    for (uint64_t tag = 1; tag < 5000; tag++) {
        push_tags_add(&tags, tag);
    }
    push_tags_add(&tags, 7);
    for (uint64_t tag = 1; tag < 5000; tag++) {
        push_tags_remove(&tags, tag);
    }
    assert_true(push_tags_has(&tags, 7));
    assert_false(push_tags_has(&tags, 8));
    push_tags_remove(&tags, 7);
    assert_false(push_tags_has(&tags, 7));
    push_tags_done(&tags);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_are_cut_by_the_rules),
        cmocka_unit_test(reading_further_does_not_change_a_cut),
        cmocka_unit_test(tags_count_and_forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
