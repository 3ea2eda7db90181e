#ifndef SQL_DELTA_TREE_H
#define SQL_DELTA_TREE_H

// The tree that delta.c works on: a copy that may be changed, without CTEs (each use stands for
// itself), in which every table of the lake has a number.  For use inside sql/ only.

#include "sql/ast_node.h"
#include "sql/delta.h"

typedef yyjson_mut_val node; // an object or array of the tree; yyjson's name is long

struct delta_tree {
    struct arena *arena;
    const struct delta_input *input;
    yyjson_mut_doc *document;
    node *root;         // the query node
    size_t occurrences; // tables of the lake, numbered in document order
    str problem;        // why the tree cannot be used; empty: it can
};

MUST_USE enum error_code tree_read(struct delta_tree *tree, struct error *err);
void tree_done(struct delta_tree *tree);
// A whole statement with `query` as its query node.
str tree_write(struct delta_tree *tree, node *query);

node *tree_get(node *parent, const char *key);
str tree_text(node *parent, const char *key);
bool tree_is(node *parent, const char *key, const char *value);
bool tree_is_empty(node *parent, const char *key); // absent, null, or without elements
void tree_put(struct delta_tree *tree, node *parent, const char *key, node *value);
void tree_put_text(struct delta_tree *tree, node *parent, const char *key, str value);
node *tree_copy(struct delta_tree *tree, node *value);
// `target` takes the contents of `value`, which must not be used any more.
void tree_become(node *target, node *value);
bool tree_is_query(node *value); // a SELECT, a set operation, …

node *tree_parse(struct delta_tree *tree, str json);
node *tree_column(struct delta_tree *tree, str table, str column); // table may be empty
// Makes the query give no row, whatever it is, with the same columns.
void tree_make_empty(struct delta_tree *tree, node *query);
// Likewise for an item of FROM, or a join of such; false: of a sort that it cannot be done with.
bool tree_empty_from(struct delta_tree *tree, node *from);
// Puts a subquery in the place of a table; its columns are named by the table's list, those that
// this leaves by `columns`.
void tree_put_query(struct delta_tree *tree, node *table, node *query, node *columns);
// Makes the table in FROM `(SELECT * FROM table) AS alias`; its query node.
node *tree_wrap_table(struct delta_tree *tree, node *table);
// `expression IN (SELECT key FROM temp.relation)`, or `… OR expression IS NULL`.
node *tree_in_keys(struct delta_tree *tree, node *expression, str relation, bool with_nulls);
// `SELECT * FROM (query)`, to be given clauses.
node *tree_select_all(struct delta_tree *tree, node *query);
// `left AND right`; left may be null.
node *tree_and(struct delta_tree *tree, node *left, node *right);

// Calls `visit` for every object below and including `value`; a false answer keeps it from going
// into that object.
void tree_walk(node *value, bool (*visit)(void *self, node *object), void *self);
// The same for what is in the object, but not for itself.
void tree_walk_members(node *object, bool (*visit)(void *self, node *object), void *self);

// ── Tables ──
enum { OCCURRENCE_NONE = -1 };
int tree_occurrence(node *table); // its number
void tree_number(struct delta_tree *tree, node *table, int number);
const struct delta_source *tree_source(const struct delta_tree *tree, node *table); // or NULL
bool tree_has_changes(const struct delta_tree *tree, node *value); // a changed table is below
const struct delta_source *tree_first_change(const struct delta_tree *tree, node *value);
bool tree_has_occurrence(node *value, int number);

// ── What stands for the changes ──
// A subquery in FROM that is divided into groups is marked, in all copies of it.
enum { MARK_NONE = -2, MARK_UNDIVIDED = -1 };
int tree_mark(node *subquery); // a number, or one of these
void tree_set_mark(struct delta_tree *tree, node *subquery, int mark);

// A changed table in one place of the query, or a divided subquery.
struct delta_unit {
    const struct delta_source *source; // of a table; NULL: a subquery
    int mark;                          // of a subquery
    node *groups_query;                // likewise: its query for the touched groups
    int first;                         // occurrences below it
    int last;
};

struct delta_unit_list {
    struct delta_unit *items;
    size_t count;
    size_t capacity;
};

// The units below `value`, whose changed tables are all part of one; without groups_query.
void tree_units(const struct delta_tree *tree, node *value, struct delta_unit_list *units);

enum delta_version {
    VERSION_NOW,
    VERSION_BASE,
    VERSION_TELESCOPE, // tables before the unit at now, those after it at base
};
// Puts the added or removed rows in the place of one unit, and the other changed tables at their
// version.  Of a UNION around it only the branch with the unit remains.
void tree_substitute(struct delta_tree *tree, node *value, const struct delta_unit *unit,
                     bool removed, enum delta_version others);

#endif
