"""End-to-end tests: the real program, in a project of its own, against real servers on loopback."""
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
COYPU = os.environ.get("COYPU", str(ROOT / "build/debug/coypu"))
# A run that takes longer hangs: sanitizer builds are slow, so this is far above what any test needs.
TIMEOUT_S = 300

# Several times what any test needs: a program that grows without end fails its test, not the machine.  Sanitizers map
# terabytes of shadow memory and have limits of their own (./dev asan).
MEMORY_BYTES = 4 << 30


def is_sanitized():
    cache = Path(COYPU).parent / "CMakeCache.txt"
    return cache.exists() and "\nCOYPU_SANITIZE:STRING=\n" not in cache.read_text()


def limit_memory():
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    if not is_sanitized() and (hard == resource.RLIM_INFINITY or hard > MEMORY_BYTES):
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, hard))


limit_memory()

CATALOG = "ATTACH 'ducklake:sqlite:lake.sqlite' AS lake (DATA_PATH 'lake_data/');\n"


class Result:
    """What one run of the program gave."""

    def __init__(self, args, code, out, err):
        self.args, self.code, self.out, self.err = args, code, out, err

    @property
    def lines(self):
        """Standard output as JSON objects, one a line."""
        return [json.loads(line) for line in self.out.splitlines() if line.strip()]

    @property
    def models(self):
        """The model objects of `run --json`, by name."""
        return {o["model"]: o for o in self.lines if "model" in o and "status" in o}

    def __repr__(self):
        return f"coypu {' '.join(self.args)} -> {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Project:
    """A project folder; files are given as {path: text}."""

    def __init__(self, root):
        self.root = Path(root)
        self.env = {}
        if not (self.root / "config").exists():
            self.write({"config/catalog.sql": CATALOG})

    def write(self, files):
        for path, text in files.items():
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(text, bytes):
                target.write_bytes(text)
            else:
                target.write_text(text)
        return self

    def environment(self, **extra):
        env = {k: v for k, v in os.environ.items() if k == "COYPU_DEPS_DIR" or not k.startswith(("COYPU_", "ONDATRA"))}
        env.update(self.env)
        env.update(extra)
        return env

    def start(self, *args, **env):
        return subprocess.Popen([COYPU, *args], cwd=self.root, env=self.environment(**env),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *args, code=None, **env):
        """Runs `coypu ARGS…`; `code` is the exit status that it must have."""
        done = subprocess.run([COYPU, *args], cwd=self.root, env=self.environment(**env), timeout=TIMEOUT_S,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        result = Result(args, done.returncode, done.stdout, done.stderr)
        if code is not None:
            assert result.code == code, result
        return result

    def run_json(self, *args, code=0, **env):
        return self.run("run", "--json", *args, code=code, **env)

    def crash(self, point, *args, **env):
        """Runs until the named crash point kills the process."""
        result = self.run("run", *args, COYPU_CRASH_AT=point, **env)
        assert result.code == -signal.SIGKILL, f"crash point {point} was not passed\n{result}"
        return result

    def sql(self, query):
        """Rows of a query as a list of dicts."""
        return json.loads(self.run("sql", query, "--json", code=0).out)["rows"]

    def value(self, query):
        rows = self.sql(query)
        assert len(rows) == 1 and len(rows[0]) == 1, rows
        return next(iter(rows[0].values()))

    def snapshots(self):
        return self.value("select count(*) as n from lake.snapshots()")

    def state(self, query):
        """Rows straight out of the state store."""
        with sqlite3.connect(f"file:{self.root}/.coypu/state.db?mode=ro", uri=True) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(query)]


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "project")


class Request:
    def __init__(self, method, target, headers, body):
        url = urlsplit(target)
        self.method, self.path, self.headers, self.body = method, unquote(url.path), headers, body
        self.query = dict(parse_qsl(url.query, keep_blank_values=True))
        self.time = time.monotonic()

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.method} {self.path} {self.query} {self.body[:80]!r}"


