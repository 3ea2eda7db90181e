#ifndef BASE_STR_H
#define BASE_STR_H

// Text as a borrowed slice: a pointer and a size, UTF-8, no terminator.
//
// A str owns nothing: it lives as long as what it points into.  Newcomers get two things wrong:
// it must not be given to a C function that wants a NUL (use str_to_cstring), and an empty str may
// have a NULL pointer.
// Threads: values; any thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

typedef struct str {
    const char *data; // not NUL-terminated; may be NULL when size is 0
    size_t size;      // bytes
} str;

#define STR_INIT(literal) {"" literal, sizeof(literal) - 1} // in a static table
#define STR(literal) ((str)STR_INIT(literal))               // in an expression
#define STR_FORMAT "%.*s" // with STR_ARGS(s): prints a str of up to INT_MAX bytes
#define STR_ARGS(s) str_print_size(s), (s).data

// The size for "%.*s": printf takes an int, so longer text is cut at INT_MAX.
int str_print_size(str text);

// Borrows a C string; NULL gives the empty str.
str str_from(const char *cstring);
// The bytes as a NUL-terminated copy in `arena`.
char *str_to_cstring(struct arena *arena, str text);
str str_copy(struct arena *arena, str text);

bool str_is_empty(str text);
bool str_equal(str a, str b);
// ASCII letters compare without case; other bytes as they are.
bool str_equal_nocase(str a, str b);
// Byte order, as memcmp; a prefix sorts first.
int str_compare(str a, str b);
bool str_starts_with(str text, str prefix);
bool str_ends_with(str text, str suffix);

// `start` and `end` are byte offsets and are clamped to the text.
str str_slice(str text, size_t start, size_t end);
str str_from_offset(str text, size_t start);
// Position of the first `needle`, or SIZE_MAX.
size_t str_find(str text, str needle);
size_t str_find_char(str text, char c);
size_t str_find_last_char(str text, char c);
// Without the ASCII white space at both ends.
str str_trim(str text);
// Splits off what stands before `separator` and leaves the rest in *text; at the end gives the
// whole rest and an empty *text.  Returns false when *text was exhausted before the call.
// Start with a cursor {.rest = text}.
struct str_splitter {
    str rest;
    bool done;
};
bool str_split_next(struct str_splitter *splitter, char separator, str *part);

// ASCII only.
str str_to_lower(struct arena *arena, str text);
str str_to_upper(struct arena *arena, str text);
str str_replace_all(struct arena *arena, str text, str from, str to);
// For a terminal: control characters but newline and tab as \x1b or \u009b, so that text from
// outside cannot move the cursor, rewrite lines or set colours; bytes that are no UTF-8 likewise.
// `text` itself when it has none.
str str_printable(struct arena *arena, str text);

bool str_is_utf8(str text);
// Byte offset of the first byte that is not UTF-8, or SIZE_MAX.
size_t str_first_invalid_utf8(str text);
// Number of code points; a bad byte counts as one.
size_t str_code_points(str text);
// The longest prefix of at most `size_max` bytes that does not cut a character.
str str_cut(str text, size_t size_max);

// Parses the whole text as a decimal number in range, or returns false.
bool str_parse_int64(str text, int64_t *out);
bool str_parse_uint64(str text, uint64_t *out);
bool str_parse_double(str text, double *out);

// [A-Za-z_][A-Za-z0-9_]*
bool str_is_identifier(str text);

uint64_t str_hash(str text, uint64_t seed);

#endif
