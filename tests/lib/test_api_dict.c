// The API dict: what is read out of it, and every way it can be wrong, with position and words.

#include "base/text.h"
#include "lib/api_read.h"
#include "starlark/syntax.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

// Reads the value of the last line's `API =` in `text`.
static void read_api(struct arena *arena, const char *text, struct lib_api *api,
                     struct error_list *errors) {
    const struct star_source source = {
        .file = "lib/x.star", .text = text, .size = strlen(text), .dialect = STAR_DIALECT_SCRIPT};
    struct star_syntax *syntax = star_syntax_parse(&source, NULL);
    assert_non_null(syntax);
    const struct star_node *node = star_syntax_value(syntax, "API");
    assert_non_null(node);
    struct lib_literal literal = lib_literal_read(arena, node);
    struct api_source where = {.file = STR("lib/x.star"), .text = str_from(text)};
    error_list_init(errors, arena);
    lib_api_read(arena, &where, &literal, api, errors);
    error_list_sort(errors);
    star_syntax_free(syntax);
}

static const struct {
    const char *name;
    const char *text;
    const char *error; // all errors, a line each; a hint follows its error in brackets
} bad[] = {
    {"neither direction", "API = {}", "1:7: API needs \"fetch\" or \"push\"\n"},
    {"a name instead of a literal",
     "BASE = \"https://a\"\nAPI = {\"base_url\": BASE, \"fetch\": {}}",
     "2:20: API.base_url must be a literal (found name \"BASE\")\n"},
    {"a list item that is a name", "API = {\"fetch\": {\"args\": [\"a\", B]}}",
     "1:32: API.fetch.args must be a literal (found name \"B\")\n"},
    {"an unknown key with a near one", "API = {\"fetch\": {\"page_sise\": 1}}",
     "1:18: API.fetch: unknown key \"page_sise\" [did you mean \"page_size\"?]\n"},
    {"an unknown key with none near",
     "API = {\"push\": {\"rate_limit\": {\"requests\": 1, \"per\": \"1s\", \"burst\": 3}}}",
     "1:60: API.push.rate_limit: unknown key \"burst\" [known keys: requests, per]\n"},
    {"a key twice", "API = {\"fetch\": {}, \"fetch\": {}}", "1:21: API: duplicate key \"fetch\"\n"},
    {"a key that is no string", "API = {1: 2, \"fetch\": {}}",
     "1:8: API: keys must be strings, got an int\n"},
    {"a wrong type", "API = {\"base_url\": 3, \"fetch\": {}}",
     "1:20: API.base_url must be a string, got an int\n"},
    {"a URL without scheme", "API = {\"base_url\": \"api.x\", \"fetch\": {}}",
     "1:20: API.base_url must begin with http:// or https://, got \"api.x\"\n"},
    {"a timeout of zero", "API = {\"timeout\": 0, \"fetch\": {}}",
     "1:19: API.timeout must be a number of seconds greater than 0, got 0\n"},
    {"a negative retry", "API = {\"retry\": -1, \"fetch\": {}}",
     "1:17: API.retry must be an int of at least 0, got -1\n"},
    {"a float retry", "API = {\"retry\": 1.5, \"fetch\": {}}",
     "1:17: API.retry must be an int, got a float\n"},
    {"a negative backoff", "API = {\"backoff\": -0.5, \"fetch\": {}}",
     "1:19: API.backoff must be a number of seconds of at least 0, got -0.5\n"},
    {"a rate limit without period", "API = {\"rate_limit\": {\"requests\": 0}, \"fetch\": {}}",
     "1:22: API.rate_limit needs \"per\"\n"
     "1:35: API.rate_limit.requests must be an int of at least 1, got 0\n"},
    {"a period that is none",
     "API = {\"rate_limit\": {\"requests\": 5, \"per\": \"soon\"}, \"fetch\": {}}",
     "1:45: API.rate_limit.per: \"soon\" is not a duration like \"90s\" or \"1m30s\"\n"},
    {"headers that map to numbers", "API = {\"headers\": {\"A\": 1}, \"fetch\": {}}",
     "1:25: API.headers must map strings to strings\n"},
    {"two patterns of auth",
     "API = {\"auth\": {\"env\": \"K\", \"provider\": \"p\"}, \"fetch\": {}}",
     "1:41: API.auth: \"env\" and \"provider\" are two patterns, only one can be used\n"},
    {"no pattern of auth", "API = {\"auth\": {}, \"fetch\": {}}",
     "1:16: API.auth needs one of env, user, service_account, provider, token_url\n"},
    {"half a pattern", "API = {\"auth\": {\"user\": \"u\"}, \"fetch\": {}}",
     "1:16: API.auth: \"user\" needs \"pass\"\n"},
    {"a key of another pattern",
     "API = {\"auth\": {\"provider\": \"p\", \"scope\": \"s\"}, \"fetch\": {}}",
     "1:43: API.auth.scope does not go with \"provider\"\n"},
    {"a service account as text",
     "API = {\"auth\": {\"service_account\": \"f\", \"scope\": \"s\"}, \"fetch\": {}}",
     "1:36: API.auth.service_account must be {\"env\": \"NAME\"}, got a string\n"},
    {"an arg with the name of a kwarg", "API = {\"fetch\": {\"args\": [\"page\"]}}",
     "1:27: API.fetch.args: \"page\" is a name that the runtime passes itself\n"},
    {"an arg twice", "API = {\"fetch\": {\"args\": [\"a\", \"a\"]}}",
     "1:32: API.fetch.args: \"a\" stands twice\n"},
    {"an arg that is no name", "API = {\"fetch\": {\"args\": [\"a b\"]}}",
     "1:27: API.fetch.args: \"a b\" is not a parameter name\n"},
    {"a kind that is none", "API = {\"fetch\": {\"supported_kinds\": [\"view\"]}}",
     "1:38: API.fetch.supported_kinds: \"view\" is not one of table, append, merge, scd2, "
     "tracked\n"},
    {"polling without async", "API = {\"fetch\": {\"poll_timeout\": \"1m\"}}",
     "1:34: API.fetch.poll_timeout is only used with \"async\": True\n"},
    {"a removed key", "API = {\"fetch\": {\"dynamic_columns\": True}}",
     "1:37: API.fetch.dynamic_columns was removed: the SELECT of the model says which columns "
     "there are, use supported_columns to limit them\n"},
    {"scd2 as a sink's kind", "API = {\"push\": {\"supported_kinds\": [\"scd2\"]}}",
     "1:37: API.push.supported_kinds: scd2 cannot be pushed, use kind table with WHERE is_current "
     "= true\n"},
    {"a batch mode that is none", "API = {\"push\": {\"batch_mode\": \"bulk\"}}",
     "1:31: API.push.batch_mode: \"bulk\" is not one of sync, atomic, async\n"},
    {"a batch of nothing", "API = {\"push\": {\"batch_size\": 0}}",
     "1:31: API.push.batch_size must be an int of at least 1, got 0\n"},
    {"concurrency of atomic batches",
     "API = {\"push\": {\"batch_mode\": \"atomic\", \"max_concurrent\": 2}}",
     "1:59: API.push.max_concurrent above 1 is only used with \"batch_mode\": \"sync\"\n"},
    {"polling of sync batches", "API = {\"push\": {\"poll_interval\": \"5s\"}}",
     "1:34: API.push.poll_interval is only used with \"batch_mode\": \"async\"\n"},
    {"all errors at once", "API = {\"timeout\": \"1\", \"retry\": True, \"fetch\": []}",
     "1:19: API.timeout must be a number of seconds greater than 0, got a string\n"
     "1:33: API.retry must be an int, got a bool\n"
     "1:48: API.fetch must be a dict, got a list\n"},
};

