#include "starlark/json_reader.h"

#include "starlark/numbers.h"
#include "starlark/thread.h"

#include <yyjson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Parsing

// The offset where nesting passes the limit, or SIZE_MAX.  Strings are skipped; wrong JSON is left
// to the parser.
static size_t nesting_overflow(str text) {
    size_t depth = 0;
    bool inside = false;
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.data[i];
        if (inside) {
            if (c == '\\') {
                i++;
            } else {
                inside = c != '"';
            }
        } else if (c == '"') {
            inside = true;
        } else if (c == '[' || c == '{') {
            if (++depth > JSON_NESTING_MAX) {
                return i;
            }
        } else if (c == ']' || c == '}') {
            depth -= depth > 0 ? 1 : 0;
        }
    }
    return SIZE_MAX;
}

// The parser's memory is the heap's: charged to it and within its limit.  The size of a block
// stands in front of it, since yyjson frees without one.
struct json_memory {
    struct star_heap *heap;
    size_t charged;
    bool is_limited; // the limit was hit, not the end of memory
};

enum { BLOCK_HEADER = 16 };

static bool memory_charge(struct json_memory *memory, size_t size) {
    struct star_heap *heap = memory->heap;
    if (heap->used_bytes > heap->limit_bytes || size > heap->limit_bytes - heap->used_bytes) {
        memory->is_limited = true;
        return false;
    }
    heap->used_bytes += size;
    memory->charged += size;
    return true;
}

static void memory_give_back(struct json_memory *memory, size_t size) {
    if (memory != NULL) {
        memory->heap->used_bytes -= size;
        memory->charged -= size;
    }
}

static void *memory_resize(void *context, void *block, size_t old_size, size_t size) {
    struct json_memory *memory = context;
    (void)old_size; // also in the header
    char *old = block == NULL ? NULL : (char *)block - BLOCK_HEADER;
    const size_t before = old == NULL ? 0 : *(size_t *)(void *)old;
    if (size > SIZE_MAX - BLOCK_HEADER || !memory_charge(memory, size)) {
        return NULL;
    }
    char *made = realloc(old, BLOCK_HEADER + size);
    if (made == NULL) {
        memory_give_back(memory, size);
        return NULL;
    }
    memory_give_back(memory, before);
    *(size_t *)(void *)made = size;
    return made + BLOCK_HEADER;
}

static void *memory_new(void *context, size_t size) {
    return memory_resize(context, NULL, 0, size);
}

// Without a context the block belongs to a finished document, whose bytes are given back at once.
static void memory_free(void *context, void *block) {
    if (block != NULL) {
        char *start = (char *)block - BLOCK_HEADER;
        memory_give_back(context, *(size_t *)(void *)start);
        free(start);
    }
}

