#ifndef STARLARK_NUMBER_TEXT_H
#define STARLARK_NUMBER_TEXT_H

// Floats to text and back, independent of the process locale.
//
// Digits are the shortest that read back as the same value, and reading rounds correctly: both by
// yyjson's kernels.  Buffers are the caller's; nothing allocates.
// Threads: pure functions.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FLOAT_DIGITS_MAX = 17, // of the shortest form
    FLOAT_TEXT_MAX = 32,   // of float_format, with its NUL
    FLOAT_FIXED_MAX = 352, // of float_format_exact
};

// The shortest digits of a finite value other than 0, without trailing zeros, sign left out: the
// value is d.ddd × 10^*exponent.  Gives the number of digits.
size_t float_digits(double value, char digits[FLOAT_DIGITS_MAX], int *exponent);
// The text of spec/starlark.md §6: "1.5", "1e+06", "-0.0", "+inf", "nan".  NUL-terminated; gives
// its size.
size_t float_format(double value, char out[FLOAT_TEXT_MAX]);
// As C's %.6e ('e') or %.6f ('f'), always with a point; infinities and NaN as float_format.
size_t float_format_exact(double value, char conversion, char out[FLOAT_FIXED_MAX]);

enum float_parse_result {
    FLOAT_PARSE_OK,
    FLOAT_PARSE_INVALID,  // no number, or more than one
    FLOAT_PARSE_OVERFLOW, // a number too large for a float
};

// A decimal number with optional sign, fraction and exponent; at least one digit: the text of a
// literal.  The whole text must be the number.
enum float_parse_result float_parse_decimal(const char *text, size_t size, double *out);
// What float("…") takes: as above, and inf, infinity, nan in any case with an optional sign.
enum float_parse_result float_parse(const char *text, size_t size, double *out);

#endif
