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

enum { PRUNE_EVERY = 50, VERSION_OF_TOTALS = 4 };

// *entries: how many the target ever had.
static enum error_code total_add(struct db *db, const struct state_run *run, int64_t *entries,
                                 struct error *err) {
    const bool is_blocked = str_equal(run->status, STR("blocked"));
    const bool is_failed = str_equal(run->status, STR("failed"));
    const bool is_timed = !is_blocked && !str_equal(run->status, STR("skip"));
    DB_CURSOR cursor = {0};
    TRY(db_query(db,
                 "INSERT INTO run_total(target, entries, runs, written, succeeded, timed, timed_us,"
                 " first_us, last_us) VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8)"
                 " ON CONFLICT(target) DO UPDATE SET entries = run_total.entries + 1,"
                 " runs = run_total.runs + excluded.runs,"
                 " written = run_total.written + excluded.written,"
                 " succeeded = run_total.succeeded + excluded.succeeded,"
                 " timed = run_total.timed + excluded.timed,"
                 " timed_us = run_total.timed_us + excluded.timed_us,"
                 " first_us = CASE WHEN run_total.first_us = 0 THEN excluded.first_us"
                 " ELSE run_total.first_us END,"
                 " last_us = CASE WHEN excluded.last_us = 0 THEN run_total.last_us"
                 " ELSE excluded.last_us END"
                 " RETURNING entries",
                 DB_VALUES(DB_TEXT(run->target), DB_INT(is_blocked ? 0 : 1), DB_INT(run->rows),
                           DB_INT(is_blocked || is_failed ? 0 : 1), DB_INT(is_timed ? 1 : 0),
                           DB_INT(is_timed ? run->ended_us - run->started_us : 0),
                           DB_INT(is_blocked ? 0 : run->started_us),
                           DB_INT(is_blocked ? 0 : run->started_us)),
                 &cursor, err));
    bool has_row = false;
    TRY(db_next(&cursor, &has_row, err));
    *entries = has_row ? db_int(&cursor, 0) : 0;
    return ERROR_NONE;
}

// A model that runs every five minutes makes a hundred thousand entries a year.  The newest success
// stays, whatever failed since: incr_last_run is read from it.
static enum error_code run_prune(struct db *db, str target, struct error *err) {
    return db_run(
        db,
        "DELETE FROM run WHERE lower(target) = lower($1) AND id <= coalesce((SELECT id FROM run"
        " WHERE lower(target) = lower($1) ORDER BY id DESC LIMIT 1 OFFSET $2), 0) AND id <> "
        "coalesce("
        "(SELECT max(id) FROM run WHERE lower(target) = lower($1) AND " SUCCESS "), 0)",
        DB_VALUES(DB_TEXT(target), DB_INT(STATE_RUNS_KEPT)), err);
}

enum error_code state_run_add(struct state *state, const struct state_run *runs, size_t count,
                              struct error *err) {
    STATE_HELD held = {0};
    TRY(state_hold_write(state, &held, err));
    for (size_t i = 0; i < count; i++) {
        int64_t entries = 0;
        TRY(run_insert(held.db, &runs[i], err));
        TRY(total_add(held.db, &runs[i], &entries, err));
        if (entries % PRUNE_EVERY == 0) {
            TRY(run_prune(held.db, runs[i].target, err));
        }
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
    const int64_t rows = limit > 0 ? limit : INT64_MAX;
    DB_CURSOR cursor = {0};
    TRY(target.size == 0
            ? db_query(held.db, "SELECT " RUN_COLUMNS " FROM run ORDER BY id DESC LIMIT $1",
                       DB_VALUES(DB_INT(rows)), &cursor, err)
            : db_query(held.db,
                       "SELECT " RUN_COLUMNS
                       " FROM run WHERE lower(target) = lower($1) ORDER BY id DESC LIMIT $2",
                       DB_VALUES(DB_TEXT(target), DB_INT(rows)), &cursor, err));
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
                 "SELECT started_us FROM run WHERE lower(target) = lower($1) AND " SUCCESS
                 " ORDER BY id DESC LIMIT 1",
                 DB_VALUES(DB_TEXT(target)), &cursor, err));
    TRY(db_next(&cursor, found, err));
    *started_us = *found ? db_int(&cursor, 0) : 0;
    return ERROR_NONE;
}

