#ifndef LAKE_CHANGE_LOG_H
#define LAKE_CHANGE_LOG_H

// Which snapshot changed which table, and how: DuckLake's own log (ducklake_snapshot_changes), read
// once and asked often.
//
// Ownership: lives in the arena.  Threads: values.

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct lake_connection;

enum lake_change_kind {
    LAKE_CHANGE_INSERT, // rows came
    LAKE_CHANGE_DELETE, // rows went, or were replaced
    LAKE_CHANGE_LAYOUT, // compaction, a flush of inlined rows: the same rows in other files
    LAKE_CHANGE_OTHER,  // columns, comments, and what a later DuckLake may call a change
};

struct lake_change {
    int64_t table_id;
    int64_t snapshot;
    enum lake_change_kind kind;
};

struct lake_change_log {
    struct lake_change *items; // by table, then snapshot
    size_t count;
    size_t capacity;
    int64_t unbroken_since; // none of the snapshots from here to the newest read was expired
};

// The changes of snapshots after `after` up to `until`.
MUST_USE enum error_code lake_change_log_read(struct lake_connection *connection,
                                              struct arena *arena, int64_t after, int64_t until,
                                              struct lake_change_log *log, struct error *err);
// Those of one table; they borrow from the log.
struct lake_change_log lake_change_log_of(const struct lake_change_log *log, int64_t table_id);

// Adds what one snapshot's text says, such as `created_table:"raw"."x",inserted_into_table:3`. Only
// parts with a table's number are of interest; a name in quotes may look like one.
void lake_change_log_add(struct arena *arena, struct lake_change_log *log, int64_t snapshot,
                         str text);

#endif
