// The bytecode loop: one C function for all Starlark frames, so that deep recursion in a script
// does not touch the C stack.
//
// Each handler ends by dispatching the next instruction itself (computed goto), which gives the
// branch predictor one place an opcode.  `pc` is saved in the frame before anything that can fail
// or call. Safe points for the collector are LOOP and the calls: there every live value is in
// registers, frames, guards or handles.

#include "starlark/builtins.h"
#include "starlark/call.h"
#include "starlark/code.h"
#include "starlark/module.h"
#include "starlark/numbers.h"
#include "starlark/operators.h"
#include "starlark/sequence.h"
#include "starlark/template.h"
#include "starlark/vm_helpers.h"

#pragma GCC diagnostic ignored "-Wpedantic" // labels as values

static inline bool truth(star_value value) {
    return star_is_bool(value) ? value.bits == STAR_TRUE.bits : star_truth(value);
}

static int32_t far_distance(const struct star_code *code, const uint64_t *at) {
    const uint32_t pc = (uint32_t)(at - code->words);
    for (uint32_t i = 0; i < code->far_jump_count; i++) {
        if (code->far_jumps[i].pc == pc) {
            return code->far_jumps[i].distance;
        }
    }
    return 0;
}

// One flat list of handlers: long by nature.
star_value star_vm_run(struct star_thread *thread, uint32_t frame_floor) {
    static const void *const labels[STAR_BC_COUNT] = {
#define LABEL(name) [STAR_BC_##name] = &&op_##name,
        // cppcheck-suppress assignBoolToPointer ; the address of a label is no "and"
        STAR_OPCODES(LABEL)
#undef LABEL
    };
    struct star_call_frame *frame;
    star_value *r;
    const star_value *k;
    const uint64_t *pc;
    uint64_t word;

#define ENTER()                                                                                    \
    do {                                                                                           \
        frame = &thread->frames[thread->frame_count - 1];                                          \
        r = frame->base;                                                                           \
        k = frame->code->constants;                                                                \
        pc = frame->pc;                                                                            \
    } while (0)
#define NEXT()                                                                                     \
    do {                                                                                           \
        word = *pc++;                                                                              \
        goto *labels[STAR_OP(word)];                                                               \
    } while (0)
#define SAVE() (frame->pc = pc)
#define A r[STAR_A(word)]
#define B r[STAR_B(word)]
#define C r[STAR_C(word)]
#define GIVE(expression)                                                                           \
    do {                                                                                           \
        const star_value given_ = (expression);                                                    \
        if (UNLIKELY(star_is_error(given_))) {                                                     \
            goto failed;                                                                           \
        }                                                                                          \
        A = given_;                                                                                \
        NEXT();                                                                                    \
    } while (0)
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (UNLIKELY(!(condition))) {                                                              \
            goto failed;                                                                           \
        }                                                                                          \
    } while (0)
#define TICK(cost)                                                                                 \
    do {                                                                                           \
        thread->budget -= (cost);                                                                  \
        if (UNLIKELY(thread->budget <= 0)) {                                                       \
            SAVE();                                                                                \
            MUST(star_thread_tick(thread, true));                                                  \
        }                                                                                          \
    } while (0)

    ENTER();
    NEXT();

op_MOVE:
    A = B;
    NEXT();
op_LOAD_K:
    A = k[STAR_OFFSET(word)];
    NEXT();
op_LOAD_INT:
    A = star_from_small(STAR_OFFSET(word));
    NEXT();
op_LOAD_NONE:
    A = STAR_NONE;
    NEXT();
op_LOAD_BOOL:
    A = star_bool(STAR_X(word) != 0);
    NEXT();
op_UNSET:
    for (int32_t i = 0; i < STAR_OFFSET(word); i++) {
        r[STAR_A(word) + (unsigned)i] = STAR_UNSET;
    }
    NEXT();
