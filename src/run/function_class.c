#include "run/function_class.h"

#include "base/text.h"
#include "lake/ast.h"
#include "lake/lake.h"
#include "lake/result.h"

enum { MACRO_DEPTH_MAX = 8 };

enum sql_function_class function_class(void *self, str name) {
    const struct function_classes *classes = self;
    const enum sql_function_class *class = map_get(&classes->by_name, name);
    return class == NULL ? SQL_FUNCTION_OTHER : *class;
}

static void set_class(struct function_classes *classes, str name, enum sql_function_class class) {
    enum sql_function_class *value = ARENA_NEW(classes->arena, enum sql_function_class);
    *value = class;
    (void)map_set(&classes->by_name, name, value);
}

// Asking the database costs some milliseconds; most queries use only these.
static void add_well_known(struct function_classes *classes) {
    static const char *const PLAIN[] = {"+",
                                        "-",
                                        "*",
                                        "/",
                                        "//",
                                        "%",
                                        "**",
                                        "^",
                                        "||",
                                        "~~",
                                        "!~~",
                                        "~~*",
                                        "abs",
                                        "lower",
                                        "upper",
                                        "trim",
                                        "round",
                                        "floor",
                                        "ceil",
                                        "length",
                                        "substr",
                                        "concat",
                                        "replace",
                                        "date_trunc",
                                        "year",
                                        "month",
                                        "day",
                                        "date_part",
                                        "row",
                                        "greatest",
                                        "least",
                                        "substring",
                                        "md5",
                                        "hash",
                                        "strftime",
                                        "list_value",
                                        "struct_pack",
                                        "array_extract",
                                        "struct_extract",
                                        "regexp_matches",
                                        "contains",
                                        "starts_with",
                                        "ltrim",
                                        "rtrim"};
    static const char *const AGGREGATES[] = {"sum",     "count",   "count_star", "min",   "max",
                                             "avg",     "list",    "string_agg", "first", "last",
                                             "arg_min", "arg_max", "any_value",  "median"};
    for (size_t i = 0; i < ARRAY_COUNT(PLAIN); i++) {
        set_class(classes, str_from(PLAIN[i]), SQL_FUNCTION_PLAIN);
    }
    for (size_t i = 0; i < ARRAY_COUNT(AGGREGATES); i++) {
        set_class(classes, str_from(AGGREGATES[i]), SQL_FUNCTION_AGGREGATE);
    }
}

// Macros that DuckDB itself brings count as plain when they are made of plain functions.
static enum error_code ask(struct function_classes *classes, struct lake_connection *connection,
                           const struct str_list *names, struct error *err) {
    static const char SQL[] =
        "SELECT lower(function_name), max(CASE function_type "
        "WHEN 'aggregate' THEN 1 WHEN 'table' THEN 0 WHEN 'table_macro' THEN 0 "
        "WHEN 'scalar' THEN CASE WHEN stability = 'CONSISTENT' THEN 0 ELSE 2 END "
        "WHEN 'macro' THEN CASE WHEN internal AND regexp_full_match(function_name, "
        "'nullif|fdiv|fmod|round_even|roundbankers|split_part|date_add|days_in_month|json|"
        "md5_number_.*|list_.*|array_.*|map_contains_.*') THEN 0 ELSE 2 END ELSE 2 END) "
        "FROM system.main.duckdb_functions() WHERE list_contains(?, lower(function_name)) "
        "GROUP BY 1";
    LAKE_RESULT result = NULL;
    TRY(lake_query(connection, str_from(SQL),
                   LAKE_VALUES(lake_value_texts(names->items, names->count)), &result, err));
    while (lake_result_next(result)) {
        static const enum sql_function_class CLASSES[] = {
            SQL_FUNCTION_PLAIN, SQL_FUNCTION_AGGREGATE, SQL_FUNCTION_OTHER};
        set_class(classes, str_copy(classes->arena, lake_result_text(result, 0)),
                  CLASSES[lake_result_int64(result, 1)]);
    }
    return ERROR_NONE;
}

