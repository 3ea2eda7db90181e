#include "inspect/survey.h"

#include "base/suggest.h"
#include "base/text.h"
#include "inspect/inspect.h"
#include "lake/attach.h"
#include "lake/lake.h"
#include "lake/script.h"
#include "lake/snapshot.h"
#include "model/databases.h"
#include "plan/commit.h"
#include "project/builtin.h"
#include "project/config_file.h"
#include "project/config_statement.h"

// ── Opening ──

// The project's macros in an empty database.  One that cannot be made is missing, as it would be in
// a run; the functions that call it then stay what they are called.
static enum error_code open_bare(struct survey *survey, const struct context *context,
                                 struct error *err) {
    const struct lake_options options = {.threads = 1};
    struct session *session = &survey->session;
    struct error ignored;
    *session = (struct session){.project = &survey->project};
    TRY(lake_open(context, &options, &session->lake, err));
    TRY(lake_connect(session->lake, &session->connection, err));
    if (lake_script_run(session->connection, STR("built-in macros"), builtin_macros, NULL,
                        &ignored) == ERROR_NONE) {
        struct config_statements macros = {.alias = STR("memory")};
        (void)!config_macros_run(&survey->project, session->connection, &macros, &ignored);
    }
    return ERROR_NONE;
}

static enum error_code open_database(struct survey *survey, const struct context *context,
                                     struct error *err) {
    const struct session_options options = {
        .read_only = true, .without_sources = true, .threads = 1};
    struct error ignored;
    if (session_start(&survey->project, &options, &survey->session, &ignored) == ERROR_NONE) {
        survey->has_lake = true;
        return ERROR_NONE;
    }
    return open_bare(survey, context, err);
}

// Which models have a commit; a lake that cannot be read any further is none.
static void read_commits(struct survey *survey) {
    struct lake_model_commit *commits = NULL;
    size_t count = 0;
    struct error ignored;
    map_init_nocase(&survey->ran, survey->arena);
    if (!survey->has_lake) {
        return;
    }
    if (lake_model_commits(survey->session.connection, survey->arena, NULL, &commits, &count,
                           &ignored) != ERROR_NONE) {
        survey->has_lake = false;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        str target = {0};
        struct commit commit;
        if (commit_read(survey->arena, commits[i].snapshot, commits[i].extra_info, &target,
                        &commit)) {
            (void)map_set(&survey->ran, target, survey);
        }
    }
}

enum error_code survey_open(struct arena *arena, const struct context *context,
                            struct survey *survey, struct error *err) {
    *survey = (struct survey){.arena = arena};
    TRY(project_open(context, arena, (str){0}, &survey->project, err));
    TRY(open_database(survey, context, err));
    const str alias = survey->has_lake ? lake_alias(survey->session.lake) : (str){0};
    TRY(libs_read(&survey->project, alias, &survey->libs, err));
    TRY(models_read_with_libs(&survey->project, survey->session.connection, alias, &survey->libs,
                              &survey->models, err));
    const struct models_lineage_options options = {
        .connection = survey->session.connection,
        .alias = survey->models.databases->lake,
        .asks_tables = survey->has_lake,
        .asks_calls = true,
    };
    models_lineage_init(&survey->lineages, arena, &survey->models, &options);
    read_commits(survey);
    return ERROR_NONE;
}

void survey_close(struct survey *survey) {
    session_end(&survey->session);
    lib_set_done(&survey->libs);
}

bool survey_never_ran(const struct survey *survey, const struct model *model) {
    return survey->has_lake && !map_has(&survey->ran, model->target);
}

// ── Finding ──

static const struct model *find_model(const struct survey *survey, str name) {
    const struct model *model = models_find(&survey->models, name);
    if (model == NULL && str_find_char(name, '.') == SIZE_MAX) {
        const str target = str_format(survey->arena, "main." STR_FORMAT, STR_ARGS(name));
        model = models_find(&survey->models, target);
    }
    return model;
}

static enum error_code unknown_model(const struct survey *survey, str name, struct error *err) {
    struct str_list targets = {0};
    for (size_t i = 0; i < survey->models.count; i++) {
        str_list_push(survey->arena, &targets, survey->models.items[i]->target);
    }
    return model_unknown(survey->arena, name, &targets, err);
}

static enum error_code find_column(struct survey *survey, const struct model *model, str wanted,
                                   str *column, struct error *err) {
    const struct lineage *lineage = model_lineage(&survey->lineages, model);
    struct str_list names = {0};
    bool is_open = lineage == NULL;
    for (size_t i = 0; lineage != NULL && i < lineage->columns.count; i++) {
        const str name = lineage->columns.items[i].name;
        if (str_equal_nocase(name, wanted)) {
            *column = name;
            return ERROR_NONE;
        }
        is_open = is_open || str_equal(name, STR("*")) || lineage->columns.items[i].is_open;
        str_list_push(survey->arena, &names, name);
    }
    if (is_open) { // it may well have that column
        *column = wanted;
        return ERROR_NONE;
    }
    error_set(err, ERROR_NOT_FOUND, STR_FORMAT " has no column " STR_FORMAT,
              STR_ARGS(model->target), STR_ARGS(wanted));
    const str near = suggest(wanted, &names);
    if (near.size > 0) {
        error_hint(err, "did you mean " STR_FORMAT "?", STR_ARGS(near));
    } else {
        error_hint(err, "it has: " STR_FORMAT,
                   STR_ARGS(str_list_join(survey->arena, &names, STR(", "))));
    }
    return err->code;
}

enum error_code survey_find(struct survey *survey, str name, const struct model **model,
                            str *column, struct error *err) {
    *column = (str){0};
    *model = find_model(survey, name);
    if (*model != NULL) {
        return ERROR_NONE;
    }
    // A column's name may have dots, a target's parts cannot.
    for (size_t at = str_find_char(name, '.'); at != SIZE_MAX && at < name.size;) {
        const struct model *candidate = find_model(survey, str_slice(name, 0, at));
        if (candidate != NULL) {
            *model = candidate;
            return find_column(survey, candidate, str_from_offset(name, at + 1), column, err);
        }
        const size_t next = str_find_char(str_from_offset(name, at + 1), '.');
        at = next == SIZE_MAX ? SIZE_MAX : at + 1 + next;
    }
    return unknown_model(survey, name, err);
}
