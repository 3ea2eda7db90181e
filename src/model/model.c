#include "model/model.h"

#include "base/text.h"
#include "lake/lake.h"
#include "model/new_files.h"

str finding_severity_name(enum finding_severity severity) {
    static const str NAMES[] = {
        [FINDING_BLOCKER] = STR_INIT("BLOCKER"),
        [FINDING_WARN] = STR_INIT("WARN"),
        [FINDING_INFO] = STR_INIT("INFO"),
    };
    return NAMES[severity];
}

str model_table_name(struct arena *arena, const struct model *model) {
    return str_format(arena, STR_FORMAT "." STR_FORMAT,
                      STR_ARGS(lake_quote_name(arena, model->schema)),
                      STR_ARGS(lake_quote_name(arena, model->name)));
}

str model_written(const struct model *model) {
    return model->written.size > 0 ? model->written : model->source.body;
}

struct str_list model_depends(struct arena *arena, const struct model *model) {
    struct str_list depends = {0};
    for (size_t i = 0; i < model->inputs.count; i++) {
        str_list_push(arena, &depends, model->inputs.items[i]);
    }
    for (size_t i = 0; i < model->externals.count; i++) {
        str_list_push(arena, &depends, model->externals.items[i]);
    }
    return depends;
}

const struct column_directive *model_first_mask(const struct model *model) {
    const struct column_directive_list *columns = &model->source.directives.columns;
    for (size_t i = 0; i < columns->count; i++) {
        if (columns->items[i].mask.size > 0) {
            return &columns->items[i];
        }
    }
    return NULL;
}

bool model_is_masked(const struct model *model) {
    return model_first_mask(model) != NULL;
}

struct model *models_find(const struct models *models, str target) {
    return map_get(&models->by_target, target);
}

void model_add_finding(struct arena *arena, struct model *model, enum finding_severity severity,
                       const struct error *err) {
    struct finding finding = {severity, *err};
    LIST_PUSH(arena, &model->findings, finding);
    model->broken = model->broken || severity == FINDING_BLOCKER;
}

bool model_loads_files_once(const struct model *model) {
    const struct directives *directives = &model->source.directives;
    const struct sql_query *query = &model->query;
    return directives->kind == MODEL_APPEND && !directives->incremental.is_set &&
           model->inputs.count == 0 && model->lib_calls.count == 0 &&
           model->unverifiable.count == 0 && model->views.count == 0 && model->files.count > 0 &&
           query->tables.count == 0 && query->calls.count == 1 && query->reads_one_call &&
           query->calls.items[0].arguments.items[0].texts.count == model->files.count;
}
