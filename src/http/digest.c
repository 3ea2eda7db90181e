#include "http/digest.h"

#include "base/arena.h"
#include "base/text.h"

#include <inttypes.h>

static bool starts_with_nocase(str text, str prefix) {
    return str_equal_nocase(str_slice(text, 0, prefix.size), prefix);
}

// Reads `name=value` or `name="quoted"` from *rest; false at the end or at the next scheme.
static bool next_parameter(struct arena *arena, str *rest, str *name, str *value) {
    *rest = str_trim(*rest);
    while (str_starts_with(*rest, STR(","))) {
        *rest = str_trim(str_from_offset(*rest, 1));
    }
    const size_t equals = str_find_char(*rest, '=');
    if (equals == SIZE_MAX) {
        return false;
    }
    *name = str_trim(str_slice(*rest, 0, equals));
    if (str_find_char(*name, ' ') != SIZE_MAX) {
        return false; // "Basic realm": the next challenge
    }
    str left = str_trim(str_from_offset(*rest, equals + 1));
    if (!str_starts_with(left, STR("\""))) {
        const size_t comma = str_find_char(left, ',');
        *value = str_trim(str_slice(left, 0, comma));
        *rest = comma == SIZE_MAX ? (str){0} : str_from_offset(left, comma);
        return true;
    }
    struct text out;
    text_init(&out, arena);
    size_t i = 1;
    for (; i < left.size && left.data[i] != '"'; i++) {
        if (left.data[i] == '\\' && i + 1 < left.size) {
            i++;
        }
        text_add_char(&out, left.data[i]);
    }
    *value = text_str(&out);
    *rest = str_from_offset(left, i + 1);
    return true;
}

static void read_qop(struct http_digest *challenge, str value) {
    struct str_splitter splitter = {.rest = value};
    str word;
    challenge->has_qop = true;
    while (str_split_next(&splitter, ',', &word)) {
        challenge->qop_auth |= str_equal_nocase(str_trim(word), STR("auth"));
        challenge->qop_auth_int |= str_equal_nocase(str_trim(word), STR("auth-int"));
    }
}

// false: an algorithm we do not know.
static bool read_algorithm(struct http_digest *challenge, str value) {
    static const struct {
        str name;
        enum hash_algorithm algorithm;
        bool session;
    } known[] = {
        {STR_INIT("MD5"), HASH_MD5, false},
        {STR_INIT("MD5-sess"), HASH_MD5, true},
        {STR_INIT("SHA-256"), HASH_SHA256, false},
        {STR_INIT("SHA-256-sess"), HASH_SHA256, true},
    };
    for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
        if (str_equal_nocase(value, known[i].name)) {
            challenge->algorithm = known[i].algorithm;
            challenge->session = known[i].session;
            challenge->names_algorithm = true;
            return true;
        }
    }
    return false;
}

// One challenge behind the word "Digest"; false when we cannot answer it.
static bool read_challenge(struct arena *arena, str *rest, struct http_digest *challenge) {
    *challenge = (struct http_digest){.algorithm = HASH_MD5};
    bool known = true;
    str name;
    str value;
    while (next_parameter(arena, rest, &name, &value)) {
        if (str_equal_nocase(name, STR("realm"))) {
            challenge->realm = value;
        } else if (str_equal_nocase(name, STR("nonce"))) {
            challenge->nonce = value;
        } else if (str_equal_nocase(name, STR("opaque"))) {
            challenge->opaque = value;
            challenge->has_opaque = true;
        } else if (str_equal_nocase(name, STR("algorithm"))) {
            known = read_algorithm(challenge, value);
        } else if (str_equal_nocase(name, STR("qop"))) {
            read_qop(challenge, value);
        } else if (str_equal_nocase(name, STR("stale"))) {
            challenge->stale = str_equal_nocase(value, STR("true"));
        } else if (str_equal_nocase(name, STR("userhash"))) {
            challenge->user_hash = str_equal_nocase(value, STR("true"));
        }
    }
    const bool qop_known = !challenge->has_qop || challenge->qop_auth || challenge->qop_auth_int;
    return known && qop_known && challenge->nonce.size > 0;
}

