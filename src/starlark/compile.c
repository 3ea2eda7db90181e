// Compiling a function, and a whole file into a program.

#include "starlark/builtins.h"
#include "starlark/compiler.h"
#include "starlark/parser.h"
#include "starlark/resolver.h"
#include "starlark/shape.h"
#include "starlark/thread.h"

#include <stdio.h>

enum { STEP_COST_MAX = 64 };

static void compile_parameters(struct compiler *c, struct star_code *code) {
    const struct ast_function *function = c->function;
    struct arena *arena = c->build->arena;
    const size_t named = function->positional_count + (size_t)function->keyword_only_count;
    star_value *names = ARENA_TRY_ARRAY(arena, star_value, named);
    int32_t *defaults = ARENA_TRY_ARRAY(arena, int32_t, named);
    int32_t default_index = 0;
    size_t n = 0;
    if (names == NULL || defaults == NULL) {
        return; // compile_code gives up
    }
    for (size_t i = 0; i < function->param_count; i++) {
        const struct ast_param *param = &function->params[i];
        if (param->kind == PARAM_REQUIRED || param->kind == PARAM_OPTIONAL) {
            names[n] = star_build_string(c->build, param->name);
            defaults[n++] = param->value != NULL ? default_index++ : -1;
        }
    }
    code->positional_count = function->positional_count;
    code->keyword_only_count = function->keyword_only_count;
    code->default_count = (uint32_t)default_index;
    code->parameter_names = names;
    code->default_indexes = defaults;
    code->has_args = function->has_args;
    code->has_kwargs = function->has_kwargs;
    // The core dialect looks for recursion at every call: the long way.
    code->is_simple = !function->has_args && !function->has_kwargs &&
                      function->keyword_only_count == 0 &&
                      c->build->program->dialect != STAR_DIALECT_CORE;
}

static void compile_captures(struct compiler *c, struct star_code *code) {
    const struct ast_function *function = c->function;
    struct star_capture *captures =
        ARENA_TRY_ARRAY(c->build->arena, struct star_capture, function->capture_count);
    if (captures == NULL) {
        return;
    }
    for (uint32_t i = 0; i < function->capture_count; i++) {
        captures[i] = (struct star_capture){(uint16_t)function->captures[i].index,
                                            function->captures[i].from_free};
    }
    code->captures = captures;
    code->capture_count = function->capture_count;
}

static unsigned parameter_slots(const struct ast_function *function) {
    return function->positional_count + function->keyword_only_count + function->has_args +
           function->has_kwargs;
}

static void compile_body(struct compiler *c) {
    const struct ast_function *function = c->function;
    const unsigned parameters = parameter_slots(function);
    c->pos = function->pos;
    // Becomes UNSET of the locals when one may be read before it is assigned.
    star_emit_offset(c, STAR_BC_UNSET, 0, parameters, 0);
    for (uint32_t i = 0; i < function->cell_count; i++) {
        star_emit(c, STAR_BC_MAKE_CELL, function->cells[i] >= parameters, function->cells[i], 0, 0);
    }
    if (function->value != NULL) {
        const unsigned value = star_compile_any(c, function->value);
        star_emit(c, STAR_BC_RETURN, 0, value, 0, 0);
    } else {
        star_compile_block(c, function->body);
        star_emit(c, STAR_BC_RETURN_NONE, 0, 0, 0, 0);
    }
    if (c->needs_unset && c->words.count > 0) {
        c->words.items[0] = star_word_offset(STAR_BC_UNSET, 0, parameters,
                                             (int32_t)(function->local_count - parameters));
    }
}

