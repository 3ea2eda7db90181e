// Shapes: shared key vectors of dicts, and the thread's interned strings they are made of.

#include "starlark/shape.h"
#include "starlark/dict.h"
#include "starlark/sequence.h"
#include "starlark/thread.h"

enum { SHAPE_LINEAR_MAX = 8 };

int32_t star_shape_find(const struct star_shape *shape, star_value key, uint32_t hash) {
    // The same string object is the common case: names in a program and keys of rows are interned.
    if (shape->count <= SHAPE_LINEAR_MAX) {
        for (uint32_t i = 0; i < shape->count; i++) {
            if (star_is_same(shape->keys[i], key)) {
                return (int32_t)i;
            }
        }
        for (uint32_t i = 0; i < shape->count; i++) {
            const struct star_string *name = star_as_string(shape->keys[i]);
            if (name->hash == hash && star_string_equal(name, star_as_string(key))) {
                return (int32_t)i;
            }
        }
        return -1;
    }
    for (uint32_t slot = hash & shape->index_mask;; slot = (slot + 1) & shape->index_mask) {
        const uint32_t number = shape->index[slot];
        if (number == 0) {
            return -1;
        }
        const struct star_string *name = star_as_string(shape->keys[number - 1]);
        if (name->hash == hash && star_string_equal(name, star_as_string(key))) {
            return (int32_t)(number - 1);
        }
    }
}

static void shape_index(struct star_shape *shape) {
    for (uint32_t i = 0; i < shape->count; i++) {
        uint32_t slot = star_as_string(shape->keys[i])->hash & shape->index_mask;
        while (shape->index[slot] != 0) {
            slot = (slot + 1) & shape->index_mask;
        }
        shape->index[slot] = i + 1;
    }
}

struct star_shape *star_shape_make(struct star_heap *heap, const star_value *keys, size_t count) {
    uint32_t mask = 0;
    if (count > SHAPE_LINEAR_MAX) {
        mask = 15;
        while (mask < 2 * count) {
            mask = mask * 2 + 1;
        }
    }
    struct star_shape *shape = star_buffer_alloc(heap, sizeof(*shape));
    star_value *own_keys = star_buffer_alloc(heap, (count + 1) * sizeof(*own_keys));
    uint32_t *index = star_buffer_alloc(heap, ((size_t)mask + 1) * sizeof(*index));
    if (shape == NULL || own_keys == NULL || index == NULL) {
        return NULL;
    }
    if (count > 0) {
        memcpy(own_keys, keys, count * sizeof(*own_keys));
    }
    memset(index, 0, ((size_t)mask + 1) * sizeof(*index));
    *shape = (struct star_shape){
        .count = (uint32_t)count, .index_mask = mask, .index = index, .keys = own_keys};
    if (mask != 0) {
        shape_index(shape);
    }
    return shape;
}

// ---- interned strings ---------------------------------------------------------------------------

static bool interned_grow(struct star_thread *thread) {
    const uint32_t mask = thread->interned_mask == 0 ? 255 : thread->interned_mask * 2 + 1;
    star_value *table =
        star_thread_memory_grow(thread, NULL, 0, ((size_t)mask + 1) * sizeof(*table));
    if (table == NULL) {
        return false;
    }
    for (uint32_t i = 0; i <= mask; i++) {
        table[i] = STAR_UNSET;
    }
    if (thread->interned != NULL) {
        for (uint32_t i = 0; i <= thread->interned_mask; i++) {
            if (!star_is_unset(thread->interned[i])) {
                uint32_t slot = star_as_string(thread->interned[i])->hash & mask;
                while (!star_is_unset(table[slot])) {
                    slot = (slot + 1) & mask;
                }
                table[slot] = thread->interned[i];
            }
        }
        star_thread_memory_grow(thread, thread->interned,
                                ((size_t)thread->interned_mask + 1) * sizeof(*table), 0);
    }
    thread->interned = table;
    thread->interned_mask = mask;
    return true;
}

// `known` is a pinned string of that text, or unset: then one is made.  STAR_UNSET: out of memory.
static star_value intern(struct star_thread *thread, str text, uint32_t hash, star_value known) {
    if (thread->interned == NULL || thread->interned_count * 2 > thread->interned_mask) {
        if (!interned_grow(thread)) {
            return STAR_UNSET;
        }
    }
    uint32_t slot = hash & thread->interned_mask;
    for (; !star_is_unset(thread->interned[slot]); slot = (slot + 1) & thread->interned_mask) {
        const struct star_string *string = star_as_string(thread->interned[slot]);
        if (string->hash == hash && str_equal((str){string->data, string->size}, text)) {
            return thread->interned[slot];
        }
    }
    if (star_is_unset(known)) {
        known = star_heap_text(&thread->pinned, STAR_OBJECT_STRING, text);
        if (star_is_error(known)) {
            return STAR_UNSET;
        }
        star_as_string(known)->hash = hash;
        star_as_string(known)->header.flags |= STAR_FLAG_INTERNED;
        star_string_is_ascii(star_as_string(known));
    }
    thread->interned[slot] = known;
    thread->interned_count++;
    return known;
}

