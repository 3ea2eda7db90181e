#ifndef RUN_CAST_ERROR_H
#define RUN_CAST_ERROR_H

// What a model says when a value that was fetched does not fit its cast (libs.md §4.1, §12).
//
// Ownership: nothing is kept.  Threads: pure.

#include "lib/fetch.h"
#include "model/model.h"

// Rewrites DuckDB's error about a cast in a model that fetches, already placed in the model's file,
// so that it names model, column, type, value (its first CAST_VALUE_MAX bytes) and the rows that
// were being read; any other error is left as it is.
enum { CAST_VALUE_MAX = 80 };
void cast_error_explain(const struct model *model, const struct fetch *fetch, struct error *err);

#endif
