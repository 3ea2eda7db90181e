#ifndef STARLARK_CALENDAR_H
#define STARLARK_CALENDAR_H

// Days and civil dates of the proleptic Gregorian calendar, and layouts written with the reference
// date Mon Jan 2 15:04:05 MST 2006 (spec/starlark.md §10).

#include "base/str.h"
#include "starlark/heap.h"

struct calendar_time {
    int64_t year;
    int month;      // 1 to 12
    int day;        // 1 to 31
    int hour;       // 0 to 23
    int minute;     // 0 to 59
    int second;     // 0 to 59
    int nanosecond; // 0 to 999,999,999
    int weekday;    // 0 is Sunday
    int year_day;   // 1 to 366
};

// Days since 1970-01-01; month and day may be out of range and carry over.
int64_t calendar_days(int64_t year, int64_t month, int64_t day);
// The fields of an instant given as seconds of wall time.
struct calendar_time calendar_from_seconds(int64_t wall_seconds, int nanosecond);

// Adds the time in the layout.  `offset_seconds` and `zone` are of the instant.
void calendar_format(struct star_text *out, str layout, const struct calendar_time *time,
                     int32_t offset_seconds, str zone);

struct calendar_parsed {
    int64_t wall_seconds;
    int nanosecond;
    bool has_offset; // the text said Z, ±hh:mm or a zone's name that is UTC
    int32_t offset_seconds;
    char zone[16]; // the name in the text; "" when there was none
};
// Parses the whole text.  On failure *problem says what was expected (static).
bool calendar_parse(str layout, str text, struct calendar_parsed *parsed, const char **problem);

#endif
