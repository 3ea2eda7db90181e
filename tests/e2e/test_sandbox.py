"""coypu sandbox: the real pipeline against a fork; nothing outside of it changes."""
import fcntl
import hashlib
import json
import os
import signal
import sqlite3
import time

import pytest
from golden import check

MERGE = "-- @kind: merge\n-- @unique_key: id\n"
DUCKDB = "ATTACH 'ducklake:lake.ducklake' AS lake (DATA_PATH 'lake_data/');\n"


def trace(project):
    """Everything that a sandbox must leave as it is: catalog, data files, state."""
    files = {}
    for path in sorted(project.root.rglob("*")):
        name = str(path.relative_to(project.root))
        if path.is_file() and not name.endswith(("-wal", "-shm")) and not name.startswith(("models", "data.csv", "lib")):
            files[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return files


def diffs(result):
    return {o["model"]: o for o in result.lines if o.get("kind") == "sandbox_diff"}


@pytest.fixture(params=["sqlite", "duckdb"])
def lake(request, project):
    if request.param == "duckdb":
        project.write({"config/catalog.sql": DUCKDB})
    project.write({
        "data.csv": "id,v\n" + "".join(f"{i},{i * 10}\n" for i in range(30)),
        "models/raw/csv.sql": "SELECT id, v FROM read_csv('data.csv')",
        "models/mart/m.sql": MERGE + "SELECT id, v + 1 AS w FROM raw.csv",
        "models/mart/a.sql": "-- @kind: append\nSELECT id, v FROM raw.csv",
        "models/mart/total.sql": "SELECT count(*) AS n FROM mart.m",
    })
    project.run_json()
    return project


def change(project):
    project.write({"data.csv": "id,v\n" + "".join(f"{i},{i * 10 + (i == 3)}\n" for i in range(32))})


def test_production_is_not_touched(lake):
    before = trace(lake)
    change(lake)
    result = lake.run("sandbox", "--json", code=0)
    assert result.models["raw.csv"]["sandbox"] is True and result.models["raw.csv"]["run_type"] == "full"
    assert trace(lake) == before
    assert not (lake.root / ".sandbox").exists()
    assert lake.value("select count(*) as n from raw.csv") == 30


def test_the_fork_inherits_history(lake):
    change(lake)
    result = lake.run("sandbox", "--json", code=0)
    assert {m: (o["run_type"], o["rows_affected"]) for m, o in result.models.items()}["mart.m"] == ("incremental", 3)
    seen = diffs(result)
    assert (seen["mart.a"]["added"], seen["mart.a"]["removed"]) == (3, 0)
    assert (seen["mart.m"]["added"], seen["mart.m"]["removed"]) == (3, 1)
    assert (seen["mart.m"]["rows_before"], seen["mart.m"]["rows_after"]) == (30, 32)
    assert seen["mart.m"]["sample_added"] == [{"id": 3, "w": 32}, {"id": 30, "w": 301}]
    assert seen["mart.m"]["sample_removed"] == [{"id": 3, "w": 31}]
    real = lake.run_json()
    assert {m: (o["run_type"], o["rows_affected"]) for m, o in real.models.items()} == \
        {m: (o["run_type"], o["rows_affected"]) for m, o in result.models.items()}


def test_nothing_changed(lake):
    result = lake.run("sandbox", code=0)
    assert "Summary: 4 unchanged, 0 changed, 0 failed" in result.out


def test_a_killed_sandbox_leaves_nothing_behind_after_the_next_start(lake):
    before = trace(lake)
    change(lake)
    assert lake.run("sandbox", COYPU_CRASH_AT="CP_MODEL_BEFORE_COMMIT:2").code == -signal.SIGKILL
    assert [p.name for p in (lake.root / ".sandbox").iterdir()]
    assert {k: v for k, v in trace(lake).items() if not k.startswith(".sandbox")} == before
    lake.run("sandbox", code=0)
    assert trace(lake) == before
    assert lake.run("sandbox", COYPU_CRASH_AT="CP_MODEL_COMMITTED").code == -signal.SIGKILL
    lake.run("run", "mart.total", code=0)
    assert not (lake.root / ".sandbox").exists()


def test_a_sandbox_that_runs_is_not_reaped(lake):
    alive = lake.root / f".sandbox/{os.getpid()}-abc"
    alive.mkdir(parents=True)
    lake.run("sandbox", code=0)
    assert alive.exists()


# ── With one catalog ──

@pytest.fixture
def one(project):
    project.write({
        "data.csv": "id,v\n1,10\n2,20\n",
        "models/raw/csv.sql": "SELECT id, v FROM read_csv('data.csv')",
        "models/mart/m.sql": MERGE + "SELECT id, v FROM raw.csv",
        "models/mart/t.sql": "SELECT sum(v) AS total FROM mart.m",
    })
    return project


def test_text(one):
    one.run_json()
    one.write({"data.csv": "id,v,note\n1,11,a\n2,20,b\n3,30,c\n",
               "models/raw/csv.sql": "SELECT id, v, note FROM read_csv('data.csv')"})
    check("sandbox", one.run("sandbox", code=0).out)


def test_text_of_a_target(one):
    one.run_json()
    one.write({"models/mart/m.sql": MERGE + "SELECT id, v * 2 AS v FROM raw.csv"})
    check("sandbox_target", one.run("sandbox", "mart.m", code=0).out)


def test_without_a_catalog_it_is_an_empty_lake(one):
    result = one.run("sandbox", code=0)
    assert result.out.startswith("Sandbox: an empty lake, as there is no catalog yet; nothing is pushed")
    assert {p.name for p in one.root.iterdir()} == {"config", "models", "data.csv"}


def test_a_failing_model_is_a_failure(one):
    one.run_json()
    one.write({"models/mart/t.sql": "SELECT nope FROM mart.m"})
    result = one.run("sandbox", code=1)
    assert "[FAILED] mart.t" in result.out and "1 failed" in result.out
    assert not (one.root / ".sandbox").exists()


def test_a_wal_that_is_there_already_stays(one):
    one.run_json()
    with sqlite3.connect(one.root / "lake.sqlite") as other:
        other.execute("select count(*) from ducklake_snapshot").fetchall()
        before = trace(one)
        one.run("sandbox", code=0)
        assert trace(one) == before


def test_no_side_files_of_the_catalog_stay(one):
    one.run_json()
    for path in one.root.glob("lake.sqlite-*"):
        path.unlink()
    one.run("sandbox", code=0)
    assert list(one.root.glob("lake.sqlite-*")) == []


def test_beside_a_run(one):
    """A sandbox takes no lock and needs none."""
    one.run_json()
    with open(one.root / ".coypu/run.lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        one.run("sandbox", code=0)


@pytest.mark.parametrize("args", [[], ["--json"]])
def test_interrupted(one, args):
    one.run_json()
    one.write({"models/raw/slow.sql": "SELECT sum(a.range * b.range) AS s FROM range(3000000) a, range(100000) b"})
    process = one.start("sandbox", *args)
    for _ in range(200):
        if (one.root / ".sandbox").exists():
            break
        time.sleep(0.02)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert not (one.root / ".sandbox").exists()
    if args:
        last = json.loads(out.splitlines()[-1])
        assert (last["kind"], last["interrupted"]) == ("summary", True)
    else:
        assert "Interrupted: what would have changed is not known\nSummary: " in out


def test_wrong_usage(one):
    assert "sandbox has no option --dry-run" in one.run("sandbox", "--dry-run", code=2).err
    assert "no model makes mart.x" in one.run("sandbox", "mart.x", code=1).err
    assert not (one.root / ".sandbox").exists()


@pytest.mark.parametrize("path", ["sqlite:lake.sqlite", "lake.ducklake"])
def test_a_catalog_that_a_secret_names_is_copied_like_any_other(project, path):
    project.write({"config/secrets.sql": f"CREATE SECRET my_lake (TYPE ducklake, METADATA_PATH '{path}', DATA_PATH 'lake_data/');\n",
                   "config/catalog.sql": "ATTACH 'ducklake:my_lake' AS lake;\n", "models/mart/t.sql": "SELECT 1 AS id"})
    assert "an empty lake" in project.run("sandbox", code=0).out
    project.run("run", code=0)
    project.write({"models/mart/t.sql": "SELECT 2 AS id"})
    before = trace(project)
    (diff,) = diffs(project.run("sandbox", "--json", code=0)).values()
    assert (diff["rows_before"], diff["added"], diff["removed"]) == (1, 1, 1)
    assert trace(project) == before


def test_models_with_checks_or_masks_run_though_nothing_changed(one):
    one.write({"models/mart/t.sql": "-- @constraint: not_null(total)\nSELECT sum(v) AS total FROM mart.m",
               "models/mart/masked.sql": "-- @column: v = secret | redact\nSELECT id, v::VARCHAR AS v FROM raw.csv"})
    one.run_json()
    result = one.run("sandbox", "--json", code=0)
    assert {m: o["run_type"] for m, o in result.models.items()} == {
        "raw.csv": "skip", "mart.m": "skip", "mart.t": "full", "mart.masked": "full"}
    assert result.models["mart.t"]["run_reason"] == "sandbox: forced re-run" and diffs(result) == {}
    one.write({"data.csv": "id,v\n7,70\n"})
    shown = one.run("sandbox", code=0).out
    assert "[REDACTED]" in shown and '"v":"70"' not in shown
    one.write({"models/mart/t.sql": "-- @constraint: not_null(total)\nSELECT NULL::BIGINT AS total FROM mart.m"})
    assert "[FAILED] mart.t" in one.run("sandbox", code=1).out


def test_impact_of_a_target_in_json(one):
    one.run_json()
    (impact,) = [o for o in one.run("sandbox", "mart.m", "--json", code=0).lines if o.get("kind") == "sandbox_impact"]
    assert impact["model"] == "mart.m"
    assert impact["dependents"] == [{"target": "mart.t", "direct": True, "rows": impact["dependents"][0]["rows"], "columns": ["total"]}]


# ── Sinks ──

def test_nothing_is_pushed_and_what_would_be_is_counted(project, sink):
    project.write({
        "data.csv": "id,v\n1,10\n2,20\n3,30\n",
        "models/raw/csv.sql": "SELECT id, v FROM read_csv('data.csv')",
        "models/sync/s.sql": MERGE + "-- @sink: crm\nSELECT id, v FROM raw.csv",
    })
    result = project.run("sandbox", code=0)
    assert "would push 3 rows (3 inserts, 0 updates, 0 deletes) to crm" in result.out
    assert sink.api.seen() == [] and not (project.root / ".coypu").exists()
    sink.status = lambda row: "error: busy" if row["id"] == 3 else "ok"
    project.run_json(code=1)
    sink.api.forget()
    before, state = trace(project), project.state("SELECT * FROM sink")
    rows = project.state("SELECT * FROM failed")
    project.write({"data.csv": "id,v\n1,11\n2,20\n3,30\n4,40\n"})
    result = project.run("sandbox", code=0)
    assert "would push 3 rows (1 inserts, 1 updates, 0 deletes, 1 of earlier runs) to crm" in result.out
    answer = project.run("sandbox", "--json", code=0).models["sync.s"]["push"]
    assert answer == {"sink": "crm", "would_push": 3, "inserts": 1, "updates": 1, "deletes": 0, "waiting": 1}
    assert project.run("sandbox", COYPU_CRASH_AT="CP_MODEL_COMMITTED:2").code == -signal.SIGKILL
    project.run("sandbox", code=0)
    assert sink.api.seen() == []
    assert trace(project) == before
    assert (project.state("SELECT * FROM sink"), project.state("SELECT * FROM failed")) == (state, rows)
    assert len(json.loads(project.run("history", "--json", code=0).out)["runs"]) == 2


def test_a_fetch_is_made_and_nothing_is_kept(project, fetch_lib):
    fetch_lib.pages("/orders", [[{"id": 1, "seen": "2024-01-01"}], [{"id": 2, "seen": "2024-01-02"}]])
    project.write({"models/raw/o.sql": "-- @kind: append\n-- @incremental: seen\nSELECT id::BIGINT AS id, seen::VARCHAR AS seen FROM shop('orders')"})
    result = project.run("sandbox", "--json", code=0)
    assert diffs(result)["raw.o"]["added"] == 2
    assert project.run("sandbox", "--json", code=0).models["raw.o"]["run_reason"] == "first run"


def test_samples_keep_every_digit_of_decimals(project):
    sql = "SELECT 1 AS id, {}::DECIMAL(38,2) AS amount, 9007199254740993 AS big"
    project.write({"models/mart/m.sql": sql.format("'5'")})
    project.run_json()
    project.write({"models/mart/m.sql": sql.format("'123456789012345678901234567890123456.70'")})
    out = project.run("sandbox", "--json", code=0).out
    assert '"sample_added":[{"id":1,"amount":123456789012345678901234567890123456.70,"big":9007199254740993}]' in out
    assert '"sample_removed":[{"id":1,"amount":5.00,"big":9007199254740993}]' in out


def test_rows_are_compared_through_a_renamed_column(project):
    model = MERGE + "SELECT id, %s FROM raw.s"
    project.write({"models/raw/s.sql": "SELECT * FROM (VALUES (1, 10), (2, 20)) t(id, v)", "models/mart/m.sql": model % "v"})
    project.run("run", code=0)
    project.write({"models/raw/s.sql": "SELECT * FROM (VALUES (1, 11), (2, 20)) t(id, v)",
                   "models/mart/m.sql": model % "v AS vv, 1 AS n"})
    result = project.run("sandbox", "--json", code=0)
    diff = diffs(result)["mart.m"]
    assert diff["schema"] == ["renamed v → vv", "+ n (INTEGER)"]
    assert (diff["added"], diff["removed"]) == (1, 1)
    assert diff["sample_added"] == [{"id": 1, "vv": 11}] and diff["sample_removed"] == [{"id": 1, "vv": 10}]
