#include "base/text.h"
#include "lake/snapshot.h"
#include "lib/push_outcome.h"
#include "lib/push_ranges.h"
#include "lib/push_run.h"
#include "lib/push_sinks.h"

// What a sink still needs of the lake's history, before that is expired (libs.md §7.4).
//
// The lake is the queue as long as its snapshots last.  What is not delivered yet is moved from
// there into the state: every event of the open range and of what is behind the watermark becomes a
// failed row that was never tried, deletes and pre-images with their values.  Inserts and
// post-images need none: they are read from the current table, which is never expired.
//
//     failed rows              get the image that they will need
//     batches in flight        become retry batches under their old batch_id
//     the open range           becomes failed rows, and is closed
//     (watermark, current]     likewise; the watermark is then `current`
//
// Each step is one transaction that leaves a state in which the next delivery is right, so a kill
// in between loses nothing: at worst a batch in flight goes out under another batch_id.

enum { KEEP_ROWS = 1000 }; // a transaction

static bool needs_image(enum state_change change) {
    return change == STATE_CHANGE_DELETE || change == STATE_CHANGE_UPDATE_PREIMAGE;
}

static const str kept_message = STR_INIT("not tried yet: kept before its history was expired");

static struct state_row kept_row(struct push_run *run, const struct push_event *event,
                                 int64_t since) {
    const bool image = needs_image(event->change) || push_rowid_is_temporary(event->rowid);
    return (struct state_row){
        .rowid = event->rowid,
        .change = event->change,
        .snapshot = event->snapshot,
        .since = since,
        .keys = str_copy(&run->turn, event->keys),
        .first_us = clock_wall_us(&run->request->context->clock),
        .last_us = clock_wall_us(&run->request->context->clock),
        .message = kept_message,
        .image = image ? feed_image(&run->turn, &run->table, event) : (str){0},
    };
}

// ── Failed rows ──

static enum error_code keep_images(struct push_run *run, struct push_stream *stream,
                                   struct error *err) {
    struct {
        struct state_row *items;
        size_t count;
        size_t capacity;
    } kept = {0};
    bool more = true;
    while (more) {
        TRY(feed_read(stream, &more, err));
        const size_t count = stream->count - stream->first;
        const struct push_event *events = feed_events(stream);
        for (size_t i = 0; i < count; i++) {
            if (needs_image(events[i].change)) {
                const struct state_row row = {.id = events[i].failed_id,
                                              .image =
                                                  feed_image(&run->turn, &run->table, &events[i])};
                LIST_PUSH(&run->turn, &kept, row);
            }
        }
        feed_take(stream, count);
        if (kept.count > 0) {
            TRY(state_failed_keep_images(run->request->state, kept.items, kept.count, err));
        }
        kept.items = NULL;
        kept.count = 0;
        kept.capacity = 0;
        arena_reset(&run->turn);
    }
    return ERROR_NONE;
}

static enum error_code keep_failed(struct push_run *run, int64_t current, int64_t oldest,
                                   struct error *err) {
    struct state_row_list all;
    struct state_row_list rows = {0};
    TRY(state_failed_list(run->request->state, &run->memory, run->sink.id, &all, err));
    for (size_t i = 0; i < all.count; i++) {
        if (needs_image(all.items[i].change) && all.items[i].image.size == 0) {
            LIST_PUSH(&run->memory, &rows, all.items[i]);
        }
    }
    if (rows.count == 0) {
        return ERROR_NONE;
    }
    TRY(push_run_schema(run, current, err));
    struct push_stream stream = {0};
    enum error_code code =
        feed_stage_failed(&stream, &run->table, rows.items, rows.count, current, oldest, err);
    if (code == ERROR_NONE) {
        feed_seek(&stream, 0, stream.total);
        code = keep_images(run, &stream, err);
    }
    feed_stream_done(&stream);
    return code;
}

// ── Batches in flight ──

// The batch's events as failed rows; the batch itself goes, and comes back made of them.
static enum error_code release_batch(struct push_run *run, struct push_stream *stream,
                                     const struct state_batch *stored, struct error *err) {
    struct push_batch *batch = NULL;
    feed_seek(stream, stored->first, stored->last);
    TRY(push_sinks_whole_batch(stream, stored, &batch, err));
    struct state_row *rows = ARENA_ARRAY(&run->turn, struct state_row, batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        rows[i] = kept_row(run, &batch->events[i], stored->since);
        rows[i].may_have_arrived = true;
    }
    const struct state_outcome outcome = {
        .batch_id = stored->batch_id, .failed = rows, .failed_count = batch->count};
    push_batch_free(batch);
    return state_delivery_commit(run->request->state, &run->sink, &outcome, 1, NULL, 0, err);
}

static enum error_code claim_again(struct push_run *run, const struct state_row_list *before,
                                   const struct state_batch *stored, struct error *err) {
    struct state_row_list after;
    TRY(push_failed_rows(run, (str){0}, &after, err));
    int64_t *ids = ARENA_ARRAY(&run->turn, int64_t, after.count);
    size_t count = 0;
    for (size_t i = 0; i < after.count; i++) {
        bool known = false;
        for (size_t j = 0; j < before->count && !known; j++) {
            known = before->items[j].id == after.items[i].id;
        }
        if (!known) {
            ids[count++] = after.items[i].id;
        }
    }
    const struct state_claim claim = {.batch = {.batch_id = stored->batch_id,
                                                .retry = true,
                                                .since = STATE_NO_SNAPSHOT,
                                                .until = stored->until,
                                                .rows = (int64_t)count},
                                      .retried = ids,
                                      .retried_count = count};
    return count == 0
               ? ERROR_NONE
               : state_delivery_commit(run->request->state, &run->sink, NULL, 0, &claim, 1, err);
}

