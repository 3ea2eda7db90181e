// Freezing in place: everything that a value reaches becomes immutable; for a module it also
// becomes shared, that is independent of the thread that made it.
//
// A work list instead of recursion: data may be nested as deep as memory goes.

#include "starlark/freeze.h"
#include "starlark/builtins.h"
#include "starlark/sequence.h"
#include "starlark/shape.h"
#include "starlark/table.h"
#include "starlark/thread.h"

struct freezer {
    struct star_thread *thread;
    uint8_t flags; // FROZEN, with PINNED and SHARED for a module
    star_value *work;
    size_t count;
    size_t capacity;
    bool failed;
};

// Remembers an object to be frozen; gives what must stand in its place.
static star_value visit(struct freezer *freezer, star_value value) {
    if (!star_is_object(value)) {
        return value;
    }
    struct star_object *object = star_object(value);
    if ((object->flags & freezer->flags) == freezer->flags || (object->flags & STAR_FLAG_SHARED)) {
        return value;
    }
    if ((freezer->flags & STAR_FLAG_SHARED) && (object->flags & STAR_FLAG_PINNED)) {
        // Interned by the thread, which may end before the module.
        value = star_string_str(freezer->thread, star_text_of(value));
        if (star_is_error(value)) {
            freezer->failed = true;
            return STAR_NONE;
        }
        object = star_object(value);
    }
    object->flags |= freezer->flags;
    if (freezer->count == freezer->capacity) {
        const size_t capacity = freezer->capacity == 0 ? 256 : freezer->capacity * 2;
        star_value *work =
            star_thread_memory_grow(freezer->thread, freezer->work,
                                    freezer->capacity * sizeof(*work), capacity * sizeof(*work));
        if (work == NULL) {
            star_fail_memory(freezer->thread, false);
            freezer->failed = true;
            return value;
        }
        freezer->work = work;
        freezer->capacity = capacity;
    }
    freezer->work[freezer->count++] = value;
    return value;
}

static void visit_all(struct freezer *freezer, star_value *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        values[i] = visit(freezer, values[i]);
    }
}

// Shapes belong to the thread: a module's dict becomes a table.
static void dict_unshape(struct freezer *freezer, struct star_dict *dict) {
    struct star_table *table = NULL;
    struct star_heap *heap = &freezer->thread->heap;
    for (uint32_t i = 0; i < dict->count && !freezer->failed; i++) {
        const star_value key = dict->shape->keys[i];
        freezer->failed =
            !star_table_add(heap, &table, i, key, dict->slots[i], star_as_string(key)->hash);
    }
    dict->shape = NULL;
    dict->slots = NULL;
    dict->table = table;
}

static void freeze_dict(struct freezer *freezer, struct star_dict *dict) {
    if (!star_dict_materialize(freezer->thread, dict)) {
        freezer->failed = true;
        return;
    }
    if (dict->shape != NULL && (freezer->flags & STAR_FLAG_SHARED)) {
        dict_unshape(freezer, dict);
    }
    if (dict->shape != NULL) {
        visit_all(freezer, dict->slots, dict->count);
        return;
    }
    for (uint32_t i = 0; dict->table != NULL && i < dict->table->used; i++) {
        struct star_entry *entry = &dict->table->entries[i];
        entry->key = visit(freezer, entry->key);
        entry->value = visit(freezer, entry->value);
    }
}

static void freeze_set(struct freezer *freezer, struct star_set *set) {
    for (uint32_t i = 0; set->table != NULL && i < set->table->used; i++) {
        set->table->entries[i].key = visit(freezer, set->table->entries[i].key);
    }
}

static void freeze_object(struct freezer *freezer, star_value value) {
    switch ((enum star_object_type)star_object(value)->type) {
    case STAR_OBJECT_STRING:
    case STAR_OBJECT_BYTES: {
        // Computed now: later no thread may write to it.
        struct star_string *string = star_as_string(value);
        star_string_hash(freezer->thread, string);
        if (freezer->flags & STAR_FLAG_SHARED) {
            string->header.flags &= (uint8_t)~STAR_FLAG_SHARED;
            star_string_is_ascii(string);
            string->header.flags |= STAR_FLAG_SHARED;
        }
        return;
    }
    case STAR_OBJECT_LIST:
        if (!star_list_materialize(freezer->thread, star_as_list(value))) {
            freezer->failed = true;
            return;
        }
        visit_all(freezer, star_as_list(value)->items, star_as_list(value)->count);
        return;
    case STAR_OBJECT_TUPLE:
        visit_all(freezer, star_as_tuple(value)->items, star_as_tuple(value)->count);
        return;
    case STAR_OBJECT_DICT:
        freeze_dict(freezer, star_as_dict(value));
        return;
    case STAR_OBJECT_SET:
        freeze_set(freezer, star_as_set(value));
        return;
    case STAR_OBJECT_FUNCTION: {
        struct star_function_object *function = STAR_AS(star_function_object, value);
        visit_all(freezer, function->values,
                  (size_t)function->default_count + function->capture_count);
        return;
    }
    case STAR_OBJECT_BUILTIN:
        visit_all(freezer, &STAR_AS(star_builtin_object, value)->receiver, 1);
        return;
    case STAR_OBJECT_STRUCT: {
        struct star_struct_object *object = STAR_AS(star_struct_object, value);
        visit_all(freezer, &object->constructor, 1);
        visit_all(freezer, object->items, 2UL * object->count);
        return;
    }
    case STAR_OBJECT_HOST: {
        struct star_host_object *host = star_as_host(value);
        if (host->type->freeze != NULL) {
            host->type->freeze(host->data);
        }
        visit_all(freezer, host->slots, host->header.extra);
        return;
    }
    case STAR_OBJECT_CELL:
        visit_all(freezer, &STAR_AS(star_cell, value)->value, 1);
        return;
    case STAR_OBJECT_BIGINT:
    case STAR_OBJECT_RANGE:
    case STAR_OBJECT_FORWARDED:
        return;
    }
}

bool star_freeze_values(struct star_thread *thread, star_value *values, size_t count,
                        bool is_shared) {
    struct freezer freezer = {.thread = thread,
                              .flags = is_shared
                                           ? STAR_FLAG_FROZEN | STAR_FLAG_PINNED | STAR_FLAG_SHARED
                                           : STAR_FLAG_FROZEN};
    visit_all(&freezer, values, count);
    while (freezer.count > 0 && !freezer.failed) {
        freeze_object(&freezer, freezer.work[--freezer.count]);
    }
    if (freezer.work != NULL) {
        star_thread_memory_grow(thread, freezer.work, freezer.capacity * sizeof(star_value), 0);
    }
    return !freezer.failed;
}

bool star_freeze(struct star_thread *thread, star_value value) {
    return star_freeze_values(thread, &value, 1, false);
}
