// Snapshots and tables, read from DuckLake's own tables in its metadata database.

#include "lake/snapshot.h"

#include "base/list.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/change_log.h"
#include "lake/result.h"
#include "lake/transaction.h"

// The statement with every {m} replaced by the quoted prefix of the metadata tables and {lake} by
// the quoted alias.
static str with_names(struct arena *arena, const struct lake_connection *connection,
                      const char *sql) {
    const struct lake *lake = lake_of(connection);
    const str metadata =
        str_replace_all(arena, str_from(sql), STR("{m}"), lake_metadata_prefix(lake));
    return str_replace_all(arena, metadata, STR("{lake}"),
                           lake_quote_name(arena, lake_alias(lake)));
}

enum error_code lake_current_snapshot(struct lake_connection *connection, int64_t *id,
                                      struct error *err) {
    SCRATCH(scratch);
    return lake_query_int64(connection,
                            with_names(&scratch, connection, "FROM {lake}.current_snapshot()"),
                            LAKE_NO_VALUES, id, NULL, err);
}

enum error_code lake_last_committed_snapshot(struct lake_connection *connection, int64_t *id,
                                             struct error *err) {
    SCRATCH(scratch);
    return lake_query_int64(
        connection, with_names(&scratch, connection, "FROM {lake}.last_committed_snapshot()"),
        LAKE_NO_VALUES, id, NULL, err);
}

enum error_code lake_schema_version(struct lake_connection *connection, int64_t snapshot,
                                    int64_t *version, struct error *err) {
    SCRATCH(scratch);
    return lake_query_int64(
        connection,
        with_names(&scratch, connection,
                   "SELECT schema_version FROM {m}.ducklake_snapshot WHERE snapshot_id = ?"),
        LAKE_VALUES(lake_value_int64(snapshot)), version, NULL, err);
}

enum error_code lake_snapshot_exists(struct lake_connection *connection, int64_t id, bool *exists,
                                     struct error *err) {
    SCRATCH(scratch);
    int64_t value = 0;
    return lake_query_int64(
        connection,
        with_names(&scratch, connection,
                   "SELECT snapshot_id FROM {m}.ducklake_snapshot WHERE snapshot_id = ?"),
        LAKE_VALUES(lake_value_int64(id)), &value, exists, err);
}

// ── Snapshots with what was written about them ──

// Others may have written anything into extra_info: what is no JSON has no model.
#define MODEL_OF_SNAPSHOT "TRY(json_extract_string(c.commit_extra_info, '$.model'))"

#define SNAPSHOT_ROWS                                                                              \
    "SELECT c.snapshot_id, epoch_us(s.snapshot_time::TIMESTAMPTZ) AS time_us, "                    \
    "c.author, c.commit_message, c.commit_extra_info "                                             \
    "FROM {m}.ducklake_snapshot_changes c JOIN {m}.ducklake_snapshot s USING (snapshot_id) "       \
    "WHERE c.commit_extra_info IS NOT NULL "

static enum error_code read_snapshots(struct lake_connection *connection, struct arena *arena,
                                      str sql, struct lake_values values,
                                      struct lake_snapshot **snapshots, size_t *count,
                                      struct error *err) {
    struct {
        struct lake_snapshot *items;
        size_t count;
        size_t capacity;
    } list = {0};
    LAKE_RESULT result = NULL;
    TRY(lake_query(connection, sql, values, &result, err));
    while (lake_result_next(result)) {
        const struct lake_snapshot snapshot = {
            .id = lake_result_int64(result, 0),
            .time_us = lake_result_int64(result, 1),
            .author = str_copy(arena, lake_result_text(result, 2)),
            .message = str_copy(arena, lake_result_text(result, 3)),
            .extra_info = str_copy(arena, lake_result_text(result, 4)),
        };
        LIST_PUSH(arena, &list, snapshot);
    }
    *snapshots = list.items;
    *count = list.count;
    return ERROR_NONE;
}

