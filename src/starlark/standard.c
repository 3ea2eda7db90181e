#include "starlark/standard.h"

#include "starlark/builtins.h"

static const char *const standard_names[STAR_STANDARD_COUNT] = {"json", "time", "math", "freeze"};

const struct star_names star_standard_names = {standard_names, STAR_STANDARD_COUNT};

bool star_standard_bindings(struct star_thread *thread,
                            struct star_binding bindings[STAR_STANDARD_COUNT]) {
    bindings[0].value = star_module_json(thread);
    bindings[1].value = star_module_time(thread);
    bindings[2].value = star_module_math(thread);
    bindings[3].value = star_function_new(thread, &star_builtin_freeze, NULL);
    bool made = true;
    for (size_t i = 0; i < STAR_STANDARD_COUNT; i++) {
        bindings[i].name = standard_names[i];
        made = made && !star_is_error(bindings[i].value);
    }
    return made;
}
