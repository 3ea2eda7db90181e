#include "sql/delta_tree.h"

#include "base/text.h"

#include <stdlib.h>

// ── Members ──

static str value_text(node *value) {
    const char *text =
        yyjson_mut_is_raw(value) ? yyjson_mut_get_raw(value) : yyjson_mut_get_str(value);
    return text == NULL ? (str){0} : (str){text, yyjson_mut_get_len(value)};
}

node *tree_get(node *parent, const char *key) {
    return yyjson_mut_obj_get(parent, key);
}

str tree_text(node *parent, const char *key) {
    return value_text(tree_get(parent, key));
}

bool tree_is(node *parent, const char *key, const char *value) {
    return str_equal(tree_text(parent, key), str_from(value));
}

bool tree_is_empty(node *parent, const char *key) {
    node *value = tree_get(parent, key);
    return value == NULL || yyjson_mut_is_null(value) ||
           (yyjson_mut_is_arr(value) && yyjson_mut_arr_size(value) == 0);
}

void tree_put(struct delta_tree *tree, node *parent, const char *key, node *value) {
    yyjson_mut_obj_put(parent, yyjson_mut_str(tree->document, key), value);
}

void tree_put_text(struct delta_tree *tree, node *parent, const char *key, str value) {
    tree_put(tree, parent, key, yyjson_mut_strncpy(tree->document, value.data, value.size));
}

node *tree_copy(struct delta_tree *tree, node *value) {
    return yyjson_mut_val_mut_copy(tree->document, value);
}

void tree_become(node *target, node *value) {
    target->tag = value->tag;
    target->uni = value->uni; // `next`, its place among its siblings, stays
}

bool tree_is_query(node *value) {
    return yyjson_mut_is_obj(tree_get(value, "cte_map"));
}

void tree_walk_members(node *object, bool (*visit)(void *self, node *object), void *self) {
    yyjson_mut_obj_iter members;
    node *key;
    yyjson_mut_obj_iter_init(object, &members);
    while ((key = yyjson_mut_obj_iter_next(&members)) != NULL) {
        tree_walk(yyjson_mut_obj_iter_get_val(key), visit, self);
    }
}

void tree_walk(node *value, bool (*visit)(void *self, node *object), void *self) {
    yyjson_mut_arr_iter elements;
    node *element;
    if (yyjson_mut_is_obj(value)) {
        if (visit(self, value)) {
            tree_walk_members(value, visit, self);
        }
    } else if (yyjson_mut_is_arr(value)) {
        yyjson_mut_arr_iter_init(value, &elements);
        while ((element = yyjson_mut_arr_iter_next(&elements)) != NULL) {
            tree_walk(element, visit, self);
        }
    }
}

// ── Building ──

node *tree_parse(struct delta_tree *tree, str json) {
    AST_DOCUMENT document = ast_document(json);
    return yyjson_val_mut_copy(tree->document, yyjson_doc_get_root(document));
}

node *tree_column(struct delta_tree *tree, str table, str column) {
    node *names = yyjson_mut_arr(tree->document);
    if (table.size > 0) {
        yyjson_mut_arr_append(names, yyjson_mut_strncpy(tree->document, table.data, table.size));
    }
    yyjson_mut_arr_append(names, yyjson_mut_strncpy(tree->document, column.data, column.size));
    node *reference =
        tree_parse(tree, STR("{\"class\":\"COLUMN_REF\",\"type\":\"COLUMN_REF\","
                             "\"alias\":\"\",\"query_location\":18446744073709551615}"));
    tree_put(tree, reference, "column_names", names);
    return reference;
}

#define NOWHERE "\"query_location\":18446744073709551615"
#define EXPRESSION(class, type)                                                                    \
    "\"class\":\"" class "\",\"type\":\"" type "\",\"alias\":\"\"," NOWHERE
#define SELECT_REST                                                                                \
    "\"group_expressions\":[],\"group_sets\":[],\"aggregate_handling\":\"STANDARD_HANDLING\","     \
    "\"having\":null,\"sample\":null,\"qualify\":null"

static node *select_all_from(struct delta_tree *tree, node *from) {
    node *select = tree_parse(
        tree,
        STR("{\"type\":\"SELECT_NODE\",\"modifiers\":[],\"cte_map\":{\"map\":[]},"
            "\"select_list\":[{" EXPRESSION(
                "STAR",
                "STAR") ",\"relation_name\":\"\","
                        "\"exclude_list\":[],\"replace_list\":[],\"columns\":false,\"expr\":null,"
                        "\"qualified_exclude_list\":[],\"rename_list\":[]}],\"where_clause\":"
                        "null," SELECT_REST "}"));
    tree_put(tree, select, "from_table", from);
    return select;
}

static node *derived_table(struct delta_tree *tree, node *query, str alias, node *columns) {
    node *derived = tree_parse(tree, STR("{\"type\":\"SUBQUERY\",\"sample\":null," NOWHERE
                                         ",\"subquery\":{\"named_param_map\":[]}}"));
    tree_put_text(tree, derived, "alias", alias);
    tree_put(tree, derived, "column_name_alias",
             columns == NULL ? yyjson_mut_arr(tree->document) : tree_copy(tree, columns));
    tree_put(tree, tree_get(derived, "subquery"), "node", query);
    return derived;
}

