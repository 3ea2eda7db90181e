"""run --jobs N: several models at a time, with the outcome of one at a time (models.md §10.1)."""
import threading

import pytest

# Four chains and what joins them; two models read variables of the run.
GRAPH = {
    **{f"models/raw/s{i}.sql": f"SELECT range::BIGINT AS id, (range * {i})::BIGINT AS v FROM range({50 * i})"
       for i in range(1, 5)},
    **{f"models/mid/m{i}.sql": f"-- @kind: merge\n-- @unique_key: id\nSELECT id, v + 1 AS v FROM raw.s{i}"
       for i in range(1, 5)},
    "models/mart/all.sql": " UNION ALL ".join(f"SELECT id, v FROM mid.m{i}" for i in range(1, 5)),
    "models/mart/broken.sql": "SELECT error('no') AS x FROM mid.m2 WHERE id = 1",
    "models/mart/behind.sql": "SELECT x FROM mart.broken",
}


def outcome(result):
    return [{k: m[k] for k in ("model", "run_type", "run_reason", "rows_affected", "status") if k in m}
            for m in result.lines if "model" in m]


@pytest.mark.parametrize("jobs", ["2", "4", "64"])
def test_output_and_tables_are_those_of_one_job(project, tmp_path, jobs):
    project.write(GRAPH)
    other = type(project)(tmp_path / "other").write(GRAPH)
    for step in range(2):
        one = project.run_json("--jobs", "1", code=1)
        many = other.run_json("--jobs", jobs, code=1)
        assert outcome(one) == outcome(many)
        project.write({"models/raw/s3.sql": GRAPH["models/raw/s3.sql"].replace("50", "51").replace("150", "151")})
        other.write({"models/raw/s3.sql": GRAPH["models/raw/s3.sql"].replace("50", "51").replace("150", "151")})
    for table in ["mart.all"] + [f"mid.m{i}" for i in range(1, 5)]:
        query = f"SELECT * FROM {table} ORDER BY ALL"
        assert project.sql(query) == other.sql(query)
    assert project.snapshots() == other.snapshots()


def test_two_sinks_are_served_at_the_same_time(project, sink):
    both = threading.Barrier(2, timeout=20)
    receive = sink.receive

    def answer(request):
        both.wait()  # breaks, and fails the push, when the other never comes
        return receive(request)

    sink.api.on("POST", "/batch", answer)
    for name in ("a", "b"):
        project.write({f"models/mart/{name}.sql": "-- @kind: merge\n-- @unique_key: id\n-- @sink: crm\nSELECT 1 AS id"})
    result = project.run_json("--jobs", "2")
    assert [m["push"]["ok"] for m in result.models.values()] == [1, 1]


@pytest.mark.parametrize("name", ["raw.slow", "RAW.SLOW", "lake.raw.slow"])
def test_a_check_finds_the_other_table_as_with_one_job(project, name):
    """mart.a is checked against what comes before it, mart.z is changed by what comes after it."""
    project.write({
        "models/raw/slow.sql": "SELECT count(*) AS id FROM range(20000) a, range(2000) b",
        "models/raw/stays.sql": f"-- @constraint: references(id, {name}, id)\nSELECT 40000000 AS id",
        "models/mart/a.sql": "-- @audit: reconcile_count(mart.z)\nSELECT count(*) - 40000000 AS n FROM range(20000) a, range(2000) b",
        "models/mart/z.sql": "SELECT 1 AS id"})
    models = project.run_json("--jobs", "4", code=1).models
    assert {m: models[m]["status"] for m in models} == {
        "raw.slow": "ok", "raw.stays": "ok", "mart.a": "error", "mart.z": "ok"}
    assert models["mart.a"]["errors"] == [
        "@audit: reconcile_count(mart.z) failed: there are 1 rows here and 0 in mart.z"]


def test_a_failure_skips_only_what_is_behind_it(project):
    project.write(GRAPH)
    models = project.run_json("--jobs", "4", code=1).models
    assert models["mart.broken"]["status"] == "error"
    assert models["mart.behind"]["skipped_because"] == "mart.broken"
    assert models["mart.all"]["status"] == "ok"


def test_cursor_variables_of_one_model_are_not_seen_by_the_next(project):
    project.write({
        "models/a/one.sql": "-- @kind: append\n-- @incremental: id\nSELECT 7 AS id",
        "models/b/two.sql": "SELECT getvariable('incr_last_value') AS v, getvariable('incr_cursor') AS c",
    })
    project.run_json("--jobs", "1")
    assert project.sql("SELECT v, c FROM b.two") == [{"v": None, "c": None}]


def test_settings_hold_for_every_job(project):
    project.write({"config/settings.sql": "SET TimeZone = 'Asia/Tokyo';"})
    for i in range(6):
        project.write({f"models/mart/m{i}.sql": f"SELECT {i} AS id, current_setting('TimeZone') AS zone, "
                                                "strftime(to_timestamp(0), '%H') AS hour FROM range(20000)"})
    project.run_json("--jobs", "4")
    for i in range(6):
        assert project.sql(f"SELECT DISTINCT zone, hour FROM mart.m{i}") == [{"zone": "Asia/Tokyo", "hour": "09"}]


