#ifndef TESTS_RUN_ORACLE_EDIT_H
#define TESTS_RUN_ORACLE_EDIT_H

// Random edits of the oracle's sources, as SQL scripts of one transaction each.

#include "run/oracle_query.h"

#include "base/list.h"

static inline const char *edit_table(struct dice *dice) {
    static const char *const TABLES[] = {"raw.a", "raw.a", "raw.b", "raw.c"};
    return DICE_PICK(dice, TABLES);
}

static inline str edit_number(struct arena *arena, struct dice *dice, int below, int null_percent) {
    return dice_chance(dice, null_percent) ? STR("NULL")
                                           : str_format(arena, "%d", dice_below(dice, below));
}

static inline void edit_row(struct arena *arena, struct dice *dice, struct text *out) {
    static const char *const TEXTS[] = {"'x'", "'y'", "'z'", "NULL"};
    const str id = edit_number(arena, dice, 12, 4);
    const str k = edit_number(arena, dice, 6, 8);
    const str g = edit_number(arena, dice, 3, 15);
    const str v = edit_number(arena, dice, 8, 10);
    text_format(out, "(" STR_FORMAT ", " STR_FORMAT ", " STR_FORMAT ", " STR_FORMAT ", %s)",
                STR_ARGS(id), STR_ARGS(k), STR_ARGS(g), STR_ARGS(v), DICE_PICK(dice, TEXTS));
}

static inline str edit_insert(struct arena *arena, struct dice *dice, const char *table, int rows) {
    struct text out;
    text_init(&out, arena);
    text_format(&out, "INSERT INTO %s (id, k, g, v, s) VALUES ", table);
    for (int i = 0; i < rows; i++) {
        text_add(&out, i > 0 ? STR(", ") : STR(""));
        edit_row(arena, dice, &out);
    }
    return text_str(&out);
}

static inline str edit_where(struct arena *arena, struct dice *dice) {
    static const char *const COLUMNS[] = {"id", "id", "id", "k", "g", "v"};
    return dice_chance(dice, 6)
               ? STR("true")
               : str_format(arena, "%s = %d", DICE_PICK(dice, COLUMNS), dice_below(dice, 8));
}

static inline str edit_rows(struct arena *arena, struct dice *dice, const char *table) {
    static const char *const COLUMNS[] = {"v", "v", "v", "k", "g", "id"};
    const str where = edit_where(arena, dice);
    const str value = edit_number(arena, dice, 8, 10);
    switch (dice_below(dice, 8)) {
    case 0:
    case 1:
    case 2:
        return edit_insert(arena, dice, table, 1 + dice_below(dice, 3));
    case 3:
    case 4:
        return str_format(arena, "UPDATE %s SET %s = " STR_FORMAT " WHERE " STR_FORMAT, table,
                          DICE_PICK(dice, COLUMNS), STR_ARGS(value), STR_ARGS(where));
    case 5:
        return str_format(arena, "DELETE FROM %s WHERE " STR_FORMAT, table, STR_ARGS(where));
    case 6: // the same rows once more
        return str_format(arena,
                          "INSERT INTO %s (id, k, g, v, s) SELECT id, k, g, v, s FROM %s "
                          "WHERE " STR_FORMAT,
                          table, table, STR_ARGS(where));
    default:
        return str_format(arena, "UPDATE %s SET s = s WHERE " STR_FORMAT, table, STR_ARGS(where));
    }
}

// What happens to a lake besides rows.
static inline str edit_other(struct arena *arena, struct dice *dice, const char *table) {
    const str target = str_replace_all(arena, str_from(table), STR("raw."), STR(""));
    switch (dice_below(dice, 9)) {
    case 0:
        return str_format(arena, "ALTER TABLE %s ADD COLUMN IF NOT EXISTS extra INTEGER DEFAULT 7",
                          table);
    case 1:
        return str_format(arena, "ALTER TABLE %s DROP COLUMN IF EXISTS extra", table);
    case 2:
        // Not of v: DuckDB 1.5.5 then fails on filters over files written before.
        return str_format(arena, "ALTER TABLE %s ALTER extra SET DATA TYPE BIGINT", table);
    case 3: // made anew, with some of its rows
        return str_format(
            arena,
            "CREATE TEMP TABLE kept AS SELECT id, k, g, v, s FROM %s WHERE id < 6;"
            "DROP TABLE %s;"
            "CREATE TABLE %s (id INTEGER, k INTEGER, g INTEGER, v INTEGER, s VARCHAR);"
            "INSERT INTO %s SELECT * FROM kept;"
            "DROP TABLE temp.kept",
            table, table, table, table);
    case 4: // all rows taken out and put back
        return str_format(arena,
                          "CREATE TEMP TABLE kept AS SELECT id, k, g, v, s FROM %s;"
                          "DELETE FROM %s;"
                          "INSERT INTO %s (id, k, g, v, s) SELECT * FROM kept;"
                          "DROP TABLE temp.kept",
                          table, table, table);
    case 5:
        return str_format(arena,
                          "CALL ducklake_flush_inlined_data('lake', table_name => '" STR_FORMAT
                          "', schema_name => 'raw')",
                          STR_ARGS(target));
    case 6:
        return STR("CALL ducklake_merge_adjacent_files('lake')");
    case 7:
        return STR("CALL ducklake_expire_snapshots('lake', older_than => now()::TIMESTAMP)");
    default: // there and back: the change feed has rows, the contents are the same
        return str_format(arena,
                          "INSERT INTO %s (id, k, g, v, s) VALUES (99, 1, 1, 1, 'w');"
                          "COMMIT;BEGIN;"
                          "DELETE FROM %s WHERE id = 99",
                          table, table);
    }
}

static inline str make_edit(struct arena *arena, struct dice *dice) {
    const char *table = edit_table(dice);
    if (dice_chance(dice, 10)) {
        return edit_other(arena, dice, table);
    }
    const str first = edit_rows(arena, dice, table);
    if (dice_chance(dice, 15)) {
        const str second = edit_rows(arena, dice, table);
        return str_format(arena, STR_FORMAT ";" STR_FORMAT, STR_ARGS(first), STR_ARGS(second));
    }
    return first;
}

#endif
