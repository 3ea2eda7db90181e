// What models need of config/sources.sql: databases of others, which may be down, and views.
#include "base/text.h"
#include "lake/attach.h"
#include "model/macros.h"
#include "run/runner.h"

static bool is_known(const struct runner *runner, str name) {
    return models_find(runner->models, name) != NULL || plan_has_table(runner->plan, name);
}

// Whether an argument of a check is a name that neither a model nor the lake has: one with a dot,
// or that of a view.
static bool names_source(struct runner *runner, const struct check_argument *argument) {
    SCRATCH(scratch);
    struct error ignored;
    bool is_view = false;
    struct str_splitter splitter = {.rest = argument->value};
    struct str_list parts = {0};
    str part;
    while (str_split_next(&splitter, '.', &part)) {
        str_list_push(&scratch, &parts, part);
    }
    if (argument->form != CHECK_TEXT || parts.count == 0 || parts.count > 3) {
        return false;
    }
    for (size_t i = 0; i < parts.count; i++) {
        if (!str_is_identifier(parts.items[i])) {
            return false;
        }
    }
    if (parts.count == 1) {
        return session_find_view(&runner->session, argument->value, &is_view, &ignored) ==
                   ERROR_NONE &&
               is_view;
    }
    const bool is_lakes =
        parts.count == 3 && str_equal_nocase(parts.items[0], lake_alias(runner->session.lake));
    const size_t first = is_lakes ? 1 : 0;
    const str name = str_format(&scratch, STR_FORMAT "." STR_FORMAT, STR_ARGS(parts.items[first]),
                                STR_ARGS(parts.items[first + 1]));
    return parts.count - first == 3 || !is_known(runner, name);
}

static bool checks_need_sources(struct runner *runner, const struct model *model) {
    for (size_t i = 0; i < model->checks.count; i++) {
        const struct check_argument_list *arguments = &model->checks.items[i].call.arguments;
        for (size_t j = 0; j < arguments->count; j++) {
            if (names_source(runner, &arguments->items[j])) {
                return true;
            }
        }
    }
    return false;
}

// Whether it reads what neither a model nor the lake has.
static bool needs_sources(struct runner *runner, const struct model *model) {
    bool needed =
        model->unverifiable.count > 0 || model->needs_sources || checks_need_sources(runner, model);
    for (size_t i = 0; i < model->inputs.count && !needed; i++) {
        needed = !is_known(runner, model->inputs.items[i]);
    }
    return needed;
}

// A model that has nothing to do now has something when what it reads was written.
static bool may_run(const struct runner *runner, const struct model *model, const bool *may) {
    const struct plan_step *step = plan_step_of(runner->plan, model);
    bool result = step->selected && step->type != RUN_SKIP;
    for (size_t i = 0; i < model->reads.count && step->selected; i++) {
        result = result || may[model->reads.items[i]->index];
    }
    return result;
}

// What it ends with is told by the models that need it; only an interrupt ends the run.
static enum error_code load(struct runner *runner, struct error *err) {
    bool *may = ARENA_ARRAY(runner->arena, bool, runner->models->count);
    bool any = false;
    for (size_t i = 0; i < runner->models->order.count; i++) {
        const struct model *model = runner->models->order.items[i];
        may[model->index] = may_run(runner, model, may);
        any = any || may[model->index];
        if (may[model->index] && needs_sources(runner, model)) {
            return session_load_sources(&runner->session, err);
        }
    }
    return any ? session_load_sources_of_models(&runner->session, err) : ERROR_NONE;
}

enum error_code run_load_sources(struct runner *runner, struct error *err) {
    return load(runner, err) == ERROR_CANCELLED ? ERROR_CANCELLED : ERROR_NONE;
}

enum error_code run_enter_sources(struct runner *runner, const struct model *model,
                                  struct error *err) {
    if (needs_sources(runner, model)) {
        TRY(session_load_sources(&runner->session, err));
    }
    return session_settle(&runner->session, err);
}

// Models that call them are known by what DuckDB has of them from now on.
enum error_code run_settle_macros(struct runner *runner, struct error *err) {
    const size_t before = session_unmade_macros(&runner->session);
    TRY(session_settle(&runner->session, err));
    if (session_unmade_macros(&runner->session) == before) {
        return ERROR_NONE;
    }
    TRY(macros_refresh(runner->models->macros, err));
    return plan_read_definitions(runner->plan, err);
}
