#ifndef INSPECT_SCAFFOLD_H
#define INSPECT_SCAFFOLD_H

// New files of a project: a model, a folder for models, a lib file (models.md §1.2).
//
// What is made passes `coypu validate` as it is; nothing that exists is touched.
// Ownership: paths live in the project's arena.  Threads: one.

#include "project/project.h"

// "staging.orders.sql" makes models/staging/orders.sql; "staging" and "staging.eu" make folders.
// *is_folder tells which; *path is relative to the project.
MUST_USE enum error_code scaffold_model(const struct project *project, str name, str *path,
                                        bool *is_folder, struct error *err);

struct scaffold_lib {
    bool fetch; // neither: fetch
    bool push;
    bool is_async; // of the direction asked for
};
// "hubspot" makes lib/hubspot.star.
MUST_USE enum error_code scaffold_lib(const struct project *project, str name,
                                      const struct scaffold_lib *options, str *path,
                                      struct error *err);

#endif
