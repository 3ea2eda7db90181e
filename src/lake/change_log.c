#include "lake/change_log.h"

#include "base/arena.h"
#include "base/list.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/lake.h"
#include "lake/result.h"

#include <stdlib.h>

static enum lake_change_kind kind_of(str name) {
    static const struct {
        str name;
        enum lake_change_kind kind;
    } KINDS[] = {
        {STR_INIT("inserted_into_table"), LAKE_CHANGE_INSERT},
        {STR_INIT("inlined_insert"), LAKE_CHANGE_INSERT},
        {STR_INIT("inserted_inlined_data"), LAKE_CHANGE_INSERT},
        {STR_INIT("deleted_from_table"), LAKE_CHANGE_DELETE},
        {STR_INIT("inlined_delete"), LAKE_CHANGE_DELETE},
        {STR_INIT("deleted_inlined_data"), LAKE_CHANGE_DELETE},
        {STR_INIT("compacted_table"), LAKE_CHANGE_LAYOUT},
        {STR_INIT("merge_adjacent"), LAKE_CHANGE_LAYOUT},
        {STR_INIT("rewrite_delete"), LAKE_CHANGE_LAYOUT},
        {STR_INIT("flushed_inlined_data"), LAKE_CHANGE_LAYOUT},
        {STR_INIT("flushed_inlined"), LAKE_CHANGE_LAYOUT},
        {STR_INIT("inline_flush"), LAKE_CHANGE_LAYOUT},
        {STR_INIT("inlined_flush"), LAKE_CHANGE_LAYOUT},
    };
    for (size_t i = 0; i < ARRAY_COUNT(KINDS); i++) {
        if (str_equal(name, KINDS[i].name)) {
            return KINDS[i].kind;
        }
    }
    return LAKE_CHANGE_OTHER;
}

// Position of the comma that ends the part, or the end; commas in quoted names do not.
static size_t part_end(str text, size_t offset) {
    bool quoted = false;
    while (offset < text.size && (quoted || text.data[offset] != ',')) {
        quoted = text.data[offset] == '"' ? !quoted : quoted;
        offset++;
    }
    return offset;
}

void lake_change_log_add(struct arena *arena, struct lake_change_log *log, int64_t snapshot,
                         str text) {
    for (size_t at = 0; at < text.size;) {
        const size_t end = part_end(text, at);
        const str part = str_slice(text, at, end);
        const size_t colon = str_find_char(part, ':');
        uint64_t table = 0;
        if (colon != SIZE_MAX && str_parse_uint64(str_from_offset(part, colon + 1), &table) &&
            table <= INT64_MAX) {
            const struct lake_change change = {(int64_t)table, snapshot,
                                               kind_of(str_slice(part, 0, colon))};
            LIST_PUSH(arena, log, change);
        }
        at = end + 1;
    }
}

static int by_table(const void *left, const void *right) {
    const struct lake_change *a = left;
    const struct lake_change *b = right;
    const int tables = (a->table_id > b->table_id) - (a->table_id < b->table_id);
    return tables != 0 ? tables : (a->snapshot > b->snapshot) - (a->snapshot < b->snapshot);
}

enum error_code lake_change_log_read(struct lake_connection *connection, struct arena *arena,
                                     int64_t after, int64_t until, struct lake_change_log *log,
                                     struct error *err) {
    SCRATCH(scratch);
    *log = (struct lake_change_log){0};
    LAKE_RESULT result = NULL;
    const str sql = str_format(&scratch,
                               "SELECT snapshot_id, changes_made FROM " STR_FORMAT
                               ".ducklake_snapshot_changes WHERE snapshot_id > %lld AND "
                               "snapshot_id <= %lld ORDER BY snapshot_id DESC",
                               STR_ARGS(lake_metadata_prefix(lake_of(connection))),
                               (long long)after, (long long)until);
    TRY(lake_query(connection, sql, LAKE_NO_VALUES, &result, err));
    log->unbroken_since = INT64_MAX;
    while (lake_result_next(result)) {
        const int64_t snapshot = lake_result_int64(result, 0);
        if (log->unbroken_since == INT64_MAX || snapshot == log->unbroken_since - 1) {
            log->unbroken_since = snapshot;
        }
        lake_change_log_add(arena, log, snapshot, lake_result_text(result, 1));
    }
    if (log->count > 1) {
        qsort(log->items, log->count, sizeof(log->items[0]), by_table);
    }
    return ERROR_NONE;
}

// Position of the first change of a table whose number is not below.
static size_t lower_bound(const struct lake_change_log *log, int64_t table_id) {
    size_t low = 0;
    size_t high = log->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (log->items[middle].table_id < table_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct lake_change_log lake_change_log_of(const struct lake_change_log *log, int64_t table_id) {
    struct lake_change_log found = {.items = log->items};
    if (log->count > 0) {
        const size_t start = lower_bound(log, table_id);
        size_t end = start;
        while (end < log->count && log->items[end].table_id == table_id) {
            end++;
        }
        found.items = log->items + start;
        found.count = end - start;
    }
    return found;
}
