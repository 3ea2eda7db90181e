// Expressions: precedence climbing for the operators, recursive descent for the rest.
#include "base/list.h"
#include "base/text.h"
#include "starlark/parser.h"
#include "starlark/parser_state.h"

struct expr_list {
    struct ast_expr **items;
    size_t count;
    size_t capacity;
};

// ---- nodes --------------------------------------------------------------------------------------

static struct ast_expr *expr_new(struct parser *parser, enum ast_expr_kind kind,
                                 struct ast_pos start) {
    struct ast_expr *expr = ARENA_NEW(parser->arena, struct ast_expr);
    expr->kind = kind;
    expr->depth = 1;
    expr->span = (struct ast_span){start, start};
    expr->pos = start;
    return expr;
}

// Counts the child into the height of its parent; NULL is no child.
static void expr_hold(struct parser *parser, struct ast_expr *parent,
                      const struct ast_expr *child) {
    if (child == NULL || child->depth < parent->depth) {
        return;
    }
    parent->depth = child->depth + 1;
    if (parent->depth > AST_EXPR_DEPTH_MAX) {
        parser_fail(parser, parser->token.span, "expression is nested too deeply");
    }
}

static struct ast_expr *expr_end(struct parser *parser, struct ast_expr *expr) {
    expr->span.end = parser->last_end;
    return expr;
}

static bool nesting_enter(struct parser *parser) {
    if (++parser->nesting <= STAR_NESTING_MAX) {
        return true;
    }
    parser_fail(parser, parser->token.span, "expression is nested too deeply");
    return false;
}

static void nesting_leave(struct parser *parser) {
    parser->nesting--;
}

static struct ast_expr *error_node(struct parser *parser) {
    return expr_new(parser, EXPR_ERROR, parser->token.span.start);
}

// ---- parameters ---------------------------------------------------------------------------------

static void parse_star_parameter(struct parser *parser, struct ast_param *param) {
    param->kind = PARAM_STAR;
    parser_advance(parser);
    if (parser_at(parser, TOKEN_NAME)) {
        param->kind = PARAM_ARGS;
    }
}

static void parse_parameter(struct parser *parser, enum token_kind end, struct ast_param *param) {
    *param = (struct ast_param){.kind = PARAM_REQUIRED, .span = parser->token.span};
    if (parser_at(parser, TOKEN_STAR)) {
        parse_star_parameter(parser, param);
    } else if (parser_take(parser, TOKEN_STAR_STAR)) {
        param->kind = PARAM_KWARGS;
    }
    if (param->kind == PARAM_STAR) {
        return;
    }
    param->span = parser->token.span;
    param->name = parser->token.text;
    if (!parser_take(parser, TOKEN_NAME)) {
        parser_unexpected(parser, "parameter");
        return;
    }
    if (end != TOKEN_COLON && parser_at(parser, TOKEN_COLON)) {
        parser_fail(parser, parser->token.span, "type annotations are not supported");
    }
    if (param->kind == PARAM_REQUIRED && parser_take(parser, TOKEN_ASSIGN)) {
        param->kind = PARAM_OPTIONAL;
        param->value = parse_test(parser);
    }
}

void parse_parameters(struct parser *parser, struct ast_function *function, enum token_kind end) {
    struct {
        struct ast_param *items;
        size_t count;
        size_t capacity;
    } params = {0};
    while (!parser->panicking && !parser_at(parser, end)) {
        struct ast_param param;
        parse_parameter(parser, end, &param);
        if (!parser->panicking) {
            LIST_PUSH(parser->arena, &params, param);
            if (!parser_at(parser, end)) {
                parser_expect(parser, TOKEN_COMMA);
            }
        }
    }
    function->params = params.items;
    function->param_count = params.count;
}

// ---- operands -----------------------------------------------------------------------------------

static struct ast_expr *parse_operators(struct parser *parser, int level);
enum { LEVEL_OR, LEVEL_AND, LEVEL_NOT, LEVEL_COMPARISON, LEVEL_ARITHMETIC };

