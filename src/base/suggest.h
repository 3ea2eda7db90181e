#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

// "Did you mean …?"

#include "base/list.h"

// The nearest of `names` by Damerau-Levenshtein distance without case, at most a third of its size
// (one or two for short names) edits away; empty when none is near.  Ties: the first.
str suggest(str name, const struct str_list *names);
int edit_distance(str a, str b, int limit);

#endif
