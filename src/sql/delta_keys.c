// Which keys can have rows that differ.
//
// Let Q be a SELECT whose key is an expression e over the rows of its FROM clause, before any
// grouping.  By SQL's own rule e is then a function of the grouping columns; if all windows are
// partitioned by e and DISTINCT ON contains it, the rows with e = x make their part of the result
// alone.  So the keys that may differ are those of FROM's rows that differ, and the query for them
// is Q with `e IN (keys)` in its WHERE.  A changed unit is a table, or a divided subquery
// (delta_linear.c).  FROM's rows differ
//   - through a unit in linear position: they contain an added row (all others at now) or contained
//     a removed one (all others at base);
//   - through a unit on a side of a join that can lose rows: the right one of LEFT, SEMI and ANTI,
//     the left one of RIGHT, both of FULL.  Let p be a row of the other side that matches an added
//     (now) or removed (base) row q.  If e belongs to the other side, the rows that differ have the
//     key e(p): that of the inner join of the two alone.  If not, they have e(p, q), e(p, NULL),
//     or, as FULL JOIN keeps q, too, e(NULL, q), each of which is a FROM clause of its own;
//   - through a derived table that carries the key: the keys are those of the derived table.
// A set operation has the keys of both its sides.
//
// e(p, NULL) is there at now or at base, while q was seen at the other of the two.  So there is at
// most one join whose rows are taken apart like that: with two of them a row may have lost its
// match in both at once, and be seen by neither.
#include "base/context.h"
#include "base/text.h"
#include "sql/delta_plan.h"

// ── Terms ──

// `SELECT e AS key FROM from [WHERE …]`, without what comes after.
static node *keys_select(struct planner *planner, node *select, node *expression, node *from,
                         bool with_where) {
    struct delta_tree *tree = &planner->tree;
    node *query = tree_copy(tree, select);
    node *key = tree_copy(tree, expression);
    node *list = empty_array(planner);
    tree_put_text(tree, key, "alias", STR(DELTA_KEY_COLUMN));
    yyjson_mut_arr_append(list, key);
    tree_put(tree, query, "select_list", list);
    tree_put(tree, query, "from_table", tree_copy(tree, from));
    static const char *const LISTS[] = {"modifiers", "group_expressions", "group_sets"};
    for (size_t i = 0; i < ARRAY_COUNT(LISTS); i++) {
        tree_put(tree, query, LISTS[i], empty_array(planner));
    }
    static const char *const CLAUSES[] = {"having", "qualify", "where_clause"};
    // What a WHERE says of other outputs would mean something else here.
    const bool keeps_where =
        with_where && !select_names_output(select, tree_get(select, "where_clause"));
    for (size_t i = 0; i < ARRAY_COUNT(CLAUSES) - (keeps_where ? 1 : 0); i++) {
        tree_put(tree, query, CLAUSES[i], yyjson_mut_null(tree->document));
    }
    tree_put_text(tree, query, "aggregate_handling", STR("STANDARD_HANDLING"));
    return query;
}

static void add_both(struct planner *planner, node *query, const struct delta_unit *unit) {
    add_term(planner, query, unit, false, VERSION_NOW);
    add_term(planner, query, unit, true, VERSION_BASE);
}

// ── Joins ──

static bool loses_left(node *join) {
    return tree_is(join, "join_type", "RIGHT") || tree_is(join, "join_type", "FULL");
}

static bool loses_right(node *join) {
    return !tree_is(join, "join_type", "INNER") && !tree_is(join, "join_type", "RIGHT");
}

bool find_position(node *from, node *item, struct position *position) {
    if (from == item) {
        return true;
    }
    if (!tree_is(from, "type", "JOIN")) {
        return false;
    }
    node *left = tree_get(from, "left");
    node *right = tree_get(from, "right");
    const bool in_left = find_position(left, item, position);
    if (!in_left && !find_position(right, item, position)) {
        return false;
    }
    if (in_left ? loses_left(from) : loses_right(from)) {
        position->losses++;
        position->join = from;
        position->kept = tree_is(from, "join_type", "FULL") ? NULL : in_left ? right : left;
    }
    return true;
}

static node *with_sides(struct planner *planner, node *join, node *left, node *right,
                        const char *type) {
    struct delta_tree *tree = &planner->tree;
    node *copy = tree_copy(tree, join);
    tree_put(tree, copy, "left", tree_copy(tree, left));
    tree_put(tree, copy, "right", tree_copy(tree, right));
    tree_put_text(tree, copy, "join_type", str_from(type));
    return copy;
}

// The join's rows with a row of the changed side, which it can lose.
static node *rows_with(struct planner *planner, node *join, bool in_left) {
    const bool filters = tree_is(join, "join_type", "SEMI") || tree_is(join, "join_type", "ANTI");
    const char *type = filters                               ? "SEMI"
                       : !tree_is(join, "join_type", "FULL") ? "INNER"
                       : in_left                             ? "LEFT"
                                                             : "RIGHT";
    return with_sides(planner, join, tree_get(join, "left"), tree_get(join, "right"), type);
}

