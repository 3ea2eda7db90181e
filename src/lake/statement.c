// Running statements: prepare, bind, execute, and the short ways to one value.
//
// A statement without parameters goes through duckdb_query: prepare and execute would be two
// transactions in autocommit, and so twice the catalog queries of DuckLake.

#include "base/interrupt.h"
#include "base/log.h"
#include "base/text.h"
#include "lake/duckdb_api.h"
#include "lake/script.h"

#include <time.h>

// ── Exactly one statement ──

static enum error_code check_single(struct lake_connection *connection, str sql,
                                    struct error *err) {
    SCRATCH(scratch);
    struct sql_statement_list statements = {0};
    sql_split(&scratch, sql, &statements);
    if (statements.count == 1) {
        return ERROR_NONE;
    }
    if (statements.count == 0) {
        (void)error_set(err, ERROR_INVALID, "the SQL text is empty");
    } else {
        (void)error_set(err, ERROR_INVALID, "one statement is expected, this text has %zu",
                        statements.count);
        error_at_offset(err, (str){0}, sql, statements.items[1].offset);
    }
    return lake_fail(connection, err);
}

static enum error_code check_interrupt(struct lake_connection *connection, struct error *err) {
    if (!connection->is_shielded && interrupt_is_raised(connection->lake->context->interrupt)) {
        (void)error_set(err, ERROR_CANCELLED, "interrupted");
        return lake_fail(connection, err);
    }
    return ERROR_NONE;
}

// ── Without parameters ──

enum error_code lake_run(struct lake_connection *connection, str sql, bool interruptible,
                         struct lake_result **result, struct error *err) {
    const struct duckdb_api *api = &connection->lake->api;
    SCRATCH(scratch);
    duckdb_result handle = {0};
    atomic_store(&connection->is_interruptible, interruptible && !connection->is_shielded);
    const duckdb_state state =
        api->duckdb_query(connection->handle, str_to_cstring(&scratch, sql), &handle);
    atomic_store(&connection->is_interruptible, false);
    if (state != DuckDBSuccess) {
        const enum error_code code =
            lake_error(connection, sql, api->duckdb_result_error(&handle), err);
        api->duckdb_destroy_result(&handle);
        return code;
    }
    *result = lake_result_new(connection, &handle, sql);
    return ERROR_NONE;
}

// ── With parameters ──

static duckdb_value text_value(const struct duckdb_api *api, str text) {
    return api->duckdb_create_varchar_length(text.data == NULL ? "" : text.data, text.size);
}

static duckdb_value list_value(const struct duckdb_api *api, const struct lake_value *value) {
    SCRATCH(scratch);
    const bool is_text = value->kind == LAKE_VALUE_TEXT_LIST;
    duckdb_value *items = ARENA_ARRAY(&scratch, duckdb_value, value->count + 1);
    for (size_t i = 0; i < value->count; i++) {
        items[i] = is_text ? text_value(api, value->texts[i])
                           : api->duckdb_create_int64(value->integers[i]);
    }
    duckdb_logical_type type =
        api->duckdb_create_logical_type(is_text ? DUCKDB_TYPE_VARCHAR : DUCKDB_TYPE_BIGINT);
    duckdb_value list = api->duckdb_create_list_value(type, items, value->count);
    api->duckdb_destroy_logical_type(&type);
    for (size_t i = 0; i < value->count; i++) {
        api->duckdb_destroy_value(&items[i]);
    }
    return list;
}

static duckdb_value value_new(const struct duckdb_api *api, const struct lake_value *value) {
    switch (value->kind) {
    case LAKE_VALUE_NULL:
        return api->duckdb_create_null_value();
    case LAKE_VALUE_BOOL:
        return api->duckdb_create_bool(value->boolean);
    case LAKE_VALUE_INT64:
        return api->duckdb_create_int64(value->integer);
    case LAKE_VALUE_DOUBLE:
        return api->duckdb_create_double(value->number);
    case LAKE_VALUE_TEXT:
        return text_value(api, value->text);
    case LAKE_VALUE_BLOB:
        return api->duckdb_create_blob((const uint8_t *)value->text.data, value->text.size);
    case LAKE_VALUE_TIMESTAMP:
        return api->duckdb_create_timestamp((duckdb_timestamp){value->integer});
    case LAKE_VALUE_TEXT_LIST:
    case LAKE_VALUE_INT64_LIST:
        return list_value(api, value);
    }
    return api->duckdb_create_null_value();
}

