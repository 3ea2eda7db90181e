#include "lib/push_sinks.h"

#include "base/json.h"
#include "base/text.h"
#include "lake/attach.h"

static const str content_hash = STR_INIT("_content_hash"); // of tracked tables, ours alone

static str args_json(struct arena *arena, const struct str_list *args) {
    struct text out;
    struct json json;
    text_init(&out, arena);
    json_init(&json, &out);
    json_array(&json);
    for (size_t i = 0; i < args->count; i++) {
        json_string(&json, args->items[i]);
    }
    json_end(&json);
    return text_str(&out);
}

struct state_sink_key push_sinks_key(const struct push_request *request, struct arena *arena) {
    return (struct state_sink_key){.target = request->target,
                                   .sink = request->lib->name,
                                   .args = args_json(arena, &request->args)};
}

struct push_run push_sinks_run(const struct push_request *request, struct arena *arena,
                               struct push_summary *summary) {
    const bool tracked = str_equal(request->kind, STR("tracked"));
    const struct lib_push *push = &request->lib->api.push;
    struct push_run run = {
        .request = request,
        .arena = arena,
        .summary = summary,
        .table = {.connection = request->connection,
                  .schema = request->schema,
                  .name = request->table,
                  .append = str_equal(request->kind, STR("append")),
                  .grouped = tracked,
                  .keys = request->keys,
                  .hidden = tracked ? content_hash : (str){0}},
        .rules = {.batch_size = push->batch_size > 0 ? (size_t)push->batch_size : 1,
                  .grouped = tracked},
        .workers = push->max_concurrent > 0 ? (size_t)push->max_concurrent : 1,
    };
    arena_init(&run.memory);
    arena_init(&run.turn);
    return run;
}

enum error_code push_sinks_recover(const struct push_request *request,
                                   const struct state_sink_key *key, int64_t *delivered,
                                   struct error *err) {
    SCRATCH(scratch);
    const str alias = lake_quote_name(&scratch, lake_alias(lake_of(request->connection)));
    const str sql = str_format(
        &scratch,
        "WITH e AS (SELECT snapshot_id, unnest((commit_extra_info::JSON -> '$.sinks')::JSON[]) AS s"
        " FROM " STR_FORMAT ".snapshots() WHERE commit_extra_info LIKE '%%\"sinks\"%%'),"
        " m AS (SELECT * FROM e WHERE lower(s ->> 'target') = lower($1))"
        " SELECT (s ->> 'delivered')::BIGINT FROM m WHERE snapshot_id ="
        " (SELECT max(snapshot_id) FROM m) AND (s ->> 'sink') = $2 AND (s ->> 'args') = $3",
        STR_ARGS(alias));
    bool found = false;
    TRY(lake_query_int64(request->connection, sql,
                         LAKE_VALUES(lake_value_text(key->target), lake_value_text(key->sink),
                                     lake_value_text(key->args)),
                         delivered, &found, err));
    if (!found || *delivered < 0) {
        *delivered = STATE_NO_SNAPSHOT;
    }
    return ERROR_NONE;
}

enum error_code push_sinks_waiting(struct push_run *run, int64_t current, struct error *err) {
    const struct state_sink *sink = &run->sink;
    const int64_t from = sink->range_open ? sink->range_to : sink->watermark;
    run->summary->pending = sink->failed;
    if (from >= current) {
        return ERROR_NONE;
    }
    TRY(push_run_schema(run, current, err));
    struct push_stream stream = {0};
    const enum error_code code = feed_stage_range(&stream, &run->table, from, current, err);
    run->summary->pending += stream.total;
    feed_stream_done(&stream);
    return code;
}

// ── A batch from its bounds ──

static bool is_skipped(str skipped, int64_t index) {
    struct str_splitter splitter = {.rest = skipped};
    str part = {0};
    int64_t number = 0;
    while (str_split_next(&splitter, ',', &part)) {
        if (str_parse_int64(part, &number) && number == index) {
            return true;
        }
    }
    return false;
}

static size_t without_skipped(struct push_stream *stream, str skipped, struct arena *arena,
                              struct push_event **kept) {
    const size_t count = stream->count - stream->first;
    *kept = ARENA_ARRAY(arena, struct push_event, count);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const struct push_event *event = &stream->events[stream->first + i];
        if (!is_skipped(skipped, event->index)) {
            (*kept)[used++] = *event;
        }
    }
    return used;
}

enum error_code push_sinks_whole_batch(struct push_stream *stream, const struct state_batch *stored,
                                       struct push_batch **out, struct error *err) {
    bool more = true;
    while (more) {
        TRY(feed_read(stream, &more, err));
    }
    SCRATCH(scratch);
    struct push_event *events = NULL;
    const size_t count = without_skipped(stream, stored->skipped, &scratch, &events);
    struct push_batch *batch = push_batch_new();
    batch->claimed = true;
    batch->retry = stored->retry;
    batch->first = stored->first;
    batch->last = stored->last;
    batch->since = stored->since;
    batch->until = stored->until;
    batch->batch_id = str_copy(&batch->arena, stored->batch_id);
    push_batch_fill(batch, events, count);
    feed_take(stream, stream->count - stream->first);
    *out = batch;
    return ERROR_NONE;
}

// ── Sinks of a target ──

enum error_code push_watermarks_json(struct state *state, struct arena *arena, str target, str *out,
                                     struct error *err) {
    SCRATCH(scratch);
    struct state_sink_list sinks;
    TRY(state_sink_list(state, &scratch, target, &sinks, err));
    struct text text;
    struct json json;
    text_init(&text, arena);
    json_init(&json, &text);
    json_array(&json);
    for (size_t i = 0; i < sinks.count; i++) {
        json_object(&json);
        json_key_string(&json, STR("target"), sinks.items[i].key.target);
        json_key_string(&json, STR("sink"), sinks.items[i].key.sink);
        json_key_string(&json, STR("args"), sinks.items[i].key.args);
        json_key_int(&json, STR("delivered"), sinks.items[i].watermark);
        json_end(&json);
    }
    json_end(&json);
    *out = text_str(&text);
    return ERROR_NONE;
}

enum error_code push_forget_others(struct state *state, struct arena *arena, str target, str sink,
                                   const struct str_list *args, struct str_list *warnings,
                                   struct error *err) {
    SCRATCH(scratch);
    const str kept = args_json(&scratch, args);
    struct state_sink_list sinks;
    TRY(state_sink_list(state, &scratch, target, &sinks, err));
    for (size_t i = 0; i < sinks.count; i++) {
        const struct state_sink *other = &sinks.items[i];
        if (str_equal(other->key.sink, sink) && str_equal(other->key.args, kept)) {
            continue;
        }
        struct state_batch_list batches;
        TRY(state_batch_list(state, &scratch, other->id, &batches, err));
        int64_t pending = other->failed;
        for (size_t j = 0; j < batches.count; j++) { // rows of a retry are failed rows already
            pending += batches.items[j].retry ? 0 : batches.items[j].rows;
        }
        TRY(state_sink_delete(state, other->id, err));
        str_list_push(arena, warnings,
                      str_format(arena,
                                 "the sink of " STR_FORMAT " is now " STR_FORMAT STR_FORMAT
                                 ": %lld rows pending for " STR_FORMAT STR_FORMAT " were dropped",
                                 STR_ARGS(target), STR_ARGS(sink), STR_ARGS(kept),
                                 (long long)pending, STR_ARGS(other->key.sink),
                                 STR_ARGS(other->key.args)));
    }
    return ERROR_NONE;
}
