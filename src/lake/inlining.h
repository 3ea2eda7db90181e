#ifndef LAKE_INLINING_H
#define LAKE_INLINING_H

// Small writes go into tables of the catalog instead of files of their own: DuckLake's inlining.
//
// A catalog in SQLite or PostgreSQL keeps a nested value as text that DuckLake 1.0 does not read
// back as it was: of a STRUCT, quotes and backslashes are lost, dates and times cannot be read; of
// a list, JSON and zero bytes.  Such tables are to be written with files only.  A DuckDB file keeps
// every type.
//
// Threads: as the connection.

#include "base/error.h"

struct lake_connection;

// Whether the lake's catalog gives values of `type` back as they were.
bool lake_inlining_keeps(struct lake_connection *connection, str type);

// How many rows of one write are inlined at most.
MUST_USE enum error_code lake_inlining_set_limit(struct lake_connection *connection, int64_t limit,
                                                 struct error *err);
// Whether the connection's next INSERTs may be inlined; at first they may.  It holds for tables
// without a limit of their own: lake_inlining_limit.
MUST_USE enum error_code lake_inlining_allow(struct lake_connection *connection, bool is_allowed,
                                             struct error *err);

// *limit: the rows of one write that lake.set_option said are inlined in this table, in its schema
// or in the lake, whatever the connection says; 0 when nothing says it.
MUST_USE enum error_code lake_inlining_limit(struct lake_connection *connection, str schema,
                                             str table, int64_t *limit, struct error *err);

#endif
