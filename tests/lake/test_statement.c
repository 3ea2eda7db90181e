// Statements: one at a time, bound values, errors with DuckDB's place and advice.

#include "base/interrupt.h"
#include "fixture.h"
#include "lake/ast.h"
#include "lake/read_only.h"

#include <pthread.h>

static int setup(void **state) {
    static struct fixture f;
    fixture_init(&f);
    fixture_open(&f);
    fixture_execute(&f, "CREATE TABLE orders(id INTEGER, price DECIMAL(9,2))");
    fixture_execute(&f, "INSERT INTO orders VALUES (1, 1.50), (2, 2.00)");
    *state = &f;
    return 0;
}

static int teardown(void **state) {
    fixture_done(*state);
    return 0;
}

struct failing {
    const char *sql;
    enum error_code code;
    const char *message;
    const char *hint;
    int line;
    int column;
};
static const struct failing failing[] = {
    {"SELEC 1", ERROR_INVALID, "syntax error at or near \"SELEC\"", "", 1, 1},
    {"SELECT 1,\n  x FROM orders", ERROR_INVALID,
     "referenced column \"x\" not found in FROM clause", "candidate bindings: \"id\"", 2, 3},
    {"SELECT 'é', y FROM orders", ERROR_INVALID, "referenced column \"y\" not found in FROM clause",
     "candidate bindings: \"id\"", 1, 13},
    {"SELECT *\nFROM orderz", ERROR_NOT_FOUND, "table with name orderz does not exist",
     "did you mean \"orders\"?", 2, 6},
    {"SELECT error('boom')", ERROR_INVALID, "boom", "", 0, 0},
    {"SELECT error(E'boom\n\nLINE 1: CREATE TABLE inner AS …\n        ^\nDid you mean x?')",
     ERROR_INVALID, "boom", "did you mean x?", 0, 0},
    {"SELECT error(E'boom\n\nLINE 12: CREATE TABLE inner')", ERROR_INVALID, "boom", "", 0, 0},
    {"SELECT error(E'boom\nLINE of text: 1')", ERROR_INVALID, "boom LINE of text: 1", "", 0, 0},
    {"SELECT 'a'::INTEGER", ERROR_INVALID, "could not convert string 'a' to INT32", "", 1, 11},
    {"SELECT 1; SELECT 2", ERROR_INVALID, "one statement is expected, this text has 2", "", 1, 11},
    {" -- nothing", ERROR_INVALID, "the SQL text is empty", "", 0, 0},
    {"SELECT ?", ERROR_INVALID, "expected 1 parameters, but none were supplied", "", 0, 0},
};

static void error_has_place_and_advice(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(failing); i++) {
        LAKE_RESULT result = NULL;
        struct error err = {0};
        assert_int_equal(
            lake_query(f->connection, str_from(failing[i].sql), LAKE_NO_VALUES, &result, &err),
            failing[i].code);
        assert_string_equal(err.message, failing[i].message);
        assert_string_equal(err.hint, failing[i].hint);
        assert_int_equal(err.pos.line, failing[i].line);
        assert_int_equal(err.pos.column, failing[i].column);
    }
}

static void values_are_bound(void **state) {
    struct fixture *f = *state;
    const str texts[] = {STR("a'b"), STR("")};
    const int64_t integers[] = {1, INT64_MAX};
    str value = {0};
    ASSERT_OK(
        f, lake_query_text(f->connection, &f->arena,
                           STR("SELECT {a: ?, b: ?, c: ?, d: ?, e: ?, f: ?, g: ?}"),
                           LAKE_VALUES(lake_value_text(STR("'; DROP TABLE orders; --")),
                                       lake_value_int64(INT64_MIN), lake_value_double(0.1),
                                       lake_value_bool(true), lake_value_null(),
                                       lake_value_texts(texts, 2), lake_value_int64s(integers, 2)),
                           &value, NULL, &f->err));
    ASSERT_STR(value, "{\"a\":\"'; DROP TABLE orders; --\",\"b\":-9223372036854775808,\"c\":0.1,"
                      "\"d\":true,\"e\":null,\"f\":[\"a'b\",\"\"],\"g\":[1,9223372036854775807]}");
    ASSERT_OK(f, lake_set_variable(f->connection, STR("odd \"name"), lake_value_timestamp(1500000),
                                   &f->err));
    ASSERT_STR(fixture_text(f, "SELECT getvariable('odd \"name')"), "1970-01-01T00:00:01.500000");
}

