// One walk in program order binds names and collects every use; the uses are looked up when the
// file is known whole, since a binding anywhere in a function makes the name local to all of it.
//
// Cells.  A closure may copy a captured variable when no binding of it can run after the copy.  The
// walk keeps a clock: a binding notes when it was last bound, a function from when on a binding
// would be seen by it (when it is created, or the start of the outermost loop around its creation,
// since the loop may come by again).  A capture needs a cell when the first is not before the
// second.
//
// Surely set.  A binding notes the suite that it stands in.  While that suite is open, everything
// behind the binding runs only after it, so a use there needs no test.
#include "starlark/resolver_state.h"

#include "base/list.h"
#include "starlark/check.h"

// ---- uses ---------------------------------------------------------------------------------------

// The binding that the name has by what was seen so far in this function, when it is surely set.
static struct ast_binding *set_binding(struct resolver *resolver, str name) {
    const struct ast_function *function = resolver->place.function;
    for (struct scope *scope = resolver->place.scope; scope != NULL && scope->function == function;
         scope = scope->parent) {
        struct ast_binding *binding = map_get(&scope->names, name);
        if (binding != NULL) {
            return resolver_is_surely_set(resolver, binding) ? binding : NULL;
        }
    }
    if (function != resolver->file->top) {
        return NULL;
    }
    struct ast_binding *binding = resolver_module_lookup(resolver, name);
    return binding != NULL && resolver_is_surely_set(resolver, binding) ? binding : NULL;
}

static struct use use_new(struct resolver *resolver, struct ast_name *name, struct ast_span span) {
    return (struct use){.name = name,
                        .span = span,
                        .scope = resolver->place.scope,
                        .function = resolver->place.function};
}

static void resolve_use(struct resolver *resolver, struct ast_name *name, struct ast_span span) {
    struct use use = use_new(resolver, name, span);
    use.set = set_binding(resolver, name->text);
    if (resolver->options->dialect == STAR_DIALECT_SCRIPT && use.function == resolver->file->top) {
        use.is_early = true;
        use.early = resolver_module_lookup(resolver, name->text);
    }
    LIST_PUSH(resolver->arena, &resolver->uses, use);
}

// `is_read`: an augmented assignment uses the name before it binds it.
static void resolve_target_name(struct resolver *resolver, struct ast_name *name,
                                struct ast_span span, bool is_read) {
    struct use use = use_new(resolver, name, span);
    use.is_target = true;
    use.set = is_read ? set_binding(resolver, name->text) : NULL;
    name->binding = use.scope == NULL ? resolver_bind_global(resolver, name->text, span)
                                      : resolver_bind_local(resolver, name->text, span);
    LIST_PUSH(resolver->arena, &resolver->uses, use);
}

// ---- expressions --------------------------------------------------------------------------------

static void resolve_expr(struct resolver *resolver, struct ast_expr *expr);
static void resolve_body(struct resolver *resolver, struct ast_stmt *first);

static void resolve_list(struct resolver *resolver, const struct ast_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        resolve_expr(resolver, list->items[i]);
    }
}

static void resolve_target(struct resolver *resolver, struct ast_expr *target, bool is_augmented) {
    if (arena_is_exhausted(resolver->arena)) {
        return;
    }
    if (target->kind == EXPR_NAME) {
        resolve_target_name(resolver, &target->as.name, target->span, is_augmented);
    } else if (target->kind == EXPR_LIST || target->kind == EXPR_TUPLE) {
        if (is_augmented) {
            star_report_add(resolver->report, target->span,
                            "cannot use a %s as the target of an augmented assignment",
                            target->kind == EXPR_LIST ? "list" : "tuple");
        }
        for (size_t i = 0; i < target->as.list.count; i++) {
            resolve_target(resolver, target->as.list.items[i], false);
        }
    } else {
        star_check_target(target, resolver->report);
        resolve_expr(resolver, target);
    }
}

static void resolve_comprehension(struct resolver *resolver,
                                  const struct ast_comprehension *comprehension) {
    const struct ast_clause *clauses = comprehension->clauses;
    resolve_expr(resolver, clauses[0].operand);
    struct scope *scope = ARENA_NEW(resolver->arena, struct scope);
    *scope = (struct scope){resolver->place.scope, resolver->place.function, {0}};
    map_init(&scope->names, resolver->arena);
    resolver->place.scope = scope;
    resolver_repeat_begin(resolver);
    resolver_suite_open(resolver);
    resolve_target(resolver, clauses[0].targets, false);
    for (size_t i = 1; i < comprehension->clause_count; i++) {
        resolve_expr(resolver, clauses[i].operand);
        if (clauses[i].targets != NULL) {
            resolve_target(resolver, clauses[i].targets, false);
        }
    }
    if (comprehension->is_dict) {
        resolve_expr(resolver, comprehension->key);
    }
    resolve_expr(resolver, comprehension->value);
    resolver_suite_close(resolver);
    resolver_repeat_end(resolver);
    resolver->place.scope = scope->parent;
}

