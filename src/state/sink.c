#include "base/list.h"
#include "state/delivery.h"
#include "state/owner.h"
#include "state/rows.h"
#include "state/store.h"

#define SINK_COLUMNS                                                                               \
    "id, target, sink, args, table_id, watermark, range_open, range_from, range_to, position, "    \
    "owner_host, owner_pid, owner_start, lease_until_us, epoch,"                                   \
    " (SELECT count(*) FROM batch WHERE sink_id = sink.id),"                                       \
    " (SELECT count(*) FROM failed WHERE sink_id = sink.id),"                                      \
    " (SELECT count(*) FROM dead WHERE sink_id = sink.id)"

static struct state_sink sink_read(const struct db_cursor *cursor, struct arena *arena) {
    return (struct state_sink){
        .id = db_int(cursor, 0),
        .key = {.target = db_text(cursor, arena, 1),
                .sink = db_text(cursor, arena, 2),
                .args = db_text(cursor, arena, 3)},
        .table_id = db_int(cursor, 4),
        .watermark = db_int(cursor, 5),
        .range_open = db_int(cursor, 6) != 0,
        .range_from = db_int(cursor, 7),
        .range_to = db_int(cursor, 8),
        .position = db_int(cursor, 9),
        .owner = {.host = db_text(cursor, arena, 10),
                  .pid = db_int(cursor, 11),
                  .start_time = db_int(cursor, 12)},
        .lease_until_us = db_int(cursor, 13),
        .epoch = db_int(cursor, 14),
        .in_flight = db_int(cursor, 15),
        .failed = db_int(cursor, 16),
        .dead = db_int(cursor, 17),
    };
}

enum error_code state_sink_list(struct state *state, struct arena *arena, str target,
                                struct state_sink_list *sinks, struct error *err) {
    *sinks = (struct state_sink_list){0};
    STATE_HELD held = {0};
    TRY(state_hold(state, &held, err));
    if (held.db == NULL) {
        return ERROR_NONE;
    }
    DB_CURSOR cursor = {0};
    TRY(db_query(held.db,
                 "SELECT " SINK_COLUMNS " FROM sink WHERE $1 = '' OR lower(target) = lower($1)"
                 " ORDER BY target, sink, args",
                 DB_VALUES(DB_TEXT(target)), &cursor, err));
    bool has_row = false;
    TRY(db_next(&cursor, &has_row, err));
    while (has_row) {
        LIST_PUSH(arena, sinks, sink_read(&cursor, arena));
        TRY(db_next(&cursor, &has_row, err));
    }
    return ERROR_NONE;
}

static enum error_code find(struct db *db, struct arena *arena, const struct state_sink_key *key,
                            bool *found, struct state_sink *sink, struct error *err) {
    DB_CURSOR cursor = {0};
    TRY(db_query(db,
                 "SELECT " SINK_COLUMNS " FROM sink WHERE lower(target) = lower($1) AND sink = $2"
                 " AND args = $3 ORDER BY target = $1 DESC, id LIMIT 1",
                 DB_VALUES(DB_TEXT(key->target), DB_TEXT(key->sink), DB_TEXT(key->args)), &cursor,
                 err));
    TRY(db_next(&cursor, found, err));
    if (*found) {
        *sink = sink_read(&cursor, arena);
    }
    return ERROR_NONE;
}

enum error_code state_sink_find(struct state *state, struct arena *arena,
                                const struct state_sink_key *key, bool *found,
                                struct state_sink *sink, struct error *err) {
    *found = false;
    STATE_HELD held = {0};
    TRY(state_hold(state, &held, err));
    return held.db == NULL ? ERROR_NONE : find(held.db, arena, key, found, sink, err);
}

static enum error_code insert(struct db *db, const struct state_sink_key *key, struct error *err) {
    return db_run(db,
                  "INSERT INTO sink(target, sink, args, table_id, watermark, range_open,"
                  " range_from, range_to, position, owner_host, owner_pid, owner_start,"
                  " lease_until_us, epoch)"
                  " VALUES ($1, $2, $3, -1, -1, 0, -1, -1, 0, '', 0, 0, 0, 0)",
                  DB_VALUES(DB_TEXT(key->target), DB_TEXT(key->sink), DB_TEXT(key->args)), err);
}

