#ifndef STARLARK_AST_H
#define STARLARK_AST_H

// The syntax tree of one Starlark file, with the resolver's answers written on it.
//
// The parser makes the tree, the resolver fills in what is marked "resolver", the compiler and the
// syntax view (syntax.h) only read it.
//
// Ownership: tree, texts and tables live in the file's arena.  Texts of names borrow from the
// source, so the source must live as long as the tree; literal values are copies. Depth: no
// expression is deeper than AST_EXPR_DEPTH_MAX and no statement nests deeper than
// AST_BLOCK_DEPTH_MAX, so a recursive walk is safe on any thread's stack.
// A tree with static errors may hold EXPR_ERROR and STMT_ERROR nodes and must not be compiled.
// Threads: read-only after the resolver; then any.

#include "base/map.h"

enum {
    AST_EXPR_DEPTH_MAX = 1000, // height of an expression tree, left-leaning chains included
    AST_BLOCK_DEPTH_MAX = 100, // suites within suites
};

// Lines and columns start at 1; columns count code points.  Line 0: no position.
struct ast_pos {
    uint32_t line;
    uint32_t column;
};

// From the first character to the one behind the last.
struct ast_span {
    struct ast_pos start;
    struct ast_pos end;
};

struct ast_expr;
struct ast_stmt;
struct ast_function;
struct ast_comprehension;

// ---- names and what they are bound to -----------------------------------------------------------

// Where a name's value lies, seen from the function that uses it.
enum ast_scope {
    SCOPE_NONE,        // not resolved: undefined (an error was reported) or within an error
    SCOPE_LOCAL,       // slot `index` of the running function holds the value
    SCOPE_CELL,        // slot `index` of the running function holds a cell with the value
    SCOPE_FREE,        // entry `index` of the function's captures is the value itself
    SCOPE_FREE_CELL,   // entry `index` of the function's captures is a cell with the value
    SCOPE_GLOBAL,      // slot `index` of the module's table, load-bound names included
    SCOPE_PREDECLARED, // the host's name list, entry `index`
    SCOPE_UNIVERSE,    // the language's own name list, entry `index`
};

// One variable: of a function (parameter, local, comprehension variable) or of the module.
// All fields but `name` and `first`: resolver.
struct ast_binding {
    str name;
    struct ast_span first; // the identifier that first binds it
    uint32_t index;        // slot in the function's locals or in the module's table
    bool is_global;        // a slot of the module's table; else a slot of `owner`
    bool is_loaded;        // bound by load: a module slot that is not exported
    bool is_parameter;
    bool is_captured; // some nested function uses it
    bool needs_cell;  // captured, and bound again after (or never before) a capture: closures share
                      // it. A captured variable without this flag is copied into the closure.
    bool is_rebound;  // bound more than once (or in a loop); false: constant once bound
    struct ast_function *owner; // NULL when is_global

    struct {                 // the resolver's own
        uint32_t last_bound; // when, on the resolver's clock
        uint32_t set_block;  // the suite that surely sets it, while that suite is open
        uint32_t set_depth;
    } work;
};

// A use of a name, or a name as a target.
struct ast_name {
    str text;
    enum ast_scope scope; // resolver
    // The use is always reached after a binding of the name, so that the test for "referenced
    // before assignment" can be left out.  Only ever true for SCOPE_LOCAL, SCOPE_CELL and top-level
    // SCOPE_GLOBAL uses.
    bool is_surely_set;          // resolver
    uint32_t index;              // resolver; see enum ast_scope
    struct ast_binding *binding; // resolver; NULL for predeclared, universe and none
};

// One variable that a nested function takes from the function around it when it is created.
struct ast_capture {
    struct ast_binding *binding;
    bool
        from_free; // copy entry `index` of the enclosing function's captures; else its slot `index`
    bool is_cell;  // what is copied is a cell (binding->needs_cell)
    uint32_t index;
};

// ---- functions ----------------------------------------------------------------------------------

enum ast_param_kind {
    PARAM_REQUIRED, // a      (keyword-only when it stands behind * or *args)
    PARAM_OPTIONAL, // a=1    (keyword-only likewise)
    PARAM_STAR,     // bare *: has no name and no slot
    PARAM_ARGS,     // *args
    PARAM_KWARGS,   // **kwargs
};

struct ast_param {
    enum ast_param_kind kind;
    bool is_keyword_only; // resolver
    struct ast_span span; // of the name; of the star for PARAM_STAR
    str name;
    struct ast_expr *value; // the default; NULL when there is none
    // Resolver.  The slots of parameters come first, in this order: positional parameters,
    // keyword-only parameters, *args, **kwargs.
    struct ast_binding *binding;
};

