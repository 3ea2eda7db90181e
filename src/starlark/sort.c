// Powersort: natural runs, merged in the order of a nearly optimal tree (Munro and Wild, 2018).
//
// What is sorted are slots of 16 bytes: a word made of the key, and the number of the item.  When
// all keys are small ints or floats the word alone decides; when all are strings it is their first
// 8 bytes, and the rest of the string only decides between equal words; when all are tuples it is
// the word of their first items, if these are all of one such type.  Equal words of tuples, and all
// other keys, are compared as the language compares.  One inlined kernel serves the three.

#include "starlark/sort.h"

#include "starlark/operators.h"

#include <string.h>

enum { RUN_MIN = 24, RUN_STACK_MAX = 70, COMPARISONS_PER_CHARGE = 4096 };

struct slot {
    uint64_t word;
    uint32_t item;
};

_Static_assert(sizeof(struct slot) >= sizeof(star_value), "the spare can hold values");

enum key_class { KEYS_WORD, KEYS_STRING, KEYS_ANY };

struct sort {
    struct star_thread *thread;
    const star_value *keys;
    struct slot *slots;
    struct slot *spare; // as many
    bool reverse;
    bool failed;
    uint32_t comparisons;
};

// ---------------------------------------------------------------------------------------------
// Words

static uint64_t word_of_double(double number) {
    uint64_t bits = 0;
    number = number == 0 ? 0.0 : number; // -0.0 equals 0.0
    memcpy(&bits, &number, sizeof(bits));
    const uint64_t sign = UINT64_C(1) << 63;
    return (bits & sign) != 0 ? ~bits : bits | sign;
}

static uint64_t word_of_string(str text) {
    unsigned char bytes[8] = {0};
    memcpy(bytes, text.data, text.size < 8 ? text.size : 8);
    uint64_t word = 0;
    for (size_t i = 0; i < 8; i++) {
        word = (word << 8) | bytes[i];
    }
    return word;
}

static bool all_are(const star_value *keys, size_t count, bool (*test)(star_value)) {
    for (size_t i = 0; i < count; i++) {
        if (!test(keys[i])) {
            return false;
        }
    }
    return true;
}

static bool is_filled_tuple(star_value value) {
    return star_is_type(value, STAR_OBJECT_TUPLE) && star_as_tuple(value)->count > 0;
}

// Writes the words of `values` and says how far they decide; all 0 when they do not at all.
static enum key_class words_of(const star_value *values, size_t count, struct slot *slots) {
    const bool strings = all_are(values, count, star_is_string);
    const bool smalls = !strings && all_are(values, count, star_is_small);
    const bool floats = !strings && !smalls && all_are(values, count, star_is_float);
    for (size_t i = 0; i < count; i++) {
        slots[i].word = strings  ? word_of_string(star_text_of(values[i]))
                        : smalls ? (uint64_t)star_small(values[i]) ^ (UINT64_C(1) << 63)
                        : floats ? word_of_double(star_double(values[i]))
                                 : 0;
    }
    return strings ? KEYS_STRING : smalls || floats ? KEYS_WORD : KEYS_ANY;
}

// Fills in the slots.
static enum key_class slots_fill(struct sort *sort, size_t count) {
    for (size_t i = 0; i < count; i++) {
        sort->slots[i].item = (uint32_t)i;
    }
    if (!all_are(sort->keys, count, is_filled_tuple)) {
        return words_of(sort->keys, count, sort->slots);
    }
    star_value *heads = (star_value *)(void *)sort->spare;
    for (size_t i = 0; i < count; i++) {
        heads[i] = star_as_tuple(sort->keys[i])->items[0];
    }
    words_of(heads, count, sort->slots);
    return KEYS_ANY;
}

// ---------------------------------------------------------------------------------------------
// The kernel; `keys` is a constant in each of its three uses

static bool less_any(struct sort *sort, const struct slot *a, const struct slot *b) {
    bool result = false;
    if (!sort->failed &&
        !star_compare(sort->thread, STAR_LESS, sort->keys[a->item], sort->keys[b->item], &result)) {
        sort->failed = true;
    }
    return result && !sort->failed;
}

static inline bool less_up(struct sort *sort, const struct slot *a, const struct slot *b,
                           enum key_class keys) {
    if (a->word != b->word || keys == KEYS_WORD) {
        return a->word < b->word;
    }
    if (keys == KEYS_ANY) {
        return less_any(sort, a, b);
    }
    return str_compare(star_text_of(sort->keys[a->item]), star_text_of(sort->keys[b->item])) < 0;
}

static inline bool less(struct sort *sort, const struct slot *a, const struct slot *b,
                        enum key_class keys) {
    if (++sort->comparisons == COMPARISONS_PER_CHARGE) {
        sort->comparisons = 0;
        if (!sort->failed && !star_charge(sort->thread, COMPARISONS_PER_CHARGE)) {
            sort->failed = true;
        }
    }
    return sort->reverse ? less_up(sort, b, a, keys) : less_up(sort, a, b, keys);
}

static void slots_reverse(struct slot *slots, size_t count) {
    for (size_t i = 0, j = count; i + 1 < j; i++) {
        j--;
        const struct slot swap = slots[i];
        slots[i] = slots[j];
        slots[j] = swap;
    }
}

