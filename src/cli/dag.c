// `coypu dag`: the order of the models, and what each would do now and why (models.md §4, §10.1).
#include "base/error_render.h"
#include "base/json.h"
#include "base/redact.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/lineage_picture.h"
#include "cli/output_format.h"
#include "inspect/inspect.h"
#include "plan/plan.h"

struct view {
    struct command_line *line;
    struct inspection inspection;
    struct plan plan;
    bool *changing; // by model index: it runs, or something before it does
};

static bool is_on_cycle(const struct view *view, const struct model *model) {
    const struct model_list *cycle = models_cycle_of(&view->inspection.models, model);
    bool result = false;
    for (size_t i = 0; cycle != NULL && i < cycle->count; i++) {
        result = result || cycle->items[i] == model;
    }
    return result;
}

// What a model reads and what will run before it: its own turn may find other facts then.
static void runs_before(const struct view *view, const struct model *model,
                        struct str_list *targets) {
    for (size_t i = 0; i < model->reads.count; i++) {
        const struct model *source = model->reads.items[i];
        if (plan_step_of(&view->plan, source)->type != RUN_SKIP) {
            str_list_push(view->line->arena, targets, source->target);
        }
    }
}

// A skip is only certain when nothing that the model depends on, however far, runs.
static void mark_changing(struct view *view) {
    const struct models *models = &view->inspection.models;
    view->changing = ARENA_ARRAY(view->line->arena, bool, models->count);
    for (size_t i = 0; i < models->order.count; i++) {
        const struct model *model = models->order.items[i];
        bool changing = plan_step_of(&view->plan, model)->type != RUN_SKIP;
        for (size_t j = 0; j < model->reads.count; j++) {
            changing = changing || view->changing[model->reads.items[j]->index];
        }
        view->changing[model->index] = changing;
    }
}

static bool may_change(const struct view *view, const struct model *model) {
    return view->changing[model->index] && plan_step_of(&view->plan, model)->type == RUN_SKIP;
}

static str reason_of(const struct view *view, const struct model *model) {
    const struct plan_step *step = plan_step_of(&view->plan, model);
    struct str_list before = {0};
    if (model->broken) {
        return STR("cannot run: see coypu validate");
    }
    if (!may_change(view, model)) {
        return step->reason;
    }
    runs_before(view, model, &before);
    const str who = before.count > 0 ? str_list_join(view->line->arena, &before, STR(", "))
                                     : STR("what it depends on");
    return str_format(view->line->arena, STR_FORMAT " so far; " STR_FORMAT " runs before",
                      STR_ARGS(step->reason), STR_ARGS(who));
}

// All models: those in order, then those on a cycle or behind one.
static const struct model *model_at(const struct view *view, size_t index) {
    const struct models *models = &view->inspection.models;
    if (index < models->order.count) {
        return models->order.items[index];
    }
    size_t left = index - models->order.count;
    for (size_t i = 0; i < models->count; i++) {
        bool ordered = false;
        for (size_t j = 0; j < models->order.count; j++) {
            ordered = ordered || models->order.items[j] == models->items[i];
        }
        if (!ordered && left-- == 0) {
            return models->items[i];
        }
    }
    return NULL;
}

// ── Text ──

static str reads_of(struct arena *arena, const struct model *model) {
    struct str_list names = {0};
    for (size_t i = 0; i < model->reads.count; i++) {
        str_list_push(arena, &names, model->reads.items[i]->target);
    }
    return names.count == 0 ? (str){0}
                            : str_format(arena, "← " STR_FORMAT,
                                         STR_ARGS(str_list_join(arena, &names, STR(", "))));
}

static void write_text(struct view *view, struct text *out) {
    struct arena *arena = view->line->arena;
    const struct models *models = &view->inspection.models;
    struct grid grid = {.arena = arena,
                        .columns = 6,
                        .right = (const bool[]){true, false, false, false, false, false}};
    for (size_t i = 0; i < models->count; i++) {
        const struct model *model = model_at(view, i);
        const bool ordered = i < models->order.count;
        GRID_ROW(&grid, ordered ? str_format(arena, "%zu", i + 1) : STR("-"), model->target,
                 model_kind_name(model->source.directives.kind),
                 ordered ? run_type_name(plan_step_of(&view->plan, model)->type) : STR("-"),
                 ordered                    ? reason_of(view, model)
                 : is_on_cycle(view, model) ? STR("on the cycle")
                                            : STR("behind the cycle"),
                 reads_of(arena, model));
    }
    grid_write(&grid, out);
    if (models->count == 0) {
        text_add(out, STR("no models\n"));
    }
}

// ── JSON ──

static void write_edges(struct json *json, const struct view *view) {
    json_key(json, STR("edges"));
    json_array(json);
    for (size_t i = 0; i < view->inspection.models.count; i++) {
        const struct model *model = model_at(view, i);
        for (size_t j = 0; j < model->reads.count; j++) {
            json_object(json);
            json_key_string(json, STR("from"), model->reads.items[j]->target);
            json_key_string(json, STR("to"), model->target);
            json_end(json);
        }
    }
    json_end(json);
}

static void write_names(struct json *json, const struct model_list *list) {
    json_array(json);
    for (size_t i = 0; i < list->count; i++) {
        json_string(json, list->items[i]->target);
    }
    json_end(json);
}

