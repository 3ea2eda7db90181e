#include "lake/read_only.h"

#include "base/text.h"
#include "lake/ast.h"
#include "lake/duckdb_api.h"
#include "lake/script.h"

#include <yyjson.h>

const char *lake_statement_type_name(int type) {
    static const char *const names[] = {
        [DUCKDB_STATEMENT_TYPE_SELECT] = "SELECT",
        [DUCKDB_STATEMENT_TYPE_INSERT] = "INSERT",
        [DUCKDB_STATEMENT_TYPE_UPDATE] = "UPDATE",
        [DUCKDB_STATEMENT_TYPE_EXPLAIN] = "EXPLAIN",
        [DUCKDB_STATEMENT_TYPE_DELETE] = "DELETE",
        [DUCKDB_STATEMENT_TYPE_PREPARE] = "PREPARE",
        [DUCKDB_STATEMENT_TYPE_CREATE] = "CREATE",
        [DUCKDB_STATEMENT_TYPE_EXECUTE] = "EXECUTE",
        [DUCKDB_STATEMENT_TYPE_ALTER] = "ALTER",
        [DUCKDB_STATEMENT_TYPE_TRANSACTION] = "BEGIN or COMMIT",
        [DUCKDB_STATEMENT_TYPE_COPY] = "COPY",
        [DUCKDB_STATEMENT_TYPE_ANALYZE] = "ANALYZE",
        [DUCKDB_STATEMENT_TYPE_VARIABLE_SET] = "SET VARIABLE",
        [DUCKDB_STATEMENT_TYPE_CREATE_FUNC] = "CREATE FUNCTION",
        [DUCKDB_STATEMENT_TYPE_DROP] = "DROP",
        [DUCKDB_STATEMENT_TYPE_EXPORT] = "EXPORT",
        [DUCKDB_STATEMENT_TYPE_PRAGMA] = "PRAGMA",
        [DUCKDB_STATEMENT_TYPE_VACUUM] = "VACUUM",
        [DUCKDB_STATEMENT_TYPE_CALL] = "CALL",
        [DUCKDB_STATEMENT_TYPE_SET] = "SET",
        [DUCKDB_STATEMENT_TYPE_LOAD] = "LOAD",
        [DUCKDB_STATEMENT_TYPE_ATTACH] = "ATTACH",
        [DUCKDB_STATEMENT_TYPE_DETACH] = "DETACH",
        [DUCKDB_STATEMENT_TYPE_MERGE_INTO] = "MERGE",
    };
    const bool is_known = type > 0 && (size_t)type < ARRAY_COUNT(names) && names[type] != NULL;
    return is_known ? names[type] : "another statement";
}

static enum error_code refuse(const char *got, struct error *err) {
    return error_set(err, ERROR_INVALID, "only a single SELECT is allowed (got %s)", got);
}

// ── The parse tree ──

// Function names, or their beginnings, that read files or the network or change something.
static const str file_functions[] = {
    STR_INIT("read_"),          STR_INIT("parquet_"),       STR_INIT("glob"),
    STR_INIT("sniff_csv"),      STR_INIT("sqlite_"),        STR_INIT("postgres_"),
    STR_INIT("mysql_"),         STR_INIT("ducklake_"),      STR_INIT("iceberg_"),
    STR_INIT("delta_"),         STR_INIT("st_read"),        STR_INIT("query"),
    STR_INIT("json_execute"),   STR_INIT("from_substrait"), STR_INIT("getenv"),
    STR_INIT("duckdb_secrets"), STR_INIT("nextval"),        STR_INIT("http_"),
    STR_INIT("load_"),          STR_INIT("checkpoint"),     STR_INIT("force_checkpoint"),
    STR_INIT("which_secret"),   STR_INIT("seq_scan"),       STR_INIT("arrow_scan"),
};

static bool is_file_function(str name) {
    SCRATCH(scratch);
    const str lower = str_to_lower(&scratch, name);
    // The change feed of the lake only reads, and its long name is what the short one expands to.
    if (str_starts_with(lower, STR("ducklake_table_"))) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_COUNT(file_functions); i++) {
        if (str_starts_with(lower, file_functions[i])) {
            return true;
        }
    }
    return false;
}

// FROM 'file.csv': a table whose name is a path or a URL.
static bool is_file_table(str name) {
    static const str endings[] = {
        STR_INIT(".csv"),   STR_INIT(".tsv"), STR_INIT(".parquet"), STR_INIT(".json"),
        STR_INIT(".jsonl"), STR_INIT(".gz"),  STR_INIT(".ndjson"),  STR_INIT(".zst"),
        STR_INIT(".xlsx"),  STR_INIT(".db"),  STR_INIT(".duckdb"),  STR_INIT(".txt"),
    };
    for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
        if (str_ends_with(name, endings[i])) {
            return true;
        }
    }
    return str_find_char(name, '/') != SIZE_MAX || str_find_char(name, '*') != SIZE_MAX;
}

static enum error_code check_tree(yyjson_val *value, int depth, struct error *err);

