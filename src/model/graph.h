#ifndef MODEL_GRAPH_H
#define MODEL_GRAPH_H

// Who reads whom: edges between models, one order for all, and the loops when there are some.

#include "model/model.h"
#include "model/views.h"

// Fills reads, inputs, lib_calls of the model from its query and the views and macros in it, and
// read_by of what it reads.
MUST_USE enum error_code model_link(struct models *models, const struct models_options *options,
                                    struct views *views, struct model *model, struct error *err);

// Order and cycles of the whole, once every model that is read was linked.  Members of a cycle get
// the BLOCKER dag.cycle_detected.
void models_order(struct models *models);

// The models that `model` reads, directly or not; `marks` has room for models->count.
void model_mark_ancestors(const struct model *model, bool *marks);
void model_mark_descendants(const struct model *model, bool *marks);

#endif
