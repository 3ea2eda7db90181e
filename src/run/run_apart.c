// What of a model's turn needs no write lock, for when others wait for it: fetching, and evaluating
// a query whose every row is needed.
//
// The query is read at one snapshot, whose id goes into the commit, and written in a transaction of
// its own: what others committed between the two is news to the next run, as ever.
#include "base/text.h"
#include "lake/snapshot.h"
#include "lake/transaction.h"
#include "model/mask.h"
#include "run/schedule.h"
#include "run/turn.h"

#define APART_TABLE "temp.__ondatra_apart"

// Only the full query can be evaluated before the table's columns are what they will be.
static bool reads_everything(const struct turn *turn) {
    const struct model *model = turn->step->model;
    if (model->reads_itself) {
        return false;
    }
    switch (model->source.directives.kind) {
    case MODEL_TABLE:
    case MODEL_TRACKED:
    case MODEL_SCD2:
        return true;
    case MODEL_APPEND:
    case MODEL_MERGE:
        break;
    }
    return turn->result->run_type == RUN_BACKFILL;
}

static enum error_code evaluate(struct turn *turn, struct error *err) {
    struct lake_connection *connection = turn->runner->session.connection;
    TRY(lake_begin(connection, err));
    TRY(lake_current_snapshot(connection, &turn->read_snapshot, err));
    TRY(turn_describe(turn, err));
    struct mask mask;
    mask_make(turn->arena, turn->step->model, &mask);
    const str sql = str_format(turn->arena,
                               "CREATE OR REPLACE TEMP TABLE __ondatra_apart AS FROM " STR_FORMAT
                               "(" STR_FORMAT "\n)" STR_FORMAT,
                               STR_ARGS(mask.head), STR_ARGS(turn->step->model->source.body),
                               STR_ARGS(mask.tail));
    TRY(lake_execute(connection, sql, LAKE_NO_VALUES, NULL, err));
    return lake_commit(connection, NULL, err);
}

enum error_code turn_enter_write(struct turn *turn, struct error *err) {
    struct runner *runner = turn->runner;
    if (turn->step->model->lib_calls.count > 0) {
        if (schedule_has_company(runner->schedule)) {
            TRY(turn_fetch(turn, true, err));
        }
        run_write_lock(runner);
        return ERROR_NONE;
    }
    if (!reads_everything(turn)) {
        run_write_lock(runner);
        return ERROR_NONE;
    }
    if (run_write_try_lock(runner)) {
        return ERROR_NONE;
    }
    struct error ignored; // the same query fails again, and there its error is explained
    turn->is_evaluated = evaluate(turn, &ignored) == ERROR_NONE;
    if (!turn->is_evaluated) {
        lake_rollback(runner->session.connection);
    }
    turn_step_done(turn, "evaluate");
    run_write_lock(runner);
    return ERROR_NONE;
}

str turn_body(const struct turn *turn) {
    return turn->is_evaluated ? STR("FROM " APART_TABLE) : turn->step->model->source.body;
}

void turn_leave_write(struct turn *turn) {
    run_write_unlock(turn->runner);
    if (turn->is_evaluated) {
        struct error ignored; // the next model replaces the table
        const enum error_code code =
            lake_execute(turn->runner->session.connection, STR("DROP TABLE " APART_TABLE),
                         LAKE_NO_VALUES, NULL, &ignored);
        (void)code;
    }
}
