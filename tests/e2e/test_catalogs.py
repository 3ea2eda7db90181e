"""The same project on each catalog that a lake can have: SQLite, a DuckDB file, PostgreSQL."""
import glob
import os
import shutil
import socket
import subprocess
import time

import pytest

PIPELINE = {
    "models/raw/src.sql": "SELECT range AS id, 'v' || range AS v FROM range(100)",
    "models/mart/t.sql": "-- @kind: merge\n-- @unique_key: id\nSELECT id, v FROM raw.src WHERE id % 2 = 0",
}


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """A PostgreSQL server of our own, on a free port of loopback; the distribution brings the programs."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    assert folders, "PostgreSQL is missing: ./dev test installs it"
    root = tmp_path_factory.mktemp("postgres")
    user = {}
    if os.getuid() == 0:  # the server refuses to run as root
        shutil.chown(root, "nobody", "nogroup")
        for parent in root.parents:
            if str(parent) in ("/", "/tmp"):
                break
            parent.chmod(parent.stat().st_mode | 0o055)
        user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
    subprocess.run([f"{folders[-1]}/initdb", "-D", f"{root}/data", "-U", "coypu", "--auth=trust", "--no-sync"], check=True,
                   stdout=subprocess.DEVNULL, cwd=root, **user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = open(root.parent / "postgres.log", "wb")
    server = subprocess.Popen([f"{folders[-1]}/postgres", "-D", f"{root}/data", "-h", "127.0.0.1", "-p", str(port), "-k", "", "-c", "fsync=off"],
                              stdout=log, stderr=log, cwd=root, **user)
    try:
        deadline = time.monotonic() + 60
        while subprocess.run([f"{folders[-1]}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]).returncode != 0:
            assert server.poll() is None and time.monotonic() < deadline, (root.parent / "postgres.log").read_text()
            time.sleep(0.05)
        subprocess.run([f"{folders[-1]}/createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "coypu", "lake"], check=True)
        yield f"dbname=lake host=127.0.0.1 port={port} user=coypu"
    finally:
        server.terminate()
        server.wait(30)
        log.close()


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