static void reports_what_is_wrong_word_for_word(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        SCRATCH(arena);
        struct lib_api api;
        struct error_list errors;
        read_api(&arena, bad[i].text, &api, &errors);
        struct text got;
        text_init(&got, &arena);
        for (size_t j = 0; j < errors.count; j++) {
            const struct error *err = &errors.items[j];
            assert_string_equal(err->rule, "blueprint.invalid_api_dict");
            assert_string_equal(err->pos.file, "lib/x.star");
            text_format(&got, "%d:%d: %s", err->pos.line, err->pos.column, err->message);
            if (err->hint[0] != '\0') {
                text_format(&got, " [%s]", err->hint);
            }
            text_add_char(&got, '\n');
        }
        if (strcmp(text_cstring(&got), bad[i].error) != 0) {
            fail_msg("%s:\n%s\nexpected:\n%sgot:\n%s", bad[i].name, bad[i].text, bad[i].error,
                     text_cstring(&got));
        }
    }
}

static void gives_defaults(void **state) {
    (void)state;
    SCRATCH(arena);
    struct lib_api api;
    struct error_list errors;
    read_api(&arena, "API = {\"fetch\": {}, \"push\": {}}", &api, &errors);
    assert_int_equal(errors.count, 0);
    assert_true(api.fetch.present);
    assert_int_equal(api.fetch.page_size, 0);
    assert_int_equal(api.fetch.http.timeout_us, 30000000);
    assert_int_equal(api.fetch.http.retry, 0);
    assert_int_equal(api.fetch.http.backoff_us, 1000000);
    assert_int_equal(api.fetch.poll_interval_us, 5000000);
    assert_int_equal(api.fetch.poll_timeout_us, 300000000);
    assert_int_equal(api.push.batch_size, 1);
    assert_false(api.push.has_batch_size);
    assert_int_equal(api.push.max_concurrent, 1);
    assert_int_equal(api.push.poll_timeout_us, INT64_C(3600000000));
    assert_int_equal(api.auth.pattern, HTTP_AUTH_PATTERN_NONE);
}

