// `coypu describe TARGET`: everything known of one model, as a box or as JSON (models.md §12.1).
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/blueprint.h"
#include "cli/commands.h"
#include "cli/inspection_command.h"
#include "cli/layout.h"
#include "inspect/facts.h"

enum {
    BAR_WIDTH = 20,
};

// ── JSON ──

static void json_texts(struct json *json, str key, const struct str_list *list) {
    json_key_strings(json, key, list);
}

static void json_directives(struct json *json, str key, const struct directive_list *list) {
    json_key(json, key);
    json_array(json);
    for (size_t i = 0; i < list->count; i++) {
        json_string(json, list->items[i].value);
    }
    json_end(json);
}

static void json_time(struct json *json, struct arena *arena, str key, int64_t wall_us) {
    json_key(json, key);
    if (wall_us == 0) {
        json_null(json);
    } else {
        json_string(json, time_format_utc(arena, wall_us));
    }
}

static int64_t success_rate(const struct history_totals *totals) {
    return totals->runs == 0 ? 0 : totals->succeeded * 100 / totals->runs;
}

static str table_size(struct arena *arena, const struct model_facts *facts) {
    return facts->has_table ? size_shown(arena, facts->table_bytes) : STR("N/A");
}

static str last_run_type(const struct model_facts *facts) {
    return facts->last_run == NULL ? (str){0} : facts->last_run->run_type;
}

static void json_statistics(struct json *json, struct arena *arena,
                            const struct model_facts *facts) {
    json_key_int(json, STR("total_runs"), facts->totals.runs);
    json_key_int(json, STR("avg_duration_ms"), facts->totals.duration_ms_average);
    json_key_int(json, STR("total_rows"), facts->totals.rows);
    json_key_string(json, STR("table_size"), table_size(arena, facts));
    json_key_int(json, STR("table_rows"), facts->table_rows);
    json_key_int(json, STR("success_rate"), success_rate(&facts->totals));
    json_time(json, arena, STR("first_run"), facts->totals.first_us);
    json_time(json, arena, STR("last_run"), facts->totals.last_us);
}

static void json_columns(struct json *json, const struct fact_columns *columns) {
    json_key(json, STR("columns"));
    json_array(json);
    for (size_t i = 0; i < columns->count; i++) {
        const struct fact_column *column = &columns->items[i];
        json_object(json);
        json_key_string(json, STR("name"), column->name);
        json_key_string(json, STR("type"), column->type);
        json_key_bool(json, STR("nullable"), column->nullable);
        if (column->description.size > 0) {
            json_key_string(json, STR("description"), column->description);
        }
        json_end(json);
    }
    json_end(json);
}

static void json_recent_runs(struct json *json, struct arena *arena,
                             const struct history *history) {
    json_key(json, STR("recent_runs"));
    json_array(json);
    for (size_t i = 0; i < history->count; i++) {
        const struct history_run *run = &history->items[i];
        json_object(json);
        json_key_string(json, STR("time"), time_format_utc(arena, run->started_us));
        json_key_string(json, STR("status"), run->status);
        json_key_string(json, STR("run_type"), run->run_type);
        json_key_string(json, STR("run_reason"), run->reason);
        json_key_int(json, STR("rows"), run->rows);
        json_key_int(json, STR("duration_ms"), run->duration_ms);
        json_key_string(json, STR("run_id"), run->run_id);
        if (run->message.size > 0) {
            json_key_string(json, STR("error"), run->message);
        }
        if (run->blocked.size > 0) {
            json_key_string(json, STR("skipped_because"), run->blocked);
        }
        json_end(json);
    }
    json_end(json);
}

static void json_checks(struct json *json, const struct check_record_list *checks) {
    json_key(json, STR("checks"));
    json_array(json);
    for (size_t i = 0; i < checks->count; i++) {
        const struct check_record *record = &checks->items[i];
        json_object(json);
        json_key_string(json, STR("stage"), record->stage);
        json_key_string(json, STR("name"), record->name);
        json_key_string(json, STR("outcome"), record->outcome);
        if (record->message.size > 0) {
            json_key_string(json, STR("message"), record->message);
        }
        json_end(json);
    }
    json_end(json);
}

static void json_steps(struct json *json, const struct history_run *run) {
    json_key(json, STR("steps"));
    json_array(json);
    for (size_t i = 0; run != NULL && i < run->steps.count; i++) {
        json_object(json);
        json_key_string(json, STR("name"), run->steps.items[i].name);
        json_key_int(json, STR("duration_ms"), run->steps.items[i].duration_ms);
        json_key_string(json, STR("status"), run->steps.items[i].status);
        json_end(json);
    }
    json_end(json);
}

