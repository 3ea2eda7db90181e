#include "write/rename.h"

#include "write/columns.h"

// The source column that the column is a copy of; NULL: it is none.
static const struct lineage_source *copied_source(const struct lineage_column_list *lineage,
                                                  str name) {
    const struct lineage_column *column = lineage_column_find(lineage, name);
    return column != NULL && column->is_copy ? &column->sources.items[0] : NULL;
}

static bool is_same_source(const struct lineage_source *a, const struct lineage_source *b) {
    return str_equal_nocase(a->table, b->table) && str_equal_nocase(a->column, b->column);
}

// The only column of `columns` that `others` lack and that copies the source.
static const struct lake_column *only_copy(const struct lake_column *columns, size_t count,
                                           const struct lake_column *others, size_t other_count,
                                           const struct lineage_column_list *lineage,
                                           const struct lineage_source *source) {
    const struct lake_column *found = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct lineage_source *own = copied_source(lineage, columns[i].name);
        if (own == NULL || !is_same_source(own, source) ||
            columns_find(others, other_count, columns[i].name) != NULL) {
            continue;
        }
        if (found != NULL) {
            return NULL;
        }
        found = &columns[i];
    }
    return found;
}

void renames_find(struct arena *arena, const struct rename_input *input,
                  struct column_renames *renames) {
    *renames = (struct column_renames){0};
    for (size_t i = 0; i < input->before_count; i++) {
        const struct lake_column *gone = &input->before[i];
        const struct lineage_source *source = copied_source(input->lineage_before, gone->name);
        if (source == NULL || columns_find(input->after, input->after_count, gone->name) != NULL) {
            continue;
        }
        const struct lake_column *came =
            only_copy(input->after, input->after_count, input->before, input->before_count,
                      input->lineage_after, source);
        const struct lake_column *back =
            only_copy(input->before, input->before_count, input->after, input->after_count,
                      input->lineage_before, source);
        if (came != NULL && back == gone) {
            const struct column_rename rename = {gone->name, came->name};
            LIST_PUSH(arena, renames, rename);
        }
    }
}
