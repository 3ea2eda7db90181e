// PIVOT and UNPIVOT, read as the SELECTs that they stand for.
#include "base/text.h"
#include "sql/lineage_build.h"

struct pivot {
    struct lineage_build *build;
    yyjson_val *node;
    struct lineage_frame frame; // of the SELECT inside
    struct lineage_column_list *columns;
};

static str text_of(yyjson_val *value) {
    return (str){yyjson_get_str(value), yyjson_get_len(value)};
}

static bool names_column(yyjson_val *names, str column) {
    size_t i, max;
    yyjson_val *name;
    yyjson_arr_foreach(names, i, max, name) {
        if (str_equal_nocase(text_of(name), column)) {
            return true;
        }
    }
    return false;
}

// Whether the column is used in the tree, by its bare or qualified name.
static bool uses_column(yyjson_val *node, str column) {
    size_t i, max;
    yyjson_val *key, *value;
    if (yyjson_is_obj(node)) {
        yyjson_val *parts = yyjson_obj_get(node, "column_names");
        if (parts != NULL) {
            return str_equal_nocase(text_of(yyjson_arr_get_last(parts)), column);
        }
        yyjson_obj_foreach(node, i, max, key, value) {
            if (yyjson_is_ctn(value) && uses_column(value, column)) {
                return true;
            }
        }
        return false;
    }
    yyjson_arr_foreach(node, i, max, value) {
        if (yyjson_is_ctn(value) && uses_column(value, column)) {
            return true;
        }
    }
    return false;
}

static bool is_pivot_column(yyjson_val *pivots, str column) {
    size_t i, max;
    yyjson_val *pivot;
    yyjson_arr_foreach(pivots, i, max, pivot) {
        if (uses_column(yyjson_obj_get(pivot, "pivot_expressions"), column)) {
            return true;
        }
    }
    return false;
}

// ── PIVOT ──

static void push_groups(struct pivot *pivot, const struct lineage_column_list *all) {
    yyjson_val *groups = yyjson_obj_get(pivot->node, "groups");
    yyjson_val *aggregates = yyjson_obj_get(pivot->node, "aggregates");
    yyjson_val *pivots = yyjson_obj_get(pivot->node, "pivots");
    for (size_t i = 0; i < all->count; i++) {
        const struct lineage_column *column = &all->items[i];
        const bool is_group =
            yyjson_arr_size(groups) > 0
                ? names_column(groups, column->name)
                : !uses_column(aggregates, column->name) && !is_pivot_column(pivots, column->name);
        if (is_group) {
            LIST_PUSH(pivot->build->arena, pivot->columns, *column);
            lineage_use_value(pivot->build, &pivot->frame.query->indirect, column, LINEAGE_GROUP);
        }
    }
}

// 'a', or its alias; several values of one entry joined by _.
static str entry_name(struct lineage_build *build, yyjson_val *entry) {
    const str alias = ast_text(entry, "alias");
    if (alias.size > 0) {
        return str_copy(build->arena, alias);
    }
    struct text name;
    text_init(&name, build->arena);
    size_t i, max;
    yyjson_val *value;
    yyjson_arr_foreach(yyjson_obj_get(entry, "values"), i, max, value) {
        text_add(&name, i > 0 ? STR("_") : STR(""));
        text_add(&name, ast_bool(value, "is_null") ? STR("NULL") : ast_text(value, "value"));
    }
    return text_str(&name);
}

static void push_aggregates(struct pivot *pivot, str prefix, const struct lineage_column *on) {
    struct lineage_build *build = pivot->build;
    yyjson_val *aggregates = yyjson_obj_get(pivot->node, "aggregates");
    const size_t count = yyjson_arr_size(aggregates);
    size_t i, max;
    yyjson_val *aggregate;
    yyjson_arr_foreach(aggregates, i, max, aggregate) {
        struct lineage_column column = lineage_expression(build, aggregate, &pivot->frame);
        const str own = lineage_expression_name(build, aggregate, &column);
        const bool is_named = count > 1 || ast_text(aggregate, "alias").size > 0;
        column.name = is_named ? str_format(build->arena, STR_FORMAT "_" STR_FORMAT,
                                            STR_ARGS(prefix), STR_ARGS(own))
                               : prefix;
        column.copy.relation = SIZE_MAX;
        lineage_use_value(build, &column.indirect, on, LINEAGE_GROUP);
        LIST_PUSH(build->arena, pivot->columns, column);
    }
}

