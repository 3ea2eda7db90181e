// The views are filled by one walk after parsing.  A struct star_node is a struct ast_expr under
// another name: hosts see no internal header.
#include "starlark/syntax.h"

#include "base/list.h"
#include "base/text.h"
#include "starlark/parser.h"

#include <stdlib.h>
#include <string.h>

struct assignment_list {
    struct star_assignment_view *items;
    size_t count;
    size_t capacity;
};
struct function_list {
    struct star_function_view *items;
    size_t count;
    size_t capacity;
};
struct load_list {
    struct star_load_view *items;
    size_t count;
    size_t capacity;
};
struct call_list {
    struct star_call_view *items;
    size_t count;
    size_t capacity;
};

struct star_syntax {
    struct arena_supply supply;
    struct arena arena;
    struct assignment_list assignments;
    struct function_list functions;
    struct load_list loads;
    struct call_list calls;
};

// ---- nodes --------------------------------------------------------------------------------------

static const struct ast_expr *expr_of(const struct star_node *node) {
    return (const struct ast_expr *)node;
}

static const struct star_node *node_of(const struct ast_expr *expr) {
    return (const struct star_node *)expr;
}

static struct star_span span_of(struct ast_span span) {
    return (struct star_span){(int)span.start.line, (int)span.start.column, (int)span.end.line,
                              (int)span.end.column};
}

static bool is_number(const struct ast_expr *expr) {
    return expr->kind == EXPR_INT || expr->kind == EXPR_FLOAT;
}

// The number of a literal such as `-1`; NULL for anything else.
static const struct ast_expr *number_of(const struct ast_expr *expr, bool *is_negative) {
    *is_negative = expr->kind == EXPR_UNARY && expr->op == OP_MINUS;
    const struct ast_expr *number = *is_negative ? expr->as.operands.right : expr;
    return is_number(number) ? number : NULL;
}

static enum star_node_kind name_kind(str name) {
    if (str_equal(name, STR("None"))) {
        return STAR_NODE_NONE;
    }
    if (str_equal(name, STR("True")) || str_equal(name, STR("False"))) {
        return STAR_NODE_BOOL;
    }
    return STAR_NODE_NAME;
}

static enum star_node_kind number_kind(const struct ast_expr *expr) {
    bool is_negative = false;
    const struct ast_expr *number = number_of(expr, &is_negative);
    if (number == NULL) {
        return STAR_NODE_OTHER;
    }
    return number->kind == EXPR_INT ? STAR_NODE_INT : STAR_NODE_FLOAT;
}

enum star_node_kind star_node_kind(const struct star_node *node) {
    const struct ast_expr *expr = expr_of(node);
    switch (expr->kind) {
    case EXPR_NAME:
        return name_kind(expr->as.name.text);
    case EXPR_INT:
    case EXPR_FLOAT:
    case EXPR_UNARY:
        return number_kind(expr);
    case EXPR_STRING:
        return STAR_NODE_STRING;
    case EXPR_BYTES:
        return STAR_NODE_BYTES;
    case EXPR_LIST:
        return STAR_NODE_LIST;
    case EXPR_TUPLE:
        return STAR_NODE_TUPLE;
    case EXPR_DICT:
        return STAR_NODE_DICT;
    case EXPR_CALL:
        return STAR_NODE_CALL;
    case EXPR_ERROR:
    case EXPR_BINARY:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_CONDITIONAL:
    case EXPR_DOT:
    case EXPR_INDEX:
    case EXPR_SLICE:
    case EXPR_LAMBDA:
    case EXPR_COMPREHENSION:
        return STAR_NODE_OTHER;
    }
    return STAR_NODE_OTHER;
}

struct star_span star_node_span(const struct star_node *node) {
    return span_of(expr_of(node)->span);
}

