// `coypu query TARGET` and `coypu sql "…"`: rows of the lake, read only.
#include "base/json.h"
#include "base/suggest.h"
#include "base/text.h"
#include "cli/commands.h"
#include "lake/attach.h"
#include "lake/lake.h"
#include "lake/read_only.h"
#include "lake/result.h"
#include "lake/snapshot.h"
#include "lake/table_format.h"
#include "lake/variant.h"
#include "project/project.h"

#include <stdint.h>
#include <stdio.h>

// ── What both share ──

static enum error_code read_format(const struct command_line *line, enum table_format *format,
                                   struct error *err) {
    str name = {0};
    *format = line->json ? TABLE_JSON : TABLE_MARKDOWN;
    if (!command_option(line, "format", &name) || table_format_parse(name, format)) {
        return ERROR_NONE;
    }
    return error_rule(err, ERROR_INVALID, "cli.usage",
                      "--format: \"" STR_FORMAT "\" is not one of csv, json, markdown, md",
                      STR_ARGS(name));
}

static enum error_code start(const struct command_line *line, struct project *project,
                             struct session *session, struct error *err) {
    const struct session_options options = {.read_only = true, .without_sources = true};
    TRY(project_open(line->context, line->arena, (str){0}, project, err));
    TRY(session_start(project, &options, session, err));
    command_print_warnings(line, &project->warnings);
    return ERROR_NONE;
}

struct envelope {
    const char *key; // "table" or "query"
    str value;
    bool has_limit;
    int64_t limit;
};

// {schema_version:1, table, limit, rows:[…], warnings:[]}
static enum error_code write_envelope(struct text *out, struct lake_result *result,
                                      const struct envelope *envelope,
                                      const struct table_output *output,
                                      const struct project *project, struct error *err) {
    struct json json;
    json_init(&json, out);
    json_object(&json);
    json_key_int(&json, STR("schema_version"), 1);
    json_key_string(&json, str_from(envelope->key), envelope->value);
    if (envelope->has_limit) {
        json_key_int(&json, STR("limit"), envelope->limit);
    }
    json_key(&json, STR("rows"));
    TRY(table_format_json_rows(&json, result, envelope->limit, output, err));
    command_json_warnings(&json, &project->warnings);
    json_end(&json);
    text_add_char(out, '\n');
    return ERROR_NONE;
}

static enum error_code write_part(void *self, str text, struct error *err) {
    bool *has_begun = self;
    *has_begun = true;
    return command_write(text, err);
}

static enum error_code print_result(const struct command_line *line, struct lake_result *result,
                                    enum table_format format, const struct envelope *envelope,
                                    const struct project *project, struct error *err) {
    struct text out;
    text_init(&out, line->arena);
    bool has_begun = false;
    const struct table_output output = {write_part, &has_begun};
    const enum error_code code =
        line->json ? write_envelope(&out, result, envelope, &output, project, err)
                   : table_format_write(&out, result, format, envelope->limit, &output, err);
    if (code == ERROR_NONE) {
        return command_write(text_str(&out), err);
    }
    if (has_begun) { // what is there stays cut; the error begins a line of its own
        struct error ignored;
        (void)!command_write(STR("\n"), &ignored);
    }
    return code;
}

static int finish(const struct command_line *line, struct session *session, enum error_code code,
                  const struct error *err) {
    session_end(session);
    if (code == ERROR_NONE) {
        return EXIT_CLEAN;
    }
    return command_fail(line, err);
}

// ── query ──

static enum error_code unknown_table(struct session *session, struct arena *arena, str target,
                                     struct error *err) {
    struct lake_table *tables = NULL;
    size_t count = 0;
    TRY(lake_table_list(session->connection, arena, &tables, &count, err));
    struct str_list names = {0};
    for (size_t i = 0; i < count; i++) {
        str_list_push(arena, &names,
                      str_format(arena, STR_FORMAT "." STR_FORMAT, STR_ARGS(tables[i].schema),
                                 STR_ARGS(tables[i].name)));
    }
    (void)error_set(err, ERROR_NOT_FOUND, "the lake has no table or view " STR_FORMAT,
                    STR_ARGS(target));
    const str near = suggest(target, &names);
    if (!str_is_empty(near)) {
        error_hint(err, "did you mean " STR_FORMAT "?", STR_ARGS(near));
    }
    return err->code;
}

// A view of config/sources.sql, which has no schema of its own.
static enum error_code find_view(struct session *session, struct arena *arena, str target,
                                 struct lake_table *view, bool *found, struct error *err) {
    const size_t dot = str_find_char(target, '.');
    const str schema = str_slice(target, 0, dot);
    *found = false;
    if (str_equal_nocase(schema, STR("main")) || str_equal_nocase(schema, STR("memory"))) {
        const str name = str_from_offset(target, dot + 1);
        TRY(session_find_view(session, name, found, err));
        *view = (struct lake_table){.schema = STR("main"), .name = str_copy(arena, name)};
    }
    if (*found) {
        TRY(session_load_sources(session, err));
    }
    return ERROR_NONE;
}

