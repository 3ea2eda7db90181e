#ifndef MODULES_PATH_H
#define MODULES_PATH_H

// Which files a script may reach (libs.md §11.1): those of the project and of $TMPDIR, and what
// COYPU_ALLOW_PATHS lists; never .env, .coypu/, config/ or the options' secret paths.
//
// Links are followed before anything is compared.
// Ownership: paths live in the arena.
// Errors: ERROR_NOT_FOUND when the path does not exist, ERROR_INVALID when it is not allowed.
// Threads: any.

#include "base/error.h"

struct arena;
struct modules_options;

// The real path of `path`, which is absolute or relative to the project.
MUST_USE enum error_code path_allowed(const struct modules_options *options, struct arena *arena,
                                      str path, str *real, struct error *err);

#endif
