"""kill -9, Ctrl-C, full disks and foreign locks: nothing is lost, nothing is half there."""
import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

import pytest

from conftest import PUSH_LIB, ROOT, TIMEOUT_S
from test_push import MERGE, source


def crash_points():
    """Every CP_… that the sources name."""
    names = set()
    for file in (ROOT / "src").rglob("*.c"):
        names |= set(re.findall(r'crash_point\("(CP_[A-Z0-9_]+)"\)', file.read_text()))
    return sorted(names)


FINALIZE = """
def finalize(succeeded, failed):
    pass
"""

DELIVERY = tuple(p for p in crash_points() if p.startswith(("CP_PUSH", "CP_STATE", "CP_LOG")))
RUN = tuple(p for p in crash_points() if p not in DELIVERY and not p.startswith("CP_MAINTAIN"))  # a command of its own


def test_every_part_of_a_run_has_its_crash_points():
    assert {"CP_FETCH_PAGE", "CP_SCHEMA_COMMITTED", "CP_MODEL_BEFORE_COMMIT", "CP_MODEL_COMMITTED"} <= set(RUN)
    assert {"CP_PUSH_CLAIMED", "CP_PUSH_CALLED", "CP_STATE_OUTCOME_COMMITTED", "CP_LOG_COMMITTED"} <= set(DELIVERY)


@pytest.mark.parametrize("point", DELIVERY)
def test_kill_in_push_loses_no_row_and_repeats_only_what_was_in_flight(project, sink, api, point):
    project.write({"lib/crm.star": PUSH_LIB % {"url": api.url, "batch_size": 2, "more": ""} + FINALIZE})
    source(project, [(i, "a") for i in range(7)])
    project.write({"models/sync/t.sql": MERGE})
    project.crash(point)
    before = {b["batch_id"]: b["rows"] for b in sink.batches}
    sent_before = [r["id"] for r in sink.rows]
    sink.forget()
    project.run_json()
    sent_after = [r["id"] for r in sink.rows]
    assert set(sent_before) | set(sent_after) == set(range(7))
    twice = set(sent_before) & set(sent_after)
    assert len(twice) <= 2, "more than the batch in flight was sent twice"
    for batch in sink.batches:
        if {r["id"] for r in batch["rows"]} & twice:
            assert before[batch["batch_id"]] == batch["rows"], "redelivery is not identical"
    sink.forget()
    project.run_json()
    assert sink.batches == []


def test_a_row_that_arrived_before_a_kill_and_then_failed_leaves_no_orphan(project, sink):
    source(project, [(1, "a"), (2, "b")])
    project.write({"models/sync/t.sql": "-- @kind: table\n-- @sink: crm\nSELECT id, v FROM raw.src"})
    project.crash("CP_PUSH_CALLED")
    assert sink.events("id") == [("insert", 1), ("insert", 2)]
    sink.forget()
    sink.status = lambda row: "error: exists already" if row["id"] == 2 else "ok"
    project.run_json(code=1)
    assert sink.events("id") == [("insert", 1), ("insert", 2)]
    sink.forget()
    sink.status = lambda row: "ok"
    source(project, [(1, "a"), (3, "c")])
    project.run_json()
    assert ("delete", 2, "b") in sink.events("id", "v")
    sink.forget()
    project.run_json()
    assert sink.batches == []


def test_a_row_whose_batch_failed_as_a_whole_leaves_no_orphan(project, sink, api):
    source(project, [(1, "a"), (2, "b")])
    project.write({"models/sync/t.sql": "-- @kind: table\n-- @sink: crm\nSELECT id, v FROM raw.src"})
    api.on("POST", "/batch", (500, {"error": "took them, then fell over"}))
    project.run_json(code=1)
    api.on("POST", "/batch", sink.receive)
    source(project, [(1, "a")])
    project.run_json()
    assert sink.events("id", "v") == [("delete", 1, "a"), ("delete", 2, "b"), ("insert", 1, "a")]


def test_a_state_store_of_version_1_is_brought_to_this_one(project, sink):
    source(project, [(1, "a")])
    project.write({"models/sync/t.sql": MERGE})
    sink.status = lambda row: "error: no"
    project.run_json(code=1)
    with contextlib.closing(sqlite3.connect(project.root / ".coypu/state.db")) as db:
        for table in ("failed", "dead"):
            db.execute(f"ALTER TABLE {table} DROP COLUMN may_have_arrived")
        db.execute("DROP TABLE kept_commit")
        db.execute("DROP TABLE run_total")
        db.execute("PRAGMA user_version=1")
        db.commit()
    sink.forget()
    sink.status = lambda row: "ok"
    project.run("run", "--dry-run", code=0)
    runs = json.loads(project.run("stats", "--json", code=0).out)["total_runs"]
    project.run_json()
    assert sink.events("id") == [("insert", 1)]
    assert runs > 0 and json.loads(project.run("stats", "--json", code=0).out)["total_runs"] == 2 * runs


