#!/usr/bin/env python3
"""A small API to try coypu against: flights out of New York in 2013 (the nycflights13 data set).

    GET    /v1/flights?updated_since=…&cursor=…&limit=…   cursor pages, newest change last
    GET    /v1/airlines                                   one short page
    GET    /v1/routes                                     what somebody pushed to us
    POST   /v1/routes                                     409 when it exists
    PATCH  /v1/routes/ID      DELETE /v1/routes/ID        404 when it does not
    POST   /admin/change?rows=N                           N flights get another arrival delay
    GET    /admin/counts                                  requests and rows so far

Every /v1 request needs the header `X-Api-Key`.  More than --rate requests in a second are answered by
429 with Retry-After, as real APIs do.  Everything is kept in memory.
"""
import argparse
import csv
import io
import json
import os
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

FLIGHT_NUMBERS = {"year", "month", "day", "dep_time", "dep_delay", "arr_time", "arr_delay", "flight",
                  "air_time", "distance", "hour", "minute"}


def number(text):
    return None if text in ("", "NA") else int(float(text))


class Store:
    def __init__(self, data, limit):
        self.lock = threading.Lock()
        self.flights = []
        with zipfile.ZipFile(f"{data}/flights.csv.zip") as archive:
            name = next(n for n in archive.namelist() if n.endswith("flights.csv") and "__MACOSX" not in n)
            with archive.open(name) as raw:
                for i, row in enumerate(csv.DictReader(io.TextIOWrapper(raw, "utf-8"))):
                    if limit and i >= limit:
                        break
                    flight = {"id": i + 1}
                    for key in ("year", "month", "day", "carrier", "flight", "tailnum", "origin", "dest",
                                "dep_delay", "arr_delay", "air_time", "distance"):
                        flight[key] = number(row[key]) if key in FLIGHT_NUMBERS else row[key] or None
                    flight["updated_at"] = f"{row['year']}-{int(row['month']):02}-{int(row['day']):02}T00:00:00Z"
                    self.flights.append(flight)
        with open(f"{data}/airlines.csv", encoding="utf-8") as lines:
            self.airlines = [{"carrier": r["carrier"], "name": r["name"]} for r in csv.DictReader(lines)]
        # Positions by last change: a cursor is a position in this list, so pages never overlap.
        self.flights.sort(key=lambda f: (f["updated_at"], f["id"]))
        self.routes = {}
        self.changes = 0
        self.counts = {"requests": 0, "refused_429": 0, "rows_sent": 0, "posts": 0, "patches": 0, "deletes": 0}

    def page(self, since, cursor, limit):
        with self.lock:
            start = cursor
            if start is None:
                low, high = 0, len(self.flights)
                while low < high:
                    middle = (low + high) // 2
                    if self.flights[middle]["updated_at"] > since:
                        high = middle
                    else:
                        low = middle + 1
                start = low
            rows = self.flights[start:start + limit]
            end = start + len(rows)
            self.counts["rows_sent"] += len(rows)
            return {"data": rows, "next": end if end < len(self.flights) else None}

    def change(self, rows):
        with self.lock:
            self.changes += 1
            stamp = f"2014-01-01T00:00:{self.changes:02}Z"
            step = max(1, len(self.flights) // max(1, rows))
            moved = self.flights[::step][:rows]
            ids = {f["id"] for f in moved}
            self.flights = [f for f in self.flights if f["id"] not in ids]
            for flight in moved:
                self.flights.append({**flight, "arr_delay": (flight["arr_delay"] or 0) + 60, "updated_at": stamp})
            return {"changed": len(moved), "updated_at": stamp}


class Limiter:
    """At most `rate` requests in any second."""

    def __init__(self, rate):
        self.rate, self.lock, self.times = rate, threading.Lock(), []

    def refuses(self):
        with self.lock:
            now = time.monotonic()
            self.times = [t for t in self.times if now - t < 1.0]
            if self.rate and len(self.times) >= self.rate:
                return True
            self.times.append(now)
            return False


def make_handler(store, limiter, key):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def answer(self, status, body=None, headers=()):
            payload = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
            self.send_response(status)
            if body is not None:
                self.send_header("Content-Type", "application/json")
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def serve(self):
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size) if size else b""
            url = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(url.query).items()}
            if url.path.startswith("/admin/"):
                return self.admin(url.path, query)
            if self.headers.get("X-Api-Key") != key:
                return self.answer(401, {"error": "the header X-Api-Key is missing or wrong"})
            store.counts["requests"] += 1
            if limiter.refuses():
                store.counts["refused_429"] += 1
                return self.answer(429, {"error": "too many requests"}, [("Retry-After", "1")])
            if url.path == "/v1/flights" and self.command == "GET":
                cursor = query.get("cursor")
                return self.answer(200, store.page(query.get("updated_since", ""),
                                                   int(cursor) if cursor else None,
                                                   min(int(query.get("limit", 1000)), 10000)))
            if url.path == "/v1/airlines" and self.command == "GET":
                return self.answer(200, {"data": store.airlines, "next": None})
            if url.path == "/v1/routes" or url.path.startswith("/v1/routes/"):
                return self.routes(unquote(url.path[len("/v1/routes/"):]), body)
            return self.answer(404, {"error": f"there is nothing at {url.path}"})

        def routes(self, route, body):
            with store.lock:
                if self.command == "GET":
                    return self.answer(200, {"data": sorted(store.routes.values(), key=lambda r: r["route"])})
                if self.command == "DELETE":
                    store.counts["deletes"] += 1
                    found = store.routes.pop(route, None)
                    return self.answer(204) if found else self.answer(404, {"error": f"no route {route}"})
                try:
                    record = json.loads(body)
                except ValueError:
                    return self.answer(400, {"error": "the body is not JSON"})
                if self.command == "POST":
                    store.counts["posts"] += 1
                    if record["route"] in store.routes:
                        return self.answer(409, {"error": f"route {record['route']} exists"})
                    store.routes[record["route"]] = record
                    return self.answer(201, record)
                store.counts["patches"] += 1
                if route not in store.routes:
                    return self.answer(404, {"error": f"no route {route}"})
                store.routes[route].update(record)
                return self.answer(200, store.routes[route])

        def admin(self, path, query):
            if path == "/admin/change" and self.command == "POST":
                return self.answer(200, store.change(int(query.get("rows", 25))))
            if path == "/admin/counts":
                return self.answer(200, {**store.counts, "routes": len(store.routes)})
            return self.answer(404, {"error": "unknown"})

        do_GET = do_POST = do_PATCH = do_DELETE = serve

    return Handler


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with flights.csv.zip and airlines.csv")
    parser.add_argument("--key", default="demo-key-2013", help="the API key that clients must send")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--port-file", help="the port is written here once the server answers")
    parser.add_argument("--rate", type=int, default=60, help="requests a second before 429; 0: no limit")
    parser.add_argument("--limit", type=int, default=0, help="only the first N flights")
    options = parser.parse_args()
    handler = make_handler(Store(options.data, options.limit), Limiter(options.rate), options.key)
    server = ThreadingHTTPServer(("127.0.0.1", options.port), handler)
    server.daemon_threads = True
    port = server.server_address[1]
    if options.port_file:
        with open(options.port_file + ".part", "w", encoding="ascii") as out:
            out.write(str(port))
        os.replace(options.port_file + ".part", options.port_file)
    print(f"http://127.0.0.1:{port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