static enum error_code query_rows(const struct command_line *line, struct session *session,
                                  enum table_format format, int64_t limit, struct error *err) {
    struct arena *arena = line->arena;
    str target = command_argument(line, 0);
    if (str_find_char(target, '.') == SIZE_MAX) {
        target = str_format(arena, "main." STR_FORMAT, STR_ARGS(target));
    }
    const size_t dot = str_find_char(target, '.');
    struct lake_table table;
    bool found = false;
    TRY(lake_table_find(session->connection, arena, str_slice(target, 0, dot),
                        str_from_offset(target, dot + 1), &table, &found, err));
    bool is_view = false;
    if (!found) {
        TRY(find_view(session, arena, target, &table, &is_view, err));
    }
    if (!found && !is_view) {
        return unknown_table(session, arena, target, err);
    }
    const str catalog = is_view ? STR("memory") : lake_alias(session->lake);
    const str sql = str_format(arena, "FROM " STR_FORMAT "." STR_FORMAT "." STR_FORMAT,
                               STR_ARGS(lake_quote_name(arena, catalog)),
                               STR_ARGS(lake_quote_name(arena, table.schema)),
                               STR_ARGS(lake_quote_name(arena, table.name)));
    const str limited =
        limit > 0 ? str_format(arena, STR_FORMAT " LIMIT %lld", STR_ARGS(sql), (long long)limit)
                  : sql;
    LAKE_RESULT result = NULL;
    const enum error_code code = lake_stream_readable(
        session->connection, arena, limited, format == TABLE_JSON || line->json, &result, err);
    if (code != ERROR_NONE) {
        (void)session_explain(session, err);
        return code;
    }
    const struct envelope envelope = {
        .key = "table",
        .value = str_format(arena, STR_FORMAT "." STR_FORMAT, STR_ARGS(table.schema),
                            STR_ARGS(table.name)),
        .has_limit = true,
        .limit = limit,
    };
    return print_result(line, result, format, &envelope, session->project, err);
}

static int query_run(struct command_line *line) {
    struct error err = {0};
    struct project project;
    struct session session = {0};
    enum table_format format = TABLE_MARKDOWN;
    int64_t limit = 0;
    enum error_code code = read_format(line, &format, &err);
    if (code == ERROR_NONE) {
        code = command_number(line, "limit", 0, INT64_MAX, &limit, &err);
    }
    if (code != ERROR_NONE) {
        command_print_error(line, &err);
        return EXIT_USAGE;
    }
    code = start(line, &project, &session, &err);
    if (code == ERROR_NONE) {
        code = query_rows(line, &session, format, limit, &err);
    }
    return finish(line, &session, code, &err);
}

const struct command command_query = {
    .name = "query",
    .arguments = "TARGET",
    .summary = "print the rows of a table or view",
    .arguments_min = 1,
    .arguments_max = 1,
    .options =
        {
            {.name = "limit", .letter = 'l', .value = "N", .help = "at most N rows (0: all)"},
            {.name = "format", .letter = 'f', .value = "FORMAT", .help = "csv, json, markdown, md"},
        },
    .run = query_run,
};

// ── sql ──

// config/sources.sql is run only for a statement that names something the lake does not have: other
// databases may be down.
static enum error_code check(struct session *session, str sql, struct error *err) {
    const struct read_only_rule rule = {0};
    enum error_code code = lake_check_read_only(session->connection, sql, &rule, err);
    const bool is_unknown =
        code != ERROR_NONE && str_find(str_from(err->message), STR("does not exist")) != SIZE_MAX;
    if (is_unknown) {
        *err = (struct error){0};
        TRY(session_load_sources(session, err));
        TRY(session_settle(session, err));
        code = lake_check_read_only(session->connection, sql, &rule, err);
    }
    if (code != ERROR_NONE) {
        (void)session_explain(session, err);
    }
    return code;
}

static enum error_code sql_rows(const struct command_line *line, struct session *session,
                                enum table_format format, struct error *err) {
    const str sql = command_argument(line, 0);
    TRY(lake_load_extensions_for(session->connection, sql, err));
    TRY(check(session, sql, err));
    LAKE_RESULT result = NULL;
    TRY(lake_stream_readable(session->connection, line->arena, sql,
                             format == TABLE_JSON || line->json, &result, err));
    const struct envelope envelope = {.key = "query", .value = sql};
    return print_result(line, result, format, &envelope, session->project, err);
}

static int sql_run(struct command_line *line) {
    struct error err = {0};
    struct project project;
    struct session session = {0};
    enum table_format format = TABLE_MARKDOWN;
    if (read_format(line, &format, &err) != ERROR_NONE) {
        command_print_error(line, &err);
        return EXIT_USAGE;
    }
    enum error_code code = start(line, &project, &session, &err);
    if (code == ERROR_NONE) {
        code = sql_rows(line, &session, format, &err);
    }
    return finish(line, &session, code, &err);
}

const struct command command_sql = {
    .name = "sql",
    .arguments = "STATEMENT",
    .summary = "run one read-only SQL statement",
    .arguments_min = 1,
    .arguments_max = 1,
    .options =
        {
            {.name = "format", .letter = 'f', .value = "FORMAT", .help = "csv, json, markdown, md"},
        },
    .run = sql_run,
};
