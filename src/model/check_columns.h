#ifndef MODEL_CHECK_COLUMNS_H
#define MODEL_CHECK_COLUMNS_H

// Columns that directives name and the query does not produce.

#include "model/lineage.h"

// `outputs` are the names of the query's columns; empty: not known, nothing is checked.  Adds
// BLOCKERs to the model.
void model_check_columns(struct arena *arena, struct model *model, const struct str_list *outputs);

// The same for the models whose SELECT list alone does not tell, by their lineage: through stars,
// as far as what they read is known.  A query whose columns cannot be traced at all gets the WARN
// validate.lineage_extract_failed.
void models_check_columns(struct models_lineage *lineages);

#endif
