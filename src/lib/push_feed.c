#include "lib/push_feed.h"

#include "base/json.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/changes.h"

#include <stdlib.h>
#include <string.h>

#define TEMPORARY_ROWID "1000000000000000000" // PUSH_TEMPORARY_ROWID

enum { EVENTS_CAPACITY_MIN = 4096 };

static const char range_name[] = "__coypu_push_range";
static const char failed_name[] = "__coypu_push_failed";

// ── Pieces of SQL ──

static str table_at(struct arena *arena, const struct push_table *table, int64_t snapshot) {
    const str alias = lake_alias(lake_of(table->connection));
    return str_format(arena, STR_FORMAT "." STR_FORMAT "." STR_FORMAT " AT (VERSION => %lld)",
                      STR_ARGS(lake_quote_name(arena, alias)),
                      STR_ARGS(lake_quote_name(arena, table->schema)),
                      STR_ARGS(lake_quote_name(arena, table->name)), (long long)snapshot);
}

// The feed's own columns, named as no column of a table is: one called change_type would hide them.
#define SNAPSHOT "__ondatra_snapshot"
#define ROWID "__ondatra_rowid"
#define CHANGE_TYPE "__ondatra_change_type"

static str changes(struct arena *arena, const struct push_table *table, int64_t from, int64_t to) {
    const struct changes_query query = {
        .schema = table->schema, .table = table->name, .from = from, .to = to};
    return str_format(arena, STR_FORMAT " AS changed(" SNAPSHOT ", " ROWID ", " CHANGE_TYPE ")",
                      STR_ARGS(changes_from_text(arena, table->connection, &query)));
}

static void add_columns(struct text *sql, const struct push_table *table) {
    for (size_t i = 0; i < table->columns.count; i++) {
        text_add(sql, STR(", "));
        text_add(sql, lake_quote_name(sql->arena, table->columns.items[i]));
    }
}

// {"customer_id":7} as text; '{}' without keys.
static str keys_sql(struct arena *arena, const struct push_table *table) {
    if (table->keys.count == 0) {
        return STR("'{}'");
    }
    struct text sql;
    text_init(&sql, arena);
    text_add(&sql, STR("CAST(to_json({"));
    for (size_t i = 0; i < table->keys.count; i++) {
        const str key = table->keys.items[i];
        text_format(&sql, "%s" STR_FORMAT ": " STR_FORMAT, i > 0 ? ", " : "",
                    STR_ARGS(lake_quote_text(arena, key)), STR_ARGS(lake_quote_name(arena, key)));
    }
    text_add(&sql, STR("}) AS VARCHAR)"));
    return text_str(&sql);
}

// Delete, update, insert: change codes 0, 1 and 2, 3 in three classes, pre-image before post-image.
// The order is total: rows that share a temporary row id go by their values.
static void add_order(struct text *sql, const struct push_table *table) {
    text_format(sql,
                " ORDER BY %s(__ondatra_c + 1) // 2, __ondatra_r, __ondatra_c, CASE WHEN "
                "__ondatra_r >= " TEMPORARY_ROWID " THEN hash(__ondatra_k",
                table->grouped ? "max(__ondatra_s) OVER (PARTITION BY __ondatra_k), __ondatra_k, "
                               : "__ondatra_s, ");
    add_columns(sql, table);
    text_add(sql, STR(") END"));
}

#define CHANGE_CODE                                                                                \
    "CASE " CHANGE_TYPE " WHEN 'delete' THEN 0 WHEN 'update_preimage' THEN 1"                      \
    " WHEN 'update_postimage' THEN 2 ELSE 3 END"

