#include "starlark/time_values.h"

#include "starlark/calendar.h"
#include "starlark/numbers.h"
#include "starlark/sequence.h"
#include "starlark/time_zone.h"

#include <math.h>
#include <stdio.h>

// ---------------------------------------------------------------------------------------------
// Durations

static const struct star_type duration_type;
static const struct star_type time_type;

static int64_t duration_ns(star_value value) {
    int64_t nanoseconds = 0;
    memcpy(&nanoseconds, star_host_payload(value), sizeof(nanoseconds));
    return nanoseconds;
}

star_value duration_value(struct star_thread *thread, int64_t nanoseconds) {
    const star_value value = star_host_new(thread, &duration_type, NULL, 0, sizeof(nanoseconds));
    if (!star_is_error(value)) {
        memcpy(star_host_payload(value), &nanoseconds, sizeof(nanoseconds));
    }
    return value;
}

bool duration_of(star_value value, int64_t *nanoseconds) {
    if (!star_is_host(value, &duration_type)) {
        return false;
    }
    *nanoseconds = duration_ns(value);
    return true;
}

static const struct {
    str name;
    int64_t nanoseconds;
} units[] = {
    {STR_INIT("ns"), 1},
    {STR_INIT("us"), 1000},
    {STR_INIT("\xC2\xB5s"), 1000}, // micro sign
    {STR_INIT("\xCE\xBCs"), 1000}, // Greek mu
    {STR_INIT("ms"), 1000000},
    {STR_INIT("s"), SECOND_NS},
    {STR_INIT("m"), 60 * SECOND_NS},
    {STR_INIT("h"), 3600 * SECOND_NS},
};

static int64_t unit_take(str *text) {
    for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
        const str rest = str_from_offset(*text, units[i].name.size);
        const bool ends =
            rest.size == 0 || (rest.data[0] >= '0' && rest.data[0] <= '9') || rest.data[0] == '.';
        if (str_starts_with(*text, units[i].name) && ends) {
            *text = rest;
            return units[i].nanoseconds;
        }
    }
    return 0;
}

// One "1.5h"; adds it to *total.
static bool duration_part(str *text, int64_t *total) {
    int64_t whole = 0;
    int64_t fraction = 0;
    int64_t scale = 1;
    size_t digits = 0;
    size_t i = 0;
    for (; i < text->size && text->data[i] >= '0' && text->data[i] <= '9'; i++, digits++) {
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, text->data[i] - '0', &whole)) {
            return false;
        }
    }
    if (i < text->size && text->data[i] == '.') {
        for (i++; i < text->size && text->data[i] >= '0' && text->data[i] <= '9'; i++, digits++) {
            if (scale < INT64_C(100000000000)) {
                fraction = fraction * 10 + (text->data[i] - '0');
                scale *= 10;
            }
        }
    }
    *text = str_from_offset(*text, i);
    const int64_t unit = unit_take(text);
    int64_t nanoseconds = 0;
    if (digits == 0 || unit == 0 || __builtin_mul_overflow(whole, unit, &nanoseconds)) {
        return false;
    }
    const int64_t part = (int64_t)((double)fraction * ((double)unit / (double)scale));
    return !__builtin_add_overflow(nanoseconds, part, &nanoseconds) &&
           !__builtin_add_overflow(*total, nanoseconds, total);
}

bool duration_read(str text, int64_t *nanoseconds) {
    const bool negative = str_starts_with(text, STR("-"));
    if (negative || str_starts_with(text, STR("+"))) {
        text = str_from_offset(text, 1);
    }
    int64_t total = 0;
    if (str_equal(text, STR("0"))) {
        *nanoseconds = 0;
        return true;
    }
    if (text.size == 0) {
        return false;
    }
    while (text.size > 0) {
        if (!duration_part(&text, &total)) {
            return false;
        }
    }
    *nanoseconds = negative ? -total : total;
    return true;
}

