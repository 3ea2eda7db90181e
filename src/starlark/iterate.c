#include "starlark/operators.h"
#include "starlark/thread.h"

bool star_is_iterable(star_value value) {
    if (!star_is_object(value)) {
        return false;
    }
    switch ((enum star_object_type)star_object(value)->type) {
    case STAR_OBJECT_LIST:
    case STAR_OBJECT_TUPLE:
    case STAR_OBJECT_DICT:
    case STAR_OBJECT_SET:
    case STAR_OBJECT_RANGE:
        return true;
    case STAR_OBJECT_HOST:
        return star_as_host(value)->type->iterate != NULL;
    case STAR_OBJECT_BIGINT:
    case STAR_OBJECT_STRING:
    case STAR_OBJECT_BYTES:
    case STAR_OBJECT_FUNCTION:
    case STAR_OBJECT_BUILTIN:
    case STAR_OBJECT_STRUCT:
    case STAR_OBJECT_CELL:
    case STAR_OBJECT_FORWARDED:
        return false;
    }
    return false;
}

int64_t star_iterable_length(star_value value) {
    if (star_is_type(value, STAR_OBJECT_HOST)) {
        const struct star_type *type = star_as_host(value)->type;
        return type->length != NULL ? type->length(value) : -1;
    }
    if (star_is_type(value, STAR_OBJECT_RANGE) && star_as_range(value)->count > INT64_MAX) {
        return -1;
    }
    return (int64_t)star_length(value);
}

bool star_guard(star_value source) {
    struct star_object *object = star_object(source);
    if (object->flags & STAR_FLAG_FROZEN) {
        return false;
    }
    // The counter stands at the same place in all three.
    if (object->type == STAR_OBJECT_LIST || object->type == STAR_OBJECT_DICT ||
        object->type == STAR_OBJECT_SET) {
        star_as_list(source)->iterating++;
        return true;
    }
    return false;
}
_Static_assert(offsetof(struct star_list, iterating) == offsetof(struct star_dict, iterating) &&
                   offsetof(struct star_list, iterating) == offsetof(struct star_set, iterating),
               "one place for the guard");

void star_unguard(star_value source) {
    star_as_list(source)->iterating--;
}

bool star_guard_push(struct star_thread *thread, star_value source) {
    if (thread->guard_count == thread->guard_capacity) {
        const uint32_t capacity = thread->guard_capacity == 0 ? 32 : thread->guard_capacity * 2;
        star_value *guards = star_thread_memory_grow(thread, thread->guards,
                                                     thread->guard_capacity * sizeof(*guards),
                                                     capacity * sizeof(*guards));
        if (guards == NULL) {
            star_fail_memory(thread, false);
            return false;
        }
        thread->guards = guards;
        thread->guard_capacity = capacity;
    }
    thread->guards[thread->guard_count++] = source;
    return true;
}

void star_guards_release(struct star_thread *thread, uint32_t down_to) {
    while (thread->guard_count > down_to) {
        star_unguard(thread->guards[--thread->guard_count]);
    }
}

int star_step(struct star_thread *thread, star_value source, uint64_t *position, star_value *item) {
    const uint64_t at = *position;
    switch ((enum star_object_type)star_object(source)->type) {
    case STAR_OBJECT_LIST: {
        struct star_list *list = star_as_list(source);
        if (at >= list->count) {
            return 0;
        }
        *item = star_list_item(thread, list, at);
        break;
    }
    case STAR_OBJECT_TUPLE:
        if (at >= star_as_tuple(source)->count) {
            return 0;
        }
        *item = star_as_tuple(source)->items[at];
        break;
    case STAR_OBJECT_DICT: {
        uint32_t entry = (uint32_t)at;
        const bool is_there = star_dict_step(thread, star_as_dict(source), &entry, item, NULL);
        *position = entry;
        return is_there;
    }
    case STAR_OBJECT_SET: {
        uint32_t entry = (uint32_t)at;
        const bool is_there = star_set_step(star_as_set(source), &entry, item);
        *position = entry;
        return is_there;
    }
    case STAR_OBJECT_RANGE:
        if (at >= star_as_range(source)->count) {
            return 0;
        }
        *item = star_int(thread, star_range_item(star_as_range(source), at));
        break;
    case STAR_OBJECT_HOST: {
        const struct star_type *type = star_as_host(source)->type;
        thread->native_depth++;
        *item = type->iterate(thread, source, at);
        thread->native_depth--;
        if (star_is_unset(*item)) {
            return 0;
        }
        break;
    }
    case STAR_OBJECT_BIGINT:
    case STAR_OBJECT_STRING:
    case STAR_OBJECT_BYTES:
    case STAR_OBJECT_FUNCTION:
    case STAR_OBJECT_BUILTIN:
    case STAR_OBJECT_STRUCT:
    case STAR_OBJECT_CELL:
    case STAR_OBJECT_FORWARDED:
        return 0;
    }
    *position = at + 1;
    return star_is_error(*item) ? -1 : 1;
}

bool star_iterate(struct star_thread *thread, star_value source, struct star_iterator *iterator) {
    *iterator = (struct star_iterator){.source = source};
    if (!star_is_iterable(source)) {
        iterator->failed = true;
        star_fail(thread, "%s value is not iterable", star_type_name(source));
        return false;
    }
    iterator->guarded = star_guard(source);
    return true;
}

bool star_iterate_next(struct star_thread *thread, struct star_iterator *iterator,
                       star_value *item) {
    const int step = star_step(thread, iterator->source, &iterator->position, item);
    iterator->failed = step < 0;
    return step > 0;
}

void star_iterate_end(struct star_iterator *iterator) {
    if (iterator->guarded) {
        star_unguard(iterator->source);
        iterator->guarded = false;
    }
}