// A def, a lambda, or the module's top level (which has no parameters and is `file->top`).
struct ast_function {
    str name;           // "lambda" for a lambda, "<toplevel>" for the module
    struct ast_pos pos; // of `def` or `lambda`
    struct ast_span name_span;
    struct ast_param *params; // in source order, bare * included
    size_t param_count;
    struct ast_stmt *body;  // first statement of a def or module; NULL for a lambda
    struct ast_expr *value; // of a lambda; else NULL

    // Resolver from here.
    struct ast_function *parent; // NULL for the module
    uint32_t positional_count;   // parameters before * that positionals may fill
    uint32_t keyword_only_count;
    uint32_t default_count; // parameters with a default, of both kinds
    bool has_args;          // *args
    bool has_kwargs;        // **kwargs
    // Every local by slot, parameters first.  Comprehension variables have slots here, too, also at
    // top level; two comprehensions never share one.
    struct ast_binding **locals;
    uint32_t local_count;
    // Slots of locals with needs_cell: the compiler makes these cells when the function is entered.
    uint32_t *cells;
    uint32_t cell_count;
    struct ast_capture *captures;
    uint32_t capture_count;
    bool has_loop;     // a for, while or comprehension
    bool has_call;     // calls something
    bool has_function; // contains a def or lambda

    struct { // the resolver's own
        size_t local_capacity;
        size_t cell_capacity;
        size_t capture_capacity;
        struct map capture_index; // index + 1 as a pointer, by the bytes of the binding's address
        uint32_t capture_from;
    } work;
};

// ---- expressions --------------------------------------------------------------------------------

enum ast_expr_kind {
    EXPR_ERROR, // could not be parsed; an error was reported
    EXPR_NAME,
    EXPR_INT,
    EXPR_FLOAT,
    EXPR_STRING,
    EXPR_BYTES,
    EXPR_LIST,
    EXPR_TUPLE,
    EXPR_DICT,
    EXPR_UNARY,
    EXPR_BINARY,
    EXPR_AND,
    EXPR_OR,
    EXPR_CONDITIONAL,
    EXPR_DOT,
    EXPR_INDEX,
    EXPR_SLICE,
    EXPR_CALL,
    EXPR_LAMBDA,
    EXPR_COMPREHENSION,
};

enum ast_op {
    OP_NONE,
    // Unary.
    OP_NOT,
    OP_PLUS,
    OP_MINUS,
    OP_INVERT,
    // Binary; OP_ADD … OP_SHIFT_RIGHT also as augmented assignment.
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_FLOOR_DIVIDE,
    OP_MODULO,
    OP_BIT_AND,
    OP_BIT_OR,
    OP_BIT_XOR,
    OP_SHIFT_LEFT,
    OP_SHIFT_RIGHT,
    OP_EQUAL,
    OP_NOT_EQUAL,
    OP_LESS,
    OP_GREATER,
    OP_LESS_EQUAL,
    OP_GREATER_EQUAL,
    OP_IN,
    OP_NOT_IN,
};

struct ast_int {
    str digits;    // without prefix, of any length; hex letters of any case
    int base;      // 2, 8, 10, 16
    bool is_small; // fits int64_t:
    int64_t value; // then this is it
};

struct ast_list { // of a list or tuple display
    struct ast_expr **items;
    size_t count;
};

struct ast_entry {
    struct ast_expr *key;
    struct ast_expr *value;
    struct ast_pos colon; // the position of an error about this entry
};

struct ast_dict {
    struct ast_entry *items;
    size_t count;
};

enum ast_arg_kind {
    ARG_POSITIONAL,
    ARG_NAMED,
    ARG_ARGS,   // *x
    ARG_KWARGS, // **x
};

struct ast_arg {
    enum ast_arg_kind kind;
    struct ast_span span; // of the name for ARG_NAMED, of the stars for ARG_ARGS and ARG_KWARGS
    str name;             // of ARG_NAMED
    struct ast_expr *value;
};

struct ast_call {
    struct ast_expr *function;
    struct ast_arg *args; // positional and named in source order, then *x, then **x
    size_t arg_count;
    uint32_t positional_count;
    uint32_t named_count;
    struct ast_expr *star;      // x of *x, or NULL; also in args
    struct ast_expr *star_star; // x of **x, or NULL; also in args
};

// Clauses in source order; the first is a for.
struct ast_clause {
    struct ast_pos pos;       // of `for` or `if`
    struct ast_expr *targets; // of a for: a target as in an assignment; NULL for an if
    struct ast_expr *operand; // what a for iterates over, or an if's condition
};

struct ast_comprehension {
    bool is_dict;
    struct ast_expr *key;   // of a dict comprehension
    struct ast_expr *value; // the element
    struct ast_pos colon;   // of a dict comprehension
    struct ast_clause *clauses;
    size_t clause_count;
};

