// `coypu impact`: what depends on a table or a column, directly or not.
#include "model/impact.h"

#include "base/json.h"
#include "base/redact.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/layout.h"
#include "inspect/survey.h"

struct view {
    struct command_line *line;
    struct survey survey;
    str table;
    str column;
    struct impact impact;
};

// ── What was asked for ──

// A table that no model makes but some model reads: "ext.orders", "shop()", "data/x.csv".
static bool find_outside(struct view *view, str name) {
    struct survey *survey = &view->survey;
    for (size_t i = 0; i < survey->models.count; i++) {
        const struct lineage *lineage = model_lineage(&survey->lineages, survey->models.items[i]);
        for (size_t j = 0; lineage != NULL && j < lineage->occurrences.count; j++) {
            const str table = lineage->occurrences.items[j].table;
            if (models_find(&survey->models, table) != NULL) {
                continue;
            }
            if (str_equal_nocase(table, name)) {
                view->table = table;
                return true;
            }
            if (name.size > table.size + 1 && name.data[table.size] == '.' &&
                str_equal_nocase(str_slice(name, 0, table.size), table)) {
                view->table = table;
                view->column = str_from_offset(name, table.size + 1);
                return true;
            }
        }
    }
    return false;
}

static enum error_code find(struct view *view, struct error *err) {
    const str name = command_argument(view->line, 0);
    const struct model *model = NULL;
    if (survey_find(&view->survey, name, &model, &view->column, err) == ERROR_NONE) {
        view->table = model->target;
        return ERROR_NONE;
    }
    return find_outside(view, name) ? ERROR_NONE : err->code;
}

// ── Text ──

static str use_text(struct arena *arena, const struct impact_use *use) {
    const str how = use->decides ? lineage_use_name(use->use)
                                 : lineage_transformation_name(use->how.transformation);
    const str function = use->decides ? (str){0} : use->how.function;
    return str_format(arena, STR_FORMAT "%s" STR_FORMAT, STR_ARGS(how),
                      function.size > 0 ? " " : "", STR_ARGS(function));
}

static void write_dependent(struct view *view, struct box *box,
                            const struct impact_dependent *dependent) {
    struct arena *arena = view->line->arena;
    const struct directives *directives = &dependent->model->source.directives;
    struct grid grid = {.arena = arena, .columns = 3};
    struct text text;
    text_init(&text, arena);
    box_section(box, str_format(arena, STR_FORMAT " (" STR_FORMAT "%s)",
                                STR_ARGS(dependent->model->target),
                                STR_ARGS(model_kind_name(directives->kind)),
                                dependent->is_direct ? "" : ", indirectly"));
    for (size_t i = 0; i < dependent->uses.count; i++) {
        const struct impact_use *use = &dependent->uses.items[i];
        GRID_ROW(&grid, use->column.size > 0 ? use->column : STR("(rows)"),
                 str_format(arena, "%s " STR_FORMAT "." STR_FORMAT, use->decides ? "┄" : "←",
                            STR_ARGS(use->table), STR_ARGS(use->source)),
                 use_text(arena, use));
    }
    grid_write(&grid, &text);
    box_lines(box, text_str(&text));
    if (dependent->unknown) {
        box_line(box, STR("its columns cannot be traced: all may be affected"));
    } else if (dependent->uses.count == 0) {
        box_line(box, STR("(rows) of what it reads may change"));
    }
    if (directives->sink.at.is_set) {
        box_line(box, str_format(arena, "pushes to " STR_FORMAT, STR_ARGS(directives->sink.name)));
    }
}

static void write_text(struct view *view, struct text *out) {
    struct arena *arena = view->line->arena;
    const size_t count = view->impact.count;
    struct box box;
    box_begin_width(&box, out,
                    str_format(arena, STR_FORMAT "%s" STR_FORMAT, STR_ARGS(view->table),
                               view->column.size > 0 ? "." : "", STR_ARGS(view->column)),
                    box_terminal_width());
    box_line(&box, count == 0 ? STR("nothing depends on it")
                              : str_format(arena, "%zu model%s depend%s on it", count,
                                           count == 1 ? "" : "s", count == 1 ? "s" : ""));
    for (size_t i = 0; i < count; i++) {
        write_dependent(view, &box, &view->impact.items[i]);
    }
    box_end(&box);
}

