#ifndef PROJECT_BUILTIN_H
#define PROJECT_BUILTIN_H

// SQL that the program brings along: the macros of every session, and the files of `coypu init`.

#include "base/str.h"

// Run before catalog.sql: macros over the built-in variables, and the helpers of models.md §2.  A
// project's own macro of the same name replaces it.
extern const str builtin_macros;
// Used when the project has no variables/local.sql or constants.sql.
extern const str builtin_constants;

struct template_file {
    str path;
    str content; // {{name}} stands for the project's name
};
// What `coypu init` writes, except .env.
extern const struct template_file template_files[];
extern const size_t template_file_count;
// Folders that begin empty.
extern const str template_folders[];
extern const size_t template_folder_count;

#endif
