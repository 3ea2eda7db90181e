#ifndef MODEL_GRAPH_H
#define MODEL_GRAPH_H

// Who reads whom: edges between models, one order for all, and the loop when there is one.

#include "model/model.h"
#include "model/views.h"

// Fills reads, read_by, inputs, lib_calls of every model from its query and the views and macros in
// it, then order and cycle of the whole.  Members of a cycle get the BLOCKER dag.cycle_detected.
MUST_USE enum error_code models_link(struct models *models, const struct models_options *options,
                                     const struct views *views, struct error *err);

// The models that `model` reads, directly or not; `marks` has room for models->count.
void model_mark_ancestors(const struct model *model, bool *marks);
void model_mark_descendants(const struct model *model, bool *marks);

#endif
