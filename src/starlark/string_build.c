#include "starlark/sequence.h"
#include "starlark/string_methods.h"
#include "starlark/string_search.h"
#include "starlark/utf8.h"

#include <inttypes.h>
#include <string.h>

static star_value join_fail(struct star_thread *thread, star_value item) {
    return star_fail(thread, "join: in list, want string, got %s", star_type_name(item));
}

// Items that stand side by side: the size is known before the first byte is copied.
static star_value join_items(struct star_thread *thread, str separator, const star_value *items,
                             size_t count) {
    size_t size = count > 0 ? (count - 1) * separator.size : 0;
    for (size_t i = 0; i < count; i++) {
        if (!star_is_string(items[i])) {
            return join_fail(thread, items[i]);
        }
        size += star_text_of(items[i]).size;
    }
    if (size > UINT32_MAX) {
        return star_fail(thread, "text of more than %" PRIu32 " bytes", UINT32_MAX);
    }
    char *content = NULL;
    const star_value joined = star_string_reserve(thread, size, &content);
    if (star_is_error(joined) || !star_charge(thread, count + size / 16)) {
        return STAR_ERROR;
    }
    for (size_t i = 0; i < count; i++) {
        const str part = star_text_of(items[i]);
        if (i > 0) {
            memcpy(content, separator.data, separator.size);
            content += separator.size;
        }
        memcpy(content, part.data, part.size);
        content += part.size;
    }
    return joined;
}

star_value string_method_join(struct star_thread *thread, const struct star_call_info *call) {
    const str separator = star_text_of(call->receiver);
    const star_value source = call->arguments[0];
    if (star_is_type(source, STAR_OBJECT_LIST) && star_as_list(source)->lazy == NULL) {
        return join_items(thread, separator, star_as_list(source)->items,
                          star_as_list(source)->count);
    }
    if (star_is_type(source, STAR_OBJECT_TUPLE)) {
        return join_items(thread, separator, star_as_tuple(source)->items,
                          star_as_tuple(source)->count);
    }
    struct star_iterator iterator;
    if (!star_iterate(thread, source, &iterator)) {
        return STAR_ERROR;
    }
    struct star_text text;
    star_text_init(&text, thread);
    star_value item = STAR_UNSET;
    bool first = true;
    bool failed = false;
    while (!failed && star_iterate_next(thread, &iterator, &item)) {
        if (!star_is_string(item)) {
            (void)join_fail(thread, item);
            failed = true;
            break;
        }
        if (!first) {
            star_text_add_str(&text, separator);
        }
        const str part = star_text_of(item);
        failed = !star_text_add_str(&text, part) ||
                 !star_charge(thread, 1 + (part.size + separator.size) / 16);
        first = false;
    }
    failed = failed || iterator.failed;
    star_iterate_end(&iterator);
    if (failed) {
        star_text_done(&text);
        return STAR_ERROR;
    }
    return star_text_finish(&text);
}

// "abc" -> "-a-b-c-"
static bool replace_empty(struct star_text *out, str text, str with, uint64_t limit) {
    size_t i = 0;
    for (uint64_t done = 0; done < limit; done++) {
        star_text_add_str(out, with);
        if (i == text.size || out->failed || !star_charge(out->thread, 1 + with.size / 16)) {
            break;
        }
        uint32_t ignored = 0;
        const size_t size = utf8_decode(text.data + i, text.size - i, &ignored, NULL);
        star_text_add(out, text.data + i, size);
        i += size;
    }
    return star_text_add_str(out, str_from_offset(text, i));
}

static bool replace_all(struct star_text *out, str text, str old, str with, uint64_t limit) {
    for (uint64_t done = 0; done < limit; done++) {
        const size_t found = string_find(text, old);
        if (found == SIZE_MAX) {
            break;
        }
        star_text_add_str(out, str_slice(text, 0, found));
        star_text_add_str(out, with);
        if (out->failed || !star_charge(out->thread, 1 + with.size / 16)) {
            return false;
        }
        text = str_from_offset(text, found + old.size);
    }
    return star_text_add_str(out, text);
}

star_value string_method_replace(struct star_thread *thread, const struct star_call_info *call) {
    const str text = star_text_of(call->receiver);
    const str old = star_text_of(call->arguments[0]);
    const str with = star_text_of(call->arguments[1]);
    int64_t count = -1;
    if (!star_is_unset(call->arguments[2])) {
        star_get_int64(call->arguments[2], &count);
    }
    if (!star_charge(thread, text.size / 16)) {
        return STAR_ERROR;
    }
    if (count == 0 || (old.size > 0 && string_find(text, old) == SIZE_MAX)) {
        return call->receiver;
    }
    const uint64_t limit = count < 0 ? UINT64_MAX : (uint64_t)count;
    struct star_text out;
    star_text_init(&out, thread);
    const bool done = old.size == 0 ? replace_empty(&out, text, with, limit)
                                    : replace_all(&out, text, old, with, limit);
    if (!done) {
        star_text_done(&out);
        return STAR_ERROR;
    }
    return star_text_finish(&out);
}
