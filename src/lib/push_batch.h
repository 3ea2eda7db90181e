#ifndef LIB_PUSH_BATCH_H
#define LIB_PUSH_BATCH_H

// Events, the pages of rows they stand in, and batches cut from them.  Internal to the push engine.
//
// A stream of events is cut into batches by push_cut, which looks at nothing but the events and the
// rules: the same stream gives the same batches.
// Ownership: a page is counted, by the events of the coordinator and of its batches; a batch owns
// its arena and keeps its pages.
// Threads: a batch belongs to the coordinator, to one worker between dispatch and answer; pages are
// read by several threads and counted by the coordinator alone.

#include "lake/result.h"
#include "state/delivery.h"

#include "base/arena.h"

// One chunk of a staged stream.
struct push_page {
    struct lake_result *result; // owns the chunk
    struct lake_chunk chunk;
    int64_t uses;
};
void push_page_drop(struct push_page *page); // one use less; frees it at the last

// Columns of a staged row before the table's own.
enum push_column {
    PUSH_COLUMN_INDEX,
    PUSH_COLUMN_SNAPSHOT,
    PUSH_COLUMN_ROWID,
    PUSH_COLUMN_CHANGE, // enum state_change
    PUSH_COLUMN_FAILED, // id of the failed row that is retried; 0: none
    PUSH_COLUMN_KEYS,   // JSON object of the key columns
    PUSH_COLUMN_FIRST,  // the table's columns begin here
};

// Row ids from here on are not unique: DuckLake gives a row that is inserted and updated in one
// transaction the same ids in each transaction (duckdb.md §5).  Such rows are sent change by
// change, never joined by row id, and keep an image when they fail.
#define PUSH_TEMPORARY_ROWID INT64_C(1000000000000000000)
static inline bool push_rowid_is_temporary(int64_t rowid) {
    return rowid >= PUSH_TEMPORARY_ROWID;
}

struct push_event {
    int64_t index; // in the stream
    int64_t snapshot;
    int64_t rowid;
    enum state_change change;
    int64_t failed_id;
    str keys;     // borrows from the page
    uint64_t tag; // of the keys; 0: the table has none
    struct push_page *page;
    size_t row; // in the page
};

struct push_cut_rules {
    size_t batch_size;
    bool grouped; // tracked: events of one key stay together
};
// How many of `events` make the next batch.  0: more of the stream must be read to tell (never when
// `at_end`, except of no events).
size_t push_cut(const struct push_cut_rules *rules, const struct push_event *events, size_t count,
                bool at_end);
// How many events from here on stand or fall together: a tracked group; else one.
size_t push_unit(const struct push_cut_rules *rules, const struct push_event *events, size_t count);

// A multiset of 64-bit tags: rows and keys that are in flight, or that wait.
struct push_tags {
    uint64_t *tags; // 0 is free
    uint32_t *counts;
    size_t used;
    size_t capacity; // a power of two
};
void push_tags_done(struct push_tags *tags);
void push_tags_add(struct push_tags *tags, uint64_t tag);
void push_tags_remove(struct push_tags *tags, uint64_t tag);
bool push_tags_has(const struct push_tags *tags, uint64_t tag);
// Of the row itself, apart from its key's; a temporary row id says less than a key.
uint64_t push_row_tag(const struct push_event *event);
uint64_t push_keys_tag(str keys); // 0 for "{}" and for nothing

// What the sink said of one event.
enum push_class { PUSH_DELIVERED, PUSH_WARNED, PUSH_TEMPORARY, PUSH_REJECTED };
struct push_reply {
    enum push_class class;
    str message;
    str operation; // what the sink says it did; empty: nothing
    bool unheard;  // nothing that is a status was said of this event: it may have arrived
};

struct push_batch {
    struct arena arena; // dies with the batch
    str batch_id;
    bool retry;
    bool claimed; // stands in the state already: taken over from a dead process
    int64_t number;
    int64_t first; // events [first, last) of the stream
    int64_t last;
    int64_t since;
    int64_t until;
    struct push_event *events;
    size_t count;
    struct push_event *held; // were cut into it and wait for an earlier change
    size_t held_count;

    // The worker's answer.
    struct push_reply *replies; // one an event
    bool failed_whole;          // no answer for the rows: an exception, no dict
    str warning;                // about the answer as a whole; empty: none
};
struct push_batch *push_batch_new(void);
// Copies the events; keeps their pages.
void push_batch_fill(struct push_batch *batch, const struct push_event *events, size_t count);
void push_batch_free(struct push_batch *batch);
// "42:insert": how push() names an event.
str push_event_key(struct arena *arena, const struct push_event *event);

#endif
