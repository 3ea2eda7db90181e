// Attaching the lake: what the user wrote, with what they need not know added.

#include "lake/attach.h"

#include "base/file.h"
#include "base/text.h"
#include "lake/duckdb_api.h"
#include "lake/inlining.h"
#include "lake/script.h"

static const char attach_example[] =
    "ATTACH 'ducklake:sqlite:catalog.sqlite' AS lake (DATA_PATH 'catalog_data/')";

// ── The statement ──

static bool has_prefix_nocase(str text, const char *prefix) {
    const str start = str_slice(text, 0, str_from(prefix).size);
    return str_equal_nocase(start, str_from(prefix));
}

// What the lake says of inlining goes before what a connection says (lake/inlining.h), so that it
// is said of the connection.
#define INLINING "DATA_INLINING_ROW_LIMIT"

// Whether an option of that name stands in the list; a value in quotes is not looked into.
static bool has_option(str options, const char *name) {
    size_t offset = sql_skip_space(options, 0);
    while (offset < options.size) {
        const size_t end = sql_skip_token(options, offset);
        if (str_equal_nocase(str_slice(options, offset, end), str_from(name))) {
            return true;
        }
        offset = sql_skip_space(options, end);
    }
    return false;
}

str attach_text_option(struct arena *arena, str options, const char *name) {
    size_t offset = sql_skip_space(options, 0);
    while (offset < options.size) {
        const size_t end = sql_skip_token(options, offset);
        const size_t value = sql_skip_space(options, end);
        if (str_equal_nocase(str_slice(options, offset, end), str_from(name))) {
            return attach_text_unquote(arena,
                                       str_slice(options, value, sql_skip_token(options, value)));
        }
        offset = value;
    }
    return (str){0};
}

// The options with a relative DATA_PATH made absolute: DuckLake stores it as it is written, and
// another program that reads the lake stands in another folder.
static str absolute_data_path(struct arena *arena, str options) {
    size_t offset = sql_skip_space(options, 0);
    while (offset < options.size) {
        const size_t end = sql_skip_token(options, offset);
        const size_t value = sql_skip_space(options, end);
        const size_t value_end = sql_skip_token(options, value);
        const bool is_path = str_equal_nocase(str_slice(options, offset, end), STR("DATA_PATH")) &&
                             value_end > value + 2 && options.data[value] == '\'';
        const str path = is_path ? str_slice(options, value + 1, value_end - 1) : (str){0};
        const bool is_relative = is_path && !path_is_absolute(path) &&
                                 str_find(path, STR("://")) == SIZE_MAX &&
                                 str_find_char(path, '\'') == SIZE_MAX;
        if (is_relative) {
            const str folder = path_working_directory(arena);
            const str absolute = lake_quote_text(arena, path_join(arena, folder, path));
            return str_format(arena, STR_FORMAT STR_FORMAT STR_FORMAT,
                              STR_ARGS(str_slice(options, 0, value)), STR_ARGS(absolute),
                              STR_ARGS(str_from_offset(options, value_end)));
        }
        offset = sql_skip_space(options, end);
    }
    return options;
}

// The options without the one of that name.
static str without_option(struct arena *arena, str options, const char *name) {
    size_t before = 0; // the end of what stays, with its comma
    size_t offset = sql_skip_space(options, 0);
    while (offset < options.size) {
        const size_t end = sql_skip_token(options, offset);
        const size_t value = sql_skip_space(options, end);
        if (str_equal_nocase(str_slice(options, offset, end), str_from(name))) {
            const str rest = str_trim(str_from_offset(options, sql_skip_token(options, value)));
            const bool goes_on = str_starts_with(rest, STR(","));
            const str head = str_trim(str_slice(options, 0, goes_on ? offset : before));
            return str_format(arena, STR_FORMAT " " STR_FORMAT, STR_ARGS(head),
                              STR_ARGS(goes_on ? str_from_offset(rest, 1) : rest));
        }
        before = str_equal(str_slice(options, offset, end), STR(",")) ? offset : before;
        offset = value;
    }
    return options;
}

