#include "starlark/dict.h"
#include "starlark/operators.h"
#include "starlark/sequence.h"
#include "starlark/sort.h"
#include "starlark/universe.h"

bool universe_refuse_named(struct star_thread *thread, const struct star_call_info *call,
                           const char *name) {
    if (call->named_count == 0) {
        return true;
    }
    star_fail(thread, "function %s got an unexpected keyword argument \"" STR_FORMAT "\"", name,
              STR_ARGS(star_text_of(call->names[0])));
    return false;
}

// The items one by one; false at the end or on error (then iterator->failed).
static bool next_charged(struct star_thread *thread, struct star_iterator *iterator,
                         star_value *item) {
    if (!star_iterate_next(thread, iterator, item)) {
        return false;
    }
    if (!star_charge(thread, 1)) {
        iterator->failed = true;
        return false;
    }
    return true;
}

struct star_list *universe_list_of(struct star_thread *thread, star_value iterable) {
    struct star_iterator iterator;
    if (!star_iterate(thread, iterable, &iterator)) {
        return NULL;
    }
    const int64_t length = star_iterable_length(iterable);
    // A long range may be refused by a limit half-way: do not trust its length for more than this.
    const int64_t trusted = 1 << 16;
    struct star_list *list =
        star_list_new(thread, length < 0 ? 0 : (size_t)(length < trusted ? length : trusted));
    star_value item = STAR_UNSET;
    bool done = list != NULL;
    while (done && next_charged(thread, &iterator, &item)) {
        done = star_list_push(thread, list, item);
    }
    done = done && !iterator.failed;
    star_iterate_end(&iterator);
    return done ? list : NULL;
}

static star_value search_truth(struct star_thread *thread, star_value iterable, bool wanted) {
    struct star_iterator iterator;
    if (!star_iterate(thread, iterable, &iterator)) {
        return STAR_ERROR;
    }
    star_value item = STAR_UNSET;
    bool found = false;
    while (!found && next_charged(thread, &iterator, &item)) {
        found = star_truth(item) == wanted;
    }
    star_iterate_end(&iterator);
    return iterator.failed && !found ? STAR_ERROR : star_bool(found == wanted);
}

star_value universe_all(struct star_thread *thread, const struct star_call_info *call) {
    return search_truth(thread, call->arguments[0], false);
}

star_value universe_any(struct star_thread *thread, const struct star_call_info *call) {
    return search_truth(thread, call->arguments[0], true);
}

star_value universe_enumerate(struct star_thread *thread, const struct star_call_info *call) {
    struct star_list *list = universe_list_of(thread, call->arguments[0]);
    if (list == NULL) {
        return STAR_ERROR;
    }
    star_value number = star_is_unset(call->arguments[1]) ? star_from_small(0) : call->arguments[1];
    for (uint32_t i = 0; i < list->count; i++) {
        const star_value pair[2] = {number, list->items[i]};
        list->items[i] = star_tuple(thread, pair, 2);
        number = star_binary(thread, STAR_OP_ADD, number, star_from_small(1));
        if (star_is_error(list->items[i]) || star_is_error(number)) {
            return STAR_ERROR;
        }
    }
    return star_from_object(list);
}

star_value universe_list(struct star_thread *thread, const struct star_call_info *call) {
    struct star_list *list = star_is_unset(call->arguments[0])
                                 ? star_list_new(thread, 0)
                                 : universe_list_of(thread, call->arguments[0]);
    return list == NULL ? STAR_ERROR : star_from_object(list);
}

star_value universe_tuple(struct star_thread *thread, const struct star_call_info *call) {
    if (star_is_unset(call->arguments[0])) {
        return star_tuple(thread, NULL, 0);
    }
    if (star_is_type(call->arguments[0], STAR_OBJECT_TUPLE)) {
        return call->arguments[0];
    }
    const struct star_list *list = universe_list_of(thread, call->arguments[0]);
    return list == NULL ? STAR_ERROR : star_tuple(thread, list->items, list->count);
}

star_value universe_set(struct star_thread *thread, const struct star_call_info *call) {
    struct star_set *set = star_set_new(thread, 0);
    if (set == NULL || star_is_unset(call->arguments[0])) {
        return set == NULL ? STAR_ERROR : star_from_object(set);
    }
    struct star_iterator iterator;
    if (!star_iterate(thread, call->arguments[0], &iterator)) {
        return STAR_ERROR;
    }
    star_value item = STAR_UNSET;
    bool done = true;
    while (done && next_charged(thread, &iterator, &item)) {
        done = star_set_put(thread, set, item);
    }
    done = done && !iterator.failed;
    star_iterate_end(&iterator);
    return done ? star_from_object(set) : STAR_ERROR;
}

star_value universe_reversed(struct star_thread *thread, const struct star_call_info *call) {
    struct star_list *list = universe_list_of(thread, call->arguments[0]);
    if (list == NULL) {
        return STAR_ERROR;
    }
    for (uint32_t i = 0, j = list->count; i + 1 < j; i++) {
        j--;
        const star_value swap = list->items[i];
        list->items[i] = list->items[j];
        list->items[j] = swap;
    }
    return star_from_object(list);
}

// One round of zip; *end when one of the iterators is at its end.
static struct star_tuple *zip_row(struct star_thread *thread, struct star_iterator *iterators,
                                  uint32_t count, bool *end) {
    struct star_tuple *row = star_tuple_new(thread, count);
    for (uint32_t i = 0; row != NULL && i < count; i++) {
        if (!next_charged(thread, &iterators[i], &row->items[i])) {
            *end = !iterators[i].failed;
            return NULL;
        }
    }
    return row;
}

