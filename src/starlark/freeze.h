#ifndef STARLARK_FREEZE_H
#define STARLARK_FREEZE_H

#include "starlark/value.h"

// Freezes what `values` reach.  `is_shared`: the objects also become independent of the thread (of
// its shapes and interned strings), so that a module can keep the heap they lie in.
bool star_freeze_values(struct star_thread *thread, star_value *values, size_t count,
                        bool is_shared);

#endif
