// coypu run: text for people, one JSON object a line for programs (models.md §12.1).
#include "run/run.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/environment.h"
#include "base/error_render.h"
#include "base/json.h"
#include "base/redact.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/run_explain.h"
#include "cli/run_output.h"

enum { JOBS_DEFAULT_MAX = 4 };

void run_output_line(const struct run_output *output, struct arena *scratch, str text) {
    struct error err;
    const str clean =
        str_printable(scratch, redact_text(output->line->context->redactor, scratch, text));
    if (command_write(str_format(scratch, STR_FORMAT "\n", STR_ARGS(clean)), &err) != ERROR_NONE) {
        return;
    }
    (void)fflush(stdout);
}

// ── Text ──

static const char *status_word(const struct run_output *output, const struct run_result *result) {
    if (output->dry_run && result->status == RUN_OK) {
        return "WOULD RUN";
    }
    switch (result->status) {
    case RUN_OK:
        return "OK";
    case RUN_SKIPPED:
        return "SKIPPED";
    case RUN_ERROR:
        return "FAILED";
    }
    return "";
}

static void add_finding(struct text *text, const char *word, const struct error *err) {
    struct error plain = *err;
    plain.hint[0] = '\0';
    text_format(text, "\n  %s: ", word);
    if (plain.pos.file[0] != '\0') {
        text_add(text, str_from(plain.pos.file));
        if (plain.pos.line > 0) {
            text_format(text, ":%d", plain.pos.line);
        }
        if (plain.pos.line > 0 && plain.pos.column > 0) {
            text_format(text, ":%d", plain.pos.column);
        }
        text_add(text, STR(": "));
    }
    text_add(text, str_from(plain.message));
    if (plain.source_line[0] != '\0') {
        text_add_char(text, '\n');
        error_render_excerpt(text, &plain, "    ");
        text->size--; // the line ends where the next one begins
    }
    struct str_splitter lines = {.rest = str_trim(str_from(plain.trace))};
    str line;
    while (plain.trace[0] != '\0' && str_split_next(&lines, '\n', &line)) {
        text_format(text, "\n    " STR_FORMAT, STR_ARGS(str_trim(line)));
    }
    if (err->hint[0] != '\0') {
        text_format(text, "\n    hint: %s", err->hint);
    }
}

static str rows_text(struct arena *arena, int64_t rows) {
    return str_format(arena, "%lld rows", (long long)rows); // one form, for whoever greps it
}

static void print_text(struct run_output *output, struct arena *scratch,
                       const struct run_result *result) {
    const struct model *model = result->model;
    struct text text;
    text_init(&text, scratch);
    text_format(
        &text, "[%s] " STR_FORMAT " (" STR_FORMAT ", " STR_FORMAT ", " STR_FORMAT ", " STR_FORMAT,
        status_word(output, result), STR_ARGS(model->target),
        STR_ARGS(model_kind_name(model->source.directives.kind)),
        STR_ARGS(run_type_name(result->run_type)), STR_ARGS(rows_text(scratch, result->rows)),
        STR_ARGS(duration_format(scratch, result->duration_us)));
    if (result->skipped_because.size > 0) {
        text_format(&text, " — " STR_FORMAT " %s", STR_ARGS(result->skipped_because),
                    result->waits ? "has no table yet" : "failed");
        if (result->skipped_error.size > 0) {
            text_format(&text, ": " STR_FORMAT, STR_ARGS(result->skipped_error));
        }
    } else if (result->reason.size > 0) {
        text_format(&text, " — " STR_FORMAT, STR_ARGS(result->reason));
    }
    text_add(&text, result->aborted && !result->no_columns ? STR(") (aborted)") : STR(")"));
    if (result->explanation != NULL) {
        explain_text(&text, result->explanation);
    }
    for (size_t i = 0; i < result->push.messages.count; i++) {
        text_format(&text, "\n     " STR_FORMAT, STR_ARGS(result->push.messages.items[i]));
    }
    for (size_t i = 0; i < result->errors.count; i++) {
        add_finding(&text, "ERROR", &result->errors.items[i]);
    }
    for (size_t i = 0; i < result->warnings.count; i++) {
        add_finding(&text, "WARN", &result->warnings.items[i]);
    }
    run_output_line(output, scratch, text_str(&text));
}

