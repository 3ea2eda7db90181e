#include "starlark/numbers.h"

#include "starlark/bigint.h"
#include "starlark/number_text.h"
#include "starlark/thread.h"

#include <math.h>

enum {
    SHIFT_MAX = 512,     // a left shift by that much or more is refused (spec §6)
    LIMBS_MAX = 1 << 26, // of one int: 512 MiB
    LIMBS_ON_STACK = 32, // scratch that needs no allocation
};

// ---------------------------------------------------------------------------------------------
// Objects and limbs

static struct bigint operand_view(star_value value, bigint_limb *storage) {
    if (star_is_small(value)) {
        return bigint_from_int64(star_small(value), storage);
    }
    const struct star_bigint *number = star_as_bigint(value);
    return (struct bigint){number->limbs, number->limb_count, number->negative};
}

// An object with room for `limbs`; NULL after star_fail.
static struct star_bigint *bigint_reserve(struct star_thread *thread, size_t limbs) {
    if (limbs > LIMBS_MAX) {
        star_fail(thread, "int too large");
        return NULL;
    }
    struct star_heap *heap = star_thread_heap(thread);
    return star_heap_object(heap, STAR_OBJECT_BIGINT,
                            sizeof(struct star_bigint) + limbs * sizeof(bigint_limb));
}

static struct bigint_result result_in(struct star_bigint *number) {
    return (struct bigint_result){.limbs = number->limbs};
}

// Gives back what the newest object does not need.
static void object_trim(struct star_heap *heap, struct star_object *object, size_t size) {
    size = (size + 7) & ~(size_t)7;
    char *end = (char *)object + (size_t)object->words * 8;
    if (end == heap->top) {
        heap->top = (char *)object + size;
        object->words = (uint32_t)(size / 8);
    }
}

// The value of what was computed in `number`: a word when it fits.
static star_value bigint_finish(struct star_thread *thread, struct star_bigint *number,
                                const struct bigint_result *result) {
    struct star_heap *heap = star_thread_heap(thread);
    int64_t small = 0;
    if (bigint_to_int64(bigint_view(result), &small) && star_small_fits(small)) {
        object_trim(heap, &number->header, 0);
        return star_from_small(small);
    }
    number->limb_count = (uint32_t)result->count;
    number->negative = result->negative;
    object_trim(heap, &number->header,
                sizeof(struct star_bigint) + result->count * sizeof(bigint_limb));
    return star_from_object(number);
}

// Temporary limbs: on the stack when few, else a buffer of the heap, so that limits count it.
struct scratch {
    bigint_limb fixed[LIMBS_ON_STACK];
    bigint_limb *limbs;
    size_t bytes;
};

static bool scratch_init(struct star_thread *thread, struct scratch *scratch, size_t limbs) {
    scratch->bytes = limbs * sizeof(bigint_limb);
    scratch->limbs = limbs <= LIMBS_ON_STACK
                         ? scratch->fixed
                         : star_buffer_alloc(star_thread_heap(thread), scratch->bytes);
    return scratch->limbs != NULL;
}

static void scratch_done(struct star_thread *thread, struct scratch *scratch) {
    if (scratch->limbs != scratch->fixed) {
        star_buffer_free(star_thread_heap(thread), scratch->limbs, scratch->bytes);
    }
}

static size_t size_max(size_t a, size_t b) {
    return a > b ? a : b;
}

star_value star_int(struct star_thread *thread, int64_t number) {
    if (star_small_fits(number)) {
        return star_from_small(number);
    }
    bigint_limb storage = 0;
    const struct bigint view = bigint_from_int64(number, &storage);
    struct star_bigint *object = bigint_reserve(thread, 1);
    if (object == NULL) {
        return STAR_ERROR;
    }
    object->limb_count = 1;
    object->negative = view.negative;
    object->limbs[0] = storage;
    return star_from_object(object);
}

star_value star_int_from_uint64(struct star_thread *thread, uint64_t number) {
    if (number <= (uint64_t)STAR_SMALL_MAX) {
        return star_from_small((int64_t)number);
    }
    struct star_bigint *object = bigint_reserve(thread, 1);
    if (object == NULL) {
        return STAR_ERROR;
    }
    object->limb_count = 1;
    object->negative = false;
    object->limbs[0] = number;
    return star_from_object(object);
}

// ---------------------------------------------------------------------------------------------
// Arithmetic

