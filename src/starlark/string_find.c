#include "starlark/sequence.h"
#include "starlark/string_methods.h"
#include "starlark/string_search.h"

// What start and end leave of the receiver; *offset is where it begins.
static bool text_between(struct star_thread *thread, const struct star_call_info *call, str *text,
                         size_t *offset) {
    const str whole = star_text_of(call->receiver);
    if (star_is_unset(call->arguments[1]) && star_is_unset(call->arguments[2])) {
        *offset = 0;
        *text = whole;
        return star_charge(thread, whole.size / 16);
    }
    struct star_slice slice;
    const star_value start = star_is_unset(call->arguments[1]) ? STAR_NONE : call->arguments[1];
    const star_value end = star_is_unset(call->arguments[2]) ? STAR_NONE : call->arguments[2];
    if (!star_slice_resolve(thread, start, end, STAR_NONE, whole.size, &slice)) {
        return false;
    }
    *offset = (size_t)slice.start;
    *text = str_slice(whole, *offset, *offset + (size_t)slice.count);
    return star_charge(thread, text->size / 16);
}

star_value string_method_count(struct star_thread *thread, const struct star_call_info *call) {
    str text = {0};
    size_t offset = 0;
    if (!text_between(thread, call, &text, &offset)) {
        return STAR_ERROR;
    }
    return star_int(thread, (int64_t)string_count(text, star_text_of(call->arguments[0])));
}

enum search { SEARCH_FIRST, SEARCH_LAST };

static star_value search(struct star_thread *thread, const struct star_call_info *call,
                         enum search direction, const char *name_if_required) {
    str text = {0};
    size_t offset = 0;
    if (!text_between(thread, call, &text, &offset)) {
        return STAR_ERROR;
    }
    const str needle = star_text_of(call->arguments[0]);
    size_t found = SIZE_MAX;
    if (direction == SEARCH_FIRST) {
        found = string_find(text, needle);
    } else if (!string_find_last(thread, text, needle, &found)) {
        return STAR_ERROR;
    }
    if (found != SIZE_MAX) {
        return star_int(thread, (int64_t)(offset + found));
    }
    if (name_if_required != NULL) {
        return star_fail(thread, "%s: substring not found", name_if_required);
    }
    return star_int(thread, -1);
}

star_value string_method_find(struct star_thread *thread, const struct star_call_info *call) {
    return search(thread, call, SEARCH_FIRST, NULL);
}

star_value string_method_index(struct star_thread *thread, const struct star_call_info *call) {
    return search(thread, call, SEARCH_FIRST, "index");
}

star_value string_method_rfind(struct star_thread *thread, const struct star_call_info *call) {
    return search(thread, call, SEARCH_LAST, NULL);
}

star_value string_method_rindex(struct star_thread *thread, const struct star_call_info *call) {
    return search(thread, call, SEARCH_LAST, "rindex");
}

typedef bool (*affix_test)(str text, str affix);

static star_value affix(struct star_thread *thread, const struct star_call_info *call,
                        const char *name, affix_test test) {
    str text = star_text_of(call->receiver);
    size_t offset = 0;
    const bool is_whole = star_is_unset(call->arguments[1]); // and so is the end
    if (!is_whole && !text_between(thread, call, &text, &offset)) {
        return STAR_ERROR;
    }
    const star_value wanted = call->arguments[0];
    if (star_is_string(wanted)) {
        return star_bool(test(text, star_text_of(wanted)));
    }
    const struct star_tuple *tuple = star_as_tuple(wanted);
    for (uint32_t i = 0; i < tuple->count; i++) {
        if (!star_is_string(tuple->items[i])) {
            return star_fail(thread, "%s: want string, got %s, for element %u", name,
                             star_type_name(tuple->items[i]), i);
        }
        if (test(text, star_text_of(tuple->items[i]))) {
            return STAR_TRUE;
        }
        if (!star_charge(thread, 1)) {
            return STAR_ERROR;
        }
    }
    return STAR_FALSE;
}

star_value string_method_startswith(struct star_thread *thread, const struct star_call_info *call) {
    return affix(thread, call, "startswith", str_starts_with);
}

star_value string_method_endswith(struct star_thread *thread, const struct star_call_info *call) {
    return affix(thread, call, "endswith", str_ends_with);
}
