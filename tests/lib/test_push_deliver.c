#include "push_fixture.h"
#include "support/fake_clock.h"

static struct push_fixture fix;

static void sql(const char *text) {
    fixture_execute(&fix.lake, text);
}

static int setup(void **unused) {
    (void)unused;
    push_fixture_open(&fix, NULL);
    sql("CREATE TABLE t(k BIGINT, v BIGINT)");
    return 0;
}

static int teardown(void **unused) {
    (void)unused;
    push_fixture_close(&fix, false);
    return 0;
}

static void each_change_is_delivered_once(void **unused) {
    (void)unused;
    sql("INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)");
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "1:insert=10 2:insert=20 3:insert=30");
    assert_int_equal(fix.summary.ok, 3);
    assert_int_equal(fix.sink.finalized, 3);
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "");
    assert_int_equal(fix.sink.finalized, -1);
    sql("UPDATE t SET v = 21 WHERE k = 2");
    sql("UPDATE t SET v = 22 WHERE k = 2");
    sql("DELETE FROM t WHERE k = 1");
    sql("INSERT INTO t VALUES (4, 40)");
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "2:update_preimage=20 2:update_postimage=22 "
                                               "1:delete=10 4:insert=40");
    assert_int_equal(fix.summary.pending, 0);
}

static const char *k2_is_busy(const struct delivery *delivery) {
    return delivery->k == 2 ? "error: 429 slow down" : "ok";
}

static void a_failed_row_waits_for_the_next_run_and_goes_with_its_latest_values(void **unused) {
    (void)unused;
    sql("INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)");
    fix.sink.answer = k2_is_busy;
    push_once(&fix);
    assert_int_equal(fix.summary.ok, 2);
    assert_int_equal(fix.summary.failed, 1);
    assert_int_equal(fix.summary.pending, 1);
    assert_int_equal(fix.sink.finalized, -1);
    assert_true(push_failed(&fix.summary));
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "2:insert=20");
    sql("UPDATE t SET v = 21 WHERE k = 2");
    sql("INSERT INTO t VALUES (4, 40)");
    fix.sink.answer = NULL;
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "2:insert=21 4:insert=40");
    assert_int_equal(fix.summary.pending, 0);
}

static void a_failed_insert_that_is_gone_is_dropped(void **unused) {
    (void)unused;
    sql("INSERT INTO t VALUES (1, 10), (2, 20)");
    fix.sink.answer = k2_is_busy;
    push_once(&fix);
    sql("DELETE FROM t WHERE k = 2");
    fix.sink.answer = NULL;
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "");
    assert_int_equal(fix.summary.gone, 1);
    assert_int_equal(fix.summary.pending, 0);
}

static const char *all_fail_at_once(const struct delivery *delivery) {
    (void)delivery;
    return NULL;
}

// The sink was down, or had the rows and its answer was lost: nobody knows.
static void an_insert_that_may_have_arrived_and_is_gone_is_a_delete(void **unused) {
    (void)unused;
    sql("INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)");
    fix.sink.answer = all_fail_at_once;
    push_once(&fix);
    assert_int_equal(fix.summary.failed, 3);
    sql("UPDATE t SET v = 31 WHERE k = 3");
    fix.sink.answer = k2_is_busy; // its own error now does not undo the doubt
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "1:insert=10 2:insert=20 3:insert=31");
    sql("UPDATE t SET v = 21 WHERE k = 2");
    sql("DELETE FROM t WHERE k = 2");
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "2:delete=20");
    fix.sink.answer = NULL;
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "2:delete=20");
    assert_int_equal(fix.summary.gone, 0);
    assert_int_equal(fix.summary.pending, 0);
}

static void a_failed_delete_goes_again_with_the_values_it_had(void **unused) {
    (void)unused;
    sql("INSERT INTO t VALUES (1, 10), (2, 20)");
    push_once(&fix);
    sql("UPDATE t SET v = 21 WHERE k = 2");
    sql("DELETE FROM t WHERE k = 2");
    fix.sink.answer = k2_is_busy;
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "2:delete=20");
    fix.sink.answer = NULL;
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "2:delete=20");
}

