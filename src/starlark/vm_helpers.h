#ifndef STARLARK_VM_HELPERS_H
#define STARLARK_VM_HELPERS_H

// What the VM's handlers do when it takes more than a few lines; for vm.c alone.

#include "starlark/call.h"
#include "starlark/code.h"

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

static inline bool star_both_small(star_value a, star_value b) {
    return star_is_small(a) && star_is_small(b);
}

static inline bool star_both_float(star_value a, star_value b) {
    return star_is_float(a) && star_is_float(b);
}

// `a x b` for ints and floats that need no help; false: ask star_vm_compare.
static inline bool star_vm_compare_fast(unsigned comparison, star_value a, star_value b,
                                        bool *result) {
    if (LIKELY(star_both_small(a, b))) {
        // Words of small ints are ordered as the ints are.
        switch (comparison) {
        case STAR_BRANCH_LESS:
            *result = a.bits < b.bits;
            return true;
        case STAR_BRANCH_LESS_EQUAL:
            *result = a.bits <= b.bits;
            return true;
        case STAR_BRANCH_GREATER:
            *result = a.bits > b.bits;
            return true;
        case STAR_BRANCH_GREATER_EQUAL:
            *result = a.bits >= b.bits;
            return true;
        case STAR_BRANCH_EQUAL:
            *result = a.bits == b.bits;
            return true;
        case STAR_BRANCH_NOT_EQUAL:
            *result = a.bits != b.bits;
            return true;
        default:
            return false;
        }
    }
    if (star_both_float(a, b)) {
        const double x = star_double(a);
        const double y = star_double(b);
        if (x != x || y != y) {
            return false;
        }
        switch (comparison) {
        case STAR_BRANCH_LESS:
            *result = x < y;
            return true;
        case STAR_BRANCH_LESS_EQUAL:
            *result = x <= y;
            return true;
        case STAR_BRANCH_GREATER:
            *result = x > y;
            return true;
        case STAR_BRANCH_GREATER_EQUAL:
            *result = x >= y;
            return true;
        case STAR_BRANCH_EQUAL:
            *result = x == y;
            return true;
        case STAR_BRANCH_NOT_EQUAL:
            *result = x != y;
            return true;
        default:
            return false;
        }
    }
    return false;
}

void star_vm_fail_unset(struct star_thread *thread, const char *scope, star_value name);
void star_vm_fail_global(struct star_thread *thread, const struct star_call_frame *frame,
                         uint32_t slot);
void star_vm_fail_predeclared(struct star_thread *thread, const struct star_call_frame *frame,
                              uint32_t index);
star_value star_vm_function(struct star_thread *thread, const struct star_call_frame *frame,
                            const struct star_code *code, const star_value *defaults);
// `x` is an enum star_branch.
bool star_vm_compare(struct star_thread *thread, unsigned x, star_value a, star_value b,
                     bool *result);
// A dict display met for the first time in this thread: finds its shape, or makes a plain dict.
star_value star_vm_dict_first(struct star_thread *thread, union star_cache *cache, star_value keys,
                              const star_value *values);
static inline struct star_dict *star_vm_dict_shaped(struct star_thread *thread,
                                                    const struct star_shape *shape,
                                                    const star_value *values) {
    const uint32_t count = shape->count;
    struct star_dict *dict = star_heap_object(&thread->heap, STAR_OBJECT_DICT,
                                              sizeof(*dict) + count * sizeof(star_value));
    if (dict == NULL) {
        return NULL;
    }
    dict->header.extra = (uint16_t)count;
    dict->iterating = 0;
    dict->count = count;
    dict->shape = shape;
    dict->slots = (star_value *)(dict + 1);
    dict->lazy = NULL;
    for (uint32_t i = 0; i < count; i++) {
        dict->slots[i] = values[i];
    }
    return dict;
}
// Inserting a key that follows the dict's keys as it did the last time; false: the long way.
static inline bool star_vm_insert_fast(struct star_dict *dict, star_value key, star_value value) {
    if (dict->shape == NULL || dict->lazy != NULL || dict->iterating > 0 ||
        (dict->header.flags & (STAR_FLAG_FROZEN | STAR_FLAG_LENT)) ||
        dict->count == dict->header.extra) {
        return false;
    }
    const struct star_shape *next = dict->shape->last_child;
    if (next == NULL || !star_is_same(next->keys[dict->count], key)) {
        return false;
    }
    dict->slots[dict->count++] = value;
    dict->shape = next;
    return true;
}
bool star_vm_key_is_new(struct star_thread *thread, struct star_dict *dict, star_value key);
bool star_vm_unpack(struct star_thread *thread, star_value source, star_value *into,
                    uint32_t count);
// The native method `name` of the object's type; NULL: look the attribute up.
const struct star_builtin *star_vm_method(struct star_thread *thread, union star_cache *cache,
                                          star_value object, star_value name);
// star_vm_method for the objects of builtin types that the cache knows.
static inline const struct star_builtin *star_vm_method_cached(struct star_thread *thread,
                                                               union star_cache *cache,
                                                               star_value object, star_value name) {
    if (star_is_object(object) &&
        cache->method.type == (const void *)(uintptr_t)star_object(object)->type) {
        return cache->method.method;
    }
    return star_vm_method(thread, cache, object, name);
}
// Calls *callee, which is also where the result goes: 0 done, 1 a frame was opened, -1 failed.
int star_vm_call(struct star_thread *thread, star_value *callee, const struct star_given *given,
                 uint32_t result);
int star_vm_call_spread(struct star_thread *thread, star_value *callee,
                        const struct star_given *given, uint32_t result);
// The three registers of an iteration: source, position, and True when guarded, False when not,
// None when the source is a dict whose pairs are wanted.  For a range: next, left, step.
bool star_vm_iterate(struct star_thread *thread, star_value source, bool is_items,
                     star_value *state);
// The same over the pairs of zip(x, y) or enumerate(x, start), given the builtin and its arguments:
// the source is a tuple of two columns that nobody changes, and their length stands where the guard
// would.  Only for star_vm_next_pair.
bool star_vm_iterate_columns(struct star_thread *thread, star_value builtin,
                             const struct star_given *given, star_value *state);
int star_vm_next(struct star_thread *thread, star_value *state, star_value *item);
int star_vm_next_pair(struct star_thread *thread, star_value *state, star_value *first,
                      star_value *second);
void star_vm_iterate_end(struct star_thread *thread, star_value *state);
star_value star_vm_load(struct star_thread *thread, struct star_module *module, star_value name);
star_value star_vm_load_name(struct star_thread *thread, struct star_module *module,
                             star_value loaded, star_value name);

// star_frame_push without its checks that can fail; false: take the long way.
static inline bool star_vm_push_fast(struct star_thread *thread,
                                     struct star_function_object *function, star_value *base,
                                     uint32_t result) {
    const struct star_code *code = function->code;
    if (thread->frame_count >= thread->frame_limit ||
        base + code->register_count > thread->stack_used) {
        return false;
    }
    union star_cache *caches = NULL;
    if (code->cache_count > 0) {
        caches = star_thread_caches(thread, code);
        if (caches == NULL) {
            return false;
        }
    }
    struct star_call_frame *frame = &thread->frames[thread->frame_count++];
    frame->code = code;
    frame->function = function;
    frame->base = base;
    frame->pc = code->words;
    frame->caches = caches;
    frame->native = NULL;
    frame->module = function->module;
    frame->guards = thread->guard_count;
    frame->result = result;
    thread->stack_top = base + code->register_count;
    return true;
}

#endif
