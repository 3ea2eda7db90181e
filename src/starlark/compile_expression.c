// Expressions: each leaves its value in a register.

#include "base/text.h"
#include "starlark/builtins.h"
#include "starlark/compiler.h"
#include "starlark/numbers.h"
#include "starlark/sequence.h"
#include "starlark/template.h"
#include "starlark/thread.h"

enum {
    CHUNK_ITEMS = 64,      // of a long list or tuple display, at a time
    SHAPED_KEYS_MAX = 256, // of a dict display
};

bool star_writes_last(const struct ast_expr *expr) {
    switch (expr->kind) {
    case EXPR_NAME:
    case EXPR_INT:
    case EXPR_FLOAT:
    case EXPR_STRING:
    case EXPR_BYTES:
    case EXPR_UNARY:
    case EXPR_BINARY:
    case EXPR_DOT:
    case EXPR_INDEX:
    case EXPR_SLICE:
    case EXPR_CALL:
    case EXPR_LAMBDA:
        return true;
    case EXPR_ERROR:
    case EXPR_LIST:
    case EXPR_TUPLE:
    case EXPR_DICT:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_CONDITIONAL:
    case EXPR_COMPREHENSION:
        return false;
    }
    return false;
}

static star_value int_constant(struct compiler *c, const struct ast_int *integer) {
    return integer->is_small ? star_int(c->build->thread, integer->value)
                             : star_int_parse(c->build->thread, integer->digits.data,
                                              integer->digits.size, integer->base);
}

// ---- names --------------------------------------------------------------------------------------

star_value star_universe_value(struct compiler *c, const struct star_builtin *builtin) {
    // One object a program and function: identity holds within it, star_equal compares the rest.
    const str key = str_format(c->build->arena, "\1%s", builtin->name);
    star_value *known = map_get(&c->build->strings, key);
    if (known == NULL) {
        known = ARENA_NEW(c->build->arena, star_value);
        *known = star_function_new(c->build->thread, builtin, NULL);
        map_set(&c->build->strings, key, known);
    }
    return *known;
}

void star_compile_name(struct compiler *c, const struct ast_name *name, struct ast_pos pos,
                       unsigned into) {
    c->pos = pos;
    switch (name->scope) {
    case SCOPE_LOCAL:
        if (!name->is_surely_set) {
            c->needs_unset = true;
            star_emit(c, STAR_BC_CHECK, 0, name->index, star_constant_text(c, name->text), 0);
        }
        if (into != name->index) {
            star_emit(c, STAR_BC_MOVE, 0, into, name->index, 0);
        }
        return;
    case SCOPE_CELL:
        star_emit(c, STAR_BC_GET_CELL, 0, into, name->index, star_constant_text(c, name->text));
        return;
    case SCOPE_FREE:
        star_emit(c, STAR_BC_GET_FREE, 0, into, name->index, star_constant_text(c, name->text));
        return;
    case SCOPE_FREE_CELL:
        star_emit(c, STAR_BC_GET_FREE_CELL, 0, into, name->index,
                  star_constant_text(c, name->text));
        return;
    case SCOPE_GLOBAL:
        star_emit_offset(c, STAR_BC_GET_GLOBAL, 0, into, (int32_t)name->index);
        return;
    case SCOPE_PREDECLARED:
        star_emit_offset(c, STAR_BC_GET_PREDECLARED, 0, into, (int32_t)name->index);
        return;
    case SCOPE_UNIVERSE:
        if (name->index == 0) {
            star_emit(c, STAR_BC_LOAD_NONE, 0, into, 0, 0);
        } else if (name->index <= 2) {
            star_emit(c, STAR_BC_LOAD_BOOL, name->index == 1, into, 0, 0);
        } else {
            star_emit_constant(c, star_universe_value(c, &star_universe.items[name->index - 3]),
                               into);
        }
        return;
    case SCOPE_NONE:
        c->build->failed = true;
        return;
    }
}

