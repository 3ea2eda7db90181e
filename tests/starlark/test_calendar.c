// Days, zones of the system's zoneinfo, and the changes of summer time.
#include "starlark/calendar.h"
#include "starlark/time_zone.h"
#include "support/unit.h"

#include <string.h>

enum { DAY_SECONDS = 86400 };

static bool is_leap(int64_t year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

// Walks 1,000 years day by day with the rules of a school book.
static void days_and_dates_agree_over_a_thousand_years(void **state) {
    (void)state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day = calendar_days(1600, 1, 1);
    int weekday = 6; // 1600-01-01 was a Saturday
    for (int64_t year = 1600; year < 2600; year++) {
        int year_day = 1;
        for (int month = 1; month <= 12; month++) {
            const int length = lengths[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
            for (int date = 1; date <= length; date++) {
                const struct calendar_time time =
                    calendar_from_seconds(day * DAY_SECONDS + DAY_SECONDS - 1, 5);
                if (time.year != year || time.month != month || time.day != date ||
                    time.hour != 23 || time.minute != 59 || time.second != 59 ||
                    time.nanosecond != 5 || time.weekday != weekday || time.year_day != year_day ||
                    calendar_days(year, month, date) != day) {
                    fail_msg("%lld-%02d-%02d differs", (long long)year, month, date);
                }
                day++;
                year_day++;
                weekday = (weekday + 1) % 7;
            }
        }
    }
}

static void fields_out_of_range_carry_over(void **state) {
    (void)state;
    assert_int_equal(calendar_days(1970, 1, 1), 0);
    assert_int_equal(calendar_days(2023, 14, 1), calendar_days(2024, 2, 1));
    assert_int_equal(calendar_days(2024, 0, 1), calendar_days(2023, 12, 1));
    assert_int_equal(calendar_days(2024, 3, 0), calendar_days(2024, 2, 29));
    assert_int_equal(calendar_days(0, 3, 1) - calendar_days(0, 2, 28), 2); // year 0 is leap
    assert_int_equal(calendar_from_seconds(-62135596800, 0).year, 1);
}

static int64_t instant(int year, int month, int day, int hour, int minute, int second) {
    return calendar_days(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second;
}

static void assert_offset(const struct time_zone *zone, int64_t at, int32_t seconds,
                          const char *name) {
    const struct time_zone_offset offset = time_zone_at(zone, at);
    assert_int_equal(offset.seconds, seconds);
    assert_string_equal(offset.name, name);
}

static struct time_zone *stockholm(void) {
    struct time_zone *zone = time_zone_open(STR("Europe/Stockholm"));
    if (zone == NULL) {
        skip(); // a system without zoneinfo
    }
    return zone;
}

static void stockholm_changes_at_one_in_utc(void **state) {
    (void)state;
    struct time_zone *zone = stockholm();
    assert_offset(zone, instant(2024, 3, 31, 0, 59, 59), 3600, "CET");
    assert_offset(zone, instant(2024, 3, 31, 1, 0, 0), 7200, "CEST");
    assert_offset(zone, instant(2024, 10, 27, 0, 59, 59), 7200, "CEST");
    assert_offset(zone, instant(2024, 10, 27, 1, 0, 0), 3600, "CET");
    // Behind the table: the rule in the file's last line.
    assert_offset(zone, instant(2050, 3, 27, 0, 59, 59), 3600, "CET");
    assert_offset(zone, instant(2050, 3, 27, 1, 0, 0), 7200, "CEST");
    assert_offset(zone, instant(2100, 7, 1, 0, 0, 0), 7200, "CEST");
    assert_offset(zone, instant(2100, 12, 1, 0, 0, 0), 3600, "CET");
    // Before there was summer time.
    assert_offset(zone, instant(1970, 7, 1, 0, 0, 0), 3600, "CET");
    time_zone_free(zone);
}

static void wall_times_in_gap_and_overlap_use_the_offset_before_the_change(void **state) {
    (void)state;
    struct time_zone *zone = stockholm();
    assert_int_equal(time_zone_to_unix(zone, instant(2024, 7, 1, 12, 0, 0)),
                     instant(2024, 7, 1, 10, 0, 0));
    assert_int_equal(time_zone_to_unix(zone, instant(2024, 1, 1, 12, 0, 0)),
                     instant(2024, 1, 1, 11, 0, 0));
    // 02:30 does not exist on this day.
    assert_int_equal(time_zone_to_unix(zone, instant(2024, 3, 31, 2, 30, 0)),
                     instant(2024, 3, 31, 1, 30, 0));
    // 02:30 comes twice on this one.
    assert_int_equal(time_zone_to_unix(zone, instant(2024, 10, 27, 2, 30, 0)),
                     instant(2024, 10, 27, 0, 30, 0));
    time_zone_free(zone);
}

// From an instant to the wall and back is the same instant, but in the hour that comes twice.
static void wall_time_leads_back_to_its_instant(void **state) {
    (void)state;
    struct time_zone *zone = stockholm();
    const int64_t overlap = instant(2024, 10, 27, 1, 0, 0);
    for (int64_t at = instant(2024, 1, 1, 0, 0, 0); at < instant(2025, 1, 1, 0, 0, 0); at += 900) {
        const bool again = at >= overlap && at < overlap + 3600;
        const int64_t back = time_zone_to_unix(zone, at + time_zone_at(zone, at).seconds);
        if (back != (again ? at - 3600 : at)) {
            fail_msg("instant %lld differs", (long long)at);
        }
    }
    time_zone_free(zone);
}

static void names_that_are_no_zone_are_refused(void **state) {
    (void)state;
    static const char *const names[] = {"Nowhere/City",      "../../etc/passwd",
                                        "/etc/passwd",       "Europe",
                                        "Europe/../UTC",     ".",
                                        "Europe/Stockholm/", "\xff"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct time_zone *zone = time_zone_open(str_from(names[i]));
        if (zone != NULL) {
            fail_msg("%s is a zone", names[i]);
        }
    }
    struct time_zone *zone = time_zone_open(STR("UTC"));
    assert_non_null(zone);
    assert_offset(zone, 0, 0, "UTC");
    time_zone_free(zone);
}

static void a_fixed_zone_never_changes(void **state) {
    (void)state;
    struct time_zone *zone = time_zone_fixed(19800, STR("+0530"));
    assert_non_null(zone);
    assert_offset(zone, instant(2024, 7, 1, 0, 0, 0), 19800, "+0530");
    assert_int_equal(time_zone_to_unix(zone, 19800), 0);
    time_zone_free(zone);
}

static void layouts_are_read_strictly(void **state) {
    (void)state;
    static const struct {
        const char *layout;
        const char *text;
        bool good;
    } cases[] = {
        {"2006-01-02", "2024-02-29", true},
        {"2006-01-02", "2023-02-29", false},
        {"2006-01-02", "2024-2-29", false},
        {"2006-1-2", "2024-2-9", true},
        {"15:04:05", "24:00:00", false},
        {"15:04:05", "23:59:59", true},
        {"03:04 PM", "12:30 AM", true},
        {"03:04 PM", "13:30 AM", false},
        {"Mon Jan _2 2006", "Thu Feb  1 2024", true},
        {"Mon Jan _2 2006", "Xyz Feb  1 2024", false},
        {"2006-01-02T15:04:05Z07:00", "2024-01-01T00:00:00+02:30", true},
        {"2006-01-02T15:04:05Z07:00", "2024-01-01T00:00:00", false},
        {"2006", "2024 ", false},
        {"-0700", "-0830", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct calendar_parsed parsed;
        const char *problem = NULL;
        if (calendar_parse(str_from(cases[i].layout), str_from(cases[i].text), &parsed, &problem) !=
            cases[i].good) {
            fail_msg("\"%s\" as \"%s\"", cases[i].text, cases[i].layout);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_and_dates_agree_over_a_thousand_years),
        cmocka_unit_test(fields_out_of_range_carry_over),
        cmocka_unit_test(stockholm_changes_at_one_in_utc),
        cmocka_unit_test(wall_times_in_gap_and_overlap_use_the_offset_before_the_change),
        cmocka_unit_test(wall_time_leads_back_to_its_instant),
        cmocka_unit_test(names_that_are_no_zone_are_refused),
        cmocka_unit_test(a_fixed_zone_never_changes),
        cmocka_unit_test(layouts_are_read_strictly),
    };
    return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