@pytest.mark.parametrize("point", [*RUN, "CP_FETCH_PAGE:2", "CP_MODEL_BEFORE_COMMIT:2", "CP_MODEL_COMMITTED:3"])
def test_kill_while_a_model_runs_converges_on_the_next_run(project, sink, fetch_lib, point):
    fetch_lib.pages("/orders", [[{"id": 1, "v": "a"}, {"id": 2, "v": "b"}], [{"id": 3, "v": "c"}]])
    project.write({"models/raw/src.sql": "-- @kind: append\nSELECT id::BIGINT AS id, v::VARCHAR AS v FROM shop('orders')",
                   "models/mart/total.sql": "SELECT count(*) AS n, sum(id)::BIGINT AS total FROM raw.src",
                   "models/sync/t.sql": MERGE})
    project.crash(point)
    # An append of an unversioned API appends again when its first commit got through: that is its meaning.
    committed = project.sql("select count(*) as n from information_schema.tables where table_schema = 'raw' and table_name = 'src'")
    before = project.value("select count(*) as n from raw.src") if committed[0]["n"] else 0
    assert before in (0, 3)
    fetch_lib.pages("/orders", [[]] if before else [[{"id": 1, "v": "a"}, {"id": 2, "v": "b"}], [{"id": 3, "v": "c"}]])
    project.run_json()
    assert project.sql("select * from mart.total") == [{"n": 3, "total": 6}]
    assert {r["id"] for r in sink.rows} == {1, 2, 3}
    snapshots = project.snapshots()
    fetch_lib.pages("/orders", [[]])
    project.run_json()
    assert project.snapshots() == snapshots


@pytest.mark.parametrize("point", [f"{p}:{n}" for p in ("CP_MODEL_BEFORE_COMMIT", "CP_MODEL_COMMITTED") for n in (1, 2, 3)])
def test_kill_among_tracked_and_scd2_leaves_one_version_of_everything(project, sink, point):
    """The source, then groups and history over it: each is whole or untouched, and the next run makes the rest."""
    source(project, [(1, "a"), (1, "b"), (2, "c"), (3, "d")])
    project.write({"models/sync/g.sql": "-- @kind: tracked\n-- @group_key: id\n-- @sink: crm\nSELECT id, v FROM raw.src",
                   "models/sync/h.sql": "-- @kind: scd2\n-- @unique_key: v\nSELECT id, v FROM raw.src"})
    project.run_json()
    sink.forget()
    source(project, [(1, "a"), (1, "x"), (2, "c")])
    project.crash(point)
    project.run_json()
    assert project.sql("select id, v from sync.g order by all") == [{"id": 1, "v": "a"}, {"id": 1, "v": "x"}, {"id": 2, "v": "c"}]
    assert project.sql("select v, count(*) as n, count(*) filter (where is_current) as open from sync.h group by v order by v") == [
        {"v": v, "n": 1, "open": 0 if v in "bd" else 1} for v in "abcdx"]
    # Only the sink of a crash right behind the commit may have been told already.
    assert set(sink.events("id", "v")) == {("delete", 1, "a"), ("delete", 1, "b"), ("delete", 3, "d"), ("insert", 1, "a"), ("insert", 1, "x")}
    snapshots = project.snapshots()
    sink.forget()
    project.run_json()
    assert project.snapshots() == snapshots and sink.batches == []


def wait_for(condition, what):
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def test_ctrl_c_during_a_hanging_fetch_ends_at_once_with_130(project, fetch_lib):
    project.write({"models/raw/a.sql": "SELECT 1 AS id",
                   "models/raw/orders.sql": "SELECT id::BIGINT AS id FROM shop('orders')"})
    fetch_lib.on("GET", "/orders", (200, fetch_lib.HANG))
    process = project.start("run", "--json")
    wait_for(lambda: fetch_lib.seen("GET"), "the request")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130, out + err
    assert '"interrupted":true' in out
    assert "interrupted" in err or "interrupted" in out
    fetch_lib.pages("/orders", [[{"id": 5}]])
    project.run_json()
    assert project.sql("select id from raw.orders") == [{"id": 5}]


def test_ctrl_c_says_what_was_committed(project, fetch_lib):
    project.write({"models/raw/a.sql": "SELECT 1 AS id",
                   "models/raw/orders.sql": "SELECT id::BIGINT AS id FROM shop('orders')"})
    fetch_lib.on("GET", "/orders", (200, fetch_lib.HANG))
    process = project.start("run")
    wait_for(lambda: fetch_lib.seen("GET"), "the request")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130, out + err
    assert "[OK] raw.a" in out and "Interrupted: what is [OK] above is committed" in out
    assert project.sql("select id from raw.a") == [{"id": 1}]


