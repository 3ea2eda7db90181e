// When the checks of a model are evaluated (models.md §9):
//
//   constraints  over the rows about to be written, before the write, inside its transaction
//   audits       over the table after the write, inside the transaction: a failure rolls back
//                rows, columns and metadata
//   warnings     over the committed table, in a transaction of their own
//
// An incremental run sees only new rows, and a run that is skipped sees none: a check that the
// table has not met yet (added or edited since) is then evaluated over the table itself.
#include "base/text.h"
#include "lake/result.h"
#include "lake/snapshot.h"
#include "lake/transaction.h"
#include "project/checks.h"
#include "run/turn.h"
#include "write/columns.h"

struct chosen {
    const struct check **items;
    size_t count;
    size_t capacity;
};

static void choose(struct arena *arena, const struct model *model, enum check_stage stage,
                   struct chosen *chosen) {
    for (size_t i = 0; i < model->checks.count; i++) {
        const struct check *check = &model->checks.items[i];
        if (check->stage == stage && !check->is_broken) {
            LIST_PUSH(arena, chosen, check);
        }
    }
}

static bool is_met(const struct plan_step *step, const struct check *check) {
    SCRATCH(scratch);
    return step->has_commit && str_list_has(&step->commit.checks, check_identity(&scratch, check));
}

static void choose_new(struct arena *arena, const struct plan_step *step, enum check_stage stage,
                       struct chosen *chosen) {
    struct chosen all = {0};
    choose(arena, step->model, stage, &all);
    for (size_t i = 0; i < all.count; i++) {
        if (!is_met(step, all.items[i])) {
            LIST_PUSH(arena, chosen, all.items[i]);
        }
    }
}

// The name as macros put it into SQL: plain, as a project's own may also show it.
static str table_argument(struct arena *arena, const struct model *model) {
    return str_format(arena, STR_FORMAT "." STR_FORMAT,
                      STR_ARGS(lake_quote_if_needed(arena, model->schema)),
                      STR_ARGS(lake_quote_if_needed(arena, model->name)));
}

// Whether the run evaluates any check: one that changes nothing does not pay for their macros.
static bool any_is_due(const struct runner *runner) {
    for (size_t i = 0; i < runner->models->count; i++) {
        const struct plan_step *step = &runner->plan->steps[i];
        bool due = step->type != RUN_SKIP;
        for (size_t j = 0; j < step->model->checks.count && !due; j++) {
            const struct check *check = &step->model->checks.items[j];
            due = !check->is_broken && !is_met(step, check);
        }
        if (due && step->selected && !step->model->broken) {
            return true;
        }
    }
    return false;
}

enum error_code run_load_checks(struct runner *runner, struct error *err) {
    struct str_list loaded = {0};
    if (!any_is_due(runner)) {
        return ERROR_NONE;
    }
    for (size_t i = 0; i < runner->models->count; i++) {
        const struct model *model = runner->models->items[i];
        for (size_t j = 0; j < model->checks.count; j++) {
            const struct check *check = &model->checks.items[j];
            const str macro =
                str_format(runner->arena, STR_FORMAT STR_FORMAT,
                           STR_ARGS(check_stage_prefix(check->stage)), STR_ARGS(check->call.name));
            if (runner->plan->steps[i].selected && !check->is_broken &&
                !str_list_has_nocase(&loaded, macro)) {
                str_list_push(runner->arena, &loaded, macro);
                TRY(checks_load(runner->session.connection, macro, err));
            }
        }
    }
    return ERROR_NONE;
}

// ── Verdict ──

// The results from `first` on: failures go to the list but for the last, which ends the run.
static enum error_code judge(const struct model *model, const struct run_result *result,
                             struct error_list *errors, size_t first, struct error *err) {
    struct error_list failures;
    error_list_init(&failures, errors->arena);
    for (size_t i = first; i < result->checks.count; i++) {
        check_result_errors(model, &result->checks.items[i], &failures);
    }
    if (failures.count == 0) {
        return ERROR_NONE;
    }
    for (size_t i = 0; i + 1 < failures.count; i++) {
        error_list_add(errors, &failures.items[i]);
    }
    *err = failures.items[failures.count - 1];
    return err->code;
}

// ── Inside the model's transaction ──

