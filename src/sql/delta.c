// The two calculi of delta.h.
//
// Keys.  Let Q be a SELECT whose key is an expression e over the rows of its FROM clause, before
// any grouping.  By SQL's own rule e is then a function of the grouping columns; if all windows are
// partitioned by e and DISTINCT ON contains it, the rows with e = x make their part of the result
// alone.  So the keys that may differ are those of FROM's rows that differ, and the query for them
// is Q with `e IN (keys)` in its WHERE.  FROM's rows differ
//   - through an occurrence in linear position: they contain an added row (all others at now) or
//     contained a removed one (all others at base);
//   - through one on the null-supplying side of an outer join or the right side of a SEMI or ANTI
//     join: they come from a row of the other side that matches an added (now) or removed (base)
//     row.  If e belongs to that other side, its keys are those of the inner join of the two alone;
//   - through a derived table that is not linear itself but carries the key: the keys are those of
//     the derived table.
// A set operation has the keys of both its sides.
//
// New rows.  If Q is linear in each changed occurrence o1 … on, then
//   Q(now) − Q(base) = Σ Q(o1 … oi−1 at now, oi := added − removed, oi+1 … on at base),
// as multisets with signs.
#include "sql/delta.h"

#include "base/context.h"
#include "base/text.h"
#include "sql/delta_select.h"

struct planner {
    struct delta_tree tree;
    struct delta_plan *plan;
};

// ── Refusing ──

// The first reason stays; `about` holds the changed table that it speaks of.
static bool refuse(struct planner *planner, node *about, str reason) {
    struct delta_plan *plan = planner->plan;
    if (plan->reason.size == 0) {
        const struct delta_source *source =
            about == NULL ? NULL : tree_first_change(&planner->tree, about);
        plan->reason = reason;
        plan->source = source == NULL ? SIZE_MAX : (size_t)(source - planner->tree.input->sources);
    }
    return false;
}

static bool is_pure_table_function(str name) {
    static const str NAMES[] = {STR_INIT("unnest"), STR_INIT("range"), STR_INIT("generate_series"),
                                STR_INIT("json_each"), STR_INIT("json_tree")};
    for (size_t i = 0; i < ARRAY_COUNT(NAMES); i++) {
        if (str_equal_nocase(NAMES[i], name)) {
            return true;
        }
    }
    return false;
}

static bool is_plain_join(node *join) {
    return tree_is(join, "ref_type", "REGULAR") || tree_is(join, "ref_type", "CROSS") ||
           tree_is(join, "ref_type", "NATURAL");
}

// `(a CROSS JOIN b) RIGHT JOIN c`: DuckDB writes it without the parentheses, which is another
// query.
static bool joins_a_product(node *join) {
    return !tree_is(join, "ref_type", "CROSS") &&
           (tree_is(tree_get(join, "left"), "ref_type", "CROSS") ||
            tree_is(tree_get(join, "right"), "ref_type", "CROSS"));
}

static str forbidden_object(struct planner *planner, node *object) {
    static const struct {
        const char *type;
        str reason;
    } TYPES[] = {
        {"LIMIT_MODIFIER", STR_INIT("it has a LIMIT")},
        {"LIMIT_PERCENT_MODIFIER", STR_INIT("it has a LIMIT")},
        {"RECURSIVE_CTE_NODE", STR_INIT("it has a recursive CTE")},
        {"CTE_NODE", STR_INIT("it has a CTE of a kind that is not known")},
        {"PIVOT", STR_INIT("it has a PIVOT")},
        {"SHOW_REF", STR_INIT("it describes a table")},
        {"COLUMN_DATA", STR_INIT("it reads something that is not known")},
        {"DELIM_GET", STR_INIT("it reads something that is not known")},
    };
    const struct delta_input *input = planner->tree.input;
    for (size_t i = 0; i < ARRAY_COUNT(TYPES); i++) {
        if (tree_is(object, "type", TYPES[i].type)) {
            return TYPES[i].reason;
        }
    }
    if (yyjson_mut_is_obj(tree_get(object, "sample"))) {
        return STR("it takes a sample");
    }
    if (tree_is(object, "type", "JOIN") && !is_plain_join(object)) {
        return STR("it has an ASOF or POSITIONAL join");
    }
    if (tree_is(object, "type", "JOIN") && joins_a_product(object)) {
        return STR("it joins the result of a CROSS JOIN");
    }
    const bool in_from = tree_is(object, "type", "TABLE_FUNCTION");
    const str function =
        tree_text(in_from ? tree_get(object, "function") : object, "function_name");
    if (in_from && !is_pure_table_function(function)) {
        return str_format(planner->tree.arena, "it reads " STR_FORMAT "()", STR_ARGS(function));
    }
    if (tree_is(object, "class", "FUNCTION") && !is_pure_table_function(function) &&
        !yyjson_mut_get_bool(tree_get(object, "is_operator")) &&
        input->classify(input->self, function) == SQL_FUNCTION_OTHER) {
        return str_format(planner->tree.arena, "it calls " STR_FORMAT "()", STR_ARGS(function));
    }
    return (str){0};
}

