#include "base/json.h"

#include "base/text.h"

#include <yyjson.h>

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void json_init(struct json *json, struct text *out) {
    *json = (struct json){.out = out};
}

// The comma before a value, where one is due.
static void json_value_begin(struct json *json) {
    if (json->depth == 0 || json->after_key) {
        json->after_key = false;
        return;
    }
    if (json->has_items[json->depth - 1]) {
        text_add_char(json->out, ',');
    }
    json->has_items[json->depth - 1] = true;
}

static void json_open(struct json *json, bool is_object) {
    json_value_begin(json);
    assert(json->depth < JSON_DEPTH_MAX);
    json->is_object[json->depth] = is_object;
    json->has_items[json->depth] = false;
    json->depth++;
    text_add_char(json->out, is_object ? '{' : '[');
}

void json_object(struct json *json) {
    json_open(json, true);
}

void json_array(struct json *json) {
    json_open(json, false);
}

void json_end(struct json *json) {
    assert(json->depth > 0);
    json->depth--;
    text_add_char(json->out, json->is_object[json->depth] ? '}' : ']');
}

void json_key(struct json *json, str key) {
    assert(!json->after_key);
    json_value_begin(json);
    json_quote(json->out, key);
    text_add_char(json->out, ':');
    json->after_key = true;
}

void json_string(struct json *json, str value) {
    json_value_begin(json);
    json_quote(json->out, value);
}

void json_int(struct json *json, int64_t value) {
    json_value_begin(json);
    text_format(json->out, "%" PRId64, value);
}

void json_double(struct json *json, double value) {
    json_value_begin(json);
    if (isfinite(value)) {
        json_format_double(json->out, value);
    } else {
        text_add(json->out, STR("null"));
    }
}

void json_bool(struct json *json, bool value) {
    json_value_begin(json);
    text_add(json->out, value ? STR("true") : STR("false"));
}

void json_null(struct json *json) {
    json_value_begin(json);
    text_add(json->out, STR("null"));
}

void json_raw(struct json *json, str value) {
    json_value_begin(json);
    text_add(json->out, value);
}

void json_key_string(struct json *json, str key, str value) {
    json_key(json, key);
    json_string(json, value);
}

void json_key_strings(struct json *json, str key, const struct str_list *values) {
    json_key(json, key);
    json_array(json);
    for (size_t i = 0; i < values->count; i++) {
        json_string(json, values->items[i]);
    }
    json_end(json);
}

void json_key_int(struct json *json, str key, int64_t value) {
    json_key(json, key);
    json_int(json, value);
}

void json_key_bool(struct json *json, str key, bool value) {
    json_key(json, key);
    json_bool(json, value);
}

static void quote_escaped(struct text *out, unsigned char c) {
    switch (c) {
    case '"':
        text_add(out, STR("\\\""));
        break;
    case '\\':
        text_add(out, STR("\\\\"));
        break;
    case '\n':
        text_add(out, STR("\\n"));
        break;
    case '\r':
        text_add(out, STR("\\r"));
        break;
    case '\t':
        text_add(out, STR("\\t"));
        break;
    default:
        text_format(out, "\\u%04x", c);
        break;
    }
}

// `value` is well-formed UTF-8.
static void quote_valid(struct text *out, str value) {
    size_t start = 0;
    for (size_t i = 0; i < value.size; i++) {
        const unsigned char c = (unsigned char)value.data[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        text_add(out, str_slice(value, start, i));
        quote_escaped(out, c);
        start = i + 1;
    }
    text_add(out, str_from_offset(value, start));
}

void json_quote(struct text *out, str value) {
    text_add_char(out, '"');
    while (value.size > 0) {
        const size_t bad = str_first_invalid_utf8(value);
        quote_valid(out, str_slice(value, 0, bad));
        if (bad == SIZE_MAX) {
            break;
        }
        text_add(out, STR("\xEF\xBF\xBD")); // U+FFFD
        value = str_from_offset(value, bad + 1);
    }
    text_add_char(out, '"');
}

void json_format_double(struct text *out, double value) {
    yyjson_val number = {0};
    unsafe_yyjson_set_real(&number, value);
    char pool[512];
    yyjson_alc allocator;
    const bool ready = yyjson_alc_pool_init(&allocator, pool, sizeof(pool));
    assert(ready);
    (void)ready;
    size_t size = 0;
    const char *written = yyjson_val_write_opts(&number, 0, &allocator, &size, NULL);
    assert(written != NULL);
    text_add(out, (str){written, size});
}