// The table of libs.md §7.3, set-wise: of each row's changes only the first tells what was before
// and only the last what is now.
static void add_net(struct text *sql, const struct push_table *table, int64_t from, int64_t to) {
    struct arena *arena = sql->arena;
    text_add(sql, STR("WITH feed AS MATERIALIZED (SELECT " SNAPSHOT ", " ROWID ", " CHANGE_TYPE));
    add_columns(sql, table);
    text_format(sql,
                " FROM " STR_FORMAT "), net AS (SELECT " ROWID " AS __ondatra_r, min(" SNAPSHOT
                ") AS __ondatra_a,"
                " max(" SNAPSHOT ") AS __ondatra_z, bool_or(" CHANGE_TYPE
                " = 'insert') AS __ondatra_born,"
                " bool_or(" CHANGE_TYPE " = 'delete') AS __ondatra_gone FROM feed"
                " WHERE " ROWID " < " TEMPORARY_ROWID " GROUP BY " ROWID ")",
                STR_ARGS(changes(arena, table, from, to)));
    text_add(
        sql,
        STR(" SELECT __ondatra_z AS __ondatra_s, __ondatra_r, CASE WHEN " CHANGE_TYPE
            " IN ('insert', 'update_postimage') THEN CASE WHEN __ondatra_born THEN 3 ELSE 2 END"
            " WHEN __ondatra_gone THEN 0 ELSE 1 END AS __ondatra_c, "));
    text_add(sql, keys_sql(arena, table));
    text_add(sql, STR(" AS __ondatra_k"));
    add_columns(sql, table);
    text_add(sql, STR(" FROM feed JOIN net ON " ROWID " = __ondatra_r"
                      " WHERE (" CHANGE_TYPE " IN ('insert', 'update_postimage') AND " SNAPSHOT
                      " = __ondatra_z AND NOT __ondatra_gone) OR (" CHANGE_TYPE
                      " IN ('update_preimage', 'delete') AND " SNAPSHOT
                      " = __ondatra_a AND NOT __ondatra_born)"
                      " UNION ALL SELECT " SNAPSHOT ", " ROWID ", " CHANGE_CODE ", "));
    text_add(sql, keys_sql(arena, table));
    add_columns(sql, table);
    text_add(sql, STR(" FROM feed WHERE " ROWID " >= " TEMPORARY_ROWID));
}

// One snapshot is its own net change.
static void add_single(struct text *sql, const struct push_table *table, int64_t snapshot) {
    text_add(sql, STR("SELECT " SNAPSHOT " AS __ondatra_s, " ROWID " AS __ondatra_r, " CHANGE_CODE
                      " AS __ondatra_c, "));
    text_add(sql, keys_sql(sql->arena, table));
    text_add(sql, STR(" AS __ondatra_k"));
    add_columns(sql, table);
    text_format(sql, " FROM " STR_FORMAT, STR_ARGS(changes(sql->arena, table, snapshot, snapshot)));
}

static void add_full(struct text *sql, const struct push_table *table, int64_t to) {
    text_format(sql, "SELECT %lld::BIGINT AS __ondatra_s, rowid AS __ondatra_r, 3 AS __ondatra_c, ",
                (long long)to);
    text_add(sql, keys_sql(sql->arena, table));
    text_add(sql, STR(" AS __ondatra_k"));
    add_columns(sql, table);
    text_format(sql, " FROM " STR_FORMAT, STR_ARGS(table_at(sql->arena, table, to)));
}

// ── Staging ──

MUST_USE static enum error_code stage(struct push_stream *stream, const struct push_table *table,
                                      const char *name, str select, struct lake_values values,
                                      struct error *err) {
    SCRATCH(scratch);
    struct text sql;
    text_init(&sql, &scratch);
    text_format(&sql,
                "CREATE OR REPLACE TEMP TABLE %s AS SELECT row_number() OVER () - 1 AS "
                "__ondatra_i, __ondatra_s, __ondatra_r,"
                " __ondatra_c::UTINYINT AS __ondatra_c, __ondatra_f, __ondatra_k",
                name);
    add_columns(&sql, table);
    text_format(&sql, " FROM (SELECT * FROM (" STR_FORMAT ")", STR_ARGS(select));
    if (table->append) {
        text_add(&sql, STR(" WHERE __ondatra_c = 3"));
    }
    add_order(&sql, table);
    text_add_char(&sql, ')');
    TRY(lake_execute(table->connection, text_str(&sql), values, NULL, err));
    *stream = (struct push_stream){.table = table, .name = name};
    const str count = str_format(&scratch, "SELECT count(*) FROM temp.main.%s", name);
    TRY(lake_query_int64(table->connection, count, LAKE_NO_VALUES, &stream->total, NULL, err));
    stream->until = stream->total;
    return ERROR_NONE;
}

