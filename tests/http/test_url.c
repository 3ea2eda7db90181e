#include "base/arena.h"
#include "base/text.h"
#include "http/url.h"
#include "support/unit.h"

static void expect_text(const char *what, str got, const char *expected) {
    if (!str_equal(got, str_from(expected))) {
        fail_msg("%s: expected \"%s\", got \"" STR_FORMAT "\"", what, expected, STR_ARGS(got));
    }
}

static void build_joins_with_exactly_one_slash(void **state) {
    (void)state;
    static const struct {
        const char *base, *reference, *expected;
    } cases[] = {
        {"https://api.x/v1", "items", "https://api.x/v1/items"},
        {"https://api.x/v1/", "/items", "https://api.x/v1/items"},
        {"https://api.x/v1/", "//items", "https://api.x/v1/items"},
        {"https://api.x", "", "https://api.x"},
        {"https://api.x/v1", "?a=1", "https://api.x/v1?a=1"},
        {"https://api.x/v1", "https://b.y/z", "https://b.y/z"},
        {"https://api.x/v1", "HTTP://b.y/z", "HTTP://b.y/z"},
        {"", "http://b.y/a b?q=å#part", "http://b.y/a%20b?q=%C3%A5"},
        {"", "http://b.y/a%20b", "http://b.y/a%20b"},
        {"", " http://[::1]:8080/ ", "http://[::1]:8080/"},
        {"https://api.x", "/a\r\nHost: evil", "https://api.x/a%0D%0AHost:%20evil"},
    };
    SCRATCH(scratch);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error err;
        str url = {0};
        assert_int_equal(
            url_build(&scratch, str_from(cases[i].base), str_from(cases[i].reference), &url, &err),
            ERROR_NONE);
        expect_text(cases[i].reference, url, cases[i].expected);
    }
}

static void build_refuses_what_no_request_can_go_to(void **state) {
    (void)state;
    static const struct {
        const char *base, *reference, *message;
    } cases[] = {
        {"", "/items?key=abc", "\"/items?key=[REDACTED]\" is relative and the API has no base_url"},
        {"ftp://x", "a", "\"ftp://x/a\" is not an http or https URL"},
        {"", "http:///a", "\"http:///a\" is not an http or https URL"},
        {"", "http://x:99999/", "URL has a bad port \"99999\""},
        {"", "http://[::1/", "URL has no ] after its IPv6 address"},
    };
    SCRATCH(scratch);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error err;
        str url = {0};
        assert_int_equal(
            url_build(&scratch, str_from(cases[i].base), str_from(cases[i].reference), &url, &err),
            ERROR_INVALID);
        assert_string_equal(err.message, cases[i].message);
    }
}

static void resolve_follows_rfc_3986(void **state) {
    (void)state;
    static const struct {
        const char *reference, *expected;
    } cases[] = {
        {"g", "http://a/b/c/g"},        {"./g", "http://a/b/c/g"},
        {"/g", "http://a/g"},           {"//g/x", "http://g/x"},
        {"?y", "http://a/b/c/d;p?y"},   {"../g", "http://a/b/g"},
        {"../../../g", "http://a/g"},   {"", "http://a/b/c/d;p?q"},
        {"https://z/#f", "https://z/"}, {"g/./h/../i", "http://a/b/c/g/i"},
        {"..", "http://a/b/"},          {"g?x=/../y", "http://a/b/c/g?x=/../y"},
        {"#s", "http://a/b/c/d;p?q"},
    };
    SCRATCH(scratch);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        expect_text(cases[i].reference,
                    url_resolve(&scratch, STR("http://a/b/c/d;p?q"), str_from(cases[i].reference)),
                    cases[i].expected);
    }
    expect_text("port is kept", url_resolve(&scratch, STR("http://a:81/x"), STR("/y")),
                "http://a:81/y");
}

static void params_replace_those_of_the_url(void **state) {
    (void)state;
    SCRATCH(scratch);
    struct url_params params = {0};
    url_params_add(&scratch, &params, STR("a"), STR("2"));
    url_params_add(&scratch, &params, STR("a"), STR("3 4"));
    url_params_add(&scratch, &params, STR("ö"), STR("&="));
    expect_text("with params", url_with_params(&scratch, STR("http://x/?b=1&a=1&c"), &params),
                "http://x/?b=1&c&a=2&a=3+4&%C3%B6=%26%3D");
    expect_text("without query", url_with_params(&scratch, STR("http://x/"), &params),
                "http://x/?a=2&a=3+4&%C3%B6=%26%3D");
    struct url_params parsed = {0};
    url_params_parse(&scratch, STR("a=2+3&b=%C3%B6&c&%zz=1"), &parsed);
    assert_int_equal(parsed.count, 4);
    expect_text("decoded", parsed.items[0].value, "2 3");
    expect_text("decoded", parsed.items[1].value, "ö");
    expect_text("no value", parsed.items[2].value, "");
    expect_text("bad escape", parsed.items[3].name, "%zz");
}

static void redact_hides_user_info_and_telling_parameters(void **state) {
    (void)state;
    SCRATCH(scratch);
    expect_text("redacted",
                url_redact(&scratch, STR("https://u:p@x/y?API_KEY=1&q=2&sig=3&accessToken=4&key=")),
                "https://x/y?API_KEY=[REDACTED]&q=2&sig=[REDACTED]&accessToken=[REDACTED]&key=");
    expect_text("no path", url_redact(&scratch, STR("https://u:p@x")), "https://x");
}

static void host_patterns_match_hosts_and_ports(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *url;
        bool matches;
    } cases[] = {
        {"a.example", "https://A.example/", true},
        {"a.example", "https://b.a.example/", false},
        {"*.b.example", "https://x.b.example/", true},
        {"*.b.example", "https://y.x.b.example/", true},
        {"*.b.example", "https://b.example/", false},
        {"*.b.example", "https://evilb.example/", false},
        {"a.example:8443", "https://a.example:8443/", true},
        {"a.example:8443", "https://a.example/", false},
        {"*", "http://anything/", true},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        str pattern = str_from(cases[i].pattern);
        const struct str_list list = {.items = &pattern, .count = 1};
        struct url url;
        struct error err;
        assert_int_equal(url_parse(str_from(cases[i].url), &url, &err), ERROR_NONE);
        if (url_host_matches(&url, &list) != cases[i].matches) {
            fail_msg("%s against %s", cases[i].pattern, cases[i].url);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(build_joins_with_exactly_one_slash),
        cmocka_unit_test(build_refuses_what_no_request_can_go_to),
        cmocka_unit_test(resolve_follows_rfc_3986),
        cmocka_unit_test(params_replace_those_of_the_url),
        cmocka_unit_test(redact_hides_user_info_and_telling_parameters),
        cmocka_unit_test(host_patterns_match_hosts_and_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
