#include "model/views.h"

#include "base/file.h"
#include "base/text.h"
#include "lake/ast.h"
#include "lake/lake.h"
#include "lake/result.h"
#include "lake/script.h"
#include "model/databases.h"
#include "sql/lineage_database.h"

static str full_name(struct arena *arena, str schema, str name) {
    return str_format(arena, STR_FORMAT "." STR_FORMAT,
                      STR_ARGS(schema.size > 0 ? schema : STR("main")), STR_ARGS(name));
}

// `place`: where the catalog says that it is; NULL: as the statement says.
static void add_view(struct views *views, str statement, const struct sql_table *place) {
    struct arena *arena = views->arena;
    struct error ignored;
    size_t offset = 0;
    struct view *view = ARENA_NEW(arena, struct view);
    struct sql_view *made = &view->definition;
    if (!sql_view_read(arena, statement, made) ||
        lake_ast_read(views->options->connection, arena, made->body, &view->ast, &ignored) !=
            ERROR_NONE ||
        sql_query_read(arena, view->ast, &view->query, &offset, &ignored) != ERROR_NONE) {
        return;
    }
    if (place != NULL) {
        made->catalog = place->catalog;
        made->schema = place->schema;
        made->name = place->name;
    } else if (sql_view_is_of_session(made, views->options->catalog)) {
        made->catalog = STR("memory");
        made->schema = (str){0};
    }
    view->name = full_name(arena, made->schema, made->name);
    view->text = view->query.canonical;
    if (made->columns.count > 0) {
        view->text = str_format(arena, STR_FORMAT " (" STR_FORMAT ")", STR_ARGS(view->text),
                                STR_ARGS(str_list_join(arena, &made->columns, STR(", "))));
    }
    view->from_sources = place == NULL;
    (void)map_set(&views->by_name, view->name, view);
    if (made->schema.size == 0 || str_equal_nocase(made->schema, STR("memory")) ||
        str_equal_nocase(made->catalog, STR("memory"))) {
        view->name = made->name;
        (void)map_set(&views->by_name, view->name, view);
    }
}

// ── Names without a schema ──

static bool in_own_schema(const struct view *view, str catalog) {
    const struct sql_view *made = &view->definition;
    return made->schema.size > 0 && !str_equal_nocase(made->schema, STR("main")) &&
           !str_equal_nocase(made->schema, STR("memory")) &&
           (made->catalog.size == 0 || str_equal_nocase(made->catalog, catalog));
}

static bool has_bare_name(const struct sql_query *query) {
    for (size_t i = 0; i < query->tables.count; i++) {
        if (query->tables.items[i].schema.size == 0) {
            return true;
        }
    }
    return false;
}

// The tables of the lake as "schema.table".
static enum error_code read_tables(struct views *views, struct map *tables, struct error *err) {
    struct arena *arena = views->arena;
    LAKE_RESULT result = NULL;
    map_init_nocase(tables, arena);
    if (views->options->catalog.size == 0) {
        return ERROR_NONE;
    }
    TRY(lake_query(views->options->connection,
                   STR("SELECT schema_name, table_name FROM duckdb_tables() WHERE "
                       "database_name = ?"),
                   LAKE_VALUES(lake_value_text(views->options->catalog)), &result, err));
    while (lake_result_next(result)) {
        const str name = full_name(arena, lake_result_text(result, 0), lake_result_text(result, 1));
        (void)map_set(tables, name, views);
    }
    return ERROR_NONE;
}

// In a view of another schema than main DuckDB looks for a table there first.
static enum error_code resolve_names(struct views *views, struct error *err) {
    struct arena *arena = views->arena;
    struct map tables;
    bool has_tables = false;
    for (size_t i = 0; i < views->by_name.count; i++) {
        struct view *view = views->by_name.entries[i].value;
        if (!in_own_schema(view, views->options->catalog) || !has_bare_name(&view->query)) {
            continue;
        }
        if (!has_tables) {
            TRY(read_tables(views, &tables, err));
            has_tables = true;
        }
        view->schema = view->definition.schema;
        for (size_t j = 0; j < view->query.tables.count; j++) {
            struct sql_table *table = &view->query.tables.items[j];
            const str name = full_name(arena, view->schema, table->name);
            if (table->schema.size == 0 &&
                (map_has(&tables, name) || map_has(&views->by_name, name))) {
                table->schema = view->schema;
            }
        }
    }
    return ERROR_NONE;
}

