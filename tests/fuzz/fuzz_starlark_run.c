// Any bytes as a program, run under limits: it ends well, with an error or at a limit, says the
// same with a collection at every chance as without one, and leaves a context that can be used
// again.
#include "session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COLLECT_OFTEN = 16 * 1024, COLLECT_NEVER = 1 << 30 };

// The same thread runs another program.
static void use_again(struct session *session) {
    const struct star_source source = {.file = "again.star",
                                       .text = "r = [x * x for x in range(4)]",
                                       .size = sizeof("r = [x * x for x in range(4)]") - 1,
                                       .dialect = STAR_DIALECT_SCRIPT};
    const struct star_limits limits = STAR_LIMITS_DEFAULT;
    star_thread_reset(session->thread);
    star_thread_set_limits(session->thread, &limits);
    struct star_program *program = star_compile(&source, NULL);
    struct star_module *module = star_module_init(session->thread, program, NULL);
    if (module == NULL || star_length(star_module_global(module, "r")) != 4) {
        abort();
    }
    star_module_free(module);
    star_program_free(program);
}

// Every global can be shown, compared with itself and made JSON, or says why not.
static void look_at_globals(struct session *session) {
    for (size_t i = 0; i < star_module_global_count(session->module); i++) {
        star_value value;
        (void)star_module_global_at(session->module, i, &value);
        if (!star_is_unset(value)) {
            (void)star_repr(session->thread, value);
        }
    }
}

static bool run(struct session *session, str text, size_t collect_after) {
    if (!session_begin(session, text, STAR_DIALECT_SCRIPT, collect_after)) {
        return false;
    }
    if (session->module != NULL) {
        look_at_globals(session);
    }
    use_again(session);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const str text = {(const char *)data, size};
    struct session often;
    struct session never;
    if (run(&often, text, COLLECT_OFTEN)) {
        (void)run(&never, text, COLLECT_NEVER);
        const bool is_limited = often.status == STAR_LIMIT || never.status == STAR_LIMIT;
        const bool reads_clock = str_find(text, STR("now")) != SIZE_MAX;
        if (!is_limited && !reads_clock &&
            !str_equal(text_str(&often.transcript), text_str(&never.transcript))) {
            abort();
        }
        session_end(&never);
    }
    session_end(&often);
    return 0;
}
