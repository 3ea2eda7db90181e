// The lib calls of one model at work: rows of an API into a spool, and from there into its table.
#include "base/text.h"
#include "lake/ast.h"
#include "lake/attach.h"
#include "lake/snapshot.h"
#include "run/cast_error.h"
#include "run/turn.h"
#include "write/columns.h"

static void fetch_warning(void *self, const struct error *warning) {
    struct turn *turn = self;
    error_list_add(&turn->result->warnings, warning);
}

static enum error_code argument_sql(struct turn *turn, const struct sql_argument *argument,
                                    str *sql, struct error *err) {
    const str ast = sql_ast_select(turn->arena, &argument->ast, 1);
    TRY(lake_ast_write(turn->runner->session.connection, turn->arena, ast, sql, err));
    *sql = str_trim(*sql);
    if (str_starts_with(*sql, STR("SELECT "))) {
        *sql = str_from_offset(*sql, STR("SELECT ").size);
    }
    // A named argument comes back as `value AS name`.
    const str suffix = str_format(turn->arena, " AS " STR_FORMAT, STR_ARGS(argument->name));
    if (argument->name.size > 0 && str_ends_with(*sql, suffix)) {
        *sql = str_slice(*sql, 0, sql->size - suffix.size);
    }
    return ERROR_NONE;
}

static enum error_code fetch_call_make(struct turn *turn, const struct sql_call *call,
                                       struct fetch_call *out, struct error *err) {
    const struct model *model = turn->step->model;
    struct arena *arena = turn->arena;
    *out = (struct fetch_call){
        .lib = call->name,
        .arguments = ARENA_ARRAY(arena, struct fetch_argument, call->arguments.count),
        .argument_count = call->arguments.count,
        .columns = ARENA_ARRAY(arena, struct fetch_column, call->columns.count),
        .column_count = call->columns.count,
        .takes_all = call->takes_all,
    };
    source_position(model->text, model->source.body_offset + call->offset, &out->line,
                    &out->column);
    for (size_t i = 0; i < call->arguments.count; i++) {
        const struct sql_argument *argument = &call->arguments.items[i];
        out->arguments[i] =
            (struct fetch_argument){.name = argument->name, .is_constant = argument->is_constant};
        TRY(argument_sql(turn, argument, &out->arguments[i].sql, err));
    }
    for (size_t i = 0; i < call->columns.count; i++) {
        const struct sql_column_use *use = &call->columns.items[i];
        out->columns[i] = (struct fetch_column){use->name, use->output, use->cast, use->try_cast,
                                                use->is_projected};
    }
    return ERROR_NONE;
}

// With `all` none of the calls is streamed.
static enum error_code fetch_begin(struct turn *turn, bool all, struct error *err) {
    struct runner *runner = turn->runner;
    const struct model *model = turn->step->model;
    const struct directives *directives = &model->source.directives;
    const size_t count = model->lib_calls.count;
    struct fetch_call *calls = ARENA_ARRAY(turn->arena, struct fetch_call, count);
    struct modules_data hooks = {0};
    TRY(run_connect_data(runner, &turn->data, &hooks, err));
    for (size_t i = 0; i < count; i++) {
        TRY(fetch_call_make(turn, &model->lib_calls.items[i], &calls[i], err));
    }
    const struct fetch_model facts = {
        .target = model->target,
        .file = model->file,
        .kind = model_kind_name(directives->kind),
        .is_strict = directives->fetch.is_set,
        .is_concurrent = run_is_concurrent(runner),
        .read_twice = model->query.repeats_cte || all,
        .is_incremental = directives->incremental.is_set,
        .is_backfill = turn->incremental.is_backfill,
        .last_value = turn->incremental.last_value,
        .initial_value =
            directives->incremental.is_set ? directives->incremental_initial.value : (str){0},
        .last_run = turn->incremental.last_run,
        .cursor = directives->incremental.value,
        .data = hooks,
        .interrupt = runner->context->interrupt,
        .progress = &turn->ticker.counts,
        .warn = fetch_warning,
        .warn_self = turn,
    };
    return fetch_new(runner->sources, runner->session.connection, &facts, calls, count,
                     &turn->fetch, err);
}

enum error_code run_connect_data(struct runner *runner, struct lib_data **data,
                                 struct modules_data *hooks, struct error *err) {
    if (!lib_data_is_used(runner->libs)) {
        return ERROR_NONE;
    }
    struct lake_connection *connection = NULL;
    TRY(session_connect(&runner->session, &connection, err));
    *data = lib_data_new(connection);
    *hooks = lib_data_hooks(*data);
    return ERROR_NONE;
}