static const char *describe_other(const struct ast_expr *expr) {
    switch ((int)expr->kind) { // the rest has a kind of its own in the view
    case EXPR_CONDITIONAL:
        return "a conditional expression";
    case EXPR_DOT:
        return "an attribute";
    case EXPR_INDEX:
        return "an index expression";
    case EXPR_SLICE:
        return "a slice";
    case EXPR_LAMBDA:
        return "a lambda";
    case EXPR_COMPREHENSION:
        return "a comprehension";
    default:
        return "an operator expression";
    }
}

const char *star_node_describe(const struct star_node *node) {
    static const char *const names[] = {
        [STAR_NODE_NONE] = "None",
        [STAR_NODE_BOOL] = "a bool",
        [STAR_NODE_INT] = "an int",
        [STAR_NODE_FLOAT] = "a float",
        [STAR_NODE_STRING] = "a string",
        [STAR_NODE_BYTES] = "bytes",
        [STAR_NODE_LIST] = "a list",
        [STAR_NODE_TUPLE] = "a tuple",
        [STAR_NODE_DICT] = "a dict",
        [STAR_NODE_NAME] = "a name",
        [STAR_NODE_CALL] = "a function call",
    };
    const enum star_node_kind kind = star_node_kind(node);
    return kind == STAR_NODE_OTHER ? describe_other(expr_of(node)) : names[kind];
}

const char *star_node_text(const struct star_node *node, size_t *size) {
    const struct ast_expr *expr = expr_of(node);
    str text = {NULL, 0};
    if (expr->kind == EXPR_STRING || expr->kind == EXPR_BYTES) {
        text = expr->as.text;
    } else if (expr->kind == EXPR_NAME) {
        text = expr->as.name.text;
    }
    *size = text.size;
    return text.data;
}

bool star_node_text_is(const struct star_node *node, const char *text) {
    str own = {NULL, 0};
    own.data = star_node_text(node, &own.size);
    return own.data != NULL && str_equal(own, str_from(text));
}

bool star_node_bool(const struct star_node *node) {
    return star_node_text_is(node, "True");
}

bool star_node_int(const struct star_node *node, int64_t *value) {
    bool is_negative = false;
    const struct ast_expr *number = number_of(expr_of(node), &is_negative);
    if (number == NULL || number->kind != EXPR_INT || !number->as.integer.is_small) {
        return false;
    }
    *value = is_negative ? -number->as.integer.value : number->as.integer.value;
    return true;
}

bool star_node_double(const struct star_node *node, double *value) {
    bool is_negative = false;
    const struct ast_expr *number = number_of(expr_of(node), &is_negative);
    if (number == NULL || (number->kind == EXPR_INT && !number->as.integer.is_small)) {
        return false;
    }
    *value = number->kind == EXPR_INT ? (double)number->as.integer.value : number->as.number;
    *value = is_negative ? -*value : *value;
    return true;
}

size_t star_node_count(const struct star_node *node) {
    const struct ast_expr *expr = expr_of(node);
    if (expr->kind == EXPR_LIST || expr->kind == EXPR_TUPLE) {
        return expr->as.list.count;
    }
    if (expr->kind == EXPR_DICT) {
        return expr->as.dict.count;
    }
    return expr->kind == EXPR_CALL ? expr->as.call->arg_count : 0;
}

const struct star_node *star_node_item(const struct star_node *node, size_t index) {
    const struct ast_expr *expr = expr_of(node);
    if (index >= star_node_count(node)) {
        return NULL;
    }
    if (expr->kind == EXPR_DICT) {
        return node_of(expr->as.dict.items[index].value);
    }
    return node_of(expr->kind == EXPR_CALL ? expr->as.call->args[index].value
                                           : expr->as.list.items[index]);
}

const struct star_node *star_node_key(const struct star_node *node, size_t index) {
    const struct ast_expr *expr = expr_of(node);
    const bool is_there = expr->kind == EXPR_DICT && index < expr->as.dict.count;
    return is_there ? node_of(expr->as.dict.items[index].key) : NULL;
}

