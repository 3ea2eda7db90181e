// The plan's second source of facts, the state store.
//
// The lake forgets what is expired, and never knew of runs that wrote nothing.  Both are taken only
// where they speak of the very table and commit at hand: a table that was dropped and made again,
// or a lake restored from a backup, is another one.
#include "plan/plan.h"
#include "state/state.h"

enum { LOG_ENTRIES_PER_MODEL = 4 }; // newest ones that are looked through

// Of a commit that the lake still has: how far its inputs were seen.  Of one that was expired: all
// of it.
static void take_kept(struct plan *plan, const struct state_kept_commit *kept) {
    const struct model *model = models_find(plan->models, kept->target);
    struct plan_step *step = model == NULL ? NULL : plan_step_of(plan, model);
    if (step == NULL || !step->table_exists || step->table_id != kept->table_id) {
        return;
    }
    if (!step->has_commit && kept->snapshot < plan->oldest_snapshot) {
        str target;
        step->has_commit =
            commit_read(plan->arena, kept->snapshot, kept->extra_info, &target, &step->commit);
    }
    if (step->has_commit && step->commit.snapshot == kept->snapshot &&
        kept->read_snapshot > step->commit.read_snapshot) {
        step->commit.read_snapshot = kept->read_snapshot;
    }
}

// Another program has expired the model's commit, but the log still knows that it wrote this very
// table.
static void take_lost(const struct plan *plan, struct plan_step *step,
                      const struct state_run *run) {
    const bool succeeded = str_equal(run->status, STR("ok")) || str_equal(run->status, STR("skip"));
    const int64_t snapshot =
        run->snapshot > 0 ? run->snapshot : commit_progress_snapshot(run->metadata);
    if (!succeeded || !step->table_exists || snapshot < step->table_since || snapshot == 0 ||
        snapshot >= plan->oldest_snapshot) {
        return;
    }
    step->has_commit = true;
    step->commit_is_lost = true;
    step->commit = (struct commit){
        .snapshot = snapshot,
        .read_snapshot = snapshot,
        .kind = run->kind,
    };
}

void plan_take_log(struct plan *plan, struct state *state) {
    struct state_kept_list kept = {0};
    struct state_run_list runs = {0};
    struct error ignored;
    const int64_t limit = LOG_ENTRIES_PER_MODEL * (int64_t)plan->models->count;
    if (limit == 0 || state_kept_read(state, plan->arena, &kept, &ignored) != ERROR_NONE ||
        state_run_history(state, plan->arena, (str){0}, limit, &runs, &ignored) != ERROR_NONE) {
        return;
    }
    for (size_t i = 0; i < kept.count; i++) {
        take_kept(plan, &kept.items[i]);
    }
    for (size_t i = 0; i < runs.count; i++) {
        const struct model *model = models_find(plan->models, runs.items[i].target);
        struct plan_step *step = model == NULL ? NULL : plan_step_of(plan, model);
        if (step != NULL && !step->has_commit) {
            take_lost(plan, step, &runs.items[i]);
        } else if (step != NULL && !step->commit_is_lost) {
            commit_progress_take(plan->arena, &step->commit, runs.items[i].metadata);
        }
    }
    for (size_t i = 0; i < plan->models->count; i++) {
        plan_decide(plan, &plan->steps[i]);
    }
}
