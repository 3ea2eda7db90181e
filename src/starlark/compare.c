// Equality, order and hashing for all values.

#include "starlark/numbers.h"
#include "starlark/operators.h"
#include "starlark/thread.h"

bool star_enter(struct star_thread *thread, const char *operation) {
    const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (thread->recursion == 0) {
        thread->recursion_base = here;
    }
    // The stack grows down on every platform that we build for.
    if (thread->recursion >= STAR_NATIVE_DEPTH_MAX ||
        thread->recursion_base - here > STAR_NATIVE_STACK_MAX) {
        star_fail_host(thread, STAR_FAILED, 0,
                       "stack overflow: maximum recursion depth exceeded in %s", operation);
        return false;
    }
    thread->recursion++;
    return true;
}

void star_leave(struct star_thread *thread) {
    thread->recursion--;
}

enum { COMPARED_ITEMS = 1024 }; // between two charges

static bool is_number(star_value value) {
    return star_is_float(value) || star_is_int(value);
}

// NaN equals itself and is greater than every other number.
static int compare_doubles(double a, double b) {
    const bool a_nan = a != a;
    const bool b_nan = b != b;
    if (a_nan || b_nan) {
        return a_nan - b_nan;
    }
    return (a > b) - (a < b);
}

static int compare_numbers(star_value a, star_value b) {
    if (star_is_float(a)) {
        return star_is_float(b) ? compare_doubles(star_double(a), star_double(b))
                                : -star_int_compare_double(b, star_double(a));
    }
    return star_is_float(b) ? star_int_compare_double(a, star_double(b)) : star_int_compare(a, b);
}

// ---- equality -----------------------------------------------------------------------------------

// Items of a list or tuple, lazy ones made.
static star_value item_at(struct star_thread *thread, star_value sequence, size_t i) {
    return star_is_type(sequence, STAR_OBJECT_LIST)
               ? star_list_item(thread, star_as_list(sequence), i)
               : star_as_tuple(sequence)->items[i];
}

// The work of comparing item `i`, so that a long comparison can be stopped.
static bool charge_item(struct star_thread *thread, size_t i) {
    return i % COMPARED_ITEMS != COMPARED_ITEMS - 1 || star_charge(thread, COMPARED_ITEMS / 2);
}

static bool sequences_equal(struct star_thread *thread, star_value a, star_value b, bool *equal) {
    const size_t count = star_length(a);
    *equal = count == star_length(b);
    if (!star_charge(thread, 1)) { // many small ones are work, too
        return false;
    }
    for (size_t i = 0; *equal && i < count; i++) {
        if (!charge_item(thread, i)) {
            return false;
        }
        const star_value x = item_at(thread, a, i);
        const star_value y = item_at(thread, b, i);
        if (star_is_error(x) || star_is_error(y) || !star_equal(thread, x, y, equal)) {
            return false;
        }
    }
    return true;
}

static bool dicts_equal(struct star_thread *thread, struct star_dict *a, struct star_dict *b,
                        bool *equal) {
    *equal = a->count == b->count;
    uint32_t position = 0;
    star_value key = STAR_NONE;
    star_value value;
    while (*equal && star_dict_step(thread, a, &position, &key, &value)) {
        const star_value other = star_dict_find(thread, b, key);
        if (star_is_error(other) || !charge_item(thread, position)) {
            return false;
        }
        *equal = !star_is_unset(other);
        if (*equal && !star_equal(thread, value, other, equal)) {
            return false;
        }
    }
    return !star_is_error(key);
}

static bool sets_equal(struct star_thread *thread, const struct star_set *a,
                       const struct star_set *b, bool *equal) {
    *equal = a->count == b->count;
    uint32_t position = 0;
    star_value item;
    while (*equal && star_set_step(a, &position, &item)) {
        const int has = star_set_has(thread, b, item);
        if (has < 0 || !charge_item(thread, position)) {
            return false;
        }
        *equal = has > 0;
    }
    return true;
}

