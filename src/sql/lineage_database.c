#include "sql/lineage_database.h"

#include "base/text.h"
#include "lake/ast.h"
#include "lake/lake.h"
#include "lake/result.h"
#include "sql/ast.h"
#include "sql/ast_node.h"

// All definitions of one macro: they differ in the number of parameters.
struct lineage_macros {
    struct lineage_definition *items;
    size_t count;
    size_t capacity;
};

// ── Registering ──

static struct lineage_table *put_table(struct lineage_database *database, struct map *map, str key,
                                       str name) {
    struct lineage_table *table = ARENA_NEW(database->arena, struct lineage_table);
    table->name = name;
    (void)map_set(map, key, table);
    return table;
}

void lineage_database_add(struct lineage_database *database, str name,
                          const struct str_list *columns, bool columns_known,
                          const struct str_list *types) {
    struct lineage_table *table = put_table(database, &database->tables, name, name);
    table->columns = *columns;
    table->columns_known = columns_known;
    table->types = types == NULL ? (struct str_list){0} : *types;
}

void lineage_database_add_made(struct lineage_database *database, str name,
                               const struct str_list *columns, bool columns_known,
                               const struct lineage_column_list *made_by) {
    struct lineage_table *table = put_table(database, &database->tables, name, name);
    table->columns = *columns;
    table->columns_known = columns_known;
    table->made_by = columns_known ? made_by : NULL; // else the places differ
}

void lineage_database_add_call(struct lineage_database *database, str function, str shown_name,
                               const struct str_list *columns, bool columns_known) {
    struct lineage_table *table = put_table(database, &database->calls, function, shown_name);
    table->columns = *columns;
    table->columns_known = columns_known;
}

static void put_view(struct lineage_database *database, str schema, str name,
                     const struct lineage_definition *definition) {
    const str key =
        str_format(database->arena, STR_FORMAT "." STR_FORMAT, STR_ARGS(schema), STR_ARGS(name));
    put_table(database, &database->tables, key, key)->definition = definition;
}

static bool is_in_memory(const struct sql_view *view) {
    return str_equal_nocase(view->catalog, STR("memory")) ||
           (view->catalog.size == 0 && str_equal_nocase(view->schema, STR("memory")));
}

void lineage_database_add_view(struct lineage_database *database, const struct sql_view *view,
                               str ast) {
    struct arena *arena = database->arena;
    struct lineage_definition *definition = ARENA_NEW(arena, struct lineage_definition);
    definition->ast = ast;
    definition->column_aliases = view->columns.items;
    definition->column_alias_count = view->columns.count;
    if (!is_in_memory(view)) {
        const str schema = view->schema.size > 0 ? view->schema : STR("main");
        put_view(database, schema, view->name, definition);
        return;
    }
    // vw, memory.vw and memory.main.vw are one; a model of that name is registered later.
    put_view(database, STR("main"), view->name, definition);
    put_view(database, STR("memory"), view->name, definition);
    put_view(database, STR("memory.main"), view->name, definition);
}

// ── Tables ──

static bool describe_table(struct lineage_database *database, const struct lineage_name *name,
                           str key) {
    struct arena *arena = database->arena;
    struct lake_column *columns;
    size_t count = 0;
    struct error ignored;
    struct str_list parts = {0}, names = {0}, types = {0};
    const str written[] = {name->catalog, name->schema, name->name};
    for (size_t i = 0; i < ARRAY_COUNT(written); i++) {
        if (written[i].size > 0) {
            str_list_push(arena, &parts, lake_quote_name(arena, written[i]));
        }
    }
    const str sql =
        str_format(arena, "FROM " STR_FORMAT, STR_ARGS(str_list_join(arena, &parts, STR("."))));
    if (lake_describe(database->connection, arena, sql, &columns, &count, &ignored) != ERROR_NONE) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        str_list_push(arena, &names, columns[i].name);
        str_list_push(arena, &types, columns[i].type);
    }
    lineage_database_add(database, key, &names, true, &types);
    return true;
}

static bool is_file(const struct lineage_name *name) {
    return name->schema.size == 0 && (str_find_char(name->name, '/') != SIZE_MAX ||
                                      str_find_char(name->name, '.') != SIZE_MAX);
}

