"""What each error must name (models.md §16), word for word as people see it."""
import fcntl
import os
import re
import shutil
import subprocess
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from conftest import COYPU, ROOT


def told(result):
    """Standard output and error without times and ids."""
    text = result.out + result.err
    text = re.sub(r"\d+(\.\d+)?(ms|s)\b", "TIME", text)
    return text


KEYED = "-- @kind: merge\n-- @unique_key: id\n"

CASES = {
    "a kind that does not exist": (
        {"models/a.sql": "-- @kind: merg\nSELECT 1 AS a"},
        """[FAILED] main.a (table, backfill, 0 rows, TIME — first run)
  ERROR: models/a.sql:1:11: @kind: "merg" is not one of table, append, merge, tracked, scd2
    -- @kind: merg
              ^
    hint: did you mean merge?
Done: 0 ran, 0 skipped, 1 failed (0 rows, TIME)
"""),
    "a directive that does not exist": (
        {"models/a.sql": "-- @uniqe_key: a\nSELECT 1 AS a"},
        """[FAILED] main.a (table, backfill, 0 rows, TIME — first run)
  ERROR: models/a.sql:1:5: unknown directive @uniqe_key
    -- @uniqe_key: a
        ^
    hint: did you mean @unique_key?
Done: 0 ran, 0 skipped, 1 failed (0 rows, TIME)
"""),
    "a syntax error": (
        {"models/a.sql": "-- @kind: table\nSELECT 1 AS a,\n  FROM WHERE"},
        """[FAILED] main.a (table, backfill, 0 rows, TIME — first run)
  ERROR: models/a.sql:3:8: syntax error at or near "WHERE"
      FROM WHERE
           ^
Done: 0 ran, 0 skipped, 1 failed (0 rows, TIME)
"""),
    "a column that does not exist": (
        {"models/a.sql": "SELECT 1 AS amount", "models/b.sql": "SELECT\n  amont\nFROM a"},
        """[OK] main.a (table, backfill, 1 rows, TIME — first run)
[FAILED] main.b (table, backfill, 0 rows, TIME — first run)
  ERROR: models/b.sql:2:3: referenced column "amont" not found in FROM clause
      amont
      ^
    hint: candidate bindings: "amount"
Done: 1 ran, 0 skipped, 1 failed (1 rows, TIME)
"""),
    "a table with a near name": (
        {"models/raw/orders.sql": "SELECT 1 AS a", "models/mart/b.sql": "SELECT *\nFROM raw.order"},
        """[FAILED] mart.b (table, backfill, 0 rows, TIME — first run)
  ERROR: models/mart/b.sql:2:6: mart.b reads raw.order, which no model makes
    FROM raw.order
         ^
    hint: did you mean raw.orders?
[OK] raw.orders (table, backfill, 1 rows, TIME — first run)
Done: 1 ran, 0 skipped, 1 failed (1 rows, TIME)
"""),
    "a schema that does not exist": (
        {"models/mart/c.sql": "SELECT * FROM elsewhere.x"},
        """[FAILED] mart.c (table, backfill, 0 rows, TIME — first run)
  ERROR: models/mart/c.sql:1:15: mart.c reads elsewhere.x, which no model makes
    SELECT * FROM elsewhere.x
                  ^
    hint: no model and no table is in a schema elsewhere
Done: 0 ran, 0 skipped, 1 failed (0 rows, TIME)
"""),
    "a key that the query does not produce": (
        {"models/a.sql": KEYED + "SELECT 1 AS a, 2 AS b"},
        """[FAILED] main.a (merge, backfill, 0 rows, TIME — first run)
  ERROR: models/a.sql:2:17: @unique_key names "id", which the query does not produce
    -- @unique_key: id
                    ^
    hint: it produces: a, b
Done: 0 ran, 0 skipped, 1 failed (0 rows, TIME)
"""),
    "NULL keys": (
        {"models/a.sql": KEYED + "SELECT * FROM (VALUES (NULL), (NULL), (1)) v(id)"},
        """[FAILED] main.a (merge, backfill, 0 rows, TIME — first run)
  ERROR: models/a.sql:2:17: key column "id" is NULL in 2 rows
    -- @unique_key: id
                    ^
    hint: leave them out with WHERE "id" IS NOT NULL; `-- @constraint: not_null(id)` where they come from finds them earlier
Done: 0 ran, 0 skipped, 1 failed (0 rows, TIME)
"""),
    "duplicate keys": (
        {"models/a.sql": KEYED + "SELECT * FROM (VALUES (1), (1), (2), (2), (3)) v(id)"},
        """[FAILED] main.a (merge, backfill, 0 rows, TIME — first run)
  ERROR: models/a.sql:2:17: key column "id" is not unique: 2 values occur more than once, such as 1, 2
    -- @unique_key: id
                    ^
    hint: keep one row a key with QUALIFY row_number() OVER (PARTITION BY "id" ORDER BY …) = 1; `-- @constraint: unique(id)` where they come from finds them earlier
Done: 0 ran, 0 skipped, 1 failed (0 rows, TIME)
"""),
    "failed constraints": (
        {"models/a.sql": KEYED + "-- @constraint: compare(x, >=, 0)\n-- @constraint: not_null(x)\n"
                                 "SELECT * FROM (VALUES (1, -1), (2, -2), (3, 3), (4, NULL)) v(id, x)"},
        """[FAILED] main.a (merge, backfill, 0 rows, TIME — first run)
  ERROR: models/a.sql:3:17: @constraint: compare(x, >=, 0) failed: x is not >= 0 in 2 of 4 rows (id: 1, 2)
    -- @constraint: compare(x, >=, 0)
                    ^
  ERROR: models/a.sql:4:17: @constraint: not_null(x) failed: x is NULL in 1 of 4 rows (id: 4)
    -- @constraint: not_null(x)
                    ^
Done: 0 ran, 0 skipped, 1 failed (0 rows, TIME)
"""),
    "a failed audit, and what stands behind it": (
        {"models/a.sql": "-- @audit: sum(x, <, 10)\nSELECT 12 AS x", "models/b.sql": "SELECT * FROM a", "models/c.sql": "SELECT * FROM b"},
        """[FAILED] main.a (table, backfill, 0 rows, TIME — first run)
  ERROR: models/a.sql:1:12: @audit: sum(x, <, 10) failed: sum(x) is 12, not < 10
    -- @audit: sum(x, <, 10)
               ^
[SKIPPED] main.b (table, backfill, 0 rows, TIME — main.a failed: @audit: sum(x, <, 10) failed: sum(x) is 12, not < 10)
[SKIPPED] main.c (table, backfill, 0 rows, TIME — main.a failed: @audit: sum(x, <, 10) failed: sum(x) is 12, not < 10)
Done: 0 ran, 0 skipped, 1 failed, 2 behind a failure (0 rows, TIME)
"""),
    "a doubled partition": (
        {"models/a.sql": "-- @partitioned_by: a, A\nSELECT 1 AS a"},
        """[FAILED] main.a (table, backfill, 0 rows, TIME — first run)
  ERROR: models/a.sql:1:24: @partitioned_by: "A" is named twice
    -- @partitioned_by: a, A
                           ^
Done: 0 ran, 0 skipped, 1 failed (0 rows, TIME)
"""),
    "a cycle": (
        {"models/a.sql": "SELECT * FROM b", "models/b.sql": "SELECT * FROM c", "models/c.sql": "SELECT * FROM a"},
        """models/a.sql:1:15: error: the models read each other: main.a (models/a.sql) → main.b (models/b.sql) → main.c (models/c.sql) → main.a
  SELECT * FROM b
                ^
  hint: one of them must read something else
"""),
    "a failing config statement": (
        {"config/settings.sql": "-- first\nSET threads = 2;\nSET no_such_setting = '${TOKEN}';\n", ".env": "TOKEN=secret-value-1\n",
         "models/a.sql": "SELECT 1 AS a"},
        """config/settings.sql:3:1: error: unrecognized configuration parameter "no_such_setting"
  SET no_such_setting = '${TOKEN}';
  ^
  hint: did you mean: "schema"
"""),
    "a variable that is not set": (
        {"config/settings.sql": "SET threads = 2;\nSET x = '${NOPE}';\n", "models/a.sql": "SELECT 1 AS a"},
        """config/settings.sql:2:10: error: ${NOPE} is not defined
  SET x = '${NOPE}';
           ^
  hint: set NOPE in .env or in the environment
"""),
}


