// `coypu stats`: the project in figures (models.md §12.1).
#include "inspect/stats.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/inspection_command.h"
#include "cli/layout.h"

static void json_time(struct json *json, struct arena *arena, str key, int64_t wall_us) {
    json_key(json, key);
    if (wall_us == 0) {
        json_null(json);
    } else {
        json_string(json, time_format_utc(arena, wall_us));
    }
}

static void json_model(struct json *json, struct arena *arena, const struct stats_model *entry) {
    const struct history_run *last = entry->last;
    json_object(json);
    json_key_string(json, STR("name"), entry->model->target);
    json_key_string(json, STR("kind"), model_kind_name(entry->model->source.directives.kind));
    json_key_string(json, STR("run_type"), last == NULL ? (str){0} : last->run_type);
    json_key_string(json, STR("status"), last == NULL ? STR("never") : last->status);
    json_key_int(json, STR("rows"), last == NULL ? 0 : last->rows);
    json_key_int(json, STR("duration_ms"), last == NULL ? 0 : last->duration_ms);
    json_time(json, arena, STR("last_run"), last == NULL ? 0 : last->started_us);
    json_end(json);
}

static void write_json(struct text *out, struct arena *arena, const struct project_stats *stats,
                       const struct project *project) {
    struct json json;
    json_init(&json, out);
    json_object(&json);
    json_key_int(&json, STR("schema_version"), 1);
    json_key_int(&json, STR("model_count"), (int64_t)stats->model_count);
    json_key_int(&json, STR("snapshots"), stats->snapshots);
    json_key_int(&json, STR("total_runs"), stats->totals.runs);
    json_key_int(&json, STR("total_rows"), stats->totals.rows);
    json_key_int(&json, STR("avg_duration_ms"), stats->totals.duration_ms_average);
    json_time(&json, arena, STR("last_run"), stats->totals.last_us);
    json_key(&json, STR("kind_breakdown"));
    json_array(&json);
    for (size_t i = 0; i < stats->kind_count; i++) {
        json_object(&json);
        json_key_string(&json, STR("kind"), model_kind_name(stats->kinds[i].kind));
        json_key_int(&json, STR("count"), (int64_t)stats->kinds[i].count);
        json_end(&json);
    }
    json_end(&json);
    json_key(&json, STR("all_models"));
    json_array(&json);
    for (size_t i = 0; i < stats->model_count; i++) {
        json_model(&json, arena, &stats->models[i]);
    }
    json_end(&json);
    json_key_string(&json, STR("catalog_type"), stats->catalog_type);
    json_key_string(&json, STR("data_path"), stats->data_path);
    json_key_string(&json, STR("ducklake_version"), stats->ducklake_version);
    command_json_warnings(&json, &project->warnings);
    json_end(&json);
    text_add_char(out, '\n');
}

// ── Text ──

static str kinds_shown(struct arena *arena, const struct project_stats *stats) {
    struct str_list parts = {0};
    for (size_t i = 0; i < stats->kind_count; i++) {
        str_list_push(arena, &parts,
                      str_format(arena, "%zu " STR_FORMAT, stats->kinds[i].count,
                                 STR_ARGS(model_kind_name(stats->kinds[i].kind))));
    }
    return str_list_join(arena, &parts, STR(", "));
}

static void write_totals(struct box *box, struct arena *arena, const struct project_stats *stats) {
    const struct history_totals *totals = &stats->totals;
    box_pair(box, "models", count_shown(arena, (int64_t)stats->model_count), "snapshots",
             count_shown(arena, stats->snapshots));
    box_pair(box, "runs", count_shown(arena, totals->runs), "average",
             duration_format(arena, totals->duration_ms_average * 1000));
    box_pair(box, "rows written", count_shown(arena, totals->rows), "last run",
             time_shown(arena, totals->last_us));
    if (stats->catalog_type.size == 0) {
        box_fact(box, "catalog", STR("not there yet: the first run makes it"));
    } else {
        box_fact(box, "catalog",
                 str_format(arena, STR_FORMAT " (DuckLake " STR_FORMAT ")",
                            STR_ARGS(stats->catalog_type), STR_ARGS(stats->ducklake_version)));
        box_fact(box, "data", stats->data_path);
    }
    if (stats->kind_count > 0) {
        box_fact(box, "kinds", kinds_shown(arena, stats));
    }
}

// The models of one schema, from `first` on; returns the first of the next schema.
static size_t write_layer(struct box *box, struct arena *arena, const struct project_stats *stats,
                          size_t first) {
    static const bool RIGHT[] = {false, false, false, true, true, false};
    const str schema = stats->models[first].model->schema;
    struct grid grid = {.arena = arena, .columns = 6, .right = RIGHT};
    size_t i = first;
    for (; i < stats->model_count && str_equal(stats->models[i].model->schema, schema); i++) {
        const struct model *model = stats->models[i].model;
        const struct history_run *last = stats->models[i].last;
        GRID_ROW(&grid, model->name, model_kind_name(model->source.directives.kind),
                 last == NULL                            ? STR("never run")
                 : str_equal(last->status, STR("error")) ? STR("error")
                                                         : last->run_type,
                 last == NULL ? STR("-") : count_shown(arena, last->rows),
                 last == NULL ? STR("-") : duration_format(arena, last->duration_ms * 1000),
                 time_shown(arena, last == NULL ? 0 : last->started_us));
    }
    struct text text;
    text_init(&text, arena);
    grid_write(&grid, &text);
    box_section(box, schema);
    box_lines(box, text_str(&text));
    return i;
}

static void write_text(struct text *out, struct arena *arena, const struct project *project,
                       const struct project_stats *stats) {
    struct box box;
    box_begin(&box, out, project->name);
    write_totals(&box, arena, stats);
    for (size_t i = 0; i < stats->model_count;) {
        i = write_layer(&box, arena, stats, i);
    }
    box_end(&box);
}

static enum error_code show(struct command_line *line, struct inspection *inspection,
                            struct error *err) {
    struct project_stats stats;
    struct text out;
    text_init(&out, line->arena);
    TRY(project_stats_read(inspection, &stats, err));
    if (line->json) {
        write_json(&out, line->arena, &stats, &inspection->project);
    } else {
        write_text(&out, line->arena, &inspection->project, &stats);
    }
    return command_print(line, text_str(&out), err);
}

static int run(struct command_line *line) {
    return inspection_command(line, true, show);
}

const struct command command_stats = {
    .name = "stats",
    .arguments = "",
    .summary = "the project in figures: models, runs, snapshots",
    .help = "Counts models, runs and snapshots, says where the lake is, and shows the last run of\n"
            "every model by schema.",
    .run = run,
};
