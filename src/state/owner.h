#ifndef STATE_OWNER_H
#define STATE_OWNER_H

// Whether the process that holds a lease is still there.  Internal to state/.
// Threads: any.

#include "state/delivery.h"

bool owner_is_same(const struct state_owner *a, const struct state_owner *b);
// True when it is known to be dead: on this host, and its process is gone.
bool owner_is_gone(const struct state_owner *owner, str this_host);

#endif
