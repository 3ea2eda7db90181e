#include "starlark/number_text.h"

#include <yyjson.h>

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// To text

enum { WRITE_BUFFER_SIZE = 128 };

// yyjson writes one value through its allocator only: give it the buffer on our stack.
static void *buffer_allocate(void *context, size_t size) {
    return size <= WRITE_BUFFER_SIZE ? context : NULL;
}

static void *buffer_reallocate(void *context, void *memory, size_t old_size, size_t size) {
    (void)old_size;
    (void)memory;
    return size <= WRITE_BUFFER_SIZE ? context : NULL;
}

static void buffer_free(void *context, void *memory) {
    (void)context;
    (void)memory;
}

// Splits "12.5", "1e-7", "1.5e300" into its digits and decimal exponent.
static size_t digits_split(const char *text, size_t size, char digits[FLOAT_DIGITS_MAX],
                           int *exponent) {
    size_t count = 0;
    int point = -1;   // digits before the decimal point, leading zeros included
    int position = 0; // digits seen, leading zeros included
    int first = -1;   // position of the first digit that counts
    int scale = 0;
    for (size_t i = 0; i < size; i++) {
        const char c = text[i];
        if (c == '.') {
            point = position;
        } else if (c == 'e' || c == 'E') {
            const bool negative = text[i + 1] == '-';
            for (i += (negative || text[i + 1] == '+') ? 2 : 1; i < size; i++) {
                scale = scale * 10 + (text[i] - '0');
            }
            scale = negative ? -scale : scale;
        } else {
            if (first < 0 && c != '0') {
                first = position;
            }
            if (first >= 0 && count < FLOAT_DIGITS_MAX) {
                digits[count++] = c;
            }
            position++;
        }
    }
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    *exponent = (point < 0 ? position : point) - first - 1 + scale;
    return count;
}

size_t float_digits(double value, char digits[FLOAT_DIGITS_MAX], int *exponent) {
    assert(isfinite(value));
    _Alignas(16) char buffer[WRITE_BUFFER_SIZE];
    const yyjson_alc allocator = {.malloc = buffer_allocate,
                                  .realloc = buffer_reallocate,
                                  .free = buffer_free,
                                  .ctx = buffer};
    yyjson_val number = {0};
    unsafe_yyjson_set_real(&number, fabs(value));
    size_t size = 0;
    const char *text = yyjson_val_write_opts(&number, 0, &allocator, &size, NULL);
    assert(text != NULL);
    return digits_split(text, size, digits, exponent);
}

static size_t format_special(double value, char *out) {
    const char *text = isnan(value) ? "nan" : value > 0 ? "+inf" : "-inf";
    const size_t size = strlen(text);
    memcpy(out, text, size + 1);
    return size;
}

// d.ddde±XX, the point only when there is more than one digit.
static char *format_exponent(char *out, const char *digits, size_t count, int exponent) {
    *out++ = digits[0];
    if (count > 1) {
        *out++ = '.';
        memcpy(out, digits + 1, count - 1);
        out += count - 1;
    }
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    unsigned rest = (unsigned)(exponent < 0 ? -exponent : exponent);
    if (rest >= 100) {
        *out++ = (char)('0' + rest / 100);
        rest %= 100;
    }
    *out++ = (char)('0' + rest / 10);
    *out++ = (char)('0' + rest % 10);
    return out;
}

// Plain form with a point, for -4 <= exponent < 6.
static char *format_plain(char *out, const char *digits, size_t count, int exponent) {
    if (exponent < 0) {
        *out++ = '0';
        *out++ = '.';
        for (int i = exponent; i < -1; i++) {
            *out++ = '0';
        }
        memcpy(out, digits, count);
        return out + count;
    }
    const size_t whole = (size_t)exponent + 1;
    for (size_t i = 0; i < whole; i++) {
        *out++ = i < count ? digits[i] : '0';
    }
    *out++ = '.';
    if (count <= whole) {
        *out++ = '0';
        return out;
    }
    memcpy(out, digits + whole, count - whole);
    return out + (count - whole);
}

