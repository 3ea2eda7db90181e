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
#include "starlark/resolver.h"

#include "base/list.h"
#include "base/suggest.h"
#include "starlark/check.h"

enum { SUGGESTIONS_MAX = 200 }; // undefined names that get a suggestion: each looks at all names

// A block of names: a function's, or a comprehension's within one.  The module has its own tables.
struct scope {
    struct scope *parent; // NULL: the module
    struct ast_function *function;
    struct map names; // struct ast_binding *
};

struct use {
    struct ast_name *name;
    struct ast_span span;
    struct scope *scope; // NULL: the module
    struct ast_function *function;
    struct ast_binding *set; // the binding that is surely set here, if the name is this one
    bool is_target;          // name->binding is known
    bool is_early;           // of the module's names, only those bound so far count
    struct ast_binding *early;
};

struct function_list {
    struct ast_function **items;
    size_t count;
    size_t capacity;
};

// Where the walk is within one function.
struct place {
    struct scope *scope;
    struct ast_function *function;
    uint32_t loops;        // for and while statements around
    uint32_t conditionals; // if statements around
    uint32_t repeats;      // loops and comprehensions around
    uint32_t repeat_start; // the clock at the outermost of these
};

struct resolver {
    struct arena *arena;
    struct ast_file *file;
    const struct star_resolve_options *options;
    struct star_report *report;
    struct map globals;     // struct ast_binding *
    struct map loaded;      // struct ast_binding *, hides globals
    struct map predeclared; // index + 1 as a pointer
    struct map universe;    // index + 1 as a pointer
    struct place place;
    uint32_t clock;
    struct {
        struct use *items;
        size_t count;
        size_t capacity;
    } uses;
    struct function_list functions;
    struct { // numbers of the open suites, outermost first
        uint32_t *items;
        size_t count;
        size_t capacity;
    } suites;
    uint32_t suite_number;
    uint32_t suggestions;
};

// ---- suites and loops ---------------------------------------------------------------------------

static void suite_open(struct resolver *resolver) {
    resolver->suite_number++;
    LIST_PUSH(resolver->arena, &resolver->suites, resolver->suite_number);
}

static void suite_close(struct resolver *resolver) {
    resolver->suites.count -= resolver->suites.count > 0; // its opening may have found no room
}

static bool is_surely_set(const struct resolver *resolver, const struct ast_binding *binding) {
    const uint32_t depth = binding->work.set_depth;
    return depth > 0 && depth <= resolver->suites.count &&
           resolver->suites.items[depth - 1] == binding->work.set_block;
}

// What follows may run again and again.
static void repeat_begin(struct resolver *resolver) {
    struct place *place = &resolver->place;
    place->function->has_loop = true;
    if (place->repeats++ == 0) {
        place->repeat_start = ++resolver->clock;
    }
}

static void repeat_end(struct resolver *resolver) {
    resolver->place.repeats--;
}

// ---- bindings -----------------------------------------------------------------------------------

// Notes that the program binds the variable here.
static void binding_touch(struct resolver *resolver, struct ast_binding *binding, bool is_new) {
    binding->is_rebound = binding->is_rebound || !is_new || resolver->place.repeats > 0;
    binding->work.last_bound = ++resolver->clock;
    if (resolver->suites.count > 0 && !is_surely_set(resolver, binding)) {
        binding->work.set_depth = (uint32_t)resolver->suites.count;
        binding->work.set_block = resolver->suites.items[resolver->suites.count - 1];
    }
}

static struct ast_binding *binding_new(struct resolver *resolver, str name, struct ast_span span) {
    struct ast_binding *binding = ARENA_NEW(resolver->arena, struct ast_binding);
    binding->name = name;
    binding->first = span;
    return binding;
}

