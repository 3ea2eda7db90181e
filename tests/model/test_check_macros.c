// The shipped macros of @constraint, @audit and @warning: each over data that it passes and data
// that it does not (models.md §9.2–9.4), word for word.
//
// What needs a lake with history (row_count_delta, sum_delta, mean_delta) is in test_checks.c.
#include "model/check.h"

#include "base/environment.h"
#include "base/file.h"
#include "base/text.h"
#include "lake/lake.h"
#include "lake/result.h"
#include "project/checks.h"
#include "support/unit.h"

#include <unistd.h>

struct fixture {
    struct arena arena;
    struct environment environment;
    struct context context;
    struct lake *lake;
    struct lake_connection *connection;
    enum check_outcome outcome; // of the last check
};

#define GOLDEN "test_check_macros-golden.csv" // where the test runs: the build folder

static const struct check_case {
    enum check_stage stage;
    const char *check;
    const char *columns; // of `values`
    const char *values;
    const char *expected; // messages, a line each; "" passes
} CASES[] = {
#define C CHECK_CONSTRAINT
#define A CHECK_AUDIT
#define W CHECK_WARNING
    {C, "not_null(a)", "a", "(1), (2)", ""},
    {C, "not_null(a)", "a", "(1), (NULL), (NULL)", "a is NULL in 2 of 3 rows"},
    {C, "not_null(order)", "\"order\"", "(NULL::INT)", "order is NULL in 1 of 1 row"},
    {C, "not_null('\"a b\"')", "\"a b\"", "(NULL::INT)", "\"a b\" is NULL in 1 of 1 row"},
    {C, "composite_unique('\"a b\", b')", "\"a b\", b", "(1, 2), (1, 2)",
     "\"a b\", b is not unique: 1 value occurs more than once, in 2 rows (\"a b\", b: (1, 2))"},
    {C, "not_null(a + b)", "a, b", "(1, NULL), (1, 2)", "a + b is NULL in 1 of 2 rows"},
    {C, "not_empty(a)", "a", "('x'), (' y ')", ""},
    {C, "not_empty(a)", "a", "('x'), (''), (' '), (NULL)", "a is empty in 3 of 4 rows"},
    {C, "at_least_one(a)", "a", "(NULL), (1)", ""},
    {C, "at_least_one(a)", "a", "(NULL::INT), (NULL)", "a is NULL in all of 2 rows"},
    {C, "null_percent(a, 50)", "a", "(NULL), (1), (2)", ""},
    {C, "null_percent(a, 50)", "a", "(NULL), (1)",
     "a is NULL in 50.00 % of the rows (1 of 2), the limit is 50 %"},
    {C, "null_percent(a, 33.3)", "a", "(NULL), (1), (2)",
     "a is NULL in 33.33 % of the rows (1 of 3), the limit is 33.3 %"},
    {C, "unique(a)", "a", "(1), (2), (NULL)", ""},
    {C, "unique(a)", "a", "(1), (2), (1), (2), (1)",
     "a is not unique: 2 values occur more than once, in 5 rows (a: 1, 2)"},
    {C, "unique(a)", "a", "(NULL::INT), (NULL)",
     "a is not unique: 1 value occurs more than once, in 2 rows (a: NULL)"},
    {C, "composite_unique('a, b')", "a, b", "(1, 1), (1, 2), (2, 1)", ""},
    {C, "composite_unique('a, b')", "a, b", "(1, NULL), (1, NULL), (2, 1)",
     "a, b is not unique: 1 value occurs more than once, in 2 rows (a, b: (1, NULL))"},
    {C, "primary_key(a)", "a", "(1), (2)", ""},
    {C, "primary_key(a)", "a", "(1), (1), (NULL), (NULL)",
     "a is NULL in 2 of 4 rows\n"
     "a is not unique: 1 value occurs more than once, in 2 rows (a: 1)"},
    {C, "compare(a, >=, 0)", "a", "(0), (1), (NULL)", ""},
    {C, "compare(a, >=, 0)", "a", "(-1), (-2), (-1), (3)",
     "a is not >= 0 in 3 of 4 rows (a: -2, -1)"},
    {C, "compare(a, !=, x)", "a", "('x'), ('y')", "a is not != x in 1 of 2 rows (a: x)"},
    {C, "compare(a, <, 2024-01-02)", "a", "(DATE '2024-01-01')", ""},
    {C, "compare(a, <, 2024-01-02)", "a", "(DATE '2024-01-02')",
     "a is not < 2024-01-02 in 1 of 1 row (a: 2024-01-02)"},
    {C, "compare(a, <=, 5)", "a", "('nan'::DOUBLE)", "a is not <= 5 in 1 of 1 row (a: nan)"},
    {C, "compare(a, =, 'it''s')", "a", "('it''s')", ""},
    {C, "between(a, 1, 3)", "a", "(1), (3), (NULL)", ""},
    {C, "between(a, 1, 3)", "a", "(0), (4), (2)",
     "a is not between 1 and 3 in 2 of 3 rows (a: 0, 4)"},
    {C, "between(a, b, d)", "a", "('a'), ('c')", "a is not between b and d in 1 of 2 rows (a: a)"},
    {C, "in_list(a, 'x, y')", "a", "('x'), ('y'), (NULL)", ""},
    {C, "in_list(a, 'x, y')", "a", "('x'), ('X'), ('z')",
     "a is not one of x, y in 2 of 3 rows (a: X, z)"},
    {C, "in_list(a, '1,2')", "a", "(1), (2)", ""},
    {C, "in_list(a, 1)", "a", "(1), (2)", "a is not one of 1 in 1 of 2 rows (a: 2)"},
    {C, "not_in(a, 'x, y')", "a", "('z'), (NULL)", ""},
    {C, "not_in(a, 'x, y')", "a", "('x'), ('z')", "a is one of x, y in 1 of 2 rows (a: x)"},
    {C, "not_constant(a)", "a", "(1), (2)", ""},
    {C, "not_constant(a)", "a", "(1), (1), (NULL)",
     "the number of distinct values of a is 1, not >= 2"},
    {C, "like(a, A%)", "a", "('Ab'), (NULL)", ""},
    {C, "like(a, A%)", "a", "('Ab'), ('b')", "a is not like A% in 1 of 2 rows (a: b)"},
    {C, "not_like(a, A%)", "a", "('b'), (NULL)", ""},
    {C, "not_like(a, A%)", "a", "('Ab'), ('b')", "a is like A% in 1 of 2 rows (a: Ab)"},
    {C, "matches(a, [a-z]{2})", "a", "('ab'), (NULL)", ""},
    {C, "matches(a, [a-z]{2})", "a", "('abc'), ('ab')",
     "a does not match [a-z]{2} in 1 of 2 rows (a: abc)"},
    {C, "email(a)", "a", "('a@b.c'), ('a.b+c@d.e.org'), (NULL)", ""},
    {C, "email(a)", "a", "('a@b'), ('@b.c'), ('a b@c.d'), ('a@b..c')",
     "a is no e-mail address in 4 of 4 rows (a: @b.c, a b@c.d, a@b)"},
    {C, "uuid(a)", "a", "('f81d4fae-7dec-11d0-a765-00a0c91e6bf6'), (NULL)", ""},
    {C, "uuid(a)", "a", "('f81d4fae')", "a is no UUID in 1 of 1 row (a: f81d4fae)"},
    {C, "valid_type(a, DECIMAL(3, 1))", "a", "('12.5'), (NULL)", ""},
    {C, "valid_type(a, DECIMAL(3, 1))", "a", "('125.5'), ('x')",
     "a is no DECIMAL(3, 1) in 2 of 2 rows (a: 125.5, x)"},
    {C, "length_between(a, 2, 3)", "a", "('ab'), ('äöü'), (NULL)", ""},
    {C, "length_between(a, 2, 3)", "a", "('a'), ('abcd')",
     "the length of a is not between 2 and 3 in 2 of 2 rows (a: a, abcd)"},
    {C, "length_eq(a, 2)", "a", "('ab'), ('12'), (NULL)", ""},
    {C, "length_eq(a, 2)", "a", "('abc')", "the length of a is not 2 in 1 of 1 row (a: abc)"},
    {C, "references(a, other, id)", "a", "(1), (2), (NULL)", ""},
    {C, "references(a, other, id)", "a", "(1), (7)", "a is not in other.id in 1 of 2 rows (a: 7)"},
    {C, "references(id, other, id)", "id", "(7)", "id is not in other.id in 1 of 1 row (id: 7)"},
    {C, "sequential(a)", "a", "(3), (1), (2), (2), (NULL)", ""},
    {C, "sequential(a)", "a", "(1), (3), (7)",
     "the step to a is greater than 1 in 2 of 3 rows (a: 3, 7)"},
    {C, "sequential(a)", "a", "(DATE '2024-01-01'), (DATE '2024-01-02')", ""},
    {C, "sequential_step(a, 5)", "a", "(0), (5), (10)", ""},
    {C, "sequential_step(a, 5)", "a", "(0), (6)",
     "the step to a is greater than 5 in 1 of 2 rows (a: 6)"},
    {C, "distinct_count(a, =, 2)", "a", "(1), (2), (2), (NULL)", ""},
    {C, "distinct_count(a, =, 2)", "a", "(1)", "the number of distinct values of a is 1, not = 2"},
    {C, "duplicate_percent(a, 50)", "a", "(1), (1), (2), (NULL)", ""},
    {C, "duplicate_percent(a, 50)", "a", "(1), (1)",
     "50.00 % of a are duplicates (1 of 2), the limit is 50 %"},
    {C, "no_overlap(a, b)", "a, b", "(5, 9), (1, 5), (NULL, 3), (2, NULL)", ""},
    {C, "no_overlap(a, b)", "a, b", "(1, 10), (2, 3), (4, 5)",
     "a lies before the end of an earlier interval in 2 of 3 rows (a: 2, 4)"},
    {C, "no_overlap(a, b)", "a, b", "(1, 1), (1, 1)",
     "a lies before the end of an earlier interval in 1 of 2 rows (a: 1)"},
    {C, "no_nan(a)", "a", "(1.5::DOUBLE), ('inf'), (NULL)", ""},
    {C, "no_nan(a)", "a", "('nan'::DOUBLE)", "a is NaN in 1 of 1 row (a: nan)"},
    {C, "no_nan(a)", "a", "(1)", ""},
    {C, "finite(a)", "a", "(1.5::DOUBLE), (NULL)", ""},
    {C, "finite(a)", "a", "('nan'::DOUBLE), ('-inf')",
     "a is not finite in 2 of 2 rows (a: -inf, nan)"},
    {C, "required_if(a, b = 'x')", "a, b", "(1, 'x'), (NULL, 'y'), (NULL, NULL)", ""},
    {C, "required_if(a, b = 'x')", "a, b", "(NULL, 'x'), (1, 'y')",
     "a is NULL where b = 'x' in 1 of 2 rows"},
    {C, "check(total, a + b < 5)", "a, b", "(1, 2), (NULL, 1)", ""},
    {C, "check(total, a + b < 5)", "a, b", "(1, 2), (3, 2)",
     "total: a + b < 5 is false in 1 of 2 rows"},

    {A, "row_count(>=, 2)", "a", "(1), (2)", ""},
    {A, "row_count(>=, 2)", "a", "(1)", "the number of rows is 1, not >= 2"},
    {A, "freshness(a, 24h)", "a", "(TIMESTAMP '2024-05-31 12:00'), (NULL)", ""},
    {A, "freshness(a, 24h)", "a", "(TIMESTAMP '2024-05-30 12:00')",
     "the newest a is 2024-05-30 12:00:00, older than 24 HOUR"},
    {A, "freshness(a, 7d)", "a", "(DATE '2024-05-24')",
     "the newest a is 2024-05-24, older than 7 DAY"},
    {A, "freshness(a, 7d)", "a", "(TIMESTAMPTZ '2024-05-25 12:01:00+00')", ""},
    {A, "freshness(a, 7d)", "a", "(NULL::DATE)", "a: there is no value"},
    {A, "mean(a, >, 1)", "a", "(1), (3), (NULL)", ""},
    {A, "mean(a, >, 2)", "a", "(1), (3)", "mean(a) is 2.0, not > 2"},
    {A, "mean(a, >, 2)", "a", "(NULL::INT)", "mean(a): there is no value"},
    {A, "median(a, =, 2)", "a", "(1), (2), (9)", ""},
    {A, "median(a, =, 3)", "a", "(1), (2), (9)", "median(a) is 2.0, not = 3"},
    {A, "median(a, =, 3)", "a", "(NULL::INT)", "median(a): there is no value"},
    {A, "min(a, >=, 1)", "a", "(1), (2)", ""},
    {A, "min(a, >=, 2)", "a", "(1), (2)", "min(a) is 1, not >= 2"},
    {A, "min(a, >=, 2)", "a", "(NULL::INT)", "min(a): there is no value"},
    {A, "max(a, <=, 2024-12-31)", "a", "(DATE '2024-05-01')", ""},
    {A, "max(a, <, 2)", "a", "(1), (2)", "max(a) is 2, not < 2"},
    {A, "max(a, <, 2)", "a", "(NULL::INT)", "max(a): there is no value"},
    {A, "sum(a, =, 3)", "a", "(1), (2)", ""},
    {A, "sum(a, =, 4)", "a", "(1), (2)", "sum(a) is 3, not = 4"},
    {A, "sum(a, =, 4)", "a", "(NULL::INT)", "sum(a): there is no value"},
    {A, "mean_between(a, 1, 2)", "a", "(1), (3)", ""},
    {A, "mean_between(a, 3, 4)", "a", "(1), (3)", "mean(a) is 2.0, not between 3 and 4"},
    {A, "mean_between(a, 3, 4)", "a", "(NULL::INT)", "mean(a): there is no value"},
    {A, "stddev(a, 1)", "a", "(1), (2)", ""},
    {A, "stddev(a, 1)", "a", "(7)", ""},
    {A, "stddev(a, 1)", "a", "(1), (3), (5)", "stddev(a) is 2.0, not <= 1"},
    {A, "stddev(a, 1)", "a", "(NULL::INT)", "stddev(a): there is no value"},
    {A, "zscore(a, 3)", "a", "(1), (2), (3), (NULL)", ""},
    {A, "zscore(a, 3)", "a", "(2), (2)", ""},
    {A, "zscore(a, 1)", "a", "(0), (0), (9)",
     "the z-score of a is at least 1 in 1 of 3 rows (a: 9)"},
    {A, "zscore(a, 1)", "a", "(NULL::INT)", "zscore(a): there is no value"},
    {A, "percentile(a, 0.5, =, 2)", "a", "(1), (2), (3)", ""},
    {A, "percentile(a, 0.75, <, 2)", "a", "(1), (2), (3)", "percentile(a, 0.75) is 2.5, not < 2"},
    {A, "percentile(a, 0.5, =, 2)", "a", "(NULL::INT)", "percentile(a, 0.5): there is no value"},
    {A, "entropy(a, >=, 1)", "a", "(1), (2)", ""},
    {A, "entropy(a, >=, 1)", "a", "(1), (1)", "entropy(a) is 0.0, not >= 1"},
    {A, "approx_distinct(a, =, 2)", "a", "(1), (2), (2)", ""},
    {A, "approx_distinct(a, >, 2)", "a", "(1), (2)", "approx_distinct(a) is 2, not > 2"},
    {A, "reconcile_count(other)", "a", "(1), (2), (3)", ""},
    {A, "reconcile_count(other)", "a", "(1)", "there are 1 rows here and 3 in other"},
    {A, "reconcile_sum(a, other, id)", "a", "(1), (2)", ""},
    {A, "reconcile_sum(a, other, id)", "a", "(1)", "sum(a) is 1 here and 3 in other.id"},
    {A, "reconcile_sum(a, other, id)", "a", "(NULL::INT)", "sum(a) is NULL here and 3 in other.id"},
    {A, "reconcile_sum(a, nothing, id)", "a", "(NULL::INT)", ""},
    {A, "column_exists(A)", "a", "(1)", ""},
    {A, "column_exists(b)", "a", "(1)", "there is no column b"},
    {A, "column_type(a, decimal(3, 1))", "a", "(1.5::DECIMAL(3,1))", ""},
    {A, "column_type(a, BIGINT)", "a", "(1)", "a is INTEGER, not BIGINT"},
    {A, "column_type(b, BIGINT)", "a", "(1)", "there is no column b"},
    {A, "golden(" GOLDEN ")", "a, b", "(1, 'x'), (1, 'x'), (2, NULL), (3, '')", ""},
    {A, "golden(" GOLDEN ")", "a, b", "(1, 'x'), (2, NULL), (2, NULL), (3, NULL)",
     "2 rows are not in " GOLDEN ", 2 of its rows missing here"},

    {W, "freshness(a, 24h)", "a", "(TIMESTAMP '2024-06-01 11:00')", ""},
    {W, "freshness(a, 24h)", "a", "(TIMESTAMP '2024-05-30')",
     "the newest a is 2024-05-30 00:00:00, older than 24 HOUR"},
    {W, "row_count(>, 1)", "a", "(1), (2)", ""},
    {W, "row_count(>, 1)", "a", "(1)", "the number of rows is 1, not > 1"},
    {W, "min(a, >, 0)", "a", "(1)", ""},
    {W, "min(a, >, 0)", "a", "(0), (1)", "min(a) is 0, not > 0"},
    {W, "compare(a, >, 0)", "a", "(1)", ""},
    {W, "compare(a, >, 0)", "a", "(0), (1)", "a is not > 0 in 1 of 2 rows (a: 0)"},
    {W, "mean(a, >, 0)", "a", "(1)", ""},
    {W, "mean(a, >, 1)", "a", "(1)", "mean(a) is 1.0, not > 1"},
    {W, "not_null(a)", "a", "(1)", ""},
    {W, "not_null(a)", "a", "(NULL::INT)", "a is NULL in 1 of 1 row"},
    {W, "unique(a)", "a", "(1)", ""},
    {W, "unique(a)", "a", "(1), (1)",
     "a is not unique: 1 value occurs more than once, in 2 rows (a: 1)"},
    {W, "null_percent(a, 50)", "a", "(1)", ""},
    {W, "null_percent(a, 50)", "a", "(1), (NULL)",
     "a is NULL in 50.00 % of the rows (1 of 2), the limit is 50 %"},
    {W, "approaching_limit(a)", "a", "(90), (NULL)", ""},
    {W, "approaching_limit(a)", "a", "(91)", "max(a) is 91, above 90 % of 100"},
    {W, "low_entropy(a, 1)", "a", "(1), (2)", ""},
    {W, "low_entropy(a, 1)", "a", "(1), (1)", "entropy(a) is 0.0, not >= 1"},
    {W, "cardinality(a, <, 3)", "a", "(1), (2)", ""},
    {W, "cardinality(a, <, 2)", "a", "(1), (2)", "cardinality(a) is 2, not < 2"},
    {W, "row_count_delta(1)", "a", "(1)", ""},
    {W, "sum_delta(a, 1)", "a", "(1)", ""},
    {W, "mean_delta(a, 1)", "a", "(1)", ""},
#undef C
#undef A
#undef W
};

