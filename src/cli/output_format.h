#ifndef CLI_OUTPUT_FORMAT_H
#define CLI_OUTPUT_FORMAT_H

// --format text|json|mermaid|dot|svg, of the commands that show a graph.

#include "cli/command.h"
#include "cli/picture.h"

enum output_format { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_MERMAID, OUTPUT_DOT, OUTPUT_SVG };

#define OUTPUT_FORMAT_OPTION                                                                       \
    {.name = "format", .letter = 'f', .value = "FORMAT", .help = "text, json, mermaid, dot, svg"}

// --json is the same as --format json; both may be given when they agree.  A usage error otherwise.
MUST_USE enum error_code output_format_read(struct command_line *line, enum output_format *format,
                                            struct error *err);
// Writes it to standard output without secrets; plain text also without what steers a terminal.
MUST_USE enum error_code output_format_print(const struct command_line *line,
                                             enum output_format format, str text,
                                             struct error *err);
enum picture_format output_picture(enum output_format format);

#endif