// The value of four hex digits, or -1.
static int hex4(const char *text) {
    int value = 0;
    for (int i = 0; i < 4; i++) {
        const char c = text[i];
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

// The unit of the escape \uXXXX at `i`, or -1.
static int escaped_unit(str text, size_t i) {
    return text.size - i >= 6 && text.data[i] == '\\' && text.data[i + 1] == 'u'
               ? hex4(text.data + i + 2)
               : -1;
}

// Writes \ufffd over every escape of a surrogate that has no partner, which RFC 8259 lets in and
// yyjson does not.  Says whether there was one; all offsets stay.
static bool surrogates_replace(char *data, size_t size) {
    const str text = {data, size};
    bool found = false;
    for (size_t i = 0; i < size; i++) {
        if (data[i] != '\\') {
            continue;
        }
        const int unit = escaped_unit(text, i);
        const int next = unit >= 0xD800 && unit < 0xDC00 ? escaped_unit(text, i + 6) : -1;
        if (next >= 0xDC00 && next < 0xE000) {
            i += 11;
        } else if (unit >= 0xD800 && unit < 0xE000) {
            memcpy(data + i, (const char[]){'\\', 'u', 'f', 'f', 'f', 'd'}, 6);
            found = true;
            i += 5;
        } else {
            i++; // the escaped character
        }
    }
    return found;
}

static yyjson_doc *read_text(str text, const yyjson_alc *allocator, yyjson_read_err *error) {
    // Without YYJSON_READ_INSITU the text is only read; the interface takes a plain pointer for
    // both.
    char *data = (char *)(uintptr_t)text.data;
    return yyjson_read_opts(text.size == 0 ? (char[]){0} : data, text.size,
                            YYJSON_READ_BIGNUM_AS_RAW, allocator, error);
}

// A second try, on a copy without lone surrogates.
static yyjson_doc *read_repaired(str text, const yyjson_alc *allocator, yyjson_read_err *error) {
    char *copy = allocator->malloc(allocator->ctx, text.size);
    yyjson_doc *document = NULL;
    if (copy == NULL) {
        error->code = YYJSON_READ_ERROR_MEMORY_ALLOCATION;
        return NULL;
    }
    memcpy(copy, text.data, text.size);
    if (surrogates_replace(copy, text.size)) {
        document = read_text((str){copy, text.size}, allocator, error);
    }
    allocator->free(allocator->ctx, copy);
    return document;
}

static bool text_is_float(str text) {
    return str_find_char(text, '.') != SIZE_MAX || str_find_char(text, 'e') != SIZE_MAX ||
           str_find_char(text, 'E') != SIZE_MAX;
}

// A number that yyjson kept as text is an int, or a float that no double can hold.
static yyjson_val *huge_float(const yyjson_doc *document) {
    yyjson_val *value = document->root;
    for (size_t i = 0; i < document->val_read; i++) {
        if (unsafe_yyjson_is_raw(&value[i]) &&
            text_is_float((str){value[i].uni.str, unsafe_yyjson_get_len(&value[i])})) {
            return &value[i];
        }
    }
    return NULL;
}

struct json_parsed json_parse(struct star_thread *thread, str text, char *message,
                              size_t message_size) {
    const size_t deep = nesting_overflow(text);
    if (deep != SIZE_MAX) {
        snprintf(message, message_size, "at offset %zu, nesting deeper than %d", deep,
                 JSON_NESTING_MAX);
        return (struct json_parsed){0};
    }
    struct json_memory memory = {.heap = star_thread_heap(thread)};
    const yyjson_alc allocator = {memory_new, memory_resize, memory_free, &memory};
    yyjson_read_err error = {0};
    yyjson_doc *document = read_text(text, &allocator, &error);
    if (document == NULL && error.code == YYJSON_READ_ERROR_INVALID_STRING) {
        document = read_repaired(text, &allocator, &error);
    }
    if (document == NULL && error.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION) {
        message[0] = '\0';
        star_fail_memory(thread, memory.is_limited);
    } else if (document == NULL && text.size == 0) {
        snprintf(message, message_size, "at offset 0, unexpected end of file");
    } else if (document == NULL) {
        snprintf(message, message_size, "at offset %zu, %s", error.pos, error.msg);
    }
    struct json_parsed parsed = {document, memory.charged};
    if (document == NULL) {
        return (struct json_parsed){0};
    }
    document->alc.ctx = NULL; // `memory` is gone when the document goes
    yyjson_val *huge = huge_float(document);
    if (huge != NULL) {
        // The document's text is a copy of ours: same offsets.
        snprintf(message, message_size,
                 "at offset %zu, floating-point number too large: " STR_FORMAT,
                 (size_t)(huge->uni.str - document->str_pool),
                 STR_ARGS(str_slice((str){huge->uni.str, unsafe_yyjson_get_len(huge)}, 0, 64)));
        json_parsed_free(thread, &parsed);
    }
    return parsed;
}

void json_parsed_free(struct star_thread *thread, struct json_parsed *parsed) {
    yyjson_doc_free(parsed->document);
    star_thread_heap(thread)->used_bytes -= parsed->bytes;
    *parsed = (struct json_parsed){0};
}

// ---------------------------------------------------------------------------------------------
// Scalars

star_value json_scalar(struct star_thread *thread, const struct yyjson_val *value) {
    yyjson_val *json = (yyjson_val *)(uintptr_t)value;
    switch (yyjson_get_type(json)) {
    case YYJSON_TYPE_BOOL:
        return star_bool(yyjson_get_bool(json));
    case YYJSON_TYPE_STR:
        return star_string(thread, yyjson_get_str(json), yyjson_get_len(json));
    case YYJSON_TYPE_RAW:
        return star_int_from_decimal(thread, yyjson_get_raw(json), yyjson_get_len(json));
    case YYJSON_TYPE_NUM:
        if (yyjson_is_real(json)) {
            return star_from_double(yyjson_get_real(json));
        }
        return yyjson_is_uint(json) ? star_int_from_uint64(thread, yyjson_get_uint(json))
                                    : star_int(thread, yyjson_get_sint(json));
    default: // null; yyjson's types are plain numbers, not an enum
        return STAR_NONE;
    }
}

// ---------------------------------------------------------------------------------------------
// Layouts

static str key_text(yyjson_val *key) {
    return (str){unsafe_yyjson_get_str(key), unsafe_yyjson_get_len(key)};
}

static bool shape_matches(const struct star_shape *shape, yyjson_val *object) {
    if (shape == NULL || shape->count != unsafe_yyjson_get_len(object)) {
        return false;
    }
    yyjson_val *key = unsafe_yyjson_get_first(object);
    for (uint32_t i = 0; i < shape->count; i++) {
        if (!str_equal(star_text_of(shape->keys[i]), key_text(key))) {
            return false;
        }
        key = unsafe_yyjson_get_next(key + 1);
    }
    return true;
}

// Few bits of an object's size and first key, to find its layout among those kept.
static size_t shape_place(yyjson_val *object) {
    const str key = key_text(unsafe_yyjson_get_first(object));
    size_t mix = unsafe_yyjson_get_len(object) * 7 + key.size;
    mix += key.size > 0 ? (size_t)(unsigned char)key.data[key.size - 1] : 0;
    return mix % JSON_SHAPES_KEPT;
}

// The keys as interned strings; false when one comes twice or memory is out (*failed).
static bool keys_intern(struct star_thread *thread, yyjson_val *object, star_value *keys,
                        bool *failed) {
    struct star_set *seen = star_set_new(thread, unsafe_yyjson_get_len(object));
    yyjson_val *key = unsafe_yyjson_get_first(object);
    *failed = seen == NULL;
    for (size_t i = 0; i < unsafe_yyjson_get_len(object) && !*failed; i++) {
        const str text = key_text(key);
        keys[i] = star_string_intern(thread, text.data, text.size);
        *failed = star_is_error(keys[i]) || !star_set_put(thread, seen, keys[i]);
        key = unsafe_yyjson_get_next(key + 1);
    }
    return !*failed && seen->count == unsafe_yyjson_get_len(object);
}

const struct star_shape *json_shape(struct star_thread *thread, struct json_shapes *shapes,
                                    struct yyjson_val *object, bool *failed) {
    const size_t count = unsafe_yyjson_get_len(object);
    *failed = false;
    if (count == 0 || count > STAR_SHAPE_KEYS_MAX) {
        return NULL;
    }
    const struct star_shape **kept = &shapes->kept[shape_place(object)];
    if (shape_matches(*kept, object)) {
        return *kept;
    }
    struct star_tuple *keys = star_tuple_new(thread, count);
    if (keys == NULL) {
        *failed = true;
        return NULL;
    }
    if (!keys_intern(thread, object, keys->items, failed)) {
        return NULL;
    }
    const struct star_shape *shape = star_shape_of(thread, keys->items, count);
    if (shape != NULL) {
        *kept = shape;
    }
    return shape;
}

// ---------------------------------------------------------------------------------------------
// The whole document
//
// A container is made empty and noted; noted containers are filled one after the other, which makes
// more notes.  So there is no recursion, and a value is complete when no note is left.

struct note {
    yyjson_val *json;
    star_value value;
};

struct reader {
    struct star_thread *thread;
    struct json_shapes shapes;
    struct note *notes;
    size_t count;
    size_t capacity;
};

static bool reader_note(struct reader *reader, yyjson_val *json, star_value value) {
    if (reader->count == reader->capacity) {
        const size_t capacity = reader->capacity == 0 ? 64 : reader->capacity * 2;
        struct star_heap *heap = star_thread_heap(reader->thread);
        struct note *notes =
            reader->notes == NULL
                ? star_buffer_alloc(heap, capacity * sizeof(*notes))
                : star_buffer_grow(heap, reader->notes, reader->capacity * sizeof(*notes),
                                   capacity * sizeof(*notes));
        if (notes == NULL) {
            return false;
        }
        reader->notes = notes;
        reader->capacity = capacity;
    }
    reader->notes[reader->count++] = (struct note){json, value};
    return true;
}

static star_value make_dict(struct reader *reader, yyjson_val *object) {
    bool failed = false;
    const struct star_shape *shape = json_shape(reader->thread, &reader->shapes, object, &failed);
    if (failed) {
        return STAR_ERROR;
    }
    struct star_dict *dict = shape != NULL
                                 ? star_dict_shaped(reader->thread, shape)
                                 : star_dict_new(reader->thread, unsafe_yyjson_get_len(object));
    if (dict == NULL) {
        return STAR_ERROR;
    }
    const star_value value = star_from_object(dict);
    if (unsafe_yyjson_get_len(object) == 0) {
        return value;
    }
    return reader_note(reader, object, value) ? value : STAR_ERROR;
}

static star_value make_value(struct reader *reader, yyjson_val *json) {
    if (unsafe_yyjson_is_obj(json)) {
        return make_dict(reader, json);
    }
    if (!unsafe_yyjson_is_arr(json)) {
        return json_scalar(reader->thread, json);
    }
    struct star_list *list = star_list_new(reader->thread, unsafe_yyjson_get_len(json));
    if (list == NULL) {
        return STAR_ERROR;
    }
    const star_value value = star_from_object(list);
    if (unsafe_yyjson_get_len(json) == 0) {
        return value;
    }
    return reader_note(reader, json, value) ? value : STAR_ERROR;
}

static bool fill_list(struct reader *reader, yyjson_val *array, struct star_list *list) {
    yyjson_val *item = unsafe_yyjson_get_first(array);
    for (size_t left = unsafe_yyjson_get_len(array); left > 0; left--) {
        const star_value value = make_value(reader, item);
        if (star_is_error(value) || !star_list_push(reader->thread, list, value)) {
            return false;
        }
        item = unsafe_yyjson_get_next(item);
    }
    return true;
}

static bool fill_shaped(struct reader *reader, yyjson_val *object, struct star_dict *dict) {
    yyjson_val *key = unsafe_yyjson_get_first(object);
    for (uint32_t i = 0; i < dict->count; i++) {
        dict->slots[i] = make_value(reader, key + 1);
        if (star_is_error(dict->slots[i])) {
            return false;
        }
        key = unsafe_yyjson_get_next(key + 1);
    }
    return true;
}

static bool fill_plain(struct reader *reader, yyjson_val *object, struct star_dict *dict) {
    yyjson_val *key = unsafe_yyjson_get_first(object);
    for (size_t left = unsafe_yyjson_get_len(object); left > 0; left--) {
        const str text = key_text(key);
        const star_value name = star_string_str(reader->thread, text);
        const star_value value = star_is_error(name) ? name : make_value(reader, key + 1);
        if (star_is_error(value) || !star_dict_insert(reader->thread, dict, name, value)) {
            return false;
        }
        key = unsafe_yyjson_get_next(key + 1);
    }
    return true;
}

static bool fill_noted(struct reader *reader, struct note note) {
    if (!star_charge(reader->thread, unsafe_yyjson_get_len(note.json))) {
        return false;
    }
    if (unsafe_yyjson_is_arr(note.json)) {
        return fill_list(reader, note.json, star_as_list(note.value));
    }
    struct star_dict *dict = star_as_dict(note.value);
    return dict->shape != NULL && dict->count > 0 ? fill_shaped(reader, note.json, dict)
                                                  : fill_plain(reader, note.json, dict);
}

star_value json_to_value(struct star_thread *thread, struct yyjson_val *root) {
    struct reader reader = {.thread = thread};
    star_value value = make_value(&reader, root);
    while (!star_is_error(value) && reader.count > 0) {
        if (!fill_noted(&reader, reader.notes[--reader.count])) {
            value = STAR_ERROR;
        }
    }
    if (reader.notes != NULL) {
        star_buffer_free(star_thread_heap(thread), reader.notes,
                         reader.capacity * sizeof(*reader.notes));
    }
    return value;
}
