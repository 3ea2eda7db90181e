"""config/macros, config/sources.sql and config/variables: what a session has of them (models.md §2)."""
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
