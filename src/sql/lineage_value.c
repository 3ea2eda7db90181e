#include <stdarg.h>

#include "base/text.h"
#include "sql/lineage_build.h"

struct lineage_column lineage_nothing(void) {
    return (struct lineage_column){.copy = {.relation = SIZE_MAX}};
}

// One source a column of an occurrence: the strongest way in counts.
void lineage_add_source(struct lineage_build *build, struct lineage_column *value,
                        const struct lineage_source *source) {
    for (size_t i = 0; i < value->sources.count; i++) {
        struct lineage_source *known = &value->sources.items[i];
        if (known->occurrence == source->occurrence &&
            str_equal_nocase(known->column, source->column)) {
            if (source->transformation > known->transformation) {
                known->transformation = source->transformation;
                known->function = source->function;
            }
            return;
        }
    }
    LIST_PUSH(build->arena, &value->sources, *source);
}

void lineage_add_indirect(struct lineage_build *build, struct lineage_indirect_list *list,
                          const struct lineage_indirect *indirect) {
    for (size_t i = 0; i < list->count; i++) {
        const struct lineage_indirect *known = &list->items[i];
        if (known->occurrence == indirect->occurrence && known->use == indirect->use &&
            str_equal_nocase(known->column, indirect->column)) {
            return;
        }
    }
    LIST_PUSH(build->arena, list, *indirect);
}

void lineage_use_list(struct lineage_build *build, struct lineage_indirect_list *list,
                      const struct lineage_indirect_list *part) {
    for (size_t i = 0; i < part->count; i++) {
        lineage_add_indirect(build, list, &part->items[i]);
    }
}

void lineage_take(struct lineage_build *build, struct lineage_column *value,
                  const struct lineage_column *part, enum lineage_transformation transformation,
                  str function) {
    for (size_t i = 0; i < part->sources.count; i++) {
        struct lineage_source source = part->sources.items[i];
        // Of two equally strong functions inside each other the outer one names the result.
        if (transformation != LINEAGE_IDENTITY && transformation >= source.transformation) {
            source.transformation = transformation;
            source.function = function;
        }
        lineage_add_source(build, value, &source);
    }
    lineage_use_list(build, &value->indirect, &part->indirect);
    value->untraced = value->untraced || part->untraced;
}

void lineage_use_value(struct lineage_build *build, struct lineage_indirect_list *list,
                       const struct lineage_column *part, enum lineage_use use) {
    for (size_t i = 0; i < part->sources.count; i++) {
        const struct lineage_source *source = &part->sources.items[i];
        const struct lineage_indirect indirect = {source->occurrence, source->table, source->column,
                                                  use};
        lineage_add_indirect(build, list, &indirect);
    }
    lineage_use_list(build, list, &part->indirect);
}

struct lineage_column lineage_field(struct lineage_build *build, const struct lineage_column *value,
                                    str name) {
    const struct lineage_column *field =
        value->fields == NULL ? NULL : lineage_column_find(value->fields, name);
    struct lineage_column result = lineage_nothing();
    if (field != NULL) {
        result = *field;
        result.copy.relation = SIZE_MAX;
        lineage_use_list(build, &result.indirect, &value->indirect);
    } else {
        lineage_take(build, &result, value, LINEAGE_FUNCTION, STR("struct_extract"));
    }
    result.name = str_copy(build->arena, name);
    return result;
}

void lineage_note(struct lineage_build *build, const char *format, ...) {
    struct text text;
    va_list args;
    text_init(&text, build->arena);
    va_start(args, format);
    text_format_list(&text, format, args);
    va_end(args);
    if (!str_list_has(&build->out->notes, text_str(&text))) {
        str_list_push(build->arena, &build->out->notes, text_str(&text));
    }
}

void lineage_unique_names(struct lineage_build *build, struct lineage_column_list *columns) {
    for (size_t i = 1; i < columns->count; i++) {
        const str wanted = columns->items[i].name;
        if (str_equal(wanted, STR("*"))) {
            continue;
        }
        for (int n = 0;; n++) {
            const str name =
                n == 0 ? wanted : str_format(build->arena, STR_FORMAT "_%d", STR_ARGS(wanted), n);
            const struct lineage_column_list before = {columns->items, i, i};
            if (lineage_column_find(&before, name) == NULL) {
                columns->items[i].name = name;
                break;
            }
        }
    }
}
