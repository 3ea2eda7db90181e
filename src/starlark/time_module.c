// The module time (spec/starlark.md §10).
//
// Zones come from the system's zoneinfo files (time_zone.c).  Without a location everything is in
// UTC, now() and from_timestamp() too: what a script sees does not depend on the machine's zone.

#include "starlark/builtins.h"
#include "starlark/calendar.h"
#include "starlark/sequence.h"
#include "starlark/time_values.h"
#include "starlark/time_zone.h"

#include <time.h>

// None for UTC; STAR_ERROR after star_fail.
static star_value zone_argument(struct star_thread *thread, const char *function,
                                star_value location) {
    const str name = star_is_unset(location) ? STR("UTC") : star_text_of(location);
    if (name.size == 0 || str_equal(name, STR("UTC"))) {
        return STAR_NONE;
    }
    struct time_zone *zone = time_zone_open(name);
    if (zone == NULL) {
        return star_fail(thread, "%s: unknown time zone " STR_FORMAT, function, STR_ARGS(name));
    }
    return time_zone_value(thread, zone);
}

static int64_t to_unix(star_value zone, int64_t wall_seconds) {
    const struct time_zone *found = time_zone_of(zone);
    return found == NULL ? wall_seconds : time_zone_to_unix(found, wall_seconds);
}

static star_value time_now(struct star_thread *thread, const struct star_call_info *call) {
    (void)call;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return time_value(thread, now.tv_sec, now.tv_nsec, STAR_NONE);
}

static star_value time_from_timestamp(struct star_thread *thread,
                                      const struct star_call_info *call) {
    int64_t seconds = 0;
    int64_t nanoseconds = 0;
    if (!star_get_int64(call->arguments[0], &seconds) ||
        (!star_is_unset(call->arguments[1]) && !star_get_int64(call->arguments[1], &nanoseconds))) {
        return star_fail(thread, "from_timestamp: time out of range");
    }
    return time_value(thread, seconds, nanoseconds, STAR_NONE);
}

// Fields may be out of their ranges and carry over: month 13 is January of the next year.
static star_value time_time(struct star_thread *thread, const struct star_call_info *call) {
    enum { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, NANOSECOND, FIELD_COUNT };
    const int64_t limit = INT64_C(1) << 31;
    int64_t fields[FIELD_COUNT] = {1, 1, 1, 0, 0, 0, 0};
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const star_value given = call->arguments[i];
        if (!star_is_unset(given) &&
            (!star_get_int64(given, &fields[i]) || fields[i] > limit || fields[i] < -limit)) {
            return star_fail(thread, "time: time out of range");
        }
    }
    if (fields[YEAR] > 30000 || fields[YEAR] < -30000) {
        return star_fail(thread, "time: time out of range");
    }
    const star_value zone = zone_argument(thread, "time", call->arguments[FIELD_COUNT]);
    if (star_is_error(zone)) {
        return zone;
    }
    const int64_t wall = calendar_days(fields[YEAR], fields[MONTH], fields[DAY]) * 86400 +
                         fields[HOUR] * 3600 + fields[MINUTE] * 60 + fields[SECOND];
    return time_value(thread, to_unix(zone, wall), fields[NANOSECOND], zone);
}

// The zone that the text itself names.
static star_value parsed_zone(struct star_thread *thread, const struct calendar_parsed *parsed) {
    if (parsed->offset_seconds == 0) {
        return STAR_NONE;
    }
    return time_zone_value(thread, time_zone_fixed(parsed->offset_seconds, str_from(parsed->zone)));
}

static star_value time_parse_time(struct star_thread *thread, const struct star_call_info *call) {
    const str text = star_text_of(call->arguments[0]);
    const str layout = star_is_unset(call->arguments[1]) ? STR("2006-01-02T15:04:05Z07:00")
                                                         : star_text_of(call->arguments[1]);
    struct calendar_parsed parsed;
    const char *problem = NULL;
    if (!star_charge(thread, (text.size + layout.size) / 4)) {
        return STAR_ERROR;
    }
    if (!calendar_parse(layout, text, &parsed, &problem)) {
        return star_fail(
            thread, "parse_time: cannot parse \"" STR_FORMAT "\" as \"" STR_FORMAT "\": %s",
            STR_ARGS(str_slice(text, 0, 100)), STR_ARGS(str_slice(layout, 0, 100)), problem);
    }
    // A wrong location is an error also where the text has an offset of its own.
    star_value zone = zone_argument(thread, "parse_time", call->arguments[2]);
    if (!star_is_error(zone) && parsed.has_offset) {
        zone = parsed_zone(thread, &parsed);
    }
    if (star_is_error(zone)) {
        return zone;
    }
    const int64_t seconds = parsed.has_offset ? parsed.wall_seconds - parsed.offset_seconds
                                              : to_unix(zone, parsed.wall_seconds);
    return time_value(thread, seconds, parsed.nanosecond, zone);
}

