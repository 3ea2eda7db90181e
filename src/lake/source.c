// The table function: DuckDB's callbacks turned into ours.
//
// An error of a callback has more to say (position, hint, backtrace) than DuckDB would carry, so
// DuckDB gets a ticket, "coypu-source-error:7", and duckdb_error.c exchanges it for the error.
//
// Threads: a query is bound by the thread that asks; its scan starts, goes on and ends on whatever
// thread DuckDB has, one after another.  Each callback gives on what the next one takes.

#include "lake/source.h"

#include "base/handover.h"
#include "base/list.h"
#include "base/text.h"
#include "lake/duckdb_api.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static const char function_name[] = "__coypu_fetch";

// How a callback finds its lake.  A callback is given nothing but DuckDB's handle, so these three
// addresses cannot come through a parameter; they are those of a library that stays loaded and
// never change once set (the one exception to "no globals").
static _Atomic(__typeof__(&duckdb_bind_get_extra_info)) bind_extra_info;
static _Atomic(__typeof__(&duckdb_init_get_bind_data)) init_bind_data;
static _Atomic(__typeof__(&duckdb_function_get_init_data)) function_init_data;

// ── Errors ──

static void ticket_write(struct lake *lake, const struct error *err, char *ticket, size_t size) {
    pthread_mutex_lock(&lake->lock);
    const uint64_t number = lake->shared.source_error_count++;
    lake->shared.source_errors[number % SOURCE_ERRORS_MAX] = *err;
    pthread_mutex_unlock(&lake->lock);
    snprintf(ticket, size, "%s%llu;", SOURCE_ERROR_TICKET, (unsigned long long)number);
}

bool lake_source_error(struct lake *lake, str message, struct error *err) {
    const str sign = STR(SOURCE_ERROR_TICKET);
    const size_t found = str_find(message, sign);
    if (found == SIZE_MAX) {
        return false;
    }
    const str rest = str_from_offset(message, found + sign.size);
    uint64_t number = 0;
    if (!str_parse_uint64(str_slice(rest, 0, str_find_char(rest, ';')), &number)) {
        return false;
    }
    pthread_mutex_lock(&lake->lock);
    const bool is_kept = number < lake->shared.source_error_count &&
                         number + SOURCE_ERRORS_MAX >= lake->shared.source_error_count;
    if (is_kept) {
        *err = lake->shared.source_errors[number % SOURCE_ERRORS_MAX];
    }
    pthread_mutex_unlock(&lake->lock);
    return is_kept;
}

enum { TICKET_SIZE = 64 };

// ── Bind ──

struct bound {
    struct lake *lake;
    void *plan;
    struct arena arena;
    struct {
        enum lake_kind *items;
        size_t count;
        size_t capacity;
    } kinds; // of the declared columns
};

struct lake_source_bind {
    struct bound *bound;
    duckdb_bind_info info;
};

static void bound_free(void *memory) {
    struct bound *bound = memory;
    HANDOVER_TAKE(bound);
    if (bound->lake->source.unbind != NULL && bound->plan != NULL) {
        bound->lake->source.unbind(bound->plan);
    }
    arena_done(&bound->arena);
    free(bound);
}

static struct lake_argument *read_arguments(const struct duckdb_api *api, struct arena *arena,
                                            duckdb_bind_info info, size_t *count) {
    duckdb_value list = api->duckdb_bind_get_parameter(info, 0);
    *count = api->duckdb_is_null_value(list) ? 0 : api->duckdb_get_list_size(list);
    struct lake_argument *arguments = ARENA_ARRAY(arena, struct lake_argument, *count);
    for (size_t i = 0; i < *count; i++) {
        duckdb_value item = api->duckdb_get_list_child(list, i);
        arguments[i].is_null = api->duckdb_is_null_value(item);
        if (!arguments[i].is_null) {
            char *text = api->duckdb_get_varchar(item);
            arguments[i].text = str_copy(arena, str_from(text));
            api->duckdb_free(text);
        }
        api->duckdb_destroy_value(&item);
    }
    api->duckdb_destroy_value(&list);
    return arguments;
}

static void on_bind(duckdb_bind_info info) {
    struct lake *lake = atomic_load(&bind_extra_info)(info);
    const struct duckdb_api *api = &lake->api;
    struct bound *bound = memory_alloc(sizeof(*bound));
    *bound = (struct bound){.lake = lake};
    arena_init(&bound->arena);
    api->duckdb_bind_set_bind_data(info, bound, bound_free);
    SCRATCH(scratch);
    size_t count = 0;
    struct lake_argument *arguments = read_arguments(api, &scratch, info, &count);
    struct lake_source_bind bind = {.bound = bound, .info = info};
    struct error err = {0};
    const struct lake_source *source = &lake->source;
    if (source->bind(source->self, arguments, count, &bind, &bound->plan, &err) != ERROR_NONE) {
        char ticket[TICKET_SIZE];
        ticket_write(lake, &err, ticket, sizeof(ticket));
        api->duckdb_bind_set_error(info, ticket);
    }
    HANDOVER_GIVE(bound);
}

