#include "base/environment.h"
#include "base/file.h"
#include "base/text.h"
#include "state/state.h"

// clang-format off: cmocka.h needs these before it
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdlib.h>

static struct arena arena;
static struct environment environment;
static struct context context;
static struct error err;

static str project_new(void) {
    char folder[] = "/tmp/coypu-runs-XXXXXX";
    assert_non_null(mkdtemp(folder));
    return str_copy(&arena, str_from(folder));
}

static void project_remove(str project) {
    const str command = str_format(&arena, "rm -rf " STR_FORMAT, STR_ARGS(project));
    assert_int_equal(system(str_to_cstring(&arena, command)), 0);
}

static struct state_run run(const char *target, const char *status, int64_t started_us) {
    return (struct state_run){.run_id = STR("r"),
                              .target = str_from(target),
                              .status = str_from(status),
                              .started_us = started_us};
}

static void history_is_newest_first_and_success_is_ok_or_skip(void **unused) {
    (void)unused;
    const str project = project_new();
    struct state *state =
        state_new(&(struct state_options){.context = &context, .project = project});
    const struct state_run runs[] = {run("a.x", "ok", 10), run("a.y", "ok", 11),
                                     run("a.x", "skip", 20), run("a.x", "error", 30)};
    assert_int_equal(state_run_add(state, runs, ARRAY_COUNT(runs), &err), ERROR_NONE);

    struct state_run_list list;
    assert_int_equal(state_run_history(state, &arena, STR("a.x"), 2, &list, &err), ERROR_NONE);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.items[0].started_us, 30);
    assert_int_equal(list.items[1].started_us, 20);

    bool found = false;
    int64_t started_us = 0;
    assert_int_equal(state_run_last_success(state, STR("a.x"), &found, &started_us, &err),
                     ERROR_NONE);
    assert_true(found);
    assert_int_equal(started_us, 20);
    struct state_run last;
    assert_int_equal(state_run_last(state, &arena, STR("a.x"), &last, &err), ERROR_NONE);
    assert_int_equal(last.started_us, 30);
    assert_int_equal(state_run_last_commit(state, &arena, STR("a.x"), &last, &err), ERROR_NONE);
    assert_int_equal(last.id, 0);
    state_free(state);
    project_remove(project);
}

static void a_target_is_found_in_any_letter_case(void **unused) {
    (void)unused;
    const str project = project_new();
    struct state *state =
        state_new(&(struct state_options){.context = &context, .project = project});
    struct state_run runs[] = {run("mart.o", "ok", 10), run("mart.p", "ok", 11),
                               run("mart.O", "skip", 20), run("mart.O", "failed", 30)};
    runs[0].snapshot = 3;
    runs[0].rows = 7;
    assert_int_equal(state_run_add(state, runs, ARRAY_COUNT(runs), &err), ERROR_NONE);

    struct state_run_list list;
    assert_int_equal(state_run_history(state, &arena, STR("MART.o"), 0, &list, &err), ERROR_NONE);
    assert_int_equal(list.count, 3);
    struct state_run last;
    assert_int_equal(state_run_last(state, &arena, STR("mart.o"), &last, &err), ERROR_NONE);
    assert_int_equal(last.started_us, 30);
    assert_int_equal(state_run_last_commit(state, &arena, STR("mart.O"), &last, &err), ERROR_NONE);
    assert_int_equal(last.started_us, 10);
    bool found = false;
    int64_t started_us = 0;
    assert_int_equal(state_run_last_success(state, STR("mart.o"), &found, &started_us, &err),
                     ERROR_NONE);
    assert_true(found);
    assert_int_equal(started_us, 20);

    struct state_run_total_list totals;
    assert_int_equal(state_run_totals(state, &arena, STR("MART.O"), &totals, &err), ERROR_NONE);
    assert_int_equal(totals.count, 1);
    assert_int_equal(totals.items[0].runs, 3);
    assert_int_equal(totals.items[0].rows, 7);
    assert_int_equal(totals.items[0].succeeded, 2);
    assert_int_equal(totals.items[0].first_us, 10);
    assert_int_equal(totals.items[0].last_us, 30);
    assert_int_equal(state_run_totals(state, &arena, (str){0}, &totals, &err), ERROR_NONE);
    assert_int_equal(totals.count, 2);
    state_free(state);
    project_remove(project);
}

static void totals_outlive_the_entries(void **unused) {
    (void)unused;
    enum { FAILED = STATE_RUNS_KEPT + 149 };
    const str project = project_new();
    struct state *state =
        state_new(&(struct state_options){.context = &context, .project = project});
    struct state_run first = run("a.x", "ok", 1);
    first.rows = 7;
    first.ended_us = 4001;
    first.snapshot = 3;
    const struct state_run other = run("a.y", "blocked", 2);
    assert_int_equal(state_run_add(state, &first, 1, &err), ERROR_NONE);
    assert_int_equal(state_run_add(state, &other, 1, &err), ERROR_NONE);
    for (int64_t i = 0; i < FAILED; i++) {
        struct state_run failed = run("a.x", "failed", 10 + i);
        failed.ended_us = failed.started_us;
        assert_int_equal(state_run_add(state, &failed, 1, &err), ERROR_NONE);
    }
    struct state_run_list list;
    assert_int_equal(state_run_history(state, &arena, STR("a.x"), 0, &list, &err), ERROR_NONE);
    assert_int_equal(list.count, STATE_RUNS_KEPT + 1); // and the only success
    assert_int_equal(list.items[list.count - 1].started_us, 1);

    struct state_run_total_list totals;
    assert_int_equal(state_run_totals(state, &arena, (str){0}, &totals, &err), ERROR_NONE);
    assert_int_equal(totals.count, 2);
    assert_int_equal(totals.items[0].runs, FAILED + 1);
    assert_int_equal(totals.items[0].rows, 7);
    assert_int_equal(totals.items[0].succeeded, 1);
    assert_int_equal(totals.items[0].timed, FAILED + 1);
    assert_int_equal(totals.items[0].timed_us, 4000);
    assert_int_equal(totals.items[0].first_us, 1);
    assert_int_equal(totals.items[0].last_us, 10 + FAILED - 1);
    assert_int_equal(totals.items[1].runs, 0);
    assert_int_equal(totals.items[1].first_us, 0);
    assert_int_equal(state_run_totals(state, &arena, STR("a.y"), &totals, &err), ERROR_NONE);
    assert_int_equal(totals.count, 1);
    state_free(state);
    project_remove(project);
}