// `value` / 10^places without trailing zeros.
static void add_decimal(struct star_text *out, uint64_t value, int places) {
    uint64_t scale = 1;
    for (int i = 0; i < places; i++) {
        scale *= 10;
    }
    char text[48];
    int size = snprintf(text, sizeof(text), "%llu", (unsigned long long)(value / scale));
    if (value % scale != 0) {
        size += snprintf(text + size, sizeof(text) - (size_t)size, ".%0*llu", places,
                         (unsigned long long)(value % scale));
        while (text[size - 1] == '0') {
            size--;
        }
    }
    star_text_add(out, text, (size_t)size);
}

// "1h30m0s", "1.5s", "300ms", "0s".
static bool duration_string(struct star_thread *thread, star_value self, struct star_text *out) {
    (void)thread;
    const int64_t nanoseconds = duration_ns(self);
    uint64_t rest = nanoseconds < 0 ? UINT64_C(0) - (uint64_t)nanoseconds : (uint64_t)nanoseconds;
    if (nanoseconds < 0) {
        star_text_add_char(out, '-');
    }
    if (rest == 0) {
        return star_text_add_cstring(out, "0s");
    }
    if (rest < (uint64_t)SECOND_NS) {
        const int places = rest < 1000 ? 0 : rest < 1000000 ? 3 : 6;
        add_decimal(out, rest, places);
        return star_text_add_cstring(out, places == 0 ? "ns" : places == 3 ? "\xC2\xB5s" : "ms");
    }
    const uint64_t minute = 60 * (uint64_t)SECOND_NS;
    const uint64_t hours = rest / (60 * minute);
    if (hours > 0) {
        add_decimal(out, hours, 0);
        star_text_add_char(out, 'h');
    }
    if (rest >= minute) {
        add_decimal(out, rest / minute % 60, 0);
        star_text_add_char(out, 'm');
    }
    add_decimal(out, rest % minute, 9);
    return star_text_add_char(out, 's');
}

static star_value duration_attribute(struct star_thread *thread, star_value self, const char *name,
                                     size_t size) {
    const str text = {name, size};
    const int64_t nanoseconds = duration_ns(self);
    if (str_equal(text, STR("hours"))) {
        return star_from_double((double)nanoseconds / (3600.0 * (double)SECOND_NS));
    }
    if (str_equal(text, STR("minutes"))) {
        return star_from_double((double)nanoseconds / (60.0 * (double)SECOND_NS));
    }
    if (str_equal(text, STR("seconds"))) {
        return star_from_double((double)nanoseconds / (double)SECOND_NS);
    }
    if (str_equal(text, STR("milliseconds"))) {
        return star_int(thread, nanoseconds / 1000000);
    }
    if (str_equal(text, STR("microseconds"))) {
        return star_int(thread, nanoseconds / 1000);
    }
    return str_equal(text, STR("nanoseconds")) ? star_int(thread, nanoseconds) : STAR_UNSET;
}

static star_value fail_range(struct star_thread *thread) {
    return star_fail(thread, "duration out of range");
}

static star_value duration_scaled(struct star_thread *thread, double nanoseconds) {
    if (!(fabs(nanoseconds) < 0x1p63)) {
        return fail_range(thread);
    }
    return duration_value(thread, (int64_t)nanoseconds);
}

static star_value duration_divide(struct star_thread *thread, int64_t self, star_value other) {
    int64_t divisor = 0;
    double number = 0;
    if (duration_of(other, &divisor)) {
        return star_float_divide(thread, (double)self, (double)divisor);
    }
    if (star_is_int(other) && star_get_int64(other, &divisor) && divisor != 0) {
        return divisor == -1 && self == INT64_MIN ? fail_range(thread)
                                                  : duration_value(thread, self / divisor);
    }
    if (!star_is_int(other) && !star_is_float(other)) {
        return STAR_UNSET;
    }
    if (!star_get_double(other, &number) || number == 0) {
        return star_fail(thread, "duration division by zero");
    }
    return duration_scaled(thread, (double)self / number);
}

