// Folding of backtraces.  A letter is a frame; +N behind it says how many were left out there.
#include "base/arena.h"
#include "base/text.h"
#include "starlark/trace.h"
#include "support/unit.h"

static const char *const functions[26] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
                                          "j", "k", "l", "m", "n", "o", "p", "q", "r",
                                          "s", "t", "u", "v", "w", "x", "y", "z"};

static void add(struct trace *trace, char letter) {
    trace_add(trace, &(struct star_frame){.file = letter == 'z' ? NULL : "t.star",
                                          .line = 1,
                                          .column = 1,
                                          .function = functions[letter - 'a']});
}

static str finish(struct arena *arena, const struct trace *trace) {
    struct star_frame frames[TRACE_FRAMES_MAX];
    uint32_t more[TRACE_FRAMES_MAX];
    const size_t count = trace_finish(trace, frames, more);
    struct text text;
    text_init(&text, arena);
    for (size_t i = 0; i < count; i++) {
        text_format(&text, "%s", frames[i].function);
        if (more[i] > 0) {
            text_format(&text, "+%u", more[i]);
        }
    }
    return text_str(&text);
}

static void folds_repeated_groups(void **state) {
    (void)state;
    static const struct {
        const char *frames;
        const char *want;
    } cases[] = {
        {"", ""},
        {"a", "a"},
        {"abc", "abc"},
        {"aa", "a+1"},
        {"aaaaab", "a+4b"},
        {"xaaay", "xa+2y"},
        {"abab", "ab+2"},
        {"ababababc", "ab+6c"},
        {"ababababa", "ab+6a"},
        {"xabcabcabcaby", "xabc+6aby"},
        {"azaz", "az+2"},
        {"aabaabaab", "a+1b+6"},
        {"abbabb", "ab+4"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        SCRATCH(arena);
        struct trace trace = {.count = 0};
        for (const char *at = cases[i].frames; *at != '\0'; at++) {
            add(&trace, *at);
        }
        const str got = finish(&arena, &trace);
        if (!str_equal(got, str_from(cases[i].want))) {
            fail_msg("%s: want %s, got " STR_FORMAT, cases[i].frames, cases[i].want, STR_ARGS(got));
        }
    }
}

// The count of frames is whole, whatever folds and is dropped.
static void loses_no_count(void **state) {
    (void)state;
    uint32_t random = 1;
    for (int round = 0; round < 300; round++) {
        struct trace trace = {.count = 0};
        uint32_t added = 0;
        while (added < 700) {
            random = random * 1664525 + 1013904223;
            const uint32_t period = 1 + (random >> 10) % 20;
            const uint32_t times = 1 + (random >> 20) % 9;
            for (uint32_t i = 0; i < period * times; i++, added++) {
                add(&trace, (char)('a' + (i % period * 7 + random / 64) % 25));
            }
        }
        struct star_frame frames[TRACE_FRAMES_MAX];
        uint32_t more[TRACE_FRAMES_MAX];
        const size_t count = trace_finish(&trace, frames, more);
        uint32_t total = (uint32_t)count;
        for (size_t i = 0; i < count; i++) {
            total += more[i];
        }
        assert_int_equal(total, added);
    }
}

static void keeps_both_ends_of_a_long_trace(void **state) {
    (void)state;
    struct trace trace = {.count = 0};
    for (int i = 1; i <= 1000; i++) {
        trace_add(&trace,
                  &(struct star_frame){.file = "t.star", .line = i, .column = 1, .function = "f"});
    }
    struct star_frame frames[TRACE_FRAMES_MAX];
    uint32_t more[TRACE_FRAMES_MAX];
    const size_t count = trace_finish(&trace, frames, more);
    assert_int_equal(count, TRACE_FRAMES_MAX - 1);
    assert_int_equal(frames[0].line, 1);
    assert_int_equal(frames[TRACE_FRAMES_MAX / 2 - 1].line, TRACE_FRAMES_MAX / 2);
    assert_int_equal(more[TRACE_FRAMES_MAX / 2 - 1], 1000 - (TRACE_FRAMES_MAX - 1));
    assert_int_equal(frames[count - 1].line, 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_repeated_groups),
        cmocka_unit_test(loses_no_count),
        cmocka_unit_test(keeps_both_ends_of_a_long_trace),
    };
    return cmocka_run_group_tests_name("starlark trace", tests, NULL, NULL);
}