static enum error_code enter(struct turn *turn, struct error *err) {
    struct str_list names = {0};
    for (size_t i = 0; i < turn->step->column_count; i++) {
        str_list_push(turn->arena, &names, turn->step->columns[i].name);
    }
    return checks_enter(turn->runner->session.connection, turn->step->model, &names, err);
}

static const struct check_result *find_result(const struct check_result_list *results,
                                              const struct check *check) {
    for (size_t i = 0; i < results->count; i++) {
        if (results->items[i].check == check) {
            return &results->items[i];
        }
    }
    return NULL;
}

// What the attempts before have settled of this moment; NULL: nothing of the check.
static const struct check_result *find_settled(const struct turn *turn, enum check_stage moment,
                                               const struct check *check) {
    return turn->settled.moment == moment ? find_result(&turn->settled.results, check) : NULL;
}

// The results from `first` on go into the next attempt, which begins behind them.
static void settle(struct turn *turn, enum check_stage moment, size_t first) {
    const struct check_result_list *results = &turn->result->checks;
    turn->settled = (struct settled_checks){.moment = moment};
    for (size_t i = first; i < results->count; i++) {
        LIST_PUSH(turn->arena, &turn->settled.results, results->items[i]);
    }
    turn->wants_checks_alone = true;
}

// The checks from `first` on, when there can be no other attempt.
static void leave_unevaluated(struct turn *turn, const struct chosen *chosen, size_t first) {
    const str culprit = chosen->items[first - 1]->at->value;
    for (size_t i = first; i < chosen->count; i++) {
        struct check_result result = {.check = chosen->items[i], .outcome = CHECK_INVALID};
        str_list_push(turn->arena, &result.messages,
                      str_format(turn->arena,
                                 "the rows fetched were gone when " STR_FORMAT " had failed",
                                 STR_ARGS(culprit)));
        LIST_PUSH(turn->arena, &turn->result->checks, result);
    }
}

// One that fails while running ends the transaction, and with it the others' turn.
static enum error_code evaluate_alone(struct turn *turn, enum check_stage moment,
                                      const struct chosen *chosen, str table, struct error *err) {
    struct check_result_list *results = &turn->result->checks;
    const size_t first = results->count;
    bool has_invalid = false;
    for (size_t i = 0; i < chosen->count; i++) {
        const struct check_result *settled = find_settled(turn, moment, chosen->items[i]);
        if (settled != NULL) {
            LIST_PUSH(turn->arena, results, *settled);
            continue;
        }
        const enum error_code code = checks_evaluate(turn->runner->session.connection, turn->arena,
                                                     &chosen->items[i], 1, table, results, err);
        if (code != ERROR_NONE && has_invalid && code != ERROR_CANCELLED) {
            if (turn->fetch != NULL) {
                leave_unevaluated(turn, chosen, i);
                return ERROR_NONE;
            }
            settle(turn, moment, first);
        }
        TRY(code);
        has_invalid = has_invalid || results->items[results->count - 1].outcome == CHECK_INVALID;
    }
    return ERROR_NONE;
}

// Which of several checks has failed while running can only be told one by one, and each that does
// ends the transaction: the turn is taken again for those behind it.  What was fetched is gone by
// then, so a model that fetches goes one by one at once.
static enum error_code evaluate_in_turn(struct turn *turn, enum check_stage moment,
                                        const struct chosen *chosen, str table, struct error *err) {
    struct lake_connection *connection = turn->runner->session.connection;
    struct check_result_list *results = &turn->result->checks;
    const size_t first = results->count;
    TRY(enter(turn, err));
    if (turn->checks_alone || turn->fetch != NULL) {
        TRY(evaluate_alone(turn, moment, chosen, table, err));
    } else {
        const enum error_code code = checks_evaluate(connection, turn->arena, chosen->items,
                                                     chosen->count, table, results, err);
        turn->wants_checks_alone = code != ERROR_NONE && code != ERROR_CANCELLED;
        TRY(code);
    }
    const enum error_code verdict =
        judge(turn->step->model, turn->result, &turn->result->errors, first, err);
    turn->check_failed = verdict != ERROR_NONE;
    return verdict;
}

