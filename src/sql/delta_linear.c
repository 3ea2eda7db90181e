// Where a query is linear in its changed tables, so that their changes can be put in their places.
//
// A subquery in FROM that is not linear may be divided: rows with one value of a column make their
// part of its result alone (delta_keys.c).  Let G be the groups that changes can have touched.
// Outside of G its rows are the same at now and at base, so it is a changed table itself: added are
// its rows at now in G, removed its rows at base in G.
#include "base/context.h"
#include "base/text.h"
#include "sql/delta_plan.h"

bool from_is_linear(struct planner *planner, node *from) {
    struct delta_tree *tree = &planner->tree;
    if (!tree_has_changes(tree, from)) {
        return true;
    }
    if (tree_is(from, "type", "BASE_TABLE")) {
        return true;
    }
    if (tree_is(from, "type", "SUBQUERY")) {
        return query_is_linear(planner, tree_get(tree_get(from, "subquery"), "node")) ||
               item_is_divided(planner, from);
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

bool query_is_linear(struct planner *planner, node *query) {
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
           !select_has_windows(query) && !select_has_outer_aggregate(tree, query) &&
           !select_has_changed_subquery(tree, query) &&
           from_is_linear(planner, tree_get(query, "from_table"));
}

// ── Divided subqueries ──

// A column with one value for all rows divides them, too, but into nothing smaller.
static bool output_varies(struct planner *planner, node *query, size_t index) {
    if (tree_is(query, "type", "SET_OPERATION_NODE")) {
        return output_varies(planner, tree_get(query, "left"), index);
    }
    return tree_is(query, "type", "SELECT_NODE") &&
           expression_has_column(select_expression(planner, query, index));
}

// Everything that a try leaves behind is its own.
static bool divide_by(struct planner *planner, node *query, size_t index,
                      struct division *division) {
    struct delta_plan *plan = planner->plan;
    const struct delta_plan kept_plan = *plan;
    struct delta_term_list *const kept_terms = planner->terms;
    struct mark_list *const kept_needs = planner->needs;
    *division = (struct division){0};
    planner->terms = &division->terms;
    planner->needs = &division->needs;
    plan->reason = (str){0};
    const bool divides = keys_of_query(planner, query, index);
    planner->terms = kept_terms;
    planner->needs = kept_needs;
    plan->reason = kept_plan.reason;
    plan->source = kept_plan.source;
    return divides;
}

bool item_is_divided(struct planner *planner, node *item) {
    struct delta_tree *tree = &planner->tree;
    if (tree_mark(item) != MARK_NONE) {
        return tree_mark(item) >= 0;
    }
    node *query = tree_get(tree_get(item, "subquery"), "node");
    struct output_list outputs = {0};
    tree_set_mark(tree, item, MARK_UNDIVIDED);
    if (!query_outputs(tree, query, &outputs) || query_reads_outside(tree, query)) {
        return false;
    }
    for (size_t i = 0; i < outputs.count; i++) {
        struct division division;
        if (!output_varies(planner, query, i) || !divide_by(planner, query, i, &division)) {
            continue;
        }
        const size_t mark = planner->divisions.count;
        const struct restriction restriction = {
            .relation = str_format(tree->arena, DELTA_GROUPS_NAME, mark), .with_nulls = true};
        division.groups_query = tree_copy(tree, query);
        // Where it stays unrestricted, it gives the same other rows at now and at base.
        (void)restrict_query(planner, division.groups_query, i, &restriction);
        LIST_PUSH(tree->arena, &planner->divisions, division);
        tree_set_mark(tree, item, (int)mark);
        return true;
    }
    return false;
}

// ── Terms ──

void add_term(struct planner *planner, node *query, const struct delta_unit *unit, bool removed,
              enum delta_version others) {
    struct delta_tree *tree = &planner->tree;
    if (unit->source != NULL && removed && unit->source->only_added) {
        return;
    }
    if (bug_is_planted("PB_DIMENSION") && unit->first > 0) {
        return; // only the first table counts
    }
    struct delta_unit whole = *unit;
    if (unit->source == NULL) {
        whole.groups_query = planner->divisions.items[unit->mark].groups_query;
        LIST_PUSH(tree->arena, planner->needs, unit->mark);
    }
    node *term = tree_copy(tree, query);
    tree_substitute(tree, term, &whole, removed, others);
    const struct delta_term item = {.ast = tree_write(tree, term), .is_removed = removed};
    LIST_PUSH(tree->arena, planner->terms, item);
}
