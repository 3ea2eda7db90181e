"""What a newcomer gets wrong, and what is said about it, word for word: tests/e2e/golden/mistakes.txt has a section for each.

A message says what, where (file, line and column, with the line and a caret), why, and what to do next.  COYPU_UPDATE_GOLDEN=1
rewrites the file: read the difference."""
import os
import re
from pathlib import Path

import pytest

GOLDEN = Path(__file__).with_name("golden") / "mistakes.txt"
SOURCE = {"models/raw/src.sql": "SELECT 1 AS id, 'a' AS name, DATE '2024-01-01' AS day"}
SHOP = {"lib/shop.star": 'API = {"fetch": {"args": ["x"]}}\n\ndef fetch(x, page):\n    return {"rows": []}\n'}
CRM = {**SOURCE, "lib/crm.star": 'API = {"push": {"args": ["list", "mode"]}}\n\ndef push(rows, list, mode = "fast"):\n    return {}\n'}
FETCH = 'API = {"fetch": {}}\n\ndef fetch(page):\n    %s\n'
CATALOG = "ATTACH 'ducklake:sqlite:lake.sqlite' AS lake (DATA_PATH 'lake_data/');\n"


def m(text):
    return {"models/raw/m.sql": text}


def lib(body, api=FETCH):
    return {"lib/x.star": api % body, "models/raw/m.sql": "SELECT a::INTEGER AS a FROM x()"}


def sink(directive):
    return {**CRM, "models/sync/m.sql": f"-- @kind: merge\n-- @unique_key: id\n-- {directive}\nSELECT id::INTEGER AS id FROM raw.src"}


