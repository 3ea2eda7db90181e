// Deep copies between the heaps of two threads.
//
// Identity is kept: what is shared, or cyclic, in the source is so in the copy.  Frozen values of a
// module are not copied.

#include "base/arena.h"
#include "starlark/dict.h"
#include "starlark/operators.h"
#include "starlark/sequence.h"
#include "starlark/thread.h"

struct copied {
    uint64_t from; // bits
    star_value to;
};

struct copier {
    struct star_thread *from;
    struct star_thread *to;
    struct copied *seen; // open addressing
    size_t count;
    size_t mask;
    struct arena *arena;
};

static size_t seen_slot(const struct copier *copier, uint64_t bits) {
    size_t slot = (size_t)(bits * UINT64_C(0x9E3779B97F4A7C15) >> 20) & copier->mask;
    while (copier->seen[slot].from != 0 && copier->seen[slot].from != bits) {
        slot = (slot + 1) & copier->mask;
    }
    return slot;
}

// false after "out of memory" was set.
static bool seen_grow(struct copier *copier, size_t mask) {
    struct copied *seen = ARENA_TRY_ARRAY(copier->arena, struct copied, mask + 1);
    if (seen == NULL) {
        star_fail_memory(copier->to, copier->arena->supply->is_limited);
        return false;
    }
    copier->seen = seen;
    copier->mask = mask;
    return true;
}

static bool seen_add(struct copier *copier, star_value from, star_value to) {
    if (copier->count * 2 > copier->mask) {
        const struct copied *old = copier->seen;
        const size_t old_mask = copier->mask;
        if (!seen_grow(copier, old_mask * 2 + 1)) {
            return false;
        }
        for (size_t i = 0; i <= old_mask; i++) {
            if (old[i].from != 0) {
                copier->seen[seen_slot(copier, old[i].from)] = old[i];
            }
        }
    }
    copier->seen[seen_slot(copier, from.bits)] = (struct copied){from.bits, to};
    copier->count++;
    return true;
}

static star_value copy_value(struct copier *copier, star_value value);

static star_value copy_list(struct copier *copier, star_value value) {
    struct star_list *list = star_as_list(value);
    struct star_list *made = star_list_new(copier->to, list->count);
    if (made == NULL || !seen_add(copier, value, star_from_object(made))) {
        return STAR_ERROR;
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const star_value item = star_list_item(copier->from, list, i);
        const star_value copy = star_is_error(item) ? item : copy_value(copier, item);
        if (star_is_error(copy) || !star_list_push(copier->to, made, copy)) {
            return STAR_ERROR;
        }
    }
    return star_from_object(made);
}

static star_value copy_tuple(struct copier *copier, star_value value) {
    const struct star_tuple *tuple = star_as_tuple(value);
    struct star_tuple *made = star_tuple_new(copier->to, tuple->count);
    for (uint32_t i = 0; made != NULL && i < tuple->count; i++) {
        made->items[i] = copy_value(copier, tuple->items[i]);
        if (star_is_error(made->items[i])) {
            return STAR_ERROR;
        }
    }
    return made == NULL ? STAR_ERROR : star_from_object(made);
}

static star_value copy_dict(struct copier *copier, star_value value) {
    struct star_dict *dict = star_as_dict(value);
    struct star_dict *made = star_dict_new(copier->to, dict->count);
    if (made == NULL || !seen_add(copier, value, star_from_object(made))) {
        return STAR_ERROR;
    }
    uint32_t position = 0;
    star_value key = STAR_NONE;
    star_value item;
    while (star_dict_step(copier->from, dict, &position, &key, &item)) {
        const star_value key_copy = copy_value(copier, key);
        const star_value item_copy = copy_value(copier, item);
        if (star_is_error(key_copy) || star_is_error(item_copy) ||
            !star_dict_insert(copier->to, made, key_copy, item_copy)) {
            return STAR_ERROR;
        }
    }
    return star_is_error(key) ? STAR_ERROR : star_from_object(made);
}

static star_value copy_set(struct copier *copier, star_value value) {
    const struct star_set *set = star_as_set(value);
    struct star_set *made = star_set_new(copier->to, set->count);
    uint32_t position = 0;
    star_value item;
    while (made != NULL && star_set_step(set, &position, &item)) {
        const star_value copy = copy_value(copier, item);
        if (star_is_error(copy) || !star_set_put(copier->to, made, copy)) {
            return STAR_ERROR;
        }
    }
    return made == NULL ? STAR_ERROR : star_from_object(made);
}

