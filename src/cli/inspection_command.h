#ifndef CLI_INSPECTION_COMMAND_H
#define CLI_INSPECTION_COMMAND_H

// The shape of a command that looks at the project and its lake and prints what it finds: open,
// show, close, exit status.

#include "cli/command.h"
#include "inspect/inspect.h"

typedef enum error_code inspection_show(struct command_line *line, struct inspection *inspection,
                                        struct error *err);

// The exit status.  Warnings of the project are printed before anything is shown.
int inspection_command(struct command_line *line, bool with_models, inspection_show *show);

#endif
