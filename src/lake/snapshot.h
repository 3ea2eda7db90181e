#ifndef LAKE_SNAPSHOT_H
#define LAKE_SNAPSHOT_H

// Snapshots of the lake, and what is known of its tables.
//
// All of it is read from DuckLake's metadata in few statements, whatever the number of models.

#include "base/error.h"
#include "base/list.h"
#include "lake/lake.h"

struct arena;

struct lake_snapshot {
    int64_t id;
    int64_t time_us; // wall clock
    str author;      // empty when none
    str message;     // empty when none
    str extra_info;  // JSON, or empty
};

// The newest committed snapshot, as this connection sees it.
MUST_USE enum error_code lake_current_snapshot(struct lake_connection *connection, int64_t *id,
                                               struct error *err);
// The id written by this connection's last commit.
MUST_USE enum error_code lake_last_committed_snapshot(struct lake_connection *connection,
                                                      int64_t *id, struct error *err);
// Counts the commits that changed tables or their columns, up to the snapshot.
MUST_USE enum error_code lake_schema_version(struct lake_connection *connection, int64_t snapshot,
                                             int64_t *version, struct error *err);
// Whether `id` still exists (was not expired).
MUST_USE enum error_code lake_snapshot_exists(struct lake_connection *connection, int64_t id,
                                              bool *exists, struct error *err);

// The newest snapshot that a model committed.
struct lake_model_commit {
    int64_t snapshot;
    int64_t next_table_id; // tables with this id or a higher one were made after it
    str extra_info;
};
// Of every model (extra_info->>'model', compared without case), or of those in `models` when it is
// not NULL; in the order of snapshots.
MUST_USE enum error_code lake_model_commits(struct lake_connection *connection, struct arena *arena,
                                            const struct str_list *models,
                                            struct lake_model_commit **commits, size_t *count,
                                            struct error *err);
// One snapshot; *found is false when it is gone, or nothing was written about it.
MUST_USE enum error_code lake_snapshot_find(struct lake_connection *connection, struct arena *arena,
                                            int64_t id, struct lake_snapshot *snapshot, bool *found,
                                            struct error *err);
// Newest first, none that is older than `since_us`; of one model, or of all that have extra_info
// when `model` is empty.  `limit` 0: all.
MUST_USE enum error_code lake_snapshot_list(struct lake_connection *connection, struct arena *arena,
                                            str model, int64_t since_us, int64_t limit,
                                            struct lake_snapshot **snapshots, size_t *count,
                                            struct error *err);

struct lake_table {
    int64_t id;
    int64_t begin_snapshot; // the oldest that has it
    int64_t identity; // of this very table: another lake has the same ids, never the same identity
    str schema;
    str name;
    bool is_view;
    struct lake_column *columns; // NULL from lake_table_list
    size_t column_count;
};
// The current table or view `schema.name` (without case); *found is false when there is none.
// Inside a transaction its uncommitted tables are seen too, with id and begin_snapshot 0.
MUST_USE enum error_code lake_table_find(struct lake_connection *connection, struct arena *arena,
                                         str schema, str name, struct lake_table *table,
                                         bool *found, struct error *err);
// The identity alone, of a committed table; 0 when there is none.
MUST_USE enum error_code lake_table_identity(struct lake_connection *connection, str schema,
                                             str name, int64_t *identity, struct error *err);
// All current tables and views, without columns, by schema and name.
MUST_USE enum error_code lake_table_list(struct lake_connection *connection, struct arena *arena,
                                         struct lake_table **tables, size_t *count,
                                         struct error *err);
// For every table its newest snapshot that changed rows (inserts, deletes or inlined changes) or
// columns, in one statement: what change detection compares.  Comments and storage do not count.
struct lake_table_version {
    str schema;
    str name;
    int64_t table_id;
    int64_t snapshot;
    int64_t rows; // ever written and not yet cleaned up: at least as many as it has
};
MUST_USE enum error_code lake_table_versions(struct lake_connection *connection,
                                             struct arena *arena,
                                             struct lake_table_version **versions, size_t *count,
                                             struct error *err);

#endif