// Every run asks for these, and a lake may have a hundred thousand snapshots: so each text is
// parsed once, and only the newest of a model is kept.
enum error_code lake_model_commits(struct lake_connection *connection, struct arena *arena,
                                   const struct str_list *models,
                                   struct lake_model_commit **commits, size_t *count,
                                   struct error *err) {
    SCRATCH(scratch);
    struct {
        struct lake_model_commit *items;
        size_t count;
        size_t capacity;
    } list = {0};
    const str sql = with_names(
        &scratch, connection,
        "SELECT snapshot_id, next_catalog_id, info FROM (SELECT max(snapshot_id) AS snapshot_id, "
        "arg_max(commit_extra_info, snapshot_id) AS info FROM (SELECT "
        "snapshot_id, commit_extra_info, lower(" MODEL_OF_SNAPSHOT ") AS model "
        "FROM {m}.ducklake_snapshot_changes c) WHERE model IS NOT NULL AND (?1 OR model IN "
        "(SELECT lower(unnest(?2)))) GROUP BY model) JOIN {m}.ducklake_snapshot "
        "USING (snapshot_id) ORDER BY 1");
    LAKE_RESULT result = NULL;
    TRY(lake_query(connection, sql,
                   LAKE_VALUES(lake_value_bool(models == NULL),
                               lake_value_texts(models == NULL ? NULL : models->items,
                                                models == NULL ? 0 : models->count)),
                   &result, err));
    while (lake_result_next(result)) {
        const struct lake_model_commit commit = {
            .snapshot = lake_result_int64(result, 0),
            .next_table_id = lake_result_int64(result, 1),
            .extra_info = str_copy(arena, lake_result_text(result, 2)),
        };
        LIST_PUSH(arena, &list, commit);
    }
    *commits = list.items;
    *count = list.count;
    return ERROR_NONE;
}

enum error_code lake_snapshot_find(struct lake_connection *connection, struct arena *arena,
                                   int64_t id, struct lake_snapshot *snapshot, bool *found,
                                   struct error *err) {
    SCRATCH(scratch);
    const str sql = with_names(&scratch, connection, SNAPSHOT_ROWS "AND c.snapshot_id = ?");
    struct lake_snapshot *snapshots = NULL;
    size_t count = 0;
    TRY(read_snapshots(connection, arena, sql, LAKE_VALUES(lake_value_int64(id)), &snapshots,
                       &count, err));
    *found = count > 0;
    if (*found) {
        *snapshot = snapshots[0];
    }
    return ERROR_NONE;
}

enum error_code lake_snapshot_list(struct lake_connection *connection, struct arena *arena,
                                   str model, int64_t since_us, int64_t limit,
                                   struct lake_snapshot **snapshots, size_t *count,
                                   struct error *err) {
    SCRATCH(scratch);
    const int64_t rows = limit > 0 ? limit : INT64_MAX;
    const str sql = with_names(&scratch, connection,
                               model.size == 0 ? SNAPSHOT_ROWS
                                   "AND time_us >= ?1 ORDER BY c.snapshot_id DESC LIMIT ?2"
                                               : SNAPSHOT_ROWS
                                   "AND time_us >= ?1 AND lower(" MODEL_OF_SNAPSHOT ") = lower(?3) "
                                   "ORDER BY c.snapshot_id DESC LIMIT ?2");
    const struct lake_value values[] = {lake_value_int64(since_us), lake_value_int64(rows),
                                        lake_value_text(model)};
    return read_snapshots(connection, arena, sql,
                          (struct lake_values){values, model.size == 0 ? 2 : 3}, snapshots, count,
                          err);
}

// ── Tables ──

// 60 bits of the UUID, from its end: its beginning is the time of a version 7.
#define IDENTITY "('0x' || right(replace(t.table_uuid::VARCHAR, '-', ''), 15))::BIGINT"

// A comment or another name begins a new row of the same table.
#define TABLE_ROWS                                                                                 \
    "SELECT t.table_id, (SELECT min(b.begin_snapshot) FROM {m}.ducklake_table b WHERE "            \
    "b.table_id = t.table_id), s.schema_name, t.table_name, false AS is_view, " IDENTITY " "       \
    "FROM {m}.ducklake_table t JOIN {m}.ducklake_schema s USING (schema_id) "                      \
    "WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL "                                     \
    "UNION ALL "                                                                                   \
    "SELECT v.view_id, v.begin_snapshot, s.schema_name, v.view_name, true, 0 "                     \
    "FROM {m}.ducklake_view v JOIN {m}.ducklake_schema s USING (schema_id) "                       \
    "WHERE v.end_snapshot IS NULL AND s.end_snapshot IS NULL"