static star_value duration_floor(struct star_thread *thread, int64_t self, star_value other) {
    int64_t divisor = 0;
    if (!duration_of(other, &divisor)) {
        return STAR_UNSET;
    }
    if (divisor == 0) {
        return star_fail(thread, "duration division by zero");
    }
    if (divisor == -1) {
        return self == INT64_MIN ? fail_range(thread) : star_int(thread, -self);
    }
    const bool floored = (self < 0) != (divisor < 0) && self % divisor != 0;
    return star_int(thread, self / divisor - (floored ? 1 : 0));
}

static star_value duration_times(struct star_thread *thread, int64_t self, star_value other) {
    int64_t factor = 0;
    int64_t product = 0;
    if (!star_is_int(other)) {
        return STAR_UNSET;
    }
    if (!star_get_int64(other, &factor) || __builtin_mul_overflow(self, factor, &product)) {
        return fail_range(thread);
    }
    return duration_value(thread, product);
}

static star_value time_shift(struct star_thread *thread, star_value time, int64_t nanoseconds,
                             bool subtract);

static star_value duration_binary(struct star_thread *thread, enum star_operator operator,
                                  star_value self, star_value other, bool reversed) {
    const int64_t left = duration_ns(self);
    int64_t right = 0;
    int64_t result = 0;
    if (operator== STAR_OP_MULTIPLY) {
        return duration_times(thread, left, other);
    }
    if (operator== STAR_OP_ADD && star_is_host(other, &time_type)) {
        return time_shift(thread, other, left, false);
    }
    if (reversed) {
        return STAR_UNSET;
    }
    if (operator== STAR_OP_DIVIDE) {
        return duration_divide(thread, left, other);
    }
    if (operator== STAR_OP_FLOOR_DIVIDE) {
        return duration_floor(thread, left, other);
    }
    if ((operator!= STAR_OP_ADD && operator!= STAR_OP_SUBTRACT) || !duration_of(other, &right)) {
        return STAR_UNSET;
    }
    const bool overflow = operator== STAR_OP_ADD ? __builtin_add_overflow(left, right, &result)
                                                 : __builtin_sub_overflow(left, right, &result);
    return overflow ? fail_range(thread) : duration_value(thread, result);
}

static star_value duration_negate(struct star_thread *thread, star_value self) {
    const int64_t nanoseconds = duration_ns(self);
    return nanoseconds == INT64_MIN ? fail_range(thread) : duration_value(thread, -nanoseconds);
}

static int duration_compare(star_value a, star_value b) {
    const int64_t left = duration_ns(a);
    const int64_t right = duration_ns(b);
    return (left > right) - (left < right);
}

static bool duration_equal(star_value a, star_value b) {
    return duration_ns(a) == duration_ns(b);
}

static uint32_t duration_hash(star_value self) {
    const uint64_t hash = (uint64_t)duration_ns(self);
    return (uint32_t)(hash ^ hash >> 32);
}

static bool duration_truth(star_value self) {
    return duration_ns(self) != 0;
}

static const char *const duration_names[] = {
    "hours", "microseconds", "milliseconds", "minutes", "nanoseconds", "seconds", NULL};

static const struct star_type duration_type = {
    .name = "time.duration",
    .attribute = duration_attribute,
    .attribute_names = duration_names,
    .binary = duration_binary,
    .negate = duration_negate,
    .compare = duration_compare,
    .equal = duration_equal,
    .hash = duration_hash,
    .truth = duration_truth,
    .string = duration_string,
};

// ---------------------------------------------------------------------------------------------
// Zones

static void zone_free(void *data) {
    time_zone_free(data);
}

static const struct star_type zone_type = {.name = "time.zone", .free = zone_free};

star_value time_zone_value(struct star_thread *thread, struct time_zone *zone) {
    if (zone == NULL) {
        return star_fail(thread, "out of memory");
    }
    const star_value value = star_host_new(thread, &zone_type, zone, 0, 0);
    if (star_is_error(value)) {
        time_zone_free(zone);
    }
    return value;
}

