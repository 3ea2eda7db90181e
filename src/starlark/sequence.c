#include "starlark/sequence.h"

#include "starlark/shape.h"
#include "starlark/thread.h"

// ---- strings and bytes --------------------------------------------------------------------------

static star_value text_object(struct star_heap *heap, enum star_object_type type, size_t size,
                              char **content) {
    if (size > UINT32_MAX - 64) {
        if (heap->thread != NULL) {
            star_fail(heap->thread, "excessive size: %zu bytes of text", size);
        }
        return STAR_ERROR;
    }
    const bool is_external = size >= STAR_EXTERNAL_MIN;
    struct star_string *string =
        star_heap_object(heap, type, sizeof(*string) + (is_external ? 0 : size));
    if (string == NULL) {
        return STAR_ERROR;
    }
    string->size = (uint32_t)size;
    string->hash = 0;
    *content = string->content;
    if (is_external) {
        *content = star_buffer_alloc(heap, size);
        if (*content == NULL) {
            return STAR_ERROR;
        }
    }
    string->data = *content;
    return star_from_object(string);
}

star_value star_string_reserve(struct star_thread *thread, size_t size, char **content) {
    return text_object(&thread->heap, STAR_OBJECT_STRING, size, content);
}

star_value star_bytes_reserve(struct star_thread *thread, size_t size, char **content) {
    return text_object(&thread->heap, STAR_OBJECT_BYTES, size, content);
}

star_value star_heap_text(struct star_heap *heap, enum star_object_type type, str text) {
    char *content;
    const star_value value = text_object(heap, type, text.size, &content);
    if (!star_is_error(value) && text.size > 0) {
        memcpy(content, text.data, text.size);
    }
    return value;
}

star_value star_string(struct star_thread *thread, const char *data, size_t size) {
    return star_heap_text(&thread->heap, STAR_OBJECT_STRING, (str){data, size});
}

star_value star_string_str(struct star_thread *thread, str text) {
    return star_heap_text(&thread->heap, STAR_OBJECT_STRING, text);
}

star_value star_string_from(struct star_thread *thread, const char *cstring) {
    return star_string(thread, cstring, strlen(cstring));
}

star_value star_bytes(struct star_thread *thread, const void *data, size_t size) {
    return star_heap_text(&thread->heap, STAR_OBJECT_BYTES, (str){data, size});
}

star_value star_string_borrow(struct star_thread *thread, const char *data, size_t size) {
    if (size > UINT32_MAX) {
        return star_fail(thread, "excessive size: %zu bytes of text", size);
    }
    struct star_string *string =
        star_heap_object(&thread->heap, STAR_OBJECT_STRING, sizeof(*string));
    if (string == NULL) {
        return STAR_ERROR;
    }
    string->header.flags |= STAR_FLAG_BORROWED;
    string->size = (uint32_t)size;
    string->hash = 0;
    string->data = data;
    return star_from_object(string);
}

star_value star_string_slice(struct star_thread *thread, star_value string, size_t start,
                             size_t end) {
    const struct star_string *whole = star_as_string(string);
    if (start == 0 && end == whole->size) {
        return string;
    }
    return star_heap_text(&thread->heap, (enum star_object_type)whole->header.type,
                          (str){whole->data + start, end - start});
}

// A growing text: the bytes of an owner (an object of bytes with room behind its `size`) of which
// strings are prefixes.  `s += x` in a loop then copies only x, and is linear in all.
enum { GROWING_MIN = 256 };

static star_value prefix_of(struct star_thread *thread, star_value owner, uint8_t type,
                            size_t size) {
    struct star_string *string = star_heap_object(&thread->heap, (enum star_object_type)type,
                                                  sizeof(*string) + sizeof(star_value));
    if (string == NULL) {
        return STAR_ERROR;
    }
    string->header.flags |= STAR_FLAG_LENT;
    string->size = (uint32_t)size;
    string->hash = 0;
    string->data = star_as_string(owner)->content;
    memcpy(string->content, &owner, sizeof(owner));
    return star_from_object(string);
}

static star_value growing_new(struct star_thread *thread, const struct star_string *left,
                              const struct star_string *right) {
    const size_t size = (size_t)left->size + right->size;
    struct star_string *owner =
        star_heap_object(&thread->heap, STAR_OBJECT_BYTES, sizeof(*owner) + 2 * size);
    if (owner == NULL) {
        return STAR_ERROR;
    }
    owner->size = (uint32_t)size;
    owner->hash = 0;
    owner->data = owner->content;
    memcpy(owner->content, left->data, left->size);
    memcpy(owner->content + left->size, right->data, right->size);
    return prefix_of(thread, star_from_object(owner), left->header.type, size);
}

