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
        if (model != NULL && plan_step_of(plan, model)->has_commit) {
            commit_progress_take(plan->arena, &plan_step_of(plan, model)->commit,
                                 runs.items[i].metadata);
        }
    }
    for (size_t i = 0; i < plan->models->count; i++) {
        plan_decide(plan, &plan->steps[i]);
    }
}