// "schema.table", with the catalog in front when it is not the lake.
static str table_key(struct lineage_database *database, const struct lineage_name *name) {
    struct arena *arena = database->arena;
    const str schema = name->schema.size > 0 ? name->schema : STR("main");
    if (is_file(name)) {
        return str_copy(arena, name->name);
    }
    const bool is_here =
        name->catalog.size == 0 || str_equal_nocase(name->catalog, database->alias);
    return is_here ? str_format(arena, STR_FORMAT "." STR_FORMAT, STR_ARGS(schema),
                                STR_ARGS(name->name))
                   : str_format(arena, STR_FORMAT "." STR_FORMAT "." STR_FORMAT,
                                STR_ARGS(name->catalog), STR_ARGS(schema), STR_ARGS(name->name));
}

static bool answer_table(void *self, struct arena *arena, const struct lineage_name *name,
                         struct lineage_table *table) {
    (void)arena;
    struct lineage_database *database = self;
    const str key = table_key(database, name);
    const struct lineage_table *known = map_get(&database->tables, key);
    if (known == NULL && database->asks_tables && database->connection != NULL) {
        (void)describe_table(database, name, key);
        known = map_get(&database->tables, key);
    }
    if (known == NULL) {
        known = put_table(database, &database->tables, key, key);
    }
    *table = *known;
    return true;
}

// ── Macros ──

void lineage_database_add_macro(struct lineage_database *database, str name,
                                const struct str_list *parameters, str body, bool is_table) {
    struct arena *arena = database->arena;
    const str sql = is_table ? body : str_format(arena, "SELECT " STR_FORMAT, STR_ARGS(body));
    struct lineage_definition definition = {0};
    struct error ignored;
    if (lake_ast_read(database->connection, arena, sql, &definition.ast, &ignored) != ERROR_NONE) {
        return;
    }
    definition.parameters = parameters->items;
    definition.parameter_count = parameters->count;
    struct lineage_macros *macros = map_get(&database->macros, name);
    if (macros == NULL) {
        macros = ARENA_NEW(arena, struct lineage_macros);
        (void)map_set(&database->macros, name, macros);
    }
    LIST_PUSH(arena, macros, definition);
}

static void add_macro(struct lineage_database *database, struct lake_result *result) {
    struct arena *arena = database->arena;
    const str parameters = str_copy(arena, lake_result_text(result, 3));
    struct str_list names = {0};
    struct str_splitter splitter = {.rest = parameters};
    str parameter;
    while (parameters.size > 0 && str_split_next(&splitter, '\n', &parameter)) {
        str_list_push(arena, &names, parameter);
    }
    lineage_database_add_macro(database, str_copy(arena, lake_result_text(result, 0)), &names,
                               str_copy(arena, lake_result_text(result, 2)),
                               str_equal(lake_result_text(result, 1), STR("table_macro")));
}

static void load_macros(struct lineage_database *database) {
    LAKE_RESULT result = NULL;
    struct error ignored;
    if (database->macros_loaded || database->has_no_macros || database->connection == NULL) {
        return;
    }
    database->macros_loaded = true;
    if (lake_query(database->connection,
                   STR("SELECT function_name, function_type, macro_definition, "
                       "array_to_string(parameters, chr(10)) FROM system.main.duckdb_functions() "
                       "WHERE function_type IN ('macro', 'table_macro') AND NOT internal "
                       "ORDER BY ALL"),
                   LAKE_NO_VALUES, &result, &ignored) != ERROR_NONE) {
        return;
    }
    while (lake_result_next(result)) {
        add_macro(database, result);
    }
}

// The definition with the fewest parameters that takes so many arguments: later ones have defaults.
static const struct lineage_definition *find_macro(struct lineage_database *database, str name,
                                                   size_t argument_count) {
    load_macros(database);
    const struct lineage_macros *macros = map_get(&database->macros, name);
    const struct lineage_definition *found = NULL;
    for (size_t i = 0; macros != NULL && i < macros->count; i++) {
        const struct lineage_definition *candidate = &macros->items[i];
        if (candidate->parameter_count >= argument_count &&
            (found == NULL || candidate->parameter_count < found->parameter_count)) {
            found = candidate;
        }
    }
    return found;
}