// The options with this DATA_PATH, in the place of theirs or behind them.
static str with_data_path(struct arena *arena, str options, str path) {
    const str value = lake_quote_text(arena, path);
    size_t offset = sql_skip_space(options, 0);
    while (offset < options.size) {
        const size_t end = sql_skip_token(options, offset);
        const size_t start = sql_skip_space(options, end);
        if (str_equal_nocase(str_slice(options, offset, end), STR("DATA_PATH"))) {
            return str_format(arena, STR_FORMAT STR_FORMAT STR_FORMAT,
                              STR_ARGS(str_slice(options, 0, start)), STR_ARGS(value),
                              STR_ARGS(str_from_offset(options, sql_skip_token(options, start))));
        }
        offset = start;
    }
    return str_format(arena, STR_FORMAT "%sDATA_PATH " STR_FORMAT, STR_ARGS(str_trim(options)),
                      str_trim(options).size > 0 ? ", " : "", STR_ARGS(value));
}

static void add_option(struct text *options, const char *option) {
    if (options->size > 0) {
        text_add(options, STR(", "));
    }
    text_add(options, str_from(option));
}

// The statement with the options that it lacks, and with another path for a sandbox.
static str complete(struct arena *arena, str statement, const struct attach_text *attach,
                    const struct lake_attach_options *options) {
    if (attach->is_unclosed) {
        return statement; // DuckDB says what is wrong with it, at its place
    }
    const str path = str_is_empty(options->replace_path) ? attach->path : options->replace_path;
    struct text added;
    text_init(&added, arena);
    text_add(&added, str_trim(attach->options));
    const bool says_read_only = has_option(attach->options, "READ_ONLY");
    const bool read_only = options->read_only || says_read_only;
    if (has_prefix_nocase(path, "ducklake:sqlite:")) {
        // The mode stays with the file; one made by another program changes with the first writer.
        if (!read_only && !has_option(attach->options, "META_JOURNAL_MODE")) {
            add_option(&added, "META_JOURNAL_MODE 'WAL'");
        }
        if (!has_option(attach->options, "META_BUSY_TIMEOUT")) {
            add_option(&added, "META_BUSY_TIMEOUT 5000");
        }
    }
    if (read_only && !says_read_only) {
        add_option(&added, "READ_ONLY");
    }
    const str head = str_slice(statement, 0, attach->path_start);
    const str alias =
        str_is_empty(attach->alias)
            ? (str){0}
            : str_format(arena, " AS " STR_FORMAT, STR_ARGS(lake_quote_name(arena, attach->alias)));
    const str list = added.size == 0
                         ? (str){0}
                         : str_format(arena, " (" STR_FORMAT ")", STR_ARGS(text_str(&added)));
    return str_format(arena, STR_FORMAT STR_FORMAT STR_FORMAT STR_FORMAT, STR_ARGS(head),
                      STR_ARGS(lake_quote_text(arena, path)), STR_ARGS(alias), STR_ARGS(list));
}

static enum error_code refuse_foreign(const struct attach_text *attach, struct error *err) {
    if (has_prefix_nocase(attach->path, "ducklake:mysql:")) {
        (void)error_rule(err, ERROR_INVALID, "config.catalog",
                         "a DuckLake catalog in MySQL is not supported");
        error_hint(err, "use SQLite, a DuckDB file or PostgreSQL: %s", attach_example);
        return err->code;
    }
    return ERROR_NONE;
}

// `ducklake:name` may name a secret that holds the real path: its text says which extension.
static enum error_code load_for_secret(struct lake_connection *connection, str path,
                                       struct error *err) {
    SCRATCH(scratch);
    const str name = str_from_offset(path, str_from("ducklake:").size);
    if (!str_is_identifier(name)) {
        return ERROR_NONE;
    }
    str secret = {0};
    TRY(lake_query_text(connection, &scratch,
                        STR("SELECT secret_string FROM duckdb_secrets() WHERE name = lower(?)"),
                        LAKE_VALUES(lake_value_text(name)), &secret, NULL, err));
    return lake_load_extensions_for(connection, secret, err);
}

