#ifndef STARLARK_THREAD_H
#define STARLARK_THREAD_H

// What a thread context holds; for the core's own files (heap, dict, vm, call, module, error).
//
// Steps: `budget` counts down at backward jumps and calls.  At 0 the slow path (star_thread_tick)
// looks at the cancel flag, the step and time limits and whether a collection is due; anything that
// wants the VM's attention sets it to 0 (star_thread_wake).

#include <stdatomic.h>

#include "base/arena.h"
#include "starlark/dict.h"
#include "starlark/heap.h"
#include "starlark/trace.h"

enum {
    STAR_STACK_VALUES = 1 << 20, // registers of a thread; 8 MiB of address space
    STAR_STEP_NS = 5,            // what a charged step stands for
    STAR_SLICE_STEPS = 20000,    // between two looks at flags and limits: well below 1 ms
    STAR_FRAMES_MAX = 1 << 17,   // frames without a depth limit
    STAR_REENTRY_MAX = 160,      // VM loops on the C stack (callbacks from native code)
    STAR_MESSAGE_RESERVE = 512,  // bytes of a message when memory is out
};

// One active Starlark call.
struct star_call_frame {
    const struct star_code *code;
    struct star_function_object *function;
    star_value *base;                  // register 0
    const uint64_t *pc;                // next instruction; saved when something is called or fails
    union star_cache *caches;          // of `code`, in this thread
    const struct star_builtin *native; // the native function that called this frame; NULL: Starlark
    struct star_module *module;
    uint32_t guards; // iteration guards held when the frame was entered (thread->guard_count)
    uint32_t result; // register of the caller that gets the result
};

// Inline cache of one instruction.
union star_cache {
    struct {
        const struct star_shape *shape;
        uint32_t slot;
    } dict;
    struct {
        const void *type; // builtin type id or struct star_type
        const struct star_builtin *method;
    } method;
};

struct star_code_caches {
    const struct star_code *code;
    union star_cache *caches;
};

struct star_thread {
    struct star_heap heap;
    int64_t budget;
    int64_t slice; // what budget started from
    uint64_t steps_before;
    atomic_bool cancelled;

    star_value *stack;
    star_value *stack_end;
    star_value *stack_used; // nothing was written at or above it since the last collection
    star_value *stack_top;  // first register above the innermost active window
    struct star_call_frame *frames;
    uint32_t frame_count;
    uint32_t frame_capacity;  // they never move while one is active
    uint32_t frame_limit;     // depth limit, at most the capacity
    uint32_t native_depth;    // native functions active: no collection
    uint32_t reentry_depth;   // VM loops active
    uint32_t recursion;       // star_enter
    uintptr_t recursion_base; // address on the C stack of the outermost star_enter
    const struct star_builtin *active_native;

    // Containers with an iteration guard held by loops of the VM, innermost last.
    star_value *guards;
    uint32_t guard_count;
    uint32_t guard_capacity;

    // Pinned memory: shapes, interned strings.  Lives as long as the thread.
    struct star_heap pinned;
    struct star_shape *root_shape;
    struct star_shape *shapes; // all shapes with a key vector given at once, by `next_sibling`
    uint32_t shape_count;
    star_value *interned; // open addressing
    uint32_t interned_count;
    uint32_t interned_mask;
    uint64_t hash_seed;

    struct star_code_caches *code_caches; // open addressing by code
    uint32_t code_cache_count;
    uint32_t code_cache_mask;
    struct star_program **kept_programs; // whose codes have caches here
    uint32_t kept_count;
    uint32_t kept_capacity;

    struct star_handle *handles;
    struct star_module *running; // innermost module whose top level runs: its globals are roots

    uint32_t sample_steps; // between two calls of `sample`
    void (*sample)(void *user, struct star_thread *thread);
    void *sample_user;

    struct star_limits limits;
    int64_t deadline_us; // INT64_MAX: none
    void (*print)(void *user, const char *text, size_t size);
    void *print_user;
    void *user;
    int64_t (*monotonic_us)(void *user);
    void *clock_user;

    struct {
        struct star_error public;
        bool is_set;
        bool is_traced;
        char *message; // malloc'ed; or `reserve`
        size_t message_capacity;
        char reserve[STAR_MESSAGE_RESERVE];
        char hint[256];
        struct star_frame frames[TRACE_FRAMES_MAX];
        uint32_t more[TRACE_FRAMES_MAX];
        struct arena_supply supply;
        struct arena arena; // of star_thread_error_text
    } error;
};

struct star_handle {
    struct star_handle *next;
    struct star_handle *previous;
    struct star_thread *thread;
    star_value value;
};

// Memory of the thread that is no heap object (stacks, caches); counted to nothing.
void *star_thread_memory_grow(struct star_thread *thread, void *memory, size_t old_size,
                              size_t size);
// Makes registers and frames on first use.
bool star_thread_stacks(struct star_thread *thread);
// Makes the VM call star_thread_tick at the next backward jump or call.
static inline void star_thread_wake(struct star_thread *thread) {
    thread->slice -= thread->budget;
    thread->budget = 0;
}
// star_charge(thread, 1) for the inner loops of builtins.
static inline bool star_charge_item(struct star_thread *thread) {
    return --thread->budget > 0 || star_charge(thread, 0);
}
// Flags, limits, collection.  `may_collect`: every live value is in registers, frames, handles.
bool star_thread_tick(struct star_thread *thread, bool may_collect);
// As star_charge, before work that cannot be stopped half-way: fails when the deadline would pass
// meanwhile, at STAR_STEP_NS a step.
bool star_charge_ahead(struct star_thread *thread, uint64_t steps);
// Runs the collector now, whatever the thresholds say.
void star_collect(struct star_thread *thread);
void star_error_clear(struct star_thread *thread);
// Fixes the backtrace of the error just set, once.
void star_error_trace(struct star_thread *thread);
// "out of memory" or "memory limit of N bytes exceeded".
void star_fail_memory(struct star_thread *thread, bool is_limit);
// A scratch arena for what is said in messages, on the thread's memory: when that runs out, lists
// and texts drop what has no room (base/arena.h) and the message is shorter.
#define STAR_SCRATCH(name, thread)                                                                 \
    struct arena_supply name##_supply;                                                             \
    arena_supply_init(&name##_supply, (thread)->heap.allocate, (thread)->heap.allocate_user, 0,    \
                      0);                                                                          \
    struct arena name __attribute__((cleanup(arena_done)));                                        \
    arena_init_supplied(&(name), &name##_supply)
union star_cache *star_thread_caches(struct star_thread *thread, const struct star_code *code);

// Runs the innermost frame until only `frame_floor` frames are left; gives its result.
star_value star_vm_run(struct star_thread *thread, uint32_t frame_floor);

// A call by the host: sets the deadline, clears the error, fixes the backtrace.
star_value star_call_from_outside(struct star_thread *thread, star_value function,
                                  const struct star_arguments *arguments);

// Iteration (iterate.c): +1 with an item, 0 at the end, -1 after star_fail.  Lists, dicts and sets
// are guarded by the caller.
int star_step(struct star_thread *thread, star_value source, uint64_t *position, star_value *item);
// Takes a guard unless the container is frozen or has none; says whether it did.
bool star_guard(star_value source);
void star_unguard(star_value source);
// Guards of the VM's loops, released on every way out of a frame.
bool star_guard_push(struct star_thread *thread, star_value source);
void star_guards_release(struct star_thread *thread, uint32_t down_to);

#endif
