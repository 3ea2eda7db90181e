// Lineage in a run: what the thread knows of it, and the columns of a table that were only renamed.
#include "base/text.h"
#include "lake/attach.h"
#include "lake/snapshot.h"
#include "run/turn.h"
#include "write/columns.h"
#include "write/rename.h"

// Each thread has its own: it asks the thread's connection.  A view of the run that was copied for
// another thread still points to the first one's.
struct models_lineage *run_lineage(struct runner *runner) {
    if (runner->lineages != NULL && runner->lineages->arena == runner->arena) {
        return runner->lineages;
    }
    const struct models_lineage_options options = {
        .connection = runner->session.connection,
        .alias = lake_alias(runner->session.lake),
        .asks_tables = true,
        .asks_calls = true,
    };
    runner->lineages = ARENA_NEW(runner->arena, struct models_lineage);
    models_lineage_init(runner->lineages, runner->arena, runner->models, &options);
    return runner->lineages;
}

// The lineage that the model's last commit tells of, also one that was expired since; empty when
// there is none.
static void last_lineage(const struct turn *turn, struct lineage_column_list *lineage) {
    *lineage = (struct lineage_column_list){0};
    if (turn->step->has_commit) {
        (void)lineage_columns_read(turn->arena, turn->step->commit.extra_info, lineage);
    }
}

// Whether a column went and another came: else there is nothing to rename.
static bool may_be_renamed(const struct turn *turn, const struct lake_table *table) {
    const struct plan_step *step = turn->step;
    size_t kept = 0;
    for (size_t i = 0; i < step->column_count; i++) {
        kept += columns_find(table->columns, table->column_count, step->columns[i].name) != NULL;
    }
    return kept < step->column_count && kept < table->column_count;
}

static struct lake_column *column_of(struct lake_table *table, str name) {
    size_t i = 0;
    while (!str_equal_nocase(table->columns[i].name, name)) {
        i++;
    }
    return &table->columns[i];
}

enum error_code turn_rename_columns(struct turn *turn, struct lake_table *table,
                                    struct column_renames *renames, str *summary,
                                    struct error *err) {
    struct runner *runner = turn->runner;
    const struct plan_step *step = turn->step;
    struct arena *arena = turn->arena;
    struct lineage_column_list before, after;
    *renames = (struct column_renames){0};
    *summary = (str){0};
    if (!may_be_renamed(turn, table)) {
        return ERROR_NONE;
    }
    last_lineage(turn, &before);
    model_lineage_bound(run_lineage(runner), step->model, step->columns, step->column_count,
                        &after);
    const struct rename_input input = {
        .before = table->columns,
        .before_count = table->column_count,
        .after = step->columns,
        .after_count = step->column_count,
        .lineage_before = &before,
        .lineage_after = &after,
    };
    renames_find(arena, &input, renames);
    struct text text;
    text_init(&text, arena);
    for (size_t i = 0; i < renames->count; i++) {
        const struct column_rename *rename = &renames->items[i];
        const str sql = str_format(
            arena, "ALTER TABLE " STR_FORMAT " RENAME COLUMN " STR_FORMAT " TO " STR_FORMAT,
            STR_ARGS(model_table_name(arena, step->model)),
            STR_ARGS(lake_quote_name(arena, rename->from)),
            STR_ARGS(lake_quote_name(arena, rename->to)));
        TRY(lake_execute(runner->session.connection, sql, LAKE_NO_VALUES, NULL, err));
        text_format(&text, "%srenamed " STR_FORMAT " → " STR_FORMAT, i > 0 ? "; " : "",
                    STR_ARGS(rename->from), STR_ARGS(rename->to));
        column_of(table, rename->from)->name = rename->to;
    }
    *summary = text_str(&text);
    return ERROR_NONE;
}
