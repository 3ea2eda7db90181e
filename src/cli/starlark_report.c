#include "cli/starlark_report.h"

#include "base/file.h"
#include "base/json.h"
#include "base/redact.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

void starlark_report_text(const struct starlark_report *report, str text) {
    SCRATCH(scratch);
    const str redacted = redact_text(report->line->context->redactor, &scratch, text);
    (void)fwrite(redacted.data, 1, redacted.size, stderr);
}

// ---- source lines -------------------------------------------------------------------------------

static str source_line(str source, int number) {
    struct str_splitter lines = {.rest = source};
    str line = {NULL, 0};
    for (int i = 0; i < number; i++) {
        if (!str_split_next(&lines, '\n', &line)) {
            return (str){NULL, 0};
        }
    }
    return str_ends_with(line, STR("\r")) ? str_slice(line, 0, line.size - 1) : line;
}

// Tabs stay tabs, so that the caret stands under its column in any terminal.
static void add_caret(struct text *out, str source, int line_number, int column) {
    const str line = source_line(source, line_number);
    if (line.size == 0) {
        return;
    }
    text_format(out, "    " STR_FORMAT "\n    ", STR_ARGS(line));
    size_t at = 0;
    for (int i = 1; i < column && at < line.size; i++) {
        text_add_char(out, line.data[at] == '\t' ? '\t' : ' ');
        at++;
        while (at < line.size && ((unsigned char)line.data[at] & 0xC0) == 0x80) {
            at++;
        }
    }
    text_add(out, STR("^\n"));
}

// ---- static errors ------------------------------------------------------------------------------

static void static_json(struct text *out, const char *file,
                        const struct star_diagnostic *diagnostic) {
    struct json json;
    json_init(&json, out);
    json_object(&json);
    json_key_string(&json, STR("file"), str_from(file));
    json_key_int(&json, STR("line"), diagnostic->line);
    json_key_int(&json, STR("col"), diagnostic->column);
    json_key_int(&json, STR("end_line"), diagnostic->end_line);
    json_key_int(&json, STR("end_col"), diagnostic->end_column);
    json_key_string(&json, STR("message"), str_from(diagnostic->message));
    json_key_string(&json, STR("severity"), STR("error"));
    json_key(&json, STR("backtrace"));
    json_array(&json);
    json_end(&json);
    json_end(&json);
    text_add_char(out, '\n');
}

static void add_static(const struct starlark_report *report, struct text *out, const char *file,
                       str source, const struct star_diagnostic *diagnostic) {
    if (report->json) {
        static_json(out, file, diagnostic);
        return;
    }
    text_format(out, "%s:%d:%d: %s\n", file, diagnostic->line, diagnostic->column,
                diagnostic->message);
    if (report->with_source) {
        add_caret(out, source, diagnostic->line, diagnostic->column);
    }
}

void starlark_report_static(const struct starlark_report *report, const char *file, str source,
                            const struct star_diagnostics *diagnostics) {
    SCRATCH(scratch);
    struct text out;
    text_init(&out, &scratch);
    for (size_t i = 0; i < diagnostics->count; i++) {
        add_static(report, &out, file, source, &diagnostics->items[i]);
    }
    if (diagnostics->failure[0] != '\0') { // memory ran out: of the whole file
        const struct star_diagnostic failure = {1, 1, 1, 1, diagnostics->failure, ""};
        add_static(report, &out, file, source, &failure);
    }
    if (!report->json && diagnostics->total > diagnostics->count) {
        text_format(&out, "%s: %zu more errors\n", file, diagnostics->total - diagnostics->count);
    }
    starlark_report_text(report, text_str(&out));
}

// ---- run-time errors ----------------------------------------------------------------------------

// The innermost frame that has a place in a file.
static const struct star_frame *failing_frame(const struct star_error *error) {
    for (size_t i = error->frame_count; i > 0; i--) {
        if (error->frames[i - 1].file != NULL) {
            return &error->frames[i - 1];
        }
    }
    return NULL;
}

static void frame_json(struct json *json, const struct star_frame *frame, uint32_t more) {
    json_object(json);
    json_key_string(json, STR("file"), str_from(frame->file == NULL ? "<builtin>" : frame->file));
    json_key_int(json, STR("line"), frame->line);
    json_key_int(json, STR("col"), frame->column);
    json_key_string(json, STR("name"), str_from(frame->function));
    json_key_int(json, STR("more"), more);
    json_end(json);
}

static void error_json(struct text *out, const struct star_error *error, const char *file) {
    const struct star_frame *frame = failing_frame(error);
    struct json json;
    json_init(&json, out);
    json_object(&json);
    json_key_string(&json, STR("file"), str_from(frame == NULL ? file : frame->file));
    json_key_int(&json, STR("line"), frame == NULL ? 0 : frame->line);
    json_key_int(&json, STR("col"), frame == NULL ? 0 : frame->column);
    json_key_int(&json, STR("end_line"), frame == NULL ? 0 : frame->line);
    json_key_int(&json, STR("end_col"), frame == NULL ? 0 : frame->column + 1);
    json_key_string(&json, STR("message"), str_from(error->message));
    json_key_string(&json, STR("severity"), STR("error"));
    json_key(&json, STR("backtrace"));
    json_array(&json);
    for (size_t i = 0; i < error->frame_count; i++) {
        frame_json(&json, &error->frames[i], error->frame_more[i]);
    }
    json_end(&json);
    json_end(&json);
    text_add_char(out, '\n');
}

static void error_caret(struct text *out, const struct star_frame *frame, const char *file,
                        str source) {
    str text = source;
    struct error ignored;
    if (strcmp(frame->file, file) != 0 &&
        file_read(out->arena, str_from(frame->file), &text, &ignored) != ERROR_NONE) {
        return;
    }
    add_caret(out, text, frame->line, frame->column);
}

void starlark_report_error(const struct starlark_report *report, struct star_thread *thread,
                           const char *file, str source) {
    const struct star_error *error = star_thread_error(thread);
    SCRATCH(scratch);
    struct text out;
    text_init(&out, &scratch);
    if (report->json) {
        error_json(&out, error, file);
    } else {
        text_add(&out, str_from(star_thread_error_text(thread)));
        if (out.size > 0 && out.data[out.size - 1] != '\n') {
            text_add_char(&out, '\n');
        }
        const struct star_frame *frame = failing_frame(error);
        if (report->with_source && frame != NULL) {
            error_caret(&out, frame, file, source);
        }
    }
    starlark_report_text(report, text_str(&out));
}