@pytest.mark.parametrize("value", ["0", "65", "many", "-1"])
def test_a_wrong_number_of_jobs_is_refused(project, value):
    assert project.run("run", "--jobs", value, code=2).err == (
        f'error: --jobs takes a whole number from 1 to 64, got "{value}"\n')
    assert project.run("run", code=2, COYPU_JOBS=value).err == (
        f'error: COYPU_JOBS is "{value}", not a number from 1 to 64\n  hint: unset it, or give --jobs N\n')


def test_two_models_fetch_at_the_same_time(project, fetch_lib):
    both = threading.Barrier(2, timeout=20)

    def answer(request):
        both.wait()  # breaks, and fails the fetch, when the other never comes
        return 200, {"data": [{"id": 1, "v": request.path}], "next": None}

    fetch_lib.on("GET", "/a", answer).on("GET", "/b", answer)
    for name in ("a", "b"):
        project.write({f"models/raw/{name}.sql": f"SELECT id::BIGINT AS id, v::VARCHAR AS v FROM shop('{name}')"})
    project.run_json("--jobs", "2")
    assert project.sql("SELECT v FROM raw.a UNION ALL SELECT v FROM raw.b") == [{"v": "/a"}, {"v": "/b"}]


def test_print_names_the_model_when_several_fetch(project, fetch_lib):
    text = (project.root / "lib/shop.star").read_text().replace("    resp =", "    print('page of', resource)\n    resp =")
    project.write({"lib/shop.star": text})
    for name in ("a", "b", "c"):
        fetch_lib.on("GET", f"/{name}", (200, {"data": [{"id": 1}], "next": None}))
        project.write({f"models/raw/{name}.sql": f"SELECT id::BIGINT AS id FROM shop('{name}')"})
    err = project.run("run", "--jobs", "3", code=0).err
    assert sorted(err.splitlines()) == [f"[raw.{name} shop] page of {name}" for name in ("a", "b", "c")]
    project.write({"models/raw/a.sql": "SELECT id::BIGINT AS id, 1 AS n FROM shop('a')"})
    assert project.run("run", "raw.a", "--jobs", "3", code=0).err == "page of a\n"
    assert "\npage of b\n" in "\n" + project.run("run", "--jobs", "1", code=0).err


def test_print_names_the_model_when_several_push(project, sink, api):
    text = (project.root / "lib/crm.star").read_text().replace("    resp =", "    print(len(rows), 'rows')\n    resp =")
    project.write({"lib/crm.star": text,
                   "models/sync/a.sql": "-- @kind: append\n-- @sink: crm\nSELECT 1 AS id",
                   "models/sync/b.sql": "-- @kind: append\n-- @sink: crm\nSELECT 2 AS id"})
    err = project.run("run", "--jobs", "2", code=0).err
    assert sorted(err.splitlines()) == ["[sync.a crm] 1 rows", "[sync.b crm] 1 rows"]


KINDS = {
    "table": "", "append": "-- @kind: append\n", "merge": "-- @kind: merge\n-- @unique_key: id\n",
    "tracked": "-- @kind: tracked\n-- @group_key: id\n", "scd2": "-- @kind: scd2\n-- @unique_key: id\n",
}


def test_every_kind_gives_the_same_next_to_a_long_write(project, tmp_path):
    """The long model keeps the write lock, so that the others are evaluated apart."""
    files = {f"models/mart/{kind}.sql": head + "SELECT id, v FROM raw.src" for kind, head in KINDS.items()}
    files["models/mart/long.sql"] = "SELECT id, count(*) AS n FROM raw.src, range(200000) GROUP BY id"
    other = type(project)(tmp_path / "other")
    for step in ("SELECT range AS id, range AS v FROM range(20)",
                 "SELECT range AS id, range % 7 AS v FROM range(2, 25)",
                 "SELECT range AS id, 1.5 AS v, 'new' AS more FROM range(30)"):
        for one in (project, other):
            one.write({**files, "models/raw/src.sql": step})
        assert outcome(project.run_json("--jobs", "1")) == outcome(other.run_json("--jobs", "6"))
        for kind in KINDS:
            query = f"SELECT * EXCLUDE (n) FROM (SELECT *, 1 AS n FROM mart.{kind}) ORDER BY ALL"
            columns = "* EXCLUDE (valid_from_snapshot, valid_to_snapshot)" if kind == "scd2" else "*"
            query = f"SELECT {columns} FROM mart.{kind} ORDER BY ALL"
            assert project.sql(query) == other.sql(query), (kind, step)


def test_an_error_of_a_query_evaluated_apart_is_explained_as_ever(project):
    project.write({
        "models/a/long.sql": "SELECT count(*) AS n FROM range(3000000) a(i), range(20)",
        "models/b/bad.sql": "SELECT 1 AS x,\n  CAST('seven' AS INTEGER) AS y FROM range(2)",
    })
    models = project.run_json("--jobs", "2", code=1).models
    detail = models["b.bad"]["errors_detail"][0]
    assert detail["file"] == "models/b/bad.sql"
