#include "lake/ast.h"

#include "base/arena.h"
#include "base/list.h"
#include "base/text.h"
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
// another way.  So while a tree is written, columns stand in the place of these constants, and
// then 1000.0e0 in theirs; a column of the result that is called by its text keeps its name.

#define STAND_IN "__ondatra_double_"

struct doubles {
    struct arena *arena;
    yyjson_mut_doc *document;
    struct str_list texts;
};

static bool is_double(yyjson_mut_val *object) {
    yyjson_mut_val *value = yyjson_mut_obj_get(object, "value");
    return yyjson_mut_equals_str(yyjson_mut_obj_get(object, "class"), "CONSTANT") &&
           yyjson_mut_equals_str(yyjson_mut_obj_get(yyjson_mut_obj_get(value, "type"), "id"),
                                 "DOUBLE") &&
           yyjson_mut_is_raw(yyjson_mut_obj_get(value, "value"));
}

static void put_stand_in(struct doubles *doubles, yyjson_mut_val *constant) {
    yyjson_mut_doc *document = doubles->document;
    yyjson_mut_val *value = yyjson_mut_obj_get(yyjson_mut_obj_get(constant, "value"), "value");
    const str number = {yyjson_mut_get_raw(value), yyjson_mut_get_len(value)};
    const bool is_scientific = str_find_char(number, 'e') < number.size;
    const str name = str_format(doubles->arena, STAND_IN "%zu_", doubles->texts.count);
    yyjson_mut_val *names = yyjson_mut_arr(document);
    str_list_push(
        doubles->arena, &doubles->texts,
        str_format(doubles->arena, STR_FORMAT "%s", STR_ARGS(number), is_scientific ? "" : "e0"));
    yyjson_mut_arr_add_strncpy(document, names, name.data, name.size);
    (void)yyjson_mut_obj_remove_key(constant, "value");
    (void)yyjson_mut_obj_remove_key(constant, "class");
    (void)yyjson_mut_obj_remove_key(constant, "type");
    yyjson_mut_obj_add_str(document, constant, "class", "COLUMN_REF");
    yyjson_mut_obj_add_str(document, constant, "type", "COLUMN_REF");
    yyjson_mut_obj_add_val(document, constant, "column_names", names);
}

static void replace_doubles(struct doubles *doubles, yyjson_mut_val *value) {
    yyjson_mut_obj_iter members;
    yyjson_mut_arr_iter elements;
    yyjson_mut_val *item;
    if (is_double(value)) {
        put_stand_in(doubles, value);
        return;
    }
    yyjson_mut_obj_iter_init(value, &members); // of what is no object: over nothing
    while ((item = yyjson_mut_obj_iter_next(&members)) != NULL) {
        replace_doubles(doubles, yyjson_mut_obj_iter_get_val(item));
    }
    yyjson_mut_arr_iter_init(value, &elements);
    while ((item = yyjson_mut_arr_iter_next(&elements)) != NULL) {
        replace_doubles(doubles, item);
    }
}

static str tree_with_stand_ins(struct arena *arena, str json, struct str_list *texts) {
    yyjson_doc *read = yyjson_read(json.data, json.size, YYJSON_READ_NUMBER_AS_RAW);
    struct doubles doubles = {.arena = arena, .document = yyjson_doc_mut_copy(read, NULL)};
    if (doubles.document != NULL) {
        replace_doubles(&doubles, yyjson_mut_doc_get_root(doubles.document));
        size_t size = 0;
        char *data = yyjson_mut_write(doubles.document, YYJSON_WRITE_NOFLAG, &size);
        if (data != NULL) {
            json = str_copy(arena, (str){data, size});
            *texts = doubles.texts;
        }
        free(data);
    }
    yyjson_mut_doc_free(doubles.document);
    yyjson_doc_free(read);
    return json;
}

static str with_doubles(struct arena *arena, str sql, const struct str_list *texts) {
    struct text text;
    text_init(&text, arena);
    for (size_t at; (at = str_find(sql, STR(STAND_IN))) != SIZE_MAX;) {
        const str number = str_from_offset(sql, at + sizeof STAND_IN - 1);
        const size_t end = str_find_char(number, '_');
        uint64_t index = 0;
        const bool is_ours = end < number.size &&
                             str_parse_uint64(str_slice(number, 0, end), &index) &&
                             index < texts->count;
        text_add(&text, str_slice(sql, 0, at));
        text_add(&text, is_ours ? texts->items[index] : STR(STAND_IN));
        sql = is_ours ? str_from_offset(number, end + 1) : number;
    }
    text_add(&text, sql);
    return text_str(&text);
}

enum error_code lake_ast_write(struct lake_connection *connection, struct arena *arena, str json,
                               str *sql, struct error *err) {
    struct str_list texts = {0};
    if (str_find(json, STR("\"id\":\"DOUBLE\"")) != SIZE_MAX) {
        json = tree_with_stand_ins(arena, json, &texts);
    }
    TRY(lake_query_text(connection, arena, STR("SELECT system.main.json_deserialize_sql(?::JSON)"),
                        LAKE_VALUES(lake_value_text(json)), sql, NULL, err));
    if (texts.count > 0) {
        *sql = with_doubles(arena, *sql, &texts);
    }
    return ERROR_NONE;
}
