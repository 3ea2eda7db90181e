#include "base/environment.h"
#include "base/file.h"
#include "base/text.h"
#include "state/delivery.h"
#include "state/secret.h"

// clang-format off: cmocka.h needs these before it
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

// A project folder with a store, and a clock that a test turns.
struct fixture {
    struct arena arena;
    struct environment environment;
    struct context context;
    int64_t now_us;
    str project;
    struct state *state;
    struct error err;
};

static int64_t fake_now(void *self) {
    return *(int64_t *)self;
}

static struct state *open_state(struct fixture *fix, bool read_only) {
    return state_new(&(struct state_options){
        .context = &fix->context, .project = fix->project, .read_only = read_only});
}

static int setup(void **out) {
    struct fixture *fix = calloc(1, sizeof(*fix));
    arena_init(&fix->arena);
    environment_init(&fix->environment, &fix->arena, false);
    char folder[] = "/tmp/coypu-state-XXXXXX";
    assert_non_null(mkdtemp(folder));
    fix->project = str_copy(&fix->arena, str_from(folder));
    fix->now_us = 1000000;
    fix->context = (struct context){
        .clock = {.wall_us = fake_now, .monotonic_us = fake_now, .self = &fix->now_us},
        .environment = &fix->environment,
    };
    fix->state = open_state(fix, false);
    *out = fix;
    return 0;
}

static int teardown(void **in) {
    struct fixture *fix = *in;
    state_free(fix->state);
    const str command = str_format(&fix->arena, "rm -rf " STR_FORMAT, STR_ARGS(fix->project));
    assert_int_equal(system(str_to_cstring(&fix->arena, command)), 0);
    environment_done(&fix->environment);
    arena_done(&fix->arena);
    free(fix);
    return 0;
}

