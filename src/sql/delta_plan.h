#ifndef SQL_DELTA_PLAN_H
#define SQL_DELTA_PLAN_H

// What the files of the planner share: delta.c (what is forbidden, new rows, the whole),
// delta_linear.c (linear queries, divided subqueries, terms), delta_keys.c (affected keys) and
// delta_restrict.c (the query for them).  For use inside sql/ only.

#include "sql/delta_select.h"
#include "sql/delta_tree.h"

struct mark_list {
    int *items;
    size_t count;
    size_t capacity;
};

// A subquery in FROM that is divided into groups by one of its columns; its mark is its index.
struct division {
    struct delta_term_list terms; // which groups changes can have touched
    struct mark_list needs;       // other divisions that the terms read
    node *groups_query;           // the subquery for these groups
};

struct division_list {
    struct division *items;
    size_t count;
    size_t capacity;
};

struct planner {
    struct delta_tree tree;
    struct delta_plan *plan;
    struct division_list divisions;
    struct delta_term_list *terms; // where terms go
    struct mark_list *needs;       // and what they need
};

// Always false.  The first reason stays; `about` holds the changed table that it speaks of.
bool refuse(struct planner *planner, node *about, str reason);
node *empty_array(struct planner *planner);

// ── Linear queries ──
// Whether every changed table below stands in linear position, or in a divided subquery that does.
bool query_is_linear(struct planner *planner, node *query);
bool from_is_linear(struct planner *planner, node *from);
// Whether the subquery in FROM is divided; then it is marked.
bool item_is_divided(struct planner *planner, node *item);
// Adds the query with the added or removed rows in the place of the unit.
void add_term(struct planner *planner, node *query, const struct delta_unit *unit, bool removed,
              enum delta_version others);

// ── Keys ──
// Whether the rows with one value of the expression make their part of the result alone; `reason`
// says why not.
bool select_divides(struct planner *planner, node *select, node *expression, str *reason);
// The expression of an output column; NULL: it comes out of a star that is not known.
node *select_expression(struct planner *planner, node *select, size_t index);
// Adds terms that give the values of an output column whose rows can differ.
bool keys_of_query(struct planner *planner, node *query, size_t index);

// Where an item of FROM stands.
struct position {
    node *join;    // the lowest join that can lose or repeat its rows
    node *kept;    // the other side of that join; NULL: a FULL JOIN keeps both
    size_t losses; // how many such joins there are above it
};

bool find_position(node *from, node *item, struct position *position);

// ── The query for the keys ──
struct restriction {
    str relation; // of the keys
    bool with_nulls;
};

// Leaves only rows whose output column is among the keys; false: perhaps others, too.
bool restrict_query(struct planner *planner, node *query, size_t index,
                    const struct restriction *restriction);

#endif
