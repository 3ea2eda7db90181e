"""query(), lookup() and getvariable() of lib files (libs.md §10.2, §11.2)."""
import pytest

FETCH = '''
API = {"fetch": {"args": []}}

def fetch(page):
    return {"rows": [{"out": str(%s)}]}
'''


def people(project):
    project.write({"models/raw/people.sql": """
        SELECT * FROM (VALUES (1::BIGINT, 'ann', 1.50::DECIMAL(9,2), DATE '2024-01-02'), (2, 'bob', NULL, NULL),
                              (3, 'ann', 7, DATE '2024-02-03')) t(id, name, money, day)"""})
    project.run("run", code=0)


def value_of(project, expression):
    """What `expression` gives inside a fetch, as text."""
    project.write({"lib/ask.star": FETCH % expression,
                   "models/raw/answer.sql": "SELECT out::VARCHAR AS out FROM ask()"})
    project.run("run", "raw.answer", "--full-refresh", code=0)
    return project.value("SELECT out FROM raw.answer")


def error_of(project, expression):
    project.write({"lib/ask.star": FETCH % expression,
                   "models/raw/answer.sql": "SELECT out::VARCHAR AS out FROM ask()"})
    result = project.run("run", "raw.answer", "--full-refresh", code=1)
    return result.out


@pytest.mark.parametrize("expression, expected", [
    ("query('SELECT id, name FROM raw.people ORDER BY id LIMIT 1')", '[{"id": 1, "name": "ann"}]'),
    ("query('SELECT money, day FROM raw.people ORDER BY id LIMIT 2')",
     '[{"money": "1.50", "day": "2024-01-02"}, {"money": None, "day": None}]'),
    ("[r['id'] for r in query('SELECT id FROM raw.people WHERE name = ? AND id > ? ORDER BY 1', params = ['ann', 1])]", "[3]"),
    ("query('SELECT ? AS a, ? AS b, ? AS c', params = [None, True, 1.5])", '[{"a": None, "b": True, "c": 1.5}]'),
    ("query('SELECT 12345678901234567890 AS n')[0]['n']", "12345678901234567890"),
    ("lookup('raw.people', 'id', 'name', [1, 3, 9, None])", '{1: "ann", 3: "ann"}'),
    ("lookup('raw.people', 'id', 'name', ['2', 1.5, 3.0])", '{2: "bob", 3: "ann"}'),
    ("lookup('raw.people', 'name', 'id', ['ann'])", '{"ann": 3}'),
    ("lookup('raw.people', 'day', 'id', ['2024-01-02'])", '{"2024-01-02": 1}'),
    ("len(lookup('raw.people', 'id', 'name', range(25000)[:] if False else [i for i in range(25000)]))", "3"),
    ("lookup('raw.nobody', 'id', 'name', [1])", "{}"),
    ("getvariable('current_model')", "raw.answer"),
    ("repr(getvariable('no_such_variable'))", '""'),
])
def test_what_they_give(project, expression, expected):
    people(project)
    assert value_of(project, expression) == expected


@pytest.mark.parametrize("statement, message", [
    ("DELETE FROM raw.people", "query: only a single SELECT is allowed (got DELETE)"),
    ("SELECT 1; DELETE FROM raw.people", "query: only a single SELECT is allowed (got several statements)"),
    ("COPY raw.people TO 'x.csv'", "query: only a single SELECT is allowed (got COPY)"),
    ("WITH x AS (DELETE FROM raw.people RETURNING id) SELECT * FROM x", "query: "),
    ("ATTACH 'x.db'", "query: only a single SELECT is allowed (got ATTACH)"),
    ("SET threads = 1", "query: only a single SELECT is allowed (got SET)"),
    ("PRAGMA version", "query: only a single SELECT is allowed"),
    ("CALL lake.snapshots()", "query: only a single SELECT is allowed (got CALL)"),
    ("SELECT * FROM read_text('/etc/passwd')", "query: the function read_text is not allowed here"),
    ("SELECT * FROM '/etc/passwd'", "query: reading the file /etc/passwd is not allowed here"),
    ("SELECT nope FROM raw.people", "query: "),
    ("SELECT * FROM range(1000001)", "query: more than 1000000 rows"),
])
def test_query_only_reads(project, statement, message):
    people(project)
    assert message in error_of(project, f"query({statement!r})")
    assert project.value("SELECT count(*) FROM raw.people") == 3
    assert not (project.root / "x.csv").exists() and not (project.root / "x.db").exists()


