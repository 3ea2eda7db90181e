#include "state/secret.h"

#include "base/text.h"
#include "state/store.h"

static str purpose(struct arena *arena, str name) {
    return str_format(arena, "secret " STR_FORMAT, STR_ARGS(name));
}

enum error_code state_secret_get(struct state *state, struct arena *arena, str name, bool *found,
                                 struct state_secret *secret, struct error *err) {
    *found = false;
    *secret = (struct state_secret){0};
    STATE_HELD held = {0};
    TRY(state_hold(state, &held, err));
    if (held.db == NULL) {
        return ERROR_NONE;
    }
    DB_CURSOR cursor = {0};
    TRY(db_query(held.db, "SELECT value, expires_us FROM secret WHERE name = $1",
                 DB_VALUES(DB_TEXT(name)), &cursor, err));
    TRY(db_next(&cursor, found, err));
    if (!*found) {
        return ERROR_NONE;
    }
    secret->expires_us = db_int(&cursor, 1);
    return unseal(&held, arena, purpose(arena, name), db_text(&cursor, arena, 0), &secret->value,
                  err);
}

enum error_code state_secret_put(struct state *state, str name, const struct state_secret *secret,
                                 struct error *err) {
    SCRATCH(scratch);
    STATE_HELD held = {0};
    TRY(state_hold_write(state, &held, err));
    str sealed = {0};
    TRY(seal(&held, &scratch, purpose(&scratch, name), secret->value, &sealed, err));
    TRY(db_run(held.db,
               "INSERT INTO secret(name, value, expires_us) VALUES ($1, $2, $3)"
               " ON CONFLICT(name) DO UPDATE SET value = excluded.value,"
               " expires_us = excluded.expires_us",
               DB_VALUES(DB_TEXT(name), DB_BLOB(sealed), DB_INT(secret->expires_us)), err));
    return state_commit(&held, err);
}
