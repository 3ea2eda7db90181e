#include "lake/ast.h"

#include "base/arena.h"
#include "lake/lake.h"

#include <yyjson.h>
#include <stdlib.h>

// The tree itself says whether parsing failed: {"error":true,"error_message":…,"position":"13"}.
static enum error_code read_failure(str sql, str json, struct error *err) {
    yyjson_doc *document = yyjson_read(json.data, json.size, 0);
    yyjson_val *root = yyjson_doc_get_root(document);
    enum error_code code = ERROR_NONE;
    if (yyjson_get_bool(yyjson_obj_get(root, "error"))) {
        const char *message = yyjson_get_str(yyjson_obj_get(root, "error_message"));
        const char *type = yyjson_get_str(yyjson_obj_get(root, "error_type"));
        const bool is_syntax = str_equal(str_from(type), STR("parser"));
        code = is_syntax ? error_set(err, ERROR_INVALID, "%s", message == NULL ? "" : message)
                         : error_set(err, ERROR_INVALID, "the statement is not a SELECT");
        uint64_t offset = 0;
        const str position = str_from(yyjson_get_str(yyjson_obj_get(root, "position")));
        if (str_parse_uint64(position, &offset) && offset <= sql.size) {
            error_at_offset(err, (str){0}, sql, (size_t)offset);
        }
    }
    yyjson_doc_free(document);
    return code;
}

// The functions are named in full: an unqualified name is looked for in the lake first, and outside
// of a transaction each such look costs catalog queries (2.6 ms against 0.3 ms).
enum error_code lake_ast_read(struct lake_connection *connection, struct arena *arena, str sql,
                              str *json, struct error *err) {
    TRY(lake_query_text(connection, arena, STR("SELECT system.main.json_serialize_sql(?::VARCHAR)"),
                        LAKE_VALUES(lake_value_text(sql)), json, NULL, err));
    // Only a failed tree is short, and it begins so.
    if (str_starts_with(*json, STR("{\"error\":true"))) {
        return read_failure(sql, *json, err);
    }
    return ERROR_NONE;
}

// ── 1e3 ──
// DuckDB writes the DOUBLE 1e3 as 1000.0, which it reads as a DECIMAL: v * 1e-1 then rounds in
// another way.  So these constants become casts of their text, which lose nothing.

static bool is_double(yyjson_mut_val *object) {
    yyjson_mut_val *value = yyjson_mut_obj_get(object, "value");
    return yyjson_mut_equals_str(yyjson_mut_obj_get(object, "class"), "CONSTANT") &&
           yyjson_mut_equals_str(yyjson_mut_obj_get(yyjson_mut_obj_get(value, "type"), "id"),
                                 "DOUBLE") &&
           yyjson_mut_is_raw(yyjson_mut_obj_get(value, "value"));
}

static void put_text(yyjson_mut_doc *document, yyjson_mut_val *object, const char *key,
                     const char *text) {
    yyjson_mut_obj_put(object, yyjson_mut_str(document, key), yyjson_mut_str(document, text));
}

static void make_cast(yyjson_mut_doc *document, yyjson_mut_val *constant) {
    yyjson_mut_val *child = yyjson_mut_val_mut_copy(document, constant);
    yyjson_mut_val *value = yyjson_mut_obj_get(child, "value");
    yyjson_mut_val *type = yyjson_mut_val_mut_copy(document, yyjson_mut_obj_get(value, "type"));
    const char *number = yyjson_mut_get_raw(yyjson_mut_obj_get(value, "value"));
    put_text(document, value, "value", number);
    put_text(document, yyjson_mut_obj_get(value, "type"), "id", "VARCHAR");
    put_text(document, child, "alias", "");
    put_text(document, constant, "class", "CAST");
    put_text(document, constant, "type", "OPERATOR_CAST");
    (void)yyjson_mut_obj_remove_key(constant, "value");
    yyjson_mut_obj_add_val(document, constant, "child", child);
    yyjson_mut_obj_add_val(document, constant, "cast_type", type);
    yyjson_mut_obj_add_bool(document, constant, "try_cast", false);
}

static void cast_doubles(yyjson_mut_doc *document, yyjson_mut_val *value) {
    yyjson_mut_obj_iter members;
    yyjson_mut_arr_iter elements;
    yyjson_mut_val *item;
    if (is_double(value)) {
        make_cast(document, value);
        return;
    }
    yyjson_mut_obj_iter_init(value, &members); // of what is no object: over nothing
    while ((item = yyjson_mut_obj_iter_next(&members)) != NULL) {
        cast_doubles(document, yyjson_mut_obj_iter_get_val(item));
    }
    yyjson_mut_arr_iter_init(value, &elements);
    while ((item = yyjson_mut_arr_iter_next(&elements)) != NULL) {
        cast_doubles(document, item);
    }
}

static str tree_with_casts(struct arena *arena, str json) {
    yyjson_doc *read = yyjson_read(json.data, json.size, YYJSON_READ_NUMBER_AS_RAW);
    yyjson_mut_doc *document = yyjson_doc_mut_copy(read, NULL);
    if (document != NULL) {
        cast_doubles(document, yyjson_mut_doc_get_root(document));
        size_t size = 0;
        char *data = yyjson_mut_write(document, YYJSON_WRITE_NOFLAG, &size);
        json = data == NULL ? json : str_copy(arena, (str){data, size});
        free(data);
    }
    yyjson_mut_doc_free(document);
    yyjson_doc_free(read);
    return json;
}

enum error_code lake_ast_write(struct lake_connection *connection, struct arena *arena, str json,
                               str *sql, struct error *err) {
    if (str_find(json, STR("\"id\":\"DOUBLE\"")) != SIZE_MAX) {
        json = tree_with_casts(arena, json);
    }
    return lake_query_text(connection, arena,
                           STR("SELECT system.main.json_deserialize_sql(?::JSON)"),
                           LAKE_VALUES(lake_value_text(json)), sql, NULL, err);
}