// The rows of the other side that match one of the changed side, with NULLs in its place; NULL:
// such rows cannot be made.
static node *rows_without(struct planner *planner, node *join, bool in_left) {
    node *changed = tree_get(join, in_left ? "left" : "right");
    node *other = tree_get(join, in_left ? "right" : "left");
    node *matched = with_sides(planner, join, other, changed, "SEMI");
    node *nothing = tree_copy(&planner->tree, changed);
    if (!tree_empty_from(&planner->tree, nothing)) {
        return NULL;
    }
    return in_left ? with_sides(planner, join, nothing, matched, "RIGHT")
                   : with_sides(planner, join, matched, nothing, "LEFT");
}

// A copy of FROM with `replacement` in the place of `join`.
static node *replace_join(struct planner *planner, node *from, node *join, node *replacement) {
    if (from == join) {
        return replacement;
    }
    if (!tree_is(from, "type", "JOIN")) {
        return tree_copy(&planner->tree, from);
    }
    node *copy = tree_copy(&planner->tree, from);
    tree_put(&planner->tree, copy, "left",
             replace_join(planner, tree_get(from, "left"), join, replacement));
    tree_put(&planner->tree, copy, "right",
             replace_join(planner, tree_get(from, "right"), join, replacement));
    return copy;
}

// ── One SELECT ──

struct level {
    node *select;
    node *expression; // of the key
    struct leaf_list leaves;
    node *taken_apart; // the join whose rows are; NULL: none so far
};

static void add_rows(struct planner *planner, struct level *level, node *join, node *rows,
                     const struct delta_unit *unit) {
    node *from = replace_join(planner, tree_get(level->select, "from_table"), join, rows);
    add_both(planner, keys_select(planner, level->select, level->expression, from, true), unit);
}

// A LATERAL subquery can be on the right of INNER and LEFT alone, not of SEMI.
static bool side_is_lateral(struct delta_tree *tree, node *side) {
    struct leaf_list leaves = {0};
    select_leaves(tree, side, &leaves);
    for (size_t i = 0; i < leaves.count; i++) {
        node *query = leaf_query(&leaves.items[i]);
        if (query != NULL && query_reads_outside(tree, query)) {
            return true;
        }
    }
    return false;
}

static bool keys_through_lossy_join(struct planner *planner, struct level *level, node *item,
                                    const struct delta_unit *unit,
                                    const struct position *position) {
    struct delta_tree *tree = &planner->tree;
    node *join = position->join;
    struct position ignored = {0};
    const bool in_left = find_position(tree_get(join, "left"), item, &ignored);
    node *with = rows_with(planner, join, in_left);
    if (position->kept != NULL &&
        expression_is_of(tree, level->expression, &level->leaves, position->kept)) {
        add_both(planner, keys_select(planner, level->select, level->expression, with, false),
                 unit);
        return true;
    }
    if (level->taken_apart != NULL && level->taken_apart != join) {
        return refuse(planner, item, STR("the key comes from several outer joins"));
    }
    if (side_is_lateral(tree, tree_get(join, "right"))) {
        return refuse(planner, item,
                      STR("the key comes from a LATERAL subquery that may be empty"));
    }
    level->taken_apart = join;
    const bool filters = tree_is(join, "join_type", "SEMI") || tree_is(join, "join_type", "ANTI");
    node *without = filters ? NULL : rows_without(planner, join, in_left);
    if (without == NULL && !filters) {
        return refuse(planner, item, STR("it is joined in a way that is not known"));
    }
    add_rows(planner, level, join, with, unit);
    if (without != NULL) {
        add_rows(planner, level, join, without, unit);
    }
    return true;
}

static bool keys_of_unit(struct planner *planner, struct level *level, node *item,
                         const struct delta_unit *unit, const struct position *position) {
    node *from = tree_get(level->select, "from_table");
    if (position->losses == 0) {
        add_both(planner, keys_select(planner, level->select, level->expression, from, true), unit);
        return true;
    }
    if (position->losses > 1) {
        return refuse(planner, item, STR("several outer joins, one in the other, can lose it"));
    }
    return keys_through_lossy_join(planner, level, item, unit, position);
}

// A derived table that carries the key has its own keys; false, with nothing changed: it does not,
// or they are not known.
static bool keys_of_carrier(struct planner *planner, struct level *level, size_t leaf,
                            const struct position *position) {
    struct delta_tree *tree = &planner->tree;
    struct delta_plan *plan = planner->plan;
    const struct leaf *item = &level->leaves.items[leaf];
    const size_t terms = planner->terms->count;
    const size_t needs = planner->needs->count;
    size_t index = SIZE_MAX;
    if (position->losses == 0 && tree_is(level->expression, "class", "COLUMN_REF") &&
        select_resolve(tree, &level->leaves, level->expression) == leaf) {
        index = leaf_find_column(tree, item, level->expression);
    }
    if (index == SIZE_MAX || query_reads_outside(tree, leaf_query(item))) {
        return false;
    }
    if (keys_of_query(planner, leaf_query(item), index)) {
        return true;
    }
    planner->terms->count = terms;
    planner->needs->count = needs;
    plan->reason = (str){0};
    plan->source = SIZE_MAX;
    return false;
}

