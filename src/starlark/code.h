#ifndef STARLARK_CODE_H
#define STARLARK_CODE_H

// Bytecode: what the compiler writes and the VM runs.  Immutable, shared by all threads.
//
// A register machine.  Registers of a call: parameters and locals by slot (ast.h), then
// temporaries. An instruction is 64 bits: op (8), x (8), a, b, c (16 each).  64 bits instead of 32
// buy fused compare-and-branch with its offset, call sites with counts and cache in one word, and
// no "wide" forms; code is small beside data.
//     r[a]        a register      k[b]  a constant      off  b and c as one signed 32-bit number
// A jump's distance counts from the instruction behind it.  A 16-bit distance (`c` of fused
// branches) that does not fit is STAR_FAR, and the real one stands in `far_jumps`.

#include "base/arena.h"
#include "starlark/value.h"

// name, and what it does.  "slot"/"cell"/"free" are the places of variables (ast.h).
#define STAR_OPCODES(X)                                                                            \
    X(MOVE)            /* r[a] = r[b] */                                                           \
    X(LOAD_K)          /* r[a] = k[off] */                                                         \
    X(LOAD_INT)        /* r[a] = off */                                                            \
    X(LOAD_NONE)       /* r[a] = None */                                                           \
    X(LOAD_BOOL)       /* r[a] = x != 0 */                                                         \
    X(UNSET)           /* r[a] … r[a + off - 1] are not assigned */                                \
    X(CHECK)           /* r[a] must be assigned; k[b] its name */                                  \
    X(MAKE_CELL)       /* r[a] = a cell that holds r[a] (UNSET when x) */                          \
    X(GET_CELL)        /* r[a] = content of cell r[b]; k[c] its name */                            \
    X(SET_CELL)        /* content of cell r[a] = r[b] */                                           \
    X(GET_FREE)        /* r[a] = capture b; k[c] its name */                                       \
    X(GET_FREE_CELL)   /* r[a] = content of capture b, a cell; k[c] its name */                    \
    X(GET_GLOBAL)      /* r[a] = global off */                                                     \
    X(SET_GLOBAL)      /* global off = r[a] */                                                     \
    X(GET_PREDECLARED) /* r[a] = predeclared off */                                                \
    X(GET_UNIVERSE)    /* r[a] = universe off */                                                   \
    X(FUNCTION)        /* r[a] = function of codes[off], defaults and captures from r[a]… */       \
    X(ADD)             /* r[a] = r[b] + r[c] */                                                    \
    X(SUBTRACT)                                                                                    \
    X(MULTIPLY)                                                                                    \
    X(DIVIDE)                                                                                      \
    X(FLOOR_DIVIDE)                                                                                \
    X(MODULO)                                                                                      \
    X(BINARY)        /* r[a] = r[b] x r[c], x a star_operator */                                   \
    X(ADD_INT)       /* r[a] = r[b] + c, c signed */                                               \
    X(IN_PLACE)      /* r[a] = r[b] x= r[c] */                                                     \
    X(UNARY)         /* r[a] = -, +, ~ of r[b] by x */                                             \
    X(NOT)           /* r[a] = not r[b] */                                                         \
    X(COMPARE)       /* r[a] = r[b] x r[c], x a star_branch */                                     \
    X(JUMP)          /* pc += off */                                                               \
    X(JUMP_IF)       /* if r[a]: pc += off */                                                      \
    X(JUMP_UNLESS)   /* if not r[a]: pc += off */                                                  \
    X(BRANCH)        /* if (r[a] x r[b]) == (x >> 7): pc += c */                                   \
    X(BRANCH_INT)    /* the same with b a signed int */                                            \
    X(LOOP)          /* pc += off, backwards: counts steps */                                      \
    X(TUPLE)         /* r[a] = tuple of r[b] … r[b + c - 1] */                                     \
    X(LIST)          /* r[a] = list of r[b] … r[b + c - 1], room for more when x */                \
    X(EXTEND)        /* list r[a]: append r[b] … r[b + c - 1] */                                   \
    X(APPEND)        /* list r[a]: append r[b] (comprehension) */                                  \
    X(DICT)          /* r[a] = {} */                                                               \
    X(DICT_SHAPED)   /* r[a] = dict of the keys k[c] (a tuple) and values r[b]… ; cache */         \
    X(DICT_INSERT)   /* dict r[a]: r[b] = r[c]; x: a duplicate key is an error */                  \
    X(INDEX)         /* r[a] = r[b][r[c]] */                                                       \
    X(INDEX_K)       /* r[a] = r[b][k[c]], a string; next word: cache */                           \
    X(SET_INDEX)     /* r[a][r[b]] = r[c] */                                                       \
    X(SLICE)         /* r[a] = r[b][r[c]:r[c+1]:r[c+2]] */                                         \
    X(FORMAT)        /* r[a] = template k[b] of r[c]…; x: r[c] may be the tuple of them all */     \
    X(GET_ATTRIBUTE) /* r[a] = r[b].k[c] */                                                        \
    X(SET_ATTRIBUTE) /* r[a].k[b] = r[c] */                                                        \
    X(UNPACK)        /* r[b] … r[b + c - 1] = items of r[a] */                                     \
    X(CALL)          /* r[a] = r[a](b positional from r[a+1], c named behind); next: call word */  \
    X(CALL_METHOD)   /* r[a] = r[a].k[…](…): as CALL; next: method word, next: call word */        \
    X(CHECK_METHOD)  /* r[a] must have an attribute k[c]; b: cache of the CALL_METHOD behind */    \
    X(CALL_SPREAD)   /* as CALL, then *args and **kwargs in the registers behind */                \
    X(RETURN)        /* gives r[a] */                                                              \
    X(RETURN_NONE)                                                                                 \
    X(ITERATE)         /* r[a], r[a+1], r[a+2] = iteration over r[b]; x: may be items() lazily */  \
    X(ITERATE_COLUMNS) /* ITERATE over zip or enumerate of c values at r[b]; next word: which */   \
    X(NEXT)            /* r[b] = next item of r[a]…; at the end pc += the next word */             \
    X(NEXT_PAIR)       /* r[b], r[c] = the two parts of the next item; at the end as NEXT */       \
    X(ITERATE_END)     /* drops the guard of r[a]… */                                              \
    X(LOAD_MODULE)     /* r[a] = module of name k[b] (as an int: index in the module's loads) */   \
    X(LOAD_NAME)       /* global off = name k[a] of the module of load number x… */                \
    X(EXTRA)           /* data of the instruction before: never run */

