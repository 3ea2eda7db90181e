// `*`, `t.*`, EXCLUDE, REPLACE, RENAME, COLUMNS(…): one item of a SELECT list that is many columns.
#include "base/text.h"
#include "sql/lineage_build.h"

#include <stdlib.h>

// ── The columns of the FROM clause ──

// Whether an earlier relation has shown this column already, as the one of USING.
static bool is_merged_here(const struct lineage_frame *frame, size_t relation, str name,
                           const struct lineage_column **merged) {
    for (size_t i = frame->merged.count; i > 0; i--) {
        const struct lineage_merged *entry = &frame->merged.items[i - 1];
        if (!str_equal_nocase(entry->name, name)) {
            continue;
        }
        for (size_t j = 0; j < entry->relation_count; j++) {
            if (entry->relations[j] == relation) {
                *merged = &entry->value;
                return true;
            }
        }
    }
    return false;
}

static bool has_shown(const struct lineage_column *const *shown, size_t count,
                      const struct lineage_column *merged) {
    for (size_t i = 0; i < count; i++) {
        if (shown[i] == merged) {
            return true;
        }
    }
    return false;
}

// What stands for the columns of a relation that nobody can name.
static void push_unknown(struct lineage_build *build, const struct lineage_relation *relation,
                         struct lineage_column_list *columns) {
    struct lineage_column column = lineage_nothing();
    column.name = STR("*");
    column.untraced = true;
    if (relation->occurrence != SIZE_MAX) {
        const struct lineage_source source = {
            .occurrence = relation->occurrence,
            .table = build->out->occurrences.items[relation->occurrence].table,
            .column = STR("*"),
        };
        lineage_add_source(build, &column, &source);
        lineage_note(build, "the columns of " STR_FORMAT " are not known", STR_ARGS(source.table));
    }
    const struct lineage_query *query = relation->query;
    for (size_t i = 0; query != NULL && i < query->columns.count; i++) {
        if (str_equal(query->columns.items[i].name, STR("*"))) {
            lineage_take(build, &column, &query->columns.items[i], LINEAGE_IDENTITY, (str){0});
        }
    }
    LIST_PUSH(build->arena, columns, column);
}

static void push_relation(struct lineage_build *build, struct lineage_frame *frame, size_t index,
                          struct lineage_column_list *columns) {
    const struct lineage_relation *relation = &frame->query->relations.items[index];
    for (size_t i = 0; relation->columns_known && i < relation->columns.count; i++) {
        LIST_PUSH(build->arena, columns, relation->columns.items[i]);
    }
    if (!relation->columns_known) {
        push_unknown(build, relation, columns);
    }
}

static void push_all(struct lineage_build *build, struct lineage_frame *frame,
                     struct lineage_column_list *columns) {
    const struct lineage_column **shown =
        ARENA_ARRAY(build->arena, const struct lineage_column *, frame->merged.count);
    size_t shown_count = 0;
    for (size_t i = 0; i < frame->query->relations.count; i++) {
        const struct lineage_relation *relation = &frame->query->relations.items[i];
        if (relation->only_filters) {
            continue;
        }
        if (!relation->columns_known) {
            push_unknown(build, relation, columns);
            continue;
        }
        for (size_t j = 0; j < relation->columns.count; j++) {
            const struct lineage_column *column = &relation->columns.items[j];
            const struct lineage_column *merged = NULL;
            if (!is_merged_here(frame, i, column->name, &merged)) {
                LIST_PUSH(build->arena, columns, *column);
            } else if (!has_shown(shown, shown_count, merged)) {
                shown[shown_count++] = merged;
                LIST_PUSH(build->arena, columns, *merged);
            }
        }
    }
}

