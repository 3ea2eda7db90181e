#ifndef PLAN_RUN_TYPE_H
#define PLAN_RUN_TYPE_H

// How a model is run (models.md §4): what the plan decides, writing follows and the commit keeps.

#include "base/str.h"

enum run_type { RUN_SKIP, RUN_BACKFILL, RUN_INCREMENTAL, RUN_FULL };
str run_type_name(enum run_type type);

#endif