static struct ast_binding *bind_local(struct resolver *resolver, str name, struct ast_span span) {
    struct scope *scope = resolver->place.scope;
    struct ast_binding *binding = map_get(&scope->names, name);
    const bool is_new = binding == NULL;
    if (is_new) {
        struct ast_function *function = scope->function;
        binding = binding_new(resolver, name, span);
        binding->owner = function;
        binding->index = function->local_count;
        if (list_reserve(resolver->arena, (void **)&function->locals, function->local_count,
                         &function->work.local_capacity, sizeof(struct ast_binding *))) {
            function->locals[function->local_count++] = binding;
        }
        map_set(&scope->names, name, binding);
    }
    binding_touch(resolver, binding, is_new);
    return binding;
}

static struct ast_binding *module_slot_new(struct resolver *resolver, struct map *table, str name,
                                           struct ast_span span) {
    struct ast_file *file = resolver->file;
    struct ast_binding *binding = binding_new(resolver, name, span);
    binding->is_global = true;
    binding->is_loaded = table == &resolver->loaded;
    binding->index = file->global_count;
    if (list_reserve(resolver->arena, (void **)&file->globals, file->global_count,
                     &file->global_capacity, sizeof(struct ast_binding *))) {
        file->globals[file->global_count++] = binding;
    }
    map_set(table, name, binding);
    return binding;
}

static struct ast_binding *module_lookup(const struct resolver *resolver, str name) {
    struct ast_binding *binding = map_get(&resolver->loaded, name);
    return binding != NULL ? binding : map_get(&resolver->globals, name);
}

static void check_reassignment(struct resolver *resolver, const struct ast_binding *binding,
                               struct ast_span span) {
    if (resolver->options->dialect != STAR_DIALECT_SCRIPT) {
        star_report_add(resolver->report, span,
                        "cannot reassign global " STR_FORMAT " declared at " STR_FORMAT ":%u:%u",
                        STR_ARGS(binding->name), STR_ARGS(resolver->file->path),
                        binding->first.start.line, binding->first.start.column);
    }
}

static struct ast_binding *bind_global(struct resolver *resolver, str name, struct ast_span span) {
    struct ast_binding *binding = module_lookup(resolver, name);
    const bool is_new = binding == NULL;
    if (is_new) {
        binding = module_slot_new(resolver, &resolver->globals, name, span);
    } else {
        check_reassignment(resolver, binding, span);
    }
    binding_touch(resolver, binding, is_new);
    return binding;
}

// A name that load binds hides a global of the same name from here on (script only).
static struct ast_binding *bind_loaded(struct resolver *resolver, str name, struct ast_span span) {
    const struct ast_binding *known = module_lookup(resolver, name);
    if (known != NULL) {
        check_reassignment(resolver, known, span);
    }
    struct ast_binding *binding = map_get(&resolver->loaded, name);
    const bool is_new = binding == NULL;
    if (is_new) {
        binding = module_slot_new(resolver, &resolver->loaded, name, span);
    }
    binding_touch(resolver, binding, is_new);
    return binding;
}

// ---- uses ---------------------------------------------------------------------------------------

// The binding that the name has by what was seen so far in this function, when it is surely set.
static struct ast_binding *set_binding(struct resolver *resolver, str name) {
    const struct ast_function *function = resolver->place.function;
    for (struct scope *scope = resolver->place.scope; scope != NULL && scope->function == function;
         scope = scope->parent) {
        struct ast_binding *binding = map_get(&scope->names, name);
        if (binding != NULL) {
            return is_surely_set(resolver, binding) ? binding : NULL;
        }
    }
    if (function != resolver->file->top) {
        return NULL;
    }
    struct ast_binding *binding = module_lookup(resolver, name);
    return binding != NULL && is_surely_set(resolver, binding) ? binding : NULL;
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
        use.early = module_lookup(resolver, name->text);
    }
    LIST_PUSH(resolver->arena, &resolver->uses, use);
}

