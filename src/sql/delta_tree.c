#include "sql/delta_tree.h"

#include "base/text.h"

#include <stdlib.h>

#define NUMBER_KEY "coypu_occurrence" // DuckDB ignores members that it does not know

enum { TREE_OBJECTS_MAX = 200000 };

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

void tree_walk(node *value, bool (*visit)(void *self, node *object), void *self) {
    yyjson_mut_obj_iter members;
    yyjson_mut_arr_iter elements;
    node *key, *element;
    if (yyjson_mut_is_obj(value)) {
        if (!visit(self, value)) {
            return;
        }
        yyjson_mut_obj_iter_init(value, &members);
        while ((key = yyjson_mut_obj_iter_next(&members)) != NULL) {
            tree_walk(yyjson_mut_obj_iter_get_val(key), visit, self);
        }
    } else if (yyjson_mut_is_arr(value)) {
        yyjson_mut_arr_iter_init(value, &elements);
        while ((element = yyjson_mut_arr_iter_next(&elements)) != NULL) {
            tree_walk(element, visit, self);
        }
    }
}

// ── Building ──

static node *parse(struct delta_tree *tree, str json) {
    AST_DOCUMENT document = ast_document(json);
    return yyjson_val_mut_copy(tree->document, yyjson_doc_get_root(document));
}

node *tree_column(struct delta_tree *tree, str table, str column) {
    node *names = yyjson_mut_arr(tree->document);
    if (table.size > 0) {
        yyjson_mut_arr_append(names, yyjson_mut_strncpy(tree->document, table.data, table.size));
    }
    yyjson_mut_arr_append(names, yyjson_mut_strncpy(tree->document, column.data, column.size));
    node *reference = parse(tree, STR("{\"class\":\"COLUMN_REF\",\"type\":\"COLUMN_REF\","
                                      "\"alias\":\"\",\"query_location\":18446744073709551615}"));
    tree_put(tree, reference, "column_names", names);
    return reference;
}

// `SELECT * FROM (query) WHERE false`: in the query itself it would not do, as an aggregate gives
// a row for no rows.
void tree_make_empty(struct delta_tree *tree, node *query) {
    node *around = parse(
        tree,
        STR("{\"type\":\"SELECT_NODE\",\"modifiers\":[],\"cte_map\":{\"map\":[]},\"select_list\":[{"
            "\"class\":\"STAR\",\"type\":\"STAR\",\"alias\":\"\",\"query_location\":"
            "18446744073709551615,\"relation_name\":\"\",\"exclude_list\":[],\"replace_list\":[],"
            "\"columns\":false,\"expr\":null,\"qualified_exclude_list\":[],\"rename_list\":[]}],"
            "\"from_table\":{\"type\":\"SUBQUERY\",\"alias\":\"emptied\",\"sample\":null,"
            "\"query_location\":18446744073709551615,\"subquery\":{\"named_param_map\":[]},"
            "\"column_name_alias\":[]},\"where_clause\":{\"class\":\"CAST\",\"type\":"
            "\"OPERATOR_CAST\",\"alias\":\"\",\"query_location\":18446744073709551615,\"child\":{"
            "\"class\":\"CONSTANT\",\"type\":\"VALUE_CONSTANT\",\"alias\":\"\",\"query_location\":"
            "18446744073709551615,\"value\":{\"type\":{\"id\":\"VARCHAR\",\"type_info\":null},"
            "\"is_null\":false,\"value\":\"f\"}},\"cast_type\":{\"id\":\"BOOLEAN\",\"type_info\":"
            "null},\"try_cast\":false},\"group_expressions\":[],\"group_sets\":[],"
            "\"aggregate_handling\":\"STANDARD_HANDLING\",\"having\":null,\"sample\":null,"
            "\"qualify\":null}"));
    tree_put(tree, tree_get(tree_get(around, "from_table"), "subquery"), "node",
             tree_copy(tree, query));
    tree_become(query, around);
}