enum {
    FEW_LIMBS = 64,    // up to here the work is the instruction's own
    MANY_LIMBS = 1024, // up to here GMP's temporaries are on the stack
};

// Work in proportion to the limbs.
static bool charge_limbs(struct star_thread *thread, size_t limbs) {
    return limbs < FEW_LIMBS || star_charge(thread, limbs / 2);
}

// The work of one GMP call that is more than linear, known before: it cannot be stopped half-way.
// `logs` times the binary logarithm of the size; the factors are measured (about STAR_STEP_NS a
// step).
static bool charge_ahead(struct star_thread *thread, size_t limbs, size_t factor, unsigned logs) {
    if (limbs < FEW_LIMBS) {
        return true;
    }
    // GMP takes temporary memory of its own and aborts without it: see first that it is there, and
    // within the limit.
    const size_t temporary = limbs * 4 * sizeof(bigint_limb);
    struct star_heap *heap = star_thread_heap(thread);
    void *probe = limbs > MANY_LIMBS ? star_buffer_alloc(heap, temporary) : NULL;
    if (limbs > MANY_LIMBS && probe == NULL) {
        return false;
    }
    star_buffer_free(heap, probe, temporary);
    const size_t log = 64 - (size_t)__builtin_clzll(limbs);
    return star_charge_ahead(thread, (uint64_t)limbs * factor * (logs == 1 ? log : log * log));
}

// After each piece of a long product.
static bool charge_piece(void *user, size_t limbs) {
    return star_charge(user, limbs * 24);
}

// Products and quotients: the shorter operand decides what a limb of the longer costs.
static bool charge_product(struct star_thread *thread, size_t a, size_t b, size_t factor) {
    const size_t shorter = a < b ? a : b;
    return shorter < FEW_LIMBS ? charge_limbs(thread, (a + b) * (1 + shorter / 4))
                               : charge_ahead(thread, a + b, factor, 1);
}

static star_value add_big(struct star_thread *thread, bool subtract, star_value a, star_value b) {
    bigint_limb left = 0;
    bigint_limb right = 0;
    const struct bigint x = operand_view(a, &left);
    const struct bigint y = operand_view(b, &right);
    const size_t room = size_max(x.count, y.count) + 1;
    if (!charge_limbs(thread, room)) {
        return STAR_ERROR;
    }
    struct star_bigint *number = bigint_reserve(thread, room);
    if (number == NULL) {
        return STAR_ERROR;
    }
    struct bigint_result result = result_in(number);
    if (subtract) {
        bigint_subtract(x, y, &result);
    } else {
        bigint_add(x, y, &result);
    }
    return bigint_finish(thread, number, &result);
}

static star_value multiply_big(struct star_thread *thread, star_value a, star_value b) {
    bigint_limb left = 0;
    bigint_limb right = 0;
    const struct bigint x = operand_view(a, &left);
    const struct bigint y = operand_view(b, &right);
    const size_t scratch_limbs = bigint_product_scratch(x.count, y.count);
    if (scratch_limbs == 0 && !charge_product(thread, x.count, y.count, 2)) {
        return STAR_ERROR;
    }
    struct star_bigint *number = bigint_reserve(thread, x.count + y.count);
    struct scratch scratch;
    if (number == NULL || !scratch_init(thread, &scratch, scratch_limbs)) {
        return STAR_ERROR;
    }
    struct bigint_result result = result_in(number);
    const bool done = bigint_multiply_paced(x, y, &result, scratch.limbs, charge_piece, thread);
    scratch_done(thread, &scratch);
    return done ? bigint_finish(thread, number, &result) : STAR_ERROR;
}

static star_value divide_big(struct star_thread *thread, bool modulo, star_value a, star_value b) {
    bigint_limb left = 0;
    bigint_limb right = 0;
    const struct bigint x = operand_view(a, &left);
    const struct bigint y = operand_view(b, &right);
    const size_t quotient_room = x.count + 2;
    const size_t remainder_room = size_max(x.count, y.count) + 1;
    const size_t kept = modulo ? remainder_room : quotient_room;
    const size_t dropped = modulo ? quotient_room : remainder_room;
    const size_t quotient = x.count > y.count ? x.count - y.count : 0;
    if (!charge_product(thread, quotient, y.count, 6)) {
        return STAR_ERROR;
    }
    struct star_bigint *number = bigint_reserve(thread, kept);
    struct scratch scratch;
    if (number == NULL || !scratch_init(thread, &scratch, dropped + y.count + 1)) {
        return STAR_ERROR;
    }
    struct bigint_result result = result_in(number);
    struct bigint_result other = {.limbs = scratch.limbs};
    bigint_divide(x, y, modulo ? &other : &result, modulo ? &result : &other,
                  scratch.limbs + dropped);
    scratch_done(thread, &scratch);
    return bigint_finish(thread, number, &result);
}