@pytest.mark.parametrize("case", CASES)
def test_the_message_of(project, case):
    files, expected = CASES[case]
    project.write(files)
    assert told(project.run("run", code=1)) == expected


def test_json_names_the_ancestor_and_its_first_error(project):
    project.write({"models/a.sql": "SELECT 'x'::INTEGER AS a", "models/b.sql": "SELECT * FROM a"})
    blocked = project.run_json(code=1).models["main.b"]
    assert blocked["skipped_because"] == "main.a"
    assert blocked["skipped_error"] == "could not convert string 'x' to INT32"


@pytest.mark.parametrize("seconds, age", [(30, "30 s"), (12 * 60 + 5, "12 min"), (3 * 3600 + 300, "3 h 5 min"), (52 * 3600, "2 d 4 h"), (-60, "0 s")])
def test_who_holds_the_lock_and_for_how_long(project, seconds, age):
    project.write({"models/a.sql": "SELECT 1 AS a"})
    (project.root / ".coypu").mkdir()
    since = datetime.fromtimestamp(time.time() - seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    with open(project.root / ".coypu/run.lock", "w", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write(f"pid 4711, coypu run, since {since}\n")
        held.flush()
        message = project.run("run", code=1).err.replace("for 31 s", "for 30 s")
        assert message == (f"error: another run holds this project: pid 4711, coypu run, for {age} (since {since})\n"
                           "  hint: wait for it to end, or give --lock-timeout SECONDS\n")


def test_a_holder_that_has_not_written_its_name_yet(project):
    project.write({"models/a.sql": "SELECT 1 AS a"})
    (project.root / ".coypu").mkdir()
    with open(project.root / ".coypu/run.lock", "w", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert project.run("run", code=1).err.startswith("error: another run holds this project\n  hint: ")


KEYED_STATE = {"lib/crm.star": 'API = {"push": {}}\n\ndef push(rows):\n    return {str(r["__ondatra_rowid"]) + ":" + r["__ondatra_change_type"]: "reject: no" for r in rows}\n',
               "models/raw/src.sql": "SELECT 1 AS id", "models/sync/t.sql": "-- @kind: merge\n-- @unique_key: id\n-- @sink: crm\nSELECT id FROM raw.src"}


def keyed(project):
    """A project whose state store holds something encrypted: a dead letter."""
    project.write(KEYED_STATE)
    project.run("run", code=None)
    assert "id" in project.run("push", "dead", "sync.t", code=0).out
    return project.root.resolve() / ".coypu/state.db"


LOST = "without it the tokens, failed rows and jobs kept there cannot be read"


def test_a_state_key_that_is_missing(project):
    state = keyed(project)
    (project.root / ".coypu/state.key").unlink()
    assert project.run("run", code=1).err == (
        f"error: the state key is missing: {state} was written with one, and neither ONDATRA_STATE_KEY (in .env or the environment) "
        f"nor .coypu/state.key is there\n  hint: bring the key back: {LOST}\n")


@pytest.mark.parametrize("command", [("run",), ("push", "status"), ("push", "dead", "sync.t")])
@pytest.mark.parametrize("where", [".env", "the environment", ".coypu/state.key"])
def test_a_state_key_that_is_another_one(project, where, command):
    state = keyed(project)
    variables = {"ONDATRA_STATE_KEY": "another-secret-key"} if where == "the environment" else {}
    if where != "the environment":
        project.write({where: "ONDATRA_STATE_KEY=another-secret-key\n" if where == ".env" else "another-secret-key\n"})
    name, what = ("it", "") if where == ".coypu/state.key" else ("ONDATRA_STATE_KEY", "ONDATRA_STATE_KEY of ")
    result = project.run(*command, code=1, **variables)
    assert result.err == (f"error: {what}{where} is not the key that {state} was written with\n"
                          f"  hint: set {name} to the key of then: {LOST}; to go on without them, move that state away\n")
    assert "another-secret-key" not in result.out + result.err


ROLLED_BACK = {
    "a constraint": ("-- @kind: merge\n-- @unique_key: id\n-- @constraint: not_null(w)\n", "NULL::INTEGER AS w"),
    "an audit": ("-- @audit: row_count(>, 5)\n", "2 AS w"),
    "a value": ("", "error('no')::INTEGER AS w"),
    "history": ("-- @kind: scd2\n-- @unique_key: w\n-- @audit: row_count(>, 5)\n", "2 AS w"),
    "an append's rows": ("-- @kind: append\n-- @audit: row_count(>, 5)\n", "2 AS w"),
}


@pytest.mark.parametrize("case", ROLLED_BACK)
def test_what_was_rolled_back_is_not_told_as_done(project, case):
    """"columns changed", "drops … historical versions", "removes … rows"."""
    header, column = ROLLED_BACK[case]
    kind = "\n".join(line for line in header.splitlines() if "@kind" in line)
    for i in (1, 2):
        project.write({"models/a.sql": f"{kind}\n-- @unique_key: id\nSELECT 1 AS id, {i} AS v" if kind else f"SELECT 1 AS id, {i} AS v"})
        project.run("run", code=0)
    before = project.sql("SELECT * FROM main.a ORDER BY ALL")
    project.write({"models/a.sql": f"{header}SELECT 3 AS id, {column}"})
    failed = project.run_json(code=1).models["main.a"]
    assert failed["warnings"] == [] and len(failed["errors"]) == 1
    assert project.sql("SELECT * FROM main.a ORDER BY ALL") == before
    project.write({"models/a.sql": f"{kind}\n-- @unique_key: w\nSELECT 3 AS id, 2 AS w" if kind else "SELECT 3 AS id, 2 AS w"})
    done = project.run_json(code=0).models["main.a"]["warnings"]
    assert any(w.startswith("columns changed: ") for w in done), done


def test_an_extension_that_is_not_installed(project, tmp_path):
    """A copy of the program, so that it does not find the extensions beside the build."""
    project.write({"models/a.sql": "SELECT 1 AS a"})
    deps = Path(os.environ.get("COYPU_DEPS_DIR", ROOT / "build/deps"))
    (tmp_path / "deps/extensions").mkdir(parents=True)
    (tmp_path / "deps/lib").symlink_to((deps / "lib").resolve())
    (tmp_path / "bin").mkdir()
    program = shutil.copy(COYPU, tmp_path / "bin/coypu")
    done = subprocess.run([program, "run"], cwd=project.root, env=project.environment(COYPU_DEPS_DIR=str(tmp_path / "deps")),
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.stderr == (
        f"config/catalog.sql:1:1: error: the DuckDB extension ducklake is not in {tmp_path}/deps/extensions\n"
        "  ATTACH 'ducklake:sqlite:lake.sqlite' AS lake (DATA_PATH 'lake_data/');\n  ^\n"
        "  hint: run ./dev setup to install it\n")


def test_a_cursor_that_is_no_time_is_told_its_start(project):
    project.write({"models/raw/t.sql": "-- @kind: append\n-- @incremental: id\n"
                                       "SELECT 1 AS id WHERE 1 > getvariable('incr_last_value')::BIGINT\n"})
    model = project.run_json(code=1).models["raw.t"]
    assert model["errors_detail"][0]["hint"] == (
        "that is where a cursor without rows starts; set `-- @incremental_initial: 0` (or whatever comes before the first \"id\")")


def test_a_source_that_never_ran_is_told_where_its_table_is_there_already(project):
    """The tables of a run are made before it: a failed first run leaves an empty one, which is not a result."""
    project.write({"models/a.sql": "SELECT 1 AS id", "models/b.sql": "SELECT id FROM a WHERE error('boom') IS NULL",
                   "models/c.sql": "SELECT id FROM b"})
    project.run("run", code=1)
    result = project.run("run", "c", code=1)
    assert "main.c reads main.b, which has not run yet" in result.out and "run `coypu run +main.c`" in result.out
    project.write({"models/b.sql": "SELECT id FROM a WHERE false"})
    project.run("run", "b", code=0)
    project.run("run", "c", code=0)


def test_a_model_that_reads_itself_is_told_so_in_its_first_run(project):
    project.write({"models/a.sql": "SELECT 1 AS id UNION ALL SELECT id + 1 FROM a"})
    result = project.run("run", code=1)
    assert "main.a reads main.a, which has not run yet" in result.out
    assert "hint: a model can read itself from its second run on: let the first do without" in result.out


def test_a_row_without_field_names_is_no_column(project):
    project.write({"models/a.sql": "SELECT 1 AS id, (id, 2) AS pair"})
    result = project.run("run", code=1)
    assert 'column "pair" is a row whose fields have no names, which no table holds' in result.out
    assert "hint: name its fields: {'a': …, 'b': …}" in result.out
    project.write({"models/a.sql": "SELECT 1 AS id, [{'a': 1}] AS pair, {'b': (1, 2)[1]} AS s"})
    project.run("run", code=0)


def test_a_dry_run_says_what_would_run(project):
    project.write({"models/a.sql": "SELECT 1 AS id"})
    assert "\nDone: 1 would run, 0 skipped, 0 failed (0 rows" in project.run("run", "--dry-run", code=0).out
    assert "\nDone: 1 ran, 0 skipped, 0 failed (1 rows" in project.run("run", code=0).out


def test_a_changed_type_is_told_with_an_arrow(project):
    project.write({"models/a.sql": "SELECT 1 AS id, 'x' AS v"})
    project.run_json()
    project.write({"models/a.sql": "SELECT 1 AS id, 2 AS v"})
    assert project.run_json().models["main.a"]["warnings"] == ["columns changed: v: VARCHAR → INTEGER"]


def test_a_masked_cursor_is_told_apart_from_a_masked_key(project):
    project.write({"models/a.sql": "-- @kind: append\n-- @incremental: at\n-- @column: at = when | redact\nSELECT '1' AS at"})
    assert "hint: a masked cursor does not say where to go on: use another column" in project.run("run", code=1).out


def test_a_mask_of_a_history_says_what_it_does_not_hide(project):
    header = "-- @kind: scd2\n-- @unique_key: id\n"
    project.write({"models/h.sql": header + "SELECT 1 AS id, 'a@x.org' AS email"})
    project.run_json()
    project.write({"models/h.sql": header + "-- @column: email = e | mask_email\nSELECT 1 AS id, 'a@x.org' AS email"})
    message = ("the closed versions keep email as it was before this mask: "
               "`coypu run main.h --full-refresh` drops them")
    assert project.run_json().models["main.h"]["warnings"] == [message]
    assert project.sql("select email, is_current from main.h order by all") == [
        {"email": "a***@x.org", "is_current": True}, {"email": "a@x.org", "is_current": False}]
    project.run_json("main.h", "--full-refresh")
    assert project.sql("select email from main.h") == [{"email": "a***@x.org"}]


def test_no_destructive_refuses_to_remove_what_an_append_has_gathered(project):
    project.write({"d.csv": "id\n1\n2\n", "models/a.sql": "-- @kind: append\nSELECT id FROM read_csv('d.csv')"})
    project.run_json()
    project.write({"d.csv": "id\n3\n"})
    project.run_json()
    project.write({"models/a.sql": "-- @kind: append\nSELECT id + 0 AS id FROM read_csv('d.csv')"})
    snapshots = project.snapshots()
    refused = project.run("run", "--no-destructive", code=1)
    assert "ERROR: models/a.sql:2:1: the backfill would remove 2 rows that the query does not give any more\n" in refused.out
    assert "    hint: run without --no-destructive to accept it\n" in refused.out
    assert project.snapshots() == snapshots and project.value("select count(*) as n from main.a") == 3
    assert "the backfill removes 2 rows that the query does not give any more" in (
        project.run_json().models["main.a"]["warnings"])