static void execute(struct fixture *f, const char *sql) {
    struct error err;
    if (lake_execute(f->connection, str_from(sql), LAKE_NO_VALUES, NULL, &err) != ERROR_NONE) {
        fail_msg("%s: %s", sql, err.message);
    }
}

static int setup(void **state) {
    static struct fixture fixture;
    struct fixture *f = &fixture;
    const struct lake_options options = {.threads = 1};
    struct error err;
    *f = (struct fixture){0};
    arena_init(&f->arena);
    environment_init(&f->environment, &f->arena, true);
    environment_set(&f->environment, STR("COYPU_DEPS_DIR"), STR(COYPU_DEPS_DIR));
    f->context = (struct context){.clock = clock_system(), .environment = &f->environment};
    if (lake_open(&f->context, &options, &f->lake, &err) != ERROR_NONE ||
        lake_connect(f->lake, &f->connection, &err) != ERROR_NONE ||
        checks_load_all(f->connection, &err) != ERROR_NONE ||
        file_write_atomic(STR(GOLDEN), STR("b,a\nx,1\nx,1\n,2\n\"\",3\n"), 0644, &err) !=
            ERROR_NONE) {
        fail_msg("%s", err.message);
    }
    execute(f, "SET VARIABLE ondatra_run_time = TIMESTAMP '2024-06-01 12:00'");
    execute(f, "SET VARIABLE alert_amount_threshold = 100");
    execute(f, "SET VARIABLE ondatra_check_columns = ['a', 'b']");
    execute(f, "CREATE TABLE other AS SELECT * FROM (VALUES (1), (2), (NULL)) v(id)");
    execute(f, "CREATE TABLE nothing (id INTEGER)");
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    lake_disconnect(f->connection);
    lake_close(f->lake);
    environment_done(&f->environment);
    arena_done(&f->arena);
    (void)unlink(GOLDEN);
    return 0;
}

