// Starting a session: the steps of models.md §2, in order.

#include "base/arena.h"
#include "base/environment.h"
#include "base/file.h"
#include "base/list.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/lake.h"
#include "lake/result.h"
#include "lake/script.h"
#include "lake/snapshot.h"
#include "lake/transaction.h"
#include "project/builtin.h"
#include "project/config_file.h"
#include "project/config_statement.h"
#include "project/project.h"

#include <pthread.h>
#include <unistd.h>

// What the config files make in the session, or could not make yet.
struct session_config {
    pthread_mutex_t lock;   // guards the rest once models run
    struct arena arena;     // of what whichever thread reads
    struct project project; // in this arena
    struct config_statements macros;
    struct config_statements sources;
    bool are_read;   // the sources
    bool are_loaded; // they were run; `sources_error` may say how it ended
    struct error sources_error;
};

// ── Opening ──

// A project that names an extension we do not pin gets DuckDB's own signature check.
static enum error_code names_foreign_extension(const struct project *project, bool *foreign,
                                               struct error *err) {
    struct config_file file;
    bool found = false;
    *foreign = false;
    TRY(config_file_read(project, STR("config/extensions.sql"), (str){0}, &file, &found, err));
    struct sql_statement_list statements = {0};
    sql_split(project->arena, file.text, &statements);
    for (size_t i = 0; i < statements.count; i++) {
        str name = {0};
        if (script_names_extension(statements.items[i].text, &name) &&
            !lake_extension_is_pinned(name) && !lake_extension_is_built_in(name)) {
            *foreign = true;
        }
    }
    return ERROR_NONE;
}

static enum error_code enter_root(const struct project *project, struct error *err) {
    SCRATCH(scratch);
    if (chdir(str_to_cstring(&scratch, project->root)) != 0) {
        return error_set(err, ERROR_IO, "cannot enter the project's folder " STR_FORMAT,
                         STR_ARGS(project->root));
    }
    return ERROR_NONE;
}

// Step 5: variables and macros of our own.
static enum error_code set_builtins(struct session *session, struct error *err) {
    struct lake_connection *connection = session->connection;
    TRY(lake_set_variable(connection, STR("ondatra_run_time"),
                          lake_value_timestamp(session->run_time_us), err));
    TRY(lake_set_variable(connection, STR("ondatra_load_id"), lake_value_text(session->run_id),
                          err));
    return lake_script_run(connection, STR("built-in macros"), builtin_macros, NULL, err);
}

// ── The catalog ──

static enum error_code attach(struct session *session, const struct session_options *options,
                              struct error *err) {
    struct project *project = session->project;
    const str name = STR("config/catalog.sql");
    struct config_file file;
    bool found = false;
    TRY(config_file_read(project, name, (str){0}, &file, &found, err));
    if (!found) {
        const str path = project_path(project, name);
        (void)error_rule(err, ERROR_NOT_FOUND, "config.catalog", STR_FORMAT " does not exist",
                         STR_ARGS(path));
        error_hint(err, "it attaches the lake: ATTACH 'ducklake:sqlite:catalog.sqlite' AS lake "
                        "(DATA_PATH 'catalog_data/')");
        return err->code;
    }
    struct error warning = {0};
    const struct lake_attach_options attach_options = {
        .read_only = options->read_only,
        .replace_path = options->attach_path,
        .replace_data_path = options->attach_data_path,
        .warning = &warning,
    };
    const enum error_code code =
        lake_attach(session->connection, name, file.text, &attach_options, err);
    if (code != ERROR_NONE) {
        err->source_line[0] = '\0';
        error_source(err, file.original);
        return code;
    }
    if (warning.code != ERROR_NONE) {
        error_list_add(&project->warnings, &warning);
    }
    return ERROR_NONE;
}

// ── Variables ──

enum error_code session_set_snapshots(struct session *session, int64_t dag_start,
                                      struct error *err) {
    struct lake_connection *connection = session->connection;
    TRY(lake_current_snapshot(connection, &session->curr_snapshot, err));
    const int64_t current = session->curr_snapshot;
    const int64_t previous = current > 0 ? current - 1 : 0;
    TRY(lake_set_variable(connection, STR("curr_snapshot"), lake_value_int64(current), err));
    TRY(lake_set_variable(connection, STR("prev_snapshot"), lake_value_int64(previous), err));
    return lake_set_variable(connection, STR("dag_start_snapshot"), lake_value_int64(dag_start),
                             err);
}

