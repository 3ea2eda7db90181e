"""config/macros, config/sources.sql and config/variables: what a session has of them (models.md §2)."""
import json
import sqlite3

import pytest


def in_lake(project):
    """What stands in the lake beside the tables of the models."""
    return [r["n"] for r in project.sql(
        "select function_name as n from duckdb_functions() where database_name = 'lake' and not internal "
        "union all select view_name from duckdb_views() where database_name = 'lake' and not internal order by 1")]


# ── Macros ──

@pytest.mark.parametrize("head, call", [
    ("CREATE MACRO foo", "main.foo"),
    ("CREATE MACRO main.foo", "main.foo"),
    ("CREATE MACRO lake.foo", "foo"),
    ("CREATE OR REPLACE MACRO lake.main.foo", "foo"),
    ("CREATE FUNCTION \"lake\" . \"main\" /* here */ . \"foo\"", "main.foo"),
    ("CREATE MACRO IF NOT EXISTS main.foo", "foo"),
    ("CREATE TEMP MACRO foo", "memory.foo"),
    ("CREATE TEMPORARY FUNCTION IF NOT EXISTS foo", "foo"),
    ("create -- a comment\n or replace macro memory.main.foo", "main.foo"),
    ("CREATE MACRO raw.foo", "foo"),
])
def test_a_macro_belongs_to_the_session_wherever_it_was_to_be_made(project, head, call):
    project.write({"config/macros/q.sql": f"{head}(x) AS x + 1;\n", "models/t.sql": f"SELECT {call}(1) AS id\n"})
    project.run("run", code=0)
    assert project.run_json().models["main.t"]["run_type"] == "skip"
    assert project.value(f"SELECT {call}(41)") == 42
    project.run("stats", code=0)
    assert in_lake(project) == []


def test_if_not_exists_leaves_a_macro_of_that_name_alone(project):
    project.write({"config/macros/a.sql": "CREATE MACRO f(x) AS 'first';\n",
                   "config/macros/b.sql": "CREATE MACRO IF NOT EXISTS f(x) AS 'second';\n"})
    assert project.value("SELECT f(1)") == "first"


def test_the_statement_of_a_macro_file_that_failed_is_named(project):
    """Those before it ran in the first pass and are not tried again; a mistake counts before what may come."""
    project.write({"config/macros/a.sql": "CREATE TYPE memory.mood AS ENUM ('sad');\n"
                                          "CREATE MACRO f(x) AS x;\n"
                                          "CREATE MACRO g(x) AS TABLE FROM later(x);\n",
                   "config/macros/b.sql": "\nCREATE MACRO later(x) AS AS x;\n"})
    result = project.run("run", code=1)
    assert 'config/macros/b.sql:2:1: error: syntax error at or near "AS"' in result.err, result
    project.write({"config/macros/b.sql": "CREATE MACRO later(x) AS TABLE SELECT x AS x;\n"})
    assert project.sql("FROM g(3)") == [{"x": 3}]


# ── Views of config/sources.sql ──

SOURCES = "ATTACH 'shop.sqlite' AS ext (TYPE sqlite, READ_ONLY);\n"


@pytest.fixture
def shop(project):
    """A project with a database of somebody else's, ext.orders."""
    with sqlite3.connect(project.root / "shop.sqlite") as connection:
        connection.executescript("CREATE TABLE orders (id INTEGER, name TEXT);"
                                 "INSERT INTO orders VALUES (0, 'x'), (1, 'y'), (2, 'z');"
                                 "CREATE TABLE two AS SELECT 2 AS id;")
    return project.write({"config/sources.sql": SOURCES})


def go_down(project):
    (project.root / "shop.sqlite").rename(project.root / "gone.sqlite")


@pytest.mark.parametrize("create, name", [
    ("CREATE OR REPLACE VIEW v_o AS", "v_o"),
    ("CREATE VIEW v_o AS", "main.v_o"),
    ("CREATE VIEW IF NOT EXISTS v_o AS", "v_o"),
    ("CREATE TEMP VIEW v_o AS", "v_o"),
    ("CREATE VIEW lake.main.v_o AS", "v_o"),
    ("CREATE VIEW memory.v_o AS", "memory.v_o"),
    ("-- a view\ncreate or replace temporary view /* ! */ \"main\" . \"v_o\" (id) as", "main.v_o"),
])
def test_a_view_of_sources_belongs_to_the_session(shop, create, name):
    shop.write({"config/sources.sql": SOURCES + f"{create} SELECT id FROM ext.orders WHERE id > 0;\n",
                "models/t.sql": f"SELECT * FROM {name}\n"})
    assert shop.sql(f"SELECT * FROM {name} ORDER BY id") == [{"id": 1}, {"id": 2}]
    assert shop.value("SELECT count(*) FROM ext.orders") == 3
    assert shop.run("query", "v_o", "--format", "csv", code=0).out == "id\n1\n2\n"
    assert shop.run("query", name, "--limit", "1", "--format", "csv", code=0).out == "id\n1\n"
    shop.run("sandbox", code=0)
    shop.run("validate", code=0)
    assert "ext.main.orders" in shop.run("lineage", "main.t", code=0).out.replace("ext.orders", "ext.main.orders")
    shop.run("run", code=0)
    before = shop.snapshots()
    assert shop.run_json().models["main.t"]["run_type"] == "full"
    assert shop.snapshots() == before
    assert in_lake(shop) == []


