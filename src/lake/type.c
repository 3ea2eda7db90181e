// Reading DuckDB's logical types, and printing them as DuckDB does.

#include "lake/type.h"

#include "base/text.h"
#include "lake/duckdb_api.h"

struct kind_name {
    duckdb_type id;
    enum lake_kind kind;
    const char *name;
};
static const struct kind_name kind_names[] = {
    {DUCKDB_TYPE_BOOLEAN, LAKE_BOOLEAN, "BOOLEAN"},
    {DUCKDB_TYPE_TINYINT, LAKE_TINYINT, "TINYINT"},
    {DUCKDB_TYPE_SMALLINT, LAKE_SMALLINT, "SMALLINT"},
    {DUCKDB_TYPE_INTEGER, LAKE_INTEGER, "INTEGER"},
    {DUCKDB_TYPE_BIGINT, LAKE_BIGINT, "BIGINT"},
    {DUCKDB_TYPE_UTINYINT, LAKE_UTINYINT, "UTINYINT"},
    {DUCKDB_TYPE_USMALLINT, LAKE_USMALLINT, "USMALLINT"},
    {DUCKDB_TYPE_UINTEGER, LAKE_UINTEGER, "UINTEGER"},
    {DUCKDB_TYPE_UBIGINT, LAKE_UBIGINT, "UBIGINT"},
    {DUCKDB_TYPE_HUGEINT, LAKE_HUGEINT, "HUGEINT"},
    {DUCKDB_TYPE_UHUGEINT, LAKE_UHUGEINT, "UHUGEINT"},
    {DUCKDB_TYPE_FLOAT, LAKE_FLOAT, "FLOAT"},
    {DUCKDB_TYPE_DOUBLE, LAKE_DOUBLE, "DOUBLE"},
    {DUCKDB_TYPE_DECIMAL, LAKE_DECIMAL, "DECIMAL"},
    {DUCKDB_TYPE_VARCHAR, LAKE_VARCHAR, "VARCHAR"},
    {DUCKDB_TYPE_BLOB, LAKE_BLOB, "BLOB"},
    {DUCKDB_TYPE_DATE, LAKE_DATE, "DATE"},
    {DUCKDB_TYPE_TIME, LAKE_TIME, "TIME"},
    {DUCKDB_TYPE_TIME_NS, LAKE_TIME_NS, "TIME_NS"},
    {DUCKDB_TYPE_TIME_TZ, LAKE_TIME_TZ, "TIME WITH TIME ZONE"},
    {DUCKDB_TYPE_TIMESTAMP, LAKE_TIMESTAMP, "TIMESTAMP"},
    {DUCKDB_TYPE_TIMESTAMP_S, LAKE_TIMESTAMP_S, "TIMESTAMP_S"},
    {DUCKDB_TYPE_TIMESTAMP_MS, LAKE_TIMESTAMP_MS, "TIMESTAMP_MS"},
    {DUCKDB_TYPE_TIMESTAMP_NS, LAKE_TIMESTAMP_NS, "TIMESTAMP_NS"},
    {DUCKDB_TYPE_TIMESTAMP_TZ, LAKE_TIMESTAMP_TZ, "TIMESTAMP WITH TIME ZONE"},
    {DUCKDB_TYPE_INTERVAL, LAKE_INTERVAL, "INTERVAL"},
    {DUCKDB_TYPE_UUID, LAKE_UUID, "UUID"},
    {DUCKDB_TYPE_ENUM, LAKE_ENUM, "ENUM"},
    {DUCKDB_TYPE_BIT, LAKE_BIT, "BIT"},
    {DUCKDB_TYPE_BIGNUM, LAKE_BIGNUM, "BIGNUM"},
    {DUCKDB_TYPE_LIST, LAKE_LIST, "LIST"},
    {DUCKDB_TYPE_ARRAY, LAKE_ARRAY, "ARRAY"},
    {DUCKDB_TYPE_STRUCT, LAKE_STRUCT, "STRUCT"},
    {DUCKDB_TYPE_MAP, LAKE_MAP, "MAP"},
    {DUCKDB_TYPE_UNION, LAKE_UNION, "UNION"},
    {DUCKDB_TYPE_SQLNULL, LAKE_SQLNULL, "NULL"},
    {DUCKDB_TYPE_GEOMETRY, LAKE_BLOB, "GEOMETRY"},
    {DUCKDB_TYPE_VARIANT, LAKE_OTHER, "VARIANT"},
};