static struct lake_table read_table(struct arena *arena, struct lake_result *result) {
    return (struct lake_table){
        .id = lake_result_int64(result, 0),
        .begin_snapshot = lake_result_int64(result, 1),
        .schema = str_copy(arena, lake_result_text(result, 2)),
        .name = str_copy(arena, lake_result_text(result, 3)),
        .is_view = lake_result_bool(result, 4),
        .identity = lake_result_int64(result, 5),
    };
}

// What this transaction has created is not in the metadata yet.  duckdb_tables() would look up the
// size of every table of the lake.
static enum error_code find_uncommitted(struct lake_connection *connection, struct arena *arena,
                                        str schema, str name, struct lake_table *table, bool *found,
                                        struct error *err) {
    LAKE_RESULT result = NULL;
    TRY(lake_query(connection,
                   STR("SELECT 0, 0, schema_name, table_name, false, 0 FROM duckdb_columns() WHERE "
                       "database_name = ? AND lower(schema_name) = lower(?) AND lower(table_name) "
                       "= lower(?) LIMIT 1"),
                   LAKE_VALUES(lake_value_text(lake_alias(lake_of(connection))),
                               lake_value_text(schema), lake_value_text(name)),
                   &result, err));
    *found = lake_result_next(result);
    if (*found) {
        *table = read_table(arena, result);
    }
    return ERROR_NONE;
}

static enum error_code find_committed(struct lake_connection *connection, struct arena *arena,
                                      str schema, str name, struct lake_table *table, bool *found,
                                      struct error *err) {
    SCRATCH(scratch);
    LAKE_RESULT result = NULL;
    const str sql = with_names(&scratch, connection,
                               "SELECT * FROM (" TABLE_ROWS ") WHERE lower(schema_name) = lower(?) "
                               "AND lower(table_name) = lower(?)");
    TRY(lake_query(connection, sql, LAKE_VALUES(lake_value_text(schema), lake_value_text(name)),
                   &result, err));
    *found = lake_result_next(result);
    if (*found) {
        *table = read_table(arena, result);
    }
    return ERROR_NONE;
}

static enum error_code find_table(struct lake_connection *connection, struct arena *arena,
                                  str schema, str name, bool uncommitted, struct lake_table *table,
                                  bool *found, struct error *err) {
    *table = (struct lake_table){0};
    TRY(find_committed(connection, arena, schema, name, table, found, err));
    if (!*found && uncommitted) {
        TRY(find_uncommitted(connection, arena, schema, name, table, found, err));
    }
    if (!*found) {
        return ERROR_NONE;
    }
    SCRATCH(scratch);
    const str sql = str_format(&scratch, "FROM " STR_FORMAT "." STR_FORMAT "." STR_FORMAT,
                               STR_ARGS(lake_quote_name(&scratch, lake_alias(lake_of(connection)))),
                               STR_ARGS(lake_quote_name(&scratch, table->schema)),
                               STR_ARGS(lake_quote_name(&scratch, table->name)));
    return lake_describe(connection, arena, sql, &table->columns, &table->column_count, err);
}

// In one transaction, since outside of one every statement fetches the lake's snapshot anew.
enum error_code lake_table_find(struct lake_connection *connection, struct arena *arena, str schema,
                                str name, struct lake_table *table, bool *found,
                                struct error *err) {
    if (lake_in_transaction(connection)) {
        return find_table(connection, arena, schema, name, true, table, found, err);
    }
    TRY(lake_begin(connection, err));
    const enum error_code code =
        find_table(connection, arena, schema, name, false, table, found, err);
    lake_rollback(connection);
    return code;
}

enum error_code lake_table_identity(struct lake_connection *connection, str schema, str name,
                                    int64_t *identity, struct error *err) {
    SCRATCH(scratch);
    *identity = 0;
    const str sql = with_names(&scratch, connection,
                               "SELECT " IDENTITY " FROM {m}.ducklake_table t "
                               "JOIN {m}.ducklake_schema s USING (schema_id) "
                               "WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL AND "
                               "lower(schema_name) = lower(?) AND lower(table_name) = lower(?)");
    return lake_query_int64(connection, sql,
                            LAKE_VALUES(lake_value_text(schema), lake_value_text(name)), identity,
                            NULL, err);
}

