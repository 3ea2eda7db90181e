// `coypu push status|retry|dead|replay|reset`: deliveries, looked at and mended (libs.md §7.6).
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/layout.h"
#include "inspect/push_state.h"
#include "project/run_lock.h"
#include "run/run.h"

static enum error_code find_model(struct command_line *line, struct inspection *inspection,
                                  const struct model **model, struct error *err) {
    str target;
    TRY(model_target_resolve(line->arena, inspection->project.root, command_argument(line, 1),
                             &target, err));
    *model = models_find(&inspection->models, target);
    if (*model == NULL) {
        return error_set(err, ERROR_NOT_FOUND, "no model makes " STR_FORMAT, STR_ARGS(target));
    }
    return ERROR_NONE;
}

static void json_snapshot(struct json *json, const char *key, int64_t snapshot) {
    json_key(json, str_from(key));
    if (snapshot == STATE_NO_SNAPSHOT) {
        json_null(json);
    } else {
        json_int(json, snapshot);
    }
}

// ── status ──

static int64_t waiting(const struct push_preview *preview) {
    return preview->inserts + preview->updates + preview->deletes;
}

static void json_state(struct json *json, const struct push_state *state) {
    json_object(json);
    json_key_string(json, STR("model"), state->target);
    json_key_string(json, STR("sink"), state->sink);
    json_key(json, STR("args"));
    json_raw(json, state->args.size > 0 ? state->args : STR("[]"));
    json_key(json, STR("pending"));
    if (state->has_preview) {
        json_int(json, waiting(&state->preview));
        json_key_int(json, STR("inserts"), state->preview.inserts);
        json_key_int(json, STR("updates"), state->preview.updates);
        json_key_int(json, STR("deletes"), state->preview.deletes);
    } else {
        json_null(json);
    }
    json_key_int(json, STR("in_flight"), state->preview.in_flight);
    json_key_int(json, STR("failed"), state->stored.state.failed);
    json_key_int(json, STR("dead"), state->stored.state.dead);
    json_snapshot(json, "watermark", state->stored.state.watermark);
    json_key(json, STR("last_error"));
    if (state->stored.last_error.size > 0) {
        json_string(json, state->stored.last_error);
    } else {
        json_null(json);
    }
    if (state->stored.state.owner.pid > 0) {
        json_key_int(json, STR("owner_pid"), state->stored.state.owner.pid);
    }
    json_key_bool(json, STR("has_model"), state->model != NULL);
    json_end(json);
}

static void status_json(struct text *out, const struct push_state_list *list,
                        const struct project *project) {
    struct json json;
    json_init(&json, out);
    json_object(&json);
    json_key_int(&json, STR("schema_version"), 1);
    json_key_int(&json, STR("current_snapshot"), list->current_snapshot);
    json_key(&json, STR("sinks"));
    json_array(&json);
    for (size_t i = 0; i < list->count; i++) {
        json_state(&json, &list->items[i]);
    }
    json_end(&json);
    command_json_warnings(&json, &project->warnings);
    json_end(&json);
    text_add_char(out, '\n');
}

static str watermark_shown(struct arena *arena, int64_t watermark, int64_t current) {
    return watermark == STATE_NO_SNAPSHOT
               ? STR("never")
               : str_format(arena, "%lld of %lld", (long long)watermark, (long long)current);
}