def test_views_of_sources_read_models_and_one_another_before_the_first_run(project):
    """With --jobs, too: every thread has them."""
    project.write({
        "config/sources.sql": "CREATE VIEW v_b AS SELECT a.id, b.id AS other FROM v_a AS a, raw.o AS b;\n"
                              "CREATE VIEW v_a AS WITH o AS (SELECT id FROM raw . \"o\") SELECT * FROM o;\n",
        "models/raw/o.sql": "SELECT 1 AS id\n",
        "models/mart/b.sql": "SELECT * FROM v_b\n",
        "models/mart/c.sql": "SELECT other FROM v_b\n",
    })
    assert {m["status"] for m in project.run_json("--jobs", "3").models.values()} == {"ok"}
    assert project.sql("FROM mart.b") == [{"id": 1, "other": 1}]
    assert {m["run_type"] for m in project.run_json().models.values()} == {"skip"}
    project.write({"models/raw/o.sql": "SELECT 2 AS id\n"})
    project.run("run", code=0)
    assert project.sql("FROM mart.b") == [{"id": 2, "other": 2}]


def test_a_view_that_stood_in_the_lake_makes_room(shop):
    shop.write({"sql/v.sql": "CREATE VIEW v AS SELECT 'old' AS id;", "models/t.sql": "SELECT id FROM v\n"})
    shop.run("v", code=0)
    assert in_lake(shop) == ["v"]
    shop.write({"config/sources.sql": "CREATE OR REPLACE VIEW v AS SELECT 'new' AS id;\n"})
    shop.run("run", code=0)
    assert shop.value("SELECT id FROM t") == "new"
    assert in_lake(shop) == []


@pytest.mark.parametrize("create", ["CREATE VIEW", "CREATE OR REPLACE VIEW", "CREATE VIEW IF NOT EXISTS"])
def test_a_view_of_another_schema_is_made_in_the_lake_once(shop, create):
    """In memory it could not be found as raw.v."""
    shop.write({"config/sources.sql": SOURCES + f"{create} raw.v (nr) AS SELECT id FROM raw.o;\n",
                "models/raw/o.sql": "SELECT 1 AS id\n", "models/t.sql": "SELECT nr FROM raw.v\n"})
    shop.run("run", code=0)
    assert in_lake(shop) == ["v"]
    assert shop.sql("SELECT * FROM raw.v") == shop.sql("SELECT * FROM t") == [{"nr": 1}]
    before = shop.snapshots()
    shop.write({"models/u.sql": "SELECT id FROM ext.orders WHERE id > 9\n"})
    shop.run("run", code=0)
    made = shop.snapshots()
    shop.run("run", code=0)
    assert shop.snapshots() == made and before < made <= before + 2
    shop.write({"config/sources.sql": SOURCES + f"{create} raw.v (nr) AS SELECT id + 1 FROM raw.o;\n"})
    shop.run("run", code=0)
    assert shop.value("SELECT nr FROM raw.v") == (1 if "NOT" in create else 2)


# ── Databases that are down ──

def test_a_database_that_is_down_stops_only_who_reads_it(shop):
    shop.write({"config/sources.sql": "ATTACH 'nowhere/x.db' AS nowhere (READ_ONLY);\n" + SOURCES +
                                      "CREATE VIEW v_x AS SELECT id FROM nowhere.x;\n",
                "models/a.sql": "SELECT 1 AS id\n",
                "models/b.sql": "SELECT id FROM nowhere.x\n",
                "models/c.sql": "SELECT id FROM main.b\n",
                "models/d.sql": "SELECT id FROM v_x\n",
                "models/e.sql": "SELECT id FROM ext.orders\n"})
    result = shop.run_json(code=1)
    assert {name: m["status"] for name, m in result.models.items()} == {
        "main.a": "ok", "main.b": "error", "main.c": "skip", "main.d": "error", "main.e": "ok"}
    for name in ("main.b", "main.d"):
        error = result.models[name]["errors"][0]
        assert "nowhere/x.db" in error, error
    assert "main.b" in str(result.models["main.c"]) and "nowhere/x.db" in str(result.models["main.c"])
    assert "config/sources.sql:1:1" in shop.run("sandbox", "main.b", code=1).out
    shop.run("sandbox", "main.a", code=0)
    assert "config/sources.sql:1:1" in shop.run("sql", "FROM v_x", code=1).err
    assert "config/sources.sql:1:1" in shop.run("query", "v_x", code=1).err


