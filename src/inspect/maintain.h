#ifndef INSPECT_MAINTAIN_H
#define INSPECT_MAINTAIN_H

// Maintenance of the lake: the scripts of sql/, statement by statement (models.md §14).
//
// Expiry must not break the runtime: before a statement that may expire snapshots, the last commit
// of each model and how far its inputs were seen go to the state store, and so does what the sinks
// still need of the history.  Afterwards a model that had nothing to do has nothing to do, one that
// lost the base of its delta runs in full, and every change is still delivered.
//
// Errors: ERROR_NOT_FOUND when there is no such script, ERROR_CONFLICT when another run holds the
// project, those of the statements, with file, line and column of the script.
// Threads: one.

#include "base/context.h"
#include "base/error.h"

struct lake_result;

struct maintain_options {
    const struct context *context;
    str name; // "expire", or any NAME of sql/NAME.sql
    int64_t lock_timeout_ms;
    // Called after each statement; `result` may be read.
    enum error_code (*done)(void *self, str statement, struct lake_result *result,
                            int64_t duration_us, struct error *err);
    void *self;
};

struct maintain_summary {
    str file; // "sql/expire.sql", or "expire (built in)"
    size_t statements;
    size_t kept; // models whose commit was kept; 0: nothing expires
};

MUST_USE enum error_code maintain_run(struct arena *arena, const struct maintain_options *options,
                                      struct maintain_summary *summary, struct error *err);

// Whether `name` is a script: built in, or a file of the project.
MUST_USE enum error_code maintain_has(const struct context *context, struct arena *arena, str name,
                                      bool *has, struct error *err);
// [A-Za-z0-9_-]+
bool maintain_name_is_valid(str name);

#endif
