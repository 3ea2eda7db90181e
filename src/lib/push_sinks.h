#ifndef LIB_PUSH_SINKS_H
#define LIB_PUSH_SINKS_H

// Small parts of a delivery that stand for themselves: names of sinks, the copy of the watermark in
// the lake, a batch made again from its bounds.  Internal to the push engine.

#include "lib/push_run.h"

struct push_run push_sinks_run(const struct push_request *request, struct arena *arena,
                               struct push_summary *summary);
// The sink's name in the state; texts in `arena`.
struct state_sink_key push_sinks_key(const struct push_request *request, struct arena *arena);
// The watermark that the last commit naming the target has of this sink; STATE_NO_SNAPSHOT: none.
MUST_USE enum error_code push_sinks_recover(const struct push_request *request,
                                            const struct state_sink_key *key, int64_t *delivered,
                                            struct error *err);
// How many rows wait while another process delivers: summary->pending.
MUST_USE enum error_code push_sinks_waiting(struct push_run *run, int64_t current,
                                            struct error *err);
// All events of the stream up to its `until`, less the skipped ones, as the batch they were.
MUST_USE enum error_code push_sinks_whole_batch(struct push_stream *stream,
                                                const struct state_batch *stored,
                                                struct push_batch **batch, struct error *err);

#endif
