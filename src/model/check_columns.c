#include "model/check_columns.h"

#include "base/text.h"

static void check_column(struct arena *arena, struct model *model, const struct str_list *outputs,
                         const char *directive, str column, const struct directive *at) {
    if (!str_is_identifier(column) || outputs->count == 0 || // what is no name has an error
        str_list_has_nocase(outputs, column)) {
        return;
    }
    struct error err;
    error_rule(&err, ERROR_INVALID, "parser.invalid_directive",
               "@%s names \"" STR_FORMAT "\", which the query does not produce", directive,
               STR_ARGS(column));
    error_hint(&err, "it produces: " STR_FORMAT,
               STR_ARGS(str_list_join(arena, outputs, STR(", "))));
    error_at(&err, model->file, at->line, at->column);
    error_source(&err, model->text);
    model_add_finding(arena, model, FINDING_BLOCKER, &err);
}

void model_check_columns(struct arena *arena, struct model *model, const struct str_list *outputs) {
    const struct directives *directives = &model->source.directives;
    check_column(arena, model, outputs, "unique_key", directives->unique_key.value,
                 &directives->unique_key);
    check_column(arena, model, outputs, "incremental", directives->incremental.value,
                 &directives->incremental);
    const struct {
        const char *name;
        const struct str_list *columns;
        const struct directive *at;
    } LISTS[] = {
        {"group_key", &directives->group_columns, &directives->group_key},
        {"partitioned_by", &directives->partition_columns, &directives->partitioned_by},
        {"sorted_by", &directives->sort_columns, &directives->sorted_by},
    };
    for (size_t i = 0; i < ARRAY_COUNT(LISTS); i++) {
        for (size_t j = 0; j < LISTS[i].columns->count; j++) {
            check_column(arena, model, outputs, LISTS[i].name, LISTS[i].columns->items[j],
                         LISTS[i].at);
        }
    }
    for (size_t i = 0; i < directives->columns.count; i++) {
        check_column(arena, model, outputs, "column", directives->columns.items[i].name,
                     &directives->columns.items[i].at);
    }
}

// The names of all columns; false when some are not known.
static bool known_columns(struct arena *arena, const struct lineage *lineage,
                          struct str_list *names) {
    for (size_t i = 0; i < lineage->columns.count; i++) {
        const str name = lineage->columns.items[i].name;
        if (name.size == 0 || str_equal(name, STR("*")) || lineage->columns.items[i].is_open) {
            return false;
        }
        str_list_push(arena, names, name);
    }
    return true;
}

// As the run would say it, where the strict forms do not.  What cannot be named may be anything.
static void check_twice(struct models_lineage *lineages, struct model *model,
                        const struct lineage *lineage) {
    struct str_list names = {0};
    const bool is_strict =
        model->source.directives.fetch.is_set || model->source.directives.sink.is_push;
    for (size_t i = 0; i < lineage->columns.count && !is_strict; i++) {
        const struct lineage_column *column = &lineage->columns.items[i];
        if (column->name.size == 0 || column->is_open || str_equal(column->name, STR("*"))) {
            continue;
        }
        if (!str_list_has_nocase(&names, column->name)) {
            str_list_push(lineages->arena, &names, column->name);
            continue;
        }
        struct error err;
        error_rule(&err, ERROR_INVALID, "parser.other",
                   "the query produces two columns named \"" STR_FORMAT "\"",
                   STR_ARGS(column->name));
        error_hint(&err, "give one of them another name with AS");
        const size_t offset = i < model->query.projection_count ? model->query.projections[i] : 0;
        error_at_offset(&err, model->file, model->text,
                        model->source.body_offset + (offset == SIZE_MAX ? 0 : offset));
        model_add_finding(lineages->arena, model, FINDING_BLOCKER, &err);
        return;
    }
}

static void check_model(struct models_lineage *lineages, struct model *model) {
    const struct lineage *lineage = model_lineage(lineages, model);
    struct str_list names = {0};
    if (lineage != NULL) {
        check_twice(lineages, model, lineage);
        // What the SELECT list told was looked at when the file was read.
        if (model->query.outputs.count == 0 && known_columns(lineages->arena, lineage, &names)) {
            model_check_columns(lineages->arena, model, &names);
            model_check_named_columns(lineages->arena, model, &names);
        }
        return;
    }
    struct error err;
    error_rule(&err, ERROR_INTERNAL, "validate.lineage_extract_failed",
               "the columns of the query cannot be traced");
    error_hint(&err, "its columns were not checked; coypu lineage shows none of them");
    error_at_offset(&err, model->file, model->text, model->source.body_offset);
    model_add_finding(lineages->arena, model, FINDING_WARN, &err);
}

void models_check_columns(struct models_lineage *lineages) {
    for (size_t i = 0; i < lineages->models->count; i++) {
        struct model *model = lineages->models->items[i];
        if (model->has_query) {
            check_model(lineages, model);
        }
    }
}