static bool find_forbidden(void *self, node *object) {
    struct planner *planner = self;
    const str reason = forbidden_object(planner, object);
    if (reason.size > 0) {
        (void)refuse(planner, NULL, reason);
    }
    return planner->plan->reason.size == 0;
}

// ── Linear queries ──

static bool query_is_linear(struct planner *planner, node *query);

// Whether every changed table below the FROM item stands in linear position.
static bool from_is_linear(struct planner *planner, node *from) {
    struct delta_tree *tree = &planner->tree;
    if (!tree_has_changes(tree, from)) {
        return true;
    }
    if (tree_is(from, "type", "BASE_TABLE")) {
        return true;
    }
    if (tree_is(from, "type", "SUBQUERY")) {
        return query_is_linear(planner, tree_get(tree_get(from, "subquery"), "node"));
    }
    if (!tree_is(from, "type", "JOIN")) {
        return false;
    }
    node *left = tree_get(from, "left");
    node *right = tree_get(from, "right");
    node *condition = tree_get(from, "condition");
    const bool inner = tree_is(from, "join_type", "INNER");
    const bool keeps_left = inner || tree_is(from, "join_type", "LEFT") ||
                            tree_is(from, "join_type", "SEMI") ||
                            tree_is(from, "join_type", "ANTI");
    const bool keeps_right = inner || tree_is(from, "join_type", "RIGHT");
    return (condition == NULL || !tree_has_changes(tree, condition)) &&
           (keeps_left || !tree_has_changes(tree, left)) &&
           (keeps_right || !tree_has_changes(tree, right)) && from_is_linear(planner, left) &&
           from_is_linear(planner, right);
}

static bool is_union_all(node *query) {
    return tree_is(query, "type", "SET_OPERATION_NODE") &&
           (tree_is(query, "setop_type", "UNION") ||
            tree_is(query, "setop_type", "UNION_BY_NAME")) &&
           yyjson_mut_get_bool(tree_get(query, "setop_all"));
}

static bool query_is_linear(struct planner *planner, node *query) {
    struct delta_tree *tree = &planner->tree;
    if (!tree_has_changes(tree, query)) {
        return true;
    }
    if (query_has_modifier(query, "DISTINCT_MODIFIER")) {
        return false;
    }
    if (is_union_all(query)) {
        return query_is_linear(planner, tree_get(query, "left")) &&
               query_is_linear(planner, tree_get(query, "right"));
    }
    return tree_is(query, "type", "SELECT_NODE") && !select_is_grouped(tree, query) &&
           !select_has_windows(query) && !select_has_changed_subquery(tree, query) &&
           from_is_linear(planner, tree_get(query, "from_table"));
}

// ── Terms ──

static node *empty_array(struct planner *planner) {
    return yyjson_mut_arr(planner->tree.document);
}

static void add_term(struct planner *planner, node *query, int number, bool removed,
                     enum delta_version others) {
    struct delta_tree *tree = &planner->tree;
    if (bug_is_planted("PB_DIMENSION") && number > 0) {
        return; // only the first table counts
    }
    node *term = tree_copy(tree, query);
    const struct delta_source *source = tree_occurrence_source(tree, term, number);
    tree_substitute(tree, term, number, removed, others);
    const struct delta_term item = {
        .ast = tree_write(tree, term),
        .source = (size_t)(source - tree->input->sources),
        .is_removed = removed,
    };
    LIST_PUSH(tree->arena, &planner->plan->terms, item);
}

// `SELECT e AS k FROM from [WHERE …]`, without what comes after.
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
    for (size_t i = 0; i < ARRAY_COUNT(CLAUSES) - (with_where ? 1 : 0); i++) {
        tree_put(tree, query, CLAUSES[i], yyjson_mut_null(tree->document));
    }
    tree_put_text(tree, query, "aggregate_handling", STR("STANDARD_HANDLING"));
    return query;
}