// Every combination of the entries of the pivots from `index` on.
static void push_combinations(struct pivot *pivot, size_t index, str prefix,
                              const struct lineage_column *on) {
    struct lineage_build *build = pivot->build;
    yyjson_val *pivots = yyjson_obj_get(pivot->node, "pivots");
    if (index == yyjson_arr_size(pivots)) {
        push_aggregates(pivot, prefix, on);
        return;
    }
    yyjson_val *entries = yyjson_obj_get(yyjson_arr_get(pivots, index), "entries");
    size_t i, max;
    yyjson_val *entry;
    yyjson_arr_foreach(entries, i, max, entry) {
        const str name = entry_name(build, entry);
        push_combinations(pivot, index + 1,
                          index == 0 ? name
                                     : str_format(build->arena, STR_FORMAT "_" STR_FORMAT,
                                                  STR_ARGS(prefix), STR_ARGS(name)),
                          on);
    }
}

// Made of what all aggregates are made of.
static void push_unknown(struct pivot *pivot, const struct lineage_column *on) {
    struct lineage_build *build = pivot->build;
    struct lineage_column column = lineage_nothing();
    size_t i, max;
    yyjson_val *aggregate;
    yyjson_arr_foreach(yyjson_obj_get(pivot->node, "aggregates"), i, max, aggregate) {
        const struct lineage_column part = lineage_expression(build, aggregate, &pivot->frame);
        lineage_take(build, &column, &part, LINEAGE_IDENTITY, (str){0});
    }
    lineage_use_value(build, &column.indirect, on, LINEAGE_GROUP);
    column.name = STR("*");
    column.untraced = true;
    LIST_PUSH(build->arena, pivot->columns, column);
}

static void pivot_columns(struct pivot *pivot, const struct lineage_column_list *all) {
    struct lineage_build *build = pivot->build;
    struct lineage_column on = lineage_nothing();
    bool is_open = false;
    size_t i, max;
    yyjson_val *entry;
    push_groups(pivot, all);
    yyjson_arr_foreach(yyjson_obj_get(pivot->node, "pivots"), i, max, entry) {
        size_t j, count;
        yyjson_val *expression;
        yyjson_arr_foreach(yyjson_obj_get(entry, "pivot_expressions"), j, count, expression) {
            const struct lineage_column part = lineage_expression(build, expression, &pivot->frame);
            lineage_take(build, &on, &part, LINEAGE_IDENTITY, (str){0});
        }
        if (yyjson_arr_size(yyjson_obj_get(entry, "entries")) == 0) {
            lineage_note(build, "the columns of a PIVOT without values are not known");
            is_open = true;
        }
    }
    if (is_open) {
        push_unknown(pivot, &on);
        return;
    }
    push_combinations(pivot, 0, (str){0}, &on);
}

// ── UNPIVOT ──

// Adds the columns that an entry names to the list; one star may name many.
static void entry_columns(struct pivot *pivot, yyjson_val *entry,
                          const struct lineage_column_list *all,
                          struct lineage_column_list *columns) {
    struct lineage_build *build = pivot->build;
    yyjson_val *star = yyjson_obj_get(entry, "star_expr");
    if (yyjson_is_obj(star)) {
        lineage_star_columns(build, star, &pivot->frame, columns);
    }
    size_t i, max;
    yyjson_val *value;
    yyjson_arr_foreach(yyjson_obj_get(entry, "values"), i, max, value) {
        const struct lineage_column *column = lineage_column_find(all, ast_text(value, "value"));
        struct lineage_column unknown = lineage_nothing();
        unknown.untraced = true;
        LIST_PUSH(build->arena, columns, column != NULL ? *column : unknown);
    }
}

