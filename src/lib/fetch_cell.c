#include "lib/fetch_cell.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#include <yyjson.h>

#include <math.h>
#include <string.h>

enum { ERROR_VALUE_SIZE = 80 }; // bytes of a value that a message shows

#define DOUBLE_EXACT_MAX ((int64_t)1 << 53)

struct yyjson_val *fetch_json_of(star_value value) {
    // yyjson's readers take a pointer to mutable; nothing is written.
    return (struct yyjson_val *)(uintptr_t)star_json_raw(value);
}

// ---- from JSON ----------------------------------------------------------------------------------

// A number that yyjson kept as text: an int beyond 64 bits or a float beyond double.
static void cell_from_raw(str digits, struct fetch_cell *cell) {
    bool is_int = true;
    for (size_t i = 0; i < digits.size; i++) {
        char c = digits.data[i];
        is_int = is_int && ((c >= '0' && c <= '9') || c == '-');
    }
    if (is_int) {
        cell->kind = str_parse_int64(digits, &cell->integer) ? CELL_INT : CELL_BIG_INT;
        cell->text = digits;
        return;
    }
    cell->kind = CELL_DOUBLE;
    if (!str_parse_double(digits, &cell->number)) {
        cell->number = str_starts_with(digits, STR("-")) ? -(double)INFINITY : (double)INFINITY;
    }
}

static void cell_from_uint(struct arena *arena, uint64_t number, struct fetch_cell *cell) {
    if (number <= INT64_MAX) {
        cell->kind = CELL_INT;
        cell->integer = (int64_t)number;
        return;
    }
    cell->kind = CELL_BIG_INT;
    cell->text = str_format(arena, "%llu", (unsigned long long)number);
}

enum error_code fetch_cell_from_json(struct arena *arena, struct yyjson_val *value,
                                     struct fetch_cell *cell, struct error *err) {
    switch (unsafe_yyjson_get_type(value)) {
    case YYJSON_TYPE_NULL:
        cell->kind = CELL_NULL;
        return ERROR_NONE;
    case YYJSON_TYPE_BOOL:
        cell->kind = CELL_BOOL;
        cell->integer = unsafe_yyjson_get_bool(value);
        return ERROR_NONE;
    case YYJSON_TYPE_STR:
        cell->kind = CELL_TEXT;
        cell->text = (str){unsafe_yyjson_get_str(value), unsafe_yyjson_get_len(value)};
        return ERROR_NONE;
    case YYJSON_TYPE_RAW:
        cell_from_raw((str){unsafe_yyjson_get_raw(value), unsafe_yyjson_get_len(value)}, cell);
        return ERROR_NONE;
    case YYJSON_TYPE_NUM:
        if (unsafe_yyjson_is_real(value)) {
            cell->kind = CELL_DOUBLE;
            cell->number = unsafe_yyjson_get_real(value);
        } else if (unsafe_yyjson_is_uint(value)) {
            cell_from_uint(arena, unsafe_yyjson_get_uint(value), cell);
        } else {
            cell->kind = CELL_INT;
            cell->integer = unsafe_yyjson_get_sint(value);
        }
        return ERROR_NONE;
    default: // arrays and objects; yyjson's types are plain numbers, not an enum
        break;
    }
    size_t size = 0;
    char *text = yyjson_val_write(value, YYJSON_WRITE_NOFLAG, &size);
    if (text == NULL) {
        return error_set(err, ERROR_INVALID, "a JSON value cannot be written");
    }
    cell->kind = CELL_JSON;
    cell->text = str_copy(arena, (str){text, size});
    free(text);
    return ERROR_NONE;
}

// ---- from a script ------------------------------------------------------------------------------

static str text_of(star_value value) {
    const char *data = NULL;
    size_t size = 0;
    (void)star_get_text(value, &data, &size);
    return (str){data, size};
}

static enum error_code no_data(star_value value, struct error *err) {
    return error_set(err, ERROR_INVALID, "a %s cannot be stored", star_type_name(value));
}

static enum error_code not_made(struct star_thread *thread, struct error *err) {
    return error_set(err, ERROR_INVALID, "%s", star_thread_error(thread)->message);
}

static enum error_code json_add(struct star_thread *thread, struct arena *arena, struct json *json,
                                star_value value, int depth, struct error *err);

