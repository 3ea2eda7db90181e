// The module math (spec/starlark.md §10).

#include "starlark/builtins.h"
#include "starlark/numbers.h"

#include <math.h>

// The argument as a float; ints that are too large fail.
static bool argument(struct star_thread *thread, star_value value, double *out) {
    if (star_is_float(value)) {
        *out = star_double(value);
        return true;
    }
    return star_int_to_double(thread, value, out);
}

static star_value apply(struct star_thread *thread, const struct star_call_info *call,
                        double (*function)(double)) {
    double x = 0;
    return argument(thread, call->arguments[0], &x) ? star_from_double(function(x)) : STAR_ERROR;
}

static star_value apply_two(struct star_thread *thread, const struct star_call_info *call,
                            double (*function)(double, double)) {
    double x = 0;
    double y = 0;
    return argument(thread, call->arguments[0], &x) && argument(thread, call->arguments[1], &y)
               ? star_from_double(function(x, y))
               : STAR_ERROR;
}

#define PI 3.14159265358979323846
#define E 2.71828182845904523536

static double degrees(double x) {
    return x * (180 / PI);
}

static double radians(double x) {
    return x * (PI / 180);
}

#define UNARY(name_, function_)                                                                    \
    static star_value math_##name_(struct star_thread *thread,                                     \
                                   const struct star_call_info *call) {                            \
        return apply(thread, call, function_);                                                     \
    }
#define BINARY(name_, function_)                                                                   \
    static star_value math_##name_(struct star_thread *thread,                                     \
                                   const struct star_call_info *call) {                            \
        return apply_two(thread, call, function_);                                                 \
    }

UNARY(acos, acos)
UNARY(acosh, acosh)
UNARY(asin, asin)
UNARY(asinh, asinh)
UNARY(atan, atan)
UNARY(atanh, atanh)
UNARY(cos, cos)
UNARY(cosh, cosh)
UNARY(degrees, degrees)
UNARY(exp, exp)
UNARY(fabs, fabs)
UNARY(gamma, tgamma)
UNARY(radians, radians)
UNARY(round, round)
UNARY(sin, sin)
UNARY(sinh, sinh)
UNARY(sqrt, sqrt)
UNARY(tan, tan)
UNARY(tanh, tanh)
BINARY(atan2, atan2)
BINARY(copysign, copysign)
BINARY(hypot, hypot)
BINARY(mod, fmod)
BINARY(pow, pow)
BINARY(remainder, remainder)

static star_value to_int(struct star_thread *thread, const struct star_call_info *call,
                         double (*function)(double)) {
    const star_value x = call->arguments[0];
    return star_is_float(x) ? star_int_from_double(thread, function(star_double(x))) : x;
}

static star_value math_ceil(struct star_thread *thread, const struct star_call_info *call) {
    return to_int(thread, call, ceil);
}

static star_value math_floor(struct star_thread *thread, const struct star_call_info *call) {
    return to_int(thread, call, floor);
}

static star_value math_log(struct star_thread *thread, const struct star_call_info *call) {
    double x = 0;
    double base = 0;
    if (!argument(thread, call->arguments[0], &x)) {
        return STAR_ERROR;
    }
    if (star_is_unset(call->arguments[1])) {
        return star_from_double(log(x));
    }
    if (!argument(thread, call->arguments[1], &base)) {
        return STAR_ERROR;
    }
    if (base == 1) {
        return star_fail(thread, "log: division by zero");
    }
    // The library's own functions are exact where the quotient of two logarithms is not.
    return star_from_double(base == 10 ? log10(x) : base == 2 ? log2(x) : log(x) / log(base));
}

enum { FLOAT_OR_INT = STAR_TAKES(STAR_KIND_INT) | STAR_TAKES(STAR_KIND_FLOAT) };

static const struct star_parameter one[] = {{"x", STAR_REQUIRED, FLOAT_OR_INT}};
static const struct star_parameter two[] = {
    {"x", STAR_REQUIRED, FLOAT_OR_INT},
    {"y", STAR_REQUIRED, FLOAT_OR_INT},
};
static const struct star_parameter log_parameters[] = {
    {"x", STAR_REQUIRED, FLOAT_OR_INT},
    {"base", STAR_OPTIONAL, FLOAT_OR_INT},
};

static const struct star_builtin functions[] = {
    STAR_BUILTIN("acos", math_acos, one),         STAR_BUILTIN("acosh", math_acosh, one),
    STAR_BUILTIN("asin", math_asin, one),         STAR_BUILTIN("asinh", math_asinh, one),
    STAR_BUILTIN("atan", math_atan, one),         STAR_BUILTIN("atan2", math_atan2, two),
    STAR_BUILTIN("atanh", math_atanh, one),       STAR_BUILTIN("ceil", math_ceil, one),
    STAR_BUILTIN("copysign", math_copysign, two), STAR_BUILTIN("cos", math_cos, one),
    STAR_BUILTIN("cosh", math_cosh, one),         STAR_BUILTIN("degrees", math_degrees, one),
    STAR_BUILTIN("exp", math_exp, one),           STAR_BUILTIN("fabs", math_fabs, one),
    STAR_BUILTIN("floor", math_floor, one),       STAR_BUILTIN("gamma", math_gamma, one),
    STAR_BUILTIN("hypot", math_hypot, two),       STAR_BUILTIN("log", math_log, log_parameters),
    STAR_BUILTIN("mod", math_mod, two),           STAR_BUILTIN("pow", math_pow, two),
    STAR_BUILTIN("radians", math_radians, one),   STAR_BUILTIN("remainder", math_remainder, two),
    STAR_BUILTIN("round", math_round, one),       STAR_BUILTIN("sin", math_sin, one),
    STAR_BUILTIN("sinh", math_sinh, one),         STAR_BUILTIN("sqrt", math_sqrt, one),
    STAR_BUILTIN("tan", math_tan, one),           STAR_BUILTIN("tanh", math_tanh, one),
};

star_value star_module_math(struct star_thread *thread) {
    enum { COUNT = ARRAY_COUNT(functions) + 2 };
    const char *names[COUNT];
    star_value values[COUNT];
    for (size_t i = 0; i < ARRAY_COUNT(functions); i++) {
        names[i] = functions[i].name;
        values[i] = star_function_new(thread, &functions[i], NULL);
        if (star_is_error(values[i])) {
            return STAR_ERROR;
        }
    }
    names[COUNT - 2] = "e";
    values[COUNT - 2] = star_from_double(E);
    names[COUNT - 1] = "pi";
    values[COUNT - 1] = star_from_double(PI);
    const star_value module = star_struct(thread, "math", names, values, COUNT);
    return !star_is_error(module) && star_freeze(thread, module) ? module : STAR_ERROR;
}
