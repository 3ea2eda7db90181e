// Zones made here byte by byte: the tables of a TZif file, the rule behind them, and what is none.
#include "base/arena.h"
#include "base/text.h"
#include "starlark/calendar.h"
#include "starlark/time_zone.h"
#include "support/unit.h"

#include <string.h>

enum { HOUR = 3600, DAY = 86400 };

struct transition {
    int64_t at;
    unsigned char type;
};

struct type {
    int32_t seconds;
    unsigned char is_summer;
    unsigned char name; // offset into the names
};

struct tables {
    const struct transition *transitions;
    size_t transition_count;
    const struct type *types;
    size_t type_count;
    str names; // NUL-separated
    const char *rule;
};

static void add_big(struct text *out, int64_t value, size_t size) {
    for (size_t i = size; i > 0; i--) {
        text_add_char(out, (char)(unsigned char)((uint64_t)value >> (8 * (i - 1))));
    }
}

static void add_header(struct text *out, const struct tables *tables) {
    text_add(out, STR("TZif2"));
    text_add_repeat(out, '\0', 15);
    add_big(out, 0, 4); // UT/local indicators
    add_big(out, 0, 4); // standard/wall indicators
    add_big(out, 0, 4); // leap seconds
    add_big(out, (int64_t)tables->transition_count, 4);
    add_big(out, (int64_t)tables->type_count, 4);
    add_big(out, (int64_t)tables->names.size, 4);
}

static str zone_bytes(struct arena *arena, const struct tables *tables) {
    struct text out;
    text_init(&out, arena);
    static const struct tables none = {0};
    add_header(&out, &none); // readers of version 2 skip the 32-bit tables
    add_header(&out, tables);
    for (size_t i = 0; i < tables->transition_count; i++) {
        add_big(&out, tables->transitions[i].at, 8);
    }
    for (size_t i = 0; i < tables->transition_count; i++) {
        add_big(&out, tables->transitions[i].type, 1);
    }
    for (size_t i = 0; i < tables->type_count; i++) {
        add_big(&out, tables->types[i].seconds, 4);
        add_big(&out, tables->types[i].is_summer, 1);
        add_big(&out, tables->types[i].name, 1);
    }
    text_add(&out, tables->names);
    text_format(&out, "\n%s\n", tables->rule);
    return text_str(&out);
}

static const struct transition transitions[] = {{-1000 * DAY, 1}, {1000 * DAY, 2}, {1200 * DAY, 1}};
static const struct type types[] = {{-2 * HOUR - 30, 0, 0}, {HOUR, 0, 4}, {2 * HOUR, 1, 8}};
static const struct tables sample = {
    transitions, 3, types, 3, STR_INIT("LMT\0STD\0SUM\0"), "STD-1SUM,M3.5.0,M10.5.0/3"};

static void assert_offset(const struct time_zone *zone, int64_t at, int32_t seconds,
                          const char *name) {
    const struct time_zone_offset offset = time_zone_at(zone, at);
    assert_int_equal(offset.seconds, seconds);
    assert_string_equal(offset.name, name);
}

static void reads_the_tables(void **state) {
    (void)state;
    SCRATCH(arena);
    const str bytes = zone_bytes(&arena, &sample);
    struct time_zone *zone = time_zone_parse(STR("Test/Zone"), bytes.data, bytes.size);
    assert_non_null(zone);
    assert_true(str_equal(time_zone_name(zone), STR("Test/Zone")));
    assert_offset(zone, -1000 * DAY - 1, -2 * HOUR - 30, "LMT");
    assert_offset(zone, -1000 * DAY, HOUR, "STD");
    assert_offset(zone, 1000 * DAY - 1, HOUR, "STD");
    assert_offset(zone, 1000 * DAY, 2 * HOUR, "SUM");
    // Behind the last transition the rule holds: last Sundays of March and October, 01:00 UTC.
    const int64_t march = calendar_days(2024, 3, 31) * DAY + HOUR;
    const int64_t october = calendar_days(2024, 10, 27) * DAY + HOUR;
    assert_offset(zone, march - 1, HOUR, "STD");
    assert_offset(zone, march, 2 * HOUR, "SUM");
    assert_offset(zone, october - 1, 2 * HOUR, "SUM");
    assert_offset(zone, october, HOUR, "STD");
    time_zone_free(zone);
}

