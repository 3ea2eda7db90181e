#include "model/sinks.h"

#include "base/environment.h"

bool model_has_sink(const struct model *model) {
    return model->source.directives.sink.at.is_set;
}

static enum error_code expand_args(const struct sink_context *context, const struct model *model,
                                   struct arena *arena, struct str_list *args, struct error *err) {
    const struct sink_directive *sink = &model->source.directives.sink;
    for (size_t i = 0; i < sink->args.count; i++) {
        str value;
        TRY(environment_expand(context->context->environment, arena, model->file,
                               sink->args.items[i], &value, err));
        str_list_push(arena, args, value);
    }
    return ERROR_NONE;
}

enum error_code sink_request(const struct sink_context *context, const struct model *model,
                             struct arena *arena, struct push_request *request, struct error *err) {
    const struct directives *directives = &model->source.directives;
    const struct lib *lib = lib_find(context->libs, directives->sink.name);
    if (lib == NULL || !lib->api.push.present) {
        error_set(err, ERROR_INVALID, "no lib file pushes to " STR_FORMAT,
                  STR_ARGS(directives->sink.name));
        error_at(err, model->file, directives->sink.at.line, directives->sink.at.column);
        return err->code;
    }
    *request = (struct push_request){
        .context = context->context,
        .connection = context->connection,
        .state = context->state,
        .libs = context->libs,
        .lib = lib,
        .target = model->target,
        .schema = model->schema,
        .table = model->name,
        .kind = model_kind_name(directives->kind),
        .keys = directives->group_columns,
        .typed_columns = directives->sink.is_push,
        .run_id = context->run_id,
    };
    if (directives->kind == MODEL_MERGE) {
        str_list_push(arena, &request->keys, directives->unique_key.value);
    }
    return expand_args(context, model, arena, &request->args, err);
}