VALIDATE = {
    "a kind in capitals": m("-- @kind: MERGE\nSELECT 1 AS id"),
    "a kind without a value": m("-- @kind:\nSELECT 1 AS id"),
    "a kind without a colon": m("-- @kind merge\nSELECT 1 AS id"),
    "a directive in capitals": m("-- @Kind: table\nSELECT 1 AS id"),
    "a directive of another tool": m("-- @materialized: table\nSELECT 1 AS id"),
    "a directive below the SQL": m("SELECT 1 AS id\n-- @kind: merge"),
    "a directive twice": m("-- @kind: table\n-- @kind: merge\nSELECT 1 AS id"),
    "a key in quotes": m("-- @kind: merge\n-- @unique_key: 'id'\nSELECT 1 AS id"),
    "a key of two columns": m("-- @kind: merge\n-- @unique_key: id, name\nSELECT 1 AS id, 2 AS name"),
    "a key that is ignored": m("-- @unique_key: id\nSELECT 1 AS id"),
    "a merge with a group key": m("-- @kind: merge\n-- @group_key: id\nSELECT 1 AS id"),
    "a tracked with a unique key": m("-- @kind: tracked\n-- @unique_key: id\nSELECT 1 AS id"),
    "a cursor's start without a cursor": m("-- @incremental_initial: 5\nSELECT 1 AS id"),
    "a cursor that is not produced": m("-- @kind: append\n-- @incremental: at\nSELECT 1 AS id"),
    "a fetch with a value": m("-- @fetch: shop\nSELECT 1 AS id"),
    "a descending sorting": m("-- @sorted_by: id DESC\nSELECT 1 AS id"),
    "a partition by week": m("-- @partitioned_by: id, week(day)\nSELECT 1 AS id, current_date AS day"),
    "a partition of no column": m("-- @partitioned_by: idd\nSELECT 1 AS id"),
    "a partition of a quoted column": m('-- @partitioned_by: year("order")\nSELECT current_date AS "order"'),
    "a list with an empty place": m("-- @kind: tracked\n-- @group_key: a,,b\nSELECT 1 AS a, 2 AS b"),
    "a list that ends in a comma": m("-- @partitioned_by: a, \nSELECT 1 AS a"),
    "a column description without a name": m("-- @column: = x\nSELECT 1 AS a"),
    "a column without =": m("-- @column: id the key\nSELECT 1 AS id"),
    "a column that is not produced": m("-- @column: idd = the key\nSELECT 1 AS id"),
    "a masked key": m("-- @kind: merge\n-- @unique_key: id\n-- @column: id = x | mask_email\nSELECT 1 AS id"),
    "an unknown mask": m("-- @column: id = x | mask_emial\nSELECT 1 AS id"),
    "a reserved name": m("-- @kind: merge\n-- @unique_key: __ondatra_id\nSELECT 1 AS __ondatra_id"),
    "a check with an open parenthesis": m("-- @constraint: not_null(id\nSELECT 1 AS id"),
    "a check with text behind it": m("-- @constraint: not_null(id) please\nSELECT 1 AS id"),
    "an unknown check": m("-- @constraint: notnull(id)\nSELECT 1 AS id"),
    "a check of another stage": m("-- @audit: not_null(id)\nSELECT 1 AS id"),
    "a check with too few arguments": m("-- @constraint: between(id, 1)\nSELECT 1 AS id"),
    "a check with an odd operator": m("-- @constraint: compare(id, =>, 1)\nSELECT 1 AS id"),
    "a check of no column": m("-- @constraint: not_null(idd)\nSELECT 1 AS id"),
    "a sink with an open parenthesis": sink("@sink: crm('a"),
    "an unknown sink": sink("@sink: cmr('a')"),
    "a sink with too many arguments": sink("@sink: crm('a', 'b', 'c')"),
    "a sink with too few arguments": sink("@sink: crm"),
    "a sink of scd2": {**CRM, **m("-- @kind: scd2\n-- @unique_key: id\n-- @sink: crm('a')\nSELECT 1 AS id")},
    "a strict push": {**CRM, **m("-- @push: crm('a')\nSELECT id, name::VARCHAR AS n, day::DATE AS N FROM raw.src")},
    "a strict fetch": {**SHOP, **m("-- @fetch\nSELECT a, b::INTEGER AS b, lower(c)::VARCHAR AS B FROM shop('x') WHERE a > 1 LIMIT 5")},
    "a missing comma": m("SELECT 1 AS a\n 2 AS b"),
    "an open string": m("SELECT 'abc AS b\nFROM x"),
    "an open comment": m("SELECT 1 AS a /* x AS b\n"),
    "an open comment above the query": m("/* all\nSELECT 1 AS a"),
    "a statement that is no query": m("insert into raw.x SELECT 1"),
    "two statements": m("SELECT 1 AS a;\nSELECT 2 AS b;\n"),
    "no query": m("-- nothing\n"),
    "a template": m("{{ config(materialized='table') }}\nSELECT * FROM {{ ref('src') }}"),
    "a reference of a template": m("SELECT * FROM {{ ref('src') }}"),
    "names in backticks": {**SOURCE, **m("SELECT\n  `id` FROM raw.src")},
    "a pivot without values": {**SOURCE, **m("PIVOT raw.src ON name USING count(*)")},
    "a pivot without values of another": {**SOURCE, **m("PIVOT (PIVOT raw.src ON name USING count(*)) ON id USING count(*)")},
    "a plan": m("EXPLAIN SELECT 1 AS a"),
    "a list of tables": m("SHOW TABLES"),
    "a summary": {**SOURCE, **m("-- @description: x\nSUMMARIZE raw.src")},
    "two columns of one name": m('SELECT 1 AS "ID", 2 AS x,\n  3 AS "id"'),
    "two columns of one name by stars": {**SOURCE, **m("SELECT *, p.* FROM raw.src AS p")},
    "two columns of one name beside an unknown one": {**SOURCE, **m("SELECT s.id, o.*, p.id FROM raw.src AS s, other.t AS o, raw.src AS p")},
    "a table that no model makes": {**SOURCE, **m("SELECT * FROM raw.scr")},
    "a LIMIT": m("SELECT 1 AS a LIMIT 10"),
    "random rows in a tracked model": {**SOURCE, **m("-- @kind: tracked\n-- @group_key: id\nSELECT *, random() AS r FROM raw.src")},
    "a file with a hyphen": {"models/raw/my-model.sql": "SELECT 1 AS a"},
    "a file with two underscores": {"models/raw/a__b.sql": "SELECT 1 AS a"},
    "an ending in capitals": {"models/raw/a.SQL": "SELECT 1 AS a"},
    "two files of one table": {"models/raw/a.sql": "SELECT 1 AS a", "models/raw/A.sql": "SELECT 1 AS a"},
    "too many arguments of a lib": {**SHOP, **m("-- @fetch\nSELECT a::INTEGER AS a FROM shop('a', 2)")},
    "too few arguments of a lib": {**SHOP, **m("-- @fetch\nSELECT a::INTEGER AS a FROM shop()")},
    "an argument that a lib does not have": {**SHOP, **m("-- @fetch\nSELECT a::INTEGER AS a FROM shop(y := 'a')")},
    "import in a lib": lib("return []", "import requests\n" + FETCH),
    "is None in a lib": lib("return [] if page is None else []"),
    "try in a lib": lib("try:\n        pass\n    except:\n        pass"),
    "an f-string in a lib": lib('return {"rows": [f"{page}"]}'),
    "an unknown key of the API dict": lib("return []", 'API = {"fetch": {"argz": []}}\n\ndef fetch(page):\n    %s\n'),
    "an unknown name in a lib": lib("return reqests.get('x')"),
    "a line of .env without =": {**m("SELECT 1 AS a"), ".env": "# fine\nTOKEN abc123secret\nX=1\n"},
}

