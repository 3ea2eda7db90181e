#ifndef LIB_PUSH_FEED_H
#define LIB_PUSH_FEED_H

// The events of a range, or of failed rows, as an ordered stream.  Internal to the push engine.
//
// A stream is staged by one CREATE TEMP TABLE with the order of libs.md §6.4 and a running index,
// then read chunk by chunk.  So the lake is read once, whatever long the sink takes, no read
// transaction stays open on the catalog, and any part can be read again by its index.
//
// Ownership: a stream owns its temp table; pages live until their last event is dropped.
// Errors: those of lake/.
// Threads: that of the connection.

#include "base/list.h"
#include "lake/lake.h"
#include "lib/push_batch.h"

struct push_table {
    struct lake_connection *connection;
    str schema;
    str name;
    bool append;          // inserts only
    bool grouped;         // tracked
    struct str_list keys; // key columns
    str hidden;           // a column that sinks do not see; empty: none
    // As of the snapshot that feed_describe was given:
    struct str_list columns;
    struct str_list types; // as DuckDB prints them
};
// Fills columns and types as of `snapshot`.
MUST_USE enum error_code feed_describe(struct push_table *table, struct arena *arena,
                                       int64_t snapshot, struct error *err);

struct push_stream {
    const struct push_table *table;
    const char *name;      // of the temp table
    int64_t total;         // events
    int64_t next;          // index of the next event to read
    int64_t until;         // read no further than this index
    const int64_t *joined; // row ids left out, ascending
    size_t joined_count;
    struct push_event *events; // read and not yet taken
    size_t first;              // of `events`, the first not taken
    size_t count;
    size_t capacity;
};

// The net change of each row over (from, to]; every row of `to` as an insert when `from` is
// STATE_NO_SNAPSHOT.
MUST_USE enum error_code feed_stage_range(struct push_stream *stream,
                                          const struct push_table *table, int64_t from, int64_t to,
                                          struct error *err);
// Failed rows again: inserts and post-images with the values of `until`, the others as they were.
// Rows whose history is gone and that have no image are left out, as are rows that are not there
// any more.
MUST_USE enum error_code feed_stage_failed(struct push_stream *stream,
                                           const struct push_table *table,
                                           const struct state_row *rows, size_t count,
                                           int64_t until, int64_t oldest, struct error *err);
void feed_stream_done(struct push_stream *stream);

// Goes to an event.
void feed_seek(struct push_stream *stream, int64_t index, int64_t until);
// Reads one more page; false when the stream is at its end.
MUST_USE enum error_code feed_read(struct push_stream *stream, bool *more, struct error *err);
// Those read and not yet taken; NULL before the first page.
static inline const struct push_event *feed_events(const struct push_stream *stream) {
    return stream->events != NULL ? stream->events + stream->first : NULL;
}
// Takes the first `count` of the events that were read.
void feed_take(struct push_stream *stream, size_t count);
static inline bool feed_at_end(const struct push_stream *stream) {
    return stream->next >= stream->until;
}

// One event of the staged range, without its row: what failed rows are joined with.
struct feed_change {
    int64_t rowid;
    int64_t snapshot;
    enum state_change change;
    str keys;
};
// Those that touch one of the rows or, in a grouped table, one of the keys; by rowid and change.
MUST_USE enum error_code feed_touching(const struct push_stream *stream, struct arena *arena,
                                       const struct state_row *rows, size_t count,
                                       struct feed_change **changes, size_t *change_count,
                                       struct error *err);

// The oldest snapshot after which none was expired.  Of a row that changed in an expired snapshot
// and again, the feed would tell that it came and went.
MUST_USE enum error_code feed_oldest_snapshot(struct lake_connection *connection, int64_t *oldest,
                                              struct error *err);
// The row as JSON: each value as text, NULL as null; feed_stage_failed reads it back.
str feed_image(struct arena *arena, const struct push_table *table, const struct push_event *event);

#endif
