#include "model/validate.h"

#include <string.h>

#include "base/file.h"
#include "base/suggest.h"
#include "base/text.h"
#include "lake/lake.h"
#include "lib/lib.h"
#include "model/check_columns.h"
#include "model/check_libs.h"
#include "model/databases.h"
#include "model/lib_names.h"
#include "project/project.h"

struct validator {
    struct arena *arena;
    struct project project;
    struct lake *lake;
    struct lake_connection *connection;
    struct lib_set libs;
    struct models models;
    struct str_list scope; // paths relative to the project; empty: everything
    struct validation *out;
};

// ── Report ──

static bool in_scope(const struct validator *validator, str path) {
    for (size_t i = 0; i < validator->scope.count; i++) {
        if (path_is_inside(path, validator->scope.items[i])) {
            return true;
        }
    }
    return validator->scope.count == 0;
}

static struct validated_file *file_of(struct validator *validator, str path) {
    struct validation *out = validator->out;
    for (size_t i = 0; i < out->count; i++) {
        if (str_equal(out->files[i].path, path)) {
            return &out->files[i];
        }
    }
    struct {
        struct validated_file *items;
        size_t count;
        size_t capacity;
    } list = {out->files, out->count, out->capacity};
    LIST_PUSH(validator->arena, &list, ((struct validated_file){.path = path}));
    out->files = list.items;
    out->count = list.count;
    out->capacity = list.capacity;
    return &out->files[out->count - 1];
}

static void count_finding(struct validation *out, const struct finding *finding) {
    switch (finding->severity) {
    case FINDING_BLOCKER:
        out->blockers++;
        break;
    case FINDING_WARN:
        out->warnings++;
        out->degraded =
            out->degraded || str_starts_with(str_from(finding->error.rule), STR("validate."));
        break;
    case FINDING_INFO:
        out->infos++;
        break;
    }
}

static void report(struct validator *validator, str path, const struct finding *finding) {
    if (in_scope(validator, path)) {
        struct validated_file *file = file_of(validator, path);
        LIST_PUSH(validator->arena, &file->findings, *finding);
        count_finding(validator->out, finding);
    }
}

static void report_errors(struct validator *validator, const struct error_list *errors,
                          enum finding_severity severity) {
    for (size_t i = 0; i < errors->count; i++) {
        const struct finding finding = {severity, errors->items[i]};
        report(validator, str_copy(validator->arena, str_from(errors->items[i].pos.file)),
               &finding);
    }
}

static bool finding_is_before(const struct finding *a, const struct finding *b) {
    return a->error.pos.line < b->error.pos.line ||
           (a->error.pos.line == b->error.pos.line && a->error.pos.column < b->error.pos.column);
}

static void sort_report(struct validation *out) {
    for (size_t i = 1; i < out->count; i++) {
        for (size_t j = i; j > 0 && str_compare(out->files[j].path, out->files[j - 1].path) < 0;
             j--) {
            const struct validated_file file = out->files[j];
            out->files[j] = out->files[j - 1];
            out->files[j - 1] = file;
        }
    }
    for (size_t i = 0; i < out->count; i++) {
        struct finding_list *list = &out->files[i].findings;
        for (size_t j = 1; j < list->count; j++) {
            for (size_t k = j; k > 0 && finding_is_before(&list->items[k], &list->items[k - 1]);
                 k--) {
                const struct finding finding = list->items[k];
                list->items[k] = list->items[k - 1];
                list->items[k - 1] = finding;
            }
        }
    }
}

// ── Checks ──

// What only the lake could tell: a table that no model makes may exist there.
static void check_references(struct validator *validator, struct model *model,
                             const struct str_list *targets) {
    for (size_t i = 0; i < model->query.tables.count; i++) {
        const struct sql_table *table = &model->query.tables.items[i];
        const struct table_place place = table_place(&validator->models, validator->arena, table);
        if (sql_table_is_file(table) ||
            (!place.is_external && models_find(&validator->models, place.name) != NULL)) {
            continue;
        }
        struct error err;
        error_rule(&err, ERROR_NOT_FOUND, "dag.external_reference",
                   STR_FORMAT " is made by no model: not checked without the lake",
                   STR_ARGS(place.name));
        const str near = place.is_external ? (str){0} : suggest(place.name, targets);
        if (near.size > 0) {
            error_hint(&err, "did you mean " STR_FORMAT "?", STR_ARGS(near));
        }
        error_at_offset(&err, model->file, model->text, model->source.body_offset + table->offset);
        model_add_finding(validator->arena, model, FINDING_INFO, &err);
    }
}