// Where config/state.sql puts the store, or how it is refused.
static const struct {
    const char *name;
    str sql;
    const char *location; // relative to the project; NULL: refused
    const char *message;
} locations[] = {
    {"a file", STR_INIT("ATTACH 'data/old.db' AS state;"), "data/coypu-state.db", NULL},
    {"comments and a scheme",
     STR_INIT("-- ATTACH 'x' AS state\nattach 'sqlite:s.db' AS state (TYPE sqlite)"),
     "coypu-state.db", NULL},
    {"a variable", STR_INIT("ATTACH '${WHERE}/old.db' AS state"), "here/coypu-state.db", NULL},
    {"other statements", STR_INIT("LOAD x; ATTACH 'a.db' AS other; ATTACH 'b/b.db' AS state"),
     "b/coypu-state.db", NULL},
    {"another database", STR_INIT("ATTACH 'mysql:db' AS state"), NULL,
     "state.sql must attach a file or a PostgreSQL database"},
    {"PostgreSQL", STR_INIT("ATTACH '' AS state (TYPE postgres, SECRET s)"), NULL,
     "state in PostgreSQL is not part of this version of coypu"},
    {"nothing", STR_INIT("SELECT 1"), NULL, "state.sql has no ATTACH … AS state"},
};

static void a_kept_commit_replaces_the_one_before(void **unused) {
    (void)unused;
    const str project = project_new();
    struct state *state =
        state_new(&(struct state_options){.context = &context, .project = project});
    struct state_kept_commit commits[] = {
        {STR("mart.b"), 7, 3, 3, STR("{\"model\":\"mart.b\"}")},
        {STR("mart.a"), 8, 4, 9, STR("{\"model\":\"mart.a\"}")},
    };
    assert_int_equal(state_kept_write(state, commits, 2, &err), ERROR_NONE);
    commits[0].snapshot = 5;
    assert_int_equal(state_kept_write(state, commits, 1, &err), ERROR_NONE);
    struct state_kept_list kept;
    assert_int_equal(state_kept_read(state, &arena, &kept, &err), ERROR_NONE);
    assert_int_equal(kept.count, 2);
    assert_true(str_equal(kept.items[0].target, STR("mart.a")));
    assert_int_equal(kept.items[0].read_snapshot, 9);
    assert_int_equal(kept.items[1].snapshot, 5);
    assert_int_equal(kept.items[1].table_id, 7);
    assert_true(str_equal(kept.items[1].extra_info, STR("{\"model\":\"mart.b\"}")));
    state_free(state);
    project_remove(project);
}

static void a_store_that_is_not_there_has_kept_nothing(void **unused) {
    (void)unused;
    const str project = project_new();
    struct state *state = state_new(
        &(struct state_options){.context = &context, .project = project, .read_only = true});
    struct state_kept_list kept;
    assert_int_equal(state_kept_read(state, &arena, &kept, &err), ERROR_NONE);
    assert_int_equal(kept.count, 0);
    state_free(state);
    project_remove(project);
}

static void state_sql_says_where_the_store_lies(void **unused) {
    (void)unused;
    const str project = project_new();
    const str config = path_join(&arena, project, STR("config"));
    assert_int_equal(directory_create(config, 0755, &err), ERROR_NONE);
    for (size_t i = 0; i < ARRAY_COUNT(locations); i++) {
        assert_int_equal(file_write_atomic(path_join(&arena, config, STR("state.sql")),
                                           locations[i].sql, 0644, &err),
                         ERROR_NONE);
        struct state *state =
            state_new(&(struct state_options){.context = &context, .project = project});
        str location = {0};
        const enum error_code code = state_location(state, &arena, &location, &err);
        if (locations[i].location == NULL) {
            assert_int_equal(code, ERROR_INVALID);
            assert_string_equal(err.message, locations[i].message);
        } else {
            assert_int_equal(code, ERROR_NONE);
            const str expected = path_join(&arena, project, str_from(locations[i].location));
            assert_string_equal(str_to_cstring(&arena, location), str_to_cstring(&arena, expected));
        }
        state_free(state);
    }
    project_remove(project);
}

int main(void) {
    arena_init(&arena);
    environment_init(&environment, &arena, false);
    environment_set(&environment, STR("WHERE"), STR("here"));
    context = (struct context){.clock = clock_system(), .environment = &environment};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(history_is_newest_first_and_success_is_ok_or_skip),
        cmocka_unit_test(a_target_is_found_in_any_letter_case),
        cmocka_unit_test(totals_outlive_the_entries),
        cmocka_unit_test(a_kept_commit_replaces_the_one_before),
        cmocka_unit_test(a_store_that_is_not_there_has_kept_nothing),
        cmocka_unit_test(state_sql_says_where_the_store_lies),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    environment_done(&environment);
    arena_done(&arena);
    return failed;
}
