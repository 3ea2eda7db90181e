#ifndef LAKE_DUCKDB_API_H
#define LAKE_DUCKDB_API_H

// Inside lake/ only: the DuckDB functions we call, and the structs behind the public headers.
//
// DuckDB is loaded with dlopen (design D4), so every call goes through the typed table of a lake:
// `api->duckdb_query(…)`.

#include "base/arena.h"
#include "base/library.h"
#include "lake/attach.h"
#include "lake/lake.h"
#include "lake/result.h"
#include "lake/source.h"

#include <duckdb.h>

#include <pthread.h>
#include <stdatomic.h>

#define DUCKDB_API(X)                                                                              \
    X(duckdb_library_version)                                                                      \
    X(duckdb_create_config)                                                                        \
    X(duckdb_set_config)                                                                           \
    X(duckdb_destroy_config)                                                                       \
    X(duckdb_open_ext)                                                                             \
    X(duckdb_close)                                                                                \
    X(duckdb_connect)                                                                              \
    X(duckdb_disconnect)                                                                           \
    X(duckdb_interrupt)                                                                            \
    X(duckdb_free)                                                                                 \
    X(duckdb_query)                                                                                \
    X(duckdb_destroy_result)                                                                       \
    X(duckdb_result_error)                                                                         \
    X(duckdb_column_count)                                                                         \
    X(duckdb_column_name)                                                                          \
    X(duckdb_column_logical_type)                                                                  \
    X(duckdb_rows_changed)                                                                         \
    X(duckdb_result_statement_type)                                                                \
    X(duckdb_fetch_chunk)                                                                          \
    X(duckdb_extract_statements)                                                                   \
    X(duckdb_extract_statements_error)                                                             \
    X(duckdb_prepare_extracted_statement)                                                          \
    X(duckdb_destroy_extracted)                                                                    \
    X(duckdb_prepare_error)                                                                        \
    X(duckdb_destroy_prepare)                                                                      \
    X(duckdb_prepared_statement_type)                                                              \
    X(duckdb_prepared_statement_column_count)                                                      \
    X(duckdb_prepared_statement_column_name)                                                       \
    X(duckdb_prepared_statement_column_logical_type)                                               \
    X(duckdb_nparams)                                                                              \
    X(duckdb_bind_value)                                                                           \
    X(duckdb_pending_prepared)                                                                     \
    X(duckdb_pending_prepared_streaming)                                                           \
    X(duckdb_pending_error)                                                                        \
    X(duckdb_pending_execute_task)                                                                 \
    X(duckdb_pending_execution_is_finished)                                                        \
    X(duckdb_execute_pending)                                                                      \
    X(duckdb_destroy_pending)                                                                      \
    X(duckdb_create_null_value)                                                                    \
    X(duckdb_create_bool)                                                                          \
    X(duckdb_create_int64)                                                                         \
    X(duckdb_create_double)                                                                        \
    X(duckdb_create_varchar_length)                                                                \
    X(duckdb_create_blob)                                                                          \
    X(duckdb_create_timestamp)                                                                     \
    X(duckdb_create_list_value)                                                                    \
    X(duckdb_create_bignum)                                                                        \
    X(duckdb_get_varchar)                                                                          \
    X(duckdb_get_list_size)                                                                        \
    X(duckdb_get_list_child)                                                                       \
    X(duckdb_is_null_value)                                                                        \
    X(duckdb_destroy_value)                                                                        \
    X(duckdb_create_logical_type)                                                                  \
    X(duckdb_create_decimal_type)                                                                  \
    X(duckdb_create_list_type)                                                                     \
    X(duckdb_destroy_logical_type)                                                                 \
    X(duckdb_get_type_id)                                                                          \
    X(duckdb_logical_type_get_alias)                                                               \
    X(duckdb_logical_type_set_alias)                                                               \
    X(duckdb_decimal_width)                                                                        \
    X(duckdb_decimal_scale)                                                                        \
    X(duckdb_decimal_internal_type)                                                                \
    X(duckdb_enum_internal_type)                                                                   \
    X(duckdb_enum_dictionary_size)                                                                 \
    X(duckdb_enum_dictionary_value)                                                                \
    X(duckdb_list_type_child_type)                                                                 \
    X(duckdb_array_type_child_type)                                                                \
    X(duckdb_array_type_array_size)                                                                \
    X(duckdb_map_type_key_type)                                                                    \
    X(duckdb_map_type_value_type)                                                                  \
    X(duckdb_struct_type_child_count)                                                              \
    X(duckdb_struct_type_child_name)                                                               \
    X(duckdb_struct_type_child_type)                                                               \
    X(duckdb_union_type_member_count)                                                              \
    X(duckdb_union_type_member_name)                                                               \
    X(duckdb_union_type_member_type)                                                               \
    X(duckdb_data_chunk_get_size)                                                                  \
    X(duckdb_data_chunk_set_size)                                                                  \
    X(duckdb_data_chunk_get_column_count)                                                          \
    X(duckdb_data_chunk_get_vector)                                                                \
    X(duckdb_destroy_data_chunk)                                                                   \
    X(duckdb_vector_get_data)                                                                      \
    X(duckdb_vector_get_validity)                                                                  \
    X(duckdb_vector_ensure_validity_writable)                                                      \
    X(duckdb_unsafe_vector_assign_string_element_len)                                              \
    X(duckdb_list_vector_get_child)                                                                \
    X(duckdb_array_vector_get_child)                                                               \
    X(duckdb_struct_vector_get_child)                                                              \
    X(duckdb_create_table_function)                                                                \
    X(duckdb_destroy_table_function)                                                               \
    X(duckdb_table_function_set_name)                                                              \
    X(duckdb_table_function_add_parameter)                                                         \
    X(duckdb_table_function_set_extra_info)                                                        \
    X(duckdb_table_function_set_bind)                                                              \
    X(duckdb_table_function_set_init)                                                              \
    X(duckdb_table_function_set_function)                                                          \
    X(duckdb_table_function_supports_projection_pushdown)                                          \
    X(duckdb_register_table_function)                                                              \
    X(duckdb_bind_get_extra_info)                                                                  \
    X(duckdb_bind_add_result_column)                                                               \
    X(duckdb_bind_get_parameter)                                                                   \
    X(duckdb_bind_set_bind_data)                                                                   \
    X(duckdb_bind_set_cardinality)                                                                 \
    X(duckdb_bind_set_error)                                                                       \
    X(duckdb_init_get_bind_data)                                                                   \
    X(duckdb_init_set_init_data)                                                                   \
    X(duckdb_init_get_column_count)                                                                \
    X(duckdb_init_get_column_index)                                                                \
    X(duckdb_table_function_get_client_context)                                                    \
    X(duckdb_connection_get_client_context)                                                        \
    X(duckdb_client_context_get_connection_id)                                                     \
    X(duckdb_destroy_client_context)                                                               \
    X(duckdb_init_set_max_threads)                                                                 \
    X(duckdb_init_set_error)                                                                       \
    X(duckdb_function_get_init_data)                                                               \
    X(duckdb_function_set_error)

