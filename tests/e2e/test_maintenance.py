"""Maintenance: the scripts of sql/, and that expiry breaks neither planning nor delivery."""
import fcntl
import json

import pytest
from golden import check

EXPIRE_ALL = "CALL ducklake_expire_snapshots('{{catalog}}', older_than => now() + INTERVAL '1 day');\n"
MERGE = "-- @kind: merge\n-- @unique_key: id\n"


def kinds(result):
    return {m["model"]: (m["run_type"], m.get("run_reason")) for m in result.models.values()}


@pytest.fixture
def lake(project):
    """A project with a model of several kinds, run twice, so that there is history to expire."""
    project.write({
        "sql/expire.sql": EXPIRE_ALL,
        "data.csv": "id,v\n1,10\n2,20\n",
        "models/raw/csv.sql": "SELECT id, v FROM read_csv('data.csv')",
        "models/raw/fixed.sql": "SELECT i AS id, i * 10 AS v FROM range(5) t(i)",
        "models/mart/m.sql": MERGE + "SELECT id, v FROM raw.csv",
        "models/mart/a.sql": "-- @kind: append\nSELECT id, v FROM raw.csv",
        "models/mart/t.sql": "SELECT sum(v) AS total FROM mart.m",
    })
    project.run_json()
    return project


def test_every_built_in_script_runs_and_reports_each_statement(lake):
    for path in (lake.root / "sql").iterdir():
        path.unlink()
    for name, statements in [("flush", 1), ("expire", 1), ("merge", 1), ("rewrite", 1), ("cleanup", 1),
                             ("orphaned", 1), ("checkpoint", 6)]:
        lines = lake.run(name, "--json", code=0).lines
        assert len(lines) == statements, lines
        assert all(line["status"] == "ok" and line["kind"] == "maintenance" and line["script"] == name for line in lines)
    assert lake.value("select count(*) as n from mart.m") == 2


def test_text_output(lake):
    lake.write({"sql/nightly.sql": "-- one after another\nSELECT 1 AS one,\n    'a' AS two;\nSET VARIABLE x = 1;\n"})
    check("maintenance", lake.run("nightly", code=0).out)


def test_any_script_is_a_command(lake):
    lake.write({"sql/night-ly.sql": "SELECT 1 AS one;\n-- a comment\nSELECT ${NUMBER} AS two, '{{catalog}}' AS lake;\n"})
    lines = lake.run("night-ly", "--json", code=0, NUMBER="2").lines
    assert [line["rows"] for line in lines] == [[{"one": 1}], [{"two": 2, "lake": "lake"}]]
    assert "Runs sql/night-ly.sql" in lake.run("night-ly", "--help", code=0).out


def test_a_script_stops_at_its_first_error(lake):
    lake.write({"sql/bad.sql": "SELECT 1 AS one;\nSELECT nope FROM nowhere;\nSELECT 3;\n"})
    result = lake.run("bad", code=1)
    assert "[OK] SELECT 1 AS one" in result.out and "SELECT 3" not in result.out
    assert result.err.startswith("sql/bad.sql:2:")


def test_wrong_usage(lake):
    assert 'there is no command "nightly"' in lake.run("nightly", code=2).err
    assert "maintenance touches the real catalog" in lake.run("expire", "sandbox", code=2).err
    assert "does not take the argument" in lake.run("expire", "x", code=2).err


