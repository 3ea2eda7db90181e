#include "sql/ast_node.h"

#include "base/json.h"
#include "base/number.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

yyjson_doc *ast_document(str json) {
    // yyjson takes a non-const pointer but writes only with YYJSON_READ_INSITU.
    char *data = NULL;
    memcpy(&data, &json.data, sizeof(data));
    return yyjson_read_opts(data, json.size, YYJSON_READ_NUMBER_AS_RAW, NULL, NULL);
}

void ast_document_cleanup(yyjson_doc **document) {
    yyjson_doc_free(*document);
}

yyjson_val *ast_query(yyjson_doc *document) {
    yyjson_val *statements = yyjson_obj_get(yyjson_doc_get_root(document), "statements");
    return yyjson_obj_get(yyjson_arr_get(statements, 0), "node");
}

static str value_text(yyjson_val *value) {
    const char *text = yyjson_is_raw(value) ? yyjson_get_raw(value) : yyjson_get_str(value);
    return text == NULL ? (str){0} : (str){text, yyjson_get_len(value)};
}

str ast_text(yyjson_val *node, const char *key) {
    return value_text(yyjson_obj_get(node, key));
}

bool ast_bool(yyjson_val *node, const char *key) {
    return yyjson_get_bool(yyjson_obj_get(node, key));
}

int ast_int(yyjson_val *node, const char *key) {
    int64_t value = 0;
    return str_parse_int64(ast_text(node, key), &value) ? int_clamp(value) : 0;
}

bool ast_is(yyjson_val *node, const char *key, const char *value) {
    return str_equal(ast_text(node, key), str_from(value));
}

size_t ast_offset(yyjson_val *node) {
    uint64_t value = 0;
    if (!str_parse_uint64(ast_text(node, "query_location"), &value) || value >= SIZE_MAX) {
        return SIZE_MAX;
    }
    return (size_t)value;
}

size_t ast_first_offset(yyjson_val *node) {
    size_t first = yyjson_is_obj(node) ? ast_offset(node) : SIZE_MAX;
    size_t i, max;
    yyjson_val *key, *value;
    if (yyjson_is_obj(node)) {
        yyjson_obj_foreach(node, i, max, key, value) {
            const size_t offset = yyjson_is_ctn(value) ? ast_first_offset(value) : SIZE_MAX;
            first = offset < first ? offset : first;
        }
    } else {
        yyjson_arr_foreach(node, i, max, value) {
            const size_t offset = yyjson_is_ctn(value) ? ast_first_offset(value) : SIZE_MAX;
            first = offset < first ? offset : first;
        }
    }
    return first;
}

bool ast_is_unnest(yyjson_val *node) {
    const str name = ast_text(node, "function_name");
    return ast_is(node, "class", "FUNCTION") &&
           (str_equal_nocase(name, STR("unnest")) || str_equal_nocase(name, STR("unlist")));
}

bool ast_contains(yyjson_val *node, const char *name) {
    size_t i, max;
    yyjson_val *key, *value;
    if (yyjson_is_obj(node)) {
        if (ast_is(node, "class", name) || ast_is(node, "type", name)) {
            return true;
        }
        yyjson_obj_foreach(node, i, max, key, value) {
            if (yyjson_is_ctn(value) && ast_contains(value, name)) {
                return true;
            }
        }
        return false;
    }
    yyjson_arr_foreach(node, i, max, value) {
        if (yyjson_is_ctn(value) && ast_contains(value, name)) {
            return true;
        }
    }
    return false;
}

// ── Types ──

static void type_fields(struct arena *arena, yyjson_val *info, struct sql_type *type) {
    yyjson_val *children = yyjson_obj_get(info, "child_types");
    type->fields = ARENA_ARRAY(arena, struct sql_field, yyjson_arr_size(children));
    size_t i, max;
    yyjson_val *child;
    yyjson_arr_foreach(children, i, max, child) {
        const str name = ast_text(child, "first");
        // A UNION's first member is its tag, without a name.
        if (name.size > 0 || !str_equal(type->id, STR("UNION"))) {
            type->fields[type->field_count++] = (struct sql_field){
                str_copy(arena, name), ast_type(arena, yyjson_obj_get(child, "second"))};
        }
    }
}

static void field_name_add(struct text *text, str name) {
    if (str_is_identifier(name)) {
        text_add(text, name);
        return;
    }
    text_add_char(text, '"');
    text_add(text, str_replace_all(text->arena, name, STR("\""), STR("\"\"")));
    text_add_char(text, '"');
}