// Batches of one: the delete of key 2 fails, so its new row must not overtake it.
static void a_later_row_of_the_same_key_waits_behind_a_failed_one(void **unused) {
    (void)unused;
    fix.lib.api.push.batch_size = 1;
    sql("INSERT INTO t VALUES (1, 10), (2, 20)");
    push_once(&fix);
    sql("DELETE FROM t WHERE k = 2");
    sql("INSERT INTO t VALUES (2, 22), (3, 30)");
    fix.sink.answer = k2_is_busy;
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "2:delete=20 3:insert=30");
    assert_int_equal(fix.summary.pending, 2);
    fix.sink.answer = NULL;
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "2:delete=20 2:insert=22");
    assert_int_equal(fix.summary.pending, 0);
}

static const char *all_busy(const struct delivery *delivery) {
    (void)delivery;
    return "error: busy";
}

static const char *k2_is_refused(const struct delivery *delivery) {
    return delivery->k == 2 ? "reject: no such country" : "warn: late";
}

static void a_rejected_row_is_a_dead_letter(void **unused) {
    (void)unused;
    sql("INSERT INTO t VALUES (1, 10), (2, 20)");
    fix.sink.answer = k2_is_refused;
    push_once(&fix);
    assert_int_equal(fix.summary.rejected, 1);
    assert_int_equal(fix.summary.warned, 1);
    assert_int_equal(fix.summary.pending, 0);
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "");
    struct state_sink_list sinks;
    struct state_row_list dead;
    ASSERT_OK(&fix.lake,
              state_sink_list(fix.state, &fix.lake.arena, STR(""), &sinks, &fix.lake.err));
    ASSERT_OK(&fix.lake,
              state_dead_list(fix.state, &fix.lake.arena, sinks.items[0].id, &dead, &fix.lake.err));
    assert_int_equal(dead.count, 1);
    ASSERT_STR(dead.items[0].image, "{\"k\":\"2\",\"v\":\"20\"}");
    ASSERT_STR(dead.items[0].message, "no such country");
}

static void attempts_may_have_an_end(void **unused) {
    (void)unused;
    fix.lib.api.push.max_attempts = 2;
    sql("INSERT INTO t VALUES (2, 20)");
    fix.sink.answer = k2_is_busy;
    push_once(&fix);
    assert_int_equal(fix.summary.failed, 1);
    push_once(&fix);
    assert_int_equal(fix.summary.rejected, 1);
    assert_int_equal(fix.summary.pending, 0);
    assert_true(push_failed(&fix.summary));
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "");
    struct state_sink_list sinks;
    struct state_row_list dead;
    ASSERT_OK(&fix.lake,
              state_sink_list(fix.state, &fix.lake.arena, STR(""), &sinks, &fix.lake.err));
    assert_int_equal(sinks.items[0].dead, 1);
    ASSERT_OK(&fix.lake,
              state_dead_list(fix.state, &fix.lake.arena, sinks.items[0].id, &dead, &fix.lake.err));
    assert_int_equal(dead.items[0].attempts, 2);
    ASSERT_STR(dead.items[0].message, "429 slow down");
}

// Forgets all snapshots but the current one, and what only they held.
static void expire_history(void) {
    sql("CALL ducklake_expire_snapshots('lake', older_than => now() + INTERVAL 1 DAY)");
}

// Deletes of rows 1 and 2 and an update of 3 fail; 4 is deleted by then and 5 changes later.
static void fail_changes(void) {
    sql("INSERT INTO t VALUES (1, 10), (2, 20), (3, 30), (4, 40), (5, 50)");
    push_once(&fix);
    sql("DELETE FROM t WHERE k IN (1, 2)");
    sql("UPDATE t SET v = v + 1 WHERE k IN (3, 4)");
    fix.sink.answer = all_busy;
    push_once(&fix);
    assert_int_equal(fix.summary.pending, 6);
    fix.sink.answer = NULL;
}

