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
void function_classes_init(struct function_classes *classes, struct arena *arena) {
    *classes = (struct function_classes){.arena = arena};
    map_init_nocase(&classes->by_name, arena);
    // clang-format off
    static const char *const PLAIN[] = {
        "+", "-", "*", "/", "//", "%", "**", "^", "||", "~~", "!~~", "~~*", "!~~*", "->>",
        "abs", "array_extract", "ceil", "concat", "concat_ws", "contains", "date_diff", "date_part",
        "date_trunc", "day", "ends_with", "epoch", "floor", "greatest", "hash", "hour",
        "json_extract", "json_extract_string", "least", "left", "length", "list_contains",
        "list_value", "lower", "lpad", "ltrim", "md5", "minute", "month", "nullif", "quarter",
        "regexp_extract", "regexp_matches", "regexp_replace", "replace", "reverse", "right", "round",
        "row", "rpad", "rtrim", "second", "sign", "split_part", "starts_with", "strftime",
        "string_split", "strptime", "struct_extract", "struct_pack", "substr", "substring", "trim",
        "try_strptime", "upper", "week", "year",
    };
    // Window functions count as aggregates: DuckDB lists them so.
    static const char *const AGGREGATES[] = {
        "any_value", "arg_max", "arg_min", "avg", "bool_and", "bool_or", "count", "count_star",
        "cume_dist", "dense_rank", "first", "first_value", "lag", "last", "last_value", "lead",
        "list", "max", "median", "min", "nth_value", "ntile", "percent_rank", "rank", "row_number",
        "string_agg", "sum",
    };
    static const char *const OTHERS[] = {
        "current_date", "get_current_timestamp", "now", "random", "today", "uuid",
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_COUNT(PLAIN); i++) {
        set_class(classes, str_from(PLAIN[i]), SQL_FUNCTION_PLAIN);
    }
    for (size_t i = 0; i < ARRAY_COUNT(AGGREGATES); i++) {
        set_class(classes, str_from(AGGREGATES[i]), SQL_FUNCTION_AGGREGATE);
    }
    for (size_t i = 0; i < ARRAY_COUNT(OTHERS); i++) {
        set_class(classes, str_from(OTHERS[i]), SQL_FUNCTION_OTHER);
    }
}

// Macros that DuckDB itself brings count as plain when they are made of plain functions.
enum error_code function_classes_ask(struct function_classes *classes,
                                     struct lake_connection *connection,
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
                                             str name, bool is_constant) {
    for (size_t i = 0; i < count; i++) {
        if (uses[i].is_constant == is_constant && str_equal_nocase(uses[i].name, name)) {
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
        const struct definition_use *use =
            find_use(uses, use_count, query->variables.items[i], true);
        if (use == NULL || use->varies) {
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
        const struct definition_use *use = find_use(uses, use_count, name, false);
        if (str_equal(name, STR("getvariable"))) {
            const bool varies = map_has(&classes->by_name, name) &&
                                function_class(classes, name) == SQL_FUNCTION_OTHER;
            set_class(classes, name,
                      !varies && reads_constants(query, uses, use_count) ? SQL_FUNCTION_PLAIN
                                                                         : SQL_FUNCTION_OTHER);
        } else if (use != NULL) {
            TRY(classify_macro(classes, connection, use, uses, use_count, depth, err));
        } else if (!map_has(&classes->by_name, name)) {
            str_list_push(classes->arena, &unknown, name);
        }
    }
    return unknown.count == 0 ? ERROR_NONE
                              : function_classes_ask(classes, connection, &unknown, err);
}

enum error_code function_classes_read(struct arena *arena, struct lake_connection *connection,
                                      const struct sql_query *query,
                                      const struct definition_use *uses, size_t use_count,
                                      struct function_classes *classes, struct error *err) {
    function_classes_init(classes, arena);
    return read_names(classes, connection, query, uses, use_count, 0, err);
}

enum error_code function_classes_add(struct function_classes *classes,
                                     struct lake_connection *connection,
                                     const struct sql_query *query, struct error *err) {
    return read_names(classes, connection, query, NULL, 0, 0, err);
}
