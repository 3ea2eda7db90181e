"""coypu history and stats: what ran, also when it wrote nothing or failed."""
import json
import re
import shutil

import pytest
from golden import check

MODELS = {
    "models/raw/a.sql": "SELECT i AS id, i * 2 AS v FROM range(10) t(i)",
    "models/mart/b.sql": "-- @kind: merge\n-- @unique_key: id\nSELECT id, v + 1 AS w FROM raw.a",
    "models/mart/c.sql": "SELECT nope FROM mart.b",
    "models/mart/d.sql": "SELECT * FROM mart.c",
}


@pytest.fixture
def ran(project):
    """Two runs: the first writes raw.a and mart.b, the second nothing; mart.c always fails."""
    project.write(MODELS)
    project.run("run", code=1)
    project.run("run", code=1)
    return project


def runs(project, *args):
    return json.loads(project.run("history", *args, "--json", code=0).out)["runs"]


def test_a_project_that_never_ran(project):
    assert project.run("history", code=0).out == "nothing has run yet\n"
    assert not (project.root / "lake.sqlite").exists(), "looking must not make a catalog"
    assert not (project.root / ".coypu").exists()


def test_history_has_skips_and_failures_newest_first(ran):
    seen = [(r["model"], r["status"], r["run_type"], r["rows"]) for r in runs(ran)]
    assert seen == [
        ("mart.d", "skip", "backfill", 0), ("mart.c", "error", "backfill", 0), ("mart.b", "skip", "skip", 0),
        ("raw.a", "skip", "skip", 0),
        ("mart.d", "skip", "backfill", 0), ("mart.c", "error", "backfill", 0), ("mart.b", "ok", "backfill", 10),
        ("raw.a", "ok", "backfill", 10)]
    failed = runs(ran, "mart.c")[0]
    assert failed["error"] == 'referenced column "nope" not found in FROM clause' and failed["id"] == 0
    assert runs(ran, "mart.d")[0]["skipped_because"] == "mart.c"


def test_history_envelope(ran):
    answer = json.loads(ran.run("history", "MART.B", "-l", "1", "--json", code=0).out)
    assert list(answer) == ["schema_version", "model", "limit", "runs", "warnings"]
    assert (answer["schema_version"], answer["model"], answer["limit"], answer["warnings"]) == (1, "mart.b", 1, [])
    (run,) = answer["runs"]
    assert list(run)[:8] == ["id", "time", "model", "kind", "run_type", "rows", "duration_ms", "run_id"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", run["time"])


def test_a_commit_is_one_run_though_the_log_has_it_too(ran):
    wrote = [r for r in runs(ran, "mart.b") if r["id"] > 0]
    assert len(wrote) == 1 and wrote[0]["status"] == "ok" and len(runs(ran, "mart.b")) == 2


def test_without_the_state_store_the_commits_remain(ran):
    shutil.rmtree(ran.root / ".coypu")
    assert [(r["model"], r["status"]) for r in runs(ran)] == [("mart.b", "ok"), ("raw.a", "ok")]


def test_a_removed_model_keeps_its_history(ran):
    (ran.root / "models/mart/b.sql").unlink()
    assert len(runs(ran, "mart.b")) == 2


def test_an_unknown_target_is_a_failure(ran):
    result = ran.run("history", "mart.bb", code=1)
    assert result.err == "error: no model makes mart.bb\n  hint: did you mean mart.b?\n" and result.out == ""


def test_a_bad_limit_is_wrong_usage(ran):
    assert "--limit takes a whole number" in ran.run("history", "--limit", "0", code=2).err


def test_a_blocked_model_has_no_last_success(ran):
    statuses = {r["status"] for r in ran.state("SELECT status FROM run WHERE target = 'mart.d'")}
    assert statuses == {"blocked"}


def test_history_text(ran):
    check("history", ran.run("history", code=0).out)


def test_reading_leaves_no_trace(ran):
    before = ran.snapshots(), (ran.root / "lake.sqlite").stat().st_mtime_ns
    ran.run("history", code=0), ran.run("stats", code=0)
    assert (ran.snapshots(), (ran.root / "lake.sqlite").stat().st_mtime_ns) == before


def test_stats_envelope(ran):
    stats = json.loads(ran.run("stats", "--json", code=0).out)
    assert list(stats) == ["schema_version", "model_count", "snapshots", "total_runs", "total_rows",
                           "avg_duration_ms", "last_run", "kind_breakdown", "all_models", "catalog_type",
                           "data_path", "ducklake_version", "warnings"]
    assert (stats["model_count"], stats["total_runs"], stats["total_rows"]) == (4, 6, 20)
    assert stats["kind_breakdown"] == [{"kind": "table", "count": 3}, {"kind": "merge", "count": 1}]
    assert (stats["catalog_type"], stats["ducklake_version"]) == ("sqlite", "1.0")
    by_name = {m["name"]: m for m in stats["all_models"]}
    assert list(by_name) == ["mart.b", "mart.c", "mart.d", "raw.a"]
    assert by_name["mart.c"]["status"] == "error" and by_name["mart.d"]["status"] == "never"
    assert by_name["mart.d"]["last_run"] is None


def test_stats_text(ran):
    check("stats", ran.run("stats", code=0).out)


def test_stats_of_an_empty_project(project):
    stats = json.loads(project.run("stats", "--json", code=0).out)
    assert (stats["model_count"], stats["total_runs"], stats["last_run"]) == (0, 0, None)
    assert (stats["snapshots"], stats["catalog_type"], stats["data_path"]) == (0, "", "")
    assert "catalog         not there yet: the first run makes it" in project.run("stats", code=0).out


@pytest.mark.parametrize("spelled", ["mart.b", "MART.B", "Mart.b"])
def test_a_target_is_found_in_any_letter_case_also_when_its_model_is_gone(ran, spelled):
    expected = [("skip", "skip"), ("ok", "backfill")]
    assert [(r["status"], r["run_type"]) for r in runs(ran, spelled)] == expected
    for model in ("b", "c", "d"):
        (ran.root / f"models/mart/{model}.sql").unlink()
    assert [(r["status"], r["run_type"]) for r in runs(ran, spelled)] == expected


def test_a_model_that_changes_its_letter_case_keeps_its_history(ran):
    (ran.root / "models/mart/b.sql").rename(ran.root / "models/mart/B.sql")
    before = runs(ran, "mart.B")
    assert [r["status"] for r in before] == ["skip", "ok"]
    ran.run("run", "mart.B", code=0)
    assert [r["id"] for r in runs(ran, "mart.b")][1:] == [r["id"] for r in before]
    assert json.loads(ran.run("describe", "mart.B", "--json", code=0).out)["total_runs"] == 3
