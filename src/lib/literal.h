#ifndef LIB_LITERAL_H
#define LIB_LITERAL_H

// A value written down in a lib file, as the API dict's checks see it: data with positions, nothing
// executed.
//
// Ownership: everything lives in the arena of whoever read the file.
// Threads: values.

#include "base/str.h"

struct arena;
struct lib_entry;
struct star_node;

enum lib_literal_kind {
    LITERAL_STRING,
    LITERAL_INT,
    LITERAL_FLOAT,
    LITERAL_BOOL,
    LITERAL_NONE,
    LITERAL_LIST, // or a tuple
    LITERAL_DICT,
    LITERAL_OTHER, // an expression that is no literal
};

struct lib_literal {
    enum lib_literal_kind kind;
    int line;
    int column;
    str text; // STRING: the value; INT, FLOAT: as written; OTHER: what it is, `name "BASE"`, `call`
    int64_t integer;                 // INT
    bool fits;                       // INT: `integer` holds it
    double number;                   // INT, FLOAT
    bool truth;                      // BOOL
    const struct lib_literal *items; // LIST
    const struct lib_entry *entries; // DICT
    size_t count;
};

struct lib_entry {
    struct lib_literal key;
    struct lib_literal value;
};

// A copy of an expression in the arena.
struct lib_literal lib_literal_read(struct arena *arena, const struct star_node *node);

#endif
