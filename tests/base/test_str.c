// str.h: slices, numbers and UTF-8.
#include "base/arena.h"
#include "base/str.h"
#include "support/cmocka.h"

#include <string.h>

static void parses_whole_numbers_in_range_or_refuses(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-1", true, -1},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"1 ", false, 0},
        {"+1", false, 0},
        {"0x10", false, 0},
        {"12345678901234567890", false, 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int64_t value = 0;
        assert_int_equal(str_parse_int64(str_from(cases[i].text), &value), cases[i].ok);
        if (cases[i].ok) {
            assert_true(value == cases[i].value);
        }
    }
}

static void finds_the_first_byte_that_is_not_utf8(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t at;
    } cases[] = {
        {"plain ascii that is longer than a word", SIZE_MAX},
        {"sm\xC3\xB6rg\xC3\xA5sbord", SIZE_MAX},
        {"\xF0\x9F\xA6\xAB coypu", SIZE_MAX},
        {"abc\xFF", 3},
        {"\xC0\xAF", 0},         // overlong
        {"\xED\xA0\x80", 0},     // surrogate
        {"\xF4\x90\x80\x80", 0}, // above U+10FFFF
        {"12345678\xE2\x82", 8}, // cut at the end
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_int_equal(str_first_invalid_utf8(str_from(cases[i].text)), cases[i].at);
    }
}

static void cuts_on_a_character_boundary(void **state) {
    (void)state;
    const str text = STR("a\xC3\xB6z");
    assert_int_equal(str_cut(text, 1).size, 1);
    assert_int_equal(str_cut(text, 2).size, 1);
    assert_int_equal(str_cut(text, 3).size, 3);
    assert_int_equal(str_cut(text, 9).size, 4);
}

static void splits_keeping_empty_parts(void **state) {
    (void)state;
    struct str_splitter splitter = {.rest = STR("a,,b,")};
    static const char *const expected[] = {"a", "", "b", ""};
    str part;
    for (size_t i = 0; i < ARRAY_COUNT(expected); i++) {
        assert_true(str_split_next(&splitter, ',', &part));
        assert_true(str_equal(part, str_from(expected[i])));
    }
    assert_false(str_split_next(&splitter, ',', &part));
}

static void replaces_every_occurrence(void **state) {
    (void)state;
    SCRATCH(scratch);
    assert_true(
        str_equal(str_replace_all(&scratch, STR("aXbXX"), STR("X"), STR("--")), STR("a--b----")));
    assert_true(str_equal(str_replace_all(&scratch, STR("XX"), STR("X"), STR("")), STR("")));
    assert_true(str_equal(str_replace_all(&scratch, STR("abc"), STR("X"), STR("y")), STR("abc")));
}

static void compares_without_case_in_ascii_only(void **state) {
    (void)state;
    assert_true(str_equal_nocase(STR("Mart.Orders"), STR("mart.orders")));
    assert_false(str_equal_nocase(STR("\xC3\x96"), STR("\xC3\xB6")));
    assert_true(str_compare(STR("a"), STR("ab")) < 0);
    assert_true(str_compare(STR(""), STR("")) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_whole_numbers_in_range_or_refuses),
        cmocka_unit_test(finds_the_first_byte_that_is_not_utf8),
        cmocka_unit_test(cuts_on_a_character_boundary),
        cmocka_unit_test(splits_keeping_empty_parts),
        cmocka_unit_test(replaces_every_occurrence),
        cmocka_unit_test(compares_without_case_in_ascii_only),
    };
    return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
