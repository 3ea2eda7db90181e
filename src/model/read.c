// From models/**/*.sql to checked structures.
//
// First all paths, which give all targets.  Then, in rounds, the models that are wanted: read the
// files, parse the headers, get the syntax trees of the round in one statement, link each model to
// what it reads.  When one model is asked for, what it turns out to read is the next round; else
// the first round is everything.
#include "base/file.h"
#include "base/text.h"
#include "lake/ast.h"
#include "lake/lake.h"
#include "lake/result.h"
#include "lake/script.h"
#include "model/databases.h"
#include "model/graph.h"
#include "model/macros.h"
#include "model/model.h"
#include "model/rules.h"

struct model_reader {
    struct models *models;
    const struct models_options *options;
    struct model_list round; // read together
};

static void add_errors(struct arena *arena, struct model *model, const struct error_list *errors,
                       enum finding_severity severity) {
    for (size_t i = 0; i < errors->count; i++) {
        model_add_finding(arena, model, severity, &errors->items[i]);
    }
}

// ── Paths ──

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

static void add_path(struct model_reader *reader, str file) {
    struct models *models = reader->models;
    struct arena *arena = models->arena;
    struct model *model = ARENA_NEW(arena, struct model);
    struct finding orphan = {.severity = FINDING_BLOCKER};
    model->file = file;
    if (model_target_from_path(arena, file, &model->schema, &model->name, &orphan.error) !=
        ERROR_NONE) {
        LIST_PUSH(arena, &models->orphans, orphan);
        return;
    }
    model->target = str_format(arena, STR_FORMAT "." STR_FORMAT, STR_ARGS(model->schema),
                               STR_ARGS(model->name));
    struct model *other = models_find(models, model->target);
    if (other != NULL) {
        duplicate_target(reader, other, file);
        return;
    }
    LIST_PUSH(arena, models, model);
    (void)map_set(&models->by_target, model->target, model);
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

static void warn_of_ending(struct model_reader *reader, str file) {
    struct finding finding = {.severity = FINDING_WARN};
    struct error *err = &finding.error;
    error_rule(err, ERROR_INVALID, "validate.walk_skipped",
               STR_FORMAT " is not read: the files of models end in .sql", STR_ARGS(file));
    error_hint(err, "write the ending in small letters");
    error_at(err, file, 1, 1);
    LIST_PUSH(reader->models->arena, &reader->models->orphans, finding);
}

static enum error_code read_paths(struct model_reader *reader, struct error *err) {
    struct arena *arena = reader->models->arena;
    const str folder = path_join(arena, reader->options->project, STR("models"));
    struct str_list paths = {0};
    TRY(directory_walk(arena, folder, &paths, err));
    for (size_t i = 0; i < paths.count; i++) {
        if (!str_ends_with(str_to_lower(arena, paths.items[i]), STR(".sql"))) {
            continue;
        }
        const str file = str_format(arena, "models/" STR_FORMAT, STR_ARGS(paths.items[i]));
        if (!str_ends_with(file, STR(".sql"))) {
            warn_of_ending(reader, file);
        } else if (leaves_project(reader, file)) {
            skip_file(reader, file);
        } else {
            add_path(reader, file);
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

// ── Files ──

static void read_file(struct model_reader *reader, struct model *model) {
    struct arena *arena = reader->models->arena;
    struct error_list errors;
    struct error_list warnings;
    error_list_init(&errors, arena);
    error_list_init(&warnings, arena);
    struct error err;
    const str path = path_join(arena, reader->options->project, model->file);
    if (file_read(arena, path, &model->text, &err) != ERROR_NONE) {
        error_at(&err, model->file, 1, 1);
        model_add_finding(arena, model, FINDING_BLOCKER, &err);
        return;
    }
    (void)model_source_parse(arena, model->file, model->text, &model->source, &errors, &warnings);
    add_errors(arena, model, &errors, FINDING_BLOCKER);
    add_errors(arena, model, &warnings, FINDING_WARN);
}

// ── Syntax trees ──

// The first word of the text, in lower case; empty when it begins with something else.
static str first_word(struct arena *arena, str text) {
    size_t end = 0;
    while (end < text.size && ((text.data[end] | 0x20) >= 'a' && (text.data[end] | 0x20) <= 'z')) {
        end++;
    }
    return str_to_lower(arena, str_slice(text, 0, end));
}

static bool is_among(const str *words, size_t count, str word) {
    for (size_t i = 0; i < count; i++) {
        if (str_equal(words[i], word)) {
            return true;
        }
    }
    return false;
}

static bool has_word(str text, str wanted) {
    for (size_t at = sql_skip_space(text, 0); at < text.size;) {
        const size_t end = sql_skip_token(text, at);
        if (str_equal_nocase(str_slice(text, at, end), wanted)) {
            return true;
        }
        at = sql_skip_space(text, end);
    }
    return false;
}

// What people bring along from elsewhere.
static void explain_query_error(struct arena *arena, const struct model *model, size_t offset,
                                struct error *err) {
    static const str STATEMENTS[] = {
        STR_INIT("insert"),  STR_INIT("update"),  STR_INIT("delete"),   STR_INIT("merge"),
        STR_INIT("create"),  STR_INIT("drop"),    STR_INIT("alter"),    STR_INIT("copy"),
        STR_INIT("attach"),  STR_INIT("set"),     STR_INIT("call"),     STR_INIT("pragma"),
        STR_INIT("use"),     STR_INIT("load"),    STR_INIT("begin"),    STR_INIT("truncate"),
        STR_INIT("explain"), STR_INIT("install"), STR_INIT("prepare"),  STR_INIT("execute"),
        STR_INIT("vacuum"),  STR_INIT("analyze"), STR_INIT("comment"),  STR_INIT("detach"),
        STR_INIT("export"),  STR_INIT("import"),  STR_INIT("rollback"), STR_INIT("commit"),
    };
    static const str SHOWS[] = {STR_INIT("show"), STR_INIT("describe"), STR_INIT("desc"),
                                STR_INIT("summarize")};
    const str body = model->source.body;
    const str at = offset < body.size ? str_from_offset(body, offset) : (str){0};
    const str word = first_word(arena, body);
    const bool is_show = is_among(SHOWS, ARRAY_COUNT(SHOWS), word);
    if (is_show || is_among(STATEMENTS, ARRAY_COUNT(STATEMENTS), word)) {
        error_rule(err, ERROR_INVALID, "parser.other",
                   "the body of a model is one SELECT, not " STR_FORMAT,
                   STR_ARGS(str_to_upper(arena, word)));
        error_hint(err, "%s",
                   is_show ? "a query keeps what it gives: FROM (SUMMARIZE raw.orders)"
                           : "write the SELECT alone: @kind says how its rows get into the table");
    } else if (str_equal(str_from(err->message), STR("the body of a model is one SELECT")) &&
               has_word(body, STR("pivot"))) {
        error_hint(err, "a PIVOT needs its values listed: PIVOT t ON c IN ('a', 'b') USING …");
    }
    if (str_starts_with(at, STR("{{")) || str_starts_with(at, STR("{%"))) {
        error_hint(err, "a model is plain SQL, without templates: name the table, as in FROM "
                        "raw.orders");
    }
}

static void query_error(struct arena *arena, struct model *model, size_t offset,
                        struct error *err) {
    explain_query_error(arena, model, offset, err);
    const size_t at = offset == SIZE_MAX ? 0 : offset;
    error_at_offset(err, model->file, model->text, model->source.body_offset + at);
    model_add_finding(arena, model, FINDING_BLOCKER, err);
}

// Goes on with another text, as if it had been written: positions then agree with the line that an
// error shows.
static void replace_body(struct arena *arena, struct model *model, str body, str ast) {
    const size_t start = model->source.body_offset;
    const size_t end = start + model->source.body.size;
    model->written = model_written(model);
    model->text = str_format(arena, STR_FORMAT STR_FORMAT STR_FORMAT,
                             STR_ARGS(str_slice(model->text, 0, start)), STR_ARGS(body),
                             STR_ARGS(str_from_offset(model->text, end)));
    model->source.body = body;
    model->ast = ast;
}

// A PIVOT without values has no tree: it is read with types in their place.
static bool read_pivot(struct model_reader *reader, struct model *model) {
    struct arena *arena = reader->models->arena;
    struct sql_pivot_list pivots = {0};
    struct sql_query query;
    struct error ignored;
    size_t offset = SIZE_MAX;
    str ast;
    if (!has_word(model->source.body, STR("pivot"))) {
        return false;
    }
    const str prefix = str_format(arena, "__ondatra_pivot_" STR_FORMAT "__" STR_FORMAT "_",
                                  STR_ARGS(model->schema), STR_ARGS(model->name));
    const str body = sql_pivot_name_types(arena, model->source.body, prefix, &pivots);
    if (pivots.count == 0 ||
        lake_ast_read(reader->options->connection, arena, body, &ast, &ignored) != ERROR_NONE ||
        sql_query_read(arena, ast, &query, &offset, &ignored) != ERROR_NONE) {
        return false;
    }
    replace_body(arena, model, body, ast);
    model->query = query;
    model->pivots = pivots;
    return true;
}

// One statement for all models of a round: a statement each would cost more than the parsing.
static enum error_code read_queries(struct model_reader *reader, const struct model_list *round,
                                    struct error *err) {
    const struct models *models = reader->models;
    str *bodies = ARENA_ARRAY(models->arena, str, round->count);
    size_t count = 0;
    for (size_t i = 0; i < round->count; i++) {
        if (round->items[i]->source.body.size > 0) {
            bodies[count++] = round->items[i]->source.body;
        }
    }
    if (count == 0) {
        return ERROR_NONE;
    }
    LAKE_RESULT result = NULL;
    TRY(lake_query(reader->options->connection,
                   STR("SELECT json_serialize_sql(body)::VARCHAR FROM (SELECT unnest(?) AS body)"),
                   LAKE_VALUES(lake_value_texts(bodies, count)), &result, err));
    for (size_t i = 0; i < round->count; i++) {
        struct model *model = round->items[i];
        if (model->source.body.size == 0 || !lake_result_next(result)) {
            continue;
        }
        struct error query_err;
        size_t offset = SIZE_MAX;
        model->ast = str_copy(models->arena, lake_result_text(result, 0));
        if (sql_query_read(models->arena, model->ast, &model->query, &offset, &query_err) !=
                ERROR_NONE &&
            !read_pivot(reader, model)) {
            query_error(models->arena, model, offset, &query_err);
            continue;
        }
        if (model->query.is_show) {
            error_rule(&query_err, ERROR_INVALID, "parser.other",
                       "the body of a model is one SELECT");
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

static void read_bare_calls(struct model_reader *reader, struct model *model) {
    struct arena *arena = reader->models->arena;
    const str body = expand_bare_calls(reader, model);
    str ast;
    size_t offset = SIZE_MAX;
    struct error err;
    if (body.size == model->source.body.size ||
        lake_ast_read(reader->options->connection, arena, body, &ast, &err) != ERROR_NONE) {
        return;
    }
    replace_body(arena, model, body, ast);
    model->query = (struct sql_query){0};
    if (sql_query_read(arena, ast, &model->query, &offset, &err) != ERROR_NONE) {
        query_error(arena, model, offset, &err);
        model->has_query = false;
    }
}

// ── Schemas that are called like a database ──

// DuckDB refuses `ext.t` when a database ext is attached and the lake has a schema ext.  One of
// config/sources.sql is attached only by runs that need it.
static void check_schema(struct models *models, struct model *model) {
    static const str of_duckdb[] = {STR_INIT("memory"), STR_INIT("temp"), STR_INIT("system")};
    bool is_duckdbs = false;
    for (size_t i = 0; i < ARRAY_COUNT(of_duckdb); i++) {
        is_duckdbs = is_duckdbs || str_equal_nocase(model->schema, of_duckdb[i]);
    }
    const bool is_lakes = str_equal_nocase(model->schema, models->databases->lake);
    if (!is_duckdbs && !is_lakes && !databases_has_other(models->databases, model->schema)) {
        return;
    }
    struct error err;
    error_rule(&err, ERROR_INVALID, "parser.ambiguous_schema",
               "the schema " STR_FORMAT " is also the name of a database, so that " STR_FORMAT
               " could be a table of either",
               STR_ARGS(model->schema), STR_ARGS(model->target));
    if (is_duckdbs) {
        error_hint(&err, "move the model to another folder: DuckDB has a database of this name");
    } else {
        error_hint(&err,
                   "move the model to another folder, or give the database another name: "
                   "ATTACH … AS … in config/%s",
                   is_lakes ? "catalog.sql" : "sources.sql");
    }
    error_at(&err, model->file, 1, 1);
    error_source(&err, model->text);
    model_add_finding(models->arena, model, is_duckdbs || is_lakes ? FINDING_BLOCKER : FINDING_WARN,
                      &err);
}

// ── All of it ──

static void want(struct model_reader *reader, struct model *model) {
    if (!model->is_read) {
        model->is_read = true;
        LIST_PUSH(reader->models->arena, &reader->round, model);
    }
}

static enum error_code read_round(struct model_reader *reader, const struct model_list *round,
                                  struct error *err) {
    for (size_t i = 0; i < round->count; i++) {
        read_file(reader, round->items[i]);
    }
    TRY(read_queries(reader, round, err));
    for (size_t i = 0; i < round->count; i++) {
        struct model *model = round->items[i];
        if (model->has_query) {
            read_bare_calls(reader, model);
        }
        TRY(model_link(reader->models, reader->options, reader->models->views, model, err));
        for (size_t j = 0; j < model->reads.count; j++) {
            want(reader, model->reads.items[j]);
        }
    }
    return ERROR_NONE;
}

static enum error_code read_wanted(struct model_reader *reader, struct error *err) {
    struct models *models = reader->models;
    const struct models_options *options = reader->options;
    struct model *only = models_find(models, options->only);
    if (only != NULL) {
        want(reader, only);
    }
    for (size_t i = 0; i < models->count && options->only.size == 0; i++) {
        want(reader, models->items[i]);
    }
    while (reader->round.count > 0) {
        const struct model_list round = reader->round;
        reader->round = (struct model_list){0};
        TRY(read_round(reader, &round, err));
    }
    return ERROR_NONE;
}

enum error_code models_read(struct arena *arena, const struct models_options *options,
                            struct models *models, struct error *err) {
    *models = (struct models){.arena = arena};
    map_init_nocase(&models->by_target, arena);
    struct model_reader reader = {.models = models, .options = options};
    models->views = ARENA_NEW(arena, struct views);
    models->databases = ARENA_NEW(arena, struct databases);
    databases_read(models->databases, arena, options);
    views_init(models->views, arena, options, models->databases);
    models->macros = ARENA_NEW(arena, struct macros);
    macros_init(models->macros, arena, options, models->databases->lake);
    TRY(read_paths(&reader, err));
    sort_models(models);
    TRY(read_wanted(&reader, err));
    models_order(models);
    for (size_t i = 0; i < models->count; i++) {
        if (models->items[i]->is_read) {
            check_schema(models, models->items[i]);
            model_check_rules(arena, options, models->macros, models->items[i]);
        }
    }
    return ERROR_NONE;
}
