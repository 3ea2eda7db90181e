#ifndef SQL_LINEAGE_DATABASE_H
#define SQL_LINEAGE_DATABASE_H

// The catalog of lineage_read, answered from what the caller registers (tables, views,
// functions) and from DuckDB: user macros, the columns of tables, and the names that it gives to
// expressions.
//
// Registered tables and views come first; the database is asked only for what is not registered,
// once a name.
//
// Ownership: the answers live in the arena; the connection is borrowed.
// Errors: none; what the database cannot answer is unknown.
// Threads: that of the connection.

#include "base/map.h"
#include "sql/create_view.h"
#include "sql/lineage.h"

struct lake_connection;

struct lineage_database {
    struct arena *arena;
    struct lake_connection *connection; // NULL: only what is registered
    str alias;                          // of the lake: `alias.schema.table` is `schema.table`
    bool asks_tables;   // tables that are not registered are looked for in the database
    bool asks_calls;    // what functions in FROM return: a file reader opens its file
    bool has_no_macros; // nobody made any: DuckDB need not list all its functions
    struct map tables;  // struct lineage_table * by "schema.table", without case
    struct map calls;   // struct lineage_table * by function name: libs
    struct map macros;  // struct lineage_macros *; see lineage_database.c
    bool macros_loaded;
    struct map names; // of expressions, by tree
    struct lineage_catalog catalog;
};

void lineage_database_init(struct lineage_database *database, struct arena *arena,
                           struct lake_connection *connection);
// Columns and types are borrowed; `types` may be NULL.  A table registered again is replaced.
void lineage_database_add(struct lineage_database *database, str name,
                          const struct str_list *columns, bool columns_known,
                          const struct str_list *types);
// The table that a query makes, with the columns of the query.
void lineage_database_add_made(struct lineage_database *database, str name,
                               const struct str_list *columns, bool columns_known,
                               const struct lineage_column_list *made_by);
// A view, and the syntax tree of its body; both are borrowed.
void lineage_database_add_view(struct lineage_database *database, const struct sql_view *view,
                               str ast);
// A macro that DuckDB does not have; `body` is a query when it is one of a table.
void lineage_database_add_macro(struct lineage_database *database, str name,
                                const struct str_list *parameters, str body, bool is_table);
// A function in FROM that returns these columns.
void lineage_database_add_call(struct lineage_database *database, str function, str shown_name,
                               const struct str_list *columns, bool columns_known);

#endif
