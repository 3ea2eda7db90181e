#ifndef BASE_TEXT_H
#define BASE_TEXT_H

// A growing piece of text in an arena; amortised O(1) per byte.
//
// Ownership: the bytes live in the arena; text_str() borrows them until the next text_add.
// In an arena whose supply is exhausted (arena.h) what finds no room is dropped.
// Threads: one at a time.

#include "base/attributes.h"
#include "base/str.h"

#include <stdarg.h>

struct arena;

struct text {
    struct arena *arena;
    char *data;
    size_t size;
    size_t capacity;
};

void text_init(struct text *text, struct arena *arena);
void text_add(struct text *text, str part);
void text_add_char(struct text *text, char c);
void text_add_repeat(struct text *text, char c, size_t count);
void text_format(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
void text_format_list(struct text *text, const char *format, va_list args) PRINTF_LIKE(2, 0);
void text_clear(struct text *text);
// Room for `size` more bytes; write there, then text_advance.  NULL only when the arena's supply is
// exhausted.
char *text_reserve(struct text *text, size_t size);
void text_advance(struct text *text, size_t size);
str text_str(const struct text *text);
// The text with a NUL behind it (not counted in its size).
const char *text_cstring(struct text *text);

// One formatted str in the arena.
str str_format(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
