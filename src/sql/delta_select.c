#include "sql/delta_select.h"

// ── FROM ──

static str item_alias(node *item) {
    const str alias = tree_text(item, "alias");
    if (alias.size > 0) {
        return alias;
    }
    if (tree_is(item, "type", "BASE_TABLE")) {
        return tree_text(item, "table_name");
    }
    return tree_is(item, "type", "TABLE_FUNCTION")
               ? tree_text(tree_get(item, "function"), "function_name")
               : (str){0};
}

static void add_leaves(struct delta_tree *tree, node *from, bool is_visible,
                       struct leaf_list *leaves) {
    if (!tree_is(from, "type", "JOIN")) {
        const struct leaf leaf = {from, item_alias(from), is_visible};
        LIST_PUSH(tree->arena, leaves, leaf);
        return;
    }
    const bool hides = tree_is(from, "join_type", "SEMI") || tree_is(from, "join_type", "ANTI");
    add_leaves(tree, tree_get(from, "left"), is_visible, leaves);
    add_leaves(tree, tree_get(from, "right"), is_visible && !hides, leaves);
}

void select_leaves(struct delta_tree *tree, node *from, struct leaf_list *leaves) {
    leaves->from = from;
    add_leaves(tree, from, true, leaves);
}

node *leaf_query(const struct leaf *leaf) {
    return tree_is(leaf->item, "type", "SUBQUERY")
               ? tree_get(tree_get(leaf->item, "subquery"), "node")
               : NULL;
}

bool leaf_columns(struct delta_tree *tree, const struct leaf *leaf, struct str_list *names) {
    const struct delta_source *source = tree_occurrence(leaf->item) != OCCURRENCE_NONE
                                            ? tree_source(tree, leaf->item)
                                            : NULL; // an old version may have other columns
    node *query = leaf_query(leaf);
    bool known = true;
    if (source != NULL) {
        for (size_t i = 0; i < source->columns.count; i++) {
            str_list_push(tree->arena, names, source->columns.items[i]);
        }
        known = source->columns.count > 0;
    } else if (query != NULL) {
        struct output_list outputs = {0};
        known = query_outputs(tree, query, &outputs) && !outputs.spreads;
        for (size_t i = 0; i < outputs.count; i++) {
            str_list_push(tree->arena, names, outputs.items[i].name);
        }
    } else {
        known = tree_is(leaf->item, "type", "EMPTY");
    }
    node *renamed = tree_get(leaf->item, "column_name_alias");
    for (size_t i = 0; known && i < yyjson_mut_arr_size(renamed) && i < names->count; i++) {
        names->items[i] = str_from(yyjson_mut_get_str(yyjson_mut_arr_get(renamed, i)));
    }
    return known;
}

// ── Outputs ──

static bool list_has_name(node *list, str name) {
    yyjson_mut_arr_iter elements;
    node *element;
    yyjson_mut_arr_iter_init(list, &elements);
    while ((element = yyjson_mut_arr_iter_next(&elements)) != NULL) {
        const str text = yyjson_mut_is_str(element) ? str_from(yyjson_mut_get_str(element))
                                                    : tree_text(element, "column");
        if (str_equal_nocase(text, name)) {
            return true;
        }
    }
    return false;
}

// The entry {key, value} of a star's REPLACE or RENAME list.
static node *list_find(node *list, str name) {
    yyjson_mut_arr_iter elements;
    node *element;
    yyjson_mut_arr_iter_init(list, &elements);
    while ((element = yyjson_mut_arr_iter_next(&elements)) != NULL) {
        node *key = tree_get(element, "key");
        const str text =
            yyjson_mut_is_str(key) ? str_from(yyjson_mut_get_str(key)) : tree_text(key, "column");
        if (str_equal_nocase(text, name)) {
            return tree_get(element, "value");
        }
    }
    return NULL;
}

static void add_star_column(struct delta_tree *tree, node *star, const struct leaf *leaf, str name,
                            struct output_list *outputs) {
    if (list_has_name(tree_get(star, "exclude_list"), name) ||
        list_has_name(tree_get(star, "qualified_exclude_list"), name)) {
        return;
    }
    node *renamed = list_find(tree_get(star, "rename_list"), name);
    const struct output output = {
        .name = renamed == NULL ? name : str_from(yyjson_mut_get_str(renamed)),
        .expression = list_find(tree_get(star, "replace_list"), name),
        .alias = leaf->alias,
        .column = name,
    };
    LIST_PUSH(tree->arena, outputs, output);
}

