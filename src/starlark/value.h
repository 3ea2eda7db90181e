#ifndef STARLARK_VALUE_H
#define STARLARK_VALUE_H

// The value word and the objects it points to.
//
// A word is a double as it stands (every NaN is 0x7FF8…0), or
//   0x7FF9 pppp pppp pppp   a pointer to a struct star_object
//   0x7FFA 0000 0000 000x   None, False, True, unset, error
//   > 0xFFF0 0000 0000 0000 an int of 52 bits: 0xFFF8… plus the number, so one unsigned compare
//                           (greater than -inf) tests for it
// An int outside of ±(2^51 - 1) is a STAR_OBJECT_BIGINT.  A number has one form only: what fits
// the word is never a bigint.
//
// Objects live in a thread's region (they may move, see heap.h), or outside of it and then never
// move (STAR_FLAG_PINNED): constants of a program, frozen modules, keys of shapes.

#include "base/attributes.h"
#include "base/str.h"
#include "starlark/starlark.h"

#include <string.h>

enum star_object_type {
    STAR_OBJECT_BIGINT = 1,
    STAR_OBJECT_STRING,
    STAR_OBJECT_BYTES,
    STAR_OBJECT_LIST,
    STAR_OBJECT_TUPLE,
    STAR_OBJECT_DICT,
    STAR_OBJECT_SET,
    STAR_OBJECT_RANGE,
    STAR_OBJECT_FUNCTION,
    STAR_OBJECT_BUILTIN,
    STAR_OBJECT_STRUCT,
    STAR_OBJECT_HOST,
    STAR_OBJECT_CELL,      // a captured variable; never seen by code
    STAR_OBJECT_FORWARDED, // during a collection: the object moved, `target` follows
};

enum star_object_flags {
    STAR_FLAG_FROZEN = 1,    // immutable for good
    STAR_FLAG_PINNED = 2,    // outside of the region: the collector neither moves nor scans it
    STAR_FLAG_SHARED = 4,    // belongs to a program or module, not to a thread; implies PINNED
    STAR_FLAG_ASCII = 8,     // string: all bytes below 128 (set only when known)
    STAR_FLAG_BORROWED = 16, // string: its bytes belong to somebody else
    STAR_FLAG_INTERNED = 32,
    STAR_FLAG_LENT = 64, // dict: a shadow shares its entries; string: a prefix of its owner's bytes
};

// The first 8 bytes of every object.
struct star_object {
    uint8_t type;
    uint8_t flags;
    uint16_t extra; // by type
    uint32_t words; // size in units of 8 bytes, with what lies directly behind it
};

struct star_bigint {
    struct star_object header;
    uint32_t limb_count; // at least 1; the highest limb is not 0
    bool negative;
    uint64_t limbs[]; // GMP's mpn order, lowest first
};

// Strings and bytes.  Content of STAR_EXTERNAL_MIN bytes or more is a buffer of its own (heap.h).
struct star_string {
    struct star_object header;
    uint32_t size;
    uint32_t hash; // 0: not computed yet; frozen strings always have it
    const char *data;
    char content[]; // when small
};

// Elements of a lazy list and slots of a lazy dict are STAR_UNSET until they are touched.
struct star_lazy {
    const struct star_lazy_source *source;
    const void *item; // the source's own: a yyjson_val, a column table
    uint64_t index;   // the source's own: a row
    star_value owner; // keeps the source's memory alive; None when nothing does
};
struct star_lazy_source {
    const char *name;
    // Fills element or slot `position` (others as well, if that is cheaper) by writing items[…];
    // false after star_fail.  `lazy` does not move during the call.
    bool (*fill)(struct star_thread *thread, const struct star_lazy *lazy, star_value *items,
                 uint32_t count, uint32_t position);
    bool is_json; // `item` is a yyjson_val
};

struct star_list {
    struct star_object header;
    uint32_t iterating; // active guards
    uint32_t count;
    uint32_t capacity;
    uint32_t lazy_left; // while lazy: elements not made yet
    star_value *items;
    struct star_lazy *lazy; // NULL: all elements are there
};

struct star_tuple {
    struct star_object header;
    uint32_t count;
    uint32_t hash; // 0: not computed
    star_value items[];
};

// Dicts have two forms (dict.h).  Shaped: `shape` is set and slots[i] belongs to shape->keys[i].
// Table: `shape` is NULL and `table` holds entries (NULL when empty).
struct star_dict {
    struct star_object header; // extra: capacity of slots when shaped
    uint32_t iterating;
    uint32_t count;
    const struct star_shape *shape;
    star_value *slots;
    union {
        struct star_table *table; // shape == NULL
        struct star_lazy *lazy;   // shape != NULL; NULL: all slots are there
    };
};

struct star_set {
    struct star_object header;
    uint32_t iterating;
    uint32_t count;
    struct star_table *table;
};

struct star_range {
    struct star_object header;
    int64_t start;
    int64_t stop; // as given, for repr
    int64_t step;
    uint64_t count; // of items
};

