#!/usr/bin/env python3
"""Benchmarks of the program as a whole: CPU seconds, memory, and the ratio to a raw baseline in the same run.

    ./dev bench                 all of them
    ./dev bench fetch_1m noop   some
    COYPU_BENCH_SCALE=0.1       a tenth of the rows, for a quick look

Machines are noisy: compare ratios, not seconds.  Each figure is the median of --runs runs (default 3).
"""
import argparse
import atexit
import contextlib
import functools
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COYPU = os.environ.get("COYPU", str(ROOT / "build/release/coypu"))
SCALE = float(os.environ.get("COYPU_BENCH_SCALE", "1"))
CATALOG = "ATTACH 'ducklake:sqlite:lake.sqlite' AS lake (DATA_PATH 'lake_data/');\n"


class Figure:
    def __init__(self, cpu, wall, rss_mb):
        self.cpu, self.wall, self.rss_mb = cpu, wall, rss_mb


@functools.cache
def measurer():
    """bench/measure.c, compiled once."""
    path = Path(tempfile.mkdtemp(prefix="coypu-measure."))
    atexit.register(shutil.rmtree, path)
    subprocess.run([os.environ.get("CC", "cc"), "-O1", "-o", path / "measure", ROOT / "bench/measure.c"], check=True)
    return str(path / "measure")


def measure(command, cwd):
    """Runs a command to its end: CPU seconds (user+sys), wall seconds, peak memory."""
    program = measurer()
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile("w+") as figures:
        keep_3 = functools.partial(os.dup2, figures.fileno(), 3)
        subprocess.run([program, *map(str, command)], cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=True,
                       close_fds=False, preexec_fn=keep_3)
        figures.seek(0)
        user, system, wall, peak_kb, status = map(int, figures.read().split())
        if status != 0:
            output.seek(0)
            sys.exit(f"{command} ended with {status}:\n{output.read().decode()[-3000:]}")
    return Figure((user + system) / 1e6, wall / 1e6, peak_kb / 1024)


def raw(workload, folder, url=""):
    return measure([sys.executable, str(ROOT / "bench/raw.py"), workload, str(folder), url], folder)


