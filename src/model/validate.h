#ifndef MODEL_VALIDATE_H
#define MODEL_VALIDATE_H

// Checks a project without its data and without its lake: models, lib files, and both against each
// other (models.md §12.2).
//
// DuckDB is used for its parser only.
// Ownership: the report lives in the arena.  Threads: one.

#include "model/model.h"

struct validated_file {
    str path;
    bool is_model;
    struct finding_list findings; // by line and column
};

struct validation {
    struct validated_file *files; // by path
    size_t count;
    size_t capacity;
    size_t blockers;
    size_t warnings;
    size_t infos;
    bool degraded; // a validate.* warning: the analysis itself was cut short
};

struct validate_options {
    const struct context *context;
    const str *paths; // files or folders to report on, relative to the working directory; none: all
    size_t path_count;
};

// Errors: no project, DuckDB cannot be loaded, a path outside of the project.
MUST_USE enum error_code validate_project(struct arena *arena,
                                          const struct validate_options *options,
                                          struct validation *validation, struct error *err);

#endif
