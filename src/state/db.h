#ifndef STATE_DB_H
#define STATE_DB_H

// The few things the store needs of a SQL database: statements with parameters, rows, transactions.
// Internal to state/.  The SQL handed in is written so that SQLite and PostgreSQL both take it:
// parameters are $1, $2, … in order of first appearance.
//
// Ownership: a cursor borrows its statement, which the database keeps prepared; texts of a row live
// until the next db_next, so copy them.
// Errors: ERROR_CONFLICT when the database stayed busy, ERROR_IO otherwise, naming the file.
// Threads: one at a time; the caller locks.

#include "base/error.h"
#include "base/str.h"

struct arena;
struct db;

struct db_value {
    enum { DB_VALUE_NULL, DB_VALUE_INT, DB_VALUE_TEXT, DB_VALUE_BLOB } type;
    int64_t integer;
    str text;
};
#define DB_INT(value) ((struct db_value){.type = DB_VALUE_INT, .integer = (value)})
#define DB_TEXT(value) ((struct db_value){.type = DB_VALUE_TEXT, .text = (value)})
#define DB_BLOB(value) ((struct db_value){.type = DB_VALUE_BLOB, .text = (value)})
// The empty blob as NULL.
#define DB_BLOB_OR_NULL(value)                                                                     \
    ((struct db_value){.type = (value).size > 0 ? DB_VALUE_BLOB : DB_VALUE_NULL, .text = (value)})
// The list of parameters and its length, for db_run and db_query.
#define DB_VALUES(...)                                                                             \
    (const struct db_value[]){__VA_ARGS__},                                                        \
        sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value)

// `file` is made (0600) when it is not there, unless read_only.
MUST_USE enum error_code db_open(str file, bool read_only, int64_t busy_timeout_ms, struct db **db,
                                 struct error *err);
void db_close(struct db *db); // NULL is fine

MUST_USE enum error_code db_begin(struct db *db, struct error *err); // for writing
MUST_USE enum error_code db_commit(struct db *db, struct error *err);
void db_rollback(struct db *db);

// Several statements without parameters or rows.
MUST_USE enum error_code db_script(struct db *db, const char *sql, struct error *err);
// One statement, its rows ignored.  `sql` is a literal: the statement is kept prepared under its
// address.
MUST_USE enum error_code db_run(struct db *db, const char *sql, const struct db_value *values,
                                size_t count, struct error *err);
int64_t db_changes(struct db *db); // rows of the last db_run

struct db_cursor {
    struct db *db;
    void *statement;
};
#define DB_CURSOR struct db_cursor CLEANUP(db_cursor_done)
// One cursor of a statement at a time.
MUST_USE enum error_code db_query(struct db *db, const char *sql, const struct db_value *values,
                                  size_t count, struct db_cursor *cursor, struct error *err);
MUST_USE enum error_code db_next(struct db_cursor *cursor, bool *has_row, struct error *err);
void db_cursor_done(struct db_cursor *cursor);

int64_t db_int(const struct db_cursor *cursor, int column); // NULL is 0
// Text or blob, copied; NULL is empty.
str db_text(const struct db_cursor *cursor, struct arena *arena, int column);

#endif
