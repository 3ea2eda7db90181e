// tracked: rows in groups by @group_key; a group that differs is replaced whole, one that is gone
// is deleted (models.md §5.4).
//
// Every row carries the hash of its group, so that a run need not read the other columns of the
// table.  The hash does not depend on the order of rows or columns and tells NULL from everything
// else.  Lakes of other programs hold hashes of this very formula, so it stays, though it has gaps:
// hash(row(0)) is 0, whatever the number of such rows, and DuckDB hashes [0] as [0, 0] and [] as
// NULL.  And what it is worth depends on who wrote it: hash() may change with DuckDB's version, and
// a hash over other columns says nothing.  So besides the stored hashes the contents are compared:
//
//   number of rows    always
//   values            where lists, structs and maps are; when another version of DuckDB wrote the
//                     hashes (a group whose contents are the same is left alone, its hash stale
//                     with it); after a change of definition or columns
#include "base/context.h"
#include "base/text.h"
#include "lake/type.h"
#include "write/columns.h"
#include "write/write_parts.h"

#define HASH COLUMN_CONTENT_HASH
#define CONTENTS "__ondatra_contents"
// Columns of the difference.
#define IS_OLD "__ondatra_old"     // the group is in the table
#define IS_NEW "__ondatra_new"     // the query gives it
#define IS_STALE "__ondatra_stale" // only the stored hash differs

static int by_name(const struct lake_column *a, const struct lake_column *b) {
    return str_compare(a->name, b->name);
}

// The columns beside the key, in the order of their names.
static struct lake_column *value_columns(const struct write *write, const struct str_list *keys,
                                         size_t *count) {
    struct lake_column *columns =
        ARENA_ARRAY(write->arena, struct lake_column, write->column_count);
    *count = 0;
    for (size_t i = 0; i < write->column_count; i++) {
        if (str_list_has_nocase(keys, write->columns[i].name)) {
            continue;
        }
        size_t at = (*count)++;
        for (; at > 0 && by_name(&columns[at - 1], &write->columns[i]) > 0; at--) {
            columns[at] = columns[at - 1];
        }
        columns[at] = write->columns[i];
    }
    return columns;
}

struct tracked {
    struct str_list keys;
    str hash;     // of a group, as it is stored: an aggregate
    str stored;   // where the table has it
    str contents; // aggregate to compare the rows themselves
};

// "a", "b"::VARCHAR: the text of a nested value tells it from every other.
static str exact_values(struct arena *arena, const struct lake_column *columns, size_t count,
                        bool *has_nested) {
    struct text text;
    text_init(&text, arena);
    *has_nested = false;
    for (size_t i = 0; i < count; i++) {
        const bool nested = lake_type_is_nested(columns[i].type);
        text_format(&text, "%s" STR_FORMAT "%s", i > 0 ? ", " : "",
                    STR_ARGS(lake_quote_name(arena, columns[i].name)), nested ? "::VARCHAR" : "");
        *has_nested = *has_nested || nested;
    }
    return text_str(&text);
}

static struct tracked tracked_of(const struct write *write) {
    struct arena *arena = write->arena;
    struct tracked tracked = {
        .keys = write_key(write),
        .hash = STR("'0'"),
        .stored = STR("'0'"), // says nothing
        .contents = STR("count(*)"),
    };
    size_t count = 0;
    bool has_nested = false;
    const struct lake_column *values = value_columns(write, &tracked.keys, &count);
    const str exact = exact_values(arena, values, count, &has_nested);
    if (count > 0) {
        tracked.stored = STR("any_value(" HASH ")");
        tracked.hash = str_format(arena, "sum(hash(row(" STR_FORMAT ")))::VARCHAR",
                                  STR_ARGS(columns_list(arena, values, count, STR(""))));
    }
    if (count > 0 && (has_nested || write->hashes_are_old || write->altered ||
                      write->run_type == RUN_BACKFILL)) {
        tracked.contents = str_format(
            arena, "sum(hash(row(" STR_FORMAT ")))::VARCHAR || ' ' || count(*)", STR_ARGS(exact));
    }
    return tracked;
}

static enum error_code hash_groups(struct write *write, const struct tracked *tracked,
                                   struct error *err) {
    return write_execute(
        write,
        "CREATE OR REPLACE TEMP TABLE __ondatra_keys AS SELECT {keys}, {hash} AS " HASH
        ", {contents} AS " CONTENTS " FROM " WRITE_RESULT " GROUP BY {keys}",
        WRITE_WORDS({"keys", write_names(write->arena, &tracked->keys, "")},
                    {"hash", tracked->hash}, {"contents", tracked->contents}),
        NULL, err);
}

