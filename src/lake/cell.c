// One value as text or JSON, for every type: the forms of libs.md §4.2.

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "lake/result.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

__extension__ typedef unsigned __int128 uint128;

enum { NS_PER_US = 1000, US_PER_MS = 1000 };
#define US_PER_S INT64_C(1000000)
#define US_PER_DAY (INT64_C(86400) * US_PER_S)
#define NS_PER_DAY (US_PER_DAY * NS_PER_US)

// ── Numbers ──

bool lake_cell_int64(const struct lake_vector *vector, size_t row, int64_t *value) {
    const void *data = vector->data;
    const enum lake_kind kind = vector->type->storage;
    if (kind == LAKE_BIGINT) {
        *value = ((const int64_t *)data)[row];
    } else if (kind == LAKE_INTEGER) {
        *value = ((const int32_t *)data)[row];
    } else if (kind == LAKE_SMALLINT) {
        *value = ((const int16_t *)data)[row];
    } else if (kind == LAKE_TINYINT) {
        *value = ((const int8_t *)data)[row]; // NOLINT(bugprone-signed-char-misuse,cert-str34-c)
    } else if (kind == LAKE_UINTEGER) {
        *value = ((const uint32_t *)data)[row];
    } else if (kind == LAKE_USMALLINT) {
        *value = ((const uint16_t *)data)[row];
    } else if (kind == LAKE_UTINYINT) {
        *value = ((const uint8_t *)data)[row];
    } else if (kind == LAKE_UBIGINT) {
        *value = (int64_t)((const uint64_t *)data)[row];
        return *value >= 0;
    } else if (kind == LAKE_HUGEINT) {
        const struct lake_hugeint huge = lake_hugeint(vector, row);
        *value = (int64_t)huge.low;
        return huge.high == (*value < 0 ? -1 : 0);
    } else {
        return false;
    }
    return true;
}

enum { DIGITS_MAX = 48 };

// Writes the digits of `value` so that they end at buffer + DIGITS_MAX; at least `digits_min`.
static str uint128_digits(uint128 value, int digits_min, char buffer[DIGITS_MAX]) {
    int start = DIGITS_MAX;
    while (value != 0 || DIGITS_MAX - start < digits_min) {
        buffer[--start] = (char)('0' + (int)(value % 10));
        value /= 10;
    }
    return (str){buffer + start, (size_t)(DIGITS_MAX - start)};
}

// The magnitude and sign of any integer storage.
static uint128 cell_magnitude(const struct lake_vector *vector, size_t row, bool *is_negative) {
    uint128 magnitude = 0;
    *is_negative = false;
    const enum lake_kind kind = vector->type->storage;
    if (kind == LAKE_HUGEINT || kind == LAKE_UHUGEINT) {
        const struct lake_hugeint huge = lake_hugeint(vector, row);
        magnitude = (uint128)(uint64_t)huge.high << 64 | huge.low;
        *is_negative = kind == LAKE_HUGEINT && huge.high < 0;
        return *is_negative ? -magnitude : magnitude;
    }
    if (kind == LAKE_UBIGINT) {
        return ((const uint64_t *)vector->data)[row];
    }
    int64_t value = 0;
    (void)lake_cell_int64(vector, row, &value);
    *is_negative = value < 0;
    return *is_negative ? -(uint128)value & UINT64_MAX : (uint128)value;
}

static void add_integer(struct text *out, const struct lake_vector *vector, size_t row) {
    bool is_negative = false;
    const uint128 magnitude = cell_magnitude(vector, row, &is_negative);
    char buffer[DIGITS_MAX];
    if (is_negative) {
        text_add_char(out, '-');
    }
    text_add(out, uint128_digits(magnitude, 1, buffer));
}

static void add_decimal(struct text *out, const struct lake_vector *vector, size_t row) {
    bool is_negative = false;
    const uint128 magnitude = cell_magnitude(vector, row, &is_negative);
    char buffer[DIGITS_MAX];
    const str digits = uint128_digits(magnitude, vector->type->scale + 1, buffer);
    const size_t whole = digits.size - vector->type->scale;
    if (is_negative) {
        text_add_char(out, '-');
    }
    text_add(out, str_slice(digits, 0, whole));
    if (vector->type->scale > 0) {
        text_add_char(out, '.');
        text_add(out, str_from_offset(digits, whole));
    }
}

