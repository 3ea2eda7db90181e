#ifndef STARLARK_TIME_VALUES_H
#define STARLARK_TIME_VALUES_H

// The values of the module time: instants (with the zone they are shown in) and durations.

#include "starlark/heap.h"

struct time_zone;

#define SECOND_NS INT64_C(1000000000)
// Instants lie within ±10,000 years or so of the epoch, so that no arithmetic here overflows.
#define TIME_SECONDS_MAX (INT64_C(1) << 40)

// `zone` is a value of time_zone_value(), or None for UTC.
star_value time_value(struct star_thread *thread, int64_t seconds, int64_t nanosecond,
                      star_value zone);
// Takes `zone` (NULL: out of memory).
star_value time_zone_value(struct star_thread *thread, struct time_zone *zone);
// The zone behind a zone value; NULL for None.
const struct time_zone *time_zone_of(star_value zone);

star_value duration_value(struct star_thread *thread, int64_t nanoseconds);
bool duration_of(star_value value, int64_t *nanoseconds);
// "1h30m", "-1.5h", "300ms": false when it is none or out of range.
bool duration_read(str text, int64_t *nanoseconds);

#endif