// Step 9: the delta of a session begins at the snapshot it found.
static enum error_code set_first_snapshots(struct session *session, struct error *err) {
    TRY(session_set_snapshots(session, 0, err));
    return lake_set_variable(session->connection, STR("dag_start_snapshot"),
                             lake_value_int64(session->curr_snapshot), err);
}

static enum error_code set_variables(struct session *session, bool read_only, struct error *err) {
    struct lake_connection *connection = session->connection;
    const struct project *project = session->project;
    const str alias = lake_alias(session->lake);
    bool found = false;
    if (!read_only) { // it creates schemas
        TRY(config_file_run(project, connection, STR("config/schemas.sql"), alias, NULL, err));
    }
    TRY(config_file_run(project, connection, STR("config/variables/constants.sql"), alias, &found,
                        err));
    if (!found) {
        TRY(lake_script_run(connection, STR("built-in constants"), builtin_constants, NULL, err));
    }
    return config_file_run(project, connection, STR("config/variables/global.sql"), alias, NULL,
                           err);
}

// ── Threads ──

enum error_code session_use_threads(struct session *session, bool all, struct error *err) {
    SCRATCH(scratch);
    if (session->threads <= 1 || session->is_quiet == !all) {
        return ERROR_NONE;
    }
    const str sql =
        str_format(&scratch, "SET threads = %lld", all ? (long long)session->threads : 1);
    TRY(lake_execute(session->connection, sql, LAKE_NO_VALUES, NULL, err));
    session->is_quiet = !all;
    return ERROR_NONE;
}

// ── Starting ──

static struct session_config *session_config_new(const struct project *project) {
    struct session_config *config = ARENA_NEW(project->arena, struct session_config);
    *config = (struct session_config){.lock = PTHREAD_MUTEX_INITIALIZER, .project = *project};
    arena_init(&config->arena);
    config->project.arena = &config->arena;
    return config;
}

static enum error_code run_steps(struct session *session, const struct session_options *options,
                                 struct error *err) {
    struct lake_connection *connection = session->connection;
    const struct project *project = session->project;
    static const str before[] = {STR_INIT("config/settings.sql"), STR_INIT("config/secrets.sql"),
                                 STR_INIT("config/extensions.sql")};
    for (size_t i = 0; i < ARRAY_COUNT(before); i++) {
        TRY(config_file_run(project, connection, before[i], (str){0}, NULL, err));
    }
    if (options->quiet) {
        TRY(lake_query_int64(connection, STR("SELECT current_setting('threads')::BIGINT"),
                             LAKE_NO_VALUES, &session->threads, NULL, err));
        TRY(session_use_threads(session, false, err));
    }
    TRY(set_builtins(session, err));
    TRY(attach(session, options, err));
    session->config->macros.alias = lake_alias(session->lake);
    session->config->sources.alias = lake_alias(session->lake);
    TRY(config_macros_run(&session->config->project, connection, &session->config->macros, err));
    TRY(set_first_snapshots(session, err));
    TRY(set_variables(session, options->read_only, err));
    return options->without_sources ? ERROR_NONE : session_load_sources(session, err);
}

enum error_code session_start(struct project *project, const struct session_options *options,
                              struct session *session, struct error *err) {
    const struct context *context = project->context;
    *session = (struct session){.project = project, .config = session_config_new(project)};
    session->run_time_us =
        options->run_time_us != 0 ? options->run_time_us : clock_wall_us(&context->clock);
    session->run_id = str_is_empty(options->run_id)
                          ? run_id_new(project->arena, context, session->run_time_us)
                          : options->run_id;
    struct lake_options lake_options = {.threads = options->threads};
    TRY(names_foreign_extension(project, &lake_options.signed_extensions, err));
    TRY(enter_root(project, err));
    enum error_code code = lake_open(context, &lake_options, &session->lake, err);
    if (code == ERROR_NONE) {
        code = lake_connect(session->lake, &session->connection, err);
    }
    if (code == ERROR_NONE) {
        code = run_steps(session, options, err);
    }
    if (code != ERROR_NONE) {
        session_end(session);
    }
    return code;
}

