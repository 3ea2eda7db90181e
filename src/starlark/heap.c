#include "starlark/heap.h"

#include <inttypes.h>

#include "starlark/sequence.h"
#include "starlark/thread.h"

struct star_heap *star_thread_heap(struct star_thread *thread) {
    return &thread->heap;
}

void star_heap_init(struct star_heap *heap,
                    void *(*allocate)(void *user, void *memory, size_t old_size, size_t size),
                    void *user) {
    *heap = (struct star_heap){.limit_bytes = SIZE_MAX,
                               .collect_at = SIZE_MAX,
                               .collect_minimum = SIZE_MAX,
                               .allocate = allocate,
                               .allocate_user = user};
}

void star_heap_trim(struct star_heap *heap) {
    while (heap->spare != NULL) {
        struct star_chunk *next = heap->spare->next;
        heap->allocate(heap->allocate_user, heap->spare, heap->spare->size, 0);
        heap->spare = next;
    }
    heap->spare_bytes = 0;
}

void star_heap_recycle(struct star_heap *heap, struct star_chunk *chunk) {
    const size_t standard = sizeof(struct star_chunk) + (size_t)STAR_CHUNK_BYTES;
    if (chunk->size != standard || heap->thread == NULL ||
        heap->spare_bytes + standard > STAR_SPARE_BYTES) {
        heap->allocate(heap->allocate_user, chunk, chunk->size, 0);
        return;
    }
    chunk->next = heap->spare;
    heap->spare = chunk;
    heap->spare_bytes += standard;
}

void star_heap_clear(struct star_heap *heap) {
    for (size_t i = 0; i < heap->finalizable_count; i++) {
        const struct star_host_object *host = star_as_host(heap->finalizable[i]);
        host->type->free(host->data);
    }
    if (heap->finalizable != NULL) {
        heap->allocate(heap->allocate_user, heap->finalizable,
                       heap->finalizable_capacity * sizeof(star_value), 0);
    }
    heap->finalizable = NULL;
    heap->finalizable_count = heap->finalizable_capacity = 0;
    while (heap->buffers != NULL) {
        struct star_buffer *next = heap->buffers->next;
        heap->allocate(heap->allocate_user, heap->buffers,
                       sizeof(struct star_buffer) + heap->buffers->size, 0);
        heap->buffers = next;
    }
    while (heap->chunks != NULL) {
        struct star_chunk *next = heap->chunks->next;
        star_heap_recycle(heap, heap->chunks);
        heap->chunks = next;
    }
    heap->top = heap->end = NULL;
    heap->used_bytes = 0;
}

bool star_heap_finalize_later(struct star_heap *heap, star_value object) {
    if (heap->finalizable_count == heap->finalizable_capacity) {
        const size_t capacity =
            heap->finalizable_capacity == 0 ? 16 : heap->finalizable_capacity * 2;
        star_value *grown =
            heap->allocate(heap->allocate_user, heap->finalizable,
                           heap->finalizable_capacity * sizeof(*grown), capacity * sizeof(*grown));
        if (grown == NULL) {
            star_fail_memory(heap->thread, false);
            return false;
        }
        heap->finalizable = grown;
        heap->finalizable_capacity = capacity;
    }
    heap->finalizable[heap->finalizable_count++] = object;
    return true;
}

static void heap_fail(struct star_heap *heap, bool is_limit) {
    if (heap->thread != NULL) {
        star_fail_memory(heap->thread, is_limit);
    }
}

// Takes `size` bytes from outside, within the limit.
static void *heap_take(struct star_heap *heap, size_t size) {
    if (size > heap->limit_bytes - heap->used_bytes || heap->used_bytes > heap->limit_bytes) {
        heap_fail(heap, true);
        return NULL;
    }
    void *memory;
    if (heap->spare != NULL && size == heap->spare->size) {
        memory = heap->spare;
        heap->spare = heap->spare->next;
        heap->spare_bytes -= size;
    } else {
        memory = heap->allocate(heap->allocate_user, NULL, 0, size);
    }
    if (memory == NULL) {
        heap_fail(heap, false);
        return NULL;
    }
    heap->used_bytes += size;
    if (heap->used_bytes > heap->collect_at && heap->thread != NULL) {
        star_thread_wake(heap->thread);
    }
    return memory;
}