// A command that only reads makes no catalog: where there is no file yet it sees an empty lake.
static bool is_missing_file(const struct attach_text *attach,
                            const struct lake_attach_options *options) {
    const str path = str_is_empty(options->replace_path) ? attach->path : options->replace_path;
    str file = str_from_offset(path, STR("ducklake:").size);
    if (has_prefix_nocase(file, "sqlite:")) {
        file = str_from_offset(file, STR("sqlite:").size);
    }
    // What has a scheme, or is the name of a secret, is not a file.
    return options->read_only && str_find_char(file, ':') == SIZE_MAX && !str_is_identifier(file) &&
           !path_exists(file);
}

static enum error_code attach_empty(struct lake_connection *connection,
                                    const struct attach_text *attach, struct error *err) {
    SCRATCH(scratch);
    const str alias = str_is_empty(attach->alias) ? STR("lake") : attach->alias;
    const str sql = str_format(
        &scratch, "ATTACH 'ducklake::memory:' AS " STR_FORMAT " (DATA_PATH '.coypu/none/')",
        STR_ARGS(lake_quote_name(&scratch, alias)));
    return lake_execute(connection, sql, LAKE_NO_VALUES, NULL, err);
}

// A lake made by another program may have stored the relative DATA_PATH: then that is right.
static enum error_code attach_either(struct lake_connection *connection, struct arena *arena,
                                     str statement, const struct attach_text *attach,
                                     const struct lake_attach_options *options, struct error *err) {
    struct attach_text absolute = *attach;
    absolute.options = absolute_data_path(arena, attach->options);
    const enum error_code code = lake_execute(
        connection, complete(arena, statement, &absolute, options), LAKE_NO_VALUES, NULL, err);
    const bool is_other_path = code != ERROR_NONE &&
                               !str_equal(absolute.options, attach->options) &&
                               str_find(str_from(err->message), STR("DATA_PATH")) != SIZE_MAX;
    if (!is_other_path) {
        return code;
    }
    const enum error_code again = lake_execute(
        connection, complete(arena, statement, attach, options), LAKE_NO_VALUES, NULL, err);
    if (again != ERROR_NONE &&
        str_find(str_from(err->message), STR("DATA_PATH parameter")) != SIZE_MAX) {
        error_hint(err, "was the project moved or copied? with its files in the new place, add "
                        "OVERRIDE_DATA_PATH true behind DATA_PATH");
    }
    return again;
}

// The database of a catalog may be there without a DuckLake in it, and the file that a secret names
// may not be there: that, only DuckDB knows.
static bool says_missing(const struct attach_text *attach, const struct error *err) {
    const str message = str_from(err->message);
    const bool is_secret = str_is_identifier(str_from_offset(attach->path, STR("ducklake:").size));
    return str_find(message, STR("creating a new DuckLake is explicitly disabled")) != SIZE_MAX ||
           (is_secret && (str_find(message, STR("database does not exist")) != SIZE_MAX ||
                          str_find(message, STR("unable to open database file")) != SIZE_MAX));
}

static enum error_code run_attach(struct lake_connection *connection,
                                  const struct sql_statement *statement,
                                  const struct lake_attach_options *options, struct error *err) {
    SCRATCH(scratch);
    struct attach_text attach = attach_text_parse(&scratch, statement->text);
    if (options->replace_data_path.size > 0) {
        attach.options = with_data_path(&scratch, attach.options, options->replace_data_path);
    }
    if (!attach.is_attach || !has_prefix_nocase(attach.path, "ducklake:")) {
        return lake_script_run(connection, (str){0}, statement->text, NULL, err);
    }
    TRY(refuse_foreign(&attach, err));
    if (options->warning != NULL &&
        (attach_path_has_password(attach.path) || str_find(attach.options, STR("://")) == 0)) {
        (void)error_rule(options->warning, ERROR_INVALID, "config.password_in_attach",
                         "the ATTACH string carries a password, which SQL can read");
        error_hint(options->warning, "put it into config/secrets.sql with CREATE SECRET");
    }
    struct lake *lake = connection->lake;
    const str limit = attach_text_option(&scratch, attach.options, INLINING);
    lake->attached.keeps_no_rows = str_equal(limit, STR("0"));
    lake->attached.metadata_schema =
        str_copy(&lake->arena, attach_text_option(&scratch, attach.options, "METADATA_SCHEMA"));
    lake->attached.metadata_catalog =
        str_copy(&lake->arena, attach_text_option(&scratch, attach.options, "METADATA_CATALOG"));
    TRY(lake_load_extensions_for(connection, statement->text, err));
    TRY(load_for_secret(connection, attach.path, err));
    int64_t rows = 0;
    if (str_parse_int64(limit, &rows) && rows > 0) {
        attach.options = without_option(&scratch, attach.options, INLINING);
        TRY(lake_inlining_set_limit(connection, rows, err));
    }
    if (is_missing_file(&attach, options)) {
        lake->attached.is_missing = true;
        return attach_empty(connection, &attach, err);
    }
    const enum error_code code =
        attach_either(connection, &scratch, statement->text, &attach, options, err);
    const bool is_empty = code != ERROR_NONE && options->read_only && says_missing(&attach, err);
    lake->attached.is_missing = is_empty;
    return is_empty ? attach_empty(connection, &attach, err) : code;
}