static void wrong_number_of_values_is_an_error(void **state) {
    struct fixture *f = *state;
    int64_t value = 0;
    assert_int_equal(lake_query_int64(f->connection, STR("SELECT 1"),
                                      LAKE_VALUES(lake_value_int64(1)), &value, NULL, &f->err),
                     ERROR_INVALID);
    assert_string_equal(f->err.message, "the statement has 0 parameters, 1 values are given");
}

static void pivot_is_one_statement(void **state) {
    struct fixture *f = *state;
    ASSERT_STR(fixture_text(f, "PIVOT orders ON id USING sum(price)"), "1.50");
}

static void stream_reads_more_than_memory_holds(void **state) {
    struct fixture *f = *state;
    LAKE_RESULT result = NULL;
    ASSERT_OK(f, lake_stream(f->connection, STR("SELECT range FROM range(100000000000)"),
                             LAKE_NO_VALUES, &result, &f->err));
    struct lake_chunk chunk;
    for (int64_t expected = 0; expected < 10 * LAKE_CHUNK_ROWS_MAX;
         expected += (int64_t)chunk.row_count) {
        ASSERT_OK(f, lake_result_chunk(result, &chunk, &f->err));
        assert_int_equal(lake_bigint(&chunk.columns[0], 0), expected);
    }
}

static void late_error_of_a_stream_is_told(void **state) {
    struct fixture *f = *state;
    LAKE_RESULT result = NULL;
    enum error_code code = lake_stream(
        f->connection,
        STR("SELECT CASE WHEN range = 900000 THEN error('late') ELSE 'x' END FROM range(1000000)"),
        LAKE_NO_VALUES, &result, &f->err);
    struct lake_chunk chunk = {.row_count = 1};
    while (code == ERROR_NONE && chunk.row_count > 0) {
        code = lake_result_chunk(result, &chunk, &f->err);
    }
    assert_int_equal(code, ERROR_INVALID);
    assert_string_equal(f->err.message, "late");
}

// DuckDB then says "Interrupted!" of the stream: its error is behind what was read.
static void error_of_a_stream_that_is_read_slowly_is_told(void **state) {
    struct fixture *f = *state;
    LAKE_RESULT result = NULL;
    enum error_code code = lake_stream(
        f->connection,
        STR("SELECT CASE WHEN range = 40000 THEN error('late') ELSE 'x' END\nFROM range(1000000)"),
        LAKE_NO_VALUES, &result, &f->err);
    usleep(100000); // the other thread comes as far as the buffer lets it
    struct lake_chunk chunk = {.row_count = 1};
    while (code == ERROR_NONE && chunk.row_count > 0) {
        code = lake_result_chunk(result, &chunk, &f->err);
    }
    assert_int_equal(code, ERROR_INVALID);
    assert_string_equal(f->err.message, "late");
}

static void changed_rows_are_counted(void **state) {
    struct fixture *f = *state;
    int64_t changed = 0;
    ASSERT_OK(f, lake_execute(f->connection, STR("UPDATE orders SET price = price"), LAKE_NO_VALUES,
                              &changed, &f->err));
    assert_int_equal(changed, 2);
}

static void *raise_soon(void *interrupt) {
    usleep(100000);
    interrupt_raise(interrupt);
    return NULL;
}