enum error_code lake_table_list(struct lake_connection *connection, struct arena *arena,
                                struct lake_table **tables, size_t *count, struct error *err) {
    SCRATCH(scratch);
    struct {
        struct lake_table *items;
        size_t count;
        size_t capacity;
    } list = {0};
    LAKE_RESULT result = NULL;
    const str sql = with_names(&scratch, connection,
                               "SELECT * FROM (" TABLE_ROWS ") ORDER BY schema_name, table_name");
    TRY(lake_query(connection, sql, LAKE_NO_VALUES, &result, err));
    while (lake_result_next(result)) {
        LIST_PUSH(arena, &list, read_table(arena, result));
    }
    *tables = list.items;
    *count = list.count;
    return ERROR_NONE;
}

// The newest snapshot that changed rows of the table; 0: none.
static int64_t newest_of_rows(const struct lake_change_log *log, int64_t table_id) {
    const struct lake_change_log changes = lake_change_log_of(log, table_id);
    for (size_t i = changes.count; i > 0; i--) {
        const struct lake_change *change = &changes.items[i - 1];
        if (change->kind == LAKE_CHANGE_INSERT || change->kind == LAKE_CHANGE_DELETE) {
            return change->snapshot;
        }
    }
    return 0;
}

static int64_t newer(int64_t a, int64_t b) {
    return a > b ? a : b;
}

// Of ALTER TABLE only what changes columns or the name counts; comments and sorting are
// "altered_table", too, and begin a new row of ducklake_table where the last one ended.  A name
// that a table gave away and got back begins anew.
enum error_code lake_table_versions(struct lake_connection *connection, struct arena *arena,
                                    struct lake_table_version **versions, size_t *count,
                                    struct error *err) {
    SCRATCH(scratch);
    struct {
        struct lake_table_version *items;
        size_t count;
        size_t capacity;
    } list = {0};
    struct lake_change_log log;
    TRY(lake_change_log_read(connection, &scratch, -1, INT64_MAX, &log, err));
    const str sql = with_names(
        &scratch, connection,
        "WITH altered AS (SELECT table_id, max(greatest(begin_snapshot, coalesce(end_snapshot, "
        "0))) AS snapshot_id FROM {m}.ducklake_column GROUP BY 1), "
        "named AS (SELECT table_id, schema_id, table_name, "
        "max(begin_snapshot) FILTER (WHERE begins) AS snapshot_id FROM (SELECT *, "
        "lag(end_snapshot) OVER (PARTITION BY table_id, schema_id, table_name ORDER BY "
        "begin_snapshot) IS DISTINCT FROM begin_snapshot AS begins FROM {m}.ducklake_table) "
        "GROUP BY ALL) "
        "SELECT s.schema_name, t.table_name, t.table_id, "
        "greatest(n.snapshot_id, coalesce(a.snapshot_id, 0)), coalesce(r.record_count, 0) "
        "FROM {m}.ducklake_table t JOIN {m}.ducklake_schema s USING (schema_id) "
        "JOIN named n USING (table_id, schema_id, table_name) LEFT JOIN altered a USING (table_id) "
        "LEFT JOIN {m}.ducklake_table_stats r USING (table_id) "
        "WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL ORDER BY 1, 2");
    LAKE_RESULT result = NULL;
    TRY(lake_query(connection, sql, LAKE_NO_VALUES, &result, err));
    while (lake_result_next(result)) {
        const int64_t table_id = lake_result_int64(result, 2);
        const struct lake_table_version version = {
            .schema = str_copy(arena, lake_result_text(result, 0)),
            .name = str_copy(arena, lake_result_text(result, 1)),
            .table_id = table_id,
            .snapshot = newer(lake_result_int64(result, 3), newest_of_rows(&log, table_id)),
            .rows = lake_result_int64(result, 4),
        };
        LIST_PUSH(arena, &list, version);
    }
    *versions = list.items;
    *count = list.count;
    return ERROR_NONE;
}
