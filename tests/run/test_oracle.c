// The oracle: random models over random edits, run for real, compared with the full query after
// every run (models.md §5.3, §6.4, §19).
//
//   test_run_oracle                     the test of `./dev test`
//   test_run_oracle --seeds FROM TO     worlds FROM..TO, each of several sequences
//   test_run_oracle --hard FROM TO      likewise, with the queries of oracle_hard.h
//   test_run_oracle --soak RECORD FROM WORLDS PROCESSES   thousands of them (`./dev soak`)
//   test_run_oracle --case SEED MODELS EDITS   one case again, with all that was done
//
// A failing case is made smaller (models, then edits are taken away as long as it still fails) and
// left behind as a project with the script of its edits.
#include "support/unit.h"

#include "run/oracle_check.h"
#include "run/oracle_soak.h"

enum {
    SEQUENCES_MIN = 500, // that the test plays at least
    UNLIMITED_SECONDS = 1000000,
};

// A sanitizer makes it ten times slower, and looks for something else.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER
#endif
#ifdef HAS_SANITIZER
enum { DEFAULT_WORLDS = 4 };
#else
enum { DEFAULT_WORLDS = (SEQUENCES_MIN + ORACLE_MODELS - 1) / ORACLE_MODELS };
#endif

static str as_transaction(struct oracle_world *w, str edit) {
    return str_format(&w->arena, "BEGIN;" STR_FORMAT ";COMMIT", STR_ARGS(edit));
}

static void world_edit(struct oracle_world *w, int round) {
    int64_t since_us = clock_monotonic_us(&w->context.clock);
    struct dice dice = dice_of(w->test->seed, (uint64_t)round + 1000);
    const int edits = round == 0 ? 0 : 1 + dice_below(&dice, ORACLE_EDITS_MAX);
    for (int i = 0; i < edits; i++) {
        const str edit = make_edit(&w->arena, &dice);
        if ((w->test->edits >> (round * ORACLE_EDITS_MAX + i) & 1) != 0) {
            (void)world_execute(w, as_transaction(w, edit));
        }
    }
    world_phase(w, PHASE_EDIT, &since_us);
}

// Sometimes an edit waits until the run is under way.
static bool world_plan_intrusion(struct oracle_world *w, int round) {
    enum { PERCENT = 25 };
    struct dice dice = dice_of(w->test->seed, (uint64_t)round + 2000);
    const bool wanted = dice_chance(&dice, PERCENT);
    const size_t at = (size_t)dice_below(&dice, ORACLE_MODELS);
    str edit = make_edit(&w->arena, &dice);
    while (str_find(edit, STR("COMMIT")) != SIZE_MAX) { // one snapshot, so that two states are all
        edit = make_edit(&w->arena, &dice);
    }
    w->intrusion = (struct oracle_intrusion){0};
    if (!wanted || (w->test->edits >> (ORACLE_INTRUSION_BIT + round) & 1) == 0) {
        return false;
    }
    int64_t since_us = clock_monotonic_us(&w->context.clock);
    w->intrusion.sources = copy_make(w, true);
    w->intrusion.edit = as_transaction(w, edit);
    w->intrusion.at = at;
    world_phase(w, PHASE_COPY, &since_us);
    return true;
}

// Now and then what is asked for changes, not what is there.
static void world_plan_changes(struct oracle_world *w, int round) {
    enum { DEFINITION_PERCENT = 25, REFRESH_PERCENT = 4 };
    struct dice dice = dice_of(w->test->seed, (uint64_t)round + 3000);
    const bool refreshes = dice_chance(&dice, REFRESH_PERCENT);
    const bool redefines = dice_chance(&dice, DEFINITION_PERCENT);
    w->refreshes = refreshes && (w->test->edits >> (ORACLE_REFRESH_BIT + round) & 1) != 0;
    if (round > 0 && redefines && (w->test->edits >> (ORACLE_DEFINITION_BIT + round) & 1) != 0) {
        redefine_model(w, &dice);
    }
}

static int world_run_and_check(struct oracle_world *w, int was) {
    int64_t since_us = clock_monotonic_us(&w->context.clock);
    world_run(w);
    world_phase(w, PHASE_RUN, &since_us);
    return world_check(w, was);
}

// What edits break shows after the first or the second one, mostly; now and then it takes more.
static int world_rounds(uint64_t seed) {
    static const int ROUNDS[] = {1, 2, 2, 2, 2, 3, 3, ORACLE_ROUNDS};
    struct dice dice = dice_of(seed, 3);
    return DICE_PICK(&dice, ROUNDS);
}