static void resolve_call(struct resolver *resolver, const struct ast_call *call) {
    resolver->place.function->has_call = true;
    star_check_arguments(call, resolver->arena, resolver->report);
    resolve_expr(resolver, call->function);
    for (size_t i = 0; i < call->arg_count; i++) {
        resolve_expr(resolver, call->args[i].value);
    }
}

static void bind_parameter(struct resolver *resolver, struct ast_param *param) {
    const struct ast_binding *known = map_get(&resolver->place.scope->names, param->name);
    if (known != NULL) {
        const struct ast_pos first = known->first.start;
        const struct ast_pos here = param->span.start;
        const bool is_behind =
            here.line != first.line ? here.line > first.line : here.column > first.column;
        star_report_add(resolver->report, is_behind ? param->span : known->first,
                        "duplicate parameter: " STR_FORMAT, STR_ARGS(param->name));
    }
    param->binding = resolver_bind_local(resolver, param->name, param->span);
    param->binding->is_parameter = true;
}

// Slots in the order of ast.h: positional and keyword-only parameters, *args, **kwargs.
static void bind_parameters(struct resolver *resolver, struct ast_function *function) {
    struct ast_param *args = NULL;
    struct ast_param *kwargs = NULL;
    bool is_keyword_only = false;
    for (size_t i = 0; i < function->param_count && !arena_is_exhausted(resolver->arena); i++) {
        struct ast_param *param = &function->params[i];
        if (param->kind == PARAM_REQUIRED || param->kind == PARAM_OPTIONAL) {
            param->is_keyword_only = is_keyword_only;
            function->positional_count += !is_keyword_only;
            function->keyword_only_count += is_keyword_only;
            function->default_count += param->value != NULL;
            bind_parameter(resolver, param);
            continue;
        }
        is_keyword_only = is_keyword_only || param->kind != PARAM_KWARGS;
        args = param->kind == PARAM_ARGS ? param : args;
        kwargs = param->kind == PARAM_KWARGS ? param : kwargs;
    }
    if (args != NULL) {
        function->has_args = true;
        bind_parameter(resolver, args);
    }
    if (kwargs != NULL) {
        function->has_kwargs = true;
        bind_parameter(resolver, kwargs);
    }
}

static void resolve_function(struct resolver *resolver, struct ast_function *function) {
    for (size_t i = 0; i < function->param_count; i++) {
        if (function->params[i].value != NULL) {
            resolve_expr(resolver, function->params[i].value);
        }
    }
    star_check_parameters(function, resolver->report);
    const struct place outer = resolver->place;
    outer.function->has_function = true;
    function->parent = outer.function;
    function->work.capture_from = outer.repeats > 0 ? outer.repeat_start : ++resolver->clock;
    struct scope *scope = ARENA_NEW(resolver->arena, struct scope);
    *scope = (struct scope){outer.scope, function, {0}};
    map_init(&scope->names, resolver->arena);
    resolver->place = (struct place){.scope = scope, .function = function};
    LIST_PUSH(resolver->arena, &resolver->functions, function);
    resolver_suite_open(resolver);
    bind_parameters(resolver, function);
    if (function->value != NULL) {
        resolve_expr(resolver, function->value);
    } else {
        resolve_body(resolver, function->body);
    }
    resolver_suite_close(resolver);
    resolver->place = outer;
}

static void resolve_slice(struct resolver *resolver, const struct ast_expr *expr) {
    struct ast_expr *const parts[] = {expr->as.slice.object, expr->as.slice.start,
                                      expr->as.slice.stop, expr->as.slice.step};
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        if (parts[i] != NULL) {
            resolve_expr(resolver, parts[i]);
        }
    }
}

