// Expressions: what a value is made of, and how strongly it was changed on the way.
#include "base/text.h"
#include "sql/lineage_build.h"

// ── Names ──

str lineage_expression_name(struct lineage_build *build, yyjson_val *node,
                            const struct lineage_column *value) {
    const str alias = ast_text(node, "alias");
    if (alias.size > 0) {
        return str_copy(build->arena, alias);
    }
    if (ast_is(node, "class", "COLUMN_REF") || ast_is(node, "class", "POSITIONAL_REFERENCE")) {
        return str_copy(build->arena, value->name);
    }
    const struct lineage_catalog *catalog = build->catalog;
    return catalog->expression_name == NULL
               ? (str){0}
               : catalog->expression_name(catalog->self, build->arena,
                                          ast_write(build->arena, node));
}

// ── Parts ──

static void take_part(struct lineage_build *build, struct lineage_column *value, yyjson_val *part,
                      struct lineage_frame *frame, enum lineage_transformation transformation,
                      str function) {
    if (yyjson_is_obj(part)) {
        const struct lineage_column inner = lineage_expression(build, part, frame);
        lineage_take(build, value, &inner, transformation, function);
    }
}

// As take_list; returns the first one.
static struct lineage_column take_values(struct lineage_build *build, struct lineage_column *value,
                                         yyjson_val *list, struct lineage_frame *frame,
                                         enum lineage_transformation transformation, str function) {
    struct lineage_column first = lineage_nothing();
    size_t i, max;
    yyjson_val *part;
    yyjson_arr_foreach(list, i, max, part) {
        const struct lineage_column inner = lineage_expression(build, part, frame);
        lineage_take(build, value, &inner, transformation, function);
        first = i == 0 ? inner : first;
    }
    return first;
}

static void take_list(struct lineage_build *build, struct lineage_column *value, yyjson_val *list,
                      struct lineage_frame *frame, enum lineage_transformation transformation,
                      str function) {
    size_t i, max;
    yyjson_val *part;
    yyjson_arr_foreach(list, i, max, part) {
        take_part(build, value, part, frame, transformation, function);
    }
}

static void use_part(struct lineage_build *build, struct lineage_column *value, yyjson_val *part,
                     struct lineage_frame *frame, enum lineage_use use) {
    if (yyjson_is_obj(part)) {
        const struct lineage_column inner = lineage_expression(build, part, frame);
        lineage_use_value(build, &value->indirect, &inner, use);
        value->untraced = value->untraced || inner.untraced;
    }
}

// [{type, null_order, expression}]
static void use_orders(struct lineage_build *build, struct lineage_column *value,
                       yyjson_val *orders, struct lineage_frame *frame, enum lineage_use use) {
    size_t i, max;
    yyjson_val *order;
    yyjson_arr_foreach(orders, i, max, order) {
        use_part(build, value, yyjson_obj_get(order, "expression"), frame, use);
    }
}

void lineage_take_rows(struct lineage_build *build, struct lineage_column *value,
                       const struct lineage_query *query, str function) {
    if (query == NULL) {
        return;
    }
    if (query->kind != LINEAGE_SELECT) {
        lineage_take_rows(build, value, query->left, function);
        if (!str_equal(query->operation, STR("EXCEPT"))) {
            lineage_take_rows(build, value, query->right, function);
        }
    }
    for (size_t i = 0; i < query->relations.count; i++) {
        const struct lineage_relation *relation = &query->relations.items[i];
        if (relation->only_filters) {
            continue;
        }
        if (relation->occurrence != SIZE_MAX) {
            const struct lineage_source source = {
                .occurrence = relation->occurrence,
                .table = build->out->occurrences.items[relation->occurrence].table,
                .column = STR("*"),
                .transformation = LINEAGE_AGGREGATION,
                .function = function,
            };
            lineage_add_source(build, value, &source);
        }
        lineage_take_rows(build, value, relation->query, function);
    }
}

// ── Lambdas and macros ──