static void interrupt_stops_what_runs(void **state) {
    struct fixture *f = *state;
    struct interrupt interrupt;
    interrupt_init(&interrupt);
    fixture_close(f);
    f->context.interrupt = &interrupt;
    fixture_open(f);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, raise_soon, &interrupt), 0);
    int64_t value = 0;
    assert_int_equal(
        lake_query_int64(
            f->connection,
            STR("SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000) b"),
            LAKE_NO_VALUES, &value, NULL, &f->err),
        ERROR_CANCELLED);
    assert_string_equal(f->err.message, "interrupted");
    pthread_join(thread, NULL);
    fixture_close(f);
    f->context.interrupt = NULL;
    interrupt_done(&interrupt);
}

static void a_shielded_connection_works_after_an_interrupt(void **state) {
    struct fixture *f = *state;
    struct interrupt interrupt;
    interrupt_init(&interrupt);
    fixture_close(f);
    f->context.interrupt = &interrupt;
    fixture_open(f);
    interrupt_raise(&interrupt);
    int64_t value = 0;
    assert_int_equal(
        lake_query_int64(f->connection, STR("SELECT 1"), LAKE_NO_VALUES, &value, NULL, &f->err),
        ERROR_CANCELLED);
    assert_false(lake_shield(f->connection, true));
    // Long enough for the watcher to come by.
    ASSERT_OK(f, lake_query_int64(f->connection, STR("SELECT count(*) FROM range(100000000)"),
                                  LAKE_NO_VALUES, &value, NULL, &f->err));
    assert_int_equal(value, 100000000);
    assert_true(lake_shield(f->connection, false));
    fixture_close(f);
    f->context.interrupt = NULL;
    interrupt_done(&interrupt);
}

static void describe_binds_and_does_not_run(void **state) {
    struct fixture *f = *state;
    struct lake_column *columns = NULL;
    size_t count = 0;
    ASSERT_OK(f, lake_describe(f->connection, &f->arena,
                               STR("SELECT price * 2 AS p, error('x') AS e, * FROM orders"),
                               &columns, &count, &f->err));
    assert_int_equal(count, 4);
    ASSERT_STR(columns[0].name, "p");
    ASSERT_STR(columns[0].type, "DECIMAL(18,2)");
}

static void tree_of_a_query_and_back(void **state) {
    struct fixture *f = *state;
    str json = {0};
    str sql = {0};
    ASSERT_OK(f, lake_ast_read(f->connection, &f->arena, STR("SELECT a FROM nowhere('x')"), &json,
                               &f->err));
    assert_true(str_find(json, STR("TABLE_FUNCTION")) != SIZE_MAX);
    ASSERT_OK(f, lake_ast_write(f->connection, &f->arena, json, &sql, &f->err));
    ASSERT_STR(sql, "SELECT a FROM nowhere('x')");
    // DuckDB itself writes 0.1 and 1000.0, which are decimals.  The text of a column is its name.
    ASSERT_OK(f, lake_ast_read(f->connection, &f->arena,
                               STR("SELECT v * 1e-1, -1e3, 1.5, 1e3 AS x, {'a': 1e30}, "
                                   "'__ondatra_double_7_' FROM t WHERE y::DOUBLE > 2"),
                               &json, &f->err));
    ASSERT_OK(f, lake_ast_write(f->connection, &f->arena, json, &sql, &f->err));
    ASSERT_STR(sql, "SELECT (v * 0.1e0), -1000.0e0, 1.5, 1000.0e0 AS x, "
                    "main.struct_pack(a := 1e30), '__ondatra_double_7_' FROM t "
                    "WHERE (CAST(y AS DOUBLE) > 2)");
    assert_int_equal(
        lake_ast_read(f->connection, &f->arena, STR("SELECT\n 1 frm x y"), &json, &f->err),
        ERROR_INVALID);
    assert_string_equal(f->err.message, "syntax error at or near \"x\"");
    assert_int_equal(f->err.pos.line, 2);
    assert_int_equal(f->err.pos.column, 8);
    assert_int_equal(lake_ast_read(f->connection, &f->arena, STR("DROP TABLE x"), &json, &f->err),
                     ERROR_INVALID);
    assert_string_equal(f->err.message, "the statement is not a SELECT");
}

