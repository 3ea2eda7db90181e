"""The live line of `coypu run`: on a terminal only, and gone at the end."""
import fcntl
import os
import pty
import struct
import subprocess
import termios
import time

import pytest

from conftest import COYPU, TIMEOUT_S


def run_on_terminal(project):
    """Runs with standard error on a pseudo terminal; what was printed there, and on standard output."""
    try:
        master, slave = pty.openpty()
    except OSError as problem:
        pytest.skip(f"this machine has no pseudo terminals: {problem}")
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    process = subprocess.Popen([COYPU, "run"], cwd=project.root, env=project.environment(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=slave, text=True)
    os.close(slave)
    shown = b""
    while True:
        try:
            chunk = os.read(master, 4096)
        except OSError:  # Linux says EIO when the other side is closed
            break
        if not chunk:
            break
        shown += chunk
    os.close(master)
    out = process.stdout.read()
    assert process.wait(TIMEOUT_S) == 0, (out, shown)
    return shown.decode(), out


def slow_project(project, api):
    def page(request):
        time.sleep(0.15)
        number = int(request.query.get("n") or 0)
        return 200, {"rows": [{"id": number * 1000 + i} for i in range(1000)], "next": number + 1 if number < 7 else None}

    def take(request):
        time.sleep(0.12)
        return 200, {}

    api.on("GET", "/rows", page).on("POST", "/take", take)
    project.write({
        "lib/slow.star": '''
API = {"base_url": "%s", "fetch": {"args": []},
       "push": {"batch_size": 1000, "batch_mode": "atomic"}}

def fetch(page):
    answer = http.get("/rows", params = {"n": page.cursor}).json
    return {"rows": answer["rows"], "next": answer["next"]}

def push(rows):
    if not http.post("/take", json = len(rows)).ok:
        fail("refused")
    return {"%%d:%%s" %% (r["__ondatra_rowid"], r["__ondatra_change_type"]): "ok" for r in rows}
''' % api.url,
        "models/raw/rows.sql": "-- @kind: append\nSELECT id::BIGINT AS id FROM slow()",
        "models/sync/rows.sql": "-- @kind: append\n-- @sink: slow\nSELECT id FROM raw.rows"})


def test_a_terminal_sees_pages_rows_and_what_is_left_to_send(project, api):
    slow_project(project, api)
    shown, out = run_on_terminal(project)
    assert "\r\x1b[K[1/2] raw.rows  fetch  " in shown and " pages  " in shown and " rows/s  " in shown
    assert "\r\x1b[K[2/2] sync.rows  push  " in shown and " of 8,000 rows" in shown
    assert " left" in shown
    # What stays is nothing: the last thing said takes the line away.
    assert shown.endswith("\r\x1b[K")
    assert "raw.rows" in out and "\x1b" not in out


def test_a_pipe_sees_nothing(project, api):
    slow_project(project, api)
    result = project.run("run", code=0)
    assert result.err == "" and "\x1b" not in result.out and "\r" not in result.out
