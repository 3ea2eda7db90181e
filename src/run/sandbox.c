#include "run/sandbox.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/lake.h"
#include "lake/script.h"
#include "project/config_file.h"
#include "run/sandbox_postgres.h"
#include "state/sqlite_copy.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

enum { COPY_TIMEOUT_MS = 10000 };

// ── Which catalog ──

struct catalog {
    str path; // as it is written, behind "ducklake:" and the kind's prefix
    enum lake_catalog kind;
    str schema; // of the metadata, when the ATTACH names one
};

static enum error_code cannot_fork(const char *what, struct error *err) {
    error_set(err, ERROR_INVALID, "a sandbox cannot copy %s", what);
    error_hint(err, "it copies SQLite catalogs, DuckDB files and PostgreSQL databases that "
                    "config/catalog.sql names");
    return err->code;
}

static enum error_code classify(str path, struct catalog *catalog, struct error *err) {
    const str sqlite = STR("sqlite:");
    if (str_starts_with(path, sqlite)) {
        *catalog = (struct catalog){.path = str_from_offset(path, sqlite.size),
                                    .kind = LAKE_CATALOG_SQLITE};
        return ERROR_NONE;
    }
    const str postgres = STR("postgres:");
    if (str_starts_with(path, postgres)) {
        *catalog = (struct catalog){.path = str_from_offset(path, postgres.size),
                                    .kind = LAKE_CATALOG_POSTGRES};
        return ERROR_NONE;
    }
    if (str_find_char(path, ':') != SIZE_MAX) {
        return cannot_fork("a catalog that is no local file", err);
    }
    *catalog = (struct catalog){.path = path, .kind = LAKE_CATALOG_DUCKDB};
    return ERROR_NONE;
}

// `ducklake:name` says only in which secret the catalog stands.  DuckDB attaches it, for reading,
// and tells where it is; nothing of the secret itself is looked at.
static enum error_code ask_secret(const struct project *project, str name, struct catalog *catalog,
                                  struct error *err) {
    struct project opened = *project;
    struct session session = {0};
    const struct session_options options = {
        .read_only = true, .without_sources = true, .quiet = true, .threads = 1};
    const enum error_code code = session_start(&opened, &options, &session, err);
    if (code == ERROR_NONE) {
        catalog->kind = lake_catalog_kind(session.lake);
        catalog->path = str_copy(project->arena, lake_catalog_path(session.lake));
    }
    session_end(&session);
    if (code == ERROR_NONE && catalog->kind == LAKE_CATALOG_POSTGRES) {
        error_set(err, ERROR_INVALID,
                  "a sandbox cannot copy the PostgreSQL catalog of the secret " STR_FORMAT
                  ": it must connect to the server by itself",
                  STR_ARGS(name));
        error_hint(err, "name the database in config/catalog.sql: ATTACH 'ducklake:postgres:"
                        "host=… dbname=… password=${PGPASSWORD}'");
        return err->code;
    }
    return code;
}

static enum error_code find_catalog(const struct project *project, struct catalog *catalog,
                                    struct error *err) {
    struct config_file file;
    bool found = false;
    struct sql_statement_list statements = {0};
    const str prefix = STR("ducklake:");
    TRY(config_file_read(project, STR("config/catalog.sql"), (str){0}, &file, &found, err));
    sql_split(project->arena, file.text, &statements);
    for (size_t i = 0; i < statements.count; i++) {
        const struct attach_text attach =
            attach_text_parse(project->arena, statements.items[i].text);
        if (attach.is_attach && str_starts_with(attach.path, prefix)) {
            const str path = str_from_offset(attach.path, prefix.size);
            if (str_is_identifier(path)) {
                return ask_secret(project, path, catalog, err);
            }
            TRY(classify(path, catalog, err));
            catalog->schema = attach_text_option(project->arena, attach.options, "METADATA_SCHEMA");
            return ERROR_NONE;
        }
    }
    return error_rule(err, ERROR_INVALID, "config.catalog",
                      "config/catalog.sql attaches no DuckLake");
}

// ── Copying ──

// Every file by its absolute path, so that the data path can be another one; a table or schema with
// a path of its own gets one below it.  Written for SQLite and DuckDB alike; {p} is the prefix of
// the tables, {d} the new data path.
#define FOLDER_OF(table)                                                                           \
    "(SELECT min(CASE WHEN NOT t.path_is_relative THEN t.path"                                     \
    " WHEN NOT s.path_is_relative THEN s.path || t.path ELSE m.value || s.path || t.path END)"     \
    " FROM {p}ducklake_table t JOIN {p}ducklake_schema s ON s.schema_id = t.schema_id"             \
    " JOIN {p}ducklake_metadata m ON m.key = 'data_path' WHERE t.table_id = " table ".table_id)"