static enum lake_kind kind_of(duckdb_type id, const char **name) {
    for (size_t i = 0; i < ARRAY_COUNT(kind_names); i++) {
        if (kind_names[i].id == id) {
            *name = kind_names[i].name;
            return kind_names[i].kind;
        }
    }
    *name = "UNKNOWN";
    return LAKE_OTHER;
}

// ── Names ──

// The words that DuckDB's grammar does not take as the name of a member (duckdb_keywords(),
// reserved and type_function): such a member is printed in quotes.
static const str quoted_words[] = {
    STR_INIT("all"),
    STR_INIT("analyse"),
    STR_INIT("analyze"),
    STR_INIT("and"),
    STR_INIT("anti"),
    STR_INIT("any"),
    STR_INIT("array"),
    STR_INIT("as"),
    STR_INIT("asc"),
    STR_INIT("asof"),
    STR_INIT("asymmetric"),
    STR_INIT("at"),
    STR_INIT("authorization"),
    STR_INIT("binary"),
    STR_INIT("both"),
    STR_INIT("by"),
    STR_INIT("case"),
    STR_INIT("cast"),
    STR_INIT("check"),
    STR_INIT("collate"),
    STR_INIT("collation"),
    STR_INIT("column"),
    STR_INIT("columns"),
    STR_INIT("concurrently"),
    STR_INIT("constraint"),
    STR_INIT("create"),
    STR_INIT("cross"),
    STR_INIT("default"),
    STR_INIT("deferrable"),
    STR_INIT("desc"),
    STR_INIT("describe"),
    STR_INIT("distinct"),
    STR_INIT("do"),
    STR_INIT("else"),
    STR_INIT("end"),
    STR_INIT("except"),
    STR_INIT("false"),
    STR_INIT("fetch"),
    STR_INIT("for"),
    STR_INIT("foreign"),
    STR_INIT("freeze"),
    STR_INIT("from"),
    STR_INIT("full"),
    STR_INIT("generated"),
    STR_INIT("glob"),
    STR_INIT("group"),
    STR_INIT("having"),
    STR_INIT("ilike"),
    STR_INIT("in"),
    STR_INIT("initially"),
    STR_INIT("inner"),
    STR_INIT("intersect"),
    STR_INIT("into"),
    STR_INIT("is"),
    STR_INIT("isnull"),
    STR_INIT("join"),
    STR_INIT("lambda"),
    STR_INIT("lateral"),
    STR_INIT("leading"),
    STR_INIT("left"),
    STR_INIT("like"),
    STR_INIT("limit"),
    STR_INIT("map"),
    STR_INIT("natural"),
    STR_INIT("not"),
    STR_INIT("notnull"),
    STR_INIT("null"),
    STR_INIT("offset"),
    STR_INIT("on"),
    STR_INIT("only"),
    STR_INIT("or"),
    STR_INIT("order"),
    STR_INIT("outer"),
    STR_INIT("overlaps"),
    STR_INIT("pivot"),
    STR_INIT("pivot_longer"),
    STR_INIT("pivot_wider"),
    STR_INIT("placing"),
    STR_INIT("positional"),
    STR_INIT("primary"),
    STR_INIT("qualify"),
    STR_INIT("references"),
    STR_INIT("returning"),
    STR_INIT("right"),
    STR_INIT("select"),
    STR_INIT("semi"),
    STR_INIT("show"),
    STR_INIT("similar"),
    STR_INIT("some"),
    STR_INIT("struct"),
    STR_INIT("summarize"),
    STR_INIT("symmetric"),
    STR_INIT("table"),
    STR_INIT("tablesample"),
    STR_INIT("then"),
    STR_INIT("to"),
    STR_INIT("trailing"),
    STR_INIT("true"),
    STR_INIT("try_cast"),
    STR_INIT("union"),
    STR_INIT("unique"),
    STR_INIT("unpack"),
    STR_INIT("unpivot"),
    STR_INIT("using"),
    STR_INIT("variadic"),
    STR_INIT("verbose"),
    STR_INIT("when"),
    STR_INIT("where"),
    STR_INIT("window"),
    STR_INIT("with"),
};

