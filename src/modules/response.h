#ifndef MODULES_RESPONSE_H
#define MODULES_RESPONSE_H

// The value that http.* functions return (libs.md §8.2): fields are made when they are touched.
//
// A failed answer (429, 5xx) that nobody asked about raises when its content is read before `ok` or
// `status_code`, or at the end of the call (modules_call_end).
// Ownership: response_new takes the http_response over, also when it fails.
// Threads: the thread's own.

#include "http/http.h"
#include "starlark/starlark.h"

// `watched`: raise when unasked.
star_value response_new(struct star_thread *thread, const struct http_request *request,
                        struct http_response *response, bool watched);

#endif
