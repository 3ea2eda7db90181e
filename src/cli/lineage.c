// `coypu lineage`: where models and columns come from, from the files alone (models.md §11).
#include "base/json.h"
#include "base/redact.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/lineage_picture.h"
#include "cli/output_format.h"
#include "inspect/survey.h"

struct view {
    struct command_line *line;
    struct survey survey;
    const struct model *model; // NULL: overview
    str column;                // empty: the whole model
};

// ── Text: overview ──

// What a model reads, by name.
static str reads_of(struct arena *arena, const struct model *model) {
    struct str_list names = {0};
    for (size_t i = 0; i < model->inputs.count; i++) {
        str_list_push(arena, &names, model->inputs.items[i]);
    }
    for (size_t i = 0; i < model->lib_calls.count; i++) {
        str_list_push(arena, &names,
                      str_format(arena, STR_FORMAT "()", STR_ARGS(model->lib_calls.items[i].name)));
    }
    for (size_t i = 0; i < model->files.count; i++) {
        str_list_push(arena, &names, model->files.items[i]);
    }
    for (size_t i = 0; i < model->unverifiable.count; i++) {
        str_list_push(arena, &names, model->unverifiable.items[i]);
    }
    return str_list_join(arena, &names, STR(", "));
}

static str state_of(const struct survey *survey, const struct model *model) {
    return model->broken                     ? STR("broken")
           : survey_never_ran(survey, model) ? STR("never ran")
                                             : (str){0};
}

static void write_layer(struct view *view, struct text *out, str schema, size_t width) {
    struct arena *arena = view->line->arena;
    const struct models *models = &view->survey.models;
    struct grid grid = {.arena = arena, .columns = 4};
    for (size_t i = 0; i < models->count; i++) {
        const struct model *model = models->items[i];
        if (str_equal_nocase(model->schema, schema)) {
            const str reads = reads_of(arena, model);
            GRID_ROW(&grid, model->target, model_kind_name(model->source.directives.kind),
                     state_of(&view->survey, model),
                     reads.size > 0 ? str_format(arena, "← " STR_FORMAT, STR_ARGS(reads))
                                    : (str){0});
        }
    }
    struct text rows;
    struct box box;
    text_init(&rows, arena);
    grid_write(&grid, &rows);
    box_begin_width(&box, out, schema, width);
    box_lines(&box, text_str(&rows));
    box_end(&box);
}

// Schemas in the order in which data reaches them.
static void write_overview(struct view *view, struct text *out) {
    struct arena *arena = view->line->arena;
    const struct models *models = &view->survey.models;
    const size_t width = box_terminal_width();
    struct str_list layers = {0};
    for (size_t i = 0; i < models->order.count + models->count; i++) {
        const struct model *model = i < models->order.count
                                        ? models->order.items[i]
                                        : models->items[i - models->order.count];
        if (!str_list_has_nocase(&layers, model->schema)) {
            str_list_push(arena, &layers, model->schema);
        }
    }
    for (size_t i = 0; i < layers.count; i++) {
        if (i > 0) {
            text_add_repeat(out, ' ', width / 2 + 1);
            text_add(out, STR("▼\n"));
        }
        write_layer(view, out, layers.items[i], width);
    }
    if (layers.count == 0) {
        text_add(out, STR("no models\n"));
    }
}

// ── Text: model ──

static str how_of(struct arena *arena, const struct lineage_source *source) {
    const str name = lineage_transformation_name(source->transformation);
    return source->function.size > 0 ? str_format(arena, STR_FORMAT " " STR_FORMAT, STR_ARGS(name),
                                                  STR_ARGS(source->function))
                                     : name;
}

static str source_name(struct arena *arena, str table, str column) {
    return str_format(arena, STR_FORMAT "." STR_FORMAT, STR_ARGS(table), STR_ARGS(column));
}

