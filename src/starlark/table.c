#include "starlark/table.h"

#include "starlark/operators.h"
#include "starlark/sequence.h"
#include "starlark/thread.h"

size_t star_table_bytes(uint32_t capacity, uint32_t index_mask) {
    const size_t index = index_mask == 0 ? 0 : ((size_t)index_mask + 1) * sizeof(uint32_t);
    return sizeof(struct star_table) + capacity * sizeof(struct star_entry) + index;
}

void star_table_relocate(struct star_table *table) {
    table->entries = (struct star_entry *)(table + 1);
    table->index = table->index_mask == 0 ? NULL : (uint32_t *)(table->entries + table->capacity);
}

static bool key_equal(struct star_thread *thread, star_value a, star_value b, bool *failed) {
    if (star_is_same(a, b)) {
        return true;
    }
    if (star_is_string(a) && star_is_string(b)) {
        return star_string_equal(star_as_string(a), star_as_string(b));
    }
    bool equal = false;
    if (!star_equal(thread, a, b, &equal)) {
        *failed = true;
    }
    return equal;
}

int64_t star_table_find(struct star_thread *thread, const struct star_table *table, star_value key,
                        uint32_t hash) {
    if (table == NULL) {
        return -1;
    }
    bool failed = false;
    if (table->index_mask == 0) {
        for (uint32_t i = table->first; i < table->used; i++) {
            const struct star_entry *entry = &table->entries[i];
            if (entry->hash == hash && !star_is_unset(entry->key) &&
                key_equal(thread, entry->key, key, &failed)) {
                return i;
            }
            if (failed) {
                return -2;
            }
        }
        return -1;
    }
    for (uint32_t slot = hash & table->index_mask;; slot = (slot + 1) & table->index_mask) {
        const uint32_t number = table->index[slot];
        if (number == 0) {
            return -1;
        }
        const struct star_entry *entry = &table->entries[number - 1];
        if (entry->hash == hash && !star_is_unset(entry->key) &&
            key_equal(thread, entry->key, key, &failed)) {
            return number - 1;
        }
        if (failed) {
            return -2;
        }
    }
}

static void index_put(struct star_table *table, uint32_t entry) {
    if (table->index_mask == 0) {
        return;
    }
    uint32_t slot = table->entries[entry].hash & table->index_mask;
    while (table->index[slot] != 0) {
        slot = (slot + 1) & table->index_mask;
    }
    table->index[slot] = entry + 1;
}

// A fresh block of `capacity` entries, with the live entries of the old one moved in.
static bool table_rebuild(struct star_heap *heap, struct star_table **table, size_t capacity) {
    if (capacity > UINT32_MAX / 4) {
        if (heap->thread != NULL) {
            star_fail(heap->thread, "excessive size: hash table of %zu entries", capacity);
        }
        return false;
    }
    uint32_t mask = 0;
    if (capacity > STAR_TABLE_LINEAR_MAX) {
        mask = 15;
        while ((uint64_t)mask + 1 < capacity * 3 / 2) {
            mask = mask * 2 + 1;
        }
    }
    struct star_table *fresh = star_buffer_alloc(heap, star_table_bytes((uint32_t)capacity, mask));
    if (fresh == NULL) {
        return false;
    }
    *fresh = (struct star_table){.capacity = (uint32_t)capacity, .index_mask = mask};
    star_table_relocate(fresh);
    if (mask != 0) {
        memset(fresh->index, 0, ((size_t)mask + 1) * sizeof(uint32_t));
    }
    struct star_table *old = *table;
    if (old != NULL) {
        for (uint32_t i = old->first; i < old->used; i++) {
            if (!star_is_unset(old->entries[i].key)) {
                fresh->entries[fresh->used] = old->entries[i];
                index_put(fresh, fresh->used++);
            }
        }
        star_buffer_free(heap, old, star_table_bytes(old->capacity, old->index_mask));
    }
    *table = fresh;
    return true;
}

bool star_table_reserve(struct star_heap *heap, struct star_table **table, uint32_t live,
                        size_t capacity) {
    if (*table != NULL && (*table)->capacity - (*table)->used >= capacity) {
        return true;
    }
    return capacity == 0 || table_rebuild(heap, table, live + capacity);
}

bool star_table_add(struct star_heap *heap, struct star_table **table, uint32_t live,
                    star_value key, star_value value, uint32_t hash) {
    if (*table == NULL || (*table)->used == (*table)->capacity) {
        // Many deleted entries: the same size again is enough.
        const size_t capacity = live < STAR_TABLE_LINEAR_MAX ? STAR_TABLE_LINEAR_MAX : 2UL * live;
        if (!table_rebuild(heap, table, capacity)) {
            return false;
        }
    }
    struct star_table *into = *table;
    into->entries[into->used] = (struct star_entry){key, value, hash};
    index_put(into, into->used++);
    return true;
}

void star_table_delete(struct star_table *table, uint32_t entry) {
    table->entries[entry].key = STAR_UNSET;
    table->entries[entry].value = STAR_NONE;
    while (table->first < table->used && star_is_unset(table->entries[table->first].key)) {
        table->first++;
    }
}