static const char relocate_sql[] = "UPDATE {p}ducklake_data_file SET path = " FOLDER_OF(
    "ducklake_data_file") " || path, path_is_relative = false WHERE path_is_relative;\n"
                          "UPDATE {p}ducklake_delete_file SET path = " FOLDER_OF(
                              "ducklake_delete_file") " || path, path_is_relative = false WHERE "
                                                      "path_is_relative;\n"
                                                      "UPDATE {p}ducklake_table SET path = "
                                                      "'table_' || table_id || '/', "
                                                      "path_is_relative = true"
                                                      " WHERE NOT path_is_relative;\n"
                                                      "UPDATE {p}ducklake_schema SET path = "
                                                      "'schema_' || schema_id || '/', "
                                                      "path_is_relative = true"
                                                      " WHERE NOT path_is_relative;\n"
                                                      "UPDATE {p}ducklake_metadata SET value = {d} "
                                                      "WHERE key = 'data_path';\n";

static str relocation(struct arena *arena, str prefix, str data_path) {
    const str named = str_replace_all(arena, str_from(relocate_sql), STR("{p}"), prefix);
    return str_replace_all(arena, named, STR("{d}"), lake_quote_text(arena, data_path));
}

static enum error_code copy_sqlite(struct arena *arena, str from, str to, str data_path,
                                   struct error *err) {
    const str script = relocation(arena, (str){0}, data_path);
    return sqlite_file_copy(from, to, str_to_cstring(arena, script), COPY_TIMEOUT_MS, err);
}

static enum error_code copy_duckdb_attached(struct lake_connection *connection, struct arena *arena,
                                            str from, str to, str data_path, struct error *err) {
    const str script = str_format(
        arena,
        "ATTACH " STR_FORMAT " AS source (READ_ONLY);\n"
        "ATTACH " STR_FORMAT " AS fork;\n"
        "COPY FROM DATABASE source TO fork;\n" STR_FORMAT "DETACH source;\nDETACH fork;\n",
        STR_ARGS(lake_quote_text(arena, from)), STR_ARGS(lake_quote_text(arena, to)),
        STR_ARGS(relocation(arena, STR("fork.main."), data_path)));
    return lake_script_run(connection, STR("sandbox"), script, NULL, err);
}

// Read by DuckDB itself, with its write-ahead log; a writer holds the file alone, so nothing can
// change meanwhile.
static enum error_code copy_duckdb(const struct project *project, str from, str to, str data_path,
                                   struct error *err) {
    struct lake *lake = NULL;
    struct lake_connection *connection = NULL;
    const struct lake_options options = {.threads = 1};
    TRY(lake_open(project->context, &options, &lake, err));
    enum error_code code = lake_connect(lake, &connection, err);
    if (code == ERROR_NONE) {
        code = copy_duckdb_attached(connection, project->arena, from, to, data_path, err);
    }
    lake_disconnect(connection);
    lake_close(lake);
    if (code != ERROR_NONE) {
        err->pos = (struct source_pos){0};
        error_context(err, "copying the catalog for the sandbox");
    }
    return code;
}

static enum error_code copy_file(const struct catalog *catalog, struct sandbox *sandbox,
                                 struct error *err) {
    const struct project *project = sandbox->project;
    struct arena *arena = project->arena;
    const bool is_sqlite = catalog->kind == LAKE_CATALOG_SQLITE;
    const str from =
        path_is_absolute(catalog->path) ? catalog->path : project_path(project, catalog->path);
    const str to = path_join(arena, sandbox->folder,
                             is_sqlite ? STR("catalog.sqlite") : STR("catalog.ducklake"));
    sandbox->attach_path =
        str_format(arena, "ducklake:%s" STR_FORMAT, is_sqlite ? "sqlite:" : "", STR_ARGS(to));
    if (!path_exists(from)) {
        return ERROR_NONE; // an empty one is made
    }
    sandbox->source = catalog->path;
    return is_sqlite ? copy_sqlite(arena, from, to, sandbox->data_path, err)
                     : copy_duckdb(project, from, to, sandbox->data_path, err);
}

static str database_file(struct arena *arena, str folder) {
    return path_join(arena, folder, STR("database"));
}