// A join that merges columns puts them out once, in an order of its own.
static bool merges_columns(node *from) {
    return tree_is(from, "type", "JOIN") &&
           (!tree_is_empty(from, "using_columns") || tree_is(from, "ref_type", "NATURAL") ||
            merges_columns(tree_get(from, "left")) || merges_columns(tree_get(from, "right")));
}

// `* EXCLUDE (a.k)`, `* RENAME (a.k AS x)`: of one table alone.
static bool names_tables(node *star) {
    yyjson_mut_arr_iter entries;
    node *entry;
    bool found = !tree_is_empty(star, "qualified_exclude_list");
    yyjson_mut_arr_iter_init(tree_get(star, "rename_list"), &entries);
    while ((entry = yyjson_mut_arr_iter_next(&entries)) != NULL) {
        found = found || tree_text(tree_get(entry, "key"), "table").size > 0;
    }
    return found;
}

static bool add_star(struct delta_tree *tree, node *select, node *star,
                     struct output_list *outputs) {
    const str relation = tree_text(star, "relation_name");
    node *from = tree_get(select, "from_table");
    if (yyjson_mut_get_bool(tree_get(star, "columns")) || !tree_is_empty(star, "expr") ||
        (relation.size == 0 && merges_columns(from))) {
        return false;
    }
    struct leaf_list leaves = {0};
    bool found = relation.size == 0; // `s.*` may be of the struct s
    select_leaves(tree, from, &leaves);
    if (leaves.count > 1 && names_tables(star)) {
        return false;
    }
    for (size_t i = 0; i < leaves.count; i++) {
        if (!leaves.items[i].is_visible ||
            (relation.size > 0 && !str_equal_nocase(relation, leaves.items[i].alias))) {
            continue;
        }
        struct str_list names = {0};
        found = true;
        if (!leaf_columns(tree, &leaves.items[i], &names)) {
            return false;
        }
        for (size_t j = 0; j < names.count; j++) {
            add_star_column(tree, star, &leaves.items[i], names.items[j], outputs);
        }
    }
    return found;
}

static str expression_name(node *expression) {
    const str alias = tree_text(expression, "alias");
    node *names = tree_get(expression, "column_names");
    if (alias.size > 0 || !tree_is(expression, "class", "COLUMN_REF")) {
        return alias;
    }
    return str_from(yyjson_mut_get_str(yyjson_mut_arr_get_last(names)));
}

// `max(COLUMNS(…))` and `unnest(a struct)` are several columns.
static bool find_spread(void *self, node *object) {
    bool *found = self;
    if (tree_is_query(object)) {
        return false;
    }
    *found = *found || tree_is(object, "class", "STAR") ||
             (tree_is(object, "class", "FUNCTION") && tree_is(object, "function_name", "unnest"));
    return !*found;
}

bool query_outputs(struct delta_tree *tree, node *query, struct output_list *outputs) {
    if (tree_is(query, "type", "SET_OPERATION_NODE")) {
        struct output_list left = {0}, right = {0};
        (void)query_outputs(tree, tree_get(query, "right"), &right);
        const bool known = query_outputs(tree, tree_get(query, "left"), &left) && !left.spreads &&
                           !right.spreads && !tree_is(query, "setop_type", "UNION_BY_NAME");
        for (size_t i = 0; i < left.count; i++) {
            const struct output output = {.name = left.items[i].name};
            LIST_PUSH(tree->arena, outputs, output);
        }
        return known;
    }
    if (!tree_is(query, "type", "SELECT_NODE")) {
        return false;
    }
    bool known = true;
    yyjson_mut_arr_iter items;
    node *item;
    yyjson_mut_arr_iter_init(tree_get(query, "select_list"), &items);
    while ((item = yyjson_mut_arr_iter_next(&items)) != NULL) {
        if (tree_is(item, "class", "STAR")) {
            known = add_star(tree, query, item, outputs) && known;
        } else {
            const struct output output = {.name = expression_name(item), .expression = item};
            tree_walk(item, find_spread, &outputs->spreads);
            LIST_PUSH(tree->arena, outputs, output);
        }
    }
    return known;
}

