#include "base/environment.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "state/store.h"

#include <openssl/evp.h>

#include <string.h>

// Sealed text: one byte of format, the nonce, the ciphertext, the tag.
//
// The AES key is the SHA-256 of ONDATRA_STATE_KEY or of the key file's content, so any text will
// do. The first sealing leaves a known text in `meta`: later runs see at once that a key is wrong.

enum {
    SEAL_FORMAT = 1,
    NONCE_SIZE = 12,
    TAG_SIZE = 16,
    SEAL_OVERHEAD = 1 + NONCE_SIZE + TAG_SIZE,
    KEY_FILE_BYTES = 32,
};

static const str key_variable = STR_INIT("ONDATRA_STATE_KEY");
static const str check_purpose = STR_INIT("key check");
static const str check_text = STR_INIT("coypu state key");

static void cipher_free(EVP_CIPHER_CTX **context) {
    EVP_CIPHER_CTX_free(*context);
}
#define CIPHER __attribute__((cleanup(cipher_free))) EVP_CIPHER_CTX *

static const unsigned char *bytes(str text) {
    static const unsigned char none[1] = {0};
    return text.size > 0 ? (const unsigned char *)text.data : none;
}

static bool encrypt(const unsigned char *key, const unsigned char *nonce, str purpose, str plain,
                    unsigned char *cipher_text, unsigned char *tag) {
    CIPHER cipher = EVP_CIPHER_CTX_new();
    int size = 0;
    return cipher != NULL && plain.size <= INT32_MAX &&
           EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
           EVP_EncryptUpdate(cipher, NULL, &size, bytes(purpose), (int)purpose.size) == 1 &&
           EVP_EncryptUpdate(cipher, cipher_text, &size, bytes(plain), (int)plain.size) == 1 &&
           EVP_EncryptFinal_ex(cipher, cipher_text + size, &size) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, tag) == 1;
}

static bool decrypt(const unsigned char *key, str purpose, str sealed, unsigned char *plain) {
    if (sealed.size < SEAL_OVERHEAD || sealed.data[0] != SEAL_FORMAT) {
        return false;
    }
    const unsigned char *nonce = bytes(sealed) + 1;
    const unsigned char *cipher_text = nonce + NONCE_SIZE;
    const int cipher_size = (int)(sealed.size - SEAL_OVERHEAD);
    unsigned char tag[TAG_SIZE];
    memcpy(tag, cipher_text + cipher_size, TAG_SIZE);
    CIPHER cipher = EVP_CIPHER_CTX_new();
    int size = 0;
    return cipher != NULL && EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
           EVP_DecryptUpdate(cipher, NULL, &size, bytes(purpose), (int)purpose.size) == 1 &&
           EVP_DecryptUpdate(cipher, plain, &size, cipher_text, cipher_size) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1 &&
           EVP_DecryptFinal_ex(cipher, plain + size, &size) == 1;
}

static str key_file(const struct state *state, struct arena *arena) {
    return path_join(arena, state->project, STR(".coypu/state.key"));
}

static enum error_code key_file_create(struct state *state, struct arena *arena, str file,
                                       struct error *err) {
    unsigned char random[KEY_FILE_BYTES];
    context_random(state->context, random, sizeof(random));
    TRY(directory_create(path_directory(file), 0700, err));
    struct text content;
    text_init(&content, arena);
    text_add(&content, hex_encode(arena, random, sizeof(random)));
    text_add_char(&content, '\n');
    const enum error_code code = file_create(file, text_str(&content), 0600, err);
    return code == ERROR_CONFLICT ? ERROR_NONE : code; // another process was first: use its key
}

static void key_set(struct state *state, str secret) {
    struct sha256 *hash = sha256_new();
    sha256_add(hash, secret);
    sha256_finish(hash, state->own.key);
    state->own.key_loaded = true;
}

static const char what_is_lost[] =
    "without it the tokens, failed rows and jobs kept there cannot be read";

static enum error_code missing_key(const struct state *state, struct error *err) {
    error_set(err, ERROR_INVALID,
              "the state key is missing: " STR_FORMAT " was written with one, and neither "
              "ONDATRA_STATE_KEY (in .env or the environment) nor .coypu/state.key is there",
              STR_ARGS(state->own.location));
    error_hint(err, "bring the key back: %s", what_is_lost);
    return ERROR_INVALID;
}