@pytest.mark.parametrize("workers", [1, 4])
def test_sigterm_during_a_push_keeps_what_was_acknowledged(project, sink, api, workers):
    project.write({"lib/crm.star": PUSH_LIB % {"url": api.url, "batch_size": 2, "more": f', "max_concurrent": {workers}'}})
    rows = 4 * workers + 2
    source(project, [(i, "a") for i in range(rows)])
    project.write({"models/sync/t.sql": MERGE})
    receive, count, hung = sink.receive, [0], {}
    lock = threading.Lock()

    def answer(request):
        with lock:
            count[0] += 1
            if count[0] == 1:
                return receive(request)
            hung[request.json["batch_id"]] = request.json["rows"]
            return 200, api.HANG

    api.on("POST", "/batch", answer)
    process = project.start("run")
    wait_for(lambda: len(hung) >= workers, "the hanging batches")
    process.send_signal(signal.SIGTERM)
    start = time.monotonic()
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130, out + err
    assert time.monotonic() - start < 5, "the workers did not stop promptly"
    assert len(hung) == workers, "a batch was begun after the signal"
    acknowledged = {r["id"] for r in sink.rows}
    assert len(acknowledged) == 2
    log = project.sql("select sync_key from _sync_log where status = 'ok'")
    assert sorted(r["sync_key"] for r in log) == sorted(
        f"{r['__ondatra_rowid']}:{r['__ondatra_change_type']}" for r in sink.rows), "the log lacks what was delivered"
    sink.forget()
    api.on("POST", "/batch", receive)
    project.run_json()
    assert sorted(r["id"] for r in sink.rows) == sorted(set(range(rows)) - acknowledged)
    again = {b["batch_id"]: b["rows"] for b in sink.batches}
    assert {batch_id: again.get(batch_id) for batch_id in hung} == hung, "redelivery is not identical"


def test_a_second_run_names_the_holder_of_the_lock(project, fetch_lib):
    project.write({"models/raw/orders.sql": "SELECT id::BIGINT AS id FROM shop('orders')"})
    fetch_lib.on("GET", "/orders", (200, fetch_lib.HANG))
    process = project.start("run")
    try:
        wait_for(lambda: fetch_lib.seen("GET"), "the request")
        result = project.run("run", code=1)
        assert str(process.pid) in result.err and "lock" in result.err
    finally:
        process.kill()
        process.communicate()
    fetch_lib.pages("/orders", [[{"id": 1}]])
    project.run_json()


def test_a_full_disk_fails_the_model_and_the_next_run_recovers(project):
    """RLIMIT_FSIZE stands for the full disk: a write beyond it fails as ENOSPC would."""
    project.write({"models/raw/big.sql": "SELECT range AS id, md5(range::VARCHAR) AS text, random() AS r FROM range(300000)"})
    from conftest import COYPU
    limited = subprocess.run(["sh", "-c", f'ulimit -f 2000; trap "" XFSZ; exec "{COYPU}" run'], cwd=project.root,
                             env=project.environment(), capture_output=True, text=True, timeout=TIMEOUT_S)
    assert limited.returncode == 1, limited
    assert "raw.big" in limited.stdout + limited.stderr
    tables = project.value("select count(*) as n from information_schema.tables where table_name = 'big'")
    assert tables == 0 or project.value("select count(*) as n from raw.big") == 0
    project.run_json()
    assert project.value("select count(*) as n from raw.big") == 300000


def test_a_lake_folder_without_write_permission_is_named(project):
    project.write({"models/raw/a.sql": "SELECT range AS id FROM range(1000)"})
    (project.root / "lake_data").mkdir()
    if os.getuid() == 0:
        nobody = 65534
        for path in [project.root, *project.root.rglob("*")]:
            os.chown(path, nobody, nobody)
        for parent in project.root.parents:
            if parent == Path("/tmp"):
                break
            parent.chmod(0o755)
        demote = {"user": nobody, "group": nobody, "extra_groups": []}
    else:
        demote = {}
    (project.root / "lake_data").chmod(0o555)
    from conftest import COYPU
    env = project.environment(HOME=str(project.root))

    def run():
        return subprocess.run([COYPU, "run"], cwd=project.root, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, **demote)

    if os.getuid() == 0 and subprocess.run(["test", "-x", COYPU], **demote).returncode != 0:
        pytest.skip("an unprivileged user cannot reach the program under test")
    result = run()
    assert result.returncode == 1, result
    assert "lake_data" in result.stdout + result.stderr and "ermission" in result.stdout + result.stderr
    (project.root / "lake_data").chmod(0o755)
    assert run().returncode == 0


def test_an_interrupted_catalog_reads_back_the_last_commit(project):
    project.write({"models/raw/a.sql": "SELECT 1 AS id"})
    project.run_json()
    process = project.start("run")
    process.kill()
    process.communicate()
    assert project.sql("select id from raw.a") == [{"id": 1}]
