// One model's turn: variables, one transaction {read, compare, alter, write, metadata}, commit.
//
// Everything the model reads is read inside the transaction, so at one snapshot, whose id goes into
// the commit: what others commit meanwhile is seen by the next run, neither lost nor doubled.  A
// commit that lost against another writer repeats the whole transaction, but for a model that
// fetches: its rows are gone by then.
#include "base/clock.h"
#include "base/context.h"
#include "base/text.h"
#include "lake/ast.h"
#include "lake/attach.h"
#include "lake/result.h"
#include "lake/snapshot.h"
#include "lake/transaction.h"
#include "model/cast_error.h"
#include "model/columns.h"
#include "model/decorate.h"
#include "model/run_progress.h"
#include "model/runner.h"

enum { CONFLICT_RETRIES_MAX = 3, CONFLICT_WAIT_MS = 200 };

// What one attempt works with.
struct turn {
    struct runner *runner;
    struct plan_step *step;
    struct arena *arena; // of the attempt
    struct run_result *result;
    struct incremental_state incremental;
    struct fetch *fetch;   // NULL: pure SQL
    struct lib_data *data; // of its libs; NULL: none
    struct run_ticker ticker;
    struct fetch_outcome fetched;
    bool fetch_is_over;
    struct write write;
    bool altered;
    bool decorated; // comments, partitioning or sorting changed
    int64_t read_snapshot;
    int64_t started_us;
    struct commit_step steps[4];
    size_t step_count;
    int64_t step_started_us;
};

static str target_name(struct arena *arena, const struct model *model) {
    return str_format(arena, STR_FORMAT "." STR_FORMAT,
                      STR_ARGS(lake_quote_name(arena, model->schema)),
                      STR_ARGS(lake_quote_name(arena, model->name)));
}

static void step_done(struct turn *turn, const char *name) {
    const int64_t now = clock_monotonic_us(&turn->runner->context->clock);
    if (turn->step_count < ARRAY_COUNT(turn->steps)) {
        turn->steps[turn->step_count++] = (struct commit_step){name, now - turn->step_started_us};
    }
    turn->step_started_us = now;
}

static void add_warning(struct turn *turn, const char *rule, const char *format, ...)
    PRINTF_LIKE(3, 4);
static void add_warning(struct turn *turn, const char *rule, const char *format, ...) {
    struct text text;
    text_init(&text, turn->arena);
    va_list args;
    va_start(args, format);
    text_format_list(&text, format, args);
    va_end(args);
    struct error warning;
    error_rule(&warning, ERROR_INVALID, rule, STR_FORMAT, STR_ARGS(text_str(&text)));
    error_at(&warning, turn->step->model->file, 0, 0);
    error_list_add(&turn->result->warnings, &warning);
}

// ── Variables ──