static void add_column_rows(struct grid *grid, const struct lineage_column *column) {
    str name = column->name;
    for (size_t i = 0; i < column->sources.count; i++) {
        const struct lineage_source *source = &column->sources.items[i];
        GRID_ROW(grid, name,
                 str_format(grid->arena, "← " STR_FORMAT,
                            STR_ARGS(source_name(grid->arena, source->table, source->column))),
                 how_of(grid->arena, source));
        name = (str){0};
    }
    for (size_t i = 0; i < column->indirect.count; i++) {
        const struct lineage_indirect *entry = &column->indirect.items[i];
        GRID_ROW(grid, name,
                 str_format(grid->arena, "┄ " STR_FORMAT,
                            STR_ARGS(source_name(grid->arena, entry->table, entry->column))),
                 lineage_use_name(entry->use));
        name = (str){0};
    }
    if (column->untraced) {
        GRID_ROW(grid, name, STR("? not traced whole"), (str){0});
    } else if (name.size > 0) {
        GRID_ROW(grid, name, STR("constant"), (str){0});
    }
}

static void write_rows_section(struct box *box, struct arena *arena,
                               const struct lineage_indirect_list *list) {
    if (list->count == 0) {
        return;
    }
    struct grid grid = {.arena = arena, .columns = 2};
    struct text rows;
    text_init(&rows, arena);
    for (size_t i = 0; i < list->count; i++) {
        GRID_ROW(&grid, lineage_use_name(list->items[i].use),
                 source_name(arena, list->items[i].table, list->items[i].column));
    }
    grid_write(&grid, &rows);
    box_section(box, STR("what decides its rows"));
    box_lines(box, text_str(&rows));
}

static void write_notes(struct box *box, const struct lineage *lineage) {
    if (lineage != NULL && lineage->notes.count > 0) {
        box_section(box, STR("not traced"));
        for (size_t i = 0; i < lineage->notes.count; i++) {
            box_line(box, lineage->notes.items[i]);
        }
    }
}

static str read_by(struct arena *arena, const struct model *model) {
    struct str_list names = {0};
    for (size_t i = 0; i < model->read_by.count; i++) {
        str_list_push(arena, &names, model->read_by.items[i]->target);
    }
    str_list_sort(&names);
    return str_list_join(arena, &names, STR(", "));
}

static void write_head(struct view *view, struct box *box, str title, struct text *out) {
    struct arena *arena = view->line->arena;
    const struct model *model = view->model;
    const str state = state_of(&view->survey, model);
    box_begin_width(box, out, title, box_terminal_width());
    box_fact(box, "kind",
             str_format(arena, STR_FORMAT "%s" STR_FORMAT,
                        STR_ARGS(model_kind_name(model->source.directives.kind)),
                        state.size > 0 ? ", " : "", STR_ARGS(state)));
    box_fact(box, "file", model->file);
}

static void write_model(struct view *view, struct text *out) {
    struct arena *arena = view->line->arena;
    const struct model *model = view->model;
    const struct lineage *lineage = model_lineage(&view->survey.lineages, model);
    struct box box;
    write_head(view, &box, model->target, out);
    const str reads = reads_of(arena, model);
    const str readers = read_by(arena, model);
    if (reads.size > 0) {
        box_fact(&box, "reads", reads);
    }
    if (readers.size > 0) {
        box_fact(&box, "read by", readers);
    }
    box_section(&box, STR("columns"));
    if (lineage == NULL) {
        box_line(&box, STR("the query cannot be read: see coypu validate"));
    } else {
        struct grid grid = {.arena = arena, .columns = 3};
        struct text rows;
        text_init(&rows, arena);
        for (size_t i = 0; i < lineage->columns.count; i++) {
            add_column_rows(&grid, &lineage->columns.items[i]);
        }
        grid_write(&grid, &rows);
        box_lines(&box, text_str(&rows));
        write_rows_section(&box, arena, &lineage->indirect);
    }
    write_notes(&box, lineage);
    box_end(&box);
}

// ── Text: column ──

struct tracer {
    struct view *view;
    struct text out;
    struct map seen; // columns whose sources were shown
};

static void trace_lines(struct tracer *tracer, const struct model *model, str name, str indent);

static void trace_source(struct tracer *tracer, const struct lineage_source *source, str indent,
                         bool last) {
    struct arena *arena = tracer->out.arena;
    const struct model *above = models_find(&tracer->view->survey.models, source->table);
    const str key = source_name(arena, source->table, source->column);
    const bool again = above != NULL && map_has(&tracer->seen, key);
    text_format(&tracer->out, STR_FORMAT "%s" STR_FORMAT "  " STR_FORMAT "%s\n", STR_ARGS(indent),
                last ? "└─ " : "├─ ", STR_ARGS(key), STR_ARGS(how_of(arena, source)),
                again ? "  (as above)" : "");
    if (above != NULL && !again) {
        trace_lines(tracer, above, source->column,
                    str_format(arena, STR_FORMAT "%s", STR_ARGS(indent), last ? "   " : "│  "));
    }
}