star_value star_string_concat(struct star_thread *thread, star_value a, star_value b) {
    const struct star_string *left = star_as_string(a);
    const struct star_string *right = star_as_string(b);
    if (right->size == 0) {
        return a;
    }
    if (left->size == 0) {
        return b;
    }
    const size_t size = (size_t)left->size + right->size;
    if (size > UINT32_MAX - 64) {
        return star_fail(thread, "excessive size: %zu bytes of text", size);
    }
    const uint8_t flags = left->header.flags;
    if ((flags & STAR_FLAG_LENT) && !(flags & STAR_FLAG_FROZEN)) {
        star_value owner;
        memcpy(&owner, left->content, sizeof(owner));
        struct star_string *bytes = star_as_string(owner);
        const size_t room = (size_t)bytes->header.words * 8 - sizeof(*bytes);
        // Only the longest prefix may be extended: the others' next bytes are taken.
        if (bytes->size == left->size && size <= room) {
            memcpy(bytes->content + left->size, right->data, right->size);
            bytes->size = (uint32_t)size;
            return prefix_of(thread, owner, left->header.type, size);
        }
    }
    // A second concatenation to a long text is likely a loop.
    if (size >= GROWING_MIN && left->size > 4 * right->size && size < UINT32_MAX / 4) {
        return growing_new(thread, left, right);
    }
    char *content;
    const star_value value =
        text_object(&thread->heap, (enum star_object_type)left->header.type, size, &content);
    if (!star_is_error(value)) {
        memcpy(content, left->data, left->size);
        memcpy(content + left->size, right->data, right->size);
    }
    return value;
}

bool star_string_is_ascii(struct star_string *string) {
    if (string->header.flags & STAR_FLAG_ASCII) {
        return true;
    }
    uint32_t i = 0;
    for (; i + 8 <= string->size; i += 8) {
        uint64_t word;
        memcpy(&word, string->data + i, 8);
        if (word & UINT64_C(0x8080808080808080)) {
            return false;
        }
    }
    for (; i < string->size; i++) {
        if (string->data[i] & 0x80) {
            return false;
        }
    }
    if (!(string->header.flags & STAR_FLAG_SHARED)) {
        string->header.flags |= STAR_FLAG_ASCII;
    }
    return true;
}

bool star_string_equal(const struct star_string *a, const struct star_string *b) {
    return a == b || (a->size == b->size && memcmp(a->data, b->data, a->size) == 0);
}