static struct lineage_column with_binding(struct lineage_build *build, yyjson_val *node,
                                          struct lineage_frame *frame,
                                          const struct lineage_binding *bindings) {
    const struct lineage_binding *saved = frame->bindings;
    frame->bindings = bindings;
    const struct lineage_column value = lineage_expression(build, node, frame);
    frame->bindings = saved;
    return value;
}

// The parameters of a lambda stand for values that the function's other arguments give.
static const struct lineage_binding *bind_parameter(struct lineage_build *build,
                                                    yyjson_val *column_ref,
                                                    const struct lineage_binding *outer) {
    yyjson_val *name = yyjson_arr_get_first(yyjson_obj_get(column_ref, "column_names"));
    struct lineage_binding *binding = ARENA_NEW(build->arena, struct lineage_binding);
    *binding = (struct lineage_binding){
        .outer = outer,
        .name = {yyjson_get_str(name), yyjson_get_len(name)},
        .value = lineage_nothing(),
    };
    return binding;
}

static struct lineage_column lambda_body(struct lineage_build *build, yyjson_val *node,
                                         struct lineage_frame *frame) {
    yyjson_val *lhs = yyjson_obj_get(node, "lhs");
    const struct lineage_binding *bindings = frame->bindings;
    if (ast_is(lhs, "class", "COLUMN_REF")) {
        bindings = bind_parameter(build, lhs, bindings);
    }
    size_t i, max;
    yyjson_val *parameter;
    yyjson_arr_foreach(yyjson_obj_get(lhs, "children"), i, max, parameter) {
        bindings = bind_parameter(build, parameter, bindings);
    }
    return with_binding(build, yyjson_obj_get(node, "expr"), frame, bindings);
}

const struct lineage_binding *lineage_bind_arguments(struct lineage_build *build,
                                                     const struct lineage_definition *macro,
                                                     yyjson_val *arguments,
                                                     struct lineage_frame *frame) {
    const size_t count = macro->parameter_count;
    struct lineage_binding *bindings = ARENA_ARRAY(build->arena, struct lineage_binding, count);
    for (size_t i = 0; i < count; i++) {
        bindings[i] = (struct lineage_binding){i > 0 ? &bindings[i - 1] : NULL,
                                               macro->parameters[i], lineage_nothing(), frame};
    }
    size_t i, max, position = 0;
    yyjson_val *argument;
    yyjson_arr_foreach(arguments, i, max, argument) {
        const str name = ast_text(argument, "alias"); // name := value
        size_t at = name.size > 0 ? 0 : position++;
        while (name.size > 0 && at < count && !str_equal_nocase(bindings[at].name, name)) {
            at++;
        }
        if (at < count) {
            bindings[at].value = lineage_expression(build, argument, frame);
        }
    }
    return count > 0 ? &bindings[count - 1] : NULL;
}

static bool expand_macro(struct lineage_build *build, yyjson_val *node, str name,
                         struct lineage_frame *frame, struct lineage_column *value) {
    const struct lineage_catalog *catalog = build->catalog;
    yyjson_val *arguments = yyjson_obj_get(node, "children");
    struct lineage_definition macro = {0};
    const struct lineage_name asked = {ast_text(node, "catalog"), ast_text(node, "schema"), name};
    if (catalog->macro == NULL || build->inside >= LINEAGE_DEPTH_MAX ||
        !catalog->macro(catalog->self, build->arena, &asked, yyjson_arr_size(arguments), &macro)) {
        return false;
    }
    yyjson_val *query = lineage_document(build, macro.ast);
    yyjson_val *body = yyjson_arr_get_first(yyjson_obj_get(query, "select_list"));
    if (body == NULL) {
        return false;
    }
    const struct lineage_binding *bindings =
        lineage_bind_arguments(build, &macro, arguments, frame);
    build->inside++;
    *value = with_binding(build, body, frame, bindings);
    build->inside--;
    return true;
}

// ── Functions ──