star_value star_string_intern(struct star_thread *thread, const char *data, size_t size) {
    enum { INTERN_MAX = 128 }; // long or countless texts are values, not names
    if (size > INTERN_MAX || thread->interned_count > STAR_INTERNED_MAX) {
        return star_string(thread, data, size);
    }
    const uint32_t hash = star_bytes_hash(thread->hash_seed, data, size);
    const star_value value = intern(thread, (str){data, size}, hash, STAR_UNSET);
    if (star_is_unset(value)) {
        star_fail_memory(thread, false);
        return STAR_ERROR;
    }
    return value;
}

// A pinned string that is equal to `key`, for use in a shape.
static star_value pinned_key(struct star_thread *thread, star_value key) {
    struct star_string *string = star_as_string(key);
    const uint32_t hash = star_string_hash(thread, string);
    if (string->header.flags & STAR_FLAG_INTERNED && !(string->header.flags & STAR_FLAG_SHARED)) {
        return key; // of this thread
    }
    // A program's own constant may go away before this thread does: copy the text.
    return intern(thread, (str){string->data, string->size}, hash, STAR_UNSET);
}

// ---- the thread's shapes ------------------------------------------------------------------------

const struct star_shape *star_shape_with(struct star_thread *thread, const struct star_shape *shape,
                                         star_value key) {
    struct star_shape *from;
    // The memo of transitions is ours to write; the copy is of the pointer.
    memcpy(&from, &shape, sizeof(from)); // NOLINT(bugprone-sizeof-expression)
    if (shape->shared || shape->count >= STAR_SHAPE_GROW_MAX) {
        return NULL;
    }
    const uint32_t hash = star_string_hash(thread, star_as_string(key));
    struct star_shape *child = from->last_child;
    if (child != NULL && star_is_same(child->keys[shape->count], key)) {
        return child;
    }
    for (child = from->children; child != NULL; child = child->next_sibling) {
        const struct star_string *name = star_as_string(child->keys[shape->count]);
        if (name->hash == hash && star_string_equal(name, star_as_string(key))) {
            from->last_child = child;
            return child;
        }
    }
    if (from->child_count >= STAR_SHAPE_CHILDREN_MAX || thread->shape_count >= STAR_SHAPES_MAX) {
        return NULL;
    }
    star_value keys[STAR_SHAPE_GROW_MAX + 1];
    if (shape->count > 0) {
        memcpy(keys, shape->keys, shape->count * sizeof(star_value));
    }
    keys[shape->count] = pinned_key(thread, key);
    child = star_is_unset(keys[shape->count])
                ? NULL
                : star_shape_make(&thread->pinned, keys, shape->count + 1UL);
    if (child == NULL) {
        return NULL;
    }
    thread->shape_count++;
    child->next_sibling = from->children;
    from->children = child;
    from->child_count++;
    from->last_child = child;
    return child;
}

const struct star_shape *star_shape_root(struct star_thread *thread) {
    if (thread->root_shape == NULL) {
        thread->root_shape = star_shape_make(&thread->pinned, NULL, 0);
    }
    return thread->root_shape;
}

const struct star_shape *star_shape_of(struct star_thread *thread, const star_value *keys,
                                       size_t count) {
    const struct star_shape *shape = NULL;
    if (count <= STAR_SHAPE_GROW_MAX) {
        shape = star_shape_root(thread);
        for (size_t i = 0; i < count && shape != NULL; i++) {
            shape = star_shape_with(thread, shape, keys[i]);
        }
        return shape;
    }
    if (count > STAR_SHAPE_KEYS_MAX || thread->shape_count >= STAR_SHAPES_MAX) {
        return NULL;
    }
    star_value *pinned = star_buffer_alloc(&thread->pinned, count * sizeof(*pinned));
    for (size_t i = 0; pinned != NULL && i < count; i++) {
        pinned[i] = pinned_key(thread, keys[i]);
        if (star_is_unset(pinned[i])) {
            pinned = NULL;
        }
    }
    if (pinned == NULL) {
        return NULL;
    }
    for (struct star_shape *known = thread->shapes; known != NULL; known = known->next_sibling) {
        if (known->count == count && memcmp(known->keys, pinned, count * sizeof(*pinned)) == 0) {
            return known;
        }
    }
    struct star_shape *made = star_shape_make(&thread->pinned, pinned, count);
    if (made != NULL) {
        thread->shape_count++;
        made->next_sibling = thread->shapes;
        thread->shapes = made;
    }
    return made;
}
