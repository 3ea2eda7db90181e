// Query nodes: CTEs, SELECT, set operations, and what stands behind them (ORDER BY, LIMIT,
// DISTINCT).
#include "base/text.h"
#include "sql/lineage_build.h"

yyjson_val *lineage_document(struct lineage_build *build, str ast) {
    yyjson_doc *document = ast_document(ast);
    if (document == NULL || ast_bool(yyjson_doc_get_root(document), "error")) {
        yyjson_doc_free(document);
        return NULL;
    }
    LIST_PUSH(build->arena, &build->documents, document);
    return ast_query(document);
}

struct lineage_query *lineage_definition_build(struct lineage_build *build,
                                               const struct lineage_definition *definition,
                                               const struct lineage_binding *bindings) {
    if (build->inside >= LINEAGE_DEPTH_MAX) {
        lineage_note(build, "views and macros are nested more than %d deep", LINEAGE_DEPTH_MAX);
        return NULL;
    }
    yyjson_val *node = lineage_document(build, definition->ast);
    if (node == NULL) {
        return NULL;
    }
    build->inside++;
    struct lineage_query *query = lineage_query_build(build, node, NULL, NULL, bindings);
    build->inside--;
    return query;
}

// ── CTEs ──

static void rename_outputs(struct lineage_build *build, struct lineage_query *query,
                           yyjson_val *names) {
    size_t i, max;
    yyjson_val *name;
    yyjson_arr_foreach(names, i, max, name) {
        if (i < query->columns.count) {
            query->columns.items[i].name =
                str_copy(build->arena, (str){yyjson_get_str(name), yyjson_get_len(name)});
        }
    }
    lineage_unique_names(build, &query->columns);
}

static size_t source_count(const struct lineage_column_list *columns) {
    size_t count = 0;
    for (size_t i = 0; i < columns->count; i++) {
        count += columns->items[i].sources.count;
    }
    return count;
}

static void add_by_position(struct lineage_build *build, struct lineage_column_list *into,
                            const struct lineage_column_list *from) {
    for (size_t i = 0; i < into->count && i < from->count; i++) {
        lineage_take(build, &into->items[i], &from->items[i], LINEAGE_IDENTITY, (str){0});
    }
}

static void copy_columns(struct lineage_build *build, struct lineage_column_list *into,
                         const struct lineage_column_list *from) {
    for (size_t i = 0; i < from->count; i++) {
        struct lineage_column column = lineage_nothing();
        lineage_take(build, &column, &from->items[i], LINEAGE_IDENTITY, (str){0});
        column.name = from->items[i].name;
        LIST_PUSH(build->arena, into, column);
    }
}

// A recursive CTE's rows come from both sides; the right one reads them, so it is looked at until
// it brings nothing new.
static void build_recursive(struct lineage_build *build, struct lineage_cte *cte,
                            yyjson_val *node) {
    struct lineage_query *query = ARENA_NEW(build->arena, struct lineage_query);
    query->kind = LINEAGE_RECURSIVE;
    query->operation = STR("UNION");
    query->is_all = ast_bool(node, "union_all");
    query->left = lineage_query_build(build, yyjson_obj_get(node, "left"), cte->outer, cte->frame,
                                      cte->bindings);
    if (query->left != NULL) {
        copy_columns(build, &query->columns, &query->left->columns);
        lineage_use_list(build, &query->indirect, &query->left->indirect);
    }
    rename_outputs(build, query, yyjson_obj_get(cte->entry, "aliases"));
    const size_t occurrences = build->out->occurrences.count;
    for (size_t round = 0; round <= query->columns.count; round++) {
        const size_t before = source_count(&query->columns) + query->indirect.count;
        cte->rows = &query->columns;
        build->out->occurrences.count = occurrences;
        struct lineage_query *right = lineage_query_build(build, yyjson_obj_get(node, "right"), cte,
                                                          cte->frame, cte->bindings);
        cte->rows = NULL;
        if (right == NULL) {
            break;
        }
        query->right = right;
        add_by_position(build, &query->columns, &right->columns);
        lineage_use_list(build, &query->indirect, &right->indirect);
        if (source_count(&query->columns) + query->indirect.count == before) {
            break;
        }
    }
    cte->query = query;
}

static void build_cte(struct lineage_build *build, struct lineage_cte *cte) {
    yyjson_val *node = yyjson_obj_get(yyjson_obj_get(cte->entry, "query"), "node");
    if (ast_is(node, "type", "RECURSIVE_CTE_NODE")) {
        build_recursive(build, cte, node);
        return;
    }
    struct lineage_query *query =
        lineage_query_build(build, node, cte->outer, cte->frame, cte->bindings);
    if (query != NULL) {
        rename_outputs(build, query, yyjson_obj_get(cte->entry, "aliases"));
        cte->query = query;
    }
}