// {'a': x} and its like keep each field's own sources.
static void keep_fields(struct lineage_build *build, yyjson_val *node, struct lineage_frame *frame,
                        struct lineage_column *value) {
    struct lineage_column_list *fields = ARENA_NEW(build->arena, struct lineage_column_list);
    size_t i, max;
    yyjson_val *child;
    yyjson_arr_foreach(yyjson_obj_get(node, "children"), i, max, child) {
        struct lineage_column field = lineage_expression(build, child, frame);
        field.name = lineage_expression_name(build, child, &field);
        lineage_take(build, value, &field, LINEAGE_FUNCTION, STR("struct_pack"));
        LIST_PUSH(build->arena, fields, field);
    }
    value->fields = fields;
}

// s['a'] and struct_extract(s, 'a').
static bool extract_field(struct lineage_build *build, yyjson_val *node,
                          struct lineage_frame *frame, struct lineage_column *value) {
    yyjson_val *children = yyjson_obj_get(node, "children");
    yyjson_val *key = yyjson_arr_get(children, 1);
    yyjson_val *constant = yyjson_obj_get(key, "value");
    if (!ast_is(key, "class", "CONSTANT") || !yyjson_is_str(yyjson_obj_get(constant, "value"))) {
        return false;
    }
    const struct lineage_column whole =
        lineage_expression(build, yyjson_arr_get_first(children), frame);
    *value = lineage_field(build, &whole, ast_text(constant, "value"));
    return true;
}

static void function_arguments(struct lineage_build *build, yyjson_val *node, str name,
                               struct lineage_frame *frame, struct lineage_column *value) {
    str shown;
    const enum lineage_transformation transformation = lineage_function(build, node, name, &shown);
    const bool takes_lambda = lineage_takes_lambda(name);
    struct lineage_column first = lineage_nothing();
    size_t i, max;
    yyjson_val *child;
    yyjson_arr_foreach(yyjson_obj_get(node, "children"), i, max, child) {
        if (takes_lambda && ast_is(child, "class", "LAMBDA")) {
            const struct lineage_column body = lambda_body(build, child, frame);
            lineage_take(build, value, &body, transformation, shown);
        } else {
            const struct lineage_column argument = lineage_expression(build, child, frame);
            lineage_take(build, value, &argument, transformation, shown);
            first = i == 0 ? argument : first;
        }
    }
    lineage_call_shape(build, name, &first, value);
    if (transformation == LINEAGE_AGGREGATION) {
        frame->saw_aggregate = true;
        const bool counts_rows = yyjson_arr_size(yyjson_obj_get(node, "children")) == 0;
        if (counts_rows &&
            (str_equal_nocase(name, STR("count_star")) || str_equal_nocase(name, STR("count")))) {
            lineage_take_rows(build, value, frame->query, STR("count"));
        }
    }
    use_part(build, value, yyjson_obj_get(node, "filter"), frame, LINEAGE_FILTER);
    use_orders(build, value, yyjson_obj_get(yyjson_obj_get(node, "order_bys"), "orders"), frame,
               LINEAGE_SORT);
}

// `c.upper()` is parsed as the function upper of the schema c.
static void chained_column(struct lineage_build *build, yyjson_val *node, str name,
                           struct lineage_frame *frame, struct lineage_column *value) {
    static const str SCHEMAS[] = {STR_INIT("main"), STR_INIT("pg_catalog"), STR_INIT("memory"),
                                  STR_INIT("system"), STR_INIT("information_schema")};
    const str schema = ast_text(node, "schema");
    bool is_schema = schema.size == 0;
    for (size_t i = 0; i < ARRAY_COUNT(SCHEMAS); i++) {
        is_schema = is_schema || str_equal_nocase(SCHEMAS[i], schema);
    }
    if (is_schema) {
        return;
    }
    yyjson_mut_doc *document = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *reference = yyjson_mut_obj(document);
    yyjson_mut_val *parts = yyjson_mut_arr(document);
    const str catalog = ast_text(node, "catalog");
    if (catalog.size > 0) {
        yyjson_mut_arr_add_strncpy(document, parts, catalog.data, catalog.size);
    }
    yyjson_mut_arr_add_strncpy(document, parts, schema.data, schema.size);
    yyjson_mut_obj_add_val(document, reference, "column_names", parts);
    yyjson_mut_doc_set_root(document, reference);
    yyjson_doc *fixed = yyjson_mut_doc_imut_copy(document, NULL);
    yyjson_mut_doc_free(document);
    LIST_PUSH(build->arena, &build->documents, fixed);
    const struct lineage_column column = lineage_resolve(build, yyjson_doc_get_root(fixed), frame);
    str shown;
    const enum lineage_transformation transformation = lineage_function(build, node, name, &shown);
    lineage_take(build, value, &column, transformation, shown);
}

