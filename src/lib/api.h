#ifndef LIB_API_H
#define LIB_API_H

// What one lib file says about itself: its API dict as checked settings, and its functions'
// signatures (libs.md §3).
//
// Read from the syntax tree, never executed.  Inherited settings are resolved here: each direction
// has its own complete struct lib_http.  `${VAR}` is not expanded yet (lib_api_open does, at run
// time).
//
// Ownership: everything lives in the arena of the scan.
// Threads: read-only after the scan.

#include "base/error.h"
#include "base/list.h"
#include "http/auth.h"
#include "http/headers.h"

// HTTP settings of one direction, inherited ones included.
struct lib_http {
    struct http_headers headers; // values with `${VAR}`
    int64_t timeout_us;
    int64_t retry; // further attempts after the first
    int64_t backoff_us;
    int64_t rate_requests; // 0: no limit
    int64_t rate_period_us;
};

struct lib_fetch {
    bool present;
    struct str_list args;
    int64_t page_size; // 0: no size is asked for
    bool limits_columns;
    struct str_list supported_columns; // without case; only when limits_columns
    bool limits_kinds;
    struct str_list supported_kinds; // only when limits_kinds
    bool is_async;
    int64_t poll_interval_us;
    int64_t poll_timeout_us;
    double poll_backoff;
    struct lib_http http;
};

enum lib_batch_mode { LIB_BATCH_SYNC, LIB_BATCH_ATOMIC, LIB_BATCH_ASYNC };

struct lib_push {
    bool present;
    struct str_list args;
    bool limits_kinds;
    struct str_list supported_kinds;
    int64_t batch_size;
    bool has_batch_size; // written, not the default
    enum lib_batch_mode batch_mode;
    int64_t max_concurrent;
    int64_t poll_interval_us;
    int64_t poll_timeout_us;
    int64_t max_attempts; // 0: unlimited
    struct lib_http http;
};

// What a declarative sync may ask of the lib (libs.md §6.9).
struct lib_sync {
    bool present;
    struct str_list resources;
    struct str_list operations;
    str id_field;
    str modified_field;
    struct str_list filter_operators;
    int64_t max_batch; // 0: not written
    bool atomic;
};

struct lib_api {
    str base_url; // with `${VAR}`; empty: none
    struct http_auth_spec auth;
    struct lib_fetch fetch;
    struct lib_push push;
    struct lib_sync sync;
};

struct lib_parameter {
    str name;
    bool has_default;
    bool is_keyword_only;
};

// A function defined at the top level of the file.
struct lib_function {
    str name;
    int line; // of `def`
    int column;
    struct lib_parameter *parameters; // without *args and **kwargs
    size_t parameter_count;
    bool takes_args;   // *args
    bool takes_kwargs; // **kwargs
};

// Whether the function can be given `name` by keyword.
bool lib_function_accepts(const struct lib_function *function, str name);
const struct lib_parameter *lib_function_parameter(const struct lib_function *function, str name);

#endif