static void print_summary_text(struct run_output *output, struct arena *scratch,
                               const struct run_summary *summary) {
    struct text text;
    text_init(&text, scratch);
    if (summary->interrupted) {
        text_add(&text,
                 STR("Interrupted: what is [OK] above is committed, anything else was rolled "
                     "back; the next run goes on from there\n"));
    }
    text_format(&text, "Done: %lld %s, %lld skipped, %lld failed", (long long)summary->ran,
                output->dry_run ? "would run" : "ran", (long long)summary->skipped,
                (long long)summary->failed);
    if (summary->blocked > 0) {
        text_format(&text, ", %lld behind a failure", (long long)summary->blocked);
    }
    text_format(&text, " (" STR_FORMAT ", " STR_FORMAT ")",
                STR_ARGS(rows_text(scratch, summary->rows)),
                STR_ARGS(duration_format(scratch, summary->duration_us)));
    run_output_line(output, scratch, text_str(&text));
}

// ── JSON ──

static void json_messages(struct json *json, str key, const struct error_list *list) {
    json_key(json, key);
    json_array(json);
    for (size_t i = 0; i < list->count; i++) {
        json_string(json, str_from(list->items[i].message));
    }
    json_end(json);
}

static void json_details(struct json *json, const struct error_list *errors) {
    if (errors->count == 0) {
        return;
    }
    json_key(json, STR("errors_detail"));
    json_array(json);
    for (size_t i = 0; i < errors->count; i++) {
        struct text text;
        text_init(&text, json->out->arena);
        error_render_json(&text, &errors->items[i]);
        json_raw(json, text_str(&text));
    }
    json_end(json);
}

static void json_key_if(struct json *json, str key, str value) {
    if (value.size > 0) {
        json_key_string(json, key, value);
    }
}

static void print_json(struct run_output *output, struct arena *scratch,
                       const struct run_result *result) {
    struct text text;
    struct json json;
    text_init(&text, scratch);
    json_init(&json, &text);
    json_object(&json);
    json_key_int(&json, STR("schema_version"), 2);
    json_key_string(&json, STR("model"), result->model->target);
    json_key_string(&json, STR("kind"), model_kind_name(result->model->source.directives.kind));
    json_key_string(&json, STR("run_type"), run_type_name(result->run_type));
    json_key_if(&json, STR("run_reason"), result->reason);
    json_key_int(&json, STR("rows_affected"), result->rows);
    json_key_int(&json, STR("duration_ms"), result->duration_us / 1000);
    json_key_string(&json, STR("status"), run_status_name(result->status));
    json_messages(&json, STR("errors"), &result->errors);
    json_messages(&json, STR("warnings"), &result->warnings);
    json_key_if(&json, STR("dag_run_id"), result->run_id);
    if (output->sandbox) {
        json_key_bool(&json, STR("sandbox"), true);
    }
    json_key_if(&json, STR("skipped_because"), result->skipped_because);
    json_key_if(&json, STR("skipped_error"), result->skipped_error);
    json_details(&json, &result->errors);
    if (result->explanation != NULL) {
        explain_json(&json, result->explanation);
    }
    if (result->push.present && result->push.json.size > 0) {
        json_key(&json, STR("push"));
        json_raw(&json, result->push.json);
    }
    json_end(&json);
    run_output_line(output, scratch, text_str(&text));
}