op_CHECK:
    if (UNLIKELY(star_is_unset(A))) {
        SAVE();
        star_vm_fail_unset(thread, "local", k[STAR_B(word)]);
        goto failed;
    }
    NEXT();
op_MAKE_CELL: {
    SAVE();
    struct star_cell *cell =
        star_heap_object(&thread->heap, STAR_OBJECT_CELL, sizeof(struct star_cell));
    MUST(cell != NULL);
    cell->value = STAR_X(word) ? STAR_UNSET : A;
    A = star_from_object(cell);
    NEXT();
}
op_GET_CELL: {
    const star_value value = STAR_AS(star_cell, B)->value;
    if (UNLIKELY(star_is_unset(value))) {
        SAVE();
        star_vm_fail_unset(thread, "local", k[STAR_C(word)]);
        goto failed;
    }
    A = value;
    NEXT();
}
op_SET_CELL: {
    struct star_cell *cell = STAR_AS(star_cell, A);
    cell->value = B;
    NEXT();
}
op_GET_FREE: {
    const star_value value = frame->function->values[frame->function->default_count + STAR_B(word)];
    if (UNLIKELY(star_is_unset(value))) {
        SAVE();
        star_vm_fail_unset(thread, "local", k[STAR_C(word)]);
        goto failed;
    }
    A = value;
    NEXT();
}
op_GET_FREE_CELL: {
    const star_value cell = frame->function->values[frame->function->default_count + STAR_B(word)];
    const star_value value = STAR_AS(star_cell, cell)->value;
    if (UNLIKELY(star_is_unset(value))) {
        SAVE();
        star_vm_fail_unset(thread, "local", k[STAR_C(word)]);
        goto failed;
    }
    A = value;
    NEXT();
}
op_GET_GLOBAL: {
    const star_value value = frame->module->globals[STAR_OFFSET(word)];
    if (UNLIKELY(star_is_unset(value))) {
        SAVE();
        star_vm_fail_global(thread, frame, (uint32_t)STAR_OFFSET(word));
        goto failed;
    }
    A = value;
    NEXT();
}
op_SET_GLOBAL:
    frame->module->globals[STAR_OFFSET(word)] = A;
    NEXT();
op_GET_PREDECLARED: {
    const star_value value = frame->module->predeclared[STAR_OFFSET(word)];
    if (UNLIKELY(star_is_unset(value))) {
        SAVE();
        star_vm_fail_predeclared(thread, frame, (uint32_t)STAR_OFFSET(word));
        goto failed;
    }
    A = value;
    NEXT();
}
op_GET_UNIVERSE:
    A = STAR_NONE; // the compiler makes constants of the universe
    NEXT();
op_FUNCTION:
    SAVE();
    GIVE(star_vm_function(thread, frame, frame->code->codes[STAR_C(word)], &B));