static enum error_code check_object(yyjson_val *object, int depth, struct error *err) {
    const str function = str_from(yyjson_get_str(yyjson_obj_get(object, "function_name")));
    if (!str_is_empty(function) && is_file_function(function)) {
        return error_set(err, ERROR_INVALID, "the function " STR_FORMAT " is not allowed here",
                         STR_ARGS(function));
    }
    const str type = str_from(yyjson_get_str(yyjson_obj_get(object, "type")));
    const str table = str_from(yyjson_get_str(yyjson_obj_get(object, "table_name")));
    if (str_equal(type, STR("SHOW_REF"))) {
        return refuse("SHOW or DESCRIBE", err);
    }
    if (str_equal(type, STR("BASE_TABLE")) && is_file_table(table)) {
        return error_set(err, ERROR_INVALID, "reading the file " STR_FORMAT " is not allowed here",
                         STR_ARGS(table));
    }
    size_t index = 0;
    size_t count = 0;
    yyjson_val *key = NULL;
    yyjson_val *child = NULL;
    yyjson_obj_foreach(object, index, count, key, child) {
        TRY(check_tree(child, depth + 1, err));
    }
    return ERROR_NONE;
}

static enum error_code check_tree(yyjson_val *value, int depth, struct error *err) {
    enum { TREE_DEPTH_MAX = 2000 };
    if (depth > TREE_DEPTH_MAX) {
        return error_set(err, ERROR_LIMIT, "the statement is nested too deeply");
    }
    if (yyjson_is_obj(value)) {
        return check_object(value, depth, err);
    }
    size_t index = 0;
    size_t count = 0;
    yyjson_val *child = NULL;
    if (yyjson_is_arr(value)) {
        yyjson_arr_foreach(value, index, count, child) {
            TRY(check_tree(child, depth + 1, err));
        }
    }
    return ERROR_NONE;
}

// *readable: it is a query, so that there is a tree; else the error says why not.
static enum error_code check_functions(struct lake_connection *connection, str sql, bool *readable,
                                       struct error *err) {
    SCRATCH(scratch);
    str json = {0};
    *readable = lake_ast_read(connection, &scratch, sql, &json, err) == ERROR_NONE;
    if (!*readable) {
        const str word = str_slice(sql, 0, sql_skip_token(sql, 0));
        const str upper = str_to_upper(&scratch, word);
        return err->pos.line > 0 ? err->code : refuse(str_to_cstring(&scratch, upper), err);
    }
    yyjson_doc *document = yyjson_read(json.data, json.size, 0);
    const enum error_code code = check_tree(yyjson_doc_get_root(document), 0, err);
    yyjson_doc_free(document);
    return code;
}

// ── The type of the statement ──

// A write to a table that does not exist cannot be prepared, and so has no type; its first word
// tells.
static enum error_code refuse_by_word(str sql, struct error *err) {
    static const str words[] = {
        STR_INIT("INSERT"), STR_INIT("UPDATE"),   STR_INIT("DELETE"), STR_INIT("MERGE"),
        STR_INIT("CREATE"), STR_INIT("DROP"),     STR_INIT("ALTER"),  STR_INIT("COPY"),
        STR_INIT("CALL"),   STR_INIT("TRUNCATE"), STR_INIT("ATTACH"), STR_INIT("DETACH"),
    };
    const size_t start = sql_skip_space(sql, 0);
    const str word = str_slice(sql, start, sql_skip_token(sql, start));
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (str_equal_nocase(word, words[i])) {
            *err = (struct error){0};
            return refuse(words[i].data, err);
        }
    }
    return err->code;
}

// A PIVOT is extracted as several statements, of which the last is the SELECT.
static enum error_code check_type(struct lake_connection *connection, str sql, struct error *err) {
    const struct duckdb_api *api = &connection->lake->api;
    SCRATCH(scratch);
    duckdb_extracted_statements extracted = NULL;
    const idx_t count = api->duckdb_extract_statements(connection->handle,
                                                       str_to_cstring(&scratch, sql), &extracted);
    duckdb_prepared_statement statement = NULL;
    enum error_code code = ERROR_NONE;
    if (count == 0) {
        code = duckdb_error_read(sql, api->duckdb_extract_statements_error(extracted), err);
    } else if (count == 1 && api->duckdb_prepare_extracted_statement(
                                 connection->handle, extracted, 0, &statement) != DuckDBSuccess) {
        (void)duckdb_error_read(sql, api->duckdb_prepare_error(statement), err);
        code = refuse_by_word(sql, err);
    } else if (count == 1) {
        const duckdb_statement_type type = api->duckdb_prepared_statement_type(statement);
        if (type != DUCKDB_STATEMENT_TYPE_SELECT) {
            code = refuse(lake_statement_type_name((int)type), err);
        }
    }
    api->duckdb_destroy_prepare(&statement);
    api->duckdb_destroy_extracted(&extracted);
    return code;
}

enum error_code lake_check_read_only(struct lake_connection *connection, str sql,
                                     const struct read_only_rule *rule, struct error *err) {
    SCRATCH(scratch);
    struct sql_statement_list statements = {0};
    sql_split(&scratch, sql, &statements);
    if (statements.count == 0) {
        return error_set(err, ERROR_INVALID, "the SQL text is empty");
    }
    if (statements.count > 1) {
        return refuse("several statements", err);
    }
    // The tree comes first: to tell the type, DuckDB binds, which opens the files named.
    if (rule->refuse_file_functions || rule->only_select) {
        bool readable = false;
        const enum error_code code =
            check_functions(connection, statements.items[0].text, &readable, err);
        if (code != ERROR_NONE && !readable) {
            struct error of_type; // says more of what is no query
            if (check_type(connection, sql, &of_type) != ERROR_NONE) {
                *err = of_type;
            }
        }
        TRY(code);
    }
    return check_type(connection, sql, err);
}