// The case of a model file's name may have changed: the target as it is written now.
static enum error_code rename_target(struct db *db, struct arena *arena, str target,
                                     struct state_sink *sink, struct error *err) {
    if (str_equal(sink->key.target, target)) {
        return ERROR_NONE;
    }
    sink->key.target = str_copy(arena, target);
    return db_run(db, "UPDATE sink SET target = $1 WHERE id = $2",
                  DB_VALUES(DB_TEXT(target), DB_INT(sink->id)), err);
}

static int64_t lease_end(const struct state *state) {
    return clock_wall_us(&state->context->clock) + (int64_t)STATE_LEASE_MS * 1000;
}

// A lease of our own process is ours to take again: an earlier delivery in it ended badly.
static bool is_free(const struct state *state, const struct state_sink *sink,
                    const struct state_owner *owner) {
    return owner_is_same(&sink->owner, owner) || owner_is_gone(&sink->owner, owner->host) ||
           sink->lease_until_us <= clock_wall_us(&state->context->clock);
}

static enum error_code find_or_insert(struct db *db, struct arena *arena,
                                      const struct state_sink_key *key, struct state_sink *sink,
                                      struct error *err) {
    bool found = false;
    TRY(find(db, arena, key, &found, sink, err));
    if (found) {
        return rename_target(db, arena, key->target, sink, err);
    }
    TRY(insert(db, key, err));
    return find(db, arena, key, &found, sink, err);
}

enum error_code state_sink_take(struct state *state, struct arena *arena,
                                const struct state_sink_key *key, const struct state_owner *owner,
                                bool *taken, struct state_sink *sink, struct error *err) {
    *taken = false;
    STATE_HELD held = {0};
    TRY(state_hold_write(state, &held, err));
    TRY(find_or_insert(held.db, arena, key, sink, err));
    if (!is_free(state, sink, owner)) {
        return ERROR_NONE;
    }
    sink->owner = *owner;
    sink->owner.host = str_copy(arena, owner->host);
    sink->lease_until_us = lease_end(state);
    sink->epoch++;
    TRY(db_run(held.db,
               "UPDATE sink SET owner_host = $1, owner_pid = $2, owner_start = $3,"
               " lease_until_us = $4, epoch = $5 WHERE id = $6",
               DB_VALUES(DB_TEXT(owner->host), DB_INT(owner->pid), DB_INT(owner->start_time),
                         DB_INT(sink->lease_until_us), DB_INT(sink->epoch), DB_INT(sink->id)),
               err));
    TRY(state_commit(&held, err));
    *taken = true;
    return ERROR_NONE;
}

// After an UPDATE with "AND epoch = …": no row means that the epoch moved on.
static enum error_code check_epoch(struct db *db, const struct state_sink *sink,
                                   struct error *err) {
    if (db_changes(db) == 1) {
        return ERROR_NONE;
    }
    return error_set(err, ERROR_CONFLICT,
                     "delivery of " STR_FORMAT " to " STR_FORMAT " was taken over by another "
                     "process",
                     STR_ARGS(sink->key.target), STR_ARGS(sink->key.sink));
}

enum error_code state_sink_renew(struct state *state, const struct state_sink *sink,
                                 struct error *err) {
    STATE_HELD held = {0};
    TRY(state_hold_write(state, &held, err));
    TRY(db_run(held.db, "UPDATE sink SET lease_until_us = $1 WHERE id = $2 AND epoch = $3",
               DB_VALUES(DB_INT(lease_end(state)), DB_INT(sink->id), DB_INT(sink->epoch)), err));
    TRY(check_epoch(held.db, sink, err));
    return state_commit(&held, err);
}

enum error_code state_sink_release(struct state *state, const struct state_sink *sink,
                                   struct error *err) {
    STATE_HELD held = {0};
    TRY(state_hold_write(state, &held, err));
    TRY(db_run(held.db,
               "UPDATE sink SET owner_host = '', owner_pid = 0, owner_start = 0,"
               " lease_until_us = 0 WHERE id = $1 AND epoch = $2",
               DB_VALUES(DB_INT(sink->id), DB_INT(sink->epoch)), err));
    TRY(check_epoch(held.db, sink, err));
    return state_commit(&held, err);
}

static enum error_code start(struct db *db, struct state_sink *sink, int64_t watermark,
                             int64_t table_id, struct error *err) {
    TRY(db_run(
        db,
        "UPDATE sink SET watermark = $1, table_id = $2, range_open = 0, range_from = -1,"
        " range_to = -1, position = 0 WHERE id = $3 AND epoch = $4",
        DB_VALUES(DB_INT(watermark), DB_INT(table_id), DB_INT(sink->id), DB_INT(sink->epoch)),
        err));
    return check_epoch(db, sink, err);
}

