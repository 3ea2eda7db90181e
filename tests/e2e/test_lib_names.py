"""Names of libs in SQL: what they must not be, and FROM without parentheses (libs.md §1)."""
import pytest

LIB = '''
API = {"fetch": {"args": []}}

def fetch(page):
    return {"rows": [{"id": 1}, {"id": 2}]}
'''


@pytest.mark.parametrize("command", ["run", "validate"])
@pytest.mark.parametrize("stem", ["read_csv", "range", "postgres_scan", "ducklake_snapshots"])
def test_a_lib_cannot_have_the_name_of_a_table_function(project, stem, command):
    project.write({f"lib/{stem}.star": LIB, "models/raw/t.sql": "SELECT 1 AS id"})
    result = project.run(command, code=1)
    shown = result.out + result.err
    assert f'lib/{stem}.star' in shown and f'the name "{stem}" is taken by a table function of DuckDB' in shown


@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_lib_and_a_macro_of_one_name_are_both_named(project, command):
    project.write({"lib/shop.star": LIB, "models/raw/t.sql": "SELECT 1 AS id",
                   "config/macros/shopping.sql": "-- CREATE MACRO other() AS 1;\nCREATE OR REPLACE MACRO shop(x) AS x + 1;"})
    result = project.run(command, code=1)
    shown = result.out + result.err
    assert "lib/shop.star" in shown and 'the name "shop" is taken by the macro in config/macros/shopping.sql' in shown


def test_from_without_parentheses_is_a_call(project):
    project.write({"lib/shop.star": LIB,
                   "models/raw/t.sql": "SELECT shop.id::BIGINT AS id\nFROM shop\nWHERE shop.id > 0",
                   "models/raw/u.sql": "SELECT a.id::BIGINT AS id FROM Shop AS a"})
    project.run("validate", code=0)
    project.run("run", code=0)
    assert [r["id"] for r in project.sql("SELECT id FROM raw.t ORDER BY id")] == [1, 2]
    assert [r["id"] for r in project.sql("SELECT id FROM raw.u ORDER BY id")] == [1, 2]


def test_a_cte_a_model_and_a_table_go_before_a_lib(project):
    project.write({"models/main/shop.sql": "SELECT 7::BIGINT AS id"})
    project.run("run", code=0)
    project.write({"lib/shop.star": LIB,
                   "models/raw/cte.sql": "WITH shop AS (SELECT 5::BIGINT AS id) SELECT id FROM shop",
                   "models/raw/model.sql": "SELECT id FROM shop"})
    project.run("run", code=0)
    assert project.value("SELECT id FROM raw.cte") == 5 and project.value("SELECT id FROM raw.model") == 7
    (project.root / "models/main/shop.sql").unlink()
    project.write({"models/raw/table.sql": "SELECT id FROM shop"})
    project.run("run", "raw.table", code=0)
    assert project.value("SELECT id FROM raw.table") == 7


def test_a_call_inside_a_repeated_cte_is_fetched_once(project, api):
    api.on("GET", "/rows", (200, [{"id": 1}, {"id": 2}]))
    project.write({"lib/shop.star": '''
API = {"base_url": "%s", "fetch": {"args": []}}

def fetch(page):
    return {"rows": http.get("/rows").json}
''' % api.url,
                   "models/raw/t.sql": "WITH c AS NOT MATERIALIZED (SELECT id::BIGINT AS id FROM shop())\n"
                                       "SELECT a.id, count(*) AS n FROM c AS a CROSS JOIN c AS b GROUP BY 1"})
    project.run("run", code=0)
    assert [(r["id"], r["n"]) for r in project.sql("SELECT id, n FROM raw.t ORDER BY id")] == [(1, 2), (2, 2)]
    assert len(api.seen("GET")) == 1
