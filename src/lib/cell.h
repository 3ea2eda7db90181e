#ifndef LIB_CELL_H
#define LIB_CELL_H

// DuckDB values as Starlark values (libs.md §4.2): push rows, query(), lookup().
//
// Ownership: texts are borrowed from the chunk where they can be, so the chunk must outlive the
// thread's values (star_thread_reset).
// Threads: that of the star_thread; a chunk may be read by several.

#include "lake/result.h"
#include "starlark/starlark.h"

struct cell_style {
    bool copy_text;     // the chunk goes away before the values do
    bool json_as_value; // JSON columns as dicts and lists instead of text (COYPU_PUSH_JSON=decoded)
};

// STAR_ERROR when memory is out or a MAP key cannot be made.
star_value cell_value(struct star_thread *thread, const struct lake_vector *vector, size_t row,
                      const struct cell_style *style);
// A type as `columns` shows it under @push: its name, ["T"] for a LIST, {"a": "T"} for a STRUCT.
star_value cell_type_value(struct star_thread *thread, const struct lake_type *type);

#endif