op_ADD: {
    const star_value a = B;
    const star_value b = C;
    if (LIKELY(star_both_small(a, b))) {
        const int64_t sum = star_small(a) + star_small(b);
        if (LIKELY(star_small_fits(sum))) {
            A = star_from_small(sum);
            NEXT();
        }
    } else if (star_both_float(a, b)) {
        A = star_from_double(star_double(a) + star_double(b));
        NEXT();
    }
    SAVE();
    if (star_is_string(a) && star_is_string(b)) {
        GIVE(star_string_concat(thread, a, b));
    }
    GIVE(star_binary(thread, STAR_OP_ADD, a, b));
}
op_SUBTRACT: {
    const star_value a = B;
    const star_value b = C;
    if (LIKELY(star_both_small(a, b))) {
        const int64_t difference = star_small(a) - star_small(b);
        if (LIKELY(star_small_fits(difference))) {
            A = star_from_small(difference);
            NEXT();
        }
    } else if (star_both_float(a, b)) {
        A = star_from_double(star_double(a) - star_double(b));
        NEXT();
    }
    SAVE();
    GIVE(star_binary(thread, STAR_OP_SUBTRACT, a, b));
}
op_MULTIPLY: {
    const star_value a = B;
    const star_value b = C;
    if (LIKELY(star_both_small(a, b))) {
        int64_t product;
        if (LIKELY(!__builtin_mul_overflow(star_small(a), star_small(b), &product) &&
                   star_small_fits(product))) {
            A = star_from_small(product);
            NEXT();
        }
    } else if (star_both_float(a, b)) {
        A = star_from_double(star_double(a) * star_double(b));
        NEXT();
    }
    SAVE();
    GIVE(star_binary(thread, STAR_OP_MULTIPLY, a, b));
}
op_DIVIDE: {
    const star_value a = B;
    const star_value b = C;
    if (star_both_float(a, b) && star_double(b) != 0) {
        A = star_from_double(star_double(a) / star_double(b));
        NEXT();
    }
    SAVE();
    GIVE(star_binary(thread, STAR_OP_DIVIDE, a, b));
}
op_FLOOR_DIVIDE: {
    const star_value a = B;
    const star_value b = C;
    if (LIKELY(star_both_small(a, b)) && star_small(b) > 0) {
        const int64_t x = star_small(a);
        const int64_t y = star_small(b);
        A = star_from_small(x / y - (x % y < 0));
        NEXT();
    }
    SAVE();
    GIVE(star_binary(thread, STAR_OP_FLOOR_DIVIDE, a, b));
}
op_MODULO: {
    const star_value a = B;
    const star_value b = C;
    if (LIKELY(star_both_small(a, b)) && star_small(b) > 0) {
        const int64_t rest = star_small(a) % star_small(b);
        A = star_from_small(rest < 0 ? rest + star_small(b) : rest);
        NEXT();
    }
    SAVE();
    GIVE(star_binary(thread, STAR_OP_MODULO, a, b));
}
op_BINARY: {
    const star_value a = B;
    const star_value b = C;
    if (star_both_small(a, b)) {
        switch (STAR_X(word)) {
        case STAR_OP_AND:
            A = star_from_small(star_small(a) & star_small(b));
            NEXT();
        case STAR_OP_OR:
            A = star_from_small(star_small(a) | star_small(b));
            NEXT();
        case STAR_OP_XOR:
            A = star_from_small(star_small(a) ^ star_small(b));
            NEXT();
        default:
            break;
        }
    }
    SAVE();
    GIVE(star_binary(thread, (enum star_operator)STAR_X(word), a, b));
}
op_ADD_INT: {
    const star_value a = B;
    if (LIKELY(star_is_small(a))) {
        const int64_t sum = star_small(a) + STAR_SIGNED_C(word);
        if (LIKELY(star_small_fits(sum))) {
            A = star_from_small(sum);
            NEXT();
        }
    }
    SAVE();
    // x: it was a subtraction, which the error must say.
    GIVE(STAR_X(word)
             ? star_binary(thread, STAR_OP_SUBTRACT, a, star_from_small(-STAR_SIGNED_C(word)))
             : star_binary(thread, STAR_OP_ADD, a, star_from_small(STAR_SIGNED_C(word))));
}
op_IN_PLACE: {
    const star_value a = B;
    const star_value b = C;
    if (star_both_small(a, b)) {
        const int64_t x = star_small(a);
        const int64_t y = star_small(b);
        if (STAR_X(word) == STAR_OP_ADD && star_small_fits(x + y)) {
            A = star_from_small(x + y);
            NEXT();
        }
        if (STAR_X(word) == STAR_OP_SUBTRACT && star_small_fits(x - y)) {
            A = star_from_small(x - y);
            NEXT();
        }
    } else if (star_both_float(a, b) && STAR_X(word) <= STAR_OP_MULTIPLY) {
        const double x = star_double(a);
        const double y = star_double(b);
        A = star_from_double(STAR_X(word) == STAR_OP_ADD        ? x + y
                             : STAR_X(word) == STAR_OP_SUBTRACT ? x - y
                                                                : x * y);
        NEXT();
    }
    SAVE();
    if (STAR_X(word) == STAR_OP_ADD && star_is_string(a) && star_is_string(b)) {
        GIVE(star_string_concat(thread, a, b));
    }
    GIVE(star_binary_in_place(thread, (enum star_operator)STAR_X(word), a, b));
}
op_UNARY: {
    const star_value a = B;
    SAVE();
    GIVE(STAR_X(word) == 0   ? star_plus(thread, a)
         : STAR_X(word) == 1 ? star_negate(thread, a)
                             : star_complement(thread, a));
}
op_NOT:
    A = star_bool(!truth(B));
    NEXT();
