#include "run/schedule.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/context.h"
#include "base/interrupt.h"
#include "base/redact.h"
#include "base/text.h"
#include "lake/attach.h"
#include "model/check.h"
#include "plan/plan_files.h"

enum { HELPERS_MAX = RUN_JOBS_MAX - 1 };

struct helper {
    struct schedule *schedule;
    struct runner runner; // its view of the run
    struct arena arena;
    pthread_t thread;
};

struct schedule {
    struct runner *runner; // of the calling thread
    struct run_summary *summary;
    struct arena *arena; // of the log
    struct run_entry_list *log;
    struct run_job *jobs;
    size_t count;
    struct run_job **by_model; // by model index; NULL: not in this run
    pthread_mutex_t write_lock;

    pthread_mutex_t lock; // guards what follows and the jobs
    pthread_cond_t changed;
    size_t first; // no job before it waits
    size_t told;  // jobs before it were told
    size_t running;
    bool stopped; // interrupted: nothing is taken any more
    struct helper *helpers[HELPERS_MAX];
    size_t helper_count;
};

void run_write_lock(struct runner *runner) {
    (void)pthread_mutex_lock(&runner->schedule->write_lock);
}

bool run_write_try_lock(struct runner *runner) {
    return pthread_mutex_trylock(&runner->schedule->write_lock) == 0;
}

void run_write_unlock(struct runner *runner) {
    (void)pthread_mutex_unlock(&runner->schedule->write_lock);
}

bool run_is_concurrent(const struct runner *runner) {
    return runner->options->jobs > 1 && runner->schedule->count > 1;
}

// ── Jobs ──

static void add_job(struct schedule *schedule, struct plan_step *step) {
    struct run_job *job = &schedule->jobs[schedule->count];
    *job = (struct run_job){.step = step, .number = ++schedule->count};
    schedule->by_model[step->model->index] = job;
}

// The order of the graph, then what is on a cycle or behind one (broken or skipped, never run).
static void make_jobs(struct schedule *schedule) {
    const struct runner *runner = schedule->runner;
    const struct models *models = runner->models;
    bool *ordered = ARENA_ARRAY(runner->arena, bool, models->count);
    schedule->jobs = ARENA_ARRAY(runner->arena, struct run_job, models->count);
    schedule->by_model = ARENA_ARRAY(runner->arena, struct run_job *, models->count);
    for (size_t i = 0; i < models->order.count; i++) {
        struct plan_step *step = &runner->plan->steps[models->order.items[i]->index];
        ordered[models->order.items[i]->index] = true;
        if (step->selected) {
            add_job(schedule, step);
        }
    }
    for (size_t i = 0; i < models->count; i++) {
        struct plan_step *step = &runner->plan->steps[i];
        if (!ordered[i]) {
            step->failed = true;
            step->blame = models_cycle_of(models, models->items[i])->items[0]->target;
            if (step->selected) {
                add_job(schedule, step);
            }
        }
    }
}

// The model whose table an argument of a check names; NULL: none.
static const struct model *named_model(const struct runner *runner, str name) {
    const struct models *models = runner->models;
    const str alias = lake_alias(runner->session.lake);
    const size_t dot = str_find_char(name, '.');
    if (dot != SIZE_MAX && str_equal_nocase(str_slice(name, 0, dot), alias)) {
        name = str_from_offset(name, dot + 1);
    }
    const bool is_bare = str_find_char(name, '.') == SIZE_MAX;
    return models_find(
        models, is_bare ? str_format(runner->arena, "main." STR_FORMAT, STR_ARGS(name)) : name);
}