enum error_code feed_stage_range(struct push_stream *stream, const struct push_table *table,
                                 int64_t from, int64_t to, struct error *err) {
    SCRATCH(scratch);
    struct text select;
    text_init(&select, &scratch);
    text_add(
        &select,
        STR("SELECT __ondatra_s, __ondatra_r, __ondatra_c, 0::BIGINT AS __ondatra_f, __ondatra_k"));
    add_columns(&select, table);
    text_add(&select, STR(" FROM ("));
    if (from == STATE_NO_SNAPSHOT) {
        add_full(&select, table, to);
    } else if (to == from + 1) {
        add_single(&select, table, to);
    } else {
        add_net(&select, table, from + 1, to);
    }
    text_add_char(&select, ')');
    return stage(stream, table, range_name, text_str(&select), LAKE_NO_VALUES, err);
}

// ── Failed rows ──

// The failed rows as columns, for one set-wise statement.
struct failed_columns {
    int64_t *ids;
    int64_t *rowids;
    int64_t *changes;
    int64_t *snapshots;
    int64_t *since;
    str *keys;
    str *images;
    size_t count;
};

static bool wants_latest(const struct state_row *row) {
    return row->change == STATE_CHANGE_INSERT || row->change == STATE_CHANGE_UPDATE_POSTIMAGE;
}

static struct failed_columns failed_columns(struct arena *arena, const struct state_row *rows,
                                            size_t count) {
    struct failed_columns columns = {.ids = ARENA_ARRAY(arena, int64_t, count),
                                     .rowids = ARENA_ARRAY(arena, int64_t, count),
                                     .changes = ARENA_ARRAY(arena, int64_t, count),
                                     .snapshots = ARENA_ARRAY(arena, int64_t, count),
                                     .since = ARENA_ARRAY(arena, int64_t, count),
                                     .keys = ARENA_ARRAY(arena, str, count),
                                     .images = ARENA_ARRAY(arena, str, count),
                                     .count = count};
    for (size_t i = 0; i < count; i++) {
        columns.ids[i] = rows[i].id;
        columns.rowids[i] = rows[i].rowid;
        columns.changes[i] = (int64_t)rows[i].change;
        columns.snapshots[i] = rows[i].snapshot;
        columns.since[i] = rows[i].since;
        columns.keys[i] = rows[i].keys;
        columns.images[i] = rows[i].image;
    }
    return columns;
}

// Post-images and inserts: latest values win.
static void add_latest(struct text *sql, const struct push_table *table, int64_t until) {
    text_add(
        sql,
        STR("SELECT f.__ondatra_s, f.__ondatra_r, f.__ondatra_c, f.__ondatra_f, f.__ondatra_k"));
    add_columns(sql, table);
    text_format(sql,
                " FROM " STR_FORMAT " JOIN f ON rowid = f.__ondatra_r WHERE f.__ondatra_c IN (2, 3)"
                " AND f.__ondatra_r < " TEMPORARY_ROWID,
                STR_ARGS(table_at(sql->arena, table, until)));
}

// Pre-images and deletes, from the feed of the range they came from.
static void add_history(struct text *sql, const struct push_table *table, int64_t since,
                        int64_t oldest, int64_t last) {
    const int64_t from = since + 1 > oldest ? since + 1 : oldest;
    text_add(sql, STR(" UNION ALL SELECT f.__ondatra_s, f.__ondatra_r, f.__ondatra_c, "
                      "f.__ondatra_f, f.__ondatra_k"));
    add_columns(sql, table);
    text_add(sql, STR(" FROM ("));
    add_net(sql, table, from, last);
    text_format(sql,
                ") n JOIN f ON n.__ondatra_r = f.__ondatra_r AND n.__ondatra_c = f.__ondatra_c "
                "WHERE f.__ondatra_c IN (0, 1) AND"
                " f.__ondatra_since = %lld AND f.__ondatra_s >= %lld AND f.__ondatra_img = ''",
                (long long)since, (long long)from);
}

static bool is_nested(str type) {
    return str_ends_with(type, STR("]")) || str_starts_with(type, STR("STRUCT")) ||
           str_starts_with(type, STR("MAP")) || str_starts_with(type, STR("UNION"));
}

