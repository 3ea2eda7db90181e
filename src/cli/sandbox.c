// `coypu sandbox [TARGET]`: the real pipeline against a fork of the lake, and what it would change
// (models.md §13).
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/progress.h"
#include "cli/run_output.h"
#include "model/impact.h"
#include "run/table_diff.h"

struct sandbox_output {
    struct run_output run;
    struct run_events models; // what shows a model
    struct text changes;      // of changed models, shown behind the status lines
    struct text impact;
    size_t changed;
};

// ── What changed ──

static void add_samples(struct text *out, const char *sign, const str *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        text_format(out, "    %s " STR_FORMAT "\n", sign, STR_ARGS(rows[i]));
    }
}

static void add_rows(struct text *out, struct arena *arena, const struct table_diff *diff) {
    const int64_t difference = diff->rows_after - diff->rows_before;
    text_format(out, "  rows: " STR_FORMAT " → " STR_FORMAT,
                STR_ARGS(count_shown(arena, diff->rows_before)),
                STR_ARGS(count_shown(arena, diff->rows_after)));
    if (diff->rows_before > 0) {
        text_format(out, " (%+lld, %+.1f %%)", (long long)difference,
                    100.0 * (double)difference / (double)diff->rows_before);
    } else {
        text_format(out, " (%+lld)", (long long)difference);
    }
    text_format(out, "\n  added " STR_FORMAT ", removed " STR_FORMAT "\n",
                STR_ARGS(count_shown(arena, diff->added)),
                STR_ARGS(count_shown(arena, diff->removed)));
    add_samples(out, "+", diff->sample_added, diff->sample_added_count);
    add_samples(out, "-", diff->sample_removed, diff->sample_removed_count);
}

static void add_change(struct text *out, struct arena *arena, const struct table_diff *diff) {
    text_format(out, "\n" STR_FORMAT "\n", STR_ARGS(diff->model->target));
    for (size_t i = 0; i < diff->schema.count; i++) {
        text_format(out, "  schema: " STR_FORMAT "\n", STR_ARGS(diff->schema.items[i]));
    }
    add_rows(out, arena, diff);
}

static void json_texts(struct json *json, const char *key, const str *texts, size_t count,
                       bool is_json) {
    json_key(json, str_from(key));
    json_array(json);
    for (size_t i = 0; i < count; i++) {
        if (is_json) {
            json_raw(json, texts[i]);
        } else {
            json_string(json, texts[i]);
        }
    }
    json_end(json);
}

static void print_diff_json(struct sandbox_output *output, struct arena *arena,
                            const struct table_diff *diff) {
    struct text text;
    struct json json;
    text_init(&text, arena);
    json_init(&json, &text);
    json_object(&json);
    json_key_int(&json, STR("schema_version"), 1);
    json_key_string(&json, STR("kind"), STR("sandbox_diff"));
    json_key_string(&json, STR("model"), diff->model->target);
    json_texts(&json, "schema", diff->schema.items, diff->schema.count, false);
    json_key_int(&json, STR("rows_before"), diff->rows_before);
    json_key_int(&json, STR("rows_after"), diff->rows_after);
    json_key_int(&json, STR("added"), diff->added);
    json_key_int(&json, STR("removed"), diff->removed);
    json_texts(&json, "sample_added", diff->sample_added, diff->sample_added_count, true);
    json_texts(&json, "sample_removed", diff->sample_removed, diff->sample_removed_count, true);
    json_end(&json);
    run_output_line(&output->run, arena, text_str(&text));
}

// ── Events ──

static void on_forked(void *self, str source, int64_t snapshot) {
    SCRATCH(scratch);
    struct sandbox_output *output = self;
    if (output->run.line->json) {
        return;
    }
    const str what = source.size > 0
                         ? str_format(&scratch, "a fork of " STR_FORMAT " at snapshot %lld",
                                      STR_ARGS(source), (long long)snapshot)
                         : STR("an empty lake, as there is no catalog yet");
    run_output_line(&output->run, &scratch,
                    str_format(&scratch,
                               "Sandbox: " STR_FORMAT "; nothing is pushed, nothing is kept",
                               STR_ARGS(what)));
}

