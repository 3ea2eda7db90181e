// The cursor of a model with @incremental: the variables that its SQL sees, and the rows that would
// never move it (models.md §4.4).
#include "base/text.h"
#include "lake/result.h"
#include "run/turn.h"

static enum error_code read_last_value(struct runner *runner, const struct model *model,
                                       str *last_value, struct error *err) {
    const str sql = str_format(
        runner->arena, "SELECT max(" STR_FORMAT ")::VARCHAR FROM " STR_FORMAT,
        STR_ARGS(lake_quote_name(runner->arena, model->source.directives.incremental.value)),
        STR_ARGS(model_table_name(runner->arena, model)));
    bool found = false;
    str value;
    const enum error_code code = lake_query_text(runner->session.connection, runner->arena, sql,
                                                 LAKE_NO_VALUES, &value, &found, err);
    if (code != ERROR_NONE) {
        error_context(err, "reading the cursor of " STR_FORMAT, STR_ARGS(model->target));
        error_at(err, model->file, model->source.directives.incremental.line,
                 model->source.directives.incremental.column);
        return code;
    }
    if (found) {
        *last_value = value;
    }
    return ERROR_NONE;
}

// Start of the last successful run: of the run log, else of the last commit; empty: none.
static str last_run(struct runner *runner, const struct plan_step *step) {
    bool found = false;
    int64_t started_us = 0;
    struct error ignored;
    if (runner->state != NULL &&
        state_run_last_success(runner->state, step->model->target, &found, &started_us, &ignored) ==
            ERROR_NONE &&
        found) {
        return time_format_utc(runner->arena, started_us);
    }
    return step->has_commit ? step->commit.start_time : (str){0};
}

// NULL all: the model has no cursor, and must not see that of the one before it.
static enum error_code set_incremental(struct runner *runner, const struct incremental_state *state,
                                       str cursor, struct error *err) {
    struct lake_connection *connection = runner->session.connection;
    const struct lake_value null = lake_value_null();
    runner->cursor_is_set = state != NULL;
    TRY(lake_set_variable(connection, STR("incr_last_value"),
                          state != NULL ? lake_value_text(state->last_value) : null, err));
    TRY(lake_set_variable(connection, STR("incr_last_run"),
                          state != NULL ? lake_value_text(state->last_run) : null, err));
    TRY(lake_set_variable(connection, STR("incr_is_backfill"),
                          state != NULL ? lake_value_bool(state->is_backfill) : null, err));
    return lake_set_variable(connection, STR("incr_cursor"),
                             state != NULL ? lake_value_text(cursor) : null, err);
}

enum error_code run_enter_model(struct runner *runner, struct plan_step *step,
                                struct incremental_state *state, struct error *err) {
    const struct directives *directives = &step->model->source.directives;
    *state = (struct incremental_state){.is_backfill = step->type == RUN_BACKFILL ||
                                                       step->created || !step->table_exists};
    const int64_t previous_commit = step->has_commit ? step->commit.snapshot : 0;
    TRY(session_enter_model(&runner->session, step->model->target, previous_commit, err));
    if (!directives->incremental.is_set) {
        return runner->cursor_is_set ? set_incremental(runner, NULL, (str){0}, err) : ERROR_NONE;
    }
    state->last_value = directives->incremental_initial.value;
    state->last_run = last_run(runner, step);
    if (!state->is_backfill) {
        TRY(read_last_value(runner, step->model, &state->last_value, err));
    }
    return set_incremental(runner, state, directives->incremental.value, err);
}

static enum error_code count_cursor_nulls(struct turn *turn, int64_t *count, struct error *err) {
    const struct model *model = turn->step->model;
    const str sql = str_format(
        turn->arena, "SELECT count(*) FROM " STR_FORMAT " WHERE " STR_FORMAT " IS NULL",
        STR_ARGS(model_table_name(turn->arena, model)),
        STR_ARGS(lake_quote_name(turn->arena, model->source.directives.incremental.value)));
    return lake_query_int64(turn->runner->session.connection, sql, LAKE_NO_VALUES, count, NULL,
                            err);
}

// Counted before and after, since inside a transaction AT (VERSION …) sees its changes, too.
enum error_code turn_write_rows(struct turn *turn, struct error *err) {
    const struct model *model = turn->step->model;
    const struct directive *cursor = &model->source.directives.incremental;
    int64_t before = 0;
    int64_t now = 0;
    if (cursor->is_set && !turn->write.table_is_empty) {
        TRY(count_cursor_nulls(turn, &before, err));
    }
    TRY(write_rows(&turn->write, err));
    if (cursor->is_set && turn->write.changed) {
        TRY(count_cursor_nulls(turn, &now, err));
    }
    if (now > before) {
        struct error warning;
        error_set(&warning, ERROR_INVALID,
                  "the @incremental column \"" STR_FORMAT "\" is NULL in %lld new row%s",
                  STR_ARGS(cursor->value), (long long)(now - before), now - before == 1 ? "" : "s");
        error_hint(&warning, "a NULL never moves the cursor; leave such rows out, or fill it in");
        error_at(&warning, model->file, cursor->line, cursor->column);
        error_list_add(&turn->result->warnings, &warning);
    }
    return ERROR_NONE;
}

void turn_explain_cursor(const struct turn *turn, struct error *err) {
    const struct directives *directives = &turn->step->model->source.directives;
    const str start = directives->incremental_initial.value;
    if (directives->incremental.is_set && !directives->incremental_initial.is_set &&
        err->hint[0] == '\0' && str_find(str_from(err->message), start) != SIZE_MAX) {
        error_hint(err,
                   "that is where a cursor without rows starts; set `-- @incremental_initial: 0` "
                   "(or whatever comes before the first \"" STR_FORMAT "\")",
                   STR_ARGS(directives->incremental.value));
    }
}
