"""Every public rule id of `coypu validate`, once (docs/reference/rules.md)."""
import json
import re

import pytest

from conftest import ROOT, Project

LIB = 'API = {"fetch": {"args": ["name"]}, "push": {"supported_kinds": ["table", "append", "merge", "tracked"]}}\n' \
      'def fetch(name, page):\n    return {"rows": [], "next": None}\ndef push(rows):\n    return None\n'

# rule, severity, a model (or {path: text} whose first path has the finding)
CASES = [
    ("parser.multi_statement", "BLOCKER", "SELECT 1 AS a; SELECT 2 AS b"),
    ("parser.invalid_directive", "BLOCKER", "-- @kidn: merge\nSELECT 1 AS a"),
    ("parser.invalid_kind", "BLOCKER", "-- @kind: view\nSELECT 1 AS a"),
    ("parser.invalid_unique_key", "BLOCKER", "-- @kind: merge\n-- @unique_key: a, b\nSELECT 1 AS a, 2 AS b"),
    ("parser.invalid_incremental", "BLOCKER", "-- @incremental: 1a\nSELECT 1 AS a"),
    ("parser.invalid_sorted_by", "BLOCKER", "-- @sorted_by: year(a)\nSELECT 1 AS a"),
    ("parser.invalid_partitioned_by", "BLOCKER", "-- @partitioned_by: week(a)\nSELECT 1 AS a"),
    ("parser.missing_directive", "BLOCKER", "-- @kind: merge\nSELECT 1 AS a"),
    ("parser.duplicate_target", "BLOCKER", {"models/twice/T.sql": "SELECT 1 AS a", "models/Twice/t.sql": "SELECT 1 AS a"}),
    ("parser.unterminated_block_comment", "BLOCKER", "/* open\nSELECT 1 AS a"),
    ("parser.deprecated_script", "BLOCKER", "-- @script: x.star\nSELECT 1 AS a"),
    ("parser.deprecated_sink_detect_deletes", "BLOCKER", "-- @sink_detect_deletes: true\nSELECT 1 AS a"),
    ("parser.deprecated_sink_delete_threshold", "BLOCKER", "-- @sink_delete_threshold: 5\nSELECT 1 AS a"),
    ("strict_fetch.cast_required", "BLOCKER", "-- @fetch\nSELECT a AS a FROM shop('x')"),
    ("strict_fetch.alias_required", "BLOCKER", "-- @fetch\nSELECT CAST(a AS INTEGER) FROM shop('x')"),
    ("strict_fetch.where_clause_disallowed", "BLOCKER", "-- @fetch\nSELECT CAST(a AS INTEGER) AS a FROM shop('x') WHERE a > 1"),
    ("strict_fetch.group_by_disallowed", "BLOCKER", "-- @fetch\nSELECT CAST(a AS INTEGER) AS a FROM shop('x') GROUP BY a"),
    ("strict_fetch.distinct_disallowed", "BLOCKER", "-- @fetch\nSELECT DISTINCT CAST(a AS INTEGER) AS a FROM shop('x')"),
    ("strict_fetch.order_by_disallowed", "BLOCKER", "-- @fetch\nSELECT CAST(a AS INTEGER) AS a FROM shop('x') ORDER BY a"),
    ("strict_fetch.union_disallowed", "BLOCKER", "-- @fetch\nSELECT CAST(a AS INTEGER) AS a FROM shop('x') UNION ALL SELECT 1"),
    ("strict_fetch.multiple_lib_calls", "BLOCKER", "-- @fetch\nSELECT CAST(s.a AS INTEGER) AS a FROM shop('x') s JOIN shop('y') t ON s.a = t.a"),
    ("strict_fetch.no_lib_call", "BLOCKER", "-- @fetch\nSELECT CAST(a AS INTEGER) AS a FROM raw.source"),
    ("strict_fetch.other", "BLOCKER", "-- @fetch\nSELECT CAST(a AS INTEGER) AS a FROM shop('x') QUALIFY row_number() OVER () = 1"),
    ("strict_push.cast_required", "BLOCKER", "-- @push: shop\nSELECT id AS id FROM raw.source"),
    ("strict_push.alias_required", "BLOCKER", "-- @push: shop\nSELECT CAST(id AS INTEGER) FROM raw.source"),
    ("strict_push.select_star_disallowed", "BLOCKER", "-- @push: shop\nSELECT * FROM raw.source"),
    ("strict_push.lib_call_disallowed", "BLOCKER", "-- @push: shop\nSELECT CAST(id AS INTEGER) AS id FROM shop('x')"),
    ("strict_push.other", "BLOCKER", "-- @push: shop\nSELECT id::INTEGER AS id, id::INTEGER AS ID FROM raw.source"),
    ("strict_fetch.other", "BLOCKER", "-- @fetch\nSELECT a::INTEGER AS a, b::INTEGER AS A FROM shop('x')"),
    ("parser.ambiguous_schema", "BLOCKER", {"models/memory/t.sql": "SELECT 1 AS id"}),
    ("cross_ast.args_mismatch", "BLOCKER", "-- @sink: shop('x')\nSELECT id FROM raw.source"),
    ("config.invalid_env_line", "WARN", {".env": "TOKEN\n"}),
    ("validate.walk_skipped", "WARN", {"models/mart/odd.SQL": "SELECT 1 AS a"}),
    ("read_only.limit_disallowed", "WARN", "SELECT id FROM raw.source LIMIT 5"),
    ("read_only.offset_disallowed", "WARN", "SELECT id FROM raw.source OFFSET 5"),
    ("dag.cycle_detected", "BLOCKER", {"models/loop/a.sql": "SELECT * FROM loop.b", "models/loop/b.sql": "SELECT * FROM loop.a"}),
    ("dag.external_reference", "INFO", "SELECT * FROM elsewhere.t"),
    ("blueprint.invalid_api_dict", "BLOCKER", {"lib/one.star": 'API = {"fetch": {"argz": []}}\ndef fetch(page):\n    return {"rows": []}\n'}),
    ("blueprint.helper_without_api", "INFO", {"lib/two.star": "def help():\n    return 1\n"}),
    ("blueprint.unchecked_status", "INFO", {"lib/three.star": 'API = {"fetch": {"args": []}}\ndef fetch(page):\n    resp = http.get("https://example.com")\n    return {"rows": resp.json, "next": None}\n'}),
    ("blueprint.other", "BLOCKER", {"lib/four.star": 'API = {"fetch": {"args": []}}\ndef fetch(:\n'}),
    ("lib.top_level_control", "INFO", {"lib/five.star": 'API = {"fetch": {"args": []}}\nfor x in [1]:\n    pass\ndef fetch(page):\n    return {"rows": [], "next": None}\n'}),
    ("lib.reserved_name", "INFO", {"lib/select.star": 'API = {"fetch": {"args": []}}\ndef fetch(page):\n    return {"rows": [], "next": None}\n'}),
    ("fetch.missing_marker", "INFO", "SELECT CAST(a AS INTEGER) AS a FROM shop('x')"),
    ("push.kind_not_supported", "BLOCKER", {"models/sync/k.sql": "-- @sink: tables_only\n-- @kind: append\nSELECT id FROM raw.source",
                                            "lib/tables_only.star": 'API = {"push": {"supported_kinds": ["table"]}}\ndef push(rows):\n    return None\n'}),
    ("push.missing_unique_key", "BLOCKER", "-- @kind: merge\n-- @sink: shop\nSELECT id FROM raw.source"),
    ("push.missing_group_key", "BLOCKER", "-- @kind: tracked\n-- @sink: shop\nSELECT id FROM raw.source"),
    ("push.invalid_poll_interval", "BLOCKER", {"lib/six.star": 'API = {"push": {"batch_mode": "async", "poll_interval": "soon"}}\ndef push(rows):\n    return None\ndef poll(job_ref):\n    return None\n'}),
    ("push.invalid_poll_timeout", "BLOCKER", {"lib/seven.star": 'API = {"push": {"batch_mode": "async", "poll_timeout": "late"}}\ndef push(rows):\n    return None\ndef poll(job_ref):\n    return None\n'}),
    ("cross_ast.args_mismatch", "BLOCKER", "SELECT CAST(a AS INTEGER) AS a FROM shop('x', 'y', 'z')"),
    ("cross_ast.unknown_lib", "BLOCKER", "-- @sink: shoop\nSELECT id FROM raw.source"),
    ("cdc.append_unversioned", "WARN", "-- @kind: append\nSELECT * FROM read_csv('files/*.csv')"),
    ("cdc.append_aggregate", "WARN", "-- @kind: append\nSELECT id, count(*) AS n FROM raw.source GROUP BY id"),
    ("cdc.volatile", "WARN", "-- @kind: scd2\n-- @unique_key: id\nSELECT id, now() AS seen FROM raw.source"),
    ("check.unknown_macro", "BLOCKER", "-- @constraint: not_nul(id)\nSELECT id FROM raw.source"),
    ("check.unknown_macro", "WARN", "-- @warning: not_nul(id)\nSELECT id FROM raw.source"),
    ("check.unknown_macro", "BLOCKER", "-- @column: id = | mask_phone\nSELECT id FROM raw.source"),
    ("check.bad_arguments", "BLOCKER", "-- @audit: row_count(>=, many)\nSELECT id FROM raw.source"),
    ("check.unknown_column", "BLOCKER", "-- @constraint: unique(idd)\nSELECT id FROM raw.source"),
    ("check.unknown_column", "BLOCKER", "-- @constraint: unique(idd)\nSELECT * FROM raw.source"),
    ("check.unknown_column", "BLOCKER", "-- @constraint: composite_unique('id, nme')\nSELECT s.*, 1 AS n FROM raw.source s"),
    ("check.unknown_column", "WARN", "-- @warning: not_null(name)\nSELECT * EXCLUDE (name) FROM raw.source"),
]

