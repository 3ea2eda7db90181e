#ifndef PLAN_COMMIT_H
#define PLAN_COMMIT_H

// The metadata that every commit of a model carries in the lake (models.md §10.2): written as JSON
// into the snapshot's extra info, read back to decide what runs next.
//
// Ownership: results live in the arena given.  Threads: values.

#include "base/context.h"
#include "lake/lake.h"
#include "model/model.h"
#include "plan/run_type.h"
#include "sql/definition.h"
#include "sql/lineage.h"

// A local file that a model read.
struct file_input {
    str path;
    int64_t size;
    int64_t mtime; // nanoseconds since the epoch
};

struct file_input_list {
    struct file_input *items;
    size_t count;
    size_t capacity;
};

// append: the table got columns, which its rows did not get values for.  Only the others tell
// whether one of these rows is a row of the query.
struct growth {
    struct str_list known; // the columns that the older rows have
    int64_t snapshot;      // rows of it and later ones have all; INT64_MAX: that of this commit
};

struct growth_list { // oldest first
    struct growth *items;
    size_t count;
    size_t capacity;
};

// The last commit of a model, as far as planning needs it.
struct commit {
    int64_t snapshot;
    int64_t read_snapshot; // the commit's own snapshot when an older program wrote it
    str kind;
    str coypu_hash;
    str text_hash;
    str sql_hash;
    str duckdb_version;
    bool has_definition; // the parts of the definition are known one by one
    str unique_key;      // of it
    str group_key;       // of it, joined by ","
    str hash_version;    // of DuckDB, that made the hashes in a tracked table
    bool has_depends;    // the key is there
    bool is_exact;       // append: the table held the rows of the full query, no more (`exact`)
    str start_time;
    str decoration; // hash of comments and storage hints; empty: not known
    struct file_input_list inputs;
    struct growth_list growths; // append: since its last backfill
    struct str_list views;      // "name=hash"
    struct str_list directives; // "kind=table", … of `definition`
    struct str_list uses;       // "macro=hash"
    str body_hash;              // of `definition`: the canonical SQL alone
    str extra_info;             // the whole; borrowed from what was read
    struct str_list checks;     // check_identity of those that the table has met:
    size_t checks_committed;    // by its commit, and behind these in runs after it
};

// false when extra_info is no JSON object.
// *target: the model it is of.
bool commit_read(struct arena *arena, int64_t snapshot, str extra_info, str *target,
                 struct commit *commit);

// A run that wrote nothing makes no commit, yet it has looked: the run log keeps how far, so that
// the next run need not look again.  The text for the log, and taking it back: only when it speaks
// of this very commit.
struct commit_progress {
    const struct commit *commit; // the model's last one; NULL: there is nothing to take back
    const struct model *model;
    int64_t read_snapshot;
    bool is_exact;
    const struct file_input_list *files;
    struct str_list checks_met; // since the commit, by check_identity
    str checks;                 // JSON array of this run's results; empty: none
};
str commit_progress_write(struct arena *arena, const struct commit_progress *progress);
void commit_progress_take(struct arena *arena, struct commit *commit, str metadata);
// The snapshot of the commit that the text for the log speaks of; 0: none.
int64_t commit_progress_snapshot(str metadata);

struct commit_step {
    const char *name;
    int64_t duration_us;
};

// The repository a project lies in; empty parts are unknown.
struct git_info {
    str commit;
    str branch;
    str repository_url; // without credentials
};
// Reads .git without running anything.
void git_info_read(struct arena *arena, str project, struct git_info *git);

struct commit_input {
    const struct model *model;
    const struct definition *definition;
    const struct definition_use *uses;
    size_t use_count;
    enum run_type run_type;
    str reason;
    int64_t rows;
    const struct lake_column *columns;
    size_t column_count;
    str run_id;
    int64_t started_us;
    int64_t ended_us;
    str duckdb_version;
    str hash_version; // tracked: of the oldest hash in the table, when it is another one
    const struct git_info *git;
    int64_t read_snapshot;
    bool is_exact;
    const struct growth_list *growths;
    const struct file_input_list *inputs;
    const struct commit_step *steps;
    size_t step_count;
    str sinks;                                 // JSON array; empty: left out
    const struct lineage_column_list *lineage; // of the columns
    str decoration;
    str checks; // JSON array; empty: left out
};

// The JSON object.
str commit_write(struct arena *arena, const struct commit_input *input);

// 32 hex digits over the sorted "name:TYPE" of the columns.
str schema_hash(struct arena *arena, const struct lake_column *columns, size_t count);

#endif
