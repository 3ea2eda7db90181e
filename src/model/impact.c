#include "model/impact.h"

#include "base/text.h"

// "table\ncolumn" of every column that is affected; the column "*" stands for the rows.
struct walk {
    struct arena *arena;
    struct models_lineage *lineages;
    struct map affected;
    str table; // where it begins
    struct impact *out;
};

static str key_of(struct walk *walk, str table, str column) {
    return str_format(walk->arena, STR_FORMAT "\n" STR_FORMAT, STR_ARGS(table), STR_ARGS(column));
}

static bool is_affected(struct walk *walk, str table, str column) {
    return map_has(&walk->affected, key_of(walk, table, column));
}

static void affect(struct walk *walk, str table, str column) {
    (void)map_set(&walk->affected, key_of(walk, table, column), walk);
}

static void add_sources(struct walk *walk, const struct lineage_column *column,
                        struct impact_dependent *dependent) {
    for (size_t i = 0; i < column->sources.count; i++) {
        const struct lineage_source *source = &column->sources.items[i];
        const bool is_star = str_equal(source->column, STR("*"));
        if (is_affected(walk, source->table, source->column) ||
            (is_star && column->untraced && dependent->is_direct &&
             str_equal_nocase(source->table, walk->table))) {
            const struct impact_use use = {.column = column->name,
                                           .table = source->table,
                                           .source = source->column,
                                           .how = *source};
            LIST_PUSH(walk->arena, &dependent->uses, use);
        }
    }
}

static void add_deciding(struct walk *walk, str column, const struct lineage_indirect_list *list,
                         struct impact_dependent *dependent) {
    for (size_t i = 0; i < list->count; i++) {
        const struct lineage_indirect *entry = &list->items[i];
        if (is_affected(walk, entry->table, entry->column)) {
            const struct impact_use use = {.column = column,
                                           .table = entry->table,
                                           .source = entry->column,
                                           .decides = true,
                                           .use = entry->use};
            LIST_PUSH(walk->arena, &dependent->uses, use);
        }
    }
}

static bool reads(const struct model *model, str table) {
    return str_list_has_nocase(&model->inputs, table) ||
           str_list_has_nocase(&model->files, table) ||
           str_list_has_nocase(&model->unverifiable, table);
}

static bool calls(const struct model *model, str table) {
    for (size_t i = 0; i < model->lib_calls.count; i++) {
        const str name = model->lib_calls.items[i].name;
        if (str_starts_with(table, name) &&
            str_equal(str_from_offset(table, name.size), STR("()"))) {
            return true;
        }
    }
    return false;
}

// Whether the rows of something it reads may change.
static bool reads_changed_rows(struct walk *walk, const struct lineage *lineage) {
    for (size_t i = 0; i < lineage->occurrences.count; i++) {
        if (is_affected(walk, lineage->occurrences.items[i].table, STR("*"))) {
            return true;
        }
    }
    return false;
}

static void visit_traced(struct walk *walk, const struct lineage *lineage,
                         struct impact_dependent *dependent) {
    const str target = dependent->model->target;
    for (size_t i = 0; i < lineage->columns.count; i++) {
        const struct lineage_column *column = &lineage->columns.items[i];
        const size_t before = dependent->uses.count;
        add_sources(walk, column, dependent);
        add_deciding(walk, column->name, &column->indirect, dependent);
        if (dependent->uses.count > before) {
            affect(walk, target, column->name);
        }
    }
    const size_t before = dependent->uses.count;
    add_deciding(walk, (str){0}, &lineage->indirect, dependent);
    dependent->rows = dependent->uses.count > before || reads_changed_rows(walk, lineage);
    if (dependent->rows) {
        affect(walk, target, STR("*"));
    }
}

// Of a model that cannot be traced all may be affected.
static void visit_unknown(struct walk *walk, struct impact_dependent *dependent) {
    const struct model *model = dependent->model;
    bool reads_affected = dependent->is_direct;
    for (size_t i = 0; i < model->reads.count; i++) {
        for (size_t j = 0; j < walk->out->count; j++) {
            reads_affected = reads_affected || walk->out->items[j].model == model->reads.items[i];
        }
    }
    dependent->unknown = reads_affected;
    if (reads_affected) {
        affect(walk, model->target, STR("*"));
    }
}

static void visit(struct walk *walk, const struct model *model) {
    const struct lineage *lineage = model_lineage(walk->lineages, model);
    struct impact_dependent dependent = {.model = model};
    dependent.is_direct = reads(model, walk->table) || calls(model, walk->table);
    if (str_equal_nocase(model->target, walk->table)) {
        return;
    }
    if (lineage != NULL) {
        visit_traced(walk, lineage, &dependent);
    } else {
        visit_unknown(walk, &dependent);
    }
    if (dependent.uses.count > 0 || dependent.rows || dependent.unknown) {
        LIST_PUSH(walk->arena, walk->out, dependent);
    }
}

void impact_find(struct models_lineage *lineages, str table, str column, struct impact *impact) {
    *impact = (struct impact){0};
    struct walk walk = {lineages->arena, lineages, {0}, table, impact};
    map_init_nocase(&walk.affected, lineages->arena);
    affect(&walk, table, column.size > 0 ? column : STR("*"));
    const struct model *model = models_find(lineages->models, table);
    const struct lineage *lineage = model == NULL ? NULL : model_lineage(lineages, model);
    for (size_t i = 0; column.size == 0 && lineage != NULL && i < lineage->columns.count; i++) {
        affect(&walk, table, lineage->columns.items[i].name);
    }
    const struct model_list *order = &lineages->models->order;
    for (size_t i = 0; i < order->count; i++) {
        visit(&walk, order->items[i]);
    }
}
