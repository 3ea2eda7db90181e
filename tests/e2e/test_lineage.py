"""`lineage`, `impact` and `dag`: what they show, from files alone and with a lake."""
import ctypes.util
import json
import xml.etree.ElementTree as ElementTree

import pytest

from conftest import Project
from golden import check

FILES = {
    "config/macros/m.sql": "CREATE MACRO net(x) AS x * 0.8;\n",
    "config/sources.sql": "CREATE VIEW ext_items AS SELECT sku, price * 2 AS dear FROM pg.public.items;\n",
    "models/raw/orders.sql":
        "SELECT * FROM (VALUES (1, 1, 10.5, 'paid'), (2, 1, 3.0, 'open')) AS q (id, customer_id, amount, status)\n",
    "models/raw/customers.sql": "SELECT 1 AS id, 'Ann' AS name, 'SE' AS country\n",
    "models/staging/orders.sql":
        "-- @kind: merge\n-- @unique_key: id\n"
        "SELECT id, customer_id, net(amount)::DOUBLE AS amount, status FROM raw.orders\n",
    "models/mart/customers.sql":
        "WITH totals AS (\n"
        "  SELECT customer_id, sum(amount) AS total, count(*) AS n FROM staging.orders\n"
        "  WHERE status = 'paid' GROUP BY customer_id\n"
        ")\n"
        "SELECT c.id, c.name, coalesce(t.total, 0) AS total, t.n,\n"
        "  row_number() OVER (ORDER BY t.total DESC) AS place, 'x' AS k\n"
        "FROM raw.customers AS c LEFT JOIN totals AS t ON t.customer_id = c.id\n",
    "models/mart/countries.sql":
        "SELECT country, count(*) AS n, sum(total) AS total\n"
        "FROM mart.customers JOIN raw.customers USING (id) GROUP BY country\n",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("shop") / "shop")
    project.write(FILES)
    return project


def columns(result, target):
    models = {m["target"]: m for m in json.loads(result.out)["models"]}
    return {c["column"]: [(s["table"], s["column"], s["transformation"]) for s in c["sources"]]
            for c in models[target]["columns"]}


def test_before_the_first_run(shop):
    """Files are enough; models that never ran are marked."""
    check("lineage_overview_new", shop.run("lineage", "overview", code=0).out)
    check("dag_new", shop.run("dag", code=0).out)
    assert not (shop.root / "lake.sqlite").exists()


def test_without_a_lake_at_all(project):
    """An unset variable, a missing catalog: lineage goes on, and marks nothing."""
    project.write({**FILES, "config/catalog.sql": "ATTACH 'ducklake:postgres:host=${NOT_SET}' AS lake;\n"})
    result = project.run("lineage", "mart.customers", "--json", code=0)
    assert columns(result, "mart.customers")["total"] == [("staging.orders", "amount", "AGGREGATION")]
    assert "never_ran" not in json.loads(result.out)["models"][0]
    (project.root / "config/catalog.sql").unlink()
    assert columns(project.run("lineage", "staging.orders", "--json", code=0), "staging.orders") == {
        "id": [("raw.orders", "id", "IDENTITY")],
        "customer_id": [("raw.orders", "customer_id", "IDENTITY")],
        "amount": [("raw.orders", "amount", "ARITHMETIC")],
        "status": [("raw.orders", "status", "IDENTITY")],
    }


def test_text(shop):
    shop.run("run", code=0)
    check("lineage_overview", shop.run("lineage", "overview", code=0).out)
    check("lineage_model", shop.run("lineage", "mart.customers", code=0).out)
    check("lineage_column", shop.run("lineage", "mart.countries.total", code=0).out)
    check("lineage_constant", shop.run("lineage", "MART.customers.K", code=0).out)
    check("impact_column", shop.run("impact", "staging.orders.amount", code=0).out)
    check("impact_table", shop.run("impact", "raw.orders", code=0).out)
    check("impact_nothing", shop.run("impact", "mart.countries", code=0).out)
    check("dag", shop.run("dag", code=0).out)


def test_json(shop):
    check("lineage_column_json", shop.run("lineage", "mart.countries.total", "--json", code=0).out)
    check("impact_json", shop.run("impact", "staging.orders.status", "--json", code=0).out)
    models = json.loads(shop.run("lineage", "overview", "--format", "json", code=0).out)["models"]
    assert [m["target"] for m in models] == sorted(m["target"] for m in models)
    assert all(m["never_ran"] is False for m in models)


