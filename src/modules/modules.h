#ifndef MODULES_MODULES_H
#define MODULES_MODULES_H

// What lib files reach beside the language: http, env, url, crypto, csv, xml and the flat builtins
// (libs.md §8, §10), as Starlark values.
//
//     struct modules_host *host = modules_host_new(&options);          // one a worker thread
//     struct star_thread *thread = star_thread_new(&(struct star_thread_options){
//         .user = host, .print = modules_host_print, .print_user = host, …});
//     struct star_source source = {…, .predeclared = modules_names()};
//     struct star_binding bindings[MODULES_NAME_COUNT_MAX];
//     size_t count = modules_bind(thread, bindings);                   // for star_module_init
//     modules_call_begin(host, &(struct modules_call){.abort_allowed = true});
//     star_value result = star_call(thread, module, "fetch", &arguments);
//     TRY(modules_call_end(host, err));                                // the unasked 5xx of §8.3
//
// The values themselves hold no state: every builtin finds its host as star_thread_user(thread), so
// a frozen module works with the host of whichever thread calls it.
//
// Ownership: a host owns its HTTP client; all else is borrowed and must outlive it.
// Errors: builtins fail as Starlark errors; http and file trouble as STAR_HOST with the error_code
// as host_code, abort() as STAR_ABORTED. Threads: one host, one thread.

#include "base/error.h"
#include "http/http.h"
#include "starlark/starlark.h"

struct context;
struct modules_host;

enum { MODULES_NAME_COUNT_MAX = 64 };

// What needs the lake connection: filled in by the layer that has one.  A hook gives its result or
// fails with star_fail ("query: …"); a NULL hook makes the builtin an error.
struct modules_data {
    star_value (*query)(void *self, struct star_thread *thread, str sql, const star_value *params,
                        size_t param_count);
    // `where` is a list or tuple of scalars.
    star_value (*lookup)(void *self, struct star_thread *thread, str table, str key, str value,
                         star_value where);
    star_value (*getvariable)(void *self, struct star_thread *thread, str name);
    void *self;
};

// The fields of the struct `incremental` (libs.md §5.2); all-zero with is_backfill is "no state".
struct modules_incremental {
    bool is_backfill;
    str last_value;
    str initial_value;
    str last_run;
    str cursor;
};

struct modules_options {
    const struct context *context;
    str project_root;     // absolute
    str file;             // of the lib, for messages: "lib/x.star"
    str print_prefix;     // "[model lib] " when several models run at once; else empty
    struct http_api *api; // NULL: http without any setting
    // Absolute paths of files and folders that no script may read (state file, catalog), beside
    // .env, .coypu/ and config/ of the project, which never are.
    struct str_list secret_paths;
    struct modules_data data;
    struct modules_incremental incremental;
};

struct modules_host *modules_host_new(const struct modules_options *options);
void modules_host_free(struct modules_host *host);
// For star_thread_options.print: one redacted line to the log.
void modules_host_print(void *host, const char *text, size_t size);

// One call of a function of the lib.
struct modules_call {
    bool abort_allowed;   // fetch and submit
    int64_t batch_number; // what sink.batch_number reads in push
};
void modules_call_begin(struct modules_host *host, const struct modules_call *call);
// ERROR_REMOTE when a 429 or 5xx answer of this call was never looked at (libs.md §8.3).  Call it
// when the function returned without an error, before the thread is reset.
MUST_USE enum error_code modules_call_end(struct modules_host *host, struct error *err);

// What may explain a failure of this call (a body that was not JSON); empty when there is nothing.
// Borrowed until the next modules_call_begin.
str modules_call_note(const struct modules_host *host);

// For the hooks of struct modules_data: an error of ours as the thread's.  ERROR_INVALID is the
// script's own, the rest the world's.
star_value modules_fail(struct star_thread *thread, const struct error *err);

// The names for the resolver, and their values made on `thread`.
struct star_names modules_names(void);
// Fills at most MODULES_NAME_COUNT_MAX bindings and gives their number; 0 when memory is out.
size_t modules_bind(struct star_thread *thread, struct star_binding *bindings);

// The read-only `page` of fetch and fetch_result.
star_value modules_page(struct star_thread *thread, star_value cursor, int64_t size,
                        int64_t number);

// {"type": "integer"} and so on for a DuckDB type name, list or dict of them (libs.md §10.3).
star_value modules_json_schema(struct star_thread *thread, star_value type);

#endif
