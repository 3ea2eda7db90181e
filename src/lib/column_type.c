#include "lib/column_type.h"

#include "base/arena.h"
#include "base/attributes.h"
#include "base/text.h"

struct type_alias {
    str name;
    str canonical;
    const char *base;
    enum lake_kind staging;
};

// Names as SQL writes them, aliases included.  What is not here is a string to the lib and staged
// as text.  Unsigned and 128-bit integers are staged as text: BIGINT does not hold all of them.
static const struct type_alias aliases[] = {
    {STR_INIT("VARCHAR"), STR_INIT("VARCHAR"), "string", LAKE_VARCHAR},
    {STR_INIT("TEXT"), STR_INIT("VARCHAR"), "string", LAKE_VARCHAR},
    {STR_INIT("STRING"), STR_INIT("VARCHAR"), "string", LAKE_VARCHAR},
    {STR_INIT("CHAR"), STR_INIT("VARCHAR"), "string", LAKE_VARCHAR},
    {STR_INIT("BPCHAR"), STR_INIT("VARCHAR"), "string", LAKE_VARCHAR},
    {STR_INIT("NVARCHAR"), STR_INIT("VARCHAR"), "string", LAKE_VARCHAR},
    {STR_INIT("TINYINT"), STR_INIT("TINYINT"), "integer", LAKE_BIGINT},
    {STR_INIT("INT1"), STR_INIT("TINYINT"), "integer", LAKE_BIGINT},
    {STR_INIT("SMALLINT"), STR_INIT("SMALLINT"), "integer", LAKE_BIGINT},
    {STR_INIT("INT2"), STR_INIT("SMALLINT"), "integer", LAKE_BIGINT},
    {STR_INIT("SHORT"), STR_INIT("SMALLINT"), "integer", LAKE_BIGINT},
    {STR_INIT("INTEGER"), STR_INIT("INTEGER"), "integer", LAKE_BIGINT},
    {STR_INIT("INT"), STR_INIT("INTEGER"), "integer", LAKE_BIGINT},
    {STR_INIT("INT4"), STR_INIT("INTEGER"), "integer", LAKE_BIGINT},
    {STR_INIT("SIGNED"), STR_INIT("INTEGER"), "integer", LAKE_BIGINT},
    {STR_INIT("BIGINT"), STR_INIT("BIGINT"), "integer", LAKE_BIGINT},
    {STR_INIT("INT8"), STR_INIT("BIGINT"), "integer", LAKE_BIGINT},
    {STR_INIT("LONG"), STR_INIT("BIGINT"), "integer", LAKE_BIGINT},
    {STR_INIT("HUGEINT"), STR_INIT("HUGEINT"), "integer", LAKE_VARCHAR},
    {STR_INIT("INT128"), STR_INIT("HUGEINT"), "integer", LAKE_VARCHAR},
    {STR_INIT("UTINYINT"), STR_INIT("UTINYINT"), "integer", LAKE_BIGINT},
    {STR_INIT("USMALLINT"), STR_INIT("USMALLINT"), "integer", LAKE_BIGINT},
    {STR_INIT("UINTEGER"), STR_INIT("UINTEGER"), "integer", LAKE_BIGINT},
    {STR_INIT("UBIGINT"), STR_INIT("UBIGINT"), "integer", LAKE_VARCHAR},
    {STR_INIT("UHUGEINT"), STR_INIT("UHUGEINT"), "integer", LAKE_VARCHAR},
    {STR_INIT("DECIMAL"), STR_INIT("DECIMAL"), "number", LAKE_VARCHAR},
    {STR_INIT("NUMERIC"), STR_INIT("DECIMAL"), "number", LAKE_VARCHAR},
    {STR_INIT("DEC"), STR_INIT("DECIMAL"), "number", LAKE_VARCHAR},
    {STR_INIT("FLOAT"), STR_INIT("FLOAT"), "number", LAKE_DOUBLE},
    {STR_INIT("REAL"), STR_INIT("FLOAT"), "number", LAKE_DOUBLE},
    {STR_INIT("FLOAT4"), STR_INIT("FLOAT"), "number", LAKE_DOUBLE},
    {STR_INIT("DOUBLE"), STR_INIT("DOUBLE"), "number", LAKE_DOUBLE},
    {STR_INIT("FLOAT8"), STR_INIT("DOUBLE"), "number", LAKE_DOUBLE},
    {STR_INIT("BOOLEAN"), STR_INIT("BOOLEAN"), "boolean", LAKE_BOOLEAN},
    {STR_INIT("BOOL"), STR_INIT("BOOLEAN"), "boolean", LAKE_BOOLEAN},
    {STR_INIT("LOGICAL"), STR_INIT("BOOLEAN"), "boolean", LAKE_BOOLEAN},
    {STR_INIT("JSON"), STR_INIT("JSON"), "array", LAKE_VARCHAR},
    {STR_INIT("STRUCT"), STR_INIT("STRUCT"), "object", LAKE_JSON},
    {STR_INIT("ROW"), STR_INIT("STRUCT"), "object", LAKE_JSON},
    {STR_INIT("MAP"), STR_INIT("MAP"), "object", LAKE_JSON},
    {STR_INIT("UNION"), STR_INIT("UNION"), "object", LAKE_VARCHAR},
    {STR_INIT("DATETIME"), STR_INIT("TIMESTAMP"), "string", LAKE_VARCHAR},
    {STR_INIT("TIMESTAMP WITH TIME ZONE"), STR_INIT("TIMESTAMPTZ"), "string", LAKE_VARCHAR},
    {STR_INIT("TIME WITH TIME ZONE"), STR_INIT("TIMETZ"), "string", LAKE_VARCHAR},
    {STR_INIT("BYTEA"), STR_INIT("BLOB"), "string", LAKE_VARCHAR},
    {STR_INIT("VARBINARY"), STR_INIT("BLOB"), "string", LAKE_VARCHAR},
    {STR_INIT("BITSTRING"), STR_INIT("BIT"), "string", LAKE_VARCHAR},
};

