#ifndef SQL_LINEAGE_H
#define SQL_LINEAGE_H

// Where the columns of a query come from (models.md §11): for each output column the columns of
// tables that its values are made of, and how; besides, the columns that only decide which rows or
// groups there are.
//
// Works on the tree that json_serialize_sql gives, taken before macros are expanded, and resolves
// names as DuckDB's binder does: CTEs in their scope, derived tables, set operations by position,
// LATERAL, stars, USING on both sides, correlated subqueries, macros, views, PIVOT.  What names
// alone cannot tell (the columns of a table, the body of a macro) is asked of a catalog; an answer
// it does not have makes the columns concerned `untraced`, never wrong and never an error.
//
// The result has two faces.  `columns` is what people see: sources merged by table and column.
// `query` is the resolved tree with every SELECT, its FROM items and exact copies.
//
// Ownership: everything lives in the arena.  Threads: values.

#include "base/error.h"
#include "base/list.h"

// Weakest first: along one path the strongest wins.
enum lineage_transformation {
    LINEAGE_IDENTITY,
    LINEAGE_CAST,
    LINEAGE_FUNCTION,
    LINEAGE_ARITHMETIC,
    LINEAGE_CONDITIONAL,
    LINEAGE_AGGREGATION,
};
str lineage_transformation_name(enum lineage_transformation transformation); // "IDENTITY"

struct lineage_source {
    size_t occurrence; // in lineage.occurrences
    str table;         // "raw.orders"; "hubspot()" for a function; the path for a file reader
    str column;        // "*" for COUNT(*)
    enum lineage_transformation transformation;
    str function; // of AGGREGATION and FUNCTION, in lower case; else empty
};

struct lineage_source_list {
    struct lineage_source *items;
    size_t count;
    size_t capacity;
};

// What a column that is no part of a value does decide.
enum lineage_use {
    LINEAGE_FILTER, // WHERE, HAVING, QUALIFY, FILTER, EXISTS, the right side of EXCEPT
    LINEAGE_JOIN,   // ON, USING, what a function in FROM or unnest is called with
    LINEAGE_GROUP,  // GROUP BY, DISTINCT, UNION without ALL, PIVOT … ON
    LINEAGE_WINDOW, // PARTITION BY, ORDER BY and the frame of a window
    LINEAGE_SORT,   // ORDER BY of a query or inside an aggregate, LIMIT
};
str lineage_use_name(enum lineage_use use); // "filter"

struct lineage_indirect {
    size_t occurrence;
    str table;
    str column;
    enum lineage_use use;
};

struct lineage_indirect_list {
    struct lineage_indirect *items;
    size_t count;
    size_t capacity;
};

// One place in the text where something is read: a table named twice is two occurrences; a CTE that
// is read twice holds each of its tables once.
struct lineage_occurrence {
    str table;      // as in lineage_source
    size_t offset;  // in the SQL text; SIZE_MAX inside a view or a macro
    bool is_table;  // of the lake or another database; else a function or a file
    bool is_inside; // of a view or a macro: the query's own text does not name it
};

struct lineage_occurrence_list {
    struct lineage_occurrence *items;
    size_t count;
    size_t capacity;
};

// ── The resolved tree ──

struct lineage_query;

// "This expression is nothing but that column of that FROM item."
struct lineage_copy {
    size_t relation; // in lineage_query.relations; SIZE_MAX: it is no copy
    str column;
};

struct lineage_column_list;

struct lineage_column {
    str name;
    bool untraced; // sources may be missing; lineage.notes says why
    bool is_copy;  // in lineage.columns: every value is that of its one source column, which the
                   // query reads in one place only
    struct lineage_source_list sources;
    struct lineage_indirect_list indirect;    // of this column alone: windows, FILTER, subqueries
    struct lineage_copy copy;                 // in a SELECT; in a set operation there is none
    const struct lineage_column_list *fields; // of a struct, when they are known; else NULL
    const struct lineage_column *item;        // what a list holds; NULL: it is none, or not known
    bool is_plain;                            // it is known to be neither struct nor list
    bool is_open; // `unnest(x) AS name` of who knows what: were x a struct, it would be its fields
};

struct lineage_column_list {
    struct lineage_column *items;
    size_t count;
    size_t capacity;
};

enum lineage_relation_kind {
    LINEAGE_TABLE,    // see occurrence
    LINEAGE_CALL,     // a table function or file reader: see occurrence
    LINEAGE_SUBQUERY, // a derived table, CTE, view, table macro or PIVOT: see query
    LINEAGE_VALUES,   // constants, or unnest of a column beside it
};

struct lineage_relation {
    enum lineage_relation_kind kind;
    str alias;
    str schema;                        // of a table without an alias, for schema.table.column
    size_t occurrence;                 // SIZE_MAX for SUBQUERY and VALUES
    const struct lineage_query *query; // shared by all readers of a CTE; NULL: a recursive CTE
                                       // inside itself
    bool is_null_supplied;             // an outer join may put NULLs in place of its columns
    bool only_filters;                 // the right side of SEMI or ANTI
    bool columns_known;                // else `columns` of it are what the query names
    struct lineage_column_list columns;
};

struct lineage_relation_list {
    struct lineage_relation *items;
    size_t count;
    size_t capacity;
};