static enum error_code json_add_items(struct star_thread *thread, struct arena *arena,
                                      struct json *json, star_value value, int depth,
                                      struct error *err) {
    json_array(json);
    size_t count = star_length(value);
    for (size_t i = 0; i < count; i++) {
        star_value item = star_item(thread, value, i);
        if (star_is_error(item)) {
            return not_made(thread, err);
        }
        TRY(json_add(thread, arena, json, item, depth + 1, err));
    }
    json_end(json);
    return ERROR_NONE;
}

static enum error_code json_add_entries(struct star_thread *thread, struct arena *arena,
                                        struct json *json, star_value value, int depth,
                                        struct error *err) {
    json_object(json);
    size_t position = 0;
    star_value key = STAR_UNSET;
    star_value item = STAR_UNSET;
    while (star_dict_next(thread, value, &position, &key, &item)) {
        if (star_kind(key) != STAR_KIND_STRING) {
            return error_set(err, ERROR_INVALID,
                             "a dict with a key that is no string (%s) cannot be stored",
                             star_type_name(key));
        }
        json_key(json, text_of(key));
        TRY(json_add(thread, arena, json, item, depth + 1, err));
    }
    if (star_is_error(key)) {
        return not_made(thread, err);
    }
    json_end(json);
    return ERROR_NONE;
}

static void json_add_cell(struct json *json, const struct fetch_cell *cell, struct arena *arena) {
    switch (cell->kind) {
    case CELL_NULL:
        json_null(json);
        return;
    case CELL_BOOL:
        json_bool(json, cell->integer != 0);
        return;
    case CELL_INT:
        json_int(json, cell->integer);
        return;
    case CELL_DOUBLE:
        json_double(json, cell->number);
        return;
    case CELL_BIG_INT:
    case CELL_JSON:
        json_raw(json, cell->text);
        return;
    case CELL_TEXT:
    case CELL_BYTES:
    case CELL_TIME:
    case CELL_DURATION:
        json_string(json, fetch_cell_text(arena, cell));
        return;
    }
}

// The nesting is limited by the JSON writer's own stack.
static enum error_code json_add(struct star_thread *thread, struct arena *arena, struct json *json,
                                star_value value, int depth, struct error *err) {
    if (depth >= JSON_DEPTH_MAX - 1) {
        return error_set(err, ERROR_INVALID,
                         "a value nested deeper than %d levels cannot be stored",
                         JSON_DEPTH_MAX - 1);
    }
    enum star_kind kind = star_kind(value);
    if (star_json_raw(value) == NULL) {
        if (kind == STAR_KIND_LIST || kind == STAR_KIND_TUPLE) {
            return json_add_items(thread, arena, json, value, depth, err);
        }
        if (kind == STAR_KIND_DICT || kind == STAR_KIND_STRUCT) {
            return json_add_entries(thread, arena, json, value, depth, err);
        }
    }
    struct fetch_cell cell = {0};
    TRY(fetch_cell_from_value(thread, arena, value, &cell, err));
    json_add_cell(json, &cell, arena);
    return ERROR_NONE;
}

static enum error_code cell_from_nested(struct star_thread *thread, struct arena *arena,
                                        star_value value, struct fetch_cell *cell,
                                        struct error *err) {
    struct yyjson_val *raw = fetch_json_of(value);
    if (raw != NULL) {
        return fetch_cell_from_json(arena, raw, cell, err);
    }
    struct text *text = ARENA_NEW(arena, struct text);
    text_init(text, arena);
    struct json json;
    json_init(&json, text);
    TRY(json_add(thread, arena, &json, value, 0, err));
    cell->kind = CELL_JSON;
    cell->text = text_str(text);
    return ERROR_NONE;
}

static enum error_code cell_from_int(struct star_thread *thread, struct arena *arena,
                                     star_value value, struct fetch_cell *cell, struct error *err) {
    if (star_get_int64(value, &cell->integer)) {
        cell->kind = CELL_INT;
        return ERROR_NONE;
    }
    star_value digits = star_int_to_decimal(thread, value);
    if (star_is_error(digits)) {
        return not_made(thread, err);
    }
    cell->kind = CELL_BIG_INT;
    cell->text = str_copy(arena, text_of(digits));
    return ERROR_NONE;
}

