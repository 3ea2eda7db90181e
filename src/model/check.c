// The checks of models as far as they can be told without data.
#include "model/check.h"

#include <string.h>

#include "base/map.h"
#include "base/suggest.h"
#include "base/text.h"
#include "lake/lake.h"
#include "lake/result.h"
#include "lake/script.h"
#include "model/model.h"
#include "project/checks.h"
#include "project/config_file.h"

str check_stage_name(enum check_stage stage) {
    static const str NAMES[] = {
        [CHECK_CONSTRAINT] = STR_INIT("constraint"),
        [CHECK_AUDIT] = STR_INIT("audit"),
        [CHECK_WARNING] = STR_INIT("warning"),
    };
    return NAMES[stage];
}

str check_stage_prefix(enum check_stage stage) {
    static const str PREFIXES[] = {
        [CHECK_CONSTRAINT] = STR_INIT("ondatra_constraint_"),
        [CHECK_AUDIT] = STR_INIT("ondatra_audit_"),
        [CHECK_WARNING] = STR_INIT("ondatra_warning_"),
    };
    return PREFIXES[stage];
}

str check_identity(struct arena *arena, const struct check *check) {
    return str_format(arena, STR_FORMAT ": " STR_FORMAT, STR_ARGS(check_stage_name(check->stage)),
                      STR_ARGS(check->at->value));
}

// ── Findings ──

static void refuse(struct arena *arena, struct model *model, struct check *check,
                   struct error *err) {
    check->mistake = str_copy(arena, str_from(err->message));
    error_context(err, "@" STR_FORMAT, STR_ARGS(check_stage_name(check->stage)));
    error_at(err, model->file, check->at->line, check->at->column);
    error_source(err, model->text);
    check->is_broken = true;
    model_add_finding(arena, model, check->stage == CHECK_WARNING ? FINDING_WARN : FINDING_BLOCKER,
                      err);
}

void checks_parse(struct arena *arena, struct model *model) {
    const struct directives *directives = &model->source.directives;
    const struct directive_list *lists[] = {
        [CHECK_CONSTRAINT] = &directives->constraints,
        [CHECK_AUDIT] = &directives->audits,
        [CHECK_WARNING] = &directives->warnings,
    };
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        for (size_t j = 0; j < lists[i]->count; j++) {
            struct error err;
            struct check check = {.stage = (enum check_stage)i, .at = &lists[i]->items[j]};
            if (check_call_parse(arena, check.at->value, &check.call, &err) != ERROR_NONE) {
                refuse(arena, model, &check, &err);
            }
            LIST_PUSH(arena, &model->checks, check);
        }
    }
}

// ── Macros ──

struct macro_checker {
    struct arena *arena;
    struct lake_connection *connection;
    struct map own;     // of config/macros/*.sql, by name
    struct map session; // of the connection: made by other config files, or DuckDB's functions
    bool session_is_read;
    enum error_code code; // of reading it
    struct error err;
    const struct str_list *outputs; // of the model's query; empty: not known
};

static const str SHIPPED_MASKS[] = {STR_INIT("mask_email"), STR_INIT("mask_ssn"),
                                    STR_INIT("hash_pii"), STR_INIT("redact")};

// Only the names that a check or a mask can have.
static enum error_code read_session(struct macro_checker *checker, struct error *err) {
    LAKE_RESULT result = NULL;
    TRY(lake_query(checker->connection,
                   STR("SELECT DISTINCT function_name FROM duckdb_functions() WHERE"
                       " regexp_matches(function_name, '^(ondatra_|mask|hash|redact)', 'i')"),
                   LAKE_NO_VALUES, &result, err));
    while (lake_result_next(result)) {
        (void)map_set(&checker->session, lake_result_text(result, 0), checker);
    }
    return ERROR_NONE;
}

// Asks the database only for what nothing else explains: it takes longer than all the rest.
static bool session_has(struct macro_checker *checker, str name) {
    if (!checker->session_is_read) {
        checker->session_is_read = true;
        checker->code = read_session(checker, &checker->err);
    }
    return checker->code != ERROR_NONE || map_has(&checker->session, name);
}

static bool mask_exists(struct macro_checker *checker, str name) {
    for (size_t i = 0; i < ARRAY_COUNT(SHIPPED_MASKS); i++) {
        if (str_equal_nocase(name, SHIPPED_MASKS[i])) {
            return true;
        }
    }
    return map_has(&checker->own, name) || session_has(checker, name);
}

