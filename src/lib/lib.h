#ifndef LIB_LIB_H
#define LIB_LIB_H

// The lib functions of a project: every lib/*.star read, checked and compiled, before anything
// runs; and running them.
//
//     struct lib_set set;
//     TRY(lib_scan(arena, &(struct lib_scan_options){…}, &set, err));
//     … set.errors: everything wrong in any file …
//     const struct lib *lib = lib_find(&set, STR("hubspot"));
//     struct lib_instance *instance;            // one a model run and direction
//     TRY(lib_instance_new(&set, lib, &options, &instance, err));
//     struct lib_worker *worker;                // one an OS thread
//     TRY(lib_worker_new(instance, &worker, err));
//     TRY(lib_worker_call(worker, &(struct lib_call){.function = "push", …}, &result, err));
//
// Ownership: a set lives in its arena, but lib_set_done must be called (programs, rate limiters).
// Instances and workers are freed by their own functions, workers before their instance.
// Errors: a broken file never stops the scan of the others: its errors are in `set->errors`, sorted
// by file, and the lib is `broken`.  lib_scan itself fails only when lib/ cannot be read.
// Threads: a set is read-only after the scan, but for the rate limiters, which lock for themselves;
// an instance is shared by its workers; a worker belongs to one OS thread at a time.

#include "base/context.h"
#include "base/map.h"
#include "lib/api.h"
#include "modules/modules.h"

struct lib_program;

struct lib {
    str name; // stem of the file = the SQL function = the sink
    str file; // "lib/hubspot.star"
    bool broken;
    int api_line; // of `API =`
    struct lib_api api;
    struct lib_function *functions; // of the top level
    size_t function_count;
    struct lib_program *program;      // NULL when broken
    struct rate_limit *fetch_limiter; // NULL: none.  Shared by all threads of the process
    struct rate_limit
        *push_limiter; // the same object as fetch_limiter when push has none of its own
};

struct lib_set {
    struct arena *arena;
    const struct context *context;
    str project;        // root folder, absolute, symlinks resolved
    struct lib **items; // by name; helpers are not in it
    size_t count;
    size_t capacity;
    struct map by_name; // struct lib *, without case
    struct error_list errors;
    struct error_list notes; // INFO: lib.top_level_control, blueprint.unchecked_status, …
    struct map sources;      // text of every file read, str * by file
};

struct lib_scan_options {
    const struct context *context;
    str project; // root folder, absolute
    str catalog; // the lake's alias: a reserved name; empty when not known
    // What else a name may be: "" when the name is free, else what it is ("the macro in
    // config/macros/x.sql", "a table function of DuckDB").  NULL: not asked.
    str (*name_taken_by)(void *self, str name);
    void *name_self;
};

MUST_USE enum error_code lib_scan(struct arena *arena, const struct lib_scan_options *options,
                                  struct lib_set *set, struct error *err);
void lib_set_done(struct lib_set *set);

// NULL when there is none.  Without case.
const struct lib *lib_find(const struct lib_set *set, str name);
// NULL when the file has no such top-level function.
const struct lib_function *lib_function_find(const struct lib *lib, str name);
// The names of the libs that have the direction, for messages: "a, b"; "none" when there are none.
str lib_names_with_fetch(const struct lib_set *set, struct arena *arena);
str lib_names_with_push(const struct lib_set *set, struct arena *arena);
// For sql_check_fetch and models_options: self is the struct lib_set.  True for libs with fetch.
bool lib_set_has_fetch(void *set, str name);

// ── Running ──

enum lib_direction { LIB_FETCH, LIB_PUSH };

struct lib_instance;
struct lib_worker;

struct lib_instance_options {
    enum lib_direction direction;
    str prints_as; // the model to name before printed lines, when several run at once; else empty
    struct modules_data data;
    struct modules_incremental incremental; // fetch; zero in push
    struct interrupt *interrupt;            // ends every call; NULL: the context's
    // A warning at run time (rule lib.auth_foreign_host); may be NULL.
    void (*warn)(void *self, const struct error *warning);
    void *warn_self;
};

// Resolves variables, auth and headers of the direction and runs the file's top level (and what it
// loads) once: the frozen module that all workers share.  ERROR_INVALID for `auth: API_KEY is not
// set (lib/x.star)` and for what the top level did wrong, with backtrace.
MUST_USE enum error_code lib_instance_new(const struct lib_set *set, const struct lib *lib,
                                          const struct lib_instance_options *options,
                                          struct lib_instance **instance, struct error *err);
void lib_instance_free(struct lib_instance *instance); // takes NULL

// One interpreter with its HTTP connections.
MUST_USE enum error_code lib_worker_new(struct lib_instance *instance, struct lib_worker **worker,
                                        struct error *err);
// One more interpreter heap on the connections of `sibling`: the results of two calls can be alive
// at a time.  Both are called from one OS thread; free it before `sibling`.
MUST_USE enum error_code lib_worker_share(struct lib_worker *sibling, struct lib_worker **worker,
                                          struct error *err);
void lib_worker_free(struct lib_worker *worker); // takes NULL
// For making arguments and reading results.
struct star_thread *lib_worker_thread(struct lib_worker *worker);
// Frees every value made since the last reset.
void lib_worker_reset(struct lib_worker *worker);

struct lib_call {
    const char *function;
    const struct star_binding
        *arguments; // by keyword; what the function does not declare is dropped
    size_t argument_count;
    bool abort_allowed;   // fetch and submit
    int64_t batch_number; // what sink.batch_number reads
};

// What may explain an error made of the last call's result; empty when there is nothing.  Errors of
// lib_worker_call carry it as their hint already.
str lib_worker_note(const struct lib_worker *worker);

// Calls a function of the file.  *aborted (may be NULL unless abort_allowed) tells a call that
// ended by abort(); *result is None then.  The result lives until lib_worker_reset.
// Errors: ERROR_INVALID (the script failed), ERROR_CANCELLED, ERROR_LIMIT, the HTTP codes, and
// ERROR_REMOTE for a 5xx nobody looked at; err->trace is the backtrace, innermost last.
MUST_USE enum error_code lib_worker_call(struct lib_worker *worker, const struct lib_call *call,
                                         star_value *result, bool *aborted, struct error *err);

#endif
