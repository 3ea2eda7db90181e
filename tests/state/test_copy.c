// Copying a SQLite file while others use it.
#include "base/file.h"
#include "base/text.h"
#include "state/db.h"
#include "state/sqlite_copy.h"

// clang-format off: cmocka.h needs these before it
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdlib.h>

static struct arena arena;
static struct error err;
static str folder;

static int setup(void **unused) {
    (void)unused;
    char name[] = "/tmp/coypu-copy-XXXXXX";
    assert_non_null(mkdtemp(name));
    arena_init(&arena);
    folder = str_copy(&arena, str_from(name));
    return 0;
}

static int teardown(void **unused) {
    (void)unused;
    assert_int_equal(directory_remove(folder, &err), ERROR_NONE);
    arena_done(&arena);
    return 0;
}

static str path_of(const char *name) {
    return path_join(&arena, folder, str_from(name));
}

static struct db *open_source(void) {
    struct db *db = NULL;
    assert_int_equal(db_open(path_of("source"), false, 1000, &db, &err), ERROR_NONE);
    assert_int_equal(db_script(db, "CREATE TABLE IF NOT EXISTS t(x INTEGER);", &err), ERROR_NONE);
    return db;
}

static int64_t count_rows(const char *name) {
    struct db *db = NULL;
    int64_t count = -1;
    bool has_row = false;
    assert_int_equal(db_open(path_of(name), true, 1000, &db, &err), ERROR_NONE);
    {
        DB_CURSOR cursor = {0};
        assert_int_equal(db_query(db, "SELECT count(*) FROM t", NULL, 0, &cursor, &err),
                         ERROR_NONE);
        assert_int_equal(db_next(&cursor, &has_row, &err), ERROR_NONE);
        count = db_int(&cursor, 0);
    }
    db_close(db);
    return count;
}

static void what_is_committed_is_copied_also_out_of_the_wal(void **unused) {
    (void)unused;
    struct db *source = open_source();
    assert_int_equal(db_script(source, "INSERT INTO t VALUES (1), (2);", &err), ERROR_NONE);
    assert_int_equal(db_begin(source, &err), ERROR_NONE);
    assert_int_equal(db_script(source, "INSERT INTO t VALUES (3);", &err), ERROR_NONE);
    assert_int_equal(sqlite_file_copy(path_of("source"), path_of("copy"), "", 1000, &err),
                     ERROR_NONE);
    db_rollback(source);
    assert_int_equal(count_rows("copy"), 2);
    db_close(source);
}

static void the_script_runs_in_the_copy_alone(void **unused) {
    (void)unused;
    db_close(open_source());
    assert_int_equal(sqlite_file_copy(path_of("source"), path_of("copy"),
                                      "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2);", 1000,
                                      &err),
                     ERROR_NONE);
    assert_int_equal(count_rows("copy"), 2);
    assert_int_equal(count_rows("source"), 0);
}

static void no_side_files_stay_where_there_were_none(void **unused) {
    (void)unused;
    db_close(open_source());
    assert_false(path_exists(path_of("source-wal")));
    assert_int_equal(sqlite_file_copy(path_of("source"), path_of("copy"), "", 1000, &err),
                     ERROR_NONE);
    assert_false(path_exists(path_of("source-wal")));
    assert_false(path_exists(path_of("source-shm")));
}

static void a_file_that_is_no_database_is_refused(void **unused) {
    (void)unused;
    assert_int_equal(file_write_atomic(path_of("source"),
                                       STR("not a database, but long enough to "
                                           "be looked at as one"),
                                       0600, &err),
                     ERROR_NONE);
    assert_int_equal(sqlite_file_copy(path_of("source"), path_of("copy"), "", 1000, &err),
                     ERROR_IO);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_committed_is_copied_also_out_of_the_wal),
        TEST(the_script_runs_in_the_copy_alone),
        TEST(no_side_files_stay_where_there_were_none),
        TEST(a_file_that_is_no_database_is_refused),
    };
    return cmocka_run_group_tests_name("copy", tests, NULL, NULL);
}