// As write.inspect.  An incremental run without a new row has nothing to refuse.
static enum error_code inspect_rows(void *self, str table, struct error *err) {
    struct turn *turn = self;
    struct chosen chosen = {0};
    choose(turn->arena, turn->step->model, CHECK_CONSTRAINT, &chosen);
    if (turn->result->run_type == RUN_INCREMENTAL) {
        int64_t rows = 0;
        const str sql =
            str_format(turn->arena, "SELECT count(*) FROM " STR_FORMAT, STR_ARGS(table));
        TRY(lake_query_int64(turn->runner->session.connection, sql, LAKE_NO_VALUES, &rows, NULL,
                             err));
        if (rows == 0) {
            for (size_t i = 0; i < chosen.count; i++) {
                const struct check_result passed = {.check = chosen.items[i],
                                                    .outcome = CHECK_PASSED};
                LIST_PUSH(turn->arena, &turn->result->checks, passed);
            }
            return ERROR_NONE;
        }
    }
    return evaluate_in_turn(turn, CHECK_CONSTRAINT, &chosen, table, err);
}

void turn_watch_rows(struct turn *turn) {
    struct chosen chosen = {0};
    choose(turn->arena, turn->step->model, CHECK_CONSTRAINT, &chosen);
    if (chosen.count > 0) {
        turn->write.inspect = inspect_rows;
        turn->write.inspect_self = turn;
    }
}

// Constraints that the rows written earlier have not met, when this run has not read them all.
static void choose_unmet(struct turn *turn, struct chosen *chosen) {
    const enum model_kind kind = turn->step->model->source.directives.kind;
    if (turn->result->run_type == RUN_INCREMENTAL && !turn->write.table_is_empty &&
        (kind == MODEL_APPEND || kind == MODEL_MERGE)) {
        choose_new(turn->arena, turn->step, CHECK_CONSTRAINT, chosen);
    }
}

enum error_code turn_audit(struct turn *turn, struct error *err) {
    const struct model *model = turn->step->model;
    struct chosen chosen = {0};
    choose_unmet(turn, &chosen);
    choose(turn->arena, model, CHECK_AUDIT, &chosen);
    if (chosen.count == 0) {
        return ERROR_NONE;
    }
    TRY(evaluate_in_turn(turn, CHECK_AUDIT, &chosen, table_argument(turn->arena, model), err));
    turn_step_done(turn, "audit");
    return ERROR_NONE;
}

// A check that this run had no reason to evaluate has passed before.
str turn_checks_json(struct turn *turn) {
    const struct model *model = turn->step->model;
    struct check_result_list results = {0};
    for (size_t i = 0; i < model->checks.count; i++) {
        const struct check *check = &model->checks.items[i];
        const struct check_result *found = find_result(&turn->result->checks, check);
        struct check_result result = {.check = check, .outcome = CHECK_PENDING};
        if (check->is_broken) {
            LIST_PUSH(turn->arena, &results, check_result_broken(turn->arena, check));
            continue;
        }
        if (found != NULL) {
            result = *found;
        } else if (check->stage != CHECK_WARNING) {
            result.outcome = CHECK_PASSED;
        }
        if (found != NULL || check->stage == CHECK_WARNING || is_met(turn->step, check)) {
            LIST_PUSH(turn->arena, &results, result);
        }
    }
    return results.count > 0 ? check_results_json(turn->arena, &results) : (str){0};
}

// ── Over the table as it is ──

struct look {
    struct runner *runner;
    struct plan_step *step;
    struct arena *arena;
    struct run_result *result;
};

// The commit that warnings compare with; 0: none, or it cannot be read any more, as it or the first
// change since was expired.
static enum error_code find_previous(struct look *look, int64_t *snapshot, struct error *err) {
    struct lake_connection *connection = look->runner->session.connection;
    const int64_t previous = look->step->has_commit ? look->step->commit.snapshot : 0;
    bool exists = false;
    bool next_exists = false;
    *snapshot = 0;
    if (previous > 0) {
        TRY(lake_snapshot_exists(connection, previous, &exists, err));
        TRY(lake_snapshot_exists(connection, previous + 1, &next_exists, err));
        *snapshot = exists && next_exists ? previous : 0;
    }
    return ERROR_NONE;
}

static enum error_code look_enter(struct look *look, struct error *err) {
    struct runner *runner = look->runner;
    const struct plan_step *step = look->step;
    struct lake_table table;
    struct str_list names = {0};
    bool found = false;
    int64_t previous = 0;
    TRY(run_enter_sources(runner, step->model, err));
    TRY(find_previous(look, &previous, err));
    TRY(session_enter_model(&runner->session, step->model->target, previous, err));
    TRY(lake_table_find(runner->session.connection, look->arena, step->model->schema,
                        step->model->name, &table, &found, err));
    for (size_t i = 0; found && i < table.column_count; i++) {
        str_list_push(look->arena, &names, table.columns[i].name);
    }
    return checks_enter(runner->session.connection, step->model, &names, err);
}