static void trace_lines(struct tracer *tracer, const struct model *model, str name, str indent) {
    struct arena *arena = tracer->out.arena;
    const struct lineage *lineage = model_lineage(&tracer->view->survey.lineages, model);
    const struct lineage_column *column =
        lineage == NULL ? NULL : lineage_column_find(&lineage->columns, name);
    (void)map_set(&tracer->seen, source_name(arena, model->target, name), tracer);
    if (column == NULL || column->untraced) {
        text_format(&tracer->out, STR_FORMAT "? not traced whole\n", STR_ARGS(indent));
    }
    for (size_t i = 0; column != NULL && i < column->sources.count; i++) {
        const bool last = i + 1 == column->sources.count && column->indirect.count == 0;
        trace_source(tracer, &column->sources.items[i], indent, last);
    }
    for (size_t i = 0; column != NULL && i < column->indirect.count; i++) {
        const struct lineage_indirect *entry = &column->indirect.items[i];
        text_format(&tracer->out, STR_FORMAT "%s" STR_FORMAT "  " STR_FORMAT "\n", STR_ARGS(indent),
                    i + 1 == column->indirect.count ? "└┄ " : "├┄ ",
                    STR_ARGS(source_name(arena, entry->table, entry->column)),
                    STR_ARGS(lineage_use_name(entry->use)));
    }
}

static void write_column(struct view *view, struct text *out) {
    struct arena *arena = view->line->arena;
    const struct model *model = view->model;
    const struct lineage *lineage = model_lineage(&view->survey.lineages, model);
    struct tracer tracer = {.view = view};
    struct box box;
    text_init(&tracer.out, arena);
    map_init_nocase(&tracer.seen, arena);
    const str title = source_name(arena, model->target, view->column);
    trace_lines(&tracer, model, view->column, (str){0});
    write_head(view, &box, title, out);
    box_section(&box, STR("comes from"));
    if (tracer.out.size == 0) {
        box_line(&box, STR("constant"));
    }
    box_lines(&box, text_str(&tracer.out));
    if (lineage != NULL) {
        write_rows_section(&box, arena, &lineage->indirect);
    }
    write_notes(&box, lineage);
    box_end(&box);
}

// ── JSON ──

static void write_column_json(struct json *json, const struct lineage *lineage,
                              const struct lineage_column *column) {
    json_object(json);
    json_key_string(json, STR("column"), column->name);
    json_key(json, STR("sources"));
    lineage_sources_write(json, &column->sources);
    json_key(json, STR("indirect"));
    lineage_indirect_write(json, &column->indirect, &lineage->indirect);
    if (column->untraced) {
        json_key_bool(json, STR("untraced"), true);
    }
    json_end(json);
}

static void write_model_json(struct view *view, struct json *json, const struct model *model,
                             const struct str_list *only) {
    const struct lineage *lineage = model_lineage(&view->survey.lineages, model);
    json_object(json);
    json_key_string(json, STR("target"), model->target);
    json_key_string(json, STR("kind"), model_kind_name(model->source.directives.kind));
    json_key_string(json, STR("file"), model->file);
    if (view->survey.has_lake) {
        json_key_bool(json, STR("never_ran"), survey_never_ran(&view->survey, model));
    }
    if (model->broken) {
        json_key_bool(json, STR("broken"), true);
    }
    const struct str_list depends = model_depends(view->line->arena, model);
    json_key_strings(json, STR("depends"), &depends);
    json_key(json, STR("columns"));
    json_array(json);
    for (size_t i = 0; lineage != NULL && i < lineage->columns.count; i++) {
        const struct lineage_column *column = &lineage->columns.items[i];
        if (only == NULL || str_list_has_nocase(only, column->name)) {
            write_column_json(json, lineage, column);
        }
    }
    json_end(json);
    json_key(json, STR("notes"));
    json_array(json);
    for (size_t i = 0; lineage != NULL && i < lineage->notes.count; i++) {
        json_string(json, lineage->notes.items[i]);
    }
    json_end(json);
    json_end(json);
}