void run_output_summary_json(const struct run_output *output, struct arena *scratch,
                             const struct run_summary *summary) {
    struct text text;
    struct json json;
    text_init(&text, scratch);
    json_init(&json, &text);
    json_object(&json);
    json_key_int(&json, STR("schema_version"), 1);
    json_key_string(&json, STR("kind"), STR("summary"));
    json_key_int(&json, STR("ran"), summary->ran);
    json_key_int(&json, STR("skipped"), summary->skipped);
    json_key_int(&json, STR("failed"), summary->failed);
    json_key_int(&json, STR("blocked"), summary->blocked);
    json_key_int(&json, STR("rows"), summary->rows);
    json_key_int(&json, STR("duration_ms"), summary->duration_us / 1000);
    if (summary->interrupted) {
        json_key_bool(&json, STR("interrupted"), true);
    }
    json_end(&json);
    run_output_line(output, scratch, text_str(&text));
}

// ── Events ──

static void on_started(void *self, const struct model *model, size_t number, size_t total) {
    const struct run_output *output = self;
    progress_start(output->progress, number, total, model->target);
}

static void on_progress(void *self, const struct model *model, int64_t pages, int64_t rows) {
    const struct run_output *output = self;
    progress_fetch(output->progress, model->target, pages, rows);
}

static void on_pushing(void *self, const struct model *model, int64_t sent, int64_t total) {
    const struct run_output *output = self;
    progress_push(output->progress, model->target, sent, total);
}

static void on_finished(void *self, const struct run_result *result) {
    SCRATCH(scratch);
    struct run_output *output = self;
    progress_finish(output->progress, result->model->target);
    if (output->line->json) {
        print_json(output, &scratch, result);
    } else {
        print_text(output, &scratch, result);
    }
}

static void on_warning(void *self, str source, const struct error *err) {
    SCRATCH(scratch);
    struct run_output *output = self;
    struct text text;
    text_init(&text, &scratch);
    progress_clear(output->progress);
    if (output->line->json) {
        struct json json;
        json_init(&json, &text);
        json_object(&json);
        json_key_int(&json, STR("schema_version"), 1);
        json_key_string(&json, STR("kind"), STR("dag_warning"));
        json_key_string(&json, STR("source"), source);
        json_key_string(&json, STR("message"), str_from(err->message));
        json_end(&json);
        run_output_line(output, &scratch, text_str(&text));
        return;
    }
    error_render_text(&text, err, "warning");
    const str clean =
        redact_text(output->line->context->redactor, &scratch, str_trim(text_str(&text)));
    (void)fprintf(stderr, STR_FORMAT "\n", STR_ARGS(clean));
}

static void on_failed(void *self, const struct error *err) {
    const struct run_output *output = self;
    progress_clear(output->progress);
    command_print_error(output->line, err);
}

// ── The command ──

static int exit_status(struct command_line *line, const struct run_summary *summary) {
    str value;
    const bool push_may_fail =
        environment_get(line->context->environment, STR("COYPU_PUSH_FAIL_OK"), &value) &&
        str_equal(value, STR("1"));
    if (summary->interrupted) {
        return EXIT_INTERRUPTED;
    }
    if (summary->failed > 0 || (summary->push_failed && !push_may_fail)) {
        return EXIT_FINDINGS;
    }
    return EXIT_CLEAN;
}

int run_output_failed(struct command_line *line, const struct error_list *errors) {
    int status = EXIT_FINDINGS;
    for (size_t i = 0; i < errors->count; i++) {
        status = command_fail(line, &errors->items[i]);
    }
    return status;
}

