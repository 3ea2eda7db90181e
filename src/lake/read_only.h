#ifndef LAKE_READ_ONLY_H
#define LAKE_READ_ONLY_H

// The check in front of SQL that must only read: `coypu sql` and query() of scripts.
//
// DuckDB itself classifies the statement (parse tree, not text).

#include "base/error.h"

struct lake_connection;

struct read_only_rule {
    // Also refuses table functions that read files or the network or that modify (read_csv, glob,
    // sqlite_scan, ducklake_…): the rule of query().
    bool refuse_file_functions;
    // Also refuses everything that is no plain query (SHOW, PRAGMA, DESCRIBE): the rule of query().
    bool only_select;
};

// ERROR_INVALID "only a single SELECT is allowed (got DELETE)", with position when it is a syntax
// error.
MUST_USE enum error_code lake_check_read_only(struct lake_connection *connection, str sql,
                                              const struct read_only_rule *rule, struct error *err);

// Runs the statement after the check; a further connection or a read-only attach is not needed.
// "SELECT", "DELETE", "CREATE", …: the type of a statement, for messages.
const char *lake_statement_type_name(int type);

#endif