// The double whose shortest text is the float's shortest text.
static double float_widen(float value) {
    char buffer[32];
    for (int precision = 6; precision <= 9; precision++) {
        snprintf(buffer, sizeof(buffer), "%.*g", precision, (double)value);
        const bool is_same = !(strtof(buffer, NULL) < value) && !(strtof(buffer, NULL) > value);
        if (is_same) {
            break;
        }
    }
    return strtod(buffer, NULL);
}

static double cell_floating(const struct lake_vector *vector, size_t row) {
    if (vector->type->kind == LAKE_FLOAT) {
        return float_widen(((const float *)vector->data)[row]);
    }
    return lake_double(vector, row);
}

static void add_floating(struct text *out, double value) {
    if (isnan(value)) {
        text_add(out, STR("nan"));
    } else if (isinf(value)) {
        text_add(out, value < 0 ? STR("-inf") : STR("inf"));
    } else {
        json_format_double(out, value);
    }
}

// ── Times ──

static int64_t floor_divide(int64_t a, int64_t b) {
    return a / b - (a % b < 0 ? 1 : 0);
}

struct civil_date {
    int64_t year;
    int month;
    int day;
};

// Days since 1970-01-01 to the proleptic Gregorian calendar, counted in eras of 400 years that
// begin on 1 March (the leap day is then a year's last).
static struct civil_date civil_from_days(int64_t days) {
    const int64_t shifted = days + 719468;
    const int64_t era = floor_divide(shifted, 146097);
    const int64_t day_of_era = shifted - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t march_month = (5 * day_of_year + 2) / 153;
    const int month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
    return (struct civil_date){
        .year = era * 400 + year_of_era + (month <= 2 ? 1 : 0),
        .month = month,
        .day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1),
    };
}

static void add_date(struct text *out, int64_t days) {
    const struct civil_date date = civil_from_days(days);
    const bool is_bc = date.year <= 0;
    text_format(out, "%04lld-%02d-%02d", (long long)(is_bc ? 1 - date.year : date.year), date.month,
                date.day);
    if (is_bc) {
        text_add(out, STR(" (BC)"));
    }
}

// A fraction is 6 digits, or 9 when nanoseconds need them; none when it is zero.
static void add_clock(struct text *out, int64_t ns_of_day) {
    const int64_t seconds = ns_of_day / (US_PER_S * NS_PER_US);
    const int64_t fraction = ns_of_day % (US_PER_S * NS_PER_US);
    text_format(out, "%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60),
                (int)(seconds % 60));
    if (fraction % NS_PER_US != 0) {
        text_format(out, ".%09d", (int)fraction);
    } else if (fraction != 0) {
        text_format(out, ".%06d", (int)(fraction / NS_PER_US));
    }
}

static void add_infinity(struct text *out, bool is_negative) {
    text_add(out, is_negative ? STR("-infinity") : STR("infinity"));
}

// `units_per_day` of the stored integer.
static void add_timestamp(struct text *out, int64_t value, int64_t units_per_day, bool is_utc) {
    if (value == INT64_MAX || value == -INT64_MAX) {
        add_infinity(out, value < 0);
        return;
    }
    const int64_t days = floor_divide(value, units_per_day);
    const int64_t rest = value - days * units_per_day;
    add_date(out, days);
    text_add_char(out, 'T');
    add_clock(out, rest * (NS_PER_DAY / units_per_day));
    if (is_utc) {
        text_add_char(out, 'Z');
    }
}

// 40 bits of microseconds above 24 bits of (largest offset - offset).
static void add_time_tz(struct text *out, uint64_t bits) {
    enum { OFFSET_MAX_S = 16 * 3600 - 1 };
    add_clock(out, (int64_t)(bits >> 24) * NS_PER_US);
    const int offset = OFFSET_MAX_S - (int)(bits & 0xFFFFFF);
    const int size = offset < 0 ? -offset : offset;
    text_format(out, "%c%02d", offset < 0 ? '-' : '+', size / 3600);
    if (size % 3600 != 0) {
        text_format(out, ":%02d", size / 60 % 60);
    }
    if (size % 60 != 0) {
        text_format(out, ":%02d", size % 60);
    }
}