static struct lineage_column function(struct lineage_build *build, yyjson_val *node,
                                      struct lineage_frame *frame) {
    struct lineage_column value = lineage_nothing();
    const str name = str_to_lower(build->arena, ast_text(node, "function_name"));
    if (str_equal(name, STR("struct_pack"))) {
        keep_fields(build, node, frame, &value);
        return value;
    }
    if ((str_equal(name, STR("struct_extract")) || str_equal(name, STR("array_extract"))) &&
        extract_field(build, node, frame, &value)) {
        return value;
    }
    if (!ast_bool(node, "is_operator") && expand_macro(build, node, name, frame, &value)) {
        return value;
    }
    chained_column(build, node, name, frame, &value);
    function_arguments(build, node, name, frame, &value);
    if (str_equal(name, STR("unnest"))) { // a row for each item
        lineage_use_value(build, &frame->query->indirect, &value, LINEAGE_JOIN);
    }
    return value;
}

// ── Windows ──

static struct lineage_column window(struct lineage_build *build, yyjson_val *node,
                                    struct lineage_frame *frame) {
    struct lineage_column value = lineage_nothing();
    const str name = str_to_lower(build->arena, ast_text(node, "function_name"));
    const bool is_aggregate = ast_is(node, "type", "WINDOW_AGGREGATE");
    const enum lineage_transformation transformation =
        is_aggregate ? LINEAGE_AGGREGATION : LINEAGE_FUNCTION;
    take_list(build, &value, yyjson_obj_get(node, "children"), frame, transformation,
              lineage_word(build, name));
    if (yyjson_arr_size(yyjson_obj_get(node, "children")) == 0 &&
        (str_equal(name, STR("count")) || str_equal(name, STR("count_star")))) {
        lineage_take_rows(build, &value, frame->query, STR("count"));
    }
    take_part(build, &value, yyjson_obj_get(node, "default_expr"), frame, transformation, name);
    size_t i, max;
    yyjson_val *part;
    yyjson_arr_foreach(yyjson_obj_get(node, "partitions"), i, max, part) {
        const struct lineage_column column = lineage_expression(build, part, frame);
        lineage_use_value(build, &value.indirect, &column, LINEAGE_WINDOW);
        value.untraced = value.untraced || column.untraced;
    }
    use_orders(build, &value, yyjson_obj_get(node, "orders"), frame, LINEAGE_WINDOW);
    use_orders(build, &value, yyjson_obj_get(node, "arg_orders"), frame, LINEAGE_SORT);
    use_part(build, &value, yyjson_obj_get(node, "start_expr"), frame, LINEAGE_WINDOW);
    use_part(build, &value, yyjson_obj_get(node, "end_expr"), frame, LINEAGE_WINDOW);
    use_part(build, &value, yyjson_obj_get(node, "offset_expr"), frame, LINEAGE_WINDOW);
    use_part(build, &value, yyjson_obj_get(node, "filter_expr"), frame, LINEAGE_FILTER);
    return value;
}

// ── Subqueries ──

