#ifndef SQL_AST_H
#define SQL_AST_H

// What we must know of a query: which tables and functions it reads, which columns it takes from a
// lib call and with which casts, and of what shape it is.
//
// Works on the JSON that DuckDB's json_serialize_sql gives for the SQL text, taken before macros
// are expanded; nothing here needs a database.  DuckDB's own tree is walked generically, so that a
// node of a later version is still looked into.
//
// Ownership: everything lives in the arena given to sql_query_read (the text of names is copied).
// Offsets are bytes in the SQL text; SIZE_MAX when DuckDB did not say.
// Threads: values.

#include "base/error.h"
#include "base/list.h"

#include <stdbool.h>

struct sql_type;

// A table named in the query that is no CTE in scope there.
struct sql_table {
    str catalog; // empty when not written
    str schema;
    str name;
    str alias;
    size_t offset;
    bool has_version; // AT (VERSION => …) or AT (TIMESTAMP => …)
};

// FROM 'data/x.csv': a file by its name.
bool sql_table_is_file(const struct sql_table *table);

struct sql_table_list {
    struct sql_table *items;
    size_t count;
    size_t capacity;
};

struct sql_argument {
    str name;     // of `name := value`; empty when positional
    str ast;      // the expression as json_serialize_sql wrote it
    str constant; // the text of a plain text constant; see is_text
    bool is_text;
    struct str_list texts; // the plain text constants of `'a'` or `['a', 'b']`; empty for all else
    bool is_constant;      // no column, no subquery: may be evaluated alone
    size_t offset;
};

struct sql_argument_list {
    struct sql_argument *items;
    size_t count;
    size_t capacity;
};

// One use of a column of a call, with the cast directly around it.
struct sql_column_use {
    str name;   // as the query writes it
    str output; // the name of the projection it stands in alone; empty elsewhere
    str cast;   // DuckDB's name of the type ("DECIMAL(10,2)", "INTEGER[]"); empty: no cast
    const struct sql_type *type; // the same as a tree; NULL without a cast
    bool try_cast;
    bool is_projected; // stands directly in the call's own SELECT list
    size_t offset;
};

struct sql_column_use_list {
    struct sql_column_use *items;
    size_t count;
    size_t capacity;
};

// A function in FROM: a lib call, a file reader, a table macro; `FROM name` without parentheses is
// in the tables.
struct sql_call {
    str schema;
    str name;
    str alias; // what the columns are qualified with: the alias, else the function's name
    struct sql_argument_list arguments;
    struct sql_column_use_list columns; // in SELECT order, then the others
    bool takes_all;                     // SELECT *, or something that cannot be traced
    size_t offset;
};

struct sql_call_list {
    struct sql_call *items;
    size_t count;
    size_t capacity;
};

// A type as the parser saw it.
struct sql_type {
    str id;   // "DECIMAL", "LIST", "STRUCT", "MAP"; for an unbound name that name in upper case
    str text; // the whole: "DECIMAL(10,2)", "STRUCT(a INTEGER)"
    int width;
    int scale;
    const struct sql_type *child; // LIST, ARRAY; MAP's key
    const struct sql_type *value; // MAP's value
    struct sql_field *fields;     // STRUCT, UNION
    size_t field_count;
};

struct sql_field {
    str name;
    const struct sql_type *type;
};

struct sql_function {
    str name; // in lower case, without schema
    size_t offset;
};

struct sql_function_list {
    struct sql_function *items;
    size_t count;
    size_t capacity;
};

struct sql_query {
    struct sql_table_list tables;       // in document order, every occurrence
    struct sql_call_list calls;         // in document order
    struct sql_function_list functions; // scalar and aggregate functions and operators by name
    struct str_list variables;          // getvariable('x') with a constant name
    bool reads_unknown_variable;        // getvariable() of a name that is computed
    bool reads_catalog;                 // SHOW TABLES and the like in FROM
    struct str_list outputs;            // the names of the projections; empty when there is a `*`
    size_t *projections;                // where each projection begins, up to the first `*`
    size_t projection_count;
    size_t limit_offset;    // SIZE_MAX: no LIMIT
    size_t offset_offset;   // SIZE_MAX: no OFFSET
    size_t volatile_offset; // of the first volatile function
    str volatile_function;  // empty: none
    bool is_show;           // SHOW, DESCRIBE or SUMMARIZE: not what a model is
    bool reads_one_call;    // one SELECT whose FROM is one table function and nothing else
    bool repeats_cte; // a CTE is read more than once or recursively, so perhaps evaluated again
    str canonical;    // the tree without positions, for hashes
};

// Reads the JSON.  `ast` is what json_serialize_sql returned for `sql`; an error inside it becomes
// ERROR_INVALID with rule and, through *offset, its place in the SQL (SIZE_MAX: unknown).
MUST_USE enum error_code sql_query_read(struct arena *arena, str ast, struct sql_query *query,
                                        size_t *offset, struct error *err);

// One breach of a strict form, with its place in the SQL.
struct sql_finding {
    const char *rule; // "strict_fetch.cast_required"
    str message;
    str hint;
    size_t offset;
};

struct sql_finding_list {
    struct sql_finding *items;
    size_t count;
    size_t capacity;
};

// The strict form of a model with @fetch (libs.md §5.10); all breaches at once.  `is_lib` says
// whether a function's name is a lib of the project.
void sql_check_fetch(struct arena *arena, str ast, bool (*is_lib)(void *self, str name), void *self,
                     struct sql_finding_list *findings);
// The strict form of a model with @push.
void sql_check_push(struct arena *arena, str ast, bool (*is_lib)(void *self, str name), void *self,
                    struct sql_finding_list *findings);

// The tree of `SELECT a, b, …` over the given expressions (each as in sql_argument.ast), to be
// given to json_deserialize_sql or json_execute_serialized_sql.
str sql_ast_select(struct arena *arena, const str *expressions, size_t count);

// The tree of the query with the first argument of the table function in its FROM replaced by the
// first projection of `other` (a serialised `SELECT value`).  Only for reads_one_call queries.
MUST_USE enum error_code sql_ast_replace_first_argument(struct arena *arena, str ast, str other,
                                                        str *replaced, struct error *err);

#endif
