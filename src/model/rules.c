#include "model/rules.h"

#include "lake/lake.h"
#include "model/check_columns.h"
#include "model/macros.h"
#include "model/new_files.h"
#include "sql/grouping.h"
#include "sql/lineage.h"

struct model_rules {
    struct arena *arena;
    const struct models_options *options;
    struct macros *macros;
};

static void finding_at(const struct model_rules *rules, struct model *model,
                       enum finding_severity severity, size_t offset, struct error *err) {
    const size_t at = offset == SIZE_MAX ? 0 : offset;
    error_at_offset(err, model->file, model->text, model->source.body_offset + at);
    model_add_finding(rules->arena, model, severity, err);
}

static void check_limit(const struct model_rules *rules, struct model *model) {
    const struct sql_query *query = &model->query;
    const bool strict =
        model->source.directives.fetch.is_set || model->source.directives.sink.is_push;
    const enum finding_severity severity = strict ? FINDING_BLOCKER : FINDING_WARN;
    struct error err;
    if (query->limit_offset != SIZE_MAX) {
        error_rule(&err, ERROR_INVALID, "read_only.limit_disallowed",
                   "LIMIT makes the rows of a model a matter of chance");
        error_hint(&err, "use ROW_NUMBER() … WHERE rn <= n, or `coypu query --limit`");
        finding_at(rules, model, severity, query->limit_offset, &err);
    }
    if (query->offset_offset != SIZE_MAX) {
        error_rule(&err, ERROR_INVALID, "read_only.offset_disallowed",
                   "OFFSET makes the rows of a model a matter of chance");
        error_hint(&err, "use ROW_NUMBER() … WHERE rn <= n, or `coypu query --limit`");
        finding_at(rules, model, severity, query->offset_offset, &err);
    }
}

static void check_strict(const struct model_rules *rules, struct model *model) {
    struct arena *arena = rules->arena;
    const struct models_options *options = rules->options;
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
        finding_at(rules, model, FINDING_BLOCKER, finding->offset, &err);
    }
}

static void not_built(const struct model_rules *rules, struct model *model,
                      const struct directive *at, const char *what) {
    struct error err;
    error_rule(&err, ERROR_INVALID, "parser.other", "%s not built yet", what);
    error_hint(&err, "remove it: coypu refuses what it would otherwise silently leave out");
    error_at(&err, model->file, at->line, at->column);
    error_source(&err, model->text);
    model_add_finding(rules->arena, model, FINDING_BLOCKER, &err);
}

// What a user may ask for and this version cannot do is refused, never skipped.
static void check_not_built(const struct model_rules *rules, struct model *model) {
    const struct directives *directives = &model->source.directives;
    for (size_t i = 0; i < directives->extensions.count; i++) {
        const str name = directives->extensions.items[i].name;
        if (!lake_extension_is_pinned(name) && !lake_extension_is_built_in(name)) {
            not_built(rules, model, &directives->extensions.items[i].at,
                      "loading an extension that coypu does not bring along is");
        }
    }
}

static void check_lib_calls(const struct model_rules *rules, struct model *model) {
    const struct directives *directives = &model->source.directives;
    struct error err;
    if (model->lib_calls.count > 0 && directives->sink.at.is_set && !directives->sink.is_push) {
        error_rule(&err, ERROR_INVALID, "strict_push.lib_call_disallowed",
                   "a model cannot both fetch and push");
        error_hint(&err, "fetch in one model and push from a second one that reads it");
        finding_at(rules, model, FINDING_BLOCKER, model->lib_calls.items[0].offset, &err);
    }
    if (model->lib_calls.count > 0 && !directives->fetch.is_set) {
        error_rule(&err, ERROR_INVALID, "fetch.missing_marker",
                   "the model fetches and has no @fetch");
        error_hint(&err, "add -- @fetch to have its projection checked");
        finding_at(rules, model, FINDING_INFO, model->lib_calls.items[0].offset, &err);
    }
}

// Macros cannot call themselves, but one may stand in another.
enum { MACRO_DEPTH_MAX = 8 };