static void status_text(struct text *out, struct arena *arena, const struct push_state_list *list) {
    static const bool RIGHT[] = {false, false, true, true, true, true, false, false};
    if (list->count == 0) {
        text_add(out, STR("no model has a sink\n"));
        return;
    }
    struct grid grid = {.arena = arena, .columns = 8, .right = RIGHT};
    GRID_ROW(&grid, STR("MODEL"), STR("SINK"), STR("PENDING"), STR("IN FLIGHT"), STR("FAILED"),
             STR("DEAD"), STR("DELIVERED TO"), STR("LAST ERROR"));
    for (size_t i = 0; i < list->count; i++) {
        const struct push_state *state = &list->items[i];
        GRID_ROW(&grid, state->target, state->sink,
                 state->has_preview ? count_shown(arena, waiting(&state->preview)) : STR("?"),
                 count_shown(arena, state->preview.in_flight),
                 count_shown(arena, state->stored.state.failed),
                 count_shown(arena, state->stored.state.dead),
                 watermark_shown(arena, state->stored.state.watermark, list->current_snapshot),
                 state->model == NULL ? STR("no model has this sink any more")
                                      : state->stored.last_error);
    }
    grid_write(&grid, out);
}

static enum error_code push_status(struct command_line *line, struct inspection *inspection,
                                   struct error *err) {
    str target = {0};
    struct push_state_list list;
    struct text out;
    text_init(&out, line->arena);
    if (line->arguments.count > 1) {
        TRY(model_target_resolve(line->arena, inspection->project.root, command_argument(line, 1),
                                 &target, err));
    }
    TRY(push_state_read(inspection, target, &list, err));
    if (line->json) {
        status_json(&out, &list, &inspection->project);
    } else {
        status_text(&out, line->arena, &list);
    }
    return command_print(line, text_str(&out), err);
}

// ── dead ──

static void json_dead_row(struct json *json, struct arena *arena, const struct state_row *row) {
    json_object(json);
    json_key_int(json, STR("rowid"), row->rowid);
    json_key_string(json, STR("change_type"), state_change_name(row->change));
    json_key_int(json, STR("snapshot"), row->snapshot);
    json_key(json, STR("keys"));
    json_raw(json, row->keys.size > 0 ? row->keys : STR("{}"));
    json_key_int(json, STR("attempts"), row->attempts);
    json_key_string(json, STR("first"), time_format_utc(arena, row->first_us));
    json_key_string(json, STR("last"), time_format_utc(arena, row->last_us));
    json_key_string(json, STR("message"), row->message);
    json_key(json, STR("row"));
    json_raw(json, row->image.size > 0 ? row->image : STR("null"));
    json_end(json);
}

static void dead_json(struct text *out, struct arena *arena, const struct model *model,
                      const struct state_row_list *rows) {
    struct json json;
    json_init(&json, out);
    json_object(&json);
    json_key_int(&json, STR("schema_version"), 1);
    json_key_string(&json, STR("model"), model->target);
    json_key_string(&json, STR("sink"), model->source.directives.sink.name);
    json_key(&json, STR("rows"));
    json_array(&json);
    for (size_t i = 0; i < rows->count; i++) {
        json_dead_row(&json, arena, &rows->items[i]);
    }
    json_end(&json);
    json_end(&json);
    text_add_char(out, '\n');
}

static void dead_text(struct text *out, struct arena *arena, const struct model *model,
                      const struct state_row_list *rows) {
    static const bool RIGHT[] = {true, false, false, true, false, false};
    if (rows->count == 0) {
        text_format(out, "no dead letters of " STR_FORMAT "\n", STR_ARGS(model->target));
        return;
    }
    struct grid grid = {.arena = arena, .columns = 6, .right = RIGHT};
    GRID_ROW(&grid, STR("ROW"), STR("CHANGE"), STR("KEYS"), STR("TRIES"), STR("LAST (UTC)"),
             STR("WHY"));
    for (size_t i = 0; i < rows->count; i++) {
        const struct state_row *row = &rows->items[i];
        GRID_ROW(&grid, str_format(arena, "%lld", (long long)row->rowid),
                 state_change_name(row->change), row->keys, count_shown(arena, row->attempts),
                 time_shown(arena, row->last_us), row->message);
    }
    grid_write(&grid, out);
    text_format(out,
                "`coypu push dead " STR_FORMAT " --requeue` tries them again, --drop forgets "
                "them\n",
                STR_ARGS(model->target));
}

