#ifndef MODEL_CHECK_LIBS_H
#define MODEL_CHECK_LIBS_H

// Models against the libs they name: a sink that exists and takes the model's kind, calls with the
// right arguments.

#include "lib/fetch.h"
#include "model/model.h"

// Adds the findings to the models.
void models_check_libs(struct models *models, const struct lib_set *libs);

#endif
