// Writing instructions: jumps and their patches, registers, constants.

#include "starlark/compiler.h"
#include "starlark/sequence.h"
#include "starlark/shape.h"
#include "starlark/thread.h"

bool star_build_is_out_of_memory(struct star_build *build) {
    build->failed = build->failed || arena_is_exhausted(build->arena);
    return build->failed;
}

static void emit_word(struct compiler *c, uint64_t word) {
    const size_t count = c->positions.count;
    const bool is_new = count == 0 || c->positions.items[count - 1].line != c->pos.line ||
                        c->positions.items[count - 1].column != c->pos.column;
    if (is_new) {
        const struct star_position position = {(uint32_t)c->words.count, c->pos.line,
                                               c->pos.column};
        LIST_PUSH(c->build->arena, &c->positions, position);
    }
    LIST_PUSH(c->build->arena, &c->words, word);
}

void star_emit(struct compiler *c, enum star_opcode op, unsigned x, unsigned a, unsigned b,
               unsigned operand_c) {
    // Only a constant's number can be this large: jumps and registers are limited before.
    c->too_large = c->too_large || a > UINT16_MAX || b > UINT16_MAX || operand_c > UINT16_MAX;
    emit_word(c, star_word(op, x, a, b, operand_c));
}

void star_emit_offset(struct compiler *c, enum star_opcode op, unsigned x, unsigned a,
                      int32_t offset) {
    c->too_large = c->too_large || a > UINT16_MAX;
    emit_word(c, star_word_offset(op, x, a, offset));
}

uint32_t star_here(const struct compiler *c) {
    return (uint32_t)c->words.count;
}

void star_emit_jump(struct compiler *c, enum star_opcode op, unsigned x, unsigned a, unsigned b,
                    struct star_patches *patches) {
    LIST_PUSH(c->build->arena, patches, star_here(c));
    if (op == STAR_BC_BRANCH || op == STAR_BC_BRANCH_INT) {
        star_emit(c, op, x, a, b, 0);
    } else {
        star_emit_offset(c, op, x, a, 0);
    }
}

void star_patch_to(struct compiler *c, uint32_t at, uint32_t target) {
    if (at >= c->words.count) {
        return; // the jump found no room
    }
    const int32_t distance = (int32_t)target - (int32_t)at - 1;
    uint64_t *word = &c->words.items[at];
    const enum star_opcode op = (enum star_opcode)STAR_OP(*word);
    if (op != STAR_BC_BRANCH && op != STAR_BC_BRANCH_INT) {
        *word = star_word_offset(op, STAR_X(*word), STAR_A(*word), distance);
        return;
    }
    int32_t near = distance;
    if (distance > INT16_MAX || distance <= STAR_FAR) {
        const struct star_far_jump far_jump = {at, distance};
        LIST_PUSH(c->build->arena, &c->far_jumps, far_jump);
        near = STAR_FAR;
    }
    *word = star_word(op, STAR_X(*word), STAR_A(*word), STAR_B(*word), (unsigned)near & 0xFFFF);
}

void star_patch(struct compiler *c, struct star_patches *patches) {
    for (size_t i = 0; i < patches->count; i++) {
        star_patch_to(c, patches->items[i], star_here(c));
    }
    patches->count = 0;
}

unsigned star_temp(struct compiler *c) {
    if (c->next >= STAR_REGISTERS_MAX) {
        c->too_large = true;
        return c->next - 1;
    }
    const unsigned given = c->next++;
    if (c->next > c->highest) {
        c->highest = c->next;
    }
    return given;
}

unsigned star_constant(struct compiler *c, star_value value) {
    enum { LOOK_BACK = 32 };
    const size_t count = c->constants.count;
    for (size_t i = count; i > 0 && count - i < LOOK_BACK; i--) {
        if (star_is_same(c->constants.items[i - 1], value)) {
            return (unsigned)(i - 1);
        }
    }
    if (star_is_error(value)) {
        c->build->failed = true;
    }
    LIST_PUSH(c->build->arena, &c->constants, value);
    return (unsigned)count;
}

star_value star_build_string(struct star_build *build, str text) {
    if (star_build_is_out_of_memory(build)) {
        return STAR_NONE;
    }
    star_value *known = map_get(&build->strings, text);
    if (known == NULL) {
        known = ARENA_NEW(build->arena, star_value);
        *known = star_heap_text(&build->thread->heap, STAR_OBJECT_STRING, text);
        if (star_is_error(*known)) {
            build->failed = true;
            return STAR_NONE;
        }
        star_string_hash(build->thread, star_as_string(*known));
        star_as_string(*known)->header.flags |= STAR_FLAG_INTERNED;
        map_set(&build->strings, text, known);
    }
    return *known;
}

unsigned star_constant_text(struct compiler *c, str text) {
    if (star_build_is_out_of_memory(c->build)) {
        return 0;
    }
    unsigned *known = map_get(&c->string_constants, text);
    if (known == NULL) {
        known = ARENA_NEW(c->build->arena, unsigned);
        *known = (unsigned)c->constants.count;
        LIST_PUSH(c->build->arena, &c->constants, star_build_string(c->build, text));
        map_set(&c->string_constants, text, known);
    }
    return *known;
}

void star_emit_constant(struct compiler *c, star_value value, unsigned into) {
    if (star_is_small(value) && star_small(value) >= INT32_MIN && star_small(value) <= INT32_MAX) {
        star_emit_offset(c, STAR_BC_LOAD_INT, 0, into, (int32_t)star_small(value));
    } else {
        star_emit_offset(c, STAR_BC_LOAD_K, 0, into, (int32_t)star_constant(c, value));
    }
}
