#ifndef MODULES_BUILTINS_H
#define MODULES_BUILTINS_H

// The tables of native functions, one a file; table.c makes the modules and flat names of them.

#include "starlark/starlark.h"

struct builtin_table {
    const char *module;                   // NULL: flat names
    const struct star_builtin *functions; // of a module named "module.function"
    size_t count;
};

extern const struct builtin_table http_builtins;
extern const struct builtin_table env_builtins;
extern const struct builtin_table url_builtins;
extern const struct builtin_table crypto_builtins;
extern const struct builtin_table csv_builtins;
extern const struct builtin_table xml_builtins;
extern const struct builtin_table schema_builtins;
extern const struct builtin_table hash_builtins; // flat: md5, sha256, …
extern const struct builtin_table file_builtins;
extern const struct builtin_table data_builtins; // query, lookup, getvariable
extern const struct builtin_table call_builtins; // abort, sleep

// The values `incremental` and `sink`, which read their host at each touch.
star_value incremental_new(struct star_thread *thread);
star_value sink_new(struct star_thread *thread);

#endif
