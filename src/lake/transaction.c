#include "lake/transaction.h"

#include "base/text.h"
#include "lake/duckdb_api.h"

static enum error_code run(struct lake_connection *connection, str sql, struct error *err) {
    struct lake_result *result = NULL;
    const enum error_code code = lake_run(connection, sql, false, &result, err);
    lake_result_free(result);
    return code;
}

enum error_code lake_begin(struct lake_connection *connection, struct error *err) {
    if (connection->in_transaction) {
        return error_set(err, ERROR_INTERNAL, "a transaction is open already");
    }
    TRY(run(connection, STR("BEGIN"), err));
    connection->in_transaction = true;
    connection->has_failed = false;
    return ERROR_NONE;
}

void lake_rollback(struct lake_connection *connection) {
    if (!connection->in_transaction) {
        return;
    }
    connection->in_transaction = false;
    connection->has_failed = false;
    // It can fail only when DuckDB has rolled back by itself already.
    struct error ignored = {0};
    (void)!run(connection, STR("ROLLBACK"), &ignored);
}

// What the last commit of this connection wrote; NULL when nothing was written.
static enum error_code committed(struct lake_connection *connection, int64_t *id,
                                 struct error *err) {
    SCRATCH(scratch);
    const str sql =
        str_format(&scratch, "FROM " STR_FORMAT ".last_committed_snapshot()",
                   STR_ARGS(lake_quote_name(&scratch, connection->lake->attached.alias)));
    LAKE_RESULT result = NULL;
    TRY(lake_run(connection, sql, false, &result, err));
    *id = lake_result_next(result) ? lake_result_int64(result, 0) : 0;
    return ERROR_NONE;
}

enum error_code lake_commit(struct lake_connection *connection, int64_t *snapshot,
                            struct error *err) {
    if (!connection->in_transaction) {
        return error_set(err, ERROR_INTERNAL, "no transaction is open");
    }
    if (connection->has_failed) {
        *err = connection->failure;
        lake_rollback(connection);
        return err->code;
    }
    const bool wants_id = snapshot != NULL && connection->lake->attached.is_attached;
    // Asking costs catalog queries, so the last answer is kept as long as it can be right.
    if (wants_id && connection->has_written_alone) {
        TRY(committed(connection, &connection->last_snapshot, err));
    }
    const enum error_code code = run(connection, STR("COMMIT"), err);
    if (code != ERROR_NONE) {
        lake_rollback(connection);
        return code;
    }
    connection->in_transaction = false;
    if (wants_id) {
        int64_t after = 0;
        TRY(committed(connection, &after, err));
        *snapshot = after == connection->last_snapshot ? 0 : after;
        connection->last_snapshot = after;
        connection->has_written_alone = false;
        return ERROR_NONE;
    }
    connection->has_written_alone = true;
    if (snapshot != NULL) {
        *snapshot = 0;
    }
    return ERROR_NONE;
}

bool lake_in_transaction(const struct lake_connection *connection) {
    return connection->in_transaction;
}

enum error_code lake_commit_message(struct lake_connection *connection, str author, str message,
                                    str extra_info, struct error *err) {
    if (!connection->in_transaction) {
        return error_set(err, ERROR_INTERNAL, "a commit message needs an open transaction");
    }
    SCRATCH(scratch);
    const str alias = lake_quote_name(&scratch, connection->lake->attached.alias);
    const struct lake_value extra =
        str_is_empty(extra_info) ? lake_value_null() : lake_value_text(extra_info);
    const str sql = str_format(
        &scratch, "CALL " STR_FORMAT ".set_commit_message(?, ?, extra_info => ?)", STR_ARGS(alias));
    return lake_execute(connection, sql,
                        LAKE_VALUES(lake_value_text(author), lake_value_text(message), extra), NULL,
                        err);
}
