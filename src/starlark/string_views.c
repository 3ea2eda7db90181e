// The views elems(), elem_ords(), codepoints() and codepoint_ords(): host objects over the string.
//
// Bytes are found by position.  Code points are found through marks: a bytes value with the byte
// offset of every MARK_EVERYth code point, made with the view (and left out for ASCII text), so
// that a view is immutable and reading an item is O(1) from any thread.

#include "starlark/numbers.h"
#include "starlark/sequence.h"
#include "starlark/string_methods.h"
#include "starlark/utf8.h"

enum { MARK_EVERY = 32 };
enum view_slot { SLOT_TEXT, SLOT_MARKS, SLOT_COUNT };

static str view_text(star_value self) {
    return star_text_of(star_host_slots(self)[SLOT_TEXT]);
}

static int64_t elems_length(star_value self) {
    return (int64_t)view_text(self).size;
}

static star_value elems_item(struct star_thread *thread, star_value self, uint64_t position) {
    const str text = view_text(self);
    if (position >= text.size) {
        return STAR_UNSET;
    }
    return star_string(thread, text.data + position, 1);
}

static star_value elem_ords_item(struct star_thread *thread, star_value self, uint64_t position) {
    (void)thread;
    const str text = view_text(self);
    if (position >= text.size) {
        return STAR_UNSET;
    }
    return star_from_small((unsigned char)text.data[position]);
}

static star_value view_index(struct star_thread *thread, star_value self, star_value key,
                             star_value (*item)(struct star_thread *, star_value, uint64_t)) {
    const int64_t size = elems_length(self);
    int64_t index = 0;
    if (!star_is_int(key)) {
        return star_fail(thread, "%s index: got %s, want int", star_type_name(self),
                         star_type_name(key));
    }
    if (!star_get_int64(key, &index)) {
        index = INT64_MAX;
    }
    if (index < -size || index >= size) {
        return star_fail(thread, "%s index %lld out of range [%lld:%lld]", star_type_name(self),
                         (long long)index, (long long)-size, (long long)(size - 1));
    }
    return item(thread, self, (uint64_t)(index < 0 ? index + size : index));
}

static star_value elems_index(struct star_thread *thread, star_value self, star_value key) {
    return view_index(thread, self, key, elems_item);
}

static star_value elem_ords_index(struct star_thread *thread, star_value self, star_value key) {
    return view_index(thread, self, key, elem_ords_item);
}

// Where code point `position` begins; SIZE_MAX behind the end.
static size_t code_point_offset(star_value self, uint64_t position) {
    const str text = view_text(self);
    const star_value marks = star_host_slots(self)[SLOT_MARKS];
    if (star_is_none(marks)) {
        return position < text.size ? (size_t)position : SIZE_MAX;
    }
    const str table = star_text_of(marks);
    const uint64_t mark = position / MARK_EVERY;
    if (mark >= table.size / sizeof(uint32_t)) {
        return SIZE_MAX;
    }
    uint32_t offset = 0;
    memcpy(&offset, table.data + mark * sizeof(offset), sizeof(offset));
    size_t at = offset;
    uint32_t ignored = 0;
    for (uint64_t i = position % MARK_EVERY; i > 0 && at < text.size; i--) {
        at += utf8_decode(text.data + at, text.size - at, &ignored, NULL);
    }
    return at < text.size ? at : SIZE_MAX;
}

static star_value codepoints_item(struct star_thread *thread, star_value self, uint64_t position) {
    const str text = view_text(self);
    const size_t at = code_point_offset(self, position);
    if (at == SIZE_MAX) {
        return STAR_UNSET;
    }
    uint32_t code_point = 0;
    bool valid = false;
    const size_t size = utf8_decode(text.data + at, text.size - at, &code_point, &valid);
    return valid ? star_string(thread, text.data + at, size)
                 : star_string(thread, "\xEF\xBF\xBD", 3);
}

static star_value codepoint_ords_item(struct star_thread *thread, star_value self,
                                      uint64_t position) {
    (void)thread;
    const str text = view_text(self);
    const size_t at = code_point_offset(self, position);
    if (at == SIZE_MAX) {
        return STAR_UNSET;
    }
    uint32_t code_point = 0;
    utf8_decode(text.data + at, text.size - at, &code_point, NULL);
    return star_from_small(code_point);
}

static bool print_as(struct star_text *out, star_value self, const char *method) {
    star_text_add_repr(out, star_host_slots(self)[SLOT_TEXT]);
    return star_text_add_cstring(out, method);
}

