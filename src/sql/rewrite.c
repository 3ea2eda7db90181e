// Building trees that DuckDB turns back into SQL: rewriting is done on the tree, never on text.
#include "base/text.h"
#include "sql/ast_node.h"

#include <stdlib.h>

str sql_ast_select(struct arena *arena, const str *expressions, size_t count) {
    struct text text;
    text_init(&text, arena);
    text_add(&text, STR("{\"error\":false,\"statements\":[{\"node\":{\"type\":\"SELECT_NODE\","
                        "\"modifiers\":[],\"cte_map\":{\"map\":[]},\"select_list\":["));
    for (size_t i = 0; i < count; i++) {
        text_add(&text, i > 0 ? STR(",") : STR(""));
        text_add(&text, expressions[i]);
    }
    text_add(&text, STR("],\"from_table\":{\"type\":\"EMPTY\",\"alias\":\"\",\"sample\":null,"
                        "\"query_location\":18446744073709551615},\"where_clause\":null,"
                        "\"group_expressions\":[],\"group_sets\":[],\"aggregate_handling\":"
                        "\"STANDARD_HANDLING\",\"having\":null,\"sample\":null,\"qualify\":null},"
                        "\"named_param_map\":[]}]}"));
    return text_str(&text);
}

static yyjson_mut_val *query_node(yyjson_mut_doc *document) {
    yyjson_mut_val *statements =
        yyjson_mut_obj_get(yyjson_mut_doc_get_root(document), "statements");
    return yyjson_mut_obj_get(yyjson_mut_arr_get(statements, 0), "node");
}

static void document_cleanup(yyjson_mut_doc **document) {
    yyjson_mut_doc_free(*document);
}

enum error_code sql_ast_replace_first_argument(struct arena *arena, str ast, str other,
                                               str *replaced, struct error *err) {
    AST_DOCUMENT query = ast_document(ast);
    AST_DOCUMENT source = ast_document(other);
    yyjson_mut_doc *document CLEANUP(document_cleanup) = yyjson_doc_mut_copy(query, NULL);
    yyjson_mut_val *table = yyjson_mut_obj_get(query_node(document), "from_table");
    yyjson_mut_val *arguments =
        yyjson_mut_obj_get(yyjson_mut_obj_get(table, "function"), "children");
    yyjson_val *value = yyjson_arr_get(yyjson_obj_get(ast_query(source), "select_list"), 0);
    if (yyjson_mut_arr_size(arguments) == 0 || value == NULL) {
        return error_set(err, ERROR_INTERNAL, "the syntax tree has no argument to replace");
    }
    (void)yyjson_mut_arr_replace(arguments, 0, yyjson_val_mut_copy(document, value));
    size_t size = 0;
    char *data = yyjson_mut_write(document, YYJSON_WRITE_NOFLAG, &size);
    *replaced = str_copy(arena, (str){data, data == NULL ? 0 : size});
    free(data);
    return ERROR_NONE;
}
