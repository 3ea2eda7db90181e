// Which rows an incremental run reads: those that are new in the source, or all of them.
#include "base/text.h"
#include "lake/ast.h"
#include "lake/attach.h"
#include "lake/result.h"
#include "lake/snapshot.h"
#include "model/turn.h"

// Aggregates, volatile functions and macros change the meaning of "the query over the new rows".
static enum error_code functions_are_plain(struct turn *turn, bool *plain, struct error *err) {
    const struct sql_function_list *functions = &turn->step->model->query.functions;
    *plain = true;
    if (functions->count == 0) {
        return ERROR_NONE;
    }
    str *names = ARENA_ARRAY(turn->arena, str, functions->count);
    for (size_t i = 0; i < functions->count; i++) {
        names[i] = functions->items[i].name;
    }
    int64_t others = 0;
    TRY(lake_query_int64(turn->runner->session.connection,
                         STR("SELECT count(*) FROM duckdb_functions() WHERE list_contains(?, "
                             "lower(function_name)) AND (function_type NOT IN ('scalar', 'table') "
                             "OR stability = 'VOLATILE')"),
                         LAKE_VALUES(lake_value_texts(names, functions->count)), &others, NULL,
                         err));
    *plain = others == 0;
    return ERROR_NONE;
}

// Whether every change of the source since `base` was an insert, told by what the snapshots did.
static enum error_code only_inserts(struct turn *turn, int64_t table_id, int64_t base, bool *only,
                                    struct error *err) {
    const str prefix = lake_metadata_prefix(lake_of(turn->runner->session.connection));
    const str sql = str_format(
        turn->arena,
        "SELECT count(*) FROM (SELECT unnest(string_split(changes_made, ',')) AS change "
        "FROM " STR_FORMAT
        ".ducklake_snapshot_changes WHERE snapshot_id > ?) WHERE split_part(change, ':',"
        " 2) = ? AND split_part(change, ':', 1) NOT IN ('inserted_into_table', 'inlined_insert')",
        STR_ARGS(prefix));
    int64_t others = 0;
    const str id = str_format(turn->arena, "%lld", (long long)table_id);
    TRY(lake_query_int64(turn->runner->session.connection, sql,
                         LAKE_VALUES(lake_value_int64(base), lake_value_text(id)), &others, NULL,
                         err));
    *only = others == 0;
    return ERROR_NONE;
}

// The model's query over the rows inserted into its only source since `base`.
static enum error_code delta_body(struct turn *turn, const struct sql_table *table, int64_t base,
                                  str *body, struct error *err) {
    struct lake_connection *connection = turn->runner->session.connection;
    struct arena *arena = turn->arena;
    const str schema = table->schema.size > 0 ? table->schema : STR("main");
    const str source = str_format(
        arena,
        "SELECT * FROM (SELECT * FROM ducklake_table_insertions(" STR_FORMAT ", " STR_FORMAT
        ", " STR_FORMAT ", %lld, %lld)) AS delta",
        STR_ARGS(lake_quote_text(arena, lake_alias(lake_of(connection)))),
        STR_ARGS(lake_quote_text(arena, schema)), STR_ARGS(lake_quote_text(arena, table->name)),
        (long long)base + 1, (long long)turn->read_snapshot);
    str ast;
    TRY(lake_ast_read(connection, arena, source, &ast, err));
    TRY(sql_ast_replace_table(arena, turn->step->model->ast, ast, &ast, err));
    return lake_ast_write(connection, arena, ast, body, err);
}

// An append over one lake table reads only what was inserted there; everything else that can be
// compared is evaluated in full, and only what the table does not hold yet is inserted.
enum error_code turn_choose_rows(struct turn *turn, struct error *err) {
    const struct plan_step *step = turn->step;
    const struct model *model = step->model;
    const struct sql_query *query = &model->query;
    struct write *write = &turn->write;
    if (model->source.directives.kind != MODEL_APPEND) {
        return ERROR_NONE;
    }
    if (model->lib_calls.count > 0 || model->inputs.count == 0) {
        write->source = WRITE_NEW; // nothing to compare with: every row is new
        return ERROR_NONE;
    }
    write->source = WRITE_SURPLUS;
    if (!query->is_row_local || query->tables.count != 1 || model->reads_itself ||
        query->volatile_function.size > 0 || model->views.count > 0 || turn->altered ||
        query->tables.items[0].has_version) {
        return ERROR_NONE;
    }
    struct plan_version version;
    const int64_t base = step->commit.read_snapshot;
    bool usable = false;
    if (!plan_version_find(turn->runner->plan, model->inputs.items[0], &version) ||
        base < turn->runner->plan->oldest_snapshot || base >= turn->read_snapshot) {
        return ERROR_NONE;
    }
    TRY(functions_are_plain(turn, &usable, err));
    if (usable) {
        TRY(only_inserts(turn, version.table_id, base, &usable, err));
    }
    if (!usable) {
        return ERROR_NONE;
    }
    TRY(delta_body(turn, &query->tables.items[0], base, &write->body, err));
    write->body_is_own = false;
    write->source = WRITE_NEW;
    return ERROR_NONE;
}
