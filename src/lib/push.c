#include "lib/push.h"

#include "base/redact.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/lake.h"
#include "lake/snapshot.h"
#include "lib/push_outcome.h"
#include "lib/push_ranges.h"
#include "lib/push_run.h"
#include "lib/push_sinks.h"

#include <stdlib.h>

// Delivery, step by step.
//
//     take the sink's lease          another process delivers: leave it to that one
//     where does it stand?           new; state lost; table re-created; history expired
//     batches in flight              of a process that died: the same rows, the same batch_id
//     failed rows of earlier runs    with their latest values, before anything newer
//     the open range                 from its position on
//     a new range                    (watermark, current], joined with what failed
//     finalize
//
// A range that a dead process left open is finished before a new one is opened; the failed rows
// then go first and are read as of that range's end, so that what comes after it is still joined
// right. Each event is tried once: failed rows are sent in one place only.

static void warn(struct push_run *run, const char *format, ...) PRINTF_LIKE(2, 3);
static void warn(struct push_run *run, const char *format, ...) {
    struct text text;
    text_init(&text, run->arena);
    va_list args;
    va_start(args, format);
    text_format_list(&text, format, args);
    va_end(args);
    str_list_push(run->arena, &run->summary->warnings, text_str(&text));
}

// ── Where the sink stands ──

// A table that was dropped and made again is another table: what waited for the old one is void.
static enum error_code check_table(struct push_run *run, int64_t table_id, struct error *err) {
    struct state_sink *sink = &run->sink;
    if (sink->table_id == table_id || sink->table_id == STATE_NO_SNAPSHOT) {
        return ERROR_NONE;
    }
    int64_t dropped = 0;
    TRY(state_sink_reset(run->request->state, sink, STATE_NO_SNAPSHOT, table_id, &dropped, err));
    warn(run,
         STR_FORMAT " was dropped and made again: %lld pending rows are void, every row is "
                    "sent as insert",
         STR_ARGS(run->request->target), (long long)dropped);
    return ERROR_NONE;
}

// A sink that the state does not know may be new, or its state is lost: the last commit that names
// the target knows.
static enum error_code recover(struct push_run *run, int64_t table_id, struct error *err) {
    if (run->sink.epoch != 1 || run->sink.watermark != STATE_NO_SNAPSHOT) {
        return ERROR_NONE;
    }
    int64_t delivered = STATE_NO_SNAPSHOT;
    TRY(push_sinks_recover(run->request, &run->sink.key, &delivered, err));
    if (delivered == STATE_NO_SNAPSHOT) {
        return ERROR_NONE;
    }
    warn(run,
         "the state of sink " STR_FORMAT " is lost: delivery starts at snapshot %lld, where "
         "the lake's copy says it was; rows may arrive twice",
         STR_ARGS(run->sink.key.sink), (long long)delivered);
    return state_sink_start(run->request->state, &run->sink, delivered, table_id, err);
}

// A range can be read when the snapshot after its start was not expired.
static bool is_expired(int64_t from, int64_t to, int64_t oldest) {
    return from != STATE_NO_SNAPSHOT ? from + 1 < oldest && from < to : to < oldest;
}

// A lake restored from a backup counts its snapshots again: what it holds now was never sent, and
// what waits is of a history that is gone.
static enum error_code check_restored(struct push_run *run, int64_t current, struct error *err) {
    struct state_sink *sink = &run->sink;
    const int64_t known = sink->range_open ? sink->range_to : sink->watermark;
    if (known <= current) {
        return ERROR_NONE;
    }
    int64_t dropped = 0;
    TRY(state_sink_reset(run->request->state, sink, STATE_NO_SNAPSHOT, sink->table_id, &dropped,
                         err));
    warn(run,
         "the lake was restored: it is at snapshot %lld, and " STR_FORMAT
         " has had snapshot %lld: %lld pending rows are void, every row is sent as insert",
         (long long)current, STR_ARGS(sink->key.sink), (long long)known, (long long)dropped);
    return ERROR_NONE;
}

