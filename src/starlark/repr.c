// str() and repr() of every value.

#include <inttypes.h>
#include <stdio.h>

#include "starlark/ancestors.h"
#include "starlark/code.h"
#include "starlark/dict.h"
#include "starlark/numbers.h"
#include "starlark/operators.h"
#include "starlark/thread.h"
#include "starlark/unicode.h"
#include "starlark/utf8.h"

static bool add_value(struct star_text *text, star_value value, struct ancestors *outer);

static bool add_escaped_byte(struct star_text *text, unsigned char c) {
    static const char digits[] = "0123456789abcdef";
    const char escaped[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
    return star_text_add(text, escaped, sizeof(escaped));
}

// The character at the start of `rest`, whose first byte is above 127: as it is when it can be
// seen, else escaped, as is a byte that is no character.  Gives the bytes taken.
static size_t add_beyond_ascii(struct star_text *text, str rest) {
    uint32_t code_point = 0;
    bool valid = false;
    const size_t size = utf8_decode(rest.data, rest.size, &code_point, &valid);
    if (!valid) {
        add_escaped_byte(text, (unsigned char)rest.data[0]);
        return 1;
    }
    if (unicode_is_printable(code_point)) {
        star_text_add(text, rest.data, size);
        return size;
    }
    char escaped[16];
    const int length = snprintf(escaped, sizeof(escaped),
                                code_point < 0x10000 ? "\\u%04x" : "\\U%08x", code_point);
    star_text_add(text, escaped, (size_t)length);
    return size;
}

// The bytes from `start` on that stand for themselves in quotes; at least one.
static size_t plain_run(str content, size_t start) {
    size_t end = start + 1;
    while (end < content.size) {
        const unsigned char c = (unsigned char)content.data[end];
        if (c < 0x20 || c >= 0x7F || c == '"' || c == '\\') {
            break;
        }
        end++;
    }
    return end - start;
}

static bool add_quoted(struct star_text *text, str content, bool is_bytes) {
    static const char plain[] = "\a\b\f\n\r\t\v\\\"";
    static const char letters[] = "abfnrtv\\\"";
    star_text_add_cstring(text, is_bytes ? "b\"" : "\"");
    for (size_t i = 0; i < content.size && !text->failed;) {
        const unsigned char c = (unsigned char)content.data[i];
        const char *known = c != 0 ? strchr(plain, (char)c) : NULL;
        if (known != NULL) {
            star_text_add_char(text, '\\');
            star_text_add_char(text, letters[known - plain]);
            i++;
        } else if (c >= 0x20 && c < 0x7F) {
            const size_t run = plain_run(content, i);
            star_text_add(text, content.data + i, run);
            i += run;
        } else if (c < 0x80 || is_bytes) {
            add_escaped_byte(text, c);
            i++;
        } else {
            i += add_beyond_ascii(text, str_from_offset(content, i));
        }
    }
    return star_text_add_char(text, '"');
}

static bool add_items(struct star_text *text, star_value sequence, struct ancestors *here) {
    const size_t count = star_length(sequence);
    for (size_t i = 0; i < count; i++) {
        const star_value item = star_item(text->thread, sequence, i);
        if (star_is_error(item) || (i > 0 && !star_text_add(text, ", ", 2)) ||
            !add_value(text, item, here)) {
            text->failed = true;
            return false;
        }
    }
    return true;
}

static bool add_dict(struct star_text *text, struct star_dict *dict, struct ancestors *here) {
    uint32_t position = 0;
    star_value key = STAR_NONE;
    star_value value;
    bool is_first = true;
    star_text_add_char(text, '{');
    while (star_dict_step(text->thread, dict, &position, &key, &value)) {
        if ((!is_first && !star_text_add(text, ", ", 2)) || !add_value(text, key, here) ||
            !star_text_add(text, ": ", 2) || !add_value(text, value, here)) {
            return false;
        }
        is_first = false;
    }
    if (star_is_error(key)) {
        text->failed = true;
        return false;
    }
    return star_text_add_char(text, '}');
}

static bool add_set(struct star_text *text, const struct star_set *set, struct ancestors *here) {
    uint32_t position = 0;
    star_value item;
    bool is_first = true;
    star_text_add_cstring(text, "set([");
    while (star_set_step(set, &position, &item)) {
        if ((!is_first && !star_text_add(text, ", ", 2)) || !add_value(text, item, here)) {
            return false;
        }
        is_first = false;
    }
    return star_text_add_cstring(text, "])");
}

static bool add_struct(struct star_text *text, const struct star_struct_object *object,
                       struct ancestors *here) {
    star_text_add_str(text, star_text_of(object->constructor));
    star_text_add_char(text, '(');
    for (uint32_t i = 0; i < object->count; i++) {
        if ((i > 0 && !star_text_add(text, ", ", 2)) ||
            !star_text_add_str(text, star_text_of(object->items[i])) ||
            !star_text_add(text, " = ", 3) ||
            !add_value(text, object->items[object->count + i], here)) {
            return false;
        }
    }
    return star_text_add_char(text, ')');
}

static bool add_range(struct star_text *text, const struct star_range *range) {
    char number[96];
    const int64_t stop = range->stop;
    int size;
    if (range->step != 1) {
        size = snprintf(number, sizeof(number), "range(%" PRId64 ", %" PRId64 ", %" PRId64 ")",
                        range->start, stop, range->step);
    } else if (range->start != 0) {
        size =
            snprintf(number, sizeof(number), "range(%" PRId64 ", %" PRId64 ")", range->start, stop);
    } else {
        size = snprintf(number, sizeof(number), "range(%" PRId64 ")", stop);
    }
    return star_text_add(text, number, (size_t)size);
}

static bool add_builtin(struct star_text *text, const struct star_builtin_object *builtin) {
    const bool is_method = !star_is_unset(builtin->receiver);
    star_text_add_cstring(text, is_method ? "<built-in method " : "<built-in function ");
    star_text_add_cstring(text, builtin->builtin->name);
    if (is_method) {
        star_text_add_cstring(text, " of ");
        star_text_add_cstring(text, star_type_name(builtin->receiver));
        star_text_add_cstring(text, " value");
    }
    return star_text_add_char(text, '>');
}

static bool add_host(struct star_text *text, star_value value) {
    const struct star_type *type = star_as_host(value)->type;
    if (type->string != NULL) {
        const bool is_good = type->string(text->thread, value, text);
        text->failed = text->failed || !is_good;
        return is_good;
    }
    return star_text_add_char(text, '<') && star_text_add_cstring(text, type->name) &&
           star_text_add_char(text, '>');
}

// What may hold itself: a cycle prints as `[...]`.
static bool add_container(struct star_text *text, star_value value, struct ancestors *here) {
    const bool is_list = star_is_type(value, STAR_OBJECT_LIST);
    switch (ancestors_enter(here, value)) {
    case ANCESTORS_CYCLE:
        return star_text_add_cstring(text, is_list ? "[...]" : "{...}");
    case ANCESTORS_FAILED:
        text->failed = true;
        return false;
    case ANCESTORS_ENTERED:
        break;
    }
    const bool is_good = is_list ? star_text_add_char(text, '[') && add_items(text, value, here) &&
                                       star_text_add_char(text, ']')
                                 : add_dict(text, star_as_dict(value), here);
    ancestors_leave(here);
    return is_good;
}

static bool add_object(struct star_text *text, star_value value, struct ancestors *here) {
    switch ((enum star_object_type)star_object(value)->type) {
    case STAR_OBJECT_BIGINT:
        return star_text_add_int(text, value, 10, false);
    case STAR_OBJECT_STRING:
        return add_quoted(text, star_text_of(value), false);
    case STAR_OBJECT_BYTES:
        return add_quoted(text, star_text_of(value), true);
    case STAR_OBJECT_LIST:
    case STAR_OBJECT_DICT:
        return add_container(text, value, here);
    case STAR_OBJECT_TUPLE:
        return star_text_add_char(text, '(') && add_items(text, value, here) &&
               star_text_add_cstring(text, star_as_tuple(value)->count == 1 ? ",)" : ")");
    case STAR_OBJECT_SET:
        return add_set(text, star_as_set(value), here);
    case STAR_OBJECT_RANGE:
        return add_range(text, star_as_range(value));
    case STAR_OBJECT_FUNCTION:
        return star_text_add_cstring(text, "<function ") &&
               star_text_add_cstring(text, STAR_AS(star_function_object, value)->code->name) &&
               star_text_add_char(text, '>');
    case STAR_OBJECT_BUILTIN:
        return add_builtin(text, STAR_AS(star_builtin_object, value));
    case STAR_OBJECT_STRUCT:
        return add_struct(text, STAR_AS(star_struct_object, value), here);
    case STAR_OBJECT_HOST:
        return add_host(text, value);
    case STAR_OBJECT_CELL:
    case STAR_OBJECT_FORWARDED:
        return true;
    }
    return true;
}

static bool add_value(struct star_text *text, star_value value, struct ancestors *outer) {
    if (star_is_small(value)) {
        return star_text_add_int(text, value, 10, false);
    }
    if (star_is_float(value)) {
        char number[STAR_FLOAT_TEXT_MAX];
        return star_text_add(text, number, star_float_format(star_double(value), number));
    }
    if (!star_is_object(value)) {
        return star_text_add_cstring(text, star_is_none(value)              ? "None"
                                           : star_is_same(value, STAR_TRUE) ? "True"
                                                                            : "False");
    }
    if (!star_enter(text->thread, "repr")) {
        text->failed = true;
        return false;
    }
    const bool is_good = add_object(text, value, outer);
    star_leave(text->thread);
    return is_good && !text->failed;
}

bool star_text_add_repr(struct star_text *text, star_value value) {
    struct ancestors ancestors;
    ancestors_init(&ancestors, text->thread);
    const bool is_good = add_value(text, value, &ancestors);
    ancestors_done(&ancestors);
    return is_good;
}

star_value star_repr(struct star_thread *thread, star_value value) {
    struct star_text text;
    star_text_init(&text, thread);
    star_text_add_repr(&text, value);
    return star_text_finish(&text);
}

bool star_text_add_utf8(struct star_text *text, str part) {
    if (utf8_is_valid(part.data, part.size)) {
        return star_text_add_str(text, part);
    }
    size_t i = 0;
    while (i < part.size && !text->failed) {
        uint32_t code_point = 0;
        i += utf8_decode(part.data + i, part.size - i, &code_point, NULL);
        char encoded[UTF8_SIZE_MAX];
        star_text_add(text, encoded, utf8_encode(code_point, encoded));
    }
    return !text->failed;
}

bool star_text_add_value(struct star_text *text, star_value value) {
    if (star_is_string(value)) {
        return star_text_add_str(text, star_text_of(value));
    }
    return star_is_type(value, STAR_OBJECT_BYTES) ? star_text_add_utf8(text, star_text_of(value))
                                                  : star_text_add_repr(text, value);
}

star_value star_str(struct star_thread *thread, star_value value) {
    if (star_is_string(value)) {
        return value;
    }
    struct star_text text;
    star_text_init(&text, thread);
    star_text_add_value(&text, value);
    return star_text_finish(&text);
}
