#ifndef CLI_LINEAGE_PICTURE_H
#define CLI_LINEAGE_PICTURE_H

// Lineage and the graph of models as pictures.
//
// Ownership: everything lives in the picture's arena.

#include "cli/picture.h"
#include "inspect/survey.h"

// Models by schema, and what they read from outside.  `note` gives further lines of a model's label
// and says whether it is faded; NULL: none.
struct picture_note {
    str (*text)(void *self, const struct model *model, bool *faded);
    void *self;
};
void models_picture(struct picture *picture, const struct models *models,
                    const struct picture_note *note);

// The columns of one model with their direct sources.
void model_picture(struct picture *picture, struct survey *survey, const struct model *model);
// One column up to where it begins.
void column_picture(struct picture *picture, struct survey *survey, const struct model *model,
                    str column);

#endif
