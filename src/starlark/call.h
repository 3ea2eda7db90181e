#ifndef STARLARK_CALL_H
#define STARLARK_CALL_H

// Calls: laying out arguments for Starlark functions, and calling native ones.

#include "starlark/thread.h"

// Arguments as they come, before they are bound to parameters.
struct star_given {
    const star_value *positional;
    const star_value *names; // strings
    const star_value *named;
    uint32_t positional_count;
    uint32_t named_count;
};

// Fills the parameters of `function` at base[0] …; `given` may overlap with `base`.  false after
// star_fail.
bool star_bind(struct star_thread *thread, const struct star_function_object *function,
               const struct star_given *given, star_value *base);
// Calls a native function: binds its arguments when it has a table.
star_value star_call_native(struct star_thread *thread, const struct star_builtin *builtin,
                            star_value function, star_value receiver, void *user,
                            const struct star_given *given);
// Calls what is no Starlark function: builtin, host object; "invalid call of non-function (int)".
star_value star_call_other(struct star_thread *thread, star_value function,
                           const struct star_given *given);
// Calls anything, in a VM loop of its own when it is a Starlark function.
star_value star_call_given(struct star_thread *thread, star_value function,
                           const struct star_given *given);
// Opens a frame for a function whose parameters stand at `base`.  false: depth limit, memory.
bool star_frame_push(struct star_thread *thread, struct star_function_object *function,
                     star_value *base, uint32_t result);
// Room for `count` values above the active window; NULL after star_fail ("stack overflow").
star_value *star_stack_reserve(struct star_thread *thread, star_value *from, size_t count);
// Appends *star and **star_star to the given arguments of a call of `callee`, all at the top of the
// stack.
bool star_spread(struct star_thread *thread, star_value callee, struct star_given *given,
                 star_value star, star_value star_star);

#endif
