#ifndef PROJECT_PROJECT_H
#define PROJECT_PROJECT_H

// A project folder: where it is, its .env, its config files, and the session they make.
//
// Finding and loading a project needs no database (validate, dag, help work without). project_start
// opens DuckDB and runs the config files in the order of models.md §2.
// Ownership: everything lives in the arena given to project_open.
// Errors: ERROR_NOT_FOUND with rule "config.no_project" when no config/ is found upwards; config
// failures name file, line and statement, never a secret's value.

#include "base/context.h"
#include "base/error.h"

struct arena;
struct lake;
struct lake_connection;
struct session_config;

struct project {
    struct arena *arena;
    const struct context *context;
    str root;                   // absolute, symlinks resolved
    str name;                   // last part of root
    struct error_list warnings; // .env lines without `=`, passwords in ATTACH
};

// Walks up from `start` (empty: the working directory) to the first folder that has config/, and
// loads its .env into the context's environment.
MUST_USE enum error_code project_open(const struct context *context, struct arena *arena, str start,
                                      struct project *project, struct error *err);
// root/relative
str project_path(const struct project *project, str relative);

struct session_options {
    bool read_only;       // attach READ_ONLY where the backend allows
    bool without_sources; // leave config/sources.sql for session_load_sources
    str attach_path;      // another catalog instead of the one in catalog.sql (sandbox)
    str attach_data_path; // and its data files
    str run_id;           // ondatra_load_id; empty: made here
    int64_t run_time_us;  // ondatra_run_time; 0: now
    int threads;          // DuckDB's; 0: its choice
    bool quiet;           // start with one thread; session_use_threads brings the others
};
struct session {
    struct project *project;
    struct lake *lake;
    struct lake_connection *connection; // the main one: writes, fetches
    str run_id;
    int64_t run_time_us;
    int64_t curr_snapshot;
    struct session_config *config; // shared by copies of the session
    int64_t threads; // what `quiet` took back: DuckDB's own number, or that of settings.sql; else 0
    bool is_quiet;
};

// Steps 2 to 11 of models.md §2.  The working directory becomes the project's root, as relative
// paths in SQL resolve against it.
MUST_USE enum error_code session_start(struct project *project,
                                       const struct session_options *options,
                                       struct session *session, struct error *err);
// Closes the database; takes a zeroed session too.
void session_end(struct session *session);
// config/sources.sql, once; for statements that refer to something unknown to the lake.  A database
// that cannot be attached and a view that cannot be made are no error here, but of who needs them:
// see session_explain.  Any thread, with its own copy of the session.
MUST_USE enum error_code session_load_sources(struct session *session, struct error *err);
// Likewise, when variables/local.sql reads what it makes: session_enter_model may stand inside a
// transaction, where nothing can be attached.
MUST_USE enum error_code session_load_sources_of_models(struct session *session, struct error *err);
// Likewise, when a macro could not be made without what it makes.
MUST_USE enum error_code session_load_sources_of_macros(struct session *session, struct error *err);
// Tries again to make the macros and views that lacked a table.  Not inside a transaction.  Any
// thread, likewise.
MUST_USE enum error_code session_settle(struct session *session, struct error *err);
// How many macros could not be made yet.
size_t session_unmade_macros(struct session *session);
// An error about a name that a statement of config/ failed to make becomes that statement's; false:
// it stays.
bool session_explain(struct session *session, struct error *err);
// Whether config/sources.sql makes a view of the name; does not run it.
MUST_USE enum error_code session_find_view(struct session *session, str name, bool *found,
                                           struct error *err);
// A further connection with settings, variables, search_path and macros as the main one.
MUST_USE enum error_code session_connect(struct session *session,
                                         struct lake_connection **connection, struct error *err);
// Step 12: `current_model`, `prev_model_snapshot`, then variables/local.sql.  `previous_commit` is
// the snapshot of the model's last commit before this run, 0 without one: the caller has it from
// the plan, asking the catalog would cost every model a scan of all snapshots.
MUST_USE enum error_code session_enter_model(struct session *session, str target,
                                             int64_t previous_commit, struct error *err);
// All of DuckDB's threads, or one, from the next statement of any connection on.  A thread that
// waits for another's task asks for it without a pause, and the catalog queries of DuckLake are
// many and short: with one thread they cost about half.  For sessions started `quiet`; nothing
// happens in others.  Not back to one while another connection works.
MUST_USE enum error_code session_use_threads(struct session *session, bool all, struct error *err);
// Sets curr_snapshot (now), prev_snapshot and dag_start_snapshot.
MUST_USE enum error_code session_set_snapshots(struct session *session, int64_t dag_start,
                                               struct error *err);

// "YYYYMMDD-HHMMSS-xxxxxx": a new run id.
str run_id_new(struct arena *arena, const struct context *context, int64_t wall_us);

// ── Making projects ──
// `coypu init` in `path` (models.md §1.2): ERROR_CONFLICT when config/ exists, nothing touched.
// *name is the project's name.
MUST_USE enum error_code project_init(const struct context *context, struct arena *arena, str path,
                                      str *name, struct error *err);
// The built-in text of a maintenance script ("flush", "expire", …); empty when there is none.
str project_script_default(str name);

#endif
