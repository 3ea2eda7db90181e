#include "starlark/sequence.h"
#include "starlark/string_methods.h"
#include "starlark/string_search.h"
#include "starlark/unicode.h"
#include "starlark/utf8.h"

// ---------------------------------------------------------------------------------------------
// Strip

// The code points to cut off: white space when `cutset` is None or not given.
struct cut {
    bool space;
    str set;
};

static bool cut_has(const struct cut *cut, uint32_t code_point) {
    if (cut->space) {
        return unicode_is_space(code_point);
    }
    if (code_point < 0x80) {
        return str_find_char(cut->set, (char)code_point) != SIZE_MAX;
    }
    size_t i = 0;
    while (i < cut->set.size) {
        uint32_t member = 0;
        i += utf8_decode(cut->set.data + i, cut->set.size - i, &member, NULL);
        if (member == code_point) {
            return true;
        }
    }
    return false;
}

static star_value strip(struct star_thread *thread, const struct star_call_info *call, bool left,
                        bool right) {
    const str text = star_text_of(call->receiver);
    const star_value given = call->arguments[0];
    struct cut cut = {.space = star_is_unset(given) || star_is_none(given)};
    if (!cut.space) {
        cut.set = star_text_of(given);
    }
    if (!star_charge(thread, text.size / 16)) {
        return STAR_ERROR;
    }
    size_t start = 0;
    size_t end = text.size;
    uint32_t code_point = 0;
    while (left && start < end) {
        const size_t size = utf8_decode(text.data + start, end - start, &code_point, NULL);
        if (!cut_has(&cut, code_point)) {
            break;
        }
        start += size;
    }
    while (right && end > start) {
        const size_t last = start + utf8_decode_last(text.data + start, end - start, &code_point);
        if (!cut_has(&cut, code_point)) {
            break;
        }
        end = last;
    }
    return star_string_slice(thread, call->receiver, start, end);
}

star_value string_method_strip(struct star_thread *thread, const struct star_call_info *call) {
    return strip(thread, call, true, true);
}

star_value string_method_lstrip(struct star_thread *thread, const struct star_call_info *call) {
    return strip(thread, call, true, false);
}

star_value string_method_rstrip(struct star_thread *thread, const struct star_call_info *call) {
    return strip(thread, call, false, true);
}

star_value string_method_removeprefix(struct star_thread *thread,
                                      const struct star_call_info *call) {
    const str text = star_text_of(call->receiver);
    const str prefix = star_text_of(call->arguments[0]);
    const size_t start = str_starts_with(text, prefix) ? prefix.size : 0;
    return star_string_slice(thread, call->receiver, start, text.size);
}

star_value string_method_removesuffix(struct star_thread *thread,
                                      const struct star_call_info *call) {
    const str text = star_text_of(call->receiver);
    const str suffix = star_text_of(call->arguments[0]);
    const size_t cut = str_ends_with(text, suffix) ? suffix.size : 0;
    return star_string_slice(thread, call->receiver, 0, text.size - cut);
}

// ---------------------------------------------------------------------------------------------
// Partition

static star_value partition(struct star_thread *thread, const struct star_call_info *call,
                            const char *name, bool last) {
    const str text = star_text_of(call->receiver);
    const str separator = star_text_of(call->arguments[0]);
    if (separator.size == 0) {
        return star_fail(thread, "%s: empty separator", name);
    }
    size_t found = SIZE_MAX;
    if (!star_charge(thread, text.size / 16)) {
        return STAR_ERROR;
    }
    if (!last) {
        found = string_find(text, separator);
    } else if (!string_find_last(thread, text, separator, &found)) {
        return STAR_ERROR;
    }
    const star_value empty = star_string(thread, "", 0);
    star_value parts[3] = {last ? empty : call->receiver, empty, last ? call->receiver : empty};
    if (found != SIZE_MAX) {
        parts[0] = star_string_slice(thread, call->receiver, 0, found);
        parts[1] = call->arguments[0];
        parts[2] = star_string_slice(thread, call->receiver, found + separator.size, text.size);
    }
    if (star_is_error(parts[0]) || star_is_error(parts[1]) || star_is_error(parts[2])) {
        return STAR_ERROR;
    }
    return star_tuple(thread, parts, 3);
}

star_value string_method_partition(struct star_thread *thread, const struct star_call_info *call) {
    return partition(thread, call, "partition", false);
}

star_value string_method_rpartition(struct star_thread *thread, const struct star_call_info *call) {
    return partition(thread, call, "rpartition", true);
}

// ---------------------------------------------------------------------------------------------
// Split

// What a split has found so far.
struct split {
    struct star_thread *thread;
    star_value source;
    struct star_list *parts;
    uint64_t left; // splits still allowed
};

static bool split_add(struct split *split, size_t start, size_t end) {
    const star_value part = star_string_slice(split->thread, split->source, start, end);
    return !star_is_error(part) && star_charge(split->thread, 1) &&
           star_list_push(split->thread, split->parts, part);
}

