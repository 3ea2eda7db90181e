#include "starlark/calendar.h"

#include <stdio.h>

static const char *const month_names[12] = {"January",   "February", "March",    "April",
                                            "May",       "June",     "July",     "August",
                                            "September", "October",  "November", "December"};
static const char *const day_names[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                         "Thursday", "Friday", "Saturday"};

// ---------------------------------------------------------------------------------------------
// Days

static int64_t floor_divide(int64_t a, int64_t b) {
    return a / b - (a % b < 0 ? 1 : 0);
}

// After Howard Hinnant's days_from_civil: years begin in March, so the leap day is their last.
int64_t calendar_days(int64_t year, int64_t month, int64_t day) {
    year += floor_divide(month - 1, 12);
    month = (month - 1) - floor_divide(month - 1, 12) * 12 + 1;
    year -= month <= 2 ? 1 : 0;
    const int64_t era = floor_divide(year, 400);
    const int64_t year_of_era = year - era * 400;
    const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;
    const int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468 + day - 1;
}

struct calendar_time calendar_from_seconds(int64_t wall_seconds, int nanosecond) {
    const int64_t days = floor_divide(wall_seconds, 86400);
    const int64_t rest = wall_seconds - days * 86400;
    const int64_t shifted = days + 719468;
    const int64_t era = floor_divide(shifted, 146097);
    const int64_t day_of_era = shifted - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t month_from_march = (5 * day_of_year + 2) / 153;
    struct calendar_time time = {
        .day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
        .month = (int)(month_from_march + (month_from_march < 10 ? 3 : -9)),
        .hour = (int)(rest / 3600),
        .minute = (int)(rest / 60 % 60),
        .second = (int)(rest % 60),
        .nanosecond = nanosecond,
        .weekday = (int)(((days + 4) % 7 + 7) % 7),
    };
    time.year = year_of_era + era * 400 + (time.month <= 2 ? 1 : 0);
    time.year_day = (int)(days - calendar_days(time.year, 1, 1)) + 1;
    return time;
}

static int month_length(int64_t year, int64_t month) {
    return (int)(calendar_days(year, month + 1, 1) - calendar_days(year, month, 1));
}

// ---------------------------------------------------------------------------------------------
// Layouts: a layout is cut into elements; the longest element at a place wins

enum element {
    ELEMENT_NONE,
    ELEMENT_YEAR,
    ELEMENT_YEAR_SHORT,
    ELEMENT_MONTH_NAME,
    ELEMENT_MONTH_NAME_SHORT,
    ELEMENT_MONTH_ZERO,
    ELEMENT_MONTH,
    ELEMENT_WEEKDAY,
    ELEMENT_WEEKDAY_SHORT,
    ELEMENT_DAY_ZERO,
    ELEMENT_DAY_SPACE,
    ELEMENT_DAY,
    ELEMENT_YEAR_DAY_ZERO,
    ELEMENT_YEAR_DAY_SPACE,
    ELEMENT_HOUR,
    ELEMENT_HOUR12_ZERO,
    ELEMENT_HOUR12,
    ELEMENT_MINUTE_ZERO,
    ELEMENT_MINUTE,
    ELEMENT_SECOND_ZERO,
    ELEMENT_SECOND,
    ELEMENT_PM_UPPER,
    ELEMENT_PM_LOWER,
    ELEMENT_ZONE_NAME,
    ELEMENT_OFFSET,       // -0700
    ELEMENT_OFFSET_COLON, // -07:00
    ELEMENT_OFFSET_HOUR,  // -07
    ELEMENT_Z_OFFSET,     // Z0700
    ELEMENT_Z_OFFSET_COLON,
    ELEMENT_Z_OFFSET_HOUR,
    ELEMENT_FRACTION_ZERO, // .000
    ELEMENT_FRACTION_NINE, // .999
};