// `for targets in operand` and `if condition`, up to the closing bracket.
static void parse_clauses(struct parser *parser, struct ast_expr *expr) {
    struct {
        struct ast_clause *items;
        size_t count;
        size_t capacity;
    } clauses = {0};
    while (parser_at(parser, TOKEN_FOR) || parser_at(parser, TOKEN_IF)) {
        struct ast_clause clause = {.pos = parser->token.span.start};
        if (parser_take(parser, TOKEN_FOR)) {
            clause.targets = parse_loop_targets(parser);
            expr_hold(parser, expr, clause.targets);
            parser_expect(parser, TOKEN_IN);
        } else {
            parser_advance(parser);
        }
        clause.operand = parse_operators(parser, LEVEL_OR);
        expr_hold(parser, expr, clause.operand);
        LIST_PUSH(parser->arena, &clauses, clause);
    }
    expr->as.comprehension->clauses = clauses.items;
    expr->as.comprehension->clause_count = clauses.count;
}

static struct ast_expr *parse_comprehension(struct parser *parser, struct ast_pos start,
                                            const struct ast_entry *element, bool is_dict) {
    struct ast_expr *expr = expr_new(parser, EXPR_COMPREHENSION, start);
    expr->as.comprehension = ARENA_NEW(parser->arena, struct ast_comprehension);
    *expr->as.comprehension = (struct ast_comprehension){
        .is_dict = is_dict, .key = element->key, .value = element->value, .colon = element->colon};
    expr_hold(parser, expr, element->key);
    expr_hold(parser, expr, element->value);
    parse_clauses(parser, expr);
    return expr;
}

// The items behind `first` of a list or tuple, up to `end`; a trailing comma is fine.
static void parse_items(struct parser *parser, struct ast_expr *expr, struct ast_expr *first,
                        enum token_kind end) {
    struct expr_list items = {0};
    LIST_PUSH(parser->arena, &items, first);
    expr_hold(parser, expr, first);
    while (parser_take(parser, TOKEN_COMMA) && !parser_at(parser, end)) {
        struct ast_expr *item = parse_test(parser);
        LIST_PUSH(parser->arena, &items, item);
        expr_hold(parser, expr, item);
    }
    expr->as.list = (struct ast_list){items.items, items.count};
}

static struct ast_expr *parse_list(struct parser *parser) {
    const struct ast_pos start = parser->token.span.start;
    parser_advance(parser);
    struct ast_expr *expr = expr_new(parser, EXPR_LIST, start);
    if (!parser_at(parser, TOKEN_RIGHT_BRACKET)) {
        const struct ast_entry first = {.value = parse_test(parser)};
        if (parser_at(parser, TOKEN_FOR)) {
            expr = parse_comprehension(parser, start, &first, false);
        } else {
            parse_items(parser, expr, first.value, TOKEN_RIGHT_BRACKET);
        }
    }
    parser_expect(parser, TOKEN_RIGHT_BRACKET);
    return expr_end(parser, expr);
}

static struct ast_entry parse_entry(struct parser *parser) {
    struct ast_entry entry = {.key = parse_test(parser)};
    entry.colon = parser->token.span.start;
    parser_expect(parser, TOKEN_COLON);
    entry.value = parse_test(parser);
    return entry;
}

static void parse_entries(struct parser *parser, struct ast_expr *expr, struct ast_entry first) {
    struct {
        struct ast_entry *items;
        size_t count;
        size_t capacity;
    } entries = {0};
    struct ast_entry entry = first;
    for (;;) {
        LIST_PUSH(parser->arena, &entries, entry);
        expr_hold(parser, expr, entry.key);
        expr_hold(parser, expr, entry.value);
        if (!parser_take(parser, TOKEN_COMMA) || parser_at(parser, TOKEN_RIGHT_BRACE)) {
            break;
        }
        entry = parse_entry(parser);
    }
    expr->as.dict = (struct ast_dict){entries.items, entries.count};
}

