// Makes the tree that the planner works on: every use of a CTE and of a view becomes a derived
// table, so that one use of a table inside of it can be replaced without the others, and every
// table of the lake gets a number.
#include "base/text.h"
#include "sql/delta_tree.h"

#include <stdlib.h>

enum { TREE_OBJECTS_MAX = 200000, TREE_OCCURRENCES_MAX = 200, VIEW_DEPTH_MAX = 32 };

struct cte {
    const struct cte *outer;
    str name;
    node *query; // its query node, without CTEs
    node *aliases;
};

struct inliner {
    struct delta_tree *tree;
    size_t objects; // copied so far
    int depth;      // in views
    str schema;     // of the view; empty: of none, or main
};

static void inline_ctes(struct inliner *inliner, node *value, const struct cte *scope);

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

static bool count_object(void *self, node *object) {
    (void)object;
    size_t *objects = self;
    return ++*objects <= TREE_OBJECTS_MAX;
}

// A CTE that reads another twice, and so on, grows without measure.
static node *copy_query(struct inliner *inliner, node *query) {
    tree_walk(query, count_object, &inliner->objects);
    if (inliner->objects > TREE_OBJECTS_MAX) {
        inliner->tree->problem = STR("it is too large");
        return NULL;
    }
    return tree_copy(inliner->tree, query);
}

static void replace_cte(struct inliner *inliner, node *table, const struct cte *cte) {
    node *query = copy_query(inliner, cte->query);
    if (query != NULL) {
        tree_put_query(inliner->tree, table, query, cte->aliases);
    }
}

// ── Names of columns ──
// `raw.orders.id` is a name that the added rows of raw.orders do not answer to; `orders.id` is, if
// nothing else in the query is called so.

struct full_names {
    struct delta_tree *tree;
    struct str_list tables; // "schema.table", those without an alias
    struct str_list others; // what else columns can be qualified with
};

static bool find_full_name(void *self, node *object) {
    struct full_names *names = self;
    struct arena *arena = names->tree->arena;
    const str schema = tree_text(object, "schema_name");
    const str table = tree_text(object, "table_name");
    const str alias = tree_text(object, "alias");
    const bool is_table = tree_is(object, "type", "BASE_TABLE");
    if (is_table && schema.size > 0 && alias.size == 0) {
        const str name =
            str_format(arena, STR_FORMAT "." STR_FORMAT, STR_ARGS(schema), STR_ARGS(table));
        str_list_push(arena, &names->tables, name);
    } else if (tree_text(object, "class").size == 0) { // no expression
        str_list_push(arena, &names->others, alias.size > 0 ? alias : table);
    }
    return true;
}

// Whether no other table of the query has the name.
static bool is_called_so_only(const struct full_names *full, str full_name, str table) {
    const str end = str_format(full->tree->arena, "." STR_FORMAT, STR_ARGS(table));
    bool only = !str_list_has_nocase(&full->others, table);
    for (size_t i = 0; i < full->tables.count; i++) {
        const str other = full->tables.items[i];
        const bool ends_so = other.size > end.size &&
                             str_equal_nocase(str_from_offset(other, other.size - end.size), end);
        only = only && (!ends_so || str_equal_nocase(other, full_name));
    }
    return only;
}

static str name_at(node *names, size_t index) {
    return str_from(yyjson_mut_get_str(yyjson_mut_arr_get(names, index)));
}

static bool shorten_name(void *self, node *object) {
    const struct full_names *full = self;
    struct delta_tree *tree = full->tree;
    node *names = tree_is(object, "class", "COLUMN_REF") ? tree_get(object, "column_names") : NULL;
    const size_t skip =
        yyjson_mut_arr_size(names) > 3 && str_equal_nocase(name_at(names, 0), tree->input->catalog)
            ? 1
            : 0;
    if (yyjson_mut_arr_size(names) < skip + 3) {
        return true;
    }
    const str table = name_at(names, skip + 1);
    const str name = str_format(tree->arena, STR_FORMAT "." STR_FORMAT,
                                STR_ARGS(name_at(names, skip)), STR_ARGS(table));
    if (!str_list_has_nocase(&full->tables, name)) {
        return true;
    }
    if (!is_called_so_only(full, name, table)) {
        tree->problem = str_format(tree->arena, "more than one of its tables is called " STR_FORMAT,
                                   STR_ARGS(table));
        return false;
    }
    (void)yyjson_mut_arr_remove_range(names, 0, skip + 1);
    return true;
}

// Of a query as it was written, before views and CTEs take the places of tables.
static void shorten_names(struct delta_tree *tree, node *query) {
    struct full_names names = {.tree = tree};
    tree_walk(query, find_full_name, &names);
    if (names.tables.count > 0) {
        tree_walk(query, shorten_name, &names);
    }
}

// ── Views ──