// The messages of one check over the table t, a line each.
static str messages_of(struct fixture *f, enum check_stage stage, const char *text) {
    struct error err;
    const struct directive at = {.value = str_from(text), .is_set = true, .line = 1, .column = 1};
    struct check check = {.stage = stage, .at = &at};
    const struct check *checks[] = {&check};
    struct check_result_list results = {0};
    if (check_call_parse(&f->arena, at.value, &check.call, &err) != ERROR_NONE ||
        checks_evaluate(f->connection, &f->arena, checks, 1, STR("t"), &results, &err) !=
            ERROR_NONE) {
        fail_msg("%s: %s", text, err.message);
    }
    assert_int_equal(results.count, 1);
    assert_non_null(results.items);
    f->outcome = results.items != NULL ? results.items[0].outcome : CHECK_PENDING;
    return str_list_join(&f->arena, &results.items[0].messages, STR("\n"));
}

static void assert_messages(struct fixture *f, enum check_stage stage, const char *text,
                            const char *expected) {
    const str got = messages_of(f, stage, text);
    assert_string_equal(str_to_cstring(&f->arena, got), expected);
}

static void every_macro_passes_and_fails(void **state) {
    struct fixture *f = *state;
    int failures = 0;
    for (size_t i = 0; i < ARRAY_COUNT(CASES); i++) {
        const struct check_case *c = &CASES[i];
        const str sql =
            str_format(&f->arena, "CREATE OR REPLACE TABLE t AS SELECT * FROM (VALUES %s) v(%s)",
                       c->values, c->columns);
        execute(f, str_to_cstring(&f->arena, sql));
        const str got = messages_of(f, c->stage, c->check);
        if (!str_equal(got, str_from(c->expected))) {
            print_error("%s over %s\n  expected %s\n  got      " STR_FORMAT "\n", c->check,
                        c->values, c->expected, STR_ARGS(got));
            failures++;
        }
    }
    assert_int_equal(failures, 0);
}

