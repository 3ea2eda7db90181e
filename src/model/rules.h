#ifndef MODEL_RULES_H
#define MODEL_RULES_H

// What can be said of one model by its text, its query and its place in the graph: the static rules
// of models.md §3.  For use inside model/ only.

#include "model/model.h"

struct macros;

// Parses the checks of the model and adds what breaks a rule to its findings.  `macros` may be
// NULL: then nothing is known of those of the project.
void model_check_rules(struct arena *arena, const struct models_options *options,
                       struct macros *macros, struct model *model);

#endif
