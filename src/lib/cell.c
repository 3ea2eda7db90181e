#include "lib/cell.h"

#include "base/arena.h"

static star_value text_value(struct star_thread *thread, str text, const struct cell_style *style) {
    return style->copy_text ? star_string(thread, text.data, text.size)
                            : star_string_borrow(thread, text.data, text.size);
}

enum { DECIMAL_WIDTH_MAX = 38 };

// Every type whose form is a text that lake/ knows how to write.
static star_value formatted_value(struct star_thread *thread, const struct lake_vector *vector,
                                  size_t row) {
    SCRATCH(scratch);
    const str text = lake_cell_text(&scratch, vector, row);
    return star_string(thread, text.data, text.size);
}

static star_value integer_from_text(struct star_thread *thread, const struct lake_vector *vector,
                                    size_t row) {
    SCRATCH(scratch);
    const str digits = lake_cell_text(&scratch, vector, row);
    return star_int_from_decimal(thread, digits.data, digits.size);
}

static star_value integer_value(struct star_thread *thread, const struct lake_vector *vector,
                                size_t row) {
    int64_t number = 0;
    if (lake_cell_int64(vector, row, &number)) {
        return star_int(thread, number);
    }
    return integer_from_text(thread, vector, row); // beyond 64 bits
}

static star_value list_value(struct star_thread *thread, const struct lake_vector *child,
                             uint64_t offset, uint64_t count, const struct cell_style *style) {
    const star_value list = star_list(thread, NULL, 0);
    for (uint64_t i = 0; i < count && !star_is_error(list); i++) {
        const star_value item = cell_value(thread, child, offset + i, style);
        if (star_is_error(item) || !star_list_append(thread, list, item)) {
            return STAR_ERROR;
        }
    }
    return list;
}

static star_value struct_value(struct star_thread *thread, const struct lake_vector *vector,
                               size_t row, const struct cell_style *style) {
    const star_value dict = star_dict(thread);
    for (size_t i = 0; i < vector->type->child_count && !star_is_error(dict); i++) {
        const str name = vector->type->child_names[i];
        const star_value key = star_string_intern(thread, name.data, name.size);
        const star_value value = cell_value(thread, &vector->children[i], row, style);
        if (star_is_error(key) || star_is_error(value) ||
            !star_dict_set(thread, dict, key, value)) {
            return STAR_ERROR;
        }
    }
    return dict;
}

// What can be a dict's key: no list, dict or NULL-able nesting inside.
static bool is_hashable(const struct lake_type *type) {
    return type->kind != LAKE_LIST && type->kind != LAKE_ARRAY && type->kind != LAKE_STRUCT &&
           type->kind != LAKE_MAP && type->kind != LAKE_UNION;
}

static star_value map_value(struct star_thread *thread, const struct lake_vector *vector,
                            size_t row, const struct cell_style *style) {
    const struct lake_list_entry entry = lake_list(vector, row);
    const struct lake_vector *pairs = &vector->children[0];
    if (!is_hashable(pairs->children[0].type)) {
        return list_value(thread, pairs, entry.offset, entry.count, style); // [{"key", "value"}]
    }
    const star_value dict = star_dict(thread);
    for (uint64_t i = 0; i < entry.count && !star_is_error(dict); i++) {
        const size_t at = entry.offset + i;
        const star_value key = cell_value(thread, &pairs->children[0], at, style);
        const star_value value = cell_value(thread, &pairs->children[1], at, style);
        if (star_is_error(key) || star_is_error(value) ||
            !star_dict_set(thread, dict, key, value)) {
            return STAR_ERROR;
        }
    }
    return dict;
}

// children[0] holds the tags, the members follow.
static star_value union_value(struct star_thread *thread, const struct lake_vector *vector,
                              size_t row, const struct cell_style *style) {
    int64_t tag = 0;
    if (!lake_cell_int64(&vector->children[0], row, &tag)) {
        return STAR_NONE;
    }
    return cell_value(thread, &vector->children[tag + 1], row, style);
}

