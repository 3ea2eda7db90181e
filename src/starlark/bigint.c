#include "starlark/bigint.h"

#include <gmp.h>

#include <assert.h>
#include <math.h>
#include <string.h>

_Static_assert(sizeof(mp_limb_t) == sizeof(bigint_limb), "limbs are 64-bit words");
_Static_assert(GMP_NAIL_BITS == 0, "limbs have no nails");

enum { LIMB_BITS = 64 };

// The same type under two names where uint64_t is `unsigned long`, as on every 64-bit Linux.
_Static_assert(_Generic((mp_limb_t)0, bigint_limb: 1, default: 0), "mp_limb_t is uint64_t");

static mp_size_t limb_count(size_t count) {
    return (mp_size_t)count;
}

static size_t magnitude_size(const bigint_limb *limbs, size_t count) {
    while (count > 0 && limbs[count - 1] == 0) {
        count--;
    }
    return count;
}

static void result_normalise(struct bigint_result *out, size_t count, bool negative) {
    out->count = magnitude_size(out->limbs, count);
    out->negative = negative && out->count > 0;
}

struct bigint bigint_from_int64(int64_t number, bigint_limb *storage) {
    *storage = number < 0 ? UINT64_C(0) - (uint64_t)number : (uint64_t)number;
    return (struct bigint){storage, number == 0 ? 0 : 1, number < 0};
}

bool bigint_to_int64(struct bigint number, int64_t *out) {
    if (number.count == 0) {
        *out = 0;
        return true;
    }
    const uint64_t limit = UINT64_C(1) << 63;
    if (number.count > 1 || number.limbs[0] > limit) {
        return false;
    }
    const uint64_t magnitude = number.limbs[0];
    if (!number.negative) {
        *out = (int64_t)magnitude;
        return magnitude < limit;
    }
    *out = magnitude == limit ? INT64_MIN : -(int64_t)magnitude;
    return true;
}

static int magnitude_compare(struct bigint a, struct bigint b) {
    if (a.count != b.count) {
        return a.count < b.count ? -1 : 1;
    }
    return a.count == 0 ? 0 : mpn_cmp(a.limbs, b.limbs, limb_count(a.count));
}

int bigint_compare(struct bigint a, struct bigint b) {
    if (a.negative != b.negative) {
        return a.negative ? -1 : 1;
    }
    const int order = magnitude_compare(a, b);
    return a.negative ? -order : order;
}

// ---------------------------------------------------------------------------------------------
// Arithmetic

static void magnitude_add(struct bigint a, struct bigint b, bool negative,
                          struct bigint_result *out) {
    if (a.count < b.count) {
        const struct bigint swap = a;
        a = b;
        b = swap;
    }
    if (b.count == 0) {
        memmove(out->limbs, a.limbs, a.count * sizeof(bigint_limb));
        result_normalise(out, a.count, negative);
        return;
    }
    out->limbs[a.count] =
        mpn_add(out->limbs, a.limbs, limb_count(a.count), b.limbs, limb_count(b.count));
    result_normalise(out, a.count + 1, negative);
}

// |a| - |b|, with the sign turned when |b| is the larger.
static void magnitude_subtract(struct bigint a, struct bigint b, bool negative,
                               struct bigint_result *out) {
    const int order = magnitude_compare(a, b);
    if (order == 0) {
        result_normalise(out, 0, false);
        return;
    }
    if (order < 0) {
        const struct bigint swap = a;
        a = b;
        b = swap;
        negative = !negative;
    }
    if (b.count == 0) {
        memmove(out->limbs, a.limbs, a.count * sizeof(bigint_limb));
    } else {
        mpn_sub(out->limbs, a.limbs, limb_count(a.count), b.limbs, limb_count(b.count));
    }
    result_normalise(out, a.count, negative);
}

void bigint_add(struct bigint a, struct bigint b, struct bigint_result *out) {
    if (a.negative == b.negative) {
        magnitude_add(a, b, a.negative, out);
    } else {
        magnitude_subtract(a, b, a.negative, out);
    }
}

void bigint_subtract(struct bigint a, struct bigint b, struct bigint_result *out) {
    b.negative = !b.negative;
    bigint_add(a, b, out);
}

