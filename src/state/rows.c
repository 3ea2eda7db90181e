#include "state/rows.h"

#include "base/list.h"

static const str image_purpose = STR_INIT("row image");

static const str change_names[] = {
    [STATE_CHANGE_DELETE] = STR_INIT("delete"),
    [STATE_CHANGE_UPDATE_PREIMAGE] = STR_INIT("update_preimage"),
    [STATE_CHANGE_UPDATE_POSTIMAGE] = STR_INIT("update_postimage"),
    [STATE_CHANGE_INSERT] = STR_INIT("insert"),
};

str state_change_name(enum state_change change) {
    return change_names[change];
}

static enum error_code seal_image(struct state_held *held, struct arena *arena,
                                  const struct state_row *row, str *sealed, struct error *err) {
    *sealed = (str){0};
    return str_is_empty(row->image) ? ERROR_NONE
                                    : seal(held, arena, image_purpose, row->image, sealed, err);
}

// The two tables of rows have these columns alike.
#define INSERT_ROW(table, columns, values)                                                         \
    "INSERT INTO " table "(sink_id, row_id, change, snapshot, since, keys, attempts, first_us,"    \
    " last_us, message, image, may_have_arrived" columns ")"                                       \
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12" values ")"

static enum error_code insert_row(struct state_held *held, const char *sql, int64_t sink_id,
                                  const struct state_row *row, struct error *err) {
    SCRATCH(scratch);
    str image = {0};
    TRY(seal_image(held, &scratch, row, &image, err));
    return db_run(held->db, sql,
                  DB_VALUES(DB_INT(sink_id), DB_INT(row->rowid), DB_INT((int64_t)row->change),
                            DB_INT(row->snapshot), DB_INT(row->since), DB_TEXT(row->keys),
                            DB_INT(row->attempts), DB_INT(row->first_us), DB_INT(row->last_us),
                            DB_TEXT(row->message), DB_BLOB_OR_NULL(image),
                            DB_INT(row->may_have_arrived)),
                  err);
}

enum error_code failed_insert(struct state_held *held, int64_t sink_id, const struct state_row *row,
                              struct error *err) {
    return insert_row(held, INSERT_ROW("failed", ", batch_id", ", ''"), sink_id, row, err);
}

enum error_code failed_again(struct state_held *held, int64_t sink_id, const struct state_row *row,
                             struct error *err) {
    return db_run(held->db,
                  "UPDATE failed SET attempts = $1, last_us = $2, message = $3,"
                  " may_have_arrived = $4, batch_id = '' WHERE id = $5 AND sink_id = $6",
                  DB_VALUES(DB_INT(row->attempts), DB_INT(row->last_us), DB_TEXT(row->message),
                            DB_INT(row->may_have_arrived), DB_INT(row->id), DB_INT(sink_id)),
                  err);
}

enum error_code failed_delete(struct state_held *held, int64_t sink_id, int64_t id,
                              struct error *err) {
    return db_run(held->db, "DELETE FROM failed WHERE id = $1 AND sink_id = $2",
                  DB_VALUES(DB_INT(id), DB_INT(sink_id)), err);
}

enum error_code dead_insert(struct state_held *held, int64_t sink_id, const struct state_row *row,
                            struct error *err) {
    return insert_row(held, INSERT_ROW("dead", "", ""), sink_id, row, err);
}

static enum error_code row_read(struct state_held *held, struct db_cursor *cursor,
                                struct arena *arena, struct state_row *row, struct error *err) {
    *row = (struct state_row){
        .id = db_int(cursor, 0),
        .rowid = db_int(cursor, 1),
        .change = (enum state_change)db_int(cursor, 2),
        .snapshot = db_int(cursor, 3),
        .since = db_int(cursor, 4),
        .keys = db_text(cursor, arena, 5),
        .attempts = db_int(cursor, 6),
        .first_us = db_int(cursor, 7),
        .last_us = db_int(cursor, 8),
        .message = db_text(cursor, arena, 9),
        .batch_id = db_text(cursor, arena, 11),
        .may_have_arrived = db_int(cursor, 12) != 0,
    };
    const str image = db_text(cursor, arena, 10);
    return str_is_empty(image) ? ERROR_NONE
                               : unseal(held, arena, image_purpose, image, &row->image, err);
}

