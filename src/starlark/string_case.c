#include "starlark/sequence.h"
#include "starlark/string_methods.h"
#include "starlark/unicode.h"
#include "starlark/utf8.h"

#include <string.h>

// ---------------------------------------------------------------------------------------------
// Mapping

// Maps code point by code point; `state` is the mapping's own, 0 at the start.
typedef uint32_t (*case_mapping)(uint32_t code_point, bool *state);

static star_value map_text(struct star_thread *thread, star_value string, case_mapping mapping) {
    const str text = star_text_of(string);
    struct star_text out;
    star_text_init(&out, thread);
    bool state = false;
    size_t i = 0;
    while (i < text.size && !out.failed) {
        uint32_t code_point = 0;
        bool valid = false;
        const size_t size = utf8_decode(text.data + i, text.size - i, &code_point, &valid);
        if (valid) {
            char encoded[UTF8_SIZE_MAX];
            star_text_add(&out, encoded, utf8_encode(mapping(code_point, &state), encoded));
        } else {
            star_text_add(&out, text.data + i, 1); // a bad byte stays as it is
        }
        i += size;
    }
    return star_text_finish(&out);
}

// Eight ASCII bytes at once: those from `first` to `last` change their case.  Adding brings a
// byte's top bit up when it is at least `first`, or above `last`; ASCII leaves no carry.
static uint64_t toggle_case(uint64_t bytes, char first, char last) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t from_first = bytes + ones * (uint64_t)(0x80 - first);
    const uint64_t past_last = bytes + ones * (uint64_t)(0x7F - last);
    return bytes ^ (((from_first ^ past_last) & (ones << 7)) >> 2);
}

// ASCII text keeps its size.
static star_value map_ascii(struct star_thread *thread, star_value string, char first, char last) {
    const str text = star_text_of(string);
    char *content = NULL;
    const star_value result = star_string_reserve(thread, text.size, &content);
    if (star_is_error(result)) {
        return result;
    }
    size_t i = 0;
    for (; i + 8 <= text.size; i += 8) {
        uint64_t bytes;
        memcpy(&bytes, text.data + i, 8);
        bytes = toggle_case(bytes, first, last);
        memcpy(content + i, &bytes, 8);
    }
    for (; i < text.size; i++) {
        const char c = text.data[i];
        content[i] = (char)(c ^ ((c >= first && c <= last) ? 0x20 : 0));
    }
    return result;
}

static bool is_ascii_letter(char c) {
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

// A letter is upper case at the start, and when `words` behind anything but a letter; else lower.
static star_value title_ascii(struct star_thread *thread, star_value string, bool words) {
    const str text = star_text_of(string);
    char *content = NULL;
    const star_value result = star_string_reserve(thread, text.size, &content);
    if (star_is_error(result)) {
        return result;
    }
    bool inside = false;
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.data[i];
        const bool is_letter = is_ascii_letter(c);
        content[i] = (char)(!is_letter ? c : inside ? c | 0x20 : c & ~0x20);
        inside = is_letter || !words;
    }
    return result;
}

static uint32_t to_upper(uint32_t code_point, bool *state) {
    (void)state;
    return unicode_to_upper(code_point);
}

static uint32_t to_lower(uint32_t code_point, bool *state) {
    (void)state;
    return unicode_to_lower(code_point);
}

static bool is_cased(uint32_t code_point) {
    return unicode_is_upper(code_point) || unicode_is_lower(code_point) ||
           unicode_is_title(code_point) || unicode_to_upper(code_point) != code_point ||
           unicode_to_lower(code_point) != code_point;
}

// `state`: the character before was cased, so this one is inside a word.
static uint32_t to_title(uint32_t code_point, bool *state) {
    const uint32_t mapped = *state ? unicode_to_lower(code_point) : unicode_to_title(code_point);
    *state = is_cased(code_point);
    return mapped;
}

// `state`: not the first character.
static uint32_t to_capitalized(uint32_t code_point, bool *state) {
    const uint32_t mapped = *state ? unicode_to_lower(code_point) : unicode_to_title(code_point);
    *state = true;
    return mapped;
}

static bool charge_text(struct star_thread *thread, star_value string) {
    return star_charge(thread, star_text_of(string).size / 16);
}

star_value string_method_upper(struct star_thread *thread, const struct star_call_info *call) {
    if (!charge_text(thread, call->receiver)) {
        return STAR_ERROR;
    }
    return star_string_is_ascii(star_as_string(call->receiver))
               ? map_ascii(thread, call->receiver, 'a', 'z')
               : map_text(thread, call->receiver, to_upper);
}

