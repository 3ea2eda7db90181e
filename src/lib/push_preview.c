#include "base/json.h"
#include "base/text.h"
#include "lake/snapshot.h"
#include "lib/push_run.h"
#include "lib/push_sinks.h"

// What waits, without sending it.

// The events of the stream from index `first` on, without those that failed rows stand for.
static enum error_code count_changes(const struct push_stream *stream, int64_t first,
                                     const int64_t *joined, size_t joined_count,
                                     struct push_preview *preview, struct error *err) {
    SCRATCH(scratch);
    const str sql = str_format(&scratch,
                               "SELECT __ondatra_c, count(*) FROM temp.main.%s WHERE __ondatra_i "
                               ">= ? AND NOT list_contains(?::BIGINT[], __ondatra_r) GROUP BY 1",
                               stream->name);
    LAKE_RESULT result = NULL;
    TRY(lake_query(stream->table->connection, sql,
                   LAKE_VALUES(lake_value_int64(first), lake_value_int64s(joined, joined_count)),
                   &result, err));
    while (lake_result_next(result)) {
        const int64_t count = lake_result_int64(result, 1);
        switch ((enum state_change)lake_result_int64(result, 0)) {
        case STATE_CHANGE_INSERT:
            preview->inserts += count;
            break;
        case STATE_CHANGE_UPDATE_POSTIMAGE:
            preview->updates += count;
            break;
        case STATE_CHANGE_UPDATE_PREIMAGE:
            break; // the other half of an update
        case STATE_CHANGE_DELETE:
            preview->deletes += count;
            break;
        }
    }
    return ERROR_NONE;
}

static enum error_code preview_range(struct push_run *run, int64_t from, int64_t to, int64_t first,
                                     bool with_joined, struct push_preview *preview,
                                     struct error *err) {
    int64_t *joined = NULL;
    size_t joined_count = 0;
    if (with_joined) {
        TRY(state_joined_list(run->request->state, &run->memory, run->sink.id, &joined,
                              &joined_count, err));
    }
    TRY(push_run_schema(run, to, err));
    struct push_stream stream = {0};
    enum error_code code = feed_stage_range(&stream, &run->table, from, to, err);
    if (code == ERROR_NONE) {
        code = count_changes(&stream, first, joined, joined_count, preview, err);
    }
    feed_stream_done(&stream);
    return code;
}

// A range whose start was expired is sent as inserts of every row.
static int64_t readable_from(int64_t from, int64_t to, int64_t oldest) {
    return from != STATE_NO_SNAPSHOT && from + 1 < oldest && from < to ? STATE_NO_SNAPSHOT : from;
}

static enum error_code preview_ranges(struct push_run *run, struct push_preview *preview,
                                      struct error *err) {
    const struct push_request *request = run->request;
    struct lake_table table;
    bool found = false;
    int64_t current = 0;
    int64_t oldest = 0;
    TRY(lake_table_find(request->connection, &run->memory, request->schema, request->table, &table,
                        &found, err));
    if (!found) {
        return ERROR_NONE;
    }
    TRY(lake_current_snapshot(request->connection, &current, err));
    TRY(feed_oldest_snapshot(request->connection, &oldest, err));
    const struct state_sink *sink = &run->sink;
    int64_t from = sink->watermark;
    const bool other_table =
        sink->table_id != STATE_NO_SNAPSHOT && sink->table_id != table.identity;
    if (other_table || sink->watermark > current) {
        from = STATE_NO_SNAPSHOT; // another table, or another lake: it begins again
    } else if (sink->range_open && sink->range_to >= oldest &&
               readable_from(sink->range_from, sink->range_to, oldest) == sink->range_from) {
        TRY(preview_range(run, sink->range_from, sink->range_to, sink->position, true, preview,
                          err));
        from = sink->range_to;
    }
    from = readable_from(from, current, oldest);
    return from >= current ? ERROR_NONE : preview_range(run, from, current, 0, false, preview, err);
}

static enum error_code count_in_flight(struct push_run *run, struct push_preview *preview,
                                       struct error *err) {
    struct state_batch_list batches;
    TRY(state_batch_list(run->request->state, &run->memory, run->sink.id, &batches, err));
    for (size_t i = 0; i < batches.count; i++) { // rows of a retry are failed rows already
        preview->in_flight += batches.items[i].retry ? 0 : batches.items[i].rows;
    }
    return ERROR_NONE;
}

enum error_code push_preview(const struct push_request *request, struct push_preview *preview,
                             struct error *err) {
    *preview = (struct push_preview){0};
    struct push_summary summary = {0};
    struct push_run run = push_sinks_run(request, NULL, &summary);
    const struct state_sink_key key = push_sinks_key(request, &run.memory);
    bool found = false;
    enum error_code code =
        state_sink_find(request->state, &run.memory, &key, &found, &run.sink, err);
    if (!found) {
        run.sink =
            (struct state_sink){.watermark = STATE_NO_SNAPSHOT, .table_id = STATE_NO_SNAPSHOT};
    }
    preview->retries = run.sink.failed;
    if (code == ERROR_NONE && found) {
        code = count_in_flight(&run, preview, err);
    }
    if (code == ERROR_NONE) {
        code = preview_ranges(&run, preview, err);
    }
    push_run_done(&run);
    return code;
}

int64_t push_preview_total(const struct push_preview *preview) {
    return preview->inserts + preview->updates + preview->deletes + preview->in_flight +
           preview->retries;
}

str push_preview_line(struct arena *arena, str sink, const struct push_preview *preview) {
    const int64_t waiting = preview->in_flight + preview->retries;
    const str again =
        waiting == 0 ? (str){0} : str_format(arena, ", %lld of earlier runs", (long long)waiting);
    return str_format(arena,
                      "would push %lld rows (%lld inserts, %lld updates, %lld deletes" STR_FORMAT
                      ") to " STR_FORMAT,
                      (long long)push_preview_total(preview), (long long)preview->inserts,
                      (long long)preview->updates, (long long)preview->deletes, STR_ARGS(again),
                      STR_ARGS(sink));
}

str push_preview_json(struct arena *arena, str sink, const struct push_preview *preview) {
    struct text text;
    struct json json;
    text_init(&text, arena);
    json_init(&json, &text);
    json_object(&json);
    json_key_string(&json, STR("sink"), sink);
    json_key_int(&json, STR("would_push"), push_preview_total(preview));
    json_key_int(&json, STR("inserts"), preview->inserts);
    json_key_int(&json, STR("updates"), preview->updates);
    json_key_int(&json, STR("deletes"), preview->deletes);
    json_key_int(&json, STR("waiting"), preview->in_flight + preview->retries);
    json_end(&json);
    return text_str(&text);
}
