// The FROM clause: relations left to right, and what joins make of their names.
#include "base/text.h"
#include "sql/lineage_build.h"

// ── Relations ──

// `AS t(a, b)` names the first columns anew.
static void rename_columns(struct lineage_build *build, yyjson_val *names,
                           struct lineage_relation *relation) {
    size_t i, max;
    yyjson_val *name;
    yyjson_arr_foreach(names, i, max, name) {
        const str text = {yyjson_get_str(name), yyjson_get_len(name)};
        if (i >= relation->columns.count) {
            break;
        }
        relation->columns.items[i].name = str_copy(build->arena, text);
    }
}

void lineage_add_relation(struct lineage_build *build, struct lineage_frame *frame,
                          struct lineage_relation *relation, yyjson_val *node) {
    const size_t index = frame->query->relations.count;
    rename_columns(build, yyjson_obj_get(node, "column_name_alias"), relation);
    lineage_unique_names(build, &relation->columns);
    for (size_t i = 0; i < relation->columns.count; i++) {
        struct lineage_column *column = &relation->columns.items[i];
        column->copy = (struct lineage_copy){index, column->name};
    }
    LIST_PUSH(build->arena, &frame->query->relations, *relation);
}

void lineage_add_subquery(struct lineage_build *build, struct lineage_frame *frame,
                          struct lineage_query *query, str alias, yyjson_val *node) {
    query->reader_count++;
    struct lineage_relation relation = {
        .kind = LINEAGE_SUBQUERY,
        .alias = str_copy(build->arena, alias),
        .occurrence = SIZE_MAX,
        .query = query,
        .columns_known = true,
    };
    for (size_t i = 0; i < query->columns.count; i++) {
        LIST_PUSH(build->arena, &relation.columns, query->columns.items[i]);
        relation.columns_known =
            relation.columns_known && !str_equal(query->columns.items[i].name, STR("*"));
    }
    lineage_use_list(build, &frame->query->indirect, &query->indirect);
    lineage_add_relation(build, frame, &relation, node);
}

static size_t add_occurrence(struct lineage_build *build, str table, size_t offset, bool is_table) {
    const struct lineage_occurrence occurrence = {
        .table = table,
        .offset = build->inside > 0 ? SIZE_MAX : offset,
        .is_table = is_table,
        .is_inside = build->inside > 0,
    };
    LIST_PUSH(build->arena, &build->out->occurrences, occurrence);
    return build->out->occurrences.count - 1;
}

static void table_columns(struct lineage_build *build, const struct lineage_table *table,
                          struct lineage_relation *relation) {
    relation->columns_known = table->columns_known;
    for (size_t i = 0; i < table->columns.count; i++) {
        struct lineage_column column = lineage_nothing();
        column.name = table->columns.items[i];
        const struct lineage_source source = {
            .occurrence = relation->occurrence, .table = table->name, .column = column.name};
        lineage_add_source(build, &column, &source);
        if (i < table->types.count) {
            lineage_type_shape(build, table->types.items[i], &column);
        } else if (table->made_by != NULL && i < table->made_by->count) {
            lineage_shape_like(build, &table->made_by->items[i], &column);
            column.is_open = table->made_by->items[i].is_open;
        }
        LIST_PUSH(build->arena, &relation->columns, column);
    }
}

// ── Tables ──

static str plain_name(struct arena *arena, const struct lineage_name *name) {
    const bool is_file = name->schema.size == 0 && (str_find_char(name->name, '/') != SIZE_MAX ||
                                                    str_find_char(name->name, '.') != SIZE_MAX);
    if (is_file) {
        return str_copy(arena, name->name);
    }
    const str schema = name->schema.size > 0 ? name->schema : STR("main");
    return str_format(arena, STR_FORMAT "%s" STR_FORMAT "." STR_FORMAT, STR_ARGS(name->catalog),
                      name->catalog.size > 0 ? "." : "", STR_ARGS(schema), STR_ARGS(name->name));
}

static void cte_relation(struct lineage_build *build, struct lineage_frame *frame,
                         struct lineage_cte *cte, str alias, yyjson_val *node) {
    if (cte->query != NULL) {
        lineage_add_subquery(build, frame, cte->query, alias, node);
        return;
    }
    // A recursive one inside itself: what is known of its rows so far.
    struct lineage_relation relation = {
        .kind = LINEAGE_SUBQUERY,
        .alias = str_copy(build->arena, alias),
        .occurrence = SIZE_MAX,
        .columns_known = cte->rows != NULL,
    };
    for (size_t i = 0; cte->rows != NULL && i < cte->rows->count; i++) {
        LIST_PUSH(build->arena, &relation.columns, cte->rows->items[i]);
    }
    lineage_add_relation(build, frame, &relation, node);
}