// `s.*` of a struct column: its fields.
static void push_fields(struct lineage_build *build, const struct lineage_column *value,
                        struct lineage_column_list *columns) {
    for (size_t i = 0; value->fields != NULL && i < value->fields->count; i++) {
        struct lineage_column field = lineage_field(build, value, value->fields->items[i].name);
        LIST_PUSH(build->arena, columns, field);
    }
    if (value->fields == NULL) {
        struct lineage_column column = lineage_nothing();
        lineage_take(build, &column, value, LINEAGE_FUNCTION, STR("struct_extract"));
        column.name = STR("*");
        column.untraced = true;
        lineage_note(build, "the fields of " STR_FORMAT " are not known", STR_ARGS(value->name));
        LIST_PUSH(build->arena, columns, column);
    }
}

static struct lineage_column column_named(struct lineage_build *build, str name,
                                          struct lineage_frame *frame) {
    yyjson_mut_doc *document = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *reference = yyjson_mut_obj(document);
    yyjson_mut_val *parts = yyjson_mut_arr(document);
    yyjson_mut_arr_add_strncpy(document, parts, name.data, name.size);
    yyjson_mut_obj_add_val(document, reference, "column_names", parts);
    yyjson_mut_doc_set_root(document, reference);
    yyjson_doc *fixed = yyjson_mut_doc_imut_copy(document, NULL);
    yyjson_mut_doc_free(document);
    LIST_PUSH(build->arena, &build->documents, fixed);
    return lineage_resolve(build, yyjson_doc_get_root(fixed), frame);
}

static void push_star(struct lineage_build *build, yyjson_val *star, struct lineage_frame *frame,
                      struct lineage_column_list *columns) {
    const str name = ast_text(star, "relation_name");
    if (name.size == 0) {
        push_all(build, frame, columns);
        return;
    }
    for (struct lineage_frame *at = frame; at != NULL; at = at->outer) {
        const size_t relation = lineage_relation_find(at, (str){0}, name);
        if (relation != SIZE_MAX) {
            push_relation(build, at, relation, columns);
            return;
        }
    }
    const struct lineage_column value = column_named(build, name, frame);
    push_fields(build, &value, columns);
}

// ── EXCLUDE, REPLACE, RENAME ──

static bool is_excluded(yyjson_val *star, const struct lineage_column *column) {
    size_t i, max;
    yyjson_val *entry;
    yyjson_arr_foreach(yyjson_obj_get(star, "exclude_list"), i, max, entry) {
        if (str_equal_nocase((str){yyjson_get_str(entry), yyjson_get_len(entry)}, column->name)) {
            return true;
        }
    }
    yyjson_arr_foreach(yyjson_obj_get(star, "qualified_exclude_list"), i, max, entry) {
        if (str_equal_nocase(ast_text(entry, "column"), column->name)) {
            return true;
        }
    }
    return false;
}

static bool excludes_table(const struct lineage_frame *frame, yyjson_val *star,
                           const struct lineage_column *column) {
    size_t i, max;
    yyjson_val *entry;
    yyjson_arr_foreach(yyjson_obj_get(star, "qualified_exclude_list"), i, max, entry) {
        const str table = ast_text(entry, "table");
        if (table.size > 0 && str_equal_nocase(ast_text(entry, "column"), column->name) &&
            column->copy.relation < frame->query->relations.count &&
            !str_equal_nocase(frame->query->relations.items[column->copy.relation].alias, table)) {
            return false;
        }
    }
    return is_excluded(star, column);
}

static void replace(struct lineage_build *build, yyjson_val *star, struct lineage_frame *frame,
                    struct lineage_column *column) {
    size_t i, max;
    yyjson_val *entry;
    yyjson_arr_foreach(yyjson_obj_get(star, "replace_list"), i, max, entry) {
        if (str_equal_nocase(ast_text(entry, "key"), column->name)) {
            const str name = column->name;
            *column = lineage_expression(build, yyjson_obj_get(entry, "value"), frame);
            column->name = name;
        }
    }
    yyjson_arr_foreach(yyjson_obj_get(star, "rename_list"), i, max, entry) {
        if (str_equal_nocase(ast_text(yyjson_obj_get(entry, "key"), "column"), column->name)) {
            column->name = str_copy(build->arena, ast_text(entry, "value"));
            break;
        }
    }
}

// ── COLUMNS(…): which names ──