static void json_sink(struct json *json, const struct model_facts *facts) {
    const struct state_sink *state = &facts->sink.state;
    json_key(json, STR("sink"));
    json_object(json);
    json_key_string(json, STR("name"), facts->model->source.directives.sink.name);
    json_key_int(json, STR("failed"), state->failed);
    json_key_int(json, STR("in_flight"), state->in_flight);
    json_key_int(json, STR("dead"), state->dead);
    json_key(json, STR("watermark"));
    if (state->watermark == STATE_NO_SNAPSHOT) {
        json_null(json);
    } else {
        json_int(json, state->watermark);
    }
    if (facts->sink.last_error.size > 0) {
        json_key_string(json, STR("last_error"), facts->sink.last_error);
    }
    json_end(json);
}

static void json_findings(struct json *json, const struct finding_list *findings) {
    json_key(json, STR("findings"));
    json_array(json);
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        json_object(json);
        json_key_string(json, STR("severity"), finding_severity_name(finding->severity));
        json_key_string(json, STR("message"), str_from(finding->error.message));
        json_key_int(json, STR("line"), finding->error.pos.line);
        json_end(json);
    }
    json_end(json);
}

static void write_json(struct text *out, struct arena *arena, const struct model_facts *facts) {
    const struct model *model = facts->model;
    const struct directives *directives = &model->source.directives;
    struct json json;
    json_init(&json, out);
    json_object(&json);
    json_key_int(&json, STR("schema_version"), 1);
    json_key_string(&json, STR("target"), model->target);
    json_key_string(&json, STR("kind"), model_kind_name(directives->kind));
    json_key_string(&json, STR("schema"), model->schema);
    json_key_string(&json, STR("materialization"), last_run_type(facts));
    json_key_string(&json, STR("source_file"), model->file);
    if (directives->description.is_set) {
        json_key_string(&json, STR("description"), directives->description.value);
    }
    if (facts->blueprint.size > 0) {
        json_key_string(&json, STR("blueprint"), facts->blueprint);
    }
    json_statistics(&json, arena, facts);
    json_texts(&json, STR("dependencies"), &facts->upstream);
    json_texts(&json, STR("downstream"), &facts->downstream);
    json_texts(&json, STR("lib_calls"), &facts->libs);
    json_columns(&json, &facts->columns);
    json_recent_runs(&json, arena, &facts->history);
    json_key_string(&json, STR("definition"), model_written(model));
    json_directives(&json, STR("constraints"), &directives->constraints);
    json_directives(&json, STR("audits"), &directives->audits);
    json_directives(&json, STR("warnings"), &directives->warnings);
    json_checks(&json, &facts->checks);
    json_steps(&json, facts->last_commit);
    json_key_string(&json, STR("duckdb_version"),
                    facts->last_commit == NULL ? (str){0} : facts->last_commit->duckdb_version);
    if (facts->has_sink) {
        json_sink(&json, facts);
    }
    if (model->findings.count > 0) {
        json_findings(&json, &model->findings);
    }
    json_end(&json);
    text_add_char(out, '\n');
}

// ── Box ──

static void show_head(struct box *box, struct arena *arena, const struct model_facts *facts) {
    const struct model *model = facts->model;
    const struct directives *directives = &model->source.directives;
    if (directives->description.is_set) {
        box_line(box, directives->description.value);
    }
    box_pair(box, "kind", model_kind_name(directives->kind), "schema", model->schema);
    box_fact(box, "file", model->file);
    if (directives->unique_key.is_set) {
        box_fact(box, "unique key", directives->unique_key.value);
    }
    if (directives->group_key.is_set) {
        box_fact(box, "group key", directives->group_key.value);
    }
    if (directives->incremental.is_set) {
        box_fact(box, "incremental", directives->incremental.value);
    }
    box_pair(box, "rows",
             facts->has_table ? count_shown(arena, facts->table_rows) : STR("no table"),
             "table size", table_size(arena, facts));
}

static void show_findings(struct box *box, struct arena *arena,
                          const struct finding_list *findings) {
    if (findings->count > 0) {
        box_section(box, STR("findings"));
    }
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        box_line(box, str_format(arena, STR_FORMAT " line %d: %s",
                                 STR_ARGS(finding_severity_name(finding->severity)),
                                 finding->error.pos.line, finding->error.message));
    }
}