// Pre-images and deletes whose history was about to expire, and rows that only their image tells
// from another.  A value of an image is its text; that of a nested type is JSON.
static void add_images(struct text *sql, const struct push_table *table) {
    struct arena *arena = sql->arena;
    text_add(sql, STR(" UNION ALL SELECT f.__ondatra_s, f.__ondatra_r, f.__ondatra_c, "
                      "f.__ondatra_f, f.__ondatra_k"));
    for (size_t i = 0; i < table->columns.count; i++) {
        const str type = table->types.items[i];
        const str path = str_format(
            arena, "/" STR_FORMAT,
            STR_ARGS(str_replace_all(
                arena, str_replace_all(arena, table->columns.items[i], STR("~"), STR("~0")),
                STR("/"), STR("~1"))));
        text_format(sql, ", (f.__ondatra_img::JSON ->> " STR_FORMAT ")%s::" STR_FORMAT,
                    STR_ARGS(lake_quote_text(arena, path)), is_nested(type) ? "::JSON" : "",
                    STR_ARGS(type));
    }
    text_add(sql, STR(" FROM f WHERE f.__ondatra_img <> '' AND (f.__ondatra_c IN (0, 1) OR "
                      "f.__ondatra_r >= " TEMPORARY_ROWID ")"));
}

static int compare_since(const void *a, const void *b) {
    const struct state_row *left = *(const struct state_row *const *)a;
    const struct state_row *right = *(const struct state_row *const *)b;
    return (left->since > right->since) - (left->since < right->since);
}

// One feed a range that the rows came from.
static void add_histories(struct text *sql, const struct push_table *table,
                          const struct state_row *rows, size_t count, int64_t oldest) {
    const struct state_row **sorted = ARENA_ARRAY(sql->arena, const struct state_row *, count);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (!wants_latest(&rows[i]) && str_is_empty(rows[i].image)) {
            sorted[used++] = &rows[i];
        }
    }
    qsort(sorted, used, sizeof(sorted[0]), compare_since);
    for (size_t i = 0; i < used;) {
        const int64_t since = sorted[i]->since;
        int64_t last = sorted[i]->snapshot;
        for (; i < used && sorted[i]->since == since; i++) {
            last = sorted[i]->snapshot > last ? sorted[i]->snapshot : last;
        }
        if (last >= oldest) {
            add_history(sql, table, since, oldest, last);
        }
    }
}

enum error_code feed_stage_failed(struct push_stream *stream, const struct push_table *table,
                                  const struct state_row *rows, size_t count, int64_t until,
                                  int64_t oldest, struct error *err) {
    SCRATCH(scratch);
    struct text sql;
    text_init(&sql, &scratch);
    text_add(
        &sql,
        STR("WITH f AS (SELECT unnest($1::BIGINT[]) AS __ondatra_f, unnest($2::BIGINT[]) AS "
            "__ondatra_r, unnest($3::BIGINT[]) AS __ondatra_c, unnest($4::BIGINT[]) AS __ondatra_s,"
            " unnest($5::BIGINT[]) AS __ondatra_since, unnest($6::VARCHAR[]) AS __ondatra_k,"
            " unnest($7::VARCHAR[]) AS __ondatra_img) "));
    add_latest(&sql, table, until);
    add_histories(&sql, table, rows, count, oldest);
    add_images(&sql, table);
    const struct failed_columns columns = failed_columns(&scratch, rows, count);
    return stage(
        stream, table, failed_name, text_str(&sql),
        LAKE_VALUES(lake_value_int64s(columns.ids, count), lake_value_int64s(columns.rowids, count),
                    lake_value_int64s(columns.changes, count),
                    lake_value_int64s(columns.snapshots, count),
                    lake_value_int64s(columns.since, count), lake_value_texts(columns.keys, count),
                    lake_value_texts(columns.images, count)),
        err);
}

// ── Reading ──

void feed_seek(struct push_stream *stream, int64_t index, int64_t until) {
    feed_take(stream, stream->count - stream->first);
    stream->next = index;
    stream->until = until < stream->total ? until : stream->total;
}

void feed_take(struct push_stream *stream, size_t count) {
    for (size_t i = 0; i < count; i++) {
        push_page_drop(stream->events[stream->first + i].page);
    }
    stream->first += count;
}

