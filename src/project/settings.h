#ifndef PROJECT_SETTINGS_H
#define PROJECT_SETTINGS_H

// Settings of DuckDB that a project must leave as they are: they reach into the statements by
// which DuckLake and this program read and write the lake, so that rows are mixed up or changes
// missed.

#include "lake/script.h"

// Looks after each statement whether it changed one of them; ERROR_INVALID with a hint if so.
// Borrows the connection.
struct script_observer settings_observer(struct lake_connection *connection);

#endif
