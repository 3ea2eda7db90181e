#ifndef MODEL_COLUMNS_H
#define MODEL_COLUMNS_H

// The columns a query produces, made fit for a lake table, and what must change in an existing
// table so that it can take them (models.md §7).
//
// Ownership: results live in the arena.  Threads: values.

#include "base/error.h"
#include "base/list.h"
#include "lake/lake.h"

// Types that a lake table cannot have become what they hold: a bare NULL an INTEGER, an ENUM its
// text.  HUGEINT and UHUGEINT, also inside other types, become DECIMAL(38,0): Parquet has no
// integer of 128 bits, and DuckDB writes one as a DOUBLE, which loses digits beyond 2^53.  Two
// columns of one name are ERROR_INVALID, as is a name that DuckLake or the runtime needs.
MUST_USE enum error_code columns_normalise(struct arena *arena, struct lake_column *columns,
                                           size_t count, struct error *err);

// "a", "b" — quoted, for a column list; each with `prefix` ("s.") in front.
str columns_list(struct arena *arena, const struct lake_column *columns, size_t count, str prefix);
// As columns_list, with a cast where columns_normalise chose another type than the query's.
str columns_cast_list(struct arena *arena, const struct lake_column *columns, size_t count);
// "a" INTEGER, "b" VARCHAR
str columns_definition(struct arena *arena, const struct lake_column *columns, size_t count);

// NULL when there is none of that name (without case).
const struct lake_column *columns_find(const struct lake_column *columns, size_t count, str name);
// "id, name": for hints.
str columns_names(struct arena *arena, const struct lake_column *columns, size_t count);

struct evolution {
    struct str_list statements; // ALTER TABLE …, in order
    bool is_destructive;        // a column's old values are lost
    bool forces_backfill;       // kinds that do not rewrite all rows must
    str summary; // "+ c (INTEGER); - d; e: INTEGER to BIGINT"; empty: nothing changes
};

// What makes the table's columns `before` those of the query, `after`.  `target` is quoted.
void evolution_plan(struct arena *arena, str target, const struct lake_column *before,
                    size_t before_count, const struct lake_column *after, size_t after_count,
                    struct evolution *evolution);

#endif