static void add_unit(struct text *out, int64_t count, const char *unit) {
    if (count != 0) {
        text_format(out, "%s%lld %s%s", out->size > 0 ? " " : "", (long long)count, unit,
                    count == 1 || count == -1 ? "" : "s");
    }
}

// DuckDB's own form: "1 year 2 months 3 days 04:05:06.5".
static void add_interval(struct text *all, const struct lake_interval *interval) {
    SCRATCH(scratch);
    struct text out;
    text_init(&out, &scratch);
    add_unit(&out, interval->months / 12, "year");
    add_unit(&out, interval->months % 12, "month");
    add_unit(&out, interval->days, "day");
    if (interval->us != 0 || out.size == 0) {
        const uint64_t us = interval->us < 0 ? -(uint64_t)interval->us : (uint64_t)interval->us;
        text_format(&out, "%s%s%02llu:%02d:%02d", out.size > 0 ? " " : "",
                    interval->us < 0 ? "-" : "", (unsigned long long)(us / 3600000000U),
                    (int)(us / 60000000 % 60), (int)(us / 1000000 % 60));
        int fraction = (int)(us % 1000000);
        int digits = 6;
        while (fraction != 0 && fraction % 10 == 0) {
            fraction /= 10;
            digits--;
        }
        if (fraction != 0) {
            text_format(&out, ".%0*d", digits, fraction);
        }
    }
    text_add(all, text_str(&out));
}

// ── Bytes ──

static void add_uuid(struct text *out, struct lake_hugeint value) {
    const uint64_t high = (uint64_t)value.high ^ (UINT64_C(1) << 63);
    text_format(out, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
                (unsigned)(high >> 16 & 0xFFFF), (unsigned)(high & 0xFFFF),
                (unsigned)(value.low >> 48),
                (unsigned long long)(value.low & UINT64_C(0xFFFFFFFFFFFF)));
}

// As DuckDB prints a BLOB: printable ASCII as it is, the rest (and \ ' ") as \xAB.
static void add_blob(struct text *out, str bytes) {
    for (size_t i = 0; i < bytes.size; i++) {
        const unsigned char byte = (unsigned char)bytes.data[i];
        if (byte >= 0x20 && byte < 0x7F && byte != '\\' && byte != '\'' && byte != '"') {
            text_add_char(out, (char)byte);
        } else {
            text_format(out, "\\x%02X", byte);
        }
    }
}

// The first byte says how many bits of the second are padding.
static void add_bits(struct text *out, str bytes) {
    const size_t padding = bytes.size > 0 ? (unsigned char)bytes.data[0] : 0;
    for (size_t i = 8 + padding; i < bytes.size * 8; i++) {
        const unsigned char byte = (unsigned char)bytes.data[i / 8];
        text_add_char(out, (byte >> (7 - i % 8) & 1) != 0 ? '1' : '0');
    }
}

// BIGNUM: three bytes of header, then the magnitude, big-endian; all bits flipped when negative.
static void add_bignum(struct text *out, str bytes) {
    enum { HEADER_SIZE = 3, LIMB = 1000000000 };
    if (bytes.size < HEADER_SIZE) {
        return;
    }
    SCRATCH(scratch);
    const bool is_negative = ((unsigned char)bytes.data[0] & 0x80) == 0;
    // Limbs of nine decimal digits, the lowest first; a byte is 2.41 digits.
    uint32_t *limbs = ARENA_ARRAY(&scratch, uint32_t, bytes.size / 3 + 2);
    size_t count = 1;
    for (size_t i = HEADER_SIZE; i < bytes.size; i++) {
        const unsigned char stored = (unsigned char)bytes.data[i];
        uint64_t carry = is_negative ? (unsigned char)~stored : stored;
        for (size_t k = 0; k < count; k++) {
            const uint64_t sum = (uint64_t)limbs[k] * 256 + carry;
            limbs[k] = (uint32_t)(sum % LIMB);
            carry = sum / LIMB;
        }
        if (carry > 0) {
            limbs[count++] = (uint32_t)carry;
        }
    }
    if (is_negative) {
        text_add_char(out, '-');
    }
    text_format(out, "%u", limbs[count - 1]);
    for (size_t k = count - 1; k > 0; k--) {
        text_format(out, "%09u", limbs[k - 1]);
    }
}

