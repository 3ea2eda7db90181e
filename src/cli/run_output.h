#ifndef CLI_RUN_OUTPUT_H
#define CLI_RUN_OUTPUT_H

// How `run` and `sandbox` show what happens: a line a model, for people or as JSON.  Defined in
// run.c.

#include "cli/command.h"
#include "run/run.h"

struct progress;

struct run_output {
    struct command_line *line;
    bool dry_run;
    bool sandbox;
    struct progress *progress; // NULL: standard error is no terminal
};

// The events that show models; `output` is what their `self` points to.
struct run_events run_output_events(struct run_output *output);
// A line on standard output, without secrets.  A closed pipe ends nothing: the run goes on.
void run_output_line(const struct run_output *output, struct arena *scratch, str text);
// "summary", as a JSON line.
void run_output_summary_json(const struct run_output *output, struct arena *scratch,
                             const struct run_summary *summary);
// The options that both commands take.
MUST_USE enum error_code run_output_options(const struct command_line *line,
                                            struct run_options *options, struct error *err);
// Prints the errors that kept the run from starting; the exit status.
int run_output_failed(struct command_line *line, const struct error_list *errors);

#endif
