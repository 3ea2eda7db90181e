// A stack with an index.  Since the last to enter is the first to leave, a slot is freed by
// clearing it: no other entry was put behind it meanwhile.  That also holds after a growth, which
// puts the entries in again in the order of the stack.
#include "starlark/ancestors.h"

#include "starlark/thread.h"

void ancestors_init(struct ancestors *ancestors, struct star_thread *thread) {
    ancestors->thread = thread;
    ancestors->stack = ancestors->few;
    ancestors->count = 0;
    ancestors->capacity = ANCESTORS_FEW;
    ancestors->slots = NULL;
    ancestors->mask = 0;
}

static void memory_free(struct ancestors *ancestors, uint64_t *memory, size_t count) {
    if (memory != NULL && memory != ancestors->few) {
        star_thread_memory_grow(ancestors->thread, memory, count * sizeof(*memory), 0);
    }
}

void ancestors_done(struct ancestors *ancestors) {
    memory_free(ancestors, ancestors->stack, ancestors->capacity);
    memory_free(ancestors, ancestors->slots, ancestors->mask + 1UL);
}

// The slot that holds the word, or the free one where it belongs.
static uint64_t *slot_of(const struct ancestors *ancestors, uint64_t word) {
    uint32_t slot = (uint32_t)(word * UINT64_C(0x9E3779B97F4A7C15) >> 32) & ancestors->mask;
    while (ancestors->slots[slot] != 0 && ancestors->slots[slot] != word) {
        slot = (slot + 1) & ancestors->mask;
    }
    return &ancestors->slots[slot];
}

static bool grow(struct ancestors *ancestors) {
    const uint32_t capacity = ancestors->capacity * 2;
    const uint32_t mask = ancestors->slots == NULL ? 127 : ancestors->mask * 2 + 1;
    uint64_t *stack =
        star_thread_memory_grow(ancestors->thread, NULL, 0, capacity * sizeof(*stack));
    uint64_t *slots =
        star_thread_memory_grow(ancestors->thread, NULL, 0, (mask + 1UL) * sizeof(*slots));
    if (stack == NULL || slots == NULL) {
        memory_free(ancestors, stack, capacity);
        memory_free(ancestors, slots, mask + 1UL);
        star_fail_memory(ancestors->thread, false);
        return false;
    }
    memcpy(stack, ancestors->stack, ancestors->count * sizeof(*stack));
    memset(slots, 0, (mask + 1UL) * sizeof(*slots));
    ancestors_done(ancestors);
    ancestors->stack = stack;
    ancestors->capacity = capacity;
    ancestors->slots = slots;
    ancestors->mask = mask;
    for (uint32_t i = 0; i < ancestors->count; i++) {
        *slot_of(ancestors, stack[i]) = stack[i];
    }
    return true;
}

static bool is_inside(const struct ancestors *ancestors, uint64_t word) {
    if (ancestors->slots != NULL) {
        return *slot_of(ancestors, word) == word;
    }
    for (uint32_t i = ancestors->count; i > 0; i--) {
        if (ancestors->stack[i - 1] == word) {
            return true;
        }
    }
    return false;
}

enum ancestors_result ancestors_enter(struct ancestors *ancestors, star_value container) {
    const uint64_t word = container.bits;
    if (is_inside(ancestors, word)) {
        return ANCESTORS_CYCLE;
    }
    if (ancestors->count == ancestors->capacity && !grow(ancestors)) {
        return ANCESTORS_FAILED;
    }
    ancestors->stack[ancestors->count++] = word;
    if (ancestors->slots != NULL) {
        *slot_of(ancestors, word) = word;
    }
    return ANCESTORS_ENTERED;
}

void ancestors_leave(struct ancestors *ancestors) {
    const uint64_t word = ancestors->stack[--ancestors->count];
    if (ancestors->slots != NULL) {
        *slot_of(ancestors, word) = 0;
    }
}
