#ifndef STARLARK_SEQUENCE_H
#define STARLARK_SEQUENCE_H

// Strings, bytes, tuples, lists, ranges and structs: making them and reaching their parts.
//
// Every maker gives STAR_ERROR when memory is out.

#include "starlark/heap.h"

enum { STAR_REPEAT_MAX = 1 << 30 }; // elements of `sequence * n` (spec §6)

// A string whose *content is filled in by the caller before anything else is allocated.
star_value star_string_reserve(struct star_thread *thread, size_t size, char **content);
star_value star_bytes_reserve(struct star_thread *thread, size_t size, char **content);
star_value star_string_str(struct star_thread *thread, str text);
// text[start:end]; the whole string when nothing is cut off.
star_value star_string_slice(struct star_thread *thread, star_value string, size_t start,
                             size_t end);
// a + b for strings or bytes; extends `a` in place when it is the newest object.
star_value star_string_concat(struct star_thread *thread, star_value a, star_value b);
bool star_string_is_ascii(struct star_string *string); // computed once
bool star_string_equal(const struct star_string *a, const struct star_string *b);
// The hash used by dicts; cached.
uint32_t star_string_hash(struct star_thread *thread, struct star_string *string);

// A tuple whose items are STAR_NONE and to be filled in.
struct star_tuple *star_tuple_new(struct star_thread *thread, size_t count);
// A list with room for `capacity` items and none in it.
struct star_list *star_list_new(struct star_thread *thread, size_t capacity);
// Without checks of frozen and iterating: for lists just made.
bool star_list_push(struct star_thread *thread, struct star_list *list, star_value item);
bool star_list_reserve(struct star_thread *thread, struct star_list *list, size_t capacity);
// "cannot append to frozen list", "… during iteration": `verb` is "append to", "clear", …
bool star_list_check_mutable(struct star_thread *thread, const struct star_list *list,
                             const char *verb);
// All elements of a lazy list are made and it becomes a plain one.  Call before reading `items`.
bool star_list_materialize(struct star_thread *thread, struct star_list *list);
// Element `index` (in range) of a list that may be lazy.
star_value star_list_item(struct star_thread *thread, struct star_list *list, size_t index);
// A lazy list of `count` elements; `lazy` is copied.
star_value star_list_lazy(struct star_thread *thread, size_t count, const struct star_lazy *lazy);

star_value star_range_new(struct star_thread *thread, int64_t start, int64_t stop, int64_t step);
static inline int64_t star_range_item(const struct star_range *range, uint64_t index) {
    return (int64_t)((uint64_t)range->start + index * (uint64_t)range->step);
}

// A struct of names (strings, any order) and values.
star_value star_struct_new(struct star_thread *thread, star_value constructor,
                           const star_value *names, const star_value *values, size_t count);
// STAR_UNSET when there is no such field.
star_value star_struct_field(const struct star_struct_object *object, str name);

// x[start:stop:step] for a sequence of `length`: bounds clamped as the language says.  The parts
// may be None.  false after star_fail.
struct star_slice {
    int64_t start;
    int64_t step;
    uint64_t count; // of items taken
};
bool star_slice_resolve(struct star_thread *thread, star_value start, star_value stop,
                        star_value step, uint64_t length, struct star_slice *slice);

#endif
