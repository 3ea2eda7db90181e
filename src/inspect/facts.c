#include "inspect/facts.h"

#include "base/map.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/result.h"
#include "lake/snapshot.h"
#include "lake/transaction.h"

// ── Table ──

// Rows and bytes as DuckLake's own statistics have them: no data file is opened.
static enum error_code read_size(struct inspection *inspection, const struct lake_table *table,
                                 struct model_facts *facts, struct error *err) {
    struct arena *arena = inspection->arena;
    struct lake_connection *connection = inspection->session.connection;
    const str prefix = lake_metadata_prefix(inspection->session.lake);
    const str bytes = str_format(arena,
                                 "SELECT coalesce(sum(file_size_bytes), 0)::BIGINT FROM " STR_FORMAT
                                 ".ducklake_data_file WHERE table_id = %lld AND "
                                 "end_snapshot IS NULL",
                                 STR_ARGS(prefix), (long long)table->id);
    const str rows = str_format(arena, "SELECT count(*) FROM " STR_FORMAT "." STR_FORMAT,
                                STR_ARGS(lake_quote_name(arena, table->schema)),
                                STR_ARGS(lake_quote_name(arena, table->name)));
    TRY(lake_query_int64(connection, bytes, LAKE_NO_VALUES, &facts->table_bytes, NULL, err));
    return lake_query_int64(connection, rows, LAKE_NO_VALUES, &facts->table_rows, NULL, err);
}

static enum error_code read_table_columns(struct inspection *inspection,
                                          const struct lake_table *table, struct model_facts *facts,
                                          struct error *err) {
    struct arena *arena = inspection->arena;
    LAKE_RESULT result = NULL;
    TRY(lake_query(inspection->session.connection,
                   STR("SELECT column_name, data_type, is_nullable, coalesce(comment, '') FROM "
                       "duckdb_columns() WHERE database_name = ? AND schema_name = ? AND "
                       "table_name = ? ORDER BY column_index"),
                   LAKE_VALUES(lake_value_text(lake_alias(inspection->session.lake)),
                               lake_value_text(table->schema), lake_value_text(table->name)),
                   &result, err));
    while (lake_result_next(result)) {
        const struct fact_column column = {
            .name = str_copy(arena, lake_result_text(result, 0)),
            .type = str_copy(arena, lake_result_text(result, 1)),
            .nullable = lake_result_bool(result, 2),
            .description = str_copy(arena, lake_result_text(result, 3)),
        };
        LIST_PUSH(arena, &facts->columns, column);
    }
    return ERROR_NONE;
}

// Of a model without a table: what its query would give, as far as it binds now.
static void read_query_columns(struct inspection *inspection, struct model_facts *facts) {
    const struct model *model = facts->model;
    struct arena *arena = inspection->arena;
    struct lake_column *columns = NULL;
    size_t count = 0;
    struct error ignored;
    if (model->has_query && lake_describe(inspection->session.connection, arena, model->source.body,
                                          &columns, &count, &ignored) == ERROR_NONE) {
        for (size_t i = 0; i < count; i++) {
            const struct fact_column column = {columns[i].name, columns[i].type, true, {0}};
            LIST_PUSH(arena, &facts->columns, column);
        }
        return;
    }
    for (size_t i = 0; i < model->query.outputs.count; i++) {
        const struct fact_column column = {model->query.outputs.items[i], {0}, true, {0}};
        LIST_PUSH(arena, &facts->columns, column);
    }
}

static void describe_columns(struct model_facts *facts) {
    const struct column_directive_list *told = &facts->model->source.directives.columns;
    for (size_t i = 0; i < facts->columns.count; i++) {
        struct fact_column *column = &facts->columns.items[i];
        for (size_t j = 0; j < told->count && column->description.size == 0; j++) {
            if (str_equal_nocase(told->items[j].name, column->name)) {
                column->description = told->items[j].description;
            }
        }
    }
}

static enum error_code read_table(struct inspection *inspection, struct model_facts *facts,
                                  struct error *err) {
    const struct model *model = facts->model;
    struct lake_table table;
    TRY(lake_table_find(inspection->session.connection, inspection->arena, model->schema,
                        model->name, &table, &facts->has_table, err));
    if (!facts->has_table) {
        read_query_columns(inspection, facts);
    } else {
        TRY(read_size(inspection, &table, facts, err));
        TRY(read_table_columns(inspection, &table, facts, err));
    }
    describe_columns(facts);
    return ERROR_NONE;
}

// ── Runs ──

enum { CHECK_RUNS_MAX = 20 }; // entries of the log that are looked through

