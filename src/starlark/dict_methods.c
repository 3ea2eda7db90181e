// The methods of dicts (spec/starlark.md §9), and dict() itself.

#include "starlark/builtins.h"
#include "starlark/dict.h"
#include "starlark/operators.h"
#include "starlark/sequence.h"
#include "starlark/universe.h"

static star_value fail_missing(struct star_thread *thread, const char *name, star_value key) {
    const star_value text = star_repr(thread, key);
    if (star_is_error(text)) {
        return text;
    }
    return star_fail(thread, "%s: missing key: " STR_FORMAT, name, STR_ARGS(star_text_of(text)));
}

// ---------------------------------------------------------------------------------------------
// Update

// The two items of pair number `index`.
static bool pair_read(struct star_thread *thread, const char *name, size_t index, star_value pair,
                      star_value out[2]) {
    if (!star_is_iterable(pair)) {
        star_fail(thread, "%s: dictionary update sequence element #%zu is not iterable (%s)", name,
                  index, star_type_name(pair));
        return false;
    }
    struct star_iterator iterator;
    if (!star_iterate(thread, pair, &iterator)) {
        return false;
    }
    size_t count = 0;
    star_value item = STAR_UNSET;
    while (count < 3 && star_iterate_next(thread, &iterator, &item)) {
        if (count < 2) {
            out[count] = item;
        }
        count++;
    }
    star_iterate_end(&iterator);
    if (iterator.failed) {
        return false;
    }
    if (count == 2) {
        return true;
    }
    const int64_t length = star_iterable_length(pair);
    star_fail(thread, "%s: dictionary update sequence element #%zu has length %lld, want 2", name,
              index, (long long)(length < 0 ? (int64_t)count : length));
    return false;
}

static bool update_from_dict(struct star_thread *thread, struct star_dict *dict,
                             struct star_dict *source) {
    if (dict == source) {
        return true;
    }
    uint32_t position = 0;
    star_value key = STAR_UNSET;
    star_value value = STAR_UNSET;
    while (star_dict_step(thread, source, &position, &key, &value)) {
        if (!star_charge(thread, 1) || !star_dict_insert(thread, dict, key, value)) {
            return false;
        }
    }
    return !star_is_error(key);
}

static bool update_from_pairs(struct star_thread *thread, const char *name, struct star_dict *dict,
                              star_value pairs) {
    if (!star_is_iterable(pairs)) {
        star_fail(thread, "%s: got %s, want iterable", name, star_type_name(pairs));
        return false;
    }
    struct star_iterator iterator;
    if (!star_iterate(thread, pairs, &iterator)) {
        return false;
    }
    star_value pair = STAR_UNSET;
    bool done = true;
    for (size_t i = 0; done && star_iterate_next(thread, &iterator, &pair); i++) {
        star_value parts[2];
        done = star_charge(thread, 1) && pair_read(thread, name, i, pair, parts) &&
               star_dict_insert(thread, dict, parts[0], parts[1]);
    }
    done = done && !iterator.failed;
    star_iterate_end(&iterator);
    return done;
}

// What dict(…) and d.update(…) do with their arguments.
static bool update_from_call(struct star_thread *thread, const char *name, struct star_dict *dict,
                             const struct star_call_info *call) {
    if (call->argument_count > 1) {
        star_fail(thread, "function %s accepts at most 1 positional argument (%u given)", name,
                  call->argument_count);
        return false;
    }
    if (call->argument_count == 1) {
        const star_value source = call->arguments[0];
        const bool done = star_is_type(source, STAR_OBJECT_DICT)
                              ? update_from_dict(thread, dict, star_as_dict(source))
                              : update_from_pairs(thread, name, dict, source);
        if (!done) {
            return false;
        }
    }
    for (uint32_t i = 0; i < call->named_count; i++) {
        if (!star_dict_insert(thread, dict, call->names[i], call->named[i])) {
            return false;
        }
    }
    return true;
}

star_value universe_dict(struct star_thread *thread, const struct star_call_info *call) {
    struct star_dict *dict = NULL;
    if (call->argument_count == 1 && star_is_type(call->arguments[0], STAR_OBJECT_DICT)) {
        dict = star_dict_copy(thread, star_as_dict(call->arguments[0]));
        const struct star_call_info rest = {
            .names = call->names, .named = call->named, .named_count = call->named_count};
        return dict != NULL && star_charge(thread, dict->count / 2) &&
                       update_from_call(thread, "dict", dict, &rest)
                   ? star_from_object(dict)
                   : STAR_ERROR;
    }
    dict = star_dict_new(thread, call->named_count);
    return dict != NULL && update_from_call(thread, "dict", dict, call) ? star_from_object(dict)
                                                                        : STAR_ERROR;
}

