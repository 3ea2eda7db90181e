// redact.h and environment.h: what never leaves the process, and where variables come from.
#include "base/arena.h"
#include "base/environment.h"
#include "base/redact.h"
#include "support/cmocka.h"

static void hides_known_values_and_telling_patterns(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"nothing secret here", "nothing secret here"},
        {"key hunter2hunter2 leaked", "key [REDACTED] leaked"},
        {"Authorization: Bearer abcdefghijkl", "Authorization: [REDACTED]"},
        {"sent Bearer abcdefghijkl now", "sent Bearer [REDACTED] now"},
        {"https://x.y/?api_key=abc&page=2", "https://x.y/?api_key=[REDACTED]&page=2"},
        {"https://x.y/?sig=abc", "https://x.y/?sig=[REDACTED]"},
        {"{\"access_token\": \"abc\", \"n\": 1}", "{\"access_token\": \"[REDACTED]\", \"n\": 1}"},
        {"password=abc", "password=[REDACTED]"},
        {"a token is missing", "a token is missing"},
        {"Basic plan", "Basic plan"},
        {"unique_key: id", "unique_key: id"},
        {"key=7", "key=7"},
        {"password=${PW} host=x", "password=${PW} host=x"},
        {"password=${PW}abc", "password=[REDACTED]}abc"},
    };
    struct redactor *redactor = redactor_new();
    redact_secret(redactor, STR("hunter2hunter2"));
    redact_secret(redactor, STR("short"));
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        SCRATCH(scratch);
        const str got = redact_text(redactor, &scratch, str_from(cases[i].text));
        if (!str_equal(got, str_from(cases[i].expected))) {
            print_error("input: %s\nexpected: %s\ngot: %.*s\n", cases[i].text, cases[i].expected,
                        STR_ARGS(got));
            fail();
        }
    }
    redactor_free(redactor);
}

static void hides_the_longer_secret_first(void **state) {
    (void)state;
    SCRATCH(scratch);
    struct redactor *redactor = redactor_new();
    redact_secret(redactor, STR("secret"));
    redact_secret(redactor, STR("secret-and-more"));
    assert_true(str_equal(redact_text(redactor, &scratch, STR("x secret-and-more y")),
                          STR("x [REDACTED] y")));
    redactor_free(redactor);
}

static void reads_env_files(void **state) {
    (void)state;
    SCRATCH(scratch);
    struct environment environment;
    environment_init(&environment, &scratch, false);
    struct error_list warnings;
    error_list_init(&warnings, &scratch);
    struct redactor *redactor = redactor_new();
    environment_load(&environment, STR(".env"),
                     STR("\xEF\xBB\xBF# comment\r\nPLAIN = value \r\nexport QUOTED=\"a \\\" b\"\n"
                         "SINGLE='x=y'\n\nnonsense\nEMPTY=\n"),
                     redactor, &warnings);
    static const struct {
        const char *name;
        const char *value;
    } expected[] = {{"PLAIN", "value"}, {"QUOTED", "a \" b"}, {"SINGLE", "x=y"}, {"EMPTY", ""}};
    for (size_t i = 0; i < ARRAY_COUNT(expected); i++) {
        str value;
        assert_true(environment_get(&environment, str_from(expected[i].name), &value));
        assert_true(str_equal(value, str_from(expected[i].value)));
    }
    str value;
    assert_false(environment_get(&environment, STR("ABSENT"), &value));
    assert_int_equal(warnings.count, 1);
    assert_int_equal(warnings.items[0].pos.line, 6);
    assert_string_equal(warnings.items[0].message, "this line has no = and is ignored");
    redactor_free(redactor);
    environment_done(&environment);
}

static void expands_only_the_braced_form(void **state) {
    (void)state;
    SCRATCH(scratch);
    struct environment environment;
    environment_init(&environment, &scratch, false);
    environment_set(&environment, STR("HOST"), STR("db.example"));
    struct error err;
    str out;
    assert_int_equal(environment_expand(&environment, &scratch, STR("c.sql"),
                                        STR("a ${HOST} $1 $$ ${} $HOST ${HOST}"), &out, &err),
                     ERROR_NONE);
    assert_true(str_equal(out, STR("a db.example $1 $$ ${} $HOST db.example")));
    assert_int_equal(environment_expand(&environment, &scratch, STR("c.sql"),
                                        STR("one\ntwo ${MISSING}"), &out, &err),
                     ERROR_INVALID);
    assert_string_equal(err.message, "${MISSING} is not defined");
    assert_string_equal(err.hint, "set MISSING in .env or in the environment");
    assert_int_equal(err.pos.line, 2);
    assert_int_equal(err.pos.column, 5);
    environment_done(&environment);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hides_known_values_and_telling_patterns),
        cmocka_unit_test(hides_the_longer_secret_first),
        cmocka_unit_test(reads_env_files),
        cmocka_unit_test(expands_only_the_braced_form),
    };
    return cmocka_run_group_tests_name("secrets", tests, NULL, NULL);
}
