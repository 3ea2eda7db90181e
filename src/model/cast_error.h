#ifndef MODEL_CAST_ERROR_H
#define MODEL_CAST_ERROR_H

// What a model says when a value that was fetched does not fit its cast (libs.md §4.1, §12).
//
// Ownership: nothing is kept.  Threads: pure.

#include "model/model.h"

// Rewrites DuckDB's error about a cast of a fetched column, already placed in the model's file, so
// that it names model, column, type and value (its first CAST_VALUE_MAX bytes); any other error is
// left as it is.
enum { CAST_VALUE_MAX = 80 };
void cast_error_explain(const struct model *model, struct error *err);

#endif
