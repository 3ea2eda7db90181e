#include "state/state.h"

#include "base/file.h"
#include "state/store.h"

#include <openssl/crypto.h>

#include <stdlib.h>

// Version 1.  A later version adds a script that brings version n to n + 1; nothing here is edited.
static const char version_1[] =
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL);"
    "CREATE TABLE run("
    " id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, target TEXT NOT NULL, kind TEXT NOT NULL,"
    " run_type TEXT NOT NULL, reason TEXT NOT NULL, status TEXT NOT NULL, rule TEXT NOT NULL,"
    " message TEXT NOT NULL, metadata TEXT NOT NULL, written INTEGER NOT NULL,"
    " snapshot INTEGER NOT NULL, started_us INTEGER NOT NULL, ended_us INTEGER NOT NULL);"
    "CREATE INDEX run_target ON run(target, id);"
    "CREATE TABLE sink("
    " id INTEGER PRIMARY KEY, target TEXT NOT NULL, sink TEXT NOT NULL, args TEXT NOT NULL,"
    " table_id INTEGER NOT NULL, watermark INTEGER NOT NULL, range_open INTEGER NOT NULL,"
    " range_from INTEGER NOT NULL, range_to INTEGER NOT NULL, position INTEGER NOT NULL,"
    " owner_host TEXT NOT NULL, owner_pid INTEGER NOT NULL, owner_start INTEGER NOT NULL,"
    " lease_until_us INTEGER NOT NULL, epoch INTEGER NOT NULL,"
    " UNIQUE(target, sink, args));"
    "CREATE TABLE batch("
    " id INTEGER PRIMARY KEY, sink_id INTEGER NOT NULL REFERENCES sink(id) ON DELETE CASCADE,"
    " batch_id TEXT NOT NULL, retry INTEGER NOT NULL, first INTEGER NOT NULL,"
    " last INTEGER NOT NULL, skipped TEXT NOT NULL, since INTEGER NOT NULL,"
    " until INTEGER NOT NULL, row_count INTEGER NOT NULL, epoch INTEGER NOT NULL, job_ref BLOB,"
    " job_us INTEGER NOT NULL, job_runs INTEGER NOT NULL, UNIQUE(sink_id, batch_id));"
    "CREATE TABLE failed("
    " id INTEGER PRIMARY KEY, sink_id INTEGER NOT NULL REFERENCES sink(id) ON DELETE CASCADE,"
    " row_id INTEGER NOT NULL, change INTEGER NOT NULL, snapshot INTEGER NOT NULL,"
    " since INTEGER NOT NULL, keys TEXT NOT NULL, attempts INTEGER NOT NULL,"
    " first_us INTEGER NOT NULL, last_us INTEGER NOT NULL, message TEXT NOT NULL, image BLOB,"
    " batch_id TEXT NOT NULL);"
    "CREATE INDEX failed_order ON failed(sink_id, snapshot, change, row_id);"
    "CREATE TABLE dead("
    " id INTEGER PRIMARY KEY, sink_id INTEGER NOT NULL REFERENCES sink(id) ON DELETE CASCADE,"
    " row_id INTEGER NOT NULL, change INTEGER NOT NULL, snapshot INTEGER NOT NULL,"
    " since INTEGER NOT NULL, keys TEXT NOT NULL, attempts INTEGER NOT NULL,"
    " first_us INTEGER NOT NULL, last_us INTEGER NOT NULL, message TEXT NOT NULL, image BLOB);"
    "CREATE INDEX dead_order ON dead(sink_id, snapshot, change, row_id);"
    "CREATE TABLE joined("
    " sink_id INTEGER NOT NULL REFERENCES sink(id) ON DELETE CASCADE, row_id INTEGER NOT NULL,"
    " PRIMARY KEY(sink_id, row_id)) WITHOUT ROWID;"
    "CREATE TABLE secret("
    " name TEXT PRIMARY KEY, value BLOB NOT NULL, expires_us INTEGER NOT NULL);"
    "PRAGMA user_version=1;";

static const char version_2[] =
    "ALTER TABLE failed ADD COLUMN may_have_arrived INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE dead ADD COLUMN may_have_arrived INTEGER NOT NULL DEFAULT 0;"
    "PRAGMA user_version=2;";

static const char version_3[] =
    "CREATE TABLE kept_commit("
    " target TEXT PRIMARY KEY, table_id INTEGER NOT NULL, snapshot INTEGER NOT NULL,"
    " read_snapshot INTEGER NOT NULL, extra_info TEXT NOT NULL);"
    "PRAGMA user_version=3;";

static const char version_4[] =
    "CREATE TABLE run_total("
    " target TEXT PRIMARY KEY, entries INTEGER NOT NULL, runs INTEGER NOT NULL,"
    " written INTEGER NOT NULL, succeeded INTEGER NOT NULL, timed INTEGER NOT NULL,"
    " timed_us INTEGER NOT NULL, first_us INTEGER NOT NULL, last_us INTEGER NOT NULL);"
    "INSERT INTO run_total " STATE_RUN_TOTALS ";"
    "PRAGMA user_version=4;";

static const char version_5[] = "DROP INDEX run_target;"
                                "CREATE INDEX run_target ON run(lower(target), id);"
                                "PRAGMA user_version=5;";

static const char *const upgrades[STATE_SCHEMA_VERSION] = {version_1, version_2, version_3,
                                                           version_4, version_5}; // from 0, 1, …

