#ifndef MODEL_SINKS_H
#define MODEL_SINKS_H

// A model's sink as the push engine takes it: directive and lib made into a request.
//
// Ownership: the request borrows from the model, the libs and the arena.  Threads: one.

#include "lib/push.h"
#include "model/model.h"

struct sink_context {
    const struct context *context;
    struct lake_connection *connection;
    struct state *state;
    const struct lib_set *libs;
    str run_id;
};

bool model_has_sink(const struct model *model);
// ERROR_INVALID for a `${VAR}` of the directive that is not set, and for a sink that no lib has.
MUST_USE enum error_code sink_request(const struct sink_context *context, const struct model *model,
                                      struct arena *arena, struct push_request *request,
                                      struct error *err);

#endif