static void on_compared(void *self, const struct table_diff *diff) {
    SCRATCH(scratch);
    struct sandbox_output *output = self;
    if (table_diff_is_empty(diff)) {
        return;
    }
    output->changed++;
    if (output->run.line->json) {
        print_diff_json(output, &scratch, diff);
    } else {
        add_change(&output->changes, &scratch, diff);
    }
}

// The columns of the dependent that use it: "n ← mart.m.id"; "(rows)" for which rows there are.
static str uses_shown(struct arena *arena, const struct impact_dependent *dependent) {
    struct str_list uses = {0};
    for (size_t i = 0; i < dependent->uses.count; i++) {
        const struct impact_use *use = &dependent->uses.items[i];
        const str column = use->column.size > 0 ? use->column : STR("(rows)");
        str_list_push(arena, &uses,
                      str_format(arena, STR_FORMAT " ← " STR_FORMAT "." STR_FORMAT,
                                 STR_ARGS(column), STR_ARGS(use->table), STR_ARGS(use->source)));
    }
    return uses.count == 0 ? STR("(rows)") : str_list_join(arena, &uses, STR(", "));
}

static void add_impact(struct text *out, struct arena *arena, const struct model *model,
                       const struct impact *impact) {
    text_format(out, "\nDownstream impact of " STR_FORMAT "\n", STR_ARGS(model->target));
    for (size_t i = 0; i < impact->count; i++) {
        const struct impact_dependent *dependent = &impact->items[i];
        text_format(out, "  " STR_FORMAT "%s: " STR_FORMAT "\n", STR_ARGS(dependent->model->target),
                    dependent->is_direct ? "" : " (indirectly)",
                    STR_ARGS(uses_shown(arena, dependent)));
    }
    if (impact->count == 0) {
        text_add(out, STR("  no model depends on it\n"));
    }
}

static void print_impact_json(struct sandbox_output *output, struct arena *arena,
                              const struct model *model, const struct impact *impact) {
    struct text text;
    struct json json;
    text_init(&text, arena);
    json_init(&json, &text);
    json_object(&json);
    json_key_int(&json, STR("schema_version"), 1);
    json_key_string(&json, STR("kind"), STR("sandbox_impact"));
    json_key_string(&json, STR("model"), model->target);
    json_key(&json, STR("dependents"));
    json_array(&json);
    for (size_t i = 0; i < impact->count; i++) {
        const struct impact_dependent *dependent = &impact->items[i];
        struct str_list columns = {0};
        for (size_t j = 0; j < dependent->uses.count; j++) {
            const str column = dependent->uses.items[j].column;
            if (column.size > 0 && !str_list_has(&columns, column)) {
                str_list_push(arena, &columns, column);
            }
        }
        json_object(&json);
        json_key_string(&json, STR("target"), dependent->model->target);
        json_key_bool(&json, STR("direct"), dependent->is_direct);
        json_key_bool(&json, STR("rows"), dependent->rows);
        json_texts(&json, "columns", columns.items, columns.count, false);
        json_end(&json);
    }
    json_end(&json);
    json_end(&json);
    run_output_line(&output->run, arena, text_str(&text));
}

static void on_impacted(void *self, const struct model *model, const struct impact *impact) {
    SCRATCH(scratch);
    struct sandbox_output *output = self;
    if (output->run.line->json) {
        print_impact_json(output, &scratch, model, impact);
    } else {
        add_impact(&output->impact, &scratch, model, impact);
    }
}

static void on_finished(void *self, const struct run_result *result) {
    struct sandbox_output *output = self;
    output->models.finished(&output->run, result);
}