// The start is gone: every row again, said aloud.  Failed rows stay: those that are in the table go
// with it (push_join_rows), deletes with a stored image are sent, the others become dead letters.
static enum error_code check_history(struct push_run *run, int64_t current, int64_t oldest,
                                     struct error *err) {
    struct state_sink *sink = &run->sink;
    const int64_t from = sink->range_open ? sink->range_from : sink->watermark;
    const int64_t to = sink->range_open ? sink->range_to : current;
    if (!sink->range_open && sink->watermark == STATE_NO_SNAPSHOT) {
        return ERROR_NONE;
    }
    if (!is_expired(from, to, oldest)) {
        return ERROR_NONE;
    }
    int64_t dropped = 0;
    TRY(state_sink_restart(run->request->state, sink, &dropped, err));
    warn(run,
         "snapshots %lld to %lld were expired before " STR_FORMAT " had them: every row is "
         "sent as insert; deletes among them, and among %lld rows in flight, are lost",
         (long long)from + 1, (long long)oldest - 1, STR_ARGS(sink->key.sink), (long long)dropped);
    return ERROR_NONE;
}

// ── Failed rows ──

static int compare_ids(const void *a, const void *b) {
    const struct state_row *left = a;
    const struct state_row *right = b;
    return (left->id > right->id) - (left->id < right->id);
}

// Rows that the stage left out: latest values of a row that is gone, or history that is.
static void settle_missing(struct push_run *run, const struct state_row *rows, size_t count,
                           const bool *found, struct state_outcome *outcome) {
    int64_t *gone = ARENA_ARRAY(&run->turn, int64_t, count);
    struct state_row *dead = ARENA_ARRAY(&run->turn, struct state_row, count);
    for (size_t i = 0; i < count; i++) {
        if (found[i]) {
            continue;
        }
        const bool is_latest = rows[i].change == STATE_CHANGE_INSERT ||
                               rows[i].change == STATE_CHANGE_UPDATE_POSTIMAGE;
        if (is_latest) {
            gone[outcome->delivered_count++] = rows[i].id;
            run->summary->gone++;
        } else {
            struct state_row *row = &dead[outcome->dead_count++];
            *row = rows[i];
            row->message = STR("history expired");
            push_outcome_expired(run, row);
        }
    }
    outcome->delivered = gone;
    outcome->dead = dead;
}

// Which of the rows (sorted by id) are in the staged table.
static enum error_code find_staged(const struct push_run *run, const struct push_stream *stream,
                                   const struct state_row *rows, size_t count, bool *found,
                                   struct error *err) {
    SCRATCH(scratch);
    const str sql =
        str_format(&scratch, "SELECT DISTINCT __ondatra_f FROM temp.main.%s", stream->name);
    LAKE_RESULT result = NULL;
    TRY(lake_query(run->request->connection, sql, LAKE_NO_VALUES, &result, err));
    while (lake_result_next(result)) {
        const struct state_row key = {.id = lake_result_int64(result, 0)};
        const struct state_row *row = bsearch(&key, rows, count, sizeof(key), compare_ids);
        if (row != NULL) {
            found[row - rows] = true;
        }
    }
    return ERROR_NONE;
}

static enum error_code drop_missing(struct push_run *run, const struct push_stream *stream,
                                    struct error *err) {
    const size_t count = run->failed.count;
    if ((int64_t)count == stream->total) {
        return ERROR_NONE;
    }
    bool *found = ARENA_ARRAY(&run->turn, bool, count);
    TRY(find_staged(run, stream, run->failed.items, count, found, err));
    struct state_outcome outcome = {0};
    settle_missing(run, run->failed.items, count, found, &outcome);
    const enum error_code code =
        state_delivery_commit(run->request->state, &run->sink, &outcome, 1, NULL, 0, err);
    arena_reset(&run->turn);
    return code;
}