node *tree_in_keys(struct delta_tree *tree, node *expression) {
    node *in = parse(
        tree,
        STR("{\"class\":\"SUBQUERY\",\"type\":\"SUBQUERY\",\"alias\":\"\",\"query_location\":"
            "18446744073709551615,\"subquery_type\":\"ANY\",\"subquery\":{\"node\":{\"type\":"
            "\"SELECT_NODE\",\"modifiers\":[],\"cte_map\":{\"map\":[]},\"select_list\":[{\"class\":"
            "\"COLUMN_REF\",\"type\":\"COLUMN_REF\",\"alias\":\"\",\"query_location\":"
            "18446744073709551615,\"column_names\":[\"" DELTA_KEY_COLUMN
            "\"]}],\"from_table\":{\"type\":\"BASE_TABLE\",\"alias\":\"\",\"sample\":null,"
            "\"query_location\":18446744073709551615,\"schema_name\":\"main\",\"table_name\":"
            "\"" DELTA_KEYS_NAME
            "\",\"column_name_alias\":[],\"catalog_name\":\"temp\",\"at_clause\":null},"
            "\"where_clause\":null,\"group_expressions\":[],\"group_sets\":[],"
            "\"aggregate_handling\":\"STANDARD_HANDLING\",\"having\":null,\"sample\":null,"
            "\"qualify\":null},\"named_param_map\":[]},\"comparison_type\":\"COMPARE_EQUAL\"}"));
    tree_put(tree, in, "child", expression);
    return in;
}

node *tree_and(struct delta_tree *tree, node *left, node *right) {
    if (left == NULL || yyjson_mut_is_null(left)) {
        return right;
    }
    node *both = parse(tree, STR("{\"class\":\"CONJUNCTION\",\"type\":\"CONJUNCTION_AND\","
                                 "\"alias\":\"\",\"query_location\":18446744073709551615}"));
    node *children = yyjson_mut_arr(tree->document);
    yyjson_mut_arr_append(children, tree_copy(tree, left));
    yyjson_mut_arr_append(children, right);
    tree_put(tree, both, "children", children);
    return both;
}

// ── CTEs ──
// Every use of a CTE becomes a derived table, so that one use of a table inside of it can be
// replaced without the others.

struct cte {
    const struct cte *outer;
    str name;
    node *query; // its query node, without CTEs
    node *aliases;
};

static void inline_ctes(struct delta_tree *tree, node *value, const struct cte *scope);

static const struct cte *find_cte(const struct cte *scope, node *table) {
    if (tree_text(table, "schema_name").size > 0 || tree_text(table, "catalog_name").size > 0) {
        return NULL;
    }
    for (; scope != NULL; scope = scope->outer) {
        if (str_equal_nocase(scope->name, tree_text(table, "table_name"))) {
            return scope;
        }
    }
    return NULL;
}

static void replace_use(struct delta_tree *tree, node *table, const struct cte *cte) {
    const str alias = tree_text(table, "alias");
    const bool renamed = !tree_is_empty(table, "column_name_alias");
    node *derived = parse(tree, STR("{\"type\":\"SUBQUERY\",\"sample\":null,\"query_location\":"
                                    "18446744073709551615,\"subquery\":{\"named_param_map\":[]}}"));
    tree_put_text(tree, derived, "alias", alias.size > 0 ? alias : tree_text(table, "table_name"));
    tree_put(tree, derived, "sample", tree_copy(tree, tree_get(table, "sample")));
    tree_put(tree, derived, "column_name_alias",
             tree_copy(tree, renamed ? tree_get(table, "column_name_alias") : cte->aliases));
    tree_put(tree, tree_get(derived, "subquery"), "node", tree_copy(tree, cte->query));
    tree_become(table, derived);
}

static void inline_members(struct delta_tree *tree, node *value, const struct cte *scope) {
    yyjson_mut_obj_iter members;
    yyjson_mut_arr_iter elements;
    node *key, *element;
    if (yyjson_mut_is_obj(value)) {
        yyjson_mut_obj_iter_init(value, &members);
        while ((key = yyjson_mut_obj_iter_next(&members)) != NULL) {
            if (!yyjson_mut_equals_str(key, "cte_map")) {
                inline_ctes(tree, yyjson_mut_obj_iter_get_val(key), scope);
            }
        }
    } else {
        yyjson_mut_arr_iter_init(value, &elements);
        while ((element = yyjson_mut_arr_iter_next(&elements)) != NULL) {
            inline_ctes(tree, element, scope);
        }
    }
}

