// What a value is, as far as that makes columns: a struct with its fields, a list with what it
// holds, or neither; and unnest() in a SELECT list, which is one column or many by it.
#include "base/text.h"
#include "sql/lineage_build.h"

#include <limits.h>

static bool is_known(const struct lineage_column *value) {
    return value->fields != NULL || value->item != NULL || value->is_plain;
}

// ── By a type ──

// "a INTEGER" or "\"odd, name\" INTEGER"
static void type_field(struct lineage_build *build, str part, const struct lineage_column *column,
                       struct lineage_column_list *fields) {
    size_t end = str_find_char(part, ' ');
    str name = str_slice(part, 0, end);
    if (str_starts_with(part, STR("\""))) {
        end = 1;
        while (end < part.size &&
               (part.data[end] != '"' || (end + 1 < part.size && part.data[end + 1] == '"'))) {
            end += part.data[end] == '"' ? 2 : 1;
        }
        name = str_replace_all(build->arena, str_slice(part, 1, end), STR("\"\""), STR("\""));
        end++;
    }
    struct lineage_column field = lineage_nothing();
    lineage_take(build, &field, column, LINEAGE_FUNCTION, STR("struct_extract"));
    field.name = str_copy(build->arena, name);
    lineage_type_shape(build, str_trim(str_from_offset(part, end)), &field);
    LIST_PUSH(build->arena, fields, field);
}

// STRUCT(a INTEGER, b STRUCT(c VARCHAR)): each field is made of the whole.
static void type_fields(struct lineage_build *build, str inner, struct lineage_column *column) {
    struct lineage_column_list *fields = ARENA_NEW(build->arena, struct lineage_column_list);
    size_t start = 0;
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i <= inner.size; i++) {
        const char c = i < inner.size ? inner.data[i] : ',';
        quoted = c == '"' ? !quoted : quoted;
        depth += quoted ? 0 : (c == '(' ? 1 : c == ')' ? -1 : 0);
        if (quoted || depth > 0 || c != ',') {
            continue;
        }
        type_field(build, str_trim(str_slice(inner, start, i)), column, fields);
        start = i + 1;
    }
    column->fields = fields;
}

static struct lineage_column *item_of(struct lineage_build *build,
                                      const struct lineage_column *column) {
    struct lineage_column *item = ARENA_NEW(build->arena, struct lineage_column);
    *item = lineage_nothing();
    lineage_take(build, item, column, LINEAGE_IDENTITY, (str){0});
    return item;
}

void lineage_type_shape(struct lineage_build *build, str type, struct lineage_column *column) {
    if (str_ends_with(type, STR("]"))) { // T[] or T[3]
        size_t end = type.size - 1;
        while (end > 0 && type.data[end] != '[') {
            end--;
        }
        struct lineage_column *item = item_of(build, column);
        lineage_type_shape(build, str_slice(type, 0, end), item);
        column->item = item;
    } else if (str_starts_with(type, STR("STRUCT(")) && str_ends_with(type, STR(")"))) {
        type_fields(build, str_slice(type, STR("STRUCT(").size, type.size - 1), column);
    } else {
        column->is_plain = type.size > 0;
    }
}

// ── By another value ──

void lineage_shape_like(struct lineage_build *build, const struct lineage_column *like,
                        struct lineage_column *column) {
    column->is_plain = like->is_plain;
    if (like->item != NULL) {
        struct lineage_column *item = item_of(build, column);
        lineage_shape_like(build, like->item, item);
        column->item = item;
    }
    if (like->fields == NULL) {
        return;
    }
    struct lineage_column_list *fields = ARENA_NEW(build->arena, struct lineage_column_list);
    for (size_t i = 0; i < like->fields->count; i++) {
        const struct lineage_column *known = &like->fields->items[i];
        struct lineage_column field = lineage_nothing();
        lineage_take(build, &field, column, LINEAGE_FUNCTION, STR("struct_extract"));
        field.name = known->name;
        lineage_shape_like(build, known, &field);
        LIST_PUSH(build->arena, fields, field);
    }
    column->fields = fields;
}

// Of structs the fields of all would be merged.
void lineage_choice_shape(struct lineage_build *build, const struct lineage_column *choice,
                          struct lineage_column *value) {
    if (choice->item != NULL) {
        struct lineage_column *item = item_of(build, value);
        item->is_plain = choice->item->is_plain || (value->item != NULL && value->item->is_plain);
        value->item = item;
    }
}

// ── By a function ──

// What they hold is that of their first argument, or what it holds.
static const str LISTS_OF_ARGUMENT[] = {STR_INIT("list_value"), STR_INIT("list_pack"),
                                        STR_INIT("array_value"), STR_INIT("list"),
                                        STR_INIT("array_agg")};
static const str LISTS_LIKE_ARGUMENT[] = {
    STR_INIT("list_distinct"),     STR_INIT("array_distinct"),
    STR_INIT("list_sort"),         STR_INIT("array_sort"),
    STR_INIT("list_reverse"),      STR_INIT("array_reverse"),
    STR_INIT("list_reverse_sort"), STR_INIT("list_filter"),
    STR_INIT("array_filter"),      STR_INIT("filter"),
    STR_INIT("list_slice"),        STR_INIT("array_slice"),
    STR_INIT("list_append"),       STR_INIT("array_append"),
    STR_INIT("list_concat"),       STR_INIT("list_cat"),
    STR_INIT("array_concat"),      STR_INIT("array_cat"),
    STR_INIT("list_resize"),       STR_INIT("list_where"),
    STR_INIT("list_select"),       STR_INIT("list_intersect")};
