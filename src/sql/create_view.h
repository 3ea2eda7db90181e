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
    struct str_list columns; // of `CREATE VIEW v (a, b)`
    str body;                // the query
};

// Reads "CREATE [OR REPLACE] [TEMP] VIEW [IF NOT EXISTS] [a.[b.]]name [(columns)] AS query"; false
// when the statement is another one.
bool sql_view_read(struct arena *arena, str statement, struct sql_view *view);

#endif
