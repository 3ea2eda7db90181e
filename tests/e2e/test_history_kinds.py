"""tracked and scd2 from end to end: with a sink, with a lib, from one kind to another (models.md §5.4–5.6)."""
import pytest

from test_push import source

TRACKED = "-- @kind: tracked\n-- @group_key: id\n"
SCD2 = "-- @kind: scd2\n-- @unique_key: id\n"


def test_a_sink_of_a_tracked_model_gets_changed_groups_without_the_hash(project, sink):
    source(project, [(1, "a"), (1, "b"), (2, "c"), (3, "d")])
    project.write({"models/sync/t.sql": TRACKED + "-- @sink: crm\nSELECT id, v FROM raw.src"})
    project.run_json()
    assert sink.events("id", "v") == [("insert", 1, "a"), ("insert", 1, "b"), ("insert", 2, "c"), ("insert", 3, "d")]
    assert not any("_content_hash" in row for row in sink.rows)
    sink.forget()
    source(project, [(1, "a"), (1, "B"), (2, "c")])
    project.run_json()
    assert sink.events("id", "v") == [("delete", 1, "a"), ("delete", 1, "b"), ("delete", 3, "d"), ("insert", 1, "B"), ("insert", 1, "a")]
    group = next(b["rows"] for b in sink.batches if b["rows"][0]["id"] == 1)
    assert [r["__ondatra_change_type"] for r in group] == ["delete", "delete", "insert", "insert"]
    assert not any("_content_hash" in row for row in sink.rows)
    sink.forget()
    project.run_json()
    assert sink.batches == []


def test_a_failed_row_keeps_its_group_back_and_the_group_comes_whole(project, sink):
    source(project, [(1, "a"), (1, "b"), (2, "c")])
    project.write({"models/sync/t.sql": TRACKED + "-- @sink: crm\nSELECT id, v FROM raw.src"})
    sink.status = lambda row: "error: no" if row["v"] == "b" else "ok"
    project.run_json(code=1)
    sink.forget()
    sink.status = lambda row: "ok"
    project.run_json()
    assert sink.events("id", "v") == [("insert", 1, "a"), ("insert", 1, "b")]


def test_scd2_with_a_sink_is_refused_before_anything_runs(project, sink):
    source(project, [(1, "a")])
    project.write({"models/sync/t.sql": SCD2 + "-- @sink: crm\nSELECT id, v FROM raw.src"})
    finding = "models/sync/t.sql:3:10: error: @sink does not go with @kind: scd2"
    hint = "use @kind: table with WHERE is_current = true"
    for command in ("validate", "run"):
        result = project.run(command, code=1)
        assert "@sink does not go with @kind: scd2" in result.out + result.err and hint in result.out + result.err, (finding, result)


@pytest.mark.parametrize("kind", [TRACKED, SCD2])
def test_a_fetch_without_rows_keeps_everything_unless_the_lib_says_otherwise(project, api, kind):
    lib = '''
API = {"base_url": "%s", "fetch": {}}

def fetch(page):
    answer = http.get("/orders").json
    return {"rows": answer["rows"], "next": None, "empty_result": answer["empty_result"]}
''' % api.url
    project.write({"lib/shop.star": lib, "models/raw/t.sql": kind + "SELECT id::BIGINT AS id, v::VARCHAR AS v FROM shop()",
                   "models/mart/u.sql": "SELECT count(*) AS n FROM raw.t"})

    def answer(rows, empty_result="no_change"):
        api.on("GET", "/orders", (200, {"rows": rows, "empty_result": empty_result}))

    current = "select count(*) as n from raw.t" + (" where is_current" if kind is SCD2 else "")
    answer([{"id": 1, "v": "a"}, {"id": 2, "v": "b"}])
    project.run_json()
    assert project.value(current) == 2
    answer([])
    snapshots = project.snapshots()
    models = project.run_json().models
    assert models["raw.t"]["rows_affected"] == 0 and models["mart.u"]["status"] == "skip"
    assert project.snapshots() == snapshots and project.value(current) == 2
    # A changed definition waits for rows, too: nothing is lost by it.
    project.write({"models/raw/t.sql": kind + "SELECT id::BIGINT AS id, upper(v::VARCHAR) AS v FROM shop()"})
    result = project.run_json()
    assert "the fetch gave no rows" in result.models["raw.t"]["warnings"][0]
    assert project.snapshots() == snapshots and project.value(current) == 2
    answer([{"id": 1, "v": "a"}, {"id": 2, "v": "b"}])
    assert project.run_json().models["raw.t"]["rows_affected"] == 2
    answer([], "delete_missing")
    assert project.run_json().models["raw.t"]["rows_affected"] == 2
    assert project.value(current) == 0
