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

// ── Copies ──

// A path of an output column through copies only, one a branch of the set operations.
struct copy_walk {
    bool is_copy;   // all the way down to a table
    bool is_shared; // a CTE on the way is read in several places
    size_t origins; // columns of tables that were reached
};

static void walk_column(struct copy_walk *walk, const struct lineage_query *query,
                        const struct lineage_column *column);

// The FROM item may call the columns of its query by other names: the place counts.
static void walk_relation(struct copy_walk *walk, const struct lineage_relation *relation,
                          str name) {
    const struct lineage_column *own = lineage_column_find(&relation->columns, name);
    const size_t index = own == NULL ? SIZE_MAX : (size_t)(own - relation->columns.items);
    if (index >= relation->query->columns.count) {
        walk->is_copy = false;
        return;
    }
    walk_column(walk, relation->query, &relation->query->columns.items[index]);
}

static void walk_select(struct copy_walk *walk, const struct lineage_query *query,
                        const struct lineage_column *column) {
    const struct lineage_copy *copy = &column->copy;
    if (copy->relation >= query->relations.count) {
        walk->is_copy = false;
        return;
    }
    const struct lineage_relation *relation = &query->relations.items[copy->relation];
    if (relation->query != NULL) {
        walk->is_shared = walk->is_shared || relation->query->reader_count > 1;
        walk_relation(walk, relation, copy->column);
    } else if (relation->occurrence != SIZE_MAX) {
        walk->origins++;
    } else {
        walk->is_copy = false;
    }
}

// The column of one side: by name or by place.
static void walk_side(struct copy_walk *walk, const struct lineage_query *query,
                      const struct lineage_query *side, size_t index) {
    const bool by_name = str_equal(query->operation, STR("UNION_BY_NAME"));
    const str name = query->columns.items[index].name;
    const struct lineage_column *column = by_name ? lineage_column_find(&side->columns, name)
                                          : index < side->columns.count
                                              ? &side->columns.items[index]
                                              : NULL;
    if (column == NULL) {
        walk->is_copy = false;
        return;
    }
    walk_column(walk, side, column);
}

static void walk_column(struct copy_walk *walk, const struct lineage_query *query,
                        const struct lineage_column *column) {
    if (query->kind == LINEAGE_SELECT) {
        walk_select(walk, query, column);
    } else if (query->kind == LINEAGE_RECURSIVE || query->left == NULL || query->right == NULL) {
        walk->is_copy = false;
    } else {
        const size_t index = (size_t)(column - query->columns.items);
        walk_side(walk, query, query->left, index);
        walk_side(walk, query, query->right, index);
    }
}

// Whether every value is that of the one source, which can only be said of a table read once.
static bool is_copy(const struct lineage *lineage, const struct lineage_column *column,
                    const struct lineage_column *merged) {
    struct copy_walk walk = {.is_copy = true};
    if (merged->sources.count != 1 || merged->untraced || merged->indirect.count > 0 ||
        merged->sources.items[0].transformation != LINEAGE_IDENTITY) {
        return false;
    }
    walk_column(&walk, lineage->query, column);
    size_t readers = 0;
    for (size_t i = 0; i < lineage->occurrences.count; i++) {
        readers +=
            str_equal_nocase(lineage->occurrences.items[i].table, merged->sources.items[0].table)
                ? 1
                : 0;
    }
    return walk.is_copy && !walk.is_shared && walk.origins == 1 && readers == 1;
}

static void merge_columns(struct arena *arena, struct lineage *lineage) {
    const struct lineage_column_list *columns = &lineage->query->columns;
    for (size_t i = 0; i < columns->count; i++) {
        struct lineage_column column = columns->items[i];
        column.sources = (struct lineage_source_list){0};
        merge_sources(arena, &columns->items[i].sources, &column.sources);
        column.indirect = merge_indirect(arena, &columns->items[i].indirect);
        column.is_copy = is_copy(lineage, &columns->items[i], &column);
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