static bool view_relation(struct lineage_build *build, struct lineage_frame *frame,
                          const struct lineage_table *table, str alias,
                          const struct lineage_binding *bindings, yyjson_val *node) {
    const struct lineage_definition *definition = table->definition;
    struct lineage_query *query =
        definition == NULL ? NULL : lineage_definition_build(build, definition, bindings);
    if (query == NULL) {
        return false;
    }
    for (size_t i = 0; i < definition->column_alias_count && i < query->columns.count; i++) {
        query->columns.items[i].name = definition->column_aliases[i];
    }
    lineage_add_subquery(build, frame, query, alias, node);
    return true;
}

static void base_table(struct lineage_build *build, yyjson_val *node, struct lineage_frame *frame) {
    const struct lineage_catalog *catalog = build->catalog;
    const struct lineage_name name = {ast_text(node, "catalog_name"), ast_text(node, "schema_name"),
                                      ast_text(node, "table_name")};
    const str own_alias = ast_text(node, "alias");
    const str alias = own_alias.size > 0 ? own_alias : name.name;
    const bool is_recurring = str_equal_nocase(name.schema, STR("recurring"));
    struct lineage_cte *cte = name.schema.size == 0 || is_recurring
                                  ? lineage_cte_find(build, frame->ctes, name.name)
                                  : NULL;
    if (cte != NULL) {
        cte_relation(build, frame, cte, alias, node);
        return;
    }
    struct lineage_table table = {0};
    if (catalog->table == NULL || !catalog->table(catalog->self, build->arena, &name, &table)) {
        table = (struct lineage_table){.name = plain_name(build->arena, &name)};
    }
    if (view_relation(build, frame, &table, alias, NULL, node)) {
        return;
    }
    struct lineage_relation relation = {
        .kind = LINEAGE_TABLE,
        .alias = str_copy(build->arena, alias),
        .schema = own_alias.size > 0 ? (str){0} : str_copy(build->arena, name.schema),
        .occurrence = add_occurrence(build, table.name, ast_offset(node), true),
    };
    table_columns(build, &table, &relation);
    lineage_add_relation(build, frame, &relation, node);
}

// ── Functions ──

struct function_columns {
    str function;
    const char *columns;
};

// Functions in FROM that read nothing but their arguments, with what they return.
static const struct function_columns PURE_FUNCTIONS[] = {
    {STR_INIT("range"), "range"},
    {STR_INIT("generate_series"), "generate_series"},
    {STR_INIT("unnest"), "unnest"},
    {STR_INIT("json_each"), "key,value,type,atom,id,parent,fullkey,path"},
    {STR_INIT("json_tree"), "key,value,type,atom,id,parent,fullkey,path"},
    {STR_INIT("generate_subscripts"), "generate_subscripts"},
};

// A path for a file reader, name() for the rest.
static str call_name(struct lineage_build *build, yyjson_val *function) {
    yyjson_val *first = yyjson_arr_get_first(yyjson_obj_get(function, "children"));
    yyjson_val *value = yyjson_obj_get(first, "value");
    const str name = ast_text(function, "function_name");
    const bool is_reader = str_starts_with(name, STR("read_")) ||
                           str_ends_with(name, STR("_scan")) || str_equal(name, STR("glob"));
    if (is_reader && ast_is(first, "class", "CONSTANT") &&
        yyjson_is_str(yyjson_obj_get(value, "value"))) {
        return str_copy(build->arena, ast_text(value, "value"));
    }
    return str_format(build->arena, STR_FORMAT "()", STR_ARGS(name));
}

static void push_column(struct lineage_build *build, struct lineage_relation *relation, str name,
                        const struct lineage_column *arguments, str function) {
    struct lineage_column column = lineage_nothing();
    lineage_take(build, &column, arguments, LINEAGE_FUNCTION, function);
    column.name = name;
    LIST_PUSH(build->arena, &relation->columns, column);
}

