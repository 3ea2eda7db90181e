// The whole run: lock, session, libs, models, plan, tables, then the models, then the run log.
#include "run/run.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/redact.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lib/push.h"
#include "model/check_libs.h"
#include "model/impact.h"
#include "model/lib_names.h"
#include "model/sinks.h"
#include "project/run_lock.h"
#include "run/schedule.h"
#include "run/scope.h"
#include "run/table_diff.h"

str run_status_name(enum run_status status) {
    static const str NAMES[] = {
        [RUN_OK] = STR_INIT("ok"),
        [RUN_SKIPPED] = STR_INIT("skip"),
        [RUN_ERROR] = STR_INIT("error"),
    };
    return NAMES[status];
}

// ── Start ──

static enum error_code start_libs(struct runner *runner, struct error_list *errors,
                                  struct error *err) {
    struct lib_names names;
    TRY(lib_names_read(&runner->project, &names, err));
    const struct lib_scan_options options = {
        .context = runner->context,
        .project = runner->project.root,
        .catalog = lake_alias(runner->session.lake),
        .name_taken_by = lib_name_taken_by,
        .name_self = &names,
    };
    TRY(lib_scan(runner->arena, &options, runner->libs, err));
    if (runner->libs->errors.count > 0) {
        for (size_t i = 0; i + 1 < runner->libs->errors.count; i++) {
            error_list_add(errors, &runner->libs->errors.items[i]);
        }
        *err = runner->libs->errors.items[runner->libs->errors.count - 1];
        return err->code;
    }
    if (runner->libs->count == 0) {
        return ERROR_NONE;
    }
    return fetch_sources_new(runner->session.connection, runner->libs, &runner->sources, err);
}

static enum error_code start_models(struct runner *runner, struct error *err) {
    const struct models_options options = {
        .context = runner->context,
        .project = runner->project.root,
        .connection = runner->session.connection,
        .is_lib = lib_set_has_fetch,
        .lib_self = runner->libs,
        .catalog = lake_alias(runner->session.lake),
        .only = run_scope_only(runner),
    };
    TRY(models_read(runner->arena, &options, runner->models, err));
    models_check_libs(runner->models, runner->libs);
    TRY(models_check_macros(runner->models, &runner->project, runner->session.connection, err));
    const struct plan_options plan_options = {
        .project = runner->project.root,
        .full_refresh = runner->options->full_refresh,
        .sandbox = runner->options->sandbox,
    };
    return plan_read(runner->plan->arena, runner->models, runner->session.connection, &plan_options,
                     runner->plan, err);
}

// ── The whole ──

// Files that make no model at all: reported once, and counted as failures.  A run of one model has
// nothing to do with them.
static void report_orphans(struct runner *runner, struct run_summary *summary) {
    const struct run_events *events = &runner->options->events;
    const size_t count = runner->options->target.size > 0 ? 0 : runner->models->orphans.count;
    for (size_t i = 0; i < count; i++) {
        const struct finding *orphan = &runner->models->orphans.items[i];
        const bool fails = orphan->severity == FINDING_BLOCKER;
        summary->failed += fails ? 1 : 0;
        if (fails && events->failed != NULL) {
            events->failed(events->self, &orphan->error);
        } else if (events->warning != NULL) {
            events->warning(events->self, STR("models"), &orphan->error);
        }
    }
}

// Of .env and of the catalog.
static void report_project(struct runner *runner) {
    const struct run_events *events = &runner->options->events;
    for (size_t i = 0; i < runner->project.warnings.count && events->warning != NULL; i++) {
        events->warning(events->self, STR("config"), &runner->project.warnings.items[i]);
    }
}

static bool any_sink(const struct runner *runner) {
    for (size_t i = 0; i < runner->models->count; i++) {
        if (runner->plan->steps[i].selected && model_has_sink(runner->models->items[i])) {
            return true;
        }
    }
    return false;
}

// Without sinks the store holds the run log alone, and its loss is a warning.
static void write_log(struct runner *runner, const struct run_entry_list *log) {
    const struct run_events *events = &runner->options->events;
    struct error err;
    if (log->count > 0 &&
        state_run_add(runner->state, log->items, log->count, &err) != ERROR_NONE &&
        events->warning != NULL) {
        error_context(&err, "writing the run log");
        events->warning(events->self, STR("state"), &err);
    }
}

// ── Sandbox ──

static void tell_fork(const struct runner *runner) {
    const struct run_events *events = &runner->options->events;
    if (runner->sandbox != NULL && events->forked != NULL) {
        events->forked(events->self, runner->sandbox->source, runner->first_snapshot);
    }
}

// What became of every table that this run was to make.
static enum error_code compare_tables(struct runner *runner, struct error *err) {
    const struct run_events *events = &runner->options->events;
    for (size_t i = 0; i < runner->models->count && events->compared != NULL; i++) {
        const struct plan_step *step = &runner->plan->steps[i];
        struct plan_version version;
        const bool changed = plan_version_find(runner->plan, step->model->target, &version) &&
                             version.snapshot > runner->first_snapshot;
        if (!step->selected || !step->table_exists || (!changed && !step->created)) {
            continue;
        }
        SCRATCH(scratch);
        struct table_diff diff;
        TRY(table_diff_read(runner->session.connection, &scratch, step->model,
                            runner->first_snapshot, &diff, err));
        events->compared(events->self, &diff);
    }
    return ERROR_NONE;
}

