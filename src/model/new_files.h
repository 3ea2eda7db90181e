#ifndef MODEL_NEW_FILES_H
#define MODEL_NEW_FILES_H

// Which models load each of their files once.  For use in model/ and run/.

#include "model/model.h"

struct turn;

// An append without a cursor whose query is one SELECT over one reader of local files, named by a
// constant.
bool model_loads_files_once(const struct model *model);

// Sets body and source of turn->write to the files that were not loaded yet.
MUST_USE enum error_code turn_choose_files(struct turn *turn, struct error *err);

#endif