static enum error_code read_sources(struct views *views, struct error *err) {
    const str path = path_join(views->arena, views->options->project, STR("config/sources.sql"));
    str text;
    if (!path_is_file(path)) {
        return ERROR_NONE;
    }
    TRY(file_read(views->arena, path, &text, err));
    struct sql_statement_list statements = {0};
    sql_split(views->arena,
              str_replace_all(views->arena, text, STR("{{catalog}}"), views->options->catalog),
              &statements);
    for (size_t i = 0; i < statements.count; i++) {
        add_view(views, statements.items[i].text, NULL);
    }
    return ERROR_NONE;
}

static enum error_code read_catalogs(struct views *views, struct error *err) {
    struct arena *arena = views->arena;
    struct {
        struct sql_table *items;
        size_t count;
        size_t capacity;
    } places = {0};
    struct str_list statements = {0};
    LAKE_RESULT result = NULL;
    TRY(lake_query(views->options->connection,
                   STR("SELECT rtrim(sql, ';'), database_name, schema_name, view_name FROM"
                       " duckdb_views() WHERE NOT internal AND database_name IN (?, 'memory')"),
                   LAKE_VALUES(lake_value_text(views->options->catalog)), &result, err));
    while (lake_result_next(result)) {
        const struct sql_table place = {.catalog = str_copy(arena, lake_result_text(result, 1)),
                                        .schema = str_copy(arena, lake_result_text(result, 2)),
                                        .name = str_copy(arena, lake_result_text(result, 3))};
        LIST_PUSH(arena, &places, place);
        str_list_push(arena, &statements, str_copy(arena, lake_result_text(result, 0)));
    }
    for (size_t i = 0; i < statements.count; i++) {
        add_view(views, statements.items[i], &places.items[i]);
    }
    return ERROR_NONE;
}

static enum error_code read_all(struct views *views, struct error *err) {
    if (views->is_read) {
        return ERROR_NONE;
    }
    views->is_read = true;
    if (views->options->catalog.size > 0) {
        TRY(read_catalogs(views, err));
    }
    TRY(read_sources(views, err));
    return resolve_names(views, err);
}

// ── Finding ──

void views_init(struct views *views, struct arena *arena, const struct models_options *options,
                const struct databases *databases) {
    *views = (struct views){.arena = arena, .options = options, .databases = databases};
    map_init_nocase(&views->by_name, arena);
}

// Tables of other databases are external whatever stands behind them.
static bool may_be_view(const struct views *views, const struct sql_table *table) {
    return str_equal_nocase(table->catalog, STR("memory")) ||
           !databases_is_outside(views->databases, table->catalog);
}

const struct view *views_known(const struct views *views, const struct sql_table *table) {
    SCRATCH(scratch);
    const bool in_memory = str_equal_nocase(table->schema, STR("memory")) ||
                           str_equal_nocase(table->catalog, STR("memory"));
    if (table->schema.size == 0 || in_memory) {
        const struct view *view = map_get(&views->by_name, table->name);
        if (view != NULL || in_memory) {
            return view;
        }
    }
    return map_get(&views->by_name, full_name(&scratch, table->schema, table->name));
}

enum error_code views_find(struct views *views, const struct sql_table *table,
                           const struct view **view, struct error *err) {
    *view = NULL;
    if (may_be_view(views, table)) {
        TRY(read_all(views, err));
        *view = views_known(views, table);
    }
    return ERROR_NONE;
}

void views_trace(const struct views *views, struct lineage_database *database) {
    for (size_t i = 0; i < views->by_name.count; i++) {
        const struct view *view = views->by_name.entries[i].value;
        lineage_database_add_view(database, &view->definition, view->ast);
    }
}
