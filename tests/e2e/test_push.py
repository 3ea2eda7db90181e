"""@sink: changed rows go out once (libs.md §6, §7)."""
import json
import threading
import time

import pytest

from conftest import PUSH_LIB

MERGE = "-- @kind: merge\n-- @unique_key: id\n-- @sink: crm\nSELECT id, v FROM raw.src"


def source(project, rows):
    values = ", ".join(f"({i}, '{v}')" for i, v in rows)
    project.write({"models/raw/src.sql": f"SELECT id::BIGINT AS id, v::VARCHAR AS v FROM (VALUES {values}) t(id, v)"})


def pushed(result, model="sync.t"):
    return result.models[model]["push"]


def test_first_run_sends_every_row_as_insert_later_runs_only_what_changed(project, sink):
    source(project, [(1, "a"), (2, "b"), (3, "c")])
    project.write({"models/sync/t.sql": MERGE})
    assert pushed(project.run_json())["ok"] == 3
    assert sink.events("id", "v") == [("insert", 1, "a"), ("insert", 2, "b"), ("insert", 3, "c")]
    assert [len(b["rows"]) for b in sink.batches] == [2, 1]
    sink.forget()
    source(project, [(1, "a"), (2, "B"), (3, "c"), (4, "d")])
    project.run_json()
    assert sink.events("id", "v") == [("insert", 4, "d"), ("update_postimage", 2, "B"), ("update_preimage", 2, "b")]
    pair = next(b for b in sink.batches if any(r["__ondatra_change_type"] == "update_preimage" for r in b["rows"]))
    assert [r["__ondatra_change_type"] for r in pair["rows"]] == ["update_preimage", "update_postimage"]
    sink.forget()
    snapshots = project.snapshots()
    project.run_json()
    assert sink.batches == [] and project.snapshots() == snapshots


def test_append_sends_only_inserts(project, sink):
    source(project, [(1, "a")])
    project.write({"models/sync/t.sql": "-- @kind: append\n-- @sink: crm\nSELECT id, v FROM raw.src"})
    project.run_json()
    source(project, [(1, "a"), (2, "b")])
    project.run_json()
    assert sink.events("id") == [("insert", 1), ("insert", 2)]


def test_table_sends_every_row_again_when_anything_differs(project, sink):
    source(project, [(1, "a"), (2, "b")])
    project.write({"models/sync/t.sql": "-- @kind: table\n-- @sink: crm\nSELECT id, v FROM raw.src"})
    project.run_json()
    sink.forget()
    source(project, [(1, "a"), (2, "B")])
    project.run_json()
    assert sink.events("id", "v") == [("delete", 1, "a"), ("delete", 2, "b"), ("insert", 1, "a"), ("insert", 2, "B")]
    sink.forget()
    project.run_json()
    assert sink.batches == []


def test_push_is_an_alias_of_sink_with_typed_columns(project, api, sink):
    project.write({"lib/crm.star": '''
API = {"base_url": "%s", "push": {"args": ["list", "mode"], "batch_size": 10}}

def push(rows, columns, list, key_columns, kind, mode = "fast"):
    http.post("/meta", json = {"columns": columns, "list": list, "keys": key_columns, "kind": kind, "mode": mode})
    return {str(r["__ondatra_rowid"]) + ":" + r["__ondatra_change_type"]: "ok" for r in rows}
''' % api.url, "models/raw/src.sql": "SELECT 1::BIGINT AS id, 'x'::VARCHAR AS v"})
    api.on("POST", "/meta", (200, {}))
    project.write({"models/sync/t.sql": "-- @kind: merge\n-- @unique_key: id\n-- @push: crm('it''s')\n"
                                        "SELECT id::BIGINT AS id, v::VARCHAR AS v FROM raw.src"})
    project.run_json()
    assert api.seen("POST", "/meta")[0].json == {
        "columns": [{"name": "id", "type": "BIGINT"}, {"name": "v", "type": "VARCHAR"}],
        "list": "it's", "keys": ["id"], "kind": "merge", "mode": "fast"}


STATUSES = {
    "ok": "ok", "okay: fine": "failed", "ok: created": "ok", "warn: odd": "warned", "error: no": "failed",
    "retry: later": "failed", "exists": "warned", "not_found": "warned", "reject: never": "rejected", "what?": "failed",
}