// `is_read`: an augmented assignment uses the name before it binds it.
static void resolve_target_name(struct resolver *resolver, struct ast_name *name,
                                struct ast_span span, bool is_read) {
    struct use use = use_new(resolver, name, span);
    use.is_target = true;
    use.set = is_read ? set_binding(resolver, name->text) : NULL;
    name->binding = use.scope == NULL ? bind_global(resolver, name->text, span)
                                      : bind_local(resolver, name->text, span);
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
    repeat_begin(resolver);
    suite_open(resolver);
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
    suite_close(resolver);
    repeat_end(resolver);
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
    param->binding = bind_local(resolver, param->name, param->span);
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
    suite_open(resolver);
    bind_parameters(resolver, function);
    if (function->value != NULL) {
        resolve_expr(resolver, function->value);
    } else {
        resolve_body(resolver, function->body);
    }
    suite_close(resolver);
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
    suite_open(resolver);
    resolve_body(resolver, first);
    suite_close(resolver);
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
    repeat_begin(resolver);
    resolver->place.loops++;
    suite_open(resolver);
    resolve_target(resolver, stmt->as.loop.targets, false);
    resolve_body(resolver, stmt->as.loop.body);
    suite_close(resolver);
    resolver->place.loops--;
    repeat_end(resolver);
}