// What `references` or `reconcile_count` find in the table of another model must not depend on
// who is faster: of the two, the second waits for the first as it does with one job.
static void keep_apart(struct schedule *schedule, struct run_job *job, const struct check *check) {
    for (size_t i = 0; i < check->call.arguments.count; i++) {
        const struct check_argument *argument = &check->call.arguments.items[i];
        const struct model *model =
            argument->form == CHECK_TEXT ? named_model(schedule->runner, argument->value) : NULL;
        struct run_job *other = model == NULL ? NULL : schedule->by_model[model->index];
        if (other != NULL && other != job) {
            struct run_job *second = other->number > job->number ? other : job;
            const struct run_job *first = second == job ? other : job;
            LIST_PUSH(schedule->runner->arena, &second->apart, first->step->model);
        }
    }
}

static void keep_checked_apart(struct schedule *schedule) {
    for (size_t i = 0; i < schedule->count; i++) {
        const struct check_list *checks = &schedule->jobs[i].step->model->checks;
        for (size_t j = 0; j < checks->count; j++) {
            keep_apart(schedule, &schedule->jobs[i], &checks->items[j]);
        }
    }
}

static bool all_done(const struct schedule *schedule, const struct run_job *job,
                     const struct model_list *models) {
    for (size_t i = 0; i < models->count; i++) {
        const struct run_job *source = schedule->by_model[models->items[i]->index];
        // What is on a cycle waits for nobody: it only fails.
        if (source != NULL && source->number < job->number && source->state != JOB_DONE) {
            return false;
        }
    }
    return true;
}

static bool is_ready(const struct schedule *schedule, const struct run_job *job) {
    return all_done(schedule, job, &job->step->model->reads) &&
           all_done(schedule, job, &job->apart);
}

// The first job that may run; NULL: all are done or wait for one that runs.
static struct run_job *next_ready(struct schedule *schedule) {
    while (schedule->first < schedule->count &&
           schedule->jobs[schedule->first].state != JOB_WAITING) {
        schedule->first++;
    }
    for (size_t i = schedule->first; i < schedule->count && !schedule->stopped; i++) {
        struct run_job *job = &schedule->jobs[i];
        if (job->state == JOB_WAITING && is_ready(schedule, job)) {
            return job;
        }
    }
    return NULL;
}

bool schedule_has_company(struct schedule *schedule) {
    (void)pthread_mutex_lock(&schedule->lock);
    const bool has = schedule->running > 1 ||
                     (schedule->runner->options->jobs > 1 && next_ready(schedule) != NULL);
    (void)pthread_mutex_unlock(&schedule->lock);
    return has;
}

// ── Telling ──

// How far the model has looked without writing, when its commit does not say it, and the results
// of its checks; empty when there is nothing to tell.
static str log_metadata(struct schedule *schedule, const struct run_result *result) {
    struct arena *arena = schedule->arena;
    const struct plan_step *step = plan_step_of(schedule->runner->plan, result->model);
    struct commit_progress progress = {0};
    struct file_input_list files;
    progress.checks = run_checks_log(arena, result);
    const bool has_looked = step->has_commit && result->snapshot == 0 &&
                            result->status != RUN_ERROR && result->skipped_because.size == 0 &&
                            !result->aborted;
    if (has_looked) {
        progress.commit = &step->commit;
        progress.model = result->model;
        plan_files_seen(arena, step, result->run_type, &files);
        progress.files = &files;
        progress.read_snapshot =
            result->read_snapshot > 0 ? result->read_snapshot : step->commit.read_snapshot;
        progress.is_exact = result->read_snapshot > 0 ? result->is_exact : step->commit.is_exact;
        run_checks_met(arena, step, result, &progress.checks_met);
    }
    return has_looked || progress.checks.size > 0 ? commit_progress_write(arena, &progress)
                                                  : (str){0};
}

