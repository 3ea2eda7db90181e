#ifndef STARLARK_SORT_H
#define STARLARK_SORT_H

// The stable sort behind sorted().
//
// Errors: false after star_fail: keys that cannot be compared, cancellation, a limit.

#include "starlark/heap.h"

enum { SORT_ITEMS_MAX = INT32_MAX };

// Sorts items[0..count) by keys[i], which stay as they are (keys may be items itself: give the same
// pointer).  `reverse` keeps equal items in their order.
bool sort_values(struct star_thread *thread, star_value *items, const star_value *keys,
                 size_t count, bool reverse);

#endif
