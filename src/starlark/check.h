#ifndef STARLARK_CHECK_H
#define STARLARK_CHECK_H

// The static checks that look at one node alone (spec/starlark.md §4, items 6 to 8): parameters,
// arguments, targets, names of a load.

#include "starlark/report.h"

// Order and number of the kinds of parameters; duplicate names are the resolver's.
void star_check_parameters(const struct ast_function *function, struct star_report *report);
void star_check_arguments(const struct ast_call *call, struct arena *scratch,
                          struct star_report *report);
// Reports an expression that nothing can be assigned to.  Names, lists and tuples are the
// resolver's.
void star_check_target(const struct ast_expr *target, struct star_report *report);
// false, and reported, when nothing can be loaded under this name.
bool star_check_load_name(const struct ast_load_name *name, struct star_report *report);

#endif
