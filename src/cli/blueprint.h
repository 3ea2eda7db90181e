#ifndef CLI_BLUEPRINT_H
#define CLI_BLUEPRINT_H

// `coypu describe blueprint [NAME]`: the contract of lib files (libs.md §13).

struct command_line;

// The arguments are "blueprint" and perhaps a name.  Returns the exit status.
int blueprint_run(struct command_line *line);

#endif
