#ifndef RUN_SANDBOX_POSTGRES_H
#define RUN_SANDBOX_POSTGRES_H

// The fork of a catalog in PostgreSQL: a database of its own, made by CREATE DATABASE … TEMPLATE.
// Internal to the sandbox.
//
// PostgreSQL copies a database only while nobody else is connected to it, so other sessions have
// to be ended; that is asked for first.
// Errors: ERROR_CONFLICT when there are other sessions and ending them was not agreed to, those of
// the server.  Threads: one.

#include "run/sandbox.h"

struct postgres_fork {
    str connection; // what stands behind "ducklake:postgres:"
    str schema;     // of the metadata; empty: public
    str database;   // of the fork: "coypu_sandbox_12_ab34"
};

// Makes the database and runs `relocation` ({p} filled in) in it.
MUST_USE enum error_code postgres_fork_make(const struct project *project,
                                            const struct sandbox_options *options,
                                            const struct postgres_fork *fork, str relocation,
                                            struct error *err);
MUST_USE enum error_code postgres_fork_drop(const struct project *project,
                                            const struct postgres_fork *fork, struct error *err);
// The connection string with another database.
str postgres_connection(struct arena *arena, str connection, str database);

#endif