static const struct {
    str text;
    enum element element;
} elements[] = {
    {STR_INIT("January"), ELEMENT_MONTH_NAME},
    {STR_INIT("Jan"), ELEMENT_MONTH_NAME_SHORT},
    {STR_INIT("Monday"), ELEMENT_WEEKDAY},
    {STR_INIT("Mon"), ELEMENT_WEEKDAY_SHORT},
    {STR_INIT("MST"), ELEMENT_ZONE_NAME},
    {STR_INIT("2006"), ELEMENT_YEAR},
    {STR_INIT("__2"), ELEMENT_YEAR_DAY_SPACE},
    {STR_INIT("_2"), ELEMENT_DAY_SPACE},
    {STR_INIT("002"), ELEMENT_YEAR_DAY_ZERO},
    {STR_INIT("01"), ELEMENT_MONTH_ZERO},
    {STR_INIT("02"), ELEMENT_DAY_ZERO},
    {STR_INIT("03"), ELEMENT_HOUR12_ZERO},
    {STR_INIT("04"), ELEMENT_MINUTE_ZERO},
    {STR_INIT("05"), ELEMENT_SECOND_ZERO},
    {STR_INIT("06"), ELEMENT_YEAR_SHORT},
    {STR_INIT("15"), ELEMENT_HOUR},
    {STR_INIT("PM"), ELEMENT_PM_UPPER},
    {STR_INIT("pm"), ELEMENT_PM_LOWER},
    {STR_INIT("-07:00"), ELEMENT_OFFSET_COLON},
    {STR_INIT("-0700"), ELEMENT_OFFSET},
    {STR_INIT("-07"), ELEMENT_OFFSET_HOUR},
    {STR_INIT("Z07:00"), ELEMENT_Z_OFFSET_COLON},
    {STR_INIT("Z0700"), ELEMENT_Z_OFFSET},
    {STR_INIT("Z07"), ELEMENT_Z_OFFSET_HOUR},
    {STR_INIT("1"), ELEMENT_MONTH},
    {STR_INIT("2"), ELEMENT_DAY},
    {STR_INIT("3"), ELEMENT_HOUR12},
    {STR_INIT("4"), ELEMENT_MINUTE},
    {STR_INIT("5"), ELEMENT_SECOND},
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// .000, ,000, .999: the digits alike and no other digit behind them.
static enum element fraction_at(str layout, size_t *size) {
    if (layout.size < 2 || (layout.data[0] != '.' && layout.data[0] != ',')) {
        return ELEMENT_NONE;
    }
    const char digit = layout.data[1];
    if (digit != '0' && digit != '9') {
        return ELEMENT_NONE;
    }
    size_t end = 1;
    while (end < layout.size && layout.data[end] == digit) {
        end++;
    }
    if (end < layout.size && is_digit(layout.data[end])) {
        return ELEMENT_NONE;
    }
    *size = end;
    return digit == '0' ? ELEMENT_FRACTION_ZERO : ELEMENT_FRACTION_NINE;
}

static enum element element_at(str layout, size_t *size) {
    for (size_t i = 0; i < ARRAY_COUNT(elements); i++) {
        if (str_starts_with(layout, elements[i].text)) {
            *size = elements[i].text.size;
            return elements[i].element;
        }
    }
    return fraction_at(layout, size);
}

// ---------------------------------------------------------------------------------------------
// Format

// At least `width` characters, filled up with `fill`.
static void add_number(struct star_text *out, int width, char fill, int64_t number) {
    char text[32];
    const int size = fill == '0' ? snprintf(text, sizeof(text), "%0*lld", width, (long long)number)
                                 : snprintf(text, sizeof(text), "%*lld", width, (long long)number);
    star_text_add(out, text, (size_t)size);
}

static void add_offset(struct star_text *out, enum element element, int32_t seconds) {
    const bool z = element == ELEMENT_Z_OFFSET || element == ELEMENT_Z_OFFSET_COLON ||
                   element == ELEMENT_Z_OFFSET_HOUR;
    if (z && seconds == 0) {
        star_text_add_char(out, 'Z');
        return;
    }
    const int32_t minutes = (seconds < 0 ? -seconds : seconds) / 60;
    star_text_add_char(out, seconds < 0 ? '-' : '+');
    add_number(out, 2, '0', minutes / 60);
    if (element == ELEMENT_OFFSET_COLON || element == ELEMENT_Z_OFFSET_COLON) {
        star_text_add_char(out, ':');
    }
    if (element != ELEMENT_OFFSET_HOUR && element != ELEMENT_Z_OFFSET_HOUR) {
        add_number(out, 2, '0', minutes % 60);
    }
}

static void add_fraction(struct star_text *out, bool trim, str layout, int nanosecond) {
    char digits[16];
    snprintf(digits, sizeof(digits), "%09d", nanosecond);
    size_t count = layout.size - 1 < 9 ? layout.size - 1 : 9;
    while (trim && count > 0 && digits[count - 1] == '0') {
        count--;
    }
    if (count > 0) {
        star_text_add_char(out, layout.data[0]);
        star_text_add(out, digits, count);
    }
}

static void add_element(struct star_text *out, enum element element, str layout,
                        const struct calendar_time *time, int32_t offset, str zone) {
    const int hour12 = time->hour % 12 == 0 ? 12 : time->hour % 12;
    switch (element) {
    case ELEMENT_NONE:
        break;
    case ELEMENT_YEAR:
        add_number(out, time->year < 0 ? 5 : 4, '0', time->year);
        break;
    case ELEMENT_YEAR_SHORT:
        add_number(out, 2, '0', (time->year % 100 + 100) % 100);
        break;
    case ELEMENT_MONTH_NAME:
        star_text_add_cstring(out, month_names[time->month - 1]);
        break;
    case ELEMENT_MONTH_NAME_SHORT:
        star_text_add(out, month_names[time->month - 1], 3);
        break;
    case ELEMENT_MONTH_ZERO:
        add_number(out, 2, '0', time->month);
        break;
    case ELEMENT_MONTH:
        add_number(out, 1, '0', time->month);
        break;
    case ELEMENT_WEEKDAY:
        star_text_add_cstring(out, day_names[time->weekday]);
        break;
    case ELEMENT_WEEKDAY_SHORT:
        star_text_add(out, day_names[time->weekday], 3);
        break;
    case ELEMENT_DAY_ZERO:
        add_number(out, 2, '0', time->day);
        break;
    case ELEMENT_DAY_SPACE:
        add_number(out, 2, ' ', time->day);
        break;
    case ELEMENT_DAY:
        add_number(out, 1, '0', time->day);
        break;
    case ELEMENT_YEAR_DAY_ZERO:
        add_number(out, 3, '0', time->year_day);
        break;
    case ELEMENT_YEAR_DAY_SPACE:
        add_number(out, 3, ' ', time->year_day);
        break;
    case ELEMENT_HOUR:
        add_number(out, 2, '0', time->hour);
        break;
    case ELEMENT_HOUR12_ZERO:
        add_number(out, 2, '0', hour12);
        break;
    case ELEMENT_HOUR12:
        add_number(out, 1, '0', hour12);
        break;
    case ELEMENT_MINUTE_ZERO:
        add_number(out, 2, '0', time->minute);
        break;
    case ELEMENT_MINUTE:
        add_number(out, 1, '0', time->minute);
        break;
    case ELEMENT_SECOND_ZERO:
        add_number(out, 2, '0', time->second);
        break;
    case ELEMENT_SECOND:
        add_number(out, 1, '0', time->second);
        break;
    case ELEMENT_PM_UPPER:
        star_text_add_cstring(out, time->hour >= 12 ? "PM" : "AM");
        break;
    case ELEMENT_PM_LOWER:
        star_text_add_cstring(out, time->hour >= 12 ? "pm" : "am");
        break;
    case ELEMENT_ZONE_NAME:
        star_text_add_str(out, zone);
        break;
    case ELEMENT_OFFSET:
    case ELEMENT_OFFSET_COLON:
    case ELEMENT_OFFSET_HOUR:
    case ELEMENT_Z_OFFSET:
    case ELEMENT_Z_OFFSET_COLON:
    case ELEMENT_Z_OFFSET_HOUR:
        add_offset(out, element, offset);
        break;
    case ELEMENT_FRACTION_ZERO:
    case ELEMENT_FRACTION_NINE:
        add_fraction(out, element == ELEMENT_FRACTION_NINE, layout, time->nanosecond);
        break;
    }
}

void calendar_format(struct star_text *out, str layout, const struct calendar_time *time,
                     int32_t offset_seconds, str zone) {
    for (size_t i = 0; i < layout.size && !out->failed;) {
        size_t size = 1;
        const enum element element = element_at(str_from_offset(layout, i), &size);
        if (element == ELEMENT_NONE) {
            star_text_add_char(out, layout.data[i]);
        } else {
            add_element(out, element, str_slice(layout, i, i + size), time, offset_seconds, zone);
        }
        i += size;
    }
}

// ---------------------------------------------------------------------------------------------
// Parse

struct parse {
    str rest;
    struct calendar_time time;
    struct calendar_parsed *out;
    bool pm;
    bool has_pm;
    bool has_year_day;
};

// A number of `least` to `most` digits.
static bool take_number(struct parse *parse, size_t least, size_t most, int64_t *out) {
    size_t count = 0;
    int64_t number = 0;
    while (count < most && count < parse->rest.size && is_digit(parse->rest.data[count])) {
        number = number * 10 + (parse->rest.data[count] - '0');
        count++;
    }
    parse->rest = str_from_offset(parse->rest, count);
    *out = number;
    return count >= least;
}

static bool take_int(struct parse *parse, size_t least, size_t most, int low, int high, int *out) {
    int64_t number = 0;
    if (!take_number(parse, least, most, &number) || number < low || number > high) {
        return false;
    }
    *out = (int)number;
    return true;
}

static bool take_name(struct parse *parse, const char *const *names, int count, size_t size,
                      int *out) {
    for (int i = 0; i < count; i++) {
        const str name = size == 0 ? str_from(names[i]) : (str){names[i], size};
        if (str_equal_nocase(str_slice(parse->rest, 0, name.size), name)) {
            parse->rest = str_from_offset(parse->rest, name.size);
            *out = i;
            return true;
        }
    }
    return false;
}

static bool take_offset(struct parse *parse, enum element element) {
    const bool z = element == ELEMENT_Z_OFFSET || element == ELEMENT_Z_OFFSET_COLON ||
                   element == ELEMENT_Z_OFFSET_HOUR;
    parse->out->has_offset = true;
    if (z && str_starts_with(parse->rest, STR("Z"))) {
        parse->rest = str_from_offset(parse->rest, 1);
        return true;
    }
    if (parse->rest.size == 0 || (parse->rest.data[0] != '+' && parse->rest.data[0] != '-')) {
        return false;
    }
    const int sign = parse->rest.data[0] == '-' ? -1 : 1;
    parse->rest = str_from_offset(parse->rest, 1);
    int hours = 0;
    int minutes = 0;
    if (!take_int(parse, 2, 2, 0, 24, &hours)) {
        return false;
    }
    if (element == ELEMENT_OFFSET_COLON || element == ELEMENT_Z_OFFSET_COLON) {
        if (!str_starts_with(parse->rest, STR(":"))) {
            return false;
        }
        parse->rest = str_from_offset(parse->rest, 1);
    }
    if (element != ELEMENT_OFFSET_HOUR && element != ELEMENT_Z_OFFSET_HOUR &&
        !take_int(parse, 2, 2, 0, 59, &minutes)) {
        return false;
    }
    parse->out->offset_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

// Fraction digits of any number; those behind the ninth are dropped.
static bool take_fraction(struct parse *parse) {
    size_t count = 1;
    int nanosecond = 0;
    for (int place = 100000000; count < parse->rest.size && is_digit(parse->rest.data[count]);
         count++, place /= 10) {
        nanosecond += (parse->rest.data[count] - '0') * place;
    }
    parse->time.nanosecond = nanosecond;
    parse->rest = str_from_offset(parse->rest, count);
    return count > 1;
}

static bool at_fraction(const struct parse *parse) {
    return parse->rest.size > 1 && (parse->rest.data[0] == '.' || parse->rest.data[0] == ',') &&
           is_digit(parse->rest.data[1]);
}

static bool take_zone(struct parse *parse) {
    size_t size = 0;
    while (size < parse->rest.size && parse->rest.data[size] >= 'A' &&
           parse->rest.data[size] <= 'Z') {
        size++;
    }
    if (size < 1 || size >= sizeof(parse->out->zone)) {
        return false;
    }
    memcpy(parse->out->zone, parse->rest.data, size);
    parse->out->zone[size] = '\0';
    if (str_equal(str_slice(parse->rest, 0, size), STR("UTC")) ||
        str_equal(str_slice(parse->rest, 0, size), STR("GMT"))) {
        parse->out->has_offset = true;
    }
    parse->rest = str_from_offset(parse->rest, size);
    return true;
}

static bool take_year(struct parse *parse, enum element element) {
    int64_t year = 0;
    if (element == ELEMENT_YEAR) {
        return take_number(parse, 4, 4, &parse->time.year);
    }
    if (!take_number(parse, 2, 2, &year)) {
        return false;
    }
    parse->time.year = year + (year >= 69 ? 1900 : 2000);
    return true;
}

static bool take_month(struct parse *parse, enum element element) {
    int *month = &parse->time.month;
    if (element == ELEMENT_MONTH_NAME || element == ELEMENT_MONTH_NAME_SHORT) {
        const bool taken =
            take_name(parse, month_names, 12, element == ELEMENT_MONTH_NAME ? 0 : 3, month);
        *month += 1;
        return taken;
    }
    return take_int(parse, element == ELEMENT_MONTH_ZERO ? 2 : 1, 2, 1, 12, month);
}

static void skip_spaces(struct parse *parse) {
    while (str_starts_with(parse->rest, STR(" "))) {
        parse->rest = str_from_offset(parse->rest, 1);
    }
}

static bool take_pm(struct parse *parse) {
    static const char *const halves[2] = {"AM", "PM"};
    int half = 0;
    parse->has_pm = take_name(parse, halves, 2, 0, &half);
    parse->pm = half == 1;
    return parse->has_pm;
}

static bool take_second(struct parse *parse, size_t least, str layout_rest) {
    if (!take_int(parse, least, 2, 0, 59, &parse->time.second)) {
        return false;
    }
    // A fraction in the text is taken even when the layout has none.
    size_t ignored = 0;
    if (fraction_at(layout_rest, &ignored) == ELEMENT_NONE && at_fraction(parse)) {
        return take_fraction(parse);
    }
    return true;
}

static bool take_element(struct parse *parse, enum element element, str layout_rest) {
    struct calendar_time *time = &parse->time;
    switch (element) {
    case ELEMENT_NONE:
        return false;
    case ELEMENT_YEAR:
    case ELEMENT_YEAR_SHORT:
        return take_year(parse, element);
    case ELEMENT_MONTH_NAME:
    case ELEMENT_MONTH_NAME_SHORT:
    case ELEMENT_MONTH_ZERO:
    case ELEMENT_MONTH:
        return take_month(parse, element);
    case ELEMENT_WEEKDAY:
        return take_name(parse, day_names, 7, 0, &time->weekday);
    case ELEMENT_WEEKDAY_SHORT:
        return take_name(parse, day_names, 7, 3, &time->weekday);
    case ELEMENT_DAY_SPACE:
    case ELEMENT_DAY:
        skip_spaces(parse);
        return take_int(parse, 1, 2, 1, 31, &time->day);
    case ELEMENT_DAY_ZERO:
        return take_int(parse, 2, 2, 1, 31, &time->day);
    case ELEMENT_YEAR_DAY_SPACE:
        skip_spaces(parse);
        parse->has_year_day = true;
        return take_int(parse, 1, 3, 1, 366, &time->year_day);
    case ELEMENT_YEAR_DAY_ZERO:
        parse->has_year_day = true;
        return take_int(parse, 3, 3, 1, 366, &time->year_day);
    case ELEMENT_HOUR:
        return take_int(parse, 2, 2, 0, 23, &time->hour);
    case ELEMENT_HOUR12_ZERO:
        return take_int(parse, 2, 2, 0, 12, &time->hour);
    case ELEMENT_HOUR12:
        return take_int(parse, 1, 2, 0, 12, &time->hour);
    case ELEMENT_MINUTE_ZERO:
        return take_int(parse, 2, 2, 0, 59, &time->minute);
    case ELEMENT_MINUTE:
        return take_int(parse, 1, 2, 0, 59, &time->minute);
    case ELEMENT_SECOND_ZERO:
        return take_second(parse, 2, layout_rest);
    case ELEMENT_SECOND:
        return take_second(parse, 1, layout_rest);
    case ELEMENT_PM_UPPER:
    case ELEMENT_PM_LOWER:
        return take_pm(parse);
    case ELEMENT_ZONE_NAME:
        return take_zone(parse);
    case ELEMENT_OFFSET:
    case ELEMENT_OFFSET_COLON:
    case ELEMENT_OFFSET_HOUR:
    case ELEMENT_Z_OFFSET:
    case ELEMENT_Z_OFFSET_COLON:
    case ELEMENT_Z_OFFSET_HOUR:
        return take_offset(parse, element);
    case ELEMENT_FRACTION_ZERO:
        return at_fraction(parse) && take_fraction(parse);
    case ELEMENT_FRACTION_NINE:
        return !at_fraction(parse) || take_fraction(parse);
    }
    return false;
}

static bool parse_finish(struct parse *parse, const char **problem) {
    struct calendar_time *time = &parse->time;
    if (parse->rest.size > 0) {
        *problem = "extra text";
        return false;
    }
    if (parse->has_pm) {
        time->hour = time->hour % 12 + (parse->pm ? 12 : 0);
    }
    if (parse->has_year_day) {
        time->month = 1;
        time->day = time->year_day;
    } else if (time->day > month_length(time->year, time->month)) {
        *problem = "day out of range";
        return false;
    }
    parse->out->wall_seconds = calendar_days(time->year, time->month, time->day) * 86400 +
                               (int64_t)time->hour * 3600 + (int64_t)time->minute * 60 +
                               time->second;
    parse->out->nanosecond = time->nanosecond;
    return true;
}

bool calendar_parse(str layout, str text, struct calendar_parsed *parsed, const char **problem) {
    *parsed = (struct calendar_parsed){0};
    struct parse parse = {.rest = text, .out = parsed, .time = {.month = 1, .day = 1}};
    for (size_t i = 0; i < layout.size;) {
        size_t size = 1;
        const enum element element = element_at(str_from_offset(layout, i), &size);
        const str at = str_slice(layout, i, i + size);
        if (element == ELEMENT_NONE && !str_starts_with(parse.rest, at)) {
            *problem = "text does not match the layout";
            return false;
        }
        if (element == ELEMENT_NONE) {
            parse.rest = str_from_offset(parse.rest, 1);
        } else if (!take_element(&parse, element, str_from_offset(layout, i + size))) {
            *problem = "text does not match the layout";
            return false;
        }
        i += size;
    }
    return parse_finish(&parse, problem);
}