static const str LISTS_OF_PLAIN[] = {STR_INIT("string_split"),
                                     STR_INIT("str_split"),
                                     STR_INIT("split"),
                                     STR_INIT("string_to_array"),
                                     STR_INIT("string_split_regex"),
                                     STR_INIT("str_split_regex"),
                                     STR_INIT("regexp_extract_all"),
                                     STR_INIT("regexp_split_to_array"),
                                     STR_INIT("range"),
                                     STR_INIT("generate_series"),
                                     STR_INIT("json_keys"),
                                     STR_INIT("list_grade_up")};
static const str LISTS_OF_ANYTHING[] = {
    STR_INIT("list_transform"), STR_INIT("array_transform"), STR_INIT("list_apply"),
    STR_INIT("array_apply"),    STR_INIT("apply"),           STR_INIT("flatten"),
    STR_INIT("list_zip"),       STR_INIT("array_zip"),       STR_INIT("map_keys"),
    STR_INIT("map_values"),     STR_INIT("map_entries")};

static bool is_among(const str *names, size_t count, str name) {
    for (size_t i = 0; i < count; i++) {
        if (str_equal(names[i], name)) {
            return true;
        }
    }
    return false;
}

#define IS_AMONG(names, name) is_among(names, ARRAY_COUNT(names), name)

void lineage_call_shape(struct lineage_build *build, str function,
                        const struct lineage_column *argument, struct lineage_column *value) {
    const bool of_argument = IS_AMONG(LISTS_OF_ARGUMENT, function);
    const bool like_argument = IS_AMONG(LISTS_LIKE_ARGUMENT, function);
    const bool of_plain = IS_AMONG(LISTS_OF_PLAIN, function);
    if (!of_argument && !like_argument && !of_plain && !IS_AMONG(LISTS_OF_ANYTHING, function)) {
        return;
    }
    struct lineage_column *item = item_of(build, value);
    item->is_plain = of_plain;
    const struct lineage_column *like = of_argument ? argument : argument->item;
    if ((of_argument || like_argument) && like != NULL) {
        lineage_shape_like(build, like, item);
    }
    value->item = item;
}

// ── unnest() ──

// How many levels it opens: `recursive := true`, `max_depth := 2`.
static int depth_of(yyjson_val *item) {
    yyjson_val *option = yyjson_arr_get(yyjson_obj_get(item, "children"), 1);
    yyjson_val *constant = option;
    while (ast_is(constant, "class", "CAST")) {
        constant = yyjson_obj_get(constant, "child");
    }
    yyjson_val *value = yyjson_obj_get(constant, "value");
    if (str_equal_nocase(ast_text(option, "alias"), STR("max_depth"))) {
        return ast_int(value, "value");
    }
    // A parameter of the name is true as 't'.
    return str_equal_nocase(ast_text(value, "value"), STR("t")) ? INT_MAX : 1;
}

static void push_unknown(struct lineage_build *build, yyjson_val *item,
                         const struct lineage_column *value, struct lineage_column_list *columns) {
    struct lineage_column column = lineage_nothing();
    lineage_take(build, &column, value, LINEAGE_FUNCTION, STR("unnest"));
    lineage_note(build, "the columns of " STR_FORMAT " are not known",
                 STR_ARGS(lineage_expression_name(build, item, &column)));
    column.name = STR("*");
    column.untraced = true;
    LIST_PUSH(build->arena, columns, column);
}

static void push_fields(struct lineage_build *build, yyjson_val *item,
                        const struct lineage_column *value, int depth,
                        struct lineage_column_list *columns) {
    for (size_t i = 0; i < value->fields->count; i++) {
        const struct lineage_column field =
            lineage_field(build, value, value->fields->items[i].name);
        if (depth > 1 && field.fields != NULL) {
            push_fields(build, item, &field, depth - 1, columns);
        } else if (depth > 1 && !is_known(&field)) {
            push_unknown(build, item, &field, columns);
        } else {
            LIST_PUSH(build->arena, columns, field);
        }
    }
}

// A struct makes a column of each field and has no use for an alias; a list makes rows of one
// column.
bool lineage_project_unnest(struct lineage_build *build, yyjson_val *item,
                            struct lineage_frame *frame, struct lineage_column_list *columns) {
    if (!ast_is_unnest(item)) {
        return false;
    }
    yyjson_val *argument = yyjson_arr_get_first(yyjson_obj_get(item, "children"));
    const struct lineage_column value = lineage_expression(build, argument, frame);
    const struct lineage_column *inner = &value;
    int depth = depth_of(item);
    while (inner->item != NULL && depth > 0) {
        inner = inner->item;
        depth--;
    }
    if (depth > 0 && inner->fields != NULL) {
        push_fields(build, item, inner, depth, columns);
        return true;
    }
    struct lineage_column column = lineage_expression(build, item, frame);
    const bool is_one = depth <= 0 || inner->is_plain;
    if (!is_one && ast_text(item, "alias").size == 0) {
        push_unknown(build, item, &value, columns);
        return true;
    }
    column.name = lineage_expression_name(build, item, &column);
    column.is_open = !is_one;
    LIST_PUSH(build->arena, columns, column);
    return true;
}