static struct ast_expr *parse_dict(struct parser *parser) {
    const struct ast_pos start = parser->token.span.start;
    parser_advance(parser);
    struct ast_expr *expr = expr_new(parser, EXPR_DICT, start);
    if (!parser_at(parser, TOKEN_RIGHT_BRACE)) {
        const struct ast_entry first = parse_entry(parser);
        if (parser_at(parser, TOKEN_FOR)) {
            expr = parse_comprehension(parser, start, &first, true);
        } else {
            parse_entries(parser, expr, first);
        }
    }
    parser_expect(parser, TOKEN_RIGHT_BRACE);
    return expr_end(parser, expr);
}

// A parenthesised expression, which is its inner node, or a tuple.
static struct ast_expr *parse_parenthesised(struct parser *parser) {
    const struct ast_pos start = parser->token.span.start;
    parser_advance(parser);
    struct ast_expr *expr = NULL;
    if (parser_at(parser, TOKEN_RIGHT_PAREN)) {
        expr = expr_new(parser, EXPR_TUPLE, start);
    } else {
        struct ast_expr *first = parse_test(parser);
        if (!parser_at(parser, TOKEN_COMMA)) {
            parser_expect(parser, TOKEN_RIGHT_PAREN);
            return first;
        }
        expr = expr_new(parser, EXPR_TUPLE, start);
        parse_items(parser, expr, first, TOKEN_RIGHT_PAREN);
    }
    parser_expect(parser, TOKEN_RIGHT_PAREN);
    return expr_end(parser, expr);
}

static bool is_string_token(const struct star_token *token) {
    return token->kind == TOKEN_STRING || token->kind == TOKEN_BYTES;
}

static struct ast_expr *parse_name(struct parser *parser) {
    struct ast_expr *expr = expr_new(parser, EXPR_NAME, parser->token.span.start);
    expr->as.name = (struct ast_name){.text = parser->token.text};
    const struct ast_span span = parser->token.span;
    parser_advance(parser);
    const bool is_touching = parser->token.offset == parser->last_end_offset;
    if (is_string_token(&parser->token) && is_touching &&
        (str_find_char(expr->as.name.text, 'f') != SIZE_MAX ||
         str_find_char(expr->as.name.text, 'F') != SIZE_MAX) &&
        expr->as.name.text.size <= 2) {
        parser_fail(parser, span, "f-strings are not supported");
    }
    return expr_end(parser, expr);
}

static struct ast_expr *parse_literal(struct parser *parser) {
    struct ast_expr *expr = expr_new(parser, EXPR_STRING, parser->token.span.start);
    if (parser_at(parser, TOKEN_INT)) {
        expr->kind = EXPR_INT;
        expr->as.integer = parser->token.as.integer;
    } else if (parser_at(parser, TOKEN_FLOAT)) {
        expr->kind = EXPR_FLOAT;
        expr->as.number = parser->token.as.number;
    } else {
        expr->kind = parser_at(parser, TOKEN_BYTES) ? EXPR_BYTES : EXPR_STRING;
        expr->as.text = parser->token.as.value;
    }
    const bool is_text = is_string_token(&parser->token);
    parser_advance(parser);
    if (is_text && is_string_token(&parser->token)) {
        parser_fail(parser, parser->token.span, "adjacent string literals are not joined: use +");
    }
    return expr_end(parser, expr);
}

static struct ast_expr *parse_operand(struct parser *parser) {
    switch ((int)parser->token.kind) { // few of the kinds begin an operand
    case TOKEN_NAME:
        return parse_name(parser);
    case TOKEN_INT:
    case TOKEN_FLOAT:
    case TOKEN_STRING:
    case TOKEN_BYTES:
        return parse_literal(parser);
    case TOKEN_LEFT_BRACKET:
        return parse_list(parser);
    case TOKEN_LEFT_BRACE:
        return parse_dict(parser);
    case TOKEN_LEFT_PAREN:
        return parse_parenthesised(parser);
    default:
        parser_unexpected(parser, "expression");
        return error_node(parser);
    }
}

// ---- calls, indexes, attributes -----------------------------------------------------------------