@pytest.mark.parametrize("status", STATUSES)
def test_status_of_a_row(project, sink, status):
    source(project, [(1, "a")])
    project.write({"models/sync/t.sql": MERGE})
    sink.status = lambda row: status
    kind = STATUSES[status]
    summary = pushed(project.run_json(code=1 if kind in ("failed", "rejected") else 0))
    assert {k: summary[k] for k in ("ok", "warned", "failed", "rejected")} == {
        **dict.fromkeys(("ok", "warned", "failed", "rejected"), 0), kind: 1}
    sink.forget()
    sink.status = lambda row: "ok"
    project.run_json()
    assert len(sink.rows) == (1 if kind == "failed" else 0)


def test_failed_rows_are_retried_on_the_next_run_with_the_latest_values(project, sink):
    source(project, [(1, "a"), (2, "b"), (3, "c")])
    project.write({"models/sync/t.sql": MERGE})
    sink.status = lambda row: "error: 429 slow down" if row["id"] == 2 else "ok"
    result = project.run("run", code=1)
    assert "push crm: 2 ok, 1 failed (pending)" in result.out + result.err
    assert "429 slow down" in result.out + result.err and "id=2" in result.out + result.err
    sink.forget()
    sink.status = lambda row: "ok"
    source(project, [(1, "a"), (2, "newer"), (3, "c")])
    project.run_json()
    assert sink.events("id", "v") == [("insert", 2, "newer")]
    sink.forget()
    project.run_json()
    assert sink.batches == []


@pytest.mark.parametrize("folder, file", [("sync", "T"), ("Sync", "t")])
def test_a_model_whose_name_changes_its_letter_case_stays_the_same(project, sink, folder, file):
    source(project, [(1, "a"), (2, "b"), (3, "c")])
    project.write({"models/sync/t.sql": MERGE})
    sink.status = lambda row: "error: 429 slow down" if row["id"] == 2 else "ok"
    project.run("run", code=1)
    (project.root / "models/sync/t.sql").unlink()
    (project.root / "models/sync").rmdir()
    project.write({f"models/{folder}/{file}.sql": MERGE})
    sink.forget()
    (waiting,) = json.loads(project.run("push", "status", "--json", code=0).out)["sinks"]
    assert (waiting["model"], waiting["failed"], waiting["pending"]) == (f"{folder}.{file}", 1, 0)
    sink.status = lambda row: "ok"
    project.run_json()
    assert sink.events("id", "v") == [("insert", 2, "b")]
    sink.forget()
    project.run_json()
    assert sink.batches == []
    (done,) = json.loads(project.run("push", "status", f"{folder}.{file}", "--json", code=0).out)["sinks"]
    assert (done["model"], done["failed"]) == (f"{folder}.{file}", 0)


def test_each_row_is_attempted_once_a_run(project, sink):
    source(project, [(i, "a") for i in range(9)])
    project.write({"models/sync/t.sql": MERGE})
    sink.status = lambda row: "error: always"
    for _ in range(3):
        sink.forget()
        project.run_json(code=1)
        assert sorted(r["id"] for r in sink.rows) == list(range(9))


def test_missing_and_unknown_keys_in_the_answer(project, sink, api):
    source(project, [(1, "a"), (2, "b")])
    project.write({"models/sync/t.sql": MERGE})
    api.on("POST", "/batch", lambda r: (200, {f"{r.json['rows'][0]['__ondatra_rowid']}:insert": "ok", "999:insert": "ok"}))
    result = project.run_json(code=1)
    assert (pushed(result)["ok"], pushed(result)["failed"]) == (1, 1)
    assert "no status returned" in pushed(result)["errors"][0]["message"]


@pytest.mark.parametrize("answer", [None, [], {}, 3])
def test_an_answer_that_is_no_status_dict_fails_the_batch(project, sink, api, answer):
    source(project, [(1, "a"), (2, "b")])
    project.write({"models/sync/t.sql": MERGE})
    api.on("POST", "/batch", (200, answer))
    result = project.run_json(code=1)
    assert pushed(result)["failed"] == 2
    assert "sync mode needs a status dict" in pushed(result)["errors"][0]["message"]


def test_five_failed_batches_in_a_row_stop_the_run(project, sink, api):
    source(project, [(i, "a") for i in range(30)])
    project.write({"models/sync/t.sql": MERGE})
    api.on("POST", "/batch", (500, {"error": "down"}))
    result = project.run("run", code=1)
    assert len(api.seen("POST")) == 5
    assert "stopped after 5 failed batches, 30 rows still pending" in result.out + result.err
    Sinks = type(sink)(api)
    project.run_json()
    assert sorted(r["id"] for r in Sinks.rows) == list(range(30))