static bool has_case(enum check_stage stage, str name, bool passes) {
    for (size_t i = 0; i < ARRAY_COUNT(CASES); i++) {
        const str check = str_from(CASES[i].check);
        const bool same = str_equal(str_slice(check, 0, str_find_char(check, '(')), name);
        if (CASES[i].stage == stage && same && (CASES[i].expected[0] == '\0') == passes) {
            return true;
        }
    }
    return false;
}

static void no_macro_is_forgotten(void **state) {
    struct fixture *f = *state;
    static const size_t COUNTS[] = {30, 18, 14};
    for (size_t stage = 0; stage < ARRAY_COUNT(COUNTS); stage++) {
        struct str_list names = {0};
        checks_names(&f->arena, check_stage_prefix((enum check_stage)stage), &names);
        assert_int_equal(names.count, COUNTS[stage]);
        for (size_t i = 0; i < names.count; i++) {
            const bool needs_history = str_ends_with(names.items[i], STR("_delta"));
            if (!has_case((enum check_stage)stage, names.items[i], true) ||
                (!needs_history && !has_case((enum check_stage)stage, names.items[i], false))) {
                fail_msg("no case for " STR_FORMAT, STR_ARGS(names.items[i]));
            }
        }
    }
}

static void examples_are_keys_when_there_is_one(void **state) {
    struct fixture *f = *state;
    execute(f, "CREATE OR REPLACE TABLE t AS SELECT i AS id, i % 2 AS half, CASE WHEN i > 5 THEN "
               "NULL ELSE i END AS a FROM range(10) r(i)");
    execute(f, "SET VARIABLE ondatra_check_key = 'id'");
    execute(f, "SET VARIABLE ondatra_check_key_sql = '\"id\"'");
    assert_messages(f, CHECK_CONSTRAINT, "not_null(a)", "a is NULL in 4 of 10 rows (id: 6, 7, 8)");
    execute(f, "SET VARIABLE ondatra_check_key = 'half, id'");
    execute(f, "SET VARIABLE ondatra_check_key_sql = '(\"half\", \"id\")'");
    assert_messages(f, CHECK_CONSTRAINT, "compare(a, <, 4)",
                    "a is not < 4 in 2 of 10 rows (half, id: (0, 4), (1, 5))");
    execute(f, "SET VARIABLE ondatra_check_key = NULL");
    execute(f, "SET VARIABLE ondatra_check_key_sql = NULL");
}

