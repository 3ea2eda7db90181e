#include "starlark/table.h"

#include "starlark/hash.h"
#include "starlark/operators.h"

size_t star_table_bytes(uint32_t capacity, uint32_t index_mask) {
    const size_t index = index_mask == 0 ? 0 : ((size_t)index_mask + 1) * sizeof(uint32_t);
    return sizeof(struct star_table) + capacity * sizeof(struct star_entry) + index;
}

void star_table_relocate(struct star_table *table) {
    table->entries = (struct star_entry *)(table + 1);
    table->index = table->index_mask == 0 ? NULL : (uint32_t *)(table->entries + table->capacity);
}

bool star_table_check_mutable(struct star_thread *thread, uint8_t flags, uint32_t iterating,
                              const char *verb) {
    if (flags & STAR_FLAG_FROZEN) {
        star_fail(thread, "cannot %s frozen hash table", verb);
        return false;
    }
    if (iterating > 0) {
        star_fail(thread, "cannot %s hash table during iteration", verb);
        return false;
    }
    return true;
}

// 1 equal, 0 not, -1 failed.
static inline int keys_equal(struct star_thread *thread, star_value a, star_value b) {
    if (star_is_same(a, b)) {
        return 1;
    }
    if (star_is_string(a) && star_is_string(b)) {
        return star_string_equal(star_as_string(a), star_as_string(b));
    }
    bool equal = false;
    return !star_equal(thread, a, b, &equal) ? -1 : equal;
}

static int64_t find_linear(struct star_thread *thread, const struct star_table *table,
                           star_value key, uint32_t hash) {
    for (uint32_t i = table->first; i < table->used; i++) {
        const struct star_entry *entry = &table->entries[i];
        if (entry->hash == hash && !star_is_unset(entry->key)) {
            const int equal = keys_equal(thread, entry->key, key);
            if (equal != 0) {
                return equal > 0 ? (int64_t)i : -2;
            }
        }
    }
    return -1;
}

// The slots where a key may be, one after the other.
struct probe {
    uint32_t slot; // beyond the mask
    uint32_t next;
    uint32_t stride;
};

static inline struct probe probe_start(star_value key, uint32_t hash) {
    const uint32_t first = star_first_slot(key, hash);
    return (struct probe){first, first == hash ? hash + 1 : hash, 1};
}

static inline void probe_next(struct probe *probe) {
    probe->slot = probe->next;
    probe->next += probe->stride++;
}

// As star_table_find, for a table with an index; *free is where the key would go.
static inline int64_t find_indexed(struct star_thread *thread, const struct star_table *table,
                                   star_value key, uint32_t hash, uint32_t *free) {
    const uint32_t mask = table->index_mask;
    for (struct probe probe = probe_start(key, hash);; probe_next(&probe)) {
        const uint32_t word = table->index[probe.slot & mask];
        if (word == 0) {
            *free = probe.slot & mask;
            return -1;
        }
        if (((word ^ hash) & ~mask) != 0) {
            continue;
        }
        const uint32_t number = (word & mask) - 1;
        const struct star_entry *entry = &table->entries[number];
        if (entry->hash == hash && !star_is_unset(entry->key)) {
            const int equal = keys_equal(thread, entry->key, key);
            if (equal != 0) {
                return equal > 0 ? (int64_t)number : -2;
            }
        }
    }
}

int64_t star_table_find(struct star_thread *thread, const struct star_table *table, star_value key,
                        uint32_t hash) {
    if (table == NULL) {
        return -1;
    }
    uint32_t free;
    return table->index_mask == 0 ? find_linear(thread, table, key, hash)
                                  : find_indexed(thread, table, key, hash, &free);
}

static inline uint32_t index_word(uint32_t mask, uint32_t hash, uint32_t entry) {
    return (hash & ~mask) | (entry + 1);
}

static void index_put(struct star_table *table, uint32_t number) {
    const uint32_t mask = table->index_mask;
    if (mask == 0) {
        return;
    }
    const struct star_entry *entry = &table->entries[number];
    struct probe probe = probe_start(entry->key, entry->hash);
    while (table->index[probe.slot & mask] != 0) {
        probe_next(&probe);
    }
    table->index[probe.slot & mask] = index_word(mask, entry->hash, number);
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

// What to grow to: as many entries as an index can serve.  Many deleted ones: the same size again
// is enough.
static size_t capacity_beyond(uint32_t live) {
    if (live < STAR_TABLE_LINEAR_MAX) {
        return STAR_TABLE_LINEAR_MAX;
    }
    size_t slots = 32;
    while (slots * 2 / 3 < live * 3UL / 2) {
        slots *= 2;
    }
    return slots * 2 / 3;
}

bool star_table_reserve(struct star_heap *heap, struct star_table **table, uint32_t live,
                        size_t capacity) {
    if (*table != NULL && (*table)->capacity - (*table)->used >= capacity) {
        return true;
    }
    return capacity == 0 || table_rebuild(heap, table, live + capacity);
}

static bool table_grow(struct star_heap *heap, struct star_table **table, uint32_t live) {
    return (*table != NULL && (*table)->used < (*table)->capacity) ||
           table_rebuild(heap, table, capacity_beyond(live));
}

bool star_table_add(struct star_heap *heap, struct star_table **table, uint32_t live,
                    star_value key, star_value value, uint32_t hash) {
    if (!table_grow(heap, table, live)) {
        return false;
    }
    struct star_table *into = *table;
    into->entries[into->used] = (struct star_entry){key, value, hash};
    index_put(into, into->used++);
    return true;
}

int64_t star_table_put(struct star_thread *thread, struct star_table **table, uint32_t *live,
                       star_value key, star_value value, uint32_t hash) {
    struct star_table *into = *table;
    const bool has_room = into != NULL && into->used < into->capacity;
    uint32_t slot = 0;
    const int64_t known = has_room && into->index_mask != 0
                              ? find_indexed(thread, into, key, hash, &slot)
                              : star_table_find(thread, into, key, hash);
    if (known != -1) {
        return known;
    }
    if (has_room && into->index_mask != 0) {
        into->entries[into->used] = (struct star_entry){key, value, hash};
        into->index[slot] = index_word(into->index_mask, hash, into->used++);
    } else if (!star_table_add(&thread->heap, table, *live, key, value, hash)) {
        return -2;
    }
    ++*live;
    return (*table)->used - 1;
}

struct star_table *star_table_copy(struct star_heap *heap, const struct star_table *table) {
    const size_t bytes = star_table_bytes(table->capacity, table->index_mask);
    struct star_table *copy = star_buffer_alloc(heap, bytes);
    if (copy != NULL) {
        memcpy(copy, table, bytes);
        star_table_relocate(copy);
    }
    return copy;
}

void star_table_delete(struct star_table *table, uint32_t entry) {
    table->entries[entry].key = STAR_UNSET;
    table->entries[entry].value = STAR_NONE;
    while (table->first < table->used && star_is_unset(table->entries[table->first].key)) {
        table->first++;
    }
}
