// Statements, suites and the way back after an error; expressions are in expression.c.
#include "starlark/parser.h"

#include "base/list.h"
#include "starlark/parser_state.h"

// A suite as it grows.
struct suite {
    struct ast_stmt *first;
    struct ast_stmt **next;
};

static void suite_begin(struct suite *suite) {
    suite->first = NULL;
    suite->next = &suite->first;
}

static void suite_add(struct suite *suite, struct ast_stmt *stmt) {
    *suite->next = stmt;
    suite->next = &stmt->next;
}

// ---- tokens and failures ------------------------------------------------------------------------

void parser_advance(struct parser *parser) {
    parser->last_end = parser->token.span.end;
    parser->last_end_offset = parser->token.offset + parser->token.text.size;
    star_lexer_next(&parser->lexer, &parser->token);
}

bool parser_take(struct parser *parser, enum token_kind kind) {
    if (parser->token.kind != kind) {
        return false;
    }
    parser_advance(parser);
    return true;
}

static void panic(struct parser *parser) {
    if (!parser->panicking) {
        parser->panicking = true;
        parser->stopped = parser->token;
        parser->token.kind = TOKEN_ERROR;
    }
}

void parser_fail(struct parser *parser, struct ast_span span, const char *message) {
    if (!parser->panicking) {
        star_report_add(parser->report, span, "%s", message);
        panic(parser);
    }
}

static void report_unexpected(struct parser *parser, const char *wanted) {
    const struct star_token *token = &parser->token;
    if (token->unclosed.start.line != 0) {
        star_report_add(parser->report, token->unclosed, "'%c' was never closed",
                        token->unclosed_bracket);
    } else if (token->kind == TOKEN_RESERVED) {
        star_report_add(parser->report, token->span, "'" STR_FORMAT "' is a reserved word",
                        STR_ARGS(token->text));
    } else if (token->kind == TOKEN_NAME) {
        star_report_add(parser->report, token->span, "expected %s, got '" STR_FORMAT "'", wanted,
                        STR_ARGS(str_cut(token->text, 64)));
    } else if (token->kind != TOKEN_ERROR) {
        star_report_add(parser->report, token->span, "expected %s, got %s", wanted,
                        star_token_name(token->kind));
    }
}

void parser_unexpected(struct parser *parser, const char *wanted) {
    if (!parser->panicking) {
        report_unexpected(parser, wanted);
        panic(parser);
    }
}

void parser_expect(struct parser *parser, enum token_kind kind) {
    if (!parser_take(parser, kind)) {
        parser_unexpected(parser, star_token_name(kind));
    }
}

// ---- going on after an error --------------------------------------------------------------------

