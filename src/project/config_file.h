#ifndef PROJECT_CONFIG_FILE_H
#define PROJECT_CONFIG_FILE_H

// One file below config/: read, with ${VARIABLES} and {{catalog}} filled in.
//
// Comments are blanked before anything is replaced, so that an example in a comment needs no
// variable.  Replacing keeps the lines, so that an error's line is that of the file.

#include "base/map.h"
#include "project/project.h"

struct config_statements;

struct config_file {
    str name;     // "config/settings.sql", as errors show it
    str original; // as it was read
    str text;     // to be run
};

// *found is false when there is no such file; a file that cannot be read is an error.  `alias` is
// what {{catalog}} stands for; empty leaves it.
MUST_USE enum error_code config_file_read(const struct project *project, str name, str alias,
                                          struct config_file *file, bool *found, struct error *err);
// Reads and runs; a missing file is fine.
MUST_USE enum error_code config_file_run(const struct project *project,
                                         struct lake_connection *connection, str name, str alias,
                                         bool *found, struct error *err);
// Runs config/macros/*.sql with every macro redirected to memory.*: they may depend on one another
// in any order.  Those that read tables which are not there yet are left in `statements`, whose
// alias is what {{catalog}} stands for.
MUST_USE enum error_code config_macros_run(const struct project *project,
                                           struct lake_connection *connection,
                                           struct config_statements *statements, struct error *err);
// The macros that config/macros/*.sql make, without running anything: str * of the file by name.
MUST_USE enum error_code config_macros_names(const struct project *project, struct map *names,
                                             struct error *err);
// A CREATE MACRO with `memory.` for whatever stood before its name, never TEMP, and with OR REPLACE
// unless it says IF NOT EXISTS; any other statement as it is.
str macro_redirect(struct arena *arena, str statement);
// Whether the statement is a CREATE MACRO, and of which name.
bool macro_name(struct arena *arena, str statement, str *name);
// Same size, with comments replaced by spaces.
str config_blank_comments(struct arena *arena, str text);

#endif
