#ifndef LAKE_AST_H
#define LAKE_AST_H

// SQL as DuckDB's parser sees it: a JSON tree (json_serialize_sql) and back.
//
// Only SELECT can be serialised.  Parsing needs DuckDB and no extension; nothing is bound, so
// unknown tables and functions are fine.

#include "base/error.h"

struct arena;
struct lake_connection;

// The tree of one query: {"error":false,"statements":[…]}.  ERROR_INVALID with the position in
// `sql` for a syntax error and for what is no SELECT.
MUST_USE enum error_code lake_ast_read(struct lake_connection *connection, struct arena *arena,
                                       str sql, str *json, struct error *err);
// The tree back to SQL; normalises, comments are lost.
MUST_USE enum error_code lake_ast_write(struct lake_connection *connection, struct arena *arena,
                                        str json, str *sql, struct error *err);

#endif
