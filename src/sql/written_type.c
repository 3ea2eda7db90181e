// Types in a tree as DuckDB shows them in the name of a column.
//
// It names a column while the types in it are still words: those that its grammar does not know
// are names in quotes, `CAST(a AS "DATE")`.  In a serialised tree they are resolved, so they are
// made words again.
#include "sql/ast_node.h"

#include <stdlib.h>
#include <string.h>

// The types that the grammar knows.
static const char *const GRAMMAR_TYPES[] = {
    "BOOLEAN",  "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "VARCHAR", "TIME", "TIMESTAMP",
    "INTERVAL", "BIT",      "UNBOUND", "LIST",   "ARRAY", "STRUCT",  "MAP",  "UNION",
};

static bool is_of_grammar(const char *id) {
    for (size_t i = 0; i < sizeof(GRAMMAR_TYPES) / sizeof(GRAMMAR_TYPES[0]); i++) {
        if (strcmp(GRAMMAR_TYPES[i], id) == 0) {
            return true;
        }
    }
    return false;
}

static void add_modifier(yyjson_mut_doc *document, yyjson_mut_val *modifiers,
                         yyjson_mut_val *number) {
    yyjson_mut_val *value = yyjson_mut_arr_add_obj(document, modifiers);
    yyjson_mut_val *type = yyjson_mut_obj_add_obj(document, value, "type");
    yyjson_mut_obj_add_str(document, type, "id", "INTEGER");
    yyjson_mut_obj_add_null(document, type, "type_info");
    yyjson_mut_obj_add_bool(document, value, "is_null", false);
    yyjson_mut_obj_add_val(document, value, "value", yyjson_mut_val_mut_copy(document, number));
}

static void make_word(yyjson_mut_doc *document, yyjson_mut_val *type) {
    yyjson_mut_val *id = yyjson_mut_obj_get(type, "id");
    yyjson_mut_val *width = yyjson_mut_obj_get(yyjson_mut_obj_get(type, "type_info"), "width");
    yyjson_mut_val *scale = yyjson_mut_obj_get(yyjson_mut_obj_get(type, "type_info"), "scale");
    yyjson_mut_val *info = yyjson_mut_obj(document);
    yyjson_mut_obj_add_str(document, info, "type", "UNBOUND_TYPE_INFO");
    yyjson_mut_obj_add_str(document, info, "alias", "");
    yyjson_mut_obj_add_null(document, info, "extension_info");
    yyjson_mut_obj_add_val(document, info, "name", yyjson_mut_val_mut_copy(document, id));
    yyjson_mut_obj_add_str(document, info, "catalog", "");
    yyjson_mut_obj_add_str(document, info, "schema", "");
    yyjson_mut_val *modifiers = yyjson_mut_obj_add_arr(document, info, "user_type_modifiers");
    if (width != NULL && scale != NULL) { // DECIMAL(4, 2)
        add_modifier(document, modifiers, width);
        add_modifier(document, modifiers, scale);
    }
    yyjson_mut_obj_put(type, yyjson_mut_str(document, "id"), yyjson_mut_str(document, "UNBOUND"));
    yyjson_mut_obj_put(type, yyjson_mut_str(document, "type_info"), info);
}

static const char *location_of(yyjson_mut_val *node) {
    const char *location = yyjson_mut_get_raw(yyjson_mut_obj_get(node, "query_location"));
    return location == NULL ? "" : location;
}

// INTERVAL 1 DAY is to_days(CAST(trunc(CAST(1 AS DOUBLE)) AS INTEGER)): the parser's own casts,
// whose types are no words, stand where their function does, or in one that stands nowhere.
static bool is_of_parser(yyjson_mut_val *function, yyjson_mut_val *cast) {
    static const char nowhere[] = "18446744073709551615";
    return yyjson_mut_obj_get(function, "function_name") != NULL &&
           yyjson_mut_obj_get(cast, "cast_type") != NULL &&
           (strcmp(location_of(function), nowhere) == 0 ||
            strcmp(location_of(function), location_of(cast)) == 0);
}

static void visit(yyjson_mut_doc *document, yyjson_mut_val *node, bool in_type);

static void visit_arguments(yyjson_mut_doc *document, yyjson_mut_val *function) {
    size_t i, max;
    yyjson_mut_val *child;
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(function, "children"), i, max, child) {
        visit(document, is_of_parser(function, child) ? yyjson_mut_obj_get(child, "child") : child,
              false);
    }
}

static void visit(yyjson_mut_doc *document, yyjson_mut_val *node, bool in_type) {
    size_t i, max;
    yyjson_mut_val *key, *value;
    if (yyjson_mut_is_arr(node)) {
        yyjson_mut_arr_foreach(node, i, max, value) {
            visit(document, value, in_type);
        }
        return;
    }
    const char *id = yyjson_mut_get_str(yyjson_mut_obj_get(node, "id"));
    if (in_type && id != NULL && !is_of_grammar(id)) {
        make_word(document, node);
        return;
    }
    yyjson_mut_obj_foreach(node, i, max, key, value) {
        if (yyjson_mut_equals_str(key, "children")) {
            visit_arguments(document, node);
        } else if (yyjson_mut_is_ctn(value)) {
            visit(document, value, in_type || yyjson_mut_equals_str(key, "cast_type"));
        }
    }
}

str ast_with_type_words(struct arena *arena, str ast) {
    if (str_find(ast, STR("\"cast_type\"")) == SIZE_MAX) {
        return ast;
    }
    AST_DOCUMENT document = ast_document(ast);
    yyjson_mut_doc *words = document == NULL ? NULL : yyjson_doc_mut_copy(document, NULL);
    if (words == NULL) {
        return ast;
    }
    visit(words, yyjson_mut_doc_get_root(words), false);
    size_t size = 0;
    char *data = yyjson_mut_write(words, YYJSON_WRITE_NOFLAG, &size);
    const str copy = data == NULL ? ast : str_copy(arena, (str){data, size});
    free(data);
    yyjson_mut_doc_free(words);
    return copy;
}
