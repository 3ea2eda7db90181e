#include "lib/push_ranges.h"

#include "lib/push_join.h"

enum error_code push_failed_rows(struct push_run *run, str batch_id, struct state_row_list *rows,
                                 struct error *err) {
    struct state_row_list all;
    TRY(state_failed_list(run->request->state, &run->memory, run->sink.id, &all, err));
    *rows = (struct state_row_list){0};
    for (size_t i = 0; i < all.count; i++) {
        if (str_equal(all.items[i].batch_id, batch_id)) {
            LIST_PUSH(&run->memory, rows, all.items[i]);
        }
    }
    return ERROR_NONE;
}

static enum error_code load_joined(struct push_run *run, struct push_stream *stream,
                                   struct error *err) {
    int64_t *joined = NULL;
    TRY(state_joined_list(run->request->state, &run->memory, run->sink.id, &joined,
                          &stream->joined_count, err));
    stream->joined = joined;
    return ERROR_NONE;
}

// Joins the failed rows with the staged range and opens it.
static enum error_code open_range(struct push_run *run, struct push_stream *stream,
                                  int64_t table_id, int64_t to, struct error *err) {
    struct state_row_list rows;
    TRY(push_failed_rows(run, STR(""), &rows, err));
    struct push_join join = {0};
    const int64_t from = run->sink.watermark;
    if (rows.count > 0) {
        struct feed_change *changes = NULL;
        size_t count = 0;
        TRY(feed_touching(stream, &run->memory, rows.items, rows.count, &changes, &count, err));
        join = push_join_rows(&run->memory, rows.items, rows.count, changes, count, from);
    }
    run->summary->gone += join.gone;
    crash_point("CP_PUSH_BEFORE_RANGE");
    TRY(state_range_open(run->request->state, &run->sink,
                         &(struct state_range_open){.from = from,
                                                    .to = to,
                                                    .table_id = table_id,
                                                    .changed = join.changed,
                                                    .changed_count = join.changed_count,
                                                    .removed = join.removed,
                                                    .removed_count = join.removed_count,
                                                    .joined = join.joined,
                                                    .joined_count = join.joined_count},
                         err));
    crash_point("CP_PUSH_RANGE_OPENED");
    return load_joined(run, stream, err);
}

enum error_code push_stage_new(struct push_run *run, struct push_stream *stream, int64_t table_id,
                               int64_t current, struct error *err) {
    if (run->sink.watermark >= current) {
        return ERROR_NONE;
    }
    TRY(push_run_schema(run, current, err));
    TRY(feed_stage_range(stream, &run->table, run->sink.watermark, current, err));
    const bool starts_again = run->sink.watermark == STATE_NO_SNAPSHOT && run->sink.failed > 0;
    if (stream->total > 0 || starts_again) {
        return open_range(run, stream, table_id, current, err);
    }
    // Nothing of ours: the watermark moves on all the same, so that expiry cannot pass it.
    return state_sink_start(run->request->state, &run->sink, current, table_id, err);
}

enum error_code push_stage_open(struct push_run *run, struct push_stream *stream,
                                struct error *err) {
    TRY(push_run_schema(run, run->sink.range_to, err));
    TRY(feed_stage_range(stream, &run->table, run->sink.range_from, run->sink.range_to, err));
    return load_joined(run, stream, err);
}