unsigned star_compile_any(struct compiler *c, const struct ast_expr *expr) {
    if (expr->kind == EXPR_NAME && expr->as.name.scope == SCOPE_LOCAL) {
        const struct ast_name *name = &expr->as.name;
        if (!name->is_surely_set) {
            star_compile_name(c, name, expr->pos, name->index);
        }
        return name->index;
    }
    const unsigned into = star_temp(c);
    star_compile_into(c, expr, into);
    return into;
}

// Items into consecutive new registers; gives the first.
static unsigned compile_items(struct compiler *c, struct ast_expr *const *items, size_t count) {
    const unsigned first = c->next;
    for (size_t i = 0; i < count; i++) {
        star_compile_into(c, items[i], star_temp(c));
    }
    return first;
}

// ---- operators ----------------------------------------------------------------------------------

static bool small_literal(const struct ast_expr *expr, int64_t *number) {
    if (expr->kind == EXPR_INT && expr->as.integer.is_small) {
        *number = expr->as.integer.value;
        return true;
    }
    if (expr->kind == EXPR_UNARY && expr->op == OP_MINUS &&
        expr->as.operands.right->kind == EXPR_INT && expr->as.operands.right->as.integer.is_small) {
        *number = -expr->as.operands.right->as.integer.value;
        return true;
    }
    return false;
}

static bool is_int16(int64_t number) {
    return number >= INT16_MIN && number <= INT16_MAX;
}

static bool branch_of(enum ast_op op, enum star_branch *branch) {
    static const struct {
        enum ast_op op;
        enum star_branch branch;
    } table[] = {
        {OP_LESS, STAR_BRANCH_LESS},       {OP_LESS_EQUAL, STAR_BRANCH_LESS_EQUAL},
        {OP_GREATER, STAR_BRANCH_GREATER}, {OP_GREATER_EQUAL, STAR_BRANCH_GREATER_EQUAL},
        {OP_EQUAL, STAR_BRANCH_EQUAL},     {OP_NOT_EQUAL, STAR_BRANCH_NOT_EQUAL},
        {OP_IN, STAR_BRANCH_IN},           {OP_NOT_IN, STAR_BRANCH_NOT_IN},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        if (table[i].op == op) {
            *branch = table[i].branch;
            return true;
        }
    }
    return false;
}

// NOLINTBEGIN(readability-redundant-casting): gcc refuses sums of constants of two enums
static enum star_operator operator_of(enum ast_op op) {
    // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): asserted below
    return (enum star_operator)((int)op - (int)OP_ADD + (int)STAR_OP_ADD);
}
_Static_assert((int)OP_SHIFT_RIGHT - (int)OP_ADD == (int)STAR_OP_SHIFT_RIGHT - (int)STAR_OP_ADD,
               "the operators stand in the same order in ast.h and starlark.h");
// NOLINTEND(readability-redundant-casting)

void star_compile_binary_op(struct compiler *c, enum ast_op op, unsigned into, unsigned left,
                            unsigned right) {
    if (op >= OP_ADD && op <= OP_MODULO) {
        const unsigned code = STAR_BC_ADD + ((unsigned)op - OP_ADD);
        star_emit(c, (enum star_opcode)code, 0, into, left, right);
    } else {
        star_emit(c, STAR_BC_BINARY, operator_of(op), into, left, right);
    }
}

// `"template" % x` with a template that can be split; false: as any other operator.
static bool compile_percent(struct compiler *c, const struct ast_expr *expr, unsigned into) {
    const struct ast_expr *left = expr->as.operands.left;
    const struct ast_expr *right = expr->as.operands.right;
    if (expr->op != OP_MODULO || left->kind != EXPR_STRING) {
        return false;
    }
    const bool is_tuple = right->kind == EXPR_TUPLE;
    const star_value template =
        star_template_percent(c->build, left->as.text, is_tuple ? right->as.list.count : 1);
    if (star_is_unset(template)) {
        return false;
    }
    const unsigned mark = c->next;
    const unsigned first = is_tuple ? compile_items(c, right->as.list.items, right->as.list.count)
                                    : star_compile_any(c, right);
    c->pos = expr->pos;
    star_emit(c, STAR_BC_FORMAT, !is_tuple, into, star_constant(c, template), first);
    c->next = mark;
    return true;
}