void session_end(struct session *session) {
    lake_close(session->lake);
    if (session->config != NULL) {
        arena_done(&session->config->arena);
        (void)pthread_mutex_destroy(&session->config->lock);
        session->config = NULL;
    }
    session->lake = NULL;
    session->connection = NULL;
}

// ── Sources ──

static enum error_code read_sources(struct session *session, struct error *err) {
    struct session_config *config = session->config;
    if (config->are_read) {
        return ERROR_NONE;
    }
    config->are_read = true;
    return config_statements_read(&config->project, STR("config/sources.sql"), &config->sources,
                                  err);
}

static enum error_code load_sources(struct session *session, struct error *err) {
    struct session_config *config = session->config;
    TRY(read_sources(session, err));
    TRY(config_statements_run(session->connection, &config->sources, err));
    const struct config_statement *broken = config_statements_broken(&config->sources);
    if (broken != NULL) {
        *err = broken->problem;
        (void)config_statements_explain(&config->sources, err);
    }
    return broken == NULL ? ERROR_NONE : err->code;
}

enum error_code session_load_sources(struct session *session, struct error *err) {
    struct session_config *config = session->config;
    (void)pthread_mutex_lock(&config->lock);
    if (!config->are_loaded) {
        const enum error_code code = load_sources(session, &config->sources_error);
        config->are_loaded = code != ERROR_CANCELLED;
    }
    const enum error_code code = config->sources_error.code;
    if (code != ERROR_NONE) {
        *err = config->sources_error;
    }
    (void)pthread_mutex_unlock(&config->lock);
    return code;
}

static enum error_code find_sources(struct session *session, bool *found, struct error *err) {
    struct session_config *config = session->config;
    (void)pthread_mutex_lock(&config->lock);
    const enum error_code code = read_sources(session, err);
    *found = config->sources.count > 0;
    (void)pthread_mutex_unlock(&config->lock);
    return code;
}

enum error_code session_load_sources_of_macros(struct session *session, struct error *err) {
    struct session_config *config = session->config;
    enum error_code code = ERROR_NONE;
    bool lacks = false;
    (void)pthread_mutex_lock(&config->lock);
    if (config->macros.undone > 0) {
        code = read_sources(session, err);
        lacks = code == ERROR_NONE && config_statements_lack(&config->macros, &config->sources);
    }
    (void)pthread_mutex_unlock(&config->lock);
    TRY(code);
    if (!lacks) {
        return ERROR_NONE;
    }
    TRY(session_load_sources(session, err));
    return session_settle(session, err);
}

size_t session_unmade_macros(struct session *session) {
    (void)pthread_mutex_lock(&session->config->lock);
    const size_t count = session->config->macros.undone;
    (void)pthread_mutex_unlock(&session->config->lock);
    return count;
}

enum error_code session_settle(struct session *session, struct error *err) {
    struct session_config *config = session->config;
    enum error_code code = ERROR_NONE;
    (void)pthread_mutex_lock(&config->lock);
    if (config->are_loaded && config->sources.undone > 0) {
        code = config_statements_run(session->connection, &config->sources, err);
    }
    if (code == ERROR_NONE && config->macros.undone > 0) {
        code = config_statements_run(session->connection, &config->macros, err);
    }
    (void)pthread_mutex_unlock(&config->lock);
    return code;
}

bool session_explain(struct session *session, struct error *err) {
    struct session_config *config = session->config;
    (void)pthread_mutex_lock(&config->lock);
    const bool of_macros = config_statements_explain(&config->macros, err);
    const bool of_sources = config_statements_explain(&config->sources, err);
    (void)pthread_mutex_unlock(&config->lock);
    return of_macros || of_sources;
}

enum error_code session_find_view(struct session *session, str name, bool *found,
                                  struct error *err) {
    struct session_config *config = session->config;
    (void)pthread_mutex_lock(&config->lock);
    const enum error_code code = read_sources(session, err);
    *found = code == ERROR_NONE && config_statements_make(&config->sources, CONFIG_VIEW, name);
    (void)pthread_mutex_unlock(&config->lock);
    return code;
}

// ── Further connections ──