static enum error_code wrong_key(const struct state *state, struct error *err) {
    const char *origin = environment_origin(state->context->environment, key_variable);
    error_set(err, ERROR_INVALID, "%s%s is not the key that " STR_FORMAT " was written with",
              origin != NULL ? "ONDATRA_STATE_KEY of " : ".coypu/state.key",
              origin != NULL ? origin : "", STR_ARGS(state->own.location));
    error_hint(err, "set %s to the key of then: %s; to go on without them, move that state away",
               origin != NULL ? "ONDATRA_STATE_KEY" : "it", what_is_lost);
    return ERROR_INVALID;
}

// `create`: something is about to be encrypted, so a key may be made.
static enum error_code key_load(struct state *state, bool create, struct error *err) {
    if (state->own.key_loaded) {
        return ERROR_NONE;
    }
    str secret = {0};
    if (environment_get(state->context->environment, key_variable, &secret) &&
        !str_is_empty(str_trim(secret))) {
        key_set(state, str_trim(secret));
        return ERROR_NONE;
    }
    SCRATCH(scratch);
    const str file = key_file(state, &scratch);
    if (create && !path_exists(file)) {
        TRY(key_file_create(state, &scratch, file, err));
    }
    if (!path_exists(file)) {
        return missing_key(state, err);
    }
    TRY(file_read(&scratch, file, &secret, err));
    key_set(state, str_trim(secret));
    return ERROR_NONE;
}

static enum error_code check_read(struct state_held *held, struct arena *arena, str *sealed,
                                  struct error *err) {
    DB_CURSOR cursor = {0};
    TRY(db_query(held->db, "SELECT value FROM meta WHERE name = 'key_check'", NULL, 0, &cursor,
                 err));
    bool has_row = false;
    TRY(db_next(&cursor, &has_row, err));
    *sealed = has_row ? db_text(&cursor, arena, 0) : (str){0};
    return ERROR_NONE;
}

enum error_code seal_check(struct state_held *held, struct error *err) {
    SCRATCH(scratch);
    str sealed = {0};
    TRY(check_read(held, &scratch, &sealed, err));
    if (str_is_empty(sealed)) {
        return ERROR_NONE;
    }
    TRY(key_load(held->state, false, err));
    str plain = {0};
    const enum error_code code = unseal(held, &scratch, check_purpose, sealed, &plain, err);
    return code == ERROR_NONE && !str_equal(plain, check_text) ? wrong_key(held->state, err) : code;
}

static enum error_code seal_with_key(struct state *state, struct arena *arena, str purpose,
                                     str plain, str *sealed, struct error *err) {
    const size_t size = plain.size + SEAL_OVERHEAD;
    unsigned char *out = (unsigned char *)arena_alloc_bytes(arena, size);
    out[0] = SEAL_FORMAT;
    context_random(state->context, out + 1, NONCE_SIZE);
    unsigned char *cipher_text = out + 1 + NONCE_SIZE;
    if (!encrypt(state->own.key, out + 1, purpose, plain, cipher_text, cipher_text + plain.size)) {
        return error_set(err, ERROR_INTERNAL, "AES-256-GCM failed");
    }
    *sealed = (str){(const char *)out, size};
    return ERROR_NONE;
}

// Leaves the known text when the store has none.
static enum error_code check_write(struct state_held *held, struct arena *arena,
                                   struct error *err) {
    str sealed = {0};
    TRY(check_read(held, arena, &sealed, err));
    if (!str_is_empty(sealed)) {
        return ERROR_NONE;
    }
    TRY(seal_with_key(held->state, arena, check_purpose, check_text, &sealed, err));
    return db_run(held->db, "INSERT INTO meta(name, value) VALUES ('key_check', $1)",
                  DB_VALUES(DB_BLOB(sealed)), err);
}

enum error_code seal(struct state_held *held, struct arena *arena, str purpose, str plain,
                     str *sealed, struct error *err) {
    TRY(key_load(held->state, true, err));
    TRY(check_write(held, arena, err)); // each time: an earlier one may have been rolled back
    return seal_with_key(held->state, arena, purpose, plain, sealed, err);
}

enum error_code unseal(struct state_held *held, struct arena *arena, str purpose, str sealed,
                       str *plain, struct error *err) {
    TRY(key_load(held->state, false, err));
    unsigned char *out = (unsigned char *)arena_alloc_bytes(arena, sealed.size + 1);
    if (!decrypt(held->state->own.key, purpose, sealed, out)) {
        return wrong_key(held->state, err);
    }
    *plain = (str){(const char *)out, sealed.size - SEAL_OVERHEAD};
    return ERROR_NONE;
}
