// From models/**/*.sql to checked structures: scan, parse the headers, get all syntax trees in one
// statement, check each model, link them.
#include "base/file.h"
#include "base/text.h"
#include "lake/ast.h"
#include "lake/lake.h"
#include "lake/result.h"
#include "lake/script.h"
#include "model/check_columns.h"
#include "model/graph.h"
#include "model/macros.h"
#include "model/model.h"
#include "model/new_files.h"
#include "sql/lineage.h"

struct model_reader {
    struct models *models;
    const struct models_options *options;
};

static void add_errors(struct arena *arena, struct model *model, const struct error_list *errors,
                       enum finding_severity severity) {
    for (size_t i = 0; i < errors->count; i++) {
        model_add_finding(arena, model, severity, &errors->items[i]);
    }
}

// ── Files ──

static void duplicate_target(struct model_reader *reader, struct model *model, str file) {
    struct arena *arena = reader->models->arena;
    struct error err;
    error_rule(&err, ERROR_INVALID, "parser.duplicate_target",
               STR_FORMAT " and " STR_FORMAT " both make " STR_FORMAT, STR_ARGS(model->file),
               STR_ARGS(file), STR_ARGS(model->target));
    error_hint(&err, "targets are compared without case; rename one file");
    error_at(&err, file, 1, 1);
    model_add_finding(arena, model, FINDING_BLOCKER, &err);
}

static enum error_code read_file(struct model_reader *reader, str file, struct error *err) {
    struct models *models = reader->models;
    struct arena *arena = models->arena;
    struct model *model = ARENA_NEW(arena, struct model);
    model->file = file;
    if (model_target_from_path(arena, file, &model->schema, &model->name, err) != ERROR_NONE) {
        struct finding finding = {FINDING_BLOCKER, *err};
        LIST_PUSH(arena, &models->orphans, finding);
        return ERROR_NONE;
    }
    model->target = str_format(arena, STR_FORMAT "." STR_FORMAT, STR_ARGS(model->schema),
                               STR_ARGS(model->name));
    struct model *other = models_find(models, model->target);
    if (other != NULL) {
        duplicate_target(reader, other, file);
        return ERROR_NONE;
    }
    TRY(file_read(arena, path_join(arena, reader->options->project, file), &model->text, err));
    struct error_list errors;
    struct error_list warnings;
    error_list_init(&errors, arena);
    error_list_init(&warnings, arena);
    (void)model_source_parse(arena, file, model->text, &model->source, &errors, &warnings);
    add_errors(arena, model, &errors, FINDING_BLOCKER);
    add_errors(arena, model, &warnings, FINDING_WARN);
    LIST_PUSH(arena, models, model);
    (void)map_set(&models->by_target, model->target, model);
    return ERROR_NONE;
}

// Behind a symbolic link, at any depth.
static bool leaves_project(const struct model_reader *reader, str file) {
    SCRATCH(scratch);
    const str root = reader->options->project;
    struct error ignored;
    str real;
    return path_real(&scratch, path_join(&scratch, root, file), &real, &ignored) == ERROR_NONE &&
           !path_is_inside(real, root);
}

static void skip_file(struct model_reader *reader, str file) {
    struct finding finding = {.severity = FINDING_WARN};
    struct error *err = &finding.error;
    error_rule(err, ERROR_INVALID, "validate.walk_skipped",
               STR_FORMAT " is not read: its link leads out of the project", STR_ARGS(file));
    error_hint(err, "put the file into the project");
    error_at(err, file, 1, 1);
    LIST_PUSH(reader->models->arena, &reader->models->orphans, finding);
}

static enum error_code read_files(struct model_reader *reader, struct error *err) {
    struct arena *arena = reader->models->arena;
    const str folder = path_join(arena, reader->options->project, STR("models"));
    struct str_list paths = {0};
    TRY(directory_walk(arena, folder, &paths, err));
    for (size_t i = 0; i < paths.count; i++) {
        if (str_ends_with(paths.items[i], STR(".sql"))) {
            const str file = str_format(arena, "models/" STR_FORMAT, STR_ARGS(paths.items[i]));
            if (leaves_project(reader, file)) {
                skip_file(reader, file);
                continue;
            }
            TRY(read_file(reader, file, err));
        }
    }
    return ERROR_NONE;
}

