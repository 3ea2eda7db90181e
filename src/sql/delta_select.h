#ifndef SQL_DELTA_SELECT_H
#define SQL_DELTA_SELECT_H

// What delta.c must know of one SELECT: what it reads from, what it puts out, and how it groups.
// For use inside sql/ only.

#include "sql/delta_tree.h"

// An item of FROM.
struct leaf {
    node *item;
    str alias;       // what its columns are qualified with; may be empty
    bool is_visible; // not the right side of a SEMI or ANTI join
};

struct leaf_list {
    node *from;
    struct leaf *items;
    size_t count;
    size_t capacity;
};

void select_leaves(struct delta_tree *tree, node *from, struct leaf_list *leaves);
// The query node of a derived table; NULL for other items.
node *leaf_query(const struct leaf *leaf);
// The names of its columns; false: not known.
bool leaf_columns(struct delta_tree *tree, const struct leaf *leaf, struct str_list *names);
// Which of its columns the column reference (known to be of it) means; SIZE_MAX: not known.
size_t leaf_find_column(struct delta_tree *tree, const struct leaf *leaf, node *column);

// One column that a query puts out.
struct output {
    str name;         // empty: DuckDB makes one up
    node *expression; // NULL: a column that a star gives, or of a set operation
    str alias;        // with a star: of the item, may be empty
    str column;       // with a star: its name there
};

struct output_list {
    struct output *items;
    size_t count;
    size_t capacity;
    bool spreads; // an item may stand for several columns: places say nothing to others
};

// false: not all of them are known, since a star stands for columns that nobody told.
bool query_outputs(struct delta_tree *tree, node *query, struct output_list *outputs);
// Index of the output `name`; SIZE_MAX when it is not there, not known, or there twice.
size_t query_find_output(struct delta_tree *tree, node *query, str name, bool *is_unknown);
// A fresh expression for the output, to be used within the SELECT.
node *output_expression(struct delta_tree *tree, const struct output *output);

// Which item of FROM a column belongs to; SIZE_MAX when that is not certain.
size_t select_resolve(struct delta_tree *tree, const struct leaf_list *leaves, node *column);
// Whether all columns of the expression belong to items below `part` of the FROM clause.
bool expression_is_of(struct delta_tree *tree, node *expression, const struct leaf_list *leaves,
                      node *part);

// Whether two expressions are the same but for positions and aliases.
bool expression_equals(node *a, node *b);
bool expression_has_column(node *expression); // also in a subquery; NULL has none
// Why the expression cannot serve as a key within `select`; empty: it can.
str key_problem(struct delta_tree *tree, node *select, node *expression);

// Calls `visit` for the objects of the SELECT's own clauses, not those of FROM.
void select_walk(node *select, bool (*visit)(void *self, node *object), void *self);

// The parts of one SELECT, without those of queries below.
bool select_is_grouped(struct delta_tree *tree, node *select);
bool select_has_windows(node *select);
// Whether the list of a window or of DISTINCT ON has the expression, under whatever names of FROM;
// what may be an output of that name does not count.
bool select_list_has(struct delta_tree *tree, node *select, node *list, node *expression);
// Whether all windows are partitioned by the expression.
bool select_windows_divide_by(struct delta_tree *tree, node *select, node *expression);
bool query_has_modifier(node *query, const char *type);
// The targets of DISTINCT ON; NULL without it.
node *select_distinct_targets(node *select);
// Whether the expression names another output of the SELECT, or may.
bool select_names_output(node *select, node *expression);
// Whether the column may be an output that has its name from the SELECT list.
bool select_makes(node *select, node *column);
// Whether a subquery in an expression (not in FROM) reads a changed table.
bool select_has_changed_subquery(const struct delta_tree *tree, node *select);

// ── Columns of other queries (delta_outer.c) ──
// Whether a subquery in an expression may hold an aggregate over the rows of the SELECT.
bool select_has_outer_aggregate(struct delta_tree *tree, node *select);
// Whether the query reads columns of one around it, as LATERAL lets it.
bool query_reads_outside(struct delta_tree *tree, node *query);

#endif