static void unpivot_one(struct pivot *pivot, yyjson_val *entry_list,
                        const struct lineage_column_list *all, struct lineage_column_list *taken,
                        struct lineage_column_list *values) {
    struct lineage_build *build = pivot->build;
    size_t i, max;
    yyjson_val *entry;
    yyjson_arr_foreach(entry_list, i, max, entry) {
        struct lineage_column_list columns = {0};
        entry_columns(pivot, entry, all, &columns);
        const bool is_star = yyjson_is_obj(yyjson_obj_get(entry, "star_expr"));
        for (size_t j = 0; j < columns.count; j++) {
            LIST_PUSH(build->arena, taken, columns.items[j]);
            if (!ast_bool(pivot->node, "include_nulls")) { // a NULL makes no row
                lineage_use_value(build, &pivot->frame.query->indirect, &columns.items[j],
                                  LINEAGE_FILTER);
            }
            const size_t into = is_star ? 0 : j;
            if (into < values->count) {
                lineage_take(build, &values->items[into], &columns.items[j], LINEAGE_IDENTITY,
                             (str){0});
            }
        }
    }
}

static void unpivot_columns(struct pivot *pivot, const struct lineage_column_list *all) {
    struct lineage_build *build = pivot->build;
    struct lineage_column_list values = {0}, taken = {0}, names = {0};
    size_t i, max, j, count;
    yyjson_val *name, *entry;
    yyjson_arr_foreach(yyjson_obj_get(pivot->node, "unpivot_names"), i, max, name) {
        struct lineage_column column = lineage_nothing();
        column.name = str_copy(build->arena, text_of(name));
        LIST_PUSH(build->arena, &values, column);
    }
    yyjson_arr_foreach(yyjson_obj_get(pivot->node, "pivots"), i, max, entry) {
        unpivot_one(pivot, yyjson_obj_get(entry, "entries"), all, &taken, &values);
        yyjson_arr_foreach(yyjson_obj_get(entry, "unpivot_names"), j, count, name) {
            struct lineage_column column = lineage_nothing();
            column.name = str_copy(build->arena, text_of(name));
            LIST_PUSH(build->arena, &names, column);
        }
    }
    for (size_t k = 0; k < all->count; k++) {
        if (lineage_column_find(&taken, all->items[k].name) == NULL) {
            LIST_PUSH(build->arena, pivot->columns, all->items[k]);
        }
    }
    for (size_t k = 0; k < names.count; k++) {
        LIST_PUSH(build->arena, pivot->columns, names.items[k]);
    }
    for (size_t k = 0; k < values.count; k++) {
        LIST_PUSH(build->arena, pivot->columns, values.items[k]);
    }
}

void lineage_pivot(struct lineage_build *build, yyjson_val *node, struct lineage_frame *frame) {
    struct lineage_query *query = ARENA_NEW(build->arena, struct lineage_query);
    struct pivot pivot = {
        .build = build,
        .node = node,
        .frame = {.outer = frame, .ctes = frame->ctes, .bindings = frame->bindings, .query = query},
        .columns = &query->columns,
    };
    query->is_pivot = true;
    lineage_from(build, yyjson_obj_get(node, "source"), &pivot.frame);
    struct lineage_column_list all = {0};
    for (size_t i = 0; i < query->relations.count; i++) {
        const struct lineage_relation *relation = &query->relations.items[i];
        for (size_t j = 0; j < relation->columns.count; j++) {
            LIST_PUSH(build->arena, &all, relation->columns.items[j]);
        }
        if (!relation->columns_known) {
            struct lineage_column star = lineage_nothing();
            star.name = STR("*");
            star.untraced = true;
            lineage_note(build, "the columns of " STR_FORMAT " under PIVOT are not known",
                         STR_ARGS(relation->alias));
            LIST_PUSH(build->arena, &all, star);
        }
    }
    if (yyjson_arr_size(yyjson_obj_get(node, "unpivot_names")) > 0) {
        unpivot_columns(&pivot, &all);
    } else {
        pivot_columns(&pivot, &all);
    }
    lineage_add_subquery(build, frame, query, ast_text(node, "alias"), node);
}