// The stage of another directive that has a shipped macro of the name; NULL: none.
static const char *stage_with_macro(struct arena *arena, str name) {
    static const struct {
        enum check_stage stage;
        const char *directive;
    } STAGES[] = {
        {CHECK_CONSTRAINT, "constraint"}, {CHECK_AUDIT, "audit"}, {CHECK_WARNING, "warning"}};
    for (size_t i = 0; i < ARRAY_COUNT(STAGES); i++) {
        struct str_list names = {0};
        checks_names(arena, check_stage_prefix(STAGES[i].stage), &names);
        if (str_list_has_nocase(&names, name)) {
            return STAGES[i].directive;
        }
    }
    return NULL;
}

static void unknown_macro(struct macro_checker *checker, struct model *model, struct check *check) {
    const str prefix = check_stage_prefix(check->stage);
    struct str_list names = {0};
    checks_names(checker->arena, prefix, &names);
    for (size_t i = 0; i < checker->own.count; i++) {
        const str name = checker->own.entries[i].key;
        if (str_starts_with(name, prefix)) {
            str_list_push(checker->arena, &names, str_from_offset(name, prefix.size));
        }
    }
    struct error err;
    error_rule(&err, ERROR_NOT_FOUND, "check.unknown_macro", "there is no macro \"" STR_FORMAT "\"",
               STR_ARGS(check->call.name));
    const str near = suggest(check->call.name, &names);
    const char *other_stage = stage_with_macro(checker->arena, check->call.name);
    if (other_stage != NULL) {
        error_hint(&err, "there is one for @%s", other_stage);
    } else if (near.size > 0) {
        error_hint(&err, "did you mean " STR_FORMAT "?", STR_ARGS(near));
    } else {
        error_hint(&err, "a macro of your own is " STR_FORMAT STR_FORMAT " in config/macros/*.sql",
                   STR_ARGS(prefix), STR_ARGS(check->call.name));
    }
    refuse(checker->arena, model, check, &err);
}

// ── Arguments ── of shipped macros; the name of a parameter says what it takes.

static bool is_one_of(str name, const str *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (str_equal(name, names[i])) {
            return true;
        }
    }
    return false;
}

static bool takes_number(str parameter) {
    static const str NAMES[] = {STR_INIT("n"),       STR_INIT("percent"), STR_INIT("most"),
                                STR_INIT("least"),   STR_INIT("p"),       STR_INIT("shortest"),
                                STR_INIT("longest"), STR_INIT("lowest"),  STR_INIT("highest")};
    return is_one_of(parameter, NAMES, ARRAY_COUNT(NAMES));
}

static bool takes_column(str parameter) {
    static const str NAMES[] = {STR_INIT("col"), STR_INIT("start_col"), STR_INIT("end_col")};
    return is_one_of(parameter, NAMES, ARRAY_COUNT(NAMES));
}

// Columns that the kind adds: an audit sees them in the table.
static bool is_synthetic(const struct model *model, const struct check *check, str column) {
    static const str NAMES[] = {STR_INIT("_content_hash"), STR_INIT("valid_from_snapshot"),
                                STR_INIT("valid_to_snapshot"), STR_INIT("is_current")};
    const enum model_kind kind = model->source.directives.kind;
    return check->stage != CHECK_CONSTRAINT && (kind == MODEL_TRACKED || kind == MODEL_SCD2) &&
           is_one_of(column, NAMES, ARRAY_COUNT(NAMES));
}

// What is neither a plain name nor one in quotes is an expression.
static bool column_is_known(const struct macro_checker *checker, const struct model *model,
                            const struct check *check, str column, bool in_quotes) {
    return checker->outputs->count == 0 || !(in_quotes || str_is_identifier(column)) ||
           str_list_has_nocase(checker->outputs, column) || is_synthetic(model, check, column);
}

static bool check_column(struct macro_checker *checker, struct model *model, struct check *check,
                         str column, bool in_quotes) {
    if (column_is_known(checker, model, check, column, in_quotes)) {
        return true;
    }
    struct error err;
    error_rule(&err, ERROR_INVALID, "check.unknown_column",
               STR_FORMAT " names \"" STR_FORMAT "\", which the query does not produce",
               STR_ARGS(check->call.name), STR_ARGS(column));
    error_hint(&err, "it produces: " STR_FORMAT,
               STR_ARGS(str_list_join(checker->arena, checker->outputs, STR(", "))));
    refuse(checker->arena, model, check, &err);
    return false;
}

// Behind the next comma of a list of columns; commas in quotes belong to a name.
static size_t column_end(str columns, size_t offset) {
    while (offset < columns.size && columns.data[offset] != ',') {
        offset = sql_skip_token(columns, offset);
    }
    return offset;
}