static void compile_binary(struct compiler *c, const struct ast_expr *expr, unsigned into) {
    if (compile_percent(c, expr, into)) {
        return;
    }
    const unsigned mark = c->next;
    const unsigned left = star_compile_any(c, expr->as.operands.left);
    int64_t number;
    if ((expr->op == OP_ADD || expr->op == OP_SUBTRACT) &&
        small_literal(expr->as.operands.right, &number) && is_int16(number) && is_int16(-number)) {
        c->pos = expr->pos;
        star_emit(c, STAR_BC_ADD_INT, expr->op == OP_SUBTRACT, into, left,
                  (unsigned)(expr->op == OP_ADD ? number : -number) & 0xFFFF);
        c->next = mark;
        return;
    }
    const unsigned right = star_compile_any(c, expr->as.operands.right);
    enum star_branch branch;
    c->pos = expr->pos;
    if (branch_of(expr->op, &branch)) {
        star_emit(c, STAR_BC_COMPARE, branch, into, left, right);
    } else {
        star_compile_binary_op(c, expr->op, into, left, right);
    }
    c->next = mark;
}

static void compile_unary(struct compiler *c, const struct ast_expr *expr, unsigned into) {
    int64_t number;
    if (small_literal(expr, &number)) {
        star_emit_constant(c, star_int(c->build->thread, number), into);
        return;
    }
    if (expr->op == OP_MINUS && expr->as.operands.right->kind == EXPR_FLOAT) {
        star_emit_constant(c, star_from_double(-expr->as.operands.right->as.number), into);
        return;
    }
    const unsigned mark = c->next;
    const unsigned operand = star_compile_any(c, expr->as.operands.right);
    c->pos = expr->pos;
    if (expr->op == OP_NOT) {
        star_emit(c, STAR_BC_NOT, 0, into, operand, 0);
    } else {
        star_emit(c, STAR_BC_UNARY, (unsigned)expr->op - OP_PLUS, into, operand, 0);
    }
    c->next = mark;
}

void star_compile_branch(struct compiler *c, const struct ast_expr *expr, bool when,
                         struct star_patches *patches) {
    if (expr->kind == EXPR_UNARY && expr->op == OP_NOT) {
        star_compile_branch(c, expr->as.operands.right, !when, patches);
        return;
    }
    if (expr->kind == EXPR_AND || expr->kind == EXPR_OR) {
        // `a and b` jumps on false when either is false; on true only when both are.
        const bool decides = expr->kind == EXPR_OR;
        struct star_patches skip = {0};
        star_compile_branch(c, expr->as.operands.left, decides, decides == when ? patches : &skip);
        star_compile_branch(c, expr->as.operands.right, when, patches);
        star_patch(c, &skip);
        return;
    }
    const unsigned mark = c->next;
    enum star_branch branch;
    if (expr->kind == EXPR_BINARY && branch_of(expr->op, &branch)) {
        const unsigned left = star_compile_any(c, expr->as.operands.left);
        const unsigned x = branch | (when ? 0x80u : 0u);
        int64_t number;
        if (branch <= STAR_BRANCH_NOT_EQUAL && small_literal(expr->as.operands.right, &number) &&
            is_int16(number)) {
            c->pos = expr->pos;
            star_emit_jump(c, STAR_BC_BRANCH_INT, x, left, (unsigned)number & 0xFFFF, patches);
        } else {
            const unsigned right = star_compile_any(c, expr->as.operands.right);
            c->pos = expr->pos;
            star_emit_jump(c, STAR_BC_BRANCH, x, left, right, patches);
        }
        c->next = mark;
        return;
    }
    const unsigned value = star_compile_any(c, expr);
    c->pos = expr->pos;
    star_emit_jump(c, when ? STAR_BC_JUMP_IF : STAR_BC_JUMP_UNLESS, 0, value, 0, patches);
    c->next = mark;
}

