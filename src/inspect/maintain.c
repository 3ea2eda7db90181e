#include "inspect/maintain.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "inspect/inspect.h"
#include "lake/attach.h"
#include "lake/script.h"
#include "lake/snapshot.h"
#include "lib/push.h"
#include "model/sinks.h"
#include "plan/plan.h"
#include "project/config_file.h"
#include "project/run_lock.h"

#include <ctype.h>

struct maintenance {
    const struct maintain_options *options;
    struct arena *arena;
    struct project project;
    struct session session;
    struct state *state;
    bool models_read;
    struct lib_set libs;
    struct models models;
    struct maintain_summary *summary;
    int64_t began_us; // of the statement
};

// ── Scripts ──

bool maintain_name_is_valid(str name) {
    for (size_t i = 0; i < name.size; i++) {
        const unsigned char c = (unsigned char)name.data[i];
        if (!isalnum(c) && c != '_' && c != '-') {
            return false;
        }
    }
    return name.size > 0;
}

static str script_file(struct arena *arena, str name) {
    return str_format(arena, "sql/" STR_FORMAT ".sql", STR_ARGS(name));
}

enum error_code maintain_has(const struct context *context, struct arena *arena, str name,
                             bool *has, struct error *err) {
    struct project project;
    *has = project_script_default(name).size > 0;
    if (*has || !maintain_name_is_valid(name)) {
        return ERROR_NONE;
    }
    TRY(project_open(context, arena, (str){0}, &project, err));
    *has = path_exists(project_path(&project, script_file(arena, name)));
    return ERROR_NONE;
}

// The project's file, else what is built in.
static enum error_code read_script(struct maintenance *maintenance, str *file, str *text,
                                   struct error *err) {
    struct arena *arena = maintenance->arena;
    const str name = maintenance->options->name;
    const str alias = lake_alias(maintenance->session.lake);
    struct config_file script;
    bool found = false;
    *file = script_file(arena, name);
    TRY(config_file_read(&maintenance->project, *file, alias, &script, &found, err));
    *text = script.text;
    if (!found) {
        *file = str_format(arena, STR_FORMAT " (built in)", STR_ARGS(name));
        *text = config_blank_comments(
            arena, str_replace_all(arena, project_script_default(name), STR("{{catalog}}"), alias));
    }
    if (text->size == 0) {
        return error_set(err, ERROR_NOT_FOUND, "there is no " STR_FORMAT, STR_ARGS(*file));
    }
    return ERROR_NONE;
}

// ── Before expiry ──

// Any statement that could remove snapshots; one too many costs a look, one missed costs history.
static bool may_expire(struct arena *arena, str statement) {
    const str text = str_to_lower(arena, statement);
    return str_find(text, STR("expire")) != SIZE_MAX ||
           str_find(text, STR("checkpoint")) != SIZE_MAX ||
           str_find(text, STR("ducklake_metadata")) != SIZE_MAX;
}

static enum error_code read_models(struct maintenance *maintenance, struct error *err) {
    if (maintenance->models_read) {
        return ERROR_NONE;
    }
    const str catalog = lake_alias(maintenance->session.lake);
    TRY(libs_read(&maintenance->project, catalog, &maintenance->libs, err));
    TRY(models_read_with_libs(&maintenance->project, maintenance->session.connection, catalog,
                              &maintenance->libs, &maintenance->models, err));
    maintenance->models_read = true;
    return ERROR_NONE;
}