static void keep_image_of_row_1(void) {
    struct state_sink_list sinks;
    struct state_row_list rows;
    ASSERT_OK(&fix.lake,
              state_sink_list(fix.state, &fix.lake.arena, STR(""), &sinks, &fix.lake.err));
    ASSERT_OK(&fix.lake, state_failed_list(fix.state, &fix.lake.arena, sinks.items[0].id, &rows,
                                           &fix.lake.err));
    ASSERT_STR(rows.items[0].keys, "{\"k\":1}");
    rows.items[0].image = STR("{\"k\":\"1\",\"v\":\"10\"}");
    ASSERT_OK(&fix.lake, state_failed_keep_images(fix.state, rows.items, 1, &fix.lake.err));
}

static void history_that_expired_makes_a_full_sync_and_dead_letters_of_lost_deletes(void **unused) {
    (void)unused;
    fail_changes();
    keep_image_of_row_1();
    sql("DELETE FROM t WHERE k = 4");
    sql("UPDATE t SET v = 51 WHERE k = 5");
    expire_history();
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "1:delete=10 3:insert=31 5:insert=51");
    assert_int_equal(fix.summary.rejected, 2);
    assert_int_equal(fix.summary.pending, 0);
    assert_true(push_failed(&fix.summary));
    assert_non_null(strstr(str_to_cstring(&fix.lake.arena, fix.summary.warnings.items[0]),
                           "were expired before crm had them: every row is sent as insert"));
    const struct str_list lines = push_messages(&fix.lake.arena, STR("crm"), &fix.summary);
    ASSERT_STR(lines.items[0], "push crm: row 1 (delete) k=2: reject: history expired");
    ASSERT_STR(lines.items[1], "push crm: row 3 (delete) k=4: reject: history expired");
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "");
}

// Of three updates after the watermark, the commit of the first or of the second is gone: of a row
// that changed there and again, the feed would tell that it came and went.
static void snapshots_that_expired_in_between_make_a_full_sync(void **unused) {
    (void)unused;
    sql("INSERT INTO t SELECT range, 10 * range FROM range(1, 4)");
    push_once(&fix);
    for (int64_t gone = 1; gone <= 2; gone++) {
        for (int i = 0; i < 3; i++) {
            sql("UPDATE t SET v = v + 1 WHERE k = 1");
        }
        const int64_t current = fix.summary.watermark + 3;
        sql(str_to_cstring(&fix.lake.arena,
                           str_format(&fix.lake.arena,
                                      "CALL ducklake_expire_snapshots('lake', versions => [%lld])",
                                      (long long)(current - 3 + gone))));
        push_once(&fix);
        assert_string_equal(deliveries_text(&fix), gone == 1 ? "1:insert=13 2:insert=20 3:insert=30"
                                                             : "1:insert=16 2:insert=20 "
                                                               "3:insert=30");
        assert_non_null(strstr(str_to_cstring(&fix.lake.arena, fix.summary.warnings.items[0]),
                               "expired before crm had them: every row is sent as insert"));
    }
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "");
}

// What makes temporary row ids: too many rows for inlining, inserted and updated at once.
static void insert_and_update(int from) {
    char text[160];
    sql("BEGIN");
    snprintf(text, sizeof(text), "INSERT INTO t SELECT range, 0 FROM range(%d, %d)", from,
             from + 100);
    sql(text);
    snprintf(text, sizeof(text), "UPDATE t SET v = 10 * k WHERE k >= %d", from);
    sql(text);
    sql("COMMIT");
}

static const char *k_7_and_107_are_busy(const struct delivery *delivery) {
    return delivery->k % 100 == 7 ? "error: busy" : "ok";
}