static enum error_code bind_values(struct lake_connection *connection, str sql,
                                   duckdb_prepared_statement statement, struct lake_values values,
                                   struct error *err) {
    const struct duckdb_api *api = &connection->lake->api;
    const idx_t wanted = api->duckdb_nparams(statement);
    if (wanted != values.count) {
        (void)error_set(err, ERROR_INVALID,
                        "the statement has %zu parameters, %zu values are given", (size_t)wanted,
                        values.count);
        return lake_fail(connection, err);
    }
    for (size_t i = 0; i < values.count; i++) {
        duckdb_value value = value_new(api, &values.items[i]);
        const duckdb_state state = api->duckdb_bind_value(statement, i + 1, value);
        api->duckdb_destroy_value(&value);
        if (state != DuckDBSuccess) {
            return lake_error(connection, sql, api->duckdb_prepare_error(statement), err);
        }
    }
    return ERROR_NONE;
}

// How a statement gives its result.
enum result_mode {
    RESULT_IN_MEMORY,
    RESULT_STREAMING, // computes as it is read
    RESULT_PATIENT,   // in memory; the statement may wait for what is outside of DuckDB
};

// Works on the statement until it is done.  duckdb_execute_pending would do it too, but it asks for
// tasks without a pause while another thread has them all: a core at full load for as long as the
// table function waits for its API.
static void work(const struct duckdb_api *api, duckdb_pending_result pending) {
    enum { PAUSE_US_MIN = 20, PAUSE_US_MAX = 1000 };
    long pause_us = PAUSE_US_MIN;
    while (true) {
        const duckdb_pending_state state = api->duckdb_pending_execute_task(pending);
        if (state == DUCKDB_PENDING_ERROR || api->duckdb_pending_execution_is_finished(state)) {
            return;
        }
        if (state == DUCKDB_PENDING_NO_TASKS_AVAILABLE) {
            (void)nanosleep(&(struct timespec){.tv_nsec = pause_us * 1000}, NULL);
            pause_us = pause_us < PAUSE_US_MAX / 2 ? pause_us * 2 : PAUSE_US_MAX;
        } else {
            pause_us = PAUSE_US_MIN;
        }
    }
}

static enum error_code execute(struct lake_connection *connection, str sql,
                               duckdb_prepared_statement statement, enum result_mode mode,
                               duckdb_result *handle, struct error *err) {
    const struct duckdb_api *api = &connection->lake->api;
    duckdb_pending_result pending = NULL;
    enum error_code code = ERROR_NONE;
    const duckdb_state state = mode == RESULT_STREAMING
                                   ? api->duckdb_pending_prepared_streaming(statement, &pending)
                                   : api->duckdb_pending_prepared(statement, &pending);
    if (state == DuckDBSuccess && mode == RESULT_PATIENT) {
        work(api, pending);
    }
    if (state != DuckDBSuccess) {
        code = lake_error(connection, sql, api->duckdb_pending_error(pending), err);
    } else if (api->duckdb_execute_pending(pending, handle) != DuckDBSuccess) {
        code = lake_error(connection, sql, api->duckdb_result_error(handle), err);
        api->duckdb_destroy_result(handle);
    }
    api->duckdb_destroy_pending(&pending);
    return code;
}

static enum error_code run_extracted(struct lake_connection *connection, str sql,
                                     duckdb_extracted_statements extracted, idx_t index,
                                     struct lake_values values, enum result_mode mode,
                                     duckdb_result *handle, struct error *err) {
    const struct duckdb_api *api = &connection->lake->api;
    duckdb_prepared_statement statement = NULL;
    enum error_code code = ERROR_NONE;
    if (api->duckdb_prepare_extracted_statement(connection->handle, extracted, index, &statement) !=
        DuckDBSuccess) {
        code = lake_error(connection, sql, api->duckdb_prepare_error(statement), err);
    }
    if (code == ERROR_NONE) {
        code = bind_values(connection, sql, statement, values, err);
    }
    if (code == ERROR_NONE) {
        code = execute(connection, sql, statement, mode, handle, err);
    }
    api->duckdb_destroy_prepare(&statement);
    return code;
}