static yyjson_mut_val *text_constant(yyjson_mut_doc *document, str text) {
    yyjson_mut_val *node = yyjson_mut_obj(document);
    yyjson_mut_val *value = yyjson_mut_obj(document);
    yyjson_mut_val *type = yyjson_mut_obj(document);
    yyjson_mut_obj_add_str(document, type, "id", "VARCHAR");
    yyjson_mut_obj_add_null(document, type, "type_info");
    yyjson_mut_obj_add_val(document, value, "type", type);
    yyjson_mut_obj_add_bool(document, value, "is_null", false);
    yyjson_mut_obj_add_strncpy(document, value, "value", text.data, text.size);
    yyjson_mut_obj_add_str(document, node, "class", "CONSTANT");
    yyjson_mut_obj_add_str(document, node, "type", "VALUE_CONSTANT");
    yyjson_mut_obj_add_str(document, node, "alias", "");
    yyjson_mut_obj_add_val(document, node, "value", value);
    return node;
}

// The tree with every star and every use of the lambda's parameter replaced by the name.
static yyjson_mut_val *with_name(yyjson_mut_doc *document, yyjson_val *node, str parameter,
                                 str name) {
    if (yyjson_is_obj(node)) {
        yyjson_val *first = yyjson_arr_get_first(yyjson_obj_get(node, "column_names"));
        const str reference = {yyjson_get_str(first), yyjson_get_len(first)};
        if (ast_is(node, "class", "STAR") ||
            (parameter.size > 0 && ast_is(node, "class", "COLUMN_REF") &&
             str_equal_nocase(reference, parameter))) {
            return text_constant(document, name);
        }
        yyjson_mut_val *copy = yyjson_mut_obj(document);
        size_t i, max;
        yyjson_val *key, *value;
        yyjson_obj_foreach(node, i, max, key, value) {
            yyjson_mut_obj_add(copy, yyjson_val_mut_copy(document, key),
                               with_name(document, value, parameter, name));
        }
        return copy;
    }
    if (yyjson_is_arr(node)) {
        yyjson_mut_val *copy = yyjson_mut_arr(document);
        size_t i, max;
        yyjson_val *value;
        yyjson_arr_foreach(node, i, max, value) {
            yyjson_mut_arr_append(copy, with_name(document, value, parameter, name));
        }
        return copy;
    }
    return yyjson_val_mut_copy(document, node);
}

static str write_mutable(struct arena *arena, yyjson_mut_val *node) {
    size_t size = 0;
    char *data = yyjson_mut_val_write(node, YYJSON_WRITE_NOFLAG, &size);
    const str copy = str_copy(arena, (str){data, data == NULL ? 0 : size});
    free(data);
    return copy;
}

// The condition on a name: `list_filter(*, lambda n: …)` or a LIKE over the star.
static str condition_of(struct lineage_build *build, yyjson_val *filter, str name) {
    yyjson_mut_doc *document = yyjson_mut_doc_new(NULL);
    yyjson_val *children = yyjson_obj_get(filter, "children");
    yyjson_val *lambda = yyjson_arr_get(children, 1);
    str condition;
    if (ast_is(filter, "class", "CONSTANT")) { // a regular expression
        yyjson_mut_val *pattern = yyjson_val_mut_copy(document, filter);
        condition = str_format(
            build->arena,
            "{\"class\":\"FUNCTION\",\"type\":\"FUNCTION\",\"alias\":\"\",\"function_name\":"
            "\"regexp_matches\",\"schema\":\"main\",\"children\":[" STR_FORMAT "," STR_FORMAT
            "],\"filter\":null,\"order_bys\":{\"type\":\"ORDER_MODIFIER\",\"orders\":[]},"
            "\"distinct\":false,\"is_operator\":false,\"export_state\":false,\"catalog\":"
            "\"system\"}",
            STR_ARGS(write_mutable(build->arena, text_constant(document, name))),
            STR_ARGS(write_mutable(build->arena, pattern)));
    } else if (ast_is(lambda, "class", "LAMBDA")) {
        yyjson_val *parameter =
            yyjson_arr_get_first(yyjson_obj_get(yyjson_obj_get(lambda, "lhs"), "column_names"));
        const str word = {yyjson_get_str(parameter), yyjson_get_len(parameter)};
        condition = write_mutable(build->arena,
                                  with_name(document, yyjson_obj_get(lambda, "expr"), word, name));
    } else {
        condition = write_mutable(build->arena, with_name(document, filter, (str){0}, name));
    }
    yyjson_mut_doc_free(document);
    return condition;
}