const struct time_zone *time_zone_of(star_value zone) {
    return star_is_none(zone) ? NULL : star_host_data(zone, &zone_type);
}

static struct time_zone_offset offset_at(star_value zone, int64_t seconds) {
    const struct time_zone *found = time_zone_of(zone);
    return found == NULL ? (struct time_zone_offset){.name = "UTC"} : time_zone_at(found, seconds);
}

// ---------------------------------------------------------------------------------------------
// Instants

struct instant {
    int64_t seconds;
    int64_t nanosecond; // 0 to 999,999,999
};

static struct instant instant_of(star_value value) {
    struct instant instant;
    memcpy(&instant, star_host_payload(value), sizeof(instant));
    return instant;
}

star_value time_value(struct star_thread *thread, int64_t seconds, int64_t nanosecond,
                      star_value zone) {
    int64_t carry = nanosecond / SECOND_NS;
    nanosecond %= SECOND_NS;
    if (nanosecond < 0) {
        nanosecond += SECOND_NS;
        carry--;
    }
    if (__builtin_add_overflow(seconds, carry, &seconds) || seconds > TIME_SECONDS_MAX ||
        seconds < -TIME_SECONDS_MAX) {
        return star_fail(thread, "time out of range");
    }
    const struct instant instant = {seconds, nanosecond};
    const star_value value = star_host_new(thread, &time_type, NULL, 1, sizeof(instant));
    if (!star_is_error(value)) {
        star_host_slots(value)[0] = zone;
        memcpy(star_host_payload(value), &instant, sizeof(instant));
    }
    return value;
}

static star_value time_shift(struct star_thread *thread, star_value time, int64_t nanoseconds,
                             bool subtract) {
    const struct instant instant = instant_of(time);
    int64_t seconds = nanoseconds / SECOND_NS;
    int64_t rest = nanoseconds % SECOND_NS;
    if (subtract) {
        seconds = -seconds;
        rest = -rest;
    }
    return time_value(thread, instant.seconds + seconds, instant.nanosecond + rest,
                      star_host_slots(time)[0]);
}

static star_value time_difference(struct star_thread *thread, star_value a, star_value b) {
    const struct instant left = instant_of(a);
    const struct instant right = instant_of(b);
    int64_t total = 0;
    if (__builtin_mul_overflow(left.seconds - right.seconds, SECOND_NS, &total) ||
        __builtin_add_overflow(total, left.nanosecond - right.nanosecond, &total)) {
        return fail_range(thread);
    }
    return duration_value(thread, total);
}

static star_value time_binary(struct star_thread *thread, enum star_operator operator,
                              star_value self, star_value other, bool reversed) {
    int64_t nanoseconds = 0;
    if (operator== STAR_OP_SUBTRACT && !reversed && star_is_host(other, &time_type)) {
        return time_difference(thread, self, other);
    }
    if (!duration_of(other, &nanoseconds) || (reversed && operator!= STAR_OP_ADD) ||
        (operator!= STAR_OP_ADD && operator!= STAR_OP_SUBTRACT)) {
        return STAR_UNSET;
    }
    return time_shift(thread, self, nanoseconds, operator== STAR_OP_SUBTRACT);
}

static int time_compare(star_value a, star_value b) {
    const struct instant left = instant_of(a);
    const struct instant right = instant_of(b);
    if (left.seconds != right.seconds) {
        return left.seconds < right.seconds ? -1 : 1;
    }
    return (left.nanosecond > right.nanosecond) - (left.nanosecond < right.nanosecond);
}

static bool time_equal(star_value a, star_value b) {
    return time_compare(a, b) == 0;
}

static uint32_t time_hash(star_value self) {
    const struct instant instant = instant_of(self);
    return (uint32_t)instant.seconds * UINT32_C(1000003) ^ (uint32_t)instant.nanosecond;
}

