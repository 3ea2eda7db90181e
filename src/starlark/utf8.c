#include "starlark/utf8.h"

#include <string.h>

static bool is_continuation(unsigned char byte) {
    return (byte & 0xC0u) == 0x80u;
}

static size_t bad_byte(uint32_t *code_point, bool *valid) {
    *code_point = UTF8_REPLACEMENT;
    if (valid != NULL) {
        *valid = false;
    }
    return 1;
}

// The length a first byte promises, and the smallest code point of that length; 0 for a byte that
// starts nothing (a continuation byte, C0, C1, F5 and above).
static size_t sequence_size(unsigned char first, uint32_t *bits, uint32_t *smallest) {
    if (first >= 0xC2u && first <= 0xDFu) {
        *bits = first & 0x1Fu;
        *smallest = 0x80;
        return 2;
    }
    if (first >= 0xE0u && first <= 0xEFu) {
        *bits = first & 0x0Fu;
        *smallest = 0x800;
        return 3;
    }
    if (first >= 0xF0u && first <= 0xF4u) {
        *bits = first & 0x07u;
        *smallest = 0x10000;
        return 4;
    }
    return 0;
}

size_t utf8_decode_beyond_ascii(const char *data, size_t size, uint32_t *code_point, bool *valid) {
    const unsigned char *bytes = (const unsigned char *)data;
    uint32_t value = 0;
    uint32_t smallest = 0;
    const size_t length = sequence_size(bytes[0], &value, &smallest);
    if (length == 0 || length > size) {
        return bad_byte(code_point, valid);
    }
    for (size_t i = 1; i < length; i++) {
        if (!is_continuation(bytes[i])) {
            return bad_byte(code_point, valid);
        }
        value = (value << 6) | (bytes[i] & 0x3Fu);
    }
    if (value < smallest || value > 0x10FFFFu || (value >= 0xD800u && value <= 0xDFFFu)) {
        return bad_byte(code_point, valid);
    }
    *code_point = value;
    if (valid != NULL) {
        *valid = true;
    }
    return length;
}

size_t utf8_decode_last_beyond_ascii(const char *data, size_t size, uint32_t *code_point) {
    const size_t longest = size < UTF8_SIZE_MAX ? size : UTF8_SIZE_MAX;
    for (size_t back = 1; back <= longest; back++) {
        const size_t start = size - back;
        if (!is_continuation((unsigned char)data[start])) {
            bool valid = false;
            if (utf8_decode(data + start, back, code_point, &valid) == back && valid) {
                return start;
            }
            break;
        }
    }
    *code_point = UTF8_REPLACEMENT;
    return size - 1;
}

size_t utf8_encode(uint32_t code_point, char out[UTF8_SIZE_MAX]) {
    if (code_point > 0x10FFFFu || (code_point >= 0xD800u && code_point <= 0xDFFFu)) {
        code_point = UTF8_REPLACEMENT;
    }
    if (code_point < 0x80u) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800u) {
        out[0] = (char)(0xC0u | (code_point >> 6));
        out[1] = (char)(0x80u | (code_point & 0x3Fu));
        return 2;
    }
    if (code_point < 0x10000u) {
        out[0] = (char)(0xE0u | (code_point >> 12));
        out[1] = (char)(0x80u | ((code_point >> 6) & 0x3Fu));
        out[2] = (char)(0x80u | (code_point & 0x3Fu));
        return 3;
    }
    out[0] = (char)(0xF0u | (code_point >> 18));
    out[1] = (char)(0x80u | ((code_point >> 12) & 0x3Fu));
    out[2] = (char)(0x80u | ((code_point >> 6) & 0x3Fu));
    out[3] = (char)(0x80u | (code_point & 0x3Fu));
    return 4;
}

size_t utf8_ascii_prefix(const char *data, size_t size) {
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t word = 0;
        memcpy(&word, data + i, 8);
        if ((word & UINT64_C(0x8080808080808080)) != 0) {
            break;
        }
    }
    while (i < size && (unsigned char)data[i] < 0x80u) {
        i++;
    }
    return i;
}

size_t utf8_count(const char *data, size_t size) {
    size_t count = 0;
    size_t i = 0;
    while (i < size) {
        const size_t ascii = utf8_ascii_prefix(data + i, size - i);
        i += ascii;
        count += ascii;
        if (i < size) {
            uint32_t ignored = 0;
            i += utf8_decode(data + i, size - i, &ignored, NULL);
            count++;
        }
    }
    return count;
}

bool utf8_is_valid(const char *data, size_t size) {
    size_t i = 0;
    while (i < size) {
        i += utf8_ascii_prefix(data + i, size - i);
        if (i < size) {
            uint32_t ignored = 0;
            bool valid = false;
            i += utf8_decode(data + i, size - i, &ignored, &valid);
            if (!valid) {
                return false;
            }
        }
    }
    return true;
}
