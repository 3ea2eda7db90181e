// Taking a sink by hand, and keeping what it needs before history is expired.
#include "push_fixture.h"

static struct push_fixture fix;

static void sql(const char *text) {
    fixture_execute(&fix.lake, text);
}

static void expire_all(void) {
    sql("CALL ducklake_expire_snapshots('lake', older_than => now() + INTERVAL 1 DAY)");
}

static void keep(void) {
    ASSERT_OK(&fix.lake, push_keep(&fix.request, &fix.lake.err));
}

static int64_t current_snapshot(void) {
    int64_t id = 0;
    ASSERT_OK(&fix.lake, lake_query_int64(fix.lake.connection, STR("FROM lake.current_snapshot()"),
                                          LAKE_NO_VALUES, &id, NULL, &fix.lake.err));
    return id;
}

static struct state_sink sink_state(void) {
    struct state_sink_list sinks;
    ASSERT_OK(&fix.lake,
              state_sink_list(fix.state, &fix.lake.arena, STR(""), &sinks, &fix.lake.err));
    return sinks.count > 0 ? sinks.items[0] : (struct state_sink){0};
}

static int setup(void **unused) {
    (void)unused;
    push_fixture_open(&fix, NULL);
    sql("CREATE TABLE t(k BIGINT, v BIGINT)");
    sql("INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)");
    return 0;
}

static int teardown(void **unused) {
    (void)unused;
    push_fixture_close(&fix, false);
    return 0;
}

static const char *busy(const struct delivery *delivery) {
    (void)delivery;
    return "error: busy";
}

// ── Keeping ──

static void a_delivered_sink_only_moves_on(void **unused) {
    (void)unused;
    push_once(&fix);
    sql("CREATE TABLE other(x BIGINT)");
    keep();
    assert_int_equal(sink_state().watermark, current_snapshot());
    assert_int_equal(sink_state().failed, 0);
    expire_all();
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "");
}

static void changes_behind_the_watermark_become_rows_that_wait(void **unused) {
    (void)unused;
    push_once(&fix);
    sql("UPDATE t SET v = 21 WHERE k = 2");
    sql("DELETE FROM t WHERE k = 1");
    sql("INSERT INTO t VALUES (4, 40)");
    keep();
    assert_int_equal(sink_state().failed, 4);
    assert_int_equal(sink_state().watermark, current_snapshot());
    expire_all();
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "2:update_preimage=20 2:update_postimage=21 "
                                               "1:delete=10 4:insert=40");
    assert_int_equal(sink_state().failed, 0);
}

static void keeping_twice_keeps_once(void **unused) {
    (void)unused;
    push_once(&fix);
    sql("DELETE FROM t WHERE k = 1");
    keep();
    keep();
    expire_all();
    keep();
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "1:delete=10");
}

static void failed_deletes_get_their_image(void **unused) {
    (void)unused;
    push_once(&fix);
    fix.sink.answer = busy;
    sql("DELETE FROM t WHERE k = 1");
    push_once(&fix);
    keep();
    expire_all();
    fix.sink.answer = NULL;
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "1:delete=10");
    assert_int_equal(fix.summary.rejected, 0);
}

static void kept_rows_are_joined_with_what_comes_after(void **unused) {
    (void)unused;
    push_once(&fix);
    sql("UPDATE t SET v = 21 WHERE k = 2");
    sql("INSERT INTO t VALUES (4, 40)");
    keep();
    expire_all();
    sql("UPDATE t SET v = 22 WHERE k = 2");
    sql("DELETE FROM t WHERE k = 4");
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "2:update_preimage=20 2:update_postimage=22");
}

static void a_sink_that_was_never_delivered_to_needs_nothing(void **unused) {
    (void)unused;
    keep();
    assert_int_equal(sink_state().id, 0);
    expire_all();
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "1:insert=10 2:insert=20 3:insert=30");
}

static void a_sink_in_delivery_is_left_alone(void **unused) {
    (void)unused;
    push_once(&fix);
    struct state_sink sink;
    bool taken = false;
    const struct state_owner other = {.host = STR("elsewhere"), .pid = 77, .start_time = 1};
    const struct state_sink_key key = sink_state().key;
    ASSERT_OK(&fix.lake, state_sink_take(fix.state, &fix.lake.arena, &key, &other, &taken, &sink,
                                         &fix.lake.err));
    assert_true(taken);
    assert_int_equal(push_keep(&fix.request, &fix.lake.err), ERROR_CONFLICT);
    assert_string_equal(fix.lake.err.message, "crm is in delivery by pid 77");
    int64_t dropped = 0;
    assert_int_equal(push_reset(&fix.request, &dropped, &fix.lake.err), ERROR_CONFLICT);
    assert_int_equal(push_rewind(&fix.request, STATE_NO_SNAPSHOT, &fix.lake.err), ERROR_CONFLICT);
}