static void sink_started(struct state_sink *sink, int64_t watermark, int64_t table_id) {
    sink->watermark = watermark;
    sink->table_id = table_id;
    sink->range_open = false;
    sink->range_from = STATE_NO_SNAPSHOT;
    sink->range_to = STATE_NO_SNAPSHOT;
    sink->position = 0;
}

enum error_code state_sink_start(struct state *state, struct state_sink *sink, int64_t watermark,
                                 int64_t table_id, struct error *err) {
    STATE_HELD held = {0};
    TRY(state_hold_write(state, &held, err));
    TRY(start(held.db, sink, watermark, table_id, err));
    TRY(state_commit(&held, err));
    sink_started(sink, watermark, table_id);
    return ERROR_NONE;
}

static enum error_code read_count(struct db *db, const char *sql, int64_t sink_id, int64_t *count,
                                  struct error *err) {
    DB_CURSOR cursor = {0};
    TRY(db_query(db, sql, DB_VALUES(DB_INT(sink_id)), &cursor, err));
    bool has_row = false;
    TRY(db_next(&cursor, &has_row, err));
    *count = db_int(&cursor, 0);
    return ERROR_NONE;
}

// Rows of a retry batch are failed rows too and are counted as these.
static enum error_code pending_rows(struct db *db, int64_t sink_id, int64_t *pending,
                                    struct error *err) {
    return read_count(db,
                      "SELECT (SELECT count(*) FROM failed WHERE sink_id = $1) +"
                      " (SELECT coalesce(sum(row_count), 0) FROM batch WHERE sink_id = $1"
                      " AND retry = 0)",
                      sink_id, pending, err);
}

static enum error_code forget(struct db *db, int64_t sink_id, struct error *err) {
    const struct db_value id = DB_INT(sink_id);
    TRY(db_run(db, "DELETE FROM batch WHERE sink_id = $1", &id, 1, err));
    TRY(db_run(db, "DELETE FROM failed WHERE sink_id = $1", &id, 1, err));
    return db_run(db, "DELETE FROM joined WHERE sink_id = $1", &id, 1, err);
}

enum error_code state_sink_reset(struct state *state, struct state_sink *sink, int64_t watermark,
                                 int64_t table_id, int64_t *dropped, struct error *err) {
    STATE_HELD held = {0};
    TRY(state_hold_write(state, &held, err));
    TRY(pending_rows(held.db, sink->id, dropped, err));
    TRY(forget(held.db, sink->id, err));
    TRY(start(held.db, sink, watermark, table_id, err));
    TRY(state_commit(&held, err));
    sink_started(sink, watermark, table_id);
    return ERROR_NONE;
}

static enum error_code forget_range(struct db *db, int64_t sink_id, struct error *err) {
    const struct db_value id = DB_INT(sink_id);
    TRY(db_run(db, "DELETE FROM batch WHERE sink_id = $1", &id, 1, err));
    TRY(db_run(db, "UPDATE failed SET batch_id = '' WHERE sink_id = $1", &id, 1, err));
    return db_run(db, "DELETE FROM joined WHERE sink_id = $1", &id, 1, err);
}

enum error_code state_sink_restart(struct state *state, struct state_sink *sink, int64_t *dropped,
                                   struct error *err) {
    STATE_HELD held = {0};
    TRY(state_hold_write(state, &held, err));
    TRY(read_count(held.db,
                   "SELECT coalesce(sum(row_count), 0) FROM batch WHERE sink_id = $1"
                   " AND retry = 0",
                   sink->id, dropped, err));
    TRY(forget_range(held.db, sink->id, err));
    TRY(start(held.db, sink, STATE_NO_SNAPSHOT, sink->table_id, err));
    TRY(state_commit(&held, err));
    sink_started(sink, STATE_NO_SNAPSHOT, sink->table_id);
    return ERROR_NONE;
}

enum error_code state_sink_delete(struct state *state, int64_t sink_id, struct error *err) {
    STATE_HELD held = {0};
    TRY(state_hold_write(state, &held, err));
    TRY(db_run(held.db, "DELETE FROM sink WHERE id = $1", DB_VALUES(DB_INT(sink_id)), err));
    return state_commit(&held, err);
}