void bigint_multiply(struct bigint a, struct bigint b, struct bigint_result *out) {
    if (a.count == 0 || b.count == 0) {
        result_normalise(out, 0, false);
        return;
    }
    const struct bigint *longer = a.count >= b.count ? &a : &b;
    const struct bigint *shorter = a.count >= b.count ? &b : &a;
    mpn_mul(out->limbs, longer->limbs, limb_count(longer->count), shorter->limbs,
            limb_count(shorter->count));
    result_normalise(out, a.count + b.count, a.negative != b.negative);
}

void bigint_divide(struct bigint a, struct bigint b, struct bigint_result *quotient,
                   struct bigint_result *remainder, bigint_limb *scratch) {
    assert(b.count > 0);
    const bool turned = a.negative != b.negative;
    if (a.count < b.count) {
        memcpy(remainder->limbs, a.limbs, a.count * sizeof(bigint_limb));
        result_normalise(remainder, a.count, b.negative);
        result_normalise(quotient, 0, false);
    } else {
        mpn_tdiv_qr(quotient->limbs, remainder->limbs, 0, a.limbs, limb_count(a.count), b.limbs,
                    limb_count(b.count));
        result_normalise(quotient, a.count - b.count + 1, turned);
        result_normalise(remainder, b.count, b.negative);
    }
    if (!turned || remainder->count == 0) {
        return;
    }
    // Truncated becomes floored: the quotient goes one down, the remainder to b's side.
    memset(scratch, 0, (b.count + 1) * sizeof(bigint_limb));
    memcpy(scratch, remainder->limbs, remainder->count * sizeof(bigint_limb));
    mpn_sub_n(remainder->limbs, b.limbs, scratch, limb_count(b.count));
    result_normalise(remainder, b.count, b.negative);
    const size_t count = quotient->count;
    quotient->limbs[count] = 0;
    mpn_add_1(quotient->limbs, quotient->limbs, limb_count(count + 1), 1);
    result_normalise(quotient, count + 1, true);
}

// ---------------------------------------------------------------------------------------------
// Bits

// Two's complement of `number` in `count` limbs, count > number.count.
static void complement_write(struct bigint number, bigint_limb *limbs, size_t count) {
    memcpy(limbs, number.limbs, number.count * sizeof(bigint_limb));
    memset(limbs + number.count, 0, (count - number.count) * sizeof(bigint_limb));
    if (number.negative) {
        mpn_neg(limbs, limbs, limb_count(count));
    }
}

void bigint_bits(enum bigint_bit_operation operation, struct bigint a, struct bigint b,
                 struct bigint_result *out, bigint_limb *scratch) {
    const size_t count = (a.count > b.count ? a.count : b.count) + 1;
    bigint_limb *left = scratch;
    bigint_limb *right = scratch + count;
    complement_write(a, left, count);
    complement_write(b, right, count);
    for (size_t i = 0; i < count; i++) {
        switch (operation) {
        case BIGINT_AND:
            out->limbs[i] = left[i] & right[i];
            break;
        case BIGINT_OR:
            out->limbs[i] = left[i] | right[i];
            break;
        case BIGINT_XOR:
            out->limbs[i] = left[i] ^ right[i];
            break;
        }
    }
    const bool negative = (out->limbs[count - 1] >> (LIMB_BITS - 1)) != 0;
    if (negative) {
        mpn_neg(out->limbs, out->limbs, limb_count(count));
    }
    result_normalise(out, count, negative);
}

void bigint_shift_left(struct bigint a, uint64_t shift, struct bigint_result *out) {
    if (a.count == 0) {
        result_normalise(out, 0, false);
        return;
    }
    const size_t limbs = (size_t)(shift / LIMB_BITS);
    const unsigned bits = (unsigned)(shift % LIMB_BITS);
    memset(out->limbs, 0, limbs * sizeof(bigint_limb));
    if (bits == 0) {
        memcpy(out->limbs + limbs, a.limbs, a.count * sizeof(bigint_limb));
        out->limbs[limbs + a.count] = 0;
    } else {
        out->limbs[limbs + a.count] =
            mpn_lshift(out->limbs + limbs, a.limbs, limb_count(a.count), bits);
    }
    result_normalise(out, limbs + a.count + 1, a.negative);
}

