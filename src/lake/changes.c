#include "lake/changes.h"

#include "base/arena.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/lake.h"

str changes_from_text(struct arena *arena, const struct lake_connection *connection,
                      const struct changes_query *query) {
    const str alias = lake_alias(lake_of(connection));
    return str_format(arena,
                      "ducklake_table_changes(" STR_FORMAT ", " STR_FORMAT ", " STR_FORMAT
                      ", %lld::BIGINT, %lld::BIGINT)",
                      STR_ARGS(lake_quote_text(arena, alias)),
                      STR_ARGS(lake_quote_text(arena, query->schema)),
                      STR_ARGS(lake_quote_text(arena, query->table)), (long long)query->from,
                      (long long)query->to);
}

enum error_code changes_stream(struct lake_connection *connection,
                               const struct changes_query *query, struct lake_result **result,
                               struct error *err) {
    SCRATCH(scratch);
    struct text sql;
    text_init(&sql, &scratch);
    text_add(&sql, STR("SELECT * FROM "));
    // An empty range may begin at a snapshot that does not exist yet, which DuckLake refuses.
    const bool is_empty = query->from > query->to;
    struct changes_query range = *query;
    range.from = is_empty ? query->to : query->from;
    text_add(&sql, changes_from_text(&scratch, connection, &range));
    if (is_empty) {
        text_add(&sql, STR(" WHERE false"));
    } else if (!str_is_empty(query->where)) {
        text_format(&sql, " WHERE " STR_FORMAT, STR_ARGS(query->where));
    }
    if (!query->unordered) {
        const str order =
            str_is_empty(query->order) ? STR("snapshot_id, rowid, change_type") : query->order;
        text_format(&sql, " ORDER BY " STR_FORMAT, STR_ARGS(order));
    }
    return lake_stream(connection, text_str(&sql), LAKE_NO_VALUES, result, err);
}