// ── What is attached now ──

// `path` as duckdb_databases() has it: the metadata's path with the kind's prefix, also when a
// secret held it.
static void remember(struct lake *lake, str alias, str path, bool is_read_only) {
    SCRATCH(scratch);
    const bool is_sqlite = has_prefix_nocase(path, "sqlite:");
    const bool is_postgres = has_prefix_nocase(path, "postgres:");
    const size_t colon = is_sqlite || is_postgres ? str_find_char(path, ':') + 1 : 0;
    const str own_name = str_format(&scratch, "__ducklake_metadata_" STR_FORMAT, STR_ARGS(alias));
    const str metadata =
        lake->attached.metadata_catalog.size > 0 ? lake->attached.metadata_catalog : own_name;
    const str schema = lake->attached.metadata_schema.size > 0 ? lake->attached.metadata_schema
                       : is_postgres                           ? STR("public")
                                                               : STR("main");
    lake->attached.is_attached = true;
    lake->attached.is_read_only = is_read_only;
    lake->attached.catalog = is_sqlite     ? LAKE_CATALOG_SQLITE
                             : is_postgres ? LAKE_CATALOG_POSTGRES
                                           : LAKE_CATALOG_DUCKDB;
    lake->attached.alias = str_copy(&lake->arena, alias);
    lake->attached.path = str_copy(&lake->arena, str_from_offset(path, colon));
    lake->attached.metadata_prefix = str_format(&lake->arena, STR_FORMAT "." STR_FORMAT,
                                                STR_ARGS(lake_quote_name(&scratch, metadata)),
                                                STR_ARGS(lake_quote_name(&scratch, schema)));
}

static enum error_code refuse_other(str name, str type, struct error *err) {
    (void)error_rule(err, ERROR_INVALID, "config.catalog",
                     "\"" STR_FORMAT "\" is attached as " STR_FORMAT
                     ", not as a DuckLake: models need its snapshots and time travel",
                     STR_ARGS(name), STR_ARGS(type));
    error_hint(err, "attach a DuckLake: %s", attach_example);
    return err->code;
}

static enum error_code find_lake(struct lake_connection *connection, struct error *err) {
    struct lake *lake = connection->lake;
    LAKE_RESULT result = NULL;
    TRY(lake_query(connection,
                   STR("SELECT database_name, type, path, readonly FROM duckdb_databases() WHERE "
                       "NOT internal AND "
                       "database_name <> 'memory' ORDER BY type <> 'ducklake', database_oid"),
                   LAKE_NO_VALUES, &result, err));
    while (lake_result_next(result)) {
        const str name = lake_result_text(result, 0);
        const bool is_lake = str_equal(lake_result_text(result, 1), STR("ducklake"));
        if (!is_lake && !lake->attached.is_attached) {
            return refuse_other(name, lake_result_text(result, 1), err);
        }
        if (is_lake && lake->attached.is_attached) {
            (void)error_rule(err, ERROR_INVALID, "config.catalog",
                             "two DuckLake catalogs are attached, \"" STR_FORMAT
                             "\" and \"" STR_FORMAT "\": a project has one",
                             STR_ARGS(lake->attached.alias), STR_ARGS(name));
            error_hint(err, "attach other databases in config/sources.sql");
            return err->code;
        }
        if (is_lake) {
            remember(lake, name, lake_result_text(result, 2), lake_result_bool(result, 3));
        }
    }
    if (!lake->attached.is_attached) {
        (void)error_rule(err, ERROR_INVALID, "config.catalog", "no DuckLake catalog is attached");
        error_hint(err, "%s", attach_example);
        return err->code;
    }
    return ERROR_NONE;
}