// The staged table goes when the name is used again or the connection ends; dropped here, since its
// rows may be many.
void feed_stream_done(struct push_stream *stream) {
    if (stream->table == NULL) {
        return;
    }
    feed_take(stream, stream->count - stream->first);
    free(stream->events);
    SCRATCH(scratch);
    struct error ignored;
    const str drop = str_format(&scratch, "DROP TABLE IF EXISTS temp.main.%s", stream->name);
    if (lake_execute(stream->table->connection, drop, LAKE_NO_VALUES, NULL, &ignored) !=
        ERROR_NONE) {
        ignored.code = ERROR_NONE; // it goes with the connection
    }
    *stream = (struct push_stream){0};
}

static void events_reserve(struct push_stream *stream, size_t more) {
    if (stream->first > 0) {
        stream->count -= stream->first;
        memmove(stream->events, stream->events + stream->first,
                stream->count * sizeof(stream->events[0]));
        stream->first = 0;
    }
    if (stream->count + more <= stream->capacity) {
        return;
    }
    size_t capacity = stream->capacity > 0 ? stream->capacity : EVENTS_CAPACITY_MIN;
    while (capacity < stream->count + more) {
        capacity *= 2;
    }
    stream->events = memory_realloc(stream->events, capacity * sizeof(stream->events[0]));
    stream->capacity = capacity;
}

