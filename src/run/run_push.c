// The delivery step of a model's turn: after its commit, and also when it was skipped.
#include "base/context.h"
#include "base/text.h"
#include "lake/transaction.h"
#include "lib/push.h"
#include "model/sinks.h"
#include "run/runner.h"

struct push_watch {
    const struct run_events *events;
    const struct model *model;
};

static void push_progress(void *self, int64_t sent, int64_t total) {
    const struct push_watch *watch = self;
    if (total > 0) {
        watch->events->pushing(watch->events->self, watch->model, sent, total);
    }
}

enum error_code run_table_is_empty(struct runner *runner, const struct model *model,
                                   struct arena *scratch, bool *is_empty, struct error *err) {
    const str sql = str_format(scratch, "SELECT 1 FROM " STR_FORMAT " LIMIT 1",
                               STR_ARGS(lake_quote_target(scratch, model->target)));
    int64_t ignored = 0;
    bool found = false;
    TRY(lake_query_int64(runner->session.connection, sql, LAKE_NO_VALUES, &ignored, &found, err));
    *is_empty = !found;
    return ERROR_NONE;
}

static str batch_mode_name(enum lib_batch_mode mode) {
    static const str NAMES[] = {
        [LIB_BATCH_SYNC] = STR_INIT("sync"),
        [LIB_BATCH_ATOMIC] = STR_INIT("atomic"),
        [LIB_BATCH_ASYNC] = STR_INIT("async"),
    };
    return NAMES[mode];
}

// The lines of what was sent, one snapshot for all: also when the delivery ended with an error or
// the program was interrupted, as nothing takes back what was sent.
static enum error_code write_log(struct runner *runner, const struct push_request *request,
                                 const struct push_log *log, struct error *err) {
    struct lake_connection *connection = runner->session.connection;
    if (log->count == 0) {
        return ERROR_NONE;
    }
    run_write_lock(runner);
    const bool was_shielded = lake_shield(connection, true);
    enum error_code code = lake_begin(connection, err);
    if (code == ERROR_NONE) {
        code = push_log_write(connection, request->target,
                              batch_mode_name(request->lib->api.push.batch_mode), request->run_id,
                              log, err);
    }
    if (code == ERROR_NONE) {
        crash_point("CP_LOG_BEFORE_COMMIT");
        code = lake_commit(connection, NULL, err);
        crash_point("CP_LOG_COMMITTED");
    }
    if (code != ERROR_NONE) {
        lake_rollback(connection);
    }
    (void)lake_shield(connection, was_shielded);
    run_write_unlock(runner);
    return code;
}

static void take_summary(struct arena *scratch, str sink, const struct push_summary *summary,
                         struct run_push *push) {
    push->ok = summary->ok;
    push->warned = summary->warned;
    push->failed = summary->failed;
    push->rejected = summary->rejected;
    push->pending = summary->pending;
    push->duration_ms = summary->duration_us / 1000;
    push->json = push_summary_json(scratch, sink, summary);
    const bool anything =
        summary->ok + summary->warned + summary->failed + summary->rejected + summary->pending > 0;
    if (anything || summary->busy || summary->stopped) {
        str_list_push(scratch, &push->messages, push_summary_line(scratch, sink, summary));
    }
    const struct str_list lines = push_messages(scratch, sink, summary);
    for (size_t i = 0; i < lines.count; i++) {
        str_list_push(scratch, &push->messages, lines.items[i]);
    }
}

static enum error_code make_request(struct runner *runner, const struct model *model,
                                    struct arena *scratch, struct push_request *request,
                                    struct error *err) {
    const struct sink_context context = {.context = runner->context,
                                         .connection = runner->session.connection,
                                         .state = runner->state,
                                         .libs = runner->libs,
                                         .run_id = runner->run_id};
    return sink_request(&context, model, scratch, request, err);
}

// A sandbox sends nothing: it says what would go out.
static enum error_code preview(struct runner *runner, const struct model *model,
                               struct arena *scratch, struct run_result *result,
                               struct error *err) {
    struct push_request request;
    struct push_preview found;
    TRY(make_request(runner, model, scratch, &request, err));
    TRY(push_preview(&request, &found, err));
    result->push.pending = push_preview_total(&found);
    if (result->push.pending > 0) {
        str_list_push(scratch, &result->push.messages,
                      push_preview_line(scratch, result->push.sink, &found));
    }
    result->push.json = push_preview_json(scratch, result->push.sink, &found);
    return ERROR_NONE;
}

static enum error_code deliver(struct runner *runner, const struct model *model,
                               const struct modules_data *data, struct arena *scratch,
                               struct run_result *result, struct error *err) {
    const str sink = model->source.directives.sink.name;
    struct push_request request;
    struct push_summary summary = {0};
    TRY(make_request(runner, model, scratch, &request, err));
    request.data = *data;
    request.is_concurrent = run_is_concurrent(runner);
    struct push_watch watch = {&runner->options->events, model};
    if (watch.events->pushing != NULL) {
        request.progress = push_progress;
        request.progress_self = &watch;
    }
    if (result->run_type == RUN_BACKFILL && result->snapshot > 0) {
        TRY(run_table_is_empty(runner, model, scratch, &request.empty_backfill, err));
    }
    TRY(push_forget_others(runner->state, scratch, model->target, sink, &request.args,
                           &summary.warnings, err));
    struct str_list forgotten = summary.warnings;
    enum error_code code = push_deliver(&request, scratch, &summary, err);
    struct error log_error;
    if (write_log(runner, &request, &summary.log, &log_error) != ERROR_NONE && code == ERROR_NONE) {
        *err = log_error;
        code = err->code;
    }
    for (size_t i = 0; i < summary.warnings.count; i++) {
        str_list_push(scratch, &forgotten, summary.warnings.items[i]);
    }
    for (size_t i = 0; i < forgotten.count; i++) {
        struct error warning;
        error_set(&warning, ERROR_REMOTE, STR_FORMAT, STR_ARGS(forgotten.items[i]));
        error_list_add(&result->warnings, &warning);
    }
    take_summary(scratch, sink, &summary, &result->push);
    result->push.incomplete = push_failed(&summary);
    return code;
}

void run_push(struct runner *runner, struct plan_step *step, struct arena *scratch,
              struct run_result *result) {
    const struct model *model = step->model;
    if (!model->source.directives.sink.at.is_set || !step->table_exists) {
        return;
    }
    result->push.present = true;
    result->push.sink = model->source.directives.sink.name;
    struct error err;
    struct lib_data *data = NULL;
    struct modules_data hooks = {0};
    enum error_code code = session_use_threads(&runner->session, true, &err);
    if (code == ERROR_NONE && runner->sandbox != NULL) {
        code = preview(runner, model, scratch, result, &err);
    } else if (code == ERROR_NONE) {
        code = run_connect_data(runner, &data, &hooks, &err);
    }
    if (code == ERROR_NONE && runner->sandbox == NULL) {
        code = deliver(runner, model, &hooks, scratch, result, &err);
    }
    lib_data_free(data);
    if (code != ERROR_NONE) {
        // The data is committed: the model stands, only the delivery failed.
        error_context(&err, "push " STR_FORMAT, STR_ARGS(result->push.sink));
        error_list_add(&result->warnings, &err);
        result->push.incomplete = true;
    }
}

str run_sinks_json(struct runner *runner, const struct model *model, struct arena *scratch) {
    str json = {0};
    struct error ignored;
    if (!model->source.directives.sink.at.is_set ||
        push_watermarks_json(runner->state, scratch, model->target, &json, &ignored) !=
            ERROR_NONE) {
        return (str){0};
    }
    return json;
}