static star_value copy_struct(struct copier *copier, star_value value) {
    const struct star_struct_object *object = STAR_AS(star_struct_object, value);
    struct star_tuple *parts = star_tuple_new(copier->to, 2UL * object->count);
    const star_value constructor = copy_value(copier, object->constructor);
    if (parts == NULL || star_is_error(constructor)) {
        return STAR_ERROR;
    }
    for (uint32_t i = 0; i < 2 * object->count; i++) {
        parts->items[i] = copy_value(copier, object->items[i]);
        if (star_is_error(parts->items[i])) {
            return STAR_ERROR;
        }
    }
    return star_struct_new(copier->to, constructor, parts->items, parts->items + object->count,
                           object->count);
}

// A plain native function is its table entry; a method is bound to a value of its thread.
static star_value copy_builtin(struct copier *copier, const struct star_builtin_object *builtin) {
    if (!star_is_unset(builtin->receiver)) {
        return star_fail(copier->to, "a bound method cannot be copied");
    }
    return star_function_new(copier->to, builtin->builtin, builtin->user);
}

// An object that is nothing but its bytes: an int, a range, a duration.
static star_value copy_bytes(struct copier *copier, star_value value) {
    const size_t size = (size_t)star_object(value)->words * 8;
    struct star_object *made =
        star_heap_object(&copier->to->heap, (enum star_object_type)star_object(value)->type, size);
    if (made == NULL) {
        return STAR_ERROR;
    }
    made->extra = star_object(value)->extra;
    memcpy(made + 1, star_object(value) + 1, size - sizeof(*made));
    return star_from_object(made);
}

// Host objects that own nothing and hold no values: durations, modules without state.
static bool is_bare_host(const struct star_host_object *host) {
    return host->data == NULL && host->type->free == NULL && host->header.extra == 0;
}

static star_value copy_object(struct copier *copier, star_value value) {
    const str text = star_is_string(value) || star_is_type(value, STAR_OBJECT_BYTES)
                         ? star_text_of(value)
                         : (str){0};
    switch ((enum star_object_type)star_object(value)->type) {
    case STAR_OBJECT_STRING:
        return star_string_str(copier->to, text);
    case STAR_OBJECT_BYTES:
        return star_bytes(copier->to, text.data, text.size);
    case STAR_OBJECT_LIST:
        return copy_list(copier, value);
    case STAR_OBJECT_TUPLE:
        return copy_tuple(copier, value);
    case STAR_OBJECT_DICT:
        return copy_dict(copier, value);
    case STAR_OBJECT_SET:
        return copy_set(copier, value);
    case STAR_OBJECT_STRUCT:
        return copy_struct(copier, value);
    case STAR_OBJECT_BIGINT:
    case STAR_OBJECT_RANGE:
        return copy_bytes(copier, value);
    case STAR_OBJECT_BUILTIN:
        return copy_builtin(copier, STAR_AS(star_builtin_object, value));
    case STAR_OBJECT_HOST:
        if (is_bare_host(star_as_host(value))) {
            return copy_bytes(copier, value);
        }
        break;
    case STAR_OBJECT_FUNCTION:
    case STAR_OBJECT_CELL:
    case STAR_OBJECT_FORWARDED:
        break;
    }
    return star_fail(copier->to, "a value of type %s cannot be kept from one page to the next",
                     star_type_name(value));
}

static star_value copy_value(struct copier *copier, star_value value) {
    if (!star_is_object(value) || (star_object(value)->flags & STAR_FLAG_SHARED)) {
        return value;
    }
    const struct copied *known = &copier->seen[seen_slot(copier, value.bits)];
    if (known->from != 0) {
        return known->to;
    }
    if (!star_enter(copier->to, "copy")) {
        return STAR_ERROR;
    }
    const star_value copy = copy_object(copier, value);
    star_leave(copier->to);
    if (!star_is_error(copy) && copier->seen[seen_slot(copier, value.bits)].from == 0 &&
        !seen_add(copier, value, copy)) {
        return STAR_ERROR;
    }
    return copy;
}

star_value star_value_copy(struct star_thread *from, star_value value, struct star_thread *to) {
    STAR_SCRATCH(scratch, to);
    struct copier copier = {.from = from, .to = to, .arena = &scratch};
    return seen_grow(&copier, 63) ? copy_value(&copier, value) : STAR_ERROR;
}