static int compare_int64(const void *a, const void *b) {
    const int64_t left = *(const int64_t *)a;
    const int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static bool is_joined(const struct push_stream *stream, int64_t rowid) {
    return stream->joined_count > 0 && bsearch(&rowid, stream->joined, stream->joined_count,
                                               sizeof(int64_t), compare_int64) != NULL;
}

static struct push_event event_read(struct push_page *page, size_t row) {
    const struct lake_vector *columns = page->chunk.columns;
    const str keys = lake_string(&columns[PUSH_COLUMN_KEYS], row);
    return (struct push_event){
        .index = lake_bigint(&columns[PUSH_COLUMN_INDEX], row),
        .snapshot = lake_bigint(&columns[PUSH_COLUMN_SNAPSHOT], row),
        .rowid = lake_bigint(&columns[PUSH_COLUMN_ROWID], row),
        .change = (enum state_change)((const uint8_t *)columns[PUSH_COLUMN_CHANGE].data)[row],
        .failed_id = lake_bigint(&columns[PUSH_COLUMN_FAILED], row),
        .keys = keys,
        .tag = push_keys_tag(keys),
        .page = page,
        .row = row,
    };
}

static void page_events(struct push_stream *stream, struct push_page *page) {
    events_reserve(stream, page->chunk.row_count);
    for (size_t row = 0; row < page->chunk.row_count; row++) {
        const struct push_event event = event_read(page, row);
        if (!is_joined(stream, event.rowid)) {
            stream->events[stream->count++] = event;
            page->uses++;
        }
    }
}

// A page is the first chunk of its own result, however many rows DuckDB put into it: the chunk then
// lives as long as the result, and the next page begins behind it.
enum error_code feed_read(struct push_stream *stream, bool *more, struct error *err) {
    *more = false;
    if (feed_at_end(stream)) {
        return ERROR_NONE;
    }
    int64_t end = stream->next + LAKE_CHUNK_ROWS_MAX;
    end = end < stream->until ? end : stream->until;
    SCRATCH(scratch);
    const str sql = str_format(&scratch,
                               "SELECT * FROM temp.main.%s WHERE __ondatra_i >= %lld AND "
                               "__ondatra_i < %lld ORDER BY __ondatra_i",
                               stream->name, (long long)stream->next, (long long)end);
    struct push_page *page = memory_alloc(sizeof(*page));
    *page = (struct push_page){.uses = 1};
    enum error_code code =
        lake_query(stream->table->connection, sql, LAKE_NO_VALUES, &page->result, err);
    if (code == ERROR_NONE) {
        code = lake_result_chunk(page->result, &page->chunk, err);
    }
    if (code == ERROR_NONE && page->chunk.row_count == 0) {
        code = error_set(err, ERROR_INTERNAL, "the staged changes end at %lld of %lld",
                         (long long)stream->next, (long long)stream->until);
    }
    if (code == ERROR_NONE) {
        page_events(stream, page);
        stream->next += (int64_t)page->chunk.row_count;
        *more = true;
    }
    push_page_drop(page);
    return code;
}

// ── Facts ──

enum error_code feed_describe(struct push_table *table, struct arena *arena, int64_t snapshot,
                              struct error *err) {
    SCRATCH(scratch);
    const str sql = str_format(&scratch, "SELECT * FROM " STR_FORMAT,
                               STR_ARGS(table_at(&scratch, table, snapshot)));
    struct lake_column *columns = NULL;
    size_t count = 0;
    TRY(lake_describe(table->connection, arena, sql, &columns, &count, err));
    table->columns = (struct str_list){0};
    table->types = (struct str_list){0};
    for (size_t i = 0; i < count; i++) {
        if (!str_is_empty(table->hidden) && str_equal_nocase(columns[i].name, table->hidden)) {
            continue;
        }
        str_list_push(arena, &table->columns, columns[i].name);
        str_list_push(arena, &table->types, columns[i].type);
    }
    return ERROR_NONE;
}

enum error_code feed_oldest_snapshot(struct lake_connection *connection, int64_t *oldest,
                                     struct error *err) {
    SCRATCH(scratch);
    const str sql =
        str_format(&scratch,
                   "SELECT max(snapshot_id) FROM (SELECT snapshot_id, lag(snapshot_id) OVER (ORDER "
                   "BY snapshot_id) AS before FROM " STR_FORMAT
                   ".snapshots()) WHERE before IS DISTINCT FROM snapshot_id - 1",
                   STR_ARGS(lake_quote_name(&scratch, lake_alias(lake_of(connection)))));
    return lake_query_int64(connection, sql, LAKE_NO_VALUES, oldest, NULL, err);
}

enum error_code feed_touching(const struct push_stream *stream, struct arena *arena,
                              const struct state_row *rows, size_t count, struct feed_change **out,
                              size_t *out_count, struct error *err) {
    SCRATCH(scratch);
    const struct failed_columns columns = failed_columns(&scratch, rows, count);
    const str sql =
        str_format(&scratch,
                   "SELECT __ondatra_r, __ondatra_s, __ondatra_c, __ondatra_k FROM temp.main.%s "
                   "WHERE __ondatra_r < " TEMPORARY_ROWID
                   " AND (__ondatra_r IN (SELECT unnest($1::BIGINT[])) OR (%s AND __ondatra_k IN"
                   " (SELECT unnest($2::VARCHAR[])))) ORDER BY __ondatra_r, __ondatra_c",
                   stream->name, stream->table->grouped ? "true" : "false");
    LAKE_RESULT result = NULL;
    TRY(lake_query(stream->table->connection, sql,
                   LAKE_VALUES(lake_value_int64s(columns.rowids, count),
                               lake_value_texts(columns.keys, count)),
                   &result, err));
    struct {
        struct feed_change *items;
        size_t count;
        size_t capacity;
    } list = {0};
    while (lake_result_next(result)) {
        const struct feed_change change = {
            .rowid = lake_result_int64(result, 0),
            .snapshot = lake_result_int64(result, 1),
            .change = (enum state_change)lake_result_int64(result, 2),
            .keys = str_copy(arena, lake_result_text(result, 3)),
        };
        LIST_PUSH(arena, &list, change);
    }
    *out = list.items;
    *out_count = list.count;
    return ERROR_NONE;
}

str feed_image(struct arena *arena, const struct push_table *table,
               const struct push_event *event) {
    struct text out;
    struct json json;
    text_init(&out, arena);
    json_init(&json, &out);
    json_object(&json);
    for (size_t i = 0; i < table->columns.count; i++) {
        const struct lake_vector *vector = &event->page->chunk.columns[PUSH_COLUMN_FIRST + i];
        json_key(&json, table->columns.items[i]);
        if (lake_is_null(vector, event->row)) {
            json_null(&json);
        } else {
            json_string(&json, lake_cell_text(arena, vector, event->row));
        }
    }
    json_end(&json);
    return text_str(&out);
}