static bool keys_of_leaf(struct planner *planner, struct level *level, size_t leaf) {
    struct delta_tree *tree = &planner->tree;
    node *from = tree_get(level->select, "from_table");
    node *item = level->leaves.items[leaf].item;
    node *query = leaf_query(&level->leaves.items[leaf]);
    struct position position = {0};
    (void)find_position(from, item, &position);
    if (query != NULL && !query_is_linear(planner, query) &&
        keys_of_carrier(planner, level, leaf, &position)) {
        return true;
    }
    if (!from_is_linear(planner, item)) {
        return refuse(planner, item,
                      query != NULL ? STR("it is in a subquery that no column divides into groups")
                                    : STR("it is read in a way that is not known"));
    }
    struct delta_unit_list units = {0};
    tree_units(tree, item, &units);
    for (size_t i = 0; i < units.count; i++) {
        if (bug_is_planted("PB_SELF_JOIN") && i + leaf > 0 && units.items[i].source != NULL &&
            units.items[i].source == tree_first_change(tree, from)) {
            continue; // the second use of a table
        }
        if (!keys_of_unit(planner, level, item, &units.items[i], &position)) {
            return false;
        }
    }
    return true;
}

// A subquery in an ON condition that reads a changed table.
static bool conditions_change(struct planner *planner, node *from) {
    node *condition = tree_get(from, "condition");
    return tree_is(from, "type", "JOIN") &&
           ((condition != NULL && tree_has_changes(&planner->tree, condition)) ||
            conditions_change(planner, tree_get(from, "left")) ||
            conditions_change(planner, tree_get(from, "right")));
}

// ── What divides ──

static bool distinct_divides_by(struct delta_tree *tree, node *select, node *expression) {
    node *targets = select_distinct_targets(select);
    return targets == NULL || select_list_has(tree, select, targets, expression);
}

// Whether the rows with one value of the expression make their part of the result alone; `reason`
// says why not.
bool select_divides(struct planner *planner, node *select, node *expression, str *reason) {
    *reason = key_problem(&planner->tree, select, expression);
    if (reason->size > 0) {
        return false;
    }
    if (yyjson_mut_arr_size(tree_get(select, "group_sets")) > 1) {
        *reason = STR("it has GROUPING SETS, ROLLUP or CUBE");
    } else if (!select_windows_divide_by(&planner->tree, select, expression) &&
               !bug_is_planted("PB_WINDOW")) {
        *reason = STR("it has a window that is not partitioned by the key");
    } else if (!distinct_divides_by(&planner->tree, select, expression)) {
        *reason = STR("its DISTINCT ON does not have the key");
    }
    return reason->size == 0;
}

node *select_expression(struct planner *planner, node *select, size_t index) {
    struct output_list outputs = {0};
    if (!query_outputs(&planner->tree, select, &outputs) || index >= outputs.count) {
        return NULL;
    }
    return output_expression(&planner->tree, &outputs.items[index]);
}

// ── Queries ──

static bool keys_of_select(struct planner *planner, node *select, size_t index) {
    struct delta_tree *tree = &planner->tree;
    if (!tree_has_changes(tree, select)) {
        return true;
    }
    node *from = tree_get(select, "from_table");
    struct level level = {.select = select,
                          .expression = select_expression(planner, select, index)};
    str reason;
    if (level.expression == NULL) {
        return refuse(planner, select, STR("the key comes out of a star that is not known"));
    }
    if (!select_divides(planner, select, level.expression, &reason)) {
        return refuse(planner, select, reason);
    }
    if (select_has_changed_subquery(tree, select) || conditions_change(planner, from)) {
        return refuse(planner, select, STR("it is read by a subquery in an expression"));
    }
    select_leaves(tree, from, &level.leaves);
    for (size_t i = 0; i < level.leaves.count; i++) {
        if (tree_has_changes(tree, level.leaves.items[i].item) &&
            !keys_of_leaf(planner, &level, i)) {
            return false;
        }
    }
    return true;
}

bool keys_of_query(struct planner *planner, node *query, size_t index) {
    if (tree_is(query, "type", "SET_OPERATION_NODE") &&
        !tree_is(query, "setop_type", "UNION_BY_NAME") && select_distinct_targets(query) == NULL) {
        return keys_of_query(planner, tree_get(query, "left"), index) &&
               keys_of_query(planner, tree_get(query, "right"), index);
    }
    return tree_is(query, "type", "SELECT_NODE")
               ? keys_of_select(planner, query, index)
               : refuse(planner, query, STR("it is a query of a kind that is not known"));
}
