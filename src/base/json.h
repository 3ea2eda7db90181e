#ifndef BASE_JSON_H
#define BASE_JSON_H

// Writing JSON into a text, compactly and in the order of the calls.  Reading is yyjson's own
// interface (yyjson.h), used where a document is read.
//
//     struct json json;
//     json_init(&json, &text);
//     json_object(&json);
//     json_key(&json, STR("rows"));  json_int(&json, 3);
//     json_end(&json);
//
// Nesting deeper than JSON_DEPTH_MAX is a bug of the caller (assert).  Invalid UTF-8 becomes
// U+FFFD.

#include "base/list.h"
#include "base/str.h"

struct text;

enum { JSON_DEPTH_MAX = 64 };

struct json {
    struct text *out;
    int depth;
    bool is_object[JSON_DEPTH_MAX];
    bool has_items[JSON_DEPTH_MAX];
    bool after_key;
};

void json_init(struct json *json, struct text *out);
void json_object(struct json *json);
void json_array(struct json *json);
void json_end(struct json *json); // closes the innermost object or array
void json_key(struct json *json, str key);
void json_string(struct json *json, str value);
void json_int(struct json *json, int64_t value);
void json_double(struct json *json, double value); // shortest form; NaN and infinities are null
void json_bool(struct json *json, bool value);
void json_null(struct json *json);
// A value that is JSON already.
void json_raw(struct json *json, str value);

void json_key_string(struct json *json, str key, str value);
void json_key_strings(struct json *json, str key, const struct str_list *values); // an array
void json_key_int(struct json *json, str key, int64_t value);
void json_key_bool(struct json *json, str key, bool value);

// The quoted, escaped form of one string.
void json_quote(struct text *out, str value);
// Shortest text that reads back as the same double, in JSON's form ("1.5", "1e+300", "2.0").
void json_format_double(struct text *out, double value);

#endif
