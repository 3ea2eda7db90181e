#include "model/macros.h"

#include "base/file.h"
#include "base/text.h"
#include "lake/ast.h"
#include "lake/lake.h"
#include "lake/result.h"
#include "lake/script.h"

struct macro {
    str name;
    str text;  // parameters and body as DuckDB prints them
    bool read; // query is filled
    struct sql_query query;
};

// Whether the project has any file in the folder, respectively the file.
static bool has_macros(struct arena *arena, str project) {
    struct str_list names = {0};
    struct error ignored;
    const str folder = path_join(arena, project, STR("config/macros"));
    return directory_files(arena, folder, &names, &ignored) == ERROR_NONE && names.count > 0;
}

static enum error_code read_macros(struct macros *macros, struct error *err) {
    LAKE_RESULT result = NULL;
    TRY(lake_query(macros->connection,
                   STR("SELECT function_name, parameters::VARCHAR, macro_definition "
                       "FROM duckdb_functions() WHERE function_type IN ('macro', 'table_macro') "
                       "AND database_name = 'memory' ORDER BY ALL"),
                   LAKE_NO_VALUES, &result, err));
    while (lake_result_next(result)) {
        const str name = str_copy(macros->arena, lake_result_text(result, 0));
        const str parameters = str_copy(macros->arena, lake_result_text(result, 1));
        const str body = str_copy(macros->arena, lake_result_text(result, 2));
        struct macro *macro = map_get(&macros->by_name, name);
        if (macro == NULL) {
            macro = ARENA_NEW(macros->arena, struct macro);
            macro->name = name;
            (void)map_set(&macros->by_name, name, macro);
        }
        // Overloads of one name count as one macro.
        macro->text = str_format(macros->arena, STR_FORMAT STR_FORMAT " AS " STR_FORMAT "\n",
                                 STR_ARGS(macro->text), STR_ARGS(parameters), STR_ARGS(body));
    }
    return ERROR_NONE;
}

// The names that the statements `SET VARIABLE name = …` of the file assign.
static void constant_names(struct arena *arena, str text, struct str_list *names) {
    struct sql_statement_list statements = {0};
    sql_split(arena, text, &statements);
    for (size_t i = 0; i < statements.count; i++) {
        const str statement = statements.items[i].text;
        str words[3] = {{0}, {0}, {0}};
        size_t at = 0;
        for (size_t j = 0; j < 3 && at < statement.size; j++) {
            at = sql_skip_space(statement, at);
            const size_t end = sql_skip_token(statement, at);
            words[j] = str_slice(statement, at, end);
            at = end;
        }
        if (str_equal_nocase(words[0], STR("SET")) && str_equal_nocase(words[1], STR("VARIABLE"))) {
            const bool quoted = str_starts_with(words[2], STR("\""));
            str_list_push(arena, names,
                          quoted ? str_slice(words[2], 1, words[2].size - 1) : words[2]);
        }
    }
}

static enum error_code read_constants(struct macros *macros, str project, struct error *err) {
    const str path = path_join(macros->arena, project, STR("config/variables/constants.sql"));
    if (!path_is_file(path)) {
        return ERROR_NONE;
    }
    str text;
    TRY(file_read(macros->arena, path, &text, err));
    struct str_list names = {0};
    constant_names(macros->arena, text, &names);
    if (names.count == 0) {
        return ERROR_NONE;
    }
    LAKE_RESULT result = NULL;
    TRY(lake_query(macros->connection, STR("SELECT name, value::VARCHAR FROM duckdb_variables()"),
                   LAKE_NO_VALUES, &result, err));
    while (lake_result_next(result)) {
        const str name = str_copy(macros->arena, lake_result_text(result, 0));
        if (str_list_has_nocase(&names, name)) {
            str *value = ARENA_NEW(macros->arena, str);
            *value = str_copy(macros->arena, lake_result_text(result, 1));
            (void)map_set(&macros->constants, name, value);
        }
    }
    return ERROR_NONE;
}

