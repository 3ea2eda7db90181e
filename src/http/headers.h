#ifndef HTTP_HEADERS_H
#define HTTP_HEADERS_H

// Header fields in the order they came, looked up without case; and what we read out of their
// values.
//
// Ownership: the list's items live in the arena given to each call; names and values are borrowed
// unless a function says "copies".
// Errors: none but from http_header_check.
// Threads: values; one at a time.

#include "base/error.h"

struct arena;

struct http_header {
    str name;
    str value;
    bool removes; // in a request: takes the API's default of this name away
};

struct http_headers {
    struct http_header *items;
    size_t count;
    size_t capacity;
};

void http_headers_add(struct arena *arena, struct http_headers *headers, str name, str value);
// Replaces every field of that name, or adds one.
void http_headers_set(struct arena *arena, struct http_headers *headers, str name, str value);
// The first field of that name; false when there is none.
bool http_headers_get(const struct http_headers *headers, str name, str *value);
bool http_headers_has(const struct http_headers *headers, str name);

// "content-TYPE" → "Content-Type": a capital after the start and after each hyphen, the rest small.
// A name with a byte that is no token character comes back as it is.
str http_header_canonical(struct arena *arena, str name);
// ERROR_INVALID for a name that is not an RFC 9110 token or a value that holds CR, LF or NUL: such
// a header would let its author write further header lines.
MUST_USE enum error_code http_header_check(str name, str value, struct error *err);

// The value of one parameter in `type/subtype; name=value; name="quoted"`; false when it is not
// there.
bool http_header_parameter(struct arena *arena, str value, str name, str *parameter);

// One entry of a Link header: a relation word and where it points.
struct http_link {
    str rel;
    str url; // absolute when `base` was
};
struct http_links {
    struct http_link *items;
    size_t count;
    size_t capacity;
};
// Reads all Link fields (RFC 8288).  A link with several relation words gives one entry a word; of
// two links with the same word the first wins; relative targets are resolved against `base`.
void http_links_parse(struct arena *arena, const struct http_headers *headers, str base,
                      struct http_links *links);

#endif
