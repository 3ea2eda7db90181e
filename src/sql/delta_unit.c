// Tables of the lake and divided subqueries, and what is put in their places.
#include "base/text.h"
#include "sql/delta_tree.h"

// DuckDB ignores members that it does not know.
#define NUMBER_KEY "coypu_occurrence"
#define MARK_KEY "coypu_mark"

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

static int number_of(node *object, const char *key, int otherwise) {
    node *number = tree_get(object, key);
    return number == NULL ? otherwise : (int)yyjson_mut_get_sint(number);
}

static void put_number(struct delta_tree *tree, node *object, const char *key, int number) {
    tree_put(tree, object, key, yyjson_mut_sint(tree->document, number));
}

int tree_occurrence(node *table) {
    return number_of(table, NUMBER_KEY, OCCURRENCE_NONE);
}

void tree_number(struct delta_tree *tree, node *table, int number) {
    put_number(tree, table, NUMBER_KEY, number);
}

int tree_mark(node *subquery) {
    return number_of(subquery, MARK_KEY, MARK_NONE);
}

void tree_set_mark(struct delta_tree *tree, node *subquery, int mark) {
    put_number(tree, subquery, MARK_KEY, mark);
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

// ── Units ──

struct unit_search {
    const struct delta_tree *tree;
    struct delta_unit_list *units;
};

static bool find_bounds(void *self, node *object) {
    struct delta_unit *unit = self;
    const int number = tree_occurrence(object);
    if (number != OCCURRENCE_NONE) {
        unit->first = unit->first == OCCURRENCE_NONE || number < unit->first ? number : unit->first;
        unit->last = number > unit->last ? number : unit->last;
    }
    return true;
}

static bool find_unit(void *self, node *object) {
    struct unit_search *search = self;
    struct delta_unit unit = {
        .mark = tree_mark(object), .first = OCCURRENCE_NONE, .last = OCCURRENCE_NONE};
    if (unit.mark >= 0) {
        tree_walk(object, find_bounds, &unit);
        LIST_PUSH(search->tree->arena, search->units, unit);
        return false;
    }
    unit.first = unit.last = tree_occurrence(object);
    unit.source = unit.first == OCCURRENCE_NONE ? NULL : tree_source(search->tree, object);
    if (unit.source != NULL && unit.source->changed) {
        LIST_PUSH(search->tree->arena, search->units, unit);
    }
    return true;
}

void tree_units(const struct delta_tree *tree, node *value, struct delta_unit_list *units) {
    struct unit_search search = {tree, units};
    tree_walk(value, find_unit, &search);
}

// ── Substitution ──

struct substitution {
    struct delta_tree *tree;
    const struct delta_unit *unit;
    bool removed;
    enum delta_version others;
};

static void put_delta(struct substitution *s, node *table) {
    struct delta_tree *tree = s->tree;
    const size_t source = (size_t)(s->unit->source - tree->input->sources);
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
    tree_put(tree, table, "at_clause", tree_parse(tree, json));
}

static bool put_all_at_base(void *self, node *object) {
    struct delta_tree *tree = self;
    const struct delta_source *source =
        tree_occurrence(object) == OCCURRENCE_NONE ? NULL : tree_source(tree, object);
    if (source != NULL && source->changed) {
        put_base(tree, object);
    }
    return true;
}

static bool substitute_object(void *self, node *object) {
    struct substitution *s = self;
    const struct delta_unit *unit = s->unit;
    if (unit->source == NULL && tree_mark(object) == unit->mark) {
        node *query = tree_copy(s->tree, unit->groups_query);
        if (s->removed) {
            tree_walk(query, put_all_at_base, s->tree);
        }
        tree_put(s->tree, tree_get(object, "subquery"), "node", query);
        return false;
    }
    const int number = tree_occurrence(object);
    const struct delta_source *source =
        number == OCCURRENCE_NONE ? NULL : tree_source(s->tree, object);
    const bool at_base =
        s->others == VERSION_BASE || (s->others == VERSION_TELESCOPE && number > unit->last);
    if (source != NULL && unit->source != NULL && number == unit->first) {
        put_delta(s, object);
    } else if (source != NULL && source->changed && at_base) {
        put_base(s->tree, object);
    }
    return true;
}

static bool keep_branch(void *self, node *object) {
    struct substitution *s = self;
    static const char *const SIDES[] = {"left", "right"};
    if (s->unit->source == NULL && tree_mark(object) == s->unit->mark) {
        return false; // whatever is in there
    }
    for (size_t i = 0; i < 2 && tree_is(object, "type", "SET_OPERATION_NODE") &&
                       tree_has_occurrence(object, s->unit->first);
         i++) {
        if (!tree_has_occurrence(tree_get(object, SIDES[i]), s->unit->first)) {
            tree_make_empty(s->tree, tree_get(object, SIDES[i]));
        }
    }
    return true;
}

void tree_substitute(struct delta_tree *tree, node *value, const struct delta_unit *unit,
                     bool removed, enum delta_version others) {
    struct substitution substitution = {tree, unit, removed, others};
    tree_walk(value, keep_branch, &substitution);
    tree_walk(value, substitute_object, &substitution);
}
