#ifndef LIB_PUSH_RANGES_H
#define LIB_PUSH_RANGES_H

// Ranges of a sink: staged from the lake, opened in the state, joined with what failed before.
// Internal to the push engine.  The sink's lease is held.

#include "lib/push_run.h"

// Failed rows that are in no batch (""), or in the one named.  In run->memory.
MUST_USE enum error_code push_failed_rows(struct push_run *run, str batch_id,
                                          struct state_row_list *rows, struct error *err);
// Stages (watermark, current] and opens it when there is anything in it; else the watermark moves
// on and stream->table stays NULL or the stream is empty.
MUST_USE enum error_code push_stage_new(struct push_run *run, struct push_stream *stream,
                                        int64_t table_id, int64_t current, struct error *err);
// Stages the range that was left open.
MUST_USE enum error_code push_stage_open(struct push_run *run, struct push_stream *stream,
                                         struct error *err);

#endif
