#ifndef STARLARK_JSON_WRITER_H
#define STARLARK_JSON_WRITER_H

// Values as JSON text.
//
// Compact; ints in full, floats as spec/starlark.md §6, bytes that are no UTF-8 as U+FFFD.  Lazy
// JSON that nobody changed is written from its document, without making values.
// Errors: false after star_fail; the message names the path ("in dict key "x": at list index 1:
// …").

#include "starlark/heap.h"

struct json_options {
    const char *name; // the builtin in messages: "json.encode"
    bool sorted;      // dict keys in byte order; else as the dict has them
};

bool json_write(struct star_text *out, star_value value, const struct json_options *options);
// Adds the string, quoted and escaped.
bool json_write_string(struct star_text *out, str text);
// Adds JSON (known to be well-formed) with a line for every item.
bool json_indent(struct star_text *out, str json, str prefix, str indent);

#endif
