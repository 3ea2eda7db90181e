#ifndef INSPECT_SURVEY_H
#define INSPECT_SURVEY_H

// A project looked at from its files: models, their lineage, and, when a lake can be read, which of
// them ever ran.  What `lineage` and `impact` show.
//
// The lake is a help only: without a catalog, with an unset variable or with the database down
// everything else is there.  No source is attached.
//
// Ownership: everything lives in the arena, but survey_close must be called, also after an error.
// Errors: no project, files that cannot be read.  Broken models are none.  Threads: one.

#include "lib/lib.h"
#include "model/lineage.h"
#include "project/project.h"

struct survey {
    struct arena *arena;
    struct project project;
    struct session session; // without a lake: the database alone
    bool has_lake;
    struct lib_set libs;
    struct models models;
    struct models_lineage lineages;
    struct map ran; // any non-NULL by target: it has a commit.  Only with a lake
};

MUST_USE enum error_code survey_open(struct arena *arena, const struct context *context,
                                     struct survey *survey, struct error *err);
void survey_close(struct survey *survey);

// False without a lake: nobody knows.
bool survey_never_ran(const struct survey *survey, const struct model *model);

// The model, and the column if `name` ends in one: "mart.customers", "customers" (of main),
// "mart.customers.total".  ERROR_NOT_FOUND names the nearest.
MUST_USE enum error_code survey_find(struct survey *survey, str name, const struct model **model,
                                     str *column, struct error *err);

#endif
