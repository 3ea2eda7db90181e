#ifndef STARLARK_TIME_ZONE_H
#define STARLARK_TIME_ZONE_H

// Time zones, read from the system's zoneinfo files: no process-wide TZ is touched.
//
// Ownership: a zone is one malloc'ed block, freed with time_zone_free.
// Errors: an unknown or malformed zone is NULL.
// Threads: a zone is immutable.

#include "base/str.h"

struct time_zone;

struct time_zone_offset {
    int32_t seconds; // east of UTC
    char name[16];   // "CET", "UTC", "+0530"
};

// "UTC" or "" (UTC), "Local" (/etc/localtime, else UTC), or a name such as "Europe/Stockholm".
struct time_zone *time_zone_open(str name);
// From the bytes of a TZif file (RFC 8536, version 2 or later), which are copied.
struct time_zone *time_zone_parse(str name, const void *data, size_t size);
struct time_zone *time_zone_fixed(int32_t seconds, str name);
void time_zone_free(struct time_zone *zone);
str time_zone_name(const struct time_zone *zone);
// What holds at an instant (seconds since the epoch).
struct time_zone_offset time_zone_at(const struct time_zone *zone, int64_t unix_seconds);
// The instant of a wall time that is given as if it were UTC; in a gap or overlap the offset before
// the change.
int64_t time_zone_to_unix(const struct time_zone *zone, int64_t wall_seconds);

#endif