# Emitted when something runs, or when what validate stands on breaks; tested where that is.
ELSEWHERE = {
    "lib.auth_foreign_host", "config.password_in_attach", "cdc.full_scan", "validate.walk_skipped",
    "validate.builtin_introspection_failed", "validate.blueprint_load_failed", "parser.other",
}


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    """One project with all cases; the findings as (path, rule, severity)."""
    project = Project(tmp_path_factory.mktemp("rules") / "project")
    project.write({"lib/shop.star": LIB, "models/raw/source.sql": "SELECT 1 AS id, 'a' AS name"})
    for i, (_, _, case) in enumerate(CASES):
        project.write(case if isinstance(case, dict) else {f"models/mart/m{i}.sql": case})
    report = json.loads(project.run("validate", "--json", code=1).out)
    return [(f["path"], x["rule"], x["severity"], x["message"]) for f in report["files"] for x in f.get("findings", [])]


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{rule}-{severity}" for rule, severity, _ in CASES])
def test_validate_finds(findings, number):
    rule, severity, case = CASES[number]
    paths = list(case) if isinstance(case, dict) else [f"models/mart/m{number}.sql"]
    found = [f for f in findings if f[0] in paths]
    assert any(f[1] == rule and f[2] == severity for f in found), found


FINE = ["-- @constraint: unique(ID)\nSELECT * FROM raw.source", "-- @constraint: unique(idd)\nSELECT * FROM elsewhere.t",
        "-- @constraint: unique(total)\nSELECT *, 1 AS total FROM raw.source", "-- @constraint: unique(idd)\nSELECT * FROM read_csv('x.csv')",
        "-- @kind: scd2\n-- @unique_key: id\n-- @audit: sum(valid_from_snapshot, >, 0)\nSELECT * FROM raw.source",
        "-- @constraint: unique(renamed)\nSELECT * RENAME (name AS renamed) FROM raw.source"]


