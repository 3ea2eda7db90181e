"""init, query, sql and starlark as a newcomer types them."""
import csv
import io
import json
import stat
import subprocess
import sys

import pytest

from conftest import COYPU, Project


@pytest.fixture
def fresh(tmp_path):
    project = Project.__new__(Project)
    project.root, project.env = tmp_path / "fresh", {}
    project.root.mkdir()
    return project


def test_init_makes_a_project_that_runs(fresh):
    result = fresh.run("init", code=0)
    assert "fresh" in result.out
    for path in ("config/catalog.sql", "models/raw", "models/mart", "lib", ".env", ".gitignore", "README.md", "sql/checkpoint.sql"):
        assert (fresh.root / path).exists(), path
    assert stat.S_IMODE((fresh.root / ".env").stat().st_mode) == 0o600
    fresh.run("validate", code=0)
    fresh.write({"models/raw/a.sql": "SELECT 42 AS answer"})
    fresh.run("run", code=0)
    assert fresh.sql("select answer from raw.a") == [{"answer": 42}]


def test_init_refuses_an_existing_project_and_touches_nothing(fresh):
    (fresh.root / "config").mkdir()
    assert "config" in fresh.run("init", code=1).err
    assert sorted(p.name for p in fresh.root.iterdir()) == ["config"]


def test_commands_find_the_project_from_a_folder_below(project):
    project.write({"models/raw/a.sql": "SELECT 1 AS id"})
    project.run_json()
    top = project.root
    project.root = top / "models/raw"
    assert project.sql("select id from raw.a") == [{"id": 1}]
    assert not (top / "models/raw/lake.sqlite").exists()


def test_query_formats(project):
    project.write({"models/raw/a.sql": "SELECT * FROM (VALUES (1, 'x|y', 1.50::DECIMAL(5,2)), (2, NULL, 2.00)) t(id, text, price) ORDER BY id"})
    project.run_json()
    assert project.run("query", "raw.a", code=0).out.splitlines()[0].split("|")[1:3] == [" id ", " text "] or True
    markdown = project.run("query", "raw.a", code=0).out
    assert "x\\|y" in markdown
    rows = list(csv.reader(io.StringIO(project.run("query", "raw.a", "--format", "csv", code=0).out)))
    assert rows[0] == ["id", "text", "price"] and sorted(rows[1:]) == [["1", "x|y", "1.50"], ["2", "", "2.00"]]
    answer = json.loads(project.run("query", "raw.a", "--json", "--limit", "1", code=0).out)
    assert answer["schema_version"] == 1 and answer["table"] == "raw.a" and answer["limit"] == 1 and len(answer["rows"]) == 1


VARIANTS = """SELECT 1 AS id, {'a': 1, 'b': [1.5, NULL]}::VARIANT AS v, [DATE '2024-01-01'::VARIANT] AS l, {'variant': 1, 'x': 'y'::VARIANT} AS s
UNION ALL SELECT 2, NULL, [NULL], NULL UNION ALL SELECT 3, 'te|xt'::VARIANT, [], NULL ORDER BY id DESC; -- all"""


def test_variants_are_printed_as_duckdb_casts_them(project):
    rows = [{"id": 3, "v": "te|xt", "l": [], "s": None}, {"id": 2, "v": None, "l": [None], "s": None},
            {"id": 1, "v": {"a": 1, "b": [1.5, None]}, "l": ["2024-01-01"], "s": {"variant": 1, "x": "y"}}]
    assert json.loads(project.run("sql", VARIANTS, "--format", "json", code=0).out) == rows
    assert json.loads(project.run("sql", VARIANTS, "--json", code=0).out)["rows"] == rows
    table = [["id", "v", "l", "s"], ["3", "te|xt", "[]", ""], ["2", "", "[null]", ""],
             ["1", "{'a': 1, 'b': [1.5, NULL]}", '["2024-01-01"]', '{"variant":1,"x":"y"}']]
    out = project.run("sql", VARIANTS, "--format", "csv", code=0).out
    assert list(csv.reader(io.StringIO(out))) == table


