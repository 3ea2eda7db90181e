#include "lake/fixture.h"
#include "lake/snapshot.h"
#include "lib/push_feed.h"

#include <string.h>

// Net changes of a real lake against a reference that remembers every row of every snapshot.

enum { STEPS = 24, ROWS_MAX = 4096 };

struct row {
    int64_t rowid;
    int64_t k;
    int64_t v;
};
struct version {
    int64_t snapshot;
    struct row rows[256];
    size_t count;
};
struct expected {
    int64_t rowid;
    enum state_change change;
    int64_t v;
};

static struct fixture fix;

static struct push_table test_table(bool grouped) {
    struct push_table table = {
        .connection = fix.connection, .schema = STR("main"), .name = STR("t"), .grouped = grouped};
    str_list_push(&fix.arena, &table.keys, STR("k"));
    return table;
}

static int64_t current_snapshot(void) {
    int64_t id = 0;
    ASSERT_OK(&fix, lake_current_snapshot(fix.connection, &id, &fix.err));
    return id;
}

static void remember(struct version *version) {
    version->snapshot = current_snapshot();
    LAKE_RESULT result = NULL;
    ASSERT_OK(&fix, lake_query(fix.connection, STR("SELECT rowid, k, v FROM t ORDER BY rowid"),
                               LAKE_NO_VALUES, &result, &fix.err));
    version->count = 0;
    while (lake_result_next(result)) {
        assert_true(version->count < ARRAY_COUNT(version->rows));
        version->rows[version->count++] =
            (struct row){lake_result_int64(result, 0), lake_result_int64(result, 1),
                         lake_result_int64(result, 2)};
    }
}

