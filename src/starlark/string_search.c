#include "starlark/string_search.h"

#include "starlark/utf8.h"

#include <string.h>

enum { NAIVE_NEEDLE_MAX = 64 }; // bytes; a longer needle is searched backwards by reversed copies

size_t string_find(str text, str needle) {
    if (needle.size == 0) {
        return 0;
    }
    if (needle.size > text.size) {
        return SIZE_MAX;
    }
    const char *hit = needle.size == 1 ? memchr(text.data, needle.data[0], text.size)
                                       : memmem(text.data, text.size, needle.data, needle.size);
    return hit == NULL ? SIZE_MAX : (size_t)(hit - text.data);
}

static size_t find_last_naive(str text, str needle) {
    size_t end = text.size - needle.size + 1; // candidates start below it
    while (end > 0) {
        const char *hit = memrchr(text.data, needle.data[0], end);
        if (hit == NULL) {
            return SIZE_MAX;
        }
        if (memcmp(hit, needle.data, needle.size) == 0) {
            return (size_t)(hit - text.data);
        }
        end = (size_t)(hit - text.data);
    }
    return SIZE_MAX;
}

static void reverse_into(char *out, str text) {
    for (size_t i = 0; i < text.size; i++) {
        out[i] = text.data[text.size - 1 - i];
    }
}

// memmem is linear in the worst case; running it on reversed copies keeps that for the last hit.
static bool find_last_reversed(struct star_thread *thread, str text, str needle, size_t *position) {
    struct star_heap *heap = star_thread_heap(thread);
    const size_t bytes = text.size + needle.size;
    char *buffer = star_buffer_alloc(heap, bytes);
    if (buffer == NULL) {
        return false;
    }
    const str reversed = {buffer, text.size};
    const str reversed_needle = {buffer + text.size, needle.size};
    reverse_into(buffer, text);
    reverse_into(buffer + text.size, needle);
    const size_t found = string_find(reversed, reversed_needle);
    *position = found == SIZE_MAX ? SIZE_MAX : text.size - found - needle.size;
    star_buffer_free(heap, buffer, bytes);
    return true;
}

bool string_find_last(struct star_thread *thread, str text, str needle, size_t *position) {
    if (needle.size == 0) {
        *position = text.size;
        return true;
    }
    if (needle.size > text.size) {
        *position = SIZE_MAX;
        return true;
    }
    if (needle.size <= NAIVE_NEEDLE_MAX) {
        *position = find_last_naive(text, needle);
        return true;
    }
    return find_last_reversed(thread, text, needle, position);
}

size_t string_count(str text, str needle) {
    if (needle.size == 0) {
        return utf8_count(text.data, text.size) + 1;
    }
    size_t count = 0;
    size_t found = 0;
    while ((found = string_find(text, needle)) != SIZE_MAX) {
        count++;
        text = str_from_offset(text, found + needle.size);
    }
    return count;
}