struct lineage_cte *lineage_cte_find(struct lineage_build *build, struct lineage_cte *ctes,
                                     str name) {
    for (struct lineage_cte *cte = ctes; cte != NULL; cte = cte->outer) {
        if (str_equal_nocase(cte->name, name)) {
            if (cte->query == NULL && cte->rows == NULL) {
                build_cte(build, cte);
            }
            return cte;
        }
    }
    return NULL;
}

// ── SELECT ──

static void filter(struct lineage_build *build, yyjson_val *node, struct lineage_frame *frame,
                   enum lineage_use use) {
    if (yyjson_is_obj(node)) {
        const struct lineage_column value = lineage_expression(build, node, frame);
        lineage_use_value(build, &frame->query->indirect, &value, use);
    }
}

static void push_group(struct lineage_build *build, struct lineage_frame *frame,
                       const struct lineage_column *group) {
    lineage_use_value(build, &frame->query->indirect, group, LINEAGE_GROUP);
}

// `GROUP BY 2`, `GROUP BY alias`, or an expression.
static struct lineage_column group_value(struct lineage_build *build, yyjson_val *node,
                                         struct lineage_frame *frame) {
    if (ast_is(node, "class", "CONSTANT")) {
        const int position = ast_int(yyjson_obj_get(node, "value"), "value");
        if (position >= 1 && (size_t)position <= frame->query->columns.count) {
            return frame->query->columns.items[position - 1];
        }
        return lineage_nothing();
    }
    return lineage_expression(build, node, frame);
}

static void project(struct lineage_build *build, yyjson_val *node, struct lineage_frame *frame,
                    bool groups_all) {
    struct lineage_query *query = frame->query;
    size_t i, max;
    yyjson_val *item;
    build->in_projection = true;
    yyjson_arr_foreach(yyjson_obj_get(node, "select_list"), i, max, item) {
        const size_t first = query->columns.count;
        frame->saw_aggregate = false;
        lineage_project(build, item, frame, &query->columns);
        for (size_t j = first; groups_all && !frame->saw_aggregate && j < query->columns.count;
             j++) {
            push_group(build, frame, &query->columns.items[j]);
        }
        frame->aliases = query->columns;
    }
    build->in_projection = false;
}

static void group(struct lineage_build *build, yyjson_val *node, struct lineage_frame *frame) {
    size_t i, max;
    yyjson_val *expression;
    yyjson_arr_foreach(yyjson_obj_get(node, "group_expressions"), i, max, expression) {
        const struct lineage_column value = group_value(build, expression, frame);
        push_group(build, frame, &value);
    }
}

static void select_node(struct lineage_build *build, yyjson_val *node,
                        struct lineage_frame *frame) {
    lineage_from(build, yyjson_obj_get(node, "from_table"), frame);
    project(build, node, frame, ast_is(node, "aggregate_handling", "FORCE_AGGREGATES"));
    filter(build, yyjson_obj_get(node, "where_clause"), frame, LINEAGE_FILTER);
    group(build, node, frame);
    filter(build, yyjson_obj_get(node, "having"), frame, LINEAGE_FILTER);
    filter(build, yyjson_obj_get(node, "qualify"), frame, LINEAGE_FILTER);
}

// ── Set operations ──

static void add_by_name(struct lineage_build *build, struct lineage_column_list *into,
                        const struct lineage_column_list *from) {
    for (size_t i = 0; i < from->count; i++) {
        size_t at = 0;
        while (at < into->count && !str_equal_nocase(into->items[at].name, from->items[i].name)) {
            at++;
        }
        if (at == into->count) {
            struct lineage_column column = lineage_nothing();
            column.name = from->items[i].name;
            LIST_PUSH(build->arena, into, column);
        }
        lineage_take(build, &into->items[at], &from->items[i], LINEAGE_IDENTITY, (str){0});
    }
}

// Equal rows become one: every column says which.
static void use_distinct(struct lineage_build *build, struct lineage_query *query,
                         const struct lineage_column_list *columns) {
    for (size_t i = 0; i < columns->count; i++) {
        lineage_use_value(build, &query->indirect, &columns->items[i], LINEAGE_GROUP);
    }
}

static void set_operation(struct lineage_build *build, yyjson_val *node,
                          struct lineage_frame *frame) {
    struct lineage_query *query = frame->query;
    struct lineage_query *left = lineage_query_build(build, yyjson_obj_get(node, "left"),
                                                     frame->ctes, frame->outer, frame->bindings);
    struct lineage_query *right = lineage_query_build(build, yyjson_obj_get(node, "right"),
                                                      frame->ctes, frame->outer, frame->bindings);
    query->kind = LINEAGE_SET_OPERATION;
    query->operation = str_copy(build->arena, ast_text(node, "setop_type"));
    query->is_all = ast_bool(node, "setop_all");
    query->left = left;
    query->right = right;
    if (left == NULL || right == NULL) {
        return;
    }
    copy_columns(build, &query->columns, &left->columns);
    lineage_use_list(build, &query->indirect, &left->indirect);
    lineage_use_list(build, &query->indirect, &right->indirect);
    const bool is_except = str_equal(query->operation, STR("EXCEPT"));
    if (str_equal(query->operation, STR("UNION_BY_NAME"))) {
        add_by_name(build, &query->columns, &right->columns);
    } else if (!is_except) {
        add_by_position(build, &query->columns, &right->columns);
    }
    for (size_t i = 0; is_except && i < right->columns.count; i++) {
        lineage_use_value(build, &query->indirect, &right->columns.items[i], LINEAGE_FILTER);
    }
    // Rows are compared as wholes, but for UNION ALL.
    if (!query->is_all || is_except || str_equal(query->operation, STR("INTERSECT"))) {
        use_distinct(build, query, &query->columns);
    }
}