static void write_json(struct view *view, struct text *out) {
    const struct models *models = &view->inspection.models;
    struct json json;
    json_init(&json, out);
    json_object(&json);
    json_key_int(&json, STR("schema_version"), 1);
    json_key(&json, STR("models"));
    json_array(&json);
    for (size_t i = 0; i < models->count; i++) {
        const struct model *model = model_at(view, i);
        const struct plan_step *step = plan_step_of(&view->plan, model);
        struct str_list before = {0};
        json_object(&json);
        json_key_string(&json, STR("target"), model->target);
        json_key_string(&json, STR("kind"), model_kind_name(model->source.directives.kind));
        json_key_string(&json, STR("file"), model->file);
        if (i < models->order.count) {
            json_key_int(&json, STR("order"), (int64_t)i + 1);
            json_key_string(&json, STR("run_type"), run_type_name(step->type));
            json_key_string(&json, STR("run_reason"), step->reason);
            json_key_bool(&json, STR("may_change"), may_change(view, model));
        }
        if (model->broken) {
            json_key_bool(&json, STR("broken"), true);
        }
        json_key(&json, STR("depends"));
        write_names(&json, &model->reads);
        runs_before(view, model, &before);
        json_key(&json, STR("runs_before"));
        json_array(&json);
        for (size_t j = 0; j < before.count; j++) {
            json_string(&json, before.items[j]);
        }
        json_end(&json);
        json_end(&json);
    }
    json_end(&json);
    write_edges(&json, view);
    json_key(&json, STR("cycles"));
    json_array(&json);
    for (size_t i = 0; i < models->cycles.count; i++) {
        write_names(&json, &models->cycles.items[i]);
    }
    json_end(&json);
    json_end(&json);
    text_add_char(out, '\n');
}

// ── The command ──

static str picture_reason(void *self, const struct model *model, bool *faded) {
    const struct view *view = self;
    const struct plan_step *step = plan_step_of(&view->plan, model);
    *faded = step->type == RUN_SKIP;
    return is_on_cycle(view, model)
               ? STR("on the cycle")
               : str_format(view->line->arena, STR_FORMAT ": " STR_FORMAT,
                            STR_ARGS(run_type_name(step->type)), STR_ARGS(reason_of(view, model)));
}

static enum error_code write_picture(struct view *view, enum output_format format, struct text *out,
                                     struct error *err) {
    struct picture picture;
    const struct picture_note note = {picture_reason, view};
    picture_init(&picture, view->line->arena);
    models_picture(&picture, &view->inspection.models, &note);
    return picture_write(&picture, output_picture(format), out, err);
}

static enum error_code read_plan(struct view *view, struct error *err) {
    struct inspection *inspection = &view->inspection;
    const struct inspection_options options = {.context = view->line->context, .with_models = true};
    TRY(inspection_open(view->line->arena, &options, inspection, err));
    const struct plan_options plan_options = {.project = inspection->project.root};
    TRY(plan_read(view->line->arena, &inspection->models, inspection->session.connection,
                  &plan_options, &view->plan, err));
    plan_take_log(&view->plan, inspection->state);
    mark_changing(view);
    return ERROR_NONE;
}

// The whole loop, as an error beside the picture.
static void print_cycle(struct view *view, const struct model_list *cycle) {
    const struct finding_list *findings = &cycle->items[0]->findings;
    for (size_t i = 0; i < findings->count; i++) {
        const struct error *err = &findings->items[i].error;
        if (err->rule != NULL && str_equal(str_from(err->rule), STR("dag.cycle_detected"))) {
            struct command_line to_stderr = *view->line;
            to_stderr.json = false; // it is in the object already
            command_print_error(&to_stderr, err);
            return;
        }
    }
}

static enum error_code show(struct view *view, enum output_format format, struct error *err) {
    struct text out;
    text_init(&out, view->line->arena);
    TRY(read_plan(view, err));
    command_print_warnings(view->line, &view->inspection.project.warnings);
    if (format >= OUTPUT_MERMAID) {
        TRY(write_picture(view, format, &out, err));
    } else if (format == OUTPUT_JSON) {
        write_json(view, &out);
    } else {
        write_text(view, &out);
    }
    return output_format_print(view->line, format, text_str(&out), err);
}

static int run(struct command_line *line) {
    struct error err = {0};
    struct view view = {.line = line};
    enum output_format format = OUTPUT_TEXT;
    if (output_format_read(line, &format, &err) != ERROR_NONE) {
        command_print_error(line, &err);
        return EXIT_USAGE;
    }
    const enum error_code code = show(&view, format, &err);
    int status = code == ERROR_NONE ? EXIT_CLEAN : command_fail(line, &err);
    const struct model_list_list *cycles = &view.inspection.models.cycles;
    for (size_t i = 0; code == ERROR_NONE && i < cycles->count; i++) {
        print_cycle(&view, &cycles->items[i]);
        status = EXIT_FINDINGS;
    }
    inspection_close(&view.inspection);
    return status;
}

const struct command command_dag = {
    .name = "dag",
    .arguments = "",
    .summary = "the order of the models, and what each would do now",
    .help =
        "dag shows the models in the order in which they run, what each of them would do now\n"
        "(skip, backfill, incremental, full) and why, and which models it reads.  Nothing runs.\n\n"
        "A model that would be skipped so far may still run when a model before it writes rows.\n"
        "--format svg needs Graphviz.",
    .options = {OUTPUT_FORMAT_OPTION},
    .run = run,
};
