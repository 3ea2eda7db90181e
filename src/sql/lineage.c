#include "sql/lineage.h"

#include "base/text.h"
#include "sql/lineage_build.h"

// ── Names ──

str lineage_transformation_name(enum lineage_transformation transformation) {
    static const str NAMES[] = {
        [LINEAGE_IDENTITY] = STR_INIT("IDENTITY"),
        [LINEAGE_CAST] = STR_INIT("CAST"),
        [LINEAGE_FUNCTION] = STR_INIT("FUNCTION"),
        [LINEAGE_ARITHMETIC] = STR_INIT("ARITHMETIC"),
        [LINEAGE_CONDITIONAL] = STR_INIT("CONDITIONAL"),
        [LINEAGE_AGGREGATION] = STR_INIT("AGGREGATION"),
    };
    return NAMES[transformation];
}

str lineage_use_name(enum lineage_use use) {
    static const str NAMES[] = {
        [LINEAGE_FILTER] = STR_INIT("filter"), [LINEAGE_JOIN] = STR_INIT("join"),
        [LINEAGE_GROUP] = STR_INIT("group"),   [LINEAGE_WINDOW] = STR_INIT("window"),
        [LINEAGE_SORT] = STR_INIT("sort"),
    };
    return NAMES[use];
}

const struct lineage_column *lineage_column_find(const struct lineage_column_list *columns,
                                                 str name) {
    for (size_t i = 0; i < columns->count; i++) {
        if (str_equal_nocase(columns->items[i].name, name)) {
            return &columns->items[i];
        }
    }
    return NULL;
}

// ── Merging ──

// People ask for columns of tables, whatever place of the query reads them.
static void merge_sources(struct arena *arena, const struct lineage_source_list *from,
                          struct lineage_source_list *into) {
    for (size_t i = 0; i < from->count; i++) {
        const struct lineage_source *source = &from->items[i];
        size_t at = 0;
        while (at < into->count && !(str_equal_nocase(into->items[at].table, source->table) &&
                                     str_equal_nocase(into->items[at].column, source->column))) {
            at++;
        }
        if (at == into->count) {
            LIST_PUSH(arena, into, *source);
        } else if (source->transformation > into->items[at].transformation) {
            into->items[at].transformation = source->transformation;
            into->items[at].function = source->function;
        }
    }
}

static struct lineage_indirect_list merge_indirect(struct arena *arena,
                                                   const struct lineage_indirect_list *from) {
    struct lineage_indirect_list into = {0};
    for (size_t i = 0; i < from->count; i++) {
        const struct lineage_indirect *entry = &from->items[i];
        size_t at = 0;
        while (at < into.count && !(into.items[at].use == entry->use &&
                                    str_equal_nocase(into.items[at].table, entry->table) &&
                                    str_equal_nocase(into.items[at].column, entry->column))) {
            at++;
        }
        if (at == into.count) {
            LIST_PUSH(arena, &into, *entry);
        }
    }
    return into;
}

// ── Keys ──

struct key_walk {
    struct arena *arena;
    struct lineage_key *key;
};

static void key_fails(struct key_walk *walk, bool is_copy, str reason) {
    walk->key->is_complete = false;
    walk->key->is_copy = walk->key->is_copy && is_copy;
    if (walk->key->reason.size == 0) {
        walk->key->reason = reason;
    }
}

static bool has_copy(const struct lineage_copy_list *list, const struct lineage_copy *copy) {
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].relation == copy->relation &&
            str_equal_nocase(list->items[i].column, copy->column)) {
            return true;
        }
    }
    return false;
}

static void walk_column(struct key_walk *walk, const struct lineage_query *query,
                        const struct lineage_column *column);

static void check_level(struct key_walk *walk, const struct lineage_query *query,
                        const struct lineage_column *column) {
    const struct lineage_copy *copy = &column->copy;
    struct arena *arena = walk->arena;
    if (query->is_aggregate && !has_copy(&query->groups, copy)) {
        key_fails(
            walk, true,
            str_format(arena, STR_FORMAT " is not a GROUP BY column", STR_ARGS(column->name)));
    }
    if (query->group_set_count > 1) {
        key_fails(walk, true, STR("it groups by several sets"));
    }
    for (size_t i = 0; i < query->windows.count; i++) {
        if (!has_copy(&query->windows.items[i].partitions, copy)) {
            key_fails(walk, true,
                      str_format(arena, STR_FORMAT " is not a PARTITION BY column of every window",
                                 STR_ARGS(column->name)));
        }
    }
}

// The FROM item may call the columns of its query by other names: the place counts.
static void walk_relation(struct key_walk *walk, const struct lineage_relation *relation,
                          str name) {
    const struct lineage_column *own = lineage_column_find(&relation->columns, name);
    const size_t index = own == NULL ? SIZE_MAX : (size_t)(own - relation->columns.items);
    if (index >= relation->query->columns.count) {
        key_fails(walk, false,
                  str_format(walk->arena, STR_FORMAT " cannot be traced", STR_ARGS(name)));
        return;
    }
    walk_column(walk, relation->query, &relation->query->columns.items[index]);
}