// ── Mending ──

static void a_rewind_sends_every_row_again(void **unused) {
    (void)unused;
    push_once(&fix);
    ASSERT_OK(&fix.lake, push_rewind(&fix.request, STATE_NO_SNAPSHOT, &fix.lake.err));
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "1:insert=10 2:insert=20 3:insert=30");
}

static void a_rewind_to_a_snapshot_sends_the_changes_since(void **unused) {
    (void)unused;
    push_once(&fix);
    const int64_t before = current_snapshot();
    sql("INSERT INTO t VALUES (4, 40)");
    push_once(&fix);
    ASSERT_OK(&fix.lake, push_rewind(&fix.request, before, &fix.lake.err));
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "4:insert=40");
}

static void a_rewind_passes_over_nothing_undelivered(void **unused) {
    (void)unused;
    push_once(&fix);
    sql("INSERT INTO t VALUES (4, 40)");
    ASSERT_OK(&fix.lake, push_rewind(&fix.request, current_snapshot(), &fix.lake.err));
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "4:insert=40");
}

static void a_rewind_needs_a_snapshot_of_the_lake(void **unused) {
    (void)unused;
    push_once(&fix);
    const int64_t before = current_snapshot();
    assert_int_equal(push_rewind(&fix.request, 99, &fix.lake.err), ERROR_INVALID);
    assert_string_equal(fix.lake.err.message, "there is no snapshot 99: the lake has 0 to 2");
    sql("INSERT INTO t VALUES (4, 40)");
    sql("INSERT INTO t VALUES (5, 50)");
    push_once(&fix);
    keep();
    expire_all();
    assert_int_equal(push_rewind(&fix.request, before, &fix.lake.err), ERROR_INVALID);
    assert_string_equal(fix.lake.err.message,
                        "the changes since snapshot 2 were expired: the lake begins at 4");
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "");
}

static void a_reset_forgets_what_waits(void **unused) {
    (void)unused;
    fix.sink.answer = busy;
    push_once(&fix);
    sql("INSERT INTO t VALUES (4, 40)");
    int64_t dropped = 0;
    ASSERT_OK(&fix.lake, push_reset(&fix.request, &dropped, &fix.lake.err));
    assert_int_equal(dropped, 3);
    fix.sink.answer = NULL;
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "");
}

static void a_model_without_a_table_cannot_be_mended(void **unused) {
    (void)unused;
    sql("DROP TABLE t");
    int64_t dropped = 0;
    assert_int_equal(push_reset(&fix.request, &dropped, &fix.lake.err), ERROR_NOT_FOUND);
    assert_string_equal(fix.lake.err.message, "main.t has no table yet");
    assert_string_equal(fix.lake.err.hint, "`coypu run main.t` makes it, and delivers");
}

static void a_preview_says_what_a_sandbox_prints(void **unused) {
    (void)unused;
    struct push_preview preview;
    fix.sink.answer = busy;
    push_once(&fix);
    sql("INSERT INTO t VALUES (4, 40)");
    ASSERT_OK(&fix.lake, push_preview(&fix.request, &preview, &fix.lake.err));
    const str line = push_preview_line(&fix.lake.arena, STR("crm"), &preview);
    assert_string_equal(str_to_cstring(&fix.lake.arena, line),
                        "would push 4 rows (1 inserts, 0 updates, 0 deletes, 3 of earlier runs) to "
                        "crm");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_delivered_sink_only_moves_on),
        TEST(changes_behind_the_watermark_become_rows_that_wait),
        TEST(keeping_twice_keeps_once),
        TEST(failed_deletes_get_their_image),
        TEST(kept_rows_are_joined_with_what_comes_after),
        TEST(a_sink_that_was_never_delivered_to_needs_nothing),
        TEST(a_sink_in_delivery_is_left_alone),
        TEST(a_rewind_sends_every_row_again),
        TEST(a_rewind_to_a_snapshot_sends_the_changes_since),
        TEST(a_rewind_passes_over_nothing_undelivered),
        TEST(a_rewind_needs_a_snapshot_of_the_lake),
        TEST(a_reset_forgets_what_waits),
        TEST(a_model_without_a_table_cannot_be_mended),
        TEST(a_preview_says_what_a_sandbox_prints),
    };
    return cmocka_run_group_tests_name("push_mend", tests, NULL, NULL);
}