// A PIVOT is extracted as several statements: all but the last are run for their effect.
static enum error_code run_prepared(struct lake_connection *connection, str sql,
                                    struct lake_values values, enum result_mode mode,
                                    struct lake_result **result, struct error *err) {
    const struct duckdb_api *api = &connection->lake->api;
    SCRATCH(scratch);
    duckdb_extracted_statements extracted = NULL;
    const idx_t count = api->duckdb_extract_statements(connection->handle,
                                                       str_to_cstring(&scratch, sql), &extracted);
    enum error_code code = ERROR_NONE;
    if (count == 0) {
        code = lake_error(connection, sql, api->duckdb_extract_statements_error(extracted), err);
    }
    atomic_store(&connection->is_interruptible, !connection->is_shielded);
    for (idx_t i = 0; i < count && code == ERROR_NONE; i++) {
        duckdb_result handle = {0};
        const bool is_last = i + 1 == count;
        code = run_extracted(connection, sql, extracted, i, is_last ? values : LAKE_NO_VALUES,
                             is_last ? mode : RESULT_IN_MEMORY, &handle, err);
        if (code == ERROR_NONE && is_last) {
            *result = lake_result_new(connection, &handle, sql);
            lake_result_is_whole(*result, count == 1 && values.count == 0);
        } else if (code == ERROR_NONE) {
            api->duckdb_destroy_result(&handle);
        }
    }
    // A stream goes on working while it is read.
    atomic_store(&connection->is_interruptible,
                 mode == RESULT_STREAMING && code == ERROR_NONE && !connection->is_shielded);
    api->duckdb_destroy_extracted(&extracted);
    return code;
}

// ── The public ways ──

bool lake_shield(struct lake_connection *connection, bool is_shielded) {
    const bool before = connection->is_shielded;
    connection->is_shielded = is_shielded;
    return before;
}

static enum error_code run(struct lake_connection *connection, str sql, struct lake_values values,
                           enum result_mode mode, struct lake_result **result, struct error *err) {
    *result = NULL;
    atomic_store(&connection->was_interrupted, false);
    TRY(check_interrupt(connection, err));
    TRY(check_single(connection, sql, err));
    log_event(connection->lake->context->log, LOG_DEBUG, "lake.statement", "sql=" STR_FORMAT,
              STR_ARGS(sql));
    if (values.count == 0 && mode == RESULT_IN_MEMORY) {
        return lake_run(connection, sql, true, result, err);
    }
    return run_prepared(connection, sql, values, mode, result, err);
}

enum error_code lake_query(struct lake_connection *connection, str sql, struct lake_values values,
                           struct lake_result **result, struct error *err) {
    return run(connection, sql, values, RESULT_IN_MEMORY, result, err);
}

enum error_code lake_stream(struct lake_connection *connection, str sql, struct lake_values values,
                            struct lake_result **result, struct error *err) {
    return run(connection, sql, values, RESULT_STREAMING, result, err);
}

static enum error_code run_for_effect(struct lake_connection *connection, str sql,
                                      struct lake_values values, enum result_mode mode,
                                      int64_t *changed, struct error *err) {
    LAKE_RESULT result = NULL;
    TRY(run(connection, sql, values, mode, &result, err));
    if (changed != NULL) {
        *changed = lake_result_changed(result);
    }
    return ERROR_NONE;
}

enum error_code lake_execute(struct lake_connection *connection, str sql, struct lake_values values,
                             int64_t *changed, struct error *err) {
    return run_for_effect(connection, sql, values, RESULT_IN_MEMORY, changed, err);
}

enum error_code lake_execute_patient(struct lake_connection *connection, str sql, int64_t *changed,
                                     struct error *err) {
    return run_for_effect(connection, sql, LAKE_NO_VALUES, RESULT_PATIENT, changed, err);
}

enum error_code lake_query_int64(struct lake_connection *connection, str sql,
                                 struct lake_values values, int64_t *value, bool *found,
                                 struct error *err) {
    LAKE_RESULT result = NULL;
    TRY(lake_query(connection, sql, values, &result, err));
    const bool has = lake_result_next(result) && !lake_result_is_null(result, 0);
    *value = has ? lake_result_int64(result, 0) : 0;
    if (found != NULL) {
        *found = has;
    }
    return ERROR_NONE;
}