@pytest.mark.parametrize("expression, message", [
    ("lookup('raw.people', 'id', 'nme', [1])", 'lookup: raw.people has no column "nme"'),
    ("lookup('raw.people', 'id', 'name', [[1]])", "lookup: where: got list, want scalars"),
    ("query('SELECT ?', params = [{}])", "query: params[0]: got dict, want"),
])
def test_wrong_use_is_an_error(project, expression, message):
    people(project)
    assert message in error_of(project, expression)


def test_query_sees_what_is_committed_and_not_the_running_model(project):
    people(project)
    project.write({"lib/ask.star": FETCH % "query('SELECT count(*) AS n FROM raw.answer')[0]['n']",
                   "models/raw/answer.sql": "-- @kind: append\nSELECT out::BIGINT AS out FROM ask()"})
    project.write({"models/raw/answer.sql": "-- @kind: append\nSELECT 7::BIGINT AS out"})
    project.run("run", code=0)
    project.write({"models/raw/answer.sql": "-- @kind: append\nSELECT out::BIGINT AS out FROM ask()"})
    project.run("run", code=0)
    project.run("run", code=0)
    assert [r["out"] for r in project.sql("SELECT out FROM raw.answer ORDER BY out")] in ([1, 1], [1, 7], [1, 2, 7])


def test_push_asks_on_all_of_its_workers(project, api):
    people(project)
    api.on("POST", "/one", (200, {}))
    project.write({
        "lib/out.star": '''
API = {"base_url": "%s", "push": {"batch_size": 1, "max_concurrent": 4}}

def push(rows):
    names = lookup("raw.people", "id", "name", [r["id"] for r in rows])
    total = query("SELECT count(*) AS n FROM raw.people WHERE id >= ?", params = [rows[0]["id"]])[0]["n"]
    http.post("/one", json = {"id": rows[0]["id"], "name": names[rows[0]["id"]], "total": total,
                              "model": getvariable("current_model")})
    return {"%%d:%%s" %% (r["__ondatra_rowid"], r["__ondatra_change_type"]): "ok" for r in rows}
''' % api.url,
        "models/sync/p.sql": "-- @kind: merge\n-- @unique_key: id\n-- @sink: out\nSELECT id FROM raw.people"})
    result = project.run_json()
    assert result.models["sync.p"]["push"]["ok"] == 3
    seen = sorted((r.json["id"], r.json["name"], r.json["total"], r.json["model"]) for r in api.seen("POST"))
    assert seen == [(1, "ann", 3, "sync.p"), (2, "bob", 2, "sync.p"), (3, "ann", 1, "sync.p")]


def test_push_that_writes_is_refused_and_its_rows_wait(project, api):
    people(project)
    project.write({
        "lib/out.star": 'API = {"push": {"batch_size": 10}}\n\ndef push(rows):\n    query("DELETE FROM raw.people")\n',
        "models/sync/p.sql": "-- @kind: merge\n-- @unique_key: id\n-- @sink: out\nSELECT id FROM raw.people"})
    result = project.run_json(code=1)
    push = result.models["sync.p"]["push"]
    assert push["failed"] == 3 and "only a single SELECT is allowed (got DELETE)" in str(push["errors"])
    assert project.value("SELECT count(*) FROM raw.people") == 3


def test_finalize_hears_of_a_backfill_that_left_nothing(project, api):
    api.on("POST", "/rows", (200, {})).on("POST", "/done", (200, {}))
    project.write({
        "lib/out.star": '''
API = {"base_url": "%s", "push": {"batch_size": 10}}

def push(rows):
    http.post("/rows", json = len(rows))

def finalize(succeeded, failed):
    http.post("/done", json = [succeeded, failed])
''' % api.url,
        "models/raw/src.sql": "SELECT 1::BIGINT AS id WHERE false",
        "models/sync/p.sql": "-- @kind: merge\n-- @unique_key: id\n-- @sink: out\nSELECT id FROM raw.src"})
    project.run("run", code=0)
    assert [(r.path, r.json) for r in api.seen("POST")] == [("/done", [0, 0])]
    api.forget()
    project.run("run", code=0)
    assert api.seen("POST") == []
