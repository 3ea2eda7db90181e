#ifndef TESTS_RUN_ORACLE_QUERY_H
#define TESTS_RUN_ORACLE_QUERY_H

// Random queries for the oracle test: every shape of models.md §6.4 and their combinations, over
// tables that all have the columns id, k, g, v and s with few values, so that rows meet; raw.va is
// a view of raw.a.
//
// Queries are deterministic (ties are broken by all columns, aggregates do not depend on order), so
// that two evaluations may be compared.

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

// splitmix64: every part of a case has its own stream, so that taking one part away leaves the
// others as they were.
struct dice {
    uint64_t state;
};

static inline uint64_t dice_next(struct dice *dice) {
    uint64_t z = dice->state += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

static inline struct dice dice_of(uint64_t seed, uint64_t part) {
    struct dice dice = {seed * 0x2545F4914F6CDD1DU + part * 0xD1342543DE82EF95U};
    (void)dice_next(&dice);
    return dice;
}

static inline int dice_below(struct dice *dice, int n) {
    return (int)(dice_next(dice) % (uint64_t)n);
}

static inline bool dice_chance(struct dice *dice, int percent) {
    return dice_below(dice, 100) < percent;
}

#define DICE_PICK(dice, array) ((array)[dice_below(dice, (int)(sizeof(array) / sizeof(*(array))))])

enum { ORACLE_ITEMS_MAX = 3 };

struct query_maker {
    struct arena *arena;
    struct dice *dice;
    struct text ctes; // "w1 AS (…), …"
    int aliases;      // given out so far
    int cte_count;
    int item_count; // visible FROM items of the SELECT being made
    int items[ORACLE_ITEMS_MAX];
    bool plain;        // more often without grouping and the like
    bool with_staging; // stg.m0, a model, may be read, too
};

static inline const char *make_table(struct query_maker *m) {
    static const char *const TABLES[] = {"raw.a", "raw.a", "raw.a", "raw.b", "raw.b",
                                         "raw.b", "raw.c", "raw.c", "raw.va"};
    return m->with_staging && dice_chance(m->dice, 15) ? "stg.m0" : DICE_PICK(m->dice, TABLES);
}

static inline str make_filter(struct query_maker *m, const char *alias) {
    static const char *const FILTERS[] = {"%s.v > 2",          "%s.s = 'x'",   "%s.g IS NOT NULL",
                                          "%s.v %% 2 = 0",     "%s.k <> 1",    "%s.s IS NULL",
                                          "%s.k IN (0, 2, 3)", "abs(%s.v) < 5"};
    const char *filter = DICE_PICK(m->dice, FILTERS);
    const str pattern = str_from(filter);
    return str_replace_all(m->arena, str_replace_all(m->arena, pattern, STR("%%"), STR("%")),
                           STR("%s"), str_from(alias));
}

// A SELECT with the columns id, k, g, v, s.
static inline str make_rows(struct query_maker *m) {
    const char *table = make_table(m);
    switch (dice_below(m->dice, 10)) {
    case 0:
        return str_format(m->arena,
                          "SELECT k AS id, k, min(g) AS g, sum(v)::INTEGER AS v, max(s) AS s "
                          "FROM %s GROUP BY k",
                          table);
    case 1:
        return str_format(m->arena,
                          "SELECT id, k, g, v, s FROM %s QUALIFY row_number() OVER "
                          "(PARTITION BY id ORDER BY k, g, v, s) = 1",
                          table);
    case 2:
        return str_format(m->arena,
                          "SELECT x.id, y.k, x.g, y.v, x.s FROM %s AS x JOIN %s AS y ON x.k = y.id",
                          table, make_table(m));
    case 3:
        return str_format(m->arena,
                          "SELECT id, k, g, v, s FROM %s UNION ALL SELECT id, k, g, v, s FROM %s",
                          table, make_table(m));
    case 4:
        return str_format(m->arena, "SELECT DISTINCT id, k, g, v, s FROM %s", table);
    case 5:
        return str_format(m->arena, "SELECT id, k + 1 AS k, g, v * 2 AS v, upper(s) AS s FROM %s",
                          table);
    case 6:
        return str_format(
            m->arena, "SELECT x.id, x.k, y.g, y.v, x.s FROM %s AS x LEFT JOIN %s AS y ON x.k = y.k",
            table, make_table(m));
    default:
        break;
    }
    const str filter = make_filter(m, "z");
    return str_format(m->arena, "SELECT id, k, g, v, s FROM %s AS z WHERE " STR_FORMAT, table,
                      STR_ARGS(filter));
}

static inline void add_item(struct query_maker *m, struct text *out, int alias) {
    const int choice = dice_below(m->dice, 100);
    const str rows = make_rows(m);
    if (choice < 60) {
        text_format(out, "%s AS t%d", make_table(m), alias);
    } else if (choice < 80) {
        text_format(out, "(" STR_FORMAT ") AS t%d", STR_ARGS(rows), alias);
    } else if (m->cte_count > 0 && dice_chance(m->dice, 50)) {
        text_format(out, "w%d AS t%d", dice_below(m->dice, m->cte_count), alias);
    } else if (m->cte_count < 2) {
        text_format(&m->ctes, "%sw%d AS (" STR_FORMAT ")", m->cte_count > 0 ? ", " : "",
                    m->cte_count, STR_ARGS(rows));
        text_format(out, "w%d AS t%d", m->cte_count++, alias);
    } else {
        text_format(out, "%s AS t%d", make_table(m), alias);
    }
}

static inline void add_condition(struct query_maker *m, struct text *out, int left, int right) {
    static const char *const EQUALS[] = {"t%d.k = t%d.id", "t%d.id = t%d.id", "t%d.g = t%d.g",
                                         "t%d.k = t%d.k", "t%d.k IS NOT DISTINCT FROM t%d.k"};
    const char *equals = DICE_PICK(m->dice, EQUALS);
    const str pattern = str_from(equals);
    const size_t at = str_find(pattern, STR("%d"));
    const str rest = str_from_offset(pattern, at + 2);
    const size_t second = str_find(rest, STR("%d"));
    text_add(out, str_slice(pattern, 0, at));
    text_format(out, "%d", left);
    text_add(out, str_slice(rest, 0, second));
    text_format(out, "%d", right);
    text_add(out, str_from_offset(rest, second + 2));
    if (dice_chance(m->dice, 20)) {
        text_format(out, " AND t%d.v > %d", right, dice_below(m->dice, 4));
    }
}

// The FROM clause; sets the visible items.
static inline str make_from(struct query_maker *m) {
    static const char *const JOINS[] = {"JOIN",      "JOIN",      "JOIN",       "LEFT JOIN",
                                        "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN",
                                        "SEMI JOIN", "ANTI JOIN"};
    static const int COUNTS[] = {1, 1, 1, 2, 2, 2, 3};
    struct text out;
    text_init(&out, m->arena);
    const int count = DICE_PICK(m->dice, COUNTS);
    m->item_count = 1;
    m->items[0] = m->aliases++;
    add_item(m, &out, m->items[0]);
    for (int i = 1; i < count; i++) {
        const char *join = DICE_PICK(m->dice, JOINS);
        const int left = m->items[dice_below(m->dice, m->item_count)];
        const int right = m->aliases++;
        text_format(&out, " %s ", join);
        add_item(m, &out, right);
        if (dice_chance(m->dice, 15)) {
            text_add(&out, STR(" USING (id)"));
        } else {
            text_add(&out, STR(" ON "));
            add_condition(m, &out, left, right);
        }
        if (join[0] != 'S' && join[0] != 'A') {
            m->items[m->item_count++] = right;
        }
    }
    return text_str(&out);
}

static inline int make_alias(struct query_maker *m) {
    return m->items[dice_below(m->dice, m->item_count)];
}

static inline str make_subquery_filter(struct query_maker *m) {
    const int alias = make_alias(m);
    const char *table = make_table(m);
    switch (dice_below(m->dice, 6)) {
    case 0:
        return str_format(m->arena, "t%d.k IN (SELECT k FROM %s)", alias, table);
    case 1:
        return str_format(m->arena, "t%d.k NOT IN (SELECT k FROM %s WHERE k IS NOT NULL)", alias,
                          table);
    case 2:
        return str_format(m->arena, "EXISTS (SELECT 1 FROM %s AS z WHERE z.k = t%d.k)", table,
                          alias);
    case 3:
        return str_format(m->arena, "NOT EXISTS (SELECT 1 FROM %s AS z WHERE z.id = t%d.id)", table,
                          alias);
    case 4:
        return str_format(m->arena, "t%d.v > (SELECT min(v) FROM %s)", alias, table);
    default:
        return str_format(m->arena, "t%d.v IS DISTINCT FROM (SELECT max(v) FROM %s)", alias, table);
    }
}

static inline str make_where(struct query_maker *m, str key, bool key_not_null) {
    struct text out;
    text_init(&out, m->arena);
    const char *word = " WHERE ";
    if (key_not_null) {
        text_format(&out, "%s" STR_FORMAT " IS NOT NULL", word, STR_ARGS(key));
        word = " AND ";
    }
    if (dice_chance(m->dice, 30)) {
        const str alias = str_format(m->arena, "t%d", make_alias(m));
        const str filter = make_filter(m, str_to_cstring(m->arena, alias));
        text_format(&out, "%s" STR_FORMAT, word, STR_ARGS(filter));
        word = " AND ";
    }
    if (dice_chance(m->dice, 8)) {
        const str filter = make_subquery_filter(m);
        text_format(&out, "%s" STR_FORMAT, word, STR_ARGS(filter));
        word = " AND ";
    }
    if (m->item_count > 1 && dice_chance(m->dice, 10)) {
        text_format(&out, "%st%d.id IS NULL", word, m->items[1]);
    }
    return text_str(&out);
}

static inline str make_key(struct query_maker *m) {
    static const char *const COLUMNS[] = {"id", "id", "id", "k", "g"};
    const int alias = dice_chance(m->dice, 70) ? m->items[0] : make_alias(m);
    const char *column = DICE_PICK(m->dice, COLUMNS);
    switch (dice_below(m->dice, 12)) {
    case 0:
        return str_format(m->arena, "t%d.%s + 1", alias, column);
    case 1:
        return str_format(m->arena, "coalesce(t%d.%s, 0)", alias, column);
    case 2:
        return m->item_count == 1 ? str_from(column)
                                  : str_format(m->arena, "t%d.%s", alias, column);
    case 3: // of two sides of a join: what FULL JOIN gives
        return m->item_count == 1 ? str_from(column)
                                  : str_format(m->arena, "coalesce(t%d.%s, t%d.%s)", m->items[0],
                                               column, m->items[1], column);
    default:
        return str_format(m->arena, "t%d.%s", alias, column);
    }
}

// "t0.id, t0.k, …": a total order over what the rows are made of.
static inline str make_order(struct query_maker *m) {
    struct text out;
    text_init(&out, m->arena);
    for (int i = 0; i < m->item_count; i++) {
        const int t = m->items[i];
        text_format(&out, "%st%d.v DESC, t%d.id, t%d.k, t%d.g, t%d.s", i > 0 ? ", " : "", t, t, t,
                    t, t);
    }
    return text_str(&out);
}

static inline str make_value(struct query_maker *m) {
    static const char *const VALUES[] = {"t%d.v", "t%d.v + 1", "t%d.k", "coalesce(t%d.v, -1)",
                                         "length(t%d.s)"};
    const char *value = DICE_PICK(m->dice, VALUES);
    return str_replace_all(m->arena, str_from(value), STR("%d"),
                           str_format(m->arena, "%d", make_alias(m)));
}

static inline str make_aggregate(struct query_maker *m) {
    static const char *const VALUES[] = {"sum(t%d.v)::BIGINT",
                                         "count(*)",
                                         "min(t%d.v)",
                                         "count(t%d.k)",
                                         "count(DISTINCT t%d.g)",
                                         "max(t%d.v) - min(t%d.v)",
                                         "sum(t%d.v) FILTER (WHERE t%d.k > 1)::BIGINT"};
    const char *value = DICE_PICK(m->dice, VALUES);
    return str_replace_all(m->arena, str_from(value), STR("%d"),
                           str_format(m->arena, "%d", make_alias(m)));
}

static inline str make_grouped(struct query_maker *m, str from, str key, str where) {
    static const char *const BY[] = {"%k", "1", "ALL", "key", "GROUPING SETS ((%k), (%k))"};
    const int choice = dice_below(m->dice, 20);
    // `GROUP BY key` would mean a column of that name; there is none.
    str by = str_from(choice < 9 ? BY[0] : choice < 14 ? BY[1] : choice < 19 ? BY[2] : BY[3]);
    by = str_replace_all(m->arena, by, STR("%k"), key);
    const str text = str_format(m->arena, "max(t%d.s)", make_alias(m));
    const str having = dice_chance(m->dice, 20) ? STR(" HAVING count(*) > 1") : STR("");
    const str value = make_aggregate(m);
    const bool more = dice_chance(m->dice, 10) && !str_equal(by, STR("ALL"));
    const str extra = more ? str_format(m->arena, ", t%d.g", make_alias(m)) : STR("");
    return str_format(m->arena,
                      "SELECT " STR_FORMAT " AS key, " STR_FORMAT " AS v1, " STR_FORMAT
                      " AS v2 FROM " STR_FORMAT STR_FORMAT
                      " GROUP BY " STR_FORMAT STR_FORMAT STR_FORMAT,
                      STR_ARGS(key), STR_ARGS(value), STR_ARGS(text), STR_ARGS(from),
                      STR_ARGS(where), STR_ARGS(by), STR_ARGS(extra), STR_ARGS(having));
}

// One SELECT with the columns key, v1, v2.
static inline str make_select(struct query_maker *m) {
    const str from = make_from(m);
    const str key = make_key(m);
    const str where = make_where(m, key, dice_chance(m->dice, 90));
    const str text = str_format(m->arena, "t%d.s", make_alias(m));
    const str value = make_value(m);
    const str plain =
        str_format(m->arena,
                   "SELECT " STR_FORMAT " AS key, " STR_FORMAT " AS v1, " STR_FORMAT
                   " AS v2 FROM " STR_FORMAT STR_FORMAT,
                   STR_ARGS(key), STR_ARGS(value), STR_ARGS(text), STR_ARGS(from), STR_ARGS(where));
    const str projection = str_from_offset(plain, 7);
    const str order = make_order(m);
    switch (dice_below(m->dice, m->plain ? 24 : 14)) {
    case 0:
    case 1:
    case 2:
        return make_grouped(m, from, key, where);
    case 3:
    case 4:
    case 5:
        return str_format(m->arena,
                          STR_FORMAT " QUALIFY row_number() OVER (PARTITION BY " STR_FORMAT
                                     " ORDER BY " STR_FORMAT ") = 1",
                          STR_ARGS(plain), STR_ARGS(key), STR_ARGS(order));
    case 6:
        return str_format(m->arena,
                          "SELECT DISTINCT ON (" STR_FORMAT ") " STR_FORMAT " ORDER BY " STR_FORMAT,
                          STR_ARGS(key), STR_ARGS(projection), STR_ARGS(order));
    case 7:
        return str_format(m->arena, "SELECT DISTINCT " STR_FORMAT, STR_ARGS(projection));
    case 8: // a window over the key, or over something else
        return str_format(
            m->arena,
            "SELECT " STR_FORMAT " AS key, sum(t%d.v) OVER (PARTITION BY %s)::BIGINT AS v1, "
            "NULL::VARCHAR AS v2 FROM " STR_FORMAT STR_FORMAT
            " QUALIFY row_number() OVER (PARTITION BY " STR_FORMAT " ORDER BY " STR_FORMAT ") = 1",
            STR_ARGS(key), make_alias(m),
            dice_chance(m->dice, 60)
                ? str_to_cstring(m->arena, key)
                : str_to_cstring(m->arena, str_format(m->arena, "t%d.g", make_alias(m))),
            STR_ARGS(from), STR_ARGS(where), STR_ARGS(key), STR_ARGS(order));
    default:
        return plain;
    }
}

static inline str make_unique(struct query_maker *m, str query) {
    if (dice_chance(m->dice, 50)) {
        return str_format(m->arena,
                          "SELECT key, sum(v1)::BIGINT AS v1, max(v2) AS v2 FROM (" STR_FORMAT
                          ") AS u WHERE key IS NOT NULL GROUP BY key",
                          STR_ARGS(query));
    }
    return str_format(m->arena,
                      "SELECT key, v1, v2 FROM (" STR_FORMAT ") AS u WHERE key IS NOT NULL "
                      "QUALIFY row_number() OVER (PARTITION BY key ORDER BY v1, v2) = 1",
                      STR_ARGS(query));
}

static inline str make_top(struct query_maker *m, bool unique) {
    static const char *const SET_OPERATIONS[] = {"UNION ALL", "UNION ALL", "UNION",
                                                 "INTERSECT", "EXCEPT",    "EXCEPT ALL"};
    str query = make_select(m);
    bool may_repeat = true;
    if (dice_chance(m->dice, 12)) {
        const char *operation = DICE_PICK(m->dice, SET_OPERATIONS);
        const str other = make_select(m);
        query = str_format(m->arena, "(" STR_FORMAT ") %s (" STR_FORMAT ")", STR_ARGS(query),
                           operation, STR_ARGS(other));
    }
    if (unique && dice_chance(m->dice, 60)) {
        query = make_unique(m, query);
        may_repeat = false;
    }
    if (dice_chance(m->dice, 12)) {
        query = str_format(m->arena, "SELECT * FROM (" STR_FORMAT ") AS o%s", STR_ARGS(query),
                           dice_chance(m->dice, 50) ? " WHERE v1 IS NOT NULL" : "");
    }
    if (may_repeat && dice_chance(m->dice, 4)) {
        query = str_format(m->arena, STR_FORMAT " ORDER BY ALL LIMIT 5", STR_ARGS(query));
    }
    return query;
}

// Over one table, all columns: what a changed column of the source reaches.
static inline str make_star(struct query_maker *m) {
    static const char *const STARS[] = {"SELECT id AS key, * EXCLUDE (id) FROM %s",
                                        "SELECT * RENAME (id AS key) FROM %s",
                                        "SELECT t.id AS key, t.* EXCLUDE (id) FROM %s AS t"};
    const char *star = DICE_PICK(m->dice, STARS);
    m->with_staging = false; // stg.m0 may have a column "key" already
    const char *table = make_table(m);
    return str_replace_all(m->arena, str_from(star), STR("%s"), str_from(table));
}

static inline str make_query(struct arena *arena, struct dice *dice, bool unique,
                             bool with_staging) {
    struct query_maker m = {
        .arena = arena, .dice = dice, .plain = !unique, .with_staging = with_staging};
    text_init(&m.ctes, arena);
    if (dice_chance(dice, 6)) {
        return make_star(&m);
    }
    if (dice_chance(dice, 3)) { // never to be rewritten: it only looks the same each time
        return str_format(arena,
                          "SELECT id AS key, v + (random() * 0)::INTEGER AS v1, s AS v2 FROM "
                          "%s WHERE id IS NOT NULL",
                          make_table(&m));
    }
    const str top = make_top(&m, unique);
    if (m.cte_count == 0) {
        return top;
    }
    return str_format(arena, "WITH " STR_FORMAT " " STR_FORMAT, STR_ARGS(text_str(&m.ctes)),
                      STR_ARGS(top));
}

#endif