static void log_result(struct schedule *schedule, const struct run_job *job) {
    SCRATCH(scratch);
    const struct run_result *result = &job->result;
    const struct error *first = result->errors.count > 0 ? &result->errors.items[0] : NULL;
    // What stood behind a failure did not run: its last success stays what it was.
    const bool blocked = result->skipped_because.size > 0;
    const str message = first == NULL ? result->skipped_because
                                      : redact_text(schedule->runner->context->redactor, &scratch,
                                                    str_from(first->message));
    const struct state_run entry = {
        .run_id = schedule->summary->run_id,
        .target = result->model->target,
        .kind = model_kind_name(result->model->source.directives.kind),
        .run_type = run_type_name(result->run_type),
        .reason = str_copy(schedule->arena, result->reason),
        .status = result->status == RUN_ERROR ? STR("failed")
                  : blocked                   ? STR("blocked")
                                              : run_status_name(result->status),
        .rule = first == NULL ? (str){0} : str_copy(schedule->arena, str_from(first->rule)),
        .message = str_copy(schedule->arena, message),
        .metadata = log_metadata(schedule, result),
        .rows = result->rows,
        .snapshot = result->snapshot,
        .started_us = job->started_us,
        .ended_us = job->started_us + result->duration_us,
    };
    LIST_PUSH(schedule->arena, schedule->log, entry);
}

static void count_result(struct run_summary *summary, const struct run_result *result) {
    const bool blocked = result->skipped_because.size > 0;
    summary->ran += result->status == RUN_OK ? 1 : 0;
    summary->skipped += result->status == RUN_SKIPPED && !blocked ? 1 : 0;
    summary->blocked += blocked ? 1 : 0;
    summary->failed += result->status == RUN_ERROR ? 1 : 0;
    summary->rows += result->rows;
    summary->push_failed = summary->push_failed || result->push.incomplete;
}

// A source is told before what reads it, so that its first error is at hand then.
static void pass_on_error(struct schedule *schedule, struct run_job *job) {
    struct run_result *result = &job->result;
    const struct model *blamed = models_find(schedule->runner->models, result->skipped_because);
    const struct run_job *source = blamed == NULL ? NULL : schedule->by_model[blamed->index];
    if (result->errors.count > 0) {
        job->first_error = str_copy(schedule->arena, str_from(result->errors.items[0].message));
    } else if (source != NULL) {
        result->skipped_error = source->first_error;
    }
}

static void tell(struct schedule *schedule, struct run_job *job) {
    const struct run_options *options = schedule->runner->options;
    pass_on_error(schedule, job);
    count_result(schedule->summary, &job->result);
    if (!options->dry_run && !options->deliver_only && !options->sandbox) {
        log_result(schedule, job);
    }
    if (options->events.finished != NULL) {
        options->events.finished(options->events.self, &job->result);
    }
    arena_done(&job->arena);
}

// Everything that is done and has only told jobs before it.
static void tell_in_order(struct schedule *schedule) {
    while (schedule->told < schedule->count && schedule->jobs[schedule->told].state == JOB_DONE) {
        tell(schedule, &schedule->jobs[schedule->told++]);
    }
}

// After an interrupt: what was done although a job before it never was.
static void tell_rest(struct schedule *schedule) {
    for (; schedule->told < schedule->count; schedule->told++) {
        if (schedule->jobs[schedule->told].state == JOB_DONE) {
            tell(schedule, &schedule->jobs[schedule->told]);
        }
    }
}

// ── Threads ──

static void *helper_main(void *argument);

static enum error_code helper_connect(struct helper *helper, struct error *err) {
    struct runner *runner = &helper->runner;
    struct lake_connection *own = NULL;
    TRY(session_connect(&runner->session, &own, err));
    runner->session.connection = own;
    return runner->sources == NULL
               ? ERROR_NONE
               : fetch_sources_connect(runner->sources, runner->session.connection, err);
}

static void helper_free(struct helper *helper) {
    if (helper->runner.session.connection != helper->schedule->runner->session.connection) {
        lake_disconnect(helper->runner.session.connection);
    }
    arena_done(&helper->arena);
    free(helper);
}