// The newest result of each check counts.
static void add_checks(struct arena *arena, str json, struct check_record_list *checks) {
    struct check_record_list found = {0};
    check_records_read(arena, json, &found);
    for (size_t i = 0; i < found.count; i++) {
        bool known = false;
        for (size_t j = 0; j < checks->count && !known; j++) {
            known = str_equal(checks->items[j].stage, found.items[i].stage) &&
                    str_equal(checks->items[j].name, found.items[i].name);
        }
        if (!known) {
            LIST_PUSH(arena, checks, found.items[i]);
        }
    }
}

// The run log has them of every run, the last commit also when the log is lost.
static enum error_code read_checks(struct inspection *inspection, struct model_facts *facts,
                                   str extra_info, struct error *err) {
    struct arena *arena = inspection->arena;
    struct state_run_list runs;
    TRY(state_run_history(inspection->state, arena, facts->model->target, CHECK_RUNS_MAX, &runs,
                          err));
    for (size_t i = 0; i < runs.count; i++) {
        add_checks(arena, runs.items[i].metadata, &facts->checks);
    }
    add_checks(arena, extra_info, &facts->checks);
    return ERROR_NONE;
}

static enum error_code read_runs(struct inspection *inspection, struct model_facts *facts,
                                 struct error *err) {
    struct lake_connection *connection = inspection->session.connection;
    struct arena *arena = inspection->arena;
    const str target = facts->model->target;
    struct history *history = &facts->history;
    struct history_run *commit = ARENA_NEW(arena, struct history_run);
    bool found = false;
    str extra_info = {0};
    TRY(history_read(connection, inspection->state, arena, target, FACT_RUNS_MAX, history, err));
    TRY(history_totals_read(connection, inspection->state, arena, target, &facts->totals, err));
    TRY(history_last_commit(connection, inspection->state, arena, target, &found, commit,
                            &extra_info, err));
    facts->last_commit = found ? commit : NULL;
    for (size_t i = 0; i < history->count && facts->last_run == NULL; i++) {
        facts->last_run = history->items[i].blocked.size == 0 ? &history->items[i] : NULL;
    }
    if (facts->last_run == NULL) { // behind a failure for longer than that
        struct history_run *run = ARENA_NEW(arena, struct history_run);
        TRY(history_last_run(inspection->state, arena, target, &found, run, err));
        facts->last_run = found ? run : NULL;
    }
    return read_checks(inspection, facts, extra_info, err);
}

// ── Neighbours ──

static void read_neighbours(struct inspection *inspection, struct model_facts *facts) {
    struct arena *arena = inspection->arena;
    const struct model *model = facts->model;
    facts->upstream = model_depends(arena, model);
    for (size_t i = 0; i < model->read_by.count; i++) {
        str_list_push(arena, &facts->downstream, model->read_by.items[i]->target);
    }
    str_list_sort(&facts->downstream);
    for (size_t i = 0; i < model->lib_calls.count; i++) {
        const str name = model->lib_calls.items[i].name;
        if (!str_list_has_nocase(&facts->libs, name)) {
            str_list_push(arena, &facts->libs, name);
        }
    }
    const struct sink_directive *sink = &model->source.directives.sink;
    const struct lib *lib = NULL;
    if (facts->libs.count > 0) {
        lib = lib_find(&inspection->libs, facts->libs.items[0]);
    } else if (sink->at.is_set) {
        lib = lib_find(&inspection->libs, sink->name);
    }
    facts->blueprint = lib == NULL ? (str){0} : lib->file;
}

// ── Sink ──

enum error_code fact_sink_read(struct state *state, struct arena *arena, const struct model *model,
                               struct fact_sink *sink, struct error *err) {
    *sink = (struct fact_sink){.state = {.watermark = STATE_NO_SNAPSHOT}};
    struct state_sink_list sinks;
    TRY(state_sink_list(state, arena, model->target, &sinks, err));
    for (size_t i = 0; i < sinks.count; i++) {
        if (str_equal(sinks.items[i].key.sink, model->source.directives.sink.name)) {
            sink->state = sinks.items[i];
        }
    }
    if (sink->state.failed == 0) {
        return ERROR_NONE;
    }
    struct state_row_list rows;
    TRY(state_failed_list(state, arena, sink->state.id, &rows, err));
    int64_t newest_us = 0;
    for (size_t i = 0; i < rows.count; i++) {
        if (rows.items[i].last_us >= newest_us) {
            newest_us = rows.items[i].last_us;
            sink->last_error = rows.items[i].message;
        }
    }
    return ERROR_NONE;
}

enum error_code model_facts_read(struct inspection *inspection, const struct model *model,
                                 struct model_facts *facts, struct error *err) {
    *facts = (struct model_facts){.model = model};
    TRY(read_table(inspection, facts, err));
    TRY(read_runs(inspection, facts, err));
    read_neighbours(inspection, facts);
    facts->has_sink = model->source.directives.sink.at.is_set;
    return facts->has_sink
               ? fact_sink_read(inspection->state, inspection->arena, model, &facts->sink, err)
               : ERROR_NONE;
}