void bigint_shift_right(struct bigint a, uint64_t shift, struct bigint_result *out) {
    const size_t limbs = shift / LIMB_BITS >= a.count ? a.count : (size_t)(shift / LIMB_BITS);
    const unsigned bits = (unsigned)(shift % LIMB_BITS);
    bool lost = magnitude_size(a.limbs, limbs) > 0;
    const size_t count = a.count - limbs;
    if (count > 0 && bits > 0) {
        lost = mpn_rshift(out->limbs, a.limbs + limbs, limb_count(count), bits) != 0 || lost;
    } else if (count > 0) {
        memcpy(out->limbs, a.limbs + limbs, count * sizeof(bigint_limb));
    }
    out->limbs[count] = 0;
    if (a.negative && lost) {
        mpn_add_1(out->limbs, out->limbs, limb_count(count + 1), 1);
    }
    result_normalise(out, count + 1, a.negative);
}

// ---------------------------------------------------------------------------------------------
// Text

size_t bigint_text_size_max(struct bigint number, int base) {
    return number.count == 0 ? 1 : mpn_sizeinbase(number.limbs, limb_count(number.count), base) + 2;
}

size_t bigint_format(struct bigint number, int base, char *out, bigint_limb *scratch) {
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    if (number.count == 0) {
        out[0] = '0';
        return 1;
    }
    char *text = out;
    if (number.negative) {
        *text++ = '-';
    }
    memcpy(scratch, number.limbs, number.count * sizeof(bigint_limb));
    unsigned char *raw = (unsigned char *)text;
    const size_t size = mpn_get_str(raw, base, scratch, limb_count(number.count));
    size_t zeros = 0;
    while (zeros + 1 < size && raw[zeros] == 0) {
        zeros++;
    }
    for (size_t i = zeros; i < size; i++) {
        text[i - zeros] = digits[raw[i]];
    }
    return (size_t)(text - out) + size - zeros;
}

size_t bigint_parse_room(size_t size, int base) {
    size_t bits = 1; // per digit, rounded up
    while ((1 << bits) < base) {
        bits++;
    }
    return size / LIMB_BITS * bits + (size % LIMB_BITS * bits) / LIMB_BITS + 2;
}

static unsigned char digit_value(char c) {
    if (c >= '0' && c <= '9') {
        return (unsigned char)(c - '0');
    }
    return (unsigned char)((c | 0x20) - 'a' + 10);
}

void bigint_parse(const char *digits, size_t size, int base, bool negative,
                  struct bigint_result *out, unsigned char *scratch) {
    assert(size > 0);
    size_t zeros = 0;
    while (zeros < size && digits[zeros] == '0') {
        zeros++;
    }
    if (zeros == size) {
        result_normalise(out, 0, false);
        return;
    }
    for (size_t i = zeros; i < size; i++) {
        scratch[i - zeros] = digit_value(digits[i]);
    }
    const mp_size_t count = mpn_set_str(out->limbs, scratch, size - zeros, base);
    result_normalise(out, (size_t)count, negative);
}

// ---------------------------------------------------------------------------------------------
// Floats

static size_t bit_length(struct bigint number) {
    return number.count == 0 ? 0 : mpn_sizeinbase(number.limbs, limb_count(number.count), 2);
}

static uint64_t limb_at(struct bigint number, size_t index) {
    return index < number.count ? number.limbs[index] : 0;
}

// 64 bits of the magnitude from bit `start` up.
static uint64_t bits_at(struct bigint number, size_t start) {
    const size_t limb = start / LIMB_BITS;
    const unsigned offset = (unsigned)(start % LIMB_BITS);
    const uint64_t low = limb_at(number, limb) >> offset;
    return offset == 0 ? low : low | (limb_at(number, limb + 1) << (LIMB_BITS - offset));
}

static bool any_bit_below(struct bigint number, size_t end) {
    if (magnitude_size(number.limbs, end / LIMB_BITS) > 0) {
        return true;
    }
    const unsigned rest = (unsigned)(end % LIMB_BITS);
    return rest != 0 && (limb_at(number, end / LIMB_BITS) << (LIMB_BITS - rest)) != 0;
}