static bool elems_string(struct star_thread *thread, star_value self, struct star_text *out) {
    (void)thread;
    return print_as(out, self, ".elems()");
}

static bool elem_ords_string(struct star_thread *thread, star_value self, struct star_text *out) {
    (void)thread;
    return print_as(out, self, ".elem_ords()");
}

static bool codepoints_string(struct star_thread *thread, star_value self, struct star_text *out) {
    (void)thread;
    return print_as(out, self, ".codepoints()");
}

static bool codepoint_ords_string(struct star_thread *thread, star_value self,
                                  struct star_text *out) {
    (void)thread;
    return print_as(out, self, ".codepoint_ords()");
}

static bool elems_truth(star_value self) {
    return elems_length(self) > 0;
}

static const struct star_type elems_type = {
    .name = "string.elems",
    .index = elems_index,
    .length = elems_length,
    .iterate = elems_item,
    .truth = elems_truth,
    .string = elems_string,
};
static const struct star_type elem_ords_type = {
    .name = "string.elem_ords",
    .index = elem_ords_index,
    .length = elems_length,
    .iterate = elem_ords_item,
    .truth = elems_truth,
    .string = elem_ords_string,
};
static const struct star_type codepoints_type = {
    .name = "string.codepoints",
    .iterate = codepoints_item,
    .truth = elems_truth,
    .string = codepoints_string,
};
static const struct star_type codepoint_ords_type = {
    .name = "string.codepoint_ords",
    .iterate = codepoint_ords_item,
    .truth = elems_truth,
    .string = codepoint_ords_string,
};
static const struct star_type bytes_elems_type = {
    .name = "bytes.elems",
    .index = elem_ords_index,
    .length = elems_length,
    .iterate = elem_ords_item,
    .truth = elems_truth,
    .string = elems_string,
};

static star_value view_new(struct star_thread *thread, const struct star_type *type,
                           star_value text) {
    const star_value view = star_host_new(thread, type, NULL, SLOT_COUNT, 0);
    if (!star_is_error(view)) {
        star_host_slots(view)[SLOT_TEXT] = text;
    }
    return view;
}

// The offsets of every MARK_EVERYth code point, as a bytes value.
static star_value marks_new(struct star_thread *thread, str text) {
    const size_t count = utf8_count(text.data, text.size);
    const size_t marks = (count + MARK_EVERY - 1) / MARK_EVERY;
    char *content = NULL;
    const star_value table = star_bytes_reserve(thread, marks * sizeof(uint32_t), &content);
    if (star_is_error(table) || !star_charge(thread, text.size / 16)) {
        return STAR_ERROR;
    }
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (i % MARK_EVERY == 0) {
            const uint32_t offset = (uint32_t)at;
            memcpy(content + i / MARK_EVERY * sizeof(offset), &offset, sizeof(offset));
        }
        uint32_t ignored = 0;
        at += utf8_decode(text.data + at, text.size - at, &ignored, NULL);
    }
    return table;
}

static star_value code_point_view(struct star_thread *thread, const struct star_type *type,
                                  star_value text) {
    star_value marks = STAR_NONE;
    if (!star_string_is_ascii(star_as_string(text))) {
        marks = marks_new(thread, star_text_of(text));
    }
    const star_value view = star_is_error(marks) ? STAR_ERROR : view_new(thread, type, text);
    if (!star_is_error(view)) {
        star_host_slots(view)[SLOT_MARKS] = marks;
    }
    return view;
}

star_value string_method_elems(struct star_thread *thread, const struct star_call_info *call) {
    return view_new(thread, &elems_type, call->receiver);
}

star_value string_method_elem_ords(struct star_thread *thread, const struct star_call_info *call) {
    return view_new(thread, &elem_ords_type, call->receiver);
}

star_value string_method_codepoints(struct star_thread *thread, const struct star_call_info *call) {
    return code_point_view(thread, &codepoints_type, call->receiver);
}

star_value string_method_codepoint_ords(struct star_thread *thread,
                                        const struct star_call_info *call) {
    return code_point_view(thread, &codepoint_ords_type, call->receiver);
}

star_value bytes_method_elems(struct star_thread *thread, const struct star_call_info *call) {
    return view_new(thread, &bytes_elems_type, call->receiver);
}

int64_t string_view_length(star_value value) {
    const bool is_view = star_is_host(value, &elems_type) || star_is_host(value, &elem_ords_type) ||
                         star_is_host(value, &bytes_elems_type);
    return is_view ? elems_length(value) : -1;
}