static void world_play(struct oracle_world *w) {
    int was = 0;
    const int rounds = world_rounds(w->test->seed);
    for (int round = 0; round <= rounds && !w->failed; round++) {
        world_edit(w, round);
        world_plan_changes(w, round);
        const bool intruded = world_plan_intrusion(w, round);
        was = world_run_and_check(w, was);
        if (intruded && round % 2 == 0 &&
            !w->failed) { // every other time at once, not with more edits
            w->intrusion = (struct oracle_intrusion){0};
            w->refreshes = false;
            was = world_run_and_check(w, was);
        }
    }
}

// A world from its making to its end; true when it failed.
static bool world_live(struct oracle_world *w, const struct oracle_case *test,
                       struct oracle_count *count) {
    const struct clock clock = clock_system();
    int64_t since_us = clock_monotonic_us(&clock);
    const bool opened = world_open(w, test, count);
    world_phase(w, PHASE_OPEN, &since_us);
    if (opened) {
        world_play(w);
    }
    return w->failed;
}

static void world_leave(struct oracle_world *w, struct oracle_count *count, bool keep) {
    const struct clock clock = clock_system();
    const int64_t since_us = clock_monotonic_us(&clock);
    world_close(w, keep);
    count->phase_us[PHASE_CLOSE] += clock_monotonic_us(&clock) - since_us;
}

// Whether the case fails; *failure then says how, and *model which.
static bool case_fails(const struct oracle_case *test, struct oracle_count *count, int *model,
                       char *failure, size_t failure_size) {
    struct oracle_world w;
    const bool failed = world_live(&w, test, count);
    *model = w.failed_model;
    (void)snprintf(failure, failure_size, "%s", w.failure);
    world_leave(&w, count, false);
    return failed;
}

// Whether a part of the case fails in the same way.
static bool still_fails(const struct oracle_case *test, struct oracle_count *count, int model,
                        const char *failure) {
    static const char *const WAYS[] = {"rows differ",    "without cause", "took duplicate",
                                       "rows where",     "a snapshot",    "no snapshot",
                                       "the columns of", "a failed run",  "the check itself"};
    char message[ORACLE_FAILURE_SIZE];
    int now = 0;
    if (!case_fails(test, count, &now, message, sizeof(message)) || now != model) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_COUNT(WAYS); i++) {
        if ((strstr(message, WAYS[i]) != NULL) != (strstr(failure, WAYS[i]) != NULL)) {
            return false;
        }
    }
    return true;
}

static void case_shrink(struct oracle_case *test, struct oracle_count *count, int model,
                        const char *failure) {
    struct oracle_case alone = *test;
    alone.models &= 1ULL << model;
    if (still_fails(&alone, count, model, failure)) {
        *test = alone;
    }
    for (int i = 0; i < ORACLE_BITS; i++) {
        struct oracle_case smaller = *test;
        smaller.edits &= ~(1ULL << i);
        if (still_fails(&smaller, count, model, failure)) {
            *test = smaller;
        }
    }
}

// Plays the case with all that is done on standard error, and keeps its folder.
static void case_show(const struct oracle_case *test, struct oracle_count *count) {
    struct oracle_world w;
    (void)world_live(&w, test, count);
    world_file(&w, "script.sql", text_str(&w.script));
    (void)fprintf(stderr, "seed %llu: %s\n", (unsigned long long)test->seed,
                  w.failed ? w.failure : "as it should be");
    for (int i = 0; i < ORACLE_MODELS; i++) {
        if (w.models[i].on) {
            (void)fprintf(stderr, STR_FORMAT ":\n" STR_FORMAT STR_FORMAT "\n",
                          STR_ARGS(w.models[i].target), STR_ARGS(model_header(&w, &w.models[i])),
                          STR_ARGS(w.models[i].body));
        }
    }
    (void)fprintf(stderr, "%sin %s; again: --case %llu %llu %llu\n", text_cstring(&w.script),
                  w.folder, (unsigned long long)test->seed, (unsigned long long)test->models,
                  (unsigned long long)test->edits);
    world_leave(&w, count, true);
}

static struct oracle_case case_of(uint64_t seed) {
    return (struct oracle_case){seed, (1ULL << ORACLE_MODELS) - 1, ~0ULL, NULL};
}

static void count_init(struct oracle_count *count, struct arena *arena) {
    *count = (struct oracle_count){0};
    map_init(&count->shapes, arena);
}

