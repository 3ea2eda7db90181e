// Results: columns and types once, vectors of a chunk at a time.

#include "lake/result.h"

#include "base/interrupt.h"
#include "base/text.h"
#include "lake/duckdb_api.h"

#include <stdlib.h>

_Static_assert(sizeof(struct lake_string) == sizeof(duckdb_string_t), "read in place");
_Static_assert(sizeof(struct lake_hugeint) == sizeof(duckdb_hugeint), "read in place");
_Static_assert(sizeof(struct lake_interval) == sizeof(duckdb_interval), "read in place");
_Static_assert(sizeof(struct lake_list_entry) == sizeof(duckdb_list_entry), "read in place");

struct lake_result {
    struct lake_connection *connection;
    duckdb_result handle;
    struct arena arena;       // types, names, formatted cells
    struct arena chunk_arena; // vectors of the current chunk
    str sql;                  // for the position of a late error
    str *names;
    struct lake_type *types;
    size_t column_count;
    duckdb_data_chunk chunk_handle;
    struct lake_chunk chunk;
    size_t row; // next(): behind the current row
    bool is_done;
    bool is_whole;              // `sql` says all of the statement: it has no parameters
    duckdb_statement_type type; // DuckDB forgets it after an error
};

// What may have written a snapshot by itself, without lake_commit.
static bool has_written(duckdb_statement_type type) {
    return type != DUCKDB_STATEMENT_TYPE_SELECT && type != DUCKDB_STATEMENT_TYPE_EXPLAIN &&
           type != DUCKDB_STATEMENT_TYPE_SET && type != DUCKDB_STATEMENT_TYPE_VARIABLE_SET &&
           type != DUCKDB_STATEMENT_TYPE_TRANSACTION && type != DUCKDB_STATEMENT_TYPE_LOAD;
}

struct lake_result *lake_result_new(struct lake_connection *connection, duckdb_result *handle,
                                    str sql) {
    const struct duckdb_api *api = &connection->lake->api;
    struct lake_result *result = memory_alloc(sizeof(*result));
    *result = (struct lake_result){.connection = connection,
                                   .handle = *handle,
                                   .type = api->duckdb_result_statement_type(*handle)};
    if (!connection->in_transaction && has_written(result->type)) {
        connection->has_written_alone = true;
    }
    arena_init(&result->arena);
    arena_init(&result->chunk_arena);
    result->sql = str_copy(&result->arena, sql);
    result->column_count = api->duckdb_column_count(&result->handle);
    result->names = ARENA_ARRAY(&result->arena, str, result->column_count);
    result->types = ARENA_ARRAY(&result->arena, struct lake_type, result->column_count);
    for (size_t i = 0; i < result->column_count; i++) {
        result->names[i] =
            str_copy(&result->arena, str_from(api->duckdb_column_name(&result->handle, i)));
        duckdb_logical_type type = api->duckdb_column_logical_type(&result->handle, i);
        lake_type_read(api, &result->arena, type, &result->types[i]);
        api->duckdb_destroy_logical_type(&type);
    }
    return result;
}

void lake_result_free(struct lake_result *result) {
    if (result == NULL) {
        return;
    }
    const struct duckdb_api *api = &result->connection->lake->api;
    if (result->chunk_handle != NULL) {
        api->duckdb_destroy_data_chunk(&result->chunk_handle);
    }
    api->duckdb_destroy_result(&result->handle);
    atomic_store(&result->connection->is_interruptible, false);
    arena_done(&result->chunk_arena);
    arena_done(&result->arena);
    free(result);
}

void lake_result_cleanup(struct lake_result **result) {
    lake_result_free(*result);
}

size_t lake_result_column_count(const struct lake_result *result) {
    return result->column_count;
}

str lake_result_name(const struct lake_result *result, size_t column) {
    return result->names[column];
}

const struct lake_type *lake_result_type(const struct lake_result *result, size_t column) {
    return &result->types[column];
}

