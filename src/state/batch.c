#include "base/list.h"
#include "state/delivery.h"
#include "state/rows.h"
#include "state/store.h"

static const str job_purpose = STR_INIT("job");

static enum error_code batch_read(struct state_held *held, struct db_cursor *cursor,
                                  struct arena *arena, struct state_batch *batch,
                                  struct error *err) {
    *batch = (struct state_batch){
        .batch_id = db_text(cursor, arena, 0),
        .retry = db_int(cursor, 1) != 0,
        .first = db_int(cursor, 2),
        .last = db_int(cursor, 3),
        .skipped = db_text(cursor, arena, 4),
        .since = db_int(cursor, 5),
        .until = db_int(cursor, 6),
        .rows = db_int(cursor, 7),
        .epoch = db_int(cursor, 8),
        .job_us = db_int(cursor, 10),
        .job_runs = db_int(cursor, 11),
    };
    const str job = db_text(cursor, arena, 9);
    return str_is_empty(job) ? ERROR_NONE
                             : unseal(held, arena, job_purpose, job, &batch->job_ref, err);
}

enum error_code state_batch_list(struct state *state, struct arena *arena, int64_t sink_id,
                                 struct state_batch_list *batches, struct error *err) {
    *batches = (struct state_batch_list){0};
    STATE_HELD held = {0};
    TRY(state_hold(state, &held, err));
    if (held.db == NULL) {
        return ERROR_NONE;
    }
    DB_CURSOR cursor = {0};
    TRY(db_query(held.db,
                 "SELECT batch_id, retry, first, last, skipped, since, until, row_count, epoch,"
                 " job_ref, job_us, job_runs FROM batch WHERE sink_id = $1 ORDER BY id",
                 DB_VALUES(DB_INT(sink_id)), &cursor, err));
    bool has_row = false;
    TRY(db_next(&cursor, &has_row, err));
    while (has_row) {
        struct state_batch batch;
        TRY(batch_read(&held, &cursor, arena, &batch, err));
        LIST_PUSH(arena, batches, batch);
        TRY(db_next(&cursor, &has_row, err));
    }
    return ERROR_NONE;
}

enum error_code state_batch_job(struct state *state, const struct state_sink *sink, str batch_id,
                                str job_ref, int64_t submitted_us, int64_t job_runs,
                                struct error *err) {
    SCRATCH(scratch);
    STATE_HELD held = {0};
    TRY(state_hold_write(state, &held, err));
    str sealed = {0};
    if (!str_is_empty(job_ref)) {
        TRY(seal(&held, &scratch, job_purpose, job_ref, &sealed, err));
    }
    TRY(db_run(held.db,
               "UPDATE batch SET job_ref = $1, job_us = $2, job_runs = $3"
               " WHERE sink_id = $4 AND batch_id = $5",
               DB_VALUES(DB_BLOB_OR_NULL(sealed), DB_INT(submitted_us), DB_INT(job_runs),
                         DB_INT(sink->id), DB_TEXT(batch_id)),
               err));
    return state_commit(&held, err);
}

static enum error_code outcome_write(struct state_held *held, int64_t sink_id,
                                     const struct state_outcome *outcome, struct error *err) {
    for (size_t i = 0; i < outcome->delivered_count; i++) {
        TRY(failed_delete(held, sink_id, outcome->delivered[i], err));
    }
    for (size_t i = 0; i < outcome->failed_count; i++) {
        const struct state_row *row = &outcome->failed[i];
        TRY(row->id == 0 ? failed_insert(held, sink_id, row, err)
                         : failed_again(held, sink_id, row, err));
    }
    for (size_t i = 0; i < outcome->dead_count; i++) {
        const struct state_row *row = &outcome->dead[i];
        TRY(dead_insert(held, sink_id, row, err));
        if (row->id != 0) {
            TRY(failed_delete(held, sink_id, row->id, err));
        }
    }
    return db_run(held->db, "DELETE FROM batch WHERE sink_id = $1 AND batch_id = $2",
                  DB_VALUES(DB_INT(sink_id), DB_TEXT(outcome->batch_id)), err);
}

static enum error_code claim_write(struct state_held *held, const struct state_sink *sink,
                                   const struct state_claim *claim, struct error *err) {
    const struct state_batch *batch = &claim->batch;
    for (size_t i = 0; i < claim->held_count; i++) {
        TRY(failed_insert(held, sink->id, &claim->held[i], err));
    }
    if (batch->rows == 0) {
        return ERROR_NONE;
    }
    TRY(db_run(held->db,
               "INSERT INTO batch(sink_id, batch_id, retry, first, last, skipped, since, until,"
               " row_count, epoch, job_ref, job_us, job_runs)"
               " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, NULL, 0, 0)",
               DB_VALUES(DB_INT(sink->id), DB_TEXT(batch->batch_id), DB_INT((int64_t)batch->retry),
                         DB_INT(batch->first), DB_INT(batch->last), DB_TEXT(batch->skipped),
                         DB_INT(batch->since), DB_INT(batch->until), DB_INT(batch->rows),
                         DB_INT(sink->epoch)),
               err));
    for (size_t i = 0; i < claim->retried_count; i++) {
        TRY(db_run(held->db, "UPDATE failed SET batch_id = $1 WHERE id = $2 AND sink_id = $3",
                   DB_VALUES(DB_TEXT(batch->batch_id), DB_INT(claim->retried[i]), DB_INT(sink->id)),
                   err));
    }
    return ERROR_NONE;
}

// Also the check that the sink is still ours: the row is found only under our epoch.
static enum error_code position_write(struct db *db, const struct state_sink *sink,
                                      int64_t position, struct error *err) {
    TRY(db_run(db, "UPDATE sink SET position = $1 WHERE id = $2 AND epoch = $3",
               DB_VALUES(DB_INT(position), DB_INT(sink->id), DB_INT(sink->epoch)), err));
    if (db_changes(db) == 1) {
        return ERROR_NONE;
    }
    return error_set(err, ERROR_CONFLICT,
                     "delivery of " STR_FORMAT " to " STR_FORMAT " was taken over by another "
                     "process",
                     STR_ARGS(sink->key.target), STR_ARGS(sink->key.sink));
}

enum error_code state_delivery_commit(struct state *state, struct state_sink *sink,
                                      const struct state_outcome *outcomes, size_t outcome_count,
                                      const struct state_claim *claims, size_t claim_count,
                                      struct error *err) {
    int64_t position = sink->position;
    STATE_HELD held = {0};
    TRY(state_hold_write(state, &held, err));
    for (size_t i = 0; i < outcome_count; i++) {
        TRY(outcome_write(&held, sink->id, &outcomes[i], err));
    }
    for (size_t i = 0; i < claim_count; i++) {
        TRY(claim_write(&held, sink, &claims[i], err));
        if (!claims[i].batch.retry && claims[i].batch.last > position) {
            position = claims[i].batch.last;
        }
    }
    TRY(position_write(held.db, sink, position, err));
    crash_point("CP_STATE_OUTCOME_WRITTEN");
    TRY(state_commit(&held, err));
    crash_point("CP_STATE_OUTCOME_COMMITTED");
    sink->position = position;
    return ERROR_NONE;
}
