// Making, resetting and freeing a thread context; its limits and the slow path of the step counter.

#include "starlark/thread.h"

#include <stdlib.h>
#include <sys/auxv.h>
#include <time.h>

#include "starlark/code.h"
#include "starlark/shape.h"

enum { COLLECT_AFTER_BYTES = 8 * 1024 * 1024 };

static void *system_allocate(void *user, void *memory, size_t old_size, size_t size) {
    (void)user;
    (void)old_size;
    if (size == 0) {
        free(memory);
        return NULL;
    }
    return realloc(memory, size);
}

static int64_t system_monotonic_us(void *user) {
    (void)user;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

uint64_t star_process_seed(void) {
    // The kernel gives every process 16 random bytes.
    uint64_t seed = UINT64_C(0x9E3779B97F4A7C15);
    const unsigned long address = getauxval(AT_RANDOM);
    if (address != 0) {
        const void *random = (const void *)(uintptr_t)address; // NOLINT: an address from the kernel
        memcpy(&seed, random, sizeof(seed));
    }
    return seed;
}

void *star_thread_memory_grow(struct star_thread *thread, void *memory, size_t old_size,
                              size_t size) {
    return thread->heap.allocate(thread->heap.allocate_user, memory, old_size, size);
}

static void memory_free(struct star_thread *thread, void *memory, size_t size) {
    if (memory != NULL) {
        star_thread_memory_grow(thread, memory, size, 0);
    }
}

struct star_thread *star_thread_new(const struct star_thread_options *options) {
    const struct star_thread_options none = {.limits = STAR_LIMITS_DEFAULT};
    const struct star_thread_options *chosen = options != NULL ? options : &none;
    void *(*allocate)(void *, void *, size_t, size_t) =
        chosen->allocate != NULL ? chosen->allocate : system_allocate;
    struct star_thread *thread = allocate(chosen->allocate_user, NULL, 0, sizeof(*thread));
    if (thread == NULL) {
        return NULL;
    }
    memset(thread, 0, sizeof(*thread));
    const size_t collect_at = chosen->collect_after_bytes != 0 ? chosen->collect_after_bytes
                                                               : (size_t)COLLECT_AFTER_BYTES;
    star_heap_init(&thread->heap, allocate, chosen->allocate_user);
    thread->heap.thread = thread;
    thread->heap.collect_at = thread->heap.collect_minimum = collect_at;
    star_heap_init(&thread->pinned, allocate, chosen->allocate_user);
    thread->pinned.new_flags = STAR_FLAG_FROZEN | STAR_FLAG_PINNED;
    thread->hash_seed = star_process_seed();
    thread->print = chosen->print;
    thread->print_user = chosen->print_user;
    thread->user = chosen->user;
    thread->monotonic_us =
        chosen->monotonic_us != NULL ? chosen->monotonic_us : system_monotonic_us;
    thread->clock_user = chosen->clock_user;
    thread->deadline_us = INT64_MAX;
    atomic_init(&thread->cancelled, false);
    star_thread_set_limits(thread, &chosen->limits);
    return thread;
}

bool star_thread_stacks(struct star_thread *thread) {
    const uint32_t depth = thread->limits.depth;
    const uint32_t capacity = depth != 0 && depth < STAR_FRAMES_MAX ? depth : STAR_FRAMES_MAX;
    if (thread->frames != NULL && thread->frame_capacity < capacity && thread->frame_count == 0) {
        memory_free(thread, thread->frames, thread->frame_capacity * sizeof(*thread->frames));
        thread->frames = NULL;
    }
    if (thread->frames == NULL) {
        thread->frames =
            star_thread_memory_grow(thread, NULL, 0, capacity * sizeof(struct star_call_frame));
        thread->frame_capacity = capacity;
    }
    thread->frame_limit = capacity < thread->frame_capacity ? capacity : thread->frame_capacity;
    if (thread->stack == NULL) {
        thread->stack =
            star_thread_memory_grow(thread, NULL, 0, STAR_STACK_VALUES * sizeof(star_value));
        thread->stack_end = thread->stack == NULL ? NULL : thread->stack + STAR_STACK_VALUES;
        thread->stack_top = thread->stack_used = thread->stack;
    }
    if (thread->frames != NULL && thread->stack != NULL) {
        return true;
    }
    memory_free(thread, thread->frames, thread->frame_capacity * sizeof(*thread->frames));
    memory_free(thread, thread->stack, STAR_STACK_VALUES * sizeof(star_value));
    thread->frames = NULL;
    thread->stack = thread->stack_end = thread->stack_top = thread->stack_used = NULL;
    star_fail_memory(thread, false);
    return false;
}

static void handles_drop(struct star_thread *thread) {
    for (struct star_handle *handle = thread->handles; handle != NULL; handle = handle->next) {
        handle->value = STAR_NONE;
    }
}

void star_thread_reset(struct star_thread *thread) {
    handles_drop(thread);
    star_heap_clear(&thread->heap);
    thread->frame_count = 0;
    thread->guard_count = 0;
    thread->native_depth = thread->reentry_depth = thread->recursion = 0;
    thread->stack_top = thread->stack_used = thread->stack;
    thread->active_native = NULL;
    atomic_store(&thread->cancelled, false);
    star_error_clear(thread);
}

void star_thread_free(struct star_thread *thread) {
    if (thread == NULL) {
        return;
    }
    star_thread_reset(thread);
    while (thread->handles != NULL) {
        star_handle_free(thread->handles);
    }
    memory_free(thread, thread->stack, STAR_STACK_VALUES * sizeof(star_value));
    memory_free(thread, thread->frames, thread->frame_capacity * sizeof(*thread->frames));
    memory_free(thread, thread->guards, thread->guard_capacity * sizeof(star_value));
    memory_free(thread, thread->interned, (thread->interned_mask + 1UL) * sizeof(star_value));
    for (uint32_t i = 0; thread->code_caches != NULL && i <= thread->code_cache_mask; i++) {
        const struct star_code_caches *entry = &thread->code_caches[i];
        if (entry->code != NULL) {
            memory_free(thread, entry->caches, entry->code->cache_count * sizeof(union star_cache));
        }
    }
    memory_free(thread, thread->code_caches,
                (thread->code_cache_mask + 1UL) * sizeof(struct star_code_caches));
    for (uint32_t i = 0; i < thread->kept_count; i++) {
        star_program_free(thread->kept_programs[i]);
    }
    memory_free(thread, thread->kept_programs,
                thread->kept_capacity * sizeof(struct star_program *));
    star_heap_clear(&thread->pinned);
    star_heap_trim(&thread->heap);
    thread->heap.allocate(thread->heap.allocate_user, thread, sizeof(*thread), 0);
}

void *star_thread_user(const struct star_thread *thread) {
    return thread->user;
}

void star_thread_set_user(struct star_thread *thread, void *user) {
    thread->user = user;
}

// ---- limits -------------------------------------------------------------------------------------

static uint64_t steps_done(const struct star_thread *thread) {
    return thread->steps_before + (uint64_t)(thread->slice - thread->budget);
}

uint64_t star_thread_steps(const struct star_thread *thread) {
    return steps_done(thread);
}

size_t star_thread_memory(const struct star_thread *thread) {
    return thread->heap.used_bytes;
}

static void slice_begin(struct star_thread *thread) {
    thread->steps_before = steps_done(thread);
    uint64_t slice = thread->sample != NULL ? thread->sample_steps : STAR_SLICE_STEPS;
    if (thread->limits.steps != 0) {
        const uint64_t left = thread->steps_before < thread->limits.steps
                                  ? thread->limits.steps - thread->steps_before
                                  : 0;
        slice = left < slice ? left + 1 : slice;
    }
    thread->slice = thread->budget = (int64_t)slice;
}

void star_thread_set_limits(struct star_thread *thread, const struct star_limits *limits) {
    thread->limits = *limits;
    thread->heap.limit_bytes = limits->memory_bytes == 0 ? SIZE_MAX : limits->memory_bytes;
    if (thread->heap.limit_bytes / 2 < thread->heap.collect_at) {
        thread->heap.collect_at = thread->heap.limit_bytes / 2;
    }
    thread->slice = thread->budget = 0;
    thread->steps_before = 0;
    slice_begin(thread);
    if (thread->frame_count == 0 && thread->frames != NULL) {
        thread->frame_limit = 0; // the next call sets it
    }
}

void star_thread_cancel(struct star_thread *thread) {
    atomic_store_explicit(&thread->cancelled, true, memory_order_relaxed);
}

bool star_thread_is_cancelled(const struct star_thread *thread) {
    return atomic_load_explicit(&thread->cancelled, memory_order_relaxed);
}

void star_thread_sample(struct star_thread *thread, uint32_t steps,
                        void (*sample)(void *user, struct star_thread *thread), void *user) {
    thread->sample = sample;
    thread->sample_user = user;
    thread->sample_steps = steps < STAR_SLICE_STEPS ? steps : STAR_SLICE_STEPS;
    slice_begin(thread);
}

static bool fail_time(struct star_thread *thread) {
    star_fail_host(thread, STAR_LIMIT, 0, "time limit of %.3f seconds exceeded",
                   (double)thread->limits.time_us / 1e6);
    return false;
}

bool star_thread_tick(struct star_thread *thread, bool may_collect) {
    slice_begin(thread);
    if (thread->sample != NULL) {
        thread->sample(thread->sample_user, thread);
    }
    if (star_thread_is_cancelled(thread)) {
        star_fail_host(thread, STAR_CANCELLED, 0, "cancelled");
        return false;
    }
    if (thread->limits.steps != 0 && thread->steps_before > thread->limits.steps) {
        star_fail_host(thread, STAR_LIMIT, 0, "step limit of %llu exceeded",
                       (unsigned long long)thread->limits.steps);
        return false;
    }
    if (thread->deadline_us != INT64_MAX &&
        thread->monotonic_us(thread->clock_user) > thread->deadline_us) {
        return fail_time(thread);
    }
    if (may_collect && thread->native_depth == 0 &&
        thread->heap.used_bytes > thread->heap.collect_at) {
        star_collect(thread);
    }
    return true;
}

bool star_charge(struct star_thread *thread, uint64_t steps) {
    // A huge charge must not wrap the counter.
    while (steps > STAR_SLICE_STEPS) {
        thread->budget -= STAR_SLICE_STEPS;
        steps -= STAR_SLICE_STEPS;
        if (thread->budget <= 0 && !star_thread_tick(thread, false)) {
            return false;
        }
    }
    thread->budget -= (int64_t)steps;
    return thread->budget > 0 || star_thread_tick(thread, false);
}

bool star_charge_ahead(struct star_thread *thread, uint64_t steps) {
    const uint64_t work_us =
        steps > UINT64_MAX / STAR_STEP_NS ? UINT64_MAX / 1000 : steps * STAR_STEP_NS / 1000;
    if (thread->deadline_us != INT64_MAX && work_us > 0) {
        const int64_t left_us = thread->deadline_us - thread->monotonic_us(thread->clock_user);
        if (left_us < 0 || work_us > (uint64_t)left_us) {
            return fail_time(thread);
        }
    }
    return star_charge(thread, steps);
}

// ---- inline caches ------------------------------------------------------------------------------

static uint32_t code_slot(const struct star_thread *thread, const struct star_code *code) {
    const uint64_t mixed = (uint64_t)(uintptr_t)code * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(mixed >> 40) & thread->code_cache_mask;
}

static bool keep_program(struct star_thread *thread, struct star_program *program) {
    // The thread's own program (constants being made) needs no keeping.
    for (uint32_t i = 0; i < thread->kept_count; i++) {
        if (thread->kept_programs[i] == program) {
            return true;
        }
    }
    if (thread->kept_count == thread->kept_capacity) {
        const uint32_t capacity = thread->kept_capacity == 0 ? 8 : thread->kept_capacity * 2;
        struct star_program **kept = star_thread_memory_grow(thread, thread->kept_programs,
                                                             thread->kept_capacity * sizeof(*kept),
                                                             capacity * sizeof(*kept));
        if (kept == NULL) {
            return false;
        }
        thread->kept_programs = kept;
        thread->kept_capacity = capacity;
    }
    thread->kept_programs[thread->kept_count++] = star_program_keep(program);
    return true;
}

static bool code_caches_grow(struct star_thread *thread) {
    const uint32_t old_mask = thread->code_cache_mask;
    struct star_code_caches *old = thread->code_caches;
    const uint32_t mask = old == NULL ? 63 : old_mask * 2 + 1;
    struct star_code_caches *fresh =
        star_thread_memory_grow(thread, NULL, 0, (mask + 1UL) * sizeof(*fresh));
    if (fresh == NULL) {
        return false;
    }
    memset(fresh, 0, (mask + 1UL) * sizeof(*fresh));
    thread->code_caches = fresh;
    thread->code_cache_mask = mask;
    for (uint32_t i = 0; old != NULL && i <= old_mask; i++) {
        if (old[i].code != NULL) {
            uint32_t slot = code_slot(thread, old[i].code);
            while (fresh[slot].code != NULL) {
                slot = (slot + 1) & mask;
            }
            fresh[slot] = old[i];
        }
    }
    memory_free(thread, old, (old_mask + 1UL) * sizeof(*old));
    return true;
}

union star_cache *star_thread_caches(struct star_thread *thread, const struct star_code *code) {
    if (thread->code_caches != NULL) {
        for (uint32_t slot = code_slot(thread, code); thread->code_caches[slot].code != NULL;
             slot = (slot + 1) & thread->code_cache_mask) {
            if (thread->code_caches[slot].code == code) {
                return thread->code_caches[slot].caches;
            }
        }
    }
    union star_cache *caches = NULL;
    const size_t bytes = code->cache_count * sizeof(*caches);
    if ((thread->code_caches != NULL && thread->code_cache_count * 2 <= thread->code_cache_mask) ||
        code_caches_grow(thread)) {
        if (keep_program(thread, code->program)) {
            caches = star_thread_memory_grow(thread, NULL, 0, bytes);
        }
    }
    if (caches == NULL) {
        star_fail_memory(thread, false);
        return NULL;
    }
    memset(caches, 0, bytes);
    uint32_t slot = code_slot(thread, code);
    while (thread->code_caches[slot].code != NULL) {
        slot = (slot + 1) & thread->code_cache_mask;
    }
    thread->code_caches[slot] = (struct star_code_caches){code, caches};
    thread->code_cache_count++;
    return caches;
}

// ---- handles ------------------------------------------------------------------------------------

struct star_handle *star_handle_new(struct star_thread *thread, star_value value) {
    struct star_handle *handle = star_thread_memory_grow(thread, NULL, 0, sizeof(*handle));
    if (handle == NULL) {
        star_fail_memory(thread, false);
        return NULL;
    }
    *handle = (struct star_handle){.next = thread->handles, .thread = thread, .value = value};
    if (thread->handles != NULL) {
        thread->handles->previous = handle;
    }
    thread->handles = handle;
    return handle;
}

star_value star_handle_value(const struct star_handle *handle) {
    return handle->value;
}

void star_handle_free(struct star_handle *handle) {
    if (handle == NULL) {
        return;
    }
    if (handle->previous != NULL) {
        handle->previous->next = handle->next;
    } else {
        handle->thread->handles = handle->next;
    }
    if (handle->next != NULL) {
        handle->next->previous = handle->previous;
    }
    memory_free(handle->thread, handle, sizeof(*handle));
}