// slots[0..sorted) is in order; brings in the rest up to `count`.
static inline void insert_rest(struct sort *sort, struct slot *slots, size_t sorted, size_t count,
                               enum key_class keys) {
    for (size_t i = sorted; i < count && !sort->failed; i++) {
        const struct slot slot = slots[i];
        size_t low = 0;
        size_t high = i;
        while (low < high) {
            const size_t middle = low + (high - low) / 2;
            if (less(sort, &slot, &slots[middle], keys)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        memmove(slots + low + 1, slots + low, (i - low) * sizeof(slot));
        slots[low] = slot;
    }
}

// The length of the run at the start, in ascending order afterwards.
static inline size_t run_take(struct sort *sort, struct slot *slots, size_t count,
                              enum key_class keys) {
    size_t length = count < 2 ? count : 2;
    if (count >= 2 && less(sort, &slots[1], &slots[0], keys)) {
        while (length < count && less(sort, &slots[length], &slots[length - 1], keys)) {
            length++;
        }
        slots_reverse(slots, length); // strictly descending, so equal items keep their order
    } else {
        while (length < count && !less(sort, &slots[length], &slots[length - 1], keys)) {
            length++;
        }
    }
    const size_t wanted = count < RUN_MIN ? count : RUN_MIN;
    if (length < wanted) {
        insert_rest(sort, slots, length, wanted, keys);
        length = wanted;
    }
    return length;
}

// Merges slots[0..left) and slots[left..count) through the spare.
static inline void merge(struct sort *sort, struct slot *slots, size_t left, size_t count,
                         enum key_class keys) {
    if (sort->failed || !less(sort, &slots[left], &slots[left - 1], keys)) {
        return;
    }
    struct slot *spare = sort->spare;
    memcpy(spare, slots, left * sizeof(*slots));
    size_t i = 0;    // in the spare: the left run
    size_t j = left; // in place: the right run
    size_t out = 0;
    while (i < left && j < count) {
        if (less(sort, &slots[j], &spare[i], keys)) {
            slots[out++] = slots[j++];
        } else {
            slots[out++] = spare[i++];
        }
    }
    memcpy(slots + out, spare + i, (left - i) * sizeof(*slots));
}

struct run {
    size_t start;
    size_t length;
    int power;
};

// Depth at which the nearly optimal merge tree joins two neighbouring runs.
static int run_power(const struct run *a, size_t next_length, size_t count) {
    size_t left = 2 * a->start + a->length;
    size_t right = left + a->length + next_length;
    int power = 0;
    while (true) {
        power++;
        if (left >= count) {
            left -= count;
            right -= count;
        } else if (right >= count) {
            return power;
        }
        left *= 2;
        right *= 2;
    }
}

static inline __attribute__((always_inline)) void sort_runs(struct sort *sort, size_t count,
                                                            enum key_class keys) {
    struct run stack[RUN_STACK_MAX];
    size_t depth = 0;
    size_t start = 0;
    while (start < count && !sort->failed) {
        const size_t length = run_take(sort, sort->slots + start, count - start, keys);
        if (depth > 0) {
            const int power = run_power(&stack[depth - 1], length, count);
            while (depth > 1 && stack[depth - 2].power > power) {
                struct run *below = &stack[depth - 2];
                merge(sort, sort->slots + below->start, below->length,
                      below->length + stack[depth - 1].length, keys);
                below->length += stack[depth - 1].length;
                depth--;
            }
            stack[depth - 1].power = power;
        }
        stack[depth++] = (struct run){.start = start, .length = length};
        start += length;
    }
    while (depth > 1) {
        struct run *below = &stack[depth - 2];
        merge(sort, sort->slots + below->start, below->length,
              below->length + stack[depth - 1].length, keys);
        below->length += stack[depth - 1].length;
        depth--;
    }
}

static void sort_words(struct sort *sort, size_t count) {
    sort_runs(sort, count, KEYS_WORD);
}

static void sort_strings(struct sort *sort, size_t count) {
    sort_runs(sort, count, KEYS_STRING);
}

static void sort_any(struct sort *sort, size_t count) {
    sort_runs(sort, count, KEYS_ANY);
}

// Puts items[slots[i].item] at i; the spare slots are big enough to hold a copy of the items.

static void items_arrange(const struct sort *sort, star_value *items, size_t count) {
    star_value *copy = (star_value *)(void *)sort->spare;
    memcpy(copy, items, count * sizeof(*items));
    for (size_t i = 0; i < count; i++) {
        items[i] = copy[sort->slots[i].item];
    }
}

bool sort_values(struct star_thread *thread, star_value *items, const star_value *keys,
                 size_t count, bool reverse) {
    if (count < 2) {
        return true;
    }
    if (count > SORT_ITEMS_MAX) {
        star_fail(thread, "sorted: too many items");
        return false;
    }
    struct star_heap *heap = star_thread_heap(thread);
    const size_t bytes = 2 * count * sizeof(struct slot);
    struct slot *memory = star_buffer_alloc(heap, bytes);
    if (memory == NULL) {
        return false;
    }
    struct sort sort = {.thread = thread,
                        .keys = keys,
                        .slots = memory,
                        .spare = memory + count,
                        .reverse = reverse};
    switch (slots_fill(&sort, count)) {
    case KEYS_WORD:
        sort_words(&sort, count);
        break;
    case KEYS_STRING:
        sort_strings(&sort, count);
        break;
    case KEYS_ANY:
        sort_any(&sort, count);
        break;
    }
    if (!sort.failed) {
        items_arrange(&sort, items, count);
    }
    star_buffer_free(heap, memory, bytes);
    return !sort.failed && star_charge(thread, sort.comparisons);
}