struct star_function_object {
    struct star_object header;
    const struct star_code *code; // lives as long as its program
    struct star_module *module;   // globals; borrowed: lives as long as the function may be called
    uint32_t default_count;
    uint32_t capture_count;
    star_value values[]; // defaults, then captured values and cells
};

struct star_builtin_object {
    struct star_object header;
    const struct star_builtin *builtin;
    void *user;
    star_value receiver; // STAR_UNSET: a plain function
};

struct star_struct_object {
    struct star_object header;
    uint32_t count;
    uint32_t hash;
    star_value constructor; // a string
    star_value items[];     // names, sorted; then values in the same order
};

struct star_host_object {
    struct star_object header; // extra: slot count
    const struct star_type *type;
    void *data;
    star_value slots[]; // then the payload
};

struct star_cell {
    struct star_object header;
    star_value value; // STAR_UNSET before the first assignment
};

// ---------------------------------------------------------------------------------------------
// Words

#define STAR_POINTER_TAG UINT64_C(0x7FF9000000000000)
#define STAR_POINTER_MASK UINT64_C(0x0000FFFFFFFFFFFF)
#define STAR_INT_ZERO UINT64_C(0xFFF8000000000000)
#define STAR_INT_FLOOR UINT64_C(0xFFF0000000000000) // ints are greater than this word
#define STAR_NAN_WORD UINT64_C(0x7FF8000000000000)
#define STAR_SMALL_MAX ((INT64_C(1) << 51) - 1)

static inline bool star_is_small(star_value value) {
    return value.bits > STAR_INT_FLOOR;
}
static inline int64_t star_small(star_value value) {
    return (int64_t)(value.bits - STAR_INT_ZERO);
}
static inline bool star_small_fits(int64_t number) {
    return (uint64_t)number + (uint64_t)STAR_SMALL_MAX <= 2 * (uint64_t)STAR_SMALL_MAX;
}
static inline star_value star_from_small(int64_t number) {
    return (star_value){STAR_INT_ZERO + (uint64_t)number};
}
static inline bool star_is_float(star_value value) {
    // Positive doubles and NaN, or negative doubles down to -inf.
    return value.bits <= STAR_NAN_WORD ||
           (value.bits >= UINT64_C(0x8000000000000000) && value.bits <= STAR_INT_FLOOR);
}
static inline double star_double(star_value value) {
    double number;
    memcpy(&number, &value.bits, sizeof(number));
    return number;
}
static inline star_value star_from_double(double number) {
    star_value value;
    memcpy(&value.bits, &number, sizeof(number));
    if (number != number) {
        value.bits = STAR_NAN_WORD;
    }
    return value;
}
static inline bool star_is_bool(star_value value) {
    return (value.bits | 1) == STAR_TRUE.bits;
}
static inline bool star_is_object(star_value value) {
    return value.bits >> 48 == STAR_POINTER_TAG >> 48;
}
static inline struct star_object *star_object(star_value value) {
    return (struct star_object *)(uintptr_t)(value.bits & STAR_POINTER_MASK);
}
static inline star_value star_from_object(const void *object) {
    return (star_value){STAR_POINTER_TAG | (uint64_t)(uintptr_t)object};
}
static inline bool star_is_type(star_value value, enum star_object_type type) {
    return star_is_object(value) && star_object(value)->type == type;
}
static inline bool star_is_same(star_value a, star_value b) {
    return a.bits == b.bits;
}
static inline bool star_is_int(star_value value) {
    return star_is_small(value) || star_is_type(value, STAR_OBJECT_BIGINT);
}
static inline bool star_is_string(star_value value) {
    return star_is_type(value, STAR_OBJECT_STRING);
}

#define STAR_AS(type_, value) ((struct type_ *)(void *)star_object(value))
static inline struct star_string *star_as_string(star_value value) {
    return STAR_AS(star_string, value);
}
static inline struct star_list *star_as_list(star_value value) {
    return STAR_AS(star_list, value);
}
static inline struct star_tuple *star_as_tuple(star_value value) {
    return STAR_AS(star_tuple, value);
}
static inline struct star_dict *star_as_dict(star_value value) {
    return STAR_AS(star_dict, value);
}
static inline struct star_set *star_as_set(star_value value) {
    return STAR_AS(star_set, value);
}
static inline struct star_range *star_as_range(star_value value) {
    return STAR_AS(star_range, value);
}
static inline struct star_bigint *star_as_bigint(star_value value) {
    return STAR_AS(star_bigint, value);
}
static inline struct star_host_object *star_as_host(star_value value) {
    return STAR_AS(star_host_object, value);
}
extern const uint8_t star_kinds[]; // by type of object
// star_kind, inlined.
static inline enum star_kind star_kind_of(star_value value) {
    if (star_is_object(value)) {
        return (enum star_kind)star_kinds[star_object(value)->type];
    }
    return star_is_small(value)   ? STAR_KIND_INT
           : star_is_float(value) ? STAR_KIND_FLOAT
           : star_is_bool(value)  ? STAR_KIND_BOOL
                                  : STAR_KIND_NONE;
}
// Content of a string or bytes.
static inline str star_text_of(star_value value) {
    const struct star_string *string = star_as_string(value);
    return (str){string->data, string->size};
}

#endif
