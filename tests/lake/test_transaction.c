// Transactions, snapshots and the change feed of a real lake, with both file catalogs.

#include "lake/transaction.h"

#include "fixture.h"
#include "lake/changes.h"
#include "lake/snapshot.h"

static int setup_kind(void **state, const char *kind) {
    static struct fixture f;
    fixture_init(&f);
    fixture_attach(&f, kind);
    fixture_execute(&f, "CREATE SCHEMA raw");
    fixture_execute(&f, "CREATE TABLE raw.a(k INTEGER, v VARCHAR)");
    *state = &f;
    return 0;
}

static int setup_sqlite(void **state) {
    return setup_kind(state, "sqlite:");
}

static int setup_duckdb(void **state) {
    return setup_kind(state, "");
}

static int teardown(void **state) {
    fixture_done(*state);
    return 0;
}

static void commit_is_one_snapshot_with_its_message(void **state) {
    struct fixture *f = *state;
    int64_t snapshot = 0;
    ASSERT_OK(f, lake_begin(f->connection, &f->err));
    fixture_execute(f, "CREATE TABLE raw.b(i INTEGER)");
    fixture_execute(f, "INSERT INTO raw.a VALUES (1, 'x')");
    ASSERT_OK(f, lake_commit_message(f->connection, STR("coypu"), STR("raw.a"),
                                     STR("{\"model\":\"raw.a\",\"n\":1}"), &f->err));
    ASSERT_OK(f, lake_commit(f->connection, &snapshot, &f->err));
    assert_int_equal(snapshot, 3);
    struct lake_snapshot *snapshots = NULL;
    size_t count = 0;
    ASSERT_OK(f, lake_snapshot_list(f->connection, &f->arena, STR("RAW.A"), 0, 0, &snapshots,
                                    &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(snapshots[0].id, 3);
    ASSERT_STR(snapshots[0].author, "coypu");
    ASSERT_STR(snapshots[0].extra_info, "{\"model\":\"raw.a\",\"n\":1}");
    assert_true(snapshots[0].time_us > INT64_C(1700000000000000));
}

static void commit(struct fixture *f, const char *author, const char *extra_info) {
    ASSERT_OK(f, lake_begin(f->connection, &f->err));
    fixture_execute(f, "INSERT INTO raw.a VALUES (1, 'x')");
    ASSERT_OK(f, lake_commit_message(f->connection, str_from(author), STR("m"),
                                     str_from(extra_info), &f->err));
    ASSERT_OK(f, lake_commit(f->connection, NULL, &f->err));
}

static void newest_commit_of_each_model_is_found(void **state) {
    struct fixture *f = *state;
    commit(f, "coypu", "{\"model\":\"raw.a\",\"n\":1}");
    commit(f, "coypu", "{\"model\":\"mart.b\",\"n\":2}");
    commit(f, "coypu", "{\"model\":\"RAW.a\",\"n\":3}");
    commit(f, "somebody", "no JSON {");
    commit(f, "somebody", "{\"job\":\"raw.a\"}");
    struct lake_model_commit *commits = NULL;
    size_t count = 0;
    ASSERT_OK(f, lake_model_commits(f->connection, &f->arena, NULL, &commits, &count, &f->err));
    assert_int_equal(count, 2);
    ASSERT_STR(commits[0].extra_info, "{\"model\":\"mart.b\",\"n\":2}");
    ASSERT_STR(commits[1].extra_info, "{\"model\":\"RAW.a\",\"n\":3}");
    assert_int_equal(commits[1].snapshot, commits[0].snapshot + 1);
    struct str_list models = {0};
    str_list_push(&f->arena, &models, STR("Mart.B"));
    ASSERT_OK(f, lake_model_commits(f->connection, &f->arena, &models, &commits, &count, &f->err));
    assert_int_equal(count, 1);
    ASSERT_STR(commits[0].extra_info, "{\"model\":\"mart.b\",\"n\":2}");
}

static void commit_of_nothing_writes_no_snapshot(void **state) {
    struct fixture *f = *state;
    int64_t snapshot = -1;
    ASSERT_OK(f, lake_begin(f->connection, &f->err));
    ASSERT_OK(f, lake_commit(f->connection, &snapshot, &f->err));
    assert_int_equal(snapshot, 0);
}

static void commit_is_refused_after_an_error(void **state) {
    static const char *const failing[] = {
        "SELEC 1",                         // a parser error leaves DuckDB's transaction alive
        "SELECT * FROM no_such_table",     // so does a binder error
        "SELECT error('boom') FROM raw.a", // a run-time error makes COMMIT a silent no-op
    };
    static const char *const messages[] = {"syntax error at or near \"SELEC\"",
                                           "table with name no_such_table does not exist", "boom"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(failing); i++) {
        int64_t snapshot = 0;
        ASSERT_OK(f, lake_begin(f->connection, &f->err));
        fixture_execute(f, "INSERT INTO raw.a VALUES (1, 'x')");
        assert_int_not_equal(
            lake_execute(f->connection, str_from(failing[i]), LAKE_NO_VALUES, NULL, &f->err),
            ERROR_NONE);
        f->err = (struct error){0};
        assert_int_not_equal(lake_commit(f->connection, &snapshot, &f->err), ERROR_NONE);
        assert_string_equal(f->err.message, messages[i]);
        assert_false(lake_in_transaction(f->connection));
        assert_int_equal(fixture_int64(f, "SELECT count(*) FROM raw.a"), 0);
    }
}

static void second_connection_sees_the_last_commit(void **state) {
    struct fixture *f = *state;
    struct lake_connection *reader = NULL;
    ASSERT_OK(f, lake_connect(f->lake, &reader, &f->err));
    ASSERT_OK(f, lake_use(reader, &f->err));
    ASSERT_OK(f, lake_begin(f->connection, &f->err));
    fixture_execute(f, "INSERT INTO raw.a VALUES (1, 'x')");
    int64_t count = -1;
    ASSERT_OK(f, lake_query_int64(reader, STR("SELECT count(*) FROM raw.a"), LAKE_NO_VALUES, &count,
                                  NULL, &f->err));
    assert_int_equal(count, 0);
    ASSERT_OK(f, lake_commit(f->connection, NULL, &f->err));
    ASSERT_OK(f, lake_query_int64(reader, STR("SELECT count(*) FROM raw.a"), LAKE_NO_VALUES, &count,
                                  NULL, &f->err));
    assert_int_equal(count, 1);
}

static str feed(struct fixture *f, int64_t from, int64_t to) {
    const struct changes_query query = {
        .schema = STR("raw"), .table = STR("a"), .from = from, .to = to};
    LAKE_RESULT result = NULL;
    ASSERT_OK(f, changes_stream(f->connection, &query, &result, &f->err));
    struct text out;
    text_init(&out, &f->arena);
    struct lake_chunk chunk;
    while (true) {
        ASSERT_OK(f, lake_result_chunk(result, &chunk, &f->err));
        if (chunk.row_count == 0) {
            return text_str(&out);
        }
        for (size_t row = 0; row < chunk.row_count; row++) {
            for (size_t i = 0; i < chunk.column_count; i++) {
                lake_cell_text_add(&out, &chunk.columns[i], row);
                text_add_char(&out, i + 1 == chunk.column_count ? ';' : ' ');
            }
        }
    }
}

static void feed_tells_what_a_range_changed(void **state) {
    struct fixture *f = *state;
    fixture_execute(f, "INSERT INTO raw.a VALUES (1, 'x'), (2, 'y')"); // snapshot 3
    fixture_execute(f, "UPDATE raw.a SET v = 'z' WHERE k = 1");        // 4
    fixture_execute(f, "DELETE FROM raw.a WHERE k = 2");               // 5
    ASSERT_STR(feed(f, 3, 5), "3 0 insert 1 x;3 1 insert 2 y;4 0 update_postimage 1 z;"
                              "4 0 update_preimage 1 x;5 1 delete 2 y;");
    ASSERT_STR(feed(f, 4, 4), "4 0 update_postimage 1 z;4 0 update_preimage 1 x;");
    ASSERT_STR(feed(f, 6, 5), "");
}

static void tables_know_their_newest_change(void **state) {
    struct fixture *f = *state;
    fixture_execute(f, "CREATE TABLE raw.b(i INTEGER)");              // 3
    fixture_execute(f, "INSERT INTO raw.a VALUES (1, 'x')");          // 4
    fixture_execute(f, "INSERT INTO raw.b SELECT * FROM range(500)"); // 5
    fixture_execute(f, "DELETE FROM raw.a");                          // 6
    struct lake_table_version *versions = NULL;
    size_t count = 0;
    ASSERT_OK(f, lake_table_versions(f->connection, &f->arena, &versions, &count, &f->err));
    assert_int_equal(count, 2);
    assert_int_equal(versions[0].snapshot, 6);
    assert_int_equal(versions[1].snapshot, 5);
    int64_t current = 0;
    ASSERT_OK(f, lake_current_snapshot(f->connection, &current, &f->err));
    assert_int_equal(current, 6);
    bool exists = true;
    ASSERT_OK(f, lake_snapshot_exists(f->connection, 7, &exists, &f->err));
    assert_false(exists);
}

static void table_is_found_without_case_and_before_commit(void **state) {
    struct fixture *f = *state;
    struct lake_table table;
    bool found = false;
    ASSERT_OK(f, lake_table_find(f->connection, &f->arena, STR("RAW"), STR("A"), &table, &found,
                                 &f->err));
    assert_true(found);
    assert_int_equal(table.begin_snapshot, 2);
    assert_int_equal(table.column_count, 2);
    ASSERT_STR(table.columns[1].type, "VARCHAR");
    ASSERT_OK(f, lake_begin(f->connection, &f->err));
    fixture_execute(f, "CREATE TABLE raw.fresh(d DECIMAL(9,2))");
    ASSERT_OK(f, lake_table_find(f->connection, &f->arena, STR("raw"), STR("fresh"), &table, &found,
                                 &f->err));
    assert_true(found);
    ASSERT_STR(table.columns[0].type, "DECIMAL(9,2)");
    ASSERT_OK(f, lake_table_find(f->connection, &f->arena, STR("raw"), STR("none"), &table, &found,
                                 &f->err));
    assert_false(found);
    lake_rollback(f->connection);
}

#define BOTH(test)                                                                                 \
    cmocka_unit_test_setup_teardown(test, setup_sqlite, teardown),                                 \
        cmocka_unit_test_setup_teardown(test, setup_duckdb, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(commit_is_one_snapshot_with_its_message),
        BOTH(newest_commit_of_each_model_is_found),
        BOTH(commit_of_nothing_writes_no_snapshot),
        BOTH(commit_is_refused_after_an_error),
        BOTH(second_connection_sees_the_last_commit),
        BOTH(feed_tells_what_a_range_changed),
        BOTH(tables_know_their_newest_change),
        BOTH(table_is_found_without_case_and_before_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
