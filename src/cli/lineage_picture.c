#include "cli/lineage_picture.h"

#include "base/text.h"

// ── Models ──

static void outside_edge(struct picture *picture, str name, size_t to) {
    const struct picture_node node = {.label = name, .group = SIZE_MAX, .faded = true};
    const struct picture_edge edge = {.from = picture_node(picture, name, &node), .to = to};
    picture_edge(picture, &edge);
}

// What a model reads that no model makes.
static void outside_edges(struct picture *picture, const struct models *models,
                          const struct model *model, size_t to) {
    for (size_t i = 0; i < model->inputs.count; i++) {
        if (models_find(models, model->inputs.items[i]) == NULL) {
            outside_edge(picture, model->inputs.items[i], to);
        }
    }
    for (size_t i = 0; i < model->files.count; i++) {
        outside_edge(picture, model->files.items[i], to);
    }
    for (size_t i = 0; i < model->lib_calls.count; i++) {
        outside_edge(
            picture,
            str_format(picture->arena, STR_FORMAT "()", STR_ARGS(model->lib_calls.items[i].name)),
            to);
    }
    for (size_t i = 0; i < model->unverifiable.count; i++) {
        outside_edge(picture, model->unverifiable.items[i], to);
    }
}

static size_t model_node(struct picture *picture, const struct model *model,
                         const struct picture_note *note) {
    bool faded = false;
    str more = {0};
    if (note != NULL) {
        more = note->text(note->self, model, &faded);
    }
    const struct picture_node node = {
        .label = str_format(picture->arena, STR_FORMAT "\n" STR_FORMAT "%s" STR_FORMAT,
                            STR_ARGS(model->target),
                            STR_ARGS(model_kind_name(model->source.directives.kind)),
                            more.size > 0 ? "\n" : "", STR_ARGS(more)),
        .group = picture_group(picture, model->schema),
        .faded = faded,
    };
    return picture_node(picture, model->target, &node);
}

void models_picture(struct picture *picture, const struct models *models,
                    const struct picture_note *note) {
    for (size_t i = 0; i < models->order.count; i++) {
        (void)model_node(picture, models->order.items[i], note);
    }
    for (size_t i = 0; i < models->count; i++) { // those on a cycle, too
        (void)model_node(picture, models->items[i], note);
    }
    for (size_t i = 0; i < models->count; i++) {
        const struct model *model = models->items[i];
        const size_t to = model_node(picture, model, note);
        for (size_t j = 0; j < model->reads.count; j++) {
            const struct picture_edge edge = {
                .from = model_node(picture, model->reads.items[j], note), .to = to};
            picture_edge(picture, &edge);
        }
        outside_edges(picture, models, model, to);
        if (model->source.directives.sink.at.is_set) {
            const str name = str_format(picture->arena, STR_FORMAT " (push)",
                                        STR_ARGS(model->source.directives.sink.name));
            const struct picture_node node = {.label = name, .group = SIZE_MAX, .faded = true};
            const struct picture_edge edge = {.from = to, .to = picture_node(picture, name, &node)};
            picture_edge(picture, &edge);
        }
    }
}

// ── Columns ──

static size_t column_node(struct picture *picture, str table, str column, bool strong) {
    const struct picture_node node = {
        .label = column,
        .group = picture_group(picture, table),
        .strong = strong,
    };
    return picture_node(
        picture,
        str_format(picture->arena, STR_FORMAT "\n" STR_FORMAT, STR_ARGS(table), STR_ARGS(column)),
        &node);
}

static str edge_label(struct arena *arena, const struct lineage_source *source) {
    if (source->transformation == LINEAGE_IDENTITY) {
        return (str){0};
    }
    return source->function.size > 0
               ? source->function
               : str_to_lower(arena, lineage_transformation_name(source->transformation));
}

static void deciding_edges(struct picture *picture, const struct lineage_indirect_list *list,
                           size_t to) {
    for (size_t i = 0; i < list->count; i++) {
        const struct lineage_indirect *entry = &list->items[i];
        const struct picture_edge edge = {
            .from = column_node(picture, entry->table, entry->column, false),
            .to = to,
            .label = lineage_use_name(entry->use),
            .dashed = true,
        };
        picture_edge(picture, &edge);
    }
}

static void column_edges(struct picture *picture, const struct lineage_column *column, size_t to) {
    for (size_t i = 0; i < column->sources.count; i++) {
        const struct lineage_source *source = &column->sources.items[i];
        const struct picture_edge edge = {
            .from = column_node(picture, source->table, source->column, false),
            .to = to,
            .label = edge_label(picture->arena, source),
        };
        picture_edge(picture, &edge);
    }
    deciding_edges(picture, &column->indirect, to);
}

void model_picture(struct picture *picture, struct survey *survey, const struct model *model) {
    const struct lineage *lineage = model_lineage(&survey->lineages, model);
    (void)picture_group(picture, model->target);
    for (size_t i = 0; lineage != NULL && i < lineage->columns.count; i++) {
        (void)column_node(picture, model->target, lineage->columns.items[i].name, true);
    }
    for (size_t i = 0; lineage != NULL && i < lineage->columns.count; i++) {
        const struct lineage_column *column = &lineage->columns.items[i];
        column_edges(picture, column, column_node(picture, model->target, column->name, true));
    }
    if (lineage != NULL && lineage->indirect.count > 0) {
        deciding_edges(picture, &lineage->indirect,
                       column_node(picture, model->target, STR("(rows)"), false));
    }
}

static void trace(struct picture *picture, struct survey *survey, const struct model *model,
                  str name, struct map *seen) {
    const struct lineage *lineage = model_lineage(&survey->lineages, model);
    const struct lineage_column *column =
        lineage == NULL ? NULL : lineage_column_find(&lineage->columns, name);
    const str key = str_format(picture->arena, STR_FORMAT "\n" STR_FORMAT, STR_ARGS(model->target),
                               STR_ARGS(name));
    if (column == NULL || map_set(seen, key, seen) != NULL) {
        return;
    }
    column_edges(picture, column, column_node(picture, model->target, column->name, false));
    for (size_t i = 0; i < column->sources.count; i++) {
        const struct lineage_source *source = &column->sources.items[i];
        const struct model *above = models_find(&survey->models, source->table);
        if (above != NULL) {
            trace(picture, survey, above, source->column, seen);
        }
    }
}

void column_picture(struct picture *picture, struct survey *survey, const struct model *model,
                    str column) {
    struct map seen;
    map_init_nocase(&seen, picture->arena);
    (void)column_node(picture, model->target, column, true);
    trace(picture, survey, model, column, &seen);
}