// Groups that differ, with the new hash, NULL when they are gone.
static enum error_code find_difference(struct write *write, const struct tracked *tracked,
                                       struct error *err) {
    struct arena *arena = write->arena;
    struct text keys;
    text_init(&keys, arena);
    for (size_t i = 0; i < tracked->keys.count; i++) {
        const str name = lake_quote_name(arena, tracked->keys.items[i]);
        text_format(&keys, "coalesce(s." STR_FORMAT ", t." STR_FORMAT ") AS " STR_FORMAT ", ",
                    STR_ARGS(name), STR_ARGS(name), STR_ARGS(name));
    }
    const str first = lake_quote_name(arena, tracked->keys.items[0]);
    return write_execute(
        write,
        "CREATE OR REPLACE TEMP TABLE __ondatra_diff AS SELECT {both_keys}s." HASH
        ", t.{first} IS NOT NULL AS " IS_OLD ", s.{first} IS NOT NULL AS " IS_NEW ", s." CONTENTS
        " IS NOT DISTINCT FROM t." CONTENTS " AS " IS_STALE " FROM " WRITE_GROUPS
        " s FULL JOIN (SELECT {keys}, {stored} AS " HASH ", {contents} AS " CONTENTS
        " FROM {table} GROUP BY {keys}) t ON {match}"
        " WHERE s." HASH " IS DISTINCT FROM t." HASH " OR s." CONTENTS
        " IS DISTINCT FROM t." CONTENTS "{or_any}",
        WRITE_WORDS({"or_any", bug_is_planted("PB_ALL_GROUPS") ? STR(" OR true") : (str){0}},
                    {"both_keys", text_str(&keys)}, {"first", first},
                    {"keys", write_names(arena, &tracked->keys, "")}, {"stored", tracked->stored},
                    {"contents", tracked->contents},
                    {"match", write_matches(write, &tracked->keys)}),
        NULL, err);
}

// Another version's hashes of groups that did not change: not a difference, but to be remembered.
static enum error_code drop_stale(struct write *write, struct error *err) {
    int64_t stale = 0;
    TRY(write_execute(write, "DELETE FROM " WRITE_DIFF " WHERE " IS_STALE, WRITE_NO_WORDS, &stale,
                      err));
    write->keeps_old_hashes = stale > 0;
    return ERROR_NONE;
}

static enum error_code insert_groups(struct write *write, const struct tracked *tracked,
                                     const char *from, struct error *err) {
    int64_t inserted = 0;
    TRY(write_execute(
        write,
        "INSERT INTO {table} ({columns}, " HASH ") SELECT {s.columns}, t." HASH
        " FROM " WRITE_RESULT " s JOIN {from} t ON {match}",
        WRITE_WORDS({"from", str_from(from)}, {"match", write_matches(write, &tracked->keys)}),
        &inserted, err));
    write->rows += inserted;
    return ERROR_NONE;
}

static enum error_code delete_groups(struct write *write, const struct tracked *tracked,
                                     struct error *err) {
    const str match = write_matches(write, &tracked->keys);
    int64_t gone = 0;
    TRY(write_count(write, "SELECT count(*) FROM " WRITE_DIFF " WHERE NOT " IS_NEW, WRITE_NO_WORDS,
                    &gone, err));
    if (gone > 0) {
        TRY(write_count(write,
                        "SELECT count(*) FROM {table} t JOIN " WRITE_DIFF
                        " s ON {match} WHERE NOT s." IS_NEW,
                        WRITE_WORDS({"match", match}), &write->rows, err));
    }
    return write_execute(
        write, "DELETE FROM {table} AS t USING " WRITE_DIFF " AS s WHERE {match} AND s." IS_OLD,
        WRITE_WORDS({"match", match}), NULL, err);
}

static enum error_code replace_groups(struct write *write, const struct tracked *tracked,
                                      struct error *err) {
    TRY(find_difference(write, tracked, err));
    if (write->hashes_are_old && !write->altered && write->run_type != RUN_BACKFILL) {
        TRY(drop_stale(write, err));
    }
    int64_t differences = 0;
    TRY(write_count(write, "SELECT count(*) FROM " WRITE_DIFF, WRITE_NO_WORDS, &differences, err));
    if (differences == 0) {
        return ERROR_NONE;
    }
    write->changed = true;
    TRY(delete_groups(write, tracked, err));
    return insert_groups(write, tracked, WRITE_DIFF, err);
}

enum error_code write_tracked(struct write *write, struct error *err) {
    const struct tracked tracked = tracked_of(write);
    TRY(write_evaluate(write, err));
    if (write->keeps_rows) {
        return ERROR_NONE;
    }
    TRY(write_refuse_null_keys(write, STR(WRITE_RESULT), err));
    TRY(hash_groups(write, &tracked, err));
    if (!write->table_is_empty && !write->rebuilds) {
        return replace_groups(write, &tracked, err);
    }
    int64_t deleted = 0;
    if (write->rebuilds) {
        TRY(write_execute(write, "DELETE FROM {table}", WRITE_NO_WORDS, &deleted, err));
    }
    TRY(insert_groups(write, &tracked, WRITE_GROUPS, err));
    write->rows = write->rows > deleted ? write->rows : deleted;
    write->changed = write->rows > 0;
    return ERROR_NONE;
}