void *star_heap_alloc_slow(struct star_heap *heap, size_t size) {
    // An object of its own size gets its own chunk, behind the current one: the current chunk's
    // rest stays in use.
    const bool is_large = size > STAR_CHUNK_BYTES / 8;
    // The header counts 8-byte words in 32 bits.
    if (size / 8 > UINT32_MAX) {
        heap_fail(heap, true);
        return NULL;
    }
    size_t block = sizeof(struct star_chunk) + (is_large ? size : (size_t)STAR_CHUNK_BYTES);
    // A small limit must not be eaten by one chunk's unused rest.
    if (!is_large && heap->limit_bytes - heap->used_bytes < 4 * block) {
        block = sizeof(struct star_chunk) + (size > 4096 ? size : 4096);
    }
    struct star_chunk *chunk = heap_take(heap, block);
    if (chunk == NULL) {
        return NULL;
    }
    chunk->size = chunk->charged = block;
    char *memory = (char *)(chunk + 1);
    if (is_large && heap->chunks != NULL) {
        chunk->next = heap->chunks->next;
        heap->chunks->next = chunk;
        return memory;
    }
    chunk->next = heap->chunks;
    heap->chunks = chunk;
    heap->top = memory + size;
    heap->end = (char *)chunk + block;
    return memory;
}

static void *heap_bytes(struct star_heap *heap, size_t size) {
    size = (size + 7) & ~(size_t)7;
    if (size <= (size_t)(heap->end - heap->top)) {
        void *memory = heap->top;
        heap->top += size;
        return memory;
    }
    return star_heap_alloc_slow(heap, size);
}

static void buffer_link(struct star_heap *heap, struct star_buffer *buffer) {
    buffer->previous = NULL;
    buffer->next = heap->buffers;
    if (heap->buffers != NULL) {
        heap->buffers->previous = buffer;
    }
    heap->buffers = buffer;
}

static void buffer_unlink(struct star_heap *heap, struct star_buffer *buffer) {
    if (buffer->previous != NULL) {
        buffer->previous->next = buffer->next;
    } else {
        heap->buffers = buffer->next;
    }
    if (buffer->next != NULL) {
        buffer->next->previous = buffer->previous;
    }
}

void *star_buffer_alloc(struct star_heap *heap, size_t size) {
    if (size < STAR_EXTERNAL_MIN) {
        return heap_bytes(heap, size);
    }
    struct star_buffer *buffer =
        size > SIZE_MAX - sizeof(*buffer) ? NULL : heap_take(heap, sizeof(*buffer) + size);
    if (buffer == NULL) {
        return NULL;
    }
    buffer->size = size;
    buffer->epoch = heap->epoch;
    buffer_link(heap, buffer);
    return buffer + 1;
}

static struct star_buffer *buffer_of(void *memory) {
    return (struct star_buffer *)memory - 1;
}

void star_buffer_free(struct star_heap *heap, void *memory, size_t size) {
    if (memory == NULL || size < STAR_EXTERNAL_MIN) {
        return;
    }
    struct star_buffer *buffer = buffer_of(memory);
    buffer_unlink(heap, buffer);
    const size_t block = sizeof(*buffer) + buffer->size;
    heap->used_bytes -= block;
    heap->allocate(heap->allocate_user, buffer, block, 0);
}

// A large buffer by realloc: the system may grow it without copying.
static void *buffer_resize(struct star_heap *heap, void *memory, size_t new_size) {
    struct star_buffer *buffer = buffer_of(memory);
    const size_t more = new_size - buffer->size;
    if (new_size > SIZE_MAX / 2 || heap->used_bytes > heap->limit_bytes ||
        more > heap->limit_bytes - heap->used_bytes) {
        heap_fail(heap, true);
        return NULL;
    }
    buffer_unlink(heap, buffer);
    struct star_buffer *grown = heap->allocate(
        heap->allocate_user, buffer, sizeof(*buffer) + buffer->size, sizeof(*buffer) + new_size);
    if (grown == NULL) {
        buffer_link(heap, buffer);
        heap_fail(heap, false);
        return NULL;
    }
    grown->size = new_size;
    buffer_link(heap, grown);
    heap->used_bytes += more;
    if (heap->used_bytes > heap->collect_at && heap->thread != NULL) {
        star_thread_wake(heap->thread);
    }
    return grown + 1;
}