def test_columns_of_checks_that_a_star_may_produce_are_no_mistake(project):
    project.write({"models/raw/source.sql": "SELECT 1 AS id, 'a' AS name", **{f"models/mart/m{i}.sql": text for i, text in enumerate(FINE)}})
    report = json.loads(project.run("validate", "--json").out)
    assert [f for file in report["files"] for f in file.get("findings", []) if f["rule"].startswith("check.")] == []


def test_a_link_out_of_the_project_is_not_followed(project, tmp_path):
    (tmp_path / "outside.sql").write_text("SELECT 1 AS a")
    project.write({"models/here.sql": "SELECT 1 AS a"})
    (project.root / "models/there.sql").symlink_to(tmp_path / "outside.sql")
    (project.root / "models/alias.sql").symlink_to("here.sql")
    result = project.run("validate", code=1)
    assert "models/there.sql:1:1: warning: models/there.sql is not read: its link leads out of the project" in result.out
    models = project.run_json().models
    assert set(models) == {"main.here", "main.alias"}


def test_the_reference_lists_every_rule():
    page = (ROOT / "docs/reference/rules.md").read_text()
    listed = set(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", page, re.M))
    assert {rule for rule, _, _ in CASES} | ELSEWHERE <= listed
    prefixes = {rule.split(".")[0] for rule in listed}
    emitted = set()
    for source in (ROOT / "src").rglob("*.c"):
        emitted |= {(rule, source) for rule in re.findall(r'"((?:%s)\.[a-z_]+)"' % "|".join(prefixes), source.read_text())}
    keys = {"fetch.args", "push.args", "push.batch_size"}  # of the API dict
    assert {rule for rule, _ in emitted} - keys <= listed, emitted
    free = set(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", page.split("## Names without a finding")[1], re.M))
    assert listed - {rule for rule, _ in emitted} == free