enum error_code lake_query_text(struct lake_connection *connection, struct arena *arena, str sql,
                                struct lake_values values, str *value, bool *found,
                                struct error *err) {
    LAKE_RESULT result = NULL;
    TRY(lake_query(connection, sql, values, &result, err));
    const bool has = lake_result_next(result) && !lake_result_is_null(result, 0);
    *value = has ? str_copy(arena, lake_result_text(result, 0)) : (str){0};
    if (found != NULL) {
        *found = has;
    }
    return ERROR_NONE;
}

static void describe_columns(const struct duckdb_api *api, struct arena *arena,
                             duckdb_prepared_statement statement, struct lake_column **columns,
                             size_t *count) {
    *count = api->duckdb_prepared_statement_column_count(statement);
    *columns = ARENA_ARRAY(arena, struct lake_column, *count);
    for (size_t i = 0; i < *count; i++) {
        const char *name = api->duckdb_prepared_statement_column_name(statement, i);
        (*columns)[i].name = str_copy(arena, str_from(name));
        api->duckdb_free((void *)(uintptr_t)name);
        duckdb_logical_type handle =
            api->duckdb_prepared_statement_column_logical_type(statement, i);
        struct lake_type type = {0};
        lake_type_read(api, arena, handle, &type);
        (*columns)[i].type = type.name;
        api->duckdb_destroy_logical_type(&handle);
    }
}

enum error_code lake_describe(struct lake_connection *connection, struct arena *arena, str sql,
                              struct lake_column **columns, size_t *count, struct error *err) {
    const struct duckdb_api *api = &connection->lake->api;
    TRY(check_interrupt(connection, err));
    TRY(check_single(connection, sql, err));
    SCRATCH(scratch);
    duckdb_extracted_statements extracted = NULL;
    const idx_t found = api->duckdb_extract_statements(connection->handle,
                                                       str_to_cstring(&scratch, sql), &extracted);
    enum error_code code = ERROR_NONE;
    duckdb_prepared_statement statement = NULL;
    if (found == 0) {
        code = lake_error(connection, sql, api->duckdb_extract_statements_error(extracted), err);
    } else if (api->duckdb_prepare_extracted_statement(connection->handle, extracted, found - 1,
                                                       &statement) != DuckDBSuccess) {
        code = lake_error(connection, sql, api->duckdb_prepare_error(statement), err);
    } else {
        describe_columns(api, arena, statement, columns, count);
    }
    api->duckdb_destroy_prepare(&statement);
    api->duckdb_destroy_extracted(&extracted);
    return code;
}

bool lake_can_bind(struct lake_connection *connection, str sql, struct error *why) {
    SCRATCH(scratch);
    const bool had_failed = connection->has_failed;
    struct lake_column *columns = NULL;
    size_t count = 0;
    const enum error_code code = lake_describe(connection, &scratch, sql, &columns, &count, why);
    if (code != ERROR_CANCELLED) {
        connection->has_failed = had_failed; // an error of the binder leaves the transaction alive
    }
    return code == ERROR_NONE;
}

// The value as a literal; empty when it has to be bound.
static str variable_literal(struct arena *arena, const struct lake_value *value) {
    if (value->kind == LAKE_VALUE_NULL) {
        return STR("NULL");
    }
    if (value->kind == LAKE_VALUE_BOOL) {
        return value->boolean ? STR("true") : STR("false");
    }
    if (value->kind == LAKE_VALUE_INT64) {
        return str_format(arena, "(%lld)::BIGINT", (long long)value->integer);
    }
    const bool is_plain_text =
        value->kind == LAKE_VALUE_TEXT && str_find_char(value->text, '\0') == SIZE_MAX;
    return is_plain_text ? lake_quote_text(arena, value->text) : (str){0};
}

enum error_code lake_set_variable(struct lake_connection *connection, str name,
                                  struct lake_value value, struct error *err) {
    SCRATCH(scratch);
    // Without parameters, one transaction instead of two: see the top of this file.
    const str literal = variable_literal(&scratch, &value);
    const str sql = str_format(&scratch, "SET VARIABLE " STR_FORMAT " = " STR_FORMAT,
                               STR_ARGS(lake_quote_name(&scratch, name)),
                               STR_ARGS(literal.size > 0 ? literal : STR("?")));
    return lake_execute(connection, sql, literal.size > 0 ? LAKE_NO_VALUES : LAKE_VALUES(value),
                        NULL, err);
}
