// One model from its findings to its delivery: whether it may run at all, what it has to do, the
// doing.
#include "base/clock.h"
#include "base/context.h"
#include "run/explain.h"
#include "run/schedule.h"

// The step of the first failed model among those it reads, as far up as one goes; NULL: none.
static const struct plan_step *failed_source(const struct runner *runner,
                                             const struct model *model) {
    for (size_t i = 0; i < model->reads.count; i++) {
        const struct plan_step *source = &runner->plan->steps[model->reads.items[i]->index];
        if (source->failed) {
            return source;
        }
    }
    return NULL;
}

static void fail(struct plan_step *step, str blame) {
    step->failed = true;
    step->blame = blame;
}

static void add_findings(const struct model *model, struct run_result *result) {
    for (size_t i = 0; i < model->findings.count; i++) {
        const struct finding *finding = &model->findings.items[i];
        if (finding->severity == FINDING_BLOCKER) {
            error_list_add(&result->errors, &finding->error);
        } else if (finding->severity == FINDING_WARN) {
            error_list_add(&result->warnings, &finding->error);
        }
    }
}

// DuckDB says neither where nor what to do when a database of config/sources.sql is called like a
// schema of models.
static void explain_ambiguous(const struct model *model, struct error *err) {
    const str message = str_from(err->message);
    if (str_find(message, STR("ambiguous reference to catalog or schema")) == SIZE_MAX) {
        return;
    }
    error_hint(err, "give the database another name than that of the models' folder: ATTACH … AS … "
                    "in config/sources.sql");
    if (err->pos.line == 0) {
        error_at(err, model->file, 1, 1);
        error_source(err, model->text);
    }
}

static void execute(struct runner *runner, struct run_job *job) {
    struct plan_step *step = job->step;
    struct run_result *result = &job->result;
    const struct model *model = step->model;
    struct error err;
    add_findings(model, result);
    if (model->broken) {
        result->status = RUN_ERROR;
        fail(step, model->target);
        return;
    }
    if (runner->options->deliver_only) {
        result->status = RUN_SKIPPED;
        result->run_type = RUN_SKIP;
        run_push(runner, step, &job->arena, result);
        return;
    }
    const struct plan_step *source = failed_source(runner, model);
    if (source != NULL) {
        result->status = RUN_SKIPPED;
        result->skipped_because = source->blame;
        result->waits = source->waits;
        step->waits = source->waits;
        fail(step, source->blame);
        return;
    }
    plan_decide(runner->plan, step);
    result->run_type = step->type;
    result->reason = step->reason;
    if (runner->options->explain) {
        struct run_explanation *explanation;
        if (run_explain(runner, step, &job->arena, &explanation, &err) == ERROR_NONE) {
            result->explanation = explanation;
        } else {
            error_list_add(&result->warnings, &err);
        }
    }
    if (runner->options->dry_run) {
        result->status = step->type == RUN_SKIP ? RUN_SKIPPED : RUN_OK;
        return;
    }
    const bool skips = step->type == RUN_SKIP;
    if ((skips ? run_new_checks(runner, step, &job->arena, result, &err)
               : run_model(runner, step, &job->arena, result, &err)) != ERROR_NONE) {
        result->status = RUN_ERROR;
        result->rows = 0;
        (void)session_explain(&runner->session, &err);
        explain_ambiguous(model, &err);
        error_list_add(&result->errors, &err);
        fail(step, model->target);
        return;
    }
    if (skips) {
        result->status = RUN_SKIPPED;
        if (plan_is_redecorated(step) &&
            run_redecorate(runner, step, &job->arena, result, &err) != ERROR_NONE) {
            error_list_add(&result->warnings, &err);
        }
        run_push(runner, step, &job->arena, result);
        return;
    }
    if ((result->no_columns || result->aborted) && !step->table_exists) {
        step->waits = true; // and so does what reads it
        fail(step, model->target);
    }
    if (result->no_columns) {
        result->status = RUN_SKIPPED;
        return;
    }
    result->status = RUN_OK;
    if (step->waits) {
        return; // nor is there anything to deliver
    }
    run_push(runner, step, &job->arena, result);
}

void run_job(struct runner *runner, struct run_job *job) {
    const struct clock *clock = &runner->context->clock;
    const int64_t began_us = clock_monotonic_us(clock);
    job->started_us = clock_wall_us(clock);
    job->result = (struct run_result){
        .model = job->step->model,
        .run_type = job->step->type,
        .reason = job->step->reason,
        .run_id = runner->run_id,
    };
    error_list_init(&job->result.errors, &job->arena);
    error_list_init(&job->result.warnings, &job->arena);
    execute(runner, job);
    job->result.duration_us = clock_monotonic_us(clock) - began_us;
}
