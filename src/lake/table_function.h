#ifndef LAKE_TABLE_FUNCTION_H
#define LAKE_TABLE_FUNCTION_H

// Names that SQL already knows behind FROM: a lib cannot have one of them, or only in quotes.

#include "base/str.h"

// Whether DuckDB or an extension that coypu brings along has a table function of that name, in
// lower case; no database is needed.
bool lake_is_table_function(str name);

// Whether a function of that name, in lower case, can be called behind FROM only in quotes.
bool lake_is_word(str name);

#endif