static bool pure_function(struct lineage_build *build, str name,
                          const struct lineage_column *arguments,
                          struct lineage_relation *relation) {
    for (size_t i = 0; i < ARRAY_COUNT(PURE_FUNCTIONS); i++) {
        if (!str_equal_nocase(PURE_FUNCTIONS[i].function, name)) {
            continue;
        }
        struct str_splitter names = {.rest = str_from(PURE_FUNCTIONS[i].columns)};
        str part;
        while (str_split_next(&names, ',', &part)) {
            push_column(build, relation, part, arguments, PURE_FUNCTIONS[i].function);
        }
        relation->kind = LINEAGE_VALUES;
        relation->columns_known = true;
        return true;
    }
    return false;
}

static struct lineage_column call_arguments(struct lineage_build *build, yyjson_val *function,
                                            struct lineage_frame *frame) {
    struct lineage_column arguments = lineage_nothing();
    size_t i, max;
    yyjson_val *child;
    yyjson_arr_foreach(yyjson_obj_get(function, "children"), i, max, child) {
        const struct lineage_column argument = lineage_expression(build, child, frame);
        lineage_take(build, &arguments, &argument, LINEAGE_IDENTITY, (str){0});
    }
    return arguments;
}

static void table_function(struct lineage_build *build, yyjson_val *node,
                           struct lineage_frame *frame) {
    const struct lineage_catalog *catalog = build->catalog;
    yyjson_val *function = yyjson_obj_get(node, "function");
    yyjson_val *children = yyjson_obj_get(function, "children");
    const struct lineage_name name = {ast_text(function, "catalog"), ast_text(function, "schema"),
                                      str_copy(build->arena, ast_text(function, "function_name"))};
    const str own_alias = ast_text(node, "alias");
    const str alias = own_alias.size > 0 ? own_alias : name.name;
    struct lineage_relation relation = {.alias = str_copy(build->arena, alias),
                                        .occurrence = SIZE_MAX};
    struct lineage_table table = {0};
    const struct lineage_column arguments = call_arguments(build, function, frame);
    // It makes as many rows as its arguments say.
    lineage_use_value(build, &frame->query->indirect, &arguments, LINEAGE_JOIN);
    if (!pure_function(build, name.name, &arguments, &relation)) {
        const bool is_known =
            catalog->call != NULL &&
            catalog->call(catalog->self, build->arena, &name, ast_write(build->arena, function),
                          yyjson_arr_size(children), &table);
        if (is_known && table.definition != NULL &&
            view_relation(build, frame, &table, alias,
                          lineage_bind_arguments(build, table.definition, children, frame), node)) {
            return;
        }
        table.name = table.name.size > 0 ? table.name : call_name(build, function);
        relation.kind = LINEAGE_CALL;
        relation.occurrence = add_occurrence(build, table.name, ast_offset(node), false);
        table_columns(build, &table, &relation);
        for (size_t i = 0; i < relation.columns.count; i++) {
            lineage_take(build, &relation.columns.items[i], &arguments, LINEAGE_FUNCTION,
                         name.name);
        }
    }
    if (ast_is(node, "with_ordinality", "WITH_ORDINALITY")) {
        const struct lineage_column nothing = lineage_nothing();
        push_column(build, &relation, STR("ordinality"), &nothing, (str){0});
    }
    lineage_add_relation(build, frame, &relation, node);
}

// ── Values, derived tables ──

static void values(struct lineage_build *build, yyjson_val *node, struct lineage_frame *frame) {
    struct lineage_relation relation = {
        .kind = LINEAGE_VALUES,
        .alias = str_copy(build->arena, ast_text(node, "alias")),
        .occurrence = SIZE_MAX,
        .columns_known = true,
    };
    size_t i, j, max, width;
    yyjson_val *row, *cell;
    yyjson_arr_foreach(yyjson_obj_get(node, "values"), i, max, row) {
        yyjson_arr_foreach(row, j, width, cell) {
            const struct lineage_column value = lineage_expression(build, cell, frame);
            if (j >= relation.columns.count) {
                struct lineage_column column = lineage_nothing();
                column.name = str_format(build->arena, "col%zu", j);
                LIST_PUSH(build->arena, &relation.columns, column);
            }
            lineage_take(build, &relation.columns.items[j], &value, LINEAGE_IDENTITY, (str){0});
        }
    }
    rename_columns(build, yyjson_obj_get(node, "expected_names"), &relation);
    lineage_add_relation(build, frame, &relation, node);
}

static void derived_table(struct lineage_build *build, yyjson_val *node,
                          struct lineage_frame *frame) {
    struct lineage_query *query =
        lineage_query_build(build, yyjson_obj_get(yyjson_obj_get(node, "subquery"), "node"),
                            frame->ctes, frame, frame->bindings);
    if (query != NULL) {
        lineage_add_subquery(build, frame, query, ast_text(node, "alias"), node);
    }
}

