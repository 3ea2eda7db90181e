#ifndef LIB_COLUMN_TYPE_H
#define LIB_COLUMN_TYPE_H

// The type in a cast, as `columns` tells it to a lib and as fetched values are staged for it
// (libs.md §4.1, §4.3).
//
// Works on DuckDB's own name of the type ("DECIMAL(10,2)", "STRUCT(a INTEGER, b VARCHAR[])").

#include "lake/type.h"
#include "starlark/starlark.h"

struct arena;

// "integer", "number", "boolean", "array", "object" or "string"; "string" for an empty name.
const char *column_type_base(str type);
// The newer form: a string, `["T"]` for lists, a dict for structs.
star_value column_type_newer(struct star_thread *thread, str type);
// The SQL name in its one spelling: INT → INTEGER, DECIMAL → DECIMAL(18,3); "VARCHAR" when empty.
str column_type_canonical(struct arena *arena, str type);
// What the column of the table function is declared as, so that SQL's own cast gives the exact
// value: a type that holds the fetched values as they are.
enum lake_kind column_type_staging(str type);

#endif