static bool is_word_byte(unsigned char c) {
    return c >= 0x80 || c == '_' || (c >= '0' && c <= '9') ||
           ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

// Notes every word of text that could not be understood: it may have been bound there.
static void note_unsure_names(struct parser *parser, str text) {
    size_t at = 0;
    while (at < text.size && !arena_is_exhausted(parser->arena)) {
        const size_t start = at;
        while (at < text.size && is_word_byte((unsigned char)text.data[at])) {
            at++;
        }
        if (at > start) {
            map_set(&parser->file->unsure_names, str_slice(text, start, at), parser->file);
        } else {
            at++;
        }
    }
}

// Ends a panic: steps behind the end of the line.  `from` is where the statement began.
static void recover(struct parser *parser, size_t from) {
    parser->panicking = false;
    parser->token = parser->stopped;
    while (!parser_at(parser, TOKEN_NEWLINE) && !parser_at(parser, TOKEN_END)) {
        parser_advance(parser);
    }
    const str source = {parser->lexer.start, (size_t)(parser->lexer.end - parser->lexer.start)};
    note_unsure_names(parser, str_slice(source, from, parser->token.offset));
    (void)parser_take(parser, TOKEN_NEWLINE);
}

// ---- simple statements --------------------------------------------------------------------------

static struct ast_stmt *stmt_new(struct parser *parser, enum ast_stmt_kind kind) {
    struct ast_stmt *stmt = ARENA_NEW(parser->arena, struct ast_stmt);
    stmt->kind = kind;
    stmt->span = parser->token.span;
    stmt->pos = parser->token.span.start;
    return stmt;
}

static bool ends_statement(const struct parser *parser) {
    return parser_at(parser, TOKEN_NEWLINE) || parser_at(parser, TOKEN_SEMICOLON) ||
           parser_at(parser, TOKEN_END);
}

// `=` or an augmented assignment; false for anything else.
static bool assignment_operator(enum token_kind kind, enum ast_op *op) {
    static const enum ast_op augmented[] = {
        OP_ADD,     OP_SUBTRACT, OP_MULTIPLY, OP_DIVIDE,     OP_FLOOR_DIVIDE, OP_MODULO,
        OP_BIT_AND, OP_BIT_OR,   OP_BIT_XOR,  OP_SHIFT_LEFT, OP_SHIFT_RIGHT,
    };
    _Static_assert(TOKEN_SHIFT_RIGHT_ASSIGN - TOKEN_PLUS_ASSIGN + 1 == ARRAY_COUNT(augmented),
                   "in the order of the tokens");
    *op = OP_NONE;
    if (kind == TOKEN_ASSIGN) {
        return true;
    }
    if (kind < TOKEN_PLUS_ASSIGN || kind > TOKEN_SHIFT_RIGHT_ASSIGN) {
        return false;
    }
    *op = augmented[kind - TOKEN_PLUS_ASSIGN];
    return true;
}

static void parse_expression_statement(struct parser *parser, struct ast_stmt *stmt) {
    struct ast_expr *left = parse_expression(parser);
    enum ast_op op = OP_NONE;
    if (!assignment_operator(parser->token.kind, &op)) {
        stmt->kind = STMT_EXPR;
        stmt->as.expr = left;
        if (parser_at(parser, TOKEN_COLON) && (left->kind == EXPR_NAME || left->kind == EXPR_DOT)) {
            parser_fail(parser, parser->token.span, "type annotations are not supported");
        }
        return;
    }
    stmt->kind = STMT_ASSIGN;
    stmt->pos = parser->token.span.start;
    parser_advance(parser);
    stmt->as.assign = (struct ast_assign){.target = left, .op = op};
    stmt->as.assign.value = parse_expression(parser);
    if (assignment_operator(parser->token.kind, &op)) {
        parser_fail(parser, parser->token.span, "chained assignment is not supported");
    }
}

static void parse_return(struct parser *parser, struct ast_stmt *stmt) {
    stmt->kind = STMT_RETURN;
    parser_advance(parser);
    if (!ends_statement(parser)) {
        stmt->as.expr = parse_expression(parser);
    }
}

// "name" or local="name".
static struct ast_load_name parse_load_name(struct parser *parser) {
    struct ast_load_name name = {.to_span = parser->token.span};
    const bool is_renamed = parser_at(parser, TOKEN_NAME);
    if (is_renamed) {
        name.to.text = parser->token.text;
        parser_advance(parser);
        parser_expect(parser, TOKEN_ASSIGN);
    }
    name.from_span = parser->token.span;
    if (!parser_at(parser, TOKEN_STRING)) {
        parser_unexpected(parser, is_renamed ? "string literal" : "\"name\" or local=\"name\"");
        return name;
    }
    name.from = parser->token.as.value;
    if (!is_renamed) {
        name.to.text = name.from;
    }
    parser_advance(parser);
    return name;
}

static void parse_load(struct parser *parser, struct ast_stmt *stmt) {
    stmt->kind = STMT_LOAD;
    stmt->as.load = ARENA_NEW(parser->arena, struct ast_load);
    struct ast_load *load = stmt->as.load;
    parser_advance(parser);
    parser_expect(parser, TOKEN_LEFT_PAREN);
    load->module_span = parser->token.span;
    load->module = parser->token.as.value;
    if (!parser_take(parser, TOKEN_STRING)) {
        parser_unexpected(parser, "string literal (the module)");
        return;
    }
    struct {
        struct ast_load_name *items;
        size_t count;
        size_t capacity;
    } names = {0};
    while (parser_take(parser, TOKEN_COMMA) && !parser_at(parser, TOKEN_RIGHT_PAREN)) {
        const struct ast_load_name name = parse_load_name(parser);
        LIST_PUSH(parser->arena, &names, name);
    }
    if (!parser_at(parser, TOKEN_RIGHT_PAREN)) {
        parser_unexpected(parser, "',' or ')'");
    } else if (names.count == 0) {
        parser_fail(parser, parser->token.span, "load must name at least one thing to load");
    }
    (void)parser_take(parser, TOKEN_RIGHT_PAREN);
    load->names = names.items;
    load->count = names.count;
}

static void parse_word_statement(struct parser *parser, struct ast_stmt *stmt,
                                 enum ast_stmt_kind kind) {
    stmt->kind = kind;
    parser_advance(parser);
}

static struct ast_stmt *parse_small_statement(struct parser *parser) {
    struct ast_stmt *stmt = stmt_new(parser, STMT_ERROR);
    switch ((int)parser->token.kind) { // what is no keyword begins an expression
    case TOKEN_RETURN:
        parse_return(parser, stmt);
        break;
    case TOKEN_BREAK:
        parse_word_statement(parser, stmt, STMT_BREAK);
        break;
    case TOKEN_CONTINUE:
        parse_word_statement(parser, stmt, STMT_CONTINUE);
        break;
    case TOKEN_PASS:
        parse_word_statement(parser, stmt, STMT_PASS);
        break;
    case TOKEN_LOAD:
        parse_load(parser, stmt);
        break;
    default:
        parse_expression_statement(parser, stmt);
    }
    stmt->span.end = parser->last_end;
    return stmt;
}

// ---- suites -------------------------------------------------------------------------------------

static void parse_statement(struct parser *parser, struct suite *suite);

// What stands in a suite that is nested too deeply is not looked at.
static void skip_block(struct parser *parser) {
    for (size_t depth = 1; depth > 0 && !parser_at(parser, TOKEN_END); parser_advance(parser)) {
        if (parser_at(parser, TOKEN_INDENT)) {
            depth++;
        } else if (parser_at(parser, TOKEN_DEDENT)) {
            depth--;
        }
    }
}

// At INDENT: the statements up to its DEDENT.
static void parse_block(struct parser *parser, struct suite *suite) {
    parser_advance(parser);
    if (++parser->block_depth > AST_BLOCK_DEPTH_MAX) {
        star_report_add(parser->report, parser->token.span, "suites are nested too deeply");
        skip_block(parser);
    } else {
        while (!parser_at(parser, TOKEN_DEDENT) && !parser_at(parser, TOKEN_END)) {
            parse_statement(parser, suite);
        }
        (void)parser_take(parser, TOKEN_DEDENT);
    }
    parser->block_depth--;
}

// Simple statements on one line, its NEWLINE included.
static void parse_line(struct parser *parser, struct suite *suite) {
    const size_t from = parser->token.offset;
    do {
        struct ast_stmt *stmt = parse_small_statement(parser);
        if (parser->panicking) {
            stmt->kind = STMT_ERROR;
            stmt->as.block = NULL;
        }
        suite_add(suite, stmt);
    } while (parser_take(parser, TOKEN_SEMICOLON) && !ends_statement(parser));
    parser_expect(parser, TOKEN_NEWLINE);
    if (!parser->panicking) {
        return;
    }
    recover(parser, from);
    if (parser_at(parser, TOKEN_INDENT)) { // below `class X:`, `try:`, …
        struct ast_stmt *stmt = stmt_new(parser, STMT_ERROR);
        struct suite below;
        suite_begin(&below);
        parse_block(parser, &below);
        stmt->as.block = below.first;
        suite_add(suite, stmt);
    }
}

// The suite of a compound statement, `:` included.  `from` is where the statement's line began.
static struct ast_stmt *parse_suite(struct parser *parser, size_t from) {
    struct suite suite;
    suite_begin(&suite);
    parser_expect(parser, TOKEN_COLON);
    if (!parser->panicking && !parser_at(parser, TOKEN_NEWLINE)) {
        parse_line(parser, &suite);
        return suite.first;
    }
    const bool was_wrong = parser->panicking;
    if (was_wrong) {
        recover(parser, from);
    } else {
        parser_advance(parser);
    }
    if (parser_at(parser, TOKEN_INDENT)) {
        parse_block(parser, &suite);
    } else if (!was_wrong) {
        star_report_add(parser->report, parser->token.span, "expected an indented block, got %s",
                        star_token_name(parser->token.kind));
    }
    return suite.first;
}

// ---- compound statements ------------------------------------------------------------------------

// What a header could not say is not looked at.
static struct ast_expr *checked(struct parser *parser, struct ast_expr *expr) {
    if (parser->panicking) {
        expr->kind = EXPR_ERROR;
    }
    return expr;
}

static void parse_if(struct parser *parser, struct ast_stmt *stmt) {
    struct {
        struct ast_branch *items;
        size_t count;
        size_t capacity;
    } branches = {0};
    stmt->kind = STMT_IF;
    bool more = true;
    while (more) {
        struct ast_branch branch = {.pos = parser->token.span.start};
        const size_t from = parser->token.offset;
        more = !parser_at(parser, TOKEN_ELSE);
        parser_advance(parser);
        branch.condition = more ? checked(parser, parse_test(parser)) : NULL;
        branch.body = parse_suite(parser, from);
        LIST_PUSH(parser->arena, &branches, branch);
        more = more && (parser_at(parser, TOKEN_ELIF) || parser_at(parser, TOKEN_ELSE));
    }
    stmt->as.branch = (struct ast_if){branches.items, branches.count};
}

static void parse_loop(struct parser *parser, struct ast_stmt *stmt) {
    const size_t from = parser->token.offset;
    stmt->kind = parser_at(parser, TOKEN_FOR) ? STMT_FOR : STMT_WHILE;
    parser_advance(parser);
    if (stmt->kind == STMT_FOR) {
        stmt->as.loop.targets = parse_loop_targets(parser);
        parser_expect(parser, TOKEN_IN);
        stmt->as.loop.operand = checked(parser, parse_expression(parser));
        stmt->as.loop.targets = checked(parser, stmt->as.loop.targets);
    } else {
        stmt->as.loop.operand = checked(parser, parse_test(parser));
    }
    stmt->as.loop.body = parse_suite(parser, from);
}

static void parse_def(struct parser *parser, struct ast_stmt *stmt) {
    const size_t from = parser->token.offset;
    struct ast_function *function = ARENA_NEW(parser->arena, struct ast_function);
    stmt->kind = STMT_DEF;
    stmt->as.def.function = function;
    function->pos = parser->token.span.start;
    parser_advance(parser);
    function->name = parser_at(parser, TOKEN_NAME) ? parser->token.text : STR("");
    function->name_span = parser->token.span;
    stmt->as.def.name.text = function->name;
    parser_expect(parser, TOKEN_NAME);
    parser_expect(parser, TOKEN_LEFT_PAREN);
    if (!parser->panicking) {
        parse_parameters(parser, function, TOKEN_RIGHT_PAREN);
    }
    if (!parser->panicking) {
        parser_expect(parser, TOKEN_RIGHT_PAREN);
    }
    function->body = parse_suite(parser, from);
}

static void parse_statement(struct parser *parser, struct suite *suite) {
    if (parser_at(parser, TOKEN_INDENT)) {
        star_report_add(parser->report, parser->token.span, "unexpected indent");
        parse_block(parser, suite);
        return;
    }
    const bool is_loop = parser_at(parser, TOKEN_FOR) || parser_at(parser, TOKEN_WHILE);
    if (!is_loop && !parser_at(parser, TOKEN_DEF) && !parser_at(parser, TOKEN_IF)) {
        parse_line(parser, suite);
        return;
    }
    struct ast_stmt *stmt = stmt_new(parser, STMT_ERROR);
    if (is_loop) {
        parse_loop(parser, stmt);
    } else if (parser_at(parser, TOKEN_DEF)) {
        parse_def(parser, stmt);
    } else {
        parse_if(parser, stmt);
    }
    stmt->span.end = parser->last_end;
    suite_add(suite, stmt);
}

// ---- the file -----------------------------------------------------------------------------------

static struct ast_file *file_new(struct arena *arena, str path, str source) {
    struct ast_file *file = ARENA_NEW(arena, struct ast_file);
    file->path = path;
    file->source = source;
    map_init(&file->unsure_names, arena);
    file->top = ARENA_NEW(arena, struct ast_function);
    file->top->name = STR("<toplevel>");
    file->top->pos = (struct ast_pos){1, 1};
    return file;
}

struct ast_file *star_parse(struct arena *arena, str path, str source, struct star_report *report) {
    struct ast_file *file = file_new(arena, path, source);
    if (source.size > STAR_SOURCE_SIZE_MAX) {
        const struct ast_span start = {{1, 1}, {1, 1}};
        star_report_add(report, start, "file is larger than %d bytes", STAR_SOURCE_SIZE_MAX);
        return file;
    }
    struct parser parser = {.arena = arena, .report = report, .file = file};
    star_lexer_init(&parser.lexer, source, report);
    parser_advance(&parser);
    struct suite suite;
    suite_begin(&suite);
    while (!parser_at(&parser, TOKEN_END)) {
        parse_statement(&parser, &suite);
    }
    file->top->body = suite.first;
    return file;
}

void star_parse_name_result(struct arena *arena, struct ast_file *file, str name) {
    struct ast_stmt *stmt = file->top->body;
    if (stmt == NULL || stmt->next != NULL || stmt->kind != STMT_EXPR) {
        return;
    }
    struct ast_expr *target = ARENA_NEW(arena, struct ast_expr);
    target->kind = EXPR_NAME;
    target->depth = 1;
    target->span = (struct ast_span){stmt->pos, stmt->pos};
    target->pos = stmt->pos;
    target->as.name.text = name;
    struct ast_expr *value = stmt->as.expr;
    stmt->kind = STMT_ASSIGN;
    stmt->as.assign = (struct ast_assign){.target = target, .value = value};
}