static str type_text(struct arena *arena, const struct sql_type *type) {
    struct text text;
    text_init(&text, arena);
    if (str_equal(type->id, STR("DECIMAL"))) {
        text_format(&text, "DECIMAL(%d,%d)", type->width, type->scale);
    } else if (str_equal(type->id, STR("LIST"))) {
        text_format(&text, STR_FORMAT "[]", STR_ARGS(type->child->text));
    } else if (str_equal(type->id, STR("ARRAY"))) {
        text_format(&text, STR_FORMAT "[%d]", STR_ARGS(type->child->text), type->width);
    } else if (str_equal(type->id, STR("MAP"))) {
        text_format(&text, "MAP(" STR_FORMAT ", " STR_FORMAT ")", STR_ARGS(type->child->text),
                    STR_ARGS(type->value->text));
    } else if (type->field_count > 0) {
        text_format(&text, STR_FORMAT "(", STR_ARGS(type->id));
        for (size_t i = 0; i < type->field_count; i++) {
            text_add(&text, i > 0 ? STR(", ") : STR(""));
            field_name_add(&text, type->fields[i].name);
            text_format(&text, " " STR_FORMAT, STR_ARGS(type->fields[i].type->text));
        }
        text_add_char(&text, ')');
    } else {
        return type->id;
    }
    return text_str(&text);
}

// ENUM('a', 'b') comes as an unbound name with constants behind it.
static str unbound_text(struct arena *arena, str name, yyjson_val *info) {
    yyjson_val *modifiers = yyjson_obj_get(info, "user_type_modifiers");
    if (yyjson_arr_size(modifiers) == 0) {
        return name;
    }
    struct text text;
    text_init(&text, arena);
    text_format(&text, STR_FORMAT "(", STR_ARGS(name));
    size_t i, max;
    yyjson_val *modifier;
    yyjson_arr_foreach(modifiers, i, max, modifier) {
        const str value = ast_text(modifier, "value");
        text_add(&text, i > 0 ? STR(", ") : STR(""));
        if (yyjson_is_str(yyjson_obj_get(modifier, "value"))) {
            text_format(&text, "'" STR_FORMAT "'",
                        STR_ARGS(str_replace_all(arena, value, STR("'"), STR("''"))));
        } else {
            text_add(&text, value);
        }
    }
    text_add_char(&text, ')');
    return text_str(&text);
}

const struct sql_type *ast_type(struct arena *arena, yyjson_val *cast_type) {
    struct sql_type *type = ARENA_NEW(arena, struct sql_type);
    yyjson_val *info = yyjson_obj_get(cast_type, "type_info");
    type->id = str_copy(arena, ast_text(cast_type, "id"));
    if (str_equal(type->id, STR("UNBOUND"))) {
        type->id = str_to_upper(arena, ast_text(info, "name"));
        type->text = unbound_text(arena, type->id, info);
        return type;
    }
    const str alias = ast_text(info, "alias");
    if (alias.size > 0) {
        type->id = str_copy(arena, alias);
        type->text = type->id;
        return type;
    }
    yyjson_val *child = yyjson_obj_get(info, "child_type");
    if (str_equal(type->id, STR("DECIMAL"))) {
        type->width = ast_int(info, "width");
        type->scale = ast_int(info, "scale");
    } else if (str_equal(type->id, STR("MAP")) && child != NULL) {
        const struct sql_type *pair = ast_type(arena, child);
        type->child = pair->field_count == 2 ? pair->fields[0].type : pair;
        type->value = pair->field_count == 2 ? pair->fields[1].type : pair;
    } else if (child != NULL) {
        type->child = ast_type(arena, child);
        type->width = ast_int(info, "size");
    } else {
        type_fields(arena, info, type);
    }
    type->text = type_text(arena, type);
    return type;
}

// ── Writing ──

str ast_write(struct arena *arena, yyjson_val *node) {
    size_t size = 0;
    char *data = yyjson_val_write(node, YYJSON_WRITE_NOFLAG, &size);
    const str copy = str_copy(arena, (str){data, data == NULL ? 0 : size});
    free(data);
    return copy;
}

static void canonical_add(struct text *out, yyjson_val *node) {
    size_t i, max;
    yyjson_val *key, *value;
    if (yyjson_is_obj(node)) {
        text_add_char(out, '{');
        yyjson_obj_foreach(node, i, max, key, value) {
            const str name = value_text(key);
            if (!str_equal(name, STR("query_location"))) {
                text_format(out, STR_FORMAT ":", STR_ARGS(name));
                canonical_add(out, value);
                text_add_char(out, ',');
            }
        }
        text_add_char(out, '}');
    } else if (yyjson_is_arr(node)) {
        text_add_char(out, '[');
        yyjson_arr_foreach(node, i, max, value) {
            canonical_add(out, value);
            text_add_char(out, ',');
        }
        text_add_char(out, ']');
    } else if (yyjson_is_str(node)) {
        json_quote(out, value_text(node));
    } else if (yyjson_is_raw(node)) {
        text_add(out, value_text(node));
    } else {
        text_add(out, yyjson_is_null(node)   ? STR("null")
                      : yyjson_is_true(node) ? STR("true")
                                             : STR("false"));
    }
}

str ast_canonical(struct arena *arena, yyjson_val *node) {
    struct text text;
    text_init(&text, arena);
    canonical_add(&text, node);
    return text_str(&text);
}
