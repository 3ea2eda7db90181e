// The query for the affected keys: conditions where the database does not carry them by itself.
#include "base/context.h"
#include "sql/delta_plan.h"

static void put_condition(struct planner *planner, node *select, node *expression,
                          const struct restriction *restriction) {
    struct delta_tree *tree = &planner->tree;
    tree_put(
        tree, select, "where_clause",
        tree_and(tree, tree_get(select, "where_clause"),
                 tree_in_keys(tree, expression, restriction->relation, restriction->with_nulls)));
}

// ── Into subqueries ──

static void restrict_column(struct planner *planner, const struct leaf *leaf, node *column,
                            const struct restriction *restriction) {
    node *query = leaf_query(leaf);
    const size_t index = query == NULL ? SIZE_MAX : leaf_find_column(&planner->tree, leaf, column);
    if (index != SIZE_MAX) {
        (void)restrict_query(planner, query, index, restriction);
    }
}

// A grouped subquery is not computed for other keys.  Where a join can lose its rows it must be: a
// row without a match there would get one of NULLs.
static void restrict_carrier(struct planner *planner, node *select, node *expression,
                             const struct restriction *restriction) {
    struct delta_tree *tree = &planner->tree;
    struct leaf_list leaves = {0};
    struct position position = {0};
    node *from = tree_get(select, "from_table");
    if (!tree_is(expression, "class", "COLUMN_REF")) {
        return;
    }
    select_leaves(tree, from, &leaves);
    const size_t leaf = select_resolve(tree, &leaves, expression);
    if (leaf != SIZE_MAX && find_position(from, leaves.items[leaf].item, &position) &&
        position.losses == 0) {
        restrict_column(planner, &leaves.items[leaf], expression, restriction);
    }
}

// ── Into both sides of a FULL JOIN ──

static bool is_merged(node *join, node *column) {
    node *names = tree_get(column, "column_names");
    const str name = str_from(yyjson_mut_get_str(yyjson_mut_arr_get_first(names)));
    bool found = false;
    yyjson_mut_arr_iter columns;
    node *merged;
    yyjson_mut_arr_iter_init(tree_get(join, "using_columns"), &columns);
    while ((merged = yyjson_mut_arr_iter_next(&columns)) != NULL) {
        found = found || str_equal_nocase(str_from(yyjson_mut_get_str(merged)), name);
    }
    return found && yyjson_mut_arr_size(names) == 1;
}

static bool demands_equal(node *condition, node *a, node *b) {
    if (tree_is(condition, "type", "CONJUNCTION_AND")) {
        yyjson_mut_arr_iter children;
        node *child;
        yyjson_mut_arr_iter_init(tree_get(condition, "children"), &children);
        while ((child = yyjson_mut_arr_iter_next(&children)) != NULL) {
            if (demands_equal(child, a, b)) {
                return true;
            }
        }
        return false;
    }
    node *left = tree_get(condition, "left");
    node *right = tree_get(condition, "right");
    return tree_is(condition, "type", "COMPARE_EQUAL") &&
           ((expression_equals(left, a) && expression_equals(right, b)) ||
            (expression_equals(left, b) && expression_equals(right, a)));
}

// The columns of both sides that make up the key: rows that match have it in both, a row without a
// match in its own.
static bool find_sides(node *join, node *expression, node *sides[2]) {
    node *children = tree_get(expression, "children");
    if (tree_is(expression, "class", "COLUMN_REF") && is_merged(join, expression)) {
        sides[0] = sides[1] = expression;
        return true;
    }
    sides[0] = yyjson_mut_arr_get(children, 0);
    sides[1] = yyjson_mut_arr_get(children, 1);
    return tree_is(expression, "type", "OPERATOR_COALESCE") && yyjson_mut_arr_size(children) == 2 &&
           tree_is(sides[0], "class", "COLUMN_REF") && tree_is(sides[1], "class", "COLUMN_REF") &&
           demands_equal(tree_get(join, "condition"), sides[0], sides[1]);
}

static void restrict_side(struct planner *planner, const struct leaf *leaf, node *column,
                          const struct restriction *restriction) {
    struct delta_tree *tree = &planner->tree;
    node *item = leaf->item;
    if (!tree_is(item, "type", "BASE_TABLE")) {
        restrict_column(planner, leaf, column, restriction);
    } else if (tree_is_empty(item, "column_name_alias")) {
        node *names = tree_get(column, "column_names");
        const str name = str_from(yyjson_mut_get_str(yyjson_mut_arr_get_last(names)));
        node *query = tree_wrap_table(tree, item);
        put_condition(planner, query, tree_column(tree, (str){0}, name), restriction);
    }
}

static void restrict_full_join(struct planner *planner, node *select, node *expression,
                               const struct restriction *restriction) {
    struct delta_tree *tree = &planner->tree;
    node *join = tree_get(select, "from_table");
    node *sides[2];
    struct leaf_list leaves = {0};
    if (!tree_is(join, "join_type", "FULL") || !find_sides(join, expression, sides)) {
        return;
    }
    select_leaves(tree, join, &leaves);
    if (leaves.count != 2) {
        return;
    }
    if (sides[0] != sides[1]) {
        const size_t first = select_resolve(tree, &leaves, sides[0]);
        const size_t second = select_resolve(tree, &leaves, sides[1]);
        if (first > 1 || second > 1 || first == second) {
            return;
        }
        restrict_side(planner, &leaves.items[first], sides[0], restriction);
        restrict_side(planner, &leaves.items[second], sides[1], restriction);
        return;
    }
    restrict_side(planner, &leaves.items[0], expression, restriction);
    restrict_side(planner, &leaves.items[1], expression, restriction);
}

// ── The whole ──

#ifdef COYPU_CRASH_POINTS
// The mistake that this file is there to avoid: a sum over the added rows alone.
static void plant_delta_aggregate(struct planner *planner, node *query) {
    struct delta_unit_list units = {0};
    tree_units(&planner->tree, query, &units);
    if (units.count > 0 && units.items[0].source != NULL) {
        tree_substitute(&planner->tree, query, &units.items[0], false, VERSION_NOW);
    }
}
#else
#define plant_delta_aggregate(planner, query) ((void)0)
#endif

// `SELECT 1 AS key, count(*) FROM …` has a row whatever its WHERE says.
static bool is_one_group(struct planner *planner, node *select, node *expression) {
    return !expression_has_column(expression) &&
           (select_is_grouped(&planner->tree, select) ||
            select_has_outer_aggregate(&planner->tree, select));
}

bool restrict_query(struct planner *planner, node *query, size_t index,
                    const struct restriction *restriction) {
    if (tree_is(query, "type", "SET_OPERATION_NODE") &&
        !tree_is(query, "setop_type", "UNION_BY_NAME") && select_distinct_targets(query) == NULL) {
        const bool left = restrict_query(planner, tree_get(query, "left"), index, restriction);
        return restrict_query(planner, tree_get(query, "right"), index, restriction) && left;
    }
    node *expression =
        tree_is(query, "type", "SELECT_NODE") ? select_expression(planner, query, index) : NULL;
    str reason;
    if (expression == NULL || !select_divides(planner, query, expression, &reason) ||
        is_one_group(planner, query, expression)) {
        return false;
    }
    if (bug_is_planted("PB_DELTA_AGGREGATE") && select_is_grouped(&planner->tree, query)) {
        plant_delta_aggregate(planner, query);
    }
    restrict_carrier(planner, query, expression, restriction);
    restrict_full_join(planner, query, expression, restriction);
    put_condition(planner, query, expression, restriction);
    return true;
}