static void inline_query(struct delta_tree *tree, node *query, const struct cte *scope) {
    node *map = tree_get(tree_get(query, "cte_map"), "map");
    struct cte *ctes = ARENA_ARRAY(tree->arena, struct cte, yyjson_mut_arr_size(map));
    yyjson_mut_arr_iter entries;
    node *entry;
    size_t count = 0;
    yyjson_mut_arr_iter_init(map, &entries);
    while ((entry = yyjson_mut_arr_iter_next(&entries)) != NULL) {
        node *value = tree_get(entry, "value");
        node *body = tree_get(tree_get(value, "query"), "node");
        if (tree_is(body, "type", "RECURSIVE_CTE_NODE")) {
            tree->problem = STR("it has a recursive CTE");
            return;
        }
        inline_ctes(tree, body, scope);
        ctes[count] =
            (struct cte){scope, tree_text(entry, "key"), body, tree_get(value, "aliases")};
        scope = &ctes[count++];
    }
    inline_members(tree, query, scope);
    if (count > 0) {
        tree_put(tree, tree_get(query, "cte_map"), "map", yyjson_mut_arr(tree->document));
    }
}

static void inline_ctes(struct delta_tree *tree, node *value, const struct cte *scope) {
    if (!yyjson_mut_is_ctn(value) || tree->problem.size > 0) {
        return;
    }
    if (tree_is_query(value)) {
        inline_query(tree, value, scope);
        return;
    }
    const struct cte *cte = tree_is(value, "type", "BASE_TABLE") ? find_cte(scope, value) : NULL;
    if (cte != NULL) {
        replace_use(tree, value, cte);
        return;
    }
    inline_members(tree, value, scope);
}

// ── Tables ──

const struct delta_source *tree_source(const struct delta_tree *tree, node *table) {
    const struct delta_input *input = tree->input;
    const str catalog = tree_text(table, "catalog_name");
    const str schema = tree_text(table, "schema_name");
    if (catalog.size > 0 && !str_equal_nocase(catalog, input->catalog)) {
        return NULL;
    }
    const str name = str_format(tree->arena, STR_FORMAT "." STR_FORMAT,
                                STR_ARGS(schema.size > 0 ? schema : STR("main")),
                                STR_ARGS(tree_text(table, "table_name")));
    for (size_t i = 0; i < input->source_count; i++) {
        if (str_equal_nocase(input->sources[i].name, name)) {
            return &input->sources[i];
        }
    }
    return NULL;
}

int tree_occurrence(node *table) {
    node *number = tree_get(table, NUMBER_KEY);
    return number == NULL ? OCCURRENCE_NONE : (int)yyjson_mut_get_sint(number);
}

struct numbering {
    struct delta_tree *tree;
    size_t objects;
};

static bool number_table(void *self, node *object) {
    struct numbering *numbering = self;
    struct delta_tree *tree = numbering->tree;
    if (++numbering->objects > TREE_OBJECTS_MAX) {
        tree->problem = STR("it is too large");
        return false;
    }
    if (!tree_is(object, "type", "BASE_TABLE")) {
        return true;
    }
    node *at_clause = tree_get(object, "at_clause");
    if (yyjson_mut_is_obj(at_clause)) { // a fixed version never changes
        if (!tree_is(at_clause, "unit", "VERSION") ||
            !tree_is(tree_get(at_clause, "expr"), "class", "CONSTANT")) {
            tree->problem = STR("it reads a table at a point in time");
        }
        return true;
    }
    if (tree_source(tree, object) == NULL) {
        tree->problem = str_format(tree->arena, "it reads " STR_FORMAT ", which is no table",
                                   STR_ARGS(tree_text(object, "table_name")));
        return true;
    }
    yyjson_mut_obj_put(object, yyjson_mut_str(tree->document, NUMBER_KEY),
                       yyjson_mut_sint(tree->document, (int64_t)tree->occurrences));
    tree->occurrences++;
    return true;
}

struct search {
    const struct delta_tree *tree;
    int number; // OCCURRENCE_NONE: any changed table
    bool found;
    const struct delta_source *source;
};

static bool search_table(void *self, node *object) {
    struct search *search = self;
    const int number = tree_occurrence(object);
    if (number == OCCURRENCE_NONE || search->found) {
        return !search->found;
    }
    const struct delta_source *source =
        search->tree == NULL ? NULL : tree_source(search->tree, object);
    search->found = search->number == OCCURRENCE_NONE ? source != NULL && source->changed
                                                      : number == search->number;
    search->source = search->found ? source : NULL;
    return !search->found;
}

const struct delta_source *tree_first_change(const struct delta_tree *tree, node *value) {
    struct search search = {.tree = tree, .number = OCCURRENCE_NONE};
    tree_walk(value, search_table, &search);
    return search.source;
}

bool tree_has_changes(const struct delta_tree *tree, node *value) {
    return tree_first_change(tree, value) != NULL;
}