struct star_code *star_compile_code(struct star_build *build, const struct ast_function *function) {
    struct compiler c = {.build = build,
                         .function = function,
                         .next = function->local_count,
                         .highest = function->local_count};
    map_init(&c.string_constants, build->arena);
    struct star_code *code = ARENA_NEW(build->arena, struct star_code);
    code->program = build->program;
    code->name = str_to_cstring(build->arena, function->name);
    code->line = function->pos.line;
    code->column = function->pos.column;
    c.too_large = function->local_count > STAR_REGISTERS_MAX;
    compile_parameters(&c, code);
    compile_captures(&c, code);
    compile_body(&c);
    if (star_build_is_out_of_memory(build)) {
        return code;
    }
    // Instructions hold the index of a cache in 16 bits.
    if (c.too_large || c.cache_count > UINT16_MAX) {
        star_report_add(build->report, (struct ast_span){function->pos, function->pos},
                        "function %s is too large", code->name);
    }
    // The first word is dropped when the locals need no clearing: everything is relative.
    const uint32_t skip = c.needs_unset ? 0 : 1;
    for (size_t i = 0; i < c.positions.count; i++) {
        c.positions.items[i].pc -= c.positions.items[i].pc > 0 ? skip : 0;
    }
    for (size_t i = 0; i < c.far_jumps.count; i++) {
        c.far_jumps.items[i].pc -= skip;
    }
    code->words = c.words.items + skip;
    code->word_count = (uint32_t)c.words.count - skip;
    code->constants = c.constants.items;
    code->constant_count = (uint32_t)c.constants.count;
    code->codes = c.codes.items;
    code->code_count = (uint32_t)c.codes.count;
    code->register_count = c.highest + 1;
    code->cache_count = c.cache_count;
    code->step_cost = code->word_count < STEP_COST_MAX ? code->word_count : STEP_COST_MAX;
    code->positions = c.positions.items;
    code->position_count = (uint32_t)c.positions.count;
    code->far_jumps = c.far_jumps.items;
    code->far_jump_count = (uint32_t)c.far_jumps.count;
    return code;
}

// ---- the file -----------------------------------------------------------------------------------

static struct star_names universe_names(struct arena *arena) {
    const char **names = ARENA_ARRAY(arena, const char *, star_universe.count + 3);
    names[0] = "None";
    names[1] = "True";
    names[2] = "False";
    for (size_t i = 0; i < star_universe.count; i++) {
        names[i + 3] = star_universe.items[i].name;
    }
    return (struct star_names){names, star_universe.count + 3};
}

static void program_globals(struct star_program *program, const struct ast_file *file,
                            const struct star_source *source) {
    struct arena *arena = &program->arena;
    program->globals = ARENA_TRY_ARRAY(arena, struct star_global, file->global_count);
    program->global_count = file->global_count;
    for (uint32_t i = 0; i < file->global_count && !arena_is_exhausted(arena); i++) {
        program->globals[i] = (struct star_global){str_to_cstring(arena, file->globals[i]->name),
                                                   file->globals[i]->is_loaded};
    }
    const char **predeclared = ARENA_TRY_ARRAY(arena, const char *, source->predeclared.count);
    for (size_t i = 0; i < source->predeclared.count && !arena_is_exhausted(arena); i++) {
        predeclared[i] = str_to_cstring(arena, str_from(source->predeclared.names[i]));
    }
    program->predeclared = predeclared;
    program->predeclared_count = (uint32_t)source->predeclared.count;
}

// NULL when not even this much memory is there.
static struct star_program *program_new(const struct star_source *source) {
    struct arena_supply supply;
    arena_supply_init(&supply, source->allocate, source->allocate_user, source->memory_bytes,
                      STAR_PARSE_RESERVE);
    struct star_program *program =
        supply.is_exhausted ? NULL : supply.allocate(supply.user, NULL, 0, sizeof(*program));
    if (program == NULL) {
        arena_supply_done(&supply);
        return NULL;
    }
    *program = (struct star_program){.references = 1, .dialect = source->dialect, .supply = supply};
    arena_init_supplied(&program->arena, &program->supply);
    program->file = str_to_cstring(&program->arena, str_from(source->file));
    program->thread = star_thread_new(&(struct star_thread_options){
        .limits = {.memory_bytes = source->memory_bytes},
        .allocate = source->allocate,
        .allocate_user = source->allocate_user,
    });
    if (program->thread != NULL) {
        program->thread->heap.new_flags = STAR_FLAG_FROZEN | STAR_FLAG_PINNED | STAR_FLAG_SHARED;
    }
    return program;
}