static void rows_that_share_a_row_id_are_told_apart(void **unused) {
    (void)unused;
    sql("CALL lake.set_option('data_inlining_row_limit', 0)");
    for (int keys = 1; keys >= 0; keys--) { // with a unique key and without
        fix.request.keys.count = (size_t)keys;
        push_once(&fix);
        insert_and_update(0);
        insert_and_update(100);
        assert_int_equal(fixture_int64(&fix.lake, "SELECT count(*) FROM (SELECT rowid FROM t"
                                                  " GROUP BY rowid HAVING count(*) = 2)"),
                         100);
        fix.sink.answer = k_7_and_107_are_busy;
        push_once(&fix);
        // Without a key, 107 might be a newer change of 7: it waits behind it.
        assert_int_equal(fix.sink.count, keys == 1 ? 200 : 199);
        assert_int_equal(fix.summary.ok, 198);
        assert_int_equal(fix.summary.pending, 2);
        push_once(&fix);
        assert_string_equal(deliveries_text(&fix),
                            keys == 1 ? "7:insert=70 107:insert=1070" : "7:insert=70");
        // Newer changes of such a row follow it, and stand for themselves.
        sql("DELETE FROM t WHERE k = 107");
        fix.sink.answer = NULL;
        push_once(&fix);
        assert_string_equal(deliveries_text(&fix), "7:insert=70 107:insert=1070 107:delete=1070");
        assert_int_equal(fix.summary.pending, 0);
        sql("DROP TABLE t");
        sql("CREATE TABLE t(k BIGINT, v BIGINT)");
    }
}

static const char *all_down(const struct delivery *delivery) {
    (void)delivery;
    return NULL;
}

static void five_failed_batches_stop_the_run(void **unused) {
    (void)unused;
    sql("INSERT INTO t SELECT range, range FROM range(100)");
    fix.sink.answer = all_down;
    push_once(&fix);
    assert_int_equal(fix.sink.count, 20);
    assert_true(fix.summary.stopped);
    assert_int_equal(fix.summary.pending, 100);
    ASSERT_STR(fix.summary.warnings.items[fix.summary.warnings.count - 1],
               "sink crm: stopped after 5 failed batches, 100 rows still pending");
    fix.sink.answer = NULL;
    push_once(&fix);
    assert_int_equal(fix.sink.count, 100);
    assert_int_equal(fix.summary.pending, 0);
    assert_int_equal(fix.sink.deliveries[0].number, 1);
}

static const char *value_30_fails(const struct delivery *delivery) {
    return delivery->v == 30 ? "error: no" : "ok";
}

static void one_failure_keeps_a_tracked_group_whole(void **unused) {
    (void)unused;
    fix.request.kind = STR("tracked");
    sql("INSERT INTO t VALUES (1, 10), (2, 20), (2, 30), (2, 40)");
    fix.sink.answer = value_30_fails;
    push_once(&fix);
    assert_int_equal(fix.summary.ok, 1);
    assert_int_equal(fix.summary.failed, 3);
    // The group changes again: deletes and inserts must come in one batch.  The sink took 20 and
    // 40, so it is told that they are gone; 30 it never had.
    sql("BEGIN");
    sql("DELETE FROM t WHERE k = 2");
    sql("INSERT INTO t VALUES (2, 50), (2, 60)");
    sql("COMMIT");
    fix.sink.answer = NULL;
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "2:delete=20 2:delete=40 2:insert=50 2:insert=60");
    assert_int_equal(fix.summary.gone, 1);
    for (int i = 1; i < 4; i++) {
        assert_string_equal(fix.sink.deliveries[0].batch_id, fix.sink.deliveries[i].batch_id);
    }
}

static void a_table_made_again_is_sent_again(void **unused) {
    (void)unused;
    sql("INSERT INTO t VALUES (1, 10)");
    push_once(&fix);
    sql("DROP TABLE t");
    sql("CREATE TABLE t(k BIGINT, v BIGINT, w BIGINT)");
    sql("INSERT INTO t VALUES (1, 11, 0)");
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "1:insert=11");
    ASSERT_STR(fix.summary.warnings.items[0], "main.t was dropped and made again: 0 pending rows "
                                              "are void, every row is sent as insert");
}

static void a_renamed_sink_is_a_new_one(void **unused) {
    (void)unused;
    sql("INSERT INTO t VALUES (1, 10), (2, 20)");
    fix.sink.answer = k2_is_busy;
    push_once(&fix);
    fix.lib.name = STR("erp");
    fix.sink.answer = NULL;
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "1:insert=10 2:insert=20");
    ASSERT_STR(fix.summary.warnings.items[0],
               "the sink of main.t is now erp[]: 1 rows pending for crm[] were dropped");
}