// The columns on the way of one column, by model.
static void collect(struct view *view, const struct model *model, str name, struct map *columns) {
    struct arena *arena = view->line->arena;
    struct str_list *list = map_get(columns, model->target);
    if (list == NULL) {
        list = ARENA_NEW(arena, struct str_list);
        (void)map_set(columns, model->target, list);
    }
    const struct lineage *lineage = model_lineage(&view->survey.lineages, model);
    const struct lineage_column *column =
        lineage == NULL ? NULL : lineage_column_find(&lineage->columns, name);
    if (column == NULL || str_list_has_nocase(list, name)) {
        return;
    }
    str_list_push(arena, list, name);
    for (size_t i = 0; i < column->sources.count; i++) {
        const struct model *above =
            models_find(&view->survey.models, column->sources.items[i].table);
        if (above != NULL) {
            collect(view, above, column->sources.items[i].column, columns);
        }
    }
}

static void write_json(struct view *view, struct text *out) {
    const struct models *models = &view->survey.models;
    struct json json;
    struct map columns;
    json_init(&json, out);
    map_init_nocase(&columns, view->line->arena);
    json_object(&json);
    json_key_int(&json, STR("schema_version"), 1);
    json_key(&json, STR("models"));
    json_array(&json);
    if (view->model == NULL) {
        for (size_t i = 0; i < models->count; i++) {
            write_model_json(view, &json, models->items[i], NULL);
        }
    } else if (view->column.size == 0) {
        write_model_json(view, &json, view->model, NULL);
    } else {
        collect(view, view->model, view->column, &columns);
        for (size_t i = 0; i < columns.count; i++) {
            write_model_json(view, &json, models_find(models, columns.entries[i].key),
                             columns.entries[i].value);
        }
    }
    json_end(&json);
    json_end(&json);
    text_add_char(out, '\n');
}

// ── The command ──

static str picture_state(void *self, const struct model *model, bool *faded) {
    const str state = state_of(self, model);
    *faded = state.size > 0;
    return state;
}

static enum error_code write_picture(struct view *view, enum output_format format, struct text *out,
                                     struct error *err) {
    struct picture picture;
    const struct picture_note note = {picture_state, &view->survey};
    picture_init(&picture, view->line->arena);
    if (view->model == NULL) {
        models_picture(&picture, &view->survey.models, &note);
    } else if (view->column.size == 0) {
        model_picture(&picture, &view->survey, view->model);
    } else {
        column_picture(&picture, &view->survey, view->model, view->column);
    }
    return picture_write(&picture, output_picture(format), out, err);
}

static enum error_code show(struct view *view, enum output_format format, struct error *err) {
    const str name = command_argument(view->line, 0);
    struct text out;
    text_init(&out, view->line->arena);
    command_print_warnings(view->line, &view->survey.project.warnings);
    if (!str_equal(name, STR("overview"))) {
        TRY(survey_find(&view->survey, name, &view->model, &view->column, err));
    }
    if (format >= OUTPUT_MERMAID) {
        TRY(write_picture(view, format, &out, err));
    } else if (format == OUTPUT_JSON) {
        write_json(view, &out);
    } else if (view->model == NULL) {
        write_overview(view, &out);
    } else if (view->column.size == 0) {
        write_model(view, &out);
    } else {
        write_column(view, &out);
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
    enum error_code code = survey_open(line->arena, line->context, &view.survey, &err);
    if (code == ERROR_NONE) {
        code = show(&view, format, &err);
    }
    survey_close(&view.survey);
    return code == ERROR_NONE ? EXIT_CLEAN : command_fail(line, &err);
}

const struct command command_lineage = {
    .name = "lineage",
    .arguments = "overview|TARGET|TARGET.COLUMN",
    .summary = "where models and their columns come from",
    .help =
        "lineage overview shows all models by schema, with what they read.\n"
        "lineage TARGET shows the columns of a model with the columns they are made of, and how;\n"
        "lineage TARGET.COLUMN follows one column up to where it begins.\n\n"
        "It needs the project's files only: no run and no lake.  When a lake is there, models\n"
        "that never ran are marked.  --format svg needs Graphviz.",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = {OUTPUT_FORMAT_OPTION},
    .run = run,
};
