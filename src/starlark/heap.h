#ifndef STARLARK_HEAP_H
#define STARLARK_HEAP_H

// A thread's memory: a region of bump-allocated chunks, large buffers beside it, and a copying
// collector (Cheney) as a safety net for long calls.
//
// The rule that everything here relies on: the collector runs only at safe points of the VM loop
// (backward jump, call) and only when no native function is active.  Native code may therefore hold
// raw object pointers over allocations and over callbacks into Starlark; nothing moves under it.
// Between two calls from outside, only handles survive.
//
// Objects behind a pointer of the region are freed by the collector or the thread's reset, never
// singly.  A buffer (items of a list, table of a dict, bytes of a string) belongs to exactly one
// object; one of STAR_EXTERNAL_MIN bytes or more is malloc'ed and freed when its object is dead.
// Errors: NULL or STAR_ERROR, with the thread's error set (out of memory, memory limit).

#include "starlark/value.h"

enum {
    STAR_EXTERNAL_MIN = 8192, // bytes
    STAR_CHUNK_BYTES = 256 * 1024,
    STAR_TEXT_FIXED = 256,               // bytes of text built without allocating
    STAR_TEXT_PIECE = 64 * 1024,         // … between two charges
    STAR_SPARE_BYTES = 16 * 1024 * 1024, // of chunks kept for the next round
};

struct star_chunk {
    struct star_chunk *next;
    size_t size;    // of the whole block
    size_t charged; // of it, to used_bytes: what was never touched costs nothing
};

// A large buffer, in the list of its heap; the memory follows.
struct star_buffer {
    struct star_buffer *next;
    struct star_buffer *previous;
    size_t size;
    uint64_t epoch; // of the collection that last reached it
};

struct star_heap {
    char *top; // next free byte of the current chunk
    char *end;
    struct star_chunk *chunks; // newest first
    struct star_chunk *spare;  // of STAR_CHUNK_BYTES, kept by the collector for the next round
    size_t spare_bytes;
    struct star_buffer *buffers;
    size_t used_bytes;  // chunks and buffers
    size_t limit_bytes; // SIZE_MAX: none
    size_t collect_at;  // used_bytes that ask for a collection
    size_t collect_minimum;
    uint64_t epoch;
    void *(*allocate)(void *user, void *memory, size_t old_size, size_t size);
    void *allocate_user;
    struct star_thread *thread; // whose error is set; NULL: a module's heap
    uint8_t new_flags;          // of new objects: 0, or FROZEN | PINNED | SHARED in a module's heap
    star_value *finalizable;    // host objects whose type has a free hook
    size_t finalizable_count;
    size_t finalizable_capacity;
};

void star_heap_init(struct star_heap *heap,
                    void *(*allocate)(void *user, void *memory, size_t old_size, size_t size),
                    void *user);
// Frees everything, after the free hooks of host objects.
void star_heap_clear(struct star_heap *heap);
// Remembers a host object whose type has a free hook.
bool star_heap_finalize_later(struct star_heap *heap, star_value object);

// Frees a chunk that holds nothing alive, or keeps it: memory that the process has touched is worth
// more than fresh pages.
void star_heap_recycle(struct star_heap *heap, struct star_chunk *chunk);
// Gives the kept chunks back.
void star_heap_trim(struct star_heap *heap);

// The slow path of star_heap_alloc; zeroes nothing.
void *star_heap_alloc_slow(struct star_heap *heap, size_t size);

// `size` bytes for an object, 8-byte aligned, header filled in; the rest is not zeroed.
static inline void *star_heap_object(struct star_heap *heap, enum star_object_type type,
                                     size_t size) {
    size = (size + 7) & ~(size_t)7;
    struct star_object *object;
    if (size <= (size_t)(heap->end - heap->top)) {
        object = (struct star_object *)(void *)heap->top;
        heap->top += size;
    } else {
        object = star_heap_alloc_slow(heap, size);
        if (object == NULL) {
            return NULL;
        }
    }
    object->type = (uint8_t)type;
    object->flags = heap->new_flags;
    object->extra = 0;
    object->words = (uint32_t)(size / 8);
    return object;
}

// A buffer of `size` bytes that one object will own.
void *star_buffer_alloc(struct star_heap *heap, size_t size);
// Grows a buffer in place when it can, else copies `size` bytes; the old one is gone.
void *star_buffer_grow(struct star_heap *heap, void *buffer, size_t size, size_t new_size);
// Only large buffers are freed early; small ones wait for the collector.
void star_buffer_free(struct star_heap *heap, void *memory, size_t size);

struct star_heap *star_thread_heap(struct star_thread *thread);

// Text being built in C: bytes of no object yet.
//
//     struct star_text text;
//     star_text_init(&text, thread);
//     star_text_add(&text, "abc", 3);           // a failure is remembered
//     return star_text_finish(&text);           // the string value, or STAR_ERROR
struct star_text {
    struct star_thread *thread;
    char *data;
    size_t size;
    size_t capacity; // charged for: filling it needs no further look
    size_t room;     // of the buffer
    bool failed;
    uint32_t depth;              // of repr recursion
    char fixed[STAR_TEXT_FIXED]; // where `data` starts: short texts need no other memory
};
void star_text_init(struct star_text *text, struct star_thread *thread);
// Room for `size` more bytes at the place returned; NULL on failure.  Then star_text_advance.
char *star_text_reserve(struct star_text *text, size_t size);
static inline void star_text_advance(struct star_text *text, size_t size) {
    text->size += size;
}
bool star_text_add_char(struct star_text *text, char c);
bool star_text_add_str(struct star_text *text, str part);
// What is not UTF-8 as U+FFFD.
bool star_text_add_utf8(struct star_text *text, str part);
star_value star_text_finish(struct star_text *text);
star_value star_text_finish_bytes(struct star_text *text);
// Gives the memory back without making a value.
void star_text_done(struct star_text *text);

#endif