// A model that has nothing to do has seen its inputs up to now, and still has after expiry.
static enum error_code keep_commits(struct maintenance *maintenance, struct error *err) {
    SCRATCH(scratch);
    const struct models *models = &maintenance->models;
    struct plan plan;
    int64_t current = 0;
    size_t count = 0;
    const struct plan_options options = {.project = maintenance->project.root};
    TRY(plan_read(&scratch, models, maintenance->session.connection, &options, &plan, err));
    plan_take_log(&plan, maintenance->state);
    TRY(lake_current_snapshot(maintenance->session.connection, &current, err));
    struct state_kept_commit *kept = ARENA_ARRAY(&scratch, struct state_kept_commit, models->count);
    for (size_t i = 0; i < models->count; i++) {
        const struct plan_step *step = &plan.steps[i];
        if (step->has_commit && step->table_exists) {
            kept[count++] = (struct state_kept_commit){
                .target = step->model->target,
                .table_id = step->table_id,
                .snapshot = step->commit.snapshot,
                .read_snapshot = step->type == RUN_SKIP ? current : step->commit.read_snapshot,
                .extra_info = step->commit.extra_info,
            };
        }
    }
    maintenance->summary->kept = count;
    return count == 0 ? ERROR_NONE : state_kept_write(maintenance->state, kept, count, err);
}

static enum error_code keep_deliveries(struct maintenance *maintenance, struct error *err) {
    const struct sink_context context = {.context = maintenance->options->context,
                                         .connection = maintenance->session.connection,
                                         .state = maintenance->state,
                                         .libs = &maintenance->libs};
    for (size_t i = 0; i < maintenance->models.count; i++) {
        const struct model *model = maintenance->models.items[i];
        struct push_request request;
        if (!model_has_sink(model)) {
            continue;
        }
        TRY(sink_request(&context, model, maintenance->arena, &request, err));
        const enum error_code code = push_keep(&request, err);
        if (code != ERROR_NONE) {
            error_context(err, "keeping what " STR_FORMAT " still has to deliver",
                          STR_ARGS(model->target));
            return code;
        }
    }
    return ERROR_NONE;
}

// Before each such statement, not once: those before it in the script write snapshots, too.
static enum error_code before_statement(void *self, const struct sql_statement *statement,
                                        struct error *err) {
    struct maintenance *maintenance = self;
    SCRATCH(scratch);
    if (may_expire(&scratch, statement->text)) {
        TRY(read_models(maintenance, err));
        TRY(keep_commits(maintenance, err));
        TRY(keep_deliveries(maintenance, err));
        crash_point("CP_MAINTAIN_KEPT");
    }
    maintenance->began_us = clock_monotonic_us(&maintenance->options->context->clock);
    return ERROR_NONE;
}

static enum error_code after_statement(void *self, const struct sql_statement *statement,
                                       struct lake_result *result, struct error *err) {
    struct maintenance *maintenance = self;
    const int64_t now_us = clock_monotonic_us(&maintenance->options->context->clock);
    maintenance->summary->statements++;
    return maintenance->options->done(maintenance->options->self, statement->text, result,
                                      now_us - maintenance->began_us, err);
}

// ── The whole ──

static enum error_code run_locked(struct maintenance *maintenance, struct error *err) {
    const struct session_options session_options = {.without_sources = true};
    const struct script_observer observer = {
        .before = before_statement, .statement = after_statement, .self = maintenance};
    str file;
    str text;
    TRY(session_start(&maintenance->project, &session_options, &maintenance->session, err));
    TRY(read_script(maintenance, &file, &text, err));
    maintenance->summary->file = file;
    return lake_script_run(maintenance->session.connection, file, text, &observer, err);
}

enum error_code maintain_run(struct arena *arena, const struct maintain_options *options,
                             struct maintain_summary *summary, struct error *err) {
    struct maintenance maintenance = {.options = options, .arena = arena, .summary = summary};
    RUN_LOCK lock = {.fd = -1};
    *summary = (struct maintain_summary){0};
    TRY(project_open(options->context, arena, (str){0}, &maintenance.project, err));
    const char *command =
        str_to_cstring(arena, str_format(arena, "coypu " STR_FORMAT, STR_ARGS(options->name)));
    TRY(run_lock_take(&maintenance.project, command, options->lock_timeout_ms, &lock, err));
    maintenance.state = state_new(
        &(struct state_options){.context = options->context, .project = maintenance.project.root});
    const enum error_code code = run_locked(&maintenance, err);
    session_end(&maintenance.session);
    lib_set_done(&maintenance.libs);
    state_free(maintenance.state);
    return code;
}
