// Column names, as DuckDB's binder looks for them: parameters, then the FROM items of the SELECT,
// then its own aliases, then the SELECTs around it.
#include "sql/lineage_build.h"

enum { NAME_PARTS_MAX = 16 };

struct name {
    str parts[NAME_PARTS_MAX];
    size_t count;
};

// Copied: a document is gone before the lineage is.
static void read_name(struct arena *arena, yyjson_val *column_ref, struct name *name) {
    yyjson_val *parts = yyjson_obj_get(column_ref, "column_names");
    size_t i, max;
    yyjson_val *part;
    name->count = 0;
    yyjson_arr_foreach(parts, i, max, part) {
        if (name->count < NAME_PARTS_MAX) {
            name->parts[name->count++] =
                str_copy(arena, (str){yyjson_get_str(part), yyjson_get_len(part)});
        }
    }
}

size_t lineage_relation_find(const struct lineage_frame *frame, str schema, str alias) {
    for (size_t i = 0; i < frame->query->relations.count; i++) {
        const struct lineage_relation *relation = &frame->query->relations.items[i];
        const str own = relation->schema.size > 0 ? relation->schema : STR("main");
        if (str_equal_nocase(relation->alias, alias) && !relation->only_filters &&
            (schema.size == 0 || str_equal_nocase(own, schema))) {
            return i;
        }
    }
    return SIZE_MAX;
}

static const struct lineage_column *add_column(struct lineage_build *build,
                                               struct lineage_relation *relation,
                                               const struct lineage_column *column) {
    LIST_PUSH(build->arena, &relation->columns, *column);
    return &relation->columns.items[relation->columns.count - 1];
}

// A column of a query that ends in the star of one table whose columns are unknown: that table's.
static bool through_star(struct lineage_build *build, const struct lineage_query *query, str name,
                         struct lineage_column *column) {
    const struct lineage_column *star = NULL;
    for (size_t i = 0; query != NULL && i < query->columns.count; i++) {
        if (str_equal(query->columns.items[i].name, STR("*"))) {
            if (star != NULL) {
                return false;
            }
            star = &query->columns.items[i];
        }
    }
    if (star == NULL || star->sources.count == 0) {
        return false;
    }
    for (size_t i = 0; i < star->sources.count; i++) {
        struct lineage_source source = star->sources.items[i];
        source.column = name;
        lineage_add_source(build, column, &source);
    }
    return true;
}

// The column comes from the table of that occurrence.
static void add_table_source(struct lineage_build *build, size_t occurrence, str name,
                             struct lineage_column *column) {
    const struct lineage_source source = {
        .occurrence = occurrence,
        .table = build->out->occurrences.items[occurrence].table,
        .column = name,
    };
    lineage_add_source(build, column, &source);
}

const struct lineage_column *lineage_relation_column(struct lineage_build *build,
                                                     struct lineage_query *query, size_t index,
                                                     str name) {
    struct lineage_relation *relation = &query->relations.items[index];
    const struct lineage_column *known = lineage_column_find(&relation->columns, name);
    if (known != NULL || relation->columns_known) {
        return known;
    }
    struct lineage_column column = lineage_nothing();
    column.name = name;
    column.copy = (struct lineage_copy){index, name};
    if (relation->occurrence != SIZE_MAX) {
        add_table_source(build, relation->occurrence, name, &column);
    } else if (!through_star(build, relation->query, name, &column)) {
        column.untraced = true;
        lineage_note(build, "the column " STR_FORMAT " of " STR_FORMAT " cannot be traced",
                     STR_ARGS(name), STR_ARGS(relation->alias));
    }
    return add_column(build, relation, &column);
}

// A pseudo-column such as rowid, or one that the catalog did not tell of.
static struct lineage_column hidden_column(struct lineage_build *build, struct lineage_query *query,
                                           size_t index, str name) {
    struct lineage_column column = lineage_nothing();
    const struct lineage_relation *relation = &query->relations.items[index];
    column.name = name;
    if (relation->occurrence != SIZE_MAX) {
        add_table_source(build, relation->occurrence, name, &column);
        column.copy = (struct lineage_copy){index, name};
    }
    return column;
}

