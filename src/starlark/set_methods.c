// The methods of sets (spec/starlark.md §9).  Methods take any iterable; a set is used as it is,
// anything else is first made one.

#include "starlark/builtins.h"
#include "starlark/dict.h"
#include "starlark/universe.h"

static struct star_set *receiver(const struct star_call_info *call) {
    return star_as_set(call->receiver);
}

static star_value value_or_error(const struct star_set *set) {
    return set == NULL ? STAR_ERROR : star_from_object(set);
}

// The elements of any iterable as a set that the caller only reads.
static struct star_set *set_of(struct star_thread *thread, star_value iterable) {
    if (star_is_type(iterable, STAR_OBJECT_SET)) {
        return star_as_set(iterable);
    }
    const struct star_call_info call = {.arguments = &iterable, .argument_count = 1};
    const star_value set = universe_set(thread, &call);
    return star_is_error(set) ? NULL : star_as_set(set);
}

// ---------------------------------------------------------------------------------------------
// Two sets

// Makes the receiver hold what `result` holds.
static star_value replace_content(struct star_thread *thread, struct star_set *set,
                                  const struct star_set *result) {
    if (result == NULL || !star_set_clear(thread, set) || !star_set_add_all(thread, set, result)) {
        return STAR_ERROR;
    }
    return STAR_NONE;
}

enum combination { COMBINE_DIFFERENCE, COMBINE_INTERSECTION, COMBINE_UNION };

static struct star_set *combine(struct star_thread *thread, const struct star_call_info *call,
                                enum combination combination, const char *name) {
    if (!universe_refuse_named(thread, call, name)) {
        return NULL;
    }
    // Each step makes a new set, but for a union's: that one needs a copy to add to.
    const bool is_copy = combination == COMBINE_UNION || call->argument_count == 0;
    struct star_set *result = is_copy ? star_set_copy(thread, receiver(call)) : receiver(call);
    for (uint32_t i = 0; result != NULL && i < call->argument_count; i++) {
        const struct star_set *other = set_of(thread, call->arguments[i]);
        if (other == NULL) {
            return NULL;
        }
        switch (combination) {
        case COMBINE_DIFFERENCE:
            result = star_set_select(thread, result, other, false);
            break;
        case COMBINE_INTERSECTION:
            result = star_set_select(thread, result, other, true);
            break;
        case COMBINE_UNION:
            result = star_set_add_all(thread, result, other) ? result : NULL;
            break;
        }
    }
    return result;
}

static star_value set_difference(struct star_thread *thread, const struct star_call_info *call) {
    return value_or_error(combine(thread, call, COMBINE_DIFFERENCE, "difference"));
}

static star_value set_intersection(struct star_thread *thread, const struct star_call_info *call) {
    return value_or_error(combine(thread, call, COMBINE_INTERSECTION, "intersection"));
}

static star_value set_union(struct star_thread *thread, const struct star_call_info *call) {
    return value_or_error(combine(thread, call, COMBINE_UNION, "union"));
}

static star_value set_difference_update(struct star_thread *thread,
                                        const struct star_call_info *call) {
    if (!star_set_check_mutable(thread, receiver(call), "update")) {
        return STAR_ERROR;
    }
    return replace_content(thread, receiver(call),
                           combine(thread, call, COMBINE_DIFFERENCE, "difference_update"));
}

static star_value set_intersection_update(struct star_thread *thread,
                                          const struct star_call_info *call) {
    if (!star_set_check_mutable(thread, receiver(call), "update")) {
        return STAR_ERROR;
    }
    return replace_content(thread, receiver(call),
                           combine(thread, call, COMBINE_INTERSECTION, "intersection_update"));
}

static star_value set_update(struct star_thread *thread, const struct star_call_info *call) {
    if (!universe_refuse_named(thread, call, "update") ||
        !star_set_check_mutable(thread, receiver(call), "update")) {
        return STAR_ERROR;
    }
    for (uint32_t i = 0; i < call->argument_count; i++) {
        const struct star_set *other = set_of(thread, call->arguments[i]);
        if (other == NULL ||
            (other != receiver(call) && !star_set_add_all(thread, receiver(call), other))) {
            return STAR_ERROR;
        }
    }
    return STAR_NONE;
}

static star_value set_symmetric_difference(struct star_thread *thread,
                                           const struct star_call_info *call) {
    const struct star_set *other = set_of(thread, call->arguments[0]);
    return other == NULL ? STAR_ERROR
                         : value_or_error(star_set_either(thread, receiver(call), other));
}

