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


ROWS = "SELECT i AS id, i % 3 AS p, DATE '2020-01-01' + i::INT AS d FROM range({n}) r(i)"
KIND_HEADERS = {"table": "", "append": "-- @kind: append\n", "merge": "-- @kind: merge\n-- @unique_key: id\n",
                "tracked": "-- @kind: tracked\n-- @group_key: id\n", "scd2": "-- @kind: scd2\n-- @unique_key: id\n"}
# (directives, query) before and after, and the storage that the table then has.
FREED = {
    "the directive goes with its column": (
        "-- @partitioned_by: p\n-- @sorted_by: p\n", "SELECT id, p FROM raw.s", "", "SELECT id FROM raw.s", ([], [])),
    "the directive goes and its column stays": (
        "-- @partitioned_by: p\n", "SELECT id, p FROM raw.s", "", "SELECT id, p + 1 AS p FROM raw.s", ([], [])),
    "the directive moves to another column": (
        "-- @partitioned_by: p, id\n-- @sorted_by: p\n", "SELECT id, p FROM raw.s",
        "-- @partitioned_by: id\n-- @sorted_by: id\n", "SELECT id FROM raw.s", (["identity"], ["id"])),
    "the column gets another type": (
        "-- @partitioned_by: year(d)\n-- @sorted_by: d\n", "SELECT id, d FROM raw.s",
        "-- @partitioned_by: year(d)\n-- @sorted_by: d\n", "SELECT id, d::TIMESTAMP AS d FROM raw.s",
        (["year"], ["d"])),
    "the column is renamed and another goes": (
        "-- @partitioned_by: p\n-- @sorted_by: p\n", "SELECT id, p, d FROM raw.s",
        "-- @partitioned_by: q\n-- @sorted_by: q\n", "SELECT id, p AS q FROM raw.s", (["identity"], ["q"])),
}


@pytest.mark.parametrize("rows", [2, 40])  # in the catalog, in files
@pytest.mark.parametrize("kind", KIND_HEADERS)
def test_columns_that_the_storage_names_can_go(project, kind, rows):
    """In the model's one commit, whatever the directives then say."""
    def write(after):
        for i, (old_directives, old, new_directives, new, _) in enumerate(FREED.values()):
            directives, query = (new_directives, new) if after else (old_directives, old)
            project.write({f"models/mart/t{i}.sql": KIND_HEADERS[kind] + directives + query})

    def storages(table):
        with sqlite3.connect(project.root / "lake.sqlite") as db:
            of_table = "table_id = (SELECT table_id FROM ducklake_table WHERE table_name = ?) AND end_snapshot IS NULL"
            partition = db.execute("SELECT transform FROM ducklake_partition_column JOIN ducklake_partition_info i "
                                   f"USING (partition_id) WHERE i.{of_table} ORDER BY partition_key_index", [table])
            sort = db.execute("SELECT expression FROM ducklake_sort_expression JOIN ducklake_sort_info i USING (sort_id) "
                              f"WHERE i.{of_table} ORDER BY sort_key_index", [table])
            return [r[0] for r in partition], [r[0].strip('"') for r in sort]

    project.write({"models/raw/s.sql": ROWS.format(n=rows)})
    write(False)
    project.run("run", code=0)
    write(True)
    snapshots = project.snapshots()
    models = project.run_json().models
    assert project.snapshots() == snapshots + len(FREED)
    for i, (case, (_, _, _, new, expected)) in enumerate(FREED.items()):
        assert models[f"mart.t{i}"]["status"] == "ok", (case, models)
        assert storages(f"t{i}") == expected, case
        current = " WHERE is_current" if kind == "scd2" else ""
        columns = "id, p" if case.endswith("stays") else "*" if kind == "table" else "id"
        assert project.sql(f"SELECT {columns} FROM mart.t{i}{current} ORDER BY id") == project.sql(
            f"SELECT {columns} FROM ({new}) ORDER BY id"), case
    project.write({"models/raw/s.sql": ROWS.format(n=rows + 40)})
    assert {m["status"] for m in project.run_json().models.values()} == {"ok"}
    assert project.value("SELECT count(*) AS n FROM mart.t0") == rows + 40
    assert project.run_json().models["mart.t3"]["status"] == "skip"