static enum error_code evaluate_committed(struct look *look, const struct check *const *checks,
                                          size_t count, struct error *err) {
    struct lake_connection *connection = look->runner->session.connection;
    int64_t now = 0;
    TRY(lake_begin(connection, err));
    enum error_code code = lake_current_snapshot(connection, &now, err);
    if (code == ERROR_NONE) {
        code = lake_set_variable(connection, STR("curr_snapshot"), lake_value_int64(now), err);
    }
    if (code == ERROR_NONE) {
        code = checks_evaluate(connection, look->arena, checks, count,
                               table_argument(look->arena, look->step->model),
                               &look->result->checks, err);
    }
    lake_rollback(connection);
    return code;
}

static enum error_code look_at(struct look *look, const struct chosen *chosen, struct error *err) {
    TRY(look_enter(look, err));
    const enum error_code code = evaluate_committed(look, chosen->items, chosen->count, err);
    if (code == ERROR_NONE || code == ERROR_CANCELLED) {
        return code;
    }
    for (size_t i = 0; i < chosen->count; i++) {
        TRY(evaluate_committed(look, &chosen->items[i], 1, err));
    }
    return ERROR_NONE;
}

// A warning never fails a model, also when it cannot be evaluated.
static void look_for_warnings(struct look *look, const struct chosen *chosen) {
    struct run_result *result = look->result;
    const size_t first = result->checks.count;
    struct error err;
    if (chosen->count == 0) {
        return;
    }
    enum error_code code = look_at(look, chosen, &err);
    if (code == ERROR_NONE) {
        code = judge(look->step->model, result, &result->warnings, first, &err);
    }
    if (code != ERROR_NONE) {
        error_list_add(&result->warnings, &err);
    }
}

void run_warnings(struct runner *runner, struct plan_step *step, struct arena *scratch,
                  struct run_result *result) {
    struct look look = {runner, step, scratch, result};
    struct chosen chosen = {0};
    choose(scratch, step->model, CHECK_WARNING, &chosen);
    look_for_warnings(&look, &chosen);
}

enum error_code run_new_checks(struct runner *runner, struct plan_step *step, struct arena *scratch,
                               struct run_result *result, struct error *err) {
    struct look look = {runner, step, scratch, result};
    struct chosen blocking = {0};
    struct chosen warnings = {0};
    choose_new(scratch, step, CHECK_CONSTRAINT, &blocking);
    choose_new(scratch, step, CHECK_AUDIT, &blocking);
    choose_new(scratch, step, CHECK_WARNING, &warnings);
    if (blocking.count + warnings.count == 0) {
        return ERROR_NONE;
    }
    if (blocking.count > 0) {
        TRY(look_at(&look, &blocking, err));
        TRY(judge(step->model, result, &result->errors, 0, err));
    }
    look_for_warnings(&look, &warnings);
    return ERROR_NONE;
}

str run_checks_log(struct arena *arena, const struct run_result *result) {
    const struct check_list *checks = &result->model->checks;
    struct check_result_list results = {0};
    for (size_t i = 0; i < result->checks.count; i++) {
        LIST_PUSH(arena, &results, result->checks.items[i]);
    }
    for (size_t i = 0; i < checks->count && result->skipped_because.size == 0; i++) {
        if (checks->items[i].is_broken) {
            LIST_PUSH(arena, &results, check_result_broken(arena, &checks->items[i]));
        }
    }
    return results.count > 0 ? check_results_json(arena, &results) : (str){0};
}

void run_checks_met(struct arena *arena, const struct plan_step *step,
                    const struct run_result *result, struct str_list *met) {
    const struct commit *commit = &step->commit;
    for (size_t i = commit->checks_committed; i < commit->checks.count; i++) {
        str_list_push(arena, met, commit->checks.items[i]);
    }
    for (size_t i = 0; i < result->checks.count; i++) {
        const struct check *check = result->checks.items[i].check;
        if (!is_met(step, check)) {
            str_list_push(arena, met, check_identity(arena, check));
        }
    }
}
