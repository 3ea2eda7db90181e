// A zone is the bytes of a TZif file (RFC 8536) and the rule of its last line, which holds behind
// the last transition; a fixed zone has neither.

#include "starlark/time_zone.h"

#include "starlark/calendar.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ZONE_NAME_MAX = 64, ZONE_FILE_MAX = 256 * 1024, HEADER_SIZE = 44 };

// When a rule's change falls: Mm.w.d (week 5: the last), Jn or n.
struct rule_day {
    char form; // 'M', 'J', 'N'
    int month;
    int week;
    int day;
    int32_t seconds; // of the day, wall time
};

struct zone_rule {
    bool present;
    bool has_summer;
    struct time_zone_offset standard;
    struct time_zone_offset summer;
    struct rule_day summer_start;
    struct rule_day summer_end;
};

struct time_zone {
    char name[ZONE_NAME_MAX];
    struct time_zone_offset fixed; // when there is no table
    struct zone_rule rule;
    uint32_t transition_count;
    uint32_t type_count;
    uint32_t name_bytes;
    size_t times; // offsets into data
    size_t kinds;
    size_t types;
    size_t names;
    size_t size;
    unsigned char data[];
};

static int64_t read_big(const unsigned char *bytes, size_t size) {
    uint64_t value = bytes[0] >= 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < size; i++) {
        value = (value << 8) | bytes[i];
    }
    return (int64_t)value;
}

static uint32_t read_count(const unsigned char *bytes) {
    return (uint32_t)read_big(bytes, 4);
}

// ---------------------------------------------------------------------------------------------
// The rule: "CET-1CEST,M3.5.0,M10.5.0/3"

static bool rule_name(str *text, char out[16]) {
    size_t size = 0;
    if (str_starts_with(*text, STR("<"))) {
        size = str_find_char(*text, '>');
        if (size == SIZE_MAX || size > 15) {
            return false;
        }
        memcpy(out, text->data + 1, size - 1);
        *text = str_from_offset(*text, size + 1);
        return true;
    }
    while (size < text->size && ((text->data[size] | 0x20) >= 'a') &&
           ((text->data[size] | 0x20) <= 'z')) {
        size++;
    }
    if (size < 3 || size > 15) {
        return false;
    }
    memcpy(out, text->data, size);
    *text = str_from_offset(*text, size);
    return true;
}

static bool rule_number(str *text, int *out) {
    size_t size = 0;
    int number = 0;
    while (size < text->size && size < 4 && text->data[size] >= '0' && text->data[size] <= '9') {
        number = number * 10 + (text->data[size] - '0');
        size++;
    }
    *text = str_from_offset(*text, size);
    *out = number;
    return size > 0;
}

static bool rule_skip(str *text, char c) {
    if (text->size == 0 || text->data[0] != c) {
        return false;
    }
    *text = str_from_offset(*text, 1);
    return true;
}

// [+-]h[:m[:s]]
static bool rule_time(str *text, int32_t *seconds) {
    const bool negative = rule_skip(text, '-');
    int parts[3] = {0, 0, 0};
    if (!negative) {
        rule_skip(text, '+');
    }
    for (int i = 0; i < 3; i++) {
        if (!rule_number(text, &parts[i])) {
            return false;
        }
        if (i < 2 && !rule_skip(text, ':')) {
            break;
        }
    }
    *seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
    *seconds = negative ? -*seconds : *seconds;
    return true;
}

static bool rule_date(str *text, struct rule_day *day) {
    bool valid = false;
    if (!rule_skip(text, ',')) {
        return false;
    }
    if (rule_skip(text, 'M')) {
        day->form = 'M';
        valid = rule_number(text, &day->month) && rule_skip(text, '.') &&
                rule_number(text, &day->week) && rule_skip(text, '.') &&
                rule_number(text, &day->day);
    } else {
        day->form = rule_skip(text, 'J') ? 'J' : 'N';
        valid = rule_number(text, &day->day);
    }
    day->seconds = 7200;
    return valid && (!rule_skip(text, '/') || rule_time(text, &day->seconds));
}

static bool rule_parse(str text, struct zone_rule *rule) {
    int32_t west = 0;
    if (!rule_name(&text, rule->standard.name) || !rule_time(&text, &west)) {
        return false;
    }
    rule->standard.seconds = -west;
    rule->has_summer = text.size > 0;
    if (rule->has_summer) {
        rule->summer.seconds = rule->standard.seconds + 3600;
        if (!rule_name(&text, rule->summer.name)) {
            return false;
        }
        if (text.size > 0 && text.data[0] != ',') {
            if (!rule_time(&text, &west)) {
                return false;
            }
            rule->summer.seconds = -west;
        }
        if (!rule_date(&text, &rule->summer_start) || !rule_date(&text, &rule->summer_end)) {
            return false;
        }
    }
    return text.size == 0;
}