// Sends `rows` as they are at `until`; `single` makes one batch of them, under its old id.
static enum error_code send_failed(struct push_run *run, struct state_row_list rows, int64_t until,
                                   int64_t oldest, const struct state_batch *single,
                                   struct error *err) {
    if (rows.count == 0) {
        return ERROR_NONE;
    }
    qsort(rows.items, rows.count, sizeof(rows.items[0]), compare_ids);
    run->failed = rows;
    struct push_stream stream = {0};
    const int64_t readable = until < oldest ? oldest : until;
    enum error_code code =
        feed_stage_failed(&stream, &run->table, rows.items, rows.count, readable, oldest, err);
    if (code == ERROR_NONE) {
        code = drop_missing(run, &stream, err);
    }
    struct push_source source = {
        .stream = &stream, .retry = true, .since = STATE_NO_SNAPSHOT, .until = until};
    if (code == ERROR_NONE && single != NULL) {
        code = push_sinks_whole_batch(&stream, single, &source.single, err);
        source.stream = NULL;
    }
    if (code == ERROR_NONE) {
        code = push_run_source(run, &source, err);
    }
    feed_stream_done(&stream);
    run->failed = (struct state_row_list){0};
    return code;
}

static enum error_code send_pending(struct push_run *run, int64_t until, int64_t oldest,
                                    struct error *err) {
    struct state_row_list rows;
    TRY(push_failed_rows(run, STR(""), &rows, err));
    return send_failed(run, rows, until, oldest, NULL, err);
}

// ── Batches of a dead process ──

static enum error_code redeliver_retry(struct push_run *run, const struct state_batch *batch,
                                       int64_t oldest, struct error *err) {
    struct state_row_list rows;
    TRY(push_failed_rows(run, batch->batch_id, &rows, err));
    TRY(push_run_schema(run, batch->until < oldest ? oldest : batch->until, err));
    if (rows.count == 0) { // nothing is left of it
        const struct state_outcome outcome = {.batch_id = batch->batch_id};
        return state_delivery_commit(run->request->state, &run->sink, &outcome, 1, NULL, 0, err);
    }
    return send_failed(run, rows, batch->until, oldest, batch, err);
}

static enum error_code redeliver_range(struct push_run *run, struct push_stream *stream,
                                       const struct state_batch *batch, struct error *err) {
    feed_seek(stream, batch->first, batch->last);
    struct push_source source = {.since = batch->since, .until = batch->until};
    TRY(push_sinks_whole_batch(stream, batch, &source.single, err));
    return push_run_source(run, &source, err);
}

static bool may_go_on(const struct push_run *run) {
    return !run->summary->stopped && !run->cancelled;
}

static enum error_code redeliver(struct push_run *run, struct push_stream *stream, bool retry,
                                 int64_t oldest, struct error *err) {
    struct state_batch_list batches;
    TRY(state_batch_list(run->request->state, &run->memory, run->sink.id, &batches, err));
    for (size_t i = 0; i < batches.count && may_go_on(run); i++) {
        if (batches.items[i].retry != retry) {
            continue;
        }
        TRY(retry ? redeliver_retry(run, &batches.items[i], oldest, err)
                  : redeliver_range(run, stream, &batches.items[i], err));
    }
    return ERROR_NONE;
}

// ── Ranges ──

// The rest of the open range; then the range is decided.
static enum error_code send_range(struct push_run *run, struct push_stream *stream,
                                  struct error *err) {
    feed_seek(stream, run->sink.position, stream->total);
    struct push_source source = {
        .stream = stream, .since = run->sink.range_from, .until = run->sink.range_to};
    TRY(push_run_source(run, &source, err));
    if (!may_go_on(run)) {
        run->left = stream->total - run->sink.position;
        return ERROR_NONE;
    }
    crash_point("CP_PUSH_RANGE_SENT");
    return state_range_close(run->request->state, &run->sink, err);
}

