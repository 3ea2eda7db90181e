#ifndef LAKE_VARIANT_H
#define LAKE_VARIANT_H

// Results with VARIANTs in them: DuckDB hands these out in a form of its own and says nothing of
// how to read it, so that the casts have to be made in SQL.
//
// Threads: as the connection.

#include "base/error.h"

struct arena;
struct lake_connection;
struct lake_result;

// As lake_stream without values, with each VARIANT as DuckDB casts it: to JSON inside other types
// and where `as_json`, else to VARCHAR.  Columns keep their names.
MUST_USE enum error_code lake_stream_readable(struct lake_connection *connection,
                                              struct arena *arena, str sql, bool as_json,
                                              struct lake_result **result, struct error *err);

#endif
