// Blocks are malloc'ed and chained newest first.  Under ASan the free part of every block is
// poisoned, so that a use after rewind or an overflow into the next object is reported.
#include "base/arena.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISON 1
#endif
#endif

#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>
#define POISON(address, size) __asan_poison_memory_region((address), (size))
#define UNPOISON(address, size) __asan_unpoison_memory_region((address), (size))
enum { ARENA_GAP = 16 }; // bytes left poisoned behind every object
#else
#define POISON(address, size) ((void)(address), (void)(size))
#define UNPOISON(address, size) ((void)(address), (void)(size))
enum { ARENA_GAP = 0 };
#endif

enum {
    ARENA_ALIGN = 16,
    ARENA_BLOCK_FIRST = 2048,
    ARENA_BLOCK_MAX = 1 << 20,
};

struct arena_block {
    struct arena_block *next;
    size_t capacity; // bytes of data
    size_t used;
    size_t padding; // keeps data aligned to 16
    char data[];
};

static NO_RETURN void out_of_memory(size_t size) {
    (void)fprintf(stderr, "error: out of memory (%zu bytes asked for)\n", size);
    exit(1);
}

void *memory_alloc(size_t size) {
    void *memory = malloc(size == 0 ? 1 : size);
    if (memory == NULL) {
        out_of_memory(size);
    }
    return memory;
}

void *memory_realloc(void *memory, size_t size) {
    void *grown = realloc(memory, size == 0 ? 1 : size);
    if (grown == NULL) {
        out_of_memory(size);
    }
    return grown;
}

void arena_init(struct arena *arena) {
    *arena = (struct arena){.block_size = ARENA_BLOCK_FIRST};
}

void arena_init_supplied(struct arena *arena, struct arena_supply *supply) {
    *arena = (struct arena){.block_size = ARENA_BLOCK_FIRST, .supply = supply};
}

static void *system_allocate(void *user, void *memory, size_t old_size, size_t size) {
    (void)user;
    (void)old_size;
    if (size == 0) {
        free(memory);
        return NULL;
    }
    return realloc(memory, size);
}

void arena_supply_init(struct arena_supply *supply, arena_allocate *allocate, void *user,
                       size_t limit_bytes, size_t reserve_bytes) {
    *supply = (struct arena_supply){
        .allocate = allocate != NULL ? allocate : system_allocate,
        .user = user,
        .limit_bytes = limit_bytes != 0 ? limit_bytes : SIZE_MAX,
        .reserve_bytes = reserve_bytes,
    };
    if (reserve_bytes > 0) {
        supply->reserve = supply->allocate(user, NULL, 0, reserve_bytes);
        supply->is_exhausted = supply->reserve == NULL;
    }
}

void arena_supply_done(struct arena_supply *supply) {
    if (supply->reserve != NULL) {
        (void)supply->allocate(supply->user, supply->reserve, supply->reserve_bytes, 0);
        supply->reserve = NULL;
    }
}

static void blocks_free(struct arena_supply *supply, struct arena_block *block) {
    while (block != NULL) {
        struct arena_block *next = block->next;
        UNPOISON(block->data, block->capacity);
        const size_t size = sizeof(*block) + block->capacity;
        if (supply != NULL) {
            (void)supply->allocate(supply->user, block, size, 0);
            supply->used_bytes -= size;
        } else {
            free(block);
        }
        block = next;
    }
}

void arena_done(struct arena *arena) {
    blocks_free(arena->supply, arena->blocks);
    arena->blocks = NULL;
}

void arena_reset(struct arena *arena) {
    if (arena->blocks == NULL) {
        return;
    }
    blocks_free(arena->supply, arena->blocks->next);
    arena->blocks->next = NULL;
    arena->blocks->used = 0;
    POISON(arena->blocks->data, arena->blocks->capacity);
}

struct arena_mark arena_mark(const struct arena *arena) {
    return (struct arena_mark){arena->blocks, arena->blocks == NULL ? 0 : arena->blocks->used};
}

void arena_rewind(struct arena *arena, struct arena_mark mark) {
    while (arena->blocks != mark.block) {
        assert(arena->blocks != NULL);
        struct arena_block *next = arena->blocks->next;
        arena->blocks->next = NULL;
        blocks_free(arena->supply, arena->blocks);
        arena->blocks = next;
    }
    if (mark.block != NULL) {
        mark.block->used = mark.used;
        POISON(mark.block->data + mark.used, mark.block->capacity - mark.used);
    }
}

size_t arena_size(const struct arena *arena) {
    size_t size = 0;
    for (const struct arena_block *block = arena->blocks; block != NULL; block = block->next) {
        size += block->capacity;
    }
    return size;
}