size_t float_format(double value, char out[FLOAT_TEXT_MAX]) {
    if (!isfinite(value)) {
        return format_special(value, out);
    }
    char *end = out;
    if (signbit(value)) {
        *end++ = '-';
    }
    char digits[FLOAT_DIGITS_MAX] = "";
    size_t count = 1;
    int exponent = 0;
    if (value == 0) {
        digits[0] = '0';
    } else {
        count = float_digits(value, digits, &exponent);
    }
    end = exponent < -4 || exponent >= 6 ? format_exponent(end, digits, count, exponent)
                                         : format_plain(end, digits, count, exponent);
    *end = '\0';
    return (size_t)(end - out);
}

// The C library's digits are exact, but its decimal point is the locale's: whatever stands between
// the digits becomes a point.
size_t float_format_exact(double value, char conversion, char out[FLOAT_FIXED_MAX]) {
    if (!isfinite(value)) {
        return format_special(value, out);
    }
    char raw[FLOAT_FIXED_MAX];
    const int printed = conversion == 'e' ? snprintf(raw, sizeof(raw), "%.6e", value)
                                          : snprintf(raw, sizeof(raw), "%.6f", value);
    assert(printed > 0 && printed < FLOAT_FIXED_MAX);
    char *end = out;
    for (int i = 0; i < printed; i++) {
        const char c = raw[i];
        const bool kept = (c >= '0' && c <= '9') || c == '-' || c == '+' || c == 'e';
        if (kept) {
            *end++ = c;
        } else if (end[-1] != '.') {
            *end++ = '.';
        }
    }
    *end = '\0';
    return (size_t)(end - out);
}

// ---------------------------------------------------------------------------------------------
// From text

// A decimal that lies half-way between two floats has at most 767 significant digits, so further
// ones matter only as "there is more": one sticky digit stands for them.
enum { SIGNIFICANT_MAX = 800, EXPONENT_LIMIT = 100000 };