#define OK(expression)                                                                             \
    do {                                                                                           \
        if ((expression) != ERROR_NONE) {                                                          \
            fail_msg("%s: %s", #expression, fix->err.message);                                     \
        }                                                                                          \
    } while (0)

static const struct state_sink_key hubspot = {
    .target = STR_INIT("sync.hubspot"), .sink = STR_INIT("hubspot"), .args = STR_INIT("[]")};

static struct state_sink take(struct fixture *fix) {
    struct state_sink sink = {0};
    const struct state_owner self = state_owner_self(&fix->arena);
    bool taken = false;
    OK(state_sink_take(fix->state, &fix->arena, &hubspot, &self, &taken, &sink, &fix->err));
    assert_true(taken);
    return sink;
}

static void open_range(struct fixture *fix, struct state_sink *sink, int64_t from, int64_t to) {
    OK(state_range_open(fix->state, sink,
                        &(struct state_range_open){.from = from, .to = to, .table_id = 7},
                        &fix->err));
}

static void claim(struct fixture *fix, struct state_sink *sink, const char *batch_id, int64_t first,
                  int64_t last) {
    const struct state_claim one = {
        .batch = {
            .batch_id = str_from(batch_id), .first = first, .last = last, .rows = last - first}};
    OK(state_delivery_commit(fix->state, sink, NULL, 0, &one, 1, &fix->err));
}

static void a_new_sink_has_no_watermark(void **in) {
    struct fixture *fix = *in;
    const struct state_sink sink = take(fix);
    assert_int_equal(sink.watermark, STATE_NO_SNAPSHOT);
    assert_false(sink.range_open);
    assert_int_equal(sink.epoch, 1);
}

static void the_file_is_private_and_in_a_private_folder(void **in) {
    struct fixture *fix = *in;
    take(fix);
    struct stat info;
    const str folder = path_join(&fix->arena, fix->project, STR(".coypu"));
    assert_int_equal(stat(str_to_cstring(&fix->arena, folder), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    const str file = path_join(&fix->arena, folder, STR("state.db"));
    assert_int_equal(stat(str_to_cstring(&fix->arena, file), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void an_outcome_and_the_next_claim_are_one_transaction(void **in) {
    struct fixture *fix = *in;
    struct state_sink sink = take(fix);
    open_range(fix, &sink, STATE_NO_SNAPSHOT, 5);
    claim(fix, &sink, "b1", 0, 10);
    const struct state_row failed = {.rowid = 3,
                                     .change = STATE_CHANGE_INSERT,
                                     .snapshot = 5,
                                     .since = STATE_NO_SNAPSHOT,
                                     .keys = STR("{\"id\":3}"),
                                     .attempts = 1,
                                     .message = STR("429 slow down")};
    const struct state_row dead = {.rowid = 4,
                                   .change = STATE_CHANGE_INSERT,
                                   .snapshot = 5,
                                   .keys = STR("{}"),
                                   .message = STR("bad address"),
                                   .image = STR("{\"id\":\"4\"}")};
    const struct state_outcome outcome = {.batch_id = STR("b1"),
                                          .failed = &failed,
                                          .failed_count = 1,
                                          .dead = &dead,
                                          .dead_count = 1};
    const struct state_claim next = {
        .batch = {.batch_id = STR("b2"), .first = 10, .last = 20, .rows = 10}};
    OK(state_delivery_commit(fix->state, &sink, &outcome, 1, &next, 1, &fix->err));
    assert_int_equal(sink.position, 20);

    struct state_batch_list batches;
    OK(state_batch_list(fix->state, &fix->arena, sink.id, &batches, &fix->err));
    assert_int_equal(batches.count, 1);
    assert_true(str_equal(batches.items[0].batch_id, STR("b2")));
    struct state_row_list rows;
    OK(state_failed_list(fix->state, &fix->arena, sink.id, &rows, &fix->err));
    assert_int_equal(rows.count, 1);
    assert_true(str_equal(rows.items[0].message, STR("429 slow down")));
    OK(state_dead_list(fix->state, &fix->arena, sink.id, &rows, &fix->err));
    assert_int_equal(rows.count, 1);
    assert_true(str_equal(rows.items[0].image, STR("{\"id\":\"4\"}")));
}

static void a_range_with_a_batch_in_flight_does_not_close(void **in) {
    struct fixture *fix = *in;
    struct state_sink sink = take(fix);
    open_range(fix, &sink, 2, 5);
    claim(fix, &sink, "b1", 0, 10);
    assert_int_equal(state_range_close(fix->state, &sink, &fix->err), ERROR_CONFLICT);
    const struct state_outcome outcome = {.batch_id = STR("b1")};
    OK(state_delivery_commit(fix->state, &sink, &outcome, 1, NULL, 0, &fix->err));
    OK(state_range_close(fix->state, &sink, &fix->err));
    assert_int_equal(sink.watermark, 5);
    bool found = false;
    struct state_sink stored;
    OK(state_sink_find(fix->state, &fix->arena, &hubspot, &found, &stored, &fix->err));
    assert_true(found);
    assert_int_equal(stored.watermark, 5);
    assert_false(stored.range_open);
}

static void a_sink_of_another_live_owner_is_not_taken_before_its_lease_ends(void **in) {
    struct fixture *fix = *in;
    const struct state_owner far = {.host = STR("far"), .pid = 99, .start_time = 1};
    const struct state_owner self = state_owner_self(&fix->arena);
    struct state_sink theirs;
    struct state_sink ours;
    bool taken = false;
    OK(state_sink_take(fix->state, &fix->arena, &hubspot, &far, &taken, &theirs, &fix->err));
    assert_true(taken);
    OK(state_sink_take(fix->state, &fix->arena, &hubspot, &self, &taken, &ours, &fix->err));
    assert_false(taken);
    assert_int_equal(ours.owner.pid, 99);
    fix->now_us += (int64_t)STATE_LEASE_MS * 1000;
    OK(state_sink_take(fix->state, &fix->arena, &hubspot, &self, &taken, &ours, &fix->err));
    assert_true(taken);

    assert_int_equal(state_sink_renew(fix->state, &theirs, &fix->err), ERROR_CONFLICT);
    assert_string_equal(fix->err.message, "delivery of sync.hubspot to hubspot was taken over by "
                                          "another process");
    const struct state_outcome outcome = {.batch_id = STR("b1")};
    assert_int_equal(state_delivery_commit(fix->state, &theirs, &outcome, 1, NULL, 0, &fix->err),
                     ERROR_CONFLICT);
}

static void a_dead_owner_on_this_host_is_replaced_at_once(void **in) {
    struct fixture *fix = *in;
    const pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    const struct state_owner self = state_owner_self(&fix->arena);
    struct state_owner dead = self;
    dead.pid = child;
    assert_int_equal(waitpid(child, NULL, 0), child);
    struct state_sink sink;
    bool taken = false;
    OK(state_sink_take(fix->state, &fix->arena, &hubspot, &dead, &taken, &sink, &fix->err));
    OK(state_sink_take(fix->state, &fix->arena, &hubspot, &self, &taken, &sink, &fix->err));
    assert_true(taken);
    assert_int_equal(sink.epoch, 2);
}

static void a_pid_that_is_used_again_is_not_the_old_owner(void **in) {
    struct fixture *fix = *in;
    const struct state_owner self = state_owner_self(&fix->arena);
    struct state_owner earlier = self; // had our pid, before we were started
    earlier.start_time--;
    struct state_sink sink;
    bool taken = false;
    OK(state_sink_take(fix->state, &fix->arena, &hubspot, &earlier, &taken, &sink, &fix->err));
    OK(state_sink_take(fix->state, &fix->arena, &hubspot, &self, &taken, &sink, &fix->err));
    assert_true(taken);
    assert_int_equal(sink.epoch, 2);
}

static void a_reset_counts_what_was_pending(void **in) {
    struct fixture *fix = *in;
    struct state_sink sink = take(fix);
    open_range(fix, &sink, 2, 5);
    claim(fix, &sink, "b1", 0, 10);
    const struct state_row held = {.rowid = 1, .change = STATE_CHANGE_DELETE, .keys = STR("{}")};
    const struct state_claim next = {
        .batch = {.batch_id = STR("b2"), .first = 10, .last = 12}, .held = &held, .held_count = 1};
    OK(state_delivery_commit(fix->state, &sink, NULL, 0, &next, 1, &fix->err));
    int64_t dropped = 0;
    OK(state_sink_reset(fix->state, &sink, 9, 8, &dropped, &fix->err));
    assert_int_equal(dropped, 11);
    assert_int_equal(sink.watermark, 9);
    struct state_row_list rows;
    OK(state_failed_list(fix->state, &fix->arena, sink.id, &rows, &fix->err));
    assert_int_equal(rows.count, 0);
}

static void dead_rows_can_be_requeued(void **in) {
    struct fixture *fix = *in;
    struct state_sink sink = take(fix);
    const struct state_row dead = {
        .rowid = 4, .change = STATE_CHANGE_DELETE, .keys = STR("{}"), .attempts = 9};
    const struct state_outcome outcome = {.dead = &dead, .dead_count = 1};
    OK(state_delivery_commit(fix->state, &sink, &outcome, 1, NULL, 0, &fix->err));
    int64_t count = 0;
    OK(state_dead_requeue(fix->state, sink.id, &count, &fix->err));
    assert_int_equal(count, 1);
    struct state_row_list rows;
    OK(state_failed_list(fix->state, &fix->arena, sink.id, &rows, &fix->err));
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.items[0].attempts, 0);
    assert_int_equal(rows.items[0].change, STATE_CHANGE_DELETE);
}

static void a_join_rewrites_failed_rows_and_notes_the_row_ids(void **in) {
    struct fixture *fix = *in;
    struct state_sink sink = take(fix);
    const struct state_row failed[2] = {
        {.rowid = 1, .change = STATE_CHANGE_INSERT, .snapshot = 3, .keys = STR("{}")},
        {.rowid = 2, .change = STATE_CHANGE_INSERT, .snapshot = 3, .keys = STR("{}")}};
    const struct state_outcome outcome = {.failed = failed, .failed_count = 2};
    OK(state_delivery_commit(fix->state, &sink, &outcome, 1, NULL, 0, &fix->err));
    struct state_row_list rows;
    OK(state_failed_list(fix->state, &fix->arena, sink.id, &rows, &fix->err));
    struct state_row changed = rows.items[0];
    changed.snapshot = 8;
    const int64_t removed = rows.items[1].id;
    const int64_t joined[2] = {1, 2};
    OK(state_range_open(fix->state, &sink,
                        &(struct state_range_open){.from = 3,
                                                   .to = 8,
                                                   .changed = &changed,
                                                   .changed_count = 1,
                                                   .removed = &removed,
                                                   .removed_count = 1,
                                                   .joined = joined,
                                                   .joined_count = 2},
                        &fix->err));
    OK(state_failed_list(fix->state, &fix->arena, sink.id, &rows, &fix->err));
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.items[0].snapshot, 8);
    int64_t *rowids = NULL;
    size_t count = 0;
    OK(state_joined_list(fix->state, &fix->arena, sink.id, &rowids, &count, &fix->err));
    assert_int_equal(count, 2);
}

static void a_wrong_key_is_refused_at_opening(void **in) {
    struct fixture *fix = *in;
    environment_set(&fix->environment, STR("ONDATRA_STATE_KEY"), STR("right"));
    OK(state_secret_put(fix->state, STR("oauth.x"),
                        &(struct state_secret){.value = STR("token"), .expires_us = 5}, &fix->err));
    struct state_secret secret;
    bool found = false;
    OK(state_secret_get(fix->state, &fix->arena, STR("oauth.x"), &found, &secret, &fix->err));
    assert_true(found && str_equal(secret.value, STR("token")) && secret.expires_us == 5);

    environment_set(&fix->environment, STR("ONDATRA_STATE_KEY"), STR("wrong"));
    struct state *other = open_state(fix, false);
    assert_int_equal(state_open(other, &fix->err), ERROR_INVALID);
    state_free(other);
    const str expected =
        str_format(&fix->arena,
                   "ONDATRA_STATE_KEY of the environment is not the key that " STR_FORMAT
                   "/.coypu/state.db was written with",
                   STR_ARGS(fix->project));
    assert_string_equal(fix->err.message, str_to_cstring(&fix->arena, expected));
}

static void without_a_variable_a_key_file_is_made(void **in) {
    struct fixture *fix = *in;
    OK(state_secret_put(fix->state, STR("a"), &(struct state_secret){.value = STR("b")},
                        &fix->err));
    struct stat info;
    const str file = path_join(&fix->arena, fix->project, STR(".coypu/state.key"));
    assert_int_equal(stat(str_to_cstring(&fix->arena, file), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    struct state *again = open_state(fix, true);
    struct state_secret secret;
    bool found = false;
    OK(state_secret_get(again, &fix->arena, STR("a"), &found, &secret, &fix->err));
    assert_true(found && str_equal(secret.value, STR("b")));
    state_free(again);
}

static void a_newer_state_is_refused_naming_both_versions(void **in) {
    struct fixture *fix = *in;
    OK(state_open(fix->state, &fix->err));
    state_free(fix->state);
    const str command = str_format(&fix->arena,
                                   "sqlite3 " STR_FORMAT "/.coypu/state.db "
                                   "'PRAGMA user_version=99' 2>/dev/null || python3 -c \"import "
                                   "sqlite3; c = sqlite3.connect('" STR_FORMAT
                                   "/.coypu/state.db'); c.execute('PRAGMA user_version=99')\"",
                                   STR_ARGS(fix->project), STR_ARGS(fix->project));
    assert_int_equal(system(str_to_cstring(&fix->arena, command)), 0);
    fix->state = open_state(fix, false);
    assert_int_equal(state_open(fix->state, &fix->err), ERROR_INVALID);
    const str expected = str_format(&fix->arena,
                                    "state store " STR_FORMAT
                                    "/.coypu/state.db has version 99, written by a newer coypu; "
                                    "this one knows version 5",
                                    STR_ARGS(fix->project));
    assert_string_equal(fix->err.message, str_to_cstring(&fix->arena, expected));
}

static void a_read_only_store_that_is_not_there_is_empty(void **in) {
    struct fixture *fix = *in;
    struct state *state = open_state(fix, true);
    struct state_sink_list sinks;
    OK(state_sink_list(state, &fix->arena, STR(""), &sinks, &fix->err));
    assert_int_equal(sinks.count, 0);
    assert_false(path_exists(path_join(&fix->arena, fix->project, STR(".coypu"))));
    state_free(state);
}

// kill -9 in the middle of a transaction: a child writes and dies before its commit.
static void a_killed_transaction_leaves_nothing(void **in) {
    struct fixture *fix = *in;
    struct state_sink sink = take(fix);
    open_range(fix, &sink, 2, 5);
    state_free(fix->state);
    const pid_t child = fork();
    if (child == 0) {
        setenv("COYPU_CRASH_AT", "CP_STATE_OUTCOME_WRITTEN", 1);
        fix->state = open_state(fix, false);
        const struct state_claim one = {
            .batch = {.batch_id = STR("b1"), .first = 0, .last = 4, .rows = 4}};
        const enum error_code code =
            state_delivery_commit(fix->state, &sink, NULL, 0, &one, 1, &fix->err);
        _exit(code == ERROR_NONE ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    fix->state = open_state(fix, false);
    struct state_batch_list batches;
    OK(state_batch_list(fix->state, &fix->arena, sink.id, &batches, &fix->err));
    assert_int_equal(batches.count, 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_new_sink_has_no_watermark),
        TEST(the_file_is_private_and_in_a_private_folder),
        TEST(an_outcome_and_the_next_claim_are_one_transaction),
        TEST(a_range_with_a_batch_in_flight_does_not_close),
        TEST(a_sink_of_another_live_owner_is_not_taken_before_its_lease_ends),
        TEST(a_pid_that_is_used_again_is_not_the_old_owner),
        TEST(a_dead_owner_on_this_host_is_replaced_at_once),
        TEST(a_reset_counts_what_was_pending),
        TEST(dead_rows_can_be_requeued),
        TEST(a_join_rewrites_failed_rows_and_notes_the_row_ids),
        TEST(a_wrong_key_is_refused_at_opening),
        TEST(without_a_variable_a_key_file_is_made),
        TEST(a_newer_state_is_refused_naming_both_versions),
        TEST(a_read_only_store_that_is_not_there_is_empty),
        TEST(a_killed_transaction_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