// One flat list of types.
star_value cell_value(struct star_thread *thread, const struct lake_vector *vector, size_t row,
                      const struct cell_style *style) {
    if (lake_is_null(vector, row)) {
        return STAR_NONE;
    }
    switch (vector->type->kind) {
    case LAKE_SQLNULL:
        return STAR_NONE;
    case LAKE_BOOLEAN:
        return star_bool(lake_bool(vector, row));
    case LAKE_BIGINT:
        return star_int(thread, lake_bigint(vector, row));
    case LAKE_INTEGER:
        return star_int(thread, lake_integer(vector, row));
    case LAKE_TINYINT:
    case LAKE_SMALLINT:
    case LAKE_UTINYINT:
    case LAKE_USMALLINT:
    case LAKE_UINTEGER:
    case LAKE_UBIGINT:
    case LAKE_HUGEINT:
    case LAKE_UHUGEINT:
    case LAKE_BIGNUM:
        return integer_value(thread, vector, row);
    case LAKE_FLOAT:
        return star_float((double)((const float *)vector->data)[row]);
    case LAKE_DOUBLE:
        return star_float(lake_double(vector, row));
    case LAKE_VARCHAR:
        return text_value(thread, lake_string(vector, row), style);
    case LAKE_JSON: {
        const str json = lake_string(vector, row);
        return style->json_as_value ? star_json_lazy(thread, json.data, json.size)
                                    : text_value(thread, json, style);
    }
    case LAKE_BLOB: {
        const str bytes = lake_string(vector, row);
        return star_bytes(thread, bytes.data, bytes.size);
    }
    case LAKE_LIST: {
        const struct lake_list_entry entry = lake_list(vector, row);
        return list_value(thread, &vector->children[0], entry.offset, entry.count, style);
    }
    case LAKE_ARRAY: {
        const uint64_t size = vector->type->array_size;
        return list_value(thread, &vector->children[0], row * size, size, style);
    }
    case LAKE_STRUCT:
        return struct_value(thread, vector, row, style);
    case LAKE_MAP:
        return map_value(thread, vector, row, style);
    case LAKE_UNION:
        return union_value(thread, vector, row, style);
    case LAKE_DECIMAL:
        // How a lake keeps integers beyond 64 bits (columns.h in write/).
        if (vector->type->width == DECIMAL_WIDTH_MAX && vector->type->scale == 0) {
            return integer_from_text(thread, vector, row);
        }
        return formatted_value(thread, vector, row);
    case LAKE_DATE:
    case LAKE_TIME:
    case LAKE_TIME_NS:
    case LAKE_TIME_TZ:
    case LAKE_TIMESTAMP:
    case LAKE_TIMESTAMP_S:
    case LAKE_TIMESTAMP_MS:
    case LAKE_TIMESTAMP_NS:
    case LAKE_TIMESTAMP_TZ:
    case LAKE_INTERVAL:
    case LAKE_UUID:
    case LAKE_ENUM:
    case LAKE_BIT:
    case LAKE_OTHER:
        return formatted_value(thread, vector, row);
    }
    return STAR_NONE;
}

star_value cell_type_value(struct star_thread *thread, const struct lake_type *type) {
    if (type->kind == LAKE_LIST || type->kind == LAKE_ARRAY) {
        const star_value item = cell_type_value(thread, &type->children[0]);
        return star_is_error(item) ? item : star_list(thread, &item, 1);
    }
    if (type->kind != LAKE_STRUCT) {
        return star_string(thread, type->name.data, type->name.size);
    }
    const star_value dict = star_dict(thread);
    for (size_t i = 0; i < type->child_count && !star_is_error(dict); i++) {
        const str name = type->child_names[i];
        const star_value key = star_string(thread, name.data, name.size);
        const star_value value = cell_type_value(thread, &type->children[i]);
        if (star_is_error(key) || star_is_error(value) ||
            !star_dict_set(thread, dict, key, value)) {
            return STAR_ERROR;
        }
    }
    return dict;
}
