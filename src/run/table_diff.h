#ifndef RUN_TABLE_DIFF_H
#define RUN_TABLE_DIFF_H

// What became of one table between a snapshot and now: columns, number of rows, and the rows that
// came and went, as a multiset.
//
// Columns that a kind keeps for itself (the history of scd2, the hash of tracked) are not compared;
// neither is a column that only one side has: it is told as a change of the schema.
// Ownership: everything lives in the arena given.  Threads: that of the connection.

#include "model/model.h"

struct lake_connection;

enum { DIFF_SAMPLES_MAX = 2 };

struct table_diff {
    const struct model *model;
    struct str_list schema; // "+ c (INTEGER)", "- d", "e: INTEGER → BIGINT", "renamed f → g"
    int64_t rows_before;
    int64_t rows_after;
    int64_t added;
    int64_t removed;
    str sample_added[DIFF_SAMPLES_MAX]; // rows as JSON objects
    size_t sample_added_count;
    str sample_removed[DIFF_SAMPLES_MAX];
    size_t sample_removed_count;
};

bool table_diff_is_empty(const struct table_diff *diff);

// The table exists now; it need not have existed at the snapshot.
MUST_USE enum error_code table_diff_read(struct lake_connection *connection, struct arena *arena,
                                         const struct model *model, int64_t snapshot,
                                         struct table_diff *diff, struct error *err);

#endif