static void parse_named_argument(struct parser *parser, struct ast_arg *arg) {
    const struct ast_expr *name = arg->value;
    const bool is_bare = name->kind == EXPR_NAME && name->span.end.line == parser->last_end.line &&
                         name->span.end.column == parser->last_end.column;
    if (!is_bare) { // also for `(name)=value`
        parser_fail(parser, name->span, "keyword argument must have the form name=value");
        return;
    }
    parser_advance(parser);
    *arg = (struct ast_arg){.kind = ARG_NAMED, .span = name->span, .name = name->as.name.text};
    arg->value = parse_test(parser);
}

static struct ast_arg parse_argument(struct parser *parser) {
    struct ast_arg arg = {.kind = ARG_POSITIONAL, .span = parser->token.span};
    if (parser_take(parser, TOKEN_STAR)) {
        arg.kind = ARG_ARGS;
    } else if (parser_take(parser, TOKEN_STAR_STAR)) {
        arg.kind = ARG_KWARGS;
    }
    arg.value = parse_test(parser);
    if (arg.kind == ARG_POSITIONAL && parser_at(parser, TOKEN_ASSIGN)) {
        parse_named_argument(parser, &arg);
    } else if (arg.kind == ARG_POSITIONAL) {
        arg.span = arg.value->span;
    }
    return arg;
}

static void call_count(struct ast_call *call, const struct ast_arg *arg) {
    switch (arg->kind) {
    case ARG_POSITIONAL:
        call->positional_count++;
        break;
    case ARG_NAMED:
        call->named_count++;
        break;
    case ARG_ARGS:
        call->star = arg->value;
        break;
    case ARG_KWARGS:
        call->star_star = arg->value;
        break;
    }
}

static struct ast_expr *parse_call(struct parser *parser, struct ast_expr *function) {
    struct ast_expr *expr = expr_new(parser, EXPR_CALL, function->span.start);
    expr->pos = parser->token.span.start;
    expr->as.call = ARENA_NEW(parser->arena, struct ast_call);
    struct ast_call *call = expr->as.call;
    call->function = function;
    expr_hold(parser, expr, function);
    struct {
        struct ast_arg *items;
        size_t count;
        size_t capacity;
    } args = {0};
    parser_advance(parser);
    while (!parser->panicking && !parser_at(parser, TOKEN_RIGHT_PAREN)) {
        const struct ast_arg arg = parse_argument(parser);
        LIST_PUSH(parser->arena, &args, arg);
        call_count(call, &arg);
        expr_hold(parser, expr, arg.value);
        if (!parser_take(parser, TOKEN_COMMA)) {
            break;
        }
    }
    call->args = args.items;
    call->arg_count = args.count;
    if (!parser_at(parser, TOKEN_RIGHT_PAREN)) {
        parser_unexpected(parser, "',' or ')'");
    }
    (void)parser_take(parser, TOKEN_RIGHT_PAREN);
    return expr_end(parser, expr);
}

static struct ast_expr *parse_dot(struct parser *parser, struct ast_expr *object) {
    struct ast_expr *expr = expr_new(parser, EXPR_DOT, object->span.start);
    expr->pos = parser->token.span.start;
    expr->as.dot.object = object;
    expr_hold(parser, expr, object);
    parser_advance(parser);
    expr->as.dot.name = parser->token.text;
    expr->as.dot.name_span = parser->token.span;
    if (!parser_take(parser, TOKEN_NAME)) {
        parser_unexpected(parser, "name");
    }
    return expr_end(parser, expr);
}

// A part of a slice that may be left out.
static struct ast_expr *parse_bound(struct parser *parser, struct ast_expr *slice) {
    if (parser_at(parser, TOKEN_COLON) || parser_at(parser, TOKEN_RIGHT_BRACKET)) {
        return NULL;
    }
    struct ast_expr *bound = parse_test(parser);
    expr_hold(parser, slice, bound);
    return bound;
}

