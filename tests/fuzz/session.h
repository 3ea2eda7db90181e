#ifndef FUZZ_SESSION_H
#define FUZZ_SESSION_H

// What the fuzz targets of the interpreter share: one program run under small limits, with what it
// printed and how it ended as text.
//
// Ownership: session_end frees all; values of the module live until then.

#include "base/arena.h"
#include "base/text.h"
#include "starlark/standard.h"
#include "starlark/starlark.h"

#include <stdlib.h>

struct session {
    struct arena arena;
    struct text transcript; // what was printed, then the error
    struct star_thread *thread;
    struct star_program *program;
    struct star_module *module; // NULL when it failed
    enum star_status status;
};

enum {
    SESSION_STEPS = 200 * 1000,
    SESSION_MEMORY = 16 * 1024 * 1024,
    SESSION_DEPTH = 300,
    SESSION_TRANSCRIPT_MAX = 1 << 20,
};

static void session_print(void *user, const char *text, size_t size) {
    struct session *session = user;
    if (session->transcript.size < SESSION_TRANSCRIPT_MAX) {
        text_add(&session->transcript, (str){text, size});
        text_add_char(&session->transcript, '\n');
    }
}

// Notes the thread's error; its parts must be readable whatever happened.
static void session_note_error(struct session *session) {
    const struct star_error *error = star_thread_error(session->thread);
    session->status = error->status;
    if (error->status == STAR_OK) {
        abort(); // a failure without an error
    }
    text_format(&session->transcript, "%s", star_thread_error_text(session->thread));
}

// Compiles and runs `text`.  false: it has static errors.
static bool session_begin(struct session *session, str text, enum star_dialect dialect,
                          size_t collect_after) {
    *session = (struct session){.status = STAR_OK};
    arena_init(&session->arena);
    text_init(&session->transcript, &session->arena);
    const struct star_source source = {.file = "fuzz.star",
                                       .text = text.data,
                                       .size = text.size,
                                       .dialect = dialect,
                                       .predeclared = star_standard_names};
    struct star_diagnostics diagnostics;
    session->program = star_compile(&source, &diagnostics);
    star_diagnostics_free(&diagnostics);
    if (session->program == NULL) {
        return false;
    }
    const struct star_thread_options options = {
        .limits = {.steps = SESSION_STEPS, .memory_bytes = SESSION_MEMORY, .depth = SESSION_DEPTH},
        .print = session_print,
        .print_user = session,
        .collect_after_bytes = collect_after,
    };
    session->thread = star_thread_new(&options);
    struct star_binding standard[STAR_STANDARD_COUNT];
    if (!star_standard_bindings(session->thread, standard)) {
        abort();
    }
    const struct star_environment environment = {.predeclared = standard,
                                                 .predeclared_count = STAR_STANDARD_COUNT};
    session->module = star_module_init(session->thread, session->program, &environment);
    if (session->module == NULL) {
        session_note_error(session);
    }
    return true;
}

static void session_end(struct session *session) {
    star_module_free(session->module);
    star_thread_free(session->thread);
    star_program_free(session->program);
    arena_done(&session->arena);
}

// Calls a function of the module; an error goes into the transcript.
UNUSED static star_value session_call(struct session *session, const char *function,
                                      const star_value *arguments, size_t count) {
    const struct star_arguments given = {.positional = arguments, .positional_count = count};
    const star_value result = star_call(session->thread, session->module, function, &given);
    if (star_is_error(result)) {
        session_note_error(session);
    }
    return result;
}

#endif