static void show_statistics(struct box *box, struct arena *arena, const struct model_facts *facts) {
    const struct history_totals *totals = &facts->totals;
    box_section(box, STR("runs"));
    if (totals->runs == 0) {
        box_line(box, STR("never run"));
    } else {
        box_pair(box, "runs", count_shown(arena, totals->runs), "succeeded",
                 str_format(arena, "%lld %%", (long long)success_rate(totals)));
        box_pair(box, "rows written", count_shown(arena, totals->rows), "average",
                 duration_format(arena, totals->duration_ms_average * 1000));
        box_pair(box, "first run", time_shown(arena, totals->first_us), "last run",
                 time_shown(arena, totals->last_us));
    }
    if (facts->last_run != NULL && facts->last_run->message.size > 0) {
        box_fact(box, "last error", facts->last_run->message);
    }
}

static str run_note(struct arena *arena, const struct history_run *run) {
    if (run->blocked.size > 0) {
        return str_format(arena, STR_FORMAT " failed", STR_ARGS(run->blocked));
    }
    return run->message.size > 0 ? run->message : run->reason;
}

static void show_recent(struct box *box, struct arena *arena, const struct history *history) {
    static const bool RIGHT[] = {false, false, false, true, true, false};
    if (history->count == 0) {
        return;
    }
    struct grid grid = {.arena = arena, .columns = 6, .right = RIGHT};
    for (size_t i = 0; i < history->count; i++) {
        const struct history_run *run = &history->items[i];
        GRID_ROW(&grid, time_shown(arena, run->started_us), run->status, run->run_type,
                 count_shown(arena, run->rows), duration_format(arena, run->duration_ms * 1000),
                 run_note(arena, run));
    }
    struct text text;
    text_init(&text, arena);
    grid_write(&grid, &text);
    box_section(box, STR("recent runs"));
    box_lines(box, text_str(&text));
}

static str bar(struct arena *arena, int64_t part, int64_t whole) {
    struct text text;
    text_init(&text, arena);
    const int64_t width = whole == 0 ? 0 : (part * BAR_WIDTH + whole - 1) / whole;
    for (int64_t i = 0; i < width; i++) {
        text_add(&text, STR("█"));
    }
    return text_str(&text);
}

static void show_steps(struct box *box, struct arena *arena, const struct history_run *run) {
    static const bool RIGHT[] = {false, true, false};
    if (run == NULL) {
        return;
    }
    box_section(box, STR("steps of the last commit"));
    str head = str_format(arena, "DuckDB " STR_FORMAT, STR_ARGS(run->duckdb_version));
    if (run->git_commit.size > 0) {
        head = str_format(arena, STR_FORMAT ", git " STR_FORMAT, STR_ARGS(head),
                          STR_ARGS(str_slice(run->git_commit, 0, 12)));
    }
    box_line(box, head);
    int64_t whole = 0;
    for (size_t i = 0; i < run->steps.count; i++) {
        whole += run->steps.items[i].duration_ms;
    }
    struct grid grid = {.arena = arena, .columns = 3, .right = RIGHT};
    for (size_t i = 0; i < run->steps.count; i++) {
        const struct history_step *step = &run->steps.items[i];
        GRID_ROW(&grid, step->name, duration_format(arena, step->duration_ms * 1000),
                 bar(arena, step->duration_ms, whole));
    }
    struct text text;
    text_init(&text, arena);
    grid_write(&grid, &text);
    box_lines(box, text_str(&text));
}

static str list_shown(struct arena *arena, const struct str_list *list) {
    return list->count == 0 ? STR("-") : str_list_join(arena, list, STR(", "));
}

static void show_neighbours(struct box *box, struct arena *arena, const struct model_facts *facts) {
    box_section(box, STR("lineage"));
    box_fact(box, "reads", list_shown(arena, &facts->upstream));
    box_fact(box, "read by", list_shown(arena, &facts->downstream));
    if (facts->libs.count > 0) {
        box_fact(box, "fetches by", str_list_join(arena, &facts->libs, STR(", ")));
    }
    if (facts->blueprint.size > 0) {
        box_fact(box, "blueprint", facts->blueprint);
    }
}

static void show_sink(struct box *box, struct arena *arena, const struct model_facts *facts) {
    if (!facts->has_sink) {
        return;
    }
    const struct state_sink *state = &facts->sink.state;
    box_section(box, STR("sink"));
    box_pair(box, "pushes to", facts->model->source.directives.sink.name, "delivered to",
             state->watermark == STATE_NO_SNAPSHOT
                 ? STR("never")
                 : str_format(arena, "snapshot %lld", (long long)state->watermark));
    box_pair(box, "failed", count_shown(arena, state->failed), "dead",
             count_shown(arena, state->dead));
    if (facts->sink.last_error.size > 0) {
        box_fact(box, "last error", facts->sink.last_error);
    }
}

// What the last commit says of the check; NULL: it was not evaluated then.
static const struct check_record *find_record(const struct check_record_list *records,
                                              const char *stage, str name) {
    for (size_t i = 0; i < records->count; i++) {
        if (str_equal(records->items[i].stage, str_from(stage)) &&
            str_equal(records->items[i].name, name)) {
            return &records->items[i];
        }
    }
    return NULL;
}