@contextlib.contextmanager
def server(**options):
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    process = subprocess.Popen([sys.executable, str(ROOT / "bench/server.py"), *words], stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def folder(files=None):
    with tempfile.TemporaryDirectory(prefix="coypu-bench.") as path:
        for name, text in {"config/catalog.sql": CATALOG, **(files or {})}.items():
            target = Path(path) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        yield Path(path)


def scaled(rows, multiple):
    return max(multiple, int(rows * SCALE) // multiple * multiple)


FETCH_LIB = '''
API = {"base_url": "%s", "fetch": {"page_size": 1}}

def fetch(page):
    resp = http.get("/pages", params = {"cursor": page.cursor})
    if not resp.ok:
        fail(resp.text)
    return {"rows": resp.json["data"], "next": resp.json["next"]}
'''
FETCH_MODEL = '''-- @kind: %s
SELECT id::BIGINT AS id, customer_id::BIGINT AS customer_id, email::VARCHAR AS email, name::VARCHAR AS name,
       amount::DECIMAL(18,2) AS amount, quantity::INTEGER AS quantity, active::BOOLEAN AS active, country::VARCHAR AS country,
       created_at::TIMESTAMP AS created_at, note::VARCHAR AS note
FROM api()
'''
PUSH_LIB = '''
API = {"base_url": "%s", "push": {"batch_size": 100, "batch_mode": "sync", "max_concurrent": %d}}

def push(rows):
    resp = http.post("/batch", json = [{
        "__ondatra_rowid": r["__ondatra_rowid"], "__ondatra_change_type": r["__ondatra_change_type"],
        "id": r["id"], "email": r["email"], "name": r["name"],
    } for r in rows])
    if not resp.ok:
        fail(resp.text)
    return resp.json
'''


def start_up(command):
    def run():
        with folder() as path:
            return measure([COYPU, command], path), None
    return run


def noop():
    with folder({"models/mart/t.sql": "SELECT 1 AS id"}) as path:
        measure([COYPU, "run"], path)
        return measure([COYPU, "run"], path), raw("noop", path)


def fetch(rows, per_page, kind, latency=0):
    def run():
        with server(rows=scaled(rows, per_page), per_page=per_page, latency=latency) as url:
            with folder({"lib/api.star": FETCH_LIB % url, "models/raw/rows.sql": FETCH_MODEL % kind}) as path:
                ours = measure([COYPU, "run"], path)
            with folder() as path:
                return ours, raw("fetch", path, url)
    return run


def push(rows, workers, latency):
    def run():
        count = scaled(rows, 100)
        source = f"SELECT range AS id, 'user' || range || '@example.com' AS email, 'Customer ' || range AS name FROM range({count})"
        with server(latency=latency) as url:
            with folder({"models/sync/t.sql": "-- @kind: append\n" + source}) as path:
                measure([COYPU, "run"], path)  # the rows are in the lake; now only delivery is counted
                baseline = raw("push", path, url)
                for name, text in {"lib/api.star": PUSH_LIB % (url, workers), "models/sync/t.sql": "-- @kind: append\n-- @sink: api\n" + source}.items():
                    target = path / name
                    target.parent.mkdir(exist_ok=True)
                    target.write_text(text)
                figure = measure([COYPU, "run"], path)
                if latency:  # the design's figure is "after start": less a run that has nothing to send
                    figure.wall -= measure([COYPU, "run"], path).wall
                return figure, baseline
    return run


MERGE_SOURCE = "SELECT range AS id, (range * 7919) % 100003 AS a, 'text ' || (range % 1000) AS b, {c} AS c FROM range({n})"


def increment(workload, model, before, after):
    """raw.src as it was, then as it is; the model's second run against the same by hand."""
    def run():
        with folder({"models/raw/src.sql": before, "models/mart/t.sql": model}) as path:
            measure([COYPU, "run"], path)
            (path / "models/raw/src.sql").write_text(after)
            measure([COYPU, "run", "raw.src"], path)
            copy = path.with_name(path.name + "-raw")
            shutil.copytree(path, copy)
            try:
                return measure([COYPU, "run", "mart.t"], path), raw(workload, copy)
            finally:
                shutil.rmtree(copy)
    return run


def merge():
    count = scaled(1_000_000, 100)
    changed = MERGE_SOURCE.format(c="CASE WHEN range % 100 = 0 THEN -1.0 ELSE range * 1.5 END", n=count + count // 1000)
    return increment("merge", "-- @kind: merge\n-- @unique_key: id\nSELECT id, a, b, c FROM raw.src",
                     MERGE_SOURCE.format(c="range * 1.5", n=count), changed)()


def append():
    count = scaled(5_000_000, 100)
    return increment("append", "-- @kind: append\nSELECT id, a, b, c FROM raw.src", MERGE_SOURCE.format(c="range * 1.5", n=count),
                     MERGE_SOURCE.format(c="range * 1.5", n=count + count // 100))()


def group():
    """Sums of 10,000 groups, of which 100 changed."""
    count = scaled(1_000_000, 10_000)
    changed = MERGE_SOURCE.format(c="CASE WHEN range % 10000 < 100 THEN -1.0 ELSE range * 1.5 END", n=count)
    return increment("group", "-- @kind: merge\n-- @unique_key: g\nSELECT id % 10000 AS g, count(*) AS n, sum(c) AS c FROM raw.src GROUP BY 1",
                     MERGE_SOURCE.format(c="range * 1.5", n=count), changed)()


HISTORY = {
    # 10 rows a group; every hundredth group gets another value in one of its rows.
    "tracked": ("-- @kind: tracked\n-- @group_key: g\n", "range // 10 AS g, range AS id", "range % 1000 = 0"),
    "scd2": ("-- @kind: scd2\n-- @unique_key: id\n", "range AS id, range // 10 AS g", "range % 100 = 0"),
}


def history(kind, changes):
    """1M rows, 1 % of the groups or keys changed, against the same SQL by hand; or nothing changed."""
    header, keys, changed = HISTORY[kind]
    count = scaled(1_000_000, 1000)
    select = f"SELECT {keys}, (range * 7919) %% 100003 AS a, 'text ' || (range %% 1000) AS b, %s AS c FROM range({count})"

    def run():
        with folder({"models/raw/src.sql": select % "range * 1.5", "models/mart/t.sql": header + "SELECT * FROM raw.src"}) as path:
            measure([COYPU, "run"], path)
            if not changes:
                return measure([COYPU, "run"], path), None
            (path / "models/raw/src.sql").write_text(select % f"CASE WHEN {changed} THEN -1.0 ELSE range * 1.5 END")
            measure([COYPU, "run", "raw.src"], path)
            copy = path.with_name(path.name + "-raw")
            shutil.copytree(path, copy)
            try:
                return measure([COYPU, "run", "mart.t"], path), raw(kind, copy)
            finally:
                shutil.rmtree(copy)
    return run


def snapshots(path):
    with contextlib.closing(sqlite3.connect(path / "lake.sqlite")) as catalog:
        return catalog.execute("SELECT count(*) FROM ducklake_snapshot").fetchone()[0]


def many(count, again):
    def run():
        models = {f"models/m/t{i:03}.sql": f"SELECT {i} AS id" + (f", p.id AS previous FROM m.t{i // 2:03} p" if i else "") for i in range(count)}
        with folder(models) as path:
            figure = measure([COYPU, "run"], path)
            if again:
                before = snapshots(path)
                figure = measure([COYPU, "run"], path)
                if snapshots(path) != before:
                    sys.exit(f"a run of {count} models without a change wrote {snapshots(path) - before} snapshots")
            return figure, None
    return run


STAGING = """-- @kind: merge
-- @unique_key: id
SELECT o.id, o.customer_id, upper(trim(o.status)) AS status, o.amount::DECIMAL(18,2) AS amount,
       o.created_at::TIMESTAMP AS created_at, coalesce(o.note, '') AS note
FROM raw.t{source:03} AS o WHERE o.status IS NOT NULL
"""
MIDDLE = """WITH paid AS (
    SELECT customer_id, amount, created_at FROM staging.t{source:03} WHERE status = 'PAID'
), monthly AS (
    SELECT customer_id, date_trunc('month', created_at) AS month, sum(amount) AS revenue, count(*) AS orders
    FROM paid GROUP BY customer_id, date_trunc('month', created_at)
)
SELECT m.*, sum(revenue) OVER (PARTITION BY customer_id ORDER BY month) AS running,
       row_number() OVER (PARTITION BY customer_id ORDER BY month DESC) AS newest
FROM monthly AS m
"""
MART = """SELECT a.customer_id, a.month, CASE WHEN a.revenue > 100 THEN 'big' ELSE 'small' END AS size,
       a.revenue + coalesce(b.revenue, 0) AS both, b.* EXCLUDE (customer_id, month, revenue)
FROM middle.t{source:03} AS a LEFT JOIN middle.t{other:03} AS b USING (customer_id, month)
WHERE a.newest = 1
"""
RAW = """SELECT 1 AS id, 1 AS customer_id, 'paid' AS status, 10.5 AS amount, '2026-01-01' AS created_at, 'x' AS note
"""


def project_of(count):
    """Models as people write them, in four layers."""
    share = count // 4
    files = {}
    for i in range(share):
        files[f"models/raw/t{i:03}.sql"] = RAW
        files[f"models/staging/t{i:03}.sql"] = STAGING.format(source=i)
        files[f"models/middle/t{i:03}.sql"] = MIDDLE.format(source=i)
        files[f"models/mart/t{i:03}.sql"] = MART.format(source=i, other=(i + 1) % share)
    return files


def look(count, *command):
    def run():
        with folder(project_of(count)) as path:
            return measure([COYPU, *command], path), None
    return run


def one_of(count):
    """A run of one model of many, when all of them are up to date."""
    def run():
        with folder(project_of(count)) as path:
            measure([COYPU, "run"], path)
            return measure([COYPU, "run", "mart.t000"], path), None
    return run


# name -> (what, CPU seconds to reach or None, wall seconds to reach or None, MB to reach or None, function)
WORKLOADS = {
    "version": ("coypu version", 0.004, None, 8, start_up("version")),
    "help": ("coypu --help", 0.004, None, 8, start_up("--help")),
    "noop": ("1 model, nothing changed", 0.18, None, None, noop),
    "noop_200": ("200 models, nothing changed", 0.45, None, None, many(200, True)),
    "first_50": ("50 models, first run", 3.5, None, None, many(50, False)),
    "first_200": ("200 models, first run", 12, None, None, many(200, False)),
    "one_of_200": ("run of 1 model of 200, nothing changed", None, None, None, one_of(200)),
    "validate_500": ("validate of 500 models", 0.5, None, None, look(500, "validate")),
    "lineage_500": ("lineage of 500 models", 1.0, None, None, look(500, "lineage", "overview", "--json")),
    "fetch_1m": ("fetch 1M rows x 10, pages of 10,000, table", 3.0, None, 200, fetch(1_000_000, 10_000, "table")),
    "fetch_small": ("fetch 100k rows, 1,000 pages of 100", 0.9, None, None, fetch(100_000, 100, "table")),
    "fetch_append": ("fetch 1M rows, append", 3.5, None, None, fetch(1_000_000, 10_000, "append")),
    "fetch_slow": ("fetch 10 pages, 200 ms latency", None, None, None, fetch(1_000, 100, "table", 200)),
    "push_100k": ("push 100k rows, batches of 100", 2.0, None, None, push(100_000, 1, 0)),
    "push_latency": ("push 3k rows, 20 ms latency, 8 workers", None, 0.3, None, push(3_000, 8, 20)),
    "merge_1m": ("merge 1M rows, 1 % changed", 1.3, None, None, merge),
    "merge_group": ("merge with GROUP BY over 1M rows, 1 % of groups changed", None, None, None, group),
    "append_5m": ("append over 5M rows, 1 % new", 0.5, None, 150, append),
    "tracked_1m": ("tracked 1M rows, 1 % changed", 1.5, None, None, history("tracked", True)),
    "scd2_1m": ("scd2 1M rows, 1 % changed", 1.4, None, None, history("scd2", True)),
    "tracked_noop": ("tracked 1M rows, nothing changed", 0.2, None, None, history("tracked", False)),
    "scd2_noop": ("scd2 1M rows, nothing changed", 0.2, None, None, history("scd2", False)),
}


def middle(values):
    return statistics.median(values)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="workloads; all when none is named")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for name in options.names:
        if name not in WORKLOADS:
            sys.exit(f"no workload {name}; there are: {', '.join(WORKLOADS)}")
    print(f"{'workload':44} {'cpu s':>8} {'to reach':>9} {'wall s':>8} {'MB':>7} {'raw cpu':>8} {'ratio':>7}", file=sys.stderr)
    for name in options.names or WORKLOADS:
        what, cpu, wall, memory, function = WORKLOADS[name]
        pairs = [function() for _ in range(options.runs)]
        ours = [pair[0] for pair in pairs]
        row = {"name": name, "what": what, "cpu_s": round(middle([f.cpu for f in ours]), 4), "cpu_target_s": cpu,
               "wall_s": round(middle([f.wall for f in ours]), 3), "wall_target_s": wall,
               "rss_mb": round(middle([f.rss_mb for f in ours]), 1), "rss_target_mb": memory}
        if pairs[0][1]:
            row["raw_cpu_s"] = round(middle([pair[1].cpu for pair in pairs]), 4)
            row["ratio"] = round(middle([pair[0].cpu / pair[1].cpu for pair in pairs]), 3)
        if options.json:
            print(json.dumps(row), flush=True)
        else:
            target = f"{cpu}" if cpu else f"{wall} w" if wall else "-"
            print(f"{what:44} {row['cpu_s']:8.3f} {target:>9} {row['wall_s']:8.2f} {row['rss_mb']:7.1f} "
                  f"{row.get('raw_cpu_s', float('nan')):8.3f} {row.get('ratio', float('nan')):7.2f}", flush=True)


if __name__ == "__main__":
    main()
