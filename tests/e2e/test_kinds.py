"""table, append and merge on plain SQL models (models.md §4, §5)."""
import pytest


def source(project, rows):
    """raw.src as a table model over literal rows."""
    values = ", ".join(f"({i}, {v!r})" if v is not None else f"({i}, NULL)" for i, v in rows) or "(NULL, NULL)"
    where = "" if rows else " WHERE false"
    project.write({"models/raw/src.sql": f"SELECT id::BIGINT AS id, v::VARCHAR AS v FROM (VALUES {values}) t(id, v){where}"})


def target(project):
    return [(r["id"], r["v"]) for r in project.sql("select id, v from mart.t order by id, v nulls first")]


KINDS = {"table": "", "append": "-- @kind: append\n", "merge": "-- @kind: merge\n-- @unique_key: id\n"}

#                 first rows              then                       table                     append                            merge
STEPS = {
    "unchanged": ([(1, "a"), (2, "b")], [(1, "a"), (2, "b")], [(1, "a"), (2, "b")], [(1, "a"), (2, "b")], [(1, "a"), (2, "b")]),
    "insert":    ([(1, "a")], [(1, "a"), (2, "b")], [(1, "a"), (2, "b")], [(1, "a"), (2, "b")], [(1, "a"), (2, "b")]),
    "update":    ([(1, "a"), (2, "b")], [(1, "a"), (2, "B")], [(1, "a"), (2, "B")], [(1, "a"), (2, "B"), (2, "b")], [(1, "a"), (2, "B")]),
    "delete":    ([(1, "a"), (2, "b")], [(1, "a")], [(1, "a")], [(1, "a"), (2, "b")], [(1, "a"), (2, "b")]),
    "null":      ([(1, "a")], [(1, None)], [(1, None)], [(1, None), (1, "a")], [(1, None)]),
    "to empty":  ([(1, "a")], [], [], [(1, "a")], [(1, "a")]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", STEPS)
def test_kind_after_a_source_edit(project, kind, step):
    first, then, *expected = STEPS[step]
    project.write({"models/mart/t.sql": KINDS[kind] + "SELECT id, v FROM raw.src"})
    source(project, first)
    project.run_json()
    assert target(project) == first
    source(project, then)
    project.run_json()
    assert target(project) == expected[list(KINDS).index(kind)]
    snapshots = project.snapshots()
    result = project.run_json()
    assert project.snapshots() == snapshots
    assert {m["run_type"] for m in result.models.values()} == {"skip"}


def test_append_keeps_identical_new_rows_apart(project):
    project.write({"models/mart/t.sql": KINDS["append"] + "SELECT id, v FROM raw.src"})
    source(project, [(1, "a")])
    project.run_json()
    source(project, [(1, "a"), (1, "a"), (2, "b"), (2, "b")])
    project.run_json()
    assert target(project) == [(1, "a"), (1, "a"), (2, "b"), (2, "b")]


def test_merge_writes_only_rows_that_differ(project):
    project.write({"models/mart/t.sql": KINDS["merge"] + "SELECT id, v FROM raw.src"})
    source(project, [(i, "a") for i in range(100)])
    project.run_json()
    source(project, [(i, "a" if i else "b") for i in range(100)])
    result = project.run_json()
    assert result.models["mart.t"]["rows_affected"] == 1
    snapshot = project.value("select max(snapshot_id) as n from lake.snapshots()")
    feed = project.sql(f"select change_type from ducklake_table_changes('lake', 'mart', 't', {snapshot}, {snapshot})")
    assert sorted(r["change_type"] for r in feed) == ["update_postimage", "update_preimage"]


def test_merge_refuses_null_keys_and_says_how_many(project):
    project.write({"models/mart/t.sql": KINDS["merge"] + "SELECT NULLIF(id, 2) AS id, v FROM raw.src"})
    source(project, [(1, "a"), (2, "b")])
    error = project.run_json(code=1).models["mart.t"]["errors"][0]
    assert "NULL" in error and "id" in error and "1" in error


def test_merge_refuses_duplicate_keys_with_examples(project):
    project.write({"models/mart/t.sql": KINDS["merge"] + "SELECT id, v FROM raw.src"})
    source(project, [(1, "a"), (1, "b"), (7, "c"), (7, "d")])
    error = project.run_json(code=1).models["mart.t"]["errors"][0]
    assert "id" in error and "2" in error and "7" in error
    source(project, [(1, "a"), (7, "c")])
    project.run_json()
    assert target(project) == [(1, "a"), (7, "c")]


def test_an_aggregate_over_a_changed_source_is_always_whole(project):
    source(project, [(1, "a"), (2, "a"), (3, "b")])
    project.write({"models/mart/t.sql": "-- @kind: merge\n-- @unique_key: v\nSELECT v, sum(id)::BIGINT AS id FROM raw.src GROUP BY v"})
    project.run_json()
    source(project, [(1, "a"), (2, "a"), (3, "b"), (10, "a")])
    project.run_json()
    assert target(project) == [(3, "b"), (13, "a")]


def test_a_join_sees_a_changed_dimension(project):
    source(project, [(1, "x"), (2, "y")])
    project.write({"models/raw/dim.sql": "SELECT 'x' AS v, 'one' AS label UNION ALL SELECT 'y', 'two'",
                   "models/mart/t.sql": "-- @kind: merge\n-- @unique_key: id\nSELECT s.id, d.label AS v FROM raw.src s JOIN raw.dim d USING (v)"})
    project.run_json()
    project.write({"models/raw/dim.sql": "SELECT 'x' AS v, 'ONE' AS label UNION ALL SELECT 'y', 'two'"})
    project.run_json()
    assert target(project) == [(1, "ONE"), (2, "two")]


def test_editing_a_literal_rebuilds_but_layout_and_comments_do_not(project):
    project.write({"models/mart/t.sql": "SELECT 1::BIGINT AS id, 'A' AS v"})
    project.run_json()
    snapshots = project.snapshots()
    project.write({"models/mart/t.sql": "-- a comment\n\nselect   1::bigint as id,\n  'A' as v -- another\n"})
    assert project.run_json().models["mart.t"]["run_type"] == "skip"
    assert project.snapshots() == snapshots
    project.write({"models/mart/t.sql": "SELECT 1::BIGINT AS id, 'a' AS v"})
    result = project.run_json().models["mart.t"]
    assert (result["run_type"], result["run_reason"]) == ("backfill", "sql changed")
    assert target(project) == [(1, "a")]


def test_a_new_column_appears_and_a_dropped_one_goes(project):
    project.write({"models/mart/t.sql": KINDS["append"] + "SELECT id, v FROM raw.src"})
    source(project, [(1, "a")])
    project.run_json()
    project.write({"models/mart/t.sql": KINDS["append"] + "SELECT id, v, id * 2 AS twice FROM raw.src"})
    project.run_json()
    assert project.sql("select * from mart.t") == [{"id": 1, "v": "a", "twice": 2}]
    project.write({"models/mart/t.sql": KINDS["append"] + "SELECT id, v FROM raw.src"})
    project.run_json()
    assert project.sql("select * from mart.t") == [{"id": 1, "v": "a"}]


def test_a_failed_model_skips_its_descendants_and_siblings_go_on(project):
    project.write({"models/raw/bad.sql": "SELECT 1 // 0 AS id, error('boom') AS v",
                   "models/mart/child.sql": "SELECT * FROM raw.bad",
                   "models/mart/grandchild.sql": "SELECT * FROM mart.child",
                   "models/mart/sibling.sql": "SELECT 1 AS id"})
    models = project.run_json(code=1).models
    assert models["raw.bad"]["status"] == "error" and "boom" in models["raw.bad"]["errors"][0]
    for name in ("mart.child", "mart.grandchild"):
        assert (models[name]["status"], models[name]["skipped_because"]) == ("skip", "raw.bad")
    assert models["mart.sibling"]["status"] == "ok"


def test_the_run_line_reads_as_documented(project):
    project.write({"models/mart/t.sql": "SELECT 1 AS id"})
    out = project.run("run", code=0).out
    assert "[OK] mart.t (table, backfill, 1 rows, " in out and "— first run)" in out
    assert "Done: 1 ran, 0 skipped, 0 failed (1 rows, " in out


def test_run_with_a_target_runs_only_that_model(project):
    project.write({"models/raw/a.sql": "SELECT 1 AS id", "models/raw/b.sql": "SELECT 2 AS id"})
    assert set(project.run_json("raw.A").models) == {"raw.a"}
    result = project.run("run", "raw.nothing", code=1)
    assert "raw.nothing" in result.err


def test_commit_metadata_is_readable_in_the_lake(project):
    project.write({"models/mart/t.sql": "SELECT 1 AS id"})
    project.run_json()
    info = project.sql("select commit_extra_info->>'model' as model, commit_extra_info->>'kind' as kind, "
                       "commit_extra_info->>'run_type' as run_type, commit_extra_info->>'source_file' as file, "
                       "length(commit_extra_info->>'coypu_hash') as hash from lake.snapshots() "
                       "where commit_extra_info->>'model' is not null")
    assert info == [{"model": "mart.t", "kind": "table", "run_type": "backfill", "file": "models/mart/t.sql", "hash": 64}]


def test_sums_and_128_bit_integers_keep_every_digit(project, api, sink):
    project.write({"models/raw/big.sql": "SELECT range AS id, 9007199254740993 + range AS n FROM range(100)",
                   "models/mart/sums.sql": "-- @kind: merge\n-- @unique_key: id\n-- @sink: crm\n"
                                           "SELECT id, sum(n) AS total, (12345678901234567890 + id)::HUGEINT AS huge FROM raw.big GROUP BY id"})
    project.run_json()
    rows = project.sql("select id, total::varchar as total, huge::varchar as huge from mart.sums order by id")
    assert rows == [{"id": i, "total": str(9007199254740993 + i), "huge": str(12345678901234567890 + i)} for i in range(100)]
    assert sorted((r["id"], r["total"], r["huge"]) for r in sink.rows) == [
        (i, 9007199254740993 + i, 12345678901234567890 + i) for i in range(100)]
    snapshots = project.snapshots()
    project.run_json()
    assert project.snapshots() == snapshots


def test_members_named_as_any_word_of_sql(project):
    project.write({"models/raw/one.sql": "SELECT 1 AS i"})
    project.run_json()
    words = sorted({row["w"] for row in project.sql("SELECT keyword_name AS w FROM duckdb_keywords()")})
    assert len(words) > 400
    members = ", ".join(f"'{word}': {i}" for i, word in enumerate(words))
    project.write({"models/raw/words.sql": f"SELECT {{{members}}} AS s"})
    project.run_json()
    assert project.value("SELECT s.\"left\" FROM raw.words") == words.index("left")
    assert project.run_json().models["raw.words"]["run_type"] == "skip"


def test_enums_inside_other_types_are_kept_as_text(project):
    project.write({"models/raw/e.sql": "SELECT ['b'')]c'::ENUM('a', 'b'')]c', '('), NULL] AS l, "
                                       "{'e': 'x'::ENUM('x'), 'say \"ENUM(''': 7::HUGEINT, 'm': MAP{'k': 'x'::ENUM('x')}} AS s"})
    project.run_json()
    assert project.sql("SELECT typeof(l) AS l, typeof(s) AS s, l[1] AS v, s.m['k'] AS k FROM raw.e") == [{
        "l": "VARCHAR[]", "s": 'STRUCT(e VARCHAR, "say ""ENUM(\'" DECIMAL(38,0), m MAP(VARCHAR, VARCHAR))', "v": "b')]c", "k": "x"}]
    assert project.run_json().models["raw.e"]["run_type"] == "skip"