static void other_arguments_make_another_sink(void **unused) {
    (void)unused;
    sql("INSERT INTO t VALUES (1, 10), (2, 20)");
    fix.sink.answer = k2_is_busy;
    push_once(&fix);
    str_list_push(&fix.lake.arena, &fix.request.args, STR("eu"));
    fix.sink.answer = NULL;
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "1:insert=10 2:insert=20");
    ASSERT_STR(fix.summary.warnings.items[0],
               "the sink of main.t is now crm[\"eu\"]: 1 rows pending for crm[] were dropped");
}

static void a_preview_counts_and_changes_nothing(void **unused) {
    (void)unused;
    struct push_preview preview;
    sql("INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)");
    ASSERT_OK(&fix.lake, push_preview(&fix.request, &preview, &fix.lake.err));
    assert_int_equal(preview.inserts, 3);
    struct state_sink_list sinks;
    ASSERT_OK(&fix.lake,
              state_sink_list(fix.state, &fix.lake.arena, STR(""), &sinks, &fix.lake.err));
    assert_int_equal(sinks.count, 0);
    fix.sink.answer = k2_is_busy;
    push_once(&fix);
    sql("UPDATE t SET v = 31 WHERE k = 3");
    sql("DELETE FROM t WHERE k = 1");
    sql("INSERT INTO t VALUES (4, 40), (5, 50)");
    ASSERT_OK(&fix.lake, push_preview(&fix.request, &preview, &fix.lake.err));
    assert_int_equal(preview.inserts, 2);
    assert_int_equal(preview.updates, 1);
    assert_int_equal(preview.deletes, 1);
    assert_int_equal(preview.retries, 1);
}

// The sink hangs until the coordinator has renewed the lease.
static struct fake_clock turned;

static const char *until_renewed(const struct delivery *delivery) {
    (void)delivery;
    fake_clock_turn(&turned, (int64_t)(STATE_LEASE_MS - 1000) * 1000);
    for (int i = 0; i < 200; i++) {
        struct arena arena;
        arena_init(&arena);
        struct state_sink_list sinks;
        struct error err;
        const bool renewed =
            state_sink_list(fix.state, &arena, STR(""), &sinks, &err) == ERROR_NONE &&
            sinks.items[0].lease_until_us ==
                atomic_load(&turned.wall_us) + (int64_t)STATE_LEASE_MS * 1000;
        arena_done(&arena);
        if (renewed) {
            return "ok";
        }
        usleep(20 * 1000);
    }
    return "reject: the lease was not renewed";
}

static void the_lease_is_renewed_while_a_batch_takes_long(void **unused) {
    (void)unused;
    fix.lake.context.clock = fake_clock_init(&turned, 1000000);
    sql("INSERT INTO t VALUES (1, 10), (2, 20)");
    fix.sink.answer = until_renewed;
    push_once(&fix);
    assert_int_equal(fix.summary.ok, 2);
    assert_int_equal(fix.summary.rejected, 0);
}

static void workers_stop_together_and_what_was_claimed_goes_out_next(void **unused) {
    (void)unused;
    fix.lib.api.push.max_concurrent = 4;
    sql("INSERT INTO t SELECT range, range FROM range(200)");
    fix.sink.answer = all_down;
    push_once(&fix);
    assert_true(fix.summary.stopped);
    assert_true(fix.sink.count <= (PUSH_FAILED_BATCHES_MAX + 3) * 4);
    assert_int_equal(fix.summary.pending, 200);
    fix.sink.answer = NULL;
    push_once(&fix);
    assert_int_equal(fix.sink.count, 200);
    assert_int_equal(fix.summary.pending, 0);
}