struct state *state_new(const struct state_options *options) {
    struct state *state = memory_alloc(sizeof(*state));
    *state = (struct state){.context = options->context, .read_only = options->read_only};
    arena_init(&state->arena);
    state->project = str_copy(&state->arena, options->project);
    pthread_mutex_init(&state->lock, NULL);
    return state;
}

void state_free(struct state *state) {
    if (state == NULL) {
        return;
    }
    db_close(state->own.db);
    pthread_mutex_destroy(&state->lock);
    OPENSSL_cleanse(state->own.key, sizeof(state->own.key));
    arena_done(&state->arena);
    free(state);
}

static enum error_code locate(struct state *state, struct error *err) {
    if (!str_is_empty(state->own.location)) {
        return ERROR_NONE;
    }
    return location_find(state->context, &state->arena, state->project, &state->own.location, err);
}

static enum error_code schema_version(struct db *db, int64_t *version, struct error *err) {
    DB_CURSOR cursor = {0};
    TRY(db_query(db, "PRAGMA user_version", NULL, 0, &cursor, err));
    bool has_row = false;
    TRY(db_next(&cursor, &has_row, err));
    *version = has_row ? db_int(&cursor, 0) : 0;
    return ERROR_NONE;
}

static enum error_code schema_check(struct state *state, int64_t version, struct error *err) {
    if (version <= STATE_SCHEMA_VERSION) {
        return ERROR_NONE;
    }
    error_set(err, ERROR_INVALID,
              "state store " STR_FORMAT " has version %lld, written by a newer coypu; this one "
              "knows version %d",
              STR_ARGS(state->own.location), (long long)version, STATE_SCHEMA_VERSION);
    error_hint(err, "use the newer coypu, or a project folder of its own");
    return ERROR_INVALID;
}

// Two processes may find the store old at once: the version is read again inside the transaction.
static enum error_code schema_upgrade(struct db *db, struct error *err) {
    TRY(db_begin(db, err));
    int64_t version = 0;
    enum error_code code = schema_version(db, &version, err);
    for (; code == ERROR_NONE && version < STATE_SCHEMA_VERSION; version++) {
        code = db_script(db, upgrades[version], err);
    }
    if (code == ERROR_NONE) {
        code = db_commit(db, err);
    }
    if (code != ERROR_NONE) {
        db_rollback(db);
    }
    return code;
}

static enum error_code open_database(struct state *state, struct error *err) {
    if (!state->read_only) {
        TRY(directory_create(path_directory(state->own.location), 0700, err));
    }
    TRY(db_open(state->own.location, state->read_only, STATE_BUSY_TIMEOUT_MS, &state->own.db, err));
    int64_t version = 0;
    TRY(schema_version(state->own.db, &version, err));
    TRY(schema_check(state, version, err));
    if (version == 0 && state->read_only) { // a file that nobody wrote yet: nothing to read
        db_close(state->own.db);
        state->own.db = NULL;
        return ERROR_NONE;
    }
    state->own.version = version;
    if (version < STATE_SCHEMA_VERSION && !state->read_only) { // a dry run changes nothing
        TRY(schema_upgrade(state->own.db, err));
        state->own.version = STATE_SCHEMA_VERSION;
    }
    struct state_held held = {.state = state, .db = state->own.db};
    return seal_check(&held, err);
}

// The lock is held.
static enum error_code ensure_open(struct state *state, struct error *err) {
    if (state->own.opened) {
        return ERROR_NONE;
    }
    TRY(locate(state, err));
    if (state->read_only && !path_exists(state->own.location)) {
        return ERROR_NONE; // looked for again at the next call: a run may make it meanwhile
    }
    const enum error_code code = open_database(state, err);
    if (code != ERROR_NONE) {
        db_close(state->own.db);
        state->own.db = NULL;
        return code;
    }
    state->own.opened = state->own.db != NULL;
    return ERROR_NONE;
}

enum error_code state_hold(struct state *state, struct state_held *held, struct error *err) {
    pthread_mutex_lock(&state->lock);
    held->state = state;
    TRY(ensure_open(state, err));
    held->db = state->own.db;
    return ERROR_NONE;
}

enum error_code state_hold_write(struct state *state, struct state_held *held, struct error *err) {
    if (state->read_only) {
        return error_set(err, ERROR_INTERNAL, "the state store is open for reading only");
    }
    TRY(state_hold(state, held, err));
    return db_begin(held->db, err);
}

enum error_code state_commit(struct state_held *held, struct error *err) {
    return db_commit(held->db, err);
}

void state_held_done(struct state_held *held) {
    if (held->state == NULL) {
        return;
    }
    if (held->db != NULL) {
        db_rollback(held->db); // does nothing after a commit
    }
    pthread_mutex_unlock(&held->state->lock);
    held->state = NULL;
}

enum error_code state_open(struct state *state, struct error *err) {
    STATE_HELD held = {0};
    return state_hold(state, &held, err);
}

enum error_code state_location(struct state *state, struct arena *arena, str *location,
                               struct error *err) {
    pthread_mutex_lock(&state->lock);
    const enum error_code code = locate(state, err);
    if (code == ERROR_NONE) {
        *location = str_copy(arena, state->own.location);
    }
    pthread_mutex_unlock(&state->lock);
    return code;
}