static bool is_listed(yyjson_val *list, str name) {
    size_t i, max;
    yyjson_val *item;
    yyjson_arr_foreach(yyjson_obj_get(list, "children"), i, max, item) {
        if (str_equal_nocase(ast_text(yyjson_obj_get(item, "value"), "value"), name)) {
            return true;
        }
    }
    return false;
}

// Leaves the columns whose names the filter takes.
static void filter_columns(struct lineage_build *build, yyjson_val *filter,
                           struct lineage_column_list *columns) {
    struct lineage_column_list kept = {0};
    const size_t count = columns->count;
    const bool is_list = ast_is(filter, "function_name", "list_value");
    const struct lineage_catalog *catalog = build->catalog;
    str *conditions = ARENA_ARRAY(build->arena, str, count);
    str *answers = ARENA_ARRAY(build->arena, str, count);
    for (size_t i = 0; !is_list && i < count; i++) {
        conditions[i] = condition_of(build, filter, columns->items[i].name);
    }
    const bool is_known =
        is_list || (catalog->evaluate != NULL &&
                    catalog->evaluate(catalog->self, build->arena, conditions, count, answers));
    for (size_t i = 0; i < count; i++) {
        struct lineage_column column = columns->items[i];
        column.untraced = column.untraced || !is_known;
        const bool is_taken = is_list ? is_listed(filter, column.name)
                                      : str_equal_nocase(answers[i], STR("true")) || !is_known ||
                                            str_equal(column.name, STR("*"));
        if (is_taken) {
            LIST_PUSH(build->arena, &kept, column);
        }
    }
    if (!is_known) {
        lineage_note(build, "the condition of COLUMNS() could not be evaluated");
    }
    *columns = kept;
}

void lineage_star_columns(struct lineage_build *build, yyjson_val *star,
                          struct lineage_frame *frame, struct lineage_column_list *columns) {
    struct lineage_column_list all = {0};
    push_star(build, star, frame, &all);
    yyjson_val *filter = yyjson_obj_get(star, "expr");
    if (yyjson_is_obj(filter)) {
        yyjson_val *inner = yyjson_arr_get_first(yyjson_obj_get(filter, "children"));
        if (ast_is(inner, "class", "STAR") && !ast_bool(inner, "columns")) {
            all = (struct lineage_column_list){0};
            lineage_star_columns(build, inner, frame, &all);
        }
        filter_columns(build, filter, &all);
    }
    for (size_t i = 0; i < all.count; i++) {
        struct lineage_column column = all.items[i];
        if (!excludes_table(frame, star, &column)) {
            replace(build, star, frame, &column);
            LIST_PUSH(build->arena, columns, column);
        }
    }
}

// ── Items ──

// The first COLUMNS(…) in the item; not those of subqueries nor of `*COLUMNS(…)`.
static yyjson_val *find_columns(yyjson_val *node) {
    size_t i, max;
    yyjson_val *key, *value, *found = NULL;
    if (yyjson_is_obj(node)) {
        if (ast_is(node, "class", "SUBQUERY") || ast_is(node, "type", "OPERATOR_UNPACK")) {
            return NULL;
        }
        if (ast_is(node, "class", "STAR")) {
            return ast_bool(node, "columns") ? node : NULL;
        }
        yyjson_obj_foreach(node, i, max, key, value) {
            found = found == NULL && yyjson_is_ctn(value) ? find_columns(value) : found;
        }
        return found;
    }
    yyjson_arr_foreach(node, i, max, value) {
        found = found == NULL && yyjson_is_ctn(value) ? find_columns(value) : found;
    }
    return found;
}

