#ifndef HTTP_URL_H
#define HTTP_URL_H

// URLs of http and https: taking apart, joining, query parameters, comparing hosts.
//
// Ownership: parts borrow from the parsed text; built URLs live in the arena.
// Errors: ERROR_INVALID with the redacted URL in the message.
// Threads: values.

#include "base/error.h"
#include "base/list.h"

struct arena;
struct text;

enum { URL_SIZE_MAX = 1 << 20 }; // bytes of one URL

struct url {
    str scheme;   // "http" or "https" in any case, as written; empty in a relative reference
    str userinfo; // before the "@"; usually empty
    str host;     // without brackets around an IPv6 address
    int port;     // 0: not written
    str path;     // as written
    str query;    // without "?"
    str fragment; // without "#"
    bool has_query;
};

// Takes any URL reference apart; ERROR_INVALID for a port that is no number or a bad IPv6 bracket.
MUST_USE enum error_code url_parse(str text, struct url *url, struct error *err);
// The port that is used: 80 or 443 when none is written.
int url_port(const struct url *url);
bool url_is_https(const struct url *url);
// Starts with http:// or https://, without case.
bool url_is_absolute(str text);
// Host without case, scheme and port are the same.
bool url_same_origin(const struct url *a, const struct url *b);

// The URL a request goes to: `reference` when it is absolute, else `base` + "/" + reference with
// exactly one slash between (libs.md §3.1).  The fragment is dropped, spaces, control characters
// and non-ASCII bytes are percent-encoded.  ERROR_INVALID when `reference` is relative and `base`
// empty, or when the result is no http(s) URL with a host.
MUST_USE enum error_code url_build(struct arena *arena, str base, str reference, str *url,
                                   struct error *err);
// What a Location or Link header means (RFC 3986 §5.2), percent-encoded as by url_build.
str url_resolve(struct arena *arena, str base, str reference);

struct url_param {
    str name;
    str value;
};
struct url_params {
    struct url_param *items;
    size_t count;
    size_t capacity;
};
void url_params_add(struct arena *arena, struct url_params *params, str name, str value);
// Splits a query ("a=1&b=2"), decoding percent signs and "+".
void url_params_parse(struct arena *arena, str query, struct url_params *params);
// Puts the parameters behind the URL's query; a parameter of the URL with a name among them is
// taken out first.  What else stands in the query keeps its text and order.
str url_with_params(struct arena *arena, str url, const struct url_params *params);

// Form encoding: letters, digits and "-._~" stay, a space becomes "+", the rest %XX.
void url_form_encode(struct text *out, str value);
// "a=1&b=2" of the parameters in their order.
void url_params_encode(struct text *out, const struct url_params *params);
// "%41+b" → "A b"; a bad escape stays as it is.
str url_form_decode(struct arena *arena, str value);

// The URL as errors may show it: no user info, and [REDACTED] for the values of parameters whose
// name tells of a secret (libs.md §11.3 d).
str url_redact(struct arena *arena, str url);

// Whether `host` ("api.example", or with ":port") is meant by one of the patterns: "a.example",
// "a.example:8443", "*.b.example" (any depth below), "*".
bool url_host_matches(const struct url *url, const struct str_list *patterns);

#endif
