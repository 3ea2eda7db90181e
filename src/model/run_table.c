// The table of a model before its rows are written: made when it is missing, its columns evolved
// when the query gives others (models.md §7).
#include "lake/result.h"
#include "lake/snapshot.h"
#include "model/columns.h"
#include "model/decorate.h"
#include "model/turn.h"

static enum error_code evolve(struct turn *turn, struct error *err) {
    struct runner *runner = turn->runner;
    struct plan_step *step = turn->step;
    struct lake_table table;
    bool found = false;
    TRY(lake_table_find(runner->session.connection, turn->arena, step->model->schema,
                        step->model->name, &table, &found, err));
    if (!found) {
        return error_set(err, ERROR_NOT_FOUND, "the table " STR_FORMAT " is gone",
                         STR_ARGS(step->model->target));
    }
    // Tables made by other programs keep their HUGEINT columns: their lake is not rebuilt for it.
    for (size_t i = 0; i < step->column_count; i++) {
        const struct lake_column *now =
            columns_find(table.columns, table.column_count, step->columns[i].name);
        if (now != NULL && str_ends_with(now->type, STR("HUGEINT")) &&
            str_equal(step->columns[i].type, STR("DECIMAL(38,0)"))) {
            step->columns[i].type = now->type;
        }
    }
    struct evolution evolution;
    evolution_plan(turn->arena, model_table_name(turn->arena, step->model), table.columns,
                   table.column_count, step->columns, step->column_count, &evolution);
    if (evolution.statements.count == 0) {
        return ERROR_NONE;
    }
    if (evolution.is_destructive && runner->options->no_destructive) {
        error_set(err, ERROR_INVALID, "the columns would change destructively: " STR_FORMAT,
                  STR_ARGS(evolution.summary));
        error_hint(err, "run without --no-destructive to accept it");
        error_at(err, step->model->file, 0, 0);
        return err->code;
    }
    const str key = step->model->source.directives.unique_key.value;
    const struct lake_column *before = columns_find(table.columns, table.column_count, key);
    const struct lake_column *after = columns_find(step->columns, step->column_count, key);
    const bool key_changed = step->model->source.directives.kind == MODEL_MERGE && before != NULL &&
                             after != NULL && !str_equal_nocase(before->type, after->type);
    if (key_changed || evolution.forces_backfill) {
        turn->result->run_type = RUN_BACKFILL;
        turn->result->reason = key_changed ? STR("key type changed") : turn->result->reason;
    }
    for (size_t i = 0; i < evolution.statements.count; i++) {
        TRY(lake_execute(runner->session.connection, evolution.statements.items[i], LAKE_NO_VALUES,
                         NULL, err));
    }
    turn->altered = true;
    turn_warn(turn, NULL, "columns changed: " STR_FORMAT, STR_ARGS(evolution.summary));
    return ERROR_NONE;
}

enum error_code turn_prepare_table(struct turn *turn, struct error *err) {
    struct runner *runner = turn->runner;
    struct plan_step *step = turn->step;
    if (step->columns == NULL) {
        TRY(run_describe(runner, step, err));
    }
    turn_step_done(turn, "bind");
    if (step->created) {
        turn->write.table_is_empty = true;
        return ERROR_NONE;
    }
    if (!step->table_exists) {
        TRY(run_create_table(runner, step, err));
        turn->write.table_is_empty = true;
        turn->altered = true;
        return ERROR_NONE;
    }
    TRY(evolve(turn, err));
    return decorate_changed(runner, step, turn->result->run_type == RUN_BACKFILL, &turn->decorated,
                            err);
}