struct decimal {
    char digits[SIGNIFICANT_MAX + 1]; // without leading zeros
    size_t count;
    bool truncated;   // a digit other than 0 was dropped
    int64_t exponent; // of the first digit
    bool negative;
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static void decimal_digit(struct decimal *decimal, char digit, bool fraction) {
    if (decimal->count == 0 && digit == '0') {
        decimal->exponent -= fraction ? 1 : 0;
        return;
    }
    if (!fraction) {
        decimal->exponent++;
    }
    if (decimal->count < SIGNIFICANT_MAX) {
        decimal->digits[decimal->count++] = digit;
    } else if (digit != '0') {
        decimal->truncated = true;
    }
}

// Reads [eE][+-]?digits at `text`; gives the bytes taken, 0 when it is malformed.
static size_t exponent_read(const char *text, size_t size, int64_t *exponent) {
    size_t i = 1;
    bool negative = false;
    if (i < size && (text[i] == '+' || text[i] == '-')) {
        negative = text[i] == '-';
        i++;
    }
    if (i == size || !is_digit(text[i])) {
        return 0;
    }
    int64_t value = 0;
    for (; i < size && is_digit(text[i]); i++) {
        value = value < INT64_C(1000000000000) ? value * 10 + (text[i] - '0') : value;
    }
    *exponent = negative ? -value : value;
    return i;
}

static bool decimal_read(struct decimal *decimal, const char *text, size_t size) {
    size_t i = 0;
    if (i < size && (text[i] == '+' || text[i] == '-')) {
        decimal->negative = text[i] == '-';
        i++;
    }
    size_t digits = 0;
    for (; i < size && is_digit(text[i]); i++, digits++) {
        decimal_digit(decimal, text[i], false);
    }
    if (i < size && text[i] == '.') {
        for (i++; i < size && is_digit(text[i]); i++, digits++) {
            decimal_digit(decimal, text[i], true);
        }
    }
    if (digits == 0) {
        return false;
    }
    decimal->exponent -= 1;
    if (i < size && (text[i] == 'e' || text[i] == 'E')) {
        int64_t exponent = 0;
        const size_t taken = exponent_read(text + i, size - i, &exponent);
        if (taken == 0) {
            return false;
        }
        decimal->exponent += exponent;
        i += taken;
    }
    return i == size;
}

// Up to 15 digits and a power of ten that a float holds exactly: one rounding, so correct.
static bool decimal_fast(const struct decimal *decimal, double *out) {
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const int64_t scale = decimal->exponent - (int64_t)decimal->count + 1;
    if (decimal->count > 15 || scale < -22 || scale > 22) {
        return false;
    }
    int64_t mantissa = 0;
    for (size_t i = 0; i < decimal->count; i++) {
        mantissa = mantissa * 10 + (decimal->digits[i] - '0');
    }
    *out = scale < 0 ? (double)mantissa / powers[-scale] : (double)mantissa * powers[scale];
    return true;
}

static enum float_parse_result decimal_slow(const struct decimal *decimal, double *out) {
    if (decimal->exponent > EXPONENT_LIMIT) {
        return FLOAT_PARSE_OVERFLOW;
    }
    if (decimal->exponent < -EXPONENT_LIMIT) {
        *out = 0.0;
        return FLOAT_PARSE_OK;
    }
    char json[SIGNIFICANT_MAX + 32];
    size_t size = 0;
    json[size++] = decimal->digits[0];
    json[size++] = '.';
    json[size++] = decimal->count > 1 ? decimal->digits[1] : '0';
    if (decimal->count > 2) {
        memcpy(json + size, decimal->digits + 2, decimal->count - 2);
        size += decimal->count - 2;
    }
    if (decimal->truncated) {
        json[size++] = '1';
    }
    const int written = snprintf(json + size, sizeof(json) - size, "e%d", (int)decimal->exponent);
    assert(written > 0 && (size_t)written < sizeof(json) - size);
    (void)written;
    yyjson_val value = {0};
    if (yyjson_read_number(json, &value, 0, NULL, NULL) == NULL) {
        return FLOAT_PARSE_OVERFLOW; // the text is well-formed, so its size is what is wrong
    }
    *out = yyjson_get_num(&value);
    return FLOAT_PARSE_OK;
}

enum float_parse_result float_parse_decimal(const char *text, size_t size, double *out) {
    struct decimal decimal;
    decimal.count = 0;
    decimal.truncated = false;
    decimal.exponent = 0;
    decimal.negative = false;
    if (!decimal_read(&decimal, text, size)) {
        return FLOAT_PARSE_INVALID;
    }
    double value = 0.0;
    if (decimal.count > 0 && !decimal_fast(&decimal, &value)) {
        const enum float_parse_result result = decimal_slow(&decimal, &value);
        if (result != FLOAT_PARSE_OK) {
            return result;
        }
    }
    *out = decimal.negative ? -value : value;
    return FLOAT_PARSE_OK;
}

static bool is_word(const char *text, size_t size, const char *word) {
    if (strlen(word) != size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if ((text[i] | 0x20) != word[i]) {
            return false;
        }
    }
    return true;
}

enum float_parse_result float_parse(const char *text, size_t size, double *out) {
    if (size == 0) {
        return FLOAT_PARSE_INVALID; // `text` may be NULL
    }
    const size_t sign = text[0] == '+' || text[0] == '-' ? 1 : 0;
    const char *word = text + sign;
    const size_t rest = size - sign;
    if (is_word(word, rest, "inf") || is_word(word, rest, "infinity")) {
        *out = sign == 1 && text[0] == '-' ? -HUGE_VAL : HUGE_VAL;
        return FLOAT_PARSE_OK;
    }
    if (is_word(word, rest, "nan")) {
        *out = (double)NAN;
        return FLOAT_PARSE_OK;
    }
    return float_parse_decimal(text, size, out);
}
