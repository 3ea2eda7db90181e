"""Columns that change: what becomes of the table, its rows and its history (models.md §7)."""
import sqlite3

import pytest


@pytest.mark.parametrize("before, after", [("1 AS a", "'x' AS a"), ("1 AS b, 1 AS a", "'x' AS a"),
                                           ("1 AS a", "'x' AS a, 'y' AS b")])
@pytest.mark.parametrize("header", ["", "-- @kind: append\n", "-- @kind: merge\n-- @unique_key: a\n",
                                    "-- @kind: tracked\n-- @group_key: a\n"])
def test_every_column_can_change_its_type(project, header, before, after):
    """Also the only one: a table is never without a column."""
    project.write({"models/raw/t.sql": f"{header}SELECT {before}"})
    project.run("run", code=0)
    project.write({"models/raw/t.sql": f"{header}SELECT {after}"})
    snapshots = project.snapshots()
    assert project.run_json().models["raw.t"]["status"] == "ok"
    columns = after.replace("'x' AS ", "").replace("'y' AS ", "")
    assert project.sql(f"SELECT {columns} FROM raw.t") == project.sql(f"SELECT {after}")
    assert project.snapshots() == snapshots + 1
    assert project.run_json().models["raw.t"]["status"] == "skip"
    with sqlite3.connect(project.root / "lake.sqlite") as db:
        names = {row[0] for row in db.execute("SELECT column_name FROM ducklake_column")}
    assert not [name for name in names if name.startswith("__ondatra")]


def test_the_sink_sees_a_retyped_column_as_its_new_rows(project, sink):
    project.write({"models/raw/t.sql": "-- @sink: crm\nSELECT * FROM (VALUES (1), (2)) t(a)"})
    project.run("run", code=0)
    sink.forget()
    project.write({"models/raw/t.sql": "-- @sink: crm\nSELECT * FROM (VALUES ('x'), ('y')) t(a)"})
    project.run("run", code=0)
    assert sorted(e for e in sink.events("a") if e[0] == "insert") == [("insert", "x"), ("insert", "y")]
    assert len(sink.rows) == 4
