#ifndef BASE_ARENA_H
#define BASE_ARENA_H

// Memory that goes away together: allocate by pointer bump, free all at once.
//
// Ownership: what an arena hands out lives until arena_reset or arena_done (or arena_rewind to an
// earlier mark).  There is no free of one object.
// Errors: none; running out of memory ends the process with status 1 (house rule: outside
// starlark/ a failed allocation is as safe for the data as kill -9).  Sizes that come from outside
// must be limited by the caller.
// Threads: one arena, one thread at a time.

#include "base/attributes.h"

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; // newest first
    size_t block_size;          // bytes of the next ordinary block
};

struct arena_mark {
    struct arena_block *block;
    size_t used;
};

void arena_init(struct arena *arena);
void arena_done(struct arena *arena);
// Frees everything but keeps one block for reuse.
void arena_reset(struct arena *arena);
struct arena_mark arena_mark(const struct arena *arena);
// Frees what was allocated since `mark`.
void arena_rewind(struct arena *arena, struct arena_mark mark);
// Bytes handed out by malloc for this arena.
size_t arena_size(const struct arena *arena);

// Zeroed memory, aligned for any type.  `size` 0 gives a valid pointer.
void *arena_alloc(struct arena *arena, size_t size) RETURNS_NONNULL;
// As arena_alloc for `count` items; an overflowing product ends the process like lack of memory.
void *arena_alloc_array(struct arena *arena, size_t count, size_t item_size) RETURNS_NONNULL;
// Not zeroed; aligned to 1.  For text and byte buffers.
char *arena_alloc_bytes(struct arena *arena, size_t size) RETURNS_NONNULL;
// Grows the newest allocation in place when it can, else copies.  New bytes are not zeroed.
void *arena_grow(struct arena *arena, void *memory, size_t size, size_t new_size) RETURNS_NONNULL;

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc_array((arena), (count), sizeof(type)))

// A scratch arena that is gone when the function returns:  SCRATCH(scratch);  … &scratch …
#define SCRATCH(name)                                                                              \
    struct arena name __attribute__((cleanup(arena_done)));                                        \
    arena_init(&(name))

// malloc and friends that end the process when memory is out; for memory with a life of its own.
void *memory_alloc(size_t size) RETURNS_NONNULL;
void *memory_realloc(void *memory, size_t size) RETURNS_NONNULL;

#endif