static void sort_models(struct models *models) {
    for (size_t i = 1; i < models->count; i++) {
        struct model *model = models->items[i];
        size_t j = i;
        for (; j > 0 && str_compare(model->target, models->items[j - 1]->target) < 0; j--) {
            models->items[j] = models->items[j - 1];
        }
        models->items[j] = model;
    }
    for (size_t i = 0; i < models->count; i++) {
        models->items[i]->index = i;
    }
}

// ── Syntax trees ──

static void query_error(struct arena *arena, struct model *model, size_t offset,
                        struct error *err) {
    const size_t at = offset == SIZE_MAX ? 0 : offset;
    error_at_offset(err, model->file, model->text, model->source.body_offset + at);
    model_add_finding(arena, model, FINDING_BLOCKER, err);
}

// One statement for all models: a statement each would cost more than the parsing.
static enum error_code read_queries(struct model_reader *reader, struct error *err) {
    struct models *models = reader->models;
    str *bodies = ARENA_ARRAY(models->arena, str, models->count);
    size_t count = 0;
    for (size_t i = 0; i < models->count; i++) {
        if (models->items[i]->source.body.size > 0) {
            bodies[count++] = models->items[i]->source.body;
        }
    }
    if (count == 0) {
        return ERROR_NONE;
    }
    LAKE_RESULT result = NULL;
    TRY(lake_query(reader->options->connection,
                   STR("SELECT json_serialize_sql(body)::VARCHAR FROM (SELECT unnest(?) AS body)"),
                   LAKE_VALUES(lake_value_texts(bodies, count)), &result, err));
    for (size_t i = 0; i < models->count; i++) {
        struct model *model = models->items[i];
        if (model->source.body.size == 0 || !lake_result_next(result)) {
            continue;
        }
        struct error query_err;
        size_t offset = SIZE_MAX;
        model->ast = str_copy(models->arena, lake_result_text(result, 0));
        if (sql_query_read(models->arena, model->ast, &model->query, &offset, &query_err) !=
            ERROR_NONE) {
            query_error(models->arena, model, offset, &query_err);
            continue;
        }
        model->has_query = true;
    }
    return ERROR_NONE;
}

// ── Calls without parentheses ──

// `FROM shop` means `FROM shop()` when shop is a lib and nothing else of that name is visible.
static bool is_bare_call(const struct model_reader *reader, const struct sql_table *table) {
    const struct models_options *options = reader->options;
    struct arena *arena = reader->models->arena;
    if (table->schema.size > 0 || table->catalog.size > 0 || table->has_version ||
        options->is_lib == NULL || !options->is_lib(options->lib_self, table->name)) {
        return false;
    }
    const str target = str_format(arena, "main." STR_FORMAT, STR_ARGS(table->name));
    struct lake_column *ignored_columns;
    size_t ignored_count;
    struct error ignored;
    const str sql =
        str_format(arena, "FROM " STR_FORMAT, STR_ARGS(lake_quote_name(arena, table->name)));
    return models_find(reader->models, target) == NULL &&
           lake_describe(options->connection, arena, sql, &ignored_columns, &ignored_count,
                         &ignored) != ERROR_NONE;
}

// The body with "()" behind each bare call; unchanged when there is none.
static str expand_bare_calls(struct model_reader *reader, const struct model *model) {
    const str body = model->source.body;
    struct text text;
    text_init(&text, reader->models->arena);
    size_t done = 0;
    for (size_t i = 0; i < model->query.tables.count; i++) {
        const struct sql_table *table = &model->query.tables.items[i];
        if (table->offset < done || table->offset >= body.size || !is_bare_call(reader, table)) {
            continue;
        }
        const size_t end = sql_skip_token(body, table->offset);
        text_add(&text, str_slice(body, done, end));
        text_add(&text, STR("()"));
        if (table->alias.size == 0) { // a call has no name for `shop.id`
            text_format(&text, " AS " STR_FORMAT, STR_ARGS(str_slice(body, table->offset, end)));
        }
        done = end;
    }
    if (done == 0) {
        return body;
    }
    text_add(&text, str_from_offset(body, done));
    return text_str(&text);
}

