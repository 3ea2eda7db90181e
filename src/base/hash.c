#include "base/hash.h"

#include "base/arena.h"

#include <openssl/evp.h>
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