static void tell_impact(struct runner *runner) {
    const struct run_events *events = &runner->options->events;
    const struct model *model = run_scope_single(runner);
    struct impact impact = {0};
    if (model != NULL && events->impacted != NULL) {
        impact_find(run_lineage(runner), model->target, (str){0}, &impact);
        events->impacted(events->self, model, &impact);
    }
}

enum error_code run_in_session(struct runner *runner, struct run_summary *summary,
                               struct error_list *errors, struct error *err) {
    TRY(start_libs(runner, errors, err));
    (void)!session_load_sources_of_macros(&runner->session, err); // who calls them is told
    TRY(start_models(runner, err));
    plan_take_log(runner->plan, runner->state);
    TRY(run_scope_select(runner, err));
    if (any_sink(runner)) { // a wrong key is an error before anything is fetched or sent
        TRY(state_open(runner->state, err));
    }
    report_project(runner);
    report_orphans(runner, summary);
    if (!runner->options->dry_run && !runner->options->deliver_only) {
        TRY(run_load_sources(runner, err));
        TRY(run_load_checks(runner, err));
        TRY(run_create_tables(runner, err));
        TRY(run_settle_macros(runner, err));
    }
    struct git_info *git = ARENA_NEW(runner->arena, struct git_info);
    git_info_read(runner->arena, runner->project.root, git);
    runner->git = git;
    SCRATCH(arena); // of the log: threads write it while the runner's is the main thread's
    struct run_entry_list log = {0};
    schedule_run(runner, summary, &arena, &log);
    if (runner->sandbox != NULL && summary->interrupted) {
        return ERROR_NONE; // what came of half a run says nothing
    }
    if (runner->sandbox != NULL) {
        TRY(compare_tables(runner, err));
        tell_impact(runner);
        return ERROR_NONE;
    }
    write_log(runner, &log);
    return ERROR_NONE;
}

static enum error_code run_locked(struct runner *runner, struct run_summary *summary,
                                  struct error_list *errors, struct error *err) {
    struct session_options session_options = {
        .without_sources = true, .run_id = runner->run_id, .quiet = true};
    if (runner->sandbox != NULL) {
        session_options.attach_path = runner->sandbox->attach_path;
        session_options.attach_data_path = runner->sandbox->data_path;
    }
    TRY(session_start(&runner->project, &session_options, &runner->session, err));
    runner->first_snapshot = runner->session.curr_snapshot;
    tell_fork(runner);
    return run_in_session(runner, summary, errors, err);
}

static void runner_done(struct runner *runner) {
    session_end(&runner->session);
    fetch_sources_free(runner->sources);
    lib_set_done(runner->libs);
    state_free(runner->state);
}

static enum error_code run_opened(struct runner *runner, struct run_summary *summary,
                                  struct error_list *errors, struct error *err) {
    RUN_LOCK lock = {.fd = -1};
    const struct run_options *options = runner->options;
    if (options->sandbox) { // production may run beside it: the copy is of one moment
        struct sandbox *sandbox = ARENA_NEW(runner->arena, struct sandbox);
        TRY(sandbox_make(&runner->project, &options->sandbox_options, sandbox, err));
        runner->sandbox = sandbox;
    } else if (!options->dry_run) {
        TRY(run_lock_take(&runner->project, "coypu run", options->lock_timeout_ms, &lock, err));
        sandbox_reap(&runner->project);
    }
    runner->state =
        state_new(&(struct state_options){.context = runner->context,
                                          .project = runner->project.root,
                                          .read_only = options->dry_run || options->sandbox});
    const enum error_code code = run_locked(runner, summary, errors, err);
    runner_done(runner);
    if (runner->sandbox != NULL) {
        sandbox_remove(runner->sandbox);
    }
    return code;
}

enum error_code run_project(const struct run_options *options, struct run_summary *summary,
                            struct error_list *errors) {
    SCRATCH(arena);
    SCRATCH(plan_arena); // all threads write it, under the plan's lock
    struct error err;
    struct lib_set libs = {0};
    struct models models = {0};
    struct plan plan = {.arena = &plan_arena};
    struct runner runner = {
        .options = options,
        .context = options->context,
        .arena = &arena,
        .libs = &libs,
        .models = &models,
        .plan = &plan,
    };
    const int64_t began_us = clock_monotonic_us(&options->context->clock);
    *summary = (struct run_summary){0};
    enum error_code code =
        project_open(options->context, &arena, options->project, &runner.project, &err);
    if (code == ERROR_NONE) {
        const str run_id =
            run_id_new(&arena, options->context, clock_wall_us(&options->context->clock));
        summary->run_id = str_copy(errors->arena, run_id);
        runner.run_id = run_id;
        code = run_opened(&runner, summary, errors, &err);
    }
    summary->duration_us = clock_monotonic_us(&options->context->clock) - began_us;
    if (code == ERROR_CANCELLED && interrupt_is_raised(options->context->interrupt)) {
        summary->interrupted = true; // wherever it was: what is done is told as ever
        return ERROR_NONE;
    }
    if (code != ERROR_NONE) {
        error_list_add(errors, &err);
    }
    return code;
}
