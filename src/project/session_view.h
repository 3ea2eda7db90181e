#ifndef PROJECT_SESSION_VIEW_H
#define PROJECT_SESSION_VIEW_H

// Views of config/sources.sql: like macros they belong to the session and are made in memory, so
// that nothing of them is written into the lake.
//
// Threads: as the connection.

#include "base/error.h"
#include "sql/create_view.h"

struct lake_connection;

// *sql: the CREATE VIEW to run instead of `statement`, empty when there is nothing to do.  A view
// of the name that stands in the lake, where earlier versions made it, is dropped when the lake can
// be written.  A view of another schema than main cannot be found in memory under its name: it is
// made in the lake by those who may write, when it is not there yet or another one.
MUST_USE enum error_code session_view_redirect(struct lake_connection *connection,
                                               struct arena *arena, str alias, str statement,
                                               str *sql, struct error *err);

#endif
