"""A lake that OndatraSQL wrote opens without a rebuild (models.md §4.1)."""
import hashlib
import json
import re
from pathlib import Path

import pytest

from conftest import CATALOG, ROOT

MODELS = {
    "raw.src": ("-- @kind: table\n", "SELECT id::BIGINT AS id, v::VARCHAR AS v -- rows\n\tFROM (VALUES (1, 'a'), (2, 'b')) t(id, v)"),
    "mart.m": ("-- @kind: merge\n-- @unique_key: id\n-- @incremental: id\n", "SELECT id, v FROM raw.src"),
    "mart.g": ("-- @kind: tracked\n-- @group_key: id\n", "SELECT id, v FROM raw.src"),
    "mart.h": ("-- @kind: scd2\n-- @unique_key: id\n", "SELECT id, v FROM raw.src"),
}


def legacy_hash(header, body, config):
    """The rule as models.md §4.1 gives it, written down a second time."""
    text = re.sub(r"--[^\n]*", "", body).replace("\t", " ").replace("\n", " ")
    text = re.sub(r" +", " ", text).strip().lower()
    directives = dict(re.findall(r"-- @(\w+): (.*)", header))
    for key in ("kind", "unique_key", "group_key", "partitioned_by", "incremental", "incremental_initial", "fetch", "push"):
        text += f"\0{key}={directives.get(key, '')}"
    if config:
        text += f"\0config={config}"
    return hashlib.sha256(text.encode()).hexdigest()


def config_hash(root):
    digest = hashlib.sha256()
    for path in sorted((root / "config").rglob("*.sql"), key=lambda p: p.relative_to(root / "config").as_posix()):
        digest.update(path.relative_to(root / "config").as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def test_the_rule_gives_the_vector():
    assert legacy_hash("-- @kind: table\n", "SELECT 1 AS id", "") == "469e018fdea495b95da7807bc3271559fd35ca362450db5a301fd7187b0396cc"


@pytest.fixture
def lake(project):
    """The project's lake as OndatraSQL would have left it, made with DuckDB's own Python package."""
    duckdb = pytest.importorskip("duckdb")
    for target, (header, body) in MODELS.items():
        project.write({f"models/{target.replace('.', '/')}.sql": header + body + "\n"})
    project.write({"config/variables/constants.sql": "SET VARIABLE alert_amount_threshold = 1000;\n"})
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    for name in ("ducklake", "sqlite_scanner"):
        connection.execute(f"LOAD '{ROOT / 'build/deps/extensions' / name}.duckdb_extension'")
    root = Path(project.root)
    connection.execute(CATALOG.replace("lake.sqlite", f"{root}/lake.sqlite").replace("lake_data/", f"{root}/lake_data/"))
    connection.execute("USE lake")
    connection.execute("CREATE SCHEMA raw")
    connection.execute("CREATE SCHEMA mart")
    connection.execute("CREATE TABLE main._ondatra_registry (target VARCHAR, kind VARCHAR, updated_at TIMESTAMP)")
    tables = {
        "raw.src": MODELS["raw.src"][1],
        "mart.m": "SELECT * FROM raw.src",
        "mart.g": "SELECT *, sum(hash(row(v))) OVER (PARTITION BY id)::VARCHAR AS _content_hash FROM raw.src",
        "mart.h": "SELECT *, 1::BIGINT AS valid_from_snapshot, NULL::BIGINT AS valid_to_snapshot, true AS is_current FROM raw.src "
                  "UNION ALL SELECT 1, 'old', 0, 0, false",
    }
    version = connection.execute("SELECT version()").fetchone()[0]
    for target, select in tables.items():
        header, body = MODELS[target]
        info = {"model": target, "kind": re.search(r"@kind: (\w+)", header)[1], "sql_hash": legacy_hash(header, body, config_hash(root)),
                "run_type": "backfill", "rows_affected": 2, "depends": [] if target == "raw.src" else ["raw.src"],
                "dag_run_id": "20250101-000000-aaaaaa", "start_time": "2025-01-01T00:00:00Z", "duckdb_version": version,
                "columns": [{"name": "id", "type": "BIGINT"}, {"name": "v", "type": "VARCHAR"}], "made_by": "another program"}
        connection.execute("BEGIN")
        connection.execute(f"CREATE TABLE {target} AS {select}")
        connection.execute("CALL lake.set_commit_message('ondatra', ?, extra_info => ?)", [f"{target} (backfill)", json.dumps(info)])
        connection.execute("COMMIT")
    connection.close()
    return project


def test_nothing_is_rebuilt_and_nothing_written(lake):
    before = lake.snapshots()
    models = lake.run_json().models
    assert {name: (m["run_type"], m["run_reason"]) for name, m in models.items()} == {
        "raw.src": ("skip", "no dependencies"), **{name: ("skip", "deps unchanged") for name in ("mart.m", "mart.g", "mart.h")}}
    assert lake.snapshots() == before


def test_the_kinds_go_on_from_their_rows(lake):
    lake.write({"models/raw/src.sql": MODELS["raw.src"][0] + MODELS["raw.src"][1].replace("'b'", "'x'") + "\n"})
    models = lake.run_json().models
    assert {name: (m["run_type"], m["rows_affected"]) for name, m in models.items()} == {
        "raw.src": ("backfill", 1), "mart.m": ("incremental", 1), "mart.g": ("incremental", 1), "mart.h": ("incremental", 1)}
    assert lake.sql("SELECT id, v, is_current FROM mart.h ORDER BY ALL") == [
        {"id": 1, "v": "a", "is_current": True}, {"id": 1, "v": "old", "is_current": False},
        {"id": 2, "v": "b", "is_current": False}, {"id": 2, "v": "x", "is_current": True}]
    before = lake.snapshots()
    assert {m["run_type"] for m in lake.run_json().models.values()} == {"skip"}
    assert lake.snapshots() == before


def test_a_changed_config_file_rebuilds_as_it_did_there(lake):
    """Its hash covers every config file; ours does not, so this happens once."""
    lake.write({"config/settings.sql": "SET threads = 1;\n"})
    assert lake.run_json().models["mart.h"]["run_type"] == "backfill"
    assert lake.value("SELECT count(*) AS n FROM mart.h") == 3, "history is kept"
    lake.write({"config/settings.sql": "SET threads = 2;\n"})
    assert {m["run_type"] for m in lake.run_json().models.values()} == {"skip"}
