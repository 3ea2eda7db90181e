#ifndef RUN_DELTA_H
#define RUN_DELTA_H

// How an incremental model of kind append or merge is to be evaluated now: from the changes of its
// sources, or in full and why (models.md §6).
//
// delta_choose only asks and decides: what it gives can be shown (`run --explain`) or executed
// (run_rows.c).  It must be called inside the transaction that then reads, so that all sources are
// seen at one snapshot.
// Ownership: everything lives in the arena of the request.  Threads: that of the connection.

#include "run/runner.h"
#include "sql/delta.h"

struct delta_request {
    struct lake_connection *connection;
    struct arena *arena;
    struct plan_step *step;
    const struct views *views; // that models may read
    int64_t read_snapshot;     // of the transaction
};

// A source, and what happened to it since the base.
struct delta_table {
    str name;   // "raw.orders"
    str schema; // as the lake spells it
    str table;
    struct str_list columns;
    bool exists;
    bool is_new;        // made after the base
    bool is_altered;    // its columns changed
    bool is_changed;    // its rows changed, or may have
    bool only_inserted; // and nothing was updated or deleted
};

// A relation of keys or groups, before the query that reads it.
struct delta_relation {
    str name;
    struct str_list terms; // queries with one column
};

struct delta_choice {
    enum delta_shape shape;
    bool is_nothing; // no source has changed
    int64_t base;    // the snapshot that the changes are counted from
    struct delta_table *tables;
    size_t table_count;

    // DELTA_REFUSED:
    str reason; // "it has a LIMIT"
    str source; // the changed table that the reason is about; may be empty
    bool warns; // the user would like to know

    // Otherwise, SQL:
    struct str_list prepare; // statements that make the relations of the changes
    struct delta_relation *groups;
    size_t group_count;
    struct delta_relation keys; // DELTA_KEYS
    str body;                   // likewise: the query for the keys
    str tree_with_nulls;        // likewise: its tree for when one of them is NULL
    struct str_list terms;      // DELTA_NEW_ROWS, DELTA_AGGREGATE: queries of added rows
    struct str_list removed;    // queries of rows to take from them
    bool streams;               // nothing was removed and one query says it all
};

MUST_USE enum error_code delta_choose(const struct delta_request *request,
                                      struct delta_choice *choice, struct error *err);

// "affected keys", "added rows", …: for people.
str delta_shape_name(const struct delta_choice *choice, enum model_kind kind);

// CREATE OR REPLACE TEMP TABLE … for it.
str delta_relation_sql(struct arena *arena, const struct delta_relation *relation);
// SELECT … UNION ALL SELECT …
str delta_union(struct arena *arena, const struct str_list *queries);

#endif
