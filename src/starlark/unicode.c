#include "starlark/unicode.h"

enum unicode_flags {
    UNICODE_LETTER = 1,
    UNICODE_DIGIT = 2,
    UNICODE_SPACE = 4,
    UNICODE_UPPER = 8,
    UNICODE_LOWER = 16,
    UNICODE_TITLE = 32,
    UNICODE_PRINTABLE = 64,
};

// What many code points share: their classes and the distances to their other cases.
struct unicode_record {
    uint8_t flags;
    int32_t upper;
    int32_t lower;
    int32_t title;
};

#include "starlark/unicode_table.h"

static const struct unicode_record *record_find(uint32_t code_point) {
    if (code_point > 0x10FFFFu) {
        return &records[record_of[block_of[0xD800 >> BLOCK_SHIFT]][0]];
    }
    const uint8_t *block = record_of[block_of[code_point >> BLOCK_SHIFT]];
    return &records[block[code_point & ((1u << BLOCK_SHIFT) - 1)]];
}

static bool has_flag(uint32_t code_point, enum unicode_flags flag) {
    return (record_find(code_point)->flags & (unsigned)flag) != 0;
}

static uint32_t shifted(uint32_t code_point, int32_t distance) {
    return (uint32_t)((int32_t)code_point + distance);
}

bool unicode_is_letter(uint32_t code_point) {
    return has_flag(code_point, UNICODE_LETTER);
}

bool unicode_is_digit(uint32_t code_point) {
    return has_flag(code_point, UNICODE_DIGIT);
}

bool unicode_is_space_beyond_ascii(uint32_t code_point) {
    return has_flag(code_point, UNICODE_SPACE);
}

bool unicode_is_upper(uint32_t code_point) {
    return has_flag(code_point, UNICODE_UPPER);
}

bool unicode_is_lower(uint32_t code_point) {
    return has_flag(code_point, UNICODE_LOWER);
}

bool unicode_is_title(uint32_t code_point) {
    return has_flag(code_point, UNICODE_TITLE);
}

bool unicode_is_printable(uint32_t code_point) {
    return has_flag(code_point, UNICODE_PRINTABLE);
}

uint32_t unicode_to_upper(uint32_t code_point) {
    return shifted(code_point, record_find(code_point)->upper);
}

uint32_t unicode_to_lower(uint32_t code_point) {
    return shifted(code_point, record_find(code_point)->lower);
}

uint32_t unicode_to_title(uint32_t code_point) {
    return shifted(code_point, record_find(code_point)->title);
}