static star_value divide_int(struct star_thread *thread, bool modulo, star_value a, star_value b) {
    if (star_int_is_zero(b)) {
        return star_fail(thread, modulo ? "integer modulo by zero" : "floored division by zero");
    }
    if (!star_is_small(a) || !star_is_small(b)) {
        return divide_big(thread, modulo, a, b);
    }
    const int64_t x = star_small(a);
    const int64_t y = star_small(b);
    const bool floored = (x < 0) != (y < 0) && x % y != 0;
    if (modulo) {
        return star_from_small(x % y + (floored ? y : 0));
    }
    return star_int(thread, x / y - (floored ? 1 : 0));
}

static star_value bits_int(struct star_thread *thread, enum bigint_bit_operation operation,
                           star_value a, star_value b) {
    bigint_limb left = 0;
    bigint_limb right = 0;
    const struct bigint x = operand_view(a, &left);
    const struct bigint y = operand_view(b, &right);
    const size_t room = size_max(x.count, y.count) + 1;
    if (!charge_limbs(thread, room)) {
        return STAR_ERROR;
    }
    struct star_bigint *number = bigint_reserve(thread, room);
    struct scratch scratch;
    if (number == NULL || !scratch_init(thread, &scratch, 2 * room)) {
        return STAR_ERROR;
    }
    struct bigint_result result = result_in(number);
    bigint_bits(operation, x, y, &result, scratch.limbs);
    scratch_done(thread, &scratch);
    return bigint_finish(thread, number, &result);
}

static star_value shift_left(struct star_thread *thread, star_value a, uint64_t shift) {
    if (star_is_small(a) && shift < 12) {
        return star_int(thread, star_small(a) * (INT64_C(1) << shift));
    }
    bigint_limb storage = 0;
    const struct bigint x = operand_view(a, &storage);
    struct star_bigint *number = bigint_reserve(thread, x.count + (size_t)(shift / 64) + 1);
    if (number == NULL || !charge_limbs(thread, x.count)) {
        return STAR_ERROR;
    }
    struct bigint_result result = result_in(number);
    bigint_shift_left(x, shift, &result);
    return bigint_finish(thread, number, &result);
}

static star_value shift_right(struct star_thread *thread, star_value a, uint64_t shift) {
    if (star_is_small(a)) {
        const int64_t number = star_small(a);
        const unsigned bits = shift > 63 ? 63 : (unsigned)shift;
        return star_from_small(number >= 0 ? number >> bits : ~(~number >> bits));
    }
    bigint_limb storage = 0;
    const struct bigint x = operand_view(a, &storage);
    struct star_bigint *number = bigint_reserve(thread, x.count + 1);
    if (number == NULL || !charge_limbs(thread, x.count)) {
        return STAR_ERROR;
    }
    struct bigint_result result = result_in(number);
    bigint_shift_right(x, shift, &result);
    return bigint_finish(thread, number, &result);
}

static star_value fail_shift(struct star_thread *thread, const char *what, star_value count) {
    bigint_limb storage = 0;
    int64_t number = 0;
    if (bigint_to_int64(operand_view(count, &storage), &number)) {
        return star_fail(thread, "%s: %lld", what, (long long)number);
    }
    return star_fail(thread, "%s", what);
}

static star_value shift_int(struct star_thread *thread, bool left, star_value a, star_value b) {
    if (star_int_is_negative(b)) {
        return fail_shift(thread, "negative shift count", b);
    }
    const bool huge = !star_is_small(b);
    if (left && (huge || star_small(b) >= SHIFT_MAX)) {
        return fail_shift(thread, "shift count too large", b);
    }
    const uint64_t shift = huge ? UINT64_MAX : (uint64_t)star_small(b);
    return left ? shift_left(thread, a, shift) : shift_right(thread, a, shift);
}