def test_pictures(shop):
    for form in ("mermaid", "dot"):
        check(f"lineage_overview_{form}", shop.run("lineage", "overview", "--format", form, code=0).out)
        check(f"lineage_model_{form}", shop.run("lineage", "mart.countries", "--format", form, code=0).out)
        check(f"lineage_column_{form}",
              shop.run("lineage", "mart.customers.place", "-f", form, code=0).out)
        check(f"dag_{form}", shop.run("dag", "--format", form, code=0).out)


HAS_GRAPHVIZ = ctypes.util.find_library("gvc") is not None


def test_svg(shop):
    if not HAS_GRAPHVIZ:
        result = shop.run("lineage", "overview", "--format", "svg", code=1)
        assert result.err == ("error: SVG needs Graphviz, which is not installed\n"
                              "  hint: install it (apt-get install graphviz, brew install graphviz), or use "
                              "--format mermaid or dot\n")
        return
    for args in (("lineage", "overview"), ("lineage", "mart.customers"), ("dag",)):
        svg = shop.run(*args, "--format", "svg", code=0).out
        assert svg == shop.run(*args, "--format", "svg", code=0).out
        assert ElementTree.fromstring(svg.encode()).tag == "{http://www.w3.org/2000/svg}svg"


ODD = 'a"b<c>&|#`\\n x;--'


def test_odd_names_break_no_form(project):
    """What stands in a column's name is only text, in every form."""
    quoted = ODD.replace('"', '""')
    project.write({
        "models/raw/odd.sql": f'SELECT 1 AS "{quoted}", 2 AS plain\n',
        "models/mart/odd.sql": f'SELECT "{quoted}" AS x, "{quoted}" + plain AS "sum [of] {{two}}" FROM raw.odd\n',
    })
    check("lineage_odd_mermaid", project.run("lineage", "mart.odd", "--format", "mermaid", code=0).out)
    check("lineage_odd_dot", project.run("lineage", "mart.odd", "--format", "dot", code=0).out)
    result = project.run("lineage", "mart.odd", "--json", code=0)
    assert columns(result, "mart.odd")["x"] == [("raw.odd", ODD, "IDENTITY")]
    if HAS_GRAPHVIZ:
        svg = project.run("lineage", "mart.odd", "--format", "svg", code=0).out
        labels = [t.text for t in ElementTree.fromstring(svg.encode()).iter("{http://www.w3.org/2000/svg}text")]
        assert ODD in [label.replace("\u00a0", " ") for label in labels], labels
    assert project.run("lineage", f"raw.odd.{ODD}", "--json", code=0)


def test_views_of_sources_are_read_but_not_attached(project):
    project.write({
        "config/sources.sql": FILES["config/sources.sql"],
        "models/raw/items.sql": "SELECT sku, dear FROM ext_items\n",
    })
    result = project.run("lineage", "raw.items", "--json", code=0)
    assert columns(result, "raw.items") == {
        "sku": [("pg.public.items", "sku", "IDENTITY")],
        "dear": [("pg.public.items", "price", "ARITHMETIC")],
    }


def test_outside_tables_files_and_libs(project):
    project.write({
        "lib/shop.star": 'API = {"base_url": "http://127.0.0.1:9", "fetch": {"args": []}}\n'
                         "def fetch(page):\n    return {'rows': [], 'next': None}\n",
        "models/raw/orders.sql": "-- @kind: append\nSELECT id::BIGINT AS id, total::DOUBLE AS total FROM shop()\n",
        "models/raw/rates.sql": "SELECT * FROM read_csv('data/rates.csv')\n",
        "models/mart/x.sql":
            "SELECT o.id, o.total * r.rate AS total, e.name FROM raw.orders AS o\n"
            "JOIN raw.rates AS r ON true JOIN ext.names AS e ON e.id = o.id\n",
        "data/rates.csv": "currency,rate\nSEK,10.5\n",
    })
    check("lineage_outside", project.run("lineage", "overview", code=0).out)
    result = project.run("lineage", "overview", "--json", code=0)
    assert columns(result, "raw.orders") == {"id": [("shop()", "id", "CAST")],
                                             "total": [("shop()", "total", "CAST")]}
    assert columns(result, "mart.x") == {
        "id": [("raw.orders", "id", "IDENTITY")],
        "total": [("raw.orders", "total", "ARITHMETIC"), ("raw.rates", "rate", "ARITHMETIC")],
        "name": [("ext.names", "name", "IDENTITY")],
    }
    impact = json.loads(project.run("impact", "shop().total", "--json", code=0).out)
    assert [d["target"] for d in impact["dependents"]] == ["raw.orders", "mart.x"]
    impact = json.loads(project.run("impact", "ext.names", "--json", code=0).out)
    assert [(d["target"], d["rows"]) for d in impact["dependents"]] == [("mart.x", True)]