// Goes on as if the parentheses had been written: the text, too, so that positions agree with the
// line that an error shows.
static void read_bare_calls(struct model_reader *reader, struct model *model) {
    struct arena *arena = reader->models->arena;
    const str body = expand_bare_calls(reader, model);
    const size_t start = model->source.body_offset;
    const size_t end = start + model->source.body.size;
    str ast;
    size_t offset = SIZE_MAX;
    struct error err;
    if (body.size == model->source.body.size ||
        lake_ast_read(reader->options->connection, arena, body, &ast, &err) != ERROR_NONE) {
        return;
    }
    model->text = str_format(arena, STR_FORMAT STR_FORMAT STR_FORMAT,
                             STR_ARGS(str_slice(model->text, 0, start)), STR_ARGS(body),
                             STR_ARGS(str_from_offset(model->text, end)));
    model->source.body = body;
    model->ast = ast;
    model->query = (struct sql_query){0};
    if (sql_query_read(arena, ast, &model->query, &offset, &err) != ERROR_NONE) {
        query_error(arena, model, offset, &err);
        model->has_query = false;
    }
}

// ── Checks of one model ──

static void finding_at(struct model_reader *reader, struct model *model,
                       enum finding_severity severity, size_t offset, struct error *err) {
    const size_t at = offset == SIZE_MAX ? 0 : offset;
    error_at_offset(err, model->file, model->text, model->source.body_offset + at);
    model_add_finding(reader->models->arena, model, severity, err);
}

static void check_limit(struct model_reader *reader, struct model *model) {
    const struct sql_query *query = &model->query;
    const bool strict =
        model->source.directives.fetch.is_set || model->source.directives.sink.is_push;
    const enum finding_severity severity = strict ? FINDING_BLOCKER : FINDING_WARN;
    struct error err;
    if (query->limit_offset != SIZE_MAX) {
        error_rule(&err, ERROR_INVALID, "read_only.limit_disallowed",
                   "LIMIT makes the rows of a model a matter of chance");
        error_hint(&err, "use ROW_NUMBER() … WHERE rn <= n, or `coypu query --limit`");
        finding_at(reader, model, severity, query->limit_offset, &err);
    }
    if (query->offset_offset != SIZE_MAX) {
        error_rule(&err, ERROR_INVALID, "read_only.offset_disallowed",
                   "OFFSET makes the rows of a model a matter of chance");
        error_hint(&err, "use ROW_NUMBER() … WHERE rn <= n, or `coypu query --limit`");
        finding_at(reader, model, severity, query->offset_offset, &err);
    }
}

static void check_strict(struct model_reader *reader, struct model *model) {
    struct arena *arena = reader->models->arena;
    const struct models_options *options = reader->options;
    const struct directives *directives = &model->source.directives;
    struct sql_finding_list findings = {0};
    if (directives->fetch.is_set) {
        sql_check_fetch(arena, model->ast, options->is_lib, options->lib_self, &findings);
    }
    if (directives->sink.is_push) {
        sql_check_push(arena, model->ast, options->is_lib, options->lib_self, &findings);
    }
    for (size_t i = 0; i < findings.count; i++) {
        struct error err;
        const struct sql_finding *finding = &findings.items[i];
        error_rule(&err, ERROR_INVALID, finding->rule, STR_FORMAT, STR_ARGS(finding->message));
        error_hint(&err, STR_FORMAT, STR_ARGS(finding->hint));
        finding_at(reader, model, FINDING_BLOCKER, finding->offset, &err);
    }
}

static void not_built(struct model_reader *reader, struct model *model, const struct directive *at,
                      const char *what) {
    struct error err;
    error_rule(&err, ERROR_INVALID, "parser.other", "%s not built yet", what);
    error_hint(&err, "remove it: coypu refuses what it would otherwise silently leave out");
    error_at(&err, model->file, at->line, at->column);
    error_source(&err, model->text);
    model_add_finding(reader->models->arena, model, FINDING_BLOCKER, &err);
}

// What a user may ask for and this version cannot do is refused, never skipped.
static void check_not_built(struct model_reader *reader, struct model *model) {
    const struct directives *directives = &model->source.directives;
    for (size_t i = 0; i < directives->extensions.count; i++) {
        const str name = directives->extensions.items[i].name;
        if (!lake_extension_is_pinned(name) && !lake_extension_is_built_in(name)) {
            not_built(reader, model, &directives->extensions.items[i].at,
                      "loading an extension that coypu does not bring along is");
        }
    }
}