struct lineage_subquery {
    const struct lineage_query *query;
    bool is_projected; // stands in the SELECT list; else in WHERE, HAVING, ON, …
};

struct lineage_subquery_list {
    struct lineage_subquery *items;
    size_t count;
    size_t capacity;
};

struct lineage_join {
    str type; // "INNER", "LEFT", "RIGHT", "OUTER", "SEMI", "ANTI"
    str form; // "REGULAR", "NATURAL", "CROSS", "POSITIONAL", "ASOF"
};

struct lineage_join_list {
    struct lineage_join *items;
    size_t count;
    size_t capacity;
};

enum lineage_query_kind {
    LINEAGE_SELECT,
    LINEAGE_SET_OPERATION, // see operation, left, right
    LINEAGE_RECURSIVE,     // likewise; right reads the CTE itself
};

struct lineage_query {
    enum lineage_query_kind kind;
    str operation; // "UNION", "UNION_BY_NAME", "EXCEPT", "INTERSECT"
    bool is_all;   // UNION ALL, …
    const struct lineage_query *left;
    const struct lineage_query *right;

    size_t reader_count;                // FROM items that read it: a CTE may have several
    struct lineage_column_list columns; // the output

    // Of a SELECT:
    struct lineage_relation_list relations; // FROM items, left to right
    struct lineage_join_list joins;
    struct lineage_subquery_list subqueries; // in expressions, outermost only
    bool is_pivot;                           // PIVOT, as an aggregating SELECT

    // Of all kinds:
    bool is_distinct; // DISTINCT without ON
    bool is_distinct_on;
    bool has_limit;
    struct lineage_indirect_list indirect; // what decides its rows, down to the tables
};

struct lineage {
    struct lineage_occurrence_list occurrences; // in the order they are met
    const struct lineage_query *query;
    struct lineage_column_list columns;    // of the query, each with its sources merged by table
    struct lineage_indirect_list indirect; // what decides which rows there are, for all columns
    struct str_list notes; // what could not be traced and why; empty: everything was
};

// ── What is asked ──

struct lineage_name {
    str catalog; // empty when not written
    str schema;
    str name;
};

// A view, or one definition of a macro.
struct lineage_definition {
    str ast;               // of the query; of `SELECT body` for a scalar macro
    const str *parameters; // names
    const str *defaults;   // trees of the default values; empty: none
    size_t parameter_count;
    const str *column_aliases; // CREATE VIEW v (a, b)
    size_t column_alias_count;
};

struct lineage_table {
    str name;           // what sources call it: "raw.orders"
    bool columns_known; // all of them, in order
    struct str_list columns;
    struct str_list types; // beside columns, or empty; STRUCT types let fields be found
    const struct lineage_column_list *made_by;   // the columns of the query that makes it, in the
                                                 // order of `columns`: its types; may be NULL
    const struct lineage_definition *definition; // of a view or table macro; else NULL
};

// Answers about names; a function that is NULL knows nothing.  The answers live in the arena given
// or longer.
struct lineage_catalog {
    void *self;
    // A table or view.  False: not known; it is then called "schema.name" and has unknown columns.
    bool (*table)(void *self, struct arena *arena, const struct lineage_name *name,
                  struct lineage_table *table);
    // A table function or macro in FROM, with its call as a tree.
    bool (*call)(void *self, struct arena *arena, const struct lineage_name *name, str ast,
                 size_t argument_count, struct lineage_table *table);
    // A scalar macro of the user's that takes so many arguments.
    bool (*macro)(void *self, struct arena *arena, const struct lineage_name *name,
                  size_t argument_count, struct lineage_definition *definition);
    // The values of constant expressions (trees) as text; for COLUMNS() over names.
    bool (*evaluate)(void *self, struct arena *arena, const str *asts, size_t count, str *texts);
    // The name that DuckDB gives the projection of an expression without alias.
    str (*expression_name)(void *self, struct arena *arena, str ast);
};

// Reads the tree.  Fails only when it is no tree of a query (ERROR_INVALID).
MUST_USE enum error_code lineage_read(struct arena *arena, str ast,
                                      const struct lineage_catalog *catalog,
                                      struct lineage *lineage, struct error *err);

// NULL when the query has no such column (without case).
const struct lineage_column *lineage_column_find(const struct lineage_column_list *columns,
                                                 str name);

// ── As JSON ──

// [{"column":…,"sources":[{"table","column","transformation","function"}],"indirect":[…]}]: the
// form of commit metadata (models.md §10.2).  Of our own: "untraced":true, and "copy":false for a
// column with one source by IDENTITY that all the same is no copy (the table is read twice, …).
struct json;
void lineage_columns_write(struct json *json, const struct lineage_column_list *columns);
void lineage_sources_write(struct json *json, const struct lineage_source_list *sources);
// [{"table","column","use"}]; `rows` may be NULL.
void lineage_indirect_write(struct json *json, const struct lineage_indirect_list *own,
                            const struct lineage_indirect_list *rows);
// Takes the array back, alone or as the member column_lineage of an object; ignores what it does
// not know.  False: there is none.
bool lineage_columns_read(struct arena *arena, str json, struct lineage_column_list *columns);

// Whether a function of that name (in lower case) is an aggregate of DuckDB.
bool lineage_is_aggregate(str function);

#endif
