#include "starlark/number_text.h"
#include "starlark/numbers.h"
#include "starlark/operators.h"
#include "starlark/universe.h"
#include "starlark/utf8.h"

#include <math.h>

star_value universe_abs(struct star_thread *thread, const struct star_call_info *call) {
    const star_value number = call->arguments[0];
    if (star_is_float(number)) {
        return star_from_double(fabs(star_double(number)));
    }
    return star_int_is_negative(number) ? star_int_negate(thread, number) : number;
}

star_value universe_bool(struct star_thread *thread, const struct star_call_info *call) {
    (void)thread;
    return star_bool(!star_is_unset(call->arguments[0]) && star_truth(call->arguments[0]));
}

// ---------------------------------------------------------------------------------------------
// Text and bytes

// The bytes of a string, what is not UTF-8 replaced.
static star_value bytes_of_string(struct star_thread *thread, str text) {
    if (utf8_is_valid(text.data, text.size)) {
        return star_bytes(thread, text.data, text.size);
    }
    struct star_text out;
    star_text_init(&out, thread);
    star_text_add_utf8(&out, text);
    return star_text_finish_bytes(&out);
}

static bool add_byte(struct star_text *out, star_value item) {
    int64_t byte = -1;
    if (!star_is_int(item)) {
        star_fail(out->thread, "bytes: at index %zu, got %s, want int", out->size,
                  star_type_name(item));
        return false;
    }
    if (!star_get_int64(item, &byte) || byte < 0 || byte > 255) {
        star_fail(out->thread, "bytes: at index %zu, value out of range [0:255]", out->size);
        return false;
    }
    return star_text_add_char(out, (char)(unsigned char)byte) && star_charge(out->thread, 1);
}

static star_value bytes_of_items(struct star_thread *thread, star_value iterable) {
    struct star_iterator iterator;
    if (!star_is_iterable(iterable)) {
        return star_fail(thread, "bytes: got %s, want string, bytes, or iterable of ints",
                         star_type_name(iterable));
    }
    if (!star_iterate(thread, iterable, &iterator)) {
        return STAR_ERROR;
    }
    struct star_text out;
    star_text_init(&out, thread);
    star_value item = STAR_UNSET;
    bool done = true;
    while (done && star_iterate_next(thread, &iterator, &item)) {
        done = add_byte(&out, item);
    }
    done = done && !iterator.failed;
    star_iterate_end(&iterator);
    if (!done) {
        star_text_done(&out);
        return STAR_ERROR;
    }
    return star_text_finish_bytes(&out);
}

star_value universe_bytes(struct star_thread *thread, const struct star_call_info *call) {
    const star_value value = call->arguments[0];
    if (star_is_type(value, STAR_OBJECT_BYTES)) {
        return value;
    }
    if (star_is_string(value)) {
        const str text = star_text_of(value);
        return star_charge(thread, text.size / 16) ? bytes_of_string(thread, text) : STAR_ERROR;
    }
    return bytes_of_items(thread, value);
}

star_value universe_chr(struct star_thread *thread, const struct star_call_info *call) {
    int64_t code_point = 0;
    if (!star_get_int64(call->arguments[0], &code_point)) {
        code_point = star_int_is_negative(call->arguments[0]) ? -1 : INT64_MAX;
    }
    if (code_point < 0 || code_point > 0x10FFFF) {
        return star_fail(thread, "chr: Unicode code point %lld out of range (%s)",
                         (long long)code_point, code_point < 0 ? "<0" : ">0x10FFFF");
    }
    char encoded[UTF8_SIZE_MAX];
    return star_string(thread, encoded, utf8_encode((uint32_t)code_point, encoded));
}

star_value universe_ord(struct star_thread *thread, const struct star_call_info *call) {
    const str text = star_text_of(call->arguments[0]);
    if (!star_is_string(call->arguments[0])) {
        if (text.size != 1) {
            return star_fail(thread, "ord: bytes has length %zu, want 1", text.size);
        }
        return star_from_small((unsigned char)text.data[0]);
    }
    const size_t count = utf8_count(text.data, text.size);
    if (count != 1) {
        return star_fail(thread, "ord: string encodes %zu Unicode code points, want 1", count);
    }
    uint32_t code_point = 0;
    utf8_decode(text.data, text.size, &code_point, NULL);
    return star_from_small(code_point);
}