static enum error_code read_scope(struct validator *validator,
                                  const struct validate_options *options, struct error *err) {
    const str root = validator->project.root;
    for (size_t i = 0; i < options->path_count; i++) {
        str real;
        TRY(path_real(validator->arena, options->paths[i], &real, err));
        if (!path_is_inside(real, root)) {
            return error_set(err, ERROR_NOT_FOUND, STR_FORMAT " is outside of the project",
                             STR_ARGS(options->paths[i]));
        }
        if (real.size == root.size) {
            validator->scope.count = 0;
            return ERROR_NONE;
        }
        str_list_push(validator->arena, &validator->scope, str_from_offset(real, root.size + 1));
    }
    return ERROR_NONE;
}

// Without DuckDB's own functions an unknown macro cannot be told from one of these.
static void check_macros(struct validator *validator) {
    struct finding finding = {.severity = FINDING_WARN};
    struct error *err = &finding.error;
    if (models_check_macros(&validator->models, &validator->project, validator->connection, err) !=
        ERROR_NONE) {
        err->rule = "validate.builtin_introspection_failed";
        error_context(err, "checks and masks were not validated");
        report(validator, STR("models"), &finding);
    }
}

// Nothing is opened for it: what a file or another database holds stays unknown.
static void check_lineage(struct validator *validator) {
    const struct models_lineage_options options = {
        .connection = validator->connection,
        .alias = validator->models.databases->lake,
    };
    struct models_lineage lineages;
    models_lineage_init(&lineages, validator->arena, &validator->models, &options);
    models_check_columns(&lineages);
}

static enum error_code validate_opened(struct validator *validator,
                                       const struct validate_options *options, struct error *err) {
    const struct lake_options lake_options = {.threads = 1};
    struct lib_names names;
    TRY(lib_names_read(&validator->project, &names, err));
    const struct lib_scan_options lib_options = {.context = options->context,
                                                 .project = validator->project.root,
                                                 .name_taken_by = lib_name_taken_by,
                                                 .name_self = &names};
    TRY(read_scope(validator, options, err));
    TRY(lake_open(options->context, &lake_options, &validator->lake, err));
    TRY(lake_connect(validator->lake, &validator->connection, err));
    TRY(lib_scan(validator->arena, &lib_options, &validator->libs, err));
    const struct models_options models_options = {
        .context = options->context,
        .project = validator->project.root,
        .connection = validator->connection,
        .is_lib = lib_set_has_fetch,
        .lib_self = &validator->libs,
    };
    TRY(models_read(validator->arena, &models_options, &validator->models, err));
    models_check_libs(&validator->models, &validator->libs);
    check_macros(validator);
    check_lineage(validator);
    struct str_list targets = {0};
    for (size_t i = 0; i < validator->models.count; i++) {
        str_list_push(validator->arena, &targets, validator->models.items[i]->target);
    }
    for (size_t i = 0; i < validator->models.count; i++) {
        struct model *model = validator->models.items[i];
        check_references(validator, model, &targets);
        if (in_scope(validator, model->file)) {
            file_of(validator, model->file)->is_model = true;
        }
        for (size_t j = 0; j < model->findings.count; j++) {
            const str path = str_from(model->findings.items[j].error.pos.file);
            report(validator, path.size > 0 ? str_copy(validator->arena, path) : model->file,
                   &model->findings.items[j]);
        }
    }
    for (size_t i = 0; i < validator->models.orphans.count; i++) {
        const struct finding *finding = &validator->models.orphans.items[i];
        report(validator, str_copy(validator->arena, str_from(finding->error.pos.file)), finding);
    }
    report_errors(validator, &validator->project.warnings, FINDING_WARN);
    report_errors(validator, &validator->libs.errors, FINDING_BLOCKER);
    report_errors(validator, &validator->libs.notes, FINDING_INFO);
    sort_report(validator->out);
    return ERROR_NONE;
}

enum error_code validate_project(struct arena *arena, const struct validate_options *options,
                                 struct validation *validation, struct error *err) {
    *validation = (struct validation){0};
    struct validator validator = {.arena = arena, .out = validation};
    TRY(project_open(options->context, arena, (str){0}, &validator.project, err));
    const enum error_code code = validate_opened(&validator, options, err);
    lib_set_done(&validator.libs);
    lake_disconnect(validator.connection);
    lake_close(validator.lake);
    return code;
}
