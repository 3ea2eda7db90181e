#include "lib/push_join.h"

#include <stdlib.h>
#include <string.h>

// The failed rows and the changes of one row id.
struct row_join {
    const struct state_row *insert;
    const struct state_row *pre;
    const struct state_row *post;
    const struct feed_change *changes;
    size_t change_count;
};

static int compare_rows(const void *a, const void *b) {
    const struct state_row *left = a;
    const struct state_row *right = b;
    if (left->rowid != right->rowid) {
        return left->rowid < right->rowid ? -1 : 1;
    }
    return (left->id > right->id) - (left->id < right->id);
}

static void add_changed(struct push_join *join, const struct state_row *row,
                        enum state_change change, int64_t snapshot) {
    struct state_row *changed = &join->changed[join->changed_count++];
    *changed = *row;
    changed->change = change;
    changed->snapshot = snapshot;
}

// The missing half of a pair, or an event of a group: never tried, but as old as its fellow.
static void add_new(struct push_join *join, const struct state_row *fellow,
                    const struct feed_change *change, int64_t since) {
    struct state_row row = {.rowid = change->rowid, .keys = change->keys, .since = since};
    if (fellow != NULL) {
        row.first_us = fellow->first_us;
        row.last_us = fellow->last_us;
    }
    add_changed(join, &row, change->change, change->snapshot);
}

static void remove_row(struct push_join *join, const struct state_row *row) {
    if (row != NULL) {
        join->removed[join->removed_count++] = row->id;
    }
}

static const struct feed_change *find_change(const struct row_join *row, enum state_change change) {
    for (size_t i = 0; i < row->change_count; i++) {
        if (row->changes[i].change == change) {
            return &row->changes[i];
        }
    }
    return NULL;
}

// The range that the insert came from knows neither row nor delete, only a later one does: that
// which begins after `from`.
static void join_removed_insert(struct push_join *join, const struct state_row *insert,
                                const struct feed_change *removal, int64_t from) {
    struct state_row row = *insert;
    row.since = from;
    add_changed(join, &row, STATE_CHANGE_DELETE, removal->snapshot);
}

static void join_insert(struct push_join *join, const struct row_join *row, int64_t from) {
    remove_row(join, row->pre);
    remove_row(join, row->post);
    const struct feed_change *post = find_change(row, STATE_CHANGE_UPDATE_POSTIMAGE);
    const struct feed_change *removal = find_change(row, STATE_CHANGE_DELETE);
    if (post != NULL) {
        add_changed(join, row->insert, STATE_CHANGE_INSERT, post->snapshot);
    } else if (removal != NULL && row->insert->may_have_arrived) {
        join_removed_insert(join, row->insert, removal, from);
    } else {
        remove_row(join, row->insert);
        join->gone++;
    }
}

static void join_update(struct push_join *join, const struct row_join *row) {
    const struct state_row *either = row->post != NULL ? row->post : row->pre;
    const struct feed_change *removal = find_change(row, STATE_CHANGE_DELETE);
    if (removal != NULL) {
        add_changed(join, either, STATE_CHANGE_DELETE, removal->snapshot);
        remove_row(join, either == row->pre ? row->post : row->pre);
        return;
    }
    for (size_t i = 0; i < row->change_count; i++) {
        const struct feed_change *change = &row->changes[i];
        const struct state_row *same =
            change->change == STATE_CHANGE_UPDATE_PREIMAGE ? row->pre : row->post;
        if (same != NULL) {
            add_changed(join, same, change->change, change->snapshot);
        } else {
            add_new(join, either, change, either->since);
        }
    }
}

// Every row of the table is sent as an insert: that is all the sink needs of a row that is there.
static void join_full(struct push_join *join, const struct row_join *row) {
    remove_row(join, row->insert);
    remove_row(join, row->pre);
    remove_row(join, row->post);
}

