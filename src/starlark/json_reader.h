#ifndef STARLARK_JSON_READER_H
#define STARLARK_JSON_READER_H

// From a JSON document (yyjson) to values: all at once, or one container at a time.
//
// Numbers that fit neither 64 bits nor a float are kept by yyjson as their text, so no digit of an
// int is lost.  Nesting is limited before parsing (JSON_NESTING_MAX).
// Errors: false or STAR_ERROR after star_fail; messages give the byte offset.

#include "starlark/dict.h"
#include "starlark/sequence.h"

enum { JSON_NESTING_MAX = 10000, JSON_SHAPES_KEPT = 16 };

struct yyjson_doc;
struct yyjson_val;

// The layouts of the objects read last: the next object with the same keys needs no look-up.
struct json_shapes {
    const struct star_shape *kept[JSON_SHAPES_KEPT];
};

// A parsed document and the bytes that it was charged to the thread's heap with.
struct json_parsed {
    struct yyjson_doc *document; // NULL: none
    size_t bytes;
};

// Parses `text` within the thread's memory limit.  Escapes of half a surrogate pair read as U+FFFD;
// a float beyond the range of a double is an error.  NULL document: a syntax error, which is
// described in *message (at least 256 bytes), or, when the message is empty, memory is out and the
// thread's error is set.
struct json_parsed json_parse(struct star_thread *thread, str text, char *message,
                              size_t message_size);
// Gives the document and its bytes back.
void json_parsed_free(struct star_thread *thread, struct json_parsed *parsed);

// The whole value, eagerly.
star_value json_to_value(struct star_thread *thread, struct yyjson_val *root);

// A string, number, bool or null.
star_value json_scalar(struct star_thread *thread, const struct yyjson_val *value);
// The layout of an object; NULL without an error when it has a key twice or too many keys.
// *failed tells the error case.
const struct star_shape *json_shape(struct star_thread *thread, struct json_shapes *shapes,
                                    struct yyjson_val *object, bool *failed);

#endif
