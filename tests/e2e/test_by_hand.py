"""Tables that somebody drops, makes or fills beside coypu: nothing is lost without a word, nothing stays stale."""
from pathlib import Path

import pytest

from conftest import CATALOG, ROOT

KEYS = {"table": "", "append": "", "merge": "-- @unique_key: id\n", "tracked": "-- @group_key: id\n",
        "scd2": "-- @unique_key: id\n"}
ROWS = [(1, "a"), (2, "b"), (3, "c")]


def by_hand(project, *statements):
    """Statements of another program, DuckDB's own Python package."""
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    for name in ("ducklake", "sqlite_scanner"):
        connection.execute(f"LOAD '{ROOT / 'build/deps/extensions' / name}.duckdb_extension'")
    root = Path(project.root)
    connection.execute(CATALOG.replace("lake.sqlite", f"{root}/lake.sqlite").replace("lake_data/", f"{root}/lake_data/"))
    connection.execute("USE lake")
    for statement in statements:
        connection.execute(statement)
    connection.close()


@pytest.fixture(params=list(KEYS))
def kind(request):
    return request.param


@pytest.fixture
def lake(project):
    by_hand(project, "CREATE SCHEMA ext", "CREATE TABLE ext.src AS FROM (VALUES (1, 'a'), (2, 'b'), (3, 'c')) t(id, v)")
    return project


def model(kind):
    return {"models/m/t.sql": f"-- @kind: {kind}\n{KEYS[kind]}SELECT id, v FROM ext.src\n"}


def current(project, kind):
    where = " WHERE is_current" if kind == "scd2" else ""
    return [(r["id"], r["v"]) for r in project.sql(f"SELECT id, v FROM m.t{where} ORDER BY ALL")]


def test_a_table_that_was_dropped_is_filled_again(lake, kind):
    lake.write(model(kind)).run_json()
    by_hand(lake, "DROP TABLE m.t")
    run = lake.run_json().models["m.t"]
    assert (run["run_type"], run["run_reason"]) == ("backfill", "first run")
    assert current(lake, kind) == ROWS
    assert lake.run_json().models["m.t"]["run_type"] == "skip"


def test_a_crash_between_table_and_rows_leaves_no_model_that_skips(lake, kind):
    lake.write(model(kind)).run_json()
    by_hand(lake, "DROP TABLE m.t")
    lake.crash("CP_SCHEMA_COMMITTED")
    lake.run_json()
    assert current(lake, kind) == ROWS


def test_a_table_that_was_made_anew_is_filled_again(lake, kind):
    lake.write(model(kind)).run_json()
    by_hand(lake, "CREATE OR REPLACE TABLE m.t AS FROM m.t WHERE false")
    assert lake.run_json().models["m.t"]["run_reason"] == "first run"
    assert current(lake, kind) == ROWS


def test_a_comment_or_another_name_and_back_does_not_make_another_table(lake, kind):
    lake.write(model(kind)).run_json()
    by_hand(lake, "COMMENT ON TABLE m.t IS 'mine'", "ALTER TABLE m.t RENAME TO u", "ALTER TABLE m.u RENAME TO t")
    assert lake.run_json().models["m.t"]["run_type"] == "skip"
    assert current(lake, kind) == ROWS


def test_rows_that_the_model_did_not_write_are_replaced_with_a_warning(lake, kind):
    by_hand(lake, "CREATE SCHEMA m", "CREATE TABLE m.t(id INTEGER, v VARCHAR)", "INSERT INTO m.t VALUES (1, 'x'), (9, 'y')")
    lake.write(model(kind))
    refused = lake.run("run", "--no-destructive", code=1)
    assert "2 rows that this model did not write would be replaced" in refused.out + refused.err
    assert lake.value("SELECT count(*) FROM m.t") == 2
    assert lake.run_json().models["m.t"]["warnings"] == ["the table was there before this model: this run replaces the 2 rows in it"]
    assert current(lake, kind) == ROWS
    assert lake.run_json().models["m.t"]["warnings"] == []


EXPIRE = "CALL ducklake_expire_snapshots('lake', older_than => now() + INTERVAL '1 day')"
KEPT = {
    "table": [(2, "B"), (3, "c"), (4, "d")], "append": [(1, "a"), (2, "B"), (2, "b"), (3, "c"), (4, "d")],
    "merge": [(1, "a"), (2, "B"), (3, "c"), (4, "d")],
    "tracked": [(2, "B"), (3, "c"), (4, "d")], "scd2": [(2, "B"), (3, "c"), (4, "d")],
}


@pytest.mark.parametrize("skips", [0, 2])
def test_snapshots_that_another_program_expired_cost_no_rows(lake, kind, skips):
    lake.write(model(kind)).run_json()
    for _ in range(skips):
        lake.run_json()
    by_hand(lake, "DELETE FROM ext.src WHERE id = 1", "UPDATE ext.src SET v = 'B' WHERE id = 2",
            "INSERT INTO ext.src VALUES (4, 'd')", EXPIRE)
    run = lake.run_json().models["m.t"]
    assert (run["run_type"], run["run_reason"]) == ("full" if kind == "table" else "incremental", "missing/invalid depends metadata")
    assert current(lake, kind) == KEPT[kind]
    assert kind != "scd2" or lake.value("SELECT count(*) FROM m.t") == 5
    assert lake.run_json().models["m.t"]["run_type"] == "skip"


def test_a_run_that_finds_its_commit_expired_records_itself(lake, kind):
    lake.write(model(kind)).run_json()
    by_hand(lake, "CREATE TABLE ext.other(id INTEGER)", EXPIRE)
    assert lake.run_json().models["m.t"]["rows_affected"] == 0
    assert lake.run_json().models["m.t"]["run_type"] == "skip"
    assert current(lake, kind) == ROWS