static bool is_aggregate(const struct model_rules *rules, str name, int depth) {
    const struct sql_query *bodies = NULL;
    size_t count = 0;
    struct error ignored;
    if (lineage_is_aggregate(name)) {
        return true;
    }
    if (depth == MACRO_DEPTH_MAX ||
        macros_bodies(rules->macros, name, &bodies, &count, &ignored) != ERROR_NONE) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < bodies[i].functions.count; j++) {
            if (is_aggregate(rules, bodies[i].functions.items[j].name, depth + 1)) {
                return true;
            }
        }
    }
    return false;
}

// NULL: none.
static const struct sql_function *first_aggregate(const struct model_rules *rules,
                                                  const struct model *model) {
    for (size_t i = 0; i < model->query.functions.count; i++) {
        if (is_aggregate(rules, model->query.functions.items[i].name, 0)) {
            return &model->query.functions.items[i];
        }
    }
    return NULL;
}

// Which rows the aggregate sees decides what the table gathers.
static void check_append_aggregate(const struct model_rules *rules, struct model *model) {
    static const char *const WHAT[] = {
        [GROUPING_NEW_ROWS] = "is over the new rows of a run alone",
        [GROUPING_EITHER] = "is over the new rows of a run alone, or over all rows where these "
                            "cannot be told; then a row that changed is appended anew, and the old "
                            "one stays",
        [GROUPING_ALL_ROWS] =
            "is over all rows: a row that changed is appended anew, and the old one stays",
    };
    const struct sql_function *aggregate = first_aggregate(rules, model);
    if (model->source.directives.kind != MODEL_APPEND || aggregate == NULL) {
        return;
    }
    // A macro has no place for the new rows.
    const bool is_macro = !lineage_is_aggregate(aggregate->name);
    const enum sql_grouping grouping = is_macro || model->query.volatile_function.size > 0
                                           ? GROUPING_ALL_ROWS
                                           : sql_grouping_of(model->ast);
    const bool counts_rows = str_equal(aggregate->name, STR("count_star"));
    struct error err;
    error_rule(&err, ERROR_INVALID, "cdc.append_aggregate", STR_FORMAT "%s in an append model %s",
               STR_ARGS(counts_rows ? STR("count(*)") : aggregate->name), counts_rows ? "" : "()",
               WHAT[grouping]);
    error_hint(&err, "use @kind: merge with @unique_key for groups that are always whole");
    finding_at(rules, model, FINDING_WARN, aggregate->offset, &err);
}

static void check_cdc(const struct model_rules *rules, struct model *model) {
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
        finding_at(rules, model, FINDING_WARN, 0, &err);
    }
    check_append_aggregate(rules, model);
    if ((directives->kind == MODEL_TRACKED || directives->kind == MODEL_SCD2) &&
        model->query.volatile_function.size > 0) {
        error_rule(&err, ERROR_INVALID, "cdc.volatile",
                   STR_FORMAT "() makes every row look changed on each run",
                   STR_ARGS(model->query.volatile_function));
        error_hint(&err, "use ondatra_now(), or leave the column out");
        finding_at(rules, model, FINDING_WARN, model->query.volatile_offset, &err);
    }
}

// `id` is read as an operator; DuckDB would miss a function of an odd name.
static void check_backticks(const struct model_rules *rules, struct model *model) {
    if (str_find(model->ast, STR("\"`__postfix\"")) != SIZE_MAX) {
        struct error err;
        error_rule(&err, ERROR_INVALID, "parser.other", "names are not quoted with backticks");
        error_hint(&err, "write \"name\" in double quotes, or the name alone");
        finding_at(rules, model, FINDING_BLOCKER, str_find_char(model->source.body, '`'), &err);
    }
}

void model_check_rules(struct arena *arena, const struct models_options *options,
                       struct macros *macros, struct model *model) {
    const struct model_rules *rules = &(struct model_rules){arena, options, macros};
    checks_parse(arena, model);
    check_not_built(rules, model);
    if (model->has_query) {
        check_backticks(rules, model);
        check_limit(rules, model);
        check_strict(rules, model);
        model_check_columns(arena, model, &model->query.outputs);
        check_lib_calls(rules, model);
        check_cdc(rules, model);
    }
}