static void directions_inherit_and_override(void **state) {
    (void)state;
    SCRATCH(arena);
    struct lib_api api;
    struct error_list errors;
    read_api(
        &arena,
        "API = {\n"
        "  'base_url': 'https://api.x/v1',\n"
        "  'auth': {'env': 'K', 'header': 'X-Key'},\n"
        "  'headers': {'Accept': 'application/json'}, 'timeout': 2.5, 'retry': 3, 'backoff': 0,\n"
        "  'rate_limit': {'requests': 100, 'per': '10s'}, 'x_owner': ['us', None],\n"
        "  'fetch': {'args': ('a', 'b'), 'page_size': 100, 'timeout': 60, 'async': True,\n"
        "            'poll_backoff': 2},\n"
        "  'push': {'batch_size': 50, 'headers': {'X-A': 'b'},\n"
        "           'rate_limit': {'requests': 1, 'per': '1m30s'}, 'max_concurrent': 4},\n"
        "}\n",
        &api, &errors);
    assert_int_equal(errors.count, 0);
    assert_int_equal(api.auth.pattern, HTTP_AUTH_PATTERN_ENV);
    assert_true(api.auth.key.is_variable);
    assert_int_equal(api.fetch.args.count, 2);
    assert_int_equal(api.fetch.http.timeout_us, 60000000);
    assert_int_equal(api.push.http.timeout_us, 2500000);
    assert_int_equal(api.push.http.retry, 3);
    assert_int_equal(api.push.http.backoff_us, 0);
    assert_int_equal(api.fetch.http.headers.count, 1);
    assert_true(str_equal(api.push.http.headers.items[0].name, STR("X-A")));
    assert_int_equal(api.fetch.http.rate_requests, 100);
    assert_int_equal(api.push.http.rate_period_us, 90000000);
    assert_true(api.fetch.is_async);
    assert_int_equal(api.push.max_concurrent, 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_what_is_wrong_word_for_word),
        cmocka_unit_test(gives_defaults),
        cmocka_unit_test(directions_inherit_and_override),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