const struct star_node *star_node_get(const struct star_node *dict, const char *key) {
    const struct ast_expr *expr = expr_of(dict);
    if (expr->kind != EXPR_DICT) {
        return NULL;
    }
    for (size_t i = expr->as.dict.count; i > 0; i--) {
        const struct ast_expr *own = expr->as.dict.items[i - 1].key;
        if (own->kind == EXPR_STRING && str_equal(own->as.text, str_from(key))) {
            return node_of(expr->as.dict.items[i - 1].value);
        }
    }
    return NULL;
}

const char *star_node_argument_name(const struct star_node *call, size_t index, size_t *size) {
    const struct ast_arg *arg = &expr_of(call)->as.call->args[index];
    str name = {NULL, 0};
    switch (arg->kind) {
    case ARG_POSITIONAL:
        break;
    case ARG_NAMED:
        name = arg->name;
        break;
    case ARG_ARGS:
        name = STR("*");
        break;
    case ARG_KWARGS:
        name = STR("**");
        break;
    }
    *size = name.size;
    return name.data;
}

const struct star_node *star_node_callee(const struct star_node *call) {
    return node_of(expr_of(call)->as.call->function);
}

// Recursion is bounded by AST_EXPR_DEPTH_MAX.
bool star_node_is_literal(const struct star_node *node, const struct star_node **culprit) {
    const enum star_node_kind kind = star_node_kind(node);
    if (kind >= STAR_NODE_NAME) {
        *culprit = node;
        return false;
    }
    for (size_t i = 0; i < star_node_count(node); i++) {
        const struct star_node *key = star_node_key(node, i);
        if ((key != NULL && !star_node_is_literal(key, culprit)) ||
            !star_node_is_literal(star_node_item(node, i), culprit)) {
            return false;
        }
    }
    return true;
}

// ---- the walk -----------------------------------------------------------------------------------

struct walk {
    struct star_syntax *syntax;
    struct arena *arena;
    const char *function; // the top-level def that the walk is in; "" outside
    uint32_t loops;
};

static void walk_expr(struct walk *walk, const struct ast_expr *expr);
static void walk_body(struct walk *walk, const struct ast_stmt *first);

// "a.b.c" for a chain of attributes of a name, else "".
static const char *dotted_name(struct arena *arena, const struct ast_expr *expr) {
    const struct ast_expr *root = expr;
    while (root->kind == EXPR_DOT) {
        root = root->as.dot.object;
    }
    if (root->kind != EXPR_NAME) {
        return "";
    }
    str name = root->as.name.text;
    if (root == expr) {
        return str_to_cstring(arena, name);
    }
    struct text text; // from the end, since the tree leans left
    text_init(&text, arena);
    struct str_list parts = {0};
    for (const struct ast_expr *at = expr; at->kind == EXPR_DOT; at = at->as.dot.object) {
        str_list_push(arena, &parts, at->as.dot.name);
    }
    text_add(&text, name);
    for (size_t i = parts.count; i > 0; i--) {
        text_add_char(&text, '.');
        text_add(&text, parts.items[i - 1]);
    }
    return text_cstring(&text);
}

static void walk_call(struct walk *walk, const struct ast_expr *expr) {
    const struct ast_call *call = expr->as.call;
    walk_expr(walk, call->function);
    for (size_t i = 0; i < call->arg_count; i++) {
        walk_expr(walk, call->args[i].value);
    }
    const struct star_call_view view = {.callee = dotted_name(walk->arena, call->function),
                                        .span = span_of(expr->span),
                                        .call = node_of(expr),
                                        .function = walk->function,
                                        .in_loop = walk->loops > 0};
    LIST_PUSH(walk->arena, &walk->syntax->calls, view);
}

static void walk_parameters(struct walk *walk, const struct ast_function *function) {
    for (size_t i = 0; i < function->param_count; i++) {
        if (function->params[i].value != NULL) {
            walk_expr(walk, function->params[i].value);
        }
    }
}

static void walk_comprehension(struct walk *walk, const struct ast_comprehension *comprehension) {
    walk_expr(walk, comprehension->clauses[0].operand);
    walk->loops++;
    for (size_t i = 1; i < comprehension->clause_count; i++) {
        walk_expr(walk, comprehension->clauses[i].operand);
    }
    if (comprehension->is_dict) {
        walk_expr(walk, comprehension->key);
    }
    walk_expr(walk, comprehension->value);
    walk->loops--;
}