static void a_wall_time_in_a_gap_or_overlap_takes_the_offset_before(void **state) {
    (void)state;
    SCRATCH(arena);
    const str bytes = zone_bytes(&arena, &sample);
    struct time_zone *zone = time_zone_parse(STR("T"), bytes.data, bytes.size);
    const int64_t gap = calendar_days(2024, 3, 31) * DAY + 2 * HOUR; // 02:00 does not exist
    assert_int_equal(time_zone_to_unix(zone, gap + 1800), gap + 1800 - HOUR);
    const int64_t overlap = calendar_days(2024, 10, 27) * DAY + 2 * HOUR; // 02:00 comes twice
    assert_int_equal(time_zone_to_unix(zone, overlap + 1800), overlap + 1800 - 2 * HOUR);
    assert_int_equal(time_zone_to_unix(zone, gap - 1), gap - 1 - HOUR);
    assert_int_equal(time_zone_to_unix(zone, gap + HOUR), gap + HOUR - 2 * HOUR);
    time_zone_free(zone);
}

static void reads_every_form_of_rule(void **state) {
    (void)state;
    static const struct {
        const char *rule;
        int64_t year, month, day, hour; // an instant, UTC
        int32_t seconds;
        const char *name;
    } cases[] = {
        {"UTC0", 2050, 7, 1, 0, 0, "UTC"},
        {"<+0530>-5:30", 2050, 1, 1, 0, 19800, "+0530"},
        {"<-03>3", 2050, 1, 1, 0, -10800, "-03"},
        {"AAA5:45:15", 2050, 1, 1, 0, -20715, "AAA"},
        {"EST5EDT,M3.2.0,M11.1.0", 2050, 3, 13, 6, -5 * HOUR, "EST"},
        {"EST5EDT,M3.2.0,M11.1.0", 2050, 3, 13, 7, -4 * HOUR, "EDT"},
        {"EST5EDT,M3.2.0,M11.1.0", 2050, 11, 6, 5, -4 * HOUR, "EDT"},
        {"EST5EDT,M3.2.0,M11.1.0", 2050, 11, 6, 6, -5 * HOUR, "EST"},
        // South of the equator summer goes over the new year.
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", 2050, 1, 1, 0, 11 * HOUR, "AEDT"},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", 2050, 7, 1, 0, 10 * HOUR, "AEST"},
        // Day 60 without leap days is 1 March in every year; with them it is 29 February in one.
        {"AAA0BBB,J60/0,J300/0", 2052, 2, 29, 23, 0, "AAA"},
        {"AAA0BBB,J60/0,J300/0", 2052, 3, 1, 0, HOUR, "BBB"},
        {"AAA0BBB,59/0,300/0", 2052, 2, 29, 0, HOUR, "BBB"},
        {"AAA0BBB,59/0,300/0", 2051, 3, 1, 0, HOUR, "BBB"},
        {"AAA0BBB,59/0,300/0", 2051, 2, 28, 23, 0, "AAA"},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2050, 7, 1, 0, -HOUR, "-01"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        SCRATCH(arena);
        struct tables tables = sample;
        tables.rule = cases[i].rule;
        const str bytes = zone_bytes(&arena, &tables);
        struct time_zone *zone = time_zone_parse(STR("T"), bytes.data, bytes.size);
        assert_non_null(zone);
        const int64_t days = calendar_days(cases[i].year, (int)cases[i].month, (int)cases[i].day);
        const struct time_zone_offset offset =
            time_zone_at(zone, days * DAY + cases[i].hour * HOUR);
        if (offset.seconds != cases[i].seconds || strcmp(offset.name, cases[i].name) != 0) {
            fail_msg("%s, case %zu: got %d %s", cases[i].rule, i, offset.seconds, offset.name);
        }
        time_zone_free(zone);
    }
}

