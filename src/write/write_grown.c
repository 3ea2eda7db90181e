// append: what the query gives beyond what the table holds, when the table got columns after some
// of its rows (models.md §5.2, §7).
//
// Such a row has no values in the later columns, so it is not equal to the row of the query that it
// was.  First rows that are equal go, copies counted.  What the table then has too many of are
// left-overs: a row that is older than a growth stands for one row of the query that agrees with it
// in the columns that were known then.  Later growths go first, as their rows know more.
#include "base/context.h"
#include "base/text.h"
#include "write/columns.h"
#include "write/write_parts.h"

#define LEFT "temp.__ondatra_left" // rows of the table that the query does not give as they are
#define SNAPSHOT "snapshot_id"     // of DuckLake: the one that a row was written in; no column's

// Those that are still there.
static struct str_list known_names(const struct write *write, const struct growth *growth) {
    struct str_list names = {0};
    for (size_t i = 0; i < growth->known.count; i++) {
        if (columns_find(write->columns, write->column_count, growth->known.items[i]) != NULL) {
            str_list_push(write->arena, &names, growth->known.items[i]);
        }
    }
    return names;
}

// Of equal rows the oldest are left over.
static enum error_code find_left_overs(struct write *write, struct error *err) {
    const struct str_list names = write_columns(write);
    return write_execute(
        write,
        "CREATE OR REPLACE TEMP TABLE __ondatra_left AS SELECT * EXCLUDE (i, n) FROM (SELECT "
        "{t.columns}, t." SNAPSHOT " AS " WRITE_ROW ", row_number() OVER (PARTITION BY {t.columns} "
        "ORDER BY t." SNAPSHOT ") AS i, s." WRITE_COUNT " AS n FROM {table} t JOIN " WRITE_DIFF
        " s ON s." WRITE_COUNT " < 0 AND {same}) WHERE i <= -n",
        WRITE_WORDS({"same", write_same(write, &names)}), NULL, err);
}

static enum error_code keep_missing(struct write *write, struct error *err) {
    return write_execute(write,
                         "CREATE OR REPLACE TEMP TABLE __ondatra_new AS SELECT {columns} FROM "
                         "(SELECT {columns}, unnest(range(" WRITE_COUNT ")) FROM " WRITE_DIFF
                         " WHERE " WRITE_COUNT " > 0)",
                         WRITE_NO_WORDS, NULL, err);
}

// The rows of WRITE_RESULT that rows written in [from, to) stand for are not new.
static enum error_code leave_out(struct write *write, const struct growth *growth, int64_t from,
                                 struct error *err) {
    struct arena *arena = write->arena;
    const struct str_list known = known_names(write, growth);
    if (known.count == 0) {
        return ERROR_NONE;
    }
    const struct write_words words =
        WRITE_WORDS({"known", write_names(arena, &known, "")}, {"same", write_same(write, &known)},
                    {"from", str_format(arena, "%lld", (long long)from)},
                    {"to", str_format(arena, "%lld", (long long)growth->snapshot)});
    TRY(write_execute(
        write,
        "CREATE OR REPLACE TEMP TABLE __ondatra_diff AS SELECT {s.columns} FROM "
        "(SELECT *, row_number() OVER (PARTITION BY {known}) AS " WRITE_COUNT " FROM " WRITE_RESULT
        ") s LEFT JOIN (SELECT {known}, count(*) AS " WRITE_COUNT " FROM " LEFT " WHERE " WRITE_ROW
        " >= {from} AND " WRITE_ROW " < {to} GROUP BY {known}) t ON {same} WHERE s." WRITE_COUNT
        " > coalesce(t." WRITE_COUNT ", 0)",
        words, NULL, err));
    return write_execute(write, "CREATE OR REPLACE TEMP TABLE __ondatra_new AS FROM " WRITE_DIFF,
                         WRITE_NO_WORDS, NULL, err);
}

enum error_code write_surplus_of_grown(struct write *write, struct error *err) {
    const struct growth_list *growths = write->growths;
    int64_t differences = 0;
    TRY(write_read_query(write, err));
    TRY(write_multiset_difference(write, &differences, err));
    TRY(find_left_overs(write, err));
    TRY(keep_missing(write, err));
    for (size_t i = growths->count; i-- > 0;) {
        const int64_t from = i == 0 ? 0 : growths->items[i - 1].snapshot;
        TRY(leave_out(write, &growths->items[i], from, err));
    }
    TRY(write_inspect(write, err));
    TRY(write_insert_evaluated(write, err));
    write->changed = write->rows > 0;
    return ERROR_NONE;
}