static struct lineage_column subquery(struct lineage_build *build, yyjson_val *node,
                                      struct lineage_frame *frame) {
    struct lineage_column value = lineage_nothing();
    const bool in_projection = build->in_projection;
    struct lineage_query *query =
        lineage_query_build(build, yyjson_obj_get(yyjson_obj_get(node, "subquery"), "node"),
                            frame->ctes, frame, frame->bindings);
    build->in_projection = in_projection;
    if (query == NULL) {
        return value;
    }
    const struct lineage_subquery entry = {query, in_projection};
    LIST_PUSH(build->arena, &frame->query->subqueries, entry);
    const bool is_any = ast_is(node, "subquery_type", "ANY");
    if (ast_is(node, "subquery_type", "EXISTS") || ast_is(node, "subquery_type", "NOT_EXISTS")) {
        struct lineage_column rows = lineage_nothing();
        lineage_take_rows(build, &rows, query, STR("exists"));
        lineage_use_value(build, &value.indirect, &rows, LINEAGE_FILTER);
    } else if (query->columns.count > 0) {
        const struct lineage_column *column = &query->columns.items[0];
        lineage_take(build, &value, column, is_any ? LINEAGE_FUNCTION : LINEAGE_IDENTITY,
                     STR("in"));
    }
    take_part(build, &value, yyjson_obj_get(node, "child"), frame, LINEAGE_FUNCTION, STR("in"));
    lineage_use_list(build, &value.indirect, &query->indirect);
    return value;
}

// ── All ──

// One of the values that it may be: they have one type.
static void take_choice(struct lineage_build *build, struct lineage_column *value,
                        yyjson_val *choice, struct lineage_frame *frame) {
    if (yyjson_is_obj(choice)) {
        const struct lineage_column inner = lineage_expression(build, choice, frame);
        lineage_take(build, value, &inner, LINEAGE_CONDITIONAL, (str){0});
        lineage_choice_shape(build, &inner, value);
    }
}

static struct lineage_column case_expression(struct lineage_build *build, yyjson_val *node,
                                             struct lineage_frame *frame) {
    struct lineage_column value = lineage_nothing();
    size_t i, max;
    yyjson_val *check;
    yyjson_arr_foreach(yyjson_obj_get(node, "case_checks"), i, max, check) {
        take_part(build, &value, yyjson_obj_get(check, "when_expr"), frame, LINEAGE_CONDITIONAL,
                  (str){0});
        take_choice(build, &value, yyjson_obj_get(check, "then_expr"), frame);
    }
    take_choice(build, &value, yyjson_obj_get(node, "else_expr"), frame);
    return value;
}

static struct lineage_column star(struct lineage_build *build, yyjson_val *node,
                                  struct lineage_frame *frame) {
    if (build->star != NULL) {
        return *build->star;
    }
    struct lineage_column value = lineage_nothing();
    struct lineage_column_list columns = {0};
    lineage_star_columns(build, node, frame, &columns);
    for (size_t i = 0; i < columns.count; i++) {
        lineage_take(build, &value, &columns.items[i], LINEAGE_IDENTITY, (str){0});
    }
    return value;
}

// `#2`: the second column of the FROM clause.
static struct lineage_column positional(struct lineage_build *build, yyjson_val *node,
                                        struct lineage_frame *frame) {
    size_t position = (size_t)ast_int(node, "index");
    for (size_t i = 0; position > 0 && i < frame->query->relations.count; i++) {
        const struct lineage_relation *relation = &frame->query->relations.items[i];
        if (position <= relation->columns.count) {
            return relation->columns.items[position - 1];
        }
        position -= relation->columns.count;
    }
    struct lineage_column value = lineage_nothing();
    value.untraced = true;
    lineage_note(build, "the column #%d of the tables is not known", ast_int(node, "index"));
    return value;
}

