#include "base/text.h"
#include "modules/argument.h"
#include "modules/builtins.h"
#include "modules/host.h"

// By name; values of one name keep their order.  Queries are short: insertion sort, as it is
// stable.
static void sort_params(struct url_params *params) {
    for (size_t i = 1; i < params->count; i++) {
        for (size_t j = i;
             j > 0 && str_compare(params->items[j].name, params->items[j - 1].name) < 0; j--) {
            const struct url_param moved = params->items[j];
            params->items[j] = params->items[j - 1];
            params->items[j - 1] = moved;
        }
    }
}

static bool sorted_params(struct star_thread *thread, const char *what, star_value value,
                          struct arena *arena, struct url_params *params) {
    if (star_is_unset(value) || star_is_none(value)) {
        return true;
    }
    if (!argument_params(thread, what, value, arena, params)) {
        return false;
    }
    sort_params(params);
    return true;
}

static star_value url_build_call(struct star_thread *thread, const struct star_call_info *call) {
    SCRATCH(scratch);
    struct url_params params = {0};
    str base;
    if (!argument_text(thread, "url.build", call->arguments[0], &base) ||
        !sorted_params(thread, "url.build: params", call->arguments[1], &scratch, &params)) {
        return STAR_ERROR;
    }
    return value_from_str(thread, url_with_params(&scratch, base, &params));
}

static star_value url_encode(struct star_thread *thread, const struct star_call_info *call) {
    SCRATCH(scratch);
    struct text out;
    str text;
    if (!argument_text(thread, "url.encode", call->arguments[0], &text)) {
        return STAR_ERROR;
    }
    text_init(&out, &scratch);
    url_form_encode(&out, text);
    return value_from_str(thread, text_str(&out));
}

static star_value url_encode_params(struct star_thread *thread, const struct star_call_info *call) {
    SCRATCH(scratch);
    struct url_params params = {0};
    struct text out;
    if (star_kind(call->arguments[0]) != STAR_KIND_DICT) {
        return argument_wrong(thread, "url.encode_params", call->arguments[0], "dict");
    }
    if (!sorted_params(thread, "url.encode_params", call->arguments[0], &scratch, &params)) {
        return STAR_ERROR;
    }
    text_init(&out, &scratch);
    url_params_encode(&out, &params);
    return value_from_str(thread, text_str(&out));
}

// name → value, or a list of values where a name is repeated.
static star_value query_dict(struct star_thread *thread, const struct url_params *params) {
    const star_value dict = star_dict(thread);
    for (size_t i = 0; i < params->count && !star_is_error(dict); i++) {
        const star_value name = value_from_str(thread, params->items[i].name);
        star_value value = value_from_str(thread, params->items[i].value);
        if (star_is_error(name) || star_is_error(value)) {
            return STAR_ERROR;
        }
        const star_value earlier = star_dict_get(thread, dict, name);
        if (star_kind(earlier) == STAR_KIND_LIST) {
            if (!star_list_append(thread, earlier, value)) {
                return STAR_ERROR;
            }
            continue;
        }
        if (!star_is_unset(earlier)) {
            const star_value both[] = {earlier, value};
            value = star_list(thread, both, 2);
        }
        if (star_is_error(value) || !star_dict_set(thread, dict, name, value)) {
            return STAR_ERROR;
        }
    }
    return dict;
}

static star_value query_struct(struct star_thread *thread, star_value dict, struct arena *arena) {
    const size_t count = star_length(dict);
    const char **names = ARENA_ARRAY(arena, const char *, count + 1);
    star_value *values = ARENA_ARRAY(arena, star_value, count + 1);
    size_t position = 0;
    star_value key;
    for (size_t i = 0; i < count && star_dict_next(thread, dict, &position, &key, &values[i]);
         i++) {
        str name;
        (void)value_text(key, &name);
        names[i] = str_to_cstring(arena, name);
    }
    return star_struct(thread, "struct", names, values, count);
}

static star_value url_parse_call(struct star_thread *thread, const struct star_call_info *call) {
    SCRATCH(scratch);
    struct url url;
    struct error err;
    struct url_params params = {0};
    str text;
    if (!argument_text(thread, "url.parse", call->arguments[0], &text)) {
        return STAR_ERROR;
    }
    if (url_parse(text, &url, &err) != ERROR_NONE) {
        error_context(&err, "url.parse");
        return modules_fail(thread, &err);
    }
    url_params_parse(&scratch, url.query, &params);
    const star_value dict = query_dict(thread, &params);
    if (star_is_error(dict)) {
        return STAR_ERROR;
    }
    const str host = url.port == 0
                         ? url.host
                         : str_format(&scratch, STR_FORMAT ":%d", STR_ARGS(url.host), url.port);
    static const char *const names[] = {"scheme", "host",       "path",
                                        "query",  "query_dict", "fragment"};
    const star_value values[] = {
        value_from_str(thread, url.scheme),
        value_from_str(thread, host),
        value_from_str(thread, url.path),
        query_struct(thread, dict, &scratch),
        dict,
        value_from_str(thread, url.fragment),
    };
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        if (star_is_error(values[i])) {
            return STAR_ERROR;
        }
    }
    return star_struct(thread, "url", names, values, ARRAY_COUNT(values));
}

static const struct star_parameter build_parameters[] = {{"base", STAR_REQUIRED, 0},
                                                         {"params", STAR_OPTIONAL, 0}};
static const struct star_parameter text_parameters[] = {{"s", STAR_REQUIRED, 0}};
static const struct star_parameter dict_parameters[] = {{"d", STAR_REQUIRED, 0}};
static const struct star_builtin functions[] = {
    STAR_BUILTIN("url.build", url_build_call, build_parameters),
    STAR_BUILTIN("url.encode", url_encode, text_parameters),
    STAR_BUILTIN("url.encode_params", url_encode_params, dict_parameters),
    STAR_BUILTIN("url.parse", url_parse_call, text_parameters),
};
const struct builtin_table url_builtins = {"url", functions, ARRAY_COUNT(functions)};