struct check_case {
    const char *sql;
    const char *sql_message;   // of `coypu sql`; NULL: allowed
    const char *query_message; // of query()
};
static const struct check_case checks[] = {
    {"SELECT * FROM orders", NULL, NULL},
    {"FROM orders", NULL, NULL},
    {"VALUES (1)", NULL, NULL},
    {"WITH x AS (SELECT 1) FROM x", NULL, NULL},
    {"SHOW TABLES", NULL, "only a single SELECT is allowed (got SHOW or DESCRIBE)"},
    {"PRAGMA version", NULL, "only a single SELECT is allowed (got PRAGMA)"},
    {"DELETE FROM orders", "only a single SELECT is allowed (got DELETE)",
     "only a single SELECT is allowed (got DELETE)"},
    {"DELETE FROM nowhere", "only a single SELECT is allowed (got DELETE)",
     "only a single SELECT is allowed (got DELETE)"},
    {"SELECT 1; SELECT 2", "only a single SELECT is allowed (got several statements)",
     "only a single SELECT is allowed (got several statements)"},
    {"EXPLAIN ANALYZE DELETE FROM orders", "only a single SELECT is allowed (got EXPLAIN)",
     "only a single SELECT is allowed (got EXPLAIN)"},
    {"SET threads = 1", "only a single SELECT is allowed (got SET)",
     "only a single SELECT is allowed (got SET)"},
    {"COPY orders TO '/tmp/x.csv'", "only a single SELECT is allowed (got COPY)",
     "only a single SELECT is allowed (got COPY)"},
    {"SELECT * FROM glob('/etc/*')", NULL, "the function glob is not allowed here"},
    {"SELECT (SELECT content FROM read_text('/etc/passwd'))", NULL,
     "the function read_text is not allowed here"},
};

static void only_reading_statements_pass(void **state) {
    struct fixture *f = *state;
    const struct read_only_rule rules[] = {{0},
                                           {.refuse_file_functions = true, .only_select = true}};
    for (size_t i = 0; i < ARRAY_COUNT(checks); i++) {
        const char *const expected[] = {checks[i].sql_message, checks[i].query_message};
        for (size_t k = 0; k < ARRAY_COUNT(rules); k++) {
            struct error err = {0};
            const enum error_code code =
                lake_check_read_only(f->connection, str_from(checks[i].sql), &rules[k], &err);
            assert_string_equal(err.message, expected[k] == NULL ? "" : expected[k]);
            assert_int_equal(code, expected[k] == NULL ? ERROR_NONE : ERROR_INVALID);
        }
    }
    assert_int_equal(fixture_int64(f, "SELECT count(*) FROM orders"), 2);
}

static void names_and_texts_are_quoted(void **state) {
    struct fixture *f = *state;
    ASSERT_STR(lake_quote_name(&f->arena, STR("a\"b")), "\"a\"\"b\"");
    ASSERT_STR(lake_quote_text(&f->arena, STR("it's")), "'it''s'");
    ASSERT_STR(lake_quote_target(&f->arena, STR("raw.api__users")), "\"raw\".\"api__users\"");
    ASSERT_STR(lake_quote_target(&f->arena, STR("t")), "\"t\"");
}

#define WITH_LAKE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_LAKE(error_has_place_and_advice),
        WITH_LAKE(values_are_bound),
        WITH_LAKE(wrong_number_of_values_is_an_error),
        WITH_LAKE(pivot_is_one_statement),
        WITH_LAKE(stream_reads_more_than_memory_holds),
        WITH_LAKE(late_error_of_a_stream_is_told),
        WITH_LAKE(error_of_a_stream_that_is_read_slowly_is_told),
        WITH_LAKE(changed_rows_are_counted),
        WITH_LAKE(interrupt_stops_what_runs),
        WITH_LAKE(a_shielded_connection_works_after_an_interrupt),
        WITH_LAKE(describe_binds_and_does_not_run),
        WITH_LAKE(tree_of_a_query_and_back),
        WITH_LAKE(only_reading_statements_pass),
        WITH_LAKE(names_and_texts_are_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
