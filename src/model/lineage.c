#include "model/lineage.h"

#include "base/text.h"
#include "lake/lake.h"
#include "model/macros.h"
#include "model/views.h"

void models_lineage_init(struct models_lineage *lineages, struct arena *arena,
                         const struct models *models,
                         const struct models_lineage_options *options) {
    *lineages = (struct models_lineage){
        .arena = arena,
        .models = models,
        .items = ARENA_ARRAY(arena, struct lineage *, models->count),
        .visited = ARENA_ARRAY(arena, bool, models->count),
    };
    lineage_database_init(&lineages->database, arena, options->connection);
    lineages->database.alias = options->alias;
    lineages->database.asks_tables = options->asks_tables;
    lineages->database.asks_calls = options->asks_calls;
    lineages->database.has_no_macros = models->macros->by_name.count == 0;
    macros_trace(models->macros, &lineages->database);
    views_trace(models->views, &lineages->database);
}

// What the runtime adds to the columns of some kinds.
static void push_own_columns(struct models_lineage *lineages, const struct model *model,
                             struct str_list *columns) {
    if (model->source.directives.kind == MODEL_TRACKED) {
        str_list_push(lineages->arena, columns, STR("_content_hash"));
    }
    if (model->source.directives.kind == MODEL_SCD2) {
        str_list_push(lineages->arena, columns, STR("valid_from_snapshot"));
        str_list_push(lineages->arena, columns, STR("valid_to_snapshot"));
        str_list_push(lineages->arena, columns, STR("is_current"));
    }
}

// The table that the model makes, for those who read it.
static void register_table(struct models_lineage *lineages, const struct model *model,
                           const struct lineage *lineage) {
    struct str_list columns = {0};
    bool known = lineage != NULL;
    for (size_t i = 0; lineage != NULL && i < lineage->columns.count; i++) {
        const str name = lineage->columns.items[i].name;
        if (name.size == 0 || str_equal(name, STR("*"))) {
            known = false;
        } else {
            str_list_push(lineages->arena, &columns, name);
        }
    }
    push_own_columns(lineages, model, &columns);
    lineage_database_add_made(&lineages->database, model->target, &columns, known,
                              lineage == NULL ? NULL : &lineage->columns);
}

// What a lib call returns are the columns that the model takes from it.
static void register_calls(struct models_lineage *lineages, const struct model *model) {
    for (size_t i = 0; i < model->lib_calls.count; i++) {
        const struct sql_call *call = &model->lib_calls.items[i];
        struct str_list columns = {0};
        for (size_t j = 0; j < call->columns.count; j++) {
            if (!str_list_has_nocase(&columns, call->columns.items[j].name)) {
                str_list_push(lineages->arena, &columns, call->columns.items[j].name);
            }
        }
        lineage_database_add_call(
            &lineages->database, call->name,
            str_format(lineages->arena, STR_FORMAT "()", STR_ARGS(call->name)), &columns,
            !call->takes_all);
    }
}

const struct lineage *model_lineage(struct models_lineage *lineages, const struct model *model) {
    if (lineages->visited[model->index]) {
        return lineages->items[model->index];
    }
    lineages->visited[model->index] = true; // a cycle ends here, too
    for (size_t i = 0; i < model->reads.count; i++) {
        (void)model_lineage(lineages, model->reads.items[i]);
    }
    struct lineage *lineage = ARENA_NEW(lineages->arena, struct lineage);
    struct error ignored;
    register_calls(lineages, model);
    if (!model->has_query || lineage_read(lineages->arena, model->ast, &lineages->database.catalog,
                                          lineage, &ignored) != ERROR_NONE) {
        lineage = NULL;
    }
    register_table(lineages, model, lineage);
    lineages->items[model->index] = lineage;
    return lineage;
}

void model_lineage_bound(struct models_lineage *lineages, const struct model *model,
                         const struct lake_column *columns, size_t count,
                         struct lineage_column_list *bound) {
    const struct lineage *lineage = model_lineage(lineages, model);
    const bool by_place = lineage != NULL && lineage->columns.count == count;
    *bound = (struct lineage_column_list){0};
    for (size_t i = 0; i < count; i++) {
        const struct lineage_column *found =
            by_place          ? &lineage->columns.items[i]
            : lineage != NULL ? lineage_column_find(&lineage->columns, columns[i].name)
                              : NULL;
        struct lineage_column column = {.untraced = true, .copy = {.relation = SIZE_MAX}};
        column = found != NULL ? *found : column;
        column.name = columns[i].name;
        LIST_PUSH(lineages->arena, bound, column);
    }
}
