#include "base/text.h"
#include "lake/snapshot.h"
#include "lib/push_feed.h"
#include "lib/push_run.h"
#include "lib/push_sinks.h"

// Taking a sink by hand: to send again, or to forget (libs.md §7.6).

struct mending {
    struct push_run run;
    int64_t identity; // of the table
    int64_t current;
    int64_t oldest;
    bool taken; // the sink's lease is ours
};

static enum error_code read_lake(struct mending *mending, struct error *err) {
    const struct push_request *request = mending->run.request;
    TRY(lake_table_identity(request->connection, request->schema, request->table,
                            &mending->identity, err));
    if (mending->identity == 0) {
        error_set(err, ERROR_NOT_FOUND, STR_FORMAT " has no table yet", STR_ARGS(request->target));
        error_hint(err, "`coypu run " STR_FORMAT "` makes it, and delivers",
                   STR_ARGS(request->target));
        return err->code;
    }
    TRY(lake_current_snapshot(request->connection, &mending->current, err));
    return feed_oldest_snapshot(request->connection, &mending->oldest, err);
}

static enum error_code take(struct mending *mending, struct error *err) {
    struct push_run *run = &mending->run;
    const struct state_owner owner = state_owner_self(&run->memory);
    const struct state_sink_key key = push_sinks_key(run->request, &run->memory);
    TRY(read_lake(mending, err));
    TRY(state_sink_take(run->request->state, &run->memory, &key, &owner, &mending->taken,
                        &run->sink, err));
    if (!mending->taken) {
        return error_set(err, ERROR_CONFLICT, STR_FORMAT " is in delivery by pid %lld",
                         STR_ARGS(key.sink), (long long)run->sink.owner.pid);
    }
    return ERROR_NONE;
}

static enum error_code release(struct mending *mending, enum error_code code) {
    struct error ignored;
    if (mending->taken && state_sink_release(mending->run.request->state, &mending->run.sink,
                                             &ignored) != ERROR_NONE) {
        ignored.code = ERROR_NONE; // the lease ends by itself
    }
    push_run_done(&mending->run);
    return code;
}

static enum error_code check_from(const struct mending *mending, int64_t from, struct error *err) {
    if (from < 0 || from > mending->current) {
        return error_set(err, ERROR_INVALID, "there is no snapshot %lld: the lake has %lld to %lld",
                         (long long)from, (long long)mending->oldest, (long long)mending->current);
    }
    if (from < mending->current && from + 1 < mending->oldest) {
        error_set(err, ERROR_INVALID,
                  "the changes since snapshot %lld were expired: the lake begins at %lld",
                  (long long)from, (long long)mending->oldest);
        error_hint(err, "leave --from out to send every row as an insert");
        return err->code;
    }
    return ERROR_NONE;
}

// Failed rows of the time that is sent again go with it; older ones wait as they did.
static enum error_code drop_newer(struct mending *mending, int64_t from, struct error *err) {
    struct push_run *run = &mending->run;
    struct state_row_list rows;
    TRY(state_failed_list(run->request->state, &run->memory, run->sink.id, &rows, err));
    int64_t *ids = ARENA_ARRAY(&run->memory, int64_t, rows.count);
    struct state_outcome outcome = {.delivered = ids};
    for (size_t i = 0; i < rows.count; i++) {
        if (rows.items[i].snapshot > from) {
            ids[outcome.delivered_count++] = rows.items[i].id;
        }
    }
    return state_delivery_commit(run->request->state, &run->sink, &outcome, 1, NULL, 0, err);
}

static enum error_code rewind_taken(struct mending *mending, int64_t from, struct error *err) {
    struct push_run *run = &mending->run;
    int64_t ignored = 0;
    const int64_t watermark = run->sink.watermark;
    // What was never delivered is not to be passed over.
    const bool all = from == STATE_NO_SNAPSHOT || watermark == STATE_NO_SNAPSHOT;
    if (!all) {
        TRY(check_from(mending, from, err));
    }
    TRY(state_sink_restart(run->request->state, &run->sink, &ignored, err));
    if (all) {
        return ERROR_NONE;
    }
    from = watermark < from ? watermark : from;
    TRY(drop_newer(mending, from, err));
    return state_sink_start(run->request->state, &run->sink, from, mending->identity, err);
}

enum error_code push_rewind(const struct push_request *request, int64_t from, struct error *err) {
    struct push_summary summary = {0};
    struct mending mending = {.run = push_sinks_run(request, NULL, &summary)};
    enum error_code code = take(&mending, err);
    if (code == ERROR_NONE) {
        code = rewind_taken(&mending, from, err);
    }
    return release(&mending, code);
}

enum error_code push_reset(const struct push_request *request, int64_t *dropped,
                           struct error *err) {
    struct push_summary summary = {0};
    struct mending mending = {.run = push_sinks_run(request, NULL, &summary)};
    *dropped = 0;
    enum error_code code = take(&mending, err);
    if (code == ERROR_NONE) {
        code = state_sink_reset(request->state, &mending.run.sink, mending.current,
                                mending.identity, dropped, err);
    }
    return release(&mending, code);
}
