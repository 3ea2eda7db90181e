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


VERSIONS = "SELECT id, typeof(id) AS type, v, is_current FROM t.h ORDER BY id, valid_from_snapshot"
SCD2 = "-- @kind: scd2\n-- @unique_key: id\n"


def begin_history(project, ids, header=SCD2, query="SELECT * FROM raw.s"):
    """Each key has a closed version 'a' and an open one 'b'."""
    for v in "ab":
        project.write({"models/raw/s.sql": f"SELECT id, '{v}' AS v FROM (VALUES {ids}) t(id)",
                       "models/t/h.sql": header + query})
        project.run("run", code=0)


@pytest.mark.parametrize("directives", ["", "-- @partitioned_by: id\n-- @sorted_by: id\n"])
@pytest.mark.parametrize("rows", [2, 30])  # in the catalog, in files
def test_a_history_survives_another_type_of_its_key(project, directives, rows):
    """Upstream changes it, or the model; and back."""
    ids = ", ".join(f"({i}::BIGINT)" for i in range(1, rows + 1))

    def versions(cast, kind):
        expected = [{"id": cast(i), "type": kind, "v": v, "is_current": v == "b"} for i in range(1, rows + 1) for v in "ab"]
        return sorted(expected, key=lambda row: row["id"])

    begin_history(project, ids, SCD2 + directives)
    assert project.sql(VERSIONS) == versions(int, "BIGINT")
    project.write({"models/raw/s.sql": f"SELECT id, 'b' AS v FROM (VALUES {ids.replace('BIGINT', 'SMALLINT')}) t(id)"})
    project.run("run", "raw.s", code=0)
    model = project.run_json("t.h", "--no-destructive").models["t.h"]
    assert model["warnings"] == ["columns changed: id: BIGINT → SMALLINT"] and model["run_reason"] == "key type changed"
    assert model["rows_affected"] == 0 and project.sql(VERSIONS) == versions(int, "SMALLINT")
    project.write({"models/t/h.sql": SCD2 + directives + "SELECT id::VARCHAR AS id, v FROM raw.s"})
    assert project.run_json().models["t.h"]["warnings"] == ["columns changed: id: SMALLINT → VARCHAR"]
    assert sorted(project.sql(VERSIONS), key=lambda r: (r["id"], r["v"])) == versions(str, "VARCHAR")
    # And changes of the same run are versions like any others.
    project.write({"models/t/h.sql": SCD2 + "SELECT id, v FROM raw.s",
                   "models/raw/s.sql": f"SELECT id, 'c' AS v FROM (VALUES {ids}) t(id) WHERE id > 1"})
    assert project.run_json().models["t.h"]["rows_affected"] == rows
    assert project.sql("SELECT v, is_current, count(*) AS n, count(DISTINCT id) AS ids FROM t.h GROUP BY ALL ORDER BY ALL") == [
        {"v": "a", "is_current": False, "n": rows, "ids": rows}, {"v": "b", "is_current": False, "n": rows, "ids": rows},
        {"v": "c", "is_current": True, "n": rows - 1, "ids": rows - 1}]
    assert project.value("SELECT count(DISTINCT rowid) AS n FROM t.h") == 3 * rows - 1
    assert project.run_json().models["t.h"]["status"] == "skip"


@pytest.mark.parametrize("ids, kind, why", [
    ("('1'), ('x'), ('yy')", "INTEGER", "and 2 values in the history cannot be converted, such as x, yy"),
    ("('1'), ('70000')", "SMALLINT", "and 1 value in the history cannot be converted, such as 70000"),
    ("('7'), ('007')", "INTEGER", "which makes one of different values in the history: 007 and 7"),
    ("('7')", "STRUCT(a INTEGER)", "and 1 value in the history cannot be converted, such as 7"),
])
def test_a_history_whose_keys_have_no_place_in_the_new_type_is_not_given_up(project, ids, kind, why):
    begin_history(project, ids)
    new = "{'a': 1}" if kind.startswith("STRUCT") else f"1::{kind}"
    project.write({"models/t/h.sql": SCD2 + f"SELECT DISTINCT {new} AS id, v FROM raw.s"})
    before = project.sql(VERSIONS)
    result = project.run("run", code=1)
    assert f"""  ERROR: models/t/h.sql:2:17: the key "id" changes from VARCHAR to {kind}, {why}
    -- @unique_key: id
                    ^
    hint: keep the type, or let `coypu run t.h --full-refresh` drop the history and begin a new one
""" in result.out, result
    assert project.sql(VERSIONS) == before
    warnings = project.run_json("t.h", "--full-refresh").models["t.h"]["warnings"]
    assert f"this run drops {ids.count('(')} historical version{'s' * (ids.count('(') > 1)}" in warnings
    assert project.value("SELECT count(*) AS n FROM t.h") == 1