def test_a_mistake_in_sources_fails_those_who_need_them(shop):
    shop.write({"config/sources.sql": SOURCES + "SET VARIABLE a = 1 2;\n",
                "models/a.sql": "SELECT 1 AS id\n", "models/b.sql": "SELECT id FROM ext.orders\n"})
    result = shop.run("run", code=1)
    assert 'config/sources.sql:2:20: syntax error at or near "2"' in result.out, result
    assert shop.sql("FROM main.a") == [{"id": 1}]


# ── Checks and variables that read them ──

@pytest.mark.parametrize("directive", [
    "@constraint: references(id, ext.orders, id)",
    "@constraint: references(id, EXT.main.orders, id)",
    "@audit: reconcile_count(v_two)",
])
def test_a_check_finds_the_tables_of_sources(shop, directive):
    shop.write({"config/sources.sql": SOURCES + "CREATE VIEW v_two AS FROM ext.two;\n",
                "models/t.sql": "SELECT 1 AS id\n"})
    shop.run("run", code=0)
    shop.write({"models/t.sql": f"-- {directive}\nSELECT 1 AS id\n"})
    result = shop.run_json().models["main.t"]
    assert (result["run_type"], result["warnings"]) == ("skip", []), result
    shop.write({"models/t.sql": f"-- {directive}\nSELECT 2 AS id\n"})
    result = shop.run_json().models["main.t"]
    assert (result["run_type"], result["warnings"]) == ("backfill", []), result


def test_variables_of_models_read_sources(shop):
    shop.write({"config/variables/local.sql": "SET VARIABLE n = (SELECT count(*) FROM ext.orders);\n",
                "models/t.sql": "SELECT getvariable('n') AS n\n", "models/u.sql": "SELECT 1 AS n\n"})
    shop.run("run", code=0)
    assert shop.value("SELECT n FROM t") == 3
    go_down(shop)
    shop.write({"models/u.sql": "SELECT 2 AS n\n"})
    result = shop.run("run", "main.u", code=1)
    assert "config/variables/local.sql:1:1: unable to open database" in result.out, result


# ── Schemas and databases of one name ──

SAME = "the schema {0} is also the name of a database, so that {0}.t could be a table of either"


@pytest.mark.parametrize("schema, hint", [
    ("Lake", "move the model to another folder, or give the database another name: ATTACH … AS … in config/catalog.sql"),
    ("temp", "move the model to another folder: DuckDB has a database of this name"),
])
def test_a_schema_that_is_called_like_the_lake_is_refused(shop, schema, hint):
    shop.write({f"models/{schema}/t.sql": "SELECT 1 AS id\n", "models/u.sql": "SELECT 1 AS id\n"})
    result = shop.run("validate", code=1)
    assert f"models/{schema}/t.sql:1:1: error: {SAME.format(schema)}\n  SELECT 1 AS id\n  ^\n  hint: {hint}\n" in result.out
    result = shop.run("run", code=1)
    assert f"models/{schema}/t.sql:1:1: {SAME.format(schema)}\n" in result.out and f"hint: {hint}\n" in result.out
    assert "[OK] main.u" in result.out


def test_a_schema_that_is_called_like_a_database_of_sources_is_told(shop):
    """It fails when the database is attached; what needs no database may stay as it is."""
    shop.write({"models/ext/t.sql": "SELECT 1 AS id\n"})
    hint = "move the model to another folder, or give the database another name: ATTACH … AS … in config/sources.sql"
    result = shop.run("validate", code=0)
    assert f"models/ext/t.sql:1:1: warning: {SAME.format('ext')}\n  SELECT 1 AS id\n  ^\n  hint: {hint}\n" in result.out
    shop.run("run", code=0)
    shop.write({"models/ext/t.sql": "SELECT 2 AS id\n", "models/q.sql": "SELECT id FROM ext.main.orders\n"})
    result = shop.run("run", code=1)
    assert ("models/ext/t.sql:1:1: ambiguous reference to catalog or schema \"ext\" - "
            "use a fully qualified path like \"lake.ext\"\n    SELECT 2 AS id\n    ^\n    hint: give the database another name "
            "than that of the models' folder: ATTACH … AS … in config/sources.sql\n") in result.out, result