int64_t lake_result_changed(const struct lake_result *result) {
    duckdb_result handle = result->handle; // the call wants it writable and does not write
    const struct duckdb_api *api = &result->connection->lake->api;
    return (int64_t)api->duckdb_rows_changed(&handle);
}

// ── Chunks ──

static void read_vector(const struct duckdb_api *api, struct arena *arena, duckdb_vector handle,
                        const struct lake_type *type, struct lake_vector *vector);

static struct lake_vector *read_struct(const struct duckdb_api *api, struct arena *arena,
                                       duckdb_vector handle, const struct lake_type *type) {
    static const struct lake_type tag = {
        .kind = LAKE_UTINYINT, .storage = LAKE_UTINYINT, .name = STR_INIT("UTINYINT")};
    const size_t first = type->kind == LAKE_UNION ? 1 : 0;
    struct lake_vector *children =
        ARENA_ARRAY(arena, struct lake_vector, type->child_count + first);
    for (size_t i = 0; i < type->child_count + first; i++) {
        read_vector(api, arena, api->duckdb_struct_vector_get_child(handle, i),
                    i < first ? &tag : &type->children[i - first], &children[i]);
    }
    return children;
}

static struct lake_vector *read_items(const struct duckdb_api *api, struct arena *arena,
                                      duckdb_vector handle, const struct lake_type *type) {
    struct lake_vector *child = ARENA_NEW(arena, struct lake_vector);
    duckdb_vector items = type->kind == LAKE_ARRAY ? api->duckdb_array_vector_get_child(handle)
                                                   : api->duckdb_list_vector_get_child(handle);
    read_vector(api, arena, items, type->children, child);
    return child;
}

static void read_vector(const struct duckdb_api *api, struct arena *arena, duckdb_vector handle,
                        const struct lake_type *type, struct lake_vector *vector) {
    *vector = (struct lake_vector){.type = type,
                                   .data = api->duckdb_vector_get_data(handle),
                                   .validity = api->duckdb_vector_get_validity(handle)};
    if (type->kind == LAKE_STRUCT || type->kind == LAKE_UNION) {
        vector->children = read_struct(api, arena, handle, type);
    } else if (type->kind == LAKE_LIST || type->kind == LAKE_MAP || type->kind == LAKE_ARRAY) {
        vector->children = read_items(api, arena, handle, type);
    }
}

static void read_chunk(struct lake_result *result) {
    const struct duckdb_api *api = &result->connection->lake->api;
    arena_reset(&result->chunk_arena);
    struct lake_vector *vectors =
        ARENA_ARRAY(&result->chunk_arena, struct lake_vector, result->column_count);
    for (size_t i = 0; i < result->column_count; i++) {
        read_vector(api, &result->chunk_arena,
                    api->duckdb_data_chunk_get_vector(result->chunk_handle, i), &result->types[i],
                    &vectors[i]);
    }
    result->chunk = (struct lake_chunk){
        .row_count = api->duckdb_data_chunk_get_size(result->chunk_handle),
        .column_count = result->column_count,
        .columns = vectors,
    };
}

void lake_result_is_whole(struct lake_result *result, bool is_whole) {
    result->is_whole = is_whole;
}

// A query that fails in one of DuckDB's threads sets the flag of an interrupt, which a stream that
// is read sees before it sees the error (SimpleBufferedData::ExecuteTaskInternal in 1.5.5), and the
// error is lost: the likelier, the slower the reader.  EXPLAIN ANALYZE runs the query once more,
// without a stream and without keeping its rows, and tells the error.
static enum error_code ask_again(struct lake_result *result, struct error *err) {
    SCRATCH(scratch);
    if (result->type == DUCKDB_STATEMENT_TYPE_SELECT && result->is_whole) {
        LAKE_RESULT ignored = NULL;
        const str sql = str_format(&scratch, "EXPLAIN ANALYZE\n" STR_FORMAT, STR_ARGS(result->sql));
        if (lake_query(result->connection, sql, LAKE_NO_VALUES, &ignored, err) != ERROR_NONE) {
            err->pos.line -= err->pos.line > 0 ? 1 : 0; // of our own line
            return err->code;
        }
    }
    error_set(err, ERROR_INVALID, "the query failed while its rows were read");
    error_hint(err, "DuckDB lost the reason; run the query again to see it");
    return lake_fail(result->connection, err);
}

