#ifndef STARLARK_LITERAL_H
#define STARLARK_LITERAL_H

// The values of number and string literals (spec/starlark.md §2); the lexer's other half.
//
// Ownership: decoded text lives in the arena; a literal without escapes borrows from the source.
// Threads: values.

#include "base/arena.h"
#include "starlark/ast.h"

// 0 … 35 for a digit or letter of either case; 255 for the rest.
unsigned star_digit_value(unsigned char c);
// `digits` without prefix.  false when there is none or one that the base does not have.
bool star_literal_int(str digits, int base, struct ast_int *out);
// Correctly rounded.  false when the value overflows; what is no number at all gives 0.
bool star_literal_float(str text, double *out);

// One escape sequence.
struct star_escape {
    size_t size;   // bytes of source, backslash included
    char value[4]; // what it stands for
    size_t value_size;
    const char *problem; // the error message; NULL when it is right
};
// `rest` begins with the backslash.  Backslash-newline is the lexer's.
void star_literal_escape(str rest, bool is_bytes, struct star_escape *escape);

// The value of a literal as it grows: pieces of the source and what stands between them.
struct star_literal_text {
    struct arena *arena;
    const char *piece; // start of the source piece that was not taken over yet
    char *data;        // NULL while the value is one piece
    size_t size;
    size_t capacity;
};
void star_literal_begin(struct star_literal_text *text, struct arena *arena, const char *at);
// Takes over the source up to `at`.
void star_literal_flush(struct star_literal_text *text, const char *at);
// Adds `value`; the source goes on at `next`.
void star_literal_add(struct star_literal_text *text, str value, const char *next);
str star_literal_end(struct star_literal_text *text, const char *at);

#endif
