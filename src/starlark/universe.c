// The universe: what every file sees without defining it.

#include "starlark/universe.h"

#include "starlark/builtins.h"
#include "starlark/numbers.h"
#include "starlark/operators.h"
#include "starlark/sequence.h"
#include "starlark/sort.h"
#include "starlark/string_methods.h"
#include "starlark/thread.h"

#include <stdio.h>

// ---------------------------------------------------------------------------------------------
// Text out

static bool add_plain(struct star_text *text, star_value value) {
    return star_is_string(value) ? star_text_add_str(text, star_text_of(value))
                                 : star_text_add_repr(text, value);
}

// The positional arguments joined by the named argument sep, in print and fail.
static bool add_joined(struct star_text *text, const struct star_call_info *call, const char *name,
                       bool (*add)(struct star_text *text, star_value value)) {
    str separator = STR(" ");
    for (uint32_t i = 0; i < call->named_count; i++) {
        if (!str_equal(star_text_of(call->names[i]), STR("sep"))) {
            star_fail(text->thread,
                      "function %s got an unexpected keyword argument \"" STR_FORMAT "\"", name,
                      STR_ARGS(star_text_of(call->names[i])));
            return false;
        }
        if (!star_is_string(call->named[i])) {
            star_fail(text->thread, "%s: for parameter sep: got %s, want string", name,
                      star_type_name(call->named[i]));
            return false;
        }
        separator = star_text_of(call->named[i]);
    }
    for (uint32_t i = 0; i < call->argument_count; i++) {
        if (i > 0) {
            star_text_add_str(text, separator);
        }
        if (!add(text, call->arguments[i])) {
            return false;
        }
    }
    return !text->failed;
}

static star_value universe_print(struct star_thread *thread, const struct star_call_info *call) {
    struct star_text text;
    star_text_init(&text, thread);
    const bool done = add_joined(&text, call, "print", star_text_add_value) &&
                      star_charge(thread, text.size / 16);
    if (done && thread->print != NULL) {
        thread->print(thread->print_user, text.data, text.size);
    } else if (done) {
        fwrite(text.data, 1, text.size, stderr);
        fputc('\n', stderr);
    }
    star_text_done(&text);
    return done ? STAR_NONE : STAR_ERROR;
}

static star_value universe_fail(struct star_thread *thread, const struct star_call_info *call) {
    struct star_text text;
    star_text_init(&text, thread);
    if (add_joined(&text, call, "fail", add_plain)) {
        star_fail(thread, "fail: " STR_FORMAT, STR_ARGS(((str){text.data, text.size})));
    }
    star_text_done(&text);
    return STAR_ERROR;
}

static star_value universe_repr(struct star_thread *thread, const struct star_call_info *call) {
    return star_repr(thread, call->arguments[0]);
}

static star_value universe_str(struct star_thread *thread, const struct star_call_info *call) {
    const star_value value = call->arguments[0];
    return star_is_small(value) ? star_int_to_decimal(thread, value) : star_str(thread, value);
}

static star_value universe_type(struct star_thread *thread, const struct star_call_info *call) {
    return star_string_from(thread, star_type_name(call->arguments[0]));
}

// ---------------------------------------------------------------------------------------------
// Attributes

static star_value universe_dir(struct star_thread *thread, const struct star_call_info *call) {
    const star_value names = star_attribute_names(thread, call->arguments[0]);
    if (star_is_error(names)) {
        return names;
    }
    struct star_list *list = star_as_list(names);
    return sort_values(thread, list->items, list->items, list->count, false) ? names : STAR_ERROR;
}

static star_value universe_getattr(struct star_thread *thread, const struct star_call_info *call) {
    const star_value found =
        star_find_attribute(thread, call->arguments[0], star_text_of(call->arguments[1]));
    if (!star_is_unset(found)) {
        return found;
    }
    return star_is_unset(call->arguments[2])
               ? star_get_attribute(thread, call->arguments[0], call->arguments[1])
               : call->arguments[2];
}

static star_value universe_hasattr(struct star_thread *thread, const struct star_call_info *call) {
    const star_value found =
        star_find_attribute(thread, call->arguments[0], star_text_of(call->arguments[1]));
    return star_is_error(found) ? found : star_bool(!star_is_unset(found));
}