static enum error_code deliver_new(struct push_run *run, struct push_stream *stream,
                                   int64_t table_id, int64_t current, int64_t oldest,
                                   bool with_pending, struct error *err) {
    TRY(push_stage_new(run, stream, table_id, current, err));
    if (with_pending) {
        if (stream->table == NULL) {
            TRY(push_run_schema(run, current, err));
        }
        TRY(send_pending(run, current, oldest, err));
    }
    return run->sink.range_open && may_go_on(run) ? send_range(run, stream, err) : ERROR_NONE;
}

static enum error_code deliver_left_open(struct push_run *run, struct push_stream *stream,
                                         int64_t oldest, struct error *err) {
    TRY(push_stage_open(run, stream, err));
    TRY(redeliver(run, stream, false, oldest, err));
    if (may_go_on(run)) {
        TRY(send_pending(run, run->sink.range_to, oldest, err));
    }
    if (may_go_on(run)) {
        return send_range(run, stream, err);
    }
    run->left = stream->total - run->sink.position;
    return ERROR_NONE;
}

static enum error_code deliver_all(struct push_run *run, int64_t table_id, int64_t current,
                                   int64_t oldest, struct error *err) {
    TRY(redeliver(run, NULL, true, oldest, err));
    const bool left_open = run->sink.range_open;
    struct push_stream stream = {0};
    enum error_code code = ERROR_NONE;
    if (left_open && may_go_on(run)) {
        code = deliver_left_open(run, &stream, oldest, err);
        feed_stream_done(&stream);
    }
    if (code == ERROR_NONE && may_go_on(run)) {
        code = deliver_new(run, &stream, table_id, current, oldest, !left_open, err);
        feed_stream_done(&stream);
    }
    return code;
}

// ── The end ──

static void finish(struct push_run *run) {
    struct push_summary *summary = run->summary;
    const int64_t sent = summary->ok + summary->warned;
    const bool clean = summary->failed == 0 && summary->rejected == 0 && may_go_on(run);
    struct error err = {0};
    if (!clean || (sent == 0 && !run->request->empty_backfill)) {
        return;
    }
    if (push_run_finalize(run, &err) != ERROR_NONE) {
        summary->finalize_failed = true;
        warn(run, "finalize: " STR_FORMAT,
             STR_ARGS(
                 redact_text(run->request->context->redactor, run->arena, str_from(err.message))));
    }
}

static enum error_code count_pending(struct push_run *run, struct error *err) {
    bool found = false;
    struct state_sink sink = {0};
    struct state_batch_list batches;
    TRY(state_sink_find(run->request->state, &run->memory, &run->sink.key, &found, &sink, err));
    TRY(state_batch_list(run->request->state, &run->memory, sink.id, &batches, err));
    run->summary->pending = sink.failed + run->left;
    for (size_t i = 0; i < batches.count; i++) { // rows of a retry are failed rows already
        run->summary->pending += batches.items[i].retry ? 0 : batches.items[i].rows;
    }
    run->summary->watermark = sink.watermark;
    if (run->summary->stopped) {
        warn(run, "sink " STR_FORMAT ": stopped after %d failed batches, %lld rows still pending",
             STR_ARGS(run->sink.key.sink), PUSH_FAILED_BATCHES_MAX,
             (long long)run->summary->pending);
    }
    return ERROR_NONE;
}

static enum error_code deliver_taken(struct push_run *run, const struct lake_table *table,
                                     int64_t current, struct error *err) {
    int64_t oldest = 0;
    TRY(check_table(run, table->identity, err));
    TRY(recover(run, table->identity, err));
    TRY(feed_oldest_snapshot(run->request->connection, &oldest, err));
    TRY(check_restored(run, current, err));
    TRY(check_history(run, current, oldest, err));
    TRY(deliver_all(run, table->identity, current, oldest, err));
    finish(run);
    return count_pending(run, err);
}

