// Two measurements of contexts (struct star_thread) that a command line cannot make:
//
//     build/release/bench_starlark_contexts scaling [THREADS]   contexts in parallel on one frozen
//     module build/release/bench_starlark_contexts flat [SECONDS]      memory of one call that
//     loops
//
// scaling: each context calls one function of the shared module, a fixed number of times.  "wall"
// is what the machine gives: on a busy one, look at "cpu", the work a call costs when others run
// beside it, as a share of what it costs alone: locks, shared cache lines and allocation show there
// too. flat: the call makes garbage all the time; the resident memory must not depend on how long
// it runs.

#include "starlark/starlark.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 400, THREADS_MAX = 64, SAMPLE_STEPS = 1000000 };

static const char script[] =
    "STATUS = {'new': 'NEW', 'paid': 'PAID'}\n"
    "ROWS = [{'_id': i, 'id': i, 'name': 'Ada L %d' % i, 'amount': i * 1.5, 'status': 'new'}\n"
    "        for i in range(500)]\n"
    "def push(round):\n"
    "    out = []\n"
    "    for row in ROWS:\n"
    "        clean = {k: v for k, v in row.items() if not k.startswith('_')}\n"
    "        clean['status'] = STATUS.get(row['status'], 'OTHER')\n"
    "        clean['name'] = clean['name'].strip().upper() + str(round)\n"
    "        out.append(clean)\n"
    "    return len(out)\n"
    "def forever(round):\n"
    "    kept = {}\n"
    "    while True:\n"
    "        round += push(round)\n"
    "        kept[round % 1000] = [str(round)] * 10\n";

static double seconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static struct star_module *module_new(struct star_thread *thread) {
    const struct star_source source = {.file = "contexts.star",
                                       .text = script,
                                       .size = strlen(script),
                                       .dialect = STAR_DIALECT_SCRIPT};
    struct star_program *program = star_compile(&source, NULL);
    const struct star_environment environment = {0};
    struct star_module *module =
        program == NULL ? NULL : star_module_init(thread, program, &environment);
    if (module == NULL) {
        (void)fprintf(stderr, "the module failed: %s\n", star_thread_error_text(thread));
        exit(1);
    }
    star_program_free(program);
    return module;
}

// ---- scaling ------------------------------------------------------------------------------------

struct worker {
    pthread_t handle;
    struct star_module *module;
    double cpu_seconds;
};

static void *work(void *user) {
    struct worker *worker = user;
    struct star_thread *thread = star_thread_new(NULL);
    const double start = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < CALLS; i++) {
        const star_value round = star_int(thread, i);
        const struct star_arguments arguments = {&round, 1, NULL, 0};
        if (star_is_error(star_call(thread, worker->module, "push", &arguments))) {
            (void)fprintf(stderr, "%s\n", star_thread_error_text(thread));
            exit(1);
        }
        star_thread_reset(thread);
    }
    worker->cpu_seconds = seconds_of(CLOCK_THREAD_CPUTIME_ID) - start;
    star_thread_free(thread);
    return NULL;
}

struct timing {
    double wall;
    double cpu; // of one context, on average
};

static struct timing run_contexts(struct star_module *module, long count) {
    struct worker workers[THREADS_MAX];
    const double start = seconds_of(CLOCK_MONOTONIC);
    for (long i = 0; i < count; i++) {
        workers[i].module = module;
        if (pthread_create(&workers[i].handle, NULL, work, &workers[i]) != 0) {
            (void)fprintf(stderr, "no thread\n");
            exit(1);
        }
    }
    struct timing timing = {0};
    for (long i = 0; i < count; i++) {
        pthread_join(workers[i].handle, NULL);
        timing.cpu += workers[i].cpu_seconds / (double)count;
    }
    timing.wall = seconds_of(CLOCK_MONOTONIC) - start;
    return timing;
}

// The best of some runs of each kind, taken in turns.
static void measure_scaling(struct star_module *module, long threads) {
    enum { ROUNDS = 9 };
    struct timing one = {1e9, 1e9};
    struct timing many = {1e9, 1e9};
    for (int i = 0; i < ROUNDS; i++) {
        const struct timing a = run_contexts(module, 1);
        const struct timing b = run_contexts(module, threads);
        one.wall = a.wall < one.wall ? a.wall : one.wall;
        one.cpu = a.cpu < one.cpu ? a.cpu : one.cpu;
        many.wall = b.wall < many.wall ? b.wall : many.wall;
        many.cpu = b.cpu < many.cpu ? b.cpu : many.cpu;
    }
    printf("1 context:   %.3f s wall, %.3f s cpu\n", one.wall, one.cpu);
    printf("%ld contexts:  %.3f s wall, %.3f s cpu each\n", threads, many.wall, many.cpu);
    printf("of linear:   %.2f by wall, %.2f by cpu\n", one.wall / many.wall, one.cpu / many.cpu);
}

// ---- flat ---------------------------------------------------------------------------------------

struct watch {
    double start;
    double next; // when to look again
    long lowest_kb;
    long highest_kb;
};

static long resident_kb(void) {
    long size = 0;
    long resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld", &size, &resident) != 2) { // NOLINT: a kernel's text
        (void)fprintf(stderr, "no /proc\n");
        exit(1);
    }
    (void)fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void look(void *user, struct star_thread *thread) {
    struct watch *watch = user;
    const double now = seconds_of(CLOCK_MONOTONIC) - watch->start;
    if (now < watch->next) {
        return;
    }
    const long kb = resident_kb();
    watch->lowest_kb = kb < watch->lowest_kb ? kb : watch->lowest_kb;
    watch->highest_kb = kb > watch->highest_kb ? kb : watch->highest_kb;
    printf("%7.1f s  %7ld KB resident  %7zu KB heap  %12llu steps\n", now, kb,
           star_thread_memory(thread) / 1024, (unsigned long long)star_thread_steps(thread));
    (void)fflush(stdout);
    watch->next = watch->next < 1                      ? 1
                  : watch->next * 2 < watch->next + 30 ? watch->next * 2
                                                       : watch->next + 30;
}

static void measure_flat(struct star_module *module, long seconds) {
    const struct star_thread_options options = {
        .limits = {.depth = 100, .time_us = (uint64_t)seconds * 1000000}};
    struct star_thread *thread = star_thread_new(&options);
    struct watch watch = {.start = seconds_of(CLOCK_MONOTONIC), .lowest_kb = INT32_MAX};
    star_thread_sample(thread, SAMPLE_STEPS, look, &watch);
    const star_value round = star_int(thread, 0);
    const struct star_arguments arguments = {&round, 1, NULL, 0};
    const star_value result = star_call(thread, module, "forever", &arguments);
    printf("ended by: %s\n",
           star_is_error(result) ? star_thread_error(thread)->message : "itself, which is wrong");
    printf("resident: %ld to %ld KB\n", watch.lowest_kb, watch.highest_kb);
    star_thread_free(thread);
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    const long number = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    struct star_thread *thread = star_thread_new(NULL);
    struct star_module *module = module_new(thread);
    if (strcmp(what, "scaling") == 0 && number >= 0 && number <= THREADS_MAX) {
        measure_scaling(module, number > 0 ? number : sysconf(_SC_NPROCESSORS_ONLN));
    } else if (strcmp(what, "flat") == 0) {
        measure_flat(module, number > 0 ? number : 600);
    } else {
        (void)fprintf(stderr,
                      "usage: bench_starlark_contexts scaling [THREADS] | flat [SECONDS]\n");
        return 2;
    }
    star_module_free(module);
    star_thread_free(thread);
    return 0;
}
