#include "sql/grouping.h"

#include "sql/ast_node.h"
#include "sql/lineage.h"

// Whether the expressions have an aggregate of their own, not one of a subquery.
static bool has_aggregate(yyjson_val *node) {
    size_t i, max;
    yyjson_val *key, *value;
    if (ast_is(node, "class", "SUBQUERY") || ast_is(node, "class", "WINDOW")) {
        return false;
    }
    if (ast_is(node, "class", "FUNCTION") &&
        lineage_is_aggregate(ast_text(node, "function_name"))) {
        return true;
    }
    if (yyjson_is_obj(node)) {
        yyjson_obj_foreach(node, i, max, key, value) {
            if (yyjson_is_ctn(value) && has_aggregate(value)) {
                return true;
            }
        }
        return false;
    }
    yyjson_arr_foreach(node, i, max, value) {
        if (yyjson_is_ctn(value) && has_aggregate(value)) {
            return true;
        }
    }
    return false;
}

// Anything but an ORDER BY chooses among rows.
static bool has_modifier(yyjson_val *query) {
    size_t i, max;
    yyjson_val *modifier;
    yyjson_arr_foreach(yyjson_obj_get(query, "modifiers"), i, max, modifier) {
        if (!ast_is(modifier, "type", "ORDER_MODIFIER")) {
            return true;
        }
    }
    return false;
}

static bool is_plain(yyjson_val *query) {
    yyjson_val *list = yyjson_obj_get(query, "select_list");
    const bool is_grouped =
        yyjson_arr_size(yyjson_obj_get(query, "group_expressions")) > 0 || has_aggregate(list);
    return ast_is(query, "type", "SELECT_NODE") && is_grouped && !has_modifier(query) &&
           yyjson_arr_size(yyjson_obj_get(query, "group_sets")) <= 1 &&
           yyjson_is_null(yyjson_obj_get(query, "having")) &&
           yyjson_is_null(yyjson_obj_get(query, "qualify")) &&
           yyjson_is_null(yyjson_obj_get(query, "sample")) && !ast_contains(list, "WINDOW");
}

enum sql_grouping sql_grouping_of(str ast) {
    AST_DOCUMENT document = ast_document(ast);
    yyjson_val *query = document == NULL ? NULL : ast_query(document);
    if (query == NULL || !is_plain(query)) {
        return GROUPING_ALL_ROWS;
    }
    const bool has_ctes =
        yyjson_arr_size(yyjson_obj_get(yyjson_obj_get(query, "cte_map"), "map")) > 0;
    return has_ctes || !ast_is(yyjson_obj_get(query, "from_table"), "type", "BASE_TABLE") ||
                   ast_contains(query, "SUBQUERY")
               ? GROUPING_EITHER
               : GROUPING_NEW_ROWS;
}