static const struct delta_view *find_view(const struct delta_tree *tree, node *table) {
    const struct delta_input *input = tree->input;
    const str catalog = tree_text(table, "catalog_name");
    const str schema = tree_text(table, "schema_name");
    const str name = tree_text(table, "table_name");
    const bool in_memory =
        str_equal_nocase(catalog, STR("memory")) || str_equal_nocase(schema, STR("memory"));
    const str full = str_format(tree->arena, STR_FORMAT "." STR_FORMAT,
                                STR_ARGS(schema.size > 0 ? schema : STR("main")), STR_ARGS(name));
    for (size_t i = 0; i < input->view_count; i++) {
        const str view = input->views[i].name;
        if ((in_memory || schema.size == 0) && str_equal_nocase(view, name)) {
            return &input->views[i];
        }
        if (!in_memory && str_equal_nocase(view, full)) {
            return &input->views[i];
        }
    }
    return NULL;
}

// Names without a schema stand in a view for tables of its own schema, if there are such.
static void find_schema(struct inliner *inliner, node *table) {
    struct delta_tree *tree = inliner->tree;
    if (inliner->schema.size == 0 || tree_text(table, "schema_name").size > 0) {
        return;
    }
    node *there = tree_copy(tree, table);
    tree_put_text(tree, there, "schema_name", inliner->schema);
    if (tree_source(tree, there) != NULL || find_view(tree, there) != NULL) {
        tree_become(table, there);
    }
}

static void replace_view(struct inliner *inliner, node *table, const struct delta_view *view) {
    struct delta_tree *tree = inliner->tree;
    node *document = tree_parse(tree, view->ast);
    node *query = tree_get(yyjson_mut_arr_get_first(tree_get(document, "statements")), "node");
    if (inliner->depth == VIEW_DEPTH_MAX || query == NULL ||
        yyjson_mut_is_obj(tree_get(table, "at_clause"))) {
        tree->problem =
            str_format(tree->arena, "it reads the view " STR_FORMAT, STR_ARGS(view->name));
        return;
    }
    tree_walk(query, count_object, &inliner->objects);
    shorten_names(tree, query);
    const struct inliner outer = *inliner;
    inliner->depth++;
    inliner->schema = view->schema;
    inline_ctes(inliner, query, NULL);
    inliner->depth = outer.depth;
    inliner->schema = outer.schema;
    node *columns = yyjson_mut_arr(tree->document);
    for (size_t i = 0; i < view->columns.count; i++) {
        const str column = view->columns.items[i];
        yyjson_mut_arr_append(columns,
                              yyjson_mut_strncpy(tree->document, column.data, column.size));
    }
    tree_put_query(tree, table, query, columns);
}

// ── All of it ──

static void inline_members(struct inliner *inliner, node *value, const struct cte *scope) {
    yyjson_mut_obj_iter members;
    yyjson_mut_arr_iter elements;
    node *key, *element;
    if (yyjson_mut_is_obj(value)) {
        yyjson_mut_obj_iter_init(value, &members);
        while ((key = yyjson_mut_obj_iter_next(&members)) != NULL) {
            if (!yyjson_mut_equals_str(key, "cte_map")) {
                inline_ctes(inliner, yyjson_mut_obj_iter_get_val(key), scope);
            }
        }
    } else {
        yyjson_mut_arr_iter_init(value, &elements);
        while ((element = yyjson_mut_arr_iter_next(&elements)) != NULL) {
            inline_ctes(inliner, element, scope);
        }
    }
}

static void inline_query(struct inliner *inliner, node *query, const struct cte *scope) {
    struct delta_tree *tree = inliner->tree;
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
        inline_ctes(inliner, body, scope);
        ctes[count] =
            (struct cte){scope, tree_text(entry, "key"), body, tree_get(value, "aliases")};
        scope = &ctes[count++];
    }
    inline_members(inliner, query, scope);
    if (count > 0) {
        tree_put(tree, tree_get(query, "cte_map"), "map", yyjson_mut_arr(tree->document));
    }
}

static void inline_ctes(struct inliner *inliner, node *value, const struct cte *scope) {
    if (!yyjson_mut_is_ctn(value) || inliner->tree->problem.size > 0) {
        return;
    }
    if (tree_is_query(value)) {
        inline_query(inliner, value, scope);
        return;
    }
    if (tree_is(value, "type", "BASE_TABLE")) {
        const struct cte *cte = find_cte(scope, value);
        if (cte != NULL) {
            replace_cte(inliner, value, cte);
            return;
        }
        find_schema(inliner, value);
        const struct delta_view *view = find_view(inliner->tree, value);
        if (view != NULL) {
            replace_view(inliner, value, view);
            return;
        }
    }
    inline_members(inliner, value, scope);
}

// ── Numbers ──

struct numbering {
    struct delta_tree *tree;
    size_t objects;
};

static bool number_table(void *self, node *object) {
    struct numbering *numbering = self;
    struct delta_tree *tree = numbering->tree;
    if (++numbering->objects > TREE_OBJECTS_MAX || tree->occurrences > TREE_OCCURRENCES_MAX) {
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
    tree_number(tree, object, (int)tree->occurrences);
    tree->occurrences++;
    return true;
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
    shorten_names(tree, tree->root);
    struct inliner inliner = {.tree = tree};
    inline_ctes(&inliner, tree->root, NULL);
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
