// `x.name`, `x[i]`, `x[a:b]` and their assignments.

#include "base/list.h"
#include "base/suggest.h"
#include "starlark/builtins.h"
#include "starlark/dict.h"
#include "starlark/operators.h"
#include "starlark/thread.h"

static const struct star_builtin_table *methods_of(star_value object) {
    if (!star_is_object(object)) {
        return NULL;
    }
    switch ((enum star_object_type)star_object(object)->type) {
    case STAR_OBJECT_STRING:
        return &star_string_methods;
    case STAR_OBJECT_BYTES:
        return &star_bytes_methods;
    case STAR_OBJECT_LIST:
        return &star_list_methods;
    case STAR_OBJECT_DICT:
        return &star_dict_methods;
    case STAR_OBJECT_SET:
        return &star_set_methods;
    case STAR_OBJECT_BIGINT:
    case STAR_OBJECT_TUPLE:
    case STAR_OBJECT_RANGE:
    case STAR_OBJECT_FUNCTION:
    case STAR_OBJECT_BUILTIN:
    case STAR_OBJECT_STRUCT:
    case STAR_OBJECT_HOST:
    case STAR_OBJECT_CELL:
    case STAR_OBJECT_FORWARDED:
        return NULL;
    }
    return NULL;
}

const struct star_builtin *star_builtin_find(const struct star_builtin_table *table, str name) {
    for (size_t i = 0; i < table->count; i++) {
        if (str_equal(str_from(table->items[i].name), name)) {
            return &table->items[i];
        }
    }
    return NULL;
}

const struct star_builtin *star_find_method(star_value object, str name) {
    if (star_is_type(object, STAR_OBJECT_HOST)) {
        const struct star_type *type = star_as_host(object)->type;
        const struct star_builtin_table table = {type->methods, type->method_count};
        return star_builtin_find(&table, name);
    }
    const struct star_builtin_table *table = methods_of(object);
    return table == NULL ? NULL : star_builtin_find(table, name);
}

static star_value bind_method(struct star_thread *thread, const struct star_builtin *method,
                              star_value receiver) {
    const star_value bound = star_function_new(thread, method, NULL);
    if (!star_is_error(bound)) {
        struct star_builtin_object *object = STAR_AS(star_builtin_object, bound);
        object->receiver = receiver;
        object->user =
            star_is_type(receiver, STAR_OBJECT_HOST) ? star_as_host(receiver)->data : NULL;
    }
    return bound;
}

star_value star_find_attribute(struct star_thread *thread, star_value object, str name) {
    if (star_is_type(object, STAR_OBJECT_STRUCT)) {
        return star_struct_field(STAR_AS(star_struct_object, object), name);
    }
    if (star_is_type(object, STAR_OBJECT_HOST) && star_as_host(object)->type->attribute != NULL) {
        const star_value value =
            star_as_host(object)->type->attribute(thread, object, name.data, name.size);
        if (!star_is_unset(value)) {
            return value;
        }
    }
    const struct star_builtin *method = star_find_method(object, name);
    return method == NULL ? STAR_UNSET : bind_method(thread, method, object);
}

// Calls `add` with every name that `object.…` knows.
static void names_each(star_value object, struct arena *arena, struct str_list *names) {
    if (star_is_type(object, STAR_OBJECT_STRUCT)) {
        const struct star_struct_object *fields = STAR_AS(star_struct_object, object);
        for (uint32_t i = 0; i < fields->count; i++) {
            str_list_push(arena, names, star_text_of(fields->items[i]));
        }
        return;
    }
    const struct star_builtin_table *table = methods_of(object);
    struct star_builtin_table host = {0};
    if (star_is_type(object, STAR_OBJECT_HOST)) {
        const struct star_type *type = star_as_host(object)->type;
        host = (struct star_builtin_table){type->methods, type->method_count};
        table = &host;
        for (size_t i = 0; type->attribute_names != NULL && type->attribute_names[i] != NULL; i++) {
            str_list_push(arena, names, str_from(type->attribute_names[i]));
        }
    }
    for (size_t i = 0; table != NULL && i < table->count; i++) {
        str_list_push(arena, names, str_from(table->items[i].name));
    }
}

star_value star_attribute_names(struct star_thread *thread, star_value object) {
    STAR_SCRATCH(scratch, thread);
    struct str_list names = {0};
    names_each(object, &scratch, &names);
    if (arena_is_exhausted(&scratch)) {
        star_fail_memory(thread, false);
        return STAR_ERROR;
    }
    struct star_list *list = star_list_new(thread, names.count);
    for (size_t i = 0; list != NULL && i < names.count; i++) {
        const star_value name = star_string_str(thread, names.items[i]);
        if (star_is_error(name) || !star_list_push(thread, list, name)) {
            return STAR_ERROR;
        }
    }
    return list == NULL ? STAR_ERROR : star_from_object(list);
}