static struct state_run_total total_read(const struct db_cursor *cursor, struct arena *arena) {
    return (struct state_run_total){
        .target = db_text(cursor, arena, 0),
        .runs = db_int(cursor, 2),
        .rows = db_int(cursor, 3),
        .succeeded = db_int(cursor, 4),
        .timed = db_int(cursor, 5),
        .timed_us = db_int(cursor, 6),
        .first_us = db_int(cursor, 7),
        .last_us = db_int(cursor, 8),
    };
}

static int64_t earlier(int64_t a_us, int64_t b_us) { // 0: never
    return b_us == 0 || (a_us > 0 && a_us < b_us) ? a_us : b_us;
}

// One model is written in several ways when its file was renamed.
static void total_merge(struct state_run_total *total, const struct state_run_total *other) {
    total->runs += other->runs;
    total->rows += other->rows;
    total->succeeded += other->succeeded;
    total->timed += other->timed;
    total->timed_us += other->timed_us;
    total->first_us = earlier(total->first_us, other->first_us);
    if (other->last_us > total->last_us) {
        total->last_us = other->last_us;
        total->target = other->target;
    }
}

static void total_take(struct arena *arena, struct state_run_total_list *totals,
                       const struct state_run_total *total) {
    struct state_run_total *last = totals->count > 0 ? &totals->items[totals->count - 1] : NULL;
    if (last != NULL && str_equal_nocase(last->target, total->target)) {
        total_merge(last, total);
    } else {
        LIST_PUSH(arena, totals, *total);
    }
}

enum error_code state_run_totals(struct state *state, struct arena *arena, str target,
                                 struct state_run_total_list *totals, struct error *err) {
    *totals = (struct state_run_total_list){0};
    STATE_HELD held = {0};
    TRY(state_hold(state, &held, err));
    if (held.db == NULL) {
        return ERROR_NONE;
    }
    DB_CURSOR cursor = {0};
    TRY(state->own.version < VERSION_OF_TOTALS
            ? db_query(held.db, STATE_RUN_TOTALS " ORDER BY lower(target)", NULL, 0, &cursor, err)
            : db_query(
                  held.db,
                  "SELECT target, entries, runs, written, succeeded, timed, timed_us, first_us,"
                  " last_us FROM run_total ORDER BY lower(target)",
                  NULL, 0, &cursor, err));
    bool has_row = false;
    TRY(db_next(&cursor, &has_row, err));
    while (has_row) {
        const struct state_run_total total = total_read(&cursor, arena);
        if (target.size == 0 || str_equal_nocase(total.target, target)) {
            total_take(arena, totals, &total);
        }
        TRY(db_next(&cursor, &has_row, err));
    }
    return ERROR_NONE;
}

static enum error_code run_first(struct state *state, struct arena *arena, const char *sql,
                                 str target, struct state_run *run, struct error *err) {
    *run = (struct state_run){0};
    STATE_HELD held = {0};
    TRY(state_hold(state, &held, err));
    if (held.db == NULL) {
        return ERROR_NONE;
    }
    DB_CURSOR cursor = {0};
    bool has_row = false;
    TRY(db_query(held.db, sql, DB_VALUES(DB_TEXT(target)), &cursor, err));
    TRY(db_next(&cursor, &has_row, err));
    if (has_row) {
        *run = run_read(&cursor, arena);
    }
    return ERROR_NONE;
}

enum error_code state_run_last(struct state *state, struct arena *arena, str target,
                               struct state_run *run, struct error *err) {
    return run_first(state, arena,
                     "SELECT " RUN_COLUMNS
                     " FROM run WHERE lower(target) = lower($1) AND status <> 'blocked'"
                     " ORDER BY id DESC LIMIT 1",
                     target, run, err);
}

enum error_code state_run_last_commit(struct state *state, struct arena *arena, str target,
                                      struct state_run *run, struct error *err) {
    return run_first(state, arena,
                     "SELECT " RUN_COLUMNS
                     " FROM run WHERE lower(target) = lower($1) AND snapshot > 0"
                     " ORDER BY id DESC LIMIT 1",
                     target, run, err);
}
