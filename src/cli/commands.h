#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

// The commands of the program, each defined in the file of its name; main.c puts them in order.

#include "cli/command.h"

extern const struct command command_checkpoint;
extern const struct command command_cleanup;
extern const struct command command_completions;
extern const struct command command_dag;
extern const struct command command_describe;
extern const struct command command_edit;
extern const struct command command_expire;
extern const struct command command_flush;
extern const struct command command_history;
extern const struct command command_impact;
extern const struct command command_init;
extern const struct command command_lineage;
extern const struct command command_merge;
extern const struct command command_new;
extern const struct command command_orphaned;
extern const struct command command_push;
extern const struct command command_query;
extern const struct command command_rewrite;
extern const struct command command_run;
extern const struct command command_sandbox;
extern const struct command command_sql;
extern const struct command command_starlark;
extern const struct command command_stats;
extern const struct command command_validate;
extern const struct command command_version;
extern const struct command *const commands[]; // in the order of the help; NULL at the end

#endif