op_COMPARE: {
    bool result;
    if (!star_vm_compare_fast(STAR_X(word), B, C, &result)) {
        SAVE();
        MUST(star_vm_compare(thread, STAR_X(word), B, C, &result));
    }
    A = star_bool(result);
    NEXT();
}
op_JUMP:
    pc += STAR_OFFSET(word);
    NEXT();
op_JUMP_IF:
    if (truth(A)) {
        pc += STAR_OFFSET(word);
    }
    NEXT();
op_JUMP_UNLESS:
    if (!truth(A)) {
        pc += STAR_OFFSET(word);
    }
    NEXT();
op_BRANCH: {
    bool result;
    const unsigned x = STAR_X(word);
    if (!star_vm_compare_fast(x & 0x7F, A, B, &result)) {
        SAVE();
        MUST(star_vm_compare(thread, x & 0x7F, A, B, &result));
    }
    if (result == (x >> 7)) {
        const int32_t distance = STAR_SIGNED_C(word);
        pc += LIKELY(distance != STAR_FAR) ? distance : far_distance(frame->code, pc - 1);
    }
    NEXT();
}
op_BRANCH_INT: {
    bool result;
    const unsigned x = STAR_X(word);
    const star_value b = star_from_small(STAR_SIGNED_B(word));
    if (!star_vm_compare_fast(x & 0x7F, A, b, &result)) {
        SAVE();
        MUST(star_vm_compare(thread, x & 0x7F, A, b, &result));
    }
    if (result == (x >> 7)) {
        const int32_t distance = STAR_SIGNED_C(word);
        pc += LIKELY(distance != STAR_FAR) ? distance : far_distance(frame->code, pc - 1);
    }
    NEXT();
}
op_LOOP:
    TICK(-STAR_OFFSET(word));
    pc += STAR_OFFSET(word);
    NEXT();

op_TUPLE:
    SAVE();
    GIVE(star_tuple(thread, &B, STAR_C(word)));
op_LIST:
    SAVE();
    GIVE(star_list(thread, &B, STAR_C(word)));
op_EXTEND:
    SAVE();
    for (unsigned i = 0; i < STAR_C(word); i++) {
        MUST(star_list_push(thread, star_as_list(A), r[STAR_B(word) + i]));
    }
    NEXT();
op_APPEND: {
    struct star_list *list = star_as_list(A);
    if (LIKELY(list->count < list->capacity)) {
        list->items[list->count++] = B;
        NEXT();
    }
    SAVE();
    MUST(star_list_push(thread, list, B));
    NEXT();
}
op_DICT: {
    SAVE();
    struct star_dict *dict = star_dict_new(thread, 0);
    MUST(dict != NULL);
    A = star_from_object(dict);
    NEXT();
}
op_DICT_SHAPED: {
    SAVE();
    const uint64_t extra = *pc++;
    union star_cache *cache = &frame->caches[STAR_A(extra)];
    if (UNLIKELY(cache->dict.shape == NULL)) {
        GIVE(star_vm_dict_first(thread, cache, k[STAR_OFFSET(extra)], &B));
    }
    struct star_dict *dict = star_vm_dict_shaped(thread, cache->dict.shape, &B);
    MUST(dict != NULL);
    A = star_from_object(dict);
    NEXT();
}
op_DICT_INSERT:
    if (STAR_X(word) == 0 && LIKELY(star_vm_insert_fast(star_as_dict(A), B, C))) {
        NEXT();
    }
    SAVE();
    MUST(STAR_X(word) == 0 || star_vm_key_is_new(thread, star_as_dict(A), B));
    MUST(star_dict_insert(thread, star_as_dict(A), B, C));
    NEXT();

