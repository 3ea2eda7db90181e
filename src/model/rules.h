#ifndef MODEL_RULES_H
#define MODEL_RULES_H

// What can be said of one model by its text, its query and its place in the graph: the static rules
// of models.md §3.  For use inside model/ only.

#include "model/model.h"

// Parses the checks of the model and adds what breaks a rule to its findings.
void model_check_rules(struct arena *arena, const struct models_options *options,
                       struct model *model);

#endif