// `COLUMNS('(x)_.*') AS 'new_\1'`
static str alias_of(struct lineage_build *build, yyjson_val *star, str alias, str name) {
    const struct lineage_catalog *catalog = build->catalog;
    yyjson_val *pattern = yyjson_obj_get(star, "expr");
    if (str_find_char(alias, '\\') == SIZE_MAX || !ast_is(pattern, "class", "CONSTANT") ||
        catalog->evaluate == NULL) {
        return alias;
    }
    yyjson_mut_doc *document = yyjson_mut_doc_new(NULL);
    // The whole name is taken when the pattern matches only a part of it.
    const str text = str_format(build->arena, "^.*?(?:" STR_FORMAT ").*$",
                                STR_ARGS(ast_text(yyjson_obj_get(pattern, "value"), "value")));
    const str call = str_format(
        build->arena,
        "{\"class\":\"FUNCTION\",\"type\":\"FUNCTION\",\"alias\":\"\",\"function_name\":"
        "\"regexp_replace\",\"schema\":\"main\",\"children\":[" STR_FORMAT "," STR_FORMAT
        "," STR_FORMAT
        "],\"filter\":null,\"order_bys\":{\"type\":\"ORDER_MODIFIER\",\"orders\":[]},"
        "\"distinct\":false,\"is_operator\":false,\"export_state\":false,\"catalog\":\"system\"}",
        STR_ARGS(write_mutable(build->arena, text_constant(document, name))),
        STR_ARGS(write_mutable(build->arena, text_constant(document, text))),
        STR_ARGS(write_mutable(build->arena, text_constant(document, alias))));
    yyjson_mut_doc_free(document);
    str answer = {0};
    return catalog->evaluate(catalog->self, build->arena, &call, 1, &answer) ? answer : alias;
}

static void project_columns(struct lineage_build *build, yyjson_val *item, yyjson_val *star,
                            struct lineage_frame *frame, struct lineage_column_list *columns) {
    struct lineage_column_list all = {0};
    const str alias = str_copy(build->arena, ast_text(item, "alias"));
    lineage_star_columns(build, star, frame, &all);
    for (size_t i = 0; i < all.count; i++) {
        const struct lineage_column *saved = build->star;
        build->star = &all.items[i];
        struct lineage_column column = lineage_expression(build, item, frame);
        build->star = saved;
        column.name =
            alias.size > 0 ? alias_of(build, star, alias, all.items[i].name) : all.items[i].name;
        LIST_PUSH(build->arena, columns, column);
    }
}

static bool is_star_filter(yyjson_val *item) {
    yyjson_val *first = yyjson_arr_get_first(yyjson_obj_get(item, "children"));
    return ast_is(item, "class", "FUNCTION") && ast_is(first, "class", "STAR") &&
           !ast_bool(first, "columns") && ast_bool(item, "is_operator");
}

void lineage_project(struct lineage_build *build, yyjson_val *item, struct lineage_frame *frame,
                     struct lineage_column_list *columns) {
    if (ast_is(item, "class", "STAR") && !ast_bool(item, "columns")) {
        lineage_star_columns(build, item, frame, columns);
        return;
    }
    if (is_star_filter(item)) {
        struct lineage_column_list all = {0};
        lineage_star_columns(build, yyjson_arr_get_first(yyjson_obj_get(item, "children")), frame,
                             &all);
        filter_columns(build, item, &all);
        for (size_t i = 0; i < all.count; i++) {
            LIST_PUSH(build->arena, columns, all.items[i]);
        }
        return;
    }
    yyjson_val *star = find_columns(item);
    if (star != NULL) {
        project_columns(build, item, star, frame, columns);
    } else if (!lineage_project_unnest(build, item, frame, columns)) {
        struct lineage_column column = lineage_expression(build, item, frame);
        column.name = lineage_expression_name(build, item, &column);
        column.is_open = false; // it was named
        LIST_PUSH(build->arena, columns, column);
    }
}
