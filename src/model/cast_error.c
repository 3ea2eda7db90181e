#include "model/cast_error.h"

#include "base/text.h"

static const str SOURCE = STR_INIT(" when casting from source column ");

// The use of the column that stands nearest before the error, which DuckDB places at the cast.
// NULL without one; an empty name means any column.
static const struct sql_column_use *find_use(const struct model *model, str name,
                                             const struct error *err) {
    const struct sql_column_use *best = NULL;
    for (size_t i = 0; i < model->lib_calls.count; i++) {
        const struct sql_column_use_list *uses = &model->lib_calls.items[i].columns;
        for (size_t j = 0; j < uses->count; j++) {
            const struct sql_column_use *use = &uses->items[j];
            if (use->cast.size == 0 || (name.size > 0 && !str_equal_nocase(use->name, name))) {
                continue;
            }
            int line = 0;
            int column = 0;
            source_position(model->text, model->source.body_offset + use->offset, &line, &column);
            const bool is_before = line == err->pos.line && column <= err->pos.column;
            if (is_before || (best == NULL && name.size > 0)) {
                best = use;
            }
        }
    }
    return best;
}

// The message with a long value in quotes cut.
static str shorten(struct arena *arena, str message) {
    const size_t open = str_find_char(message, '"');
    if (open == SIZE_MAX) {
        return message;
    }
    const str value = str_from_offset(message, open + 1);
    size_t close = value.size;
    while (close > 0 && value.data[close - 1] != '"') {
        close--;
    }
    const bool is_closed = close > 0;
    const size_t size = is_closed ? close - 1 : value.size;
    if (size <= CAST_VALUE_MAX) {
        return message;
    }
    return str_format(arena, STR_FORMAT "\"" STR_FORMAT "…\"" STR_FORMAT,
                      STR_ARGS(str_slice(message, 0, open)),
                      STR_ARGS(str_cut(str_slice(value, 0, size), CAST_VALUE_MAX)),
                      STR_ARGS(is_closed ? str_from_offset(value, close) : STR("")));
}

void cast_error_explain(const struct model *model, struct error *err) {
    SCRATCH(scratch);
    const str message = str_copy(&scratch, str_from(err->message));
    const size_t at = str_find(message, SOURCE);
    const bool is_cut = message.size + 1 == sizeof(err->message);
    if (at == SIZE_MAX && !is_cut) {
        return;
    }
    const str name = at == SIZE_MAX ? (str){0} : str_from_offset(message, at + SOURCE.size);
    const struct sql_column_use *use = find_use(model, name, err);
    if (use == NULL) {
        return;
    }
    const struct error plain = *err;
    const str said = shorten(&scratch, at == SIZE_MAX ? message : str_slice(message, 0, at));
    error_set(err, plain.code,
              STR_FORMAT ": column \"" STR_FORMAT "\" to " STR_FORMAT ": " STR_FORMAT,
              STR_ARGS(model->target), STR_ARGS(use->name), STR_ARGS(use->cast), STR_ARGS(said));
    error_hint(err,
               "mend the value at its source, or read what does not fit as NULL with TRY_CAST");
    err->pos = plain.pos;
    error_source(err, model->text);
}
