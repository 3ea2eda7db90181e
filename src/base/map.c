// Open addressing over an array of entries in insertion order.  Keys are never removed.
#include "base/map.h"

#include "base/arena.h"

enum { MAP_SEED = 0x5bd1e995 };

static uint64_t key_hash(const struct map *map, str key) {
    if (!map->nocase) {
        return str_hash(key, MAP_SEED);
    }
    uint64_t hash = MAP_SEED;
    for (size_t i = 0; i < key.size; i++) {
        const unsigned char c = (unsigned char)key.data[i];
        hash = (hash ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 32;
    }
    return hash;
}

static bool key_equal(const struct map *map, str a, str b) {
    return map->nocase ? str_equal_nocase(a, b) : str_equal(a, b);
}

void map_init(struct map *map, struct arena *arena) {
    *map = (struct map){.arena = arena};
}

void map_init_nocase(struct map *map, struct arena *arena) {
    *map = (struct map){.arena = arena, .nocase = true};
}

static struct map_entry *map_find(const struct map *map, str key, uint64_t hash) {
    if (map->slot_count == 0) {
        return NULL;
    }
    const size_t mask = map->slot_count - 1;
    for (size_t slot = (size_t)hash & mask; map->slots[slot] != 0; slot = (slot + 1) & mask) {
        struct map_entry *entry = &map->entries[map->slots[slot] - 1];
        if (entry->hash == hash && key_equal(map, entry->key, key)) {
            return entry;
        }
    }
    return NULL;
}

void *map_get(const struct map *map, str key) {
    const struct map_entry *entry = map_find(map, key, key_hash(map, key));
    return entry == NULL ? NULL : entry->value;
}

bool map_has(const struct map *map, str key) {
    return map_find(map, key, key_hash(map, key)) != NULL;
}

static void slot_take(struct map *map, uint64_t hash, size_t index) {
    const size_t mask = map->slot_count - 1;
    size_t slot = (size_t)hash & mask;
    while (map->slots[slot] != 0) {
        slot = (slot + 1) & mask;
    }
    map->slots[slot] = (uint32_t)(index + 1);
}

static bool map_grow(struct map *map) {
    const size_t capacity = map->capacity == 0 ? 8 : map->capacity * 2;
    uint32_t *slots = ARENA_TRY_ARRAY(map->arena, uint32_t, capacity * 2);
    struct map_entry *entries =
        arena_try_grow(map->arena, map->entries, map->capacity * sizeof(map->entries[0]),
                       capacity * sizeof(map->entries[0]));
    if (slots == NULL || entries == NULL) {
        return false;
    }
    map->entries = entries;
    map->capacity = capacity;
    map->slot_count = capacity * 2;
    map->slots = slots;
    for (size_t i = 0; i < map->count; i++) {
        slot_take(map, map->entries[i].hash, i);
    }
    return true;
}

void *map_set(struct map *map, str key, void *value) {
    const uint64_t hash = key_hash(map, key);
    struct map_entry *entry = map_find(map, key, hash);
    if (entry != NULL) {
        void *old = entry->value;
        entry->value = value;
        return old;
    }
    if (arena_is_exhausted(map->arena) || (map->count == map->capacity && !map_grow(map))) {
        return NULL;
    }
    map->entries[map->count] = (struct map_entry){str_copy(map->arena, key), value, hash};
    slot_take(map, hash, map->count);
    map->count++;
    return NULL;
}
