#ifndef STARLARK_SYNTAX_H
#define STARLARK_SYNTAX_H

// A look at a file's syntax tree without running it: literals assigned at top level, functions with
// their parameters, calls.  A host reads declarations (the API dict of a lib) and checks code with
// it.
//
//     struct star_syntax *syntax = star_syntax_parse(&source, &diagnostics);
//     const struct star_node *api = star_syntax_value(syntax, "API");
//     if (api != NULL && star_node_kind(api) == STAR_NODE_DICT) { … star_node_get(api, "push") … }
//     star_syntax_free(syntax);
//
// Ownership: everything lives as long as the star_syntax, which copies the source.  Texts are not
// NUL-terminated where a size stands beside them.
// Threads: read-only after parsing; any.

#include "starlark/starlark.h"

struct star_syntax;
struct star_node; // an expression

// Lines and columns start at 1; columns count code points; the end is behind the last character.
struct star_span {
    int line;
    int column;
    int end_line;
    int end_column;
};

// Syntax errors go to `diagnostics` (may be NULL; free it); what needs names resolved is
// star_compile's. The tree is given also when there are errors, without the statements that could
// not be parsed.  NULL, and no diagnostics, when memory is out.
struct star_syntax *star_syntax_parse(const struct star_source *source,
                                      struct star_diagnostics *diagnostics);
void star_syntax_free(struct star_syntax *syntax);

// ---- expressions --------------------------------------------------------------------------------

enum star_node_kind {
    // Literals.  A minus before a number belongs to the literal; None, True and False are literals.
    STAR_NODE_NONE,
    STAR_NODE_BOOL,
    STAR_NODE_INT,
    STAR_NODE_FLOAT,
    STAR_NODE_STRING,
    STAR_NODE_BYTES,
    STAR_NODE_LIST, // displays; their items may be anything
    STAR_NODE_TUPLE,
    STAR_NODE_DICT,
    // The rest.
    STAR_NODE_NAME,
    STAR_NODE_CALL,
    STAR_NODE_OTHER,
};

enum star_node_kind star_node_kind(const struct star_node *node);
struct star_span star_node_span(const struct star_node *node);
// For "must be a literal (found …)": "a string", "a function call", "a name", ….
const char *star_node_describe(const struct star_node *node);
// The value of a STRING or BYTES, the text of a NAME; NULL (size 0) for other kinds.
const char *star_node_text(const struct star_node *node, size_t *size);
bool star_node_text_is(const struct star_node *node, const char *text);
bool star_node_bool(const struct star_node *node); // of a BOOL
// Of an INT; false when it does not fit or is no INT.
bool star_node_int(const struct star_node *node, int64_t *value);
// Of a FLOAT or an INT that fits; false for other kinds.
bool star_node_double(const struct star_node *node, double *value);
// Items of a LIST or TUPLE, entries of a DICT, arguments of a CALL; 0 for other kinds.
size_t star_node_count(const struct star_node *node);
// Item of a LIST or TUPLE, value of a DICT's entry, value of a CALL's argument.
const struct star_node *star_node_item(const struct star_node *node, size_t index);
const struct star_node *star_node_key(const struct star_node *node, size_t index); // of a DICT
// The value of the last entry whose key is this string; NULL when there is none.
const struct star_node *star_node_get(const struct star_node *dict, const char *key);
// The name of a CALL's argument; NULL for a positional one, "*" and "**" for those.
const char *star_node_argument_name(const struct star_node *call, size_t index, size_t *size);
// What a CALL calls.
const struct star_node *star_node_callee(const struct star_node *call);
// Whether the node is made of literals alone; else *culprit is the first node that is none.
bool star_node_is_literal(const struct star_node *node, const struct star_node **culprit);

// ---- top level ----------------------------------------------------------------------------------

// `NAME = value` as a statement of its own at top level (not within if, for, or a tuple target).
struct star_assignment_view {
    const char *name;      // NUL-terminated
    struct star_span span; // of the name
    const struct star_node *value;
    bool is_augmented; // `+=` and the like
};
size_t star_syntax_assignment_count(const struct star_syntax *syntax);
const struct star_assignment_view *star_syntax_assignment(const struct star_syntax *syntax,
                                                          size_t index);
// What the last plain assignment at top level gives the name; NULL when there is none.
const struct star_node *star_syntax_value(const struct star_syntax *syntax, const char *name);

enum star_parameter_kind {
    STAR_PARAMETER_POSITIONAL,   // also by keyword
    STAR_PARAMETER_KEYWORD_ONLY, // behind * or *args
    STAR_PARAMETER_ARGS,         // *args
    STAR_PARAMETER_KWARGS,       // **kwargs
};

struct star_parameter_view {
    const char *name; // NUL-terminated
    enum star_parameter_kind kind;
    const struct star_node *default_value; // NULL when there is none
    struct star_span span;
};

// A def at top level.
struct star_function_view {
    const char *name;      // NUL-terminated
    struct star_span span; // of the name
    const struct star_parameter_view *parameters;
    size_t parameter_count;
};
size_t star_syntax_function_count(const struct star_syntax *syntax);
const struct star_function_view *star_syntax_function(const struct star_syntax *syntax,
                                                      size_t index);
// The last def of this name; NULL when there is none.
const struct star_function_view *star_syntax_find_function(const struct star_syntax *syntax,
                                                           const char *name);

struct star_load_view {
    const char *module;      // NUL-terminated
    struct star_span span;   // of the module's literal
    const char *const *from; // NUL-terminated names, as many as `count`
    const char *const *to;
    size_t count;
};
size_t star_syntax_load_count(const struct star_syntax *syntax);
const struct star_load_view *star_syntax_load(const struct star_syntax *syntax, size_t index);

// ---- calls --------------------------------------------------------------------------------------

// Every call of the file, in source order of their ends.
struct star_call_view {
    const char *callee; // "http.get", NUL-terminated; "" when it is no dotted name
    struct star_span span;
    const struct star_node *call; // arguments: star_node_count, star_node_item
    const char *function;         // the top-level def around it; "" when there is none
    bool in_loop;                 // within a for, while or comprehension of that function
};
size_t star_syntax_call_count(const struct star_syntax *syntax);
const struct star_call_view *star_syntax_call(const struct star_syntax *syntax, size_t index);

#endif