// A node that has no rule of its own: a function of all expressions in it.
static void take_members(struct lineage_build *build, yyjson_val *node, struct lineage_frame *frame,
                         struct lineage_column *value, str name) {
    size_t i, max;
    yyjson_val *key, *member;
    if (yyjson_is_arr(node)) {
        yyjson_arr_foreach(node, i, max, member) {
            take_part(build, value, member, frame, LINEAGE_FUNCTION, name);
        }
        return;
    }
    yyjson_obj_foreach(node, i, max, key, member) {
        if (yyjson_is_arr(member)) {
            take_members(build, member, frame, value, name);
        } else if (yyjson_is_obj(member) && yyjson_obj_get(member, "class") != NULL) {
            take_part(build, value, member, frame, LINEAGE_FUNCTION, name);
        }
    }
}

static struct lineage_column operator_expression(struct lineage_build *build, yyjson_val *node,
                                                 struct lineage_frame *frame) {
    struct lineage_column value = lineage_nothing();
    const str type = ast_text(node, "type");
    yyjson_val *children = yyjson_obj_get(node, "children");
    if ((str_equal(type, STR("STRUCT_EXTRACT")) || str_equal(type, STR("ARRAY_EXTRACT"))) &&
        extract_field(build, node, frame, &value)) {
        return value;
    }
    if (str_equal(type, STR("OPERATOR_COALESCE")) || str_equal(type, STR("OPERATOR_NULLIF"))) {
        size_t i, max;
        yyjson_val *choice;
        yyjson_arr_foreach(children, i, max, choice) {
            take_choice(build, &value, choice, frame);
        }
    } else if (str_equal(type, STR("OPERATOR_UNPACK"))) {
        take_list(build, &value, children, frame, LINEAGE_IDENTITY, (str){0});
    } else {
        const str name = lineage_word(build, type);
        const struct lineage_column first =
            take_values(build, &value, children, frame, LINEAGE_FUNCTION, name);
        lineage_call_shape(build, name, &first, &value);
    }
    return value;
}

struct lineage_column lineage_expression(struct lineage_build *build, yyjson_val *node,
                                         struct lineage_frame *frame) {
    const str class = ast_text(node, "class");
    struct lineage_column value = lineage_nothing();
    if (str_equal(class, STR("COLUMN_REF"))) {
        return lineage_resolve(build, node, frame);
    }
    if (str_equal(class, STR("FUNCTION"))) {
        return function(build, node, frame);
    }
    if (str_equal(class, STR("WINDOW"))) {
        return window(build, node, frame);
    }
    if (str_equal(class, STR("SUBQUERY"))) {
        return subquery(build, node, frame);
    }
    if (str_equal(class, STR("STAR"))) {
        return star(build, node, frame);
    }
    if (str_equal(class, STR("CASE"))) {
        return case_expression(build, node, frame);
    }
    if (str_equal(class, STR("OPERATOR"))) {
        return operator_expression(build, node, frame);
    }
    if (str_equal(class, STR("POSITIONAL_REFERENCE"))) {
        return positional(build, node, frame);
    }
    if (str_equal(class, STR("CAST"))) {
        take_part(build, &value, yyjson_obj_get(node, "child"), frame, LINEAGE_CAST, (str){0});
        lineage_type_shape(build, ast_type(build->arena, yyjson_obj_get(node, "cast_type"))->text,
                           &value);
    } else if (str_equal(class, STR("COLLATE"))) {
        take_part(build, &value, yyjson_obj_get(node, "child"), frame, LINEAGE_FUNCTION,
                  STR("collate"));
    } else if (str_equal(class, STR("LAMBDA"))) {
        take_part(build, &value, yyjson_obj_get(node, "lhs"), frame, LINEAGE_FUNCTION, STR("->"));
        take_part(build, &value, yyjson_obj_get(node, "expr"), frame, LINEAGE_FUNCTION, STR("->"));
    } else if (str_equal(class, STR("CONSTANT"))) {
        value.is_plain = true;
    } else if (!str_equal(class, STR("PARAMETER"))) {
        take_members(build, node, frame, &value, lineage_word(build, ast_text(node, "type")));
    }
    return value;
}