static void time_add(struct star_text *out, star_value self, str layout) {
    const struct instant instant = instant_of(self);
    const struct time_zone_offset offset = offset_at(star_host_slots(self)[0], instant.seconds);
    const struct calendar_time time =
        calendar_from_seconds(instant.seconds + offset.seconds, (int)instant.nanosecond);
    calendar_format(out, layout, &time, offset.seconds, str_from(offset.name));
}

static bool time_string(struct star_thread *thread, star_value self, struct star_text *out) {
    (void)thread;
    time_add(out, self, STR("2006-01-02 15:04:05.999999999 -0700 MST"));
    return !out->failed;
}

static star_value unix_nano(struct star_thread *thread, struct instant instant) {
    const star_value seconds = star_int_binary(
        thread, STAR_OP_MULTIPLY, star_int(thread, instant.seconds), star_from_small(SECOND_NS));
    return star_is_error(seconds)
               ? seconds
               : star_int_binary(thread, STAR_OP_ADD, seconds, star_from_small(instant.nanosecond));
}

static star_value time_attribute(struct star_thread *thread, star_value self, const char *name,
                                 size_t size) {
    const str text = {name, size};
    const struct instant instant = instant_of(self);
    const struct time_zone_offset offset = offset_at(star_host_slots(self)[0], instant.seconds);
    const struct calendar_time time =
        calendar_from_seconds(instant.seconds + offset.seconds, (int)instant.nanosecond);
    const struct {
        str name;
        int64_t value;
    } fields[] = {
        {STR("year"), time.year},
        {STR("month"), time.month},
        {STR("day"), time.day},
        {STR("hour"), time.hour},
        {STR("minute"), time.minute},
        {STR("second"), time.second},
        {STR("nanosecond"), instant.nanosecond},
        {STR("unix"), instant.seconds},
    };
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        if (str_equal(text, fields[i].name)) {
            return star_int(thread, fields[i].value);
        }
    }
    return str_equal(text, STR("unix_nano")) ? unix_nano(thread, instant) : STAR_UNSET;
}

static star_value time_format(struct star_thread *thread, const struct star_call_info *call) {
    struct star_text out;
    star_text_init(&out, thread);
    const str layout = star_text_of(call->arguments[0]);
    if (!star_charge(thread, layout.size / 4)) {
        return STAR_ERROR;
    }
    time_add(&out, call->receiver, layout);
    return star_text_finish(&out);
}

static star_value time_in_location(struct star_thread *thread, const struct star_call_info *call) {
    const str name = star_text_of(call->arguments[0]);
    struct time_zone *found = time_zone_open(name);
    if (found == NULL) {
        return star_fail(thread, "in_location: unknown time zone " STR_FORMAT, STR_ARGS(name));
    }
    const star_value zone = time_zone_value(thread, found);
    const struct instant instant = instant_of(call->receiver);
    return star_is_error(zone) ? zone
                               : time_value(thread, instant.seconds, instant.nanosecond, zone);
}

static const struct star_parameter layout_parameters[] = {
    {"layout", STAR_REQUIRED, STAR_TAKES(STAR_KIND_STRING)}};
static const struct star_parameter location_parameters[] = {
    {"location", STAR_REQUIRED, STAR_TAKES(STAR_KIND_STRING)}};
static const struct star_builtin time_methods[] = {
    STAR_BUILTIN("format", time_format, layout_parameters),
    STAR_BUILTIN("in_location", time_in_location, location_parameters),
};
static const char *const time_names[] = {"day",    "hour", "minute",    "month", "nanosecond",
                                         "second", "unix", "unix_nano", "year",  NULL};

static const struct star_type time_type = {
    .name = "time.time",
    .attribute = time_attribute,
    .attribute_names = time_names,
    .methods = time_methods,
    .method_count = ARRAY_COUNT(time_methods),
    .binary = time_binary,
    .compare = time_compare,
    .equal = time_equal,
    .hash = time_hash,
    .string = time_string,
};