static void show_checks(struct box *box, struct arena *arena, const struct model_facts *facts) {
    const struct directives *directives = &facts->model->source.directives;
    const struct {
        const char *name;
        const struct directive_list *list;
    } STAGES[] = {{"constraint", &directives->constraints},
                  {"audit", &directives->audits},
                  {"warning", &directives->warnings}};
    struct grid grid = {.arena = arena, .columns = 4};
    for (size_t i = 0; i < ARRAY_COUNT(STAGES); i++) {
        for (size_t j = 0; j < STAGES[i].list->count; j++) {
            const struct directive *directive = &STAGES[i].list->items[j];
            const struct check_record *record =
                find_record(&facts->checks, STAGES[i].name, directive->value);
            GRID_ROW(&grid, str_from(STAGES[i].name), directive->value,
                     record == NULL ? STR("-") : record->outcome,
                     record == NULL ? (str){0} : record->message);
        }
    }
    if (grid.cells.count > 0) {
        struct text text;
        text_init(&text, arena);
        grid_write(&grid, &text);
        box_section(box, STR("checks"));
        box_lines(box, text_str(&text));
    }
}

static void show_columns(struct box *box, struct arena *arena, const struct fact_columns *columns) {
    if (columns->count == 0) {
        return;
    }
    struct grid grid = {.arena = arena, .columns = 4};
    for (size_t i = 0; i < columns->count; i++) {
        const struct fact_column *column = &columns->items[i];
        GRID_ROW(&grid, column->name, column->type, column->nullable ? (str){0} : STR("NOT NULL"),
                 column->description);
    }
    struct text text;
    text_init(&text, arena);
    grid_write(&grid, &text);
    box_section(box, STR("columns"));
    box_lines(box, text_str(&text));
}

static void write_box(struct text *out, struct arena *arena, const struct model_facts *facts) {
    const struct model *model = facts->model;
    struct box box;
    box_begin(&box, out, model->target);
    show_head(&box, arena, facts);
    show_findings(&box, arena, &model->findings);
    show_statistics(&box, arena, facts);
    show_recent(&box, arena, &facts->history);
    show_steps(&box, arena, facts->last_commit);
    show_neighbours(&box, arena, facts);
    show_sink(&box, arena, facts);
    show_checks(&box, arena, facts);
    show_columns(&box, arena, &facts->columns);
    box_section(&box, STR("SQL"));
    box_lines(&box, str_trim(model_written(model)));
    box_end(&box);
}

// ── The command ──

static enum error_code show(struct command_line *line, struct inspection *inspection,
                            struct error *err) {
    str target;
    struct model_facts facts;
    TRY(model_target_resolve(line->arena, inspection->project.root, command_argument(line, 0),
                             &target, err));
    const struct model *model = models_find(&inspection->models, target);
    if (model == NULL) {
        return error_set(err, ERROR_NOT_FOUND, "no model makes " STR_FORMAT, STR_ARGS(target));
    }
    TRY(model_facts_read(inspection, model, &facts, err));
    struct text out;
    text_init(&out, line->arena);
    if (line->json) {
        write_json(&out, line->arena, &facts);
    } else {
        write_box(&out, line->arena, &facts);
    }
    return command_print(line, text_str(&out), err);
}

static int misused(struct command_line *line, const char *message) {
    struct error err;
    error_set(&err, ERROR_INVALID, "%s", message);
    error_hint(&err, "usage: coypu describe %s", line->command->arguments);
    command_print_error(line, &err);
    return EXIT_USAGE;
}

static int run(struct command_line *line) {
    const str first = command_argument(line, 0);
    str fields;
    if (str_equal(first, STR("blueprint")) || str_equal(first, STR("lib"))) {
        return blueprint_run(line);
    }
    if (line->arguments.count > 1) {
        return misused(line, "describe takes one target");
    }
    if (command_option(line, "fields", &fields)) {
        return misused(line, "--fields belongs to `describe blueprint`");
    }
    return inspection_command(line, true, show);
}

const struct command command_describe = {
    .name = "describe",
    .arguments = "TARGET|blueprint [NAME]",
    .summary = "everything known of a model, or of a lib file",
    .help =
        "describe TARGET shows the model's file, table, columns, runs, steps of the last commit,\n"
        "who it reads and who reads it, its checks and its SQL.\n\n"
        "describe blueprint [NAME] shows the contract of a lib file, or of all of them.",
    .arguments_min = 1,
    .arguments_max = 2,
    .options = {{"fields", 0, "A.B,C", "blueprint: only these fields, as JSON"}},
    .run = run,
};
