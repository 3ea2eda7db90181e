"""Every mistake a user can make in a file: what, where, why and what to do next."""
import json

import pytest


def check(project, *needles, command=("run",), code=1):
    result = project.run(*command, code=code)
    text = result.out + result.err
    for needle in needles:
        assert needle in text, f"{needle!r} is missing\n{result}"
    return result


def test_missing_catalog_names_the_path(project):
    project.write({"models/raw/a.sql": "SELECT 1 AS id"})
    (project.root / "config/catalog.sql").unlink()
    check(project, "config/catalog.sql", "hint:")


def test_malformed_catalog_shows_the_line(project):
    project.write({"models/raw/a.sql": "SELECT 1 AS id"})
    project.write({"config/catalog.sql": "-- the lake\nATTACH 'ducklake:sqlite:lake.sqlite' AS lake (DATA_PATH 'd/';\n"})
    check(project, "config/catalog.sql:2")


def test_a_catalog_that_is_no_ducklake_is_explained(project):
    project.write({"models/raw/a.sql": "SELECT 1 AS id"})
    project.write({"config/catalog.sql": "ATTACH 'plain.duckdb' AS lake;\n"})
    check(project, "config/catalog.sql", "ducklake", "snapshot")


def test_an_undefined_variable_is_named_with_its_place(project):
    project.write({"models/raw/a.sql": "SELECT 1 AS id"})
    project.write({"config/catalog.sql": "ATTACH 'ducklake:sqlite:${LAKE_FILE}' AS lake (DATA_PATH 'd/');\n"})
    check(project, "config/catalog.sql:1:25: error: ${LAKE_FILE} is not defined", "hint: set LAKE_FILE in .env or in the environment")


LIBS = {
    "syntax": ('API = {"fetch": {}}\n\ndef fetch(page)\n    return {"rows": []}\n', "lib/x.star:3:16:", "expected"),
    "two syntax errors": ('API = {"fetch": {}}\n\ndef fetch(page):\n    x = = 1\n    return {"rows": []}\n\ndef other():\n    y = ]\n',
                          "lib/x.star:4:9:", "lib/x.star:8:9:"),
    "undefined": ('API = {"fetch": {}}\n\ndef fetch(page):\n    return {"rows": htp.get("/").json}\n', "lib/x.star:4:21:", "undefined: htp", "http"),
    "not literal": ('BASE = "http://x"\nAPI = {"base_url": BASE, "fetch": {}}\n\ndef fetch(page):\n    return {"rows": []}\n',
                    "lib/x.star:2:20:", 'API.base_url must be a literal (found name "BASE")'),
    "unknown key": ('API = {"fetch": {}, "batchsize": 1}\n\ndef fetch(page):\n    return {"rows": []}\n', "lib/x.star:1:21:", "batchsize"),
    "unknown nested key": ('API = {"push": {"batchsize": 1}}\n\ndef push(rows):\n    return {}\n', "lib/x.star:1:17:", "batch_size"),
    "wrong type": ('API = {"timeout": "fast", "fetch": {}}\n\ndef fetch(page):\n    return {"rows": []}\n', "lib/x.star:1:19:", "API.timeout"),
    "bad enum": ('API = {"push": {"batch_mode": "bulk"}}\n\ndef push(rows):\n    return {}\n', "lib/x.star:1:31:", '"bulk" is not one of sync, atomic, async'),
    "no direction": ('API = {"base_url": "http://x"}\n', "lib/x.star:1:", "fetch", "push"),
    "missing function": ('API = {"fetch": {}}\n', "lib/x.star", "fetch()"),
    "signature": ('API = {"push": {"args": ["range"]}}\n\ndef push(rows):\n    return {}\n', "lib/x.star:3",
                  'push() does not accept parameter "range" declared in push.args'),
    "duplicate key": ('API = {"fetch": {}, "retry": 1, "retry": 2}\n\ndef fetch(page):\n    return {"rows": []}\n', "lib/x.star:1:33:", "retry"),
    "not a dict": ('API = dict(fetch = {})\n\ndef fetch(page):\n    return {"rows": []}\n', "lib/x.star:1:7:", "API"),
}


@pytest.mark.parametrize("case", LIBS)
def test_a_broken_lib_file_stops_the_run_before_anything_happens(project, case):
    text, *needles = LIBS[case]
    project.write({"lib/x.star": text, "models/raw/a.sql": "SELECT 1 AS id"})
    check(project, *needles)
    assert not (project.root / "lake_data").exists() or not list((project.root / "lake_data").rglob("*.parquet"))
    assert not any(n not in project.run("validate", code=1).out + project.run("validate", code=1).err for n in needles)
    project.write({"lib/x.star": 'API = {"fetch": {}}\n\ndef fetch(page):\n    return {"rows": []}\n'})
    project.run_json()