// Whether the query over the columns of `table` gives columns of that table and types.
static bool gives_columns_of(struct runner *runner, struct plan_step *step,
                             const struct lake_table *table) {
    struct error ignored;
    if (run_describe(runner, step, &ignored) != ERROR_NONE) {
        return false;
    }
    for (size_t i = 0; i < step->column_count; i++) {
        const struct lake_column *column =
            columns_find(table->columns, table->column_count, step->columns[i].name);
        if (column == NULL || !str_equal(column->type, step->columns[i].type)) {
            return false;
        }
    }
    return true;
}

// When no row came, the table tells what the rows would have told (libs.md §5.7).  *known is false
// when there is no table, or SELECT * stands where its columns do not fit: then nothing is written.
static enum error_code columns_without_rows(struct turn *turn, bool *known, struct error *err) {
    struct runner *runner = turn->runner;
    struct plan_step *step = turn->step;
    const enum fetch_columns columns = fetch_columns(turn->fetch);
    struct lake_table table;
    *known = columns != FETCH_COLUMNS_MISSING;
    if (columns == FETCH_COLUMNS_KNOWN || !step->table_exists) {
        return ERROR_NONE;
    }
    bool found = false;
    TRY(lake_table_find(runner->session.connection, turn->arena, step->model->schema,
                        step->model->name, &table, &found, err));
    if (found) {
        fetch_columns_take(turn->fetch, table.columns, table.column_count);
    }
    *known = *known || (found && gives_columns_of(runner, step, &table));
    return ERROR_NONE;
}

// Ends the turn before anything is written.
static enum error_code give_up(struct turn *turn, struct error *err) {
    const enum error_code code = fetch_end(turn->fetch, ERROR_NONE, &turn->fetched, err);
    turn->fetched.aborted = true;
    return code;
}

// How the statement that read the calls ended: the lib's own error wins over DuckDB's.
static enum error_code end_fetch(struct turn *turn, enum error_code code, struct error *err) {
    // It shows the value, which a mask is to hide.
    if (code != ERROR_NONE && !turn->check_failed && !model_is_masked(turn->step->model)) {
        cast_error_explain(turn->step->model, turn->fetch, err);
    }
    turn->fetch_is_over = true;
    return fetch_end(turn->fetch, code, &turn->fetched, err);
}

// tracked and scd2 take what is missing for gone; a fetch without any row is no such news unless
// its lib says so (libs.md §5.7).
static enum error_code query_was_read(void *self, enum error_code code, struct error *err) {
    struct turn *turn = self;
    const enum error_code ended = end_fetch(turn, code, err);
    const bool is_empty = turn->fetched.rows == 0 && !turn->fetched.delete_missing;
    turn->write.keeps_rows = turn->fetched.aborted || (is_empty && !turn->write.table_is_empty);
    return ended;
}

static enum error_code write_from_fetch(struct turn *turn, struct error *err) {
    struct runner *runner = turn->runner;
    const enum model_kind kind = turn->step->model->source.directives.kind;
    if (turn->fetch_aborted) {
        return give_up(turn, err);
    }
    fetch_select(runner->sources, runner->session.connection, turn->fetch);
    turn->step->columns = NULL; // the types are those of this fetch
    bool known = false;
    TRY(columns_without_rows(turn, &known, err));
    if (!known) {
        struct error warning;
        (void)fetch_columns_error(turn->fetch, &warning);
        turn->result->no_columns = true;
        error_list_add(&turn->result->warnings, &warning);
        return give_up(turn, err);
    }
    if (kind == MODEL_TRACKED || kind == MODEL_SCD2) {
        turn->write.was_read = query_was_read;
        turn->write.was_read_self = turn;
    }
    const enum error_code code = turn_write(turn, err);
    return turn->fetch_is_over ? code : end_fetch(turn, code, err);
}

enum error_code turn_fetch(struct turn *turn, bool all, struct error *err) {
    TRY(fetch_begin(turn, all, err));
    run_ticker_start(&turn->ticker, &turn->runner->options->events, turn->step->model);
    TRY(fetch_spool(turn->fetch, &turn->fetch_aborted, err));
    turn_step_done(turn, "fetch");
    turn->is_fetched = true;
    return ERROR_NONE;
}

enum error_code turn_write_fetched(struct turn *turn, struct error *err) {
    if (!turn->is_fetched) {
        TRY(turn_fetch(turn, false, err));
    }
    return write_from_fetch(turn, err);
}

void turn_end_fetch(struct turn *turn) {
    run_ticker_stop(&turn->ticker);
    if (turn->fetch != NULL) {
        fetch_select(turn->runner->sources, turn->runner->session.connection, NULL);
        fetch_free(turn->fetch);
        turn->fetch = NULL;
    }
    lib_data_free(turn->data);
}
