// Rows of ours inside SQL: projection, every writer, errors with all they carry.

#include "lake/source.h"

#include "fixture.h"

struct plan {
    int64_t rows;
    bool fails;
};
struct scan {
    struct plan plan;
    size_t columns[8];
    size_t column_count;
    int64_t done;
};
struct counters {
    int binds;
    int starts;
    int finishes;
    int unbinds;
    size_t columns_read;
};

static enum error_code on_bind(void *self, const struct lake_argument *arguments, size_t count,
                               struct lake_source_bind *bind, void **out, struct error *err) {
    struct counters *counters = self;
    counters->binds++;
    if (count < 2 || arguments[1].is_null) {
        error_set(err, ERROR_INVALID, "rows is missing");
        error_at(err, STR("models/a.sql"), 7, 3);
        error_hint(err, "pass a number");
        return err->code;
    }
    struct plan *plan = memory_alloc(sizeof(*plan));
    *plan = (struct plan){.fails = str_equal(arguments[0].text, STR("failing"))};
    if (!str_parse_int64(arguments[1].text, &plan->rows)) {
        free(plan);
        return error_set(err, ERROR_INVALID, "rows is not a number");
    }
    *out = plan;
    lake_source_column(bind, STR("id"), LAKE_BIGINT, 0, 0);
    lake_source_column(bind, STR("name"), LAKE_VARCHAR, 0, 0);
    lake_source_column(bind, STR("price"), LAKE_DOUBLE, 0, 0);
    lake_source_column(bind, STR("body"), LAKE_JSON, 0, 0);
    lake_source_column(bind, STR("big"), LAKE_HUGEINT, 0, 0);
    lake_source_column(bind, STR("at_time"), LAKE_TIMESTAMP_TZ, 0, 0);
    lake_source_column(bind, STR("is_odd"), LAKE_BOOLEAN, 0, 0);
    return ERROR_NONE;
}

static enum error_code on_start(void *self, void *bound, const size_t *columns, size_t count,
                                void **out, struct error *err) {
    (void)err;
    struct counters *counters = self;
    counters->starts++;
    counters->columns_read = count;
    struct scan *scan = memory_alloc(sizeof(*scan));
    *scan = (struct scan){.plan = *(struct plan *)bound, .column_count = count};
    for (size_t i = 0; i < count; i++) {
        scan->columns[i] = columns[i];
    }
    *out = scan;
    return ERROR_NONE;
}

static void put(struct lake_writer_column *column, size_t which, size_t row, int64_t id) {
    char name[32];
    if (which == 0) {
        lake_put_bigint(column, row, id);
    } else if (which == 1 && id % 3 == 0) {
        lake_put_null(column, row);
    } else if (which == 1) {
        const int size =
            snprintf(name, sizeof(name), id % 2 ? "n%lld" : "a longer name %lld", (long long)id);
        lake_put_text(column, row, (str){name, (size_t)size});
    } else if (which == 2) {
        lake_put_double(column, row, (double)id / 2);
    } else if (which == 3) {
        lake_put_text(column, row, STR("{\"k\":[1]}"));
    } else if (which == 4) {
        lake_put_hugeint(column, row, (struct lake_hugeint){.low = (uint64_t)id, .high = 1});
    } else if (which == 5) {
        lake_put_bigint(column, row, id * 1000000);
    } else {
        lake_put_bool(column, row, id % 2 == 1);
    }
}

static enum error_code on_fill(void *memory, struct lake_writer *writer, struct error *err) {
    struct scan *scan = memory;
    size_t rows = 0;
    while (rows < LAKE_CHUNK_ROWS_MAX && scan->done < scan->plan.rows) {
        for (size_t i = 0; i < scan->column_count; i++) {
            put(&writer->columns[i], scan->columns[i], rows, scan->done);
        }
        scan->done++;
        rows++;
    }
    if (scan->plan.fails && rows == 0) {
        error_set(err, ERROR_REMOTE, "page 3: status 500");
        error_trace(err, "  lib/x.star:3:4 in fetch\n");
        return err->code;
    }
    lake_writer_finish(writer, rows);
    return ERROR_NONE;
}

static void on_finish(void *scan) {
    free(scan);
}

static struct counters counters;

