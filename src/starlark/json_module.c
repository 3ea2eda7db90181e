// The module json (spec/starlark.md §10).

#include "starlark/builtins.h"
#include "starlark/json_reader.h"
#include "starlark/json_writer.h"
#include "starlark/thread.h"

#include <yyjson.h>

static star_value json_encode(struct star_thread *thread, const struct star_call_info *call) {
    struct star_text out;
    star_text_init(&out, thread);
    const struct json_options options = {.name = "json.encode", .sorted = true};
    if (!json_write(&out, call->arguments[0], &options)) {
        star_text_done(&out);
        return STAR_ERROR;
    }
    return star_text_finish(&out);
}

static star_value json_decode(struct star_thread *thread, const struct star_call_info *call) {
    const str text = star_text_of(call->arguments[0]);
    const star_value fallback = call->arguments[1];
    char message[256];
    if (!star_charge_ahead(thread, text.size / 4)) {
        return STAR_ERROR;
    }
    struct json_parsed parsed = json_parse(thread, text, message, sizeof(message));
    if (parsed.document == NULL && message[0] == '\0') {
        return STAR_ERROR;
    }
    if (parsed.document == NULL) {
        return star_is_unset(fallback) ? star_fail(thread, "json.decode: %s", message) : fallback;
    }
    const star_value value = json_to_value(thread, yyjson_doc_get_root(parsed.document));
    json_parsed_free(thread, &parsed);
    return value;
}

static str text_or(star_value value, str otherwise) {
    return star_is_unset(value) ? otherwise : star_text_of(value);
}

static star_value indented(struct star_thread *thread, const struct star_call_info *call,
                           str json) {
    struct star_text out;
    star_text_init(&out, thread);
    if (!json_indent(&out, json, text_or(call->arguments[1], STR("")),
                     text_or(call->arguments[2], STR("\t")))) {
        star_text_done(&out);
        return STAR_ERROR;
    }
    return star_text_finish(&out);
}

static star_value json_encode_indent(struct star_thread *thread,
                                     const struct star_call_info *call) {
    const star_value json = json_encode(thread, call);
    return star_is_error(json) ? json : indented(thread, call, star_text_of(json));
}

static star_value json_indent_text(struct star_thread *thread, const struct star_call_info *call) {
    const str text = star_text_of(call->arguments[0]);
    char message[256];
    struct json_parsed parsed = json_parse(thread, text, message, sizeof(message));
    if (parsed.document == NULL) {
        return message[0] == '\0' ? STAR_ERROR : star_fail(thread, "json.indent: %s", message);
    }
    json_parsed_free(thread, &parsed);
    return star_charge(thread, text.size / 16) ? indented(thread, call, text) : STAR_ERROR;
}

bool star_json_encode(struct star_thread *thread, star_value value, const char *name,
                      void (*write)(void *user, const char *data, size_t size), void *user) {
    struct star_text out;
    star_text_init(&out, thread);
    const struct json_options options = {.name = name};
    const bool done = json_write(&out, value, &options);
    if (done) {
        write(user, out.data, out.size);
    }
    star_text_done(&out);
    return done;
}

enum { TEXT = STAR_TAKES(STAR_KIND_STRING) };

static const struct star_parameter encode_parameters[] = {{"x", STAR_REQUIRED, 0}};
static const struct star_parameter decode_parameters[] = {
    {"s", STAR_REQUIRED, TEXT},
    {"default", STAR_OPTIONAL, 0},
};
static const struct star_parameter encode_indent_parameters[] = {
    {"x", STAR_REQUIRED, 0},
    {"prefix", STAR_OPTIONAL, TEXT},
    {"indent", STAR_OPTIONAL, TEXT},
};
static const struct star_parameter indent_parameters[] = {
    {"s", STAR_REQUIRED, TEXT},
    {"prefix", STAR_OPTIONAL, TEXT},
    {"indent", STAR_OPTIONAL, TEXT},
};

static const struct star_builtin functions[] = {
    STAR_BUILTIN("decode", json_decode, decode_parameters),
    STAR_BUILTIN("encode", json_encode, encode_parameters),
    STAR_BUILTIN("encode_indent", json_encode_indent, encode_indent_parameters),
    STAR_BUILTIN("indent", json_indent_text, indent_parameters),
};

star_value star_module_json(struct star_thread *thread) {
    const char *names[ARRAY_COUNT(functions)];
    star_value values[ARRAY_COUNT(functions)];
    for (size_t i = 0; i < ARRAY_COUNT(functions); i++) {
        names[i] = functions[i].name;
        values[i] = star_function_new(thread, &functions[i], NULL);
        if (star_is_error(values[i])) {
            return STAR_ERROR;
        }
    }
    const star_value module = star_struct(thread, "json", names, values, ARRAY_COUNT(functions));
    return !star_is_error(module) && star_freeze(thread, module) ? module : STAR_ERROR;
}
