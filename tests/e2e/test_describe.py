"""coypu describe: everything known of a model, and the contract of a lib file."""
import json

import pytest
from golden import check

MODELS = {
    "models/raw/a.sql": "SELECT i AS id, i * 2 AS v FROM range(10) t(i)",
    "models/mart/b.sql": "-- @kind: merge\n-- @unique_key: id\n-- @description: every b there is\n"
                         "-- @column: w = its weight | metric\nSELECT id, v + 1 AS w FROM raw.a",
    "models/mart/c.sql": "SELECT nope FROM mart.b",
}
KEYS = ["schema_version", "target", "kind", "schema", "materialization", "source_file", "total_runs",
        "avg_duration_ms", "total_rows", "table_size", "success_rate", "first_run", "last_run", "dependencies",
        "downstream", "columns", "recent_runs", "definition", "constraints", "audits", "warnings", "steps",
        "duckdb_version"]


@pytest.fixture
def ran(project):
    project.write(MODELS)
    project.run("run", code=1)
    project.run("run", code=1)
    return project


def describe(project, *args):
    return json.loads(project.run("describe", *args, "--json", code=0).out)


def test_every_promised_key_is_there_in_order(ran):
    facts = describe(ran, "MART.b")
    assert [k for k in facts if k in KEYS] == KEYS
    assert (facts["target"], facts["kind"], facts["schema"]) == ("mart.b", "merge", "mart")
    assert (facts["total_runs"], facts["total_rows"], facts["success_rate"]) == (2, 10, 100)
    assert facts["dependencies"] == ["raw.a"] and facts["downstream"] == ["mart.c"]
    assert facts["columns"] == [{"name": "id", "type": "BIGINT", "nullable": True},
                                {"name": "w", "type": "BIGINT", "nullable": True, "description": "its weight"}]
    assert facts["definition"] == "SELECT id, v + 1 AS w FROM raw.a"
    assert facts["duckdb_version"] == "v1.5.5" and {"bind", "write"} <= {s["name"] for s in facts["steps"]}
    assert facts["table_rows"] == 10


def test_the_last_run_is_told_as_it_was(ran):
    assert describe(ran, "mart.b")["materialization"] == "skip"
    assert [r["status"] for r in describe(ran, "mart.b")["recent_runs"]] == ["skip", "ok"]
    failed = describe(ran, "mart.c")
    assert failed["success_rate"] == 0 and failed["table_size"] == "N/A" and failed["table_rows"] == 0
    assert failed["recent_runs"][0]["error"] == 'referenced column "nope" not found in FROM clause'


def test_a_model_that_never_ran(project):
    project.write(MODELS)
    facts = describe(project, "raw.a")
    assert (facts["total_runs"], facts["first_run"], facts["materialization"]) == (0, None, "")
    assert facts["columns"] == [{"name": "id", "type": "BIGINT", "nullable": True},
                                {"name": "v", "type": "BIGINT", "nullable": True}]
    assert not (project.root / ".coypu").exists() and not (project.root / "lake.sqlite").exists()


def test_a_model_that_cannot_be_parsed_shows_why(project):
    project.write({"models/raw/a.sql": "-- @kind: tabel\nSELECT 1 AS x"})
    assert "tabel" in describe(project, "raw.a")["findings"][0]["message"]


def test_a_bare_name_is_of_main(project):
    project.write({"models/top.sql": "SELECT 1 AS x"})
    assert describe(project, "top")["target"] == "main.top"


def test_an_unknown_target(ran):
    result = ran.run("describe", "mart.bb", code=1)
    assert result.err == "error: no model makes mart.bb\n  hint: did you mean mart.b?\n"


def test_describe_text(ran):
    check("describe", ran.run("describe", "mart.b", code=0).out)
    check("describe_failed", ran.run("describe", "mart.c", code=0).out)


def test_checks_show_their_last_result(project):
    project.write({"models/mart/x.sql": "-- @constraint: not_null(id)\n-- @audit: row_count(>=, 1)\n-- @warning: row_count(>=, 9)\n"
                                        "SELECT 1 AS id"})
    assert describe(project, "mart.x")["checks"] == []
    project.run("run", code=0)
    facts = describe(project, "mart.x")
    assert facts["constraints"] == ["not_null(id)"] and facts["audits"] == ["row_count(>=, 1)"]
    assert {c["name"]: c["outcome"] for c in facts["checks"]}["not_null(id)"] == "pass"
    assert {(c["stage"], c["outcome"]) for c in facts["checks"]} == {
        ("constraint", "pass"), ("audit", "pass"), ("warning", "fail")}
    project.write({"models/mart/x.sql": "-- @constraint: not_null(id)\nSELECT NULL::INTEGER AS id"})
    project.run("run", code=1)
    (check_,) = [c for c in describe(project, "mart.x")["checks"] if c["stage"] == "constraint"]
    assert check_["outcome"] == "fail" and check_["message"]


