#ifndef WRITE_COLUMNS_H
#define WRITE_COLUMNS_H

// The columns a query produces, made fit for a lake table, and what must change in an existing
// table so that it can take them (models.md §7).
//
// Ownership: results live in the arena.  Threads: values.

#include "base/error.h"
#include "base/list.h"
#include "lake/lake.h"
#include "sql/directive.h"

// Types that a lake table cannot have become what they hold: a bare NULL an INTEGER, an ENUM its
// text.  HUGEINT and UHUGEINT, also inside other types, become DECIMAL(38,0): Parquet has no
// integer of 128 bits, and DuckDB writes one as a DOUBLE, which loses digits beyond 2^53.  Two
// columns of one name are ERROR_INVALID, as is a name that DuckLake or the runtime needs, and a
// type that no table of the lake holds; *wrong says which column.
MUST_USE enum error_code columns_normalise(struct arena *arena, struct lake_column *columns,
                                           size_t count, size_t *wrong, struct error *err);

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

// ── Columns of our own ──
#define COLUMN_CONTENT_HASH "_content_hash"
#define COLUMN_VALID_FROM "valid_from_snapshot"
#define COLUMN_VALID_TO "valid_to_snapshot"
#define COLUMN_IS_CURRENT "is_current"

// Those that a kind adds to the query's: the hash of a tracked group, the history of scd2.
const struct lake_column *columns_of_kind(enum model_kind kind, size_t *count);
// Whether the kind adds a column of that name (without case).
bool columns_is_of_kind(enum model_kind kind, str name);

struct evolution {
    struct str_list statements;  // ALTER TABLE …, in order
    struct str_list conversions; // to be run after them, and once rows may be written
    struct str_list dropped;     // the columns that they drop, by their names before
    bool is_destructive;         // a column's old values are lost
    bool forces_backfill;        // kinds that do not rewrite all rows must
    str summary; // "+ c (INTEGER); - d; e: INTEGER to BIGINT"; empty: nothing a user would miss
};

struct evolution_input {
    str target;                       // quoted
    const struct lake_column *before; // of the table
    size_t before_count;
    const struct lake_column *after; // of the query
    size_t after_count;
    enum model_kind kind;
    enum model_kind old_kind; // that wrote the table
    str converted; // a column whose values are cast to its new type, which they all fit; or empty
};

// What makes the table's columns those of the query and of the kind.  Columns that only a kind
// added come and go without a word.
void evolution_plan(struct arena *arena, const struct evolution_input *input,
                    struct evolution *evolution);
// Whether a column's values survive the change of its type.
bool evolution_keeps_values(str from, str to);

#endif
