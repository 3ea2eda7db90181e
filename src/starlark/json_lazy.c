// Lazy JSON: a parsed document that looks like dicts and lists (docs: D5 of the design).
//
// The document is owned by a host object that every lazy container of it refers to.  A container is
// converted one level at a time: touching an element of a list makes all of the list's elements
// (containers among them are lazy again), touching a key of a dict makes that one value.  Strings
// are copied, so that a string outlives its document.  The first change makes a container plain
// (see star_list_materialize, star_dict_materialize); until then star_json_raw gives the document's
// own node, and a row goes from the network to a column without becoming a value at all.

#include "starlark/json_reader.h"
#include "starlark/thread.h"

#include <yyjson.h>
#include <stdlib.h>

enum {
    SINGLE_FILL_MAX = 64,  // keys; a larger object is converted at once, as finding one is a walk
    RAW_CHECK_DEPTH = 100, // of touched containers inside an untouched one
};

struct json_document {
    struct json_parsed parsed;
    struct json_shapes
        shapes; // of the thread that made it; the object dies with that thread's heap
};

static void document_free(void *data) {
    struct json_document *document = data;
    yyjson_doc_free(document->parsed.document);
    free(document);
}

static size_t document_charged(const void *data) {
    return ((const struct json_document *)data)->parsed.bytes;
}

static const struct star_type document_type = {
    .name = "json.document", .free = document_free, .charged = document_charged};

static bool lazy_fill(struct star_thread *thread, const struct star_lazy *lazy, star_value *items,
                      uint32_t count, uint32_t position);

static const struct star_lazy_source json_source = {
    .name = "json", .fill = lazy_fill, .is_json = true};

// An object that cannot have a layout (a key twice, or too many) is converted now.
static star_value dict_of(struct star_thread *thread, star_value owner, yyjson_val *object) {
    struct json_document *document = star_host_data(owner, &document_type);
    bool failed = false;
    const struct star_shape *shape = json_shape(thread, &document->shapes, object, &failed);
    if (failed) {
        return STAR_ERROR;
    }
    if (shape == NULL) {
        return json_to_value(thread, object);
    }
    const struct star_lazy lazy = {.source = &json_source, .item = object, .owner = owner};
    return star_dict_lazy(thread, shape, &lazy);
}

static star_value value_of(struct star_thread *thread, star_value owner, yyjson_val *json) {
    if (unsafe_yyjson_is_obj(json)) {
        return dict_of(thread, owner, json);
    }
    if (unsafe_yyjson_is_arr(json)) {
        const struct star_lazy lazy = {.source = &json_source, .item = json, .owner = owner};
        return star_list_lazy(thread, unsafe_yyjson_get_len(json), &lazy);
    }
    return json_scalar(thread, json);
}

static bool fill_elements(struct star_thread *thread, star_value owner, yyjson_val *array,
                          star_value *items, uint32_t count) {
    yyjson_val *item = unsafe_yyjson_get_first(array);
    if (!star_charge(thread, count)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (star_is_unset(items[i])) {
            const star_value value = value_of(thread, owner, item);
            if (star_is_error(value)) {
                return false;
            }
            items[i] = value;
        }
        item = unsafe_yyjson_get_next(item);
    }
    return true;
}

static bool fill_slots(struct star_thread *thread, star_value owner, yyjson_val *object,
                       star_value *slots, uint32_t count, uint32_t position) {
    yyjson_val *key = unsafe_yyjson_get_first(object);
    const bool all = count > SINGLE_FILL_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (star_is_unset(slots[i]) && (all || i == position)) {
            const star_value value = value_of(thread, owner, key + 1);
            if (star_is_error(value)) {
                return false;
            }
            slots[i] = value;
        }
        if (i == position && !all) {
            break;
        }
        key = unsafe_yyjson_get_next(key + 1);
    }
    return true;
}

static bool lazy_fill(struct star_thread *thread, const struct star_lazy *lazy, star_value *items,
                      uint32_t count, uint32_t position) {
    yyjson_val *json = (yyjson_val *)(uintptr_t)lazy->item;
    return unsafe_yyjson_is_arr(json)
               ? fill_elements(thread, lazy->owner, json, items, count)
               : fill_slots(thread, lazy->owner, json, items, count, position);
}

// Takes `parsed`, whatever happens.
static star_value lazy_new(struct star_thread *thread, struct json_parsed *parsed) {
    struct json_document *document = calloc(1, sizeof(*document));
    if (document == NULL) {
        json_parsed_free(thread, parsed);
        return star_fail(thread, "out of memory");
    }
    document->parsed = *parsed;
    const star_value owner = star_host_new(thread, &document_type, document, 0, 0);
    if (star_is_error(owner)) {
        json_parsed_free(thread, parsed);
        free(document);
        return owner;
    }
    return value_of(thread, owner, yyjson_doc_get_root(parsed->document));
}

star_value star_json_lazy(struct star_thread *thread, const char *data, size_t size) {
    char message[256];
    if (!star_charge_ahead(thread, size / 4)) {
        return STAR_ERROR;
    }
    struct json_parsed parsed = json_parse(thread, (str){data, size}, message, sizeof(message));
    if (parsed.document == NULL) {
        return message[0] == '\0' ? STAR_ERROR : star_fail(thread, "json: %s", message);
    }
    return lazy_new(thread, &parsed);
}

// ---------------------------------------------------------------------------------------------
// Back to the document

static const void *raw_of(star_value value, int depth);

// Scalars cannot change, and replacing one makes its container plain.  A container that was made
// must itself be unchanged.
static bool parts_unchanged(const star_value *items, uint32_t count, int depth) {
    for (uint32_t i = 0; i < count; i++) {
        const bool container =
            star_is_type(items[i], STAR_OBJECT_LIST) || star_is_type(items[i], STAR_OBJECT_DICT);
        if (container && raw_of(items[i], depth + 1) == NULL) {
            return false;
        }
    }
    return true;
}

static const void *raw_of(star_value value, int depth) {
    const struct star_lazy *lazy = NULL;
    const star_value *items = NULL;
    uint32_t count = 0;
    if (star_is_type(value, STAR_OBJECT_LIST)) {
        lazy = star_as_list(value)->lazy;
        items = star_as_list(value)->items;
        count = star_as_list(value)->count;
    } else if (star_is_type(value, STAR_OBJECT_DICT) && star_as_dict(value)->shape != NULL) {
        lazy = star_as_dict(value)->lazy;
        items = star_as_dict(value)->slots;
        count = star_as_dict(value)->count;
    }
    if (lazy == NULL || !lazy->source->is_json || depth > RAW_CHECK_DEPTH) {
        return NULL;
    }
    return parts_unchanged(items, count, depth) ? lazy->item : NULL;
}

const void *star_json_raw(star_value value) {
    return raw_of(value, 0);
}