size_t query_find_output(struct delta_tree *tree, node *query, str name, bool *is_unknown) {
    struct output_list outputs = {0};
    *is_unknown = !query_outputs(tree, query, &outputs);
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < outputs.count && !*is_unknown; i++) {
        if (str_equal_nocase(outputs.items[i].name, name)) {
            if (found != SIZE_MAX) {
                return SIZE_MAX;
            }
            found = i;
        }
    }
    return found;
}

node *output_expression(struct delta_tree *tree, const struct output *output) {
    if (output->expression == NULL) {
        return tree_column(tree, output->alias, output->column);
    }
    node *expression = tree_copy(tree, output->expression);
    tree_put_text(tree, expression, "alias", STR(""));
    return expression;
}

// ── Columns ──

size_t leaf_find_column(struct delta_tree *tree, const struct leaf *leaf, node *column) {
    node *names = tree_get(column, "column_names");
    const str name = str_from(yyjson_mut_get_str(yyjson_mut_arr_get_last(names)));
    struct str_list columns = {0};
    size_t found = SIZE_MAX;
    if (yyjson_mut_arr_size(names) > 2 || !leaf_columns(tree, leaf, &columns)) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i < columns.count; i++) {
        if (str_equal_nocase(columns.items[i], name)) {
            if (found != SIZE_MAX) {
                return SIZE_MAX;
            }
            found = i;
        }
    }
    return found;
}

struct name_search {
    struct delta_tree *tree;
    const struct leaf_list *leaves;
    str name;
};

enum { NAME_NOWHERE = -1, NAME_UNCERTAIN = -2 };

static size_t leaf_of(const struct leaf_list *leaves, node *item) {
    size_t leaf = 0;
    while (leaves->items[leaf].item != item) {
        leaf++;
    }
    return leaf;
}

// The leaf that a name without a qualifier belongs to.  A join that merges columns of the name
// gives that of the side that it keeps.
static int find_name(const struct name_search *search, node *from) {
    if (!tree_is(from, "type", "JOIN")) {
        const size_t leaf = leaf_of(search->leaves, from);
        struct str_list columns = {0};
        return !leaf_columns(search->tree, &search->leaves->items[leaf], &columns) ? NAME_UNCERTAIN
               : str_list_has_nocase(&columns, search->name)                       ? (int)leaf
                                                                                   : NAME_NOWHERE;
    }
    const bool hides = tree_is(from, "join_type", "SEMI") || tree_is(from, "join_type", "ANTI");
    const int left = find_name(search, tree_get(from, "left"));
    const int right = hides ? NAME_NOWHERE : find_name(search, tree_get(from, "right"));
    if (left == NAME_UNCERTAIN || right == NAME_UNCERTAIN) {
        return NAME_UNCERTAIN;
    }
    if (left == NAME_NOWHERE || right == NAME_NOWHERE) {
        return left == NAME_NOWHERE ? right : left;
    }
    const bool merges = list_has_name(tree_get(from, "using_columns"), search->name) ||
                        tree_is(from, "ref_type", "NATURAL");
    return !merges || tree_is(from, "join_type", "FULL") ? NAME_UNCERTAIN
           : tree_is(from, "join_type", "RIGHT")         ? right
                                                         : left;
}

static size_t resolve_name(const struct name_search *search, node *from) {
    const int leaf = find_name(search, from);
    return leaf < 0 ? SIZE_MAX : (size_t)leaf;
}

size_t select_resolve(struct delta_tree *tree, const struct leaf_list *leaves, node *column) {
    node *names = tree_get(column, "column_names");
    const str first = str_from(yyjson_mut_get_str(yyjson_mut_arr_get_first(names)));
    size_t found = SIZE_MAX;
    if (yyjson_mut_arr_size(names) > 1) {
        for (size_t i = 0; i < leaves->count; i++) {
            if (str_equal_nocase(leaves->items[i].alias, first)) {
                if (found != SIZE_MAX) {
                    return SIZE_MAX;
                }
                found = i;
            }
        }
        return found;
    }
    if (leaves->count == 1) {
        return 0;
    }
    return resolve_name(&(struct name_search){tree, leaves, first}, leaves->from);
}

