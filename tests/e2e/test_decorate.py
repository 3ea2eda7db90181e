"""Comments, partitioning and sorting from directives (models.md §5.7, §8)."""
import json
import sqlite3

import pytest

SELECT = "SELECT 1::BIGINT AS id, 'x' AS region, DATE '2024-01-01' AS day"


def comments(project):
    table = project.value("SELECT comment FROM duckdb_tables() WHERE database_name = 'lake' AND table_name = 't'")
    rows = project.sql("SELECT column_name, comment FROM duckdb_columns() WHERE database_name = 'lake' AND "
                       "table_name = 't' AND comment IS NOT NULL ORDER BY 1")
    return table, {r["column_name"]: r["comment"] for r in rows}


def storage(project):
    with sqlite3.connect(project.root / "lake.sqlite") as db:
        partition = db.execute("SELECT transform FROM ducklake_partition_column JOIN ducklake_partition_info "
                               "USING (partition_id) WHERE end_snapshot IS NULL ORDER BY partition_key_index").fetchall()
        sort = db.execute("SELECT expression FROM ducklake_sort_expression JOIN ducklake_sort_info USING (sort_id) "
                          "WHERE end_snapshot IS NULL ORDER BY sort_key_index").fetchall()
    return [r[0] for r in partition], [r[0].strip('"') for r in sort]


def test_comments_follow_the_directives(project):
    project.write({"models/raw/t.sql": f"-- @description: Day's sales\n-- @column: id = the key | pii\n{SELECT}"})
    project.run("run", code=0)
    assert comments(project) == ("Day's sales", {"id": "the key"})
    project.write({"models/raw/t.sql": f"-- @description: Sales\n-- @column: day = when\n{SELECT.replace('1::', '2::')}"})
    snapshots = project.snapshots()
    project.run("run", code=0)
    assert comments(project) == ("Sales", {"day": "when"})
    assert project.snapshots() == snapshots + 1  # in the model's own commit
    project.write({"models/raw/t.sql": SELECT})
    project.run("run", code=0)
    assert comments(project) == (None, {})


def test_partitioning_and_sorting_follow_the_directives(project):
    project.write({"models/raw/t.sql": f"-- @partitioned_by: region, year(day)\n-- @sorted_by: day\n{SELECT}"})
    project.run("run", code=0)
    assert storage(project) == (["identity", "year"], ["day"])
    snapshots = project.snapshots()
    project.write({"models/raw/t.sql": f"-- @partitioned_by: bucket(4, id)\n-- @sorted_by: id, day\n{SELECT}"})
    project.run("run", code=0)
    assert storage(project) == (["bucket(4)"], ["id", "day"]) and project.snapshots() == snapshots + 1
    project.run("run", code=0)
    assert project.snapshots() == snapshots + 1
    project.write({"models/raw/t.sql": SELECT})
    project.run("run", code=0)
    assert storage(project) == ([], [])


def test_edited_comments_and_sorting_take_effect_although_the_model_is_skipped(project):
    project.write({"models/raw/src.sql": SELECT, "models/raw/t.sql": "-- @description: Sales\nSELECT * FROM raw.src",
                   "models/mart/u.sql": "SELECT id FROM raw.t"})
    project.run("run", code=0)
    snapshots = project.snapshots()
    project.write({"models/raw/t.sql":
                   "-- @description: Day's sales\n-- @column: id = the key\n-- @sorted_by: day\nSELECT * FROM raw.src"})
    result = project.run_json().models["raw.t"]
    assert result["status"] == "skip" and result["rows_affected"] == 0 and result["warnings"] == []
    assert comments(project) == ("Day's sales", {"id": "the key"}) and storage(project) == ([], ["day"])
    assert project.snapshots() == snapshots + 1
    assert project.run_json().models["mart.u"]["status"] == "skip", "a comment is no change of rows"
    assert project.snapshots() == snapshots + 1
    project.write({"models/raw/t.sql": "SELECT * FROM raw.src"})
    project.run("run", code=0)
    assert comments(project) == (None, {}) and storage(project) == ([], [])
    project.write({"models/raw/src.sql": SELECT.replace("1::", "2::")})
    assert project.run_json().models["raw.t"]["rows_affected"] == 1


