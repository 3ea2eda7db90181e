// Every type comes out as text and as JSON, exactly.

#include "base/json.h"
#include "fixture.h"
#include "lake/result.h"
#include "lake/table_format.h"

struct cell_case {
    const char *sql;
    const char *type;
    const char *text;
    const char *json;
};

static const struct cell_case cases[] = {
    {"true", "BOOLEAN", "true", "true"},
    {"(-128)::TINYINT", "TINYINT", "-128", "-128"},
    {"9223372036854775807", "BIGINT", "9223372036854775807", "9223372036854775807"},
    {"(-9223372036854775808)::BIGINT", "BIGINT", "-9223372036854775808", "-9223372036854775808"},
    {"18446744073709551615::UBIGINT", "UBIGINT", "18446744073709551615", "18446744073709551615"},
    {"12345678901234567890::HUGEINT", "HUGEINT", "12345678901234567890",
     "\"12345678901234567890\""},
    {"(-170141183460469231731687303715884105728)::HUGEINT", "HUGEINT",
     "-170141183460469231731687303715884105728", "\"-170141183460469231731687303715884105728\""},
    {"340282366920938463463374607431768211455::UHUGEINT", "UHUGEINT",
     "340282366920938463463374607431768211455", "\"340282366920938463463374607431768211455\""},
    {"0.1::FLOAT", "FLOAT", "0.1", "0.1"},
    {"1.5::DOUBLE", "DOUBLE", "1.5", "1.5"},
    {"'nan'::DOUBLE", "DOUBLE", "nan", "null"},
    {"'-inf'::DOUBLE", "DOUBLE", "-inf", "null"},
    {"1.50::DECIMAL(18,2)", "DECIMAL(18,2)", "1.50", "1.50"},
    {"(-0.05)::DECIMAL(4,2)", "DECIMAL(4,2)", "-0.05", "-0.05"},
    {"12345678901234567890.123456789012345678::DECIMAL(38,18)", "DECIMAL(38,18)",
     "12345678901234567890.123456789012345678", "12345678901234567890.123456789012345678"},
    {"7::DECIMAL(3,0)", "DECIMAL(3,0)", "7", "7"},
    {"'a\"|é'", "VARCHAR", "a\"|é", "\"a\\\"|é\""},
    {"'{\"a\": 1}'::JSON", "JSON", "{\"a\": 1}", "{\"a\": 1}"},
    {"'\\xAAb'::BLOB", "BLOB", "\\xAAb", "\"\\\\xAAb\""},
    {"DATE '2024-01-02'", "DATE", "2024-01-02", "\"2024-01-02\""},
    {"DATE '0044-03-15 (BC)'", "DATE", "0044-03-15 (BC)", "\"0044-03-15 (BC)\""},
    {"'infinity'::DATE", "DATE", "infinity", "\"infinity\""},
    {"TIME '03:04:05'", "TIME", "03:04:05", "\"03:04:05\""},
    {"TIME '03:04:05.6'", "TIME", "03:04:05.600000", "\"03:04:05.600000\""},
    {"'03:04:05+01:30'::TIMETZ", "TIME WITH TIME ZONE", "03:04:05+01:30", "\"03:04:05+01:30\""},
    {"TIMESTAMP '2024-01-02 03:04:05'", "TIMESTAMP", "2024-01-02T03:04:05",
     "\"2024-01-02T03:04:05\""},
    {"TIMESTAMP '1969-12-31 23:59:59.5'", "TIMESTAMP", "1969-12-31T23:59:59.500000",
     "\"1969-12-31T23:59:59.500000\""},
    {"'2024-01-02 03:04:05'::TIMESTAMP_S", "TIMESTAMP_S", "2024-01-02T03:04:05",
     "\"2024-01-02T03:04:05\""},
    {"'2024-01-02 03:04:05.25'::TIMESTAMP_MS", "TIMESTAMP_MS", "2024-01-02T03:04:05.250000",
     "\"2024-01-02T03:04:05.250000\""},
    {"'2024-01-02 03:04:05.123456789'::TIMESTAMP_NS", "TIMESTAMP_NS",
     "2024-01-02T03:04:05.123456789", "\"2024-01-02T03:04:05.123456789\""},
    {"TIMESTAMPTZ '2024-01-02 03:04:05+02'", "TIMESTAMP WITH TIME ZONE", "2024-01-02T01:04:05Z",
     "\"2024-01-02T01:04:05Z\""},
    {"INTERVAL '14 months 3 days 04:05:06.5'", "INTERVAL", "1 year 2 months 3 days 04:05:06.5",
     "\"1 year 2 months 3 days 04:05:06.5\""},
    {"INTERVAL '0 days'", "INTERVAL", "00:00:00", "\"00:00:00\""},
    {"'5e4c4a4e-0000-4000-8000-0123456789ab'::UUID", "UUID", "5e4c4a4e-0000-4000-8000-0123456789ab",
     "\"5e4c4a4e-0000-4000-8000-0123456789ab\""},
    {"'b'::ENUM('a', 'b')", "ENUM('a', 'b')", "b", "\"b\""},
    {"'10110'::BIT", "BIT", "10110", "\"10110\""},
    {"'-123456789012345678901234567890123456789012345'::BIGNUM", "BIGNUM",
     "-123456789012345678901234567890123456789012345",
     "\"-123456789012345678901234567890123456789012345\""},
    {"[1, NULL, 3]", "INTEGER[]", "[1,null,3]", "[1,null,3]"},
    {"[1, 2]::INTEGER[2]", "INTEGER[2]", "[1,2]", "[1,2]"},
    {"{'b': 1, 'a b': 'x'}", "STRUCT(b INTEGER, \"a b\" VARCHAR)", "{\"b\":1,\"a b\":\"x\"}",
     "{\"b\":1,\"a b\":\"x\"}"},
    {"MAP {'k': 1.50}", "MAP(VARCHAR, DECIMAL(3,2))", "{\"k\":1.50}", "{\"k\":1.50}"},
    {"MAP {1: true}", "MAP(INTEGER, BOOLEAN)", "[{\"key\":1,\"value\":true}]",
     "[{\"key\":1,\"value\":true}]"},
    {"union_value(num := 7)::UNION(s VARCHAR, num INTEGER)", "UNION(s VARCHAR, num INTEGER)", "7",
     "7"},
    {"[{'t': [DATE '2024-01-02']}]", "STRUCT(t DATE[])[]", "[{\"t\":[\"2024-01-02\"]}]",
     "[{\"t\":[\"2024-01-02\"]}]"},
    {"NULL::INTEGER", "INTEGER", "", "null"},
};