struct column_search {
    struct delta_tree *tree;
    const struct leaf_list *leaves;
    node *part;
    bool all;
};

static bool part_has(node *part, node *item) {
    return part == item ||
           (tree_is(part, "type", "JOIN") &&
            (part_has(tree_get(part, "left"), item) || part_has(tree_get(part, "right"), item)));
}

static bool check_column(void *self, node *object) {
    struct column_search *search = self;
    if (tree_is(object, "class", "COLUMN_REF")) {
        const size_t index = select_resolve(search->tree, search->leaves, object);
        search->all = search->all && index != SIZE_MAX &&
                      part_has(search->part, search->leaves->items[index].item);
    }
    return search->all;
}

bool expression_is_of(struct delta_tree *tree, node *expression, const struct leaf_list *leaves,
                      node *part) {
    struct column_search search = {tree, leaves, part, true};
    tree_walk(expression, check_column, &search);
    return search.all;
}

static bool find_column(void *self, node *object) {
    bool *found = self;
    *found = *found || tree_is(object, "class", "COLUMN_REF");
    return !*found;
}

bool expression_has_column(node *expression) {
    bool found = false;
    tree_walk(expression, find_column, &found);
    return found;
}

static bool is_ignored(node *key) {
    return yyjson_mut_equals_str(key, "query_location") || yyjson_mut_equals_str(key, "alias");
}

static bool columns_equal(node *a, node *b) {
    node *x = tree_get(a, "column_names");
    node *y = tree_get(b, "column_names");
    if (yyjson_mut_arr_size(x) != yyjson_mut_arr_size(y)) {
        return false;
    }
    for (size_t i = 0; i < yyjson_mut_arr_size(x); i++) {
        if (!str_equal_nocase(str_from(yyjson_mut_get_str(yyjson_mut_arr_get(x, i))),
                              str_from(yyjson_mut_get_str(yyjson_mut_arr_get(y, i))))) {
            return false;
        }
    }
    return true;
}

bool expression_equals(node *a, node *b) {
    if (a == NULL || b == NULL || yyjson_mut_get_type(a) != yyjson_mut_get_type(b)) {
        return false;
    }
    if (tree_is(a, "class", "COLUMN_REF")) {
        return tree_is(b, "class", "COLUMN_REF") && columns_equal(a, b);
    }
    if (yyjson_mut_is_obj(a)) {
        yyjson_mut_obj_iter members;
        node *key;
        yyjson_mut_obj_iter_init(a, &members);
        while ((key = yyjson_mut_obj_iter_next(&members)) != NULL) {
            if (!is_ignored(key) && !expression_equals(yyjson_mut_obj_iter_get_val(key),
                                                       tree_get(b, yyjson_mut_get_str(key)))) {
                return false;
            }
        }
        return yyjson_mut_obj_size(a) == yyjson_mut_obj_size(b);
    }
    if (yyjson_mut_is_arr(a)) {
        for (size_t i = 0; i < yyjson_mut_arr_size(a); i++) {
            if (!expression_equals(yyjson_mut_arr_get(a, i), yyjson_mut_arr_get(b, i))) {
                return false;
            }
        }
        return yyjson_mut_arr_size(a) == yyjson_mut_arr_size(b);
    }
    return yyjson_mut_equals(a, b);
}

// ── One SELECT ──

struct level_search {
    struct delta_tree *tree;
    node *select;
    node *expression; // that windows must be partitioned by; NULL: any window counts
    bool found;
};

void select_walk(node *select, bool (*visit)(void *self, node *object), void *self) {
    static const char *const CLAUSES[] = {"select_list", "where_clause", "group_expressions",
                                          "having",      "qualify",      "modifiers"};
    for (size_t i = 0; i < ARRAY_COUNT(CLAUSES); i++) {
        tree_walk(tree_get(select, CLAUSES[i]), visit, self);
    }
}

static bool find_aggregate(void *self, node *object) {
    struct level_search *search = self;
    const struct delta_input *input = search->tree->input;
    if (tree_is_query(object)) {
        return false;
    }
    if (tree_is(object, "class", "FUNCTION") &&
        input->classify(input->self, tree_text(object, "function_name")) ==
            SQL_FUNCTION_AGGREGATE) {
        search->found = true;
    }
    return !search->found;
}

