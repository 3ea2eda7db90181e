#include "starlark/json_writer.h"

#include "starlark/ancestors.h"
#include "starlark/dict.h"
#include "starlark/number_text.h"
#include "starlark/numbers.h"
#include "starlark/operators.h"
#include "starlark/sequence.h"
#include "starlark/utf8.h"

#include <yyjson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH_PARTS_SHOWN = 16 };

// ---------------------------------------------------------------------------------------------
// Strings

static bool is_plain(unsigned char c) {
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static bool write_escape(struct star_text *out, unsigned char c) {
    static const char hex[] = "0123456789abcdef";
    switch (c) {
    case '"':
        return star_text_add(out, "\\\"", 2);
    case '\\':
        return star_text_add(out, "\\\\", 2);
    case '\n':
        return star_text_add(out, "\\n", 2);
    case '\r':
        return star_text_add(out, "\\r", 2);
    case '\t':
        return star_text_add(out, "\\t", 2);
    case '\b':
        return star_text_add(out, "\\b", 2);
    case '\f':
        return star_text_add(out, "\\f", 2);
    default: {
        const char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        return star_text_add(out, escape, sizeof(escape));
    }
    }
}

bool json_write_string(struct star_text *out, str text) {
    star_text_add_char(out, '"');
    size_t i = 0;
    while (i < text.size && !out->failed) {
        size_t plain = i;
        while (plain < text.size && is_plain((unsigned char)text.data[plain])) {
            plain++;
        }
        star_text_add(out, text.data + i, plain - i);
        i = plain;
        if (i == text.size) {
            break;
        }
        const unsigned char c = (unsigned char)text.data[i];
        if (c < 0x80) {
            write_escape(out, c);
            i++;
        } else {
            uint32_t code_point = 0;
            char encoded[UTF8_SIZE_MAX];
            i += utf8_decode(text.data + i, text.size - i, &code_point, NULL);
            star_text_add(out, encoded, utf8_encode(code_point, encoded));
        }
    }
    return star_text_add_char(out, '"');
}

static bool write_double(struct star_text *out, double number) {
    char text[FLOAT_TEXT_MAX];
    return star_text_add(out, text, float_format(number, text));
}

// ---------------------------------------------------------------------------------------------
// The way from the root to what is being written: for messages, and to see a cycle

struct place {
    const struct place *outer;
    star_value container;
    star_value key; // STAR_UNSET: in a sequence
    uint64_t index;
};

struct writer {
    struct star_thread *thread;
    struct star_text *out;
    const struct json_options *options;
    struct ancestors ancestors;
    struct { // order of the sorted keys of the shape seen last
        const struct star_shape *shape;
        uint32_t order[64];
    } sorted;
};

static void path_add(struct star_text *text, const struct place *place, int shown) {
    if (place == NULL) {
        return;
    }
    if (shown == PATH_PARTS_SHOWN) {
        star_text_add_cstring(text, "… ");
        return;
    }
    path_add(text, place->outer, shown + 1);
    if (star_is_unset(place->key)) {
        char index[64];
        const int size =
            snprintf(index, sizeof(index), "at %s index %llu: ", star_type_name(place->container),
                     (unsigned long long)place->index);
        star_text_add(text, index, (size_t)size);
    } else {
        star_text_add_cstring(text, "in ");
        star_text_add_cstring(text, star_kind(place->container) == STAR_KIND_STRUCT ? "field "
                                                                                    : "dict key ");
        json_write_string(text, star_text_of(place->key));
        star_text_add_cstring(text, ": ");
    }
}

static bool writer_fail(struct writer *writer, const struct place *place, const char *what) {
    struct star_text path;
    star_text_init(&path, writer->thread);
    path_add(&path, place, 0);
    star_fail(writer->thread, "%s: " STR_FORMAT "%s", writer->options->name,
              STR_ARGS(((str){path.data, path.size})), what);
    star_text_done(&path);
    return false;
}

static bool writer_fail_type(struct writer *writer, const struct place *place, const char *before,
                             star_value value, const char *behind) {
    char what[160];
    snprintf(what, sizeof(what), "%s%.100s%s", before, star_type_name(value), behind);
    return writer_fail(writer, place, what);
}

static bool write_value(struct writer *writer, star_value value, const struct place *place);

// ---------------------------------------------------------------------------------------------
// Sorted objects

struct member {
    str name;
    star_value key;
    star_value value;
};

static int member_compare(const void *a, const void *b) {
    const struct member *left = a;
    const struct member *right = b;
    return str_compare(left->name, right->name);
}

static bool write_member(struct writer *writer, struct place *place, star_value key,
                         star_value value, bool first) {
    if (!first) {
        star_text_add_char(writer->out, ',');
    }
    place->key = key;
    json_write_string(writer->out, star_text_of(key));
    star_text_add_char(writer->out, ':');
    return write_value(writer, value, place);
}

static bool check_key(struct writer *writer, const struct place *place, star_value key) {
    return star_is_string(key) ||
           writer_fail_type(writer, place->outer, "dict has ", key, " key, want string");
}

static bool write_sorted(struct writer *writer, struct star_dict *dict, struct place *place) {
    struct star_heap *heap = star_thread_heap(writer->thread);
    const size_t bytes = dict->count * sizeof(struct member);
    struct member *members = star_buffer_alloc(heap, bytes);
    if (members == NULL) {
        return false;
    }
    size_t count = 0;
    uint32_t position = 0;
    struct member member = {.key = STAR_UNSET};
    bool done = true;
    while (done && star_dict_step(writer->thread, dict, &position, &member.key, &member.value)) {
        done = check_key(writer, place, member.key);
        member.name = done ? star_text_of(member.key) : (str){0};
        members[count++] = member;
    }
    done = done && !star_is_error(member.key);
    if (done && count > 1) {
        qsort(members, count, sizeof(*members), member_compare);
    }
    for (size_t i = 0; done && i < count; i++) {
        done = write_member(writer, place, members[i].key, members[i].value, i == 0);
    }
    star_buffer_free(heap, members, bytes);
    return done;
}

// Fills in writer->sorted for the shape; insertion sort, as rows have few keys.
static void shape_order(struct writer *writer, const struct star_shape *shape) {
    uint32_t *order = writer->sorted.order;
    writer->sorted.shape = shape;
    for (uint32_t i = 0; i < shape->count; i++) {
        uint32_t at = i;
        while (at > 0 && str_compare(star_text_of(shape->keys[order[at - 1]]),
                                     star_text_of(shape->keys[i])) > 0) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = i;
    }
}

// Rows share a layout: its order is found once.
static bool write_sorted_shape(struct writer *writer, struct star_dict *dict, struct place *place) {
    const struct star_shape *shape = dict->shape;
    uint32_t order[ARRAY_COUNT(writer->sorted.order)];
    if (writer->sorted.shape != shape) {
        shape_order(writer, shape);
    }
    memcpy(order, writer->sorted.order, shape->count * sizeof(*order));
    if (!star_dict_materialize(writer->thread, dict)) {
        return false;
    }
    for (uint32_t i = 0; i < shape->count; i++) {
        if (!write_member(writer, place, shape->keys[order[i]], dict->slots[order[i]], i == 0)) {
            return false;
        }
    }
    return true;
}

static bool write_in_order(struct writer *writer, struct star_dict *dict, struct place *place) {
    uint32_t position = 0;
    star_value key = STAR_UNSET;
    star_value value = STAR_UNSET;
    bool first = true;
    while (star_dict_step(writer->thread, dict, &position, &key, &value)) {
        if (!check_key(writer, place, key) || !write_member(writer, place, key, value, first)) {
            return false;
        }
        first = false;
    }
    return !star_is_error(key);
}

// ---------------------------------------------------------------------------------------------
// Containers

static bool write_dict(struct writer *writer, star_value value, struct place *place) {
    struct star_dict *dict = star_as_dict(value);
    star_text_add_char(writer->out, '{');
    bool done = false;
    if (!writer->options->sorted || dict->count < 2) {
        done = write_in_order(writer, dict, place);
    } else if (dict->shape != NULL && dict->count <= ARRAY_COUNT(writer->sorted.order)) {
        done = write_sorted_shape(writer, dict, place);
    } else {
        done = write_sorted(writer, dict, place);
    }
    return done && star_text_add_char(writer->out, '}');
}

static bool write_struct(struct writer *writer, star_value value, struct place *place) {
    const struct star_struct_object *object = STAR_AS(star_struct_object, value);
    star_text_add_char(writer->out, '{');
    for (uint32_t i = 0; i < object->count; i++) {
        if (!write_member(writer, place, object->items[i], object->items[object->count + i],
                          i == 0)) {
            return false;
        }
    }
    return star_text_add_char(writer->out, '}');
}

static bool write_sequence(struct writer *writer, star_value value, struct place *place) {
    struct star_iterator iterator;
    if (!star_iterate(writer->thread, value, &iterator)) {
        return false;
    }
    star_text_add_char(writer->out, '[');
    star_value item = STAR_UNSET;
    bool done = true;
    for (place->index = 0; done && star_iterate_next(writer->thread, &iterator, &item);
         place->index++) {
        if (place->index > 0) {
            star_text_add_char(writer->out, ',');
        }
        done = write_value(writer, item, place);
    }
    done = done && !iterator.failed;
    star_iterate_end(&iterator);
    return done && star_text_add_char(writer->out, ']');
}

// ---------------------------------------------------------------------------------------------
// Untouched lazy JSON, in the order of the document.  An object with a key twice never gets here
// (json_lazy.c converts it), and nesting was limited when it was parsed.

static bool write_json(struct writer *writer, yyjson_val *json);

static bool write_json_items(struct writer *writer, yyjson_val *json) {
    const bool object = unsafe_yyjson_is_obj(json);
    yyjson_val *item = unsafe_yyjson_get_first(json);
    star_text_add_char(writer->out, object ? '{' : '[');
    for (size_t left = unsafe_yyjson_get_len(json), i = 0; i < left; i++) {
        if (i > 0) {
            star_text_add_char(writer->out, ',');
        }
        if (object) {
            const str key = {unsafe_yyjson_get_str(item), unsafe_yyjson_get_len(item)};
            json_write_string(writer->out, key);
            star_text_add_char(writer->out, ':');
            item++;
        }
        if (!write_json(writer, item)) {
            return false;
        }
        item = unsafe_yyjson_get_next(item);
    }
    return star_text_add_char(writer->out, object ? '}' : ']') &&
           star_charge(writer->thread, 1 + unsafe_yyjson_get_len(json));
}

static bool write_json(struct writer *writer, yyjson_val *json) {
    if (unsafe_yyjson_is_ctn(json)) {
        if (!star_enter(writer->thread, writer->options->name)) {
            return false;
        }
        const bool done = write_json_items(writer, json);
        star_leave(writer->thread);
        return done;
    }
    struct star_text *out = writer->out;
    switch (yyjson_get_type(json)) {
    case YYJSON_TYPE_BOOL:
        return star_text_add_cstring(out, yyjson_get_bool(json) ? "true" : "false");
    case YYJSON_TYPE_STR:
        return json_write_string(out, (str){yyjson_get_str(json), yyjson_get_len(json)});
    case YYJSON_TYPE_RAW:
        return star_text_add(out, yyjson_get_raw(json), yyjson_get_len(json));
    case YYJSON_TYPE_NUM: {
        if (yyjson_is_real(json)) {
            return write_double(out, yyjson_get_real(json));
        }
        char digits[24];
        const int size = yyjson_is_uint(json) ? snprintf(digits, sizeof(digits), "%llu",
                                                         (unsigned long long)yyjson_get_uint(json))
                                              : snprintf(digits, sizeof(digits), "%lld",
                                                         (long long)yyjson_get_sint(json));
        return star_text_add(out, digits, (size_t)size);
    }
    default: // null
        return star_text_add(out, "null", 4);
    }
}

// ---------------------------------------------------------------------------------------------
// Any value

static bool write_float(struct writer *writer, double number, const struct place *place) {
    if (isfinite(number)) {
        return write_double(writer->out, number);
    }
    char what[64];
    char text[FLOAT_TEXT_MAX];
    float_format(number, text);
    snprintf(what, sizeof(what), "cannot encode non-finite float %s", text);
    return writer_fail(writer, place, what);
}

static bool write_container(struct writer *writer, star_value value, const struct place *outer) {
    yyjson_val *json =
        writer->options->sorted ? NULL : (yyjson_val *)(uintptr_t)star_json_raw(value);
    if (json != NULL) {
        return write_json(writer, json);
    }
    struct place place = {.outer = outer, .container = value, .key = STAR_UNSET};
    const enum ancestors_result entered = ancestors_enter(&writer->ancestors, value);
    if (entered != ANCESTORS_ENTERED) {
        return entered == ANCESTORS_CYCLE && writer_fail(writer, outer, "cycle in JSON structure");
    }
    if (!star_enter(writer->thread, writer->options->name)) {
        return false;
    }
    bool done = star_charge(writer->thread, 1 + star_length(value));
    if (done) {
        const enum star_kind kind = star_kind(value);
        done = kind == STAR_KIND_DICT     ? write_dict(writer, value, &place)
               : kind == STAR_KIND_STRUCT ? write_struct(writer, value, &place)
                                          : write_sequence(writer, value, &place);
    }
    star_leave(writer->thread);
    ancestors_leave(&writer->ancestors);
    return done;
}

static bool write_value(struct writer *writer, star_value value, const struct place *place) {
    struct star_text *out = writer->out;
    switch (star_kind(value)) {
    case STAR_KIND_NONE:
        return star_text_add(out, "null", 4);
    case STAR_KIND_BOOL:
        return star_text_add_cstring(out, star_truth(value) ? "true" : "false");
    case STAR_KIND_INT:
        return star_text_add_int(out, value, 10, false);
    case STAR_KIND_FLOAT:
        return write_float(writer, star_double(value), place);
    case STAR_KIND_STRING:
        return json_write_string(out, star_text_of(value));
    case STAR_KIND_LIST:
    case STAR_KIND_TUPLE:
    case STAR_KIND_DICT:
    case STAR_KIND_SET:
    case STAR_KIND_RANGE:
    case STAR_KIND_STRUCT:
        return write_container(writer, value, place);
    case STAR_KIND_HOST:
        if (star_is_iterable(value)) {
            return write_container(writer, value, place);
        }
        break;
    case STAR_KIND_BYTES:
    case STAR_KIND_FUNCTION:
    case STAR_KIND_BUILTIN:
        break;
    }
    return writer_fail_type(writer, place, "cannot encode ", value, " as JSON");
}

bool json_write(struct star_text *out, star_value value, const struct json_options *options) {
    struct writer writer = {.thread = out->thread, .out = out, .options = options};
    ancestors_init(&writer.ancestors, out->thread);
    const bool is_good = write_value(&writer, value, NULL) && !out->failed;
    ancestors_done(&writer.ancestors);
    return is_good;
}

// ---------------------------------------------------------------------------------------------
// Indentation

static bool new_line(struct star_text *out, str prefix, str indent, size_t depth) {
    star_text_add_char(out, '\n');
    star_text_add_str(out, prefix);
    for (size_t i = 0; i < depth && !out->failed; i++) {
        star_text_add_str(out, indent);
    }
    return star_charge(out->thread, 1 + depth * indent.size / 16) && !out->failed;
}

static size_t string_end(str json, size_t i) {
    for (i++; i < json.size && json.data[i] != '"'; i++) {
        i += json.data[i] == '\\' ? 1 : 0;
    }
    return i + 1 < json.size ? i + 1 : json.size;
}

static bool is_white(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool json_indent(struct star_text *out, str json, str prefix, str indent) {
    size_t depth = 0;
    bool opened = false; // the last token opened a container
    bool going = true;
    for (size_t i = 0; going && i < json.size;) {
        const char c = json.data[i];
        if (is_white(c)) {
            i++;
            continue;
        }
        const bool closes = c == '}' || c == ']';
        if (closes) {
            depth--;
        }
        if (opened != closes) {
            going = new_line(out, prefix, indent, depth);
        }
        opened = c == '{' || c == '[';
        const size_t end = c == '"' ? string_end(json, i) : i + 1;
        star_text_add(out, json.data + i, end - i);
        if (opened) {
            depth++;
        } else if (c == ',') {
            going = going && new_line(out, prefix, indent, depth);
        } else if (c == ':') {
            star_text_add_char(out, ' ');
        }
        i = end;
    }
    return going && !out->failed;
}
