"""coypu push: deliveries looked at and mended by hand (libs.md §7.6)."""
import fcntl
import json

import pytest
from golden import check

MODEL = "-- @kind: merge\n-- @unique_key: id\n-- @sink: crm\nSELECT id, v FROM raw.a"


@pytest.fixture
def pushed(project, sink):
    """sync.s delivered rows 0 … 3; row 1 failed, row 2 was given up."""
    sink.status = lambda row: "error: busy" if row["id"] == 1 else "reject: no such id" if row["id"] == 2 else "ok"
    project.write({"models/raw/a.sql": "SELECT i AS id, i * 10 AS v FROM range(4) t(i)", "models/sync/s.sql": MODEL})
    project.run("run", code=1)
    sink.status = lambda row: "ok"
    sink.forget()
    return project


def status(project, *args):
    return json.loads(project.run("push", "status", *args, "--json", code=0).out)


def test_status_tells_what_waits(pushed):
    answer = status(pushed)
    assert list(answer) == ["schema_version", "current_snapshot", "sinks", "warnings"]
    (s,) = answer["sinks"]
    assert (s["model"], s["sink"], s["pending"], s["in_flight"], s["failed"], s["dead"]) == ("sync.s", "crm", 0, 0, 1, 1)
    assert s["last_error"] == "busy" and s["watermark"] <= answer["current_snapshot"]
    check("push_status", pushed.run("push", "status", "sync.s", code=0).out)


def test_status_counts_what_was_committed_and_not_delivered(pushed, sink):
    pushed.write({"models/raw/a.sql": "SELECT i AS id, i * 20 AS v FROM range(6) t(i)"})
    pushed.crash("CP_PUSH_BEFORE_RANGE")
    (s,) = status(pushed)["sinks"]
    assert (s["pending"], s["inserts"], s["updates"]) == (5, 2, 3)
    assert pushed.run("push", "retry", "sync.s", code=0).out.startswith("push crm: ")
    (s,) = status(pushed)["sinks"]
    assert (s["pending"], s["failed"]) == (0, 0)
    assert {r["id"] for r in sink.rows} == {1, 2, 3, 4, 5}


def test_status_counts_a_batch_in_flight_once(pushed, sink):
    pushed.write({"models/raw/a.sql": "SELECT i AS id, i * 20 AS v FROM range(6) t(i)"})
    pushed.crash("CP_PUSH_CLAIMED")
    (s,) = status(pushed)["sinks"]
    assert s["pending"] + s["in_flight"] + s["failed"] >= 5


def test_status_before_the_first_run(project, sink):
    project.write({"models/raw/a.sql": "SELECT 1 AS id, 2 AS v", "models/sync/s.sql": MODEL})
    (s,) = status(project)["sinks"]
    assert (s["pending"], s["watermark"], s["last_error"]) == (0, None, None)
    assert not (project.root / ".coypu").exists()


def test_status_without_sinks(project):
    assert project.run("push", "status", code=0).out == "no model has a sink\n"


def test_status_keeps_showing_a_sink_without_its_model(pushed):
    (pushed.root / "models/sync/s.sql").unlink()
    (s,) = status(pushed)["sinks"]
    assert not s["has_model"] and s["pending"] is None and s["failed"] == 1


def test_retry_delivers_without_materialising(pushed, sink):
    before = len(json.loads(pushed.run("history", "--json", code=0).out)["runs"])
    answer = pushed.run("push", "retry", "sync.s", "--json", code=0).lines[0]
    assert answer["model"] == "sync.s" and answer["push"]["ok"] == 1
    assert sink.events("id", "v") == [("insert", 1, 10)]
    assert len(json.loads(pushed.run("history", "--json", code=0).out)["runs"]) == before
    assert pushed.run("push", "retry", "sync.s", code=0).out == "push crm: nothing to deliver\n"


def test_retry_fails_when_rows_stay(pushed, sink):
    sink.status = lambda row: "error: still busy"
    result = pushed.run("push", "retry", "sync.s", code=1)
    assert "1 failed (pending)" in result.out and "still busy" in result.out