static struct ast_expr *parse_subscript(struct parser *parser, struct ast_expr *object) {
    struct ast_expr *expr = expr_new(parser, EXPR_INDEX, object->span.start);
    expr->pos = parser->token.span.start;
    expr_hold(parser, expr, object);
    parser_advance(parser);
    struct ast_expr *first = parser_at(parser, TOKEN_COLON) ? NULL : parse_expression(parser);
    expr_hold(parser, expr, first);
    if (parser_take(parser, TOKEN_COLON)) {
        expr->kind = EXPR_SLICE;
        expr->as.slice.object = object;
        expr->as.slice.start = first;
        expr->as.slice.stop = parse_bound(parser, expr);
        if (parser_take(parser, TOKEN_COLON)) {
            expr->as.slice.step = parse_bound(parser, expr);
        }
    } else {
        expr->as.index.object = object;
        expr->as.index.index = first;
    }
    parser_expect(parser, TOKEN_RIGHT_BRACKET);
    return expr_end(parser, expr);
}

static struct ast_expr *parse_primary(struct parser *parser) {
    struct ast_expr *expr = parse_operand(parser);
    for (;;) {
        if (parser_at(parser, TOKEN_LEFT_PAREN)) {
            expr = parse_call(parser, expr);
        } else if (parser_at(parser, TOKEN_DOT)) {
            expr = parse_dot(parser, expr);
        } else if (parser_at(parser, TOKEN_LEFT_BRACKET)) {
            expr = parse_subscript(parser, expr);
        } else {
            return expr;
        }
    }
}

// ---- operators ----------------------------------------------------------------------------------

// Binary operators of one level, loosest first (LEVEL_OR and up).
static int operator_level(enum token_kind kind, enum ast_op *op) {
    static const struct {
        enum token_kind token;
        int level;
        enum ast_op op;
    } operators[] = {
        {TOKEN_OR, LEVEL_OR, OP_NONE},
        {TOKEN_AND, LEVEL_AND, OP_NONE},
        {TOKEN_EQUAL, LEVEL_COMPARISON, OP_EQUAL},
        {TOKEN_NOT_EQUAL, LEVEL_COMPARISON, OP_NOT_EQUAL},
        {TOKEN_LESS, LEVEL_COMPARISON, OP_LESS},
        {TOKEN_GREATER, LEVEL_COMPARISON, OP_GREATER},
        {TOKEN_LESS_EQUAL, LEVEL_COMPARISON, OP_LESS_EQUAL},
        {TOKEN_GREATER_EQUAL, LEVEL_COMPARISON, OP_GREATER_EQUAL},
        {TOKEN_IN, LEVEL_COMPARISON, OP_IN},
        {TOKEN_NOT, LEVEL_COMPARISON, OP_NOT_IN},
        {TOKEN_PIPE, LEVEL_ARITHMETIC, OP_BIT_OR},
        {TOKEN_CARET, LEVEL_ARITHMETIC + 1, OP_BIT_XOR},
        {TOKEN_AMPERSAND, LEVEL_ARITHMETIC + 2, OP_BIT_AND},
        {TOKEN_SHIFT_LEFT, LEVEL_ARITHMETIC + 3, OP_SHIFT_LEFT},
        {TOKEN_SHIFT_RIGHT, LEVEL_ARITHMETIC + 3, OP_SHIFT_RIGHT},
        {TOKEN_PLUS, LEVEL_ARITHMETIC + 4, OP_ADD},
        {TOKEN_MINUS, LEVEL_ARITHMETIC + 4, OP_SUBTRACT},
        {TOKEN_STAR, LEVEL_ARITHMETIC + 5, OP_MULTIPLY},
        {TOKEN_SLASH, LEVEL_ARITHMETIC + 5, OP_DIVIDE},
        {TOKEN_SLASH_SLASH, LEVEL_ARITHMETIC + 5, OP_FLOOR_DIVIDE},
        {TOKEN_PERCENT, LEVEL_ARITHMETIC + 5, OP_MODULO},
    };
    for (size_t i = 0; i < ARRAY_COUNT(operators); i++) {
        if (operators[i].token == kind) {
            *op = operators[i].op;
            return operators[i].level;
        }
    }
    return -1;
}