// The name is written down before the database is made: a kill in between leaves nothing unknown.
static enum error_code copy_postgres(const struct catalog *catalog,
                                     const struct sandbox_options *options, struct sandbox *sandbox,
                                     struct error *err) {
    struct arena *arena = sandbox->project->arena;
    const str name = str_replace_all(arena, path_base(sandbox->folder), STR("-"), STR("_"));
    const struct postgres_fork fork = {
        .connection = catalog->path,
        .schema = catalog->schema.size > 0 ? catalog->schema : STR("public"),
        .database = str_format(arena, "coypu_sandbox_" STR_FORMAT, STR_ARGS(name)),
    };
    const str prefix =
        str_format(arena, STR_FORMAT ".", STR_ARGS(lake_quote_name(arena, fork.schema)));
    TRY(file_create(database_file(arena, sandbox->folder), fork.database, 0600, err));
    sandbox->database = fork.database;
    sandbox->source = STR("the PostgreSQL catalog"); // the connection string may hold a password
    sandbox->attach_path =
        str_format(arena, "ducklake:postgres:" STR_FORMAT,
                   STR_ARGS(postgres_connection(arena, fork.connection, fork.database)));
    return postgres_fork_make(sandbox->project, options, &fork,
                              relocation(arena, prefix, sandbox->data_path), err);
}

static enum error_code copy_catalog(const struct catalog *catalog,
                                    const struct sandbox_options *options, struct sandbox *sandbox,
                                    struct error *err) {
    return catalog->kind == LAKE_CATALOG_POSTGRES ? copy_postgres(catalog, options, sandbox, err)
                                                  : copy_file(catalog, sandbox, err);
}

// ── The folder ──

static enum error_code make_folder(const struct project *project, struct sandbox *sandbox,
                                   struct error *err) {
    struct arena *arena = project->arena;
    unsigned char random[6];
    context_random(project->context, random, sizeof(random));
    const str name = str_format(arena, ".sandbox/%lld-" STR_FORMAT, (long long)getpid(),
                                STR_ARGS(hex_encode(arena, random, sizeof(random))));
    sandbox->folder = project_path(project, name);
    sandbox->data_path = str_format(arena, STR_FORMAT "/data/", STR_ARGS(sandbox->folder));
    return directory_create(sandbox->data_path, 0700, err);
}

enum error_code sandbox_make(const struct project *project, const struct sandbox_options *options,
                             struct sandbox *sandbox, struct error *err) {
    struct catalog catalog = {0};
    *sandbox = (struct sandbox){.project = project};
    sandbox_reap(project);
    TRY(find_catalog(project, &catalog, err));
    TRY(make_folder(project, sandbox, err));
    const enum error_code code = copy_catalog(&catalog, options, sandbox, err);
    if (code != ERROR_NONE) {
        sandbox_remove(sandbox);
    }
    return code;
}

static enum error_code drop_database(const struct sandbox *sandbox, struct error *err) {
    struct catalog catalog = {0};
    TRY(find_catalog(sandbox->project, &catalog, err));
    const struct postgres_fork fork = {.connection = catalog.path, .database = sandbox->database};
    return postgres_fork_drop(sandbox->project, &fork, err);
}

void sandbox_remove(const struct sandbox *sandbox) {
    struct error ignored;
    if (sandbox->folder.size == 0 ||
        (sandbox->database.size > 0 && drop_database(sandbox, &ignored) != ERROR_NONE) ||
        directory_remove(sandbox->folder, &ignored) != ERROR_NONE) {
        return; // the next start tries again
    }
    SCRATCH(scratch);
    // The folder above goes with its last sandbox; not empty is no error.
    (void)rmdir(str_to_cstring(&scratch, path_directory(sandbox->folder)));
}

static bool is_dead(str name) {
    int64_t pid = 0;
    return str_parse_int64(str_slice(name, 0, str_find_char(name, '-')), &pid) && pid > 0 &&
           kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

void sandbox_reap(const struct project *project) {
    const str folder = project_path(project, STR(".sandbox"));
    struct str_list names;
    struct error ignored;
    if (directory_folders(project->arena, folder, &names, &ignored) != ERROR_NONE) {
        return;
    }
    for (size_t i = 0; i < names.count; i++) {
        struct sandbox left = {.project = project,
                               .folder = path_join(project->arena, folder, names.items[i])};
        const str file = database_file(project->arena, left.folder);
        const bool readable = !path_exists(file) || file_read(project->arena, file, &left.database,
                                                              &ignored) == ERROR_NONE;
        if (readable && is_dead(names.items[i])) {
            sandbox_remove(&left);
        }
    }
}
