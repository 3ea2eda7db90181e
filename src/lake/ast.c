#include "lake/ast.h"

#include "base/arena.h"
#include "lake/lake.h"

#include <yyjson.h>

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

enum error_code lake_ast_write(struct lake_connection *connection, struct arena *arena, str json,
                               str *sql, struct error *err) {
    return lake_query_text(connection, arena,
                           STR("SELECT system.main.json_deserialize_sql(?::JSON)"),
                           LAKE_VALUES(lake_value_text(json)), sql, NULL, err);
}