// One more thread, with a connection of its own that is like the `runner`'s, whose thread calls.
// When there can be none, the others do the work.
static void add_helper(struct schedule *schedule, const struct runner *runner) {
    struct helper *helper = memory_alloc(sizeof(*helper));
    *helper = (struct helper){.schedule = schedule, .runner = *runner};
    arena_init(&helper->arena);
    helper->runner.arena = &helper->arena;
    helper->runner.project.arena = &helper->arena;
    helper->runner.session.project = &helper->runner.project;
    struct error ignored;
    if (helper_connect(helper, &ignored) != ERROR_NONE ||
        pthread_create(&helper->thread, NULL, helper_main, helper) != 0) {
        helper_free(helper);
        return;
    }
    schedule->helpers[schedule->helper_count++] = helper;
}

// Whether another job than this one has something to do now.
static bool wants_helper(struct schedule *schedule, const struct run_job *job) {
    if (job->step->type == RUN_SKIP || schedule->runner->options->dry_run ||
        schedule->helper_count + 1 >= (size_t)schedule->runner->options->jobs) {
        return false;
    }
    for (size_t i = schedule->first; i < schedule->count; i++) {
        const struct run_job *other = &schedule->jobs[i];
        if (other->state == JOB_WAITING && other->step->type != RUN_SKIP &&
            is_ready(schedule, other)) {
            return true;
        }
    }
    return false;
}

// Takes jobs until there is none left.  Called with the lock held.
static void work(struct schedule *schedule, struct runner *runner) {
    const struct run_events *events = &schedule->runner->options->events;
    while (!schedule->stopped) {
        schedule->stopped = interrupt_is_raised(runner->context->interrupt);
        struct run_job *job = next_ready(schedule);
        if (job == NULL) {
            if (schedule->running == 0) {
                break;
            }
            (void)pthread_cond_wait(&schedule->changed, &schedule->lock);
            continue;
        }
        job->state = JOB_RUNNING;
        schedule->running++;
        arena_init(&job->arena);
        if (events->started != NULL) {
            events->started(events->self, job->step->model, job->number, schedule->count);
        }
        if (wants_helper(schedule, job)) {
            add_helper(schedule, runner);
        }
        (void)pthread_mutex_unlock(&schedule->lock);
        run_job(runner, job);
        (void)pthread_mutex_lock(&schedule->lock);
        job->state = JOB_DONE;
        schedule->running--;
        tell_in_order(schedule);
        (void)pthread_cond_broadcast(&schedule->changed);
    }
    (void)pthread_cond_broadcast(&schedule->changed);
}

static void *helper_main(void *argument) {
    struct helper *helper = argument;
    struct schedule *schedule = helper->schedule;
    (void)pthread_mutex_lock(&schedule->lock);
    work(schedule, &helper->runner);
    (void)pthread_mutex_unlock(&schedule->lock);
    return NULL;
}

void schedule_run(struct runner *runner, struct run_summary *summary, struct arena *arena,
                  struct run_entry_list *log) {
    struct schedule schedule = {
        .runner = runner,
        .summary = summary,
        .arena = arena,
        .log = log,
        .write_lock = PTHREAD_MUTEX_INITIALIZER,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER,
    };
    runner->schedule = &schedule;
    make_jobs(&schedule);
    keep_checked_apart(&schedule);
    (void)pthread_mutex_lock(&schedule.lock);
    work(&schedule, runner);
    (void)pthread_mutex_unlock(&schedule.lock);
    for (size_t i = 0; i < schedule.helper_count; i++) {
        (void)pthread_join(schedule.helpers[i]->thread, NULL);
        helper_free(schedule.helpers[i]);
    }
    tell_rest(&schedule);
    summary->interrupted = interrupt_is_raised(runner->context->interrupt);
    (void)pthread_mutex_destroy(&schedule.lock);
    (void)pthread_mutex_destroy(&schedule.write_lock);
    (void)pthread_cond_destroy(&schedule.changed);
    runner->schedule = NULL;
}
