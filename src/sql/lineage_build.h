#ifndef SQL_LINEAGE_BUILD_H
#define SQL_LINEAGE_BUILD_H

// Inside sql/ only: the parts that lineage_read is made of.
//
//   lineage.c              the whole: reading, merging, keys
//   lineage_query.c        query nodes: CTEs, SELECT, set operations, modifiers
//   lineage_from.c         FROM items and joins
//   lineage_pivot.c        PIVOT and UNPIVOT, as SELECTs
//   lineage_star.c         stars and COLUMNS()
//   lineage_expression.c   expressions
//   lineage_function.c     what functions and operators are called and do
//   lineage_scope.c        column names
//   lineage_value.c        what a value is made of
//   lineage_shape.c        whether it is a struct or a list; unnest() by that
//
// A `struct lineage_column` is used for every value on the way, not only for output columns.

#include "sql/ast_node.h"
#include "sql/lineage.h"

// What a name other than a column means: a macro's parameter or a lambda's.
struct lineage_binding {
    const struct lineage_binding *outer;
    str name;
    struct lineage_column value;
    const struct lineage_frame *frame; // where the value was made: its copy counts there alone
};

struct lineage_frame;

struct lineage_cte {
    struct lineage_cte *outer; // what is in scope beside it, and in it
    str name;
    yyjson_val *entry;           // its value in cte_map
    struct lineage_frame *frame; // the SELECT that the WITH stands in
    const struct lineage_binding *bindings;
    struct lineage_query *query;            // once it was built
    const struct lineage_column_list *rows; // of a recursive one while it is being built
};

// A column of USING or NATURAL: one name for the columns of several relations.
struct lineage_merged {
    str name;
    struct lineage_column value;
    size_t *relations;
    size_t relation_count;
};

struct lineage_merged_list {
    struct lineage_merged *items;
    size_t count;
    size_t capacity;
};

// The names that the expressions of one SELECT see.
struct lineage_frame {
    struct lineage_frame *outer;
    struct lineage_cte *ctes;
    const struct lineage_binding *bindings;
    struct lineage_query *query; // its relations
    struct lineage_merged_list merged;
    struct lineage_column_list aliases; // of the SELECT list, as far as it was read
    bool aliases_first;                 // ORDER BY
    bool saw_aggregate;
};

struct lineage_documents {
    yyjson_doc **items;
    size_t count;
    size_t capacity;
};

// The column that COLUMNS() stands for at the moment; NULL: all of them.
struct lineage_build {
    struct arena *arena;
    const struct lineage_catalog *catalog;
    struct lineage *out;
    const struct lineage_column *star;
    size_t inside; // so many views and macros deep
    bool in_projection;
    struct lineage_documents documents; // of views and macros: names are borrowed from them
};

enum { LINEAGE_DEPTH_MAX = 40 }; // of views and macros inside each other

// ── lineage_value.c ──
void lineage_add_source(struct lineage_build *build, struct lineage_column *value,
                        const struct lineage_source *source);
void lineage_add_indirect(struct lineage_build *build, struct lineage_indirect_list *list,
                          const struct lineage_indirect *indirect);
// Adds what `part` is made of, lifted to the transformation; `function` is its name, if any.
void lineage_take(struct lineage_build *build, struct lineage_column *value,
                  const struct lineage_column *part, enum lineage_transformation transformation,
                  str function);
// Adds what `part` is made of as something that only decides.
void lineage_use_value(struct lineage_build *build, struct lineage_indirect_list *list,
                       const struct lineage_column *part, enum lineage_use use);
void lineage_use_list(struct lineage_build *build, struct lineage_indirect_list *list,
                      const struct lineage_indirect_list *part);
struct lineage_column lineage_nothing(void);
struct lineage_column lineage_field(struct lineage_build *build, const struct lineage_column *value,
                                    str name);
void lineage_note(struct lineage_build *build, const char *format, ...) PRINTF_LIKE(2, 3);
// a, a_1, …: DuckDB's names for columns of one name in a derived table.
void lineage_unique_names(struct lineage_build *build, struct lineage_column_list *columns);

// ── lineage_shape.c ──
// What a column of this type is ("STRUCT(a INTEGER)[]"), once its sources are known.
void lineage_type_shape(struct lineage_build *build, str type, struct lineage_column *column);
// The same as another one.
void lineage_shape_like(struct lineage_build *build, const struct lineage_column *like,
                        struct lineage_column *column);
