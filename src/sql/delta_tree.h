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

node *tree_column(struct delta_tree *tree, str table, str column); // table may be empty
// Makes the query give no row, whatever it is, with the same columns.
void tree_make_empty(struct delta_tree *tree, node *query);
// `expression IN (SELECT k FROM temp.keys)`
node *tree_in_keys(struct delta_tree *tree, node *expression);
// `left AND right`; left may be null.
node *tree_and(struct delta_tree *tree, node *left, node *right);

// Calls `visit` for every object below and including `value`; a false answer keeps it from going
// into that object.
void tree_walk(node *value, bool (*visit)(void *self, node *object), void *self);

// ── Tables ──
enum { OCCURRENCE_NONE = -1 };
int tree_occurrence(node *table);                                                   // its number
const struct delta_source *tree_source(const struct delta_tree *tree, node *table); // or NULL
bool tree_has_changes(const struct delta_tree *tree, node *value); // a changed table is below
const struct delta_source *tree_first_change(const struct delta_tree *tree, node *value);
bool tree_has_occurrence(node *value, int number);
// The table with that number below `value`; NULL when it is not there.
const struct delta_source *tree_occurrence_source(const struct delta_tree *tree, node *value,
                                                  int number);

enum delta_version {
    VERSION_NOW,
    VERSION_BASE,
    VERSION_TELESCOPE, // tables before the occurrence at now, those after it at base
};
// Puts the added or removed rows in the place of one occurrence, and the other changed tables at
// their version.  Of a UNION around it only the branch with the occurrence remains.
void tree_substitute(struct delta_tree *tree, node *value, int number, bool removed,
                     enum delta_version others);

#endif
