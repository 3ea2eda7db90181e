#ifndef STARLARK_SHAPE_H
#define STARLARK_SHAPE_H

// Making shapes and interned strings; what dicts need of them is in dict.h.

#include "starlark/dict.h"

enum { STAR_INTERNED_MAX = 65536 };

// A shape of these keys (pinned strings, hashed, all different) in `heap`; NULL: out of memory.
struct star_shape *star_shape_make(struct star_heap *heap, const star_value *keys, size_t count);
// The thread's shape with no keys.
const struct star_shape *star_shape_root(struct star_thread *thread);
// The shape with `key`, which it has not, added at the end.  NULL: make it a table.
const struct star_shape *star_shape_with(struct star_thread *thread, const struct star_shape *shape,
                                         star_value key);
// Text in any heap (a module's, a program's, a thread's).
star_value star_heap_text(struct star_heap *heap, enum star_object_type type, str text);
uint32_t star_bytes_hash(uint64_t seed, const char *data, size_t size);
// Random bits that are the same in all threads of the process, and not kept in a variable.
uint64_t star_process_seed(void);

#endif