// Whether the changes of the row are folded into failed rows.
static bool join_row(struct push_join *join, const struct row_join *row, bool by_group,
                     int64_t from) {
    const bool is_insert_again = find_change(row, STATE_CHANGE_INSERT) != NULL;
    if (row->insert != NULL && !is_insert_again) {
        join_insert(join, row, from);
        return true;
    }
    if ((row->pre != NULL || row->post != NULL) && !is_insert_again) {
        join_update(join, row);
        return true;
    }
    if (from == STATE_NO_SNAPSHOT) {
        join_full(join, row);
        return false;
    }
    if (!by_group) {
        return false;
    }
    for (size_t i = 0; i < row->change_count; i++) {
        add_new(join, NULL, &row->changes[i], from);
    }
    return true;
}

static void note_row(struct row_join *row, const struct state_row *failed) {
    switch (failed->change) {
    case STATE_CHANGE_INSERT:
        row->insert = failed;
        break;
    case STATE_CHANGE_UPDATE_PREIMAGE:
        row->pre = failed;
        break;
    case STATE_CHANGE_UPDATE_POSTIMAGE:
        row->post = failed;
        break;
    case STATE_CHANGE_DELETE:
        break; // nothing comes after it
    }
}

// Of a row that the sink has and the table has not: it was deleted in snapshots that are gone.
static void join_lost_delete(struct push_join *join, const struct row_join *row) {
    if (row->insert != NULL) {
        if (row->insert->may_have_arrived) {
            add_changed(join, row->insert, STATE_CHANGE_DELETE, row->insert->snapshot);
        }
        return;
    }
    const struct state_row *either = row->post != NULL ? row->post : row->pre;
    if (either == NULL) {
        return;
    }
    add_changed(join, either, STATE_CHANGE_DELETE, either->snapshot);
    remove_row(join, either == row->pre ? row->post : row->pre);
}

// Their row ids do not tell whether they are in the table: what is goes with it.
static void join_temporary(struct push_join *join, const struct state_row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (push_rowid_is_temporary(rows[i].rowid) && rows[i].change != STATE_CHANGE_DELETE) {
            remove_row(join, &rows[i]);
        }
    }
}

static void join_absent(struct push_join *join, const struct state_row *sorted, size_t count,
                        const struct feed_change *changes, size_t change_count) {
    size_t at_change = 0;
    for (size_t i = 0; i < count;) {
        struct row_join row = {0};
        const int64_t rowid = sorted[i].rowid;
        for (; i < count && sorted[i].rowid == rowid; i++) {
            note_row(&row, &sorted[i]);
        }
        while (at_change < change_count && changes[at_change].rowid < rowid) {
            at_change++;
        }
        if (push_rowid_is_temporary(rowid)) {
            continue;
        }
        if (at_change == change_count || changes[at_change].rowid != rowid) {
            join_lost_delete(join, &row);
        }
    }
}

struct push_join push_join_rows(struct arena *arena, const struct state_row *rows, size_t count,
                                const struct feed_change *changes, size_t change_count,
                                int64_t from) {
    struct state_row *sorted = ARENA_ARRAY(arena, struct state_row, count);
    if (count > 0) {
        memcpy(sorted, rows, count * sizeof(rows[0]));
        qsort(sorted, count, sizeof(sorted[0]), compare_rows);
    }
    struct push_join join = {
        .changed = ARENA_ARRAY(arena, struct state_row, count + change_count),
        .removed = ARENA_ARRAY(arena, int64_t, count),
        .joined = ARENA_ARRAY(arena, int64_t, change_count),
    };
    if (from == STATE_NO_SNAPSHOT) {
        join_absent(&join, sorted, count, changes, change_count);
        join_temporary(&join, sorted, count);
    }
    size_t at = 0; // both lists are in the order of row ids
    for (size_t i = 0; i < change_count;) {
        struct row_join row = {.changes = &changes[i]};
        const int64_t rowid = changes[i].rowid;
        for (; i < change_count && changes[i].rowid == rowid; i++) {
            row.change_count++;
        }
        while (at < count && sorted[at].rowid < rowid) {
            at++;
        }
        const bool by_group = at == count || sorted[at].rowid != rowid;
        for (; at < count && sorted[at].rowid == rowid; at++) {
            note_row(&row, &sorted[at]);
        }
        if (join_row(&join, &row, by_group, from)) {
            join.joined[join.joined_count++] = rowid;
        }
    }
    return join;
}