node *tree_select_all(struct delta_tree *tree, node *query) {
    return select_all_from(tree,
                           derived_table(tree, tree_copy(tree, query), STR("all_rows"), NULL));
}

void tree_put_query(struct delta_tree *tree, node *table, node *query, node *columns) {
    const str alias = tree_text(table, "alias");
    node *names = tree_copy(tree, tree_get(table, "column_name_alias"));
    for (size_t i = yyjson_mut_arr_size(names); i < yyjson_mut_arr_size(columns); i++) {
        yyjson_mut_arr_append(names, tree_copy(tree, yyjson_mut_arr_get(columns, i)));
    }
    node *derived =
        derived_table(tree, query, alias.size > 0 ? alias : tree_text(table, "table_name"), names);
    tree_put(tree, derived, "sample", tree_copy(tree, tree_get(table, "sample")));
    tree_become(table, derived);
}

node *tree_wrap_table(struct delta_tree *tree, node *table) {
    node *inner = tree_copy(tree, table);
    tree_put_text(tree, inner, "alias", STR(""));
    tree_put(tree, inner, "column_name_alias", yyjson_mut_arr(tree->document));
    node *query = select_all_from(tree, inner);
    tree_put_query(tree, table, query, NULL);
    return query;
}

static node *never(struct delta_tree *tree) {
    return tree_parse(
        tree, STR("{" EXPRESSION("CAST", "OPERATOR_CAST") ",\"child\":{" EXPRESSION(
                  "CONSTANT",
                  "VALUE_CONSTANT") ",\"value\":{\"type\":{\"id\":"
                                    "\"VARCHAR\",\"type_info\":null},\"is_null\":false,\"value\":"
                                    "\"f\"}},\"cast_type\":{\"id\":\"BOOLEAN\",\"type_info\":null},"
                                    "\"try_cast\":false}"));
}

// A condition in the query itself would not do, as an aggregate gives a row for no rows.
void tree_make_empty(struct delta_tree *tree, node *query) {
    node *around = tree_select_all(tree, query);
    tree_put(tree, around, "where_clause", never(tree));
    tree_become(query, around);
}

bool tree_empty_from(struct delta_tree *tree, node *from) {
    if (tree_is(from, "type", "JOIN")) {
        return tree_empty_from(tree, tree_get(from, "left")) &&
               tree_empty_from(tree, tree_get(from, "right"));
    }
    if (tree_is(from, "type", "SUBQUERY")) {
        tree_set_mark(tree, from, MARK_UNDIVIDED); // its groups are not to take its place
        tree_make_empty(tree, tree_get(tree_get(from, "subquery"), "node"));
        return true;
    }
    if (tree_is(from, "type", "BASE_TABLE")) {
        tree_put(tree, tree_wrap_table(tree, from), "where_clause", never(tree));
        return true;
    }
    return false;
}

static node *conjunction(struct delta_tree *tree, const char *type, node *left, node *right) {
    node *both = tree_parse(tree, STR("{" EXPRESSION("CONJUNCTION", "CONJUNCTION_AND") "}"));
    node *children = yyjson_mut_arr(tree->document);
    yyjson_mut_arr_append(children, left);
    yyjson_mut_arr_append(children, right);
    tree_put_text(tree, both, "type", str_from(type));
    tree_put(tree, both, "children", children);
    return both;
}

node *tree_in_keys(struct delta_tree *tree, node *expression, str relation, bool with_nulls) {
    node *table = tree_parse(
        tree, STR("{\"type\":\"BASE_TABLE\",\"alias\":\"\",\"sample\":null," NOWHERE
                  ",\"schema_name\":\"main\",\"column_name_alias\":[],\"catalog_name\":\"temp\","
                  "\"at_clause\":null}"));
    tree_put_text(tree, table, "table_name", relation);
    node *keys = select_all_from(tree, table);
    node *list = yyjson_mut_arr(tree->document);
    yyjson_mut_arr_append(list, tree_column(tree, (str){0}, STR(DELTA_KEY_COLUMN)));
    tree_put(tree, keys, "select_list", list);
    node *in = tree_parse(
        tree,
        STR("{" EXPRESSION("SUBQUERY", "SUBQUERY") ",\"subquery_type\":"
                                                   "\"ANY\",\"subquery\":{\"named_param_map\":[]},"
                                                   "\"comparison_type\":\"COMPARE_EQUAL\"}"));
    tree_put(tree, tree_get(in, "subquery"), "node", keys);
    tree_put(tree, in, "child", tree_copy(tree, expression));
    if (!with_nulls) {
        return in;
    }
    node *is_null = tree_parse(tree, STR("{" EXPRESSION("OPERATOR", "OPERATOR_IS_NULL") "}"));
    node *children = yyjson_mut_arr(tree->document);
    yyjson_mut_arr_append(children, tree_copy(tree, expression));
    tree_put(tree, is_null, "children", children);
    return conjunction(tree, "CONJUNCTION_OR", in, is_null);
}

node *tree_and(struct delta_tree *tree, node *left, node *right) {
    if (left == NULL || yyjson_mut_is_null(left)) {
        return right;
    }
    return conjunction(tree, "CONJUNCTION_AND", tree_copy(tree, left), right);
}