def test_errors_of_all_files_are_reported_at_once(project):
    project.write({"lib/a.star": 'API = {"fetch": 1}\n', "lib/b.star": "def f(:\n", "models/raw/c.sql": "-- @knd: table\nSELECT 1 AS id",
                   "models/raw/d.sql": "-- @kind: merge\nSELECT 1 AS id"})
    check(project, "lib/a.star:1", "lib/b.star:1", "models/raw/c.sql:1", "models/raw/d.sql", command=("validate",))


MODELS = {
    "unknown directive": ("-- @knd: table\nSELECT 1 AS id", "models/raw/m.sql:1", "@knd", "@kind"),
    "unknown kind": ("-- @kind: tabel\nSELECT 1 AS id", "models/raw/m.sql:1", "tabel", "table"),
    "missing unique key": ("-- @kind: merge\nSELECT 1 AS id", "models/raw/m.sql", "@unique_key"),
    "unparsable": ("SELECT 1 AS id\nFORM raw.src WHERE", "models/raw/m.sql:2"),
    "missing table": ("SELECT * FROM raw.scr", "models/raw/m.sql:1", "raw.scr", "raw.src"),
    "unknown column": ("SELECT idd FROM raw.src", "models/raw/m.sql:1:8", "idd"),
    "column not produced": ("-- @kind: merge\n-- @unique_key: nope\nSELECT id FROM raw.src", "models/raw/m.sql:2", "nope", "id"),
    "two statements": ("SELECT 1 AS id; SELECT 2 AS id", "models/raw/m.sql:1"),
    "not a query": ("DELETE FROM raw.src", "models/raw/m.sql:1"),
    "empty": ("-- @kind: table\n", "models/raw/m.sql"),
    "doubled directive": ("-- @kind: table\n-- @kind: table\nSELECT 1 AS id", "models/raw/m.sql:2", "@kind"),
    "unknown lib function": ("SELECT * FROM shpo('x')", "models/raw/m.sql:1", "shpo"),
    "unknown sink": ("-- @sink: nowhere\nSELECT 1 AS id", "models/raw/m.sql:1", "nowhere"),
    "the lake's rowid": ("SELECT id AS RowID FROM raw.src", "models/raw/m.sql:1", 'cannot be named "RowID"', "AS"),
    "the lake's snapshot": ("-- @kind: append\nSELECT id, 2 AS snapshot_id FROM raw.src", "models/raw/m.sql", 'cannot be named "snapshot_id"',
                            "RENAME (snapshot_id AS"),
    "a reserved column": ("SELECT id AS __ondatra_id FROM raw.src", "models/raw/m.sql:1", '"__ondatra_id" is a reserved name'),
    "two columns of one name": ("SELECT id, 1 AS ID FROM raw.src", "models/raw/m.sql:1", 'two columns named "ID"', "AS"),
}


@pytest.mark.parametrize("case", MODELS)
def test_a_broken_model_fails_alone_with_its_place(project, case):
    text, *needles = MODELS[case]
    project.write({"models/raw/src.sql": "SELECT 1::BIGINT AS id", "models/raw/m.sql": text, "models/raw/ok.sql": "SELECT 2 AS id"})
    result = check(project, *needles)
    assert project.sql("select id from raw.ok") == [{"id": 2}], result
    project.write({"models/raw/m.sql": "SELECT id FROM raw.src"})
    project.run_json()
    assert project.sql("select id from raw.m") == [{"id": 1}]


def test_a_cycle_is_shown_whole_and_nothing_runs(project):
    project.write({"models/a.sql": "SELECT * FROM main.b", "models/b.sql": "SELECT * FROM main.c", "models/c.sql": "SELECT * FROM main.a",
                   "models/d.sql": "SELECT 1 AS id"})
    check(project, "main.a", "main.b", "main.c", "models/a.sql", "→")
    findings = json.loads(project.run("validate", "--json", code=1).out)
    assert sorted(f["path"] for f in findings["files"] if any(x["rule"] == "dag.cycle_detected" for x in f.get("findings", []))) == [
        "models/a.sql", "models/b.sql", "models/c.sql"]


