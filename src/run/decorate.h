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

// What an attempt has done to the storage of a table that was there, and what it still has to do.
struct storage_turn {
    bool is_reset[2];  // its partitioning, its sorting: what they name goes
    bool unpartitions; // once the rows are written, which must not be inlined until then
};

// Of a table that was just made.
MUST_USE enum error_code decorate_new(struct runner *runner, struct plan_step *step,
                                      struct error *err);
// Before columns of a table that was there are dropped: the lake keeps those that its partitioning
// or sorting names.
MUST_USE enum error_code decorate_release(struct runner *runner, const struct plan_step *step,
                                          const struct str_list *dropped,
                                          struct storage_turn *storage, struct error *err);
// Of a table that was there, before rows are written: only what differs from the catalog is set.
// The storage is looked at when the directives were edited or its columns released it.  *changed:
// there is something to commit.
MUST_USE enum error_code decorate_changed(struct runner *runner, struct plan_step *step,
                                          bool edited, struct storage_turn *storage, bool *changed,
                                          struct error *err);
// The rest, once they are written.
MUST_USE enum error_code decorate_written(struct runner *runner, struct plan_step *step,
                                          const struct storage_turn *storage, bool *changed,
                                          struct error *err);

#endif
