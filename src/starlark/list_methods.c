// The methods of lists (spec/starlark.md §9).

#include "starlark/builtins.h"
#include "starlark/operators.h"
#include "starlark/sequence.h"
#include "starlark/universe.h"

// The receiver, checked and with all its elements made.
static struct star_list *receiver(struct star_thread *thread, const struct star_call_info *call,
                                  const char *verb) {
    struct star_list *list = star_as_list(call->receiver);
    if ((verb != NULL && !star_list_check_mutable(thread, list, verb)) ||
        !star_list_materialize(thread, list)) {
        return NULL;
    }
    return list;
}

static star_value list_append(struct star_thread *thread, const struct star_call_info *call) {
    struct star_list *list = receiver(thread, call, "append to");
    return list != NULL && star_list_push(thread, list, call->arguments[0]) ? STAR_NONE
                                                                            : STAR_ERROR;
}

static star_value list_clear(struct star_thread *thread, const struct star_call_info *call) {
    struct star_list *list = receiver(thread, call, "clear");
    if (list == NULL) {
        return STAR_ERROR;
    }
    list->count = 0;
    return STAR_NONE;
}

static star_value list_extend(struct star_thread *thread, const struct star_call_info *call) {
    struct star_list *list = receiver(thread, call, "extend");
    // The items are copied first, so that extending a list by itself works.
    const struct star_list *more =
        list == NULL ? NULL : universe_list_of(thread, call->arguments[0]);
    if (more == NULL || !star_list_reserve(thread, list, (size_t)list->count + more->count)) {
        return STAR_ERROR;
    }
    for (uint32_t i = 0; i < more->count; i++) {
        if (!star_list_push(thread, list, more->items[i])) {
            return STAR_ERROR;
        }
    }
    return STAR_NONE;
}

static star_value list_index(struct star_thread *thread, const struct star_call_info *call) {
    struct star_list *list = receiver(thread, call, NULL);
    struct star_slice slice;
    const star_value start = star_is_unset(call->arguments[1]) ? STAR_NONE : call->arguments[1];
    const star_value end = star_is_unset(call->arguments[2]) ? STAR_NONE : call->arguments[2];
    if (list == NULL || !star_slice_resolve(thread, start, end, STAR_NONE, list->count, &slice)) {
        return STAR_ERROR;
    }
    for (uint64_t i = 0; i < slice.count; i++) {
        const int64_t at = slice.start + (int64_t)i;
        bool equal = false;
        if (!star_charge(thread, 1) ||
            !star_equal(thread, list->items[at], call->arguments[0], &equal)) {
            return STAR_ERROR;
        }
        if (equal) {
            return star_int(thread, at);
        }
    }
    return star_fail(thread, "index: value not in list");
}

static star_value list_insert(struct star_thread *thread, const struct star_call_info *call) {
    struct star_list *list = receiver(thread, call, "insert into");
    if (list == NULL) {
        return STAR_ERROR;
    }
    const int64_t count = list->count;
    int64_t index = 0;
    if (!star_get_int64(call->arguments[0], &index)) {
        return star_fail(thread, "insert: index out of range");
    }
    index = index < 0 ? index + count : index;
    index = index < 0 ? 0 : index > count ? count : index;
    if (!star_charge(thread, (uint64_t)(count - index) / 16) ||
        !star_list_push(thread, list, STAR_NONE)) {
        return STAR_ERROR;
    }
    memmove(list->items + index + 1, list->items + index,
            (size_t)(count - index) * sizeof(star_value));
    list->items[index] = call->arguments[1];
    return STAR_NONE;
}

static void remove_at(struct star_list *list, int64_t index) {
    memmove(list->items + index, list->items + index + 1,
            (size_t)((int64_t)list->count - index - 1) * sizeof(star_value));
    list->count--;
}

static star_value list_pop(struct star_thread *thread, const struct star_call_info *call) {
    struct star_list *list = receiver(thread, call, "pop from");
    if (list == NULL) {
        return STAR_ERROR;
    }
    const int64_t count = list->count;
    int64_t index = count - 1;
    const star_value given = call->arguments[0];
    if (!star_is_unset(given) && !star_get_int64(given, &index)) {
        index = INT64_MAX;
    }
    const int64_t place = !star_is_unset(given) && index < 0 ? index + count : index;
    if (place < 0 || place >= count) {
        return count == 0 ? star_fail(thread, "pop: index %lld is out of range: empty list",
                                      (long long)index)
                          : star_fail(thread, "pop: index %lld is out of range [%lld:%lld]",
                                      (long long)index, (long long)-count, (long long)(count - 1));
    }
    if (!star_charge(thread, (uint64_t)(count - place) / 16)) {
        return STAR_ERROR;
    }
    const star_value popped = list->items[place];
    remove_at(list, place);
    return popped;
}

static star_value list_remove(struct star_thread *thread, const struct star_call_info *call) {
    struct star_list *list = receiver(thread, call, "remove from");
    if (list == NULL) {
        return STAR_ERROR;
    }
    for (uint32_t i = 0; i < list->count; i++) {
        bool equal = false;
        if (!star_charge(thread, 1) ||
            !star_equal(thread, list->items[i], call->arguments[0], &equal)) {
            return STAR_ERROR;
        }
        if (equal) {
            remove_at(list, i);
            return STAR_NONE;
        }
    }
    return star_fail(thread, "remove: element not found");
}

enum {
    NUMBER = STAR_TAKES(STAR_KIND_INT),
    BOUND = STAR_OPTIONAL | STAR_POSITIONAL_ONLY | STAR_OR_NONE,
};

static const struct star_parameter value_parameters[] = {{"x", STAR_POSITIONAL_ONLY, 0}};
static const struct star_parameter iterable_parameters[] = {{"iterable", STAR_POSITIONAL_ONLY, 0}};
static const struct star_parameter index_parameters[] = {
    {"x", STAR_POSITIONAL_ONLY, 0},
    {"start", BOUND, NUMBER},
    {"end", BOUND, NUMBER},
};
static const struct star_parameter insert_parameters[] = {
    {"index", STAR_POSITIONAL_ONLY, NUMBER},
    {"x", STAR_POSITIONAL_ONLY, 0},
};
static const struct star_parameter pop_parameters[] = {
    {"index", STAR_OPTIONAL | STAR_POSITIONAL_ONLY, NUMBER}};

static const struct star_builtin items[] = {
    STAR_BUILTIN("append", list_append, value_parameters),
    {"clear", list_clear, value_parameters, 0},
    STAR_BUILTIN("extend", list_extend, iterable_parameters),
    STAR_BUILTIN("index", list_index, index_parameters),
    STAR_BUILTIN("insert", list_insert, insert_parameters),
    STAR_BUILTIN("pop", list_pop, pop_parameters),
    STAR_BUILTIN("remove", list_remove, value_parameters),
};

const struct star_builtin_table star_list_methods = {items, ARRAY_COUNT(items)};
