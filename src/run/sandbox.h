#ifndef RUN_SANDBOX_H
#define RUN_SANDBOX_H

// A fork of the lake's catalog, to run the real pipeline against without touching anything
// (models.md §13).
//
// The fork is a copy of the catalog of one moment in .sandbox/<pid>-<random>/.  In the copy every
// data file of the lake is named by its absolute path and the data path is a folder of the sandbox,
// so that what the fork writes lies beside it: the production catalog is only read, its data path
// is never written, and removing the one folder removes everything.  A sandbox whose process is
// gone is removed by the next start.  A catalog in PostgreSQL is copied into a database of its own
// (sandbox_postgres.h), whose name stands in the folder.
//
// Ownership: texts live in the arena given.  Threads: one.

#include "project/project.h"

struct sandbox {
    const struct project *project;
    str folder;      // absolute
    str attach_path; // "ducklake:sqlite:/…/.sandbox/1-abc/catalog.sqlite"
    str data_path;   // absolute, with a slash at its end
    str source;      // the catalog that was copied, for people; empty: there is none yet
    str database;    // of the fork in PostgreSQL; else empty
};

struct sandbox_options {
    // Whether what stands in the way may be ended ("2 other sessions use …"); NULL: no.
    bool (*confirm)(void *self, str question);
    void *self;
};

// ERROR_CONFLICT when another process holds the catalog, ERROR_INVALID for a catalog that cannot be
// copied.
MUST_USE enum error_code sandbox_make(const struct project *project,
                                      const struct sandbox_options *options,
                                      struct sandbox *sandbox, struct error *err);
// Once nothing is connected to the fork.  Takes a zeroed sandbox, too.  What cannot be removed is
// left to the next start.
void sandbox_remove(const struct sandbox *sandbox);
// Removes what dead processes left behind.
void sandbox_reap(const struct project *project);

#endif
