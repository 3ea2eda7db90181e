#include "base/text.h"

#include "base/arena.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void text_init(struct text *text, struct arena *arena) {
    *text = (struct text){.arena = arena};
}

char *text_reserve(struct text *text, size_t size) {
    if (text->capacity - text->size < size) {
        size_t capacity = text->capacity < 64 ? 64 : text->capacity;
        while (capacity - text->size < size) {
            capacity = capacity > SIZE_MAX / 4 ? SIZE_MAX / 2 : capacity * 2;
            if (capacity == SIZE_MAX / 2) {
                break; // no arena has that much
            }
        }
        char *grown = arena_try_grow(text->arena, text->data, text->capacity, capacity);
        if (grown == NULL) {
            return NULL;
        }
        text->data = grown;
        text->capacity = capacity;
    }
    return text->data + text->size;
}

void text_advance(struct text *text, size_t size) {
    assert(text->capacity - text->size >= size);
    text->size += size;
}

void text_add(struct text *text, str part) {
    char *room = part.size > 0 ? text_reserve(text, part.size) : NULL;
    if (room != NULL) {
        memcpy(room, part.data, part.size);
        text->size += part.size;
    }
}

void text_add_char(struct text *text, char c) {
    char *room = text_reserve(text, 1);
    if (room != NULL) {
        *room = c;
        text->size++;
    }
}

void text_add_repeat(struct text *text, char c, size_t count) {
    char *room = text_reserve(text, count + 1);
    if (room != NULL) {
        memset(room, c, count);
        text->size += count;
    }
}

void text_format_list(struct text *text, const char *format, va_list args) {
    enum { GUESS = 128 };
    char *room = text_reserve(text, GUESS);
    if (room == NULL) {
        return;
    }
    va_list again;
    va_copy(again, args);
    const int needed = vsnprintf(room, GUESS, format, args);
    assert(needed >= 0);
    const size_t size = (size_t)needed;
    if (size >= GUESS) {
        room = text_reserve(text, size + 1);
        if (room != NULL) {
            (void)vsnprintf(room, size + 1, format, again);
        }
    }
    va_end(again);
    text->size += room != NULL ? size : 0;
}

void text_format(struct text *text, const char *format, ...) {
    va_list args;
    va_start(args, format);
    text_format_list(text, format, args);
    va_end(args);
}

void text_clear(struct text *text) {
    text->size = 0;
}

str text_str(const struct text *text) {
    return (str){text->data, text->size};
}

const char *text_cstring(struct text *text) {
    char *end = text_reserve(text, 1);
    if (end == NULL) {
        return "";
    }
    *end = '\0';
    return text->data;
}

str str_format(struct arena *arena, const char *format, ...) {
    struct text text;
    text_init(&text, arena);
    va_list args;
    va_start(args, format);
    text_format_list(&text, format, args);
    va_end(args);
    (void)text_cstring(&text);
    return text_str(&text);
}