// Takes a block's memory from the supply; NULL: it is exhausted.
static void *supply_take(struct arena_supply *supply, size_t size) {
    if (supply->is_exhausted) {
        return NULL;
    }
    supply->is_limited =
        supply->used_bytes > supply->limit_bytes || size > supply->limit_bytes - supply->used_bytes;
    void *memory = supply->is_limited ? NULL : supply->allocate(supply->user, NULL, 0, size);
    if (memory == NULL) {
        supply->is_exhausted = true;
        return NULL;
    }
    supply->used_bytes += size;
    return memory;
}

// NULL only when the arena has a supply and that is exhausted.
static struct arena_block *block_add(struct arena *arena, size_t size) {
    size_t capacity = arena->block_size;
    if (size > capacity) {
        capacity = size;
    } else if (arena->block_size < ARENA_BLOCK_MAX) {
        arena->block_size *= 2;
    }
    const size_t whole = sizeof(struct arena_block) + capacity;
    struct arena_block *block =
        arena->supply != NULL ? supply_take(arena->supply, whole) : memory_alloc(whole);
    if (block == NULL) {
        return NULL;
    }
    block->next = arena->blocks;
    block->capacity = capacity;
    block->used = 0;
    block->padding = 0;
    POISON(block->data, capacity);
    arena->blocks = block;
    return block;
}

// NULL only when the arena has a supply and that is exhausted.
static char *arena_take(struct arena *arena, size_t size, size_t align) {
    if (size > SIZE_MAX / 4) {
        if (arena->supply == NULL) {
            out_of_memory(size);
        }
        arena->supply->is_exhausted = true;
        return NULL;
    }
    struct arena_block *block = arena->blocks;
    size_t start = 0;
    if (block != NULL) {
        start = (block->used + align - 1) / align * align;
    }
    if (block == NULL || start > block->capacity || block->capacity - start < size + ARENA_GAP) {
        block = block_add(arena, size + ARENA_GAP);
        start = 0;
        if (block == NULL) {
            return NULL;
        }
    }
    block->used = start + size + ARENA_GAP;
    UNPOISON(block->data + start, size);
    return block->data + start;
}

// What arena_take could not give, from the supply's reserve.
static void *reserve_take(struct arena *arena, size_t size) {
    struct arena_supply *supply = arena->supply;
    const size_t rounded = (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    if (supply->reserve == NULL || rounded > supply->reserve_bytes - supply->reserve_used) {
        out_of_memory(size);
    }
    char *memory = supply->reserve + supply->reserve_used;
    supply->reserve_used += rounded;
    return memory;
}

void *arena_alloc(struct arena *arena, size_t size) {
    void *memory = arena_take(arena, size, ARENA_ALIGN);
    if (memory == NULL) {
        memory = reserve_take(arena, size);
    }
    memset(memory, 0, size);
    return memory;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t item_size) {
    size_t size = 0;
    if (__builtin_mul_overflow(count, item_size, &size)) {
        out_of_memory(SIZE_MAX);
    }
    return arena_alloc(arena, size);
}

void *arena_try_array(struct arena *arena, size_t count, size_t item_size) {
    size_t size = 0;
    if (__builtin_mul_overflow(count, item_size, &size)) {
        size = SIZE_MAX;
    }
    void *memory = arena_take(arena, size, ARENA_ALIGN);
    if (memory != NULL) {
        memset(memory, 0, size);
    }
    return memory;
}

char *arena_try_bytes(struct arena *arena, size_t size) {
    return arena_take(arena, size, 1);
}

char *arena_alloc_bytes(struct arena *arena, size_t size) {
    char *memory = arena_take(arena, size, 1);
    return memory != NULL ? memory : reserve_take(arena, size);
}

void *arena_try_grow(struct arena *arena, void *memory, size_t size, size_t new_size) {
    struct arena_block *block = arena->blocks;
    if (memory != NULL && block != NULL && new_size >= size && new_size < SIZE_MAX / 4) {
        const char *end = (char *)memory + size + ARENA_GAP;
        const bool newest = (char *)memory >= block->data && end == block->data + block->used;
        if (newest && block->capacity - block->used >= new_size - size) {
            block->used += new_size - size;
            UNPOISON(memory, new_size);
            return memory;
        }
    }
    char *moved = arena_take(arena, new_size, ARENA_ALIGN);
    if (moved != NULL && size > 0 && memory != NULL) {
        memcpy(moved, memory, size < new_size ? size : new_size);
    }
    return moved;
}

void *arena_grow(struct arena *arena, void *memory, size_t size, size_t new_size) {
    void *grown = arena_try_grow(arena, memory, size, new_size);
    if (grown == NULL) {
        grown = reserve_take(arena, new_size);
        if (size > 0 && memory != NULL) {
            memcpy(grown, memory, size < new_size ? size : new_size);
        }
    }
    return grown;
}
