#ifndef PROJECT_CONFIG_STATEMENT_H
#define PROJECT_CONFIG_STATEMENT_H

// The statements of config/macros/*.sql and config/sources.sql, which make things of the session:
// macros, views, attached databases.
//
// Each is run by itself.  One that cannot be run yet, as it reads what is not there, is put aside
// and may be tried again: a macro or view may stand before the tables that it reads, and a database
// that is down stops nobody who does not need it.
//
// Ownership: everything lives in the arena of the project.
// Threads: one at a time; who shares a list locks (session.c).

#include "project/config_file.h"

enum config_statement_kind { CONFIG_MACRO, CONFIG_VIEW, CONFIG_ATTACH, CONFIG_OTHER };

struct config_statement {
    enum config_statement_kind kind;
    const struct config_file *file;
    str text;
    size_t offset; // in the file's text
    str name;      // of what it makes; empty: none that we know
    bool is_done;
    bool was_tried;
    struct error problem; // of the last try
};

struct config_statements {
    str alias; // the lake's
    struct config_statement *items;
    size_t count;
    size_t capacity;
    size_t undone; // tried and failed
};

// Adds those of a file; a missing file is fine.
MUST_USE enum error_code config_statements_read(const struct project *project, str name,
                                                struct config_statements *statements,
                                                struct error *err);
// Tries all that are left, again and again as long as one more can be run.
// ERROR_CANCELLED: the rest was not tried.
MUST_USE enum error_code config_statements_run(struct lake_connection *connection,
                                               struct config_statements *statements,
                                               struct error *err);
// The failed statement that whoever runs the files is to hear of now.  Not so a failed ATTACH or
// view, nor a macro that only lacks a table or what else failed: that concerns who uses them.
// NULL: none.
const struct config_statement *config_statements_broken(const struct config_statements *statements);
// When the error speaks of a missing name that a failed statement was to make, that statement's
// error takes its place; false: it stays.
bool config_statements_explain(const struct config_statements *statements, struct error *err);
// Whether one of them failed for want of a name that `others` make.
bool config_statements_lack(const struct config_statements *statements,
                            const struct config_statements *others);
// Whether the error is that of a missing table, schema, catalog, function, ….
bool config_lacks_name(const struct error *err);
bool config_statements_make(const struct config_statements *statements,
                            enum config_statement_kind kind, str name);

#endif