def test_push_failure_does_not_stop_dependents_and_exits_1(project, sink, api):
    source(project, [(1, "a")])
    project.write({"models/sync/t.sql": MERGE, "models/mart/after.sql": "SELECT id FROM sync.t"})
    api.on("POST", "/batch", (500, {}))
    models = project.run_json(code=1).models
    assert models["sync.t"]["status"] == "ok" and models["mart.after"]["status"] == "ok"
    assert project.value("select count(*) as n from mart.after") == 1
    project.run_json(code=0, COYPU_PUSH_FAIL_OK="1")


def test_workers_run_in_parallel_and_every_row_arrives_once(project, sink, api):
    project.write({"lib/crm.star": PUSH_LIB % {"url": api.url, "batch_size": 5, "more": ', "max_concurrent": 4'}})
    lock, running, most = threading.Lock(), [0], [0]
    receive = sink.receive

    def slow(request):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.05)
        with lock:
            running[0] -= 1
            return receive(request)

    api.on("POST", "/batch", slow)
    source(project, [(i, "a") for i in range(100)])
    project.write({"models/sync/t.sql": MERGE})
    project.run_json()
    assert sorted(r["id"] for r in sink.rows) == list(range(100))
    assert most[0] >= 2


def test_values_reach_the_sink_in_the_documented_forms(project, api):
    project.write({"lib/crm.star": PUSH_LIB % {"url": api.url, "batch_size": 2, "more": ""},
                   "models/sync/t.sql": """-- @kind: append
-- @sink: crm
SELECT 1::BIGINT AS id, 12345678901234567890::HUGEINT AS big, 1.50::DECIMAL(10,2) AS price, 0.1::DOUBLE AS ratio, true AS yes,
       DATE '2024-01-02' AS day, TIMESTAMP '2024-01-02 03:04:05.5' AS moment, TIMESTAMPTZ '2024-01-02 03:04:05+00' AS instant,
       ['a', 'b'] AS list, {'x': 1, 'y': NULL} AS box, NULL::VARCHAR AS nothing, 'åäö' AS text"""})
    got = []
    api.on("POST", "/batch", lambda r: (got.append(r.json), (200, {
        f"{x['__ondatra_rowid']}:{x['__ondatra_change_type']}": "ok" for x in r.json["rows"]}))[1])
    project.run_json()
    row = {k: v for k, v in got[0]["rows"][0].items() if not k.startswith("_")}
    assert row == {"id": 1, "big": 12345678901234567890, "price": "1.50", "ratio": 0.1, "yes": True, "day": "2024-01-02",
                   "moment": "2024-01-02T03:04:05.500000", "instant": "2024-01-02T03:04:05Z", "list": ["a", "b"],
                   "box": {"x": 1, "y": None}, "nothing": None, "text": "åäö"}
    assert list(row)[:3] == ["id", "big", "price"]


def test_a_new_sink_gets_every_current_row(project, sink):
    source(project, [(1, "a"), (2, "b")])
    project.write({"models/sync/t.sql": MERGE.replace("-- @sink: crm\n", "")})
    project.run_json()
    project.write({"models/sync/t.sql": MERGE})
    project.run_json()
    assert sink.events("id") == [("insert", 1), ("insert", 2)]


def test_the_sync_log_is_written_once_a_run(project, sink):
    source(project, [(i, "a") for i in range(10)])
    project.write({"models/sync/t.sql": MERGE})
    project.run_json()
    assert project.value("select count(*) as n from _sync_log where target = 'sync.t' and status = 'ok'") == 10
    assert project.snapshots() <= 5


def test_finalize_runs_once_when_everything_arrived(project, api):
    project.write({"lib/crm.star": '''
API = {"base_url": "%s", "push": {"batch_size": 2}}

def push(rows):
    return {str(r["__ondatra_rowid"]) + ":" + r["__ondatra_change_type"]: "ok" for r in rows}

def finalize(succeeded, failed):
    http.post("/done", json = {"succeeded": succeeded, "failed": failed})
''' % api.url, "models/sync/t.sql": MERGE})
    api.on("POST", "/done", (200, {}))
    source(project, [(1, "a"), (2, "b"), (3, "c")])
    project.run_json()
    project.run_json()
    assert [r.json for r in api.seen("POST", "/done")] == [{"succeeded": 3, "failed": 0}]


def test_lost_state_is_told_and_sends_again_rather_than_nothing(project, sink):
    source(project, [(1, "a")])
    project.write({"models/sync/t.sql": MERGE})
    project.run_json()
    for file in (project.root / ".coypu").glob("state.db*"):
        file.unlink()
    source(project, [(1, "a"), (2, "b")])
    sink.forget()
    project.run_json()
    assert ("insert", 2) in sink.events("id")
