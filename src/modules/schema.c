// lib_helpers.to_json_schema: DuckDB types as JSON Schema (libs.md §10.3).
#include "base/arena.h"
#include "modules/argument.h"
#include "modules/builtins.h"
#include "modules/modules.h"

struct schema_type {
    str name; // of a DuckDB type, without its parameters; or of a JSON type
    const char *type;
    const char *format;
};

static const struct schema_type schema_types[] = {
    {STR_INIT("TINYINT"), "integer", NULL},  {STR_INIT("SMALLINT"), "integer", NULL},
    {STR_INIT("INTEGER"), "integer", NULL},  {STR_INIT("INT"), "integer", NULL},
    {STR_INIT("BIGINT"), "integer", NULL},   {STR_INIT("HUGEINT"), "integer", NULL},
    {STR_INIT("UTINYINT"), "integer", NULL}, {STR_INIT("USMALLINT"), "integer", NULL},
    {STR_INIT("UINTEGER"), "integer", NULL}, {STR_INIT("UBIGINT"), "integer", NULL},
    {STR_INIT("UHUGEINT"), "integer", NULL}, {STR_INIT("DECIMAL"), "number", NULL},
    {STR_INIT("NUMERIC"), "number", NULL},   {STR_INIT("DOUBLE"), "number", NULL},
    {STR_INIT("FLOAT"), "number", NULL},     {STR_INIT("REAL"), "number", NULL},
    {STR_INIT("BOOLEAN"), "boolean", NULL},  {STR_INIT("DATE"), "string", "date"},
    {STR_INIT("string"), "string", NULL},    {STR_INIT("number"), "number", NULL},
    {STR_INIT("array"), "array", NULL},      {STR_INIT("object"), "object", NULL},
};

static const struct schema_type *find_type(str name) {
    static const struct schema_type timestamp = {{NULL, 0}, "string", "date-time"};
    static const struct schema_type text = {{NULL, 0}, "string", NULL};
    name = str_trim(str_slice(name, 0, str_find_char(name, '(')));
    if (str_equal_nocase(str_slice(name, 0, 9), STR("TIMESTAMP"))) {
        return &timestamp;
    }
    for (size_t i = 0; i < ARRAY_COUNT(schema_types); i++) {
        if (str_equal_nocase(name, schema_types[i].name)) {
            return &schema_types[i];
        }
    }
    return &text;
}

static bool set(struct star_thread *thread, star_value dict, const char *name, star_value value) {
    return !star_is_error(dict) && !star_is_error(value) &&
           star_dict_set_name(thread, dict, name, value);
}

static star_value named_type(struct star_thread *thread, const char *type, const char *format) {
    const star_value schema = star_dict(thread);
    if (!set(thread, schema, "type", star_string_from(thread, type)) ||
        (format != NULL && !set(thread, schema, "format", star_string_from(thread, format)))) {
        return STAR_ERROR;
    }
    return schema;
}

static star_value convert(struct star_thread *thread, star_value type, int depth);

static star_value array_schema(struct star_thread *thread, star_value type, int depth) {
    const star_value schema = named_type(thread, "array", NULL);
    if (star_is_error(schema) || star_length(type) == 0) {
        return schema;
    }
    const star_value item = star_item(thread, type, 0);
    if (star_is_error(item) || !set(thread, schema, "items", convert(thread, item, depth + 1))) {
        return STAR_ERROR;
    }
    return schema;
}

static star_value object_schema(struct star_thread *thread, star_value type, int depth) {
    const star_value schema = named_type(thread, "object", NULL);
    const star_value properties = star_dict(thread);
    size_t position = 0;
    star_value name = STAR_NONE;
    star_value field = STAR_NONE;
    while (!star_is_error(properties) && star_dict_next(thread, type, &position, &name, &field)) {
        const star_value converted = convert(thread, field, depth + 1);
        if (star_is_error(converted) || !star_dict_set(thread, properties, name, converted)) {
            return STAR_ERROR;
        }
    }
    return star_is_error(schema) || !set(thread, schema, "properties", properties) ? STAR_ERROR
                                                                                   : schema;
}

static star_value convert(struct star_thread *thread, star_value type, int depth) {
    enum { DEPTH_MAX = 100 };
    if (depth > DEPTH_MAX) {
        return star_fail(thread, "to_json_schema: nested deeper than %d", DEPTH_MAX);
    }
    const enum star_kind kind = star_kind(type);
    str name;
    if (kind == STAR_KIND_STRING && value_text(type, &name)) {
        const struct schema_type *found = find_type(name);
        return named_type(thread, found->type, found->format);
    }
    if (kind == STAR_KIND_LIST || kind == STAR_KIND_TUPLE) {
        return array_schema(thread, type, depth);
    }
    if (kind == STAR_KIND_DICT) {
        return object_schema(thread, type, depth);
    }
    return argument_wrong(thread, "to_json_schema", type, "string, list or dict");
}

star_value modules_json_schema(struct star_thread *thread, star_value type) {
    return convert(thread, type, 0);
}

static star_value to_json_schema(struct star_thread *thread, const struct star_call_info *call) {
    return modules_json_schema(thread, call->arguments[0]);
}

static const struct star_parameter parameters[] = {{"t", STAR_REQUIRED, 0}};
static const struct star_builtin functions[] = {
    STAR_BUILTIN("lib_helpers.to_json_schema", to_json_schema, parameters)};
const struct builtin_table schema_builtins = {"lib_helpers", functions, ARRAY_COUNT(functions)};
