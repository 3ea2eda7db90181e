#ifndef PLAN_PLAN_FILES_H
#define PLAN_PLAN_FILES_H

// The local files that a model reads, compared by name, size and time.  For use in plan/ and run/.

#include "plan/plan.h"

// The files behind the model's constant paths and patterns, as they are now.  Patterns are DuckDB's
// own: what its readers find and what is compared must not differ, be it by a file whose name
// begins with a dot.  One that DuckDB refuses makes the model unverifiable.
MUST_USE enum error_code plan_files_read(struct arena *arena, struct lake_connection *connection,
                                         str project, struct model *model,
                                         struct file_input_list *files, struct error *err);

bool file_input_list_has(const struct file_input_list *list, const struct file_input *file);

// The first file that was added, removed or written since the last commit; empty: none.
str plan_files_changed(const struct plan_step *step);

// What the next run is to know as read.  A model that loads each file once remembers files that are
// gone, too: one that comes back is not loaded again, unless a backfill took its rows away.
void plan_files_seen(struct arena *arena, const struct plan_step *step, enum run_type type,
                     struct file_input_list *seen);

#endif