enum star_opcode {
#define STAR_OPCODE_ENUM(name) STAR_BC_##name,
    STAR_OPCODES(STAR_OPCODE_ENUM)
#undef STAR_OPCODE_ENUM
        STAR_BC_COUNT,
};

// Comparisons of BRANCH and COMPARE.  Bit 7 of BRANCH's x: jump when it is true.
enum star_branch {
    STAR_BRANCH_LESS,
    STAR_BRANCH_LESS_EQUAL,
    STAR_BRANCH_GREATER,
    STAR_BRANCH_GREATER_EQUAL,
    STAR_BRANCH_EQUAL,
    STAR_BRANCH_NOT_EQUAL,
    STAR_BRANCH_IN,
    STAR_BRANCH_NOT_IN,
};

enum { STAR_FAR = INT16_MIN };

// One instruction.
static inline uint64_t star_word(enum star_opcode op, unsigned x, unsigned a, unsigned b,
                                 unsigned c) {
    return (uint64_t)op | (uint64_t)(x & 0xFF) << 8 | (uint64_t)(a & 0xFFFF) << 16 |
           (uint64_t)(b & 0xFFFF) << 32 | (uint64_t)(c & 0xFFFF) << 48;
}
static inline uint64_t star_word_offset(enum star_opcode op, unsigned x, unsigned a,
                                        int32_t offset) {
    return (uint64_t)op | (uint64_t)(x & 0xFF) << 8 | (uint64_t)(a & 0xFFFF) << 16 |
           (uint64_t)(uint32_t)offset << 32;
}
#define STAR_OP(word) ((unsigned)(word) & 0xFF)
#define STAR_X(word) ((unsigned)((word) >> 8) & 0xFF)
#define STAR_A(word) ((unsigned)((word) >> 16) & 0xFFFF)
#define STAR_B(word) ((unsigned)((word) >> 32) & 0xFFFF)
#define STAR_C(word) ((unsigned)((word) >> 48))
#define STAR_OFFSET(word) ((int32_t)(uint32_t)((word) >> 32))
#define STAR_SIGNED_B(word) ((int16_t)((word) >> 32))
#define STAR_SIGNED_C(word) ((int16_t)((word) >> 48))

// Where an instruction came from; sorted by pc, the last at or before a pc counts.
struct star_position {
    uint32_t pc;
    uint32_t line;
    uint32_t column;
};

struct star_far_jump {
    uint32_t pc;
    int32_t distance;
};

struct star_capture {
    uint16_t index;
    bool from_free; // of the enclosing call's captures; else its register
};

struct star_code {
    struct star_program *program; // owner
    const char *name;
    const uint64_t *words;
    uint32_t word_count;
    const star_value *constants;
    uint32_t constant_count;
    struct star_code *const *codes; // nested functions
    uint32_t code_count;
    uint32_t register_count; // at most 65535
    uint32_t cache_count;
    uint32_t step_cost; // charged at a call

    // Parameters: positional, keyword-only, then *args, **kwargs.
    uint32_t positional_count;
    uint32_t keyword_only_count;
    uint32_t default_count;
    const star_value *parameter_names; // strings, of positional and keyword-only ones
    const int32_t *default_indexes;    // per parameter: its default's index, -1: required
    bool has_args;
    bool has_kwargs;
    bool is_simple; // positional parameters only, and no look for recursion: the fast path of calls
    const struct star_capture *captures;
    uint32_t capture_count;

    const struct star_position *positions;
    uint32_t position_count;
    const struct star_far_jump *far_jumps;
    uint32_t far_jump_count;
    uint32_t line; // of the def
    uint32_t column;
};

struct star_load_name {
    const char *from;
    uint32_t global; // slot bound
};

struct star_global {
    const char *name;
    bool is_loaded;
};

struct star_program {
    uint32_t references; // atomic
    const char *file;
    struct star_code *top;
    struct star_global *globals;
    uint32_t global_count;
    const char *const *predeclared; // names, in the order of the resolver's indexes
    uint32_t predeclared_count;
    enum star_dialect dialect;
    struct star_thread *thread; // its heap holds the constants
    struct arena_supply supply;
    struct arena arena; // everything else
};

// Line and column of an instruction.
void star_code_position(const struct star_code *code, uint32_t pc, int *line, int *column);
const char *star_opcode_name(enum star_opcode op);

#endif
