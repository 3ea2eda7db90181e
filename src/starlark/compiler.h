#ifndef STARLARK_COMPILER_H
#define STARLARK_COMPILER_H

// From a resolved tree to bytecode; shared by compile*.c.
//
// One struct compiler a function being compiled.  Registers: the function's locals by slot, then
// temporaries as a stack (`next`).  Everything is in the program's arena.
// Errors: `failed` is set when memory is out; "function too large" goes to the report.

#include "base/list.h"
#include "base/map.h"
#include "starlark/ast.h"
#include "starlark/code.h"
#include "starlark/report.h"

enum { STAR_REGISTERS_MAX = 60000 };

struct star_words {
    uint64_t *items;
    size_t count;
    size_t capacity;
};
struct star_positions {
    struct star_position *items;
    size_t count;
    size_t capacity;
};
struct star_constants {
    star_value *items;
    size_t count;
    size_t capacity;
};
struct star_codes {
    struct star_code **items;
    size_t count;
    size_t capacity;
};
struct star_far_jumps {
    struct star_far_jump *items;
    size_t count;
    size_t capacity;
};
// Jumps that wait for their target.
struct star_patches {
    uint32_t *items;
    size_t count;
    size_t capacity;
};

struct star_loop {
    struct star_loop *outer;
    struct star_patches breaks;
    uint32_t start; // where `continue` goes
    bool is_for;
    unsigned iterator; // registers of the iteration, when is_for
};

struct star_build {
    struct star_program *program;
    struct arena *arena;
    struct star_report *report;
    struct star_thread *thread; // whose heap holds the constants
    const struct ast_file *file;
    struct map strings; // star_value* by text: one object a text
    bool failed;
};

struct compiler {
    struct star_build *build;
    const struct ast_function *function;
    struct star_words words;
    struct star_positions positions;
    struct star_constants constants;
    struct star_codes codes;
    struct star_far_jumps far_jumps;
    struct map string_constants; // index + 1 by text
    struct star_loop *loop;
    struct ast_pos pos; // of the next instruction
    unsigned next;      // first free register
    unsigned highest;
    uint32_t cache_count;
    bool needs_unset; // some local may be read before it is assigned
    bool too_large;
};

// emit.c
// Whether the program is given up; sets `failed`.  Asked before every expression and statement.
bool star_build_is_out_of_memory(struct star_build *build);
void star_emit(struct compiler *c, enum star_opcode op, unsigned x, unsigned a, unsigned b,
               unsigned operand_c);
void star_emit_offset(struct compiler *c, enum star_opcode op, unsigned x, unsigned a,
                      int32_t offset);
uint32_t star_here(const struct compiler *c);
// Emits a jump and adds it to `patches`.
void star_emit_jump(struct compiler *c, enum star_opcode op, unsigned x, unsigned a, unsigned b,
                    struct star_patches *patches);
// All jumps of `patches` go to the next instruction.
void star_patch(struct compiler *c, struct star_patches *patches);
void star_patch_to(struct compiler *c, uint32_t at, uint32_t target);
unsigned star_temp(struct compiler *c);
unsigned star_constant(struct compiler *c, star_value value);
unsigned star_constant_text(struct compiler *c, str text);
star_value star_build_string(struct star_build *build, str text);
// A constant into a register, by the shortest instruction.
void star_emit_constant(struct compiler *c, star_value value, unsigned into);

// compile_expression.c
void star_compile_into(struct compiler *c, const struct ast_expr *expr, unsigned into);
// The register that holds the value: a local's own, or a new temporary.
unsigned star_compile_any(struct compiler *c, const struct ast_expr *expr);
// Jumps (to be patched) when the truth of `expr` is `when`; falls through else.
void star_compile_branch(struct compiler *c, const struct ast_expr *expr, bool when,
                         struct star_patches *patches);
void star_compile_name(struct compiler *c, const struct ast_name *name, struct ast_pos pos,
                       unsigned into);
// A builtin of the universe as a constant.
star_value star_universe_value(struct compiler *c, const struct star_builtin *builtin);
void star_compile_function(struct compiler *c, const struct ast_function *function, unsigned into);
// Is one instruction, reading before writing, so that a local may be its target.
bool star_writes_last(const struct ast_expr *expr);
void star_compile_binary_op(struct compiler *c, enum ast_op op, unsigned into, unsigned left,
                            unsigned right);

// compile_statement.c
void star_compile_block(struct compiler *c, const struct ast_stmt *first);
// Gives the value of a register to a target.
void star_compile_store(struct compiler *c, const struct ast_expr *target, unsigned from);
void star_compile_store_name(struct compiler *c, const struct ast_name *name, unsigned from);
// The head of a for: iteration over `operand`, items to `targets`; `ends` gets the jump at the end.
// Gives the iterator's registers.
unsigned star_compile_for_head(struct compiler *c, const struct ast_expr *targets,
                               const struct ast_expr *operand, struct ast_pos pos, uint32_t *start,
                               struct star_patches *ends);

// compile.c
struct star_code *star_compile_code(struct star_build *build, const struct ast_function *function);

#endif