op_INDEX: {
    const star_value object = B;
    const star_value key = C;
    if (star_is_object(object) && star_is_small(key)) {
        if (star_object(object)->type == STAR_OBJECT_LIST) {
            const struct star_list *list = star_as_list(object);
            int64_t i = star_small(key);
            i = i < 0 ? i + list->count : i;
            if (LIKELY((uint64_t)i < list->count && !star_is_unset(list->items[i]))) {
                A = list->items[i];
                NEXT();
            }
        } else if (star_object(object)->type == STAR_OBJECT_TUPLE) {
            const struct star_tuple *tuple = star_as_tuple(object);
            if (LIKELY((uint64_t)star_small(key) < tuple->count)) {
                A = tuple->items[star_small(key)];
                NEXT();
            }
        }
    }
    SAVE();
    GIVE(star_index(thread, object, key));
}
op_INDEX_K: {
    const star_value object = B;
    const uint64_t extra = *pc++;
    if (LIKELY(star_is_type(object, STAR_OBJECT_DICT))) {
        struct star_dict *dict = star_as_dict(object);
        union star_cache *cache = &frame->caches[STAR_OFFSET(extra)];
        if (LIKELY(dict->shape != NULL && dict->shape == cache->dict.shape)) {
            const star_value value = dict->slots[cache->dict.slot];
            if (LIKELY(!star_is_unset(value))) {
                A = value;
                NEXT();
            }
        } else if (dict->shape != NULL) {
            const star_value key = k[STAR_C(word)];
            const int32_t slot = star_shape_find(dict->shape, key, star_as_string(key)->hash);
            if (slot >= 0) {
                cache->dict.shape = dict->shape;
                cache->dict.slot = (uint32_t)slot;
            }
        }
    }
    frame->pc = pc - 1;
    GIVE(star_index(thread, object, k[STAR_C(word)]));
}
op_SET_INDEX: {
    const star_value object = A;
    const star_value key = B;
    if (star_is_small(key) && star_is_type(object, STAR_OBJECT_LIST)) {
        struct star_list *list = star_as_list(object);
        const uint64_t i = (uint64_t)star_small(key);
        if (LIKELY(i < list->count && list->lazy == NULL && list->iterating == 0 &&
                   !(list->header.flags & STAR_FLAG_FROZEN))) {
            list->items[i] = C;
            NEXT();
        }
    }
    SAVE();
    MUST(star_set_index(thread, object, key, C));
    NEXT();
}
op_SLICE: {
    const star_value *parts = &C;
    SAVE();
    GIVE(star_slice_of(thread, B, parts[0], parts[1], parts[2]));
}
op_FORMAT: {
    const struct star_tuple *template = star_as_tuple(k[STAR_B(word)]);
    SAVE();
    if (STAR_X(word) && star_is_type(C, STAR_OBJECT_TUPLE)) {
        GIVE(star_format_percent(thread, template->items[0], C));
    }
    GIVE(star_template_fill(thread, template, &C));
}
op_GET_ATTRIBUTE:
    SAVE();
    GIVE(star_get_attribute(thread, B, k[STAR_C(word)]));
op_SET_ATTRIBUTE:
    SAVE();
    MUST(star_set_attribute(thread, A, k[STAR_B(word)], C));
    NEXT();
