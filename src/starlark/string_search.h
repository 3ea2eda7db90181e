#ifndef STARLARK_STRING_SEARCH_H
#define STARLARK_STRING_SEARCH_H

// Finding text in text, in time linear in both whatever they hold.
//
// Positions are bytes; SIZE_MAX means not found.  An empty needle is found at either end.

#include "starlark/heap.h"

size_t string_find(str text, str needle);
// The last occurrence; false after star_fail (it may need memory).
bool string_find_last(struct star_thread *thread, str text, str needle, size_t *position);
// Occurrences that do not overlap; an empty needle counts code points and one more.
size_t string_count(str text, str needle);

#endif
