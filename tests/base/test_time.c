// clock.h: times and durations as text.
#include "base/arena.h"
#include "base/clock.h"
#include "support/cmocka.h"

static void parses_times_as_utc(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        int64_t us;
    } cases[] = {
        {"1970-01-01T00:00:00Z", true, 0},
        {"2024-02-29T12:34:56.5Z", true, INT64_C(1709210096500000)},
        {"2024-02-29 12:34:56", true, INT64_C(1709210096000000)},
        {"2024-02-29T14:34:56+02:00", true, INT64_C(1709210096000000)},
        {"2024-02-29", true, INT64_C(1709164800000000)},
        {"1969-12-31T23:59:59Z", true, -1000000},
        {"2023-02-29", false, 0},
        {"2024-13-01", false, 0},
        {"2024-01-01T25:00:00Z", false, 0},
        {"2024-01-01X", false, 0},
        {"yesterday", false, 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int64_t us = 0;
        assert_int_equal(time_parse(str_from(cases[i].text), &us), cases[i].ok);
        if (cases[i].ok) {
            assert_true(us == cases[i].us);
        }
    }
}

static void parses_the_three_http_dates(void **state) {
    (void)state;
    static const char *const texts[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                        "Sunday, 06-Nov-94 08:49:37 GMT",
                                        "Sun Nov  6 08:49:37 1994"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        int64_t us = 0;
        assert_true(time_parse_http(str_from(texts[i]), &us));
        assert_true(us == INT64_C(784111777000000));
    }
    int64_t us = 0;
    assert_false(time_parse_http(STR("120"), &us));
    assert_false(time_parse_http(STR(""), &us));
    assert_false(time_parse_http(STR("Sun, 06 Nov 1994 08:49:37 CET"), &us));
}

static void formats_what_it_parses(void **state) {
    (void)state;
    SCRATCH(scratch);
    static const int64_t times[] = {0,
                                    -1,
                                    1,
                                    INT64_C(1709210096500000),
                                    INT64_C(253402300799000000),
                                    INT64_C(-62135596800000000)};
    for (size_t i = 0; i < ARRAY_COUNT(times); i++) {
        int64_t back = 0;
        assert_true(time_parse(time_format_utc(&scratch, times[i]), &back));
        assert_true(back == times[i]);
    }
    assert_true(str_equal(time_format_utc(&scratch, 0), STR("1970-01-01T00:00:00Z")));
    assert_true(str_equal(time_format_compact(&scratch, INT64_C(1709210096500000)),
                          STR("20240229-123456")));
}

static void durations_follow_one_grammar(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t us; // 0: refused
    } cases[] = {{"90s", 90000000}, {"1m30s", 90000000},
                 {"1.5s", 1500000}, {"1d", INT64_C(86400000000)},
                 {"250ms", 250000}, {"2h", INT64_C(7200000000)},
                 {"0s", 0},         {"", 0},
                 {"5", 0},          {"s", 0},
                 {"-1s", 0},        {"1w", 0},
                 {"1.2.3s", 0}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int64_t us = 0;
        assert_int_equal(duration_parse(str_from(cases[i].text), &us), cases[i].us != 0);
        if (cases[i].us != 0) {
            assert_true(us == cases[i].us);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_times_as_utc),
        cmocka_unit_test(parses_the_three_http_dates),
        cmocka_unit_test(formats_what_it_parses),
        cmocka_unit_test(durations_follow_one_grammar),
    };
    return cmocka_run_group_tests_name("time", tests, NULL, NULL);
}