static void compile_and_or(struct compiler *c, const struct ast_expr *expr, unsigned into) {
    struct star_patches end = {0};
    star_compile_into(c, expr->as.operands.left, into);
    star_emit_jump(c, expr->kind == EXPR_OR ? STAR_BC_JUMP_IF : STAR_BC_JUMP_UNLESS, 0, into, 0,
                   &end);
    star_compile_into(c, expr->as.operands.right, into);
    star_patch(c, &end);
}

static void compile_conditional(struct compiler *c, const struct ast_expr *expr, unsigned into) {
    struct star_patches no = {0};
    struct star_patches end = {0};
    star_compile_branch(c, expr->as.conditional.condition, false, &no);
    star_compile_into(c, expr->as.conditional.yes, into);
    star_emit_jump(c, STAR_BC_JUMP, 0, 0, 0, &end);
    star_patch(c, &no);
    star_compile_into(c, expr->as.conditional.no, into);
    star_patch(c, &end);
}

// ---- displays -----------------------------------------------------------------------------------

static void compile_sequence(struct compiler *c, const struct ast_expr *expr, unsigned into) {
    const struct ast_list *list = &expr->as.list;
    const bool is_tuple = expr->kind == EXPR_TUPLE;
    const unsigned mark = c->next;
    const size_t at_once = is_tuple || list->count < CHUNK_ITEMS ? list->count : CHUNK_ITEMS;
    unsigned first = compile_items(c, list->items, at_once);
    c->pos = expr->pos;
    star_emit(c, is_tuple ? STAR_BC_TUPLE : STAR_BC_LIST, 0, into, first, (unsigned)at_once);
    for (size_t done = at_once; done < list->count; done += CHUNK_ITEMS) {
        const size_t left = list->count - done;
        const size_t chunk = left < CHUNK_ITEMS ? left : CHUNK_ITEMS;
        c->next = mark;
        first = compile_items(c, list->items + done, chunk);
        star_emit(c, STAR_BC_EXTEND, 0, into, first, (unsigned)chunk);
    }
    c->next = mark;
}

static bool is_shaped(const struct ast_dict *dict, struct arena *arena) {
    if (dict->count == 0 || dict->count > SHAPED_KEYS_MAX) {
        return false;
    }
    struct map seen;
    map_init(&seen, arena);
    for (size_t i = 0; i < dict->count; i++) {
        const struct ast_expr *key = dict->items[i].key;
        if (key->kind != EXPR_STRING || map_has(&seen, key->as.text)) {
            return false;
        }
        map_set(&seen, key->as.text, &seen);
    }
    return true;
}

static void compile_dict(struct compiler *c, const struct ast_expr *expr, unsigned into) {
    const struct ast_dict *dict = &expr->as.dict;
    const unsigned mark = c->next;
    if (is_shaped(dict, c->build->arena)) {
        struct star_tuple *keys = star_tuple_new(c->build->thread, dict->count);
        if (keys == NULL) {
            c->build->failed = true;
            return;
        }
        const unsigned first = c->next;
        for (size_t i = 0; i < dict->count; i++) {
            keys->items[i] = star_build_string(c->build, dict->items[i].key->as.text);
            star_compile_into(c, dict->items[i].value, star_temp(c));
        }
        c->pos = expr->pos;
        star_emit(c, STAR_BC_DICT_SHAPED, 0, into, first, 0);
        star_emit_offset(c, STAR_BC_EXTRA, 0, c->cache_count++,
                         (int32_t)star_constant(c, star_from_object(keys)));
        c->next = mark;
        return;
    }
    c->pos = expr->pos;
    star_emit(c, STAR_BC_DICT, 0, into, 0, 0);
    for (size_t i = 0; i < dict->count; i++) {
        const unsigned key = star_compile_any(c, dict->items[i].key);
        const unsigned value = star_compile_any(c, dict->items[i].value);
        c->pos = dict->items[i].colon;
        star_emit(c, STAR_BC_DICT_INSERT, 1, into, key, value);
        c->next = mark;
    }
}

