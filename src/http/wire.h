#ifndef HTTP_WIRE_H
#define HTTP_WIRE_H

// One request over libcurl and its answer: no retries, redirects or authentication; those are
// client.c's.  Connections stay open between calls.
//
// Ownership: a wire belongs to one client; the response is the caller's (http_response_done).
// Errors: as in http.h; the message is the bare cause ("connection reset").
// Threads: one at a time.

#include "http/http.h"

struct context;
struct http_wire;

struct http_wire_request {
    str method;
    str url;                     // built by url_build
    struct http_headers headers; // all that are sent, but for Host, Content-Length and the like
    bool has_body;
    str body;
    const struct http_upload *upload;
    int64_t timeout_us;
    size_t body_size_max; // of the answer
    str cert, key, ca;
};

struct http_wire *http_wire_new(const struct context *context);
void http_wire_free(struct http_wire *wire);
// Fills status, reason, headers and body of `response`, whose arena is initialised by the caller.
MUST_USE enum error_code http_wire_send(struct http_wire *wire,
                                        const struct http_wire_request *request,
                                        struct http_response *response, struct error *err);

#endif
