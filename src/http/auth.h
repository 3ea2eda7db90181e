#ifndef HTTP_AUTH_H
#define HTTP_AUTH_H

// Who we are to an API: the `auth` entry of an API dict as it was written (http_auth_spec) and as
// it goes on the wire (http_auth).
//
// Ownership: strings are borrowed; what http_auth_resolve makes lives in its arena.
// Errors: ERROR_INVALID when a variable is not set or blank, or the pattern is not built yet.
// Threads: values; a token source locks for itself.

#include "base/error.h"
#include "base/list.h"

struct arena;
struct environment;
struct redactor;

enum http_auth_kind {
    HTTP_AUTH_NONE,
    HTTP_AUTH_BEARER, // Authorization: Bearer <secret>
    HTTP_AUTH_HEADER, // <name>: <prefix><secret>
    HTTP_AUTH_PARAM,  // query parameter <name>=<secret>
    HTTP_AUTH_BASIC,  // Authorization: Basic base64(user:secret)
    HTTP_AUTH_DIGEST, // RFC 7616, answered after the server's challenge
    HTTP_AUTH_TOKEN,  // Authorization: Bearer <what the source gives>
};

// Where tokens that expire come from (OAuth grants).  `get` is called before each request; with
// `refused` set after a 401, to the token that was refused, and must then fetch a new one.
struct http_token_source {
    enum error_code (*get)(void *self, str refused, struct arena *arena, str *token,
                           struct error *err);
    void *self;
};

struct http_auth {
    enum http_auth_kind kind;
    str name;                        // HEADER, PARAM
    str prefix;                      // HEADER
    str user;                        // BASIC, DIGEST
    str secret;                      // token, key or password
    struct http_token_source source; // TOKEN
};

// A literal, or the name of a variable.
struct http_auth_value {
    str text;
    bool is_variable;
};

enum http_auth_pattern {
    HTTP_AUTH_PATTERN_NONE,
    HTTP_AUTH_PATTERN_ENV,                // {"env": K}, with "header" (and "prefix") or "param"
    HTTP_AUTH_PATTERN_USER,               // {"user": …, "pass": …}
    HTTP_AUTH_PATTERN_SERVICE_ACCOUNT,    // {"service_account": …, "scope": …}
    HTTP_AUTH_PATTERN_PROVIDER,           // {"provider": name}
    HTTP_AUTH_PATTERN_CLIENT_CREDENTIALS, // {"token_url": …, "client_id": …, "client_secret": …}
};

// One `auth` dict, checked for its shape by who parsed it.
struct http_auth_spec {
    enum http_auth_pattern pattern;
    struct http_auth_value key; // ENV's K; service account's file
    str header;
    str prefix;
    str param;
    struct http_auth_value user;
    struct http_auth_value pass;
    str provider;
    str token_url;
    struct http_auth_value client_id;
    struct http_auth_value client_secret;
    struct str_list scope;
    str subject;
    struct str_list hosts; // further hosts that get the credentials (url_host_matches)
};

// Reads the variables (trailing newlines trimmed) and tells the redactor their values.  `file` is
// the lib file, for `auth: API_KEY is not set (lib/x.star)`.
MUST_USE enum error_code http_auth_resolve(const struct http_auth_spec *spec,
                                           struct environment *environment,
                                           struct redactor *redactor, str file, struct arena *arena,
                                           struct http_auth *auth, struct error *err);

#endif