star_value star_get_attribute(struct star_thread *thread, star_value object, star_value name) {
    const str wanted = star_text_of(name);
    const star_value value = star_find_attribute(thread, object, wanted);
    if (!star_is_unset(value)) {
        return value;
    }
    STAR_SCRATCH(scratch, thread);
    struct str_list names = {0};
    names_each(object, &scratch, &names);
    const str near = suggest(wanted, &names);
    if (near.size > 0) {
        return star_fail(
            thread, "%s has no ." STR_FORMAT " field or method (did you mean ." STR_FORMAT "?)",
            star_type_name(object), STR_ARGS(wanted), STR_ARGS(near));
    }
    return star_fail(thread, "%s has no ." STR_FORMAT " field or method", star_type_name(object),
                     STR_ARGS(wanted));
}

star_value star_attribute(struct star_thread *thread, star_value value, const char *name) {
    return star_find_attribute(thread, value, str_from(name));
}

bool star_set_attribute(struct star_thread *thread, star_value object, star_value name,
                        star_value value) {
    const str field = star_text_of(name);
    if (star_is_type(object, STAR_OBJECT_HOST) &&
        star_as_host(object)->type->set_attribute != NULL) {
        return star_as_host(object)->type->set_attribute(thread, object, field.data, field.size,
                                                         value);
    }
    star_fail(thread, "can't assign to ." STR_FORMAT " field of %s", STR_ARGS(field),
              star_type_name(object));
    return false;
}

// ---- indexes ------------------------------------------------------------------------------------

// A position of 0 … length - 1 from an index value.
static bool resolve_index(struct star_thread *thread, star_value object, star_value key,
                          uint64_t length, uint64_t *position) {
    if (!star_is_int(key)) {
        star_fail(thread, "%s index: got %s, want int", star_type_name(object),
                  star_type_name(key));
        return false;
    }
    int64_t index;
    bool is_inside = star_get_int64(key, &index);
    if (is_inside && index < 0) {
        is_inside = (uint64_t)0 - (uint64_t)index <= length;
        *position = length + (uint64_t)index;
    } else if (is_inside) {
        *position = (uint64_t)index;
        is_inside = *position < length;
    }
    if (is_inside) {
        return true;
    }
    const star_value text = star_repr(thread, key);
    if (star_is_error(text)) {
        return false;
    }
    if (length == 0) {
        star_fail(thread, "index " STR_FORMAT " out of range: empty %s",
                  STR_ARGS(star_text_of(text)), star_type_name(object));
    } else {
        star_fail(thread, "%s index " STR_FORMAT " out of range [-%llu:%llu]",
                  star_type_name(object), STR_ARGS(star_text_of(text)), (unsigned long long)length,
                  (unsigned long long)(length - 1));
    }
    return false;
}

static star_value dict_index(struct star_thread *thread, star_value dict, star_value key) {
    const star_value value = star_dict_find(thread, star_as_dict(dict), key);
    if (!star_is_unset(value)) {
        return value;
    }
    const star_value text = star_repr(thread, key);
    return star_is_error(text)
               ? text
               : star_fail(thread, "key " STR_FORMAT " not in dict", STR_ARGS(star_text_of(text)));
}

star_value star_index(struct star_thread *thread, star_value object, star_value key) {
    uint64_t at;
    if (star_is_object(object)) {
        switch ((enum star_object_type)star_object(object)->type) {
        case STAR_OBJECT_DICT:
            return dict_index(thread, object, key);
        case STAR_OBJECT_LIST:
        case STAR_OBJECT_TUPLE:
            return resolve_index(thread, object, key, star_length(object), &at)
                       ? star_item(thread, object, at)
                       : STAR_ERROR;
        case STAR_OBJECT_RANGE:
            return resolve_index(thread, object, key, star_as_range(object)->count, &at)
                       ? star_int(thread, star_range_item(star_as_range(object), at))
                       : STAR_ERROR;
        case STAR_OBJECT_STRING:
        case STAR_OBJECT_BYTES:
            return resolve_index(thread, object, key, star_as_string(object)->size, &at)
                       ? star_string_slice(thread, object, at, at + 1)
                       : STAR_ERROR;
        case STAR_OBJECT_HOST: {
            const struct star_type *type = star_as_host(object)->type;
            if (type->index == NULL) {
                break;
            }
            if (type->length != NULL && star_is_int(key)) {
                if (!resolve_index(thread, object, key, (uint64_t)type->length(object), &at)) {
                    return STAR_ERROR;
                }
                key = star_from_small((int64_t)at);
            }
            const star_value value = type->index(thread, object, key);
            if (!star_is_unset(value)) {
                return value;
            }
            const star_value text = star_repr(thread, key);
            return star_is_error(text) ? text
                                       : star_fail(thread, "key " STR_FORMAT " not in %s",
                                                   STR_ARGS(star_text_of(text)), type->name);
        }
        case STAR_OBJECT_BIGINT:
        case STAR_OBJECT_SET:
        case STAR_OBJECT_FUNCTION:
        case STAR_OBJECT_BUILTIN:
        case STAR_OBJECT_STRUCT:
        case STAR_OBJECT_CELL:
        case STAR_OBJECT_FORWARDED:
            break;
        }
    }
    return star_fail(thread, "unhandled index operation %s[%s]", star_type_name(object),
                     star_type_name(key));
}

