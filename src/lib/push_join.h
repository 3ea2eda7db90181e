#ifndef LIB_PUSH_JOIN_H
#define LIB_PUSH_JOIN_H

// Failed rows of earlier runs and newer changes of the same rows become one (libs.md §7.3).
// Internal to the push engine; a pure function.
//
//     failed            newer change     becomes
//     insert            update pair      insert, with the last values
//     insert            delete           nothing: the sink never had the row ("gone")
//     insert, perhaps   delete           delete
//      arrived
//     update            update pair      one pair, from before the failure to the last values
//     update            delete           delete
//     any of a group    any of it        all of them failed rows, so that they go out together
//     insert, update    full sync        nothing: the row is sent as an insert
//     update, or        not in it        delete
//      insert, perhaps
//      arrived
//
// The newer change is then left out of its range ("joined"): the failed row stands for both.

#include "lib/push_feed.h"

struct push_join {
    struct state_row *changed;
    size_t changed_count;
    int64_t *removed; // ids of failed rows
    size_t removed_count;
    int64_t *joined; // row ids, ascending
    size_t joined_count;
    int64_t gone; // rows that need no delivery any more
};
// Rows with a temporary row id take no part, except that a full sync stands for them too.
// `changes` as feed_touching gives them, of a range that begins after `from`.
struct push_join push_join_rows(struct arena *arena, const struct state_row *rows, size_t count,
                                const struct feed_change *changes, size_t change_count,
                                int64_t from);

#endif
