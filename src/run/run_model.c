// One model's turn: variables, one transaction {read, compare, alter, write, metadata}, commit.
//
// Everything the model reads is read inside the transaction, so at one snapshot, whose id goes into
// the commit: what others commit meanwhile is seen by the next run, neither lost nor doubled.  A
// commit that lost against another writer repeats the whole transaction, but for a model that
// fetches: its rows are gone by then.
#include "base/clock.h"
#include "base/context.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/inlining.h"
#include "lake/snapshot.h"
#include "lake/transaction.h"
#include "model/new_files.h"
#include "plan/plan_files.h"
#include "run/turn.h"

enum { CONFLICT_RETRIES_MAX = 3, CONFLICT_WAIT_MS = 200 };

void turn_step_done(struct turn *turn, const char *name) {
    const int64_t now = clock_monotonic_us(&turn->runner->context->clock);
    if (turn->step_count < ARRAY_COUNT(turn->steps)) {
        turn->steps[turn->step_count++] = (struct commit_step){name, now - turn->step_started_us};
    }
    turn->step_started_us = now;
}

PRINTF_LIKE(4, 0)
static void add_warning(const struct turn *turn, struct error_list *list, const char *rule,
                        const char *format, va_list args) {
    struct text text;
    text_init(&text, turn->arena);
    text_format_list(&text, format, args);
    struct error warning;
    error_rule(&warning, ERROR_INVALID, rule, STR_FORMAT, STR_ARGS(text_str(&text)));
    error_at(&warning, turn->step->model->file, 0, 0);
    error_list_add(list, &warning);
}

void turn_warn(struct turn *turn, const char *rule, const char *format, ...) {
    va_list args;
    va_start(args, format);
    add_warning(turn, &turn->result->warnings, rule, format, args);
    va_end(args);
}

void turn_warn_change(struct turn *turn, const char *format, ...) {
    if (turn->changes.arena == NULL) {
        error_list_init(&turn->changes, turn->arena);
    }
    va_list args;
    va_start(args, format);
    add_warning(turn, &turn->changes, NULL, format, args);
    va_end(args);
}

// After the commit.
static void tell_changes(struct turn *turn) {
    for (size_t i = 0; i < turn->changes.count; i++) {
        error_list_add(&turn->result->warnings, &turn->changes.items[i]);
    }
}

// Rows that an append or a merge kept are touched by nothing but a backfill: then the table equals
// the query.
static enum error_code tell_lost_rows(struct turn *turn, struct error *err) {
    const struct model *model = turn->step->model;
    const int64_t lost = turn->write.rows_lost;
    const char *s = lost == 1 ? "" : "s";
    if (lost <= 0) {
        return ERROR_NONE;
    }
    if (turn->runner->options->no_destructive) {
        error_set(err, ERROR_INVALID,
                  "the backfill would remove %lld row%s that the query does not give any more",
                  (long long)lost, s);
        error_hint(err, "run without --no-destructive to accept it");
        error_at_offset(err, model->file, model->text, model->source.body_offset);
        return err->code;
    }
    turn_warn_change(turn, "the backfill removes %lld row%s that the query does not give any more",
                     (long long)lost, s);
    return ERROR_NONE;
}

// With files only is written what the catalog would not give back as it was, and a table that still
// has to lose its partitioning (decorate.c).
static enum error_code choose_inlining(const struct turn *turn, struct error *err) {
    struct lake_connection *connection = turn->runner->session.connection;
    const struct plan_step *step = turn->step;
    const struct model *model = step->model;
    const struct lake_column *lost = NULL;
    for (size_t i = 0; i < step->column_count && lost == NULL; i++) {
        const struct lake_column *column = &step->columns[i];
        lost = lake_inlining_keeps(connection, column->type) ? NULL : column;
    }
    int64_t limit = 0;
    if (lost != NULL) {
        TRY(lake_inlining_limit(connection, model->schema, model->name, &limit, err));
    }
    if (limit > 0) {
        error_set(err, ERROR_INVALID,
                  "the lake keeps up to %lld rows of a write in its catalog, which would change "
                  "values of \"" STR_FORMAT "\" (" STR_FORMAT ")",
                  (long long)limit, STR_ARGS(lost->name), STR_ARGS(lost->type));
        error_hint(err,
                   "put CALL " STR_FORMAT ".set_option('data_inlining_row_limit', 0) into "
                   "sql/inlining.sql and run coypu inlining: the runtime then chooses by table",
                   STR_ARGS(lake_alias(lake_of(connection))));
        error_at(err, model->file, 0, 0);
        return err->code;
    }
    return lake_inlining_allow(connection, lost == NULL && !turn->storage.unpartitions, err);
}