static const struct definition_use *find_use(const struct definition_use *uses, size_t count,
                                             str name) {
    for (size_t i = 0; i < count; i++) {
        if (str_equal_nocase(uses[i].name, name)) {
            return &uses[i];
        }
    }
    return NULL;
}

// The body of a scalar macro as a query; false when it is no plain expression.
static bool macro_query(struct function_classes *classes, struct lake_connection *connection,
                        const struct definition_use *use, struct sql_query *query) {
    const size_t as = str_find(use->text, STR(" AS "));
    struct error ignored;
    str ast;
    size_t offset;
    if (as == SIZE_MAX) {
        return false; // a constant
    }
    const str body = str_trim(str_from_offset(use->text, as + 4));
    const str sql = str_format(classes->arena, "SELECT " STR_FORMAT, STR_ARGS(body));
    return lake_ast_read(connection, classes->arena, sql, &ast, &ignored) == ERROR_NONE &&
           sql_query_read(classes->arena, ast, query, &offset, &ignored) == ERROR_NONE &&
           query->tables.count == 0 && query->calls.count == 0 &&
           str_find(ast, STR("\"SUBQUERY\"")) == SIZE_MAX;
}

static enum error_code read_names(struct function_classes *classes,
                                  struct lake_connection *connection, const struct sql_query *query,
                                  const struct definition_use *uses, size_t use_count, int depth,
                                  struct error *err);

// A macro is plain when everything in it is.
static enum error_code classify_macro(struct function_classes *classes,
                                      struct lake_connection *connection,
                                      const struct definition_use *use,
                                      const struct definition_use *uses, size_t use_count,
                                      int depth, struct error *err) {
    struct sql_query query;
    set_class(classes, use->name, SQL_FUNCTION_OTHER);
    if (depth == MACRO_DEPTH_MAX || !macro_query(classes, connection, use, &query)) {
        return ERROR_NONE;
    }
    TRY(read_names(classes, connection, &query, uses, use_count, depth + 1, err));
    for (size_t i = 0; i < query.functions.count; i++) {
        if (function_class(classes, query.functions.items[i].name) != SQL_FUNCTION_PLAIN) {
            return ERROR_NONE;
        }
    }
    set_class(classes, use->name, SQL_FUNCTION_PLAIN);
    return ERROR_NONE;
}

// getvariable() is plain where every use reads a constant of the project: a changed one makes
// another definition.
static bool reads_constants(const struct sql_query *query, const struct definition_use *uses,
                            size_t use_count) {
    for (size_t i = 0; i < query->variables.count; i++) {
        if (find_use(uses, use_count, query->variables.items[i]) == NULL) {
            return false;
        }
    }
    return query->variables.count > 0 && !query->reads_unknown_variable;
}

static enum error_code read_names(struct function_classes *classes,
                                  struct lake_connection *connection, const struct sql_query *query,
                                  const struct definition_use *uses, size_t use_count, int depth,
                                  struct error *err) {
    struct str_list unknown = {0};
    for (size_t i = 0; i < query->functions.count; i++) {
        const str name = query->functions.items[i].name;
        const struct definition_use *use = find_use(uses, use_count, name);
        if (str_equal(name, STR("getvariable"))) {
            set_class(classes, name,
                      reads_constants(query, uses, use_count) ? SQL_FUNCTION_PLAIN
                                                              : SQL_FUNCTION_OTHER);
        } else if (use != NULL) {
            TRY(classify_macro(classes, connection, use, uses, use_count, depth, err));
        } else if (!map_has(&classes->by_name, name)) {
            str_list_push(classes->arena, &unknown, name);
        }
    }
    return unknown.count == 0 ? ERROR_NONE : ask(classes, connection, &unknown, err);
}

enum error_code function_classes_read(struct arena *arena, struct lake_connection *connection,
                                      const struct sql_query *query,
                                      const struct definition_use *uses, size_t use_count,
                                      struct function_classes *classes, struct error *err) {
    *classes = (struct function_classes){.arena = arena};
    map_init_nocase(&classes->by_name, arena);
    add_well_known(classes);
    return read_names(classes, connection, query, uses, use_count, 0, err);
}