bool star_set_index(struct star_thread *thread, star_value object, star_value key,
                    star_value value) {
    if (star_is_type(object, STAR_OBJECT_DICT)) {
        return star_dict_insert(thread, star_as_dict(object), key, value);
    }
    if (star_is_type(object, STAR_OBJECT_LIST)) {
        struct star_list *list = star_as_list(object);
        uint64_t at;
        if (!star_list_check_mutable(thread, list, "assign to element of") ||
            !resolve_index(thread, object, key, list->count, &at) ||
            !star_list_materialize(thread, list)) {
            return false;
        }
        list->items[at] = value;
        return true;
    }
    if (star_is_type(object, STAR_OBJECT_HOST) && star_as_host(object)->type->set_index != NULL) {
        return star_as_host(object)->type->set_index(thread, object, key, value);
    }
    star_fail(thread, "%s value does not support item assignment", star_type_name(object));
    return false;
}

// ---- slices -------------------------------------------------------------------------------------

static star_value slice_text(struct star_thread *thread, star_value text,
                             const struct star_slice *slice) {
    if (slice->step == 1) {
        return star_string_slice(thread, text, (size_t)slice->start,
                                 (size_t)slice->start + slice->count);
    }
    char *content;
    const star_value made = star_is_string(text)
                                ? star_string_reserve(thread, slice->count, &content)
                                : star_bytes_reserve(thread, slice->count, &content);
    for (uint64_t i = 0; !star_is_error(made) && i < slice->count; i++) {
        content[i] = star_as_string(text)->data[slice->start + (int64_t)i * slice->step];
    }
    return made;
}

static star_value slice_items(struct star_thread *thread, star_value sequence,
                              const struct star_slice *slice) {
    const bool is_list = star_is_type(sequence, STAR_OBJECT_LIST);
    if (is_list && !star_list_materialize(thread, star_as_list(sequence))) {
        return STAR_ERROR;
    }
    const star_value *items =
        is_list ? star_as_list(sequence)->items : star_as_tuple(sequence)->items;
    star_value *into;
    star_value made;
    if (is_list) {
        struct star_list *list = star_list_new(thread, slice->count);
        if (list == NULL) {
            return STAR_ERROR;
        }
        list->count = (uint32_t)slice->count;
        into = list->items;
        made = star_from_object(list);
    } else {
        struct star_tuple *tuple = star_tuple_new(thread, slice->count);
        if (tuple == NULL) {
            return STAR_ERROR;
        }
        into = tuple->items;
        made = star_from_object(tuple);
    }
    for (uint64_t i = 0; i < slice->count; i++) {
        into[i] = items[slice->start + (int64_t)i * slice->step];
    }
    return made;
}

static star_value slice_range(struct star_thread *thread, const struct star_range *range,
                              const struct star_slice *slice) {
    struct star_range *made =
        star_heap_object(&thread->heap, STAR_OBJECT_RANGE, sizeof(struct star_range));
    if (made == NULL) {
        return STAR_ERROR;
    }
    made->start = star_range_item(range, (uint64_t)slice->start);
    made->step = (int64_t)((uint64_t)range->step * (uint64_t)slice->step);
    made->count = slice->count;
    made->stop = star_range_item(made, made->count);
    return star_from_object(made);
}

star_value star_slice_of(struct star_thread *thread, star_value object, star_value start,
                         star_value stop, star_value step) {
    const bool is_text =
        star_is_type(object, STAR_OBJECT_STRING) || star_is_type(object, STAR_OBJECT_BYTES);
    const bool is_range = star_is_type(object, STAR_OBJECT_RANGE);
    if (!is_text && !is_range && !star_is_type(object, STAR_OBJECT_LIST) &&
        !star_is_type(object, STAR_OBJECT_TUPLE)) {
        return star_fail(thread, "invalid slice operand %s", star_type_name(object));
    }
    const uint64_t length = is_text    ? star_as_string(object)->size
                            : is_range ? star_as_range(object)->count
                                       : star_length(object);
    struct star_slice slice;
    if (!star_slice_resolve(thread, start, stop, step, length, &slice) ||
        !star_charge(thread, is_range ? 1 : slice.count / 16)) {
        return STAR_ERROR;
    }
    return is_text    ? slice_text(thread, object, &slice)
           : is_range ? slice_range(thread, star_as_range(object), &slice)
                      : slice_items(thread, object, &slice);
}
