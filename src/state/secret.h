#ifndef STATE_SECRET_H
#define STATE_SECRET_H

// Small values that are kept encrypted: OAuth refresh tokens and access tokens.
//
// The key is ONDATRA_STATE_KEY, else `.coypu/state.key`, which is made when something is encrypted
// for the first time (libs.md §7.2).
// Errors: ERROR_INVALID when the key is not the one the store was written with.
// Threads: as state.h.

#include "state/state.h"

struct state_secret {
    str value;
    int64_t expires_us; // wall clock; 0: never
};

// false when there is none of that name.  An expired one is still given: the caller decides.
MUST_USE enum error_code state_secret_get(struct state *state, struct arena *arena, str name,
                                          bool *found, struct state_secret *secret,
                                          struct error *err);
// Durable when it returns.
MUST_USE enum error_code state_secret_put(struct state *state, str name,
                                          const struct state_secret *secret, struct error *err);

#endif
