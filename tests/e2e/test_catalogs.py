"""The same project on each catalog that a lake can have (SQLite, a DuckDB file, PostgreSQL), with files on disk and in S3."""
import glob
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

PIPELINE = {
    "models/raw/src.sql": "SELECT range AS id, 'v' || range AS v FROM range(100)",
    "models/mart/t.sql": "-- @kind: merge\n-- @unique_key: id\nSELECT id, v FROM raw.src WHERE id % 2 = 0",
}


def open_folder():
    """Where the user can go whom the server runs as: pytest's own folder is closed to others, $TMPDIR may be."""
    for folder in map(Path, (tempfile.gettempdir(), "/tmp", "/var/tmp")):
        if all(part.stat().st_mode & stat.S_IXOTH for part in (folder, *folder.resolve().parents)):
            return folder
    return None


@pytest.fixture(scope="module")
def postgres():
    """A PostgreSQL server of our own, on a free port of loopback; the distribution brings the programs."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    assert folders, "PostgreSQL is missing: ./dev test installs it"
    root = Path(tempfile.mkdtemp(prefix="coypu-postgres-", dir=open_folder()))
    user = {}
    if os.getuid() == 0:  # the server refuses to run as root
        shutil.chown(root, "nobody", "nogroup")
        user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
    subprocess.run([f"{folders[-1]}/initdb", "-D", f"{root}/data", "-U", "coypu", "--auth=trust", "--no-sync", "--no-locale", "-E", "UTF8"], check=True,
                   stdout=subprocess.DEVNULL, cwd=root, **user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = open(root / "postgres.log", "wb")
    server = subprocess.Popen([f"{folders[-1]}/postgres", "-D", f"{root}/data", "-h", "127.0.0.1", "-p", str(port), "-k", "", "-c", "fsync=off"],
                              stdout=log, stderr=log, cwd=root, **user)
    try:
        deadline = time.monotonic() + 60
        while subprocess.run([f"{folders[-1]}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]).returncode != 0:
            assert server.poll() is None and time.monotonic() < deadline, (root / "postgres.log").read_text()
            time.sleep(0.05)
        subprocess.run([f"{folders[-1]}/createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "coypu", "lake"], check=True)
        yield f"dbname=lake host=127.0.0.1 port={port} user=coypu"
    finally:
        server.terminate()
        server.wait(30)
        log.close()
        shutil.rmtree(root, ignore_errors=True)


EVERY_KIND = {
    "table": ("", [[1, "a"], [2, "B"], [4, "d"], [5, None]]),
    "append": ("-- @kind: append\n", [[1, "a"], [2, "B"], [2, "b"], [3, "c"], [4, "d"], [5, None]]),
    "merge": ("-- @kind: merge\n-- @unique_key: id\n", [[1, "a"], [2, "B"], [3, "c"], [4, "d"], [5, None]]),
    "tracked": ("-- @kind: tracked\n-- @group_key: id\n", [[1, "a"], [2, "B"], [4, "d"], [5, None]]),
    "scd2": ("-- @kind: scd2\n-- @unique_key: id\n", [[1, "a"], [2, "B"], [2, "b"], [3, "c"], [4, "d"], [5, None]]),
}


def check_every_kind(project):
    """Insert, update, delete and NULL, then nothing, for each kind."""
    def source(rows):
        project.write({"models/raw/kinds.sql": f"SELECT id, v FROM (VALUES {rows}) t(id, v)"})
    project.write({f"models/kinds/{kind}.sql": f"{head}SELECT id, v FROM raw.kinds" for kind, (head, _) in EVERY_KIND.items()})
    source("(1, 'a'), (2, 'b'), (3, 'c')")
    project.run_json()
    source("(1, 'a'), (2, 'B'), (4, 'd'), (5, NULL)")
    project.run_json()
    for kind, (_, expected) in EVERY_KIND.items():
        assert [list(row.values()) for row in project.sql(f"SELECT id, v FROM kinds.{kind} ORDER BY id, v")] == expected, kind
    assert project.value("SELECT count(*) AS n FROM kinds.scd2 WHERE is_current") == 4
    snapshots = project.snapshots()
    assert {m["run_type"] for m in project.run_json().models.values()} == {"skip"} and project.snapshots() == snapshots


def check_pipeline(project):
    project.write(PIPELINE)
    first = project.run_json()
    assert [first.models[m]["rows_affected"] for m in ("raw.src", "mart.t")] == [100, 50]
    assert project.value("select sum(id) as n from mart.t") in (2450, "2450")
    snapshots = project.snapshots()
    again = project.run_json()
    assert {m["run_type"] for m in again.models.values()} == {"skip"} and project.snapshots() == snapshots
    project.write({"models/raw/src.sql": "SELECT range AS id, CASE WHEN range = 4 THEN 'new' ELSE 'v' || range END AS v FROM range(100)"})
    assert project.run_json().models["mart.t"]["rows_affected"] == 1
    assert project.value("select v from mart.t where id = 4") == "new"
    check_every_kind(project)


NESTED = r"""SELECT i AS id, ['a' || chr(0) || i, NULL] AS l, MAP {'it''s': DATE '2020-01-01' + i::INT} AS m,
['{"k": "it''s"}'::JSON] AS j, [{'d': TIME '10:00', 't': 'it''s'}] AS n,
{'text': 'it''s "x" \ , NULL', 'day': DATE '2020-01-01', 'at': TIMESTAMPTZ '2020-01-01 10:00:00.000001+00', 'b': '\xAA\x00'::BLOB,
 'id': '550e8400-e29b-41d4-a716-446655440000'::UUID, 'none': NULL::TIME, 'in': {'f': ['nan'::DOUBLE, 1e308], 'i': INTERVAL 3 DAY}} AS s"""


def nested_rows(numbers):
    return f"{NESTED} FROM (VALUES {', '.join(f'({i})' for i in numbers)}) t(i)"


def check_nested_values(project):
    """A write of a few rows gives structs, lists and maps back as they are, for each kind."""
    project.write({f"models/kinds/{kind}.sql": f"{head}SELECT * FROM raw.nested" for kind, (head, _) in EVERY_KIND.items()})
    for numbers in (1, 2), (1, 2, 3), (2, 3):
        project.write({"models/raw/nested.sql": nested_rows(numbers)})
        project.run_json()
        for kind in EVERY_KIND:
            texts = "SELECT COLUMNS(c -> c IN ('id', 'l', 'm', 'j', 'n', 's'))::VARCHAR FROM"
            have = project.sql(f"{texts} kinds.{kind} WHERE id IN {numbers} ORDER BY id")
            assert have == project.sql(f"{texts} ({nested_rows(numbers)}) ORDER BY id"), (kind, numbers)
    project.write({"models/raw/nested.sql": nested_rows((2, 3)) + " WHERE true"})
    assert project.run_json().models["raw.nested"]["rows_affected"] == 0


@pytest.mark.parametrize("catalog, limit", [
    ("sqlite:lake.sqlite", ""), ("sqlite:lake.sqlite", ", DATA_INLINING_ROW_LIMIT 5"), ("sqlite:lake.sqlite", ", data_inlining_row_limit 0"),
    ("lake.ducklake", ""), ("postgres", "")])
def test_nested_values_of_small_writes(project, request, catalog, limit):
    if catalog == "postgres":
        catalog = f"postgres:{request.getfixturevalue('postgres')}"
        limit = ", METADATA_SCHEMA 'nested'"
    project.write({"config/catalog.sql": f"ATTACH 'ducklake:{catalog}' AS lake (DATA_PATH 'lake_data/'{limit});\n"})
    check_nested_values(project)


def files_of(project, table):
    return len(list((project.root / f"lake_data/raw/{table}").rglob("*.parquet")))


def test_other_tables_keep_their_small_writes_in_the_catalog(project):
    project.write({"config/catalog.sql": "ATTACH 'ducklake:sqlite:lake.sqlite' AS lake (DATA_INLINING_ROW_LIMIT 5, DATA_PATH 'lake_data/');\n",
                   "models/raw/a.sql": "SELECT {'t': 'it''s'} AS s", "models/raw/b.sql": "SELECT range AS i FROM range(5)",
                   "models/raw/c.sql": "SELECT range AS i FROM range(6)"})
    project.run_json()
    assert [files_of(project, table) for table in "abc"] == [1, 0, 1]


def test_a_limit_that_the_lake_itself_sets_is_refused_for_nested_values(project):
    project.write({"models/raw/a.sql": "SELECT 1 AS i", "sql/keep.sql": "CALL lake.set_option('data_inlining_row_limit', 7)",
                   "sql/inlining.sql": "CALL lake.set_option('data_inlining_row_limit', 0)"})
    project.run_json()
    project.run("keep", code=0)
    project.write({"models/raw/s.sql": "SELECT {'t': 'it''s'} AS s"})
    result = project.run("run", code=1)
    assert ('models/raw/s.sql: the lake keeps up to 7 rows of a write in its catalog, which would change values of "s" (STRUCT(t VARCHAR))\n'
            "    hint: put CALL lake.set_option('data_inlining_row_limit', 0) into sql/inlining.sql and run coypu inlining: "
            "the runtime then chooses by table\n") in result.out + result.err, result
    project.run("inlining", code=0)
    project.run_json()
    assert project.value("SELECT s.t FROM raw.s") == "it's"


def test_a_duckdb_file_as_catalog(project):
    project.write({"config/catalog.sql": "ATTACH 'ducklake:lake.ducklake' AS lake (DATA_PATH 'lake_data/');\n"})
    check_pipeline(project)


def test_postgresql_as_catalog(project, postgres):
    project.write({"config/catalog.sql": f"ATTACH 'ducklake:postgres:{postgres}' AS lake (DATA_PATH 'lake_data/');\n"})
    check_pipeline(project)


def test_a_catalog_under_another_name(project):
    project.write({"config/catalog.sql": "ATTACH 'ducklake:sqlite:warehouse.db' AS warehouse (DATA_PATH 'files/');\n", **PIPELINE})
    project.run_json()
    assert project.value("select count(*) as n from warehouse.mart.t") == 50


def test_mysql_is_refused_with_what_to_use_instead(project):
    project.write({"config/catalog.sql": "ATTACH 'ducklake:mysql:db=lake' AS lake (DATA_PATH 'd/');\n", **PIPELINE})
    result = project.run("run", code=1)
    assert "MySQL" in result.err and "PostgreSQL" in result.err and "config/catalog.sql:1" in result.err


def test_a_password_in_the_attach_string_never_shows(project, postgres):
    secret = "s3cret-in-attach"
    broken = postgres.replace("host=127.0.0.1", f"host=127.0.0.1 password={secret}").replace("dbname=lake", "dbname=nowhere")
    project.write({"config/catalog.sql": f"ATTACH 'ducklake:postgres:{broken}' AS lake (DATA_PATH 'd/');\n", **PIPELINE})
    result = project.run("run", code=1)
    assert secret not in result.out + result.err


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    """An S3 server of our own (moto), with the bucket `lake`; gives host:port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log_path = tmp_path_factory.mktemp("s3") / "s3.log"
    with open(log_path, "wb") as log:
        server = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/lake", method="PUT"), timeout=10).close()
                break
            except OSError:
                assert server.poll() is None and time.monotonic() < deadline, log_path.read_text()
                time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def keys(s3):
    with urllib.request.urlopen(f"http://{s3}/lake?list-type=2", timeout=10) as answer:
        return re.findall(r"<Key>(.*?)</Key>", answer.read().decode())