static bool answer_macro(void *self, struct arena *arena, const struct lineage_name *name,
                         size_t argument_count, struct lineage_definition *definition) {
    (void)arena;
    const struct lineage_definition *macro = find_macro(self, name->name, argument_count);
    if (macro != NULL) {
        *definition = *macro;
    }
    return macro != NULL;
}

// ── Functions in FROM ──

static bool describe_call(struct lineage_database *database, str ast, struct lineage_table *table) {
    struct arena *arena = database->arena;
    const str select = sql_ast_select(arena, &ast, 1);
    struct error ignored;
    struct lake_column *columns;
    size_t count = 0;
    str sql;
    // `SELECT f(x)` is the shortest tree that holds the call; its text is what FROM takes.
    if (lake_ast_write(database->connection, arena, select, &sql, &ignored) != ERROR_NONE) {
        return false;
    }
    sql =
        str_format(arena, "FROM " STR_FORMAT, STR_ARGS(str_from_offset(sql, STR("SELECT ").size)));
    if (lake_describe(database->connection, arena, sql, &columns, &count, &ignored) != ERROR_NONE) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        str_list_push(arena, &table->columns, columns[i].name);
        str_list_push(arena, &table->types, columns[i].type);
    }
    table->columns_known = true;
    return true;
}

static bool answer_call(void *self, struct arena *arena, const struct lineage_name *name, str ast,
                        size_t argument_count, struct lineage_table *table) {
    (void)arena;
    struct lineage_database *database = self;
    const struct lineage_table *known = map_get(&database->calls, name->name);
    if (known != NULL) {
        *table = *known;
        return true;
    }
    const struct lineage_definition *macro = find_macro(database, name->name, argument_count);
    if (macro != NULL) {
        table->definition = macro;
        return true;
    }
    return database->asks_calls && database->connection != NULL &&
           describe_call(database, ast, table);
}

// ── Expressions ──

static bool answer_evaluate(void *self, struct arena *arena, const str *asts, size_t count,
                            str *texts) {
    struct lineage_database *database = self;
    struct error ignored;
    LAKE_RESULT result = NULL;
    str sql;
    if (count == 0) {
        return true;
    }
    if (database->connection == NULL ||
        lake_ast_write(database->connection, arena, sql_ast_select(arena, asts, count), &sql,
                       &ignored) != ERROR_NONE ||
        lake_query(database->connection, sql, LAKE_NO_VALUES, &result, &ignored) != ERROR_NONE ||
        !lake_result_next(result)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const bool is_boolean = lake_result_type(result, i)->kind == LAKE_BOOLEAN;
        texts[i] = is_boolean ? (lake_result_bool(result, i) ? STR("true") : STR("false"))
                              : str_copy(arena, lake_result_text(result, i));
    }
    return true;
}

static str answer_name(void *self, struct arena *arena, str ast) {
    struct lineage_database *database = self;
    const str *known = map_get(&database->names, ast);
    struct error ignored;
    str sql;
    const str select = sql_ast_select(arena, &ast, 1);
    if (known != NULL) {
        return *known;
    }
    if (database->connection == NULL ||
        lake_ast_write(database->connection, arena, ast_with_type_words(arena, select), &sql,
                       &ignored) != ERROR_NONE) {
        return (str){0};
    }
    str *name = ARENA_NEW(database->arena, str);
    *name = str_copy(database->arena, str_from_offset(sql, STR("SELECT ").size));
    (void)map_set(&database->names, ast, name);
    return *name;
}

void lineage_database_init(struct lineage_database *database, struct arena *arena,
                           struct lake_connection *connection) {
    *database = (struct lineage_database){.arena = arena, .connection = connection};
    map_init_nocase(&database->tables, arena);
    map_init_nocase(&database->calls, arena);
    map_init_nocase(&database->macros, arena);
    map_init(&database->names, arena);
    database->catalog = (struct lineage_catalog){
        .self = database,
        .table = answer_table,
        .call = answer_call,
        .macro = answer_macro,
        .evaluate = answer_evaluate,
        .expression_name = answer_name,
    };
}