static enum error_code late_error(struct lake_result *result, const char *message,
                                  struct error *err) {
    struct lake_connection *connection = result->connection;
    const enum error_code code = lake_error(connection, result->sql, message, err);
    const bool is_wanted = atomic_load(&connection->was_interrupted) ||
                           interrupt_is_raised(connection->lake->context->interrupt);
    if (code != ERROR_CANCELLED || is_wanted || connection->in_transaction) {
        return code;
    }
    return ask_again(result, err);
}

enum error_code lake_result_chunk(struct lake_result *result, struct lake_chunk *chunk,
                                  struct error *err) {
    const struct duckdb_api *api = &result->connection->lake->api;
    *chunk = (struct lake_chunk){.column_count = result->column_count};
    if (result->chunk_handle != NULL) {
        api->duckdb_destroy_data_chunk(&result->chunk_handle);
    }
    while (!result->is_done) {
        result->chunk_handle = api->duckdb_fetch_chunk(result->handle);
        if (result->chunk_handle == NULL) {
            result->is_done = true;
            const char *message = api->duckdb_result_error(&result->handle);
            if (message != NULL) {
                return late_error(result, message, err);
            }
            break;
        }
        if (api->duckdb_data_chunk_get_size(result->chunk_handle) > 0) {
            read_chunk(result);
            *chunk = result->chunk;
            return ERROR_NONE;
        }
        api->duckdb_destroy_data_chunk(&result->chunk_handle); // a stream may give an empty one
    }
    result->chunk = *chunk;
    return ERROR_NONE;
}

// ── Row by row ──

bool lake_result_next(struct lake_result *result) {
    if (result->row < result->chunk.row_count) {
        result->row++;
    }
    if (result->row == result->chunk.row_count) {
        struct lake_chunk chunk;
        struct error ignored = {0}; // a result in memory cannot fail
        if (lake_result_chunk(result, &chunk, &ignored) != ERROR_NONE || chunk.row_count == 0) {
            return false;
        }
        result->row = 0;
    }
    return true;
}

const struct lake_vector *lake_result_cell(const struct lake_result *result, size_t column,
                                           size_t *row) {
    *row = result->row;
    return &result->chunk.columns[column];
}

bool lake_result_is_null(const struct lake_result *result, size_t column) {
    return lake_is_null(&result->chunk.columns[column], result->row);
}

int64_t lake_result_int64(const struct lake_result *result, size_t column) {
    const struct lake_vector *vector = &result->chunk.columns[column];
    int64_t value = 0;
    if (!lake_kind_is_integer(vector->type->kind) || lake_is_null(vector, result->row) ||
        !lake_cell_int64(vector, result->row, &value)) {
        return 0;
    }
    return value;
}

bool lake_result_bool(const struct lake_result *result, size_t column) {
    const struct lake_vector *vector = &result->chunk.columns[column];
    return vector->type->kind == LAKE_BOOLEAN && !lake_is_null(vector, result->row) &&
           lake_bool(vector, result->row);
}

str lake_result_text(struct lake_result *result, size_t column) {
    const struct lake_vector *vector = &result->chunk.columns[column];
    if (lake_is_null(vector, result->row)) {
        return (str){0};
    }
    if (vector->type->kind == LAKE_VARCHAR || vector->type->kind == LAKE_JSON) {
        return lake_string(vector, result->row);
    }
    return lake_cell_text(&result->arena, vector, result->row);
}