def test_a_broken_model_hides_no_other(shop, project):
    project.write({**FILES, "models/mart/broken.sql": "SELEC 1\n"})
    result = project.run("lineage", "overview", "--json", code=0)
    models = {m["target"]: m for m in json.loads(result.out)["models"]}
    assert models["mart.broken"]["broken"] is True and models["mart.broken"]["columns"] == []
    assert columns(result, "mart.customers")["id"] == [("raw.customers", "id", "IDENTITY")]


def test_dag_says_what_waits_for_what(shop):
    """A model behind one that runs is skipped only so far."""
    shop.write({"models/raw/orders.sql": FILES["models/raw/orders.sql"].replace("10.5", "11.5")})
    dag = json.loads(shop.run("dag", "--json", code=0).out)
    models = {m["target"]: m for m in dag["models"]}
    assert [m["order"] for m in dag["models"]] == [1, 2, 3, 4, 5]
    assert models["raw.orders"]["run_type"] == "backfill" and models["raw.orders"]["run_reason"] == "sql changed"
    assert models["staging.orders"] == {
        "target": "staging.orders", "kind": "merge", "file": "models/staging/orders.sql", "order": 3,
        "run_type": "skip", "run_reason": "deps unchanged", "may_change": True, "depends": ["raw.orders"],
        "runs_before": ["raw.orders"]}
    assert models["mart.countries"]["may_change"] is True and models["mart.countries"]["runs_before"] == []
    assert models["raw.customers"]["may_change"] is False
    assert {"from": "raw.orders", "to": "staging.orders"} in dag["edges"] and dag["cycles"] == []
    text = shop.run("dag", code=0).out
    assert "deps unchanged so far; raw.orders runs before" in text
    assert "deps unchanged so far; what it depends on runs before" in text


def test_columns_come_through_views_of_sources_by_any_of_their_names(project):
    project.write({"models/s.sql": "SELECT 1 AS id, 2 AS v",
                   "config/sources.sql": "CREATE VIEW memory.vw AS SELECT v AS vv, id FROM {{catalog}}.main.s;\n",
                   "models/a.sql": "SELECT vv + 1 AS x FROM vw", "models/b.sql": "SELECT vv AS x FROM memory.vw",
                   "models/c.sql": "SELECT vv AS x FROM memory.main.vw"})
    models = {m["target"]: m["columns"] for m in
              json.loads(project.run("lineage", "overview", "--json", code=0).out)["models"]}
    for name, how in (("main.a", "ARITHMETIC"), ("main.b", "IDENTITY"), ("main.c", "IDENTITY")):
        assert models[name] == [{"column": "x", "indirect": [], "sources": [
            {"table": "main.s", "column": "v", "transformation": how}]}], name
    impact = json.loads(project.run("impact", "s.v", "--json", code=0).out)
    assert [d["target"] for d in impact["dependents"]] == ["main.a", "main.b", "main.c"]


def test_a_cycle_is_shown_whole(project):
    project.write({"models/a.sql": "SELECT x FROM b\n", "models/b.sql": "SELECT x FROM a\n",
                   "models/c.sql": "SELECT x FROM b\n", "models/d.sql": "SELECT 1 AS x\n"})
    result = project.run("dag", code=1)
    assert result.out == ("1  main.d  table  backfill  first run\n"
                          "-  main.a  table  -         on the cycle      ← main.b\n"
                          "-  main.b  table  -         on the cycle      ← main.a\n"
                          "-  main.c  table  -         behind the cycle  ← main.b\n")
    assert "the models read each other: main.a (models/a.sql) → main.b (models/b.sql) → main.a" in result.err
    result = project.run("dag", "--json", code=1)
    assert json.loads(result.out)["cycles"] == [["main.a", "main.b"]]
    project.run("lineage", "main.c.x", code=0)