class Api:
    """A server that answers by the functions a test gives it and remembers every request.

    An answer is (status, body) or (status, body, headers); a body that is not bytes becomes JSON.
    Special bodies: Api.CUT (the headers promise more than comes), Api.HANG (no answer until stopped).
    """

    CUT = object()
    HANG = object()

    def __init__(self):
        self.requests = []
        self.routes = {}
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def log_message(self, *args):
                pass

            def serve(self):
                size = int(self.headers.get("Content-Length") or 0)
                request = Request(self.command, self.path, self.headers, self.rfile.read(size) if size else b"")
                with api.lock:
                    api.requests.append(request)
                route = api.routes.get((self.command, request.path)) or api.routes.get(("*", "*"))
                answer = route(request) if route else (404, {"error": "no such path"})
                status, body, headers = answer if len(answer) == 3 else (*answer, {})
                if body is Api.HANG:
                    api.stopping.wait(60)
                    self.close_connection = True
                    return
                cut = body is Api.CUT
                payload = b'{"data": [{"id": 1}' if cut else body if isinstance(body, bytes) else json.dumps(body).encode()
                try:
                    self.send_response(status)
                    for name, value in {"Content-Type": "application/json", **headers}.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(payload) + (100 if cut else 0)))
                    self.end_headers()
                    self.wfile.write(payload)
                except (BrokenPipeError, ConnectionResetError):
                    cut = True  # the client was killed: that is what the test wanted
                if cut:
                    self.close_connection = True

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def on(self, method, path, answer):
        """`answer`: a function of the request, or a fixed (status, body[, headers])."""
        self.routes[(method, path)] = answer if callable(answer) else lambda request: answer
        return self

    def pages(self, path, pages):
        """Cursor pages: `?cursor=N` gives page N."""
        def answer(request):
            number = int(request.query.get("cursor") or 0)
            return 200, {"data": pages[number], "next": number + 1 if number + 1 < len(pages) else None}
        return self.on("GET", path, answer)

    def seen(self, method=None, path=None):
        with self.lock:
            return [r for r in self.requests
                    if (method is None or r.method == method) and (path is None or r.path == path)]

    def forget(self):
        with self.lock:
            self.requests.clear()

    def stop(self):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def api():
    server = Api()
    yield server
    server.stop()


FETCH_LIB = '''
API = {
    "base_url": "%(url)s",
    "retry": 2,
    "backoff": 0.01,
    "fetch": {"args": ["resource"], "page_size": 2},
}

def fetch(resource, page):
    resp = http.get("/" + resource, params = {"cursor": page.cursor, "limit": page.size})
    if not resp.ok:
        fail("GET %%s: HTTP %%d" %% (resource, resp.status_code))
    return {"rows": resp.json["data"], "next": resp.json["next"]}
'''

PUSH_LIB = '''
API = {
    "base_url": "%(url)s",
    "retry": 0,
    "push": {"batch_size": %(batch_size)d, "batch_mode": "sync"%(more)s},
}

def push(rows = [], batch_id = "", batch_number = 0):
    resp = http.post("/batch", json = {"batch_id": batch_id, "rows": rows}, raise_errors = False)
    if not resp.ok:
        fail("POST /batch: HTTP %%d" %% resp.status_code)
    return resp.json
'''


@pytest.fixture
def fetch_lib(project, api):
    """lib/shop.star: `FROM shop('orders')` reads the test's server page by page."""
    project.write({"lib/shop.star": FETCH_LIB % {"url": api.url}})
    return api


class Sink:
    """The receiving end of lib/crm.star; `status` maps a row to its answer."""

    def __init__(self, api):
        self.api, self.batches, self.status = api, [], lambda row: "ok"
        api.on("POST", "/batch", self.receive)

    def receive(self, request):
        batch = request.json
        self.batches.append(batch)
        answer = {}
        for row in batch["rows"]:
            answer[f"{row['__ondatra_rowid']}:{row['__ondatra_change_type']}"] = self.status(row)
        return 200, answer

    @property
    def rows(self):
        return [row for batch in self.batches for row in batch["rows"]]

    def events(self, *columns):
        """(change type, column…) of every row received, sorted."""
        return sorted((r["__ondatra_change_type"], *(r[c] for c in columns)) for r in self.rows)

    def forget(self):
        self.batches.clear()


@pytest.fixture
def sink(project, api):
    """lib/crm.star: `@sink: crm` posts batches of two to the test's server."""
    project.write({"lib/crm.star": PUSH_LIB % {"url": api.url, "batch_size": 2, "more": ""}})
    return Sink(api)


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture
def copy_example(tmp_path):
    def copy(name):
        shutil.copytree(ROOT / "examples" / name, tmp_path / "project")
        return Project(tmp_path / "project")
    return copy