struct duckdb_api {
    DUCKDB_API(LIBRARY_FIELD)
};

enum { LAKE_EXTENSION_COUNT = 4 };

// An error of a source's callback travels through DuckDB as a ticket for one of these.
enum { SOURCE_ERRORS_MAX = 16 };
#define SOURCE_ERROR_TICKET "coypu-source-error:"

struct lake {
    const struct context *context;
    struct arena arena; // as long as the lake; written before threads start or under `lock`
    struct duckdb_api api;
    duckdb_database database;
    str extension_directory;
    str cache_directory;
    bool signed_extensions;

    struct { // written by lake_attach, before other connections are used
        bool is_attached;
        bool is_read_only;
        bool is_missing;    // nobody made it yet: an empty one stands for it
        bool keeps_no_rows; // small writes do not go into the catalog
        enum lake_catalog catalog;
        str metadata_schema; // where the ATTACH says that DuckLake's tables are; empty: default
        str metadata_catalog;
        str alias;
        str path;
        str metadata_prefix;
    } attached;
    struct lake_source source; // written once by lake_source_register
    bool has_source;

    pthread_t watcher; // interrupts connections when the context's interrupt is raised
    bool has_watcher;
    int stop_fd; // ends the watcher

    struct { // any thread, under `lock`
        struct lake_connection *connections;
        bool extension_loaded[LAKE_EXTENSION_COUNT];
        struct error source_errors[SOURCE_ERRORS_MAX]; // a ring
        uint64_t source_error_count;
    } shared;
    pthread_mutex_t lock;
};

struct lake_connection {
    struct lake *lake;
    struct lake_connection *next; // under the lake's lock
    duckdb_connection handle;
    atomic_bool is_interruptible; // a statement of the user's runs
    atomic_bool was_interrupted;  // by lake_interrupt, since it began
    // Of the thread that uses the connection:
    bool is_shielded; // nothing of it is interruptible
    bool in_transaction;
    bool has_failed; // in this transaction; `failure` says how
    struct error failure;
    int64_t last_snapshot;  // that this connection committed, as DuckLake last said
    bool has_written_alone; // outside of a transaction since: last_snapshot may be old
    bool inlines_nothing;   // small writes go into files
    int64_t inlining_limit; // rows of one write that went into the catalog before
};

// ── duckdb_error.c ──
// Fills err from DuckDB's message, with the position in `sql` when it has one, and returns the
// code. In a transaction the first error is remembered.
enum error_code lake_error(struct lake_connection *connection, str sql, const char *message,
                           struct error *err);
// As lake_error for errors that are ours but also end the transaction.
enum error_code lake_fail(struct lake_connection *connection, const struct error *err);
// As lake_error, of no connection.
enum error_code duckdb_error_read(str sql, const char *message, struct error *err);

// ── source.c ──
// The error that a ticket in `message` stands for.
bool lake_source_error(struct lake *lake, str message, struct error *err);

// ── statement.c ──
// One statement without parameters, also when the user has interrupted: for ROLLBACK and the like.
// `interruptible` false: runs to its end.
MUST_USE enum error_code lake_run(struct lake_connection *connection, str sql, bool interruptible,
                                  struct lake_result **result, struct error *err);

// ── type.c ──
// Reads a logical type into the arena; `handle` stays the caller's.
void lake_type_read(const struct duckdb_api *api, struct arena *arena, duckdb_logical_type handle,
                    struct lake_type *type);

// ── result.c ──
// Takes the handle.
struct lake_result *lake_result_new(struct lake_connection *connection, duckdb_result *handle,
                                    str sql);
// Its SQL is a whole statement without parameters, so that it can be asked again.
void lake_result_is_whole(struct lake_result *result, bool is_whole);

#endif
