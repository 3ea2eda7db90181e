// coypu validate: findings for people, or the report as JSON (models.md §12.2).
#include "model/validate.h"

#include <string.h>

#include "base/error_render.h"
#include "base/json.h"
#include "base/redact.h"
#include "base/text.h"
#include "cli/commands.h"

static const char *severity_word(enum finding_severity severity) {
    static const char *const WORDS[] = {
        [FINDING_BLOCKER] = "error", [FINDING_WARN] = "warning", [FINDING_INFO] = "info"};
    return WORDS[severity];
}

static void write_text(struct text *out, const struct validation *report) {
    size_t models = 0;
    for (size_t i = 0; i < report->count; i++) {
        const struct validated_file *file = &report->files[i];
        models += file->is_model ? 1 : 0;
        for (size_t j = 0; j < file->findings.count; j++) {
            const struct finding *finding = &file->findings.items[j];
            error_render_text(out, &finding->error, severity_word(finding->severity));
            if (finding->error.rule != NULL) {
                text_format(out, "  rule: %s\n", finding->error.rule);
            }
        }
    }
    text_format(out, "%zu model%s checked: %zu blocker%s, %zu warning%s, %zu note%s\n", models,
                models == 1 ? "" : "s", report->blockers, report->blockers == 1 ? "" : "s",
                report->warnings, report->warnings == 1 ? "" : "s", report->infos,
                report->infos == 1 ? "" : "s");
}

// ── JSON ──

static const struct {
    const char *name;
    const char *prefix;
} CHECKS[] = {{"parser", "parser."},
              {"read-only", "read_only."},
              {"strict-fetch", "strict_fetch."},
              {"strict-push", "strict_push."}};

static bool check_fails(const struct validated_file *file, const char *prefix) {
    for (size_t i = 0; i < file->findings.count; i++) {
        const char *rule = file->findings.items[i].error.rule;
        if (rule != NULL && file->findings.items[i].severity != FINDING_INFO &&
            strncmp(rule, prefix, strlen(prefix)) == 0) {
            return true;
        }
    }
    return false;
}

static str file_status(const struct validated_file *file) {
    enum finding_severity worst = FINDING_INFO;
    for (size_t i = 0; i < file->findings.count; i++) {
        if (file->findings.items[i].severity < worst) {
            worst = file->findings.items[i].severity;
        }
    }
    switch (worst) {
    case FINDING_BLOCKER:
        return STR("blocker");
    case FINDING_WARN:
        return STR("warn");
    case FINDING_INFO:
        break;
    }
    return STR("ok");
}

static void json_finding(struct json *json, str path, const struct finding *finding) {
    const struct error *err = &finding->error;
    json_object(json);
    json_key_string(json, STR("path"), path);
    json_key_int(json, STR("line"), err->pos.line);
    json_key_int(json, STR("column"), err->pos.column);
    json_key_string(json, STR("severity"), finding_severity_name(finding->severity));
    json_key_string(json, STR("rule"), str_from(err->rule));
    json_key_string(json, STR("message"), str_from(err->message));
    json_key_string(json, STR("hint"), str_from(err->hint));
    json_end(json);
}

static void json_file(struct json *json, const struct validated_file *file) {
    json_object(json);
    json_key_string(json, STR("path"), file->path);
    json_key_string(json, STR("status"), file_status(file));
    json_key(json, STR("checks"));
    json_object(json);
    for (size_t i = 0; i < ARRAY_COUNT(CHECKS); i++) {
        json_key_string(json, str_from(CHECKS[i].name),
                        check_fails(file, CHECKS[i].prefix) ? STR("fail") : STR("pass"));
    }
    json_end(json);
    if (file->findings.count > 0) {
        json_key(json, STR("findings"));
        json_array(json);
        for (size_t i = 0; i < file->findings.count; i++) {
            json_finding(json, file->path, &file->findings.items[i]);
        }
        json_end(json);
    }
    json_end(json);
}

static void write_json(struct text *out, const struct validation *report) {
    struct json json;
    json_init(&json, out);
    json_object(&json);
    json_key_int(&json, STR("schema_version"), 4);
    json_key(&json, STR("files"));
    json_array(&json);
    for (size_t i = 0; i < report->count; i++) {
        json_file(&json, &report->files[i]);
    }
    json_end(&json);
    json_key(&json, STR("summary"));
    json_object(&json);
    json_key_int(&json, STR("files"), (int64_t)report->count);
    json_key_int(&json, STR("blockers"), (int64_t)report->blockers);
    json_key_int(&json, STR("warnings"), (int64_t)report->warnings);
    json_key_int(&json, STR("infos"), (int64_t)report->infos);
    json_end(&json);
    json_end(&json);
    text_add_char(out, '\n');
}

static void write_lines(struct text *out, const struct validation *report) {
    for (size_t i = 0; i < report->count; i++) {
        struct json json;
        json_init(&json, out);
        json_file(&json, &report->files[i]);
        text_add_char(out, '\n');
    }
}

// ── The command ──

static int validate_command(struct command_line *line) {
    struct error err;
    str format;
    if (!command_option(line, "output", &format)) {
        format = line->json ? STR("json") : STR("human");
    }
    const bool is_json = str_equal(format, STR("json"));
    const bool is_lines = str_equal(format, STR("ndjson"));
    if (!is_json && !is_lines && !str_equal(format, STR("human"))) {
        error_set(&err, ERROR_INVALID,
                  "--output: \"" STR_FORMAT "\" is not one of human, json, ndjson",
                  STR_ARGS(format));
        command_print_error(line, &err);
        return EXIT_USAGE;
    }
    const struct validate_options options = {.context = line->context,
                                             .paths = line->arguments.items,
                                             .path_count = line->arguments.count};
    struct validation report;
    if (validate_project(line->arena, &options, &report, &err) != ERROR_NONE) {
        command_print_error(line, &err);
        return EXIT_USAGE;
    }
    struct text out;
    text_init(&out, line->arena);
    if (is_json) {
        write_json(&out, &report);
    } else if (is_lines) {
        write_lines(&out, &report);
    } else {
        write_text(&out, &report);
    }
    const str redacted = redact_text(line->context->redactor, line->arena, text_str(&out));
    const str clean = line->json ? redacted : str_printable(line->arena, redacted);
    if (command_write(clean, &err) != ERROR_NONE) {
        return command_fail(line, &err);
    }
    const bool strict_failure = command_flag(line, "strict") && report.warnings > 0;
    return report.blockers > 0 || report.degraded || strict_failure ? EXIT_FINDINGS : EXIT_CLEAN;
}

const struct command command_validate = {
    .name = "validate",
    .arguments = "[PATH…]",
    .summary = "check models and lib files without touching data or lake",
    .help =
        "Reports on the given files and folders, or on the whole project.  Everything is read in\n"
        "either case, as models are checked against each other.",
    .arguments_max = 1000,
    .options = {{"strict", 0, NULL, "warnings count as failures"},
                {"output", 0, "FORMAT", "human (default), json or ndjson"}},
    .run = validate_command,
};