static bool check_columns(struct macro_checker *checker, struct model *model, struct check *check,
                          str columns) {
    for (size_t at = 0; at < columns.size;) {
        const size_t end = column_end(columns, at);
        str column = str_trim(str_slice(columns, at, end));
        const bool in_quotes =
            str_starts_with(column, STR("\"")) && check_unquote(checker->arena, column, &column);
        if (!check_column(checker, model, check, column, in_quotes)) {
            return false;
        }
        at = end + 1;
    }
    return true;
}

// What is wrong with the argument; NULL when nothing is.
static const char *argument_mistake(str parameter, const struct check_argument *argument) {
    if (takes_number(parameter) && argument->form != CHECK_NUMBER) {
        return "is not a number";
    }
    if (str_equal(parameter, STR("op")) && !check_is_operator(argument->value)) {
        return "is not one of >= > <= < = !=";
    }
    return NULL;
}

// Whether the argument is a column's name in quotes: of several, a list in quotes is none.
static bool is_quoted_column(str parameter, const struct check_argument *argument) {
    static const str NAMES[] = {STR_INIT("key_col"), STR_INIT("other_col")};
    const bool is_list = str_equal(parameter, STR("cols"));
    return argument->is_name && !str_is_identifier(argument->value) &&
           (takes_column(parameter) || is_one_of(parameter, NAMES, ARRAY_COUNT(NAMES)) ||
            (is_list && str_find_char(argument->value, ',') == SIZE_MAX));
}

static bool check_named(struct macro_checker *checker, struct model *model, struct check *check,
                        str parameter, struct check_argument *argument) {
    const bool in_quotes = is_quoted_column(parameter, argument);
    if (in_quotes) {
        check_argument_quote(checker->arena, argument);
    }
    if (str_equal(parameter, STR("cols")) && !in_quotes) {
        return check_columns(checker, model, check, argument->value);
    }
    return !(takes_column(parameter) || str_equal(parameter, STR("cols"))) ||
           check_column(checker, model, check, argument->value, in_quotes);
}

static void check_named_columns(struct macro_checker *checker, struct model *model,
                                struct check *check, const struct str_list *parameters) {
    for (size_t i = 0; i < parameters->count && !check->is_broken; i++) {
        (void)check_named(checker, model, check, parameters->items[i],
                          &check->call.arguments.items[i]);
    }
}

static void check_arguments(struct macro_checker *checker, struct model *model, struct check *check,
                            const struct str_list *parameters) {
    const struct check_argument_list *arguments = &check->call.arguments;
    struct error err;
    if (arguments->count != parameters->count) {
        error_rule(&err, ERROR_INVALID, "check.bad_arguments",
                   STR_FORMAT " takes %zu argument%s (" STR_FORMAT "), not %zu",
                   STR_ARGS(check->call.name), parameters->count, parameters->count == 1 ? "" : "s",
                   STR_ARGS(str_list_join(checker->arena, parameters, STR(", "))),
                   arguments->count);
        if (arguments->count > parameters->count) {
            error_hint(&err, "an argument with commas needs quotes: 'a, b'");
        }
        refuse(checker->arena, model, check, &err);
        return;
    }
    for (size_t i = 0; i < arguments->count; i++) {
        const str parameter = parameters->items[i];
        const struct check_argument *argument = &arguments->items[i];
        const char *mistake = argument_mistake(parameter, argument);
        if (mistake != NULL) {
            error_rule(&err, ERROR_INVALID, "check.bad_arguments",
                       STR_FORMAT ": " STR_FORMAT " \"" STR_FORMAT "\" %s",
                       STR_ARGS(check->call.name), STR_ARGS(parameter), STR_ARGS(argument->value),
                       mistake);
            refuse(checker->arena, model, check, &err);
            return;
        }
    }
    check_named_columns(checker, model, check, parameters);
}

static void check_macro(struct macro_checker *checker, struct model *model, struct check *check) {
    const str macro =
        str_format(checker->arena, STR_FORMAT STR_FORMAT,
                   STR_ARGS(check_stage_prefix(check->stage)), STR_ARGS(check->call.name));
    struct str_list parameters = {0};
    if (map_has(&checker->own, macro)) {
        return; // what it takes, DuckDB says when it is called
    }
    if (checks_find(checker->arena, macro, &parameters)) {
        check->is_shipped = true;
        check_arguments(checker, model, check, &parameters);
    } else if (!session_has(checker, macro)) {
        unknown_macro(checker, model, check);
    }
}

// ── Masks ──

static void mask_finding(struct macro_checker *checker, struct model *model,
                         const struct column_directive *column, struct error *err) {
    error_at(err, model->file, column->at.line, column->at.column);
    error_source(err, model->text);
    model_add_finding(checker->arena, model, FINDING_BLOCKER, err);
}

