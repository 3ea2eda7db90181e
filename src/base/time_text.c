// Dates, times and durations as text: the second half of clock.h.  Calendar arithmetic is by days
// since 1970-03-01-style civil counting, so no time zone or libc locale is involved.
#include "base/clock.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { US = 1000000, DAY_S = 86400 };

// Days since 1970-01-01 of a proleptic Gregorian date.
static int64_t days_from_civil(int64_t year, int month, int day) {
    year -= month <= 2;
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const int64_t year_of_era = year - era * 400;
    const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

struct civil {
    int64_t year;
    int month, day, hour, minute, second, microsecond;
};

static struct civil civil_from_us(int64_t wall_us) {
    int64_t seconds = wall_us / US;
    int64_t rest = wall_us % US;
    if (rest < 0) {
        rest += US;
        seconds--;
    }
    int64_t days = seconds / DAY_S;
    int64_t of_day = seconds % DAY_S;
    if (of_day < 0) {
        of_day += DAY_S;
        days--;
    }
    days += 719468;
    const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const int64_t day_of_era = days - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t month = (5 * day_of_year + 2) / 153;
    struct civil civil = {.day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
                          .month = (int)(month < 10 ? month + 3 : month - 9),
                          .hour = (int)(of_day / 3600),
                          .minute = (int)(of_day / 60 % 60),
                          .second = (int)(of_day % 60),
                          .microsecond = (int)rest};
    civil.year = year_of_era + era * 400 + (civil.month <= 2);
    return civil;
}

str time_format_utc(struct arena *arena, int64_t wall_us) {
    const struct civil c = civil_from_us(wall_us);
    struct text out;
    text_init(&out, arena);
    text_format(&out, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d", c.year, c.month, c.day, c.hour,
                c.minute, c.second);
    if (c.microsecond != 0) {
        text_format(&out, ".%06d", c.microsecond);
    }
    text_add_char(&out, 'Z');
    return text_str(&out);
}

str time_format_compact(struct arena *arena, int64_t wall_us) {
    const struct civil c = civil_from_us(wall_us);
    return str_format(arena, "%04" PRId64 "%02d%02d-%02d%02d%02d", c.year, c.month, c.day, c.hour,
                      c.minute, c.second);
}

// Takes exactly `count` digits off the front.
static bool take_digits(str *text, size_t count, int *out) {
    uint64_t value = 0;
    if (text->size < count || !str_parse_uint64(str_slice(*text, 0, count), &value)) {
        return false;
    }
    *out = (int)value;
    *text = str_from_offset(*text, count);
    return true;
}

static bool take_char(str *text, char c) {
    if (text->size == 0 || text->data[0] != c) {
        return false;
    }
    *text = str_from_offset(*text, 1);
    return true;
}

static bool civil_is_valid(const struct civil *c) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (c->month < 1 || c->month > 12) {
        return false;
    }
    const bool leap = (c->year % 4 == 0 && c->year % 100 != 0) || c->year % 400 == 0;
    const int last = days[c->month - 1] + (c->month == 2 && leap);
    return c->day >= 1 && c->day <= last && c->hour <= 23 && c->minute <= 59 && c->second <= 60;
}

static int64_t civil_to_us(const struct civil *c) {
    const int64_t days = days_from_civil(c->year, c->month, c->day);
    return ((days * 24 + c->hour) * 60 + c->minute) * 60 * US + (int64_t)c->second * US +
           c->microsecond;
}

static bool take_fraction(str *text, int *microsecond) {
    int scale = 100000;
    size_t used = 0;
    while (used < text->size && text->data[used] >= '0' && text->data[used] <= '9') {
        *microsecond += (text->data[used] - '0') * scale;
        scale /= 10;
        used++;
    }
    *text = str_from_offset(*text, used);
    return used > 0;
}

static bool take_offset(str *text, int64_t *offset_us) {
    if (take_char(text, 'Z') || take_char(text, 'z')) {
        return true;
    }
    const int sign = take_char(text, '-') ? -1 : 1;
    if (sign == 1 && !take_char(text, '+')) {
        return text->size == 0;
    }
    int hour = 0;
    int minute = 0;
    if (!take_digits(text, 2, &hour)) {
        return false;
    }
    (void)take_char(text, ':');
    if (text->size > 0 && !take_digits(text, 2, &minute)) {
        return false;
    }
    *offset_us = ((int64_t)hour * 60 + minute) * 60 * US * sign;
    return hour <= 23 && minute <= 59;
}

