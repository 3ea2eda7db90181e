// Running a program's top level, and the frozen module that comes out of it.

#include "starlark/module.h"

#include <stdlib.h>

#include "starlark/call.h"
#include "starlark/code.h"
#include "starlark/freeze.h"
#include "starlark/thread.h"

static struct star_module *module_new(struct star_thread *thread, struct star_program *program,
                                      const struct star_environment *environment) {
    struct star_module *module = calloc(1, sizeof(*module));
    star_value *globals = malloc((program->global_count + 1UL) * sizeof(*globals));
    star_value *predeclared = malloc((program->predeclared_count + 1UL) * sizeof(*predeclared));
    if (module == NULL || globals == NULL || predeclared == NULL) {
        free(module);
        free(globals);
        free(predeclared);
        star_fail_memory(thread, false);
        return NULL;
    }
    module->references = 1;
    module->program = star_program_keep(program);
    module->globals = globals;
    module->predeclared = predeclared;
    module->environment = environment;
    for (uint32_t i = 0; i < program->global_count; i++) {
        globals[i] = STAR_UNSET;
    }
    for (uint32_t i = 0; i < program->predeclared_count; i++) {
        predeclared[i] = STAR_UNSET;
        for (size_t j = 0; j < environment->predeclared_count; j++) {
            if (strcmp(environment->predeclared[j].name, program->predeclared[i]) == 0) {
                predeclared[i] = environment->predeclared[j].value;
            }
        }
    }
    return module;
}

// A heap of the module's own takes the place of the thread's while the top level runs.
static void heap_swap(struct star_thread *thread, struct star_module *module) {
    const struct star_heap outer = thread->heap;
    thread->heap = module->heap;
    module->heap = outer;
}

// The predeclared values as the module's own: they were made in the thread's heap, which is emptied
// between calls while the module lives on.  What cannot be copied (a host object with data or
// slots) is the host's to keep.
static bool own_predeclared(struct star_thread *thread, struct star_module *module) {
    for (uint32_t i = 0; i < module->program->predeclared_count; i++) {
        const star_value value = module->predeclared[i];
        const bool is_host = star_is_type(value, STAR_OBJECT_HOST);
        if (star_is_unset(value) ||
            (is_host && (star_as_host(value)->data != NULL || star_object(value)->extra > 0))) {
            continue;
        }
        module->predeclared[i] = star_value_copy(thread, value, thread);
        if (star_is_error(module->predeclared[i])) {
            return false;
        }
    }
    return true;
}

static star_value module_run(struct star_thread *thread, struct star_module *module) {
    struct star_function_object *top =
        star_heap_object(&thread->heap, STAR_OBJECT_FUNCTION, sizeof(*top));
    if (top == NULL) {
        return STAR_ERROR;
    }
    top->code = module->program->top;
    top->module = module;
    top->default_count = top->capture_count = 0;
    return star_call_from_outside(thread, star_from_object(top), NULL);
}

struct star_module *star_module_init(struct star_thread *thread, struct star_program *program,
                                     const struct star_environment *environment) {
    const struct star_environment none = {0};
    environment = environment != NULL ? environment : &none;
    struct star_module *module = module_new(thread, program, environment);
    if (module == NULL) {
        return NULL;
    }
    star_heap_init(&module->heap, thread->heap.allocate, thread->heap.allocate_user);
    module->heap.thread = thread;
    module->heap.limit_bytes = thread->heap.limit_bytes;
    module->heap.collect_at = thread->heap.collect_at;
    module->heap.collect_minimum = thread->heap.collect_minimum;
    heap_swap(thread, module);
    module->outer_running = thread->running;
    thread->running = module;
    const star_value result =
        own_predeclared(thread, module) ? module_run(thread, module) : STAR_ERROR;
    bool is_good = !star_is_error(result);
    if (is_good) {
        is_good = star_freeze_values(thread, module->globals, program->global_count, true) &&
                  star_freeze_values(thread, module->predeclared, program->predeclared_count, true);
        module->is_frozen = is_good;
    }
    thread->running = module->outer_running;
    heap_swap(thread, module);
    module->environment = NULL;
    module->heap.thread = NULL;
    star_heap_trim(&module->heap); // a frozen module allocates nothing more
    if (!is_good && !environment->keep_unfrozen) {
        star_module_free(module);
        return NULL;
    }
    return module;
}

struct star_module *star_module_keep(struct star_module *module) {
    __atomic_fetch_add(&module->references, 1, __ATOMIC_RELAXED);
    return module;
}

void star_module_free(struct star_module *module) {
    if (module == NULL || __atomic_sub_fetch(&module->references, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    star_heap_clear(&module->heap);
    for (uint32_t i = 0; i < module->loaded_count; i++) {
        star_module_free(module->loaded[i]);
    }
    free(module->loaded);
    free(module->globals);
    free(module->predeclared);
    star_program_free(module->program);
    free(module);
}

star_value star_module_global(const struct star_module *module, const char *name) {
    for (uint32_t i = 0; i < module->program->global_count; i++) {
        const struct star_global *global = &module->program->globals[i];
        if (!global->is_loaded && strcmp(global->name, name) == 0) {
            return module->globals[i];
        }
    }
    return STAR_UNSET;
}

bool star_module_has_function(const struct star_module *module, const char *name) {
    return star_is_type(star_module_global(module, name), STAR_OBJECT_FUNCTION);
}

size_t star_module_global_count(const struct star_module *module) {
    return module->program->global_count;
}

const char *star_module_global_at(const struct star_module *module, size_t index,
                                  star_value *value) {
    const struct star_global *global = &module->program->globals[index];
    *value = global->is_loaded ? STAR_UNSET : module->globals[index];
    return global->name;
}

struct star_program *star_module_program(const struct star_module *module) {
    return module->program;
}

// ---- calls from outside -------------------------------------------------------------------------

star_value star_call_from_outside(struct star_thread *thread, star_value function,
                                  const struct star_arguments *arguments) {
    const struct star_arguments none = {0};
    const bool is_outermost = thread->reentry_depth == 0;
    if (is_outermost) {
        star_error_clear(thread);
        thread->frame_count = 0;
        if (!star_thread_stacks(thread)) {
            return STAR_ERROR;
        }
        thread->deadline_us =
            thread->limits.time_us == 0
                ? INT64_MAX
                : thread->monotonic_us(thread->clock_user) + (int64_t)thread->limits.time_us;
        if (!star_thread_tick(thread, false)) {
            return STAR_ERROR;
        }
    }
    const star_value result =
        star_call_named(thread, function, arguments != NULL ? arguments : &none);
    if (star_is_error(result)) {
        star_error_trace(thread);
    }
    return result;
}

star_value star_call(struct star_thread *thread, struct star_module *module, const char *function,
                     const struct star_arguments *arguments) {
    const star_value value = star_module_global(module, function);
    if (star_is_unset(value)) {
        return star_fail(thread, "%s has no function %s", module->program->file, function);
    }
    return star_call_from_outside(thread, value, arguments);
}