static bool split_spaces(struct split *split, str text) {
    size_t i = 0;
    while (true) {
        uint32_t code_point = 0;
        size_t size = 0;
        while (i < text.size) {
            size = utf8_decode(text.data + i, text.size - i, &code_point, NULL);
            if (!unicode_is_space(code_point)) {
                break;
            }
            i += size;
        }
        if (i == text.size) {
            return true;
        }
        const size_t start = i;
        if (split->left == 0) {
            return split_add(split, start, text.size); // the rest as it is
        }
        split->left--;
        while (i < text.size) {
            size = utf8_decode(text.data + i, text.size - i, &code_point, NULL);
            if (unicode_is_space(code_point)) {
                break;
            }
            i += size;
        }
        if (!split_add(split, start, i)) {
            return false;
        }
    }
}

static bool split_separator(struct split *split, str text, str separator) {
    size_t start = 0;
    while (split->left > 0) {
        const size_t found = string_find(str_from_offset(text, start), separator);
        if (found == SIZE_MAX) {
            break;
        }
        if (!split_add(split, start, start + found)) {
            return false;
        }
        start += found + separator.size;
        split->left--;
    }
    return split_add(split, start, text.size);
}

static void list_reverse(struct star_list *list) {
    for (uint32_t i = 0, j = list->count; i + 1 < j; i++) {
        j--;
        const star_value swap = list->items[i];
        list->items[i] = list->items[j];
        list->items[j] = swap;
    }
}

static bool rsplit_spaces(struct split *split, str text) {
    size_t end = text.size;
    while (true) {
        uint32_t code_point = 0;
        while (end > 0) {
            const size_t last = utf8_decode_last(text.data, end, &code_point);
            if (!unicode_is_space(code_point)) {
                break;
            }
            end = last;
        }
        if (end == 0) {
            return true;
        }
        if (split->left == 0) {
            return split_add(split, 0, end); // the rest as it is
        }
        split->left--;
        size_t start = end;
        while (start > 0) {
            const size_t last = utf8_decode_last(text.data, start, &code_point);
            if (unicode_is_space(code_point)) {
                break;
            }
            start = last;
        }
        if (!split_add(split, start, end)) {
            return false;
        }
        end = start;
    }
}

static bool rsplit_separator(struct split *split, str text, str separator) {
    size_t end = text.size;
    while (split->left > 0) {
        size_t found = SIZE_MAX;
        if (!string_find_last(split->thread, str_slice(text, 0, end), separator, &found)) {
            return false;
        }
        if (found == SIZE_MAX) {
            break;
        }
        if (!split_add(split, found + separator.size, end)) {
            return false;
        }
        end = found;
        split->left--;
    }
    return split_add(split, 0, end);
}

// `max`: negative or not given is no limit.
static uint64_t split_limit(star_value max) {
    int64_t number = -1;
    if (star_is_unset(max) || !star_get_int64(max, &number) || number < 0) {
        return UINT64_MAX;
    }
    return (uint64_t)number;
}

static bool split_init(struct star_thread *thread, const struct star_call_info *call,
                       const char *name, struct split *split, bool *spaces) {
    const star_value separator = call->arguments[0];
    *spaces = star_is_unset(separator) || star_is_none(separator);
    if (!*spaces && star_text_of(separator).size == 0) {
        star_fail(thread, "%s: empty separator", name);
        return false;
    }
    *split = (struct split){.thread = thread,
                            .source = call->receiver,
                            .parts = star_list_new(thread, 4),
                            .left = split_limit(call->arguments[1])};
    return split->parts != NULL && star_charge(thread, star_text_of(call->receiver).size / 16);
}

star_value string_method_split(struct star_thread *thread, const struct star_call_info *call) {
    struct split split;
    bool spaces = false;
    if (!split_init(thread, call, "split", &split, &spaces)) {
        return STAR_ERROR;
    }
    const str text = star_text_of(call->receiver);
    const bool done = spaces ? split_spaces(&split, text)
                             : split_separator(&split, text, star_text_of(call->arguments[0]));
    return done ? star_from_object(split.parts) : STAR_ERROR;
}

star_value string_method_rsplit(struct star_thread *thread, const struct star_call_info *call) {
    struct split split;
    bool spaces = false;
    if (!split_init(thread, call, "rsplit", &split, &spaces)) {
        return STAR_ERROR;
    }
    const str text = star_text_of(call->receiver);
    const bool done = spaces ? rsplit_spaces(&split, text)
                             : rsplit_separator(&split, text, star_text_of(call->arguments[0]));
    list_reverse(split.parts);
    return done ? star_from_object(split.parts) : STAR_ERROR;
}

star_value string_method_splitlines(struct star_thread *thread, const struct star_call_info *call) {
    const str text = star_text_of(call->receiver);
    const bool keep = !star_is_unset(call->arguments[0]) && star_truth(call->arguments[0]);
    struct split split = {
        .thread = thread, .source = call->receiver, .parts = star_list_new(thread, 4)};
    if (split.parts == NULL || !star_charge(thread, text.size / 16)) {
        return STAR_ERROR;
    }
    size_t start = 0;
    size_t i = 0;
    while (i < text.size) {
        const char c = text.data[i];
        if (c != '\n' && c != '\r') {
            i++;
            continue;
        }
        const size_t end = i;
        i += c == '\r' && i + 1 < text.size && text.data[i + 1] == '\n' ? 2 : 1;
        if (!split_add(&split, start, keep ? i : end)) {
            return STAR_ERROR;
        }
        start = i;
    }
    if (start < text.size && !split_add(&split, start, text.size)) {
        return STAR_ERROR;
    }
    return star_from_object(split.parts);
}
