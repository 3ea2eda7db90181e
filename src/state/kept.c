#include "base/list.h"
#include "state/store.h"

enum { VERSION_OF_KEPT = 3 }; // the schema that has the table

static enum error_code kept_insert(struct db *db, const struct state_kept_commit *commit,
                                   struct error *err) {
    TRY(db_run(db, "DELETE FROM kept_commit WHERE lower(target) = lower($1)",
               DB_VALUES(DB_TEXT(commit->target)), err));
    return db_run(db,
                  "INSERT INTO kept_commit(target, table_id, snapshot, read_snapshot, extra_info)"
                  " VALUES ($1, $2, $3, $4, $5)",
                  DB_VALUES(DB_TEXT(commit->target), DB_INT(commit->table_id),
                            DB_INT(commit->snapshot), DB_INT(commit->read_snapshot),
                            DB_TEXT(commit->extra_info)),
                  err);
}

enum error_code state_kept_write(struct state *state, const struct state_kept_commit *commits,
                                 size_t count, struct error *err) {
    STATE_HELD held = {0};
    TRY(state_hold_write(state, &held, err));
    for (size_t i = 0; i < count; i++) {
        TRY(kept_insert(held.db, &commits[i], err));
    }
    return state_commit(&held, err);
}

enum error_code state_kept_read(struct state *state, struct arena *arena,
                                struct state_kept_list *commits, struct error *err) {
    *commits = (struct state_kept_list){0};
    STATE_HELD held = {0};
    TRY(state_hold(state, &held, err));
    if (held.db == NULL || state->own.version < VERSION_OF_KEPT) {
        return ERROR_NONE;
    }
    DB_CURSOR cursor = {0};
    TRY(db_query(held.db,
                 "SELECT target, table_id, snapshot, read_snapshot, extra_info FROM kept_commit"
                 " ORDER BY target",
                 NULL, 0, &cursor, err));
    bool has_row = false;
    TRY(db_next(&cursor, &has_row, err));
    while (has_row) {
        const struct state_kept_commit commit = {
            .target = db_text(&cursor, arena, 0),
            .table_id = db_int(&cursor, 1),
            .snapshot = db_int(&cursor, 2),
            .read_snapshot = db_int(&cursor, 3),
            .extra_info = db_text(&cursor, arena, 4),
        };
        LIST_PUSH(arena, commits, commit);
        TRY(db_next(&cursor, &has_row, err));
    }
    return ERROR_NONE;
}