RUN = {
    "a function that does not exist": {**SOURCE, **m("SELECT uper(name) AS n FROM raw.src")},
    "text in double quotes": {**SOURCE, **m('SELECT * FROM raw.src\nWHERE name = "a"')},
    "a column that is ambiguous": {**SOURCE, **m("SELECT id FROM raw.src a JOIN raw.src b ON a.id = b.id")},
    "a column that is not grouped": {**SOURCE, **m("SELECT id, count(*) AS n FROM raw.src")},
    "two columns of one name": {**SOURCE, **m("SELECT a.id, b.id FROM raw.src a JOIN raw.src b ON a.id = b.id")},
    "a BIT": m("SELECT 1 AS a,\n  '101'::BIT AS b"),
    "a list of a fixed length": m("SELECT 1 AS a,\n  [[1, 2]::INTEGER[2]] AS b"),
    "a UNION": m("SELECT {'a': union_value(n := 1)} AS b"),
    "an integer of more digits than a lake keeps": m("-- @constraint: not_null(x)\nSELECT 1 AS a,\n  170141183460469231731687303715884105727::HUGEINT - a AS x"),
    "a BIGNUM": m("SELECT * FROM (SELECT 1::BIGNUM AS b)"),
    "a BIT in a struct": m("SELECT {'BIT': 'a[1]', 'e': '101'::BIT} AS b"),
    "a value that cannot be cast": {**SOURCE, **m("SELECT\n  name::INTEGER AS n\nFROM raw.src")},
    "branches of different width": {**SOURCE, **m("SELECT id FROM raw.src UNION ALL SELECT id, name FROM raw.src")},
    "a file that is not there": m("SELECT * FROM read_csv('data/x.csv')"),
    "a file by its name that is not there": m("SELECT *\nFROM 'data/x.csv'"),
    "a database that is not attached": {**SOURCE, **m("SELECT *\nFROM prod.raw.src")},
    "a model that reads itself": m("SELECT * FROM raw.m"),
    "a lib of another name": {**SHOP, **m("SELECT * FROM shpo('x')")},
    "a column as an argument of a lib": {**SOURCE, **SHOP, **m("SELECT * FROM raw.src, shop(id)")},
    "a check of one's own that fails": {**m("-- @constraint: mine(id)\nSELECT 1 AS id"),
                                        "config/macros/m.sql": "CREATE MACRO ondatra_constraint_mine(t, col) AS TABLE SELECT error('bang') FROM query_table(t);"},
    "fetch() without rows": lib("pass"),
    "fetch() that returns a list": lib('return [{"a": 1}]'),
    "fetch() that fails": lib('fail("no luck")'),
    "fetch() without an answer": lib('return {"rows": http.get("/x").json}', FETCH.replace('{"fetch"', '{"base_url": "http://127.0.0.1:1", "retry": 0, "fetch"')),
    "a value of fetch() that cannot be cast": lib('return {"rows": [{"a": "x1"}]}'),
    "a line of .env without =": {**m("SELECT 1 AS a"), ".env": "TOKEN abc123secret\n"},
    "a file that gives no model": {"models/raw/my-model.sql": "SELECT 1 AS a"},
    "a secret in an error": {**m("SELECT getvariable('pw')::INTEGER AS a"), ".env": "PW=hunter2hunter2\n",
                             "config/variables/constants.sql": "SET VARIABLE pw = '${PW}';"},
    "a lake that is no DuckLake": {"config/catalog.sql": "ATTACH 'lake.db' AS lake;\n", **m("SELECT 1 AS a")},
    "a lake in MySQL": {"config/catalog.sql": "ATTACH 'ducklake:mysql:host=x' AS lake (DATA_PATH 'd');\n", **m("SELECT 1 AS a")},
    "an unknown option of the lake": {"config/catalog.sql": CATALOG.replace("DATA_PATH", "DATAPATH"), **m("SELECT 1 AS a")},
    "no lake": {"config/catalog.sql": "-- nothing\n", **m("SELECT 1 AS a")},
    "a secret in the lake's place": {"config/catalog.sql": CATALOG.replace("lake.sqlite", "/nosuch/${PW}/l.sqlite"), ".env": "PW=hunter2hunter2\n",
                                     **m("SELECT 1 AS a")},
    "a setting without SET": {"config/settings.sql": "threads = 4\n", **m("SELECT 1 AS a")},
    "an order for all queries": {"config/settings.sql": "SET threads = 2;\nSET GLOBAL default_order = 'desc';\n", **m("SELECT 1 AS a")},
    "a collation for all queries": {"config/settings.sql": "SET default_collation = 'NOCASE';\n", **m("SELECT 1 AS a")},
    "errors as text": {"config/variables/global.sql": "SET \"errors_as_json\" = false;\n", **m("SELECT 1 AS a")},
    "settings as they are": {"config/settings.sql": "SET default_order = 'ASC';\nSET default_collation = 'C';\nSET default_collation = '';\n"
                             "SET errors_as_json = true;\nSET default_null_order = 'nulls_first';\n", **m("SELECT 1 AS a")},
    "an undefined variable": {"config/settings.sql": "SET VARIABLE x = '${TOKN}';\n", ".env": "TOKEN=abc123secret\n", **m("SELECT 1 AS a")},
    "an unknown parameter of a secret": {"config/secrets.sql": "CREATE SECRET s (TYPE s3, KEY_IDD 'x', SECRET '${S3}');\n", ".env": "S3=verysecret1\n",
                                         **m("SELECT 1 AS a")},
    "a macro that is no SQL": {"config/macros/m.sql": "CREATE MACRO f(x) AS x +;\n", **m("SELECT 1 AS a")},
    "a macro of an unknown function": {"config/macros/m.sql": "CREATE MACRO f(x) AS nosuch(x);\n", **m("SELECT 1 AS a")},
    "a state store elsewhere": {"config/state.sql": "ATTACH 'mysql:x' AS state (TYPE mysql);\n", **m("SELECT 1 AS a")},
}

