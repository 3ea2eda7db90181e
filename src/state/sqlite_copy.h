#ifndef STATE_SQLITE_COPY_H
#define STATE_SQLITE_COPY_H

// A copy of any SQLite file, of one moment, while others read and write it (SQLite's backup).

#include "base/error.h"

// Copies `from` to the new file `to`, then runs `script` (several statements) in the copy.  `from`
// is only read.  ERROR_CONFLICT when it stayed busy.
MUST_USE enum error_code sqlite_file_copy(str from, str to, const char *script,
                                          int64_t busy_timeout_ms, struct error *err);

#endif
