#ifndef PROJECT_CHECKS_H
#define PROJECT_CHECKS_H

// The macros behind @constraint, @audit and @warning that come with the program (models.md §9),
// written in checks/*.sql.
//
// They are made in a session only when a model uses them, each with the helpers it is made of, so
// that a session without checks does not pay for them.  A macro that is there already, the
// project's own, is left alone.
//
// Ownership: names borrow from static text; lists live in the arena.
// Threads: read-only; checks_load as the connection.

#include "base/error.h"
#include "base/list.h"

struct lake_connection;

// Whether "ondatra_constraint_not_null", … comes with the program; *parameters are those behind
// the table's: "col", "op".
bool checks_find(struct arena *arena, str macro, struct str_list *parameters);
// What follows the prefix ("ondatra_audit_") in the names of all macros that have it.
void checks_names(struct arena *arena, str prefix, struct str_list *names);

// Makes the macro, if it is one of ours, and what it needs.  Not inside a transaction that writes
// the lake: macros live in another database.
MUST_USE enum error_code checks_load(struct lake_connection *connection, str macro,
                                     struct error *err);
// All of them, for macros of a project that build on ours.
MUST_USE enum error_code checks_load_all(struct lake_connection *connection, struct error *err);

#endif
