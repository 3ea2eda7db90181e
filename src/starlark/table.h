#ifndef STARLARK_TABLE_H
#define STARLARK_TABLE_H

// The hash table behind dicts (in table form) and sets: entries in insertion order, an index by
// linear probing beyond STAR_TABLE_LINEAR_MAX entries.
//
// One block holds header, entries and index; it is a buffer of its dict or set.  Keys are hashable
// when they come in, with their hash computed by the caller.

#include "starlark/dict.h"

enum { STAR_TABLE_LINEAR_MAX = 8 };

// Entry number of a key, or -1.  Keys of the same hash are compared by `==`, which for hashable
// values cannot fail but for nesting depth: then -2, the error is set.
int64_t star_table_find(struct star_thread *thread, const struct star_table *table, star_value key,
                        uint32_t hash);
// Appends a key that is not in the table; *table may be NULL before.
bool star_table_add(struct star_heap *heap, struct star_table **table, uint32_t live,
                    star_value key, star_value value, uint32_t hash);
void star_table_delete(struct star_table *table, uint32_t entry);
bool star_table_reserve(struct star_heap *heap, struct star_table **table, uint32_t live,
                        size_t capacity);
// Sets the pointers inside of a block that was copied.
void star_table_relocate(struct star_table *table);

#endif