static struct ast_expr *unary_node(struct parser *parser, enum ast_op op, struct ast_pos start,
                                   struct ast_expr *operand) {
    struct ast_expr *expr = expr_new(parser, EXPR_UNARY, start);
    expr->op = op;
    expr->as.operands.right = operand;
    expr_hold(parser, expr, operand);
    return expr_end(parser, expr);
}

static struct ast_expr *parse_unary(struct parser *parser) {
    const enum ast_op op = parser_at(parser, TOKEN_PLUS)    ? OP_PLUS
                           : parser_at(parser, TOKEN_MINUS) ? OP_MINUS
                           : parser_at(parser, TOKEN_TILDE) ? OP_INVERT
                                                            : OP_NONE;
    if (op == OP_NONE) {
        return parse_primary(parser);
    }
    const struct ast_pos start = parser->token.span.start;
    struct ast_expr *operand = NULL;
    if (nesting_enter(parser)) {
        parser_advance(parser);
        operand = parse_unary(parser);
    }
    nesting_leave(parser);
    return operand == NULL ? error_node(parser) : unary_node(parser, op, start, operand);
}

static struct ast_expr *parse_not(struct parser *parser) {
    const struct ast_pos start = parser->token.span.start;
    struct ast_expr *operand = NULL;
    if (nesting_enter(parser)) {
        parser_advance(parser);
        operand = parse_operators(parser, LEVEL_NOT);
    }
    nesting_leave(parser);
    return operand == NULL ? error_node(parser) : unary_node(parser, OP_NOT, start, operand);
}

static struct ast_expr *binary_node(struct parser *parser, struct star_token *operator,
                                    enum ast_op op, struct ast_expr *left, struct ast_expr *right) {
    const enum ast_expr_kind kind = operator->kind == TOKEN_OR    ? EXPR_OR
                                    : operator->kind == TOKEN_AND ? EXPR_AND
                                                                  : EXPR_BINARY;
    struct ast_expr *expr = expr_new(parser, kind, left->span.start);
    expr->pos = operator->span.start;
    expr->op = op;
    expr->as.operands.left = left;
    expr->as.operands.right = right;
    expr_hold(parser, expr, left);
    expr_hold(parser, expr, right);
    return expr_end(parser, expr);
}

// `a < b < c`: comparisons do not associate.
static void check_comparison_chain(struct parser *parser, enum ast_op first) {
    static const char *const spellings[] = {
        [OP_EQUAL] = "==",      [OP_NOT_EQUAL] = "!=",     [OP_LESS] = "<", [OP_GREATER] = ">",
        [OP_LESS_EQUAL] = "<=", [OP_GREATER_EQUAL] = ">=", [OP_IN] = "in",  [OP_NOT_IN] = "not in",
    };
    enum ast_op second = OP_NONE;
    if (operator_level(parser->token.kind, &second) != LEVEL_COMPARISON) {
        return;
    }
    const str message =
        str_format(parser->arena, "'%s' does not associate with '%s': use parentheses",
                   spellings[first], spellings[second]);
    parser_fail(parser, parser->token.span, str_to_cstring(parser->arena, message));
}

// Operators of this level and the tighter ones.
static struct ast_expr *parse_operators(struct parser *parser, int level) {
    struct ast_expr *left = parser_at(parser, TOKEN_NOT) && level <= LEVEL_NOT
                                ? parse_not(parser)
                                : parse_unary(parser);
    for (;;) {
        enum ast_op op = OP_NONE;
        const int found = operator_level(parser->token.kind, &op);
        if (found < level) {
            return left;
        }
        struct star_token operator= parser->token;
        parser_advance(parser);
        if (op == OP_NOT_IN) {
            parser_expect(parser, TOKEN_IN);
        }
        struct ast_expr *right = parse_operators(parser, found + 1);
        left = binary_node(parser, &operator, op, left, right);
        if (found == LEVEL_COMPARISON) {
            check_comparison_chain(parser, op);
        }
    }
}

// ---- the loosest --------------------------------------------------------------------------------