void *star_buffer_grow(struct star_heap *heap, void *buffer, size_t size, size_t new_size) {
    if (size >= STAR_EXTERNAL_MIN) {
        return buffer_resize(heap, buffer, new_size);
    }
    void *grown = star_buffer_alloc(heap, new_size);
    if (grown != NULL && size > 0) {
        memcpy(grown, buffer, size);
    }
    return grown;
}

// ---- text ---------------------------------------------------------------------------------------

void star_text_init(struct star_text *text, struct star_thread *thread) {
    text->thread = thread;
    text->data = text->fixed;
    text->size = 0;
    text->capacity = text->room = sizeof(text->fixed);
    text->failed = false;
    text->depth = 0;
}

// Makes the buffer large enough for `size` more bytes.
static bool text_grow(struct star_text *text, size_t size) {
    if (size > UINT32_MAX - text->size) {
        star_fail(text->thread, "text of more than %" PRIu32 " bytes", UINT32_MAX);
        return false;
    }
    const size_t doubled = text->room * 2;
    const size_t room = doubled - text->size < size ? text->size + size : doubled;
    char *data = star_buffer_grow(&text->thread->heap, text->data, text->room, room);
    if (data == NULL) {
        return false;
    }
    text->data = data;
    text->room = room;
    return true;
}

char *star_text_reserve(struct star_text *text, size_t size) {
    if (text->failed) {
        return NULL;
    }
    if (size <= text->capacity - text->size) {
        return text->data + text->size;
    }
    if (size > text->room - text->size && !text_grow(text, size)) {
        text->failed = true;
        return NULL;
    }
    // However long a text becomes, building it can be stopped after each piece.
    const size_t rest = text->room - text->size;
    const size_t piece = size > STAR_TEXT_PIECE ? size : STAR_TEXT_PIECE;
    text->capacity = text->size + (piece < rest ? piece : rest);
    if (!star_charge(text->thread, (text->capacity - text->size) / 16)) {
        text->failed = true;
        return NULL;
    }
    return text->data + text->size;
}

bool star_text_add(struct star_text *text, const char *data, size_t size) {
    if (size == 0) {
        return !text->failed;
    }
    char *place = star_text_reserve(text, size);
    if (place == NULL) {
        return false;
    }
    memcpy(place, data, size);
    text->size += size;
    return true;
}

bool star_text_add_cstring(struct star_text *text, const char *cstring) {
    return star_text_add(text, cstring, strlen(cstring));
}

bool star_text_add_str(struct star_text *text, str part) {
    return star_text_add(text, part.data, part.size);
}

bool star_text_add_char(struct star_text *text, char c) {
    return star_text_add(text, &c, 1);
}

static star_value text_finish(struct star_text *text, bool is_bytes) {
    if (text->failed) {
        star_text_done(text);
        return STAR_ERROR;
    }
    char *content;
    star_value value = is_bytes ? star_bytes_reserve(text->thread, text->size, &content)
                                : star_string_reserve(text->thread, text->size, &content);
    if (!star_is_error(value) && text->size > 0) {
        memcpy(content, text->data, text->size);
    }
    star_text_done(text);
    return value;
}

star_value star_text_finish(struct star_text *text) {
    return text_finish(text, false);
}

star_value star_text_finish_bytes(struct star_text *text) {
    return text_finish(text, true);
}

void star_text_done(struct star_text *text) {
    star_buffer_free(&text->thread->heap, text->data, text->room);
    text->data = text->fixed;
    text->capacity = text->room = sizeof(text->fixed);
    text->size = 0;
}