// Java's String.hashCode: a polynomial over UTF-16 units.
static int32_t hash_of_string(str text) {
    uint32_t hash = 0;
    size_t i = 0;
    while (i < text.size) {
        uint32_t code_point = 0;
        i += utf8_decode(text.data + i, text.size - i, &code_point, NULL);
        if (code_point >= 0x10000u) {
            hash = hash * 31 + (0xD800u + ((code_point - 0x10000u) >> 10));
            code_point = 0xDC00u + ((code_point - 0x10000u) & 0x3FFu);
        }
        hash = hash * 31 + code_point;
    }
    return (int32_t)hash;
}

// FNV-1a.
static uint32_t hash_of_bytes(str bytes) {
    uint32_t hash = 0x811C9DC5u;
    for (size_t i = 0; i < bytes.size; i++) {
        hash = (hash ^ (unsigned char)bytes.data[i]) * 0x01000193u;
    }
    return hash;
}

star_value universe_hash(struct star_thread *thread, const struct star_call_info *call) {
    const str text = star_text_of(call->arguments[0]);
    if (!star_charge(thread, text.size / 16)) {
        return STAR_ERROR;
    }
    return star_is_string(call->arguments[0]) ? star_from_small(hash_of_string(text))
                                              : star_from_small(hash_of_bytes(text));
}

// ---------------------------------------------------------------------------------------------
// Numbers

star_value universe_float(struct star_thread *thread, const struct star_call_info *call) {
    const star_value value = call->arguments[0];
    double number = 0;
    if (star_is_unset(value)) {
        return star_from_double(0);
    }
    if (star_is_bool(value)) {
        return star_from_double(star_truth(value) ? 1 : 0);
    }
    if (star_is_float(value)) {
        return value;
    }
    if (star_is_int(value)) {
        return star_int_to_double(thread, value, &number) ? star_from_double(number) : STAR_ERROR;
    }
    const str text = star_text_of(value);
    if (!star_charge(thread, text.size / 16)) {
        return STAR_ERROR;
    }
    switch (float_parse(text.data, text.size, &number)) {
    case FLOAT_PARSE_OK:
        return star_from_double(number);
    case FLOAT_PARSE_OVERFLOW:
        return star_fail(thread, "float: floating-point number too large");
    case FLOAT_PARSE_INVALID:
        break;
    }
    return text.size == 0
               ? star_fail(thread, "float: empty string")
               : star_fail(thread, "float: invalid float literal: " STR_FORMAT, STR_ARGS(text));
}

// 16, 8 or 2 for 0x, 0o, 0b; 0 when there is none.
static int prefix_base(str digits) {
    if (digits.size < 2 || digits.data[0] != '0') {
        return 0;
    }
    switch (digits.data[1] | 0x20) {
    case 'x':
        return 16;
    case 'o':
        return 8;
    case 'b':
        return 2;
    default:
        return 0;
    }
}

static bool is_all_zeros(str digits) {
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] != '0') {
            return false;
        }
    }
    return true;
}

static star_value int_of_string(struct star_thread *thread, str text, int base) {
    str digits = text;
    const bool negative = text.size > 0 && text.data[0] == '-';
    if (negative || (text.size > 0 && text.data[0] == '+')) {
        digits = str_from_offset(digits, 1);
    }
    const int prefix = prefix_base(digits);
    int used = base;
    bool valid = true;
    if (prefix != 0 && (base == 0 || base == prefix)) {
        used = prefix;
        digits = str_from_offset(digits, 2);
    } else if (base == 0) {
        used = 10;
        valid = digits.size < 2 || digits.data[0] != '0' || is_all_zeros(digits);
    }
    const star_value number =
        valid ? star_int_parse(thread, digits.data, digits.size, used) : STAR_UNSET;
    if (star_is_unset(number)) {
        return star_fail(thread, "int: invalid literal with base %d: " STR_FORMAT, base,
                         STR_ARGS(text));
    }
    return negative && !star_is_error(number) ? star_int_negate(thread, number) : number;
}

star_value universe_int(struct star_thread *thread, const struct star_call_info *call) {
    const star_value value = call->arguments[0];
    const star_value base_value = call->arguments[1];
    int64_t base = 10;
    if (star_is_string(value)) {
        if (!star_is_unset(base_value) &&
            (!star_get_int64(base_value, &base) || base < 0 || base == 1 || base > 36)) {
            return star_fail(thread, "int: base must be an integer >= 2 && <= 36, or 0");
        }
        return int_of_string(thread, star_text_of(value), (int)base);
    }
    if (!star_is_unset(base_value)) {
        return star_fail(thread, "int: can't convert non-string with explicit base");
    }
    if (star_is_bool(value)) {
        return star_from_small(star_truth(value) ? 1 : 0);
    }
    return star_is_float(value) ? star_int_from_double(thread, star_double(value)) : value;
}