static void cell_takes_the_form_of_its_type(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        SCRATCH(scratch);
        const str sql = str_format(&scratch, "SELECT %s AS v", cases[i].sql);
        LAKE_RESULT result = NULL;
        ASSERT_OK(f, lake_query(f->connection, sql, LAKE_NO_VALUES, &result, &f->err));
        ASSERT_STR(lake_result_type(result, 0)->name, cases[i].type);
        assert_true(lake_result_next(result));
        size_t row = 0;
        const struct lake_vector *cell = lake_result_cell(result, 0, &row);
        ASSERT_STR(lake_cell_text(&scratch, cell, row), cases[i].text);
        struct text out;
        struct json json;
        text_init(&out, &scratch);
        json_init(&json, &out);
        lake_cell_json(&json, cell, row, &(struct lake_json_style){.json_as_value = true});
        ASSERT_STR(text_str(&out), cases[i].json);
    }
}

static void type_name_is_that_of_duckdb(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        SCRATCH(scratch);
        const str sql = str_format(&scratch, "SELECT typeof(%s)", cases[i].sql);
        ASSERT_STR(fixture_text(f, str_to_cstring(&scratch, sql)), cases[i].type);
    }
}

static void tables_are_written_in_three_formats(void **state) {
    struct fixture *f = *state;
    static const char sql[] = "SELECT * FROM (VALUES (1, 'a|b', 1.50), (22, NULL, 2.00), "
                              "(3, 'x,\"y\nz', NULL), (4, '', 0)) t(id, name, price)";
    static const struct {
        enum table_format format;
        int64_t limit;
        const char *expected;
    } formats[] = {
        {TABLE_CSV, 0, "id,name,price\n1,a|b,1.50\n22,,2.00\n3,\"x,\"\"y\nz\",\n4,\"\",0.00\n"},
        {TABLE_JSON, 2,
         "[{\"id\":1,\"name\":\"a|b\",\"price\":1.50},{\"id\":22,\"name\":null,\"price\":2.00}]\n"},
        {TABLE_MARKDOWN, 3,
         "|  id | name      | price |\n| --: | --------- | ----: |\n|   1 | a\\|b      |  1.50 |\n"
         "|  22 | NULL      |  2.00 |\n|   3 | x,\"y<br>z |  NULL |\n"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(formats); i++) {
        LAKE_RESULT result = NULL;
        ASSERT_OK(f, lake_query(f->connection, str_from(sql), LAKE_NO_VALUES, &result, &f->err));
        struct text out;
        text_init(&out, &f->arena);
        ASSERT_OK(f, table_format_write(&out, result, formats[i].format, formats[i].limit, NULL,
                                        &f->err));
        assert_string_equal(text_cstring(&out), formats[i].expected);
    }
}

static int setup(void **state) {
    static struct fixture f;
    fixture_init(&f);
    fixture_open(&f);
    *state = &f;
    return 0;
}

static int teardown(void **state) {
    fixture_done(*state);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cell_takes_the_form_of_its_type),
        cmocka_unit_test(type_name_is_that_of_duckdb),
        cmocka_unit_test(tables_are_written_in_three_formats),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