op_UNPACK:
    SAVE();
    MUST(star_vm_unpack(thread, A, &B, STAR_C(word)));
    NEXT();

op_CALL: {
    const star_value callee = A;
    const unsigned count = STAR_B(word);
    if (LIKELY(star_is_type(callee, STAR_OBJECT_FUNCTION))) {
        struct star_function_object *function = STAR_AS(star_function_object, callee);
        const struct star_code *code = function->code;
        star_value *base = &A + 1;
        if (LIKELY(code->is_simple && count == code->positional_count && STAR_C(word) == 0)) {
            TICK(code->step_cost);
            // A collection may have moved the function.
            function = STAR_AS(star_function_object, A);
            if (UNLIKELY(!star_vm_push_fast(thread, function, base, STAR_A(word)))) {
                SAVE();
                MUST(star_frame_push(thread, function, base, STAR_A(word)));
            }
            frame->pc = pc + 1;
            ENTER();
            NEXT();
        }
    }
    SAVE();
    const int32_t names = STAR_OFFSET(*pc);
    const struct star_given given = {
        .positional = &A + 1,
        .positional_count = count,
        .named = &A + 1 + count,
        .named_count = STAR_C(word),
        .names = names < 0 ? NULL : star_as_tuple(k[names])->items,
    };
    TICK(4);
    if (LIKELY(star_is_type(A, STAR_OBJECT_BUILTIN))) {
        const star_value result = star_call_other(thread, A, &given);
        MUST(!star_is_error(result));
        pc++;
        A = result;
        NEXT();
    }
    const int called = star_vm_call(thread, &A, &given, STAR_A(word));
    MUST(called >= 0);
    frame->pc = pc + 1;
    ENTER();
    NEXT();
}
op_CALL_METHOD: {
    const star_value object = A;
    const uint64_t extra = pc[0];
    const struct star_builtin *method =
        star_vm_method_cached(thread, &frame->caches[STAR_A(extra)], object, k[STAR_OFFSET(extra)]);
    const int32_t names = STAR_OFFSET(pc[1]);
    const struct star_given given = {
        .positional = &A + 1,
        .positional_count = STAR_B(word),
        .named = &A + 1 + STAR_B(word),
        .named_count = STAR_C(word),
        .names = names < 0 ? NULL : star_as_tuple(k[names])->items,
    };
    if (LIKELY(method != NULL)) {
        SAVE();
        TICK(4);
        const star_value receiver = A;
        void *user = star_is_type(receiver, STAR_OBJECT_HOST) ? star_as_host(receiver)->data : NULL;
        const star_value result =
            star_call_native(thread, method, STAR_UNSET, receiver, user, &given);
        if (UNLIKELY(star_is_error(result))) {
            goto failed;
        }
        pc += 2;
        A = result;
        NEXT();
    }
    frame->pc = pc + 1; // an error here is at the dot
    const star_value callee = star_get_attribute(thread, object, k[STAR_OFFSET(extra)]);
    MUST(!star_is_error(callee));
    A = callee;
    SAVE();
    TICK(4);
    const int called = star_vm_call(thread, &A, &given, STAR_A(word));
    MUST(called >= 0);
    frame->pc = pc + 2;
    ENTER();
    NEXT();
}
op_CHECK_METHOD:
    if (UNLIKELY(star_vm_method_cached(thread, &frame->caches[STAR_B(word)], A, k[STAR_C(word)]) ==
                 NULL)) {
        SAVE();
        MUST(!star_is_error(star_get_attribute(thread, A, k[STAR_C(word)])));
    }
    NEXT();