static enum error_code keep_batches(struct push_run *run, struct push_stream *stream,
                                    struct error *err) {
    struct state_batch_list batches;
    TRY(state_batch_list(run->request->state, &run->memory, run->sink.id, &batches, err));
    for (size_t i = 0; i < batches.count; i++) {
        const struct state_batch *stored = &batches.items[i];
        struct state_row_list before;
        if (stored->job_ref.size > 0) {
            error_set(err, ERROR_CONFLICT, STR_FORMAT " has a job open that was not asked for yet",
                      STR_ARGS(run->sink.key.sink));
            error_hint(err, "`coypu push retry " STR_FORMAT "` first: expiry would lose its rows",
                       STR_ARGS(run->sink.key.target));
            return err->code;
        }
        if (stored->retry) {
            continue; // made of failed rows already
        }
        TRY(push_failed_rows(run, (str){0}, &before, err));
        TRY(release_batch(run, stream, stored, err));
        TRY(claim_again(run, &before, stored, err));
        arena_reset(&run->turn);
    }
    return ERROR_NONE;
}

// ── Ranges ──

// All events of the stream from the sink's position on: claimed and held at once.
static enum error_code keep_rest(struct push_run *run, struct push_stream *stream,
                                 struct error *err) {
    feed_seek(stream, run->sink.position, stream->total);
    bool more = true;
    while (more) {
        TRY(feed_read(stream, &more, err));
        while (stream->count > stream->first) {
            const struct push_event *events = feed_events(stream);
            size_t count = stream->count - stream->first;
            count = count < KEEP_ROWS ? count : KEEP_ROWS;
            struct state_row *rows = ARENA_ARRAY(&run->turn, struct state_row, count);
            for (size_t i = 0; i < count; i++) {
                rows[i] = kept_row(run, &events[i], run->sink.range_from);
            }
            const struct state_claim claim = {
                .batch = {.last = events[count - 1].index + 1}, .held = rows, .held_count = count};
            TRY(state_delivery_commit(run->request->state, &run->sink, NULL, 0, &claim, 1, err));
            feed_take(stream, count);
            arena_reset(&run->turn);
        }
    }
    return state_range_close(run->request->state, &run->sink, err);
}

static enum error_code keep_open_range(struct push_run *run, struct error *err) {
    if (!run->sink.range_open) {
        return ERROR_NONE;
    }
    struct push_stream stream = {0};
    enum error_code code = push_stage_open(run, &stream, err);
    if (code == ERROR_NONE) {
        code = keep_batches(run, &stream, err);
    }
    if (code == ERROR_NONE) {
        code = keep_rest(run, &stream, err);
    }
    feed_stream_done(&stream);
    return code;
}

static enum error_code keep_new_range(struct push_run *run, int64_t table_id, int64_t current,
                                      struct error *err) {
    struct push_stream stream = {0};
    enum error_code code = push_stage_new(run, &stream, table_id, current, err);
    if (code == ERROR_NONE && run->sink.range_open) {
        code = keep_rest(run, &stream, err);
    }
    feed_stream_done(&stream);
    return code;
}

// ── A sink ──

struct keep_facts {
    int64_t table_id;
    int64_t current;
    int64_t oldest;
};

// A sink that begins again anyway, with every row as an insert, needs no history.
static bool begins_again(const struct state_sink *sink, const struct keep_facts *facts) {
    const int64_t from = sink->range_open ? sink->range_from : sink->watermark;
    const int64_t to = sink->range_open ? sink->range_to : facts->current;
    return sink->table_id != facts->table_id || to > facts->current || from == STATE_NO_SNAPSHOT ||
           (from + 1 < facts->oldest && from < to);
}

static enum error_code keep_taken(struct push_run *run, const struct keep_facts *facts,
                                  struct error *err) {
    if (run->sink.table_id == facts->table_id) {
        TRY(keep_failed(run, facts->current, facts->oldest, err));
    }
    if (begins_again(&run->sink, facts)) {
        return ERROR_NONE;
    }
    TRY(keep_open_range(run, err));
    return keep_new_range(run, facts->table_id, facts->current, err);
}

static enum error_code keep(struct push_run *run, struct error *err) {
    const struct push_request *request = run->request;
    const struct state_sink_key key = push_sinks_key(request, &run->memory);
    const struct state_owner owner = state_owner_self(&run->memory);
    struct keep_facts facts = {0};
    bool found = false;
    bool taken = false;
    TRY(state_sink_find(request->state, &run->memory, &key, &found, &run->sink, err));
    TRY(lake_table_identity(request->connection, request->schema, request->table, &facts.table_id,
                            err));
    if (!found || facts.table_id == 0) {
        return ERROR_NONE; // never delivered: it gets every row whatever is expired
    }
    TRY(lake_current_snapshot(request->connection, &facts.current, err));
    TRY(feed_oldest_snapshot(request->connection, &facts.oldest, err));
    TRY(state_sink_take(request->state, &run->memory, &key, &owner, &taken, &run->sink, err));
    if (!taken) {
        return error_set(err, ERROR_CONFLICT, STR_FORMAT " is in delivery by pid %lld",
                         STR_ARGS(key.sink), (long long)run->sink.owner.pid);
    }
    const enum error_code code = keep_taken(run, &facts, err);
    struct error ignored;
    if (state_sink_release(request->state, &run->sink, &ignored) != ERROR_NONE) {
        ignored.code = ERROR_NONE; // the lease ends by itself
    }
    return code;
}

enum error_code push_keep(const struct push_request *request, struct error *err) {
    struct push_summary summary = {0};
    struct push_run run = push_sinks_run(request, NULL, &summary);
    const enum error_code code = keep(&run, err);
    push_run_done(&run);
    return code;
}
