#ifndef SQL_CREATE_VIEW_H
#define SQL_CREATE_VIEW_H

// A CREATE VIEW statement taken apart by its words: DuckDB gives no syntax tree of one.
//
// Ownership: the body borrows from the statement, the rest lives in the arena.  Threads: values.

#include "base/list.h"

#include <stdbool.h>

struct sql_view {
    str catalog; // empty when not written
    str schema;
    str name;
    bool or_replace;
    bool if_not_exists;
    size_t name_start;       // of its last part, in the statement
    struct str_list columns; // of `CREATE VIEW v (a, b)`
    str body;                // the query
};

// Reads "CREATE [OR REPLACE] [TEMP] VIEW [IF NOT EXISTS] [a.[b.]]name [(columns)] AS query"; false
// when the statement is another one.
bool sql_view_read(struct arena *arena, str statement, struct sql_view *view);
// Whether a view of config/sources.sql is made in memory: it was to stand in main, of the lake or
// of nowhere in particular.  `alias`: the lake's; empty when not known.
bool sql_view_is_of_session(const struct sql_view *view, str alias);

#endif