star_value string_method_lower(struct star_thread *thread, const struct star_call_info *call) {
    if (!charge_text(thread, call->receiver)) {
        return STAR_ERROR;
    }
    return star_string_is_ascii(star_as_string(call->receiver))
               ? map_ascii(thread, call->receiver, 'A', 'Z')
               : map_text(thread, call->receiver, to_lower);
}

star_value string_method_title(struct star_thread *thread, const struct star_call_info *call) {
    if (!charge_text(thread, call->receiver)) {
        return STAR_ERROR;
    }
    return star_string_is_ascii(star_as_string(call->receiver))
               ? title_ascii(thread, call->receiver, true)
               : map_text(thread, call->receiver, to_title);
}

star_value string_method_capitalize(struct star_thread *thread, const struct star_call_info *call) {
    if (!charge_text(thread, call->receiver)) {
        return STAR_ERROR;
    }
    return star_string_is_ascii(star_as_string(call->receiver))
               ? title_ascii(thread, call->receiver, false)
               : map_text(thread, call->receiver, to_capitalized);
}

// ---------------------------------------------------------------------------------------------
// Classes

typedef bool (*class_test)(uint32_t code_point);

// At least one character and all of the class.
static star_value all_in(struct star_thread *thread, const struct star_call_info *call,
                         class_test test) {
    const str text = star_text_of(call->receiver);
    if (!charge_text(thread, call->receiver)) {
        return STAR_ERROR;
    }
    size_t i = 0;
    while (i < text.size) {
        uint32_t code_point = 0;
        i += utf8_decode(text.data + i, text.size - i, &code_point, NULL);
        if (!test(code_point)) {
            return STAR_FALSE;
        }
    }
    return star_bool(text.size > 0);
}

static bool is_alnum(uint32_t code_point) {
    return unicode_is_letter(code_point) || unicode_is_digit(code_point);
}

star_value string_method_isalnum(struct star_thread *thread, const struct star_call_info *call) {
    return all_in(thread, call, is_alnum);
}

star_value string_method_isalpha(struct star_thread *thread, const struct star_call_info *call) {
    return all_in(thread, call, unicode_is_letter);
}

star_value string_method_isdigit(struct star_thread *thread, const struct star_call_info *call) {
    return all_in(thread, call, unicode_is_digit);
}

star_value string_method_isspace(struct star_thread *thread, const struct star_call_info *call) {
    return all_in(thread, call, unicode_is_space);
}

// Lower-case letters, and symbols that have an upper case, such as circled letters.
static bool is_lower_like(uint32_t code_point) {
    return unicode_is_lower(code_point) ||
           (!unicode_is_title(code_point) && unicode_to_upper(code_point) != code_point);
}

static bool is_upper_like(uint32_t code_point) {
    return unicode_is_upper(code_point) ||
           (!unicode_is_title(code_point) && unicode_to_lower(code_point) != code_point);
}

// At least one cased character, and none of the other cases.
static star_value all_cased(struct star_thread *thread, const struct star_call_info *call,
                            class_test wanted, class_test refused) {
    const str text = star_text_of(call->receiver);
    if (!charge_text(thread, call->receiver)) {
        return STAR_ERROR;
    }
    bool cased = false;
    size_t i = 0;
    while (i < text.size) {
        uint32_t code_point = 0;
        i += utf8_decode(text.data + i, text.size - i, &code_point, NULL);
        if (unicode_is_title(code_point) || (!wanted(code_point) && refused(code_point))) {
            return STAR_FALSE;
        }
        cased = cased || wanted(code_point);
    }
    return star_bool(cased);
}

star_value string_method_islower(struct star_thread *thread, const struct star_call_info *call) {
    return all_cased(thread, call, is_lower_like, is_upper_like);
}

star_value string_method_isupper(struct star_thread *thread, const struct star_call_info *call) {
    return all_cased(thread, call, is_upper_like, is_lower_like);
}

// Upper and title case only at the start of a run of cased characters, lower case only inside one.
star_value string_method_istitle(struct star_thread *thread, const struct star_call_info *call) {
    const str text = star_text_of(call->receiver);
    if (!charge_text(thread, call->receiver)) {
        return STAR_ERROR;
    }
    bool cased = false;
    bool inside = false;
    size_t i = 0;
    while (i < text.size) {
        uint32_t code_point = 0;
        i += utf8_decode(text.data + i, text.size - i, &code_point, NULL);
        const bool starts = unicode_is_title(code_point) || is_upper_like(code_point);
        const bool continues = !starts && is_lower_like(code_point);
        if ((starts && inside) || (continues && !inside)) {
            return STAR_FALSE;
        }
        inside = starts || continues;
        cased = cased || inside;
    }
    return star_bool(cased);
}
