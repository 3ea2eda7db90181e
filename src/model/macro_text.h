#ifndef MODEL_MACRO_TEXT_H
#define MODEL_MACRO_TEXT_H

// A CREATE MACRO statement taken apart by its words, for macros that DuckDB cannot tell of: those
// that read a table which is not there yet cannot be made.
//
// Ownership: bodies borrow from the statement, the rest lives in the arena.  Threads: values.

#include "base/list.h"

#include <stdbool.h>

struct macro_overload {
    struct str_list parameters;
    str body; // a query of a table macro, else an expression
    bool is_table;
};

struct macro_text {
    str name;
    struct macro_overload *items;
    size_t count;
    size_t capacity;
};

// False when the statement is another one.
bool macro_text_read(struct arena *arena, str statement, struct macro_text *macro);

#endif
