#include "base/str.h"

#include "base/arena.h"

#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static char ascii_upper(char c) {
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

static bool ascii_is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

int str_print_size(str text) {
    return text.size > (size_t)INT_MAX ? INT_MAX : (int)text.size;
}

str str_from(const char *cstring) {
    return cstring == NULL ? (str){NULL, 0} : (str){cstring, strlen(cstring)};
}

// Sets *size to 0 when there is no room (arena.h on supplies).
static char *cstring_copy(struct arena *arena, str text, size_t *size) {
    char *copy = arena_try_bytes(arena, text.size + 1);
    if (copy == NULL) {
        copy = arena_alloc_bytes(arena, 1);
        text.size = 0;
    }
    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    copy[text.size] = '\0';
    *size = text.size;
    return copy;
}

char *str_to_cstring(struct arena *arena, str text) {
    size_t size = 0;
    return cstring_copy(arena, text, &size);
}

str str_copy(struct arena *arena, str text) {
    str copy;
    copy.data = cstring_copy(arena, text, &copy.size);
    return copy;
}

bool str_is_empty(str text) {
    return text.size == 0;
}

bool str_equal(str a, str b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool str_equal_nocase(str a, str b) {
    if (a.size != b.size) {
        return false;
    }
    for (size_t i = 0; i < a.size; i++) {
        if (ascii_lower(a.data[i]) != ascii_lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

int str_compare(str a, str b) {
    const size_t common = a.size < b.size ? a.size : b.size;
    const int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    if (order != 0) {
        return order;
    }
    return a.size < b.size ? -1 : a.size > b.size;
}

bool str_starts_with(str text, str prefix) {
    return text.size >= prefix.size && str_equal((str){text.data, prefix.size}, prefix);
}

bool str_ends_with(str text, str suffix) {
    return text.size >= suffix.size &&
           str_equal(str_from_offset(text, text.size - suffix.size), suffix);
}

str str_slice(str text, size_t start, size_t end) {
    if (end > text.size) {
        end = text.size;
    }
    if (start >= end) {
        return (str){NULL, 0};
    }
    return (str){text.data + start, end - start};
}

str str_from_offset(str text, size_t start) {
    return str_slice(text, start, text.size);
}

size_t str_find(str text, str needle) {
    if (needle.size == 0) {
        return 0;
    }
    if (needle.size > text.size) {
        return SIZE_MAX;
    }
    const char *found = memmem(text.data, text.size, needle.data, needle.size);
    return found == NULL ? SIZE_MAX : (size_t)(found - text.data);
}

size_t str_find_char(str text, char c) {
    const char *found = text.size == 0 ? NULL : memchr(text.data, c, text.size);
    return found == NULL ? SIZE_MAX : (size_t)(found - text.data);
}

size_t str_find_last_char(str text, char c) {
    const char *found = text.size == 0 ? NULL : memrchr(text.data, c, text.size);
    return found == NULL ? SIZE_MAX : (size_t)(found - text.data);
}

str str_trim(str text) {
    size_t start = 0;
    size_t end = text.size;
    while (start < end && ascii_is_space(text.data[start])) {
        start++;
    }
    while (end > start && ascii_is_space(text.data[end - 1])) {
        end--;
    }
    return str_slice(text, start, end);
}

bool str_split_next(struct str_splitter *splitter, char separator, str *part) {
    if (splitter->done) {
        return false;
    }
    const size_t at = str_find_char(splitter->rest, separator);
    if (at == SIZE_MAX) {
        *part = splitter->rest;
        splitter->done = true;
        return true;
    }
    *part = str_slice(splitter->rest, 0, at);
    splitter->rest = str_from_offset(splitter->rest, at + 1);
    return true;
}

static str str_map(struct arena *arena, str text, char (*map)(char)) {
    char *copy = arena_alloc_bytes(arena, text.size + 1);
    for (size_t i = 0; i < text.size; i++) {
        copy[i] = map(text.data[i]);
    }
    copy[text.size] = '\0';
    return (str){copy, text.size};
}

str str_to_lower(struct arena *arena, str text) {
    return str_map(arena, text, ascii_lower);
}

str str_to_upper(struct arena *arena, str text) {
    return str_map(arena, text, ascii_upper);
}

// Copies `part` to `end` and gives the new end.
static char *str_append(char *end, str part) {
    if (part.data != NULL && part.size > 0) {
        memcpy(end, part.data, part.size);
    }
    return end + part.size;
}

// Bytes of the control character at the start of `rest`; 0 when there is none.
static size_t control_size(str rest) {
    const unsigned char first = rest.data == NULL ? ' ' : (unsigned char)rest.data[0];
    if ((first < 0x20 && first != '\n' && first != '\t') || first == 0x7f) {
        return 1;
    }
    const bool is_c1 = first == 0xc2 && rest.size > 1 && (unsigned char)rest.data[1] >= 0x80 &&
                       (unsigned char)rest.data[1] <= 0x9f;
    return is_c1 ? 2 : 0;
}

static size_t count_controls(str text) {
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++) {
        count += control_size(str_from_offset(text, i)) > 0;
    }
    return count;
}

static const char digits[] = "0123456789abcdef";

// Bytes that are no UTF-8 as \xe9.
static str escape_invalid(struct arena *arena, str text) {
    size_t bad = str_first_invalid_utf8(text);
    if (bad == SIZE_MAX) {
        return text;
    }
    char *out = arena_alloc_bytes(arena, 4 * text.size + 1);
    char *end = out;
    for (; text.data != NULL && bad < text.size; bad = str_first_invalid_utf8(text)) {
        const unsigned char code = (unsigned char)text.data[bad];
        end = str_append(end, str_slice(text, 0, bad));
        end = str_append(end, STR("\\x"));
        *end++ = digits[code >> 4];
        *end++ = digits[code & 15];
        text = str_from_offset(text, bad + 1);
    }
    end = str_append(end, text);
    *end = '\0';
    return (str){out, (size_t)(end - out)};
}

str str_printable(struct arena *arena, str text) {
    text = escape_invalid(arena, text);
    const size_t count = count_controls(text);
    if (count == 0) {
        return text;
    }
    char *out = arena_alloc_bytes(arena, text.size + 5 * count + 1);
    char *end = out;
    for (size_t i = 0; i < text.size;) {
        const size_t size = control_size(str_from_offset(text, i));
        if (size == 0) {
            *end++ = text.data[i++];
            continue;
        }
        const unsigned char code = (unsigned char)text.data[i + size - 1]; // U+0080 is C2 80
        end = str_append(end, size == 1 ? STR("\\x") : STR("\\u00"));
        *end++ = digits[code >> 4];
        *end++ = digits[code & 15];
        i += size;
    }
    *end = '\0';
    return (str){out, (size_t)(end - out)};
}

str str_replace_all(struct arena *arena, str text, str from, str to) {
    size_t count = 0;
    for (str rest = text; from.size > 0; count++) {
        const size_t at = str_find(rest, from);
        if (at == SIZE_MAX) {
            break;
        }
        rest = str_from_offset(rest, at + from.size);
    }
    if (count == 0) {
        return text;
    }
    const size_t size = text.size - count * from.size + count * to.size;
    char *out = arena_alloc_bytes(arena, size + 1);
    char *end = out;
    str rest = text;
    for (size_t i = 0; i < count; i++) {
        const size_t at = str_find(rest, from);
        end = str_append(end, str_slice(rest, 0, at));
        end = str_append(end, to);
        rest = str_from_offset(rest, at + from.size);
    }
    (void)str_append(end, rest);
    out[size] = '\0';
    return (str){out, size};
}

// Bytes of the well-formed sequence at `offset` (Unicode 15, table 3-7), or 0.
static size_t utf8_sequence(str text, size_t offset) {
    const unsigned char *bytes = (const unsigned char *)text.data + offset;
    const size_t left = text.size - offset;
    if (bytes[0] < 0x80) {
        return 1;
    }
    size_t size = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (bytes[0] >= 0xC2 && bytes[0] <= 0xDF) {
        size = 2;
    } else if (bytes[0] >= 0xE0 && bytes[0] <= 0xEF) {
        size = 3;
        low = bytes[0] == 0xE0 ? 0xA0 : low;
        high = bytes[0] == 0xED ? 0x9F : high;
    } else if (bytes[0] >= 0xF0 && bytes[0] <= 0xF4) {
        size = 4;
        low = bytes[0] == 0xF0 ? 0x90 : low;
        high = bytes[0] == 0xF4 ? 0x8F : high;
    }
    if (size == 0 || size > left || bytes[1] < low || bytes[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < size; i++) {
        if (bytes[i] < 0x80 || bytes[i] > 0xBF) {
            return 0;
        }
    }
    return size;
}

size_t str_first_invalid_utf8(str text) {
    size_t i = 0;
    while (i < text.size) {
        uint64_t word = 0;
        if (text.size - i >= sizeof(word)) {
            memcpy(&word, text.data + i, sizeof(word));
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof(word);
                continue;
            }
        }
        const size_t size = utf8_sequence(text, i);
        if (size == 0) {
            return i;
        }
        i += size;
    }
    return SIZE_MAX;
}

bool str_is_utf8(str text) {
    return str_first_invalid_utf8(text) == SIZE_MAX;
}

size_t str_code_points(str text) {
    size_t count = 0;
    for (size_t i = 0; i < text.size; count++) {
        const size_t size = utf8_sequence(text, i);
        i += size == 0 ? 1 : size;
    }
    return count;
}

str str_cut(str text, size_t size_max) {
    if (text.size <= size_max) {
        return text;
    }
    size_t end = size_max;
    // Step back over continuation bytes, at most a character's worth.
    for (int back = 0; back < 3 && end > 0 && ((unsigned char)text.data[end] & 0xC0) == 0x80;
         back++) {
        end--;
    }
    return str_slice(text, 0, end);
}

bool str_parse_uint64(str text, uint64_t *out) {
    uint64_t value = 0;
    if (text.size == 0) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.data[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(c - '0'), &value)) {
            return false;
        }
    }
    *out = value;
    return true;
}

bool str_parse_int64(str text, int64_t *out) {
    const bool negative = str_starts_with(text, STR("-"));
    uint64_t magnitude = 0;
    if (!str_parse_uint64(negative ? str_from_offset(text, 1) : text, &magnitude)) {
        return false;
    }
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1u : 0u)) {
        return false;
    }
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

