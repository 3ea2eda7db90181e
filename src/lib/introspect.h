#ifndef LIB_INTROSPECT_H
#define LIB_INTROSPECT_H

// What a lib file can be asked without running it: the requests that stand in it, its signatures,
// the variables its credentials come from (libs.md §13).
//
// Ownership: everything lives in the arena given.  Threads: values.

#include "lib/lib.h"

// http.get("/path") in the source, as far as its first argument tells.
struct lib_request {
    str method;   // "GET"; "?" of http.request, whose method is an argument that is no literal
    str path;     // the literal; empty when it is computed
    str function; // the top-level function it stands in; empty outside of one
    int line;
};

struct lib_request_list {
    struct lib_request *items;
    size_t count;
    size_t capacity;
};

void lib_requests_find(struct arena *arena, const struct lib_set *set, const struct lib *lib,
                       struct lib_request_list *requests);

// "fetch(resource, page, limit = …)"
str lib_signature(struct arena *arena, const struct lib_function *function);

// "bearer", "header", "param", "basic", "service_account", "provider", "client_credentials", "none"
str lib_auth_name(const struct http_auth_spec *auth);
// The names of the variables that the auth pattern reads.
void lib_auth_variables(struct arena *arena, const struct http_auth_spec *auth,
                        struct str_list *names);

#endif
