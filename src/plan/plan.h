#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

// What each model would do now, and why: the one object that run, dag, validate and --explain show.
//
// Facts of the lake are read in a handful of statements, whatever the number of models; after that
// a decision is pure.  A model that commits tells the plan (plan_committed), so that what depends
// on it is decided on fresh facts when its turn comes.
//
// Ownership: everything lives in the plan's arena.
// Threads: read by one; plan_decide, plan_committed and plan_version_find then from any, a lock
// inside.  A step belongs to the thread that runs its model, and is read by others once that is
// done.

#include <pthread.h>

#include "model/model.h"
#include "plan/commit.h"
#include "plan/run_type.h"

struct lake_connection;
struct state;

struct plan_step {
    struct model *model;
    struct definition definition;
    const struct definition_use *uses;
    size_t use_count;
    bool has_commit; // of this model and table; without one the table counts as missing
    struct commit commit;
    bool commit_is_lost; // its snapshot is expired: only the run log tells that there was one
    bool table_exists;
    int64_t table_since;          // the oldest snapshot that has the table
    str decoration;               // hash of what the directives say of comments and storage
    int64_t table_id;             // identity of the table; 0: none, or made by this run
    struct file_input_list files; // local files it reads, as they are now

    // The decision:
    enum run_type type;
    str reason;
    str changed; // the input that changed, when the reason names one

    // Set while running:
    bool created;                       // its table was made empty by this run
    bool selected;                      // in the scope of this run
    bool failed;                        // it, or an ancestor
    str blame;                          // the failed ancestor
    bool waits;                         // `blame` did not fail, it has no rows and so no table yet
    bool storage_is_refused;            // an attempt failed by it: not tried again in this run
    struct error_list storage_warnings; // partitioning or sorting that could not be set
    struct lake_column *columns;        // of its query, once they are known
    size_t column_count;
};

struct plan_version {
    int64_t table_id;
    int64_t snapshot; // the newest that changed rows or columns
    int64_t rows;     // at least as many as it has
};

struct plan {
    struct arena *arena;
    pthread_mutex_t lock; // guards the arena, the versions and the tables once models run
    const struct models *models;
    str project;
    struct plan_step *steps; // by model index
    struct map versions;     // plan_version by "schema.table", without case
    struct map tables;       // any non-NULL by "schema.table": tables and views that exist
    int64_t oldest_snapshot; // none is missing since
    str duckdb_version;
    bool full_refresh;
    bool sandbox;
};

struct plan_options {
    str project;
    bool full_refresh;
    bool sandbox; // models with checks or masks run even when they would skip
};

// Reads the facts.  The connection needs an attached lake.
MUST_USE enum error_code plan_read(struct arena *arena, const struct models *models,
                                   struct lake_connection *connection,
                                   const struct plan_options *options, struct plan *plan,
                                   struct error *err);
// The definitions of all models anew, for their commits: macros are told as DuckDB has them, and
// some were made since.  What was decided stays.
MUST_USE enum error_code plan_read_definitions(struct plan *plan, struct error *err);
// What the state store remembers and the lake does not: how far runs that wrote nothing have
// looked, and commits whose snapshots were expired.  Every step is decided again.  A store that
// cannot be read changes nothing: models then only look again.
void plan_take_log(struct plan *plan, struct state *state);
// Decides one model on the facts as they are now.
void plan_decide(struct plan *plan, struct plan_step *step);
// The target was written by `snapshot`; 0: its table exists now, without rows.
void plan_committed(struct plan *plan, const struct model *model, int64_t snapshot);

// Whether comments or storage hints were edited since the last commit: they take effect although
// the model is skipped (models.md §4.1).
bool plan_is_redecorated(const struct plan_step *step);
// What the plan knows of the table "schema.table"; false: nothing.
bool plan_version_find(struct plan *plan, str name, struct plan_version *version);
// The first view that says something else than at the model's last commit; empty: none.
str plan_changed_view(const struct plan_step *step);
// The target got so many rows more, at most.
void plan_rows_added(struct plan *plan, const struct model *model, int64_t rows);
// Whether the model reads so little that one thread is enough: lake tables alone, few rows even if
// all of them are joined with one another, nothing that makes rows.
bool plan_is_light(struct plan *plan, const struct plan_step *step);

struct plan_step *plan_step_of(const struct plan *plan, const struct model *model);

// Whether the table "schema.table" is in the lake.
bool plan_has_table(const struct plan *plan, str name);

#endif