static bool program_build(struct star_program *program, const struct star_source *source,
                          struct arena *scratch, struct star_report *report) {
    if (program->thread == NULL) {
        return false;
    }
    struct ast_file *file =
        star_parse(scratch, str_from(program->file), (str){source->text, source->size}, report);
    if (source->result_name != NULL) {
        star_parse_name_result(scratch, file, str_from(source->result_name));
    }
    const struct star_resolve_options options = {source->dialect, source->predeclared,
                                                 universe_names(scratch)};
    star_resolve(scratch, file, &options, report);
    if (report->total > 0 || arena_is_exhausted(scratch)) {
        return false;
    }
    struct arena *arena = &program->arena;
    struct star_build build = {.program = program,
                               .arena = arena,
                               .report = report,
                               .thread = program->thread,
                               .file = file};
    map_init(&build.strings, arena);
    program_globals(program, file, source);
    program->top = star_compile_code(&build, file->top);
    return !star_build_is_out_of_memory(&build) && report->total == 0;
}

// Why there is no program though the source may have no error.
static void diagnose_memory(const struct star_program *program,
                            struct star_diagnostics *diagnostics) {
    char *text = diagnostics->failure;
    const size_t size = sizeof(diagnostics->failure);
    const struct arena_supply *supply = &program->supply;
    if (supply->is_exhausted && supply->is_limited) {
        (void)snprintf(text, size, "memory limit of %zu bytes exceeded", supply->limit_bytes);
    } else if (!supply->is_exhausted && program->thread != NULL &&
               star_thread_error(program->thread)->status == STAR_LIMIT) {
        (void)snprintf(text, size, "%s", star_thread_error(program->thread)->message);
    } else {
        (void)snprintf(text, size, "out of memory");
    }
}

static void diagnose(const struct star_program *program, struct star_report *report,
                     struct star_diagnostics *diagnostics) {
    const bool is_whole = !program->supply.is_exhausted;
    if (!is_whole || report->total == 0 || !star_report_publish(report, diagnostics)) {
        star_diagnostics_free(diagnostics);
        diagnose_memory(program, diagnostics);
    }
}

struct star_program *star_compile(const struct star_source *source,
                                  struct star_diagnostics *diagnostics) {
    struct star_diagnostics dropped = {0};
    diagnostics = diagnostics != NULL ? diagnostics : &dropped;
    *diagnostics = (struct star_diagnostics){0};
    struct star_program *program = program_new(source);
    if (program == NULL) {
        (void)snprintf(diagnostics->failure, sizeof(diagnostics->failure), "out of memory");
        return NULL;
    }
    struct arena scratch;
    arena_init_supplied(&scratch, &program->supply);
    struct star_report report;
    star_report_init(&report, &scratch);
    const bool is_built = program_build(program, source, &scratch, &report);
    if (!is_built) {
        diagnose(program, &report, diagnostics);
    }
    arena_done(&scratch);
    arena_supply_done(&program->supply);
    if (is_built) {
        return program;
    }
    if (diagnostics == &dropped) {
        star_diagnostics_free(diagnostics);
    }
    star_program_free(program);
    return NULL;
}

struct star_program *star_program_keep(struct star_program *program) {
    __atomic_fetch_add(&program->references, 1, __ATOMIC_RELAXED);
    return program;
}

void star_program_free(struct star_program *program) {
    if (program == NULL || __atomic_sub_fetch(&program->references, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    star_thread_free(program->thread);
    arena_done(&program->arena);
    const struct arena_supply supply = program->supply;
    (void)supply.allocate(supply.user, program, sizeof(*program), 0);
}

const char *star_program_file(const struct star_program *program) {
    return program->file;
}
