#include "run/sandbox_postgres.h"

#include "base/text.h"
#include "lake/lake.h"
#include "project/config_file.h"

// The last one counts, in a list of keywords as in a URI.
str postgres_connection(struct arena *arena, str connection, str database) {
    if (str_find(connection, STR("://")) == SIZE_MAX) {
        return str_format(arena, STR_FORMAT " dbname=" STR_FORMAT, STR_ARGS(connection),
                          STR_ARGS(database));
    }
    const char *separator = str_find_char(connection, '?') == SIZE_MAX ? "?" : "&";
    return str_format(arena, STR_FORMAT "%sdbname=" STR_FORMAT, STR_ARGS(connection), separator,
                      STR_ARGS(database));
}

// ── A connection to the server ── of a DuckDB of our own: it ends with it, pool and all.

struct server {
    struct lake *lake;
    struct lake_connection *connection;
};

static enum error_code connect_to(const struct project *project, str connection,
                                  struct server *server, struct error *err) {
    struct arena *arena = project->arena;
    const struct lake_options options = {.threads = 1};
    const str attach = str_format(arena, "ATTACH " STR_FORMAT " AS server (TYPE postgres)",
                                  STR_ARGS(lake_quote_text(arena, connection)));
    *server = (struct server){0};
    TRY(lake_open(project->context, &options, &server->lake, err));
    TRY(lake_connect(server->lake, &server->connection, err));
    TRY(lake_load_extension(server->connection, STR("postgres_scanner"), err));
    TRY(config_file_run(project, server->connection, STR("config/secrets.sql"), (str){0}, NULL,
                        err));
    return lake_execute(server->connection, attach, LAKE_NO_VALUES, NULL, err);
}

static void disconnect(struct server *server) {
    lake_disconnect(server->connection);
    lake_close(server->lake);
}

static enum error_code execute(const struct project *project, struct server *server, str sql,
                               bool in_transaction, struct error *err) {
    struct arena *arena = project->arena;
    return lake_execute(
        server->connection,
        str_format(arena, "CALL postgres_execute('server', " STR_FORMAT ", use_transaction := %s)",
                   STR_ARGS(lake_quote_text(arena, sql)), in_transaction ? "true" : "false"),
        LAKE_NO_VALUES, NULL, err);
}

static str query_of(struct arena *arena, str sql) {
    return str_format(arena, "SELECT * FROM postgres_query('server', " STR_FORMAT ")",
                      STR_ARGS(lake_quote_text(arena, sql)));
}

// ── Making ──

static enum error_code read_database(const struct project *project,
                                     const struct postgres_fork *fork, str *database,
                                     struct error *err) {
    struct server server;
    enum error_code code = connect_to(project, fork->connection, &server, err);
    if (code == ERROR_NONE) {
        code = lake_query_text(server.connection, project->arena,
                               query_of(project->arena, STR("SELECT current_database()::text")),
                               LAKE_NO_VALUES, database, NULL, err);
    }
    disconnect(&server);
    return code;
}

static enum error_code end_sessions(const struct project *project, struct server *server,
                                    const struct sandbox_options *options, str database,
                                    struct error *err) {
    struct arena *arena = project->arena;
    const str where = str_format(
        arena, "FROM pg_stat_activity WHERE datname = " STR_FORMAT " AND pid <> pg_backend_pid()",
        STR_ARGS(lake_quote_text(arena, database)));
    int64_t sessions = 0;
    TRY(lake_query_int64(
        server->connection,
        query_of(arena, str_format(arena, "SELECT count(*) " STR_FORMAT, STR_ARGS(where))),
        LAKE_NO_VALUES, &sessions, NULL, err));
    if (sessions == 0) {
        return ERROR_NONE;
    }
    const str question = str_format(arena,
                                    "%lld other sessions use the database " STR_FORMAT
                                    ", which must be ended to copy it",
                                    (long long)sessions, STR_ARGS(database));
    if (options->confirm == NULL || !options->confirm(options->self, question)) {
        error_set(err, ERROR_CONFLICT, STR_FORMAT, STR_ARGS(question));
        error_hint(err, "end them, or say --yes to have the sandbox end them");
        return err->code;
    }
    int64_t ended = 0;
    const str end =
        str_format(arena, "SELECT count(pg_terminate_backend(pid)) " STR_FORMAT, STR_ARGS(where));
    return lake_query_int64(server->connection, query_of(arena, end), LAKE_NO_VALUES, &ended, NULL,
                            err);
}

static enum error_code create(const struct project *project, const struct sandbox_options *options,
                              const struct postgres_fork *fork, str database, struct error *err) {
    struct arena *arena = project->arena;
    struct server server;
    enum error_code code = connect_to(
        project, postgres_connection(arena, fork->connection, STR("postgres")), &server, err);
    if (code == ERROR_NONE) {
        code = end_sessions(project, &server, options, database, err);
    }
    if (code == ERROR_NONE) {
        const str sql = str_format(arena, "CREATE DATABASE " STR_FORMAT " TEMPLATE " STR_FORMAT,
                                   STR_ARGS(lake_quote_name(arena, fork->database)),
                                   STR_ARGS(lake_quote_name(arena, database)));
        code = execute(project, &server, sql, false, err);
    }
    disconnect(&server);
    return code;
}

static enum error_code relocate(const struct project *project, const struct postgres_fork *fork,
                                str relocation, struct error *err) {
    struct server server;
    enum error_code code =
        connect_to(project, postgres_connection(project->arena, fork->connection, fork->database),
                   &server, err);
    if (code == ERROR_NONE) {
        code = execute(project, &server, relocation, true, err);
    }
    disconnect(&server);
    return code;
}

enum error_code postgres_fork_make(const struct project *project,
                                   const struct sandbox_options *options,
                                   const struct postgres_fork *fork, str relocation,
                                   struct error *err) {
    str database = {0};
    enum error_code code = read_database(project, fork, &database, err);
    if (code == ERROR_NONE) {
        code = create(project, options, fork, database, err);
    }
    if (code == ERROR_NONE) {
        code = relocate(project, fork, relocation, err);
    }
    if (code != ERROR_NONE) {
        err->pos = (struct source_pos){0};
        error_context(err, "copying the catalog for the sandbox");
    }
    return code;
}

enum error_code postgres_fork_drop(const struct project *project, const struct postgres_fork *fork,
                                   struct error *err) {
    struct arena *arena = project->arena;
    struct server server;
    enum error_code code = connect_to(
        project, postgres_connection(arena, fork->connection, STR("postgres")), &server, err);
    if (code == ERROR_NONE) {
        const str sql = str_format(arena, "DROP DATABASE IF EXISTS " STR_FORMAT " WITH (FORCE)",
                                   STR_ARGS(lake_quote_name(arena, fork->database)));
        code = execute(project, &server, sql, false, err);
    }
    disconnect(&server);
    return code;
}
