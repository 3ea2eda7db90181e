#ifndef STARLARK_UTF8_H
#define STARLARK_UTF8_H

// One code point in, one code point out.
//
// Strings may hold any bytes: a slice may cut a character (spec/starlark.md §6).  A byte that is
// not part of a well-formed sequence reads as U+FFFD of size 1, so a walk always ends and never
// skips. Threads: pure functions.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UTF8_SIZE_MAX = 4 };
#define UTF8_REPLACEMENT 0xFFFDu

// Decodes at `data` (size > 0) and gives the number of bytes taken, 1 to 4.  *valid tells a real
// U+FFFD from a bad byte; it may be NULL.
size_t utf8_decode_beyond_ascii(const char *data, size_t size, uint32_t *code_point, bool *valid);
static inline size_t utf8_decode(const char *data, size_t size, uint32_t *code_point, bool *valid) {
    const unsigned char first = (unsigned char)data[0];
    if (first >= 0x80u) {
        return utf8_decode_beyond_ascii(data, size, code_point, valid);
    }
    *code_point = first;
    if (valid != NULL) {
        *valid = true;
    }
    return 1;
}
// Start of the last character of data[0..size), size > 0: the inverse walk of utf8_decode.
size_t utf8_decode_last_beyond_ascii(const char *data, size_t size, uint32_t *code_point);
static inline size_t utf8_decode_last(const char *data, size_t size, uint32_t *code_point) {
    const unsigned char last = (unsigned char)data[size - 1];
    if (last >= 0x80u) {
        return utf8_decode_last_beyond_ascii(data, size, code_point);
    }
    *code_point = last;
    return size - 1;
}
// Writes 1 to 4 bytes.  A surrogate or a number above U+10FFFF is written as U+FFFD.
size_t utf8_encode(uint32_t code_point, char out[UTF8_SIZE_MAX]);
// Number of code points, a bad byte counting as one.
size_t utf8_count(const char *data, size_t size);
bool utf8_is_valid(const char *data, size_t size);
// Bytes at the start that are ASCII.
size_t utf8_ascii_prefix(const char *data, size_t size);

#endif
