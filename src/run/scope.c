#include "run/scope.h"

#include "base/text.h"
#include "model/graph.h"

struct scope {
    str name;   // as it was given
    str target; // with its schema; empty: all
    bool with_ancestors;
    bool with_descendants;
};

static struct scope scope_read(const struct runner *runner) {
    const str text = runner->options->target;
    struct scope scope = {
        .with_ancestors = str_starts_with(text, STR("+")),
        .with_descendants = str_ends_with(text, STR("+")) && text.size > 1,
    };
    scope.name =
        str_slice(text, scope.with_ancestors ? 1 : 0, text.size - (scope.with_descendants ? 1 : 0));
    scope.target = scope.name;
    if (text.size > 0 && str_find_char(scope.name, '.') == SIZE_MAX) {
        scope.target = str_format(runner->arena, "main." STR_FORMAT, STR_ARGS(scope.name));
    }
    return scope;
}

str run_scope_only(const struct runner *runner) {
    const struct scope scope = scope_read(runner);
    return scope.with_descendants || runner->options->sandbox ? (str){0} : scope.target;
}

const struct model *run_scope_single(const struct runner *runner) {
    const struct scope scope = scope_read(runner);
    return scope.with_ancestors || scope.with_descendants
               ? NULL
               : models_find(runner->models, scope.target);
}

static enum error_code unknown_target(struct runner *runner, str name, struct error *err) {
    struct str_list names = {0};
    for (size_t i = 0; i < runner->models->count; i++) {
        str_list_push(runner->arena, &names, runner->models->items[i]->target);
    }
    return model_unknown(runner->arena, name, &names, err);
}

static enum error_code select_models(struct runner *runner, struct error *err) {
    const size_t count = runner->models->count;
    bool *marks = ARENA_ARRAY(runner->arena, bool, count);
    const struct scope scope = scope_read(runner);
    if (scope.target.size == 0) {
        for (size_t i = 0; i < count; i++) {
            runner->plan->steps[i].selected = true;
        }
        return ERROR_NONE;
    }
    const struct model *model = models_find(runner->models, scope.target);
    if (model == NULL) {
        return unknown_target(runner, scope.name, err);
    }
    if (scope.with_ancestors) {
        model_mark_ancestors(model, marks);
    }
    if (scope.with_descendants) {
        model_mark_descendants(model, marks);
    }
    marks[model->index] = true;
    for (size_t i = 0; i < count; i++) {
        runner->plan->steps[i].selected = marks[i];
    }
    return ERROR_NONE;
}

// The cycle that a model of this run is on or behind; NULL: none is.
static const struct model_list *find_cycle(const struct runner *runner) {
    const struct model_list *cycle = NULL;
    for (size_t i = 0; i < runner->models->count && cycle == NULL; i++) {
        if (runner->plan->steps[i].selected) {
            cycle = models_cycle_of(runner->models, runner->models->items[i]);
        }
    }
    return cycle;
}

static enum error_code check_cycle(struct runner *runner, struct error *err) {
    if (runner->models->cycles.count == 0 || runner->options->keep_going) {
        return ERROR_NONE;
    }
    const struct model_list *cycle = find_cycle(runner);
    if (cycle == NULL) {
        return ERROR_NONE;
    }
    const struct finding_list *findings = &cycle->items[0]->findings;
    *err = findings->items[findings->count - 1].error;
    for (size_t i = 0; i < findings->count; i++) {
        if (str_equal(str_from(findings->items[i].error.rule), STR("dag.cycle_detected"))) {
            *err = findings->items[i].error;
        }
    }
    return err->code;
}

enum error_code run_scope_select(struct runner *runner, struct error *err) {
    TRY(select_models(runner, err));
    return check_cycle(runner, err);
}
