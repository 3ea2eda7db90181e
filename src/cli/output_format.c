#include "cli/output_format.h"

#include "base/redact.h"

#include <assert.h>

static const str NAMES[] = {
    [OUTPUT_TEXT] = STR_INIT("text"),       [OUTPUT_JSON] = STR_INIT("json"),
    [OUTPUT_MERMAID] = STR_INIT("mermaid"), [OUTPUT_DOT] = STR_INIT("dot"),
    [OUTPUT_SVG] = STR_INIT("svg"),
};

enum error_code output_format_read(struct command_line *line, enum output_format *format,
                                   struct error *err) {
    str name = {0};
    *format = line->json ? OUTPUT_JSON : OUTPUT_TEXT;
    if (!command_option(line, "format", &name)) {
        return ERROR_NONE;
    }
    for (size_t i = 0; i < ARRAY_COUNT(NAMES); i++) {
        if (str_equal(NAMES[i], name)) {
            *format = (enum output_format)i;
            if (line->json && *format != OUTPUT_JSON) {
                return error_set(err, ERROR_INVALID,
                                 "--json and --format " STR_FORMAT " exclude each other",
                                 STR_ARGS(name));
            }
            line->json = *format == OUTPUT_JSON; // errors are JSON, too
            return ERROR_NONE;
        }
    }
    return error_set(err, ERROR_INVALID,
                     "--format: \"" STR_FORMAT "\" is not one of text, json, mermaid, dot, svg",
                     STR_ARGS(name));
}

enum picture_format output_picture(enum output_format format) {
    assert(format >= OUTPUT_MERMAID);
    return format == OUTPUT_MERMAID ? PICTURE_MERMAID
           : format == OUTPUT_DOT   ? PICTURE_DOT
                                    : PICTURE_SVG;
}

enum error_code output_format_print(const struct command_line *line, enum output_format format,
                                    str text, struct error *err) {
    const str clean = redact_text(line->context->redactor, line->arena, text);
    return command_write(format == OUTPUT_TEXT ? str_printable(line->arena, clean) : clean, err);
}