def test_edited_comments_of_an_append_are_set_without_reading_rows_again(project):
    project.write({"models/raw/src.sql": SELECT, "models/raw/t.sql": "-- @kind: append\nSELECT * FROM raw.src"})
    project.run("run", code=0)
    project.write({"models/raw/t.sql": "-- @kind: append\n-- @description: Sales\nSELECT * FROM raw.src"})
    project.run("run", code=0)
    assert comments(project) == ("Sales", {}) and project.value("SELECT count(*) AS n FROM raw.t") == 1
    project.write({"models/raw/src.sql": SELECT + " UNION ALL " + SELECT.replace("1::", "2::")})
    project.run("run", code=0)
    assert [r["id"] for r in project.sql("SELECT id FROM raw.t ORDER BY id")] == [1, 2]


def test_a_partitioning_that_does_not_fit_is_left_out_with_a_warning(project):
    warning = ("the table is not partitioned by year(region): no function matches the given name and argument types "
               "'year(VARCHAR)'. You might need to add explicit type casts")
    project.write({"models/raw/t.sql": f"-- @partitioned_by: year(region)\n{SELECT}"})
    assert project.run_json().models["raw.t"]["warnings"] == [warning]
    assert project.sql("SELECT id FROM raw.t") == [{"id": 1}] and storage(project) == ([], [])
    project.write({"models/raw/t.sql": f"-- @partitioned_by: year(day)\n{SELECT}"})
    assert project.run_json().models["raw.t"]["warnings"] == []
    assert storage(project) == (["year"], [])
    project.write({"models/raw/t.sql": f"-- @partitioned_by: year(region)\n{SELECT.replace('1::', '2::')}"})
    result = project.run("run", code=0)
    assert f"WARN: models/raw/t.sql:1:21: {warning}\n" in result.out, result
    assert project.sql("SELECT id FROM raw.t") == [{"id": 2}] and storage(project) == (["year"], [])


def test_a_partitioning_that_the_lake_refuses_keeps_no_row_from_its_table(project):
    """On the first run and on a later one, beside other changes of the table."""
    message = 'the table is not partitioned by region: unexpected partition key - column "no_such_column" does not exist'

    def run(text, select):
        project.write({"models/raw/t.sql": text + select, "models/raw/other.sql": "SELECT 1 AS a"})
        result = project.run("run", "--json", code=0, COYPU_PLANT_BUG="PB_STORAGE")
        return {m["model"]: m for m in map(json.loads, result.out.splitlines()) if "model" in m}["raw.t"]

    first = run("-- @partitioned_by: region\n", SELECT)
    assert (first["status"], first["warnings"]) == ("ok", [message]) and project.sql("SELECT id FROM raw.t") == [{"id": 1}]
    assert run("", SELECT.replace("1::", "2::"))["warnings"] == []
    later = run("-- @partitioned_by: region\n-- @description: Sales\n", SELECT + ", 4 AS more")
    assert (later["status"], later["warnings"]) == ("ok", ["columns changed: + more (INTEGER)", message])
    assert project.sql("SELECT id, more FROM raw.t") == [{"id": 1, "more": 4}]
    assert comments(project)[0] == "Sales" and storage(project) == ([], [])


def test_a_sorting_that_the_lake_refuses_is_told_with_its_line(project):
    project.write({"models/raw/t.sql": SELECT})
    project.run("run", code=0)
    project.write({"models/raw/t.sql": f"-- @description: Sales\n-- @sorted_by: day\n{SELECT}"})
    result = project.run("run", code=0, COYPU_PLANT_BUG="PB_STORAGE")
    assert ("""  WARN: models/raw/t.sql:2:16: the table is not sorted by day: columns in the SET SORTED BY statement were not found in the \
DuckLake table. Unmatched columns were: no_such_column
    -- @sorted_by: day
                   ^
""") in result.out, result
    assert comments(project)[0] == "Sales"


@pytest.mark.parametrize("part, transform", [("group", "identity"), ("year(order)", "year"), ("bucket(4, select)", "bucket(4)")])
@pytest.mark.parametrize("kind", ["table", "merge\n-- @unique_key: select", "tracked\n-- @group_key: select"])
def test_a_partition_column_may_be_named_like_a_keyword(project, part, transform, kind):
    project.write({"models/raw/t.sql": f"""-- @kind: {kind}
-- @partitioned_by: {part}
-- @sorted_by: group
SELECT 1 AS "select", 'a' AS "group", DATE '2024-01-01' AS "order"
"""})
    assert project.run_json().models["raw.t"]["warnings"] == []
    assert storage(project) == ([transform], ["group"])
    project.write({"models/raw/t.sql": (project.root / "models/raw/t.sql").read_text().replace("'a'", "'b'")})
    assert project.run_json().models["raw.t"]["warnings"] == []
    assert project.run_json().models["raw.t"]["run_type"] == "skip"