COMMANDS = {
    "rnu": 2, "--hlep": 2, "run --jbos 3": 2, "run --jobs x": 2, "run --jobs 0": 2, "run --jobs": 2, "run --lock-timeout soon": 2,
    "run raw.scr": 1, "run src": 1, "run raw": 1, "run models/raw/src.sql": 1, "run +raw.scr": 1, "run raw.src extra": 2,
    "describe raw.scr": 1, "history raw.scr": 1, "lineage raw.src.idd": 1, "impact raw.scr": 1, "edit raw.scr": 1, "stats x": 2,
    "query": 2, "query raw.scr": 1, "query raw.src --limit x": 2, "query raw.src --format xml": 2, "dag --format png": 2,
    "new ../x.sql": 1, "new raw.src.sql": 1, "new a.b.py": 1, "new lib 9x": 1, "push": 2, "push dead": 2, "push reset nope": 1,
    "validate nosuch.sql": 2, "describe blueprint nope": 1, "completions tcsh": 2, "sql SELEC": 1,
}


def told(result):
    text = result.out + result.err
    text = re.sub(r"\d+(\.\d+)?(ms|s)\b", "TIME", text)
    return re.sub(r"/tmp/\S*?/project", "PROJECT", text).replace("PROJECT/", "")


def golden():
    return dict(re.findall(r"^════ (.*)\n((?:(?!════ ).*\n)*)", GOLDEN.read_text() if GOLDEN.exists() else "", re.M))


def check(name, text):
    assert not re.search("abc123secret|hunter2|verysecret1", text), text
    if os.environ.get("COYPU_UPDATE_GOLDEN"):
        GOLDEN.write_text("".join(f"════ {n}\n{t}" for n, t in {**golden(), name: text}.items()))
    assert text == golden()[name]


@pytest.mark.parametrize("case", VALIDATE)
def test_validate_of(project, case):
    project.write(VALIDATE[case])
    check(f"validate: {case}", told(project.run("validate")))


@pytest.mark.parametrize("case", RUN)
def test_run_of(project, case):
    project.write(RUN[case])
    check(f"run: {case}", told(project.run("run")))


@pytest.mark.parametrize("case", RUN)
def test_json_of(project, case):
    """The same messages, each once, and no secret."""
    project.write(RUN[case])
    out = project.run("run", "--json").out
    assert not re.search("abc123secret|hunter2|verysecret1", out), out
    messages = re.findall(r'(?:ERROR: |error: |WARN: |warning: )(?:[\w./]+:\d+:?\d*:? )?(.*)', golden()[f"run: {case}"])
    assert all(out.count('"' + m.replace('"', '\\"')) >= 1 for m in messages if "TIME" not in m), (messages, out)


@pytest.mark.parametrize("command", COMMANDS)
def test_command(project, command):
    project.write(SOURCE)
    check(f"coypu {command}", told(project.run(*command.split(), code=COMMANDS[command], EDITOR="true")))