static bool zip_rows(struct star_thread *thread, struct star_iterator *iterators, uint32_t count,
                     struct star_list *rows) {
    bool end = false;
    while (true) {
        struct star_tuple *row = zip_row(thread, iterators, count, &end);
        if (row == NULL) {
            return end;
        }
        if (!star_list_push(thread, rows, star_from_object(row))) {
            return false;
        }
    }
}

star_value universe_zip(struct star_thread *thread, const struct star_call_info *call) {
    const uint32_t count = call->argument_count;
    struct star_list *rows = star_list_new(thread, 0);
    if (!universe_refuse_named(thread, call, "zip") || rows == NULL) {
        return STAR_ERROR;
    }
    if (count == 0) {
        return star_from_object(rows);
    }
    struct star_heap *heap = star_thread_heap(thread);
    const size_t bytes = count * sizeof(struct star_iterator);
    struct star_iterator *iterators = star_buffer_alloc(heap, bytes);
    if (iterators == NULL) {
        return STAR_ERROR;
    }
    uint32_t open = 0;
    while (open < count && star_iterate(thread, call->arguments[open], &iterators[open])) {
        open++;
    }
    const bool done = open == count && zip_rows(thread, iterators, count, rows);
    while (open > 0) {
        star_iterate_end(&iterators[--open]);
    }
    star_buffer_free(heap, iterators, bytes);
    return done ? star_from_object(rows) : STAR_ERROR;
}

// ---------------------------------------------------------------------------------------------
// Order

static bool check_callable(struct star_thread *thread, const char *name, star_value key) {
    if (star_is_callable(key)) {
        return true;
    }
    star_fail(thread, "%s: for parameter key: got %s, want callable", name, star_type_name(key));
    return false;
}

star_value universe_sorted(struct star_thread *thread, const struct star_call_info *call) {
    const star_value key = call->arguments[1];
    const bool reverse = !star_is_unset(call->arguments[2]) && star_truth(call->arguments[2]);
    if (!star_is_unset(key) && !check_callable(thread, "sorted", key)) {
        return STAR_ERROR;
    }
    struct star_list *list = universe_list_of(thread, call->arguments[0]);
    if (list == NULL) {
        return STAR_ERROR;
    }
    struct star_list *keys = list;
    if (!star_is_unset(key)) {
        keys = star_list_new(thread, list->count);
        for (uint32_t i = 0; keys != NULL && i < list->count; i++) {
            const star_value made = star_call_value(thread, key, &list->items[i], 1);
            if (star_is_error(made) || !star_list_push(thread, keys, made)) {
                return STAR_ERROR;
            }
        }
    }
    if (keys == NULL || !sort_values(thread, list->items, keys->items, list->count, reverse)) {
        return STAR_ERROR;
    }
    return star_from_object(list);
}

// Is `candidate` better than `best`?  max wants greater, min less; the first of equals stays.
static bool extreme_better(struct star_thread *thread, bool want_max, star_value candidate,
                           star_value best, bool *better) {
    return star_compare(thread, want_max ? STAR_GREATER : STAR_LESS, candidate, best, better);
}

static star_value extreme_of(struct star_thread *thread, const char *name, bool want_max,
                             star_value iterable, star_value key) {
    struct star_iterator iterator;
    if (!star_iterate(thread, iterable, &iterator)) {
        return STAR_ERROR;
    }
    star_value best = STAR_UNSET;
    star_value best_key = STAR_UNSET;
    star_value item = STAR_UNSET;
    bool done = true;
    while (done && next_charged(thread, &iterator, &item)) {
        const star_value item_key =
            star_is_unset(key) ? item : star_call_value(thread, key, &item, 1);
        bool better = star_is_unset(best);
        done = !star_is_error(item_key) &&
               (better || extreme_better(thread, want_max, item_key, best_key, &better));
        if (done && better) {
            best = item;
            best_key = item_key;
        }
    }
    done = done && !iterator.failed;
    star_iterate_end(&iterator);
    if (done && star_is_unset(best)) {
        return star_fail(thread, "%s: argument is an empty sequence", name);
    }
    return done ? best : STAR_ERROR;
}

static star_value extreme(struct star_thread *thread, const struct star_call_info *call,
                          const char *name, bool want_max) {
    star_value key = STAR_UNSET;
    for (uint32_t i = 0; i < call->named_count; i++) {
        if (!str_equal(star_text_of(call->names[i]), STR("key"))) {
            return star_fail(thread,
                             "function %s got an unexpected keyword argument \"" STR_FORMAT "\"",
                             name, STR_ARGS(star_text_of(call->names[i])));
        }
        key = call->named[i];
        if (!check_callable(thread, name, key)) {
            return STAR_ERROR;
        }
    }
    if (call->argument_count == 0) {
        return star_fail(thread, "%s requires at least one positional argument", name);
    }
    if (call->argument_count == 1) {
        return extreme_of(thread, name, want_max, call->arguments[0], key);
    }
    const star_value values = star_tuple(thread, call->arguments, call->argument_count);
    return star_is_error(values) ? values : extreme_of(thread, name, want_max, values, key);
}

star_value universe_max(struct star_thread *thread, const struct star_call_info *call) {
    return extreme(thread, call, "max", true);
}

star_value universe_min(struct star_thread *thread, const struct star_call_info *call) {
    return extreme(thread, call, "min", false);
}
