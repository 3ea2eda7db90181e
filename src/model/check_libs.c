#include "model/check_libs.h"

#include "base/suggest.h"
#include "base/text.h"

static bool takes_kind(const struct lib *lib, enum model_kind kind) {
    const struct lib_push *push = &lib->api.push;
    return lib->broken || kind == MODEL_SCD2 || // refused for every lib, by its directives
           !push->limits_kinds || str_list_has(&push->supported_kinds, model_kind_name(kind));
}

static void check_sink(struct models *models, const struct lib_set *libs, struct model *model) {
    const struct directives *directives = &model->source.directives;
    const struct sink_directive *sink = &directives->sink;
    if (!sink->at.is_set || sink->name.size == 0) {
        return;
    }
    struct error err;
    const struct lib *lib = lib_find(libs, sink->name);
    const char *word = sink->is_push ? "push" : "sink";
    const str names = lib_names_with_push(libs, models->arena);
    if (lib == NULL) {
        error_rule(&err, ERROR_NOT_FOUND, "cross_ast.unknown_lib",
                   STR_FORMAT ": @%s: there is no lib \"" STR_FORMAT "\"", STR_ARGS(model->target),
                   word, STR_ARGS(sink->name));
    } else if (!lib->broken && !lib->api.push.present) {
        error_rule(&err, ERROR_INVALID, "cross_ast.unknown_lib",
                   STR_FORMAT ": @%s: the lib \"" STR_FORMAT "\" has no push",
                   STR_ARGS(model->target), word, STR_ARGS(sink->name));
    } else if (!takes_kind(lib, directives->kind)) {
        error_rule(&err, ERROR_INVALID, "push.kind_not_supported",
                   STR_FORMAT ": @%s: the lib \"" STR_FORMAT
                              "\" does not take models of kind " STR_FORMAT,
                   STR_ARGS(model->target), word, STR_ARGS(sink->name),
                   STR_ARGS(model_kind_name(directives->kind)));
    } else {
        return;
    }
    if (lib != NULL && lib->api.push.present) {
        error_hint(
            &err, "it takes: " STR_FORMAT,
            STR_ARGS(str_list_join(models->arena, &lib->api.push.supported_kinds, STR(", "))));
    } else {
        error_hint(&err, "libs with push: " STR_FORMAT, STR_ARGS(names));
    }
    error_at(&err, model->file, sink->at.line, sink->at.column);
    error_source(&err, model->text);
    model_add_finding(models->arena, model, FINDING_BLOCKER, &err);
}

// Arguments go to push() in the order that push.args declares; a surplus one would be lost.
static void check_sink_args(struct models *models, const struct lib_set *libs,
                            struct model *model) {
    const struct sink_directive *sink = &model->source.directives.sink;
    const struct lib *lib = sink->at.is_set ? lib_find(libs, sink->name) : NULL;
    if (model->broken || lib == NULL || lib->broken || !lib->api.push.present) {
        return;
    }
    const struct str_list *declared = &lib->api.push.args;
    const struct lib_function *function = lib_function_find(lib, STR("push"));
    size_t required = 0;
    for (size_t i = 0; function != NULL && i < declared->count; i++) {
        const struct lib_parameter *parameter =
            lib_function_parameter(function, declared->items[i]);
        required = parameter != NULL && !parameter->has_default ? i + 1 : required;
    }
    struct error err;
    if (sink->args.count > declared->count) {
        error_rule(&err, ERROR_INVALID, "cross_ast.args_mismatch",
                   STR_FORMAT ": the sink " STR_FORMAT " takes %zu argument%s, got %zu",
                   STR_ARGS(model->target), STR_ARGS(sink->name), declared->count,
                   declared->count == 1 ? "" : "s", sink->args.count);
    } else if (sink->args.count < required) {
        error_rule(&err, ERROR_INVALID, "cross_ast.args_mismatch",
                   STR_FORMAT ": the sink " STR_FORMAT " needs argument \"" STR_FORMAT "\"",
                   STR_ARGS(model->target), STR_ARGS(sink->name),
                   STR_ARGS(declared->items[sink->args.count]));
    } else {
        return;
    }
    error_hint(&err, "push.args of lib/" STR_FORMAT ".star: " STR_FORMAT, STR_ARGS(lib->name),
               STR_ARGS(declared->count == 0 ? STR("none")
                                             : str_list_join(models->arena, declared, STR(", "))));
    error_at(&err, model->file, sink->at.line, sink->at.column);
    error_source(&err, model->text);
    model_add_finding(models->arena, model, FINDING_BLOCKER, &err);
}

// A call as fetch_check wants it: names and numbers of arguments, not their values.
static struct fetch_call call_outline(struct arena *arena, const struct model *model,
                                      const struct sql_call *call) {
    struct fetch_call out = {
        .lib = call->name,
        .arguments = ARENA_ARRAY(arena, struct fetch_argument, call->arguments.count),
        .argument_count = call->arguments.count,
        .columns = ARENA_ARRAY(arena, struct fetch_column, call->columns.count),
        .column_count = call->columns.count,
        .takes_all = call->takes_all,
    };
    source_position(model->text, model->source.body_offset + call->offset, &out.line, &out.column);
    for (size_t i = 0; i < call->arguments.count; i++) {
        out.arguments[i] = (struct fetch_argument){
            .name = call->arguments.items[i].name,
            .is_constant = call->arguments.items[i].is_constant,
        };
    }
    for (size_t i = 0; i < call->columns.count; i++) {
        const struct sql_column_use *use = &call->columns.items[i];
        out.columns[i] = (struct fetch_column){use->name, use->output, use->cast, use->try_cast,
                                               use->is_projected};
    }
    return out;
}

static void check_calls(struct models *models, const struct lib_set *libs, struct model *model) {
    const size_t count = model->lib_calls.count;
    if (count == 0) {
        return;
    }
    struct fetch_call *calls = ARENA_ARRAY(models->arena, struct fetch_call, count);
    for (size_t i = 0; i < count; i++) {
        calls[i] = call_outline(models->arena, model, &model->lib_calls.items[i]);
    }
    struct error_list errors;
    error_list_init(&errors, models->arena);
    fetch_check(libs, model->file, model_kind_name(model->source.directives.kind), calls, count,
                &errors);
    for (size_t i = 0; i < errors.count; i++) {
        error_source(&errors.items[i], model->text);
        model_add_finding(models->arena, model, FINDING_BLOCKER, &errors.items[i]);
    }
}

void models_check_libs(struct models *models, const struct lib_set *libs) {
    for (size_t i = 0; i < models->count; i++) {
        check_sink(models, libs, models->items[i]);
        check_sink_args(models, libs, models->items[i]);
        check_calls(models, libs, models->items[i]);
    }
}
