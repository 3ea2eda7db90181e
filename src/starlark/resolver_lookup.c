// What each name stands for, when the file is known whole; captures and cells.
#include "starlark/resolver_state.h"

#include "base/list.h"
#include "base/suggest.h"

enum { SUGGESTIONS_MAX = 200 }; // undefined names that get a suggestion: each looks at all names

// The entry of `function`'s captures for a variable of a function around it.
static uint32_t capture(struct resolver *resolver, struct ast_function *function,
                        struct ast_binding *binding) {
    const str key = {(const char *)&binding, sizeof(struct ast_binding *)};
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
        binding = use->is_early ? use->early : resolver_module_lookup(resolver, use->name->text);
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

void resolver_look_up_uses(struct resolver *resolver) {
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

void resolver_finish_function(struct resolver *resolver, struct ast_function *function) {
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