// DESCRIBE, SHOW, SUMMARIZE and what a later DuckDB may bring.
static void unknown_item(struct lineage_build *build, yyjson_val *node,
                         struct lineage_frame *frame) {
    struct lineage_relation relation = {
        .kind = LINEAGE_VALUES,
        .alias = str_copy(build->arena, ast_text(node, "alias")),
        .occurrence = SIZE_MAX,
    };
    lineage_note(build, "what " STR_FORMAT " returns cannot be traced",
                 STR_ARGS(ast_text(node, "type")));
    lineage_add_relation(build, frame, &relation, node);
}

// ── Joins ──

struct side {
    size_t first;
    size_t end;
};

// Where a side of the join has the column: *merged is set when an earlier USING made one of it.
static bool side_column(struct lineage_build *build, struct lineage_frame *frame, struct side side,
                        str name, size_t *relation, struct lineage_merged **merged) {
    *merged = NULL;
    for (size_t i = frame->merged.count; i > 0; i--) {
        struct lineage_merged *entry = &frame->merged.items[i - 1];
        if (str_equal_nocase(entry->name, name) && entry->relations[0] >= side.first &&
            entry->relations[0] < side.end) {
            *merged = entry;
            return true;
        }
    }
    size_t unknown = SIZE_MAX;
    for (size_t i = side.first; i < side.end; i++) {
        const struct lineage_relation *candidate = &frame->query->relations.items[i];
        if (candidate->only_filters) {
            continue;
        }
        if (candidate->columns_known && lineage_column_find(&candidate->columns, name) != NULL) {
            *relation = i;
            return true;
        }
        unknown = !candidate->columns_known && unknown == SIZE_MAX ? i : unknown;
    }
    *relation = unknown;
    return unknown != SIZE_MAX &&
           lineage_relation_column(build, frame->query, unknown, name) != NULL;
}

static struct lineage_column side_value(struct lineage_build *build, struct lineage_frame *frame,
                                        size_t relation, const struct lineage_merged *merged,
                                        str name) {
    return merged != NULL ? merged->value
                          : *lineage_relation_column(build, frame->query, relation, name);
}

static void add_relations(struct lineage_build *build, struct lineage_merged *into, size_t relation,
                          const struct lineage_merged *merged) {
    const size_t more = merged != NULL ? merged->relation_count : 1;
    const size_t *from = merged != NULL ? merged->relations : &relation;
    size_t *relations = ARENA_ARRAY(build->arena, size_t, into->relation_count + more);
    for (size_t i = 0; i < into->relation_count; i++) {
        relations[i] = into->relations[i];
    }
    for (size_t i = 0; i < more; i++) {
        relations[into->relation_count + i] = from[i];
    }
    into->relations = relations;
    into->relation_count += more;
}

// One column of USING: its values come from both sides.
static void merge_column(struct lineage_build *build, struct lineage_frame *frame, struct side left,
                         struct side right, str join_type, str name) {
    size_t left_relation, right_relation;
    struct lineage_merged *left_merged, *right_merged;
    if (!side_column(build, frame, left, name, &left_relation, &left_merged) ||
        !side_column(build, frame, right, name, &right_relation, &right_merged)) {
        lineage_note(build, "the column " STR_FORMAT " of USING is not on both sides",
                     STR_ARGS(name));
        return;
    }
    const struct lineage_column a = side_value(build, frame, left_relation, left_merged, name);
    const struct lineage_column b = side_value(build, frame, right_relation, right_merged, name);
    lineage_use_value(build, &frame->query->indirect, &a, LINEAGE_JOIN);
    lineage_use_value(build, &frame->query->indirect, &b, LINEAGE_JOIN);
    if (str_equal(join_type, STR("SEMI")) || str_equal(join_type, STR("ANTI"))) {
        return;
    }
    const bool is_full = str_equal(join_type, STR("FULL")) || str_equal(join_type, STR("OUTER"));
    const enum lineage_transformation how = is_full ? LINEAGE_CONDITIONAL : LINEAGE_IDENTITY;
    struct lineage_merged merged = {.name = a.name, .value = lineage_nothing()};
    merged.value.name = a.name;
    lineage_take(build, &merged.value, &a, how, (str){0});
    lineage_take(build, &merged.value, &b, how, (str){0});
    if (!is_full) {
        merged.value.copy = str_equal(join_type, STR("RIGHT")) ? b.copy : a.copy;
    }
    add_relations(build, &merged, left_relation, left_merged);
    add_relations(build, &merged, right_relation, right_merged);
    LIST_PUSH(build->arena, &frame->merged, merged);
}

