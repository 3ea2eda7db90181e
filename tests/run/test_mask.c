// Masking: no raw value gets into the lake or into a message (models.md §8).
#include "run/fixture.h"

static int setup(void **state) {
    struct project_fixture *f = malloc(sizeof(*f));
    assert_non_null(f);
    project_init_fixture(f);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    project_done_fixture(*state);
    free(*state);
    return 0;
}

#define SOURCE                                                                                     \
    "SELECT * FROM (VALUES (1, 'joe@x.org', '123-45-6789', 'Joe'), (2, NULL, NULL, NULL)) AS "     \
    "v(id, email, ssn, name)\n"

static void shipped_masks_keep_null(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/t.sql",
                  "-- @column: email = the address | pii | mask_email\n"
                  "-- @column: SSN = number | mask_ssn\n"
                  "-- @column: name = | Redact\n"
                  "-- @column: hashed = | hash_pii\n"
                  "SELECT *, name AS hashed, id AS number FROM (" SOURCE ")\n");
    project_run(f);
    ASSERT_MESSAGES(f, "");
    assert_string_equal(
        project_query(f, "SELECT * REPLACE (left(hashed, 8) AS hashed) FROM main.t ORDER BY id"),
        "1|j***@x.org|***-**-6789|[REDACTED]|6dd8b7d7|1\n2|NULL|NULL|NULL|NULL|2\n");
    assert_string_equal(project_query(f, "SELECT column_name, comment FROM duckdb_columns() WHERE "
                                         "table_name = 't' AND comment IS NOT NULL"),
                        "email|the address\nssn|number\n");
}

static void a_mask_takes_any_type_and_may_change_it(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "config/macros/masks.sql", "CREATE MACRO mask_year(v) AS year(v);\n");
    project_write(f, "models/t.sql",
                  "-- @kind: merge\n-- @unique_key: id\n"
                  "-- @column: born = | mask_year\n-- @column: pin = | redact\n"
                  "SELECT 1 AS id, DATE '1980-05-06' AS born, 1234 AS pin\n");
    project_run(f);
    ASSERT_MESSAGES(f, "");
    assert_string_equal(project_query(f, "SELECT *, typeof(born) FROM main.t"),
                        "1|1980|[REDACTED]|BIGINT\n");
    project_run(f);
    ASSERT_LINES(f, "[skip] main.t skip 0 no dependencies\n");
    // Another mask, or another meaning of it, rewrites the data.
    project_write(f, "config/macros/masks.sql",
                  "CREATE MACRO mask_year(v) AS year(v) + 1;\n"
                  "CREATE MACRO mask_other(v) AS 0;\n");
    project_run(f);
    ASSERT_LINES(f, "[ok] main.t backfill 1 macro changed: mask_year\n");
    project_write(f, "models/t.sql",
                  "-- @kind: merge\n-- @unique_key: id\n"
                  "-- @column: born = | mask_other\n-- @column: pin = | redact\n"
                  "SELECT 1 AS id, DATE '1980-05-06' AS born, 1234 AS pin\n");
    project_run(f);
    assert_non_null(strstr(text_cstring(&f->lines), "backfill 1 directive changed: column"));
    project_write(f, "models/t.sql",
                  "-- @kind: merge\n-- @unique_key: id\n"
                  "-- @column: born = a text\n-- @column: pin = | redact\n"
                  "SELECT 1 AS id, DATE '1980-05-06' AS born, 1234 AS pin\n");
    project_run(f);
    assert_string_equal(project_query(f, "SELECT id, born, pin FROM main.t"),
                        "1|1980-05-06|[REDACTED]\n");
}

static void every_kind_is_masked(void **state) {
    struct project_fixture *f = *state;
    static const char *const HEADERS[] = {
        "", "-- @kind: append\n", "-- @kind: merge\n-- @unique_key: id\n",
        "-- @kind: tracked\n-- @group_key: id\n", "-- @kind: scd2\n-- @unique_key: id\n"};
    for (size_t i = 0; i < ARRAY_COUNT(HEADERS); i++) {
        const str model = str_format(&f->arena,
                                     "%s-- @column: email = | mask_email\n"
                                     "-- @constraint: not_in(email, 'joe@x.org')\n"
                                     "SELECT id, email FROM raw.source\n",
                                     HEADERS[i]);
        const str path = str_format(&f->arena, "models/mart/t%zu.sql", i);
        project_write(f, str_to_cstring(&f->arena, path), str_to_cstring(&f->arena, model));
    }
    project_write(f, "models/raw/source.sql", SOURCE);
    project_run(f);
    ASSERT_MESSAGES(f, "");
    // A second run goes the ways of the difference: an append's, a merge's, …
    project_write(f, "models/raw/source.sql",
                  "SELECT * FROM (VALUES (1, 'joe@x.org'), (2, 'sue@y.org'), (3, 'amy@z.org')) AS "
                  "v(id, email)\n");
    project_run(f);
    for (size_t i = 0; i < ARRAY_COUNT(HEADERS); i++) {
        const str sql = str_format(
            &f->arena,
            "SELECT DISTINCT id, email FROM mart.t%zu WHERE email IS NOT NULL ORDER BY 1", i);
        assert_string_equal(project_query(f, str_to_cstring(&f->arena, sql)),
                            "1|j***@x.org\n2|s***@y.org\n3|a***@z.org\n");
    }
    project_run(f);
    assert_null(strstr(text_cstring(&f->lines), "[ok]"));
}