// Flat: one case a kind.
static void resolve_expr(struct resolver *resolver, struct ast_expr *expr) {
    if (arena_is_exhausted(resolver->arena)) {
        return;
    }
    switch (expr->kind) {
    case EXPR_ERROR:
    case EXPR_INT:
    case EXPR_FLOAT:
    case EXPR_STRING:
    case EXPR_BYTES:
        break;
    case EXPR_NAME:
        resolve_use(resolver, &expr->as.name, expr->span);
        break;
    case EXPR_LIST:
    case EXPR_TUPLE:
        resolve_list(resolver, &expr->as.list);
        break;
    case EXPR_DICT:
        for (size_t i = 0; i < expr->as.dict.count; i++) {
            resolve_expr(resolver, expr->as.dict.items[i].key);
            resolve_expr(resolver, expr->as.dict.items[i].value);
        }
        break;
    case EXPR_UNARY:
        resolve_expr(resolver, expr->as.operands.right);
        break;
    case EXPR_BINARY:
    case EXPR_AND:
    case EXPR_OR:
        resolve_expr(resolver, expr->as.operands.left);
        resolve_expr(resolver, expr->as.operands.right);
        break;
    case EXPR_CONDITIONAL:
        resolve_expr(resolver, expr->as.conditional.condition);
        resolve_expr(resolver, expr->as.conditional.yes);
        resolve_expr(resolver, expr->as.conditional.no);
        break;
    case EXPR_DOT:
        resolve_expr(resolver, expr->as.dot.object);
        break;
    case EXPR_INDEX:
        resolve_expr(resolver, expr->as.index.object);
        resolve_expr(resolver, expr->as.index.index);
        break;
    case EXPR_SLICE:
        resolve_slice(resolver, expr);
        break;
    case EXPR_CALL:
        resolve_call(resolver, expr->as.call);
        break;
    case EXPR_LAMBDA:
        resolve_function(resolver, expr->as.lambda);
        break;
    case EXPR_COMPREHENSION:
        resolve_comprehension(resolver, expr->as.comprehension);
        break;
    }
}

// ---- statements ---------------------------------------------------------------------------------

static void report_at(struct resolver *resolver, const struct ast_stmt *stmt, const char *message) {
    star_report_add(resolver->report, stmt->span, "%s", message);
}

static bool at_top_level(const struct resolver *resolver) {
    return resolver->place.function == resolver->file->top;
}

// `word` is if, for or while.
static void check_control_flow(struct resolver *resolver, struct ast_pos pos, str word,
                               const char *statement) {
    const struct ast_span span = {pos, {pos.line, pos.column + (uint32_t)word.size}};
    const enum star_dialect dialect = resolver->options->dialect;
    if (dialect == STAR_DIALECT_CORE && str_equal(word, STR("while"))) {
        star_report_add(resolver->report, span, "this dialect does not support while loops");
    } else if (dialect != STAR_DIALECT_SCRIPT && at_top_level(resolver)) {
        star_report_add(resolver->report, span, "%s not within a function", statement);
    }
}

static void resolve_suite(struct resolver *resolver, struct ast_stmt *first) {
    resolver_suite_open(resolver);
    resolve_body(resolver, first);
    resolver_suite_close(resolver);
}

static void resolve_if(struct resolver *resolver, const struct ast_if *branch) {
    check_control_flow(resolver, branch->branches[0].pos, STR("if"), "if statement");
    resolver->place.conditionals++;
    for (size_t i = 0; i < branch->count; i++) {
        if (branch->branches[i].condition != NULL) {
            resolve_expr(resolver, branch->branches[i].condition);
        }
        resolve_suite(resolver, branch->branches[i].body);
    }
    resolver->place.conditionals--;
}

static void resolve_for(struct resolver *resolver, const struct ast_stmt *stmt) {
    check_control_flow(resolver, stmt->pos, STR("for"), "for loop");
    resolve_expr(resolver, stmt->as.loop.operand);
    resolver_repeat_begin(resolver);
    resolver->place.loops++;
    resolver_suite_open(resolver);
    resolve_target(resolver, stmt->as.loop.targets, false);
    resolve_body(resolver, stmt->as.loop.body);
    resolver_suite_close(resolver);
    resolver->place.loops--;
    resolver_repeat_end(resolver);
}

static void resolve_while(struct resolver *resolver, const struct ast_stmt *stmt) {
    check_control_flow(resolver, stmt->pos, STR("while"), "while loop");
    resolver_repeat_begin(resolver);
    resolver->place.loops++;
    resolve_expr(resolver, stmt->as.loop.operand);
    resolve_suite(resolver, stmt->as.loop.body);
    resolver->place.loops--;
    resolver_repeat_end(resolver);
}