# ── Macros that read models ──

TABLE_MACRO = ("CREATE MACRO other(n) AS n * 2;\n"
               "CREATE MACRO tm(n, day := DATE '2020-01-01') AS TABLE\n"
               "  SELECT id, other(1e-1) AS x, list_transform([id], lambda y: y + n) AS l FROM raw . o LIMIT n;\n"
               "CREATE MACRO total() AS (SELECT count(*) FROM {{catalog}}.raw.o);\n")


def test_a_macro_over_a_model_is_made_when_its_table_is_there(project):
    project.write({"config/macros/m.sql": TABLE_MACRO,
                   "models/raw/o.sql": "SELECT 1 AS id\n",
                   "models/a.sql": "SELECT id, l FROM tm(7)\n",
                   "models/b.sql": "SELECT total() AS n\n"})

    def depends():
        models = json.loads(project.run("lineage", "overview", "--json", code=0).out)["models"]
        return {m["target"]: m["depends"] for m in models}

    expected = {"main.a": ["raw.o"], "main.b": ["raw.o"], "raw.o": []}
    assert depends() == expected
    project.run("validate", code=0)
    columns = json.loads(project.run("lineage", "main.a", "--json", code=0).out)["models"][0]["columns"]
    assert columns[0]["sources"] == [{"table": "raw.o", "column": "id", "transformation": "IDENTITY"}], columns
    project.run("sandbox", code=0)
    project.run("run", "--jobs", "2", code=0)
    assert project.sql("SELECT * FROM main.a") == [{"id": 1, "l": [8]}]
    assert project.value("SELECT n FROM main.b") == 1
    assert depends() == expected
    assert {m["run_type"] for m in project.run_json().models.values()} == {"skip"}
    project.write({"models/raw/o.sql": "SELECT 2 AS id\n"})
    assert {n: m["run_type"] for n, m in project.run_json().models.items()} == {
        "main.a": "full", "main.b": "full", "raw.o": "backfill"}
    assert project.value("SELECT id FROM main.a") == 2


def test_a_macro_over_a_fetched_table_is_made_after_the_fetch(project):
    project.write({"config/macros/m.sql": "CREATE MACRO tm() AS TABLE FROM raw.o;\n",
                   "lib/shop.star": 'API = {"base_url": "http://127.0.0.1:9", "fetch": {"args": []}}\n'
                                    "def fetch(page):\n    return {'rows': [{'id': 1}], 'next': None}\n",
                   "models/raw/o.sql": "SELECT id::INTEGER AS id FROM shop()\n",
                   "models/a.sql": "SELECT * FROM tm()\n"})
    project.run("run", code=0)
    assert project.value("SELECT id FROM main.a") == 1
    assert project.run_json().models["main.a"]["run_type"] in ("skip", "full")


def test_a_macro_that_reads_nothing_that_there_is_fails_who_calls_it(project):
    project.write({"config/macros/m.sql": "\nCREATE MACRO tm() AS TABLE FROM raw.typo;\n",
                   "models/a.sql": "SELECT * FROM tm()\n", "models/b.sql": "SELECT 1 AS id\n"})
    result = project.run("run", code=1)
    assert "config/macros/m.sql:2:1: table with name \"raw.typo\" does not exist because schema \"raw\" does not exist" in result.out
    assert "[OK] main.b" in result.out
    assert "config/macros/m.sql:2:1" in project.run("sql", "FROM tm()", code=1).err
    project.run("stats", code=0)


def test_models_that_read_each_other_through_a_macro_are_a_cycle(project):
    project.write({"config/macros/m.sql": "CREATE MACRO tm() AS TABLE FROM main.b;\n",
                   "models/a.sql": "SELECT * FROM tm()\n", "models/b.sql": "SELECT * FROM main.a\n"})
    cycle = "the models read each other: main.a (models/a.sql) → main.b (models/b.sql) → main.a"
    assert cycle in project.run("validate", code=1).out
    assert cycle in project.run("run", code=1).err


def test_a_macro_over_sources_needs_them_only_where_it_is_called(shop):
    shop.write({"config/macros/m.sql": "CREATE MACRO tm(d := DATE '2020-01-01') AS TABLE SELECT id, d FROM ext.orders;\n",
                "models/a.sql": "-- @kind: append\n-- @incremental: id\nSELECT id FROM tm()\n", "models/b.sql": "SELECT 1 AS id\n"})
    shop.run("run", code=0)
    assert shop.value("SELECT count(*) FROM main.a") == 3
    assert shop.value("SELECT count(*) FROM tm()") == 3
    assert shop.run_json().models["main.a"]["run_type"] == "incremental"
    go_down(shop)
    shop.run("run", "main.b", code=0)