// ---- comprehensions -----------------------------------------------------------------------------

static void compile_clauses(struct compiler *c, const struct ast_comprehension *comprehension,
                            size_t clause, unsigned into) {
    const unsigned mark = c->next;
    if (clause == comprehension->clause_count) {
        if (comprehension->is_dict) {
            const unsigned key = star_compile_any(c, comprehension->key);
            const unsigned value = star_compile_any(c, comprehension->value);
            c->pos = comprehension->colon;
            star_emit(c, STAR_BC_DICT_INSERT, 0, into, key, value);
        } else {
            star_emit(c, STAR_BC_APPEND, 0, into, star_compile_any(c, comprehension->value), 0);
        }
        c->next = mark;
        return;
    }
    const struct ast_clause *here = &comprehension->clauses[clause];
    struct star_patches skip = {0};
    if (here->targets == NULL) {
        star_compile_branch(c, here->operand, false, &skip);
        compile_clauses(c, comprehension, clause + 1, into);
        star_patch(c, &skip);
        return;
    }
    uint32_t start;
    star_compile_for_head(c, here->targets, here->operand, here->pos, &start, &skip);
    compile_clauses(c, comprehension, clause + 1, into);
    star_emit_offset(c, STAR_BC_LOOP, 0, 0, (int32_t)start - (int32_t)star_here(c) - 1);
    star_patch(c, &skip);
    c->next = mark;
}

static void compile_comprehension(struct compiler *c, const struct ast_expr *expr, unsigned into) {
    const unsigned mark = c->next;
    const unsigned result = star_temp(c);
    c->pos = expr->pos;
    if (expr->as.comprehension->is_dict) {
        star_emit(c, STAR_BC_DICT, 0, result, 0, 0);
    } else {
        star_emit(c, STAR_BC_LIST, 0, result, 0, 0);
    }
    compile_clauses(c, expr->as.comprehension, 0, result);
    star_emit(c, STAR_BC_MOVE, 0, into, result, 0);
    c->next = mark;
}

// ---- calls --------------------------------------------------------------------------------------

static int32_t call_names(struct compiler *c, const struct ast_call *call) {
    if (call->named_count == 0) {
        return -1;
    }
    struct star_tuple *names = star_tuple_new(c->build->thread, call->named_count);
    if (names == NULL) {
        c->build->failed = true;
        return -1;
    }
    size_t n = 0;
    for (size_t i = 0; i < call->arg_count; i++) {
        if (call->args[i].kind == ARG_NAMED) {
            names->items[n++] = star_build_string(c->build, call->args[i].name);
        }
    }
    return (int32_t)star_constant(c, star_from_object(names));
}

static void compile_optional(struct compiler *c, const struct ast_expr *expr) {
    const unsigned into = star_temp(c);
    if (expr == NULL) {
        star_emit_offset(c, STAR_BC_UNSET, 0, into, 1);
    } else {
        star_compile_into(c, expr, into);
    }
}

// Whether evaluating it can be seen from outside, or can fail where it matters which of two errors
// comes first.
static bool has_effects(const struct ast_call *call) {
    for (size_t i = 0; i < call->arg_count; i++) {
        const enum ast_expr_kind kind = call->args[i].value->kind;
        if (kind != EXPR_NAME && kind != EXPR_INT && kind != EXPR_FLOAT && kind != EXPR_STRING &&
            kind != EXPR_BYTES && kind != EXPR_LAMBDA) {
            return true;
        }
    }
    return false;
}