static void walk_all(struct walk *walk, struct ast_expr *const *items, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (items[i] != NULL) {
            walk_expr(walk, items[i]);
        }
    }
}

// Flat: one case a kind.
static void walk_expr(struct walk *walk, const struct ast_expr *expr) {
    if (arena_is_exhausted(walk->arena)) {
        return;
    }
    switch (expr->kind) {
    case EXPR_ERROR:
    case EXPR_NAME:
    case EXPR_INT:
    case EXPR_FLOAT:
    case EXPR_STRING:
    case EXPR_BYTES:
        break;
    case EXPR_LIST:
    case EXPR_TUPLE:
        walk_all(walk, expr->as.list.items, expr->as.list.count);
        break;
    case EXPR_DICT:
        for (size_t i = 0; i < expr->as.dict.count; i++) {
            walk_expr(walk, expr->as.dict.items[i].key);
            walk_expr(walk, expr->as.dict.items[i].value);
        }
        break;
    case EXPR_UNARY:
    case EXPR_BINARY:
    case EXPR_AND:
    case EXPR_OR:
        walk_all(walk, (struct ast_expr *[]){expr->as.operands.left, expr->as.operands.right}, 2);
        break;
    case EXPR_CONDITIONAL:
        walk_all(walk,
                 (struct ast_expr *[]){expr->as.conditional.condition, expr->as.conditional.yes,
                                       expr->as.conditional.no},
                 3);
        break;
    case EXPR_DOT:
        walk_expr(walk, expr->as.dot.object);
        break;
    case EXPR_INDEX:
        walk_all(walk, (struct ast_expr *[]){expr->as.index.object, expr->as.index.index}, 2);
        break;
    case EXPR_SLICE:
        walk_all(walk,
                 (struct ast_expr *[]){expr->as.slice.object, expr->as.slice.start,
                                       expr->as.slice.stop, expr->as.slice.step},
                 4);
        break;
    case EXPR_CALL:
        walk_call(walk, expr);
        break;
    case EXPR_LAMBDA:
        walk_parameters(walk, expr->as.lambda);
        walk_expr(walk, expr->as.lambda->value);
        break;
    case EXPR_COMPREHENSION:
        walk_comprehension(walk, expr->as.comprehension);
        break;
    }
}

static void walk_loop(struct walk *walk, const struct ast_stmt *stmt) {
    const bool repeats_operand = stmt->kind == STMT_WHILE;
    walk->loops += repeats_operand;
    walk_expr(walk, stmt->as.loop.operand);
    walk->loops -= repeats_operand;
    walk->loops++;
    walk_body(walk, stmt->as.loop.body);
    walk->loops--;
}

static void walk_if(struct walk *walk, const struct ast_if *branch) {
    for (size_t i = 0; i < branch->count; i++) {
        if (branch->branches[i].condition != NULL) {
            walk_expr(walk, branch->branches[i].condition);
        }
        walk_body(walk, branch->branches[i].body);
    }
}

static void walk_def(struct walk *walk, const struct ast_function *function) {
    walk_parameters(walk, function);
    const struct walk outer = *walk;
    walk->loops = 0;
    if (walk->function[0] == '\0') {
        walk->function = str_to_cstring(walk->arena, function->name);
    }
    walk_body(walk, function->body);
    *walk = outer;
}

static void walk_stmt(struct walk *walk, const struct ast_stmt *stmt) {
    switch (stmt->kind) {
    case STMT_ERROR:
        walk_body(walk, stmt->as.block);
        break;
    case STMT_EXPR:
    case STMT_RETURN:
        walk_all(walk, (struct ast_expr *[]){stmt->as.expr}, 1);
        break;
    case STMT_ASSIGN:
        walk_all(walk, (struct ast_expr *[]){stmt->as.assign.value, stmt->as.assign.target}, 2);
        break;
    case STMT_DEF:
        walk_def(walk, stmt->as.def.function);
        break;
    case STMT_IF:
        walk_if(walk, &stmt->as.branch);
        break;
    case STMT_FOR:
    case STMT_WHILE:
        walk_loop(walk, stmt);
        break;
    case STMT_BREAK:
    case STMT_CONTINUE:
    case STMT_PASS:
    case STMT_LOAD:
        break;
    }
}