def test_a_sink_shows_what_waits(project, sink):
    sink.status = lambda row: "error: busy" if row["id"] == 1 else "reject: no" if row["id"] == 2 else "ok"
    project.write({"models/sync/s.sql": "-- @kind: merge\n-- @unique_key: id\n-- @sink: crm\n"
                                        "SELECT i AS id FROM range(4) t(i)"})
    project.run("run", code=1)
    facts = describe(project, "sync.s")
    assert facts["blueprint"] == "lib/crm.star"
    assert facts["sink"] == {"name": "crm", "failed": 1, "in_flight": 0, "dead": 1,
                             "watermark": facts["sink"]["watermark"], "last_error": "busy"}


# ── blueprint ──

LIB = '''
API = {
    "base_url": "https://api.example.com",
    "auth": {"env": "CRM_KEY", "header": "X-Key"},
    "rate_limit": {"requests": 10, "per": "1s"},
    "fetch": {"args": ["resource"], "page_size": 50, "supported_kinds": ["table"]},
    "push": {"batch_size": 100},
}

def fetch(resource, page, limit = 3):
    resp = http.get("/v1/" + resource)
    if not resp.ok:
        fail("no")
    return {"rows": resp.json, "next": None}

def push(rows, **kwargs):
    http.post("/v1/batch", json = rows)
    http.request("PURGE", "/v1/cache")
    return {}
'''


@pytest.fixture
def blueprint(project):
    return project.write({
        "lib/crm.star": LIB,
        "models/raw/x.sql": "SELECT id::BIGINT AS id FROM crm('x')",
        "models/sync/y.sql": "-- @kind: merge\n-- @unique_key: id\n-- @sink: crm\nSELECT id FROM raw.x"})


def test_blueprint_json(blueprint):
    facts = describe(blueprint, "blueprint", "crm")
    assert facts["directions"] == ["fetch", "push"] and facts["file"] == "lib/crm.star"
    assert facts["auth"] == {"pattern": "header", "header": "X-Key", "env": [{"name": "CRM_KEY", "set": False}]}
    assert facts["fetch"]["args"] == ["resource"] and facts["fetch"]["page_size"] == 50
    assert facts["fetch"]["rate_limit"] == {"requests": 10, "per_s": 1.0}
    assert [f["signature"] for f in facts["functions"]] == ["fetch(resource, page, limit = …)", "push(rows, **kwargs)"]
    assert [(c["method"], c["path"], c["function"]) for c in facts["http_calls"]] == [
        ("GET", None, "fetch"), ("POST", "/v1/batch", "push"), ("PURGE", "/v1/cache", "push")]
    assert facts["models"] == [{"target": "raw.x", "direction": "fetch"}, {"target": "sync.y", "direction": "push"}]


def test_blueprint_tells_that_a_variable_is_set_never_its_value(blueprint):
    result = blueprint.run("describe", "lib", "crm.star", "--json", code=0, CRM_KEY="hush-hush-hush")
    assert json.loads(result.out)["auth"]["env"] == [{"name": "CRM_KEY", "set": True}]
    assert "hush" not in result.out


def test_blueprint_fields(blueprint):
    result = blueprint.run("describe", "blueprint", "crm", "--fields=push.batch_size,fetch.args,name", code=0)
    assert json.loads(result.out) == {"push.batch_size": 100, "fetch.args": ["resource"], "name": "crm"}
    result = blueprint.run("describe", "blueprint", "crm", "--fields", "nmae", code=2)
    assert 'there is no field "nmae"' in result.err and "directions" in result.err


def test_all_blueprints_one_a_line(blueprint):
    blueprint.write({"lib/other.star": LIB})
    out = blueprint.run("describe", "blueprint", "--json", code=0).lines
    assert [o["name"] for o in out] == ["crm", "other"]


def test_blueprint_text(blueprint):
    check("blueprint", blueprint.run("describe", "blueprint", "crm", code=0).out)


def test_a_broken_lib_shows_its_errors(project):
    project.write({"lib/crm.star": 'API = {"push": {"batch_size": 0}}\ndef push(rows):\n    pass\n'})
    assert describe(project, "blueprint", "crm")["errors"] != []


def test_no_libs_and_unknown_libs(project, blueprint):
    assert "did you mean crm?" in blueprint.run("describe", "blueprint", "crn", code=1).err
    (project.root / "lib/crm.star").unlink()
    assert project.run("describe", "blueprint", code=0).out == "no lib functions in lib/\n"


def test_fields_of_a_model_are_wrong_usage(ran):
    assert "--fields belongs to" in ran.run("describe", "mart.b", "--fields=x", code=2).err
    assert "one target" in ran.run("describe", "mart.b", "mart.c", code=2).err