static str changed_text(struct command_line *line, const struct model *model, const char *word,
                        int64_t count) {
    struct text out;
    text_init(&out, line->arena);
    if (!line->json) {
        text_format(&out, "%lld %s %s of " STR_FORMAT " to " STR_FORMAT "\n", (long long)count,
                    count == 1 ? "row" : "rows", word, STR_ARGS(model->target),
                    STR_ARGS(model->source.directives.sink.name));
        return text_str(&out);
    }
    struct json json;
    json_init(&json, &out);
    json_object(&json);
    json_key_int(&json, STR("schema_version"), 1);
    json_key_string(&json, STR("model"), model->target);
    json_key_string(&json, STR("sink"), model->source.directives.sink.name);
    json_key_int(&json, str_from(word), count);
    json_end(&json);
    text_add_char(&out, '\n');
    return text_str(&out);
}

static enum error_code push_dead(struct command_line *line, struct inspection *inspection,
                                 struct error *err) {
    const struct model *model = NULL;
    struct fact_sink sink;
    struct state_row_list rows = {0};
    int64_t count = 0;
    TRY(find_model(line, inspection, &model, err));
    TRY(fact_sink_read(inspection->state, line->arena, model, &sink, err));
    const int64_t id = sink.state.id;
    if (command_flag(line, "requeue")) {
        TRY(state_dead_requeue(inspection->state, id, &count, err));
        return command_print(line, changed_text(line, model, "requeued", count), err);
    }
    if (command_flag(line, "drop")) {
        TRY(state_dead_drop(inspection->state, id, &count, err));
        return command_print(line, changed_text(line, model, "dropped", count), err);
    }
    struct text out;
    text_init(&out, line->arena);
    if (id > 0) {
        TRY(state_dead_list(inspection->state, line->arena, id, &rows, err));
    }
    if (line->json) {
        dead_json(&out, line->arena, model, &rows);
    } else {
        dead_text(&out, line->arena, model, &rows);
    }
    return command_print(line, text_str(&out), err);
}

// ── reset ──

static enum error_code ask_reset(struct command_line *line, const struct model *model,
                                 struct error *err) {
    if (command_flag(line, "yes")) {
        return ERROR_NONE;
    }
    if (line->json || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        error_rule(err, ERROR_INVALID, "cli.usage",
                   "push reset forgets what " STR_FORMAT " still has to deliver: say --yes",
                   STR_ARGS(model->target));
        return err->code;
    }
    (void)fprintf(stderr, "forget what " STR_FORMAT " still has to deliver? [y/N] ",
                  STR_ARGS(model->target));
    (void)fflush(stderr);
    char answer[16] = "";
    if (fgets(answer, sizeof(answer), stdin) == NULL || (answer[0] != 'y' && answer[0] != 'Y')) {
        return error_set(err, ERROR_CANCELLED, "nothing was changed");
    }
    return ERROR_NONE;
}

static enum error_code reset_sink(struct command_line *line, struct inspection *inspection,
                                  struct error *err) {
    const struct model *model = NULL;
    struct push_request request;
    int64_t dropped = 0;
    TRY(find_model(line, inspection, &model, err));
    TRY(push_state_request(inspection, model, &request, err));
    TRY(ask_reset(line, model, err));
    TRY(push_reset(&request, &dropped, err));
    return command_print(line, changed_text(line, model, "forgotten", dropped), err);
}

// ── retry, replay ──

static enum error_code rewind_sink(struct command_line *line, struct inspection *inspection,
                                   struct error *err) {
    const struct model *model = NULL;
    struct push_request request;
    int64_t from = STATE_NO_SNAPSHOT;
    TRY(command_number(line, "from", 0, INT64_MAX, &from, err));
    TRY(find_model(line, inspection, &model, err));
    TRY(push_state_request(inspection, model, &request, err));
    return push_rewind(&request, from, err);
}

struct delivery {
    struct command_line *line;
    bool has_sink;
    bool failed; // the model itself
};