uint64_t lake_source_connection(const struct lake_source_bind *bind) {
    const struct duckdb_api *api = &bind->bound->lake->api;
    duckdb_client_context context = NULL;
    api->duckdb_table_function_get_client_context(bind->info, &context);
    const uint64_t id = api->duckdb_client_context_get_connection_id(context);
    api->duckdb_destroy_client_context(&context);
    return id;
}

static duckdb_type type_of(enum lake_kind kind) {
    static const struct {
        enum lake_kind kind;
        duckdb_type id;
    } types[] = {
        {LAKE_BOOLEAN, DUCKDB_TYPE_BOOLEAN},     {LAKE_TINYINT, DUCKDB_TYPE_TINYINT},
        {LAKE_SMALLINT, DUCKDB_TYPE_SMALLINT},   {LAKE_INTEGER, DUCKDB_TYPE_INTEGER},
        {LAKE_BIGINT, DUCKDB_TYPE_BIGINT},       {LAKE_UTINYINT, DUCKDB_TYPE_UTINYINT},
        {LAKE_USMALLINT, DUCKDB_TYPE_USMALLINT}, {LAKE_UINTEGER, DUCKDB_TYPE_UINTEGER},
        {LAKE_UBIGINT, DUCKDB_TYPE_UBIGINT},     {LAKE_HUGEINT, DUCKDB_TYPE_HUGEINT},
        {LAKE_UHUGEINT, DUCKDB_TYPE_UHUGEINT},   {LAKE_FLOAT, DUCKDB_TYPE_FLOAT},
        {LAKE_DOUBLE, DUCKDB_TYPE_DOUBLE},       {LAKE_BLOB, DUCKDB_TYPE_BLOB},
        {LAKE_DATE, DUCKDB_TYPE_DATE},           {LAKE_TIME, DUCKDB_TYPE_TIME},
        {LAKE_TIMESTAMP, DUCKDB_TYPE_TIMESTAMP}, {LAKE_TIMESTAMP_TZ, DUCKDB_TYPE_TIMESTAMP_TZ},
        {LAKE_INTERVAL, DUCKDB_TYPE_INTERVAL},   {LAKE_UUID, DUCKDB_TYPE_UUID},
    };
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        if (types[i].kind == kind) {
            return types[i].id;
        }
    }
    return DUCKDB_TYPE_VARCHAR; // and JSON, which is a VARCHAR with an alias
}

void lake_source_column(struct lake_source_bind *bind, str name, enum lake_kind kind, uint8_t width,
                        uint8_t scale) {
    const struct duckdb_api *api = &bind->bound->lake->api;
    SCRATCH(scratch);
    duckdb_logical_type type = kind == LAKE_DECIMAL
                                   ? api->duckdb_create_decimal_type(width, scale)
                                   : api->duckdb_create_logical_type(type_of(kind));
    if (kind == LAKE_JSON) {
        api->duckdb_logical_type_set_alias(type, "JSON");
    }
    api->duckdb_bind_add_result_column(bind->info, str_to_cstring(&scratch, name), type);
    api->duckdb_destroy_logical_type(&type);
    LIST_PUSH(&bind->bound->arena, &bind->bound->kinds, kind);
}

void lake_source_row_count(struct lake_source_bind *bind, uint64_t rows, bool is_exact) {
    bind->bound->lake->api.duckdb_bind_set_cardinality(bind->info, rows, is_exact);
}

// ── Scan ──

struct scan {
    struct lake *lake;
    struct bound *bound; // where what the scan wrote is handed back; its address alone
    void *scan;          // of the layer above
    size_t column_count;
    struct lake_writer_column *columns; // kinds stay, the rest is set for each chunk
    struct arena arena;
};

static void scan_free(void *memory) {
    struct scan *scan = memory;
    HANDOVER_TAKE(scan);
    if (scan->scan != NULL && scan->lake->source.finish != NULL) {
        scan->lake->source.finish(scan->scan);
    }
    HANDOVER_GIVE(scan->bound);
    arena_done(&scan->arena);
    free(scan);
}

static void on_init(duckdb_init_info info) {
    struct bound *bound = atomic_load(&init_bind_data)(info);
    HANDOVER_TAKE(bound);
    struct lake *lake = bound->lake;
    const struct duckdb_api *api = &lake->api;
    struct scan *scan = memory_alloc(sizeof(*scan));
    *scan = (struct scan){.lake = lake, .bound = bound};
    arena_init(&scan->arena);
    api->duckdb_init_set_init_data(info, scan, scan_free);
    api->duckdb_init_set_max_threads(info, 1);
    scan->column_count = api->duckdb_init_get_column_count(info);
    scan->columns = ARENA_ARRAY(&scan->arena, struct lake_writer_column, scan->column_count);
    size_t *indexes = ARENA_ARRAY(&scan->arena, size_t, scan->column_count);
    for (size_t i = 0; i < scan->column_count; i++) {
        // The row id, which we have not, comes as an index beyond the columns: the first stands in.
        const idx_t index = api->duckdb_init_get_column_index(info, i);
        indexes[i] = index < bound->kinds.count ? index : 0;
        scan->columns[i].kind = bound->kinds.items[indexes[i]];
    }
    struct error err = {0};
    if (lake->source.start(lake->source.self, bound->plan, indexes, scan->column_count, &scan->scan,
                           &err) != ERROR_NONE) {
        char ticket[TICKET_SIZE];
        ticket_write(lake, &err, ticket, sizeof(ticket));
        api->duckdb_init_set_error(info, ticket);
    }
    HANDOVER_GIVE(scan);
}