enum error_code turn_write(struct turn *turn, struct error *err) {
    const struct plan_step *step = turn->step;
    struct write *write = &turn->write;
    *write = (struct write){
        .connection = turn->runner->session.connection,
        .arena = turn->arena,
        .model = step->model,
        .body = turn_body(turn),
        .body_is_masked = turn->is_evaluated,
        .body_is_own = !turn->is_evaluated,
        .run_snapshot = turn->runner->first_snapshot,
        .hashes_are_old = step->has_commit &&
                          !str_equal(step->commit.hash_version, turn->runner->plan->duckdb_version),
        .was_read = write->was_read,
        .was_read_self = write->was_read_self,
    };
    TRY(turn_prepare_table(turn, err));
    TRY(choose_inlining(turn, err));
    write->columns = step->columns;
    write->column_count = step->column_count;
    write->run_type = turn->result->run_type;
    write->altered = turn->altered;
    turn->is_exact = true;
    if (!write->table_is_empty && write->run_type != RUN_BACKFILL) {
        turn->is_exact = false;
        TRY(model_loads_files_once(step->model) ? turn_choose_files(turn, err)
                                                : turn_choose_rows(turn, err));
    }
    turn_watch_rows(turn);
    TRY(turn_write_rows(turn, err));
    TRY(tell_lost_rows(turn, err));
    turn_step_done(turn, "write");
    return decorate_written(turn->runner, turn->step, &turn->storage, &turn->decorated, err);
}

static enum error_code write_message(struct turn *turn, struct error *err) {
    struct runner *runner = turn->runner;
    const struct plan_step *step = turn->step;
    struct lineage_column_list lineage;
    model_lineage_bound(run_lineage(runner), step->model, step->columns, step->column_count,
                        &lineage);
    struct file_input_list inputs;
    plan_files_seen(turn->arena, step, turn->result->run_type, &inputs);
    const bool rebuilt = turn->result->run_type == RUN_BACKFILL;
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
        .lineage = &lineage,
        .run_id = runner->run_id,
        .started_us = turn->started_us,
        .ended_us = clock_wall_us(&runner->context->clock),
        .duckdb_version = runner->plan->duckdb_version,
        .hash_version = turn->write.keeps_old_hashes ? step->commit.hash_version : (str){0},
        .git = runner->git,
        .read_snapshot = turn->read_snapshot,
        .is_exact = turn->is_exact,
        .growths = rebuilt ? NULL : &turn->growths,
        .inputs = &inputs,
        .steps = turn->steps,
        .step_count = turn->step_count,
        .sinks = run_sinks_json(runner, step->model, turn->arena),
        .decoration = step->decoration,
        .checks = turn_checks_json(turn),
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
    TRY(lake_execute(connection,
                     STR("DELETE FROM main._ondatra_registry WHERE lower(target) = lower(?)"),
                     LAKE_VALUES(lake_value_text(model->target)), NULL, err));
    return lake_execute(connection, STR("INSERT INTO main._ondatra_registry VALUES (?, ?, ?)"),
                        LAKE_VALUES(lake_value_text(model->target),
                                    lake_value_text(model_kind_name(model->source.directives.kind)),
                                    lake_value_timestamp(turn->started_us)),
                        NULL, err);
}

// A first run and a changed definition are recorded even when they write no row, and so is what a
// commit that was lost has told.
static bool must_record(const struct turn *turn) {
    return turn->result->run_type == RUN_BACKFILL || turn->altered || turn->decorated ||
           turn->step->commit_is_lost;
}

// A fetch without rows, and the table is to stay as it is.  Where it was to be rebuilt, nothing is
// recorded either: the next run tries again.
static bool keeps_everything(struct turn *turn) {
    const bool rebuilt = turn->result->run_type == RUN_BACKFILL || turn->altered;
    if (turn->write.keeps_rows && rebuilt) {
        turn_warn(turn, NULL, "the fetch gave no rows: the table waits for some to be rebuilt");
    }
    return turn->write.keeps_rows && rebuilt;
}

