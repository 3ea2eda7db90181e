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


SOURCE = "SELECT * FROM (VALUES {}) t(id)"
KEPT = {"append": "-- @kind: append\n", "merge": "-- @kind: merge\n-- @unique_key: id\n"}


def gather(project, header, query="SELECT id FROM raw.s"):
    """Rows 1 to 4 are in the table, of which the source has 3 and 4, and 5 and 6 besides."""
    project.write({"models/raw/s.sql": SOURCE.format("(1), (2)"), "models/t/a.sql": header + query})
    project.run("run", code=0)
    project.write({"models/raw/s.sql": SOURCE.format("(3), (4)")})
    project.run("run", code=0)
    project.write({"models/raw/s.sql": SOURCE.format("(3), (4), (5), (6)")})


@pytest.mark.parametrize("header", KEPT.values(), ids=KEPT)
@pytest.mark.parametrize("after", [None, "", *KEPT.values(), "-- @kind: scd2\n-- @unique_key: id\n",
                                   "-- @kind: tracked\n-- @group_key: id\n"])
def test_a_backfill_tells_which_kept_rows_go_whatever_comes_instead(project, header, after):
    """As many rows come as go; and the kind may change with the query."""
    gather(project, header)
    after = header if after is None else after
    project.write({"models/t/a.sql": after + "SELECT id FROM raw.s WHERE id > 0"})
    refused = project.run("run", "--no-destructive", code=1)
    line = after.count("\n") + 1
    assert f"ERROR: models/t/a.sql:{line}:1: the backfill would remove 2 rows that the query does not give any more\n" in refused.out
    assert project.value("SELECT list(id ORDER BY id)::VARCHAR AS ids FROM t.a") == "[1, 2, 3, 4]"
    assert project.run_json().models["t.a"]["warnings"] == [
        "the backfill removes 2 rows that the query does not give any more"]
    assert project.value("SELECT list(id ORDER BY id)::VARCHAR AS ids FROM t.a") == "[3, 4, 5, 6]"


@pytest.mark.parametrize("header", KEPT.values(), ids=KEPT)
def test_rows_that_only_gain_columns_or_masks_are_not_lost(project, header):
    project.write({"models/raw/s.sql": "SELECT 1 AS id, 'a' AS name, 1::SMALLINT AS n",
                   "models/t/a.sql": header + "SELECT id, name, n FROM raw.s"})
    project.run("run", code=0)
    for edit in ["SELECT id, name, n, id + 1 AS more FROM raw.s", "-- @column: name = n | mask_email\nSELECT id, name, n FROM raw.s",
                 "SELECT id, name AS title, n::BIGINT AS n FROM raw.s"]:
        project.write({"models/t/a.sql": header + edit})
        warnings = project.run_json().models["t.a"]["warnings"]
        assert not [w for w in warnings if not w.startswith("columns changed: ")], (edit, warnings)