static void on_fill(duckdb_function_info info, duckdb_data_chunk chunk) {
    struct scan *scan = atomic_load(&function_init_data)(info);
    HANDOVER_TAKE(scan);
    const struct duckdb_api *api = &scan->lake->api;
    for (size_t i = 0; i < scan->column_count; i++) {
        duckdb_vector vector = api->duckdb_data_chunk_get_vector(chunk, i);
        scan->columns[i].handle = vector;
        scan->columns[i].data = api->duckdb_vector_get_data(vector);
        scan->columns[i].validity = NULL;
        scan->columns[i].api = api;
    }
    struct lake_writer writer = {.columns = scan->columns, .column_count = scan->column_count};
    struct error err = {0};
    if (scan->lake->source.fill(scan->scan, &writer, &err) != ERROR_NONE) {
        char ticket[TICKET_SIZE];
        ticket_write(scan->lake, &err, ticket, sizeof(ticket));
        api->duckdb_function_set_error(info, ticket);
    } else {
        api->duckdb_data_chunk_set_size(chunk, writer.row_count);
    }
    HANDOVER_GIVE(scan);
}

void lake_writer_finish(struct lake_writer *writer, size_t row_count) {
    writer->row_count = row_count;
}

void lake_put_null(struct lake_writer_column *column, size_t row) {
    if (column->validity == NULL) {
        column->api->duckdb_vector_ensure_validity_writable(column->handle);
        column->validity = column->api->duckdb_vector_get_validity(column->handle);
    }
    column->validity[row / 64] &= ~(UINT64_C(1) << (row % 64));
}

void lake_put_text(struct lake_writer_column *column, size_t row, str text) {
    column->api->duckdb_unsafe_vector_assign_string_element_len(
        column->handle, row, text.data == NULL ? "" : text.data, text.size);
}

// ── Registering ──

enum error_code lake_source_register(struct lake_connection *connection,
                                     const struct lake_source *source, struct error *err) {
    struct lake *lake = connection->lake;
    const struct duckdb_api *api = &lake->api;
    if (lake->has_source) { // a second registration is silently ignored by DuckDB
        return error_set(err, ERROR_INTERNAL, "the table function is registered already");
    }
    atomic_store(&bind_extra_info, api->duckdb_bind_get_extra_info);
    atomic_store(&init_bind_data, api->duckdb_init_get_bind_data);
    atomic_store(&function_init_data, api->duckdb_function_get_init_data);
    lake->source = *source;
    duckdb_table_function function = api->duckdb_create_table_function();
    duckdb_logical_type text = api->duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    duckdb_logical_type list = api->duckdb_create_list_type(text);
    api->duckdb_table_function_set_name(function, function_name);
    api->duckdb_table_function_add_parameter(function, list);
    api->duckdb_table_function_set_extra_info(function, lake, NULL);
    api->duckdb_table_function_set_bind(function, on_bind);
    api->duckdb_table_function_set_init(function, on_init);
    api->duckdb_table_function_set_function(function, on_fill);
    api->duckdb_table_function_supports_projection_pushdown(function, true);
    const duckdb_state state = api->duckdb_register_table_function(connection->handle, function);
    api->duckdb_destroy_logical_type(&list);
    api->duckdb_destroy_logical_type(&text);
    api->duckdb_destroy_table_function(&function);
    if (state != DuckDBSuccess) {
        return error_set(err, ERROR_INTERNAL, "DuckDB refuses the table function %s",
                         function_name);
    }
    lake->has_source = true;
    return ERROR_NONE;
}

enum error_code lake_source_macro(struct lake_connection *connection, str name,
                                  const str *arguments, size_t count, struct error *err) {
    SCRATCH(scratch);
    struct text sql;
    text_init(&sql, &scratch);
    text_format(&sql, "CREATE OR REPLACE TEMP MACRO " STR_FORMAT "(",
                STR_ARGS(lake_quote_name(&scratch, name)));
    for (size_t i = 0; i < count; i++) {
        text_format(&sql, "%s" STR_FORMAT " := NULL", i == 0 ? "" : ", ",
                    STR_ARGS(lake_quote_name(&scratch, arguments[i])));
    }
    text_format(&sql, ") AS TABLE FROM %s([" STR_FORMAT, function_name,
                STR_ARGS(lake_quote_text(&scratch, name)));
    for (size_t i = 0; i < count; i++) {
        text_format(&sql, ", " STR_FORMAT "::VARCHAR",
                    STR_ARGS(lake_quote_name(&scratch, arguments[i])));
    }
    text_add(&sql, STR("])"));
    return lake_execute(connection, text_str(&sql), LAKE_NO_VALUES, NULL, err);
}
