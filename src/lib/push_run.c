#include "lib/push_run.h"

#include "base/hash.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "lib/push_outcome.h"

#include <stdlib.h>

enum {
    WAIT_US = 200 * 1000, // how often a waiting coordinator looks at cancel and lease
    BATCH_ID_SIZE = 32,   // hex digits
};

// ── Batches of a source ──

// The identity of a batch: what it was cut from, not when or by whom.
static void set_batch_id(struct push_run *run, struct push_batch *batch, str skipped) {
    const struct state_sink_key *key = &run->sink.key;
    struct text text;
    text_init(&text, &batch->arena);
    text_format(&text, "%zu:" STR_FORMAT "%zu:" STR_FORMAT "%zu:" STR_FORMAT, key->target.size,
                STR_ARGS(key->target), key->sink.size, STR_ARGS(key->sink), key->args.size,
                STR_ARGS(key->args));
    text_format(&text, ";%lld;%lld;%lld;", (long long)run->sink.table_id, (long long)batch->since,
                (long long)batch->until);
    if (!batch->retry) {
        text_format(&text, "%lld-%lld-" STR_FORMAT, (long long)batch->first, (long long)batch->last,
                    STR_ARGS(skipped));
    }
    for (size_t i = 0; batch->retry && i < batch->count; i++) {
        const struct state_row *row = push_failed_row(run, batch->events[i].failed_id);
        text_format(&text, "%lld.%lld,", (long long)row->id, (long long)row->attempts);
    }
    batch->batch_id = str_slice(sha256_hex(&batch->arena, text_str(&text)), 0, BATCH_ID_SIZE);
}

static struct push_batch *take_batch(const struct push_source *source, size_t size) {
    struct push_stream *stream = source->stream;
    // `size` events were read, so there are some: feed_events' NULL is not for here.
    const struct push_event *events = stream->events + stream->first;
    struct push_batch *batch = push_batch_new();
    batch->retry = source->retry;
    batch->since = source->since;
    batch->until = source->until;
    batch->first = events[0].index;
    batch->last = events[size - 1].index + 1;
    push_batch_fill(batch, events, size);
    feed_take(stream, size);
    return batch;
}

// *batch is NULL at the end of the source.
static enum error_code next_batch(struct push_run *run, struct push_source *source,
                                  struct push_batch **batch, struct error *err) {
    *batch = source->single;
    source->single = NULL;
    if (*batch != NULL || source->stream == NULL) {
        return ERROR_NONE;
    }
    struct push_stream *stream = source->stream;
    for (;;) {
        const size_t size = push_cut(&run->rules, feed_events(stream),
                                     stream->count - stream->first, feed_at_end(stream));
        if (size > 0) {
            *batch = take_batch(source, size);
            return ERROR_NONE;
        }
        bool more = false;
        TRY(feed_read(stream, &more, err));
        if (!more && stream->count == stream->first) {
            return ERROR_NONE;
        }
    }
}

// ── Rows and keys in flight, or blocked ──

static bool any_tagged(const struct push_tags *tags, const struct push_event *event) {
    return push_tags_has(tags, push_row_tag(event)) ||
           (event->tag != 0 && push_tags_has(tags, event->tag));
}

static bool is_in_flight(const struct push_run *run, const struct push_batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        if (any_tagged(&run->flying, &batch->events[i])) {
            return true;
        }
    }
    return false;
}

static void tag_batch(struct push_run *run, const struct push_batch *batch,
                      void (*change)(struct push_tags *tags, uint64_t tag)) {
    for (size_t i = 0; i < batch->count; i++) {
        change(&run->flying, push_row_tag(&batch->events[i]));
        if (batch->events[i].tag != 0) {
            change(&run->flying, batch->events[i].tag);
        }
    }
}

// Moves the events that would overtake an undelivered one out of the batch.
static void hold_blocked(struct push_run *run, struct push_batch *batch) {
    if (batch->claimed || run->blocked.used == 0) {
        return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const struct push_event event = batch->events[i];
        if (any_tagged(&run->blocked, &event)) {
            batch->held[batch->held_count++] = event;
            push_tags_add(&run->blocked, push_row_tag(&event));
        } else {
            batch->events[kept++] = event;
        }
    }
    batch->count = kept;
}

// ── Claims ──

static str skipped_text(struct push_run *run, const struct push_batch *batch) {
    struct text text;
    text_init(&text, &run->turn);
    for (size_t i = 0; i < batch->held_count; i++) {
        text_format(&text, "%s%lld", i > 0 ? "," : "", (long long)batch->held[i].index);
    }
    return text_str(&text);
}

static void claim_retried(struct push_run *run, const struct push_batch *batch,
                          struct state_claim *claim) {
    int64_t *ids = ARENA_ARRAY(&run->turn, int64_t, batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        ids[i] = batch->events[i].failed_id;
    }
    claim->retried = ids;
    claim->retried_count = batch->count;
}

