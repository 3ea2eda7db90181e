// The embedding interface to values: kinds, accessors, host objects, rows.

#include "starlark/value.h"

#include "starlark/builtins.h"
#include "starlark/code.h"
#include "starlark/numbers.h"
#include "starlark/operators.h"
#include "starlark/sequence.h"
#include "starlark/shape.h"
#include "starlark/thread.h"

const uint8_t star_kinds[] = {
    [STAR_OBJECT_BIGINT] = STAR_KIND_INT,        [STAR_OBJECT_STRING] = STAR_KIND_STRING,
    [STAR_OBJECT_BYTES] = STAR_KIND_BYTES,       [STAR_OBJECT_LIST] = STAR_KIND_LIST,
    [STAR_OBJECT_TUPLE] = STAR_KIND_TUPLE,       [STAR_OBJECT_DICT] = STAR_KIND_DICT,
    [STAR_OBJECT_SET] = STAR_KIND_SET,           [STAR_OBJECT_RANGE] = STAR_KIND_RANGE,
    [STAR_OBJECT_FUNCTION] = STAR_KIND_FUNCTION, [STAR_OBJECT_BUILTIN] = STAR_KIND_BUILTIN,
    [STAR_OBJECT_STRUCT] = STAR_KIND_STRUCT,     [STAR_OBJECT_HOST] = STAR_KIND_HOST,
    [STAR_OBJECT_CELL] = STAR_KIND_NONE,         [STAR_OBJECT_FORWARDED] = STAR_KIND_NONE,
};

enum star_kind star_kind(star_value value) {
    return star_kind_of(value);
}

const char *star_type_name(star_value value) {
    static const char *const names[] = {
        [STAR_KIND_NONE] = "NoneType",
        [STAR_KIND_BOOL] = "bool",
        [STAR_KIND_INT] = "int",
        [STAR_KIND_FLOAT] = "float",
        [STAR_KIND_STRING] = "string",
        [STAR_KIND_BYTES] = "bytes",
        [STAR_KIND_LIST] = "list",
        [STAR_KIND_TUPLE] = "tuple",
        [STAR_KIND_DICT] = "dict",
        [STAR_KIND_SET] = "set",
        [STAR_KIND_RANGE] = "range",
        [STAR_KIND_FUNCTION] = "function",
        [STAR_KIND_BUILTIN] = "builtin_function_or_method",
        [STAR_KIND_STRUCT] = "struct",
    };
    const enum star_kind kind = star_kind_of(value);
    return kind == STAR_KIND_HOST ? star_as_host(value)->type->name : names[kind];
}

bool star_truth(star_value value) {
    if (star_is_small(value)) {
        return star_small(value) != 0;
    }
    if (star_is_float(value)) {
        return star_double(value) != 0;
    }
    if (!star_is_object(value)) {
        return star_is_same(value, STAR_TRUE);
    }
    switch ((enum star_object_type)star_object(value)->type) {
    case STAR_OBJECT_STRING:
    case STAR_OBJECT_BYTES:
        return star_as_string(value)->size > 0;
    case STAR_OBJECT_LIST:
    case STAR_OBJECT_TUPLE:
    case STAR_OBJECT_DICT:
    case STAR_OBJECT_SET:
    case STAR_OBJECT_RANGE:
        return star_length(value) > 0;
    case STAR_OBJECT_HOST: {
        const struct star_type *type = star_as_host(value)->type;
        return type->truth == NULL || type->truth(value);
    }
    case STAR_OBJECT_BIGINT:
    case STAR_OBJECT_FUNCTION:
    case STAR_OBJECT_BUILTIN:
    case STAR_OBJECT_STRUCT:
    case STAR_OBJECT_CELL:
    case STAR_OBJECT_FORWARDED:
        return true;
    }
    return true;
}

bool star_is_callable(star_value value) {
    return star_is_type(value, STAR_OBJECT_FUNCTION) || star_is_type(value, STAR_OBJECT_BUILTIN) ||
           (star_is_type(value, STAR_OBJECT_HOST) && star_as_host(value)->type->call != NULL);
}

star_value star_float(double number) {
    return star_from_double(number);
}

bool star_get_int64(star_value value, int64_t *number) {
    if (star_is_small(value)) {
        *number = star_small(value);
        return true;
    }
    if (!star_is_type(value, STAR_OBJECT_BIGINT) || star_as_bigint(value)->limb_count != 1) {
        return false;
    }
    const struct star_bigint *big = star_as_bigint(value);
    const uint64_t limit = (uint64_t)INT64_MAX + big->negative;
    if (big->limbs[0] > limit) {
        return false;
    }
    *number = (int64_t)(big->negative ? 0 - big->limbs[0] : big->limbs[0]);
    return true;
}

bool star_get_double(star_value value, double *number) {
    if (star_is_float(value)) {
        *number = star_double(value);
        return true;
    }
    if (star_is_small(value)) {
        *number = (double)star_small(value);
        return true;
    }
    int64_t whole;
    if (star_get_int64(value, &whole)) {
        *number = (double)whole;
        return true;
    }
    if (!star_is_type(value, STAR_OBJECT_BIGINT)) {
        return false;
    }
    const struct star_bigint *big = star_as_bigint(value);
    double sum = 0;
    for (uint32_t i = big->limb_count; i > 0; i--) {
        sum = sum * 0x1p64 + (double)big->limbs[i - 1];
    }
    *number = big->negative ? -sum : sum;
    return sum <= 1.7976931348623157e308;
}

