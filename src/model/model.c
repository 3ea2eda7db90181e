#include "model/model.h"

str finding_severity_name(enum finding_severity severity) {
    static const str NAMES[] = {
        [FINDING_BLOCKER] = STR_INIT("BLOCKER"),
        [FINDING_WARN] = STR_INIT("WARN"),
        [FINDING_INFO] = STR_INIT("INFO"),
    };
    return NAMES[severity];
}

struct model *models_find(const struct models *models, str target) {
    return map_get(&models->by_target, target);
}

void model_add_finding(struct arena *arena, struct model *model, enum finding_severity severity,
                       const struct error *err) {
    struct finding finding = {severity, *err};
    LIST_PUSH(arena, &model->findings, finding);
    model->broken = model->broken || severity == FINDING_BLOCKER;
}