static void natural_columns(struct lineage_build *build, struct lineage_frame *frame,
                            struct side left, struct side right, str join_type) {
    struct lineage_relation_list *relations = &frame->query->relations;
    struct str_list names = {0};
    for (size_t i = left.first; i < right.end; i++) {
        if (!relations->items[i].columns_known) {
            lineage_note(build, "the columns of a NATURAL JOIN with " STR_FORMAT " are not known",
                         STR_ARGS(relations->items[i].alias));
            return;
        }
    }
    for (size_t i = left.first; i < left.end; i++) {
        const struct lineage_column_list *columns = &relations->items[i].columns;
        for (size_t j = 0; j < columns->count; j++) {
            bool is_right = false;
            for (size_t k = right.first; k < right.end; k++) {
                is_right = is_right || lineage_column_find(&relations->items[k].columns,
                                                           columns->items[j].name) != NULL;
            }
            if (is_right && !str_list_has_nocase(&names, columns->items[j].name)) {
                str_list_push(build->arena, &names, columns->items[j].name);
            }
        }
    }
    for (size_t i = 0; i < names.count; i++) {
        merge_column(build, frame, left, right, join_type, names.items[i]);
    }
}

static void mark_side(struct lineage_query *query, struct side side, bool null_supplied,
                      bool only_filters) {
    for (size_t i = side.first; i < side.end; i++) {
        query->relations.items[i].is_null_supplied |= null_supplied;
        query->relations.items[i].only_filters |= only_filters;
    }
}

static void join(struct lineage_build *build, yyjson_val *node, struct lineage_frame *frame) {
    struct lineage_query *query = frame->query;
    const str type = str_copy(build->arena, ast_text(node, "join_type"));
    const str form = str_copy(build->arena, ast_text(node, "ref_type"));
    struct side left = {query->relations.count, 0};
    lineage_from(build, yyjson_obj_get(node, "left"), frame);
    left.end = query->relations.count;
    lineage_from(build, yyjson_obj_get(node, "right"), frame);
    const struct side right = {left.end, query->relations.count};
    LIST_PUSH(build->arena, &query->joins, ((struct lineage_join){type, form}));
    yyjson_val *condition = yyjson_obj_get(node, "condition");
    if (yyjson_is_obj(condition)) {
        const struct lineage_column value = lineage_expression(build, condition, frame);
        lineage_use_value(build, &query->indirect, &value, LINEAGE_JOIN);
    }
    size_t i, max;
    yyjson_val *name;
    yyjson_arr_foreach(yyjson_obj_get(node, "using_columns"), i, max, name) {
        merge_column(build, frame, left, right, type,
                     str_copy(build->arena, (str){yyjson_get_str(name), yyjson_get_len(name)}));
    }
    if (str_equal(form, STR("NATURAL"))) {
        natural_columns(build, frame, left, right, type);
    }
    const bool is_full = str_equal(type, STR("FULL")) || str_equal(type, STR("OUTER"));
    const bool is_filter = str_equal(type, STR("SEMI")) || str_equal(type, STR("ANTI"));
    const bool is_positional = str_equal(form, STR("POSITIONAL"));
    mark_side(query, left, is_full || is_positional || str_equal(type, STR("RIGHT")), false);
    mark_side(query, right, is_full || is_positional || str_equal(type, STR("LEFT")), is_filter);
}

void lineage_from(struct lineage_build *build, yyjson_val *node, struct lineage_frame *frame) {
    const str type = ast_text(node, "type");
    if (str_equal(type, STR("BASE_TABLE"))) {
        base_table(build, node, frame);
    } else if (str_equal(type, STR("JOIN"))) {
        join(build, node, frame);
    } else if (str_equal(type, STR("SUBQUERY"))) {
        derived_table(build, node, frame);
    } else if (str_equal(type, STR("TABLE_FUNCTION"))) {
        table_function(build, node, frame);
    } else if (str_equal(type, STR("EXPRESSION_LIST"))) {
        values(build, node, frame);
    } else if (str_equal(type, STR("PIVOT"))) {
        lineage_pivot(build, node, frame);
    } else if (yyjson_is_obj(node) && !str_equal(type, STR("EMPTY"))) {
        unknown_item(build, node, frame);
    }
}