static star_value add_int(struct star_thread *thread, bool subtract, star_value a, star_value b) {
    if (star_is_small(a) && star_is_small(b)) {
        const int64_t right = star_small(b);
        return star_int(thread, star_small(a) + (subtract ? -right : right));
    }
    return add_big(thread, subtract, a, b);
}

static star_value multiply_int(struct star_thread *thread, star_value a, star_value b) {
    int64_t product = 0;
    if (star_is_small(a) && star_is_small(b) &&
        !__builtin_mul_overflow(star_small(a), star_small(b), &product)) {
        return star_int(thread, product);
    }
    return multiply_big(thread, a, b);
}

// The value as an int64_t, for the ints between a word's 52 bits and 64: hashes and products on
// their way to a modulo.
static inline bool int_is_medium(star_value value, int64_t *number) {
    if (star_is_small(value)) {
        *number = star_small(value);
        return true;
    }
    const struct star_bigint *big = star_as_bigint(value);
    if (big->limb_count != 1 || big->limbs[0] > INT64_MAX) {
        return false;
    }
    *number = big->negative ? -(int64_t)big->limbs[0] : (int64_t)big->limbs[0];
    return true;
}

// `a x b` in machine words; false: with limbs.
static bool medium_binary(enum star_operator operator, int64_t a, int64_t b, int64_t *result) {
    switch ((unsigned)operator) {
    case STAR_OP_ADD:
        return !__builtin_add_overflow(a, b, result);
    case STAR_OP_SUBTRACT:
        return !__builtin_sub_overflow(a, b, result);
    case STAR_OP_MULTIPLY:
        return !__builtin_mul_overflow(a, b, result);
    case STAR_OP_FLOOR_DIVIDE:
        *result = b > 0 ? a / b - (a % b < 0) : 0;
        return b > 0;
    case STAR_OP_MODULO:
        *result = b > 0 ? a % b + (a % b < 0 ? b : 0) : 0;
        return b > 0;
    case STAR_OP_AND:
        *result = a & b;
        return true;
    case STAR_OP_OR:
        *result = a | b;
        return true;
    case STAR_OP_XOR:
        *result = a ^ b;
        return true;
    default: // shifts
        return false;
    }
}

star_value star_int_binary(struct star_thread *thread, enum star_operator operator, star_value a,
                           star_value b) {
    int64_t left = 0;
    int64_t right = 0;
    int64_t result = 0;
    if (int_is_medium(a, &left) && int_is_medium(b, &right) &&
        medium_binary(operator, left, right, &result)) {
        return star_int(thread, result);
    }
    switch (operator) {
    case STAR_OP_ADD:
        return add_int(thread, false, a, b);
    case STAR_OP_SUBTRACT:
        return add_int(thread, true, a, b);
    case STAR_OP_MULTIPLY:
        return multiply_int(thread, a, b);
    case STAR_OP_DIVIDE:
        return star_int_divide(thread, a, b);
    case STAR_OP_FLOOR_DIVIDE:
        return divide_int(thread, false, a, b);
    case STAR_OP_MODULO:
        return divide_int(thread, true, a, b);
    case STAR_OP_AND:
        return bits_int(thread, BIGINT_AND, a, b);
    case STAR_OP_OR:
        return bits_int(thread, BIGINT_OR, a, b);
    case STAR_OP_XOR:
        return bits_int(thread, BIGINT_XOR, a, b);
    case STAR_OP_SHIFT_LEFT:
        return shift_int(thread, true, a, b);
    case STAR_OP_SHIFT_RIGHT:
        return shift_int(thread, false, a, b);
    case STAR_OP_IN:
        break;
    }
    return star_fail(thread, "unknown binary op: int %s int", star_operator_text(operator));
}

star_value star_int_divide(struct star_thread *thread, star_value a, star_value b) {
    double x = 0;
    double y = 0;
    if (!star_int_to_double(thread, a, &x) || !star_int_to_double(thread, b, &y)) {
        return STAR_ERROR;
    }
    return star_float_divide(thread, x, y);
}

star_value star_int_negate(struct star_thread *thread, star_value a) {
    return add_int(thread, true, star_from_small(0), a);
}

star_value star_int_complement(struct star_thread *thread, star_value a) {
    return add_int(thread, true, star_from_small(-1), a);
}

bool star_int_is_zero(star_value number) {
    return star_is_small(number) && star_small(number) == 0;
}

bool star_int_is_negative(star_value number) {
    return star_is_small(number) ? star_small(number) < 0 : star_as_bigint(number)->negative;
}