double bigint_to_double(struct bigint number) {
    const size_t length = bit_length(number);
    if (length > 1024) {
        return number.negative ? -HUGE_VAL : HUGE_VAL;
    }
    double magnitude = 0;
    if (length <= LIMB_BITS) {
        magnitude = (double)limb_at(number, 0); // the hardware rounds to nearest even
    } else {
        // The top 64 bits, the lowest one standing for all that were cut off: 64 bits are more than
        // a float's 53 and two for the decision, so one rounding is exact.
        const size_t cut = length - LIMB_BITS;
        const uint64_t top = bits_at(number, cut) | (any_bit_below(number, cut) ? 1u : 0u);
        magnitude = ldexp((double)top, (int)cut);
    }
    return number.negative ? -magnitude : magnitude;
}

void bigint_from_double(double value, struct bigint_result *out) {
    assert(isfinite(value));
    int exponent = 0;
    const double fraction = frexp(fabs(trunc(value)), &exponent); // in [0.5, 1)
    const uint64_t mantissa = (uint64_t)ldexp(fraction, 53);
    const struct bigint number = {&mantissa, mantissa == 0 ? 0 : 1, value < 0};
    if (exponent >= 53) {
        bigint_shift_left(number, (uint64_t)(exponent - 53), out);
    } else {
        out->limbs[0] = exponent <= 0 ? 0 : mantissa >> (53 - exponent);
        result_normalise(out, 1, value < 0);
    }
}

int int64_compare_double(int64_t a, double b) {
    if (isnan(b) || b >= 0x1p63) {
        return -1;
    }
    if (b < -0x1p63) {
        return 1;
    }
    const double whole = floor(b);
    const int64_t number = (int64_t)whole;
    if (a != number) {
        return a < number ? -1 : 1;
    }
    return b > whole ? -1 : 0;
}

int bigint_compare_double(struct bigint a, double b) {
    if (isnan(b)) {
        return -1;
    }
    if (isinf(b)) {
        return b > 0 ? -1 : 1;
    }
    bigint_limb limbs[BIGINT_DOUBLE_LIMBS];
    struct bigint_result floored = {.limbs = limbs};
    const double whole = floor(b);
    bigint_from_double(whole, &floored);
    const int order = bigint_compare(a, bigint_view(&floored));
    return order == 0 && b > whole ? -1 : order;
}

// ---------------------------------------------------------------------------------------------
// Hash: the number modulo the Mersenne prime 2^61 - 1, as CPython does it

#define HASH_PRIME ((UINT64_C(1) << 61) - 1)
enum { HASH_BITS = 61 };

static uint64_t prime_reduce(uint64_t value) {
    value = (value & HASH_PRIME) + (value >> HASH_BITS);
    return value >= HASH_PRIME ? value - HASH_PRIME : value;
}

// Multiplying by 2^bits modulo the prime turns the 61 bits around.
static uint64_t prime_rotate(uint64_t value, unsigned bits) {
    return bits == 0 ? value
                     : ((value << bits) & HASH_PRIME) | (value >> ((unsigned)HASH_BITS - bits));
}

static uint64_t prime_signed(uint64_t value, bool negative) {
    return negative && value != 0 ? HASH_PRIME - value : value;
}

uint64_t int64_hash(int64_t number) {
    const uint64_t magnitude = number < 0 ? UINT64_C(0) - (uint64_t)number : (uint64_t)number;
    return prime_signed(prime_reduce(magnitude), number < 0);
}

uint64_t bigint_hash(struct bigint number) {
    uint64_t hash = 0;
    for (size_t i = number.count; i-- > 0;) {
        // × 2^64 is × 2^3 modulo the prime.
        hash = prime_rotate(hash, LIMB_BITS - HASH_BITS) + prime_reduce(number.limbs[i]);
        hash = hash >= HASH_PRIME ? hash - HASH_PRIME : hash;
    }
    return prime_signed(hash, number.negative);
}

uint64_t double_hash(double value) {
    assert(isfinite(value));
    int exponent = 0;
    const double fraction = frexp(fabs(value), &exponent);
    const uint64_t mantissa = (uint64_t)ldexp(fraction, 53);
    int turn = (exponent - 53) % HASH_BITS;
    turn = turn < 0 ? turn + HASH_BITS : turn;
    return prime_signed(prime_rotate(prime_reduce(mantissa), (unsigned)turn), value < 0);
}
