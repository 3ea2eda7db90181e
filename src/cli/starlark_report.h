#ifndef CLI_STARLARK_REPORT_H
#define CLI_STARLARK_REPORT_H

// How `coypu starlark` shows what went wrong (spec/starlark.md §12): text for people, one JSON
// object an error for programs.  Both go to standard error, redacted.

#include "cli/command.h"
#include "starlark/starlark.h"

struct starlark_report {
    struct command_line *line;
    bool json;
    bool with_source; // show the source line and a caret: standard error is a terminal
};

// One line a static error; with more than are kept, their number behind them.
void starlark_report_static(const struct starlark_report *report, const char *file, str source,
                            const struct star_diagnostics *diagnostics);
// The traceback of the thread's error.  `source` is the text of `file`, for the caret when the
// error lies there; other files are read again.
void starlark_report_error(const struct starlark_report *report, struct star_thread *thread,
                           const char *file, str source);
// Writes to standard error, redacted.
void starlark_report_text(const struct starlark_report *report, str text);

#endif
