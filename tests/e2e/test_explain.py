"""run --explain (models.md §6.4): sources, base, changed rows, shape and SQL; nothing runs."""


def source(project, rows):
    values = ", ".join(f"({i}, {k}, {v})" for i, k, v in rows)
    project.write({"models/raw/src.sql": f"SELECT * FROM (VALUES {values}) t(id, k, v)"})


def prepare(project, header, body):
    project.write({"models/mart/t.sql": header + body})
    source(project, [(1, 1, 10), (2, 1, 20), (3, 2, 30)])
    project.run_json()
    source(project, [(1, 1, 10), (2, 1, 25), (3, 2, 30), (4, 3, 40)])
    project.run("run", "raw.src", code=0)


MERGE = "-- @kind: merge\n-- @unique_key: k\n"


def test_affected_keys_are_explained_and_nothing_runs(project):
    prepare(project, MERGE, "SELECT k, sum(v) AS v FROM raw.src GROUP BY k")
    before = project.snapshots()
    out = project.run("run", "mart.t", "--explain", code=0).out
    assert "[WOULD RUN] mart.t (merge, incremental, 0 rows" in out
    assert "\n  reads raw.src: 2 rows added, 1 removed\n  shape: affected keys\n  SQL:\n" in out
    assert "SELECT k, sum(v) AS v FROM raw.src WHERE (k = ANY" in out
    assert project.snapshots() == before
    assert project.sql("SELECT k, v::INT AS v FROM mart.t ORDER BY k") == [{"k": 1, "v": 30}, {"k": 2, "v": 30}]
    project.run_json()
    assert [r["v"] for r in project.sql("SELECT v::INT AS v FROM mart.t ORDER BY k")] == [35, 30, 40]


def test_json_has_the_same(project):
    prepare(project, MERGE, "SELECT k, sum(v) AS v FROM raw.src GROUP BY k")
    explain = project.run_json("mart.t", "--explain").models["mart.t"]["explain"]
    assert explain["shape"] == "affected keys"
    assert explain["sources"] == [{"table": "raw.src", "changed": True, "added": 2, "removed": 1, "would_run": False}]
    assert explain["base_snapshot"] < explain["snapshot"]
    assert len(explain["sql"]) == 5


def test_reason_for_reading_everything(project):
    prepare(project, MERGE, "SELECT k, sum(v) AS v FROM raw.src GROUP BY k ORDER BY k LIMIT 5")
    out = project.run("run", "mart.t", "--explain", code=0).out
    assert "\n  shape: full query, since it has a LIMIT\n" in out
    model = project.run_json().models["mart.t"]
    assert "mart.t is evaluated in full: it has a LIMIT" in model["warnings"]


def test_skip_reads_nothing(project):
    prepare(project, MERGE, "SELECT k, sum(v) AS v FROM raw.src GROUP BY k")
    project.run_json()
    out = project.run("run", "mart.t", "--explain", code=0).out
    assert "\n  reads raw.src: unchanged\n  shape: nothing is read" in out
    assert "SQL" not in out
