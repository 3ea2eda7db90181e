// Statements, assignment targets and loops.

#include "starlark/builtins.h"
#include "starlark/compiler.h"

void star_compile_store_name(struct compiler *c, const struct ast_name *name, unsigned from) {
    switch (name->scope) {
    case SCOPE_LOCAL:
        if (name->index != from) {
            star_emit(c, STAR_BC_MOVE, 0, name->index, from, 0);
        }
        return;
    case SCOPE_CELL:
        star_emit(c, STAR_BC_SET_CELL, 0, name->index, from, 0);
        return;
    case SCOPE_GLOBAL:
        star_emit_offset(c, STAR_BC_SET_GLOBAL, 0, from, (int32_t)name->index);
        return;
    case SCOPE_NONE:
    case SCOPE_FREE:
    case SCOPE_FREE_CELL:
    case SCOPE_PREDECLARED:
    case SCOPE_UNIVERSE:
        c->build->failed = true; // the resolver never gives a target such a scope
        return;
    }
}

static void store_items(struct compiler *c, const struct ast_expr *target, unsigned from) {
    const struct ast_list *list = &target->as.list;
    const unsigned mark = c->next;
    const unsigned first = c->next;
    for (size_t i = 0; i < list->count; i++) {
        star_temp(c);
    }
    c->pos = target->pos;
    star_emit(c, STAR_BC_UNPACK, 0, from, first, (unsigned)list->count);
    for (size_t i = 0; i < list->count; i++) {
        star_compile_store(c, list->items[i], first + (unsigned)i);
    }
    c->next = mark;
}

void star_compile_store(struct compiler *c, const struct ast_expr *target, unsigned from) {
    const unsigned mark = c->next;
    switch (target->kind) {
    case EXPR_NAME:
        c->pos = target->pos;
        star_compile_store_name(c, &target->as.name, from);
        return;
    case EXPR_LIST:
    case EXPR_TUPLE:
        store_items(c, target, from);
        return;
    case EXPR_DOT: {
        const unsigned object = star_compile_any(c, target->as.dot.object);
        c->pos = target->pos;
        star_emit(c, STAR_BC_SET_ATTRIBUTE, 0, object, star_constant_text(c, target->as.dot.name),
                  from);
        break;
    }
    case EXPR_INDEX: {
        const unsigned object = star_compile_any(c, target->as.index.object);
        const unsigned key = star_compile_any(c, target->as.index.index);
        c->pos = target->pos;
        star_emit(c, STAR_BC_SET_INDEX, 0, object, key, from);
        break;
    }
    case EXPR_ERROR:
    case EXPR_INT:
    case EXPR_FLOAT:
    case EXPR_STRING:
    case EXPR_BYTES:
    case EXPR_DICT:
    case EXPR_UNARY:
    case EXPR_BINARY:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_CONDITIONAL:
    case EXPR_SLICE:
    case EXPR_CALL:
    case EXPR_LAMBDA:
    case EXPR_COMPREHENSION:
        c->build->failed = true; // no target: the parser reported it
        break;
    }
    c->next = mark;
}

// ---- assignments --------------------------------------------------------------------------------

static bool same_width(const struct ast_expr *target, const struct ast_expr *value) {
    return (target->kind == EXPR_TUPLE || target->kind == EXPR_LIST) &&
           (value->kind == EXPR_TUPLE || value->kind == EXPR_LIST) &&
           target->as.list.count == value->as.list.count && target->as.list.count <= 16;
}

static void compile_assign(struct compiler *c, const struct ast_stmt *stmt) {
    const struct ast_expr *target = stmt->as.assign.target;
    const struct ast_expr *value = stmt->as.assign.value;
    const unsigned mark = c->next;
    if (target->kind == EXPR_NAME && target->as.name.scope == SCOPE_LOCAL &&
        star_writes_last(value)) {
        star_compile_into(c, value, target->as.name.index);
    } else if (same_width(target, value)) {
        // `a, b = b, a` makes no tuple.
        const size_t count = target->as.list.count;
        const unsigned first = c->next;
        for (size_t i = 0; i < count; i++) {
            star_compile_into(c, value->as.list.items[i], star_temp(c));
        }
        for (size_t i = 0; i < count; i++) {
            star_compile_store(c, target->as.list.items[i], first + (unsigned)i);
        }
    } else {
        const unsigned from = star_compile_any(c, value);
        star_compile_store(c, target, from);
    }
    c->next = mark;
}