// The directive that makes the column a key, or what moves the cursor; NULL: neither.
static const char *key_directive(const struct directives *directives, str column) {
    if (str_equal_nocase(directives->unique_key.value, column)) {
        return "unique_key";
    }
    if (str_equal_nocase(directives->incremental.value, column)) {
        return "incremental";
    }
    return str_list_has_nocase(&directives->group_columns, column) ? "group_key" : NULL;
}

static void check_mask(struct macro_checker *checker, struct model *model,
                       const struct column_directive *column) {
    struct error err;
    const char *key = key_directive(&model->source.directives, column->name);
    if (key != NULL) {
        error_rule(&err, ERROR_INVALID, "parser.invalid_directive",
                   "@column: \"" STR_FORMAT "\" cannot be masked by " STR_FORMAT
                   ", as it is the column of @%s",
                   STR_ARGS(column->name), STR_ARGS(column->mask), key);
        if (strcmp(key, "incremental") == 0) {
            error_hint(&err, "a masked cursor does not say where to go on: use another column");
        } else {
            error_hint(&err,
                       "rows could not be told apart any more: use another key, such as "
                       "hash_pii(" STR_FORMAT ") AS " STR_FORMAT "_hash in the query",
                       STR_ARGS(column->name), STR_ARGS(column->name));
        }
        mask_finding(checker, model, column, &err);
    }
    if (!mask_exists(checker, column->mask)) {
        struct str_list names = {0};
        for (size_t i = 0; i < ARRAY_COUNT(SHIPPED_MASKS); i++) {
            str_list_push(checker->arena, &names, SHIPPED_MASKS[i]);
        }
        for (size_t i = 0; i < checker->own.count; i++) {
            str_list_push(checker->arena, &names, checker->own.entries[i].key);
        }
        for (size_t i = 0; i < checker->session.count; i++) {
            str_list_push(checker->arena, &names, checker->session.entries[i].key);
        }
        error_rule(&err, ERROR_NOT_FOUND, "check.unknown_macro",
                   "@column: the tag \"" STR_FORMAT "\" names no macro", STR_ARGS(column->mask));
        const str near = suggest(column->mask, &names);
        if (near.size > 0) {
            error_hint(&err, "did you mean " STR_FORMAT "?", STR_ARGS(near));
        } else {
            error_hint(&err, "tags that begin with mask, hash or redact mask the column; make the "
                             "macro in config/macros/*.sql, or use another tag");
        }
        mask_finding(checker, model, column, &err);
    }
}

// ── All models ──

static bool has_checks(const struct models *models) {
    for (size_t i = 0; i < models->count; i++) {
        const struct model *model = models->items[i];
        if (model->checks.count > 0 || model_is_masked(model)) {
            return true;
        }
    }
    return false;
}

void model_check_named_columns(struct arena *arena, struct model *model,
                               const struct str_list *outputs) {
    struct macro_checker checker = {.arena = arena, .outputs = outputs};
    for (size_t i = 0; i < model->checks.count; i++) {
        struct check *check = &model->checks.items[i];
        struct str_list parameters = {0};
        const str macro =
            str_format(arena, STR_FORMAT STR_FORMAT, STR_ARGS(check_stage_prefix(check->stage)),
                       STR_ARGS(check->call.name));
        if (check->is_shipped && !check->is_broken && checks_find(arena, macro, &parameters)) {
            check_named_columns(&checker, model, check, &parameters);
        }
    }
}

enum error_code models_check_macros(struct models *models, const struct project *project,
                                    struct lake_connection *connection, struct error *err) {
    if (!has_checks(models)) {
        return ERROR_NONE;
    }
    struct macro_checker checker = {.arena = models->arena, .connection = connection};
    map_init_nocase(&checker.session, models->arena);
    TRY(config_macros_names(project, &checker.own, err));
    for (size_t i = 0; i < models->count; i++) {
        struct model *model = models->items[i];
        checker.outputs = &model->query.outputs;
        for (size_t j = 0; j < model->checks.count; j++) {
            if (!model->checks.items[j].is_broken) {
                check_macro(&checker, model, &model->checks.items[j]);
            }
        }
        const struct column_directive_list *columns = &model->source.directives.columns;
        for (size_t j = 0; j < columns->count; j++) {
            if (columns->items[j].mask.size > 0) {
                check_mask(&checker, model, &columns->items[j]);
            }
        }
    }
    if (checker.code != ERROR_NONE) {
        *err = checker.err;
    }
    return checker.code;
}
