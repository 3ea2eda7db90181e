#ifndef LAKE_CHANGES_H
#define LAKE_CHANGES_H

// The change feed of one table.
//
// Both bounds are inclusive and must be existing snapshots; from > to gives no rows.  The columns
// of the result are snapshot_id, rowid, change_type and then the table's columns; the rows come
// ordered by these three.  change_type is insert, delete, update_preimage or update_postimage.
// Never read the feed of an uncommitted change: inside a writing transaction it lies.

#include "base/error.h"

struct arena;
struct lake_connection;
struct lake_result;

struct changes_query {
    str schema;
    str table;
    int64_t from;   // snapshot, inclusive
    int64_t to;     // inclusive
    str where;      // SQL condition over the feed's columns; empty: all.  Ours, never a user's
    str order;      // SQL after ORDER BY; empty: snapshot_id, rowid, change_type
    bool unordered; // no ORDER BY at all
};

// Streams the feed: bounded memory (the sort spills).
MUST_USE enum error_code changes_stream(struct lake_connection *connection,
                                        const struct changes_query *query,
                                        struct lake_result **result, struct error *err);
// `lake`.table_changes(…) as text, to stand in a FROM.
str changes_from_text(struct arena *arena, const struct lake_connection *connection,
                      const struct changes_query *query);

#endif