static void walk_body(struct walk *walk, const struct ast_stmt *first) {
    for (const struct ast_stmt *stmt = first; stmt != NULL && !arena_is_exhausted(walk->arena);
         stmt = stmt->next) {
        walk_stmt(walk, stmt);
    }
}

// ---- top level ----------------------------------------------------------------------------------

static enum star_parameter_kind parameter_kind(const struct ast_param *param,
                                               bool is_keyword_only) {
    if (param->kind == PARAM_ARGS) {
        return STAR_PARAMETER_ARGS;
    }
    if (param->kind == PARAM_KWARGS) {
        return STAR_PARAMETER_KWARGS;
    }
    return is_keyword_only ? STAR_PARAMETER_KEYWORD_ONLY : STAR_PARAMETER_POSITIONAL;
}

static void view_function(struct star_syntax *syntax, const struct ast_function *function) {
    struct arena *arena = &syntax->arena;
    struct star_parameter_view *views =
        ARENA_TRY_ARRAY(arena, struct star_parameter_view, function->param_count);
    size_t count = 0;
    bool is_keyword_only = false;
    for (size_t i = 0; i < function->param_count && !arena_is_exhausted(arena); i++) {
        const struct ast_param *param = &function->params[i];
        is_keyword_only = is_keyword_only || param->kind == PARAM_STAR || param->kind == PARAM_ARGS;
        if (param->kind != PARAM_STAR) {
            views[count++] =
                (struct star_parameter_view){.name = str_to_cstring(arena, param->name),
                                             .kind = parameter_kind(param, is_keyword_only),
                                             .default_value = node_of(param->value),
                                             .span = span_of(param->span)};
        }
    }
    const struct star_function_view view = {.name = str_to_cstring(arena, function->name),
                                            .span = span_of(function->name_span),
                                            .parameters = views,
                                            .parameter_count = count};
    LIST_PUSH(arena, &syntax->functions, view);
}

static void view_load(struct star_syntax *syntax, const struct ast_load *load) {
    const char **from = ARENA_TRY_ARRAY(&syntax->arena, const char *, load->count);
    const char **to = ARENA_TRY_ARRAY(&syntax->arena, const char *, load->count);
    for (size_t i = 0; i < load->count && !arena_is_exhausted(&syntax->arena); i++) {
        from[i] = str_to_cstring(&syntax->arena, load->names[i].from);
        to[i] = str_to_cstring(&syntax->arena, load->names[i].to.text);
    }
    const struct star_load_view view = {.module = str_to_cstring(&syntax->arena, load->module),
                                        .span = span_of(load->module_span),
                                        .from = from,
                                        .to = to,
                                        .count = load->count};
    LIST_PUSH(&syntax->arena, &syntax->loads, view);
}

static void view_top_level(struct star_syntax *syntax, const struct ast_stmt *first) {
    for (const struct ast_stmt *stmt = first; stmt != NULL && !arena_is_exhausted(&syntax->arena);
         stmt = stmt->next) {
        if (stmt->kind == STMT_DEF) {
            view_function(syntax, stmt->as.def.function);
        } else if (stmt->kind == STMT_LOAD) {
            view_load(syntax, stmt->as.load);
        } else if (stmt->kind == STMT_ASSIGN && stmt->as.assign.target->kind == EXPR_NAME) {
            const struct ast_expr *target = stmt->as.assign.target;
            const struct star_assignment_view view = {
                .name = str_to_cstring(&syntax->arena, target->as.name.text),
                .span = span_of(target->span),
                .value = node_of(stmt->as.assign.value),
                .is_augmented = stmt->as.assign.op != OP_NONE};
            LIST_PUSH(&syntax->arena, &syntax->assignments, view);
        }
    }
}

