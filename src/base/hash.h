#ifndef BASE_HASH_H
#define BASE_HASH_H

// SHA-256 and friends, by OpenSSL.

#include "base/str.h"

struct arena;

enum { SHA256_SIZE = 32 };

struct sha256;
struct sha256 *sha256_new(void);
void sha256_add(struct sha256 *hash, str bytes);
// Ends the hash and frees it.
void sha256_finish(struct sha256 *hash, unsigned char digest[SHA256_SIZE]);

enum hash_algorithm { HASH_MD5, HASH_SHA1, HASH_SHA256, HASH_SHA512 };
// One hash, fed piece by piece; hash_finish gives lower-case hex digits and frees it.
struct hash;
struct hash *hash_new(enum hash_algorithm algorithm);
void hash_add(struct hash *hash, str bytes);
str hash_finish(struct hash *hash, struct arena *arena);
// Lower-case hex digits of the whole.
str hash_hex(struct arena *arena, enum hash_algorithm algorithm, str bytes);
str hmac_hex(struct arena *arena, enum hash_algorithm algorithm, str key, str message);

// 64 lower-case hex digits.
str sha256_hex(struct arena *arena, str bytes);
str hex_encode(struct arena *arena, const unsigned char *bytes, size_t size);
str base64_encode(struct arena *arena, str bytes);
// Standard and URL alphabets, padding optional; false when it is neither.
bool base64_decode(struct arena *arena, str text, str *bytes);

#endif
