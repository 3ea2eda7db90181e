#include "base/attributes.h"
#include "starlark/bigint.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bigint_cases.h"

enum { LIMBS = 64, TEXT = 2000 };

struct number {
    bigint_limb limbs[LIMBS];
    struct bigint_result result;
};

static struct bigint parse(struct number *number, const char *text) {
    unsigned char scratch[TEXT];
    const size_t sign = text[0] == '-' ? 1 : 0;
    number->result.limbs = number->limbs;
    bigint_parse(text + sign, strlen(text) - sign, 10, sign == 1, &number->result, scratch);
    return bigint_view(&number->result);
}

static void check(const struct bigint_result *result, int base, const char *want,
                  const char *what) {
    char text[TEXT];
    bigint_limb scratch[LIMBS + 1];
    const struct bigint number = bigint_view(result);
    assert_true(bigint_text_size_max(number, base) <= TEXT);
    text[bigint_format(number, base, text, scratch)] = '\0';
    if (strcmp(text, want) != 0) {
        fail_msg("%s: got %s, want %s", what, text, want);
    }
}

static void arithmetic_agrees_with_python(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct number x;
        struct number y;
        bigint_limb limbs[LIMBS];
        bigint_limb other[LIMBS];
        bigint_limb scratch[2 * LIMBS];
        const struct bigint a = parse(&x, cases[i].a);
        const struct bigint b = parse(&y, cases[i].b);
        struct bigint_result out = {.limbs = limbs};
        struct bigint_result rest = {.limbs = other};
        bigint_add(a, b, &out);
        check(&out, 10, cases[i].sum, "sum");
        bigint_subtract(a, b, &out);
        check(&out, 10, cases[i].difference, "difference");
        bigint_multiply(a, b, &out);
        check(&out, 10, cases[i].product, "product");
        if (b.count > 0) {
            bigint_divide(a, b, &out, &rest, scratch);
            check(&out, 10, cases[i].quotient, "quotient");
            check(&rest, 10, cases[i].remainder, "remainder");
        }
        bigint_bits(BIGINT_AND, a, b, &out, scratch);
        check(&out, 10, cases[i].and, "and");
        bigint_bits(BIGINT_OR, a, b, &out, scratch);
        check(&out, 10, cases[i].or, "or");
        bigint_bits(BIGINT_XOR, a, b, &out, scratch);
        check(&out, 10, cases[i].xor, "xor");
        const int order = bigint_compare(a, b);
        assert_int_equal((order > 0) - (order < 0), cases[i].order);
    }
}

static void shifts_agree_with_python(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(shifts); i++) {
        struct number x;
        bigint_limb limbs[LIMBS];
        struct bigint_result out = {.limbs = limbs};
        const struct bigint a = parse(&x, shifts[i].a);
        bigint_shift_left(a, shifts[i].shift, &out);
        check(&out, 10, shifts[i].left, "left");
        bigint_shift_right(a, shifts[i].shift, &out);
        check(&out, 10, shifts[i].right, "right");
    }
}

static void floats_agree_with_python(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(floats); i++) {
        struct number x;
        const struct bigint a = parse(&x, floats[i].a);
        check(&x.result, 16, floats[i].hex, "hex");
        const double got = bigint_to_double(a);
        if (got != floats[i].value) {
            fail_msg("%s: got %a, want %a", floats[i].a, got, floats[i].value);
        }
        bigint_limb limbs[BIGINT_DOUBLE_LIMBS];
        struct bigint_result back = {.limbs = limbs};
        bigint_from_double(got, &back);
        const int exact = bigint_compare(a, bigint_view(&back));
        const int compared = bigint_compare_double(a, got);
        assert_int_equal((exact > 0) - (exact < 0), (compared > 0) - (compared < 0));
        assert_true(bigint_hash(bigint_view(&back)) == double_hash(got));
        assert_true(bigint_compare_double(a, (double)NAN) < 0);
        assert_true(bigint_compare_double(a, HUGE_VAL) < 0);
        assert_true(bigint_compare_double(a, -HUGE_VAL) > 0);
    }
}

static void small_numbers_compare_and_hash_as_the_equal_big_ones(void **state) {
    (void)state;
    static const int64_t numbers[] = {0,
                                      1,
                                      -1,
                                      3,
                                      INT64_MAX,
                                      INT64_MIN,
                                      INT64_C(1) << 53,
                                      (INT64_C(1) << 61) - 1,
                                      -((INT64_C(1) << 61) - 1)};
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        bigint_limb storage = 0;
        int64_t back = 0;
        const struct bigint big = bigint_from_int64(numbers[i], &storage);
        assert_true(bigint_to_int64(big, &back) && back == numbers[i]);
        assert_true(bigint_hash(big) == int64_hash(numbers[i]));
    }
    assert_true(int64_hash(3) == double_hash(3.0));
    assert_true(int64_compare_double((INT64_C(1) << 53) + 1, 9007199254740992.0) > 0);
    assert_true(int64_compare_double(INT64_MAX, 9223372036854775808.0) < 0);
    assert_true(int64_compare_double(-1, -0.5) < 0);
    assert_true(int64_compare_double(0, -0.5) > 0);
    assert_true(int64_compare_double(0, -0.0) == 0);
}

