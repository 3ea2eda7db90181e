#include "lake/variant.h"

#include "base/text.h"
#include "lake/lake.h"
#include "lake/result.h"
#include "lake/script.h"

static const str VARIANT = STR_INIT("VARIANT");

// Whether the token at `start` of a type is VARIANT and not the name of a field, which a space
// follows.
static bool is_variant(str type, size_t start, size_t end) {
    return str_equal(str_slice(type, start, end), VARIANT) &&
           (end == type.size || type.data[end] != ' ');
}

// The type with JSON in the place of each VARIANT; empty: it has none.
static str readable_type(struct arena *arena, str type) {
    struct text text;
    text_init(&text, arena);
    bool has_variant = false;
    for (size_t at = 0; at < type.size;) {
        const size_t end = sql_skip_token(type, at);
        const bool is_one = is_variant(type, at, end);
        has_variant = has_variant || is_one;
        text_add(&text, is_one ? STR("JSON") : str_slice(type, at, end));
        at = end;
    }
    return has_variant ? text_str(&text) : (str){0};
}

// `SELECT CAST(c0 AS JSON) AS "v", … FROM (…) AS q(c0, …)`: columns by number, as two of them may
// have one name.  Empty: nothing is to be cast.
static str readable_sql(struct arena *arena, const struct lake_result *result, str sql,
                        bool as_json) {
    struct text columns;
    struct text names;
    bool has_variant = false;
    text_init(&columns, arena);
    text_init(&names, arena);
    for (size_t i = 0; i < lake_result_column_count(result); i++) {
        const str type = lake_result_type(result, i)->name;
        const str comma = i > 0 ? STR(", ") : STR("");
        str cast = readable_type(arena, type);
        has_variant = has_variant || cast.size > 0;
        cast = str_equal(type, VARIANT) && !as_json ? STR("VARCHAR") : cast;
        text_format(&names, STR_FORMAT "c%zu", STR_ARGS(comma), i);
        if (cast.size > 0) {
            text_format(&columns, STR_FORMAT "CAST(c%zu AS " STR_FORMAT ")", STR_ARGS(comma), i,
                        STR_ARGS(cast));
        } else {
            text_format(&columns, STR_FORMAT "c%zu", STR_ARGS(comma), i);
        }
        text_format(&columns, " AS " STR_FORMAT,
                    STR_ARGS(lake_quote_name(arena, lake_result_name(result, i))));
    }
    if (!has_variant) {
        return (str){0};
    }
    return str_format(arena, "SELECT " STR_FORMAT " FROM (\n" STR_FORMAT "\n) AS q(" STR_FORMAT ")",
                      STR_ARGS(text_str(&columns)), STR_ARGS(sql), STR_ARGS(text_str(&names)));
}

enum error_code lake_stream_readable(struct lake_connection *connection, struct arena *arena,
                                     str sql, bool as_json, struct lake_result **result,
                                     struct error *err) {
    struct sql_statement_list statements = {0};
    sql_split(arena, sql, &statements);
    TRY(lake_stream(connection, sql, LAKE_NO_VALUES, result, err));
    const str query = statements.count > 0 ? statements.items[0].text : sql;
    const str readable = readable_sql(arena, *result, query, as_json);
    if (readable.size == 0) {
        return ERROR_NONE;
    }
    lake_result_free(*result); // nothing of it was computed
    *result = NULL;
    return lake_stream(connection, readable, LAKE_NO_VALUES, result, err);
}