static star_value time_parse_duration(struct star_thread *thread,
                                      const struct star_call_info *call) {
    int64_t nanoseconds = 0;
    if (duration_of(call->arguments[0], &nanoseconds)) {
        return call->arguments[0];
    }
    if (!star_is_string(call->arguments[0])) {
        return star_fail(thread, "parse_duration: for parameter d: got %s, want string",
                         star_type_name(call->arguments[0]));
    }
    const str text = star_text_of(call->arguments[0]);
    if (!duration_read(text, &nanoseconds)) {
        return star_fail(thread, "parse_duration: invalid duration \"" STR_FORMAT "\"",
                         STR_ARGS(str_slice(text, 0, 100)));
    }
    return duration_value(thread, nanoseconds);
}

static star_value time_is_valid_timezone(struct star_thread *thread,
                                         const struct star_call_info *call) {
    (void)thread;
    struct time_zone *zone = time_zone_open(star_text_of(call->arguments[0]));
    const bool valid = zone != NULL;
    time_zone_free(zone);
    return star_bool(valid);
}

enum { TEXT = STAR_TAKES(STAR_KIND_STRING), NUMBER = STAR_TAKES(STAR_KIND_INT) };

static const struct star_parameter no_parameters[] = {{"", STAR_REQUIRED, 0}};
static const struct star_parameter timestamp_parameters[] = {
    {"sec", STAR_REQUIRED, NUMBER},
    {"nsec", STAR_OPTIONAL, NUMBER},
};
static const struct star_parameter time_parameters[] = {
    {"year", STAR_OPTIONAL, NUMBER},       {"month", STAR_OPTIONAL, NUMBER},
    {"day", STAR_OPTIONAL, NUMBER},        {"hour", STAR_OPTIONAL, NUMBER},
    {"minute", STAR_OPTIONAL, NUMBER},     {"second", STAR_OPTIONAL, NUMBER},
    {"nanosecond", STAR_OPTIONAL, NUMBER}, {"location", STAR_OPTIONAL, TEXT},
};
static const struct star_parameter parse_parameters[] = {
    {"x", STAR_REQUIRED, TEXT},
    {"format", STAR_OPTIONAL, TEXT},
    {"location", STAR_OPTIONAL, TEXT},
};
static const struct star_parameter duration_parameters[] = {{"d", STAR_REQUIRED, 0}};
static const struct star_parameter zone_parameters[] = {{"s", STAR_REQUIRED, TEXT}};

static const struct star_builtin functions[] = {
    STAR_BUILTIN("from_timestamp", time_from_timestamp, timestamp_parameters),
    STAR_BUILTIN("is_valid_timezone", time_is_valid_timezone, zone_parameters),
    {"now", time_now, no_parameters, 0},
    STAR_BUILTIN("parse_duration", time_parse_duration, duration_parameters),
    STAR_BUILTIN("parse_time", time_parse_time, parse_parameters),
    STAR_BUILTIN("time", time_time, time_parameters),
};

static const struct {
    const char *name;
    int64_t nanoseconds;
} constants[] = {
    {"nanosecond", 1},     {"microsecond", 1000},      {"millisecond", 1000000},
    {"second", SECOND_NS}, {"minute", 60 * SECOND_NS}, {"hour", 3600 * SECOND_NS},
};

star_value star_module_time(struct star_thread *thread) {
    enum { FUNCTIONS = ARRAY_COUNT(functions), COUNT = FUNCTIONS + ARRAY_COUNT(constants) };
    const char *names[COUNT];
    star_value values[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        const bool is_function = i < FUNCTIONS;
        names[i] = is_function ? functions[i].name : constants[i - FUNCTIONS].name;
        values[i] = is_function ? star_function_new(thread, &functions[i], NULL)
                                : duration_value(thread, constants[i - FUNCTIONS].nanoseconds);
        if (star_is_error(values[i])) {
            return STAR_ERROR;
        }
    }
    const star_value module = star_struct(thread, "time", names, values, COUNT);
    return !star_is_error(module) && star_freeze(thread, module) ? module : STAR_ERROR;
}
