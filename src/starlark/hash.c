#include "starlark/hash.h"

#include "starlark/operators.h"

#include <math.h>

enum { HASHED_ITEMS = 64 }; // between two charges

static bool hash_items(struct star_thread *thread, const star_value *items, uint32_t count,
                       uint32_t *hash) {
    uint64_t sum = UINT64_C(0x345678) + count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t item;
        if (!star_hash(thread, items[i], &item) ||
            (i % HASHED_ITEMS == HASHED_ITEMS - 1 && !star_charge(thread, HASHED_ITEMS / 2))) {
            return false;
        }
        sum = (sum ^ item) * UINT64_C(0x9E3779B97F4A7C15);
        sum ^= sum >> 29;
    }
    *hash = star_scatter(thread, sum);
    return true;
}

static bool hash_object(struct star_thread *thread, star_value value, uint32_t *hash) {
    switch ((enum star_object_type)star_object(value)->type) {
    case STAR_OBJECT_BIGINT:
        *hash = star_scatter(thread, star_bigint_hash(star_as_bigint(value)));
        return true;
    case STAR_OBJECT_STRING:
    case STAR_OBJECT_BYTES:
        *hash = star_string_hash(thread, star_as_string(value));
        return true;
    case STAR_OBJECT_TUPLE:
        return hash_items(thread, star_as_tuple(value)->items, star_as_tuple(value)->count, hash);
    case STAR_OBJECT_STRUCT: {
        const struct star_struct_object *object = STAR_AS(star_struct_object, value);
        return hash_items(thread, object->items, 2 * object->count, hash);
    }
    case STAR_OBJECT_FUNCTION:
        // By identity, but an address may change: the code says enough.
        *hash =
            star_scatter(thread, (uint64_t)(uintptr_t)STAR_AS(star_function_object, value)->code);
        return true;
    case STAR_OBJECT_BUILTIN:
        *hash =
            star_scatter(thread, (uint64_t)(uintptr_t)STAR_AS(star_builtin_object, value)->builtin);
        return true;
    case STAR_OBJECT_HOST:
        if (star_as_host(value)->type->hash != NULL) {
            *hash = star_scatter(thread, star_as_host(value)->type->hash(value));
            return true;
        }
        break;
    case STAR_OBJECT_LIST:
    case STAR_OBJECT_DICT:
    case STAR_OBJECT_SET:
    case STAR_OBJECT_RANGE:
    case STAR_OBJECT_CELL:
    case STAR_OBJECT_FORWARDED:
        break;
    }
    star_fail(thread, "unhashable type: %s", star_type_name(value));
    return false;
}

bool star_hash_slow(struct star_thread *thread, star_value value, uint32_t *hash) {
    if (star_is_float(value)) {
        *hash = star_scatter(thread, star_double_hash(star_double(value)));
        return true;
    }
    if (!star_is_object(value)) {
        *hash = star_scatter(thread, value.bits);
        return true;
    }
    if (!star_enter(thread, "hash")) {
        return false;
    }
    const bool is_good = hash_object(thread, value, hash);
    star_leave(thread);
    return is_good;
}

uint32_t star_first_slot_of_double(double number, uint32_t hash) {
    const double limit = (double)STAR_SMALL_MAX;
    if (number >= -limit && number <= limit && number == floor(number)) {
        return (uint32_t)star_from_small((int64_t)number).bits;
    }
    return hash;
}
