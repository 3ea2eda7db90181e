#ifndef MODEL_LIB_NAMES_H
#define MODEL_LIB_NAMES_H

// What a lib cannot be called, since SQL would mean something else by it (libs.md §1.2).
//
// Ownership: lives in the project's arena.  Threads: read-only once made.

#include "lib/lib.h"
#include "project/project.h"

struct lib_names {
    struct arena *arena;
    struct map macros; // str * of the file by name
};

MUST_USE enum error_code lib_names_read(const struct project *project, struct lib_names *names,
                                        struct error *err);
// For lib_scan_options; self is a struct lib_names.
str lib_name_taken_by(void *self, str name);

#endif