static void on_finished(void *self, const struct run_result *result) {
    struct delivery *delivery = self;
    struct command_line *line = delivery->line;
    struct text out;
    struct error ignored;
    text_init(&out, line->arena);
    delivery->has_sink = result->push.present || result->status == RUN_ERROR;
    delivery->failed = result->status == RUN_ERROR;
    for (size_t i = 0; i < result->errors.count; i++) {
        command_print_error(line, &result->errors.items[i]);
    }
    command_print_warnings(line, &result->warnings);
    if (!result->push.present) {
        return;
    }
    if (line->json) {
        struct json json;
        json_init(&json, &out);
        json_object(&json);
        json_key_int(&json, STR("schema_version"), 1);
        json_key_string(&json, STR("model"), result->model->target);
        json_key(&json, STR("push"));
        json_raw(&json, result->push.json.size > 0 ? result->push.json : STR("null"));
        command_json_warnings(&json, &result->warnings);
        json_end(&json);
        text_add_char(&out, '\n');
    } else if (result->push.messages.count == 0) {
        text_format(&out, "push " STR_FORMAT ": nothing to deliver\n", STR_ARGS(result->push.sink));
    }
    for (size_t i = 0; i < result->push.messages.count && !line->json; i++) {
        text_format(&out, STR_FORMAT "\n", STR_ARGS(result->push.messages.items[i]));
    }
    if (command_print(line, text_str(&out), &ignored) != ERROR_NONE) {
        return; // a closed pipe ends nothing
    }
}

static int deliver(struct command_line *line, str target) {
    struct delivery delivery = {.line = line};
    struct run_summary summary;
    struct error_list errors;
    error_list_init(&errors, line->arena);
    const struct run_options options = {
        .context = line->context,
        .target = target,
        .deliver_only = true,
        .keep_going = true,
        .jobs = 1,
        .events = {.finished = on_finished, .self = &delivery},
    };
    int status = EXIT_CLEAN;
    if (run_project(&options, &summary, &errors) != ERROR_NONE) {
        for (size_t i = 0; i < errors.count; i++) {
            status = command_fail(line, &errors.items[i]);
        }
        return status;
    }
    if (summary.interrupted) {
        return EXIT_INTERRUPTED;
    }
    if (!delivery.has_sink) {
        struct error err;
        error_set(&err, ERROR_INVALID,
                  STR_FORMAT " has nothing to deliver: no sink, or no table "
                             "yet",
                  STR_ARGS(target));
        return command_fail(line, &err);
    }
    return summary.push_failed || delivery.failed ? EXIT_FINDINGS : EXIT_CLEAN;
}

// ── The command ──

struct action {
    const char *name;
    bool needs_model;
    bool writes;
    bool delivers;
    const char *options[3]; // of the table below, that it takes
    enum error_code (*look)(struct command_line *line, struct inspection *inspection,
                            struct error *err); // before any delivery; NULL: nothing to do
};

static const struct action ACTIONS[] = {
    {"status", false, false, false, {NULL}, push_status},
    {"retry", true, false, true, {NULL}, NULL},
    {"dead", true, false, false, {"requeue", "drop"}, push_dead},
    {"replay", true, true, true, {"from"}, rewind_sink},
    {"reset", true, true, false, {"yes"}, reset_sink},
};

static bool action_takes(const struct action *action, const char *option) {
    for (size_t i = 0; i < ARRAY_COUNT(action->options); i++) {
        if (action->options[i] != NULL &&
            str_equal(str_from(action->options[i]), str_from(option))) {
            return true;
        }
    }
    return false;
}