static void walk_select(struct key_walk *walk, const struct lineage_query *query,
                        const struct lineage_column *column) {
    const struct lineage_copy *copy = &column->copy;
    if (copy->relation >= query->relations.count) {
        key_fails(walk, false,
                  str_format(walk->arena, STR_FORMAT " is not a plain copy of one column",
                             STR_ARGS(column->name)));
        return;
    }
    check_level(walk, query, column);
    const struct lineage_relation *relation = &query->relations.items[copy->relation];
    if (relation->query != NULL) {
        walk->key->is_shared = walk->key->is_shared || relation->query->reader_count > 1;
        walk_relation(walk, relation, copy->column);
    } else if (relation->occurrence != SIZE_MAX) {
        const struct lineage_key_origin origin = {relation->occurrence, copy->column};
        LIST_PUSH(walk->arena, &walk->key->origins, origin);
    } else {
        key_fails(walk, false,
                  str_format(walk->arena, STR_FORMAT " does not come from a table",
                             STR_ARGS(column->name)));
    }
}

// The column of one side: by name or by place.
static void walk_side(struct key_walk *walk, const struct lineage_query *query,
                      const struct lineage_query *side, size_t index) {
    const bool by_name = str_equal(query->operation, STR("UNION_BY_NAME"));
    const str name = query->columns.items[index].name;
    const struct lineage_column *column = by_name ? lineage_column_find(&side->columns, name)
                                          : index < side->columns.count
                                              ? &side->columns.items[index]
                                              : NULL;
    if (column == NULL) {
        key_fails(
            walk, false,
            str_format(walk->arena, STR_FORMAT " is not on both sides of UNION", STR_ARGS(name)));
        return;
    }
    walk_column(walk, side, column);
}

static void walk_column(struct key_walk *walk, const struct lineage_query *query,
                        const struct lineage_column *column) {
    if (query->has_limit || query->has_sample || query->is_distinct_on) {
        key_fails(walk, true,
                  query->has_limit        ? STR("it has a LIMIT")
                  : query->is_distinct_on ? STR("it has DISTINCT ON")
                                          : STR("it takes a sample"));
    }
    if (query->kind == LINEAGE_SELECT) {
        walk_select(walk, query, column);
    } else if (query->kind == LINEAGE_RECURSIVE || query->left == NULL || query->right == NULL) {
        key_fails(walk, false, STR("it is recursive"));
    } else {
        const size_t index = (size_t)(column - query->columns.items);
        walk_side(walk, query, query->left, index);
        walk_side(walk, query, query->right, index);
    }
}

void lineage_key(struct arena *arena, const struct lineage *lineage, str name,
                 struct lineage_key *key) {
    *key = (struct lineage_key){.is_copy = true, .is_complete = true};
    struct key_walk walk = {arena, key};
    const struct lineage_column *column = lineage_column_find(&lineage->query->columns, name);
    if (column == NULL) {
        key_fails(&walk, false,
                  str_format(arena, "the query has no column " STR_FORMAT, STR_ARGS(name)));
        return;
    }
    walk_column(&walk, lineage->query, column);
}

// Whether every value is that of the one source, which can only be said of a table read once.
static bool is_copy(struct arena *arena, const struct lineage *lineage,
                    const struct lineage_column *column) {
    struct lineage_key key;
    if (column->sources.count != 1 || column->untraced || column->indirect.count > 0 ||
        column->sources.items[0].transformation != LINEAGE_IDENTITY) {
        return false;
    }
    lineage_key(arena, lineage, column->name, &key);
    size_t readers = 0;
    for (size_t i = 0; i < lineage->occurrences.count; i++) {
        readers +=
            str_equal_nocase(lineage->occurrences.items[i].table, column->sources.items[0].table)
                ? 1
                : 0;
    }
    return key.is_copy && !key.is_shared && key.origins.count == 1 && readers == 1;
}

static void merge_columns(struct arena *arena, struct lineage *lineage) {
    const struct lineage_column_list *columns = &lineage->query->columns;
    for (size_t i = 0; i < columns->count; i++) {
        struct lineage_column column = columns->items[i];
        column.sources = (struct lineage_source_list){0};
        merge_sources(arena, &columns->items[i].sources, &column.sources);
        column.indirect = merge_indirect(arena, &columns->items[i].indirect);
        column.is_copy = is_copy(arena, lineage, &column);
        LIST_PUSH(arena, &lineage->columns, column);
    }
    lineage->indirect = merge_indirect(arena, &lineage->query->indirect);
}

// ── Reading ──

enum error_code lineage_read(struct arena *arena, str ast, const struct lineage_catalog *catalog,
                             struct lineage *lineage, struct error *err) {
    *lineage = (struct lineage){0};
    struct lineage_build build = {.arena = arena, .catalog = catalog, .out = lineage};
    yyjson_val *node = lineage_document(&build, ast);
    lineage->query = node == NULL ? NULL : lineage_query_build(&build, node, NULL, NULL, NULL);
    if (lineage->query != NULL) {
        merge_columns(arena, lineage);
    }
    for (size_t i = 0; i < build.documents.count; i++) {
        yyjson_doc_free(build.documents.items[i]);
    }
    return lineage->query != NULL
               ? ERROR_NONE
               : error_set(err, ERROR_INVALID, "the columns of the query cannot be traced");
}
