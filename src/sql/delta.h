#ifndef SQL_DELTA_H
#define SQL_DELTA_H

// How a query can be evaluated from the changes of its tables alone (models.md §6.4): pure work on
// DuckDB's syntax tree, without a database.
//
// Let now and base be the two states of the tables, and each changed table T be given as two
// relations: the rows added and the rows removed between them, T_now = T_base − removed + added as
// multisets.  Two questions are answered:
//
//   keys      (merge) which values of the key column may have rows that differ between the two
//             results?  A superset, so a filter may be left out, never a row.  The plan gives
//             queries whose union is that set, and the query restricted to it.
//   new rows  (append) which rows does the result at now have beyond those at base, copies counted?
//             The plan gives queries whose signed sum is exactly the difference.
//
// Both take one occurrence of a changed table at a time and put the added or removed rows in its
// place, which is right where the query is linear in it: selections, projections, inner joins, the
// preserved side of outer joins, UNION ALL.  Around that, a key that is computed before grouping,
// windows or DISTINCT divides the rows into groups that do not see each other.  So a subquery in
// FROM whose columns divide it is a changed table itself: its rows of the groups that changes can
// have touched, as of now and as of the base.  Whatever is not known to be right is refused, with
// the reason.
//
// The relations are temporary tables or views of the names below, with the table's columns.  Views
// are read as the subqueries that they are.
// Ownership: results live in the arena.  Threads: values.

#include "sql/ast.h"

#define DELTA_ADDED_NAME "__ondatra_added_%zu"     // by the source's index
#define DELTA_REMOVED_NAME "__ondatra_removed_%zu" // likewise
#define DELTA_KEYS_NAME "__ondatra_keys"           // one column, the key
#define DELTA_GROUPS_NAME "__ondatra_groups_%zu"   // likewise, of a subquery
#define DELTA_KEY_COLUMN "__ondatra_key"           // a name that no query means by chance

// A table of the lake that the query reads.
struct delta_source {
    str name;                // "schema.table"
    bool changed;            // between base and now
    bool only_added;         // and no row was removed: there is no such relation
    struct str_list columns; // empty: not known
};

// A view that the query reads, directly or through others.
struct delta_view {
    str name;                // "schema.name", or "name" when it is not in the lake
    str schema;              // where it looks for tables first; empty: in main
    str ast;                 // of its body
    struct str_list columns; // CREATE VIEW v (a, b); empty: those of the body
};

enum sql_function_class {
    SQL_FUNCTION_PLAIN,     // the same result for the same arguments, row by row
    SQL_FUNCTION_AGGREGATE, // over a group of rows
    SQL_FUNCTION_OTHER,     // anything else: volatile, a macro, not known
};

struct delta_input {
    str ast;     // json_serialize_sql of the query
    str catalog; // the lake's alias
    str key;     // the output column; empty: new rows are asked for
    const struct delta_source *sources;
    size_t source_count;
    const struct delta_view *views;
    size_t view_count;
    enum sql_function_class (*classify)(void *self, str function);
    void *self;
    int64_t base; // the snapshot that removed rows' companions are read at
};

enum delta_shape {
    DELTA_REFUSED,   // reason says why
    DELTA_KEYS,      // terms give the keys; restricted is the query for them
    DELTA_NEW_ROWS,  // terms give the rows: added ones less removed ones
    DELTA_AGGREGATE, // one term: the query over the added rows of the only changed table
};

struct delta_term {
    str ast;
    bool is_removed; // gives what was, not what is
};

struct delta_term_list {
    struct delta_term *items;
    size_t count;
    size_t capacity;
};

// The groups of one subquery that changes can have touched: the union of the terms.
struct delta_groups {
    str name; // of the relation, by DELTA_GROUPS_NAME
    struct delta_term_list terms;
};

struct delta_groups_list {
    struct delta_groups *items;
    size_t count;
    size_t capacity;
};

struct delta_plan {
    enum delta_shape shape;
    struct delta_groups_list groups; // in the order in which they can be computed
    struct delta_term_list terms;
    str restricted;            // a tree
    str restricted_with_nulls; // likewise, for when a NULL is among the keys
    str reason;                // "it has a LIMIT"
    size_t source; // the changed table that the reason is about; SIZE_MAX: none in particular
};

// Errors: ERROR_INTERNAL when the tree is no tree.  A query that cannot be rewritten is no error.
MUST_USE enum error_code sql_delta_plan(struct arena *arena, const struct delta_input *input,
                                        struct delta_plan *plan, struct error *err);

#endif