// time.time and time.duration are host values: they are asked by the attributes of their contract.
static enum error_code cell_from_host(struct star_thread *thread, star_value value,
                                      struct fetch_cell *cell, struct error *err) {
    bool is_time = strcmp(star_type_name(value), "time.time") == 0;
    bool is_duration = strcmp(star_type_name(value), "time.duration") == 0;
    if (!is_time && !is_duration) {
        return no_data(value, err);
    }
    star_value nanoseconds = star_attribute(thread, value, is_time ? "unix_nano" : "nanoseconds");
    int64_t number = 0;
    if (star_is_error(nanoseconds) || !star_get_int64(nanoseconds, &number)) {
        return error_set(err, ERROR_INVALID, "a %s out of range cannot be stored",
                         star_type_name(value));
    }
    // Rounded down, so that times before 1970 keep their order.
    cell->integer = number / 1000 - (number % 1000 < 0);
    cell->kind = is_time ? CELL_TIME : CELL_DURATION;
    return ERROR_NONE;
}

enum error_code fetch_cell_from_value(struct star_thread *thread, struct arena *arena,
                                      star_value value, struct fetch_cell *cell,
                                      struct error *err) {
    switch (star_kind(value)) {
    case STAR_KIND_NONE:
        cell->kind = CELL_NULL;
        return ERROR_NONE;
    case STAR_KIND_BOOL:
        cell->kind = CELL_BOOL;
        cell->integer = star_truth(value);
        return ERROR_NONE;
    case STAR_KIND_INT:
        return cell_from_int(thread, arena, value, cell, err);
    case STAR_KIND_FLOAT:
        cell->kind = CELL_DOUBLE;
        (void)star_get_double(value, &cell->number);
        return ERROR_NONE;
    case STAR_KIND_STRING:
        cell->kind = CELL_TEXT;
        cell->text = text_of(value);
        if (!str_is_utf8(cell->text)) {
            return error_set(err, ERROR_INVALID, "a string that is not UTF-8 cannot be stored");
        }
        return ERROR_NONE;
    case STAR_KIND_BYTES:
        cell->kind = CELL_BYTES;
        cell->text = text_of(value);
        return ERROR_NONE;
    case STAR_KIND_LIST:
    case STAR_KIND_TUPLE:
    case STAR_KIND_DICT:
    case STAR_KIND_STRUCT:
        return cell_from_nested(thread, arena, value, cell, err);
    case STAR_KIND_HOST:
        return cell_from_host(thread, value, cell, err);
    case STAR_KIND_SET:
    case STAR_KIND_RANGE:
    case STAR_KIND_FUNCTION:
    case STAR_KIND_BUILTIN:
        return no_data(value, err);
    }
    return no_data(value, err);
}

// ---- as text ------------------------------------------------------------------------------------

// DuckDB's text form of a BLOB, which its cast reads back.
static str blob_text(struct arena *arena, str bytes) {
    struct text text;
    text_init(&text, arena);
    for (size_t i = 0; i < bytes.size; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        if (c >= 32 && c < 127 && c != '\\' && c != '\'' && c != '"') {
            text_add_char(&text, (char)c);
        } else {
            text_format(&text, "\\x%02X", c);
        }
    }
    return text_str(&text);
}

str fetch_cell_text(struct arena *arena, const struct fetch_cell *cell) {
    switch (cell->kind) {
    case CELL_NULL:
        return (str){0};
    case CELL_BOOL:
        return cell->integer != 0 ? STR("true") : STR("false");
    case CELL_INT:
        return str_format(arena, "%lld", (long long)cell->integer);
    case CELL_DOUBLE: {
        if (!isfinite(cell->number)) { // as DuckDB prints them
            return isnan(cell->number) ? STR("nan") : cell->number < 0 ? STR("-inf") : STR("inf");
        }
        struct text text;
        text_init(&text, arena);
        json_format_double(&text, cell->number);
        return text_str(&text);
    }
    case CELL_BIG_INT:
    case CELL_TEXT:
    case CELL_JSON:
        return cell->text;
    case CELL_BYTES:
        return blob_text(arena, cell->text);
    case CELL_TIME:
        return time_format_utc(arena, cell->integer);
    case CELL_DURATION:
        return str_format(arena, "%lld microseconds", (long long)cell->integer);
    }
    return (str){0};
}

// ---- into a column ------------------------------------------------------------------------------

static enum error_code no_fit(struct arena *scratch, const struct fetch_cell *cell,
                              const char *type, struct error *err) {
    str shown = str_cut(fetch_cell_text(scratch, cell), ERROR_VALUE_SIZE);
    return error_set(err, ERROR_INVALID, "cannot cast \"" STR_FORMAT "\" to %s", STR_ARGS(shown),
                     type);
}

