#ifndef HTTP_DIGEST_H
#define HTTP_DIGEST_H

// Digest access authentication (RFC 7616): reading a challenge and answering it.
//
// Ownership: a challenge's texts live in the arena it was parsed with.
// Errors: none; a challenge we cannot answer is as good as none.
// Threads: values.

#include "base/hash.h"
#include "http/headers.h"

struct arena;

struct http_digest {
    str realm;
    str nonce;
    str opaque;
    bool has_opaque;
    enum hash_algorithm algorithm; // MD5 or SHA256
    bool session;                  // -sess
    bool names_algorithm;          // the server wrote `algorithm`
    bool user_hash;
    bool has_qop; // false: RFC 2069
    bool qop_auth, qop_auth_int;
    bool stale;
};

// The strongest challenge of the WWW-Authenticate headers that we can answer; false when there is
// none.
bool http_digest_parse(struct arena *arena, const struct http_headers *headers,
                       struct http_digest *challenge);

struct http_digest_call {
    str method;
    str uri; // path and query as they are sent
    str user;
    str password;
    str body;
    bool body_is_known;   // false: streamed, auth-int cannot be answered
    uint32_t nonce_count; // from 1, of this nonce
    str cnonce;
};
// The value of the Authorization header.
str http_digest_answer(struct arena *arena, const struct http_digest *challenge,
                       const struct http_digest_call *call);

#endif