static enum error_code copy_variables(struct session *session, struct lake_connection *to,
                                      struct error *err) {
    SCRATCH(scratch);
    LAKE_RESULT result = NULL;
    TRY(lake_query(session->connection,
                   STR("SELECT name, value::VARCHAR, type FROM duckdb_variables()"), LAKE_NO_VALUES,
                   &result, err));
    while (lake_result_next(result)) {
        // The type is DuckDB's own text for it.
        const str sql = str_format(&scratch, "SET VARIABLE " STR_FORMAT " = ?::" STR_FORMAT,
                                   STR_ARGS(lake_quote_name(&scratch, lake_result_text(result, 0))),
                                   STR_ARGS(lake_result_text(result, 2)));
        const struct lake_value value = lake_result_is_null(result, 1)
                                            ? lake_value_null()
                                            : lake_value_text(lake_result_text(result, 1));
        TRY(lake_execute(to, sql, LAKE_VALUES(value), NULL, err));
    }
    return ERROR_NONE;
}

// What the project's settings.sql said with SET; DuckDB gives a new connection only what is global.
static enum error_code copy_settings(struct session *session, struct lake_connection *to,
                                     struct error *err) {
    SCRATCH(scratch);
    struct str_list names = {0};
    struct str_list values = {0};
    LAKE_RESULT local = NULL;
    TRY(lake_query(session->connection,
                   STR("SELECT name, value FROM duckdb_settings() WHERE scope = 'LOCAL' AND value "
                       "IS NOT NULL AND name NOT IN ('schema', 'search_path')"),
                   LAKE_NO_VALUES, &local, err));
    while (lake_result_next(local)) {
        str_list_push(&scratch, &names, str_copy(&scratch, lake_result_text(local, 0)));
        str_list_push(&scratch, &values, str_copy(&scratch, lake_result_text(local, 1)));
    }
    LAKE_RESULT changed = NULL;
    TRY(lake_query(to,
                   STR("SELECT l.name, l.value FROM (SELECT unnest(?) AS name, unnest(?) AS value) "
                       "AS l JOIN duckdb_settings() AS s USING (name) WHERE l.value IS DISTINCT "
                       "FROM s.value"),
                   LAKE_VALUES(lake_value_texts(names.items, names.count),
                               lake_value_texts(values.items, values.count)),
                   &changed, err));
    while (lake_result_next(changed)) {
        const str sql =
            str_format(&scratch, "SET " STR_FORMAT " = " STR_FORMAT,
                       STR_ARGS(lake_quote_name(&scratch, lake_result_text(changed, 0))),
                       STR_ARGS(lake_quote_text(&scratch, lake_result_text(changed, 1))));
        TRY(lake_execute(to, sql, LAKE_NO_VALUES, NULL, err));
    }
    return ERROR_NONE;
}

enum error_code session_connect(struct session *session, struct lake_connection **connection,
                                struct error *err) {
    TRY(lake_connect(session->lake, connection, err));
    enum error_code code = lake_use(*connection, err);
    if (code == ERROR_NONE) {
        code = copy_settings(session, *connection, err);
    }
    if (code == ERROR_NONE) {
        code = copy_variables(session, *connection, err);
    }
    if (code != ERROR_NONE) {
        lake_disconnect(*connection);
        *connection = NULL;
    }
    return code;
}

// ── Models ──

static enum error_code run_local(struct session *session, struct error *err) {
    return config_file_run(session->project, session->connection, STR("config/variables/local.sql"),
                           lake_alias(session->lake), NULL, err);
}

enum error_code session_load_sources_of_models(struct session *session, struct error *err) {
    struct error problem;
    bool has_sources = false;
    TRY(find_sources(session, &has_sources, err));
    if (has_sources && run_local(session, &problem) != ERROR_NONE && config_lacks_name(&problem)) {
        return session_load_sources(session, err);
    }
    return ERROR_NONE;
}

enum error_code session_enter_model(struct session *session, str target, int64_t previous_commit,
                                    struct error *err) {
    struct lake_connection *connection = session->connection;
    TRY(lake_set_variable(connection, STR("current_model"), lake_value_text(target), err));
    TRY(lake_set_variable(connection, STR("prev_model_snapshot"), lake_value_int64(previous_commit),
                          err));
    const enum error_code code = run_local(session, err);
    if (code == ERROR_NONE || !config_lacks_name(err) || lake_in_transaction(connection)) {
        return code;
    }
    TRY(session_load_sources(session, err));
    return run_local(session, err);
}