static enum error_code joined_insert(struct db *db, int64_t sink_id,
                                     const struct state_range_open *range, struct error *err) {
    for (size_t i = 0; i < range->joined_count; i++) {
        TRY(db_run(db, "INSERT INTO joined(sink_id, row_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                   DB_VALUES(DB_INT(sink_id), DB_INT(range->joined[i])), err));
    }
    return ERROR_NONE;
}

// A new row of a join continues an old one, so it keeps its history; images are of values that
// are no longer the last ones, except where the caller kept them.
static enum error_code rejoin(struct state_held *held, int64_t sink_id, const struct state_row *row,
                              struct error *err) {
    if (row->id == 0) {
        return failed_insert(held, sink_id, row, err);
    }
    return db_run(held->db,
                  "UPDATE failed SET change = $1, snapshot = $2, since = $3"
                  " WHERE id = $4 AND sink_id = $5",
                  DB_VALUES(DB_INT((int64_t)row->change), DB_INT(row->snapshot), DB_INT(row->since),
                            DB_INT(row->id), DB_INT(sink_id)),
                  err);
}

static enum error_code range_rows(struct state_held *held, int64_t sink_id,
                                  const struct state_range_open *range, struct error *err) {
    for (size_t i = 0; i < range->changed_count; i++) {
        TRY(rejoin(held, sink_id, &range->changed[i], err));
    }
    for (size_t i = 0; i < range->removed_count; i++) {
        TRY(db_run(held->db, "DELETE FROM failed WHERE id = $1 AND sink_id = $2",
                   DB_VALUES(DB_INT(range->removed[i]), DB_INT(sink_id)), err));
    }
    return joined_insert(held->db, sink_id, range, err);
}

enum error_code state_range_open(struct state *state, struct state_sink *sink,
                                 const struct state_range_open *range, struct error *err) {
    STATE_HELD held = {0};
    TRY(state_hold_write(state, &held, err));
    TRY(db_run(held.db,
               "UPDATE sink SET range_open = 1, range_from = $1, range_to = $2, position = 0,"
               " table_id = $3 WHERE id = $4 AND epoch = $5",
               DB_VALUES(DB_INT(range->from), DB_INT(range->to), DB_INT(range->table_id),
                         DB_INT(sink->id), DB_INT(sink->epoch)),
               err));
    TRY(check_epoch(held.db, sink, err));
    TRY(range_rows(&held, sink->id, range, err));
    TRY(state_commit(&held, err));
    sink->range_open = true;
    sink->range_from = range->from;
    sink->range_to = range->to;
    sink->position = 0;
    sink->table_id = range->table_id;
    return ERROR_NONE;
}

enum error_code state_joined_list(struct state *state, struct arena *arena, int64_t sink_id,
                                  int64_t **rowids, size_t *count, struct error *err) {
    struct {
        int64_t *items;
        size_t count;
        size_t capacity;
    } list = {0};
    *rowids = NULL;
    *count = 0;
    STATE_HELD held = {0};
    TRY(state_hold(state, &held, err));
    if (held.db == NULL) {
        return ERROR_NONE;
    }
    DB_CURSOR cursor = {0};
    TRY(db_query(held.db, "SELECT row_id FROM joined WHERE sink_id = $1 ORDER BY row_id",
                 DB_VALUES(DB_INT(sink_id)), &cursor, err));
    bool has_row = false;
    TRY(db_next(&cursor, &has_row, err));
    while (has_row) {
        LIST_PUSH(arena, &list, db_int(&cursor, 0));
        TRY(db_next(&cursor, &has_row, err));
    }
    *rowids = list.items;
    *count = list.count;
    return ERROR_NONE;
}

enum error_code state_range_close(struct state *state, struct state_sink *sink, struct error *err) {
    STATE_HELD held = {0};
    TRY(state_hold_write(state, &held, err));
    TRY(db_run(held.db,
               "UPDATE sink SET watermark = range_to, range_open = 0, range_from = -1,"
               " range_to = -1, position = 0 WHERE id = $1 AND epoch = $2 AND range_open = 1"
               " AND NOT EXISTS (SELECT 1 FROM batch WHERE sink_id = $1 AND retry = 0)",
               DB_VALUES(DB_INT(sink->id), DB_INT(sink->epoch)), err));
    TRY(check_epoch(held.db, sink, err));
    TRY(db_run(held.db, "DELETE FROM joined WHERE sink_id = $1", DB_VALUES(DB_INT(sink->id)), err));
    TRY(state_commit(&held, err));
    sink_started(sink, sink->range_to, sink->table_id);
    return ERROR_NONE;
}