// ---------------------------------------------------------------------------------------------
// Sequences

static star_value universe_len(struct star_thread *thread, const struct star_call_info *call) {
    const star_value value = call->arguments[0];
    int64_t length = -1;
    switch (star_kind(value)) {
    case STAR_KIND_STRING:
    case STAR_KIND_BYTES:
        length = (int64_t)star_text_of(value).size;
        break;
    case STAR_KIND_LIST:
    case STAR_KIND_TUPLE:
    case STAR_KIND_DICT:
    case STAR_KIND_SET:
        length = (int64_t)star_length(value);
        break;
    case STAR_KIND_RANGE: // up to 2^64 - 1
        return star_int_from_uint64(thread, star_length(value));
    case STAR_KIND_HOST:
        if (star_as_host(value)->type->length != NULL) {
            length = star_as_host(value)->type->length(value);
        }
        break;
    case STAR_KIND_NONE:
    case STAR_KIND_BOOL:
    case STAR_KIND_INT:
    case STAR_KIND_FLOAT:
    case STAR_KIND_FUNCTION:
    case STAR_KIND_BUILTIN:
    case STAR_KIND_STRUCT:
        break;
    }
    if (length < 0) {
        return star_fail(thread, "len: value of type %s has no len", star_type_name(value));
    }
    return star_int(thread, length);
}

static bool range_bound(struct star_thread *thread, const char *name, star_value value,
                        int64_t *bound) {
    if (star_get_int64(value, bound)) {
        return true;
    }
    star_fail(thread, "range: for parameter %s: value out of range", name);
    return false;
}

// range(stop) or range(start, stop, step): one positional argument alone is the end, not the start.
static star_value universe_range(struct star_thread *thread, const struct star_call_info *call) {
    const bool only_stop = star_is_unset(call->arguments[1]) && call->named_count == 0;
    const star_value bounds[] = {only_stop ? STAR_UNSET : call->arguments[0],
                                 only_stop ? call->arguments[0] : call->arguments[1],
                                 call->arguments[2]};
    static const char *const names[] = {"start", "stop", "step"};
    int64_t numbers[] = {0, 0, 1};
    if (star_is_unset(bounds[1])) {
        return star_fail(thread, "function range missing 1 argument (stop)");
    }
    for (size_t i = 0; i < ARRAY_COUNT(bounds); i++) {
        if (!star_is_unset(bounds[i]) && !range_bound(thread, names[i], bounds[i], &numbers[i])) {
            return STAR_ERROR;
        }
    }
    return star_range_new(thread, numbers[0], numbers[1], numbers[2]);
}

// ---------------------------------------------------------------------------------------------
// The table

enum {
    TEXT = STAR_TAKES(STAR_KIND_STRING),
    NUMBER = STAR_TAKES(STAR_KIND_INT),
    TEXT_OR_BYTES = STAR_TAKES(STAR_KIND_STRING) | STAR_TAKES(STAR_KIND_BYTES),
    INT_OR_FLOAT = STAR_TAKES(STAR_KIND_INT) | STAR_TAKES(STAR_KIND_FLOAT),
    TO_NUMBER = STAR_TAKES(STAR_KIND_STRING) | STAR_TAKES(STAR_KIND_INT) |
                STAR_TAKES(STAR_KIND_FLOAT) | STAR_TAKES(STAR_KIND_BOOL),
    OPTIONAL_POSITIONAL = STAR_OPTIONAL | STAR_POSITIONAL_ONLY,
};

static const struct star_parameter any_parameters[] = {{"x", STAR_POSITIONAL_ONLY, 0}};
static const struct star_parameter optional_parameters[] = {{"x", STAR_OPTIONAL, 0}};
static const struct star_parameter iterable_parameters[] = {{"iterable", STAR_POSITIONAL_ONLY, 0}};
static const struct star_parameter optional_iterable_parameters[] = {{"it", STAR_OPTIONAL, 0}};
static const struct star_parameter number_parameters[] = {
    {"x", STAR_POSITIONAL_ONLY, INT_OR_FLOAT}};
