#ifndef LIB_FETCH_SPOOL_H
#define LIB_FETCH_SPOOL_H

// Fetched rows set aside in a file until the last page tells the types of their columns.
//
// The file has no name (it is gone when the process ends, however that happens) and is read by any
// number of scans, each with its own position.  A row is its non-null cells, each as column number,
// kind and content, and an end mark.
//
// Errors: ERROR_IO (the disk is full).
// Threads: written by one thread; after fetch_spool_finish read by any.

#include "lib/fetch_row.h"

struct fetch_spool;
struct fetch_spool_reader;

// `directory` for the file; empty: the system's folder for temporary files.
MUST_USE enum error_code fetch_spool_new(str directory, struct fetch_spool **spool,
                                         struct error *err);
void fetch_spool_free(struct fetch_spool *spool); // takes NULL
MUST_USE enum error_code fetch_spool_add(struct fetch_spool *spool, const struct fetch_cell *cells,
                                         size_t count, struct error *err);
MUST_USE enum error_code fetch_spool_finish(struct fetch_spool *spool, struct error *err);
int64_t fetch_spool_rows(const struct fetch_spool *spool);
// What column `index` has seen; all-zero for one that no row has.
struct fetch_seen fetch_spool_seen(const struct fetch_spool *spool, size_t index);

struct fetch_spool_reader *fetch_spool_open(const struct fetch_spool *spool);
void fetch_spool_close(struct fetch_spool_reader *reader); // takes NULL
// The next row into cells[0…count), whose text lives until the next call; *found is false at the
// end.
MUST_USE enum error_code fetch_spool_read(struct fetch_spool_reader *reader,
                                          struct fetch_cell *cells, size_t count, bool *found,
                                          struct error *err);

#endif