// r[into] = r[left] op= value
static void compile_update(struct compiler *c, const struct ast_stmt *stmt, unsigned into,
                           unsigned left) {
    const struct ast_expr *value = stmt->as.assign.value;
    const enum ast_op op = stmt->as.assign.op;
    if ((op == OP_ADD || op == OP_SUBTRACT) && value->kind == EXPR_INT &&
        value->as.integer.is_small && value->as.integer.value <= INT16_MAX) {
        const int64_t number = value->as.integer.value;
        c->pos = stmt->pos;
        star_emit(c, STAR_BC_ADD_INT, op == OP_SUBTRACT, into, left,
                  (unsigned)(op == OP_ADD ? number : -number) & 0xFFFF);
        return;
    }
    const unsigned right = star_compile_any(c, value);
    c->pos = stmt->pos;
    star_emit(c, STAR_BC_IN_PLACE, (unsigned)op - OP_ADD, into, left, right);
}

// Target parts first, once; then the right side.
static void compile_augmented(struct compiler *c, const struct ast_stmt *stmt) {
    const struct ast_expr *target = stmt->as.assign.target;
    const unsigned mark = c->next;
    if (target->kind == EXPR_NAME) {
        const unsigned left = star_compile_any(c, target);
        const bool is_local = target->as.name.scope == SCOPE_LOCAL;
        const unsigned into = is_local ? left : star_temp(c);
        compile_update(c, stmt, into, left);
        star_compile_store_name(c, &target->as.name, into);
    } else if (target->kind == EXPR_INDEX) {
        const unsigned object = star_compile_any(c, target->as.index.object);
        const unsigned key = star_compile_any(c, target->as.index.index);
        const unsigned old = star_temp(c);
        c->pos = target->pos;
        star_emit(c, STAR_BC_INDEX, 0, old, object, key);
        compile_update(c, stmt, old, old);
        c->pos = target->pos;
        star_emit(c, STAR_BC_SET_INDEX, 0, object, key, old);
    } else if (target->kind == EXPR_DOT) {
        const unsigned object = star_compile_any(c, target->as.dot.object);
        const unsigned name = star_constant_text(c, target->as.dot.name);
        const unsigned old = star_temp(c);
        c->pos = target->pos;
        star_emit(c, STAR_BC_GET_ATTRIBUTE, 0, old, object, name);
        compile_update(c, stmt, old, old);
        c->pos = target->pos;
        star_emit(c, STAR_BC_SET_ATTRIBUTE, 0, object, name, old);
    } else {
        c->build->failed = true;
    }
    c->next = mark;
}

// ---- loops --------------------------------------------------------------------------------------

static bool is_local_pair(const struct ast_expr *targets) {
    if (targets->kind != EXPR_TUPLE && targets->kind != EXPR_LIST) {
        return false;
    }
    const struct ast_list *list = &targets->as.list;
    return list->count == 2 && list->items[0]->kind == EXPR_NAME &&
           list->items[1]->kind == EXPR_NAME && list->items[0]->as.name.scope == SCOPE_LOCAL &&
           list->items[1]->as.name.scope == SCOPE_LOCAL;
}

// `x.items()`: its pairs are read without making the list.
static bool is_items_call(const struct ast_expr *operand) {
    return operand->kind == EXPR_CALL && operand->as.call->arg_count == 0 &&
           operand->as.call->function->kind == EXPR_DOT &&
           str_equal(operand->as.call->function->as.dot.name, STR("items"));
}