@pytest.mark.parametrize("catalog", ["sqlite", "postgres"])
def test_a_lake_whose_files_lie_in_s3(project, postgres, s3, catalog):
    attach = f"postgres:{postgres}" if catalog == "postgres" else "sqlite:lake.sqlite"
    schema = ", METADATA_SCHEMA 'on_s3'" if catalog == "postgres" else ""
    project.env.update(S3_KEY="lake-key-id", S3_SECRET="lake-secret-value")
    project.write({
        "config/secrets.sql": "CREATE SECRET lake_files (TYPE s3, KEY_ID '${S3_KEY}', SECRET '${S3_SECRET}', REGION 'us-east-1', "
                              f"ENDPOINT '{s3}', URL_STYLE 'path', USE_SSL false);\n",
        "config/catalog.sql": f"ATTACH 'ducklake:{attach}' AS lake (DATA_PATH 's3://lake/{catalog}/'{schema});\n",
    })
    check_pipeline(project)
    assert [k for k in keys(s3) if k.startswith(f"{catalog}/mart/t/") and k.endswith(".parquet")]
    before = keys(s3)
    project.write({"models/raw/src.sql": "SELECT range AS id, 'w' || range AS v FROM range(300)"})
    result = project.run("sandbox", "--json", code=0)
    assert {o["model"] for o in result.lines if o.get("kind") == "sandbox_diff"} >= {"mart.t"}
    assert keys(s3) == before, "a sandbox writes nothing into the bucket"


