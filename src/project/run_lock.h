#ifndef PROJECT_RUN_LOCK_H
#define PROJECT_RUN_LOCK_H

// One process at a time writes to a project: .coypu/run.lock, held by runs, by maintenance and by
// what mends deliveries.  Readers need no lock.
//
// A lock of the operating system: it goes with its holder, however that one ends.  The file names
// pid, command and start for the one who has to wait.

#include "base/file.h"
#include "project/project.h"

#define RUN_LOCK struct file_lock CLEANUP(run_lock_release)

// Waits up to `timeout_ms`.  ERROR_CONFLICT "another run holds this project: pid 12, coypu run, for
// 5 min (since …)".  `command` is what the next one is told: "coypu run".
MUST_USE enum error_code run_lock_take(const struct project *project, const char *command,
                                       int64_t timeout_ms, struct file_lock *lock,
                                       struct error *err);
// Takes a lock that is not held ({.fd = -1}), too.
void run_lock_release(struct file_lock *lock);

#endif