// `for a, b in zip(x, y)` and `for i, x in enumerate(y)`, whose pairs are read without making them:
// the builtin, and its arguments in c's newest registers; else NULL.
static const struct star_builtin *compile_columns(struct compiler *c,
                                                  const struct ast_expr *operand) {
    const struct ast_call *call = operand->kind == EXPR_CALL ? operand->as.call : NULL;
    if (call == NULL || call->arg_count == 0 || call->arg_count > 2 ||
        call->positional_count != call->arg_count || call->function->kind != EXPR_NAME ||
        call->function->as.name.scope != SCOPE_UNIVERSE) {
        return NULL;
    }
    const str name = call->function->as.name.text;
    const bool is_zip = str_equal(name, STR("zip")) && call->arg_count == 2;
    if (!is_zip && !str_equal(name, STR("enumerate"))) {
        return NULL;
    }
    for (size_t i = 0; i < call->arg_count; i++) {
        star_compile_into(c, call->args[i].value, star_temp(c));
    }
    return star_builtin_find(&star_universe, name);
}

unsigned star_compile_for_head(struct compiler *c, const struct ast_expr *targets,
                               const struct ast_expr *operand, struct ast_pos pos, uint32_t *start,
                               struct star_patches *ends) {
    const unsigned iterator = star_temp(c);
    star_temp(c);
    star_temp(c);
    const unsigned mark = c->next;
    const bool is_items = is_items_call(operand);
    const bool is_pair = is_local_pair(targets);
    const struct star_builtin *columns = is_pair ? compile_columns(c, operand) : NULL;
    if (columns != NULL) {
        c->pos = operand->pos;
        star_emit(c, STAR_BC_ITERATE_COLUMNS, 0, iterator, mark, c->next - mark);
        star_emit_offset(c, STAR_BC_EXTRA, 0, 0,
                         (int32_t)star_constant(c, star_universe_value(c, columns)));
    } else {
        const unsigned source =
            star_compile_any(c, is_items ? operand->as.call->function->as.dot.object : operand);
        c->pos = is_items ? operand->as.call->function->pos : operand->pos;
        star_emit(c, STAR_BC_ITERATE, is_items, iterator, source, 0);
    }
    c->next = mark;
    c->pos = pos;
    *start = star_here(c);
    if (is_pair) {
        star_emit(c, STAR_BC_NEXT_PAIR, 0, iterator, targets->as.list.items[0]->as.name.index,
                  targets->as.list.items[1]->as.name.index);
        star_emit_jump(c, STAR_BC_EXTRA, 0, 0, 0, ends);
        return iterator;
    }
    const bool is_local = targets->kind == EXPR_NAME && targets->as.name.scope == SCOPE_LOCAL;
    const unsigned item = is_local ? targets->as.name.index : star_temp(c);
    star_emit(c, STAR_BC_NEXT, 0, iterator, item, 0);
    star_emit_jump(c, STAR_BC_EXTRA, 0, 0, 0, ends);
    if (!is_local) {
        star_compile_store(c, targets, item);
    }
    c->next = mark;
    return iterator;
}

static void compile_for(struct compiler *c, const struct ast_stmt *stmt) {
    const unsigned mark = c->next;
    struct star_patches ends = {0};
    struct star_loop loop = {.outer = c->loop, .is_for = true};
    loop.iterator = star_compile_for_head(c, stmt->as.loop.targets, stmt->as.loop.operand,
                                          stmt->pos, &loop.start, &ends);
    c->loop = &loop;
    star_compile_block(c, stmt->as.loop.body);
    c->loop = loop.outer;
    star_emit_offset(c, STAR_BC_LOOP, 0, 0, (int32_t)loop.start - (int32_t)star_here(c) - 1);
    star_patch(c, &ends);
    star_patch(c, &loop.breaks);
    c->next = mark;
}

static void compile_while(struct compiler *c, const struct ast_stmt *stmt) {
    struct star_patches ends = {0};
    struct star_loop loop = {.outer = c->loop, .start = star_here(c)};
    star_compile_branch(c, stmt->as.loop.operand, false, &ends);
    c->loop = &loop;
    star_compile_block(c, stmt->as.loop.body);
    c->loop = loop.outer;
    c->pos = stmt->pos;
    star_emit_offset(c, STAR_BC_LOOP, 0, 0, (int32_t)loop.start - (int32_t)star_here(c) - 1);
    star_patch(c, &ends);
    star_patch(c, &loop.breaks);
}

