#ifndef STARLARK_OPERATORS_H
#define STARLARK_OPERATORS_H

// The operators for all operands, as the VM's slow paths and the builtins use them.
//
// Each gives STAR_ERROR (or false) after star_fail.  Who writes what: operators.c dispatches by
// type and does containers; numbers.h (ints of any size, floats) and format.h (`%`) do the rest.

#include "starlark/sequence.h"

star_value star_binary(struct star_thread *thread, enum star_operator operator, star_value a,
                       star_value b);
// `target op= b`: extends lists, updates dicts and sets in place, else star_binary.
star_value star_binary_in_place(struct star_thread *thread, enum star_operator operator,
                                star_value a, star_value b);
star_value star_negate(struct star_thread *thread, star_value a);     // -a
star_value star_plus(struct star_thread *thread, star_value a);       // +a
star_value star_complement(struct star_thread *thread, star_value a); // ~a
bool star_contains(struct star_thread *thread, star_value container, star_value item, bool *has);

enum star_comparison { STAR_LESS, STAR_LESS_EQUAL, STAR_GREATER, STAR_GREATER_EQUAL };
// "int < string not implemented" after false.
bool star_compare(struct star_thread *thread, enum star_comparison comparison, star_value a,
                  star_value b, bool *result);

star_value star_index(struct star_thread *thread, star_value object, star_value key);
bool star_set_index(struct star_thread *thread, star_value object, star_value key,
                    star_value value);
star_value star_slice_of(struct star_thread *thread, star_value object, star_value start,
                         star_value stop, star_value step);
// `object.name`: fields and bound methods.  STAR_ERROR with a suggestion when there is none.
star_value star_get_attribute(struct star_thread *thread, star_value object, star_value name);
// STAR_UNSET instead of the error when there is none.
star_value star_find_attribute(struct star_thread *thread, star_value object, str name);
bool star_set_attribute(struct star_thread *thread, star_value object, star_value name,
                        star_value value);
// The names that dir() lists, unsorted, as a list of strings.
star_value star_attribute_names(struct star_thread *thread, star_value object);
// A method of a builtin type or host type; NULL when there is none.
const struct star_builtin *star_find_method(star_value object, str name);

// Is the value callable, iterable (strings are not)?
bool star_is_callable(star_value value);
bool star_is_iterable(star_value value);
// How many items an iteration will give, or -1 when not known.
int64_t star_iterable_length(star_value value);

// Depth of native recursion (repr, ==, hash, JSON): fails past STAR_NATIVE_DEPTH_MAX, or when it
// has used STAR_NATIVE_STACK_MAX of the C stack, with "stack overflow: maximum recursion depth …",
// so that deep data cannot crash.  The depth is that of the deepest data that json.decode makes.
enum { STAR_NATIVE_DEPTH_MAX = 10001, STAR_NATIVE_STACK_MAX = 7 * 1024 * 1024 };
bool star_enter(struct star_thread *thread, const char *operation);
void star_leave(struct star_thread *thread);

#endif
