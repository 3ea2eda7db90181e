#include "base/hash.h"

#include "base/arena.h"
#include "base/number.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <assert.h>
#include <stdlib.h>

struct sha256 {
    EVP_MD_CTX *digest;
};

struct sha256 *sha256_new(void) {
    struct sha256 *hash = memory_alloc(sizeof(*hash));
    hash->digest = EVP_MD_CTX_new();
    const int ready = hash->digest != NULL && EVP_DigestInit_ex(hash->digest, EVP_sha256(), NULL);
    if (!ready) {
        abort(); // OpenSSL without SHA-256 is no OpenSSL
    }
    return hash;
}

void sha256_add(struct sha256 *hash, str bytes) {
    if (bytes.size > 0) {
        (void)EVP_DigestUpdate(hash->digest, bytes.data, bytes.size);
    }
}

void sha256_finish(struct sha256 *hash, unsigned char digest[SHA256_SIZE]) {
    (void)EVP_DigestFinal_ex(hash->digest, digest, NULL);
    EVP_MD_CTX_free(hash->digest);
    free(hash);
}

str hex_encode(struct arena *arena, const unsigned char *bytes, size_t size) {
    static const char digits[] = "0123456789abcdef";
    char *out = arena_alloc_bytes(arena, size * 2 + 1);
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[size * 2] = '\0';
    return (str){out, size * 2};
}

str sha256_hex(struct arena *arena, str bytes) {
    unsigned char digest[SHA256_SIZE];
    struct sha256 *hash = sha256_new();
    sha256_add(hash, bytes);
    sha256_finish(hash, digest);
    return hex_encode(arena, digest, sizeof(digest));
}

struct hash {
    EVP_MD_CTX *digest;
};

static const EVP_MD *hash_function(enum hash_algorithm algorithm) {
    switch (algorithm) {
    case HASH_MD5:
        return EVP_md5();
    case HASH_SHA1:
        return EVP_sha1();
    case HASH_SHA256:
        return EVP_sha256();
    case HASH_SHA512:
        return EVP_sha512();
    }
    return NULL;
}

struct hash *hash_new(enum hash_algorithm algorithm) {
    struct hash *hash = memory_alloc(sizeof(*hash));
    hash->digest = EVP_MD_CTX_new();
    if (hash->digest == NULL || !EVP_DigestInit_ex(hash->digest, hash_function(algorithm), NULL)) {
        abort(); // a FIPS-only OpenSSL has no MD5; there is nothing to go on with
    }
    return hash;
}

void hash_add(struct hash *hash, str bytes) {
    if (bytes.size > 0) {
        (void)EVP_DigestUpdate(hash->digest, bytes.data, bytes.size);
    }
}

str hash_finish(struct hash *hash, struct arena *arena) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    (void)EVP_DigestFinal_ex(hash->digest, digest, &size);
    EVP_MD_CTX_free(hash->digest);
    free(hash);
    return hex_encode(arena, digest, size);
}

str hash_hex(struct arena *arena, enum hash_algorithm algorithm, str bytes) {
    struct hash *hash = hash_new(algorithm);
    hash_add(hash, bytes);
    return hash_finish(hash, arena);
}

str hmac_hex(struct arena *arena, enum hash_algorithm algorithm, str key, str message) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (HMAC(hash_function(algorithm), key.size > 0 ? key.data : "", int_from_size(key.size),
             (const unsigned char *)(message.size > 0 ? message.data : ""), message.size, digest,
             &size) == NULL) {
        abort(); // lack of memory
    }
    return hex_encode(arena, digest, size);
}

str base64_encode(struct arena *arena, str bytes) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = arena_alloc_bytes(arena, (bytes.size + 2) / 3 * 4 + 1);
    size_t size = 0;
    for (size_t i = 0; i < bytes.size; i += 3) {
        uint32_t group = (uint32_t)(unsigned char)bytes.data[i] << 16;
        group |= i + 1 < bytes.size ? (uint32_t)(unsigned char)bytes.data[i + 1] << 8 : 0;
        group |= i + 2 < bytes.size ? (uint32_t)(unsigned char)bytes.data[i + 2] : 0;
        out[size++] = alphabet[group >> 18];
        out[size++] = alphabet[group >> 12 & 63];
        out[size++] = i + 1 < bytes.size ? alphabet[group >> 6 & 63] : '=';
        out[size++] = i + 2 < bytes.size ? alphabet[group & 63] : '=';
    }
    out[size] = '\0';
    return (str){out, size};
}

static int base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    if (c == '+' || c == '-') {
        return 62;
    }
    return c == '/' || c == '_' ? 63 : -1;
}

bool base64_decode(struct arena *arena, str text, str *bytes) {
    while (text.size > 0 && text.data[text.size - 1] == '=') {
        text.size--;
    }
    if (text.size % 4 == 1) {
        return false;
    }
    char *out = arena_alloc_bytes(arena, text.size / 4 * 3 + 4);
    size_t size = 0;
    uint32_t bits = 0;
    int have = 0;
    for (size_t i = 0; i < text.size; i++) {
        const int digit = base64_digit(text.data[i]);
        if (digit < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)digit;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[size++] = (char)(bits >> have & 255);
        }
    }
    *bytes = (str){out, size};
    return true;
}
