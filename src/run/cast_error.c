#include "run/cast_error.h"

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

// ── A cast of an expression ──

static bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The type that `sql` begins with: a name, its brackets, `WITH TIME ZONE`.
static str leading_type(str sql) {
    static const str zone = STR_INIT(" WITH TIME ZONE");
    size_t end = 0;
    while (end < sql.size && is_name_char(sql.data[end])) {
        end++;
    }
    if (str_equal_nocase(str_slice(sql, end, end + zone.size), zone)) {
        end += zone.size;
    }
    int depth = 0;
    for (size_t i = end; i < sql.size; i++) {
        const char c = sql.data[i];
        depth += c == '(' || c == '[' ? 1 : 0;
        if (depth == 0) {
            break;
        }
        depth -= c == ')' || c == ']' ? 1 : 0;
        end = depth == 0 ? i + 1 : end;
    }
    return str_slice(sql, 0, end);
}

// The type of the cast that begins at `sql`, `::T` or `CAST(… AS T)`; empty when none does.
static str cast_type(str sql) {
    static const str call = STR_INIT("CAST(");
    static const str as = STR_INIT(" AS ");
    if (str_starts_with(sql, STR("::"))) {
        return leading_type(str_trim(str_from_offset(sql, 2)));
    }
    if (!str_equal_nocase(str_slice(sql, 0, call.size), call)) {
        return (str){0};
    }
    int depth = 1;
    for (size_t i = call.size; i < sql.size && depth > 0; i++) {
        depth += sql.data[i] == '(' ? 1 : 0;
        depth -= sql.data[i] == ')' ? 1 : 0;
        if (depth == 1 && str_equal_nocase(str_slice(sql, i, i + as.size), as)) {
            return leading_type(str_from_offset(sql, i + as.size));
        }
    }
    return (str){0};
}

// The cast at the error's place; empty when something else stands there.
static str type_at(const struct model *model, const struct error *err) {
    for (size_t i = model->source.body_offset; i < model->text.size; i++) {
        const char c = model->text.data[i];
        if (c != ':' && c != 'c' && c != 'C') {
            continue;
        }
        int line = 0;
        int column = 0;
        source_position(model->text, i, &line, &column);
        if (line == err->pos.line && column == err->pos.column) {
            return cast_type(str_from_offset(model->text, i));
        }
    }
    return (str){0};
}

// ── The message ──

// ", in row 2"; empty when it is not known.
static str where(struct arena *arena, const struct fetch *fetch) {
    int64_t first = 0;
    int64_t last = 0;
    if (!fetch_rows_given(fetch, &first, &last)) {
        return (str){0};
    }
    return first == last ? str_format(arena, ", in row %lld of the fetch", (long long)first)
                         : str_format(arena, ", in one of the rows %lld to %lld of the fetch",
                                      (long long)first, (long long)last);
}

void cast_error_explain(const struct model *model, const struct fetch *fetch, struct error *err) {
    SCRATCH(scratch);
    const str message = str_copy(&scratch, str_from(err->message));
    const size_t at = str_find(message, SOURCE);
    const bool is_cut = message.size + 1 == sizeof(err->message);
    const str name = at == SIZE_MAX ? (str){0} : str_from_offset(message, at + SOURCE.size);
    const struct sql_column_use *use =
        at == SIZE_MAX && !is_cut ? NULL : find_use(model, name, err);
    const str type = use != NULL ? use->cast : type_at(model, err);
    if (type.size == 0) {
        return;
    }
    const str what =
        use != NULL ? str_format(&scratch, "column \"" STR_FORMAT "\" to ", STR_ARGS(use->name))
                    : STR("an expression to ");
    const struct error plain = *err;
    const str said = shorten(&scratch, at == SIZE_MAX ? message : str_slice(message, 0, at));
    error_set(err, plain.code, STR_FORMAT ": " STR_FORMAT STR_FORMAT ": " STR_FORMAT STR_FORMAT,
              STR_ARGS(model->target), STR_ARGS(what), STR_ARGS(type), STR_ARGS(said),
              STR_ARGS(where(&scratch, fetch)));
    error_hint(err,
               "mend the value at its source, or read what does not fit as NULL with TRY_CAST");
    err->pos = plain.pos;
    error_source(err, model->text);
}