@pytest.mark.parametrize("kind", KIND_HEADERS)
def test_a_column_of_the_partitioning_that_changes_upstream(project, kind):
    """Nothing of the model is edited, and its storage is what it was."""
    project.write({"models/raw/s.sql": ROWS.format(n=40),
                   "models/mart/t.sql": KIND_HEADERS[kind] + "-- @partitioned_by: p\n-- @sorted_by: p\nSELECT * FROM raw.s"})
    project.run("run", code=0)
    project.write({"models/raw/s.sql": ROWS.format(n=40).replace("i % 3", "(i % 3)::VARCHAR")})
    project.run("run", code=0)
    assert storage(project) == (["identity"], ["p"])
    current = " WHERE is_current" if kind == "scd2" else ""
    assert project.sql(f"SELECT id, p FROM mart.t{current} ORDER BY id") == project.sql("SELECT id, p FROM raw.s ORDER BY id")


def test_a_partitioning_goes_although_the_rows_stay(project):
    project.write({"models/raw/s.sql": ROWS.format(n=40), "models/mart/t.sql": "-- @partitioned_by: p\nSELECT * FROM raw.s"})
    project.run("run", code=0)
    project.write({"models/mart/t.sql": "SELECT * FROM raw.s"})
    snapshots = project.snapshots()
    assert project.run_json().models["mart.t"]["rows_affected"] == 0
    assert storage(project) == ([], []) and project.snapshots() == snapshots + 1


def test_a_partitioning_that_the_lake_does_not_let_go_stays_with_a_warning(project):
    """New rows that the lake's own options keep in the catalog."""
    project.write({"sql/keep.sql": "CALL lake.set_option('data_inlining_row_limit', 20)",
                   "models/raw/t.sql": f"-- @partitioned_by: region\n{SELECT}"})
    project.run("run", code=0)
    project.run("keep", code=0)
    project.write({"models/raw/t.sql": SELECT.replace("1::", "2::").replace(", 'x' AS region", "")})
    model = project.run_json().models["raw.t"]
    assert model["status"] == "ok" and model["warnings"][0] == "columns changed: - region"
    assert model["warnings"][1].startswith("the table keeps its partitioning or sorting: ALTER on a table with "), model
    assert project.sql("SELECT * FROM raw.t") == [{"id": 2, "day": "2024-01-01"}]
    project.write({"models/raw/t.sql": f"-- @partitioned_by: id\n{SELECT}"})
    project.run("run", code=0)
    assert storage(project) == (["identity"], [])


@pytest.mark.parametrize("limit", ["", ", DATA_INLINING_ROW_LIMIT 5"])
def test_a_partitioning_goes_in_a_run_that_wrote_nested_values_before(project, limit):
    project.write({"config/catalog.sql": f"ATTACH 'ducklake:sqlite:lake.sqlite' AS lake (DATA_PATH 'lake_data/'{limit});\n",
                   "models/a/s.sql": "SELECT {'n': 'it''s'} AS s", "models/b/t.sql": "-- @partitioned_by: id\nSELECT range AS id FROM range(3)"})
    project.run_json("--jobs", "1")
    project.write({"models/a/s.sql": "SELECT {'n': 'it''s new'} AS s", "models/b/t.sql": "SELECT range AS id FROM range(1, 4)"})
    models = project.run_json("--jobs", "1").models
    assert models["b.t"]["warnings"] == []
    assert storage(project) == ([], [])
    assert [row["id"] for row in project.sql("SELECT id FROM b.t ORDER BY 1")] == [1, 2, 3]
