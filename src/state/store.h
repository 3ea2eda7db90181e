#ifndef STATE_STORE_H
#define STATE_STORE_H

// What the files of state/ share: the handle, its lock, transactions and encryption.

#include "base/arena.h"
#include "state/db.h"
#include "state/state.h"

#include <pthread.h>

enum { STATE_KEY_SIZE = 32 };

struct state {
    const struct context *context; // any thread: never changes
    str project;
    bool read_only;
    struct arena arena; // location and options
    pthread_mutex_t lock;
    struct {           // under `lock`
        struct db *db; // NULL before the first use, and for a read-only store that is not there
        bool opened;
        int64_t version; // of the schema; an older one when it was opened for reading only
        str location;
        bool key_loaded;
        unsigned char key[STATE_KEY_SIZE];
    } own;
};

// Where config/state.sql says the store lies (location.c): a file path.
MUST_USE enum error_code location_find(const struct context *context, struct arena *arena,
                                       str project, str *location, struct error *err);

// Holds the lock until the scope ends; opens the store.  `held->db` NULL: there is nothing to read.
struct state_held {
    struct state *state;
    struct db *db;
};
#define STATE_HELD struct state_held CLEANUP(state_held_done)
MUST_USE enum error_code state_hold(struct state *state, struct state_held *held,
                                    struct error *err);
// As state_hold, for an operation that writes: begins a transaction.  End it with state_commit; one
// that is not committed is rolled back with the scope.
MUST_USE enum error_code state_hold_write(struct state *state, struct state_held *held,
                                          struct error *err);
MUST_USE enum error_code state_commit(struct state_held *held, struct error *err);
void state_held_done(struct state_held *held);

// The rows of run_total, from the log itself.
#define STATE_RUN_TOTALS                                                                           \
    "SELECT target, count(*), sum(CASE WHEN status = 'blocked' THEN 0 ELSE 1 END), sum(written),"  \
    " sum(CASE WHEN status IN ('failed', 'blocked') THEN 0 ELSE 1 END),"                           \
    " sum(CASE WHEN status IN ('skip', 'blocked') THEN 0 ELSE 1 END),"                             \
    " sum(CASE WHEN status IN ('skip', 'blocked') THEN 0 ELSE ended_us - started_us END),"         \
    " coalesce(min(CASE WHEN status = 'blocked' THEN NULL ELSE started_us END), 0),"               \
    " coalesce(max(CASE WHEN status = 'blocked' THEN NULL ELSE started_us END), 0)"                \
    " FROM run GROUP BY target"

// AES-256-GCM (seal.c).  `purpose` is authenticated with the text: what was sealed for one purpose
// does not open for another.  The lock is held.
MUST_USE enum error_code seal(struct state_held *held, struct arena *arena, str purpose, str plain,
                              str *sealed, struct error *err);
MUST_USE enum error_code unseal(struct state_held *held, struct arena *arena, str purpose,
                                str sealed, str *plain, struct error *err);
// Whether the key is the one the store was written with; fine when nothing was encrypted yet.
MUST_USE enum error_code seal_check(struct state_held *held, struct error *err);

#endif
