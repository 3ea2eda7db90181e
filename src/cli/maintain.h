#ifndef CLI_MAINTAIN_H
#define CLI_MAINTAIN_H

// Scripts of sql/ as commands: `coypu nightly` runs sql/nightly.sql.

#include "cli/command.h"

// Fills *command when the project has such a script; false otherwise, also outside of a project.
bool maintain_command(struct command_line *line, str name, struct command *command);

#endif
