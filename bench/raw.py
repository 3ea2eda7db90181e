#!/usr/bin/env python3
"""The raw baselines: the same work by hand with DuckDB's own reader and SQL and a plain HTTP client.

    raw.py WORKLOAD FOLDER [URL]
Each workload is one process, so that its CPU time is counted as the program's is.
"""
import http.client
import json
import os
import sys
from urllib.parse import urlsplit

EXTENSIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../build/deps/extensions")
COLUMNS = {"id": "BIGINT", "customer_id": "BIGINT", "email": "VARCHAR", "name": "VARCHAR", "amount": "DECIMAL(18,2)", "quantity": "INTEGER",
           "active": "BOOLEAN", "country": "VARCHAR", "created_at": "TIMESTAMP", "note": "VARCHAR"}


def lake(folder):
    import duckdb
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true", "autoload_known_extensions": "false",
                                        "autoinstall_known_extensions": "false"})
    for name in ("ducklake", "sqlite_scanner"):
        connection.execute(f"LOAD '{EXTENSIONS}/{name}.duckdb_extension'")
    connection.execute(f"ATTACH 'ducklake:sqlite:{folder}/lake.sqlite' AS lake (DATA_PATH '{folder}/lake_data/', "
                       "META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 5000, OVERRIDE_DATA_PATH true)")
    connection.execute("USE lake")
    return connection


def get_pages(url):
    client = http.client.HTTPConnection(urlsplit(url).netloc)
    cursor = 0
    while cursor is not None:
        client.request("GET", f"/pages?cursor={cursor}")
        body = client.getresponse().read()
        tail = body[body.rindex(b'"next":') + 7:-1]
        cursor = None if tail == b"null" else int(tail)
        yield body


def fetch(folder, url):
    """Pages to a file of rows, one a line; DuckDB's JSON reader stores them."""
    spool = f"{folder}/rows.ndjson"
    with open(spool, "wb") as out:
        for body in get_pages(url):
            out.write(body[body.index(b"[") + 1:body.rindex(b"]")].replace(b"},{", b"}\n{") + b"\n")
    connection = lake(folder)
    connection.execute("CREATE SCHEMA raw")
    types = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    connection.execute(f"CREATE TABLE raw.rows ({types})")
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in COLUMNS.items())
    connection.execute(f"INSERT INTO raw.rows SELECT * FROM read_json('{spool}', format='newline_delimited', columns={{{columns}}})")
    os.unlink(spool)


def push(folder, url):
    """One connection, batches of 100 rows read from the lake."""
    rows = lake(folder).execute("SELECT rowid, * FROM sync.t ORDER BY rowid").fetchall()
    client = http.client.HTTPConnection(urlsplit(url).netloc)
    for start in range(0, len(rows), 100):
        body = json.dumps([{"__ondatra_rowid": r[0], "__ondatra_change_type": "insert", "id": r[1], "email": r[2], "name": r[3]}
                           for r in rows[start:start + 100]], separators=(",", ":"))
        client.request("POST", "/batch", body, {"Content-Type": "application/json"})
        json.loads(client.getresponse().read())


def noop(folder, _):
    lake(folder).execute("SELECT max(snapshot_id) FROM lake.snapshots()").fetchall()


def merge(folder, _):
    """The difference into a temporary table, then MERGE of it."""
    connection = lake(folder)
    connection.execute("BEGIN")
    connection.execute("CREATE TEMP TABLE diff AS SELECT s.* FROM raw.src s LEFT JOIN mart.t t ON t.id = s.id "
                       "WHERE t.id IS NULL OR s.a IS DISTINCT FROM t.a OR s.b IS DISTINCT FROM t.b OR s.c IS DISTINCT FROM t.c")
    connection.execute("MERGE INTO mart.t t USING diff s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = s.a, b = s.b, c = s.c "
                       "WHEN NOT MATCHED THEN INSERT (id, a, b, c) VALUES (s.id, s.a, s.b, s.c)")
    connection.execute("COMMIT")


def newest(connection):
    return connection.execute("SELECT max(snapshot_id) FROM lake.snapshots()").fetchone()[0]


def append(folder, _):
    """What the newest snapshot added to the source."""
    connection = lake(folder)
    now = newest(connection)
    connection.execute("INSERT INTO mart.t (id, a, b, c) SELECT id, a, b, c FROM "
                       f"ducklake_table_insertions('lake', 'raw', 'src', {now}, {now})")


def group(folder, _):
    """All groups again, and a MERGE of those that differ."""
    connection = lake(folder)
    connection.execute("BEGIN")
    connection.execute("CREATE TEMP TABLE diff AS SELECT s.* FROM (SELECT id % 10000 AS g, count(*) AS n, sum(c) AS c FROM raw.src "
                       "GROUP BY 1) s LEFT JOIN mart.t t ON t.g = s.g WHERE t.g IS NULL OR s.n IS DISTINCT FROM t.n "
                       "OR s.c IS DISTINCT FROM t.c")
    connection.execute("MERGE INTO mart.t t USING diff s ON t.g = s.g WHEN MATCHED THEN UPDATE SET n = s.n, c = s.c "
                       "WHEN NOT MATCHED THEN INSERT (g, n, c) VALUES (s.g, s.n, s.c)")
    connection.execute("COMMIT")


def tracked(folder, _):
    """Hashes of the groups, then the changed ones deleted and inserted."""
    connection = lake(folder)
    connection.execute("BEGIN")
    connection.execute("CREATE TEMP TABLE groups AS SELECT g, sum(hash(row(a, b, c, id)))::VARCHAR AS h FROM raw.src GROUP BY g")
    connection.execute("CREATE TEMP TABLE diff AS SELECT coalesce(s.g, t.g) AS g, s.h FROM groups s FULL JOIN "
                       "(SELECT g, any_value(_content_hash) AS h FROM mart.t GROUP BY g) t ON s.g = t.g WHERE s.h IS DISTINCT FROM t.h")
    connection.execute("DELETE FROM mart.t WHERE g IN (SELECT g FROM diff)")
    connection.execute("INSERT INTO mart.t (g, id, a, b, c, _content_hash) SELECT s.g, s.id, s.a, s.b, s.c, d.h "
                       "FROM raw.src s JOIN diff d ON s.g = d.g")
    connection.execute("COMMIT")


def scd2(folder, _):
    """The difference with the open versions, then UPDATE and INSERT."""
    connection = lake(folder)
    connection.execute("BEGIN")
    connection.execute("CREATE TEMP TABLE diff AS SELECT s.*, t.r FROM raw.src s FULL JOIN (SELECT *, rowid AS r FROM mart.t WHERE is_current) t "
                       "ON s.id = t.id WHERE s.id IS NULL OR t.id IS NULL OR s.g IS DISTINCT FROM t.g OR s.a IS DISTINCT FROM t.a "
                       "OR s.b IS DISTINCT FROM t.b OR s.c IS DISTINCT FROM t.c")
    connection.execute("UPDATE mart.t SET valid_to_snapshot = 3, is_current = false WHERE rowid IN (SELECT r FROM diff)")
    connection.execute("INSERT INTO mart.t (id, g, a, b, c, valid_from_snapshot, is_current) "
                       "SELECT id, g, a, b, c, 4, true FROM diff WHERE id IS NOT NULL")
    connection.execute("COMMIT")


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