static void ten_to_the_hundred_thousand_survives_text(void **state) {
    (void)state;
    enum { DIGITS = 100000 };
    char *digits = malloc(DIGITS);
    memset(digits, '7', DIGITS);
    const size_t room = bigint_parse_room(DIGITS, 10);
    bigint_limb *limbs = calloc(room, sizeof(*limbs));
    bigint_limb *scratch = calloc(room + 1, sizeof(*scratch));
    unsigned char *bytes = malloc(DIGITS);
    struct bigint_result out = {.limbs = limbs};
    bigint_parse(digits, DIGITS, 10, false, &out, bytes);
    char *text = malloc(bigint_text_size_max(bigint_view(&out), 10));
    assert_int_equal(bigint_format(bigint_view(&out), 10, text, scratch), DIGITS);
    assert_memory_equal(text, digits, DIGITS);
    free(text);
    free(bytes);
    free(scratch);
    free(limbs);
    free(digits);
}

// ---- long products ------------------------------------------------------------------------------

struct pace {
    size_t calls;
    size_t calls_max;
    size_t limbs_max; // of one piece
};

static bool keep_pace(void *user, size_t limbs) {
    struct pace *pace = user;
    pace->limbs_max = limbs > pace->limbs_max ? limbs : pace->limbs_max;
    return ++pace->calls <= pace->calls_max;
}

static bigint_limb *random_limbs(size_t count, uint64_t *state, bool sparse) {
    bigint_limb *limbs = malloc(count * sizeof(*limbs));
    assert_non_null(limbs);
    for (size_t i = 0; i < count; i++) {
        *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407U;
        // Carries run far through all ones and all zeros.
        limbs[i] = !sparse ? *state ^ (*state >> 29) : (*state >> 40) % 3 == 0 ? 0 : UINT64_MAX;
    }
    limbs[count - 1] |= 1;
    return limbs;
}

static void long_products_in_pieces_are_the_products(void **state) {
    (void)state;
    static const size_t sizes[][2] = {
        {8193, 8193}, {20000, 20000}, {20001, 19999}, {33000, 8200}, {40000, 4097},
        {40000, 3},   {100000, 4096}, {9000, 8999},   {50000, 1},    {12289, 12289},
        {30000, 300}, {16385, 16384}, {65536, 65536},
    };
    uint64_t seed = 42;
    for (size_t i = 0; i < 2 * ARRAY_COUNT(sizes); i++) {
        const size_t *size = sizes[i / 2];
        bigint_limb *a = random_limbs(size[0], &seed, i % 2 == 1);
        bigint_limb *b = random_limbs(size[1], &seed, i % 2 == 1);
        const struct bigint x = {a, size[0], i % 3 == 0};
        const struct bigint y = {b, size[1], i % 2 == 0};
        const size_t room = size[0] + size[1];
        const size_t scratch_limbs = bigint_product_scratch(size[0], size[1]);
        bigint_limb *scratch = malloc((scratch_limbs + 1) * sizeof(*scratch));
        struct bigint_result want = {.limbs = malloc(room * sizeof(bigint_limb))};
        struct bigint_result got = {.limbs = malloc(room * sizeof(bigint_limb))};
        struct pace pace = {.calls_max = SIZE_MAX};
        bigint_multiply(x, y, &want);
        assert_true(scratch_limbs > 0);
        assert_true(bigint_multiply_paced(y, x, &got, scratch, keep_pace, &pace));
        assert_int_equal(bigint_compare(bigint_view(&want), bigint_view(&got)), 0);
        assert_true(pace.calls > 1);
        assert_true(pace.limbs_max <= 8192);
        // It ends where it is told to.
        struct pace stop = {.calls_max = pace.calls / 2};
        assert_false(bigint_multiply_paced(x, y, &got, scratch, keep_pace, &stop));
        assert_int_equal(stop.calls, pace.calls / 2 + 1);
        free(a);
        free(b);
        free(scratch);
        free(want.limbs);
        free(got.limbs);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_agrees_with_python),
        cmocka_unit_test(shifts_agree_with_python),
        cmocka_unit_test(floats_agree_with_python),
        cmocka_unit_test(small_numbers_compare_and_hash_as_the_equal_big_ones),
        cmocka_unit_test(ten_to_the_hundred_thousand_survives_text),
        cmocka_unit_test(long_products_in_pieces_are_the_products),
    };
    return cmocka_run_group_tests_name("bigint", tests, NULL, NULL);
}