// A million intervals: comparing each with each would take hours.
static void overlaps_are_found_in_sorted_order(void **state) {
    struct fixture *f = *state;
    execute(f, "CREATE OR REPLACE TABLE t AS SELECT i * 10 AS a, i * 10 + 10 AS b FROM "
               "range(1000000) r(i)");
    assert_messages(f, CHECK_CONSTRAINT, "no_overlap(a, b)", "");
    execute(f, "INSERT INTO t VALUES (4999995, 5000005)");
    assert_messages(f, CHECK_CONSTRAINT, "no_overlap(a, b)",
                    "a lies before the end of an earlier interval in 2 of 1000001 rows "
                    "(a: 4999995, 5000000)");
}

// What a macro may be given for a parameter that takes no column.
static const char *some_argument(str parameter) {
    static const struct {
        str parameter;
        const char *argument;
    } ARGUMENTS[] = {
        {STR_INIT("op"), ">="},           {STR_INIT("type"), "INTEGER"},
        {STR_INIT("other"), "t"},         {STR_INIT("condition"), "true"},
        {STR_INIT("expression"), "true"}, {STR_INIT("span"), "24h"},
        {STR_INIT("pattern"), "x"},       {STR_INIT("regex"), "x"},
        {STR_INIT("path"), GOLDEN},
    };
    for (size_t i = 0; i < ARRAY_COUNT(ARGUMENTS); i++) {
        if (str_equal(ARGUMENTS[i].parameter, parameter)) {
            return ARGUMENTS[i].argument;
        }
    }
    return "1";
}