// ── Keys ──

// Where an item of FROM stands.
struct position {
    node *join;    // the join on whose losing side it is
    node *kept;    // the other side of that join
    size_t losses; // how many such joins there are above it
    bool is_full;  // below a FULL join
};

static bool find_position(node *from, node *item, struct position *position) {
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
    const bool left_loses = tree_is(from, "join_type", "RIGHT");
    const bool right_loses = tree_is(from, "join_type", "LEFT") ||
                             tree_is(from, "join_type", "SEMI") ||
                             tree_is(from, "join_type", "ANTI");
    if (in_left ? left_loses : right_loses) {
        position->losses++;
        position->join = from;
        position->kept = in_left ? right : left;
    } else if (!left_loses && !right_loses && !tree_is(from, "join_type", "INNER")) {
        position->is_full = true;
    }
    return true;
}

static bool keys_of_query(struct planner *planner, node *query, size_t index);

// A derived table that is no linear query: its own keys, when it carries ours.
static bool keys_of_derived(struct planner *planner, const struct leaf_list *leaves, size_t leaf,
                            node *expression, const struct position *position) {
    struct delta_tree *tree = &planner->tree;
    const struct leaf *item = &leaves->items[leaf];
    size_t index = SIZE_MAX;
    if (position->losses == 0 && tree_is(expression, "class", "COLUMN_REF") &&
        select_resolve(tree, leaves, expression) == leaf) {
        index = leaf_find_column(tree, item, expression);
    }
    if (index == SIZE_MAX) {
        return refuse(planner, item->item,
                      STR("it is grouped, or made distinct, in a subquery by something else than "
                          "the key"));
    }
    return keys_of_query(planner, leaf_query(item), index);
}

static bool keys_of_occurrence(struct planner *planner, node *select, node *expression,
                               const struct leaf_list *leaves, int number,
                               const struct position *position) {
    struct delta_tree *tree = &planner->tree;
    node *from = tree_get(select, "from_table");
    node *query;
    if (position->losses == 0) {
        query = keys_select(planner, select, expression, from, true);
    } else {
        if (position->losses > 1 || !expression_is_of(tree, expression, leaves, position->kept)) {
            return refuse(
                planner, from,
                STR("it is on the side of an outer join that the key does not come from"));
        }
        query = keys_select(planner, select, expression, position->join, false);
        tree_put_text(tree, tree_get(query, "from_table"), "join_type", STR("INNER"));
    }
    add_term(planner, query, number, false, VERSION_NOW);
    add_term(planner, query, number, true, VERSION_BASE);
    return true;
}