// `SELECT t FROM t`: the whole row as a struct.
static struct lineage_column whole_row(struct lineage_build *build,
                                       const struct lineage_relation *relation) {
    struct lineage_column row = lineage_nothing();
    for (size_t i = 0; i < relation->columns.count; i++) {
        lineage_take(build, &row, &relation->columns.items[i], LINEAGE_FUNCTION,
                     STR("struct_pack"));
    }
    row.name = relation->alias;
    struct lineage_column_list *fields = ARENA_NEW(build->arena, struct lineage_column_list);
    *fields = relation->columns; // the relations may move, the columns do not
    row.fields = fields;
    row.untraced = row.untraced || !relation->columns_known;
    return row;
}

// ── Without a table's name ──

enum found { FOUND, NOT_FOUND, FOUND_AMBIGUOUS };

static bool in_merged(const struct lineage_frame *frame, str name, struct lineage_column *value) {
    for (size_t i = frame->merged.count; i > 0; i--) {
        if (str_equal_nocase(frame->merged.items[i - 1].name, name)) {
            *value = frame->merged.items[i - 1].value;
            return true;
        }
    }
    return false;
}

static bool in_known(const struct lineage_frame *frame, str name, struct lineage_column *value) {
    const struct lineage_relation_list *relations = &frame->query->relations;
    for (size_t i = 0; i < relations->count; i++) {
        const struct lineage_relation *relation = &relations->items[i];
        const struct lineage_column *column = relation->columns_known && !relation->only_filters
                                                  ? lineage_column_find(&relation->columns, name)
                                                  : NULL;
        if (column != NULL) {
            *value = *column;
            return true;
        }
    }
    return false;
}

static bool in_aliases(const struct lineage_frame *frame, str name, struct lineage_column *value) {
    const struct lineage_column *alias = lineage_column_find(&frame->aliases, name);
    if (alias != NULL) {
        *value = *alias;
    }
    return alias != NULL;
}

// FROM items whose columns nobody knows: with one of them it must be that.
static enum found in_unknown(struct lineage_build *build, struct lineage_frame *frame, str name,
                             struct lineage_column *value) {
    size_t only = SIZE_MAX;
    const struct lineage_relation_list *relations = &frame->query->relations;
    for (size_t i = 0; i < relations->count; i++) {
        if (relations->items[i].columns_known || relations->items[i].only_filters) {
            continue;
        }
        if (only != SIZE_MAX) {
            *value = lineage_nothing();
            value->name = name;
            value->untraced = true;
            lineage_note(build,
                         "the column " STR_FORMAT " may be one of " STR_FORMAT " or " STR_FORMAT
                         ", whose columns are not known",
                         STR_ARGS(name), STR_ARGS(relations->items[only].alias),
                         STR_ARGS(relations->items[i].alias));
            return FOUND_AMBIGUOUS;
        }
        only = i;
    }
    if (only == SIZE_MAX) {
        return NOT_FOUND;
    }
    *value = *lineage_relation_column(build, frame->query, only, name);
    return FOUND;
}

static bool resolve_here(const struct lineage_frame *frame, str name,
                         struct lineage_column *value) {
    if (frame->aliases_first && in_aliases(frame, name, value)) {
        return true;
    }
    return in_merged(frame, name, value) || in_known(frame, name, value) ||
           in_aliases(frame, name, value);
}

// Names that are functions without parentheses.
static bool is_value_function(str name) {
    static const str NAMES[] = {
        STR_INIT("current_date"),    STR_INIT("current_timestamp"),
        STR_INIT("current_time"),    STR_INIT("localtime"),
        STR_INIT("localtimestamp"),  STR_INIT("current_user"),
        STR_INIT("session_user"),    STR_INIT("user"),
        STR_INIT("current_role"),    STR_INIT("current_schema"),
        STR_INIT("current_catalog"),
    };
    for (size_t i = 0; i < ARRAY_COUNT(NAMES); i++) {
        if (str_equal_nocase(NAMES[i], name)) {
            return true;
        }
    }
    return false;
}

// The first table of the SELECT, for rowid and its like.
static bool in_hidden(struct lineage_build *build, struct lineage_frame *frame, str name,
                      struct lineage_column *value) {
    static const str NAMES[] = {STR_INIT("rowid"), STR_INIT("snapshot_id"), STR_INIT("filename"),
                                STR_INIT("file_row_number"), STR_INIT("file_index")};
    bool is_hidden = false;
    for (size_t i = 0; i < ARRAY_COUNT(NAMES); i++) {
        is_hidden = is_hidden || str_equal_nocase(NAMES[i], name);
    }
    for (size_t i = 0; is_hidden && i < frame->query->relations.count; i++) {
        if (frame->query->relations.items[i].occurrence != SIZE_MAX) {
            *value = hidden_column(build, frame->query, i, name);
            return true;
        }
    }
    return false;
}