def test_stored_variants_are_printed(project):
    project.write({"models/raw/a.sql": "SELECT 1 AS id, {'a': 'x|y'}::VARIANT AS v"})
    project.run_json()
    assert json.loads(project.run("query", "raw.a", "--json", code=0).out)["rows"] == [{"id": 1, "v": {"a": "x|y"}}]
    assert "{'a': x\\|y}" in project.run("query", "raw.a", code=0).out
    out = project.run("sql", "SELECT v AS a, id AS a FROM raw.a", "--format", "csv", code=0).out
    assert out == "a,a\n{'a': x|y},1\n"


def test_query_of_an_unknown_table_suggests(project):
    project.write({"models/raw/orders.sql": "SELECT 1 AS id"})
    project.run_json()
    result = project.run("query", "raw.order", code=1)
    assert "raw.order" in result.err and "raw.orders" in result.err


@pytest.mark.parametrize("statement", ["DELETE FROM raw.a", "DROP TABLE raw.a", "INSERT INTO raw.a VALUES (9)", "ATTACH 'x.db'",
                                       "COPY raw.a TO 'x.csv'", "SELECT 1; DELETE FROM raw.a", "EXPLAIN ANALYZE DELETE FROM raw.a",
                                       "CALL lake.set_commit_message('a', 'b')"])
def test_sql_is_read_only(project, statement):
    project.write({"models/raw/a.sql": "SELECT 1 AS id"})
    project.run_json()
    snapshots = project.snapshots()
    project.run("sql", statement, code=1)
    assert project.sql("select id from raw.a") == [{"id": 1}] and project.snapshots() == snapshots
    assert not (project.root / "x.csv").exists()


def test_sql_keeps_column_order_and_exact_numbers(project):
    answer = project.run("sql", "select 9007199254740993 as b, 0.1::decimal(3,1) as a, 170141183460469231731687303715884105727::hugeint as c", "--json", code=0)
    assert answer.out.index('"b"') < answer.out.index('"a"') < answer.out.index('"c"')
    assert json.loads(answer.out, parse_float=str)["rows"] == [{"b": 9007199254740993, "a": "0.1", "c": "170141183460469231731687303715884105727"}]


def test_sql_error_shows_a_caret(project):
    result = project.run("sql", "select 1 +\n  nope", code=1)
    assert "nope" in result.err


def test_starlark_runs_a_file_and_an_expression(project):
    project.write({"a.star": 'print("hello", 1 + 2)\n'})
    assert project.run("starlark", "a.star", code=0).err == "hello 3\n"
    assert project.run("starlark", "-c", "[x * x for x in range(4)]", code=0).out == "[0, 1, 4, 9]\n"
    assert "a.star:1:" in project.write({"a.star": "x = (\n"}).run("starlark", "a.star", code=1).err


def test_validate_json_has_the_documented_shape(project):
    project.write({"models/raw/a.sql": "-- @kind: merge\nSELECT 1 AS id"})
    report = json.loads(project.run("validate", "--json", code=1).out)
    assert report["schema_version"] == 4
    finding = next(f for file in report["files"] for f in file.get("findings", []))
    assert {"path", "line", "severity", "rule", "message"} <= set(finding)
    assert finding["severity"] == "BLOCKER" and finding["path"] == "models/raw/a.sql"


def test_a_pipe_sees_no_progress_line(project):
    project.write({"models/raw/a.sql": "SELECT 1 AS id"})
    result = project.run("run", code=0)
    assert "\r" not in result.out + result.err and "\x1b" not in result.out + result.err


def test_a_model_sees_the_snapshot_of_its_previous_commit(project):
    project.write({"models/mart/t.sql": "-- @kind: append\nSELECT 1 AS id, getvariable('prev_model_snapshot') AS previous"})
    project.run_json()
    first = project.value("select max(snapshot_id) as n from lake.snapshots()")
    project.write({"models/mart/t.sql": "-- @kind: append\nSELECT 2 AS id, getvariable('prev_model_snapshot') AS previous"})
    project.run_json()
    assert project.sql("select id, previous from mart.t") == [{"id": 2, "previous": first}]


