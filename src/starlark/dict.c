#include "starlark/dict.h"

#include "starlark/hash.h"
#include "starlark/shape.h"
#include "starlark/table.h"

bool star_dict_check_mutable(struct star_thread *thread, const struct star_dict *dict,
                             const char *verb) {
    return star_table_check_mutable(thread, dict->header.flags, dict->iterating, verb);
}

static struct star_dict *dict_object(struct star_thread *thread) {
    struct star_dict *dict = star_heap_object(&thread->heap, STAR_OBJECT_DICT, sizeof(*dict));
    if (dict != NULL) {
        dict->iterating = 0;
        dict->count = 0;
        dict->shape = NULL;
        dict->slots = NULL;
        dict->table = NULL;
    }
    return dict;
}

struct star_dict *star_dict_new(struct star_thread *thread, size_t capacity) {
    struct star_dict *dict = dict_object(thread);
    if (dict == NULL) {
        return NULL;
    }
    if (capacity <= STAR_SHAPE_GROW_MAX) {
        dict->shape = star_shape_root(thread); // NULL is fine: a table
        return dict;
    }
    return star_table_reserve(&thread->heap, &dict->table, 0, capacity) ? dict : NULL;
}

star_value star_dict(struct star_thread *thread) {
    struct star_dict *dict = star_dict_new(thread, 0);
    return dict == NULL ? STAR_ERROR : star_from_object(dict);
}