static struct ast_expr *parse_lambda(struct parser *parser) {
    struct ast_expr *expr = expr_new(parser, EXPR_LAMBDA, parser->token.span.start);
    struct ast_function *function = ARENA_NEW(parser->arena, struct ast_function);
    function->name = STR("lambda");
    function->pos = parser->token.span.start;
    function->name_span = parser->token.span;
    expr->as.lambda = function;
    parser_advance(parser);
    parse_parameters(parser, function, TOKEN_COLON);
    for (size_t i = 0; i < function->param_count; i++) {
        expr_hold(parser, expr, function->params[i].value);
    }
    parser_expect(parser, TOKEN_COLON);
    function->value = parse_test(parser);
    expr_hold(parser, expr, function->value);
    return expr_end(parser, expr);
}

static struct ast_expr *parse_conditional(struct parser *parser) {
    struct ast_expr *yes = parse_operators(parser, LEVEL_OR);
    if (!parser_at(parser, TOKEN_IF)) {
        return yes;
    }
    struct ast_expr *expr = expr_new(parser, EXPR_CONDITIONAL, yes->span.start);
    expr->pos = parser->token.span.start;
    parser_advance(parser);
    expr->as.conditional.yes = yes;
    expr->as.conditional.condition = parse_operators(parser, LEVEL_OR);
    parser_expect(parser, TOKEN_ELSE);
    expr->as.conditional.no = parse_test(parser);
    expr_hold(parser, expr, yes);
    expr_hold(parser, expr, expr->as.conditional.condition);
    expr_hold(parser, expr, expr->as.conditional.no);
    return expr_end(parser, expr);
}

struct ast_expr *parse_test(struct parser *parser) {
    struct ast_expr *expr = NULL;
    if (nesting_enter(parser)) {
        expr = parser_at(parser, TOKEN_LAMBDA) ? parse_lambda(parser) : parse_conditional(parser);
    }
    nesting_leave(parser);
    return expr == NULL ? error_node(parser) : expr;
}

// Where an unparenthesised tuple ends.
static bool ends_tuple(enum token_kind kind) {
    return kind == TOKEN_NEWLINE || kind == TOKEN_END || kind == TOKEN_SEMICOLON ||
           kind == TOKEN_COLON || kind == TOKEN_IN || kind == TOKEN_RIGHT_PAREN ||
           kind == TOKEN_RIGHT_BRACKET || kind == TOKEN_RIGHT_BRACE || kind == TOKEN_ASSIGN ||
           (kind >= TOKEN_PLUS_ASSIGN && kind <= TOKEN_SHIFT_RIGHT_ASSIGN);
}

// `first` and what follows its comma.
static struct ast_expr *parse_bare_tuple(struct parser *parser, struct ast_expr *first,
                                         struct ast_expr *(*parse_item)(struct parser *parser)) {
    struct ast_expr *expr = expr_new(parser, EXPR_TUPLE, first->span.start);
    struct expr_list items = {0};
    LIST_PUSH(parser->arena, &items, first);
    expr_hold(parser, expr, first);
    while (parser_at(parser, TOKEN_COMMA)) {
        const struct ast_span comma = parser->token.span;
        parser_advance(parser);
        if (ends_tuple(parser->token.kind)) {
            parser_fail(parser, comma, "unparenthesised tuple with a trailing comma");
            break;
        }
        struct ast_expr *item = parse_item(parser);
        LIST_PUSH(parser->arena, &items, item);
        expr_hold(parser, expr, item);
    }
    expr->as.list = (struct ast_list){items.items, items.count};
    return expr_end(parser, expr);
}

struct ast_expr *parse_expression(struct parser *parser) {
    struct ast_expr *first = parse_test(parser);
    return parser_at(parser, TOKEN_COMMA) ? parse_bare_tuple(parser, first, parse_test) : first;
}

struct ast_expr *parse_loop_targets(struct parser *parser) {
    struct ast_expr *first = parse_primary(parser);
    return parser_at(parser, TOKEN_COMMA) ? parse_bare_tuple(parser, first, parse_primary) : first;
}