static bool keys_of_leaf(struct planner *planner, node *select, node *expression,
                         const struct leaf_list *leaves, size_t leaf) {
    struct delta_tree *tree = &planner->tree;
    node *from = tree_get(select, "from_table");
    node *item = leaves->items[leaf].item;
    struct position position = {0};
    (void)find_position(from, item, &position);
    if (position.is_full) {
        return refuse(planner, item, STR("it is in a FULL JOIN"));
    }
    if (!from_is_linear(planner, item)) {
        return tree_is(item, "type", "SUBQUERY")
                   ? keys_of_derived(planner, leaves, leaf, expression, &position)
                   : refuse(planner, item, STR("it is read in a way that is not known"));
    }
    for (int i = 0; i < (int)tree->occurrences; i++) {
        const struct delta_source *source = tree_occurrence_source(tree, item, i);
        if (bug_is_planted("PB_SELF_JOIN") && i > 0 &&
            source == tree_occurrence_source(tree, from, 0)) {
            continue; // the second use of a table
        }
        if (source != NULL && source->changed &&
            !keys_of_occurrence(planner, select, expression, leaves, i, &position)) {
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

static bool distinct_divides_by(node *select, node *expression) {
    node *targets = select_distinct_targets(select);
    for (size_t i = 0; targets != NULL && i < yyjson_mut_arr_size(targets); i++) {
        node *target = yyjson_mut_arr_get(targets, i);
        if (expression_equals(target, expression)) {
            return true;
        }
    }
    return targets == NULL;
}

// Whether the rows with one value of the expression make their part of the result alone; `reason`
// says why not.
static bool select_divides(struct planner *planner, node *select, node *expression, str *reason) {
    *reason = key_problem(&planner->tree, select, expression);
    if (reason->size > 0) {
        return false;
    }
    if (yyjson_mut_arr_size(tree_get(select, "group_sets")) > 1) {
        *reason = STR("it has GROUPING SETS, ROLLUP or CUBE");
    } else if (!select_windows_divide_by(select, expression) && !bug_is_planted("PB_WINDOW")) {
        *reason = STR("it has a window that is not partitioned by the key");
    } else if (!distinct_divides_by(select, expression)) {
        *reason = STR("its DISTINCT ON does not have the key");
    }
    return reason->size == 0;
}

static node *select_expression(struct planner *planner, node *select, size_t index) {
    struct output_list outputs = {0};
    if (!query_outputs(&planner->tree, select, &outputs) || index >= outputs.count) {
        planner->plan->is_unknown = true;
        return NULL;
    }
    return output_expression(&planner->tree, &outputs.items[index]);
}

static bool keys_of_select(struct planner *planner, node *select, size_t index) {
    struct delta_tree *tree = &planner->tree;
    if (!tree_has_changes(tree, select)) {
        return true;
    }
    node *from = tree_get(select, "from_table");
    node *expression = select_expression(planner, select, index);
    str reason;
    if (expression == NULL) {
        return refuse(planner, select, STR("the key comes out of a star that is not known"));
    }
    if (!select_divides(planner, select, expression, &reason)) {
        return refuse(planner, select, reason);
    }
    if (select_has_changed_subquery(tree, select) || conditions_change(planner, from)) {
        return refuse(planner, select, STR("it is read by a subquery in an expression"));
    }
    struct leaf_list leaves = {0};
    select_leaves(tree, from, &leaves);
    for (size_t i = 0; i < leaves.count; i++) {
        if (tree_has_changes(tree, leaves.items[i].item) &&
            !keys_of_leaf(planner, select, expression, &leaves, i)) {
            return false;
        }
    }
    return true;
}

static bool keys_of_query(struct planner *planner, node *query, size_t index) {
    if (tree_is(query, "type", "SET_OPERATION_NODE") &&
        !tree_is(query, "setop_type", "UNION_BY_NAME") && select_distinct_targets(query) == NULL) {
        return keys_of_query(planner, tree_get(query, "left"), index) &&
               keys_of_query(planner, tree_get(query, "right"), index);
    }
    return tree_is(query, "type", "SELECT_NODE")
               ? keys_of_select(planner, query, index)
               : refuse(planner, query, STR("it is a query of a kind that is not known"));
}

// ── The query for the keys ──

static void restrict_query(struct planner *planner, node *query, size_t index);

// Into a grouped subquery the database does not carry the condition by itself.
static void restrict_derived(struct planner *planner, node *select, node *expression) {
    struct delta_tree *tree = &planner->tree;
    struct leaf_list leaves = {0};
    select_leaves(tree, tree_get(select, "from_table"), &leaves);
    const size_t leaf = tree_is(expression, "class", "COLUMN_REF")
                            ? select_resolve(tree, &leaves, expression)
                            : SIZE_MAX;
    if (leaf == SIZE_MAX || leaf_query(&leaves.items[leaf]) == NULL) {
        return;
    }
    const size_t index = leaf_find_column(tree, &leaves.items[leaf], expression);
    if (index != SIZE_MAX) {
        restrict_query(planner, leaf_query(&leaves.items[leaf]), index);
    }
}

#ifdef COYPU_CRASH_POINTS
// The mistake that this file is there to avoid: a sum over the added rows alone.
static void plant_delta_aggregate(struct planner *planner, node *query) {
    for (int i = 0; i < (int)planner->tree.occurrences; i++) {
        const struct delta_source *source = tree_occurrence_source(&planner->tree, query, i);
        if (source != NULL && source->changed) {
            tree_substitute(&planner->tree, query, i, false, VERSION_NOW);
            return;
        }
    }
}
#else
#define plant_delta_aggregate(planner, query) ((void)0)
#endif

static void restrict_query(struct planner *planner, node *query, size_t index) {
    struct delta_tree *tree = &planner->tree;
    if (tree_is(query, "type", "SET_OPERATION_NODE") &&
        !tree_is(query, "setop_type", "UNION_BY_NAME") && select_distinct_targets(query) == NULL) {
        restrict_query(planner, tree_get(query, "left"), index);
        restrict_query(planner, tree_get(query, "right"), index);
        return;
    }
    node *expression =
        tree_is(query, "type", "SELECT_NODE") ? select_expression(planner, query, index) : NULL;
    str reason;
    if (expression == NULL || !select_divides(planner, query, expression, &reason)) {
        return;
    }
    if (bug_is_planted("PB_DELTA_AGGREGATE") && select_is_grouped(tree, query)) {
        plant_delta_aggregate(planner, query);
    }
    restrict_derived(planner, query, expression);
    tree_put(tree, query, "where_clause",
             tree_and(tree, tree_get(query, "where_clause"), tree_in_keys(tree, expression)));
}

static void plan_keys(struct planner *planner) {
    struct delta_tree *tree = &planner->tree;
    struct delta_plan *plan = planner->plan;
    const size_t index = query_find_output(tree, tree->root, tree->input->key, &plan->is_unknown);
    if (index == SIZE_MAX) {
        (void)refuse(planner, NULL, STR("the key column cannot be traced"));
        return;
    }
    if (!keys_of_query(planner, tree->root, index)) {
        return;
    }
    restrict_query(planner, tree->root, index);
    plan->restricted = tree_write(tree, tree->root);
    plan->shape = DELTA_KEYS;
}

// ── New rows ──

static str not_linear_reason(struct planner *planner, node *query) {
    struct delta_tree *tree = &planner->tree;
    if (query_has_modifier(query, "DISTINCT_MODIFIER")) {
        return STR("it has a DISTINCT");
    }
    if (!tree_is(query, "type", "SELECT_NODE")) {
        return STR("it has a UNION, INTERSECT or EXCEPT");
    }
    if (select_has_windows(query)) {
        return STR("it has a window function");
    }
    if (select_is_grouped(tree, query)) {
        return STR("it is grouped");
    }
    if (select_has_changed_subquery(tree, query)) {
        return STR("it is read by a subquery in an expression");
    }
    return STR("it is in a subquery that is grouped, or on a side of a join that may lose rows");
}

// SELECT … GROUP BY over one changed table: the aggregate of what is new.
static bool is_plain_aggregate(struct planner *planner, node *query) {
    struct delta_tree *tree = &planner->tree;
    size_t changed = 0;
    for (int i = 0; i < (int)tree->occurrences; i++) {
        const struct delta_source *source = tree_occurrence_source(tree, query, i);
        changed += source != NULL && source->changed ? 1 : 0;
    }
    return changed == 1 && tree_is(query, "type", "SELECT_NODE") &&
           select_is_grouped(tree, query) && !select_has_windows(query) &&
           tree_is_empty(query, "having") && !query_has_modifier(query, "DISTINCT_MODIFIER") &&
           !select_has_changed_subquery(tree, query) &&
           from_is_linear(planner, tree_get(query, "from_table"));
}

static void plan_new_rows(struct planner *planner) {
    struct delta_tree *tree = &planner->tree;
    struct delta_plan *plan = planner->plan;
    const bool aggregate = is_plain_aggregate(planner, tree->root);
    if (!aggregate && !query_is_linear(planner, tree->root)) {
        (void)refuse(planner, tree->root, not_linear_reason(planner, tree->root));
        return;
    }
    tree_put(tree, tree->root, "modifiers", empty_array(planner)); // at most an ORDER BY
    for (int i = 0; i < (int)tree->occurrences; i++) {
        const struct delta_source *source = tree_occurrence_source(tree, tree->root, i);
        if (source == NULL || !source->changed) {
            continue;
        }
        add_term(planner, tree->root, i, false, VERSION_TELESCOPE);
        if (!aggregate) {
            add_term(planner, tree->root, i, true, VERSION_TELESCOPE);
        }
    }
    plan->shape = aggregate ? DELTA_AGGREGATE : DELTA_NEW_ROWS;
}

// ── The whole ──

enum error_code sql_delta_plan(struct arena *arena, const struct delta_input *input,
                               struct delta_plan *plan, struct error *err) {
    *plan = (struct delta_plan){.source = SIZE_MAX};
    struct planner planner = {.tree = {.arena = arena, .input = input}, .plan = plan};
    const enum error_code code = tree_read(&planner.tree, err);
    if (code == ERROR_NONE && planner.tree.problem.size > 0) {
        (void)refuse(&planner, NULL, planner.tree.problem);
    }
    if (code == ERROR_NONE && plan->reason.size == 0) {
        tree_walk(planner.tree.root, find_forbidden, &planner);
    }
    if (code == ERROR_NONE && plan->reason.size == 0) {
        if (input->key.size > 0) {
            plan_keys(&planner);
        } else {
            plan_new_rows(&planner);
        }
    }
    tree_done(&planner.tree);
    return code;
}
