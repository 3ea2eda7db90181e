#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

// Sends requests to APIs: base URL, authentication, retries, rate limit and redirects applied.
//
//     struct http_response response = {0};
//     TRY(http_send(client, api, &(struct http_request){.method = STR("GET"), .url =
//     STR("/items")},
//                   &response, err));
//     … response.status, response.body …
//     http_response_done(&response);
//
// An answer is not an error, whatever its status: 503 after the last attempt is a response, so that
// a script can look at it (libs.md §8.3).  http_status_error makes the error for one nobody looked
// at.
//
// Ownership: an http_api borrows its config and is shared; a client belongs to one thread and keeps
// its connections open until it is freed.  A response owns its memory (headers in its arena, the
// body in one malloc'ed buffer).
// Errors: ERROR_INVALID (bad URL, header or option; nothing was sent), ERROR_NETWORK and
// ERROR_TIMEOUT (no whole answer after all attempts), ERROR_REMOTE (redirects without end,
// Retry-After beyond five minutes), ERROR_LIMIT (body over HTTP_BODY_SIZE_MAX), ERROR_CANCELLED,
// ERROR_NOT_FOUND (no libcurl). Every message begins with the call and the redacted URL: `http.get
// https://api.x/v1: …`. Threads: one client, one thread; an http_api any number.

#include "base/arena.h"
#include "base/error.h"
#include "http/auth.h"
#include "http/headers.h"
#include "http/rate_limit.h"
#include "http/url.h"

struct context;
struct http_api;
struct http_client;

enum {
    HTTP_REDIRECTS_MAX = 10,
    HTTP_BODY_PADDING = 16,       // zero bytes behind a body, so that yyjson can parse it in place
    HTTP_ERROR_EXCERPT_SIZE = 300 // bytes of a body that an error shows
};
#define HTTP_BODY_SIZE_MAX ((size_t)2 << 30)
#define HTTP_TIMEOUT_DEFAULT_US ((int64_t)30 * 1000 * 1000)
#define HTTP_BACKOFF_DEFAULT_US ((int64_t)1000 * 1000)
#define HTTP_WAIT_MAX_US ((int64_t)5 * 60 * 1000 * 1000)

// What the API dict says, for one direction.  All-zero is an API without any setting.
struct http_config {
    str name;     // lib file, for messages: "lib/x.star"
    str base_url; // variables expanded; empty: none
    struct http_headers headers;
    int64_t timeout_us; // 0: HTTP_TIMEOUT_DEFAULT_US
    int64_t retry;      // further attempts after the first
    bool has_backoff;   // false: HTTP_BACKOFF_DEFAULT_US
    int64_t backoff_us;
    struct rate_limit *rate_limit; // borrowed; NULL: none
    struct http_auth auth;
    struct str_list auth_hosts;
    size_t body_size_max; // of an answer; 0: HTTP_BODY_SIZE_MAX
    // Told once per host that did not get the credentials (rule `lib.auth_foreign_host`); may be
    // NULL.
    void (*warn)(void *self, const struct error *warning);
    void *warn_self;
};

struct http_api *http_api_new(const struct http_config *config);
void http_api_free(struct http_api *api);
const struct http_config *http_api_config(const struct http_api *api);

// One client a worker thread.  Nothing is loaded or opened before the first request.
struct http_client *http_client_new(const struct context *context);
void http_client_free(struct http_client *client);

// A file sent as multipart/form-data, streamed from disk; `fields` come before it, in order.
struct http_upload {
    str path;         // absolute
    str field;        // name of the part
    str filename;     // as the server sees it
    str content_type; // empty: from the extension of `filename`
    struct url_params fields;
};

struct http_request {
    const char *label;           // how errors name the call: "http.upload"; NULL: "http." + method
    str method;                  // upper case
    str url;                     // absolute, or relative to the API's base_url
    struct http_headers headers; // win over the API's, without case
    struct url_params params;
    bool has_body; // an empty body is a body
    str body;
    str content_type;                 // used when no header says otherwise; empty: none
    const struct http_upload *upload; // instead of a body
    const struct http_auth *auth; // instead of the API's (kind NONE: send none); NULL: the API's
    int64_t timeout_us;           // 0: the API's
    bool has_retry;
    int64_t retry;
    bool has_backoff;
    int64_t backoff_us;
    str cert, key, ca;   // absolute paths of PEM files; empty: none
    bool keep_redirects; // a redirect is a response like any other
    bool keep_statuses;  // no status is ever an error, not even with a Retry-After beyond the limit
};

struct http_response {
    int status;
    str reason;                  // may be empty
    str url;                     // where the answer came from, after redirects; not redacted
    struct http_headers headers; // canonical names, in order
    char *body;                  // malloc'ed; HTTP_BODY_PADDING zero bytes follow; NULL when empty
    size_t body_size;
    int64_t elapsed_us; // all attempts and waits
    int attempts;
    struct arena arena;
};

MUST_USE enum error_code http_send(struct http_client *client, struct http_api *api,
                                   const struct http_request *request,
                                   struct http_response *response, struct error *err);
void http_response_done(struct http_response *response);
bool http_response_ok(const struct http_response *response); // 200–299
// 429 and 5xx: what http_send retries and a script must not overlook.
bool http_status_is_failure(int status);
// The body as UTF-8: decoded by the charset of Content-Type (default UTF-8), invalid bytes U+FFFD.
// Borrows the body when it is valid UTF-8 already.
str http_response_text(const struct http_response *response, struct arena *arena);
// `http.post https://api.x/v1/items: HTTP 503 after 4 attempts (12.3s): {"err": "busy"}`; returns
// ERROR_REMOTE.
enum error_code http_status_error(const struct http_request *request,
                                  const struct http_response *response, struct error *err);

#endif
