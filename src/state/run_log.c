#include "base/list.h"
#include "state/store.h"

// What counts as a successful run, for last_run (libs.md §5.2).
#define SUCCESS "status IN ('ok', 'skip')"

#define RUN_COLUMNS                                                                                \
    "id, run_id, target, kind, run_type, reason, status, rule, message, metadata, written, "       \
    "snapshot, started_us, ended_us"

static enum error_code run_insert(struct db *db, const struct state_run *run, struct error *err) {
    return db_run(db,
                  "INSERT INTO run(run_id, target, kind, run_type, reason, status, rule, message,"
                  " metadata, written, snapshot, started_us, ended_us)"
                  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                  DB_VALUES(DB_TEXT(run->run_id), DB_TEXT(run->target), DB_TEXT(run->kind),
                            DB_TEXT(run->run_type), DB_TEXT(run->reason), DB_TEXT(run->status),
                            DB_TEXT(run->rule), DB_TEXT(run->message), DB_TEXT(run->metadata),
                            DB_INT(run->rows), DB_INT(run->snapshot), DB_INT(run->started_us),
                            DB_INT(run->ended_us)),
                  err);
}

enum error_code state_run_add(struct state *state, const struct state_run *runs, size_t count,
                              struct error *err) {
    STATE_HELD held = {0};
    TRY(state_hold_write(state, &held, err));
    for (size_t i = 0; i < count; i++) {
        TRY(run_insert(held.db, &runs[i], err));
    }
    return state_commit(&held, err);
}

static struct state_run run_read(const struct db_cursor *cursor, struct arena *arena) {
    return (struct state_run){
        .id = db_int(cursor, 0),
        .run_id = db_text(cursor, arena, 1),
        .target = db_text(cursor, arena, 2),
        .kind = db_text(cursor, arena, 3),
        .run_type = db_text(cursor, arena, 4),
        .reason = db_text(cursor, arena, 5),
        .status = db_text(cursor, arena, 6),
        .rule = db_text(cursor, arena, 7),
        .message = db_text(cursor, arena, 8),
        .metadata = db_text(cursor, arena, 9),
        .rows = db_int(cursor, 10),
        .snapshot = db_int(cursor, 11),
        .started_us = db_int(cursor, 12),
        .ended_us = db_int(cursor, 13),
    };
}

enum error_code state_run_history(struct state *state, struct arena *arena, str target,
                                  int64_t limit, struct state_run_list *runs, struct error *err) {
    *runs = (struct state_run_list){0};
    STATE_HELD held = {0};
    TRY(state_hold(state, &held, err));
    if (held.db == NULL) {
        return ERROR_NONE;
    }
    DB_CURSOR cursor = {0};
    TRY(db_query(held.db,
                 "SELECT " RUN_COLUMNS " FROM run WHERE $1 = '' OR target = $1"
                 " ORDER BY id DESC LIMIT $2",
                 DB_VALUES(DB_TEXT(target), DB_INT(limit > 0 ? limit : INT64_MAX)), &cursor, err));
    bool has_row = false;
    TRY(db_next(&cursor, &has_row, err));
    while (has_row) {
        LIST_PUSH(arena, runs, run_read(&cursor, arena));
        TRY(db_next(&cursor, &has_row, err));
    }
    return ERROR_NONE;
}

enum error_code state_run_last_success(struct state *state, str target, bool *found,
                                       int64_t *started_us, struct error *err) {
    *found = false;
    *started_us = 0;
    STATE_HELD held = {0};
    TRY(state_hold(state, &held, err));
    if (held.db == NULL) {
        return ERROR_NONE;
    }
    DB_CURSOR cursor = {0};
    TRY(db_query(held.db,
                 "SELECT started_us FROM run WHERE target = $1 AND " SUCCESS
                 " ORDER BY id DESC LIMIT 1",
                 DB_VALUES(DB_TEXT(target)), &cursor, err));
    TRY(db_next(&cursor, found, err));
    *started_us = *found ? db_int(&cursor, 0) : 0;
    return ERROR_NONE;
}

enum error_code state_run_last_successes(struct state *state, struct arena *arena,
                                         struct state_last_run **runs, size_t *count,
                                         struct error *err) {
    struct {
        struct state_last_run *items;
        size_t count;
        size_t capacity;
    } list = {0};
    *runs = NULL;
    *count = 0;
    STATE_HELD held = {0};
    TRY(state_hold(state, &held, err));
    if (held.db == NULL) {
        return ERROR_NONE;
    }
    DB_CURSOR cursor = {0};
    TRY(db_query(held.db,
                 "SELECT target, started_us FROM run WHERE id IN"
                 " (SELECT max(id) FROM run WHERE " SUCCESS " GROUP BY target) ORDER BY target",
                 NULL, 0, &cursor, err));
    bool has_row = false;
    TRY(db_next(&cursor, &has_row, err));
    while (has_row) {
        const struct state_last_run run = {.target = db_text(&cursor, arena, 0),
                                           .started_us = db_int(&cursor, 1)};
        LIST_PUSH(arena, &list, run);
        TRY(db_next(&cursor, &has_row, err));
    }
    *runs = list.items;
    *count = list.count;
    return ERROR_NONE;
}
