#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

// Time as the program sees it; a test puts a fake clock in.
//
// Units are in the names: us = microseconds since the Unix epoch (wall) or since some start
// (monotonic), ms = milliseconds.
// Threads: any, when the implementation says so; the system clock does.

#include "base/error.h"

struct interrupt;

struct clock {
    int64_t (*wall_us)(void *self);
    int64_t (*monotonic_us)(void *self);
    // Waits, or returns early with ERROR_CANCELLED when `interrupt` is raised.
    enum error_code (*sleep_us)(void *self, int64_t us, struct interrupt *interrupt);
    void *self;
};

// The machine's own clock.
struct clock clock_system(void);
int64_t clock_wall_us(const struct clock *clock);
int64_t clock_monotonic_us(const struct clock *clock);
// ERROR_CANCELLED (with a message in err) when interrupted.
MUST_USE enum error_code clock_sleep_us(const struct clock *clock, int64_t us,
                                        struct interrupt *interrupt, struct error *err);

// "2024-01-02T03:04:05.678901Z"; the fraction is left out when zero.
enum { TIME_TEXT_SIZE = 40 };
str time_format_utc(struct arena *arena, int64_t wall_us);
// "20240102-030405", for run ids.
str time_format_compact(struct arena *arena, int64_t wall_us);
// RFC 3339 and "YYYY-MM-DD[ HH:MM:SS[.f]]" as UTC.
bool time_parse(str text, int64_t *wall_us);
// The three date forms of RFC 9110 §5.6.7 (HTTP headers).
bool time_parse_http(str text, int64_t *wall_us);

// "90s", "1m30s", "1.5s", "1d": units ms s m h d, total > 0 (libs.md §3.3).
bool duration_parse(str text, int64_t *us);
// "1.2s", "45ms", "3m20s": for people.
str duration_format(struct arena *arena, int64_t us);

#endif
