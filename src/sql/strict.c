// The strict forms of @fetch and @push models (libs.md §5.10): every breach is reported, each at
// its own place.
#include "base/text.h"
#include "sql/ast_node.h"

struct checker {
    struct arena *arena;
    const char *family; // "strict_fetch" or "strict_push"
    bool (*is_lib)(void *self, str name);
    void *self;
    struct sql_finding_list *findings;
    size_t lib_calls;
};

static void add(struct checker *checker, const char *rule, size_t offset, str message, str hint) {
    const struct sql_finding finding = {rule, message, hint, offset};
    LIST_PUSH(checker->arena, checker->findings, finding);
}

static bool is_lib_call(const struct checker *checker, yyjson_val *node) {
    yyjson_val *function = yyjson_obj_get(node, "function");
    return ast_is(node, "type", "TABLE_FUNCTION") && ast_text(function, "schema").size == 0 &&
           checker->is_lib != NULL &&
           checker->is_lib(checker->self, ast_text(function, "function_name"));
}

// Counts the lib calls of the tree; with `rule`, each is a finding.
static void find_lib_calls(struct checker *checker, yyjson_val *node, const char *rule) {
    if (is_lib_call(checker, node)) {
        checker->lib_calls++;
        if (rule != NULL) {
            add(checker, rule, ast_offset(node),
                str_format(checker->arena, "a model that pushes cannot call the lib " STR_FORMAT,
                           STR_ARGS(ast_text(yyjson_obj_get(node, "function"), "function_name"))),
                STR("fetch in a model of its own and read that one"));
        }
    }
    size_t i, max;
    yyjson_val *key, *value;
    if (yyjson_is_obj(node)) {
        yyjson_obj_foreach(node, i, max, key, value) {
            if (yyjson_is_ctn(value)) {
                find_lib_calls(checker, value, rule);
            }
        }
        return;
    }
    yyjson_arr_foreach(node, i, max, value) {
        if (yyjson_is_ctn(value)) {
            find_lib_calls(checker, value, rule);
        }
    }
}

static bool name_is_taken(struct str_list *names, struct arena *arena, str name) {
    if (str_list_has_nocase(names, name)) {
        return true;
    }
    str_list_push(arena, names, str_copy(arena, name));
    return false;
}

struct projection_rules {
    const char *cast_required;
    const char *alias_required;
    const char *star;  // what a `*` is a breach of
    const char *other; // and everything else
    bool column_only;  // only a column may stand under the cast
};

static void check_projection(struct checker *checker, yyjson_val *item, size_t number,
                             const struct projection_rules *rules, struct str_list *names) {
    const size_t offset = ast_first_offset(item);
    const str alias = ast_text(item, "alias");
    if (ast_is(item, "class", "STAR")) {
        add(checker, rules->star, offset,
            str_format(checker->arena, "column %zu: * is not allowed here", number),
            STR("name every column: col::TYPE AS name"));
        return;
    }
    yyjson_val *child = yyjson_obj_get(item, "child");
    const bool is_cast = ast_is(item, "class", "CAST");
    if (!is_cast || (rules->column_only && !ast_is(child, "class", "COLUMN_REF"))) {
        add(checker, rules->cast_required, offset,
            str_format(checker->arena,
                       rules->column_only ? "column %zu must be a column with a cast"
                                          : "column %zu needs a cast",
                       number),
            STR("write col::TYPE AS name"));
    }
    if (alias.size == 0) {
        add(checker, rules->alias_required, offset,
            str_format(checker->arena, "column %zu needs an alias", number),
            STR("write col::TYPE AS name"));
    } else if (name_is_taken(names, checker->arena, alias)) {
        add(checker, rules->other, offset,
            str_format(checker->arena, "the alias \"" STR_FORMAT "\" is used twice",
                       STR_ARGS(alias)),
            STR("give one of them another name: case does not count"));
    }
}

static void check_projections(struct checker *checker, yyjson_val *node,
                              const struct projection_rules *rules) {
    struct str_list names = {0};
    size_t i, max;
    yyjson_val *item;
    yyjson_arr_foreach(yyjson_obj_get(node, "select_list"), i, max, item) {
        check_projection(checker, item, i + 1, rules, &names);
    }
}

static bool is_present(yyjson_val *value) {
    return value != NULL && !yyjson_is_null(value) &&
           (!yyjson_is_arr(value) || yyjson_arr_size(value) > 0);
}

static void check_clause(struct checker *checker, yyjson_val *node, const char *key,
                         const char *rule, const char *clause) {
    yyjson_val *value = yyjson_obj_get(node, key);
    if (is_present(value)) {
        add(checker, rule, ast_first_offset(value),
            str_format(checker->arena, "a model with @fetch takes no %s", clause),
            STR("do it in a second model that reads this one"));
    }
}