bool time_parse(str text, int64_t *wall_us) {
    struct civil c = {0};
    int year = 0;
    int64_t offset_us = 0;
    if (!take_digits(&text, 4, &year) || !take_char(&text, '-') ||
        !take_digits(&text, 2, &c.month) || !take_char(&text, '-') ||
        !take_digits(&text, 2, &c.day)) {
        return false;
    }
    c.year = year;
    if (text.size > 0) {
        if (!take_char(&text, 'T') && !take_char(&text, ' ') && !take_char(&text, 't')) {
            return false;
        }
        if (!take_digits(&text, 2, &c.hour) || !take_char(&text, ':') ||
            !take_digits(&text, 2, &c.minute) || !take_char(&text, ':') ||
            !take_digits(&text, 2, &c.second)) {
            return false;
        }
        if (take_char(&text, '.') && !take_fraction(&text, &c.microsecond)) {
            return false;
        }
        if (!take_offset(&text, &offset_us)) {
            return false;
        }
    }
    if (text.size > 0 || !civil_is_valid(&c)) {
        return false;
    }
    *wall_us = civil_to_us(&c) - offset_us;
    return true;
}

static bool take_month(str *text, int *month) {
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12; i++) {
        if (str_starts_with(*text, (str){names + (size_t)i * 3, 3})) {
            *month = i + 1;
            *text = str_from_offset(*text, 3);
            return true;
        }
    }
    return false;
}

static bool take_clock(str *text, struct civil *c) {
    return take_digits(text, 2, &c->hour) && take_char(text, ':') &&
           take_digits(text, 2, &c->minute) && take_char(text, ':') &&
           take_digits(text, 2, &c->second);
}

// "Sun, 06 Nov 1994 08:49:37 GMT" and "Sunday, 06-Nov-94 08:49:37 GMT", behind the comma.
static bool parse_http_comma(str text, struct civil *c) {
    int year = 0;
    if (!take_char(&text, ' ') || !take_digits(&text, 2, &c->day)) {
        return false;
    }
    const bool dashes = take_char(&text, '-');
    if ((!dashes && !take_char(&text, ' ')) || !take_month(&text, &c->month) ||
        !take_char(&text, dashes ? '-' : ' ') || !take_digits(&text, dashes ? 2 : 4, &year) ||
        !take_char(&text, ' ') || !take_clock(&text, c) || !str_equal(text, STR(" GMT"))) {
        return false;
    }
    c->year = dashes ? year + (year < 70 ? 2000 : 1900) : year;
    return true;
}

// "Sun Nov  6 08:49:37 1994"
static bool parse_http_asctime(str text, struct civil *c) {
    int year = 0;
    text = str_from_offset(text, 3);
    if (!take_char(&text, ' ') || !take_month(&text, &c->month) || !take_char(&text, ' ')) {
        return false;
    }
    const bool one_digit = take_char(&text, ' ');
    if (!take_digits(&text, one_digit ? 1 : 2, &c->day) || !take_char(&text, ' ') ||
        !take_clock(&text, c) || !take_char(&text, ' ') || !take_digits(&text, 4, &year)) {
        return false;
    }
    c->year = year;
    return text.size == 0;
}

bool time_parse_http(str text, int64_t *wall_us) {
    struct civil c = {0};
    const size_t comma = str_find_char(text, ',');
    const bool ok = comma == SIZE_MAX ? parse_http_asctime(text, &c)
                                      : parse_http_comma(str_from_offset(text, comma + 1), &c);
    if (!ok || !civil_is_valid(&c)) {
        return false;
    }
    *wall_us = civil_to_us(&c);
    return true;
}

static bool take_unit(str *text, double *unit_us) {
    static const struct {
        str name;
        double us;
    } units[] = {{STR_INIT("ms"), 1e3},
                 {STR_INIT("s"), 1e6},
                 {STR_INIT("m"), 60e6},
                 {STR_INIT("h"), 3600e6},
                 {STR_INIT("d"), 86400e6}};
    for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
        if (str_starts_with(*text, units[i].name)) {
            *unit_us = units[i].us;
            *text = str_from_offset(*text, units[i].name.size);
            return true;
        }
    }
    return false;
}

bool duration_parse(str text, int64_t *us) {
    double total = 0;
    if (text.size == 0) {
        return false;
    }
    while (text.size > 0) {
        size_t digits = 0;
        while (digits < text.size && strchr("0123456789.", text.data[digits]) != NULL &&
               text.data[digits] != '\0') {
            digits++;
        }
        double number = 0;
        double unit_us = 0;
        if (!str_parse_double(str_slice(text, 0, digits), &number)) {
            return false;
        }
        text = str_from_offset(text, digits);
        if (!take_unit(&text, &unit_us)) {
            return false;
        }
        total += number * unit_us;
    }
    if (!(total >= 1) || total > 9e15) {
        return false;
    }
    *us = (int64_t)llround(total);
    return true;
}

str duration_format(struct arena *arena, int64_t us) {
    if (us < US) {
        return str_format(arena, "%" PRId64 "ms", us / 1000);
    }
    if (us < 60 * (int64_t)US) {
        return str_format(arena, "%.1fs", (double)us / 1e6);
    }
    const int64_t seconds = us / US;
    if (seconds < 3600) {
        return str_format(arena, "%" PRId64 "m%02" PRId64 "s", seconds / 60, seconds % 60);
    }
    return str_format(arena, "%" PRId64 "h%02" PRId64 "m", seconds / 3600, seconds / 60 % 60);
}