// A fixed sequence of pseudo-random steps; every update gives a value never seen before.
static uint32_t next_random(uint32_t *seed) {
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void random_step(uint32_t *seed, int *value) {
    const unsigned at = next_random(seed) % 20;
    (*value)++;
    const char *sql = NULL;
    switch (next_random(seed) % 4) {
    case 0:
        sql = "INSERT INTO t SELECT range + %u, %d FROM range(5)";
        break;
    case 1:
        sql = "UPDATE t SET v = %2$d * 1000 + rowid WHERE k %% 7 = %1$u %% 7";
        break;
    case 2:
        sql = "DELETE FROM t WHERE k %% 5 = %u %% 5 AND v < %d * 1000";
        break;
    default:
        sql = "UPDATE t SET v = %2$d * 1000 + rowid WHERE k = %1$u";
        break;
    }
    char text[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" // the formats stand a few lines above
    snprintf(text, sizeof(text), sql, at, *value);
#pragma GCC diagnostic pop
    fixture_execute(&fix, text);
}

static const struct row *find_row(const struct version *version, int64_t rowid) {
    for (size_t i = 0; i < version->count; i++) {
        if (version->rows[i].rowid == rowid) {
            return &version->rows[i];
        }
    }
    return NULL;
}

static size_t reference(const struct version *from, const struct version *to,
                        struct expected *expected) {
    size_t count = 0;
    for (size_t i = 0; i < from->count; i++) {
        const struct row *before = &from->rows[i];
        const struct row *after = find_row(to, before->rowid);
        if (after == NULL) {
            expected[count++] = (struct expected){before->rowid, STATE_CHANGE_DELETE, before->v};
        } else if (after->v != before->v) {
            expected[count++] =
                (struct expected){before->rowid, STATE_CHANGE_UPDATE_PREIMAGE, before->v};
            expected[count++] =
                (struct expected){before->rowid, STATE_CHANGE_UPDATE_POSTIMAGE, after->v};
        }
    }
    for (size_t i = 0; i < to->count; i++) {
        if (find_row(from, to->rows[i].rowid) == NULL) {
            expected[count++] =
                (struct expected){to->rows[i].rowid, STATE_CHANGE_INSERT, to->rows[i].v};
        }
    }
    return count;
}

static void read_all(struct push_stream *stream) {
    bool more = true;
    while (more) {
        ASSERT_OK(&fix, feed_read(stream, &more, &fix.err));
    }
    assert_int_equal(stream->count, stream->total);
}

static int64_t value_of(const struct push_event *event) {
    return lake_bigint(&event->page->chunk.columns[PUSH_COLUMN_FIRST + 1], event->row);
}

static int order_of(const struct push_event *a, const struct push_event *b) {
    const int64_t left[] = {a->snapshot, ((int64_t)a->change + 1) / 2, a->rowid,
                            (int64_t)a->change};
    const int64_t right[] = {b->snapshot, ((int64_t)b->change + 1) / 2, b->rowid,
                             (int64_t)b->change};
    for (size_t i = 0; i < ARRAY_COUNT(left); i++) {
        if (left[i] != right[i]) {
            return left[i] < right[i] ? -1 : 1;
        }
    }
    return 0;
}

static void check_stream(const struct push_stream *stream, const struct version *from,
                         const struct version *to) {
    static struct expected expected[ROWS_MAX];
    const size_t count = reference(from, to, expected);
    if (count != stream->count) {
        fail_msg("(%lld, %lld]: expected %zu events, got %zu", (long long)from->snapshot,
                 (long long)to->snapshot, count, stream->count);
    }
    for (size_t i = 0; i < stream->count; i++) {
        const struct push_event *event = &stream->events[i];
        assert_int_equal(event->index, i);
        assert_true(event->snapshot > from->snapshot && event->snapshot <= to->snapshot);
        bool found = false;
        for (size_t j = 0; j < count; j++) {
            found =
                found || (expected[j].rowid == event->rowid &&
                          expected[j].change == event->change && expected[j].v == value_of(event));
        }
        assert_true(found);
        assert_true(i == 0 || order_of(&stream->events[i - 1], event) < 0);
    }
}

static void net_changes_are_the_difference_of_two_versions(void **unused) {
    (void)unused;
    static struct version versions[STEPS];
    fixture_execute(&fix, "CREATE TABLE t(k BIGINT, v BIGINT)");
    fixture_execute(&fix, "INSERT INTO t SELECT range, range FROM range(20)");
    uint32_t seed = 7;
    int value = 1;
    remember(&versions[0]);
    for (size_t i = 1; i < STEPS; i++) {
        random_step(&seed, &value);
        remember(&versions[i]);
    }
    struct push_table table = test_table(false);
    for (size_t from = 0; from < STEPS; from += 3) {
        for (size_t to = from + 1; to < STEPS; to += 4) {
            struct push_stream stream = {0};
            ASSERT_OK(&fix, feed_describe(&table, &fix.arena, versions[to].snapshot, &fix.err));
            ASSERT_OK(&fix, feed_stage_range(&stream, &table, versions[from].snapshot,
                                             versions[to].snapshot, &fix.err));
            read_all(&stream);
            check_stream(&stream, &versions[from], &versions[to]);
            feed_stream_done(&stream);
        }
    }
    fixture_execute(&fix, "DROP TABLE t");
}

static void a_full_sync_is_every_row_as_insert_over_many_pages(void **unused) {
    (void)unused;
    fixture_execute(&fix, "CREATE TABLE t(k BIGINT, v BIGINT)");
    fixture_execute(&fix, "INSERT INTO t SELECT range, range * 2 FROM range(10000)");
    struct push_table table = test_table(false);
    struct push_stream stream = {0};
    const int64_t now = current_snapshot();
    ASSERT_OK(&fix, feed_describe(&table, &fix.arena, now, &fix.err));
    assert_int_equal(table.columns.count, 2);
    ASSERT_OK(&fix, feed_stage_range(&stream, &table, STATE_NO_SNAPSHOT, now, &fix.err));
    read_all(&stream);
    assert_int_equal(stream.count, 10000);
    for (size_t i = 0; i < stream.count; i++) {
        assert_int_equal(stream.events[i].index, i);
        assert_int_equal(stream.events[i].change, STATE_CHANGE_INSERT);
        assert_int_equal(stream.events[i].rowid, i);
        assert_int_equal(value_of(&stream.events[i]), i * 2);
    }
    ASSERT_STR(stream.events[7].keys, "{\"k\":7}");
    feed_seek(&stream, 5000, 5100); // any part can be read again
    bool more = true;
    ASSERT_OK(&fix, feed_read(&stream, &more, &fix.err));
    assert_int_equal(stream.count - stream.first, 100);
    assert_int_equal(stream.events[stream.first].index, 5000);
    feed_stream_done(&stream);
    fixture_execute(&fix, "DROP TABLE t");
}

static void groups_are_contiguous_with_deletes_first(void **unused) {
    (void)unused;
    fixture_execute(&fix, "CREATE TABLE t(k BIGINT, v BIGINT)");
    fixture_execute(&fix, "INSERT INTO t SELECT range % 5, range FROM range(20)");
    const int64_t from = current_snapshot();
    for (int k = 0; k < 5; k += 2) {
        fixture_execute(&fix, "BEGIN");
        char sql[128];
        snprintf(sql, sizeof(sql), "DELETE FROM t WHERE k = %d", k);
        fixture_execute(&fix, sql);
        snprintf(sql, sizeof(sql), "INSERT INTO t SELECT %d, 100 + range FROM range(3)", k);
        fixture_execute(&fix, sql);
        fixture_execute(&fix, "COMMIT");
    }
    struct push_table table = test_table(true);
    struct push_stream stream = {0};
    const int64_t to = current_snapshot();
    ASSERT_OK(&fix, feed_describe(&table, &fix.arena, to, &fix.err));
    ASSERT_OK(&fix, feed_stage_range(&stream, &table, from, to, &fix.err));
    read_all(&stream);
    assert_int_equal(stream.count, 3 * 7);
    for (size_t i = 0; i < stream.count; i++) {
        assert_int_equal(stream.events[i].change,
                         i % 7 < 4 ? STATE_CHANGE_DELETE : STATE_CHANGE_INSERT);
        assert_true(i % 7 == 0 || stream.events[i].tag == stream.events[i - 1].tag);
    }
    feed_stream_done(&stream);
    fixture_execute(&fix, "DROP TABLE t");
}

static void an_append_table_gives_inserts_only(void **unused) {
    (void)unused;
    fixture_execute(&fix, "CREATE TABLE t(k BIGINT, v BIGINT)");
    fixture_execute(&fix, "INSERT INTO t SELECT range, range FROM range(20)");
    const int64_t from = current_snapshot();
    fixture_execute(&fix, "DELETE FROM t WHERE k < 5");
    fixture_execute(&fix, "UPDATE t SET v = 0 WHERE k > 15");
    fixture_execute(&fix, "INSERT INTO t VALUES (50, 50)");
    struct push_table table = test_table(false);
    table.append = true;
    struct push_stream stream = {0};
    ASSERT_OK(&fix, feed_describe(&table, &fix.arena, current_snapshot(), &fix.err));
    ASSERT_OK(&fix, feed_stage_range(&stream, &table, from, current_snapshot(), &fix.err));
    read_all(&stream);
    assert_int_equal(stream.count, 1);
    assert_int_equal(value_of(&stream.events[0]), 50);
    feed_stream_done(&stream);
    fixture_execute(&fix, "DROP TABLE t");
}

// Failed rows: what is new gets the latest values, what was keeps its own, what is gone is left
// out, and what has an image needs no history.
static void failed_rows_are_read_again(void **unused) {
    (void)unused;
    fixture_execute(&fix, "CREATE TABLE t(k BIGINT, v BIGINT, l VARCHAR[], d DECIMAL(9,2))");
    const int64_t empty = current_snapshot();
    fixture_execute(&fix, "INSERT INTO t SELECT range, range, ['a', 'b,\"c'], 1.5 FROM range(5)");
    const int64_t from = current_snapshot();
    fixture_execute(&fix, "UPDATE t SET v = 20 WHERE k = 2");
    fixture_execute(&fix, "DELETE FROM t WHERE k = 3");
    const int64_t to = current_snapshot();
    fixture_execute(&fix, "UPDATE t SET v = 21 WHERE k = 2");
    const int64_t now = current_snapshot();
    struct push_table table = test_table(false);
    ASSERT_OK(&fix, feed_describe(&table, &fix.arena, now, &fix.err));
    struct push_stream stream = {0};
    ASSERT_OK(&fix, feed_stage_range(&stream, &table, from, to, &fix.err));
    read_all(&stream);
    const str image = str_copy(&fix.arena, feed_image(&fix.arena, &table, &stream.events[2]));
    feed_stream_done(&stream);
    const struct state_row rows[] = {
        {.id = 1,
         .rowid = 0,
         .change = STATE_CHANGE_INSERT,
         .snapshot = from,
         .since = empty,
         .keys = STR("{\"k\":0}")},
        {.id = 2,
         .rowid = 2,
         .change = STATE_CHANGE_UPDATE_PREIMAGE,
         .snapshot = to,
         .since = from,
         .keys = STR("{\"k\":2}")},
        {.id = 3,
         .rowid = 2,
         .change = STATE_CHANGE_UPDATE_POSTIMAGE,
         .snapshot = to,
         .since = from,
         .keys = STR("{\"k\":2}")},
        {.id = 4,
         .rowid = 3,
         .change = STATE_CHANGE_DELETE,
         .snapshot = to,
         .since = from,
         .keys = STR("{\"k\":3}")},
        {.id = 5,
         .rowid = 3,
         .change = STATE_CHANGE_INSERT,
         .snapshot = to,
         .since = from,
         .keys = STR("{\"k\":3}")},
        {.id = 6,
         .rowid = 9,
         .change = STATE_CHANGE_DELETE,
         .snapshot = 0,
         .since = 0,
         .keys = STR("{\"k\":2}"),
         .image = image},
    };
    ASSERT_OK(&fix, feed_stage_failed(&stream, &table, rows, ARRAY_COUNT(rows), now, 0, &fix.err));
    read_all(&stream);
    static const struct {
        int64_t id;
        int64_t v;
    } expected[] = {{6, 3}, {1, 0}, {4, 3}, {2, 2}, {3, 21}};
    assert_int_equal(stream.count, ARRAY_COUNT(expected));
    for (size_t i = 0; i < stream.count; i++) {
        assert_int_equal(stream.events[i].failed_id, expected[i].id);
        assert_int_equal(value_of(&stream.events[i]), expected[i].v);
    }
    const str again = feed_image(&fix.arena, &table, &stream.events[0]);
    assert_true(str_equal(again, image)); // nested values and decimals survive the image
    feed_stream_done(&stream);
    fixture_execute(&fix, "DROP TABLE t");
}

static int setup(void **unused) {
    (void)unused;
    fixture_init(&fix);
    fixture_attach(&fix, "sqlite:");
    return 0;
}

static int teardown(void **unused) {
    (void)unused;
    fixture_done(&fix);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(net_changes_are_the_difference_of_two_versions),
        cmocka_unit_test(a_full_sync_is_every_row_as_insert_over_many_pages),
        cmocka_unit_test(groups_are_contiguous_with_deletes_first),
        cmocka_unit_test(an_append_table_gives_inserts_only),
        cmocka_unit_test(failed_rows_are_read_again),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
