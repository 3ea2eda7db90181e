#ifndef LAKE_TRANSACTION_H
#define LAKE_TRANSACTION_H

// BEGIN and COMMIT, made safe.
//
// DuckDB forgives too much: after a parser error a COMMIT commits the earlier statements, after a
// run-time error it reports success and commits nothing.  So the connection remembers the first
// error of a transaction, and lake_commit rolls back and returns that error.
//
//     TRY(lake_begin(connection, err));
//     enum error_code code = write_all(connection, err);
//     if (code == ERROR_NONE) {
//         code = lake_commit(connection, &snapshot, err);
//     }
//     if (code != ERROR_NONE) {
//         lake_rollback(connection);
//     }
//
// A transaction writes one attached database (temp tables are free).  One writing transaction at a
// time in a process: the caller holds the run lock.

#include "base/error.h"

struct lake_connection;

// ERROR_INTERNAL when one is open already.
MUST_USE enum error_code lake_begin(struct lake_connection *connection, struct error *err);
// *snapshot (may be NULL) is the id of the snapshot written; 0 when nothing changed and none was.
// After an error in the transaction: rolls back and returns that error.  ERROR_CONFLICT when
// another writer was first: repeat the whole transaction.
MUST_USE enum error_code lake_commit(struct lake_connection *connection, int64_t *snapshot,
                                     struct error *err);
// Does nothing when no transaction is open.
void lake_rollback(struct lake_connection *connection);
bool lake_in_transaction(const struct lake_connection *connection);

// The message of the snapshot to be committed; inside a transaction only, the last call wins as a
// whole.  `extra_info` is a JSON object or empty.
MUST_USE enum error_code lake_commit_message(struct lake_connection *connection, str author,
                                             str message, str extra_info, struct error *err);

#endif