def test_dead_letters_are_listed_requeued_and_dropped(pushed, sink):
    answer = json.loads(pushed.run("push", "dead", "sync.s", "--json", code=0).out)
    (row,) = answer["rows"]
    assert (row["change_type"], row["keys"], row["message"]) == ("insert", {"id": "2"}, "no such id") or \
        (row["change_type"], row["keys"], row["message"]) == ("insert", {"id": 2}, "no such id")
    assert row["row"]["v"] in (20, "20") and row["attempts"] == 1
    check("push_dead", pushed.run("push", "dead", "sync.s", code=0).out)
    assert pushed.run("push", "dead", "sync.s", "--requeue", code=0).out == "1 row requeued of sync.s to crm\n"
    pushed.run("push", "retry", "sync.s", code=0)
    assert {r["id"] for r in sink.rows} == {1, 2}
    assert pushed.run("push", "dead", "sync.s", code=0).out == "no dead letters of sync.s\n"


def test_dropped_dead_letters_are_gone(pushed, sink):
    assert json.loads(pushed.run("push", "dead", "sync.s", "--drop", "--json", code=0).out)["dropped"] == 1
    pushed.run("push", "retry", "sync.s", code=0)
    assert {r["id"] for r in sink.rows} == {1}


def test_replay_sends_every_row_as_insert(pushed, sink):
    pushed.run("push", "replay", "sync.s", code=0)
    assert sink.events("id") == [("insert", i) for i in range(4)]
    assert status(pushed)["sinks"][0]["failed"] == 0


def test_replay_from_a_snapshot_sends_the_changes_since(pushed, sink):
    pushed.run("push", "retry", "sync.s", code=0)
    before = status(pushed)["sinks"][0]["watermark"]
    pushed.write({"models/raw/a.sql": "SELECT i AS id, i * 10 AS v FROM range(5) t(i)"})
    pushed.run("run", code=0)
    sink.forget()
    pushed.run("push", "replay", "sync.s", "--from", str(before), code=0)
    assert sink.events("id") == [("insert", 4)]
    result = pushed.run("push", "replay", "sync.s", "--from", "9999", code=1)
    assert "there is no snapshot 9999: the lake has" in result.err


def test_replay_never_passes_over_what_was_not_delivered(pushed, sink):
    pushed.write({"models/raw/a.sql": "SELECT i AS id, i * 10 AS v FROM range(5) t(i)"})
    pushed.crash("CP_PUSH_BEFORE_RANGE")
    current = status(pushed)["current_snapshot"]
    pushed.run("push", "replay", "sync.s", "--from", str(current), code=0)
    assert 4 in {r["id"] for r in sink.rows}


def test_reset_forgets_what_waits(pushed, sink):
    result = pushed.run("push", "reset", "sync.s", code=2)
    assert "say --yes" in result.err and status(pushed)["sinks"][0]["failed"] == 1
    assert pushed.run("push", "reset", "sync.s", "--yes", code=0).out == "1 row forgotten of sync.s to crm\n"
    (s,) = status(pushed)["sinks"]
    assert (s["failed"], s["dead"]) == (0, 1) and s["watermark"] == status(pushed)["current_snapshot"]
    pushed.run("run", code=0)
    assert sink.rows == []


def test_mending_waits_for_no_run(pushed):
    with open(pushed.root / ".coypu/run.lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for words in (["reset", "sync.s", "--yes"], ["dead", "sync.s", "--drop"], ["replay", "sync.s"]):
            assert "another run holds this project" in pushed.run("push", *words, code=1).err
        pushed.run("push", "status", code=0)


def test_wrong_usage(pushed):
    for words, message in [
            (["stat"], 'push has no action "stat"'), (["retry"], "push retry needs a model"),
            (["status", "--yes"], "push status does not take --yes"),
            (["replay", "sync.s", "--from", "x"], "--from takes a whole number"),
            (["dead", "sync.s", "--drop", "--requeue"], "not both")]:
        assert message in pushed.run("push", *words, code=2).err, words
    assert "raw.a has no sink" in pushed.run("push", "reset", "raw.a", "--yes", code=1).err
    assert "no model makes sync.x" in pushed.run("push", "retry", "sync.x", code=1).err
