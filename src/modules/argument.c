#include "modules/argument.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "http/url.h"

#include <math.h>

star_value argument_wrong(struct star_thread *thread, const char *what, star_value got,
                          const char *want) {
    return star_fail(thread, "%s: got %s, want %s", what, star_type_name(got), want);
}

bool value_text(star_value value, str *text) {
    return star_get_text(value, &text->data, &text->size);
}

star_value value_from_str(struct star_thread *thread, str text) {
    return star_string(thread, text.size > 0 ? text.data : "", text.size);
}

bool argument_text(struct star_thread *thread, const char *what, star_value value, str *text) {
    if (star_kind(value) != STAR_KIND_STRING) {
        (void)argument_wrong(thread, what, value, "string");
        return false;
    }
    return value_text(value, text);
}

bool argument_bytes(struct star_thread *thread, const char *what, star_value value, str *bytes) {
    const enum star_kind kind = star_kind(value);
    if (kind != STAR_KIND_STRING && kind != STAR_KIND_BYTES) {
        (void)argument_wrong(thread, what, value, "string");
        return false;
    }
    return value_text(value, bytes);
}

bool argument_seconds(struct star_thread *thread, const char *what, star_value value, int64_t *us) {
    const enum star_kind kind = star_kind(value);
    double seconds = 0;
    if ((kind != STAR_KIND_INT && kind != STAR_KIND_FLOAT) || !star_get_double(value, &seconds)) {
        (void)argument_wrong(thread, what, value, "number");
        return false;
    }
    const double longest = 1e9; // thirty years
    if (!(seconds >= 0) || seconds > longest) {
        (void)star_fail(thread, "%s: must be between 0 and %.0f seconds", what, longest);
        return false;
    }
    *us = (int64_t)llround(seconds * 1e6);
    return true;
}

bool argument_bool(struct star_thread *thread, const char *what, star_value value, bool *truth) {
    if (star_kind(value) != STAR_KIND_BOOL) {
        (void)argument_wrong(thread, what, value, "bool");
        return false;
    }
    *truth = star_truth(value);
    return true;
}

bool argument_count(struct star_thread *thread, const char *what, star_value value,
                    int64_t *count) {
    if (star_kind(value) != STAR_KIND_INT) {
        (void)argument_wrong(thread, what, value, "int");
        return false;
    }
    if (!star_get_int64(value, count) || *count < 0) {
        (void)star_fail(thread, "%s: must not be negative", what);
        return false;
    }
    return true;
}

static bool float_text(struct star_thread *thread, const char *what, star_value value,
                       struct arena *arena, str *text) {
    double number = 0;
    (void)star_get_double(value, &number);
    if (!isfinite(number)) {
        (void)star_fail(thread, "%s: cannot send a float that is not finite", what);
        return false;
    }
    struct text out;
    text_init(&out, arena);
    json_format_double(&out, number);
    *text = text_str(&out);
    return true;
}

bool argument_scalar(struct star_thread *thread, const char *what, star_value value,
                     struct arena *arena, str *text) {
    const enum star_kind kind = star_kind(value);
    if (kind == STAR_KIND_STRING) {
        return value_text(value, text);
    }
    if (kind == STAR_KIND_BOOL) {
        *text = star_truth(value) ? STR("true") : STR("false");
        return true;
    }
    if (kind == STAR_KIND_FLOAT) {
        return float_text(thread, what, value, arena, text);
    }
    if (kind == STAR_KIND_INT) {
        const star_value decimal = star_int_to_decimal(thread, value);
        return !star_is_error(decimal) && value_text(decimal, text);
    }
    (void)argument_wrong(thread, what, value, "string, int, float or bool");
    return false;
}

static bool add_param(struct star_thread *thread, const char *what, star_value key,
                      star_value value, struct arena *arena, struct url_params *params) {
    str name;
    if (!argument_text(thread, what, key, &name)) {
        return false;
    }
    const enum star_kind kind = star_kind(value);
    const bool several = kind == STAR_KIND_LIST || kind == STAR_KIND_TUPLE;
    const size_t count = several ? star_length(value) : 1;
    for (size_t i = 0; i < count; i++) {
        const star_value item = several ? star_item(thread, value, i) : value;
        str text;
        if (star_is_error(item)) {
            return false;
        }
        if (star_is_none(item)) {
            continue;
        }
        if (!argument_scalar(thread, what, item, arena, &text)) {
            return false;
        }
        url_params_add(arena, params, str_copy(arena, name), str_copy(arena, text));
    }
    return true;
}

static bool params_of_pairs(struct star_thread *thread, const char *what, star_value list,
                            struct arena *arena, struct url_params *params) {
    for (size_t i = 0; i < star_length(list); i++) {
        const star_value pair = star_item(thread, list, i);
        if (star_is_error(pair)) {
            return false;
        }
        const enum star_kind kind = star_kind(pair);
        if ((kind != STAR_KIND_TUPLE && kind != STAR_KIND_LIST) || star_length(pair) != 2) {
            (void)star_fail(thread, "%s: item %zu is not a pair", what, i);
            return false;
        }
        if (!add_param(thread, what, star_item(thread, pair, 0), star_item(thread, pair, 1), arena,
                       params)) {
            return false;
        }
    }
    return true;
}

bool argument_params(struct star_thread *thread, const char *what, star_value value,
                     struct arena *arena, struct url_params *params) {
    const enum star_kind kind = star_kind(value);
    if (kind == STAR_KIND_LIST || kind == STAR_KIND_TUPLE) {
        return params_of_pairs(thread, what, value, arena, params);
    }
    if (kind != STAR_KIND_DICT) {
        (void)argument_wrong(thread, what, value, "dict or list of pairs");
        return false;
    }
    size_t position = 0;
    star_value key = STAR_NONE;
    star_value item = STAR_NONE;
    while (star_dict_next(thread, value, &position, &key, &item)) {
        if (!add_param(thread, what, key, item, arena, params)) {
            return false;
        }
    }
    return !star_is_error(key);
}