def test_every_cycle_is_shown_and_blamed_for_what_is_behind_it(project):
    project.write({"models/a.sql": "SELECT * FROM main.b", "models/b.sql": "SELECT * FROM main.a",
                   "models/c.sql": "SELECT * FROM main.b UNION ALL SELECT * FROM main.b2",
                   "models/b2.sql": "SELECT * FROM main.b3", "models/b3.sql": "SELECT * FROM main.b2 UNION ALL SELECT * FROM main.b4",
                   "models/b4.sql": "SELECT * FROM main.b3", "models/d.sql": "SELECT * FROM main.b4", "models/e.sql": "SELECT 1 AS id"})
    findings = json.loads(project.run("validate", "--json", code=1).out)
    loops = {f["path"]: [x["message"].partition(": ")[2] for x in f["findings"] if x["rule"] == "dag.cycle_detected"]
             for f in findings["files"] if f.get("findings")}
    first, second, third = ("main.a (models/a.sql) → main.b (models/b.sql) → main.a",
                            "main.b2 (models/b2.sql) → main.b3 (models/b3.sql) → main.b2",
                            "main.b4 (models/b4.sql) → main.b3 (models/b3.sql) → main.b4")
    assert {path: loop for path, loop in loops.items() if loop} == {
        "models/a.sql": [first], "models/b.sql": [first], "models/b2.sql": [second], "models/b3.sql": [second],
        "models/b4.sql": [third]}
    models = project.run_json("--keep-going", code=1).models
    assert {name: m["status"] for name, m in models.items()} == {
        "main.a": "error", "main.b": "error", "main.b2": "error", "main.b3": "error", "main.b4": "error",
        "main.c": "skip", "main.d": "skip", "main.e": "ok"}
    assert models["main.c"]["skipped_because"] == "main.b"
    assert models["main.d"]["skipped_because"] == "main.b4"
    assert second in project.run("run", "main.d", code=1).err
    dag = project.run("dag", "--json", code=1)
    assert json.loads(dag.out)["cycles"] == [["main.a", "main.b"], ["main.b2", "main.b3"], ["main.b4", "main.b3"]]
    assert all(loop in dag.err for loop in (first, second, third))


def test_two_files_for_one_target(project):
    project.write({"models/raw/A.sql": "SELECT 1 AS id", "models/raw/a.sql": "SELECT 1 AS id"})
    check(project, "models/raw/A.sql", "models/raw/a.sql", command=("validate",))


def test_a_lib_name_in_text_is_no_call(project, api):
    project.write({"lib/shop.star": 'API = {"fetch": {}}\n\ndef fetch(page):\n    fail("called")\n',
                   "models/raw/m.sql": "-- shop()\nSELECT 'shop()' AS shop FROM (SELECT 1) AS \"shop\""})
    project.run_json()
    assert project.sql("select * from raw.m") == [{"shop": "shop()"}]


def wide(columns):
    return "SELECT " + ", ".join(f"{i} AS c{i}" for i in range(columns))


def test_a_table_wider_than_the_catalog_can_hold_fails_alone(project):
    project.write({"models/raw/wide.sql": wide(10_000), "models/raw/narrow.sql": wide(1_997)})
    result = project.run("run", code=1)
    assert ("models/raw/wide.sql:1:1: raw.wide has 10000 columns, a table of a lake with a sqlite catalog at most 1997\n") in result.out, result
    assert ("    hint: keep what is rarely read in one JSON or MAP column, or add DATA_INLINING_ROW_LIMIT 0 to the ATTACH in "
            "config/catalog.sql\n") in result.out, result
    assert "[OK] raw.narrow" in result.out


def test_a_wide_table_is_fine_where_the_catalog_keeps_no_rows(project):
    project.write({"config/catalog.sql":
                   "ATTACH 'ducklake:sqlite:lake.sqlite' AS lake (DATA_PATH 'lake_data/', data_inlining_row_limit 0);\n",
                   "models/raw/wide.sql": wide(2_500)})
    project.run_json()
    assert project.value("select c2499 from raw.wide") == 2499


def test_a_folder_where_the_state_store_should_be_is_explained(project):
    project.write({"models/raw/a.sql": "SELECT 1 AS id"})
    (project.root / ".coypu/state.db").mkdir(parents=True)
    result = project.run("run", code=0)
    assert "/.coypu/state.db: unable to open database file\n" in result.err
    assert "hint: a folder has the name of the state store's file: move it away\n" in result.err


def test_a_project_without_models_prints_a_note(project):
    assert "no models" in project.run("run", code=0).out + project.run("run", code=0).err


def test_validate_needs_no_lake_and_makes_none(project):
    project.write({"models/raw/a.sql": "SELECT 1 AS id"})
    project.run("validate", code=0)
    assert not (project.root / "lake.sqlite").exists() and not (project.root / ".coypu").exists()


def test_random_arguments_of_a_call_never_crash(project, api):
    project.write({"lib/echo.star": 'API = {"fetch": {"args": ["a"]}}\n\ndef fetch(a, page):\n    return {"rows": [{"a": a}]}\n'})
    for i, argument in enumerate(["1+1", "upper('x')", "'it''s'", "-1", "NULL", "current_date - 1", "a := 'x'", "[1,2]", "(SELECT 1)",
                                  "id", "'${HOME}'", "json_object('k', 1)", "1.50", "true", "''", "random_nonsense()"]):
        project.write({"models/raw/m.sql": f"SELECT a::VARCHAR AS a FROM echo({argument})"})
        result = project.run("run")
        assert result.code in (0, 1), (argument, result)
    project.write({"models/raw/m.sql": "SELECT a::VARCHAR AS a FROM echo(1 + 1)"})
    project.run_json()
    assert project.sql("select a from raw.m") == [{"a": "2"}]