// `"template".format(…)` with a template that can be split; false: as any other call.
static bool compile_format(struct compiler *c, const struct ast_expr *expr, unsigned into) {
    const struct ast_call *call = expr->as.call;
    if (call->function->kind != EXPR_DOT || call->star != NULL || call->star_star != NULL ||
        call->function->as.dot.object->kind != EXPR_STRING ||
        !str_equal(call->function->as.dot.name, STR("format"))) {
        return false;
    }
    const star_value template =
        star_template_format(c->build, call->function->as.dot.object->as.text, call);
    if (star_is_unset(template)) {
        return false;
    }
    const unsigned mark = c->next;
    for (size_t i = 0; i < call->arg_count; i++) {
        star_compile_into(c, call->args[i].value, star_temp(c));
    }
    c->pos = expr->pos;
    star_emit(c, STAR_BC_FORMAT, 0, into, star_constant(c, template), mark);
    c->next = mark;
    return true;
}

static void compile_call(struct compiler *c, const struct ast_expr *expr, unsigned into) {
    if (compile_format(c, expr, into)) {
        return;
    }
    const struct ast_call *call = expr->as.call;
    const bool is_spread = call->star != NULL || call->star_star != NULL;
    const bool is_method = call->function->kind == EXPR_DOT && !is_spread;
    const unsigned mark = c->next;
    // The window is the newest temporary when that is where the result goes.
    const unsigned window =
        into + 1 == mark && into >= c->function->local_count ? into : star_temp(c);
    star_compile_into(c, is_method ? call->function->as.dot.object : call->function, window);
    const unsigned cache = is_method ? c->cache_count++ : 0;
    const unsigned method = is_method ? star_constant_text(c, call->function->as.dot.name) : 0;
    if (is_method && has_effects(call)) {
        // x.m(f()): a missing m is found before f runs.
        c->pos = call->function->pos;
        star_emit(c, STAR_BC_CHECK_METHOD, 0, window, cache, method);
    }
    const int32_t names = call_names(c, call);
    for (size_t i = 0; i < call->arg_count; i++) {
        if (call->args[i].kind == ARG_POSITIONAL || call->args[i].kind == ARG_NAMED) {
            star_compile_into(c, call->args[i].value, star_temp(c));
        }
    }
    if (is_spread) {
        compile_optional(c, call->star);
        compile_optional(c, call->star_star);
    }
    c->pos = expr->pos;
    star_emit(c,
              is_spread   ? STAR_BC_CALL_SPREAD
              : is_method ? STAR_BC_CALL_METHOD
                          : STAR_BC_CALL,
              0, window, call->positional_count, call->named_count);
    if (is_method) {
        c->pos = call->function->pos;
        star_emit_offset(c, STAR_BC_EXTRA, 0, cache, (int32_t)method);
        c->pos = expr->pos;
    }
    star_emit_offset(c, STAR_BC_EXTRA, 0, 0, names);
    if (window != into) {
        star_emit(c, STAR_BC_MOVE, 0, into, window, 0);
    }
    c->next = mark;
}

void star_compile_function(struct compiler *c, const struct ast_function *function, unsigned into) {
    const unsigned mark = c->next;
    const unsigned first = c->next;
    for (size_t i = 0; i < function->param_count; i++) {
        if (function->params[i].value != NULL) {
            star_compile_into(c, function->params[i].value, star_temp(c));
        }
    }
    for (uint32_t i = 0; i < function->capture_count; i++) {
        // A captured local that was never assigned must read as such.
        c->needs_unset = c->needs_unset || !function->captures[i].from_free;
    }
    struct star_code *code = star_compile_code(c->build, function);
    c->pos = function->pos;
    star_emit(c, STAR_BC_FUNCTION, 0, into, first, (unsigned)c->codes.count);
    c->too_large = c->too_large || c->codes.count > UINT16_MAX;
    LIST_PUSH(c->build->arena, &c->codes, code);
    c->next = mark;
}

// ---- the rest -----------------------------------------------------------------------------------