static enum error_code read_last_value(struct runner *runner, const struct model *model,
                                       str *last_value, struct error *err) {
    const str sql = str_format(
        runner->arena, "SELECT max(" STR_FORMAT ")::VARCHAR FROM " STR_FORMAT,
        STR_ARGS(lake_quote_name(runner->arena, model->source.directives.incremental.value)),
        STR_ARGS(target_name(runner->arena, model)));
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

static enum error_code set_incremental(struct runner *runner, const struct incremental_state *state,
                                       str cursor, struct error *err) {
    struct lake_connection *connection = runner->session.connection;
    TRY(lake_set_variable(connection, STR("incr_last_value"), lake_value_text(state->last_value),
                          err));
    TRY(lake_set_variable(connection, STR("incr_last_run"), lake_value_text(state->last_run), err));
    TRY(lake_set_variable(connection, STR("incr_is_backfill"), lake_value_bool(state->is_backfill),
                          err));
    return lake_set_variable(connection, STR("incr_cursor"), lake_value_text(cursor), err);
}

enum error_code run_enter_model(struct runner *runner, struct plan_step *step,
                                struct incremental_state *state, struct error *err) {
    const struct directives *directives = &step->model->source.directives;
    *state = (struct incremental_state){.is_backfill = step->type == RUN_BACKFILL ||
                                                       step->created || !step->table_exists};
    TRY(session_enter_model(&runner->session, step->model->target, err));
    if (!directives->incremental.is_set) {
        return ERROR_NONE;
    }
    state->last_value = directives->incremental_initial.value;
    state->last_run = last_run(runner, step);
    if (!state->is_backfill) {
        TRY(read_last_value(runner, step->model, &state->last_value, err));
    }
    return set_incremental(runner, state, directives->incremental.value, err);
}

// ── Fetch ──

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

static enum error_code fetch_begin(struct turn *turn, struct error *err) {
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
        .read_twice = model->query.repeats_cte,
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

// ── Schema ──

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
    evolution_plan(turn->arena, target_name(turn->arena, step->model), table.columns,
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
    add_warning(turn, NULL, "columns changed: " STR_FORMAT, STR_ARGS(evolution.summary));
    return ERROR_NONE;
}

static enum error_code prepare_table(struct turn *turn, struct error *err) {
    struct runner *runner = turn->runner;
    struct plan_step *step = turn->step;
    if (step->columns == NULL) {
        TRY(run_describe(runner, step, err));
    }
    step_done(turn, "bind");
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

// ── Which rows ──

// Aggregates, volatile functions and macros change the meaning of "the query over the new rows".
static enum error_code functions_are_plain(struct turn *turn, bool *plain, struct error *err) {
    const struct sql_function_list *functions = &turn->step->model->query.functions;
    *plain = true;
    if (functions->count == 0) {
        return ERROR_NONE;
    }
    str *names = ARENA_ARRAY(turn->arena, str, functions->count);
    for (size_t i = 0; i < functions->count; i++) {
        names[i] = functions->items[i].name;
    }
    int64_t others = 0;
    TRY(lake_query_int64(turn->runner->session.connection,
                         STR("SELECT count(*) FROM duckdb_functions() WHERE list_contains(?, "
                             "lower(function_name)) AND (function_type NOT IN ('scalar', 'table') "
                             "OR stability = 'VOLATILE')"),
                         LAKE_VALUES(lake_value_texts(names, functions->count)), &others, NULL,
                         err));
    *plain = others == 0;
    return ERROR_NONE;
}

// Whether every change of the source since `base` was an insert, told by what the snapshots did.
static enum error_code only_inserts(struct turn *turn, int64_t table_id, int64_t base, bool *only,
                                    struct error *err) {
    const str prefix = lake_metadata_prefix(lake_of(turn->runner->session.connection));
    const str sql = str_format(
        turn->arena,
        "SELECT count(*) FROM (SELECT unnest(string_split(changes_made, ',')) AS change "
        "FROM " STR_FORMAT
        ".ducklake_snapshot_changes WHERE snapshot_id > ?) WHERE split_part(change, ':',"
        " 2) = ? AND split_part(change, ':', 1) NOT IN ('inserted_into_table', 'inlined_insert')",
        STR_ARGS(prefix));
    int64_t others = 0;
    const str id = str_format(turn->arena, "%lld", (long long)table_id);
    TRY(lake_query_int64(turn->runner->session.connection, sql,
                         LAKE_VALUES(lake_value_int64(base), lake_value_text(id)), &others, NULL,
                         err));
    *only = others == 0;
    return ERROR_NONE;
}

// The model's query over the rows inserted into its only source since `base`.
static enum error_code delta_body(struct turn *turn, const struct sql_table *table, int64_t base,
                                  str *body, struct error *err) {
    struct lake_connection *connection = turn->runner->session.connection;
    struct arena *arena = turn->arena;
    const str schema = table->schema.size > 0 ? table->schema : STR("main");
    const str source = str_format(
        arena,
        "SELECT * FROM (SELECT * FROM ducklake_table_insertions(" STR_FORMAT ", " STR_FORMAT
        ", " STR_FORMAT ", %lld, %lld)) AS delta",
        STR_ARGS(lake_quote_text(arena, lake_alias(lake_of(connection)))),
        STR_ARGS(lake_quote_text(arena, schema)), STR_ARGS(lake_quote_text(arena, table->name)),
        (long long)base + 1, (long long)turn->read_snapshot);
    str ast;
    TRY(lake_ast_read(connection, arena, source, &ast, err));
    TRY(sql_ast_replace_table(arena, turn->step->model->ast, ast, &ast, err));
    return lake_ast_write(connection, arena, ast, body, err);
}

// An append over one lake table reads only what was inserted there; everything else that can be
// compared is evaluated in full, and only what the table does not hold yet is inserted.
static enum error_code choose_append_source(struct turn *turn, struct error *err) {
    const struct plan_step *step = turn->step;
    const struct model *model = step->model;
    const struct sql_query *query = &model->query;
    struct write *write = &turn->write;
    if (model->lib_calls.count > 0 || model->inputs.count == 0) {
        write->source = WRITE_NEW; // nothing to compare with: every row is new
        return ERROR_NONE;
    }
    write->source = WRITE_SURPLUS;
    if (!query->is_row_local || query->tables.count != 1 || model->reads_itself ||
        query->volatile_function.size > 0 || turn->altered || query->tables.items[0].has_version) {
        return ERROR_NONE;
    }
    const struct plan_version *version =
        map_get(&turn->runner->plan.versions, model->inputs.items[0]);
    const int64_t base = step->commit.read_snapshot;
    bool usable = false;
    if (version == NULL || base < turn->runner->plan.oldest_snapshot ||
        base >= turn->read_snapshot) {
        return ERROR_NONE;
    }
    TRY(functions_are_plain(turn, &usable, err));
    if (usable) {
        TRY(only_inserts(turn, version->table_id, base, &usable, err));
    }
    if (!usable) {
        return ERROR_NONE;
    }
    TRY(delta_body(turn, &query->tables.items[0], base, &write->body, err));
    write->body_is_own = false;
    write->source = WRITE_NEW;
    return ERROR_NONE;
}

// ── Cursor ──

static enum error_code count_cursor_nulls(struct turn *turn, int64_t *count, struct error *err) {
    const struct model *model = turn->step->model;
    const str sql = str_format(
        turn->arena, "SELECT count(*) FROM " STR_FORMAT " WHERE " STR_FORMAT " IS NULL",
        STR_ARGS(target_name(turn->arena, model)),
        STR_ARGS(lake_quote_name(turn->arena, model->source.directives.incremental.value)));
    return lake_query_int64(turn->runner->session.connection, sql, LAKE_NO_VALUES, count, NULL,
                            err);
}

// As write_rows, with a warning of new rows without a cursor: it never moves past them (models.md
// §4.4).  Counted before and after, since inside a transaction AT (VERSION …) sees its changes,
// too.
static enum error_code write_watched(struct turn *turn, struct error *err) {
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

// ── Writing ──

static enum error_code write_model(struct turn *turn, struct error *err) {
    const struct plan_step *step = turn->step;
    struct write *write = &turn->write;
    *write = (struct write){
        .connection = turn->runner->session.connection,
        .arena = turn->arena,
        .model = step->model,
        .body = step->model->source.body,
        .body_is_own = true,
    };
    TRY(prepare_table(turn, err));
    write->columns = step->columns;
    write->column_count = step->column_count;
    write->run_type = turn->result->run_type;
    if (step->model->source.directives.kind == MODEL_APPEND && !write->table_is_empty &&
        write->run_type != RUN_BACKFILL) {
        TRY(choose_append_source(turn, err));
    }
    TRY(write_watched(turn, err));
    step_done(turn, "write");
    return ERROR_NONE;
}

static enum error_code write_from_fetch(struct turn *turn, struct error *err) {
    struct runner *runner = turn->runner;
    bool aborted = false;
    TRY(fetch_spool(turn->fetch, &aborted, err));
    step_done(turn, "fetch");
    if (aborted) {
        turn->fetched.aborted = true;
        return ERROR_NONE;
    }
    fetch_select(runner->sources, turn->fetch);
    turn->step->columns = NULL; // the types are those of this fetch
    const enum error_code code = write_model(turn, err);
    if (code != ERROR_NONE) {
        cast_error_explain(turn->step->model, err);
    }
    turn->fetch_is_over = true;
    return fetch_end(turn->fetch, code, &turn->fetched, err);
}

// As write_model, with the lib calls of the model at work.
static enum error_code write_fetched(struct turn *turn, struct error *err) {
    TRY(fetch_begin(turn, err));
    run_ticker_start(&turn->ticker, &turn->runner->options->events, turn->step->model);
    const enum error_code code = write_from_fetch(turn, err);
    run_ticker_stop(&turn->ticker);
    return code;
}

static enum error_code write_message(struct turn *turn, struct error *err) {
    struct runner *runner = turn->runner;
    const struct plan_step *step = turn->step;
    const struct commit_input input = {
        .model = step->model,
        .definition = &step->definition,
        .uses = step->uses,
        .use_count = step->use_count,
        .run_type = turn->result->run_type,
        .reason = turn->result->reason,
        .rows = turn->write.rows,
        .columns = step->columns,
        .column_count = step->column_count,
        .run_id = runner->summary->run_id,
        .started_us = turn->started_us,
        .ended_us = clock_wall_us(&runner->context->clock),
        .duckdb_version = runner->plan.duckdb_version,
        .git = &runner->git,
        .read_snapshot = turn->read_snapshot,
        .inputs = &step->files,
        .steps = turn->steps,
        .step_count = turn->step_count,
        .sinks = run_sinks_json(runner, step->model, turn->arena),
    };
    const str message = str_format(
        turn->arena, STR_FORMAT " (" STR_FORMAT ", %lld rows)", STR_ARGS(step->model->target),
        STR_ARGS(run_type_name(turn->result->run_type)), (long long)turn->write.rows);
    return lake_commit_message(runner->session.connection, STR("coypu"), message,
                               commit_write(turn->arena, &input), err);
}

// A commit without any change writes no snapshot; this row makes it one.
static enum error_code registry_upsert(struct turn *turn, struct error *err) {
    struct lake_connection *connection = turn->runner->session.connection;
    const struct model *model = turn->step->model;
    TRY(lake_execute(connection, STR("DELETE FROM main._ondatra_registry WHERE target = ?"),
                     LAKE_VALUES(lake_value_text(model->target)), NULL, err));
    return lake_execute(connection, STR("INSERT INTO main._ondatra_registry VALUES (?, ?, ?)"),
                        LAKE_VALUES(lake_value_text(model->target),
                                    lake_value_text(model_kind_name(model->source.directives.kind)),
                                    lake_value_timestamp(turn->started_us)),
                        NULL, err);
}

// A first run and a changed definition are recorded even when they write no row.
static bool must_record(const struct turn *turn) {
    return turn->result->run_type == RUN_BACKFILL || turn->altered || turn->decorated;
}

static enum error_code transaction_body(struct turn *turn, struct error *err) {
    struct lake_connection *connection = turn->runner->session.connection;
    TRY(lake_current_snapshot(connection, &turn->read_snapshot, err));
    if (turn->step->model->lib_calls.count > 0) {
        TRY(write_fetched(turn, err));
    } else {
        TRY(write_model(turn, err));
    }
    if (turn->fetched.aborted || (!turn->write.changed && !must_record(turn))) {
        lake_rollback(connection);
        return ERROR_NONE;
    }
    if (!turn->write.changed) {
        TRY(registry_upsert(turn, err));
    }
    TRY(write_message(turn, err));
    crash_point("CP_MODEL_BEFORE_COMMIT");
    TRY(lake_commit(connection, &turn->result->snapshot, err));
    crash_point("CP_MODEL_COMMITTED");
    return ERROR_NONE;
}

static enum error_code attempt(struct turn *turn, struct error *err) {
    struct lake_connection *connection = turn->runner->session.connection;
    TRY(lake_begin(connection, err));
    const enum error_code code = transaction_body(turn, err);
    if (code != ERROR_NONE) {
        lake_rollback(connection);
    }
    if (turn->fetch != NULL) {
        fetch_select(turn->runner->sources, NULL);
        fetch_free(turn->fetch);
        turn->fetch = NULL;
    }
    lib_data_free(turn->data);
    return code;
}

enum error_code run_connect_data(struct runner *runner, struct lib_data **data,
                                 struct modules_data *hooks, struct error *err) {
    if (!lib_data_is_used(&runner->libs)) {
        return ERROR_NONE;
    }
    struct lake_connection *connection = NULL;
    TRY(session_connect(&runner->session, &connection, err));
    *data = lib_data_new(connection);
    *hooks = lib_data_hooks(*data);
    return ERROR_NONE;
}

enum error_code run_model(struct runner *runner, struct plan_step *step, struct arena *scratch,
                          struct run_result *result, struct error *err) {
    const struct clock *clock = &runner->context->clock;
    const enum run_type planned_type = result->run_type;
    const str planned_reason = result->reason;
    struct incremental_state incremental;
    TRY(run_enter_model(runner, step, &incremental, err));
    for (int try = 0;; try++) {
        struct turn turn = {
            .runner = runner,
            .step = step,
            .arena = scratch,
            .result = result,
            .incremental = incremental,
            .started_us = clock_wall_us(clock),
            .step_started_us = clock_monotonic_us(clock),
        };
        result->run_type = planned_type;
        result->reason = planned_reason;
        const enum error_code code = attempt(&turn, err);
        result->rows = turn.write.rows;
        result->aborted = turn.fetched.aborted;
        result->read_snapshot = code == ERROR_NONE ? turn.read_snapshot : 0;
        if (code == ERROR_NONE) {
            if (result->snapshot > 0) {
                plan_committed(&runner->plan, step->model,
                               turn.write.changed || turn.altered ? result->snapshot : 0);
            }
            return ERROR_NONE;
        }
        if (code != ERROR_CONFLICT || try == CONFLICT_RETRIES_MAX ||
            step->model->lib_calls.count > 0) {
            return code;
        }
        TRY(clock_sleep_us(clock, (int64_t)CONFLICT_WAIT_MS * 1000 * (try + 1),
                           runner->context->interrupt, err));
    }
}
