#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

// Arithmetic on numbers from outside, checked; and casts that narrow, checked.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// false when the result does not fit; *out is then undefined.
static inline bool size_add(size_t a, size_t b, size_t *out) {
    return !__builtin_add_overflow(a, b, out);
}
static inline bool size_multiply(size_t a, size_t b, size_t *out) {
    return !__builtin_mul_overflow(a, b, out);
}
static inline bool int64_add(int64_t a, int64_t b, int64_t *out) {
    return !__builtin_add_overflow(a, b, out);
}
static inline bool int64_multiply(int64_t a, int64_t b, int64_t *out) {
    return !__builtin_mul_overflow(a, b, out);
}
// The value as int, clamped to its range: for printf widths, sizes in messages.
int int_clamp(int64_t value);
int int_from_size(size_t value);

#endif
