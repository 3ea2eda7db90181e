#ifndef RUN_DECORATE_H
#define RUN_DECORATE_H

// What directives say of a table beside its rows: partitioning, sorting and comments (models.md
// §5.7, §8), inside the transaction that makes or writes it.
//
// A partitioning or sorting that does not fit its columns, or that the lake refuses, is left out,
// and step->storage_warnings says so: it must not keep rows from their table.
//
// Errors: those of DuckDB.  A refusal is one as well, as it spoils the transaction; it sets
// step->storage_is_refused, so that the next attempt leaves the storage as it is.
// Threads: that of the connection.

#include "run/runner.h"

// Of a table that was just made.
MUST_USE enum error_code decorate_new(struct runner *runner, struct plan_step *step,
                                      struct error *err);
// Of a table that was there: only what differs from the catalog is set.  The storage is looked at
// when the directives were edited.  *changed: there is something to commit.
MUST_USE enum error_code decorate_changed(struct runner *runner, struct plan_step *step,
                                          bool edited, bool *changed, struct error *err);

#endif
