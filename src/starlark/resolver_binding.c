// Names that are bound, with when and where: what the decisions on cells rest on (resolver.c).
#include "starlark/resolver_state.h"

#include "base/list.h"

// ---- suites and loops ---------------------------------------------------------------------------

void resolver_suite_open(struct resolver *resolver) {
    resolver->suite_number++;
    LIST_PUSH(resolver->arena, &resolver->suites, resolver->suite_number);
}

void resolver_suite_close(struct resolver *resolver) {
    resolver->suites.count -= resolver->suites.count > 0; // its opening may have found no room
}

bool resolver_is_surely_set(const struct resolver *resolver, const struct ast_binding *binding) {
    const uint32_t depth = binding->work.set_depth;
    return depth > 0 && depth <= resolver->suites.count &&
           resolver->suites.items[depth - 1] == binding->work.set_block;
}

void resolver_repeat_begin(struct resolver *resolver) {
    struct place *place = &resolver->place;
    place->function->has_loop = true;
    if (place->repeats++ == 0) {
        place->repeat_start = ++resolver->clock;
    }
}

void resolver_repeat_end(struct resolver *resolver) {
    resolver->place.repeats--;
}

// ---- bindings -----------------------------------------------------------------------------------

// Notes that the program binds the variable here.
static void binding_touch(struct resolver *resolver, struct ast_binding *binding, bool is_new) {
    binding->is_rebound = binding->is_rebound || !is_new || resolver->place.repeats > 0;
    binding->work.last_bound = ++resolver->clock;
    if (resolver->suites.count > 0 && !resolver_is_surely_set(resolver, binding)) {
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

struct ast_binding *resolver_bind_local(struct resolver *resolver, str name, struct ast_span span) {
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

struct ast_binding *resolver_module_lookup(const struct resolver *resolver, str name) {
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

struct ast_binding *resolver_bind_global(struct resolver *resolver, str name,
                                         struct ast_span span) {
    struct ast_binding *binding = resolver_module_lookup(resolver, name);
    const bool is_new = binding == NULL;
    if (is_new) {
        binding = module_slot_new(resolver, &resolver->globals, name, span);
    } else {
        check_reassignment(resolver, binding, span);
    }
    binding_touch(resolver, binding, is_new);
    return binding;
}

struct ast_binding *resolver_bind_loaded(struct resolver *resolver, str name,
                                         struct ast_span span) {
    const struct ast_binding *known = resolver_module_lookup(resolver, name);
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