static star_value dict_update(struct star_thread *thread, const struct star_call_info *call) {
    struct star_dict *dict = star_as_dict(call->receiver);
    return star_dict_check_mutable(thread, dict, "update") &&
                   update_from_call(thread, "update", dict, call)
               ? STAR_NONE
               : STAR_ERROR;
}

// ---------------------------------------------------------------------------------------------
// One key

static star_value dict_get(struct star_thread *thread, const struct star_call_info *call) {
    const star_value found =
        star_dict_find(thread, star_as_dict(call->receiver), call->arguments[0]);
    if (!star_is_unset(found)) {
        return found;
    }
    return star_is_unset(call->arguments[1]) ? STAR_NONE : call->arguments[1];
}

static star_value dict_pop(struct star_thread *thread, const struct star_call_info *call) {
    star_value removed = STAR_UNSET;
    if (!star_dict_remove(thread, star_as_dict(call->receiver), call->arguments[0], &removed)) {
        return STAR_ERROR;
    }
    if (!star_is_unset(removed)) {
        return removed;
    }
    return star_is_unset(call->arguments[1]) ? fail_missing(thread, "pop", call->arguments[0])
                                             : call->arguments[1];
}

static star_value dict_popitem(struct star_thread *thread, const struct star_call_info *call) {
    star_value pair[2] = {STAR_UNSET, STAR_UNSET};
    bool found = false;
    if (!star_dict_remove_first(thread, star_as_dict(call->receiver), &pair[0], &pair[1], &found)) {
        return STAR_ERROR;
    }
    return found ? star_tuple(thread, pair, 2) : star_fail(thread, "popitem: empty dict");
}

static star_value dict_setdefault(struct star_thread *thread, const struct star_call_info *call) {
    struct star_dict *dict = star_as_dict(call->receiver);
    const star_value found = star_dict_find(thread, dict, call->arguments[0]);
    if (!star_is_unset(found)) {
        return found;
    }
    const star_value value = star_is_unset(call->arguments[1]) ? STAR_NONE : call->arguments[1];
    return star_dict_insert(thread, dict, call->arguments[0], value) ? value : STAR_ERROR;
}

static star_value dict_clear(struct star_thread *thread, const struct star_call_info *call) {
    return star_dict_clear(thread, star_as_dict(call->receiver)) ? STAR_NONE : STAR_ERROR;
}

// ---------------------------------------------------------------------------------------------
// All of it

enum part { PART_KEYS, PART_VALUES, PART_ITEMS };

static star_value dict_list(struct star_thread *thread, const struct star_call_info *call,
                            enum part part) {
    struct star_dict *dict = star_as_dict(call->receiver);
    struct star_list *list = star_list_new(thread, dict->count);
    if (list == NULL || !star_charge(thread, dict->count)) {
        return STAR_ERROR;
    }
    uint32_t position = 0;
    star_value pair[2] = {STAR_UNSET, STAR_UNSET};
    while (star_dict_step(thread, dict, &position, &pair[0], part == PART_KEYS ? NULL : &pair[1])) {
        const star_value item = part == PART_KEYS     ? pair[0]
                                : part == PART_VALUES ? pair[1]
                                                      : star_tuple(thread, pair, 2);
        if (star_is_error(item) || !star_list_push(thread, list, item)) {
            return STAR_ERROR;
        }
    }
    return star_is_error(pair[0]) ? STAR_ERROR : star_from_object(list);
}

static star_value dict_items(struct star_thread *thread, const struct star_call_info *call) {
    return dict_list(thread, call, PART_ITEMS);
}

static star_value dict_keys(struct star_thread *thread, const struct star_call_info *call) {
    return dict_list(thread, call, PART_KEYS);
}

static star_value dict_values(struct star_thread *thread, const struct star_call_info *call) {
    return dict_list(thread, call, PART_VALUES);
}

static const struct star_parameter key_parameters[] = {
    {"key", STAR_POSITIONAL_ONLY, 0},
    {"default", STAR_OPTIONAL | STAR_POSITIONAL_ONLY, 0},
};

static const struct star_builtin items[] = {
    {"clear", dict_clear, key_parameters, 0},
    STAR_BUILTIN("get", dict_get, key_parameters),
    {"items", dict_items, key_parameters, 0},
    {"keys", dict_keys, key_parameters, 0},
    STAR_BUILTIN("pop", dict_pop, key_parameters),
    {"popitem", dict_popitem, key_parameters, 0},
    STAR_BUILTIN("setdefault", dict_setdefault, key_parameters),
    STAR_BUILTIN_RAW("update", dict_update),
    {"values", dict_values, key_parameters, 0},
};

const struct star_builtin_table star_dict_methods = {items, ARRAY_COUNT(items)};
