#include "base/arena.h"
#include "base/file.h"
#include "base/library.h"
#include "base/text.h"
#include "state/db.h"
#include "state/sqlite_copy.h"

#include <sqlite3.h>

#include <assert.h>
#include <stdlib.h>

// WAL and synchronous=FULL: a commit that returned survives a power cut, and costs one fsync.
static const char setup_sql[] = "PRAGMA journal_mode=WAL;"
                                "PRAGMA synchronous=FULL;"
                                "PRAGMA foreign_keys=ON;"
                                "PRAGMA temp_store=MEMORY;";

enum { STATEMENTS_MAX = 96 }; // distinct SQL literals in state/

// Loaded, not linked: a linked libsqlite3 would lend its functions to DuckDB's sqlite_scanner,
// which brings its own; and commands without state need not wait for it.
#define SQLITE_FUNCTIONS(X)                                                                        \
    X(sqlite3_backup_finish)                                                                       \
    X(sqlite3_backup_init)                                                                         \
    X(sqlite3_backup_step)                                                                         \
    X(sqlite3_bind_blob64)                                                                         \
    X(sqlite3_bind_int64)                                                                          \
    X(sqlite3_bind_null)                                                                           \
    X(sqlite3_bind_parameter_count)                                                                \
    X(sqlite3_bind_text64)                                                                         \
    X(sqlite3_busy_timeout)                                                                        \
    X(sqlite3_changes64)                                                                           \
    X(sqlite3_clear_bindings)                                                                      \
    X(sqlite3_close)                                                                               \
    X(sqlite3_column_blob)                                                                         \
    X(sqlite3_column_bytes)                                                                        \
    X(sqlite3_column_int64)                                                                        \
    X(sqlite3_column_type)                                                                         \
    X(sqlite3_errmsg)                                                                              \
    X(sqlite3_errstr)                                                                              \
    X(sqlite3_exec)                                                                                \
    X(sqlite3_finalize)                                                                            \
    X(sqlite3_get_autocommit)                                                                      \
    X(sqlite3_last_insert_rowid)                                                                   \
    X(sqlite3_open_v2)                                                                             \
    X(sqlite3_prepare_v3)                                                                          \
    X(sqlite3_reset)                                                                               \
    X(sqlite3_step)

struct sqlite_api {
    SQLITE_FUNCTIONS(LIBRARY_FIELD)
};
static const char *const sqlite_names[] = {SQLITE_FUNCTIONS(LIBRARY_NAME)};
static const char *const sqlite_paths[] = {"libsqlite3.so.0", "libsqlite3.so", NULL};
_Static_assert(sizeof(struct sqlite_api) == sizeof(sqlite_names), "one name a function");

struct prepared {
    const char *sql; // the literal's address is the key
    sqlite3_stmt *statement;
};

struct db {
    struct sqlite_api api;
    struct arena arena;
    str file;
    sqlite3 *handle; // NULL before it is open
    struct prepared statements[STATEMENTS_MAX];
    size_t statement_count;
};

static enum error_code db_error(struct db *db, int status, struct error *err) {
    const char *reason =
        db->handle != NULL ? db->api.sqlite3_errmsg(db->handle) : db->api.sqlite3_errstr(status);
    const int primary = status & 0xff;
    if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) {
        error_set(err, ERROR_CONFLICT, "state store " STR_FORMAT " is busy: %s", STR_ARGS(db->file),
                  reason);
        error_hint(err, "another process holds it; try again when that one has finished");
        return ERROR_CONFLICT;
    }
    if (primary == SQLITE_NOTADB || primary == SQLITE_CORRUPT) {
        error_set(err, ERROR_IO, "state store " STR_FORMAT " cannot be read: %s",
                  STR_ARGS(db->file), reason);
        error_hint(err, "restore it from a backup, or move it away: delivery then starts from the "
                        "copy of the watermarks in the lake");
        return ERROR_IO;
    }
    error_set(err, ERROR_IO, "state store " STR_FORMAT ": %s", STR_ARGS(db->file), reason);
    if (primary == SQLITE_CANTOPEN && path_is_directory(db->file)) {
        error_hint(err, "a folder has the name of the state store's file: move it away");
    } else if (primary == SQLITE_CANTOPEN || primary == SQLITE_READONLY) {
        error_hint(err, "give this user the right to read and write the file and its folder");
    } else if (primary == SQLITE_FULL) {
        error_hint(err, "make room on the disk that holds it");
    }
    return err->code;
}

