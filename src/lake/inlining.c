#include "lake/inlining.h"

#include "base/context.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/duckdb_api.h"
#include "lake/lake.h"
#include "lake/type.h"

#define LIMIT "ducklake_default_data_inlining_row_limit"

bool lake_inlining_keeps(struct lake_connection *connection, str type) {
    return lake_catalog_kind(connection->lake) == LAKE_CATALOG_DUCKDB || !lake_type_is_nested(type);
}

enum error_code lake_inlining_set_limit(struct lake_connection *connection, int64_t limit,
                                        struct error *err) {
    SCRATCH(scratch);
    const str sql = str_format(&scratch, "SET SESSION " LIMIT " = %lld", (long long)limit);
    return lake_execute(connection, sql, LAKE_NO_VALUES, NULL, err);
}

enum error_code lake_inlining_allow(struct lake_connection *connection, bool is_allowed,
                                    struct error *err) {
    if (connection->inlines_nothing == !is_allowed) {
        return ERROR_NONE;
    }
    if (is_allowed) {
        TRY(lake_inlining_set_limit(connection, connection->inlining_limit, err));
    } else {
        TRY(lake_query_int64(connection, STR("SELECT current_setting('" LIMIT "')::BIGINT"),
                             LAKE_NO_VALUES, &connection->inlining_limit, NULL, err));
        TRY(lake_inlining_set_limit(connection, 0, err));
    }
    connection->inlines_nothing = !is_allowed;
    return ERROR_NONE;
}

enum error_code lake_inlining_limit(struct lake_connection *connection, str schema, str table,
                                    int64_t *limit, struct error *err) {
    SCRATCH(scratch);
    const str sql = str_format(
        &scratch,
        "SELECT value::BIGINT FROM " STR_FORMAT ".options() WHERE option_name = "
        "'data_inlining_row_limit' AND (scope = 'GLOBAL' OR (scope = 'SCHEMA' AND "
        "lower(scope_entry) = lower($1)) OR (scope = 'TABLE' AND lower(scope_entry) = lower($1 || "
        "'.' || $2))) ORDER BY CASE scope WHEN 'TABLE' THEN 0 WHEN 'SCHEMA' THEN 1 ELSE 2 END "
        "LIMIT 1",
        STR_ARGS(lake_quote_name(&scratch, lake_alias(connection->lake))));
    return lake_query_int64(connection, sql,
                            LAKE_VALUES(lake_value_text(schema), lake_value_text(table)), limit,
                            NULL, err);
}