enum error_code macros_read(struct arena *arena, struct lake_connection *connection, str project,
                            const struct models *models, struct macros *macros, struct error *err) {
    *macros = (struct macros){.arena = arena, .connection = connection};
    map_init_nocase(&macros->by_name, arena);
    map_init_nocase(&macros->constants, arena);
    bool uses_variables = false;
    for (size_t i = 0; i < models->count; i++) {
        uses_variables = uses_variables || models->items[i]->query.variables.count > 0;
    }
    const bool with_macros = models->count > 0 && has_macros(arena, project);
    if (with_macros) {
        TRY(read_macros(macros, err));
    }
    // A macro may use a constant, too.
    return uses_variables || with_macros ? read_constants(macros, project, err) : ERROR_NONE;
}

// ── Use ──

struct use_list {
    struct definition_use *items;
    size_t count;
    size_t capacity;
};

static bool has_use(const struct use_list *list, str name) {
    for (size_t i = 0; i < list->count; i++) {
        if (str_equal_nocase(list->items[i].name, name)) {
            return true;
        }
    }
    return false;
}

// The body of a macro as a query, to see what it uses in turn.
static enum error_code macro_query(struct macros *macros, struct macro *macro, struct error *err) {
    if (macro->read) {
        return ERROR_NONE;
    }
    macro->read = true;
    const size_t as = str_find(macro->text, STR(" AS "));
    const str body = str_trim(str_from_offset(macro->text, as + 4));
    const str as_value = str_format(macros->arena, "SELECT " STR_FORMAT, STR_ARGS(body));
    str ast;
    size_t offset;
    // A table macro's body is a query, a scalar one's an expression.  One that is neither in our
    // eyes (several overloads) is hashed all the same; only what it uses stays unseen.
    if (lake_ast_read(macros->connection, macros->arena, as_value, &ast, err) != ERROR_NONE &&
        lake_ast_read(macros->connection, macros->arena, body, &ast, err) != ERROR_NONE) {
        return ERROR_NONE;
    }
    return sql_query_read(macros->arena, ast, &macro->query, &offset, err);
}

static enum error_code collect(struct macros *macros, const struct sql_query *query,
                               struct use_list *uses, struct error *err);

static enum error_code collect_macro(struct macros *macros, str name, struct use_list *uses,
                                     struct error *err) {
    struct macro *macro = map_get(&macros->by_name, name);
    if (macro == NULL || has_use(uses, macro->name)) {
        return ERROR_NONE;
    }
    const struct definition_use use = {macro->name, macro->text};
    LIST_PUSH(macros->arena, uses, use);
    TRY(macro_query(macros, macro, err));
    return collect(macros, &macro->query, uses, err);
}

static enum error_code collect(struct macros *macros, const struct sql_query *query,
                               struct use_list *uses, struct error *err) {
    for (size_t i = 0; i < query->functions.count; i++) {
        TRY(collect_macro(macros, query->functions.items[i].name, uses, err));
    }
    for (size_t i = 0; i < query->calls.count; i++) {
        TRY(collect_macro(macros, query->calls.items[i].name, uses, err));
    }
    for (size_t i = 0; i < query->variables.count; i++) {
        const str *value = map_get(&macros->constants, query->variables.items[i]);
        if (value != NULL && !has_use(uses, query->variables.items[i])) {
            const struct definition_use use = {query->variables.items[i], *value};
            LIST_PUSH(macros->arena, uses, use);
        }
    }
    return ERROR_NONE;
}

enum error_code macros_used(struct macros *macros, const struct sql_query *query,
                            const struct definition_use **uses, size_t *count, struct error *err) {
    struct use_list list = {0};
    TRY(collect(macros, query, &list, err));
    for (size_t i = 1; i < list.count; i++) {
        for (size_t j = i; j > 0 && str_compare(list.items[j].name, list.items[j - 1].name) < 0;
             j--) {
            const struct definition_use use = list.items[j];
            list.items[j] = list.items[j - 1];
            list.items[j - 1] = use;
        }
    }
    *uses = list.items;
    *count = list.count;
    return ERROR_NONE;
}