// The copy of a column of an outer SELECT means nothing in this one.
static void leave_frame(struct lineage_column *value, bool is_own) {
    if (!is_own) {
        value->copy.relation = SIZE_MAX;
    }
}

// A table with unknown columns hides, or does not, what a SELECT around it certainly has.
static void check_outer(struct lineage_build *build, const struct lineage_frame *frame, str name,
                        struct lineage_column *value) {
    struct lineage_column ignored;
    for (const struct lineage_frame *at = frame->outer; at != NULL; at = at->outer) {
        if (resolve_here(at, name, &ignored)) {
            value->untraced = true;
            lineage_note(build,
                         "the column " STR_FORMAT " may be one of a table whose columns are not "
                         "known, or of the query around it",
                         STR_ARGS(name));
            return;
        }
    }
}

static bool resolve_bare(struct lineage_build *build, struct lineage_frame *frame, str name,
                         struct lineage_column *value) {
    for (struct lineage_frame *at = frame; at != NULL; at = at->outer) {
        const bool is_known = resolve_here(at, name, value);
        if (is_known || in_unknown(build, at, name, value) != NOT_FOUND) {
            leave_frame(value, at == frame);
            if (!is_known) {
                check_outer(build, at, name, value);
            }
            return true;
        }
    }
    for (struct lineage_frame *at = frame; at != NULL; at = at->outer) {
        const size_t relation = lineage_relation_find(at, (str){0}, name);
        if (relation != SIZE_MAX) {
            *value = whole_row(build, &at->query->relations.items[relation]);
            return true;
        }
        if (in_hidden(build, at, name, value)) {
            leave_frame(value, at == frame);
            return true;
        }
    }
    return false;
}

// ── With one ──

// table.column or schema.table.column or catalog.schema.table.column, with fields behind; *used:
// how many parts the column took.
static bool resolve_qualified(struct lineage_build *build, struct lineage_frame *frame,
                              const struct name *name, struct lineage_column *value, size_t *used) {
    for (size_t table = 0; table < 3 && table + 1 < name->count; table++) {
        const str schema = table > 0 ? name->parts[table - 1] : (str){0};
        const size_t relation = lineage_relation_find(frame, schema, name->parts[table]);
        if (relation == SIZE_MAX) {
            continue;
        }
        const str column_name = name->parts[table + 1];
        const struct lineage_column *column =
            lineage_relation_column(build, frame->query, relation, column_name);
        struct lineage_column ignored;
        if (column == NULL && table == 0 && resolve_here(frame, name->parts[0], &ignored)) {
            return false; // a struct column that is called like a table
        }
        *value =
            column != NULL ? *column : hidden_column(build, frame->query, relation, column_name);
        *used = table + 2;
        return true;
    }
    return false;
}

static bool resolve_binding(struct lineage_frame *frame, str name, struct lineage_column *value) {
    for (const struct lineage_binding *at = frame->bindings; at != NULL; at = at->outer) {
        if (str_equal_nocase(at->name, name)) {
            *value = at->value;
            leave_frame(value, at->frame == frame);
            return true;
        }
    }
    return false;
}

static bool resolve_name(struct lineage_build *build, struct lineage_frame *frame,
                         const struct name *name, struct lineage_column *value, size_t *used) {
    *used = 1;
    if (resolve_binding(frame, name->parts[0], value)) {
        return true;
    }
    for (struct lineage_frame *at = frame; name->count > 1 && at != NULL; at = at->outer) {
        if (resolve_qualified(build, at, name, value, used)) {
            leave_frame(value, at == frame);
            return true;
        }
    }
    *used = 1;
    return resolve_bare(build, frame, name->parts[0], value);
}

struct lineage_column lineage_resolve(struct lineage_build *build, yyjson_val *column_ref,
                                      struct lineage_frame *frame) {
    struct name name;
    struct lineage_column value = lineage_nothing();
    size_t used = 1;
    read_name(build->arena, column_ref, &name);
    if (name.count == 0) {
        return value;
    }
    const str last = name.parts[name.count - 1];
    if (!resolve_name(build, frame, &name, &value, &used)) {
        value.name = last;
        if (name.count > 1 || !is_value_function(last)) {
            value.untraced = true;
            lineage_note(build, "the column " STR_FORMAT " is in none of the tables",
                         STR_ARGS(last));
        }
        return value;
    }
    for (size_t i = used; i < name.count; i++) {
        value = lineage_field(build, &value, name.parts[i]);
    }
    return value;
}
