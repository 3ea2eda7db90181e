#include "lib/push_outcome.h"

#include "base/redact.h"
#include "base/text.h"

#include <stdlib.h>

static int compare_ids(const void *key, const void *item) {
    const int64_t id = *(const int64_t *)key;
    const struct state_row *row = item;
    return (id > row->id) - (id < row->id);
}

const struct state_row *push_failed_row(const struct push_run *run, int64_t failed_id) {
    if (failed_id == 0 || run->failed.count == 0) {
        return NULL;
    }
    return bsearch(&failed_id, run->failed.items, run->failed.count, sizeof(struct state_row),
                   compare_ids);
}

static int64_t now_us(const struct push_run *run) {
    return clock_wall_us(&run->request->context->clock);
}

// The event as a row of the state; texts in `turn`, the batch may go.
static struct state_row event_row(struct push_run *run, const struct push_batch *batch,
                                  const struct push_event *event, str message) {
    const struct state_row *before = push_failed_row(run, event->failed_id);
    const int64_t now = now_us(run);
    return (struct state_row){
        .id = event->failed_id,
        .rowid = event->rowid,
        .change = event->change,
        .snapshot = event->snapshot,
        .since = before != NULL ? before->since : batch->since,
        .keys = str_copy(&run->turn, event->keys),
        .attempts = before != NULL ? before->attempts : 0,
        .first_us = before != NULL && before->attempts > 0 ? before->first_us : now,
        .last_us = now,
        .message = str_copy(&run->turn, message),
        .image = before == NULL && push_rowid_is_temporary(event->rowid)
                     ? feed_image(&run->turn, &run->table, event)
                     : (str){0},
        .may_have_arrived = before != NULL && before->may_have_arrived,
    };
}

struct state_row push_held_row(struct push_run *run, const struct push_batch *batch,
                               const struct push_event *event) {
    return event_row(run, batch, event, STR("waits for an earlier change of the same row"));
}

// ── Summary and log ──

static const char *const class_names[] = {
    [PUSH_DELIVERED] = "ok",
    [PUSH_WARNED] = "warn",
    [PUSH_TEMPORARY] = "error",
    [PUSH_REJECTED] = "reject",
};

static void add_note(struct push_run *run, const struct push_event *event, enum push_class class,
                     str message) {
    struct push_summary *summary = run->summary;
    summary->note_count++;
    if (summary->notes.count >= PUSH_NOTES_MAX) {
        return;
    }
    const struct push_note note = {
        .rowid = event->rowid,
        .change_type = state_change_name(event->change),
        .snapshot = event->snapshot,
        .keys = str_copy(run->arena, event->keys),
        .status = str_from(class_names[class]),
        .message = str_copy(run->arena, message),
    };
    LIST_PUSH(run->arena, &summary->notes, note);
}

static void add_log(struct push_run *run, const struct push_event *event,
                    const struct push_reply *reply, enum push_class class, str message) {
    const struct push_log_line line = {
        .sync_key = push_event_key(run->arena, event),
        .status = str_from(class_names[class]),
        .error_message = str_copy(run->arena, message),
        .operation = str_is_empty(reply->operation) ? state_change_name(event->change)
                                                    : str_copy(run->arena, reply->operation),
        .synced_us = now_us(run),
    };
    LIST_PUSH(run->arena, &run->summary->log, line);
}

void push_outcome_expired(struct push_run *run, const struct state_row *row) {
    const struct push_event event = {
        .rowid = row->rowid, .change = row->change, .snapshot = row->snapshot, .keys = row->keys};
    run->summary->rejected++;
    add_note(run, &event, PUSH_REJECTED, row->message);
    add_log(run, &event, &(struct push_reply){0}, PUSH_REJECTED, row->message);
}

// ── One batch ──

struct outcome_rows {
    int64_t *delivered;
    size_t delivered_count;
    struct state_row *failed;
    size_t failed_count;
    struct state_row *dead;
    size_t dead_count;
};

static void block(struct push_run *run, const struct push_event *event) {
    push_tags_add(&run->blocked, push_row_tag(event));
    if (event->tag != 0) {
        push_tags_add(&run->blocked, event->tag);
    }
}

// Whether the sink may hold an event that stays pending: nothing was heard of it, it was taken but
// a fellow of its group was not, or the error is that of a second delivery, and a dead process took
// the answer to the first with it.  A sink of inserts alone is never told that a row is gone, so
// there it does not matter.
static bool may_have_arrived(const struct push_run *run, const struct push_batch *batch,
                             const struct push_event *event) {
    const struct push_reply *reply = &batch->replies[event - batch->events];
    const bool taken = reply->class == PUSH_DELIVERED || reply->class == PUSH_WARNED;
    return !run->table.append && (batch->claimed || reply->unheard || taken);
}

