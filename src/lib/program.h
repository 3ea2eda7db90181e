#ifndef LIB_PROGRAM_H
#define LIB_PROGRAM_H

// The compiled files of a project's libs: each file is read and compiled once, whoever loads it.
//
// Internal to lib/.
// Threads: a lock inside.

#include "lib/lib.h"
#include "starlark/standard.h"

struct lib_program {
    str file; // relative to the project
    struct star_program *program;
};

// What every lib file sees without defining it: the modules' names and json, time, math.
enum { LIB_PREDECLARED_MAX = MODULES_NAME_COUNT_MAX + STAR_STANDARD_COUNT };
struct star_names lib_predeclared_names(struct arena *arena);
// Their values on a thread; 0 when memory is out.
size_t lib_predeclared_bind(struct star_thread *thread,
                            struct star_binding bindings[LIB_PREDECLARED_MAX]);

// Compiles one file's text; NULL when it has static errors, all of which are added to `errors`.
struct lib_program *lib_program_compile(struct arena *arena, str file, str text,
                                        struct error_list *errors);
// One error of the interpreter as ours: code, message, and the backtrace (innermost last) with the
// lines of `sources`, a map of str *.
enum error_code lib_error_from_star(const struct star_thread *thread, const struct map *sources,
                                    struct error *err);

#endif