static enum error_code row_list(struct state *state, struct arena *arena, const char *sql,
                                int64_t sink_id, struct state_row_list *rows, struct error *err) {
    *rows = (struct state_row_list){0};
    STATE_HELD held = {0};
    TRY(state_hold(state, &held, err));
    if (held.db == NULL) {
        return ERROR_NONE;
    }
    DB_CURSOR cursor = {0};
    TRY(db_query(held.db, sql, DB_VALUES(DB_INT(sink_id)), &cursor, err));
    bool has_row = false;
    TRY(db_next(&cursor, &has_row, err));
    while (has_row) {
        struct state_row row;
        TRY(row_read(&held, &cursor, arena, &row, err));
        LIST_PUSH(arena, rows, row);
        TRY(db_next(&cursor, &has_row, err));
    }
    return ERROR_NONE;
}

enum error_code state_failed_list(struct state *state, struct arena *arena, int64_t sink_id,
                                  struct state_row_list *rows, struct error *err) {
    return row_list(
        state, arena,
        "SELECT id, row_id, change, snapshot, since, keys, attempts, first_us,"
        " last_us, message, image, batch_id, may_have_arrived FROM failed WHERE sink_id = $1"
        " ORDER BY snapshot, change, row_id, id",
        sink_id, rows, err);
}

enum error_code state_dead_list(struct state *state, struct arena *arena, int64_t sink_id,
                                struct state_row_list *rows, struct error *err) {
    return row_list(state, arena,
                    "SELECT id, row_id, change, snapshot, since, keys, attempts, first_us,"
                    " last_us, message, image, '', may_have_arrived FROM dead WHERE sink_id = $1"
                    " ORDER BY snapshot, change, row_id, id",
                    sink_id, rows, err);
}

enum error_code state_failed_keep_images(struct state *state, const struct state_row *rows,
                                         size_t count, struct error *err) {
    SCRATCH(scratch);
    STATE_HELD held = {0};
    TRY(state_hold_write(state, &held, err));
    for (size_t i = 0; i < count; i++) {
        str image = {0};
        TRY(seal_image(&held, &scratch, &rows[i], &image, err));
        TRY(db_run(held.db, "UPDATE failed SET image = $1 WHERE id = $2",
                   DB_VALUES(DB_BLOB_OR_NULL(image), DB_INT(rows[i].id)), err));
        arena_reset(&scratch);
    }
    return state_commit(&held, err);
}

enum error_code state_dead_requeue(struct state *state, int64_t sink_id, int64_t *count,
                                   struct error *err) {
    STATE_HELD held = {0};
    TRY(state_hold_write(state, &held, err));
    TRY(db_run(held.db,
               "INSERT INTO failed(sink_id, row_id, change, snapshot, since, keys, attempts,"
               " first_us, last_us, message, image, may_have_arrived, batch_id)"
               " SELECT sink_id, row_id, change, snapshot, since, keys, 0, first_us, last_us,"
               " message, image, may_have_arrived, '' FROM dead WHERE sink_id = $1 ORDER BY id",
               DB_VALUES(DB_INT(sink_id)), err));
    *count = db_changes(held.db);
    TRY(db_run(held.db, "DELETE FROM dead WHERE sink_id = $1", DB_VALUES(DB_INT(sink_id)), err));
    return state_commit(&held, err);
}

enum error_code state_dead_drop(struct state *state, int64_t sink_id, int64_t *count,
                                struct error *err) {
    STATE_HELD held = {0};
    TRY(state_hold_write(state, &held, err));
    TRY(db_run(held.db, "DELETE FROM dead WHERE sink_id = $1", DB_VALUES(DB_INT(sink_id)), err));
    *count = db_changes(held.db);
    return state_commit(&held, err);
}
