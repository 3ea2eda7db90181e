"""What a run says beside its result: casts that fail, NULL cursors, appends without a version."""
import pytest

LIB = '''
API = {"fetch": {"args": []}}

def fetch(page):
    return {"rows": [{"id": 1, "d": "2024-01-02", "n": 3}, {"id": 2, "d": %r, "n": 300}]}
'''


@pytest.mark.parametrize("select, position, message", [
    ("SELECT id::BIGINT AS id, d::DATE AS day FROM shop()", ":1:27",
     'raw.t: column "d" to DATE: invalid date field format: "yesterday"'),
    ("SELECT id, CAST(d AS DATE) AS day FROM shop()", ":1:12",
     'raw.t: column "d" to DATE: invalid date field format: "yesterday"'),
    ("SELECT n::BIGINT AS m,\n  n::TINYINT AS n\nFROM shop()", ":2:4", 'raw.t: column "n" to TINYINT: '),
])
def test_a_failing_cast_names_model_column_type_and_value(project, select, position, message):
    project.write({"lib/shop.star": LIB % "yesterday", "models/raw/t.sql": select})
    out = project.run("run", code=1).out
    assert f"models/raw/t.sql{position}: {message}" in out
    assert "source column" not in out and "TRY_CAST" in out


@pytest.mark.parametrize("select, position, message", [
    ("SELECT (d || '')::DATE AS day FROM shop()", ":1:17", 'raw.t: an expression to DATE: invalid date field format: "yesterday"'),
    ("SELECT cast(lower(d) AS DECIMAL(10, 2)) AS n FROM shop()", ":1:8", 'raw.t: an expression to DECIMAL(10, 2): '),
])
def test_a_failing_cast_of_an_expression_names_model_type_and_rows(project, select, position, message):
    project.write({"lib/shop.star": LIB % "yesterday", "models/raw/t.sql": select})
    out = project.run("run", code=1).out
    assert f"models/raw/t.sql{position}: {message}" in out
    assert ", in one of the rows 1 to 2 of the fetch\n" in out and "TRY_CAST" in out


def test_a_failing_cast_shows_the_beginning_of_a_long_value(project):
    project.write({"lib/shop.star": LIB % ("x" * 5000), "models/raw/t.sql": "SELECT id::BIGINT AS id, d::DATE AS day FROM shop()"})
    out = project.run("run", code=1).out
    assert 'column "d" to DATE: ' in out and '"' + "x" * 80 + "…" in out and "x" * 81 not in out


def test_nulls_in_the_cursor_are_told_of_new_rows_only(project):
    rows = "(1::BIGINT, DATE '2024-01-01'), (2, NULL)"
    model = "-- @kind: append\n-- @incremental: day\nSELECT id, day FROM raw.src"
    project.write({"models/raw/src.sql": f"SELECT * FROM (VALUES {rows}) t(id, day)", "models/raw/t.sql": model})
    warning = 'the @incremental column "day" is NULL in %s'
    assert project.run_json().models["raw.t"]["warnings"] == [warning % "1 new row"]
    project.write({"models/raw/src.sql": f"SELECT * FROM (VALUES {rows}, (3, DATE '2024-01-03')) t(id, day)"})
    assert project.run_json().models["raw.t"]["warnings"] == []
    project.write({"models/raw/src.sql": f"SELECT * FROM (VALUES {rows}, (3, DATE '2024-01-03'), (4, NULL), (5, NULL)) t(id, day)"})
    assert project.run_json().models["raw.t"]["warnings"] == [warning % "2 new rows"]


def test_an_append_over_files_is_warned_of(project):
    project.write({"data/a.csv": "id\n1\n", "models/raw/t.sql": "-- @kind: append\nSELECT id FROM read_csv('data/a.csv')"})
    assert "cdc.append_unversioned" in project.run("validate", "--json").out
    assert project.run_json().models["raw.t"]["warnings"] == ["a file that changes is appended again as a whole"]
    project.write({"models/raw/t.sql": "-- @kind: append\n-- @incremental: id\n-- @incremental_initial: 0\n"
                                       "SELECT id FROM read_csv('data/a.csv') WHERE id > getvariable('incr_last_value')::BIGINT"})
    assert "cdc.append_unversioned" not in project.run("validate", "--json").out


def test_a_dry_run_shows_the_plan_and_writes_nothing(project, api):
    project.write({"models/raw/a.sql": "SELECT 1 AS id", "models/raw/b.sql": "SELECT id FROM raw.a"})
    project.run("run", "raw.a", code=0)
    snapshots = project.snapshots()
    project.write({"lib/shop.star": LIB % "x", "models/raw/c.sql": "SELECT id FROM shop()"})
    # SQLite's readers make files of their own beside a database.
    def files_of(root):
        return sorted(str(p) for p in root.rglob("*") if not p.name.endswith(("-shm", "-wal")))

    files = files_of(project.root)
    runs = project.state("SELECT count(*) AS n FROM run") if (project.root / ".coypu/state.db").exists() else None
    out = project.run("run", "--dry-run", code=0).out
    assert "[SKIPPED] raw.a (table, skip, 0 rows, " in out and "— no dependencies)" in out
    assert "[WOULD RUN] raw.b (table, backfill, 0 rows, " in out and "— first run)" in out
    assert "[WOULD RUN] raw.c (table, backfill, 0 rows, " in out
    assert project.snapshots() == snapshots
    assert files_of(project.root) == files
    if runs is not None:
        assert project.state("SELECT count(*) AS n FROM run") == runs