bool tree_has_occurrence(node *value, int number) {
    struct search search = {.number = number};
    tree_walk(value, search_table, &search);
    return search.found;
}

const struct delta_source *tree_occurrence_source(const struct delta_tree *tree, node *value,
                                                  int number) {
    struct search search = {.tree = tree, .number = number};
    tree_walk(value, search_table, &search);
    return search.source;
}

struct substitution {
    struct delta_tree *tree;
    int number;
    bool removed;
    enum delta_version others;
};

static void put_delta(struct substitution *s, node *table, size_t source) {
    struct delta_tree *tree = s->tree;
    const str alias = tree_text(table, "alias");
    if (alias.size == 0) {
        tree_put_text(tree, table, "alias", tree_text(table, "table_name"));
    }
    const str name = s->removed ? str_format(tree->arena, DELTA_REMOVED_NAME, source)
                                : str_format(tree->arena, DELTA_ADDED_NAME, source);
    tree_put_text(tree, table, "table_name", name);
    tree_put_text(tree, table, "schema_name", STR("main"));
    tree_put_text(tree, table, "catalog_name", STR("temp"));
}

static void put_base(struct delta_tree *tree, node *table) {
    const str json = str_format(
        tree->arena,
        "{\"unit\":\"VERSION\",\"expr\":{\"class\":\"CONSTANT\",\"type\":\"VALUE_CONSTANT\","
        "\"alias\":\"\",\"query_location\":18446744073709551615,\"value\":{\"type\":{\"id\":"
        "\"BIGINT\",\"type_info\":null},\"is_null\":false,\"value\":%lld}}}",
        (long long)tree->input->base);
    tree_put(tree, table, "at_clause", parse(tree, json));
}

static bool substitute_table(void *self, node *object) {
    struct substitution *s = self;
    const int number = tree_occurrence(object);
    if (number == OCCURRENCE_NONE) {
        return true;
    }
    const struct delta_source *source = tree_source(s->tree, object);
    const bool at_base =
        s->others == VERSION_BASE || (s->others == VERSION_TELESCOPE && number > s->number);
    if (number == s->number) {
        put_delta(s, object, (size_t)(source - s->tree->input->sources));
    } else if (source->changed && at_base) {
        put_base(s->tree, object);
    }
    return true;
}

static bool keep_branch(void *self, node *object) {
    struct substitution *s = self;
    static const char *const SIDES[] = {"left", "right"};
    for (size_t i = 0; i < 2 && tree_is(object, "type", "SET_OPERATION_NODE") &&
                       tree_has_occurrence(object, s->number);
         i++) {
        if (!tree_has_occurrence(tree_get(object, SIDES[i]), s->number)) {
            tree_make_empty(s->tree, tree_get(object, SIDES[i]));
        }
    }
    return true;
}

void tree_substitute(struct delta_tree *tree, node *value, int number, bool removed,
                     enum delta_version others) {
    struct substitution substitution = {tree, number, removed, others};
    tree_walk(value, keep_branch, &substitution);
    tree_walk(value, substitute_table, &substitution);
}

// ── The whole ──

enum error_code tree_read(struct delta_tree *tree, struct error *err) {
    AST_DOCUMENT document = ast_document(tree->input->ast);
    tree->document = yyjson_doc_mut_copy(document, NULL);
    node *statements = tree_get(yyjson_mut_doc_get_root(tree->document), "statements");
    tree->root = tree_get(yyjson_mut_arr_get(statements, 0), "node");
    if (tree->root == NULL) {
        return error_set(err, ERROR_INTERNAL, "the syntax tree has no query");
    }
    inline_ctes(tree, tree->root, NULL);
    struct numbering numbering = {.tree = tree};
    if (tree->problem.size > 0) {
        return ERROR_NONE;
    }
    tree_walk(tree->root, number_table, &numbering);
    return ERROR_NONE;
}

void tree_done(struct delta_tree *tree) {
    yyjson_mut_doc_free(tree->document);
}

str tree_write(struct delta_tree *tree, node *query) {
    size_t size = 0;
    char *data = yyjson_mut_val_write(query, YYJSON_WRITE_NOFLAG, &size);
    const str json = str_format(tree->arena,
                                "{\"error\":false,\"statements\":[{\"node\":" STR_FORMAT
                                ",\"named_param_map\":[]}]}",
                                STR_ARGS(((str){data, data == NULL ? 0 : size})));
    free(data);
    return json;
}