def test_maintenance_takes_the_run_lock(lake):
    with open(lake.root / ".coypu/run.lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another run holds this project" in lake.run("expire", code=1).err


def test_after_expiry_nothing_is_rebuilt(lake):
    snapshots = lake.snapshots()
    lake.run("expire", code=0)
    assert lake.snapshots() == 1 < snapshots
    result = lake.run_json()
    assert {m: k[0] for m, k in kinds(result).items()} == {
        "raw.csv": "skip", "raw.fixed": "skip", "mart.m": "skip", "mart.a": "skip", "mart.t": "skip"}, kinds(result)
    assert lake.snapshots() == 1
    # … and again, when the commits are long gone and the log has seen many runs.
    for _ in range(6):
        assert {k[0] for k in kinds(lake.run_json()).values()} == {"skip"}


def test_after_expiry_a_change_is_seen(lake):
    lake.run("expire", code=0)
    lake.write({"data.csv": "id,v\n1,11\n2,20\n3,30\n"})
    result = kinds(lake.run_json())
    assert result["raw.csv"] == ("full", "file changed: data.csv")
    assert lake.sql("select * from mart.m order by id") == [{"id": 1, "v": 11}, {"id": 2, "v": 20}, {"id": 3, "v": 30}]
    assert lake.value("select total from mart.t") == 61
    assert result["raw.fixed"][0] == "skip"


def test_after_expiry_a_definition_change_is_seen(lake):
    lake.run("expire", code=0)
    lake.write({"models/mart/t.sql": "SELECT sum(v) + 1 AS total FROM mart.m"})
    assert kinds(lake.run_json())["mart.t"] == ("backfill", "sql changed")
    assert lake.value("select total from mart.t") == 31


def test_a_lost_delta_base_is_a_full_run_never_no_change(lake):
    """raw.csv changed and mart.* have not seen it when its snapshots go."""
    lake.write({"data.csv": "id,v\n1,11\n2,20\n"})
    lake.run("run", "raw.csv", code=0)
    lake.write({"data.csv": "id,v\n1,11\n2,20\n3,30\n"})
    lake.run("run", "raw.csv", code=0)
    lake.run("expire", code=0)
    result = kinds(lake.run_json())
    assert result["mart.m"][0] == "incremental" and result["mart.a"][0] == "incremental"
    assert lake.sql("select * from mart.m order by id") == [{"id": 1, "v": 11}, {"id": 2, "v": 20}, {"id": 3, "v": 30}]
    assert lake.value("select total from mart.t") == 61


def test_a_table_made_again_after_expiry_is_a_first_run(lake):
    lake.run("expire", code=0)
    lake.write({"sql/drop.sql": "DROP TABLE mart.a;\nCREATE TABLE mart.a(id BIGINT, v BIGINT);\n"})
    lake.run("drop", code=0)
    assert kinds(lake.run_json())["mart.a"] == ("backfill", "first run")
    assert lake.value("select count(*) as n from mart.a") == 2


def test_without_the_state_store_expired_models_are_first_runs(lake):
    lake.run("expire", code=0)
    for path in (lake.root / ".coypu").glob("state.db*"):
        path.unlink()
    assert "skip" not in {k[0] for k in kinds(lake.run_json()).values()}
    assert lake.value("select total from mart.t") == 30 and lake.value("select count(*) as n from mart.a") == 2


def test_history_outlives_expiry(lake):
    before = json.loads(lake.run("history", "--json", code=0).out)["runs"]
    lake.run("expire", code=0)
    after = json.loads(lake.run("history", "--json", code=0).out)["runs"]
    assert [(r["model"], r["run_id"], r["id"]) for r in after] == [(r["model"], r["run_id"], r["id"]) for r in before]


# ── Deliveries ──

@pytest.fixture
def pushing(project, sink):
    project.write({
        "sql/expire.sql": EXPIRE_ALL,
        "data.csv": "id,v\n1,10\n2,20\n3,30\n4,40\n",
        "models/raw/csv.sql": "SELECT id, v FROM read_csv('data.csv')",
        "models/sync/t.sql": "-- @sink: crm\nSELECT id, v FROM raw.csv",
        "models/raw/other.sql": "SELECT * FROM read_csv('other.csv')",
        "other.csv": "x\n1\n",
    })
    return project


def expire_all(project):
    project.run("expire", code=0)
    assert project.snapshots() == 1


def test_what_was_delivered_is_not_sent_again(pushing, sink):
    pushing.run_json()
    pushing.write({"other.csv": "x\n2\n"})
    pushing.run_json()
    sink.forget()
    expire_all(pushing)
    assert pushing.run_json().models["sync.t"]["run_type"] == "skip"
    assert sink.rows == []


def test_commits_of_the_script_itself_do_not_lose_the_watermark(pushing, sink):
    pushing.write({"sql/expire.sql": "CREATE TABLE main.a(x INTEGER);\nCREATE TABLE main.b(x INTEGER);\n" + EXPIRE_ALL})
    pushing.run_json()
    sink.forget()
    expire_all(pushing)
    pushing.run_json()
    assert sink.rows == []


def test_failed_deletes_keep_their_values(pushing, sink):
    pushing.run_json()
    sink.forget()
    sink.status = lambda row: "error: busy"
    pushing.write({"data.csv": "id,v\n1,10\n2,20\n5,50\n"})
    pushing.run_json(code=1)
    expected = sink.events("id", "v")
    assert ("delete", 4, 40) in expected
    sink.status = lambda row: "ok"
    sink.forget()
    expire_all(pushing)
    pushing.run_json()
    assert sink.events("id", "v") == expected


def test_changes_that_were_never_claimed_are_delivered_with_their_values(pushing, sink):
    pushing.run_json()
    sink.forget()
    pushing.write({"data.csv": "id,v\n1,10\n2,21\n5,50\n"})
    pushing.crash("CP_PUSH_BEFORE_RANGE")
    expire_all(pushing)
    pushing.run_json()
    assert sink.events("id", "v") == sorted(
        [("delete", 1, 10), ("delete", 2, 20), ("delete", 3, 30), ("delete", 4, 40),
         ("insert", 1, 10), ("insert", 2, 21), ("insert", 5, 50)])
    sink.forget()
    pushing.run_json()
    assert sink.rows == []


@pytest.mark.parametrize("point", ["CP_PUSH_RANGE_OPENED", "CP_PUSH_CLAIMED", "CP_STATE_OUTCOME_COMMITTED:2"])
def test_a_range_left_open_by_a_crash_is_delivered(pushing, sink, point):
    pushing.run_json()
    sink.forget()
    pushing.write({"data.csv": "id,v\n1,10\n2,21\n5,50\n"})
    pushing.crash(point)
    before = [b["batch_id"] for b in sink.batches]
    expire_all(pushing)
    pushing.run_json()
    assert set(sink.events("id", "v")) == {
        ("delete", 1, 10), ("delete", 2, 20), ("delete", 3, 30), ("delete", 4, 40),
        ("insert", 1, 10), ("insert", 2, 21), ("insert", 5, 50)}
    keys = [(r["__ondatra_rowid"], r["__ondatra_change_type"]) for r in sink.rows]
    assert len(keys) - len(set(keys)) <= 2, "only what was in flight may come twice"
    assert len(before) <= 2


def test_a_batch_in_flight_keeps_its_id(pushing, sink):
    pushing.run_json()
    sink.forget()
    pushing.write({"data.csv": "id,v\n1,10\n2,21\n5,50\n"})
    pushing.crash("CP_PUSH_BEFORE_OUTCOME:2")
    sent = {b["batch_id"]: b["rows"] for b in sink.batches}
    assert sent
    sink.forget()
    expire_all(pushing)
    pushing.run_json()
    again = {b["batch_id"]: b["rows"] for b in sink.batches}
    common = set(sent) & set(again)
    assert common, (sent.keys(), again.keys())
    for batch_id in common:
        without = lambda rows: sorted((r["__ondatra_rowid"], r["__ondatra_change_type"], r["id"], r["v"]) for r in rows)
        assert without(sent[batch_id]) == without(again[batch_id])


def test_updates_keep_their_values_before(pushing, sink):
    pushing.write({"models/sync/t.sql": MERGE + "-- @sink: crm\nSELECT id, v FROM raw.csv"})
    pushing.run_json()
    sink.forget()
    pushing.write({"data.csv": "id,v\n1,10\n2,22\n3,30\n4,40\n"})
    pushing.crash("CP_PUSH_BEFORE_RANGE")
    expire_all(pushing)
    pushing.write({"data.csv": "id,v\n1,10\n2,23\n3,30\n4,40\n"})
    pushing.run_json()
    assert sink.events("id", "v") == [("update_postimage", 2, 23), ("update_preimage", 2, 20)]


def test_killed_between_keeping_and_expiring(pushing, sink):
    pushing.run_json()
    sink.forget()
    pushing.write({"data.csv": "id,v\n1,10\n2,21\n5,50\n"})
    pushing.crash("CP_PUSH_BEFORE_RANGE")
    assert pushing.run("expire", COYPU_CRASH_AT="CP_MAINTAIN_KEPT").code < 0
    expire_all(pushing)
    pushing.run_json()
    assert len(sink.rows) == 7 and len({b["batch_id"] for b in sink.batches}) == len(sink.batches)


def test_dead_letters_and_status_after_expiry(pushing, sink):
    pushing.run_json()
    expire_all(pushing)
    (s,) = json.loads(pushing.run("push", "status", "--json", code=0).out)["sinks"]
    assert (s["pending"], s["failed"]) == (0, 0)