bool star_get_text(star_value value, const char **data, size_t *size) {
    if (!star_is_type(value, STAR_OBJECT_STRING) && !star_is_type(value, STAR_OBJECT_BYTES)) {
        return false;
    }
    *data = star_as_string(value)->data;
    *size = star_as_string(value)->size;
    return true;
}

size_t star_length(star_value value) {
    switch (star_kind_of(value)) {
    case STAR_KIND_LIST:
        return star_as_list(value)->count;
    case STAR_KIND_TUPLE:
        return star_as_tuple(value)->count;
    case STAR_KIND_DICT:
        return star_as_dict(value)->count;
    case STAR_KIND_SET:
        return star_as_set(value)->count;
    case STAR_KIND_RANGE:
        return star_as_range(value)->count;
    case STAR_KIND_STRUCT:
        return STAR_AS(star_struct_object, value)->count;
    case STAR_KIND_NONE:
    case STAR_KIND_BOOL:
    case STAR_KIND_INT:
    case STAR_KIND_FLOAT:
    case STAR_KIND_STRING:
    case STAR_KIND_BYTES:
    case STAR_KIND_FUNCTION:
    case STAR_KIND_BUILTIN:
    case STAR_KIND_HOST:
        return 0;
    }
    return 0;
}

star_value star_item(struct star_thread *thread, star_value sequence, size_t index) {
    return star_is_type(sequence, STAR_OBJECT_LIST)
               ? star_list_item(thread, star_as_list(sequence), index)
               : star_as_tuple(sequence)->items[index];
}

bool star_dict_next(struct star_thread *thread, star_value dict, size_t *position, star_value *key,
                    star_value *value) {
    uint32_t at = (uint32_t)*position;
    bool is_there = false;
    *key = STAR_NONE;
    if (star_is_type(dict, STAR_OBJECT_DICT)) {
        is_there = star_dict_step(thread, star_as_dict(dict), &at, key, value);
    } else if (star_is_type(dict, STAR_OBJECT_SET)) {
        is_there = star_set_step(star_as_set(dict), &at, key);
        *value = *key;
    } else if (star_is_type(dict, STAR_OBJECT_STRUCT)) {
        const struct star_struct_object *object = STAR_AS(star_struct_object, dict);
        is_there = at < object->count;
        if (is_there) {
            *key = object->items[at];
            *value = object->items[object->count + at++];
        }
    }
    *position = at;
    return is_there;
}

// ---- host functions and objects -----------------------------------------------------------------

star_value star_function_new(struct star_thread *thread, const struct star_builtin *builtin,
                             void *user) {
    struct star_builtin_object *object =
        star_heap_object(&thread->heap, STAR_OBJECT_BUILTIN, sizeof(*object));
    if (object == NULL) {
        return STAR_ERROR;
    }
    object->builtin = builtin;
    object->user = user;
    object->receiver = STAR_UNSET;
    return star_from_object(object);
}

star_value star_host_new(struct star_thread *thread, const struct star_type *type, void *data,
                         size_t slot_count, size_t payload_size) {
    const size_t size = slot_count * sizeof(star_value) + payload_size;
    struct star_host_object *host =
        star_heap_object(&thread->heap, STAR_OBJECT_HOST, sizeof(*host) + size);
    if (host == NULL) {
        return STAR_ERROR;
    }
    host->header.extra = (uint16_t)slot_count;
    host->type = type;
    host->data = data;
    for (size_t i = 0; i < slot_count; i++) {
        host->slots[i] = STAR_NONE;
    }
    memset(&host->slots[slot_count], 0, payload_size);
    const star_value value = star_from_object(host);
    if (type->free != NULL && !star_heap_finalize_later(&thread->heap, value)) {
        return STAR_ERROR;
    }
    return value;
}

bool star_is_host(star_value value, const struct star_type *type) {
    return star_is_type(value, STAR_OBJECT_HOST) && star_as_host(value)->type == type;
}

void *star_host_data(star_value value, const struct star_type *type) {
    return star_is_host(value, type) ? star_as_host(value)->data : NULL;
}

star_value *star_host_slots(star_value value) {
    return star_as_host(value)->slots;
}

void *star_host_payload(star_value value) {
    return &star_as_host(value)->slots[star_object(value)->extra];
}

static star_value make_struct(struct star_thread *thread, const struct star_call_info *call) {
    if (call->argument_count > 0) {
        return star_fail(thread, "struct: unexpected positional arguments");
    }
    for (uint32_t i = 0; i < call->named_count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (str_equal(star_text_of(call->names[i]), star_text_of(call->names[j]))) {
                return star_fail(thread, "struct: repeated field " STR_FORMAT,
                                 STR_ARGS(star_text_of(call->names[i])));
            }
        }
    }
    const star_value name = star_string_intern(thread, "struct", 6);
    return star_is_error(name)
               ? name
               : star_struct_new(thread, name, call->names, call->named, call->named_count);
}
const struct star_builtin star_builtin_struct = STAR_BUILTIN_RAW("struct", make_struct);

static star_value freeze(struct star_thread *thread, const struct star_call_info *call) {
    return star_freeze(thread, call->arguments[0]) ? call->arguments[0] : STAR_ERROR;
}
static const struct star_parameter freeze_parameters[] = {{"x", STAR_POSITIONAL_ONLY, 0}};
const struct star_builtin star_builtin_freeze = STAR_BUILTIN("freeze", freeze, freeze_parameters);