// A double as a BIGINT, rounded by `round`; false when it does not fit.
static bool integer_from_double(double number, int64_t *integer) {
    if (!(number >= -9223372036854775808.0 && number < 9223372036854775808.0)) {
        return false;
    }
    *integer = (int64_t)number;
    return true;
}

// DuckDB rounds a double half to even, a decimal text half away from zero.
static bool cell_integer(const struct fetch_cell *cell, int64_t *integer) {
    double number = 0;
    switch (cell->kind) {
    case CELL_INT:
    case CELL_BOOL:
        *integer = cell->integer;
        return true;
    case CELL_DOUBLE:
        return integer_from_double(nearbyint(cell->number), integer);
    case CELL_TEXT:
        return str_parse_int64(str_trim(cell->text), integer) ||
               (str_parse_double(str_trim(cell->text), &number) &&
                integer_from_double(round(number), integer));
    case CELL_NULL:
    case CELL_BIG_INT:
    case CELL_BYTES:
    case CELL_JSON:
    case CELL_TIME:
    case CELL_DURATION:
        return false;
    }
    return false;
}

static bool cell_double(const struct fetch_cell *cell, double *number) {
    switch (cell->kind) {
    case CELL_INT:
    case CELL_BOOL:
        *number = (double)cell->integer;
        return true;
    case CELL_DOUBLE:
        *number = cell->number;
        return true;
    case CELL_BIG_INT:
    case CELL_TEXT:
        return str_parse_double(str_trim(cell->text), number);
    case CELL_NULL:
    case CELL_BYTES:
    case CELL_JSON:
    case CELL_TIME:
    case CELL_DURATION:
        return false;
    }
    return false;
}