// A rule that cannot be read leaves the last transition in force.
static void a_wrong_rule_is_left_out(void **state) {
    (void)state;
    static const char *const wrong[] = {"",
                                        "A1",
                                        "AAA",
                                        "AAAx",
                                        "AAA0BBB",
                                        "AAA0BBB,M3.5,M4.1.0",
                                        "AAA0BBB,M3.5.0",
                                        "<AAA",
                                        "AAA0BBB,J60,J300,x"};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        SCRATCH(arena);
        struct tables tables = sample;
        tables.rule = wrong[i];
        const str bytes = zone_bytes(&arena, &tables);
        struct time_zone *zone = time_zone_parse(STR("T"), bytes.data, bytes.size);
        assert_non_null(zone);
        const struct time_zone_offset offset = time_zone_at(zone, 40000 * (int64_t)DAY);
        if (offset.seconds != HOUR || strcmp(offset.name, "STD") != 0) {
            fail_msg("%s: got %d %s", wrong[i], offset.seconds, offset.name);
        }
        time_zone_free(zone);
    }
}

static void what_is_no_zone_file_is_refused(void **state) {
    (void)state;
    SCRATCH(arena);
    const str bytes = zone_bytes(&arena, &sample);
    const size_t rule = strlen(sample.rule) + 2;
    for (size_t size = 0; size < bytes.size; size++) {
        SCRATCH(scratch); // a copy of just this size, so that reading behind it is seen
        const str cut = str_copy(&scratch, str_slice(bytes, 0, size));
        struct time_zone *zone = time_zone_parse(STR("T"), size > 0 ? cut.data : NULL, size);
        assert_int_equal(zone != NULL, size >= bytes.size - rule);
        time_zone_free(zone);
    }
    assert_null(time_zone_parse(STR("T"), "TZif1", 5));
    struct tables empty = sample;
    empty.transition_count = empty.type_count = 0;
    const str without = zone_bytes(&arena, &empty);
    assert_null(time_zone_parse(STR("T"), without.data, without.size));
}

// Whatever bytes change, looking up stays within the file and ends.
static void survives_any_change_of_the_file(void **state) {
    (void)state;
    SCRATCH(arena);
    const str bytes = zone_bytes(&arena, &sample);
    uint32_t random = 7;
    for (int round = 0; round < 20000; round++) {
        SCRATCH(scratch);
        char *changed = arena_alloc_bytes(&scratch, bytes.size);
        memcpy(changed, bytes.data, bytes.size);
        for (int i = 0; i < 3; i++) {
            random = random * 1664525 + 1013904223;
            changed[44 + (random >> 8) % (bytes.size - 44)] = (char)(random >> 24);
        }
        struct time_zone *zone = time_zone_parse(STR("T"), changed, bytes.size);
        for (int64_t at = -200000; zone != NULL && at <= 200000; at += 50000) {
            (void)time_zone_at(zone, at * DAY);
            (void)time_zone_to_unix(zone, at * DAY);
        }
        time_zone_free(zone);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_tables),
        cmocka_unit_test(a_wall_time_in_a_gap_or_overlap_takes_the_offset_before),
        cmocka_unit_test(reads_every_form_of_rule),
        cmocka_unit_test(a_wrong_rule_is_left_out),
        cmocka_unit_test(what_is_no_zone_file_is_refused),
        cmocka_unit_test(survives_any_change_of_the_file),
    };
    return cmocka_run_group_tests_name("time zone", tests, NULL, NULL);
}
