#ifndef TESTS_RUN_ORACLE_WORLD_H
#define TESTS_RUN_ORACLE_WORLD_H

// One world of the oracle: a lake with three source tables, some models over them, and rounds of
// edits with a run after each.  After every run each table is compared with what its kind promises
// (models.md §5), computed from the full query (oracle_check.h).
//
// One DuckDB session serves all runs of a world, so that a run costs milliseconds.

#include "run/oracle_edit.h"
#include "run/oracle_hard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/file.h"
#include "lake/attach.h"
#include "lake/result.h"
#include "lake/script.h"
#include "lake/snapshot.h"
#include "lake/transaction.h"
#include "run/runner.h"

enum {
    ORACLE_MODELS = 16, // the last two are tracked and scd2
    ORACLE_ROUNDS = 4,  // of edits, at most
    ORACLE_EDITS_MAX = 3,
    ORACLE_INTRUSION_BIT = (ORACLE_ROUNDS + 1) * ORACLE_EDITS_MAX,
    ORACLE_DEFINITION_BIT = ORACLE_INTRUSION_BIT + ORACLE_ROUNDS + 1,
    ORACLE_REFRESH_BIT = ORACLE_DEFINITION_BIT + ORACLE_ROUNDS + 1,
    ORACLE_BITS = ORACLE_REFRESH_BIT + ORACLE_ROUNDS + 1,
    ORACLE_FAILURE_SIZE = 4000, // bytes of the text that says how a case failed
};

// Worlds from this one on have the queries of oracle_hard.h.
#define ORACLE_HARD_SEED ((uint64_t)1 << 40)

// What is made of a seed; the masks take parts away, to find the smallest case that still fails.
struct oracle_case {
    uint64_t seed;
    uint64_t models;  // bit i: model i
    uint64_t edits;   // bit round * ORACLE_EDITS_MAX + i; ORACLE_…_BIT + round
    const char *body; // of model 1, a merge; NULL: random
};

// Where the time goes.
enum oracle_phase { PHASE_OPEN, PHASE_EDIT, PHASE_RUN, PHASE_COPY, PHASE_CHECK, PHASE_CLOSE };
enum { ORACLE_PHASES = PHASE_CLOSE + 1 };

struct oracle_count {
    int64_t sequences;  // a model and the edits under it
    int64_t runs;       // of a model
    int64_t checks;     // of a table after a run
    int64_t intrusions; // runs with an edit meanwhile
    int64_t failures;   // rightly so: duplicate or NULL keys
    struct map shapes;  // int64_t * by the shape chosen
    int64_t phase_us[ORACLE_PHASES];
};

struct oracle_model {
    bool on;
    enum model_kind kind;
    str target; // "mart.m1"
    str body;
    // Of the last run:
    bool ran;
    enum run_status status;
    enum run_type type;
    str shape;
    str message;
    bool blocked;
    bool existed;     // its table, before the run
    bool aggregates;  // an append that took the aggregate of new rows once: no surplus any more
    int64_t snapshot; // of its commit; 0: none
    int64_t read_snapshot; // what it was evaluated at; 0: it was not
    // Of the last run that did not fail:
    int base;       // the copy of the sources that it read
    bool has_grown; // an append that got columns since its rows were made
};

// An edit while the run is under way, when the turn of a model begins.
struct oracle_intrusion {
    str edit;         // empty: none
    size_t at;        // number of the model, modulo how many there are
    int64_t snapshot; // of the edit; 0: it was not made
    int sources;      // the copy with what was there before
};

// Which copy has the rows of a table, raw.a to raw.c and then those of the models.
struct oracle_kept {
    int copy; // 0: none
    int64_t table_id;
    bool changed; // since then
};
enum { ORACLE_SOURCES = 3 };

