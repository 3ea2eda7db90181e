#ifndef INSPECT_INSPECT_H
#define INSPECT_INSPECT_H

// A project opened to be looked at: the lake read-only, the state store read-only and lazily,
// models and libs when asked for.  What history, stats, describe and push status have in common.
//
// Ownership: everything lives in the arena given to inspection_open, but inspection_close must be
// called, also after an error.
// Errors: those of project_open, session_start, models_read.  Broken models and libs are no error:
// they carry their findings.
// Threads: one.

#include "lib/lib.h"
#include "model/model.h"
#include "project/project.h"
#include "state/state.h"

struct inspection {
    const struct context *context;
    struct arena *arena;
    struct project project;
    struct session session;
    struct state *state;
    struct lib_set libs;
    struct models models;
};

struct inspection_options {
    const struct context *context;
    bool with_models; // read models/ and lib/, too
    bool writable;    // the state store may be changed (push reset)
};

MUST_USE enum error_code inspection_open(struct arena *arena,
                                         const struct inspection_options *options,
                                         struct inspection *inspection, struct error *err);
void inspection_close(struct inspection *inspection);

// The lib files alone, checked against the names that SQL takes.  Errors of files are in
// libs->errors.
MUST_USE enum error_code libs_read(const struct project *project, str catalog, struct lib_set *libs,
                                   struct error *err);
// The models, checked against the libs.
MUST_USE enum error_code models_read_with_libs(const struct project *project,
                                               struct lake_connection *connection, str catalog,
                                               struct lib_set *libs, struct models *models,
                                               struct error *err);

#endif