static void compile_dot(struct compiler *c, const struct ast_expr *expr, unsigned into) {
    const unsigned mark = c->next;
    const unsigned object = star_compile_any(c, expr->as.dot.object);
    const unsigned name = star_constant_text(c, expr->as.dot.name);
    c->pos = expr->pos;
    star_emit(c, STAR_BC_GET_ATTRIBUTE, 0, into, object, name);
    c->next = mark;
}

static void compile_index(struct compiler *c, const struct ast_expr *expr, unsigned into) {
    const unsigned mark = c->next;
    const unsigned object = star_compile_any(c, expr->as.index.object);
    if (expr->as.index.index->kind == EXPR_STRING) {
        const unsigned name = star_constant_text(c, expr->as.index.index->as.text);
        c->pos = expr->pos;
        star_emit(c, STAR_BC_INDEX_K, 0, into, object, name);
        star_emit_offset(c, STAR_BC_EXTRA, 0, 0, (int32_t)c->cache_count++);
    } else {
        const unsigned key = star_compile_any(c, expr->as.index.index);
        c->pos = expr->pos;
        star_emit(c, STAR_BC_INDEX, 0, into, object, key);
    }
    c->next = mark;
}

static void compile_slice(struct compiler *c, const struct ast_expr *expr, unsigned into) {
    const unsigned mark = c->next;
    const unsigned object = star_compile_any(c, expr->as.slice.object);
    const struct ast_expr *parts[] = {expr->as.slice.start, expr->as.slice.stop,
                                      expr->as.slice.step};
    const unsigned first = c->next;
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        const unsigned part = star_temp(c);
        if (parts[i] == NULL) {
            star_emit(c, STAR_BC_LOAD_NONE, 0, part, 0, 0);
        } else {
            star_compile_into(c, parts[i], part);
        }
    }
    c->pos = expr->pos;
    star_emit(c, STAR_BC_SLICE, 0, into, object, first);
    c->next = mark;
}

void star_compile_into(struct compiler *c, const struct ast_expr *expr, unsigned into) {
    if (star_build_is_out_of_memory(c->build)) {
        return;
    }
    c->pos = expr->pos;
    switch (expr->kind) {
    case EXPR_ERROR:
        c->build->failed = true;
        return;
    case EXPR_NAME:
        star_compile_name(c, &expr->as.name, expr->pos, into);
        return;
    case EXPR_INT:
        star_emit_constant(c, int_constant(c, &expr->as.integer), into);
        return;
    case EXPR_FLOAT:
        star_emit_constant(c, star_from_double(expr->as.number), into);
        return;
    case EXPR_STRING:
        star_emit_offset(c, STAR_BC_LOAD_K, 0, into, (int32_t)star_constant_text(c, expr->as.text));
        return;
    case EXPR_BYTES:
        star_emit_constant(c, star_bytes(c->build->thread, expr->as.text.data, expr->as.text.size),
                           into);
        return;
    case EXPR_LIST:
    case EXPR_TUPLE:
        compile_sequence(c, expr, into);
        return;
    case EXPR_DICT:
        compile_dict(c, expr, into);
        return;
    case EXPR_UNARY:
        compile_unary(c, expr, into);
        return;
    case EXPR_BINARY:
        compile_binary(c, expr, into);
        return;
    case EXPR_AND:
    case EXPR_OR:
        compile_and_or(c, expr, into);
        return;
    case EXPR_CONDITIONAL:
        compile_conditional(c, expr, into);
        return;
    case EXPR_DOT:
        compile_dot(c, expr, into);
        return;
    case EXPR_INDEX:
        compile_index(c, expr, into);
        return;
    case EXPR_SLICE:
        compile_slice(c, expr, into);
        return;
    case EXPR_CALL:
        compile_call(c, expr, into);
        return;
    case EXPR_LAMBDA:
        star_compile_function(c, expr->as.lambda, into);
        return;
    case EXPR_COMPREHENSION:
        compile_comprehension(c, expr, into);
        return;
    }
}