static const struct type_alias *find_alias(str name) {
    for (size_t i = 0; i < ARRAY_COUNT(aliases); i++) {
        if (str_equal_nocase(aliases[i].name, name)) {
            return &aliases[i];
        }
    }
    return NULL;
}

// The element type of "T[]" or "T[3]"; false for what is no list.
static bool list_element(str type, str *element) {
    if (!str_ends_with(type, STR("]"))) {
        return false;
    }
    size_t open = str_find_last_char(type, '[');
    if (open == SIZE_MAX || open == 0) {
        return false;
    }
    *element = str_trim(str_slice(type, 0, open));
    return true;
}

// "DECIMAL" and "10,2" of "DECIMAL(10,2)".
static void split_type(str type, str *name, str *inside) {
    size_t open = str_find_char(type, '(');
    *inside = (str){0};
    *name = str_trim(type);
    if (open != SIZE_MAX && str_ends_with(type, STR(")"))) {
        *name = str_trim(str_slice(type, 0, open));
        *inside = str_slice(type, open + 1, type.size - 1);
    }
}

const char *column_type_base(str type) {
    str element;
    str name;
    str inside;
    if (list_element(type, &element)) {
        return "array";
    }
    split_type(type, &name, &inside);
    const struct type_alias *alias = find_alias(name);
    return alias != NULL ? alias->base : "string";
}

enum lake_kind column_type_staging(str type) {
    str element;
    str name;
    str inside;
    if (list_element(type, &element)) {
        return LAKE_JSON;
    }
    split_type(type, &name, &inside);
    const struct type_alias *alias = find_alias(name);
    return alias != NULL ? alias->staging : LAKE_VARCHAR;
}

