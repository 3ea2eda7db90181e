#ifndef STARLARK_RESOLVER_STATE_H
#define STARLARK_RESOLVER_STATE_H

// What resolver.c (the walk), resolver_binding.c (what binds names) and resolver_lookup.c (what
// names stand for) share.  How they work together is told in resolver.c.

#include "starlark/resolver.h"

#include "base/map.h"

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

// ---- resolver_binding.c -------------------------------------------------------------------------

void resolver_suite_open(struct resolver *resolver);
void resolver_suite_close(struct resolver *resolver);
// Whether everything from here to the end of the open suites runs behind a binding of it.
bool resolver_is_surely_set(const struct resolver *resolver, const struct ast_binding *binding);
// What follows may run again and again.
void resolver_repeat_begin(struct resolver *resolver);
void resolver_repeat_end(struct resolver *resolver);
struct ast_binding *resolver_bind_local(struct resolver *resolver, str name, struct ast_span span);
struct ast_binding *resolver_bind_global(struct resolver *resolver, str name, struct ast_span span);
// A name that load binds hides a global of the same name from here on (script only).
struct ast_binding *resolver_bind_loaded(struct resolver *resolver, str name, struct ast_span span);
// The global or loaded name bound so far; NULL: none.
struct ast_binding *resolver_module_lookup(const struct resolver *resolver, str name);

// ---- resolver_lookup.c --------------------------------------------------------------------------

// Finds what every use stands for, and reports what is undefined.
void resolver_look_up_uses(struct resolver *resolver);
// Notes which captures and locals are cells.
void resolver_finish_function(struct resolver *resolver, struct ast_function *function);

#endif
