#include "inspect/push_state.h"

#include "base/list.h"
#include "lake/snapshot.h"
#include "model/sinks.h"

enum error_code push_state_request(struct inspection *inspection, const struct model *model,
                                   struct push_request *request, struct error *err) {
    if (!model_has_sink(model)) {
        error_set(err, ERROR_INVALID, STR_FORMAT " has no sink", STR_ARGS(model->target));
        error_hint(err, "a model delivers with -- @sink: NAME in its header");
        return err->code;
    }
    const struct sink_context context = {.context = inspection->context,
                                         .connection = inspection->session.connection,
                                         .state = inspection->state,
                                         .libs = &inspection->libs};
    return sink_request(&context, model, inspection->arena, request, err);
}

static enum error_code add_model(struct inspection *inspection, const struct model *model,
                                 struct push_state_list *list, struct error *err) {
    struct push_request request;
    struct push_state state = {
        .target = model->target, .sink = model->source.directives.sink.name, .model = model};
    struct error ignored; // of a sink without a lib: what is stored is shown all the same
    TRY(fact_sink_read(inspection->state, inspection->arena, model, &state.stored, err));
    if (push_state_request(inspection, model, &request, &ignored) == ERROR_NONE) {
        state.has_preview = true;
        TRY(push_preview(&request, &state.preview, err));
    }
    state.args = state.stored.state.id > 0 ? state.stored.state.key.args : (str){0};
    LIST_PUSH(inspection->arena, list, state);
    return ERROR_NONE;
}

// What the store holds of models that are gone, or push elsewhere now.
static enum error_code add_others(struct inspection *inspection, str target,
                                  struct push_state_list *list, struct error *err) {
    struct state_sink_list sinks;
    TRY(state_sink_list(inspection->state, inspection->arena, target, &sinks, err));
    for (size_t i = 0; i < sinks.count; i++) {
        bool known = false;
        for (size_t j = 0; j < list->count && !known; j++) {
            known = list->items[j].stored.state.id == sinks.items[i].id;
        }
        if (!known) {
            const struct push_state state = {.target = sinks.items[i].key.target,
                                             .sink = sinks.items[i].key.sink,
                                             .args = sinks.items[i].key.args,
                                             .stored = {.state = sinks.items[i]}};
            LIST_PUSH(inspection->arena, list, state);
        }
    }
    return ERROR_NONE;
}

enum error_code push_state_read(struct inspection *inspection, str target,
                                struct push_state_list *list, struct error *err) {
    *list = (struct push_state_list){0};
    TRY(lake_current_snapshot(inspection->session.connection, &list->current_snapshot, err));
    for (size_t i = 0; i < inspection->models.count; i++) {
        const struct model *model = inspection->models.items[i];
        if (model_has_sink(model) &&
            (target.size == 0 || str_equal_nocase(model->target, target))) {
            TRY(add_model(inspection, model, list, err));
        }
    }
    return add_others(inspection, target, list, err);
}
