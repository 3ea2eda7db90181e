// Bytecode as text, for developers; not a stable format.

#include "base/arena.h"
#include "base/text.h"
#include "starlark/code.h"

const char *star_opcode_name(enum star_opcode op) {
    static const char *const names[STAR_BC_COUNT] = {
#define OPCODE_NAME(name) #name,
        STAR_OPCODES(OPCODE_NAME)
#undef OPCODE_NAME
    };
    return names[op];
}

static void write_code(const struct star_code *code, struct text *out) {
    text_format(out, "function %s: %u registers, %u constants\n", code->name, code->register_count,
                code->constant_count);
    for (uint32_t pc = 0; pc < code->word_count; pc++) {
        const uint64_t word = code->words[pc];
        int line;
        int column;
        star_code_position(code, pc, &line, &column);
        text_format(out, "%5u  %4d:%-3d  %-16s x=%u a=%u b=%u c=%u off=%d\n", pc, line, column,
                    star_opcode_name((enum star_opcode)STAR_OP(word)), STAR_X(word), STAR_A(word),
                    STAR_B(word), STAR_C(word), STAR_OFFSET(word));
    }
    for (uint32_t i = 0; i < code->code_count; i++) {
        write_code(code->codes[i], out);
    }
}

void star_program_disassemble(const struct star_program *program,
                              void (*write)(void *user, const char *text, size_t size),
                              void *user) {
    SCRATCH(scratch);
    struct text out;
    text_init(&out, &scratch);
    write_code(program->top, &out);
    write(user, out.data, out.size);
}
