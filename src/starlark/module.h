#ifndef STARLARK_MODULE_H
#define STARLARK_MODULE_H

// A module: the globals of one run of a program, and after its freeze the heap they live in.

#include "starlark/heap.h"

struct star_module {
    uint32_t references; // atomic
    struct star_program *program;
    star_value *globals;         // by slot; STAR_UNSET before the first binding
    star_value *predeclared;     // by index of the program's names
    struct star_heap heap;       // of everything frozen
    struct star_module **loaded; // kept: values of these are referenced
    uint32_t loaded_count;
    bool is_frozen;
    const struct star_environment *environment; // while it runs
    struct star_module *outer_running;          // that loads this one, while it runs
};

#endif