// Held rows of a range become failed rows; those of a retry are failed rows already.
static void claim_held(struct push_run *run, const struct push_batch *batch,
                       struct state_claim *claim) {
    struct state_row *rows = ARENA_ARRAY(&run->turn, struct state_row, batch->held_count);
    for (size_t i = 0; i < batch->held_count; i++) {
        rows[i] = push_held_row(run, batch, &batch->held[i]);
    }
    claim->held = rows;
    claim->held_count = batch->held_count;
}

static struct state_claim make_claim(struct push_run *run, struct push_batch *batch) {
    const str skipped = batch->retry ? (str){0} : skipped_text(run, batch);
    set_batch_id(run, batch, skipped);
    struct state_claim claim = {.batch = {.batch_id = batch->batch_id,
                                          .retry = batch->retry,
                                          .first = batch->first,
                                          .last = batch->last,
                                          .skipped = skipped,
                                          .since = batch->since,
                                          .until = batch->until,
                                          .rows = (int64_t)batch->count}};
    if (batch->retry) {
        claim_retried(run, batch, &claim);
    } else {
        claim_held(run, batch, &claim);
    }
    return claim;
}

// ── The loop ──

static enum error_code ensure_caller(struct push_run *run, struct error *err) {
    if (run->request->caller != NULL) {
        run->caller = *run->request->caller;
        return ERROR_NONE;
    }
    if (run->call == NULL) {
        TRY(push_call_new(run->request, &run->call, err));
    }
    push_call_table(run->call, &run->table);
    run->caller = push_caller_of_lib(run->call);
    return ERROR_NONE;
}

static size_t in_flight_max(const struct push_run *run) {
    return run->workers * (1 + PUSH_AHEAD);
}

static enum error_code ensure_pool(struct push_run *run, struct error *err) {
    if (run->pool != NULL) {
        return ERROR_NONE;
    }
    TRY(ensure_caller(run, err));
    const struct push_pool_options options = {.workers = run->workers,
                                              .capacity = in_flight_max(run),
                                              .failed_max = PUSH_FAILED_BATCHES_MAX,
                                              .failed_before = run->failed_in_a_row,
                                              .interrupt = run->request->context->interrupt};
    return pool_new(&run->caller, &options, &run->pool, err);
}

static void dispatch(struct push_run *run, struct push_batch *batch) {
    if (batch->count == 0) { // every event is held
        push_batch_free(batch);
        return;
    }
    run->summary->batches++;
    batch->number = run->summary->batches;
    run->in_flight++;
    pool_start(run->pool, batch);
}

// What is to be started next, claimed together.
struct round {
    struct push_batch **batches;
    struct state_claim *claims;
    size_t count;
    size_t claim_count;
};

static enum error_code fill_round(struct push_run *run, struct push_source *source,
                                  struct push_batch **next, struct round *round,
                                  struct error *err) {
    const size_t most = in_flight_max(run);
    round->batches = ARENA_ARRAY(&run->turn, struct push_batch *, most);
    round->claims = ARENA_ARRAY(&run->turn, struct state_claim, most);
    while (run->in_flight + round->count < most && !run->summary->stopped && !run->cancelled) {
        if (*next == NULL) {
            TRY(next_batch(run, source, next, err));
        }
        if (*next == NULL || is_in_flight(run, *next)) {
            return ERROR_NONE;
        }
        hold_blocked(run, *next);
        tag_batch(run, *next, push_tags_add); // from here on as good as started
        if (!(*next)->claimed) {
            round->claims[round->claim_count++] = make_claim(run, *next);
        } else if ((*next)->count == 0) {
            push_outcome_add(run, *next); // a batch of which nothing is left
        }
        round->batches[round->count++] = *next;
        *next = NULL;
    }
    return ERROR_NONE;
}

static enum error_code commit_round(struct push_run *run, const struct round *round,
                                    struct error *err) {
    if (run->outcomes.count == 0 && round->claim_count == 0) {
        return ERROR_NONE;
    }
    crash_point("CP_PUSH_BEFORE_OUTCOME");
    const enum error_code code =
        state_delivery_commit(run->request->state, &run->sink, run->outcomes.items,
                              run->outcomes.count, round->claims, round->claim_count, err);
    crash_point("CP_PUSH_CLAIMED");
    return code;
}

static enum error_code start_round(struct push_run *run, struct push_source *source,
                                   struct push_batch **next, struct error *err) {
    struct round round = {0};
    enum error_code code = fill_round(run, source, next, &round, err);
    if (code == ERROR_NONE && round.count > 0) {
        code = ensure_pool(run, err);
    }
    if (code == ERROR_NONE) {
        code = commit_round(run, &round, err);
    }
    for (size_t i = 0; i < round.count; i++) {
        if (code == ERROR_NONE) {
            dispatch(run, round.batches[i]);
        } else {
            push_batch_free(round.batches[i]);
        }
    }
    run->outcomes.items = NULL;
    run->outcomes.count = 0;
    run->outcomes.capacity = 0;
    arena_reset(&run->turn);
    return code;
}