static bool structs_equal(struct star_thread *thread, const struct star_struct_object *a,
                          const struct star_struct_object *b, bool *equal) {
    *equal = a->count == b->count &&
             star_string_equal(star_as_string(a->constructor), star_as_string(b->constructor));
    for (uint32_t i = 0; *equal && i < a->count; i++) {
        *equal = star_string_equal(star_as_string(a->items[i]), star_as_string(b->items[i]));
        if (*equal && !star_equal(thread, a->items[a->count + i], b->items[b->count + i], equal)) {
            return false;
        }
    }
    return true;
}

static bool builtins_equal(star_value a, star_value b) {
    const struct star_builtin_object *x = STAR_AS(star_builtin_object, a);
    const struct star_builtin_object *y = STAR_AS(star_builtin_object, b);
    return x->builtin == y->builtin && x->user == y->user && star_is_same(x->receiver, y->receiver);
}

static bool objects_equal(struct star_thread *thread, star_value a, star_value b, bool *equal) {
    *equal = false;
    switch ((enum star_object_type)star_object(a)->type) {
    case STAR_OBJECT_STRING:
    case STAR_OBJECT_BYTES:
        *equal = star_string_equal(star_as_string(a), star_as_string(b));
        return true;
    case STAR_OBJECT_LIST:
    case STAR_OBJECT_TUPLE:
        return sequences_equal(thread, a, b, equal);
    case STAR_OBJECT_DICT:
        return dicts_equal(thread, star_as_dict(a), star_as_dict(b), equal);
    case STAR_OBJECT_SET:
        return sets_equal(thread, star_as_set(a), star_as_set(b), equal);
    case STAR_OBJECT_RANGE: {
        const struct star_range *x = star_as_range(a);
        const struct star_range *y = star_as_range(b);
        *equal = x->count == y->count &&
                 (x->count == 0 || (x->start == y->start && (x->count == 1 || x->step == y->step)));
        return true;
    }
    case STAR_OBJECT_STRUCT:
        return structs_equal(thread, STAR_AS(star_struct_object, a), STAR_AS(star_struct_object, b),
                             equal);
    case STAR_OBJECT_BUILTIN:
        *equal = builtins_equal(a, b);
        return true;
    case STAR_OBJECT_HOST: {
        const struct star_type *type = star_as_host(a)->type;
        if (type == star_as_host(b)->type) {
            *equal = type->equal != NULL     ? type->equal(a, b)
                     : type->compare != NULL ? type->compare(a, b) == 0
                                             : false;
        }
        return true;
    }
    case STAR_OBJECT_BIGINT:
    case STAR_OBJECT_FUNCTION:
    case STAR_OBJECT_CELL:
    case STAR_OBJECT_FORWARDED:
        return true; // identity
    }
    return true;
}

bool star_equal(struct star_thread *thread, star_value a, star_value b, bool *equal) {
    if (star_is_same(a, b)) {
        *equal = true;
        // A cyclic value must not be compared, not even with itself, for the answer to be the same
        // whatever shares what; but everyday values are, so identity decides.
        return true;
    }
    if (is_number(a) && is_number(b)) {
        *equal = compare_numbers(a, b) == 0;
        return true;
    }
    *equal = false;
    if (!star_is_object(a) || !star_is_object(b) || star_object(a)->type != star_object(b)->type) {
        return true;
    }
    if (!star_enter(thread, "comparison")) {
        return false;
    }
    const bool is_good = objects_equal(thread, a, b, equal);
    star_leave(thread);
    return is_good;
}

// ---- order --------------------------------------------------------------------------------------

static bool decide(enum star_comparison comparison, int order) {
    switch (comparison) {
    case STAR_LESS:
        return order < 0;
    case STAR_LESS_EQUAL:
        return order <= 0;
    case STAR_GREATER:
        return order > 0;
    case STAR_GREATER_EQUAL:
        return order >= 0;
    }
    return false;
}

