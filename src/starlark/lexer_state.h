#ifndef STARLARK_LEXER_STATE_H
#define STARLARK_LEXER_STATE_H

// What lexer.c (lines and tokens), lexer_literal.c (numbers and strings) and token.c (spelling)
// share.
//
// The scanner works on bytes.  Columns count code points: `continuation_bytes` holds how many bytes
// of the line so far do not begin one.

#include "starlark/lexer.h"

// ---- token.c ------------------------------------------------------------------------------------

// A keyword's or operator's text: its name without the quotes.
str star_token_spelling(enum token_kind kind);
// A keyword, TOKEN_RESERVED or TOKEN_NAME.
enum token_kind star_token_of_word(str word);

// ---- lexer_literal.c ----------------------------------------------------------------------------

// At a digit, or a point before one.
void star_lexer_scan_number(struct star_lexer *lexer, struct star_token *token);
// At the first quote.
void star_lexer_scan_string(struct star_lexer *lexer, struct star_token *token, bool is_raw,
                            bool is_bytes);
// r, b, rb or br before a quote: sets the flags and gives the prefix's size, or SIZE_MAX.
size_t star_lexer_string_prefix(const struct star_lexer *lexer, bool *is_raw, bool *is_bytes);

// ---- positions and bytes ------------------------------------------------------------------------

static inline struct ast_pos position_of(const struct star_lexer *lexer, const char *at) {
    return (struct ast_pos){.line = lexer->line,
                            .column =
                                (uint32_t)(at - lexer->line_start) - lexer->continuation_bytes + 1};
}

static inline struct ast_pos position(const struct star_lexer *lexer) {
    return position_of(lexer, lexer->at);
}

static inline unsigned char byte_at(const struct star_lexer *lexer, size_t ahead) {
    return (size_t)(lexer->end - lexer->at) > ahead ? (unsigned char)lexer->at[ahead] : 0;
}

static inline bool at_end(const struct star_lexer *lexer) {
    return lexer->at >= lexer->end;
}

// Steps over one byte that is no newline.
static inline void skip_byte(struct star_lexer *lexer) {
    if (((unsigned char)*lexer->at & 0xC0) == 0x80) {
        lexer->continuation_bytes++;
    }
    lexer->at++;
}

static inline bool at_newline(const struct star_lexer *lexer) {
    return !at_end(lexer) && (*lexer->at == '\n' || *lexer->at == '\r');
}

// Steps over \n, \r\n or \r.
static inline void skip_newline(struct star_lexer *lexer) {
    lexer->at += byte_at(lexer, 0) == '\r' && byte_at(lexer, 1) == '\n' ? 2 : 1;
    lexer->line_start = lexer->at;
    lexer->line++;
    lexer->continuation_bytes = 0;
}

static inline bool is_digit(unsigned char c) {
    return c >= '0' && c <= '9';
}

static inline bool is_ascii_letter(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static inline struct ast_span span_from(const struct star_lexer *lexer, struct ast_pos start) {
    return (struct ast_span){start, position(lexer)};
}

#endif