static void count_failure(struct push_run *run, const struct push_batch *batch) {
    run->failed_in_a_row = batch->failed_whole ? run->failed_in_a_row + 1 : 0;
    if (run->failed_in_a_row >= PUSH_FAILED_BATCHES_MAX) {
        run->summary->stopped = true;
    }
}

// What is claimed and not begun stays in flight in the state when nothing is to be begun any more.
static void look_for_end(struct push_run *run) {
    run->cancelled = interrupt_is_raised(run->request->context->interrupt);
    if (run->cancelled || run->summary->stopped) {
        run->in_flight -= pool_recall(run->pool);
    }
}

// A call that the user interrupted has no outcome: its batch stays in flight for the next run.
static void take_answer(struct push_run *run, struct push_batch *batch) {
    run->in_flight--;
    tag_batch(run, batch, push_tags_remove);
    look_for_end(run); // the batch is answered: an interrupt that ended its call is seen here
    if (!(run->cancelled && batch->failed_whole)) {
        push_outcome_add(run, batch);
        count_failure(run, batch);
    }
    push_batch_free(batch);
}

static enum error_code renew_lease(struct push_run *run, struct error *err) {
    const int64_t now = clock_monotonic_us(&run->request->context->clock);
    if (now - run->renewed_us < (int64_t)STATE_LEASE_RENEW_MS * 1000) {
        return ERROR_NONE;
    }
    run->renewed_us = now;
    return state_sink_renew(run->request->state, &run->sink, err);
}

static enum error_code wait_for_answers(struct push_run *run, struct error *err) {
    struct push_batch *batch = NULL;
    while (batch == NULL && run->in_flight > 0) {
        TRY(renew_lease(run, err));
        batch = pool_wait(run->pool, WAIT_US);
        look_for_end(run);
    }
    for (; batch != NULL; batch = pool_poll(run->pool)) {
        take_answer(run, batch);
    }
    look_for_end(run);
    return ERROR_NONE;
}

static void report_progress(const struct push_run *run) {
    if (run->request->progress != NULL) {
        const struct push_summary *summary = run->summary;
        const int64_t sent =
            summary->ok + summary->warned + summary->failed + summary->rejected + summary->gone;
        run->request->progress(run->request->progress_self, sent, run->announced);
    }
}

static enum error_code send_all(struct push_run *run, struct push_source *source,
                                struct push_batch **next, struct error *err) {
    for (;;) {
        TRY(start_round(run, source, next, err));
        report_progress(run);
        const bool ended = run->summary->stopped || run->cancelled;
        if (run->in_flight > 0) {
            TRY(wait_for_answers(run, err));
        } else if (ended ||
                   (*next == NULL && source->single == NULL &&
                    (source->stream == NULL || (feed_at_end(source->stream) &&
                                                source->stream->first == source->stream->count)))) {
            return ERROR_NONE;
        }
    }
}

enum error_code push_run_source(struct push_run *run, struct push_source *source,
                                struct error *err) {
    struct push_batch *next = NULL;
    run->announced += source->stream != NULL ? source->stream->until - source->stream->next
                                             : (int64_t)source->single->count;
    const enum error_code code = send_all(run, source, &next, err);
    push_batch_free(next); // cut and never claimed
    push_batch_free(source->single);
    source->single = NULL;
    if (code != ERROR_NONE && run->pool != NULL) {
        pool_free(run->pool); // waits for the calls in flight; the next run sends them again
        run->pool = NULL;
        run->in_flight = 0;
    }
    return code;
}

enum error_code push_run_schema(struct push_run *run, int64_t snapshot, struct error *err) {
    pool_free(run->pool); // its workers show the old columns
    run->pool = NULL;
    return feed_describe(&run->table, &run->memory, snapshot, err);
}

enum error_code push_run_finalize(struct push_run *run, struct error *err) {
    const struct push_request *request = run->request;
    if (request->caller == NULL && lib_function_find(request->lib, STR("finalize")) == NULL) {
        return ERROR_NONE;
    }
    TRY(ensure_caller(run, err));
    crash_point("CP_PUSH_FINALIZE");
    return run->caller.finalize(run->caller.self, run->summary->ok + run->summary->warned, 0, err);
}

void push_run_done(struct push_run *run) {
    pool_free(run->pool);
    push_call_free(run->call);
    push_tags_done(&run->flying);
    push_tags_done(&run->blocked);
    arena_done(&run->turn);
    arena_done(&run->memory);
}
