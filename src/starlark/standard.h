#ifndef STARLARK_STANDARD_H
#define STARLARK_STANDARD_H

// The names that `coypu starlark` and lib files have beside the language's own: json, time, math
// and freeze (spec/starlark.md §10, §12).
//
//     source.predeclared = star_standard_names;
//     if (!star_standard_bindings(thread, bindings)) { … star_thread_error(thread) … }
//     environment.predeclared = bindings;
//
// Ownership: the values live in the thread's heap, until star_thread_reset.
// Threads: as star_thread.

#include "starlark/starlark.h"

enum { STAR_STANDARD_COUNT = 4 };

extern const struct star_names star_standard_names;

// In the order of the names.  false after an error of the thread.
bool star_standard_bindings(struct star_thread *thread,
                            struct star_binding bindings[STAR_STANDARD_COUNT]);

#endif