static const struct star_parameter code_point_parameters[] = {{"i", STAR_POSITIONAL_ONLY, NUMBER}};
static const struct star_parameter text_or_bytes_parameters[] = {
    {"s", STAR_POSITIONAL_ONLY, TEXT_OR_BYTES}};
static const struct star_parameter enumerate_parameters[] = {
    {"iterable", STAR_POSITIONAL_ONLY, 0},
    {"start", STAR_OPTIONAL, NUMBER},
};
static const struct star_parameter float_parameters[] = {{"x", STAR_OPTIONAL, TO_NUMBER}};
static const struct star_parameter int_parameters[] = {
    {"x", STAR_POSITIONAL_ONLY, TO_NUMBER},
    {"base", STAR_OPTIONAL, NUMBER},
};
static const struct star_parameter getattr_parameters[] = {
    {"x", STAR_POSITIONAL_ONLY, 0},
    {"name", STAR_POSITIONAL_ONLY, TEXT},
    {"default", OPTIONAL_POSITIONAL, 0},
};
static const struct star_parameter hasattr_parameters[] = {
    {"x", STAR_POSITIONAL_ONLY, 0},
    {"name", STAR_POSITIONAL_ONLY, TEXT},
};
static const struct star_parameter range_parameters[] = {
    {"start", STAR_OPTIONAL, NUMBER},
    {"stop", STAR_OPTIONAL, NUMBER},
    {"step", STAR_OPTIONAL, NUMBER},
};
static const struct star_parameter sorted_parameters[] = {
    {"iterable", STAR_POSITIONAL_ONLY, 0},
    {"key", STAR_OPTIONAL, 0},
    {"reverse", STAR_OPTIONAL, STAR_TAKES(STAR_KIND_BOOL)},
};

static const struct star_builtin items[] = {
    STAR_BUILTIN("abs", universe_abs, number_parameters),
    STAR_BUILTIN("all", universe_all, iterable_parameters),
    STAR_BUILTIN("any", universe_any, iterable_parameters),
    STAR_BUILTIN("bool", universe_bool, optional_parameters),
    STAR_BUILTIN("bytes", universe_bytes, any_parameters),
    STAR_BUILTIN("chr", universe_chr, code_point_parameters),
    STAR_BUILTIN_RAW("dict", universe_dict),
    STAR_BUILTIN("dir", universe_dir, any_parameters),
    STAR_BUILTIN("enumerate", universe_enumerate, enumerate_parameters),
    STAR_BUILTIN_RAW("fail", universe_fail),
    STAR_BUILTIN("float", universe_float, float_parameters),
    STAR_BUILTIN("getattr", universe_getattr, getattr_parameters),
    STAR_BUILTIN("hasattr", universe_hasattr, hasattr_parameters),
    STAR_BUILTIN("hash", universe_hash, text_or_bytes_parameters),
    STAR_BUILTIN("int", universe_int, int_parameters),
    STAR_BUILTIN("len", universe_len, any_parameters),
    STAR_BUILTIN("list", universe_list, optional_iterable_parameters),
    STAR_BUILTIN_RAW("max", universe_max),
    STAR_BUILTIN_RAW("min", universe_min),
    STAR_BUILTIN("ord", universe_ord, text_or_bytes_parameters),
    STAR_BUILTIN_RAW("print", universe_print),
    STAR_BUILTIN("range", universe_range, range_parameters),
    STAR_BUILTIN("repr", universe_repr, any_parameters),
    STAR_BUILTIN("reversed", universe_reversed, iterable_parameters),
    STAR_BUILTIN("set", universe_set, optional_iterable_parameters),
    STAR_BUILTIN("sorted", universe_sorted, sorted_parameters),
    STAR_BUILTIN("str", universe_str, any_parameters),
    STAR_BUILTIN("tuple", universe_tuple, optional_iterable_parameters),
    STAR_BUILTIN("type", universe_type, any_parameters),
    STAR_BUILTIN_RAW("zip", universe_zip),
};

const struct star_builtin_table star_universe = {items, ARRAY_COUNT(items)};
