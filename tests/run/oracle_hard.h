#ifndef TESTS_RUN_ORACLE_HARD_H
#define TESTS_RUN_ORACLE_HARD_H

// Queries made by hand to make an increment differ from the full query: keys that compare in odd
// ways, names that mean two things, forms at the edge of each rule of models.md §6.4.
//
// They read the tables of oracle_world.h and its views: raw.va is raw.a, raw.vg sums up raw.b.  As
// those of oracle_query.h they are deterministic and most of them give each key once.

static const char *const HARD_VIEWS[] = {
    "CREATE VIEW raw.va AS SELECT id, k, g, v, s FROM raw.a WHERE v > 1",
    "CREATE VIEW raw.vg (grp, total) AS SELECT k, sum(v)::BIGINT FROM raw.b GROUP BY k",
    "CREATE VIEW raw.vv AS SELECT x.id, y.total FROM raw.va AS x JOIN raw.vg AS y ON x.k = y.grp",
};

static const char *const HARD_QUERIES[] = {
    // ── Keys ──
    "SELECT 1 AS key, count(*) AS n, sum(v)::BIGINT AS s FROM raw.a WHERE v > 2",
    "SELECT 1 AS key, max(t.n) AS n FROM (SELECT count(*) AS n FROM raw.a WHERE v > 4) AS t",
    "SELECT DISTINCT ON (id) id AS key, v * 2 AS k FROM (SELECT id, v FROM raw.a) AS t WHERE k > 6 "
    "AND id IS NOT NULL ORDER BY v DESC",
    "SELECT CASE WHEN k = 1 THEN 'NaN'::DOUBLE WHEN k = 2 THEN -0.0::DOUBLE ELSE v / 2 END AS key, "
    "count(*) AS n FROM raw.a WHERE v IS NOT NULL GROUP BY 1",
    "SELECT x AS key, count(*) AS n FROM (SELECT CASE WHEN v > 3 THEN -0.0::DOUBLE ELSE k::DOUBLE "
    "END AS x FROM raw.a) AS t WHERE x IS NOT NULL GROUP BY x",
    "SELECT {'a': k, 'b': g} AS key, count(*) AS n, max(v) AS m FROM raw.a GROUP BY 1",
    "SELECT [k, g] AS key, count(*) AS n, max(v) AS m FROM raw.a GROUP BY ALL",
    "SELECT a AS key, count(*) AS n FROM raw.a AS a GROUP BY a",
    "SELECT CASE WHEN v % 2 = 0 THEN upper(s) ELSE s END AS key, sum(v)::BIGINT AS n FROM raw.a "
    "WHERE s IS NOT NULL GROUP BY ALL",
    "SELECT lower(key) AS key, sum(n)::BIGINT AS n FROM (SELECT CASE WHEN v % 2 = 0 THEN upper(s) "
    "ELSE s END COLLATE NOCASE AS key, count(*) AS n FROM raw.a WHERE s IS NOT NULL GROUP BY 1) AS "
    "t GROUP BY 1",
    "SELECT coalesce(s, '') || '-' || coalesce(g, 0) AS key, count(*) AS n FROM raw.a GROUP BY s, "
    "g QUALIFY row_number() OVER (PARTITION BY key ORDER BY n) = 1",
    "SELECT id AS \"Key\", max(V) AS \"V\" FROM raw.a WHERE ID IS NOT NULL GROUP BY Id",
    "SELECT t.id AS key, count(*) AS n FROM raw.a AS t (id, id2, g, k) WHERE t.id IS NOT NULL "
    "GROUP "
    "BY t.id",
    "SELECT k % 3 AS id, count(id) AS n, k % 3 AS key FROM raw.a WHERE k IS NOT NULL GROUP BY ALL",
    "SELECT k AS key, sum(v)::BIGINT AS n FROM raw.a GROUP BY k HAVING k IS NOT NULL AND sum(v) > "
    "3",
    "SELECT k AS key, sum(v)::BIGINT AS n FROM raw.a GROUP BY k",
    "SELECT key, n FROM (SELECT k AS key, count(*) AS n FROM raw.a GROUP BY k) AS t WHERE n > 1 OR "
    "key IS NOT NULL",
    "SELECT id AS key, max(v) * 1e-1 * 3 AS n FROM raw.a WHERE id IS NOT NULL GROUP BY id",
    "SELECT id % 2 AS key, v % 2 AS n FROM raw.a WHERE id IS NOT NULL",
    "SELECT id % 2 AS key, [v % 2, k % 2][:v % 3] AS l FROM raw.a WHERE id IS NOT NULL",
    "SELECT id AS key, max(v) * 1e-1, -1e3, count(*) > 2e0 FROM raw.a WHERE id IS NOT NULL GROUP "
    "BY id",
    // ── Joins ──
    "SELECT id AS key, sum(a.v)::BIGINT AS x, sum(b.v)::BIGINT AS y FROM raw.a FULL JOIN raw.b "
    "USING (id) WHERE id IS NOT NULL GROUP BY id",
    "SELECT coalesce(a.id, b.id) AS key, sum(a.v)::BIGINT AS x, max(b.v) AS y FROM raw.a AS a FULL "
    "JOIN raw.b AS b ON a.id = b.id WHERE coalesce(a.id, b.id) IS NOT NULL GROUP BY 1",
    "SELECT coalesce(a.id, b.k, -1) AS key, count(*) AS n, max(b.v) AS y FROM raw.a AS a FULL JOIN "
    "raw.b AS b ON a.k = b.k GROUP BY 1",
    "SELECT a.id AS key, count(*) AS n, max(b.v) AS y FROM raw.a AS a FULL JOIN raw.b AS b ON a.k "
    "= "
    "b.k AND a.v > 2 GROUP BY a.id HAVING a.id IS NOT NULL",
    "SELECT a.id AS key, count(*) AS n FROM raw.a AS a FULL JOIN (SELECT * FROM raw.b QUALIFY "
    "row_number() OVER (PARTITION BY id ORDER BY k, g, v, s) = 1) AS b ON a.g = b.g WHERE a.id IS "
    "NOT NULL AND b.id IS NULL GROUP BY a.id",
    "SELECT coalesce(b.id, a.id) AS key, count(*) AS n FROM raw.a AS a LEFT JOIN (SELECT k, "
    "max(id) "
    "AS id FROM raw.b GROUP BY k) AS b ON a.g = b.id WHERE a.id IS NOT NULL GROUP BY 1",
    "SELECT b.id AS key, count(*) AS n, max(a.v) AS y FROM raw.a AS a LEFT JOIN raw.b AS b ON a.k "
    "= "
    "b.k WHERE b.id IS NOT NULL GROUP BY b.id",
    "SELECT coalesce(b.id, 0) AS key, count(*) AS n, max(a.v) AS y FROM raw.a AS a LEFT JOIN raw.b "
    "AS b ON a.k = b.k GROUP BY 1",
    "SELECT coalesce(b.id, a.id, 0) AS key, count(*) AS n FROM raw.a AS a LEFT JOIN raw.b AS b ON "
    "a.k = b.k JOIN raw.c AS c ON c.k = a.k GROUP BY 1",
    "SELECT coalesce(b.id, 0) + coalesce(d.id, 0) AS key, count(*) AS n FROM (raw.a AS a LEFT JOIN "
    "raw.b AS b ON a.k = b.k) JOIN (raw.c AS c LEFT JOIN raw.b AS d ON c.k = d.id) ON a.g = c.g "
    "GROUP BY 1",
    "SELECT c.id AS key, count(*) AS n FROM raw.a AS a SEMI JOIN raw.b AS b ON a.k = b.k JOIN "
    "raw.c "
    "AS c ON c.k = a.k WHERE c.id IS NOT NULL GROUP BY 1",
    "SELECT c.id AS key, count(*) AS n FROM raw.a AS a ANTI JOIN raw.b AS b ON a.k = b.k JOIN "
    "raw.c "
    "AS c ON c.k = a.k WHERE c.id IS NOT NULL GROUP BY 1",
    "SELECT coalesce(a.id, b.id, c.id) AS key, count(*) AS n FROM raw.a AS a FULL JOIN raw.b AS b "
    "ON "
    "a.id = b.id FULL JOIN raw.c AS c ON b.k = c.k GROUP BY 1 HAVING key IS NOT NULL",
    "SELECT id AS key, sum(v)::BIGINT AS n FROM raw.a NATURAL JOIN (SELECT DISTINCT id, s FROM "
    "raw.b) AS u WHERE id IS NOT NULL GROUP BY id",
    "SELECT id AS key, count(*) AS n, max(b.v) AS y FROM raw.a LEFT JOIN raw.b USING (id) WHERE id "
    "IS NOT NULL GROUP BY id",
    "SELECT id AS key, count(*) AS n, max(a.v) AS y FROM raw.a RIGHT JOIN raw.b USING (id) WHERE "
    "id "
    "IS NOT NULL GROUP BY id",
    "SELECT a.id AS key, max(b.v) AS n FROM raw.a AS a ASOF JOIN (SELECT k, max(v) AS v FROM raw.b "
    "GROUP BY k) AS b ON a.k >= b.k WHERE a.id "
    "IS NOT NULL GROUP BY 1",
    "SELECT a.id AS key, count(b.id) AS n FROM (SELECT DISTINCT id FROM raw.a WHERE id IS NOT NULL "
    "ORDER BY id) AS a POSITIONAL JOIN (SELECT id FROM raw.b ORDER BY ALL) AS b WHERE a.id IS NOT "
    "NULL GROUP BY 1",
    "SELECT a.id AS key, sum(t.n)::BIGINT AS n FROM raw.a AS a, LATERAL (SELECT count(*) AS n FROM "
    "raw.b AS b WHERE b.k = a.k) AS t WHERE a.id IS NOT NULL GROUP BY 1",
    "SELECT a.id AS key, max(t.v) AS n FROM raw.a AS a LEFT JOIN LATERAL (SELECT b.v FROM raw.b AS "
    "b WHERE b.k = a.k) AS t ON true WHERE a.id IS NOT NULL GROUP BY 1",
    "SELECT a.id AS key, sum(u)::BIGINT AS n FROM raw.a AS a, unnest([a.k, a.v]) AS t (u) WHERE "
    "a.id IS NOT NULL GROUP BY 1",
    "SELECT x.id AS key, count(*) AS n FROM raw.a AS x JOIN raw.a AS y ON x.k = y.v WHERE x.id IS "
    "NOT NULL GROUP BY 1",
    "SELECT x.id AS key, count(y.id) AS n FROM raw.a AS x LEFT JOIN raw.a AS y ON x.k = y.v AND "
    "x.id <> y.id WHERE x.id IS NOT NULL GROUP BY 1",
    "SELECT x.id AS key, count(*) AS n FROM raw.a AS x ANTI JOIN raw.a AS y ON x.k = y.v WHERE "
    "x.id "
    "IS NOT NULL GROUP BY 1",
    // ── Subqueries in FROM ──
    "SELECT a.id AS key, max(t.s) AS n, count(*) AS m FROM raw.a AS a JOIN (SELECT k, "
    "sum(v)::BIGINT AS s FROM raw.b GROUP BY k) AS t ON a.k = t.k WHERE a.id IS NOT NULL GROUP BY "
    "1",
    "SELECT a.id AS key, max(t.s) AS n, count(t.k) AS m FROM raw.a AS a LEFT JOIN (SELECT k, "
    "sum(v)::BIGINT AS s FROM raw.b GROUP BY k HAVING count(*) > 1) AS t ON a.k IS NOT DISTINCT "
    "FROM t.k WHERE a.id IS NOT NULL GROUP BY 1",
    "SELECT a.id AS key, sum(t.r)::BIGINT AS n FROM raw.a AS a JOIN (SELECT g, k, row_number() "
    "OVER "
    "(PARTITION BY g ORDER BY id, k, v, s) AS r FROM raw.b) AS t ON a.k = t.k WHERE a.id IS NOT "
    "NULL GROUP BY 1",
    "SELECT coalesce(t.s, a.id) AS key, count(*) AS n FROM raw.a AS a FULL JOIN (SELECT k, "
    "sum(v)::BIGINT AS s FROM raw.b GROUP BY k) AS t ON a.k = t.k GROUP BY 1 HAVING key IS NOT "
    "NULL",
    "SELECT a.id AS key, count(*) AS n FROM raw.a AS a JOIN (SELECT k FROM raw.b INTERSECT SELECT "
    "id FROM raw.c) AS t ON a.k = t.k WHERE a.id IS NOT NULL GROUP BY 1",
    "SELECT a.id AS key, count(*) AS n FROM raw.a AS a JOIN (SELECT k FROM raw.b EXCEPT ALL SELECT "
    "id FROM raw.c) AS t ON a.k = t.k WHERE a.id IS NOT NULL GROUP BY 1",
    "SELECT a.id AS key, max(t.n) AS n FROM raw.a AS a JOIN (SELECT u.g, sum(u.n)::BIGINT AS n "
    "FROM "
    "(SELECT k, g, count(*) AS n FROM raw.b GROUP BY k, g) AS u GROUP BY u.g) AS t USING (g) WHERE "
    "a.id IS NOT NULL GROUP BY 1",
    "SELECT a.id AS key, max(t.n) AS n FROM raw.a AS a CROSS JOIN (SELECT count(*) AS n FROM "
    "raw.b) "
    "AS t WHERE a.id IS NOT NULL GROUP BY 1",
    "SELECT key, v1 FROM (SELECT 1 AS one, k AS key, sum(v)::BIGINT AS v1 FROM raw.a GROUP BY 1, "
    "2) "
    "AS t WHERE key IS NOT NULL",
    "WITH w AS (SELECT k, count(*) AS n FROM raw.a GROUP BY k) SELECT x.k AS key, x.n, y.n AS m "
    "FROM "
    "w AS x JOIN w AS y ON x.k = y.n WHERE x.k IS NOT NULL QUALIFY row_number() OVER (PARTITION BY "
    "x.k ORDER BY y.n) = 1",
    "WITH a AS (SELECT * FROM raw.a WHERE v > 1), b AS (SELECT k, max(v) AS v FROM a GROUP BY k) "
    "SELECT a.id AS key, max(b.v) AS n FROM a JOIN b ON a.k = b.k WHERE a.id IS NOT NULL GROUP BY "
    "1",
    // ── Set operations ──
    "(SELECT * FROM (VALUES (1, 2), (3, 4), (5, 0)) AS c (key, v)) EXCEPT SELECT id, v FROM raw.a",
    "(SELECT 0 AS key, 0 AS v UNION ALL VALUES (1, 1), (2, 2)) EXCEPT ALL SELECT id, v FROM raw.a",
    "(SELECT k AS key, row_number() OVER (ORDER BY id, k, g, v, s) AS n FROM raw.c WHERE k IS NOT "
    "NULL) EXCEPT SELECT id, v FROM raw.a",
    "SELECT key, n FROM ((SELECT k AS key, row_number() OVER (ORDER BY id, k, g, v, s) AS n FROM "
    "raw.b WHERE k IS NOT NULL) EXCEPT SELECT id, v FROM raw.a) AS t QUALIFY row_number() OVER "
    "(PARTITION BY key ORDER BY n) = 1",
    "SELECT id AS key, count(*) AS n FROM (SELECT id FROM raw.a UNION ALL SELECT k FROM raw.b "
    "UNION "
    "SELECT v FROM raw.c) AS t WHERE id IS NOT NULL GROUP BY 1",
    "SELECT key, count(*) AS n FROM (SELECT id AS key FROM raw.a INTERSECT ALL SELECT k FROM "
    "raw.b) "
    "AS t WHERE key IS NOT NULL GROUP BY key",
    "SELECT key, count(*) AS n FROM (SELECT id::DOUBLE AS key FROM raw.a UNION ALL SELECT k FROM "
    "raw.b) AS t WHERE key IS NOT NULL GROUP BY key",
    "SELECT key, count(*) AS n FROM (SELECT id AS key, v FROM raw.a UNION ALL BY NAME SELECT v, k "
    "AS "
    "key FROM raw.b) AS t WHERE key IS NOT NULL GROUP BY key",
    "(SELECT DISTINCT id AS key, 1 AS v FROM raw.a WHERE id IS NOT NULL) EXCEPT (SELECT id, 1 FROM "
    "raw.b UNION SELECT k, 1 FROM raw.c)",
    // ── Groups, windows, order ──
    "SELECT coalesce(k, -1) AS key, sum(v)::BIGINT AS n FROM raw.a GROUP BY ROLLUP (k) QUALIFY "
    "row_number() OVER (PARTITION BY key ORDER BY n) = 1",
    "SELECT k AS key, count(*) AS n FROM raw.a WHERE k IS NOT NULL GROUP BY GROUPING SETS ((k))",
    "SELECT 0 AS key, count(*) AS n FROM raw.a WHERE v < 0 GROUP BY GROUPING SETS (())",
    "SELECT DISTINCT ON (k) k AS key, v, s FROM raw.a WHERE k IS NOT NULL ORDER BY k, v DESC, s, "
    "id, "
    "g",
    "SELECT * RENAME (id AS key) FROM raw.a WHERE id IS NOT NULL QUALIFY row_number() OVER "
    "(PARTITION BY id ORDER BY k, g, v, s) = 1",
    "SELECT DISTINCT ON (id) * RENAME (id AS key) FROM raw.a WHERE id IS NOT NULL ORDER BY id, k, "
    "g, v, s",
    "SELECT DISTINCT ON (k) v AS k, * EXCLUDE (k, v, id) , id AS key FROM raw.a WHERE id IS NOT "
    "NULL ORDER BY ALL",
    "SELECT t.id AS key, t.v AS id, t.s FROM raw.a AS t WHERE t.id IS NOT NULL QUALIFY "
    "row_number() "
    "OVER (PARTITION BY id ORDER BY t.k, t.g, t.v, t.s) = 1",
    "SELECT key, count(*) AS n FROM (SELECT a.*, b.id AS key FROM raw.a AS a JOIN raw.b AS b USING "
    "(k) QUALIFY row_number() OVER (PARTITION BY a.id ORDER BY b.id, b.g, b.v, b.s, a.g, a.v, a.s) "
    "= 1) WHERE key IS NOT NULL GROUP BY key",
    "SELECT id AS key, v FROM raw.a WHERE id IS NOT NULL WINDOW w AS (PARTITION "
    "BY id ORDER BY k, g, v, s) QUALIFY row_number() OVER w = 1",
    "SELECT id AS key, max(v) AS v, (sum(count(*)) OVER ())::BIGINT AS n FROM raw.a WHERE id IS "
    "NOT NULL GROUP "
    "BY id",
    "SELECT id AS key, max(v) AS v, rank() OVER (ORDER BY max(v)) AS n FROM raw.a WHERE id IS NOT "
    "NULL GROUP BY id",
    "SELECT id AS key, max(v) AS v FROM raw.a WHERE id IS NOT NULL GROUP BY id ORDER BY id LIMIT 3 "
    "OFFSET 1",
    "SELECT id AS key, sum(v) FILTER (WHERE k > 1)::BIGINT AS n, list(v ORDER BY v, k, g, s) AS l "
    "FROM raw.a WHERE id IS NOT NULL GROUP BY id",
    "SELECT unnest([id, id + 100]) AS key, sum(v)::BIGINT AS n FROM raw.a WHERE id IS NOT NULL "
    "GROUP "
    "BY id",
    "PIVOT (SELECT id AS key, k, v FROM raw.a WHERE id IS NOT NULL) ON k IN (0, 1, 2) USING max(v) "
    "GROUP BY key",
    "WITH RECURSIVE r AS (SELECT id, k FROM raw.a WHERE id < 3 UNION SELECT b.id, b.k FROM raw.b "
    "AS b "
    "JOIN r ON b.k = r.id) SELECT id AS key, count(*) AS n FROM r WHERE id IS NOT NULL GROUP BY id",
    "SELECT id AS key, v, current_timestamp > TIMESTAMPTZ '2000-01-01' AS late FROM raw.a WHERE id "
    "IS "
    "NOT NULL",
    "SELECT id AS key, v, rank() OVER (ORDER BY v) AS n, rank() OVER (PARTITION BY id ORDER BY v) "
    "AS "
    "m FROM raw.a WHERE id IS NOT NULL QUALIFY row_number() OVER (PARTITION BY id ORDER BY v, k, "
    "g, s) = 1",
    // ── Subqueries in expressions ──
    "SELECT id AS key, max(v) AS v FROM raw.a WHERE id IS NOT NULL AND k IN (SELECT k FROM raw.b) "
    "GROUP BY id",
    "SELECT id AS key, max(v) AS v FROM raw.a WHERE id IS NOT NULL AND k NOT IN (SELECT k FROM "
    "raw.b) "
    "GROUP BY id",
    "SELECT id AS key, max(v) AS v, (SELECT max(v) FROM raw.b) AS m FROM raw.a WHERE id IS NOT "
    "NULL "
    "GROUP BY id",
    "SELECT a.id AS key, (SELECT count(*) FROM raw.b AS b WHERE b.k = a.id) AS n FROM raw.a AS a "
    "WHERE a.id IS NOT NULL GROUP BY a.id",
    "SELECT a.id AS key, count(*) AS n FROM raw.a AS a JOIN raw.c AS c ON a.k = c.k AND EXISTS "
    "(SELECT 1 FROM raw.b AS b WHERE b.k = c.id) WHERE a.id IS NOT NULL GROUP BY a.id",
    "SELECT id AS key, count(*) AS n FROM raw.a WHERE id IS NOT NULL GROUP BY id HAVING count(*) "
    ">= "
    "(SELECT min(g) FROM raw.b)",
    "SELECT id AS key, max(v) AS v FROM (FROM raw.a WHERE k = (SELECT min(k) FROM raw.a)) AS t "
    "WHERE "
    "id IS NOT NULL GROUP BY id",
    // ── Views, versions, names ──
    "SELECT id AS key, max(v) AS v FROM raw.va WHERE id IS NOT NULL GROUP BY id",
    "SELECT id AS key, count(*) AS n FROM raw.va JOIN raw.b USING (id) WHERE id IS NOT NULL GROUP "
    "BY "
    "id",
    "SELECT x.id AS key, count(*) AS n FROM raw.va AS x JOIN raw.a AS y ON x.k = y.id WHERE x.id "
    "IS "
    "NOT NULL GROUP BY 1",
    "SELECT a.id AS key, max(t.total) AS n FROM raw.a AS a LEFT JOIN raw.vg AS t ON a.k = t.grp "
    "WHERE "
    "a.id IS NOT NULL GROUP BY 1",
    "SELECT id AS key, max(total) AS n FROM raw.vv WHERE id IS NOT NULL GROUP BY id",
    "SELECT grp AS key, total FROM raw.vg WHERE grp IS NOT NULL",
    "SELECT raw.a.id AS key, max(raw.a.v) AS v FROM raw.a WHERE raw.a.id IS NOT NULL GROUP BY "
    "raw.a.id",
    "SELECT * EXCLUDE (id, s) REPLACE (v + 1 AS v), id AS key FROM raw.a WHERE id IS NOT NULL "
    "QUALIFY "
    "row_number() OVER (PARTITION BY id ORDER BY k, g, v, s) = 1",
    "SELECT id AS key, max(COLUMNS('^[kv]$')) FROM raw.a WHERE id IS NOT NULL GROUP BY id",
    "WITH w (p, g, v) AS (SELECT k, v, g FROM raw.a) SELECT x AS key, sum(v)::BIGINT AS n FROM w "
    "AS t (x) WHERE x IS NOT NULL GROUP BY x",
    "SELECT x AS key, max(total)::BIGINT AS n FROM raw.vg AS t (x) WHERE x IS NOT NULL GROUP BY x",
    "SELECT x AS key, max(key) AS n FROM (SELECT st.*, k AS key FROM (SELECT {'x': id, 'y': v} AS "
    "st, k FROM raw.a) AS q UNION SELECT id, k, v FROM raw.b) AS t (x, y, key) WHERE x IS NOT NULL "
    "GROUP BY x",
    "SELECT key, max(x) AS n FROM (SELECT unnest({'x': id, 'y': v}), k AS key FROM raw.a UNION "
    "SELECT id, k, v FROM raw.b) AS t (x, y, key) WHERE key IS NOT NULL GROUP BY key",
    "SELECT key, max(x) AS n FROM (SELECT max(COLUMNS('^[gv]$')), k AS key FROM raw.a GROUP BY k "
    "UNION SELECT id, g, v FROM raw.b) AS t (x, y, key) WHERE key IS NOT NULL GROUP BY key",
    "SELECT DISTINCT ON (k) k AS key, * EXCLUDE (id, g, s) REPLACE (v % 3 AS k) FROM raw.a WHERE k "
    "IS NOT NULL ORDER BY v, raw.a.k, id, g, s",
    "SELECT DISTINCT ON (k) k AS key, * EXCLUDE (id, g, s, k) RENAME (v AS k) FROM raw.a WHERE k "
    "IS NOT NULL ORDER BY id, g, raw.a.k, raw.a.v, s",
    "SELECT id AS key, * EXCLUDE (id, s) RENAME (v AS k) FROM (SELECT id, v, s FROM raw.a) AS t "
    "WHERE k > 2 AND id IS NOT NULL QUALIFY row_number() OVER (PARTITION BY id ORDER BY v, s) = 1",
    "SELECT (SELECT max(a.v)) AS key, 1 AS n FROM raw.a AS a",
    "SELECT raw.a.id AS key, max(raw.a.v) AS n FROM raw.a WHERE raw.a.id IS NOT NULL AND EXISTS "
    "(SELECT 1 FROM raw.c AS a WHERE a.v = raw.a.k) GROUP BY raw.a.id",
    "SELECT raw.a.id AS key, max(t.n) AS n FROM raw.a, LATERAL (SELECT count(*) AS n FROM raw.c AS "
    "a WHERE a.v = raw.a.k) AS t WHERE raw.a.id IS NOT NULL GROUP BY raw.a.id",
    "SELECT raw.va.id AS key, max(raw.va.v) AS v FROM raw.va WHERE raw.va.id IS NOT NULL GROUP BY "
    "raw.va.id",
    "SELECT coalesce(t.s, a.id, -1) AS key, count(*) AS n FROM raw.a AS a LEFT JOIN (SELECT k, "
    "sum(v)::BIGINT AS s FROM raw.b GROUP BY k) AS t ON a.k = t.k GROUP BY 1",
    "SELECT coalesce(t.m, -1) + coalesce(a.id, -1) AS key, count(*) AS n FROM (SELECT k, max(v) AS "
    "m FROM raw.b GROUP BY k) AS t RIGHT JOIN raw.a AS a ON a.k = t.k GROUP BY 1",
    "SELECT a.id AS key, sum(t.n)::BIGINT AS n FROM raw.a AS a, LATERAL (SELECT b.id AS kk, "
    "count(*) AS n FROM raw.b AS b WHERE b.v = a.v GROUP BY b.id) AS t WHERE a.id IS NOT NULL "
    "GROUP BY 1",
    "SELECT t.kk AS key, sum(t.n)::BIGINT AS n FROM raw.a AS a, LATERAL (SELECT b.id AS kk, "
    "count(*) AS n FROM raw.b AS b WHERE b.v = a.v GROUP BY b.id) AS t WHERE t.kk IS NOT NULL "
    "GROUP BY 1",
    "SELECT a.id AS key, sum(t.n)::BIGINT AS n FROM raw.a AS a, LATERAL (SELECT b.id AS kk, "
    "count(*) AS n FROM (SELECT id, v FROM raw.b) AS b WHERE b.v = k GROUP BY b.id) AS t WHERE "
    "a.id IS NOT NULL GROUP BY 1",
    "SELECT coalesce(t.n, -1) AS key, count(*) AS c FROM raw.a AS a LEFT JOIN LATERAL (SELECT b.v "
    "+ a.v AS n FROM raw.b AS b WHERE b.k = a.k) AS t ON true GROUP BY 1",
    "FROM raw.a AS t SELECT t.id AS key, count(t) AS n WHERE t.id IS NOT NULL GROUP BY ALL",
};

enum { HARD_QUERY_COUNT = (int)(sizeof(HARD_QUERIES) / sizeof(*HARD_QUERIES)) };

#endif
