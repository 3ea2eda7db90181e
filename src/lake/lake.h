#ifndef LAKE_LAKE_H
#define LAKE_LAKE_H

// DuckDB and the DuckLake attached to it: the one module that knows duckdb.h.
//
// A `struct lake` is one in-memory DuckDB; a `struct lake_connection` is one thread's way into it.
// Newcomers get three things wrong: DuckDB is loaded only by lake_open (commands that need no
// database must not call it); an error inside a transaction ends it (lake/transaction.h); values
// are bound, never pasted, and names go through lake_quote_name.
//
//     LAKE_RESULT result = NULL; // freed when it leaves scope
//     TRY(lake_query(connection, STR("SELECT max(id) FROM raw.orders WHERE day = ?"),
//                    LAKE_VALUES(lake_value_text(day)), &result, err));
//     if (lake_result_next(result)) { … lake_result_int64(result, 0) … }
//
// Outside of a transaction every statement that names a lake table, or a function without
// `system.main.`, fetches the lake's snapshot from the catalog (2.5 ms CPU); inside, only the first
// does.  Who asks much, as planning does, opens a transaction and rolls it back.
//
// The other headers: result.h (reading), type.h, transaction.h, snapshot.h, changes.h, source.h
// (the table function), script.h (files of several statements), attach.h, ast.h, read_only.h,
// table_format.h (csv, json, markdown).
//
// Ownership: lake_open gives a lake that lake_close frees; connections are closed before.
// Errors: ERROR_INVALID for what the statement's author can mend, ERROR_NOT_FOUND for a name that
// does not exist, ERROR_CONFLICT for a lost commit or a locked catalog (try the whole transaction
// again), ERROR_CANCELLED after an interrupt, ERROR_IO, ERROR_NETWORK, ERROR_LIMIT (memory),
// ERROR_INTERNAL.  A position in the error is that of DuckDB, as line and column of the SQL text.
// Threads: a lake is shared by all; a connection belongs to one thread at a time, except for
// lake_interrupt.  When the context has an interrupt, raising it stops every running statement.

#include "base/context.h"
#include "base/error.h"

struct arena;
struct lake;
struct lake_connection;
struct lake_result;

struct lake_options {
    int threads;             // DuckDB's worker threads; 0: DuckDB's choice (one a core)
    str extension_directory; // empty: searched beside the program (see lake_find_dependencies)
    str library_path;        // of libduckdb; empty: searched likewise
    str cache_directory;    // for the record of verified extensions; empty: the user's cache folder
    str temp_directory;     // where big operations spill; empty: DuckDB's choice
    bool signed_extensions; // DuckDB's own check too: the project names an extension we do not pin
};

// Loads libduckdb and opens an empty in-memory database: no extension is loaded yet.
MUST_USE enum error_code lake_open(const struct context *context,
                                   const struct lake_options *options, struct lake **lake,
                                   struct error *err);
// Takes NULL.
void lake_close(struct lake *lake);

MUST_USE enum error_code lake_connect(struct lake *lake, struct lake_connection **connection,
                                      struct error *err);
// Rolls back an open transaction.  Takes NULL.
void lake_disconnect(struct lake_connection *connection);
struct lake *lake_of(const struct lake_connection *connection);
// A number that no other connection of this lake has; see lake_source_connection.
uint64_t lake_connection_id(const struct lake_connection *connection);
// Stops what the connection is executing; it answers ERROR_CANCELLED and lives on.  Any thread.
void lake_interrupt(struct lake_connection *connection);

// Statements of this connection run although the program was interrupted, and are not cut off: for
// the last short ones, that record what cannot be taken back.  Returns what was set before.
bool lake_shield(struct lake_connection *connection, bool is_shielded);

// "v1.5.5".  Borrowed for ever.
str lake_duckdb_version(const struct lake *lake);

// ── Extensions ──
// Loads one of the pinned extensions ("ducklake", "sqlite_scanner", "postgres_scanner", "httpfs")
// from our own folder after its SHA-256 was verified; a second call does nothing.  ERROR_NOT_FOUND
// names the extension, the folder searched and the command that installs; ERROR_INVALID a wrong
// hash.
MUST_USE enum error_code lake_load_extension(struct lake_connection *connection, str name,
                                             struct error *err);
// Loads those pinned extensions that a statement's text speaks of: `ducklake:sqlite:…`, `TYPE
// postgres`, `s3://…`.  One too many is harmless, so it looks at the text only.
MUST_USE enum error_code lake_load_extensions_for(struct lake_connection *connection, str text,
                                                  struct error *err);
// Whether `name` is one that we pin, or one that is linked into DuckDB ("json", "icu", "parquet").
bool lake_extension_is_pinned(str name);
bool lake_extension_is_built_in(str name);

