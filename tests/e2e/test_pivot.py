"""PIVOT without a list of values: DuckDB makes two statements of it, a model is still one."""
import json

import pytest

SOURCE = "SELECT * FROM (VALUES %s) t(id, v, n)"
ROWS = "(1, 'a', 10), (1, 'b', 20), (2, 'a', 5)"
MORE = ROWS + ", (3, 'it''s', 7)"

QUERIES = {
    "plain": "PIVOT raw.src ON v USING sum(n)::INTEGER GROUP BY id ORDER BY id",
    "inside": "SELECT p.* FROM (PIVOT raw.src ON v USING sum(n)::INTEGER GROUP BY id) p",
    "cte": "WITH c AS (SELECT * FROM raw.src), d AS (FROM c)\nPIVOT d ON v USING sum(n)::INTEGER GROUP BY id",
    "in a cte": "WITH c AS (FROM raw.src), p AS (PIVOT c ON v USING sum(n)::INTEGER GROUP BY id) SELECT * FROM p -- PIVOT",
    "join": "PIVOT (SELECT s.* FROM raw.src s) x JOIN raw.ids i ON i.k = x.id ON lower(v) USING sum(n)::INTEGER GROUP BY id",
}


def rows(project):
    return sorted(project.sql("SELECT * FROM m.p"), key=lambda row: row["id"])


@pytest.mark.parametrize("query", QUERIES)
def test_the_values_are_the_columns(project, query):
    project.write({"models/raw/src.sql": SOURCE % ROWS, "models/raw/ids.sql": "SELECT unnest([1, 2, 3]) AS k",
                   "models/m/p.sql": "-- @column: a = of a\n-- @audit: column_exists(a)\n" + QUERIES[query], "models/m/q.sql": "SELECT * FROM m.p"})
    assert "BLOCKER" not in project.run("validate", "--json", code=0).out
    project.run("run", code=0)
    assert rows(project) == [{"id": 1, "a": 10, "b": 20}, {"id": 2, "a": 5, "b": None}]
    assert project.run_json().models["m.p"]["run_reason"] == "deps unchanged"
    project.write({"models/raw/src.sql": SOURCE % MORE})
    for jobs in "1", "4":
        project.run("run", "--jobs", jobs, code=0)
        assert rows(project)[1:] == [{"id": 2, "a": 5, "b": None, "it's": None}, {"id": 3, "a": None, "b": None, "it's": 7}]
    assert project.value("SELECT count(*) FROM m.q") == 3
    models = {m["target"]: m for m in json.loads(project.run("lineage", "overview", "--json", code=0).out)["models"]}
    assert "raw.src" in models["m.p"]["depends"]


@pytest.mark.parametrize("kind", ("append", "merge\n-- @unique_key: id", "tracked\n-- @group_key: id", "scd2\n-- @unique_key: id"))
def test_every_kind_takes_the_whole_query(project, kind):
    project.write({"models/raw/src.sql": SOURCE % ROWS, "models/m/p.sql": f"-- @kind: {kind}\n" + QUERIES["plain"]})
    project.run("run", code=0)
    project.write({"models/raw/src.sql": SOURCE % MORE})
    project.run("run", code=0)
    assert project.value("SELECT \"it's\" FROM m.p WHERE id = 3") == 7
    assert project.value("SELECT count(DISTINCT id) FROM m.p") == 3


def test_what_is_wrong_in_it_is_told_at_the_model(project):
    project.write({"models/raw/src.sql": SOURCE % ROWS, "models/m/p.sql": "PIVOT raw.scr ON v USING sum(n)", "models/m/o.sql": "PIVOT raw.src ON w USING sum(n)"})
    out = project.run("run", code=1).out
    assert "models/m/p.sql:1:7: m.p reads raw.scr, which no model makes" in out, out
    assert 'models/m/o.sql:1' in out and '"w" not found' in out, out
    assert "DISTINCT" not in out, out

def test_describe_shows_the_file(project):
    project.write({"models/raw/src.sql": SOURCE % ROWS, "models/m/p.sql": "PIVOT raw.src ON v USING sum(n)"})
    project.run("run", code=0)
    assert json.loads(project.run("describe", "m.p", "--json", code=0).out)["definition"] == "PIVOT raw.src ON v USING sum(n)"
