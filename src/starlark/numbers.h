#ifndef STARLARK_NUMBERS_H
#define STARLARK_NUMBERS_H

// Ints of any size, floats, and their text.
//
// "int" here is a small int word or a bigint object; results have the one right form.
// STAR_ERROR comes with star_fail done ("division by zero", "shift count too large", …).

#include "starlark/heap.h"

// From a value that does not fit the word as well: star_int() of starlark.h.
star_value star_int_from_uint64(struct star_thread *thread, uint64_t number);
// Both ints.  ADD … SHIFT_RIGHT, but not DIVIDE (which gives a float) and not IN.
star_value star_int_binary(struct star_thread *thread, enum star_operator operator, star_value a,
                           star_value b);
// int / int, correctly a float.
star_value star_int_divide(struct star_thread *thread, star_value a, star_value b);
star_value star_int_negate(struct star_thread *thread, star_value a);
star_value star_int_complement(struct star_thread *thread, star_value a);
int star_int_compare(star_value a, star_value b);
// Exact, not by rounding; NaN is greater than every int.
int star_int_compare_double(star_value a, double b);
// Equal numbers give equal words, whatever their form.  Not spread out yet, and the same in every
// process: star_hash does that.
uint64_t star_bigint_hash(const struct star_bigint *number);
uint64_t star_double_hash(double number);
static inline uint64_t star_small_hash(int64_t number) {
    return (uint64_t)(number < 0 ? number + ((INT64_C(1) << 61) - 1) : number);
}
bool star_int_is_zero(star_value number);
bool star_int_is_negative(star_value number);
// false: "int too large to convert to float" was set.
bool star_int_to_double(struct star_thread *thread, star_value number, double *out);
// Truncates; fails for NaN and infinities.
star_value star_int_from_double(struct star_thread *thread, double number);

// Floats: + - * by the VM itself; these have rules of their own.
star_value star_float_floor_divide(struct star_thread *thread, double a, double b);
star_value star_float_modulo(struct star_thread *thread, double a, double b);
star_value star_float_divide(struct star_thread *thread, double a, double b);

// Text.  `thread` may be NULL in the two parsers below when *value may be STAR_UNSET for a number
// that needs a bigint.
enum { STAR_FLOAT_TEXT_MAX = 32 };
// Shortest text that reads back (spec §6 "Float text"); gives the size.
size_t star_float_format(double number, char text[STAR_FLOAT_TEXT_MAX]);
// Decimal float literal, the whole text, correctly rounded; false when it is none.  Overflow gives
// infinity.
bool star_float_parse(const char *text, size_t size, double *number);
// Digits only (no sign, no prefix), base 2 to 36; STAR_UNSET when a digit is wrong or there is
// none.
star_value star_int_parse(struct star_thread *thread, const char *digits, size_t size, int base);
bool star_text_add_int(struct star_text *text, star_value number, int base, bool upper);

#endif