size_t star_syntax_assignment_count(const struct star_syntax *syntax) {
    return syntax->assignments.count;
}

const struct star_assignment_view *star_syntax_assignment(const struct star_syntax *syntax,
                                                          size_t index) {
    return &syntax->assignments.items[index];
}

const struct star_node *star_syntax_value(const struct star_syntax *syntax, const char *name) {
    for (size_t i = syntax->assignments.count; i > 0; i--) {
        const struct star_assignment_view *view = &syntax->assignments.items[i - 1];
        if (!view->is_augmented && strcmp(view->name, name) == 0) {
            return view->value;
        }
    }
    return NULL;
}

size_t star_syntax_function_count(const struct star_syntax *syntax) {
    return syntax->functions.count;
}

const struct star_function_view *star_syntax_function(const struct star_syntax *syntax,
                                                      size_t index) {
    return &syntax->functions.items[index];
}

const struct star_function_view *star_syntax_find_function(const struct star_syntax *syntax,
                                                           const char *name) {
    for (size_t i = syntax->functions.count; i > 0; i--) {
        if (strcmp(syntax->functions.items[i - 1].name, name) == 0) {
            return &syntax->functions.items[i - 1];
        }
    }
    return NULL;
}

size_t star_syntax_load_count(const struct star_syntax *syntax) {
    return syntax->loads.count;
}

const struct star_load_view *star_syntax_load(const struct star_syntax *syntax, size_t index) {
    return &syntax->loads.items[index];
}

size_t star_syntax_call_count(const struct star_syntax *syntax) {
    return syntax->calls.count;
}

const struct star_call_view *star_syntax_call(const struct star_syntax *syntax, size_t index) {
    return &syntax->calls.items[index];
}

// ---- parsing ------------------------------------------------------------------------------------

static struct star_syntax *syntax_new(const struct star_source *source) {
    struct arena_supply supply;
    arena_supply_init(&supply, source->allocate, source->allocate_user, source->memory_bytes,
                      STAR_PARSE_RESERVE);
    struct star_syntax *syntax =
        supply.is_exhausted ? NULL : supply.allocate(supply.user, NULL, 0, sizeof(*syntax));
    if (syntax == NULL) {
        arena_supply_done(&supply);
        return NULL;
    }
    *syntax = (struct star_syntax){.supply = supply};
    arena_init_supplied(&syntax->arena, &syntax->supply);
    return syntax;
}

struct star_syntax *star_syntax_parse(const struct star_source *source,
                                      struct star_diagnostics *diagnostics) {
    struct star_diagnostics dropped = {0};
    struct star_diagnostics *found = diagnostics != NULL ? diagnostics : &dropped;
    *found = (struct star_diagnostics){0};
    struct star_syntax *syntax = syntax_new(source);
    if (syntax == NULL) {
        return NULL;
    }
    struct arena *arena = &syntax->arena;
    struct star_report report;
    star_report_init(&report, arena);
    struct ast_file *file = star_parse(arena, str_copy(arena, str_from(source->file)),
                                       str_copy(arena, (str){source->text, source->size}), &report);
    view_top_level(syntax, file->top->body);
    struct walk walk = {.syntax = syntax, .arena = arena, .function = ""};
    walk_body(&walk, file->top->body);
    const bool is_whole = !arena_is_exhausted(arena) && star_report_publish(&report, found);
    arena_supply_done(&syntax->supply);
    if (diagnostics == NULL || !is_whole) {
        star_diagnostics_free(found);
    }
    if (!is_whole) {
        star_syntax_free(syntax);
        return NULL;
    }
    return syntax;
}

void star_syntax_free(struct star_syntax *syntax) {
    if (syntax != NULL) {
        const struct arena_supply supply = syntax->supply;
        arena_done(&syntax->arena);
        (void)supply.allocate(supply.user, syntax, sizeof(*syntax), 0);
    }
}
