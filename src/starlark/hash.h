#ifndef STARLARK_HASH_H
#define STARLARK_HASH_H

// Hashes of values as dicts and sets use them (not the `hash` of the language, which is specified).
//
// Equal values hash alike, whatever their form: 1, 1.0; a string of any origin.  The 32 bits depend
// on a seed of the process, so that nobody outside can choose keys that collide.

#include "starlark/dict.h"
#include "starlark/numbers.h"
#include "starlark/sequence.h"
#include "starlark/thread.h"

// Spreads a word over 32 bits.
static inline uint32_t star_scatter(const struct star_thread *thread, uint64_t word) {
    const __uint128_t product =
        (__uint128_t)(word ^ thread->hash_seed) * UINT64_C(0x9E3779B97F4A7C15);
    const uint64_t folded = (uint64_t)product ^ (uint64_t)(product >> 64);
    return (uint32_t)(folded ^ folded >> 32);
}

// What star_hash does for all but small ints and strings.
bool star_hash_slow(struct star_thread *thread, star_value value, uint32_t *hash);

// false after star_fail ("unhashable type: list").
static inline bool star_hash(struct star_thread *thread, star_value value, uint32_t *hash) {
    if (star_is_small(value)) {
        *hash = star_scatter(thread, star_small_hash(star_small(value)));
        return true;
    }
    if (star_is_string(value)) {
        struct star_string *string = star_as_string(value);
        *hash = string->hash != 0 ? string->hash : star_string_hash(thread, string);
        return true;
    }
    return star_hash_slow(thread, value, hash);
}

// Where a table looks for a key first.  Ints that follow each other lie side by side there, as ids
// do in programs: no collisions, and memory is read in order.  Crafted ints can share a first slot,
// but the slots behind it (by the hash) they cannot choose.
uint32_t star_first_slot_of_double(double number, uint32_t hash);
static inline uint32_t star_first_slot(star_value key, uint32_t hash) {
    if (star_is_small(key)) {
        return (uint32_t)key.bits;
    }
    return star_is_float(key) ? star_first_slot_of_double(star_double(key), hash) : hash;
}

#endif
