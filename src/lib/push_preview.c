#include "base/text.h"
#include "lake/snapshot.h"
#include "lib/push_run.h"
#include "lib/push_sinks.h"

// What a sandbox run shows instead of delivering.

static enum error_code count_changes(const struct push_stream *stream, struct push_preview *preview,
                                     struct error *err) {
    SCRATCH(scratch);
    const str sql = str_format(
        &scratch, "SELECT __ondatra_c, count(*) FROM temp.main.%s GROUP BY 1", stream->name);
    LAKE_RESULT result = NULL;
    TRY(lake_query(stream->table->connection, sql, LAKE_NO_VALUES, &result, err));
    while (lake_result_next(result)) {
        const int64_t count = lake_result_int64(result, 1);
        switch ((enum state_change)lake_result_int64(result, 0)) {
        case STATE_CHANGE_INSERT:
            preview->inserts = count;
            break;
        case STATE_CHANGE_UPDATE_POSTIMAGE:
            preview->updates = count;
            break;
        case STATE_CHANGE_UPDATE_PREIMAGE:
            break; // the other half of an update
        case STATE_CHANGE_DELETE:
            preview->deletes = count;
            break;
        }
    }
    return ERROR_NONE;
}

static enum error_code preview_range(struct push_run *run, struct push_preview *preview,
                                     struct error *err) {
    int64_t current = 0;
    TRY(lake_current_snapshot(run->request->connection, &current, err));
    if (run->sink.watermark >= current) {
        return ERROR_NONE;
    }
    TRY(push_run_schema(run, current, err));
    struct push_stream stream = {0};
    enum error_code code =
        feed_stage_range(&stream, &run->table, run->sink.watermark, current, err);
    if (code == ERROR_NONE) {
        code = count_changes(&stream, preview, err);
    }
    feed_stream_done(&stream);
    return code;
}

enum error_code push_preview(const struct push_request *request, struct push_preview *preview,
                             struct error *err) {
    *preview = (struct push_preview){0};
    struct push_summary summary = {0};
    struct push_run run = push_sinks_run(request, NULL, &summary);
    const struct state_sink_key key = push_sinks_key(request, &run.memory);
    bool found = false;
    run.sink.watermark = STATE_NO_SNAPSHOT;
    enum error_code code =
        state_sink_find(request->state, &run.memory, &key, &found, &run.sink, err);
    preview->retries = found ? run.sink.failed : 0;
    if (code == ERROR_NONE) {
        code = preview_range(&run, preview, err);
    }
    push_run_done(&run);
    return code;
}
