#ifndef STARLARK_LEXER_H
#define STARLARK_LEXER_H

// Cuts Starlark source into tokens, one at a time (spec/starlark.md §2).
//
// Newlines inside brackets are white space; outside, the lexer gives NEWLINE, INDENT and DEDENT.
// It reports errors within a token itself (a bad escape, a bad number) and then gives a token that
// the parser can go on with; only what is no token at all comes out as TOKEN_ERROR.
// Ownership: token texts borrow from the source, decoded literals live in the arena.  When the
// arena's supply is exhausted the file ends at once.
// Threads: one at a time.

#include "starlark/report.h"

enum token_kind {
    TOKEN_END,
    TOKEN_ERROR, // already reported
    TOKEN_NEWLINE,
    TOKEN_INDENT,
    TOKEN_DEDENT,
    TOKEN_NAME,
    TOKEN_INT,
    TOKEN_FLOAT,
    TOKEN_STRING,
    TOKEN_BYTES,
    TOKEN_RESERVED, // a word that may not be used at all
    // Keywords, in the order of the table in lexer.c.
    TOKEN_AND,
    TOKEN_BREAK,
    TOKEN_CONTINUE,
    TOKEN_DEF,
    TOKEN_ELIF,
    TOKEN_ELSE,
    TOKEN_FOR,
    TOKEN_IF,
    TOKEN_IN,
    TOKEN_LAMBDA,
    TOKEN_LOAD,
    TOKEN_NOT,
    TOKEN_OR,
    TOKEN_PASS,
    TOKEN_RETURN,
    TOKEN_WHILE,
    // Punctuation.
    TOKEN_PLUS,
    TOKEN_MINUS,
    TOKEN_STAR,
    TOKEN_STAR_STAR,
    TOKEN_SLASH,
    TOKEN_SLASH_SLASH,
    TOKEN_PERCENT,
    TOKEN_AMPERSAND,
    TOKEN_PIPE,
    TOKEN_CARET,
    TOKEN_TILDE,
    TOKEN_SHIFT_LEFT,
    TOKEN_SHIFT_RIGHT,
    TOKEN_DOT,
    TOKEN_COMMA,
    TOKEN_ASSIGN,
    TOKEN_SEMICOLON,
    TOKEN_COLON,
    TOKEN_LEFT_PAREN,
    TOKEN_RIGHT_PAREN,
    TOKEN_LEFT_BRACKET,
    TOKEN_RIGHT_BRACKET,
    TOKEN_LEFT_BRACE,
    TOKEN_RIGHT_BRACE,
    TOKEN_LESS,
    TOKEN_GREATER,
    TOKEN_LESS_EQUAL,
    TOKEN_GREATER_EQUAL,
    TOKEN_EQUAL,
    TOKEN_NOT_EQUAL,
    TOKEN_PLUS_ASSIGN,
    TOKEN_MINUS_ASSIGN,
    TOKEN_STAR_ASSIGN,
    TOKEN_SLASH_ASSIGN,
    TOKEN_SLASH_SLASH_ASSIGN,
    TOKEN_PERCENT_ASSIGN,
    TOKEN_AMPERSAND_ASSIGN,
    TOKEN_PIPE_ASSIGN,
    TOKEN_CARET_ASSIGN,
    TOKEN_SHIFT_LEFT_ASSIGN,
    TOKEN_SHIFT_RIGHT_ASSIGN,
};

struct star_token {
    enum token_kind kind;
    struct ast_span span;
    size_t offset; // bytes from the start of the source
    str text;      // as written
    union {
        str value;              // TOKEN_STRING, TOKEN_BYTES: decoded
        struct ast_int integer; // TOKEN_INT
        double number;          // TOKEN_FLOAT
    } as;
    // NEWLINE and END that cut off an expression: the bracket that is still open.  Line 0: none.
    struct ast_span unclosed;
    char unclosed_bracket;
};

struct star_bracket {
    char character;
    struct ast_span span;
};

struct star_lexer {
    struct star_report *report;
    struct arena *arena;
    const char *start;
    const char *at;
    const char *end;
    const char *line_start;
    uint32_t line;
    uint32_t continuation_bytes; // of this line before `at`: bytes that begin no code point
    bool at_line_start;
    bool after_newline; // the last token was NEWLINE, INDENT or DEDENT, or there was none
    uint32_t pending_dedents;
    struct { // open brackets
        struct star_bracket *items;
        size_t count;
        size_t capacity;
    } brackets;
    struct { // columns of the open suites; the first is 0
        uint32_t *items;
        size_t count;
        size_t capacity;
    } indents;
};

// Reports bytes that are not UTF-8.  `source` is at most STAR_SOURCE_SIZE_MAX bytes.
void star_lexer_init(struct star_lexer *lexer, str source, struct star_report *report);
// The next token; TOKEN_END again and again at the end.
void star_lexer_next(struct star_lexer *lexer, struct star_token *token);
// How a message names a kind of token: "newline", "identifier", "'+='", …
const char *star_token_name(enum token_kind kind);

#endif
