#ifndef BASE_MAP_H
#define BASE_MAP_H

// A hash map from text to a pointer, iterated in insertion order.
//
// Ownership: keys and table live in the arena given to map_init; keys are copied, values borrowed.
// In an arena whose supply is exhausted (arena.h) a key that finds no room is dropped.
// Threads: one at a time; read-only use from several is fine.

#include "base/str.h"

#include <stdbool.h>

struct arena;

struct map_entry {
    str key;
    void *value;
    uint64_t hash;
};

struct map {
    struct arena *arena;
    struct map_entry *entries; // insertion order
    size_t count;
    size_t capacity;
    uint32_t *slots; // index + 1 into entries; 0 is free
    size_t slot_count;
    bool nocase; // ASCII letters of keys compare without case
};

void map_init(struct map *map, struct arena *arena);
void map_init_nocase(struct map *map, struct arena *arena);
// NULL when the key is not there.
void *map_get(const struct map *map, str key);
bool map_has(const struct map *map, str key);
// Sets or replaces; a replaced key keeps its place.  Returns the old value or NULL.
void *map_set(struct map *map, str key, void *value);

#endif