static str canonical_decimal(struct arena *arena, str inside) {
    if (str_is_empty(inside)) {
        return STR("DECIMAL(18,3)");
    }
    size_t comma = str_find_char(inside, ',');
    if (comma == SIZE_MAX) {
        return str_format(arena, "DECIMAL(" STR_FORMAT ",0)", STR_ARGS(str_trim(inside)));
    }
    return str_format(arena, "DECIMAL(" STR_FORMAT "," STR_FORMAT ")",
                      STR_ARGS(str_trim(str_slice(inside, 0, comma))),
                      STR_ARGS(str_trim(str_from_offset(inside, comma + 1))));
}

str column_type_canonical(struct arena *arena, str type) {
    str name;
    str inside;
    if (str_is_empty(type)) {
        return STR("VARCHAR");
    }
    if (list_element(type, &name)) {
        return str_format(arena, STR_FORMAT "[]", STR_ARGS(column_type_canonical(arena, name)));
    }
    split_type(type, &name, &inside);
    const struct type_alias *alias = find_alias(name);
    str canonical = alias != NULL ? alias->canonical : str_to_upper(arena, name);
    if (str_equal(canonical, STR("DECIMAL"))) {
        return canonical_decimal(arena, inside);
    }
    if (str_equal(canonical, STR("VARCHAR")) || str_equal_nocase(name, STR("ENUM"))) {
        return STR("VARCHAR");
    }
    if (str_is_empty(inside)) {
        return canonical;
    }
    return str_format(arena, STR_FORMAT "(" STR_FORMAT ")", STR_ARGS(canonical), STR_ARGS(inside));
}

// The next field of "a INTEGER, b STRUCT(c VARCHAR)"; commas in parentheses and quotes do not
// count.
static bool next_field(str *rest, str *name, str *type) {
    *rest = str_trim(*rest);
    if (str_is_empty(*rest)) {
        return false;
    }
    size_t end = 0;
    int depth = 0;
    bool quoted = false;
    for (; end < rest->size; end++) {
        char c = rest->data[end];
        quoted = c == '"' ? !quoted : quoted;
        depth += quoted ? 0 : (c == '(') - (c == ')');
        if (c == ',' && depth == 0 && !quoted) {
            break;
        }
    }
    str field = str_trim(str_slice(*rest, 0, end));
    *rest = str_from_offset(*rest, end + 1);
    size_t space = str_find_char(field, ' ');
    if (str_starts_with(field, STR("\""))) {
        size_t close = str_find_char(str_from_offset(field, 1), '"');
        if (close == SIZE_MAX) {
            return false;
        }
        *name = str_slice(field, 1, close + 1);
        *type = str_trim(str_from_offset(field, close + 2));
        return true;
    }
    if (space == SIZE_MAX) {
        return false;
    }
    *name = str_slice(field, 0, space);
    *type = str_trim(str_from_offset(field, space + 1));
    return true;
}

static star_value struct_newer(struct star_thread *thread, str fields) {
    star_value dict = star_dict(thread);
    str name;
    str type;
    while (!star_is_error(dict) && next_field(&fields, &name, &type)) {
        star_value key = star_string(thread, name.data, name.size);
        star_value value = column_type_newer(thread, type);
        if (star_is_error(key) || star_is_error(value) ||
            !star_dict_set(thread, dict, key, value)) {
            return STAR_ERROR;
        }
    }
    return dict;
}

star_value column_type_newer(struct star_thread *thread, str type) {
    SCRATCH(scratch);
    str name;
    str inside;
    if (list_element(type, &name)) {
        star_value item = column_type_newer(thread, name);
        return star_is_error(item) ? item : star_list(thread, &item, 1);
    }
    split_type(type, &name, &inside);
    const struct type_alias *alias = find_alias(name);
    if (alias != NULL && str_equal(alias->canonical, STR("STRUCT")) && !str_is_empty(inside)) {
        return struct_newer(thread, inside);
    }
    str canonical = column_type_canonical(&scratch, type);
    return star_string(thread, canonical.data, canonical.size);
}