// The wall second, as if UTC, at which a change of `year` happens.
static int64_t rule_second(const struct rule_day *day, int64_t year) {
    int64_t days = 0;
    if (day->form == 'M') {
        const int64_t first = calendar_days(year, day->month, 1);
        const int64_t weekday = ((first + 4) % 7 + 7) % 7;
        days = first + (day->day - weekday + 7) % 7 + (int64_t)(day->week - 1) * 7;
        if (days >= calendar_days(year, day->month + 1, 1)) {
            days -= 7;
        }
    } else {
        const bool leap = calendar_days(year, 3, 1) - calendar_days(year, 2, 1) == 29;
        const bool skips_leap_day = day->form == 'J' && leap && day->day >= 60;
        days = calendar_days(year, 1, 1) + day->day - (day->form == 'J' ? 1 : 0) +
               (skips_leap_day ? 1 : 0);
    }
    return days * 86400 + day->seconds;
}

static struct time_zone_offset rule_at(const struct zone_rule *rule, int64_t unix_seconds) {
    if (!rule->has_summer) {
        return rule->standard;
    }
    const int64_t year = calendar_from_seconds(unix_seconds + rule->standard.seconds, 0).year;
    const int64_t start = rule_second(&rule->summer_start, year) - rule->standard.seconds;
    const int64_t end = rule_second(&rule->summer_end, year) - rule->summer.seconds;
    const bool summer = start < end ? unix_seconds >= start && unix_seconds < end
                                    : unix_seconds >= start || unix_seconds < end;
    return summer ? rule->summer : rule->standard;
}

// ---------------------------------------------------------------------------------------------
// The file

static size_t block_size(const unsigned char *header, size_t time_size) {
    return (size_t)read_count(header + 32) * (time_size + 1) + (size_t)read_count(header + 36) * 6 +
           read_count(header + 40) + (size_t)read_count(header + 28) * (time_size + 4) +
           read_count(header + 24) + read_count(header + 20);
}

// Finds the 64-bit tables; false when the file is not one we read.
static bool zone_find_tables(struct time_zone *zone) {
    const unsigned char *data = zone->data;
    if (zone->size < HEADER_SIZE || memcmp(data, "TZif", 4) != 0 || data[4] < '2') {
        return false;
    }
    const size_t second = HEADER_SIZE + block_size(data, 4);
    if (second + HEADER_SIZE > zone->size || memcmp(data + second, "TZif", 4) != 0) {
        return false;
    }
    const unsigned char *header = data + second;
    const size_t end = second + HEADER_SIZE + block_size(header, 8);
    if (end > zone->size) {
        return false;
    }
    zone->transition_count = read_count(header + 32);
    zone->type_count = read_count(header + 36);
    zone->name_bytes = read_count(header + 40);
    zone->times = second + HEADER_SIZE;
    zone->kinds = zone->times + (size_t)zone->transition_count * 8;
    zone->types = zone->kinds + zone->transition_count;
    zone->names = zone->types + (size_t)zone->type_count * 6;
    const str footer = {(const char *)data + end, zone->size - end};
    const str line = str_trim(footer);
    zone->rule.present = line.size > 0 && rule_parse(line, &zone->rule);
    return zone->type_count > 0 && zone->name_bytes > 0;
}

static struct time_zone *zone_new(str name, size_t size) {
    struct time_zone *zone = calloc(1, sizeof(*zone) + size);
    if (zone != NULL) {
        const str cut = str_slice(name, 0, ZONE_NAME_MAX - 1);
        if (cut.size > 0) {
            memcpy(zone->name, cut.data, cut.size);
        }
        zone->size = size;
    }
    return zone;
}

static struct time_zone *zone_read(str name, const char *path) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (fd < 0) {
        return NULL;
    }
    struct time_zone *zone = NULL;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size <= ZONE_FILE_MAX) {
        zone = zone_new(name, (size_t)info.st_size);
    }
    if (zone != NULL &&
        (read(fd, zone->data, zone->size) != (ssize_t)zone->size || !zone_find_tables(zone))) {
        free(zone);
        zone = NULL;
    }
    close(fd);
    return zone;
}