def test_an_s3_server_that_is_down_is_named_without_the_secret(project):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    project.env.update(S3_KEY="lake-key-id", S3_SECRET="lake-secret-value")
    project.write({
        "config/settings.sql": "SET http_retries = 0;\n",
        "config/secrets.sql": "CREATE SECRET lake_files (TYPE s3, KEY_ID '${S3_KEY}', SECRET '${S3_SECRET}', REGION 'us-east-1', "
                              f"ENDPOINT '127.0.0.1:{port}', URL_STYLE 'path', USE_SSL false);\n",
        "config/catalog.sql": "ATTACH 'ducklake:sqlite:lake.sqlite' AS lake (DATA_PATH 's3://lake/data/');\n",
        **PIPELINE,
    })
    result = project.run("run", code=1)
    assert f"127.0.0.1:{port}" in result.out + result.err
    assert "lake-secret-value" not in result.out + result.err
    assert project.snapshots() <= 2  # the empty tables at most


# ── Sandbox ──

def databases(postgres):
    server = dict(part.split("=") for part in postgres.split())
    listing = subprocess.run(["psql", "-h", server["host"], "-p", server["port"], "-U", server["user"], "-At", "-d", "postgres",
                              "-c", "SELECT datname FROM pg_database ORDER BY 1"], check=True, capture_output=True, text=True)
    return [name for name in listing.stdout.split() if not name.startswith("template")]


