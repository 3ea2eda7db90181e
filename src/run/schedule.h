#ifndef RUN_SCHEDULE_H
#define RUN_SCHEDULE_H

// Which model of a run is next, on which thread, and in which order is told what became of it.
//
// Jobs stand in the order of the graph, ties by target.  A thread takes the first job whose sources
// are all done.  Results are told in the order of the jobs, so that the output does not depend on
// the number of threads.  Threads beyond the caller's are started only when two models have
// something to do at the same time: a run that skips everything never has them.
//
// Threads: schedule_run is called by one; run_events come one at a time, from any thread of the
// run.  For use inside run/ only.

#include "run/runner.h"

struct run_entry_list {
    struct state_run *items;
    size_t count;
    size_t capacity;
};

enum job_state { JOB_WAITING, JOB_RUNNING, JOB_DONE };

struct run_job {
    struct plan_step *step;
    size_t number;           // of all, from 1
    struct model_list apart; // that come before it and must be done, though it reads none of them
    enum job_state state;
    struct arena arena; // of the result
    struct run_result result;
    int64_t started_us; // wall clock
    str first_error;    // once it was told
};

// Runs the selected models.  Counts into the summary; adds entries for the run log, which live in
// the arena.  Nothing fails here: what goes wrong is in the results.
void schedule_run(struct runner *runner, struct run_summary *summary, struct arena *arena,
                  struct run_entry_list *log);

// One job on the thread of `runner`: everything but the telling.
void run_job(struct runner *runner, struct run_job *job);

// How many other models run or could run now.  One: nobody waits for the write lock.
bool schedule_has_company(struct schedule *schedule);

#endif
