// Products of long numbers in pieces, between which the caller may stop the work: Karatsuba's three
// products of halves in the place of one, down to pieces that GMP multiplies at once.
//
// That is slower than GMP's own transforms for millions of digits, and never a wait that nobody can
// end.
#include "starlark/bigint.h"

#include <gmp.h>

#include <string.h>

enum { PIECE_LIMBS = 4096 }; // of each operand; less than a millisecond

struct work {
    bigint_pace *pace;
    void *user;
};

size_t bigint_product_scratch(size_t a_count, size_t b_count) {
    const size_t shorter = a_count < b_count ? a_count : b_count;
    if (shorter <= PIECE_LIMBS && a_count + b_count <= 4 * (size_t)PIECE_LIMBS) {
        return 0;
    }
    return 12 * (shorter < PIECE_LIMBS ? PIECE_LIMBS : shorter) + 2048;
}

static bool piece_multiply(const struct work *work, bigint_limb *out, const bigint_limb *a,
                           size_t a_count, const bigint_limb *b, size_t b_count) {
    if (a_count >= b_count) {
        mpn_mul(out, a, (mp_size_t)a_count, b, (mp_size_t)b_count);
    } else {
        mpn_mul(out, b, (mp_size_t)b_count, a, (mp_size_t)a_count);
    }
    return work->pace(work->user, a_count + b_count);
}

// |a0 - a1| of the halves of `a`, low half of `low` limbs and high half of `high` <= low; gives
// whether a0 < a1.
static bool halves_difference(bigint_limb *out, const bigint_limb *a, size_t low, size_t high) {
    // The high half as long as the low one.
    memcpy(out, a + low, high * sizeof(*out));
    memset(out + high, 0, (low - high) * sizeof(*out));
    if (mpn_cmp(a, out, (mp_size_t)low) >= 0) {
        mpn_sub_n(out, a, out, (mp_size_t)low);
        return false;
    }
    mpn_sub_n(out, out, a, (mp_size_t)low);
    return true;
}

// out[2 × count] = a × b, both of `count` limbs.  Scratch: 4 × (count + 64).
static bool square_shape_multiply(const struct work *work, bigint_limb *out, const bigint_limb *a,
                                  const bigint_limb *b, size_t count, bigint_limb *scratch) {
    if (count <= PIECE_LIMBS) {
        return piece_multiply(work, out, a, count, b, count);
    }
    const size_t high = count / 2;
    const size_t low = count - high;
    bigint_limb *middle = scratch;          // 2 × low
    bigint_limb *inner = scratch + 2 * low; // of the calls below
    const bool a_turned = halves_difference(out, a, low, high);
    const bool b_turned = halves_difference(out + low, b, low, high);
    if (!square_shape_multiply(work, middle, out, out + low, low, inner) ||
        !square_shape_multiply(work, out, a, b, low, inner) ||
        !square_shape_multiply(work, out + 2 * low, a + low, b + low, high, inner)) {
        return false;
    }
    // a0 b1 + a1 b0 = a0 b0 + a1 b1 - (a0 - a1)(b0 - b1)
    bigint_limb *sum = inner; // 2 × low + 1
    sum[2 * low] = mpn_add(sum, out, (mp_size_t)(2 * low), out + 2 * low, (mp_size_t)(2 * high));
    if (a_turned == b_turned) {
        sum[2 * low] -= mpn_sub_n(sum, sum, middle, (mp_size_t)(2 * low));
    } else {
        sum[2 * low] += mpn_add_n(sum, sum, middle, (mp_size_t)(2 * low));
    }
    size_t size = 2 * low + 1;
    while (size > 0 && sum[size - 1] == 0) {
        size--;
    }
    if (size > 0) {
        mpn_add(out + low, out + low, (mp_size_t)(2 * count - low), sum, (mp_size_t)size);
    }
    return true;
}

// out[a_count + b_count] = a × b, a_count >= b_count > 0: the longer in parts as long as the
// shorter, or as a piece.
static bool multiply(const struct work *work, bigint_limb *out, const bigint_limb *a,
                     size_t a_count, const bigint_limb *b, size_t b_count, bigint_limb *scratch) {
    const size_t step = b_count < PIECE_LIMBS ? PIECE_LIMBS : b_count;
    bigint_limb *part = scratch; // step + b_count
    bigint_limb *inner = scratch + 2 * step;
    memset(out, 0, (a_count + b_count) * sizeof(*out));
    for (size_t done = 0; done < a_count;) {
        const size_t left = a_count - done;
        const size_t size = left < step ? left : step;
        const bool is_good = size <= PIECE_LIMBS && b_count <= PIECE_LIMBS
                                 ? piece_multiply(work, part, a + done, size, b, b_count)
                             : size == b_count
                                 ? square_shape_multiply(work, part, a + done, b, size, inner)
                                 : multiply(work, part, b, b_count, a + done, size, inner);
        if (!is_good) {
            return false;
        }
        mpn_add(out + done, out + done, (mp_size_t)(a_count + b_count - done), part,
                (mp_size_t)(size + b_count));
        done += size;
    }
    return true;
}

bool bigint_multiply_paced(struct bigint a, struct bigint b, struct bigint_result *out,
                           bigint_limb *scratch, bigint_pace *pace, void *user) {
    if (a.count < b.count) {
        const struct bigint swap = a;
        a = b;
        b = swap;
    }
    if (bigint_product_scratch(a.count, b.count) == 0) {
        bigint_multiply(a, b, out);
        return true;
    }
    const struct work work = {pace, user};
    if (!multiply(&work, out->limbs, a.limbs, a.count, b.limbs, b.count, scratch)) {
        return false;
    }
    out->count = a.count + b.count;
    while (out->count > 0 && out->limbs[out->count - 1] == 0) {
        out->count--;
    }
    out->negative = a.negative != b.negative;
    return true;
}
