// The thread's current error: message, hint, and the backtrace fixed where it was raised.

#include "base/text.h"
#include "starlark/code.h"
#include "starlark/thread.h"
#include "starlark/trace.h"

#include <stdio.h>

enum { MESSAGE_MAX = 1024 * 1024 };

void star_error_clear(struct star_thread *thread) {
    if (thread->error.message != NULL) {
        star_thread_memory_grow(thread, thread->error.message, thread->error.message_capacity, 0);
        thread->error.message = NULL;
    }
    arena_done(&thread->error.arena);
    thread->error.public = (struct star_error){.message = "", .hint = ""};
    thread->error.hint[0] = '\0';
    thread->error.is_set = thread->error.is_traced = false;
}

static star_value PRINTF_LIKE(4, 0)
    fail_list(struct star_thread *thread, enum star_status status, int host_code,
              const char *format, va_list arguments) {
    // The message may quote the one before: format first, clear then.
    va_list again;
    va_copy(again, arguments);
    char fixed[STAR_MESSAGE_RESERVE];
    const int size = vsnprintf(fixed, sizeof(fixed), format, arguments);
    char *message = NULL;
    size_t capacity = 0;
    if (size >= (int)sizeof(fixed)) {
        capacity = size < MESSAGE_MAX ? (size_t)size + 1 : MESSAGE_MAX;
        message = star_thread_memory_grow(thread, NULL, 0, capacity);
        if (message != NULL) {
            vsnprintf(message, capacity, format, again);
        }
    }
    va_end(again);
    star_error_clear(thread);
    if (message == NULL) {
        memcpy(thread->error.reserve, fixed, sizeof(fixed));
    }
    thread->error.message = message;
    thread->error.message_capacity = capacity;
    thread->error.public.status = status;
    thread->error.public.host_code = host_code;
    thread->error.public.message = message != NULL ? message : thread->error.reserve;
    thread->error.is_set = true;
    return STAR_ERROR;
}

star_value star_fail_list(struct star_thread *thread, const char *format, va_list arguments) {
    return fail_list(thread, STAR_FAILED, 0, format, arguments);
}

star_value star_fail(struct star_thread *thread, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fail_list(thread, STAR_FAILED, 0, format, arguments);
    va_end(arguments);
    return STAR_ERROR;
}

star_value star_fail_host(struct star_thread *thread, enum star_status status, int host_code,
                          const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fail_list(thread, status, host_code, format, arguments);
    va_end(arguments);
    return STAR_ERROR;
}

void star_fail_hint(struct star_thread *thread, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(thread->error.hint, sizeof(thread->error.hint), format, arguments);
    va_end(arguments);
    thread->error.public.hint = thread->error.hint;
}

void star_fail_memory(struct star_thread *thread, bool is_limit) {
    if (is_limit) {
        star_fail_host(thread, STAR_LIMIT, 0, "memory limit of %zu bytes exceeded",
                       thread->heap.limit_bytes);
    } else {
        star_fail_host(thread, STAR_LIMIT, 0, "out of memory");
    }
}

const struct star_error *star_thread_error(const struct star_thread *thread) {
    return &thread->error.public;
}

// ---- backtrace ----------------------------------------------------------------------------------

void star_code_position(const struct star_code *code, uint32_t pc, int *line, int *column) {
    uint32_t low = 0;
    uint32_t high = code->position_count;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (code->positions[middle].pc <= pc) {
            low = middle;
        } else {
            high = middle;
        }
    }
    *line = code->position_count == 0 ? 0 : (int)code->positions[low].line;
    *column = code->position_count == 0 ? 0 : (int)code->positions[low].column;
}

static struct star_frame frame_position(const struct star_call_frame *frame) {
    struct star_frame position = {.file = star_program_file(frame->code->program),
                                  .function = frame->code->name};
    const ptrdiff_t pc = frame->pc - frame->code->words - 1;
    star_code_position(frame->code, pc < 0 ? 0 : (uint32_t)pc, &position.line, &position.column);
    return position;
}

void star_error_trace(struct star_thread *thread) {
    if (thread->error.is_traced || !thread->error.is_set) {
        return;
    }
    struct trace trace = {.count = 0};
    for (uint32_t i = 0; i < thread->frame_count; i++) {
        const struct star_call_frame *frame = &thread->frames[i];
        if (frame->native != NULL) {
            trace_add(&trace, &(struct star_frame){.function = frame->native->name});
        }
        const struct star_frame position = frame_position(frame);
        trace_add(&trace, &position);
    }
    if (thread->active_native != NULL && trace.count > 0) {
        trace_add(&trace, &(struct star_frame){.function = thread->active_native->name});
    }
    struct star_error *error = &thread->error.public;
    error->frame_count = trace_finish(&trace, thread->error.frames, thread->error.more);
    error->frames = thread->error.frames;
    error->frame_more = thread->error.more;
    thread->error.is_traced = true;
}

size_t star_thread_frames(struct star_thread *thread, struct star_frame *frames, size_t capacity) {
    const size_t count = thread->frame_count;
    const size_t first = count > capacity ? count - capacity : 0;
    for (size_t i = first; i < count; i++) {
        frames[i - first] = frame_position(&thread->frames[i]);
    }
    return count;
}

// ---- text ---------------------------------------------------------------------------------------

static void add_frame(struct text *out, const struct star_frame *frame, uint32_t more) {
    if (frame->file == NULL) {
        text_format(out, "  <builtin>: in %s\n", frame->function);
    } else {
        text_format(out, "  %s:%d:%d: in %s\n", frame->file, frame->line, frame->column,
                    frame->function);
    }
    if (more > 0) {
        text_format(out, "  … %u more\n", more);
    }
}

const char *star_thread_error_text(struct star_thread *thread) {
    const struct star_error *error = &thread->error.public;
    arena_supply_init(&thread->error.supply, thread->heap.allocate, thread->heap.allocate_user, 0,
                      0);
    struct arena *arena = &thread->error.arena;
    arena_done(arena);
    arena_init_supplied(arena, &thread->error.supply);
    struct text text;
    text_init(&text, arena);
    const struct star_frame *inner = NULL;
    if (error->frame_count > 0) {
        text_add(&text, STR("Traceback (most recent call last):\n"));
    }
    for (size_t i = 0; i < error->frame_count; i++) {
        add_frame(&text, &error->frames[i], error->frame_more[i]);
        inner = error->frames[i].file != NULL ? &error->frames[i] : inner;
    }
    if (inner != NULL) {
        text_format(&text, "%s:%d:%d: ", inner->file, inner->line, inner->column);
    }
    text_add(&text, str_from(error->message));
    const char *whole = text_cstring(&text);
    return arena_is_exhausted(arena) ? error->message : whole;
}