@pytest.mark.parametrize("body", ["SELECT name FROM (SHOW ALL TABLES)", "SELECT name FROM (SHOW TABLES FROM lake.z)",
                                  "WITH s AS (FROM (SHOW TABLES FROM lake.z)) SELECT name FROM s"])
def test_a_model_over_the_list_of_tables_runs_every_time(project, body):
    project.write({"models/z/a.sql": "SELECT 1 AS id\n", "models/y.sql": body + "\n"})
    project.run("run", code=None)
    project.write({"models/z/b.sql": "SELECT 1 AS id\n"})
    project.run_json()
    run = project.run_json().models["main.y"]
    assert (run["run_type"], run["run_reason"]) == ("full", "unverifiable dep: SHOW")
    assert {"a", "b"} <= {r["name"] for r in project.sql("SELECT name FROM main.y")}


def test_a_description_of_a_table_depends_on_that_table(project):
    project.write({"models/z/a.sql": "SELECT 1 AS id\n", "models/y.sql": "SELECT column_name FROM (DESCRIBE z.a)\n"})
    project.run_json()
    assert project.run_json().models["main.y"]["run_reason"] == "deps unchanged"


NEW = "is over the new rows of a run alone"
ALL = "is over all rows: a row that changed is appended anew, and the old one stays"
EITHER = NEW + ", or over all rows where these cannot be told; then a row that changed is appended anew, and the old one stays"


# What a second run appends after z.src got (3, 'a', 5), over (1, 'a', 1) and (2, 'b', 2).
@pytest.mark.parametrize("body, warning, appended", [
    ("SELECT g, count(*) AS n FROM z.src GROUP BY g", "count(*) in an append model " + NEW, {("a", 1)}),
    ("SELECT g, sum(v) AS n FROM z.src GROUP BY ALL ORDER BY g", "sum() in an append model " + NEW, {("a", 5)}),
    ("SELECT d.g, count(*) AS n FROM z.src JOIN z.dim AS d USING (g) GROUP BY d.g", "count(*) in an append model " + EITHER, {("a", 1)}),
    ("SELECT d.g, count(s.v) AS n FROM z.dim AS d LEFT JOIN z.src AS s USING (g) GROUP BY d.g", "count() in an append model " + EITHER, {("a", 2)}),
    ("SELECT g, sum(v) - (SELECT count(*) FROM z.src) AS n FROM z.src GROUP BY g", "sum() in an append model " + EITHER, {("a", 3), ("b", -1)}),
    ("WITH x AS (SELECT g, sum(v) AS s FROM z.src GROUP BY g) SELECT g, s AS n FROM x", "sum() in an append model " + ALL, {("a", 6)}),
    ("SELECT g, count(*) AS n FROM z.src GROUP BY g HAVING count(*) > 0", "count(*) in an append model " + ALL, {("a", 2)}),
    ("SELECT 's' AS g, count(*) AS n FROM z.src UNION ALL SELECT 'd', count(*) FROM z.dim", "count(*) in an append model " + ALL, {("s", 3)}),
    ("SELECT g, rank() OVER (ORDER BY sum(v)) AS n FROM z.src GROUP BY g", "sum() in an append model " + ALL, {("a", 2), ("b", 1)}),
    ("SELECT g, agg(v) AS n FROM z.src GROUP BY g", "agg() in an append model " + ALL, {("a", 8)}),
])
def test_an_append_that_aggregates_says_over_which_rows(project, body, warning, appended):
    project.write({"config/macros/m.sql": "CREATE MACRO inner_agg(x) AS sum(x); CREATE MACRO agg(x) AS inner_agg(x) + 2;",
                   "models/z/src.sql": "SELECT * FROM (VALUES (1, 'a', 1), (2, 'b', 2)) t(id, g, v)\n",
                   "models/z/dim.sql": "SELECT * FROM (VALUES ('a'), ('b')) t(g)\n",
                   "models/t.sql": "-- @kind: append\n" + body + "\n"})
    warnings = project.run_json().models["main.t"]["warnings"]
    assert any(w.endswith(warning) for w in warnings), warnings
    before = [tuple(r.values()) for r in project.sql("SELECT * FROM main.t")]
    project.write({"models/z/src.sql": "SELECT * FROM (VALUES (1, 'a', 1), (2, 'b', 2), (3, 'a', 5)) t(id, g, v)\n"})
    project.run_json()
    after = [(r["g"], int(r["n"])) for r in project.sql("SELECT * FROM main.t")]
    assert len(after) == len(before) + len(appended) and appended <= set(after)