static void what_cannot_be_masked_is_refused(void **state) {
    static const struct {
        const char *model;
        const char *messages;
    } CASES[] = {
        {"-- @kind: merge\n-- @unique_key: id\n-- @column: id = | hash_pii\nSELECT 1 AS id\n",
         "models/t.sql:3:13: error: @column: \"id\" cannot be masked by hash_pii, as it is the "
         "column of @unique_key\n"
         "  -- @column: id = | hash_pii\n"
         "              ^\n"
         "  hint: rows could not be told apart any more: use another key, such as hash_pii(id) AS "
         "id_hash in the query\n"},
        {"-- @kind: append\n-- @incremental: id\n-- @column: ID = | hash_pii\nSELECT 1 AS id\n",
         "models/t.sql:3:13: error: @column: \"ID\" cannot be masked by hash_pii, as it is the "
         "column of @incremental\n"
         "  -- @column: ID = | hash_pii\n"
         "              ^\n"
         "  hint: a masked cursor does not say where to go on: use another column\n"},
        {"-- @kind: tracked\n-- @group_key: a, b\n-- @column: b = | redact\nSELECT 1 AS a, 2 AS b, "
         "3 AS c\n",
         "models/t.sql:3:13: error: @column: \"b\" cannot be masked by redact, as it is the column "
         "of @group_key\n"
         "  -- @column: b = | redact\n"
         "              ^\n"
         "  hint: rows could not be told apart any more: use another key, such as hash_pii(b) AS "
         "b_hash in the query\n"},
        {"-- @column: a = | mask_emial\nSELECT 'x' AS a\n",
         "models/t.sql:1:13: error: @column: the tag \"mask_emial\" names no macro\n"
         "  -- @column: a = | mask_emial\n"
         "              ^\n"
         "  hint: did you mean mask_email?\n"},
        {"-- @column: a = | redact\nSELECT * FROM (SELECT 'x' AS b)\n",
         "models/t.sql:1:13: error: @column names \"a\", which the query does not produce\n"
         "  -- @column: a = | redact\n"
         "              ^\n"
         "  hint: it produces: b\n"},
        {"-- @column: a = | mask_bad\nSELECT 'x' AS a\n",
         "models/t.sql:1:13: error: masking: no function matches the given name and argument types "
         "'list_aggr(VARCHAR, STRING_LITERAL)'. You might need to add explicit type casts\n"
         "  -- @column: a = | mask_bad\n"
         "              ^\n"
         "  hint: candidate functions: list_aggr(ANY[], VARCHAR, [ANY...]) -> ANY\n"},
    };
    struct project_fixture *f = *state;
    project_write(f, "config/macros/m.sql", "CREATE MACRO mask_bad(v) AS list_sum(v);\n");
    for (size_t i = 0; i < ARRAY_COUNT(CASES); i++) {
        project_write(f, "models/t.sql", CASES[i].model);
        project_run(f);
        ASSERT_MESSAGES(f, CASES[i].messages);
        assert_string_equal(project_query(f, "SELECT count(*) FROM duckdb_tables() WHERE "
                                             "table_name = 't'"),
                            "0\n");
    }
}

static void no_message_shows_a_raw_value(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/raw/source.sql", SOURCE);
    project_write(f, "models/t.sql",
                  "-- @column: ssn = | redact\n"
                  "SELECT id,\n       ssn::INTEGER AS ssn FROM raw.source\n");
    project_write(f, "models/u.sql",
                  "-- @kind: merge\n-- @unique_key: id\n"
                  "-- @column: email = | mask_email\n"
                  "-- @constraint: like(email, %@y.org)\n"
                  "-- @constraint: check(email, email::INTEGER > 1)\n"
                  "SELECT id, email FROM raw.source\n");
    project_run(f);
    ASSERT_MESSAGES(
        f, "models/t.sql:3:11: error: a value cannot be computed; which one is not shown, as the "
           "model masks columns\n"
           "         ssn::INTEGER AS ssn FROM raw.source\n"
           "            ^\n"
           "  hint: run the query without its sensitive columns, or use TRY_CAST\n"
           "models/u.sql:4:17: error: @constraint: like(email, %@y.org) failed: email is not like "
           "%@y.org in 1 of 2 rows (id: 1)\n"
           "  -- @constraint: like(email, %@y.org)\n"
           "                  ^\n"
           "models/u.sql:5:17: error: @constraint: check(email, email::INTEGER > 1) cannot be "
           "evaluated: could not convert string 'j***@x.org' to INT32 when casting from source "
           "column email\n"
           "  -- @constraint: check(email, email::INTEGER > 1)\n"
           "                  ^\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shipped_masks_keep_null, setup, teardown),
        cmocka_unit_test_setup_teardown(a_mask_takes_any_type_and_may_change_it, setup, teardown),
        cmocka_unit_test_setup_teardown(every_kind_is_masked, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_masked_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(no_message_shows_a_raw_value, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