bool select_is_grouped(struct delta_tree *tree, node *select) {
    struct level_search search = {.tree = tree};
    select_walk(select, find_aggregate, &search);
    return search.found || !tree_is_empty(select, "group_expressions") ||
           !tree_is_empty(select, "group_sets") ||
           !tree_is(select, "aggregate_handling", "STANDARD_HANDLING") ||
           !tree_is_empty(select, "having");
}

// ── Windows and DISTINCT ON ──

struct qualifying {
    struct delta_tree *tree;
    const struct leaf_list *leaves;
};

static bool qualify_column(void *self, node *object) {
    const struct qualifying *q = self;
    node *names = tree_get(object, "column_names");
    if (tree_is(object, "class", "COLUMN_REF") && yyjson_mut_arr_size(names) == 1) {
        const size_t leaf = select_resolve(q->tree, q->leaves, object);
        if (leaf != SIZE_MAX && q->leaves->items[leaf].alias.size > 0) {
            node *column =
                tree_column(q->tree, q->leaves->items[leaf].alias,
                            str_from(yyjson_mut_get_str(yyjson_mut_arr_get_first(names))));
            tree_put(q->tree, object, "column_names", tree_get(column, "column_names"));
        }
    }
    return true;
}

// The expression with every column under the name of its item of FROM, so that id and t.id are the
// same.
static node *qualified(struct delta_tree *tree, const struct leaf_list *leaves, node *expression) {
    struct qualifying q = {tree, leaves};
    node *copy = tree_copy(tree, expression);
    tree_walk(copy, qualify_column, &q);
    return copy;
}

bool select_list_has(struct delta_tree *tree, node *select, node *list, node *expression) {
    struct leaf_list leaves = {0};
    select_leaves(tree, tree_get(select, "from_table"), &leaves);
    node *wanted = qualified(tree, &leaves, expression);
    bool found = false;
    for (size_t i = 0; i < yyjson_mut_arr_size(list) && !found; i++) {
        node *element = yyjson_mut_arr_get(list, i);
        found = !select_names_output(select, element) &&
                expression_equals(qualified(tree, &leaves, element), wanted);
    }
    return found;
}

static bool find_window(void *self, node *object) {
    struct level_search *search = self;
    if (tree_is_query(object)) {
        return false;
    }
    if (tree_is(object, "class", "WINDOW")) {
        search->found = search->found || search->expression == NULL ||
                        !select_list_has(search->tree, search->select,
                                         tree_get(object, "partitions"), search->expression);
    }
    return !search->found;
}

bool select_has_windows(node *select) {
    struct level_search search = {0};
    select_walk(select, find_window, &search);
    return search.found;
}

bool select_windows_divide_by(struct delta_tree *tree, node *select, node *expression) {
    struct level_search search = {.tree = tree, .select = select, .expression = expression};
    select_walk(select, find_window, &search);
    return !search.found;
}

static node *find_modifier(node *query, const char *type) {
    yyjson_mut_arr_iter modifiers;
    node *modifier;
    yyjson_mut_arr_iter_init(tree_get(query, "modifiers"), &modifiers);
    while ((modifier = yyjson_mut_arr_iter_next(&modifiers)) != NULL) {
        if (tree_is(modifier, "type", type)) {
            return modifier;
        }
    }
    return NULL;
}

bool query_has_modifier(node *query, const char *type) {
    return find_modifier(query, type) != NULL;
}

node *select_distinct_targets(node *select) {
    node *modifier = find_modifier(select, "DISTINCT_MODIFIER");
    return tree_is_empty(modifier, "distinct_on_targets")
               ? NULL
               : tree_get(modifier, "distinct_on_targets");
}

bool select_has_changed_subquery(const struct delta_tree *tree, node *select) {
    static const char *const CLAUSES[] = {"select_list", "where_clause", "group_expressions",
                                          "having",      "qualify",      "modifiers"};
    for (size_t i = 0; i < ARRAY_COUNT(CLAUSES); i++) {
        node *clause = tree_get(select, CLAUSES[i]);
        if (clause != NULL && tree_has_changes(tree, clause)) {
            return true;
        }
    }
    return false;
}

// ── Keys ──

struct key_search {
    struct delta_tree *tree;
    node *select;
    node *expression;
    const char *problem;
};

