#ifndef LIB_DATA_H
#define LIB_DATA_H

// What query(), lookup() and getvariable() of lib files reach (libs.md §10.2, §11.2): a connection
// of their own, which sees the last committed snapshot and is only ever read.
//
//     struct lib_data *data = lib_data_new(connection); // owns the connection from now on
//     const struct modules_data hooks = lib_data_hooks(data);
//     … fetch_model.data = hooks, push_request.data = hooks …
//     lib_data_free(data); // after the instances that use it
//
// The connection is made before any lib runs: a lib runs while the main connection executes, and
// making one needs the main one.
// Errors: the hooks fail in Starlark: "query: only a single SELECT is allowed (got DELETE)".
// Threads: the hooks from any; statements run one after another.

#include "lib/lib.h"

struct lake_connection;
struct lib_data;

enum { LIB_QUERY_ROWS_MAX = 1000000 };

struct lib_data *lib_data_new(struct lake_connection *connection);
void lib_data_free(struct lib_data *data); // takes NULL; disconnects
struct modules_data lib_data_hooks(struct lib_data *data);

// Whether any file of the set names one of the three functions, so that a connection for them is
// worth its price.  A word in a comment counts, too.
bool lib_data_is_used(const struct lib_set *set);

#endif