int star_int_compare(star_value a, star_value b) {
    bigint_limb left = 0;
    bigint_limb right = 0;
    if (star_is_small(a) && star_is_small(b)) {
        const int64_t x = star_small(a);
        const int64_t y = star_small(b);
        return (x > y) - (x < y);
    }
    return bigint_compare(operand_view(a, &left), operand_view(b, &right));
}

int star_int_compare_double(star_value a, double b) {
    bigint_limb storage = 0;
    return star_is_small(a) ? int64_compare_double(star_small(a), b)
                            : bigint_compare_double(operand_view(a, &storage), b);
}

// ---------------------------------------------------------------------------------------------
// Hash

uint64_t star_bigint_hash(const struct star_bigint *number) {
    return bigint_hash((struct bigint){number->limbs, number->limb_count, number->negative});
}

uint64_t star_double_hash(double number) {
    return isfinite(number) ? double_hash(number) : star_from_double(number).bits;
}

// ---------------------------------------------------------------------------------------------
// Floats

bool star_int_to_double(struct star_thread *thread, star_value number, double *out) {
    bigint_limb storage = 0;
    *out = star_is_small(number) ? (double)star_small(number)
                                 : bigint_to_double(operand_view(number, &storage));
    if (isinf(*out)) {
        star_fail(thread, "int too large to convert to float");
        return false;
    }
    return true;
}

star_value star_int_from_double(struct star_thread *thread, double number) {
    if (!isfinite(number)) {
        return star_fail(thread, "cannot convert float %s to integer",
                         isnan(number) ? "NaN" : "infinity");
    }
    if (fabs(number) < 0x1p51) {
        return star_int(thread, (int64_t)number);
    }
    struct star_bigint *object = bigint_reserve(thread, BIGINT_DOUBLE_LIMBS);
    if (object == NULL) {
        return STAR_ERROR;
    }
    struct bigint_result result = result_in(object);
    bigint_from_double(number, &result);
    return bigint_finish(thread, object, &result);
}

star_value star_float_divide(struct star_thread *thread, double a, double b) {
    if (b == 0) {
        return star_fail(thread, "floating-point division by zero");
    }
    return star_from_double(a / b);
}

star_value star_float_floor_divide(struct star_thread *thread, double a, double b) {
    if (b == 0) {
        return star_fail(thread, "floored division by zero");
    }
    return star_from_double(floor(a / b));
}

star_value star_float_modulo(struct star_thread *thread, double a, double b) {
    if (b == 0) {
        return star_fail(thread, "floating-point modulo by zero");
    }
    double rest = fmod(a, b);
    if (rest != 0 && (rest < 0) != (b < 0)) {
        rest += b;
    }
    return star_from_double(rest);
}

// ---------------------------------------------------------------------------------------------
// Text

// NOLINTNEXTLINE(readability-redundant-casting): gcc refuses to compare constants of two enums
_Static_assert((int)STAR_FLOAT_TEXT_MAX == (int)FLOAT_TEXT_MAX, "one size of float text");

size_t star_float_format(double number, char text[STAR_FLOAT_TEXT_MAX]) {
    return float_format(number, text);
}

bool star_float_parse(const char *text, size_t size, double *number) {
    switch (float_parse_decimal(text, size, number)) {
    case FLOAT_PARSE_OK:
        return true;
    case FLOAT_PARSE_OVERFLOW:
        *number = text[0] == '-' ? -HUGE_VAL : HUGE_VAL;
        return true;
    case FLOAT_PARSE_INVALID:
        break;
    }
    return false;
}

// 36 for a character that is no digit of any base.
static int digit_of(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'z' ? lower - 'a' + 10 : 36;
}

static bool digits_are_valid(const char *digits, size_t size, int base) {
    for (size_t i = 0; i < size; i++) {
        if (digit_of(digits[i]) >= base) {
            return false;
        }
    }
    return size > 0;
}

// Digits (checked) to a value, as long as it fits the word.
static bool parse_small(const char *digits, size_t size, int base, int64_t *out) {
    int64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        if (__builtin_mul_overflow(number, (int64_t)base, &number) ||
            __builtin_add_overflow(number, (int64_t)digit_of(digits[i]), &number)) {
            return false;
        }
    }
    *out = number;
    return star_small_fits(number);
}