bool str_parse_double(str text, double *out) {
    char buffer[512];
    if (text.size == 0 || text.size >= sizeof(buffer) || ascii_is_space(text.data[0])) {
        return false;
    }
    memcpy(buffer, text.data, text.size);
    buffer[text.size] = '\0';
    char *end = NULL;
    const double value = strtod(buffer, &end);
    if (end != buffer + text.size) {
        return false;
    }
    *out = value;
    return true;
}

bool str_is_identifier(str text) {
    for (size_t i = 0; i < text.size; i++) {
        const char c = ascii_lower(text.data[i]);
        const bool digit = c >= '0' && c <= '9';
        if (!(c >= 'a' && c <= 'z') && c != '_' && !(digit && i > 0)) {
            return false;
        }
    }
    return text.size > 0;
}

// FNV-1a over 8-byte words with a final mix: good enough for tables of names; not for hostile input
// without a random seed.
uint64_t str_hash(str text, uint64_t seed) {
    const uint64_t prime = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t hash = seed ^ (text.size * prime);
    size_t i = 0;
    for (; text.size - i >= 8; i += 8) {
        uint64_t word = 0;
        memcpy(&word, text.data + i, 8);
        hash = (hash ^ word) * prime;
        hash ^= hash >> 32;
    }
    for (; i < text.size; i++) {
        hash = (hash ^ (unsigned char)text.data[i]) * prime;
    }
    hash ^= hash >> 29;
    hash *= UINT64_C(0xBF58476D1CE4E5B9);
    return hash ^ (hash >> 32);
}