static bool compare_sequences(struct star_thread *thread, enum star_comparison comparison,
                              star_value a, star_value b, bool *result) {
    const size_t count_a = star_length(a);
    const size_t count_b = star_length(b);
    for (size_t i = 0; i < count_a && i < count_b; i++) {
        if (!charge_item(thread, i)) {
            return false;
        }
        const star_value x = item_at(thread, a, i);
        const star_value y = item_at(thread, b, i);
        if (star_is_same(x, y) && !star_is_error(x)) {
            continue;
        }
        if (star_is_small(x) && star_is_small(y)) {
            *result = decide(comparison, x.bits < y.bits ? -1 : 1);
            return true;
        }
        bool equal;
        if (star_is_error(x) || star_is_error(y) || !star_equal(thread, x, y, &equal)) {
            return false;
        }
        if (!equal) {
            return star_compare(thread, comparison, x, y, result);
        }
    }
    *result = decide(comparison, (count_a > count_b) - (count_a < count_b));
    return true;
}

static bool compare_sets(struct star_thread *thread, enum star_comparison comparison,
                         const struct star_set *a, const struct star_set *b, bool *result) {
    if (comparison == STAR_GREATER || comparison == STAR_GREATER_EQUAL) {
        const struct star_set *swap = a;
        a = b;
        b = swap;
    }
    const bool is_strict = comparison == STAR_LESS || comparison == STAR_GREATER;
    *result = is_strict ? a->count < b->count : a->count <= b->count;
    uint32_t position = 0;
    star_value item;
    while (*result && star_set_step(a, &position, &item)) {
        const int has = star_set_has(thread, b, item);
        if (has < 0 || !charge_item(thread, position)) {
            return false;
        }
        *result = has > 0;
    }
    return true;
}

static bool compare_objects(struct star_thread *thread, enum star_comparison comparison,
                            star_value a, star_value b, bool *result, bool *has_order) {
    switch ((enum star_object_type)star_object(a)->type) {
    case STAR_OBJECT_STRING:
    case STAR_OBJECT_BYTES:
        *result = decide(comparison, str_compare(star_text_of(a), star_text_of(b)));
        return true;
    case STAR_OBJECT_LIST:
    case STAR_OBJECT_TUPLE:
        return compare_sequences(thread, comparison, a, b, result);
    case STAR_OBJECT_SET:
        return compare_sets(thread, comparison, star_as_set(a), star_as_set(b), result);
    case STAR_OBJECT_HOST: {
        const struct star_type *type = star_as_host(a)->type;
        *has_order = type == star_as_host(b)->type && type->compare != NULL;
        if (*has_order) {
            *result = decide(comparison, type->compare(a, b));
        }
        return true;
    }
    case STAR_OBJECT_BIGINT:
    case STAR_OBJECT_DICT:
    case STAR_OBJECT_RANGE:
    case STAR_OBJECT_FUNCTION:
    case STAR_OBJECT_BUILTIN:
    case STAR_OBJECT_STRUCT:
    case STAR_OBJECT_CELL:
    case STAR_OBJECT_FORWARDED:
        *has_order = false;
        return true;
    }
    return true;
}

bool star_compare(struct star_thread *thread, enum star_comparison comparison, star_value a,
                  star_value b, bool *result) {
    static const char *const symbols[] = {"<", "<=", ">", ">="};
    if (is_number(a) && is_number(b)) {
        *result = decide(comparison, compare_numbers(a, b));
        return true;
    }
    if (star_is_bool(a) && star_is_bool(b)) {
        *result = decide(comparison, (a.bits > b.bits) - (a.bits < b.bits));
        return true;
    }
    bool has_order = false;
    if (star_is_object(a) && star_is_object(b) && star_object(a)->type == star_object(b)->type) {
        has_order = true;
        if (!star_enter(thread, "comparison")) {
            return false;
        }
        const bool is_good = compare_objects(thread, comparison, a, b, result, &has_order);
        star_leave(thread);
        if (!is_good) {
            return false;
        }
    }
    if (!has_order) {
        star_fail(thread, "%s %s %s not implemented", star_type_name(a), symbols[comparison],
                  star_type_name(b));
    }
    return has_order;
}