// --jobs, else COYPU_JOBS, else one a core and at most four.
static enum error_code jobs_read(const struct command_line *line, int64_t *jobs,
                                 struct error *err) {
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    *jobs = cores < 1 ? 1 : cores > JOBS_DEFAULT_MAX ? JOBS_DEFAULT_MAX : cores;
    str value;
    if (environment_get(line->context->environment, STR("COYPU_JOBS"), &value) && value.size > 0 &&
        (!str_parse_int64(value, jobs) || *jobs < 1 || *jobs > RUN_JOBS_MAX)) {
        error_set(err, ERROR_INVALID, "COYPU_JOBS is \"" STR_FORMAT "\", not a number from 1 to %d",
                  STR_ARGS(value), RUN_JOBS_MAX);
        error_hint(err, "unset it, or give --jobs N");
        return err->code;
    }
    return command_number(line, "jobs", 1, RUN_JOBS_MAX, jobs, err);
}

enum error_code run_output_options(const struct command_line *line, struct run_options *options,
                                   struct error *err) {
    int64_t jobs = 0;
    TRY(jobs_read(line, &jobs, err));
    *options = (struct run_options){
        .context = line->context,
        .target = command_argument(line, 0),
        .full_refresh = command_flag(line, "full-refresh"),
        .keep_going = command_flag(line, "keep-going"),
        .no_destructive = command_flag(line, "no-destructive"),
        .jobs = (int)jobs,
    };
    return ERROR_NONE;
}

struct run_events run_output_events(struct run_output *output) {
    return (struct run_events){.started = on_started,
                               .finished = on_finished,
                               .progress = output->progress != NULL ? on_progress : NULL,
                               .pushing = output->progress != NULL ? on_pushing : NULL,
                               .warning = on_warning,
                               .failed = on_failed,
                               .self = output};
}

static int run_command(struct command_line *line) {
    struct run_output output = {
        .line = line,
        .dry_run = command_flag(line, "dry-run") || command_flag(line, "explain"),
    };
    int64_t lock_timeout_s = 0;
    struct run_options options;
    struct error err;
    if (command_number(line, "lock-timeout", 0, 86400, &lock_timeout_s, &err) != ERROR_NONE ||
        run_output_options(line, &options, &err) != ERROR_NONE) {
        command_print_error(line, &err);
        return EXIT_USAGE;
    }
    output.progress = progress_new(line->context, line->json);
    options.dry_run = output.dry_run;
    options.explain = command_flag(line, "explain");
    options.lock_timeout_ms = lock_timeout_s * 1000;
    options.events = run_output_events(&output);
    struct run_summary summary;
    struct error_list errors;
    error_list_init(&errors, line->arena);
    const enum error_code code = run_project(&options, &summary, &errors);
    progress_free(output.progress);
    if (code != ERROR_NONE) {
        return run_output_failed(line, &errors);
    }
    SCRATCH(scratch);
    if (line->json) {
        run_output_summary_json(&output, &scratch, &summary);
    } else {
        if (summary.ran + summary.skipped + summary.failed + summary.blocked == 0 &&
            !summary.interrupted) {
            run_output_line(&output, &scratch, STR("no models in models/: nothing to run"));
        }
        print_summary_text(&output, &scratch, &summary);
    }
    return exit_status(line, &summary);
}

const struct command command_run = {
    .name = "run",
    .arguments = "[TARGET]",
    .summary = "run the models whose inputs changed, and deliver to their sinks",
    .help = "TARGET is one model: mart.customers; +mart.customers runs what it reads, too, and\n"
            "mart.customers+ what reads it.",
    .arguments_max = 1,
    .options = {{"full-refresh", 0, NULL, "rebuild every model, whatever changed"},
                {"explain", 0, NULL, "as --dry-run, with what would be read and by which SQL"},
                {"dry-run", 0, NULL, "say what would run and why; change nothing"},
                {"jobs", 0, "N",
                 "models at a time (default COYPU_JOBS, else one a core, at most 4)"},
                {"keep-going", 0, NULL, "with a cycle: run what is outside of it"},
                {"no-destructive", 0, NULL, "fail rather than lose columns or history"},
                {"lock-timeout", 0, "S", "wait up to S seconds for another run (default 0)"}},
    .run = run_command,
};