static bool text_bool(str text, bool *truth) {
    static const struct {
        str text;
        bool truth;
    } words[] = {
        {STR_INIT("true"), true}, {STR_INIT("t"), true},  {STR_INIT("1"), true},
        {STR_INIT("yes"), true},  {STR_INIT("y"), true},  {STR_INIT("false"), false},
        {STR_INIT("f"), false},   {STR_INIT("0"), false}, {STR_INIT("no"), false},
        {STR_INIT("n"), false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (str_equal_nocase(words[i].text, text)) {
            *truth = words[i].truth;
            return true;
        }
    }
    return false;
}

// Any number but zero is true; a text says it in words.
static bool cell_bool(const struct fetch_cell *cell, bool *truth) {
    if (cell->kind == CELL_TEXT) {
        return text_bool(str_trim(cell->text), truth);
    }
    double number = 0;
    if (cell->kind == CELL_BIG_INT || !cell_double(cell, &number)) {
        return false;
    }
    *truth = number != 0;
    return true;
}

// Decimal digits of at most 128 bits.
static bool parse_hugeint(str digits, struct lake_hugeint *out) {
    bool negative = str_starts_with(digits, STR("-"));
    __extension__ typedef unsigned __int128 wide;
    wide limit = ((wide)1 << 127) - (negative ? 0 : 1);
    wide value = 0;
    for (size_t i = negative ? 1 : 0; i < digits.size; i++) {
        unsigned digit = (unsigned)(digits.data[i] - '0');
        if (value > (limit - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    value = negative ? (wide)0 - value : value;
    out->low = (uint64_t)value;
    out->high = (int64_t)(uint64_t)(value >> 64);
    return true;
}

static bool cell_hugeint(const struct fetch_cell *cell, struct lake_hugeint *out) {
    if (cell->kind == CELL_BIG_INT) {
        return parse_hugeint(cell->text, out);
    }
    out->low = (uint64_t)cell->integer;
    out->high = cell->integer < 0 ? -1 : 0;
    return cell->kind == CELL_INT || cell->kind == CELL_BOOL;
}

// Text in a JSON column is JSON when it reads as JSON, else a JSON string.
static void put_json(struct arena *scratch, const struct fetch_cell *cell,
                     struct lake_writer_column *column, size_t row) {
    str text = fetch_cell_text(scratch, cell);
    if (cell->kind == CELL_TEXT || cell->kind == CELL_BYTES || cell->kind == CELL_TIME ||
        cell->kind == CELL_DURATION) {
        yyjson_doc *document = cell->kind == CELL_TEXT
                                   ? yyjson_read(text.data, text.size, YYJSON_READ_BIGNUM_AS_RAW)
                                   : NULL;
        if (document == NULL) {
            struct text quoted;
            text_init(&quoted, scratch);
            json_quote(&quoted, text);
            text = text_str(&quoted);
        }
        yyjson_doc_free(document);
    }
    lake_put_text(column, row, text);
}

enum error_code fetch_cell_put(struct arena *scratch, const struct fetch_cell *cell,
                               struct lake_writer_column *column, size_t row, struct error *err) {
    if (cell->kind == CELL_NULL) {
        lake_put_null(column, row);
        return ERROR_NONE;
    }
    int64_t integer = 0;
    double number = 0;
    bool truth = false;
    struct lake_hugeint huge = {0};
    // Only the kinds that column_type_staging and fetch_seen_type give.
    if (column->kind == LAKE_VARCHAR) {
        lake_put_text(column, row, fetch_cell_text(scratch, cell));
    } else if (column->kind == LAKE_BIGINT) {
        if (!cell_integer(cell, &integer)) {
            return no_fit(scratch, cell, "BIGINT", err);
        }
        lake_put_bigint(column, row, integer);
    } else if (column->kind == LAKE_DOUBLE) {
        if (!cell_double(cell, &number)) {
            return no_fit(scratch, cell, "DOUBLE", err);
        }
        lake_put_double(column, row, number);
    } else if (column->kind == LAKE_BOOLEAN) {
        if (!cell_bool(cell, &truth)) {
            return no_fit(scratch, cell, "BOOLEAN", err);
        }
        lake_put_bool(column, row, truth);
    } else if (column->kind == LAKE_JSON) {
        put_json(scratch, cell, column, row);
    } else if (column->kind == LAKE_HUGEINT) {
        if (!cell_hugeint(cell, &huge)) {
            return no_fit(scratch, cell, "HUGEINT", err);
        }
        lake_put_hugeint(column, row, huge);
    } else if (column->kind == LAKE_BLOB && cell->kind == CELL_BYTES) {
        lake_put_text(column, row, cell->text);
    } else if (column->kind == LAKE_TIMESTAMP_TZ && cell->kind == CELL_TIME) {
        lake_put_bigint(column, row, cell->integer);
    } else if (column->kind == LAKE_INTERVAL && cell->kind == CELL_DURATION) {
        lake_put_interval(column, row, (struct lake_interval){.us = cell->integer});
    } else {
        return no_fit(scratch, cell, "the column's type", err);
    }
    return ERROR_NONE;
}

// ---- the type of a column without a cast
// ---------------------------------------------------------

#define SEEN(kind) (1u << (kind))

void fetch_seen_add(struct fetch_seen *seen, const struct fetch_cell *cell) {
    seen->kinds |= SEEN(cell->kind);
    if (cell->kind == CELL_INT) {
        bool exact = cell->integer >= -DOUBLE_EXACT_MAX && cell->integer <= DOUBLE_EXACT_MAX;
        seen->has_inexact = seen->has_inexact || !exact;
    } else if (cell->kind == CELL_BIG_INT) {
        struct lake_hugeint huge;
        seen->has_huge = true;
        seen->has_inexact = true;
        seen->has_giant = seen->has_giant || !parse_hugeint(cell->text, &huge);
    }
}

enum lake_kind fetch_seen_type(const struct fetch_seen *seen) {
    const unsigned ints = SEEN(CELL_INT) | SEEN(CELL_BIG_INT);
    unsigned kinds = seen->kinds & ~SEEN(CELL_NULL);
    if (kinds == 0) {
        return LAKE_VARCHAR;
    }
    if ((kinds & ~ints) == 0) {
        return seen->has_giant ? LAKE_VARCHAR : seen->has_huge ? LAKE_HUGEINT : LAKE_BIGINT;
    }
    if ((kinds & ~(ints | SEEN(CELL_DOUBLE))) == 0) {
        bool exact = (kinds & ints) == 0 || !seen->has_inexact;
        return exact ? LAKE_DOUBLE : LAKE_VARCHAR;
    }
    if (kinds == SEEN(CELL_BOOL)) {
        return LAKE_BOOLEAN;
    }
    if (kinds == SEEN(CELL_BYTES)) {
        return LAKE_BLOB;
    }
    if (kinds == SEEN(CELL_TIME)) {
        return LAKE_TIMESTAMP_TZ;
    }
    if (kinds == SEEN(CELL_DURATION)) {
        return LAKE_INTERVAL;
    }
    return LAKE_VARCHAR;
}