struct oracle_world {
    struct arena arena;         // told results stand in it, from any thread of a run
    struct arena project_arena; // of what the main thread of a run writes
    const struct oracle_case *test;
    struct environment environment;
    struct context context;
    char folder[64];
    struct project project;
    struct session session;
    struct state *state;
    struct lake_connection *other;   // edits
    struct lake_connection *checker; // compares, in memory
    int copies;                      // made so far
    int used;                        // that which unqualified names mean to the checker
    int64_t copied;                  // the newest snapshot when the last one was made
    struct oracle_kept kept[ORACLE_SOURCES + ORACLE_MODELS];
    int64_t before;                    // the newest snapshot when the last run began
    struct oracle_intrusion intrusion; // into the last run
    bool refreshes;                    // the last run was one with --full-refresh
    struct oracle_model models[ORACLE_MODELS];
    struct oracle_count *count;
    struct text script; // what was done, for people
    bool failed;
    int failed_model;
    char failure[ORACLE_FAILURE_SIZE];
};

static inline void world_fail(struct oracle_world *w, int model, const char *format, ...)
    PRINTF_LIKE(3, 4);
static inline void world_fail(struct oracle_world *w, int model, const char *format, ...) {
    if (w->failed) {
        return;
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(w->failure, sizeof(w->failure), format, args);
    va_end(args);
    w->failed = true;
    w->failed_model = model;
}

// Adds the time since *since_us to the phase, and begins the next.
static inline void world_phase(struct oracle_world *w, enum oracle_phase phase, int64_t *since_us) {
    const int64_t now_us = clock_monotonic_us(&w->context.clock);
    w->count->phase_us[phase] += now_us - *since_us;
    *since_us = now_us;
}

static inline void world_file(struct oracle_world *w, const char *path, str content) {
    struct error err;
    const str full = str_format(&w->arena, "%s/%s", w->folder, path);
    if (directory_create(path_directory(full), 0755, &err) != ERROR_NONE ||
        file_write_atomic(full, content, 0644, &err) != ERROR_NONE) {
        world_fail(w, -1, "%s", err.message);
    }
}

// ── Making it ──

static inline str model_header(struct oracle_world *w, const struct oracle_model *model) {
    switch (model->kind) {
    case MODEL_TABLE:
        return STR("");
    case MODEL_APPEND:
        return STR("-- @kind: append\n");
    case MODEL_MERGE:
        return STR("-- @kind: merge\n-- @unique_key: key\n");
    case MODEL_TRACKED:
        return STR("-- @kind: tracked\n-- @group_key: key\n");
    case MODEL_SCD2:
        return STR("-- @kind: scd2\n-- @unique_key: key\n");
    }
    (void)w;
    return (str){0};
}

// The model of a seed, without its file; stg.m0 is always the first.
static inline void roll_model(struct arena *arena, uint64_t seed, int index, bool staging,
                              struct oracle_model *model) {
    static const enum model_kind KINDS[] = {MODEL_MERGE,  MODEL_MERGE, MODEL_MERGE,  MODEL_MERGE,
                                            MODEL_MERGE,  MODEL_MERGE, MODEL_APPEND, MODEL_APPEND,
                                            MODEL_APPEND, MODEL_TABLE};
    struct dice dice = dice_of(seed, (uint64_t)index + 100);
    model->kind = DICE_PICK(&dice, KINDS);
    if (index >= ORACLE_MODELS - 2) {
        model->kind = index == ORACLE_MODELS - 1 ? MODEL_TRACKED : MODEL_SCD2;
    }
    if (index == 0) {
        model->kind = dice_chance(&dice, 50) ? MODEL_TABLE : MODEL_MERGE;
        model->target = STR("stg.m0");
        model->body =
            model->kind == MODEL_TABLE
                ? STR("SELECT id, k, g, v, s FROM raw.a WHERE v IS DISTINCT FROM 3")
                : STR("SELECT id AS key, id, max(k) AS k, min(g) AS g, max(v) AS v, min(s) AS s "
                      "FROM raw.a WHERE id IS NOT NULL GROUP BY id");
    } else {
        const bool unique = model->kind == MODEL_MERGE || model->kind == MODEL_SCD2;
        model->target = str_format(arena, "mart.m%d", index);
        model->body = make_query(arena, &dice, unique, staging);
    }
}

// One hard query after the other, of all kinds in turn.
static inline void roll_hard_model(struct arena *arena, uint64_t seed, int index,
                                   struct oracle_model *model) {
    static const enum model_kind KINDS[] = {MODEL_MERGE,  MODEL_MERGE,   MODEL_APPEND, MODEL_MERGE,
                                            MODEL_APPEND, MODEL_TRACKED, MODEL_SCD2,   MODEL_TABLE};
    const uint64_t number = (seed - ORACLE_HARD_SEED) * ORACLE_MODELS + (uint64_t)index;
    model->kind = KINDS[number / HARD_QUERY_COUNT % ARRAY_COUNT(KINDS)];
    model->target = str_format(arena, "mart.m%d", index);
    model->body = str_from(HARD_QUERIES[number % HARD_QUERY_COUNT]);
}

static inline void write_model(struct oracle_world *w, const struct oracle_model *model) {
    const str path =
        str_format(&w->arena, "models/" STR_FORMAT ".sql",
                   STR_ARGS(str_replace_all(&w->arena, model->target, STR("."), STR("/"))));
    const str text = str_format(&w->arena, STR_FORMAT STR_FORMAT "\n",
                                STR_ARGS(model_header(w, model)), STR_ARGS(model->body));
    world_file(w, str_to_cstring(&w->arena, path), text);
}

static inline void make_model(struct oracle_world *w, int index) {
    struct oracle_model *model = &w->models[index];
    model->on = (w->test->models >> index & 1) != 0;
    if (w->test->seed >= ORACLE_HARD_SEED) {
        roll_hard_model(&w->arena, w->test->seed, index, model);
    } else {
        roll_model(&w->arena, w->test->seed, index, (w->test->models & 1) != 0, model);
    }
    if (index == 1 && w->test->body != NULL) {
        model->kind = MODEL_MERGE;
        model->body = str_from(w->test->body);
    }
    if (!model->on) {
        return;
    }
    write_model(w, model);
    w->count->sequences++;
}

// Another query for one of the models: a backfill, whatever its kind is.
static inline void redefine_model(struct oracle_world *w, struct dice *dice) {
    const int index = 1 + dice_below(dice, ORACLE_MODELS - 1);
    struct oracle_model *model = &w->models[index];
    if (!model->on) {
        return;
    }
    const bool unique = model->kind == MODEL_MERGE || model->kind == MODEL_SCD2;
    const bool is_hard = w->test->seed >= ORACLE_HARD_SEED; // where no model is called stg.m0
    const bool has_stage = (w->test->models & 1) != 0 && !is_hard;
    const str body = make_query(&w->arena, dice, unique, has_stage);
    // A column that was only renamed keeps its values in the history of scd2: not said here.
    const bool may_rename = str_find(body, STR("EXCLUDE")) != SIZE_MAX ||
                            str_find(body, STR("RENAME")) != SIZE_MAX ||
                            str_find(model->body, STR("EXCLUDE")) != SIZE_MAX ||
                            str_find(model->body, STR("RENAME")) != SIZE_MAX;
    // Nor that a key whose values have no place in its new type ends the history.
    if (model->kind == MODEL_SCD2 && (may_rename || is_hard)) {
        return;
    }
    model->body = body;
    model->aggregates = false;
    write_model(w, model);
    text_format(&w->script, "-- " STR_FORMAT " is now " STR_FORMAT "\n", STR_ARGS(model->target),
                STR_ARGS(body));
}

static inline bool world_execute(struct oracle_world *w, str sql) {
    struct error err;
    text_format(&w->script, STR_FORMAT ";\n", STR_ARGS(sql));
    if (lake_script_run(w->other, STR("edit"), sql, NULL, &err) != ERROR_NONE) {
        // An edit may be impossible on what the others left; then it is none.
        struct error ignored;
        (void)!lake_script_run(w->other, STR("edit"), STR("ROLLBACK"), NULL, &ignored);
        text_format(&w->script, "-- %s\n", err.message);
        (void)!lake_script_run(w->other, STR("edit"), STR("DROP TABLE IF EXISTS temp.kept"), NULL,
                               &ignored);
        return false;
    }
    return true;
}

static inline void make_sources(struct oracle_world *w) {
    struct dice dice = dice_of(w->test->seed, 1);
    (void)world_execute(w, STR("CREATE SCHEMA raw; CREATE SCHEMA stg; CREATE SCHEMA mart"));
    struct text sql;
    text_init(&sql, &w->arena);
    text_add(&sql, STR("BEGIN"));
    for (char name = 'a'; name <= 'c'; name++) {
        text_format(
            &sql, "; CREATE TABLE raw.%c (id INTEGER, k INTEGER, g INTEGER, v INTEGER, s VARCHAR)",
            name);
        text_format(&sql,
                    "; INSERT INTO raw.%c SELECT range, range %% %d, range %% 2, range %% 5, "
                    "'x' FROM range(%d)",
                    name, 2 + dice_below(&dice, 4), 3 + dice_below(&dice, 6));
    }
    text_add(&sql, STR("; COMMIT"));
    (void)world_execute(w, text_str(&sql));
    for (size_t i = 0; i < ARRAY_COUNT(HARD_VIEWS); i++) {
        (void)world_execute(w, str_from(HARD_VIEWS[i]));
    }
}

static inline bool world_open(struct oracle_world *w, const struct oracle_case *test,
                              struct oracle_count *count) {
    static const int INLINING[] = {0, 10, 100};
    struct error err;
    *w = (struct oracle_world){.test = test, .count = count};
    arena_init(&w->arena);
    arena_init(&w->project_arena);
    text_init(&w->script, &w->arena);
    environment_init(&w->environment, &w->project_arena, true);
    environment_set(&w->environment, STR("COYPU_DEPS_DIR"), STR(COYPU_DEPS_DIR));
    w->context = (struct context){.clock = clock_system(), .environment = &w->environment};
    const char *root = path_is_writable(STR("/dev/shm")) ? "/dev/shm" : "/tmp";
    (void)snprintf(w->folder, sizeof(w->folder), "%s/coypu-oracle-XXXXXX", root);
    if (mkdtemp(w->folder) == NULL) {
        world_fail(w, -1, "cannot make %s", w->folder);
        return false;
    }
    struct dice dice = dice_of(test->seed, 2);
    const char *catalog = dice_chance(&dice, 25) ? "sqlite:lake.sqlite" : "lake.db";
    world_file(w, "config/catalog.sql",
               str_format(&w->arena,
                          "ATTACH 'ducklake:%s' AS lake (DATA_PATH 'data/', "
                          "DATA_INLINING_ROW_LIMIT %d);\n",
                          catalog, DICE_PICK(&dice, INLINING)));
    for (int i = 0; i < ORACLE_MODELS; i++) {
        make_model(w, i);
    }
    w->project.warnings.arena = &w->project_arena;
    if (project_open(&w->context, &w->project_arena, str_from(w->folder), &w->project, &err) !=
            ERROR_NONE ||
        session_start(&w->project, &(struct session_options){.without_sources = true, .threads = 1},
                      &w->session, &err) != ERROR_NONE ||
        session_connect(&w->session, &w->other, &err) != ERROR_NONE ||
        lake_connect(w->session.lake, &w->checker, &err) != ERROR_NONE ||
        lake_execute(w->checker, STR("PRAGMA disable_optimizer"), LAKE_NO_VALUES, NULL, &err) !=
            ERROR_NONE) {
        world_fail(w, -1, "%s", err.message);
        return false;
    }
    w->state =
        state_new(&(struct state_options){.context = &w->context, .project = w->project.root});
    make_sources(w);
    return !w->failed;
}

static inline void world_close(struct oracle_world *w, bool keep) {
    lake_disconnect(w->checker);
    lake_disconnect(w->other);
    session_end(&w->session);
    state_free(w->state);
    if (!keep) {
        char command[128];
        (void)snprintf(command, sizeof(command), "rm -rf '%s'", w->folder);
        (void)!system(command);
    }
    environment_done(&w->environment);
    arena_done(&w->project_arena);
    arena_done(&w->arena);
}

// ── Running ──

static inline struct oracle_model *model_of(struct oracle_world *w, str target) {
    for (int i = 0; i < ORACLE_MODELS; i++) {
        if (str_equal(w->models[i].target, target)) {
            return &w->models[i];
        }
    }
    return NULL;
}

static inline void on_result(void *self, const struct run_result *result) {
    struct oracle_world *w = self;
    struct oracle_model *model = model_of(w, result->model->target);
    if (model == NULL) {
        world_fail(w, -1, "a model that nobody made");
        return;
    }
    model->ran = true;
    model->status = result->status;
    model->type = result->run_type;
    model->shape = str_copy(&w->arena, result->shape);
    model->aggregates = model->aggregates || str_equal(model->shape, STR("aggregate of the delta"));
    model->blocked = result->skipped_because.size > 0;
    model->snapshot = result->snapshot;
    model->read_snapshot = result->read_snapshot;
    model->message = result->errors.count > 0
                         ? str_copy(&w->arena, str_from(result->errors.items[0].message))
                         : str_format(&w->arena, STR_FORMAT ", " STR_FORMAT,
                                      STR_ARGS(result->reason), STR_ARGS(result->shape));
    text_format(&w->script,
                "--   " STR_FORMAT " " STR_FORMAT " " STR_FORMAT " %lld " STR_FORMAT "\n",
                STR_ARGS(model->target), STR_ARGS(run_status_name(result->status)),
                STR_ARGS(run_type_name(result->run_type)), (long long)result->rows,
                STR_ARGS(model->message));
    for (size_t i = 0; i < result->warnings.count; i++) {
        const char *warning = result->warnings.items[i].message;
        text_format(&w->script, "--     %s\n", warning);
        // An edit between the attempts may mend what the first one met.
        if (strstr(warning, "the query for its changes failed") != NULL &&
            w->intrusion.edit.size == 0) {
            world_fail(w, (int)(model - w->models), "%s", warning);
        }
    }
    w->count->runs++;
    w->count->failures += result->status == RUN_ERROR ? 1 : 0;
    int64_t *shapes = map_get(&w->count->shapes, model->shape);
    if (shapes == NULL) {
        shapes = ARENA_NEW(w->count->shapes.arena, int64_t);
        (void)map_set(&w->count->shapes, str_copy(w->count->shapes.arena, model->shape), shapes);
    }
    (*shapes)++;
}

static inline void on_started(void *self, const struct model *model, size_t number, size_t total) {
    struct oracle_world *w = self;
    struct oracle_intrusion *intrusion = &w->intrusion;
    struct error err;
    (void)model;
    if (intrusion->edit.size == 0 || number != 1 + intrusion->at % total) {
        return;
    }
    text_format(&w->script, "-- before model %zu of %zu:\n", number, total);
    if (world_execute(w, intrusion->edit)) {
        w->count->intrusions++;
        if (lake_last_committed_snapshot(w->other, &intrusion->snapshot, &err) != ERROR_NONE) {
            world_fail(w, -1, "%s", err.message);
        }
    }
}

static inline void world_run(struct oracle_world *w) {
    SCRATCH(arena);
    SCRATCH(plan_arena);
    struct error err = {0};
    struct error_list errors;
    struct run_summary summary = {.run_id = STR("20260101-000000-000000")};
    const struct run_options options = {
        .context = &w->context,
        .project = str_from(w->folder),
        .full_refresh = w->refreshes,
        .jobs = w->test->seed % 4 == 1 ? 4 : 1,
        .events = {.started = on_started, .finished = on_result, .self = w},
    };
    struct lib_set libs = {0};
    struct models models = {0};
    struct plan plan = {.arena = &plan_arena};
    struct runner runner = {
        .options = &options,
        .context = &w->context,
        .arena = &arena,
        .project = w->project,
        .session = w->session,
        .libs = &libs,
        .state = w->state,
        .models = &models,
        .plan = &plan,
        .run_id = summary.run_id,
    };
    runner.project.arena = &arena;
    if (lake_current_snapshot(w->other, &runner.first_snapshot, &err) != ERROR_NONE) {
        world_fail(w, -1, "%s", err.message);
    }
    w->before = runner.first_snapshot;
    error_list_init(&errors, &arena);
    for (int i = 0; i < ORACLE_MODELS; i++) {
        w->models[i].ran = false;
    }
    text_format(&w->script, "-- coypu run%s\n", w->refreshes ? " --full-refresh" : "");
    if (run_in_session(&runner, &summary, &errors, &err) != ERROR_NONE) {
        world_fail(w, -1, "the run failed: %s", err.message);
    }
    lib_set_done(&libs);
    w->session = runner.session;
}

#endif