static int setup(void **state) {
    static struct fixture f;
    counters = (struct counters){0};
    fixture_init(&f);
    fixture_attach(&f, "");
    const struct lake_source source = {.bind = on_bind,
                                       .start = on_start,
                                       .fill = on_fill,
                                       .finish = on_finish,
                                       .unbind = free,
                                       .self = &counters};
    ASSERT_OK(&f, lake_source_register(f.connection, &source, &f.err));
    const str arguments[] = {STR("rows")};
    ASSERT_OK(&f, lake_source_macro(f.connection, STR("shop"), arguments, 1, &f.err));
    ASSERT_OK(&f, lake_source_macro(f.connection, STR("failing"), arguments, 1, &f.err));
    *state = &f;
    return 0;
}

static int teardown(void **state) {
    fixture_done(*state);
    return 0;
}

static void rows_land_in_the_lake(void **state) {
    struct fixture *f = *state;
    fixture_execute(f, "CREATE TABLE t AS FROM shop(5000)");
    assert_int_equal(fixture_int64(f, "SELECT sum(id) FROM t"), 12497500);
    assert_int_equal(fixture_int64(f, "SELECT count(*) FROM t WHERE name IS NULL"), 1667);
    ASSERT_STR(fixture_text(f, "SELECT name FROM t WHERE id = 4"), "a longer name 4");
    // Not through the lake: Parquet has no 128-bit integer, DuckDB writes a DOUBLE there.
    ASSERT_STR(fixture_text(f, "SELECT big FROM shop(9) WHERE id = 5"), "18446744073709551621");
    ASSERT_STR(fixture_text(f, "SELECT at_time FROM t WHERE id = 1"), "1970-01-01T00:00:01Z");
    ASSERT_STR(fixture_text(f, "SELECT body->>'k' FROM t WHERE id = 2"), "[1]");
    assert_int_equal(fixture_int64(f, "SELECT count(*) FROM t WHERE is_odd"), 2500);
}

static void only_the_columns_read_are_asked_for(void **state) {
    struct fixture *f = *state;
    assert_int_equal(fixture_int64(f, "SELECT sum(price)::BIGINT FROM shop('10')"), 22);
    assert_int_equal(counters.columns_read, 1);
    assert_int_equal(fixture_int64(f, "SELECT count(*) FROM shop(7)"), 7);
}

static void bind_does_not_start(void **state) {
    struct fixture *f = *state;
    struct lake_column *columns = NULL;
    size_t count = 0;
    ASSERT_OK(f, lake_describe(f->connection, &f->arena, STR("SELECT * FROM shop(1)"), &columns,
                               &count, &f->err));
    assert_int_equal(count, 7);
    ASSERT_STR(columns[3].type, "JSON");
    ASSERT_STR(columns[5].type, "TIMESTAMP WITH TIME ZONE");
    assert_int_equal(counters.starts, 0);
}

static void errors_keep_position_hint_and_trace(void **state) {
    struct fixture *f = *state;
    int64_t value = 0;
    assert_int_equal(lake_query_int64(f->connection, STR("SELECT count(*) FROM shop()"),
                                      LAKE_NO_VALUES, &value, NULL, &f->err),
                     ERROR_INVALID);
    assert_string_equal(f->err.message, "rows is missing");
    assert_string_equal(f->err.hint, "pass a number");
    assert_string_equal(f->err.pos.file, "models/a.sql");
    assert_int_equal(f->err.pos.line, 7);
    assert_int_equal(lake_query_int64(f->connection, STR("SELECT sum(id) FROM failing(9)"),
                                      LAKE_NO_VALUES, &value, NULL, &f->err),
                     ERROR_REMOTE);
    assert_string_equal(f->err.message, "page 3: status 500");
    assert_string_equal(f->err.trace, "  lib/x.star:3:4 in fetch\n");
}

static void everything_is_given_back(void **state) {
    struct fixture *f = *state;
    (void)fixture_int64(f, "SELECT count(*) FROM shop(3000) a JOIN shop(10) b USING (id)");
    fixture_close(f);
    assert_int_equal(counters.starts, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_land_in_the_lake, setup, teardown),
        cmocka_unit_test_setup_teardown(only_the_columns_read_are_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(bind_does_not_start, setup, teardown),
        cmocka_unit_test_setup_teardown(errors_keep_position_hint_and_trace, setup, teardown),
        cmocka_unit_test_setup_teardown(everything_is_given_back, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