// A list, when one of the values that it is chosen from is one.
void lineage_choice_shape(struct lineage_build *build, const struct lineage_column *choice,
                          struct lineage_column *value);
// What the result of a function is, as far as its name and its first argument tell.
void lineage_call_shape(struct lineage_build *build, str function,
                        const struct lineage_column *argument, struct lineage_column *value);
// One item of a SELECT list that is unnest(…); false: it is something else.
bool lineage_project_unnest(struct lineage_build *build, yyjson_val *item,
                            struct lineage_frame *frame, struct lineage_column_list *columns);

// ── lineage_scope.c ──
struct lineage_column lineage_resolve(struct lineage_build *build, yyjson_val *column_ref,
                                      struct lineage_frame *frame);
// The column of that name of a relation; makes it when the relation's columns are unknown.  NULL:
// it has none.
const struct lineage_column *lineage_relation_column(struct lineage_build *build,
                                                     struct lineage_query *query, size_t index,
                                                     str name);
// SIZE_MAX when no FROM item is called so.
size_t lineage_relation_find(const struct lineage_frame *frame, str schema, str alias);

// ── lineage_expression.c ──
struct lineage_column lineage_expression(struct lineage_build *build, yyjson_val *node,
                                         struct lineage_frame *frame);
// The values of a macro's parameters in a call.
const struct lineage_binding *lineage_bind_arguments(struct lineage_build *build,
                                                     const struct lineage_definition *macro,
                                                     yyjson_val *arguments,
                                                     struct lineage_frame *frame);
// Every row of the FROM clause: "*" of its tables.
void lineage_take_rows(struct lineage_build *build, struct lineage_column *value,
                       const struct lineage_query *query, str function);
// The output name of a projection.
str lineage_expression_name(struct lineage_build *build, yyjson_val *node,
                            const struct lineage_column *value);

// ── lineage_function.c ──
// Whether the function takes a lambda: elsewhere `a -> b` reads from JSON.
bool lineage_takes_lambda(str function);
// What the function does to its arguments; *shown: its name as a source tells it, or empty.
enum lineage_transformation lineage_function(struct lineage_build *build, yyjson_val *node,
                                             str function, str *shown);
// What SQL calls the operator that the tree calls `type`.
str lineage_word(struct lineage_build *build, str type);

// ── lineage_star.c ──
// Adds the columns that an item of the SELECT list stands for.
void lineage_project(struct lineage_build *build, yyjson_val *item, struct lineage_frame *frame,
                     struct lineage_column_list *columns);
// The columns of a star node, after EXCLUDE, REPLACE, RENAME and the filter of COLUMNS(…).
void lineage_star_columns(struct lineage_build *build, yyjson_val *star,
                          struct lineage_frame *frame, struct lineage_column_list *columns);

// ── lineage_from.c ──
void lineage_from(struct lineage_build *build, yyjson_val *node, struct lineage_frame *frame);
void lineage_add_relation(struct lineage_build *build, struct lineage_frame *frame,
                          struct lineage_relation *relation, yyjson_val *node);
// A relation over a query, with its columns as copies of themselves.
void lineage_add_subquery(struct lineage_build *build, struct lineage_frame *frame,
                          struct lineage_query *query, str alias, yyjson_val *node);

// ── lineage_pivot.c ──
void lineage_pivot(struct lineage_build *build, yyjson_val *node, struct lineage_frame *frame);

// ── lineage_query.c ──
struct lineage_query *lineage_query_build(struct lineage_build *build, yyjson_val *node,
                                          struct lineage_cte *ctes, struct lineage_frame *outer,
                                          const struct lineage_binding *bindings);
// The CTE that a table name means, built; NULL: none.
struct lineage_cte *lineage_cte_find(struct lineage_build *build, struct lineage_cte *ctes,
                                     str name);
// The query of a view or macro; NULL when it is no tree or too deep.
struct lineage_query *lineage_definition_build(struct lineage_build *build,
                                               const struct lineage_definition *definition,
                                               const struct lineage_binding *bindings);
// The tree, kept for as long as the lineage is built; NULL: it is none.
yyjson_val *lineage_document(struct lineage_build *build, str ast);

#endif