struct time_zone *time_zone_parse(str name, const void *data, size_t size) {
    struct time_zone *zone = size <= ZONE_FILE_MAX ? zone_new(name, size) : NULL;
    if (zone == NULL) {
        return NULL;
    }
    if (size > 0) {
        memcpy(zone->data, data, size);
    }
    if (!zone_find_tables(zone)) {
        free(zone);
        return NULL;
    }
    return zone;
}

struct time_zone *time_zone_fixed(int32_t seconds, str name) {
    struct time_zone *zone = zone_new(name, 0);
    if (zone != NULL) {
        zone->fixed.seconds = seconds;
        const str cut = str_slice(name, 0, sizeof(zone->fixed.name) - 1);
        if (cut.size > 0) {
            memcpy(zone->fixed.name, cut.data, cut.size);
        } else {
            const int32_t minutes = (seconds < 0 ? -seconds : seconds) / 60;
            snprintf(zone->fixed.name, sizeof(zone->fixed.name), "%c%02d%02d",
                     seconds < 0 ? '-' : '+', minutes / 60 % 100, minutes % 60);
        }
    }
    return zone;
}

// Letters, digits and _+-/ only, no empty or dotted part: a name cannot leave the folder.
static bool name_is_safe(str name) {
    if (name.size == 0 || name.size >= ZONE_NAME_MAX || name.data[0] == '/') {
        return false;
    }
    for (size_t i = 0; i < name.size; i++) {
        const char c = name.data[i];
        const char lower = (char)(c | 0x20);
        if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '+' &&
            c != '-' && c != '/') {
            return false;
        }
    }
    return true;
}

struct time_zone *time_zone_open(str name) {
    static const char *const folders[] = {"/usr/share/zoneinfo", "/usr/lib/zoneinfo",
                                          "/usr/share/lib/zoneinfo"};
    if (name.size == 0 || str_equal(name, STR("UTC"))) {
        return time_zone_fixed(0, STR("UTC"));
    }
    if (str_equal(name, STR("Local"))) {
        struct time_zone *local = zone_read(name, "/etc/localtime");
        return local != NULL ? local : time_zone_fixed(0, STR("UTC"));
    }
    if (!name_is_safe(name)) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/" STR_FORMAT, folders[i], STR_ARGS(name));
        struct time_zone *zone = zone_read(name, path);
        if (zone != NULL) {
            return zone;
        }
    }
    return NULL;
}

void time_zone_free(struct time_zone *zone) {
    free(zone);
}

str time_zone_name(const struct time_zone *zone) {
    return str_from(zone->name);
}

// ---------------------------------------------------------------------------------------------
// Look-up

static struct time_zone_offset type_read(const struct time_zone *zone, uint32_t index) {
    struct time_zone_offset offset = {0};
    const unsigned char *type =
        zone->data + zone->types + (size_t)(index < zone->type_count ? index : 0) * 6;
    offset.seconds = (int32_t)read_big(type, 4);
    const size_t start = type[5] < zone->name_bytes ? type[5] : 0;
    const char *name = (const char *)zone->data + zone->names + start;
    const size_t size = strnlen(name, zone->name_bytes - start);
    memcpy(offset.name, name, size < sizeof(offset.name) ? size : sizeof(offset.name) - 1);
    return offset;
}

struct time_zone_offset time_zone_at(const struct time_zone *zone, int64_t unix_seconds) {
    if (zone->type_count == 0) {
        return zone->fixed;
    }
    uint32_t low = 0; // transitions before it are not later than the instant
    uint32_t high = zone->transition_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (read_big(zone->data + zone->times + (size_t)middle * 8, 8) <= unix_seconds) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == zone->transition_count && zone->rule.present) {
        return rule_at(&zone->rule, unix_seconds);
    }
    return type_read(zone, low == 0 ? 0 : zone->data[zone->kinds + low - 1]);
}

int64_t time_zone_to_unix(const struct time_zone *zone, int64_t wall_seconds) {
    // The offset at the wall time taken as UTC is right but near a change: then try the offsets on
    // both sides of it.
    const int64_t first = wall_seconds - time_zone_at(zone, wall_seconds).seconds;
    const int64_t before = wall_seconds - time_zone_at(zone, wall_seconds - 86400).seconds;
    if (before + time_zone_at(zone, before).seconds == wall_seconds) {
        return before;
    }
    const int64_t second = wall_seconds - time_zone_at(zone, first).seconds;
    return second + time_zone_at(zone, second).seconds == wall_seconds ? second : before;
}
