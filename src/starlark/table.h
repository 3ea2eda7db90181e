#ifndef STARLARK_TABLE_H
#define STARLARK_TABLE_H

// The hash table behind dicts (in table form) and sets: entries in insertion order, and an index
// beyond STAR_TABLE_LINEAR_MAX entries.
//
// The index is open addressing over 32-bit words: the entry's number + 1 in the bits of the mask,
// and above them bits of the hash, so that hardly ever an entry is looked at in vain.  A key is
// looked for first at its star_first_slot, then at its hash and on from there in growing strides.
//
// One block holds header, entries and index; it is a buffer of its dict or set.  Keys are hashable
// when they come in, with their hash computed by the caller.

#include "starlark/dict.h"

enum { STAR_TABLE_LINEAR_MAX = 8 };

// The owner may be changed; else the error names `verb`: "cannot insert into frozen hash table",
// "… during iteration".
bool star_table_check_mutable(struct star_thread *thread, uint8_t flags, uint32_t iterating,
                              const char *verb);
// Entry number of a key, or -1.  Keys of the same hash are compared by `==`, which for hashable
// values cannot fail but for nesting depth: then -2, the error is set.
int64_t star_table_find(struct star_thread *thread, const struct star_table *table, star_value key,
                        uint32_t hash);
// The entry of a key, appended with `value` when it is not there yet, then *live is counted up; -2
// as above, or when memory is out.  *table may be NULL before.
int64_t star_table_put(struct star_thread *thread, struct star_table **table, uint32_t *live,
                       star_value key, star_value value, uint32_t hash);
// Appends a key that is known not to be in the table.
bool star_table_add(struct star_heap *heap, struct star_table **table, uint32_t live,
                    star_value key, star_value value, uint32_t hash);
void star_table_delete(struct star_table *table, uint32_t entry);
bool star_table_reserve(struct star_heap *heap, struct star_table **table, uint32_t live,
                        size_t capacity);
// Sets the pointers inside of a block that was copied.
void star_table_relocate(struct star_table *table);
// A copy; NULL when memory is out.
struct star_table *star_table_copy(struct star_heap *heap, const struct star_table *table);
// The entry at or after *position, in order; moves *position behind it.  NULL at the end.
static inline const struct star_entry *star_table_step(const struct star_table *table,
                                                       uint32_t *position) {
    if (table == NULL) {
        return NULL;
    }
    uint32_t i = *position < table->first ? table->first : *position;
    while (i < table->used && star_is_unset(table->entries[i].key)) {
        i++;
    }
    *position = i + 1;
    return i < table->used ? &table->entries[i] : NULL;
}

#endif
