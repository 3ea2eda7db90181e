#include "model/databases.h"

#include "base/file.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/lake.h"
#include "lake/result.h"
#include "lake/script.h"

static bool is_ducklake(const struct attach_text *attach) {
    SCRATCH(scratch);
    return str_starts_with(str_to_lower(&scratch, attach->path), STR("ducklake:"));
}

// "ext/e.db" is e, as DuckDB calls it.
static str own_name(str path) {
    const size_t colon = str_find_char(path, ':'); // of `sqlite:`
    const str base = path_base(str_from_offset(path, colon == SIZE_MAX ? 0 : colon + 1));
    return str_slice(base, 0, str_find_char(base, '.'));
}

static void add(struct databases *databases, struct arena *arena, str name) {
    if (name.size > 0 && !str_equal_nocase(name, databases->lake) &&
        !str_list_has_nocase(&databases->others, name)) {
        str_list_push(arena, &databases->others, name);
    }
}

// The first DuckLake of config/catalog.sql is the lake, when nobody told which it is.
static void read_file(struct databases *databases, struct arena *arena, str project,
                      const char *file, bool has_lake) {
    struct sql_statement_list statements = {0};
    struct error ignored;
    str text;
    const str path = path_join(arena, project, str_from(file));
    if (!path_is_file(path) || file_read(arena, path, &text, &ignored) != ERROR_NONE) {
        return;
    }
    sql_split(arena, text, &statements);
    for (size_t i = 0; i < statements.count; i++) {
        const struct attach_text attach = attach_text_parse(arena, statements.items[i].text);
        const str name = attach.alias.size > 0 ? attach.alias : own_name(attach.path);
        if (!attach.is_attach) {
            continue;
        }
        if (has_lake && is_ducklake(&attach)) {
            databases->lake = databases->lake.size > 0 ? databases->lake : attach.alias;
        } else {
            add(databases, arena, name);
        }
    }
}

static void read_attached(struct databases *databases, struct arena *arena,
                          struct lake_connection *connection) {
    struct error ignored;
    LAKE_RESULT result = NULL;
    if (lake_query(connection,
                   STR("SELECT database_name FROM duckdb_databases() WHERE NOT internal"),
                   LAKE_NO_VALUES, &result, &ignored) != ERROR_NONE) {
        return;
    }
    while (lake_result_next(result)) {
        add(databases, arena, str_copy(arena, lake_result_text(result, 0)));
    }
}

void databases_read(struct databases *databases, struct arena *arena,
                    const struct models_options *options) {
    *databases = (struct databases){.lake = options->catalog};
    add(databases, arena, STR("memory"));
    read_file(databases, arena, options->project, "config/catalog.sql", true);
    read_file(databases, arena, options->project, "config/sources.sql", false);
    if (options->catalog.size > 0) {
        read_attached(databases, arena, options->connection);
    }
}

bool databases_is_outside(const struct databases *databases, str catalog) {
    if (catalog.size == 0 || databases->lake.size == 0) {
        return str_list_has_nocase(&databases->others, catalog);
    }
    return !str_equal_nocase(catalog, databases->lake);
}

bool databases_has_other(const struct databases *databases, str name) {
    return str_list_has_nocase(&databases->others, name);
}

struct table_place table_place(const struct models *models, struct arena *arena,
                               const struct sql_table *table) {
    const struct databases *databases = models->databases;
    const struct table_place here = {
        .name = str_format(arena, STR_FORMAT "." STR_FORMAT,
                           STR_ARGS(table->schema.size > 0 ? table->schema : STR("main")),
                           STR_ARGS(table->name)),
    };
    if (table->catalog.size == 0) {
        return (struct table_place){
            .name = here.name,
            .is_external = str_list_has_nocase(&databases->others, table->schema) &&
                           models_find(models, here.name) == NULL,
        };
    }
    if (!databases_is_outside(databases, table->catalog)) {
        return here;
    }
    return (struct table_place){
        .name = str_format(arena, STR_FORMAT "." STR_FORMAT, STR_ARGS(table->catalog),
                           STR_ARGS(here.name)),
        .is_external = true,
    };
}