static inline uint64_t mix(uint64_t a, uint64_t b) {
    const __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// wyhash's construction over 8-byte words; not 0.  Frozen strings of a program are hashed by every
// thread alike, so the seed is the process's own (program.c) and lies in each thread.
uint32_t star_bytes_hash(uint64_t seed, const char *data, size_t size) {
    uint64_t hash = seed ^ mix(size ^ UINT64_C(0xa0761d6478bd642f), UINT64_C(0xe7037ed1a0b428db));
    while (size > 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        hash = mix(hash ^ word, UINT64_C(0x8ebc6af09c88c6e3));
        data += 8;
        size -= 8;
    }
    uint64_t rest = 0;
    if (size > 0) {
        memcpy(&rest, data, size);
    }
    hash = mix(hash ^ rest, UINT64_C(0x589965cc75374cc3));
    const uint32_t folded = (uint32_t)(hash ^ (hash >> 32));
    return folded == 0 ? 1 : folded;
}

uint32_t star_string_hash(struct star_thread *thread, struct star_string *string) {
    if (string->hash == 0) {
        string->hash = star_bytes_hash(thread->hash_seed, string->data, string->size);
    }
    return string->hash;
}

// ---- tuples -------------------------------------------------------------------------------------

struct star_tuple *star_tuple_new(struct star_thread *thread, size_t count) {
    if (count > UINT32_MAX / 2) {
        star_fail(thread, "excessive size: tuple of %zu elements", count);
        return NULL;
    }
    struct star_tuple *tuple = star_heap_object(&thread->heap, STAR_OBJECT_TUPLE,
                                                sizeof(*tuple) + count * sizeof(star_value));
    if (tuple == NULL) {
        return NULL;
    }
    tuple->count = (uint32_t)count;
    tuple->hash = 0;
    for (size_t i = 0; i < count; i++) {
        tuple->items[i] = STAR_NONE;
    }
    return tuple;
}

star_value star_tuple(struct star_thread *thread, const star_value *items, size_t count) {
    struct star_tuple *tuple = star_tuple_new(thread, count);
    if (tuple == NULL) {
        return STAR_ERROR;
    }
    if (count > 0) {
        memcpy(tuple->items, items, count * sizeof(star_value));
    }
    return star_from_object(tuple);
}

// ---- lists --------------------------------------------------------------------------------------

struct star_list *star_list_new(struct star_thread *thread, size_t capacity) {
    if (capacity > UINT32_MAX) {
        star_fail(thread, "excessive size: list of %zu elements", capacity);
        return NULL;
    }
    struct star_list *list = star_heap_object(&thread->heap, STAR_OBJECT_LIST, sizeof(*list));
    if (list == NULL) {
        return NULL;
    }
    list->iterating = 0;
    list->count = 0;
    list->capacity = 0;
    list->lazy_left = 0;
    list->items = NULL;
    list->lazy = NULL;
    if (capacity > 0) {
        list->items = star_buffer_alloc(&thread->heap, capacity * sizeof(star_value));
        if (list->items == NULL) {
            return NULL;
        }
        list->capacity = (uint32_t)capacity;
    }
    return list;
}

star_value star_list(struct star_thread *thread, const star_value *items, size_t count) {
    struct star_list *list = star_list_new(thread, count);
    if (list == NULL) {
        return STAR_ERROR;
    }
    if (count > 0) {
        memcpy(list->items, items, count * sizeof(star_value));
    }
    list->count = (uint32_t)count;
    return star_from_object(list);
}

bool star_list_reserve(struct star_thread *thread, struct star_list *list, size_t capacity) {
    if (capacity <= list->capacity) {
        return true;
    }
    size_t wanted = list->capacity < 4 ? 4 : list->capacity + (size_t)list->capacity / 2 + 4;
    if (wanted < capacity) {
        wanted = capacity;
    }
    if (wanted > UINT32_MAX) {
        star_fail(thread, "excessive size: list of %zu elements", capacity);
        return false;
    }
    star_value *items =
        star_buffer_grow(&thread->heap, list->items, list->capacity * sizeof(star_value),
                         wanted * sizeof(star_value));
    if (items == NULL) {
        return false;
    }
    list->items = items;
    list->capacity = (uint32_t)wanted;
    return true;
}

bool star_list_push(struct star_thread *thread, struct star_list *list, star_value item) {
    if (list->count == list->capacity && !star_list_reserve(thread, list, list->count + 1UL)) {
        return false;
    }
    list->items[list->count++] = item;
    return true;
}

bool star_list_check_mutable(struct star_thread *thread, const struct star_list *list,
                             const char *verb) {
    if (list->header.flags & STAR_FLAG_FROZEN) {
        star_fail(thread, "cannot %s frozen list", verb);
        return false;
    }
    if (list->iterating > 0) {
        star_fail(thread, "cannot %s list during iteration", verb);
        return false;
    }
    return true;
}

bool star_list_append(struct star_thread *thread, star_value list, star_value item) {
    struct star_list *object = star_as_list(list);
    return star_list_check_mutable(thread, object, "append to") &&
           star_list_materialize(thread, object) && star_list_push(thread, object, item);
}

bool star_list_materialize(struct star_thread *thread, struct star_list *list) {
    if (list->lazy == NULL) {
        return true;
    }
    for (uint32_t i = 0; i < list->count; i++) {
        if (star_is_unset(list->items[i]) &&
            !list->lazy->source->fill(thread, list->lazy, list->items, list->count, i)) {
            return false;
        }
    }
    list->lazy = NULL;
    return true;
}

star_value star_list_item(struct star_thread *thread, struct star_list *list, size_t index) {
    if (star_is_unset(list->items[index]) && list->lazy != NULL &&
        !list->lazy->source->fill(thread, list->lazy, list->items, list->count, (uint32_t)index)) {
        return STAR_ERROR;
    }
    return list->items[index];
}

star_value star_list_lazy(struct star_thread *thread, size_t count, const struct star_lazy *lazy) {
    struct star_list *list = star_list_new(thread, count);
    if (list == NULL) {
        return STAR_ERROR;
    }
    for (size_t i = 0; i < count; i++) {
        list->items[i] = STAR_UNSET;
    }
    list->count = (uint32_t)count;
    if (count > 0) {
        list->lazy = star_buffer_alloc(&thread->heap, sizeof(*lazy));
        if (list->lazy == NULL) {
            return STAR_ERROR;
        }
        *list->lazy = *lazy;
    }
    return star_from_object(list);
}

// ---- ranges -------------------------------------------------------------------------------------

star_value star_range_new(struct star_thread *thread, int64_t start, int64_t stop, int64_t step) {
    if (step == 0) {
        return star_fail(thread, "range: step argument must not be zero");
    }
    uint64_t count = 0;
    if (step > 0 && start < stop) {
        count = ((uint64_t)stop - (uint64_t)start - 1) / (uint64_t)step + 1;
    } else if (step < 0 && start > stop) {
        count = ((uint64_t)start - (uint64_t)stop - 1) / (0 - (uint64_t)step) + 1;
    }
    struct star_range *range = star_heap_object(&thread->heap, STAR_OBJECT_RANGE, sizeof(*range));
    if (range == NULL) {
        return STAR_ERROR;
    }
    range->start = start;
    range->stop = stop;
    range->step = step;
    range->count = count;
    return star_from_object(range);
}

// ---- structs ------------------------------------------------------------------------------------

star_value star_struct_new(struct star_thread *thread, star_value constructor,
                           const star_value *names, const star_value *values, size_t count) {
    if (count > UINT32_MAX / 4) {
        return star_fail(thread, "excessive size: struct of %zu fields", count);
    }
    struct star_struct_object *object = star_heap_object(
        &thread->heap, STAR_OBJECT_STRUCT, sizeof(*object) + 2 * count * sizeof(star_value));
    if (object == NULL) {
        return STAR_ERROR;
    }
    object->count = (uint32_t)count;
    object->hash = 0;
    object->constructor = constructor;
    // Insertion sort: structs have few fields, mostly given in order.
    for (size_t i = 0; i < count; i++) {
        size_t place = i;
        while (place > 0 &&
               str_compare(star_text_of(object->items[place - 1]), star_text_of(names[i])) > 0) {
            object->items[place] = object->items[place - 1];
            object->items[count + place] = object->items[count + place - 1];
            place--;
        }
        object->items[place] = names[i];
        object->items[count + place] = values[i];
    }
    return star_from_object(object);
}

star_value star_struct(struct star_thread *thread, const char *constructor,
                       const char *const *names, const star_value *values, size_t count) {
    struct star_tuple *texts = star_tuple_new(thread, count);
    const star_value title = star_string_intern(thread, constructor, strlen(constructor));
    if (texts == NULL || star_is_error(title)) {
        return STAR_ERROR;
    }
    for (size_t i = 0; i < count; i++) {
        texts->items[i] = star_string_intern(thread, names[i], strlen(names[i]));
        if (star_is_error(texts->items[i])) {
            return STAR_ERROR;
        }
    }
    return star_struct_new(thread, title, texts->items, values, count);
}

star_value star_struct_field(const struct star_struct_object *object, str name) {
    for (uint32_t i = 0; i < object->count; i++) {
        if (str_equal(star_text_of(object->items[i]), name)) {
            return object->items[object->count + i];
        }
    }
    return STAR_UNSET;
}

// ---- slices -------------------------------------------------------------------------------------

// An index of a slice, clamped to int64: a bigint is beyond every sequence.
static bool slice_part(struct star_thread *thread, star_value value, const char *what, bool *given,
                       int64_t *number) {
    *given = !star_is_none(value);
    if (!*given) {
        return true;
    }
    if (star_is_small(value)) {
        *number = star_small(value);
        return true;
    }
    if (star_is_type(value, STAR_OBJECT_BIGINT)) {
        *number = star_as_bigint(value)->negative ? INT64_MIN / 4 : INT64_MAX / 4;
        return true;
    }
    star_fail(thread, "invalid %s index: got %s, want int", what, star_type_name(value));
    return false;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high) {
    return value < low ? low : value > high ? high : value;
}

bool star_slice_resolve(struct star_thread *thread, star_value start, star_value stop,
                        star_value step, uint64_t length, struct star_slice *slice) {
    bool has_start;
    bool has_stop;
    bool has_step;
    int64_t first = 0;
    int64_t last = 0;
    int64_t stride = 1;
    if (!slice_part(thread, start, "start", &has_start, &first) ||
        !slice_part(thread, stop, "end", &has_stop, &last) ||
        !slice_part(thread, step, "step", &has_step, &stride)) {
        return false;
    }
    if (stride == 0) {
        star_fail(thread, "zero is not a valid slice step");
        return false;
    }
    // Ranges may have more items than int64 counts; nobody slices there.
    const int64_t size = length > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)length;
    first = first < 0 && has_start ? first + size : first;
    last = last < 0 && has_stop ? last + size : last;
    if (stride > 0) {
        first = has_start ? clamp(first, 0, size) : 0;
        last = has_stop ? clamp(last, 0, size) : size;
        slice->count = first < last ? (uint64_t)(last - first - 1) / (uint64_t)stride + 1 : 0;
    } else {
        first = has_start ? clamp(first, -1, size - 1) : size - 1;
        last = has_stop ? clamp(last, -1, size - 1) : -1;
        slice->count = first > last ? (uint64_t)(first - last - 1) / (0 - (uint64_t)stride) + 1 : 0;
    }
    slice->start = first;
    slice->step = stride;
    return true;
}