static bool find_star(void *self, node *object) {
    bool *found = self;
    *found = *found || tree_is(object, "class", "STAR");
    return !*found && !tree_is_query(object);
}

// `* RENAME (v AS name)`, `* REPLACE (v AS name)`; `COLUMNS(…) AS 'n\\0'` could be any.
static bool star_makes(node *item, str name, node *key) {
    bool has_star = false;
    tree_walk(item, find_star, &has_star);
    node *replacement = list_find(tree_get(item, "replace_list"), name);
    bool makes = has_star && tree_text(item, "alias").size > 0;
    makes = makes || (replacement != NULL && (key == NULL || !expression_equals(replacement, key)));
    yyjson_mut_arr_iter entries;
    node *entry;
    yyjson_mut_arr_iter_init(tree_get(item, "rename_list"), &entries);
    while ((entry = yyjson_mut_arr_iter_next(&entries)) != NULL) {
        makes = makes || str_equal_nocase(tree_text(entry, "value"), name);
    }
    return makes;
}

// `SELECT a + 1 AS b, b * 2 AS k`: b may be the other output.  `key`: of whose output it is, or
// NULL.
static bool is_other_output(node *select, node *column, node *key) {
    node *names = tree_get(column, "column_names");
    if (yyjson_mut_arr_size(names) != 1) {
        return false;
    }
    const str name = str_from(yyjson_mut_get_str(yyjson_mut_arr_get_first(names)));
    yyjson_mut_arr_iter items;
    node *item;
    yyjson_mut_arr_iter_init(tree_get(select, "select_list"), &items);
    while ((item = yyjson_mut_arr_iter_next(&items)) != NULL) {
        if (star_makes(item, name, key) || (str_equal_nocase(tree_text(item, "alias"), name) &&
                                            !expression_equals(item, column))) {
            return true;
        }
    }
    return false;
}

bool select_makes(node *select, node *column) {
    node *names = tree_get(column, "column_names");
    const str name = str_from(yyjson_mut_get_str(yyjson_mut_arr_get_first(names)));
    yyjson_mut_arr_iter items;
    node *item;
    yyjson_mut_arr_iter_init(tree_get(select, "select_list"), &items);
    while ((item = yyjson_mut_arr_iter_next(&items)) != NULL) {
        if (str_equal_nocase(tree_text(item, "alias"), name) || star_makes(item, name, NULL)) {
            return true;
        }
    }
    return false;
}

struct output_search {
    node *select;
    bool found;
};

static bool find_output_name(void *self, node *object) {
    struct output_search *search = self;
    search->found = search->found || (tree_is(object, "class", "COLUMN_REF") &&
                                      is_other_output(search->select, object, NULL));
    return !search->found;
}

bool select_names_output(node *select, node *expression) {
    struct output_search search = {.select = select};
    tree_walk(expression, find_output_name, &search);
    return search.found;
}

static bool check_key(void *self, node *object) {
    static const char *const REFUSED[] = {
        "WINDOW",    "SUBQUERY",  "LAMBDA",  "STAR",
        "COLLATE",   "PARAMETER", "DEFAULT", "POSITIONAL_REFERENCE",
        "LAMBDA_REF"};
    struct key_search *search = self;
    const struct delta_input *input = search->tree->input;
    for (size_t i = 0; i < ARRAY_COUNT(REFUSED); i++) {
        if (tree_is(object, "class", REFUSED[i])) {
            search->problem = "the key is not made from columns of one row";
        }
    }
    if (tree_is(object, "class", "FUNCTION") &&
        !yyjson_mut_get_bool(tree_get(object, "is_operator")) &&
        (input->classify(input->self, tree_text(object, "function_name")) != SQL_FUNCTION_PLAIN ||
         tree_is(object, "function_name", "unnest"))) {
        search->problem = "the key is computed from several rows";
    }
    if (tree_is(object, "class", "COLUMN_REF") &&
        is_other_output(search->select, object, search->expression)) {
        search->problem = "the key is made from another output column";
    }
    return search->problem == NULL;
}

str key_problem(struct delta_tree *tree, node *select, node *expression) {
    struct key_search search = {tree, select, expression, NULL};
    tree_walk(expression, check_key, &search);
    return search.problem == NULL ? (str){0} : str_from(search.problem);
}
