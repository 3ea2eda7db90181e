#ifndef STARLARK_RESOLVER_H
#define STARLARK_RESOLVER_H

// Says for every name of a tree where its value lies, and does the static checks (spec/starlark.md
// §1, §4).
//
// Ownership: bindings and tables live in the arena of the tree.
// Errors: all go to the report; the resolver never stops at the first.
// Memory: when the arena's supply is exhausted the walk ends early, without an error in the report:
// the caller looks at arena_is_exhausted first.
// Threads: one file, one thread at a time.

#include "starlark/report.h"
#include "starlark/starlark.h"

struct star_resolve_options {
    enum star_dialect dialect;
    struct star_names predeclared; // the host's; SCOPE_PREDECLARED indexes this list
    struct star_names universe;    // the language's; SCOPE_UNIVERSE indexes this list
};

// Fills in what ast.h marks "resolver".  Call it also for a tree with syntax errors: it leaves out
// what those make unsure.
void star_resolve(struct arena *arena, struct ast_file *file,
                  const struct star_resolve_options *options, struct star_report *report);

#endif
