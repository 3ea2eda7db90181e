#ifndef STARLARK_UNICODE_H
#define STARLARK_UNICODE_H

// Classes and simple case mappings of code points, from built-in tables: the process locale plays
// no part.  Made by tools/generate_unicode.py.
// Threads: pure functions.

#include <stdbool.h>
#include <stdint.h>

bool unicode_is_letter(uint32_t code_point); // general category L*
bool unicode_is_digit(uint32_t code_point);  // Nd
bool unicode_is_space_beyond_ascii(uint32_t code_point);
static inline bool unicode_is_space(uint32_t code_point) { // White_Space
    return code_point < 0x80 ? code_point == ' ' || (code_point >= '\t' && code_point <= '\r')
                             : unicode_is_space_beyond_ascii(code_point);
}
bool unicode_is_upper(uint32_t code_point); // Lu
bool unicode_is_lower(uint32_t code_point); // Ll
bool unicode_is_title(uint32_t code_point); // Lt
bool unicode_is_printable(
    uint32_t code_point); // letters, marks, numbers, punctuation, symbols, " "

// One code point to one; itself when there is no mapping.
uint32_t unicode_to_upper(uint32_t code_point);
uint32_t unicode_to_lower(uint32_t code_point);
uint32_t unicode_to_title(uint32_t code_point);

#endif