enum error_code lake_attach(struct lake_connection *connection, str file, str text,
                            const struct lake_attach_options *options, struct error *err) {
    SCRATCH(scratch);
    struct sql_statement_list statements = {0};
    sql_split(&scratch, text, &statements);
    for (size_t i = 0; i < statements.count; i++) {
        const enum error_code code = run_attach(connection, &statements.items[i], options, err);
        if (code != ERROR_NONE) {
            if (code == ERROR_CONFLICT) {
                error_hint(err,
                           "a DuckDB-file catalog can be opened by one process only; SQLite and "
                           "PostgreSQL catalogs by several");
            }
            // Our statement has options that the user did not write: the line is theirs, no column.
            err->pos.line = 0;
            script_error_place(err, file, text, statements.items[i].offset);
            return code;
        }
    }
    const enum error_code code = find_lake(connection, err);
    if (code != ERROR_NONE) {
        error_at(err, file, 1, 0);
        return code;
    }
    return lake_use(connection, err);
}

enum error_code lake_use(struct lake_connection *connection, struct error *err) {
    SCRATCH(scratch);
    const str name = lake_quote_name(&scratch, connection->lake->attached.alias);
    const str path = str_format(&scratch, STR_FORMAT ",memory", STR_ARGS(name));
    const str sql = str_format(&scratch, "SET search_path = " STR_FORMAT,
                               STR_ARGS(lake_quote_text(&scratch, path)));
    return lake_execute(connection, sql, LAKE_NO_VALUES, NULL, err);
}

// ── Getters ──

size_t lake_columns_max(const struct lake *lake) {
    enum { SQLITE_COLUMNS_MAX = 2000, POSTGRES_COLUMNS_MAX = 1600, SYSTEM_COLUMNS = 3 };
    if (lake->attached.keeps_no_rows) {
        return SIZE_MAX;
    }
    switch (lake->attached.catalog) {
    case LAKE_CATALOG_SQLITE:
        return SQLITE_COLUMNS_MAX - SYSTEM_COLUMNS;
    case LAKE_CATALOG_POSTGRES:
        return POSTGRES_COLUMNS_MAX - SYSTEM_COLUMNS;
    case LAKE_CATALOG_DUCKDB:
        break;
    }
    return SIZE_MAX;
}

str lake_alias(const struct lake *lake) {
    return lake->attached.alias;
}

enum lake_catalog lake_catalog_kind(const struct lake *lake) {
    return lake->attached.catalog;
}

const char *lake_catalog_name(enum lake_catalog kind) {
    switch (kind) {
    case LAKE_CATALOG_SQLITE:
        return "sqlite";
    case LAKE_CATALOG_DUCKDB:
        return "duckdb";
    case LAKE_CATALOG_POSTGRES:
        return "postgres";
    }
    return "";
}

bool lake_is_missing(const struct lake *lake) {
    return lake->attached.is_missing;
}

str lake_catalog_path(const struct lake *lake) {
    return lake->attached.path;
}

bool lake_is_read_only(const struct lake *lake) {
    return lake->attached.is_read_only;
}

str lake_metadata_prefix(const struct lake *lake) {
    return lake->attached.metadata_prefix;
}

enum error_code lake_data_path(struct lake_connection *connection, struct arena *arena, str *path,
                               struct error *err) {
    SCRATCH(scratch);
    const str sql = str_format(
        &scratch, "SELECT value FROM " STR_FORMAT ".ducklake_metadata WHERE key = 'data_path'",
        STR_ARGS(connection->lake->attached.metadata_prefix));
    return lake_query_text(connection, arena, sql, LAKE_NO_VALUES, path, NULL, err);
}
