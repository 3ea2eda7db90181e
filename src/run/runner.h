#ifndef RUN_RUNNER_H
#define RUN_RUNNER_H

// The state of one run, shared by the files that make it up: run.c (the whole), run_schema.c (empty
// tables first), schedule.c (which model when), run_model.c (one model), run_push.c (delivery).
// For use inside run/ only.

#include "lib/data.h"
#include "lib/fetch.h"
#include "model/lineage.h"
#include "plan/plan.h"
#include "project/project.h"
#include "run/run.h"
#include "run/sandbox.h"
#include "state/state.h"
#include "write/write.h"

struct schedule;

// One thread's view of the run: what it has for itself, and what all threads share.
struct runner {
    const struct run_options *options;
    const struct context *context;

    // Of this thread:
    struct arena *arena; // lives as long as the run
    struct project project;
    struct session session;          // of its own connection
    bool cursor_is_set;              // incr_* stand in its variables
    struct models_lineage *lineages; // see run_lineage

    // Shared; read-only while models run, unless they say that they lock:
    struct lib_set *libs;
    struct fetch_sources *sources; // locks; NULL when no lib fetches
    struct state *state;           // locks
    struct models *models;
    struct plan *plan; // locks
    const struct git_info *git;
    int64_t first_snapshot;        // the lake's when the run began
    int64_t created_version;       // of its schema once all tables were made (lake_schema_version)
    const struct sandbox *sandbox; // NULL: the lake itself
    str run_id;
    struct schedule *schedule; // locks
};

// One writing transaction at a time: a SQLite catalog refuses the second one at its commit.  Held
// from BEGIN to COMMIT or ROLLBACK; not recursive.
void run_write_lock(struct runner *runner);
bool run_write_try_lock(struct runner *runner); // false: another has it
void run_write_unlock(struct runner *runner);
// Whether models may run at the same time in this run.
bool run_is_concurrent(const struct runner *runner);

// The run once its session stands: libs, models, plan, tables, one model after another, run log.
// A test that runs thousands of times keeps one session for all of them.
MUST_USE enum error_code run_in_session(struct runner *runner, struct run_summary *summary,
                                        struct error_list *errors, struct error *err);

// Runs config/sources.sql when a model is going to read it: a source that is down must not stop
// what does not need it.  What goes wrong there is told by the models that do.
MUST_USE enum error_code run_load_sources(struct runner *runner, struct error *err);
// Before the model's turn: what it needs of config/sources.sql and of the macros that could not be
// made before is made, if it can be.
MUST_USE enum error_code run_enter_sources(struct runner *runner, const struct model *model,
                                           struct error *err);

// After run_create_tables: the macros that lacked one of these tables are made.
MUST_USE enum error_code run_settle_macros(struct runner *runner, struct error *err);

// Creates the missing tables of the run that can be bound now, empty, in one transaction (design
// D8).  What cannot be bound is left to its model's own turn, which then reports why.
MUST_USE enum error_code run_create_tables(struct runner *runner, struct error *err);

// The columns of the model's query, by binding it; errors are those of the model, with position.
MUST_USE enum error_code run_describe(struct runner *runner, struct plan_step *step,
                                      struct error *err);
// In a run of some models: ERROR_NOT_FOUND for one that reads another whose first run failed or is
// still to come, so that its table is there and has no rows.
MUST_USE enum error_code run_check_sources(struct runner *runner, const struct plan_step *step,
                                           struct arena *scratch, struct error *err);
MUST_USE enum error_code run_table_is_empty(struct runner *runner, const struct model *model,
                                            struct arena *scratch, bool *is_empty,
                                            struct error *err);
// What the thread knows of where columns come from; made when it is first asked for.
struct models_lineage *run_lineage(struct runner *runner);
// CREATE SCHEMA, CREATE TABLE and its partitioning, inside a transaction.
MUST_USE enum error_code run_create_table(struct runner *runner, struct plan_step *step,
                                          struct error *err);

// Session variables of the model's turn: current_model, local.sql, incr_*.
struct incremental_state {
    bool is_backfill;
    str last_value;
    str last_run;
};
MUST_USE enum error_code run_enter_model(struct runner *runner, struct plan_step *step,
                                         struct incremental_state *state, struct error *err);

// Runs one model: reads, compares, writes, commits.  *result has type and reason set already.
MUST_USE enum error_code run_model(struct runner *runner, struct plan_step *step,
                                   struct arena *scratch, struct run_result *result,
                                   struct error *err);

// Sets the comments and the storage of a model whose rows are up to date, in a commit of its own.
MUST_USE enum error_code run_redecorate(struct runner *runner, struct plan_step *step,
                                        struct arena *scratch, struct run_result *result,
                                        struct error *err);
// Makes the shipped macros that the checks of this run need, before any model is written.
MUST_USE enum error_code run_load_checks(struct runner *runner, struct error *err);
// Evaluates the warnings over the committed table: into the result's warnings.
void run_warnings(struct runner *runner, struct plan_step *step, struct arena *scratch,
                  struct run_result *result);
// For a run that is skipped: evaluates the checks that the table has not met.
MUST_USE enum error_code run_new_checks(struct runner *runner, struct plan_step *step,
                                        struct arena *scratch, struct run_result *result,
                                        struct error *err);
// What the run log keeps of the checks of a run, as check_results_json; empty: nothing.
str run_checks_log(struct arena *arena, const struct run_result *result);
// Which checks the table has met since its commit, this run included; by check_identity.
void run_checks_met(struct arena *arena, const struct plan_step *step,
                    const struct run_result *result, struct str_list *met);

// What the libs of the model in turn can ask of the lake.  Nothing is connected, and *data stays
// NULL, when no lib asks.
MUST_USE enum error_code run_connect_data(struct runner *runner, struct lib_data **data,
                                          struct modules_data *hooks, struct error *err);

// Delivers what the model's sink still has to get; fills result->push.
void run_push(struct runner *runner, struct plan_step *step, struct arena *scratch,
              struct run_result *result);
// The copy of the sink's watermarks for the model's commit; empty without a sink.
str run_sinks_json(struct runner *runner, const struct model *model, struct arena *scratch);

#endif
