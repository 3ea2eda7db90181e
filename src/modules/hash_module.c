// crypto.* and the flat names for the same: hashes, base64, uuid.
#include "base/context.h"
#include "base/hash.h"
#include "modules/argument.h"
#include "modules/builtins.h"
#include "modules/host.h"

static const struct star_parameter one[] = {{"s", STAR_REQUIRED, 0}};
static const struct star_parameter two[] = {{"key", STAR_REQUIRED, 0}, {"msg", STAR_REQUIRED, 0}};

static star_value hash_call(struct star_thread *thread, const struct star_call_info *call,
                            const char *what, enum hash_algorithm algorithm) {
    SCRATCH(scratch);
    str bytes;
    if (!argument_bytes(thread, what, call->arguments[0], &bytes)) {
        return STAR_ERROR;
    }
    return value_from_str(thread, hash_hex(&scratch, algorithm, bytes));
}

static star_value hmac_call(struct star_thread *thread, const struct star_call_info *call,
                            const char *what, enum hash_algorithm algorithm) {
    SCRATCH(scratch);
    str key;
    str message;
    if (!argument_bytes(thread, what, call->arguments[0], &key) ||
        !argument_bytes(thread, what, call->arguments[1], &message)) {
        return STAR_ERROR;
    }
    return value_from_str(thread, hmac_hex(&scratch, algorithm, key, message));
}

static star_value encode_call(struct star_thread *thread, const struct star_call_info *call,
                              const char *what) {
    SCRATCH(scratch);
    str bytes;
    if (!argument_bytes(thread, what, call->arguments[0], &bytes)) {
        return STAR_ERROR;
    }
    return value_from_str(thread, base64_encode(&scratch, bytes));
}

static star_value decode_call(struct star_thread *thread, const struct star_call_info *call,
                              const char *what) {
    SCRATCH(scratch);
    str text;
    str bytes;
    if (!argument_bytes(thread, what, call->arguments[0], &text)) {
        return STAR_ERROR;
    }
    if (!base64_decode(&scratch, text, &bytes)) {
        return star_fail(thread, "%s: not base64", what);
    }
    return str_is_utf8(bytes) ? value_from_str(thread, bytes)
                              : star_bytes(thread, bytes.data, bytes.size);
}

static star_value uuid(struct star_thread *thread, const struct star_call_info *call) {
    (void)call;
    SCRATCH(scratch);
    unsigned char bytes[16];
    context_random(modules_host_of(thread)->options.context, bytes, sizeof(bytes));
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); // version 4, RFC 9562
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    const str hex = hex_encode(&scratch, bytes, sizeof(bytes));
    char text[36];
    size_t size = 0;
    for (size_t i = 0; i < hex.size; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20) {
            text[size++] = '-';
        }
        text[size++] = hex.data[i];
    }
    return star_string(thread, text, size);
}

// A function of the module and, where there is one, its flat twin: they differ in the name that
// their errors carry.
#define DEFINE(name, text, body)                                                                   \
    static star_value name(struct star_thread *thread, const struct star_call_info *call) {        \
        return body(thread, call, text);                                                           \
    }
#define DEFINE_HASH(name, text, body, algorithm)                                                   \
    static star_value name(struct star_thread *thread, const struct star_call_info *call) {        \
        return body(thread, call, text, algorithm);                                                \
    }
DEFINE_HASH(crypto_md5, "crypto.md5", hash_call, HASH_MD5)
DEFINE_HASH(crypto_sha1, "crypto.sha1", hash_call, HASH_SHA1)
DEFINE_HASH(crypto_sha256, "crypto.sha256", hash_call, HASH_SHA256)
DEFINE_HASH(crypto_sha512, "crypto.sha512", hash_call, HASH_SHA512)
DEFINE_HASH(crypto_hmac_sha1, "crypto.hmac_sha1", hmac_call, HASH_SHA1)
DEFINE_HASH(crypto_hmac_sha256, "crypto.hmac_sha256", hmac_call, HASH_SHA256)
DEFINE_HASH(crypto_hmac_sha512, "crypto.hmac_sha512", hmac_call, HASH_SHA512)
DEFINE(crypto_base64_encode, "crypto.base64_encode", encode_call)
DEFINE(crypto_base64_decode, "crypto.base64_decode", decode_call)
DEFINE_HASH(flat_md5, "md5", hash_call, HASH_MD5)
DEFINE_HASH(flat_sha256, "sha256", hash_call, HASH_SHA256)
DEFINE_HASH(flat_hmac_sha256, "hmac_sha256", hmac_call, HASH_SHA256)
DEFINE(flat_base64_encode, "base64_encode", encode_call)
DEFINE(flat_base64_decode, "base64_decode", decode_call)

static const struct star_builtin crypto_functions[] = {
    STAR_BUILTIN("crypto.md5", crypto_md5, one),
    STAR_BUILTIN("crypto.sha1", crypto_sha1, one),
    STAR_BUILTIN("crypto.sha256", crypto_sha256, one),
    STAR_BUILTIN("crypto.sha512", crypto_sha512, one),
    STAR_BUILTIN("crypto.hmac_sha1", crypto_hmac_sha1, two),
    STAR_BUILTIN("crypto.hmac_sha256", crypto_hmac_sha256, two),
    STAR_BUILTIN("crypto.hmac_sha512", crypto_hmac_sha512, two),
    STAR_BUILTIN("crypto.base64_encode", crypto_base64_encode, one),
    STAR_BUILTIN("crypto.base64_decode", crypto_base64_decode, one),
};
const struct builtin_table crypto_builtins = {"crypto", crypto_functions,
                                              ARRAY_COUNT(crypto_functions)};

static const struct star_parameter none[] = {{"", 0, 0}};
static const struct star_builtin flat_functions[] = {
    STAR_BUILTIN("md5", flat_md5, one),
    STAR_BUILTIN("sha256", flat_sha256, one),
    STAR_BUILTIN("hmac_sha256", flat_hmac_sha256, two),
    STAR_BUILTIN("base64_encode", flat_base64_encode, one),
    STAR_BUILTIN("base64_decode", flat_base64_decode, one),
    {"uuid", uuid, none, 0},
};
const struct builtin_table hash_builtins = {NULL, flat_functions, ARRAY_COUNT(flat_functions)};
