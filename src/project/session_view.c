#include "project/session_view.h"

#include "base/arena.h"
#include "base/text.h"
#include "lake/ast.h"
#include "lake/attach.h"
#include "lake/lake.h"
#include "lake/script.h"
#include "sql/ast.h"

// ── Names in the body ──

static enum error_code is_database(struct lake_connection *connection, str name, bool *is,
                                   struct error *err) {
    int64_t count = 0;
    TRY(lake_query_int64(connection,
                         STR("SELECT count(*) FROM system.main.duckdb_databases() "
                             "WHERE lower(database_name) = lower(?)"),
                         LAKE_VALUES(lake_value_text(name)), &count, NULL, err));
    *is = count > 0;
    return ERROR_NONE;
}

// Whether the name stands there as the tree says; positions are DuckDB's.
static bool stands_at(struct arena *arena, str body, size_t offset, str name) {
    if (offset >= body.size) {
        return false;
    }
    const str token = str_slice(body, offset, sql_skip_token(body, offset));
    return str_equal(attach_text_unquote(arena, token), name);
}

// The body with the lake's alias before `schema.table`: in a view of memory DuckDB looks for a
// schema there alone.  One that cannot be read stays, for DuckDB to say what is wrong.
static enum error_code qualify(struct lake_connection *connection, struct arena *arena, str alias,
                               str *body, struct error *err) {
    struct sql_query query;
    struct error ignored;
    size_t ignored_offset = 0;
    str ast;
    if (lake_ast_read(connection, arena, *body, &ast, &ignored) != ERROR_NONE ||
        sql_query_read(arena, ast, &query, &ignored_offset, &ignored) != ERROR_NONE) {
        return ERROR_NONE;
    }
    const str prefix = str_format(arena, STR_FORMAT ".", STR_ARGS(lake_quote_name(arena, alias)));
    // From the end, so that the places before stay what they are; in document order they come.
    struct sql_table_list *tables = &query.tables;
    for (size_t at = body->size; at != SIZE_MAX;) {
        const struct sql_table *last = NULL;
        for (size_t i = 0; i < tables->count; i++) {
            const struct sql_table *table = &tables->items[i];
            if (table->offset < at && (last == NULL || table->offset > last->offset)) {
                last = table;
            }
        }
        at = last == NULL ? SIZE_MAX : last->offset;
        bool is_elsewhere = last == NULL || last->catalog.size > 0 || last->schema.size == 0 ||
                            !stands_at(arena, *body, last->offset, last->schema);
        if (!is_elsewhere && !str_equal_nocase(last->schema, STR("main"))) {
            TRY(is_database(connection, last->schema, &is_elsewhere, err));
            if (!is_elsewhere) {
                *body = str_format(arena, STR_FORMAT STR_FORMAT STR_FORMAT,
                                   STR_ARGS(str_slice(*body, 0, at)), STR_ARGS(prefix),
                                   STR_ARGS(str_from_offset(*body, at)));
            }
        }
    }
    return ERROR_NONE;
}

// ── The place of the view ──

static enum error_code stands_in_lake(struct lake_connection *connection, str alias, str name,
                                      bool *stands, struct error *err) {
    int64_t count = 0;
    TRY(lake_query_int64(connection,
                         STR("SELECT count(*) FROM system.main.duckdb_views() WHERE database_name "
                             "= ? AND schema_name = 'main' AND lower(view_name) = lower(?)"),
                         LAKE_VALUES(lake_value_text(alias), lake_value_text(name)), &count, NULL,
                         err));
    *stands = count > 0;
    return ERROR_NONE;
}