def test_exit_codes_and_messages(shop, tmp_path):
    assert shop.run("lineage", "mart.custmers", code=1).err == (
        "error: no model makes mart.custmers\n  hint: did you mean mart.customers?\n")
    assert shop.run("lineage", "mart.customers.nam", code=1).err == (
        "error: mart.customers has no column nam\n  hint: did you mean name?\n")
    assert shop.run("impact", "mart.customers.zzzzzz", code=1).err == (
        "error: mart.customers has no column zzzzzz\n  hint: it has: id, name, total, n, place, k\n")
    assert shop.run("lineage", code=2).err == (
        "error: lineage needs overview|TARGET|TARGET.COLUMN\n"
        "  hint: usage: coypu lineage overview|TARGET|TARGET.COLUMN\n")
    assert shop.run("dag", "--format", "png", code=2).err == (
        'error: --format: "png" is not one of text, json, mermaid, dot, svg\n')
    assert shop.run("lineage", "overview", "--json", "--format", "dot", code=2).out.startswith("{")
    assert shop.run("dag", "mart.customers", code=2).err.startswith("error: dag does not take the argument")
    for command in ("lineage", "impact", "dag"):
        assert shop.run(command, "--help", code=0).out.startswith(f"usage: coypu {command}")
    tmp_path.joinpath("empty").mkdir()
    elsewhere = Project.__new__(Project)
    elsewhere.root, elsewhere.env = tmp_path / "empty", {}
    for args in (("lineage", "overview"), ("impact", "x"), ("dag",)):
        elsewhere.run(*args, code=2)


def test_a_renamed_column_keeps_its_values(shop):
    shop.run("run", code=0)
    shop.write({"models/mart/customers.sql": FILES["models/mart/customers.sql"].replace("c.name,", "c.name AS who,")})
    result = shop.run("run", "--json", code=0)
    assert result.models["mart.customers"]["rows_affected"] == 0
    assert any("columns changed: renamed name → who" in w for w in result.models["mart.customers"]["warnings"])
    assert shop.sql("SELECT who FROM mart.customers") == [{"who": "Ann"}]


UNNEST = "-- @column: a = x\n-- @constraint: not_null(a)\n-- @sorted_by: a\nSELECT id, unnest(%s) FROM %s"


@pytest.mark.parametrize("option, fields", (("", ["id", "a", "b"]), (", recursive := true", ["id", "a", "c"])))
def test_unnest_of_a_struct_is_its_fields(project, option, fields):
    project.write({"models/raw/o.sql": "SELECT 1 AS id, {'a': 1, 'b': {'c': 2}} AS st", "models/m/t.sql": UNNEST % ("st" + option, "raw.o")})
    assert json.loads(project.run("validate", "--json", code=0).out)["files"][0].get("findings", []) == []
    for _ in range(2):  # before the first run and after it
        result = project.run("lineage", "overview", "--json", code=0)
        assert columns(result, "m.t") == {"id": [("raw.o", "id", "IDENTITY")], **{f: [("raw.o", "st", "FUNCTION")] for f in fields[1:]}}
        project.run("run", code=0)
    assert list(project.sql("SELECT * FROM m.t")[0]) == fields
    traced = json.loads(project.value("SELECT commit_extra_info->>'column_lineage' FROM lake.snapshots() WHERE commit_extra_info->>'model' = 'm.t'"))
    assert [(c["column"], "untraced" in c) for c in traced] == [(f, False) for f in fields]
    project.run("lineage", "m.t.a", code=0)
    assert "m.t" in project.run("impact", "raw.o.st", code=0).out


def test_unnest_of_who_knows_what_blocks_nothing(project):
    for name in "", " AS x":
        project.write({"models/m/t.sql": UNNEST.replace("%s) FROM", "%s)" + name + " FROM") % ("st", "ext.o")})
        result = project.run("validate", code=0)
        assert "BLOCKER" not in result.out, result
        project.run("lineage", "m.t.a", code=0)


def test_validate_looks_through_stars(project):
    """Columns that directives name are checked although the SELECT list is a star."""
    project.write({**FILES, "models/mart/star.sql":
                   "-- @kind: merge\n-- @unique_key: idd\nSELECT * EXCLUDE (amount) FROM staging.orders\n"})
    result = project.run("validate", code=1)
    assert result.out.startswith(
        'models/mart/star.sql:2:17: error: @unique_key names "idd", which the query does not produce\n'
        "  -- @unique_key: idd\n                  ^\n"
        "  hint: it produces: id, customer_id, status\n  rule: parser.invalid_directive\n")
    project.write({"models/mart/star.sql": "-- @kind: merge\n-- @unique_key: idd\nSELECT * FROM ext.unknown\n"})
    project.run("validate", code=0)