static void a_lost_state_starts_at_the_lakes_copy(void **unused) {
    (void)unused;
    sql("INSERT INTO t VALUES (1, 10)");
    push_once(&fix);
    str sinks = {0};
    ASSERT_OK(&fix.lake, push_watermarks_json(fix.state, &fix.lake.arena, STR("main.t"), &sinks,
                                              &fix.lake.err));
    sql("BEGIN");
    sql("INSERT INTO t VALUES (2, 20)");
    const str message = str_format(
        &fix.lake.arena,
        "CALL lake.set_commit_message('x', 'y', extra_info => '{\"sinks\":" STR_FORMAT "}')",
        STR_ARGS(str_replace_all(&fix.lake.arena, sinks, STR("'"), STR("''"))));
    sql(str_to_cstring(&fix.lake.arena, message));
    sql("COMMIT");
    state_free(fix.state);
    const str remove = str_format(&fix.lake.arena, "rm -rf %s/.coypu", fix.lake.folder);
    assert_int_equal(system(str_to_cstring(&fix.lake.arena, remove)), 0);
    fix.state = state_new(&(struct state_options){.context = &fix.lake.context,
                                                  .project = str_from(fix.lake.folder)});
    fix.request.state = fix.state;
    push_once(&fix);
    assert_string_equal(deliveries_text(&fix), "2:insert=20");
    assert_int_equal(fix.summary.warnings.count, 1);
}

static void a_sink_in_delivery_elsewhere_is_left_alone(void **unused) {
    (void)unused;
    sql("INSERT INTO t VALUES (1, 10)");
    const struct state_sink_key key = {
        .target = STR("main.t"), .sink = STR("crm"), .args = STR("[]")};
    const struct state_owner far = {.host = STR("far"), .pid = 123};
    struct state_sink sink;
    bool taken = false;
    ASSERT_OK(&fix.lake, state_sink_take(fix.state, &fix.lake.arena, &key, &far, &taken, &sink,
                                         &fix.lake.err));
    push_once(&fix);
    assert_int_equal(fix.sink.count, 0);
    ASSERT_STR(push_summary_line(&fix.lake.arena, STR("crm"), &fix.summary),
               "push crm: in delivery by pid 123, 1 rows waiting");
}

static void batches_run_at_once_but_never_two_of_one_key(void **unused) {
    (void)unused;
    fix.lib.api.push.batch_size = 10;
    fix.lib.api.push.max_concurrent = 8;
    fix.sink.call_us = 2000;
    sql("INSERT INTO t SELECT range % 97, range FROM range(2000)");
    push_once(&fix);
    assert_int_equal(fix.summary.ok, 2000);
    assert_int_equal(fix.sink.count, 2000);
    assert_false(fix.sink.keys_overlapped);
    assert_true(atomic_load(&fix.sink.most_running) > 2);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_change_is_delivered_once),
        TEST(a_failed_row_waits_for_the_next_run_and_goes_with_its_latest_values),
        TEST(a_failed_insert_that_is_gone_is_dropped),
        TEST(an_insert_that_may_have_arrived_and_is_gone_is_a_delete),
        TEST(a_failed_delete_goes_again_with_the_values_it_had),
        TEST(a_later_row_of_the_same_key_waits_behind_a_failed_one),
        TEST(a_rejected_row_is_a_dead_letter),
        TEST(attempts_may_have_an_end),
        TEST(history_that_expired_makes_a_full_sync_and_dead_letters_of_lost_deletes),
        TEST(snapshots_that_expired_in_between_make_a_full_sync),
        TEST(rows_that_share_a_row_id_are_told_apart),
        TEST(five_failed_batches_stop_the_run),
        TEST(one_failure_keeps_a_tracked_group_whole),
        TEST(a_table_made_again_is_sent_again),
        TEST(a_renamed_sink_is_a_new_one),
        TEST(other_arguments_make_another_sink),
        TEST(a_preview_counts_and_changes_nothing),
        TEST(the_lease_is_renewed_while_a_batch_takes_long),
        TEST(workers_stop_together_and_what_was_claimed_goes_out_next),
        TEST(a_lost_state_starts_at_the_lakes_copy),
        TEST(a_sink_in_delivery_elsewhere_is_left_alone),
        TEST(batches_run_at_once_but_never_two_of_one_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
