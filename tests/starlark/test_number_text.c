#include "base/attributes.h"
#include "base/str.h"
#include "starlark/number_text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    double value;
    const char *text;
} formatted[] = {
    {100000.0, "100000.0"},
    {999999.0, "999999.0"},
    {1e6, "1e+06"},
    {123456.789, "123456.789"},
    {1234567.0, "1.234567e+06"},
    {0.0001, "0.0001"},
    {0.00012345, "0.00012345"},
    {0.00001, "1e-05"},
    {1.7976931348623157e+308, "1.7976931348623157e+308"},
    {5e-324, "5e-324"},
    {-0.0, "-0.0"},
    {0.0, "0.0"},
    {1.0, "1.0"},
    {-2.5, "-2.5"},
    {0.1, "0.1"},
    {1e21, "1e+21"},
    {1e100, "1e+100"},
    {9007199254740993.0, "9.007199254740992e+15"},
    {123.0, "123.0"},
    {HUGE_VAL, "+inf"},
    {-HUGE_VAL, "-inf"},
};

static void formats_the_shortest_text_that_reads_back(void **state) {
    (void)state;
    char text[FLOAT_TEXT_MAX];
    for (size_t i = 0; i < ARRAY_COUNT(formatted); i++) {
        const size_t size = float_format(formatted[i].value, text);
        assert_string_equal(text, formatted[i].text);
        assert_int_equal(size, strlen(text));
    }
    float_format((double)NAN, text);
    assert_string_equal(text, "nan");
}

static const struct {
    const char *text;
    enum float_parse_result result;
    double value;
} parsed[] = {
    {"1.", FLOAT_PARSE_OK, 1.0},
    {".5", FLOAT_PARSE_OK, 0.5},
    {"1e3", FLOAT_PARSE_OK, 1000.0},
    {"1.5E-3", FLOAT_PARSE_OK, 0.0015},
    {"007.5", FLOAT_PARSE_OK, 7.5},
    {"-0", FLOAT_PARSE_OK, -0.0},
    {"+12", FLOAT_PARSE_OK, 12.0},
    {"9007199254740993", FLOAT_PARSE_OK, 9007199254740992.0},
    {"9007199254740993.0000000000000000000000000000001", FLOAT_PARSE_OK, 9007199254740994.0},
    {"2.2250738585072011e-308", FLOAT_PARSE_OK, 2.2250738585072011e-308},
    {"4.9e-324", FLOAT_PARSE_OK, 5e-324},
    {"2e-324", FLOAT_PARSE_OK, 0.0},
    {"1e-999999999999999999", FLOAT_PARSE_OK, 0.0},
    {"0e999999999999999999", FLOAT_PARSE_OK, 0.0},
    {"1.7976931348623157e308", FLOAT_PARSE_OK, 1.7976931348623157e308},
    {"1.7976931348623159e308", FLOAT_PARSE_OVERFLOW, 0},
    {"1e999999999999999999", FLOAT_PARSE_OVERFLOW, 0},
    {"0.000000000000000000000000000001e30", FLOAT_PARSE_OK, 1.0},
    {"Inf", FLOAT_PARSE_OK, HUGE_VAL},
    {"+INFINITY", FLOAT_PARSE_OK, HUGE_VAL},
    {"-inf", FLOAT_PARSE_OK, -HUGE_VAL},
    {"", FLOAT_PARSE_INVALID, 0},
    {".", FLOAT_PARSE_INVALID, 0},
    {"-", FLOAT_PARSE_INVALID, 0},
    {"e5", FLOAT_PARSE_INVALID, 0},
    {"1e", FLOAT_PARSE_INVALID, 0},
    {"1e+", FLOAT_PARSE_INVALID, 0},
    {" 1", FLOAT_PARSE_INVALID, 0},
    {"1 ", FLOAT_PARSE_INVALID, 0},
    {"1_000", FLOAT_PARSE_INVALID, 0},
    {"0x10", FLOAT_PARSE_INVALID, 0},
    {"1.2.3", FLOAT_PARSE_INVALID, 0},
    {"infinit", FLOAT_PARSE_INVALID, 0},
};

static void parses_decimals_correctly_rounded_and_refuses_the_rest(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(parsed); i++) {
        double value = 0;
        const enum float_parse_result result =
            float_parse(parsed[i].text, strlen(parsed[i].text), &value);
        if (result != parsed[i].result) {
            fail_msg("%s: got %d, want %d", parsed[i].text, (int)result, (int)parsed[i].result);
        }
        if (result == FLOAT_PARSE_OK && memcmp(&value, &parsed[i].value, sizeof(value)) != 0) {
            fail_msg("%s: got %a, want %a", parsed[i].text, value, parsed[i].value);
        }
    }
}

static void every_float_reads_back_as_itself(void **state) {
    (void)state;
    uint64_t bits = UINT64_C(0x123456789ABCDEF);
    for (int i = 0; i < 200000; i++) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        double value = 0;
        double back = 0;
        memcpy(&value, &bits, sizeof(value));
        if (!isfinite(value)) {
            continue;
        }
        char text[FLOAT_TEXT_MAX];
        const size_t size = float_format(value, text);
        assert_int_equal(float_parse_decimal(text, size, &back), FLOAT_PARSE_OK);
        if (memcmp(&value, &back, sizeof(value)) != 0) {
            fail_msg("%a: %s reads back as %a", value, text, back);
        }
    }
}

static void digits_far_behind_the_point_still_decide(void **state) {
    (void)state;
    // 2^53 + 1 is half-way; a 1 a thousand places behind the point makes it round up.
    char text[1100];
    memset(text, '0', sizeof(text));
    memcpy(text, "9007199254740993.", 17);
    text[1099] = '1';
    double value = 0;
    assert_int_equal(float_parse_decimal(text, sizeof(text), &value), FLOAT_PARSE_OK);
    assert_true(value == 9007199254740994.0);
}

static void exact_forms_have_six_places(void **state) {
    (void)state;
    char text[FLOAT_FIXED_MAX];
    float_format_exact(123456.789, 'e', text);
    assert_string_equal(text, "1.234568e+05");
    float_format_exact(-0.5, 'f', text);
    assert_string_equal(text, "-0.500000");
    assert_int_equal(float_format_exact(-1.7976931348623157e308, 'f', text), 317);
    float_format_exact(HUGE_VAL, 'f', text);
    assert_string_equal(text, "+inf");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_the_shortest_text_that_reads_back),
        cmocka_unit_test(parses_decimals_correctly_rounded_and_refuses_the_rest),
        cmocka_unit_test(every_float_reads_back_as_itself),
        cmocka_unit_test(digits_far_behind_the_point_still_decide),
        cmocka_unit_test(exact_forms_have_six_places),
    };
    return cmocka_run_group_tests_name("number_text", tests, NULL, NULL);
}