static star_value parse_big(struct star_thread *thread, const char *digits, size_t size, int base,
                            bool negative) {
    if (!charge_ahead(thread, size / 16, 1, 2)) {
        return STAR_ERROR;
    }
    struct star_bigint *number = bigint_reserve(thread, bigint_parse_room(size, base));
    struct scratch scratch;
    if (number == NULL || !scratch_init(thread, &scratch, size / sizeof(bigint_limb) + 1)) {
        return STAR_ERROR;
    }
    struct bigint_result result = result_in(number);
    bigint_parse(digits, size, base, negative, &result, (unsigned char *)scratch.limbs);
    scratch_done(thread, &scratch);
    return bigint_finish(thread, number, &result);
}

static star_value parse_signed(struct star_thread *thread, const char *digits, size_t size,
                               int base, bool negative) {
    int64_t small = 0;
    if (!digits_are_valid(digits, size, base)) {
        return STAR_UNSET;
    }
    if (parse_small(digits, size, base, &small)) {
        return star_from_small(negative ? -small : small);
    }
    return thread == NULL ? STAR_UNSET : parse_big(thread, digits, size, base, negative);
}

star_value star_int_parse(struct star_thread *thread, const char *digits, size_t size, int base) {
    return parse_signed(thread, digits, size, base, false);
}

star_value star_int_from_decimal(struct star_thread *thread, const char *text, size_t size) {
    const size_t sign = size > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    const star_value value =
        parse_signed(thread, text + sign, size - sign, 10, sign == 1 && text[0] == '-');
    return star_is_unset(value) ? star_fail(thread, "not a decimal number") : value;
}

enum { SMALL_DIGITS_MAX = 66 };

// The digits of a word, written so that they end before `end`; gives how many there are.
static size_t small_digits(char *end, int64_t number, int base) {
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    char *at = end;
    uint64_t rest = number < 0 ? UINT64_C(0) - (uint64_t)number : (uint64_t)number;
    // A constant divisor costs a multiplication, a variable one ten times that.
    switch (base) {
    case 10:
        do {
            *--at = (char)('0' + rest % 10);
            rest /= 10;
        } while (rest > 0);
        break;
    case 16:
        do {
            *--at = digits[rest % 16];
            rest /= 16;
        } while (rest > 0);
        break;
    default:
        do {
            *--at = digits[rest % (unsigned)base];
            rest /= (unsigned)base;
        } while (rest > 0);
        break;
    }
    if (number < 0) {
        *--at = '-';
    }
    return (size_t)(end - at);
}

static bool text_add_small(struct star_text *text, int64_t number, int base) {
    char buffer[SMALL_DIGITS_MAX];
    char *end = buffer + sizeof(buffer);
    const size_t size = small_digits(end, number, base);
    return star_text_add(text, end - size, size);
}

static bool text_add_big(struct star_text *text, star_value value, int base) {
    bigint_limb storage = 0;
    const struct bigint number = operand_view(value, &storage);
    struct scratch scratch;
    if (!charge_ahead(text->thread, number.count, 2, 2)) {
        text->failed = true;
        return false;
    }
    char *room = star_text_reserve(text, bigint_text_size_max(number, base));
    if (room == NULL || !scratch_init(text->thread, &scratch, number.count + 1)) {
        text->failed = true;
        return false;
    }
    star_text_advance(text, bigint_format(number, base, room, scratch.limbs));
    scratch_done(text->thread, &scratch);
    return true;
}

bool star_text_add_int(struct star_text *text, star_value number, int base, bool upper) {
    const size_t start = text->size;
    const bool done = star_is_small(number) ? text_add_small(text, star_small(number), base)
                                            : text_add_big(text, number, base);
    for (size_t i = start; done && upper && i < text->size; i++) {
        if (text->data[i] >= 'a' && text->data[i] <= 'z') {
            text->data[i] = (char)(text->data[i] - 'a' + 'A');
        }
    }
    return done;
}

star_value star_int_to_decimal(struct star_thread *thread, star_value value) {
    if (star_is_small(value)) {
        char buffer[SMALL_DIGITS_MAX];
        char *end = buffer + sizeof(buffer);
        const size_t size = small_digits(end, star_small(value), 10);
        return star_string(thread, end - size, size);
    }
    struct star_text text;
    star_text_init(&text, thread);
    star_text_add_int(&text, value, 10, false);
    return star_text_finish(&text);
}
