"""Tables of other databases, by the two names that DuckDB knows them by: `ext.t` and `ext.main.t`."""
import json
import sqlite3

import pytest

ATTACH = "ATTACH 'ext/e.db' AS ext (TYPE sqlite, READ_ONLY);\n"
NAMES = ("ext.t", "ext.main.t")


@pytest.fixture
def outside(project):
    (project.root / "ext").mkdir(parents=True)
    with sqlite3.connect(project.root / "ext/e.db") as db:
        for name, value in ("t", 1), ("a", 1), ("b", 2):
            db.executescript(f"CREATE TABLE {name} (id INTEGER); INSERT INTO {name} VALUES ({value})")
    return project.write({"config/sources.sql": ATTACH})


def findings(project, code=0):
    report = json.loads(project.run("validate", "--json", code=code).out)
    return [(f["rule"], f["severity"], f["message"]) for file in report["files"] for f in file.get("findings", [])]


@pytest.mark.parametrize("attach", (ATTACH, "ATTACH IF NOT EXISTS 'ext/ext.db' (TYPE sqlite, READ_ONLY)"))
def test_a_table_of_another_database_is_no_model_of_its_name(outside, attach):
    (outside.root / "ext/e.db").rename(outside.root / ("ext/e.db" if "e.db' AS" in attach else "ext/ext.db"))
    outside.write({"config/sources.sql": attach, "models/a.sql": "SELECT id FROM ext.main.b", "models/b.sql": "SELECT id FROM ext.main.a"})
    message = "ext.main.%s is made by no model: not checked without the lake"
    assert findings(outside) == [("dag.external_reference", "INFO", message % name) for name in "ba"]
    outside.run("run", code=0)
    assert outside.value("SELECT id FROM main.a") == 2


def test_the_lakes_own_alias_before_a_name_is_no_other_database(outside):
    outside.write({"models/a.sql": "SELECT id FROM lake.main.b", "models/b.sql": "SELECT id FROM lake.main.a"})
    assert [f[0] for f in findings(outside, code=1)] == ["dag.cycle_detected"] * 2


@pytest.mark.parametrize("name", NAMES)
def test_an_append_over_another_database_inserts_again_and_says_so(outside, name):
    outside.write({"models/m/t.sql": f"-- @kind: append\nSELECT id FROM {name}"})
    warning = "every run appends all rows of the input again"
    assert ("cdc.append_unversioned", "WARN", warning) in findings(outside)
    for rows in 1, 2:
        done = outside.run_json().models["m.t"]
        assert done["warnings"] == [warning]
        assert outside.value("SELECT count(*) FROM m.t") == rows
    assert done["run_reason"] == f"unverifiable dep: {name}"


@pytest.mark.parametrize("name", NAMES)
def test_an_append_over_a_view_of_another_database_is_no_different(outside, name):
    outside.write({"config/sources.sql": ATTACH + f"CREATE OR REPLACE VIEW src AS SELECT id FROM {name};",
                   "models/m/t.sql": "-- @kind: append\nSELECT id FROM src"})
    for rows in 1, 2:
        outside.run("run", code=0)
        assert outside.value("SELECT count(*) FROM m.t") == rows
    assert "cdc.append_unversioned" in outside.run("validate").out


@pytest.mark.parametrize("name", NAMES)
def test_a_table_of_another_database_is_among_what_a_model_depends_on(outside, name):
    outside.write({"models/raw/o.sql": "SELECT 1 AS id", "models/m/t.sql": f"SELECT t.id FROM raw.o JOIN {name} t USING (id)"})
    outside.run("run", code=0)
    depends = ["raw.o", name]
    assert json.loads(outside.value("SELECT commit_extra_info->>'depends' FROM lake.snapshots() "
                                    "WHERE commit_extra_info->>'model' = 'm.t'")) == depends
    assert json.loads(outside.run("describe", "m.t", "--json", code=0).out)["dependencies"] == depends
    models = json.loads(outside.run("lineage", "overview", "--json", code=0).out)["models"]
    assert [m["depends"] for m in models if m["target"] == "m.t"] == [depends]
    assert "m.t" in outside.run("impact", name, code=0).out


def test_a_model_comes_before_a_database_of_its_schemas_name(outside):
    outside.write({"models/ext/x.sql": "SELECT 7 AS id", "models/m/t.sql": "SELECT id FROM ext.x"})
    models = json.loads(outside.run("lineage", "overview", "--json", code=0).out)["models"]
    assert [m["depends"] for m in models if m["target"] == "m.t"] == [["ext.x"]]
    assert [f[:2] for f in findings(outside)] == [("parser.ambiguous_schema", "WARN")]
    outside.run("run", code=0)


def test_what_shows_the_catalog_is_looked_at_again(project):
    """FROM (SHOW TABLES) is a query; which tables there are has no version."""
    project.write({"models/raw/o.sql": "SELECT 1 AS id", "models/m/t.sql": "SELECT name FROM (SHOW ALL TABLES) WHERE schema = 'raw'",
                   "models/m/u.sql": "SELECT column_name FROM (DESCRIBE raw.o)"})
    project.run("run", code=0)
    project.write({"models/raw/p.sql": "SELECT 1 AS id"})
    done = project.run_json().models
    assert (done["m.t"]["run_reason"], done["m.u"]["run_reason"]) == ("unverifiable dep: SHOW", "deps unchanged")
    assert done["m.t"]["rows_affected"] == 1


@pytest.mark.parametrize("call", ("query('SELECT id FROM raw.zz')", "query_table('raw.zz')", "query_table(['raw.zz', 'raw.y'])"))
def test_a_table_named_in_a_text_is_run_before(project, call):
    project.write({"models/raw/zz.sql": "SELECT 1 AS id", "models/raw/y.sql": "SELECT 1 AS id", "models/m/t.sql": f"SELECT id FROM {call}"})
    project.run("run", code=0)
    models = json.loads(project.run("lineage", "overview", "--json", code=0).out)["models"]
    assert [m["depends"][0] for m in models if m["target"] == "m.t"] == ["raw.zz"]
    project.write({"models/raw/zz.sql": "SELECT 2 AS id"})
    project.run("run", code=0)
    assert project.value("SELECT max(id) FROM m.t") == 2