def snapshot_of(project):
    files = sorted(str(p.relative_to(project.root)) for p in (project.root / "lake_data").rglob("*") if p.is_file())
    return project.sql("SELECT max(snapshot_id) AS n FROM lake.snapshots()"), files


def test_a_sandbox_of_a_catalog_in_postgresql(project, postgres):
    schema = "sandboxed"
    project.write({"config/catalog.sql": f"ATTACH 'ducklake:postgres:{postgres}' AS lake (DATA_PATH 'lake_data/', METADATA_SCHEMA '{schema}');\n",
                   **PIPELINE})
    project.run_json()
    before, known = snapshot_of(project), databases(postgres)
    project.write({"models/raw/src.sql": "SELECT range AS id, 'w' || range AS v FROM range(120)"})
    result = project.run("sandbox", "--json", code=0)
    diff = {o["model"]: o for o in result.lines if o.get("kind") == "sandbox_diff"}["mart.t"]
    assert (diff["rows_before"], diff["rows_after"], diff["added"], diff["removed"]) == (50, 60, 60, 50)
    assert snapshot_of(project) == before and databases(postgres) == known
    assert not (project.root / ".sandbox").exists()

    assert project.run("sandbox", COYPU_CRASH_AT="CP_MODEL_COMMITTED").code < 0
    assert len(databases(postgres)) == len(known) + 1
    project.run("sandbox", code=0)
    assert snapshot_of(project) == before and databases(postgres) == known
    assert not (project.root / ".sandbox").exists()


def test_a_sandbox_ends_other_sessions_only_when_told(project, postgres):
    project.write({"config/catalog.sql": f"ATTACH 'ducklake:postgres:{postgres}' AS lake (DATA_PATH 'lake_data/', METADATA_SCHEMA 'sessions');\n",
                   **PIPELINE})
    project.run_json()
    known = databases(postgres)
    other = subprocess.Popen(["psql", postgres], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    other.stdin.write("SELECT 1;\n")
    other.stdin.flush()
    assert "1" in "".join(other.stdout.readline() for _ in range(3))
    result = project.run("sandbox", code=1)
    assert "1 other sessions use the database lake, which must be ended to copy it" in result.err
    assert "--yes" in result.err and databases(postgres) == known and not (project.root / ".sandbox").exists()
    project.run("sandbox", "--yes", code=0)
    assert databases(postgres) == known
    other.communicate()