bool http_digest_parse(struct arena *arena, const struct http_headers *headers,
                       struct http_digest *challenge) {
    bool found = false;
    for (size_t i = 0; i < headers->count; i++) {
        str rest = headers->items[i].value;
        if (!str_equal_nocase(headers->items[i].name, STR("WWW-Authenticate"))) {
            continue;
        }
        while (rest.size > 0) {
            if (!starts_with_nocase(rest, STR("Digest "))) {
                rest = str_from_offset(rest, 1);
                continue;
            }
            rest = str_from_offset(rest, 7);
            struct http_digest read;
            if (read_challenge(arena, &rest, &read) &&
                (!found || (read.algorithm == HASH_SHA256 && challenge->algorithm == HASH_MD5))) {
                *challenge = read;
                found = true;
            }
        }
    }
    return found;
}

static void add_quoted(struct text *out, const char *name, str value) {
    text_format(out, "%s=\"", name);
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] == '"' || value.data[i] == '\\') {
            text_add_char(out, '\\');
        }
        text_add_char(out, value.data[i]);
    }
    text_add_char(out, '"');
}

static str hash_of(struct arena *arena, const struct http_digest *challenge, str text) {
    return hash_hex(arena, challenge->algorithm, text);
}

static str secret_hash(struct arena *arena, const struct http_digest *challenge,
                       const struct http_digest_call *call) {
    const str a1 =
        hash_of(arena, challenge,
                str_format(arena, STR_FORMAT ":" STR_FORMAT ":" STR_FORMAT, STR_ARGS(call->user),
                           STR_ARGS(challenge->realm), STR_ARGS(call->password)));
    if (!challenge->session) {
        return a1;
    }
    return hash_of(arena, challenge,
                   str_format(arena, STR_FORMAT ":" STR_FORMAT ":" STR_FORMAT, STR_ARGS(a1),
                              STR_ARGS(challenge->nonce), STR_ARGS(call->cnonce)));
}

static str request_hash(struct arena *arena, const struct http_digest *challenge,
                        const struct http_digest_call *call, bool with_body) {
    str a2 =
        str_format(arena, STR_FORMAT ":" STR_FORMAT, STR_ARGS(call->method), STR_ARGS(call->uri));
    if (with_body) {
        const str body = hash_of(arena, challenge, call->body);
        a2 = str_format(arena, STR_FORMAT ":" STR_FORMAT, STR_ARGS(a2), STR_ARGS(body));
    }
    return hash_of(arena, challenge, a2);
}

str http_digest_answer(struct arena *arena, const struct http_digest *challenge,
                       const struct http_digest_call *call) {
    // The body is vouched for only when the server insists: auth is what servers get right.
    const bool with_body = challenge->has_qop && !challenge->qop_auth && call->body_is_known;
    const char *qop = with_body ? "auth-int" : "auth";
    const str a1 = secret_hash(arena, challenge, call);
    const str a2 = request_hash(arena, challenge, call, with_body);
    const str middle =
        challenge->has_qop
            ? str_format(arena, STR_FORMAT ":%08" PRIx32 ":" STR_FORMAT ":%s",
                         STR_ARGS(challenge->nonce), call->nonce_count, STR_ARGS(call->cnonce), qop)
            : challenge->nonce;
    const str response = hash_of(arena, challenge,
                                 str_format(arena, STR_FORMAT ":" STR_FORMAT ":" STR_FORMAT,
                                            STR_ARGS(a1), STR_ARGS(middle), STR_ARGS(a2)));
    str user = call->user;
    if (challenge->user_hash) {
        user = hash_of(arena, challenge,
                       str_format(arena, STR_FORMAT ":" STR_FORMAT, STR_ARGS(call->user),
                                  STR_ARGS(challenge->realm)));
    }
    struct text out;
    text_init(&out, arena);
    text_add(&out, STR("Digest "));
    add_quoted(&out, "username", user);
    add_quoted(&out, ", realm", challenge->realm);
    add_quoted(&out, ", nonce", challenge->nonce);
    add_quoted(&out, ", uri", call->uri);
    add_quoted(&out, ", response", response);
    if (challenge->names_algorithm) {
        text_format(&out, ", algorithm=%s%s", challenge->algorithm == HASH_MD5 ? "MD5" : "SHA-256",
                    challenge->session ? "-sess" : "");
    }
    if (challenge->has_qop) {
        text_format(&out, ", qop=%s, nc=%08" PRIx32, qop, call->nonce_count);
        add_quoted(&out, ", cnonce", call->cnonce);
    }
    if (challenge->has_opaque) {
        add_quoted(&out, ", opaque", challenge->opaque);
    }
    if (challenge->user_hash) {
        text_add(&out, STR(", userhash=true"));
    }
    return text_str(&out);
}