static bool needs_quotes(str name) {
    if (!str_is_identifier(name)) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_COUNT(quoted_words); i++) {
        if (str_equal_nocase(name, quoted_words[i])) {
            return true;
        }
    }
    return false;
}

str lake_quote_if_needed(struct arena *arena, str name) {
    return needs_quotes(name) ? lake_quote_name(arena, name) : name;
}

static void add_members(struct text *out, const struct lake_type *type) {
    for (size_t i = 0; i < type->child_count; i++) {
        text_add(out, i == 0 ? STR("(") : STR(", "));
        const str name = type->child_names[i];
        text_add(out, lake_quote_if_needed(out->arena, name));
        text_add_char(out, ' ');
        text_add(out, type->children[i].name);
    }
    text_add_char(out, ')');
}

static void add_enum_values(struct text *out, const struct lake_type *type, size_t count) {
    for (size_t i = 0; i < count; i++) {
        text_add(out, i == 0 ? STR("(") : STR(", "));
        text_add(out, lake_quote_text(out->arena, type->enum_values[i]));
    }
    text_add_char(out, ')');
}

static str type_name(struct arena *arena, const struct lake_type *type, const char *base,
                     size_t enum_count) {
    struct text out;
    text_init(&out, arena);
    // Only the kinds with parts say more than their word.
    if (type->kind == LAKE_DECIMAL) {
        text_format(&out, "DECIMAL(%u,%u)", type->width, type->scale);
    } else if (type->kind == LAKE_LIST) {
        text_format(&out, STR_FORMAT "[]", STR_ARGS(type->children[0].name));
    } else if (type->kind == LAKE_ARRAY) {
        text_format(&out, STR_FORMAT "[%u]", STR_ARGS(type->children[0].name), type->array_size);
    } else if (type->kind == LAKE_MAP) {
        const struct lake_type *pair = &type->children[0];
        text_format(&out, "MAP(" STR_FORMAT ", " STR_FORMAT ")", STR_ARGS(pair->children[0].name),
                    STR_ARGS(pair->children[1].name));
    } else {
        text_add(&out, str_from(base));
        if (type->kind == LAKE_STRUCT || type->kind == LAKE_UNION) {
            add_members(&out, type);
        } else if (type->kind == LAKE_ENUM) {
            add_enum_values(&out, type, enum_count);
        }
    }
    return text_str(&out);
}

// ── Parts ──

static str take_text(const struct duckdb_api *api, struct arena *arena, char *text) {
    const str copy = str_copy(arena, str_from(text));
    api->duckdb_free(text);
    return copy;
}

// Takes the handle.
static void read_child(const struct duckdb_api *api, struct arena *arena,
                       duckdb_logical_type handle, struct lake_type *type) {
    lake_type_read(api, arena, handle, type);
    api->duckdb_destroy_logical_type(&handle);
}

static void read_one_child(const struct duckdb_api *api, struct arena *arena,
                           duckdb_logical_type handle, struct lake_type *type) {
    struct lake_type *child = ARENA_NEW(arena, struct lake_type);
    read_child(api, arena, handle, child);
    type->children = child;
    type->child_count = 1;
}

static void read_members(const struct duckdb_api *api, struct arena *arena,
                         duckdb_logical_type handle, struct lake_type *type) {
    const bool is_struct = type->kind == LAKE_STRUCT;
    const size_t count = is_struct ? api->duckdb_struct_type_child_count(handle)
                                   : api->duckdb_union_type_member_count(handle);
    struct lake_type *children = ARENA_ARRAY(arena, struct lake_type, count);
    str *names = ARENA_ARRAY(arena, str, count);
    for (size_t i = 0; i < count; i++) {
        names[i] = take_text(api, arena,
                             is_struct ? api->duckdb_struct_type_child_name(handle, i)
                                       : api->duckdb_union_type_member_name(handle, i));
        read_child(api, arena,
                   is_struct ? api->duckdb_struct_type_child_type(handle, i)
                             : api->duckdb_union_type_member_type(handle, i),
                   &children[i]);
    }
    type->children = children;
    type->child_names = names;
    type->child_count = count;
}