static enum error_code open_handle(struct db *db, int flags, int64_t busy_timeout_ms,
                                   struct error *err) {
    TRY(library_load(sqlite_paths, sqlite_names, ARRAY_COUNT(sqlite_names), &db->api, err));
    const int status = db->api.sqlite3_open_v2(str_to_cstring(&db->arena, db->file), &db->handle,
                                               flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (status != SQLITE_OK) {
        return db_error(db, status, err);
    }
    db->api.sqlite3_busy_timeout(db->handle, (int)busy_timeout_ms);
    return ERROR_NONE;
}

static enum error_code open_file(str file, int flags, int64_t busy_timeout_ms, struct db **out,
                                 struct error *err) {
    struct db *db = memory_alloc(sizeof(*db));
    *db = (struct db){0};
    arena_init(&db->arena);
    db->file = str_copy(&db->arena, file);
    const enum error_code code = open_handle(db, flags, busy_timeout_ms, err);
    if (code != ERROR_NONE) {
        db_close(db);
        return code;
    }
    *out = db;
    return ERROR_NONE;
}

enum error_code db_open(str file, bool read_only, int64_t busy_timeout_ms, struct db **out,
                        struct error *err) {
    if (read_only) {
        return open_file(file, SQLITE_OPEN_READONLY, busy_timeout_ms, out, err);
    }
    if (!path_exists(file)) {
        // Made here so that the mode is ours; SQLite gives its side files the same one.
        const enum error_code code = file_create(file, STR(""), 0600, err);
        if (code != ERROR_NONE && code != ERROR_CONFLICT) {
            return code;
        }
    }
    TRY(open_file(file, SQLITE_OPEN_READWRITE, busy_timeout_ms, out, err));
    const enum error_code code = db_script(*out, setup_sql, err);
    if (code != ERROR_NONE) {
        db_close(*out);
        *out = NULL;
    }
    return code;
}

void db_close(struct db *db) {
    if (db == NULL) {
        return;
    }
    for (size_t i = 0; i < db->statement_count; i++) {
        db->api.sqlite3_finalize(db->statements[i].statement);
    }
    if (db->handle != NULL) {
        db->api.sqlite3_close(db->handle);
    }
    arena_done(&db->arena);
    free(db);
}

enum error_code db_script(struct db *db, const char *sql, struct error *err) {
    const int status = db->api.sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return status == SQLITE_OK ? ERROR_NONE : db_error(db, status, err);
}

// IMMEDIATE: the write lock is taken here, where waiting for it works, not at the first write.
enum error_code db_begin(struct db *db, struct error *err) {
    return db_run(db, "BEGIN IMMEDIATE", NULL, 0, err);
}

enum error_code db_commit(struct db *db, struct error *err) {
    return db_run(db, "COMMIT", NULL, 0, err);
}

void db_rollback(struct db *db) {
    if (db->api.sqlite3_get_autocommit(db->handle) == 0) {
        db->api.sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    }
}

static enum error_code prepare(struct db *db, const char *sql, sqlite3_stmt **out,
                               struct error *err) {
    for (size_t i = 0; i < db->statement_count; i++) {
        if (db->statements[i].sql == sql) {
            *out = db->statements[i].statement;
            return ERROR_NONE;
        }
    }
    assert(db->statement_count < STATEMENTS_MAX);
    const int status =
        db->api.sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    if (status != SQLITE_OK) {
        return db_error(db, status, err);
    }
    db->statements[db->statement_count++] = (struct prepared){.sql = sql, .statement = *out};
    return ERROR_NONE;
}

// SQLite copies texts: a cursor may outlive the values it was given.
static int bind(struct db *db, sqlite3_stmt *statement, int index, const struct db_value *value) {
    switch (value->type) {
    case DB_VALUE_NULL:
        return db->api.sqlite3_bind_null(statement, index);
    case DB_VALUE_INT:
        return db->api.sqlite3_bind_int64(statement, index, value->integer);
    case DB_VALUE_TEXT:
        return db->api.sqlite3_bind_text64(statement, index,
                                           value->text.data != NULL ? value->text.data : "",
                                           value->text.size, SQLITE_TRANSIENT, SQLITE_UTF8);
    case DB_VALUE_BLOB:
        return db->api.sqlite3_bind_blob64(statement, index,
                                           value->text.data != NULL ? value->text.data : "",
                                           value->text.size, SQLITE_TRANSIENT);
    }
    return SQLITE_MISUSE;
}

enum error_code db_query(struct db *db, const char *sql, const struct db_value *values,
                         size_t count, struct db_cursor *cursor, struct error *err) {
    sqlite3_stmt *statement = NULL;
    TRY(prepare(db, sql, &statement, err));
    assert((size_t)db->api.sqlite3_bind_parameter_count(statement) == count);
    for (size_t i = 0; i < count; i++) {
        const int status = bind(db, statement, (int)i + 1, &values[i]);
        if (status != SQLITE_OK) {
            return db_error(db, status, err);
        }
    }
    *cursor = (struct db_cursor){.db = db, .statement = statement};
    return ERROR_NONE;
}

enum error_code db_next(struct db_cursor *cursor, bool *has_row, struct error *err) {
    const int status = cursor->db->api.sqlite3_step(cursor->statement);
    *has_row = status == SQLITE_ROW;
    if (status == SQLITE_ROW || status == SQLITE_DONE) {
        return ERROR_NONE;
    }
    return db_error(cursor->db, status, err);
}

void db_cursor_done(struct db_cursor *cursor) {
    if (cursor->statement != NULL) {
        cursor->db->api.sqlite3_reset(cursor->statement);
        cursor->db->api.sqlite3_clear_bindings(cursor->statement);
        cursor->statement = NULL;
    }
}

enum error_code db_run(struct db *db, const char *sql, const struct db_value *values, size_t count,
                       struct error *err) {
    DB_CURSOR cursor = {0};
    TRY(db_query(db, sql, values, count, &cursor, err));
    bool has_row = true;
    while (has_row) {
        TRY(db_next(&cursor, &has_row, err));
    }
    return ERROR_NONE;
}

int64_t db_changes(struct db *db) {
    return db->api.sqlite3_changes64(db->handle);
}

int64_t db_int(const struct db_cursor *cursor, int column) {
    return cursor->db->api.sqlite3_column_int64(cursor->statement, column);
}

str db_text(const struct db_cursor *cursor, struct arena *arena, int column) {
    const void *bytes = cursor->db->api.sqlite3_column_blob(cursor->statement, column);
    const int size = cursor->db->api.sqlite3_column_bytes(cursor->statement, column);
    return str_copy(arena, (str){bytes, size > 0 ? (size_t)size : 0});
}

// ── Copies ──

// All pages in one step: the source's lock is held for that long, and the copy is of one moment.
static enum error_code copy_pages(struct db *from, struct db *to, struct error *err) {
    sqlite3_backup *backup = to->api.sqlite3_backup_init(to->handle, "main", from->handle, "main");
    if (backup == NULL) {
        return db_error(to, SQLITE_ERROR, err);
    }
    int status = to->api.sqlite3_backup_step(backup, -1);
    const int end = to->api.sqlite3_backup_finish(backup);
    status = status == SQLITE_DONE ? end : status;
    return status == SQLITE_OK ? ERROR_NONE : db_error(from, status, err);
}

// Of a file in WAL mode, reading makes side files, which only a connection that may write removes
// when it closes.  Where there is a WAL already it must not: it would move its pages into the file.
static int source_flags(str from) {
    SCRATCH(scratch);
    const str wal = str_format(&scratch, STR_FORMAT "-wal", STR_ARGS(from));
    return path_exists(wal) || !path_is_writable(from) ? SQLITE_OPEN_READONLY
                                                       : SQLITE_OPEN_READWRITE;
}

enum error_code sqlite_file_copy(str from, str to, const char *script, int64_t busy_timeout_ms,
                                 struct error *err) {
    struct db *source = NULL;
    struct db *copy = NULL;
    enum error_code code = open_file(from, source_flags(from), busy_timeout_ms, &source, err);
    if (code == ERROR_NONE) {
        code = db_open(to, false, busy_timeout_ms, &copy, err);
    }
    if (code == ERROR_NONE) { // a WAL file takes pages of its own size only
        code = db_script(copy, "PRAGMA journal_mode=DELETE;", err);
    }
    if (code == ERROR_NONE) {
        code = copy_pages(source, copy, err);
    }
    if (code == ERROR_NONE) {
        code = db_script(copy, script, err);
    }
    db_close(copy);
    db_close(source);
    return code;
}
