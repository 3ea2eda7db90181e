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

static void blocks_free(struct arena_block *block) {
    while (block != NULL) {
        struct arena_block *next = block->next;
        UNPOISON(block->data, block->capacity);
        free(block);
        block = next;
    }
}

void arena_done(struct arena *arena) {
    blocks_free(arena->blocks);
    arena->blocks = NULL;
}

void arena_reset(struct arena *arena) {
    if (arena->blocks == NULL) {
        return;
    }
    blocks_free(arena->blocks->next);
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
        blocks_free(arena->blocks);
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

static struct arena_block *block_add(struct arena *arena, size_t size) {
    size_t capacity = arena->block_size;
    if (size > capacity) {
        capacity = size;
    } else if (arena->block_size < ARENA_BLOCK_MAX) {
        arena->block_size *= 2;
    }
    if (capacity > SIZE_MAX - sizeof(struct arena_block)) {
        out_of_memory(capacity);
    }
    struct arena_block *block = memory_alloc(sizeof(*block) + capacity);
    block->next = arena->blocks;
    block->capacity = capacity;
    block->used = 0;
    block->padding = 0;
    POISON(block->data, capacity);
    arena->blocks = block;
    return block;
}

static char *arena_take(struct arena *arena, size_t size, size_t align) {
    if (size > SIZE_MAX / 2) {
        out_of_memory(size);
    }
    struct arena_block *block = arena->blocks;
    size_t start = 0;
    if (block != NULL) {
        start = (block->used + align - 1) / align * align;
    }
    if (block == NULL || start > block->capacity || block->capacity - start < size + ARENA_GAP) {
        block = block_add(arena, size + ARENA_GAP);
        start = 0;
    }
    block->used = start + size + ARENA_GAP;
    UNPOISON(block->data + start, size);
    return block->data + start;
}

void *arena_alloc(struct arena *arena, size_t size) {
    void *memory = arena_take(arena, size, ARENA_ALIGN);
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

char *arena_alloc_bytes(struct arena *arena, size_t size) {
    return arena_take(arena, size, 1);
}

void *arena_grow(struct arena *arena, void *memory, size_t size, size_t new_size) {
    struct arena_block *block = arena->blocks;
    if (memory != NULL && block != NULL && new_size >= size && new_size < SIZE_MAX / 2) {
        const char *end = (char *)memory + size + ARENA_GAP;
        const bool newest = (char *)memory >= block->data && end == block->data + block->used;
        if (newest && block->capacity - block->used >= new_size - size) {
            block->used += new_size - size;
            UNPOISON(memory, new_size);
            return memory;
        }
    }
    char *moved = arena_take(arena, new_size, ARENA_ALIGN);
    if (size > 0 && memory != NULL) {
        memcpy(moved, memory, size < new_size ? size : new_size);
    }
    return moved;
}