// ── JSON ──

static void write_use(struct json *json, const struct impact_use *use) {
    json_object(json);
    if (use->column.size > 0) {
        json_key_string(json, STR("column"), use->column);
    }
    json_key(json, STR("uses"));
    json_object(json);
    json_key_string(json, STR("table"), use->table);
    json_key_string(json, STR("column"), use->source);
    if (use->decides) {
        json_key_string(json, STR("use"), lineage_use_name(use->use));
    } else {
        json_key_string(json, STR("transformation"),
                        lineage_transformation_name(use->how.transformation));
        if (use->how.function.size > 0) {
            json_key_string(json, STR("function"), use->how.function);
        }
    }
    json_end(json);
    json_end(json);
}

static void write_dependent_json(struct json *json, const struct impact_dependent *dependent) {
    const struct directives *directives = &dependent->model->source.directives;
    json_object(json);
    json_key_string(json, STR("target"), dependent->model->target);
    json_key_string(json, STR("kind"), model_kind_name(directives->kind));
    json_key_string(json, STR("file"), dependent->model->file);
    json_key_bool(json, STR("direct"), dependent->is_direct);
    json_key_bool(json, STR("rows"), dependent->rows);
    if (dependent->unknown) {
        json_key_bool(json, STR("untraced"), true);
    }
    if (directives->sink.at.is_set) {
        json_key_string(json, STR("sink"), directives->sink.name);
    }
    json_key(json, STR("columns"));
    json_array(json);
    for (size_t i = 0; i < dependent->uses.count; i++) {
        if (dependent->uses.items[i].column.size > 0) {
            write_use(json, &dependent->uses.items[i]);
        }
    }
    json_end(json);
    json_key(json, STR("row_uses"));
    json_array(json);
    for (size_t i = 0; i < dependent->uses.count; i++) {
        if (dependent->uses.items[i].column.size == 0) {
            write_use(json, &dependent->uses.items[i]);
        }
    }
    json_end(json);
    json_end(json);
}

static void write_json(struct view *view, struct text *out) {
    struct json json;
    json_init(&json, out);
    json_object(&json);
    json_key_int(&json, STR("schema_version"), 1);
    json_key_string(&json, STR("target"), view->table);
    if (view->column.size > 0) {
        json_key_string(&json, STR("column"), view->column);
    }
    json_key(&json, STR("dependents"));
    json_array(&json);
    for (size_t i = 0; i < view->impact.count; i++) {
        write_dependent_json(&json, &view->impact.items[i]);
    }
    json_end(&json);
    json_end(&json);
    text_add_char(out, '\n');
}

// ── The command ──

static enum error_code show(struct view *view, struct error *err) {
    struct command_line *line = view->line;
    struct text out;
    text_init(&out, line->arena);
    command_print_warnings(line, &view->survey.project.warnings);
    TRY(find(view, err));
    impact_find(&view->survey.lineages, view->table, view->column, &view->impact);
    if (line->json) {
        write_json(view, &out);
    } else {
        write_text(view, &out);
    }
    return command_print(line, text_str(&out), err);
}

static int run(struct command_line *line) {
    struct error err = {0};
    struct view view = {.line = line};
    enum error_code code = survey_open(line->arena, line->context, &view.survey, &err);
    if (code == ERROR_NONE) {
        code = show(&view, &err);
    }
    survey_close(&view.survey);
    return code == ERROR_NONE ? EXIT_CLEAN : command_fail(line, &err);
}

const struct command command_impact = {
    .name = "impact",
    .arguments = "TARGET[.COLUMN]",
    .summary = "what depends on a table or a column",
    .help =
        "impact TARGET shows every model that depends on a table, directly or not, and which of\n"
        "its columns they use; impact TARGET.COLUMN follows one column.  TARGET may also be what\n"
        "models read from outside: a table, a file, or shop() for a lib function.\n\n"
        "(rows) stands for which rows a model has: a column that filters, joins or groups decides\n"
        "them.",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
