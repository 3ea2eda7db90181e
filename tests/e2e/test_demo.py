"""`./dev demo` and the examples do what they say, and an independent reader sees the same lake."""
import json
import os
import re
import subprocess
import sys
import time
import urllib.request

import pytest

from conftest import COYPU, ROOT, TIMEOUT_S

DATA = os.path.join(os.environ.get("COYPU_DEPS_DIR", str(ROOT / "build/deps")), "data")
KEY = "demo-key-2013"


@pytest.fixture
def flights(tmp_path, copy_example):
    """The example project with its own API server over 120,000 flights."""
    port_file = tmp_path / "port"
    server = subprocess.Popen([sys.executable, str(ROOT / "examples/api.py"), "--data", DATA, "--limit", "120000", "--rate", "20",
                               "--port-file", str(port_file)], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not port_file.exists():
            assert server.poll() is None and time.monotonic() < deadline, "the API server did not start"
            time.sleep(0.05)
        project = copy_example("flights")
        project.url = f"http://127.0.0.1:{port_file.read_text()}"
        project.write({".env": f"FLIGHTS_URL={project.url}\nFLIGHTS_KEY={KEY}\n"})
        yield project
    finally:
        server.terminate()
        server.wait(10)


def ask(url, method="GET"):
    request = urllib.request.Request(url, method=method, headers={"X-Api-Key": KEY})
    return json.loads(urllib.request.urlopen(request, timeout=TIMEOUT_S).read())


def test_the_demo_pipeline_runs_both_ways(flights):
    flights.run("validate", code=0)
    first = flights.run_json()
    assert first.models["raw.flights"]["rows_affected"] == 120000
    counts = ask(flights.url + "/admin/counts")
    assert counts["refused_429"] > 0, "the rate limit was never met"
    routes = flights.sql("select route, airline, flights from sync.routes order by route")
    assert counts["posts"] - 0 >= len(routes) and counts["routes"] == len(routes)
    received = sorted(ask(flights.url + "/v1/routes")["data"], key=lambda r: r["route"])
    assert [(r["route"], r["airline"], r["flights"]) for r in received] == [(r["route"], r["airline"], r["flights"]) for r in routes]

    ask(flights.url + "/admin/change?rows=25", "POST")
    before = ask(flights.url + "/admin/counts")
    second = flights.run_json()
    assert second.models["raw.flights"]["rows_affected"] == 25
    after = ask(flights.url + "/admin/counts")
    assert after["rows_sent"] - before["rows_sent"] <= 25 + 20  # the changed flights and the airlines
    assert 0 < after["patches"] - before["patches"] <= 25 and after["posts"] == before["posts"]
    assert second.models["sync.routes"]["push"]["failed"] == 0

    snapshots = flights.snapshots()
    third = flights.run_json()
    assert flights.snapshots() == snapshots
    assert {m["rows_affected"] for m in third.models.values()} == {0}
    last = ask(flights.url + "/admin/counts")
    assert (last["patches"], last["posts"]) == (after["patches"], after["posts"])


def test_the_demo_script_ends_by_saying_what_to_try_next(tmp_path):
    done = subprocess.run([ROOT / "examples/demo.sh", "--small"], env={**os.environ, "COYPU": COYPU, "TMPDIR": str(tmp_path)},
                          capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 0, done
    first, second, third = re.findall(r"^Done: .*$", done.stdout, re.M)
    assert "5 ran" in first and ", 0 failed (0 rows" in third
    assert "Try next:" in done.stdout
    counts = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"requests"')]
    assert counts[0]["posts"] == counts[0]["routes"] > 0 and counts[1]["patches"] == counts[2]["patches"] > 0


def test_an_independent_reader_sees_the_same_lake(flights):
    flights.run_json()
    expected = flights.sql("select count(*) as n, sum(distance)::BIGINT as miles, sum(arr_delay)::BIGINT as delay from raw.flights")[0]
    from ducklakepy import load_catalog
    catalog = load_catalog("demo", url=f"sqlite:///{flights.root}/lake.sqlite", data_path=f"{flights.root}/lake_data/")
    table = catalog.load_table("raw.flights").scan().to_arrow()
    import pyarrow.compute as pc
    assert table.num_rows == expected["n"] == 120000
    assert pc.sum(table["distance"]).as_py() == expected["miles"]
    assert pc.sum(table["arr_delay"]).as_py() == expected["delay"]
    routes = catalog.load_table("sync.routes").scan().to_arrow()
    assert routes.num_rows == flights.value("select count(*) as n from sync.routes")


def test_every_command_of_the_readme_and_guide_is_one_that_exists():
    commands = {line.split()[0] for line in subprocess.run([COYPU, "--help"], capture_output=True, text=True, check=True)
                .stdout.split("commands:\n")[1].split("\n\n")[0].splitlines()}
    dev = (ROOT / "dev").read_text()
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        text = page.read_text()
        for block in re.findall(r"```(?:sh|console)\n(.*?)```", text, re.S):
            for line in block.splitlines():
                line = line.removeprefix("$ ").strip()
                if match := re.match(r"(?:\S*/)?coypu (?:--json )?([a-z]+)", line):
                    assert match.group(1) in commands | {"help"}, f"{page.name}: {line}"
                if match := re.match(r"\./dev ([a-z]+)", line):
                    assert re.search(rf"^{match.group(1)}\)", dev, re.M) or f"{match.group(1)} |" in dev, f"{page.name}: {line}"