op_CALL_SPREAD: {
    SAVE();
    TICK(4);
    const unsigned positional = STAR_B(word);
    const unsigned named = STAR_C(word);
    const int32_t names = STAR_OFFSET(*pc);
    star_value *arguments = &A + 1;
    struct star_given given = {
        .positional = arguments,
        .positional_count = positional,
        .named = arguments + positional,
        .named_count = named,
        .names = names < 0 ? NULL : star_as_tuple(k[names])->items,
    };
    MUST(star_spread(thread, A, &given, arguments[positional + named],
                     arguments[positional + named + 1]));
    const int called = star_vm_call_spread(thread, &A, &given, STAR_A(word));
    MUST(called >= 0);
    frame->pc = pc + 1;
    ENTER();
    NEXT();
}
op_RETURN:
op_RETURN_NONE: {
    const star_value result = STAR_OP(word) == STAR_BC_RETURN ? A : STAR_NONE;
    if (UNLIKELY(thread->guard_count > frame->guards)) {
        star_guards_release(thread, frame->guards);
    }
    const uint32_t into = frame->result;
    if (--thread->frame_count == frame_floor) {
        return result;
    }
    ENTER();
    thread->stack_top = r + frame->code->register_count;
    r[into] = result;
    NEXT();
}

op_ITERATE:
    SAVE();
    MUST(star_vm_iterate(thread, B, STAR_X(word) != 0, &A));
    NEXT();
op_ITERATE_COLUMNS: {
    SAVE();
    const struct star_given given = {.positional = &B, .positional_count = STAR_C(word)};
    MUST(star_vm_iterate_columns(thread, k[STAR_OFFSET(*pc)], &given, &A));
    pc++;
    NEXT();
}
op_NEXT: {
    star_value *state = &A;
    if (LIKELY(star_is_small(state[0]))) {
        // A range: next value, how many are left, step.
        const int64_t left = star_small(state[1]);
        if (left > 0) {
            B = state[0];
            state[0] = star_from_small(star_small(state[0]) + star_small(state[2]));
            state[1] = star_from_small(left - 1);
            pc++;
            NEXT();
        }
        pc += 1 + STAR_OFFSET(*pc);
        NEXT();
    }
    if (star_object(state[0])->type == STAR_OBJECT_LIST) {
        const struct star_list *list = star_as_list(state[0]);
        const uint64_t at = (uint64_t)star_small(state[1]);
        if (LIKELY(at < list->count && !star_is_unset(list->items[at]))) {
            B = list->items[at];
            state[1] = star_from_small((int64_t)at + 1);
            pc++;
            NEXT();
        }
    }
    SAVE();
    const int step = star_vm_next(thread, state, &B);
    MUST(step >= 0);
    pc += step > 0 ? 1 : 1 + STAR_OFFSET(*pc);
    NEXT();
}
op_NEXT_PAIR: {
    star_value *state = &A;
    if (LIKELY(star_is_none(state[2]))) {
        const struct star_dict *dict = star_as_dict(state[0]);
        const uint64_t at = (uint64_t)star_small(state[1]);
        if (LIKELY(dict->shape != NULL && at < dict->count && !star_is_unset(dict->slots[at]))) {
            B = dict->shape->keys[at];
            C = dict->slots[at];
            state[1] = star_from_small((int64_t)at + 1);
            pc++;
            NEXT();
        }
    }
    SAVE();
    const int step = star_vm_next_pair(thread, state, &B, &C);
    MUST(step >= 0);
    pc += step > 0 ? 1 : 1 + STAR_OFFSET(*pc);
    NEXT();
}
op_ITERATE_END:
    star_vm_iterate_end(thread, &A);
    NEXT();
op_LOAD_MODULE:
    SAVE();
    GIVE(star_vm_load(thread, frame->module, k[STAR_B(word)]));
op_LOAD_NAME:
    SAVE();
    GIVE(star_vm_load_name(thread, frame->module, B, k[STAR_C(word)]));
op_EXTRA:
    NEXT();

failed:
    star_error_trace(thread);
    star_guards_release(thread, thread->frames[frame_floor].guards);
    thread->frame_count = frame_floor;
    return STAR_ERROR;
}