static enum error_code deliver(struct push_run *run, const struct lake_table *table,
                               int64_t current, struct error *err) {
    const struct push_request *request = run->request;
    const struct state_owner owner = state_owner_self(&run->memory);
    const struct state_sink_key key = push_sinks_key(request, &run->memory);
    TRY(push_forget_others(request->state, run->arena, request->target, request->lib->name,
                           &request->args, &run->summary->warnings, err));
    bool taken = false;
    TRY(state_sink_take(request->state, &run->memory, &key, &owner, &taken, &run->sink, err));
    if (!taken) {
        run->summary->busy = true;
        run->summary->busy_pid = run->sink.owner.pid;
        run->summary->watermark = run->sink.watermark;
        return push_sinks_waiting(run, current, err);
    }
    run->renewed_us = clock_monotonic_us(&request->context->clock);
    const enum error_code code = deliver_taken(run, table, current, err);
    struct error ignored;
    if (state_sink_release(request->state, &run->sink, &ignored) != ERROR_NONE) {
        ignored.code = ERROR_NONE; // taken over, or the lease ends by itself
    }
    if (code == ERROR_NONE && run->cancelled) {
        return error_set(err, ERROR_CANCELLED, "delivery to " STR_FORMAT " was interrupted",
                         STR_ARGS(request->lib->name));
    }
    return code;
}

// The usual case of a run that changed nothing: told from one read of the state, without a write.
static enum error_code is_idle(const struct push_run *run, int64_t current, bool *idle,
                               struct error *err) {
    SCRATCH(scratch);
    const struct push_request *request = run->request;
    const struct state_sink_key key = push_sinks_key(request, &scratch);
    struct state_sink_list sinks;
    TRY(state_sink_list(request->state, &scratch, request->target, &sinks, err));
    *idle = sinks.count == 1 && str_equal(sinks.items[0].key.sink, key.sink) &&
            str_equal(sinks.items[0].key.args, key.args) && sinks.items[0].failed == 0 &&
            sinks.items[0].in_flight == 0 && !sinks.items[0].range_open &&
            sinks.items[0].watermark == current && !request->empty_backfill;
    if (*idle) { // the same numbers may be those of another lake
        int64_t identity = 0;
        TRY(lake_table_identity(request->connection, request->schema, request->table, &identity,
                                err));
        *idle = identity == sinks.items[0].table_id;
    }
    run->summary->watermark = *idle ? current : STATE_NO_SNAPSHOT;
    return ERROR_NONE;
}

static enum error_code deliver_if_needed(struct push_run *run, struct error *err) {
    const struct push_request *request = run->request;
    struct lake_table table = {0};
    bool found = false;
    int64_t current = 0;
    bool idle = false;
    TRY(lake_current_snapshot(request->connection, &current, err));
    TRY(is_idle(run, current, &idle, err));
    if (idle) {
        return ERROR_NONE;
    }
    TRY(lake_table_find(request->connection, &run->memory, request->schema, request->table, &table,
                        &found, err));
    return found ? deliver(run, &table, current, err) : ERROR_NONE;
}

enum error_code push_deliver(const struct push_request *request, struct arena *arena,
                             struct push_summary *summary, struct error *err) {
    *summary = (struct push_summary){.watermark = STATE_NO_SNAPSHOT};
    if (request->lib->api.push.batch_mode == LIB_BATCH_ASYNC) {
        error_set(err, ERROR_INVALID,
                  STR_FORMAT ": batch_mode \"async\" is not part of this version of coypu",
                  STR_ARGS(request->lib->file));
        error_hint(err, "use \"sync\" or \"atomic\"");
        return ERROR_INVALID;
    }
    const struct clock *clock = &request->context->clock;
    const int64_t started_us = clock_monotonic_us(clock);
    struct push_run run = push_sinks_run(request, arena, summary);
    const enum error_code code = deliver_if_needed(&run, err);
    push_run_done(&run);
    summary->duration_us = clock_monotonic_us(clock) - started_us;
    return code;
}
