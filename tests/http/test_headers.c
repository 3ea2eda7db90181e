#include "base/arena.h"
#include "http/headers.h"
#include "support/unit.h"

static void canonical_names_have_capitals_after_hyphens(void **state) {
    (void)state;
    SCRATCH(scratch);
    assert_true(
        str_equal(http_header_canonical(&scratch, STR("x-rate-LIMIT")), STR("X-Rate-Limit")));
    assert_true(str_equal(http_header_canonical(&scratch, STR("WWW-Authenticate")),
                          STR("Www-Authenticate")));
    assert_true(str_equal(http_header_canonical(&scratch, STR("bad name")), STR("bad name")));
}

static void check_refuses_headers_that_write_further_headers(void **state) {
    (void)state;
    struct error err;
    assert_int_equal(http_header_check(STR("X-A"), STR("fine"), &err), ERROR_NONE);
    assert_int_equal(http_header_check(STR("X-A"), STR("a\r\nB: c"), &err), ERROR_INVALID);
    assert_string_equal(err.message, "the value of header X-A holds a line break or NUL");
    assert_int_equal(http_header_check(STR("X A"), STR(""), &err), ERROR_INVALID);
    assert_string_equal(err.message, "\"X A\" is not a header name");
    assert_int_equal(http_header_check(STR(""), STR(""), &err), ERROR_INVALID);
}

static void links_are_read_by_relation(void **state) {
    (void)state;
    SCRATCH(scratch);
    struct http_headers headers = {0};
    http_headers_add(&scratch, &headers, STR("link"),
                     STR("</items?page=2>; rel=\"next\"; title=\"a, b; c\", "
                         "<https://b.y/last>; rel=last, <x>;rel=\"first  start\""));
    http_headers_add(&scratch, &headers, STR("Link"), STR("<other>; rel=next, <broken"));
    struct http_links links = {0};
    http_links_parse(&scratch, &headers, STR("https://api.x/items?page=1"), &links);
    static const struct {
        const char *rel, *url;
    } expected[] = {
        {"next", "https://api.x/items?page=2"},
        {"last", "https://b.y/last"},
        {"first", "https://api.x/x"},
        {"start", "https://api.x/x"},
    };
    assert_int_equal(links.count, ARRAY_COUNT(expected));
    for (size_t i = 0; i < ARRAY_COUNT(expected); i++) {
        assert_true(str_equal(links.items[i].rel, str_from(expected[i].rel)));
        assert_true(str_equal(links.items[i].url, str_from(expected[i].url)));
    }
}

static void parameters_are_read_quoted_or_plain(void **state) {
    (void)state;
    SCRATCH(scratch);
    str found;
    assert_true(http_header_parameter(&scratch, STR("text/html; a=1; Charset=\"ISO-8859-1\""),
                                      STR("charset"), &found));
    assert_true(str_equal(found, STR("ISO-8859-1")));
    assert_false(http_header_parameter(&scratch, STR("text/html"), STR("charset"), &found));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_names_have_capitals_after_hyphens),
        cmocka_unit_test(check_refuses_headers_that_write_further_headers),
        cmocka_unit_test(links_are_read_by_relation),
        cmocka_unit_test(parameters_are_read_quoted_or_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
