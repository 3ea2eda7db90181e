#include "modules/json_body.h"

#include "base/json.h"
#include "base/text.h"
#include "modules/argument.h"

#include <yyjson.h>
#include <math.h>
#include <stdlib.h>

struct writer {
    struct star_thread *thread;
    const char *what;
    struct text *out;
    int depth;
};

static bool write_value(struct writer *writer, star_value value);

// What came as JSON and was not touched goes out as it came.
static bool write_raw(struct writer *writer, star_value value) {
    const yyjson_val *raw = star_json_raw(value);
    if (raw == NULL) {
        return false;
    }
    size_t size = 0;
    char *text = yyjson_val_write(raw, YYJSON_WRITE_NOFLAG, &size);
    if (text != NULL) {
        text_add(writer->out, (str){text, size});
    }
    free(text);
    return text != NULL;
}

static bool write_sequence(struct writer *writer, star_value value) {
    text_add_char(writer->out, '[');
    for (size_t i = 0; i < star_length(value); i++) {
        const star_value item = star_item(writer->thread, value, i);
        if (i > 0) {
            text_add_char(writer->out, ',');
        }
        if (star_is_error(item) || !write_value(writer, item)) {
            return false;
        }
    }
    text_add_char(writer->out, ']');
    return true;
}

static bool write_fields(struct writer *writer, star_value value) {
    size_t position = 0;
    star_value key = STAR_NONE;
    star_value item = STAR_NONE;
    bool first = true;
    text_add_char(writer->out, '{');
    while (star_dict_next(writer->thread, value, &position, &key, &item)) {
        str name;
        if (star_kind(key) != STAR_KIND_STRING) {
            (void)star_fail(writer->thread, "%s: dict has a key of type %s, want string",
                            writer->what, star_type_name(key));
            return false;
        }
        (void)value_text(key, &name);
        if (!first) {
            text_add_char(writer->out, ',');
        }
        first = false;
        json_quote(writer->out, name);
        text_add_char(writer->out, ':');
        if (!write_value(writer, item)) {
            return false;
        }
    }
    text_add_char(writer->out, '}');
    return !star_is_error(key);
}

static bool write_float(struct writer *writer, star_value value) {
    double number = 0;
    (void)star_get_double(value, &number);
    if (!isfinite(number)) {
        (void)star_fail(writer->thread, "%s: JSON has no NaN or infinity", writer->what);
        return false;
    }
    json_format_double(writer->out, number);
    return true;
}

static bool write_int(struct writer *writer, star_value value) {
    int64_t small = 0;
    if (star_get_int64(value, &small)) {
        text_format(writer->out, "%lld", (long long)small);
        return true;
    }
    str digits;
    const star_value decimal = star_int_to_decimal(writer->thread, value);
    if (star_is_error(decimal) || !value_text(decimal, &digits)) {
        return false;
    }
    text_add(writer->out, digits);
    return true;
}

static bool write_container(struct writer *writer, star_value value, bool is_sequence) {
    if (writer->depth == JSON_BODY_DEPTH_MAX) {
        (void)star_fail(writer->thread, "%s: nested deeper than %d", writer->what,
                        JSON_BODY_DEPTH_MAX);
        return false;
    }
    if (write_raw(writer, value)) {
        return true;
    }
    writer->depth++;
    const bool done = is_sequence ? write_sequence(writer, value) : write_fields(writer, value);
    writer->depth--;
    return done;
}

static bool write_value(struct writer *writer, star_value value) {
    str text;
    switch (star_kind(value)) {
    case STAR_KIND_NONE:
        text_add(writer->out, STR("null"));
        return true;
    case STAR_KIND_BOOL:
        text_add(writer->out, star_truth(value) ? STR("true") : STR("false"));
        return true;
    case STAR_KIND_INT:
        return write_int(writer, value);
    case STAR_KIND_FLOAT:
        return write_float(writer, value);
    case STAR_KIND_STRING:
        (void)value_text(value, &text);
        json_quote(writer->out, text);
        return true;
    case STAR_KIND_LIST:
    case STAR_KIND_TUPLE:
        return write_container(writer, value, true);
    case STAR_KIND_DICT:
    case STAR_KIND_STRUCT:
        return write_container(writer, value, false);
    case STAR_KIND_BYTES:
    case STAR_KIND_SET:
    case STAR_KIND_RANGE:
    case STAR_KIND_FUNCTION:
    case STAR_KIND_BUILTIN:
    case STAR_KIND_HOST:
        break;
    }
    (void)star_fail(writer->thread, "%s: cannot write %s as JSON", writer->what,
                    star_type_name(value));
    return false;
}

bool json_body_write(struct star_thread *thread, const char *what, struct text *out,
                     star_value value) {
    struct writer writer = {.thread = thread, .what = what, .out = out};
    return write_value(&writer, value);
}
