#ifndef LAKE_ATTACH_H
#define LAKE_ATTACH_H

// Attaching the DuckLake catalog: SQLite, a DuckDB file or PostgreSQL behind one alias.
//
// Errors: ERROR_INVALID with rule "config.catalog" for an attach that is no DuckLake, for MySQL,
// for none or two catalogs; ERROR_CONFLICT when another process holds a DuckDB-file catalog.
// Threads: attach before other connections are used; the getters then from any thread.

#include "base/error.h"

#include <stddef.h>

struct arena;
struct lake;
struct lake_connection;

enum lake_catalog { LAKE_CATALOG_SQLITE, LAKE_CATALOG_DUCKDB, LAKE_CATALOG_POSTGRES };

struct lake_attach_options {
    bool read_only;        // READ_ONLY is added; a catalog file that is missing is an empty lake
    str replace_path;      // attach this `ducklake:…` path instead of the one written (sandbox)
    str replace_data_path; // and this DATA_PATH
    struct error
        *warning; // filled (code not ERROR_NONE) with config.password_in_attach; may be NULL
};

// Runs the text of config/catalog.sql (already expanded): any statements, of which exactly one
// attaches a DuckLake.  Loads the extensions that the path and DATA_PATH need.  A SQLite catalog
// gets META_JOURNAL_MODE 'WAL' and META_BUSY_TIMEOUT 5000 unless the text says otherwise.  Then
// `USE alias` and search_path 'alias,memory'.
MUST_USE enum error_code lake_attach(struct lake_connection *connection, str file, str text,
                                     const struct lake_attach_options *options, struct error *err);
// USE and search_path on a further connection of an attached lake.
MUST_USE enum error_code lake_use(struct lake_connection *connection, struct error *err);

// Attached for reading before anybody made it: an empty one in memory stands for it.
bool lake_is_missing(const struct lake *lake);
str lake_alias(const struct lake *lake); // as DuckDB knows it; borrows from the lake
enum lake_catalog lake_catalog_kind(const struct lake *lake);
const char *lake_catalog_name(enum lake_catalog kind); // "sqlite", "duckdb", "postgres"
// What stands behind `ducklake:` and the kind's prefix: a file path or a connection string.
str lake_catalog_path(const struct lake *lake);
// How many columns a table may have; SIZE_MAX: as many as memory holds.  The catalog keeps small
// writes in a table of its own with three more, and SQLite and PostgreSQL bound those; without
// inlining (DATA_INLINING_ROW_LIMIT 0 in the ATTACH) there is no such table.
size_t lake_columns_max(const struct lake *lake);
bool lake_is_read_only(const struct lake *lake);
// The folder of the data files, as the catalog stores it.
MUST_USE enum error_code lake_data_path(struct lake_connection *connection, struct arena *arena,
                                        str *path, struct error *err);
// Quoted prefix of DuckLake's own tables: "__ducklake_metadata_lake"."main" — for reading only.
str lake_metadata_prefix(const struct lake *lake);

// The parts of an ATTACH statement.
struct attach_text {
    bool is_attach;
    str path;          // literal, unquoted
    size_t path_start; // of the literal with its quotes, bytes into the statement
    size_t path_end;
    str alias;          // empty when there is none
    str options;        // between the parentheses; empty when there are none
    size_t options_end; // of the closing parenthesis; 0 when there are no options
    bool is_unclosed;   // the parenthesis never ends
};
// Reads what it can of any statement; is_attach is false for others.
struct attach_text attach_text_parse(struct arena *arena, str statement);
// The text of a quoted name or constant; anything else as it is.  Borrowed from the token where no
// quote is doubled.
str attach_text_unquote(struct arena *arena, str token);
// The value of an option of the list, without quotes, borrowed likewise; empty when it is not
// there.
str attach_text_option(struct arena *arena, str options, const char *name);
// Whether a connection string or URL carries a password.
bool attach_path_has_password(str path);

#endif
