#ifndef RUN_SCOPE_H
#define RUN_SCOPE_H

// Which models a run is about: "" is all, "mart.x" one, "+mart.x" with what it reads, "mart.x+"
// with what reads it; "x" means main.x.
//
// For use inside run/ only.

#include "run/runner.h"

// For models_options.only: the model whose ancestors are all that must be read for this run; empty:
// all.  Who reads a model nobody knows before all are read, and a sandbox tells whom it reaches.
str run_scope_only(const struct runner *runner);

// Marks the steps of the plan that are in the scope.  ERROR_NOT_FOUND names a target that no model
// makes, ERROR_INVALID shows the cycle that the run would have to go through.
MUST_USE enum error_code run_scope_select(struct runner *runner, struct error *err);

// The model that the run is of alone; NULL when it is of more.
const struct model *run_scope_single(const struct runner *runner);

#endif
