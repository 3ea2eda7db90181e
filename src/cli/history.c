// `coypu history [TARGET]`: what ran, newest first (models.md §12.1).
#include "inspect/history.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/inspection_command.h"
#include "cli/layout.h"
#include "inspect/inspect.h"

enum { LIMIT_DEFAULT = 50 };

static void write_run(struct json *json, struct arena *arena, const struct history_run *run) {
    json_object(json);
    json_key_int(json, STR("id"), run->snapshot);
    json_key_string(json, STR("time"), time_format_utc(arena, run->started_us));
    json_key_string(json, STR("model"), run->model);
    json_key_string(json, STR("kind"), run->kind);
    json_key_string(json, STR("run_type"), run->run_type);
    json_key_int(json, STR("rows"), run->rows);
    json_key_int(json, STR("duration_ms"), run->duration_ms);
    json_key_string(json, STR("run_id"), run->run_id);
    json_key_string(json, STR("status"), run->status);
    json_key_string(json, STR("run_reason"), run->reason);
    if (run->blocked.size > 0) {
        json_key_string(json, STR("skipped_because"), run->blocked);
    }
    if (run->message.size > 0) {
        json_key_string(json, STR("error"), run->message);
    }
    json_end(json);
}

static void write_json(struct text *out, struct arena *arena, str target, int64_t limit,
                       const struct history *history, const struct project *project) {
    struct json json;
    json_init(&json, out);
    json_object(&json);
    json_key_int(&json, STR("schema_version"), 1);
    json_key_string(&json, STR("model"), target);
    json_key_int(&json, STR("limit"), limit);
    json_key(&json, STR("runs"));
    json_array(&json);
    for (size_t i = 0; i < history->count; i++) {
        write_run(&json, arena, &history->items[i]);
    }
    json_end(&json);
    command_json_warnings(&json, &project->warnings);
    json_end(&json);
    text_add_char(out, '\n');
}

static str outcome(struct arena *arena, const struct history_run *run) {
    if (run->blocked.size > 0) {
        return str_format(arena, STR_FORMAT " failed", STR_ARGS(run->blocked));
    }
    return run->message.size > 0 ? run->message : run->reason;
}

static void write_text(struct text *out, struct arena *arena, const struct history *history) {
    static const bool RIGHT[] = {false, false, false, false, false, true, true, false};
    struct grid grid = {.arena = arena, .columns = 8, .right = RIGHT};
    if (history->count == 0) {
        text_add(out, STR("nothing has run yet\n"));
        return;
    }
    GRID_ROW(&grid, STR("TIME (UTC)"), STR("MODEL"), STR("KIND"), STR("TYPE"), STR("STATUS"),
             STR("ROWS"), STR("TOOK"), STR("WHY"));
    for (size_t i = 0; i < history->count; i++) {
        const struct history_run *run = &history->items[i];
        GRID_ROW(&grid, time_shown(arena, run->started_us), run->model, run->kind, run->run_type,
                 run->status, count_shown(arena, run->rows),
                 duration_format(arena, run->duration_ms * 1000), outcome(arena, run));
    }
    grid_write(&grid, out);
}

// A model that has not run is known by its file; one whose file is gone, by what it did.
static enum error_code find_target(struct inspection *inspection, str wanted, str *target,
                                   struct error *err) {
    *target = wanted;
    if (wanted.size == 0) {
        return ERROR_NONE;
    }
    const enum error_code code =
        model_target_resolve(inspection->arena, inspection->project.root, wanted, target, err);
    if (code != ERROR_NOT_FOUND) {
        return code;
    }
    struct history past;
    struct error ignored;
    const enum error_code past_code =
        history_read(inspection->session.connection, inspection->state, inspection->arena, wanted,
                     1, &past, &ignored);
    *target = wanted;
    return past_code == ERROR_NONE && past.count > 0 ? ERROR_NONE : code;
}

static enum error_code read_limit(const struct command_line *line, int64_t *limit,
                                  struct error *err) {
    *limit = LIMIT_DEFAULT;
    return command_number(line, "limit", 1, INT64_MAX / 4, limit, err);
}

static enum error_code show(struct command_line *line, struct inspection *inspection,
                            struct error *err) {
    struct arena *arena = line->arena;
    str target;
    struct history history;
    int64_t limit = 0;
    TRY(read_limit(line, &limit, err));
    TRY(find_target(inspection, command_argument(line, 0), &target, err));
    TRY(history_read(inspection->session.connection, inspection->state, arena, target, limit,
                     &history, err));
    struct text out;
    text_init(&out, arena);
    if (line->json) {
        write_json(&out, arena, target, limit, &history, &inspection->project);
    } else {
        write_text(&out, arena, &history);
    }
    return command_print(line, text_str(&out), err);
}

static int run(struct command_line *line) {
    struct error err;
    int64_t ignored = 0;
    if (read_limit(line, &ignored, &err) != ERROR_NONE) {
        command_print_error(line, &err);
        return EXIT_USAGE;
    }
    return inspection_command(line, false, show);
}

const struct command command_history = {
    .name = "history",
    .arguments = "[TARGET]",
    .summary = "what ran, newest first",
    .help = "Lists the runs of all models, or of TARGET: also those that skipped or failed, and\n"
            "those whose snapshots were expired.",
    .arguments_max = 1,
    .options = {{"limit", 'l', "N", "at most N runs (default 50)"}},
    .run = run,
};