static bool is_column(str parameter) {
    static const str COLUMNS[] = {STR_INIT("col"),       STR_INIT("cols"),
                                  STR_INIT("key_col"),   STR_INIT("other_col"),
                                  STR_INIT("start_col"), STR_INIT("end_col")};
    for (size_t i = 0; i < ARRAY_COUNT(COLUMNS); i++) {
        if (str_equal(COLUMNS[i], parameter)) {
            return true;
        }
    }
    return false;
}

static str call_over(struct arena *arena, str name, const struct str_list *parameters,
                     const char *column) {
    struct text call;
    text_init(&call, arena);
    text_add(&call, name);
    for (size_t i = 0; i < parameters->count; i++) {
        text_format(&call, "%s%s", i == 0 ? "(" : ", ",
                    is_column(parameters->items[i]) ? column : some_argument(parameters->items[i]));
    }
    text_add_char(&call, ')');
    return text_str(&call);
}

static void every_macro_takes_a_column_in_quotes(void **state) {
    struct fixture *f = *state;
    execute(f, "CREATE OR REPLACE TABLE t AS SELECT i AS \"a \"\" b, ö\", DATE '2024-06-01' AS "
               "\"d d\" FROM range(3) r(i)");
    for (size_t stage = 0; stage < 3; stage++) {
        const str prefix = check_stage_prefix((enum check_stage)stage);
        struct str_list names = {0};
        checks_names(&f->arena, prefix, &names);
        for (size_t i = 0; i < names.count; i++) {
            struct str_list parameters = {0};
            const str name = names.items[i];
            assert_true(checks_find(
                &f->arena, str_format(&f->arena, "%.*s%.*s", STR_ARGS(prefix), STR_ARGS(name)),
                &parameters));
            const bool of_times = str_equal(name, STR("freshness"));
            const str call = call_over(&f->arena, name, &parameters,
                                       of_times ? "'\"d d\"'" : "'\"a \"\" b, ö\"'");
            const str got =
                messages_of(f, (enum check_stage)stage, str_to_cstring(&f->arena, call));
            const bool has_column = str_find_char(call, '"') != SIZE_MAX;
            if (has_column && f->outcome == CHECK_INVALID) {
                fail_msg(STR_FORMAT ": " STR_FORMAT, STR_ARGS(call), STR_ARGS(got));
            }
        }
    }
}

static void an_unknown_operator_is_an_error(void **state) {
    struct fixture *f = *state;
    execute(f, "CREATE OR REPLACE TABLE t AS SELECT 1 AS a");
    assert_messages(f, CHECK_CONSTRAINT, "compare(a, '=>', 1)",
                    "\"=>\" is not an operator: use one of >= > <= < = !=");
    assert_messages(f, CHECK_AUDIT, "percentile(a, -0.5, <, 1)",
                    "the percentile -0.5 is not from 0 to 1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_macro_passes_and_fails),
        cmocka_unit_test(no_macro_is_forgotten),
        cmocka_unit_test(examples_are_keys_when_there_is_one),
        cmocka_unit_test(overlaps_are_found_in_sorted_order),
        cmocka_unit_test(every_macro_takes_a_column_in_quotes),
        cmocka_unit_test(an_unknown_operator_is_an_error),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
