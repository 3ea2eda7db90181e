#ifndef STATE_ROWS_H
#define STATE_ROWS_H

// Writing failed and dead rows, inside a transaction that the caller holds.  Internal to state/.

#include "state/delivery.h"
#include "state/store.h"

MUST_USE enum error_code failed_insert(struct state_held *held, int64_t sink_id,
                                       const struct state_row *row, struct error *err);
// One more failed attempt of a row that failed before.
MUST_USE enum error_code failed_again(struct state_held *held, int64_t sink_id,
                                      const struct state_row *row, struct error *err);
MUST_USE enum error_code failed_delete(struct state_held *held, int64_t sink_id, int64_t id,
                                       struct error *err);
MUST_USE enum error_code dead_insert(struct state_held *held, int64_t sink_id,
                                     const struct state_row *row, struct error *err);

#endif