static void compile_if(struct compiler *c, const struct ast_stmt *stmt) {
    struct star_patches end = {0};
    for (size_t i = 0; i < stmt->as.branch.count; i++) {
        const struct ast_branch *branch = &stmt->as.branch.branches[i];
        struct star_patches skip = {0};
        if (branch->condition != NULL) {
            star_compile_branch(c, branch->condition, false, &skip);
        }
        star_compile_block(c, branch->body);
        if (i + 1 < stmt->as.branch.count) {
            star_emit_jump(c, STAR_BC_JUMP, 0, 0, 0, &end);
        }
        star_patch(c, &skip);
    }
    star_patch(c, &end);
}

static void compile_break(struct compiler *c, const struct ast_stmt *stmt) {
    struct star_loop *loop = c->loop;
    c->pos = stmt->pos;
    if (loop->is_for) {
        star_emit(c, STAR_BC_ITERATE_END, 0, loop->iterator, 0, 0);
    }
    star_emit_jump(c, STAR_BC_JUMP, 0, 0, 0, &loop->breaks);
}

// ---- the rest -----------------------------------------------------------------------------------

static void compile_return(struct compiler *c, const struct ast_stmt *stmt) {
    const unsigned mark = c->next;
    c->pos = stmt->pos;
    if (stmt->as.expr == NULL) {
        star_emit(c, STAR_BC_RETURN_NONE, 0, 0, 0, 0);
        return;
    }
    const unsigned value = star_compile_any(c, stmt->as.expr);
    star_emit(c, STAR_BC_RETURN, 0, value, 0, 0);
    c->next = mark;
}

static void compile_def(struct compiler *c, const struct ast_stmt *stmt) {
    const unsigned mark = c->next;
    const unsigned function = star_temp(c);
    star_compile_function(c, stmt->as.def.function, function);
    star_compile_store_name(c, &stmt->as.def.name, function);
    c->next = mark;
}

static void compile_load(struct compiler *c, const struct ast_stmt *stmt) {
    const struct ast_load *load = stmt->as.load;
    const unsigned mark = c->next;
    const unsigned module = star_temp(c);
    const unsigned value = star_temp(c);
    c->pos = load->module_span.start;
    star_emit(c, STAR_BC_LOAD_MODULE, 0, module, star_constant_text(c, load->module), 0);
    for (size_t i = 0; i < load->count; i++) {
        c->pos = load->names[i].from_span.start;
        star_emit(c, STAR_BC_LOAD_NAME, 0, value, module,
                  star_constant_text(c, load->names[i].from));
        star_compile_store_name(c, &load->names[i].to, value);
    }
    c->next = mark;
}

static void compile_statement(struct compiler *c, const struct ast_stmt *stmt) {
    const unsigned mark = c->next;
    c->pos = stmt->pos;
    switch (stmt->kind) {
    case STMT_ERROR:
        c->build->failed = true;
        return;
    case STMT_EXPR:
        star_compile_into(c, stmt->as.expr, star_temp(c));
        c->next = mark;
        return;
    case STMT_ASSIGN:
        if (stmt->as.assign.op == OP_NONE) {
            compile_assign(c, stmt);
        } else {
            compile_augmented(c, stmt);
        }
        return;
    case STMT_DEF:
        compile_def(c, stmt);
        return;
    case STMT_RETURN:
        compile_return(c, stmt);
        return;
    case STMT_IF:
        compile_if(c, stmt);
        return;
    case STMT_FOR:
        compile_for(c, stmt);
        return;
    case STMT_WHILE:
        compile_while(c, stmt);
        return;
    case STMT_BREAK:
        compile_break(c, stmt);
        return;
    case STMT_CONTINUE:
        star_emit_offset(c, STAR_BC_LOOP, 0, 0,
                         (int32_t)c->loop->start - (int32_t)star_here(c) - 1);
        return;
    case STMT_PASS:
        return;
    case STMT_LOAD:
        compile_load(c, stmt);
        return;
    }
}

void star_compile_block(struct compiler *c, const struct ast_stmt *first) {
    for (const struct ast_stmt *stmt = first;
         stmt != NULL && !star_build_is_out_of_memory(c->build); stmt = stmt->next) {
        compile_statement(c, stmt);
    }
}