static void read_map(const struct duckdb_api *api, struct arena *arena, duckdb_logical_type handle,
                     struct lake_type *type) {
    static const str names[] = {STR_INIT("key"), STR_INIT("value")};
    struct lake_type *pair = ARENA_NEW(arena, struct lake_type);
    struct lake_type *parts = ARENA_ARRAY(arena, struct lake_type, 2);
    read_child(api, arena, api->duckdb_map_type_key_type(handle), &parts[0]);
    read_child(api, arena, api->duckdb_map_type_value_type(handle), &parts[1]);
    *pair = (struct lake_type){.kind = LAKE_STRUCT,
                               .storage = LAKE_STRUCT,
                               .children = parts,
                               .child_names = names,
                               .child_count = 2};
    pair->name = type_name(arena, pair, "STRUCT", 0);
    type->children = pair;
    type->child_count = 1;
}

static size_t read_enum(const struct duckdb_api *api, struct arena *arena,
                        duckdb_logical_type handle, struct lake_type *type) {
    const size_t count = api->duckdb_enum_dictionary_size(handle);
    str *values = ARENA_ARRAY(arena, str, count);
    for (size_t i = 0; i < count; i++) {
        values[i] = take_text(api, arena, api->duckdb_enum_dictionary_value(handle, i));
    }
    type->enum_values = values;
    const char *ignored = NULL;
    type->storage = kind_of(api->duckdb_enum_internal_type(handle), &ignored);
    return count;
}

static void read_decimal(const struct duckdb_api *api, duckdb_logical_type handle,
                         struct lake_type *type) {
    type->width = api->duckdb_decimal_width(handle);
    type->scale = api->duckdb_decimal_scale(handle);
    const char *ignored = NULL;
    type->storage = kind_of(api->duckdb_decimal_internal_type(handle), &ignored);
}

void lake_type_read(const struct duckdb_api *api, struct arena *arena, duckdb_logical_type handle,
                    struct lake_type *type) {
    const char *base = NULL;
    *type = (struct lake_type){.kind = kind_of(api->duckdb_get_type_id(handle), &base)};
    type->storage = type->kind;
    size_t enum_count = 0;
    if (type->kind == LAKE_DECIMAL) {
        read_decimal(api, handle, type);
    } else if (type->kind == LAKE_ENUM) {
        enum_count = read_enum(api, arena, handle, type);
    } else if (type->kind == LAKE_LIST) {
        read_one_child(api, arena, api->duckdb_list_type_child_type(handle), type);
    } else if (type->kind == LAKE_ARRAY) {
        type->array_size = (uint32_t)api->duckdb_array_type_array_size(handle);
        read_one_child(api, arena, api->duckdb_array_type_child_type(handle), type);
    } else if (type->kind == LAKE_MAP) {
        read_map(api, arena, handle, type);
    } else if (type->kind == LAKE_STRUCT || type->kind == LAKE_UNION) {
        read_members(api, arena, handle, type);
    }
    type->name = type_name(arena, type, base, enum_count);
    char *alias = api->duckdb_logical_type_get_alias(handle);
    if (alias != NULL) {
        type->name = take_text(api, arena, alias);
        if (type->kind == LAKE_VARCHAR && str_equal_nocase(type->name, STR("JSON"))) {
            type->kind = LAKE_JSON;
        }
    }
}

bool lake_type_is_nested(str type) {
    static const str BEGINNINGS[] = {STR_INIT("STRUCT("), STR_INIT("MAP("), STR_INIT("UNION("),
                                     STR_INIT("VARIANT")};
    bool nested = str_ends_with(type, STR("]"));
    for (size_t i = 0; i < ARRAY_COUNT(BEGINNINGS); i++) {
        nested = nested || str_starts_with(type, BEGINNINGS[i]);
    }
    return nested;
}
