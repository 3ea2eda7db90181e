#include "run/explain.h"

#include "base/text.h"
#include "lake/attach.h"
#include "lake/snapshot.h"
#include "lake/transaction.h"

// Rows of one change feed.
static enum error_code count_changes(struct lake_connection *connection, struct arena *arena,
                                     const struct delta_table *table, int64_t base, int64_t now,
                                     const char *sort, int64_t *count, struct error *err) {
    return lake_query_int64(
        connection,
        str_format(arena,
                   "SELECT count(*) FROM ducklake_table_%s(" STR_FORMAT ", " STR_FORMAT
                   ", " STR_FORMAT ", %lld, %lld)",
                   sort, STR_ARGS(lake_quote_text(arena, lake_alias(lake_of(connection)))),
                   STR_ARGS(lake_quote_text(arena, table->schema)),
                   STR_ARGS(lake_quote_text(arena, table->table)), (long long)base + 1,
                   (long long)now),
        LAKE_NO_VALUES, count, NULL, err);
}

static enum error_code explain_sources(struct runner *runner, struct arena *arena,
                                       const struct delta_choice *choice,
                                       struct run_explanation *explanation, struct error *err) {
    struct lake_connection *connection = runner->session.connection;
    // A feed whose bounds are gone, or of a table made anew, cannot be read.
    const bool may_count = choice->shape != DELTA_REFUSED;
    explanation->source_count = choice->table_count;
    explanation->sources = ARENA_ARRAY(arena, struct run_explained_source, choice->table_count);
    for (size_t i = 0; i < choice->table_count; i++) {
        const struct delta_table *table = &choice->tables[i];
        const struct model *model = models_find(runner->models, table->name);
        struct run_explained_source *source = &explanation->sources[i];
        *source = (struct run_explained_source){
            .name = table->name,
            .has_changes = table->is_changed || table->is_new || table->is_altered,
            .added = -1,
            .removed = -1,
            .would_run = model != NULL && plan_step_of(runner->plan, model)->type != RUN_SKIP,
        };
        if (may_count && table->is_changed) {
            TRY(count_changes(connection, arena, table, explanation->base, explanation->now,
                              "insertions", &source->added, err));
            TRY(count_changes(connection, arena, table, explanation->base, explanation->now,
                              "deletions", &source->removed, err));
        }
    }
    return ERROR_NONE;
}

static void explain_statements(struct arena *arena, const struct model *model,
                               const struct delta_choice *choice, struct str_list *statements) {
    for (size_t i = 0; i < choice->prepare.count; i++) {
        str_list_push(arena, statements, choice->prepare.items[i]);
    }
    const str terms = delta_union(arena, &choice->terms);
    for (size_t i = 0; i < choice->group_count; i++) {
        str_list_push(arena, statements, delta_relation_sql(arena, &choice->groups[i]));
    }
    switch (choice->shape) {
    case DELTA_REFUSED:
        str_list_push(arena, statements, str_trim(model->source.body));
        break;
    case DELTA_KEYS:
        str_list_push(arena, statements, delta_relation_sql(arena, &choice->keys));
        str_list_push(arena, statements, choice->body);
        break;
    case DELTA_NEW_ROWS:
    case DELTA_AGGREGATE:
        str_list_push(arena, statements,
                      choice->removed.count == 0
                          ? terms
                          : str_format(arena, "(" STR_FORMAT ")\nEXCEPT ALL\n(" STR_FORMAT ")",
                                       STR_ARGS(terms),
                                       STR_ARGS(delta_union(arena, &choice->removed))));
        break;
    }
}

// The other kinds and run types read everything; their inputs are shown all the same.
static void everything(struct runner *runner, const struct plan_step *step, struct arena *arena,
                       struct delta_choice *choice) {
    const struct model *model = step->model;
    *choice = (struct delta_choice){.shape = DELTA_REFUSED, .base = step->commit.read_snapshot};
    choice->table_count = model->inputs.count;
    choice->tables = ARENA_ARRAY(arena, struct delta_table, model->inputs.count);
    for (size_t i = 0; i < model->inputs.count; i++) {
        struct plan_version version;
        choice->tables[i] = (struct delta_table){
            .name = model->inputs.items[i],
            .is_changed = step->has_commit &&
                          plan_version_find(runner->plan, model->inputs.items[i], &version) &&
                          version.snapshot > choice->base,
        };
    }
}

static enum error_code explain(struct runner *runner, struct plan_step *step, struct arena *arena,
                               struct run_explanation *explanation, struct error *err) {
    const struct model *model = step->model;
    const enum model_kind kind = model->source.directives.kind;
    struct lake_connection *connection = runner->session.connection;
    struct delta_choice choice;
    TRY(lake_current_snapshot(connection, &explanation->now, err));
    everything(runner, step, arena, &choice);
    const bool chooses =
        step->type == RUN_INCREMENTAL && (kind == MODEL_APPEND || kind == MODEL_MERGE);
    if (chooses) {
        const struct delta_request request = {
            .connection = connection,
            .arena = arena,
            .step = step,
            .views = runner->models->views,
            .read_snapshot = explanation->now,
        };
        TRY(delta_choose(&request, &choice, err));
    }
    explanation->base = step->has_commit ? choice.base : 0;
    explanation->reason = choice.reason;
    explanation->shape = step->type == RUN_SKIP ? STR("nothing is read")
                         : chooses              ? delta_shape_name(&choice, kind)
                                                : STR("full query");
    TRY(explain_sources(runner, arena, &choice, explanation, err));
    for (size_t i = 0; i < step->files.count; i++) {
        str_list_push(arena, &explanation->files, step->files.items[i].path);
    }
    if (step->type != RUN_SKIP && !choice.is_nothing) {
        explain_statements(arena, model, &choice, &explanation->statements);
    }
    return ERROR_NONE;
}

enum error_code run_explain(struct runner *runner, struct plan_step *step, struct arena *arena,
                            struct run_explanation **explanation, struct error *err) {
    struct lake_connection *connection = runner->session.connection;
    *explanation = ARENA_NEW(arena, struct run_explanation);
    TRY(lake_begin(connection, err));
    const enum error_code code = explain(runner, step, arena, *explanation, err);
    lake_rollback(connection);
    return code;
}
