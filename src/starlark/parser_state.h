#ifndef STARLARK_PARSER_STATE_H
#define STARLARK_PARSER_STATE_H

// What parser.c (statements) and expression.c share.
//
// Errors without longjmp: a failure is reported once and puts a TOKEN_ERROR in place of the current
// token, so that nothing matches any more and every parsing function returns by itself; the
// statement level then takes the real token back and goes on behind the line (parser.c, recover).
// So every function may return a half-made node; only the statement level looks at `panicking`.

#include "starlark/lexer.h"

struct parser {
    struct arena *arena;
    struct star_report *report;
    struct star_lexer lexer;
    struct star_token token;
    struct ast_pos last_end; // of the token before
    size_t last_end_offset;
    bool panicking;
    struct star_token stopped; // the token at which the panic began
    uint32_t nesting;          // recursion of expressions
    uint32_t block_depth;      // recursion of suites
    struct ast_file *file;
};

void parser_advance(struct parser *parser);
static inline bool parser_at(const struct parser *parser, enum token_kind kind) {
    return parser->token.kind == kind;
}
// Steps over the token when it is of this kind.
bool parser_take(struct parser *parser, enum token_kind kind);
// Reports (unless panicking already) and panics.
void parser_fail(struct parser *parser, struct ast_span span, const char *message);
// "got TOKEN, want `wanted`" at the current token, and panics.
void parser_unexpected(struct parser *parser, const char *wanted);
// Steps over the token, which must be of this kind.
void parser_expect(struct parser *parser, enum token_kind kind);

// ---- expression.c -------------------------------------------------------------------------------

// A Test of the grammar: everything but an unparenthesised tuple.
struct ast_expr *parse_test(struct parser *parser);
// A Test, or an unparenthesised tuple of them.
struct ast_expr *parse_expression(struct parser *parser);
// The targets of a `for`: primary expressions, separated by commas.
struct ast_expr *parse_loop_targets(struct parser *parser);
// Parameters up to, not including, `end`.
void parse_parameters(struct parser *parser, struct ast_function *function, enum token_kind end);

#endif
