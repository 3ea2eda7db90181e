#ifndef BASE_ARENA_H
#define BASE_ARENA_H

// Memory that goes away together: allocate by pointer bump, free all at once.
//
// Ownership: what an arena hands out lives until arena_reset or arena_done (or arena_rewind to an
// earlier mark).  There is no free of one object.
// Errors: none; running out of memory ends the process with status 1 (house rule: outside
// starlark/ a failed allocation is as safe for the data as kill -9).  Sizes that come from outside
// must be limited by the caller.
//
// Inside starlark/ it is an error of the script: there an arena takes its memory from a supply,
// which may run out (a limit, or the system).  From then on the supply is exhausted for good:
//   - the arena_try_ functions give NULL; lists, maps and texts drop what they have no room for;
//   - the other functions go on, out of a reserve, so that code between two looks at
//     arena_is_exhausted() needs no tests of its own.  The reserve must be large enough for what
//     such code can ask for, however it unwinds; that is its owner's to know.
// Whoever owns the supply looks at is_exhausted at the end and throws everything away.
// Threads: one arena, one thread at a time.

#include "base/attributes.h"

#include <stddef.h>

#include <stdbool.h>

struct arena_block;

// As realloc; `size` 0 frees and gives NULL.
typedef void *arena_allocate(void *user, void *memory, size_t old_size, size_t size);

// Memory for several arenas, which may run out.
struct arena_supply {
    arena_allocate *allocate;
    void *user;
    size_t limit_bytes;
    size_t used_bytes;
    char *reserve; // NULL: none
    size_t reserve_bytes;
    size_t reserve_used;
    bool is_exhausted;
    bool is_limited; // by limit_bytes, not by the system
};

struct arena {
    struct arena_block *blocks;  // newest first
    size_t block_size;           // bytes of the next ordinary block
    struct arena_supply *supply; // NULL: malloc, without end
};

struct arena_mark {
    struct arena_block *block;
    size_t used;
};

void arena_init(struct arena *arena);
// `supply` must outlive the arena.
void arena_init_supplied(struct arena *arena, struct arena_supply *supply);
// `allocate` NULL: malloc.  `limit_bytes` 0: none.  Without room for the reserve (which counts
// towards no limit) the supply is exhausted from the start.
void arena_supply_init(struct arena_supply *supply, arena_allocate *allocate, void *user,
                       size_t limit_bytes, size_t reserve_bytes);
// Frees the reserve.  The arenas may live on; nothing more may be allocated when it was in use.
void arena_supply_done(struct arena_supply *supply);
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

// Whether the arena's supply has run out; false for an arena without one.
static inline bool arena_is_exhausted(const struct arena *arena) {
    return arena->supply != NULL && arena->supply->is_exhausted;
}
// As above without `try`, but NULL when the supply cannot give that much: for sizes that come from
// outside.
void *arena_try_array(struct arena *arena, size_t count, size_t item_size);
char *arena_try_bytes(struct arena *arena, size_t size);
void *arena_try_grow(struct arena *arena, void *memory, size_t size, size_t new_size);
#define ARENA_TRY_ARRAY(arena, type, count)                                                        \
    ((type *)arena_try_array((arena), (count), sizeof(type)))

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