static void resolve_while(struct resolver *resolver, const struct ast_stmt *stmt) {
    check_control_flow(resolver, stmt->pos, STR("while"), "while loop");
    repeat_begin(resolver);
    resolver->place.loops++;
    resolve_expr(resolver, stmt->as.loop.operand);
    resolve_suite(resolver, stmt->as.loop.body);
    resolver->place.loops--;
    repeat_end(resolver);
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
                               ? bind_loaded(resolver, name->to.text, name->to_span)
                               : bind_local(resolver, name->to.text, name->to_span);
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

// ---- looking up ---------------------------------------------------------------------------------

// The entry of `function`'s captures for a variable of a function around it.
static uint32_t capture(struct resolver *resolver, struct ast_function *function,
                        struct ast_binding *binding) {
    const str key = {(const char *)&binding, sizeof(binding)};
    const uintptr_t known = (uintptr_t)map_get(&function->work.capture_index, key);
    if (known != 0) {
        return (uint32_t)(known - 1);
    }
    struct ast_capture entry = {.binding = binding, .index = binding->index};
    if (function->parent == binding->owner) {
        binding->is_captured = true;
        binding->needs_cell =
            binding->needs_cell || binding->work.last_bound >= function->work.capture_from;
    } else {
        entry.from_free = true;
        entry.index = capture(resolver, function->parent, binding);
    }
    if (!list_reserve(resolver->arena, (void **)&function->captures, function->capture_count,
                      &function->work.capture_capacity, sizeof(struct ast_capture))) {
        return 0;
    }
    function->captures[function->capture_count++] = entry;
    function->work.capture_index.arena = resolver->arena;
    map_set(&function->work.capture_index, key, (void *)(uintptr_t)function->capture_count);
    return function->capture_count - 1;
}

static void add_names(struct arena *arena, struct str_list *names, const struct map *map, str not) {
    for (size_t i = 0; i < map->count; i++) {
        if (!str_equal(map->entries[i].key, not)) {
            str_list_push(arena, names, map->entries[i].key);
        }
    }
}

// The nearest visible name, or nothing; to one letter every other would be near.
static str suggestion(struct resolver *resolver, const struct use *use) {
    if (use->name->text.size < 2 || resolver->suggestions++ >= SUGGESTIONS_MAX) {
        return (str){NULL, 0};
    }
    struct arena *scratch = resolver->arena;
    const struct arena_mark mark = arena_mark(scratch);
    const str name = use->name->text;
    struct str_list names = {0};
    for (const struct scope *scope = use->scope; scope != NULL; scope = scope->parent) {
        add_names(scratch, &names, &scope->names, name);
    }
    add_names(scratch, &names, &resolver->globals, name);
    add_names(scratch, &names, &resolver->loaded, name);
    add_names(scratch, &names, &resolver->predeclared, name);
    add_names(scratch, &names, &resolver->universe, name);
    const str near = suggest(name, &names);
    arena_rewind(scratch, mark);
    return near;
}

static void report_undefined(struct resolver *resolver, const struct use *use) {
    const str name = use->name->text;
    if (map_has(&resolver->file->unsure_names, name)) {
        return;
    }
    const str near = suggestion(resolver, use);
    if (near.size > 0) {
        star_report_add(resolver->report, use->span,
                        "undefined: " STR_FORMAT " (did you mean " STR_FORMAT "?)", STR_ARGS(name),
                        STR_ARGS(near));
    } else {
        star_report_add(resolver->report, use->span, "undefined: " STR_FORMAT, STR_ARGS(name));
    }
}

static struct ast_binding *lookup_lexical(const struct use *use) {
    for (const struct scope *scope = use->scope; scope != NULL; scope = scope->parent) {
        struct ast_binding *binding = map_get(&scope->names, use->name->text);
        if (binding != NULL) {
            return binding;
        }
    }
    return NULL;
}

// Name lists hold index + 1 as pointers: 0 is "not there".
static bool lookup_listed(struct ast_name *name, const struct map *list, enum ast_scope scope) {
    const uintptr_t found = (uintptr_t)map_get(list, name->text);
    if (found == 0) {
        return false;
    }
    name->scope = scope;
    name->index = (uint32_t)(found - 1);
    return true;
}

// Finds what the name stands for.
static void lookup(struct resolver *resolver, const struct use *use) {
    struct ast_binding *binding = lookup_lexical(use);
    if (binding == NULL) {
        binding = use->is_early ? use->early : module_lookup(resolver, use->name->text);
    }
    use->name->binding = binding;
    if (binding == NULL && !lookup_listed(use->name, &resolver->predeclared, SCOPE_PREDECLARED) &&
        !lookup_listed(use->name, &resolver->universe, SCOPE_UNIVERSE)) {
        report_undefined(resolver, use);
    }
}

static bool is_free(const struct use *use) {
    return !use->name->binding->is_global && use->name->binding->owner != use->function;
}

// Which slot holds the variable, now that it is known which variables are cells.
static void place_use(struct resolver *resolver, const struct use *use) {
    struct ast_name *name = use->name;
    const struct ast_binding *binding = name->binding;
    name->index = binding->index;
    name->is_surely_set = use->set == binding;
    if (binding->is_global) {
        name->scope = SCOPE_GLOBAL;
    } else if (binding->owner == use->function) {
        name->scope = binding->needs_cell ? SCOPE_CELL : SCOPE_LOCAL;
    } else {
        name->scope = binding->needs_cell ? SCOPE_FREE_CELL : SCOPE_FREE;
        name->index = capture(resolver, use->function, name->binding);
    }
}

static void resolve_uses(struct resolver *resolver) {
    const struct arena *arena = resolver->arena;
    for (size_t i = 0; i < resolver->uses.count && !arena_is_exhausted(arena); i++) {
        const struct use *use = &resolver->uses.items[i];
        if (!use->is_target) {
            lookup(resolver, use);
        }
        if (use->name->binding != NULL && is_free(use)) {
            (void)capture(resolver, use->function, use->name->binding);
        }
    }
    for (size_t i = 0; i < resolver->uses.count && !arena_is_exhausted(arena); i++) {
        if (resolver->uses.items[i].name->binding != NULL) {
            place_use(resolver, &resolver->uses.items[i]);
        }
    }
}

static void finish_function(struct resolver *resolver, struct ast_function *function) {
    for (uint32_t i = 0; i < function->capture_count; i++) {
        function->captures[i].is_cell = function->captures[i].binding->needs_cell;
    }
    for (uint32_t i = 0; i < function->local_count; i++) {
        if (function->locals[i]->needs_cell) {
            if (list_reserve(resolver->arena, (void **)&function->cells, function->cell_count,
                             &function->work.cell_capacity, sizeof(uint32_t))) {
                function->cells[function->cell_count++] = i;
            }
        }
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
    resolve_uses(&resolver);
    for (size_t i = 0; i < resolver.functions.count; i++) {
        finish_function(&resolver, resolver.functions.items[i]);
    }
}