static void on_started(void *self, const struct model *model, size_t number, size_t total) {
    struct sandbox_output *output = self;
    output->models.started(&output->run, model, number, total);
}

static void on_warning(void *self, str source, const struct error *err) {
    struct sandbox_output *output = self;
    output->models.warning(&output->run, source, err);
}

// ── The command ──

// Other people's sessions are ended only when somebody says so.
static bool confirm(void *self, str question) {
    const struct sandbox_output *output = self;
    const struct command_line *line = output->run.line;
    if (command_flag(line, "yes")) {
        return true;
    }
    if (line->json || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        return false;
    }
    (void)fprintf(stderr, STR_FORMAT ": end them? [y/N] ", STR_ARGS(question));
    (void)fflush(stderr);
    char answer[16] = "";
    return fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

static void print_summary(struct sandbox_output *output, const struct run_summary *summary) {
    SCRATCH(scratch);
    struct text text;
    if (output->run.line->json) {
        run_output_summary_json(&output->run, &scratch, summary);
        return;
    }
    const int64_t seen = summary->ran + summary->skipped;
    text_init(&text, &scratch);
    if (summary->interrupted) {
        text_add(&text, STR("Interrupted: what would have changed is not known\n"));
    }
    text_format(&text, "Summary: %lld unchanged, %zu changed, %lld failed",
                (long long)(seen - (int64_t)output->changed), output->changed,
                (long long)summary->failed);
    if (summary->blocked > 0) {
        text_format(&text, ", %lld behind a failure", (long long)summary->blocked);
    }
    text_format(&text, " (" STR_FORMAT ")\n",
                STR_ARGS(duration_format(&scratch, summary->duration_us)));
    text_add(&text, text_str(&output->changes));
    text_add(&text, text_str(&output->impact));
    run_output_line(&output->run, &scratch, str_trim(text_str(&text)));
}

static int run(struct command_line *line) {
    struct sandbox_output output = {.run = {.line = line, .sandbox = true}};
    struct run_options options;
    struct run_summary summary;
    struct error_list errors;
    struct error err;
    if (run_output_options(line, &options, &err) != ERROR_NONE) {
        command_print_error(line, &err);
        return EXIT_USAGE;
    }
    text_init(&output.changes, line->arena);
    text_init(&output.impact, line->arena);
    error_list_init(&errors, line->arena);
    output.models = run_output_events(&output.run);
    options.sandbox = true;
    options.sandbox_options = (struct sandbox_options){confirm, &output};
    options.events = (struct run_events){.started = on_started,
                                         .finished = on_finished,
                                         .forked = on_forked,
                                         .compared = on_compared,
                                         .impacted = on_impacted,
                                         .warning = on_warning,
                                         .self = &output};
    if (run_project(&options, &summary, &errors) != ERROR_NONE) {
        return run_output_failed(line, &errors);
    }
    print_summary(&output, &summary);
    if (summary.interrupted) {
        return EXIT_INTERRUPTED;
    }
    return summary.failed > 0 ? EXIT_FINDINGS : EXIT_CLEAN;
}

const struct command command_sandbox = {
    .name = "sandbox",
    .arguments = "[TARGET]",
    .summary = "run against a fork of the lake and show what would change",
    .help =
        "Runs the models as `run` would, on a copy of the catalog that is thrown away: nothing\n"
        "is pushed, the lake and its files stay as they are.  Shows for every changed table its\n"
        "columns, rows and samples.  Models with checks or masks run even when nothing changed.",
    .arguments_max = 1,
    .options = {{"full-refresh", 0, NULL, "rebuild every model, whatever changed"},
                {"jobs", 0, "N",
                 "models at a time (default COYPU_JOBS, else one a core, at most 4)"},
                {"keep-going", 0, NULL, "with a cycle: run what is outside of it"},
                {"no-destructive", 0, NULL, "fail rather than lose columns or history"},
                {"yes", 'y', NULL, "PostgreSQL: end other sessions without asking"}},
    .run = run,
};
