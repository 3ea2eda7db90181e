#ifndef STARLARK_BUILTINS_H
#define STARLARK_BUILTINS_H

// The universe, the methods of the builtin types, and the standard modules, as tables.

#include "starlark/heap.h"

struct star_builtin_table {
    const struct star_builtin *items; // sorted by name
    size_t count;
};

// print, len, range, …
extern const struct star_builtin_table star_universe;
// By enum star_object_type: methods get the receiver in call->receiver.
extern const struct star_builtin_table star_string_methods;
extern const struct star_builtin_table star_bytes_methods;
extern const struct star_builtin_table star_list_methods;
extern const struct star_builtin_table star_dict_methods;
extern const struct star_builtin_table star_set_methods;

// The universe's names beside the functions are None, True and False.
const struct star_builtin *star_builtin_find(const struct star_builtin_table *table, str name);

// left % right (spec §7).
star_value star_format_percent(struct star_thread *thread, star_value format, star_value right);

// json, time, math: structs made on the thread and frozen; "struct" and freeze(x) are functions.
star_value star_module_json(struct star_thread *thread);
star_value star_module_time(struct star_thread *thread);
star_value star_module_math(struct star_thread *thread);
extern const struct star_builtin star_builtin_struct; // struct(**fields)
extern const struct star_builtin star_builtin_freeze; // freeze(x)

// Freezes in place everything `value` reaches; false after star_fail.
bool star_freeze(struct star_thread *thread, star_value value);

#endif
