// Which queries may be rewritten at all, and the rows that are new.
//
// New rows.  If Q is linear in each changed unit (a table, or a divided subquery) u1 … un, then
//   Q(now) − Q(base) = Σ Q(u1 … ui−1 at now, ui := added − removed, ui+1 … un at base),
// as multisets with signs.
#include "sql/delta.h"

#include "base/text.h"
#include "sql/delta_plan.h"

// ── Refusing ──

bool refuse(struct planner *planner, node *about, str reason) {
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

// Words that are functions where no column has their name, and a column that every table has.
static str forbidden_column(struct planner *planner, node *column) {
    static const str NAMES[] = {
        STR_INIT("current_date"),    STR_INIT("current_time"),   STR_INIT("current_timestamp"),
        STR_INIT("localtime"),       STR_INIT("localtimestamp"), STR_INIT("current_user"),
        STR_INIT("current_role"),    STR_INIT("session_user"),   STR_INIT("user"),
        STR_INIT("current_catalog"), STR_INIT("current_schema"), STR_INIT("rowid"),
    };
    const struct delta_input *input = planner->tree.input;
    const str name =
        str_from(yyjson_mut_get_str(yyjson_mut_arr_get_last(tree_get(column, "column_names"))));
    bool found = false;
    for (size_t i = 0; i < ARRAY_COUNT(NAMES) && !found; i++) {
        found = str_equal_nocase(NAMES[i], name);
    }
    for (size_t i = 0; i < input->source_count && found; i++) {
        found = !str_list_has_nocase(&input->sources[i].columns, name);
    }
    return found ? str_format(planner->tree.arena, "it reads " STR_FORMAT, STR_ARGS(name))
                 : (str){0};
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
    if (tree_is(object, "class", "COLUMN_REF")) {
        return forbidden_column(planner, object);
    }
    const bool in_from = tree_is(object, "type", "TABLE_FUNCTION");
    const str function =
        tree_text(in_from ? tree_get(object, "function") : object, "function_name");
    if (in_from && !is_pure_table_function(function)) {
        return str_format(planner->tree.arena, "it reads " STR_FORMAT "()", STR_ARGS(function));
    }
    if (str_equal(function, STR("age")) && yyjson_mut_arr_size(tree_get(object, "children")) == 1) {
        return STR("it calls age() of one time, which is up to today");
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

// ── Keys ──

node *empty_array(struct planner *planner) {
    return yyjson_mut_arr(planner->tree.document);
}

static str restricted_query(struct planner *planner, size_t index, bool with_nulls) {
    struct delta_tree *tree = &planner->tree;
    const struct restriction restriction = {STR(DELTA_KEYS_NAME), with_nulls};
    node *query = tree_copy(tree, tree->root);
    if (!restrict_query(planner, query, index, &restriction)) {
        node *key = tree_column(tree, (str){0}, tree->input->key);
        query = tree_select_all(tree, query);
        tree_put(tree, query, "where_clause",
                 tree_in_keys(tree, key, restriction.relation, with_nulls));
    }
    return tree_write(tree, query);
}

static void plan_keys(struct planner *planner) {
    struct delta_tree *tree = &planner->tree;
    struct delta_plan *plan = planner->plan;
    bool is_unknown = false;
    const size_t index = query_find_output(tree, tree->root, tree->input->key, &is_unknown);
    if (index == SIZE_MAX) {
        (void)refuse(planner, NULL, STR("the key column cannot be traced"));
        return;
    }
    if (!keys_of_query(planner, tree->root, index)) {
        return;
    }
    plan->restricted = restricted_query(planner, index, false);
    plan->restricted_with_nulls = restricted_query(planner, index, true);
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
    if (select_has_outer_aggregate(tree, query)) {
        return STR("it has an aggregate in a subquery");
    }
    if (select_has_changed_subquery(tree, query)) {
        return STR("it is read by a subquery in an expression");
    }
    return STR("it is in a subquery that is grouped, or on a side of a join that may lose rows");
}

// SELECT … GROUP BY over one changed table: the aggregate of what is new.
static bool is_plain_aggregate(struct planner *planner, node *query,
                               const struct delta_unit_list *units) {
    struct delta_tree *tree = &planner->tree;
    return units->count == 1 && tree_is(query, "type", "SELECT_NODE") &&
           select_is_grouped(tree, query) && !select_has_outer_aggregate(tree, query) &&
           !select_has_windows(query) && tree_is_empty(query, "having") &&
           !query_has_modifier(query, "DISTINCT_MODIFIER") &&
           !select_has_changed_subquery(tree, query) &&
           from_is_linear(planner, tree_get(query, "from_table"));
}

static void plan_new_rows(struct planner *planner) {
    struct delta_tree *tree = &planner->tree;
    struct delta_plan *plan = planner->plan;
    struct delta_unit_list units = {0};
    tree_units(tree, tree->root, &units); // tables alone: no subquery is divided yet
    const bool aggregate =
        is_plain_aggregate(planner, tree->root, &units) && planner->divisions.count == 0;
    if (!aggregate && !query_is_linear(planner, tree->root)) {
        (void)refuse(planner, tree->root, not_linear_reason(planner, tree->root));
        return;
    }
    tree_put(tree, tree->root, "modifiers", empty_array(planner)); // at most an ORDER BY
    units.count = 0;
    tree_units(tree, tree->root, &units);
    for (size_t i = 0; i < units.count; i++) {
        add_term(planner, tree->root, &units.items[i], false, VERSION_TELESCOPE);
        if (!aggregate) {
            add_term(planner, tree->root, &units.items[i], true, VERSION_TELESCOPE);
        }
    }
    plan->shape = aggregate ? DELTA_AGGREGATE : DELTA_NEW_ROWS;
}

// ── The whole ──

// The divisions that the terms need, and those that these need: one is made after those in it.
static void add_groups(struct planner *planner) {
    struct arena *arena = planner->tree.arena;
    const struct division_list *divisions = &planner->divisions;
    bool *needed = ARENA_ARRAY(arena, bool, divisions->count + 1);
    for (size_t i = 0; i < planner->needs->count; i++) {
        needed[planner->needs->items[i]] = true;
    }
    for (size_t i = divisions->count; i-- > 0;) {
        const struct mark_list *needs = &divisions->items[i].needs;
        for (size_t j = 0; needed[i] && j < needs->count; j++) {
            needed[needs->items[j]] = true;
        }
    }
    for (size_t i = 0; i < divisions->count; i++) {
        if (needed[i]) {
            const struct delta_groups groups = {
                .name = str_format(arena, DELTA_GROUPS_NAME, i),
                .terms = divisions->items[i].terms,
            };
            LIST_PUSH(arena, &planner->plan->groups, groups);
        }
    }
}

enum error_code sql_delta_plan(struct arena *arena, const struct delta_input *input,
                               struct delta_plan *plan, struct error *err) {
    *plan = (struct delta_plan){.source = SIZE_MAX};
    struct mark_list needs = {0};
    struct planner planner = {
        .tree = {.arena = arena, .input = input},
        .plan = plan,
        .terms = &plan->terms,
        .needs = &needs,
    };
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
        add_groups(&planner);
    }
    tree_done(&planner.tree);
    return code;
}