static str enum_text(const struct lake_vector *vector, size_t row) {
    int64_t index = 0;
    (void)lake_cell_int64(vector, row, &index);
    return vector->type->enum_values[index];
}

// ── Any value ──

static void add_nested(struct text *out, const struct lake_vector *vector, size_t row) {
    struct json json;
    json_init(&json, out);
    lake_cell_json(&json, vector, row, &(struct lake_json_style){.json_as_value = true});
}

// One flat list: a line a kind.
static void add_value(struct text *out, const struct lake_vector *vector, size_t row) {
    switch (vector->type->kind) {
    case LAKE_BOOLEAN:
        text_add(out, lake_bool(vector, row) ? STR("true") : STR("false"));
        break;
    case LAKE_TINYINT:
    case LAKE_SMALLINT:
    case LAKE_INTEGER:
    case LAKE_BIGINT:
    case LAKE_UTINYINT:
    case LAKE_USMALLINT:
    case LAKE_UINTEGER:
    case LAKE_UBIGINT:
    case LAKE_HUGEINT:
    case LAKE_UHUGEINT:
        add_integer(out, vector, row);
        break;
    case LAKE_FLOAT:
    case LAKE_DOUBLE:
        add_floating(out, cell_floating(vector, row));
        break;
    case LAKE_DECIMAL:
        add_decimal(out, vector, row);
        break;
    case LAKE_VARCHAR:
    case LAKE_JSON:
        text_add(out, lake_string(vector, row));
        break;
    case LAKE_BLOB:
        add_blob(out, lake_string(vector, row));
        break;
    case LAKE_DATE: {
        const int32_t days = lake_integer(vector, row);
        if (days == INT32_MAX || days == -INT32_MAX) {
            add_infinity(out, days < 0);
        } else {
            add_date(out, days);
        }
        break;
    }
    case LAKE_TIME:
        add_clock(out, lake_bigint(vector, row) * NS_PER_US);
        break;
    case LAKE_TIME_NS:
        add_clock(out, lake_bigint(vector, row));
        break;
    case LAKE_TIME_TZ:
        add_time_tz(out, (uint64_t)lake_bigint(vector, row));
        break;
    case LAKE_TIMESTAMP:
        add_timestamp(out, lake_bigint(vector, row), US_PER_DAY, false);
        break;
    case LAKE_TIMESTAMP_S:
        add_timestamp(out, lake_bigint(vector, row), US_PER_DAY / US_PER_S, false);
        break;
    case LAKE_TIMESTAMP_MS:
        add_timestamp(out, lake_bigint(vector, row), US_PER_DAY / US_PER_MS, false);
        break;
    case LAKE_TIMESTAMP_NS:
        add_timestamp(out, lake_bigint(vector, row), NS_PER_DAY, false);
        break;
    case LAKE_TIMESTAMP_TZ:
        add_timestamp(out, lake_bigint(vector, row), US_PER_DAY, true);
        break;
    case LAKE_INTERVAL:
        add_interval(out, &((const struct lake_interval *)vector->data)[row]);
        break;
    case LAKE_UUID:
        add_uuid(out, lake_hugeint(vector, row));
        break;
    case LAKE_ENUM:
        text_add(out, enum_text(vector, row));
        break;
    case LAKE_BIT:
        add_bits(out, lake_string(vector, row));
        break;
    case LAKE_BIGNUM:
        add_bignum(out, lake_string(vector, row));
        break;
    case LAKE_LIST:
    case LAKE_ARRAY:
    case LAKE_STRUCT:
    case LAKE_MAP:
    case LAKE_UNION:
        add_nested(out, vector, row);
        break;
    case LAKE_SQLNULL:
        break;
    case LAKE_OTHER: // has no form that we know: cast it to VARCHAR in SQL
        text_format(out, "<" STR_FORMAT ">", STR_ARGS(vector->type->name));
        break;
    }
}

void lake_cell_text_add(struct text *out, const struct lake_vector *vector, size_t row) {
    if (!lake_is_null(vector, row)) {
        add_value(out, vector, row);
    }
}