static enum error_code leave_lake(struct lake_connection *connection, struct arena *arena,
                                  str alias, const struct sql_view *view, bool *stays,
                                  struct error *err) {
    bool stands = false;
    TRY(stands_in_lake(connection, alias, view->name, &stands, err));
    *stays = stands && view->if_not_exists;
    if (!stands || *stays || lake_is_read_only(lake_of(connection))) {
        return ERROR_NONE;
    }
    const str sql = str_format(arena, "DROP VIEW " STR_FORMAT ".main." STR_FORMAT,
                               STR_ARGS(lake_quote_name(arena, alias)),
                               STR_ARGS(lake_quote_name(arena, view->name)));
    return lake_execute(connection, sql, LAKE_NO_VALUES, NULL, err);
}

// ── Views that stay in the lake ──

static bool canonical(struct lake_connection *connection, struct arena *arena, str statement,
                      str *text) {
    struct sql_view view;
    struct sql_query query;
    struct error ignored;
    size_t offset = 0;
    str ast;
    if (!sql_view_read(arena, statement, &view) ||
        lake_ast_read(connection, arena, view.body, &ast, &ignored) != ERROR_NONE ||
        sql_query_read(arena, ast, &query, &offset, &ignored) != ERROR_NONE) {
        return false;
    }
    *text = str_format(arena, STR_FORMAT "(" STR_FORMAT ")", STR_ARGS(query.canonical),
                       STR_ARGS(str_list_join(arena, &view.columns, STR(","))));
    return true;
}

// Made again only when it is another one: each time is a snapshot.
static enum error_code keep_in_lake(struct lake_connection *connection, struct arena *arena,
                                    str alias, const struct sql_view *view, str statement, str *sql,
                                    struct error *err) {
    str now;
    str before;
    str stored;
    bool found = false;
    if (lake_is_read_only(lake_of(connection))) {
        *sql = (str){0};
        return ERROR_NONE;
    }
    TRY(lake_query_text(connection, arena,
                        STR("SELECT rtrim(sql, ';') FROM system.main.duckdb_views() WHERE "
                            "database_name = ? AND lower(schema_name) = lower(?) AND "
                            "lower(view_name) = lower(?)"),
                        LAKE_VALUES(lake_value_text(alias), lake_value_text(view->schema),
                                    lake_value_text(view->name)),
                        &stored, &found, err));
    if (!found || view->if_not_exists) {
        return ERROR_NONE;
    }
    if (canonical(connection, arena, statement, &now) &&
        canonical(connection, arena, stored, &before) && str_equal(now, before)) {
        *sql = (str){0};
    } else if (!view->or_replace) {
        size_t behind = 0;
        (void)sql_take_word(statement, &behind, "CREATE");
        *sql = str_format(arena, "CREATE OR REPLACE" STR_FORMAT,
                          STR_ARGS(str_from_offset(statement, behind)));
    }
    return ERROR_NONE;
}

enum error_code session_view_redirect(struct lake_connection *connection, struct arena *arena,
                                      str alias, str statement, str *sql, struct error *err) {
    struct sql_view view;
    bool stays = false;
    *sql = statement;
    if (!sql_view_read(arena, statement, &view)) {
        return ERROR_NONE;
    }
    if (!sql_view_is_of_session(&view, alias)) {
        bool is_other = view.catalog.size > 0 && !str_equal_nocase(view.catalog, alias);
        if (!is_other && view.catalog.size == 0) {
            TRY(is_database(connection, view.schema, &is_other, err));
        }
        return is_other ? ERROR_NONE
                        : keep_in_lake(connection, arena, alias, &view, statement, sql, err);
    }
    TRY(leave_lake(connection, arena, alias, &view, &stays, err));
    str body = view.body;
    const size_t body_start = (size_t)(view.body.data - statement.data);
    TRY(qualify(connection, arena, alias, &body, err));
    *sql = stays ? (str){0}
                 : str_format(arena, "CREATE %sVIEW %smemory." STR_FORMAT STR_FORMAT,
                              view.if_not_exists && !view.or_replace ? "" : "OR REPLACE ",
                              view.if_not_exists ? "IF NOT EXISTS " : "",
                              STR_ARGS(str_slice(statement, view.name_start, body_start)),
                              STR_ARGS(body));
    return ERROR_NONE;
}
