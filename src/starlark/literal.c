#include "starlark/literal.h"

#include "starlark/number_text.h"
#include "starlark/utf8.h"

#include <string.h>

// ---- numbers ------------------------------------------------------------------------------------

unsigned star_digit_value(unsigned char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const unsigned char lower = c | 0x20;
    return lower >= 'a' && lower <= 'z' ? lower - 'a' + 10u : 255;
}

bool star_literal_int(str digits, int base, struct ast_int *out) {
    *out = (struct ast_int){.digits = digits, .base = base, .is_small = true};
    for (size_t i = 0; i < digits.size; i++) {
        const unsigned digit = star_digit_value((unsigned char)digits.data[i]);
        if (digit >= (unsigned)base) {
            return false;
        }
        out->is_small = out->is_small && !__builtin_mul_overflow(out->value, base, &out->value) &&
                        !__builtin_add_overflow(out->value, (int64_t)digit, &out->value);
    }
    return digits.size > 0;
}

bool star_literal_float(str text, double *out) {
    *out = 0;
    return float_parse_decimal(text.data, text.size, out) != FLOAT_PARSE_OVERFLOW;
}

// ---- escapes ------------------------------------------------------------------------------------

static const char *simple_escape(char c) {
    switch (c) {
    case 'a':
        return "\a";
    case 'b':
        return "\b";
    case 'f':
        return "\f";
    case 'n':
        return "\n";
    case 'r':
        return "\r";
    case 't':
        return "\t";
    case 'v':
        return "\v";
    case '\\':
        return "\\";
    case '\'':
        return "'";
    case '"':
        return "\"";
    default:
        return NULL;
    }
}

// Reads up to `count_max` digits behind `escape->size` bytes and gives how many there were.
static size_t escape_digits(str rest, unsigned base, size_t count_max, struct star_escape *escape,
                            uint32_t *value) {
    size_t count = 0;
    *value = 0;
    while (count < count_max && escape->size < rest.size &&
           star_digit_value((unsigned char)rest.data[escape->size]) < base) {
        *value = *value * base + star_digit_value((unsigned char)rest.data[escape->size]);
        escape->size++;
        count++;
    }
    return count;
}

static void escape_byte(struct star_escape *escape, uint32_t value, bool is_bytes, bool is_octal) {
    if (value > 255) {
        escape->problem = "invalid escape: octal value is above 255";
    } else if (value > 127 && !is_bytes) {
        escape->problem = is_octal ? "non-ASCII octal escape in a string (use \\u for a code point)"
                                   : "non-ASCII hex escape in a string (use \\u for a code point)";
    } else {
        escape->value[0] = (char)value;
        escape->value_size = 1;
    }
}

static void escape_unicode(str rest, bool is_long, struct star_escape *escape) {
    uint32_t value = 0;
    const size_t wanted = is_long ? 8 : 4;
    if (escape_digits(rest, 16, wanted, escape, &value) < wanted) {
        escape->problem = is_long ? "truncated escape: \\U needs 8 hexadecimal digits"
                                  : "truncated escape: \\u needs 4 hexadecimal digits";
    } else if (value > 0x10FFFF) {
        escape->problem = "invalid escape: code point is above U+10FFFF";
    } else if (value >= 0xD800 && value <= 0xDFFF) {
        escape->problem = "invalid escape: code point is a surrogate";
    } else {
        escape->value_size = utf8_encode(value, escape->value);
    }
}

void star_literal_escape(str rest, bool is_bytes, struct star_escape *escape) {
    *escape = (struct star_escape){.size = 1};
    if (rest.size < 2) {
        return; // the literal is not closed: that is the error
    }
    const char kind = rest.data[1];
    uint32_t value = 0;
    if (simple_escape(kind) != NULL) {
        escape->size = 2;
        escape->value[0] = simple_escape(kind)[0];
        escape->value_size = 1;
    } else if (kind >= '0' && kind <= '7') {
        (void)escape_digits(rest, 8, 3, escape, &value);
        escape_byte(escape, value, is_bytes, true);
    } else if (kind == 'x') {
        escape->size = 2;
        if (escape_digits(rest, 16, 2, escape, &value) < 2) {
            escape->problem = "truncated escape: \\x needs 2 hexadecimal digits";
        } else {
            escape_byte(escape, value, is_bytes, false);
        }
    } else if (kind == 'u' || kind == 'U') {
        escape->size = 2;
        escape_unicode(rest, kind == 'U', escape);
    } else {
        escape->problem = "invalid escape sequence (write \\\\ for a backslash)";
    }
}

// ---- text ---------------------------------------------------------------------------------------

void star_literal_begin(struct star_literal_text *text, struct arena *arena, const char *at) {
    *text = (struct star_literal_text){.arena = arena, .piece = at};
}

static void text_append(struct star_literal_text *text, const char *data, size_t size) {
    if (text->data == NULL || text->capacity - text->size < size) {
        const size_t capacity = (text->size + size) * 2 + 16;
        char *grown = text->data == NULL
                          ? arena_try_bytes(text->arena, capacity)
                          : arena_try_grow(text->arena, text->data, text->capacity, capacity);
        if (grown == NULL) {
            return;
        }
        text->data = grown;
        text->capacity = capacity;
    }
    if (size > 0) {
        memcpy(text->data + text->size, data, size);
        text->size += size;
    }
}

void star_literal_flush(struct star_literal_text *text, const char *at) {
    text_append(text, text->piece, (size_t)(at - text->piece));
    text->piece = at;
}

void star_literal_add(struct star_literal_text *text, str value, const char *next) {
    text_append(text, value.data, value.size);
    text->piece = next;
}

str star_literal_end(struct star_literal_text *text, const char *at) {
    if (text->data == NULL) {
        return (str){text->piece, (size_t)(at - text->piece)};
    }
    star_literal_flush(text, at);
    return (str){text->data, text->size};
}
