#ifndef STARLARK_UNIVERSE_H
#define STARLARK_UNIVERSE_H

// The builtin functions of spec/starlark.md §8 by family; universe.c puts them into the one table.

#include "starlark/heap.h"

// universe_convert.c: one value to another
star_value universe_abs(struct star_thread *thread, const struct star_call_info *call);
star_value universe_bool(struct star_thread *thread, const struct star_call_info *call);
star_value universe_bytes(struct star_thread *thread, const struct star_call_info *call);
star_value universe_chr(struct star_thread *thread, const struct star_call_info *call);
star_value universe_float(struct star_thread *thread, const struct star_call_info *call);
star_value universe_hash(struct star_thread *thread, const struct star_call_info *call);
star_value universe_int(struct star_thread *thread, const struct star_call_info *call);
star_value universe_ord(struct star_thread *thread, const struct star_call_info *call);

// universe_iterate.c: what takes an iterable
star_value universe_all(struct star_thread *thread, const struct star_call_info *call);
star_value universe_any(struct star_thread *thread, const struct star_call_info *call);
star_value universe_enumerate(struct star_thread *thread, const struct star_call_info *call);
star_value universe_list(struct star_thread *thread, const struct star_call_info *call);
star_value universe_max(struct star_thread *thread, const struct star_call_info *call);
star_value universe_min(struct star_thread *thread, const struct star_call_info *call);
star_value universe_reversed(struct star_thread *thread, const struct star_call_info *call);
star_value universe_set(struct star_thread *thread, const struct star_call_info *call);
star_value universe_sorted(struct star_thread *thread, const struct star_call_info *call);
star_value universe_tuple(struct star_thread *thread, const struct star_call_info *call);
star_value universe_zip(struct star_thread *thread, const struct star_call_info *call);

// A new list of the items of any iterable; NULL after star_fail.
struct star_list *universe_list_of(struct star_thread *thread, star_value iterable);

// dict_methods.c
star_value universe_dict(struct star_thread *thread, const struct star_call_info *call);

// For functions that take their arguments raw: "zip: unexpected keyword argument …".
bool universe_refuse_named(struct star_thread *thread, const struct star_call_info *call,
                           const char *name);

#endif