static star_value set_symmetric_difference_update(struct star_thread *thread,
                                                  const struct star_call_info *call) {
    if (!star_set_check_mutable(thread, receiver(call), "update")) {
        return STAR_ERROR;
    }
    const struct star_set *other = set_of(thread, call->arguments[0]);
    return other == NULL ? STAR_ERROR
                         : replace_content(thread, receiver(call),
                                           star_set_either(thread, receiver(call), other));
}

// ---------------------------------------------------------------------------------------------
// Questions

// Whether each element of `set` is (or is not) in `other`.
static star_value each_in(struct star_thread *thread, const struct star_set *set,
                          const struct star_set *other, int wanted) {
    uint32_t position = 0;
    star_value item = STAR_UNSET;
    while (star_set_step(set, &position, &item)) {
        const int has = star_set_has(thread, other, item);
        if (has < 0 || !star_charge(thread, 1)) {
            return STAR_ERROR;
        }
        if (has != wanted) {
            return STAR_FALSE;
        }
    }
    return STAR_TRUE;
}

static star_value set_isdisjoint(struct star_thread *thread, const struct star_call_info *call) {
    const struct star_set *other = set_of(thread, call->arguments[0]);
    return other == NULL ? STAR_ERROR : each_in(thread, receiver(call), other, 0);
}

static star_value set_issubset(struct star_thread *thread, const struct star_call_info *call) {
    const struct star_set *other = set_of(thread, call->arguments[0]);
    return other == NULL ? STAR_ERROR : each_in(thread, receiver(call), other, 1);
}

static star_value set_issuperset(struct star_thread *thread, const struct star_call_info *call) {
    const struct star_set *other = set_of(thread, call->arguments[0]);
    return other == NULL ? STAR_ERROR : each_in(thread, other, receiver(call), 1);
}

// ---------------------------------------------------------------------------------------------
// One element

static star_value set_add(struct star_thread *thread, const struct star_call_info *call) {
    return star_set_insert(thread, receiver(call), call->arguments[0]) ? STAR_NONE : STAR_ERROR;
}

static star_value set_clear(struct star_thread *thread, const struct star_call_info *call) {
    return star_set_clear(thread, receiver(call)) ? STAR_NONE : STAR_ERROR;
}

static star_value set_discard(struct star_thread *thread, const struct star_call_info *call) {
    bool found = false;
    return star_set_remove(thread, receiver(call), call->arguments[0], &found) ? STAR_NONE
                                                                               : STAR_ERROR;
}

static star_value set_remove(struct star_thread *thread, const struct star_call_info *call) {
    bool found = false;
    if (!star_set_remove(thread, receiver(call), call->arguments[0], &found)) {
        return STAR_ERROR;
    }
    return found ? STAR_NONE : star_fail(thread, "remove: missing key");
}

static star_value set_pop(struct star_thread *thread, const struct star_call_info *call) {
    star_value item = STAR_UNSET;
    bool found = false;
    if (!star_set_remove_first(thread, receiver(call), &item, &found)) {
        return STAR_ERROR;
    }
    return found ? item : star_fail(thread, "pop: empty set");
}

static const struct star_parameter one_parameters[] = {{"x", STAR_POSITIONAL_ONLY, 0}};

static const struct star_builtin items[] = {
    STAR_BUILTIN("add", set_add, one_parameters),
    {"clear", set_clear, one_parameters, 0},
    STAR_BUILTIN_RAW("difference", set_difference),
    STAR_BUILTIN_RAW("difference_update", set_difference_update),
    STAR_BUILTIN("discard", set_discard, one_parameters),
    STAR_BUILTIN_RAW("intersection", set_intersection),
    STAR_BUILTIN_RAW("intersection_update", set_intersection_update),
    STAR_BUILTIN("isdisjoint", set_isdisjoint, one_parameters),
    STAR_BUILTIN("issubset", set_issubset, one_parameters),
    STAR_BUILTIN("issuperset", set_issuperset, one_parameters),
    {"pop", set_pop, one_parameters, 0},
    STAR_BUILTIN("remove", set_remove, one_parameters),
    STAR_BUILTIN("symmetric_difference", set_symmetric_difference, one_parameters),
    STAR_BUILTIN("symmetric_difference_update", set_symmetric_difference_update, one_parameters),
    STAR_BUILTIN_RAW("union", set_union),
    STAR_BUILTIN_RAW("update", set_update),
};

const struct star_builtin_table star_set_methods = {items, ARRAY_COUNT(items)};