str lake_cell_text(struct arena *arena, const struct lake_vector *vector, size_t row) {
    struct text out;
    text_init(&out, arena);
    lake_cell_text_add(&out, vector, row);
    return text_str(&out);
}

// ── JSON ──

static void json_items(struct json *json, const struct lake_vector *items, uint64_t offset,
                       uint64_t count, const struct lake_json_style *style) {
    json_array(json);
    for (uint64_t i = 0; i < count; i++) {
        lake_cell_json(json, items, offset + i, style);
    }
    json_end(json);
}

static void json_members(struct json *json, const struct lake_vector *vector, size_t row,
                         const struct lake_json_style *style) {
    json_object(json);
    for (size_t i = 0; i < vector->type->child_count; i++) {
        json_key(json, vector->type->child_names[i]);
        lake_cell_json(json, &vector->children[i], row, style);
    }
    json_end(json);
}

static void json_map(struct json *json, const struct lake_vector *vector, size_t row,
                     const struct lake_json_style *style) {
    const struct lake_list_entry entry = lake_list(vector, row);
    const struct lake_vector *pairs = vector->children;
    if (pairs->type->children[0].kind != LAKE_VARCHAR) {
        json_items(json, pairs, entry.offset, entry.count, style);
        return;
    }
    json_object(json);
    for (uint64_t i = entry.offset; i < entry.offset + entry.count; i++) {
        json_key(json, lake_string(&pairs->children[0], i));
        lake_cell_json(json, &pairs->children[1], i, style);
    }
    json_end(json);
}

static void json_union(struct json *json, const struct lake_vector *vector, size_t row,
                       const struct lake_json_style *style) {
    const uint8_t tag = ((const uint8_t *)vector->children[0].data)[row];
    if (tag < vector->type->child_count) {
        lake_cell_json(json, &vector->children[tag + 1], row, style);
    } else {
        json_null(json);
    }
}

static void json_text_of(struct json *json, const struct lake_vector *vector, size_t row,
                         bool is_raw) {
    SCRATCH(scratch);
    const str value = lake_cell_text(&scratch, vector, row);
    if (is_raw) {
        json_raw(json, value);
    } else {
        json_string(json, value);
    }
}

void lake_cell_json(struct json *json, const struct lake_vector *vector, size_t row,
                    const struct lake_json_style *style) {
    const enum lake_kind kind = vector->type->kind;
    if (lake_is_null(vector, row) || kind == LAKE_SQLNULL) {
        json_null(json);
    } else if (kind == LAKE_BOOLEAN) {
        json_bool(json, lake_bool(vector, row));
    } else if (kind == LAKE_BIGINT || kind == LAKE_INTEGER) {
        int64_t value = 0;
        (void)lake_cell_int64(vector, row, &value);
        json_int(json, value);
    } else if (kind == LAKE_FLOAT || kind == LAKE_DOUBLE) {
        json_double(json, cell_floating(vector, row));
    } else if (kind == LAKE_VARCHAR) {
        json_string(json, lake_string(vector, row));
    } else if (kind == LAKE_JSON) {
        json_text_of(json, vector, row, style->json_as_value);
    } else if (kind == LAKE_DECIMAL) {
        json_text_of(json, vector, row, !style->decimal_as_string);
    } else if (kind == LAKE_HUGEINT || kind == LAKE_UHUGEINT || kind == LAKE_BIGNUM) {
        json_text_of(json, vector, row, style->hugeint_as_number);
    } else if (lake_kind_is_integer(kind)) {
        json_text_of(json, vector, row, true);
    } else if (kind == LAKE_LIST) {
        const struct lake_list_entry entry = lake_list(vector, row);
        json_items(json, vector->children, entry.offset, entry.count, style);
    } else if (kind == LAKE_ARRAY) {
        const uint32_t size = vector->type->array_size;
        json_items(json, vector->children, (uint64_t)row * size, size, style);
    } else if (kind == LAKE_STRUCT) {
        json_members(json, vector, row, style);
    } else if (kind == LAKE_MAP) {
        json_map(json, vector, row, style);
    } else if (kind == LAKE_UNION) {
        json_union(json, vector, row, style);
    } else {
        json_text_of(json, vector, row, false);
    }
}