static void count_print(const struct oracle_count *count, uint64_t from, uint64_t to) {
    (void)fprintf(
        stderr,
        "seeds %llu to %llu: %lld sequences, %lld runs, %lld rightly failed, %lld edits while "
        "a run was under way\n",
        (unsigned long long)from, (unsigned long long)to, (long long)count->sequences,
        (long long)count->runs, (long long)count->failures, (long long)count->intrusions);
    static const char *const PHASES[] = {"open", "edit", "run", "copy", "check", "close"};
    for (size_t i = 0; i < ARRAY_COUNT(PHASES); i++) {
        (void)fprintf(stderr, "%s%s %.1f s", i > 0 ? ", " : "  ", PHASES[i],
                      (double)count->phase_us[i] / 1e6);
    }
    (void)fprintf(stderr, "\n");
    for (size_t i = 0; i < count->shapes.count; i++) {
        (void)fprintf(stderr, "%10lld " STR_FORMAT "\n",
                      (long long)*(int64_t *)count->shapes.entries[i].value,
                      STR_ARGS(count->shapes.entries[i].key));
    }
}

// Plays worlds until one fails, which is then made smaller and shown, or the time is over: *to then
// is the first that was not played.
static bool seeds_pass(uint64_t from, uint64_t *to, uint64_t seconds, struct oracle_count *count) {
    const struct clock clock = clock_system();
    const int64_t until_us = clock_monotonic_us(&clock) + (int64_t)seconds * 1000000;
    for (uint64_t seed = from; seed < *to; seed++) {
        if (clock_monotonic_us(&clock) > until_us) {
            *to = seed;
            return true;
        }
        struct oracle_case test = case_of(seed);
        char failure[ORACLE_FAILURE_SIZE];
        int model = 0;
        if (case_fails(&test, count, &model, failure, sizeof(failure))) {
            (void)fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, failure);
            case_shrink(&test, count, model, failure);
            case_show(&test, count);
            return false;
        }
    }
    return true;
}

static bool soak_play(uint64_t from, uint64_t to, struct oracle_count *count) {
    return seeds_pass(from, &to, UNLIMITED_SECONDS, count);
}

static bool seeds_pass_and_tell(uint64_t from, uint64_t to, uint64_t seconds, int64_t *sequences) {
    SCRATCH(arena);
    struct oracle_count count;
    count_init(&count, &arena);
    const bool pass = seeds_pass(from, &to, seconds, &count);
    if (pass) {
        count_print(&count, from, to);
    }
    *sequences = count.sequences;
    return pass;
}

static uint64_t environment_number(const char *name, uint64_t otherwise) {
    uint64_t value = otherwise;
    return str_parse_uint64(str_from(getenv(name)), &value) ? value : otherwise;
}

// COYPU_ORACLE_SEED moves to other cases, COYPU_ORACLE_WORLDS says how many, COYPU_ORACLE_SECONDS
// when to stop: nothing does by itself, as a busy machine is no reason to check less, or to fail.
static void every_model_equals_its_full_query(void **state) {
    (void)state;
    const uint64_t from = environment_number("COYPU_ORACLE_SEED", 1);
    const uint64_t worlds = environment_number("COYPU_ORACLE_WORLDS", DEFAULT_WORLDS);
    const uint64_t seconds = environment_number("COYPU_ORACLE_SECONDS", UNLIMITED_SECONDS);
    int64_t sequences = 0;
    if (!seeds_pass_and_tell(from, from + worlds, seconds, &sequences)) {
        fail_msg("a world failed: see above");
    }
}

// Each query as a merge twice, and once as an append.
static void hard_queries_equal_themselves(void **state) {
    (void)state;
    enum { WORLDS = (3 * HARD_QUERY_COUNT + ORACLE_MODELS - 1) / ORACLE_MODELS, SECONDS = 120 };
    const uint64_t worlds = environment_number("COYPU_ORACLE_HARD_WORLDS", WORLDS);
    int64_t sequences = 0;
    if (!seeds_pass_and_tell(ORACLE_HARD_SEED, ORACLE_HARD_SEED + worlds, SECONDS, &sequences)) {
        fail_msg("a world failed: see above");
    }
}

