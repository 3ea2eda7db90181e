#ifndef SQL_PIVOT_H
#define SQL_PIVOT_H

// PIVOT t ON c USING …, whose columns are the values that c has.
//
// DuckDB makes two statements of it: a type of the values, and the PIVOT with `c IN type`.  So do
// we, by name: then the query has a syntax tree, and can be bound and evaluated like any other once
// the types are there.
//
// Ownership: everything lives in the arena.  Threads: values.

#include "base/error.h"
#include "base/list.h"

struct sql_pivot {
    str type;   // the name of an ENUM; needs no quotes
    str values; // the query that it is made of
};

struct sql_pivot_list {
    struct sql_pivot *items;
    size_t count;
    size_t capacity;
};

// The text with `IN type` behind each ON of a PIVOT that says no values; the types are called
// `prefix` and a number.  A guess by the words alone: the caller has to see whether it parses.
str sql_pivot_name_types(struct arena *arena, str sql, str prefix, struct sql_pivot_list *pivots);

#endif