static void fail_event(struct push_run *run, const struct push_batch *batch,
                       const struct push_event *event, str message, struct outcome_rows *rows) {
    struct state_row row = event_row(run, batch, event, message);
    row.attempts++;
    row.may_have_arrived = row.may_have_arrived || may_have_arrived(run, batch, event);
    const int64_t most = run->request->lib->api.push.max_attempts;
    if (most > 0 && row.attempts >= most) {
        row.image = feed_image(&run->turn, &run->table, event);
        rows->dead[rows->dead_count++] = row;
        run->summary->rejected++;
        return;
    }
    rows->failed[rows->failed_count++] = row;
    run->summary->failed++;
    block(run, event);
}

static void reject_event(struct push_run *run, const struct push_batch *batch,
                         const struct push_event *event, str message, struct outcome_rows *rows) {
    struct state_row row = event_row(run, batch, event, message);
    row.attempts++;
    row.image = feed_image(&run->turn, &run->table, event);
    rows->dead[rows->dead_count++] = row;
    run->summary->rejected++;
}

static void deliver_event(struct push_run *run, const struct push_event *event,
                          enum push_class class, struct outcome_rows *rows) {
    if (event->failed_id != 0) {
        rows->delivered[rows->delivered_count++] = event->failed_id;
    }
    if (class == PUSH_WARNED) {
        run->summary->warned++;
    } else {
        run->summary->ok++;
    }
}

static void event_outcome(struct push_run *run, const struct push_batch *batch, size_t index,
                          enum push_class class, str message, struct outcome_rows *rows) {
    const struct push_event *event = &batch->events[index];
    switch (class) {
    case PUSH_DELIVERED:
    case PUSH_WARNED:
        deliver_event(run, event, class, rows);
        break;
    case PUSH_TEMPORARY:
        fail_event(run, batch, event, message, rows);
        break;
    case PUSH_REJECTED:
        reject_event(run, batch, event, message, rows);
        break;
    }
    if (class != PUSH_DELIVERED) {
        add_note(run, event, class, message);
    }
    add_log(run, event, &batch->replies[index], class, message);
}

static bool any_temporary(const struct push_batch *batch, size_t first, size_t count) {
    for (size_t i = first; i < first + count; i++) {
        if (batch->replies[i].class == PUSH_TEMPORARY) {
            return true;
        }
    }
    return false;
}

// In a tracked table one failure keeps the whole group back.
static void unit_outcome(struct push_run *run, const struct push_batch *batch, size_t first,
                         size_t count, struct outcome_rows *rows) {
    const bool failed = count > 1 && any_temporary(batch, first, count);
    for (size_t i = first; i < first + count; i++) {
        const struct push_reply *reply = &batch->replies[i];
        enum push_class class = reply->class;
        str message = redact_text(run->request->context->redactor, &run->turn, reply->message);
        if (failed && (class == PUSH_DELIVERED || class == PUSH_WARNED)) {
            class = PUSH_TEMPORARY;
            message = STR("another row of its group failed");
        }
        event_outcome(run, batch, i, class, message, rows);
    }
}

void push_outcome_add(struct push_run *run, const struct push_batch *batch) {
    struct outcome_rows rows = {
        .delivered = ARENA_ARRAY(&run->turn, int64_t, batch->count),
        .failed = ARENA_ARRAY(&run->turn, struct state_row, batch->count),
        .dead = ARENA_ARRAY(&run->turn, struct state_row, batch->count),
    };
    for (size_t i = 0; i < batch->count;) {
        const size_t unit = push_unit(&run->rules, &batch->events[i], batch->count - i);
        unit_outcome(run, batch, i, unit, &rows);
        i += unit;
    }
    const struct state_outcome outcome = {.batch_id = str_copy(&run->turn, batch->batch_id),
                                          .delivered = rows.delivered,
                                          .delivered_count = rows.delivered_count,
                                          .failed = rows.failed,
                                          .failed_count = rows.failed_count,
                                          .dead = rows.dead,
                                          .dead_count = rows.dead_count};
    LIST_PUSH(&run->turn, &run->outcomes, outcome);
    if (!str_is_empty(batch->warning)) {
        str_list_push(run->arena, &run->summary->warnings,
                      str_copy(run->arena, redact_text(run->request->context->redactor, &run->turn,
                                                       batch->warning)));
    }
}
