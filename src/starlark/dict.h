#ifndef STARLARK_DICT_H
#define STARLARK_DICT_H

// Dicts and sets: insertion-ordered, in two forms.
//
// Shaped: the keys, all strings, are a shared key vector (struct star_shape) and the dict has only
// values.  Dict literals with constant names, rows and JSON objects are born so; inserting a new
// string key moves on to the shape with that key more.  A slot may be unmade (STAR_UNSET) while the
// dict is lazy.
// Table: entries in insertion order with an index by hash.  A dict becomes a table on a key that is
// no string, on deletion, and when it has grown past STAR_SHAPE_GROW_MAX keys. Everything outside
// of dict.c treats both alike, through the functions here; the VM's inline caches look at shapes.

#include "starlark/heap.h"

enum {
    STAR_SHAPE_GROW_MAX = 32, // keys that a shape reaches by single insertions
    STAR_SHAPE_KEYS_MAX = 4096,
    STAR_SHAPE_CHILDREN_MAX = 64,
    STAR_SHAPES_MAX = 4096, // of one thread; then dicts grow as tables
};

// Immutable after it is made, but for the memo of transitions (thread's own shapes only).
struct star_shape {
    uint32_t count;
    uint32_t index_mask; // of `index`; 0: no index, few keys
    uint32_t *index;     // key number + 1 by hash
    star_value *keys;    // pinned strings with their hash computed
    bool shared;         // of a program or module: no transitions are stored here
    uint32_t child_count;
    struct star_shape *last_child; // the transition taken last
    struct star_shape *children;   // by `next_sibling`
    struct star_shape *next_sibling;
};

struct star_entry {
    star_value key; // STAR_UNSET: deleted
    star_value value;
    uint32_t hash;
};

struct star_table {
    uint32_t used;       // entries in use, with deleted ones
    uint32_t capacity;   // of entries
    uint32_t first;      // no live entry before it
    uint32_t index_mask; // slots - 1; 0: no index, up to 8 entries
    struct star_entry *entries;
    uint32_t *index; // 0 is free; else entry number + 1 in the mask's bits, above them the hash's
};

// Bytes of the block that holds a table, its entries and its index.
size_t star_table_bytes(uint32_t capacity, uint32_t index_mask);

struct star_dict *star_dict_new(struct star_thread *thread, size_t capacity);
// A dict of that shape; slots are STAR_UNSET and to be filled in by the caller.
struct star_dict *star_dict_shaped(struct star_thread *thread, const struct star_shape *shape);
// A lazy dict; `lazy` is copied.
star_value star_dict_lazy(struct star_thread *thread, const struct star_shape *shape,
                          const struct star_lazy *lazy);
// The shape with these string keys (all different), found again when asked for again.  NULL: too
// many shapes or out of memory (no error set): make a plain dict.
const struct star_shape *star_shape_of(struct star_thread *thread, const star_value *keys,
                                       size_t count);
// Slot of a key; -1 when absent.
int32_t star_shape_find(const struct star_shape *shape, star_value key, uint32_t hash);

// STAR_UNSET: absent; STAR_ERROR: unhashable key.
star_value star_dict_find(struct star_thread *thread, struct star_dict *dict, star_value key);
star_value star_dict_find_str(struct star_thread *thread, struct star_dict *dict, str key);
// Insert or overwrite; checks frozen and iterating ("cannot insert into frozen hash table").
bool star_dict_insert(struct star_thread *thread, struct star_dict *dict, star_value key,
                      star_value value);
// Removes; *removed is STAR_UNSET when the key was absent.
bool star_dict_remove(struct star_thread *thread, struct star_dict *dict, star_value key,
                      star_value *removed);
// Removes the first entry; false in *found when empty.
bool star_dict_remove_first(struct star_thread *thread, struct star_dict *dict, star_value *key,
                            star_value *value, bool *found);
bool star_dict_clear(struct star_thread *thread, struct star_dict *dict);
// The entry at or after *position, in order; moves *position behind it.  false at the end, or when
// a lazy value failed (then *key is STAR_ERROR).  `value` may be NULL: lazy slots stay unmade.
bool star_dict_step(struct star_thread *thread, struct star_dict *dict, uint32_t *position,
                    star_value *key, star_value *value);
// A copy with the same entries (and shape, and laziness).
struct star_dict *star_dict_copy(struct star_thread *thread, struct star_dict *dict);
// An unchanging view: shares the entries until the dict is changed, which then copies them.
struct star_dict *star_dict_shadow(struct star_thread *thread, struct star_dict *dict);
// "cannot insert into frozen hash table" / "… during iteration".
bool star_dict_check_mutable(struct star_thread *thread, const struct star_dict *dict,
                             const char *verb);
// All slots of a lazy dict are made and it becomes a plain one.
bool star_dict_materialize(struct star_thread *thread, struct star_dict *dict);

struct star_set *star_set_new(struct star_thread *thread, size_t capacity);
// `hash` results as star_dict_find: 1 has, 0 has not, -1 error.
int star_set_has(struct star_thread *thread, const struct star_set *set, star_value item);
// Without the checks of frozen and iterating.
bool star_set_put(struct star_thread *thread, struct star_set *set, star_value item);
// With the checks.
bool star_set_insert(struct star_thread *thread, struct star_set *set, star_value item);
bool star_set_remove(struct star_thread *thread, struct star_set *set, star_value item,
                     bool *found);
bool star_set_remove_first(struct star_thread *thread, struct star_set *set, star_value *item,
                           bool *found);
bool star_set_clear(struct star_thread *thread, struct star_set *set);
bool star_set_step(const struct star_set *set, uint32_t *position, star_value *item);
struct star_set *star_set_copy(struct star_thread *thread, const struct star_set *set);
// Puts all items of `more` in, without the checks.
bool star_set_add_all(struct star_thread *thread, struct star_set *set,
                      const struct star_set *more);
// A new set of the items of `set` whose being in `other` is `wanted`.
struct star_set *star_set_select(struct star_thread *thread, const struct star_set *set,
                                 const struct star_set *other, bool wanted);
// A new set of what is in one of them only.
struct star_set *star_set_either(struct star_thread *thread, const struct star_set *a,
                                 const struct star_set *b);
bool star_set_check_mutable(struct star_thread *thread, const struct star_set *set,
                            const char *verb);

#endif