static enum error_code check_usage(struct command_line *line, const struct action **found,
                                   struct error *err) {
    static const char *const OPTIONS[] = {"from", "requeue", "drop", "yes"};
    const str word = command_argument(line, 0);
    *found = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(ACTIONS); i++) {
        if (str_equal(str_from(ACTIONS[i].name), word)) {
            *found = &ACTIONS[i];
        }
    }
    if (*found == NULL) {
        error_rule(err, ERROR_INVALID, "cli.usage", "push has no action \"" STR_FORMAT "\"",
                   STR_ARGS(word));
        error_hint(err, "the actions are status, retry, dead, replay, reset");
        return err->code;
    }
    if ((*found)->needs_model && line->arguments.count < 2) {
        error_rule(err, ERROR_INVALID, "cli.usage", "push %s needs a model", (*found)->name);
        error_hint(err, "usage: coypu push %s MODEL; `coypu push status` lists them",
                   (*found)->name);
        return err->code;
    }
    for (size_t i = 0; i < ARRAY_COUNT(OPTIONS); i++) {
        str ignored;
        const bool given = command_option(line, OPTIONS[i], &ignored);
        if (given && !action_takes(*found, OPTIONS[i])) {
            return error_rule(err, ERROR_INVALID, "cli.usage", "push %s does not take --%s",
                              (*found)->name, OPTIONS[i]);
        }
    }
    int64_t from = 0;
    if (command_number(line, "from", 0, INT64_MAX, &from, err) != ERROR_NONE) {
        err->rule = "cli.usage";
        return err->code;
    }
    if (command_flag(line, "requeue") && command_flag(line, "drop")) {
        return error_rule(err, ERROR_INVALID, "cli.usage",
                          "push dead takes --requeue or --drop, not both");
    }
    return ERROR_NONE;
}

static enum error_code look(struct command_line *line, const struct action *action,
                            struct error *err) {
    const bool writes =
        action->writes || command_flag(line, "requeue") || command_flag(line, "drop");
    struct inspection inspection;
    const struct inspection_options options = {
        .context = line->context, .with_models = true, .writable = writes};
    enum error_code code = inspection_open(line->arena, &options, &inspection, err);
    RUN_LOCK lock = {.fd = -1};
    if (code == ERROR_NONE && writes) {
        code = run_lock_take(&inspection.project, "coypu push", 0, &lock, err);
    }
    if (code == ERROR_NONE) {
        command_print_warnings(line, &inspection.project.warnings);
        code = action->look(line, &inspection, err);
    }
    inspection_close(&inspection);
    return code;
}

static enum error_code resolve(struct command_line *line, str *target, struct error *err) {
    struct project project;
    TRY(project_open(line->context, line->arena, (str){0}, &project, err));
    return model_target_resolve(line->arena, project.root, command_argument(line, 1), target, err);
}

static int run(struct command_line *line) {
    struct error err = {0};
    const struct action *action = NULL;
    str target = {0};
    enum error_code code = check_usage(line, &action, &err);
    if (code == ERROR_NONE && action->look != NULL) {
        code = look(line, action, &err);
    }
    if (code == ERROR_NONE && action->delivers) {
        code = resolve(line, &target, &err);
    }
    if (code != ERROR_NONE) {
        return command_fail(line, &err);
    }
    return action->delivers ? deliver(line, target) : EXIT_CLEAN;
}

const struct command command_push = {
    .name = "push",
    .arguments = "status|retry|dead|replay|reset [MODEL]",
    .summary = "look at deliveries and mend them",
    .help =
        "status [MODEL]   what waits, is in flight, failed or was given up, for every sink\n"
        "retry MODEL      deliver what waits now, without running the model\n"
        "dead MODEL       the rows that were given up; --requeue tries them again, --drop\n"
        "                 forgets them\n"
        "replay MODEL     deliver every row again as an insert, or the changes since a snapshot\n"
        "reset MODEL      forget what waits: everything up to now counts as delivered",
    .arguments_min = 1,
    .arguments_max = 2,
    .options = {{"from", 0, "SNAPSHOT", "replay: the changes since this snapshot"},
                {"requeue", 0, NULL, "dead: try them again with the next delivery"},
                {"drop", 0, NULL, "dead: forget them"},
                {"yes", 'y', NULL, "reset: do not ask"}},
    .run = run,
};