struct ast_expr {
    enum ast_expr_kind kind;
    enum ast_op op; // EXPR_UNARY, EXPR_BINARY
    uint32_t depth; // 1 for a leaf
    struct ast_span span;
    // Where an error of this operation is reported: the operator, the call's `(`, the dot, the `[`;
    // else the start of the span.
    struct ast_pos pos;
    union {
        struct ast_name name;   // EXPR_NAME
        struct ast_int integer; // EXPR_INT
        double number;          // EXPR_FLOAT
        str text;               // EXPR_STRING, EXPR_BYTES: the value, escapes replaced
        struct ast_list list;   // EXPR_LIST, EXPR_TUPLE
        struct ast_dict dict;   // EXPR_DICT
        struct {
            struct ast_expr *left; // the operand of EXPR_UNARY is `right`, left is NULL
            struct ast_expr *right;
        } operands; // EXPR_UNARY, EXPR_BINARY, EXPR_AND, EXPR_OR
        struct {
            struct ast_expr *condition;
            struct ast_expr *yes;
            struct ast_expr *no;
        } conditional; // EXPR_CONDITIONAL
        struct {
            struct ast_expr *object;
            str name;
            struct ast_span name_span;
        } dot; // EXPR_DOT
        struct {
            struct ast_expr *object;
            struct ast_expr *index;
        } index; // EXPR_INDEX
        struct {
            struct ast_expr *object;
            struct ast_expr *start; // each NULL when it is left out
            struct ast_expr *stop;
            struct ast_expr *step;
        } slice;                                 // EXPR_SLICE
        struct ast_call *call;                   // EXPR_CALL
        struct ast_function *lambda;             // EXPR_LAMBDA
        struct ast_comprehension *comprehension; // EXPR_COMPREHENSION
    } as;
};

// ---- statements ---------------------------------------------------------------------------------

enum ast_stmt_kind {
    STMT_ERROR, // could not be parsed; an error was reported; `as.block` is the suite below it
    STMT_EXPR,
    STMT_ASSIGN,
    STMT_DEF,
    STMT_RETURN,
    STMT_IF,
    STMT_FOR,
    STMT_WHILE,
    STMT_BREAK,
    STMT_CONTINUE,
    STMT_PASS,
    STMT_LOAD,
};

struct ast_assign {
    // EXPR_NAME, EXPR_DOT, EXPR_INDEX, or EXPR_LIST and EXPR_TUPLE of targets.
    struct ast_expr *target;
    enum ast_op op; // OP_NONE for `=`
    struct ast_expr *value;
};

struct ast_branch {
    struct ast_pos pos;         // of `if`, `elif` or `else`
    struct ast_expr *condition; // NULL for else
    struct ast_stmt *body;
};

struct ast_if {
    struct ast_branch *branches; // if, elif …, and else if there is one
    size_t count;
};

struct ast_loop {
    struct ast_expr *targets; // of a for; NULL for while
    struct ast_expr *operand; // what a for iterates over, or a while's condition
    struct ast_stmt *body;
};

struct ast_load_name {
    str from; // the name in the loaded module
    struct ast_span from_span;
    struct ast_name to; // the name here; resolver as for any target
    struct ast_span to_span;
};

struct ast_load {
    str module;
    struct ast_span module_span;
    struct ast_load_name *names;
    size_t count;
};

struct ast_stmt {
    enum ast_stmt_kind kind;
    struct ast_span span;
    // Where a run-time error of the statement itself is reported: the `=` or `op=` of an
    // assignment, `for`, `load`, `def`, `return`; else the start of the span.
    struct ast_pos pos;
    struct ast_stmt *next; // in the same suite
    union {
        struct ast_expr *expr;    // STMT_EXPR; STMT_RETURN, where it may be NULL
        struct ast_assign assign; // STMT_ASSIGN
        struct {
            struct ast_function *function;
            struct ast_name name; // what def binds
        } def;                    // STMT_DEF
        struct ast_if branch;     // STMT_IF
        struct ast_loop loop;     // STMT_FOR, STMT_WHILE
        struct ast_load *load;    // STMT_LOAD
        struct ast_stmt *block;   // STMT_ERROR; may be NULL
    } as;
};

// ---- the file -----------------------------------------------------------------------------------

struct ast_file {
    str path;                 // as errors show it
    str source;               // borrowed
    struct ast_function *top; // the top level; its locals are those of top-level comprehensions
    // Every word of the statements that could not be parsed: these names are not called undefined.
    struct map unsure_names;
    // Resolver: the module's variables by slot, exported ones and loaded ones (is_loaded).
    struct ast_binding **globals;
    uint32_t global_count;
    size_t global_capacity;
};

#endif