// ── Modifiers ──

// The order of rows decides nothing but which of them LIMIT and DISTINCT ON leave.
static void use_order(struct lineage_build *build, yyjson_val *orders,
                      struct lineage_frame *frame) {
    size_t i, max;
    yyjson_val *order;
    yyjson_arr_foreach(orders, i, max, order) {
        yyjson_val *expression = yyjson_obj_get(order, "expression");
        if (ast_is(expression, "class", "CONSTANT")) {
            const struct lineage_column value = group_value(build, expression, frame);
            lineage_use_value(build, &frame->query->indirect, &value, LINEAGE_SORT);
        } else {
            filter(build, expression, frame, LINEAGE_SORT);
        }
    }
}

static void modifiers(struct lineage_build *build, yyjson_val *node, struct lineage_frame *frame) {
    struct lineage_query *query = frame->query;
    yyjson_val *list = yyjson_obj_get(node, "modifiers");
    size_t i, max;
    yyjson_val *modifier;
    frame->aliases = query->columns;
    frame->aliases_first = true;
    yyjson_arr_foreach(list, i, max, modifier) {
        if (ast_is(modifier, "type", "DISTINCT_MODIFIER")) {
            yyjson_val *targets = yyjson_obj_get(modifier, "distinct_on_targets");
            size_t j, count;
            yyjson_val *target;
            query->is_distinct_on = yyjson_arr_size(targets) > 0;
            query->is_distinct = !query->is_distinct_on;
            if (query->is_distinct) {
                use_distinct(build, query, &query->columns);
            }
            yyjson_arr_foreach(targets, j, count, target) {
                filter(build, target, frame, LINEAGE_GROUP);
            }
        } else if (!ast_is(modifier, "type", "ORDER_MODIFIER")) {
            query->has_limit = true;
            filter(build, yyjson_obj_get(modifier, "limit"), frame, LINEAGE_SORT);
            filter(build, yyjson_obj_get(modifier, "offset"), frame, LINEAGE_SORT);
        }
    }
    yyjson_arr_foreach(list, i, max, modifier) {
        if (ast_is(modifier, "type", "ORDER_MODIFIER") &&
            (query->has_limit || query->is_distinct_on)) {
            use_order(build, yyjson_obj_get(modifier, "orders"), frame);
        }
    }
}

// ── All ──

static struct lineage_cte *open_ctes(struct lineage_build *build, yyjson_val *node,
                                     struct lineage_cte *outer, struct lineage_frame *frame,
                                     const struct lineage_binding *bindings) {
    yyjson_val *map = yyjson_obj_get(yyjson_obj_get(node, "cte_map"), "map");
    struct lineage_cte *ctes = ARENA_ARRAY(build->arena, struct lineage_cte, yyjson_arr_size(map));
    size_t i, max;
    yyjson_val *entry;
    yyjson_arr_foreach(map, i, max, entry) {
        ctes[i] = (struct lineage_cte){
            .outer = outer,
            .name = ast_text(entry, "key"),
            .entry = yyjson_obj_get(entry, "value"),
            .frame = frame,
            .bindings = bindings,
        };
        outer = &ctes[i];
    }
    return outer;
}

struct lineage_query *lineage_query_build(struct lineage_build *build, yyjson_val *node,
                                          struct lineage_cte *ctes, struct lineage_frame *outer,
                                          const struct lineage_binding *bindings) {
    struct lineage_query *query = ARENA_NEW(build->arena, struct lineage_query);
    struct lineage_frame frame = {
        .outer = outer,
        .ctes = open_ctes(build, node, ctes, outer, bindings),
        .bindings = bindings,
        .query = query,
    };
    // A star around this query is none in it.
    const struct lineage_column *star = build->star;
    build->star = NULL;
    if (ast_is(node, "type", "SELECT_NODE")) {
        select_node(build, node, &frame);
    } else if (ast_is(node, "type", "SET_OPERATION_NODE")) {
        set_operation(build, node, &frame);
    } else {
        lineage_note(build, "a query of the form " STR_FORMAT " cannot be traced",
                     STR_ARGS(ast_text(node, "type")));
        query = NULL;
    }
    if (query != NULL) {
        modifiers(build, node, &frame);
    }
    build->star = star;
    return query;
}
