"""Local files as inputs: every file that DuckDB reads is compared, and an append loads each once."""
import os

import pytest

LANDING = "-- @kind: append\nSELECT * FROM read_csv('data/*.csv')\n"


def csv(*ids):
    return "id,v\n" + "".join(f"{i},x\n" for i in ids)


def ids(project, target="main.t"):
    return [r["id"] for r in project.sql(f"SELECT id FROM {target} ORDER BY 1")]


@pytest.mark.parametrize("pattern, path", [
    ("data/*.csv", "data/.hidden.csv"), ("data/**/*.csv", "data/a/b/n.csv"), ("data/*/n.csv", "data/.a/n.csv"),
    ("data/[!b].csv", "data/c.csv"), ("data/?.csv", "data/c.csv"),
])
def test_a_pattern_finds_what_duckdb_finds(project, pattern, path):
    project.write({"data/a.csv": csv(1), "data/s/n.csv": csv(1), path: csv(2),
                   "models/t.sql": f"SELECT * FROM read_csv('{pattern}') WHERE id > 1\n"})
    project.run_json()
    assert project.run_json().models["main.t"]["run_type"] == "skip"
    project.write({path: csv(2, 3)})
    run = project.run_json().models["main.t"]
    assert (run["run_type"], run["run_reason"]) == ("full", f"file changed: {path}")
    assert ids(project) == [2, 3]


def test_names_that_differ_by_case_are_two_files(project):
    project.write({"data/a.csv": csv(1), "data/A.csv": csv(2),
                   "models/t.sql": "FROM read_csv('data/a.csv') UNION ALL FROM read_csv('data/A.csv')\n"})
    project.run_json()
    project.write({"data/A.csv": csv(2, 3)})
    assert project.run_json().models["main.t"]["run_reason"] == "file changed: data/A.csv"
    assert ids(project) == [1, 2, 3]


def test_a_pattern_that_duckdb_refuses_fails_its_model_alone(project):
    project.write({"models/ok.sql": "SELECT 1 AS id\n", "models/t.sql": "FROM read_csv('data/**/x/**/*.csv')\n"})
    models = project.run_json(code=1).models
    assert (models["main.ok"]["status"], models["main.t"]["status"]) == ("ok", "error")
    assert "**" in models["main.t"]["errors"][0]


def test_an_append_does_not_load_a_file_again_that_was_away(project):
    project.write({"data/a.csv": csv(1), "data/b.csv": csv(2), "models/t.sql": LANDING})
    project.run_json()
    os.rename(project.root / "data/b.csv", project.root / "b.csv")
    assert project.run_json().models["main.t"]["run_type"] == "skip"
    project.write({"data/c.csv": csv(3)})
    project.run_json()
    os.rename(project.root / "b.csv", project.root / "data/b.csv")
    assert project.run_json().models["main.t"]["run_type"] == "skip"
    assert ids(project) == [1, 2, 3]


def test_a_backfill_forgets_files_that_are_gone(project):
    project.write({"data/a.csv": csv(1), "data/b.csv": csv(2), "models/t.sql": LANDING})
    project.run_json()
    os.rename(project.root / "data/b.csv", project.root / "b.csv")
    project.run_json("--full-refresh")
    assert ids(project) == [1]
    os.rename(project.root / "b.csv", project.root / "data/b.csv")
    project.run_json()
    assert ids(project) == [1, 2]


def test_an_append_outlives_its_files(project):
    project.write({"data/a.csv": csv(1), "models/t.sql": LANDING})
    project.run_json()
    os.remove(project.root / "data/a.csv")
    assert project.run_json().models["main.t"]["run_type"] == "skip"
    assert ids(project) == [1]


def test_a_list_of_files_is_watched_like_one(project):
    project.write({"data/a.csv": csv(1), "data/s/n.csv": csv(2),
                   "models/t.sql": "SELECT * FROM read_csv(['data/a.csv', 'data/s/*.csv'])\n"})
    project.run_json()
    assert project.run_json().models["main.t"]["run_type"] == "skip"
    project.write({"data/s/m.csv": csv(3)})
    assert project.run_json().models["main.t"]["run_reason"] == "file changed: data/s/m.csv"
    assert ids(project) == [1, 2, 3]


@pytest.mark.parametrize("names", ["'data/a.csv', 'data/s/*.csv'", "'data/*.csv', 'data/a.csv', 'data/s/*.csv'"])
def test_an_append_over_a_list_loads_each_file_once(project, names):
    project.write({"data/a.csv": csv(1), "data/s/n.csv": csv(2),
                   "models/t.sql": f"-- @kind: append\nSELECT * FROM read_csv([{names}])\n"})
    project.run_json()
    first = ids(project)
    project.write({"data/s/m.csv": csv(3)})
    project.run_json()
    assert (first + [3], project.run_json().models["main.t"]["run_type"]) == (ids(project), "skip")


def test_a_list_with_a_computed_name_cannot_be_watched(project):
    project.write({"data/a.csv": csv(1), "models/t.sql": "SELECT * FROM read_csv(['data/a.csv', 'data/' || 'a.csv'])\n"})
    project.run_json()
    assert project.run_json().models["main.t"]["run_reason"] == "unverifiable dep: read_csv()"