// ── Statements ──
enum lake_value_kind {
    LAKE_VALUE_NULL,
    LAKE_VALUE_BOOL,
    LAKE_VALUE_INT64,
    LAKE_VALUE_DOUBLE,
    LAKE_VALUE_TEXT,
    LAKE_VALUE_BLOB,
    LAKE_VALUE_TIMESTAMP,  // microseconds since the epoch, without time zone
    LAKE_VALUE_TEXT_LIST,  // VARCHAR[]
    LAKE_VALUE_INT64_LIST, // BIGINT[]
};

// A parameter.  Borrows text and lists.
struct lake_value {
    enum lake_value_kind kind;
    bool boolean;
    int64_t integer;
    double number;
    str text;
    const str *texts;
    const int64_t *integers;
    size_t count; // of texts or integers
};
struct lake_value lake_value_null(void);
struct lake_value lake_value_bool(bool value);
struct lake_value lake_value_int64(int64_t value);
struct lake_value lake_value_double(double value);
struct lake_value lake_value_text(str value);
struct lake_value lake_value_blob(str value);
struct lake_value lake_value_timestamp(int64_t wall_us);
struct lake_value lake_value_texts(const str *values, size_t count);
struct lake_value lake_value_int64s(const int64_t *values, size_t count);

// The parameters of one statement, in the order of its `?` (or by number, `$1`).
struct lake_values {
    const struct lake_value *items;
    size_t count;
};
#define LAKE_VALUES(...)                                                                           \
    ((struct lake_values){(const struct lake_value[]){__VA_ARGS__},                                \
                          sizeof((const struct lake_value[]){__VA_ARGS__}) /                       \
                              sizeof(struct lake_value)})
#define LAKE_NO_VALUES ((struct lake_values){0})

// Runs exactly one statement (or one PIVOT) and keeps its whole result in memory.
MUST_USE enum error_code lake_query(struct lake_connection *connection, str sql,
                                    struct lake_values values, struct lake_result **result,
                                    struct error *err);
// As lake_query, but chunks are computed as they are read: bounded memory for any number of rows.
// Until the result is freed nothing else may run on the connection.
MUST_USE enum error_code lake_stream(struct lake_connection *connection, str sql,
                                     struct lake_values values, struct lake_result **result,
                                     struct error *err);
// Runs one statement for its effect; *changed (may be NULL) is the number of rows it wrote.
MUST_USE enum error_code lake_execute(struct lake_connection *connection, str sql,
                                      struct lake_values values, int64_t *changed,
                                      struct error *err);
// As lake_execute, for a statement inside a transaction that may wait long for the table function:
// sleeps while there is nothing to compute.  Costs up to 1 ms of wall time more.
MUST_USE enum error_code lake_execute_patient(struct lake_connection *connection, str sql,
                                              int64_t *changed, struct error *err);
// The first column of the first row; false in *found (may be NULL) when there is no row or it is
// NULL, the value is then 0.
MUST_USE enum error_code lake_query_int64(struct lake_connection *connection, str sql,
                                          struct lake_values values, int64_t *value, bool *found,
                                          struct error *err);
// As lake_query_int64; the text, of any type, is copied into the arena.
MUST_USE enum error_code lake_query_text(struct lake_connection *connection, struct arena *arena,
                                         str sql, struct lake_values values, str *value,
                                         bool *found, struct error *err);

// One column of a query that was bound and not executed.
struct lake_column {
    str name;
    str type; // as DuckDB prints it: "DECIMAL(18,2)", "STRUCT(a INTEGER)"
};
// Binds `sql` without running it and tells its columns: names, types, errors with position.
// Table functions are bound too (they must not work in bind).
MUST_USE enum error_code lake_describe(struct lake_connection *connection, struct arena *arena,
                                       str sql, struct lake_column **columns, size_t *count,
                                       struct error *err);

// Whether `sql` can be bound; the answer no leaves an open transaction as it was.  `why` is filled
// then.
bool lake_can_bind(struct lake_connection *connection, str sql, struct error *why);

// `SET VARIABLE name = value`; the name is quoted.
MUST_USE enum error_code lake_set_variable(struct lake_connection *connection, str name,
                                           struct lake_value value, struct error *err);

// ── Quoting ── for the places where SQL takes no parameter.
// "name", with inner quotes doubled.
str lake_quote_name(struct arena *arena, str name);
// The same, but a name that needs no quotes stays as it is.
str lake_quote_if_needed(struct arena *arena, str name);
// "schema"."table" of `schema.table`, split at the first dot; a bare name stays one part.
str lake_quote_target(struct arena *arena, str target);
// 'text', with inner quotes doubled.
str lake_quote_text(struct arena *arena, str value);

#endif
