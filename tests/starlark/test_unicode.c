// Code points: their encoding, classes and case mappings.
#include "starlark/unicode.h"
#include "starlark/utf8.h"
#include "support/unit.h"

static void every_code_point_is_read_back_as_it_was_written(void **state) {
    (void)state;
    for (uint32_t code_point = 0; code_point <= 0x10FFFF; code_point++) {
        if (code_point >= 0xD800 && code_point < 0xE000) {
            continue;
        }
        char text[UTF8_SIZE_MAX];
        const size_t size = utf8_encode(code_point, text);
        uint32_t forward = 0;
        uint32_t backward = 0;
        bool valid = false;
        if (utf8_decode(text, size, &forward, &valid) != size || !valid ||
            utf8_decode_last(text, size, &backward) != 0 || forward != code_point ||
            backward != code_point || !utf8_is_valid(text, size)) {
            fail_msg("U+%04X differs", code_point);
        }
    }
}

static void bad_bytes_read_as_one_replacement_each(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t size;
    } bad[] = {
        {"\x80", 1},
        {"\xc0\xaf", 2},
        {"\xed\xa0\x80", 3}, // overlong, surrogate
        {"\xf4\x90\x80\x80", 4},
        {"\xe2\x82", 2},
        {"\xff", 1},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint32_t code_point = 0;
        bool valid = true;
        assert_false(utf8_is_valid(bad[i].text, bad[i].size));
        assert_int_equal(utf8_decode(bad[i].text, bad[i].size, &code_point, &valid), 1);
        assert_int_equal(code_point, 0xFFFD);
        assert_false(valid);
        assert_int_equal(utf8_count(bad[i].text, bad[i].size), bad[i].size);
    }
    char text[UTF8_SIZE_MAX];
    assert_int_equal(utf8_encode(0xD800, text), 3);
    assert_memory_equal(text, "\xef\xbf\xbd", 3);
}

static void cases_map_one_to_one(void **state) {
    (void)state;
    static const struct {
        uint32_t lower;
        uint32_t upper;
        uint32_t title;
    } letters[] = {
        {'a', 'A', 'A'},
        {0xE9, 0xC9, 0xC9},          // é
        {0x3B1, 0x391, 0x391},       // alpha
        {0x44F, 0x42F, 0x42F},       // ya
        {0x1C6, 0x1C4, 0x1C5},       // dž has a title case of its own
        {0x10428, 0x10400, 0x10400}, // Deseret
    };
    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
        assert_int_equal(unicode_to_upper(letters[i].lower), letters[i].upper);
        assert_int_equal(unicode_to_lower(letters[i].upper), letters[i].lower);
        assert_int_equal(unicode_to_title(letters[i].lower), letters[i].title);
    }
    assert_int_equal(unicode_to_upper(0xDF), 0xDF); // sharp s: no simple mapping
    assert_int_equal(unicode_to_upper('1'), '1');
    assert_int_equal(unicode_to_lower(0x10FFFF), 0x10FFFF);
}

static void classes_follow_unicode(void **state) {
    (void)state;
    assert_true(unicode_is_letter(0xE9) && unicode_is_letter(0x4E2D) && !unicode_is_letter('1'));
    assert_true(unicode_is_digit('7') && unicode_is_digit(0x0664) && !unicode_is_digit(0xB2));
    assert_true(unicode_is_space(' ') && unicode_is_space(0xA0) && unicode_is_space(0x2003) &&
                !unicode_is_space(0x200B));
    assert_true(unicode_is_upper(0xC9) && unicode_is_lower(0xE9) && unicode_is_title(0x1C5));
    assert_true(unicode_is_printable('~') && unicode_is_printable(0x1F600) &&
                !unicode_is_printable(0x7F) && !unicode_is_printable(0x2028) &&
                !unicode_is_printable(0xA0));
}

// A mapped letter maps to itself: upper() twice is upper() once.
static void mappings_are_idempotent(void **state) {
    (void)state;
    for (uint32_t code_point = 0; code_point <= 0x10FFFF; code_point++) {
        const uint32_t upper = unicode_to_upper(code_point);
        const uint32_t lower = unicode_to_lower(code_point);
        if (unicode_to_upper(upper) != upper || unicode_to_lower(lower) != lower) {
            fail_msg("U+%04X maps further", code_point);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_is_read_back_as_it_was_written),
        cmocka_unit_test(bad_bytes_read_as_one_replacement_each),
        cmocka_unit_test(cases_map_one_to_one),
        cmocka_unit_test(classes_follow_unicode),
        cmocka_unit_test(mappings_are_idempotent),
    };
    return cmocka_run_group_tests_name("unicode", tests, NULL, NULL);
}