struct star_dict *star_dict_shaped(struct star_thread *thread, const struct star_shape *shape) {
    const uint32_t count = shape->count;
    // Object and slots are one allocation: a literal is never moved to grow in most programs.
    const size_t slots = (size_t)count * sizeof(star_value);
    const bool is_small = slots < STAR_EXTERNAL_MIN;
    struct star_dict *dict =
        star_heap_object(&thread->heap, STAR_OBJECT_DICT, sizeof(*dict) + (is_small ? slots : 0));
    if (dict == NULL) {
        return NULL;
    }
    dict->iterating = 0;
    dict->count = count;
    dict->shape = shape;
    dict->lazy = NULL;
    dict->header.extra = (uint16_t)count;
    dict->slots = (star_value *)(dict + 1);
    if (!is_small) {
        dict->slots = star_buffer_alloc(&thread->heap, slots);
        if (dict->slots == NULL) {
            return NULL;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        dict->slots[i] = STAR_UNSET;
    }
    return dict;
}

star_value star_dict_lazy(struct star_thread *thread, const struct star_shape *shape,
                          const struct star_lazy *lazy) {
    struct star_dict *dict = star_dict_shaped(thread, shape);
    if (dict == NULL) {
        return STAR_ERROR;
    }
    dict->lazy = star_buffer_alloc(&thread->heap, sizeof(*lazy));
    if (dict->lazy == NULL) {
        return STAR_ERROR;
    }
    *dict->lazy = *lazy;
    return star_from_object(dict);
}

static bool slot_fill(struct star_thread *thread, struct star_dict *dict, uint32_t slot) {
    return !star_is_unset(dict->slots[slot]) || dict->lazy == NULL ||
           dict->lazy->source->fill(thread, dict->lazy, dict->slots, dict->count, slot);
}

bool star_dict_materialize(struct star_thread *thread, struct star_dict *dict) {
    if (dict->shape == NULL || dict->lazy == NULL) {
        return true;
    }
    for (uint32_t i = 0; i < dict->count; i++) {
        if (!slot_fill(thread, dict, i)) {
            return false;
        }
    }
    dict->lazy = NULL;
    return true;
}

// From shaped to table.
static bool dict_to_table(struct star_thread *thread, struct star_dict *dict) {
    if (dict->shape == NULL) {
        return true;
    }
    if (!star_dict_materialize(thread, dict)) {
        return false;
    }
    struct star_table *table = NULL;
    const uint32_t count = dict->count;
    if (!star_table_reserve(&thread->heap, &table, 0, count < 8 ? 8 : count + 1UL)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        const star_value key = dict->shape->keys[i];
        if (!star_table_add(&thread->heap, &table, i, key, dict->slots[i],
                            star_as_string(key)->hash)) {
            return false;
        }
    }
    if (!(dict->slots == (star_value *)(dict + 1))) {
        star_buffer_free(&thread->heap, dict->slots, dict->header.extra * sizeof(star_value));
    }
    dict->shape = NULL;
    dict->slots = NULL;
    dict->header.extra = 0;
    dict->table = table;
    return true;
}

// ---- shadows ------------------------------------------------------------------------------------

struct star_dict *star_dict_shadow(struct star_thread *thread, struct star_dict *dict) {
    struct star_dict *shadow = star_heap_object(&thread->heap, STAR_OBJECT_DICT, sizeof(*shadow));
    if (shadow == NULL) {
        return NULL;
    }
    const struct star_object header = shadow->header;
    *shadow = *dict;
    shadow->header = header;
    shadow->header.extra = dict->header.extra;
    shadow->iterating = 0;
    if (!(dict->header.flags & STAR_FLAG_FROZEN)) {
        dict->header.flags |= STAR_FLAG_LENT;
    }
    return shadow;
}

// Before a change: the shadow keeps the entries as they were.
static bool dict_own(struct star_thread *thread, struct star_dict *dict) {
    if (!(dict->header.flags & STAR_FLAG_LENT)) {
        return true;
    }
    if (!star_dict_materialize(thread, dict)) {
        return false;
    }
    if (dict->shape == NULL && dict->table != NULL) {
        struct star_table *table = star_table_copy(&thread->heap, dict->table);
        if (table == NULL) {
            return false;
        }
        dict->table = table;
    } else if (dict->shape != NULL && dict->header.extra > 0) {
        const size_t bytes = dict->header.extra * sizeof(star_value);
        star_value *slots = star_buffer_alloc(&thread->heap, bytes);
        if (slots == NULL) {
            return false;
        }
        memcpy(slots, dict->slots, bytes);
        dict->slots = slots;
    }
    dict->header.flags = (uint8_t)(dict->header.flags & ~STAR_FLAG_LENT);
    return true;
}

// ---- looking up ---------------------------------------------------------------------------------

star_value star_dict_find(struct star_thread *thread, struct star_dict *dict, star_value key) {
    if (dict->shape != NULL) {
        if (!star_is_string(key)) {
            uint32_t ignored;
            return star_hash(thread, key, &ignored) ? STAR_UNSET : STAR_ERROR;
        }
        const int32_t slot =
            star_shape_find(dict->shape, key, star_string_hash(thread, star_as_string(key)));
        if (slot < 0) {
            return STAR_UNSET;
        }
        return slot_fill(thread, dict, (uint32_t)slot) ? dict->slots[slot] : STAR_ERROR;
    }
    uint32_t hash;
    if (!star_hash(thread, key, &hash)) {
        return STAR_ERROR;
    }
    const int64_t entry = star_table_find(thread, dict->table, key, hash);
    return entry >= 0 ? dict->table->entries[entry].value : entry == -1 ? STAR_UNSET : STAR_ERROR;
}

star_value star_dict_find_str(struct star_thread *thread, struct star_dict *dict, str key) {
    // A string object on the C stack: looking up allocates nothing.
    struct star_string name = {.header = {.type = STAR_OBJECT_STRING, .flags = STAR_FLAG_PINNED},
                               .size = (uint32_t)key.size,
                               .data = key.data};
    return star_dict_find(thread, dict, star_from_object(&name));
}

star_value star_dict_get(struct star_thread *thread, star_value dict, star_value key) {
    return star_is_type(dict, STAR_OBJECT_DICT) ? star_dict_find(thread, star_as_dict(dict), key)
                                                : STAR_UNSET;
}

star_value star_dict_get_name(struct star_thread *thread, star_value dict, const char *name) {
    return star_is_type(dict, STAR_OBJECT_DICT)
               ? star_dict_find_str(thread, star_as_dict(dict), str_from(name))
               : STAR_UNSET;
}

// ---- changing -----------------------------------------------------------------------------------

// The slot for one key more; false: out of memory.
static bool slots_grow(struct star_thread *thread, struct star_dict *dict) {
    const uint32_t capacity = dict->header.extra;
    if (dict->count < capacity) {
        return true;
    }
    const uint32_t wanted = capacity < 4 ? 4 : capacity * 2;
    star_value *slots = star_buffer_alloc(&thread->heap, wanted * sizeof(*slots));
    if (slots == NULL) {
        return false;
    }
    if (dict->count > 0) {
        memcpy(slots, dict->slots, dict->count * sizeof(*slots));
    }
    dict->slots = slots;
    dict->header.extra = (uint16_t)wanted;
    return true;
}

static bool shaped_insert(struct star_thread *thread, struct star_dict *dict, star_value key,
                          star_value value, bool *done) {
    *done = true;
    // The transition taken last: rows built key by key in the same order end here.
    const struct star_shape *next = dict->shape->last_child;
    if (next == NULL || !star_is_same(next->keys[dict->count], key)) {
        const uint32_t hash = star_string_hash(thread, star_as_string(key));
        const int32_t slot = star_shape_find(dict->shape, key, hash);
        if (slot >= 0) {
            // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a shape with keys has slots
            dict->slots[slot] = value;
            return true;
        }
        next = dict->count < STAR_SHAPE_GROW_MAX ? star_shape_with(thread, dict->shape, key) : NULL;
    }
    if (next == NULL) {
        *done = false;
        return true;
    }
    if (!slots_grow(thread, dict)) {
        return false;
    }
    dict->slots[dict->count++] = value;
    dict->shape = next;
    return true;
}

bool star_dict_insert(struct star_thread *thread, struct star_dict *dict, star_value key,
                      star_value value) {
    if (((dict->header.flags & (STAR_FLAG_FROZEN | STAR_FLAG_LENT)) || dict->iterating > 0) &&
        (!star_dict_check_mutable(thread, dict, "insert into") || !dict_own(thread, dict))) {
        return false;
    }
    if (dict->shape != NULL) {
        if (dict->lazy != NULL && !star_dict_materialize(thread, dict)) {
            return false;
        }
        if (star_is_string(key)) {
            bool done;
            if (!shaped_insert(thread, dict, key, value, &done)) {
                return false;
            }
            if (done) {
                return true;
            }
        }
    }
    uint32_t hash;
    if (!star_hash(thread, key, &hash) || !dict_to_table(thread, dict)) {
        return false;
    }
    const int64_t entry = star_table_put(thread, &dict->table, &dict->count, key, value, hash);
    if (entry < 0) {
        return false;
    }
    dict->table->entries[entry].value = value;
    return true;
}

bool star_dict_set(struct star_thread *thread, star_value dict, star_value key, star_value value) {
    return star_dict_insert(thread, star_as_dict(dict), key, value);
}

bool star_dict_set_name(struct star_thread *thread, star_value dict, const char *name,
                        star_value value) {
    const star_value key = star_string_intern(thread, name, strlen(name));
    return !star_is_error(key) && star_dict_insert(thread, star_as_dict(dict), key, value);
}

bool star_dict_remove(struct star_thread *thread, struct star_dict *dict, star_value key,
                      star_value *removed) {
    *removed = STAR_UNSET;
    uint32_t hash;
    if (!star_dict_check_mutable(thread, dict, "delete from") || !star_hash(thread, key, &hash) ||
        !dict_own(thread, dict) || !dict_to_table(thread, dict)) {
        return false;
    }
    const int64_t entry = star_table_find(thread, dict->table, key, hash);
    if (entry < 0) {
        return entry == -1;
    }
    *removed = dict->table->entries[entry].value;
    star_table_delete(dict->table, (uint32_t)entry);
    dict->count--;
    return true;
}

bool star_dict_remove_first(struct star_thread *thread, struct star_dict *dict, star_value *key,
                            star_value *value, bool *found) {
    *found = false;
    if (!star_dict_check_mutable(thread, dict, "delete from")) {
        return false;
    }
    if (dict->count == 0) {
        return true;
    }
    if (!dict_own(thread, dict) || !dict_to_table(thread, dict)) {
        return false;
    }
    struct star_table *table = dict->table;
    *key = table->entries[table->first].key;
    *value = table->entries[table->first].value;
    star_table_delete(table, table->first);
    dict->count--;
    *found = true;
    return true;
}

bool star_dict_clear(struct star_thread *thread, struct star_dict *dict) {
    if (!star_dict_check_mutable(thread, dict, "clear")) {
        return false;
    }
    if (dict->shape == NULL && dict->table != NULL && !(dict->header.flags & STAR_FLAG_LENT)) {
        star_buffer_free(&thread->heap, dict->table,
                         star_table_bytes(dict->table->capacity, dict->table->index_mask));
    }
    dict->count = 0;
    dict->shape = star_shape_root(thread);
    dict->slots = NULL;
    dict->table = NULL;
    dict->header.extra = 0;
    dict->header.flags = (uint8_t)(dict->header.flags & ~STAR_FLAG_LENT);
    return true;
}

// ---- iterating ----------------------------------------------------------------------------------

bool star_dict_step(struct star_thread *thread, struct star_dict *dict, uint32_t *position,
                    star_value *key, star_value *value) {
    if (dict->shape == NULL) {
        const struct star_entry *entry = star_table_step(dict->table, position);
        if (entry == NULL) {
            return false;
        }
        *key = entry->key;
        if (value != NULL) {
            *value = entry->value;
        }
        return true;
    }
    const uint32_t slot = *position;
    if (slot >= dict->count) {
        return false;
    }
    *position = slot + 1;
    if (value != NULL) {
        if (!slot_fill(thread, dict, slot)) {
            *key = STAR_ERROR;
            return false;
        }
        *value = dict->slots[slot];
    }
    *key = dict->shape->keys[slot];
    return true;
}

struct star_dict *star_dict_copy(struct star_thread *thread, struct star_dict *dict) {
    if (dict->shape != NULL && !dict->shape->shared) {
        struct star_dict *copy = star_dict_shaped(thread, dict->shape);
        if (copy == NULL) {
            return NULL;
        }
        if (dict->count > 0) {
            memcpy(copy->slots, dict->slots, dict->count * sizeof(star_value));
        }
        if (dict->lazy != NULL) {
            copy->lazy = star_buffer_alloc(&thread->heap, sizeof(*copy->lazy));
            if (copy->lazy == NULL) {
                return NULL;
            }
            *copy->lazy = *dict->lazy;
        }
        return copy;
    }
    struct star_dict *copy = star_dict_new(thread, dict->count);
    uint32_t position = 0;
    star_value key;
    star_value value;
    while (copy != NULL && star_dict_step(thread, dict, &position, &key, &value)) {
        if (!star_dict_insert(thread, copy, key, value)) {
            return NULL;
        }
    }
    return copy;
}