static void resolve_load(struct resolver *resolver, const struct ast_stmt *stmt) {
    const struct place *place = &resolver->place;
    if (!at_top_level(resolver)) {
        report_at(resolver, stmt, "load statement within a function");
    } else if (place->loops > 0) {
        report_at(resolver, stmt, "load statement within a loop");
    } else if (place->conditionals > 0) {
        report_at(resolver, stmt, "load statement within a conditional");
    }
    for (size_t i = 0; i < stmt->as.load->count && !arena_is_exhausted(resolver->arena); i++) {
        struct ast_load_name *name = &stmt->as.load->names[i];
        if (!star_check_load_name(name, resolver->report)) {
            continue;
        }
        struct use use = use_new(resolver, &name->to, name->to_span);
        use.is_target = true;
        name->to.binding = place->scope == NULL
                               ? resolver_bind_loaded(resolver, name->to.text, name->to_span)
                               : resolver_bind_local(resolver, name->to.text, name->to_span);
        LIST_PUSH(resolver->arena, &resolver->uses, use);
    }
}

static void resolve_def(struct resolver *resolver, struct ast_stmt *stmt) {
    resolve_function(resolver, stmt->as.def.function);
    if (stmt->as.def.name.text.size > 0) { // else the name could not be parsed
        resolve_target_name(resolver, &stmt->as.def.name, stmt->as.def.function->name_span, false);
    }
}

static void check_jump(struct resolver *resolver, const struct ast_stmt *stmt) {
    if (resolver->place.loops == 0) {
        report_at(resolver, stmt,
                  stmt->kind == STMT_BREAK ? "break not in a loop" : "continue not in a loop");
    }
}

// Flat: one case a kind.
static void resolve_stmt(struct resolver *resolver, struct ast_stmt *stmt) {
    switch (stmt->kind) {
    case STMT_ERROR:
        resolve_suite(resolver, stmt->as.block);
        break;
    case STMT_EXPR:
        resolve_expr(resolver, stmt->as.expr);
        break;
    case STMT_ASSIGN:
        resolve_expr(resolver, stmt->as.assign.value);
        resolve_target(resolver, stmt->as.assign.target, stmt->as.assign.op != OP_NONE);
        break;
    case STMT_DEF:
        resolve_def(resolver, stmt);
        break;
    case STMT_RETURN:
        if (at_top_level(resolver)) {
            report_at(resolver, stmt, "return statement not within a function");
        }
        if (stmt->as.expr != NULL) {
            resolve_expr(resolver, stmt->as.expr);
        }
        break;
    case STMT_IF:
        resolve_if(resolver, &stmt->as.branch);
        break;
    case STMT_FOR:
        resolve_for(resolver, stmt);
        break;
    case STMT_WHILE:
        resolve_while(resolver, stmt);
        break;
    case STMT_BREAK:
    case STMT_CONTINUE:
        check_jump(resolver, stmt);
        break;
    case STMT_PASS:
        break;
    case STMT_LOAD:
        resolve_load(resolver, stmt);
        break;
    }
}

static void resolve_body(struct resolver *resolver, struct ast_stmt *first) {
    for (struct ast_stmt *stmt = first; stmt != NULL && !arena_is_exhausted(resolver->arena);
         stmt = stmt->next) {
        resolve_stmt(resolver, stmt);
    }
}

// ---- the file -----------------------------------------------------------------------------------

static void fill_names(struct map *map, struct arena *arena, const struct star_names *names) {
    map_init(map, arena);
    for (size_t i = 0; i < names->count; i++) {
        map_set(map, str_from(names->names[i]), (void *)(uintptr_t)(i + 1));
    }
}

void star_resolve(struct arena *arena, struct ast_file *file,
                  const struct star_resolve_options *options, struct star_report *report) {
    struct resolver resolver = {.arena = arena,
                                .file = file,
                                .options = options,
                                .report = report,
                                .place = {.function = file->top}};
    map_init(&resolver.globals, arena);
    map_init(&resolver.loaded, arena);
    fill_names(&resolver.predeclared, arena, &options->predeclared);
    fill_names(&resolver.universe, arena, &options->universe);
    LIST_PUSH(arena, &resolver.functions, file->top);
    resolve_suite(&resolver, file->top->body);
    resolver_look_up_uses(&resolver);
    for (size_t i = 0; i < resolver.functions.count; i++) {
        resolver_finish_function(&resolver, resolver.functions.items[i]);
    }
}