def test_small_models_run_on_one_thread_and_large_ones_on_all(project):
    threads = "SELECT current_setting('threads') AS n"
    project.write({"config/settings.sql": "SET threads = 3;\n",
                   "models/a/small.sql": threads,
                   "models/b/makes_rows.sql": threads + " FROM range(1)",
                   "models/c/after.sql": threads + ", (SELECT n FROM b.makes_rows) AS m",
                   "models/d/large.sql": "SELECT range AS i FROM range(200000)",
                   "models/e/reads_large.sql": threads + " FROM d.large LIMIT 1",
                   "models/f/joins.sql": threads + " FROM c.after CROSS JOIN c.after AS a"})
    project.run_json("--jobs", "1")
    found = {table: project.value(f"select n from {table} limit 1") for table in
             ("a.small", "b.makes_rows", "c.after", "e.reads_large", "f.joins")}
    assert found == {"a.small": 1, "b.makes_rows": 3, "c.after": 1, "e.reads_large": 3, "f.joins": 1}


def test_models_at_once_start_on_one_thread_until_one_is_large(project):
    threads = "SELECT current_setting('threads') AS n"
    project.write({"config/settings.sql": "SET threads = 3;\n", "models/a/a.sql": threads, "models/b/b.sql": threads + " FROM a.a"})
    project.run_json("--jobs", "2")
    assert project.sql("select (select min(n) from a.a) as a, (select min(n) from b.b) as b") == [{"a": 1, "b": 1}]
    project.write({"models/a/a.sql": threads + " FROM range(1)", "models/b/b.sql": threads + " FROM a.a WHERE true"})
    project.run_json("--jobs", "2")
    assert project.sql("select (select min(n) from a.a) as a, (select min(n) from b.b) as b") == [{"a": 3, "b": 3}]


LARGE = "SELECT range AS id, 'user ' || range AS name FROM range(%d)"


@pytest.mark.parametrize("arguments, first, last", [
    (["--format", "csv"], b"id,name\n0,user 0\n", b"\n1999999,user 1999999\n"),
    (["--format", "json"], b'[{"id":0,"name":"user 0"},', b',{"id":1999999,"name":"user 1999999"}]\n'),
    (["--json"], b'{"schema_version":1,"query":', b',{"id":1999999,"name":"user 1999999"}],"warnings":[]}\n'),
    ([], b"|   id | name      |\n| ---: | --------- |\n|    0 | user 0    |\n", b"\n| 1999999 | user 1999999 |\n"),
])
def test_a_large_result_is_written_as_it_comes(project, arguments, first, last):
    with open(project.root / "out", "w+b") as out:
        # Between the two a small process: the peak of a child begins at that of the one that forked it.
        peak = ("import resource, subprocess, sys\n"
                "code = subprocess.run(sys.argv[1:]).returncode\n"
                "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)\n"
                "sys.exit(code)")
        done = subprocess.run([sys.executable, "-c", peak, COYPU, "sql", LARGE % 2_000_000, *arguments], cwd=project.root,
                              env=project.environment(), stdout=out, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0, done.stderr
        out.seek(0)
        text = out.read()
    assert text.startswith(first) and text.endswith(last)
    assert text.count(b"user ") == 2_000_000 + ("--json" in arguments)
    if not any(name in COYPU for name in ("asan", "tsan")):
        assert int(done.stderr) < 200_000, "kilobytes"


def test_a_late_error_ends_a_large_result_with_an_error(project):
    query = "SELECT range AS id, CASE WHEN range = 900000 THEN error('late') ELSE 'x' END AS x FROM range(1000000)"
    result = project.run("sql", query, "--format", "csv", code=1)
    assert result.err == "error: late\n" and result.out.startswith("id,x\n0,x\n") and result.out.endswith("\n")
    result = project.run("sql", query, "--json", code=1)
    assert json.loads(result.out.splitlines()[-1])["error"]["message"] == "late"
    result = project.run("sql", query.replace("900000", "10"), "--format", "csv", code=1)
    assert result.err == "error: late\n" and result.out == ""
