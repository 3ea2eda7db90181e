#include "model/mask.h"

#include "base/text.h"
#include "lake/lake.h"

void mask_make(struct arena *arena, const struct model *model, struct mask *mask) {
    const struct column_directive_list *columns = &model->source.directives.columns;
    struct text head;
    text_init(&head, arena);
    for (size_t i = 0; i < columns->count; i++) {
        const struct column_directive *column = &columns->items[i];
        if (column->mask.size == 0) {
            continue;
        }
        const str name = lake_quote_name(arena, column->name);
        text_format(&head, "%s" STR_FORMAT "(" STR_FORMAT ") AS " STR_FORMAT,
                    head.size > 0 ? ", " : "(SELECT * REPLACE (",
                    STR_ARGS(lake_quote_name(arena, column->mask)), STR_ARGS(name), STR_ARGS(name));
    }
    *mask = (struct mask){0};
    if (head.size > 0) {
        text_add(&head, STR(") FROM "));
        *mask = (struct mask){.head = text_str(&head), .tail = STR(")")};
    }
}

void mask_withhold(const struct model *model, struct error *err) {
    // What comes from a lib has a place in its file, and speaks of requests.
    if (!model_is_masked(model) || err->code != ERROR_INVALID || err->pos.file[0] != '\0') {
        return;
    }
    const struct source_pos pos = err->pos;
    error_set(err, ERROR_INVALID,
              "a value cannot be computed; which one is not shown, as the "
              "model masks columns");
    error_hint(err, "run the query without its sensitive columns, or use TRY_CAST");
    err->pos = pos;
}