static void check_lib_calls(struct model_reader *reader, struct model *model) {
    const struct directives *directives = &model->source.directives;
    struct error err;
    if (model->lib_calls.count > 0 && directives->sink.at.is_set && !directives->sink.is_push) {
        error_rule(&err, ERROR_INVALID, "strict_push.lib_call_disallowed",
                   "a model cannot both fetch and push");
        error_hint(&err, "fetch in one model and push from a second one that reads it");
        finding_at(reader, model, FINDING_BLOCKER, model->lib_calls.items[0].offset, &err);
    }
    if (model->lib_calls.count > 0 && !directives->fetch.is_set) {
        error_rule(&err, ERROR_INVALID, "fetch.missing_marker",
                   "the model fetches and has no @fetch");
        error_hint(&err, "add -- @fetch to have its projection checked");
        finding_at(reader, model, FINDING_INFO, model->lib_calls.items[0].offset, &err);
    }
}

// NULL: none.
static const struct sql_function *first_aggregate(const struct model *model) {
    for (size_t i = 0; i < model->query.functions.count; i++) {
        if (lineage_is_aggregate(model->query.functions.items[i].name)) {
            return &model->query.functions.items[i];
        }
    }
    return NULL;
}

static void check_cdc(struct model_reader *reader, struct model *model) {
    const struct directives *directives = &model->source.directives;
    struct error err;
    if (directives->kind == MODEL_APPEND && !directives->incremental.is_set &&
        model->inputs.count == 0 && model->lib_calls.count == 0 &&
        model->files.count + model->unverifiable.count > 0) {
        error_rule(&err, ERROR_INVALID, "cdc.append_unversioned",
                   model_loads_files_once(model)
                       ? "a file that changes is appended again as a whole"
                       : "every run appends all rows of the input again");
        error_hint(&err, "add -- @incremental: COLUMN and filter on "
                         "getvariable('incr_last_value'), or use @kind: table");
        finding_at(reader, model, FINDING_WARN, 0, &err);
    }
    const struct sql_function *aggregate = first_aggregate(model);
    if (directives->kind == MODEL_APPEND && aggregate != NULL) {
        error_rule(&err, ERROR_INVALID, "cdc.append_aggregate",
                   STR_FORMAT "() in an append model is over the new rows of a run alone",
                   STR_ARGS(aggregate->name));
        error_hint(&err, "use @kind: merge with @unique_key for groups that are always whole");
        finding_at(reader, model, FINDING_WARN, aggregate->offset, &err);
    }
    if ((directives->kind == MODEL_TRACKED || directives->kind == MODEL_SCD2) &&
        model->query.volatile_function.size > 0) {
        error_rule(&err, ERROR_INVALID, "cdc.volatile",
                   STR_FORMAT "() makes every row look changed on each run",
                   STR_ARGS(model->query.volatile_function));
        error_hint(&err, "use ondatra_now(), or leave the column out");
        finding_at(reader, model, FINDING_WARN, model->query.volatile_offset, &err);
    }
}

static void check_model(struct model_reader *reader, struct model *model) {
    checks_parse(reader->models->arena, model);
    check_not_built(reader, model);
    if (model->has_query) {
        check_limit(reader, model);
        check_strict(reader, model);
        model_check_columns(reader->models->arena, model, &model->query.outputs);
        check_lib_calls(reader, model);
        check_cdc(reader, model);
    }
}

// What stands between models and their inputs, and with it the graph.
static enum error_code read_surroundings(struct model_reader *reader, struct error *err) {
    struct models *models = reader->models;
    const struct models_options *options = reader->options;
    models->views = ARENA_NEW(models->arena, struct views);
    if (options->catalog.size > 0) {
        models->macros = ARENA_NEW(models->arena, struct macros);
        TRY(macros_read(models->arena, options->connection, options->project, models,
                        models->macros, err));
    }
    TRY(views_read(models->arena, options, models, models->views, err));
    return models_link(models, options, models->views, err);
}

enum error_code models_read(struct arena *arena, const struct models_options *options,
                            struct models *models, struct error *err) {
    *models = (struct models){.arena = arena};
    map_init_nocase(&models->by_target, arena);
    struct model_reader reader = {models, options};
    TRY(read_files(&reader, err));
    sort_models(models);
    TRY(read_queries(&reader, err));
    for (size_t i = 0; i < models->count; i++) {
        if (models->items[i]->has_query) {
            read_bare_calls(&reader, models->items[i]);
        }
    }
    TRY(read_surroundings(&reader, err));
    for (size_t i = 0; i < models->count; i++) {
        check_model(&reader, models->items[i]);
    }
    return ERROR_NONE;
}
