#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

// What a command of the program is: a name, its options, its help text and the function that runs
// it.
//
// A command lives in its own file and exports one `const struct command`; main.c lists them.
// Options are declared, not parsed by hand, so that --help, usage errors (exit 2) and completions
// come from one table. Ownership: everything in a command_line lives as long as the process.
// Threads: the main thread.

#include "base/arena.h"
#include "base/context.h"
#include "base/error.h"
#include "base/list.h"

enum exit_status {
    EXIT_CLEAN = 0,         // nothing to complain of
    EXIT_FINDINGS = 1,      // findings, or something failed while running
    EXIT_USAGE = 2,         // unknown command or option, extra argument, no project found
    EXIT_INTERRUPTED = 130, // Ctrl-C or SIGTERM
};

enum { COMMAND_OPTIONS_MAX = 24 };

struct option {
    const char *name;  // without dashes: "limit"; NULL ends the list
    char letter;       // 'l' for -l; 0: none
    const char *value; // name of its value in the help ("N"); NULL: a flag
    const char *help;
};

struct command_line;
struct json;

struct command {
    const char *name;
    const char *arguments; // "[TARGET]", as the usage line shows them; "" when there are none
    const char *summary;   // one line for the list of commands
    const char *help;      // paragraphs below the usage line; NULL: the summary
    size_t arguments_min;
    size_t arguments_max;
    struct option options[COMMAND_OPTIONS_MAX]; // --json and --help belong to every command
    bool own_arguments; // the command reads the rest of the line itself (raw_argc, raw_argv)
    int (*run)(struct command_line *line);
};

struct command_line {
    const struct command *command;
    struct context *context;
    struct arena *arena; // the process's
    bool json;           // machine output asked for
    struct str_list arguments;
    str option_values[COMMAND_OPTIONS_MAX]; // beside command->options
    bool option_given[COMMAND_OPTIONS_MAX];
    int raw_argc; // behind the command's name
    char **raw_argv;
};

// The value of an option of the command's table; false when it was not given.  Asking for a name
// that the table does not have is a bug (assert).
bool command_option(const struct command_line *line, const char *name, str *value);
bool command_flag(const struct command_line *line, const char *name);
// As command_option, parsed as a number from `low` to `high`; a bad one is ERROR_INVALID.
MUST_USE enum error_code command_number(const struct command_line *line, const char *name,
                                        int64_t low, int64_t high, int64_t *value,
                                        struct error *err);
// The argument at `index`, or the empty str.
str command_argument(const struct command_line *line, size_t index);

// Fills *line from the words behind the command's name.
MUST_USE enum error_code command_parse(const struct command *command, int argc, char **argv,
                                       struct command_line *line, struct error *err);
void command_print_help(const struct command *command);

// Prints an error to standard error, redacted: text, or a JSON object when --json was given.
void command_print_error(const struct command_line *line, const struct error *err);
// As command_print_error, and gives the exit status that belongs to the error.
int command_fail(const struct command_line *line, const struct error *err);
// Standard output, whole or an error: a full disk or a closed pipe must not look like success.
MUST_USE enum error_code command_write(str text, struct error *err);
// As command_write, without secrets and, unless --json was given, without control characters.
MUST_USE enum error_code command_print(const struct command_line *line, str text,
                                       struct error *err);

// What a command has made: the text for people or, with --json, {"schema_version", key: value}.
MUST_USE enum error_code command_report(const struct command_line *line, str key, str value,
                                        str text, struct error *err);

// "warnings": [messages], inside an open object.
void command_json_warnings(struct json *json, const struct error_list *warnings);
// The same for people, on standard error; nothing with --json.
void command_print_warnings(const struct command_line *line, const struct error_list *warnings);

#endif
