#ifndef STARLARK_BIGINT_H
#define STARLARK_BIGINT_H

// Whole numbers of any size on limbs that the caller owns: GMP's mpn layer plus a sign.
//
// A number is sign and magnitude; it is normal when its top limb is not 0 and zero (count 0) is not
// negative.  Every function takes normal numbers and gives a normal one.  Results go into `out`,
// whose limbs the caller allocated with the room that the function's comment states, and which must
// not overlap the operands.
// Errors: none; sizes are the caller's to limit.  (mpn takes temporary memory of its own for very
// long operands, in proportion to them.)
// Threads: pure functions.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t bigint_limb; // mp_limb_t; bigint.c asserts so

struct bigint {
    const bigint_limb *limbs; // least significant first
    size_t count;
    bool negative;
};

struct bigint_result {
    bigint_limb *limbs;
    size_t count;
    bool negative;
};

// `storage` must outlive the result.
struct bigint bigint_from_int64(int64_t number, bigint_limb *storage);
bool bigint_to_int64(struct bigint number, int64_t *out);
static inline struct bigint bigint_view(const struct bigint_result *result) {
    return (struct bigint){result->limbs, result->count, result->negative};
}

// Less than 0, 0, greater than 0.
int bigint_compare(struct bigint a, struct bigint b);

// Room: the longer count + 1.
void bigint_add(struct bigint a, struct bigint b, struct bigint_result *out);
void bigint_subtract(struct bigint a, struct bigint b, struct bigint_result *out);
// Room: a.count + b.count.
void bigint_multiply(struct bigint a, struct bigint b, struct bigint_result *out);
// As bigint_multiply, in pieces: `pace` is called after each with the limbs that it had, and ends
// the work by false (then *out is undefined).  scratch: bigint_product_scratch limbs.
typedef bool bigint_pace(void *user, size_t limbs);
bool bigint_multiply_paced(struct bigint a, struct bigint b, struct bigint_result *out,
                           bigint_limb *scratch, bigint_pace *pace, void *user);
size_t bigint_product_scratch(size_t a_count, size_t b_count);
// Floored quotient and remainder (which takes b's sign); b is not 0.  Room: quotient a.count + 2,
// remainder max(a.count, b.count) + 1, scratch b.count + 1.
void bigint_divide(struct bigint a, struct bigint b, struct bigint_result *quotient,
                   struct bigint_result *remainder, bigint_limb *scratch);

enum bigint_bit_operation { BIGINT_AND, BIGINT_OR, BIGINT_XOR };
// On two's complement of endless length.  Room: the longer count + 1; scratch: twice that.
void bigint_bits(enum bigint_bit_operation operation, struct bigint a, struct bigint b,
                 struct bigint_result *out, bigint_limb *scratch);
// Room: a.count + shift / 64 + 1.
void bigint_shift_left(struct bigint a, uint64_t shift, struct bigint_result *out);
// Rounds to negative infinity.  Room: a.count + 1.
void bigint_shift_right(struct bigint a, uint64_t shift, struct bigint_result *out);

// Bound of bigint_format's text, sign included, NUL not.
size_t bigint_text_size_max(struct bigint number, int base);
// Digits in `base` (2 to 36), lower case; gives the size.  scratch: count + 1 limbs. Sub-quadratic.
size_t bigint_format(struct bigint number, int base, char *out, bigint_limb *scratch);
// Limbs that `size` digits of `base` can need.
size_t bigint_parse_room(size_t size, int base);
// Digits only, each valid in `base`; at least one.  scratch: `size` bytes.  Sub-quadratic.
void bigint_parse(const char *digits, size_t size, int base, bool negative,
                  struct bigint_result *out, unsigned char *scratch);

// Nearest float, ties to even; an infinity when it is out of range.
double bigint_to_double(struct bigint number);
// Truncates a finite value.  Room: BIGINT_DOUBLE_LIMBS.
enum { BIGINT_DOUBLE_LIMBS = 17 };
void bigint_from_double(double value, struct bigint_result *out);
// Exact, without rounding.  NaN is greater than every number.
int bigint_compare_double(struct bigint a, double b);
int int64_compare_double(int64_t a, double b);
// The number modulo 2^61 - 1: equal numbers hash alike whatever their type.
uint64_t bigint_hash(struct bigint number);
uint64_t int64_hash(int64_t number);
// As bigint_hash for a finite float; a fraction counts as a multiplication by the inverse of 2.
uint64_t double_hash(double value);

#endif