static enum error_code transaction_body(struct turn *turn, struct error *err) {
    struct lake_connection *connection = turn->runner->session.connection;
    if (!turn->is_evaluated) {
        TRY(lake_current_snapshot(connection, &turn->read_snapshot, err));
    }
    if (bug_is_planted("PB_EARLY_SNAPSHOT")) {
        turn->read_snapshot = turn->runner->first_snapshot;
    }
    if (turn->step->model->lib_calls.count > 0) {
        TRY(turn_write_fetched(turn, err));
    } else {
        TRY(turn_write(turn, err));
    }
    TRY(lake_inlining_allow(connection, true, err));
    if (turn->fetched.aborted || keeps_everything(turn)) {
        lake_rollback(connection);
        return ERROR_NONE;
    }
    TRY(turn_audit(turn, err));
    if (!turn->write.changed && !must_record(turn)) {
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
    tell_changes(turn);
    return ERROR_NONE;
}

static enum error_code transaction(struct turn *turn, struct error *err) {
    struct lake_connection *connection = turn->runner->session.connection;
    enum error_code code = lake_begin(connection, err);
    if (code == ERROR_NONE) {
        code = transaction_body(turn, err);
    }
    if (code != ERROR_NONE) {
        lake_rollback(connection);
    }
    struct error ignored; // of a connection that is of no more use
    (void)!lake_inlining_allow(connection, true, &ignored);
    return code;
}

static enum error_code attempt(struct turn *turn, struct error *err) {
    enum error_code code = turn_enter_write(turn, err);
    if (code == ERROR_NONE) {
        code = transaction(turn, err);
        turn_leave_write(turn);
    }
    turn_end_fetch(turn);
    return code;
}

// A small model gets one thread (see session_use_threads).  Threads are taken back only when no
// other model runs: DuckDB waits for what a thread does before it ends it.
static enum error_code choose_threads(struct runner *runner, const struct plan_step *step,
                                      struct error *err) {
    const bool all = !plan_is_light(runner->plan, step);
    if (!all && runner->options->jobs > 1) {
        return ERROR_NONE;
    }
    return session_use_threads(&runner->session, all, err);
}

// What earlier attempts have taught the next one.
struct lessons {
    bool checks_alone;
    struct settled_checks settled;
    size_t checks_turns; // how often they wanted another attempt
    str rewrite_error;   // of a rewritten query; empty: none failed
    bool leaves_storage;
    int conflicts;
};

// Whether another attempt can end better.  The rows of a fetch are gone after the first.
static bool learn(struct lessons *lessons, const struct turn *turn, const struct error *err) {
    const enum error_code code = err->code;
    const bool fetches = turn->step->model->lib_calls.count > 0;
    if (turn->wants_checks_alone) {
        lessons->checks_alone = true;
        lessons->settled = turn->settled;
        // One for all of them together, one for each that ends the transaction.
        return lessons->checks_turns++ <= turn->step->model->checks.count;
    }
    if (turn->step->storage_is_refused && !lessons->leaves_storage && !fetches) {
        lessons->leaves_storage = true;
        return true;
    }
    if (turn->rewrites && !turn->check_failed &&
        (code == ERROR_INVALID || code == ERROR_NOT_FOUND)) {
        // As the user wrote it, also for the error's position.
        lessons->rewrite_error =
            str_format(turn->arena, "the query for its changes failed: %s", err->message);
        return true;
    }
    if (code == ERROR_CONFLICT && lessons->conflicts < CONFLICT_RETRIES_MAX && !fetches) {
        lessons->conflicts++;
        return true;
    }
    return false;
}

static void succeeded(struct turn *turn, struct arena *scratch) {
    struct runner *runner = turn->runner;
    struct run_result *result = turn->result;
    if (result->snapshot > 0) {
        plan_committed(runner->plan, turn->step->model,
                       turn->write.changed || turn->altered ? result->snapshot : 0);
        plan_rows_added(runner->plan, turn->step->model, turn->write.rows);
    }
    if (!result->aborted) {
        run_warnings(runner, turn->step, scratch, result);
    }
}

static enum error_code try_model(struct turn *turn, struct arena *scratch, struct error *err) {
    struct run_result *result = turn->result;
    const enum error_code code = attempt(turn, err);
    result->rows = turn->write.rows;
    result->aborted = turn->fetched.aborted;
    result->read_snapshot = code == ERROR_NONE ? turn->read_snapshot : 0;
    result->is_exact = turn->is_exact;
    if (code == ERROR_NONE) {
        succeeded(turn, scratch);
    }
    return code;
}

// What each attempt begins with again.
static void reset_result(struct run_result *result, const struct run_result *planned) {
    result->run_type = planned->run_type;
    result->reason = planned->reason;
    result->warnings.count = planned->warnings.count;
    result->errors.count = planned->errors.count;
    result->checks = (struct check_result_list){0};
    result->shape = (str){0};
}

static void warn_of_storage(const struct plan_step *step, struct run_result *result) {
    for (size_t i = 0; i < step->storage_warnings.count; i++) {
        error_list_add(&result->warnings, &step->storage_warnings.items[i]);
    }
}

static enum error_code try_until_done(struct runner *runner, struct plan_step *step,
                                      const struct incremental_state *incremental,
                                      struct arena *scratch, struct run_result *result,
                                      struct error *err) {
    const struct clock *clock = &runner->context->clock;
    const struct run_result planned = *result;
    struct lessons lessons = {0};
    for (;;) {
        struct turn turn = {
            .runner = runner,
            .step = step,
            .arena = scratch,
            .result = result,
            .incremental = *incremental,
            .checks_alone = lessons.checks_alone,
            .settled = lessons.settled,
            .rewrite_error = lessons.rewrite_error,
            .started_us = clock_wall_us(clock),
            .step_started_us = clock_monotonic_us(clock),
        };
        reset_result(result, &planned);
        step->columns = step->created ? step->columns : NULL;
        const enum error_code code = try_model(&turn, scratch, err);
        if (code == ERROR_NONE) {
            return ERROR_NONE;
        }
        if (!learn(&lessons, &turn, err)) {
            if (lessons.rewrite_error.size > 0) { // the error says it
                result->warnings.count = planned.warnings.count;
            }
            turn_explain_cursor(&turn, err);
            return code;
        }
        if (code == ERROR_CONFLICT) {
            TRY(clock_sleep_us(clock, (int64_t)CONFLICT_WAIT_MS * 1000 * lessons.conflicts,
                               runner->context->interrupt, err));
        }
    }
}

enum error_code run_model(struct runner *runner, struct plan_step *step, struct arena *scratch,
                          struct run_result *result, struct error *err) {
    struct incremental_state incremental;
    TRY(choose_threads(runner, step, err));
    TRY(run_check_sources(runner, step, scratch, err));
    TRY(run_enter_sources(runner, step->model, err));
    TRY(run_enter_model(runner, step, &incremental, err));
    // Now, as it may ask the database what would end a transaction: whether a table exists.
    (void)model_lineage(run_lineage(runner), step->model);
    const enum error_code code = try_until_done(runner, step, &incremental, scratch, result, err);
    warn_of_storage(step, result);
    if (code != ERROR_NONE && err->source_line[0] == '\0' &&
        str_equal(str_from(err->pos.file), step->model->file)) {
        error_source(err, step->model->text);
    }
    return code;
}

static enum error_code redecorate(struct turn *turn, struct error *err) {
    struct runner *runner = turn->runner;
    struct plan_step *step = turn->step;
    TRY(run_describe(runner, step, err)); // the commit names the columns
    TRY(decorate_changed(runner, step, true, &turn->storage, &turn->decorated, err));
    TRY(decorate_written(runner, step, &turn->storage, &turn->decorated, err));
    if (!turn->decorated) {
        lake_rollback(runner->session.connection);
        return ERROR_NONE;
    }
    TRY(write_message(turn, err));
    return lake_commit(runner->session.connection, &turn->result->snapshot, err);
}

static enum error_code try_redecorate(struct turn *turn, struct error *err) {
    struct lake_connection *connection = turn->runner->session.connection;
    enum error_code code = lake_begin(connection, err);
    if (code == ERROR_NONE) {
        code = redecorate(turn, err);
    }
    if (code != ERROR_NONE) {
        lake_rollback(connection);
    }
    return code;
}

enum error_code run_redecorate(struct runner *runner, struct plan_step *step, struct arena *scratch,
                               struct run_result *result, struct error *err) {
    const struct clock *clock = &runner->context->clock;
    struct turn turn = {
        .runner = runner,
        .step = step,
        .arena = scratch,
        .result = result,
        .write = {.keeps_old_hashes = step->commit.hash_version.size > 0},
        .read_snapshot = step->commit.read_snapshot, // nothing of it was read since
        .is_exact = step->commit.is_exact,
        .growths = step->commit.growths,
        .started_us = clock_wall_us(clock),
        .step_started_us = clock_monotonic_us(clock),
    };
    run_write_lock(runner);
    enum error_code code = try_redecorate(&turn, err);
    if (code != ERROR_NONE && step->storage_is_refused) {
        code = try_redecorate(&turn, err);
    }
    run_write_unlock(runner);
    warn_of_storage(step, result);
    return code;
}
