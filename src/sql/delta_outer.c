// Columns that a query reads of one around it.
//
// SQL looks for a name in the innermost query first.  Where the columns of an item of FROM are not
// known, a name could be there or further out.
#include "sql/delta_select.h"

// The queries around a place, innermost first.
struct scope {
    const struct scope *outer;
    struct delta_tree *tree;
    node *query;
    struct leaf_list leaves;
    bool found;
};

enum place { PLACE_INSIDE, PLACE_UNKNOWN, PLACE_OUTSIDE };

static enum place leaf_place(const struct scope *scope, const struct leaf *leaf, str name) {
    node *renamed = tree_get(leaf->item, "column_name_alias");
    for (size_t i = 0; i < yyjson_mut_arr_size(renamed); i++) {
        if (str_equal_nocase(str_from(yyjson_mut_get_str(yyjson_mut_arr_get(renamed, i))), name)) {
            return PLACE_INSIDE;
        }
    }
    struct str_list columns = {0};
    if (str_equal_nocase(leaf->alias, name)) {
        return PLACE_INSIDE;
    }
    return !leaf_columns(scope->tree, leaf, &columns) ? PLACE_UNKNOWN
           : str_list_has_nocase(&columns, name)      ? PLACE_INSIDE
                                                      : PLACE_OUTSIDE;
}

// Whether the column is of the scope's own FROM clause.
static enum place find_place(const struct scope *scope, node *column) {
    node *names = tree_get(column, "column_names");
    const str name = str_from(yyjson_mut_get_str(yyjson_mut_arr_get_first(names)));
    enum place place = PLACE_OUTSIDE;
    for (size_t i = 0; i < scope->leaves.count && place != PLACE_INSIDE; i++) {
        const enum place found = leaf_place(scope, &scope->leaves.items[i], name);
        place = found == PLACE_OUTSIDE ? place : found;
    }
    return place;
}

static struct scope scope_of(struct delta_tree *tree, node *query, const struct scope *outer) {
    struct scope scope = {.outer = outer, .tree = tree, .query = query};
    if (tree_is(query, "type", "SELECT_NODE")) {
        select_leaves(tree, tree_get(query, "from_table"), &scope.leaves);
    }
    return scope;
}

// ── Aggregates ──
// `SELECT (SELECT max(a.v)) FROM a`: one over columns of the query around it is its.

struct column_places {
    const struct scope *scope;
    bool inside;
    bool outside; // perhaps
};

static bool find_column(void *self, node *object) {
    struct column_places *places = self;
    if (tree_is(object, "class", "COLUMN_REF")) {
        const bool inside = find_place(places->scope, object) == PLACE_INSIDE;
        places->inside = places->inside || inside;
        places->outside = places->outside || !inside;
    }
    return true;
}

static bool find_outer_aggregate(void *self, node *object) {
    struct scope *scope = self;
    const struct delta_input *input = scope->tree->input;
    if (tree_is_query(object)) {
        struct scope below = scope_of(scope->tree, object, NULL);
        tree_walk_members(object, find_outer_aggregate, &below);
        scope->found = scope->found || below.found;
    } else if (scope->query != NULL && tree_is(object, "class", "FUNCTION") &&
               input->classify(input->self, tree_text(object, "function_name")) ==
                   SQL_FUNCTION_AGGREGATE) {
        struct column_places places = {.scope = scope};
        tree_walk(object, find_column, &places);
        scope->found = scope->found || (places.outside && !places.inside);
    }
    return !scope->found && !tree_is_query(object);
}

bool select_has_outer_aggregate(struct delta_tree *tree, node *select) {
    struct scope scope = {.tree = tree};
    select_walk(select, find_outer_aggregate, &scope);
    return scope.found;
}

// ── LATERAL ──

static bool find_outside(void *self, node *object) {
    struct scope *scope = self;
    if (tree_is_query(object)) {
        struct scope below = scope_of(scope->tree, object, scope);
        tree_walk_members(object, find_outside, &below);
        scope->found = scope->found || below.found;
        return false;
    }
    if (tree_is(object, "class", "LAMBDA")) {
        return false; // has names of its own
    }
    if (tree_is(object, "class", "COLUMN_REF") && tree_is(scope->query, "type", "SELECT_NODE")) {
        bool outside = true;
        for (const struct scope *s = scope; s != NULL && outside; s = s->outer) {
            outside = s->query != NULL && find_place(s, object) == PLACE_OUTSIDE &&
                      !select_makes(s->query, object);
        }
        scope->found = scope->found || outside;
    }
    return !scope->found;
}

bool query_reads_outside(struct delta_tree *tree, node *query) {
    struct scope scope = scope_of(tree, query, NULL);
    tree_walk_members(query, find_outside, &scope);
    return scope.found;
}