static void check_modifiers(struct checker *checker, yyjson_val *node) {
    static const struct {
        const char *type;
        const char *rule;
        const char *clause;
    } MODIFIERS[] = {
        {"DISTINCT_MODIFIER", "strict_fetch.distinct_disallowed", "DISTINCT"},
        {"ORDER_MODIFIER", "strict_fetch.order_by_disallowed", "ORDER BY"},
    };
    size_t i, max;
    yyjson_val *modifier;
    yyjson_arr_foreach(yyjson_obj_get(node, "modifiers"), i, max, modifier) {
        for (size_t j = 0; j < ARRAY_COUNT(MODIFIERS); j++) {
            if (ast_is(modifier, "type", MODIFIERS[j].type)) {
                add(checker, MODIFIERS[j].rule, ast_first_offset(modifier),
                    str_format(checker->arena, "a model with @fetch takes no %s",
                               MODIFIERS[j].clause),
                    STR("do it in a second model that reads this one"));
            }
        }
        // LIMIT and OFFSET have rules of their own, for every model.
    }
}

static void check_fetch_source(struct checker *checker, yyjson_val *node) {
    yyjson_val *from = yyjson_obj_get(node, "from_table");
    find_lib_calls(checker, node, NULL);
    if (checker->lib_calls == 0) {
        add(checker, "strict_fetch.no_lib_call", ast_first_offset(from),
            STR("the model has @fetch and calls no lib function"),
            STR("select FROM a function of lib/, or remove @fetch"));
    } else if (checker->lib_calls > 1) {
        add(checker, "strict_fetch.multiple_lib_calls", ast_first_offset(from),
            str_format(checker->arena, "a model with @fetch calls one lib function, this one %zu",
                       checker->lib_calls),
            STR("fetch in a model for each"));
    } else if (!is_lib_call(checker, from)) {
        add(checker, "strict_fetch.other", ast_first_offset(from),
            STR("the lib call must be the only thing in FROM"),
            STR("join in a second model that reads this one"));
    }
    if (ast_contains(yyjson_obj_get(node, "select_list"), "SUBQUERY") ||
        yyjson_arr_size(yyjson_obj_get(yyjson_obj_get(node, "cte_map"), "map")) > 0) {
        add(checker, "strict_fetch.other", ast_first_offset(node),
            STR("a model with @fetch takes no subquery and no WITH"),
            STR("do it in a second model that reads this one"));
    }
}

void sql_check_fetch(struct arena *arena, str ast, bool (*is_lib)(void *self, str name), void *self,
                     struct sql_finding_list *findings) {
    static const struct projection_rules RULES = {
        "strict_fetch.cast_required", "strict_fetch.alias_required", "strict_fetch.cast_required",
        "strict_fetch.other", true};
    struct checker checker = {arena, "strict_fetch", is_lib, self, findings, 0};
    AST_DOCUMENT document = ast_document(ast);
    yyjson_val *node = ast_query(document);
    if (node == NULL) {
        return;
    }
    if (!ast_is(node, "type", "SELECT_NODE")) {
        add(&checker, "strict_fetch.union_disallowed", ast_first_offset(node),
            STR("a model with @fetch is one SELECT without set operations"),
            STR("do it in a second model that reads this one"));
        return;
    }
    check_fetch_source(&checker, node);
    check_clause(&checker, node, "where_clause", "strict_fetch.where_clause_disallowed", "WHERE");
    check_clause(&checker, node, "group_expressions", "strict_fetch.group_by_disallowed",
                 "GROUP BY");
    check_clause(&checker, node, "having", "strict_fetch.group_by_disallowed", "HAVING");
    check_clause(&checker, node, "qualify", "strict_fetch.other", "QUALIFY");
    check_modifiers(&checker, node);
    check_projections(&checker, node, &RULES);
}

void sql_check_push(struct arena *arena, str ast, bool (*is_lib)(void *self, str name), void *self,
                    struct sql_finding_list *findings) {
    static const struct projection_rules RULES = {
        "strict_push.cast_required", "strict_push.alias_required",
        "strict_push.select_star_disallowed", "strict_push.other", false};
    struct checker checker = {arena, "strict_push", is_lib, self, findings, 0};
    AST_DOCUMENT document = ast_document(ast);
    yyjson_val *node = ast_query(document);
    find_lib_calls(&checker, node, "strict_push.lib_call_disallowed");
    while (ast_is(node, "type", "SET_OPERATION_NODE")) {
        node = yyjson_obj_get(node, "left");
    }
    check_projections(&checker, node, &RULES);
}