// The mistakes that the oracle is for, each with a query that it harms, under random edits: a test
// of the test.
static void every_planted_bug_is_found(void **state) {
    (void)state;
    enum { SCD2 = ORACLE_MODELS - 2, TRACKED = ORACLE_MODELS - 1 };
    static const struct {
        const char *name;
        const char *body; // of model 1; NULL: what the seeds give
        uint64_t models;  // 0: model 1
        uint64_t from;    // the first seed
    } BUGS[] = {
        {.name = "PB_DELTA_AGGREGATE",
         .body = "SELECT k AS key, sum(v)::BIGINT AS v1, count(*) AS v2 FROM raw.a "
                 "WHERE k IS NOT NULL GROUP BY k"},
        {.name = "PB_DIMENSION",
         .body = "SELECT a.k AS key, max(b.v) AS v1, count(*) AS v2 FROM raw.a AS a JOIN "
                 "raw.b AS b ON a.k = b.id WHERE a.k IS NOT NULL GROUP BY a.k"},
        {.name = "PB_SELF_JOIN",
         .body = "SELECT t0.k AS key, max(t1.v) AS v1, count(*) AS v2 FROM raw.a AS t0 "
                 "JOIN raw.a AS t1 ON t0.k = t1.id WHERE t0.k IS NOT NULL GROUP BY t0.k"},
        {.name = "PB_WINDOW",
         .body = "SELECT id AS key, sum(v) OVER (PARTITION BY g)::BIGINT AS v1, s AS v2 FROM "
                 "raw.a WHERE id IS NOT NULL QUALIFY row_number() OVER (PARTITION BY id "
                 "ORDER BY k, g, v, s) = 1"},
        {.name = "PB_EXCEPT",
         .models = (1ULL << ORACLE_MODELS) - 1,
         .from = 5}, // shows in the appends of that world
        {.name = "PB_STALE_BASE",
         .body = "SELECT k AS key, sum(v)::BIGINT AS v1, count(*) AS v2 FROM raw.a "
                 "WHERE k IS NOT NULL GROUP BY k"},
        {.name = "PB_EARLY_SNAPSHOT",
         .body = "SELECT k AS key, sum(v)::BIGINT AS v1, count(*) AS v2 FROM raw.a "
                 "WHERE k IS NOT NULL GROUP BY k"},
        {.name = "PB_LATE_CLOSE", .models = 1ULL << SCD2, .from = 1},
        {.name = "PB_ALL_GROUPS", .models = 1ULL << TRACKED, .from = 1},
    };
    enum { WORLDS = 20 };
#ifndef COYPU_CRASH_POINTS
    skip();
#endif
    SCRATCH(arena);
    struct oracle_count count;
    count_init(&count, &arena);
    for (size_t i = 0; i < ARRAY_COUNT(BUGS); i++) {
        struct oracle_case test = {.seed = BUGS[i].from > 0 ? BUGS[i].from : 1,
                                   .models = BUGS[i].models > 0 ? BUGS[i].models : 1 << 1,
                                   .edits = ~0ULL,
                                   .body = BUGS[i].body};
        const uint64_t from = test.seed;
        bool found = false;
        (void)setenv("COYPU_PLANT_BUG", BUGS[i].name, 1);
        for (; test.seed < from + WORLDS && !found; test.seed++) {
            char failure[ORACLE_FAILURE_SIZE];
            int model = 0;
            found = case_fails(&test, &count, &model, failure, sizeof(failure));
        }
        (void)unsetenv("COYPU_PLANT_BUG");
        if (!found) {
            fail_msg("%s: no world of %d shows it", BUGS[i].name, WORLDS);
        }
        (void)fprintf(stderr, "%s: found in world %llu\n", BUGS[i].name,
                      (unsigned long long)test.seed - 1);
    }
}

static int main_case(const uint64_t *numbers) {
    SCRATCH(arena);
    struct oracle_count counts;
    count_init(&counts, &arena);
    case_show(&(struct oracle_case){numbers[0], numbers[1], numbers[2], NULL}, &counts);
    return 0;
}

static int main_soak(const char *record, const uint64_t *numbers) {
    struct soak soak = {
        .record = record, .from = numbers[0], .worlds = numbers[1], .play = soak_play};
    return soak_run(&soak, numbers[2]) ? 0 : 1;
}

int main(int count, char **arguments) {
    uint64_t numbers[3] = {0};
    const bool soaks = count == 6 && strcmp(arguments[1], "--soak") == 0;
    const int first = soaks ? 3 : 2;
    for (int i = first; i < count && i < first + 3; i++) {
        if (!str_parse_uint64(str_from(arguments[i]), &numbers[i - first])) {
            return 2;
        }
    }
    if (soaks) {
        return main_soak(arguments[2], numbers);
    }
    const bool is_hard = count == 4 && strcmp(arguments[1], "--hard") == 0;
    if (is_hard || (count == 4 && strcmp(arguments[1], "--seeds") == 0)) {
        const uint64_t offset = is_hard ? ORACLE_HARD_SEED : 0;
        int64_t sequences = 0;
        return seeds_pass_and_tell(offset + numbers[0], offset + numbers[1], UNLIMITED_SECONDS,
                                   &sequences)
                   ? 0
                   : 1;
    }
    if (count == 5 && strcmp(arguments[1], "--case") == 0) {
        return main_case(numbers);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_planted_bug_is_found),
        cmocka_unit_test(every_model_equals_its_full_query),
        cmocka_unit_test(hard_queries_equal_themselves),
    };
    return cmocka_run_group_tests_name("run_oracle", tests, NULL, NULL);
}
