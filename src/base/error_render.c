#include "base/error_render.h"

#include "base/json.h"
#include "base/number.h"
#include "base/text.h"

#include <string.h>

void error_render_excerpt(struct text *out, const struct error *err, const char *indent) {
    const str line = str_from(err->source_line);
    if (line.size == 0) {
        return;
    }
    text_format(out, "%s" STR_FORMAT "\n", indent, STR_ARGS(line));
    if (err->pos.column < 1) {
        return;
    }
    text_add(out, str_from(indent));
    // Tabs stay tabs, so that the caret stands under its column in any terminal.
    size_t at = 0;
    for (int column = 1; column < err->pos.column; column++) {
        const char c = at < line.size ? line.data[at] : ' ';
        text_add_char(out, c == '\t' ? '\t' : ' ');
        at++;
        while (at < line.size && ((unsigned char)line.data[at] & 0xC0) == 0x80) {
            at++;
        }
    }
    text_add(out, STR("^\n"));
}

void error_render_text(struct text *out, const struct error *err, const char *severity) {
    if (err->pos.file[0] != '\0') {
        text_add(out, str_from(err->pos.file));
        if (err->pos.line > 0) {
            text_format(out, ":%d", err->pos.line);
        }
        if (err->pos.line > 0 && err->pos.column > 0) {
            text_format(out, ":%d", err->pos.column);
        }
        text_add(out, STR(": "));
    }
    text_format(out, "%s: %s\n", severity, err->message);
    error_render_excerpt(out, err, "  ");
    text_add(out, str_from(err->trace));
    if (err->hint[0] != '\0') {
        text_format(out, "  hint: %s\n", err->hint);
    }
}

void error_render_json(struct text *out, const struct error *err) {
    struct json json;
    json_init(&json, out);
    json_object(&json);
    json_key_string(&json, STR("code"),
                    str_from(err->rule != NULL ? err->rule : error_code_name(err->code)));
    json_key_string(&json, STR("message"), str_from(err->message));
    if (err->pos.file[0] != '\0') {
        json_key_string(&json, STR("file"), str_from(err->pos.file));
    }
    if (err->pos.line > 0) {
        json_key_int(&json, STR("line"), err->pos.line);
    }
    if (err->pos.column > 0) {
        json_key_int(&json, STR("column"), err->pos.column);
    }
    if (err->hint[0] != '\0') {
        json_key_string(&json, STR("hint"), str_from(err->hint));
    }
    if (err->trace[0] != '\0') {
        json_key_string(&json, STR("trace"), str_from(err->trace));
    }
    json_end(&json);
}
